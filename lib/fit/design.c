/* fit/design.c -- the design matrix of the linear trainers, never stored:
 * a row has at most one entry a field, however many categories there are.
 *
 * Gram matrix: n d^2 / 2 products.  Cholesky factor: p^3 / 6, by columns in
 * their order.  The pivot of column j is its squared distance from the span
 * of the columns before it; one that is at most 1e-11 of its squared length
 * is rounding, and the column is passed over.  (The rule of the statistics
 * packages, which keep the first of several columns that say the same.)
 */
#include <math.h>
#include <stdlib.h>

#include "fit/internal.h"

int
asci_design_init(struct asci_design *d, const struct asc_training *t,
                 const asc_model *m, struct asc_error *e)
{
    const size_t n_fields = t->schema.n;
    size_t j;

    d->t = t;
    d->m = m;
    d->p = 1;
    d->order = asci_alloc(t->n, sizeof *d->order, e);
    d->first = asci_alloc(n_fields, sizeof *d->first, e);
    d->mean = asci_alloc(n_fields, sizeof *d->mean, e);
    d->step = asci_alloc(n_fields, sizeof *d->step, e);
    if (!d->order || !d->first || !d->mean || !d->step ||
        asci_fit_order(t, d->order, &d->n, e)) {
        asci_design_matrix_free(d);
        return ASC_ESYSTEM;
    }
    for (j = 0; j < n_fields; j++) {
        const struct asc_field *f = &t->schema.field[j];

        d->first[j] = d->p;
        d->p += f->kind == ASC_CONTINUOUS ? 1 : f->n_categories - 1;
        d->mean[j] = m->stats[j].mean;
        d->step[j] = m->stats[j].sd;
    }
    return ASC_OK;
}

void
asci_design_matrix_free(struct asci_design *d)
{
    free(d->step);
    free(d->mean);
    free(d->first);
    free(d->order);
    d->order = d->first = NULL;
    d->mean = d->step = NULL;
}

size_t
asci_design_row(const struct asci_design *d, size_t i, size_t *column,
                double *value)
{
    const struct asc_schema *s = &d->t->schema;
    size_t j, k = 1;

    column[0] = 0;
    value[0] = 1.0;
    for (j = 0; j < s->n; j++) {
        const double v = asci_fit_value(d->t, d->m, i, j);

        if (s->field[j].kind == ASC_CONTINUOUS) {
            if (d->step[j] > 0.0) {
                column[k] = d->first[j];
                value[k++] = (v - d->mean[j]) / d->step[j];
            }
        } else if (v >= 1.0) {
            column[k] = d->first[j] + (size_t)v - 1;
            value[k++] = 1.0;
        }
    }
    return k;
}

int
asci_design_gram(const struct asci_design *d, double *gram,
                 struct asc_error *e)
{
    const size_t p = d->p;
    size_t *column = asci_alloc(d->t->schema.n + 1, sizeof *column, e);
    double *value = asci_alloc(d->t->schema.n + 1, sizeof *value, e);
    size_t i, a, b;

    if (!column || !value) {
        free(value);
        free(column);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < p * p; i++)
        gram[i] = 0.0;
    for (i = 0; i < d->n; i++) {
        const size_t k = asci_design_row(d, d->order[i], column, value);
        const double w = asci_fit_weight(d->t, d->order[i]);

        for (a = 0; a < k; a++) {
            double *row = gram + column[a] * p;
            const double wv = w * value[a];

            for (b = 0; b <= a; b++)
                row[column[b]] += wv * value[b];
        }
    }
    free(value);
    free(column);
    return ASC_OK;
}

static double
dot(const double *a, const double *b, size_t n)
{
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0;
    size_t i;

    for (i = 0; i + 4 <= n; i += 4) {
        s0 += a[i] * b[i];
        s1 += a[i + 1] * b[i + 1];
        s2 += a[i + 2] * b[i + 2];
        s3 += a[i + 3] * b[i + 3];
    }
    for (; i < n; i++)
        s0 += a[i] * b[i];
    return (s0 + s1) + (s2 + s3);
}

void
asci_design_factor(double *a, size_t p, unsigned char *alias)
{
    size_t i, j;

    for (i = 0; i < p; i++) {
        double *row = a + i * p;
        double pivot;

        for (j = 0; j < i; j++)
            row[j] = alias[j] ? 0.0
                     : (row[j] - dot(row, a + j * p, j)) / a[j * p + j];
        pivot = row[i] - dot(row, row, i);
        alias[i] = !(pivot > 1e-11 * row[i]);
        row[i] = alias[i] ? 0.0 : sqrt(pivot);
    }
}

void
asci_design_solve(const double *a, size_t p, const unsigned char *alias,
                  double *b)
{
    size_t i, j;

    for (i = 0; i < p; i++)
        b[i] = alias[i] ? 0.0 : (b[i] - dot(a + i * p, b, i)) / a[i * p + i];
    for (i = p; i-- > 0;) {
        if (alias[i])
            continue;
        b[i] /= a[i * p + i];
        for (j = 0; j < i; j++)
            b[j] -= a[i * p + j] * b[i];
    }
}

int
asci_design_model(const struct asci_design *d, const double *beta,
                  asc_model *m, struct asc_error *e)
{
    const struct asc_schema *s = &d->t->schema;
    const size_t n_columns = d->p - 1, n_raw = m->n_raw;
    struct asci_linear *f = &m->u.linear;
    size_t j, k, r;

    m->form = ASC_FORM_LINEAR;
    f->n_columns = n_columns;
    f->n_raw = n_raw;
    f->w = asci_alloc_zero(n_raw * n_columns, sizeof *f->w, e);
    f->b = asci_alloc_zero(n_raw, sizeof *f->b, e);
    m->encoder.column = asci_alloc_zero(n_columns, sizeof *m->encoder.column,
                                        e);
    if (!f->w || !f->b || !m->encoder.column)
        return ASC_ESYSTEM;
    m->encoder.n = n_columns;
    for (j = 0; j < s->n; j++) {
        const size_t at = d->first[j] - 1;
        int status = ASC_OK;

        if (s->field[j].kind == ASC_CONTINUOUS)
            status = asci_column_identity(&m->encoder.column[at], j, e);
        else
            for (k = 1; k < s->field[j].n_categories && !status; k++)
                status = asci_column_indicator(&m->encoder.column[at + k - 1],
                                               &m->schema, j, k, NAN, e);
        if (status)
            return status;
    }
    for (r = 0; r < n_raw; r++) {
        const double *from = beta + r * d->p;
        double *w = f->w + r * n_columns;
        struct asc_sum b;

        asc_sum_clear(&b);
        asc_sum_add(&b, from[0]);
        for (k = 0; k < n_columns; k++)
            w[k] = from[k + 1];
        for (j = 0; j < s->n; j++) {
            double *wj = &w[d->first[j] - 1];

            if (s->field[j].kind != ASC_CONTINUOUS)
                continue;
            *wj = d->step[j] > 0.0 ? *wj / d->step[j] : 0.0;
            asc_sum_add(&b, -*wj * d->mean[j]);
        }
        f->b[r] = asc_sum_value(&b);
        for (k = 0; k < n_columns; k++)
            if (!isfinite(w[k]))
                f->b[r] = NAN;
        if (!isfinite(f->b[r]))
            return asc_fail(e, ASC_ENUMERIC, "%s: the table's numbers are too "
                            "large to compute with: rescale the fields",
                            m->name);
    }
    return ASC_OK;
}
