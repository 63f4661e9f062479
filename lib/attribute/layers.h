/* attribute/layers.h -- a network, or a linear model as one of one layer: what
 * methods share that change the way back through it. */
#ifndef ASCRIBE_ATTRIBUTE_LAYERS_H
#define ASCRIBE_ATTRIBUTE_LAYERS_H

#include "model/form.h"

struct asci_layers {
    const asc_model *model;
    size_t n;
    const struct asci_layer *layer;     /* (n) */
    struct asci_layer *own;     /* that of a linear model, or NULL */
    size_t widest;              /* of columns and layers */
    size_t neurons;             /* of all layers */
    size_t scratch;             /* of products */
};
int asci_layers_init(struct asci_layers *t, const asc_model *m,
                     struct asc_error *e);
void asci_layers_free(struct asci_layers *t);

/* Sums z and activations a of all layers, (n, n_out) of one after the other,
 * of columns (n, n_columns); scratch of t->scratch doubles. */
void asci_layers_run(const struct asci_layers *t, const double *columns,
                     size_t n, double *z, double *a, double *scratch);

/* slope (n): mean slopes of a layer's activation from z0 to z1, whose values
 * are a0 and a1: (a1 - a0) / (z1 - z0), and the slope where they are one. */
void asci_mean_slopes(const struct asci_layer *layer, const double *z0,
                      const double *a0, const double *z1, const double *a1,
                      size_t n, double *slope);

/* The weights of a layer in two: (n_out, 2 n_in), those above 0 beside those
 * below, of which each is 0 where the other is not.  Packed, without bias. */
struct asci_weights *asci_split_weights(const struct asci_layer *layer,
                                        struct asc_error *e);

/* ASC_OK unless the scale has a link behind what layers give. */
int asci_before_link(const asc_model *m, enum asc_scale scale,
                     struct asc_error *e);

#endif
