/* fit/linear.c -- linear regression by weighted least squares, with ridge.
 *
 *     minimise  sum_i w_i (y_i - b - z_i' beta)^2 + ridge |beta|^2
 *
 * z: continuous fields in standard deviations from their mean, a category
 * against the first one of its field.  The intercept is not penalised.  ridge
 * counts in the same unit as the rows (Hoerl and Kennard 1970); with 0 this is
 * ordinary least squares, and of columns that depend linearly on each other
 * the first ones count and the others get 0.
 *
 * Normal equations on the standardised columns by Cholesky, then refined with
 * residuals taken from the rows until they no longer improve (Bjorck 1987,
 * corrected seminormal equations): the accuracy of an orthogonal
 * factorisation, at the cost of n d^2 / 2 + p^3 / 6 for d fields and p
 * columns.
 */
#include <math.h>
#include <stdlib.h>

#include "fit/internal.h"

enum { RIDGE };
static const struct asc_param params[] = {
    [RIDGE] = { "ridge", ASC_PARAM_REAL, 0.0, 0.0, 1e12, NULL,
                "penalty on squared slopes of standardised fields, in rows" },
    ASC_PARAMS_END
};

/* g (p) = sum of w (y - x beta) x - ridge beta, what is zero at the solution;
 * y less `centre`.  column, value (schema.n + 1) are work space. */
static void
normal_residual(const struct asci_design *d, double centre, double ridge,
                const double *beta, double *g, size_t *column, double *value)
{
    size_t i, a;

    for (a = 0; a < d->p; a++)
        g[a] = a ? -ridge * beta[a] : 0.0;
    for (i = 0; i < d->n; i++) {
        const size_t at = d->order[i];
        const size_t k = asci_design_row(d, at, column, value);
        double r = d->t->y[at] - centre;

        for (a = 0; a < k; a++)
            r -= beta[column[a]] * value[a];
        r *= asci_fit_weight(d->t, at);
        for (a = 0; a < k; a++)
            g[column[a]] += r * value[a];
    }
}

static double
norm(const double *v, size_t n)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

static double
mean_target(const struct asci_design *d)
{
    struct asc_sum sum, weight;
    size_t i;

    asc_sum_clear(&sum);
    asc_sum_clear(&weight);
    for (i = 0; i < d->n; i++) {
        const double w = asci_fit_weight(d->t, d->order[i]);

        asc_sum_add(&sum, w * d->t->y[d->order[i]]);
        asc_sum_add(&weight, w);
    }
    return asc_sum_value(&sum) / asc_sum_value(&weight);
}

/* beta (p) */
static int
solve(const struct asci_design *d, double ridge, double *beta,
      struct asc_error *e)
{
    enum { REFINEMENTS = 10 };
    const size_t p = d->p, width = d->t->schema.n + 1;
    double *gram = asci_alloc(p * p, sizeof *gram, e);
    double *g = asci_alloc(p, sizeof *g, e);
    unsigned char *alias = asci_alloc(p, 1, e);
    size_t *column = asci_alloc(width, sizeof *column, e);
    double *value = asci_alloc(width, sizeof *value, e);
    const double centre = mean_target(d);
    double last = INFINITY, size;
    int status = ASC_ESYSTEM, round;
    size_t a;

    if (!gram || !g || !alias || !column || !value)
        goto out;
    if (asci_design_gram(d, gram, e))
        goto out;
    for (a = 0; a < p; a++) {
        beta[a] = 0.0;
        if (a)
            gram[a * p + a] += ridge;
    }
    asci_design_factor(gram, p, alias);
    for (round = 0; round < REFINEMENTS; round++) {
        normal_residual(d, centre, ridge, beta, g, column, value);
        asci_design_solve(gram, p, alias, g);
        size = norm(g, p);
        if (round > 0 && !(size < 0.5 * last))
            break;
        for (a = 0; a < p; a++)
            beta[a] += g[a];
        if (size <= 1e-16 * norm(beta, p))
            break;
        last = size;
    }
    beta[0] += centre;
    status = ASC_OK;
out:
    free(value);
    free(column);
    free(alias);
    free(g);
    free(gram);
    return status;
}

static asc_model *
fit(const struct asc_training *t, const struct asc_spec *s,
    const struct asc_fitting *how, struct asc_error *e)
{
    struct asci_design d = { 0 };
    double *beta = NULL;
    asc_model *m = NULL;
    int status = ASC_ESYSTEM;

    (void)how;
    if (asci_fit_check(t, s, ASCI_WANTS_NUMBER, e))
        return NULL;
    m = asci_fit_model(t, s, 1, e);
    if (!m || asci_design_init(&d, t, m, e))
        goto out;
    if (d.p > ASCI_FIT_COLUMNS_MAX) {
        asc_fail(e, ASC_EUSAGE, "linear: %zu coefficients, at most %d: leave "
                 "out fields with very many categories, or use gbm", d.p,
                 ASCI_FIT_COLUMNS_MAX);
        goto out;
    }
    beta = asci_alloc(d.p, sizeof *beta, e);
    if (!beta || solve(&d, s->value[RIDGE], beta, e) ||
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

const struct asc_trainer asci_trainer_linear = {
    .entry = {
        .name = "linear",
        .title = "linear regression by least squares, with ridge",
        .source = "Hoerl and Kennard 1970, "
                  "doi:10.1080/00401706.1970.10488634",
        .params = params
    },
    .fit = fit
};
