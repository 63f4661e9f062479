/* model/top.c -- mean slopes of an output along a straight piece of what the
 * last layer sums up.
 *
 *     s_k = int_0^1 dy / dz_k (z0 + t (z1 - z0)) dt
 *
 * z are the sums of the last layer of a network, or the raw outputs of a
 * linear model; behind them come an activation, a link and what rescales.
 * Where y is a sum of functions of one z each, as behind every elementwise
 * link, s_k is the difference of its part over z1_k - z0_k, whatever the
 * function does in between, or where that is too small for a difference its
 * slope.  Softmax and simplemax are integrated by Gauss-Legendre quadrature on
 * ever more parts until sum s_k (z1_k - z0_k) = y1 - y0.
 */
#include <math.h>
#include <stdlib.h>

#include "model/core.h"

enum {
    NODES = 10,
    MOST_PARTS = 1024
};

/* Relative to |z|: below it a quotient of differences has too few digits. */
static const double NEAR = 1e-5;
/* Parts of y1 - y0 that quadrature may miss. */
static const double EXACT = 1e-14;

/* Abramowitz and Stegun 1964, table 25.4, n = 10: positive nodes on (-1, 1),
 * and their weights. */
static const double node[NODES / 2] = {
    0.14887433898163122, 0.43339539412924719, 0.67940956829902441,
    0.86506336668898451, 0.97390652851717172
};
static const double weight[NODES / 2] = {
    0.29552422471475287, 0.26926671930999636, 0.21908636251598204,
    0.14945134915058059, 0.06667134430868814
};

size_t
asci_top_room(const asc_model *m)
{
    return 4 * m->n_raw + m->n_outputs;
}

int
asci_top_is_linear(const asc_model *m, enum asc_scale scale)
{
    const struct asci_network *f = &m->u.network;

    return (m->form != ASC_FORM_NETWORK ||
            f->layer[f->n_layers - 1].activation == ASCI_IDENTITY) &&
           (scale == ASC_RAW || !asc_model_has_link(m));
}

/* y of sums z (n_raw), and its slopes s (n_raw), or NULL.  room:
 * asci_top_room. */
static double
output_of(const asc_model *m, enum asc_scale scale, size_t k, const double *z,
          double *s, double *room)
{
    const size_t n = m->n_raw;
    double *r = room, *slope = room + n, *y = room + 2 * n;
    size_t i;

    for (i = 0; i < n; i++)
        r[i] = z[i];
    if (m->form == ASC_FORM_NETWORK)
        asci_activate(&m->u.network.layer[m->u.network.n_layers - 1], r, n,
                      s ? slope : NULL);
    asci_outputs(m, scale, r, 1, y);
    if (!s)
        return y[k];
    asci_output_slopes(m, scale, r, k, s);
    for (i = 0; i < n && m->form == ASC_FORM_NETWORK; i++)
        s[i] = s[i] == 0.0 ? 0.0 : s[i] * slope[i];
    return y[k];
}

/* Mean slope in z[j], the others as they are; z[j] is left as z1. */
static double
part_slope(const asc_model *m, enum asc_scale scale, size_t k, size_t j,
           double z1, double *z, double *s, double *room)
{
    const double z0 = z[j], change = z1 - z0;
    const double y0 = output_of(m, scale, k, z, s, room);
    double s0 = s[j], s1, y1;

    z[j] = z1;
    y1 = output_of(m, scale, k, z, s, room);
    s1 = s[j];
    /* Slopes that differ much may have a kink or a jump between them. */
    if (change == 0.0 ||
        (fabs(change) < NEAR * (fabs(z0) + fabs(z1)) &&
         fabs(s1 - s0) <= 1e-3 * (fabs(s0) + fabs(s1))))
        return 0.5 * (s0 + s1);
    return (y1 - y0) / change;
}

/* s by quadrature on n parts; at and one (n_raw) are scratch. */
static void
quadrature(const asc_model *m, enum asc_scale scale, size_t k, size_t n,
           const double *z0, const double *z1, double *s, double *at,
           double *one, double *room)
{
    size_t p, i, j;
    int side;

    for (j = 0; j < m->n_raw; j++)
        s[j] = 0.0;
    for (p = 0; p < n; p++)
        for (i = 0; i < NODES / 2; i++)
            for (side = -1; side <= 1; side += 2) {
                const double t = ((double)p + 0.5 + 0.5 * side * node[i]) /
                                 (double)n;

                for (j = 0; j < m->n_raw; j++)
                    at[j] = z0[j] + t * (z1[j] - z0[j]);
                output_of(m, scale, k, at, one, room);
                for (j = 0; j < m->n_raw; j++)
                    s[j] += 0.5 * weight[i] / (double)n * one[j];
            }
}

void
asci_top_slopes(const asc_model *m, enum asc_scale scale, size_t k,
                const double *z0, const double *z1, double *s, double *room)
{
    const size_t n = m->n_raw;
    double *at = room, *one = room + n, *work = room + 2 * n;
    double change, y0, y1, sum, size;
    size_t raw[2], n_parts = asci_output_parts(m, scale, k, raw), i, j, p;

    if (n_parts > 0) {
        for (j = 0; j < n; j++) {
            at[j] = z0[j];
            s[j] = 0.0;
        }
        for (i = 0; i < n_parts; i++) {
            change = part_slope(m, scale, k, raw[i], z1[raw[i]], at, one,
                                work);
            s[raw[i]] = change;
        }
        return;
    }
    y0 = output_of(m, scale, k, z0, NULL, work);
    y1 = output_of(m, scale, k, z1, NULL, work);
    for (j = 0, size = 0.0; j < n; j++)
        size = fmax(size, fabs(z1[j] - z0[j]));
    p = size < 2.0 ? 1 : size < MOST_PARTS ? (size_t)(0.5 * size)
                                           : MOST_PARTS;
    for (;; p *= 2) {
        quadrature(m, scale, k, p, z0, z1, s, at, one, work);
        for (j = 0, sum = 0.0, size = fabs(y0) + fabs(y1); j < n; j++) {
            change = s[j] * (z1[j] - z0[j]);
            sum += change;
            size += fabs(change);
        }
        if (!(fabs(sum - (y1 - y0)) > EXACT * size) || p >= MOST_PARTS)
            return;
    }
}
