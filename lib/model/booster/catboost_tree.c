/* model/booster/catboost_tree.c -- the trees of a CatBoost model.
 *
 * A symmetric tree of depth d becomes a complete binary tree in the order of
 * its levels: the children of node i are 2 i + 1 and 2 i + 2, the root asks the
 * last split, as in CatBoost's own attributions (libs/fstr/shap_values.cpp),
 * and the leaf that is reached p-th from the left has the number p.  Trees of
 * the other kinds are objects in objects; a stack of as many places as the
 * event reader has frames walks through them.  Covers are sums of the leaves'
 * weights.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/catboost.h"

#define NO_LEAF UINT32_MAX

/* ---- splits ---- */

/* A split as its object is read. */
struct parts {
    enum catboost_kind kind;
    struct asci_whole number, category, hash;
    float border;
    int has_border;
};

static int
read_kind(struct asci_json *j, void *to, struct asc_error *e)
{
    struct parts *p = to;
    int status = asci_json_want_text(j, e);

    if (status)
        return status;
    if (asci_json_is(j, "FloatFeature"))
        p->kind = CATBOOST_FLOAT;
    else if (asci_json_is(j, "OneHotFeature"))
        p->kind = CATBOOST_ONE_HOT;
    else if (asci_json_is(j, "OnlineCtr"))
        return asci_json_fail(j, e, "OnlineCtr needs target statistics of "
                              "categorical features, which cannot be read: "
                              "train with one_hot_max_size=255, or without "
                              "such features");
    else if (asci_json_is(j, "EstimatedFeature"))
        return asci_json_fail(j, e, "EstimatedFeature needs text or embedding "
                              "features, which cannot be read: train without "
                              "them");
    else
        return asci_json_fail(j, e, "\"%.*s\" is not known, want FloatFeature "
                              "or OneHotFeature",
                              (int)(j->text.n < 60 ? j->text.n : 60),
                              j->text.p);
    return ASC_OK;
}

static int
read_border(struct asci_json *j, void *to, struct asc_error *e)
{
    struct parts *p = to;
    enum asci_json_kind kind;
    int status = asci_json_next(j, &kind, e);

    if (status)
        return status;
    if (kind != ASCI_JSON_NUMBER)
        return asci_json_wrong_kind(j, kind, "a number", e);
    if ((status = asci_json_single(j, &p->border, e)))
        return status;
    p->has_border = 1;
    return isnan(p->border) ? asci_json_fail(j, e, "it is not a number")
                            : ASC_OK;
}

static int
whole_between(const struct asci_whole *w, int64_t low, int64_t high)
{
    return w->given && w->v >= low && w->v <= high;
}

static int
read_split(struct catboost *c, struct catboost_split *s, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "border", read_border, 0 },
        { "cat_feature_index", asci_read_whole,
          offsetof(struct parts, category) },
        { "float_feature_index", asci_read_whole,
          offsetof(struct parts, number) },
        { "split_type", read_kind, 0 },
        { "value", asci_read_whole, offsetof(struct parts, hash) }
    };
    struct parts p = { CATBOOST_NO_SPLIT, { 0, 0 }, { 0, 0 }, { 0, 0 }, 0.0f,
                       0 };
    int status = ASCI_READ_MEMBERS(&c->j, &p, members, e);

    if (status)
        return status;
    if (p.kind == CATBOOST_NO_SPLIT)
        p.kind = p.category.given ? CATBOOST_ONE_HOT : CATBOOST_FLOAT;
    s->kind = p.kind;
    if (p.kind == CATBOOST_FLOAT) {
        if (!p.has_border || !whole_between(&p.number, 0, INT32_MAX))
            return asci_json_fail(&c->j, e, "the split has no border, or no "
                                  "float_feature_index of 0 or more");
        s->feature = (uint32_t)p.number.v;
        s->border = p.border;
        return ASC_OK;
    }
    if (!whole_between(&p.category, 0, INT32_MAX) ||
        !whole_between(&p.hash, INT32_MIN, UINT32_MAX))
        return asci_json_fail(&c->j, e, "the split has no value of 32 bits, "
                              "or no cat_feature_index of 0 or more");
    s->feature = (uint32_t)p.category.v;
    s->hash = (int32_t)(uint32_t)p.hash.v;
    return ASC_OK;
}

/* A split as a node's test: left is "yes" of a number, "no" of a category. */
static void
set_test(struct asci_node *p, const struct catboost_split *s, uint32_t left,
         uint32_t right)
{
    const int number = s->kind == CATBOOST_FLOAT;

    p->test = number ? ASCI_LESS_EQUAL : ASCI_EQUAL;
    p->threshold = number ? (double)s->border : (double)s->hash;
    p->column = s->feature;
    p->yes = number ? left : right;
    p->no = number ? right : left;
    p->missing = left;
}

/* The categories that are asked for, once for each split of the file. */
static int
ask(struct catboost *c, const struct catboost_split *s, struct asc_error *e)
{
    void *v = c->asked;
    int status;

    if (s->kind != CATBOOST_ONE_HOT)
        return ASC_OK;
    status = asci_json_room(&v, &c->asked_capacity, c->n_asked, 1,
                            sizeof *c->asked, e);
    c->asked = v;
    if (status == ASC_OK)
        c->asked[c->n_asked++] = (struct catboost_asked){ s->feature, s->hash,
                                                          0 };
    return status;
}

/* ---- trees in common ---- */

/* A new tree of n nodes and leaves, with covers if there are weights. */
static int
new_tree(struct catboost *c, size_t n, size_t leaves, int weights,
         struct asci_tree **out, struct asc_error *e)
{
    struct asci_ensemble *f = &c->trees;
    void *v = f->tree;
    struct asci_tree *t;
    int status = asci_json_room(&v, &c->tree_capacity, f->n_trees, 1,
                                sizeof *t, e);

    f->tree = v;
    if (status)
        return status;
    t = *out = &f->tree[f->n_trees++];
    memset(t, 0, sizeof *t);
    t->node = asci_alloc_zero(n, sizeof *t->node, e);
    t->value = asci_alloc(leaves * c->width, sizeof *t->value, e);
    if (weights)
        t->cover = asci_alloc(n, sizeof *t->cover, e);
    if (!t->node || !t->value || (weights && !t->cover))
        return ASC_ESYSTEM;
    t->n_nodes = n;
    t->n_leaves = leaves;
    t->width = c->width;
    return ASC_OK;
}

static int
check_width(struct catboost *c, size_t width, struct asc_error *e)
{
    if (c->width == 0)
        c->width = width;
    if (c->width != width)
        return asci_json_fail(&c->j, e, "a leaf has %zu values, those of "
                              "other trees have %zu", width, c->width);
    return ASC_OK;
}

static int
check_weight(struct asci_json *j, double weight, struct asc_error *e)
{
    return weight >= 0.0 && isfinite(weight)
           ? ASC_OK : asci_json_fail(j, e, "a weight of %.17g, want 0 or more",
                                     weight);
}

/* ---- symmetric trees ---- */

static int
read_splits(struct asci_json *j, void *to, struct asc_error *e)
{
    struct catboost *c = to;
    int more = asci_json_array(j, e), status;

    if (more <= 0)
        return more < 0 ? ASC_EINPUT : ASC_OK;
    while ((more = asci_json_more(j, e)) > 0) {
        void *v = c->split;

        if (c->n_splits == CATBOOST_DEPTH)
            return asci_json_fail(j, e, "more splits than a tree of CatBoost "
                                  "has levels (%d)", (int)CATBOOST_DEPTH);
        status = asci_json_room(&v, &c->split_capacity, c->n_splits, 1,
                                sizeof *c->split, e);
        c->split = v;
        if (status || (status = read_split(c, &c->split[c->n_splits], e)) ||
            (status = ask(c, &c->split[c->n_splits], e)))
            return status;
        c->n_splits++;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

static int
read_weights(struct asci_json *j, void *to, struct asc_error *e)
{
    struct asci_doubles *a = to;
    int more = asci_json_array(j, e), status;
    double v;

    if (more <= 0)
        return more < 0 ? ASC_EINPUT : ASC_OK;
    while ((more = asci_json_more(j, e)) > 0) {
        if ((status = asci_read_double(j, &v, e)) ||
            (status = check_weight(j, v, e)) ||
            (status = asci_doubles_add(a, v, e)))
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

static int
build_symmetric(struct catboost *c, struct asc_error *e)
{
    const size_t d = c->n_splits, leaves = (size_t)1 << d;
    struct asci_tree *t;
    size_t i, level, at;
    int status;

    if (c->leaf.n == 0 || c->leaf.n % leaves)
        return asci_json_fail(&c->j, e, "leaf_values has %zu values, want %zu "
                              "(2 to the number of splits) or a multiple",
                              c->leaf.n, leaves);
    if (c->weight.n != 0 && c->weight.n != leaves)
        return asci_json_fail(&c->j, e, "leaf_weights has %zu values, want "
                              "%zu (2 to the number of splits)",
                              c->weight.n, leaves);
    if ((status = check_width(c, c->leaf.n / leaves, e)) ||
        (status = new_tree(c, 2 * leaves - 1, leaves, c->weight.n > 0, &t,
                           e)))
        return status;
    for (i = 0, level = 0; level < d; level++)
        for (at = 0; at < (size_t)1 << level; at++, i++)
            set_test(&t->node[i], &c->split[d - 1 - level],
                     (uint32_t)(2 * i + 1), (uint32_t)(2 * i + 2));
    for (at = 0; at < leaves; at++)
        t->node[i + at].leaf = (uint32_t)at;    /* test: ASCI_LEAF is 0 */
    memcpy(t->value, c->leaf.v, c->leaf.n * sizeof *t->value);
    if (t->cover) {
        memcpy(t->cover + i, c->weight.v, leaves * sizeof *t->cover);
        while (i-- > 0)
            t->cover[i] = t->cover[2 * i + 1] + t->cover[2 * i + 2];
    }
    return ASC_OK;
}

int
asci_catboost_symmetric(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "leaf_values", asci_read_doubles, offsetof(struct catboost, leaf) },
        { "leaf_weights", read_weights, offsetof(struct catboost, weight) },
        { "splits", read_splits, 0 }
    };
    struct catboost *c = to;
    int more = asci_json_array(j, e), status;

    c->has_trees = c->symmetric = 1;
    if (more <= 0)
        return more < 0 ? ASC_EINPUT : ASC_OK;
    while ((more = asci_json_more(j, e)) > 0) {
        c->leaf.n = c->weight.n = c->n_splits = 0;
        if ((status = ASCI_READ_MEMBERS(j, c, members, e)) ||
            (status = build_symmetric(c, e)))
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

/* ---- trees of other kinds ---- */

static int
new_node(struct catboost *c, uint32_t *at, struct asc_error *e)
{
    void *v = c->node;
    int status = asci_json_room(&v, &c->node_capacity, c->n_nodes, 1,
                                sizeof *c->node, e);

    c->node = v;
    if (status)
        return status;
    if (c->n_nodes >= UINT32_MAX / 4)
        return asci_json_fail(&c->j, e, "the tree has too many nodes");
    *at = (uint32_t)c->n_nodes++;
    memset(&c->node[*at], 0, sizeof *c->node);
    c->node[*at].leaf = NO_LEAF;
    c->node[*at].weight = NAN;
    return ASC_OK;
}

/* A number, or an array of one for each output. */
static int
read_leaf(struct catboost *c, uint32_t at, struct asc_error *e)
{
    const size_t before = c->leaf.n;
    enum asci_json_kind kind;
    int more, status = asci_json_next(&c->j, &kind, e);
    double v;

    if (status)
        return status;
    if (kind == ASCI_JSON_NUMBER) {
        if ((status = asci_json_double(&c->j, &v, e)) ||
            (status = asci_doubles_add(&c->leaf, v, e)))
            return status;
    } else if (kind == ASCI_JSON_ARRAY) {
        while ((more = asci_json_more(&c->j, e)) > 0)
            if ((status = asci_read_double(&c->j, &v, e)) ||
                (status = asci_doubles_add(&c->leaf, v, e)))
                return status;
        if (more < 0)
            return ASC_EINPUT;
    } else {
        return asci_json_wrong_kind(&c->j, kind, "a number or an array", e);
    }
    if (c->leaf.n == before)
        return asci_json_fail(&c->j, e, "there is no value");
    if ((status = check_width(c, c->leaf.n - before, e)))
        return status;
    c->node[at].leaf = (uint32_t)(before / c->width);
    return ASC_OK;
}

/* One member of the object that is node `at`; *child is a node whose object
 * has begun, or 0. */
static int
read_member(struct catboost *c, uint32_t at, uint32_t *child,
            struct asc_error *e)
{
    struct asci_json *j = &c->j;
    const int left = asci_json_is(j, "left"), right = asci_json_is(j, "right");
    int status;

    *child = 0;
    if (left || right) {
        if (left ? c->node[at].left : c->node[at].right)
            return asci_json_fail(j, e, "it is there twice");
        if ((status = asci_json_enter(j, ASCI_JSON_OBJECT, e)) ||
            (status = new_node(c, child, e)))
            return status;
        *(left ? &c->node[at].left : &c->node[at].right) = *child;
        return ASC_OK;
    }
    if (asci_json_is(j, "split")) {
        if (c->node[at].split.kind != CATBOOST_NO_SPLIT)
            return asci_json_fail(j, e, "it is there twice");
        status = read_split(c, &c->node[at].split, e);
        return status ? status : ask(c, &c->node[at].split, e);
    }
    if (asci_json_is(j, "value")) {
        if (c->node[at].leaf != NO_LEAF)
            return asci_json_fail(j, e, "it is there twice");
        return read_leaf(c, at, e);
    }
    if (!asci_json_is(j, "weight"))
        return asci_json_skip(j, e);
    status = asci_read_double(j, &c->node[at].weight, e);
    return status ? status : check_weight(j, c->node[at].weight, e);
}

/* Node `at`, whose object has ended, is a leaf or has all of a split. */
static int
check_end(struct catboost *c, uint32_t at, struct asc_error *e)
{
    const struct catboost_node *p = &c->node[at];
    const int split = p->split.kind != CATBOOST_NO_SPLIT;

    if (p->leaf != NO_LEAF ? !split && !p->left && !p->right
                           : split && p->left && p->right)
        return ASC_OK;
    return asci_json_fail(&c->j, e, "a node needs either a value, or a split, "
                          "left and right");
}

/* The nodes of one tree, in the order in which their objects begin, which has
 * parents before their children. */
static int
read_nodes(struct catboost *c, struct asc_error *e)
{
    uint32_t stack[ASCI_JSON_DEPTH], child;
    size_t depth = 1;
    int more, status = asci_json_enter(&c->j, ASCI_JSON_OBJECT, e);

    c->n_nodes = c->leaf.n = 0;
    if (status || (status = new_node(c, &stack[0], e)))
        return status;
    while (depth > 0) {
        const uint32_t at = stack[depth - 1];

        if ((more = asci_json_key(&c->j, e)) < 0)
            return ASC_EINPUT;
        if (more == 0) {
            if ((status = check_end(c, at, e)))
                return status;
            depth--;
            continue;
        }
        if ((status = read_member(c, at, &child, e)))
            return status;
        if (child)
            stack[depth++] = child;     /* no deeper than the reader's frames */
    }
    return ASC_OK;
}

static int
build_tree(struct catboost *c, struct asc_error *e)
{
    struct asci_tree *t;
    int weights = 1, status;
    size_t i;

    for (i = 0; i < c->n_nodes; i++)
        if (c->node[i].leaf != NO_LEAF && isnan(c->node[i].weight))
            weights = 0;
    if ((status = new_tree(c, c->n_nodes, c->leaf.n / c->width, weights, &t,
                           e)))
        return status;
    for (i = 0; i < c->n_nodes; i++) {
        const struct catboost_node *p = &c->node[i];

        if (p->leaf == NO_LEAF)
            set_test(&t->node[i], &p->split, p->left, p->right);
        else
            t->node[i].leaf = p->leaf;
    }
    memcpy(t->value, c->leaf.v, c->leaf.n * sizeof *t->value);
    for (i = c->n_nodes; t->cover && i-- > 0;) {
        const struct catboost_node *p = &c->node[i];

        t->cover[i] = p->leaf == NO_LEAF
                      ? t->cover[p->left] + t->cover[p->right] : p->weight;
    }
    return ASC_OK;
}

int
asci_catboost_trees(struct asci_json *j, void *to, struct asc_error *e)
{
    struct catboost *c = to;
    int more = asci_json_array(j, e), status;

    c->has_trees = 1;
    if (more <= 0)
        return more < 0 ? ASC_EINPUT : ASC_OK;
    while ((more = asci_json_more(j, e)) > 0)
        if ((status = read_nodes(c, e)) || (status = build_tree(c, e)))
            return status;
    return more < 0 ? ASC_EINPUT : ASC_OK;
}
