/* attribute/game_network.c -- coalitions of a network: the first layer is
 * split into what is present and what is absent.
 *
 *     z(x_S, b_rest) = (b + W columns of b_rest) + W columns of x_S
 *
 * The first part is a product for all background rows and coalitions that is
 * found once for all rows of a team, the second is one vector for a row and a
 * coalition.  What is left for each row of the model are the additions, the
 * activation and the layers behind.  Blocks of the other layers' products are
 * whole panels, cut across coalitions.
 */
#include <stdlib.h>
#include <string.h>

#include "attribute/game.h"

enum { ROWS = 3 * ASCI_PANEL };         /* in a block */

struct asci_game_network {
    double *w;                  /* (n_columns, n_out) the first layer's weights
                                   by columns */
};

int
asci_game_network_new(struct asci_game *g, struct asc_error *e)
{
    const struct asci_layer *l = &g->model->u.network.layer[0];
    size_t i, j;

    g->network = asci_alloc_zero(1, sizeof *g->network, e);
    if (!g->network)
        return ASC_ESYSTEM;
    g->network->w = asci_alloc(l->n_in, l->n_out * sizeof(double), e);
    if (!g->network->w)
        return ASC_ESYSTEM;
    for (i = 0; i < l->n_out; i++)
        for (j = 0; j < l->n_in; j++)
            g->network->w[j * l->n_out + i] = l->w[i * l->n_in + j];
    return ASC_OK;
}

void
asci_game_network_free(struct asci_game_network *s)
{
    if (!s)
        return;
    free(s->w);
    free(s);
}

struct work {
    double *columns;            /* (n, n_columns) of the team's rows */
    double *masked;             /* (ROWS, n_columns) */
    double *absent, *z;         /* (ROWS, n_out) */
    double *present;            /* (n_out) */
    double *r, *y;              /* (ROWS, n_raw), (ROWS, n_outputs) */
    double *scratch;
    size_t *of;                 /* (n_columns) player of a column, or
                                   n_players: none */
};

static void
free_work(struct work *w)
{
    free(w->columns);
    free(w->masked);
    free(w->absent);
    free(w->z);
    free(w->present);
    free(w->r);
    free(w->y);
    free(w->scratch);
    free(w->of);
}

static int
make_work(struct work *w, const struct asci_game *g,
          const struct asci_team *t, struct asc_error *e)
{
    const struct asci_network *f = &g->model->u.network;
    const size_t n_out = f->layer[0].n_out, n_columns = f->n_columns;
    size_t scratch = asci_network_scratch(f, ROWS), c, p;

    memset(w, 0, sizeof *w);
    if (asci_product_scratch(f->layer[0].packed) > scratch)
        scratch = asci_product_scratch(f->layer[0].packed);
    w->columns = asci_alloc(t->n, n_columns * sizeof *w->columns, e);
    w->masked = asci_alloc(ROWS, n_columns * sizeof *w->masked, e);
    w->absent = asci_alloc(ROWS, n_out * sizeof *w->absent, e);
    w->z = asci_alloc(ROWS, n_out * sizeof *w->z, e);
    w->present = asci_alloc(n_out, sizeof *w->present, e);
    w->r = asci_alloc(ROWS, g->model->n_raw * sizeof *w->r, e);
    w->y = asci_alloc(ROWS, g->n_outputs * sizeof *w->y, e);
    w->scratch = asci_alloc(scratch, sizeof *w->scratch, e);
    w->of = asci_alloc(n_columns, sizeof *w->of, e);
    if (!w->columns || !w->masked || !w->absent || !w->z || !w->present ||
        !w->r || !w->y || !w->scratch || !w->of)
        return ASC_ESYSTEM;
    asci_encode(&g->model->encoder, g->d, t->x, t->n, w->columns);
    for (c = 0; c < n_columns; c++) {
        w->of[c] = t->n_players;
        for (p = 0; p < t->n_players; p++)
            if (t->player[p] == g->field[c])
                w->of[c] = p;
    }
    return ASC_OK;
}

/* n rows from number `first` on, in the order (set, background row), fall into
 * runs of one set: where the run that begins with row i ends. */
static size_t
end_of_run(const struct asci_game *g, size_t first, size_t n, size_t i)
{
    const size_t end = ((first + i) / g->m + 1) * g->m - first;

    return end < n ? end : n;
}

static int
is_present(const struct work *w, const struct asci_team *t,
           const uint64_t *set, size_t c)
{
    return w->of[c] < t->n_players && asci_in(set, w->of[c]);
}

/* absent: the first layer's sums of the rows without what the sets take from
 * x. */
static void
add_absent(const struct asci_game *g, const struct asci_team *t,
           const struct asci_sets *s, size_t first, size_t n, struct work *w)
{
    const size_t n_columns = g->model->u.network.n_columns;
    size_t i, k, c, end;

    for (i = 0; i < n; i = end) {
        const uint64_t *set = s->bits + (first + i) / g->m * s->words;
        double *to = w->masked + i * n_columns;

        end = end_of_run(g, first, n, i);
        memcpy(to, g->columns + (first + i) % g->m * n_columns,
               (end - i) * n_columns * sizeof *to);
        for (c = 0; c < n_columns; c++)
            if (is_present(w, t, set, c))
                for (k = 0; k < end - i; k++)
                    to[k * n_columns + c] = 0.0;
    }
    asci_product(g->model->u.network.layer[0].packed, w->masked, n, w->absent,
                 w->scratch);
}

/* present (n_out): what a set takes from a row of the team */
static void
add_present(const struct asci_game *g, const struct asci_team *t, size_t row,
            const uint64_t *set, struct work *w)
{
    const struct asci_network *f = &g->model->u.network;
    const size_t n_out = f->layer[0].n_out;
    const double *columns = w->columns + row * f->n_columns;
    size_t c, i;

    memset(w->present, 0, n_out * sizeof *w->present);
    for (c = 0; c < f->n_columns; c++) {
        const double v = columns[c];
        const double *restrict from = g->network->w + c * n_out;
        double *restrict to = w->present;

        /* Of the indicators of a category all but one are 0. */
        if (v != 0.0 && is_present(w, t, set, c))
            for (i = 0; i < n_out; i++)
                to[i] += from[i] * v;
    }
}

/* Adds up the outputs of one row of the team over the rows of the block. */
static void
add_row(const struct asci_game *g, const struct asci_team *t,
        const struct asci_sets *s, size_t row, size_t first, size_t n,
        struct work *w, double *v)
{
    const struct asci_network *f = &g->model->u.network;
    const size_t n_out = f->layer[0].n_out;
    const size_t *output = t->output + row * t->q;
    size_t i, k, c, end;

    for (i = 0; i < n; i = end) {
        const size_t set = (first + i) / g->m;
        const double *restrict present = w->present;

        end = end_of_run(g, first, n, i);
        add_present(g, t, row, s->bits + set * s->words, w);
        for (k = i; k < end; k++) {
            const double *restrict from = w->absent + k * n_out;
            double *restrict to = w->z + k * n_out;

            for (c = 0; c < n_out; c++)
                to[c] = from[c] + present[c];
        }
    }
    asci_network_rest(f, w->z, n, w->r, w->scratch);
    asci_outputs(g->model, g->scale, w->r, n, w->y);
    for (i = 0; i < n; i = end) {
        const size_t set = (first + i) / g->m;

        end = end_of_run(g, first, n, i);
        for (c = 0; c < t->q; c++) {
            double *to = &v[(row * s->n + set) * t->q + c];

            for (k = i; k < end; k++)
                *to += w->y[k * g->n_outputs + output[c]];
        }
    }
}

int
asci_game_network_values(const struct asci_game *g, const struct asci_team *t,
                         const struct asci_sets *s, double *v,
                         struct asc_error *e)
{
    struct work w;
    int status = make_work(&w, g, t, e);
    size_t first, n, i;

    if (status)
        goto out;
    memset(v, 0, t->n * s->n * t->q * sizeof *v);
    for (first = 0; first < s->n * g->m; first += n) {
        n = s->n * g->m - first < ROWS ? s->n * g->m - first : ROWS;
        add_absent(g, t, s, first, n, &w);
        for (i = 0; i < t->n; i++)
            add_row(g, t, s, i, first, n, &w, v);
    }
    for (i = 0; i < t->n * s->n * t->q; i++)
        v[i] /= (double)g->m;
out:
    free_work(&w);
    return status;
}
