/* test_fit_tree.c -- decision trees: every split against all possible ones,
 * by enumeration; pruning against all subtrees there are; cross-validation
 * against trees fitted without each part; R's rpart; and the properties that
 * must hold for any table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "growing.h"
#include "lib/fit/cart.h"
#include "seed.h"
#include "shared.h"

/* ---- by hand ---- */

/* y = 1 1 5 5 9 at x = 1 2 3 4 5: mean 4.2, squares about it 44.8.  Cut at
 * 2.5: 0 + 32/3, which is less than elsewhere (at 4.5: 16 + 0).  Then 5 5 9:
 * cut at 4.5, nothing left. */
static void
numbers_by_hand(void **state)
{
    static const double y[] = { 1.0, 1.0, 5.0, 5.0, 9.0 };
    struct asc_training t = training_new(5, 1);
    const struct asci_tree *p;
    asc_model *m;
    double *out;
    size_t i;

    (void)state;
    schema_number(&t.schema, "x");
    for (i = 0; i < 5; i++) {
        t.x[i] = (double)i + 1.0;
        t.y[i] = y[i];
    }
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0");
    assert_int_equal(m->u.ensemble.n_trees, 1);
    assert_true(m->u.ensemble.scale == 1.0 && m->u.ensemble.base[0] == 0.0);
    p = &m->u.ensemble.tree[0];
    assert_int_equal(p->n_nodes, 5);
    assert_int_equal(p->node[0].test, ASCI_LESS);
    assert_true(p->node[0].threshold == 2.5);
    assert_true(p->node[p->node[0].no].threshold == 4.5);
    assert_true(p->cover[0] == 5.0 && p->cover[p->node[0].yes] == 2.0);
    out = outputs_of(m, ASC_RAW, &t);
    for (i = 0; i < 5; i++)
        assert_true(out[i] == y[i]);
    free(out);
    asc_model_free(m);
    /* the root's risk is 44.8; its split saves 34.133, the second 10.667,
     * shares 0.76 and 0.238: weakest link first, then both in one */
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0.2380");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 3);
    asc_model_free(m);
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0.2382");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 2);
    asc_model_free(m);
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0.7618");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 2);
    asc_model_free(m);
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0.762");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 1);
    assert_digits(m->u.ensemble.tree[0].value[0], 4.2, 1e-15);
    asc_model_free(m);
    /* decreases of variance: 34.133 / 5 and 10.667 / 5 */
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0:min-decrease=2.14");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 2);
    asc_model_free(m);
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0:min-decrease=2.13");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 3);
    asc_model_free(m);
    m = must_train(&t, "tree:min-split=4:min-leaf=1:cp=0");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 2);
    asc_model_free(m);
    m = must_train(&t, "tree:min-split=2:min-leaf=3:cp=0");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 1);
    asc_model_free(m);
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0:depth=1");
    assert_int_equal(m->u.ensemble.tree[0].n_leaves, 2);
    asc_model_free(m);
    asc_training_free(&t);
}

/* Breiman's example of why Gini's index and not errors: 400 of each of two
 * classes, a split into (300, 100) and (100, 300), another into (200, 400) and
 * (200, 0); both err on 200, the second is the better one (the book, sec. 4.1;
 * here in units of 100). */
static void
classes_by_hand(void **state)
{
    struct asc_training t = training_new(8, 2);
    const struct asci_tree *p;
    asc_model *m;
    double *out;
    size_t i;

    (void)state;
    schema_number(&t.schema, "first");
    schema_number(&t.schema, "second");
    training_classes(&t, "1,2");
    for (i = 0; i < 8; i++) {
        t.y[i] = i >= 4;
        t.x[2 * i] = i < 3 || i == 4;
        t.x[2 * i + 1] = i < 2;
    }
    m = must_train(&t, "tree:min-split=2:min-leaf=1:depth=1:cp=0");
    p = &m->u.ensemble.tree[0];
    assert_int_equal(p->n_nodes, 3);
    assert_int_equal(p->node[0].column, 1);
    assert_int_equal(m->link, ASCI_LINK_NONE);
    assert_int_equal(m->n_raw, 2);
    out = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < 8; i++) {
        assert_digits(out[2 * i], i < 2 ? 1.0 : 1.0 / 3.0, 1e-15);
        assert_near(out[2 * i + 1], i < 2 ? 0.0 : 2.0 / 3.0, 1e-15);
    }
    free(out);
    asc_model_free(m);
    asc_training_free(&t);
}

/* Nothing to tell apart by: the shares of all rows, by weight. */
static void
no_split(void **state)
{
    struct asc_training t = training_new(4, 1);
    asc_model *m;
    size_t i;

    (void)state;
    schema_number(&t.schema, "x");
    training_classes(&t, "a,b,c");
    training_weigh(&t);
    for (i = 0; i < 4; i++) {
        t.x[i] = 7.0;
        t.y[i] = (double)(i % 3);
        t.weight[i] = i == 3 ? 4.0 : 1.0;
    }
    m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0:loss=brier");
    assert_int_equal(m->u.ensemble.tree[0].n_nodes, 1);
    assert_true(m->u.ensemble.tree[0].cover[0] == 7.0);
    assert_digits(m->u.ensemble.tree[0].value[0], 5.0 / 7.0, 1e-15);
    assert_digits(m->u.ensemble.tree[0].value[2], 1.0 / 7.0, 1e-15);
    asc_model_free(m);
    asc_training_free(&t);
}

/* ---- every split against all there are ---- */

/* Holds a tree against all splits: each inner node has the largest gain there
 * is, each leaf the shares or mean of its rows, and no gain left if it might
 * have been split. */
static void
check_tree(const struct rows *q, const asc_model *m, size_t min_split,
           size_t depth)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const struct asci_tree *t = &f->tree[0];
    const size_t n = q->t->n, d = q->t->schema.n;
    const size_t k = q->t->target.n_categories;
    uint32_t *at = calloc(n, sizeof *at);
    unsigned char *in = malloc(n), *side = malloc(n);
    size_t *level = calloc(t->n_nodes, sizeof *level), i, j, v;

    for (v = 0; v < t->n_nodes; v++) {
        const struct asci_node *p = &t->node[v];
        double weight = 0.0, sum[16] = { 0 }, best = -1.0;
        size_t rows = 0;

        for (i = 0; i < n; i++) {
            in[i] = at[i] == v && q->w[i] > 0.0;
            side[i] = in[i] ? 0 : 2;
            if (!in[i])
                continue;
            rows += q->count[i];
            weight += q->w[i];
            sum[k ? (size_t)q->t->y[i] : 0] += q->w[i] * (k ? 1.0
                                                            : q->t->y[i]);
        }
        assert_near(t->cover[v], weight, 1e-12);
        for (j = 0; j < d; j++)
            best = fmax(best, best_gain_of(q, in, j));
        if (p->test == ASCI_LEAF) {
            for (j = 0; j < t->width; j++)
                assert_near(t->value[p->leaf * t->width + j],
                            sum[j] / weight, 1e-12);
            assert_true(level[v] <= depth && rows >= q->min_leaf);
            if (level[v] < depth && rows >= min_split)
                assert_true(best <= 1e-10 * (1.0 + impurity(q, side, 0)));
            continue;
        }
        assert_true(rows >= min_split);
        level[p->yes] = level[p->no] = level[v] + 1;
        for (i = 0; i < n; i++) {
            if (!in[i])
                continue;
            at[i] = follow(f, p, q->t->x[i * d + p->column]);
            side[i] = at[i] == p->yes;
        }
        assert_near(gain_of(q, side), best, 1e-9);
        assert_true(p->missing == p->yes || p->missing == p->no);
    }
    free(level);
    free(side);
    free(in);
    free(at);
}

static void
enumeration(void **state)
{
    static const struct {
        const char *spec;
        size_t min_split, min_leaf, depth;
        int entropy, mixed;
    } cases[] = {
        { "min-split=2:min-leaf=1:depth=800", 2, 1, 800, 0, 1 },
        { "min-split=2:min-leaf=1:depth=800", 2, 1, 800, 0, 0 },
        { "min-split=2:min-leaf=1:depth=800:criterion=entropy", 2, 1, 800, 1,
          1 },
        { "min-split=12:min-leaf=3:depth=4", 12, 3, 4, 0, 0 },
        { "min-split=9:min-leaf=2:depth=3:criterion=entropy", 9, 2, 3, 1, 0 }
    };
    static const size_t classes[] = { 0, 2, 3 };
    enum { N = 60 };
    double one[N];
    size_t count[N], c, l, i, seed;

    (void)state;
    for (i = 0; i < N; i++) {
        one[i] = 1.0;
        count[i] = 1;
    }
    for (c = 0; c < sizeof cases / sizeof *cases; c++)
        for (l = 0; l < 3; l++)
            for (seed = 1; seed <= 3; seed++) {
                struct asc_training t = random_table(
                    test_seed(100 * seed + l), N, classes[l], cases[c].mixed);
                struct rows q = { &t, t.weight ? t.weight : one, count,
                                  cases[c].entropy, cases[c].min_leaf };
                char spec[200];
                asc_model *m;

                if (classes[l] == 0 && q.entropy) {
                    asc_training_free(&t);
                    continue;
                }
                snprintf(spec, sizeof spec, "tree:cp=0:%s%s", cases[c].spec,
                         classes[l] ? ":loss=brier" : "");
                m = must_train(&t, spec);
                check_tree(&q, m, cases[c].min_split, cases[c].depth);
                asc_model_free(m);
                asc_training_free(&t);
            }
}

/* With a minimum of rows in a leaf, categories are cut in the order of their
 * means: of the divisions that have it, the best need not be one of those
 * cuts, but no cut is better than the one taken. */
static void
categories_with_few_rows(void **state)
{
    static const size_t classes[] = { 0, 2 };
    enum { N = 80 };
    size_t count[N], i, l, seed;

    (void)state;
    for (i = 0; i < N; i++)
        count[i] = 1;
    for (l = 0; l < 2; l++)
        for (seed = 1; seed <= 5; seed++) {
            struct asc_training t = random_table(test_seed(40 + seed), N,
                                                 classes[l], 1);
            struct rows q = { &t, t.weight, count, 0, 8 };
            unsigned char in[N], side[N];
            asc_model *m = must_train(&t, classes[l]
                ? "tree:cp=0:depth=1:min-leaf=8:loss=brier"
                : "tree:cp=0:depth=1:min-leaf=8");
            const struct asci_node *p = m->u.ensemble.tree[0].node;
            double best = -1.0, mine;
            size_t j;

            memset(in, 1, sizeof in);
            for (j = 0; j < D; j++)
                best = fmax(best, best_gain_of(&q, in, j));
            for (i = 0; i < N; i++)
                side[i] = follow(&m->u.ensemble, p, t.x[i * D + p->column]) ==
                          p->yes;
            mine = gain_of(&q, side);
            assert_true(mine > 0.0 && mine <= best * (1.0 + 1e-12));
            for (j = 0; j < D; j++)
                if (t.schema.field[j].kind == ASC_CONTINUOUS)
                    assert_true(mine >= best_gain_of(&q, in, j) *
                                        (1.0 - 1e-12));
            asc_model_free(m);
            asc_training_free(&t);
        }
}

/* The first principal direction of v (n, 3), by many steps of the power
 * method on its 3 by 3 moments. */
static void
principal(const double v[][3], size_t n, double axis[3])
{
    double s[3][3] = { { 0 } };
    size_t i, a, b, step;

    for (i = 0; i < n; i++)
        for (a = 0; a < 3; a++)
            for (b = 0; b < 3; b++)
                s[a][b] += v[i][a] * v[i][b];
    axis[0] = 0.9;
    axis[1] = -0.3;
    axis[2] = 0.1;
    for (step = 0; step < 20000; step++) {
        double next[3] = { 0 }, length = 0.0;

        for (a = 0; a < 3; a++)
            for (b = 0; b < 3; b++)
                next[a] += s[a][b] * axis[b];
        for (a = 0; a < 3; a++)
            length += next[a] * next[a];
        for (a = 0; a < 3; a++)
            axis[a] = next[a] / sqrt(length);
    }
}

/* More than ten categories and more than two classes: the best cut in the
 * order of the first principal component, however the missing go. */
static void
principal_component(void **state)
{
    enum { N = 600, C = 14 };
    struct asc_training t = training_new(N, 1);
    uint64_t s = test_seed(5);
    double sum[C + 1][3] = { { 0 } }, all[3] = { 0 }, one[N], best = -1.0;
    double off[C][3], axis[3], score[C], mine, known = 0.0;
    size_t count[N], order[C], i, j, k, missing;
    unsigned char side[N];
    struct rows q = { &t, one, count, 0, 1 };
    const struct asci_node *p;
    asc_model *m;

    (void)state;
    schema_category(&t.schema, "c", "a,b,c,d,e,f,g,h,i,j,k,l,m,n");
    training_classes(&t, "k0,k1,k2");
    for (i = 0; i < N; i++) {
        const double c = floor(C * uniform(&s)), u = uniform(&s);

        one[i] = 1.0;
        count[i] = 1;
        t.x[i] = uniform(&s) < 0.1 ? NAN : c;
        t.y[i] = u < 0.2 + 0.03 * c ? 0.0 : u < 0.5 + 0.01 * c * c / 5.0
                 ? 1.0 : 2.0;
        sum[isnan(t.x[i]) ? C : (size_t)c][(size_t)t.y[i]] += 1.0;
    }
    for (j = 0; j < C; j++)
        for (k = 0; k < 3; k++) {
            all[k] += sum[j][k];
            known += sum[j][k];
        }
    for (j = 0; j < C; j++) {
        const double n = sum[j][0] + sum[j][1] + sum[j][2];

        for (k = 0; k < 3; k++)
            off[j][k] = sqrt(n) * (sum[j][k] / n - all[k] / known);
    }
    principal(off, C, axis);
    for (j = 0; j < C; j++) {
        const double n = sum[j][0] + sum[j][1] + sum[j][2];

        score[j] = (sum[j][0] * axis[0] + sum[j][1] * axis[1] +
                    sum[j][2] * axis[2]) / n;
    }
    for (j = 0; j < C; j++)
        for (order[j] = 0, k = 0; k < C; k++)
            order[j] += score[k] < score[j];
    for (j = 1; j <= C; j++)
        for (missing = 0; missing < 2; missing++) {
            for (i = 0; i < N; i++)
                side[i] = isnan(t.x[i]) ? (unsigned char)missing
                                        : order[(size_t)t.x[i]] < j;
            best = fmax(best, gain_of(&q, side));
        }
    m = must_train(&t, "tree:depth=1:cp=0:min-leaf=1:loss=brier");
    p = m->u.ensemble.tree[0].node;
    for (i = 0; i < N; i++)
        side[i] = follow(&m->u.ensemble, p, t.x[i]) == p->yes;
    mine = gain_of(&q, side);
    assert_digits(mine, best, 1e-10);
    asc_model_free(m);
    asc_training_free(&t);
}

/* 300 categories of two classes, in no order: all told apart by one split. */
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
    training_classes(&t, "no,yes");
    for (i = 0; i < N; i++) {
        t.x[i] = (double)(i % K);
        t.y[i] = i % K * 7919 % 13 < 5;
    }
    m = must_train(&t, "tree");
    assert_int_equal(m->u.ensemble.tree[0].n_nodes, 3);
    y = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < N; i++)
        assert_true(y[2 * i + 1] == t.y[i]);
    free(y);
    asc_model_free(m);
    asc_buffer_free(&names);
    asc_training_free(&t);
}

/* Missing values go where they gain, alone if that is best; categories that
 * a node has not seen go with its missing values, or with its larger side. */
static void
missing_and_unseen(void **state)
{
    struct asc_training t = training_new(40, 1);
    const struct asci_node *root;
    asc_model *m;
    double *y;
    size_t i, yes;

    (void)state;
    schema_number(&t.schema, "x");
    training_classes(&t, "no,yes");
    for (i = 0; i < 40; i++) {
        t.x[i] = i < 10 ? NAN : (double)i;
        t.y[i] = i < 10 || i >= 25;
    }
    m = must_train(&t, "tree");
    root = m->u.ensemble.tree[0].node;
    assert_true(root->threshold == 24.5);
    assert_int_equal(root->missing, root->no);
    asc_model_free(m);
    for (i = 0; i < 40; i++)
        t.y[i] = i < 10;
    m = must_train(&t, "tree");
    root = m->u.ensemble.tree[0].node;
    assert_int_equal(root->missing, root->no);
    y = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < 40; i++)
        assert_true(y[2 * i + 1] == t.y[i]);
    free(y);
    asc_model_free(m);
    asc_training_free(&t);

    for (yes = 0; yes < 3; yes++) {
        t = training_new(40, 1);
        schema_category(&t.schema, "c", "a,b,c");
        training_classes(&t, "no,yes");
        for (i = 0; i < 40; i++) {
            t.x[i] = i < 15 ? 0.0 : 1.0;
            t.y[i] = (i < 15) ^ (yes == 1);
            if (yes == 2 && i >= 32)
                t.x[i] = NAN;
            if (yes == 2 && i >= 32)
                t.y[i] = 1.0;
        }
        m = must_train(&t, "tree");
        root = m->u.ensemble.tree[0].node;
        assert_int_not_equal(follow(&m->u.ensemble, root, 0.0),
                             follow(&m->u.ensemble, root, 1.0));
        assert_int_equal(root->missing, follow(&m->u.ensemble, root,
                                               yes == 2 ? 0.0 : 1.0));
        assert_int_equal(root->missing, follow(&m->u.ensemble, root, 2.0));
        asc_model_free(m);
        asc_training_free(&t);
    }
}

/* Means far from 0, where squares of the numbers themselves have no digits
 * left, and numbers that differ in the last digits. */
static void
far_from_zero(void **state)
{
    enum { N = 200 };
    struct asc_training t = random_table(test_seed(7), N, 0, 0), u;
    asc_model *m, *other;
    size_t row[N], i;

    (void)state;
    for (i = 0; i < N; i++)
        row[i] = i;
    u = training_pick(&t, row, N, 1);
    for (i = 0; i < N; i++) {
        t.y[i] = floor(4096.0 * t.y[i]) / 4096.0;
        u.y[i] = t.y[i] + 1e10;         /* exact: a step is 2^-19 there */
    }
    m = must_train(&t, "tree:cp=0.001:min-split=2:min-leaf=1");
    other = must_train(&u, "tree:cp=0.001:min-split=2:min-leaf=1");
    assert_int_equal(m->u.ensemble.tree[0].n_nodes,
                     other->u.ensemble.tree[0].n_nodes);
    assert_memory_equal(m->u.ensemble.tree[0].node,
                        other->u.ensemble.tree[0].node,
                        m->u.ensemble.tree[0].n_nodes *
                        sizeof(struct asci_node));
    asc_model_free(m);
    asc_model_free(other);
    for (i = 0; i < N; i++)
        t.y[i] = i % 2 ? 0.1 : nextafter(0.1, 1.0);
    m = must_train(&t, "tree:cp=0");
    asc_model_free(m);
    asc_training_free(&t);
    asc_training_free(&u);
}

/* ---- pruning, against all subtrees ---- */

struct grown {
    struct asci_cart_table c;
    struct asci_cart_space s;
    struct asci_cart_tree t;
};

static struct grown
grow(const struct asc_training *t, size_t depth, size_t min_leaf)
{
    const struct asci_cart_options o = { .depth = depth, .min_split = 2,
                                         .min_leaf = min_leaf };
    struct grown g;
    size_t i;

    memset(&g, 0, sizeof g);
    assert_int_equal(asci_cart_table_init(&g.c, t, "tree", NULL), ASC_OK);
    assert_int_equal(asci_cart_space_init(&g.s, &g.c, 1, NULL), ASC_OK);
    g.s.n_row = g.c.n;
    for (i = 0; i < g.c.n; i++) {
        g.s.row[i] = (uint32_t)i;
        g.s.w[i] = g.c.w[i];
        g.s.count[i] = 1;
    }
    assert_int_equal(asci_cart_grow(&g.c, &o, &g.s, &g.t, NULL), ASC_OK);
    return g;
}

static void
grown_free(struct grown *g)
{
    asci_cart_tree_free(&g->t);
    asci_cart_space_free(&g->s);
    asci_cart_table_free(&g->c);
}

/* A subtree: which nodes are its leaves, what these cost. */
struct subtree {
    uint64_t leaves;
    double risk;
    size_t n;
};

/* Risk of a node's rows as one leaf: errors, Brier's score or squares, from
 * the rows themselves. */
static double
plain_risk(const struct grown *g, size_t node, enum asci_cart_loss loss)
{
    const size_t k = g->c.k;
    double sum[16] = { 0 }, weight = 0.0, risk = 0.0;
    size_t i, j, best = 0;

    for (i = 0; i < g->c.n; i++) {
        uint32_t at = 0;

        while (at != node && g->t.node[at].test != ASCI_LEAF)
            at = asci_cart_child(&g->c, &g->t, at, i);
        if (at != node)
            continue;
        weight += g->c.w[i];
        sum[k ? (size_t)g->c.y[i] : 0] += g->c.w[i] * (k ? 1.0 : g->c.y[i]);
    }
    for (j = 0; j < k; j++)
        if (sum[j] > sum[best])
            best = j;
    for (i = 0; i < g->c.n; i++) {
        uint32_t at = 0;

        while (at != node && g->t.node[at].test != ASCI_LEAF)
            at = asci_cart_child(&g->c, &g->t, at, i);
        if (at != node)
            continue;
        if (!k)
            risk += g->c.w[i] * pow(g->c.y[i] - sum[0] / weight, 2.0);
        else if (loss == ASCI_CART_ERROR)
            risk += g->c.y[i] != (double)best ? g->c.w[i] : 0.0;
        else
            for (j = 0; j < k; j++)
                risk += g->c.w[i] * pow((g->c.y[i] == (double)j) -
                                        sum[j] / weight, 2.0);
    }
    return risk;
}

/* All subtrees of a branch, by recursion: how many, to out (room for MOST). */
enum { MOST = 40000 };
static size_t
all_subtrees(const struct grown *g, uint32_t node, enum asci_cart_loss loss,
             struct subtree *out)
{
    const struct asci_node *p = &g->t.node[node];
    struct subtree *a, *b;
    size_t n = 1, n_a, n_b, i, j;

    out[0] = (struct subtree){ UINT64_C(1) << node,
                               plain_risk(g, node, loss), 1 };
    if (p->test == ASCI_LEAF)
        return 1;
    a = malloc(MOST * sizeof *a);
    b = malloc(MOST * sizeof *b);
    n_a = all_subtrees(g, p->yes, loss, a);
    n_b = all_subtrees(g, p->no, loss, b);
    for (i = 0; i < n_a; i++)
        for (j = 0; j < n_b; j++) {
            assert_true(n < MOST);
            out[n++] = (struct subtree){ a[i].leaves | b[j].leaves,
                                         a[i].risk + b[j].risk,
                                         a[i].n + b[j].n };
        }
    free(b);
    free(a);
    return n;
}

/* The leaves of the subtree that pruning leaves at complexity a. */
static uint64_t
kept_leaves(const struct grown *g, const double *alpha, double a)
{
    uint64_t leaves = 0;
    uint32_t stack[64];
    size_t depth = 1;

    stack[0] = 0;
    while (depth > 0) {
        const uint32_t i = stack[--depth];

        if (alpha[i] <= a) {
            leaves |= UINT64_C(1) << i;
            continue;
        }
        stack[depth++] = g->t.node[i].yes;
        stack[depth++] = g->t.node[i].no;
    }
    return leaves;
}

/* At each complexity, the tree that is left has the least risk plus
 * complexity times leaves of all subtrees, and is the smallest of those. */
static void
all_prunings(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    static const enum asci_cart_loss losses[] = { ASCI_CART_ERROR,
                                                  ASCI_CART_BRIER };
    struct subtree *all = malloc(MOST * sizeof *all);
    size_t l, i, j, k, seed, loss;

    (void)state;
    for (l = 0; l < 3; l++)
        for (loss = 0; loss < (classes[l] ? 2 : 1); loss++)
            for (seed = 1; seed <= 6; seed++) {
                struct asc_training t = random_table(
                    test_seed(7 * seed + l), 60, classes[l], seed % 2);
                struct grown g = grow(&t, 4, 2);
                double alpha[64], weight, low, at;
                size_t n;

                assert_true(g.t.n_nodes <= 64);
                assert_int_equal(asci_cart_weakest(&g.c, &g.t, losses[loss],
                                                   alpha, NULL), ASC_OK);
                n = all_subtrees(&g, 0, losses[loss], all);
                weight = asci_cart_weight(&g.c, g.t.stat);
                for (i = 0; i < g.t.n_nodes; i++) {
                    if (g.t.node[i].test == ASCI_LEAF) {
                        assert_true(alpha[i] == -INFINITY);
                        continue;
                    }
                    assert_true(alpha[g.t.node[i].yes] <= alpha[i] &&
                                alpha[g.t.node[i].no] <= alpha[i]);
                    /* at a node's own complexity, and on the way to the
                     * next smaller one */
                    low = 0.0;
                    for (k = 0; k < g.t.n_nodes; k++)
                        if (alpha[k] < alpha[i] && alpha[k] > low)
                            low = alpha[k];
                    for (k = 0; k < 2; k++) {
                        size_t best = 0;
                        double least;

                        at = k ? alpha[i] : 0.5 * (low + alpha[i]);
                        if (k == 0 && !(alpha[i] > 1e-9))
                            continue;
                        least = all[0].risk / weight + at;
                        for (j = 1; j < n; j++)
                            least = fmin(least, all[j].risk / weight +
                                                at * (double)all[j].n);
                        for (best = n, j = 0; j < n; j++)
                            if (all[j].risk / weight +
                                at * (double)all[j].n <= least + 1e-13 &&
                                (best == n || all[j].n < all[best].n))
                                best = j;
                        assert_true(all[best].leaves ==
                                    kept_leaves(&g, alpha, at));
                    }
                }
                grown_free(&g);
                asc_training_free(&t);
            }
    free(all);
}

/* ---- cross-validation, against trees without each part ---- */

struct said {
    char line[4][300];
    size_t n, n_details;
};

static void
listen(void *context, int detail, const char *line)
{
    struct said *s = context;

    if (detail)
        s->n_details++;
    else if (s->n < 4)
        snprintf(s->line[s->n++], sizeof s->line[0], "%s", line);
}

/* The part of each row, as the seed deals them: shuffled, then by class in
 * turn. */
static void
deal(const struct asci_cart_table *c, uint64_t seed, size_t folds,
     size_t *fold)
{
    struct asc_stream stream;
    size_t *order = malloc(c->n * sizeof *order), i, k, next = 0;

    for (i = 0; i < c->n; i++)
        order[i] = i;
    asc_stream_start(&stream, seed, "tree folds", "", 0);
    asc_stream_shuffle(&stream, order, c->n);
    for (k = 0; k < (c->k ? c->k : 1); k++)
        for (i = 0; i < c->n; i++)
            if (!c->k || c->y[order[i]] == (double)k)
                fold[order[i]] = next++ % folds;
    free(order);
}

/* Losses (n) of rows `part` by the tree of the others at complexity a. */
static void
part_losses(const struct asc_training *t, const struct asci_cart_table *c,
            const size_t *fold, size_t part, double a,
            enum asci_cart_loss loss, double *out)
{
    const size_t d = t->schema.n, k = c->k;
    size_t *row = malloc(t->n * sizeof *row), n = 0, i, j, best;
    struct asc_training u;
    struct grown g;
    double root;
    char spec[200];
    asc_model *m;

    for (i = 0; i < c->n; i++)
        if (fold[i] != part)
            row[n++] = c->order[i];
    u = training_pick(t, row, n, 1);
    g = grow(&u, 30, 3);
    root = asci_cart_risk(&g.c, g.t.stat, loss) /
           asci_cart_weight(&g.c, g.t.stat);
    grown_free(&g);
    snprintf(spec, sizeof spec, "tree:min-split=2:min-leaf=3:cp=%.17g%s",
             fmin(a / root, 1.0), loss == ASCI_CART_BRIER ? ":loss=brier"
                                                          : "");
    m = must_train(&u, spec);
    for (i = 0; i < c->n; i++) {
        const double *v, y = c->y[i];

        if (fold[i] != part)
            continue;
        v = leaf_of(&m->u.ensemble, m->u.ensemble.tree,
                    t->x + c->order[i] * d);
        out[i] = 0.0;
        for (best = 0, j = 1; j < k; j++)
            if (v[j] > v[best])
                best = j;
        if (!k)
            out[i] = pow(y - v[0], 2.0);
        else if (loss == ASCI_CART_ERROR)
            out[i] = y != (double)best;
        else
            for (j = 0; j < k; j++)
                out[i] += pow((y == (double)j) - v[j], 2.0);
    }
    asc_model_free(m);
    asc_training_free(&u);
    free(row);
}

static void
cross_validation(void **state)
{
    static const struct {
        size_t classes, folds;
        enum asci_cart_loss loss;
        double cp;
    } cases[] = {
        { 0, 5, ASCI_CART_ERROR, 0.0 }, { 2, 4, ASCI_CART_ERROR, 0.0 },
        { 3, 3, ASCI_CART_BRIER, 0.0 }, { 2, 7, ASCI_CART_BRIER, 0.02 }
    };
    enum { N = 150 };
    size_t c, i, k, part;

    (void)state;
    for (c = 0; c < 4; c++) {
        struct asc_training t = random_table(test_seed(60 + c), N,
                                             cases[c].classes, c % 2 == 0);
        const struct asci_cart_options o = { .depth = 30, .min_split = 2,
                                             .min_leaf = 3 };
        struct grown g = grow(&t, 30, 3);
        double *alpha = malloc(g.t.n_nodes * sizeof *alpha), loss[N];
        const double root = asci_cart_risk(&g.c, g.t.stat, cases[c].loss) /
                            asci_cart_weight(&g.c, g.t.stat);
        struct asci_cart_sequence q;
        size_t fold[N];

        assert_int_equal(asci_cart_weakest(&g.c, &g.t, cases[c].loss, alpha,
                                           NULL), ASC_OK);
        assert_int_equal(asci_cart_cross(&g.c, &o, &g.s, cases[c].loss,
                                         cases[c].folds, 9, &g.t, alpha,
                                         cases[c].cp * root, &q, NULL),
                         ASC_OK);
        assert_true(q.n > 3 && q.leaves[q.n - 1] == 1);
        deal(&g.c, 9, cases[c].folds, fold);
        for (k = 0; k < q.n; k++) {
            const double a = k + 1 < q.n ? sqrt(q.alpha[k] * q.alpha[k + 1])
                                         : 1e300;
            double weight = 0.0, mean = 0.0, spread = 0.0;

            for (part = 0; part < cases[c].folds; part++)
                part_losses(&t, &g.c, fold, part, a, cases[c].loss, loss);
            for (i = 0; i < N; i++) {
                weight += g.c.w[i];
                mean += g.c.w[i] * loss[i];
            }
            mean /= weight;
            for (i = 0; i < N; i++)
                spread += pow(g.c.w[i] * (loss[i] - mean), 2.0);
            assert_near(q.risk[k], mean, 1e-12);
            assert_near(q.error[k], sqrt(spread) / weight, 1e-9);
        }
        asci_cart_sequence_free(&q);
        free(alpha);
        grown_free(&g);
        asc_training_free(&t);
    }
}

/* What the trainer makes of it: a tree of as many leaves as it says, the
 * smallest within a standard error of the least risk, or the least one. */
static void
the_rule(void **state)
{
    struct asc_training t = random_table(77, 400, 2, 1);
    static const char *const spec[] = {
        "tree:cp=0:folds=10:seed=4", "tree:cp=0:folds=10:seed=4:rule=least"
    };
    size_t leaves[2], i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct said said = { .n = 0 };
        const struct asc_fitting how = { .say = listen, .context = &said };
        struct asc_error e;
        asc_model *m = train_so(&t, spec[i], &how, &e);
        double cp, risk, least, error;
        size_t n, n_least;

        assert_non_null(m);
        leaves[i] = m->u.ensemble.tree[0].n_leaves;
        assert_true(said.n >= 1 && said.n_details > 3);
        assert_int_equal(sscanf(said.line[0], "tree: 10-fold cross-validation "
                                "chose cp=%lf (%zu %*[a-z], risk %lf); the "
                                "least risk, %lf with standard error %lf, has "
                                "%zu", &cp, &n, &risk, &least, &error,
                                &n_least), 6);
        assert_int_equal(n, leaves[i]);
        assert_true(n <= n_least && risk <= least + 1.01 * error);
        if (i == 1)
            assert_true(n == n_least && risk == least);
        asc_model_free(m);
    }
    assert_true(leaves[0] < leaves[1]);
    asc_training_free(&t);
}

/* ---- another program ---- */

struct leaf {
    double n, second;           /* rows, share of the second class, or mean */
};

static int
compare_leaves(const void *pa, const void *pb)
{
    const struct leaf *a = pa, *b = pb;

    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->second < b->second ? -1 : a->second > b->second;
}

static void
check_leaves(const asc_model *m, struct leaf *want, size_t n)
{
    const struct asci_tree *p = &m->u.ensemble.tree[0];
    struct leaf got[64];
    size_t i, k = 0;

    assert_int_equal(p->n_leaves, n);
    for (i = 0; i < p->n_nodes; i++)
        if (p->node[i].test == ASCI_LEAF)
            got[k++] = (struct leaf){ p->cover[i], p->value[
                p->node[i].leaf * p->width + p->width - 1] };
    qsort(got, n, sizeof *got, compare_leaves);
    qsort(want, n, sizeof *want, compare_leaves);
    for (i = 0; i < n; i++) {
        assert_true(got[i].n == want[i].n);
        assert_digits(got[i].second, want[i].second, 1e-14);
    }
}

static struct asc_training
mortgage(const char *target)
{
    const char *source = getenv("srcdir");
    const struct asc_training_options o = { .target = target };
    struct asc_training t;
    struct asc_error e = { 0 };
    char path[4096];

    snprintf(path, sizeof path, "%s/tests/data/mortgage.tsv",
             source ? source : ".");
    if (asc_training_read(path, NULL, &o, &t, &e))
        fail_msg("%s", e.text);
    return t;
}

/* rpart 4.1.19 of R 4.2.2 (Debian), rpart(target ~ ., data) of
 * tests/data/mortgage.tsv without the column row: n and yprob or yval of the
 * leaves as it prints them. */
static void
rpart(void **state)
{
    struct leaf classes[] = {
        { 2033, 0.0639449090014757 }, { 58, 0.1379310344827586 },
        { 37, 0.2972972972972973 }, { 9, 0.6666666666666667 },
        { 31, 0.6774193548387097 }, { 62, 0.1129032258064516 },
        { 19, 0.5789473684210527 }, { 22, 0.2272727272727273 },
        { 9, 0.7777777777777778 }, { 52, 0.6730769230769231 },
        { 48, 0.9166666666666666 }
    };
    struct leaf numbers[] = {
        { 158, 0.123798354430380 }, { 198, 0.195475252525252 },
        { 455, 0.237210219780220 }, { 1521, 0.274153570019724 },
        { 40, 0.405532500000000 }, { 8, 1.040000000000000 }
    };
    struct asc_training t = mortgage("denied");
    asc_model *m = must_train(&t, "tree");

    (void)state;
    check_leaves(m, classes, 11);
    asc_model_free(m);
    asc_training_free(&t);
    t = mortgage("housing_income");
    m = must_train(&t, "tree");
    check_leaves(m, numbers, 6);
    asc_model_free(m);
    asc_training_free(&t);
}

/* The tree of Fisher's iris that rpart's and scikit-learn's manuals print:
 * 50 setosa; 49 of 54 versicolor and 45 of 46 virginica, at widths of 1.75. */
static void
iris(void **state)
{
    const struct asc_training_options o = { .target = "species" };
    struct leaf want[] = { { 50, 0.0 }, { 54, 5.0 / 54.0 },
                           { 46, 45.0 / 46.0 } };
    struct asc_training t;
    struct asc_error e = { 0 };
    const struct asci_tree *p;
    asc_model *m;
    char path[4096];

    (void)state;
    if (!shared_path("data/tables/iris.tsv", path, sizeof path))
        skip();
    if (asc_training_read(path, NULL, &o, &t, &e))
        fail_msg("%s", e.text);
    m = must_train(&t, "tree");
    check_leaves(m, want, 3);
    p = &m->u.ensemble.tree[0];
    assert_string_equal(t.schema.field[p->node[0].column].name,
                        "petal_length_cm");
    assert_true(p->node[0].threshold == 2.45);
    assert_true(fabs(p->node[p->node[0].no].threshold - 1.75) < 1e-12);
    asc_model_free(m);
    asc_training_free(&t);
}

/* ---- properties ---- */

static void
order_and_threads(void **state)
{
    enum { N = 70000 };
    static const char spec[] = "tree:cp=0:loss=brier:min-split=2:min-leaf=1";
    struct asc_training t = random_table(test_seed(8), N, 3, 1), u;
    size_t *row = malloc(N * sizeof *row), i;
    asc_model *m, *other;
    unsigned threads;

    (void)state;
    for (i = 0; i < N; i++)
        row[i] = (i * 17173 + 9) % N;
    u = training_pick(&t, row, N, 1);
    m = must_train(&t, spec);
    assert_true(m->u.ensemble.tree[0].n_leaves > 1000);
    other = must_train(&u, spec);
    assert_true(same_trees(m, other));
    asc_model_free(other);
    for (threads = 2; threads <= 5; threads += 3) {
        const struct asc_fitting how = { .threads = threads };
        struct asc_error e;

        other = train_so(&u, spec, &how, &e);
        assert_non_null(other);
        assert_true(same_trees(m, other));
        asc_model_free(other);
    }
    asc_model_free(m);
    free(row);
    asc_training_free(&t);
    asc_training_free(&u);
}

/* A weight of 2 is the row twice, but for the counts of rows. */
static void
weights(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    size_t l, i, row[300], n;

    (void)state;
    for (l = 0; l < 3; l++) {
        struct asc_training t = random_table(test_seed(60 + l), 150,
                                             classes[l], 1), u;
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
        m = must_train(&t, "tree:min-split=2:min-leaf=1:cp=0.004");
        m2 = must_train(&u, "tree:min-split=2:min-leaf=1:cp=0.004");
        y = outputs_of(m, ASC_RAW, &t);
        y2 = outputs_of(m2, ASC_RAW, &t);
        for (i = 0; i < 150 * m->n_outputs; i++)
            assert_near(y2[i], y[i], 1e-12);
        free(y);
        free(y2);
        asc_model_free(m);
        asc_model_free(m2);
        asc_training_free(&t);
        asc_training_free(&u);
    }
}

/* As PMML and back: the same answers to the bit, the same covers. */
static void
as_pmml(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    size_t l, i, n, mixed;

    (void)state;
    for (l = 0; l < 3; l++)
        for (mixed = 0; mixed < 2; mixed++) {
            struct asc_training t = random_table(test_seed(30 + l), 500,
                                                 classes[l], (int)mixed);
            asc_model *m = must_train(&t, "tree:cp=0.0005:min-leaf=2"), *back;
            struct asc_buffer text = { 0 };
            struct asc_error e = { 0 };
            double *y, *y2;
            const struct asci_tree *p, *q;

            if (asc_model_write_pmml(m, &text, &e))
                fail_msg("%s", e.text);
            back = asci_pmml_read("tree.pmml", text.p, text.n, &e);
            if (!back)
                fail_msg("%s", e.text);
            y = outputs_of(m, ASC_RESPONSE, &t);
            y2 = outputs_of(back, ASC_RESPONSE, &t);
            assert_memory_equal(y, y2, t.n * m->n_outputs * sizeof *y);
            p = &m->u.ensemble.tree[0];
            q = &back->u.ensemble.tree[0];
            assert_non_null(q->cover);
            assert_true(p->cover[0] == q->cover[0]);
            /* a reader may add leaves that no row reaches */
            for (n = 0, i = 0; i < q->n_nodes; i++)
                n += q->node[i].test == ASCI_LEAF && q->cover[i] > 0.0;
            assert_int_equal(p->n_leaves, n);
            for (i = 0; i < p->n_nodes; i++)
                if (p->node[i].test != ASCI_LEAF)
                    assert_near(p->cover[i], p->cover[p->node[i].yes] +
                                p->cover[p->node[i].no], 1e-12);
            free(y);
            free(y2);
            asc_buffer_free(&text);
            asc_model_free(back);
            asc_model_free(m);
            asc_training_free(&t);
        }
}

static void
refused(void **state)
{
    static const struct {
        const char *spec, *text;
        size_t classes;
    } cases[] = {
        { "tree:criterion=entropy", "tree: target \"y\" is a number: "
          "criterion is for classes", 0 },
        { "tree:loss=brier", "tree: target \"y\" is a number: loss is for "
          "classes", 0 },
        { "tree:folds=1", "tree: folds=1: want 0, or at least 2", 2 },
        { "tree:folds=31", "tree: folds=31: the table has 30 rows only", 2 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asc_training t = random_table(3, 30, cases[i].classes, 0);
        struct asc_error e = { 0 };

        assert_null(train(&t, cases[i].spec, &e));
        assert_string_equal(e.text, cases[i].text);
        assert_int_equal(e.status, ASC_EUSAGE);
        asc_training_free(&t);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_hand),
        cmocka_unit_test(classes_by_hand),
        cmocka_unit_test(no_split),
        cmocka_unit_test(enumeration),
        cmocka_unit_test(categories_with_few_rows),
        cmocka_unit_test(principal_component),
        cmocka_unit_test(many_categories),
        cmocka_unit_test(missing_and_unseen),
        cmocka_unit_test(far_from_zero),
        cmocka_unit_test(all_prunings),
        cmocka_unit_test(cross_validation),
        cmocka_unit_test(the_rule),
        cmocka_unit_test(rpart),
        cmocka_unit_test(iris),
        cmocka_unit_test(order_and_threads),
        cmocka_unit_test(weights),
        cmocka_unit_test(as_pmml),
        cmocka_unit_test(refused)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
