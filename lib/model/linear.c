/* model/linear.c -- the linear form: r = b + W columns.
 *
 * Every sum runs over the columns in their order, beginning with b, so that a
 * row's bits do not depend on its neighbours.  Four rows are summed at once
 * because one sum alone waits for its own additions.  Cost: n_raw n_columns
 * multiplications a row.
 */
#include "model/core.h"

void
asci_linear_raw(const struct asci_linear *f, const double *columns, size_t n,
                double *r)
{
    const size_t c = f->n_columns, q = f->n_raw;
    size_t i, j, k;

    for (k = 0; k < q; k++) {
        const double *w = f->w + k * c;

        for (i = 0; i + 4 <= n; i += 4) {
            const double *p = columns + i * c;
            double s0 = f->b[k], s1 = f->b[k], s2 = f->b[k], s3 = f->b[k];

            for (j = 0; j < c; j++) {
                s0 += w[j] * p[j];
                s1 += w[j] * p[c + j];
                s2 += w[j] * p[2 * c + j];
                s3 += w[j] * p[3 * c + j];
            }
            r[i * q + k] = s0;
            r[(i + 1) * q + k] = s1;
            r[(i + 2) * q + k] = s2;
            r[(i + 3) * q + k] = s3;
        }
        for (; i < n; i++) {
            const double *p = columns + i * c;
            double s = f->b[k];

            for (j = 0; j < c; j++)
                s += w[j] * p[j];
            r[i * q + k] = s;
        }
    }
}
