/* model/booster/lightgbm_tree.c -- one tree of a LightGBM model.
 *
 * With n leaves the file has arrays of n - 1 inner nodes and of n leaves;
 * left_child and right_child name inner nodes 0, 1, ... and leaves -1, -2, ...
 * decision_type is a sum of 1 for a categorical split, 2 for "missing goes
 * left", and 4 times what is missing: 0 nothing (NaN is taken for 0), 1 zero
 * (|x| up to 1e-35, and NaN), 2 NaN.
 *
 *     number:    left if x <= threshold; missing as said
 *     category:  threshold is the number i of a set, words boundary[i] to
 *                boundary[i + 1] of 32 bits; left if the set has the code,
 *                else right, also where it is missing
 *
 * (Tree::NumericalDecision, CategoricalDecision, include/LightGBM/tree.h.)  A
 * leaf of a linear tree is const + sum coeff x, its value where one of these x
 * is missing.  Counts become covers; where there are none, sums of hessians.
 * Cost: every number is parsed once, sizes are checked against the length of
 * the line before memory is asked for.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/lightgbm.h"

#define UNSEEN UINT32_MAX
#define MAX_SET_WORDS ((size_t)1 << 27)
enum { CATEGORICAL = 1, DEFAULT_LEFT = 2, ZERO_MISSING = 1, NAN_MISSING = 2 };

const char *const asci_lightgbm_keys[LIGHTGBM_N_KEYS] = {
    [LIGHTGBM_NUM_LEAVES] = "num_leaves",
    [LIGHTGBM_NUM_CAT] = "num_cat",
    [LIGHTGBM_SPLIT_FEATURE] = "split_feature",
    [LIGHTGBM_THRESHOLD] = "threshold",
    [LIGHTGBM_DECISION_TYPE] = "decision_type",
    [LIGHTGBM_LEFT_CHILD] = "left_child",
    [LIGHTGBM_RIGHT_CHILD] = "right_child",
    [LIGHTGBM_LEAF_VALUE] = "leaf_value",
    [LIGHTGBM_LEAF_WEIGHT] = "leaf_weight",
    [LIGHTGBM_LEAF_COUNT] = "leaf_count",
    [LIGHTGBM_INTERNAL_WEIGHT] = "internal_weight",
    [LIGHTGBM_INTERNAL_COUNT] = "internal_count",
    [LIGHTGBM_CAT_BOUNDARIES] = "cat_boundaries",
    [LIGHTGBM_CAT_THRESHOLD] = "cat_threshold",
    [LIGHTGBM_IS_LINEAR] = "is_linear",
    [LIGHTGBM_LEAF_CONST] = "leaf_const",
    [LIGHTGBM_NUM_FEATURES] = "num_features",
    [LIGHTGBM_LEAF_FEATURES] = "leaf_features",
    [LIGHTGBM_LEAF_COEFF] = "leaf_coeff"
};

/* The lines of a tree. */
struct lines {
    struct lightgbm *r;
    const struct lightgbm_text *key;
    size_t tree, line;          /* Tree=..., and where it stands */
    size_t n_leaves, n_cat;
    struct asc_error *e;
};

/* ---- lines of numbers ---- */

static int
need(const struct lines *t, enum lightgbm_key k)
{
    if (t->key[k].line)
        return ASC_OK;
    return asci_lightgbm_fail(t->r, t->line, t->e, "Tree=%zu has no %s",
                              t->tree, asci_lightgbm_keys[k]);
}

static int
wrong_count(const struct lines *t, enum lightgbm_key k, size_t want,
            const char *why, size_t n)
{
    return asci_lightgbm_fail(t->r, t->key[k].line, t->e, "%s has %zu values, "
                              "want %zu (%s %zu)", asci_lightgbm_keys[k],
                              asci_lightgbm_count(t->key[k]), want, why, n);
}

static int
wrong_value(const struct lines *t, enum lightgbm_key k, size_t i,
            struct asc_text piece, const char *want)
{
    return asci_lightgbm_fail(t->r, t->key[k].line, t->e, "%s[%zu] is "
                              "\"%.*s\", want %s", asci_lightgbm_keys[k], i,
                              asci_lightgbm_width(piece.n), piece.p, want);
}

/* n numbers need 2 n - 1 bytes: a length that a line can have at all. */
static int
has_room(const struct lines *t, enum lightgbm_key k, size_t n)
{
    return n <= t->key[k].n / 2 + 1;
}

/* v[0..n-1] of low..high; why, count: what says how many. */
static int
read_wholes(const struct lines *t, enum lightgbm_key k, size_t n,
            const char *why, size_t count, int64_t low, int64_t high,
            int32_t *v)
{
    struct lightgbm_text text = t->key[k];
    struct asc_text piece;
    char want[80];
    int64_t number;
    size_t i;

    for (i = 0; asci_lightgbm_piece(&text, &piece); i++) {
        if (i == n)
            return wrong_count(t, k, n, why, count);
        if (!asci_lightgbm_whole(piece, low, high, &number)) {
            snprintf(want, sizeof want, "a whole number of %lld to %lld",
                     (long long)low, (long long)high);
            return wrong_value(t, k, i, piece, want);
        }
        v[i] = (int32_t)number;
    }
    return i == n ? ASC_OK : wrong_count(t, k, n, why, count);
}

static int
read_words(const struct lines *t, size_t n, uint32_t *v)
{
    struct lightgbm_text text = t->key[LIGHTGBM_CAT_THRESHOLD];
    struct asc_text piece;
    int64_t number;
    size_t i;

    for (i = 0; asci_lightgbm_piece(&text, &piece); i++) {
        if (i == n)
            break;
        if (!asci_lightgbm_whole(piece, 0, UINT32_MAX, &number))
            return wrong_value(t, LIGHTGBM_CAT_THRESHOLD, i, piece,
                               "a whole number of 0 to 4294967295");
        v[i] = (uint32_t)number;
    }
    if (i < n || piece.n > 0)
        return wrong_count(t, LIGHTGBM_CAT_THRESHOLD, n, "cat_boundaries end "
                           "at", n);
    return ASC_OK;
}

static int
read_numbers(const struct lines *t, enum lightgbm_key k, size_t n,
             const char *why, size_t count, double *v)
{
    struct lightgbm_text text = t->key[k];
    struct asc_text piece;
    size_t i;

    for (i = 0; asci_lightgbm_piece(&text, &piece); i++) {
        if (i == n)
            return wrong_count(t, k, n, why, count);
        if (!asci_lightgbm_number(piece, &v[i]))
            return wrong_value(t, k, i, piece, "a number");
    }
    return i == n ? ASC_OK : wrong_count(t, k, n, why, count);
}

/* A line of one whole number; *v is left alone if it is not there. */
static int
read_one(const struct lines *t, enum lightgbm_key k, int64_t low,
         int64_t *v)
{
    const struct asc_text piece = { t->key[k].p, t->key[k].n };

    if (!t->key[k].line || asci_lightgbm_whole(piece, low, INT32_MAX, v))
        return ASC_OK;
    return asci_lightgbm_fail(t->r, t->key[k].line, t->e, "%s is \"%.*s\", "
                              "want a whole number of %lld to %d",
                              asci_lightgbm_keys[k],
                              asci_lightgbm_width(piece.n), piece.p,
                              (long long)low, INT32_MAX);
}

/* ---- room ---- */

static int
grow(void *array, size_t n, size_t size, struct asc_error *e)
{
    void **p = array, *v = asci_resize(*p, n, size, e);

    if (!v)
        return ASC_ESYSTEM;
    *p = v;
    return ASC_OK;
}

/* Arrays for trees of n leaves. */
static int
make_room(struct lightgbm_arrays *a, size_t n, struct asc_error *e)
{
    if (n <= a->room)
        return ASC_OK;
    if (n < 2 * a->room)
        n = 2 * a->room;
    if (grow(&a->feature, n, sizeof *a->feature, e) ||
        grow(&a->decision, n, sizeof *a->decision, e) ||
        grow(&a->left, n, sizeof *a->left, e) ||
        grow(&a->right, n, sizeof *a->right, e) ||
        grow(&a->threshold, n, sizeof *a->threshold, e) ||
        grow(&a->order, 2 * n, sizeof *a->order, e) ||
        grow(&a->place, 2 * n, sizeof *a->place, e))
        return ASC_ESYSTEM;
    a->room = n;
    return ASC_OK;
}

void
asci_lightgbm_arrays_free(struct lightgbm_arrays *a)
{
    free(a->feature);
    free(a->decision);
    free(a->left);
    free(a->right);
    free(a->threshold);
    free(a->order);
    free(a->place);
    free(a->boundary);
    free(a->word);
}

/* ---- inner nodes ---- */

static int
read_inner(const struct lines *t)
{
    static const enum lightgbm_key wanted[] = {
        LIGHTGBM_SPLIT_FEATURE, LIGHTGBM_THRESHOLD, LIGHTGBM_LEFT_CHILD,
        LIGHTGBM_RIGHT_CHILD
    };
    const int64_t leaves = (int64_t)t->n_leaves;
    struct lightgbm_arrays *a = &t->r->a;
    const size_t n = t->n_leaves - 1;
    int status;
    size_t i;

    for (i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if ((status = need(t, wanted[i])))
            return status;
    if ((status = make_room(a, t->n_leaves, t->e)) ||
        (status = read_wholes(t, LIGHTGBM_SPLIT_FEATURE, n, "num_leaves",
                              n + 1, 0, (int64_t)t->r->n_features - 1,
                              a->feature)) ||
        (status = read_numbers(t, LIGHTGBM_THRESHOLD, n, "num_leaves", n + 1,
                               a->threshold)) ||
        (status = read_wholes(t, LIGHTGBM_LEFT_CHILD, n, "num_leaves", n + 1,
                              -leaves, leaves - 2, a->left)) ||
        (status = read_wholes(t, LIGHTGBM_RIGHT_CHILD, n, "num_leaves", n + 1,
                              -leaves, leaves - 2, a->right)))
        return status;
    memset(a->decision, 0, n * sizeof *a->decision);
    return t->key[LIGHTGBM_DECISION_TYPE].line
           ? read_wholes(t, LIGHTGBM_DECISION_TYPE, n, "num_leaves", n + 1, 0,
                         11, a->decision)
           : ASC_OK;
}

/* Where `child` has its place: inner nodes first, then leaves. */
static size_t
slot(const struct lines *t, int32_t child)
{
    return child >= 0 ? (size_t)child : t->n_leaves - 2 - (size_t)child;
}

static int
reach(const struct lines *t, enum lightgbm_key side, int32_t parent,
      int32_t child, size_t *reached)
{
    struct lightgbm_arrays *a = &t->r->a;

    if (a->place[slot(t, child)] != UNSEEN)
        return asci_lightgbm_fail(t->r, t->key[side].line, t->e, "%s[%d]: "
                                  "node %d is reached twice",
                                  asci_lightgbm_keys[side], parent, child);
    a->place[slot(t, child)] = (uint32_t)*reached;
    a->order[(*reached)++] = child;
    return ASC_OK;
}

/* Nodes in breadth-first order.  Two children for each of n - 1 inner nodes,
 * none of them twice, are all 2 n - 1 nodes. */
static int
order_nodes(const struct lines *t)
{
    struct lightgbm_arrays *a = &t->r->a;
    const size_t n = 2 * t->n_leaves - 1;
    size_t i, reached = 1;
    int status;

    for (i = 0; i < n; i++)
        a->place[i] = UNSEEN;
    a->order[0] = 0;
    a->place[0] = 0;
    for (i = 0; i < reached; i++) {
        const int32_t node = a->order[i];

        if (node < 0)
            continue;
        if ((status = reach(t, LIGHTGBM_LEFT_CHILD, node, a->left[node],
                            &reached)) ||
            (status = reach(t, LIGHTGBM_RIGHT_CHILD, node, a->right[node],
                            &reached)))
            return status;
    }
    if (reached == n)
        return ASC_OK;
    return asci_lightgbm_fail(t->r, t->key[LIGHTGBM_LEFT_CHILD].line, t->e,
                              "left_child and right_child reach %zu of %zu "
                              "nodes", reached, n);
}

/* ---- sets of categories ---- */

static int
read_sets(const struct lines *t)
{
    struct lightgbm_arrays *a = &t->r->a;
    size_t i, n = t->n_cat;
    int status;

    if ((status = need(t, LIGHTGBM_CAT_BOUNDARIES)) ||
        (status = need(t, LIGHTGBM_CAT_THRESHOLD)))
        return status;
    if (!has_room(t, LIGHTGBM_CAT_BOUNDARIES, n + 1))
        return wrong_count(t, LIGHTGBM_CAT_BOUNDARIES, n + 1, "num_cat", n);
    if (n + 1 > a->room_boundary) {
        if (grow(&a->boundary, n + 1, sizeof *a->boundary, t->e))
            return ASC_ESYSTEM;
        a->room_boundary = n + 1;
    }
    if ((status = read_wholes(t, LIGHTGBM_CAT_BOUNDARIES, n + 1, "num_cat",
                              n, 0, INT32_MAX, a->boundary)))
        return status;
    for (i = 0; i < n; i++)
        if (a->boundary[i] > a->boundary[i + 1])
            return asci_lightgbm_fail(t->r,
                                      t->key[LIGHTGBM_CAT_BOUNDARIES].line,
                                      t->e, "cat_boundaries[%zu] is %d, less "
                                      "than the one before", i + 1,
                                      a->boundary[i + 1]);
    n = (size_t)a->boundary[n];
    if (!has_room(t, LIGHTGBM_CAT_THRESHOLD, n))
        return wrong_count(t, LIGHTGBM_CAT_THRESHOLD, n, "cat_boundaries end "
                           "at", n);
    if (n > a->room_word) {
        if (grow(&a->word, n, sizeof *a->word, t->e))
            return ASC_ESYSTEM;
        a->room_word = n;
    }
    return read_words(t, n, a->word);
}

/* The set of inner node `node`, a bit for each code. */
static int
take_set(const struct lines *t, int32_t node, struct asci_node *p)
{
    struct asci_ensemble *f = &t->r->trees;
    const struct lightgbm_arrays *a = &t->r->a;
    const double number = a->threshold[node];
    size_t i, from, n, words;

    if (!(number >= 0.0 && number < (double)t->n_cat) ||
        number != floor(number))
        return asci_lightgbm_fail(t->r, t->key[LIGHTGBM_THRESHOLD].line, t->e,
                                  "threshold[%d] is %g, want the number of "
                                  "one of %zu sets of categories (num_cat)",
                                  node, number, t->n_cat);
    from = (size_t)a->boundary[(size_t)number];
    n = (size_t)a->boundary[(size_t)number + 1] - from;
    while (n > 0 && a->word[from + n - 1] == 0)
        n--;
    words = (n + 1) / 2;
    if (f->n_set_words + words > MAX_SET_WORDS)
        return asci_lightgbm_fail(t->r, t->line, t->e, "the categorical "
                                  "splits need more than 1 GiB");
    if (f->n_set_words + words > t->r->room_sets) {
        const size_t room = f->n_set_words + words + t->r->room_sets / 2;

        if (grow(&f->sets, room, sizeof *f->sets, t->e))
            return ASC_ESYSTEM;
        t->r->room_sets = room;
    }
    p->set = (uint32_t)f->n_set_words;
    p->set_bits = (uint32_t)(32 * n);
    for (i = 0; i < words; i++) {
        f->sets[p->set + i] = a->word[from + 2 * i];
        if (2 * i + 1 < n)
            f->sets[p->set + i] |= (uint64_t)a->word[from + 2 * i + 1] << 32;
    }
    f->n_set_words += words;
    return ASC_OK;
}

/* ---- nodes ---- */

static int
make_split(const struct lines *t, int32_t node, struct asci_node *p)
{
    const struct lightgbm_arrays *a = &t->r->a;
    const int32_t decision = a->decision[node];
    unsigned char *use = &t->r->use[a->feature[node]];

    p->column = (uint32_t)a->feature[node];
    p->yes = a->place[slot(t, a->left[node])];
    p->no = a->place[slot(t, a->right[node])];
    if (decision & CATEGORICAL) {
        p->test = ASCI_IN_SET;
        p->missing = p->no;
        *use |= LIGHTGBM_BY_CATEGORY;
        return take_set(t, node, p);
    }
    p->test = ASCI_LESS_EQUAL;
    p->threshold = a->threshold[node];
    if (isnan(p->threshold))
        return asci_lightgbm_fail(t->r, t->key[LIGHTGBM_THRESHOLD].line, t->e,
                                  "threshold[%d] is not a number", node);
    if (decision >> 2 == 0)
        p->missing = 0.0 <= p->threshold ? p->yes : p->no;
    else
        p->missing = decision & DEFAULT_LEFT ? p->yes : p->no;
    if (decision >> 2 == ZERO_MISSING)
        p->column += (uint32_t)t->r->n_features;
    *use |= decision >> 2 == ZERO_MISSING ? LIGHTGBM_BY_NON_ZERO
                                          : LIGHTGBM_BY_NUMBER;
    return ASC_OK;
}

static int
make_nodes(const struct lines *t, struct asci_tree *to)
{
    const size_t n = 2 * t->n_leaves - 1;
    const int32_t *order = t->r->a.order;
    int status = ASC_OK;
    size_t i;

    to->node = asci_alloc_zero(n, sizeof *to->node, t->e);
    if (!to->node)
        return ASC_ESYSTEM;
    to->n_nodes = n;
    for (i = 0; i < n && status == ASC_OK; i++)
        if (n == 1 || order[i] < 0)
            to->node[i].leaf = n == 1 ? 0 : (uint32_t)(-1 - order[i]);
        else
            status = make_split(t, order[i], &to->node[i]);
    return status;
}

/* v (2 n - 1), inner nodes then leaves: whether they can be weights.  Counts
 * that are none are an error. */
static int
check_covers(const struct lines *t, enum lightgbm_key leaf,
             enum lightgbm_key inner, const double *v, int *good)
{
    const int counts = leaf == LIGHTGBM_LEAF_COUNT;
    const size_t n = t->n_leaves;
    size_t i;

    *good = v[0] > 0.0;
    for (i = 0; i < 2 * n - 1; i++) {
        const enum lightgbm_key k = i < n - 1 ? inner : leaf;

        if (v[i] >= 0.0 && v[i] < INFINITY && (!counts || v[i] == floor(v[i])))
            continue;
        *good = 0;
        if (counts)
            return asci_lightgbm_fail(t->r, t->key[k].line, t->e, "%s[%zu] is "
                                      "%g, want a count",
                                      asci_lightgbm_keys[k],
                                      i < n - 1 ? i : i - (n - 1), v[i]);
    }
    return ASC_OK;
}

/* cover (n_nodes) from a line for leaves and one for inner nodes, if they are
 * there and of use. */
static int
take_covers(const struct lines *t, enum lightgbm_key leaf,
            enum lightgbm_key inner, struct asci_tree *to)
{
    const size_t n = t->n_leaves;
    int status, good = 0;
    double *v;
    size_t i;

    if (!t->key[leaf].line || !t->key[inner].line)
        return ASC_OK;
    v = asci_alloc(2 * n, sizeof *v, t->e);
    if (!v)
        return ASC_ESYSTEM;
    status = read_numbers(t, inner, n - 1, "num_leaves", n, v);
    if (status == ASC_OK)
        status = read_numbers(t, leaf, n, "num_leaves", n, v + n - 1);
    if (status == ASC_OK)
        status = check_covers(t, leaf, inner, v, &good);
    if (status == ASC_OK && good) {
        to->cover = asci_alloc(2 * n - 1, sizeof *to->cover, t->e);
        if (!to->cover)
            status = ASC_ESYSTEM;
        for (i = 0; to->cover && i < 2 * n - 1; i++)
            to->cover[i] = v[slot(t, t->r->a.order[i])];
    }
    free(v);
    return status;
}

static int
make_covers(const struct lines *t, struct asci_tree *to)
{
    int status;

    if (t->n_leaves == 1) {     /* there is nothing to be weighed */
        to->cover = asci_alloc_zero(1, sizeof *to->cover, t->e);
        return to->cover ? ASC_OK : ASC_ESYSTEM;
    }
    status = take_covers(t, LIGHTGBM_LEAF_COUNT, LIGHTGBM_INTERNAL_COUNT, to);
    if (status == ASC_OK && !to->cover)
        status = take_covers(t, LIGHTGBM_LEAF_WEIGHT,
                             LIGHTGBM_INTERNAL_WEIGHT, to);
    return status;
}

/* ---- linear leaves ---- */

static int
take_terms(const struct lines *t, struct asci_lines *to, const int32_t *count,
           size_t n_terms)
{
    int32_t *feature;
    int status;
    size_t i, n = 0;

    to->column = asci_alloc(n_terms, sizeof *to->column, t->e);
    to->coefficient = asci_alloc(n_terms, sizeof *to->coefficient, t->e);
    feature = asci_alloc(n_terms, sizeof *feature, t->e);
    if (!to->column || !to->coefficient || !feature) {
        free(feature);
        return ASC_ESYSTEM;
    }
    status = read_wholes(t, LIGHTGBM_LEAF_FEATURES, n_terms, "num_features",
                         n_terms, 0, (int64_t)t->r->n_features - 1, feature);
    if (status == ASC_OK)
        status = read_numbers(t, LIGHTGBM_LEAF_COEFF, n_terms,
                              "num_features", n_terms, to->coefficient);
    for (i = 0; i < n_terms && status == ASC_OK; i++) {
        to->column[i] = (uint32_t)feature[i];
        t->r->use[feature[i]] |= LIGHTGBM_BY_NUMBER;
    }
    for (i = 0; i < t->n_leaves; i++) {
        to->leaf[i].first = n;
        to->leaf[i].n = (size_t)count[i];
        n += (size_t)count[i];
    }
    free(feature);
    return status;
}

/* value (n_leaves) of the leaves, and lines; leaves without terms are
 * constants, whatever their value. */
static int
make_lines(const struct lines *t, struct asci_tree *to, const int32_t *count,
           const double *constant)
{
    size_t i, n_terms = 0;

    for (i = 0; i < t->n_leaves; i++)
        n_terms += (size_t)count[i];
    if (!has_room(t, LIGHTGBM_LEAF_FEATURES, n_terms))
        return wrong_count(t, LIGHTGBM_LEAF_FEATURES, n_terms,
                           "num_features", n_terms);
    if (n_terms == 0) {
        memcpy(to->value, constant, t->n_leaves * sizeof *constant);
        return ASC_OK;
    }
    to->lines = asci_alloc_zero(1, sizeof *to->lines, t->e);
    if (!to->lines)
        return ASC_ESYSTEM;
    to->lines->leaf = asci_alloc(t->n_leaves, sizeof *to->lines->leaf, t->e);
    if (!to->lines->leaf)
        return ASC_ESYSTEM;
    to->lines->n_terms = n_terms;
    for (i = 0; i < t->n_leaves; i++)
        to->lines->leaf[i].constant = constant[i];
    return take_terms(t, to->lines, count, n_terms);
}

static int
take_lines(const struct lines *t, struct asci_tree *to)
{
    const size_t n = t->n_leaves;
    double *constant = NULL;
    int32_t *count = NULL;
    int status;

    if ((status = need(t, LIGHTGBM_LEAF_CONST)) ||
        (status = need(t, LIGHTGBM_NUM_FEATURES)) ||
        (status = need(t, LIGHTGBM_LEAF_FEATURES)) ||
        (status = need(t, LIGHTGBM_LEAF_COEFF)))
        return status;
    constant = asci_alloc(n, sizeof *constant, t->e);
    count = asci_alloc(n, sizeof *count, t->e);
    if (!constant || !count)
        status = ASC_ESYSTEM;
    else if ((status = read_numbers(t, LIGHTGBM_LEAF_CONST, n, "num_leaves",
                                    n, constant)) == ASC_OK &&
             (status = read_wholes(t, LIGHTGBM_NUM_FEATURES, n, "num_leaves",
                                   n, 0, (int64_t)t->r->n_features, count))
             == ASC_OK)
        status = make_lines(t, to, count, constant);
    free(count);
    free(constant);
    return status;
}

/* ---- a tree ---- */

static int
new_tree(struct lightgbm *r, struct asci_tree **to, struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;

    if (f->n_trees == r->room_trees) {
        const size_t room = r->room_trees ? 2 * r->room_trees : 16;

        if (grow(&f->tree, room, sizeof *f->tree, e))
            return ASC_ESYSTEM;
        r->room_trees = room;
    }
    *to = &f->tree[f->n_trees++];
    memset(*to, 0, sizeof **to);
    return ASC_OK;
}

static int
read_sizes(struct lines *t, int64_t *linear)
{
    int64_t leaves = 0, sets = 0;
    int status;

    if ((status = need(t, LIGHTGBM_NUM_LEAVES)) ||
        (status = need(t, LIGHTGBM_NUM_CAT)) ||
        (status = need(t, LIGHTGBM_LEAF_VALUE)) ||
        (status = read_one(t, LIGHTGBM_NUM_LEAVES, 1, &leaves)) ||
        (status = read_one(t, LIGHTGBM_NUM_CAT, 0, &sets)) ||
        (status = read_one(t, LIGHTGBM_IS_LINEAR, 0, linear)))
        return status;
    t->n_leaves = (size_t)leaves;
    t->n_cat = (size_t)sets;
    if (!has_room(t, LIGHTGBM_LEAF_VALUE, t->n_leaves) ||
        t->n_leaves >= UINT32_MAX / 8)
        return wrong_count(t, LIGHTGBM_LEAF_VALUE, t->n_leaves, "num_leaves",
                           t->n_leaves);
    return ASC_OK;
}

int
asci_lightgbm_tree(struct lightgbm *r, size_t tree, size_t line,
                   const struct lightgbm_text *key, struct asc_error *e)
{
    struct lines t = { r, key, tree, line, 0, 0, e };
    struct asci_tree *to;
    int64_t linear = 0;
    int status;

    if ((status = new_tree(r, &to, e)) || (status = read_sizes(&t, &linear)))
        return status;
    to->width = 1;
    to->first = (r->trees.n_trees - 1) % r->per_iteration;
    to->n_leaves = t.n_leaves;
    to->value = asci_alloc(t.n_leaves, sizeof *to->value, e);
    if (!to->value)
        return ASC_ESYSTEM;
    if ((status = read_numbers(&t, LIGHTGBM_LEAF_VALUE, t.n_leaves,
                               "num_leaves", t.n_leaves, to->value)))
        return status;
    if (t.n_leaves > 1 && ((status = read_inner(&t)) ||
                           (t.n_cat > 0 && (status = read_sets(&t))) ||
                           (status = order_nodes(&t))))
        return status;
    if ((status = make_nodes(&t, to)) || (status = make_covers(&t, to)))
        return status;
    return linear ? take_lines(&t, to) : ASC_OK;
}
