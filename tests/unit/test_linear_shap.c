/* linear-shap: what enumeration gives, conditional expectations by their
 * definition, and a worked example. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribution.h"
#include "forests.h"
#include "games.h"
#include "peers.h"
#include "seed.h"

#define METHOD (&asci_method_linear_shap)

/* Independent fields: exact-shapley, whatever the fields. */
static void
independent(void **state)
{
    enum { ROWS = 6, BACKGROUND = 5 };
    struct asc_stream s;
    size_t links, i, k;

    (void)state;
    asc_stream_start(&s, test_seed(1), "linear", "", 0);
    for (links = 0; links < 2; links++) {
        asc_model *m = random_model(MADE_LINEAR, "x3x2x", links ? 3 : 1, &s);
        const size_t q = links ? 3 : 2;
        double *x, *z;
        struct asc_background b;

        model_end(m, q, links ? ASCI_LINK_SOFTMAX : ASCI_LINK_LOGIT);
        x = random_rows(m, ROWS, 0.2, &s);
        z = random_rows(m, BACKGROUND, 0.2, &s);
        make_background(m, z, BACKGROUND, &b);
        for (k = 0; k < q; k++) {
            struct explanation got = explain("linear-shap", METHOD, m,
                                             ASC_RAW, &b, x, ROWS, k);
            struct explanation want = explain(
                "exact-shapley", &asci_method_exact_shapley, m, ASC_RAW, &b,
                x, ROWS, k);

            for (i = 0; i < ROWS * 5; i++)
                close_to(got.phi[i], want.phi[i], 1e-14);
            explanation_free(&want);
            explanation_free(&got);
        }
        check_row_contract("linear-shap", METHOD, m, ASC_RAW, &b, x, ROWS);
        check_row_contract("linear-shap:fields=gaussian", METHOD, m, ASC_RAW,
                           &b, x, ROWS);
        asc_background_free(&b);
        free(z);
        free(x);
        asc_model_free(m);
    }
}

/* w = (1, 2), mean 0, covariance (1, .5; .5, 1), x = (1, 3): alone the second
 * field is expected to be .5 with the first at 1, the first 1.5 with the
 * second at 3, so phi = (2 + 7 - 7.5) / 2 = .75 and 7 - .75.  The four rows
 * have this mean and covariance. */
static void
two_fields(void **state)
{
    const double w[2] = { 1.0, 2.0 }, zero = 0.0, x[2] = { 1.0, 3.0 };
    const double a = sqrt(1.5), c = sqrt(0.5);
    const double z[8] = { a, a, -a, -a, c, -c, -c, c };
    struct asc_background b;
    struct explanation got;
    asc_model *m = model_begin("xx");

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, w, &zero);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, z, 4, &b);
    got = explain("linear-shap:fields=gaussian", METHOD, m, ASC_RAW, &b, x, 1,
                  0);
    close_to(got.phi[0], 0.75, 1e-14);
    close_to(got.phi[1], 6.25, 1e-14);
    close_to(got.base[0], 0.0, 1e-15);
    close_to(got.value[0], 7.0, 0.0);
    explanation_free(&got);
    got = explain("linear-shap", METHOD, m, ASC_RAW, &b, x, 1, 0);
    close_to(got.phi[0], 1.0, 1e-14);
    close_to(got.phi[1], 6.0, 1e-14);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

/* b (k) = a^-1 b by elimination with pivots; a (k, k). */
static void
eliminate(double *a, double *b, size_t k)
{
    size_t i, j, c;

    for (c = 0; c < k; c++) {
        size_t best = c;

        for (i = c; i < k; i++)
            if (fabs(a[i * k + c]) > fabs(a[best * k + c]))
                best = i;
        for (j = 0; j < k; j++) {
            const double t = a[c * k + j];

            a[c * k + j] = a[best * k + j];
            a[best * k + j] = t;
        }
        {
            const double t = b[c];

            b[c] = b[best];
            b[best] = t;
        }
        for (i = 0; i < k; i++) {
            const double t = i == c ? 0.0 : a[i * k + c] / a[c * k + c];

            for (j = 0; j < k; j++)
                a[i * k + j] -= t * a[c * k + j];
            b[i] -= t * b[c];
        }
    }
    for (c = 0; c < k; c++)
        b[c] /= a[c * k + c];
}

/* v(S) = E[w x | x_S] for plain fields x with mean and covariance of z. */
static double
expected(const double *w, const double *x, const double *z, size_t n, size_t d,
         size_t s)
{
    double mean[16] = { 0 }, a[16 * 16], r[16], v = 0.0;
    size_t in[16], k = 0, i, j, l;

    for (j = 0; j < d; j++) {
        for (i = 0; i < n; i++)
            mean[j] += z[i * d + j] / (double)n;
        if (s >> j & 1)
            in[k++] = j;
    }
    for (j = 0; j < k; j++) {
        r[j] = x[in[j]] - mean[in[j]];
        for (l = 0; l < k; l++) {
            a[j * k + l] = 0.0;
            for (i = 0; i < n; i++)
                a[j * k + l] += (z[i * d + in[j]] - mean[in[j]]) *
                                (z[i * d + in[l]] - mean[in[l]]);
        }
    }
    eliminate(a, r, k);
    for (j = 0; j < d; j++) {
        double e = mean[j];

        for (l = 0; l < k; l++)
            for (i = 0; i < n; i++)
                e += (z[i * d + j] - mean[j]) *
                     (z[i * d + in[l]] - mean[in[l]]) * r[l];
        v += w[j] * (s >> j & 1 ? x[j] : e);
    }
    return v;
}

static void
gaussian_case(size_t d, size_t n, const char *spec, double tolerance,
              struct asc_stream *s)
{
    enum { ROWS = 3 };
    char fields[17] = { 0 };
    double *x = malloc(ROWS * d * sizeof *x), *z = malloc(n * d * sizeof *z);
    double *v = malloc(sizeof *v << d), want[16], w[17];
    struct asc_background b;
    struct explanation got;
    asc_model *m;
    size_t i, j, k;

    memset(fields, 'x', d);
    m = model_begin(fields);
    add_plain_columns(m, NAN);
    random_numbers(s, w, d + 1, 1.0);
    w[0] = 0.0;                 /* not used, but it tells of the others */
    set_linear(m, 1, w, w + d);
    model_end(m, 1, ASCI_LINK_NONE);
    random_numbers(s, x, ROWS * d, 1.0);
    random_numbers(s, z, n * d, 1.0);
    for (i = 0; i < n; i++)
        for (j = 1; j < d; j++)
            z[i * d + j] += 0.8 * z[i * d + j - 1];
    make_background(m, z, n, &b);
    got = explain(spec, METHOD, m, ASC_RAW, &b, x, ROWS, 0);
    for (k = 0; k < ROWS; k++) {
        for (i = 0; i < (size_t)1 << d; i++)
            v[i] = expected(w, x + k * d, z, n, d, i);
        shapley_by_definition(v, d, want);
        for (j = 0; j < d; j++)
            close_to(got.phi[k * d + j], want[j], tolerance);
        assert_true(fabs(want[0]) > 1e-3);
        assert_true(asc_residual(got.phi + k * d, d, got.base[k],
                                 got.value[k]) < 1e-12);
    }
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
    free(v);
    free(z);
    free(x);
}

/* Conditional expectations one by one; beyond twelve fields by orders. */
static void
definition(void **state)
{
    struct asc_stream s;

    (void)state;
    asc_stream_start(&s, 2, "linear", "", 0);
    gaussian_case(2, 20, "linear-shap:fields=gaussian", 1e-12, &s);
    gaussian_case(5, 30, "linear-shap:fields=gaussian", 1e-12, &s);
    gaussian_case(8, 100, "linear-shap:fields=gaussian", 1e-12, &s);
    gaussian_case(13, 200, "linear-shap:fields=gaussian:permutations=20000",
                  0.02, &s);
}

/* A field that is another one's copy, and indicators that add up to 1: the
 * copy shares, and nothing fails. */
static void
dependent_columns(void **state)
{
    enum { N = 40, ROWS = 3 };
    double w[8], x[ROWS * 3], z[N * 3];
    struct asc_stream s;
    struct asc_background b;
    struct explanation got;
    asc_model *m = model_begin("x3x");
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(3), "linear", "", 0);
    add_plain_columns(m, NAN);
    assert_int_equal(m->encoder.n, 5);
    random_numbers(&s, w, 6, 1.0);
    w[4] = w[0];
    set_linear(m, 1, w, w + 5);
    model_end(m, 1, ASCI_LINK_NONE);
    for (i = 0; i < N; i++) {
        z[i * 3] = z[i * 3 + 2] = asc_stream_normal(&s);
        z[i * 3 + 1] = (double)asc_stream_below(&s, 3);
    }
    memcpy(x, z, sizeof x);
    make_background(m, z, N, &b);
    got = explain("linear-shap:fields=gaussian", METHOD, m, ASC_RAW, &b, x,
                  ROWS, 0);
    for (i = 0; i < ROWS; i++) {
        close_to(got.phi[i * 3], got.phi[i * 3 + 2], 1e-10);
        assert_true(asc_residual(got.phi + i * 3, 3, got.base[i],
                                 got.value[i]) < 1e-10);
    }
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
refused(asc_model *m, enum asc_scale scale, const char *message)
{
    const double z[2] = { 0.0, 0.5 };
    const size_t output = 0;
    struct asc_background b;
    struct explanation got;
    struct asc_error e;

    make_background(m, z, 1, &b);
    assert_int_equal(explain_blocks("linear-shap", METHOD, m, scale, &b, z, 1,
                                    &output, 1, 1, &got, &e), ASC_EUSAGE);
    assert_string_equal(e.text, message);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
refusals(void **state)
{
    const double w[3] = { 1.0, 2.0, 3.0 };
    asc_model *m = model_begin("xx");
    struct asc_stream s;

    (void)state;
    asc_stream_start(&s, 4, "linear", "", 0);
    add_plain_columns(m, NAN);
    set_linear(m, 1, w, w);
    refused(model_end(m, 2, ASCI_LINK_LOGIT), ASC_RESPONSE, "small: "
            "linear-shap explains linear functions, and the response has a "
            "link after them: explain the raw scale; what works: "
            "exact-shapley, kernel-shap, permutation-shap and others");
    m = model_begin("xx");
    add_plain_columns(m, NAN);
    add_interaction(m, 0, 1);
    set_linear(m, 1, w, w);
    refused(model_end(m, 1, ASCI_LINK_NONE), ASC_RAW, "small: linear-shap "
            "explains sums of functions of one field each, and this model has "
            "products of fields; what works: exact-shapley, kernel-shap, "
            "permutation-shap and others");
    m = model_end(random_model(MADE_NETWORK, "xx", 1, &s), 1, ASCI_LINK_NONE);
    refused(m, ASC_RAW, "small: linear-shap needs linear weights, which this "
            "model has not; what works: exact-shapley, kernel-shap, "
            "permutation-shap and others");
}

static void
other_programs(void **state)
{
    static const char *const cases[] = { "linear_shap" };

    (void)state;
    compare_peers(cases, 1, "shap_linear_independent", "linear-shap", METHOD,
                  ASC_RAW, 1e-9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(independent), cmocka_unit_test(two_fields),
        cmocka_unit_test(definition), cmocka_unit_test(dependent_columns),
        cmocka_unit_test(refusals), cmocka_unit_test(other_programs)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
