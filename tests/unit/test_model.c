/* Reading by content, and the last look at a model: whatever is wrong with
 * one is said, and nothing that passes can break evaluation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>
#include <zlib.h>

#include "models.h"
#include "seed.h"

/* ---- reading ---- */

/* A file of its own for each test, in the directory of the build. */
static const char path[] = "test_model.tmp";

static void
write_file(const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void
write_gzip(const void *p, size_t n, int members)
{
    gzFile f;

    unlink(path);
    while (members-- > 0) {
        f = gzopen(path, "ab");
        assert_non_null(f);
        assert_int_equal(gzwrite(f, p, (unsigned)n), (int)n);
        assert_int_equal(gzclose(f), Z_OK);
    }
}

static void
read_fails(size_t max_memory, enum asc_status status, const char *text)
{
    struct asc_model_options o = { .max_memory = max_memory };
    struct asc_error e = { 0 };

    assert_null(asc_model_read(path, &o, &e));
    assert_string_equal(e.text, text);
    assert_int_equal(e.status, status);
    unlink(path);
}

static const char tiny[] =
    "<PMML version=\"4.4\"><Header/><DataDictionary>"
    "<DataField name=\"x\" optype=\"continuous\" dataType=\"double\"/>"
    "<DataField name=\"y\" optype=\"continuous\" dataType=\"double\"/>"
    "</DataDictionary><RegressionModel functionName=\"regression\">"
    "<MiningSchema><MiningField name=\"x\"/>"
    "<MiningField name=\"y\" usageType=\"target\"/></MiningSchema>"
    "<RegressionTable intercept=\"1\">"
    "<NumericPredictor name=\"x\" coefficient=\"2\"/></RegressionTable>"
    "</RegressionModel></PMML>";

static void
check_tiny(const char *want_digest)
{
    struct asc_error e = { 0 };
    asc_model *m = asc_model_read(path, NULL, &e);
    const double x = 3.0;
    double y;

    if (!m)
        fail_msg("%s", e.text);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, &x, 1, &y, NULL),
                     ASC_OK);
    assert_true(y == 7.0);
    assert_string_equal(asc_model_name(m), path);
    assert_string_equal(asc_model_digest(m), want_digest);
    assert_int_equal(asc_model_form(m), ASC_FORM_LINEAR);
    assert_int_equal(asc_model_views(m), ASC_NEEDS_GRADIENT |
                                               ASC_NEEDS_LINEAR);
    assert_string_equal(asc_model_target(m), "y");
    assert_int_equal(asc_model_n_outputs(m), 1);
    assert_string_equal(asc_model_output(m, 0), "y");
    assert_null(asc_model_output(m, 1));
    assert_false(asc_model_classifier(m));
    assert_false(asc_model_has_link(m));
    asc_model_free(m);
    unlink(path);
}

static void
reading(void **state)
{
    char digest[ASC_DIGEST_MAX], bom[sizeof tiny + 4] = "\xef\xbb\xbf\n";

    (void)state;
    write_file(tiny, sizeof tiny - 1);
    asc_digest(tiny, sizeof tiny - 1, digest);
    check_tiny(digest);
    memcpy(bom + 3, tiny, sizeof tiny);
    write_file(bom, strlen(bom));
    asc_digest(bom, strlen(bom), digest);
    check_tiny(digest);
    /* compressed: the digest is that of the file as it is */
    write_gzip(tiny, sizeof tiny - 1, 1);
    assert_int_equal(asc_digest_file(path, digest, NULL), ASC_OK);
    check_tiny(digest);
}

static void
refused(void **state)
{
    static const char zeros[100000];

    (void)state;
    unlink(path);
    read_fails(0, ASC_EINPUT, "test_model.tmp: cannot open the model: No "
               "such file or directory");
    write_file("", 0);
    read_fails(0, ASC_EINPUT, "test_model.tmp: the file is empty, not a "
               "model");
    write_file("{\"student\":1}", 13);
    read_fails(0, ASC_EINPUT, "test_model.tmp: not a model that can be read: "
               "want PMML 3.0 to 4.4, XGBoost JSON or UBJSON, LightGBM text, "
               "CatBoost JSON, "
               "or cmd:COMMAND "
               "or coproc:COMMAND for a "
               "program");
    write_file(tiny, sizeof tiny - 1);
    read_fails(100, ASC_EINPUT, "test_model.tmp: the model is larger than "
               "100 bytes (see --max-memory)");
    write_gzip(zeros, sizeof zeros, 1);
    read_fails(50000, ASC_EINPUT, "test_model.tmp: the model is larger than "
               "50000 bytes (see --max-memory)");
    write_gzip(zeros, sizeof zeros, 3);
    read_fails(250000, ASC_EINPUT, "test_model.tmp: the model is larger than "
               "250000 bytes (see --max-memory)");
    write_file("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    read_fails(0, ASC_EINPUT, "test_model.tmp: the compressed model is "
               "damaged or cut off at byte 10");
}

/* ---- finishing ---- */

static struct asc_stream stream;

static asc_model *
small(enum asc_form form)
{
    static const size_t hidden[] = { 3 };
    static const struct random_trees o = { 2, 9, 0.0, 0, 0, 0, 0 };
    asc_model *m = random_schema("x3");

    random_encoder(&stream, m, form == ASC_FORM_ENSEMBLE ? COLUMNS_TREE
                                                         : COLUMNS_PLAIN);
    if (form == ASC_FORM_LINEAR)
        random_linear(&stream, m, 1);
    else if (form == ASC_FORM_NETWORK)
        random_network(&stream, m, hidden, 1, 1, ASCI_RELU);
    else
        random_ensemble(&stream, m, 1, 1, &o);
    return random_end(m, 2, ASCI_LINK_LOGIT);
}

static void
finish_fails(asc_model *m, const char *text)
{
    struct asc_error e = { 0 };

    assert_int_equal(asci_model_finish(m, &e), ASC_EINPUT);
    assert_string_equal(e.text, text);
    asc_model_free(m);
}

static void
bad_outputs(void **state)
{
    asc_model *m = small(ASC_FORM_LINEAR);

    (void)state;
    m->output[1].raw = 1;
    finish_fails(m, "random: output \"y e\"s\" refers to raw output 1 of 1");
    m = small(ASC_FORM_LINEAR);
    strcpy(m->output[1].name, "no");
    finish_fails(m, "random: output \"no\" is there twice");
    m = small(ASC_FORM_LINEAR);
    free(m->schema.field[1].name);
    m->schema.field[1].name = strdup("age");
    finish_fails(m, "random: field \"age\" is there twice");
    m = small(ASC_FORM_LINEAR);
    free(m->schema.field[1].categories[1]);
    m->schema.field[1].categories[1] =
        strdup(m->schema.field[1].categories[0]);
    finish_fails(m, "random: field \"a b\": category \"b c\" is there twice");
    m = small(ASC_FORM_LINEAR);
    free(m->schema.field[1].categories[1]);
    m->schema.field[1].categories[1] = NULL;
    finish_fails(m, "random: field \"a b\": category 2 has no name");
}

static void
bad_encoders(void **state)
{
    asc_model *m = small(ASC_FORM_LINEAR);
    struct asci_factor *f = &m->encoder.column[1].factor[0];

    (void)state;
    f->field = 2;
    finish_fails(m, "random: column 1 refers to field 2 of 2");
    m = small(ASC_FORM_LINEAR);
    f = &m->encoder.column[1].factor[0];
    f->n_values = 3;
    finish_fails(m, "random: field \"a b\" has 3 categories, its encoding "
                 "has 3 values");
    m = small(ASC_FORM_LINEAR);
    f = &m->encoder.column[0].factor[0];
    f->n_knots = 2;
    f->knot_x = need(2, sizeof *f->knot_x);
    f->knot_y = need(2, sizeof *f->knot_y);
    finish_fails(m, "random: field \"age\": the knots of its normalisation "
                 "do not rise at 2");
}

static void
bad_sizes(void **state)
{
    asc_model *m = small(ASC_FORM_LINEAR);

    (void)state;
    m->u.linear.n_columns--;
    finish_fails(m, "random: the number of weights is 3, want 4");
    m = small(ASC_FORM_NETWORK);
    m->u.network.layer[1].n_in = 2;
    finish_fails(m, "random: layer 2 of the network has 2 inputs and 1 "
                 "neurons, want 3 inputs");
    m = small(ASC_FORM_NETWORK);
    m->n_raw = 2;
    finish_fails(m, "random: the number of outputs of the network is 1, want "
                 "2");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.n_columns = 5;
    finish_fails(m, "random: the number of columns of the trees is 5, want "
                 "2");
}

/* The first tree's root has children 1 and 2, node 1 children 3 and 4. */
static void
bad_trees(void **state)
{
    asc_model *m = small(ASC_FORM_ENSEMBLE);

    (void)state;
    m->u.ensemble.tree[0].node[1].yes = 1;
    finish_fails(m, "random: tree 1, node 2: a child does not come after it");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[0].node[1].no = 1000;
    finish_fails(m, "random: tree 1, node 2: a child does not come after it");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[0].node[0].yes = 3;
    m->u.ensemble.tree[0].node[0].missing = 3;
    finish_fails(m, "random: tree 1, node 4: it has two parents");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[1].node[0].column = 2;
    finish_fails(m, "random: tree 2, node 1: the test looks at a column that "
                 "is not there");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[1].node[0].test = 7;
    finish_fails(m, "random: tree 2, node 1: the test is unknown");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[1].node[0].test = ASCI_IN_SET;
    m->u.ensemble.tree[1].node[0].set = 0;
    m->u.ensemble.tree[1].node[0].set_bits = 1u << 30;
    finish_fails(m, "random: tree 2, node 1: the set of categories is not "
                 "there");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[1].node[0].test = ASCI_LESS;
    m->u.ensemble.tree[1].node[0].threshold = NAN;
    finish_fails(m, "random: tree 2, node 1: the threshold is not a number");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[1].first = 1;
    finish_fails(m, "random: tree 2 gives outputs 2 to 2 of 1");
    m = small(ASC_FORM_ENSEMBLE);
    m->u.ensemble.tree[1].n_leaves = 0;
    assert_int_equal(asci_model_finish(m, NULL), ASC_EINPUT);
    asc_model_free(m);
}

/* Values of an opaque model pass through. */
static int
twice(const void *state, enum asc_scale scale, const double *x, size_t n,
      double *y, struct asc_error *e)
{
    size_t i;

    (void)state;
    (void)scale;
    (void)e;
    for (i = 0; i < n; i++)
        y[i] = 2.0 * x[i];
    return ASC_OK;
}

static void
opaque(void **state)
{
    asc_model *m = random_schema("x");
    struct asc_error e = { 0 };
    const double x = 4.0;
    double y;

    (void)state;
    m->n_raw = 1;
    m->u.opaque.evaluate = twice;
    random_end(m, 0, ASCI_LINK_NONE);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, &x, 1, &y, NULL),
                     ASC_OK);
    assert_true(y == 8.0);
    assert_int_equal(asc_model_predict(m, ASC_RAW, &x, 1, &y, NULL), ASC_OK);
    assert_int_equal(asc_model_views(m), 0);
    assert_int_equal(asci_form_raw(m, &x, 1, &y, &e), ASC_EUSAGE);
    m->u.opaque.evaluate = NULL;
    finish_fails(m, "random: the model has no evaluator");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading), cmocka_unit_test(refused),
        cmocka_unit_test(bad_outputs), cmocka_unit_test(bad_encoders),
        cmocka_unit_test(bad_sizes), cmocka_unit_test(bad_trees),
        cmocka_unit_test(opaque)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    asc_stream_start(&stream, test_seed(1), "model", NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
