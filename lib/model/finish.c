/* model/finish.c -- the last look at a model before it is used.
 *
 * Whatever a reader or a trainer has put together is checked here once: sizes
 * that must agree, indexes, names.  What passes cannot make evaluation, a
 * gradient or a tree method read outside its arrays or run for ever; children
 * come after their parents and have one parent each, so trees are trees.
 * Then weights are packed and trees laid out.  Cost: linear in the model.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/core.h"

/* ---- names ---- */

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All n texts are there and none is there twice. */
static int
check_unique(const asc_model *m, const char *what, char *const *text,
             size_t n, struct asc_error *e)
{
    const char **sorted;
    int status = ASC_OK;
    size_t i;

    for (i = 0; i < n; i++)
        if (!text[i])
            return asc_fail(e, ASC_EINPUT, "%s: %s %zu has no name", m->name,
                            what, i + 1);
    sorted = asci_alloc(n, sizeof *sorted, e);
    if (!sorted)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i++)
        sorted[i] = text[i];
    qsort(sorted, n, sizeof *sorted, compare_texts);
    for (i = 1; i < n && status == ASC_OK; i++)
        if (!strcmp(sorted[i - 1], sorted[i]))
            status = asc_fail(e, ASC_EINPUT, "%s: %s \"%s\" is there "
                              "twice", m->name, what, sorted[i]);
    free(sorted);
    return status;
}

static int
check_schema(const asc_model *m, struct asc_error *e)
{
    char **name = asci_alloc(m->schema.n, sizeof *name, e);
    int status;
    size_t j;

    if (!name)
        return ASC_ESYSTEM;
    for (j = 0; j < m->schema.n; j++)
        name[j] = m->schema.field[j].name;
    status = check_unique(m, "field", name, m->schema.n, e);
    free(name);
    for (j = 0; j < m->schema.n && status == ASC_OK; j++) {
        const struct asc_field *f = &m->schema.field[j];
        char what[128];

        if (f->kind != ASC_CATEGORICAL)
            continue;
        snprintf(what, sizeof what, "field \"%.80s\": category", f->name);
        status = check_unique(m, what, f->categories, f->n_categories, e);
    }
    return status;
}

static int
check_outputs(const asc_model *m, struct asc_error *e)
{
    char **name;
    int status;
    size_t k;

    if (m->n_outputs == 0)
        return asc_fail(e, ASC_EINPUT, "%s: the model has no output",
                        m->name);
    name = asci_alloc(m->n_outputs, sizeof *name, e);
    if (!name)
        return ASC_ESYSTEM;
    for (k = 0; k < m->n_outputs; k++)
        name[k] = m->output[k].name;
    status = check_unique(m, "output", name, m->n_outputs, e);
    free(name);
    if (m->form == ASC_FORM_OPAQUE || status != ASC_OK)
        return status;
    if (m->n_raw == 0)
        return asc_fail(e, ASC_EINPUT, "%s: the model has no raw output",
                        m->name);
    for (k = 0; k < m->n_outputs; k++) {
        const struct asci_output *o = &m->output[k];

        if (o->raw >= m->n_raw || (o->sign != 1.0 && o->sign != -1.0))
            return asc_fail(e, ASC_EINPUT, "%s: output \"%s\" refers to raw "
                            "output %zu of %zu", m->name, o->name, o->raw,
                            m->n_raw);
    }
    if (m->link > ASCI_LINK_RISING || !(m->link_factor > 0.0) ||
        m->link_factor > DBL_MAX)
        return asc_fail(e, ASC_EINPUT, "%s: the link is unknown", m->name);
    return ASC_OK;
}

/* ---- encoder ---- */

static int
check_factor(const asc_model *m, size_t column, const struct asci_factor *f,
             struct asc_error *e)
{
    const struct asc_field *field;
    size_t i;

    if (f->field >= m->schema.n)
        return asc_fail(e, ASC_EINPUT, "%s: column %zu refers to field %zu "
                        "of %zu", m->name, column, f->field, m->schema.n);
    field = &m->schema.field[f->field];
    switch (f->kind) {
    case ASCI_FACTOR_NUMBER:
        for (i = 0; i < f->n_knots; i++)
            if (!isfinite(f->knot_x[i]) || !isfinite(f->knot_y[i]) ||
                (i > 0 && !(f->knot_x[i - 1] < f->knot_x[i])))
                return asc_fail(e, ASC_EINPUT, "%s: field \"%s\": the knots "
                                "of its normalisation do not rise at %zu",
                                m->name, field->name, i + 1);
        return ASC_OK;
    case ASCI_FACTOR_TABLE:
        if (field->kind != ASC_CATEGORICAL ||
            f->n_values != field->n_categories + 1 || !f->value)
            return asc_fail(e, ASC_EINPUT, "%s: field \"%s\" has %zu "
                            "categories, its encoding has %zu values",
                            m->name, field->name, field->n_categories,
                            f->n_values);
        return ASC_OK;
    case ASCI_FACTOR_STEP:
        return ASC_OK;
    }
    return asc_fail(e, ASC_EINPUT, "%s: field \"%s\": the encoding is "
                    "unknown", m->name, field->name);
}

static int
check_encoder(const asc_model *m, struct asc_error *e)
{
    int status = ASC_OK;
    size_t j, k;

    for (j = 0; j < m->encoder.n; j++)
        for (k = 0; k < m->encoder.column[j].n_factors; k++) {
            status = check_factor(m, j, &m->encoder.column[j].factor[k], e);
            if (status != ASC_OK)
                return status;
        }
    return status;
}

/* ---- forms ---- */

static int
wrong_size(const asc_model *m, const char *what, size_t have, size_t want,
           struct asc_error *e)
{
    return asc_fail(e, ASC_EINPUT, "%s: %s is %zu, want %zu", m->name, what,
                    have, want);
}

static int
check_linear(const asc_model *m, struct asc_error *e)
{
    const struct asci_linear *f = &m->u.linear;

    if (f->n_columns != m->encoder.n)
        return wrong_size(m, "the number of weights", f->n_columns,
                          m->encoder.n, e);
    if (f->n_raw != m->n_raw)
        return wrong_size(m, "the number of sums", f->n_raw, m->n_raw, e);
    return ASC_OK;
}

static int
check_network(const asc_model *m, struct asc_error *e)
{
    const struct asci_network *f = &m->u.network;
    size_t l, width = m->encoder.n;

    if (f->n_columns != m->encoder.n)
        return wrong_size(m, "the number of inputs of the network",
                          f->n_columns, m->encoder.n, e);
    if (f->n_layers == 0)
        return asc_fail(e, ASC_EINPUT, "%s: the network has no layer",
                        m->name);
    for (l = 0; l < f->n_layers; l++) {
        const struct asci_layer *layer = &f->layer[l];

        if (layer->n_in != width || layer->n_out == 0 ||
            layer->activation > ASCI_ARCTAN)
            return asc_fail(e, ASC_EINPUT, "%s: layer %zu of the network has "
                            "%zu inputs and %zu neurons, want %zu inputs",
                            m->name, l + 1, layer->n_in, layer->n_out, width);
        width = layer->n_out;
    }
    if (width != m->n_raw)
        return wrong_size(m, "the number of outputs of the network", width,
                          m->n_raw, e);
    return ASC_OK;
}

static int
pack_network(asc_model *m, struct asc_error *e)
{
    size_t l;

    for (l = 0; l < m->u.network.n_layers; l++) {
        struct asci_layer *layer = &m->u.network.layer[l];

        asci_weights_free(layer->packed);
        layer->packed = asci_weights_new(layer->w, layer->b, layer->n_out,
                                         layer->n_in, e);
        if (!layer->packed)
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

static int
bad_node(const asc_model *m, size_t tree, size_t node, const char *what,
         struct asc_error *e)
{
    return asc_fail(e, ASC_EINPUT, "%s: tree %zu, node %zu: %s", m->name,
                    tree + 1, node + 1, what);
}

/* Whether all is in its place that node i of a tree refers to. */
static int
check_node(const asc_model *m, size_t tree, size_t i, struct asc_error *e)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const struct asci_tree *t = &f->tree[tree];
    const struct asci_node *p = &t->node[i];

    if (p->test == ASCI_LEAF)
        return p->leaf < t->n_leaves
               ? ASC_OK : bad_node(m, tree, i, "the leaf has no value", e);
    if (p->test > ASCI_IN_SET)
        return bad_node(m, tree, i, "the test is unknown", e);
    if (p->column >= f->n_columns)
        return bad_node(m, tree, i, "the test looks at a column that is not "
                        "there", e);
    if (p->yes <= i || p->no <= i || p->missing <= i ||
        p->yes >= t->n_nodes || p->no >= t->n_nodes ||
        p->missing >= t->n_nodes)
        return bad_node(m, tree, i, "a child does not come after it", e);
    if (p->test != ASCI_IN_SET && isnan(p->threshold))
        return bad_node(m, tree, i, "the threshold is not a number", e);
    if (p->test == ASCI_IN_SET &&
        (p->set > f->n_set_words ||
         ((size_t)p->set_bits + 63) / 64 > f->n_set_words - p->set))
        return bad_node(m, tree, i, "the set of categories is not there", e);
    return ASC_OK;
}

/* parent[child] = 1 + i for the children of node i: a second parent would
 * make the tree a graph, whose paths may be too many to walk. */
static int
check_parents(const asc_model *m, size_t tree, uint32_t *parent,
              struct asc_error *e)
{
    const struct asci_tree *t = &m->u.ensemble.tree[tree];
    size_t i, k;

    memset(parent, 0, t->n_nodes * sizeof *parent);
    for (i = 0; i < t->n_nodes; i++) {
        const struct asci_node *p = &t->node[i];
        const uint32_t child[3] = { p->yes, p->no, p->missing };

        if (p->test == ASCI_LEAF)
            continue;
        for (k = 0; k < 3; k++) {
            if (parent[child[k]] != 0 && parent[child[k]] != i + 1)
                return bad_node(m, tree, child[k], "it has two parents", e);
            parent[child[k]] = (uint32_t)(i + 1);
        }
    }
    return ASC_OK;
}

static int
check_lines(const asc_model *m, size_t tree, struct asc_error *e)
{
    const struct asci_tree *t = &m->u.ensemble.tree[tree];
    const struct asci_lines *lines = t->lines;
    size_t i;

    if (t->width != 1)
        return asc_fail(e, ASC_EINPUT, "%s: tree %zu has lines for %zu "
                        "outputs", m->name, tree + 1, t->width);
    for (i = 0; i < t->n_leaves; i++)
        if (lines->leaf[i].first > lines->n_terms ||
            lines->leaf[i].n > lines->n_terms - lines->leaf[i].first)
            return asc_fail(e, ASC_EINPUT, "%s: tree %zu, leaf %zu: its "
                            "terms are not there", m->name, tree + 1, i + 1);
    for (i = 0; i < lines->n_terms; i++)
        if (lines->column[i] >= m->u.ensemble.n_columns)
            return asc_fail(e, ASC_EINPUT, "%s: tree %zu: a leaf looks at a "
                            "column that is not there", m->name, tree + 1);
    return ASC_OK;
}

static int
check_tree(const asc_model *m, size_t tree, struct asc_error *e)
{
    const struct asci_tree *t = &m->u.ensemble.tree[tree];
    uint32_t *parent;
    int status = ASC_OK;
    size_t i;

    if (t->n_nodes == 0 || t->n_nodes >= UINT32_MAX / 4)
        return asc_fail(e, ASC_EINPUT, "%s: tree %zu has %zu nodes", m->name,
                        tree + 1, t->n_nodes);
    if (t->width == 0 || t->first >= m->n_raw ||
        t->width > m->n_raw - t->first)
        return asc_fail(e, ASC_EINPUT, "%s: tree %zu gives outputs %zu to "
                        "%zu of %zu", m->name, tree + 1, t->first + 1,
                        t->first + t->width, m->n_raw);
    for (i = 0; i < t->n_nodes && status == ASC_OK; i++) {
        status = check_node(m, tree, i, e);
        if (status == ASC_OK && t->cover && !(t->cover[i] >= 0.0))
            status = bad_node(m, tree, i, "the count is negative or not a "
                              "number", e);
    }
    if (status == ASC_OK && t->lines)
        status = check_lines(m, tree, e);
    if (status != ASC_OK)
        return status;
    parent = asci_alloc(t->n_nodes, sizeof *parent, e);
    if (!parent)
        return ASC_ESYSTEM;
    status = check_parents(m, tree, parent, e);
    free(parent);
    return status;
}

static int
check_ensemble(const asc_model *m, struct asc_error *e)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    int status = ASC_OK;
    size_t j;

    if (f->n_columns != m->encoder.n)
        return wrong_size(m, "the number of columns of the trees",
                          f->n_columns, m->encoder.n, e);
    if (f->n_raw != m->n_raw)
        return wrong_size(m, "the number of sums over trees", f->n_raw,
                          m->n_raw, e);
    for (j = 0; j < f->n_trees && status == ASC_OK; j++)
        status = check_tree(m, j, e);
    return status;
}

static int
find_lines(struct asci_ensemble *f)
{
    size_t j;

    for (j = 0; j < f->n_trees; j++)
        f->has_lines |= f->tree[j].lines != NULL;
    return f->has_lines;
}

int
asci_model_finish(asc_model *m, struct asc_error *e)
{
    int status;

    if ((status = check_schema(m, e)) || (status = check_outputs(m, e)))
        return status;
    if (m->form == ASC_FORM_OPAQUE)
        return m->u.opaque.evaluate
               ? ASC_OK : asc_fail(e, ASC_EINPUT, "%s: the model has no "
                                   "evaluator", m->name);
    if ((status = check_encoder(m, e)))
        return status;
    m->identity = asci_encoder_identity(&m->encoder, m->schema.n);
    switch (m->form) {
    case ASC_FORM_LINEAR:
        return check_linear(m, e);
    case ASC_FORM_NETWORK:
        status = check_network(m, e);
        return status ? status : pack_network(m, e);
    case ASC_FORM_ENSEMBLE:
        if ((status = check_ensemble(m, e)))
            return status;
        return find_lines(&m->u.ensemble)
               ? ASC_OK : asci_ensemble_pack(&m->u.ensemble, e);
    default:
        return asc_fail(e, ASC_EINPUT, "%s: the form is unknown", m->name);
    }
}
