/* tests/unit/growing.h -- what the tests of trainers that grow trees share:
 * trees followed by their definition, tables to grow them on, comparisons. */
#ifndef ASCRIBE_TESTS_GROWING_H
#define ASCRIBE_TESTS_GROWING_H

#include "training.h"

/* ---- what a tree says, by its definition ---- */

/* The child that x goes to. */
static inline uint32_t
follow(const struct asci_ensemble *f, const struct asci_node *p, double x)
{
    size_t c;

    if (isnan(x))
        return p->missing;
    if (p->test == ASCI_LESS)
        return x < p->threshold ? p->yes : p->no;
    if (p->test == ASCI_LESS_EQUAL)
        return x <= p->threshold ? p->yes : p->no;
    assert_int_equal(p->test, ASCI_IN_SET);
    c = (size_t)x;
    if (c >= p->set_bits)
        return p->no;
    return f->sets[p->set + c / 64] >> (c % 64) & 1 ? p->yes : p->no;
}

/* The values of the leaf that x ends in. */
static inline const double *
leaf_of(const struct asci_ensemble *f, const struct asci_tree *t,
        const double *x)
{
    uint32_t at = 0;

    while (t->node[at].test != ASCI_LEAF)
        at = follow(f, &t->node[at], x[t->node[at].column]);
    return t->value + t->node[at].leaf * t->width;
}

static inline double
tree_value(const struct asci_ensemble *f, const struct asci_tree *t,
           const double *x)
{
    return leaf_of(f, t, x)[0];
}

/* ---- a random table ---- */

enum { D = 5 };

/* classes: 0 for regression.  mixed: with categories, weights. */
static inline struct asc_training
random_table(uint64_t seed, size_t n, size_t classes, int mixed)
{
    struct asc_training t = training_new(n, D);
    uint64_t s = seed;
    size_t i;

    schema_number(&t.schema, "x1");
    if (mixed)
        schema_category(&t.schema, "c1", "a,b,c,d,e,f,g");
    else
        schema_number(&t.schema, "c1");
    schema_number(&t.schema, "x2");
    if (mixed)
        schema_category(&t.schema, "c2", "u,v,w");
    else
        schema_number(&t.schema, "c2");
    schema_number(&t.schema, "x3");
    if (classes)
        training_classes(&t, classes == 2 ? "no,yes" : "k0,k1,k2");
    if (mixed)
        training_weigh(&t);
    for (i = 0; i < n; i++) {
        double *x = t.x + i * D, f;

        x[0] = normal(&s);
        x[1] = uniform(&s) < 0.15 ? NAN : floor(7.0 * uniform(&s));
        x[2] = uniform(&s) < 0.3 ? NAN : floor(6.0 * uniform(&s));  /* ties */
        x[3] = floor(3.0 * uniform(&s));
        x[4] = uniform(&s) < 0.1 ? NAN : exp(normal(&s));
        f = x[0] + (isnan(x[1]) ? 1.5 : fmod(x[1] * 3.0, 7.0) / 3.0) -
            (isnan(x[2]) ? 1.0 : x[2] > 3.0) * (x[3] == 1.0 ? 2.0 : -0.5);
        if (classes == 0)
            t.y[i] = 10.0 + f + 0.5 * normal(&s);
        else if (classes == 2)
            t.y[i] = uniform(&s) < 1.0 / (1.0 + exp(-f));
        else
            t.y[i] = uniform(&s) < 0.2 ? 0.0 : 1.0 + (f > 0.3);
        if (mixed)
            t.weight[i] = 0.25 + 2.0 * uniform(&s);
    }
    return t;
}

/* ---- all splits of a node ---- */

struct rows {
    const struct asc_training *t;
    const double *w;            /* (t->n) weight; 0: not drawn */
    const size_t *count;        /* (t->n) rows that it stands for */
    int entropy;
    size_t min_leaf;
};

/* Weighted impurity of the rows with side[i] == which: Gini's index, entropy
 * or variance by their definitions, times the weight. */
static inline double
impurity(const struct rows *q, const unsigned char *side, int which)
{
    const size_t k = q->t->target.n_categories;
    double weight = 0.0, mean = 0.0, sum = 0.0, share[16] = { 0 };
    size_t i;

    for (i = 0; i < q->t->n; i++)
        if (side[i] == which) {
            weight += q->w[i];
            mean += q->w[i] * q->t->y[i];
            if (k)
                share[(size_t)q->t->y[i]] += q->w[i];
        }
    mean /= weight;
    for (i = 0; i < k; i++) {
        const double p = share[i] / weight;

        sum += !q->entropy ? p * (1.0 - p) : p > 0.0 ? -p * log(p) : 0.0;
    }
    if (k)
        return weight * sum;
    for (i = 0; i < q->t->n; i++)
        if (side[i] == which)
            sum += q->w[i] * pow(q->t->y[i] - mean, 2.0);
    return sum;
}

/* What dividing the rows by side[i], 0 or 1 (2: not in the node), takes off
 * their impurity; -1 where a side has too few rows. */
static inline double
gain_of(const struct rows *q, const unsigned char *side)
{
    unsigned char *all = malloc(q->t->n + 1);
    size_t i, n[2] = { 0 };
    double gain = -1.0;

    for (i = 0; i < q->t->n; i++) {
        all[i] = side[i] == 2 ? 2 : 0;
        if (side[i] < 2)
            n[side[i]] += q->count[i];
    }
    if (n[0] >= q->min_leaf && n[1] >= q->min_leaf && n[0] && n[1])
        gain = impurity(q, all, 0) - impurity(q, side, 0) -
               impurity(q, side, 1);
    free(all);
    return gain;
}

/* The largest gain of any split of the rows in[i] = 1 by field j: every
 * threshold, every subset of categories, the missing on either side. */
static inline double
best_gain_of(const struct rows *q, const unsigned char *in, size_t j)
{
    const size_t n = q->t->n, d = q->t->schema.n;
    const size_t c = q->t->schema.field[j].n_categories;
    const size_t cuts = c ? (size_t)1 << c : n;
    unsigned char *side = malloc(n + 1);
    double best = -1.0;
    size_t i, k, missing;

    for (k = 0; k < cuts; k++) {
        const double limit = c ? 0.0 : q->t->x[k * d + j];

        if (!c && (!in[k] || isnan(limit)))
            continue;
        for (missing = 0; missing < 2; missing++) {
            for (i = 0; i < n; i++) {
                const double v = q->t->x[i * d + j];

                if (!in[i])
                    side[i] = 2;
                else if (isnan(v))
                    side[i] = (unsigned char)missing;
                else
                    side[i] = c ? k >> (size_t)v & 1 : v <= limit;
            }
            best = fmax(best, gain_of(q, side));
        }
    }
    free(side);
    return best;
}

/* ---- comparisons ---- */

static inline int
same_trees(const asc_model *a, const asc_model *b)
{
    const struct asci_ensemble *f = &a->u.ensemble, *g = &b->u.ensemble;
    size_t i;

    if (f->n_trees != g->n_trees || f->n_set_words != g->n_set_words ||
        memcmp(f->base, g->base, f->n_raw * sizeof *f->base))
        return 0;
    for (i = 0; i < f->n_trees; i++) {
        const struct asci_tree *p = &f->tree[i], *q = &g->tree[i];

        if (p->n_nodes != q->n_nodes ||
            memcmp(p->node, q->node, p->n_nodes * sizeof *p->node) ||
            memcmp(p->cover, q->cover, p->n_nodes * sizeof *p->cover) ||
            memcmp(p->value, q->value,
                   p->n_leaves * p->width * sizeof *p->value))
            return 0;
    }
    return f->n_set_words == 0 ||
           !memcmp(f->sets, g->sets, f->n_set_words * sizeof *f->sets);
}

struct scored {
    double p;
    int y;
};

static inline int
compare_scored(const void *pa, const void *pb)
{
    const struct scored *a = pa, *b = pb;

    return a->p < b->p ? -1 : a->p > b->p;
}

/* The chance that a row of the second class has the larger p. */
static inline double
area(const struct asc_training *t, const double *p)
{
    struct scored *v = malloc(t->n * sizeof *v);
    double rank = 0.0, n[2] = { 0 };
    size_t i, j, k;

    for (i = 0; i < t->n; i++) {
        v[i].p = p[2 * i + 1];
        v[i].y = t->y[i] == 1.0;
        n[v[i].y]++;
    }
    qsort(v, t->n, sizeof *v, compare_scored);
    for (i = 0; i < t->n; i = j) {
        for (j = i; j < t->n && v[j].p == v[i].p; j++)
            ;
        for (k = i; k < j; k++)
            rank += v[k].y * (double)(i + j + 1) / 2.0;
    }
    free(v);
    return (rank - n[1] * (n[1] + 1.0) / 2.0) / (n[0] * n[1]);
}

#endif
