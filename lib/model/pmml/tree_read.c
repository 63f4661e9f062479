/* model/pmml/tree_read.c -- Node elements and their predicates, as arrays.
 *
 * A comparison becomes a test of one column: labels of a categorical field by
 * their index, numbers by a threshold, numbers in a set by a column that is 1
 * on them.  Whether a test is to be negated is noted beside it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/tree.h"

enum { MAX_COMPOUNDS = 60 };    /* a bit of state each, see tree.c */

static int
is_predicate(uint32_t name)
{
    return name == PMML_SimplePredicate || name == PMML_SimpleSetPredicate ||
           name == PMML_CompoundPredicate || name == PMML_True ||
           name == PMML_False;
}

static const char predicates[] = "SimplePredicate, SimpleSetPredicate, "
                                 "CompoundPredicate, True, False";

/* A set with room for n labels, all out. */
static int
new_set(struct pmml *p, size_t n, uint32_t *set)
{
    const size_t words = (n + 63) / 64;

    if (p->n_set_words > UINT32_MAX - words)
        return asc_fail(p->e, ASC_EINPUT, "%s: too many sets of categories",
                        p->path);
    while (p->room_set_words < p->n_set_words + words)
        if (asci_pmml_grow(&p->set, p->room_set_words, &p->room_set_words,
                           sizeof *p->set, p->e) != ASC_OK)
            return ASC_ESYSTEM;
    if (asci_pmml_spend(p, words) != ASC_OK)
        return ASC_EINPUT;
    *set = (uint32_t)p->n_set_words;
    if (words)
        memset(p->set + p->n_set_words, 0, words * sizeof *p->set);
    p->n_set_words += words;
    return ASC_OK;
}

/* The labels that equal one of n texts. */
static int
label_set(struct nodes *r, const struct pmml_symbol *t,
          const char *const *text, size_t n, struct predicate *q)
{
    struct pmml *p = r->p;
    size_t *index = asci_alloc(n, sizeof *index, p->e);
    size_t i, top = 0;
    int status = index ? ASC_OK : ASC_ESYSTEM;

    for (i = 0; i < n && status == ASC_OK; i++) {
        status = asci_pmml_label(p, &t->value, text[i], &index[i]);
        if (status == ASC_OK && index[i] != PMML_NO_FIELD &&
            index[i] >= top)
            top = index[i] + 1;
    }
    q->test = ASCI_IN_SET;
    q->set_bits = (uint32_t)top;
    q->field = t->value.field;
    q->n_labels = (uint32_t)t->value.n_labels;
    if (status == ASC_OK)
        status = new_set(p, top, &q->set);
    for (i = 0; i < n && status == ASC_OK; i++)
        if (index[i] != PMML_NO_FIELD)
            p->set[q->set + index[i] / 64] |= UINT64_C(1) << index[i] % 64;
    free(index);
    return status;
}

static int
find_field(struct nodes *r, uint32_t element, struct pmml_symbol **t,
           struct predicate *q)
{
    const char *name;
    int status;

    if ((status = asci_pmml_required(r->p, element, PMML_field, &name)) ||
        (status = asci_pmml_find(r->p, r->scope, element, name, t)))
        return status;
    return asci_pmml_symbol_column(r->p, *t, &q->column);
}

/* The text of a comparison with a number. */
static int
threshold_of(struct nodes *r, uint32_t element, const char *text,
             int single, double *v)
{
    if (!asci_pmml_is_number(text, v))
        return asci_pmml_fail(r->p, element, "%s: value \"%s\" is not a "
                              "number, as field \"%s\" is",
                              asci_pmml_name(r->p, element), text,
                              asci_pmml_attribute(r->p, element, PMML_field));
    if (single)
        *v = (double)(float)*v;
    return ASC_OK;
}

/* A comparison of labels by order: of their numbers. */
static int
numbers_column(struct nodes *r, uint32_t element,
               const struct pmml_symbol *t, uint32_t *column)
{
    struct pmml *p = r->p;
    struct pmml_value v;
    int status = asci_pmml_value_copy(p, &t->value, &v);

    if (status == ASC_OK)
        status = asci_pmml_to_numbers(p, element, t->name, &v);
    if (status == ASC_OK)
        return asci_pmml_share(p, &v.column, column);
    asci_pmml_value_clear(&v);
    return status;
}

static int
simple_predicate(struct nodes *r, uint32_t element, struct predicate *q)
{
    static const char *const operators[] = {
        "equal", "notEqual", "lessThan", "lessOrEqual", "greaterThan",
        "greaterOrEqual", "isMissing", "isNotMissing", NULL
    };
    static const struct {
        enum asci_test test;
        int negate;
    } meaning[] = {
        { ASCI_EQUAL, 0 }, { ASCI_EQUAL, 1 }, { ASCI_LESS, 0 },
        { ASCI_LESS_EQUAL, 0 }, { ASCI_LESS_EQUAL, 1 }, { ASCI_LESS, 1 },
        { ASCI_LEAF, 0 }, { ASCI_LEAF, 1 }
    };
    struct pmml *p = r->p;
    struct pmml_symbol *t;
    const char *text;
    int operator, status;

    if ((status = asci_pmml_required(p, element, PMML_operator, &text)) ||
        (status = asci_pmml_choice(p, element, PMML_operator, operators, 0,
                                   &operator)) ||
        (status = find_field(r, element, &t, q)))
        return status;
    q->negate = meaning[operator].negate;
    if (operator >= 6) {
        q->kind = IS_MISSING;
        return ASC_OK;
    }
    q->kind = TEST;
    q->test = meaning[operator].test;
    if ((status = asci_pmml_required(p, element, PMML_value, &text)))
        return status;
    if (t->value.categorical && operator < 2)
        return label_set(r, t, &text, 1, q);
    if (t->value.categorical &&
        (status = numbers_column(r, element, t, &q->column)))
        return status;
    return threshold_of(r, element, text, t->value.single, &q->threshold);
}

/* Numbers in a set: a column that is 1 on them. */
static int
number_set(struct nodes *r, uint32_t element, const struct pmml_symbol *t,
           const char *const *text, size_t n, struct predicate *q)
{
    struct pmml *p = r->p;
    struct asci_interval *same = asci_alloc(n, sizeof *same, p->e);
    struct asci_column c = { 0 };
    size_t i;
    int status = same ? ASC_OK : ASC_ESYSTEM;

    for (i = 0; i < n && status == ASC_OK; i++) {
        status = threshold_of(r, element, text[i], t->value.single,
                              &same[i].low);
        same[i].high = same[i].low;
        same[i].closed_low = same[i].closed_high = 1;
        same[i].value = 1.0;
    }
    if (status == ASC_OK)
        status = asci_pmml_column_copy(p, &t->value.column, &c);
    if (status == ASC_OK)
        status = asci_pmml_through_steps(p, element, &c, same, n, 0.0, NAN);
    free(same);
    if (status != ASC_OK) {
        asci_pmml_column_clear(&c);
        return status;
    }
    q->test = ASCI_EQUAL;
    q->threshold = 1.0;
    return asci_pmml_share(p, &c, &q->column);
}

static int
set_predicate(struct nodes *r, uint32_t element, struct predicate *q)
{
    static const char *const operators[] = { "isIn", "isNotIn", NULL };
    struct pmml *p = r->p;
    const uint32_t array = asci_pmml_child(p, element, PMML_Array);
    struct pmml_symbol *t;
    const char **text;
    size_t n;
    int status;

    if ((status = asci_pmml_choice(p, element, PMML_booleanOperator,
                                   operators, 0, &q->negate)) ||
        (status = find_field(r, element, &t, q)))
        return status;
    if (!array)
        return asci_pmml_fail(p, element, "SimpleSetPredicate: there is no "
                              "Array");
    if ((status = asci_pmml_array(p, array, &text, &n)))
        return status;
    q->kind = TEST;
    return t->value.categorical ? label_set(r, t, text, n, q)
                                : number_set(r, element, t, text, n, q);
}

static int
compound_predicate(struct nodes *r, uint32_t element, uint32_t index)
{
    static const char *const operators[] = {
        "and", "or", "xor", "surrogate", NULL
    };
    static const enum predicate_kind kinds[] = { AND, OR, XOR, SURROGATE };
    struct pmml *p = r->p;
    uint32_t t, made, last = NONE;
    const char *text;
    int operator, status;

    if ((status = asci_pmml_required(p, element, PMML_booleanOperator,
                                     &text)) ||
        (status = asci_pmml_choice(p, element, PMML_booleanOperator,
                                   operators, 0, &operator)))
        return status;
    if (!p->doc.element[element].child)
        return asci_pmml_fail(p, element, "CompoundPredicate: there is no "
                              "predicate");
    if (r->predicate[index].level >= MAX_COMPOUNDS)
        return asci_pmml_fail(p, element, "CompoundPredicate: they nest more "
                              "than %d deep", MAX_COMPOUNDS);
    r->predicate[index].kind = kinds[operator];
    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next) {
        if (!is_predicate(p->doc.element[t].name))
            return asci_pmml_unsupported(p, t, "CompoundPredicate",
                                         predicates);
        if ((status = asci_pmml_read_predicate(r, t, index,
                                               r->predicate[index].node,
                                               &made)))
            return status;
        if (last == NONE)
            r->predicate[index].first = made;
        else
            r->predicate[last].next = made;
        last = made;
    }
    return ASC_OK;
}

int
asci_pmml_read_predicate(struct nodes *r, uint32_t element, uint32_t parent,
                         uint32_t node, uint32_t *index)
{
    struct pmml *p = r->p;
    struct predicate q = { .parent = parent, .first = NONE, .next = NONE,
                           .node = node, .field = PMML_NO_FIELD };
    int status = asci_pmml_grow(&r->predicate, r->n_predicates,
                                &r->room_predicates, sizeof *r->predicate,
                                p->e);

    if (status != ASC_OK)
        return status;
    if (parent != NONE)
        q.level = r->predicate[parent].level + 1;
    *index = (uint32_t)r->n_predicates++;
    switch (p->doc.element[element].name) {
    case PMML_True:
        q.kind = ALWAYS;
        break;
    case PMML_False:
        q.kind = NEVER;
        break;
    case PMML_SimplePredicate:
        status = simple_predicate(r, element, &q);
        break;
    case PMML_SimpleSetPredicate:
        status = set_predicate(r, element, &q);
        break;
    default:
        r->predicate[*index] = q;
        return compound_predicate(r, element, *index);
    }
    r->predicate[*index] = q;
    return status;
}

int
asci_pmml_add_node(struct nodes *r, uint32_t element, uint32_t parent,
                   uint32_t *index)
{
    struct pmml *p = r->p;
    struct node t = { .element = element, .predicate = NONE,
                      .parent = parent, .first = NONE, .next = NONE,
                      .default_child = NONE, .count = NAN };
    int status = asci_pmml_grow(&r->node, r->n_nodes, &r->room_nodes,
                                sizeof *r->node, p->e);

    if (status != ASC_OK)
        return status;
    *index = (uint32_t)r->n_nodes;
    r->node[r->n_nodes++] = t;
    return ASC_OK;
}

static int
read_children(struct nodes *r, uint32_t element, uint32_t index)
{
    struct pmml *p = r->p;
    uint32_t t, made, last = NONE;
    int status;

    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next) {
        const uint32_t name = p->doc.element[t].name;

        if (is_predicate(name) && r->node[index].predicate == NONE) {
            if ((status = asci_pmml_read_predicate(r, t, NONE, index, &made)))
                return status;
            r->node[index].predicate = made;
        } else if (name == PMML_Node) {
            if ((status = asci_pmml_read_node(r, t, index, &made)))
                return status;
            if (last == NONE)
                r->node[index].first = made;
            else
                r->node[last].next = made;
            last = made;
        } else if (name != PMML_ScoreDistribution) {
            return asci_pmml_unsupported(p, t, "Node", "one predicate "
                                         "(SimplePredicate, "
                                         "SimpleSetPredicate, "
                                         "CompoundPredicate, True, False), "
                                         "ScoreDistribution, Node");
        }
    }
    return ASC_OK;
}

static int
find_default(struct nodes *r, uint32_t index)
{
    const struct pmml *p = r->p;
    const char *wanted = asci_pmml_attribute(p, r->node[index].element,
                                             PMML_defaultChild);
    const char *id;
    uint32_t t;

    if (!wanted || r->node[index].first == NONE)
        return ASC_OK;
    for (t = r->node[index].first; t != NONE; t = r->node[t].next) {
        id = asci_pmml_attribute(p, r->node[t].element, PMML_id);
        if (id && !strcmp(id, wanted)) {
            r->node[index].default_child = t;
            return ASC_OK;
        }
    }
    return asci_pmml_fail(p, r->node[index].element, "Node: defaultChild "
                          "\"%s\" is not the id of one of its children",
                          wanted);
}

/* A node's recordCount, else the sum of its ScoreDistributions', else NaN. */
static int
record_count(const struct pmml *p, uint32_t element, double *count)
{
    double part;
    uint32_t t;
    int status = asci_pmml_number_or(p, element, PMML_recordCount, NAN,
                                     count);

    if (status != ASC_OK || !isnan(*count))
        return status;
    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_ScoreDistribution ||
            !asci_pmml_attribute(p, t, PMML_recordCount))
            continue;
        if ((status = asci_pmml_number(p, t, PMML_recordCount, &part)))
            return status;
        *count = isnan(*count) ? part : *count + part;
    }
    return ASC_OK;
}

/* Some exporters write shares for counts: every leaf has 1 record, which its
 * ScoreDistributions split in fractions. */
static void
look_for_shares(struct nodes *r, uint32_t element, double count)
{
    const struct pmml *p = r->p;
    double part;
    uint32_t t;

    if (count != 1.0) {
        r->counted |= !isnan(count);
        return;
    }
    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next)
        if (p->doc.element[t].name == PMML_ScoreDistribution
            && !asci_pmml_number_or(p, t, PMML_recordCount, 0.0, &part)
            && part != floor(part))
            r->shares = 1;
}

int
asci_pmml_read_node(struct nodes *r, uint32_t element, uint32_t parent,
                    uint32_t *index)
{
    struct pmml *p = r->p;
    double count;
    int status;

    if ((status = asci_pmml_add_node(r, element, parent, index)) ||
        (status = record_count(p, element, &count)))
        return status;
    if (count < 0.0)
        return asci_pmml_fail(p, element, "Node: recordCount %g is negative",
                              count);
    r->node[*index].count = count;
    look_for_shares(r, element, count);
    if ((status = read_children(r, element, *index)))
        return status;
    if (r->node[*index].predicate == NONE)
        return asci_pmml_fail(p, element, "Node: there is no predicate "
                              "(supported: %s)", predicates);
    return r->fallback ? find_default(r, *index) : ASC_OK;
}
