/* permutation-shap: the orders by their definition, exact where only pairs
 * interact, errors that say how far off it is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribution.h"
#include "forests.h"
#include "games.h"
#include "seed.h"

#define METHOD (&asci_method_permutation_shap)

/* phi and se (d) of the game v by walking n orders that are drawn as the
 * method says, one marginal contribution after the other. */
static void
by_definition(const double *v, size_t d, size_t n, uint64_t seed, double *phi,
              double *se)
{
    double *one = malloc(n * d * sizeof *one);
    struct asc_stream s;
    size_t order[16], i, j, k;

    asc_stream_start(&s, seed, "permutation-shap", "", 0);
    for (i = 0; i < n; i++) {
        const size_t full = ((size_t)1 << d) - 1;
        size_t before = 0;

        for (k = 0; k < d; k++)
            order[k] = k;
        asc_stream_shuffle(&s, order, d);
        for (k = 0; k < d; k++) {
            const size_t bit = (size_t)1 << order[k];

            one[i * d + order[k]] = (v[before | bit] - v[before]) / 2.0 +
                (v[full ^ before] - v[full ^ before ^ bit]) / 2.0;
            before |= bit;
        }
    }
    for (j = 0; j < d; j++) {
        double squares = 0.0;

        phi[j] = 0.0;
        for (i = 0; i < n; i++)
            phi[j] += one[i * d + j] / (double)n;
        for (i = 0; i < n; i++)
            squares += pow(one[i * d + j] - phi[j], 2.0);
        /* the standard deviation of phi + s / sqrt(n) t, t Student's with
         * n - 1 degrees of freedom, whose variance is (n - 1) / (n - 3) */
        se[j] = sqrt(squares / (double)(n - 1) / (double)n *
                     (double)(n - 1) / (double)(n - 3));
    }
    free(one);
}

static void
definition(void **state)
{
    static const struct { size_t d, n; unsigned seed; } cases[] = {
        { 3, 4, 1 }, { 4, 10, 1 }, { 7, 25, 2 }, { 9, 10, 3 }, { 12, 5, 1 },
        { 5, 1000, 4 }
    };
    struct asc_stream s;
    double phi[16], se[16], want[16], want_se[16];
    size_t c, j;

    (void)state;
    asc_stream_start(&s, test_seed(1), "orders", "", 0);
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        const size_t d = cases[c].d;
        double *v = random_game(d, (int)d, &s);
        char spec[80];

        snprintf(spec, sizeof spec,
                 "permutation-shap:permutations=%zu:seed=%u", cases[c].n,
                 cases[c].seed);
        explain_game(spec, METHOD, &(struct table_game){ d, v }, phi, se);
        by_definition(v, d, cases[c].n, cases[c].seed, want, want_se);
        for (j = 0; j < d; j++) {
            close_to(phi[j], want[j], 1e-13);
            close_to(se[j], want_se[j], 1e-13);
        }
        free(v);
    }
}

/* One order, both ways, solves a game without interactions of three or more;
 * fewer than four orders have no error to speak of. */
static void
games_of_pairs(void **state)
{
    struct asc_stream s;
    double phi[16], se[16], want[16];
    size_t d, j;

    (void)state;
    asc_stream_start(&s, test_seed(2), "orders", "", 0);
    for (d = 1; d <= 10; d++) {
        double *v = random_game(d, 2, &s);

        shapley_by_definition(v, d, want);
        explain_game("permutation-shap:permutations=1", METHOD,
                     &(struct table_game){ d, v }, phi, se);
        for (j = 0; j < d; j++) {
            close_to(phi[j], want[j], 1e-13);
            assert_true(d < 3 ? se[j] == 0.0 : isnan(se[j]));
        }
        explain_game("permutation-shap", METHOD, &(struct table_game){ d, v },
                     phi, se);
        for (j = 0; j < d; j++) {
            close_to(phi[j], want[j], 1e-13);
            close_to(se[j], 0.0, 1e-13);
        }
        free(v);
    }
}

/* Of 95% intervals phi +- 1.96 se about 95% hold the value, over 200 seeds,
 * from 10 d coalitions on. */
static void
coverage(void **state)
{
    static const struct { size_t d, n; int order; } cases[] = {
        { 6, 6, 6 }, { 8, 6, 3 }, { 10, 10, 10 }, { 12, 20, 4 }
    };
    struct asc_stream s;
    size_t c;

    (void)state;
    asc_stream_start(&s, 9, "orders", "", 0);
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        double *v = random_game(cases[c].d, cases[c].order, &s);
        double want[16];
        char spec[64];

        shapley_by_definition(v, cases[c].d, want);
        snprintf(spec, sizeof spec, "permutation-shap:permutations=%zu",
                 cases[c].n);
        check_coverage(spec, METHOD, &(struct table_game){ cases[c].d, v },
                       want);
        free(v);
    }
}

/* Models of every form: additive to the last digits, near the exact values,
 * and a row on its own. */
static void
every_form(void **state)
{
    enum { ROWS = 6, BACKGROUND = 4 };
    static const char *const fields[MADE_KINDS] = {
        "x3x2x", "x3xx", "x3x4x", "xxxxxxx", "x3x2"
    };
    struct asc_stream s;
    size_t kind, i, j;

    (void)state;
    asc_stream_start(&s, test_seed(3), "orders", "", 0);
    for (kind = 0; kind < MADE_KINDS; kind++) {
        asc_model *m = model_end(random_model((enum made)kind, fields[kind],
                                              3, &s), 3, ASCI_LINK_SOFTMAX);
        const size_t d = m->schema.n;
        enum asc_scale scale;
        double *x = random_rows(m, ROWS, 0.2, &s);
        double *z = random_rows(m, BACKGROUND, 0.2, &s);
        struct asc_background b;

        for (i = 0; i < BACKGROUND; i++)
            z[i * d + 1] = x[d + 1];
        make_background(m, z, BACKGROUND, &b);
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            struct explanation got = explain(
                "permutation-shap:permutations=40", METHOD, m, scale, &b, x,
                ROWS, 1);
            struct explanation want = explain(
                "exact-shapley", &asci_method_exact_shapley, m, scale, &b, x,
                ROWS, 1);

            for (i = 0; i < ROWS * d; i++)
                assert_true(fabs(got.phi[i] - want.phi[i]) <=
                            6.0 * got.se[i] + 1e-12);
            for (j = 0; j < ROWS; j++)
                assert_true(asc_residual(got.phi + j * d, d, got.base[j],
                                         got.value[j]) < 1e-12);
            assert_true(got.phi[d + 1] == 0.0);
            explanation_free(&want);
            explanation_free(&got);
            check_row_contract("permutation-shap:permutations=3", METHOD, m,
                               scale, &b, x, ROWS);
        }
        asc_background_free(&b);
        free(z);
        free(x);
        asc_model_free(m);
    }
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

/* No coalition is evaluated twice: of three fields there are six, however many
 * orders. */
static void
evaluations(void **state)
{
    static const struct { const char *spec; size_t d, most; } cases[] = {
        { "permutation-shap:permutations=1000", 3, 6 },
        { "permutation-shap:permutations=500", 5, 30 },
        { "permutation-shap", 14, 260 }
    };
    enum { M = 3, ROWS = 4, D = 14 };
    double x[ROWS * D], z[M * D];
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(4), "orders", "", 0);
    random_numbers(&s, x, ROWS * D, 1.0);
    random_numbers(&s, z, M * D, 1.0);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        char fields[D + 1] = { 0 };
        struct asc_background b;
        struct counter count;
        struct explanation got;
        asc_model *m;

        memset(fields, 'x', cases[i].d);
        m = counting_model(fields, 1, &count, product);
        make_background(m, z, M, &b);
        got = explain(cases[i].spec, METHOD, m, ASC_RAW, &b, x, ROWS, 0);
        assert_true(count.rows - M - ROWS <= ROWS * M * cases[i].most);
        assert_true(count.rows - M - ROWS >= ROWS * M * cases[i].most * 3 / 4);
        explanation_free(&got);
        asc_background_free(&b);
        asc_model_free(m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition), cmocka_unit_test(games_of_pairs),
        cmocka_unit_test(coverage), cmocka_unit_test(every_form),
        cmocka_unit_test(evaluations)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
