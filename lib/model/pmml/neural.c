/* model/pmml/neural.c -- NeuralNetwork: dense layers over columns.
 *
 *     z_j = bias_j + sum weight_ij a_i,   a_j = activation(z_j)
 *
 * (PMML 4.4, Neural Network.)  Layers have weights for all of the layer before
 * them.  A connection from further back asks for that neuron to be carried
 * through the layers between, which identity and rectifier layers can do
 * (x = max(x, 0) - max(-x, 0)) and others cannot.  softmax and simplemax of
 * the last layer are the model's link, and so is the logistic function of the
 * last layer of a classifier.  A regression's output goes back through its
 * normalisation: a line through one more linear layer, lines with several
 * pieces through a rectifier layer before it:
 *
 *     y(z) = y_1 - s_0 max(k_1 - z, 0) + s_1 max(z - k_1, 0)
 *                + sum_i>1 (s_i - s_i-1) max(z - k_i, 0)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

static const char *const activations[] = {
    "identity", "logistic", "tanh", "rectifier", "threshold", "exponential",
    "reciprocal", "square", "Gauss", "sine", "cosine", "Elliott", "arctan",
    NULL
};
static const enum asci_activation activation_of[] = {
    ASCI_IDENTITY, ASCI_LOGISTIC, ASCI_TANH, ASCI_RELU, ASCI_THRESHOLD,
    ASCI_EXPONENTIAL, ASCI_RECIPROCAL, ASCI_SQUARE, ASCI_GAUSS, ASCI_SINE,
    ASCI_COSINE, ASCI_ELLIOTT, ASCI_ARCTAN
};
static const char *const normalizations[] = {
    "none", "simplemax", "softmax", NULL
};

#define NO_PLACE SIZE_MAX

struct neuron {
    uint32_t element;
    size_t layer;               /* 0: an input */
    size_t last_use;            /* the last layer that reads it */
    size_t place;               /* in the layer at hand, NO_PLACE: not there */
    size_t negative;            /* its value is place - negative, if any */
};

struct reader {
    struct pmml *p;
    uint32_t model;
    struct pmml_fragment *f;
    struct pmml_map ids;        /* id -> neuron */
    struct neuron *neuron;
    size_t n_neurons, room_neurons;
    uint32_t *layer;            /* (n_layers) elements */
    size_t n_layers;
    size_t *list, *next;        /* (room) neurons that the layer at hand, and
                                   the one before it, hold */
    size_t n_list, width;
    int normalization;
    const struct pmml_scope *scope;
};

/* ---- neurons ---- */

static int
add_neuron(struct reader *r, uint32_t element, size_t layer)
{
    struct pmml *p = r->p;
    const char *id;
    uint32_t found;
    int status;

    if ((status = asci_pmml_required(p, element, PMML_id, &id)))
        return status;
    if (asci_pmml_map_find(&r->ids, id, &found))
        return asci_pmml_fail(p, element, "%s: id \"%s\" is there twice",
                              asci_pmml_name(p, element), id);
    if ((status = asci_pmml_grow(&r->neuron, r->n_neurons, &r->room_neurons,
                                 sizeof *r->neuron, p->e)))
        return status;
    memset(&r->neuron[r->n_neurons], 0, sizeof *r->neuron);
    r->neuron[r->n_neurons].element = element;
    r->neuron[r->n_neurons].layer = layer;
    r->neuron[r->n_neurons].place = NO_PLACE;
    r->neuron[r->n_neurons].negative = NO_PLACE;
    return asci_pmml_map_add(&r->ids, id, (uint32_t)r->n_neurons++, p->e);
}

/* The neuron to which the attribute `name` refers. */
static int
find_neuron(const struct reader *r, uint32_t element, enum pmml_name name,
            size_t before, size_t *neuron)
{
    const char *id;
    uint32_t found;
    int status = asci_pmml_required(r->p, element, name, &id);

    if (status != ASC_OK)
        return status;
    if (!asci_pmml_map_find(&r->ids, id, &found))
        return asci_pmml_fail(r->p, element, "%s: there is no neuron \"%s\"",
                              asci_pmml_name(r->p, element), id);
    if (r->neuron[found].layer >= before)
        return asci_pmml_fail(r->p, element, "%s: neuron \"%s\" is not of an "
                              "earlier layer", asci_pmml_name(r->p, element),
                              id);
    *neuron = found;
    return ASC_OK;
}

static int
read_input(struct reader *r, const struct pmml_context *c, uint32_t element,
           uint32_t *column)
{
    struct pmml *p = r->p;
    const uint32_t t = asci_pmml_child(p, element, PMML_DerivedField);
    struct pmml_value v = { .field = PMML_NO_FIELD };
    int status = add_neuron(r, element, 0);

    if (status != ASC_OK)
        return status;
    if (!t)
        return asci_pmml_fail(p, element, "NeuralInput: there is no "
                              "DerivedField");
    status = asci_pmml_derived(p, c->scope, t, NULL, &v);
    if (status == ASC_OK)
        status = asci_pmml_to_numbers(p, t, "", &v);
    if (status == ASC_OK)
        status = asci_pmml_share(p, &v.column, column);
    asci_pmml_value_clear(&v);
    return status;
}

static int
read_inputs(struct reader *r, const struct pmml_context *c, uint32_t inputs)
{
    struct pmml *p = r->p;
    struct pmml_fragment *f = r->f;
    size_t n = 0;
    uint32_t t;
    int status;

    for (t = p->doc.element[inputs].child; t; t = p->doc.element[t].next, n++)
        if (p->doc.element[t].name != PMML_NeuralInput)
            return asci_pmml_unsupported(p, t, "NeuralInputs", "NeuralInput");
    if (n == 0)
        return asci_pmml_fail(p, inputs, "NeuralInputs: there is no "
                              "NeuralInput");
    if ((status = asci_pmml_count(p, inputs, PMML_numberOfInputs, n)))
        return status;
    if (!(f->input = asci_alloc(n, sizeof *f->input, p->e)))
        return ASC_ESYSTEM;
    for (t = p->doc.element[inputs].child; t; t = p->doc.element[t].next)
        if ((status = read_input(r, c, t, &f->input[f->n_inputs++])))
            return status;
    return ASC_OK;
}

/* All neurons by name, and the last layer that reads each. */
static int
read_neurons(struct reader *r)
{
    struct pmml *p = r->p;
    const struct pmml_element *e = p->doc.element;
    uint32_t t, con;
    size_t l, n, from;
    int status;

    for (l = 0; l < r->n_layers; l++) {
        if (!e[r->layer[l]].child)
            return asci_pmml_fail(p, r->layer[l], "NeuralLayer: there is no "
                                  "Neuron");
        for (n = 0, t = e[r->layer[l]].child; t; t = e[t].next, n++) {
            if (e[t].name != PMML_Neuron)
                return asci_pmml_unsupported(p, t, "NeuralLayer", "Neuron");
            if ((status = add_neuron(r, t, l + 1)))
                return status;
            for (con = e[t].child; con; con = e[con].next) {
                if (e[con].name != PMML_Con)
                    return asci_pmml_unsupported(p, con, "Neuron", "Con");
                if ((status = find_neuron(r, con, PMML_from, l + 1, &from)))
                    return status;
                r->neuron[from].last_use = l + 1;
            }
        }
        if ((status = asci_pmml_count(p, r->layer[l], PMML_numberOfNeurons,
                                      n)))
            return status;
    }
    return ASC_OK;
}

static int
read_structure(struct reader *r, const struct pmml_context *c)
{
    struct pmml *p = r->p;
    const struct pmml_element *e = p->doc.element;
    uint32_t t, inputs = 0, outputs = 0;
    size_t n = 0;
    int status;

    for (t = e[r->model].child; t; t = e[t].next)
        if (e[t].name == PMML_NeuralLayer)
            n++;
        else if (e[t].name == PMML_NeuralInputs && !inputs)
            inputs = t;
        else if (e[t].name == PMML_NeuralOutputs && !outputs)
            outputs = t;
        else if (!asci_pmml_is_common(p, t))
            return asci_pmml_unsupported(p, t, "NeuralNetwork",
                                         "NeuralInputs, NeuralLayer, "
                                         "NeuralOutputs");
    if (!inputs || !outputs || n == 0)
        return asci_pmml_fail(p, r->model, "NeuralNetwork: there is no %s",
                              !inputs ? "NeuralInputs"
                              : !outputs ? "NeuralOutputs" : "NeuralLayer");
    if (!(r->layer = asci_pmml_keep(p, n, sizeof *r->layer)))
        return ASC_ESYSTEM;
    for (t = e[r->model].child; t; t = e[t].next)
        if (e[t].name == PMML_NeuralLayer)
            r->layer[r->n_layers++] = t;
    if ((status = read_inputs(r, c, inputs)) || (status = read_neurons(r)))
        return status;
    r->list = asci_pmml_keep(p, r->n_neurons, sizeof *r->list);
    r->next = asci_pmml_keep(p, r->n_neurons, sizeof *r->next);
    return r->list && r->next ? ASC_OK : ASC_ESYSTEM;
}

/* ---- layers ---- */

static int
read_activation(struct reader *r, uint32_t layer, int *activation,
                double *threshold)
{
    struct pmml *p = r->p;
    const uint32_t at = asci_pmml_attribute(p, layer, PMML_activationFunction)
                        ? layer : r->model;
    const uint32_t level = asci_pmml_attribute(p, layer, PMML_threshold)
                           ? layer : r->model;
    int status, normalization;

    if (!asci_pmml_attribute(p, at, PMML_activationFunction))
        return asci_pmml_fail(p, layer, "NeuralLayer: attribute "
                              "activationFunction is missing");
    if ((status = asci_pmml_choice(p, at, PMML_activationFunction,
                                   activations, 0, activation)) ||
        (status = asci_pmml_number_or(p, level, PMML_threshold, 0.0,
                                      threshold)) ||
        (status = asci_pmml_choice(p, layer, PMML_normalizationMethod,
                                   normalizations, 0, &normalization)))
        return status;
    if (normalization && layer != r->layer[r->n_layers - 1])
        return asci_pmml_fail(p, layer, "NeuralLayer: normalizationMethod is "
                              "only supported of the last layer");
    return ASC_OK;
}

static int
make_layer(struct reader *r, struct asci_layer *l, size_t n_in, size_t n_out,
           size_t n_con, uint32_t element)
{
    const size_t few = (size_t)1 << 24;

    /* Few connections must not become a matrix that fills the memory. */
    if (n_in > SIZE_MAX / sizeof(double) / n_out ||
        (n_in * n_out > few && n_in * n_out / 16 > n_con))
        return asci_pmml_fail(r->p, element, "NeuralLayer: %zu connections "
                              "of %zu neurons with %zu are too few for a "
                              "matrix", n_con, n_out, n_in);
    l->n_in = n_in;
    l->n_out = n_out;
    l->w = asci_alloc_zero(n_in * n_out, sizeof *l->w, r->p->e);
    l->b = asci_alloc_zero(n_out, sizeof *l->b, r->p->e);
    return l->w && l->b ? ASC_OK : ASC_ESYSTEM;
}

static void
connect(struct asci_layer *l, size_t to, const struct neuron *from, double w)
{
    l->w[to * l->n_in + from->place] += w;
    if (from->negative != NO_PLACE)
        l->w[to * l->n_in + from->negative] -= w;
}

static int
connect_neuron(struct reader *r, struct asci_layer *l, size_t to, size_t layer,
               uint32_t element)
{
    struct pmml *p = r->p;
    uint32_t con;
    size_t from;
    double w;
    int status;

    if ((status = asci_pmml_number_or(p, element, PMML_bias, 0.0,
                                      &l->b[to])))
        return status;
    for (con = p->doc.element[element].child; con;
         con = p->doc.element[con].next) {
        if ((status = find_neuron(r, con, PMML_from, layer, &from)) ||
            (status = asci_pmml_number(p, con, PMML_weight, &w)))
            return status;
        connect(l, to, &r->neuron[from], w);
    }
    return ASC_OK;
}

/* Rows of this layer that carry what later layers read, and where the neurons
 * of the layer stand: the list for the next layer. */
static int
carry(struct reader *r, struct asci_layer *l, size_t layer, size_t row)
{
    const int relu = l->activation == ASCI_RELU;
    size_t i, n = 0;

    for (i = 0; i < r->n_list; i++) {
        struct neuron *t = &r->neuron[r->list[i]];
        const struct neuron old = *t;

        if (t->last_use <= layer) {
            t->place = NO_PLACE;
            continue;
        }
        t->place = row;
        connect(l, row++, &old, 1.0);
        t->negative = NO_PLACE;
        if (relu) {
            t->negative = row;
            connect(l, row++, &old, -1.0);
        }
        r->next[n++] = r->list[i];
    }
    r->n_list = n;
    return ASC_OK;
}

static int
read_layer(struct reader *r, size_t layer, struct asci_layer *l)
{
    struct pmml *p = r->p;
    const uint32_t element = r->layer[layer - 1];
    size_t i, n_new = 0, n_con = 0, n_carried = 0, *swap;
    uint32_t t, con, found;
    int activation, status;

    if ((status = read_activation(r, element, &activation, &l->threshold)))
        return status;
    l->activation = activation_of[activation];
    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next) {
        n_new++;
        for (con = p->doc.element[t].child; con;
             con = p->doc.element[con].next)
            n_con++;
    }
    for (i = 0; i < r->n_list; i++)
        n_carried += r->neuron[r->list[i]].last_use > layer;
    if (n_carried && l->activation != ASCI_IDENTITY &&
        l->activation != ASCI_RELU)
        return asci_pmml_fail(p, element, "NeuralLayer: connections that skip "
                              "a layer of activationFunction \"%s\" are not "
                              "supported (supported: identity, rectifier)",
                              activations[activation]);
    if (l->activation == ASCI_RELU)
        n_carried *= 2;
    if ((status = make_layer(r, l, r->width, n_new + n_carried,
                             n_con + n_carried, element)))
        return status;
    for (i = 0, t = p->doc.element[element].child; t;
         t = p->doc.element[t].next, i++)
        if ((status = connect_neuron(r, l, i, layer, t)))
            return status;
    carry(r, l, layer, n_new);
    for (i = 0, t = p->doc.element[element].child; t;
         t = p->doc.element[t].next, i++) {
        asci_pmml_map_find(&r->ids, asci_pmml_attribute(p, t, PMML_id),
                           &found);
        r->neuron[found].place = i;
        r->next[r->n_list++] = found;
    }
    swap = r->list;
    r->list = r->next;
    r->next = swap;
    r->width = n_new + n_carried;
    return ASC_OK;
}

/* Two more layers may be needed to undo a normalisation. */
static int
read_layers(struct reader *r)
{
    struct pmml_fragment *f = r->f;
    size_t i;
    int status;

    f->layer = asci_alloc_zero(r->n_layers + 2, sizeof *f->layer, r->p->e);
    if (!f->layer)
        return ASC_ESYSTEM;
    for (i = 0; i < f->n_inputs; i++) {
        r->neuron[i].place = i;
        r->list[r->n_list++] = i;
    }
    r->width = f->n_inputs;
    for (i = 0; i < r->n_layers; i++) {
        f->n_layers = i + 1;
        if ((status = read_layer(r, i + 1, &f->layer[i])))
            return status;
    }
    return ASC_OK;
}

/* ---- outputs ---- */

static uint32_t
outputs_of(const struct reader *r)
{
    return asci_pmml_child(r->p, r->model, PMML_NeuralOutputs);
}

/* Outputs must live until after the last layer. */
static int
use_outputs(struct reader *r)
{
    struct pmml *p = r->p;
    const uint32_t outputs = outputs_of(r);
    uint32_t t;
    size_t neuron;
    int status;

    if (!p->doc.element[outputs].child)
        return asci_pmml_fail(p, outputs, "NeuralOutputs: there is no "
                              "NeuralOutput");
    for (t = p->doc.element[outputs].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_NeuralOutput)
            return asci_pmml_unsupported(p, t, "NeuralOutputs",
                                         "NeuralOutput");
        if ((status = find_neuron(r, t, PMML_outputNeuron, r->n_layers + 1,
                                  &neuron)))
            return status;
        r->neuron[neuron].last_use = r->n_layers + 1;
    }
    return ASC_OK;
}

/* What an output is of is the target, under whichever name it has here. */
static int
check_field(const struct reader *r, uint32_t expression)
{
    const struct pmml *p = r->p;
    const char *field = asci_pmml_attribute(p, expression, PMML_field);
    const char *target = asci_pmml_target(p, r->model);
    uint32_t data;

    if (!field || asci_pmml_map_find(&p->dictionary, field, &data) ||
        asci_pmml_look_up(r->scope, field))
        return ASC_OK;
    if (target)
        return asci_pmml_fail(p, expression, "%s: there is no field \"%s\"; "
                              "the model's target is \"%s\"",
                              asci_pmml_name(p, expression), field, target);
    return asci_pmml_fail(p, expression, "%s: there is no field \"%s\"",
                          asci_pmml_name(p, expression), field);
}

/* The neuron of a NeuralOutput, and the expression that says of what. */
static int
output_of(const struct reader *r, uint32_t element, const char *list,
          const struct neuron **neuron, uint32_t *expression)
{
    const struct pmml *p = r->p;
    const uint32_t derived = asci_pmml_child(p, element, PMML_DerivedField);
    size_t found = 0;
    int status = find_neuron(r, element, PMML_outputNeuron, r->n_layers + 1,
                             &found);

    if (status != ASC_OK)
        return status;
    *neuron = &r->neuron[found];
    *expression = derived ? p->doc.element[derived].child : 0;
    if (!*expression)
        return asci_pmml_fail(p, element, "NeuralOutput: there is no "
                              "expression (supported: %s)", list);
    return check_field(r, *expression);
}

/* The class that an output neuron stands for. */
static int
read_class(struct reader *r, const struct pmml_classes *classes, uint32_t t,
           size_t *k, const struct neuron **neuron)
{
    struct pmml *p = r->p;
    const char *value;
    uint32_t expression;
    int status;

    if ((status = output_of(r, t, "NormDiscrete", neuron, &expression)))
        return status;
    if (p->doc.element[expression].name != PMML_NormDiscrete)
        return asci_pmml_unsupported(p, expression,
                                     "NeuralOutput of a classification",
                                     "NormDiscrete");
    if ((status = asci_pmml_required(p, expression, PMML_value, &value)) ||
        (status = asci_pmml_class(p, classes, value, k)))
        return status;
    return *k == PMML_NO_FIELD
           ? asci_pmml_fail(p, expression, "NormDiscrete: \"%s\" is not a "
                            "class of the target", value) : ASC_OK;
}

/* One output neuron of two classes: the other one has the rest. */
static int
complement(struct reader *r, const struct pmml_classes *classes, size_t k,
           size_t raw)
{
    struct pmml_fragment *f = r->f;
    int status = asci_pmml_class_outputs(r->p, f, classes, NULL, 2);

    if (status != ASC_OK)
        return status;
    f->output[0].raw = f->output[1].raw = raw;
    f->output[1 - k].sign = -1.0;
    f->output[1 - k].complement = 1;
    return ASC_OK;
}

/* Whether the last layer only makes a and 1 - a of one neuron, for class *k
 * and the other one, as exporters of networks with one output write it. */
static int
is_pair(const struct pmml_fragment *f, const size_t *raw, size_t *k)
{
    const struct asci_layer *l = &f->layer[f->n_layers - 1];

    if (f->n_layers < 2 || l->activation != ASCI_IDENTITY || l->n_in != 1 ||
        l->n_out != 2)
        return 0;
    for (*k = 0; *k < 2; ++*k)
        if (l->w[raw[*k]] == 1.0 && l->b[raw[*k]] == 0.0 &&
            l->w[raw[1 - *k]] == -1.0 && l->b[raw[1 - *k]] == 1.0)
            return 1;
    return 0;
}

static void
drop_last_layer(struct pmml_fragment *f)
{
    struct asci_layer *l = &f->layer[--f->n_layers];

    free(l->w);
    free(l->b);
    memset(l, 0, sizeof *l);
}

static int
many_classes(struct reader *r, const struct pmml_classes *classes, size_t n,
             const size_t *raw)
{
    size_t *of = asci_pmml_keep(r->p, n, sizeof *of), i, j;
    int status;

    if (!of)
        return ASC_ESYSTEM;
    for (i = j = 0; i < classes->n; i++)
        if (raw[i] != NO_PLACE)
            of[j++] = i;
    if ((status = asci_pmml_class_outputs(r->p, r->f, classes, of, n)))
        return status;
    for (i = 0; i < n; i++)
        r->f->output[i].raw = raw[of[i]];
    return ASC_OK;
}

static int
classification(struct reader *r, const struct pmml_context *c)
{
    struct pmml *p = r->p;
    struct pmml_fragment *f = r->f;
    struct asci_layer *last = &f->layer[f->n_layers - 1];
    const struct pmml_classes *classes;
    const struct neuron *neuron;
    size_t i, k, n = 0, *raw, only = 0;
    uint32_t t;
    int status;

    if ((status = asci_pmml_classes(p, r->model, c->classes, &classes)))
        return status;
    if (!(raw = asci_pmml_keep(p, classes->n, sizeof *raw)))
        return ASC_ESYSTEM;
    for (i = 0; i < classes->n; i++)
        raw[i] = NO_PLACE;
    for (t = p->doc.element[outputs_of(r)].child; t;
         t = p->doc.element[t].next, n++) {
        if ((status = read_class(r, classes, t, &k, &neuron)))
            return status;
        if (raw[k] != NO_PLACE)
            return asci_pmml_fail(p, t, "NeuralOutput: class \"%s\" is there "
                                  "twice", classes->name[k]);
        if (neuron->negative != NO_PLACE)
            return asci_pmml_fail(p, t, "NeuralOutput: a neuron of an earlier "
                                  "layer is not supported");
        raw[k] = neuron->place;
        only = k;
    }
    if (n == 2 && classes->n == 2 && !r->normalization &&
        is_pair(f, raw, &k)) {
        drop_last_layer(f);
        last = &f->layer[f->n_layers - 1];
        status = complement(r, classes, k, 0);
    } else if (n == 1 && classes->n == 2) {
        status = complement(r, classes, only, raw[only]);
    } else {
        status = many_classes(r, classes, n, raw);
    }
    if (status != ASC_OK)
        return status;
    f->n_raw = last->n_out;
    if (r->normalization) {
        if (n != last->n_out || n < 2)
            return asci_pmml_fail(p, outputs_of(r), "NeuralOutputs: %zu "
                                  "outputs of a normalised layer of %zu "
                                  "neurons", n, last->n_out);
        f->link = r->normalization == 2 ? ASCI_LINK_SOFTMAX
                                        : ASCI_LINK_SIMPLEMAX;
    } else if (last->activation == ASCI_LOGISTIC) {
        last->activation = ASCI_IDENTITY;
        f->link = ASCI_LINK_LOGIT;
    }
    return ASC_OK;
}

/* ---- regression: back through the normalisation of the target ---- */

struct pieces {
    double *x, *y;              /* (n) normalised, original, x rising */
    size_t n;
};

static int
read_pieces(struct pmml *p, uint32_t element, struct pieces *s)
{
    static const char *const choices[] = { "asIs", NULL };
    uint32_t t = p->doc.element[element].child;
    size_t i;
    int outliers, status;

    if ((status = asci_pmml_choice(p, element, PMML_outliers, choices, 0,
                                   &outliers)))
        return status;
    for (s->n = 0; t; t = p->doc.element[t].next, s->n++)
        if (p->doc.element[t].name != PMML_LinearNorm)
            return asci_pmml_unsupported(p, t, "NormContinuous",
                                         "LinearNorm");
    if (s->n < 2)
        return asci_pmml_fail(p, element, "NormContinuous: %zu LinearNorm "
                              "elements, want at least 2", s->n);
    s->x = asci_pmml_keep(p, s->n, sizeof *s->x);
    s->y = asci_pmml_keep(p, s->n, sizeof *s->y);
    if (!s->x || !s->y)
        return ASC_ESYSTEM;
    for (i = 0, t = p->doc.element[element].child; t;
         t = p->doc.element[t].next, i++)
        if ((status = asci_pmml_number(p, t, PMML_norm, &s->x[i])) ||
            (status = asci_pmml_number(p, t, PMML_orig, &s->y[i])))
            return status;
    if (s->x[0] > s->x[1])
        for (i = 0; i < s->n / 2; i++) {
            const double x = s->x[i], y = s->y[i];

            s->x[i] = s->x[s->n - 1 - i];
            s->y[i] = s->y[s->n - 1 - i];
            s->x[s->n - 1 - i] = x;
            s->y[s->n - 1 - i] = y;
        }
    for (i = 1; i < s->n; i++)
        if (!(s->x[i - 1] < s->x[i]))
            return asci_pmml_fail(p, element, "NormContinuous: the norm "
                                  "values of an output must rise or fall");
    return ASC_OK;
}

static double
slope(const struct pieces *s, size_t i)
{
    return (s->y[i + 1] - s->y[i]) / (s->x[i + 1] - s->x[i]);
}

/* A linear layer with one neuron after the last one. */
static int
append_sum(struct reader *r, struct asci_layer **out)
{
    struct pmml_fragment *f = r->f;
    struct asci_layer *l = &f->layer[f->n_layers];
    const size_t n_in = f->layer[f->n_layers - 1].n_out;
    int status = make_layer(r, l, n_in, 1, n_in, r->model);

    f->n_layers++;
    *out = l;
    return status;
}

static int
append_pieces(struct reader *r, const struct neuron *neuron,
              const struct pieces *s)
{
    struct pmml_fragment *f = r->f;
    const size_t n_in = f->layer[f->n_layers - 1].n_out;
    struct asci_layer *l = &f->layer[f->n_layers];
    size_t i;
    int status;

    status = make_layer(r, l, n_in, s->n - 1, n_in * (s->n - 1), r->model);
    f->n_layers++;
    if (status != ASC_OK)
        return status;
    l->activation = ASCI_RELU;
    connect(l, 0, neuron, -1.0);
    l->b[0] = s->x[1];
    for (i = 1; i + 1 < s->n; i++) {
        connect(l, i, neuron, 1.0);
        l->b[i] = -s->x[i];
    }
    if ((status = append_sum(r, &l)))
        return status;
    l->b[0] = s->y[1];
    l->w[0] = -slope(s, 0);
    l->w[1] = slope(s, 1);
    for (i = 2; i + 1 < s->n; i++)
        l->w[i] = slope(s, i) - slope(s, i - 1);
    return ASC_OK;
}

/* y = a z + b of the output neuron: taken into the last layer's weights, or
 * one more layer. */
static int
append_line(struct reader *r, const struct neuron *neuron, double a, double b)
{
    struct pmml_fragment *f = r->f;
    struct asci_layer *l = &f->layer[f->n_layers - 1];
    size_t i;
    int status;

    if (l->n_out == 1 && l->activation == ASCI_IDENTITY) {
        for (i = 0; i < l->n_in; i++)
            l->w[i] *= a;
        l->b[0] = a * l->b[0] + b;
        return ASC_OK;
    }
    if (l->n_out == 1 && a == 1.0 && b == 0.0)
        return ASC_OK;
    if ((status = append_sum(r, &l)))
        return status;
    connect(l, 0, neuron, a);
    l->b[0] = b;
    return ASC_OK;
}

static int
regression(struct reader *r)
{
    static const char list[] = "FieldRef, NormContinuous";
    struct pmml *p = r->p;
    const uint32_t t = p->doc.element[outputs_of(r)].child;
    const struct neuron *neuron;
    struct pieces s = { NULL, NULL, 0 };
    uint32_t expression;
    int status;

    if (p->doc.element[t].next)
        return asci_pmml_fail(p, p->doc.element[t].next, "NeuralOutput: "
                              "several outputs of a regression are not "
                              "supported");
    if (r->normalization)
        return asci_pmml_fail(p, r->model, "NeuralNetwork: "
                              "normalizationMethod \"%s\" is of "
                              "classifications only",
                              normalizations[r->normalization]);
    if ((status = output_of(r, t, list, &neuron, &expression)))
        return status;
    if (p->doc.element[expression].name == PMML_FieldRef) {
        status = append_line(r, neuron, 1.0, 0.0);
    } else if (p->doc.element[expression].name == PMML_NormContinuous) {
        if ((status = read_pieces(p, expression, &s)))
            return status;
        if (s.n == 2)
            status = append_line(r, neuron, slope(&s, 0),
                                 s.y[0] - s.x[0] * slope(&s, 0));
        else
            status = append_pieces(r, neuron, &s);
    } else {
        return asci_pmml_unsupported(p, expression,
                                     "NeuralOutput of a regression", list);
    }
    return status ? status : asci_pmml_number_output(p, r->f, r->model);
}

static int
read_network(struct reader *r, const struct pmml_context *c)
{
    struct pmml *p = r->p;
    uint32_t last;
    int classifies, status;

    if ((status = asci_pmml_classifies(p, r->model, &classifies)) ||
        (status = read_structure(r, c)) || (status = use_outputs(r)) ||
        (status = read_layers(r)))
        return status;
    last = r->layer[r->n_layers - 1];
    if (!asci_pmml_attribute(p, last, PMML_normalizationMethod))
        last = r->model;
    if ((status = asci_pmml_choice(p, last, PMML_normalizationMethod,
                                   normalizations, 0, &r->normalization)))
        return status;
    return classifies ? classification(r, c) : regression(r);
}

int
asci_pmml_neural(struct pmml *p, uint32_t element,
                 const struct pmml_context *c, struct pmml_fragment *f)
{
    struct reader r = {
        .p = p, .model = element, .f = f, .scope = c->scope
    };
    int status;

    f->form = ASC_FORM_NETWORK;
    status = read_network(&r, c);
    asci_pmml_map_free(&r.ids);
    free(r.neuron);
    return status;
}
