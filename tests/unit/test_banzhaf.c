/* banzhaf: the definition where all coalitions fit, games of two always, and
 * errors that say how far off a draw is. */
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

#define METHOD (&asci_method_banzhaf)

static void
banzhaf_by_definition(const double *v, size_t d, double *phi)
{
    size_t i, s;

    for (i = 0; i < d; i++) {
        phi[i] = 0.0;
        for (s = 0; s < (size_t)1 << d; s++)
            if (!(s >> i & 1))
                phi[i] += ldexp(v[s | (size_t)1 << i] - v[s], 1 - (int)d);
    }
}

/* The marginal contributions by hand: (2.5, 4, 1). */
static void
game_of_three(void **state)
{
    const double v[8] = { 0, 1, 2, 5, 0, 1, 3, 8 };
    double phi[3], se[3];

    (void)state;
    explain_game("banzhaf", METHOD, &(struct table_game){ 3, v }, phi, se);
    close_to(phi[0], 2.5, 1e-14);
    close_to(phi[1], 4.0, 1e-14);
    close_to(phi[2], 1.0, 1e-14);
    assert_true(se[0] == 0.0 && se[1] == 0.0 && se[2] == 0.0);
}

/* Rows of every form of model, all coalitions. */
static void
every_form(void **state)
{
    enum { ROWS = 5, BACKGROUND = 4 };
    static const char *const fields[MADE_KINDS] = {
        "x3x2x", "x3xx", "x3x4x", "xxxxxxx", "x3x2"
    };
    struct asc_stream s;
    size_t kind, i, j;

    (void)state;
    asc_stream_start(&s, test_seed(1), "banzhaf", "", 0);
    for (kind = 0; kind < MADE_KINDS; kind++) {
        asc_model *m = model_end(random_model((enum made)kind, fields[kind],
                                              3, &s), 3, ASCI_LINK_SOFTMAX);
        const size_t d = m->schema.n;
        double *x = random_rows(m, ROWS, 0.2, &s);
        double *z = random_rows(m, BACKGROUND, 0.2, &s);
        double *v = malloc(sizeof *v << d), want[16];
        struct asc_background b;
        enum asc_scale scale;

        for (i = 0; i < BACKGROUND; i++)
            z[i * d + 1] = x[d + 1];
        make_background(m, z, BACKGROUND, &b);
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            struct explanation got = explain("banzhaf", METHOD, m, scale, &b,
                                             x, ROWS, 2);

            for (i = 0; i < ROWS; i++) {
                game_by_definition(m, scale, &b, x + i * d, 2, v);
                banzhaf_by_definition(v, d, want);
                for (j = 0; j < d; j++)
                    close_to(got.phi[i * d + j], want[j], 1e-12);
            }
            assert_true(got.phi[d + 1] == 0.0);
            explanation_free(&got);
            check_row_contract("banzhaf:samples=28", METHOD, m, scale, &b, x,
                               ROWS);
        }
        asc_background_free(&b);
        free(v);
        free(z);
        free(x);
        asc_model_free(m);
    }
}

/* Whatever is drawn, if it tells the fields apart. */
static void
games_of_pairs(void **state)
{
    enum { D = 14 };
    struct asc_stream s;
    double phi[D], se[D], want[D], *v;
    size_t j;

    (void)state;
    asc_stream_start(&s, test_seed(2), "banzhaf", "", 0);
    v = random_game(D, 2, &s);
    banzhaf_by_definition(v, D, want);
    explain_game("banzhaf:samples=120", METHOD, &(struct table_game){ D, v },
                 phi, se);
    for (j = 0; j < D; j++) {
        close_to(phi[j], want[j], 1e-12);
        close_to(se[j], 0.0, 1e-12);
    }
    free(v);
}

static void
coverage(void **state)
{
    static const struct { size_t d, samples; int order; } cases[] = {
        { 6, 60, 6 }, { 8, 80, 8 }, { 10, 100, 3 }, { 10, 600, 10 },
        { 12, 120, 4 }
    };
    struct asc_stream s;
    size_t c;

    (void)state;
    asc_stream_start(&s, 3, "banzhaf", "", 0);
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        double *v = random_game(cases[c].d, cases[c].order, &s), want[16];
        char spec[64];

        banzhaf_by_definition(v, cases[c].d, want);
        snprintf(spec, sizeof spec, "banzhaf:samples=%zu", cases[c].samples);
        check_coverage(spec, METHOD, &(struct table_game){ cases[c].d, v },
                       want);
        free(v);
    }
}

/* Seventy fields, two words to a set: additive on the raw scale. */
static void
many_fields(void **state)
{
    enum { D = 70 };
    double w[D + 1], x[D], z[D] = { 0.0 };
    char fields[D + 1] = { 0 };
    struct asc_stream s;
    struct asc_background b;
    struct explanation got;
    asc_model *m;
    size_t j;

    (void)state;
    asc_stream_start(&s, test_seed(4), "banzhaf", "", 0);
    memset(fields, 'x', D);
    m = model_begin(fields);
    add_plain_columns(m, NAN);
    random_numbers(&s, w, D + 1, 0.01);
    random_numbers(&s, x, D, 1.0);
    set_linear(m, 1, w, w + D);
    model_end(m, 2, ASCI_LINK_LOGIT);
    make_background(m, z, 1, &b);
    got = explain("banzhaf:samples=600", METHOD, m, ASC_RESPONSE, &b, x, 1,
                  1);
    for (j = 0; j < D; j++)
        close_to(got.phi[j], w[j] * x[j] / 4.0, 1e-4);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
too_few_samples(void **state)
{
    const double z[6] = { 0 };
    const size_t output = 0;
    struct table_game g = { 6, NULL };
    asc_model *m = table_model(&g);
    struct asc_background b;
    struct explanation got;
    struct asc_error e;
    double v[64] = { 0 };

    (void)state;
    g.v = v;
    make_background(m, z, 1, &b);
    assert_int_equal(explain_blocks("banzhaf:samples=20", METHOD, m, ASC_RAW,
                                    &b, z, 1, &output, 1, 1, &got, &e),
                     ASC_EUSAGE);
    assert_string_equal(e.text, "banzhaf: samples=20 are too few for 6 "
                        "fields: want at least 24");
    asc_background_free(&b);
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(game_of_three), cmocka_unit_test(every_form),
        cmocka_unit_test(games_of_pairs), cmocka_unit_test(coverage),
        cmocka_unit_test(many_fields), cmocka_unit_test(too_few_samples)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
