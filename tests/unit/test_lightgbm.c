/* LightGBM's text format: models of a few nodes with values worked by hand,
 * or by the rules of decisions written out plainly.  LightGBM's own numbers
 * are in test_lightgbm_cases.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribution.h"
#include "attribute/internal.h"
#include "games.h"
#include "lightgbm.h"
#include "model/core.h"
#include "table/internal.h"
#include "temporary.h"

#define ZERO 1.0000000180025095e-35     /* the double of the float 1e-35 */

/* The value of a text in a table. */
static double
value_of(asc_model *m, size_t field, const char *text)
{
    struct asc_text t = { text, strlen(text) };
    struct asc_error e;
    double v;

    if (asc_field_value(&asc_model_open_schema(m)->field[field], t, "t", &v,
                        &e))
        fail_msg("%s", e.text);
    return v;
}

/* ---- decisions ---- */

/* Whether v goes left: LightGBM's rule for numbers, written out. */
static int
goes_left(double v, double threshold, int decision)
{
    const int missing = decision >> 2 & 3, left = decision >> 1 & 1;

    if (isnan(v) && missing != 2)
        v = 0.0;
    if (missing == 1 && v >= -ZERO && v <= ZERO)
        return left;
    if (missing == 2 && isnan(v))
        return left;
    return v <= threshold;
}

static void
numbers(void **state)
{
    static const char *const thresholds[] = {
        "-2", "0", "-0.5", "1.0000000180025095e-35", "-1e-35", "3", "1e-300",
        "inf", "-inf"
    };
    static const double values[] = {
        NAN, 0.0, -0.0, 1e-36, -1e-36, ZERO, -ZERO, 1.1e-35, -1.1e-35, -2.0,
        -1.0, 1.0, 3.0, 3.0000000000000004, 1e300, -1e300
    };
    size_t i, j;
    int decision;

    (void)state;
    for (i = 0; i < sizeof thresholds / sizeof *thresholds; i++)
        for (decision = 0; decision < 12; decision++) {
            struct asc_buffer b = { 0 };
            struct parts p = { 0 };
            asc_model *m;

            if (decision & 1)
                continue;
            asc_buffer_print(&b, "Tree=0\nnum_leaves=2\nnum_cat=0\n"
                             "split_feature=1\nthreshold=%s\n"
                             "decision_type=%d\nleft_child=-1\n"
                             "right_child=-2\nleaf_value=1 2\n\n",
                             thresholds[i], decision);
            asc_buffer_char(&b, '\0');
            p.trees = b.p;
            m = read_parts(&p);
            for (j = 0; j < sizeof values / sizeof *values; j++) {
                const double x[2] = { 7.0, values[j] };

                close_to(answer(m, ASC_RAW, x),
                         goes_left(values[j], strtod(thresholds[i], NULL),
                                   decision) ? 1.0 : 2.0, 0.0);
            }
            assert_false(asci_ensemble_has_covers(&m->u.ensemble));
            asc_model_free(m);
            asc_buffer_free(&b);
        }
}

/* A field that is split with 0 as a number and with 0 as missing. */
static void
both_kinds_of_zero(void **state)
{
    const struct parts p = {
        .trees = STUMP("0", "0", "-1", "6", "0\n")
                 STUMP("1", "0", "-1", "10", "0\n")
    };
    asc_model *m = read_parts(&p);
    const double zero[2] = { 0.0, 0.0 }, none[2] = { NAN, 0.0 };
    const double low[2] = { -3.0, 0.0 };

    (void)state;
    assert_int_equal(m->encoder.n, 3);
    close_to(answer(m, ASC_RAW, zero), 1.0 + 2.0, 0.0);
    close_to(answer(m, ASC_RAW, none), 1.0 + 1.0, 0.0);
    close_to(answer(m, ASC_RAW, low), 1.0 + 1.0, 0.0);
    asc_model_free(m);
}

/* Codes 1, 33 and 70 go left; the field's categories are those of the file. */
static void
codes(void **state)
{
    static const struct { const char *text; double y; } cases[] = {
        { "1", 1.0 }, { "33", 1.0 }, { "70", 1.0 }, { "70.0", 1.0 },
        { "33.9", 1.0 }, { "2", 2.0 }, { "0", 2.0 }, { "-1", 2.0 },
        { "5", 2.0 }, { "-0.5", 2.0 }, { "1e9", 2.0 }, { "", 2.0 },
        { "NA", 2.0 }, { "1e300", 2.0 }
    };
    const struct parts p = {
        .infos = "feature_infos=[0:1] -1:70:2:1:0\n",
        .trees = STUMP("0", "1", "0", "9", "1\ncat_boundaries=0 3\n"
                       "cat_threshold=2 2 64\n")
    };
    const struct parts zero = {
        .infos = "feature_infos=[0:1] 0:4\n",
        .trees = STUMP("0", "1", "0", "1", "1\ncat_boundaries=0 1\n"
                       "cat_threshold=1\n")
    };
    asc_model *m = read_parts(&p);
    const struct asc_field *f = &m->schema.field[1];
    struct asc_text text = { "red", 3 };
    struct asc_error e;
    double v;
    size_t i;

    (void)state;
    assert_int_equal(f->kind, ASC_CATEGORICAL);
    assert_int_equal(f->n_categories, 5);
    assert_string_equal(f->categories[0], "0");
    assert_string_equal(f->categories[3], "33");
    assert_string_equal(f->categories[4], "70");
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double x[2] = { 0.0, value_of(m, 1, cases[i].text) };

        close_to(answer(m, ASC_RAW, x), cases[i].y, 0.0);
    }
    assert_int_equal(asc_field_value(&m->schema.field[1], text, "t:3", &v,
                                     &e), ASC_EINPUT);
    assert_string_equal(e.text, "t:3: field \"b\": \"red\" is not a number");
    asc_model_free(m);
    m = read_parts(&zero);
    {
        /* LightGBM cuts -0.5 to 0 */
        const double x[2] = { 0.0, value_of(m, 1, "-0.5") };

        close_to(answer(m, ASC_RAW, x), 1.0, 0.0);
    }
    asc_model_free(m);
}

/* ---- pandas ---- */

static double
pandas(const struct parts *p, const char *a, const char *b)
{
    asc_model *m = read_parts(p);
    const double x[2] = { value_of(m, 0, a), value_of(m, 1, b) };
    const double y = answer(m, ASC_RAW, x);

    asc_model_free(m);
    return y;
}

static void
categories_of_pandas(void **state)
{
    const struct parts texts = {
        .infos = "feature_infos=[0:1] 0:2:1\n", .trees = SPLIT_B,
        .end = END("[[\"red\", \"gr\\u00fcn\", \"1\"]]")
    };
    const struct parts wholes = {
        .infos = "feature_infos=[0:1] 0:2:1\n", .trees = SPLIT_B,
        .end = END("[[3, 5, 8]]")
    };
    const struct parts truths = {
        .infos = "feature_infos=none -1:1:0\n",
        .trees = STUMP("0", "1", "0", "1", "1\ncat_boundaries=0 1\n"
                       "cat_threshold=2\n"),
        .end = END("[[false, true]]")
    };
    const struct parts large = {
        .infos = "feature_infos=[0:1] 0:1\n",
        .trees = STUMP("0", "1", "0", "1", "1\ncat_boundaries=0 1\n"
                       "cat_threshold=2\n"),
        .end = END("[[9007199254740993, 9007199254740994]]")
    };

    (void)state;
    close_to(pandas(&texts, "0", "red"), 1.0, 0.0);
    close_to(pandas(&texts, "0", "gr\xc3\xbcn"), 2.0, 0.0);
    close_to(pandas(&texts, "0", "1"), 1.0, 0.0);
    close_to(pandas(&texts, "0", "blue"), 2.0, 0.0);   /* code -1: missing */
    close_to(pandas(&texts, "0", ""), 2.0, 0.0);
    close_to(pandas(&wholes, "0", "3"), 1.0, 0.0);
    close_to(pandas(&wholes, "0", "3.0"), 1.0, 0.0);
    close_to(pandas(&wholes, "0", "5"), 2.0, 0.0);
    close_to(pandas(&wholes, "0", "8"), 1.0, 0.0);
    close_to(pandas(&wholes, "0", "0"), 2.0, 0.0);
    close_to(pandas(&truths, "0", "TRUE"), 1.0, 0.0);
    close_to(pandas(&truths, "0", "False"), 2.0, 0.0);
    close_to(pandas(&large, "0", "9007199254740993"), 2.0, 0.0);
    close_to(pandas(&large, "0", "9007199254740994"), 1.0, 0.0);
}

/* An ordered category has a list, but is split by thresholds on its code: a
 * category that the list lacks is missing. */
static void
ordered_categories(void **state)
{
    const struct parts p = {
        .infos = "feature_infos=[0:2] [-3:2]\n",
        .trees = STUMP("0", "0", "0.5", "10", "0\n"),
        .end = END("[[\"low\", \"middle\", \"high\"]]")
    };
    const struct parts zero = {
        .infos = "feature_infos=[0:2] [-3:2]\n",
        .trees = STUMP("0", "0", "1.5", "4", "0\n"),
        .end = END("[[\"low\", \"middle\", \"high\"]]")
    };
    /* declared by hand beside it: codes without a list */
    const struct parts beside = {
        .infos = "feature_infos=[0:2] 7:9\n",
        .trees = STUMP("0", "1", "0", "9", "1\ncat_boundaries=0 1\n"
                       "cat_threshold=512\n"),
        .end = END("[[\"low\", \"middle\", \"high\"]]")
    };

    (void)state;
    close_to(pandas(&p, "low", "0"), 1.0, 0.0);
    close_to(pandas(&p, "middle", "0"), 2.0, 0.0);
    close_to(pandas(&p, "other", "0"), 1.0, 0.0);
    close_to(pandas(&zero, "low", "0"), 2.0, 0.0);
    close_to(pandas(&zero, "middle", "0"), 1.0, 0.0);
    close_to(pandas(&zero, "high", "0"), 2.0, 0.0);
    close_to(pandas(&beside, "high", "9"), 1.0, 0.0);
    close_to(pandas(&beside, "high", "7"), 2.0, 0.0);
}

/* A feature of one value, which leaves no trace but in the parameters. */
static void
constant_category(void **state)
{
    const struct parts p = {
        .infos = "feature_infos=none 0:1\n", .trees = SPLIT_B,
        .end = "end of trees\n\nparameters:\n[categorical_feature: 0,1]\n"
               "end of parameters\n\n"
               "pandas_categorical:[[\"x\"], [\"u\", \"v\", \"w\"]]\n"
    };

    (void)state;
    close_to(pandas(&p, "x", "u"), 1.0, 0.0);
    close_to(pandas(&p, "x", "v"), 2.0, 0.0);
}

/* ---- objectives ---- */

static void
objectives(void **state)
{
    static const struct { const char *line; double y; } cases[] = {
        { "", 2.0 }, { "objective=custom\n", 2.0 }, { "objective=\n", 2.0 },
        { "objective=regression\n", 2.0 },
        { "objective=regression sqrt\n", 4.0 },
        { "objective=regression_l1 sqrt\n", 4.0 },
        { "objective=huber sqrt\n", 2.0 }, { "objective=fair\n", 2.0 },
        { "objective=quantile\n", 2.0 }, { "objective=mape\n", 2.0 },
        { "objective=poisson\n", 7.389056098930650227 },
        { "objective=gamma\n", 7.389056098930650227 },
        { "objective=tweedie\n", 7.389056098930650227 },
        { "objective=binary sigmoid:1\n", 0.8807970779778824440 },
        { "objective=binary sigmoid:0.5\n", 0.7310585786300048793 },
        { "objective=cross_entropy\n", 0.8807970779778824440 },
        { "objective=cross_entropy_lambda\n", 2.1269280110429727 },
        { "objective=lambdarank\n", 2.0 },
        { "objective=rank_xendcg\n", 2.0 }
    };
    const double right[2] = { 1.0, 0.0 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sizes[200];
        const struct parts p = { .sizes = sizes };
        asc_model *m;

        snprintf(sizes, sizeof sizes, "%s%s", HEADER("1", "1"),
                 cases[i].line);
        m = read_parts(&p);
        close_to(answer(m, ASC_RAW, right), 2.0, 0.0);
        close_to(answer(m, ASC_RESPONSE, right), cases[i].y, 2e-15);
        assert_int_equal(asc_model_classifier(m),
                         strstr(cases[i].line, "binary") != NULL);
        asc_model_free(m);
    }
}

/* Leaves -1 and 2: the square keeps the sign; the slopes of links. */
static void
signs(void **state)
{
    const struct parts p = {
        .sizes = HEADER("1", "1") "objective=l2 sqrt\n",
        .trees = LEAF("0", "-3")
    };
    asc_model *m = read_parts(&p);
    const double x[2] = { 0.0, 0.0 };
    static const enum asci_link links[] = {
        ASCI_LINK_SIGNED_SQUARE, ASCI_LINK_SOFTPLUS, ASCI_LINK_LOGIT
    };
    size_t i, k;

    (void)state;
    close_to(answer(m, ASC_RESPONSE, x), -9.0, 0.0);
    m->link_factor = 0.7;
    for (i = 0; i < 3; i++)
        for (k = 0; k < 5; k++) {
            const double r = -3.1 + 1.7 * (double)k, h = 1e-6;
            const double low = r - h, high = r + h;
            double s, y[2];

            m->link = links[i];
            asci_outputs(m, ASC_RESPONSE, &low, 1, &y[0]);
            asci_outputs(m, ASC_RESPONSE, &high, 1, &y[1]);
            asci_output_slopes(m, ASC_RESPONSE, &r, 0, &s);
            close_to(s, (y[1] - y[0]) / (2.0 * h), 1e-8);
        }
    asc_model_free(m);
}

static void
several_classes(void **state)
{
    static const char trees[] = LEAF("0", "1") LEAF("1", "2") LEAF("2", "4")
                                LEAF("3", "1") LEAF("4", "0") LEAF("5", "-1");
    const struct parts softmax = {
        .sizes = HEADER("3", "1") "objective=multiclass num_class:3\n",
        .trees = trees
    };
    const struct parts ova = {
        .sizes = HEADER("3", "1")
                 "objective=multiclassova num_class:3 sigmoid:2\n",
        .trees = trees
    };
    const struct parts plain = { .sizes = HEADER("3", "1"), .trees = trees };
    const struct parts forest = {
        .sizes = HEADER("3", "1")
                 "objective=multiclass num_class:3\naverage_output\n",
        .trees = trees
    };
    const double x[2] = { 0.0, 0.0 };
    asc_model *m = read_parts(&softmax);

    (void)state;
    assert_int_equal(asc_model_n_outputs(m), 3);
    assert_string_equal(asc_model_output(m, 2), "2");
    close_to(answer(m, ASC_RAW, x), 3.0, 0.0);
    close_to(answer(m, ASC_RESPONSE, x),
             exp(3.0) / (2.0 * exp(2.0) + exp(3.0)), 1e-15);
    asc_model_free(m);
    m = read_parts(&ova);
    close_to(answer(m, ASC_RESPONSE, x), 1.0 / (1.0 + exp(-6.0)), 1e-15);
    assert_true(asc_model_classifier(m));
    asc_model_free(m);
    m = read_parts(&plain);
    close_to(answer(m, ASC_RESPONSE, x), 3.0, 0.0);
    assert_string_equal(asc_model_output(m, 2), "y2");
    asc_model_free(m);
    m = read_parts(&forest);
    close_to(answer(m, ASC_RAW, x), 1.5, 0.0);
    asc_model_free(m);
}

/* ---- versions ---- */

static void
versions(void **state)
{
    static const char *const lines[] = {
        "version=v2\n", "version=v3\n", "version=v4\n", ""
    };
    const double x[2] = { 0.6, 0.0 };
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        struct parts p = { .version = lines[i] };
        asc_model *m = read_parts(&p);

        close_to(answer(m, ASC_RAW, x), 2.0, 0.0);
        asc_model_free(m);
        p.end = "\nfeature importances:\na=1\n";       /* before 2.2 */
        m = read_parts(&p);
        close_to(answer(m, ASC_RAW, x), 2.0, 0.0);
        asc_model_free(m);
    }
}

/* Lines that end as on Windows, and a byte order mark. */
static void
carriage_returns(void **state)
{
    struct asc_buffer b = { 0 }, c = { 0 };
    const struct parts p = { 0 };
    const double x[2] = { 0.6, 0.0 };
    struct asc_error e;
    asc_model *m;
    size_t i;

    (void)state;
    compose(&b, &p);
    asc_buffer_text(&c, "\xef\xbb\xbf");
    for (i = 0; i + 1 < b.n; i++) {
        if (b.p[i] == '\n')
            asc_buffer_char(&c, '\r');
        asc_buffer_char(&c, b.p[i]);
    }
    assert_true(asci_lightgbm_looks(c.p, c.n));
    m = read_bytes(c.p, c.n, &e);
    if (!m)
        fail_msg("%s", e.text);
    close_to(answer(m, ASC_RAW, x), 2.0, 0.0);
    asc_model_free(m);
    asc_buffer_free(&c);
    asc_buffer_free(&b);
}

/* Counts are covers; where they are 0, sums of hessians. */
static void
covers(void **state)
{
    static const struct { const char *from, *to; double root, right; }
    cases[] = {
        { "", "", 80.0, 50.0 },
        { "internal_count=80\n", "internal_count=0\n", 8.0, 5.0 },
        { "leaf_count=30 50\n", "", 8.0, 5.0 }
    };
    static const char tree[] = STUMP("0", "0", "0.5", "8", "0\n");
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        char text[sizeof tree + 40];
        const char *at = strstr(tree, cases[i].from);
        const struct parts p = { .trees = text };
        asc_model *m;

        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - tree), tree,
                 cases[i].to, at + strlen(cases[i].from));
        m = read_parts(&p);
        assert_non_null(m->u.ensemble.tree[0].cover);
        close_to(m->u.ensemble.tree[0].cover[0], cases[i].root, 0.0);
        close_to(m->u.ensemble.tree[0].cover[2], cases[i].right, 0.0);
        asc_model_free(m);
    }
}

/* ---- names ---- */

static int
bind_header(asc_model *m, const char *header, struct asc_error *e)
{
    asc_reader *r = asc_reader_open(temporary_file("t.tsv", header), NULL, e);
    struct asc_binding b = { 0 };
    int status;

    assert_non_null(r);
    status = asc_bind(&b, asc_model_open_schema(m), r, e);
    if (status == ASC_OK)
        asc_binding_free(&b);
    asc_reader_close(r);
    return status;
}

/* LightGBM writes underscores for the blanks of a name. */
static void
blanks_in_names(void **state)
{
    const struct parts p = { .names = "feature_names=sepal_length_(cm) b=c\n" };
    asc_model *m = read_parts(&p);
    struct asc_error e;

    (void)state;
    assert_int_equal(bind_header(m, "b=c\tsepal length (cm)\n", &e), ASC_OK);
    assert_int_equal(bind_header(m, "b=c\tsepal_length_(cm)\tsepal length "
                                 "(cm)\n", &e), ASC_OK);
    assert_int_equal(bind_header(m, "b=c\tsepal length_(cm)\tsepal_length "
                                 "(cm)\n", &e), ASC_EINPUT);
    assert_non_null(strstr(e.text, ": columns \"sepal length_(cm)\" and "
                           "\"sepal_length (cm)\" could both be field "
                           "\"sepal_length_(cm)\""));
    assert_int_equal(bind_header(m, "b=c\tsepal_length\n", &e), ASC_EINPUT);
    asc_model_free(m);
}

/* ---- linear leaves ---- */

static void
linear_leaves(void **state)
{
    static const double values[] = { NAN, -2.0, -0.3, 0.0, 0.7, 1.0, 1.5 };
    const struct parts p = {
        .trees = LINEAR("0") STUMP("1", "0", "0.5", "8", "0\n")
    };
    const struct parts constant = {
        .trees = "Tree=0\nnum_leaves=1\nnum_cat=0\nleaf_value=4\n"
                 "is_linear=1\nleaf_const=1\nnum_features=1\n"
                 "leaf_features=1 \nleaf_coeff=0.25 \n\n"
    };
    const struct parts flat = {
        .trees = "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\n"
                 "threshold=1\ndecision_type=8\nleft_child=-1\n"
                 "right_child=-2\nleaf_value=1 2\nis_linear=1\n"
                 "leaf_const=3 4\nnum_features=0 0\nleaf_features= \n"
                 "leaf_coeff=  \n\n"
    };
    asc_model *m = read_parts(&p);
    size_t i, j;

    (void)state;
    assert_int_equal(asc_model_views(m), 0);
    for (i = 0; i < 7; i++)
        for (j = 0; j < 7; j++) {
            const double x[2] = { values[i], values[j] };

            close_to(answer(m, ASC_RAW, x), linear_rule(x[0], x[1]) +
                     (x[0] <= 0.5 ? 1.0 : 2.0), 1e-15);
        }
    asc_model_free(m);
    m = read_parts(&constant);
    for (i = 0; i < 7; i++) {
        const double x[2] = { 0.0, values[i] };

        close_to(answer(m, ASC_RAW, x),
                 i == 0 ? 4.0 : 1.0 + 0.25 * values[i], 0.0);
    }
    asc_model_free(m);
    /* no terms at all: trees as ever, with the constants as values */
    m = read_parts(&flat);
    assert_int_equal(asc_model_views(m), ASC_NEEDS_TREES);
    close_to(answer(m, ASC_RAW, (double[2]){ 2.0, 0.0 }), 4.0, 0.0);
    asc_model_free(m);
}

/* Methods that know trees must not take the leaves' values for all there is:
 * against the game by its definition. */
static void
methods_on_linear_leaves(void **state)
{
    const struct parts p = {
        .sizes = HEADER("2", "1") "objective=multiclass num_class:2\n",
        .trees = LINEAR("0") STUMP("1", "0", "0.5", "8", "0\n")
    };
    const double z[8] = { 0.3, -1.0, 2.0, 0.5, -0.7, 0.1, 0.9, -0.2 };
    const double x[6] = { -0.5, -0.4, 1.4, 2.0, 0.8, 0.6 };
    const size_t of = 0, against = 1;
    struct asc_background b = { 0 };
    struct asc_buffer out = { 0 };
    struct explanation got;
    struct asc_error e;
    asc_model *m = read_parts(&p), *contrast;
    double phi[2], y[2], difference;
    size_t i, j, k, scale;

    (void)state;
    make_background(m, z, 4, &b);
    for (scale = 0; scale < 2; scale++)
        for (k = 0; k < 2; k++) {
            got = explain("exact-shapley", &asci_method_exact_shapley, m,
                          scale ? ASC_RESPONSE : ASC_RAW, &b, x, 3, k);
            for (i = 0; i < 3; i++) {
                shapley_of(m, scale ? ASC_RESPONSE : ASC_RAW, &b, x + 2 * i,
                           k, phi);
                for (j = 0; j < 2; j++)
                    close_to(got.phi[2 * i + j], phi[j], 1e-12);
            }
            explanation_free(&got);
        }
    assert_int_equal(explain_blocks("tree-shap", &asci_method_tree_shap, m,
                                    ASC_RAW, NULL, x, 3, &of, 1, 3, &got, &e),
                     ASC_EUSAGE);
    explanation_free(&got);
    assert_non_null(strstr(e.text, "m: tree-shap needs trees whose leaves "
                           "are constants, which this model has not; "));
    assert_int_equal(asc_model_write_pmml(m, &out, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "m: cannot be written as PMML: the leaves of "
                        "its trees are linear");
    contrast = asc_model_contrast(m, ASC_RAW, &of, &against, 1, &e);
    assert_non_null(contrast);
    for (i = 0; i < 3; i++) {
        asc_model_evaluate(m, ASC_RAW, x + 2 * i, 1, y, &e);
        asc_model_evaluate(contrast, ASC_RAW, x + 2 * i, 1, &difference, &e);
        close_to(difference, y[0] - y[1], 1e-15);
    }
    asc_model_free(contrast);
    asc_background_free(&b);
    asc_model_free(m);
}

/* ---- PMML ---- */

static void
written_as_pmml(void **state)
{
    static const double values[] = { NAN, 0.0, 1e-36, -1e-36, ZERO, -ZERO,
                                     1.1e-35, -1.1e-35, -2.5, -1.0, 2.0 };
    const struct parts models[] = {
        { .trees = STUMP("0", "0", "-2", "4", "0\n")
                   STUMP("1", "0", "-2", "6", "0\n")
                   STUMP("2", "0", "1", "4", "0\n")
                   STUMP("3", "0", "1", "6", "0\n")
                   STUMP("4", "0", "0", "10", "0\n")
                   STUMP("5", "0", "inf", "4", "0\n")
                   STUMP("6", "0", "-inf", "6", "0\n") },
        { .sizes = HEADER("1", "1") "objective=binary sigmoid:0.7\n" },
        { .infos = "feature_infos=[0:1] 0:2:1\n", .trees = SPLIT_B,
          .end = END("[[\"red\", \"green\", \"blue\"]]") }
    };
    const struct parts ova = {
        .sizes = HEADER("2", "1")
                 "objective=multiclassova num_class:2 sigmoid:1\n",
        .trees = LEAF("0", "1") LEAF("1", "1")
    };
    struct asc_error e;
    struct asc_buffer out = { 0 };
    asc_model *m, *back;
    size_t i, j;

    (void)state;
    for (i = 0; i < 3; i++) {
        m = read_parts(&models[i]);
        out.n = 0;
        if (asc_model_write_pmml(m, &out, &e))
            fail_msg("%s", e.text);
        back = asci_pmml_read("back", out.p, out.n, &e);
        if (!back)
            fail_msg("%s", e.text);
        for (j = 0; j < sizeof values / sizeof *values; j++) {
            const double x[2] = { values[j], i == 2 ? j % 4 : 0.0 };

            close_to(answer(m, ASC_RESPONSE, x),
                     answer(back, ASC_RESPONSE, x), 1e-15);
        }
        asc_model_free(back);
        asc_model_free(m);
    }
    m = read_parts(&ova);
    assert_int_equal(asc_model_write_pmml(m, &out, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "m: cannot be written as PMML: each of its "
                        "classes has a link of its own");
    asc_model_free(m);
    asc_buffer_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(both_kinds_of_zero),
        cmocka_unit_test(codes),
        cmocka_unit_test(categories_of_pandas),
        cmocka_unit_test(ordered_categories),
        cmocka_unit_test(constant_category),
        cmocka_unit_test(objectives),
        cmocka_unit_test(signs),
        cmocka_unit_test(several_classes),
        cmocka_unit_test(versions),
        cmocka_unit_test(carriage_returns),
        cmocka_unit_test(covers),
        cmocka_unit_test(blanks_in_names),
        cmocka_unit_test(linear_leaves),
        cmocka_unit_test(methods_on_linear_leaves),
        cmocka_unit_test(written_as_pmml)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
