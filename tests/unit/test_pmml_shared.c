/* Reference models of other programs, with what those programs predict: the
 * cases of data/pmml/cases.tsv (R, KNIME, RapidMiner, SAS, scikit-learn,
 * XGBoost, LightGBM, cPMML, the PMML specification), and the golden models
 * with the outputs of their own libraries.  Every row is compared: numbers to
 * 1e-6 relative, 1e-5 where the source computes in float; labels exactly.
 * What a case needs beyond this reader is listed with the error that must
 * name it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/model.h>
#include <ascribe/table.h>

#include "shared.h"

enum { MAX_CASES = 200, MAX_OUTPUTS = 32 };

/* Out of scope, and the end of the message that says so. */
static const struct {
    const char *name, *error;
} unsupported[] = {
    { "cpmml-HousingGBTClassifier",
      "Apply: function \"exp\" is not supported (supported: +, -, *, /)" },
    { "cpmml-HousingGBTClassifier_PCA",
      "Apply: function \"sum\" is not supported (supported: +, -, *, /)" },
    { "cpmml-HousingGBTRegressor_PCA",
      "Apply: function \"sum\" is not supported (supported: +, -, *, /)" },
    { "cpmml-HousingLinearRegressor_PCA",
      "Apply: function \"sum\" is not supported (supported: +, -, *, /)" },
    { "knime-ModelEnsembleIris",
      "element SupportVectorMachineModel is not supported (supported in "
      "Segment: one predicate, one of RegressionModel, NeuralNetwork, "
      "TreeModel, MiningModel)" },
    { "knime-RegressionEnsembleAuto",
      "element GeneralRegressionModel is not supported (supported in "
      "Segment: one predicate, one of RegressionModel, NeuralNetwork, "
      "TreeModel, MiningModel)" },
    { "sas-ProbitRegressionAudit",
      "element MapValues is not supported (supported in DerivedField: "
      "Constant, FieldRef, NormContinuous, NormDiscrete, Discretize, Apply)" },
    { "sk-LinearDiscriminantAnalysisSentiment",
      "Apply: function \"tf-idf(lowercase(Sentence))\" is not supported "
      "(supported: +, -, *, /)" },
    { "sk-RandomForestSentiment",
      "Apply: function \"tf(lowercase(Sentence))\" is not supported "
      "(supported: +, -, *, /)" },
    { "sk-XGBoostSentiment",
      "Apply: function \"tf(lowercase(Sentence))\" is not supported "
      "(supported: +, -, *, /)" },
    { "dmg-tree_weightedConfidence",
      "TreeModel: missingValueStrategy \"weightedConfidence\" is not "
      "supported (supported: none, lastPrediction, nullPrediction, "
      "defaultChild)" }
};

/* The prediction lives in a top-level OutputField: what is expected is the
 * model's value plus its constant, or another function of it. */
static const struct {
    const char *name;
    double offset;
} output_fields[] = {
    { "rattle-GBMAuto", 23.4459183673469 },
    { "sk-IsolationForestAuto", NAN }
};

struct one_case {
    char name[100], model[256], input[256], expected[256];
    int regression;
};

static struct one_case cases[MAX_CASES];
static char case_name[MAX_CASES][160];

/* ---- one case ---- */

struct expected {
    asc_reader *r;
    int label;                  /* column of the predicted label, or -1 */
    int number;                 /* of the predicted number, or -1 */
    int probability[MAX_OUTPUTS];       /* of output k, or -1 */
};

static int
find(const asc_reader *r, const char *format, const char *name)
{
    char text[512];

    snprintf(text, sizeof text, format, name);
    return asc_reader_find(r, text);
}

static int
find_prediction(const asc_reader *r, const char *target)
{
    static const char *const formats[] = {
        "EM_CLASSIFICATION", "Predicted_%s", "prediction(%s)",
        "predicted(%s)", "predicted", "prediction", "output1",
        "GaussianPrediction", "%s"
    };
    size_t i;
    int j = -1;

    for (i = 0; i < sizeof formats / sizeof *formats && j < 0; i++)
        j = find(r, formats[i], target ? target : "");
    return j;
}

static void
find_columns(struct expected *x, const asc_model *m)
{
    static const char *const formats[] = {
        "Probability_%s", "probability(%s)", "P (Species=%s)",
        "P (Adjusted=%s)", "confidence(%s)"
    };
    size_t i, k;

    x->label = x->number = -1;
    for (k = 0; k < asc_model_n_outputs(m); k++) {
        x->probability[k] = -1;
        for (i = 0; i < sizeof formats / sizeof *formats; i++)
            if (x->probability[k] < 0)
                x->probability[k] = find(x->r, formats[i],
                                         asc_model_output(m, k));
    }
    if (asc_model_classifier(m))
        x->label = find_prediction(x->r, asc_model_target(m));
    else
        x->number = find_prediction(x->r, asc_model_target(m));
}

/* Small probabilities are often printed, or computed as a complement, with
 * fewer digits: under 0.01 the tolerance is that of 0.01. */
static void
compare(const char *name, size_t row, const char *what, double have,
        double want, double tolerance)
{
    if (isnan(have) && isnan(want))
        return;
    if (!(fabs(have - want) <= tolerance * fmax(0.01, fabs(want))))
        fail_msg("%s, row %zu, %s: %.17g, expected %.17g", name, row, what,
                 have, want);
}

/* The label is the winner.  Where a node's score is one of several classes
 * that are equally probable, any of them may be the other program's. */
static void
compare_label(const char *name, size_t row, const asc_model *m,
              const double *y, struct asc_text want)
{
    const double best = y[asc_model_winner(m, y)];
    size_t k;

    for (k = 0; k < asc_model_n_outputs(m); k++) {
        const char *label = asc_model_output(m, k);

        if (strlen(label) == want.n && !memcmp(label, want.p, want.n)) {
            const int tie = !strcmp(name, "rapidminer40-DecisionTreeAudit") &&
                            y[k] == best;

            if (k != asc_model_winner(m, y) && !tie)
                fail_msg("%s, row %zu: label \"%.*s\" has %.17g, the winner "
                         "\"%s\" %.17g", name, row, (int)want.n, want.p,
                         y[k], asc_model_output(m, asc_model_winner(m, y)),
                         best);
            return;
        }
    }
    fail_msg("%s, row %zu: no class \"%.*s\"", name, row, (int)want.n,
             want.p);
}

static size_t
compare_row(const char *name, size_t row, const struct expected *x,
            const asc_model *m, const double *y, double tolerance,
            double offset)
{
    struct asc_error e;
    size_t k, n = 0;
    double want;

    if (x->label >= 0) {
        if (!asc_reader_missing(x->r, (size_t)x->label))
            compare_label(name, row, m, y,
                          asc_reader_text(x->r, (size_t)x->label));
        else
            assert_true(isnan(y[0]));
        n++;
    }
    if (x->number >= 0) {
        assert_int_equal(asc_reader_number(x->r, (size_t)x->number, &want,
                                           &e), ASC_OK);
        compare(name, row, "prediction", y[0] + offset, want, tolerance);
        n++;
    }
    for (k = 0; k < asc_model_n_outputs(m); k++)
        if (x->probability[k] >= 0) {
            assert_int_equal(asc_reader_number(
                                 x->r, (size_t)x->probability[k], &want, &e),
                             ASC_OK);
            compare(name, row, asc_model_output(m, k), y[k], want,
                    tolerance);
            n++;
        }
    return n;
}

static double
tolerance_of(const char *name)
{
    if (strstr(name, "XGBoost"))
        return 1e-5;
    /* printed with fewer digits */
    return !strncmp(name, "sas-", 4) ? 1e-7 : 1e-6;
}

static void
run_rows(const struct one_case *c, asc_model *m, double offset)
{
    struct expected x = { NULL, -1, -1, { 0 } };
    struct asc_binding binding = { 0 };
    struct asc_error e = { ASC_OK, "" };
    char path[4096];
    asc_reader *in;
    double *row, y[MAX_OUTPUTS], z[MAX_OUTPUTS];
    size_t n = 0, compared = 0;
    int more;

    assert_true(asc_model_n_outputs(m) <= MAX_OUTPUTS);
    assert_true(shared_path(c->input, path, sizeof path));
    if (!(in = asc_reader_open(path, NULL, &e)))
        fail_msg("%s", e.text);
    assert_true(shared_path(c->expected, path, sizeof path));
    if (!(x.r = asc_reader_open(path, NULL, &e)))
        fail_msg("%s", e.text);
    if (asc_bind(&binding, asc_model_open_schema(m), in, &e))
        fail_msg("%s", e.text);
    find_columns(&x, m);
    row = calloc(asc_model_schema(m)->n + 1, sizeof *row);
    while ((more = asc_reader_next(in, &e)) == 1) {
        assert_int_equal(asc_reader_next(x.r, &e), 1);
        n++;
        if (asc_bind_row(&binding, in, row, &e) ||
            asc_model_evaluate(m, ASC_RESPONSE, row, 1, y, &e) ||
            asc_model_predict(m, ASC_RESPONSE, row, 1, z, &e))
            fail_msg("%s", e.text);
        compared += compare_row(c->name, n, &x, m, y, tolerance_of(c->name),
                                offset);
        compare_row(c->name, n, &x, m, z, tolerance_of(c->name), offset);
    }
    if (more < 0)
        fail_msg("%s", e.text);
    assert_int_equal(asc_reader_next(x.r, &e), 0);
    assert_true(n > 0);
    assert_true(compared >= n);
    free(row);
    asc_binding_free(&binding);
    asc_reader_close(in);
    asc_reader_close(x.r);
}

static void
run_case(void **state)
{
    const struct one_case *c = *state;
    struct asc_error e = { ASC_OK, "" };
    double offset = 0.0;
    char path[4096];
    asc_model *m;
    size_t i;

    if (!shared_path(c->model, path, sizeof path))
        skip();
    m = asc_model_read(path, NULL, &e);
    for (i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (!strcmp(unsupported[i].name, c->name)) {
            const char *error = unsupported[i].error;
            const size_t n = strlen(e.text), k = strlen(error);

            assert_null(m);
            if (n < k || strcmp(e.text + n - k, error) != 0)
                fail_msg("%s\n# is not the error that ends in\n# %s", e.text,
                         error);
            print_message("# %s: skipped: %s\n", c->name, error);
            return;
        }
    if (!m)
        fail_msg("%s", e.text);
    for (i = 0; i < sizeof output_fields / sizeof *output_fields; i++)
        if (!strcmp(output_fields[i].name, c->name))
            offset = output_fields[i].offset;
    if (isnan(offset))
        print_message("# %s: read only: its prediction is an expression of "
                      "an OutputField\n", c->name);
    else
        run_rows(c, m, offset);
    asc_model_free(m);
}

/* ---- golden models ---- */

static const struct golden {
    const char *name, *file;    /* the library's own values */
    enum asc_scale scale;
    int output;                 /* the first output that they are of */
    double tolerance;
} golden[] = {
    { "kernel_constfeat6", "prediction.tsv", ASC_RESPONSE, 0, 1e-9 },
    { "kernel_logistic5", "prediction.tsv", ASC_RESPONSE, 1, 1e-9 },
    { "kernel_mlp8", "prediction.tsv", ASC_RESPONSE, 0, 1e-9 },
    { "kernel_mlpclf11", "prediction.tsv", ASC_RESPONSE, 0, 1e-9 },
    { "nn_mlp_30_128_128_1", "output.tsv", ASC_RAW, 0, 1e-9 },
    { "nn_mlp_relu_clf", "output.tsv", ASC_RAW, 0, 1e-9 },
    { "nn_mlp_relu_tiny", "output.tsv", ASC_RAW, 0, 1e-9 },
    { "nn_mlp_sigmoid", "output.tsv", ASC_RAW, 0, 1e-9 },
    { "nn_mlp_tanh", "output.tsv", ASC_RAW, 0, 1e-9 },
    { "tree_xgb_tiny", "xgboost_margin_float32.tsv", ASC_RAW, 0, 1e-5 },
    { "tree_xgb_binary_nan", "xgboost_margin_float32.tsv", ASC_RAW, 0, 1e-5 },
    { "tree_xgb_reg_deep", "xgboost_margin_float32.tsv", ASC_RAW, 0, 1e-5 },
    /* base + sum of the attributions is the value */
    { "tree_sk_tree_tiny", NULL, ASC_RAW, 0, 1e-9 },
    { "tree_sk_extratrees_reg", NULL, ASC_RAW, 0, 1e-9 },
    { "tree_sk_forest_reg", NULL, ASC_RAW, 0, 1e-9 },
    { "tree_sk_gbm_binary", NULL, ASC_RAW, 0, 1e-9 },
    { "tree_xgb_tiny", NULL, ASC_RAW, 0, 1e-6 },
    { "tree_xgb_binary_nan", NULL, ASC_RAW, 0, 1e-6 },
    { "tree_xgb_reg_deep", NULL, ASC_RAW, 0, 1e-6 }
};

static double *
golden_file(const struct golden *g, const char *file, size_t *rows,
            size_t *columns)
{
    char name[512];

    snprintf(name, sizeof name, "golden/%s/%s", g->name, file);
    return shared_numbers(name, rows, columns);
}

/* Values (rows) of the sums of attributions, columns row output f0 f1 ... */
static double *
sum_attributions(const struct golden *g, size_t *rows)
{
    double *base, *phi, *out;
    size_t i, j, n_base, one, columns;

    base = golden_file(g, "shap_path_dependent.expected.tsv", &n_base, &one);
    phi = golden_file(g, "shap_path_dependent.tsv", rows, &columns);
    assert_non_null(base);
    assert_non_null(phi);
    assert_int_equal(n_base * one, 1);
    out = calloc(*rows, sizeof *out);
    for (i = 0; i < *rows; i++)
        for (out[i] = base[0], j = 2; j < columns; j++)
            out[i] += phi[i * columns + j];
    free(base);
    free(phi);
    return out;
}

static asc_model *
golden_model(const struct golden *g)
{
    struct asc_error e = { ASC_OK, "" };
    char path[4096], name[512];
    asc_model *m;

    snprintf(name, sizeof name, "golden/%s/model.pmml", g->name);
    if (!shared_path(name, path, sizeof path))
        return NULL;
    if (!(m = asc_model_read(path, NULL, &e)))
        fail_msg("%s", e.text);
    return m;
}

static void
run_golden(void **state)
{
    const struct golden *g = *state;
    struct asc_error e = { ASC_OK, "" };
    asc_model *m = golden_model(g);
    size_t n, d, rows, columns = 1, i, k, n_out;
    double *x, *want, *y;

    if (!m)
        skip();
    x = golden_file(g, "X.tsv", &n, &d);
    want = g->file ? golden_file(g, g->file, &rows, &columns)
                   : sum_attributions(g, &rows);
    assert_non_null(x);
    assert_non_null(want);
    assert_int_equal(rows, n);
    assert_int_equal(d, asc_model_schema(m)->n);
    n_out = asc_model_n_outputs(m);
    assert_true((size_t)g->output + columns <= n_out);
    y = calloc(n * n_out, sizeof *y);
    if (asc_model_evaluate(m, g->scale, x, n, y, &e))
        fail_msg("%s", e.text);
    for (i = 0; i < n; i++)
        for (k = 0; k < columns; k++) {
            const double have = y[i * n_out + (size_t)g->output + k];
            const double expected = want[i * columns + k];

            if (!(fabs(have - expected) <=
                  g->tolerance * fmax(1.0, fabs(expected))))
                fail_msg("%s, row %zu, output %zu: %.17g, expected %.17g",
                         g->name, i + 1, k, have, expected);
        }
    free(y);
    free(want);
    free(x);
    asc_model_free(m);
}

/* phi_j = w_j (x_j - mean_j): the values of two rows differ by the sums of
 * their attributions. */
static void
test_linear_shap(void **state)
{
    const struct golden g = { "linear_shap", NULL, ASC_RAW, 0, 1e-9 };
    struct asc_error e;
    asc_model *m = golden_model(&g);
    size_t n, d, rows, columns, i, j;
    double *x, *phi, y[64];

    (void)state;
    if (!m)
        skip();
    x = golden_file(&g, "X.tsv", &n, &d);
    phi = golden_file(&g, "shap_linear_independent.tsv", &rows, &columns);
    assert_non_null(x);
    assert_non_null(phi);
    assert_true(n == rows && d == columns && n <= 64);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, n, y, &e), ASC_OK);
    for (i = 1; i < n; i++) {
        double difference = 0.0;

        for (j = 0; j < d; j++)
            difference += phi[i * d + j] - phi[j];
        assert_true(fabs(y[i] - y[0] - difference) < 1e-9);
    }
    free(phi);
    free(x);
    asc_model_free(m);
}

/* What must be refused, and how. */
static void
test_malformed(void **state)
{
    static const struct {
        const char *name, *error;
    } bad[] = {
        { "XXEAttackTest.pmml", ":2: document type declarations are refused" },
        { "XEEAttackTest.pmml", ":2: document type declarations are refused" },
        { "truncated.pmml", ":87: not well-formed XML: " }
    };
    struct asc_error e;
    char path[4096], name[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(name, sizeof name, "data/pmml/malformed/%s", bad[i].name);
        if (!shared_path(name, path, sizeof path))
            skip();
        assert_null(asc_model_read(path, NULL, &e));
        if (!strstr(e.text, bad[i].error))
            fail_msg("%s\n# does not hold\n# %s", e.text, bad[i].error);
    }
}

/* ---- the list of cases ---- */

static int
wanted(const char *family)
{
    return !strcmp(family, "RegressionModel") ||
           !strcmp(family, "NeuralNetwork") || !strcmp(family, "TreeModel") ||
           !strcmp(family, "MiningModel");
}

static void
copy_text(const asc_reader *r, const char *column, const char *before,
          char *out, size_t size)
{
    const int j = asc_reader_find(r, column);
    struct asc_text t = { "", 0 };

    if (j >= 0)
        t = asc_reader_text(r, (size_t)j);
    snprintf(out, size, "%s%.*s", before, (int)t.n, t.p);
}

static size_t
list_cases(struct CMUnitTest *test)
{
    char path[4096], family[64];
    struct asc_error e;
    asc_reader *r;
    size_t n = 0;

    if (!shared_path("data/pmml/cases.tsv", path, sizeof path) ||
        !(r = asc_reader_open(path, NULL, &e)))
        return 0;
    while (asc_reader_next(r, &e) == 1 && n < MAX_CASES) {
        struct one_case *c = &cases[n];

        copy_text(r, "family", "", family, sizeof family);
        if (!wanted(family))
            continue;
        copy_text(r, "case", "", c->name, sizeof c->name);
        copy_text(r, "model", "data/pmml/", c->model, sizeof c->model);
        copy_text(r, "input", "data/pmml/", c->input, sizeof c->input);
        copy_text(r, "expected", "data/pmml/", c->expected,
                  sizeof c->expected);
        snprintf(case_name[n], sizeof case_name[n], "case %.99s", c->name);
        test[n].name = case_name[n];
        test[n].test_func = run_case;
        test[n].setup_func = NULL;
        test[n].teardown_func = NULL;
        test[n].initial_state = c;
        n++;
    }
    asc_reader_close(r);
    return n;
}

int
main(void)
{
    enum { N_GOLDEN = sizeof golden / sizeof *golden };
    static struct CMUnitTest test[MAX_CASES + N_GOLDEN + 2];
    static char golden_name[N_GOLDEN][160];
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_linear_shap),
        cmocka_unit_test(test_malformed)
    };
    size_t n, i;

    cmocka_set_message_output(CM_OUTPUT_TAP);
    n = list_cases(test);
    for (i = 0; i < N_GOLDEN; i++, n++) {
        snprintf(golden_name[i], sizeof golden_name[i], "golden %s %s",
                 golden[i].name, golden[i].file ? golden[i].file
                                                : "(attributions)");
        test[n].name = golden_name[i];
        test[n].test_func = run_golden;
        test[n].initial_state = (void *)(uintptr_t)&golden[i];
    }
    test[n++] = rest[0];
    test[n++] = rest[1];
    return _cmocka_run_group_tests("pmml_shared", test, n, NULL, NULL);
}
