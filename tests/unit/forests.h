/* tests/unit/forests.h -- random ensembles of trees over fields of all kinds,
 * random rows for them, and Shapley values by their definition.  To be
 * included behind attribution.h.
 */
#ifndef ASCRIBE_TESTS_FORESTS_H
#define ASCRIBE_TESTS_FORESTS_H

#include "attribution.h"

/* ---- columns of all kinds ---- */

static inline struct asci_factor *
add_steps(struct asci_column *c, size_t field)
{
    struct asci_factor *f = add_number(c, field);
    const double inf = INFINITY;
    const struct asci_interval parts[] = {
        { -inf, -0.5, 0, 1, 1.0 }, { -0.5, 0.25, 0, 0, -2.0 },
        { 0.25, 1.0, 1, 0, 0.5 }
    };

    f->kind = ASCI_FACTOR_STEP;
    f->n_intervals = 3;
    f->interval = malloc(sizeof parts);
    memcpy(f->interval, parts, sizeof parts);
    f->other = 3.0;
    return f;
}

/* Plain numbers, scaled, binned and squared ones; indicators, target means
 * and the number of the category.  The latter are the columns that sets may
 * test: *category gets the first of them by field, or -1. */
static inline void
add_rich_columns(asc_model *m, long *category)
{
    const double scaled[] = { -2.0, 0.0, 0.0, 0.4, 2.0, 1.0 };
    size_t j, k;

    for (j = 0; j < m->schema.n; j++) {
        const struct asc_field *f = &m->schema.field[j];
        double value[9];

        category[j] = -1;
        if (f->kind == ASC_CONTINUOUS) {
            add_number(add_column(m, 1.0), j);
            add_knots(add_column(m, -3.0), j, (enum asci_outliers)(j % 3), 3,
                      scaled)->missing = 0.0;
            add_steps(add_column(m, 1.0), j);
            add_number(add_column(m, 1.0), j)->power = 2;
            continue;
        }
        for (k = 0; k < f->n_categories; k++) {
            double one[9] = { 0 };

            one[k] = 1.0;
            add_table(m, add_column(m, 1.0), j, one)->missing = 0.0;
        }
        for (k = 0; k < f->n_categories; k++)
            value[k] = 0.5 * (double)((3 * k) % 5) - 1.0;
        add_table(m, add_column(m, 1.0), j, value);
        for (k = 0; k < f->n_categories; k++)
            value[k] = (double)k;
        category[j] = (long)m->encoder.n;
        add_table(m, add_column(m, 1.0), j, value)->value[f->n_categories] =
            (double)f->n_categories;
    }
}

/* ---- trees ---- */

struct forest_plan {
    size_t n_trees, depth;      /* trees of at most this depth */
    size_t n_raw, width;        /* width = n_raw, or 1: trees in turn */
    int three_ends;             /* some tests have an end for missing values */
    int sets;                   /* tests against sets of categories */
    int zero_covers;            /* some branches have no records */
    int no_covers;              /* none is known */
    int no_answer;              /* ends for missing values have no answer */
    int full;                   /* no leaf above the full depth */
    int plain;                  /* columns are the fields; else rich ones */
};

struct grower {
    const struct forest_plan *plan;
    struct asc_stream *s;
    asc_model *m;
    long category[64];
    struct asci_tree *t;
};

static inline double
on_grid(struct asc_stream *s)
{
    return 0.25 * floor(4.0 * asc_stream_normal(s));
}

static inline uint32_t
grow_leaf(struct grower *g, uint32_t at, int answer)
{
    struct asci_tree *t = g->t;
    size_t k;

    t->node[at].test = ASCI_LEAF;
    t->node[at].leaf = (uint32_t)t->n_leaves++;
    for (k = 0; k < t->width; k++)
        t->value[t->node[at].leaf * t->width + k] =
            answer ? asc_stream_normal(g->s) : NAN;
    return at;
}

static inline void
choose_test(struct grower *g, struct asci_node *p)
{
    const size_t d = g->m->schema.n;
    struct asci_ensemble *f = &g->m->u.ensemble;
    size_t j = asc_stream_below(g->s, d), k;

    p->test = asc_stream_below(g->s, 2) ? ASCI_LESS : ASCI_LESS_EQUAL;
    p->column = (uint32_t)asc_stream_below(g->s, g->m->encoder.n);
    p->threshold = on_grid(g->s);
    if (asc_stream_below(g->s, 8) == 0)
        p->test = ASCI_EQUAL;
    if (!g->plan->plain && g->plan->sets && g->category[j] >= 0) {
        p->test = ASCI_IN_SET;
        p->column = (uint32_t)g->category[j];
        p->set = (uint32_t)f->n_set_words;
        p->set_bits = (uint32_t)asc_stream_below(g->s, 10);
        k = (p->set_bits + 63) / 64;
        f->sets = realloc(f->sets, (f->n_set_words + k + 1) * sizeof *f->sets);
        if (k)
            f->sets[f->n_set_words] = asc_stream_bits(g->s);
        f->n_set_words += k;
    }
}

static inline uint32_t
grow_node(struct grower *g, size_t depth, double cover)
{
    struct asci_tree *t = g->t;
    const uint32_t at = (uint32_t)t->n_nodes++;
    double share = asc_stream_uniform(g->s), third = 0.0;
    uint32_t yes, no;
    int ends;

    if (t->cover)
        t->cover[at] = cover;
    if (depth == 0 || (!g->plan->full && asc_stream_below(g->s, 5) == 0))
        return grow_leaf(g, at, 1);
    memset(&t->node[at], 0, sizeof t->node[at]);
    choose_test(g, &t->node[at]);
    ends = g->plan->three_ends && asc_stream_below(g->s, 3) == 0;
    if (g->plan->zero_covers && asc_stream_below(g->s, 4) == 0)
        share = asc_stream_below(g->s, 2) ? 0.0 : 1.0;
    else if (ends && asc_stream_below(g->s, 2))
        third = 0.125;
    share = floor(1024.0 * share) / 1024.0;
    yes = grow_node(g, depth - 1, cover * (1.0 - third) * share);
    no = grow_node(g, depth - 1, cover * (1.0 - third) * (1.0 - share));
    t->node[at].yes = yes;
    t->node[at].no = no;
    t->node[at].missing = asc_stream_below(g->s, 2) ? yes : no;
    if (ends) {
        const uint32_t leaf = (uint32_t)t->n_nodes++;

        if (t->cover)
            t->cover[leaf] = cover * third;
        t->node[at].missing =
            grow_leaf(g, leaf, !(g->plan->no_answer && third == 0.0));
    }
    return at;
}

static inline asc_model *
random_forest(const char *fields, const struct forest_plan *plan,
              struct asc_stream *s)
{
    struct grower g = { .plan = plan, .s = s, .m = model_begin(fields) };
    asc_model *m = g.m;
    struct asci_ensemble *f = &m->u.ensemble;
    const size_t most = (size_t)3 << plan->depth;
    size_t j;

    if (plan->plain)
        add_plain_columns(m, NAN);
    else
        add_rich_columns(m, g.category);
    m->form = ASC_FORM_ENSEMBLE;
    m->n_raw = f->n_raw = plan->n_raw;
    f->n_columns = m->encoder.n;
    f->scale = 0.75;
    f->base = calloc(f->n_raw, sizeof *f->base);
    random_numbers(s, f->base, f->n_raw, 1.0);
    f->tree = calloc(plan->n_trees, sizeof *f->tree);
    for (j = 0; j < plan->n_trees; j++) {
        struct asci_tree *t = g.t = &f->tree[j];

        t->width = plan->width;
        t->first = plan->width == 1 ? j % plan->n_raw : 0;
        t->node = calloc(most, sizeof *t->node);
        t->value = calloc(most * t->width, sizeof *t->value);
        if (!plan->no_covers)
            t->cover = calloc(most, sizeof *t->cover);
        grow_node(&g, plan->depth, 64.0);
        t->node = realloc(t->node, t->n_nodes * sizeof *t->node);
        f->n_trees++;
    }
    return m;
}

/* x (n, d), on a grid half of the time, so that values meet thresholds. */
static inline double *
random_rows(const asc_model *m, size_t n, double missing,
            struct asc_stream *s)
{
    const size_t d = m->schema.n;
    double *x = malloc((n * d + 1) * sizeof *x);
    size_t i, j;

    for (i = 0; i < n; i++)
        for (j = 0; j < d; j++) {
            const struct asc_field *f = &m->schema.field[j];
            double *v = &x[i * d + j];

            if (f->kind == ASC_CATEGORICAL)
                *v = (double)asc_stream_below(s, f->n_categories + 1);
            else
                *v = asc_stream_below(s, 2) ? on_grid(s)
                                            : asc_stream_normal(s);
            if (asc_stream_uniform(s) < missing)
                *v = NAN;
        }
    return x;
}

/* ---- trees by hand ---- */

struct planted {
    int column;                 /* -1: a leaf */
    double number;              /* threshold, or value */
    uint32_t yes, no;
    double cover;
};

/* One tree of tests column <= threshold over plain continuous fields; missing
 * goes with no. */
static inline asc_model *
plant_tree(const char *fields, const struct planted *node, size_t n,
           int covers)
{
    asc_model *m = model_begin(fields);
    struct asci_ensemble *f = &m->u.ensemble;
    struct asci_tree *t;
    size_t i;

    add_plain_columns(m, NAN);
    m->form = ASC_FORM_ENSEMBLE;
    m->n_raw = f->n_raw = f->n_trees = 1;
    f->n_columns = m->encoder.n;
    f->scale = 1.0;
    f->base = calloc(1, sizeof *f->base);
    t = f->tree = calloc(1, sizeof *f->tree);
    t->n_nodes = n;
    t->width = 1;
    t->node = calloc(n, sizeof *t->node);
    t->value = calloc(n, sizeof *t->value);
    if (covers)
        t->cover = calloc(n, sizeof *t->cover);
    for (i = 0; i < n; i++) {
        if (covers)
            t->cover[i] = node[i].cover;
        if (node[i].column < 0) {
            t->node[i].leaf = (uint32_t)t->n_leaves;
            t->value[t->n_leaves++] = node[i].number;
            continue;
        }
        t->node[i].test = ASCI_LESS_EQUAL;
        t->node[i].column = (uint32_t)node[i].column;
        t->node[i].threshold = node[i].number;
        t->node[i].yes = node[i].yes;
        t->node[i].no = t->node[i].missing = node[i].no;
    }
    return m;
}

/* Tree B of the worked examples, before model_end. */
static inline asc_model *
plant_tree_b(int covers)
{
    static const struct planted node[] = {
        { 0, 0.5, 1, 6, 10 },
        { 1, 0.5, 2, 3, 6 }, { -1, 0, 0, 0, 2 },
        { 2, 0.5, 4, 5, 4 }, { -1, 4, 0, 0, 3 }, { -1, 12, 0, 0, 1 },
        { 0, 0.8, 7, 8, 4 }, { -1, 10, 0, 0, 1 }, { -1, 20, 0, 0, 3 }
    };

    return plant_tree("xxx", node, sizeof node / sizeof *node, covers);
}

/* ---- by definition ---- */

/* phi (d) of the game v (2^d), bit j of the index for player j: the mean of
 * v(S + j) - v(S) with the weight of S, |S|! (d - |S| - 1)! / d!. */
static inline void
shapley_by_definition(const double *v, size_t d, double *phi)
{
    double weight[64];
    size_t s, j;

    for (s = 0; s < d; s++)
        weight[s] = tgamma((double)s + 1.0) * tgamma((double)(d - s)) /
                    tgamma((double)d + 1.0);
    for (j = 0; j < d; j++) {
        phi[j] = 0.0;
        for (s = 0; s < (size_t)1 << d; s++)
            if (!(s >> j & 1))
                phi[j] += weight[__builtin_popcountll(s)] *
                          (v[s | (size_t)1 << j] - v[s]);
    }
}

#endif
