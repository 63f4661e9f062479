/* fit/mlp_pass.c -- loss and gradient of a dense network over a few rows.
 *
 *     a_0 = x,  a_l = s(a_(l-1) W_l + b_l),  loss at the last layer, which has
 *     no activation of its own:
 *     squared    (f - y)^2 / 2
 *     logistic   log(1 + exp(-f)) for y = 1, log(1 + exp(f)) for y = 0
 *     softmax    log sum exp(f) - f_y
 *
 * Back-propagation (Rumelhart, Hinton and Williams 1986): the derivative of
 * each of these losses with respect to f is p - y.  Forward, back and weight
 * gradients are the same product with one factor transposed.  Every sum runs
 * in a fixed order, so the bits depend on the rows and weights alone.
 * About 6 operations a row and weight.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/internal.h"

/* ---- products ---- */

/* c (n) += sum of four a's times rows of b (4, n) */
static void
add_four(const double *restrict a, const double *restrict b, size_t n,
         double *restrict c)
{
    const double a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
    const double *b0 = b, *b1 = b + n, *b2 = b + 2 * n, *b3 = b + 3 * n;
    size_t j;

    for (j = 0; j < n; j++)
        c[j] = c[j] + a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j];
}

static void
add_four_twice(const double *restrict a, const double *restrict d,
               const double *restrict b, size_t n, double *restrict c,
               double *restrict f)
{
    const double a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
    const double d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3];
    const double *b0 = b, *b1 = b + n, *b2 = b + 2 * n, *b3 = b + 3 * n;
    size_t j;

    for (j = 0; j < n; j++) {
        c[j] = c[j] + a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j];
        f[j] = f[j] + d0 * b0[j] + d1 * b1[j] + d2 * b2[j] + d3 * b3[j];
    }
}

static void
add_one(double a, const double *restrict b, size_t n, double *restrict c)
{
    size_t j;

    for (j = 0; j < n; j++)
        c[j] += a * b[j];
}

/* c (m, n) += a (m, k) b (k, n).  An element's sum runs over k in order,
 * whatever m and n are. */
static void
add_product(size_t m, size_t n, size_t k, const double *a, const double *b,
            double *c)
{
    size_t i, t;

    for (i = 0; i + 2 <= m; i += 2) {
        const double *a0 = a + i * k, *a1 = a0 + k;
        double *c0 = c + i * n, *c1 = c0 + n;

        for (t = 0; t + 4 <= k; t += 4)
            add_four_twice(a0 + t, a1 + t, b + t * n, n, c0, c1);
        for (; t < k; t++) {
            add_one(a0[t], b + t * n, n, c0);
            add_one(a1[t], b + t * n, n, c1);
        }
    }
    for (; i < m; i++) {
        for (t = 0; t + 4 <= k; t += 4)
            add_four(a + i * k + t, b + t * n, n, c + i * n);
        for (; t < k; t++)
            add_one(a[i * k + t], b + t * n, n, c + i * n);
    }
}

/* out (n, m) of a (m, n) */
static void
transpose(size_t m, size_t n, const double *a, double *out)
{
    size_t i, j;

    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++)
            out[j * m + i] = a[i * n + j];
}

/* ---- the network ---- */

static size_t
widest(const struct asci_mlp *n)
{
    size_t top = 0, l;

    for (l = 0; l <= n->n_layers; l++)
        if (n->size[l] > top)
            top = n->size[l];
    return top;
}

int
asci_mlp_init(struct asci_mlp *n, const size_t *size, size_t n_layers,
              enum asci_activation activation, enum asci_mlp_loss loss,
              size_t capacity, struct asc_error *e)
{
    size_t l, outputs = 0, turned = 0;

    memset(n, 0, sizeof *n);
    n->n_layers = n_layers;
    n->activation = activation;
    n->loss = loss;
    n->capacity = capacity;
    for (l = 0; l <= n_layers; l++)
        n->size[l] = size[l];
    for (l = 0; l < n_layers; l++) {
        n->n_theta += (size[l] + 1) * size[l + 1];
        outputs += size[l + 1];
        if (size[l] * size[l + 1] > turned)
            turned = size[l] * size[l + 1];
    }
    if (capacity * widest(n) > turned)
        turned = capacity * widest(n);
    n->theta = asci_alloc_zero(n->n_theta, sizeof *n->theta, e);
    n->gradient = asci_alloc_zero(n->n_theta, sizeof *n->gradient, e);
    /* outputs of the layers, two derivatives, one transposed factor */
    n->work = asci_alloc(capacity * (outputs + 2 * widest(n)) + turned,
                         sizeof *n->work, e);
    if (!n->theta || !n->gradient || !n->work) {
        asci_mlp_free(n);
        return ASC_ESYSTEM;
    }
    return ASC_OK;
}

void
asci_mlp_free(struct asci_mlp *n)
{
    free(n->work);
    free(n->gradient);
    free(n->theta);
    n->work = n->gradient = n->theta = NULL;
}

static void
activate(enum asci_activation s, double *v, size_t n)
{
    size_t i;

    if (s == ASCI_RELU)
        for (i = 0; i < n; i++)
            v[i] = v[i] > 0.0 ? v[i] : 0.0;
    else if (s == ASCI_TANH)
        for (i = 0; i < n; i++)
            v[i] = tanh(v[i]);
    else
        for (i = 0; i < n; i++)
            v[i] = 1.0 / (1.0 + exp(-v[i]));
}

/* d *= s'(.) in terms of a = s(.) */
static void
times_slope(enum asci_activation s, const double *a, double *d, size_t n)
{
    size_t i;

    if (s == ASCI_RELU)
        for (i = 0; i < n; i++)
            d[i] = a[i] > 0.0 ? d[i] : 0.0;
    else if (s == ASCI_TANH)
        for (i = 0; i < n; i++)
            d[i] *= 1.0 - a[i] * a[i];
    else
        for (i = 0; i < n; i++)
            d[i] *= a[i] * (1.0 - a[i]);
}

/* The loss of one row with outputs f (k); d (k) its derivative. */
static double
loss_of(enum asci_mlp_loss loss, const double *f, size_t k, double y,
        double *d)
{
    double top = f[0], sum = 0.0, t;
    size_t r;

    switch (loss) {
    case ASCI_MLP_SQUARED:
        d[0] = f[0] - y;
        return 0.5 * d[0] * d[0];
    case ASCI_MLP_LOGISTIC:
        t = exp(-fabs(f[0]));
        d[0] = (f[0] >= 0.0 ? 1.0 / (1.0 + t) : t / (1.0 + t)) - y;
        return log1p(t) + (y > 0.5 ? (f[0] < 0.0 ? -f[0] : 0.0)
                                   : (f[0] > 0.0 ? f[0] : 0.0));
    case ASCI_MLP_SOFTMAX:
        break;
    }
    for (r = 1; r < k; r++)
        if (f[r] > top)
            top = f[r];
    for (r = 0; r < k; r++) {
        d[r] = exp(f[r] - top);
        sum += d[r];
    }
    for (r = 0; r < k; r++)
        d[r] /= sum;
    d[(size_t)y] -= 1.0;
    return log(sum) + top - f[(size_t)y];
}

double
asci_mlp_pass(struct asci_mlp *n, const double *x, const double *y,
              const double *weight, size_t m, int gradient)
{
    const size_t L = n->n_layers, k = n->size[L];
    const double *input[ASCI_MLP_LAYERS_MAX];   /* of each layer */
    size_t at[ASCI_MLP_LAYERS_MAX];             /* of its weights in theta */
    double *out = n->work, *d, *d_below, *turned, total = 0.0;
    size_t i, j, l, offset = 0;

    for (l = 0; l < L; l++) {
        const size_t n_in = n->size[l], n_out = n->size[l + 1];
        const double *w = n->theta + offset, *b = w + n_in * n_out;

        at[l] = offset;
        input[l] = l ? out - n->capacity * n_in : x;
        for (i = 0; i < m; i++)
            memcpy(out + i * n_out, b, n_out * sizeof *out);
        add_product(m, n_out, n_in, input[l], w, out);
        if (l + 1 < L)
            activate(n->activation, out, m * n_out);
        out += n->capacity * n_out;
        offset += (n_in + 1) * n_out;
    }
    d = out;
    d_below = d + n->capacity * widest(n);
    turned = d_below + n->capacity * widest(n);
    out -= n->capacity * k;
    for (i = 0; i < m; i++) {
        total += weight[i] * loss_of(n->loss, out + i * k, k, y[i],
                                     d + i * k);
        for (j = 0; j < k; j++)
            d[i * k + j] *= weight[i];
    }
    if (!gradient)
        return total;
    memset(n->gradient, 0, n->n_theta * sizeof *n->gradient);
    for (l = L; l-- > 0;) {
        const size_t n_in = n->size[l], n_out = n->size[l + 1];
        double *gw = n->gradient + at[l], *gb = gw + n_in * n_out, *swap;

        transpose(m, n_in, input[l], turned);
        add_product(n_in, n_out, m, turned, d, gw);
        for (i = 0; i < m; i++)
            for (j = 0; j < n_out; j++)
                gb[j] += d[i * n_out + j];
        if (l == 0)
            break;
        transpose(n_in, n_out, n->theta + at[l], turned);
        memset(d_below, 0, m * n_in * sizeof *d_below);
        add_product(m, n_in, n_out, d, turned, d_below);
        times_slope(n->activation, input[l], d_below, m * n_in);
        swap = d;
        d = d_below;
        d_below = swap;
    }
    return total;
}
