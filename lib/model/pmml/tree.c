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
 * the sums of their ends.  Where a node is compiled once more for rows that
 * lack a value (a default child, a surrogate), its records count where it
 * stands for the others: the copy keeps its proportions at a weight that
 * vanishes beside them.  (PMML 4.4, Trees.)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/tree.h"

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
    uint32_t entered;           /* node that begins here, or NONE */
    uint32_t lacking;           /* ends on the way that only missing values
                                   take */
    uint32_t ends_at;           /* node between whose children it ends */
    int gives_up;               /* there, without an answer */
};

struct reader {
    struct pmml *p;
    struct nodes t;             /* as read */
    struct pmml_fragment *f;
    const struct pmml_classes *classes;
    int strategy, stay, vote, is_test;

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
    while (r->t.predicate[predicate].first != NONE) {
        state &= ~(UINT64_C(1) << r->t.predicate[predicate].level);
        predicate = r->t.predicate[predicate].first;
    }
    return go(ASK, predicate, state, entered);
}

/* Where the answer of a child's whole predicate leads. */
static struct place
after_child(const struct reader *r, uint32_t child, int answer)
{
    const uint32_t parent = r->t.node[child].parent;
    const uint32_t next = r->t.node[child].next;

    if (answer == YES)
        return go(ENTER, child, 0, child);
    if (answer == UNKNOWN)
        switch (r->strategy) {
        case LAST_PREDICTION:
            return go(STAY, parent, 0, NONE);
        case NULL_PREDICTION:
            return go(GIVE_UP, parent, 0, NONE);
        case DEFAULT_CHILD:
            if (r->t.node[parent].default_child == NONE)
                return go(GIVE_UP, parent, 0, NONE);
            return go(ENTER, r->t.node[parent].default_child, 0,
                      r->t.node[parent].default_child);
        default:
            break;
        }
    if (next != NONE)
        return first_question(r, r->t.node[next].predicate, 0, NONE);
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
    const struct predicate *c = &r->t.predicate[compound];
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
    while (r->t.predicate[predicate].parent != NONE) {
        const uint32_t compound = r->t.predicate[predicate].parent;
        const uint32_t next = r->t.predicate[predicate].next;

        /* What was noted of compounds that are done is forgotten. */
        state &= (UINT64_C(2) << r->t.predicate[compound].level) - 1;
        answer = fold(r, compound, answer, next == NONE, &state);
        if (answer == 0)
            return first_question(r, next, state, NONE);
        predicate = compound;
    }
    return after_child(r, r->t.predicate[predicate].node, answer);
}

/* Goes on while what is known gives the answers, up to the next node: what
 * leads to the same node is to meet there, whatever it knows. */
static struct place
proceed(const struct reader *r, struct place t, const struct known *known)
{
    const uint32_t entered = t.entered;

    while (t.kind == ASK) {
        const int answers = asci_pmml_assess(r->p, &r->t.predicate[t.at],
                                             known);

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
    if (asci_pmml_spend(r->p, r->width) != ASC_OK)
        return ASC_EINPUT;
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
    const uint32_t element = r->t.node[t->at].element;
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
        return asci_pmml_fail(p, r->t.node[r->t.n_nodes > 1].element,
                              "TreeModel: its compound predicates make too "
                              "many decision nodes");
    }
    if ((status = asci_pmml_grow(&r->out, r->n_out, &r->room_out,
                                 sizeof *r->out, p->e)) ||
        (status = asci_pmml_grow(&r->made, r->n_out, &r->room_made,
                                 sizeof *r->made, p->e)))
        return status;
    *index = (uint32_t)r->n_out++;
    memset(&r->out[*index], 0, sizeof r->out[*index]);
    r->made[*index].cover = NAN;
    r->made[*index].entered = t->place.entered;
    r->made[*index].lacking = 0;
    r->made[*index].ends_at = NONE;
    r->made[*index].gives_up = 0;
    if (t->from != NONE) {
        r->made[*index].lacking = r->made[t->from].lacking +
                                  (t->ends == UNKNOWN);
        if (t->ends & YES)
            r->out[t->from].yes = *index;
        if (t->ends & NO)
            r->out[t->from].no = *index;
        if (t->ends & UNKNOWN)
            r->out[t->from].missing = *index;
    }
    if (t->place.entered != NONE) {
        struct node *n = &r->t.node[t->place.entered];

        r->made[*index].cover = n->count;
        if (n->n_entered == 0 || r->made[*index].lacking < n->lacking) {
            n->lacking = r->made[*index].lacking;
            n->n_entered = 0;
        }
        n->n_entered += r->made[*index].lacking == n->lacking;
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
        r->t.node[t->place.at].n_ends++;
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
    const struct predicate *q = &r->t.predicate[t->place.at];
    const int all[3] = { YES, NO, UNKNOWN };
    const struct known *known[3] = { NULL, NULL, NULL };
    struct place to[3];
    int end[3], used[3], presence, status, i, j, n = 0;
    uint32_t index;

    for (i = 0; i < 3; i++) {
        used[i] = 0;
        if (!(answers & all[i]))
            continue;
        known[i] = asci_pmml_learn(r->p, &r->knowledge, q, t->known, all[i]);
        if (!known[i])
            return r->p->e->status;
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
            end[i] = q->negate ? asci_pmml_negated(all[i]) : all[i];
    for (i = 0; i < 3; i++)
        for (j = i + 1; j < 3; j++)
            if (used[i] && used[j] && same_place(&to[i], &to[j])) {
                known[i] = asci_pmml_join(r->p, &r->knowledge, q, known[i],
                                          known[j]);
                if (!known[i])
                    return r->p->e->status;
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
    int status = push(r, first_question(r, r->t.node[1].predicate, 0, NONE),
                      NULL, NONE, 0);

    while (status == ASC_OK && r->n_items > 0) {
        struct item t = r->item[--r->n_items];

        if (t.place.kind == ENTER && r->t.node[t.place.at].first != NONE)
            t.place = first_question(
                r, r->t.node[r->t.node[t.place.at].first].predicate, 0,
                t.place.entered);
        t.place = proceed(r, t.place, t.known);
        if (t.place.kind == ASK)
            status = make_test(r, &t, asci_pmml_assess(
                                   r->p, &r->t.predicate[t.place.at],
                                   t.known));
        else if (t.place.kind == ENTER &&
                 r->t.node[t.place.at].first != NONE)
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
    double rest = r->t.node[node].count;
    uint32_t t;

    if (isnan(rest) && gives_up)
        return 0.0;
    for (t = r->t.node[node].first; t != NONE; t = r->t.node[t].next)
        rest -= r->t.node[t].count;
    if (rest <= 1e-6 * r->t.node[node].count)
        return 0.0;
    return r->t.node[node].n_ends > 1 ? NAN : rest;
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

/* The count of the node that begins at a compiled node, in a copy 2^-200 of
 * it: nothing beside other counts, exact in proportion to each other. */
static double
copied(const struct reader *r, size_t i)
{
    const uint32_t more = r->made[i].lacking -
                          r->t.node[r->made[i].entered].lacking;

    return ldexp(r->made[i].cover, -200 * (int)(more < 4 ? more : 4));
}

/* NULL if a count is not known, or counts are no counts, or all are 0; *status
 * tells of no memory. */
static double *
covers(struct reader *r, int *status)
{
    double *cover;
    size_t i;

    if (r->t.shares && !r->t.counted)
        return NULL;
    for (i = 1; i < r->t.n_nodes; i++)
        if (r->t.node[i].n_entered > 1)
            return NULL;
    if (!(cover = asci_alloc(r->n_out, sizeof *cover, r->p->e))) {
        *status = ASC_ESYSTEM;
        return NULL;
    }
    for (i = r->n_out; i-- > 0;) {
        const struct asci_node *t = &r->out[i];

        cover[i] = r->made[i].cover;
        if (r->made[i].entered != NONE)
            cover[i] = copied(r, i);
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
    if (cover[0] == 0.0) {
        free(cover);
        return NULL;
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

    for (i = 0; i < r->t.n_predicates; i++) {
        struct predicate *q = &r->t.predicate[i];

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
        } else if (r->t.predicate[q->parent].kind == AND ||
                   r->t.predicate[q->parent].kind == OR) {
            q->unknown_is_no = r->t.predicate[q->parent].unknown_is_no;
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
    free(r->t.node);
    free(r->t.predicate);
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
    r->t.fallback = r->strategy == DEFAULT_CHILD;
    /* Node 0 stands around the root, whose predicate may be false. */
    if ((status = asci_pmml_add_node(&r->t, 0, NONE, &index)) ||
        (status = asci_pmml_read_node(&r->t, root, 0, &index)))
        return status;
    r->t.node[0].first = index;
    return build(r);
}

int
asci_pmml_tree(struct pmml *p, uint32_t element, const struct pmml_context *c,
               struct pmml_fragment *f)
{
    struct reader r = { .p = p, .t = { .p = p, .scope = c->scope },
                        .f = f };
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
    struct reader r = { .p = p, .t = { .p = p, .scope = scope }, .f = f,
                        .is_test = 1, .width = 1 };
    uint32_t index, made;
    int status;

    f->form = ASC_FORM_ENSEMBLE;
    if (!(status = asci_pmml_number_output(p, f, predicate)) &&
        !(status = asci_pmml_add_node(&r.t, 0, NONE, &index)) &&
        !(status = asci_pmml_add_node(&r.t, predicate, 0, &index)) &&
        !(status = asci_pmml_read_predicate(&r.t, predicate, NONE, index,
                                            &made))) {
        r.t.node[1].predicate = made;
        r.t.node[0].first = 1;
        status = build(&r);
    }
    reader_free(&r);
    return status;
}
