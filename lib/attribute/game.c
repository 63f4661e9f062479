/* attribute/game.c -- the game that Shapley values of a row are values of.
 *
 * What is shared by all rows: the background, its mean, and a way to find
 * many v(S) at once that fits the model's form (game_linear.c,
 * game_network.c, game_forest.c, else game_rows.c).  Rows are taken together
 * in teams that have the same players, so that what does not depend on the
 * row is computed once.  Every v(S) of a row depends on that row alone.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/game.h"
#include "attribute/probe.h"

/* Values of a team that are in memory at once, unless one row has more. */
static const size_t TEAM_VALUES = (size_t)1 << 20;

/* ---- what all rows share ---- */

static int
evaluate_background(struct asci_game *g, struct asc_error *e)
{
    double *y = asci_alloc(g->m * g->n_outputs, sizeof *y, e);
    int status = ASC_ESYSTEM;
    size_t i, k;

    g->base = asci_alloc_zero(g->n_outputs, sizeof *g->base, e);
    if (!y || !g->base)
        goto out;
    status = asc_model_evaluate(g->model, g->scale, g->x, g->m, y, e);
    for (i = 0; i < g->m && status == ASC_OK; i++)
        for (k = 0; k < g->n_outputs; k++) {
            g->base[k] += y[i * g->n_outputs + k];
            if (isnan(y[i * g->n_outputs + k])) {
                status = asc_fail(e, ASC_EINPUT, "%s: the model has no "
                                  "answer for row %zu of the background: "
                                  "give rows without missing values",
                                  asc_model_name(g->model), i + 1);
                break;
            }
        }
    for (k = 0; k < g->n_outputs; k++)
        g->base[k] /= (double)g->m;
out:
    free(y);
    return status;
}

static void
find_constants(struct asci_game *g)
{
    size_t i, j;

    for (j = 0; j < g->d; j++) {
        g->constant[j] = 1;
        for (i = 1; i < g->m && g->constant[j]; i++)
            g->constant[j] = asci_same_value(g->x[i * g->d + j], g->x[j]);
    }
}

/* Encodes the background if every column depends on one field at most. */
static int
encode_background(struct asci_game *g, struct asc_error *e)
{
    const struct asci_encoder *en = &g->model->encoder;
    size_t j, k;

    if (g->model->form == ASC_FORM_OPAQUE)
        return ASC_OK;
    for (j = 0; j < en->n; j++)
        for (k = 1; k < en->column[j].n_factors; k++)
            if (en->column[j].factor[k].field !=
                en->column[j].factor[0].field)
                return ASC_OK;
    g->field = asci_alloc(en->n, sizeof *g->field, e);
    g->columns = asci_alloc(g->m, en->n * sizeof *g->columns, e);
    if (!g->field || !g->columns)
        return ASC_ESYSTEM;
    for (j = 0; j < en->n; j++)
        g->field[j] = en->column[j].n_factors
                      ? en->column[j].factor[0].field : g->d;
    asci_encode(en, g->d, g->x, g->m, g->columns);
    return ASC_OK;
}

struct asci_game *
asci_game_new(const struct asc_task *t, struct asc_error *e)
{
    struct asci_game *g = asci_alloc_zero(1, sizeof *g, e);
    int status = ASC_ESYSTEM;

    if (!g)
        return NULL;
    g->model = t->model;
    g->scale = t->scale;
    g->d = t->background->d;
    g->m = t->background->n;
    g->n_outputs = asc_model_n_outputs(t->model);
    g->x = t->background->x;
    g->affine = t->scale == ASC_RAW || !asc_model_has_link(t->model);
    g->constant = asci_alloc(g->d, 1, e);
    if (!g->constant)
        goto out;
    find_constants(g);
    if ((status = evaluate_background(g, e)) ||
        (status = encode_background(g, e)) || !g->field)
        goto out;
    switch (g->model->form) {
    case ASC_FORM_LINEAR:
        status = asci_game_linear_new(g, e);
        break;
    case ASC_FORM_NETWORK:
        status = asci_game_network_new(g, e);
        break;
    case ASC_FORM_ENSEMBLE:
        if (!g->model->u.ensemble.has_lines)
            status = asci_game_forest_new(g, e);
        break;
    case ASC_FORM_OPAQUE:
        break;
    }
out:
    if (status) {
        asci_game_free(g);
        return NULL;
    }
    return g;
}

void
asci_game_free(struct asci_game *g)
{
    if (!g)
        return;
    asci_game_linear_free(g->linear);
    asci_game_network_free(g->network);
    asci_game_forest_free(g->forest);
    free(g->columns);
    free(g->field);
    free(g->constant);
    free(g->base);
    free(g);
}

size_t
asci_game_certain_players(const struct asci_game *g)
{
    size_t j, n = 0;

    for (j = 0; j < g->d; j++)
        n += !g->constant[j];
    return n;
}

int
asci_game_values(const struct asci_game *g, const struct asci_team *t,
                 const struct asci_sets *s, double *v, struct asc_error *e)
{
    if (g->linear)
        return asci_game_linear_values(g, t, s, v, e);
    if (g->network)
        return asci_game_network_values(g, t, s, v, e);
    if (g->forest && asci_game_forest_pays(g, t->n_players, s->n))
        return asci_game_forest_values(g, t, s, v, e);
    return asci_game_rows_values(g, t, s, v, e);
}

/* ---- teams ---- */

size_t
asci_game_rows(const struct asci_team *t, size_t n_sets)
{
    const size_t n = TEAM_VALUES / (n_sets * t->q + 1);

    return n < 1 ? 1 : n < t->n ? n : t->n;
}

struct asci_team
asci_team_part(const struct asci_team *t, size_t d, size_t first, size_t n)
{
    struct asci_team p = *t;
    const size_t at = first * t->q;

    p.n = t->n - first < n ? t->n - first : n;
    p.x += first * d;
    p.id += first;
    p.output += at;
    p.none += at;
    p.all += at;
    p.phi += at * t->n_players;
    if (p.se)
        p.se += at * t->n_players;
    return p;
}

/* A row of the block with its players as bits. */
struct member {
    size_t row, words;
    const uint64_t *players;    /* (words) */
};

static int
compare_members(const void *a, const void *b)
{
    const struct member *p = a, *q = b;
    const int order = memcmp(p->players, q->players,
                             p->words * sizeof *p->players);

    return order ? order : (p->row > q->row) - (p->row < q->row);
}

/* Room for the rows of one team. */
struct bench {
    size_t *player, *output;
    struct asc_text *id;
    double *x, *none, *all, *phi, *se;
};

static void
free_bench(struct bench *w)
{
    free(w->player);
    free(w->output);
    free(w->id);
    free(w->x);
    free(w->none);
    free(w->all);
    free(w->phi);
    free(w->se);
}

static int
make_bench(struct bench *w, const struct asc_explain *b, struct asc_error *e)
{
    const size_t n = b->n * b->q;

    w->player = asci_alloc(b->d, sizeof *w->player, e);
    w->output = asci_alloc(n, sizeof *w->output, e);
    w->id = asci_alloc(b->n, sizeof *w->id, e);
    w->x = asci_alloc(b->n, b->d * sizeof *w->x, e);
    w->none = asci_alloc(n, sizeof *w->none, e);
    w->all = asci_alloc(n, sizeof *w->all, e);
    w->phi = asci_alloc(n, b->d * sizeof *w->phi, e);
    if (b->se)
        w->se = asci_alloc(n, b->d * sizeof *w->se, e);
    if (w->player && w->output && w->id && w->x && w->none && w->all &&
        w->phi && (!b->se || w->se))
        return ASC_OK;
    return ASC_ESYSTEM;
}

/* Solves the n members, which have the same players. */
static int
run_team(const struct asci_game *g, struct asc_explain *b,
         const struct member *member, size_t n, struct bench *w,
         asci_solver *solve, const void *context, struct asc_error *e)
{
    struct asci_team t = {
        .n = n, .q = b->q, .player = w->player, .x = w->x, .id = w->id,
        .output = w->output, .none = w->none, .all = w->all, .phi = w->phi,
        .se = w->se
    };
    const size_t d = b->d, q = b->q;
    size_t i, j, c;
    int status;

    for (j = 0; j < d; j++)
        if (asci_in(member->players, j))
            w->player[t.n_players++] = j;
    if (t.n_players == 0)
        return ASC_OK;
    for (i = 0; i < n; i++) {
        const size_t at = member[i].row;

        memcpy(w->x + i * d, b->x + at * d, d * sizeof *w->x);
        w->id[i] = b->id[at];
        memcpy(w->output + i * q, b->output + at * q, q * sizeof *w->output);
        memcpy(w->none + i * q, b->base + at * q, q * sizeof *w->none);
        memcpy(w->all + i * q, b->value + at * q, q * sizeof *w->all);
    }
    status = solve(g, &t, context, e);
    for (i = 0; i < n && status == ASC_OK; i++)
        for (c = 0; c < q; c++) {
            const size_t from = (i * q + c) * t.n_players;
            const size_t to = (member[i].row * q + c) * d;

            for (j = 0; j < t.n_players; j++) {
                b->phi[to + t.player[j]] = w->phi[from + j];
                if (b->se)
                    b->se[to + t.player[j]] = w->se[from + j];
            }
        }
    return status;
}

/* All of an output's values are missing where one is. */
static void
mark_missing(struct asc_explain *b)
{
    size_t i, j;

    for (i = 0; i < b->n * b->q; i++) {
        int missing = isnan(b->value[i]);

        for (j = 0; j < b->d; j++)
            missing |= isnan(b->phi[i * b->d + j]);
        for (j = 0; missing && j < b->d; j++) {
            b->phi[i * b->d + j] = NAN;
            if (b->se)
                b->se[i * b->d + j] = NAN;
        }
    }
}

static int
run_teams(const struct asci_game *g, struct asc_explain *b,
          asci_solver *solve, const void *context, struct asc_error *e)
{
    const size_t words = (b->d + 63) / 64;
    uint64_t *players = asci_alloc_zero(b->n, words * sizeof *players, e);
    struct member *member = asci_alloc(b->n, sizeof *member, e);
    struct bench w;
    int status = ASC_ESYSTEM;
    size_t i, j, c, next, n = 0;

    memset(&w, 0, sizeof w);
    if (!players || !member || make_bench(&w, b, e))
        goto out;
    for (i = 0; i < b->n; i++) {
        int answered = 0;

        for (c = 0; c < b->q; c++)
            answered |= !isnan(b->value[i * b->q + c]);
        if (!answered)
            continue;
        for (j = 0; j < b->d; j++)
            if (!g->constant[j] ||
                !asci_same_value(b->x[i * b->d + j], g->x[j]))
                players[i * words + j / 64] |= (uint64_t)1 << (j % 64);
        member[n++] = (struct member){ i, words, players + i * words };
    }
    qsort(member, n, sizeof *member, compare_members);
    status = ASC_OK;
    for (i = 0; i < n && status == ASC_OK; i = next) {
        for (next = i + 1; next < n &&
             !memcmp(member[i].players, member[next].players,
                     words * sizeof *players); next++)
            ;
        status = run_team(g, b, member + i, next - i, &w, solve, context, e);
    }
out:
    free_bench(&w);
    free(member);
    free(players);
    return status;
}

int
asci_game_explain(const struct asci_game *g, struct asc_explain *b,
                  asci_solver *solve, const void *context,
                  struct asc_error *e)
{
    int status = asci_values(g->model, g->scale, b->x, b->n, b->output, b->q,
                             b->value, e);
    size_t i;

    if (status)
        return status;
    for (i = 0; i < b->n * b->q; i++)
        b->base[i] = g->base[b->output[i]];
    memset(b->phi, 0, b->n * b->q * b->d * sizeof *b->phi);
    if (b->se)
        memset(b->se, 0, b->n * b->q * b->d * sizeof *b->se);
    if (g->linear && g->affine)
        status = asci_game_linear_explain(g, b, e);
    else
        status = run_teams(g, b, solve, context, e);
    if (status == ASC_OK)
        mark_missing(b);
    return status;
}
