/* model/pmml/columns.c -- the columns of all models of a document, each held
 * once: the 500 trees of a forest test the same few.  A hash of what a column
 * computes finds its equal.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

static uint64_t
mix(uint64_t hash, const void *bytes, size_t n)
{
    const uint64_t two[2] = { hash, asc_hash(bytes, n) };

    return asc_hash(two, sizeof two);
}

static uint64_t
mix_number(uint64_t hash, double v)
{
    return mix(hash, &v, sizeof v);
}

static uint64_t
column_hash(const struct asci_column *c)
{
    uint64_t hash = mix_number(0, c->scale);
    size_t i, k;

    for (k = 0; k < c->n_factors; k++) {
        const struct asci_factor *f = &c->factor[k];
        const int whole[4] = { f->kind, f->outliers, f->power, f->single };

        hash = mix(hash, whole, sizeof whole);
        hash = mix(hash, &f->field, sizeof f->field);
        hash = mix(hash, f->knot_x, f->n_knots * sizeof *f->knot_x);
        hash = mix(hash, f->knot_y, f->n_knots * sizeof *f->knot_y);
        hash = mix(hash, f->value, f->n_values * sizeof *f->value);
        for (i = 0; i < f->n_intervals; i++) {
            hash = mix_number(hash, f->interval[i].low);
            hash = mix_number(hash, f->interval[i].high);
            hash = mix_number(hash, f->interval[i].value);
        }
        hash = mix_number(hash, f->other);
        hash = mix_number(hash, f->missing);
    }
    return hash;
}

static int
same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static int
same_numbers(const double *a, const double *b, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!same_number(a[i], b[i]))
            return 0;
    return 1;
}

static int
same_interval(const struct asci_interval *a, const struct asci_interval *b)
{
    return a->low == b->low && a->high == b->high &&
           a->closed_low == b->closed_low &&
           a->closed_high == b->closed_high &&
           same_number(a->value, b->value);
}

static int
same_factor(const struct asci_factor *a, const struct asci_factor *b)
{
    size_t i;

    if (a->kind != b->kind || a->field != b->field ||
        a->n_knots != b->n_knots || a->outliers != b->outliers ||
        a->power != b->power || a->n_values != b->n_values ||
        a->n_intervals != b->n_intervals || a->single != b->single ||
        !same_number(a->other, b->other) ||
        !same_number(a->missing, b->missing))
        return 0;
    for (i = 0; i < a->n_intervals; i++)
        if (!same_interval(&a->interval[i], &b->interval[i]))
            return 0;
    return same_numbers(a->knot_x, b->knot_x, a->n_knots) &&
           same_numbers(a->knot_y, b->knot_y, a->n_knots) &&
           same_numbers(a->value, b->value, a->n_values);
}

static int
same_column(const struct asci_column *a, const struct asci_column *b)
{
    size_t k;

    if (!same_number(a->scale, b->scale) || a->n_factors != b->n_factors)
        return 0;
    for (k = 0; k < a->n_factors; k++)
        if (!same_factor(&a->factor[k], &b->factor[k]))
            return 0;
    return 1;
}

/* Whether some value of the field makes the factor missing. */
static int
can_be_missing(const struct pmml *p, const struct asci_factor *f)
{
    const int outliers = f->kind == ASCI_FACTOR_NUMBER && f->n_knots &&
                         f->outliers == ASCI_OUTLIERS_MISSING;
    size_t i;

    if (isnan(f->missing) &&
        (outliers || isnan(p->schema.field[f->field].replacement)))
        return 1;
    for (i = 0; i < f->n_values; i++)
        if (isnan(f->value[i]))
            return 1;
    for (i = 0; i < f->n_intervals; i++)
        if (isnan(f->interval[i].value))
            return 1;
    return f->kind == ASCI_FACTOR_STEP && isnan(f->other);
}

static void
describe(struct pmml *p, const struct asci_column *c, struct pmml_shared *s)
{
    size_t k;

    s->missing = isnan(c->scale);
    for (k = 0; k < c->n_factors; k++)
        s->missing = s->missing || can_be_missing(p, &c->factor[k]);
}

static int
widen_slots(struct pmml *p)
{
    size_t n = p->n_slots ? 2 * p->n_slots : 64, i, j;
    uint32_t *slot;

    if (2 * (p->n_columns + 1) <= p->n_slots)
        return ASC_OK;
    if (!(slot = asci_alloc_zero(n, sizeof *slot, p->e)))
        return ASC_ESYSTEM;
    for (i = 0; i < p->n_columns; i++) {
        for (j = p->column_hash[i] & (n - 1); slot[j]; j = (j + 1) & (n - 1))
            ;
        slot[j] = (uint32_t)(i + 1);
    }
    free(p->column_slot);
    p->column_slot = slot;
    p->n_slots = n;
    return ASC_OK;
}

static int
more_columns(struct pmml *p)
{
    const size_t n = p->room_columns ? 2 * p->room_columns : 32;
    void *larger;

    if (p->n_columns < p->room_columns)
        return ASC_OK;
    if (n >= PMML_NO_COLUMN / 2)
        return asc_fail(p->e, ASC_EINPUT, "%s: too many columns", p->path);
    if (!(larger = asci_resize(p->column, n, sizeof *p->column, p->e)))
        return ASC_ESYSTEM;
    p->column = larger;
    if (!(larger = asci_resize(p->shared, n, sizeof *p->shared, p->e)))
        return ASC_ESYSTEM;
    p->shared = larger;
    larger = asci_resize(p->column_hash, n, sizeof *p->column_hash, p->e);
    if (!larger)
        return ASC_ESYSTEM;
    p->column_hash = larger;
    p->room_columns = n;
    return ASC_OK;
}

int
asci_pmml_share(struct pmml *p, struct asci_column *c, uint32_t *index)
{
    const uint64_t hash = column_hash(c);
    size_t i;
    int status;

    if ((status = widen_slots(p)) || (status = more_columns(p))) {
        asci_pmml_column_clear(c);
        return status;
    }
    for (i = hash & (p->n_slots - 1); p->column_slot[i];
         i = (i + 1) & (p->n_slots - 1)) {
        const uint32_t k = p->column_slot[i] - 1;

        if (p->column_hash[k] == hash && same_column(&p->column[k], c)) {
            asci_pmml_column_clear(c);
            *index = k;
            return ASC_OK;
        }
    }
    *index = (uint32_t)p->n_columns;
    p->column_slot[i] = *index + 1;
    p->column[*index] = *c;
    p->column_hash[*index] = hash;
    describe(p, c, &p->shared[*index]);
    p->n_columns++;
    memset(c, 0, sizeof *c);
    return ASC_OK;
}

/* Categories that came up after a table was made count as undeclared in it,
 * which is what they were. */
static int
extend_tables(struct pmml *p, struct asci_column *c)
{
    size_t i, k;

    for (k = 0; k < c->n_factors; k++) {
        struct asci_factor *f = &c->factor[k];
        const size_t n = p->schema.field[f->field].n_categories + 1;
        double *larger;

        if (f->kind != ASCI_FACTOR_TABLE || f->n_values >= n)
            continue;
        larger = asci_resize(f->value, n, sizeof *larger, p->e);
        if (!larger)
            return ASC_ESYSTEM;
        f->value = larger;
        for (i = f->n_values; i < n; i++)
            f->value[i] = f->value[f->n_values - 1];
        f->n_values = n;
    }
    return ASC_OK;
}

int
asci_pmml_encoder(struct pmml *p, const uint32_t *list, size_t n,
                  struct asci_encoder *en)
{
    size_t i;
    int status = ASC_OK;

    en->n = 0;
    en->column = asci_alloc_zero(n, sizeof *en->column, p->e);
    if (!en->column)
        return ASC_ESYSTEM;
    for (i = 0; i < n && status == ASC_OK; i++) {
        status = asci_pmml_column_copy(p, &p->column[list[i]],
                                       &en->column[i]);
        if (status != ASC_OK)
            break;
        en->n = i + 1;
        status = extend_tables(p, &en->column[i]);
    }
    return status;
}
