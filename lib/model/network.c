/* model/network.c -- the network form: dense layers, one after the other.
 *
 *     a_0 = columns,  z_l = W_l a_l-1 + b_l,  a_l = activation_l(z_l)
 *
 * The products go through asci_product, which keeps a row's bits apart from
 * its place; activations are elementwise.  Cost: the number of weights in
 * multiplications a row, and as many again for the way back.
 */
#include <string.h>

#include "model/core.h"

/* The widest row that enters or leaves a layer. */
static size_t
widest(const struct asci_network *f)
{
    size_t l, w = f->n_columns;

    for (l = 0; l < f->n_layers; l++)
        if (f->layer[l].n_out > w)
            w = f->layer[l].n_out;
    return w;
}

static size_t
product_scratch(const struct asci_network *f)
{
    size_t l, w = 0;

    for (l = 0; l < f->n_layers; l++) {
        size_t t = asci_product_scratch(f->layer[l].packed);

        if (t > w)
            w = t;
    }
    return w;
}

size_t
asci_network_scratch(const struct asci_network *f, size_t rows)
{
    return 2 * rows * widest(f) + product_scratch(f);
}

/* Layers from the one at `first` on, which a (n, n_in) goes into. */
static void
run_layers(const struct asci_network *f, size_t first, const double *a,
           size_t n, double *r, double *slope, double *scratch)
{
    const size_t size = n * widest(f);
    double *const turn[2] = { scratch, scratch + size };
    double *const work = scratch + 2 * size;
    size_t l;

    for (l = first; l < f->n_layers; l++) {
        const struct asci_layer *layer = &f->layer[l];
        double *z = l + 1 == f->n_layers ? r : turn[l % 2];

        asci_product(layer->packed, a, n, z, work);
        asci_activate(layer, z, n * layer->n_out, slope);
        if (slope)
            slope += n * layer->n_out;
        a = z;
    }
}

void
asci_network_raw(const struct asci_network *f, const double *columns,
                 size_t n, double *r, double *slope, double *scratch)
{
    run_layers(f, 0, columns, n, r, slope, scratch);
}

void
asci_network_rest(const struct asci_network *f, double *z, size_t n,
                  double *r, double *scratch)
{
    asci_activate(&f->layer[0], z, n * f->layer[0].n_out, NULL);
    if (f->n_layers > 1)
        run_layers(f, 1, z, n, r, NULL, scratch);
    else
        memcpy(r, z, n * f->layer[0].n_out * sizeof *r);
}

void
asci_network_back(const struct asci_network *f, double *s, size_t n,
                  const double *slope, double *g, double *scratch)
{
    const size_t most = n * widest(f);
    double *const turn[2] = { scratch, scratch + most };
    double *const work = scratch + 2 * most;
    size_t i, l;

    for (l = 0; l < f->n_layers; l++)
        slope += n * f->layer[l].n_out;
    for (l = f->n_layers; l-- > 0;) {
        const struct asci_layer *layer = &f->layer[l];
        const size_t size = n * layer->n_out;
        double *next = l == 0 ? g : turn[l % 2];

        slope -= size;
        /* Where nothing comes from above nothing flows back, be the slope
         * infinite. */
        for (i = 0; i < size; i++)
            s[i] = s[i] == 0.0 ? 0.0 : s[i] * slope[i];
        asci_product_back(layer->packed, s, n, next, work);
        s = next;
    }
}
