/* exact-shapley: the definition on models of every form, games given as
 * tables, other programs' values, and the properties of Shapley values. */
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

#define METHOD (&asci_method_exact_shapley)

enum { ROWS = 6, BACKGROUND = 5 };

static void
every_form(void **state)
{
    static const char *const fields[MADE_KINDS] = {
        "x3x2x", "x3xx", "x3x4x", "xxxxxx", "x3x2"
    };
    struct asc_stream s;
    size_t kind, links, i, j, k;

    (void)state;
    asc_stream_start(&s, test_seed(4), "exact", "", 0);
    for (kind = 0; kind < MADE_KINDS; kind++)
        for (links = 0; links < 2; links++) {
            const size_t q = links ? 3 : 2;
            asc_model *m = random_model((enum made)kind, fields[kind],
                                        links ? 3 : 1, &s);
            const size_t d = m->schema.n;
            enum asc_scale scale;
            double *x, *z, phi[16];
            struct asc_background b;

            model_end(m, q, links ? ASCI_LINK_SOFTMAX : ASCI_LINK_LOGIT);
            x = random_rows(m, ROWS, 0.2, &s);
            z = random_rows(m, BACKGROUND, 0.2, &s);
            /* Rows that share values with a whole background. */
            for (i = 0; i < BACKGROUND; i++)
                z[i * d] = x[2 * d];
            make_background(m, z, BACKGROUND, &b);
            for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
                for (k = 0; k < q; k++) {
                    struct explanation got = explain(
                        "exact-shapley", METHOD, m, scale, &b, x, ROWS, k);

                    for (i = 0; i < ROWS; i++) {
                        shapley_of(m, scale, &b, x + i * d, k, phi);
                        for (j = 0; j < d; j++)
                            close_to(got.phi[i * d + j], phi[j], 1e-12);
                        assert_true(asc_residual(got.phi + i * d, d,
                                                 got.base[i], got.value[i])
                                    < 1e-12);
                        close_to(got.value[i],
                                 output_at(m, scale, x + i * d, k), 0.0);
                    }
                    assert_true(got.phi[2 * d] == 0.0);
                    explanation_free(&got);
                }
                check_row_contract("exact-shapley", METHOD, m, scale, &b, x,
                                   ROWS);
            }
            asc_background_free(&b);
            free(z);
            free(x);
            asc_model_free(m);
        }
}

/* The sheet's game A, by the marginal contributions in all six orders:
 * (8/3, 25/6, 7/6). */
static void
game_of_three(void **state)
{
    const double v[8] = { 0, 1, 2, 5, 0, 1, 3, 8 };
    const struct table_game g = { 3, v };
    double phi[3];

    (void)state;
    explain_game("exact-shapley", METHOD, &g, phi, NULL);
    close_to(phi[0], 8.0 / 3.0, 1e-15);
    close_to(phi[1], 25.0 / 6.0, 1e-15);
    close_to(phi[2], 7.0 / 6.0, 1e-15);
}

/* Tree B against its three background rows: (-56, 22, -20) / 9, base 10; row
 * by row as baselines. */
static void
tree_b(void **state)
{
    static const double x[3] = { 0.3, 0.9, 0.2 };
    static const double z[9] = { 0.7, 0.1, 0.9, 0.2, 0.2, 0.2, 0.9, 0.8, 0.6 };
    static const double want[4][3] = {
        { -20.0 / 3.0, 10.0 / 3.0, -8.0 / 3.0 }, { 0.0, 4.0, 0.0 },
        { -12.0, 0.0, -4.0 }, { -56.0 / 9.0, 22.0 / 9.0, -20.0 / 9.0 }
    };
    asc_model *m = model_end(plant_tree_b(0), 1, ASCI_LINK_NONE);
    struct asc_background b;
    struct explanation got;
    size_t i, j;

    (void)state;
    for (i = 0; i < 4; i++) {
        make_background(m, i < 3 ? z + 3 * i : z, i < 3 ? 1 : 3, &b);
        got = explain("exact-shapley", METHOD, m, ASC_RAW, &b, x, 1, 0);
        for (j = 0; j < 3; j++)
            close_to(got.phi[j], want[i][j], 1e-14);
        if (i == 3)
            close_to(got.base[0], 10.0, 1e-14);
        explanation_free(&got);
        asc_background_free(&b);
    }
    asc_model_free(m);
}

/* A player that never matters gets 0, equal players get the same, to the bit;
 * the values of a sum of games are the sums. */
static void
axioms(void **state)
{
    enum { D = 7, SETS = 1 << D };
    double v[SETS], w[SETS], sum[SETS], phi[D], psi[D], both[D];
    struct asc_stream s;
    size_t i, j;

    (void)state;
    asc_stream_start(&s, test_seed(5), "exact", "", 0);
    for (i = 0; i < SETS; i++) {
        const size_t least = i & ~(size_t)(1 << 6);

        /* player 6 is idle, players 2 and 4 are alike */
        v[i] = least == i ? asc_stream_normal(&s) : v[least];
        if ((i >> 2 & 1) != (i >> 4 & 1) && i >> 4 & 1)
            v[i] = v[i ^ (1 << 2) ^ (1 << 4)];
        w[i] = asc_stream_normal(&s);
        sum[i] = v[i] + 2.0 * w[i];
    }
    explain_game("exact-shapley", METHOD, &(struct table_game){ D, v }, phi,
                 NULL);
    explain_game("exact-shapley", METHOD, &(struct table_game){ D, w }, psi,
                 NULL);
    explain_game("exact-shapley", METHOD, &(struct table_game){ D, sum },
                 both, NULL);
    assert_true(phi[6] == 0.0);
    close_to(phi[2], phi[4], 1e-15);
    for (j = 0; j < D; j++)
        close_to(both[j], phi[j] + 2.0 * psi[j], 1e-14);
}

/* Sixteen fields are enumerated. */
static void
largest(void **state)
{
    enum { D = 16 };
    struct table_game g = { D, NULL };
    double *v = malloc(sizeof *v << D), phi[D], want[D];
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(6), "exact", "", 0);
    random_numbers(&s, v, (size_t)1 << D, 1.0);
    g.v = v;
    explain_game("exact-shapley", METHOD, &g, phi, NULL);
    shapley_by_definition(v, D, want);
    for (i = 0; i < D; i++)
        close_to(phi[i], want[i], 1e-13);
    free(v);
}

static double
first_field(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return x[0];
}

/* More than 16 are refused, unless the form needs no enumeration. */
static void
too_many_fields(void **state)
{
    enum { D = 18 };
    const char *const fields = "xxxxxxxxxxxxxxxxxx";
    double x[3 * D], w[D + 1];
    struct asc_background b;
    struct explanation got;
    struct counter c;
    struct asc_error e;
    const size_t output = 0;
    asc_model *m;
    size_t j;

    (void)state;
    m = counting_model(fields, 1, &c, first_field);
    for (j = 0; j < 3 * D; j++)
        x[j] = (double)j;
    make_background(m, x, 2, &b);
    assert_int_equal(explain_blocks("exact-shapley", METHOD, m, ASC_RAW, &b,
                                    x + 2 * D, 1, &output, 1, 1, &got, &e),
                     ASC_EUSAGE);
    asc_background_free(&b);
    asc_model_free(m);

    m = model_begin(fields);
    add_plain_columns(m, NAN);
    for (j = 0; j <= D; j++)
        w[j] = 0.5 * (double)j - 1.0;
    set_linear(m, 1, w, w + D);
    model_end(m, 2, ASCI_LINK_LOGIT);
    make_background(m, x, 2, &b);
    got = explain("exact-shapley", METHOD, m, ASC_RAW, &b, x + 2 * D, 1, 0);
    for (j = 0; j < D; j++)
        close_to(got.phi[j], -w[j] * (x[2 * D + j] -
                                      (x[j] + x[D + j]) / 2.0), 1e-12);
    explanation_free(&got);
    /* behind the link it is one row that is too much for it */
    assert_int_equal(explain_blocks("exact-shapley", METHOD, m, ASC_RESPONSE,
                                    &b, x + 2 * D, 1, &output, 1, 1, &got,
                                    &e), ASC_EUSAGE);
    assert_string_equal(e.text, "small: the background varies in 18 fields, "
                        "and exact-shapley enumerates the coalitions of 16 "
                        "at most: use kernel-shap");
    asc_background_free(&b);
    make_background(m, x, 1, &b);
    assert_int_equal(explain_blocks("exact-shapley", METHOD, m, ASC_RESPONSE,
                                    &b, x + 2 * D, 1, &output, 1, 1, &got,
                                    &e), ASC_EUSAGE);
    explanation_free(&got);
    assert_string_equal(e.text, "small: row \"1\" differs from the background "
                        "in 18 fields, and exact-shapley enumerates the "
                        "coalitions of 16 at most: use kernel-shap");
    asc_background_free(&b);
    asc_model_free(m);
}

/* Fields at the background's values, missing ones too, get 0; a row that the
 * model has no answer for gets nothing. */
static void
odd_rows(void **state)
{
    const double w[3] = { 1.0, -2.0, 3.0 }, intercept = 0.5;
    const double z[6] = { 1.0, NAN, 2.0, 1.0, NAN, 3.0 };
    const double x[9] = { 1.0, NAN, 5.0, 4.0, 1.0, 2.0, NAN, 1.0, 1.0 };
    struct asc_background b;
    struct explanation got;
    struct asc_error e;
    const size_t output = 0;
    asc_model *m = model_begin("xxx");
    size_t j;

    (void)state;
    add_plain_columns(m, NAN);
    m->encoder.column[1].factor[0].missing = 7.0;
    set_linear(m, 1, w, &intercept);
    model_end(m, 2, ASCI_LINK_LOGIT);
    make_background(m, z, 2, &b);
    got = explain("exact-shapley", METHOD, m, ASC_RESPONSE, &b, x, 3, 1);
    assert_true(got.phi[0] == 0.0 && got.phi[1] == 0.0);
    close_to(got.phi[2], got.value[0] - got.base[0], 0.0);
    assert_true(got.phi[4] != 0.0);
    assert_true(isnan(got.value[2]));
    for (j = 0; j < 3; j++)
        assert_true(isnan(got.phi[6 + j]));
    explanation_free(&got);
    got = explain("exact-shapley", METHOD, m, ASC_RAW, &b, x, 3, 1);
    assert_true(got.phi[0] == 0.0 && got.phi[1] == 0.0);
    close_to(got.phi[2], 7.5, 1e-15);
    for (j = 0; j < 3; j++)
        assert_true(isnan(got.phi[6 + j]));
    explanation_free(&got);
    asc_background_free(&b);
    make_background(m, x, 3, &b);
    assert_int_equal(explain_blocks("exact-shapley", METHOD, m, ASC_RAW, &b,
                                    x, 1, &output, 1, 1, &got, &e),
                     ASC_EINPUT);
    assert_string_equal(e.text, "small: the model has no answer for row 3 of "
                        "the background: give rows without missing values");
    asc_background_free(&b);
    asc_model_free(m);
}

/* The values that shapiq 1.6.0 finds for games given as tables
 * (golden/README.tsv). */
static void
other_programs(void **state)
{
    static const struct { const char *name; size_t d; } games[] = {
        { "game_n3", 3 }, { "game_n5", 5 }, { "game_n7", 7 },
        { "game_n10", 10 }
    };
    size_t k, n, columns, j, i;

    (void)state;
    for (k = 0; k < sizeof games / sizeof *games; k++) {
        const size_t d = games[k].d;
        double *v = golden_numbers(games[k].name, "values", &n, &columns);
        double *want = golden_numbers(games[k].name, "SV_order1", &i,
                                      &columns);
        double phi[16], game[1 << 10];

        if (!v || !want)
            skip();
        assert_int_equal(n, (size_t)1 << d);
        for (j = 0; j < n; j++)
            game[j] = v[2 * j + 1];
        explain_game("exact-shapley", METHOD, &(struct table_game){ d, game },
                     phi, NULL);
        /* the first line is the game's value of no player */
        for (j = 0; j < d; j++)
            close_to(phi[j], want[2 * (j + 1) + 1], 1e-12);
        free(v);
        free(want);
    }
}

/* shap 0.51.0, in double: probabilities, and a linear model. */
static void
other_models(void **state)
{
    static const char *const cases[] = {
        "kernel_logistic5", "kernel_mlp8", "kernel_constfeat6",
        "kernel_mlpclf11"
    };
    static const char *const linear[] = { "linear_shap" };
    static const char *const trees[] = {
        "tree_sk_tree_tiny", "tree_sk_forest_reg", "tree_sk_extratrees_reg",
        "tree_xgb_tiny", "tree_xgb_reg_deep", "tree_sk_gbm_binary",
        "tree_xgb_binary_nan"
    };

    (void)state;
    compare_peers(cases, 4, "shap_exact", "exact-shapley", METHOD,
                  ASC_RESPONSE, 1e-9);
    compare_peers(linear, 1, "shap_linear_independent", "exact-shapley",
                  METHOD, ASC_RAW, 1e-9);
    /* These were added up in float in places. */
    compare_peers(trees, 7, "shap_interventional", "exact-shapley", METHOD,
                  ASC_RAW, 1e-6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(game_of_three),
        cmocka_unit_test(tree_b),
        cmocka_unit_test(axioms),
        cmocka_unit_test(largest),
        cmocka_unit_test(too_many_fields),
        cmocka_unit_test(odd_rows),
        cmocka_unit_test(other_programs),
        cmocka_unit_test(other_models)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
