/* model/pmml/write_network.c -- the network form as a NeuralNetwork.
 *
 * Every term of a column is an input neuron.  Links that PMML has as
 * activations of the last layer are written as such; two classes that share
 * one output get a layer of two neurons, p and 1 - p, as scikit-learn's
 * exporter writes them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model/pmml/write.h"

static const char *
activation_name(enum asci_activation a)
{
    static const char *const name[] = {
        [ASCI_IDENTITY] = "identity", [ASCI_LOGISTIC] = "logistic",
        [ASCI_TANH] = "tanh", [ASCI_RELU] = "rectifier",
        [ASCI_THRESHOLD] = "threshold", [ASCI_EXPONENTIAL] = "exponential",
        [ASCI_RECIPROCAL] = "reciprocal", [ASCI_SQUARE] = "square",
        [ASCI_GAUSS] = "Gauss", [ASCI_SINE] = "sine",
        [ASCI_COSINE] = "cosine", [ASCI_ELLIOTT] = "Elliott",
        [ASCI_ARCTAN] = "arctan"
    };

    return name[a];
}

/* ---- neurons ---- */

static void
set_id(struct pmml_writer *w, const char *attribute, size_t layer, size_t i)
{
    char id[48];

    snprintf(id, sizeof id, "%zu,%zu", layer, i);
    asci_pmml_set(w, attribute, id);
}

static void
write_connection(struct pmml_writer *w, size_t layer, size_t i, double weight)
{
    asci_pmml_begin(w, "Con");
    set_id(w, "from", layer, i);
    asci_pmml_set_number(w, "weight", weight);
    asci_pmml_empty(w);
}

static void
begin_layer(struct pmml_writer *w, size_t n, enum asci_activation a)
{
    asci_pmml_begin(w, "NeuralLayer");
    asci_pmml_set_size(w, "numberOfNeurons", n);
    asci_pmml_set(w, "activationFunction", activation_name(a));
}

static void
begin_neuron(struct pmml_writer *w, size_t layer, size_t i, double bias)
{
    asci_pmml_begin(w, "Neuron");
    set_id(w, "id", layer, i);
    asci_pmml_set_number(w, "bias", bias);
    asci_pmml_inside(w);
}

/* ---- inputs ---- */

static void
write_input(struct pmml_writer *w, size_t i, const struct pmml_term *t)
{
    const int single = t->n == 1 &&
                       asci_pmml_part_is_single(&w->part[t->first]);

    asci_pmml_begin(w, "NeuralInput");
    set_id(w, "id", 0, i);
    asci_pmml_inside(w);
    asci_pmml_begin(w, "DerivedField");
    asci_pmml_set(w, "optype", "continuous");
    asci_pmml_set(w, "dataType", single ? "float" : "double");
    asci_pmml_inside(w);
    asci_pmml_term_expression(w, t);
    asci_pmml_end_element(w, "DerivedField");
    asci_pmml_end_element(w, "NeuralInput");
}

static void
write_inputs(struct pmml_writer *w)
{
    const struct pmml_term nothing = { 0.0, 0, 0 };
    size_t i, n = 0;

    for (i = 0; i < w->n_terms; i++)
        n += w->term[i].n > 0;
    asci_pmml_begin(w, "NeuralInputs");
    asci_pmml_set_size(w, "numberOfInputs", n ? n : 1);
    asci_pmml_inside(w);
    for (i = 0; i < w->n_terms; i++)
        if (w->term[i].n > 0)
            write_input(w, i, &w->term[i]);
    /* A network without inputs is given one that leads nowhere. */
    if (n == 0)
        write_input(w, w->n_terms, &nothing);
    asci_pmml_end_element(w, "NeuralInputs");
}

/* A neuron of the first layer: weights of terms, constants in the bias. */
static void
write_first_neuron(struct pmml_writer *w, const struct asci_layer *layer,
                   size_t i)
{
    const double *weight = layer->w + i * layer->n_in;
    double bias = layer->b[i];
    size_t j, k;

    for (j = 0; j < layer->n_in; j++)
        for (k = w->first_term[j]; k < w->first_term[j + 1]; k++)
            if (w->term[k].n == 0)
                bias += weight[j] * w->term[k].coefficient;
    begin_neuron(w, 1, i, bias);
    for (j = 0; j < layer->n_in; j++)
        for (k = w->first_term[j]; k < w->first_term[j + 1]; k++)
            if (w->term[k].n > 0)
                write_connection(w, 0, k,
                                 weight[j] * w->term[k].coefficient);
    asci_pmml_end_element(w, "Neuron");
}

/* ---- layers ---- */

static void
write_neurons(struct pmml_writer *w, size_t l)
{
    const struct asci_layer *layer = &w->m->u.network.layer[l];
    size_t i, j;

    for (i = 0; i < layer->n_out; i++) {
        if (l == 0) {
            write_first_neuron(w, layer, i);
            continue;
        }
        begin_neuron(w, l + 1, i, layer->b[i]);
        for (j = 0; j < layer->n_in; j++)
            write_connection(w, l, j, layer->w[i * layer->n_in + j]);
        asci_pmml_end_element(w, "Neuron");
    }
}

/* The activation that is the link, or -1. */
static int
link_activation(enum asci_link link)
{
    return link == ASCI_LINK_LOGIT ? (int)ASCI_LOGISTIC
           : link == ASCI_LINK_EXP ? (int)ASCI_EXPONENTIAL : -1;
}

static void
write_layer(struct pmml_writer *w, size_t l, enum asci_activation activation,
            const char *normalization)
{
    const struct asci_layer *layer = &w->m->u.network.layer[l];

    begin_layer(w, layer->n_out, activation);
    if (activation == ASCI_THRESHOLD)
        asci_pmml_set_number(w, "threshold", layer->threshold);
    if (normalization)
        asci_pmml_set(w, "normalizationMethod", normalization);
    asci_pmml_inside(w);
    write_neurons(w, l);
    asci_pmml_end_element(w, "NeuralLayer");
}

/* A layer of its own for a link behind another activation. */
static void
write_link_layer(struct pmml_writer *w, size_t after, size_t n,
                 enum asci_activation activation)
{
    size_t i;

    begin_layer(w, n, activation);
    asci_pmml_inside(w);
    for (i = 0; i < n; i++) {
        begin_neuron(w, after + 1, i, 0.0);
        write_connection(w, after, i, 1.0);
        asci_pmml_end_element(w, "Neuron");
    }
    asci_pmml_end_element(w, "NeuralLayer");
}

/* A neuron for each output that has one with another: y and 1 - y. */
static void
write_complements(struct pmml_writer *w, size_t after)
{
    const asc_model *m = w->m;
    size_t k;

    begin_layer(w, m->n_outputs, ASCI_IDENTITY);
    asci_pmml_inside(w);
    for (k = 0; k < m->n_outputs; k++) {
        begin_neuron(w, after + 1, k, m->output[k].complement ? 1.0 : 0.0);
        write_connection(w, after, m->output[k].raw,
                         m->output[k].complement ? -1.0 : 1.0);
        asci_pmml_end_element(w, "Neuron");
    }
    asci_pmml_end_element(w, "NeuralLayer");
}

static int
has_complement(const asc_model *m)
{
    size_t k;

    for (k = 0; k < m->n_outputs; k++)
        if (m->output[k].complement)
            return 1;
    return 0;
}

/* All layers; returns the number of the last one. */
static size_t
write_layers(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    const struct asci_network *f = &m->u.network;
    const int link = link_activation(m->link);
    size_t l, last = f->n_layers;
    const char *normalization = m->link == ASCI_LINK_SOFTMAX ? "softmax"
                                : m->link == ASCI_LINK_SIMPLEMAX
                                ? "simplemax" : NULL;

    for (l = 0; l + 1 < last; l++)
        write_layer(w, l, f->layer[l].activation, NULL);
    if (link >= 0 && f->layer[l].activation == ASCI_IDENTITY) {
        write_layer(w, l, (enum asci_activation)link, normalization);
    } else {
        write_layer(w, l, f->layer[l].activation, normalization);
        if (link >= 0)
            write_link_layer(w, last++, m->n_raw, (enum asci_activation)link);
    }
    if (has_complement(m))
        write_complements(w, last++);
    return last;
}

/* ---- outputs ---- */

static void
write_outputs(struct pmml_writer *w, size_t layer)
{
    const asc_model *m = w->m;
    const int complement = has_complement(m);
    size_t k;

    asci_pmml_begin(w, "NeuralOutputs");
    asci_pmml_set_size(w, "numberOfOutputs", m->n_outputs);
    asci_pmml_inside(w);
    for (k = 0; k < m->n_outputs; k++) {
        asci_pmml_begin(w, "NeuralOutput");
        set_id(w, "outputNeuron", layer, complement ? k : m->output[k].raw);
        asci_pmml_inside(w);
        asci_pmml_begin(w, "DerivedField");
        asci_pmml_set(w, "optype", m->classifier ? "categorical"
                                                 : "continuous");
        asci_pmml_set(w, "dataType", m->classifier ? "string" : "double");
        asci_pmml_inside(w);
        asci_pmml_begin(w, m->classifier ? "NormDiscrete" : "FieldRef");
        asci_pmml_set(w, "field", w->target);
        if (m->classifier)
            asci_pmml_set(w, "value", m->output[k].name);
        asci_pmml_empty(w);
        asci_pmml_end_element(w, "DerivedField");
        asci_pmml_end_element(w, "NeuralOutput");
    }
    asci_pmml_end_element(w, "NeuralOutputs");
}

static void
check(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    size_t k;

    if (m->link != ASCI_LINK_NONE && link_activation(m->link) < 0 &&
        m->link != ASCI_LINK_SOFTMAX && m->link != ASCI_LINK_SIMPLEMAX)
        asci_pmml_refuse(w, ASC_EUSAGE, "a network with the link %s",
                         asci_link_name(m->link));
    if ((m->link == ASCI_LINK_SOFTMAX || m->link == ASCI_LINK_SIMPLEMAX) &&
        m->n_outputs != m->n_raw)
        asci_pmml_refuse(w, ASC_EUSAGE, "a network with %zu classes of %zu "
                         "neurons", m->n_outputs, m->n_raw);
    for (k = 0; k < m->n_outputs; k++)
        if (m->output[k].sign < 0.0 && !m->output[k].complement)
            asci_pmml_refuse(w, ASC_EUSAGE, "a network with a negated "
                             "output");
}

void
asci_pmml_write_network(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    size_t last;

    check(w);
    asci_pmml_make_terms(w);
    if (w->status != ASC_OK)
        return;
    asci_pmml_begin(w, "NeuralNetwork");
    asci_pmml_set(w, "functionName", m->classifier ? "classification"
                                                   : "regression");
    if (m->description)
        asci_pmml_set(w, "algorithmName", m->description);
    asci_pmml_set(w, "activationFunction",
                  activation_name(m->u.network.layer[0].activation));
    asci_pmml_inside(w);
    asci_pmml_model_head(w, 1);
    write_inputs(w);
    last = write_layers(w);
    write_outputs(w, last);
    asci_pmml_end_element(w, "NeuralNetwork");
}
