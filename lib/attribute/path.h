/* attribute/path.h -- from the columns that a form computes on back to the
 * raw fields: what the gradient methods share. */
#ifndef ASCRIBE_ATTRIBUTE_PATH_H
#define ASCRIBE_ATTRIBUTE_PATH_H

#include <stddef.h>

#include <ascribe/method.h>

#include "model/form.h"

/* ASC_OK if the task has a baseline, else an error that asks for it. */
int asci_need_baseline(const struct asc_task *t, struct asc_error *e);

/* With s(x) = sum_c g[c] column_c(x), g (encoder n) held fixed: */

/* out[j] += ds / dx_j at x, for all fields j; nothing where field j is missing
 * or enters by a table or by steps. */
void asci_chain_slope(const struct asci_encoder *en, const double *g,
                      const double *x, double *out);
/* out[j] += s(x) - s(x with the factors of field j at from[j]), for the fields
 * with which[j].  With zero[j] those factors are 0 instead.  which, zero and
 * from (d). */
void asci_chain_change(const struct asci_encoder *en, const double *g,
                       const double *x, const char *which, const char *zero,
                       const double *from, double *out);
/* columns (encoder n) of the reference point that asci_chain_change goes from:
 * field j at from[j], its factors 0 with zero[j]. */
void asci_reference_columns(const struct asci_encoder *en, const char *zero,
                            const double *from, double *columns);

/* A path from the columns of b to those of x, t from 0 to 1.  A column of one
 * field goes straight: (1 - t) column(b) + t column(x).  A column of several
 * fields, a broad one, follows the straight line of its raw fields, but a
 * factor whose field is missing at either end goes straight itself. */
struct asci_path {
    const struct asci_encoder *encoder;
    size_t n_broad, *broad;     /* columns of several fields, rising */
};
/* Fails if a broad column has a categorical field or may jump; the message is a
 * reason, as those of asc_method.serves. */
int asci_path_init(struct asci_path *p, const asc_model *m,
                   struct asc_error *e);
void asci_path_free(struct asci_path *p);
/* columns (n): the point at t.  cx, cb (n): columns of x and of b. */
void asci_path_point(const struct asci_path *p, const double *x,
                     const double *b, const double *cx, const double *cb,
                     double t, double *columns);
/* out[j] += weight * g[c] * (part of d column_c / dt due to field j) at t,
 * over the broad columns c. */
void asci_path_slope(const struct asci_path *p, const double *x,
                     const double *b, double t, double weight,
                     const double *g, double *out);
/* out[j] += g[c] * (all of column c's way that is due to field j), over the
 * broad columns c: what asci_path_slope says, integrated, for a g that stays
 * the same.  Exact for powers that add up to less than 32. */
void asci_path_share(const struct asci_path *p, const double *x,
                     const double *b, const double *g, double *out);
/* out[j] += sum[c] * (cx[c] - cb[c]) over the columns c of field j alone. */
void asci_path_straight(const struct asci_path *p, const double *cx,
                        const double *cb, const double *sum, double *out);

/* Nodes and weights (n) of Gauss-Legendre quadrature on (0, 1), nodes rising,
 * to full precision. */
void asci_gauss_legendre(size_t n, double *node, double *weight);

#endif
