/* model/ensemble_lines.c -- ensembles some of whose leaves are lines.
 *
 *     r = base + scale * sum over trees of (c_l + sum_k b_lk column_k)
 *
 * l the leaf that the row reaches, terms in their order, then trees in theirs;
 * a leaf with a missing column gives its value instead.  (LightGBM's
 * linear_tree; Shi, Li and Li 2018, arXiv:1802.05640.)  Rows are walked one
 * by one, tree outside, row inside: what the leaves add does not come from a
 * table, so the layout of ensemble_run.c would gain little.
 */
#include <math.h>

#include "model/ensemble.h"

static double
leaf_value(const struct asci_tree *t, uint32_t leaf, const double *columns)
{
    const struct asci_line *line = &t->lines->leaf[leaf];
    const uint32_t *column = t->lines->column + line->first;
    const double *b = t->lines->coefficient + line->first;
    double sum = line->constant;
    size_t k;

    for (k = 0; k < line->n; k++) {
        const double v = columns[column[k]];

        if (isnan(v))
            return t->value[leaf];
        sum += b[k] * v;
    }
    return sum;
}

void
asci_lines_raw(const struct asci_ensemble *f, const double *columns,
               size_t n, double *r)
{
    size_t i, j, k;

    for (i = 0; i < n * f->n_raw; i++)
        r[i] = 0.0;
    for (j = 0; j < f->n_trees; j++) {
        const struct asci_tree *t = &f->tree[j];

        for (i = 0; i < n; i++) {
            const double *row = columns + i * f->n_columns;
            const uint32_t leaf = asci_find_leaf(f, t, row)->leaf;
            double *sum = r + i * f->n_raw + t->first;

            if (t->lines)
                *sum += leaf_value(t, leaf, row);
            else
                for (k = 0; k < t->width; k++)
                    sum[k] += t->value[leaf * t->width + k];
        }
    }
    for (i = 0; i < n; i++)
        for (k = 0; k < f->n_raw; k++)
            r[i * f->n_raw + k] = f->base[k] + f->scale * r[i * f->n_raw + k];
}
