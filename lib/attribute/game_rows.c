/* attribute/game_rows.c -- coalitions of any model, by evaluating rows.
 *
 * The rows x_S, b_rest of all coalitions S of all rows x of a team and all
 * background rows b are put together in that order and evaluated in blocks,
 * across coalitions and rows: a command is started as seldom as can be, and
 * the blocks of other models stay in the cache.  Putting a row together costs
 * one copy of the background row and of the fields in S.
 */
#include <stdlib.h>
#include <string.h>

#include "attribute/game.h"

enum {
    ROWS = 2048,                /* rows in a block, ... */
    ROWS_OPAQUE = 65536         /* where a call may cost a process */
};
static const size_t BYTES = (size_t)64 << 20;   /* of a block, at most */

struct block {
    size_t n, capacity;
    double *x, *y;              /* (capacity, d), (capacity, n_outputs) */
    size_t first;               /* number of the first of the rows */
};

/* Evaluates the block and adds its outputs up. */
static int
flush(const struct asci_game *g, const struct asci_team *t, size_t n_sets,
      struct block *k, double *v, struct asc_error *e)
{
    int status = asc_model_evaluate(g->model, g->scale, k->x, k->n, k->y, e);
    size_t i = 0, c;

    while (i < k->n && status == ASC_OK) {
        const size_t pair = (k->first + i) / g->m;      /* (row, set) */
        const size_t row = pair / n_sets;
        const size_t *output = t->output + row * t->q;
        size_t end = (pair + 1) * g->m - k->first;

        if (end > k->n)
            end = k->n;
        for (; i < end; i++)
            for (c = 0; c < t->q; c++)
                v[pair * t->q + c] += k->y[i * g->n_outputs + output[c]];
    }
    k->first += k->n;
    k->n = 0;
    return status;
}

/* Appends background rows b, b + 1, ..., n of them, with the n_in fields
 * `in` of x. */
static void
append(const struct asci_game *g, const double *x, const size_t *in,
       size_t n_in, size_t b, size_t n, struct block *k)
{
    double *to = k->x + k->n * g->d;
    size_t i, j;

    memcpy(to, g->x + b * g->d, n * g->d * sizeof *to);
    for (i = 0; i < n; i++, to += g->d)
        for (j = 0; j < n_in; j++)
            to[in[j]] = x[in[j]];
    k->n += n;
}

static size_t
block_rows(const struct asci_game *g, size_t n)
{
    const size_t most = g->model->form == ASC_FORM_OPAQUE ? ROWS_OPAQUE
                                                          : ROWS;
    size_t rows = BYTES / ((g->d + g->n_outputs) * sizeof(double));

    if (rows > most)
        rows = most;
    if (rows > n)
        rows = n;
    return rows ? rows : 1;
}

int
asci_game_rows_values(const struct asci_game *g, const struct asci_team *t,
                      const struct asci_sets *s, double *v,
                      struct asc_error *e)
{
    struct block k = { 0 };
    size_t *in = asci_alloc(t->n_players, sizeof *in, e);
    int status = ASC_ESYSTEM;
    size_t i, j, p, b, now, n_in;

    k.capacity = block_rows(g, t->n * s->n * g->m);
    k.x = asci_alloc(k.capacity, g->d * sizeof *k.x, e);
    k.y = asci_alloc(k.capacity, g->n_outputs * sizeof *k.y, e);
    if (!in || !k.x || !k.y)
        goto out;
    memset(v, 0, t->n * s->n * t->q * sizeof *v);
    status = ASC_OK;
    for (i = 0; i < t->n; i++)
        for (j = 0; j < s->n; j++) {
            for (n_in = 0, p = 0; p < t->n_players; p++)
                if (asci_in(s->bits + j * s->words, p))
                    in[n_in++] = t->player[p];
            for (b = 0; b < g->m && status == ASC_OK; b += now) {
                now = k.capacity - k.n;
                if (now > g->m - b)
                    now = g->m - b;
                append(g, t->x + i * g->d, in, n_in, b, now, &k);
                if (k.n == k.capacity)
                    status = flush(g, t, s->n, &k, v, e);
            }
            if (status)
                goto out;
        }
    if (k.n > 0)
        status = flush(g, t, s->n, &k, v, e);
    for (i = 0; i < t->n * s->n * t->q; i++)
        v[i] /= (double)g->m;
out:
    free(k.y);
    free(k.x);
    free(in);
    return status;
}
