/* attribute/integral.h -- integrals of gradients along paths of columns: what
 * integrated-gradients and expected-gradients share. */
#ifndef ASCRIBE_ATTRIBUTE_INTEGRAL_H
#define ASCRIBE_ATTRIBUTE_INTEGRAL_H

#include "attribute/path.h"

struct asci_integral {
    const asc_model *model;
    enum asc_scale scale;
    struct asci_path path;
    struct asci_rays *rays;     /* exact, where the model has them, or NULL */
    int fixed;                  /* one quadrature, whatever it misses */
    size_t steps, n_part;       /* nodes of the whole path, of a part */
    double *node, *weight;      /* (steps) */
    double *part_node, *part_weight;    /* (n_part) */
};

/* Fails as asci_path_init does.  fixed: quadrature with `steps` nodes and no
 * more; else as many as it takes, and none where the model has rays. */
int asci_integral_init(struct asci_integral *t, const asc_model *m,
                       enum asc_scale scale, size_t steps, int fixed,
                       struct asc_error *e);
void asci_integral_free(struct asci_integral *t);

/* phi (n, q, d) += factor times the attributions of rows x (n, d) against the
 * row b (d), whose columns are cb (encoder n) and whose outputs are base
 * (n_outputs); value (n, q).  Where value or base is NaN so is phi. */
int asci_integral_run(const struct asci_integral *t, const double *b,
                      const double *cb, const double *base, const double *x,
                      size_t n, const size_t *output, size_t q,
                      const double *value, double factor, double *phi,
                      struct asc_error *e);

#endif
