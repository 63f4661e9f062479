/* fit/logistic.c -- logistic regression, of two classes or more.
 *
 *     minimise  - sum_i w_i log p(y_i | z_i) + ridge / 2 * |beta|^2
 *
 * Two classes: log odds of the second = b + z beta.  More: softmax of one
 * linear score a class, symmetric in the classes; the part of the scores that
 * all classes share does not show in p and is kept at zero.  z as in
 * linear.c; intercepts are not penalised.
 *
 * Newton's method (iteratively reweighted least squares; Hastie, Tibshirani
 * and Friedman 2009, sec. 4.4.1) from the classes' shares, each step halved
 * until the objective falls, until a step moves no coefficient by more than
 * 1e-10 of the largest, or for the second time promises to lower the objective
 * by less than 1e-15 of itself (where fields say nearly the same, coefficients
 * are no better determined than that); each such step squares the error.
 *
 * With ridge 0, maximum likelihood, as R's glm has it.  Where the fields tell
 * classes apart so that no finite coefficients are the most likely, a ridge of
 * `fallback` takes its place, and whoever listens is told: 1 by default, which
 * is scikit-learn's C = 1 on standardised fields.
 *
 * Each of about ten iterations costs n (k d)^2 / 2 + (k p)^3 / 3 for k scores,
 * d fields, p columns.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/internal.h"

enum { RIDGE, FALLBACK };
static const struct asc_param params[] = {
    [RIDGE] = { "ridge", ASC_PARAM_REAL, 0, 0, 1e12, NULL,
                "penalty on squared slopes of standardised fields, in rows" },
    [FALLBACK] = { "fallback", ASC_PARAM_REAL, 1, 0, 1e12, NULL,
                   "ridge in place of 0 where no finite coefficients are the "
                   "most likely; 0: that is an error" },
    ASC_PARAMS_END
};

/* One problem: unknowns are theta[r q + a], score r = 0..k-1, a = 0..q-1 the
 * columns of the design that count (use[a]; the intercept is a = 0). */
struct problem {
    const struct asci_design *d;
    size_t k, q, n;             /* n = k q */
    size_t *use;                /* (q) */
    size_t *place;              /* (d->p) where a column is in use, or q */
    double ridge;
    size_t *column;             /* work space of one row */
    double *value;
    double *p_yes, *p_no;       /* (k) p and 1 - p */
    double *score;              /* (k) */
};

/* The entries of row i that count, as positions 0..q-1. */
static size_t
entries(const struct problem *o, size_t i)
{
    const size_t all = asci_design_row(o->d, i, o->column, o->value);
    size_t a, kept = 0;

    for (a = 0; a < all; a++) {
        const size_t at = o->place[o->column[a]];

        if (at == o->q)
            continue;
        o->column[kept] = at;
        o->value[kept++] = o->value[a];
    }
    return kept;
}

/* -log p(y) of a row whose entries are at hand, p and 1 - p, each with
 * its own digits: of classes that are told apart well, what matters is
 * how far p is from 0 or 1. */
static double
row_loss(const struct problem *o, const double *theta, size_t n_entries,
         double y)
{
    double rest = 0.0;
    size_t r, a, top = 0;

    for (r = 0; r < o->k; r++) {
        const double *t = theta + r * o->q;
        double s = 0.0;

        for (a = 0; a < n_entries; a++)
            s += t[o->column[a]] * o->value[a];
        o->score[r] = s;
        if (s > o->score[top])
            top = r;
    }
    if (o->k == 1) {
        const double s = o->score[0], t = exp(-fabs(s));

        o->p_yes[0] = (s >= 0.0 ? 1.0 : t) / (1.0 + t);
        o->p_no[0] = (s >= 0.0 ? t : 1.0) / (1.0 + t);
        return log1p(t) + (y > 0.5 ? (s < 0.0 ? -s : 0.0)
                                   : (s > 0.0 ? s : 0.0));
    }
    for (r = 0; r < o->k; r++) {
        o->p_yes[r] = exp(o->score[r] - o->score[top]);
        if (r != top)
            rest += o->p_yes[r];
    }
    for (r = 0; r < o->k; r++) {
        o->p_yes[r] /= 1.0 + rest;
        o->p_no[r] = r == top ? rest / (1.0 + rest) : 1.0 - o->p_yes[r];
    }
    return log1p(rest) + (o->score[top] - o->score[(size_t)y]);
}

static int
penalised(const struct problem *o, size_t i)
{
    return i % o->q != 0;
}

static double
penalty(const struct problem *o, const double *theta)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < o->n; i++)
        if (penalised(o, i))
            sum += theta[i] * theta[i];
    return 0.5 * o->ridge * sum;
}

static double
objective(const struct problem *o, const double *theta)
{
    double sum = penalty(o, theta);
    size_t i;

    for (i = 0; i < o->d->n; i++) {
        const size_t at = o->d->order[i];
        const size_t m = entries(o, at);

        sum += asci_fit_weight(o->d->t, at) *
               row_loss(o, theta, m, o->d->t->y[at]);
    }
    return sum;
}

/* Adds weight * s * (row' row) to the lower triangle of block (r, c). */
static void
add_block(const struct problem *o, double *h, size_t r, size_t c, size_t m,
          double s)
{
    size_t a, b;

    for (a = 0; a < m; a++) {
        double *row = h + (r * o->q + o->column[a]) * o->n + c * o->q;
        const double sv = s * o->value[a];

        for (b = 0; b <= a; b++)
            row[o->column[b]] += sv * o->value[b];
    }
}

/* Off-diagonal blocks are symmetric: fill their upper halves. */
static void
mirror_blocks(const struct problem *o, double *h)
{
    size_t r, c, a, b;

    for (r = 1; r < o->k; r++)
        for (c = 0; c < r; c++) {
            double *block = h + r * o->q * o->n + c * o->q;

            for (a = 0; a < o->q; a++)
                for (b = a + 1; b < o->q; b++)
                    block[a * o->n + b] = block[b * o->n + a];
        }
}

/* The directions that shift all scores alike change no probability: nothing
 * or next to nothing, the ridge, holds them.  The Hessian is made regular
 * along them; the solution, whose scores add up to nothing, is not moved. */
static void
hold_shared(const struct problem *o, double *h)
{
    size_t a, r, c;

    if (o->k == 1)
        return;
    for (a = 0; a < o->q; a++) {
        double sum = 0.0;

        for (r = 0; r < o->k; r++)
            sum += h[(r * o->q + a) * (o->n + 1)];
        for (r = 0; r < o->k; r++)
            for (c = 0; c <= r; c++)
                h[(r * o->q + a) * o->n + c * o->q + a] +=
                    sum / (double)o->k;
    }
}

/* Objective, gradient g (n) and Hessian h (n, n), lower triangle. */
static double
derivatives(const struct problem *o, const double *theta, double *g,
            double *h)
{
    double sum = penalty(o, theta);
    size_t i, r, c, a;

    memset(h, 0, o->n * o->n * sizeof *h);
    for (i = 0; i < o->n; i++)
        g[i] = penalised(o, i) ? o->ridge * theta[i] : 0.0;
    for (i = 0; i < o->d->n; i++) {
        const size_t at = o->d->order[i];
        const size_t m = entries(o, at);
        const double w = asci_fit_weight(o->d->t, at), y = o->d->t->y[at];

        sum += w * row_loss(o, theta, m, y);
        for (r = 0; r < o->k; r++) {
            const double p = o->p_yes[r];
            const int hit = o->k == 1 ? y > 0.5 : (size_t)y == r;
            const double off = w * (hit ? -o->p_no[r] : p);
            double *gr = g + r * o->q;

            for (a = 0; a < m; a++)
                gr[o->column[a]] += off * o->value[a];
            add_block(o, h, r, r, m, w * p * o->p_no[r]);
            for (c = 0; c < r; c++)
                add_block(o, h, r, c, m, -w * p * o->p_yes[c]);
        }
    }
    mirror_blocks(o, h);
    for (i = 0; i < o->n; i++)
        if (penalised(o, i))
            h[i * (o->n + 1)] += o->ridge;
    hold_shared(o, h);
    return sum;
}

static double
largest(const double *v, size_t n)
{
    double top = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        if (!(fabs(v[i]) <= top))
            top = fabs(v[i]);
    return top;
}

/* Intercepts that give each class its share. */
static int
start(const struct problem *o, double *theta, struct asc_error *e)
{
    const size_t k = o->k == 1 ? 2 : o->k;
    double *share = asci_alloc_zero(k, sizeof *share, e), mean = 0.0;
    size_t i, r;

    if (!share)
        return ASC_ESYSTEM;
    memset(theta, 0, o->n * sizeof *theta);
    for (i = 0; i < o->d->n; i++)
        share[(size_t)o->d->t->y[o->d->order[i]]] +=
            asci_fit_weight(o->d->t, o->d->order[i]);
    /* a class of weight 0 has no finite intercept; begin somewhere */
    for (r = 0; r < k; r++) {
        share[r] = log(share[r] > 0.0 ? share[r] : 1e-6);
        mean += share[r] / (double)k;
    }
    if (o->k == 1)
        theta[0] = share[1] - share[0];
    else
        for (r = 0; r < k; r++)
            theta[r * o->q] = share[r] - mean;
    free(share);
    return ASC_OK;
}

static int
separated(struct asc_error *e)
{
    return asc_fail(e, ASC_ENUMERIC, "logistic: the fields tell classes apart "
                    "so well that no finite coefficients are the most likely: "
                    "ask for a ridge, e.g. logistic:ridge=1");
}

/* Without a ridge: what the objective can still gain is below rounding, and
 * yet the coefficients go on growing. */
static int
runs_away(const struct problem *o, double move, double size)
{
    return !(o->ridge > 0.0) && move > 1e-3 * (1.0 + size);
}

static int
newton(const struct problem *o, double *theta, struct asc_error *e)
{
    enum { ITERATIONS = 200, HALVINGS = 40 };
    double *g = asci_alloc(o->n, sizeof *g, e);
    double *next = asci_alloc(o->n, sizeof *next, e);
    double *h = asci_alloc(o->n * o->n, sizeof *h, e);
    int status = ASC_ESYSTEM, round, halvings, still = 0;
    double f_start = 0.0;
    size_t i;

    if (!g || !next || !h || start(o, theta, e))
        goto out;
    for (round = 0; round < ITERATIONS; round++) {
        const double f = derivatives(o, theta, g, h);
        double step = 1.0, slope = 0.0, move, f_next;

        for (i = 0; i < o->n; i++)
            next[i] = g[i];
        if (asci_solve_spd(h, o->n, next, 1, NULL)) {
            status = separated(e);
            goto out;
        }
        for (i = 0; i < o->n; i++) {
            slope -= g[i] * next[i];
            g[i] = -next[i];
        }
        if (round == 0)
            f_start = f;
        if (!isfinite(slope) ||
            (!(o->ridge > 0.0) && f < 1e-10 * f_start)) {
            status = separated(e);
            goto out;
        }
        still += -slope <= 1e-15 * f;
        move = largest(g, o->n);
        if (move <= 1e-10 * (1.0 + largest(theta, o->n)) || still == 2) {
            status = runs_away(o, move, largest(theta, o->n)) ? separated(e)
                                                              : ASC_OK;
            for (i = 0; i < o->n; i++)
                theta[i] += g[i];
            goto out;
        }
        for (halvings = 0; halvings < HALVINGS; halvings++, step *= 0.5) {
            for (i = 0; i < o->n; i++)
                next[i] = theta[i] + step * g[i];
            f_next = objective(o, next);
            /* the sum's own rounding must not stop the last steps */
            if (f_next <= f + 1e-4 * step * slope + 1e-12 * fabs(f))
                break;
        }
        for (i = 0; i < o->n; i++)
            theta[i] = next[i];
    }
    status = o->ridge > 0.0
             ? asc_fail(e, ASC_ENUMERIC, "logistic: no convergence after %d "
                        "steps: ask for a larger ridge, e.g. "
                        "logistic:ridge=1", ITERATIONS)
             : separated(e);
out:
    free(h);
    free(next);
    free(g);
    return status;
}

/* Which columns count: all with a ridge, else those that do not depend
 * linearly on the ones before them. */
static int
choose_columns(struct problem *o, struct asc_error *e)
{
    const size_t p = o->d->p;
    unsigned char *alias = asci_alloc_zero(p, 1, e);
    double *gram = NULL;
    int status = ASC_ESYSTEM;
    size_t a;

    if (!alias)
        return ASC_ESYSTEM;
    if (!(o->ridge > 0.0)) {
        gram = asci_alloc(p * p, sizeof *gram, e);
        if (!gram || asci_design_gram(o->d, gram, e))
            goto out;
        asci_design_factor(gram, p, alias);
    }
    o->q = 0;
    for (a = 0; a < p; a++)
        if (!alias[a])
            o->use[o->q++] = a;
    for (a = 0; a < p; a++)
        o->place[a] = o->q;
    for (a = 0; a < o->q; a++)
        o->place[o->use[a]] = a;
    o->n = o->k * o->q;
    status = ASC_OK;
out:
    free(gram);
    free(alias);
    return status;
}

int
asci_logistic_solve(const struct asci_design *d, size_t n_raw, double ridge,
                    double *beta, struct asc_error *e)
{
    const size_t width = d->t->schema.n + 1;
    struct problem o = { .d = d, .k = n_raw, .ridge = ridge };
    double *theta = NULL;
    int status = ASC_ESYSTEM;
    size_t r, a;

    if (d->p > ASCI_FIT_COLUMNS_MAX / n_raw)
        return asc_fail(e, ASC_EUSAGE, "logistic: %zu coefficients, at most "
                        "%d: leave out fields with very many categories, or "
                        "use gbm", d->p * n_raw, ASCI_FIT_COLUMNS_MAX);
    o.use = asci_alloc(d->p, sizeof *o.use, e);
    o.place = asci_alloc(d->p, sizeof *o.place, e);
    o.column = asci_alloc(width, sizeof *o.column, e);
    o.value = asci_alloc(width, sizeof *o.value, e);
    o.p_yes = asci_alloc(n_raw, sizeof *o.p_yes, e);
    o.p_no = asci_alloc(n_raw, sizeof *o.p_no, e);
    o.score = asci_alloc(n_raw, sizeof *o.score, e);
    theta = asci_alloc(n_raw * d->p, sizeof *theta, e);
    if (!o.use || !o.place || !o.column || !o.value || !o.p_yes || !o.p_no ||
        !o.score || !theta || choose_columns(&o, e))
        goto out;
    status = newton(&o, theta, e);
    if (status)
        goto out;
    memset(beta, 0, n_raw * d->p * sizeof *beta);
    for (r = 0; r < n_raw; r++)
        for (a = 0; a < o.q; a++)
            beta[r * d->p + o.use[a]] = theta[r * o.q + a];
out:
    free(theta);
    free(o.score);
    free(o.p_no);
    free(o.p_yes);
    free(o.value);
    free(o.column);
    free(o.place);
    free(o.use);
    return status;
}

/* beta (n_raw, p) by the ridge asked for, or the one that takes its place,
 * which the model's description then has. */
static int
solve(const struct asci_design *d, const struct asc_spec *s,
      const struct asc_fitting *how, asc_model *m, double *beta,
      struct asc_error *e)
{
    struct asc_spec used = *s;
    struct asc_error why = { ASC_OK, "" };
    struct asc_buffer text = { 0 };
    int status = asci_logistic_solve(d, m->n_raw, s->value[RIDGE], beta, &why);

    if (status != ASC_ENUMERIC || s->value[RIDGE] > 0.0 ||
        !(s->value[FALLBACK] > 0.0)) {
        if (status && e)
            *e = why;
        return status;
    }
    used.value[RIDGE] = s->value[FALLBACK];
    status = asci_logistic_solve(d, m->n_raw, used.value[RIDGE], beta, e);
    if (status)
        return status;
    asci_fit_say(how, 0, "logistic: the fields tell classes apart so well "
                 "that no finite coefficients are the most likely: they are "
                 "held by ridge=%g", used.value[RIDGE]);
    asc_spec_text(&used, &text);
    free(m->description);
    m->description = text.failed ? NULL : asci_copy_text(text.p, text.n, e);
    asc_buffer_free(&text);
    return m->description ? ASC_OK : asc_fail(e, ASC_ESYSTEM, "out of memory");
}

static asc_model *
fit(const struct asc_training *t, const struct asc_spec *s,
    const struct asc_fitting *how, struct asc_error *e)
{
    struct asci_design d = { 0 };
    double *beta = NULL;
    asc_model *m = NULL;
    int status = ASC_ESYSTEM;

    if (asci_fit_check(t, s, ASCI_WANTS_CLASS, e))
        return NULL;
    m = asci_fit_model(t, s, 1, e);
    if (!m || asci_design_init(&d, t, m, e))
        goto out;
    beta = asci_alloc(m->n_raw * d.p, sizeof *beta, e);
    if (!beta || solve(&d, s, how, m, beta, e) ||
        asci_design_model(&d, beta, m, e))
        goto out;
    status = asci_model_finish(m, e);
out:
    free(beta);
    asci_design_matrix_free(&d);
    if (status) {
        asc_model_free(m);
        m = NULL;
    }
    return m;
}

const struct asc_trainer asci_trainer_logistic = {
    .entry = {
        .name = "logistic",
        .title = "logistic regression, two classes or more, with ridge",
        .source = "Hastie, Tibshirani and Friedman 2009, sec. 4.4, "
                  "doi:10.1007/978-0-387-84858-7",
        .params = params
    },
    .fit = fit
};
