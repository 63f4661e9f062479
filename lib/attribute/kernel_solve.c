/* attribute/kernel_solve.c -- attributions from the values of a design's
 * coalitions.
 *
 * The least squares problem is the same for all rows: with A = sum w x x',
 * C = A^-1 [w x], for constrained designs on the vectors of sum 0, is found
 * once, and phi is a product with the t of a row.
 *
 * Variance: phi - C E[t] is a sum over draws of C_p e_p, e the residuals of t;
 * it is estimated from their spread within strata (a sandwich estimator; the
 * finite population factor of Cochran 1977, theorem 2.2), with e divided by
 * 1 - leverage, as deleting one draw after the other would give it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/kernel_design.h"

/* ---- the least squares problem of a design ---- */

static int
has_player(const struct asci_kernel *d, size_t pair, size_t player)
{
    return asci_in(d->bits + 2 * pair * d->words, player);
}

/* x (m, n), the regressors of the pairs. */
static void
regressors(const struct asci_kernel *d, double *x)
{
    size_t i, j;

    for (j = 0; j < d->n_players; j++)
        for (i = 0; i < d->n; i++)
            x[j * d->n + i] = has_player(d, i, j) - (d->offset[i] + 0.5);
}

int
asci_kernel_finish(struct asci_kernel *d, const double *weight,
                   struct asc_error *e)
{
    const size_t n = d->n, m = d->n_players;
    struct asci_weights *w = NULL;
    double *x, *wx, *a, *rhs, *scratch = NULL, trace = 0.0;
    int status = ASC_ESYSTEM;
    size_t i, j, k;

    x = asci_alloc(m, n * sizeof *x, e);        /* (m, n) z - s / m */
    wx = asci_alloc(m, n * sizeof *wx, e);
    a = asci_alloc(m, m * sizeof *a, e);
    rhs = asci_alloc(n, m * sizeof *rhs, e);    /* (n, m) */
    d->c = asci_alloc(m, n * sizeof *d->c, e);
    if (!x || !wx || !a || !rhs || !d->c)
        goto out;
    regressors(d, x);
    for (j = 0; j < m; j++)
        for (i = 0; i < n; i++) {
            wx[j * n + i] = weight[i] * x[j * n + i];
            rhs[i * m + j] = wx[j * n + i];
        }
    w = asci_weights_new(x, NULL, m, n, e);
    scratch = w ? asci_alloc(asci_product_scratch(w), sizeof *scratch, e)
                : NULL;
    if (!scratch)
        goto out;
    asci_product(w, wx, m, a, scratch);
    /* Along (1, ..., 1), where A is 0, anything regular will do. */
    for (j = 0; j < m; j++)
        trace += a[j * m + j];
    for (j = 0; j < m && d->constrained; j++)
        for (k = 0; k < m; k++)
            a[j * m + k] += trace / (double)(m * m);
    status = asci_solve_spd(a, m, rhs, n, e);
    if (status)
        goto out;
    for (i = 0; i < n; i++) {
        double leverage = 0.0;

        for (j = 0; j < m; j++) {
            d->c[j * n + i] = rhs[i * m + j];
            leverage += rhs[i * m + j] * x[j * n + i];
        }
        leverage /= d->times[i];
        d->slack[i] = 1.0 / fmax(1.0 - leverage, 1e-3);
        for (j = 0; j < m; j++)
            rhs[i * m + j] = x[j * n + i];
    }
    d->solve = asci_weights_new(d->c, NULL, m, n, e);
    d->fit = asci_weights_new(rhs, NULL, n, m, e);
    if (!d->solve || !d->fit)
        status = ASC_ESYSTEM;
out:
    free(scratch);
    asci_weights_free(w);
    free(rhs);
    free(a);
    free(wx);
    free(x);
    return status;
}

void
asci_kernel_free(struct asci_kernel *d)
{
    if (!d)
        return;
    asci_weights_free(d->solve);
    asci_weights_free(d->fit);
    free(d->bits);
    free(d->offset);
    free(d->times);
    free(d->slack);
    free(d->stratum);
    free(d->c);
    free(d);
}

/* variance (n_players) of phi, from residuals e (n) of t. */
static void
variance_of(const struct asci_kernel *d, const double *e, double *variance)
{
    size_t j, k, i;

    for (j = 0; j < d->n_players; j++) {
        const double *c = d->c + j * d->n;

        variance[j] = 0.0;
        for (k = 0; k < d->n_strata; k++) {
            const struct asci_stratum *s = &d->stratum[k];
            const size_t end = s->first + s->n;
            double mean = 0.0, sum = 0.0;

            for (i = s->first; i < end; i++)
                mean += c[i] * e[i] * d->slack[i];
            mean /= s->draws;
            for (i = s->first; i < end; i++) {
                const double one = c[i] * e[i] * d->slack[i] / d->times[i];

                sum += d->times[i] * (one - mean) * (one - mean);
            }
            variance[j] += s->left * sum * s->draws / (s->draws - 1.0);
        }
    }
}

/* ---- a team ---- */

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
            t->phi[i * n + j] = w->u[i * n + j] +
                (d->constrained ? (t->all[i] - t->none[i]) / (double)n : 0.0);
    if (!t->se || d->n_strata == 0)
        return ASC_OK;
    asci_product(d->fit, w->u, m, w->fitted, w->scratch);
    for (i = 0; i < m * d->n; i++)
        w->t[i] -= w->fitted[i];
    for (i = 0; i < m; i++)
        variance_of(d, w->t + i * d->n, t->se + i * n);
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

int
asci_kernel_solve(const struct asci_game *g, const struct asci_team *t,
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
