/* model/pmml/tree.c -- TreeModel: nested predicates become decision nodes.
 *
 * PMML asks the children of a node in their order, in three-valued logic, and
 * what an unknown answer means is the model's missingValueStrategy.  The
 * compiled tree asks one column at a time, with an end for each answer: yes,
 * no, missing.  Compilation walks both at once.  At each place it knows what
 * the tests on the way have left possible of each column, so that the second
 * of two complementary predicates needs no test and a split becomes one node.
 * Ends that lead to the same place are joined.  A place can only be reached
 * twice through surrogates, or predicates over several columns; what follows
 * it is then compiled twice, within a budget.
 *
 * Covers are the record counts of the nodes; tests inside a node's chain get
 * the sums of their ends.  (PMML 4.4, Trees.)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

#define NONE UINT32_MAX
enum { MAX_COMPOUNDS = 60 };    /* a bit of state each */

enum answer { YES = 1, NO = 2, UNKNOWN = 4 };

enum predicate_kind {
    TEST, IS_MISSING,           /* of one column */
    ALWAYS, NEVER,
    AND, OR, XOR, SURROGATE
};

struct predicate {
    uint32_t kind;              /* enum predicate_kind */
    uint32_t parent, first, next;       /* predicates */
    uint32_t node;              /* whose predicate this is, or is part of */
    uint32_t level;             /* compounds around it */
    uint32_t test, column;      /* TEST, as in struct asci_node */
    uint32_t set, set_bits;
    uint32_t n_labels;          /* of the column, if it holds labels; else 0 */
    int others;                 /* it may hold an undeclared one */
    size_t field;               /* whose categories the labels are, or
                                   PMML_NO_FIELD */
    int negate;                 /* YES of the test is NO */
    int unknown_is_no;          /* both lead to the same place */
    double threshold;
};

struct node {
    uint32_t element;
    uint32_t predicate;
    uint32_t parent, first, next;
    uint32_t default_child;
    double count;               /* NaN: not known */
    uint32_t n_entered;         /* times it was compiled */
    uint32_t n_ends;            /* times the tree ends at it, between its
                                   children */
};

/* What is possible of a column; the latest entry of a column counts. */
struct known {
    const struct known *up;
    uint32_t column;
    int missing, present;
    double low, high, other_than;
    int low_open, high_open;
    uint64_t *set;              /* labels, and one bit for undeclared ones */
    uint32_t n_labels;
};

enum place_kind { ASK, ENTER, STAY, GIVE_UP, NOWHERE };

struct place {
    enum place_kind kind;
    uint32_t at;                /* ASK: predicate; ENTER: node; STAY, GIVE_UP:
                                   the node whose children said no */
    uint64_t state;             /* ASK: a bit for each compound around it */
    uint32_t entered;           /* node that begins here, or NONE */
};

struct item {
    struct place place;
    const struct known *known;
    uint32_t from;              /* compiled node, NONE: this is the root */
    int ends;                   /* of it that lead here: YES, NO, UNKNOWN */
};

struct made {                   /* beside each compiled node */
    double cover;
    uint32_t ends_at;           /* node between whose children it ends */
    int gives_up;               /* there, without an answer */
};

struct reader {
    struct pmml *p;
    struct pmml_scope *scope;
    struct pmml_fragment *f;
    const struct pmml_classes *classes;
    int strategy, stay, vote, is_test;

    struct node *node;
    size_t n_nodes, room_nodes;
    struct predicate *predicate;
    size_t n_predicates, room_predicates;

    struct item *item;
    size_t n_items, room_items;
    struct asci_node *out;
    struct made *made;
    size_t n_out, room_out, room_made;
    double *value;
    size_t n_leaves, room_value, width;
    struct pmml_arena knowledge;
};

enum { STRATEGY_NONE, LAST_PREDICTION, NULL_PREDICTION, DEFAULT_CHILD };

/* ---- reading ---- */

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
    *set = (uint32_t)p->n_set_words;
    if (words)
        memset(p->set + p->n_set_words, 0, words * sizeof *p->set);
    p->n_set_words += words;
    return ASC_OK;
}

/* The labels that equal one of n texts. */
static int
label_set(struct reader *r, const struct pmml_symbol *t,
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
find_field(struct reader *r, uint32_t element, struct pmml_symbol **t,
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
threshold_of(struct reader *r, uint32_t element, const char *text,
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
numbers_column(struct reader *r, uint32_t element,
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
simple_predicate(struct reader *r, uint32_t element, struct predicate *q)
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
number_set(struct reader *r, uint32_t element, const struct pmml_symbol *t,
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
set_predicate(struct reader *r, uint32_t element, struct predicate *q)
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

static int read_predicate(struct reader *r, uint32_t element, uint32_t parent,
                          uint32_t node, uint32_t *index);

static int
compound_predicate(struct reader *r, uint32_t element, uint32_t index)
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
        if ((status = read_predicate(r, t, index, r->predicate[index].node,
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

static int
read_predicate(struct reader *r, uint32_t element, uint32_t parent,
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

static int
add_node(struct reader *r, uint32_t element, uint32_t parent, uint32_t *index)
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

static int read_node(struct reader *r, uint32_t element, uint32_t parent,
                     uint32_t *index);

static int
read_children(struct reader *r, uint32_t element, uint32_t index)
{
    struct pmml *p = r->p;
    uint32_t t, made, last = NONE;
    int status;

    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next) {
        const uint32_t name = p->doc.element[t].name;

        if (is_predicate(name) && r->node[index].predicate == NONE) {
            if ((status = read_predicate(r, t, NONE, index, &made)))
                return status;
            r->node[index].predicate = made;
        } else if (name == PMML_Node) {
            if ((status = read_node(r, t, index, &made)))
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
find_default(struct reader *r, uint32_t index)
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

static int
read_node(struct reader *r, uint32_t element, uint32_t parent,
          uint32_t *index)
{
    struct pmml *p = r->p;
    double count;
    int status;

    if ((status = add_node(r, element, parent, index)) ||
        (status = record_count(p, element, &count)))
        return status;
    if (count < 0.0)
        return asci_pmml_fail(p, element, "Node: recordCount %g is negative",
                              count);
    r->node[*index].count = count;
    if ((status = read_children(r, element, *index)))
        return status;
    if (r->node[*index].predicate == NONE)
        return asci_pmml_fail(p, element, "Node: there is no predicate "
                              "(supported: %s)", predicates);
    return r->strategy == DEFAULT_CHILD ? find_default(r, *index) : ASC_OK;
}

/* ---- what is known ---- */

static const struct known *
find_known(const struct known *k, uint32_t column)
{
    while (k && k->column != column)
        k = k->up;
    return k;
}

static size_t
set_words(const struct predicate *q)
{
    return q->n_labels / 64 + 1;        /* one bit more, for undeclared */
}

/* A copy of what is known of the predicate's column, to be changed; all is
 * possible if nothing is known.  NULL: no memory. */
static struct known *
copy_known(struct reader *r, const struct known *up,
           const struct predicate *q)
{
    const struct known *old = find_known(up, q->column);
    struct known *k = asci_pmml_take(&r->knowledge, 1, sizeof *k, r->p->e);
    uint64_t *set;
    size_t i;

    if (!k)
        return NULL;
    k->missing = r->p->shared[q->column].missing;
    k->present = 1;
    k->low = -INFINITY;
    k->high = INFINITY;
    k->other_than = NAN;
    if (old)
        *k = *old;
    k->up = up;
    k->column = q->column;
    if (q->test != ASCI_IN_SET || q->kind != TEST)
        return k;
    set = asci_pmml_take(&r->knowledge, set_words(q), sizeof *set, r->p->e);
    if (!set)
        return NULL;
    if (k->set && k->n_labels == q->n_labels)
        memcpy(set, k->set, set_words(q) * sizeof *set);
    else
        for (i = 0; i < q->n_labels + (q->others != 0); i++)
            set[i / 64] |= UINT64_C(1) << i % 64;
    k->set = set;
    k->n_labels = q->n_labels;
    return k;
}

/* Word w of the labels that are in the test's set, and of those that are
 * possible. */
static uint64_t
test_word(const struct reader *r, const struct predicate *q, size_t w)
{
    return w < ((size_t)q->set_bits + 63) / 64 ? r->p->set[q->set + w] : 0;
}

static uint64_t
possible_word(const struct predicate *q, const struct known *k, size_t w)
{
    const size_t n = q->n_labels + (q->others != 0);

    if (k && k->set && k->n_labels == q->n_labels)
        return k->set[w];
    if (w < n / 64)
        return UINT64_MAX;
    return w > n / 64 ? 0 : (UINT64_C(1) << n % 64) - 1;
}

/* The answers that a present value can still give to a test of a set. */
static int
assess_set(const struct reader *r, const struct predicate *q,
           const struct known *k)
{
    size_t w;
    int answers = 0;

    for (w = 0; w < set_words(q) && answers != (YES | NO); w++) {
        const uint64_t possible = possible_word(q, k, w);

        answers |= possible & test_word(r, q, w) ? YES : 0;
        answers |= possible & ~test_word(r, q, w) ? NO : 0;
    }
    return answers;
}

static int
assess_number(const struct predicate *q, const struct known *k)
{
    const double t = q->threshold;
    double low = -INFINITY, high = INFINITY;
    int low_open = 0, high_open = 0;

    if (k) {
        low = k->low;
        high = k->high;
        low_open = k->low_open;
        high_open = k->high_open;
    }
    switch (q->test) {
    case ASCI_LESS:
        return (low < t ? YES : 0) |
               (high > t || (high == t && !high_open) ? NO : 0);
    case ASCI_LESS_EQUAL:
        return (low < t || (low == t && !low_open) ? YES : 0) |
               (high > t ? NO : 0);
    default:
        return (t < low || t > high || (t == low && low_open) ||
                (t == high && high_open) || (k && k->other_than == t)
                ? 0 : YES) |
               (low == high && low == t ? 0 : NO);
    }
}

static int
negated(int answers)
{
    return (answers & UNKNOWN) | (answers & YES ? NO : 0) |
           (answers & NO ? YES : 0);
}

/* The answers that are possible, given what is known. */
static int
assess(const struct reader *r, const struct predicate *q,
       const struct known *known)
{
    const struct known *k;
    int answers = 0, missing, present;

    if (q->kind == ALWAYS || q->kind == NEVER)
        return q->kind == ALWAYS ? YES : NO;
    k = find_known(known, q->column);
    missing = k ? k->missing : r->p->shared[q->column].missing;
    present = k ? k->present : 1;
    if (q->kind == IS_MISSING) {
        answers = (missing ? YES : 0) | (present ? NO : 0);
    } else {
        if (present)
            answers = q->test == ASCI_IN_SET ? assess_set(r, q, k)
                                             : assess_number(q, k);
        if (missing)
            answers |= UNKNOWN;
    }
    return q->negate ? negated(answers) : answers;
}

static void
cut_low(struct known *k, double t, int open)
{
    if (t > k->low || (t == k->low && open)) {
        k->low = t;
        k->low_open = open;
    }
}

static void
cut_high(struct known *k, double t, int open)
{
    if (t < k->high || (t == k->high && open)) {
        k->high = t;
        k->high_open = open;
    }
}

/* What is known once the predicate has given this answer. */
static const struct known *
learn(struct reader *r, const struct predicate *q, const struct known *known,
      int answer)
{
    struct known *k = copy_known(r, known, q);
    size_t w;

    if (!k)
        return NULL;
    if (q->negate)
        answer = negated(answer);
    if (q->kind == IS_MISSING || answer == UNKNOWN) {
        const int missing = q->kind != IS_MISSING || answer == YES;

        k->missing = missing;
        k->present = !missing;
        return k;
    }
    k->missing = 0;
    switch (q->test) {
    case ASCI_LESS:
        if (answer == YES)
            cut_high(k, q->threshold, 1);
        else
            cut_low(k, q->threshold, 0);
        break;
    case ASCI_LESS_EQUAL:
        if (answer == YES)
            cut_high(k, q->threshold, 0);
        else
            cut_low(k, q->threshold, 1);
        break;
    case ASCI_EQUAL:
        if (answer == YES) {
            k->low = k->high = q->threshold;
            k->low_open = k->high_open = 0;
        } else {
            k->other_than = q->threshold;
        }
        break;
    default:
        for (w = 0; w < set_words(q); w++)
            k->set[w] &= answer == YES ? test_word(r, q, w)
                                       : ~test_word(r, q, w);
    }
    return k;
}

/* What is known where either of two answers was given: both entries are the
 * latest of the predicate's column. */
static const struct known *
join(struct reader *r, const struct predicate *q, const struct known *a,
     const struct known *b)
{
    struct known *k = copy_known(r, a, q);
    size_t w;

    if (!k)
        return NULL;
    k->up = a->up;
    k->missing = a->missing || b->missing;
    k->present = a->present || b->present;
    if (!b->present)
        return k;
    if (!a->present) {
        uint64_t *set = k->set;

        *k = *b;
        k->missing = 1;
        k->set = set;
        if (q->kind != TEST || q->test != ASCI_IN_SET)
            k->set = b->set;
        else
            memcpy(set, b->set, set_words(q) * sizeof *set);
        return k;
    }
    if (b->low < k->low || (b->low == k->low && !b->low_open)) {
        k->low = b->low;
        k->low_open = b->low_open;
    }
    if (b->high > k->high || (b->high == k->high && !b->high_open)) {
        k->high = b->high;
        k->high_open = b->high_open;
    }
    if (!(k->other_than == b->other_than))
        k->other_than = NAN;
    if (q->kind == TEST && q->test == ASCI_IN_SET)
        for (w = 0; w < set_words(q); w++)
            k->set[w] |= b->set[w];
    return k;
}

/* ---- places ---- */

static struct place
go(enum place_kind kind, uint32_t at, uint64_t state, uint32_t entered)
{
    const struct place t = { kind, at, state, entered };

    return t;
}

/* The first question of a predicate. */
static struct place
first_question(const struct reader *r, uint32_t predicate, uint64_t state,
               uint32_t entered)
{
    while (r->predicate[predicate].first != NONE) {
        state &= ~(UINT64_C(1) << r->predicate[predicate].level);
        predicate = r->predicate[predicate].first;
    }
    return go(ASK, predicate, state, entered);
}

/* Where the answer of a child's whole predicate leads. */
static struct place
after_child(const struct reader *r, uint32_t child, int answer)
{
    const uint32_t parent = r->node[child].parent;
    const uint32_t next = r->node[child].next;

    if (answer == YES)
        return go(ENTER, child, 0, child);
    if (answer == UNKNOWN)
        switch (r->strategy) {
        case LAST_PREDICTION:
            return go(STAY, parent, 0, NONE);
        case NULL_PREDICTION:
            return go(GIVE_UP, parent, 0, NONE);
        case DEFAULT_CHILD:
            if (r->node[parent].default_child == NONE)
                return go(GIVE_UP, parent, 0, NONE);
            return go(ENTER, r->node[parent].default_child, 0,
                      r->node[parent].default_child);
        default:
            break;
        }
    if (next != NONE)
        return first_question(r, r->node[next].predicate, 0, NONE);
    return go(r->stay ? STAY : GIVE_UP, parent, 0, NONE);
}

static int
same_place(const struct place *a, const struct place *b)
{
    return a->kind == b->kind && a->at == b->at && a->state == b->state;
}

/* The compound's answer after that of its operand: 0 if the next one is to be
 * asked.  *state holds whether an unknown one was seen, or an odd number of
 * true ones. */
static int
fold(const struct reader *r, uint32_t compound, int answer, int last,
     uint64_t *state)
{
    const struct predicate *c = &r->predicate[compound];
    const uint64_t mark = UINT64_C(1) << c->level;

    switch (c->kind) {
    case AND:
        if (answer == NO)
            return NO;
        if (answer == UNKNOWN) {
            if (c->unknown_is_no)
                return NO;
            *state |= mark;
        }
        return !last ? 0 : *state & mark ? UNKNOWN : YES;
    case OR:
        if (answer == YES)
            return YES;
        if (answer == UNKNOWN && !c->unknown_is_no)
            *state |= mark;
        return !last ? 0 : *state & mark ? UNKNOWN : NO;
    case XOR:
        if (answer == UNKNOWN)
            return UNKNOWN;
        if (answer == YES)
            *state ^= mark;
        return !last ? 0 : *state & mark ? YES : NO;
    default:
        if (answer != UNKNOWN)
            return answer;
        return last ? UNKNOWN : 0;
    }
}

/* Where the answer of a predicate leads: the next operand, the next child, a
 * node, an end. */
static struct place
after(const struct reader *r, uint32_t predicate, uint64_t state, int answer)
{
    while (r->predicate[predicate].parent != NONE) {
        const uint32_t compound = r->predicate[predicate].parent;
        const uint32_t next = r->predicate[predicate].next;

        /* What was noted of compounds that are done is forgotten. */
        state &= (UINT64_C(2) << r->predicate[compound].level) - 1;
        answer = fold(r, compound, answer, next == NONE, &state);
        if (answer == 0)
            return first_question(r, next, state, NONE);
        predicate = compound;
    }
    return after_child(r, r->predicate[predicate].node, answer);
}

/* Goes on while what is known gives the answers, up to the next node: what
 * leads to the same node is to meet there, whatever it knows. */
static struct place
proceed(const struct reader *r, struct place t, const struct known *known)
{
    const uint32_t entered = t.entered;

    while (t.kind == ASK) {
        const int answers = assess(r, &r->predicate[t.at], known);

        if (answers != YES && answers != NO && answers != UNKNOWN)
            break;
        t = after(r, t.at, t.state, answers);
    }
    if (t.entered == NONE)
        t.entered = entered;
    return t;
}

/* ---- leaves ---- */

static int
add_leaf(struct reader *r, uint32_t *leaf, double **value)
{
    while (r->room_value < (r->n_leaves + 1) * r->width)
        if (asci_pmml_grow(&r->value, r->room_value, &r->room_value,
                           sizeof *r->value, r->p->e) != ASC_OK)
            return ASC_ESYSTEM;
    *leaf = (uint32_t)r->n_leaves;
    *value = r->value + r->n_leaves++ * r->width;
    return ASC_OK;
}

/* The probabilities that a node's ScoreDistributions say: `probability`, else
 * shares of recordCount.  *found: there are any. */
static int
distribution(struct reader *r, uint32_t element, double *v, int *found)
{
    struct pmml *p = r->p;
    const char *text;
    double sum = 0.0, amount;
    int shares = 1, status;
    uint32_t t;
    size_t k;

    *found = 0;
    for (k = 0; k < r->width; k++)
        v[k] = 0.0;
    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_ScoreDistribution)
            continue;
        if (!*found)
            shares = !asci_pmml_attribute(p, t, PMML_probability);
        *found = 1;
        if ((status = asci_pmml_required(p, t, PMML_value, &text)) ||
            (status = asci_pmml_number(p, t, shares ? PMML_recordCount
                                                    : PMML_probability,
                                       &amount)) ||
            (status = asci_pmml_class(p, r->classes, text, &k)))
            return status;
        if (k == PMML_NO_FIELD)
            return asci_pmml_fail(p, t, "ScoreDistribution: \"%s\" is not a "
                                  "class of the target", text);
        v[k] += amount;
        sum += amount;
    }
    if (shares && *found && !(sum > 0.0))
        *found = 0;
    for (k = 0; k < r->width && shares && *found; k++)
        v[k] /= sum;
    return ASC_OK;
}

static int
class_leaf(struct reader *r, uint32_t element, double *v)
{
    struct pmml *p = r->p;
    const char *score = asci_pmml_attribute(p, element, PMML_score);
    size_t k, best = 0;
    int found, status = distribution(r, element, v, &found);

    if (status != ASC_OK || (found && !r->vote))
        return status;
    if (score) {
        if ((status = asci_pmml_class(p, r->classes, score, &best)))
            return status;
        if (best == PMML_NO_FIELD)
            return asci_pmml_fail(p, element, "Node: score \"%s\" is not a "
                                  "class of the target", score);
    } else if (found) {
        for (k = 1; k < r->width; k++)
            if (v[k] > v[best])
                best = k;
    } else {
        return asci_pmml_fail(p, element, "Node: attribute score is "
                              "missing");
    }
    for (k = 0; k < r->width; k++)
        v[k] = k == best;
    if (!r->vote)
        r->f->has_probabilities = 0;
    return ASC_OK;
}

/* The values of a leaf at a place where the tree ends. */
static int
fill_leaf(struct reader *r, const struct place *t, double *v)
{
    const uint32_t element = r->node[t->at].element;
    size_t k;

    if (r->is_test) {
        v[0] = t->kind == ENTER;
        return ASC_OK;
    }
    if (t->kind == NOWHERE) {
        for (k = 0; k < r->width; k++)
            v[k] = 0.0;
        return ASC_OK;
    }
    /* A node that only leads on need not have a score to stay at. */
    if (t->kind == GIVE_UP || element == 0 ||
        (t->kind == STAY &&
         !asci_pmml_attribute(r->p, element, PMML_score) &&
         !asci_pmml_child(r->p, element, PMML_ScoreDistribution))) {
        for (k = 0; k < r->width; k++)
            v[k] = NAN;
        return ASC_OK;
    }
    return r->classes ? class_leaf(r, element, v)
                      : asci_pmml_number(r->p, element, PMML_score, v);
}

/* ---- compilation ---- */

static int
add_out(struct reader *r, const struct item *t, uint32_t *index)
{
    struct pmml *p = r->p;
    int status;

    if (p->budget-- == 0) {
        p->budget = 0;
        return asci_pmml_fail(p, r->node[r->n_nodes > 1].element, "TreeModel: "
                              "its compound predicates make too many decision "
                              "nodes");
    }
    if ((status = asci_pmml_grow(&r->out, r->n_out, &r->room_out,
                                 sizeof *r->out, p->e)) ||
        (status = asci_pmml_grow(&r->made, r->n_out, &r->room_made,
                                 sizeof *r->made, p->e)))
        return status;
    *index = (uint32_t)r->n_out++;
    memset(&r->out[*index], 0, sizeof r->out[*index]);
    r->made[*index].cover = NAN;
    r->made[*index].ends_at = NONE;
    r->made[*index].gives_up = 0;
    if (t->from != NONE) {
        if (t->ends & YES)
            r->out[t->from].yes = *index;
        if (t->ends & NO)
            r->out[t->from].no = *index;
        if (t->ends & UNKNOWN)
            r->out[t->from].missing = *index;
    }
    if (t->place.entered != NONE) {
        r->made[*index].cover = r->node[t->place.entered].count;
        r->node[t->place.entered].n_entered++;
    }
    return ASC_OK;
}

static int
push(struct reader *r, struct place place, const struct known *known,
     uint32_t from, int ends)
{
    const struct item t = { place, known, from, ends };
    int status = asci_pmml_grow(&r->item, r->n_items, &r->room_items,
                                sizeof *r->item, r->p->e);

    if (status == ASC_OK)
        r->item[r->n_items++] = t;
    return status;
}

static int
make_leaf(struct reader *r, const struct item *t)
{
    uint32_t index, leaf;
    double *value;
    int status;

    if ((status = add_out(r, t, &index)) ||
        (status = add_leaf(r, &leaf, &value)) ||
        (status = fill_leaf(r, &t->place, value)))
        return status;
    r->out[index].test = ASCI_LEAF;
    r->out[index].leaf = leaf;
    if (t->place.kind == NOWHERE) {
        r->made[index].cover = 0.0;
    } else if (t->place.kind != ENTER && t->place.entered == NONE) {
        r->made[index].ends_at = t->place.at;
        r->made[index].gives_up = t->place.kind == GIVE_UP;
        r->node[t->place.at].n_ends++;
    }
    return ASC_OK;
}

/* The node that asks, or only whether there is a value if nothing else can
 * come out; ends: the answers as they leave the compiled node. */
static void
set_test(struct asci_node *out, const struct predicate *q, int presence)
{
    out->test = q->test;
    out->column = q->column;
    out->threshold = q->threshold;
    out->set = q->set;
    out->set_bits = q->set_bits;
    if (presence) {
        out->test = ASCI_LESS_EQUAL;
        out->threshold = INFINITY;
        out->set = out->set_bits = 0;
    }
}

/* A question with several possible answers. */
static int
make_test(struct reader *r, const struct item *t, int answers)
{
    const struct predicate *q = &r->predicate[t->place.at];
    const int all[3] = { YES, NO, UNKNOWN };
    const struct known *known[3] = { NULL, NULL, NULL };
    struct place to[3];
    int end[3], used[3], presence, status, i, j, n = 0;
    uint32_t index;

    for (i = 0; i < 3; i++) {
        used[i] = 0;
        if (!(answers & all[i]))
            continue;
        if (!(known[i] = learn(r, q, t->known, all[i])))
            return ASC_ESYSTEM;
        to[i] = proceed(r, after(r, t->place.at, t->place.state, all[i]),
                        known[i]);
        used[i] = 1;
        n++;
    }
    /* Which end of the compiled node each answer takes. */
    presence = q->kind == IS_MISSING || !(answers & YES) || !(answers & NO);
    for (i = 0; i < 3; i++)
        if (q->kind == IS_MISSING)
            end[i] = (all[i] == YES) != (q->negate != 0) ? UNKNOWN : YES;
        else if (all[i] == UNKNOWN)
            end[i] = UNKNOWN;
        else if (presence)
            end[i] = YES;
        else
            end[i] = q->negate ? negated(all[i]) : all[i];
    for (i = 0; i < 3; i++)
        for (j = i + 1; j < 3; j++)
            if (used[i] && used[j] && same_place(&to[i], &to[j])) {
                known[i] = join(r, q, known[i], known[j]);
                if (!known[i])
                    return ASC_ESYSTEM;
                end[i] |= end[j];
                used[j] = 0;
                n--;
            }
    if (n == 1) {               /* the answer does not matter */
        for (i = 0; !used[i]; i++)
            ;
        if (to[i].entered == NONE)
            to[i].entered = t->place.entered;
        return push(r, to[i], known[i], t->from, t->ends);
    }
    if ((status = add_out(r, t, &index)))
        return status;
    set_test(&r->out[index], q, presence);
    /* No value is missing: that end joins another. */
    if (!presence && !(answers & UNKNOWN))
        for (i = 0; i < 3; i++)
            if (used[i] && (end[i] & NO))
                end[i] |= UNKNOWN;
    for (i = 2; i >= 0; i--)
        if (used[i] &&
            (status = push(r, to[i], known[i], index, end[i])))
            return status;
    return presence ? push(r, go(NOWHERE, 0, 0, NONE), NULL, index, NO)
                    : ASC_OK;
}

static int
compile(struct reader *r)
{
    int status = push(r, first_question(r, r->node[1].predicate, 0, NONE),
                      NULL, NONE, 0);

    while (status == ASC_OK && r->n_items > 0) {
        struct item t = r->item[--r->n_items];

        if (t.place.kind == ENTER && r->node[t.place.at].first != NONE)
            t.place = first_question(
                r, r->node[r->node[t.place.at].first].predicate, 0,
                t.place.entered);
        t.place = proceed(r, t.place, t.known);
        if (t.place.kind == ASK)
            status = make_test(r, &t, assess(r, &r->predicate[t.place.at],
                                             t.known));
        else if (t.place.kind == ENTER &&
                 r->node[t.place.at].first != NONE)
            status = push(r, t.place, t.known, t.from, t.ends);
        else
            status = make_leaf(r, &t);
    }
    return status;
}

/* ---- covers ---- */

/* What the ends between a node's children get: what its count leaves.  NaN if
 * several ends would have to share it.  A node without a count is the sum of
 * its children, if nothing but a lack of answers ends between them. */
static double
remainder_of(const struct reader *r, uint32_t node, int gives_up)
{
    double rest = r->node[node].count;
    uint32_t t;

    if (isnan(rest) && gives_up)
        return 0.0;
    for (t = r->node[node].first; t != NONE; t = r->node[t].next)
        rest -= r->node[t].count;
    if (rest <= 1e-6 * r->node[node].count)
        return 0.0;
    return r->node[node].n_ends > 1 ? NAN : rest;
}

static double
sum_of_ends(const struct asci_node *t, const double *cover)
{
    double sum = cover[t->yes];

    if (t->no != t->yes)
        sum += cover[t->no];
    if (t->missing != t->yes && t->missing != t->no)
        sum += cover[t->missing];
    return sum;
}

/* NULL if a count is not known; *status tells of no memory. */
static double *
covers(struct reader *r, int *status)
{
    double *cover;
    size_t i;

    for (i = 1; i < r->n_nodes; i++)
        if (r->node[i].n_entered > 1)
            return NULL;
    if (!(cover = asci_alloc(r->n_out, sizeof *cover, r->p->e))) {
        *status = ASC_ESYSTEM;
        return NULL;
    }
    for (i = r->n_out; i-- > 0;) {
        const struct asci_node *t = &r->out[i];

        cover[i] = r->made[i].cover;
        if (t->test == ASCI_LEAF) {
            if (r->made[i].ends_at != NONE)
                cover[i] = remainder_of(r, r->made[i].ends_at,
                                        r->made[i].gives_up);
        } else {
            const double sum = sum_of_ends(t, cover);

            /* Some write 0 for all but the leaves. */
            if (!(cover[i] >= 0.999 * sum))
                cover[i] = sum;
        }
        if (!(cover[i] >= 0.0)) {
            free(cover);
            return NULL;
        }
    }
    return cover;
}

/* ---- the model ---- */

static int
take_tree(struct reader *r)
{
    struct pmml_fragment *f = r->f;
    struct pmml *p = r->p;
    struct asci_tree *t;
    void *less;
    int status = ASC_OK;

    if ((status = asci_pmml_grow(&f->tree, 0, &f->room_trees,
                                 sizeof *f->tree, p->e)))
        return status;
    t = &f->tree[0];
    memset(t, 0, sizeof *t);
    t->cover = covers(r, &status);
    if (status != ASC_OK)
        return status;
    t->n_nodes = r->n_out;
    t->node = r->out;
    t->n_leaves = r->n_leaves;
    t->width = r->width;
    t->value = r->value;
    r->out = NULL;
    r->value = NULL;
    f->n_trees = 1;
    /* The room that was kept for growth goes back. */
    if ((less = realloc(t->node, t->n_nodes * sizeof *t->node)))
        t->node = less;
    if ((less = realloc(t->value, t->n_leaves * t->width *
                                  sizeof *t->value)))
        t->value = less;
    return ASC_OK;
}

/* What is to be known of predicates once all have been read: how many labels
 * there are, and where an unknown answer means no.  Compounds come before
 * their operands. */
static void
describe(struct reader *r)
{
    const struct pmml *p = r->p;
    size_t i;

    for (i = 0; i < r->n_predicates; i++) {
        struct predicate *q = &r->predicate[i];

        if (q->field != PMML_NO_FIELD) {
            const struct asc_field *f = &p->schema.field[q->field];

            q->n_labels = (uint32_t)f->n_categories;
            q->others = q->field < p->n_fields &&
                        f->invalid == ASC_INVALID_AS_IS;
        }
        if (q->parent == NONE) {
            const struct place no = after_child(r, q->node, NO);
            const struct place unknown = after_child(r, q->node, UNKNOWN);

            q->unknown_is_no = same_place(&no, &unknown);
        } else if (r->predicate[q->parent].kind == AND ||
                   r->predicate[q->parent].kind == OR) {
            q->unknown_is_no = r->predicate[q->parent].unknown_is_no;
        }
    }
}

static int
build(struct reader *r)
{
    int status;

    describe(r);
    if ((status = compile(r)))
        return status;
    return take_tree(r);
}

static void
reader_free(struct reader *r)
{
    free(r->node);
    free(r->predicate);
    free(r->item);
    free(r->out);
    free(r->made);
    free(r->value);
    asci_pmml_arena_free(&r->knowledge);
}

static int
read_tree(struct reader *r, uint32_t element, const struct pmml_context *c)
{
    static const char *const strategies[] = {
        "none", "lastPrediction", "nullPrediction", "defaultChild", NULL
    };
    static const char *const no_true[] = {
        "returnNullPrediction", "returnLastPrediction", NULL
    };
    struct pmml *p = r->p;
    uint32_t t, root = 0, index;
    int classifies, status;

    if ((status = asci_pmml_classifies(p, element, &classifies)) ||
        (status = asci_pmml_choice(p, element, PMML_missingValueStrategy,
                                   strategies, STRATEGY_NONE,
                                   &r->strategy)) ||
        (status = asci_pmml_choice(p, element, PMML_noTrueChildStrategy,
                                   no_true, 0, &r->stay)))
        return status;
    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next)
        if (p->doc.element[t].name == PMML_Node && !root)
            root = t;
        else if (!asci_pmml_is_common(p, t))
            return asci_pmml_unsupported(p, t, "TreeModel", "one Node");
    if (!root)
        return asci_pmml_fail(p, element, "TreeModel: there is no Node");
    if (classifies) {
        if ((status = asci_pmml_classes(p, element, c->classes,
                                        &r->classes)))
            return status;
        if (r->classes->n == 0)
            return asci_pmml_fail(p, element, "TreeModel: there are no "
                                  "classes");
        status = asci_pmml_class_outputs(p, r->f, r->classes, NULL,
                                         r->classes->n);
    } else {
        status = asci_pmml_number_output(p, r->f, element);
    }
    if (status != ASC_OK)
        return status;
    r->width = r->f->n_raw;
    r->vote = classifies && c->vote;
    r->f->one_hot = r->vote;
    /* Node 0 stands around the root, whose predicate may be false. */
    if ((status = add_node(r, 0, NONE, &index)) ||
        (status = read_node(r, root, 0, &index)))
        return status;
    r->node[0].first = index;
    return build(r);
}

int
asci_pmml_tree(struct pmml *p, uint32_t element, const struct pmml_context *c,
               struct pmml_fragment *f)
{
    struct reader r = { .p = p, .scope = c->scope, .f = f };
    int status;

    f->form = ASC_FORM_ENSEMBLE;
    status = read_tree(&r, element, c);
    reader_free(&r);
    return status;
}

int
asci_pmml_test(struct pmml *p, uint32_t predicate, struct pmml_scope *scope,
               struct pmml_fragment *f)
{
    struct reader r = { .p = p, .scope = scope, .f = f, .is_test = 1,
                        .width = 1 };
    uint32_t index;
    int status;

    f->form = ASC_FORM_ENSEMBLE;
    if (!(status = asci_pmml_number_output(p, f, predicate)) &&
        !(status = add_node(&r, 0, NONE, &index)) &&
        !(status = add_node(&r, predicate, 0, &index)) &&
        !(status = read_predicate(&r, predicate, NONE, index,
                                  &r.node[1].predicate))) {
        r.node[0].first = 1;
        status = build(&r);
    }
    reader_free(&r);
    return status;
}
