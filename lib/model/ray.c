/* model/ray.c -- mean gradients along a straight line of columns, exactly,
 * where raw outputs are piecewise linear.
 *
 *     g = int_0^1 grad y(from + t (to - from)) dt
 *
 * of networks whose hidden layers are ReLU or identity, and of linear models.
 * On its way the line crosses finitely many hyperplanes, at each of which one
 * neuron goes on or off (Hanin and Rolnick 2019, arXiv:1901.09021); between
 * them the slopes of all layers,
 *
 *     dz_l/dt = W_l (on_l-1 . dz_l-1/dt)           forwards
 *     dy/da_l = W_l+1' (on_l+1 . dy/da_l+1)        backwards
 *
 * are constant.  Crossings of layer l are where z_l, linear between those of
 * the layers below, changes its sign: no search, no tolerance.  A neuron of
 * layer l that turns changes the slopes next to its layer by one column of the
 * weights, those further on by a product; so with two hidden layers a crossing
 * costs as much as the layers have neurons, not weights.  Products are done
 * for a block of rows at once.
 *
 * What comes behind the last layer's sums is in top.c: the slopes are those of
 * the sums on each piece, times its length.
 *
 * Cost: an evaluation and a gradient; for each crossing of a layer one pass
 * over the neurons next to it, and a product with the weights of each layer
 * that is not next to it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/core.h"

enum { ROOM = 1 << 21 };        /* doubles of a block's products, about */

/* Where a piece of the line begins: a neuron of a layer turns, counted from 1;
 * 0 is the start. */
struct piece {
    double t;
    size_t layer, neuron;
    double jump;                /* its part of the slopes next to its layer */
};

struct pieces { struct piece *v; size_t n, room; };
struct matrix { double *v; size_t n, width, room; };    /* (n, width), room
                                                           in doubles */

struct asci_rays {
    const asc_model *m;
    enum asc_scale scale;
    int linear;                 /* the output is, in the last sums */
    size_t hidden;              /* layers that are not the last */
    size_t widest, neurons;     /* of hidden layers; of columns, too */
    struct asci_weights **w;    /* (hidden + 1) without biases */
    size_t scratch;
};

/* What one run needs: a block of rows on their way. */
struct walk {
    const struct asci_rays *r;
    size_t n, rows;             /* rows of this block, room for them */
    double *start;              /* (neurons + n_raw) sums of all layers where
                                   the line begins */
    char *on;                   /* (rows, neurons) there */
    struct pieces *pieces;      /* (rows) */
    struct pieces spare;
    struct piece *turned;       /* (widest) */
    struct matrix in, out;      /* of the next product */
    struct matrix ends;         /* last sums where pieces begin, and at 1 */
    struct matrix weight;       /* of pieces, cumulated, at the same places */
    size_t *first_end;          /* (rows) where those of a row begin */
    double *slope, *z, *next, *sign, *begun, *sum;      /* (widest) */
    double *mean, *room;        /* (n_raw), asci_top_room */
    double *scratch;            /* of products */
};

static const struct asci_layer *
layer_of(const struct asci_rays *r, size_t l)
{
    return &r->m->u.network.layer[l];
}

int
asci_form_has_rays(const asc_model *m)
{
    const struct asci_network *f = &m->u.network;
    enum asci_activation last;
    size_t l;

    if (m->form == ASC_FORM_LINEAR)
        return 1;
    if (m->form != ASC_FORM_NETWORK)
        return 0;
    for (l = 0; l + 1 < f->n_layers; l++)
        if (f->layer[l].activation != ASCI_RELU &&
            f->layer[l].activation != ASCI_IDENTITY)
            return 0;
    last = f->layer[l].activation;
    return (last != ASCI_RELU && last != ASCI_THRESHOLD) ||
           !asci_outputs_joint(m);
}

/* ---- what all runs share ---- */

void
asci_rays_free(struct asci_rays *r)
{
    size_t l;

    if (!r)
        return;
    for (l = 0; r->w && l <= r->hidden; l++)
        asci_weights_free(r->w[l]);
    free(r->w);
    free(r);
}

static int
pack_layer(struct asci_rays *r, size_t l, struct asc_error *e)
{
    const struct asci_linear *f = &r->m->u.linear;
    const int network = r->m->form == ASC_FORM_NETWORK;
    const size_t n_out = network ? layer_of(r, l)->n_out : f->n_raw;
    const size_t n_in = network ? layer_of(r, l)->n_in : f->n_columns;
    size_t scratch;

    r->w[l] = asci_weights_new(network ? layer_of(r, l)->w : f->w, NULL,
                               n_out, n_in, e);
    if (!r->w[l])
        return ASC_ESYSTEM;
    scratch = asci_product_scratch(r->w[l]);
    if (scratch > r->scratch)
        r->scratch = scratch;
    if (n_in > r->widest)
        r->widest = n_in;
    if (n_out > r->widest)
        r->widest = n_out;
    if (l < r->hidden)
        r->neurons += n_out;
    return ASC_OK;
}

struct asci_rays *
asci_rays_new(const asc_model *m, enum asc_scale scale, struct asc_error *e)
{
    struct asci_rays *r = asci_alloc_zero(1, sizeof *r, e);
    size_t l;

    if (!r)
        return NULL;
    r->m = m;
    r->scale = scale;
    r->linear = asci_top_is_linear(m, scale);
    if (m->form == ASC_FORM_NETWORK)
        r->hidden = m->u.network.n_layers - 1;
    r->w = asci_alloc_zero(r->hidden + 1, sizeof *r->w, e);
    for (l = 0; l <= r->hidden; l++)
        if (!r->w || pack_layer(r, l, e)) {
            asci_rays_free(r);
            return NULL;
        }
    return r;
}

/* ---- memory of a run ---- */

static int
push_piece(struct pieces *p, struct piece v, struct asc_error *e)
{
    if (p->n == p->room) {
        const size_t room = p->room ? 2 * p->room : 64;
        struct piece *all = asci_resize(p->v, room, sizeof *all, e);

        if (!all)
            return ASC_ESYSTEM;
        p->v = all;
        p->room = room;
    }
    p->v[p->n++] = v;
    return ASC_OK;
}

/* One more row, NULL without memory. */
static double *
push_row(struct matrix *a, struct asc_error *e)
{
    if ((a->n + 1) * a->width > a->room) {
        const size_t room = 2 * (a->n + 32) * a->width;
        double *v = asci_resize(a->v, room, sizeof *v, e);

        if (!v)
            return NULL;
        a->v = v;
        a->room = room;
    }
    return a->v + a->n++ * a->width;
}

/* The pushed rows by the weights of layer l, or back. */
static int
multiply(struct walk *w, size_t l, int back, struct asc_error *e)
{
    const struct asci_weights *weights = w->r->w[l];
    size_t i;

    w->out.n = 0;
    w->out.width = back ? asci_weights_inputs(weights)
                        : asci_weights_outputs(weights);
    for (i = 0; i < w->in.n; i++)
        if (!push_row(&w->out, e))
            return ASC_ESYSTEM;
    if (back)
        asci_product_back(weights, w->in.v, w->in.n, w->out.v, w->scratch);
    else
        asci_product(weights, w->in.v, w->in.n, w->out.v, w->scratch);
    w->in.n = 0;
    return ASC_OK;
}

static void
free_walk(struct walk *w)
{
    size_t i;

    for (i = 0; w->pieces && i < w->rows; i++)
        free(w->pieces[i].v);
    free(w->pieces);
    free(w->spare.v);
    free(w->turned);
    free(w->in.v);
    free(w->out.v);
    free(w->ends.v);
    free(w->weight.v);
    free(w->first_end);
    free(w->on);
    free(w->start);
    free(w->slope);
    free(w->mean);
    free(w->scratch);
}

static int
make_walk(struct walk *w, const struct asci_rays *r, size_t n,
          struct asc_error *e)
{
    const size_t wide = r->widest;
    size_t rows = ASCI_PANEL;

    memset(w, 0, sizeof *w);
    w->r = r;
    /* Products of every crossing, of which a row may have as many as neurons
     * and more. */
    if ((r->hidden > 2 || !r->linear) && rows > ROOM / (wide * wide))
        rows = ROOM / (wide * wide) + 1;
    w->rows = rows < n ? rows : n;
    w->pieces = asci_alloc_zero(w->rows, sizeof *w->pieces, e);
    w->turned = asci_alloc(wide, sizeof *w->turned, e);
    w->first_end = asci_alloc(w->rows, sizeof *w->first_end, e);
    w->on = asci_alloc(w->rows, r->neurons, e);
    w->start = asci_alloc(r->neurons + r->m->n_raw, sizeof *w->start, e);
    w->slope = asci_alloc(6 * wide, sizeof *w->slope, e);
    w->mean = asci_alloc(r->m->n_raw + asci_top_room(r->m), sizeof *w->mean,
                         e);
    w->scratch = asci_alloc(r->scratch, sizeof *w->scratch, e);
    if (!w->pieces || !w->turned || !w->first_end || !w->on || !w->start ||
        !w->slope || !w->mean || !w->scratch) {
        free_walk(w);
        return ASC_ESYSTEM;
    }
    w->z = w->slope + wide;
    w->next = w->z + wide;
    w->sign = w->next + wide;
    w->begun = w->sign + wide;
    w->sum = w->begun + wide;
    w->room = w->mean + r->m->n_raw;
    w->weight.width = 1;
    w->ends.width = r->m->n_raw;
    return ASC_OK;
}

/* ---- forwards: where neurons turn ---- */

/* Where the neurons of layer l are among those of all. */
static size_t
first_neuron(const struct asci_rays *r, size_t l)
{
    size_t i, first = 0;

    for (i = 0; i < l; i++)
        first += layer_of(r, i)->n_out;
    return first;
}

/* The sums of all layers at `from`. */
static int
start(struct walk *w, const double *from, struct asc_error *e)
{
    const struct asci_rays *r = w->r;
    double *z = w->start, *a;
    size_t l;

    if (r->m->form == ASC_FORM_LINEAR) {
        asci_linear_raw(&r->m->u.linear, from, 1, z);
        return ASC_OK;
    }
    a = asci_alloc(r->widest, sizeof *a, e);
    if (!a)
        return ASC_ESYSTEM;
    memcpy(a, from, r->m->encoder.n * sizeof *a);
    for (l = 0; l <= r->hidden; l++) {
        const struct asci_layer *layer = layer_of(r, l);

        asci_product(layer->packed, a, 1, z, w->scratch);
        memcpy(a, z, layer->n_out * sizeof *a);
        if (l < r->hidden)
            asci_activate(layer, a, layer->n_out, NULL);
        z += layer->n_out;
    }
    free(a);
    return ASC_OK;
}

static int
earlier(const void *a, const void *b)
{
    const struct piece *p = a, *q = b;

    if (p->t != q->t)
        return p->t < q->t ? -1 : 1;
    return (p->neuron > q->neuron) - (p->neuron < q->neuron);
}

static void
add_multiple(double *to, double factor, const double *v, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] += factor * v[i];
}

/* The slopes of the sums of layer l on piece s: a product, or one neuron of
 * the layer below more or less. */
static void
slopes_on(struct walk *w, size_t l, const struct piece *p, size_t s,
          const double **product)
{
    const struct asci_weights *weights = w->r->w[l];
    const size_t n = asci_weights_outputs(weights);

    if (s > 0 && p->layer == l) {
        add_multiple(w->slope, p->jump,
                     asci_weights_turned(weights) + p->neuron * n, n);
        return;
    }
    memcpy(w->slope, *product, n * sizeof *w->slope);
    *product += n;
}

/* Which neurons of layer l are on: at a sum of 0 those that rise. */
static void
start_layer(struct walk *w, size_t l, size_t i)
{
    const struct asci_layer *layer = layer_of(w->r, l);
    const size_t first = first_neuron(w->r, l);
    char *on = w->on + i * w->r->neurons + first;
    size_t k;

    memcpy(w->z, w->start + first, layer->n_out * sizeof *w->z);
    for (k = 0; k < layer->n_out; k++) {
        on[k] = layer->activation == ASCI_IDENTITY || w->z[k] > 0.0 ||
                (w->z[k] == 0.0 && w->slope[k] > 0.0);
        w->sign[k] = on[k] ? 1.0 : -1.0;
    }
}

/* The sums at the end of a piece a..b of layer l, and the neurons that turn
 * on it, in their order; returns how many. */
static size_t
cross(struct walk *w, size_t l, double a, double b)
{
    const struct asci_layer *layer = layer_of(w->r, l);
    size_t k, n = 0;

    for (k = 0; k < layer->n_out; k++)
        w->next[k] = w->z[k] + w->slope[k] * (b - a);
    if (layer->activation == ASCI_IDENTITY)
        return 0;
    for (k = 0; k < layer->n_out; k++) {
        double t;

        if (!(w->sign[k] * w->next[k] < 0.0))
            continue;
        t = a + (b - a) * (w->z[k] / (w->z[k] - w->next[k]));
        t = t >= a ? t < b ? t : b : a;
        w->turned[n++] = (struct piece){
            t, l + 1, k, w->sign[k] < 0.0 ? w->slope[k] : -w->slope[k]
        };
        w->sign[k] = -w->sign[k];
    }
    if (n > 1)
        qsort(w->turned, n, sizeof *w->turned, earlier);
    return n;
}

/* Cuts the pieces of row i where neurons of layer l turn, and asks for the
 * product that the next layer needs at those that there were. */
static int
forward_row(struct walk *w, size_t l, size_t i, int ask,
            const double **product, struct asc_error *e)
{
    const size_t n = layer_of(w->r, l)->n_out;
    struct pieces *p = &w->pieces[i], swap;
    double *x, *turn;
    size_t s, k, n_turned;

    w->spare.n = 0;
    for (s = 0; s < p->n; s++) {
        const double end = s + 1 < p->n ? p->v[s + 1].t : 1.0;

        slopes_on(w, l, &p->v[s], s, product);
        if (s == 0)
            start_layer(w, l, i);
        if (push_piece(&w->spare, p->v[s], e))
            return ASC_ESYSTEM;
        if (ask) {
            if (!(x = push_row(&w->in, e)))
                return ASC_ESYSTEM;
            for (k = 0; k < n; k++)
                x[k] = w->sign[k] > 0.0 ? w->slope[k] : 0.0;
        }
        n_turned = cross(w, l, p->v[s].t, end);
        for (k = 0; k < n_turned; k++)
            if (push_piece(&w->spare, w->turned[k], e))
                return ASC_ESYSTEM;
        turn = w->z;
        w->z = w->next;
        w->next = turn;
    }
    swap = *p;
    *p = w->spare;
    w->spare = swap;
    return ASC_OK;
}

/* The last sums of row i where its pieces begin, and at 1. */
static int
forward_top(struct walk *w, size_t i, const double **product,
            struct asc_error *e)
{
    const struct asci_rays *r = w->r;
    const size_t n = r->m->n_raw;
    const struct pieces *p = &w->pieces[i];
    double *z;
    size_t s;

    w->first_end[i] = w->ends.n;
    memcpy(w->z, w->start + r->neurons, n * sizeof *w->z);
    for (s = 0; s < p->n; s++) {
        const double end = s + 1 < p->n ? p->v[s + 1].t : 1.0;

        slopes_on(w, r->hidden, &p->v[s], s, product);
        if (!(z = push_row(&w->ends, e)))
            return ASC_ESYSTEM;
        memcpy(z, w->z, n * sizeof *z);
        add_multiple(w->z, end - p->v[s].t, w->slope, n);
    }
    if (!(z = push_row(&w->ends, e)))
        return ASC_ESYSTEM;
    memcpy(z, w->z, n * sizeof *z);
    return ASC_OK;
}

static int
forward(struct walk *w, const double *from, const double *to,
        struct asc_error *e)
{
    const struct asci_rays *r = w->r;
    const size_t c = r->m->encoder.n;
    const double *product;
    double *x;
    size_t l, i, j;
    int status = ASC_OK, ask;

    w->in.n = w->ends.n = 0;
    w->in.width = c;
    for (i = 0; i < w->n; i++) {
        if (!(x = push_row(&w->in, e)))
            return ASC_ESYSTEM;
        for (j = 0; j < c; j++)
            x[j] = to[i * c + j] - from[j];
        w->pieces[i].n = 0;
        status = push_piece(&w->pieces[i], (struct piece){ 0.0, 0, 0, 0.0 },
                            e);
        if (status != ASC_OK)
            return status;
    }
    for (l = 0; l < r->hidden + !r->linear; l++) {
        status = multiply(w, l, 0, e);
        if (l < r->hidden)
            w->in.width = layer_of(r, l)->n_out;
        ask = l + 1 < r->hidden + !r->linear;
        for (i = 0, product = w->out.v; i < w->n && status == ASC_OK; i++)
            status = l < r->hidden ? forward_row(w, l, i, ask, &product, e)
                                   : forward_top(w, i, &product, e);
        if (status != ASC_OK)
            return status;
    }
    return ASC_OK;
}

/* ---- backwards: slopes of an output ---- */

/* What row i asks of the last layer's weights: slopes in the last sums.  One
 * piece, or all with the same up to a factor that goes into their weights;
 * else, with `each', every piece has its own. */
static int
top_row(struct walk *w, size_t i, size_t k, int each, struct asc_error *e)
{
    const struct asci_rays *r = w->r;
    const size_t n = r->m->n_raw;
    const struct pieces *p = &w->pieces[i];
    const double *z;
    size_t s, raw[2];
    double *x = NULL, *weight, cumulated = 0.0;

    if (r->linear) {
        if (!(x = push_row(&w->in, e)))
            return ASC_ESYSTEM;
        asci_output_slopes(r->m, r->scale, w->start + r->neurons, k, x);
        return ASC_OK;
    }
    z = w->ends.v + w->first_end[i] * n;
    asci_output_parts(r->m, r->scale, k, raw);
    for (s = 0; s < p->n; s++) {
        const double end = s + 1 < p->n ? p->v[s + 1].t : 1.0;

        asci_top_slopes(r->m, r->scale, k, z + s * n, z + (s + 1) * n,
                        w->mean, w->room);
        if (each || s == 0) {
            if (!(x = push_row(&w->in, e)))
                return ASC_ESYSTEM;
            memcpy(x, w->mean, n * sizeof *x);
        }
        if (each)
            continue;
        memset(x, 0, n * sizeof *x);
        x[raw[0]] = 1.0;
        if (!(weight = push_row(&w->weight, e)))
            return ASC_ESYSTEM;
        *weight = cumulated;
        cumulated += (end - p->v[s].t) * w->mean[raw[0]];
    }
    if (!each) {
        if (!(weight = push_row(&w->weight, e)))
            return ASC_ESYSTEM;
        *weight = cumulated;
    }
    return ASC_OK;
}

/* sum += what the neurons that are on have gathered up to a cumulated
 * weight. */
static void
gather(struct walk *w, size_t n, double until)
{
    size_t k;

    for (k = 0; k < n; k++) {
        w->sum[k] += w->sign[k] * w->slope[k] * (until - w->begun[k]);
        w->begun[k] = until;
    }
}

/* Neuron k of layer l turns where `at` is cumulated. */
static void
turn(struct walk *w, size_t l, struct piece *p, double at)
{
    const size_t k = p->neuron;
    const int on = w->sign[k] == 0.0;

    p->jump = on ? w->slope[k] : -w->slope[k];
    if (l == 0 && !on)
        w->sum[k] += w->slope[k] * (at - w->begun[k]);
    w->begun[k] = at;
    w->sign[k] = on;
}

/* Slopes in the neurons of layer l along the pieces of row i.  sign is 1 for
 * neurons that are on, else 0. */
static int
backward_row(struct walk *w, size_t l, size_t i, int each, int weighted,
             const double **product, struct asc_error *e)
{
    const struct asci_rays *r = w->r;
    const size_t n = layer_of(r, l)->n_out;
    const char *on = w->on + i * r->neurons + first_neuron(r, l);
    const double *weight = weighted ? w->weight.v + w->first_end[i] : NULL;
    struct pieces *p = &w->pieces[i];
    double *x, at = 0.0;
    size_t s, k;

    for (k = 0; k < n; k++) {
        w->sign[k] = on[k];
        w->begun[k] = w->sum[k] = 0.0;
    }
    for (s = 0; s < p->n; s++) {
        struct piece *q = &p->v[s];
        const int anew = s == 0 || each || q->layer > l + 2;

        at = weighted ? weight[s] : q->t;
        if (l == 0 && s > 0 && (anew || q->layer == l + 2))
            gather(w, n, at);
        if (anew) {
            memcpy(w->slope, *product, n * sizeof *w->slope);
            *product += n;
        } else if (q->layer == l + 2) {
            add_multiple(w->slope, q->jump,
                         layer_of(r, l + 1)->w + q->neuron * n, n);
        }
        if (q->layer == l + 1)
            turn(w, l, q, at);
        if (l > 0 && (s == 0 || each || q->layer > l + 1)) {
            if (!(x = push_row(&w->in, e)))
                return ASC_ESYSTEM;
            for (k = 0; k < n; k++)
                x[k] = w->sign[k] * w->slope[k];
        }
    }
    if (l > 0)
        return ASC_OK;
    gather(w, n, weighted ? weight[s] : 1.0);
    if (!(x = push_row(&w->in, e)))
        return ASC_ESYSTEM;
    memcpy(x, w->sum, n * sizeof *x);
    return ASC_OK;
}

/* g (n) rows `stride` doubles apart, of outputs output[i * q]. */
static int
backward(struct walk *w, const size_t *output, size_t q, double *g,
         size_t stride, struct asc_error *e)
{
    const struct asci_rays *r = w->r;
    const size_t c = r->m->encoder.n;
    const double *product;
    size_t l, i, raw[2];
    int status = ASC_OK, each;

    /* The same for all outputs of a model. */
    each = r->hidden == 0 || (!r->linear && asci_output_parts(
        r->m, r->scale, output[0], raw) != 1);
    w->in.n = w->weight.n = 0;
    w->in.width = r->m->n_raw;
    for (i = 0; i < w->n && status == ASC_OK; i++)
        status = top_row(w, i, output[i * q], each, e);
    for (l = r->hidden; l-- > 0 && status == ASC_OK;) {
        status = multiply(w, l + 1, 1, e);
        w->in.width = layer_of(r, l)->n_out;
        for (i = 0, product = w->out.v; i < w->n && status == ASC_OK; i++)
            status = backward_row(w, l, i, each && !r->linear,
                                  !each && !r->linear, &product, e);
    }
    if (status == ASC_OK)
        status = multiply(w, 0, 1, e);
    for (i = 0; i < w->n && status == ASC_OK; i++)
        memcpy(g + i * stride, w->out.v + i * c, c * sizeof *g);
    return status;
}

int
asci_rays_run(const struct asci_rays *r, const double *from, const double *to,
              size_t n, const size_t *output, size_t q, double *g,
              struct asc_error *e)
{
    const size_t c = r->m->encoder.n;
    struct walk w;
    size_t i, k;
    int status = make_walk(&w, r, n, e);

    if (status != ASC_OK)
        return status;
    status = start(&w, from, e);
    for (i = 0; i < n && status == ASC_OK; i += w.n) {
        w.n = n - i < w.rows ? n - i : w.rows;
        status = forward(&w, from, to + i * c, e);
        for (k = 0; k < q && status == ASC_OK; k++)
            status = backward(&w, output + i * q + k, q, g + (i * q + k) * c,
                              q * c, e);
    }
    free_walk(&w);
    return status;
}
