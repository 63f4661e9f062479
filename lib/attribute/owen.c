/* attribute/owen.c -- Owen values: Shapley values of fields that belong
 * together.
 *
 * Fields are divided into coalitions G_1 ... G_m, those that none names being
 * one each.  A coalition joins as a whole or, once it is the next to join, in
 * any part: for i in G, |G| = g,
 *
 *     phi_i = sum over sets H of h other coalitions, T in G \ i, |T| = t, of
 *             h! (m - h - 1)! / m!  t! (g - t - 1)! / g!
 *             [v(H + T + i) - v(H + T)]
 *
 * in the game of game.h.  Additive; a coalition's values add up to the Shapley
 * value of the game between coalitions.
 *
 * Source: Owen 1977, "Values of games with a priori unions",
 * doi:10.1007/978-3-642-45494-3_7.
 *
 * Cost: 2^m + sum over coalitions of (2^g - 2) 2^(m - 1) values of the game a
 * row, MAX_SETS at most.
 */
#include <stdlib.h>
#include <string.h>

#include "attribute/coalition.h"
#include "attribute/game.h"
#include "attribute/internal.h"

enum { MAX_SETS = 1 << 16, MAX_GROUPS = 16 };

enum { COALITIONS };
static const struct asc_param params[] = {
    [COALITIONS] = { "coalitions", ASC_PARAM_TEXT, 0.0, 0.0, 0.0, NULL,
                     "which fields belong together, NAME=a,b;NAME=c,d" },
    ASC_PARAMS_END
};

struct state {
    struct asci_game *game;
    size_t *coalition;          /* (d) of a field */
};

static void
finish(void *state)
{
    struct state *s = state;

    asci_game_free(s->game);
    free(s->coalition);
    free(s);
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    const struct asc_schema *schema = asc_model_schema(t->model);
    struct state *s;
    int status;

    if (!t->spec->text[COALITIONS])
        return asc_fail(e, ASC_EUSAGE, "owen wants to know which fields "
                        "belong together: --coalition NAME=FIELD,FIELD");
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    s->coalition = asci_alloc(schema->n, sizeof *s->coalition, e);
    status = s->coalition ? asci_coalitions(schema, t->spec->text[COALITIONS],
                                            s->coalition, e) : ASC_ESYSTEM;
    if (status == ASC_OK) {
        s->game = asci_game_new(t, e);
        status = s->game ? ASC_OK : e ? (int)e->status : ASC_ESYSTEM;
    }
    if (status) {
        finish(s);
        return status;
    }
    *state = s;
    return ASC_OK;
}

/* ---- the coalitions that have players, and the sets they form ---- */

struct group {
    size_t n, *player;          /* (n) of the team */
    size_t first_set;           /* of proper parts with others, or unused */
};

struct plan {
    size_t m, n_sets, words;
    struct group group[MAX_GROUPS];
    size_t *player;             /* of all groups */
    uint64_t *bits;             /* (n_sets, words) */
};

/* The number of the set of part T of group k (bits of its players) and others
 * H (bits of all groups, bit k clear). */
static size_t
set_number(const struct plan *p, size_t k, size_t part, size_t others)
{
    const size_t full = ((size_t)1 << p->group[k].n) - 1;
    const size_t low = others & (((size_t)1 << k) - 1);

    if (part == 0)
        return others;
    if (part == full)
        return others | (size_t)1 << k;
    return p->group[k].first_set +
           (part - 1) * ((size_t)1 << (p->m - 1)) +
           (low | (others >> 1 & ~(((size_t)1 << k) - 1)));
}

static void
add_players(const struct group *g, size_t part, uint64_t *set)
{
    size_t i;

    for (i = 0; i < g->n; i++)
        if (part >> i & 1)
            set[g->player[i] / 64] |= (uint64_t)1 << (g->player[i] % 64);
}

static void
write_sets(struct plan *p)
{
    size_t k, j, part, others;

    for (k = 0; k < p->m; k++)
        for (others = 0; others < (size_t)1 << p->m; others++) {
            if (others >> k & 1)
                continue;
            for (part = 0; part < (size_t)1 << p->group[k].n; part++) {
                uint64_t *set = p->bits +
                                set_number(p, k, part, others) * p->words;

                memset(set, 0, p->words * sizeof *set);
                add_players(&p->group[k], part, set);
                for (j = 0; j < p->m; j++)
                    if (others >> j & 1)
                        add_players(&p->group[j], SIZE_MAX, set);
            }
        }
}

static int
too_many(const struct asci_team *t, struct asc_error *e)
{
    return asc_fail(e, ASC_EUSAGE, "owen: row \"%.*s\" differs from the "
                    "background in %zu fields, and more than %d sets of them "
                    "and their coalitions would have to be evaluated: make "
                    "fewer or smaller coalitions",
                    (int)(t->id[0].n < 100 ? t->id[0].n : 100), t->id[0].p,
                    t->n_players, MAX_SETS);
}

/* Divides the players of a team into groups. */
static int
find_groups(const struct state *s, const struct asci_team *t, struct plan *p,
            struct asc_error *e)
{
    size_t i, j, k = 0;

    p->player = asci_alloc(t->n_players, sizeof *p->player, e);
    if (!p->player)
        return ASC_ESYSTEM;
    for (i = 0; i < t->n_players; i++) {
        const size_t c = s->coalition[t->player[i]];

        for (j = 0; j < i && s->coalition[t->player[j]] != c; j++)
            ;
        if (j < i)
            continue;
        if (p->m == MAX_GROUPS)
            return too_many(t, e);
        p->group[p->m].player = p->player + k;
        for (j = i; j < t->n_players; j++)
            if (s->coalition[t->player[j]] == c)
                p->player[k++] = j;
        p->group[p->m].n = (size_t)(p->player + k - p->group[p->m].player);
        p->m++;
    }
    return ASC_OK;
}

static int
make_plan(const struct state *s, const struct asci_team *t, struct plan *p,
          struct asc_error *e)
{
    size_t k;
    int status = find_groups(s, t, p, e);

    if (status)
        return status;
    p->words = (t->n_players + 63) / 64;
    p->n_sets = (size_t)1 << p->m;
    for (k = 0; k < p->m; k++) {
        p->group[k].first_set = p->n_sets;
        if (p->group[k].n > MAX_GROUPS)
            return too_many(t, e);
        p->n_sets += (((size_t)1 << p->group[k].n) - 2) << (p->m - 1);
    }
    if (p->n_sets > MAX_SETS)
        return too_many(t, e);
    p->bits = asci_alloc(p->n_sets, p->words * sizeof *p->bits, e);
    if (!p->bits)
        return ASC_ESYSTEM;
    write_sets(p);
    return ASC_OK;
}

/* ---- values ---- */

/* weight (n): k! (n - k - 1)! / n! */
static void
shapley_weights(size_t n, double *weight)
{
    size_t k;

    weight[0] = 1.0 / (double)n;
    for (k = 1; k < n; k++)
        weight[k] = weight[k - 1] * (double)k / (double)(n - k);
}

/* phi (n_players) of the values v (n_sets), `stride` apart. */
static void
owen(const struct plan *p, const double *v, size_t stride, double *phi)
{
    double between[MAX_GROUPS], within[MAX_GROUPS];
    size_t k, i, part, others;

    shapley_weights(p->m, between);
    for (k = 0; k < p->m; k++) {
        const struct group *g = &p->group[k];

        shapley_weights(g->n, within);
        for (i = 0; i < g->n; i++) {
            const size_t bit = (size_t)1 << i;
            double sum = 0.0;

            for (others = 0; others < (size_t)1 << p->m; others++) {
                if (others >> k & 1)
                    continue;
                for (part = 0; part < (size_t)1 << g->n; part++)
                    if (!(part & bit))
                        sum += between[__builtin_popcountll(others)] *
                            within[__builtin_popcountll(part)] *
                            (v[set_number(p, k, part | bit, others) * stride] -
                             v[set_number(p, k, part, others) * stride]);
            }
            phi[g->player[i]] = sum;
        }
    }
}

static int
solve(const struct asci_game *g, const struct asci_team *t,
      const void *context, struct asc_error *e)
{
    const size_t m = t->n_players, q = t->q;
    struct plan p;
    double *v = NULL;
    size_t rows, i, k, c;
    int status;

    memset(&p, 0, sizeof p);
    status = make_plan(context, t, &p, e);
    if (status)
        goto out;
    rows = asci_game_rows(t, p.n_sets);
    v = asci_alloc(rows * p.n_sets, q * sizeof *v, e);
    if (!v)
        status = ASC_ESYSTEM;
    for (i = 0; i < t->n && status == ASC_OK; i += rows) {
        const struct asci_team part = asci_team_part(t, g->d, i, rows);
        const struct asci_sets sets = { p.n_sets, p.words, p.bits };

        status = asci_game_values(g, &part, &sets, v, e);
        for (k = 0; k < part.n && status == ASC_OK; k++)
            for (c = 0; c < q; c++)
                owen(&p, v + k * p.n_sets * q + c, q,
                     part.phi + (k * q + c) * m);
    }
out:
    free(v);
    free(p.bits);
    free(p.player);
    return status;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;
    struct asc_explain exact = *b;

    (void)t;
    exact.se = NULL;            /* there is no error to speak of */
    return asci_game_explain(s->game, &exact, solve, s, e);
}

const struct asc_method asci_method_owen = {
    .entry = {
        .name = "owen",
        .title = "Owen values: Shapley values of fields in coalitions, absent "
            "fields drawn from the background",
        .source = "Owen 1977, doi:10.1007/978-3-642-45494-3_7",
        .params = params,
        .traits = ASC_NEEDS_BACKGROUND | ASC_ADDITIVE | ASC_EXACT
    },
    .prepare = prepare, .run = run, .finish = finish
};
