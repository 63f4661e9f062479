/* fit/bins.c -- the values of a field sorted into few bins.
 *
 * A continuous field with at most max_bins distinct values has one bin for
 * each, so that splits between bins are all splits there are.  With more, the
 * sorted distinct values are cut where a bin's weight comes nearest to an
 * equal share of what is left, so that a value heavier than a share has a bin
 * of its own.  A category is its own bin.  Missing values are one more code.
 * n log n.
 */
#include <math.h>
#include <stdlib.h>

#include "fit/internal.h"

enum { CODES_MAX = 65535 };

struct value {
    double x, w;
};

static int
compare(const void *pa, const void *pb)
{
    const struct value *a = pa, *b = pb;

    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->w < b->w ? -1 : a->w > b->w;
}

/* The distinct values of v (n), sorted, their weights added: how many. */
static size_t
distinct(struct value *v, size_t n)
{
    size_t i, m = 0;

    qsort(v, n, sizeof *v, compare);
    for (i = 0; i < n; i++)
        if (m > 0 && v[m - 1].x == v[i].x)
            v[m - 1].w += v[i].w;
        else
            v[m++] = v[i];
    return m;
}

/* low, high of at most max_bins bins of v (m): how many. */
static size_t
cut(const struct value *v, size_t m, size_t max_bins, double *low,
    double *high)
{
    double left = 0.0, sum = 0.0;
    size_t i, n = 0;

    for (i = 0; i < m; i++)
        left += v[i].w;
    for (i = 0; i < m; i++) {
        const size_t bins_left = max_bins - n;
        int close;

        if (sum == 0.0)
            low[n] = v[i].x;
        sum += v[i].w;
        high[n] = v[i].x;
        if (i + 1 == m)
            close = 1;
        else if (m <= max_bins)
            close = 1;
        else if (bins_left == 1)
            close = 0;
        else
            close = sum + 0.5 * v[i + 1].w > left / (double)bins_left;
        if (close) {
            n++;
            left -= sum;
            sum = 0.0;
        }
    }
    return n;
}

/* The bin of x, which lies in one of them. */
static size_t
find(const struct asci_bins *b, double x)
{
    size_t from = 0, to = b->n_bins - 1;

    while (from < to) {
        const size_t mid = from + (to - from) / 2;

        if (x <= b->high[mid])
            to = mid;
        else
            from = mid + 1;
    }
    return from;
}

static int
cut_field(struct asci_bins *b, const struct asc_training *t, size_t j,
          const size_t *order, size_t n, size_t max_bins, struct asc_error *e)
{
    struct value *v = asci_alloc(n, sizeof *v, e);
    size_t i, known = 0, m;

    if (!v)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i++) {
        const double x = t->x[order[i] * t->schema.n + j];

        if (isnan(x))
            continue;
        v[known].x = x;
        v[known++].w = asci_fit_weight(t, order[i]);
    }
    m = distinct(v, known);
    if (max_bins > m)
        max_bins = m;
    b->low = asci_alloc(max_bins, sizeof *b->low, e);
    b->high = asci_alloc(max_bins, sizeof *b->high, e);
    if (b->low && b->high)
        b->n_bins = cut(v, m, max_bins, b->low, b->high);
    free(v);
    return b->low && b->high ? ASC_OK : ASC_ESYSTEM;
}

int
asci_bins_init(struct asci_bins *b, const struct asc_training *t, size_t j,
               const size_t *order, size_t n, size_t max_bins,
               struct asc_error *e)
{
    const struct asc_field *f = &t->schema.field[j];
    size_t i;

    *b = (struct asci_bins){ .categorical = f->kind == ASC_CATEGORICAL };
    if (b->categorical)
        b->n_bins = f->n_categories;
    else if (cut_field(b, t, j, order, n, max_bins, e))
        goto bad;
    if (b->n_bins >= CODES_MAX) {
        asc_fail(e, ASC_EUSAGE, "gbm: field \"%s\" has %zu categories, at "
                 "most %d: leave it out", f->name, b->n_bins, CODES_MAX - 1);
        asci_bins_free(b);
        return ASC_EUSAGE;
    }
    if (b->n_bins < 256)
        b->narrow = asci_alloc(n, sizeof *b->narrow, e);
    else
        b->wide = asci_alloc(n, sizeof *b->wide, e);
    if (!b->narrow && !b->wide)
        goto bad;
    for (i = 0; i < n; i++) {
        const double x = t->x[order[i] * t->schema.n + j];
        const size_t code = isnan(x) ? b->n_bins
                            : b->categorical ? (size_t)x : find(b, x);

        if (b->narrow)
            b->narrow[i] = (unsigned char)code;
        else
            b->wide[i] = (uint16_t)code;
    }
    return ASC_OK;
bad:
    asci_bins_free(b);
    return ASC_ESYSTEM;
}

void
asci_bins_free(struct asci_bins *b)
{
    free(b->wide);
    free(b->narrow);
    free(b->high);
    free(b->low);
    b->wide = NULL;
    b->narrow = NULL;
    b->low = b->high = NULL;
}
