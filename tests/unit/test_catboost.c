/* CatBoost models in JSON: small ones with values worked by hand, random ones
 * against a plain evaluator of what CatBoost's documentation and sources say
 * (the bits of a leaf's number one by one; nested nodes by recursion), every
 * loss, classes, and models broken in one place each. */
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
#include "model/booster/booster.h"
#include "seed.h"

static asc_model *
read_text(const char *text, struct asc_error *e)
{
    const size_t n = strlen(text);
    char *copy = malloc(n + 1);
    asc_model *m;

    assert_non_null(copy);
    memcpy(copy, text, n);      /* no byte behind it */
    assert_true(asci_catboost_looks(copy, n));
    m = asci_catboost_read("m", copy, n, e);
    free(copy);
    return m;
}

static asc_model *
must_read(const char *text)
{
    struct asc_error e = { ASC_OK, "" };
    asc_model *m = read_text(text, &e);

    if (!m)
        fail_msg("%s", e.text);
    return m;
}

/* Output k of one row; the model is freed. */
static double
answer(const char *text, enum asc_scale scale, const double *x, size_t k)
{
    struct asc_error e = { ASC_OK, "" };
    asc_model *m = must_read(text);
    double y[8];

    assert_true(asc_model_n_outputs(m) <= 8);
    assert_int_equal(asc_model_predict(m, scale, x, 1, y, &e), ASC_OK);
    asc_model_free(m);
    return y[k];
}

/* ---- by hand ---- */

#define LOSS(type) \
    "\"model_info\":{\"catboost_version_info\":\"Git info:\\n    Branch: "    \
    "tags/v1.2.10\\n\",\"params\":{\"loss_function\":{\"type\":\"" type "\"}}}"
#define FLOAT(index, flat, name, nans, nan)                                  \
    "{\"borders\":[],\"feature_id\":\"" name "\",\"feature_index\":" index   \
    ",\"flat_feature_index\":" flat ",\"has_nans\":" nans                    \
    ",\"nan_value_treatment\":\"" nan "\"}"
#define CATEGORY(index, flat, name)                                          \
    "{\"feature_id\":\"" name "\",\"feature_index\":" index                  \
    ",\"flat_feature_index\":" flat ",\"values\":[]}"
#define ABOVE(index, border)                                                 \
    "{\"border\":" border ",\"float_feature_index\":" index                  \
    ",\"split_index\":0,\"split_type\":\"FloatFeature\"}"
#define IS(index, hash)                                                      \
    "{\"cat_feature_index\":" index ",\"split_index\":0,"                    \
    "\"split_type\":\"OneHotFeature\",\"value\":" hash "}"
#define TREE(values, weights, splits)                                        \
    "{\"leaf_values\":[" values "],\"leaf_weights\":[" weights               \
    "],\"splits\":" splits "}"
#define FEATURES(floats, categories, hashes)                                 \
    "\"features_info\":{\"cat_features_hash\":[" hashes                      \
    "],\"categorical_features\":[" categories "],\"float_features\":["       \
    floats "]}"
#define MODEL(features, info, trees, scale)                                  \
    "{" features "," info ",\"oblivious_trees\":[" trees                     \
    "],\"scale_and_bias\":" scale "}"
#define TWO_FLOATS FEATURES(FLOAT("0", "0", "a", "true", "AsTrue") ","       \
                            FLOAT("1", "2", "b", "true", "AsFalse"),         \
                            CATEGORY("0", "1", "colour"),                    \
                            "{\"hash\":3205865928,\"value\":\"red\"},"       \
                            "{\"hash\":7,\"value\":\"blue\"}")

/* a > 1 is bit 0, b > 2 bit 1: 10 11 12 13, weights 1 2 3 4. */
#define HAND TREE("10,11,12,13", "1,2,3,4",                                  \
                  "[" ABOVE("0", "1") "," ABOVE("1", "2.0") "]")
/* red is bit 0, blue bit 1 (3205865928 - 2^32 = -1089101368) */
#define COLOUR TREE("100,200,300,400", "1,1,1,0",                            \
                    "[" IS("0", "-1089101368") "," IS("0", "7") "]")

static void
symmetric_by_hand(void **state)
{
    static const char one[] = MODEL(TWO_FLOATS, LOSS("RMSE"), HAND,
                                    "[2,[0.5]]");
    static const char old[] = MODEL(TWO_FLOATS, LOSS("RMSE"), HAND, "[2,0.5]");
    static const char none[] = MODEL(TWO_FLOATS, LOSS("RMSE"), HAND,
                                     "[2,null]");
    static const char flat[] = MODEL(TWO_FLOATS, LOSS("RMSE"),
                                     TREE("3", "9", "null"), "[1,[0]]");
    static const char colour[] = MODEL(TWO_FLOATS, LOSS("RMSE"), COLOUR,
                                       "[1,[0]]");
    /* fields in the order of flat_feature_index: a, colour, b */
    const struct { double a, b, want; } cases[] = {
        { 0, 0, 10 }, { 2, 0, 11 }, { 0, 3, 12 }, { 2, 3, 13 },
        { 1, 2, 10 },           /* not above */
        { 1 + 0x1p-30, 0, 10 }, /* floats are compared: it is 1 */
        { 1 + 0x1p-23, 0, 11 },
        { NAN, 0, 11 }, { 0, NAN, 10 }, { NAN, NAN, 11 },
        { INFINITY, -INFINITY, 11 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double x[3] = { cases[i].a, 0, cases[i].b };

        close_to(answer(one, ASC_RAW, x, 0), 2 * cases[i].want + 0.5, 0.0);
        close_to(answer(old, ASC_RAW, x, 0), 2 * cases[i].want + 0.5, 0.0);
        close_to(answer(none, ASC_RAW, x, 0), 2 * cases[i].want, 0.0);
        close_to(answer(flat, ASC_RAW, x, 0), 3.0, 0.0);
    }
    for (i = 0; i < 4; i++) {   /* blue, red, another, missing */
        const double x[3] = { 0, i < 3 ? (double)i : NAN, 0 };
        static const double want[] = { 300, 200, 100, 100 };

        close_to(answer(colour, ASC_RAW, x, 0), want[i], 0.0);
    }
}

static void
schema_and_covers(void **state)
{
    static const char text[] = MODEL(TWO_FLOATS, LOSS("RMSE"),
                                     HAND "," COLOUR, "[1,[0]]");
    asc_model *m = must_read(text);
    const struct asc_schema *s = asc_model_schema(m);
    const struct asci_tree *t = m->u.ensemble.tree;
    static const double covers[] = { 10, 3, 7, 1, 2, 3, 4 };

    (void)state;
    assert_string_equal(asc_model_format(m), "CatBoost JSON 1.2.10");
    assert_string_equal(asc_model_algorithm(m), "symmetric trees, RMSE");
    assert_int_equal(s->n, 3);
    assert_string_equal(s->field[0].name, "a");
    assert_string_equal(s->field[1].name, "colour");
    assert_string_equal(s->field[2].name, "b");
    assert_int_equal(s->field[1].n_categories, 2);
    assert_string_equal(s->field[1].categories[0], "blue");
    assert_string_equal(s->field[1].categories[1], "red");
    assert_int_equal(t->n_nodes, 7);
    /* the root asks the last split, as in CatBoost's own attributions */
    assert_int_equal(t->node[0].column, 2);
    same_bits(t->cover, covers, 7);
    assert_true(asci_ensemble_has_covers(&m->u.ensemble));
    asc_model_free(m);
}

/* b > 5, then left: a > 1 (missing right), right: a leaf.  Members in another
 * order than CatBoost's. */
#define NESTED(value)                                                        \
    "{" FEATURES(FLOAT("0", "0", "", "true", "AsTrue") ","                   \
                 FLOAT("1", "1", "", "false", "AsTrue"), "", "") ","         \
    LOSS("RMSE") ",\"scale_and_bias\":[1,null],\"trees\":["                  \
    "{\"split\":" ABOVE("1", "5") ",\"right\":{\"weight\":4,\"value\":"      \
    value("3") "},\"left\":{\"left\":{\"value\":" value("1")                 \
    ",\"weight\":1},\"split\":" ABOVE("0", "1") ",\"right\":{\"value\":"     \
    value("2") ",\"weight\":2}}},{\"value\":" value("10")                    \
    ",\"weight\":7}]}"
#define SCALAR(v) v
#define VECTOR(v) "[" v ",-1," v "]"

static void
nested_by_hand(void **state)
{
    static const char one[] = NESTED(SCALAR), three[] = NESTED(VECTOR);
    static const struct { double x[2], want; } cases[] = {
        { { 0, 0 }, 11 }, { { 2, 0 }, 12 }, { { 0, 6 }, 13 },
        { { NAN, 0 }, 12 },
        { { 0, NAN }, 11 }      /* none in training: compared, so not above */
    };
    asc_model *m = must_read(one);
    static const double covers[] = { 7, 4, 3, 1, 2 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        close_to(answer(one, ASC_RAW, cases[i].x, 0), cases[i].want, 0.0);
        close_to(answer(three, ASC_RAW, cases[i].x, 2), cases[i].want, 0.0);
        close_to(answer(three, ASC_RAW, cases[i].x, 1), -2.0, 0.0);
    }
    same_bits(m->u.ensemble.tree[0].cover, covers, 5);
    assert_string_equal(asc_model_algorithm(m), "trees, RMSE");
    assert_string_equal(asc_model_schema(m)->field[1].name, "1");
    asc_model_free(m);
}

/* ---- losses and classes ---- */

#define ONE_FLOAT FEATURES(FLOAT("0", "0", "x", "false", "AsIs"), "", "")
#define CONSTANT(info, values)                                               \
    MODEL(ONE_FLOAT, info, TREE(values, "1", "[]"), "[1,[]]")

static void
losses(void **state)
{
    const double x = 0, raw[2] = { 0.75, -0.5 };
    const double soft = 1 / (1 + exp(raw[1] - raw[0]));

    (void)state;
#define ONE(type) CONSTANT(LOSS(type), "0.75")
#define TWO(type) CONSTANT(LOSS(type), "0.75,-0.5")
    close_to(answer(ONE("Logloss"), ASC_RAW, &x, 1), 0.75, 0.0);
    close_to(answer(ONE("Logloss"), ASC_RAW, &x, 0), -0.75, 0.0);
    close_to(answer(ONE("Logloss"), ASC_RESPONSE, &x, 1),
             1 / (1 + exp(-0.75)), 1e-15);
    close_to(answer(ONE("CrossEntropy"), ASC_RESPONSE, &x, 0),
             1 / (1 + exp(0.75)), 1e-15);
    close_to(answer(ONE("Focal"), ASC_RESPONSE, &x, 1),
             1 / (1 + exp(-0.75)), 1e-15);
    close_to(answer(ONE("Poisson"), ASC_RESPONSE, &x, 0), exp(0.75), 1e-15);
    close_to(answer(ONE("Tweedie"), ASC_RESPONSE, &x, 0), exp(0.75), 1e-15);
    close_to(answer(ONE("RMSE"), ASC_RESPONSE, &x, 0), 0.75, 0.0);
    close_to(answer(ONE("Quantile"), ASC_RESPONSE, &x, 0), 0.75, 0.0);
    close_to(answer(ONE("YetiRank"), ASC_RESPONSE, &x, 0), 0.75, 0.0);
    close_to(answer(TWO("MultiRMSE"), ASC_RESPONSE, &x, 1), -0.5, 0.0);
    close_to(answer(TWO("MultiClass"), ASC_RESPONSE, &x, 0), soft, 1e-15);
    close_to(answer(TWO("MultiClass"), ASC_RESPONSE, &x, 1), 1 - soft, 1e-15);
    close_to(answer(TWO("MultiClassOneVsAll"), ASC_RESPONSE, &x, 1),
             1 / (1 + exp(0.5)), 1e-15);
    close_to(answer(TWO("MultiLogloss"), ASC_RESPONSE, &x, 0),
             1 / (1 + exp(-0.75)), 1e-15);
    close_to(answer(TWO("RMSEWithUncertainty"), ASC_RAW, &x, 1), -0.5, 0.0);
    close_to(answer(TWO("RMSEWithUncertainty"), ASC_RESPONSE, &x, 0), 0.75,
             0.0);
    close_to(answer(TWO("RMSEWithUncertainty"), ASC_RESPONSE, &x, 1),
             exp(-1.0), 1e-15);
    /* a sum of models has the loss as a text */
    close_to(answer(CONSTANT("\"model_info\":{\"loss_function\":"
                             "\"{\\\"type\\\":\\\"Logloss\\\"}\"}", "0.75"),
                    ASC_RESPONSE, &x, 1), 1 / (1 + exp(-0.75)), 1e-15);
    close_to(answer(CONSTANT("\"model_info\":{}", "0.75"), ASC_RESPONSE, &x,
                    0), 0.75, 0.0);
}

static void
check_names(const char *text, const char *names)
{
    asc_model *m = must_read(text);
    char got[200] = "";
    size_t k;

    for (k = 0; k < asc_model_n_outputs(m); k++) {
        strcat(got, k ? " " : "");
        strcat(got, asc_model_output(m, k));
    }
    assert_string_equal(got, names);
    asc_model_free(m);
}

static void
names_of_outputs(void **state)
{
#define INFO(type, more)                                                     \
    "\"model_info\":{\"params\":{\"loss_function\":{\"type\":\"" type        \
    "\"}}," more "}"
#define PARAMS(text) "\"class_params\":{" text "}"

    (void)state;
    check_names(CONSTANT(LOSS("RMSE"), "1"), "prediction");
    check_names(CONSTANT(LOSS("MultiQuantile"), "1,2,3"), "y0 y1 y2");
    check_names(CONSTANT(LOSS("RMSEWithUncertainty"), "1,2"),
                "mean variance");
    check_names(CONSTANT(LOSS("Logloss"), "1"), "0 1");
    check_names(CONSTANT(INFO("Logloss", PARAMS("\"class_names\":[\"no\","
                                                "\"yes\"]")), "1"), "no yes");
    check_names(CONSTANT(INFO("Logloss", PARAMS("\"class_names\":[false,"
                                                "true]")), "1"),
                "False True");
    check_names(CONSTANT(INFO("CrossEntropy",
                              PARAMS("\"class_names\":[],"
                                     "\"class_to_label\":[0,1],"
                                     "\"classes_count\":0")), "1"), "0 1");
    check_names(CONSTANT(INFO("MultiClass",
                              PARAMS("\"class_names\":[1,2.5,\"x\"],"
                                     "\"class_to_label\":[0,1,2]")),
                         "1,2,3"), "1 2.5 x");
    /* of five classes that were declared three were seen in training */
    check_names(CONSTANT(INFO("MultiClass",
                              PARAMS("\"class_names\":[\"a\",\"b\",\"c\","
                                     "\"d\",\"e\"],"
                                     "\"class_to_label\":[0,3,4]")),
                         "1,2,3"), "a d e");
    check_names(CONSTANT(INFO("MultiClass",
                              PARAMS("\"class_to_label\":[1,3,9]")),
                         "1,2,3"), "1 3 9");
    check_names(CONSTANT(INFO("MultiClass",
                              PARAMS("\"class_to_label\":[1,3,4],"
                                     "\"classes_count\":5")), "1,2,3"),
                "1 3 4");
    check_names(CONSTANT(INFO("MultiClass", "\"multiclass_params\":"
                              "\"{\\\"class_names\\\":[\\\"u\\\",\\\"v\\\"]}"
                              "\""), "1,2"), "u v");
    check_names(CONSTANT("\"model_info\":{\"params\":{\"loss_function\":"
                         "{\"type\":\"Logloss\"},\"data_processing_options\":"
                         "{\"class_names\":[\"n\",\"p\"]}}}", "1"), "n p");
}

/* ---- random models against a plain evaluator ---- */

enum { MAX_FLOATS = 5, MAX_CATEGORIES = 3, MAX_TREES = 12, MAX_WIDTH = 3,
       MAX_LEVELS = 9, MAX_NODES = 1 << MAX_LEVELS };

struct plain_split {
    int category;
    size_t feature;
    float border;
    int32_t hash;
};
struct plain_node {
    struct plain_split split;
    int leaf;
    size_t left, right;
    double value[MAX_WIDTH];
};
struct plain_model {
    size_t floats, categories, width, n_trees;
    int nan[MAX_FLOATS];        /* 0 AsIs, 1 AsFalse, 2 AsTrue */
    int has_nans[MAX_FLOATS];
    int symmetric;
    size_t levels[MAX_TREES];
    struct plain_split split[MAX_TREES][MAX_LEVELS];
    double value[MAX_TREES][MAX_NODES * MAX_WIDTH];
    struct plain_node *node[MAX_TREES];
    size_t n_nodes[MAX_TREES];
    double scale, bias[MAX_WIDTH];
};

/* The text of category i of any field, and a hash for it. */
static int32_t
hash_of(size_t i)
{
    return (int32_t)(uint32_t)(2654435761u * (uint32_t)(i + 1));
}

static struct plain_split
random_split(struct asc_stream *s, const struct plain_model *p,
             struct asc_buffer *out)
{
    struct plain_split t = { 0, 0, 0.0f, 0 };

    if (p->categories > 0 && asc_stream_uniform(s) < 0.4) {
        t.category = 1;
        t.feature = asc_stream_below(s, p->categories);
        t.hash = hash_of(asc_stream_below(s, 6));
        asc_buffer_print(out, "{\"cat_feature_index\":%zu,\"split_type\":"
                         "\"OneHotFeature\",\"value\":%d}", t.feature,
                         t.hash);
    } else {
        t.feature = asc_stream_below(s, p->floats);
        t.border = (float)asc_stream_normal(s);
        asc_buffer_print(out, "{\"border\":%.9g,\"float_feature_index\":%zu,"
                         "\"split_type\":\"FloatFeature\"}",
                         (double)t.border, t.feature);
    }
    return t;
}

static void
random_value(struct asc_stream *s, size_t n, double *v,
             struct asc_buffer *out)
{
    size_t k;

    for (k = 0; k < n; k++) {
        v[k] = asc_stream_normal(s);
        asc_buffer_print(out, "%s%.17g", k ? "," : "", v[k]);
    }
}

static void
random_symmetric(struct asc_stream *s, struct plain_model *p, size_t tree,
                 struct asc_buffer *out)
{
    const size_t d = asc_stream_below(s, MAX_LEVELS + 1);
    size_t i;

    p->levels[tree] = d;
    asc_buffer_text(out, "{\"leaf_values\":[");
    random_value(s, p->width << d, p->value[tree], out);
    asc_buffer_text(out, "],\"splits\":[");
    for (i = 0; i < d; i++) {
        asc_buffer_text(out, i ? "," : "");
        p->split[tree][i] = random_split(s, p, out);
    }
    asc_buffer_text(out, "]}");
}

static size_t
random_nested(struct asc_stream *s, struct plain_model *p, size_t tree,
              size_t level, struct asc_buffer *out)
{
    const size_t at = p->n_nodes[tree]++;
    struct plain_node *n = &p->node[tree][at];

    n->leaf = level + 1 == MAX_LEVELS || asc_stream_uniform(s) < 0.2;
    if (n->leaf) {
        asc_buffer_text(out, "{\"value\":[");
        random_value(s, p->width, n->value, out);
        asc_buffer_text(out, "]}");
        return at;
    }
    asc_buffer_text(out, "{\"left\":");
    n->left = random_nested(s, p, tree, level + 1, out);
    asc_buffer_text(out, ",\"right\":");
    n->right = random_nested(s, p, tree, level + 1, out);
    asc_buffer_text(out, ",\"split\":");
    n->split = random_split(s, p, out);
    asc_buffer_text(out, "}");
    return at;
}

static void
random_model(struct asc_stream *s, struct plain_model *p,
             struct asc_buffer *out)
{
    static const char *const nan[] = { "AsIs", "AsFalse", "AsTrue" };
    size_t i;

    p->floats = 1 + asc_stream_below(s, MAX_FLOATS);
    p->categories = asc_stream_below(s, MAX_CATEGORIES + 1);
    p->width = 1 + asc_stream_below(s, MAX_WIDTH);
    p->n_trees = asc_stream_below(s, MAX_TREES + 1);
    p->symmetric = asc_stream_uniform(s) < 0.5;
    asc_buffer_text(out, "{\"features_info\":{\"cat_features_hash\":[");
    for (i = 0; i < 6; i++)
        asc_buffer_print(out, "%s{\"hash\":%u,\"value\":\"c%zu\"}",
                         i ? "," : "", (unsigned)hash_of(i), i);
    asc_buffer_text(out, "],\"float_features\":[");
    for (i = 0; i < p->floats; i++) {
        p->nan[i] = (int)asc_stream_below(s, 3);
        p->has_nans[i] = (int)asc_stream_below(s, 2);
        asc_buffer_print(out, "%s{\"feature_index\":%zu,"
                         "\"flat_feature_index\":%zu,\"has_nans\":%s,"
                         "\"nan_value_treatment\":\"%s\"}", i ? "," : "", i,
                         i, p->has_nans[i] ? "true" : "false",
                         nan[p->nan[i]]);
    }
    asc_buffer_text(out, "],\"categorical_features\":[");
    for (i = 0; i < p->categories; i++)
        asc_buffer_print(out, "%s{\"feature_index\":%zu,"
                         "\"flat_feature_index\":%zu}", i ? "," : "", i,
                         p->floats + i);
    asc_buffer_print(out, "]},\"%s\":[", p->symmetric ? "oblivious_trees"
                                                      : "trees");
    for (i = 0; i < p->n_trees; i++) {
        asc_buffer_text(out, i ? "," : "");
        p->node[i] = calloc(MAX_NODES, sizeof **p->node);
        assert_non_null(p->node[i]);
        p->n_nodes[i] = 0;
        if (p->symmetric)
            random_symmetric(s, p, i, out);
        else
            random_nested(s, p, i, 0, out);
    }
    p->scale = asc_stream_normal(s);
    asc_buffer_print(out, "],\"scale_and_bias\":[%.17g,[", p->scale);
    random_value(s, p->width, p->bias, out);
    asc_buffer_text(out, "]]}");
    asc_buffer_char(out, '\0');
    assert_false(out->failed);
}

/* text[j]: category of field j by the number of its text, 6: an unknown one */
static int
plain_answer(const struct plain_model *p, const struct plain_split *t,
             const float *x, const size_t *text)
{
    float v;

    if (t->category)
        return text[t->feature] < 6 && hash_of(text[t->feature]) == t->hash;
    v = x[t->feature];
    if (isnan(v) && p->has_nans[t->feature] && p->nan[t->feature])
        v = p->nan[t->feature] == 1 ? -INFINITY : INFINITY;
    return v > t->border;
}

static const double *
plain_leaf(const struct plain_model *p, size_t tree, size_t at,
           const float *x, const size_t *text)
{
    const struct plain_node *n = &p->node[tree][at];

    if (n->leaf)
        return n->value;
    return plain_leaf(p, tree, plain_answer(p, &n->split, x, text)
                      ? n->right : n->left, x, text);
}

static void
plain_raw(const struct plain_model *p, const float *x, const size_t *text,
          double *y)
{
    size_t i, k, d;

    for (k = 0; k < p->width; k++)
        y[k] = 0.0;
    for (i = 0; i < p->n_trees; i++) {
        const double *value;
        size_t index = 0;

        for (d = 0; p->symmetric && d < p->levels[i]; d++)
            index |= (size_t)plain_answer(p, &p->split[i][d], x, text) << d;
        value = p->symmetric ? p->value[i] + index * p->width
                             : plain_leaf(p, i, 0, x, text);
        for (k = 0; k < p->width; k++)
            y[k] += value[k];
    }
    for (k = 0; k < p->width; k++)
        y[k] = p->scale * y[k] + p->bias[k];
}

/* The value of a category's text in a field, as reading a table gives it. */
static double
category_value(asc_model *m, size_t field, size_t text)
{
    struct asc_field *f = &asc_model_open_schema(m)->field[field];
    struct asc_text t;
    char name[8];
    double v;

    snprintf(name, sizeof name, "c%zu", text);
    t.p = name;
    t.n = strlen(name);
    assert_int_equal(asc_field_value(f, t, "here", &v, NULL), ASC_OK);
    return v;
}

static void
one_random_model(struct asc_stream *s)
{
    struct plain_model *p = calloc(1, sizeof *p);
    struct asc_buffer text = { 0 };
    asc_model *m;
    size_t i, j;

    assert_non_null(p);
    random_model(s, p, &text);
    m = must_read(text.p);
    assert_int_equal(asc_model_n_outputs(m), p->width);
    for (i = 0; i < 50; i++) {
        double x[MAX_FLOATS + MAX_CATEGORIES], want[MAX_WIDTH], y[MAX_WIDTH];
        float single[MAX_FLOATS];
        size_t category[MAX_CATEGORIES];
        struct asc_error e;

        for (j = 0; j < p->floats; j++) {
            x[j] = asc_stream_uniform(s) < 0.1 ? NAN : asc_stream_normal(s);
            single[j] = (float)x[j];
        }
        for (j = 0; j < p->categories; j++) {
            category[j] = asc_stream_below(s, 8);
            x[p->floats + j] = category[j] == 7
                ? NAN : category_value(m, p->floats + j, category[j]);
        }
        plain_raw(p, single, category, want);
        assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, y, &e),
                         ASC_OK);
        same_bits(y, want, p->width);
    }
    for (i = 0; i < p->n_trees; i++)
        free(p->node[i]);
    asc_model_free(m);
    asc_buffer_free(&text);
    free(p);
}

static void
random_models(void **state)
{
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(1), "catboost", "", 0);
    for (i = 0; i < 100; i++)
        one_random_model(&s);
}

/* ---- what is not read ---- */

static void
broken_models(void **state)
{
#define WITH(trees) MODEL(TWO_FLOATS, LOSS("RMSE"), trees, "[1,[0]]")
    static const struct { const char *text, *message; } cases[] = {
        { WITH(TREE("1,2,3", "1,2", "[" ABOVE("0", "1") "]")),
          "oblivious_trees[0]: leaf_values has 3 values, want 2" },
        { WITH(TREE("1,2", "1,2,3", "[" ABOVE("0", "1") "]")),
          "oblivious_trees[0]: leaf_weights has 3 values, want 2" },
        { WITH(TREE("1,2", "1,-2", "[" ABOVE("0", "1") "]")),
          "oblivious_trees[0].leaf_weights[1]: a weight of -2" },
        { WITH(TREE("1,2", "1,2", "[" ABOVE("0", "NaN") "]")),
          "oblivious_trees[0].splits[0].border: it is not a number" },
        { WITH(TREE("1,2", "1,2", "[" ABOVE("4", "1") "]")),
          "features_info.float_features: the feature with the index 4" },
        { WITH(TREE("1,2", "1,2", "[" ABOVE("-1", "1") "]")),
          "oblivious_trees[0].splits[0]: the split has no border" },
        { WITH(TREE("1,2", "1,2", "[" IS("0", "9") "]")),
          "which category of \"colour\" has the hash 9: save the model with" },
        { WITH(TREE("1,2", "1,2", "[" IS("3", "7") "]")),
          "features_info.categorical_features: the feature with the index 3" },
        { WITH(TREE("1,2", "1,2", "[{\"border\":1,\"split_type\":"
                    "\"OnlineCtr\"}]")), "OnlineCtr needs target statistics" },
        { WITH(TREE("1,2", "1,2", "[{\"border\":1,\"split_type\":"
                    "\"EstimatedFeature\"}]")), "needs text or embedding" },
        { WITH(HAND "," TREE("1,2", "1", "[]")),
          "oblivious_trees[1]: a leaf has 2 values, those of other" },
        { MODEL(TWO_FLOATS, LOSS("RMSEE"), HAND, "[1,[0]]"),
          "\"RMSEE\" is not known, nor how its sums become predictions "
          "(nearest: RMSE)" },
        { MODEL(TWO_FLOATS, LOSS("MultiClass"), HAND, "[1,[0]]"),
          "a leaf has 1 values, MultiClass wants 2 or more" },
        { MODEL(TWO_FLOATS, LOSS("RMSE"), HAND, "[1,[0,0]]"),
          "scale_and_bias[1] has 2 values, leaves have 1" },
        { MODEL(TWO_FLOATS, LOSS("RMSE"), HAND, "[NaN,[0]]"),
          "scale_and_bias[0]: the scale is not a finite number" },
        { MODEL(FEATURES(FLOAT("0", "0", "a", "true", "Min"), "", ""),
                LOSS("RMSE"), HAND, "[1,[0]]"),
          "float_features[0].nan_value_treatment: \"Min\" is not known" },
        { MODEL(FEATURES(FLOAT("0", "0", "a", "true", "AsIs") ","
                         FLOAT("1", "0", "b", "true", "AsIs"), "", ""),
                LOSS("RMSE"), HAND, "[1,[0]]"),
          "two features have the flat_feature_index 0" },
        { "{" TWO_FLOATS "}", "oblivious_trees is not there, nor trees" },
        { "{\"oblivious_trees\":[]}", "there are no features" },
        { "{\"oblivious_trees\":{}}", "oblivious_trees: it is an object" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asc_error e = { ASC_OK, "" };
        asc_model *m = read_text(cases[i].text, &e);

        assert_null(m);
        assert_int_equal(e.status, ASC_EINPUT);
        if (strncmp(e.text, "m: ", 3) || !strstr(e.text, cases[i].message) ||
            strchr(e.text, '\n'))
            fail_msg("%s\n# is not\n# %s", e.text, cases[i].message);
    }
}

static void
cut_off_anywhere(void **state)
{
    static const char text[] = MODEL(TWO_FLOATS, LOSS("RMSE"),
                                     HAND "," COLOUR, "[1,[0]]");
    static const char nested[] = NESTED(VECTOR);
    size_t n, k;

    (void)state;
    for (k = 0; k < 2; k++)
        for (n = 0; n + 1 < (k ? sizeof nested : sizeof text); n++) {
            struct asc_error e = { ASC_OK, "" };
            char *copy = malloc(n + 1);

            assert_non_null(copy);
            memcpy(copy, k ? nested : text, n);
            assert_null(asci_catboost_read("m", copy, n, &e));
            assert_int_equal(e.status, ASC_EINPUT);
            free(copy);
        }
}

static void
deep_nesting(void **state)
{
    struct asc_buffer b = { 0 };
    struct asc_error e = { ASC_OK, "" };
    size_t i;

    (void)state;
    asc_buffer_text(&b, "{\"features_info\":{},\"trees\":[");
    for (i = 0; i < 1000000; i++)
        asc_buffer_text(&b, "{\"left\":");
    asc_buffer_char(&b, '\0');
    assert_null(read_text(b.p, &e));
    assert_int_equal(e.status, ASC_EINPUT);
    assert_non_null(strstr(e.text, "nested deeper than 512"));
    asc_buffer_free(&b);
}

static void
recognition(void **state)
{
    static const char *const others[] = {
        "", "{", "[]", "{\"trees\":[]}", "{\"learner\":{}}", "CBM1",
        "{\"a\":{\"features_info\":1}}", "features_info"
    };
    static const char *const models[] = {
        "{\"ctr_data\":", "\xef\xbb\xbf {\"features_info\":",
        "{\"model_info\":{},\"oblivious_trees\":",
        "{\"scale_and_bias\":[1,0]}"
    };
    struct asc_error e = { ASC_OK, "" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(asci_catboost_looks(others[i], strlen(others[i])));
    for (i = 0; i < sizeof models / sizeof *models; i++)
        assert_true(asci_catboost_looks(models[i], strlen(models[i])));
    assert_true(asci_catboost_refused("CBM1....", 8));
    assert_null(asci_catboost_refuse("m", "CBM1", 4, &e));
    assert_non_null(strstr(e.text, "save it as JSON"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symmetric_by_hand),
        cmocka_unit_test(schema_and_covers),
        cmocka_unit_test(nested_by_hand),
        cmocka_unit_test(losses),
        cmocka_unit_test(names_of_outputs),
        cmocka_unit_test(random_models),
        cmocka_unit_test(broken_models),
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(recognition)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
