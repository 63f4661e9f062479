/* owen: the mean over all orders in which coalitions stay together, and what
 * it is when all are alone or all in one. */
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

#define METHOD (&asci_method_owen)

/* The next order of n in lexicographic order; 0 behind the last. */
static int
next_order(size_t *order, size_t n)
{
    size_t i = n - 1, j = n - 1, kept;

    while (i > 0 && order[i - 1] > order[i])
        i--;
    if (i == 0)
        return 0;
    while (order[j] < order[i - 1])
        j--;
    kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
    for (j = n - 1; i < j; i++, j--) {
        kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    return 1;
}

/* phi (d): marginal contributions over the orders in which the fields of a
 * coalition follow each other. */
static void
owen_by_definition(const double *v, size_t d, const size_t *coalition,
                   double *phi)
{
    size_t order[8], i, k, orders = 0;

    memset(phi, 0, d * sizeof *phi);
    for (i = 0; i < d; i++)
        order[i] = i;
    do {
        size_t before = 0, parts = 1, different = 0;

        for (i = 0; i < d; i++) {
            parts += i > 0 && coalition[order[i]] != coalition[order[i - 1]];
            for (k = 0; k < i && coalition[k] != coalition[i]; k++)
                ;
            different += k == i;
        }
        if (parts != different)
            continue;
        orders++;
        for (i = 0; i < d; i++) {
            const size_t next = before | (size_t)1 << order[i];

            phi[order[i]] += v[next] - v[before];
            before = next;
        }
    } while (next_order(order, d));
    for (i = 0; i < d; i++)
        phi[i] /= (double)orders;
}

/* Of the six orders two part fields 1 and 2: (2.5, 4, 1.5). */
static void
game_of_three(void **state)
{
    const double v[8] = { 0, 1, 2, 5, 0, 1, 3, 8 };
    double phi[3];

    (void)state;
    explain_game("owen:coalitions=a%3Df0%2Cf1", METHOD,
                 &(struct table_game){ 3, v }, phi, NULL);
    close_to(phi[0], 2.5, 1e-15);
    close_to(phi[1], 4.0, 1e-15);
    close_to(phi[2], 1.5, 1e-15);
}

static void
definition(void **state)
{
    static const struct {
        const char *coalitions;
        size_t d, coalition[7];
    } cases[] = {
        { "a%3Df0%2Cf3", 4, { 0, 1, 2, 0 } },
        { "a%3Df1%2Cf2;b%3Df4%2Cf0", 5, { 0, 1, 1, 2, 0 } },
        { "a%3Df1%2Cf2%2Cf5;b%3Df4", 6, { 0, 1, 1, 2, 3, 1 } },
        { "a%3Df6%2Cf2%2Cf5%2Cf1;b%3Df4%2Cf3", 7, { 0, 1, 1, 2, 2, 1, 1 } }
    };
    struct asc_stream s;
    double phi[8], want[8];
    size_t c, j;

    (void)state;
    asc_stream_start(&s, test_seed(1), "owen", "", 0);
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        double *v = random_game(cases[c].d, (int)cases[c].d, &s);
        char spec[80];

        snprintf(spec, sizeof spec, "owen:coalitions=%s",
                 cases[c].coalitions);
        explain_game(spec, METHOD, &(struct table_game){ cases[c].d, v }, phi,
                     NULL);
        owen_by_definition(v, cases[c].d, cases[c].coalition, want);
        for (j = 0; j < cases[c].d; j++)
            close_to(phi[j], want[j], 1e-12);
        free(v);
    }
}

/* A coalition of one, or one of all, changes nothing. */
static void
shapley(void **state)
{
    static const char *const specs[] = {
        "owen:coalitions=a%3Df3",
        "owen:coalitions=a%3Df0%2Cf1%2Cf2%2Cf3%2Cf4%2Cf5"
    };
    struct asc_stream s;
    double phi[6], want[6], *v;
    size_t c, j;

    (void)state;
    asc_stream_start(&s, test_seed(2), "owen", "", 0);
    v = random_game(6, 6, &s);
    shapley_by_definition(v, 6, want);
    for (c = 0; c < 2; c++) {
        explain_game(specs[c], METHOD, &(struct table_game){ 6, v }, phi,
                     NULL);
        for (j = 0; j < 6; j++)
            close_to(phi[j], want[j], 1e-13);
    }
    free(v);
}

/* Rows of every form of model: additive, by the definition, on their own. */
static void
every_form(void **state)
{
    enum { ROWS = 5, BACKGROUND = 4 };
    static const char *const fields[MADE_KINDS] = {
        "x3x2x", "x3xx", "x3x4x", "xxxxxx", "x3x2"
    };
    static const size_t coalition[6] = { 0, 1, 2, 0, 4, 5 };
    const char *const spec = "owen:coalitions=a%3Df0%2Cf3";
    struct asc_stream s;
    size_t kind, i, j;

    (void)state;
    asc_stream_start(&s, test_seed(3), "owen", "", 0);
    for (kind = 0; kind < MADE_KINDS; kind++) {
        asc_model *m = model_end(random_model((enum made)kind, fields[kind],
                                              3, &s), 3, ASCI_LINK_SOFTMAX);
        const size_t d = m->schema.n;
        double *x = random_rows(m, ROWS, 0.2, &s);
        double *z = random_rows(m, BACKGROUND, 0.2, &s);
        double *v = malloc(sizeof *v << d), want[8];
        struct asc_background b;
        enum asc_scale scale;

        /* rows with fewer players */
        for (i = 0; i < BACKGROUND; i++) {
            z[i * d] = x[0];
            z[i * d + 1] = x[d + 1];
        }
        make_background(m, z, BACKGROUND, &b);
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            struct explanation got = explain(spec, METHOD, m, scale, &b, x,
                                             ROWS, 1);

            for (i = 0; i < ROWS; i++) {
                game_by_definition(m, scale, &b, x + i * d, 1, v);
                owen_by_definition(v, d, coalition, want);
                for (j = 0; j < d; j++)
                    close_to(got.phi[i * d + j], want[j], 1e-12);
                assert_true(asc_residual(got.phi + i * d, d, got.base[i],
                                         got.value[i]) < 1e-12);
            }
            assert_true(got.phi[0] == 0.0 && got.phi[d + 1] == 0.0);
            explanation_free(&got);
            check_row_contract(spec, METHOD, m, scale, &b, x, ROWS);
        }
        asc_background_free(&b);
        free(v);
        free(z);
        free(x);
        asc_model_free(m);
    }
}

/* Twenty-four fields in four coalitions of six: 16 + 4 62 8 sets; a game of
 * coalitions whose values are known. */
static void
many_fields(void **state)
{
    enum { D = 24 };
    double w[D + 1], x[D], z[D] = { 0.0 };
    char spec[300] = "owen:coalitions=", fields[D + 1] = { 0 };
    struct asc_stream s;
    struct asc_background b;
    struct explanation got;
    asc_model *m;
    size_t j;

    (void)state;
    for (j = 0; j < D; j++)
        snprintf(spec + strlen(spec), sizeof spec - strlen(spec), "%s%sf%zu",
                 j % 6 ? "" : j ? ";c" : "c", j % 6 ? "%2C" : "%3D", j);
    asc_stream_start(&s, test_seed(4), "owen", "", 0);
    memset(fields, 'x', D);
    m = model_begin(fields);
    add_plain_columns(m, NAN);
    random_numbers(&s, w, D + 1, 0.01);
    random_numbers(&s, x, D, 1.0);
    set_linear(m, 1, w, w + D);
    model_end(m, 2, ASCI_LINK_LOGIT);
    make_background(m, z, 1, &b);
    got = explain(spec, METHOD, m, ASC_RESPONSE, &b, x, 1, 1);
    /* so small a margin is next to linear: phi is about w x / 4 */
    for (j = 0; j < D; j++)
        close_to(got.phi[j], w[j] * x[j] / 4.0, 1e-4);
    assert_true(asc_residual(got.phi, D, got.base[0], got.value[0]) < 1e-12);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
refused(const char *spec, size_t d, const char *message)
{
    const double x[20] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                           1, 1, 1 };
    const double z[20] = { 0 };
    const size_t output = 0;
    double *v = calloc((size_t)1 << d, sizeof *v);
    struct table_game g = { d, v };
    asc_model *m = table_model(&g);
    struct asc_background b;
    struct explanation got;
    struct asc_error e;

    make_background(m, z, 1, &b);
    assert_int_equal(explain_blocks(spec, METHOD, m, ASC_RAW, &b, x, 1,
                                    &output, 1, 1, &got, &e), ASC_EUSAGE);
    assert_string_equal(e.text, message);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
    free(v);
}

static void
refusals(void **state)
{
    (void)state;
    refused("owen", 4, "owen wants to know which fields belong together: "
            "--coalition NAME=FIELD,FIELD");
    refused("owen:coalitions=a%3Df0%2Cf9", 4, "coalition: the model has no "
            "field \"f9\"; did you mean \"f0\"?");
    refused("owen:coalitions=a%3Df0%2Cf1;b%3Df2%2Cf1", 4,
            "coalition \"b\": field \"f1\" is in a coalition already");
    refused("owen:coalitions=f0", 4,
            "coalition \"f0\": want NAME=FIELD,FIELD");
    refused("owen:coalitions=a%3Df0%2Cf1", 20, "owen: row \"1\" differs from "
            "the background in 20 fields, and more than 65536 sets of them "
            "and their coalitions would have to be evaluated: make fewer or "
            "smaller coalitions");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(game_of_three), cmocka_unit_test(definition),
        cmocka_unit_test(shapley), cmocka_unit_test(every_form),
        cmocka_unit_test(many_fields), cmocka_unit_test(refusals)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
