/* The PMML writer: what it writes is read back as a model with the same
 * schema, outputs and values.  Trees give the same bits; sums whose addends
 * PMML puts into another order may differ in the last place. */
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
write_and_read(const asc_model *m, struct asc_buffer *text)
{
    struct asc_error e = { 0 };
    asc_model *back;

    memset(text, 0, sizeof *text);
    if (asc_model_write_pmml(m, text, &e) != ASC_OK)
        fail_msg("%s", e.text);
    if (getenv("ASCRIBE_SHOW"))
        fprintf(stderr, "%.*s", (int)text->n, text->p);
    back = asci_pmml_read("written", text->p, text->n, &e);
    if (!back)
        fail_msg("%s", e.text);
    return back;
}

static void
same_field(const struct asc_field *a, const struct asc_field *b)
{
    size_t k;

    assert_string_equal(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->invalid, b->invalid);
    assert_int_equal(a->clamp, b->clamp);
    assert_true(a->low == b->low && a->high == b->high);
    assert_true(same_bits(a->replacement, b->replacement));
    assert_int_equal(a->n_missing, b->n_missing);
    for (k = 0; k < a->n_missing; k++)
        assert_string_equal(a->missing[k], b->missing[k]);
    assert_int_equal(a->n_categories, b->n_categories);
    for (k = 0; k < a->n_categories; k++)
        assert_string_equal(a->categories[k], b->categories[k]);
    if (a->kind == ASC_CATEGORICAL)
        assert_int_equal(a->text_type, b->text_type);
}

/* Reads m back and compares. */
static void
same_values(const asc_model *m, double tolerance)
{
    enum { ROWS = 300 };
    struct asc_buffer text;
    asc_model *back = write_and_read(m, &text);
    double *x = random_rows(&stream, m, ROWS, 0.15), *want, *got;
    size_t i, k;
    int scale;

    assert_int_equal(back->schema.n, m->schema.n);
    for (i = 0; i < m->schema.n; i++)
        same_field(&m->schema.field[i], &back->schema.field[i]);
    assert_int_equal(back->form, m->form);
    assert_int_equal(back->classifier, m->classifier);
    assert_int_equal(asc_model_has_link(back), asc_model_has_link(m));
    assert_int_equal(back->n_outputs, m->n_outputs);
    for (k = 0; k < m->n_outputs; k++)
        assert_string_equal(back->output[k].name, m->output[k].name);
    if (m->target)
        assert_string_equal(back->target, m->target);
    for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
        want = evaluate_rows(m, (enum asc_scale)scale, x, ROWS);
        got = evaluate_rows(back, (enum asc_scale)scale, x, ROWS);
        for (i = 0; i < ROWS * m->n_outputs; i++)
            check_close(got[i], want[i], tolerance);
        free(got);
        free(want);
    }
    free(x);
    asc_buffer_free(&text);
    asc_model_free(back);
}

/* The same, and frees it. */
static void
round_trip(asc_model *m, double tolerance)
{
    same_values(m, tolerance);
    asc_model_free(m);
}

static const struct {
    size_t n_raw, classes;
    enum asci_link link;
} kinds[] = {
    { 1, 0, ASCI_LINK_NONE }, { 1, 2, ASCI_LINK_LOGIT },
    { 3, 3, ASCI_LINK_SOFTMAX }, { 1, 0, ASCI_LINK_EXP }
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Sums of some ten addends of size 1: 1e-14 is a few units of the last place
 * of the largest partial sum. */
static void
linear(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < KINDS; i++) {
        asc_model *m = random_schema("xx3x2x9");

        random_encoder(&stream, m, COLUMNS_PLAIN);
        random_linear(&stream, m, kinds[i].n_raw);
        round_trip(random_end(m, kinds[i].classes, kinds[i].link), 1e-14);
    }
}

static void
more_links(void **state)
{
    static const enum asci_link links[] = {
        ASCI_LINK_PROBIT, ASCI_LINK_CLOGLOG, ASCI_LINK_LOGLOG,
        ASCI_LINK_CAUCHIT, ASCI_LINK_LOGIT, ASCI_LINK_NONE
    };
    size_t i, classes;

    (void)state;
    for (i = 0; i < sizeof links / sizeof *links; i++)
        for (classes = 0; classes <= 2; classes += 2) {
            asc_model *m = random_schema("xx3");

            random_encoder(&stream, m, COLUMNS_PLAIN);
            random_linear(&stream, m, 1);
            round_trip(random_end(m, classes, links[i]), 1e-14);
        }
}

/* Every kind of column that a linear model can be written with. */
static void
linear_columns(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < 40; i++) {
        asc_model *m = random_schema("xx3x2x9x");
        size_t j;

        random_encoder(&stream, m, COLUMNS_ANY);
        for (j = 0; j < m->encoder.n; j++) {
            struct asci_factor *f = &m->encoder.column[j].factor[0];

            if (choose(&stream, 3) == 0)
                m->encoder.column[j].scale = 0.5;
            if (f->kind == ASCI_FACTOR_NUMBER && isnan(f->missing) &&
                choose(&stream, 3) == 0)
                f->power = 2 + (int)choose(&stream, 2);
        }
        random_linear(&stream, m, kinds[i % 2].n_raw);
        round_trip(random_end(m, kinds[i % 2].classes, kinds[i % 2].link),
                   2e-13);
    }
}

static void
interactions(void **state)
{
    asc_model *m = random_schema("xx3x2");
    size_t j;

    (void)state;
    m->encoder.n = 3;
    m->encoder.column = need(3, sizeof *m->encoder.column);
    for (j = 0; j < 3; j++) {
        struct asci_column *c = &m->encoder.column[j];

        c->scale = 1.0 + (double)j;
        new_factor(c, ASCI_FACTOR_NUMBER, 0);
        if (j > 0) {
            struct asci_factor *f = new_factor(c, ASCI_FACTOR_TABLE, 2);

            random_table(&stream, f, 3);
            new_factor(c, ASCI_FACTOR_NUMBER, j == 1 ? 3 : 0);
        }
        if (j > 1) {
            struct asci_factor *f = new_factor(c, ASCI_FACTOR_NUMBER, 1);

            random_knots(&stream, f);
        }
    }
    random_linear(&stream, m, 1);
    round_trip(random_end(m, 0, ASCI_LINK_NONE), 1e-13);
}

static void
networks(void **state)
{
    static const size_t hidden[] = { 5, 4 };
    size_t i;
    int a;

    (void)state;
    for (a = 0; a <= ASCI_ARCTAN; a++)
        for (i = 0; i < KINDS; i++) {
            asc_model *m = random_schema("xx3x2");

            if (a == ASCI_RECIPROCAL || (kinds[i].link == ASCI_LINK_EXP &&
                                         kinds[i].classes == 0)) {
                asc_model_free(m);
                continue;       /* has poles; reads back as an activation */
            }
            random_encoder(&stream, m, i % 2 ? COLUMNS_ANY : COLUMNS_PLAIN);
            random_network(&stream, m, hidden, 2, kinds[i].n_raw,
                           (enum asci_activation)a);
            /* The threshold on a number that sums do not hit. */
            round_trip(random_end(m, kinds[i].classes, kinds[i].link),
                       a == ASCI_EXPONENTIAL || a == ASCI_SQUARE ? 1e-11
                       : 1e-13);
        }
}

static void
ensembles(void **state)
{
    static const struct {
        enum random_columns columns;
        struct random_trees o;
    } cases[] = {
        { COLUMNS_TREE, { 7, 31, 0.1, 0, 0, 0, 1 } },
        { COLUMNS_TREE, { 6, 40, 0.1, 1, 0, 0, 0 } },
        { COLUMNS_TREE, { 5, 300, 0.1, 1, 1, 0, 1 } },
        { COLUMNS_ANY, { 9, 60, 0.1, 1, 0, 0, 0 } },
        { COLUMNS_TREE, { 0, 0, 0.0, 0, 0, 0, 0 } },
        { COLUMNS_TREE, { 3, 1, 0.0, 0, 0, 0, 1 } }
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        for (k = 0; k < KINDS; k++) {
            asc_model *m = random_schema("xx5x9x1");

            random_encoder(&stream, m, cases[i].columns);
            random_ensemble(&stream, m, kinds[k].n_raw,
                            kinds[k].n_raw == 3 && i % 2 ? 3 : 1,
                            &cases[i].o);
            if (i % 2)
                m->u.ensemble.scale = 0.125;
            round_trip(random_end(m, kinds[k].classes, kinds[k].link), 0.0);
        }
}

/* The leaves' values become shares of so many rows: counts over a sum, or, in
 * `odd` leaves, numbers that are no such shares. */
static void
make_shares(struct asci_tree *t, size_t odd)
{
    size_t i, k;

    for (i = 0; i < t->n_nodes; i++) {
        double *v = t->value + t->node[i].leaf * t->width, sum = 0.0;
        double count[8];

        if (t->node[i].test != ASCI_LEAF || isnan(v[0]))
            continue;
        for (k = 0; k < t->width; k++) {
            count[k] = (double)asc_stream_below(&stream, 40);
            sum += count[k] += k == 0;
        }
        for (k = 0; k < t->width; k++)
            v[k] = odd && i % 3 == 0 ? asc_stream_uniform(&stream) / 3.0
                                     : count[k] / sum;
        if (t->cover)
            t->cover[i] = sum;
    }
    for (i = t->cover ? t->n_nodes : 0; i-- > 0;) {
        const struct asci_node *p = &t->node[i];

        if (p->test == ASCI_LEAF)
            continue;
        t->cover[i] = t->cover[p->yes] + t->cover[p->no];
        if (p->missing != p->yes && p->missing != p->no)
            t->cover[i] += t->cover[p->missing];
    }
}

/* Trees of which the model is the average: as many elements as it has leaves,
 * not a sum for each class; the same bits, and covers where there are any. */
static void
averages(void **state)
{
    static const size_t classes[] = { 0, 2, 3 };
    struct asc_buffer text;
    size_t i, j, k, n;

    (void)state;
    for (i = 0; i < 16; i++)
        for (k = 0; k < 3; k++) {
            const struct random_trees o = { i % 4 < 2 ? 1 : 5, 40, 0.1,
                                            i % 3 == 1, 0, 0, i % 2 == 0 };
            asc_model *m = random_schema("xx2x2x1"), *back;
            struct asci_ensemble *f = &m->u.ensemble;

            random_encoder(&stream, m, COLUMNS_TREE);
            random_ensemble(&stream, m, k ? classes[k] : 1,
                            k ? classes[k] : 1, &o);
            memset(f->base, 0, f->n_raw * sizeof *f->base);
            f->scale = 1.0 / (double)o.n;
            for (j = 0; j < o.n; j++)
                if (k)
                    make_shares(&f->tree[j], i & 4);
            for (j = 0; i & 8 && j < f->tree[0].width; j++)
                f->tree[0].value[j] = NAN;
            random_end(m, classes[k], ASCI_LINK_NONE);
            m->has_probabilities = k > 0;
            same_values(m, 0.0);
            back = write_and_read(m, &text);
            assert_int_equal(back->u.ensemble.n_trees, o.n);
            assert_int_equal(back->n_raw, m->n_raw);
            assert_int_equal(asci_ensemble_has_covers(&back->u.ensemble),
                             o.covers);
            for (j = 0, n = 0; j + 10 < text.n; j++)
                n += !memcmp(text.p + j, "<TreeModel", 10);
            assert_int_equal(n, o.n);
            asc_buffer_free(&text);
            asc_model_free(back);
            asc_model_free(m);
        }
}

/* A complete tree of three levels, each on a field of its own. */
static asc_model *
levels(void)
{
    const struct random_trees o = { 1, 20, 1.0, 0, 0, 0, 0 };
    asc_model *m = random_schema("xx5");
    struct asci_tree *t;
    size_t i;

    random_encoder(&stream, m, COLUMNS_TREE);
    random_ensemble(&stream, m, 1, 1, &o);
    t = &m->u.ensemble.tree[0];
    t->n_nodes = 15;
    t->n_leaves = 0;
    t->cover = need(15, sizeof *t->cover);
    for (i = 15; i-- > 0;) {
        struct asci_node *p = &t->node[i];

        memset(p, 0, sizeof *p);
        if (i >= 7) {
            p->test = ASCI_LEAF;
            p->leaf = (uint32_t)t->n_leaves;
            t->value[t->n_leaves++] = asc_stream_normal(&stream);
            t->cover[i] = 1.0 + (double)choose(&stream, 50);
            continue;
        }
        p->column = i == 0 ? 0 : i < 3 ? 2 : 1;
        random_test(&stream, m, &m->u.ensemble, p);
        if (p->test == ASCI_IN_SET) {
            p->set_bits = 5;
            m->u.ensemble.sets[p->set] = 11;
        }
        p->yes = (uint32_t)(2 * i + 1);
        p->no = (uint32_t)(2 * i + 2);
        p->missing = choose(&stream, 2) ? p->yes : p->no;
        t->cover[i] = t->cover[p->yes] + t->cover[p->no];
    }
    return random_end(m, 2, ASCI_LINK_LOGIT);
}

/* Covers are written as record counts and come back. */
static void
covers(void **state)
{
    size_t n, i;

    (void)state;
    for (n = 0; n < 20; n++) {
        asc_model *m = levels(), *back;
        struct asc_buffer text;
        const struct asci_tree *t = &m->u.ensemble.tree[0], *u;
        double a = 0.0, b = 0.0;

        back = write_and_read(m, &text);
        u = &back->u.ensemble.tree[0];
        assert_true(asci_ensemble_has_covers(&back->u.ensemble));
        assert_int_equal(u->n_nodes, t->n_nodes);
        assert_true(t->cover[0] == u->cover[0]);
        for (i = 0; i < 15; i++) {
            if (t->node[i].test == ASCI_LEAF)
                a += t->cover[i] * t->value[t->node[i].leaf];
            if (u->node[i].test == ASCI_LEAF)
                b += u->cover[i] * u->value[u->node[i].leaf];
        }
        check_close(a, b, 1e-13);
        asc_buffer_free(&text);
        asc_model_free(back);
        round_trip(m, 0.0);
    }
}

/* Thresholds at the ends of the numbers, each way for missing values. */
static void
infinite_thresholds(void **state)
{
    static const double thresholds[] = {
        INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_TRUE_MIN, -0.0
    };
    size_t i, missing, test;

    (void)state;
    for (i = 0; i < sizeof thresholds / sizeof *thresholds; i++)
        for (missing = 1; missing <= 3; missing++)
            for (test = ASCI_LESS; test <= ASCI_EQUAL; test++) {
                const struct random_trees o = { 1, 4, 0.0, 0, 0, 1, 0 };
                asc_model *m = random_schema("x");
                struct asci_tree *t;
                size_t k;

                random_encoder(&stream, m, COLUMNS_TREE);
                random_ensemble(&stream, m, 1, 1, &o);
                t = &m->u.ensemble.tree[0];
                t->n_nodes = 4;
                t->n_leaves = 3;
                t->node[0].test = (uint32_t)test;
                t->node[0].threshold = thresholds[i];
                t->node[0].column = 0;
                t->node[0].yes = 1;
                t->node[0].no = 2;
                t->node[0].missing = (uint32_t)missing;
                for (k = 0; k < 3; k++) {
                    t->node[k + 1].test = ASCI_LEAF;
                    t->node[k + 1].leaf = (uint32_t)k;
                    t->value[k] = (double)k;
                }
                round_trip(random_end(m, 0, ASCI_LINK_NONE), 0.0);
            }
}

static void
treatments(void **state)
{
    asc_model *m = random_schema("xxx3333");
    struct asc_field *f = m->schema.field;
    static const char *const bools[] = { "false", "true" };
    size_t k;

    (void)state;
    f[0].replacement = 0.1;
    f[0].invalid = ASC_INVALID_ERROR;
    f[0].low = -3.5;
    f[0].high = 1e10;
    f[0].missing = need(2, sizeof *f[0].missing);
    f[0].missing[0] = strdup("-99");
    f[0].missing[1] = strdup("n & a");
    f[0].n_missing = 2;
    f[1].clamp = 1;
    f[1].low = -1.0;
    f[1].high = 1.5;
    f[2].invalid = ASC_INVALID_MISSING;
    f[2].high = 2.0;
    f[3].replacement = 2.0;
    f[3].invalid = ASC_INVALID_ERROR;
    f[4].invalid = ASC_INVALID_MISSING;
    f[4].missing = need(1, sizeof *f[4].missing);
    f[4].missing[0] = strdup("\"?\"");
    f[4].n_missing = 1;
    f[5].text_type = ASC_TEXT_NUMBER;
    for (k = 0; k < 3; k++) {
        char text[8];

        snprintf(text, sizeof text, "%zu.5", k);
        free(f[5].categories[k]);
        f[5].categories[k] = strdup(text);
    }
    f[6].text_type = ASC_TEXT_BOOLEAN;
    f[6].invalid = ASC_INVALID_ERROR;
    for (k = 0; k < 3; k++)
        free(f[6].categories[k]);
    f[6].n_categories = 2;
    for (k = 0; k < 2; k++)
        f[6].categories[k] = strdup(bools[k]);
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 1);
    round_trip(random_end(m, 2, ASCI_LINK_LOGIT), 1e-14);
}

static void
rescaling(void **state)
{
    static const size_t hidden[] = { 3 };
    const struct random_trees o = { 3, 15, 0.1, 0, 0, 0, 0 };
    size_t form;

    (void)state;
    for (form = 0; form < 3; form++) {
        asc_model *m = random_schema("xx3");

        random_encoder(&stream, m, form == 2 ? COLUMNS_TREE : COLUMNS_PLAIN);
        if (form == 0)
            random_linear(&stream, m, 1);
        else if (form == 1)
            random_network(&stream, m, hidden, 1, 1, ASCI_RELU);
        else
            random_ensemble(&stream, m, 1, 1, &o);
        m->rescale = need(1, sizeof *m->rescale);
        *m->rescale = (struct asci_rescale){ 10.0, 0.25, -0.5, 0.75, 0 };
        round_trip(random_end(m, 0, ASCI_LINK_NONE), 1e-13);
    }
}

/* Models of other programs, read, written and read again.  `none` of a
 * RegressionModel gives the last of several classes what the others leave:
 * hence a tolerance for classifiers by trees. */
static void
other_programs(void **state)
{
    static const char *const names[] = {
        "golden/linear_shap", "golden/kernel_logistic5",
        "golden/nn_mlp_relu_clf", "golden/kernel_mlp8",
        "golden/tree_sk_gbm_binary", "golden/tree_xgb_binary_nan",
        "data/pmml/cpmml-HousingLRClassifier.pmml",
        "data/pmml/dmg-tree_nullPrediction.pmml",
        "data/pmml/knime-DecisionTreeEnsembleAudit.pmml",
        "data/pmml/knime-PolynomialRegressionAuto.pmml",
        "data/pmml/rapidminer-NeuralNetworkIris.pmml",
        "data/pmml/rattle-GBMAuto.pmml",
        "data/pmml/rattle-RandomForestAudit.pmml",
        "data/pmml/rattle-RegressionXformAuto.pmml",
        "data/pmml/sas-LogisticRegressionIris.pmml",
        "data/pmml/sk-IsotonicRegressionAuto.pmml",
        "data/pmml/sk-LightGBMAuditNA.pmml",
        "data/pmml/sk-XGBoostAuditNA.pmml", "data/pmml/sk-XGBoostIris.pmml",
        "data/pmml/sk-RandomForestAuto.pmml.gz"
    };
    size_t i, seen = 0;

    (void)state;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4200], file[128];
        struct asc_error e = { 0 };
        asc_model *m;

        snprintf(file, sizeof file, strstr(names[i], "golden") ?
                 "%s/model.pmml" : "%s", names[i]);
        if (!shared_path(file, path, sizeof path))
            continue;
        if (!(m = asc_model_read(path, NULL, &e)))
            fail_msg("%s", e.text);
        same_values(m, m->form == ASC_FORM_ENSEMBLE && !m->classifier ? 0.0
                                                                      : 1e-15);
        asc_model_free(m);
        seen++;
    }
    if (seen == 0)
        skip();
}

/* ---- what the text looks like ---- */

static int
has(const struct asc_buffer *b, const char *text)
{
    const size_t n = strlen(text);
    size_t i;

    for (i = 0; i + n <= b->n; i++)
        if (!memcmp(b->p + i, text, n))
            return 1;
    return 0;
}

static void
statistics(void **state)
{
    asc_model *m = random_schema("x3"), *back;
    struct asc_buffer text;

    (void)state;
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 1);
    random_end(m, 0, ASCI_LINK_NONE);
    m->description = strdup("logistic<2>");
    m->stats = need(2, sizeof *m->stats);
    m->stats[0] = (struct asci_field_stats){
        90.0, 10.0, 1.5, 0.5, -1.0, 4.0, 1.25, 1.0, 2.0, NULL
    };
    m->stats[1].n = 99.5;
    m->stats[1].count = need(3, sizeof *m->stats[1].count);
    m->stats[1].count[1] = 99.5;
    back = write_and_read(m, &text);
    assert_true(has(&text, "algorithmName=\"logistic&lt;2&gt;\""));
    assert_true(has(&text, "<UnivariateStats field=\"age\">"));
    assert_true(has(&text, "<Counts totalFreq=\"100\" missingFreq=\"10\"/>"));
    assert_true(has(&text, "<NumericInfo minimum=\"-1\" maximum=\"4\" "
                    "mean=\"1.5\" standardDeviation=\"0.5\" median=\"1.25\" "
                    "interQuartileRange=\"1\">"));
    assert_true(has(&text, "<Quantile quantileLimit=\"25\" "
                    "quantileValue=\"1\"/>"));
    assert_true(has(&text, "<Array type=\"string\" n=\"3\">&quot;b "
                    "c&quot; &quot;\\&quot;q\\&quot;&quot; &lt;&amp;&gt;"
                    "</Array>"));
    assert_true(has(&text, "<Array type=\"real\" n=\"3\">0 99.5 0</Array>"));
    asc_buffer_free(&text);
    asc_model_free(back);
    asc_model_free(m);
}

/* The same model, the same bytes; and it is put behind what is there. */
static void
appended(void **state)
{
    asc_model *m = random_schema("x");
    struct asc_buffer a = { 0 }, b = { 0 };

    (void)state;
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 1);
    random_end(m, 0, ASCI_LINK_NONE);
    asc_buffer_text(&b, "before");
    assert_int_equal(asc_model_write_pmml(m, &a, NULL), ASC_OK);
    assert_int_equal(asc_model_write_pmml(m, &b, NULL), ASC_OK);
    assert_int_equal(b.n, a.n + 6);
    assert_memory_equal(b.p, "before", 6);
    assert_memory_equal(b.p + 6, a.p, a.n);
    asc_buffer_free(&a);
    asc_buffer_free(&b);
    asc_model_free(m);
}

static void
write_fails(asc_model *m, enum asc_status status, const char *text)
{
    struct asc_buffer b = { 0 };
    struct asc_error e = { 0 };

    asc_buffer_text(&b, "kept");
    assert_int_equal(asc_model_write_pmml(m, &b, &e), status);
    assert_string_equal(e.text, text);
    assert_int_equal(b.n, 4);
    asc_buffer_free(&b);
    asc_model_free(m);
}

static void
refused(void **state)
{
    static const size_t hidden[] = { 2 };
    asc_model *m = random_schema("x");

    (void)state;
    m->n_raw = 1;
    m->form = ASC_FORM_OPAQUE;
    write_fails(m, ASC_EUSAGE, "random: cannot be written as PMML: it has "
                "values only (linear models, networks and ensembles can)");
    m = random_schema("x");
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 2);
    random_end(m, 0, ASCI_LINK_NONE);
    write_fails(m, ASC_EUSAGE, "random: cannot be written as PMML: it has 2 "
                "targets, want one");
    m = random_schema("x");
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 1);
    random_end(m, 0, ASCI_LINK_NONE);
    m->u.linear.w[0] = INFINITY;
    write_fails(m, ASC_EINPUT, "random: cannot be written as PMML: a "
                "coefficient is infinite");
    m = random_schema("x");
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 1);
    random_end(m, 0, ASCI_LINK_NONE);
    free(m->schema.field[0].name);
    m->schema.field[0].name = strdup("bad\x01");
    write_fails(m, ASC_EINPUT, "random: cannot be written as PMML: \"?\" has "
                "a byte that is not text");
    m = random_schema("x");
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_linear(&stream, m, 1);
    random_end(m, 0, ASCI_LINK_NONE);
    free(m->target);
    m->target = strdup("age");
    write_fails(m, ASC_EINPUT, "random: cannot be written as PMML: the "
                "target \"age\" is a field, too");
    m = random_schema("x");
    random_encoder(&stream, m, COLUMNS_PLAIN);
    random_network(&stream, m, hidden, 1, 1, ASCI_RELU);
    random_end(m, 2, ASCI_LINK_PROBIT);
    write_fails(m, ASC_EUSAGE, "random: cannot be written as PMML: a network "
                "with the link probit");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear), cmocka_unit_test(more_links),
        cmocka_unit_test(linear_columns), cmocka_unit_test(interactions),
        cmocka_unit_test(networks), cmocka_unit_test(ensembles),
        cmocka_unit_test(averages), cmocka_unit_test(covers),
        cmocka_unit_test(infinite_thresholds),
        cmocka_unit_test(treatments), cmocka_unit_test(rescaling),
        cmocka_unit_test(other_programs),
        cmocka_unit_test(statistics), cmocka_unit_test(appended),
        cmocka_unit_test(refused)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    asc_stream_start(&stream, test_seed(1), "pmml", NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
