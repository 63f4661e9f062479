/* attribute/game_forest.c -- coalitions of an ensemble, by leaves.
 *
 * For one row x and one background row b, a leaf l of a tree is reached by
 * x_S, b_rest if S holds all fields P on its path of which x alone passes the
 * tests, and none of the fields A of which b alone does; where both fail a
 * field it is reached by no S.  So a tree is, as a function of S,
 *
 *     t(S) = sum_l w_l [P_l in S] [A_l and S empty]
 *          = sum_l w_l sum_{U in A_l} (-1)^|U| [P_l + U in S],
 *
 * and one walk down both ways where x and b part finds all of it.  The
 * coefficients of [V in S] of all trees are added up in a table of 2^players
 * numbers, and one pass for each player (Yates 1937; "zeta transform") turns
 * the table into the values for all S at once.  As long as no link follows,
 * one table serves all background rows.  (Leaves of pairs: Lundberg et al.
 * 2020, doi:10.1038/s42256-019-0138-9, "interventional"; coefficients:
 * Harsanyi 1963.)
 *
 * Cost for a row: for each background row and tree the nodes that some S
 * reaches and 2^|A| additions for a leaf; with a link also players
 * 2^(players - 1) additions for each background row.  A raw output whose walks
 * would cost more than evaluating the coalitions does (deep trees whose every
 * test parts the row from the background) is left to game_rows.c; that is
 * found for each by itself, so that it does not depend on which others are
 * asked for.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/game.h"

enum { MAX_PLAYERS = 20 };      /* a table of 8 MiB for each raw output */
static const double TABLE_NUMBERS = 8 << 20;
static const size_t END_BYTES = (size_t)128 << 20;

struct asci_game_forest {
    struct asci_forest *f;
    size_t n_nodes;             /* of all trees */
    size_t *first;              /* (n_trees) number of a tree's root */
    unsigned char *end;         /* (n_nodes, m) that background rows take */
    size_t deepest;             /* longest path */
    double *depths;             /* (n_raw) sum of the longest paths of the
                                   trees that add to a raw output */
};

void
asci_game_forest_free(struct asci_game_forest *s)
{
    if (!s)
        return;
    asci_forest_free(s->f);
    free(s->depths);
    free(s->first);
    free(s->end);
    free(s);
}

/* ---- whether it suits ---- */

static int
all_finite(const struct asci_ensemble *en)
{
    size_t i, j;

    for (j = 0; j < en->n_trees; j++)
        for (i = 0; i < en->tree[j].n_leaves * en->tree[j].width; i++)
            if (!isfinite(en->tree[j].value[i]))
                return 0;
    return 1;
}

/* Numbers the nodes, and finds the longest paths. */
static int
measure(struct asci_game_forest *s, size_t n_raw, struct asc_error *e)
{
    const struct asci_forest *f = s->f;
    uint32_t *depth = asci_alloc(asci_largest_tree(f), sizeof *depth, e);
    size_t i, j, k;

    s->first = asci_alloc(f->n_trees, sizeof *s->first, e);
    s->depths = asci_alloc_zero(n_raw, sizeof *s->depths, e);
    if (!depth || !s->first || !s->depths) {
        free(depth);
        return ASC_ESYSTEM;
    }
    for (j = 0; j < f->n_trees; j++) {
        const struct asci_forest_tree *t = &f->tree[j];
        uint32_t longest = 0;

        s->first[j] = s->n_nodes;
        s->n_nodes += t->n_nodes;
        depth[0] = 0;
        for (i = 0; i < t->n_nodes; i++) {
            if (depth[i] > longest)
                longest = depth[i];
            for (k = 0; k < 3; k++)
                if (t->node[i].child[k] != 0)
                    depth[t->node[i].child[k]] = depth[i] + 1;
        }
        if (longest > s->deepest)
            s->deepest = longest;
        for (k = 0; k < t->width; k++)
            s->depths[t->first + k] += longest;
    }
    free(depth);
    return ASC_OK;
}

/* end (n_nodes, n): which ends n rows take whose columns are given. */
static int
find_ends(const struct asci_game_forest *s, const double *columns, size_t n,
          unsigned char *end, struct asc_error *e)
{
    const struct asci_forest *f = s->f;
    int32_t *code = asci_alloc(f->n_coders, n * sizeof *code, e);
    unsigned char *missing = asci_alloc(f->n_coders, 1, e);
    const int ready = code && missing;
    size_t i, j, k;

    if (ready)
        asci_forest_code(f, columns, n, code, n, missing);
    for (j = 0; j < f->n_trees && ready; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            const struct asci_branch *b = &f->tree[j].node[i];
            unsigned char *to = end + (s->first[j] + i) * n;

            for (k = 0; k < n && b->child[0] != 0; k++)
                to[k] = (unsigned char)
                    asci_branch_end(f, b, code[b->coder * n + k]);
        }
    free(missing);
    free(code);
    return ready ? ASC_OK : ASC_ESYSTEM;
}

int
asci_game_forest_new(struct asci_game *g, struct asc_error *e)
{
    struct asci_game_forest *s;
    int status;

    if (!all_finite(&g->model->u.ensemble))
        return ASC_OK;
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    s->f = asci_forest_new(g->model, NULL, e);
    status = s->f ? measure(s, g->model->n_raw, e)
                  : ASC_ESYSTEM;
    if (status || s->n_nodes > END_BYTES / g->m) {
        asci_game_forest_free(s);
        return status;
    }
    g->forest = s;
    s->end = asci_alloc(s->n_nodes, g->m, e);
    return s->end ? find_ends(s, g->columns, g->m, s->end, e) : ASC_ESYSTEM;
}

int
asci_game_forest_pays(const struct asci_game *g, size_t n_players,
                      size_t n_sets)
{
    double passes, evaluations;

    if (n_players > MAX_PLAYERS ||
        ldexp((double)g->model->n_raw, (int)n_players) > TABLE_NUMBERS)
        return 0;
    /* A tree costs an evaluation about as much as an addition costs here:
     * both are done for many at once. */
    passes = ldexp((double)n_players, (int)n_players - 1) *
             (g->affine ? 1.0 : (double)(g->m * g->model->n_raw));
    evaluations = (double)n_sets * (double)g->m *
                  (double)g->forest->f->n_trees;
    return passes <= evaluations;
}

/* ---- one row ---- */

/* A node to be visited, and what S must and must not hold. */
struct visit { uint32_t node, present, absent; };

struct work {
    double *columns;            /* (n_columns) of the row */
    unsigned char *end;         /* (n_nodes) that the row takes */
    uint32_t *bit;              /* (d) of a player */
    struct visit *stack;        /* (deepest + 1) */
    size_t size;                /* 2^players */
    double *table;              /* (n_raw, size) */
    double *r, *y;              /* (n_sets, n_raw), (n_sets, n_outputs) */
    struct raw {
        int wanted;
        uint64_t steps, most;   /* nodes and additions so far, and at most */
    } *raw;                     /* (n_raw) */
};

static void
free_work(struct work *w)
{
    free(w->columns);
    free(w->end);
    free(w->bit);
    free(w->stack);
    free(w->table);
    free(w->r);
    free(w->y);
    free(w->raw);
}

static int
make_work(struct work *w, const struct asci_game *g,
          const struct asci_team *t, const struct asci_sets *s,
          struct asc_error *e)
{
    const struct asci_game_forest *p = g->forest;
    const size_t n_raw = g->model->n_raw;
    size_t i;

    memset(w, 0, sizeof *w);
    w->size = (size_t)1 << t->n_players;
    w->columns = asci_alloc(g->model->encoder.n, sizeof *w->columns, e);
    w->end = asci_alloc(p->n_nodes, 1, e);
    w->bit = asci_alloc_zero(g->d, sizeof *w->bit, e);
    w->stack = asci_alloc(p->deepest + 1, sizeof *w->stack, e);
    w->table = asci_alloc(n_raw, w->size * sizeof *w->table, e);
    w->r = asci_alloc_zero(s->n, n_raw * sizeof *w->r, e);
    w->y = asci_alloc(s->n, g->n_outputs * sizeof *w->y, e);
    w->raw = asci_alloc_zero(n_raw, sizeof *w->raw, e);
    if (!w->columns || !w->end || !w->bit || !w->stack || !w->table ||
        !w->r || !w->y || !w->raw)
        return ASC_ESYSTEM;
    for (i = 0; i < t->n_players; i++)
        w->bit[t->player[i]] = (uint32_t)1 << i;
    /* An evaluation takes a step for each node of its paths, and several of
     * those cost what one costs here. */
    for (i = 0; i < n_raw; i++)
        w->raw[i].most = (uint64_t)fmin(
            0.25 * (double)s->n * (double)g->m * p->depths[i], 1e18);
    return ASC_OK;
}

static int
is_over(const struct raw *r)
{
    return r->steps > r->most;
}

/* Adds the coefficients of a leaf with values value (width). */
static void
add_leaf(const struct visit *v, const struct asci_forest_tree *t,
         const double *value, struct work *w)
{
    size_t k;

    for (k = 0; k < t->width; k++) {
        double *table = w->table + (t->first + k) * w->size + v->present;
        uint32_t u = v->absent;

        if (!w->raw[t->first + k].wanted)
            continue;
        for (;; u = (u - 1) & v->absent) {
            table[u] += __builtin_parity(u) ? -value[k] : value[k];
            if (u == 0)
                break;
        }
    }
}

/* Walks tree j for background row b, and gives up when that takes more than
 * `most` steps.  Returns the steps. */
static uint64_t
walk(const struct asci_game *g, size_t j, size_t b, uint64_t most,
     struct work *w)
{
    const struct asci_game_forest *s = g->forest;
    const struct asci_forest_tree *t = &s->f->tree[j];
    const unsigned char *of_x = w->end + s->first[j];
    const unsigned char *of_b = s->end + s->first[j] * g->m + b;
    uint64_t steps = 0;
    size_t waiting = 1;

    w->stack[0] = (struct visit){ 0, 0, 0 };
    while (waiting > 0 && steps <= most) {
        struct visit v = w->stack[--waiting];

        for (;;) {
            const struct asci_branch *p = &t->node[v.node];
            uint32_t to_x, to_b, bit;

            steps++;
            if (p->child[0] == 0)
                break;
            to_x = p->child[of_x[v.node]];
            to_b = p->child[of_b[v.node * g->m]];
            if (to_x == to_b) {
                v.node = to_x;
                continue;
            }
            bit = w->bit[p->field];
            if (v.present & bit) {
                v.node = to_x;
            } else if (v.absent & bit) {
                v.node = to_b;
            } else {
                w->stack[waiting++] = (struct visit){
                    to_b, v.present, v.absent | bit
                };
                v.node = to_x;
                v.present |= bit;
            }
        }
        steps += (uint64_t)1 << __builtin_popcount(v.absent);
        if (steps <= most)
            add_leaf(&v, t, t->value + t->node[v.node].leaf * t->width, w);
    }
    return steps;
}

/* Returns whether any raw output that is wanted is within its steps. */
static int
walk_trees(const struct asci_game *g, size_t b, struct work *w)
{
    const struct asci_forest *f = g->forest->f;
    int any = 0;
    size_t j, k;

    for (j = 0; j < f->n_trees; j++) {
        struct raw *raw = w->raw + f->tree[j].first;
        uint64_t most = 0, steps;
        int wanted = 0;

        for (k = 0; k < f->tree[j].width; k++) {
            wanted |= raw[k].wanted && !is_over(&raw[k]);
            if (raw[k].most > most)
                most = raw[k].most;
        }
        if (!wanted)
            continue;
        steps = walk(g, j, b, most, w);
        for (k = 0; k < f->tree[j].width; k++)
            raw[k].steps += steps;
    }
    for (k = 0; k < g->model->n_raw; k++)
        any |= w->raw[k].wanted && !is_over(&w->raw[k]);
    return any;
}

/* Coefficients to values: table[S] = sum over V in S of table[V]. */
static void
sum_subsets(double *table, size_t size)
{
    size_t half, i, k;

    for (half = 1; half < size; half *= 2)
        for (i = 0; i < size; i += 2 * half) {
            const double *restrict from = table + i;
            double *restrict to = table + i + half;

            for (k = 0; k < half; k++)
                to[k] += from[k];
        }
}

/* r (n_sets, n_raw) += base + scale * sums, of n rows of the background */
static void
read_table(const struct asci_game *g, const struct asci_sets *s, size_t n,
           struct work *w)
{
    const struct asci_ensemble *en = &g->model->u.ensemble;
    size_t r, i;

    for (r = 0; r < en->n_raw; r++) {
        double *table = w->table + r * w->size;

        if (!w->raw[r].wanted)
            continue;
        sum_subsets(table, w->size);
        for (i = 0; i < s->n; i++)
            w->r[i * en->n_raw + r] =
                en->base[r] +
                en->scale * (table[s->bits[i]] / (double)n);
    }
}

/* Output k is left to evaluation: behind a link that takes all raw outputs,
 * all or none. */
static int
is_left(const struct asci_game *g, const struct work *w, size_t k)
{
    size_t r;
    int any = 0;

    if (g->affine)
        return is_over(&w->raw[g->model->output[k].raw]);
    for (r = 0; r < g->model->n_raw; r++)
        any |= is_over(&w->raw[r]);
    return any;
}

/* v (n_sets, q) of a row.  Returns how many of the q outputs are left. */
static size_t
values_of_row(const struct asci_game *g, const struct asci_team *t,
              size_t row, const struct asci_sets *s, struct work *w,
              double *v)
{
    const size_t *output = t->output + row * t->q;
    const size_t bytes = g->model->n_raw * w->size * sizeof *w->table;
    size_t b, i, c, left = 0;
    int going = 1;

    for (i = 0; i < g->model->n_raw; i++) {
        w->raw[i].wanted = !g->affine;
        w->raw[i].steps = 0;
    }
    for (c = 0; c < t->q; c++)
        w->raw[g->model->output[output[c]].raw].wanted = 1;
    memset(w->table, 0, bytes);
    memset(v, 0, s->n * t->q * sizeof *v);
    for (b = 0; b < g->m && going; b++) {
        going = walk_trees(g, b, w) && (g->affine || !is_left(g, w, 0));
        if (!going || (g->affine && b + 1 < g->m))
            continue;
        read_table(g, s, g->affine ? g->m : 1, w);
        asci_outputs(g->model, g->scale, w->r, s->n, w->y);
        for (i = 0; i < s->n; i++)
            for (c = 0; c < t->q; c++)
                v[i * t->q + c] += w->y[i * g->n_outputs + output[c]];
        memset(w->table, 0, bytes);
    }
    for (i = 0; i < s->n * t->q && !g->affine; i++)
        v[i] /= (double)g->m;
    for (c = 0; c < t->q; c++)
        left += (size_t)is_left(g, w, output[c]);
    return left;
}

/* Evaluates the outputs of a row that are left. */
static int
evaluate_left(const struct asci_game *g, const struct asci_team *t,
              size_t row, const struct asci_sets *s, const struct work *w,
              double *v, struct asc_error *e)
{
    const struct asci_team alone = asci_team_part(t, g->d, row, 1);
    double *y = asci_alloc(s->n, t->q * sizeof *y, e);
    int status = ASC_ESYSTEM;
    size_t i, c;

    if (y)
        status = asci_game_rows_values(g, &alone, s, y, e);
    for (c = 0; c < t->q && status == ASC_OK; c++)
        for (i = 0; i < s->n && is_left(g, w, alone.output[c]); i++)
            v[i * t->q + c] = y[i * t->q + c];
    free(y);
    return status;
}

int
asci_game_forest_values(const struct asci_game *g, const struct asci_team *t,
                        const struct asci_sets *s, double *v,
                        struct asc_error *e)
{
    struct work w;
    int status = make_work(&w, g, t, s, e);
    size_t i;

    for (i = 0; i < t->n && status == ASC_OK; i++) {
        double *of_row = v + i * s->n * t->q;

        asci_encode(&g->model->encoder, g->d, t->x + i * g->d, 1, w.columns);
        status = find_ends(g->forest, w.columns, 1, w.end, e);
        if (status == ASC_OK && values_of_row(g, t, i, s, &w, of_row) > 0)
            status = evaluate_left(g, t, i, s, &w, of_row, e);
    }
    free_work(&w);
    return status;
}
