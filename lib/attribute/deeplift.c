/* attribute/deeplift.c -- DeepLIFT: differences from a reference, divided
 * among the fields on the way back through a network.
 *
 *     phi_j = sum over columns c of field j of m_c (enc(x) - enc(b))_c
 *
 * m is found like a gradient, layer by layer from the output, but every neuron
 * has a multiplier in place of its slope.  With z its sum, D = z(x) - z(b), f
 * the activation:
 *
 *     rescale          m = (f(z0 + D) - f(z0)) / D
 *     reveal-cancel    D = P + N, what comes in above 0 and below;
 *         m+ = [f(z0 + P) - f(z0) + f(z0 + N + P) - f(z0 + N)] / 2 P
 *         m- = [f(z0 + N) - f(z0) + f(z0 + P + N) - f(z0 + P)] / 2 N
 *     and an input goes by m+ or m- of a neuron as its part of z is above 0
 *     or below; one that does not differ, by their mean.
 *
 * A quotient of nothing is a slope.  Either way every neuron passes on all of
 * its difference, so that sum phi = f(x) - f(b).  With reference=rows that is
 * done for each row of the background, and phi and base are means (DeepSHAP).
 *
 * Explained is what comes before a link.  Before softmax, to which only
 * differences between classes matter, normalise=classes takes the mean
 * attribution over all classes away (section 3.6 of the paper); base is then
 * value less what is left of the difference.
 *
 * A column of several fields is divided among them as a straight path of these
 * does it (path.h).  A category's change of columns counts for its field, and
 * missing is a category.  Where the model has no answer for x or b all phi are
 * NaN.
 *
 * Sources: Shrikumar, Greenside and Kundaje 2017, arXiv:1704.02685, sections
 * 3.5.1 to 3.5.3; means over references: Lundberg and Lee 2017,
 * arXiv:1705.07874, section 4.2.
 *
 * Cost: one evaluation a row, and for each output and reference one way back,
 * together about a gradient; with reveal-cancel four times that.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/internal.h"
#include "attribute/layers.h"
#include "attribute/path.h"

enum { RULE, REFERENCE, NORMALISE };
enum { RESCALE, REVEAL_CANCEL };
enum { BASELINE, EVERY_ROW };
enum { ROWS = 288, ROOM = 1 << 21 };

static const struct asc_param params[] = {
    [RULE] = { "rule", ASC_PARAM_CHOICE, RESCALE, 0, 0,
               "rescale|reveal-cancel", "how a neuron passes differences on" },
    [REFERENCE] = { "reference", ASC_PARAM_CHOICE, BASELINE, 0, 0,
                    "baseline|rows", "the baseline, or the mean over all rows "
                    "of the background" },
    [NORMALISE] = { "normalise", ASC_PARAM_CHOICE, 0, 0, 0, "none|classes",
                    "take the mean over classes away, before a softmax" },
    ASC_PARAMS_END
};

/* What one reference row is like inside. */
struct reference {
    const double *x;            /* (d) */
    double *columns;            /* (n_columns) */
    double *z, *a;              /* (neurons) */
};

struct state {
    struct asci_layers layers;
    struct asci_path path;
    struct asci_weights **split;        /* (layers) reveal-cancel, or NULL */
    int reveal, normalise;
    size_t n;                   /* references */
    struct reference *reference;        /* (n) */
    double *room;               /* what they point to */
    double *base;               /* (n_outputs) */
};

static void
finish(void *state)
{
    struct state *s = state;
    size_t l;

    for (l = 0; s->split && l < s->layers.n; l++)
        asci_weights_free(s->split[l]);
    free(s->split);
    asci_path_free(&s->path);
    asci_layers_free(&s->layers);
    free(s->reference);
    free(s->room);
    free(s->base);
    free(s);
}

/* ---- references ---- */

static int
add_references(struct state *s, const struct asc_task *t, struct asc_error *e)
{
    const asc_model *m = t->model;
    const size_t d = m->schema.n, c = m->encoder.n, k = m->n_outputs;
    const size_t each = c + 2 * s->layers.neurons;
    const int every = t->spec->value[REFERENCE] == EVERY_ROW;
    const double *x = every ? t->background->x : t->background->baseline;
    double *scratch, *y;
    size_t i, j;
    int status = ASC_ESYSTEM;

    s->n = every ? t->background->n : 1;
    s->reference = asci_alloc(s->n, sizeof *s->reference, e);
    s->room = asci_alloc(s->n, each * sizeof *s->room, e);
    s->base = asci_alloc_zero(k, sizeof *s->base, e);
    scratch = asci_alloc(s->layers.scratch, sizeof *scratch, e);
    y = asci_alloc(k, sizeof *y, e);
    if (!s->reference || !s->room || !s->base || !scratch || !y)
        goto out;
    status = ASC_OK;
    for (i = 0; i < s->n && status == ASC_OK; i++) {
        struct reference *r = &s->reference[i];

        r->x = x + i * d;
        r->columns = s->room + i * each;
        r->z = r->columns + c;
        r->a = r->z + s->layers.neurons;
        asci_encode(&m->encoder, d, r->x, 1, r->columns);
        asci_layers_run(&s->layers, r->columns, 1, r->z, r->a, scratch);
        asci_outputs(m, t->scale, r->a + s->layers.neurons - m->n_raw, 1, y);
        for (j = 0; j < k; j++) {
            s->base[j] += y[j] / (double)s->n;
            if (every && isnan(y[j]))
                status = asc_fail(e, ASC_EINPUT, "%s: the model has no answer "
                                  "for row %zu of the background",
                                  t->spec->entry->name, i + 1);
        }
    }
out:
    free(y);
    free(scratch);
    return status;
}

static int
split_layers(struct state *s, struct asc_error *e)
{
    size_t l;

    s->split = asci_alloc_zero(s->layers.n, sizeof *s->split, e);
    for (l = 0; l < s->layers.n; l++)
        if (!s->split || !(s->split[l] =
                           asci_split_weights(&s->layers.layer[l], e)))
            return ASC_ESYSTEM;
    return ASC_OK;
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    int status = asci_need_baseline(t, e);
    struct state *s;

    if (status != ASC_OK)
        return status;
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    s->reveal = t->spec->value[RULE] == REVEAL_CANCEL;
    s->normalise = t->spec->value[NORMALISE] != 0.0 &&
                   t->model->link == ASCI_LINK_SOFTMAX;
    status = asci_layers_init(&s->layers, t->model, e);
    if (status == ASC_OK)
        status = asci_path_init(&s->path, t->model, e);
    if (status == ASC_OK && s->reveal)
        status = split_layers(s, e);
    if (status == ASC_OK)
        status = add_references(s, t, e);
    if (status != ASC_OK)
        finish(s);
    else
        *state = s;
    return status;
}

/* ---- a block of rows ---- */

struct work {
    const struct state *s;
    size_t rows;
    double *columns;            /* (rows, n_columns) */
    double *z, *a;              /* (rows, neurons), layer by layer */
    double *turns;              /* (2, rows, widest) what these take turns in: */
    double *m, *next;           /* multipliers of outputs, of inputs */
    double *slope;              /* (8, widest) */
    double *parts;              /* (2 rows, 2 widest) reveal-cancel */
    double *sums;               /* (4 rows, widest) likewise */
    double *scratch;
    double *y, *one, *mean, *phi;       /* (n_outputs), (n_raw), (n_raw), (d) */
};

static void
free_work(struct work *w)
{
    free(w->columns);
    free(w->z);
    free(w->turns);
    free(w->slope);
    free(w->parts);
    free(w->sums);
    free(w->scratch);
    free(w->y);
}

static int
make_work(struct work *w, const struct state *s, size_t n, struct asc_error *e)
{
    const asc_model *m = s->layers.model;
    const size_t wide = s->layers.widest;
    size_t most = ROOM / (2 * s->layers.neurons + 8 * wide) + 1, scratch, l;

    memset(w, 0, sizeof *w);
    w->s = s;
    w->rows = n < most ? n : most;
    w->rows = w->rows < ROWS ? w->rows : ROWS;
    for (l = 0, scratch = s->layers.scratch; s->split && l < s->layers.n; l++)
        if (asci_product_scratch(s->split[l]) > scratch)
            scratch = asci_product_scratch(s->split[l]);
    w->columns = asci_alloc(w->rows, m->encoder.n * sizeof *w->columns, e);
    w->z = asci_alloc(w->rows, 2 * s->layers.neurons * sizeof *w->z, e);
    w->turns = asci_alloc(w->rows, 2 * wide * sizeof *w->turns, e);
    w->slope = asci_alloc(8 * wide, sizeof *w->slope, e);
    w->scratch = asci_alloc(scratch, sizeof *w->scratch, e);
    w->y = asci_alloc(m->n_outputs + 2 * m->n_raw + m->schema.n, sizeof *w->y,
                      e);
    if (s->reveal) {
        w->parts = asci_alloc(w->rows, 4 * wide * sizeof *w->parts, e);
        w->sums = asci_alloc(w->rows, 4 * wide * sizeof *w->sums, e);
    }
    if (!w->columns || !w->z || !w->turns || !w->slope || !w->scratch || !w->y ||
        (s->reveal && (!w->parts || !w->sums))) {
        free_work(w);
        return ASC_ESYSTEM;
    }
    w->m = w->turns;
    w->next = w->m + w->rows * wide;
    w->one = w->y + m->n_outputs;
    w->mean = w->one + m->n_raw;
    w->phi = w->mean + m->n_raw;
    return ASC_OK;
}

/* m (n, n_out) times what layer l has for slopes; back to its inputs. */
static void
rescale(struct work *w, size_t l, const double *z, const double *a, size_t n,
        const double *z0, const double *a0)
{
    const struct asci_layer *layer = &w->s->layers.layer[l];
    const size_t n_out = layer->n_out;
    size_t i, k;

    for (i = 0; i < n; i++) {
        asci_mean_slopes(layer, z0, a0, z + i * n_out, a + i * n_out, n_out,
                         w->slope);
        for (k = 0; k < n_out; k++)
            w->m[i * n_out + k] *= w->slope[k];
    }
    asci_product_back(layer->packed, w->m, n, w->next, w->scratch);
}

/* parts (2 n, 2 n_in): differences above 0 and below of the inputs, then below
 * and above; sums (2 n, n_out): P of each row, then N. */
static void
split_sums(struct work *w, size_t l, const double *in, size_t n,
           const double *in0)
{
    const size_t n_in = w->s->layers.layer[l].n_in;
    size_t i, j;

    for (i = 0; i < n; i++) {
        double *up = w->parts + i * 2 * n_in;
        double *down = w->parts + (n + i) * 2 * n_in;

        for (j = 0; j < n_in; j++) {
            const double change = in[i * n_in + j] - in0[j];

            up[j] = down[n_in + j] = fmax(change, 0.0);
            up[n_in + j] = down[j] = fmin(change, 0.0);
        }
    }
    asci_product(w->s->split[l], w->parts, 2 * n, w->sums, w->scratch);
}

/* out (n) = f(z) of z = z0 + add; sum too. */
static void
activate_from(const struct asci_layer *layer, const double *z0,
              const double *add, size_t n, double *z, double *out)
{
    size_t k;

    for (k = 0; k < n; k++)
        out[k] = z[k] = z0[k] + add[k];
    asci_activate(layer, out, n, NULL);
}

/* m+ and m- of one row from P and N, which they replace. */
static void
reveal_slopes(const struct work *w, const struct asci_layer *layer,
              const double *z0, const double *a0, double *p, double *n,
              double *room)
{
    const size_t k = layer->n_out, wide = w->s->layers.widest;
    double *zp = room, *ap = zp + wide, *zn = ap + wide, *an = zn + wide;
    double *z = an + wide, *a = z + wide, *one = a + wide, *two = one + wide;
    size_t i;

    activate_from(layer, z0, p, k, zp, ap);
    activate_from(layer, z0, n, k, zn, an);
    activate_from(layer, zp, n, k, z, a);
    asci_mean_slopes(layer, z0, a0, zp, ap, k, one);
    asci_mean_slopes(layer, zn, an, z, a, k, two);
    for (i = 0; i < k; i++)
        p[i] = 0.5 * (one[i] + two[i]);
    asci_mean_slopes(layer, z0, a0, zn, an, k, one);
    asci_mean_slopes(layer, zp, ap, z, a, k, two);
    for (i = 0; i < k; i++)
        n[i] = 0.5 * (one[i] + two[i]);
}

/* As rescale, with in (n, n_in) the inputs of layer l, in0 (n_in) those of the
 * reference. */
static void
reveal_cancel(struct work *w, size_t l, const double *in, size_t n,
              const double *in0, const double *z0, const double *a0)
{
    const struct asci_layer *layer = &w->s->layers.layer[l];
    const size_t n_in = layer->n_in, n_out = layer->n_out;
    size_t i, j, k;

    split_sums(w, l, in, n, in0);
    for (i = 0; i < n; i++) {
        double *up = w->sums + i * n_out, *down = w->sums + (n + i) * n_out;

        reveal_slopes(w, layer, z0, a0, up, down, w->slope);
        for (k = 0; k < n_out; k++) {
            up[k] *= w->m[i * n_out + k];
            down[k] *= w->m[i * n_out + k];
        }
    }
    asci_product_back(w->s->split[l], w->sums, 2 * n, w->parts, w->scratch);
    for (i = 0; i < n; i++) {
        const double *up = w->parts + i * 2 * n_in;
        const double *down = w->parts + (n + i) * 2 * n_in;

        for (j = 0; j < n_in; j++) {
            const double change = in[i * n_in + j] - in0[j];
            const double above = up[j] + down[n_in + j];
            const double below = down[j] + up[n_in + j];

            w->next[i * n_in + j] = change > 0.0 ? above : change < 0.0
                                    ? below : 0.5 * (above + below);
        }
    }
}

/* Multipliers of the columns, next (n, n_columns), of outputs output[i * q]
 * against one reference. */
static void
way_back(struct work *w, const struct reference *r, size_t n,
         const size_t *output, size_t q)
{
    const struct asci_layers *t = &w->s->layers;
    const asc_model *m = t->model;
    size_t i, j, l, first = t->neurons;
    double *swap;

    for (i = 0; i < n; i++) {
        double *to = w->m + i * m->n_raw;

        asci_output_slopes(m, ASC_RAW, r->a + first - m->n_raw, output[i * q],
                           to);
        for (j = 0; j < m->n_raw && w->s->normalise; j++)
            to[j] -= w->mean[j];
    }
    for (l = t->n; l-- > 0;) {
        first -= t->layer[l].n_out;
        if (w->s->reveal)
            reveal_cancel(w, l, l ? w->a + (first - t->layer[l].n_in) * n
                          : w->columns, n, l ? r->a + first - t->layer[l].n_in
                          : r->columns, r->z + first, r->a + first);
        else
            rescale(w, l, w->z + first * n, w->a + first * n, n, r->z + first,
                    r->a + first);
        swap = w->m;
        w->m = w->next;
        w->next = swap;
    }
    swap = w->m;
    w->m = w->next;
    w->next = swap;
}

/* phi of row i += its share of the multipliers. */
static void
add_row(struct work *w, const struct reference *r, const double *x, size_t i,
        double *phi)
{
    const struct state *s = w->s;
    const size_t d = s->layers.model->schema.n;
    const size_t c = s->layers.model->encoder.n;
    const double *g = w->next + i * c;
    size_t j;

    for (j = 0; j < d; j++)
        w->phi[j] = 0.0;
    asci_path_share(&s->path, x, r->x, g, w->phi);
    asci_path_straight(&s->path, w->columns + i * c, r->columns, g, w->phi);
    for (j = 0; j < d; j++)
        phi[j] += w->phi[j] / (double)s->n;
}

/* The mean over the outputs of their slopes in each raw output. */
static void
mean_slopes(struct work *w)
{
    const asc_model *m = w->s->layers.model;
    size_t j, k;

    for (j = 0; j < m->n_raw; j++)
        w->mean[j] = 0.0;
    for (k = 0; k < m->n_outputs; k++) {
        asci_output_slopes(m, ASC_RAW, w->s->reference[0].a, k, w->one);
        for (j = 0; j < m->n_raw; j++)
            w->mean[j] += w->one[j] / (double)m->n_outputs;
    }
}

static void
put_values(struct work *w, const struct asc_task *t, struct asc_explain *b,
           size_t i, const double *r)
{
    const size_t k = t->model->n_outputs;
    double lost = 0.0;
    size_t j;

    asci_outputs(t->model, t->scale, r, 1, w->y);
    for (j = 0; j < k && w->s->normalise; j++)
        lost += (w->y[j] - w->s->base[j]) / (double)k;
    for (j = 0; j < b->q; j++) {
        const size_t at = i * b->q + j;

        b->value[at] = w->y[b->output[at]];
        b->base[at] = w->s->base[b->output[at]] + lost;
    }
}

static void
run_rows(struct work *w, const struct asc_task *t, struct asc_explain *b,
         size_t first, size_t n)
{
    const struct state *s = w->s;
    const asc_model *m = t->model;
    const size_t d = b->d, q = b->q;
    size_t i, j, k, r;

    asci_encode(&m->encoder, d, b->x + first * d, n, w->columns);
    asci_layers_run(&s->layers, w->columns, n, w->z, w->a, w->scratch);
    for (i = 0; i < n; i++)
        put_values(w, t, b, first + i, w->a + (s->layers.neurons - m->n_raw)
                   * n + i * m->n_raw);
    for (k = 0; k < q; k++)
        for (r = 0; r < s->n; r++) {
            way_back(w, &s->reference[r], n, b->output + first * q + k, q);
            for (i = 0; i < n; i++)
                add_row(w, &s->reference[r], b->x + (first + i) * d, i,
                        b->phi + ((first + i) * q + k) * d);
        }
    for (i = first * q; i < (first + n) * q; i++)
        for (j = 0; j < d && (isnan(b->value[i]) || isnan(b->base[i])); j++)
            b->phi[i * d + j] = NAN;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    struct work w;
    size_t i, now;
    int status = make_work(&w, state, b->n, e);

    if (status != ASC_OK)
        return status;
    w.a = w.z + w.rows * w.s->layers.neurons;
    mean_slopes(&w);
    memset(b->phi, 0, b->n * b->q * b->d * sizeof *b->phi);
    for (i = 0; i < b->n; i += now) {
        now = b->n - i < w.rows ? b->n - i : w.rows;
        run_rows(&w, t, b, i, now);
    }
    free_work(&w);
    return ASC_OK;
}

static int
serves(const asc_model *m, enum asc_scale scale, struct asc_error *e)
{
    struct asci_path p;
    int status = asci_before_link(m, scale, e);

    if (status == ASC_OK)
        status = asci_path_init(&p, m, e);
    if (status == ASC_OK)
        asci_path_free(&p);
    return status;
}

const struct asc_method asci_method_deeplift = {
    .entry = {
        .name = "deeplift",
        .title = "differences from a reference, divided among the fields on "
                 "the way back",
        .source = "Shrikumar, Greenside and Kundaje 2017, arXiv:1704.02685, "
                  "sections 3.5.1 to 3.5.3",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_GRADIENT | ASC_NEEDS_BASELINE |
                  ASC_ADDITIVE | ASC_EXACT
    },
    .prepare = prepare,
    .run = run,
    .finish = finish,
    .serves = serves
};
