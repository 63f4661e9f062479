/* occlusion against Captum's FeatureAblation and algebra. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribute/probe.h"
#include "attribution.h"

static void
golden(void **state)
{
    (void)state;
    compare_golden("occlusion", &asci_method_occlusion, "feature_ablation",
                   CASE_BASELINE, 1e-12);
    compare_golden("occlusion", &asci_method_occlusion,
                   "feature_ablation_zero", ZERO_BASELINE, 1e-12);
}

static double
product(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return x[0] * x[1] + x[0];
}

/* Sheet attribution 1.6: f(x) = x1 x2 + x1 at (1, 2), baseline 0. */
static void
worked_example(void **state)
{
    const double x[] = { 1.0, 2.0 }, zero[] = { 0.0, 0.0 };
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, product);
    struct asc_background b;
    struct explanation r;

    (void)state;
    make_background(m, zero, 1, &b);
    r = explain("occlusion", &asci_method_occlusion, m, ASC_RAW, &b, x, 1, 0);
    close_to(r.phi[0], 3.0, 0);
    close_to(r.phi[1], 2.0, 0);
    close_to(r.base[0], 0.0, 0);
    close_to(r.value[0], 3.0, 0);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Two outputs; field 1 categorical; a missing value counts 10. */
static double
table(const double *x, size_t d, size_t output)
{
    static const double worth[] = { 1.0, -2.0, 4.0 };
    const double a = isnan(x[0]) ? 10.0 : x[0];
    const double b = isnan(x[1]) ? 20.0 : worth[(size_t)x[1]];

    (void)d;
    return output ? a * b : 3.0 * a + b;
}

/* Means and modes as baseline; fields that are at it are not asked for. */
static void
categories(void **state)
{
    const double rows[] = { 2.0, 1.0, 4.0, 2.0, 6.0, 1.0, NAN, NAN };
    const double x[] = { 1.0, 2.0, NAN, 1.0, 4.0, NAN, 4.0, 1.0 };
    const double want[] = {     /* of output 0, of output 1 */
        -9.0, 6.0, 4.0 - 16.0, 4.0 + 2.0, 18.0, 0.0, -20.0 + 8.0, 0.0,
        0.0, 22.0, 0.0, 80.0 + 8.0, 0.0, 0.0, 0.0, 0.0
    };
    const size_t outputs[] = { 0, 1 };
    struct counter counter;
    asc_model *m = counting_model("x3", 2, &counter, table);
    struct asc_background b;
    struct explanation r;
    struct asc_error e;
    size_t i;

    (void)state;
    make_background(m, rows, 4, &b);
    close_to(b.baseline[0], 4.0, 0);
    close_to(b.baseline[1], 1.0, 0);
    assert_int_equal(explain_blocks("occlusion", &asci_method_occlusion, m,
                                    ASC_RAW, &b, x, 4, outputs, 2, 4, &r, &e),
                     ASC_OK);
    for (i = 0; i < 16; i++)
        close_to(r.phi[i], want[i], 1e-15);
    for (i = 0; i < 4; i++) {
        close_to(r.base[2 * i], 10.0, 0);
        close_to(r.base[2 * i + 1], -8.0, 0);
    }
    close_to(r.value[0], 7.0, 0);
    close_to(r.value[1], 4.0, 0);
    /* the baseline; 4 rows; 2 + 1 + 1 fields that differ */
    assert_int_equal(counter.rows, 9);
    assert_int_equal(counter.calls, 2);
    explanation_free(&r);
    check_row_contract("occlusion", &asci_method_occlusion, m, ASC_RAW, &b, x,
                       4);
    asc_background_free(&b);
    asc_model_free(m);
}

static double
picky(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return x[0] == 7.0 ? NAN : x[1] == 0.0 ? INFINITY : x[0] + 1.0 / x[1];
}

/* Missing answers stay in their place; an infinite one is an error that names
 * the row. */
static void
no_answer(void **state)
{
    const double x[] = { 7.0, 1.0, 1.0, 2.0 }, b7[] = { 7.0, 1.0 };
    const double x0[] = { 1.0, 0.0 };
    const size_t output = 0;
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, picky);
    struct asc_background b;
    struct explanation r;
    struct asc_error e;

    (void)state;
    make_background(m, b7, 1, &b);
    r = explain("occlusion", &asci_method_occlusion, m, ASC_RAW, &b, x, 2, 0);
    assert_true(isnan(r.value[0]));
    assert_true(isnan(r.phi[0]));
    assert_true(isnan(r.phi[1]));
    assert_true(isnan(r.base[0]));
    close_to(r.value[1], 1.5, 0);
    assert_true(isnan(r.phi[2]));
    close_to(r.phi[3], -0.5, 0);
    explanation_free(&r);
    assert_int_equal(explain_blocks("occlusion", &asci_method_occlusion, m,
                                    ASC_RAW, &b, x0, 1, &output, 1, 1, &r,
                                    &e), ASC_ENUMERIC);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
misuse(void **state)
{
    const double x[] = { 1.0, 1.0 };
    const size_t output = 0;
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, product);
    struct explanation r;
    struct asc_error e;

    (void)state;
    assert_int_equal(explain_blocks("occlusion", &asci_method_occlusion, m,
                                    ASC_RAW, NULL, x, 1, &output, 1, 1, &r,
                                    &e), ASC_EUSAGE);
    assert_string_equal(e.text, "occlusion compares with a baseline: give its "
                        "row, or background rows, with -b");
    asc_model_free(m);
}

static int
refuse(const void *s, enum asc_scale scale, const double *x, size_t n,
       double *y, struct asc_error *e)
{
    (void)s;
    (void)scale;
    (void)n;
    *y = 1.0;
    return x[0] == 5.0 ? asc_fail(e, ASC_ESYSTEM, "the command is gone")
                       : ASC_OK;
}

/* What the model says when it fails is what comes out. */
static void
failing_model(void **state)
{
    const double x[] = { 5.0, 1.0 }, zero[] = { 0.0, 0.0 };
    const size_t output = 0;
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, product);
    struct asc_background b;
    struct explanation r;
    struct asc_error e;

    (void)state;
    m->u.opaque.evaluate = refuse;
    make_background(m, zero, 1, &b);
    assert_int_equal(explain_blocks("occlusion", &asci_method_occlusion, m,
                                    ASC_RAW, &b, x, 1, &output, 1, 1, &r, &e),
                     ASC_ESYSTEM);
    assert_string_equal(e.text, "the command is gone");
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

/* A queue that is smaller than what is asked for. */
static void
queue(void **state)
{
    enum { N = 10000 };
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, product);
    double *y = calloc(N, sizeof *y), *x;
    const size_t output = 0;
    struct asci_probe p;
    size_t i;

    (void)state;
    assert_int_equal(asci_probe_init(&p, m, ASC_RAW, 64, NULL), ASC_OK);
    assert_int_equal(p.capacity, 64);
    for (i = 0; i < N; i++) {
        assert_int_equal(asci_probe_row(&p, &output, 1, &y[i], 1, &x, NULL),
                         ASC_OK);
        x[0] = (double)i;
        x[1] = 1.0;
    }
    assert_int_equal(asci_probe_flush(&p, NULL), ASC_OK);
    for (i = 0; i < N; i++)
        close_to(y[i], 2.0 * (double)i, 0);
    assert_int_equal(counter.rows, N);
    assert_int_equal(counter.calls, (N + 63) / 64);
    asci_probe_free(&p);
    free(y);
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(worked_example),
        cmocka_unit_test(categories),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(misuse),
        cmocka_unit_test(failing_model),
        cmocka_unit_test(queue)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
