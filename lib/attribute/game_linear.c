/* attribute/game_linear.c -- coalitions of a linear form: contributions are
 * added, nothing is evaluated again.
 *
 *     r(x_S, b_rest) = sum_{j in S} u_j(x_j) + sum_{j not in S} u_j(b_j),
 *     u_j = sum over the columns of field j of w_c column_c
 *
 * On the raw scale, and without a link, the game is additive and
 *
 *     phi_j = u_j(x_j) - 1/m sum_b u_j(b_j)
 *
 * (Lundberg and Lee 2017, arXiv:1705.07874, corollary 1).  Behind a link,
 * r = A(S, b) + s(S): the part A of the background is found once for all rows
 * of a team, and the part s of the row once for all background rows.  For a
 * single logit there are exponentials of fields only,
 *
 *     1 / (1 + exp(-r)) = 1 / (1 + exp(-A) exp(-s)),
 *     exp(-A) = prod_{j not in S} exp(-u_j(b_j)),
 *
 * so that a row of the model costs a multiplication and a division.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/game.h"
#include "attribute/probe.h"

enum { SETS = 64 };             /* coalitions that are taken together */

struct asci_game_linear {
    size_t n_raw;
    double *constant;           /* (n_raw) intercept and constant columns */
    double *u;                  /* (n_raw, d, m) of the background */
    double *mean;               /* (n_raw, d) of u */
    int logit;                  /* one raw output, a logit, and no more */
    double *power;              /* (d, m) exp(-u), for a logit */
    double *top;                /* (d) largest |u| in the background */
};

/* u (n_raw, d) of a row with these columns */
static void
contributions(const struct asci_game *g, const double *columns, double *u)
{
    const struct asci_linear *f = &g->model->u.linear;
    size_t r, c;

    memset(u, 0, f->n_raw * g->d * sizeof *u);
    for (r = 0; r < f->n_raw; r++)
        for (c = 0; c < f->n_columns; c++)
            if (g->field[c] < g->d)
                u[r * g->d + g->field[c]] +=
                    f->w[r * f->n_columns + c] * columns[c];
}

static int
find_powers(const struct asci_game *g, struct asc_error *e)
{
    struct asci_game_linear *s = g->linear;
    size_t i, j;

    s->power = asci_alloc(g->d, g->m * sizeof *s->power, e);
    s->top = asci_alloc_zero(g->d, sizeof *s->top, e);
    if (!s->power || !s->top)
        return ASC_ESYSTEM;
    for (j = 0; j < g->d; j++)
        for (i = 0; i < g->m; i++) {
            const double u = s->u[j * g->m + i];

            s->power[j * g->m + i] = exp(-u);
            if (fabs(u) > s->top[j])
                s->top[j] = fabs(u);
        }
    return ASC_OK;
}

int
asci_game_linear_new(struct asci_game *g, struct asc_error *e)
{
    const struct asci_linear *f = &g->model->u.linear;
    const size_t d = g->d, m = g->m;
    struct asci_game_linear *s = asci_alloc_zero(1, sizeof *s, e);
    double *row = asci_alloc(f->n_raw, d * sizeof *row, e);
    int status = ASC_ESYSTEM;
    size_t r, c, i, j;

    g->linear = s;
    if (!s || !row)
        goto out;
    s->n_raw = f->n_raw;
    s->constant = asci_alloc(f->n_raw, sizeof *s->constant, e);
    s->u = asci_alloc(f->n_raw * d, m * sizeof *s->u, e);
    s->mean = asci_alloc_zero(f->n_raw, d * sizeof *s->mean, e);
    if (!s->constant || !s->u || !s->mean)
        goto out;
    s->logit = !g->affine && g->model->link == ASCI_LINK_LOGIT &&
               f->n_raw == 1 && !g->model->rescale;
    for (r = 0; r < f->n_raw; r++) {
        s->constant[r] = f->b[r];
        for (c = 0; c < f->n_columns; c++)
            if (g->field[c] == d)
                s->constant[r] += f->w[r * f->n_columns + c] *
                                  g->columns[c];
    }
    for (i = 0; i < m; i++) {
        contributions(g, g->columns + i * f->n_columns, row);
        for (r = 0; r < f->n_raw; r++)
            for (j = 0; j < d; j++) {
                s->u[(r * d + j) * m + i] = row[r * d + j];
                s->mean[r * d + j] += row[r * d + j] / (double)m;
            }
    }
    status = s->logit ? find_powers(g, e) : ASC_OK;
out:
    free(row);
    return status;
}

void
asci_game_linear_free(struct asci_game_linear *s)
{
    if (!s)
        return;
    free(s->constant);
    free(s->u);
    free(s->mean);
    free(s->power);
    free(s->top);
    free(s);
}

/* ---- closed form ---- */

double
asci_output_slope(const asc_model *m, size_t k)
{
    const struct asci_output *o = &m->output[k];

    return o->complement && m->link == ASCI_LINK_NONE ? -1.0 : o->sign;
}

int
asci_game_linear_explain(const struct asci_game *g, struct asc_explain *b,
                         struct asc_error *e)
{
    const struct asci_game_linear *s = g->linear;
    const struct asci_encoder *en = &g->model->encoder;
    const size_t d = g->d;
    double *columns = asci_alloc(en->n, sizeof *columns, e);
    double *u = asci_alloc(s->n_raw, d * sizeof *u, e);
    size_t i, c, j;

    for (i = 0; i < b->n && columns && u; i++) {
        asci_encode(en, d, b->x + i * d, 1, columns);
        contributions(g, columns, u);
        for (c = 0; c < b->q; c++) {
            const size_t at = i * b->q + c, k = b->output[at];
            const size_t r = g->model->output[k].raw;
            const double sign = asci_output_slope(g->model, k);

            /* Fields that do not differ keep their 0. */
            for (j = 0; j < d; j++)
                if (!g->constant[j] ||
                    !asci_same_value(b->x[i * d + j], g->x[j]))
                    b->phi[at * d + j] =
                        sign * (u[r * d + j] - s->mean[r * d + j]);
        }
    }
    i = columns && u;
    free(u);
    free(columns);
    return i ? ASC_OK : ASC_ESYSTEM;
}

/* ---- behind a link ---- */

struct work {
    double *fixed;              /* (n_raw, m) what no player changes */
    double *fixed_power;        /* (m) exp(-fixed), for a logit */
    double fixed_top;           /* largest |fixed| */
    double *absent;             /* (SETS, n_raw, m) A; for a logit exp(-A)
                                   where it can be computed as a product */
    unsigned char product[SETS];        /* whether it was */
    double *columns, *u;        /* (n_columns), (n, n_raw, d) of the rows */
    double *r, *y;              /* (m, n_raw), (m, n_outputs) */
};

static void
free_work(struct work *w)
{
    free(w->fixed);
    free(w->fixed_power);
    free(w->absent);
    free(w->columns);
    free(w->u);
    free(w->r);
    free(w->y);
}

static int
make_work(struct work *w, const struct asci_game *g,
          const struct asci_team *t, struct asc_error *e)
{
    const size_t m = g->m, n_raw = g->linear->n_raw, d = g->d;
    const size_t n_columns = g->model->encoder.n;
    size_t i, j, r, p;

    memset(w, 0, sizeof *w);
    w->fixed = asci_alloc(n_raw, m * sizeof *w->fixed, e);
    w->fixed_power = asci_alloc(m, sizeof *w->fixed_power, e);
    w->absent = asci_alloc(SETS * n_raw, m * sizeof *w->absent, e);
    w->columns = asci_alloc(n_columns, sizeof *w->columns, e);
    w->u = asci_alloc(t->n * n_raw, d * sizeof *w->u, e);
    w->r = asci_alloc(m, n_raw * sizeof *w->r, e);
    w->y = asci_alloc(m, g->n_outputs * sizeof *w->y, e);
    if (!w->fixed || !w->fixed_power || !w->absent || !w->columns ||
        !w->u || !w->r || !w->y)
        return ASC_ESYSTEM;
    for (i = 0; i < t->n; i++) {
        asci_encode(&g->model->encoder, d, t->x + i * d, 1, w->columns);
        contributions(g, w->columns, w->u + i * n_raw * d);
    }
    for (r = 0; r < n_raw; r++) {
        double *fixed = w->fixed + r * m;

        for (i = 0; i < m; i++)
            fixed[i] = g->linear->constant[r];
        for (j = 0, p = 0; j < d; j++) {
            if (p < t->n_players && t->player[p] == j) {
                p++;
                continue;
            }
            for (i = 0; i < m; i++)
                fixed[i] += g->linear->u[(r * d + j) * m + i];
        }
    }
    for (i = 0; i < m; i++) {
        w->fixed_power[i] = exp(-w->fixed[i]);
        if (fabs(w->fixed[i]) > w->fixed_top)
            w->fixed_top = fabs(w->fixed[i]);
    }
    return ASC_OK;
}

/* A of one coalition: absent (n_raw, m) */
static void
add_absent(const struct asci_game *g, const struct asci_team *t,
           const uint64_t *set, const double *fixed, double *absent)
{
    const size_t m = g->m, n_raw = g->linear->n_raw;
    size_t r, p, i;

    memcpy(absent, fixed, n_raw * m * sizeof *absent);
    for (r = 0; r < n_raw; r++)
        for (p = 0; p < t->n_players; p++) {
            const double *restrict u =
                g->linear->u + (r * g->d + t->player[p]) * m;
            double *restrict to = absent + r * m;

            if (!asci_in(set, p))
                for (i = 0; i < m; i++)
                    to[i] += u[i];
        }
}

/* Half of the exponent range: exp(SAFE) exp(SAFE) is a number, and so is its
 * inverse. */
static const double SAFE = 350.0;

/* product (m) = exp(-A) of one coalition, if no partial product can overflow:
 * then 1, else 0. */
static int
multiply_absent(const struct asci_game *g, const struct asci_team *t,
                const uint64_t *set, const struct work *w, double *product)
{
    const struct asci_game_linear *s = g->linear;
    const size_t m = g->m;
    double top = w->fixed_top;
    size_t p, i;

    for (p = 0; p < t->n_players; p++)
        if (!asci_in(set, p))
            top += s->top[t->player[p]];
    if (!(top <= SAFE))
        return 0;
    memcpy(product, w->fixed_power, m * sizeof *product);
    for (p = 0; p < t->n_players; p++) {
        const double *restrict power = s->power + t->player[p] * m;
        double *restrict to = product;

        if (!asci_in(set, p))
            for (i = 0; i < m; i++)
                to[i] *= power[i];
    }
    return 1;
}

/* s (n_raw) of one coalition and row; u (n_raw, d) */
static double
present(const struct asci_team *t, const uint64_t *set, const double *u)
{
    double sum = 0.0;
    size_t p;

    for (p = 0; p < t->n_players; p++)
        if (asci_in(set, p))
            sum += u[t->player[p]];
    return sum;
}

/* sum_b 1 / (1 + e_b u), in eight sums in turn */
static double
sum_logistic(const double *restrict e, size_t m, double u)
{
    double part[8] = { 0.0 };
    size_t i, k;

    for (i = 0; i + 8 <= m; i += 8)
        for (k = 0; k < 8; k++)
            part[k] += 1.0 / (1.0 + e[i + k] * u);
    for (k = 0; i < m; i++, k++)
        part[k] += 1.0 / (1.0 + e[i] * u);
    return ((part[0] + part[4]) + (part[2] + part[6])) +
           ((part[1] + part[5]) + (part[3] + part[7]));
}

/* The mean of the logistic function of A + s over the background. */
static double
mean_logistic(const double *absent, int product, size_t m, double s)
{
    double sum = 0.0;
    size_t i;

    if (product && fabs(s) <= SAFE)
        return sum_logistic(absent, m, exp(-s)) / (double)m;
    for (i = 0; i < m; i++)
        sum += 1.0 / (1.0 + exp(-s - (product ? -log(absent[i])
                                              : absent[i])));
    return sum / (double)m;
}

/* v (q) of one row and coalition behind any link */
static void
mean_outputs(const struct asci_game *g, const struct asci_team *t, size_t row,
             const uint64_t *set, const double *absent, struct work *w,
             double *v)
{
    const size_t m = g->m, n_raw = g->linear->n_raw;
    size_t r, i, c;

    for (r = 0; r < n_raw; r++) {
        const double s = present(t, set, w->u + (row * n_raw + r) * g->d);

        for (i = 0; i < m; i++)
            w->r[i * n_raw + r] = absent[r * m + i] + s;
    }
    asci_outputs(g->model, g->scale, w->r, m, w->y);
    for (c = 0; c < t->q; c++) {
        const size_t k = t->output[row * t->q + c];
        double sum = 0.0;

        for (i = 0; i < m; i++)
            sum += w->y[i * g->n_outputs + k];
        v[c] = sum / (double)m;
    }
}

static void
values_of_set(const struct asci_game *g, const struct asci_team *t,
              size_t row, const uint64_t *set, size_t slot, struct work *w,
              double *v)
{
    const size_t m = g->m, n_raw = g->linear->n_raw;
    const double *absent = w->absent + slot * n_raw * m;
    double p;
    size_t c;

    if (!g->linear->logit) {
        mean_outputs(g, t, row, set, absent, w, v);
        return;
    }
    p = mean_logistic(absent, w->product[slot], m,
                      present(t, set, w->u + row * g->d));
    for (c = 0; c < t->q; c++) {
        const struct asci_output *o =
            &g->model->output[t->output[row * t->q + c]];

        v[c] = o->complement || o->sign < 0.0 ? 1.0 - p : p;
    }
}

int
asci_game_linear_values(const struct asci_game *g, const struct asci_team *t,
                        const struct asci_sets *s, double *v,
                        struct asc_error *e)
{
    const size_t m = g->m, n_raw = g->linear->n_raw;
    struct work w;
    int status = make_work(&w, g, t, e);
    size_t first, n, i, j;

    for (first = 0; first < s->n && status == ASC_OK; first += n) {
        n = s->n - first < SETS ? s->n - first : SETS;
        for (j = 0; j < n; j++) {
            const uint64_t *set = s->bits + (first + j) * s->words;
            double *absent = w.absent + j * n_raw * m;

            w.product[j] = g->linear->logit &&
                           multiply_absent(g, t, set, &w, absent);
            if (!w.product[j])
                add_absent(g, t, set, w.fixed, absent);
        }
        for (i = 0; i < t->n; i++)
            for (j = 0; j < n; j++)
                values_of_set(g, t, i, s->bits + (first + j) * s->words, j,
                              &w, v + (i * s->n + first + j) * t->q);
    }
    free_work(&w);
    return status;
}
