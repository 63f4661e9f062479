/* model/booster/xgboost_tree.c -- one tree of an XGBoost model, built as its
 * object ends from the arrays that it holds.
 *
 * A number goes left if it is less than the threshold; a category that a split
 * lists goes right, all others left, undeclared ones too.  Cost: one pass over
 * the nodes; the arrays are used again for the next tree.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/xgboost.h"

#define UNSEEN UINT32_MAX
#define TO(member) offsetof(struct xgboost, member)

static int
read_tree_param(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "size_leaf_vector", asci_read_whole, TO(leaf_size) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
check_lengths(struct xgboost *r, struct asc_error *e)
{
    const struct { const char *name; size_t n; int optional; } array[] = {
        { "right_children", r->right.n, 0 },
        { "split_indices", r->feature.n, 0 },
        { "split_conditions", r->condition.n, 0 },
        { "default_left", r->default_left.n, 0 },
        { "split_type", r->split_type.n, 1 },
        { "sum_hessian", r->hessian.n, 1 }
    };
    const size_t n = r->left.n, k = r->category_node.n;
    size_t i;

    if (n == 0)
        return asci_json_fail(&r->j, e, "the tree has no node "
                              "(left_children)");
    if (n >= UINT32_MAX / 4)
        return asci_json_fail(&r->j, e, "the tree has %zu nodes", n);
    for (i = 0; i < sizeof array / sizeof *array; i++)
        if (array[i].n != n && !(array[i].optional && array[i].n == 0))
            return asci_json_fail(&r->j, e, "%s has %zu values, left_children "
                                  "%zu", array[i].name, array[i].n, n);
    if (r->category_segment.n != k || r->category_size.n != k)
        return asci_json_fail(&r->j, e, "categories_segments has %zu values, "
                              "categories_sizes %zu, categories_nodes %zu",
                              r->category_segment.n, r->category_size.n, k);
    return ASC_OK;
}

/* Nodes in breadth-first order, which brings children behind their parents:
 * order[new] = old.  XGBoost uses the places of pruned nodes again, so that a
 * child may come first in the file, and places may be left over. */
static int
order_nodes(struct xgboost *r, size_t *n_reached, struct asc_error *e)
{
    const size_t n = r->left.n;
    size_t i, at, reached = 1;
    int side;

    if (n > r->n_place) {
        uint32_t *order = asci_resize(r->order, n, sizeof *order, e), *place;

        if (!order)
            return ASC_ESYSTEM;
        r->order = order;
        place = asci_resize(r->place, n, sizeof *place, e);
        if (!place)
            return ASC_ESYSTEM;
        r->place = place;
        r->n_place = n;
    }
    for (i = 0; i < n; i++)
        r->place[i] = UNSEEN;
    r->order[0] = 0;
    r->place[0] = 0;
    for (at = 0; at < reached; at++) {
        const uint32_t old = r->order[at];

        if (r->left.v[old] == -1)
            continue;
        for (side = 0; side < 2; side++) {
            const int32_t child = side ? r->right.v[old] : r->left.v[old];
            const char *what = side ? "right_children" : "left_children";

            if (child < 0 || (size_t)child >= n)
                return asci_json_fail(&r->j, e, "%s[%u] is %d, want a node "
                                      "of 0 to %zu, or -1", what, old, child,
                                      n - 1);
            if (r->place[child] != UNSEEN)
                return asci_json_fail(&r->j, e, "%s[%u]: node %d is reached "
                                      "twice", what, old, child);
            r->place[child] = (uint32_t)reached;
            r->order[reached++] = (uint32_t)child;
        }
    }
    *n_reached = reached;
    return ASC_OK;
}

/* The categories of the split nodes: first and count among all codes. */
static int
take_categories(struct xgboost *r, struct asci_tree *t, struct asc_error *e)
{
    size_t i, k, room;

    for (k = 0; k < r->category_node.n; k++) {
        const int32_t node = r->category_node.v[k];
        const int32_t from = r->category_segment.v[k];
        const int32_t count = r->category_size.v[k];
        struct asci_node *p;

        if (node < 0 || (size_t)node >= r->left.n)
            return asci_json_fail(&r->j, e, "categories_nodes[%zu] is %d of "
                                  "%zu nodes", k, node, r->left.n);
        if (from < 0 || count < 0 || (size_t)from > r->category.n ||
            (size_t)count > r->category.n - (size_t)from)
            return asci_json_fail(&r->j, e, "categories_sizes[%zu]: %d from "
                                  "%d on, categories has %zu values", k, count,
                                  from, r->category.n);
        if (r->place[node] == UNSEEN)
            continue;
        p = &t->node[r->place[node]];
        if (p->test != ASCI_IN_SET)
            continue;
        if (p->set_bits > 0)
            return asci_json_fail(&r->j, e, "categories_nodes[%zu]: node %d "
                                  "is there twice", k, node);
        if (r->codes.n + (size_t)count > r->codes.capacity) {
            int32_t *v;

            room = r->codes.n + (size_t)count + r->codes.capacity / 2;
            if (room > UINT32_MAX)
                return asci_json_fail(&r->j, e, "too many categories");
            v = asci_resize(r->codes.v, room, sizeof *v, e);
            if (!v)
                return ASC_ESYSTEM;
            r->codes.v = v;
            r->codes.capacity = room;
        }
        p->set = (uint32_t)r->codes.n;
        p->set_bits = (uint32_t)count;
        for (i = 0; i < (size_t)count; i++) {
            const int32_t code = r->category.v[(size_t)from + i];

            if (code < 0 || code >= MAX_CODE)
                return asci_json_fail(&r->j, e, "categories[%zu] is %d",
                                      (size_t)from + i, code);
            r->codes.v[r->codes.n++] = code;
        }
    }
    return ASC_OK;
}

static int
make_split(struct xgboost *r, uint32_t old, struct asci_node *p,
           struct asc_error *e)
{
    const uint32_t left = r->place[r->left.v[old]];
    const uint32_t right = r->place[r->right.v[old]];
    const int categorical = r->split_type.n > 0 && r->split_type.v[old] == 1;

    if (r->split_type.n > 0 && r->split_type.v[old] != 0 && !categorical)
        return asci_json_fail(&r->j, e, "split_type[%u] is %d, want 0 or 1",
                              old, r->split_type.v[old]);
    if (r->feature.v[old] < 0)
        return asci_json_fail(&r->j, e, "split_indices[%u] is %d", old,
                              r->feature.v[old]);
    p->test = categorical ? ASCI_IN_SET : ASCI_LESS;
    p->column = (uint32_t)r->feature.v[old];
    p->yes = categorical ? right : left;
    p->no = categorical ? left : right;
    p->missing = r->default_left.v[old] ? left : right;
    p->threshold = categorical ? 0.0 : (double)r->condition.v[old];
    if (isnan(p->threshold))
        return asci_json_fail(&r->j, e, "split_conditions[%u] is not a "
                              "number", old);
    return ASC_OK;
}

/* The values of one leaf: in the place of the threshold, or a vector of the
 * node, or (from 3.2 on) one that the right child counts. */
static int
leaf_values(struct xgboost *r, uint32_t old, size_t width, double *value,
            struct asc_error *e)
{
    const struct asci_singles *from = r->leaf_weight.n ? &r->leaf_weight
                                                       : &r->weight;
    size_t k, at = old;

    if (width == 1 && r->leaf_size.v <= 1) {
        *value = (double)r->condition.v[old];
        return ASC_OK;
    }
    if (r->leaf_weight.n) {
        if (r->right.v[old] < 0)
            return asci_json_fail(&r->j, e, "right_children[%u] is %d, want "
                                  "the number of a leaf", old,
                                  r->right.v[old]);
        at = (size_t)r->right.v[old];
    }
    if (at >= from->n / width)
        return asci_json_fail(&r->j, e, "%s has %zu values, too few for the "
                              "%zu of leaf %zu",
                              r->leaf_weight.n ? "leaf_weights"
                                               : "base_weights",
                              from->n, width, at);
    for (k = 0; k < width; k++)
        value[k] = (double)from->v[at * width + k];
    return ASC_OK;
}

static int
build_tree(struct xgboost *r, struct asci_tree *t, struct asc_error *e)
{
    size_t i, n = 0, leaf = 0;
    int status;

    if ((status = check_lengths(r, e)) || (status = order_nodes(r, &n, e)))
        return status;
    if (r->leaf_size.v < 0 || r->leaf_size.v > MAX_NAMELESS)
        return asci_json_fail(&r->j, e, "size_leaf_vector is %lld",
                              (long long)r->leaf_size.v);
    t->width = r->leaf_size.v > 1 ? (size_t)r->leaf_size.v : 1;
    for (i = 0; i < n; i++)
        t->n_leaves += r->left.v[r->order[i]] == -1;
    if (t->width > 1 && t->n_leaves > (r->leaf_weight.n ? r->leaf_weight.n
                                       : r->weight.n) / t->width)
        return asci_json_fail(&r->j, e, "%zu leaves of %zu values each are "
                              "declared, %zu values are there", t->n_leaves,
                              t->width, r->leaf_weight.n ? r->leaf_weight.n
                                                         : r->weight.n);
    t->node = asci_alloc_zero(n, sizeof *t->node, e);
    t->value = asci_alloc(t->n_leaves * t->width, sizeof *t->value, e);
    if (r->hessian.n > 0)
        t->cover = asci_alloc(n, sizeof *t->cover, e);
    if (!t->node || !t->value || (r->hessian.n > 0 && !t->cover))
        return ASC_ESYSTEM;
    t->n_nodes = n;
    for (i = 0; i < n && status == ASC_OK; i++) {
        const uint32_t old = r->order[i];

        if (t->cover)
            t->cover[i] = (double)r->hessian.v[old];
        if (r->left.v[old] != -1) {
            status = make_split(r, old, &t->node[i], e);
            continue;
        }
        t->node[i].test = ASCI_LEAF;
        t->node[i].leaf = (uint32_t)leaf;
        status = leaf_values(r, old, t->width, t->value + leaf * t->width, e);
        leaf++;
    }
    for (i = 0; status == ASC_OK && t->cover && i < n; i++)
        if (!(t->cover[i] >= 0.0)) {    /* of no use as a weight */
            free(t->cover);
            t->cover = NULL;
        }
    return status ? status : take_categories(r, t, e);
}

static int
read_tree(struct xgboost *r, struct asci_tree *t, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "base_weights", asci_read_singles, TO(weight) },
        { "categories", asci_read_integers, TO(category) },
        { "categories_nodes", asci_read_integers, TO(category_node) },
        { "categories_segments", asci_read_integers, TO(category_segment) },
        { "categories_sizes", asci_read_integers, TO(category_size) },
        { "default_left", asci_read_integers, TO(default_left) },
        { "leaf_weights", asci_read_singles, TO(leaf_weight) },
        { "left_children", asci_read_integers, TO(left) },
        { "right_children", asci_read_integers, TO(right) },
        { "split_conditions", asci_read_singles, TO(condition) },
        { "split_indices", asci_read_integers, TO(feature) },
        { "split_type", asci_read_integers, TO(split_type) },
        { "sum_hessian", asci_read_singles, TO(hessian) },
        { "tree_param", read_tree_param, 0 }
    };
    int status;

    r->weight.n = r->leaf_weight.n = r->condition.n = r->hessian.n = 0;
    r->left.n = r->right.n = r->feature.n = r->split_type.n = 0;
    r->default_left.n = r->category.n = r->category_node.n = 0;
    r->category_segment.n = r->category_size.n = 0;
    r->leaf_size.v = 0;
    status = ASCI_READ_MEMBERS(&r->j, r, members, e);
    return status ? status : build_tree(r, t, e);
}

int
asci_xgboost_trees(struct asci_json *j, void *to, struct asc_error *e)
{
    struct xgboost *r = to;
    struct asci_ensemble *f = &r->trees;
    int more, status = asci_json_enter(j, ASCI_JSON_ARRAY, e);

    if (status)
        return status;
    while ((more = asci_json_more(j, e)) > 0) {
        void *v = f->tree;

        status = asci_json_room(&v, &r->tree_capacity, f->n_trees, 1,
                                sizeof *f->tree, e);
        f->tree = v;
        if (status)
            return status;
        memset(&f->tree[f->n_trees], 0, sizeof *f->tree);
        f->n_trees++;
        if ((status = read_tree(r, &f->tree[f->n_trees - 1], e)))
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}
