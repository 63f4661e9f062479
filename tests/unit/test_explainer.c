/* The registry and what is checked for every method. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribution.h"

static void
registry(void **state)
{
    size_t n, n_entries, i, j;
    const struct asc_method *const *methods = asc_methods(&n);
    const struct asc_entry *const *entries = asc_method_entries(&n_entries);

    (void)state;
    assert_int_equal(n, n_entries);
    for (i = 0; i < n; i++) {
        for (j = 0; j < i; j++)
            assert_string_not_equal(entries[i]->name, entries[j]->name);
        assert_ptr_equal(&methods[i]->entry, entries[i]);
        assert_non_null(entries[i]->title);
        assert_non_null(entries[i]->source);
        assert_non_null(methods[i]->run);
    }
}

static double
overflow(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return 1e300 * x[0] * fabs(x[0]);
}

/* Explains row x of model m. */
static int
try(const struct asc_method *method, const asc_model *m,
    const struct asc_background *b, const double *x, size_t output,
    struct asc_error *e)
{
    struct explanation got;
    int status;

    status = explain_blocks(method->entry.name, method, m, ASC_RAW, b, x, 1,
                            &output, 1, 1, &got, e);
    explanation_free(&got);
    return status;
}

#define EXACT (&asci_method_exact_shapley)
#define KERNEL (&asci_method_kernel_shap)
#define LIME (&asci_method_lime)
#define OCCLUSION (&asci_method_occlusion)
#define GRADIENT (&asci_method_gradient)
#define TREE (&asci_method_tree_shap)

static void
views(void **state)
{
    const double x[2] = { 1.0, 2.0 };
    struct asc_error e;
    struct counter c;
    asc_model *m = counting_model("xx", 1, &c, overflow);

    (void)state;
    assert_int_equal(try(GRADIENT, m, NULL, x, 0, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "small: gradient needs a gradient, which this "
                        "model has not; what works: exact-shapley, "
                        "kernel-shap, permutation-shap and others");
    assert_int_equal(try(TREE, m, NULL, x, 0, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "small: tree-shap needs trees, which this "
                        "model has not; what works: exact-shapley, "
                        "kernel-shap, permutation-shap and others");
    asc_model_free(m);
}

static void
backgrounds(void **state)
{
    const double x[3] = { 1.0, 2.0, 3.0 };
    struct asc_error e;
    struct counter c;
    asc_model *m = counting_model("xx", 1, &c, overflow);
    asc_model *wide = counting_model("xxx", 1, &c, overflow);
    struct asc_background b;

    (void)state;
    c.d = 2;
    assert_int_equal(try(EXACT, m, NULL, x, 0, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "exact-shapley needs background rows to draw "
                        "absent values from: give them with -b");
    make_background(wide, x, 1, &b);
    assert_int_equal(try(KERNEL, m, &b, x, 0, &e), ASC_EINPUT);
    assert_string_equal(e.text, "small: the model has 2 fields, the "
                        "background 3");
    asc_background_free(&b);
    asc_model_free(m);
    asc_model_free(wide);
}

static void
results(void **state)
{
    const double x[2] = { 1.0, 2.0 }, far[2] = { 2e4, 1.0 };
    const double z[2] = { 0.0, 1.0 };
    struct asc_error e;
    struct counter c;
    asc_model *m = counting_model("xx", 1, &c, overflow);
    struct asc_background b;

    (void)state;
    make_background(m, z, 1, &b);
    assert_int_equal(try(EXACT, m, &b, x, 0, &e), ASC_OK);
    assert_int_equal(try(EXACT, m, &b, x, 1, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "small: output 2 of 1 is not there");
    assert_int_equal(try(EXACT, m, &b, far, 0, &e), ASC_ENUMERIC);
    assert_string_equal(e.text, "small: row \"1\": exact-shapley gives field "
                        "\"f0\" an infinite value");
    asc_background_free(&b);
    asc_model_free(m);
}

static void
residuals(void **state)
{
    const double phi[3] = { 1.0, -2.0, 0.5 }, none[3] = { 0.0 };

    (void)state;
    close_to(asc_residual(phi, 3, 2.0, 1.5), 0.0, 0.0);
    close_to(asc_residual(phi, 3, 2.0, 1.0), 0.5 / 3.5, 1e-16);
    close_to(asc_residual(phi, 3, 8.0, 7.0), 0.5 / 8.0, 1e-16);
    close_to(asc_residual(phi, 3, 1.0, -10.0), 10.5 / 10.0, 1e-15);
    assert_true(asc_residual(none, 3, 0.0, 0.0) == 0.0);
    assert_true(asc_residual(none, 0, 0.0, 0.0) == 0.0);
    assert_true(isnan(asc_residual(phi, 3, 2.0, NAN)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry),
        cmocka_unit_test(views),
        cmocka_unit_test(backgrounds),
        cmocka_unit_test(results),
        cmocka_unit_test(residuals)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
