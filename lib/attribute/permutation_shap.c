/* attribute/permutation_shap.c -- Shapley values by antithetic orders of the
 * fields.
 *
 *     phi_i = mean over orders of v(before i + i) - v(before i)
 *
 * for the game of game.h.  Every order is walked forwards and backwards: with
 * P_k its first k fields and R_k the others, its field number k + 1 gets
 *
 *     1/2 [v(P_k+1) - v(P_k) + v(R_k) - v(R_k+1)],
 *
 * which is exact where no more than two fields interact.  Orders are drawn
 * once from the seed for each number of players and shared by all rows, so the
 * errors of different rows are correlated.
 *
 * Standard error: s / sqrt(n) of the n orders' values, times
 * sqrt((n - 1) / (n - 3)), the standard deviation of Student's t that the
 * estimate's error over s / sqrt(n) follows; so that twice the error covers as
 * often with few orders as with many.  Three orders or less have none.
 *
 * Source: Castro, Gomez and Tejada 2009, doi:10.1016/j.cor.2008.04.004;
 * walked both ways, Mitchell, Cooper, Frank and Holmes 2022, JMLR 23(43),
 * section 3.1.
 *
 * Cost: at most 2 (d - 1) permutations values of the game a row; a coalition
 * that occurs in several orders is evaluated once.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/designs.h"
#include "attribute/internal.h"

enum { PERMUTATIONS };
static const struct asc_param params[] = {
    [PERMUTATIONS] = { "permutations", ASC_PARAM_INTEGER, 10.0, 1.0, 1e6, NULL,
                       "orders of the fields, each walked both ways" },
    ASC_PARAMS_END
};

/* ---- the coalitions of all orders ---- */

struct orders {
    size_t n, n_players, words;
    size_t *order;              /* (n, n_players) */
    /* The coalitions before and behind place k = 1 ... n_players - 1 of an
     * order, as numbers of sets */
    size_t *before, *behind;    /* (n, n_players - 1) */
    size_t n_sets;
    uint64_t *bits;             /* (n_sets, words) */
};

static void
free_orders(void *design)
{
    struct orders *o = design;

    if (!o)
        return;
    free(o->order);
    free(o->before);
    free(o->behind);
    free(o->bits);
    free(o);
}

/* Numbers of sets by their bits: open addressing, 1 + number. */
struct index {
    size_t *slot, n;
};

/* The number of the set that was written behind the last one, which is kept
 * if it is new. */
static size_t
number_of(struct orders *o, struct index *x)
{
    const size_t bytes = o->words * sizeof *o->bits;
    const uint64_t *set = o->bits + o->n_sets * o->words;
    size_t at = (size_t)asc_hash(set, bytes) & (x->n - 1);

    for (; x->slot[at]; at = (at + 1) & (x->n - 1))
        if (!memcmp(o->bits + (x->slot[at] - 1) * o->words, set, bytes))
            return x->slot[at] - 1;
    x->slot[at] = ++o->n_sets;
    return o->n_sets - 1;
}

/* Writes the first k of the n_players fields, or the others. */
static size_t
add_set(struct orders *o, struct index *x, const size_t *order, size_t low,
        size_t high)
{
    uint64_t *set = o->bits + o->n_sets * o->words;
    size_t k;

    memset(set, 0, o->words * sizeof *set);
    for (k = low; k < high; k++)
        set[order[k] / 64] |= (uint64_t)1 << (order[k] % 64);
    return number_of(o, x);
}

static void
draw_orders(struct orders *o, struct index *x, uint64_t seed)
{
    const size_t m = o->n_players;
    struct asc_stream s;
    size_t i, k;

    asc_stream_start(&s, seed, "permutation-shap", "", 0);
    for (i = 0; i < o->n; i++) {
        size_t *order = o->order + i * m;

        for (k = 0; k < m; k++)
            order[k] = k;
        asc_stream_shuffle(&s, order, m);
        for (k = 1; k < m; k++) {
            o->before[i * (m - 1) + k - 1] = add_set(o, x, order, 0, k);
            o->behind[i * (m - 1) + k - 1] = add_set(o, x, order, k, m);
        }
    }
}

static void *
make_orders(size_t n_players, size_t level, const struct asc_spec *spec,
            struct asc_error *e)
{
    struct orders *o = asci_alloc_zero(1, sizeof *o, e);
    const size_t n = (size_t)spec->value[PERMUTATIONS];
    const size_t places = n_players > 1 ? n_players - 1 : 1;
    struct index x = { NULL, 64 };

    (void)level;
    if (!o)
        return NULL;
    o->n = n;
    o->n_players = n_players;
    o->words = (n_players + 63) / 64;
    while (x.n / 4 < n * places)
        x.n *= 2;
    o->order = asci_alloc(n, n_players * sizeof *o->order, e);
    o->before = asci_alloc(n, places * sizeof *o->before, e);
    o->behind = asci_alloc(n, places * sizeof *o->behind, e);
    o->bits = asci_alloc(2 * n * places + 1, o->words * sizeof *o->bits, e);
    x.slot = asci_alloc_zero(x.n, sizeof *x.slot, e);
    if (!o->order || !o->before || !o->behind || !o->bits || !x.slot) {
        free(x.slot);
        free_orders(o);
        return NULL;
    }
    draw_orders(o, &x, spec->seed);
    free(x.slot);
    return o;
}

static const struct asci_design_kind orders = { 1, make_orders, free_orders };

/* ---- a row ---- */

/* Adds the marginal contributions of order i to mean and spread (n_players):
 * West 1979. */
static void
walk(const struct orders *o, size_t i, const double *v, size_t stride,
     double none, double all, double *mean, double *spread)
{
    const size_t m = o->n_players;
    const size_t *before = o->before + i * (m - 1);
    const size_t *behind = o->behind + i * (m - 1);
    double up = none, down = all;
    size_t k;

    for (k = 0; k < m; k++) {
        const size_t j = o->order[i * m + k];
        const double next = k + 1 < m ? v[before[k] * stride] : all;
        const double rest = k + 1 < m ? v[behind[k] * stride] : none;
        const double one = 0.5 * ((next - up) + (down - rest));
        const double off = one - mean[j];

        mean[j] += off / (double)(i + 1);
        spread[j] += off * (one - mean[j]);
        up = next;
        down = rest;
    }
}

static void
take_errors(const struct orders *o, const double *spread, double *se)
{
    const double n = (double)o->n;
    size_t j;

    for (j = 0; j < o->n_players; j++)
        se[j] = o->n_players < 3 ? 0.0      /* one order is exact */
                : n < 4.0 ? NAN
                : sqrt(spread[j] / (n * (n - 3.0)));
}

static int
solve_part(const struct asci_game *g, const struct asci_team *t,
           const struct orders *o, double *v, double *spread,
           struct asc_error *e)
{
    const struct asci_sets sets = { o->n_sets, o->words, o->bits };
    const size_t m = t->n_players, q = t->q;
    int status = o->n_sets ? asci_game_values(g, t, &sets, v, e) : ASC_OK;
    size_t i, c, k;

    for (i = 0; i < t->n && status == ASC_OK; i++)
        for (c = 0; c < q; c++) {
            const size_t at = i * q + c;
            double *phi = t->phi + at * m;

            memset(phi, 0, m * sizeof *phi);
            memset(spread, 0, m * sizeof *spread);
            for (k = 0; k < o->n; k++)
                walk(o, k, v + i * o->n_sets * q + c, q, t->none[at],
                     t->all[at], phi, spread);
            if (t->se)
                take_errors(o, spread, t->se + at * m);
        }
    return status;
}

struct state {
    struct asci_game *game;
    struct asci_designs *orders;
};

static int
solve(const struct asci_game *g, const struct asci_team *t,
      const void *context, struct asc_error *e)
{
    const struct state *s = context;
    const struct orders *o = asci_designs_get(s->orders, t->n_players, 0, e);
    double *v, *spread;
    size_t rows, i;
    int status = ASC_ESYSTEM;

    if (!o)
        return ASC_ESYSTEM;
    rows = asci_game_rows(t, o->n_sets);
    v = asci_alloc(rows * o->n_sets + 1, t->q * sizeof *v, e);
    spread = asci_alloc(t->n_players, sizeof *spread, e);
    if (v && spread)
        status = ASC_OK;
    for (i = 0; i < t->n && status == ASC_OK; i += rows) {
        const struct asci_team part = asci_team_part(t, g->d, i, rows);

        status = solve_part(g, &part, o, v, spread, e);
    }
    free(spread);
    free(v);
    return status;
}

static void
finish(void *state)
{
    struct state *s = state;

    asci_designs_free(s->orders);
    asci_game_free(s->game);
    free(s);
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    struct state *s = asci_alloc_zero(1, sizeof *s, e);

    if (!s)
        return ASC_ESYSTEM;
    s->game = asci_game_new(t, e);
    if (s->game)
        s->orders = asci_designs_new(&orders, t->spec,
                                     asc_model_schema(t->model)->n, e);
    if (!s->orders) {
        finish(s);
        return e ? (int)e->status : ASC_ESYSTEM;
    }
    *state = s;
    return ASC_OK;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;

    (void)t;
    return asci_game_explain(s->game, b, solve, s, e);
}

const struct asc_method asci_method_permutation_shap = {
    .entry = {
        .name = "permutation-shap",
        .title = "Shapley values by random orders of the fields walked both "
            "ways, absent fields drawn from the background",
        .source = "Castro, Gomez and Tejada 2009, "
            "doi:10.1016/j.cor.2008.04.004; both ways: Mitchell, Cooper, "
            "Frank and Holmes 2022, JMLR 23(43)",
        .params = params,
        .traits = ASC_NEEDS_BACKGROUND | ASC_RANDOM | ASC_ADDITIVE |
            ASC_STD_ERROR
    },
    .prepare = prepare, .run = run, .finish = finish
};
