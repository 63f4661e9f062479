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

/* Room for a part of a team. */
struct work {
    double *v;                  /* (rows, 2 n, q) */
    double *t;                  /* (rows q, n) */
    double *u;                  /* (rows q, n_players) */
    double *fitted;             /* (rows q, n) */
    double *scratch;
};

/* t (q rows, n) of the values v */
static void
take_differences(const struct asci_kernel *d, const struct asci_team *t,
                 struct work *w)
{
    const size_t q = t->q;
    size_t i, c, p;

    for (i = 0; i < t->n; i++)
        for (c = 0; c < q; c++) {
            const double *v = w->v + i * 2 * d->n * q + c;
            const double all = t->all[i * q + c] - t->none[i * q + c];
            double *to = w->t + (i * q + c) * d->n;

            for (p = 0; p < d->n; p++)
                to[p] = 0.5 * (v[2 * p * q] - v[(2 * p + 1) * q]) -
                        d->offset[p] * all;
        }
}

static int
solve_part(const struct asci_game *g, const struct asci_team *t,
           const struct asci_kernel *d, struct work *w, struct asc_error *e)
{
    const struct asci_sets sets = { 2 * d->n, d->words, d->bits };
    const size_t n = t->n_players, m = t->n * t->q;
    int status = asci_game_values(g, t, &sets, w->v, e);
    size_t i, j;

    if (status)
        return status;
    take_differences(d, t, w);
    asci_product(d->solve, w->t, m, w->u, w->scratch);
    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++)
            t->phi[i * n + j] = (t->all[i] - t->none[i]) / (double)n +
                                w->u[i * n + j];
    if (!t->se || d->n_strata == 0)
        return ASC_OK;
    asci_product(d->fit, w->u, m, w->fitted, w->scratch);
    for (i = 0; i < m * d->n; i++)
        w->t[i] -= w->fitted[i];
    for (i = 0; i < m; i++)
        asci_kernel_variance(d, w->t + i * d->n, t->se + i * n);
    for (i = 0; i < m * n; i++)
        t->se[i] = sqrt(t->se[i]);
    return ASC_OK;
}

/* A single player gets all. */
static void
give_all(const struct asci_team *t)
{
    size_t i;

    for (i = 0; i < t->n * t->q; i++)
        t->phi[i] = t->all[i] - t->none[i];
}

static int
solve_level(const struct asci_game *g, const struct asci_team *t,
            const struct asci_kernel *d, struct asc_error *e)
{
    struct work w;
    size_t rows, i, scratch;
    int status = ASC_ESYSTEM;

    for (i = 0; t->se && i < t->n * t->q * t->n_players; i++)
        t->se[i] = 0.0;
    if (d->n == 0) {
        give_all(t);
        return ASC_OK;
    }
    memset(&w, 0, sizeof w);
    rows = asci_game_rows(t, 2 * d->n);
    scratch = asci_product_scratch(d->solve);
    if (asci_product_scratch(d->fit) > scratch)
        scratch = asci_product_scratch(d->fit);
    w.v = asci_alloc(rows * t->q, 2 * d->n * sizeof *w.v, e);
    w.t = asci_alloc(rows * t->q, d->n * sizeof *w.t, e);
    w.u = asci_alloc(rows * t->q, t->n_players * sizeof *w.u, e);
    w.fitted = asci_alloc(rows * t->q, d->n * sizeof *w.fitted, e);
    w.scratch = asci_alloc(scratch, sizeof *w.scratch, e);
    if (!w.v || !w.t || !w.u || !w.fitted || !w.scratch)
        goto out;
    status = ASC_OK;
    for (i = 0; i < t->n && status == ASC_OK; i += rows) {
        const struct asci_team part = asci_team_part(t, g->d, i, rows);

        status = solve_part(g, &part, d, &w, e);
    }
out:
    free(w.scratch);
    free(w.fitted);
    free(w.u);
    free(w.t);
    free(w.v);
    return status;
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
        if (solve_level(s->game, t, d, e))
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
    status = solve_level(g, &mine, d, e);
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
