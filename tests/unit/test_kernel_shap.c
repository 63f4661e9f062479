/* kernel-shap: equal to exact-shapley where all coalitions fit, exact for
 * games of pairs whatever the sample, close otherwise with errors that say
 * how close. */
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

#define METHOD (&asci_method_kernel_shap)

static void
whole_enumeration(void **state)
{
    enum { ROWS = 6, BACKGROUND = 4 };
    static const char *const fields[MADE_KINDS] = {
        "x3x2x", "x3xx", "x3x4x", "xxxxxxx", "x3x2"
    };
    struct asc_stream s;
    size_t kind, links, i, j, k;

    (void)state;
    asc_stream_start(&s, test_seed(7), "kernel", "", 0);
    for (kind = 0; kind < MADE_KINDS; kind++)
        for (links = 0; links < 2; links++) {
            const size_t q = links ? 3 : 2;
            asc_model *m = random_model((enum made)kind, fields[kind],
                                        links ? 3 : 1, &s);
            const size_t d = m->schema.n;
            enum asc_scale scale;
            double *x, *z;
            struct asc_background b;

            model_end(m, q, links ? ASCI_LINK_SOFTMAX : ASCI_LINK_LOGIT);
            x = random_rows(m, ROWS, 0.2, &s);
            z = random_rows(m, BACKGROUND, 0.2, &s);
            for (i = 0; i < BACKGROUND; i++)
                z[i * d + 1] = x[d + 1];
            make_background(m, z, BACKGROUND, &b);
            for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
                for (k = 0; k < q; k++) {
                    struct explanation got = explain(
                        "kernel-shap", METHOD, m, scale, &b, x, ROWS, k);
                    struct explanation want = explain(
                        "exact-shapley", &asci_method_exact_shapley, m, scale,
                        &b, x, ROWS, k);

                    for (i = 0; i < ROWS * d; i++) {
                        close_to(got.phi[i], want.phi[i], 1e-10);
                        assert_true(got.se[i] == 0.0);
                    }
                    for (j = 0; j < ROWS; j++)
                        assert_true(asc_residual(got.phi + j * d, d,
                                                 got.base[j], got.value[j])
                                    < 1e-12);
                    assert_true(got.phi[d + 1] == 0.0);
                    explanation_free(&want);
                    explanation_free(&got);
                }
                check_row_contract("kernel-shap", METHOD, m, scale, &b, x,
                                   ROWS);
            }
            asc_background_free(&b);
            free(z);
            free(x);
            asc_model_free(m);
        }
}

/* With pairs of complements nothing is left of interactions of two: such
 * games are solved whatever was drawn. */
static void
games_of_pairs(void **state)
{
    static const char *const specs[] = {
        "kernel-shap:samples=28", "kernel-shap:samples=40",
        "kernel-shap:samples=100:seed=9", "kernel-shap:samples=1000",
        "kernel-shap"
    };
    enum { D = 12 };
    struct asc_stream s;
    double phi[D], se[D], want[D], *v;
    size_t order, i, j;

    (void)state;
    asc_stream_start(&s, test_seed(8), "kernel", "", 0);
    for (order = 1; order <= 2; order++) {
        v = random_game(D, (int)order, &s);
        shapley_by_definition(v, D, want);
        for (i = 0; i < sizeof specs / sizeof *specs; i++) {
            explain_game(specs[i], METHOD, &(struct table_game){ D, v }, phi,
                         se);
            for (j = 0; j < D; j++) {
                close_to(phi[j], want[j], 1e-12);
                close_to(se[j], 0.0, 1e-12);
            }
        }
        free(v);
    }
}

/* Of 95% intervals phi +- 1.96 se about 95% must hold the exact value, over
 * 200 seeds. */
static void
coverage(void **state)
{
    static const struct { size_t d, samples; int order; } cases[] = {
        { 6, 40, 6 }, { 8, 60, 8 }, { 8, 120, 3 }, { 8, 200, 8 },
        { 10, 60, 10 }, { 10, 200, 4 }, { 10, 600, 10 }, { 12, 300, 3 }
    };
    static const char *const sampling[] = { "kernel", "leverage" };
    struct asc_stream s;
    size_t c, k;

    (void)state;
    asc_stream_start(&s, 9, "kernel", "", 0);
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        double *v = random_game(cases[c].d, cases[c].order, &s), want[16];

        shapley_by_definition(v, cases[c].d, want);
        for (k = 0; k < 2; k++) {
            char spec[80];

            snprintf(spec, sizeof spec, "kernel-shap:samples=%zu:sampling=%s",
                     cases[c].samples, sampling[k]);
            check_coverage(spec, METHOD, &(struct table_game){ cases[c].d, v },
                           want);
        }
        free(v);
    }
}

/* With `error` the errors are as small as was wanted, and true. */
static void
wanted_error(void **state)
{
    enum { D = 12, SEEDS = 20 };
    struct asc_stream s;
    double phi[D], se[D], want[D], *v;
    unsigned seed;
    size_t j;

    (void)state;
    asc_stream_start(&s, 10, "kernel", "", 0);
    v = random_game(D, 3, &s);
    shapley_by_definition(v, D, want);
    for (seed = 1; seed <= SEEDS; seed++) {
        double low = INFINITY, high = -INFINITY, last = 0.0;
        char spec[80];

        snprintf(spec, sizeof spec,
                 "kernel-shap:samples=30:error=0.02:seed=%u", seed);
        explain_game(spec, METHOD, &(struct table_game){ D, v }, phi, se);
        for (j = 0; j < D; j++) {
            low = fmin(low, phi[j]);
            high = fmax(high, phi[j]);
            last = fmax(last, se[j]);
            assert_true(fabs(phi[j] - want[j]) <= 6.0 * se[j]);
        }
        assert_true(last <= 0.02 * (high - low) && last > 0.0);
    }
    free(v);
}

static double
product(const double *x, size_t d, size_t output)
{
    double y = 1.0;
    size_t j;

    (void)output;
    for (j = 0; j < d; j++)
        y *= 1.0 + 0.3 * x[j];
    return y;
}

/* How many model rows a row costs: no more than `samples` coalitions, and
 * most of them different ones. */
static void
evaluations(void **state)
{
    static const struct { const char *spec; size_t samples; } cases[] = {
        { "kernel-shap", 2 * 14 + 2048 }, { "kernel-shap:samples=32", 32 },
        { "kernel-shap:samples=101", 100 },
        { "kernel-shap:samples=5000", 5000 },
        { "kernel-shap:samples=100000", 16382 }
    };
    enum { M = 3, ROWS = 4, D = 14 };
    double x[ROWS * D], z[M * D];
    struct asc_stream s;
    struct asc_background b;
    struct counter count;
    asc_model *m = counting_model("xxxxxxxxxxxxxx", 1, &count, product);
    struct explanation got;
    size_t i, before;

    (void)state;
    asc_stream_start(&s, test_seed(13), "kernel", "", 0);
    random_numbers(&s, x, ROWS * D, 1.0);
    random_numbers(&s, z, M * D, 1.0);
    make_background(m, z, M, &b);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        before = count.rows;
        got = explain(cases[i].spec, METHOD, m, ASC_RAW, &b, x, ROWS, 0);
        before += M + ROWS;         /* the background and the rows */
        assert_true(count.rows - before <= ROWS * M * cases[i].samples);
        assert_true(count.rows - before >= ROWS * M * cases[i].samples * 3 / 4);
        explanation_free(&got);
    }
    check_row_contract("kernel-shap:samples=200", METHOD, m, ASC_RAW, &b, x,
                       ROWS);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Rows that differ from the background in different fields, in any order:
 * each as if it were alone, and the second seed is another draw. */
static void
rows_apart(void **state)
{
    enum { ROWS = 40, D = 16 };
    double x[ROWS * D], z[D] = { 0.0 };
    struct asc_stream s;
    struct asc_background b;
    struct counter count;
    asc_model *m = counting_model("xxxxxxxxxxxxxxxx", 2, &count, product);
    struct explanation got, other;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(14), "kernel", "", 0);
    for (i = 0; i < ROWS * D; i++)
        x[i] = asc_stream_below(&s, 3) ? asc_stream_normal(&s) : 0.0;
    memset(x + 3 * D, 0, D * sizeof *x);
    memset(x + 5 * D, 0, (D - 1) * sizeof *x);
    make_background(m, z, 1, &b);
    check_row_contract("kernel-shap:samples=60", METHOD, m, ASC_RAW, &b, x,
                       ROWS);
    check_row_contract("kernel-shap:samples=60:sampling=leverage:error=0.01",
                       METHOD, m, ASC_RAW, &b, x, ROWS);
    got = explain("kernel-shap:samples=60", METHOD, m, ASC_RAW, &b, x, ROWS,
                  0);
    other = explain("kernel-shap:samples=60:seed=2", METHOD, m, ASC_RAW, &b,
                    x, ROWS, 0);
    for (i = 0; i < ROWS * D; i++)
        assert_true((got.phi[i] == 0.0) == (x[i] == 0.0));
    assert_true(memcmp(got.phi, other.phi, ROWS * D * sizeof *x) != 0);
    close_to(got.phi[5 * D + D - 1], got.value[5] - got.base[5], 0.0);
    for (i = 0; i < ROWS; i++)
        assert_true(asc_residual(got.phi + i * D, D, got.base[i],
                                 got.value[i]) < 1e-12);
    explanation_free(&got);
    explanation_free(&other);
    asc_background_free(&b);
    asc_model_free(m);
}

/* A hundred fields and more, three words of bits: additive games are exact,
 * others are close. */
static void
many_fields(void **state)
{
    enum { D = 130 };
    double w[D + 1], x[D], z[D] = { 0.0 }, sum = 0.0;
    char fields[D + 1] = { 0 };
    struct asc_stream s;
    struct asc_background b;
    struct explanation got;
    asc_model *m;
    size_t j;

    (void)state;
    asc_stream_start(&s, test_seed(15), "kernel", "", 0);
    memset(fields, 'x', D);
    m = model_begin(fields);
    add_plain_columns(m, NAN);
    random_numbers(&s, w, D + 1, 0.01);
    random_numbers(&s, x, D, 1.0);
    set_linear(m, 1, w, w + D);
    model_end(m, 2, ASCI_LINK_LOGIT);
    make_background(m, z, 1, &b);
    got = explain("kernel-shap:samples=1200", METHOD, m, ASC_RESPONSE, &b, x,
                  1, 1);
    /* so small a margin is next to linear: phi is about w x / 4 */
    for (j = 0; j < D; j++) {
        close_to(got.phi[j], w[j] * x[j] / 4.0, 1e-4);
        assert_true(got.se[j] < 1e-4);
        sum += got.phi[j];
    }
    close_to(sum, got.value[0] - got.base[0], 1e-14);
    explanation_free(&got);
    got = explain("kernel-shap:samples=264", METHOD, m, ASC_RAW, &b, x, 1, 1);
    for (j = 0; j < D; j++)
        close_to(got.phi[j], w[j] * x[j], 1e-15);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
too_few_samples(void **state)
{
    const double z[6] = { 0 };
    const size_t output = 0;
    struct asc_background b;
    struct counter count;
    struct explanation got;
    struct asc_error e;
    asc_model *m = counting_model("xxxxxx", 1, &count, product);

    (void)state;
    make_background(m, z, 1, &b);
    assert_int_equal(explain_blocks("kernel-shap:samples=15", METHOD, m,
                                    ASC_RAW, &b, z, 1, &output, 1, 1, &got,
                                    &e), ASC_EUSAGE);
    assert_string_equal(e.text, "kernel-shap: samples=15 are too few for 6 "
                        "fields: want 0 or at least 16");
    assert_int_equal(explain_blocks("kernel-shap", METHOD, m, ASC_RAW, NULL,
                                    z, 1, &output, 1, 1, &got, &e),
                     ASC_EUSAGE);
    assert_string_equal(e.text, "kernel-shap needs background rows to draw "
                        "absent values from: give them with -b");
    asc_background_free(&b);
    asc_model_free(m);
}

/* shap 0.51.0, in double: probabilities, and a linear model. */
static void
other_programs(void **state)
{
    static const char *const cases[] = {
        "kernel_logistic5", "kernel_mlp8", "kernel_constfeat6",
        "kernel_mlpclf11"
    };
    static const char *const linear[] = { "linear_shap" };

    (void)state;
    compare_peers(cases, 4, "shap_kernel_full_identity", "kernel-shap", METHOD,
                  ASC_RESPONSE, 1e-9);
    compare_peers(linear, 1, "shap_linear_independent", "kernel-shap",
                  METHOD, ASC_RAW, 1e-9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_enumeration),
        cmocka_unit_test(games_of_pairs),
        cmocka_unit_test(coverage), cmocka_unit_test(wanted_error),
        cmocka_unit_test(evaluations),
        cmocka_unit_test(rows_apart),
        cmocka_unit_test(many_fields),
        cmocka_unit_test(too_few_samples),
        cmocka_unit_test(other_programs)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
