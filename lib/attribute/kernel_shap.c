/* attribute/kernel_shap.c -- Shapley values by weighted least squares over
 * sampled coalitions.
 *
 * The game is that of game.h, the coalitions and the solution those of
 * kernel_design.c: drawn once from the seed for each number of fields that
 * rows differ in from the background, and the same for all such rows, so the
 * errors of different rows are correlated.  Where all coalitions fit into
 * `samples`, the values are exact.
 *
 * Source: Lundberg and Lee 2017, arXiv:1705.07874; Covert and Lee 2021,
 * arXiv:2012.01536.
 *
 * Cost: samples values of the game a row, and samples d multiplications.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/game.h"
#include "attribute/internal.h"
#include "attribute/kernel_design.h"

enum { SAMPLES };
static const struct asc_param params[] = {
    [SAMPLES] = { "samples", ASC_PARAM_INTEGER, 0.0, 0.0, 1e8, NULL,
                  "coalitions evaluated for a row; 0: 2 d + 2048" },
    ASC_PARAMS_END
};

struct state {
    struct asci_game *game;
    size_t samples;             /* 0: by the number of players */
    uint64_t seed;
    /* Designs are made when the first row asks for them.  They do not depend
     * on the row, so what is there already never shows. */
    pthread_mutex_t *lock;
    struct asci_kernel **design;        /* (d + 1) by number of players */
};

static void
finish(void *state)
{
    struct state *s = state;
    size_t j;

    for (j = 0; s->design && j <= s->game->d; j++)
        asci_kernel_free(s->design[j]);
    free(s->design);
    if (s->lock)
        pthread_mutex_destroy(s->lock);
    free(s->lock);
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
    s->samples = samples;
    s->seed = t->spec->seed;
    s->game = asci_game_new(t, e);
    if (!s->game) {
        finish(s);
        return e ? (int)e->status : ASC_ESYSTEM;
    }
    s->design = asci_alloc_zero(d + 1, sizeof *s->design, e);
    s->lock = asci_alloc(1, sizeof *s->lock, e);
    if (!s->design || !s->lock || pthread_mutex_init(s->lock, NULL)) {
        free(s->lock);
        s->lock = NULL;
        finish(s);
        return asc_fail(e, ASC_ESYSTEM, "out of memory: cannot prepare "
                        "kernel-shap");
    }
    *state = s;
    return ASC_OK;
}

static const struct asci_kernel *
design_for(const struct state *s, size_t n_players, struct asc_error *e)
{
    struct asci_kernel **d = &s->design[n_players];

    pthread_mutex_lock(s->lock);
    if (!*d)
        *d = asci_kernel_new(n_players,
                             s->samples ? s->samples : 2 * n_players + 2048,
                             s->seed, e);
    pthread_mutex_unlock(s->lock);
    return *d;
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
solve(const struct asci_game *g, const struct asci_team *t,
      const void *context, struct asc_error *e)
{
    const struct asci_kernel *d = design_for(context, t->n_players, e);
    struct work w;
    size_t rows, i, scratch;
    int status = ASC_ESYSTEM;

    if (!d)
        return ASC_ESYSTEM;
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
            "Covert and Lee 2021, arXiv:2012.01536",
        .params = params,
        .traits = ASC_NEEDS_BACKGROUND | ASC_RANDOM | ASC_ADDITIVE |
            ASC_STD_ERROR
    },
    .prepare = prepare, .run = run, .finish = finish
};
