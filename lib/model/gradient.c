/* model/gradient.c -- gradients with respect to the encoded columns.
 *
 * Reverse mode: with s_L = dy / dr,
 *
 *     s_l-1 = (s_l * activation_l'(z_l)) W_l,  g = s_0
 *
 * for a block of rows at once, through the same products as evaluation, so
 * that a row's gradient does not depend on its place.  Cost: one evaluation
 * and as many multiplications again.  The slope of ReLU at 0 is 0, and
 * so is that of a clamped output at its bounds and of a rounded one.
 */
#include <math.h>
#include <stdlib.h>

#include "model/core.h"

/* g (n, n_columns) = s (n, n_raw) W, in the order of the raw outputs */
static void
linear_back(const struct asci_linear *f, const double *s, size_t n, double *g)
{
    const size_t c = f->n_columns, q = f->n_raw;
    size_t i, j, k;

    for (i = 0; i < n; i++) {
        for (j = 0; j < c; j++)
            g[i * c + j] = s[i * q] * f->w[j];
        for (k = 1; k < q; k++)
            for (j = 0; j < c; j++)
                g[i * c + j] += s[i * q + k] * f->w[k * c + j];
    }
}

/* Neurons of all layers. */
static size_t
n_neurons(const struct asci_network *f)
{
    size_t l, w = 0;

    for (l = 0; l < f->n_layers; l++)
        w += f->layer[l].n_out;
    return w;
}

/* Doubles that a block of so many rows needs. */
static size_t
room_size(const asc_model *m, size_t rows)
{
    size_t size = 2 * rows * m->n_raw + m->n_outputs;

    if (m->form == ASC_FORM_NETWORK)
        size += rows * n_neurons(&m->u.network) +
                asci_network_scratch(&m->u.network, rows);
    return size;
}

static void
gradient_block(const asc_model *m, enum asc_scale scale,
               const double *columns, size_t n, const size_t *output,
               double *y, double *g, double *room)
{
    const size_t q = m->n_raw, c = m->encoder.n;
    double *r = room, *s = r + n * q, *all = s + n * q;
    double *slope = all + m->n_outputs, *work = slope;
    size_t i, j;

    if (m->form == ASC_FORM_LINEAR) {
        asci_linear_raw(&m->u.linear, columns, n, r);
    } else {
        work = slope + n * n_neurons(&m->u.network);
        asci_network_raw(&m->u.network, columns, n, r, slope, work);
    }
    for (i = 0; i < n; i++) {
        asci_outputs(m, scale, r + i * q, 1, all);
        y[i] = all[output[i]];
        asci_output_slopes(m, scale, r + i * q, output[i], s + i * q);
    }
    if (m->form == ASC_FORM_LINEAR)
        linear_back(&m->u.linear, s, n, g);
    else
        asci_network_back(&m->u.network, s, n, slope, g, work);
    for (i = 0; i < n; i++)
        if (isnan(y[i]))
            for (j = 0; j < c; j++)
                g[i * c + j] = NAN;
}

int
asci_form_gradient(const asc_model *m, enum asc_scale scale,
                   const double *columns, size_t n, const size_t *output,
                   double *y, double *g, struct asc_error *e)
{
    const size_t c = m->encoder.n;
    const size_t rows = n < ASCI_BLOCK ? n : ASCI_BLOCK;
    double *room;
    size_t i, now;

    if (m->form != ASC_FORM_LINEAR && m->form != ASC_FORM_NETWORK)
        return asc_fail(e, ASC_EUSAGE, "%s: the model has no gradient "
                        "(linear models and networks have one)", m->name);
    room = asci_alloc(room_size(m, rows), sizeof *room, e);
    if (!room)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i += now) {
        now = n - i < rows ? n - i : rows;
        gradient_block(m, scale, columns + i * c, now, output + i, y + i,
                       g + i * c, room);
    }
    free(room);
    return ASC_OK;
}
