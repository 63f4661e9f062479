/* fit/cart_table.c -- a training table made ready for growing trees: values
 * become their ranks among the distinct values of their field, column by
 * column, so that splits are searched for among whole numbers, and every
 * split that there is can be found.  4 bytes a value, and 24 a row while a
 * column is made; linear in the number of values, by radix sort. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/cart.h"

/* ---- sorting ---- */

static void
insert(struct asci_cart_pair *v, size_t n)
{
    size_t i, j;

    for (i = 1; i < n; i++) {
        const struct asci_cart_pair p = v[i];

        for (j = i; j > 0 && v[j - 1].key > p.key; j--)
            v[j] = v[j - 1];
        v[j] = p;
    }
}

/* One pass over 8 bits of the keys; start (256): how many keys have each
 * digit.  0: all have the same, and nothing was moved. */
static int
deal(const struct asci_cart_pair *v, struct asci_cart_pair *out, size_t n,
     unsigned shift, uint32_t *start)
{
    uint32_t sum = 0, now;
    size_t i;

    if (start[v[0].key >> shift & 255] == n)
        return 0;
    for (i = 0; i < 256; i++) {
        now = start[i];
        start[i] = sum;
        sum += now;
    }
    for (i = 0; i < n; i++)
        out[start[v[i].key >> shift & 255]++] = v[i];
    return 1;
}

void
asci_cart_sort(struct asci_cart_pair *v, struct asci_cart_pair *spare,
               size_t n, uint32_t top)
{
    enum { FEW = 40 };
    uint32_t count[4][256];
    struct asci_cart_pair *from = v, *to = spare, *other;
    unsigned digit, digits = 0;
    size_t i;

    if (n <= FEW) {
        insert(v, n);
        return;
    }
    while (digits < 4 && top >> 8 * digits > 0)
        digits++;
    memset(count, 0, digits * sizeof *count);
    for (digit = 0; digit < digits; digit++)
        for (i = 0; i < n; i++)
            count[digit][v[i].key >> 8 * digit & 255]++;
    for (digit = 0; digit < digits; digit++)
        if (deal(from, to, n, 8 * digit, count[digit])) {
            other = from;
            from = to;
            to = other;
        }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
}

/* ---- ranks ---- */

/* A whole number that is larger for a larger x; 0 and -0 are one. */
static uint64_t
bits_of(double x)
{
    const uint64_t sign = UINT64_C(1) << 63;
    uint64_t bits;

    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

/* Places of the known values of x (n) in rising order of value to v (n), by
 * the lower and then the upper half of their bits: how many. */
static size_t
sort_column(const double *x, size_t n, struct asci_cart_pair *v,
            struct asci_cart_pair *spare)
{
    size_t i, known = 0;

    for (i = 0; i < n; i++) {
        if (isnan(x[i]))
            continue;
        v[known].key = (uint32_t)bits_of(x[i]);
        v[known++].i = (uint32_t)i;
    }
    asci_cart_sort(v, spare, known, UINT32_MAX);
    for (i = 0; i < known; i++)
        v[i].key = (uint32_t)(bits_of(x[v[i].i]) >> 32);
    asci_cart_sort(v, spare, known, UINT32_MAX);
    return known;
}

/* Ranks of a column of numbers x (n); work (2, n). */
static int
rank_column(const double *x, size_t n, struct asci_cart_pair *work,
            struct asci_cart_field *f, struct asc_error *e)
{
    const size_t known = sort_column(x, n, work, work + n);
    size_t i, m = 0;

    for (i = 0; i < known; i++)
        m += i == 0 || x[work[i].i] != x[work[i - 1].i];
    f->n_codes = (uint32_t)m;
    f->value = asci_alloc(m, sizeof *f->value, e);
    if (!f->value)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i++)
        f->code[i] = f->n_codes;
    for (i = 0, m = 0; i < known; i++) {
        const double v = x[work[i].i];

        if (m == 0 || v != f->value[m - 1])
            f->value[m++] = v;
        f->code[work[i].i] = (uint32_t)(m - 1);
    }
    return ASC_OK;
}

/* x (n), work (2, n) */
static int
make_field(struct asci_cart_table *c, size_t j, double *x,
           struct asci_cart_pair *work, struct asc_error *e)
{
    struct asci_cart_field *f = &c->field[j];
    const struct asc_field *of = &c->t->schema.field[j];
    size_t i;

    f->categorical = of->kind == ASC_CATEGORICAL;
    f->code = asci_alloc(c->n, sizeof *f->code, e);
    if (!f->code)
        return ASC_ESYSTEM;
    for (i = 0; i < c->n; i++)
        x[i] = c->t->x[c->order[i] * c->d + j];
    if (!f->categorical)
        return rank_column(x, c->n, work, f, e);
    f->n_codes = (uint32_t)of->n_categories;
    for (i = 0; i < c->n; i++)
        f->code[i] = isnan(x[i]) ? f->n_codes : (uint32_t)x[i];
    return ASC_OK;
}

static int
make_fields(struct asci_cart_table *c, struct asc_error *e)
{
    struct asci_cart_pair *work = asci_alloc(c->n, 2 * sizeof *work, e);
    double *x = asci_alloc(c->n, sizeof *x, e);
    int status = work && x ? ASC_OK : ASC_ESYSTEM;
    size_t j;

    for (j = 0; j < c->d && !status; j++)
        status = make_field(c, j, x, work, e);
    free(x);
    free(work);
    return status;
}

/* ---- the table ---- */

/* Sums of squares are what gains are made of. */
static int
check_target(const struct asci_cart_table *c, struct asc_error *e)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < c->n; i++)
        sum += c->w[i] * c->y[i] * c->y[i];
    return isfinite(4.0 * (double)c->n * sum) ? ASC_OK
           : asc_fail(e, ASC_ENUMERIC, "%s: the target's numbers are too "
                      "large to compute with: rescale it", c->name);
}

int
asci_cart_table_init(struct asci_cart_table *c, const struct asc_training *t,
                     const char *name, struct asc_error *e)
{
    size_t i;
    int status;

    memset(c, 0, sizeof *c);
    c->name = name;
    c->t = t;
    c->d = t->schema.n;
    c->k = t->target.kind == ASC_CATEGORICAL ? t->target.n_categories : 0;
    if (t->n >= INT32_MAX)
        return asc_fail(e, ASC_EUSAGE, "%s: %zu rows, at most %ld", name,
                        t->n, (long)INT32_MAX - 1);
    c->order = asci_alloc(t->n, sizeof *c->order, e);
    c->field = asci_alloc_zero(c->d, sizeof *c->field, e);
    if (!c->order || !c->field || asci_fit_order(t, c->order, &c->n, e))
        return ASC_ESYSTEM;
    c->y = asci_alloc(c->n, sizeof *c->y, e);
    c->w = asci_alloc(c->n, sizeof *c->w, e);
    if (!c->y || !c->w)
        return ASC_ESYSTEM;
    for (i = 0; i < c->n; i++) {
        c->y[i] = t->y[c->order[i]];
        c->w[i] = asci_fit_weight(t, c->order[i]);
    }
    if ((status = check_target(c, e)))
        return status;
    return make_fields(c, e);
}

void
asci_cart_table_free(struct asci_cart_table *c)
{
    size_t j;

    for (j = 0; c->field && j < c->d; j++) {
        free(c->field[j].code);
        free(c->field[j].value);
    }
    free(c->field);
    free(c->w);
    free(c->y);
    free(c->order);
    memset(c, 0, sizeof *c);
}
