/* test_fit_gbm.c -- boosted trees: every split against all possible ones, by
 * enumeration; leaves, covers and scores by their formulas; and the properties
 * that must hold for any table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "growing.h"
#include "shared.h"

/* ---- all splits there are ---- */

struct problem {
    const struct asc_training *t;
    const double *g, *h;        /* (t->n) */
    double lambda, gamma, min_child;
};

/* Gain of sending the rows with side[i] = 1 one way and 0 the other (2: not
 * in the node), or -1 where a side is too small. */
static double
slope_gain(const struct problem *q, const unsigned char *side)
{
    double g[2] = { 0 }, h[2] = { 0 };
    size_t i, n[2] = { 0 };

    for (i = 0; i < q->t->n; i++)
        if (side[i] < 2) {
            g[side[i]] += q->g[i];
            h[side[i]] += q->h[i];
            n[side[i]]++;
        }
    if (!n[0] || !n[1] || h[0] < q->min_child || h[1] < q->min_child)
        return -1.0;
    return 0.5 * (g[0] * g[0] / (h[0] + q->lambda) +
                  g[1] * g[1] / (h[1] + q->lambda) -
                  (g[0] + g[1]) * (g[0] + g[1]) /
                  (h[0] + h[1] + q->lambda)) - q->gamma;
}

/* The largest gain of any split of the rows in[i] = 1 by one field: every
 * threshold, every subset of categories, the missing on either side. */
static double
best_slope_gain(const struct problem *q, const unsigned char *in)
{
    const size_t n = q->t->n, d = q->t->schema.n;
    unsigned char *side = malloc(n);
    double best = -1.0;
    size_t i, j, k;

    for (j = 0; j < d; j++) {
        const size_t c = q->t->schema.field[j].n_categories;
        const size_t cuts = c ? (size_t)1 << c : n;

        for (k = 0; k < cuts; k++) {
            const double limit = c ? 0.0 : q->t->x[k * d + j];
            size_t missing;

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
                best = fmax(best, slope_gain(q, side));
            }
        }
    }
    free(side);
    return best;
}

/* Holds a tree against all splits: each inner node has the largest gain there
 * is, each leaf its value, and no gain left if it might have been split. */
static void
check_tree(const struct problem *q, const asc_model *m, size_t tree,
           double rate, size_t depth)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const struct asci_tree *t = &f->tree[tree];
    const size_t n = q->t->n, d = q->t->schema.n;
    uint32_t *at = calloc(n, sizeof *at);
    unsigned char *in = malloc(n), *side = malloc(n);
    size_t *level = calloc(t->n_nodes, sizeof *level), i, v;

    for (v = 0; v < t->n_nodes; v++) {
        const struct asci_node *p = &t->node[v];
        double g = 0.0, h = 0.0, w = 0.0, best;

        for (i = 0; i < n; i++) {
            in[i] = at[i] == v;
            if (!in[i])
                continue;
            g += q->g[i];
            h += q->h[i];
            w += asci_fit_weight(q->t, i);
        }
        assert_near(t->cover[v], w, 1e-12);
        best = best_slope_gain(q, in);
        if (p->test == ASCI_LEAF) {
            assert_near(t->value[p->leaf], -rate * g / (h + q->lambda),
                        1e-11);
            assert_true(level[v] <= depth);
            if (level[v] < depth)
                assert_true(best <= 1e-8 * (1.0 + g * g / (h + q->lambda)));
            continue;
        }
        level[p->yes] = level[p->no] = level[v] + 1;
        for (i = 0; i < n; i++) {
            side[i] = 2;
            if (!in[i])
                continue;
            at[i] = follow(f, p, q->t->x[i * d + p->column]);
            side[i] = at[i] == p->yes;
        }
        assert_near(slope_gain(q, side), best, 1e-9);
        assert_true(p->missing == p->yes || p->missing == p->no);
    }
    free(level);
    free(side);
    free(in);
    free(at);
}

/* Gradients by their formulas at scores f (k, n). */
static void
derivatives(const struct asc_training *t, size_t k, const double *f,
            size_t score, double *g, double *h)
{
    const int classes = t->target.kind == ASC_CATEGORICAL;
    size_t i, r;

    for (i = 0; i < t->n; i++) {
        const double w = asci_fit_weight(t, i);

        if (!classes) {
            g[i] = w * (f[i] - t->y[i]);
            h[i] = w;
        } else if (k == 1) {
            const double p = 1.0 / (1.0 + exp(-f[i]));

            g[i] = w * (p - t->y[i]);
            h[i] = w * p * (1.0 - p);
        } else {
            double sum = 0.0, p;

            for (r = 0; r < k; r++)
                sum += exp(f[r * t->n + i]);
            p = exp(f[score * t->n + i]) / sum;
            g[i] = w * (p - (t->y[i] == (double)score));
            h[i] = w * p * (1.0 - p) * (double)k / (double)(k - 1);
        }
    }
}

static void
enumeration(void **state)
{
    static const struct {
        const char *spec;
        double lambda, gamma, min_child, rate;
        int mixed;
    } cases[] = {
        { "gbm:depth=1:trees=3:lambda=0:min-child=0:min-category=0:rate=1",
          0.0, 0.0, 0.0, 1.0, 1 },
        { "gbm:depth=3:trees=2:min-child=0:min-category=0:rate=0.5",
          1.0, 0.0, 0.0, 0.5, 1 },
        { "gbm:depth=4:trees=2:min-child=0:min-category=0:gamma=0.7",
          1.0, 0.7, 0.0, 0.1, 1 },
        { "gbm:depth=5:trees=2:min-child=2:lambda=0.1", 0.1, 0.0, 2.0, 0.1,
          0 },
        { "gbm:depth=2:trees=4:min-child=0.5:lambda=30:rate=0.3", 30.0, 0.0,
          0.5, 0.3, 0 }
    };
    static const size_t classes[] = { 0, 2, 3 };
    enum { N = 70 };
    size_t c, l, i, r, tree, seed;

    (void)state;
    for (c = 0; c < sizeof cases / sizeof *cases; c++)
        for (l = 0; l < 3; l++)
            for (seed = 1; seed <= 3; seed++) {
                struct asc_training t = random_table(100 * seed + l, N,
                                                     classes[l],
                                                     cases[c].mixed);
                asc_model *m = must_train(&t, cases[c].spec);
                const struct asci_ensemble *f = &m->u.ensemble;
                double g[N], h[N], score[3 * N], start[3 * N];
                struct problem q = { &t, g, h, cases[c].lambda,
                                     cases[c].gamma, cases[c].min_child };
                const size_t k = f->n_raw;
                size_t depth = 0;

                sscanf(cases[c].spec, "gbm:depth=%zu", &depth);
                assert_int_equal(k, classes[l] == 3 ? 3 : 1);
                assert_true(f->scale == 1.0 && !f->single);
                for (r = 0; r < k; r++)
                    for (i = 0; i < N; i++)
                        score[r * N + i] = f->base[r];
                for (tree = 0; tree < f->n_trees; tree++) {
                    const size_t at = tree % k;

                    if (at == 0)
                        memcpy(start, score, sizeof start);
                    assert_int_equal(f->tree[tree].first, at);
                    derivatives(&t, k, start, at, g, h);
                    check_tree(&q, m, tree, cases[c].rate, depth);
                    for (i = 0; i < N; i++)
                        score[at * N + i] += tree_value(f, &f->tree[tree],
                                                        t.x + i * D);
                }
                asc_model_free(m);
                asc_training_free(&t);
            }
}

/* ---- by hand ---- */

static struct asc_training
four_rows(void)
{
    struct asc_training t = training_new(4, 1);
    size_t i;

    schema_number(&t.schema, "x");
    for (i = 0; i < 4; i++) {
        t.x[i] = (double)i + 1.0;
        t.y[i] = i < 2 ? 0.0 : 10.0;
    }
    return t;
}

/* y = 0 0 10 10 at x = 1 2 3 4: mean 5, g = 5 5 -5 -5, h = 1.  Cut in the
 * middle: G = 10 and -10, H = 2; lambda 0: leaves -5 and 5, gain 50; lambda 1:
 * leaves -10/3 and 10/3, gain 100/3. */
static void
by_hand(void **state)
{
    struct asc_training t = four_rows();
    asc_model *m;
    const struct asci_tree *tree;
    double *y;
    size_t i;

    (void)state;
    m = must_train(&t, "gbm:trees=1:rate=1:lambda=0");
    assert_int_equal(m->u.ensemble.n_trees, 1);
    assert_true(m->u.ensemble.base[0] == 5.0);
    tree = &m->u.ensemble.tree[0];
    assert_int_equal(tree->n_nodes, 3);
    assert_int_equal(tree->node[0].test, ASCI_LESS);
    assert_true(tree->node[0].threshold == 2.5);
    assert_true(tree->cover[0] == 4.0 && tree->cover[1] == 2.0);
    y = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < 4; i++)
        assert_true(y[i] == t.y[i]);
    /* no missing values seen: they follow the larger side, here the first */
    assert_int_equal(tree->node[0].missing, tree->node[0].yes);
    assert_true(isnan(m->schema.field[0].replacement));
    free(y);
    asc_model_free(m);
    m = must_train(&t, "gbm:trees=1:rate=0.1");
    assert_digits(m->u.ensemble.tree[0].value[0], -1.0 / 3.0, 1e-15);
    assert_digits(m->u.ensemble.tree[0].value[1], 1.0 / 3.0, 1e-15);
    asc_model_free(m);
    m = must_train(&t, "gbm:trees=1:gamma=33.33");
    assert_int_equal(m->u.ensemble.tree[0].n_nodes, 3);
    asc_model_free(m);
    m = must_train(&t, "gbm:trees=1:gamma=33.34");
    assert_int_equal(m->u.ensemble.tree[0].n_nodes, 1);
    asc_model_free(m);
    m = must_train(&t, "gbm:trees=1:min-child=3");
    assert_int_equal(m->u.ensemble.tree[0].n_nodes, 1);
    asc_model_free(m);
    asc_training_free(&t);

    /* two classes: base log(3/1) for the second; p = 3/4, h = 3/16; x < 1.5
     * apart: leaves -(3/4)/(3/16) = -4 and (3/4)/(9/16) = 4/3 */
    t = four_rows();
    training_classes(&t, "no,yes");
    for (i = 0; i < 4; i++)
        t.y[i] = i > 0;
    m = must_train(&t, "gbm:trees=1:rate=1:lambda=0:min-child=0");
    assert_digits(m->u.ensemble.base[0], log(3.0), 1e-15);
    tree = &m->u.ensemble.tree[0];
    assert_true(tree->node[0].threshold == 1.5);
    assert_digits(tree->value[tree->node[tree->node[0].yes].leaf], -4.0,
                  1e-14);
    assert_digits(tree->value[tree->node[tree->node[0].no].leaf], 4.0 / 3.0,
                  1e-14);
    y = outputs_of(m, ASC_RAW, &t);
    assert_digits(y[0], 4.0 - log(3.0), 1e-14);
    assert_digits(y[1], log(3.0) - 4.0, 1e-14);
    free(y);
    asc_model_free(m);
    asc_training_free(&t);
}

/* Missing values go where they gain, alone if that is best; unknown and rare
 * categories go with them. */
static void
missing_values(void **state)
{
    struct asc_training t = training_new(40, 1);
    asc_model *m;
    const struct asci_node *root;
    double *y;
    size_t i;

    (void)state;
    schema_number(&t.schema, "x");
    for (i = 0; i < 40; i++) {
        t.x[i] = i < 10 ? NAN : (double)i;
        t.y[i] = i < 10 || i >= 25;
    }
    m = must_train(&t, "gbm:trees=1:depth=1:rate=1:lambda=0");
    root = &m->u.ensemble.tree[0].node[0];
    assert_true(root->threshold == 24.5);
    assert_int_equal(root->missing, root->no);
    asc_model_free(m);
    for (i = 0; i < 40; i++)
        t.y[i] = i < 10;
    m = must_train(&t, "gbm:trees=1:depth=1:rate=1:lambda=0");
    root = &m->u.ensemble.tree[0].node[0];
    assert_int_equal(root->missing, root->no);
    assert_true(root->threshold > 1e300);
    y = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < 40; i++)
        assert_near(y[i], t.y[i], 1e-12);
    free(y);
    asc_model_free(m);
    asc_training_free(&t);

    /* 12 a (0), 15 b (1), 3 c (1) and 10 missing (0): c is too rare to be
     * told from the missing ones; undeclared ones are missing */
    t = training_new(40, 1);
    schema_category(&t.schema, "c", "a,b,c,d");
    t.schema.field[0].invalid = ASC_INVALID_MISSING;
    for (i = 0; i < 40; i++) {
        t.x[i] = i < 12 ? 0.0 : i < 27 ? 1.0 : i < 30 ? 2.0 : NAN;
        t.y[i] = i >= 12 && i < 30;
    }
    m = must_train(&t, "gbm:trees=1:depth=1:rate=1:lambda=0");
    root = &m->u.ensemble.tree[0].node[0];
    assert_int_equal(root->test, ASCI_IN_SET);
    assert_int_equal(root->set_bits, 4);
    for (i = 0; i < 4; i++)
        assert_int_equal(follow(&m->u.ensemble, root, (double)i) ==
                         follow(&m->u.ensemble, root, 1.0), i == 1);
    assert_int_equal(root->missing, follow(&m->u.ensemble, root, 2.0));
    assert_int_equal(root->missing, follow(&m->u.ensemble, root, 3.0));
    assert_int_equal(m->schema.field[0].invalid, ASC_INVALID_MISSING);
    asc_model_free(m);
    m = must_train(&t, "gbm:trees=1:depth=1:rate=1:lambda=0:min-category=3");
    root = &m->u.ensemble.tree[0].node[0];
    assert_int_equal(follow(&m->u.ensemble, root, 1.0),
                     follow(&m->u.ensemble, root, 2.0));
    assert_int_not_equal(root->missing, follow(&m->u.ensemble, root, 2.0));
    assert_int_equal(root->missing, follow(&m->u.ensemble, root, 3.0));
    asc_model_free(m);
    asc_training_free(&t);
}

/* Nothing missing: what is unknown goes with the larger side. */
static void
unseen_categories(void **state)
{
    struct asc_training t = training_new(40, 1);
    size_t yes, i;

    (void)state;
    schema_category(&t.schema, "c", "a,b,c");
    for (yes = 0; yes < 2; yes++) {
        const struct asci_node *root;
        asc_model *m;

        for (i = 0; i < 40; i++) {
            t.x[i] = i < 15 ? 0.0 : 1.0;
            t.y[i] = (i < 15) ^ yes;
        }
        m = must_train(&t, "gbm:trees=1:depth=1");
        root = &m->u.ensemble.tree[0].node[0];
        assert_int_not_equal(follow(&m->u.ensemble, root, 0.0),
                             follow(&m->u.ensemble, root, 1.0));
        assert_int_equal(follow(&m->u.ensemble, root, 2.0),
                         follow(&m->u.ensemble, root, 1.0));
        assert_int_equal(root->missing, follow(&m->u.ensemble, root, 1.0));
        asc_model_free(m);
    }
    asc_training_free(&t);
}

/* ---- properties ---- */

static double
loss_of(const struct asc_training *t, size_t k, const double *f)
{
    double sum = 0.0;
    size_t i, r;

    for (i = 0; i < t->n; i++) {
        double top = 0.0, one = 0.0;

        if (t->target.kind != ASC_CATEGORICAL)
            one = 0.5 * pow(f[i] - t->y[i], 2.0);
        else if (k == 1)
            one = log(1.0 + exp(t->y[i] > 0.5 ? -f[i] : f[i]));
        else {
            for (r = 0; r < k; r++)
                top += exp(f[r * t->n + i]);
            one = log(top) - f[(size_t)t->y[i] * t->n + i];
        }
        sum += asci_fit_weight(t, i) * one;
    }
    return sum;
}

/* Each round lowers the loss on the training rows, and the model's answers are
 * base + sum of its trees. */
static void
loss_falls(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    enum { N = 300 };
    double score[3 * N], *y;
    size_t l, i, r, tree;

    (void)state;
    for (l = 0; l < 3; l++) {
        struct asc_training t = random_table(5 + l, N, classes[l], 1);
        asc_model *m = must_train(&t, "gbm:trees=40");
        const struct asci_ensemble *f = &m->u.ensemble;
        const size_t k = f->n_raw;
        double last;

        assert_int_equal(f->n_trees, 40 * k);
        for (r = 0; r < k; r++)
            for (i = 0; i < N; i++)
                score[r * N + i] = f->base[r];
        last = loss_of(&t, k, score);
        for (tree = 0; tree < f->n_trees; tree++) {
            const struct asci_tree *p = &f->tree[tree];

            for (i = 0; i < N; i++)
                score[tree % k * N + i] += tree_value(f, p, t.x + i * D);
            if (tree % k == k - 1) {
                const double now = loss_of(&t, k, score);

                assert_true(now < last);
                last = now;
            }
            for (i = 0; i < p->n_nodes; i++)
                if (p->node[i].test != ASCI_LEAF)
                    assert_true(p->cover[i] == p->cover[p->node[i].yes] +
                                p->cover[p->node[i].no]);
        }
        y = outputs_of(m, ASC_RAW, &t);
        for (i = 0; i < N; i++)
            if (classes[l] == 2) {
                assert_near(y[2 * i + 1], score[i], 1e-12);
                assert_near(y[2 * i], -score[i], 1e-12);
            } else {
                for (r = 0; r < k; r++)
                    assert_near(y[k * i + r], score[r * N + i], 1e-12);
            }
        free(y);
        asc_model_free(m);
        asc_training_free(&t);
    }
}

static void
seeds_and_order(void **state)
{
    static const char drawn[] = "gbm:trees=10:subsample=0.6:columns=0.5";
    struct asc_training t = random_table(8, 400, 2, 1), u;
    size_t row[400], i;
    asc_model *m, *other;

    (void)state;
    for (i = 0; i < 400; i++)
        row[i] = (i * 171 + 9) % 400;
    u = training_pick(&t, row, 400, 1);
    m = must_train(&t, "gbm:trees=10");
    other = must_train(&u, "gbm:trees=10");
    assert_true(same_trees(m, other));
    asc_model_free(other);
    other = must_train(&t, "gbm:trees=10:seed=5");
    assert_true(same_trees(m, other));  /* nothing is drawn */
    asc_model_free(other);
    asc_model_free(m);
    m = must_train(&t, drawn);
    other = must_train(&u, drawn);
    assert_true(same_trees(m, other));
    asc_model_free(other);
    other = must_train(&t, "gbm:trees=10:subsample=0.6:columns=0.5:seed=2");
    assert_false(same_trees(m, other));
    asc_model_free(other);
    /* covers count all rows, drawn or not */
    for (i = 0; i < m->u.ensemble.n_trees; i++) {
        double sum = 0.0;
        size_t k;

        for (k = 0; k < 400; k++)
            sum += t.weight[k];
        assert_near(m->u.ensemble.tree[i].cover[0], sum, 1e-12);
    }
    asc_model_free(m);
    asc_training_free(&t);
    asc_training_free(&u);
}

/* Half of three fields drawn for each round: a tree uses at most two. */
static void
drawn_columns(void **state)
{
    struct asc_training t = random_table(21, 300, 0, 0);
    asc_model *m = must_train(&t, "gbm:trees=30:columns=0.4");
    size_t tree, i, j, ever[D] = { 0 };

    (void)state;
    for (tree = 0; tree < m->u.ensemble.n_trees; tree++) {
        const struct asci_tree *p = &m->u.ensemble.tree[tree];
        size_t used[D] = { 0 }, n = 0;

        for (i = 0; i < p->n_nodes; i++)
            if (p->node[i].test != ASCI_LEAF)
                used[p->node[i].column] = ever[p->node[i].column] = 1;
        for (j = 0; j < D; j++)
            n += used[j];
        assert_true(n <= 2);
    }
    for (j = 0; j < D; j++)
        assert_true(ever[j]);
    asc_model_free(m);
    asc_training_free(&t);
}

/* A weight of 2 is the row twice. */
static void
weights(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    size_t l, i, row[300], n;

    (void)state;
    for (l = 0; l < 3; l++) {
        struct asc_training t = random_table(60 + l, 150, classes[l], 1), u;
        asc_model *m, *m2;
        double *y, *y2;

        n = 0;
        for (i = 0; i < 150; i++) {
            t.weight[i] = i % 3 ? 1.0 : 2.0;
            row[n++] = i;
            if (i % 3 == 0)
                row[n++] = i;
        }
        u = training_pick(&t, row, n, 0);
        for (i = 0; i < n; i++)
            u.weight[i] = 1.0;
        m = must_train(&t, "gbm:trees=20");
        m2 = must_train(&u, "gbm:trees=20");
        y = outputs_of(m, ASC_RAW, &t);
        y2 = outputs_of(m2, ASC_RAW, &t);
        for (i = 0; i < 150 * m->n_outputs; i++)
            assert_near(y2[i], y[i], 1e-9);
        free(y);
        free(y2);
        asc_model_free(m);
        asc_model_free(m2);
        asc_training_free(&t);
        asc_training_free(&u);
    }
}

/* ---- rows held out ---- */

/* Mean loss of the rows of t that are held out, on scores of the model. */
static double
mean_loss(const asc_model *m, const struct asc_training *t,
          const unsigned char *held)
{
    double *y = outputs_of(m, ASC_RAW, t);
    const size_t k = m->u.ensemble.n_raw, q = m->n_outputs;
    double sum = 0.0, weight = 0.0;
    size_t i, r;

    for (i = 0; i < t->n; i++) {
        struct asc_training u = *t;     /* of this row alone */
        double one[3];

        if (!held[i])
            continue;
        for (r = 0; r < k; r++)
            one[r] = y[q * i + (q == 2 ? 1 : r)];
        u.n = 1;
        u.y = t->y + i;
        u.weight = NULL;
        /* half the squares, as loss_of has them */
        sum += t->weight[i] * loss_of(&u, k, one) *
               (t->target.kind == ASC_CATEGORICAL ? 1.0 : 2.0);
        weight += t->weight[i];
    }
    free(y);
    return sum / weight;
}

struct said {
    char line[300];
    size_t n;
};

static void
listen(void *context, int detail, const char *line)
{
    struct said *s = context;

    (void)detail;
    snprintf(s->line, sizeof s->line, "%s", line);
    s->n++;
}

/* The rows held out: those with the smallest draws of streams keyed by their
 * ids. */
static size_t
hold_out(const struct asc_training *t, uint64_t seed, double share,
         unsigned char *held)
{
    const size_t n = (size_t)(share * (double)t->n + 0.5);
    uint64_t *bits = malloc(t->n * sizeof *bits);
    size_t i, j, before;

    for (i = 0; i < t->n; i++) {
        struct asc_stream s;

        asc_stream_start(&s, seed, "gbm held out", t->ids.p + t->id[i],
                         t->id_length[i]);
        bits[i] = asc_stream_bits(&s);
    }
    for (i = 0; i < t->n; i++) {
        for (before = 0, j = 0; j < t->n; j++)
            before += bits[j] < bits[i];
        held[i] = before < n;
    }
    free(bits);
    return n;
}

/* The model of the other rows, of as many rounds as have the least loss on
 * those held out before `patience` rounds are no better: to the bit. */
static void
early_stop(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    enum { N = 240, ROUNDS = 60, PATIENCE = 6 };
    size_t l, i, n, row[N], n_held, best, round;
    unsigned char held[N];

    (void)state;
    for (l = 0; l < 3; l++) {
        struct asc_training t = random_table(15 + l, N, classes[l], 1), u;
        struct said said = { .n = 0 };
        const struct asc_fitting how = { .say = listen, .context = &said };
        struct asc_error e;
        asc_model *m = train_so(&t, "gbm:trees=60:rate=0.3:held-out=0.3:"
                                "patience=6:seed=3", &how, &e), *other;
        double least = INFINITY, loss, start = 0.0;
        char spec[100], want[300];

        assert_non_null(m);
        n_held = hold_out(&t, 3, 0.3, held);
        for (n = 0, i = 0; i < N; i++)
            if (!held[i])
                row[n++] = i;
        assert_int_equal(n + n_held, N);
        u = training_pick(&t, row, n, 1);
        for (best = 0, round = 1; round <= ROUNDS; round++) {
            snprintf(spec, sizeof spec, "gbm:rate=0.3:trees=%zu", round);
            other = must_train(&u, spec);
            loss = mean_loss(other, &t, held);
            if (round == 1) {
                /* without trees: the base alone */
                for (i = 0; i < other->u.ensemble.n_trees; i++)
                    memset(other->u.ensemble.tree[i].value, 0,
                           other->u.ensemble.tree[i].n_leaves *
                           sizeof(double));
                start = mean_loss(other, &t, held);
            }
            asc_model_free(other);
            if (loss < least) {
                least = loss;
                best = round;
            }
            if (round - best >= PATIENCE)
                break;
        }
        assert_true(best < ROUNDS - PATIENCE);
        snprintf(spec, sizeof spec, "gbm:rate=0.3:trees=%zu", best);
        other = must_train(&u, spec);
        assert_true(same_trees(m, other));
        asc_model_free(other);
        snprintf(want, sizeof want, "gbm: %zu of %zu rounds are kept, which "
                 "have the least %s on 72 rows held out, %.4g (%.4g before "
                 "the first)", best, best + PATIENCE,
                 classes[l] ? "log loss" : "squared error", least, start);
        assert_int_equal(said.n, 1);
        assert_string_equal(said.line, want);
        asc_model_free(m);
        asc_training_free(&t);
        asc_training_free(&u);
    }
}

/* All the rounds there are, if patience does not end; fewer rows than one held
 * out are refused. */
static void
no_early_stop(void **state)
{
    struct asc_training t = random_table(9, 100, 2, 1);
    struct asc_error e = { 0 };
    asc_model *m = must_train(&t, "gbm:trees=40:held-out=0.1:patience=1000:"
                              "rate=0.001");

    (void)state;
    assert_int_equal(m->u.ensemble.n_trees, 40);
    asc_model_free(m);
    assert_null(train(&t, "gbm:held-out=0.001", &e));
    assert_string_equal(e.text, "gbm: held-out=0.001: that is none of 100 "
                        "rows");
    assert_int_equal(e.status, ASC_EUSAGE);
    asc_training_free(&t);
}

/* Growing stops when no split gains anything: the mean says it all. */
static void
nothing_to_split(void **state)
{
    struct asc_training t = four_rows();
    asc_model *m;
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++)
        t.x[i] = 3.0;
    m = must_train(&t, "gbm");
    assert_int_equal(m->u.ensemble.n_trees, 1);
    assert_int_equal(m->u.ensemble.tree[0].n_nodes, 1);
    assert_true(m->u.ensemble.base[0] == 5.0);
    assert_near(m->u.ensemble.tree[0].value[0], 0.0, 1e-15);
    asc_model_free(m);
    asc_training_free(&t);
}

/* ---- bins ---- */

static void
bins(void **state)
{
    enum { N = 20000, MAX = 100 };
    struct asc_training t = training_new(N, 1);
    struct asci_bins b;
    struct asc_error e = { 0 };
    size_t *order = malloc(N * sizeof *order), i, k;
    double count[MAX + 1] = { 0 };
    uint64_t s = 12;

    (void)state;
    schema_number(&t.schema, "x");
    for (i = 0; i < N; i++) {
        order[i] = N - 1 - i;
        /* a tenth of the rows share one value */
        t.x[i] = uniform(&s) < 0.1 ? 0.25 : normal(&s);
        if (i % 50 == 0)
            t.x[i] = NAN;
    }
    assert_int_equal(asci_bins_init(&b, &t, 0, order, N, MAX, &e), ASC_OK);
    assert_int_equal(b.n_bins, MAX);
    assert_non_null(b.narrow);
    for (i = 0; i < N; i++) {
        const double x = t.x[order[i]];

        k = b.narrow[i];
        count[k] += 1.0;
        if (isnan(x))
            assert_int_equal(k, MAX);
        else
            assert_true(k < MAX && b.low[k] <= x && x <= b.high[k]);
    }
    for (k = 0; k < MAX; k++) {
        assert_true(k == 0 || b.high[k - 1] < b.low[k]);
        if (b.low[k] == 0.25) {
            assert_true(b.high[k] == 0.25);
            assert_true(count[k] > 1800.0);
        } else {
            /* the rest are shared out: 17,600 rows over 99 bins */
            assert_true(count[k] > 120.0 && count[k] < 240.0);
        }
    }
    assert_true(count[MAX] == N / 50);
    asci_bins_free(&b);
    free(order);
    asc_training_free(&t);
}

/* More categories than a byte holds. */
static void
many_categories(void **state)
{
    enum { N = 9000, K = 300 };
    struct asc_training t = training_new(N, 1);
    struct asc_buffer names = { 0 };
    asc_model *m;
    double *y;
    size_t i;

    (void)state;
    for (i = 0; i < K; i++)
        asc_buffer_print(&names, "%sc%zu", i ? "," : "", i);
    asc_buffer_char(&names, '\0');
    schema_category(&t.schema, "c", names.p);
    for (i = 0; i < N; i++) {
        t.x[i] = (double)(i % K);
        t.y[i] = i % K * 7919 % 13 < 5;
    }
    m = must_train(&t, "gbm:trees=1:depth=1:rate=1:lambda=0");
    y = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < N; i++)
        assert_near(y[i], t.y[i], 1e-10);
    free(y);
    asc_model_free(m);
    asc_buffer_free(&names);
    asc_training_free(&t);
}

/* ---- real tables ---- */

/* Seven tenths to learn from, the others to be told apart: better than the
 * larger class, and the order of rows better than chance by far. */
static void
real_tables(void **state)
{
    static const struct {
        const char *file, *target, *categorical, *drop;
        double area;            /* at least; 0: more than two classes */
    } cases[] = {
        { "data/shippable/mortgage.tsv", "denied", NULL, NULL, 0.75 },
        { "data/tables/wdbc.tsv", "diagnosis", NULL, NULL, 0.95 },
        { "data/tables/titanic.tsv", "Survived", "Survived", NULL, 0.80 },
        { "data/tables/iris.tsv", "species", NULL, NULL, 0.0 },
        { "data/tables/wine.tsv", "cultivar", NULL, NULL, 0.0 }
    };
    static const char *const spec[] = { "logistic", "gbm", "mlp", "forest",
                                        "tree:cp=0:loss=brier:folds=10" };
    size_t c, s, i, k, seen = 0;

    (void)state;
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct asc_training_options p = {
            .target = cases[c].target, .categorical = cases[c].categorical,
            .drop = cases[c].drop
        };
        struct asc_training all, part[2];
        struct asc_error e = { 0 };
        size_t *row, n[2] = { 0 };
        char path[4096];

        if (!shared_path(cases[c].file, path, sizeof path))
            continue;
        seen++;
        if (asc_training_read(path, NULL, &p, &all, &e))
            fail_msg("%s", e.text);
        row = malloc(2 * all.n * sizeof *row);
        for (i = 0; i < all.n; i++) {
            k = asc_hash(all.ids.p + all.id[i], all.id_length[i]) % 10 >= 7;
            row[k * all.n + n[k]++] = i;
        }
        for (k = 0; k < 2; k++)
            part[k] = training_pick(&all, row + k * all.n, n[k], 1);
        for (s = 0; s < sizeof spec / sizeof *spec; s++) {
            asc_model *m = must_train(&part[0], spec[s]);
            double *y = outputs_of(m, ASC_RESPONSE, &part[1]);
            double right = 0.0, count[8] = { 0 }, most = 0.0;
            const size_t q = m->n_outputs;

            for (i = 0; i < n[1]; i++) {
                right += asc_model_winner(m, y + q * i) ==
                         (size_t)part[1].y[i];
                count[(size_t)part[1].y[i]]++;
            }
            for (k = 0; k < q; k++)
                most = fmax(most, count[k]);
            print_message("# %s %s: %.3f right, %.3f by the larger class",
                          cases[c].file, spec[s], right / (double)n[1],
                          most / (double)n[1]);
            if (q == 2)
                print_message(", area %.3f", area(&part[1], y));
            print_message("\n");
            assert_true(right > most);
            /* one tree tells few probabilities apart */
            if (cases[c].area > 0.0 && strncmp(spec[s], "tree", 4))
                assert_true(area(&part[1], y) > cases[c].area);
            free(y);
            asc_model_free(m);
        }
        free(row);
        asc_training_free(&part[0]);
        asc_training_free(&part[1]);
        asc_training_free(&all);
    }
    if (!seen)
        skip();
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(enumeration),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(missing_values),
        cmocka_unit_test(unseen_categories),
        cmocka_unit_test(loss_falls),
        cmocka_unit_test(seeds_and_order),
        cmocka_unit_test(drawn_columns),
        cmocka_unit_test(weights),
        cmocka_unit_test(early_stop),
        cmocka_unit_test(no_early_stop),
        cmocka_unit_test(nothing_to_split),
        cmocka_unit_test(bins),
        cmocka_unit_test(many_categories),
        cmocka_unit_test(real_tables)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
