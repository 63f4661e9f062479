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
    asc_stream_start(&s, 7, "kernel", "", 0);
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

/* v (2^d) of a random game; order: the largest coalition that matters as
 * such. */
static double *
random_game(size_t d, int order, struct asc_stream *s)
{
    const size_t n = (size_t)1 << d;
    double *v = malloc(n * sizeof *v);
    size_t i, half;

    for (i = 0; i < n; i++) {
        const int size = __builtin_popcountll(i);

        v[i] = size > order ? 0.0 : asc_stream_normal(s) / (1.0 + size);
    }
    for (half = 1; half < n; half *= 2)
        for (i = 0; i < n; i++)
            if (i & half)
                v[i] += v[i ^ half];
    return v;
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
    asc_stream_start(&s, 8, "kernel", "", 0);
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
 * 200 seeds; and the errors must be as large as the intervals say, not much
 * smaller. */
static void
coverage(void **state)
{
    static const struct { size_t d, samples; int order; } cases[] = {
        { 6, 40, 6 }, { 8, 60, 8 }, { 8, 120, 3 }, { 8, 200, 8 },
        { 10, 60, 10 }, { 10, 200, 4 }, { 10, 600, 10 }, { 12, 300, 3 }
    };
    enum { SEEDS = 200 };
    struct asc_stream s;
    size_t c, j;
    unsigned seed;

    (void)state;
    asc_stream_start(&s, 9, "kernel", "", 0);
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        const size_t d = cases[c].d;
        double *v = random_game(d, cases[c].order, &s);
        double want[16], phi[16], se[16], squares = 0.0, variances = 0.0;
        size_t held = 0, n = 0;
        char spec[64];

        shapley_by_definition(v, d, want);
        for (seed = 1; seed <= SEEDS; seed++) {
            snprintf(spec, sizeof spec, "kernel-shap:samples=%zu:seed=%u",
                     cases[c].samples, seed);
            explain_game(spec, METHOD, &(struct table_game){ d, v }, phi, se);
            for (j = 0; j < d; j++) {
                held += fabs(phi[j] - want[j]) <= 1.96 * se[j];
                n++;
                squares += (phi[j] - want[j]) * (phi[j] - want[j]);
                variances += se[j] * se[j];
            }
        }
        print_message("# d = %zu, %zu coalitions: %.3f of the intervals hold "
                      "the value; mean se^2 is %.2f of the mean square "
                      "error\n", d, cases[c].samples,
                      (double)held / (double)n, variances / squares);
        assert_true((double)held / (double)n >= 0.9);
        assert_true((double)held / (double)n <= 0.99);
        free(v);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_enumeration),
        cmocka_unit_test(games_of_pairs),
        cmocka_unit_test(coverage)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
