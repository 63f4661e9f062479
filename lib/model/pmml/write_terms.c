/* model/pmml/write_terms.c -- encoded columns as PMML expressions.
 *
 * A column is a product of factors.  Most factors are one expression; a table
 * of categories becomes a sum of indicators,
 *
 *     t(x) = other + sum_k (value_k - other) [x = k],
 *
 * so a column is a sum of terms, each a coefficient and a product of parts.
 * Indicators, the common case, are one term with coefficient 1.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/write.h"

enum { MOST_TERMS = 1000000 };

/* ---- lists that grow ---- */

static void *
grown(struct pmml_writer *w, void *p, size_t n, size_t *room, size_t size)
{
    void *q;
    size_t want;

    if (n < *room)
        return p;
    want = *room ? 2 * *room : 64;
    q = asci_resize(p, want, size, w->e);
    if (!q) {
        w->status = ASC_ESYSTEM;
        return p;
    }
    *room = want;
    return q;
}

static void
add_part(struct pmml_writer *w, struct pmml_part part)
{
    w->part = grown(w, w->part, w->n_parts, &w->room_parts,
                    sizeof *w->part);
    if (w->status == ASC_OK)
        w->part[w->n_parts++] = part;
}

/* The term `of` of the column so far, times coefficient and part, as a new
 * one. */
static void
add_product(struct pmml_writer *w, size_t of, double coefficient,
            const struct pmml_part *part)
{
    const size_t first = w->n_parts;
    size_t i;

    if (w->n_terms >= MOST_TERMS)
        asci_pmml_refuse(w, ASC_EINPUT, "its products of tables have more "
                         "than %d terms", MOST_TERMS);
    for (i = 0; w->status == ASC_OK && i < w->term[of].n; i++)
        add_part(w, w->part[w->term[of].first + i]);
    if (part && w->status == ASC_OK)
        add_part(w, *part);
    w->term = grown(w, w->term, w->n_terms, &w->room_terms,
                    sizeof *w->term);
    if (w->status != ASC_OK)
        return;
    w->term[w->n_terms].coefficient = w->term[of].coefficient * coefficient;
    w->term[w->n_terms].first = first;
    w->term[w->n_terms++].n = w->n_parts - first;
}

/* ---- tables ---- */

/* Times a factor of a categorical field. */
static void
multiply_table(struct pmml_writer *w, size_t of, const struct asci_factor *f)
{
    const struct asc_field *field = &w->m->schema.field[f->field];
    const size_t n = field->n_categories;
    double other = asci_factor_value(f, (double)n), v;
    double missing = asci_factor_value(f, NAN);
    struct pmml_part part = { f, 0, 0.0 };
    int first = 1;
    size_t k;

    /* Undeclared categories that cannot come in have no value. */
    if (field->invalid != ASC_INVALID_AS_IS)
        other = 0.0;
    for (k = 0; k < n; k++)
        if (!isfinite(asci_factor_value(f, (double)k)) || !isfinite(other)) {
            asci_pmml_refuse(w, ASC_EINPUT, "field \"%s\": category \"%s\" "
                             "has no number", field->name,
                             field->categories[k]);
            return;
        }
    if (other != 0.0)
        add_product(w, of, other, NULL);
    for (k = 0; k < n && w->status == ASC_OK; k++) {
        v = asci_factor_value(f, (double)k) - other;
        if (v == 0.0)
            continue;
        part.category = k;
        /* The first indicator answers for missing values. */
        part.missing = !first ? 0.0 : (missing - other) / v;
        first = 0;
        add_product(w, of, v, &part);
    }
    if (first && missing != other)
        asci_pmml_refuse(w, ASC_EINPUT, "field \"%s\": only missing values "
                         "are told apart", field->name);
    if (first && other == 0.0)
        add_product(w, of, 0.0, NULL);
}

/* ---- terms ---- */

static int
is_categorical(const struct pmml_writer *w, const struct asci_factor *f)
{
    return w->m->schema.field[f->field].kind == ASC_CATEGORICAL;
}

static void
make_column(struct pmml_writer *w, const struct asci_column *c)
{
    const size_t begin = w->n_terms;
    size_t from = begin, end, i, k;

    w->term = grown(w, w->term, w->n_terms, &w->room_terms, sizeof *w->term);
    if (w->status != ASC_OK)
        return;
    w->term[w->n_terms].coefficient = c->scale;
    w->term[w->n_terms].first = w->n_parts;
    w->term[w->n_terms++].n = 0;
    for (k = 0; k < c->n_factors; k++) {
        const struct asci_factor *f = &c->factor[k];
        const struct pmml_part whole = { f, SIZE_MAX, NAN };

        end = w->n_terms;
        for (i = from; i < end && w->status == ASC_OK; i++)
            if (is_categorical(w, f))
                multiply_table(w, i, f);
            else
                add_product(w, i, 1.0, &whole);
        from = end;
    }
    if (w->status != ASC_OK)
        return;
    /* Terms that were multiplied further are no longer there. */
    memmove(w->term + begin, w->term + from,
            (w->n_terms - from) * sizeof *w->term);
    w->n_terms -= from - begin;
}

void
asci_pmml_make_terms(struct pmml_writer *w)
{
    const struct asci_encoder *en = &w->m->encoder;
    size_t j;

    w->first_term = asci_alloc_zero(en->n + 1, sizeof *w->first_term, w->e);
    if (!w->first_term)
        w->status = ASC_ESYSTEM;
    for (j = 0; j < en->n && w->status == ASC_OK; j++) {
        make_column(w, &en->column[j]);
        w->first_term[j + 1] = w->n_terms;
    }
}

int
asci_pmml_part_is_field(const struct pmml_writer *w,
                        const struct pmml_part *p)
{
    const struct asci_factor *f = p->factor;

    return p->category == SIZE_MAX && !is_categorical(w, f) &&
           f->kind == ASCI_FACTOR_NUMBER && f->n_knots == 0 && !f->single &&
           isnan(f->missing);
}

int
asci_pmml_power_apart(const struct pmml_part *p)
{
    const struct asci_factor *f = p->factor;

    return p->category == SIZE_MAX && f->kind == ASCI_FACTOR_NUMBER &&
           f->power != 1 &&
           (isnan(f->missing) || f->missing == 1.0 ||
            (f->missing == 0.0 && f->power > 0));
}

int
asci_pmml_part_is_category(const struct pmml_part *p)
{
    return p->category != SIZE_MAX && p->missing == 0.0;
}

int
asci_pmml_part_is_single(const struct pmml_part *p)
{
    return p->category == SIZE_MAX && p->factor->single;
}

/* ---- expressions ---- */

static void
set_missing(struct pmml_writer *w, double missing)
{
    if (!isnan(missing))
        asci_pmml_set_number(w, "mapMissingTo", missing);
}

static void
write_constant(struct pmml_writer *w, double v)
{
    char text[ASC_NUMBER_MAX + 1];

    if (!isfinite(v))
        asci_pmml_refuse(w, ASC_EINPUT, "a constant is not a finite number");
    text[asc_number_format(v, text)] = '\0';
    asci_pmml_begin(w, "Constant");
    asci_pmml_set(w, "dataType", "double");
    asc_buffer_char(w->out, '>');
    asc_buffer_text(w->out, text);
    asc_buffer_text(w->out, "</Constant>\n");
}

static void
write_knot(struct pmml_writer *w, double x, double y)
{
    asci_pmml_begin(w, "LinearNorm");
    asci_pmml_set_number(w, "orig", x);
    asci_pmml_set_number(w, "norm", y);
    asci_pmml_empty(w);
}

static void
write_piecewise(struct pmml_writer *w, const struct asci_factor *f,
                const char *field, double missing)
{
    static const char *const outliers[] = {
        [ASCI_OUTLIERS_EXTEND] = "asIs",
        [ASCI_OUTLIERS_CLAMP] = "asExtremeValues",
        [ASCI_OUTLIERS_MISSING] = "asMissingValues"
    };
    size_t i;

    asci_pmml_begin(w, "NormContinuous");
    asci_pmml_set(w, "field", field);
    asci_pmml_set(w, "outliers", outliers[f->outliers]);
    set_missing(w, missing);
    asci_pmml_inside(w);
    for (i = 0; i < f->n_knots; i++)
        write_knot(w, f->knot_x[i], f->knot_y[i]);
    /* One knot is a constant; PMML wants two. */
    if (f->n_knots == 1)
        write_knot(w, f->knot_x[0] + fabs(f->knot_x[0]) + 1.0, f->knot_y[0]);
    asci_pmml_end_element(w, "NormContinuous");
}

static void
write_number(struct pmml_writer *w, const struct asci_factor *f, int power)
{
    const char *field = w->m->schema.field[f->field].name;
    double missing = f->missing;

    if (power != 1) {
        asci_pmml_begin(w, "Apply");
        asci_pmml_set(w, "function", "pow");
        set_missing(w, missing);
        asci_pmml_inside(w);
        missing = NAN;
    }
    if (f->n_knots > 0) {
        write_piecewise(w, f, field, missing);
    } else {
        asci_pmml_begin(w, "FieldRef");
        asci_pmml_set(w, "field", field);
        set_missing(w, missing);
        asci_pmml_empty(w);
    }
    if (power != 1) {
        write_constant(w, power);
        asci_pmml_end_element(w, "Apply");
    }
}

static void
write_bin(struct pmml_writer *w, const struct asci_interval *t)
{
    static const char *const closure[2][2] = {
        { "openOpen", "openClosed" }, { "closedOpen", "closedClosed" }
    };

    asci_pmml_begin(w, "DiscretizeBin");
    asci_pmml_set_number(w, "binValue", t->value);
    asci_pmml_inside(w);
    asci_pmml_begin(w, "Interval");
    asci_pmml_set(w, "closure",
                  closure[t->closed_low != 0][t->closed_high != 0]);
    if (t->low != -INFINITY)
        asci_pmml_set_number(w, "leftMargin", t->low);
    if (t->high != INFINITY)
        asci_pmml_set_number(w, "rightMargin", t->high);
    asci_pmml_empty(w);
    asci_pmml_end_element(w, "DiscretizeBin");
}

static void
write_steps(struct pmml_writer *w, const struct asci_factor *f)
{
    size_t i;

    asci_pmml_begin(w, "Discretize");
    asci_pmml_set(w, "field", w->m->schema.field[f->field].name);
    set_missing(w, f->missing);
    if (!isnan(f->other))
        asci_pmml_set_number(w, "defaultValue", f->other);
    asci_pmml_set(w, "dataType", "double");
    asci_pmml_inside(w);
    for (i = 0; i < f->n_intervals; i++)
        write_bin(w, &f->interval[i]);
    asci_pmml_end_element(w, "Discretize");
}

void
asci_pmml_part_expression(struct pmml_writer *w, const struct pmml_part *p,
                          int with_power)
{
    const struct asc_field *field = &w->m->schema.field[p->factor->field];

    if (p->category != SIZE_MAX) {
        asci_pmml_begin(w, "NormDiscrete");
        asci_pmml_set(w, "field", field->name);
        asci_pmml_set(w, "value", field->categories[p->category]);
        set_missing(w, p->missing);
        asci_pmml_empty(w);
    } else if (p->factor->kind == ASCI_FACTOR_STEP) {
        write_steps(w, p->factor);
    } else {
        write_number(w, p->factor, with_power ? p->factor->power : 1);
    }
}

/* Begins a product of n things: each but the last is the first argument of an
 * Apply whose second one holds the rest. */
static void
begin_product(struct pmml_writer *w, size_t i, size_t n)
{
    if (i + 1 >= n)
        return;
    asci_pmml_begin(w, "Apply");
    asci_pmml_set(w, "function", "*");
    asci_pmml_inside(w);
}

static void
end_product(struct pmml_writer *w, size_t n)
{
    for (; n > 1; n--)
        asci_pmml_end_element(w, "Apply");
}

void
asci_pmml_term_expression(struct pmml_writer *w, const struct pmml_term *t)
{
    size_t i;

    if (t->n == 0)
        write_constant(w, 1.0);
    for (i = 0; i < t->n; i++) {
        begin_product(w, i, t->n);
        asci_pmml_part_expression(w, &w->part[t->first + i], 1);
    }
    end_product(w, t->n);
}

void
asci_pmml_column_expression(struct pmml_writer *w,
                            const struct asci_column *c)
{
    const int scaled = c->scale != 1.0 || c->n_factors == 0;
    const size_t n = c->n_factors + (size_t)scaled;
    size_t i;

    for (i = 0; i < c->n_factors; i++) {
        const struct pmml_part part = { &c->factor[i], SIZE_MAX, NAN };

        if (is_categorical(w, &c->factor[i])) {
            asci_pmml_refuse(w, ASC_EINPUT, "a tree tests a product with "
                             "categories of field \"%s\"",
                             w->m->schema.field[c->factor[i].field].name);
            return;
        }
        begin_product(w, i, n);
        asci_pmml_part_expression(w, &part, 1);
    }
    if (scaled)
        write_constant(w, c->scale);
    end_product(w, n);
}
