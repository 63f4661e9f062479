/* attribute/linear_shap.c -- Shapley values of linear models, with fields
 * taken as independent or as they vary together.
 *
 * On the raw scale f = b + w c, c the encoded columns.  Independent:
 *
 *     phi_j = sum over the columns of field j of w (c - mean)
 *
 * over the background: what kernel-shap and exact-shapley give.  Gaussian: the
 * game is v(S) = E[f | c_S] for columns with the background's mean and
 * covariance,
 *
 *     v(S) - v(none) = g_S (c - mean),
 *     g_S = w_S + Cov_SS^-1 Cov_SR w_R,   R: not S,
 *
 * so that phi_j = T_j (c - mean), where T_j is the Shapley value of g and does
 * not depend on the row: it is found once, by all 2^d sets of up to EXACT
 * fields, else by `permutations` orders, each walked forwards and backwards.
 * Columns that others determine (all indicators of a category but one) are
 * left out of the regressions.
 *
 * Source: Lundberg and Lee 2017, arXiv:1705.07874, corollary 1; conditional:
 * Aas, Jullum and Loland 2021, doi:10.1016/j.artint.2021.103502, section 3.1.
 *
 * Cost: a product a row.  Once, for c columns: 2^d c^3 / 3 or permutations
 * (c^3 / 3 + d c^2) multiplications.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/game.h"
#include "attribute/internal.h"
#include "attribute/probe.h"

enum { EXACT = 12 };
/* A column is left out when less than this of its variance is its own. */
static const double OWN = 1e-10;

enum { FIELDS, PERMUTATIONS };
static const struct asc_param params[] = {
    [FIELDS] = { "fields", ASC_PARAM_CHOICE, 0.0, 0.0, 1.0,
                 "independent|gaussian", "how absent fields are thought of" },
    [PERMUTATIONS] = { "permutations", ASC_PARAM_INTEGER, 500.0, 1.0, 1e6,
                       NULL, "orders, for gaussian with more than 12 fields" },
    ASC_PARAMS_END
};

struct state {
    struct asci_game *game;
    double *mean;               /* (n_columns) */
    double *transform;          /* (n_raw, d, n_columns) T, or NULL */
};

/* ---- regressions on a growing list of columns ---- */

struct regression {
    size_t c, n;                /* columns in all, in the list */
    const double *cov, *w;      /* (c, c), (c) */
    double *product;            /* (c) cov w */
    double *l;                  /* (c, c) Cholesky factor of the list's */
    double *b;                  /* (c) */
    size_t *list;               /* (c) */
    unsigned char *left_out;    /* (c) */
};

static void
free_regression(struct regression *r)
{
    free(r->product);
    free(r->l);
    free(r->b);
    free(r->list);
    free(r->left_out);
}

static int
make_regression(struct regression *r, size_t c, const double *cov,
                struct asc_error *e)
{
    memset(r, 0, sizeof *r);
    r->c = c;
    r->cov = cov;
    r->product = asci_alloc(c, sizeof *r->product, e);
    r->l = asci_alloc(c, c * sizeof *r->l, e);
    r->b = asci_alloc(c, sizeof *r->b, e);
    r->list = asci_alloc(c, sizeof *r->list, e);
    r->left_out = asci_alloc(c, 1, e);
    return r->product && r->l && r->b && r->list && r->left_out
           ? ASC_OK : ASC_ESYSTEM;
}

static void
set_weights(struct regression *r, const double *w)
{
    size_t i, j;

    r->w = w;
    for (i = 0; i < r->c; i++) {
        r->product[i] = 0.0;
        for (j = 0; j < r->c; j++)
            r->product[i] += r->cov[i * r->c + j] * w[j];
    }
}

static void
push_column(struct regression *r, size_t column)
{
    const double *cov = r->cov + column * r->c;
    double *row = r->l + r->n * r->c, own = cov[column];
    size_t j, k;

    for (k = 0; k < r->n; k++) {
        double s = cov[r->list[k]];

        for (j = 0; j < k; j++)
            s -= row[j] * r->l[k * r->c + j];
        row[k] = r->left_out[k] ? 0.0 : s / r->l[k * r->c + k];
        own -= row[k] * row[k];
    }
    r->left_out[r->n] = !(own > OWN * cov[column]);
    row[r->n] = r->left_out[r->n] ? 1.0 : sqrt(own);
    r->list[r->n++] = column;
}

/* g (c) of the list's set. */
static void
coefficients(struct regression *r, double *g)
{
    size_t i, j;

    for (i = 0; i < r->n; i++) {
        const double *cov = r->cov + r->list[i] * r->c;
        double h = r->product[r->list[i]];

        for (j = 0; j < r->n; j++)
            h -= cov[r->list[j]] * r->w[r->list[j]];
        for (j = 0; j < i; j++)
            h -= r->l[i * r->c + j] * r->b[j];
        r->b[i] = r->left_out[i] ? 0.0 : h / r->l[i * r->c + i];
    }
    for (i = r->n; i-- > 0;) {
        for (j = i + 1; j < r->n; j++)
            r->b[i] -= r->l[j * r->c + i] * r->b[j];
        r->b[i] = r->left_out[i] ? 0.0 : r->b[i] / r->l[i * r->c + i];
    }
    memset(g, 0, r->c * sizeof *g);
    for (i = 0; i < r->n; i++)
        g[r->list[i]] = r->w[r->list[i]] + r->b[i];
}

static void
push_field(struct regression *r, const struct asci_game *g, size_t field)
{
    size_t k;

    for (k = 0; k < r->c; k++)
        if (g->field[k] == field)
            push_column(r, k);
}

/* ---- T ---- */

static void
add(double *to, const double *from, double factor, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] += factor * from[i];
}

/* t (d, c) over all sets of fields. */
static void
by_sets(const struct asci_game *game, struct regression *r, double *g,
        double *t)
{
    const size_t d = game->d;
    double weight[EXACT];
    size_t s, j, k;

    weight[0] = 1.0 / (double)d;
    for (k = 1; k < d; k++)
        weight[k] = weight[k - 1] * (double)k / (double)(d - k);
    for (s = 0; s < (size_t)1 << d; s++) {
        const size_t size = (size_t)__builtin_popcountll(s);

        r->n = 0;
        for (j = 0; j < d; j++)
            if (s >> j & 1)
                push_field(r, game, j);
        coefficients(r, g);
        if (size == d)
            memcpy(g, r->w, r->c * sizeof *g);
        for (j = 0; j < d; j++)
            add(t + j * r->c, g, s >> j & 1 ? weight[size - 1]
                : -weight[size], r->c);
    }
}

/* t (d, c) over n random orders and their reverses. */
static void
by_orders(const struct asci_game *game, const size_t *order, size_t n,
          struct regression *r, double *g, double *t)
{
    const size_t d = game->d;
    const double share = 0.5 / (double)n;
    size_t i, k, way;

    for (i = 0; i < 2 * n; i++) {
        const size_t *o = order + i / 2 * d;

        way = i % 2;
        r->n = 0;
        for (k = 0; k < d; k++) {
            const size_t j = way ? o[d - 1 - k] : o[k];

            /* what was known before, g, is taken from the next one */
            if (k > 0)
                add(t + j * r->c, g, -share, r->c);
            push_field(r, game, j);
            if (k + 1 < d)
                coefficients(r, g);
            else
                memcpy(g, r->w, r->c * sizeof *g);
            add(t + j * r->c, g, share, r->c);
        }
    }
}

static size_t *
draw_orders(size_t d, size_t n, uint64_t seed, struct asc_error *e)
{
    size_t *order = asci_alloc(n, d * sizeof *order, e), i, j;
    struct asc_stream s;

    if (!order)
        return NULL;
    asc_stream_start(&s, seed, "linear-shap", "", 0);
    for (i = 0; i < n; i++) {
        for (j = 0; j < d; j++)
            order[i * d + j] = j;
        asc_stream_shuffle(&s, order + i * d, d);
    }
    return order;
}

/* mean (c), cov (c, c) of the background's columns. */
static void
moments(const struct asci_game *g, size_t c, double *mean, double *cov)
{
    size_t i, j, k;

    memset(mean, 0, c * sizeof *mean);
    memset(cov, 0, c * c * sizeof *cov);
    for (i = 0; i < g->m; i++)
        add(mean, g->columns + i * c, 1.0 / (double)g->m, c);
    for (i = 0; i < g->m; i++)
        for (j = 0; j < c; j++)
            for (k = 0; k <= j; k++)
                cov[j * c + k] += (g->columns[i * c + j] - mean[j]) *
                                  (g->columns[i * c + k] - mean[k]);
    for (j = 0; j < c; j++)
        for (k = 0; k < j; k++)
            cov[k * c + j] = cov[j * c + k];
}

static int
find_transform(struct state *s, const struct asc_spec *spec,
               struct asc_error *e)
{
    const struct asci_game *game = s->game;
    const struct asci_linear *f = &game->model->u.linear;
    const size_t c = f->n_columns, d = game->d;
    const size_t n = (size_t)spec->value[PERMUTATIONS];
    double *cov = asci_alloc(c, c * sizeof *cov, e);
    double *g = asci_alloc(c, sizeof *g, e);
    size_t *order = d > EXACT ? draw_orders(d, n, spec->seed, e) : NULL;
    struct regression r;
    int status = make_regression(&r, c, cov, e);
    size_t k;

    s->mean = asci_alloc(c, sizeof *s->mean, e);
    s->transform = asci_alloc_zero(f->n_raw * d, c * sizeof *s->transform, e);
    if (status || !cov || !g || (d > EXACT && !order) || !s->mean ||
        !s->transform) {
        status = ASC_ESYSTEM;
        goto out;
    }
    moments(game, c, s->mean, cov);
    for (k = 0; k < f->n_raw; k++) {
        double *t = s->transform + k * d * c;

        set_weights(&r, f->w + k * c);
        if (order)
            by_orders(game, order, n, &r, g, t);
        else
            by_sets(game, &r, g, t);
    }
out:
    free_regression(&r);
    free(order);
    free(g);
    free(cov);
    return status;
}

/* ---- the method ---- */

static void
finish(void *state)
{
    struct state *s = state;

    asci_game_free(s->game);
    free(s->mean);
    free(s->transform);
    free(s);
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    struct state *s = asci_alloc_zero(1, sizeof *s, e);
    int status;

    if (!s)
        return ASC_ESYSTEM;
    s->game = asci_game_new(t, e);
    if (!s->game)
        status = e ? (int)e->status : ASC_ESYSTEM;
    else
        status = t->spec->value[FIELDS] == 0.0 ? ASC_OK
                 : find_transform(s, t->spec, e);
    if (status) {
        finish(s);
        return status;
    }
    *state = s;
    return ASC_OK;
}

static int
serves(const asc_model *m, enum asc_scale scale, struct asc_error *e)
{
    size_t c, k;

    if (scale == ASC_RESPONSE && asc_model_has_link(m))
        return asc_fail(e, ASC_EUSAGE, "explains linear functions, and the "
                        "response has a link after them: explain the raw "
                        "scale");
    for (c = 0; c < m->encoder.n; c++)
        for (k = 1; k < m->encoder.column[c].n_factors; k++)
            if (m->encoder.column[c].factor[k].field !=
                m->encoder.column[c].factor[0].field)
                return asc_fail(e, ASC_EUSAGE, "explains sums of functions "
                                "of one field each, and this model has "
                                "products of fields");
    return ASC_OK;
}

/* phi (d) of a row whose columns less their mean are `off` (c). */
static void
transform(const struct state *s, size_t output, const double *off,
          double *phi)
{
    const struct asci_game *g = s->game;
    const struct asci_output *o = &g->model->output[output];
    const size_t c = g->model->u.linear.n_columns;
    const double sign = asci_output_slope(g->model, output);
    size_t j, k;

    for (j = 0; j < g->d; j++) {
        const double *t = s->transform + (o->raw * g->d + j) * c;

        phi[j] = 0.0;
        for (k = 0; k < c; k++)
            phi[j] += sign * t[k] * off[k];
    }
}

static int
run_gaussian(const struct state *s, struct asc_explain *b,
             struct asc_error *e)
{
    const struct asci_game *g = s->game;
    const size_t c = g->model->u.linear.n_columns;
    double *off = asci_alloc(b->n, c * sizeof *off, e);
    int status;
    size_t i, j, k;

    if (!off)
        return ASC_ESYSTEM;
    status = asci_values(g->model, g->scale, b->x, b->n, b->output, b->q,
                         b->value, e);
    asci_encode(&g->model->encoder, g->d, b->x, b->n, off);
    for (i = 0; i < b->n && status == ASC_OK; i++) {
        for (j = 0; j < c; j++)
            off[i * c + j] -= s->mean[j];
        for (k = i * b->q; k < (i + 1) * b->q; k++) {
            b->base[k] = g->base[b->output[k]];
            transform(s, b->output[k], off + i * c, b->phi + k * b->d);
        }
    }
    free(off);
    return status;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;

    (void)t;
    return s->transform ? run_gaussian(s, b, e)
                        : asci_game_explain(s->game, b, NULL, NULL, e);
}

const struct asc_method asci_method_linear_shap = {
    .entry = {
        .name = "linear-shap",
        .title = "Shapley values of a linear model in closed form, fields "
            "independent or jointly normal",
        .source = "Lundberg and Lee 2017, arXiv:1705.07874, corollary 1; "
            "gaussian: Aas, Jullum and Loland 2021, "
            "doi:10.1016/j.artint.2021.103502",
        .params = params,
        .traits = ASC_NEEDS_LINEAR | ASC_NEEDS_BACKGROUND | ASC_RANDOM |
            ASC_ADDITIVE | ASC_EXACT
    },
    .prepare = prepare, .run = run, .finish = finish, .serves = serves
};
