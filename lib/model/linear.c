/* model/linear.c -- the linear form: r = b + W columns.
 *
 * Every sum is in an order that depends on the number of columns alone, so
 * that a row's bits do not depend on its neighbours: with few columns one
 * after the other, four rows side by side, because one sum alone waits for
 * its own additions; with many, eight sums of every eighth column.  Cost:
 * n_raw n_columns multiplications a row.
 */
#include "model/core.h"

enum { LANES = 8, MANY = 16 };

typedef double lanes __attribute__((vector_size(8 * LANES), aligned(8),
                                    may_alias));

/* r[i * stride] = b + w . row i, c columns */
static void
few_columns(const double *w, double b, size_t c, const double *columns,
            size_t n, double *r, size_t stride)
{
    size_t i, j;

    for (i = 0; i + 4 <= n; i += 4) {
        const double *p = columns + i * c;
        double s0 = b, s1 = b, s2 = b, s3 = b;

        for (j = 0; j < c; j++) {
            s0 += w[j] * p[j];
            s1 += w[j] * p[c + j];
            s2 += w[j] * p[2 * c + j];
            s3 += w[j] * p[3 * c + j];
        }
        r[i * stride] = s0;
        r[(i + 1) * stride] = s1;
        r[(i + 2) * stride] = s2;
        r[(i + 3) * stride] = s3;
    }
    for (; i < n; i++) {
        const double *p = columns + i * c;
        double s = b;

        for (j = 0; j < c; j++)
            s += w[j] * p[j];
        r[i * stride] = s;
    }
}

static void
many_columns(const double *w, double b, size_t c, const double *columns,
             size_t n, double *r, size_t stride)
{
    size_t i, j;

    for (i = 0; i < n; i++) {
        const double *p = columns + i * c;
        lanes s = { 0 };

        for (j = 0; j + LANES <= c; j += LANES)
            s += *(const lanes *)(w + j) * *(const lanes *)(p + j);
        for (; j < c; j++)
            s[j % LANES] += w[j] * p[j];
        r[i * stride] = b + (((s[0] + s[1]) + (s[2] + s[3])) +
                             ((s[4] + s[5]) + (s[6] + s[7])));
    }
}

void
asci_linear_raw(const struct asci_linear *f, const double *columns, size_t n,
                double *r)
{
    size_t k;

    for (k = 0; k < f->n_raw; k++)
        (f->n_columns < MANY ? few_columns : many_columns)
            (f->w + k * f->n_columns, f->b[k], f->n_columns, columns, n,
             r + k, f->n_raw);
}

void
asci_linear_single(const struct asci_linear *f, const double *columns,
                   size_t n, double *r)
{
    size_t i, j, k;

    for (i = 0; i < n; i++)
        for (k = 0; k < f->n_raw; k++) {
            const double *w = f->w + k * f->n_columns;
            const double *p = columns + i * f->n_columns;
            float sum = (float)f->b[k];

            for (j = 0; j < f->n_columns; j++)
                sum += (float)p[j] * (float)w[j];
            r[i * f->n_raw + k] = (double)sum;
        }
}
