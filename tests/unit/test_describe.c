/* What a model says of itself: format, algorithm, link, size, and what becomes
 * of missing values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "models.h"
#include "seed.h"
#include "shared.h"

static struct asc_stream stream;

static asc_model *
read_shared(const char *name)
{
    char path[4200];
    struct asc_error e = { 0 };
    asc_model *m;

    if (!shared_path(name, path, sizeof path))
        return NULL;
    if (!(m = asc_model_read(path, NULL, &e)))
        fail_msg("%s", e.text);
    return m;
}

static void
formats(void **state)
{
    static const struct {
        const char *file, *format, *algorithm, *link;
        size_t trees;           /* of the file, as counted with grep */
    } cases[] = {
        { "data/boosters/gen-wdbc_logistic.json", "XGBoost JSON 1.7.4",
          "gbtree, binary:logistic", "logit", 20 },
        { "data/boosters/gen-wdbc_logistic.ubj", "XGBoost UBJSON 1.7.4",
          "gbtree, binary:logistic", "logit", 20 },
        { "data/boosters/gen-wdbc_gblinear.json", "XGBoost JSON 1.7.4",
          "gblinear, binary:logistic", "logit", 0 },
        { "data/boosters/xgb-PoissonRegressionVisit.json",
          "XGBoost JSON 3.4.1", "gbtree, count:poisson", "exp", 31 },
        { "data/boosters/lgb-ClassificationIris.txt", "LightGBM text v4",
          "multiclass num_class:3", "softmax", 600 },
        { "data/pmml/rapidminer-NeuralNetworkIris.pmml", "PMML 3.2", NULL,
          "simplemax", 0 },
        { "data/pmml/rattle-RandomForestAudit.pmml", "PMML 4.3",
          "randomForest", "none", 0 }
    };
    size_t i, seen = 0;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        asc_model *m = read_shared(cases[i].file);
        struct asc_model_size s;

        if (!m)
            continue;
        assert_string_equal(asc_model_format(m), cases[i].format);
        if (cases[i].algorithm)
            assert_string_equal(asc_model_algorithm(m), cases[i].algorithm);
        assert_string_equal(asc_model_link(m), cases[i].link);
        assert_int_equal(asc_model_measure(m, &s, NULL), ASC_OK);
        if (cases[i].trees)
            assert_int_equal(s.trees, cases[i].trees);
        asc_model_free(m);
        seen++;
    }
    if (seen == 0)
        skip();
}

/* It comes from a file: bounded, and safe for a terminal. */
static void
names(void **state)
{
    asc_model *m = asci_model_new("x", NULL);

    (void)state;
    assert_null(asc_model_format(m));
    assert_null(asc_model_algorithm(m));
    assert_int_equal(asci_model_set_format(m, NULL, "A%dB\x1b[1m", 3), ASC_OK);
    assert_string_equal(asc_model_format(m), "A3B?[1m");
    assert_int_equal(asci_model_set_format(m, NULL, "%0200d", 7), ASC_OK);
    assert_int_equal(strlen(asc_model_format(m)), 80);
    asc_model_free(m);
    assert_string_equal(asc_form_name(ASC_FORM_LINEAR), "linear");
    assert_string_equal(asc_form_name(ASC_FORM_OPAQUE), "opaque");
}

/* The longest way down, the plain way: one path for each leaf. */
static size_t
walk(const struct asci_tree *t, uint32_t i)
{
    const struct asci_node *p = &t->node[i];
    size_t a, b, c;

    if (p->test == ASCI_LEAF)
        return 0;
    a = walk(t, p->yes);
    b = walk(t, p->no);
    c = walk(t, p->missing);
    a = a > b ? a : b;
    return 1 + (a > c ? a : c);
}

static void
size_of_trees(void **state)
{
    const struct random_trees o = { 12, 40, 0.1, 1, 0, 0, 1 };
    size_t i, j, k;

    (void)state;
    for (i = 0; i < 20; i++) {
        asc_model *m = random_schema("xx5x");
        struct asc_model_size s;
        size_t nodes = 0, leaves = 0, depth = 0;

        random_encoder(&stream, m, COLUMNS_TREE);
        random_ensemble(&stream, m, 1, 1, &o);
        for (j = 0; j < 12; j++) {
            const struct asci_tree *t = &m->u.ensemble.tree[j];

            nodes += t->n_nodes;
            for (k = 0; k < t->n_nodes; k++)
                leaves += t->node[k].test == ASCI_LEAF;
            k = walk(t, 0);
            depth = k > depth ? k : depth;
        }
        random_end(m, 2, ASCI_LINK_LOGIT);
        assert_int_equal(asc_model_measure(m, &s, NULL), ASC_OK);
        assert_int_equal(s.trees, 12);
        assert_int_equal(s.nodes, nodes);
        assert_int_equal(s.leaves, leaves);
        assert_int_equal(s.depth, depth);
        assert_int_equal(s.columns, 4);
        assert_true(s.weights == 0 && s.layers == 0);
        assert_true(asc_model_has_covers(m));
        free(m->u.ensemble.tree[3].cover);
        m->u.ensemble.tree[3].cover = NULL;
        assert_false(asc_model_has_covers(m));
        asc_model_free(m);
    }
}

static void
size_of_sums(void **state)
{
    static const size_t hidden[] = { 5, 4 };
    asc_model *m = random_schema("xx3");
    struct asc_model_size s;

    (void)state;
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 3);
    random_end(m, 3, ASCI_LINK_SOFTMAX);
    assert_int_equal(asc_model_measure(m, &s, NULL), ASC_OK);
    assert_true(s.columns == 5 && s.weights == 3 * 6 && s.layers == 0 &&
                s.trees == 0);
    assert_false(asc_model_has_covers(m));
    assert_string_equal(asc_model_link(m), "softmax");
    asc_model_free(m);
    m = random_schema("xx3");
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_network(&stream, m, hidden, 2, 1, ASCI_TANH);
    random_end(m, 0, ASCI_LINK_NONE);
    assert_int_equal(asc_model_measure(m, &s, NULL), ASC_OK);
    assert_true(s.columns == 5 && s.layers == 3 &&
                s.weights == 6 * 5 + 6 * 4 + 5 && s.trees == 0);
    asc_model_free(m);
}

/* A field that is not taken missing leaves no answer; rows that lack others
 * have one. */
static void
missing_values(void **state)
{
    static const size_t hidden[] = { 3 };
    size_t i, j, k, taken = 0, refused = 0;

    (void)state;
    for (i = 0; i < 40; i++) {
        asc_model *m = random_schema("xx3x2");
        double *x, y;

        random_encoder(&stream, m, COLUMNS_PLAIN);
        for (j = 0; j < m->encoder.n; j++)
            if (choose(&stream, 2))
                m->encoder.column[j].factor[0].missing = 0.5;
        if (i % 2)
            random_linear(&stream, m, 1);
        else
            random_network(&stream, m, hidden, 1, 1, ASCI_TANH);
        random_end(m, 0, ASCI_LINK_NONE);
        x = random_rows(&stream, m, 1, 0.0);
        for (j = 0; j < m->schema.n; j++) {
            const double was = x[j];

            x[j] = NAN;
            k = (size_t)asc_model_takes_missing(m, j);
            assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, &y, NULL),
                             ASC_OK);
            assert_int_equal(k, !isnan(y));
            x[j] = was;
            taken += k;
            refused += !k;
            m->schema.field[j].replacement = 0.0;
            assert_int_equal(asc_model_takes_missing(m, j), 1);
        }
        free(x);
        asc_model_free(m);
    }
    assert_true(taken > 20 && refused > 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats), cmocka_unit_test(names),
        cmocka_unit_test(size_of_trees), cmocka_unit_test(size_of_sums),
        cmocka_unit_test(missing_values)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    asc_stream_start(&stream, test_seed(1), "describe", NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
