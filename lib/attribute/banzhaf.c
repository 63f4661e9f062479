/* attribute/banzhaf.c -- Banzhaf values: what a field adds to a coalition of
 * the others, all coalitions being equally likely.
 *
 *     phi_i = 2^(1 - d) sum over S without i of [v(S + i) - v(S)]
 *
 * for the game of game.h.  It is the least squares fit of sum_{i in S} phi_i
 * to v(S), all S weighing the same (Hammer and Holzman 1992), which is how it
 * is found: from all coalitions if `samples` hold them, when it is exact, else
 * from pairs of complements drawn at random, the same for all rows.  Not
 * additive: the values do not add up to v(all) - v(none).
 *
 * Source: Banzhaf 1965, Rutgers Law Review 19, 317-343; Hammer and Holzman
 * 1992, doi:10.1007/BF01415778; sampled, Liu, Witter, Korn, Alrashdi, Aslay,
 * Simeoni and Freire 2024, arXiv:2410.08336.
 *
 * Cost: samples values of the game a row, and samples d multiplications.
 */
#include <stdlib.h>

#include "attribute/designs.h"
#include "attribute/internal.h"
#include "attribute/kernel_design.h"

enum { SAMPLES };
static const struct asc_param params[] = {
    [SAMPLES] = { "samples", ASC_PARAM_INTEGER, 4096.0, 4.0, 1e8, NULL,
                  "coalitions evaluated for a row" },
    ASC_PARAMS_END
};

struct state {
    struct asci_game *game;
    struct asci_designs *designs;
};

static void *
make_design(size_t n_players, size_t level, const struct asc_spec *spec,
            struct asc_error *e)
{
    (void)level;
    return asci_kernel_uniform(n_players, (size_t)spec->value[SAMPLES],
                               spec->seed, e);
}

static void
drop_design(void *design)
{
    asci_kernel_free(design);
}

static const struct asci_design_kind kind = { 1, make_design, drop_design };

static void
finish(void *state)
{
    struct state *s = state;

    asci_designs_free(s->designs);
    asci_game_free(s->game);
    free(s);
}

/* So many pairs that no field is without a value, but for a bad draw. */
static size_t
least_samples(size_t d)
{
    return asci_kernel_whole(d, 4 * d) ? (size_t)1 << d : 4 * d;
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    const size_t d = asc_model_schema(t->model)->n;
    const size_t samples = (size_t)t->spec->value[SAMPLES];
    struct state *s;

    if (samples < least_samples(d))
        return asc_fail(e, ASC_EUSAGE, "banzhaf: samples=%zu are too few for "
                        "%zu fields: want at least %zu", samples, d,
                        least_samples(d));
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    s->game = asci_game_new(t, e);
    if (s->game)
        s->designs = asci_designs_new(&kind, t->spec, d, e);
    if (!s->designs) {
        finish(s);
        return e ? (int)e->status : ASC_ESYSTEM;
    }
    *state = s;
    return ASC_OK;
}

static int
solve(const struct asci_game *g, const struct asci_team *t,
      const void *context, struct asc_error *e)
{
    const struct state *s = context;
    const struct asci_kernel *d =
        asci_designs_get(s->designs, t->n_players, 0, e);

    return d ? asci_kernel_solve(g, t, d, e) : ASC_ESYSTEM;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;

    (void)t;
    return asci_game_explain(s->game, b, solve, s, e);
}

const struct asc_method asci_method_banzhaf = {
    .entry = {
        .name = "banzhaf",
        .title = "Banzhaf values: the mean of what a field adds over all "
            "coalitions, absent fields drawn from the background",
        .source = "Banzhaf 1965; least squares: Hammer and Holzman 1992, "
            "doi:10.1007/BF01415778; sampled: Liu and others 2024, "
            "arXiv:2410.08336",
        .params = params,
        .traits = ASC_NEEDS_BACKGROUND | ASC_RANDOM | ASC_STD_ERROR
    },
    .prepare = prepare, .run = run, .finish = finish
};
