/* attribute/exact_shapley.c -- Shapley values by enumerating coalitions.
 *
 *     phi_i = sum over S without i of
 *             |S|! (d - |S| - 1)! / d!  [v(S + i) - v(S)]
 *
 * for the game of game.h, over the d fields in which a row differs from the
 * background.  Differences are summed, in the order of the sets' numbers, so
 * that a field that never matters gets 0 exactly.
 *
 * Source: Shapley 1953, "A value for n-person games"; as attributions,
 * Strumbelj and Kononenko 2014, doi:10.1007/s10115-013-0679-x.
 *
 * Cost: 2^d values of the game (d up to MAX_PLAYERS) and d 2^(d - 1)
 * additions for each row; linear models without a link are done in closed
 * form, whatever d is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "attribute/game.h"
#include "attribute/internal.h"

enum { MAX_PLAYERS = 16 };

static int
too_many(const struct asc_task *t, const char *what, size_t n,
         struct asc_error *e)
{
    return asc_fail(e, ASC_EUSAGE, "%s: %s %zu fields, and exact-shapley "
                    "enumerates the coalitions of %d at most: use "
                    "kernel-shap", asc_model_name(t->model), what, n,
                    MAX_PLAYERS);
}

static void
finish(void *state)
{
    asci_game_free(state);
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    struct asci_game *g = asci_game_new(t, e);
    size_t n;

    if (!g)
        return e ? (int)e->status : ASC_ESYSTEM;
    n = asci_game_certain_players(g);
    if (n > MAX_PLAYERS && !(g->linear && g->affine)) {
        asci_game_free(g);
        return too_many(t, "the background varies in", n, e);
    }
    *state = g;
    return ASC_OK;
}

/* phi (n) of the game v (2^n) */
static void
shapley(const double *v, size_t n, double *phi)
{
    const size_t sets = (size_t)1 << n;
    double weight[MAX_PLAYERS];         /* by |S| */
    size_t i, s, k;

    weight[0] = 1.0 / (double)n;
    for (k = 1; k < n; k++)
        weight[k] = weight[k - 1] * (double)k / (double)(n - k);
    for (i = 0; i < n; i++) {
        const size_t bit = (size_t)1 << i;

        phi[i] = 0.0;
        for (s = 0; s < sets; s++)
            if (!(s & bit))
                phi[i] += weight[__builtin_popcountll(s)] *
                          (v[s | bit] - v[s]);
    }
}

/* The part of a team that fits in v (n, n_sets - 2, q): what lies between no
 * player and all. */
static int
solve_part(const struct asci_game *g, const struct asci_team *t,
           const struct asci_sets *between, double *v, double *game,
           struct asc_error *e)
{
    const size_t n = t->n_players, q = t->q;
    const size_t n_sets = (size_t)1 << n;
    size_t i, c, k;
    int status = ASC_OK;

    if (between->n > 0)
        status = asci_game_values(g, t, between, v, e);
    for (i = 0; i < t->n && status == ASC_OK; i++)
        for (c = 0; c < q; c++) {
            game[0] = t->none[i * q + c];
            for (k = 0; k < between->n; k++)
                game[k + 1] = v[(i * between->n + k) * q + c];
            game[n_sets - 1] = t->all[i * q + c];
            shapley(game, n, t->phi + (i * q + c) * n);
        }
    return status;
}

static int
solve(const struct asci_game *g, const struct asci_team *t,
      const void *context, struct asc_error *e)
{
    const size_t n = t->n_players;
    size_t n_sets, rows, i;
    uint64_t *bits = NULL;
    double *v = NULL, *game = NULL;
    struct asci_sets between;
    int status = ASC_ESYSTEM;

    if (n > MAX_PLAYERS) {
        const struct asc_text id = t->id[0];
        char what[160];

        snprintf(what, sizeof what, "row \"%.*s\" differs from the "
                 "background in", id.n < 100 ? (int)id.n : 100, id.p);
        return too_many(context, what, n, e);
    }
    n_sets = (size_t)1 << n;
    rows = asci_game_rows(t, n_sets);
    bits = asci_alloc(n_sets, sizeof *bits, e);
    v = asci_alloc(rows * n_sets, t->q * sizeof *v, e);
    game = asci_alloc(n_sets, sizeof *game, e);
    if (!bits || !v || !game)
        goto out;
    for (i = 0; i + 2 < n_sets; i++)
        bits[i] = i + 1;
    between = (struct asci_sets){ n_sets - 2, 1, bits };
    status = ASC_OK;
    for (i = 0; i < t->n && status == ASC_OK; i += rows) {
        const struct asci_team part = asci_team_part(t, g->d, i, rows);

        status = solve_part(g, &part, &between, v, game, e);
    }
out:
    free(game);
    free(v);
    free(bits);
    return status;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    struct asc_explain exact = *b;

    exact.se = NULL;            /* there is no error to speak of */
    return asci_game_explain(state, &exact, solve, t, e);
}

const struct asc_method asci_method_exact_shapley = {
    .entry = {
        .name = "exact-shapley",
        .title = "Shapley values by enumerating all coalitions, absent "
            "fields drawn from the background",
        .source = "Shapley 1953; Strumbelj and Kononenko 2014, "
            "doi:10.1007/s10115-013-0679-x",
        .traits = ASC_NEEDS_BACKGROUND | ASC_ADDITIVE | ASC_EXACT
    },
    .prepare = prepare, .run = run, .finish = finish
};
