/* attribute/kernel_shap.c -- Shapley values by weighted least squares over
 * sampled coalitions.
 *
 * The game is that of game.h, the coalitions and the solution those of
 * kernel_design.c: drawn once from the seed for each number of fields that
 * rows differ in from the background, and the same for all such rows, so the
 * errors of different rows are correlated.  Where all coalitions fit into
 * `samples`, the values are exact.
 *
 * With `error` a row is solved again with twice the samples, up to LEVELS - 1
 * times, until its largest standard error is at most that share of the range
 * of its values (Covert and Lee 2021, section 4.3); an error that rests on
 * fewer draws than there are players is not believed.  Whether a row goes on
 * depends on that row alone.
 *
 * Source: Lundberg and Lee 2017, arXiv:1705.07874; Covert and Lee 2021,
 * arXiv:2012.01536; Musco and Witter 2024, arXiv:2410.01917.
 *
 * Cost: samples values of the game a row, and samples d multiplications.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/designs.h"
#include "attribute/internal.h"
#include "attribute/kernel_design.h"

enum { LEVELS = 8 };

enum { SAMPLES, SAMPLING, ERROR };
static const struct asc_param params[] = {
    [SAMPLES] = { "samples", ASC_PARAM_INTEGER, 0.0, 0.0, 1e8, NULL,
                  "coalitions evaluated for a row; 0: 2 d + 2048" },
    [SAMPLING] = { "sampling", ASC_PARAM_CHOICE, 0.0, 0.0, 1.0,
                   "kernel|leverage", "what the share of each size of "
                   "coalition is in proportion to" },
    [ERROR] = { "error", ASC_PARAM_REAL, 0.0, 0.0, 1.0, NULL, "samples are "
                "doubled until the largest standard error is at most this "
                "share of the range of phi; 0: never" },
    ASC_PARAMS_END
};

struct state {
    struct asci_game *game;
    struct asci_designs *designs;
    double error;
};

static void *
make_design(size_t n_players, size_t level, const struct asc_spec *spec,
            struct asc_error *e)
{
    const size_t samples = (size_t)spec->value[SAMPLES];

    return asci_kernel_new(n_players,
                           (samples ? samples : 2 * n_players + 2048) << level,
                           (enum asci_sampling)spec->value[SAMPLING],
                           spec->seed, e);
}

static void
drop_design(void *design)
{
    asci_kernel_free(design);
}

static const struct asci_design_kind kind = {
    LEVELS, make_design, drop_design
};

static void
finish(void *state)
{
    struct state *s = state;

    asci_designs_free(s->designs);
    asci_game_free(s->game);
    free(s);
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    const size_t d = asc_model_schema(t->model)->n;
    const size_t samples = (size_t)t->spec->value[SAMPLES];
    struct state *s;

    if (samples > 0 && samples < asci_kernel_least(d))
        return asc_fail(e, ASC_EUSAGE, "kernel-shap: samples=%zu are too few "
                        "for %zu fields: want 0 or at least %zu", samples, d,
                        asci_kernel_least(d));
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    s->error = t->spec->value[ERROR];
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

/* The design's errors rest on enough draws, or it has none. */
static int
is_believed(const struct asci_kernel *d)
{
    double free = 0.0;
    size_t k;

    for (k = 0; k < d->n_strata; k++)
        free += d->stratum[k].draws - 1.0;
    return d->n_strata == 0 || free >= (double)d->n_players;
}

/* All outputs of a team of one row are known as well as is wanted. */
static int
is_settled(const struct asci_team *t, const struct asci_kernel *d,
           double error)
{
    const size_t n = t->n_players;
    size_t c, j;

    if (!is_believed(d))
        return 0;
    for (c = 0; c < t->q; c++) {
        const double *phi = t->phi + c * n;
        const double *se = t->se + c * n;
        double low = phi[0], high = phi[0], largest = 0.0;

        for (j = 0; j < n; j++) {
            low = fmin(low, phi[j]);
            high = fmax(high, phi[j]);
            largest = fmax(largest, se[j]);
        }
        if (largest > error * (high - low))
            return 0;
    }
    return 1;
}

/* One row that design d has solved, with finer and finer ones. */
static int
settle(const struct state *s, const struct asci_team *t,
       const struct asci_kernel *d, struct asc_error *e)
{
    size_t level;

    for (level = 1; level < LEVELS && !is_settled(t, d, s->error); level++) {
        d = asci_designs_get(s->designs, t->n_players, level, e);
        if (!d)
            return ASC_ESYSTEM;
        if (asci_kernel_solve(s->game, t, d, e))
            return e ? (int)e->status : ASC_ESYSTEM;
    }
    return ASC_OK;
}

static int
solve(const struct asci_game *g, const struct asci_team *t,
      const void *context, struct asc_error *e)
{
    const struct state *s = context;
    const struct asci_kernel *d =
        asci_designs_get(s->designs, t->n_players, 0, e);
    struct asci_team mine = *t;
    int status;
    size_t i;

    if (!d)
        return ASC_ESYSTEM;
    if (s->error > 0.0 && !t->se) {
        mine.se = asci_alloc(t->n * t->q, t->n_players * sizeof *mine.se, e);
        if (!mine.se)
            return ASC_ESYSTEM;
    }
    status = asci_kernel_solve(g, &mine, d, e);
    for (i = 0; s->error > 0.0 && i < t->n && status == ASC_OK; i++) {
        const struct asci_team row = asci_team_part(&mine, g->d, i, 1);

        status = settle(s, &row, d, e);
    }
    if (!t->se)
        free(mine.se);
    return status;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;

    (void)t;
    return asci_game_explain(s->game, b, solve, s, e);
}

const struct asc_method asci_method_kernel_shap = {
    .entry = {
        .name = "kernel-shap",
        .title = "Shapley values by weighted least squares over sampled "
            "coalitions, absent fields drawn from the background",
        .source = "Lundberg and Lee 2017, arXiv:1705.07874; pairs and errors: "
            "Covert and Lee 2021, arXiv:2012.01536; leverage: Musco and "
            "Witter 2024, arXiv:2410.01917",
        .params = params,
        .traits = ASC_NEEDS_BACKGROUND | ASC_RANDOM | ASC_ADDITIVE |
            ASC_STD_ERROR
    },
    .prepare = prepare, .run = run, .finish = finish
};
