/* model/pmml/write_tree.c -- decision nodes.
 *
 * The ends of a node are its children, and the first whose predicate is true
 * is taken: missing values first, where they have an end of their own; then
 * the end that missing values do not take; then the other, which is always
 * true, so that it gets them as well (missingValueStrategy "none": an unknown
 * predicate is not true).  Tests of encoded categories become sets of the
 * categories themselves; where 0 counts as missing the predicates say so.
 *
 * A leaf of classes has a ScoreDistribution for each class of some
 * probability.  Its counts are shares of the node's; where they give back the
 * probabilities to the bit, as counts of a training table do, these are not
 * written.
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

const struct asc_field *
asci_pmml_column_category(const struct pmml_writer *w, size_t column)
{
    const struct asci_factor *f = only_factor(w, column);
    const struct asc_field *field = f ? &w->m->schema.field[f->field] : NULL;

    return field && field->kind == ASC_CATEGORICAL ? field : NULL;
}

int
asci_pmml_column_is_field(const struct pmml_writer *w, size_t column)
{
    const struct asci_factor *f = only_factor(w, column);
    const struct pmml_part part = { f, SIZE_MAX, NAN };

    return f && w->m->encoder.column[column].scale == 1.0 &&
           f->power == 1 && asci_pmml_part_is_field(w, &part);
}

const char *
asci_pmml_column_name(const struct pmml_writer *w, size_t column,
                      char name[PMML_NAME_MAX])
{
    const struct asc_field *field = asci_pmml_column_category(w, column);

    if (field)
        return field->name;
    if (asci_pmml_column_is_field(w, column))
        return w->m->schema.field[only_factor(w, column)->field].name;
    return asci_pmml_own_name(w, "derived", column, name);
}

/* ---- predicates ---- */

void
asci_pmml_plain(struct pmml_writer *w, const char *name)
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
        asci_pmml_plain(w, everything ? "True" : "False");
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
    if (asci_pmml_column_category(w, p->column) ||
        asci_pmml_column_is_field(w, p->column))
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

static void
begin_compound(struct pmml_writer *w, const char *operator)
{
    asci_pmml_begin(w, "CompoundPredicate");
    asci_pmml_set(w, "booleanOperator", operator);
    asci_pmml_inside(w);
}

static void
write_comparison(struct pmml_writer *w, const char *name,
                 const char *operator, double v)
{
    begin_simple(w, name, operator);
    asci_pmml_set_number(w, "value", v);
    asci_pmml_empty(w);
}

/* The column is 0, or it is not. */
static void
write_zero(struct pmml_writer *w, const char *name, int zero)
{
    begin_compound(w, zero ? "and" : "or");
    write_comparison(w, name, zero ? "greaterOrEqual" : "lessThan",
                     -ASCI_ZERO);
    write_comparison(w, name, zero ? "lessOrEqual" : "greaterThan",
                     ASCI_ZERO);
    asci_pmml_end_element(w, "CompoundPredicate");
}

/* A test of a column under which 0 is missing: 0 goes where what is missing
 * goes, all else as the test says. */
static void
write_zero_test(struct pmml_writer *w, const struct asci_node *p,
                const char *name, enum end side)
{
    const enum end zero = missing_end(w, p);
    struct asci_node finite = *p;

    /* what an infinite threshold says of numbers */
    if (isinf(p->threshold)) {
        finite.threshold = copysign(DBL_MAX, p->threshold);
        finite.test = p->threshold > 0.0 ? ASCI_LESS_EQUAL : ASCI_LESS;
    }
    begin_compound(w, side == zero ? "or" : "and");
    if (side == END_MISSING)
        write_missing(w, name, 1);
    else
        write_number_test(w, &finite, name, side);
    write_zero(w, name, side == zero);
    asci_pmml_end_element(w, "CompoundPredicate");
}

static int
zero_missing(const struct pmml_writer *w, size_t column)
{
    const struct asci_factor *f = only_factor(w, column);

    return f && f->zero_missing;
}

/* The predicate that leads to end `side` of node p. */
static void
write_predicate(struct pmml_writer *w, const struct asci_node *p,
                enum end side)
{
    const struct asc_field *f = asci_pmml_column_category(w, p->column);
    char own[PMML_NAME_MAX];
    const char *name = asci_pmml_column_name(w, p->column, own);

    if (zero_missing(w, p->column))
        write_zero_test(w, p, name, side);
    else if (side == END_MISSING)
        write_missing(w, name, 1);
    else if (f)
        write_category_test(w, p, f, side);
    else if (p->test == ASCI_IN_SET)
        write_number_set(w, p, name, side);
    else
        write_number_test(w, p, name, side);
}

/* ---- leaves ---- */

static double
value_of(const struct asci_tree *t, const struct asci_node *p, size_t raw)
{
    return t->value[p->leaf * t->width + raw - t->first];
}

/* A share of so many records: a whole number where rounding alone keeps it
 * from being one. */
static double
count_of(double share, double cover)
{
    const double v = share * cover, whole = round(v);

    return fabs(v - whole) <= 4e-16 * cover ? whole : v;
}

/* Whether readers get the same shares (k) from counts. */
static int
counts_suffice(const double *share, size_t k, double cover)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < k; i++)
        sum += count_of(share[i], cover);
    for (i = 0; i < k && sum > 0.0; i++)
        if (count_of(share[i], cover) / sum != share[i])
            return 0;
    return sum > 0.0;
}

/* cover: NaN where it is not known. */
static void
write_distribution(struct pmml_writer *w, const double *share, double cover)
{
    const size_t k = w->m->n_outputs;
    const int known = cover > 0.0;
    const int probability = !known || !counts_suffice(share, k, cover);
    size_t i;

    for (i = 0; i < k; i++) {
        if (share[i] == 0.0)
            continue;
        asci_pmml_begin(w, "ScoreDistribution");
        asci_pmml_set(w, "value", w->m->output[i].name);
        asci_pmml_set_number(w, "recordCount",
                             known ? count_of(share[i], cover) : 0.0);
        if (probability)
            asci_pmml_set_number(w, "probability", share[i]);
        asci_pmml_empty(w);
    }
}

static const char *
winner(const struct pmml_writer *w, const double *share)
{
    size_t i, best = 0;

    for (i = 1; i < w->m->n_outputs; i++)
        if (share[i] > share[best])
            best = i;
    return w->m->output[best].name;
}

static void
set_score(struct pmml_writer *w, const struct asci_tree *t,
          const struct asci_node *p, size_t raw)
{
    const double v = raw == PMML_CLASSES ? 0.0 : value_of(t, p, raw);

    if (raw == PMML_CLASSES)
        asci_pmml_set(w, "score", winner(w, t->value + p->leaf * t->width));
    else
        asci_pmml_set_number(w, "score", isnan(v) ? 0.0 : v);
}

/* What follows a leaf's predicate. */
static void
write_leaf(struct pmml_writer *w, const struct asci_tree *t, size_t node,
           size_t raw)
{
    const struct asci_node *p = &t->node[node];

    /* No answer: a node none of whose children takes the row. */
    if (isnan(value_of(t, p, raw == PMML_CLASSES ? 0 : raw))) {
        asci_pmml_begin(w, "Node");
        set_score(w, t, p, raw);
        if (t->cover)
            asci_pmml_set_number(w, "recordCount", 0.0);
        asci_pmml_inside(w);
        asci_pmml_plain(w, "False");
        asci_pmml_end_element(w, "Node");
        return;
    }
    if (raw == PMML_CLASSES)
        write_distribution(w, t->value + p->leaf * t->width,
                           t->cover ? t->cover[node] : NAN);
}

/* ---- trees ---- */

struct place {
    uint32_t node, parent;
    enum end side;
    unsigned is_last;           /* of its parent's ends */
    unsigned done;              /* children written */
};

/* The ends of a node in the order in which they are written. */
static unsigned
ends_of(const struct pmml_writer *w, const struct asci_node *p,
        enum end end[3])
{
    enum end missing;
    unsigned n = 0;

    if (p->test == ASCI_LEAF)
        return 0;
    missing = missing_end(w, p);
    if (missing == END_MISSING)
        end[n++] = END_MISSING;
    if (p->no != p->yes)
        end[n++] = missing == END_YES ? END_NO : END_YES;
    end[n++] = missing == END_YES ? END_YES : END_NO;
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

    asci_pmml_begin(w, "Node");
    if (p->test == ASCI_LEAF)
        set_score(w, t, p, raw);
    if (t->cover)
        asci_pmml_set_number(w, "recordCount", t->cover[at->node]);
    asci_pmml_inside(w);
    if (at->node == 0 || at->is_last)
        asci_pmml_plain(w, "True");
    else
        write_predicate(w, &t->node[at->parent], at->side);
    if (p->test == ASCI_LEAF)
        write_leaf(w, t, at->node, raw);
}

void
asci_pmml_write_nodes(struct pmml_writer *w, const struct asci_tree *t,
                      size_t raw)
{
    struct place stack[MAX_DEPTH];
    enum end end[3];
    size_t depth = 1;

    memset(stack, 0, sizeof *stack);
    open_node(w, t, raw, &stack[0]);
    while (depth > 0 && w->status == ASC_OK) {
        struct place *top = &stack[depth - 1];
        const struct asci_node *p = &t->node[top->node];
        const unsigned n = ends_of(w, p, end);

        if (top->done == n) {
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
        stack[depth].is_last = top->done == n;
        stack[depth].done = 0;
        open_node(w, t, raw, &stack[depth++]);
    }
}

int
asci_pmml_nodes_are_binary(const struct pmml_writer *w,
                           const struct asci_tree *t)
{
    enum end end[3];
    size_t i;

    for (i = 0; i < t->n_nodes; i++)
        if (t->node[i].test != ASCI_LEAF && ends_of(w, &t->node[i], end) != 2)
            return 0;
    return 1;
}
