/* model/pmml/write_ensemble.c -- trees as a TreeModel or a MiningModel.
 *
 * A single tree that is the whole model is a TreeModel, of a number or of
 * classes; trees of which the model is the plain average, the segments of an
 * average.  Else trees are the segments of a sum; scale and base value are its
 * Targets.  A regression without a link is that sum, anything else a chain: a
 * sum for each raw output, then a RegressionModel that takes their results
 * through the link.
 *
 * Columns that are more than a field, or a test of its categories, become
 * derived fields.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/write.h"

/* ---- columns ---- */

/* The column is known to trees under a name of ours. */
static int
is_derived(const struct pmml_writer *w, size_t column)
{
    return !asci_pmml_column_category(w, column) &&
           !asci_pmml_column_is_field(w, column);
}

static void
mark_columns(const struct asci_tree *t, char *used)
{
    size_t i;

    for (i = 0; i < t->n_nodes; i++)
        if (t->node[i].test != ASCI_LEAF)
            used[t->node[i].column] = 1;
}

static void
write_derived(struct pmml_writer *w, const char *used)
{
    char name[PMML_NAME_MAX];
    int any = 0;
    size_t j;

    for (j = 0; j < w->m->encoder.n; j++) {
        const struct asci_column *c = &w->m->encoder.column[j];
        const int single = c->n_factors == 1 && c->factor[0].single;

        if (!used[j] || !is_derived(w, j))
            continue;
        if (!any) {
            asci_pmml_begin(w, "LocalTransformations");
            asci_pmml_inside(w);
        }
        any = 1;
        asci_pmml_begin(w, "DerivedField");
        asci_pmml_set(w, "name", asci_pmml_own_name(w, "derived", j, name));
        asci_pmml_set(w, "optype", "continuous");
        asci_pmml_set(w, "dataType", single ? "float" : "double");
        asci_pmml_inside(w);
        asci_pmml_column_expression(w, c);
        asci_pmml_end_element(w, "DerivedField");
    }
    if (any)
        asci_pmml_end_element(w, "LocalTransformations");
}

/* MiningFields of the columns in use: derived ones under their own name and
 * with the raw fields that they are made from; each name once.  There must be
 * one, be none of use. */
static void
write_fields(struct pmml_writer *w, const char *used, char *seen)
{
    const struct asci_encoder *en = &w->m->encoder;
    char name[PMML_NAME_MAX];
    size_t j, k;

    memset(seen, 0, w->m->schema.n);
    for (j = 0; j < en->n; j++)
        for (k = 0; used[j] && k < en->column[j].n_factors; k++)
            seen[en->column[j].factor[k].field] = 1;
    if (w->m->schema.n > 0 && !memchr(seen, 1, w->m->schema.n))
        seen[0] = 1;
    asci_pmml_begin(w, "MiningSchema");
    asci_pmml_inside(w);
    for (j = 0; j < w->m->schema.n; j++)
        if (seen[j])
            asci_pmml_mining_field(w, w->m->schema.field[j].name);
    for (j = 0; j < en->n; j++)
        if (used[j] && is_derived(w, j))
            asci_pmml_mining_field(w, asci_pmml_own_name(w, "derived", j,
                                                         name));
    asci_pmml_end_element(w, "MiningSchema");
}

/* ---- trees ---- */

static void
begin_tree(struct pmml_writer *w, int classes, int top, int binary)
{
    asci_pmml_begin(w, "TreeModel");
    asci_pmml_set(w, "functionName", classes ? "classification"
                                             : "regression");
    if (top && w->m->description)
        asci_pmml_set(w, "algorithmName", w->m->description);
    asci_pmml_set(w, "missingValueStrategy", "none");
    asci_pmml_set(w, "splitCharacteristic", binary ? "binarySplit"
                                                   : "multiSplit");
    if (w->m->u.ensemble.single)
        asci_pmml_set(w, "x-mathContext", "float");
    asci_pmml_inside(w);
}

static void
begin_segment(struct pmml_writer *w, size_t id)
{
    asci_pmml_begin(w, "Segment");
    asci_pmml_set_size(w, "id", id);
    asci_pmml_inside(w);
    asci_pmml_plain(w, "True");
}

static void
write_tree(struct pmml_writer *w, const struct asci_tree *t, size_t raw,
           size_t id, char *used, char *seen)
{
    begin_segment(w, id);
    begin_tree(w, raw == PMML_CLASSES, 0, asci_pmml_nodes_are_binary(w, t));
    memset(used, 0, w->m->encoder.n);
    mark_columns(t, used);
    write_fields(w, used, seen);
    asci_pmml_write_nodes(w, t, raw);
    asci_pmml_end_element(w, "TreeModel");
    asci_pmml_end_element(w, "Segment");
}

/* A sum needs a segment: a tree that adds nothing. */
static void
write_nothing(struct pmml_writer *w, char *used, char *seen)
{
    begin_segment(w, 1);
    begin_tree(w, 0, 0, 1);
    memset(used, 0, w->m->encoder.n);
    write_fields(w, used, seen);
    asci_pmml_begin(w, "Node");
    asci_pmml_set_number(w, "score", 0.0);
    asci_pmml_inside(w);
    asci_pmml_plain(w, "True");
    asci_pmml_end_element(w, "Node");
    asci_pmml_end_element(w, "TreeModel");
    asci_pmml_end_element(w, "Segment");
}

/* ---- sums ---- */

static int
gives(const struct asci_tree *t, size_t raw)
{
    return raw >= t->first && raw - t->first < t->width;
}

/* All columns that some tree tests. */
static void
mark_all(const struct pmml_writer *w, char *used)
{
    size_t j;

    memset(used, 0, w->m->encoder.n);
    for (j = 0; j < w->m->u.ensemble.n_trees; j++)
        mark_columns(&w->m->u.ensemble.tree[j], used);
}

static void
begin_segmentation(struct pmml_writer *w, const char *method)
{
    asci_pmml_begin(w, "Segmentation");
    asci_pmml_set(w, "multipleModelMethod", method);
    asci_pmml_set(w, "missingPredictionTreatment", "returnMissing");
    asci_pmml_inside(w);
}

/* Targets and Segmentation of one raw output. */
static void
write_sum(struct pmml_writer *w, size_t raw, const char *target, char *used,
          char *seen)
{
    const struct asci_ensemble *f = &w->m->u.ensemble;
    size_t j, id = 0;

    if (f->scale != 1.0 || f->base[raw] != 0.0) {
        asci_pmml_begin(w, "Targets");
        asci_pmml_inside(w);
        asci_pmml_begin(w, "Target");
        if (target)
            asci_pmml_set(w, "field", target);
        if (f->scale != 1.0)
            asci_pmml_set_number(w, "rescaleFactor", f->scale);
        asci_pmml_set_number(w, "rescaleConstant", f->base[raw]);
        asci_pmml_empty(w);
        asci_pmml_end_element(w, "Targets");
    }
    if (target) {
        mark_all(w, used);
        write_derived(w, used);
    }
    begin_segmentation(w, "sum");
    for (j = 0; j < f->n_trees && w->status == ASC_OK; j++)
        if (gives(&f->tree[j], raw))
            write_tree(w, &f->tree[j], raw, ++id, used, seen);
    if (id == 0)
        write_nothing(w, used, seen);
    asci_pmml_end_element(w, "Segmentation");
}

static void
begin_mining(struct pmml_writer *w, const char *function, int top)
{
    asci_pmml_begin(w, "MiningModel");
    asci_pmml_set(w, "functionName", function);
    if (top && w->m->description)
        asci_pmml_set(w, "algorithmName", w->m->description);
    if (w->m->u.ensemble.single)
        asci_pmml_set(w, "x-mathContext", "float");
    asci_pmml_inside(w);
}

/* ---- chains ---- */

/* The sum of a raw output, under the name of that output. */
static void
write_inner_sum(struct pmml_writer *w, size_t raw, char *used, char *seen)
{
    const struct asci_ensemble *f = &w->m->u.ensemble;
    char name[PMML_NAME_MAX];
    size_t j;

    begin_segment(w, raw + 1);
    begin_mining(w, "regression", 0);
    memset(used, 0, w->m->encoder.n);
    for (j = 0; j < f->n_trees; j++)
        if (gives(&f->tree[j], raw))
            mark_columns(&f->tree[j], used);
    write_fields(w, used, seen);
    asci_pmml_begin(w, "Output");
    asci_pmml_inside(w);
    asci_pmml_begin(w, "OutputField");
    asci_pmml_set(w, "name", asci_pmml_own_name(w, "raw", raw, name));
    asci_pmml_set(w, "optype", "continuous");
    asci_pmml_set(w, "dataType", f->single ? "float" : "double");
    asci_pmml_set(w, "isFinalResult", "false");
    asci_pmml_empty(w);
    asci_pmml_end_element(w, "Output");
    write_sum(w, raw, NULL, used, seen);
    asci_pmml_end_element(w, "MiningModel");
    asci_pmml_end_element(w, "Segment");
}

static void
write_link_table(struct pmml_writer *w, const struct asci_output *o)
{
    char name[PMML_NAME_MAX];

    asci_pmml_begin(w, "RegressionTable");
    if (w->m->classifier)
        asci_pmml_set(w, "targetCategory", o->name);
    asci_pmml_set_number(w, "intercept", 0.0);
    if (o->complement) {
        asci_pmml_empty(w);
        return;
    }
    asci_pmml_inside(w);
    asci_pmml_begin(w, "NumericPredictor");
    asci_pmml_set(w, "name", asci_pmml_own_name(w, "raw", o->raw, name));
    asci_pmml_set_number(w, "coefficient", o->sign * w->m->link_factor);
    asci_pmml_empty(w);
    asci_pmml_end_element(w, "RegressionTable");
}

/* The last model of the chain. */
static void
write_link(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    size_t *order = asci_alloc(m->n_outputs, sizeof *order, w->e), k;
    char name[PMML_NAME_MAX];

    if (!order) {
        w->status = ASC_ESYSTEM;
        return;
    }
    begin_segment(w, m->n_raw + 1);
    asci_pmml_begin(w, "RegressionModel");
    asci_pmml_set(w, "functionName", m->classifier ? "classification"
                                                   : "regression");
    asci_pmml_set(w, "normalizationMethod", asci_link_name(m->link));
    if (m->u.ensemble.single)
        asci_pmml_set(w, "x-mathContext", "float");
    asci_pmml_inside(w);
    asci_pmml_begin(w, "MiningSchema");
    asci_pmml_inside(w);
    for (k = 0; k < m->n_raw; k++)
        asci_pmml_mining_field(w, asci_pmml_own_name(w, "raw", k, name));
    asci_pmml_target_field(w);
    asci_pmml_end_element(w, "MiningSchema");
    asci_pmml_outputs_element(w);
    asci_pmml_targets_element(w);
    asci_pmml_table_order(m, order);
    for (k = 0; k < m->n_outputs; k++)
        write_link_table(w, &m->output[order[k]]);
    asci_pmml_end_element(w, "RegressionModel");
    asci_pmml_end_element(w, "Segment");
    free(order);
}

static void
write_chain(struct pmml_writer *w, char *used, char *seen)
{
    size_t k;

    mark_all(w, used);
    write_derived(w, used);
    begin_segmentation(w, "modelChain");
    for (k = 0; k < w->m->n_raw && w->status == ASC_OK; k++)
        write_inner_sum(w, k, used, seen);
    if (w->status == ASC_OK)
        write_link(w);
    asci_pmml_end_element(w, "Segmentation");
}

/* ---- averages ---- */

/* The values of each leaf are shares of the classes, or it has no answer. */
static int
has_shares(const struct asci_tree *t)
{
    size_t i, k, missing;

    for (i = 0; i < t->n_leaves; i++) {
        const double *v = t->value + i * t->width;

        for (k = 0, missing = 0; k < t->width; k++) {
            missing += isnan(v[k]) ? 1 : 0;
            if (v[k] < 0.0 || v[k] > 1.0)
                return 0;
        }
        if (missing > 0 && missing < t->width)
            return 0;
    }
    return 1;
}

/* The model is the average of its trees, nothing added: *raw, the output that
 * they give, or PMML_CLASSES. */
static int
is_average(const asc_model *m, size_t *raw)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const size_t width = m->classifier ? m->n_outputs : 1;
    size_t j, k;

    if (m->link != ASCI_LINK_NONE || m->rescale || f->single ||
        m->n_outputs != m->n_raw || f->n_trees == 0 ||
        f->scale != 1.0 / (double)f->n_trees ||
        (m->classifier && !m->has_probabilities))
        return 0;
    for (k = 0; k < width; k++)
        if (m->output[k].raw != k || m->output[k].sign != 1.0 ||
            m->output[k].complement || f->base[k] != 0.0)
            return 0;
    for (j = 0; j < f->n_trees; j++)
        if (f->tree[j].width != width || f->tree[j].first != 0 ||
            (m->classifier && !has_shares(&f->tree[j])))
            return 0;
    *raw = m->classifier ? PMML_CLASSES : 0;
    return 1;
}

static void
write_average(struct pmml_writer *w, size_t raw, char *used, char *seen)
{
    const struct asci_ensemble *f = &w->m->u.ensemble;
    size_t j;

    mark_all(w, used);
    if (f->n_trees == 1) {
        begin_tree(w, raw == PMML_CLASSES, 1,
                   asci_pmml_nodes_are_binary(w, &f->tree[0]));
        asci_pmml_model_head(w, 1);
        write_derived(w, used);
        asci_pmml_write_nodes(w, &f->tree[0], raw);
        asci_pmml_end_element(w, "TreeModel");
        return;
    }
    begin_mining(w, raw == PMML_CLASSES ? "classification" : "regression", 1);
    asci_pmml_model_head(w, 1);
    write_derived(w, used);
    begin_segmentation(w, "average");
    for (j = 0; j < f->n_trees && w->status == ASC_OK; j++)
        write_tree(w, &f->tree[j], raw, j + 1, used, seen);
    asci_pmml_end_element(w, "Segmentation");
    asci_pmml_end_element(w, "MiningModel");
}

void
asci_pmml_write_ensemble(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    const int chain = m->classifier || m->link != ASCI_LINK_NONE ||
                      m->rescale || m->output[0].sign != 1.0;
    char *used = asci_alloc_zero(m->encoder.n, 1, w->e);
    char *seen = asci_alloc_zero(m->schema.n, 1, w->e);
    size_t raw;

    if (!used || !seen) {
        w->status = ASC_ESYSTEM;
        goto out;
    }
    if (is_average(m, &raw)) {
        write_average(w, raw, used, seen);
        goto out;
    }
    begin_mining(w, m->classifier ? "classification" : "regression", 1);
    asci_pmml_model_head(w, 0);
    if (chain)
        write_chain(w, used, seen);
    else
        write_sum(w, m->output[0].raw, w->target, used, seen);
    asci_pmml_end_element(w, "MiningModel");
out:
    free(seen);
    free(used);
}
