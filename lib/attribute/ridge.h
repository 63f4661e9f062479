/* attribute/ridge.h -- weighted ridge regression with a free intercept, from
 * sums over samples. */
#ifndef ASCRIBE_ATTRIBUTE_RIDGE_H
#define ASCRIBE_ATTRIBUTE_RIDGE_H

#include <stddef.h>

#include "base/internal.h"

struct asci_ridge {
    size_t d, q;                /* regressors, responses */
    double weight;              /* sum of w */
    double *sum;                /* (d) sum of w z */
    double *gram;               /* (d, d) sum of w z z', lower triangle */
    double *moment;             /* (q, d) sum of w y z */
    double *response;           /* (q) sum of w y */
    double *a, *factor;         /* (d, d) scratch of the solution */
};

int asci_ridge_init(struct asci_ridge *r, size_t d, size_t q,
                    struct asc_error *e);
void asci_ridge_free(struct asci_ridge *r);
void asci_ridge_clear(struct asci_ridge *r);

/* One sample: weight w, regressors z (d), responses y (q). */
void asci_ridge_add(struct asci_ridge *r, double w, const double *z,
                    const double *y);
/* The same for z that is 1 at the n places listed, rising, and 0 elsewhere. */
void asci_ridge_add_ones(struct asci_ridge *r, double w, const size_t *place,
                         size_t n, const double *y);

/* coef (q, d) and intercept (q) that minimise
 * sum w (y - intercept - coef z)^2 + penalty |coef|^2.  inverse (d, d), may be
 * NULL, gets the inverse of the centred Gram matrix plus penalty.  A regressor
 * that does not vary gets 0.  ASC_ENUMERIC if penalty is 0 and the others
 * depend on each other. */
int asci_ridge_solve(struct asci_ridge *r, double penalty, double *coef,
                     double *intercept, double *inverse, struct asc_error *e);

#endif
