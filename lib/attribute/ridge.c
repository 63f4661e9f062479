/* attribute/ridge.c -- weighted ridge regression with a free intercept.
 *
 * With weighted means m_z, m_y and W = sum w:
 *
 *     A = sum w z z' - W m_z m_z' + penalty I
 *     coef = A^-1 (sum w y z - W m_y m_z),  intercept = m_y - coef m_z
 *
 * as scikit-learn's Ridge(alpha=penalty, fit_intercept=True) with
 * sample_weight (Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634).
 *
 * Cost: d (d + 1) / 2 multiplications a sample, or a (a + 1) / 2 additions
 * where z has a ones and zeros otherwise; d^3 / 3 to solve, for each
 * response.
 */
#include <stdlib.h>
#include <string.h>

#include "attribute/ridge.h"

int
asci_ridge_init(struct asci_ridge *r, size_t d, size_t q, struct asc_error *e)
{
    memset(r, 0, sizeof *r);
    r->d = d;
    r->q = q;
    r->sum = asci_alloc_zero(d, sizeof *r->sum, e);
    r->gram = asci_alloc_zero(d, d * sizeof *r->gram, e);
    r->moment = asci_alloc_zero(q, d * sizeof *r->moment, e);
    r->response = asci_alloc_zero(q, sizeof *r->response, e);
    r->a = asci_alloc(d, d * sizeof *r->a, e);
    r->factor = asci_alloc(d, d * sizeof *r->factor, e);
    if (!r->sum || !r->gram || !r->moment || !r->response || !r->a ||
        !r->factor) {
        asci_ridge_free(r);
        return ASC_ESYSTEM;
    }
    return ASC_OK;
}

void
asci_ridge_free(struct asci_ridge *r)
{
    free(r->factor);
    free(r->a);
    free(r->response);
    free(r->moment);
    free(r->gram);
    free(r->sum);
    memset(r, 0, sizeof *r);
}

void
asci_ridge_clear(struct asci_ridge *r)
{
    const size_t d = r->d;

    r->weight = 0.0;
    memset(r->sum, 0, d * sizeof *r->sum);
    memset(r->gram, 0, d * d * sizeof *r->gram);
    memset(r->moment, 0, r->q * d * sizeof *r->moment);
    memset(r->response, 0, r->q * sizeof *r->response);
}

void
asci_ridge_add(struct asci_ridge *r, double w, const double *z,
               const double *y)
{
    const size_t d = r->d;
    size_t j, k;

    r->weight += w;
    for (j = 0; j < d; j++) {
        const double t = w * z[j];
        double *row = r->gram + j * d;

        r->sum[j] += t;
        for (k = 0; k <= j; k++)
            row[k] += t * z[k];
    }
    for (k = 0; k < r->q; k++) {
        const double t = w * y[k];
        double *row = r->moment + k * d;

        r->response[k] += t;
        for (j = 0; j < d; j++)
            row[j] += t * z[j];
    }
}

void
asci_ridge_add_ones(struct asci_ridge *r, double w, const size_t *place,
                    size_t n, const double *y)
{
    const size_t d = r->d;
    size_t j, k;

    r->weight += w;
    for (j = 0; j < n; j++) {
        double *row = r->gram + place[j] * d;

        r->sum[place[j]] += w;
        for (k = 0; k <= j; k++)
            row[place[k]] += w;
    }
    for (k = 0; k < r->q; k++) {
        const double t = w * y[k];
        double *row = r->moment + k * d;

        r->response[k] += t;
        for (j = 0; j < n; j++)
            row[place[j]] += t;
    }
}

/* A, lower triangle; a regressor whose variation is rounding noise leaves an
 * equation of its own, coef_j = 0, behind. */
static void
centred(struct asci_ridge *r, double penalty, double *coef)
{
    const size_t d = r->d;
    size_t j, k;

    for (j = 0; j < d; j++)
        for (k = 0; k <= j; k++)
            r->a[j * d + k] = r->gram[j * d + k] -
                              r->sum[j] * (r->sum[k] / r->weight);
    for (j = 0; j < d; j++) {
        if (r->a[j * d + j] > 1e-12 * r->gram[j * d + j]) {
            r->a[j * d + j] += penalty;
            continue;
        }
        for (k = 0; k < j; k++)
            r->a[j * d + k] = 0.0;
        for (k = j + 1; k < d; k++)
            r->a[k * d + j] = 0.0;
        r->a[j * d + j] = 1.0;
        for (k = 0; k < r->q; k++)
            coef[k * d + j] = 0.0;
    }
}

int
asci_ridge_solve(struct asci_ridge *r, double penalty, double *coef,
                 double *intercept, double *inverse, struct asc_error *e)
{
    const size_t d = r->d;
    int status = ASC_OK;
    size_t j, k;

    for (k = 0; k < r->q; k++)
        for (j = 0; j < d; j++)
            coef[k * d + j] = r->moment[k * d + j] -
                              r->sum[j] * (r->response[k] / r->weight);
    centred(r, penalty, coef);
    if (inverse) {
        memcpy(r->factor, r->a, d * d * sizeof *r->a);
        for (j = 0; j < d; j++)
            for (k = 0; k < d; k++)
                inverse[j * d + k] = j == k;
        status = asci_solve_spd(r->factor, d, inverse, d, e);
    }
    /* One by one, so that a response's bits do not depend on the others. */
    for (k = 0; k < r->q && status == ASC_OK; k++) {
        memcpy(r->factor, r->a, d * d * sizeof *r->a);
        status = asci_solve_spd(r->factor, d, coef + k * d, 1, e);
    }
    for (k = 0; k < r->q && status == ASC_OK; k++) {
        intercept[k] = r->response[k] / r->weight;
        for (j = 0; j < d; j++)
            intercept[k] -= coef[k * d + j] * (r->sum[j] / r->weight);
    }
    return status;
}
