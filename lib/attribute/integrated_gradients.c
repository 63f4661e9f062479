/* attribute/integrated_gradients.c -- integrated gradients, on raw fields.
 *
 *     phi_j = sum over columns c of field j of
 *             u_c int_0^1 g_c(enc(b) + t u) dt,  u = enc(x) - enc(b)
 *
 * with enc(x) the columns that the model's form computes on, g the gradient
 * with respect to them, b the baseline.  The integral is Gauss-Legendre
 * quadrature with `steps` nodes.  A column of several fields follows the
 * straight line of its raw fields, and each field gets its part of the
 * column's speed by the product rule; for fields that are categorical, or
 * where the column jumps, there is no such line and prepare says so.  A value
 * that is missing at one end has no place on a line: its function of the field
 * goes straight itself, as in a column of that field alone.
 *
 * base = f(b).  phi adds up to value - base up to the quadrature's error,
 * which falls fast with `steps` on smooth models and like 1 / steps^2 or so on
 * ReLU networks; it is exact where the output is linear along the path.  So
 * the entry promises the sum, but not that it is exact.  Where the model has
 * no answer for x or b all phi are NaN.
 *
 * Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365, equation 1;
 * quadrature as in Captum's gausslegendre.
 *
 * Cost: `steps` gradients, each about three evaluations, a row and output.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/internal.h"
#include "attribute/path.h"
#include "attribute/probe.h"

enum { STEPS };
enum {
    ROOM = 1 << 18,             /* doubles of a chunk's columns */
    ROWS = 1024
};

static const struct asc_param params[] = {
    [STEPS] = { "steps", ASC_PARAM_INTEGER, 50, 1, 10000, NULL,
                "nodes of the quadrature along the path" },
    ASC_PARAMS_END
};

struct state {
    struct asci_path path;
    size_t steps;
    double *node, *weight;      /* (steps) */
    double *base;               /* (n_outputs) */
    double *columns;            /* (encoder n) of the baseline */
};

static void
finish(void *state)
{
    struct state *s = state;

    asci_path_free(&s->path);
    free(s->columns);
    free(s->base);
    free(s->weight);
    free(s->node);
    free(s);
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    const asc_model *m = t->model;
    int status = asci_need_baseline(t, e);
    struct state *s;

    if (status != ASC_OK)
        return status;
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    status = asci_path_init(&s->path, m, e);
    if (status != ASC_OK) {
        free(s);
        return status;
    }
    s->steps = (size_t)t->spec->value[STEPS];
    s->node = asci_alloc(s->steps, sizeof *s->node, e);
    s->weight = asci_alloc(s->steps, sizeof *s->weight, e);
    s->base = asci_alloc(m->n_outputs, sizeof *s->base, e);
    s->columns = asci_alloc(m->encoder.n, sizeof *s->columns, e);
    if (!s->node || !s->weight || !s->base || !s->columns) {
        finish(s);
        return ASC_ESYSTEM;
    }
    asci_gauss_legendre(s->steps, s->node, s->weight);
    asci_encode(&m->encoder, m->schema.n, t->background->baseline, 1,
                s->columns);
    status = asc_model_evaluate(m, t->scale, t->background->baseline, 1,
                                s->base, e);
    if (status != ASC_OK)
        finish(s);
    else
        *state = s;
    return status;
}

/* What a run needs besides its block: a queue of points on paths, and the
 * sums of the row and output whose path is being walked. */
struct walk {
    const struct asc_task *task;
    const struct state *state;
    struct asc_explain *block;
    size_t n, capacity;         /* points that wait, room for them */
    double *columns, *g, *y;    /* (capacity, encoder n), same, (capacity) */
    size_t *output;             /* (capacity) */
    double *cx;                 /* (encoder n) columns of the row explained */
    double *sum;                /* (encoder n) integral of g so far */
    size_t walked;              /* points whose gradient is known, of all
                                   (n, q, steps) */
};

/* The gradient at point number w->walked. */
static void
take(struct walk *w, const double *g)
{
    const struct asc_task *t = w->task;
    const struct state *s = w->state;
    const struct asci_encoder *en = &t->model->encoder;
    const size_t d = w->block->d, step = w->walked % s->steps;
    const size_t item = w->walked / s->steps;
    const double *x = w->block->x + item / w->block->q * d;
    double *phi = w->block->phi + item * d;
    size_t c;

    if (step == 0) {
        memset(w->sum, 0, en->n * sizeof *w->sum);
        memset(phi, 0, d * sizeof *phi);
    }
    for (c = 0; c < en->n; c++)
        w->sum[c] += s->weight[step] * g[c];
    asci_path_slope(&s->path, x, t->background->baseline, s->node[step],
                    s->weight[step], g, phi);
    w->walked++;
    if (step + 1 < s->steps)
        return;
    asci_encode(en, d, x, 1, w->cx);
    asci_path_straight(&s->path, w->cx, s->columns, w->sum, phi);
}

static int
flush(struct walk *w, struct asc_error *e)
{
    const asc_model *m = w->task->model;
    int status = ASC_OK;
    size_t i;

    if (w->n > 0)
        status = asci_form_gradient(m, w->task->scale, w->columns, w->n,
                                    w->output, w->y, w->g, e);
    for (i = 0; i < w->n && status == ASC_OK; i++)
        take(w, w->g + i * m->encoder.n);
    w->n = 0;
    return status;
}

/* Puts the path of row i to output k into the queue. */
static int
walk_row(struct walk *w, size_t i, size_t k, double *cx, struct asc_error *e)
{
    const struct asci_encoder *en = &w->task->model->encoder;
    const double *baseline = w->task->background->baseline;
    const double *x = w->block->x + i * w->block->d;
    int status;
    size_t step;

    asci_encode(en, w->block->d, x, 1, cx);
    for (step = 0; step < w->state->steps; step++) {
        if (w->n == w->capacity && (status = flush(w, e)) != ASC_OK)
            return status;
        asci_path_point(&w->state->path, x, baseline, cx, w->state->columns,
                        w->state->node[step], w->columns + w->n * en->n);
        w->output[w->n++] = w->block->output[i * w->block->q + k];
    }
    return ASC_OK;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;
    const size_t c = t->model->encoder.n;
    struct walk w = { .task = t, .state = s, .block = b };
    double *cx = NULL;
    int status;
    size_t i, j, k;

    status = asci_values(t->model, t->scale, b->x, b->n, b->output, b->q,
                         b->value, e);
    if (status != ASC_OK)
        return status;
    w.capacity = ROOM / (c + 1) < ROWS ? ROOM / (c + 1) : ROWS;
    if (w.capacity == 0)
        w.capacity = 1;
    status = ASC_ESYSTEM;
    w.columns = asci_alloc(w.capacity, c * sizeof *w.columns, e);
    w.g = asci_alloc(w.capacity, c * sizeof *w.g, e);
    w.y = asci_alloc(w.capacity, sizeof *w.y, e);
    w.output = asci_alloc(w.capacity, sizeof *w.output, e);
    w.sum = asci_alloc(c, sizeof *w.sum, e);
    w.cx = asci_alloc(c, sizeof *w.cx, e);
    cx = asci_alloc(c, sizeof *cx, e);
    if (!w.columns || !w.g || !w.y || !w.output || !w.sum || !w.cx || !cx)
        goto out;
    status = ASC_OK;
    for (i = 0; i < b->n && status == ASC_OK; i++)
        for (k = 0; k < b->q && status == ASC_OK; k++)
            status = walk_row(&w, i, k, cx, e);
    if (status == ASC_OK)
        status = flush(&w, e);
    for (i = 0; i < b->n * b->q && status == ASC_OK; i++) {
        b->base[i] = s->base[b->output[i]];
        if (isnan(b->value[i]) || isnan(b->base[i]))
            for (j = 0; j < b->d; j++)
                b->phi[i * b->d + j] = NAN;
    }
out:
    free(cx);
    free(w.cx);
    free(w.sum);
    free(w.output);
    free(w.y);
    free(w.g);
    free(w.columns);
    return status;
}

static int
serves(const asc_model *m, enum asc_scale scale, struct asc_error *e)
{
    struct asci_path p;
    int status = asci_path_init(&p, m, e);

    (void)scale;
    if (status == ASC_OK)
        asci_path_free(&p);
    return status;
}

const struct asc_method asci_method_integrated_gradients = {
    .entry = {
        .name = "integrated-gradients",
        .title = "slopes averaged along a path from the baseline, times the "
                 "distance",
        .source = "Sundararajan, Taly and Yan 2017, arXiv:1703.01365, "
                  "equation 1",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_GRADIENT |
                  ASC_NEEDS_BASELINE | ASC_ADDITIVE
    },
    .prepare = prepare,
    .run = run,
    .finish = finish,
    .serves = serves
};
