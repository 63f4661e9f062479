/* The coalition game: each way of finding many values at once against rows
 * put together and evaluated one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/game.h"
#include "attribution.h"
#include "forests.h"
#include "games.h"
#include "seed.h"

enum { BACKGROUND = 7, ROWS = 5, MAX_OUTPUTS = 3 };

static const struct {
    const char *what;
    size_t n_raw, n_outputs;
    enum asci_link link;
} ends[] = {
    { "one output", 1, 1, ASCI_LINK_NONE },
    { "a share and its complement", 1, 2, ASCI_LINK_NONE },
    { "two classes of one logit", 1, 2, ASCI_LINK_LOGIT },
    { "a count", 1, 1, ASCI_LINK_EXP },
    { "two classes of one probit", 1, 2, ASCI_LINK_PROBIT },
    { "classes", 3, 3, ASCI_LINK_SOFTMAX },
    { "several outputs", 3, 3, ASCI_LINK_NONE }
};
enum { ENDS = sizeof ends / sizeof *ends };

/* Values of all coalitions of the rows' players, as asci_game_values gives
 * them and as rows do. */
static void
compare_values(const asc_model *m, enum asc_scale scale, const double *x,
               const struct asc_background *b)
{
    const struct asc_task task = { m, scale, b, NULL };
    const size_t d = b->d, q = asc_model_n_outputs(m);
    const size_t n_sets = (size_t)1 << d;
    struct asci_game *g = asci_game_new(&task, NULL);
    size_t player[16], output[ROWS * MAX_OUTPUTS], i, j, c;
    uint64_t *bits = malloc(n_sets * sizeof *bits);
    double *v = malloc(ROWS * n_sets * q * sizeof *v);
    double *want = malloc(n_sets * sizeof *want);
    const struct asci_sets sets = { n_sets, 1, bits };
    double none[ROWS * MAX_OUTPUTS], phi[ROWS * MAX_OUTPUTS * 16];
    struct asc_text id[ROWS];
    const struct asci_team team = {
        .n = ROWS, .q = q, .n_players = d, .player = player, .x = x,
        .id = id, .output = output, .none = none, .all = none, .phi = phi
    };

    assert_non_null(g);
    for (j = 0; j < d; j++)
        player[j] = j;
    for (i = 0; i < ROWS * q; i++)
        output[i] = (i + i / q) % q;    /* not in the same order each time */
    for (i = 0; i < n_sets; i++)
        bits[i] = i;
    assert_int_equal(asci_game_values(g, &team, &sets, v, NULL), ASC_OK);
    for (i = 0; i < ROWS; i++)
        for (c = 0; c < q; c++) {
            game_by_definition(m, scale, b, x + i * d, output[i * q + c],
                               want);
            for (j = 0; j < n_sets; j++)
                close_to(v[(i * n_sets + j) * q + c], want[j],
                         1e-12 * (1.0 + fabs(want[j])));
        }
    free(want);
    free(v);
    free(bits);
    asci_game_free(g);
}

static void
all_forms(void **state)
{
    static const char *const fields[MADE_KINDS] = {
        "x3x2x", "x3xx", "x3x4x", "xxxxxxx", "x3x2"
    };
    struct asc_stream s;
    size_t kind, end, missing;

    (void)state;
    asc_stream_start(&s, test_seed(2), "games", "", 0);
    for (kind = 0; kind < MADE_KINDS; kind++)
        for (end = 0; end < ENDS; end++)
            for (missing = 0; missing < 2; missing++) {
                asc_model *m = random_model((enum made)kind, fields[kind],
                                            ends[end].n_raw, &s);
                double *x, *z;
                struct asc_background b;

                model_end(m, ends[end].n_outputs, ends[end].link);
                x = random_rows(m, ROWS, 0.3 * (double)missing, &s);
                z = random_rows(m, BACKGROUND, 0.3 * (double)missing, &s);
                make_background(m, z, BACKGROUND, &b);
                compare_values(m, ASC_RAW, x, &b);
                compare_values(m, ASC_RESPONSE, x, &b);
                asc_background_free(&b);
                free(z);
                free(x);
                asc_model_free(m);
            }
}

/* What follows a link, a clamp and a rounding, is not taken for additive. */
static void
rescaled(void **state)
{
    struct asc_stream s;
    size_t kind;

    (void)state;
    asc_stream_start(&s, test_seed(3), "games", "", 0);
    for (kind = 0; kind < MADE_KINDS; kind++) {
        asc_model *m = random_model((enum made)kind, "xxx", 1, &s);
        double *x, *z;
        struct asc_background b;

        m->rescale = calloc(1, sizeof *m->rescale);
        *m->rescale = (struct asci_rescale){ 3.0, 0.5, -0.4, 0.6, 1 };
        model_end(m, 1, ASCI_LINK_NONE);
        x = random_rows(m, ROWS, 0.0, &s);
        z = random_rows(m, BACKGROUND, 0.0, &s);
        make_background(m, z, BACKGROUND, &b);
        compare_values(m, ASC_RAW, x, &b);
        compare_values(m, ASC_RESPONSE, x, &b);
        asc_background_free(&b);
        free(z);
        free(x);
        asc_model_free(m);
    }
}

/* exp() of such sums is 0 or infinite: the logistic function is not. */
static void
extreme_logits(void **state)
{
    const double w[2] = { 400.0, -600.0 }, intercept = 3.0;
    const double x[ROWS * 2] = { 1, 1, -1, 2, 0.5, 0.5, 3, -1, 1e-3, 0 };
    const double z[6] = { 0, 0, 2, 1, -1, -3 };
    struct asc_background b;
    asc_model *m = model_begin("xx");

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, w, &intercept);
    model_end(m, 2, ASCI_LINK_LOGIT);
    make_background(m, z, 3, &b);
    compare_values(m, ASC_RESPONSE, x, &b);
    asc_background_free(&b);
    asc_model_free(m);
}

/* A full tree of D levels, each with a field of its own, and rows that every
 * test parts from the background: so many leaves are reached that evaluating
 * rows is the shorter way. */
static void
parted_everywhere(void **state)
{
    enum { D = 11, INNER = (1 << D) - 1, NODES = 2 * INNER + 1 };
    struct planted *node = calloc(NODES, sizeof *node);
    double x[ROWS * D], z[BACKGROUND * D];
    struct asc_stream s;
    struct asc_background b;
    asc_model *m;
    size_t i, level;

    (void)state;
    asc_stream_start(&s, test_seed(16), "games", "", 0);
    for (i = 0; i < NODES; i++) {
        for (level = 0; (i + 1) >> (level + 1) > 0; level++)
            ;
        node[i] = (struct planted){
            i < INNER ? (int)level : -1,
            i < INNER ? 0.0 : asc_stream_normal(&s),
            (uint32_t)(2 * i + 1), (uint32_t)(2 * i + 2), 1.0
        };
    }
    m = model_end(plant_tree("xxxxxxxxxxx", node, NODES, 0), 1,
                  ASCI_LINK_NONE);
    for (i = 0; i < ROWS * D; i++)
        x[i] = i < D ? 1.0 : asc_stream_normal(&s);
    for (i = 0; i < BACKGROUND * D; i++)
        z[i] = -1.0;
    make_background(m, z, BACKGROUND, &b);
    compare_values(m, ASC_RAW, x, &b);
    asc_background_free(&b);
    asc_model_free(m);
    free(node);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms),
        cmocka_unit_test(rescaled),
        cmocka_unit_test(extreme_logits),
        cmocka_unit_test(parted_everywhere)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
