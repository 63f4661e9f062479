/* attribute/lrp.c -- layer-wise relevance propagation.
 *
 * The output is what there is to divide: every neuron divides its relevance R
 * among its inputs, in proportion to what they contribute to it, down to the
 * columns; a field gets what its columns get.  With a_j the inputs of a layer,
 * w_jk its weights, b_k its biases, ()+ and ()- what is above 0 and below:
 *
 *     zero        R_j = sum_k a_j w_jk / z_k R_k,  z_k = sum_j a_j w_jk + b_k
 *     epsilon     z_k + epsilon sign(z_k) in place of z_k
 *     gamma       w_jk + gamma w_jk+ in place of w_jk
 *     z-plus      w_jk+ in place of w_jk
 *     alpha-beta  R_j = sum_k (alpha (a_j w_jk)+ / sum_j (a_j w_jk)+
 *                              - beta (a_j w_jk)- / sum_j (a_j w_jk)-) R_k,
 *                 beta = alpha - 1
 *     w-square    R_j = sum_k w_jk^2 / sum_j w_jk^2 R_k
 *     flat        R_j = sum_k R_k / (number of inputs)
 *
 * Denominators of gamma, z-plus and alpha-beta get epsilon, too, for theirs may
 * come as close to 0.  0/0 is 0, sign(0) is 1.  An activation passes relevance on as it is.  Biases
 * are in the denominators as the weight of one more input that is 1, under the
 * same rule (bias=rule; Montavon et al. 2019), as they are (bias=plain;
 * Captum), or not at all (bias=none); the first two keep relevance to
 * themselves.
 *
 * The output starts with what it is before a link; a contrast with both of
 * its outputs, the foil's negative, so that its relevances are the difference
 * of theirs, whatever the rules.
 *
 * What reaches no field - the biases' share, what epsilon takes, what z-plus
 * and alpha-beta lose where a neuron has no input of that sign, constant
 * columns - is base: value less all phi.  Where nothing is lost base is 0.
 *
 * Sources: Bach et al. 2015, doi:10.1371/journal.pone.0130140 (equations 56 to
 * 60); Montavon, Binder, Lapuschkin, Samek and Mueller 2019,
 * doi:10.1007/978-3-030-28954-6_10 (gamma, rules by layer); w-square, z-plus:
 * Montavon et al. 2017, doi:10.1016/j.patcog.2016.11.008.
 *
 * Cost: one evaluation, and for each output a way back, about a gradient; rules
 * with other weights than the layer's have one product more.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/internal.h"
#include "attribute/layers.h"
#include "attribute/probe.h"

enum { RULE, LAYERS, EPSILON, GAMMA, ALPHA, BIAS };
enum rule { ZERO, EPSILON_RULE, GAMMA_RULE, ALPHA_BETA, Z_PLUS, W_SQUARE,
            FLAT, N_RULES };
enum { BIAS_RULE, BIAS_PLAIN, BIAS_NONE };
enum { ROWS = 288, ROOM = 1 << 21 };

static const char *const rules[N_RULES] = {
    "zero", "epsilon", "gamma", "alpha-beta", "z-plus", "w-square", "flat"
};

static const struct asc_param params[] = {
    [RULE] = { "rule", ASC_PARAM_CHOICE, EPSILON_RULE, 0, 0,
               "zero|epsilon|gamma|alpha-beta|z-plus|w-square|flat",
               "how neurons divide relevance among their inputs" },
    [LAYERS] = { "layers", ASC_PARAM_TEXT, 0, 0, 0, NULL,
                 "rules of the layers, from the fields on, joined by +; the "
                 "last one holds for the rest" },
    [EPSILON] = { "epsilon", ASC_PARAM_REAL, 1e-6, 0.0, 1e300, NULL,
                  "added to the size of all denominators but those of zero, "
                  "w-square and flat" },
    [GAMMA] = { "gamma", ASC_PARAM_REAL, 0.25, 0.0, 1e300, NULL,
                "of rule gamma" },
    [ALPHA] = { "alpha", ASC_PARAM_REAL, 2.0, 1.0, 1e6, NULL,
                "of rule alpha-beta; beta is alpha - 1" },
    [BIAS] = { "bias", ASC_PARAM_CHOICE, BIAS_RULE, 0, 0, "rule|plain|none",
               "whether biases take relevance, and by what rule" },
    ASC_PARAMS_END
};

struct state {
    struct asci_layers layers;
    enum rule *rule;            /* (layers) */
    struct asci_weights **w;    /* (layers) with the biases that count; NULL:
                                   the layer's own, sums and all */
    double **bias;              /* (layers) n_out, of alpha-beta 2 n_out:
                                   above 0, below */
    double epsilon, alpha;
    size_t scratch;
};

static void
finish(void *state)
{
    struct state *s = state;
    size_t l;

    for (l = 0; l < s->layers.n; l++) {
        if (s->w)
            asci_weights_free(s->w[l]);
        if (s->bias)
            free(s->bias[l]);
    }
    free(s->bias);
    free(s->w);
    free(s->rule);
    asci_layers_free(&s->layers);
    free(s);
}

/* ---- rules ---- */

static int
find_rule(const char *p, size_t n, enum rule *out, struct asc_error *e)
{
    const char *names[N_RULES], *near;
    char name[32] = "";
    size_t i;

    memcpy(name, p, n < sizeof name ? n : sizeof name - 1);
    for (i = 0; i < N_RULES; i++) {
        names[i] = rules[i];
        if (strcmp(name, rules[i]) == 0) {
            *out = (enum rule)i;
            return ASC_OK;
        }
    }
    near = asc_nearest(name, names, N_RULES);
    return asc_fail(e, ASC_EUSAGE, "lrp: layers: \"%s\" is not a rule%s%s%s",
                    name, near ? "; did you mean \"" : "", near ? near : "",
                    near ? "\"?" : "");
}

static int
set_rules(struct state *s, const struct asc_spec *spec, struct asc_error *e)
{
    const char *p = spec->text[LAYERS];
    size_t l, n, given = 0;
    int status;

    for (l = 0; l < s->layers.n; l++)
        s->rule[l] = (enum rule)spec->value[RULE];
    while (p) {
        n = strcspn(p, "+");
        if (given == s->layers.n)
            return asc_fail(e, ASC_EUSAGE, "lrp: layers: \"%s\" has more "
                            "rules than the model has layers, %zu",
                            spec->text[LAYERS], s->layers.n);
        status = find_rule(p, n, &s->rule[given], e);
        if (status != ASC_OK)
            return status;
        for (l = ++given; l < s->layers.n; l++)
            s->rule[l] = s->rule[given - 1];
        p = p[n] ? p + n + 1 : NULL;
    }
    return ASC_OK;
}

/* The weight that a rule has in place of w, and of a bias. */
static double
changed(enum rule rule, double gamma, double w)
{
    switch (rule) {
    case GAMMA_RULE:
        return w + gamma * fmax(w, 0.0);
    case Z_PLUS:
        return fmax(w, 0.0);
    case W_SQUARE:
        return w * w;
    case FLAT:
        return 1.0;
    default:
        return w;
    }
}

/* A layer's biases in the denominators. */
static int
set_bias(struct state *s, size_t l, const struct asc_spec *spec,
         struct asc_error *e)
{
    const struct asci_layer *layer = &s->layers.layer[l];
    const int bias = (int)spec->value[BIAS];
    const enum rule rule = s->rule[l];
    double *b = asci_alloc_zero(2 * layer->n_out, sizeof *b, e);
    size_t k;

    s->bias[l] = b;
    for (k = 0; b && k < layer->n_out && bias != BIAS_NONE; k++) {
        const double v = layer->b[k];

        if (rule == ALPHA_BETA) {
            b[k] = fmax(v, 0.0);
            b[layer->n_out + k] = fmin(v, 0.0);
        } else if (bias == BIAS_PLAIN && rule != W_SQUARE && rule != FLAT) {
            b[k] = v;
        } else if (rule != FLAT || v != 0.0) {
            b[k] = changed(rule, spec->value[GAMMA], v);
        }
    }
    return b ? ASC_OK : ASC_ESYSTEM;
}

static int
set_layer(struct state *s, size_t l, const struct asc_spec *spec,
          struct asc_error *e)
{
    const struct asci_layer *layer = &s->layers.layer[l];
    const size_t n = layer->n_in * layer->n_out;
    double *w;
    size_t i, scratch;

    if ((s->rule[l] == ZERO || s->rule[l] == EPSILON_RULE) &&
        spec->value[BIAS] != BIAS_NONE)
        return ASC_OK;
    if (set_bias(s, l, spec, e))
        return ASC_ESYSTEM;
    if (s->rule[l] == ALPHA_BETA) {
        s->w[l] = asci_split_weights(layer, e);
    } else {
        w = asci_alloc(n, sizeof *w, e);
        for (i = 0; w && i < n; i++)
            w[i] = changed(s->rule[l], spec->value[GAMMA], layer->w[i]);
        if (w)
            s->w[l] = asci_weights_new(w, s->bias[l], layer->n_out,
                                       layer->n_in, e);
        free(w);
    }
    if (!s->w[l])
        return ASC_ESYSTEM;
    scratch = asci_product_scratch(s->w[l]);
    if (scratch > s->scratch)
        s->scratch = scratch;
    return ASC_OK;
}

/* A contrast is explained by way of the model whose outputs it compares. */
static const asc_model *
whole(const asc_model *m)
{
    return m->whole ? m->whole : m;
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    struct state *s = asci_alloc_zero(1, sizeof *s, e);
    int status;
    size_t l;

    if (!s)
        return ASC_ESYSTEM;
    s->epsilon = t->spec->value[EPSILON];
    s->alpha = t->spec->value[ALPHA];
    status = asci_layers_init(&s->layers, whole(t->model), e);
    if (status == ASC_OK) {
        s->scratch = s->layers.scratch;
        s->rule = asci_alloc(s->layers.n, sizeof *s->rule, e);
        s->w = asci_alloc_zero(s->layers.n, sizeof *s->w, e);
        s->bias = asci_alloc_zero(s->layers.n, sizeof *s->bias, e);
        status = s->rule && s->w && s->bias ? set_rules(s, t->spec, e)
                                            : ASC_ESYSTEM;
    }
    for (l = 0; l < s->layers.n && status == ASC_OK; l++)
        status = set_layer(s, l, t->spec, e);
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
    double *r, *next;           /* relevances of outputs, of inputs */
    double *sums;               /* (2 rows, widest) */
    double *parts;              /* (2 rows, 2 widest) alpha-beta */
    double *scratch;
    double *slope, *y;          /* (2 n_raw), (n_outputs) */
};

static void
free_work(struct work *w)
{
    free(w->columns);
    free(w->z);
    free(w->turns);
    free(w->sums);
    free(w->parts);
    free(w->scratch);
    free(w->slope);
}

static int
make_work(struct work *w, const struct state *s, const asc_model *m, size_t n,
          struct asc_error *e)
{
    const size_t wide = s->layers.widest, neurons = s->layers.neurons;
    const size_t n_raw = s->layers.model->n_raw;
    const size_t most = ROOM / (2 * neurons + 8 * wide) + 1;

    memset(w, 0, sizeof *w);
    w->s = s;
    w->rows = n < most ? n : most;
    w->rows = w->rows < ROWS ? w->rows : ROWS;
    w->columns = asci_alloc(w->rows, m->encoder.n * sizeof *w->columns, e);
    w->z = asci_alloc(w->rows, 2 * neurons * sizeof *w->z, e);
    w->turns = asci_alloc(w->rows, 2 * wide * sizeof *w->turns, e);
    w->sums = asci_alloc(w->rows, 2 * wide * sizeof *w->sums, e);
    w->parts = asci_alloc(w->rows, 4 * wide * sizeof *w->parts, e);
    w->scratch = asci_alloc(s->scratch, sizeof *w->scratch, e);
    w->slope = asci_alloc(2 * n_raw + m->n_outputs, sizeof *w->slope, e);
    if (!w->columns || !w->z || !w->turns || !w->sums || !w->parts ||
        !w->scratch || !w->slope) {
        free_work(w);
        return ASC_ESYSTEM;
    }
    w->a = w->z + w->rows * neurons;
    w->r = w->turns;
    w->next = w->r + w->rows * wide;
    w->y = w->slope + 2 * n_raw;
    return ASC_OK;
}

/* r / z with epsilon added to the size of z, 0 for nothing. */
static double
share(double r, double z, double epsilon)
{
    const double size = z + (z < 0.0 ? -epsilon : epsilon), part = r / size;

    return ((r == 0.0) | (size == 0.0)) ? 0.0 : part;     /* without branches */
}

/* Relevances of the inputs a (n, n_in) of layer l by one set of weights; z
 * (n, n_out) are the layer's own sums. */
static void
divide(struct work *w, size_t l, const double *z, const double *a, size_t n)
{
    const struct state *s = w->s;
    const struct asci_layer *layer = &s->layers.layer[l];
    const struct asci_weights *weights = s->w[l] ? s->w[l] : layer->packed;
    const enum rule rule = s->rule[l];
    const int alike = rule == W_SQUARE || rule == FLAT;
    const double epsilon = rule == ZERO || alike ? 0.0 : s->epsilon;
    size_t i;

    for (i = 0; i < n * layer->n_in && alike; i++)
        w->parts[i] = 1.0;      /* whatever the inputs are */
    if (alike)
        a = w->parts;
    if (s->w[l]) {
        asci_product(weights, a, n, w->sums, w->scratch);
        z = w->sums;
    }
    for (i = 0; i < n * layer->n_out; i++)
        w->r[i] = share(w->r[i], z[i], epsilon);
    asci_product_back(weights, w->r, n, w->next, w->scratch);
    for (i = 0; i < n * layer->n_in; i++)
        w->next[i] *= a[i];
}

/* The same by what is above 0 and what is below. */
static void
divide_signs(struct work *w, size_t l, const double *a, size_t n)
{
    const struct state *s = w->s;
    const size_t n_in = s->layers.layer[l].n_in;
    const size_t n_out = s->layers.layer[l].n_out;
    const double *bias = s->bias[l];
    size_t i, j, k;

    for (i = 0; i < n; i++)
        for (j = 0; j < n_in; j++) {
            double *up = w->parts + i * 2 * n_in;
            double *down = w->parts + (n + i) * 2 * n_in;

            up[j] = down[n_in + j] = fmax(a[i * n_in + j], 0.0);
            up[n_in + j] = down[j] = fmin(a[i * n_in + j], 0.0);
        }
    asci_product(s->w[l], w->parts, 2 * n, w->sums, w->scratch);
    for (i = 0; i < n; i++)
        for (k = 0; k < n_out; k++) {
            double *up = &w->sums[i * n_out + k];
            double *down = &w->sums[(n + i) * n_out + k];

            *up = share(s->alpha * w->r[i * n_out + k], *up + bias[k],
                        s->epsilon);
            *down = -share((s->alpha - 1.0) * w->r[i * n_out + k],
                           *down + bias[n_out + k], s->epsilon);
        }
    asci_product_back(s->w[l], w->sums, 2 * n, w->parts, w->scratch);
    for (i = 0; i < n; i++)
        for (j = 0; j < n_in; j++) {
            const double *up = w->parts + i * 2 * n_in;
            const double *down = w->parts + (n + i) * 2 * n_in;
            const double v = a[i * n_in + j];

            w->next[i * n_in + j] = v * (v > 0.0 ? up[j] + down[n_in + j]
                                                 : up[n_in + j] + down[j]);
        }
}

/* What raw outputs r (n_raw) start with for output k of the task's model. */
static void
start(struct work *w, const asc_model *m, size_t k, const double *r,
      double *relevance)
{
    const asc_model *all = w->s->layers.model;
    double *other = w->slope + all->n_raw;
    size_t j;

    asci_output_slopes(all, ASC_RAW, r, m->whole ? m->of[k] : k, w->slope);
    if (m->whole)
        asci_output_slopes(all, ASC_RAW, r, m->against[k], other);
    for (j = 0; j < all->n_raw; j++) {
        const double slope = w->slope[j] - (m->whole ? other[j] : 0.0);

        relevance[j] = slope == 0.0 ? 0.0 : slope * r[j];
    }
}

/* Relevances of the columns, next (n, n_columns), of outputs output[i * q]. */
static void
way_back(struct work *w, const asc_model *m, size_t n, const size_t *output,
         size_t q)
{
    const struct asci_layers *t = &w->s->layers;
    const size_t n_raw = t->model->n_raw;
    const double *raw = w->a + (t->neurons - n_raw) * n;
    size_t i, l, first = t->neurons;
    double *swap;

    for (i = 0; i < n; i++)
        start(w, m, output[i * q], raw + i * n_raw, w->r + i * n_raw);
    for (l = t->n; l-- > 0;) {
        const double *in = w->columns;

        first -= t->layer[l].n_out;
        if (l > 0)
            in = w->a + (first - t->layer[l].n_in) * n;
        if (w->s->rule[l] == ALPHA_BETA)
            divide_signs(w, l, in, n);
        else
            divide(w, l, w->z + first * n, in, n);
        swap = w->r;
        w->r = w->next;
        w->next = swap;
    }
    swap = w->r;
    w->r = w->next;
    w->next = swap;
}

static void
run_rows(struct work *w, const struct asc_task *t, struct asc_explain *b,
         size_t first, size_t n)
{
    const struct state *s = w->s;
    const asc_model *m = t->model;
    const size_t d = b->d, q = b->q, c = m->encoder.n;
    size_t i, j, k;

    asci_encode(&m->encoder, d, b->x + first * d, n, w->columns);
    asci_layers_run(&s->layers, w->columns, n, w->z, w->a, w->scratch);
    for (i = 0; i < n && !m->whole; i++) {
        asci_outputs(m, t->scale, w->a + (s->layers.neurons - m->n_raw) * n +
                     i * m->n_raw, 1, w->y);
        for (k = 0; k < q; k++)
            b->value[(first + i) * q + k] =
                w->y[b->output[(first + i) * q + k]];
    }
    for (k = 0; k < q; k++) {
        way_back(w, m, n, b->output + first * q + k, q);
        for (i = 0; i < n; i++) {
            const size_t at = (first + i) * q + k;
            double *phi = b->phi + at * d, sum = 0.0;

            memset(phi, 0, d * sizeof *phi);
            for (j = 0; j < c; j++)
                if (m->encoder.column[j].n_factors > 0)
                    phi[m->encoder.column[j].factor[0].field] +=
                        w->next[i * c + j];
            for (j = 0; j < d; j++)
                sum += phi[j];
            b->base[at] = b->value[at] - sum;
            for (j = 0; j < d && isnan(b->value[at]); j++)
                phi[j] = NAN;
        }
    }
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    struct work w;
    size_t i, now;
    int status;

    status = make_work(&w, state, t->model, b->n, e);
    if (status == ASC_OK && t->model->whole)
        status = asci_values(t->model, t->scale, b->x, b->n, b->output, b->q,
                             b->value, e);
    if (status != ASC_OK)
        return status;
    for (i = 0; i < b->n; i += now) {
        now = b->n - i < w.rows ? b->n - i : w.rows;
        run_rows(&w, t, b, i, now);
    }
    free_work(&w);
    return ASC_OK;
}

/* Relevance of a column goes to its field. */
static int
serves(const asc_model *m, enum asc_scale scale, struct asc_error *e)
{
    size_t c, k;
    int status = asci_before_link(m, scale, e);

    for (c = 0; c < m->encoder.n && status == ASC_OK; c++) {
        const struct asci_column *column = &m->encoder.column[c];

        for (k = 1; k < column->n_factors && status == ASC_OK; k++)
            if (column->factor[k].field != column->factor[0].field)
                status = asc_fail(e, ASC_EUSAGE, "gives a column to one "
                                  "field, and derived field \"%s\" combines "
                                  "several", column->name ? column->name
                                  : "(without name)");
    }
    return status;
}

const struct asc_method asci_method_lrp = {
    .entry = {
        .name = "lrp",
        .title = "the output itself, divided among the inputs of each layer "
                 "in turn",
        .source = "Bach et al. 2015, doi:10.1371/journal.pone.0130140; "
                  "Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_GRADIENT | ASC_EXACT
    },
    .prepare = prepare,
    .run = run,
    .finish = finish,
    .serves = serves
};
