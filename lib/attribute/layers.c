/* attribute/layers.c -- networks as layers, and linear models as one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/layers.h"

void
asci_layers_free(struct asci_layers *t)
{
    if (t->own)
        asci_weights_free(t->own->packed);
    free(t->own);
    memset(t, 0, sizeof *t);
}

/* The weights stay those of the model. */
static int
make_own(struct asci_layers *t, struct asc_error *e)
{
    const struct asci_linear *f = &t->model->u.linear;

    t->own = asci_alloc_zero(1, sizeof *t->own, e);
    if (!t->own)
        return ASC_ESYSTEM;
    *t->own = (struct asci_layer){
        .n_in = f->n_columns, .n_out = f->n_raw, .w = f->w, .b = f->b,
        .activation = ASCI_IDENTITY,
        .packed = asci_weights_new(f->w, f->b, f->n_raw, f->n_columns, e)
    };
    return t->own->packed ? ASC_OK : ASC_ESYSTEM;
}

int
asci_layers_init(struct asci_layers *t, const asc_model *m,
                 struct asc_error *e)
{
    size_t l, scratch;

    memset(t, 0, sizeof *t);
    t->model = m;
    t->n = 1;
    t->widest = m->encoder.n;
    if (m->form == ASC_FORM_LINEAR) {
        if (make_own(t, e)) {
            asci_layers_free(t);
            return ASC_ESYSTEM;
        }
        t->layer = t->own;
    } else {
        t->n = m->u.network.n_layers;
        t->layer = m->u.network.layer;
    }
    for (l = 0; l < t->n; l++) {
        t->neurons += t->layer[l].n_out;
        if (t->layer[l].n_out > t->widest)
            t->widest = t->layer[l].n_out;
        scratch = asci_product_scratch(t->layer[l].packed);
        if (scratch > t->scratch)
            t->scratch = scratch;
    }
    return ASC_OK;
}

void
asci_layers_run(const struct asci_layers *t, const double *columns, size_t n,
                double *z, double *a, double *scratch)
{
    size_t l;

    for (l = 0; l < t->n; l++) {
        const struct asci_layer *layer = &t->layer[l];
        const size_t size = n * layer->n_out;

        asci_product(layer->packed, columns, n, z, scratch);
        memcpy(a, z, size * sizeof *a);
        asci_activate(layer, a, size, NULL);
        columns = a;
        z += size;
        a += size;
    }
}

/* Below which a quotient of differences has lost too many digits, and slopes
 * in three places have none to lose; 0 where slopes jump.  z is of where. */
static double
nearness(const struct asci_layer *layer, double z)
{
    switch (layer->activation) {
    case ASCI_IDENTITY:
    case ASCI_RELU:
    case ASCI_THRESHOLD:
        return 0.0;
    case ASCI_ELLIOTT:          /* its slope has a kink at 0 */
        return 1e-6;
    case ASCI_RECIPROCAL:
        return fmin(1e-3, 1e-3 * fabs(z));
    default:
        return 1e-3;
    }
}

/* Simpson's rule. */
static double
near_slope(const struct asci_layer *layer, double z0, double z1)
{
    double z[3] = { z0, 0.5 * (z0 + z1), z1 }, slope[3];

    asci_activate(layer, z, 3, slope);
    return z0 == z1 ? slope[0]
                    : (slope[0] + 4.0 * slope[1] + slope[2]) / 6.0;
}

void
asci_mean_slopes(const struct asci_layer *layer, const double *z0,
                 const double *a0, const double *z1, const double *a1,
                 size_t n, double *slope)
{
    const double near = 1e-3;   /* nearness is never more */
    int64_t any = 0;
    size_t i;

    if (layer->activation == ASCI_IDENTITY) {
        for (i = 0; i < n; i++)
            slope[i] = 1.0;
        return;
    }
    for (i = 0; i < n; i++) {
        const double change = z1[i] - z0[i];

        slope[i] = (a1[i] - a0[i]) / change;
        any |= fabs(change) <= near;
    }
    if (!any)
        return;
    if (layer->activation == ASCI_RELU) {
        for (i = 0; i < n; i++)
            slope[i] = z1[i] == z0[i] ? (z0[i] > 0.0 ? 1.0 : 0.0) : slope[i];
        return;
    }
    for (i = 0; i < n; i++)
        if (fabs(z1[i] - z0[i]) <= nearness(layer, z0[i]))
            slope[i] = near_slope(layer, z0[i], z1[i]);
}

struct asci_weights *
asci_split_weights(const struct asci_layer *layer, struct asc_error *e)
{
    const size_t n_in = layer->n_in, n_out = layer->n_out;
    double *w = asci_alloc(2 * n_in, n_out * sizeof *w, e);
    struct asci_weights *packed;
    size_t i, k;

    if (!w)
        return NULL;
    for (k = 0; k < n_out; k++)
        for (i = 0; i < n_in; i++) {
            w[2 * k * n_in + i] = fmax(layer->w[k * n_in + i], 0.0);
            w[(2 * k + 1) * n_in + i] = fmin(layer->w[k * n_in + i], 0.0);
        }
    packed = asci_weights_new(w, NULL, n_out, 2 * n_in, e);
    free(w);
    return packed;
}

int
asci_before_link(const asc_model *m, enum asc_scale scale,
                 struct asc_error *e)
{
    if (scale == ASC_RAW || !asc_model_has_link(m))
        return ASC_OK;
    return asc_fail(e, ASC_EUSAGE, "explains what comes before the model's "
                    "link, the raw scale");
}
