/* model/pmml/write_ensemble.c -- ensembles of trees as a MiningModel.
 *
 * Trees are the segments of a sum; scale and base value are its Targets.  A
 * regression without a link is that sum.  Else a chain: a sum for each raw
 * output, then a RegressionModel that takes their results through the link.
 *
 * A node's two ends are two predicates that exclude each other; missing
 * values follow defaultChild, or isMissing to an end of their own.  Tests of
 * encoded categories become sets of the categories themselves; other columns
 * that are more than a field become derived fields.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/write.h"

enum { MAX_DEPTH = 900 };       /* of elements; readers take 1000 */

enum end { END_YES, END_NO, END_MISSING };

/* ---- columns ---- */

static const struct asci_factor *
only_factor(const struct pmml_writer *w, size_t column)
{
    const struct asci_column *c = &w->m->encoder.column[column];

    return c->n_factors == 1 ? &c->factor[0] : NULL;
}

/* The categorical field that a column is a function of, or NULL. */
static const struct asc_field *
category_field(const struct pmml_writer *w, size_t column)
{
    const struct asci_factor *f = only_factor(w, column);
    const struct asc_field *field = f ? &w->m->schema.field[f->field] : NULL;

    return field && field->kind == ASC_CATEGORICAL ? field : NULL;
}

static int
is_field(const struct pmml_writer *w, size_t column)
{
    const struct asci_factor *f = only_factor(w, column);
    const struct pmml_part part = { f, SIZE_MAX, NAN };

    return f && w->m->encoder.column[column].scale == 1.0 &&
           f->power == 1 && asci_pmml_part_is_field(w, &part);
}

/* The name under which trees know a column. */
static const char *
column_name(const struct pmml_writer *w, size_t column,
            char name[PMML_NAME_MAX])
{
    const struct asc_field *field = category_field(w, column);

    if (field)
        return field->name;
    if (is_field(w, column))
        return w->m->schema.field[only_factor(w, column)->field].name;
    return asci_pmml_own_name(w, "derived", column, name);
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
        const struct asci_factor *f = only_factor(w, j);

        if (!used[j] || category_field(w, j) || is_field(w, j))
            continue;
        if (!any) {
            asci_pmml_begin(w, "LocalTransformations");
            asci_pmml_inside(w);
        }
        any = 1;
        asci_pmml_begin(w, "DerivedField");
        asci_pmml_set(w, "name", asci_pmml_own_name(w, "derived", j, name));
        asci_pmml_set(w, "optype", "continuous");
        asci_pmml_set(w, "dataType", f && f->single ? "float" : "double");
        asci_pmml_inside(w);
        asci_pmml_column_expression(w, &w->m->encoder.column[j]);
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
        if (used[j] && !category_field(w, j) && !is_field(w, j))
            asci_pmml_mining_field(w, asci_pmml_own_name(w, "derived", j,
                                                         name));
    asci_pmml_end_element(w, "MiningSchema");
}

/* ---- predicates ---- */

static void
write_plain(struct pmml_writer *w, const char *name)
{
    asci_pmml_begin(w, name);
    asci_pmml_empty(w);
}

static void
begin_simple(struct pmml_writer *w, const char *field, const char *operator)
{
    asci_pmml_begin(w, "SimplePredicate");
    asci_pmml_set(w, "field", field);
    asci_pmml_set(w, "operator", operator);
}

static void
write_missing(struct pmml_writer *w, const char *field, int missing)
{
    begin_simple(w, field, missing ? "isMissing" : "isNotMissing");
    asci_pmml_empty(w);
}

/* All that is known (or all, if missing values go elsewhere by themselves) on
 * this side: the other side gets what is missing, or nothing. */
static void
write_everything(struct pmml_writer *w, const char *field, int everything,
                 int missing_is_nothing)
{
    if (missing_is_nothing)
        write_missing(w, field, !everything);
    else
        write_plain(w, everything ? "True" : "False");
}

static int
in_set(const struct pmml_writer *w, const struct asci_node *p, double v)
{
    const uint64_t *set = w->m->u.ensemble.sets + p->set;

    return v >= 0.0 && v < (double)p->set_bits &&
           (set[(size_t)v / 64] >> ((size_t)v % 64)) & 1;
}

static int
holds(const struct pmml_writer *w, const struct asci_node *p, double v)
{
    switch (p->test) {
    case ASCI_LESS:
        return v < p->threshold;
    case ASCI_LESS_EQUAL:
        return v <= p->threshold;
    case ASCI_EQUAL:
        return v == p->threshold;
    default:
        return in_set(w, p, v);
    }
}

/* Where a raw value of a column's only field leads. */
static enum end
end_of(const struct pmml_writer *w, const struct asci_node *p, double raw)
{
    const struct asci_column *c = &w->m->encoder.column[p->column];
    const double v = c->scale * asci_factor_value(&c->factor[0], raw);

    if (!isnan(v))
        return holds(w, p, v) ? END_YES : END_NO;
    return p->missing == p->yes ? END_YES
           : p->missing == p->no ? END_NO : END_MISSING;
}

/* Where missing values of what the predicate names lead: of the raw field, or
 * of a derived one, which may be missing where the raw one is not. */
static enum end
missing_end(const struct pmml_writer *w, const struct asci_node *p)
{
    if (category_field(w, p->column) || is_field(w, p->column))
        return end_of(w, p, NAN);
    return p->missing == p->yes ? END_YES
           : p->missing == p->no ? END_NO : END_MISSING;
}

static void
write_equal(struct pmml_writer *w, const struct asc_field *f, size_t k,
            int equal)
{
    begin_simple(w, f->name, equal ? "equal" : "notEqual");
    asci_pmml_set(w, "value", f->categories[k]);
    asci_pmml_empty(w);
}

/* Sets of one category, and of texts that engines quote differently in an
 * Array, are comparisons. */
static void
write_comparisons(struct pmml_writer *w, const struct asc_field *f,
                  const char *in, size_t n, int member)
{
    size_t k;

    if (n > 1) {
        asci_pmml_begin(w, "CompoundPredicate");
        asci_pmml_set(w, "booleanOperator", member ? "or" : "and");
        asci_pmml_inside(w);
    }
    for (k = 0; k < f->n_categories; k++)
        if (in[k])
            write_equal(w, f, k, member);
    if (n > 1)
        asci_pmml_end_element(w, "CompoundPredicate");
}

/* The field is one (member), or none (not member), of the n that `in` marks. */
static void
write_set(struct pmml_writer *w, const struct asc_field *f, const char *in,
          size_t n, int member)
{
    int quotes = 0;
    size_t k;

    for (k = 0; k < f->n_categories; k++)
        if (in[k] && !asci_pmml_array_takes(f->categories[k]))
            quotes = 1;
    if (n == 1 || quotes) {
        write_comparisons(w, f, in, n, member);
        return;
    }
    asci_pmml_begin(w, "SimpleSetPredicate");
    asci_pmml_set(w, "field", f->name);
    asci_pmml_set(w, "booleanOperator", member ? "isIn" : "isNotIn");
    asci_pmml_inside(w);
    asci_pmml_array_begin(w, "string", n);
    for (k = 0; k < f->n_categories; k++)
        if (in[k])
            asci_pmml_array_text(w, f->categories[k]);
    asci_pmml_array_end(w);
    asci_pmml_end_element(w, "SimpleSetPredicate");
}

/* The predicate of end `side` of a test of categories. */
static void
write_category_test(struct pmml_writer *w, const struct asci_node *p,
                    const struct asc_field *f, enum end side)
{
    const size_t n = f->n_categories;
    const enum end undeclared = end_of(w, p, (double)n);
    /* The side that is listed; undeclared categories are on the other. */
    const enum end listed = undeclared == END_YES ? END_NO : END_YES;
    char *in = asci_alloc_zero(n, 1, w->e);
    size_t k, n_in = 0;

    if (!in) {
        w->status = ASC_ESYSTEM;
        return;
    }
    for (k = 0; k <= n; k++) {
        const enum end end = end_of(w, p, (double)k);

        if (end == END_MISSING && (k < n || f->invalid == ASC_INVALID_AS_IS))
            asci_pmml_refuse(w, ASC_EINPUT, "field \"%s\": some categories "
                             "count as missing", f->name);
        if (k < n && end == listed)
            n_in += in[k] = 1;
    }
    if (n_in == 0)
        write_everything(w, f->name, side != listed,
                         missing_end(w, p) == listed);
    else
        write_set(w, f, in, n_in, side == listed);
    free(in);
}

/* An IN_SET test of a number: the bits are the numbers. */
static void
write_number_set(struct pmml_writer *w, const struct asci_node *p,
                 const char *name, enum end side)
{
    size_t k, n = 0;

    for (k = 0; k < p->set_bits; k++)
        n += (size_t)in_set(w, p, (double)k);
    if (n == 0) {
        write_everything(w, name, side == END_NO,
                         missing_end(w, p) == END_YES);
        return;
    }
    asci_pmml_begin(w, "SimpleSetPredicate");
    asci_pmml_set(w, "field", name);
    asci_pmml_set(w, "booleanOperator", side == END_YES ? "isIn" : "isNotIn");
    asci_pmml_inside(w);
    asci_pmml_array_begin(w, "real", n);
    for (k = 0; k < p->set_bits; k++)
        if (in_set(w, p, (double)k))
            asci_pmml_array_number(w, (double)k);
    asci_pmml_array_end(w);
    asci_pmml_end_element(w, "SimpleSetPredicate");
}

static void
write_number_test(struct pmml_writer *w, const struct asci_node *p,
                  const char *name, enum end side)
{
    static const char *const operators[][2] = {
        [ASCI_LESS] = { "lessThan", "greaterOrEqual" },
        [ASCI_LESS_EQUAL] = { "lessOrEqual", "greaterThan" },
        [ASCI_EQUAL] = { "equal", "notEqual" }
    };

    /* An infinite threshold tells what is missing from what is not. */
    if (isinf(p->threshold)) {
        const enum end all = p->test != ASCI_EQUAL && p->threshold > 0.0
                             ? END_YES : END_NO;

        write_everything(w, name, side == all, missing_end(w, p) != all);
        return;
    }
    begin_simple(w, name, operators[p->test][side]);
    asci_pmml_set_number(w, "value", p->threshold);
    asci_pmml_empty(w);
}

/* The predicate that leads to end `side` of node p. */
static void
write_predicate(struct pmml_writer *w, const struct asci_node *p,
                enum end side)
{
    const struct asc_field *f = category_field(w, p->column);
    char own[PMML_NAME_MAX];
    const char *name = column_name(w, p->column, own);

    if (side == END_MISSING)
        write_missing(w, name, 1);
    else if (f)
        write_category_test(w, p, f, side);
    else if (p->test == ASCI_IN_SET)
        write_number_set(w, p, name, side);
    else
        write_number_test(w, p, name, side);
}

/* ---- trees ---- */

struct place {
    uint32_t node, parent;
    enum end side;
    unsigned done;              /* children written */
};

/* The ends of a node in the order in which they are written: what is missing
 * first, where it has an end of its own. */
static unsigned
ends_of(const struct pmml_writer *w, const struct asci_node *p,
        enum end end[3])
{
    unsigned n = 0;

    if (p->test == ASCI_LEAF)
        return 0;
    if (missing_end(w, p) == END_MISSING)
        end[n++] = END_MISSING;
    end[n++] = END_YES;
    if (p->no != p->yes)
        end[n++] = END_NO;
    return n;
}

static uint32_t
child_at(const struct asci_node *p, enum end end)
{
    return end == END_YES ? p->yes : end == END_NO ? p->no : p->missing;
}

static void
open_node(struct pmml_writer *w, const struct asci_tree *t, size_t raw,
          const struct place *at)
{
    const struct asci_node *p = &t->node[at->node];
    const enum end missing = p->test == ASCI_LEAF ? END_MISSING
                                                  : missing_end(w, p);
    double value = 0.0;

    asci_pmml_begin(w, "Node");
    asci_pmml_set_size(w, "id", (size_t)at->node + 1);
    if (p->test == ASCI_LEAF) {
        value = t->value[p->leaf * t->width + raw - t->first];
        asci_pmml_set_number(w, "score", isnan(value) ? 0.0 : value);
    }
    if (t->cover)
        asci_pmml_set_number(w, "recordCount", t->cover[at->node]);
    if (missing != END_MISSING)
        asci_pmml_set_size(w, "defaultChild",
                           (size_t)child_at(p, missing) + 1);
    asci_pmml_inside(w);
    if (at->node == 0)
        write_plain(w, "True");
    else if (t->node[at->parent].yes == t->node[at->parent].no &&
             at->side == END_YES)
        write_plain(w, "True");
    else
        write_predicate(w, &t->node[at->parent], at->side);
    /* No answer: a node none of whose children takes the row. */
    if (p->test == ASCI_LEAF && isnan(value)) {
        asci_pmml_begin(w, "Node");
        asci_pmml_set_number(w, "score", 0.0);
        asci_pmml_inside(w);
        write_plain(w, "False");
        asci_pmml_end_element(w, "Node");
    }
}

/* Nodes from the root on, depth first. */
static void
write_nodes(struct pmml_writer *w, const struct asci_tree *t, size_t raw)
{
    struct place stack[MAX_DEPTH];
    enum end end[3];
    size_t depth = 1;

    memset(stack, 0, sizeof *stack);
    open_node(w, t, raw, &stack[0]);
    while (depth > 0 && w->status == ASC_OK) {
        struct place *top = &stack[depth - 1];
        const struct asci_node *p = &t->node[top->node];

        if (top->done == ends_of(w, p, end)) {
            asci_pmml_end_element(w, "Node");
            depth--;
            continue;
        }
        if (depth + w->depth >= MAX_DEPTH) {
            asci_pmml_refuse(w, ASC_EINPUT, "a tree is more than %zu nodes "
                             "deep", depth);
            return;
        }
        stack[depth].parent = top->node;
        stack[depth].side = end[top->done];
        stack[depth].node = child_at(p, end[top->done++]);
        stack[depth].done = 0;
        open_node(w, t, raw, &stack[depth++]);
    }
}

/* Whether all nodes have two ends, and whether some have a third. */
static int
is_binary(const struct pmml_writer *w, const struct asci_tree *t)
{
    enum end end[3];
    size_t i;

    for (i = 0; i < t->n_nodes; i++)
        if (t->node[i].test != ASCI_LEAF && ends_of(w, &t->node[i], end) != 2)
            return 0;
    return 1;
}

static void
begin_tree(struct pmml_writer *w, int binary)
{
    asci_pmml_begin(w, "TreeModel");
    asci_pmml_set(w, "functionName", "regression");
    asci_pmml_set(w, "missingValueStrategy", "defaultChild");
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
    write_plain(w, "True");
}

static void
write_tree(struct pmml_writer *w, const struct asci_tree *t, size_t raw,
           size_t id, char *used, char *seen)
{
    begin_segment(w, id);
    begin_tree(w, is_binary(w, t));
    memset(used, 0, w->m->encoder.n);
    mark_columns(t, used);
    write_fields(w, used, seen);
    write_nodes(w, t, raw);
    asci_pmml_end_element(w, "TreeModel");
    asci_pmml_end_element(w, "Segment");
}

/* A sum needs a segment: a tree that adds nothing. */
static void
write_nothing(struct pmml_writer *w, char *used, char *seen)
{
    begin_segment(w, 1);
    begin_tree(w, 1);
    memset(used, 0, w->m->encoder.n);
    write_fields(w, used, seen);
    asci_pmml_begin(w, "Node");
    asci_pmml_set_number(w, "score", 0.0);
    asci_pmml_inside(w);
    write_plain(w, "True");
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
        memset(used, 0, w->m->encoder.n);
        for (j = 0; j < f->n_trees; j++)
            mark_columns(&f->tree[j], used);
        write_derived(w, used);
    }
    asci_pmml_begin(w, "Segmentation");
    asci_pmml_set(w, "multipleModelMethod", "sum");
    asci_pmml_set(w, "missingPredictionTreatment", "returnMissing");
    asci_pmml_inside(w);
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
    asci_pmml_set_number(w, "coefficient", o->sign);
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
    const struct asci_ensemble *f = &w->m->u.ensemble;
    size_t j, k;

    for (j = 0; j < f->n_trees; j++)
        mark_columns(&f->tree[j], used);
    write_derived(w, used);
    asci_pmml_begin(w, "Segmentation");
    asci_pmml_set(w, "multipleModelMethod", "modelChain");
    asci_pmml_set(w, "missingPredictionTreatment", "returnMissing");
    asci_pmml_inside(w);
    for (k = 0; k < w->m->n_raw && w->status == ASC_OK; k++)
        write_inner_sum(w, k, used, seen);
    if (w->status == ASC_OK)
        write_link(w);
    asci_pmml_end_element(w, "Segmentation");
}

void
asci_pmml_write_ensemble(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    const int chain = m->classifier || m->link != ASCI_LINK_NONE ||
                      m->rescale || m->output[0].sign != 1.0;
    char *used = asci_alloc_zero(m->encoder.n, 1, w->e);
    char *seen = asci_alloc_zero(m->schema.n, 1, w->e);

    if (!used || !seen) {
        w->status = ASC_ESYSTEM;
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
