/* model/ensemble.c -- trees, one row and one node at a time.
 *
 * The plain reading of the form: what a test says, and which leaf a row
 * reaches.  Evaluation in bulk is in ensemble_run.c; here are single rows and
 * the covers that path-dependent methods take from a background.
 */
#include <math.h>
#include <stdlib.h>

#include "model/ensemble.h"

static int
in_set(const struct asci_ensemble *f, const struct asci_node *p, double v)
{
    size_t bit;

    if (!(v >= 0.0 && v < (double)p->set_bits))
        return 0;
    bit = (size_t)v;
    return (f->sets[p->set + bit / 64] >> (bit % 64)) & 1;
}

static int
holds(const struct asci_ensemble *f, const struct asci_node *p, double v)
{
    switch (p->test) {
    case ASCI_LESS:
        return v < p->threshold;
    case ASCI_LESS_EQUAL:
        return v <= p->threshold;
    case ASCI_EQUAL:
        return v == p->threshold;
    default:
        return in_set(f, p, v);
    }
}

uint32_t
asci_next_node(const struct asci_ensemble *f, const struct asci_node *p,
               double v)
{
    if (isnan(v))
        return p->missing;
    return holds(f, p, v) ? p->yes : p->no;
}

const struct asci_node *
asci_find_leaf(const struct asci_ensemble *f, const struct asci_tree *t,
               const double *columns)
{
    const struct asci_node *p = t->node;

    while (p->test != ASCI_LEAF)
        p = t->node + asci_next_node(f, p, columns[p->column]);
    return p;
}

void
asci_tree_free(struct asci_tree *t)
{
    free(t->node);
    free(t->cover);
    free(t->value);
    if (t->lines) {
        free(t->lines->leaf);
        free(t->lines->column);
        free(t->lines->coefficient);
        free(t->lines);
    }
}

int
asci_ensemble_has_covers(const struct asci_ensemble *en)
{
    size_t j;

    for (j = 0; j < en->n_trees; j++)
        if (!en->tree[j].cover)
            return 0;
    return 1;
}

/* Counts one row in every node that it passes. */
static void
count_visits(const struct asci_ensemble *f, double **cover,
             const double *columns)
{
    size_t j;

    for (j = 0; j < f->n_trees; j++) {
        const struct asci_tree *t = &f->tree[j];
        uint32_t i = 0;

        cover[j][0] += 1.0;
        while (t->node[i].test != ASCI_LEAF) {
            i = asci_next_node(f, &t->node[i], columns[t->node[i].column]);
            cover[j][i] += 1.0;
        }
    }
}

double **
asci_ensemble_covers(const asc_model *m, const double *x, size_t n,
                     struct asc_error *e)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const size_t d = m->schema.n;
    double *columns = NULL, *next, **cover = NULL;
    size_t i, j, total = f->n_trees;

    for (j = 0; j < f->n_trees; j++)
        total += f->tree[j].n_nodes;
    /* The pointers come first, then the numbers that they point to. */
    cover = asci_alloc_zero(total, sizeof *next > sizeof *cover
                            ? sizeof *next : sizeof *cover, e);
    columns = asci_alloc(f->n_columns, sizeof *columns, e);
    if (!cover || !columns) {
        free(cover);
        free(columns);
        return NULL;
    }
    next = (double *)(void *)cover + f->n_trees;
    for (j = 0; j < f->n_trees; j++) {
        cover[j] = next;
        next += f->tree[j].n_nodes;
    }
    for (i = 0; i < n; i++) {
        asci_encode(&m->encoder, d, x + i * d, 1, columns);
        count_visits(f, cover, columns);
    }
    free(columns);
    return cover;
}
