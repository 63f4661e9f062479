/* fit/mlp.c -- a dense network trained by Adam on mini-batches.
 *
 * Inputs: continuous fields in standard deviations from their mean, one column
 * for each category.  Loss: squared (of the standardised target), logistic or
 * softmax.  A step with gradient g of the batch's mean loss:
 *
 *     m = 0.9 m + 0.1 g,  v = 0.999 v + 0.001 g^2
 *     w -= rate (m' / (sqrt(v') + 1e-8) + decay w),  m', v' without their bias
 *
 * (Adam: Kingma and Ba 2015, algorithm 1; decay decoupled from the gradient:
 * Loshchilov and Hutter 2019, algorithm 2; biases do not decay.)  After each
 * epoch the loss on the rows held out is taken; the weights of the best epoch
 * win, and training ends after `patience` epochs without a better one.
 *
 * Start: normal weights of variance 2 / n_in for relu (He et al. 2015), else
 * 2 / (n_in + n_out) (Glorot and Bengio 2010); biases 0.  Which rows are held
 * out depends on (seed, row id), the batches on (seed, set of ids): a table
 * with ids gives the same bits in any order of its lines.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/internal.h"

enum { HIDDEN, LAYERS, ACTIVATION, EPOCHS, BATCH, RATE, DECAY, HELD_OUT,
       PATIENCE };
static const struct asc_param params[] = {
    [HIDDEN] = { "hidden", ASC_PARAM_INTEGER, 32, 1, 1024, NULL,
                 "units of each hidden layer" },
    [LAYERS] = { "layers", ASC_PARAM_INTEGER, 2, 1, 8, NULL,
                 "hidden layers" },
    [ACTIVATION] = { "activation", ASC_PARAM_CHOICE, 0, 0, 2,
                     "relu|tanh|logistic", "activation of the hidden units" },
    [EPOCHS] = { "epochs", ASC_PARAM_INTEGER, 200, 1, 1e6, NULL,
                 "passes over the table at most" },
    [BATCH] = { "batch", ASC_PARAM_INTEGER, 32, 1, 4096, NULL,
                "rows of a step" },
    [RATE] = { "rate", ASC_PARAM_REAL, 0.001, 1e-8, 10, NULL,
               "step size of Adam" },
    [DECAY] = { "decay", ASC_PARAM_REAL, 0.01, 0, 100, NULL,
                "weight decay, as a share of rate" },
    [HELD_OUT] = { "held-out", ASC_PARAM_REAL, 0.1, 0, 0.5, NULL,
                   "share of rows held out to stop early; 0: no early stop" },
    [PATIENCE] = { "patience", ASC_PARAM_INTEGER, 20, 1, 1e6, NULL,
                   "epochs without a better one before it stops" },
    ASC_PARAMS_END
};

struct job {
    const struct asc_training *t;
    const struct asc_spec *s;
    asc_model *m;
    struct asci_mlp net;
    size_t p;                   /* encoded columns */
    size_t *first;              /* (schema.n) first column of a field; p if it
                                   has none */
    double *mean, *step;        /* (schema.n) */
    double y_mean, y_step;      /* 0 and 1 unless regression */
    double w_mean;
    size_t n, n_held;           /* rows of positive weight, held out of them */
    size_t *row;                /* (n) held-out rows first */
    double *x, *y, *w;          /* a batch: (capacity, p), (capacity) twice */
    double *moment, *square, *best;     /* (n_theta) */
    unsigned char *decays;      /* (n_theta) a weight, not a bias */
};

static void
free_job(struct job *o)
{
    free(o->decays);
    free(o->best);
    free(o->square);
    free(o->moment);
    free(o->w);
    free(o->y);
    free(o->x);
    free(o->row);
    free(o->step);
    free(o->mean);
    free(o->first);
    asci_mlp_free(&o->net);
}

/* ---- rows ---- */

/* Columns of each field.  The step is what two knots at mean and mean + sd
 * leave of the standard deviation, as the encoder will have it. */
static int
plan_columns(struct job *o, struct asc_error *e)
{
    const struct asc_schema *s = &o->t->schema;
    size_t j;

    o->first = asci_alloc(s->n, sizeof *o->first, e);
    o->mean = asci_alloc(s->n, sizeof *o->mean, e);
    o->step = asci_alloc(s->n, sizeof *o->step, e);
    if (!o->first || !o->mean || !o->step)
        return ASC_ESYSTEM;
    for (j = 0; j < s->n; j++) {
        const struct asci_field_stats *stats = &o->m->stats[j];

        o->first[j] = o->p;
        if (s->field[j].kind == ASC_CATEGORICAL) {
            o->p += s->field[j].n_categories;
            continue;
        }
        o->mean[j] = stats->mean;
        o->step[j] = (stats->mean + stats->sd) - stats->mean;
        if (o->step[j] > 0.0)
            o->p++;
    }
    if (o->p == 0)
        return asc_fail(e, ASC_EINPUT, "mlp: every field is constant: "
                        "nothing to learn from");
    if (o->p > ASCI_FIT_COLUMNS_MAX)
        return asc_fail(e, ASC_EUSAGE, "mlp: %zu input columns, at most %d: "
                        "leave out fields with very many categories, or use "
                        "gbm", o->p, ASCI_FIT_COLUMNS_MAX);
    return ASC_OK;
}

static void
encode(const struct job *o, size_t i, double *out)
{
    const struct asc_schema *s = &o->t->schema;
    size_t j;

    memset(out, 0, o->p * sizeof *out);
    for (j = 0; j < s->n; j++) {
        const double v = asci_fit_value(o->t, o->m, i, j);

        if (s->field[j].kind == ASC_CATEGORICAL)
            out[o->first[j] + (size_t)v] = 1.0;
        else if (o->step[j] > 0.0)
            out[o->first[j]] = (v - o->mean[j]) / o->step[j];
    }
}

/* Puts row[0..n-1] into the batch. */
static void
load(struct job *o, const size_t *row, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        encode(o, row[i], o->x + i * o->p);
        o->y[i] = (o->t->y[row[i]] - o->y_mean) / o->y_step;
        o->w[i] = asci_fit_weight(o->t, row[i]) / o->w_mean;
    }
}

/* The rows in the order of a draw; the first are held out. */
static int
split_rows(struct job *o, struct asc_error *e)
{
    o->row = asci_alloc(o->t->n, sizeof *o->row, e);
    if (!o->row)
        return ASC_ESYSTEM;
    return asci_fit_hold_out(o->t, o->s->seed, "mlp held out",
                             o->s->value[HELD_OUT], o->row, &o->n, &o->n_held,
                             e);
}

/* Mean weight, and mean and deviation of a continuous target. */
static int
scale_target(struct job *o, struct asc_error *e)
{
    struct asc_sum w, y;
    double total;
    size_t i;

    asc_sum_clear(&w);
    asc_sum_clear(&y);
    for (i = 0; i < o->n; i++) {
        const double weight = asci_fit_weight(o->t, o->row[i]);

        asc_sum_add(&w, weight);
        asc_sum_add(&y, weight * o->t->y[o->row[i]]);
    }
    total = asc_sum_value(&w);
    o->w_mean = total / (double)o->n;
    o->y_mean = 0.0;
    o->y_step = 1.0;
    if (o->t->target.kind == ASC_CATEGORICAL)
        return ASC_OK;
    o->y_mean = asc_sum_value(&y) / total;
    asc_sum_clear(&y);
    for (i = 0; i < o->n; i++) {
        const double r = o->t->y[o->row[i]] - o->y_mean;

        asc_sum_add(&y, asci_fit_weight(o->t, o->row[i]) * r * r);
    }
    o->y_step = sqrt(asc_sum_value(&y) / total);
    if (!isfinite(o->y_mean) || !isfinite(o->y_step))
        return asc_fail(e, ASC_ENUMERIC, "mlp: the target's numbers are too "
                        "large to compute with: rescale it");
    if (!(o->y_step > 0.0))
        o->y_step = 1.0;
    return ASC_OK;
}

/* ---- training ---- */

static void
start_weights(struct job *o)
{
    struct asci_mlp *n = &o->net;
    double *theta = n->theta;
    struct asc_stream stream;
    size_t l, i;

    asc_stream_start(&stream, o->s->seed, "mlp weights", "", 0);
    for (l = 0; l < n->n_layers; l++) {
        const size_t n_in = n->size[l], n_out = n->size[l + 1];
        const double variance = n->activation == ASCI_RELU
                                ? 2.0 / (double)n_in
                                : 2.0 / (double)(n_in + n_out);

        memset(o->decays + (theta - n->theta), 1, n_in * n_out);
        for (i = 0; i < n_in * n_out; i++)
            theta[i] = sqrt(variance) * asc_stream_normal(&stream);
        theta += (n_in + 1) * n_out;
    }
}

/* One step of Adam, number `step` from 1, along gradient / scale. */
static void
adam(struct job *o, double step, double scale)
{
    const double rate = o->s->value[RATE], decay = o->s->value[DECAY];
    const double m_bias = 1.0 - pow(0.9, step);
    const double v_bias = 1.0 - pow(0.999, step);
    double *theta = o->net.theta;
    size_t i;

    for (i = 0; i < o->net.n_theta; i++) {
        const double g = o->net.gradient[i] / scale;

        o->moment[i] = 0.9 * o->moment[i] + 0.1 * g;
        o->square[i] = 0.999 * o->square[i] + 0.001 * g * g;
        theta[i] -= rate * (o->moment[i] / m_bias /
                            (sqrt(o->square[i] / v_bias) + 1e-8) +
                            (o->decays[i] ? decay * theta[i] : 0.0));
    }
}

static double
held_out_loss(struct job *o)
{
    double sum = 0.0;
    size_t i, now;

    for (i = 0; i < o->n_held; i += now) {
        now = o->n_held - i < o->net.capacity ? o->n_held - i
                                              : o->net.capacity;
        load(o, o->row + i, now);
        sum += asci_mlp_pass(&o->net, o->x, o->y, o->w, now, 0);
    }
    return sum;
}

static int
train(struct job *o, struct asc_error *e)
{
    const size_t batch = (size_t)o->s->value[BATCH];
    const size_t epochs = (size_t)o->s->value[EPOCHS];
    const size_t patience = (size_t)o->s->value[PATIENCE];
    size_t *row = o->row + o->n_held, n = o->n - o->n_held;
    const size_t bytes = o->net.n_theta * sizeof *o->best;
    double best = INFINITY, step = 0.0;
    struct asc_stream stream;
    size_t epoch, since = 0, i, now;

    asc_stream_start(&stream, o->s->seed, "mlp batches", "", 0);
    for (epoch = 0; epoch < epochs && since < patience; epoch++) {
        double loss = 0.0;

        asc_stream_shuffle(&stream, row, n);
        for (i = 0; i < n; i += now) {
            now = n - i < batch ? n - i : batch;
            load(o, row + i, now);
            loss += asci_mlp_pass(&o->net, o->x, o->y, o->w, now, 1);
            step += 1.0;
            adam(o, step, (double)now);
        }
        if (o->n_held > 0)
            loss = held_out_loss(o);
        if (!isfinite(loss))
            return asc_fail(e, ASC_ENUMERIC, "mlp: training diverged in epoch "
                            "%zu: ask for a smaller rate, e.g. mlp:rate=%g",
                            epoch + 1, o->s->value[RATE] / 10.0);
        if (o->n_held == 0)
            continue;
        since++;
        if (loss < best) {
            best = loss;
            since = 0;
            memcpy(o->best, o->net.theta, bytes);
        }
    }
    if (o->n_held > 0)
        memcpy(o->net.theta, o->best, bytes);
    return ASC_OK;
}

/* ---- the model ---- */

static int
number_column(struct asci_column *c, const struct job *o, size_t field,
              struct asc_error *e)
{
    struct asci_factor *f;

    if (asci_column_identity(c, field, e))
        return ASC_ESYSTEM;
    f = &c->factor[0];
    f->knot_x = asci_alloc(2, sizeof *f->knot_x, e);
    f->knot_y = asci_alloc(2, sizeof *f->knot_y, e);
    if (!f->knot_x || !f->knot_y)
        return ASC_ESYSTEM;
    f->n_knots = 2;
    f->knot_x[0] = o->mean[field];
    f->knot_x[1] = o->mean[field] + o->step[field];
    f->knot_y[0] = 0.0;
    f->knot_y[1] = 1.0;
    f->outliers = ASCI_OUTLIERS_EXTEND;
    f->missing = NAN;
    return ASC_OK;
}

static int
make_encoder(const struct job *o, struct asc_error *e)
{
    const struct asc_schema *s = &o->t->schema;
    struct asci_encoder *en = &o->m->encoder;
    size_t j, k;

    en->column = asci_alloc_zero(o->p, sizeof *en->column, e);
    if (!en->column)
        return ASC_ESYSTEM;
    en->n = o->p;
    for (j = 0; j < s->n; j++) {
        struct asci_column *c = en->column + o->first[j];
        int status = ASC_OK;

        if (s->field[j].kind == ASC_CONTINUOUS)
            status = o->step[j] > 0.0 ? number_column(c, o, j, e) : ASC_OK;
        else
            for (k = 0; k < s->field[j].n_categories && !status; k++)
                status = asci_column_indicator(&c[k], &o->m->schema, j, k,
                                               NAN, e);
        if (status)
            return status;
    }
    return ASC_OK;
}

/* The layers, the target's scale folded into the last one. */
static int
make_network(const struct job *o, struct asc_error *e)
{
    struct asci_network *f = &o->m->u.network;
    const struct asci_mlp *n = &o->net;
    const double *theta = n->theta;
    size_t l, i, j;

    o->m->form = ASC_FORM_NETWORK;
    f->layer = asci_alloc_zero(n->n_layers, sizeof *f->layer, e);
    if (!f->layer)
        return ASC_ESYSTEM;
    f->n_columns = o->p;
    f->n_layers = n->n_layers;
    for (l = 0; l < n->n_layers; l++) {
        struct asci_layer *layer = &f->layer[l];
        const int last = l + 1 == n->n_layers;
        const double scale = last ? o->y_step : 1.0;

        layer->n_in = n->size[l];
        layer->n_out = n->size[l + 1];
        layer->activation = last ? ASCI_IDENTITY : n->activation;
        layer->w = asci_alloc(layer->n_out * layer->n_in, sizeof *layer->w, e);
        layer->b = asci_alloc(layer->n_out, sizeof *layer->b, e);
        if (!layer->w || !layer->b)
            return ASC_ESYSTEM;
        for (i = 0; i < layer->n_out; i++)
            for (j = 0; j < layer->n_in; j++)
                layer->w[i * layer->n_in + j] =
                    scale * theta[j * layer->n_out + i];
        theta += layer->n_in * layer->n_out;
        for (i = 0; i < layer->n_out; i++)
            layer->b[i] = scale * theta[i] + (last ? o->y_mean : 0.0);
        theta += layer->n_out;
    }
    return ASC_OK;
}

static int
prepare(struct job *o, struct asc_error *e)
{
    static const enum asci_activation activations[] = {
        ASCI_RELU, ASCI_TANH, ASCI_LOGISTIC
    };
    const size_t batch = (size_t)o->s->value[BATCH];
    const size_t capacity = batch > 256 ? batch : 256;
    const size_t n_layers = (size_t)o->s->value[LAYERS] + 1;
    size_t size[ASCI_MLP_LAYERS_MAX + 1], l;
    int status;

    if ((status = plan_columns(o, e)) || (status = split_rows(o, e)) ||
        (status = scale_target(o, e)))
        return status;
    size[0] = o->p;
    for (l = 1; l < n_layers; l++)
        size[l] = (size_t)o->s->value[HIDDEN];
    size[n_layers] = o->m->n_raw;
    status = asci_mlp_init(&o->net, size, n_layers,
                           activations[(size_t)o->s->value[ACTIVATION]],
                           !o->m->classifier ? ASCI_MLP_SQUARED
                           : o->m->n_raw == 1 ? ASCI_MLP_LOGISTIC
                           : ASCI_MLP_SOFTMAX, capacity, e);
    if (status)
        return status;
    o->x = asci_alloc(capacity * o->p, sizeof *o->x, e);
    o->y = asci_alloc(capacity, sizeof *o->y, e);
    o->w = asci_alloc(capacity, sizeof *o->w, e);
    o->moment = asci_alloc_zero(o->net.n_theta, sizeof *o->moment, e);
    o->square = asci_alloc_zero(o->net.n_theta, sizeof *o->square, e);
    o->best = asci_alloc(o->net.n_theta, sizeof *o->best, e);
    o->decays = asci_alloc_zero(o->net.n_theta, 1, e);
    if (!o->x || !o->y || !o->w || !o->moment || !o->square || !o->best ||
        !o->decays)
        return ASC_ESYSTEM;
    start_weights(o);
    return ASC_OK;
}

static asc_model *
fit(const struct asc_training *t, const struct asc_spec *s,
    const struct asc_fitting *how, struct asc_error *e)
{
    struct job o = { .t = t, .s = s };
    int status;

    (void)how;
    if (asci_fit_check(t, s, ASCI_WANTS_ANY, e))
        return NULL;
    o.m = asci_fit_model(t, s, 1, e);
    if (!o.m)
        return NULL;
    if (!(status = prepare(&o, e)) && !(status = train(&o, e)) &&
        !(status = make_encoder(&o, e)) && !(status = make_network(&o, e)))
        status = asci_model_finish(o.m, e);
    free_job(&o);
    if (status) {
        asc_model_free(o.m);
        return NULL;
    }
    return o.m;
}

const struct asc_trainer asci_trainer_mlp = {
    .entry = {
        .name = "mlp",
        .title = "dense network, trained by Adam with early stopping",
        .source = "Kingma and Ba 2015, arXiv:1412.6980; "
                  "Loshchilov and Hutter 2019, arXiv:1711.05101",
        .params = params,
        .traits = ASC_RANDOM
    },
    .fit = fit
};
