/* tests/unit/tree_game.h -- the game of path-dependent Shapley values, by its
 * definition, node by node.  To be included behind forests.h. */
#ifndef ASCRIBE_TESTS_TREE_GAME_H
#define ASCRIBE_TESTS_TREE_GAME_H

#include "forests.h"

static inline uint32_t
follow(const struct asci_ensemble *f, const struct asci_node *p, double v)
{
    int yes = 0;

    if (isnan(v))
        return p->missing;
    if (p->test == ASCI_LESS)
        yes = v < p->threshold;
    if (p->test == ASCI_LESS_EQUAL)
        yes = v <= p->threshold;
    if (p->test == ASCI_EQUAL)
        yes = v == p->threshold;
    if (p->test == ASCI_IN_SET && v >= 0.0 && v < p->set_bits)
        yes = f->sets[p->set + (size_t)v / 64] >> ((size_t)v % 64) & 1;
    return yes ? p->yes : p->no;
}

/* v(S) of one tree under node i: Lundberg, Erion and Lee 2018, algorithm 1. */
static inline double
value_of(const asc_model *m, const struct asci_tree *t, size_t k, uint32_t i,
         const double *columns, size_t s)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const struct asci_node *p = &t->node[i];
    const uint32_t end[3] = { p->yes, p->no, p->missing };
    const struct asci_column *c;
    size_t n = 0, a, b;
    uint32_t child[3];
    double sum = 0.0;

    if (p->test == ASCI_LEAF)
        return t->value[p->leaf * t->width + k];
    c = &m->encoder.column[p->column];
    if (c->n_factors == 0 || s >> c->factor[0].field & 1)
        return value_of(m, t, k, follow(f, p, columns[p->column]), columns,
                        s);
    for (a = 0; a < 3; a++) {
        for (b = 0; b < n && child[b] != end[a]; b++)
            ;
        if (b == n)
            child[n++] = end[a];
    }
    for (a = 0; a < n; a++) {
        double share = t->cover[i] > 0.0 ? t->cover[child[a]] / t->cover[i]
                                         : 1.0 / (double)n;

        if (share > 0.0)
            sum += share * value_of(m, t, k, child[a], columns, s);
    }
    return sum;
}

/* phi (d), *base and the raw output r of a row */
static inline void
by_definition(const asc_model *m, const double *x, size_t r, double *phi,
              double *base)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const size_t d = m->schema.n, n = (size_t)1 << d;
    double *columns = malloc(m->encoder.n * sizeof *columns);
    double *v = calloc(n, sizeof *v);
    size_t s, j;

    asci_encode(&m->encoder, d, x, 1, columns);
    for (s = 0; s < n; s++) {
        for (j = 0; j < f->n_trees; j++)
            if (r >= f->tree[j].first &&
                r < f->tree[j].first + f->tree[j].width)
                v[s] += value_of(m, &f->tree[j], r - f->tree[j].first, 0,
                                 columns, s);
        v[s] = f->base[r] + f->scale * v[s];
    }
    shapley_by_definition(v, d, phi);
    *base = v[0];
    free(v);
    free(columns);
}

#endif
