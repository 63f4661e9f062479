/* test_fit_forest.c -- random forests: each tree's rows drawn again and its
 * splits held against all possible ones; the out-of-bag error computed again;
 * and the properties that must hold for any table, seed and thread. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "growing.h"
#include "seed.h"
#include "shared.h"

/* ---- what a tree was grown on ---- */

/* How often each row of t was drawn for the tree, as its stream says: n draws
 * among the rows, in the order of their ids. */
static void
drawn(const struct asc_training *t, uint64_t seed, size_t tree, size_t draws,
      size_t *count)
{
    size_t *order = malloc(t->n * sizeof *order), n, i;
    struct asc_stream s;
    char id[32];

    assert_int_equal(asci_fit_order(t, order, &n, NULL), ASC_OK);
    snprintf(id, sizeof id, "%zu", tree);
    asc_stream_start(&s, seed, "forest rows", id, strlen(id));
    memset(count, 0, t->n * sizeof *count);
    for (i = 0; i < draws; i++)
        count[order[asc_stream_below(&s, n)]]++;
    free(order);
}

/* Holds a tree against its rows: each inner node splits as well as its field
 * can (or any field, if all were looked at), each leaf has shares or mean of
 * its rows and is not to be split further where all fields were looked at. */
static void
check_tree(const struct rows *q, const asc_model *m, size_t tree, int all)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const struct asci_tree *t = &f->tree[tree];
    const size_t n = q->t->n, d = q->t->schema.n;
    const size_t k = q->t->target.n_categories;
    const size_t min_split = k ? 2 : 6;
    uint32_t *at = calloc(n, sizeof *at);
    unsigned char *in = malloc(n), *side = malloc(n);
    size_t i, j, v;

    for (v = 0; v < t->n_nodes; v++) {
        const struct asci_node *p = &t->node[v];
        double weight = 0.0, sum[16] = { 0 }, best = -1.0;
        size_t rows = 0;

        for (i = 0; i < n; i++) {
            in[i] = at[i] == v && q->count[i] > 0;
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
            if (p->test == ASCI_LEAF || all || j == p->column)
                best = fmax(best, best_gain_of(q, in, j));
        if (p->test == ASCI_LEAF) {
            for (j = 0; j < t->width; j++)
                assert_near(t->value[p->leaf * t->width + j],
                            sum[j] / weight, 1e-12);
            assert_true(rows >= q->min_leaf);
            /* fields are drawn until one splits */
            if (rows >= min_split)
                assert_true(best <= 1e-10 * (1.0 + impurity(q, side, 0)));
            continue;
        }
        assert_true(rows >= min_split);
        for (i = 0; i < n; i++) {
            if (!in[i])
                continue;
            at[i] = follow(f, p, q->t->x[i * d + p->column]);
            side[i] = at[i] == p->yes;
        }
        assert_near(gain_of(q, side), best, 1e-9);
    }
    free(side);
    free(in);
    free(at);
}

static void
enumeration(void **state)
{
    static const struct {
        const char *spec;
        size_t min_leaf;
        double share;
        int entropy, all, mixed;
    } cases[] = {
        { "mtry=5:min-leaf=1", 1, 1.0, 0, 1, 1 },
        { "mtry=5:min-leaf=3", 3, 1.0, 0, 1, 0 },
        { "mtry=1:min-leaf=1:subsample=0.5", 1, 0.5, 0, 0, 1 },
        { "mtry=2:min-leaf=1:criterion=entropy", 1, 1.0, 1, 0, 1 }
    };
    static const size_t classes[] = { 0, 2, 3 };
    enum { N = 50, TREES = 4 };
    size_t count[N], c, l, i, tree;
    double w[N];

    (void)state;
    for (c = 0; c < sizeof cases / sizeof *cases; c++)
        for (l = 0; l < 3; l++) {
            struct asc_training t = random_table(test_seed(10 * c + l), N,
                                                 classes[l], cases[c].mixed);
            struct rows q = { &t, w, count, cases[c].entropy,
                              cases[c].min_leaf };
            char spec[200];
            asc_model *m;

            if (classes[l] == 0 && q.entropy) {
                asc_training_free(&t);
                continue;
            }
            snprintf(spec, sizeof spec, "forest:trees=%d:%s:seed=11", TREES,
                     cases[c].spec);
            m = must_train(&t, spec);
            assert_int_equal(m->u.ensemble.n_trees, TREES);
            for (tree = 0; tree < TREES; tree++) {
                drawn(&t, 11, tree, (size_t)(cases[c].share * N + 0.5),
                      count);
                for (i = 0; i < N; i++)
                    w[i] = asci_fit_weight(&t, i) * (double)count[i];
                check_tree(&q, m, tree, cases[c].all);
            }
            asc_model_free(m);
            asc_training_free(&t);
        }
}

/* ---- fields ---- */

/* One field of three drawn: each is in a third of the roots; two drawn: the
 * best one, in two thirds of them. */
static void
drawn_fields(void **state)
{
    enum { N = 60, TREES = 3000 };
    struct asc_training t = training_new(N, 3);
    uint64_t s = 3;
    size_t mtry, i, j;

    (void)state;
    schema_number(&t.schema, "good");
    schema_number(&t.schema, "poor");
    schema_number(&t.schema, "poorer");
    training_classes(&t, "no,yes");
    for (i = 0; i < N; i++) {
        t.y[i] = i % 2;
        t.x[3 * i] = t.y[i] + 0.1 * uniform(&s);
        t.x[3 * i + 1] = t.y[i] + 2.0 * uniform(&s);
        t.x[3 * i + 2] = uniform(&s);
    }
    for (mtry = 1; mtry <= 3; mtry++) {
        double root[3] = { 0 };
        const double p = (double)mtry / 3.0;
        char spec[100];
        asc_model *m;

        snprintf(spec, sizeof spec, "forest:trees=%d:depth=1:mtry=%zu", TREES,
                 mtry);
        m = must_train(&t, spec);
        for (i = 0; i < TREES; i++) {
            assert_int_equal(m->u.ensemble.tree[i].n_nodes, 3);
            root[m->u.ensemble.tree[i].node[0].column] += 1.0 / TREES;
        }
        /* five standard errors */
        assert_true(fabs(root[0] - p) <=
                    5.0 * sqrt(p * (1.0 - p) / TREES) + 1e-12);
        if (mtry == 1)
            for (j = 0; j < 3; j++)
                assert_true(fabs(root[j] - p) <=
                            5.0 * sqrt(p * (1.0 - p) / TREES));
        asc_model_free(m);
    }
    asc_training_free(&t);
}

/* Fields that are constant in a node are not counted among those drawn: one
 * is drawn of ten, nine of which say nothing, and every tree splits by the
 * tenth. */
static void
constant_fields(void **state)
{
    enum { N = 40, FIELDS = 10 };
    struct asc_training t = training_new(N, FIELDS);
    asc_model *m;
    size_t i, j;

    (void)state;
    for (j = 0; j < FIELDS; j++) {
        char name[16];

        snprintf(name, sizeof name, "x%zu", j);
        if (j % 2)
            schema_number(&t.schema, name);
        else
            schema_category(&t.schema, name, "a,b");
    }
    training_classes(&t, "no,yes");
    for (i = 0; i < N; i++) {
        for (j = 0; j < FIELDS; j++)
            t.x[i * FIELDS + j] = j == 7 ? (double)i : 1.0;
        t.y[i] = i >= 20;
    }
    m = must_train(&t, "forest:trees=50:mtry=1");
    for (i = 0; i < 50; i++) {
        assert_int_equal(m->u.ensemble.tree[i].n_leaves, 2);
        assert_int_equal(m->u.ensemble.tree[i].node[0].column, 7);
    }
    asc_model_free(m);
    asc_training_free(&t);
}

/* The defaults: floor(sqrt(d)) fields for classes, floor(d / 3) for a number,
 * of which nodes of five rows are not split. */
static void
defaults(void **state)
{
    static const struct {
        size_t classes;
        const char *spec;
    } cases[] = {
        { 2, "forest:trees=5:mtry=2:min-split=2" },
        { 0, "forest:trees=5:mtry=1:min-split=6" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct asc_training t = random_table(4, 100, cases[i].classes, 1);
        asc_model *m = must_train(&t, "forest:trees=5");
        asc_model *other = must_train(&t, cases[i].spec);

        assert_true(same_trees(m, other));
        asc_model_free(m);
        asc_model_free(other);
        asc_training_free(&t);
    }
}

/* ---- the model ---- */

/* The mean of its trees, and of classes shares that add up to 1. */
static void
average(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    enum { N = 200, TREES = 30 };
    size_t l, i, k, tree;

    (void)state;
    for (l = 0; l < 3; l++) {
        struct asc_training t = random_table(test_seed(50 + l), N, classes[l],
                                             1);
        asc_model *m = must_train(&t, "forest:trees=30");
        const struct asci_ensemble *f = &m->u.ensemble;
        const size_t width = classes[l] ? classes[l] : 1;
        double *y = outputs_of(m, ASC_RESPONSE, &t);
        double *raw = outputs_of(m, ASC_RAW, &t);

        assert_int_equal(m->n_outputs, width);
        assert_int_equal(m->link, ASCI_LINK_NONE);
        assert_memory_equal(y, raw, N * width * sizeof *y);
        for (i = 0; i < N; i++) {
            double all = 0.0;

            for (k = 0; k < width; k++) {
                double sum = 0.0;

                for (tree = 0; tree < TREES; tree++)
                    sum += leaf_of(f, &f->tree[tree], t.x + i * D)[k];
                assert_near(y[i * width + k], sum / TREES, 1e-14);
                all += y[i * width + k];
            }
            if (classes[l])
                assert_near(all, 1.0, 1e-14);
        }
        free(raw);
        free(y);
        asc_model_free(m);
        asc_training_free(&t);
    }
}

/* As PMML and back: the same answers to the bit, the same covers. */
static void
as_pmml(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    size_t l, tree, mixed;

    (void)state;
    for (l = 0; l < 3; l++)
        for (mixed = 0; mixed < 2; mixed++) {
            struct asc_training t = random_table(test_seed(30 + l), 150,
                                                 classes[l], (int)mixed);
            asc_model *m = must_train(&t, "forest:trees=7"), *back;
            struct asc_buffer text = { 0 };
            struct asc_error e = { 0 };
            double *y, *y2;

            if (asc_model_write_pmml(m, &text, &e))
                fail_msg("%s", e.text);
            back = asci_pmml_read("forest.pmml", text.p, text.n, &e);
            if (!back)
                fail_msg("%s", e.text);
            assert_int_equal(back->form, ASC_FORM_ENSEMBLE);
            assert_int_equal(back->u.ensemble.n_trees, 7);
            y = outputs_of(m, ASC_RESPONSE, &t);
            y2 = outputs_of(back, ASC_RESPONSE, &t);
            assert_memory_equal(y, y2, t.n * m->n_outputs * sizeof *y);
            assert_true(asci_ensemble_has_covers(&back->u.ensemble));
            for (tree = 0; tree < 7; tree++)
                assert_true(m->u.ensemble.tree[tree].cover[0] ==
                            back->u.ensemble.tree[tree].cover[0]);
            free(y);
            free(y2);
            asc_buffer_free(&text);
            asc_model_free(back);
            asc_model_free(m);
            asc_training_free(&t);
        }
}

/* ---- out-of-bag ---- */

struct said {
    char line[300];
    size_t n;
};

static void
listen(void *context, int detail, const char *line)
{
    struct said *s = context;

    if (!detail && s->n++ == 0)
        snprintf(s->line, sizeof s->line, "%s", line);
}

/* The mean over trees that did not draw the row, by rows and trees one by
 * one. */
static void
out_of_bag(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    enum { N = 120, TREES = 9 };
    static double sum[N][3];
    size_t count[N], judges[N], l, i, k, tree;

    (void)state;
    for (l = 0; l < 3; l++) {
        struct asc_training t = random_table(test_seed(20 + l), N, classes[l],
                                             1);
        struct said said = { .n = 0 };
        const struct asc_fitting how = { .say = listen, .context = &said };
        struct asc_error e;
        asc_model *m = train_so(&t, "forest:trees=9:seed=2", &how, &e);
        const struct asci_ensemble *f = &m->u.ensemble;
        const size_t width = classes[l] ? classes[l] : 1;
        double weight = 0.0, wrong = 0.0, squares = 0.0, mean = 0.0,
               spread = 0.0;
        size_t n = 0;
        char want[300];

        memset(sum, 0, sizeof sum);
        memset(judges, 0, sizeof judges);
        for (tree = 0; tree < TREES; tree++) {
            drawn(&t, 2, tree, N, count);
            for (i = 0; i < N; i++) {
                if (count[i])
                    continue;
                judges[i]++;
                for (k = 0; k < width; k++)
                    sum[i][k] += leaf_of(f, &f->tree[tree], t.x + i * D)[k];
            }
        }
        for (i = 0; i < N; i++) {
            size_t best = 0;

            if (!judges[i])
                continue;
            n++;
            weight += t.weight[i];
            mean += t.weight[i] * t.y[i];
            for (k = 0; k < width; k++) {
                const double v = sum[i][k] / (double)judges[i];

                squares += t.weight[i] * pow(v - (classes[l]
                           ? t.y[i] == (double)k : t.y[i]), 2.0);
                if (sum[i][k] > sum[i][best])
                    best = k;
            }
            wrong += t.weight[i] * (t.y[i] != (double)best);
        }
        mean /= weight;
        for (i = 0; i < N; i++)
            if (judges[i])
                spread += t.weight[i] * pow(t.y[i] - mean, 2.0);
        if (classes[l])
            snprintf(want, sizeof want, "forest: out-of-bag error %.4g (share "
                     "of wrong classes), Brier score %.4g, over %zu of 120 "
                     "rows", wrong / weight, squares / weight, n);
        else
            snprintf(want, sizeof want, "forest: out-of-bag mean squared "
                     "error %.4g, R2 %.4g, over %zu of 120 rows",
                     squares / weight, 1.0 - squares / spread, n);
        assert_int_equal(said.n, 1);
        assert_string_equal(said.line, want);
        asc_model_free(m);
        asc_training_free(&t);
    }
}

/* ---- properties ---- */

static void
order_threads_seeds(void **state)
{
    enum { N = 300 };
    static const char spec[] = "forest:trees=25";
    struct asc_training t = random_table(test_seed(8), N, 3, 1), u;
    size_t row[N], i;
    struct said first = { .n = 0 };
    const struct asc_fitting alone = { .say = listen, .context = &first };
    struct asc_error e;
    asc_model *m, *other;
    unsigned threads;

    (void)state;
    for (i = 0; i < N; i++)
        row[i] = (i * 173 + 9) % N;
    u = training_pick(&t, row, N, 1);
    m = train_so(&t, spec, &alone, &e);
    assert_non_null(m);
    for (threads = 1; threads <= 7; threads += 2) {
        struct said said = { .n = 0 };
        const struct asc_fitting how = { .threads = threads, .say = listen,
                                         .context = &said };

        other = train_so(&u, spec, &how, &e);
        assert_non_null(other);
        assert_true(same_trees(m, other));
        assert_string_equal(first.line, said.line);
        asc_model_free(other);
    }
    other = must_train(&t, "forest:trees=25:seed=2");
    assert_false(same_trees(m, other));
    asc_model_free(other);
    /* fewer trees are the first of more */
    other = must_train(&t, "forest:trees=3");
    for (i = 0; i < 3; i++)
        assert_memory_equal(m->u.ensemble.tree[i].value,
                            other->u.ensemble.tree[i].value,
                            other->u.ensemble.tree[i].n_leaves * 3 *
                            sizeof(double));
    asc_model_free(other);
    asc_model_free(m);
    asc_training_free(&t);
    asc_training_free(&u);
}

/* Weights all four times as large change nothing but covers; rows of weight 0
 * are not there. */
static void
weights(void **state)
{
    enum { N = 100 };
    struct asc_training t = random_table(6, N, 2, 1);
    asc_model *m, *other;
    double *y;
    size_t i;

    (void)state;
    m = must_train(&t, "forest:trees=20");
    for (i = 0; i < N; i++)
        t.weight[i] *= 4.0;
    other = must_train(&t, "forest:trees=20");
    for (i = 0; i < 20; i++) {
        const struct asci_tree *p = &m->u.ensemble.tree[i];
        const struct asci_tree *q = &other->u.ensemble.tree[i];

        assert_int_equal(p->n_nodes, q->n_nodes);
        assert_memory_equal(p->node, q->node, p->n_nodes * sizeof *p->node);
        assert_memory_equal(p->value, q->value,
                            p->n_leaves * 2 * sizeof *p->value);
        assert_true(4.0 * p->cover[0] == q->cover[0]);
    }
    asc_model_free(m);
    asc_model_free(other);
    for (i = 0; i < N; i++)
        t.weight[i] = t.y[i] == 1.0 ? 1.0 : 0.0;
    m = must_train(&t, "forest:trees=20");
    assert_int_equal(m->u.ensemble.tree[0].n_nodes, 1);
    y = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < N; i++)
        assert_true(y[2 * i + 1] == 1.0);
    free(y);
    asc_model_free(m);
    asc_training_free(&t);
}

static void
refused(void **state)
{
    struct asc_training t = random_table(3, 30, 0, 0);
    struct asc_error e = { 0 };

    (void)state;
    assert_null(train(&t, "forest:mtry=6", &e));
    assert_string_equal(e.text, "forest: mtry=6: there are 5 fields only");
    assert_int_equal(e.status, ASC_EUSAGE);
    assert_null(train(&t, "forest:criterion=entropy", &e));
    assert_string_equal(e.text, "forest: target \"y\" is a number: criterion "
                        "is for classes");
    asc_training_free(&t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(enumeration),
        cmocka_unit_test(drawn_fields),
        cmocka_unit_test(constant_fields),
        cmocka_unit_test(defaults),
        cmocka_unit_test(average),
        cmocka_unit_test(as_pmml),
        cmocka_unit_test(out_of_bag),
        cmocka_unit_test(order_threads_seeds),
        cmocka_unit_test(weights),
        cmocka_unit_test(refused)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
