/* XGBoost models in JSON and UBJSON: a tiny one with values worked by hand,
 * every case of data/boosters against what XGBoost itself predicts and
 * attributes (XGBoost 1.7.4 and 3.4.1), models broken in one place each. */
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
#include "boosters.h"
#include "model/booster/booster.h"

enum { MAX_OUT = 8 };

/* ---- by hand ---- */

/* Node 0: f0 < 1, missing left; 1: colour in {1, 3} goes right, missing
 * right; 2: leaf 4; 3: leaf -1 (not listed); 4: leaf 2 (listed).  The second
 * tree is a leaf of 0.5. */
#define TREE_END "\"sum_hessian\":[10,6,4,2,4],\"id\":0," \
    "\"tree_param\":{\"num_nodes\":\"5\",\"size_leaf_vector\":\"0\"}}"
#define TREE(left, right, index, condition, category)                        \
    "{\"base_weights\":[0,0,0,0,0],\"categories\":" category ","             \
    "\"categories_nodes\":[1],\"categories_segments\":[0],"                  \
    "\"categories_sizes\":[2],\"default_left\":[1,0,0,0,0],"                 \
    "\"left_children\":" left ",\"right_children\":" right ","               \
    "\"split_conditions\":" condition ",\"split_indices\":" index ","        \
    "\"split_type\":[0,1,0,0,0]," TREE_END
#define LEFT "[1,3,-1,-1,-1]"
#define RIGHT "[2,4,-1,-1,-1]"
#define INDEX "[0,1,0,0,0]"
#define CONDITION "[1E0,NaN,4E0,-1E0,2E0]"
#define GOOD_TREE TREE(LEFT, RIGHT, INDEX, CONDITION, "[1,3]")
#define STUMP                                                                \
    "{\"default_left\":[false],\"left_children\":[-1],"                      \
    "\"right_children\":[-1],\"split_conditions\":[5E-1],"                   \
    "\"split_indices\":[0],\"sum_hessian\":[10]}"
#define MODEL(attributes, trees, extra, param, objective)                    \
    "{\"learner\":{\"attributes\":{" attributes "},"                         \
    "\"feature_names\":[\"size\",\"colour\"],"                               \
    "\"feature_types\":[\"float\",\"c\"],\"gradient_booster\":{\"model\":{"  \
    "\"tree_info\":[0,0],\"trees\":[" trees "]" extra "},"                   \
    "\"name\":\"gbtree\"},\"learner_model_param\":{" param "},"              \
    "\"objective\":{\"name\":\"" objective "\"}},\"version\":[2,1,0]}"
#define PARAM "\"base_score\":\"5E-1\",\"num_class\":\"0\",\"num_feature\":\"2\""

static asc_model *
read_text(const char *text, struct asc_error *e)
{
    const size_t n = strlen(text);
    char *copy = malloc(n + 1);
    asc_model *m;

    assert_non_null(copy);
    memcpy(copy, text, n);      /* no byte behind it */
    m = asci_xgboost_read("m", copy, n, e);
    free(copy);
    return m;
}

static double
answer(const char *text, enum asc_scale scale, double size, double colour)
{
    struct asc_error e = { ASC_OK, "" };
    const double x[2] = { size, colour };
    double y[2];
    asc_model *m = read_text(text, &e);
    size_t last;

    if (!m)
        fail_msg("%s", e.text);
    last = asc_model_n_outputs(m) - 1;
    assert_int_equal(asc_model_predict(m, scale, x, 1, y, &e), ASC_OK);
    asc_model_free(m);
    return y[last];
}

static void
worked_by_hand(void **state)
{
    static const char plain[] = MODEL("", GOOD_TREE "," STUMP, "", PARAM,
                                      "reg:squarederror");
    static const char best[] = MODEL("\"best_iteration\":\"0\"",
                                     GOOD_TREE "," STUMP, "", PARAM,
                                     "reg:squarederror");
    static const char dart[] = MODEL("", GOOD_TREE "," STUMP,
                                     ",\"weight_drop\":[5E-1,2E0]", PARAM,
                                     "reg:squarederror");
    static const char vector[] = MODEL("", GOOD_TREE "," STUMP, "",
                                       "\"base_score\":\"[2E-1]\","
                                       "\"num_feature\":\"2\"",
                                       "binary:logistic");
    static const char hinge[] = MODEL("", GOOD_TREE "," STUMP, "", PARAM,
                                      "binary:hinge");

    (void)state;
    close_to(answer(plain, ASC_RAW, 1.0, 0.0), 5.0, 0.0);
    close_to(answer(plain, ASC_RAW, 0.5, 0.0), 0.0, 0.0);
    close_to(answer(plain, ASC_RAW, 0.5, 3.0), 3.0, 0.0);
    close_to(answer(plain, ASC_RAW, NAN, 1.0), 3.0, 0.0);
    close_to(answer(plain, ASC_RAW, NAN, 4.0), 0.0, 0.0);  /* undeclared */
    close_to(answer(plain, ASC_RAW, 0.5, NAN), 3.0, 0.0);
    /* thresholds and numbers are floats: 1 - 2^-30 rounds to 1 */
    close_to(answer(plain, ASC_RAW, 1.0 - 0x1p-30, 0.0), 5.0, 0.0);
    close_to(answer(best, ASC_RAW, 1.0, 0.0), 4.5, 0.0);
    close_to(answer(dart, ASC_RAW, 1.0, 0.0), 0.5 + 2.0 + 1.0, 0.0);
    close_to(answer(vector, ASC_RAW, 0.5, 0.0), log(0.25) - 0.5, 1e-6);
    close_to(answer(vector, ASC_RESPONSE, 0.5, 0.0),
             1.0 / (1.0 + 4.0 * exp(0.5)), 1e-7);
    close_to(answer(hinge, ASC_RESPONSE, 0.5, 0.0), 0.0, 0.0);
    close_to(answer(hinge, ASC_RESPONSE, 0.5, 1.0), 1.0, 0.0);
}

/* What 1.0 to 1.3 wrote: no names, types or categories; truth values for
 * default_left; base_score as std::to_string prints it. */
#define OLD(version, attributes, param, objective)                           \
    "{\"learner\":{\"attributes\":{" attributes "},\"gradient_booster\":{"    \
    "\"model\":{\"gbtree_model_param\":{\"num_trees\":\"4\","                \
    "\"size_leaf_vector\":\"0\"},\"tree_info\":[0,0,0,0],\"trees\":["         \
    OLD_TREE("1") "," OLD_TREE("2") "," OLD_TREE("4") "," OLD_TREE("8")      \
    "]},\"name\":\"gbtree\"},\"learner_model_param\":{" param                \
    ",\"num_class\":\"0\",\"num_feature\":\"2\"},\"objective\":{\"name\":\""   \
    objective "\"}},\"version\":" version "}"
#define OLD_TREE(leaf)                                                       \
    "{\"base_weights\":[0,0," leaf "],\"default_left\":[true,false,false],"  \
    "\"id\":0,\"leaf_child_counts\":[0,0,0],\"left_children\":[1,-1,-1],"    \
    "\"loss_changes\":[1,0,0],\"parents\":[2147483647,0,0],"                \
    "\"right_children\":[2,-1,-1],\"split_conditions\":[1.5,0," leaf "],"   \
    "\"split_indices\":[1,0,0],\"sum_hessian\":[5,2,3],\"tree_param\":{"     \
    "\"num_deleted\":\"0\",\"num_feature\":\"2\",\"num_nodes\":\"3\","         \
    "\"size_leaf_vector\":\"0\"}}"

static void
old_versions(void **state)
{
#define HALF "\"base_score\":\"0.250000\""
    static const char plain[] = OLD("[1,0,0]", "", HALF, "reg:squarederror");
    static const char raw[] = OLD("[1,2,0]", "", HALF, "binary:logitraw");
    static const char later[] = OLD("[1,3,1]", "", HALF, "binary:logitraw");
    static const char logistic[] = OLD("[1,1,0]", "", HALF,
                                       "binary:logistic");
    static const char best[] = OLD("[1,3,3]", "\"best_iteration\":\"0\"",
                                   HALF, "reg:squarederror");
    static const char forest[] = OLD("[1,4,0]", "\"best_iteration\":\"0\","
                                     "\"best_ntree_limit\":\"2\"", HALF,
                                     "reg:squarederror");
    const double logit = log(0.25 / 0.75);

    (void)state;
    close_to(answer(plain, ASC_RAW, 0, 2), 15.25, 0.0);
    close_to(answer(plain, ASC_RAW, 0, 1), 0.25, 0.0);
    close_to(answer(plain, ASC_RAW, 0, NAN), 0.25, 0.0);
    close_to(answer(raw, ASC_RAW, 0, 1), logit, 1e-6);
    close_to(answer(later, ASC_RAW, 0, 1), 0.25, 0.0);
    close_to(answer(logistic, ASC_RAW, 0, 1), logit, 1e-6);
    close_to(answer(best, ASC_RAW, 0, 2), 1.25, 0.0);
    close_to(answer(forest, ASC_RAW, 0, 2), 3.25, 0.0);
}

/* Two leaves of three values each; up to 3.1 they are in base_weights, by
 * node, later in leaf_weights, by the number in right_children. */
#define VECTORS(objective, version, right, weights, base)                    \
    "{\"learner\":{\"gradient_booster\":{\"model\":{\"tree_info\":[0],"      \
    "\"trees\":[{" weights ",\"default_left\":[0,0,0],\"left_children\":"    \
    "[1,-1,-1],\"right_children\":" right ",\"split_conditions\":[0,0,0],"  \
    "\"split_indices\":[0,0,0],\"tree_param\":{\"size_leaf_vector\":"       \
    "\"3\"}}]},\"name\":\"gbtree\"},\"learner_model_param\":{"              \
    "\"base_score\":\"" base "\",\"num_feature\":\"1\",\"num_target\":"      \
    "\"3\"},\"objective\":{\"name\":\"" objective "\"}},\"version\":"          \
    version "}"
#define BY_NODE "\"base_weights\":[0,0,0,1,-2,3,4,5,6]"
#define BY_LEAF "\"base_weights\":[],\"leaf_weights\":[4,5,6,1,-2,3]"

/* The three outputs at x = 1 (the right leaf) or -1. */
static void
three(const char *text, enum asc_scale scale, double x, const double *want,
      double tolerance)
{
    struct asc_error e = { ASC_OK, "" };
    asc_model *m = read_text(text, &e);
    double y[3];
    size_t k;

    if (!m)
        fail_msg("%s", e.text);
    assert_int_equal(asc_model_n_outputs(m), 3);
    assert_int_equal(asc_model_predict(m, scale, &x, 1, y, &e), ASC_OK);
    for (k = 0; k < 3; k++)
        close_to(y[k], want[k], tolerance);
    asc_model_free(m);
}

static double
step_of(double u)
{
    return log1p(exp(u)) + 1e-6;
}

static void
several_outputs(void **state)
{
    static const double left[] = { 2, -1, 4 }, right[] = { 5, 6, 7 };
    static const double sorted[] = { -1, 2, 4 };
    const double rising[] = { 1.5, 1.5 + step_of(log(expm1(2 - 1e-6)) - 2),
                              1.5 + step_of(log(expm1(2 - 1e-6)) - 2)
                              + step_of(log(expm1(1 - 1e-6)) + 3) };

    (void)state;
    three(VECTORS("reg:squarederror", "[2,0,0]", "[2,-1,-1]", BY_NODE, "1"),
          ASC_RAW, -1, left, 0.0);
    three(VECTORS("reg:squarederror", "[2,0,0]", "[2,-1,-1]", BY_NODE, "1"),
          ASC_RAW, 1, right, 0.0);
    three(VECTORS("reg:squarederror", "[3,2,0]", "[2,1,0]", BY_LEAF, "1"),
          ASC_RAW, -1, left, 0.0);
    three(VECTORS("reg:squarederror", "[3,2,0]", "[2,1,0]", BY_LEAF, "1"),
          ASC_RAW, 1, right, 0.0);
    three(VECTORS("reg:quantileerror", "[3,3,0]", "[2,1,0]", BY_LEAF, "1"),
          ASC_RESPONSE, -1, left, 0.0);
    three(VECTORS("reg:quantileerror", "[3,4,0]", "[2,1,0]", BY_LEAF, "1"),
          ASC_RAW, -1, left, 0.0);
    three(VECTORS("reg:quantileerror", "[3,4,0]", "[2,1,0]", BY_LEAF, "1"),
          ASC_RESPONSE, -1, sorted, 0.0);
    /* base scores are expectiles: 0.5, 2.5, 3.5 */
    three(VECTORS("reg:expectileerror", "[3,3,0]", "[2,1,0]", BY_LEAF,
                  "[5E-1,2.5E0,3.5E0]"), ASC_RESPONSE, -1, rising, 2e-6);
}

static void
broken_models(void **state)
{
    static const struct { const char *text, *message; } cases[] = {
        { MODEL("", TREE("[0,3,-1,-1,-1]", RIGHT, INDEX, CONDITION, "[1,3]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "left_children[0]: node 0 is reached twice" },
        { MODEL("", TREE("[9,3,-1,-1,-1]", RIGHT, INDEX, CONDITION, "[1,3]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "left_children[0] is 9, want a node of 0 to 4, or -1" },
        { MODEL("", TREE("[1,3,-1,-1]", RIGHT, INDEX, CONDITION, "[1,3]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "right_children has 5 values, left_children 4" },
        { MODEL("", TREE(LEFT, RIGHT, INDEX, "[NaN,0,4,1,2]", "[1,3]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "split_conditions[0] is not a number" },
        { MODEL("", TREE(LEFT, RIGHT, "[7,1,0,0,0]", CONDITION, "[1,3]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "trees[0]: split_indices: feature 7 of 2" },
        { MODEL("", TREE(LEFT, RIGHT, INDEX, CONDITION, "[1]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "categories_sizes[0]: 2 from 0 on, categories has 1 values" },
        { MODEL("", TREE(LEFT, RIGHT, INDEX, CONDITION, "[1,-3]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "categories[1] is -3" },
        { MODEL("", TREE(LEFT, "\"x\"", INDEX, CONDITION, "[1,3]")
                "," STUMP, "", PARAM, "reg:squarederror"),
          "trees[0].right_children: it is a text, want an array" },
        { MODEL("", GOOD_TREE, "", PARAM, "reg:squarederror"),
          "tree_info has 2 values, there are 1 trees" },
        { MODEL("", GOOD_TREE "," STUMP, ",\"weight_drop\":[1]", PARAM,
                "reg:squarederror"), "weight_drop has 1 values" },
        { MODEL("", GOOD_TREE "," STUMP, "", PARAM, "reg:squarederor"),
          "\"reg:squarederor\" is not known" },
        { MODEL("", GOOD_TREE "," STUMP, "", "\"num_feature\":\"1000000000\"",
                "reg:squarederror"), "num_feature is 1000000000" },
        { MODEL("", GOOD_TREE "," STUMP, "", "\"num_class\":\"-2\"",
                "reg:squarederror"), "num_class is -2" },
        { MODEL("", GOOD_TREE "," STUMP, "", "\"base_score\":\"2\"",
                "binary:logistic"), "base_score: 2 is not a probability" },
        { MODEL("", GOOD_TREE "," STUMP, "", "\"base_score\":\"x\"",
                "binary:logistic"), "\"x\" is not a number" },
        { "{\"learner\":{}}", "learner.objective.name is not there" },
        { "{\"learner\":[]}", "learner: it is an array, want an object" }
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
    static const char text[] = MODEL("", GOOD_TREE "," STUMP, "", PARAM,
                                     "reg:squarederror");
    size_t n;

    (void)state;
    for (n = 0; n + 1 < sizeof text; n++) {
        struct asc_error e = { ASC_OK, "" };
        char *copy = malloc(n + 1);

        assert_non_null(copy);
        memcpy(copy, text, n);
        assert_null(asci_xgboost_read("m", copy, n, &e));
        assert_int_equal(e.status, ASC_EINPUT);
        free(copy);
    }
}

/* ---- XGBoost's own numbers ---- */

/* Columns of the expected file as (scale, output): -1 where it is a label. */
static size_t
map_columns(const asc_model *m, int generated, size_t columns, int *scale,
            size_t *output)
{
    const size_t k = asc_model_n_outputs(m);
    size_t j;

    for (j = 0; j < columns; j++) {
        scale[j] = ASC_RESPONSE;
        if (generated) {
            scale[j] = j < columns / 2 ? ASC_RESPONSE : ASC_RAW;
            output[j] = columns == 2 ? k - 1 : j % (columns / 2);
        } else if (asc_model_classifier(m)) {
            scale[j] = j == 0 ? -1 : ASC_RESPONSE;
            output[j] = j - 1;
        } else if (columns == 3 * k) {  /* label and two probabilities each */
            scale[j] = j % 3 == 2 ? ASC_RESPONSE : -1;
            output[j] = j / 3;
        } else {
            output[j] = j;
        }
    }
    return columns;
}

static void
compare_case(const char *name, const char *model, const char *input,
             const char *expected)
{
    const int generated = !strncmp(name, "gen-", 4);
    char path[3][300];
    int scale[16];
    size_t output[16], n, columns, i, j;
    double worst = 0.0, *want, *y[2];
    struct asc_error e;
    struct table t;
    asc_model *m;

    snprintf(path[0], sizeof path[0], "data/boosters/%s", model);
    snprintf(path[1], sizeof path[1], "data/boosters/%s", input);
    snprintf(path[2], sizeof path[2], "data/boosters/%s", expected);
    m = read_shared(path[0], path[1], &t);
    want = shared_numbers(path[2], &n, &columns);
    assert_non_null(want);
    assert_int_equal(n, t.n);
    assert_true(columns <= 16 && asc_model_n_outputs(m) <= MAX_OUT);
    map_columns(m, generated, columns, scale, output);
    for (i = 0; i < 2; i++) {
        y[i] = calloc(n * MAX_OUT, sizeof **y);
        assert_int_equal(asc_model_predict(m, i ? ASC_RESPONSE : ASC_RAW, t.x,
                                           n, y[i], &e), ASC_OK);
    }
    for (i = 0; i < n; i++)
        for (j = 0; j < columns; j++)
            if (scale[j] >= 0) {
                const double a = want[i * columns + j];
                const double b = y[scale[j] == ASC_RESPONSE]
                                  [i * asc_model_n_outputs(m) + output[j]];

                if (!(fabs(a - b) <= 1e-5 * fabs(a)))
                    fail_msg("%s, row %zu, column %zu: %.9g, want %.9g",
                             name, i + 1, j + 1, b, a);
                /* nine digits tell every float: margins are its bits */
                if (generated && scale[j] == ASC_RAW && (float)a != (float)b)
                    fail_msg("%s, row %zu: margin %.9g, want the bits of "
                             "%.9g", name, i + 1, b, a);
                worst = fmax(worst, a == b ? 0.0 : fabs((a - b) / a));
            }
    print_message("# %s (%s): %zu rows, differ by %.2g at most\n", name,
                  model, n, worst);
    free(y[0]);
    free(y[1]);
    free(want);
    free(t.x);
    asc_model_free(m);
}

static void
cases_of_xgboost(void **state)
{
    char path[4096], *line = NULL;
    size_t capacity = 0, n = 0;
    FILE *f;

    (void)state;
    if (!shared_path("data/boosters/cases.tsv", path, sizeof path))
        skip();
    f = fopen(path, "r");
    assert_non_null(f);
    while (getline(&line, &capacity, f) > 0) {
        char *rest = line, *field[5] = { 0 };
        size_t k;

        for (k = 0; k < 5; k++)
            field[k] = strsep(&rest, "\t\n");
        if (strncmp(line, "xgb-", 4) && strncmp(line, "gen-", 4))
            continue;
        compare_case(field[0], field[1], field[3], field[4]);
        n++;
        if (!strncmp(line, "gen-", 4)) {
            char binary[200];

            snprintf(binary, sizeof binary, "%.*s.ubj",
                     (int)strlen(field[1]) - 5, field[1]);
            compare_case(field[0], binary, field[3], field[4]);
        }
    }
    assert_true(n >= 20);
    free(line);
    fclose(f);
}

/* Rows row, output, phi of each field, bias; relative to the largest number of
 * the row, at the precision of float. */
static void
treeshap_of_xgboost(void **state)
{
    static const char *const names[] = {
        "gen-wdbc_logistic", "gen-iris_softprob", "gen-calhousing_missing"
    };
    size_t c, i, j, n, columns;

    (void)state;
    for (c = 0; c < 3; c++) {
        char model[200], input[200], file[200], path[4096];
        double *want, worst = 0.0;
        struct explanation got[MAX_OUT];
        struct table t;
        asc_model *m;
        size_t k;

        snprintf(model, sizeof model, "data/boosters/%s.json", names[c]);
        snprintf(input, sizeof input, "data/boosters/inputs/%s.tsv",
                 names[c]);
        snprintf(file, sizeof file, "data/boosters/%s.treeshap.tsv",
                 names[c]);
        if (!shared_path(model, path, sizeof path))
            skip();
        m = read_shared(model, input, &t);
        want = shared_numbers(file, &n, &columns);
        assert_non_null(want);
        assert_int_equal(columns, t.d + 3);
        for (k = 0; k < asc_model_n_outputs(m); k++)
            got[k] = explain("tree-shap", &asci_method_tree_shap, m, ASC_RAW,
                             NULL, t.x, t.n, k);
        for (i = 0; i < n; i++) {
            const double *row = want + i * columns;
            const size_t of = c == 1 ? (size_t)row[1] : k - 1;
            const double *phi = got[of].phi + (size_t)row[0] * t.d;
            double size = 1e-300;

            for (j = 0; j <= t.d; j++)
                size = fmax(size, fabs(row[2 + j]));
            for (j = 0; j < t.d; j++)
                worst = fmax(worst, fabs(phi[j] - row[2 + j]) / size);
            worst = fmax(worst, fabs(got[of].base[(size_t)row[0]] -
                                     row[2 + t.d]) / size);
        }
        print_message("# %s: tree-shap differs by %.2g at most\n", names[c],
                      worst);
        assert_true(worst < 5e-6);
        for (k = 0; k < asc_model_n_outputs(m); k++)
            explanation_free(&got[k]);
        free(want);
        free(t.x);
        asc_model_free(m);
    }
}

static void
old_binary_is_refused(void **state)
{
    static const char dump[] = "booster[0]:\n0:leaf=1\n";
    struct asc_error e = { ASC_OK, "" };
    char path[4096];

    (void)state;
    assert_true(asci_xgboost_refused(dump, sizeof dump - 1));
    if (!shared_path("data/boosters/leaves-xgagaricus.model", path,
                     sizeof path))
        skip();
    assert_null(asc_model_read(path, NULL, &e));
    assert_int_equal(e.status, ASC_EINPUT);
    assert_non_null(strstr(e.text, "save it as JSON"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_by_hand),
        cmocka_unit_test(old_versions),
        cmocka_unit_test(several_outputs),
        cmocka_unit_test(broken_models),
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(cases_of_xgboost),
        cmocka_unit_test(treeshap_of_xgboost),
        cmocka_unit_test(old_binary_is_refused)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
