/* model/booster/xgboost.c -- XGBoost models, JSON and UBJSON, 1.0 to 3.x.
 *
 * The file is read as a stream of events into plain arrays; trees are built as
 * their objects end, everything that needs several parts of the file (which
 * may stand in any order) when all of it is there.  What the format means is
 * written down in XGBoost's own sources only (doc/model.schema is partial):
 * src/learner.cc, src/gbm/gbtree_model.cc, src/tree/tree_model.cc,
 * src/tree/multi_target_tree_model.cc, src/gbm/gblinear.cc,
 * src/data/cat_container.cc and src/objective, tags v1.0.0 to v3.4.1.
 *
 *     margin_k = g^-1(base_score_k) + sum over trees of group k of w_t leaf_t
 *
 * in float, in the order of the trees, beginning with the base; w_t are
 * DART's weights, which 3.x also writes under the name gbtree.  A number goes
 * left if it is less than the threshold; a category that a split lists goes
 * right, all others left, undeclared ones too.  Cost: one pass over the file,
 * memory for its largest tree beside the model.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/booster/json.h"
#include "model/form.h"

enum {
    MAX_NAMELESS = 1000000,     /* features or outputs that are only counted */
    MAX_CODE = 1 << 24,         /* XGBoost's own limit */
    SMALL_CODE = 1024           /* up to it every code is a category */
};
#define MAX_SET_WORDS ((size_t)1 << 27)
#define UNSEEN UINT32_MAX

struct texts { char **v; size_t n, capacity; };
struct doubles { double *v; size_t n, capacity; };

/* The categories of one feature, in the order of their codes. */
struct dictionary {
    int given;                  /* by the file, not gathered from splits */
    int numbers;
    struct texts text;
    int32_t *code;              /* (text.n) gathered: which code it is */
};

struct whole { int64_t v; int given; };

struct reader {
    struct asci_json j;
    asc_model *m;
    /* learner */
    struct texts objective, booster;    /* one text each */
    struct asci_singles base_score;
    struct whole n_class, n_target, n_feature, best_iteration;
    struct texts name, type;
    struct asci_integers version;
    /* model */
    struct asci_ensemble trees;
    size_t tree_capacity;
    struct asci_integers codes; /* of all categorical splits; a node's set and
                                   set_bits are first and count till the end */
    struct asci_integers tree_info, iteration;
    struct asci_singles weight_drop, linear;
    struct whole n_parallel, n_trees;
    struct dictionary *dictionary;
    size_t n_dictionaries, dictionary_capacity;
    struct asci_integers offsets;
    struct doubles values;
    /* the tree that is being read */
    struct asci_singles weight, leaf_weight, condition, hessian;
    struct asci_integers left, right, feature, split_type, default_left;
    struct asci_integers category, category_node, category_segment,
                         category_size;
    struct whole leaf_size;
    uint32_t *order, *place;
    size_t n_place;
};

/* ---- members of objects ---- */

struct member {
    const char *key;
    int (*read)(struct reader *r, void *to, struct asc_error *e);
    size_t to;                  /* offset in struct reader */
};

static int
read_members(struct reader *r, const struct member *member, size_t n,
             struct asc_error *e)
{
    int more, status = asci_json_enter(&r->j, ASCI_JSON_OBJECT, e);
    unsigned seen = 0;
    size_t i;

    if (status)
        return status;
    while ((more = asci_json_key(&r->j, e)) > 0) {
        for (i = 0; i < n && !asci_json_is(&r->j, member[i].key); i++)
            ;
        if (i < n && seen >> i & 1)
            return asci_json_fail(&r->j, e, "it is there twice");
        if (i < n) {
            seen |= 1u << i;
            status = member[i].read(r, (char *)r + member[i].to, e);
        } else {
            status = asci_json_skip(&r->j, e);
        }
        if (status)
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

#define READ_MEMBERS(r, table, e)                                            \
    read_members((r), (table), sizeof (table) / sizeof *(table), (e))

static int
read_singles(struct reader *r, void *to, struct asc_error *e)
{
    return asci_json_singles(&r->j, to, e);
}

static int
read_integers(struct reader *r, void *to, struct asc_error *e)
{
    return asci_json_integers(&r->j, to, e);
}

static int
add_text(struct texts *t, const char *p, size_t n, struct asc_error *e)
{
    if (t->n == t->capacity) {
        size_t more = t->capacity ? 2 * t->capacity : 8;
        char **v = asci_resize(t->v, more, sizeof *v, e);

        if (!v)
            return ASC_ESYSTEM;
        t->v = v;
        t->capacity = more;
    }
    t->v[t->n] = asci_copy_text(p, n, e);
    if (!t->v[t->n])
        return ASC_ESYSTEM;
    t->n++;
    return ASC_OK;
}

static void
free_texts(struct texts *t)
{
    size_t i;

    for (i = 0; i < t->n; i++)
        free(t->v[i]);
    free(t->v);
    memset(t, 0, sizeof *t);
}

static int
read_text(struct reader *r, void *to, struct asc_error *e)
{
    int status = asci_json_want_text(&r->j, e);

    free_texts(to);
    return status ? status : add_text(to, r->j.text.p, r->j.text.n, e);
}

static int
read_texts(struct reader *r, void *to, struct asc_error *e)
{
    int more, status = asci_json_enter(&r->j, ASCI_JSON_ARRAY, e);

    if (status)
        return status;
    while ((more = asci_json_more(&r->j, e)) > 0)
        if ((status = asci_json_want_text(&r->j, e)) ||
            (status = add_text(to, r->j.text.p, r->j.text.n, e)))
            return status;
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

/* A whole number, or one as a text. */
static int
read_whole(struct reader *r, void *to, struct asc_error *e)
{
    struct whole *w = to;
    enum asci_json_kind kind;
    int status = asci_json_next(&r->j, &kind, e);
    double v = NAN;

    if (status)
        return status;
    if (kind == ASCI_JSON_NUMBER) {
        if ((status = asci_json_double(&r->j, &v, e)))
            return status;
    } else if (kind != ASCI_JSON_TEXT ||
               !asc_number_parse(r->j.text.p, r->j.text.n, &v)) {
        v = NAN;
    }
    if (!(v >= -9e15 && v <= 9e15) || v != floor(v))
        return asci_json_fail(&r->j, e, "it is not a whole number");
    w->v = (int64_t)v;
    w->given = 1;
    return ASC_OK;
}

/* "5E-1", "[5E-1,2E0]", or a number. */
static int
read_base_score(struct reader *r, void *to, struct asc_error *e)
{
    struct asci_singles *a = to;
    struct asci_json part;
    enum asci_json_kind kind;
    int status = asci_json_next(&r->j, &kind, e);

    if (status)
        return status;
    a->n = 0;
    if (!a->v && !(a->v = asci_alloc(1, sizeof *a->v, e)))
        return ASC_ESYSTEM;
    if (!a->capacity)
        a->capacity = 1;
    if (kind == ASCI_JSON_NUMBER) {
        a->n = 1;
        return asci_json_single(&r->j, a->v, e);
    }
    if (kind != ASCI_JSON_TEXT)
        return asci_json_fail(&r->j, e, "it is not a number");
    asci_json_open(&part, r->j.file, r->j.text.p, r->j.text.n, 0);
    if (r->j.text.n > 0 && r->j.text.p[0] == '[') {
        status = asci_json_singles(&part, a, NULL);
    } else {
        status = asci_json_next(&part, &kind, NULL);
        if (status == ASC_OK && kind == ASCI_JSON_NUMBER)
            status = asci_json_single(&part, a->v, NULL);
        a->n = 1;
    }
    if (status == ASC_OK)
        status = asci_json_next(&part, &kind, NULL);
    if (status || kind != ASCI_JSON_END || a->n == 0)
        status = asci_json_fail(&r->j, e, "\"%.*s\" is not a number",
                                (int)(r->j.text.n < 40 ? r->j.text.n : 40),
                                r->j.text.p);
    asci_json_close(&part);
    return status;
}

/* ---- categories ---- */

static int
read_doubles(struct reader *r, void *to, struct asc_error *e)
{
    struct doubles *a = to;
    enum asci_json_kind kind;
    int more, status = asci_json_enter(&r->j, ASCI_JSON_ARRAY, e);

    a->n = 0;
    if (status)
        return status;
    while ((more = asci_json_more(&r->j, e)) > 0) {
        if (a->n == a->capacity) {
            size_t room = a->capacity ? 2 * a->capacity : 64;
            double *v = asci_resize(a->v, room, sizeof *v, e);

            if (!v)
                return ASC_ESYSTEM;
            a->v = v;
            a->capacity = room;
        }
        if ((status = asci_json_next(&r->j, &kind, e)))
            return status;
        if (kind != ASCI_JSON_NUMBER)
            return asci_json_fail(&r->j, e, "it is not a number");
        if ((status = asci_json_double(&r->j, &a->v[a->n], e)))
            return status;
        a->n++;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

/* Bytes values[offsets[i]] to values[offsets[i + 1]] are category i. */
static int
text_categories(struct reader *r, struct dictionary *d, struct asc_error *e)
{
    struct asc_buffer b = { 0 };
    int status = ASC_OK;
    size_t i;
    int32_t k;

    for (i = 0; i + 1 < r->offsets.n && status == ASC_OK; i++) {
        const int32_t from = r->offsets.v[i], to = r->offsets.v[i + 1];

        if (from < 0 || to < from || (size_t)to > r->values.n) {
            status = asci_json_fail(&r->j, e, "category %zu goes from byte %d "
                                    "to %d of %zu", i, from, to, r->values.n);
            break;
        }
        b.n = 0;
        for (k = from; k < to && status == ASC_OK; k++) {
            const double v = r->values.v[k];

            if (!(v >= -128.0 && v <= 255.0) || v != floor(v) || v == 0.0)
                status = asci_json_fail(&r->j, e, "values[%d] is %.17g, not "
                                        "the code of a byte", k, v);
            else
                asc_buffer_char(&b, (char)(unsigned char)(int)v);
        }
        if (status == ASC_OK && b.failed)
            status = asc_fail(e, ASC_ESYSTEM, "out of memory");
        if (status == ASC_OK)
            status = add_text(&d->text, b.p ? b.p : "", b.n, e);
    }
    asc_buffer_free(&b);
    return status;
}

static int
number_categories(struct reader *r, struct dictionary *d,
                  struct asc_error *e)
{
    char text[ASC_NUMBER_MAX];
    int status = ASC_OK;
    size_t i;

    d->numbers = 1;
    for (i = 0; i < r->values.n && status == ASC_OK; i++)
        status = add_text(&d->text, text,
                          asc_number_format(r->values.v[i], text), e);
    return status;
}

static int
read_dictionary(struct reader *r, struct dictionary *d, struct asc_error *e)
{
    static const struct member members[] = {
        { "offsets", read_integers, offsetof(struct reader, offsets) },
        { "values", read_doubles, offsetof(struct reader, values) }
    };
    int status;

    r->offsets.n = 0;
    r->values.n = 0;
    if ((status = READ_MEMBERS(r, members, e)))
        return status;
    d->given = r->values.n > 0 || r->offsets.n > 1;
    return r->offsets.n > 0 ? text_categories(r, d, e)
                            : number_categories(r, d, e);
}

static int
read_dictionaries(struct reader *r, void *to, struct asc_error *e)
{
    int more, status = asci_json_enter(&r->j, ASCI_JSON_ARRAY, e);

    (void)to;
    if (status)
        return status;
    while ((more = asci_json_more(&r->j, e)) > 0) {
        if (r->n_dictionaries == r->dictionary_capacity) {
            size_t room = r->dictionary_capacity
                          ? 2 * r->dictionary_capacity : 16;
            struct dictionary *d = asci_resize(r->dictionary, room, sizeof *d,
                                               e);

            if (!d)
                return ASC_ESYSTEM;
            r->dictionary = d;
            r->dictionary_capacity = room;
        }
        memset(&r->dictionary[r->n_dictionaries], 0, sizeof *r->dictionary);
        r->n_dictionaries++;
        status = read_dictionary(r, &r->dictionary[r->n_dictionaries - 1], e);
        if (status)
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

static int
read_cats(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "enc", read_dictionaries, 0 }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

/* ---- one tree ---- */

static int
read_tree_param(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "size_leaf_vector", read_whole, offsetof(struct reader, leaf_size) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
check_lengths(struct reader *r, struct asc_error *e)
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
order_nodes(struct reader *r, size_t *n_reached, struct asc_error *e)
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
take_categories(struct reader *r, struct asci_tree *t, struct asc_error *e)
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
make_split(struct reader *r, uint32_t old, struct asci_node *p,
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
leaf_values(struct reader *r, uint32_t old, size_t width, double *value,
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
build_tree(struct reader *r, struct asci_tree *t, struct asc_error *e)
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
read_tree(struct reader *r, struct asci_tree *t, struct asc_error *e)
{
#define TO(member) offsetof(struct reader, member)
    static const struct member members[] = {
        { "base_weights", read_singles, TO(weight) },
        { "categories", read_integers, TO(category) },
        { "categories_nodes", read_integers, TO(category_node) },
        { "categories_segments", read_integers, TO(category_segment) },
        { "categories_sizes", read_integers, TO(category_size) },
        { "default_left", read_integers, TO(default_left) },
        { "leaf_weights", read_singles, TO(leaf_weight) },
        { "left_children", read_integers, TO(left) },
        { "right_children", read_integers, TO(right) },
        { "split_conditions", read_singles, TO(condition) },
        { "split_indices", read_integers, TO(feature) },
        { "split_type", read_integers, TO(split_type) },
        { "sum_hessian", read_singles, TO(hessian) },
        { "tree_param", read_tree_param, 0 }
    };
    int status;

    r->weight.n = r->leaf_weight.n = r->condition.n = r->hessian.n = 0;
    r->left.n = r->right.n = r->feature.n = r->split_type.n = 0;
    r->default_left.n = r->category.n = r->category_node.n = 0;
    r->category_segment.n = r->category_size.n = 0;
    r->leaf_size.v = 0;
    status = READ_MEMBERS(r, members, e);
    return status ? status : build_tree(r, t, e);
}

static int
read_trees(struct reader *r, void *to, struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    int more, status = asci_json_enter(&r->j, ASCI_JSON_ARRAY, e);

    (void)to;
    if (status)
        return status;
    while ((more = asci_json_more(&r->j, e)) > 0) {
        if (f->n_trees == r->tree_capacity) {
            size_t room = r->tree_capacity ? 2 * r->tree_capacity : 16;
            struct asci_tree *t = asci_resize(f->tree, room, sizeof *t, e);

            if (!t)
                return ASC_ESYSTEM;
            f->tree = t;
            r->tree_capacity = room;
        }
        memset(&f->tree[f->n_trees], 0, sizeof *f->tree);
        f->n_trees++;
        if ((status = read_tree(r, &f->tree[f->n_trees - 1], e)))
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

/* ---- the document ---- */

static int
read_gbtree_param(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "num_parallel_tree", read_whole, TO(n_parallel) },
        { "num_trees", read_whole, TO(n_trees) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
read_model(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "cats", read_cats, 0 },
        { "gbtree_model_param", read_gbtree_param, 0 },
        { "iteration_indptr", read_integers, TO(iteration) },
        { "tree_info", read_integers, TO(tree_info) },
        { "trees", read_trees, 0 },
        { "weight_drop", read_singles, TO(weight_drop) },
        { "weights", read_singles, TO(linear) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

/* The gbtree that a dart holds. */
static int
read_inner_booster(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "model", read_model, 0 }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
read_booster(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "gbtree", read_inner_booster, 0 },
        { "model", read_model, 0 },
        { "name", read_text, TO(booster) },
        { "weight_drop", read_singles, TO(weight_drop) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
read_objective(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "name", read_text, TO(objective) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
read_attributes(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "best_iteration", read_whole, TO(best_iteration) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
read_learner_param(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "base_score", read_base_score, TO(base_score) },
        { "num_class", read_whole, TO(n_class) },
        { "num_feature", read_whole, TO(n_feature) },
        { "num_target", read_whole, TO(n_target) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
read_learner(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "attributes", read_attributes, 0 },
        { "feature_names", read_texts, TO(name) },
        { "feature_types", read_texts, TO(type) },
        { "gradient_booster", read_booster, 0 },
        { "learner_model_param", read_learner_param, 0 },
        { "objective", read_objective, 0 }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

/* What a pickle of 1.x holds: the model beside its training parameters. */
static int
read_wrapped(struct reader *r, void *to, struct asc_error *e)
{
    static const struct member members[] = {
        { "learner", read_learner, 0 },
        { "version", read_integers, TO(version) }
    };

    (void)to;
    return READ_MEMBERS(r, members, e);
}

static int
read_document(struct reader *r, struct asc_error *e)
{
    static const struct member members[] = {
        { "Model", read_wrapped, 0 },
        { "learner", read_learner, 0 },
        { "version", read_integers, TO(version) }
    };
    enum asci_json_kind kind;
    int status = READ_MEMBERS(r, members, e);

    return status ? status : asci_json_next(&r->j, &kind, e);
}
#undef TO

/* ---- what the parts mean together ---- */

static int
fail(const struct reader *r, struct asc_error *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail(const struct reader *r, struct asc_error *e, const char *format, ...)
{
    char message[400];
    va_list ap;

    va_start(ap, format);
    asci_print(message, sizeof message, format, ap);
    va_end(ap);
    return asc_fail(e, ASC_EINPUT, "%s: %s", r->m->name, message);
}

enum task { REGRESSION, BINARY, LABELS, CLASSES };

struct objective {
    const char *name;
    enum asci_link link;
    enum task task;
};

static const struct objective objectives[] = {
    { "reg:squarederror", ASCI_LINK_NONE, REGRESSION },
    { "reg:linear", ASCI_LINK_NONE, REGRESSION },
    { "reg:squaredlogerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:pseudohubererror", ASCI_LINK_NONE, REGRESSION },
    { "reg:absoluteerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:quantileerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:expectileerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:logistic", ASCI_LINK_LOGIT, REGRESSION },
    { "reg:gamma", ASCI_LINK_EXP, REGRESSION },
    { "reg:tweedie", ASCI_LINK_EXP, REGRESSION },
    { "count:poisson", ASCI_LINK_EXP, REGRESSION },
    { "survival:cox", ASCI_LINK_EXP, REGRESSION },
    { "survival:aft", ASCI_LINK_EXP, REGRESSION },
    { "rank:pairwise", ASCI_LINK_NONE, REGRESSION },
    { "rank:ndcg", ASCI_LINK_NONE, REGRESSION },
    { "rank:map", ASCI_LINK_NONE, REGRESSION },
    { "binary:logistic", ASCI_LINK_LOGIT, BINARY },
    { "binary:logitraw", ASCI_LINK_NONE, REGRESSION },
    { "binary:hinge", ASCI_LINK_STEP, LABELS },
    { "multi:softprob", ASCI_LINK_SOFTMAX, CLASSES },
    { "multi:softmax", ASCI_LINK_SOFTMAX, CLASSES }
};
enum { N_OBJECTIVES = sizeof objectives / sizeof *objectives };

static int
find_objective(const struct reader *r, const struct objective **o,
               struct asc_error *e)
{
    const char *names[N_OBJECTIVES], *near, *name;
    size_t i;

    if (r->objective.n == 0)
        return fail(r, e, "learner.objective.name is not there: not a whole "
                    "XGBoost model");
    name = r->objective.v[0];
    for (i = 0; i < N_OBJECTIVES; i++) {
        names[i] = objectives[i].name;
        if (!strcmp(name, names[i])) {
            *o = &objectives[i];
            return ASC_OK;
        }
    }
    near = asc_nearest(name, names, N_OBJECTIVES);
    return fail(r, e, "learner.objective.name: \"%.60s\" is not known, nor "
                "how its scores become predictions%s%s%s", name,
                near ? " (nearest: " : "", near ? near : "", near ? ")" : "");
}

/* How many sums the model has. */
static int
count_groups(const struct reader *r, size_t *groups, struct asc_error *e)
{
    const int64_t n_class = r->n_class.v, n_target = r->n_target.v;
    const int64_t n = n_class > n_target ? n_class : n_target;

    if (n_class < 0 || n_target < 0 || n > MAX_NAMELESS)
        return fail(r, e, "learner.learner_model_param: num_class is %lld, "
                    "num_target %lld", (long long)n_class,
                    (long long)n_target);
    *groups = n > 1 ? (size_t)n : 1;
    return ASC_OK;
}

static int
newer_than(const struct reader *r, int32_t major, int32_t minor)
{
    const struct asci_integers *v = &r->version;

    return v->n >= 2 && (v->v[0] > major ||
                         (v->v[0] == major && v->v[1] >= minor));
}

/* Some objectives mix several outputs in a way that no link here knows. */
static int
check_mixing(const struct reader *r, const struct objective *o, size_t groups,
             struct asc_error *e)
{
    if (groups < 2)
        return ASC_OK;
    if (!strcmp(o->name, "reg:expectileerror") ||
        (!strcmp(o->name, "reg:quantileerror") && newer_than(r, 3, 4)))
        return fail(r, e, "learner.objective: %s with %zu outputs at once "
                    "cannot be read: XGBoost orders them against each other "
                    "(one model for each can)", o->name, groups);
    return ASC_OK;
}

/* base_score is on the scale of the prediction: as a float margin. */
static int
base_margin(const struct reader *r, const struct objective *o, size_t k,
            float *margin, struct asc_error *e)
{
    const float eps = 1e-6f;
    float p = r->base_score.n == 0 ? 0.5f
            : r->base_score.v[r->base_score.n > 1 ? k : 0];

    if (!isfinite(p))
        return fail(r, e, "learner.learner_model_param.base_score: not a "
                    "finite number");
    if (o->link == ASCI_LINK_LOGIT) {
        if (!(p >= 0.0f && p <= 1.0f))
            return fail(r, e, "learner.learner_model_param.base_score: %g is "
                        "not a probability, which %s wants", (double)p,
                        o->name);
        p = p < eps ? eps : p > 1.0f - eps ? 1.0f - eps : p;
        p = -logf(1.0f / p - 1.0f);
    } else if (o->link == ASCI_LINK_EXP) {
        if (!(p > 0.0f))
            return fail(r, e, "learner.learner_model_param.base_score: %g is "
                        "not positive, which %s wants", (double)p, o->name);
        p = logf(p);
    }
    *margin = p;
    return ASC_OK;
}

static int
set_output(asc_model *m, size_t k, const char *name, size_t raw,
           struct asc_error *e)
{
    m->output[k].name = asci_copy_text(name, strlen(name), e);
    m->output[k].raw = raw;
    m->output[k].sign = 1.0;
    return m->output[k].name ? ASC_OK : ASC_ESYSTEM;
}

static int
make_outputs(struct reader *r, const struct objective *o, size_t groups,
             struct asc_error *e)
{
    asc_model *m = r->m;
    const int two = groups == 1 && (o->task == BINARY || o->task == LABELS);
    int status = ASC_OK;
    size_t k;

    m->link = o->link;
    m->classifier = two || o->task == CLASSES;
    m->n_raw = groups;
    m->n_outputs = two ? 2 : groups;
    m->output = asci_alloc_zero(m->n_outputs, sizeof *m->output, e);
    if (!m->output)
        return ASC_ESYSTEM;
    for (k = 0; k < m->n_outputs && status == ASC_OK; k++) {
        char name[32];

        if (m->classifier)
            snprintf(name, sizeof name, "%zu", k);
        else if (groups == 1)
            snprintf(name, sizeof name, "prediction");
        else
            snprintf(name, sizeof name, "y%zu", k);
        status = set_output(m, k, name, two ? 0 : k, e);
    }
    if (two && status == ASC_OK) {
        m->output[0].sign = -1.0;
        m->output[0].complement = 1;
    }
    return status;
}

/* ---- fields ---- */

static int
is_type(const struct reader *r, size_t j, const char *type)
{
    return j < r->type.n && !strcmp(r->type.v[j], type);
}

static int
make_names(struct reader *r, struct asc_error *e)
{
    struct asc_schema *s = &r->m->schema;
    const int64_t n = r->n_feature.v;
    size_t j;

    if (r->name.n > 0 && r->n_feature.given && n != (int64_t)r->name.n)
        return fail(r, e, "learner.feature_names has %zu names, num_feature "
                    "is %lld", r->name.n, (long long)n);
    if (r->name.n == 0 && (n < 1 || n > MAX_NAMELESS))
        return fail(r, e, "learner.learner_model_param.num_feature is %lld, "
                    "want 1 to %d where features have no names", (long long)n,
                    (int)MAX_NAMELESS);
    if (r->type.n > 0 && r->name.n > 0 && r->type.n != r->name.n)
        return fail(r, e, "learner.feature_types has %zu values, "
                    "feature_names %zu", r->type.n, r->name.n);
    s->n = r->name.n ? r->name.n : (size_t)n;
    s->field = asci_alloc_zero(s->n, sizeof *s->field, e);
    if (!s->field) {
        s->n = 0;
        return ASC_ESYSTEM;
    }
    if (r->n_dictionaries > 0 && r->n_dictionaries != s->n)
        return fail(r, e, "learner.gradient_booster.model.cats.enc has %zu "
                    "values, want one for each of %zu features",
                    r->n_dictionaries, s->n);
    for (j = 0; j < s->n; j++) {
        struct asc_field *f = &s->field[j];
        char name[32];

        f->replacement = NAN;
        f->low = -INFINITY;
        f->high = INFINITY;
        if (j < r->name.n) {
            f->name = r->name.v[j];
            r->name.v[j] = NULL;
            continue;
        }
        snprintf(name, sizeof name, "f%zu", j);
        f->name = asci_copy_text(name, strlen(name), e);
        if (!f->name)
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

/* How often each feature is split, by categories and by thresholds. */
struct use { size_t categories, thresholds, codes; };

static int
count_uses(const struct reader *r, struct use *use, struct asc_error *e)
{
    const struct asci_ensemble *f = &r->trees;
    const size_t d = r->m->schema.n;
    size_t i, j;

    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            const struct asci_node *p = &f->tree[j].node[i];

            if (p->test == ASCI_LEAF)
                continue;
            if (p->column >= d)
                return fail(r, e, "learner.gradient_booster.model.trees[%zu]: "
                            "split_indices: feature %u of %zu", j, p->column,
                            d);
            if (p->test == ASCI_IN_SET) {
                use[p->column].categories++;
                use[p->column].codes += p->set_bits;
            } else {
                use[p->column].thresholds++;
            }
        }
    return ASC_OK;
}

static int
compare_codes(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* Codes without a dictionary: the numbers themselves are the categories, all
 * of them if they are small, else those that some split lists (the others go
 * left everywhere, as undeclared ones do). */
static int
name_codes(struct dictionary *d, int32_t *code, size_t n, struct asc_error *e)
{
    size_t i, k = 0;
    int status = ASC_OK, all;

    qsort(code, n, sizeof *code, compare_codes);
    all = n > 0 && code[n - 1] < SMALL_CODE;
    d->numbers = 1;
    d->code = asci_alloc(all ? (size_t)code[n - 1] + 1 : n, sizeof *d->code,
                         e);
    if (!d->code)
        return ASC_ESYSTEM;
    if (all)
        for (; (int32_t)k <= code[n - 1]; k++)
            d->code[k] = (int32_t)k;
    else
        for (i = 0; i < n; i++)
            if (i == 0 || code[i] != code[i - 1])
                d->code[k++] = code[i];
    for (i = 0; i < k && status == ASC_OK; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", d->code[i]);
        status = add_text(&d->text, text, strlen(text), e);
    }
    return status;
}

/* Gathers the codes of all features without a dictionary that are split by
 * category. */
static int
gather_codes(struct reader *r, const struct use *use, struct asc_error *e)
{
    const struct asci_ensemble *f = &r->trees;
    const size_t d = r->m->schema.n;
    size_t *next = asci_alloc(d + 1, sizeof *next, e), i, j, total = 0;
    int32_t *code = NULL;
    int status = ASC_ESYSTEM;

    if (!next)
        return ASC_ESYSTEM;
    for (j = 0; j < d; j++) {
        next[j] = total;
        if (use[j].categories && !r->dictionary[j].given)
            total += use[j].codes;
    }
    code = asci_alloc(total, sizeof *code, e);
    if (!code)
        goto out;
    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            const struct asci_node *p = &f->tree[j].node[i];

            if (p->test != ASCI_IN_SET || p->set_bits == 0 ||
                r->dictionary[p->column].given)
                continue;
            memcpy(code + next[p->column], r->codes.v + p->set,
                   p->set_bits * sizeof *code);
            next[p->column] += p->set_bits;
        }
    status = ASC_OK;
    for (j = 0; j < d && status == ASC_OK; j++)
        if (use[j].categories && !r->dictionary[j].given)
            status = name_codes(&r->dictionary[j],
                                code + next[j] - use[j].codes, use[j].codes,
                                e);
out:
    free(code);
    free(next);
    return status;
}

static void
make_categorical(struct asc_field *f, struct dictionary *d)
{
    f->kind = ASC_CATEGORICAL;
    f->text_type = d->numbers ? ASC_TEXT_NUMBER : ASC_TEXT;
    f->categories = d->text.v;
    f->n_categories = d->text.n;
    /* XGBoost refuses a text that its dictionary lacks; it sends a number that
     * no split lists to the left. */
    f->invalid = d->given ? ASC_INVALID_ERROR : ASC_INVALID_AS_IS;
    memset(&d->text, 0, sizeof d->text);
}

static int
make_indicator(struct asc_field *f, struct asc_error *e)
{
    struct texts t = { 0 };
    int status;

    if ((status = add_text(&t, "false", 5, e)) ||
        (status = add_text(&t, "true", 4, e))) {
        free_texts(&t);
        return status;
    }
    f->kind = ASC_CATEGORICAL;
    f->text_type = ASC_TEXT_BOOLEAN;
    f->categories = t.v;
    f->n_categories = t.n;
    return ASC_OK;
}

static int
make_fields(struct reader *r, struct asc_error *e)
{
    struct asc_schema *s = &r->m->schema;
    struct use *use;
    int status;
    size_t j;

    if ((status = make_names(r, e)))
        return status;
    if (r->n_dictionaries == 0) {
        free(r->dictionary);
        r->dictionary = asci_alloc_zero(s->n, sizeof *r->dictionary, e);
        if (!r->dictionary)
            return ASC_ESYSTEM;
        r->n_dictionaries = s->n;
    }
    use = asci_alloc_zero(s->n, sizeof *use, e);
    if (!use)
        return ASC_ESYSTEM;
    if ((status = count_uses(r, use, e)) == ASC_OK)
        status = gather_codes(r, use, e);
    for (j = 0; j < s->n && status == ASC_OK; j++) {
        if (use[j].categories && use[j].thresholds)
            status = fail(r, e, "feature \"%.80s\" is split by category and "
                          "by threshold", s->field[j].name);
        else if (r->dictionary[j].given || use[j].categories)
            make_categorical(&s->field[j], &r->dictionary[j]);
        else if (is_type(r, j, "i"))
            status = make_indicator(&s->field[j], e);
    }
    free(use);
    return status;
}

static int
make_columns(struct reader *r, double missing, struct asc_error *e)
{
    asc_model *m = r->m;
    const size_t d = m->schema.n;
    size_t j;

    m->encoder.column = asci_alloc_zero(d, sizeof *m->encoder.column, e);
    if (!m->encoder.column)
        return ASC_ESYSTEM;
    m->encoder.n = d;
    for (j = 0; j < d; j++) {
        struct asci_column *c = &m->encoder.column[j];
        int status = asci_column_identity(c, j, e);

        if (status)
            return status;
        c->factor->missing = missing;
        if (m->schema.field[j].kind == ASC_CONTINUOUS)
            c->factor->single = ASCI_SINGLE_NUMBER;
    }
    return ASC_OK;
}

/* ---- trees ---- */

/* Index of a code among the categories of its field, or -1. */
static ptrdiff_t
find_code(const struct dictionary *d, size_t n, int32_t code)
{
    const int32_t *at;

    if (!d->code)
        return (size_t)code < n ? code : -1;
    at = bsearch(&code, d->code, n, sizeof code, compare_codes);
    return at ? at - d->code : -1;
}

static int
add_set(struct asci_ensemble *f, size_t words, size_t *capacity,
        struct asc_error *e)
{
    if (words == 0)
        return ASC_OK;
    if (f->n_set_words + words > *capacity) {
        size_t room = f->n_set_words + words + *capacity / 2;
        uint64_t *sets = asci_resize(f->sets, room, sizeof *sets, e);

        if (!sets)
            return ASC_ESYSTEM;
        f->sets = sets;
        *capacity = room;
    }
    memset(f->sets + f->n_set_words, 0, words * sizeof *f->sets);
    f->n_set_words += words;
    return ASC_OK;
}

/* The codes of a split as a set of categories. */
static int
make_set(struct reader *r, size_t tree, struct asci_node *p, size_t *capacity,
         struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    const size_t n = r->m->schema.field[p->column].n_categories;
    const int32_t *code = p->set_bits ? r->codes.v + p->set : NULL;
    size_t i, first = f->n_set_words, bits = 0;
    int status;

    for (i = 0; i < p->set_bits; i++) {
        const ptrdiff_t c = find_code(&r->dictionary[p->column], n, code[i]);

        if (c < 0)
            return fail(r, e, "learner.gradient_booster.model.trees[%zu]: "
                        "categories: %d of the %zu categories of \"%.80s\"",
                        tree, code[i], n,
                        r->m->schema.field[p->column].name);
        if ((size_t)c >= bits)
            bits = (size_t)c + 1;
    }
    if (first + (bits + 63) / 64 > MAX_SET_WORDS)
        return fail(r, e, "the categorical splits need more than 1 GiB");
    if ((status = add_set(f, (bits + 63) / 64, capacity, e)))
        return status;
    for (i = 0; i < p->set_bits; i++) {
        const size_t c = (size_t)find_code(&r->dictionary[p->column], n,
                                           code[i]);

        f->sets[first + c / 64] |= UINT64_C(1) << (c % 64);
    }
    p->set = (uint32_t)first;
    p->set_bits = (uint32_t)bits;
    return ASC_OK;
}

/* A threshold on codes: the set of those below it. */
static int
threshold_set(struct reader *r, struct asci_node *p, size_t *capacity,
              struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    const size_t n = r->m->schema.field[p->column].n_categories;
    const size_t first = f->n_set_words;
    size_t c;
    int status;

    if (first + (n + 63) / 64 > MAX_SET_WORDS)
        return fail(r, e, "the categorical splits need more than 1 GiB");
    if ((status = add_set(f, (n + 63) / 64, capacity, e)))
        return status;
    for (c = 0; c < n; c++)
        if ((double)c < p->threshold)
            f->sets[first + c / 64] |= UINT64_C(1) << (c % 64);
    p->test = ASCI_IN_SET;
    p->threshold = 0.0;
    p->set = (uint32_t)first;
    p->set_bits = (uint32_t)n;
    return ASC_OK;
}

static int
make_sets(struct reader *r, struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    size_t i, j, capacity = 0;
    int status = ASC_OK;

    for (j = 0; j < f->n_trees && status == ASC_OK; j++)
        for (i = 0; i < f->tree[j].n_nodes && status == ASC_OK; i++) {
            struct asci_node *p = &f->tree[j].node[i];

            if (p->test == ASCI_IN_SET)
                status = make_set(r, j, p, &capacity, e);
            else if (p->test == ASCI_LESS && r->m->schema.field[p->column]
                     .kind == ASC_CATEGORICAL)
                status = threshold_set(r, p, &capacity, e);
        }
    return status;
}

/* How many trees count: training may have stopped early. */
static int
count_trees(const struct reader *r, size_t groups, size_t *n,
            struct asc_error *e)
{
    const struct asci_integers *it = &r->iteration;
    const int64_t best = r->best_iteration.v;
    const size_t all = r->trees.n_trees;
    int64_t each = r->n_parallel.v > 1 ? r->n_parallel.v : 1;

    *n = all;
    if (r->n_trees.given && r->n_trees.v != (int64_t)all)
        return fail(r, e, "learner.gradient_booster.model: num_trees is %lld, "
                    "there are %zu trees", (long long)r->n_trees.v, all);
    if (!r->best_iteration.given || best < 0)
        return ASC_OK;
    if (it->n > 0) {
        if ((uint64_t)best + 1 < it->n) {
            const int32_t end = it->v[best + 1];

            if (end < 0 || (size_t)end > all)
                return fail(r, e, "learner.gradient_booster.model."
                            "iteration_indptr[%lld] is %d of %zu trees",
                            (long long)best + 1, end, all);
            *n = (size_t)end;
        }
        return ASC_OK;
    }
    if (all > 0 && r->trees.tree[0].width == 1)
        each *= (int64_t)groups;
    if (best < INT32_MAX && each < INT32_MAX &&
        (best + 1) * each < (int64_t)all)
        *n = (size_t)((best + 1) * each);
    return ASC_OK;
}

static void
drop_trees(struct asci_ensemble *f, size_t n)
{
    size_t j;

    for (j = n; j < f->n_trees; j++) {
        free(f->tree[j].node);
        free(f->tree[j].cover);
        free(f->tree[j].value);
    }
    f->n_trees = n;
}

/* Where the values of a tree go, and what they weigh. */
static int
place_tree(struct reader *r, size_t j, size_t groups, struct asc_error *e)
{
    struct asci_tree *t = &r->trees.tree[j];
    const int32_t group = r->tree_info.n ? r->tree_info.v[j] : 0;
    size_t i;

    if (t->width == groups) {
        t->first = 0;
    } else if (t->width != 1) {
        return fail(r, e, "learner.gradient_booster.model.trees[%zu]: its "
                    "leaves have %zu values, the model has %zu outputs", j,
                    t->width, groups);
    } else if (group < 0 || (size_t)group >= groups) {
        return fail(r, e, "learner.gradient_booster.model.tree_info[%zu] is "
                    "%d, the model has %zu outputs", j, group, groups);
    } else {
        t->first = (size_t)group;
    }
    if (r->weight_drop.n > 0)
        for (i = 0; i < t->n_leaves * t->width; i++)
            t->value[i] = (double)((float)t->value[i] * r->weight_drop.v[j]);
    return ASC_OK;
}

static int
make_trees(struct reader *r, size_t groups, struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    int status = ASC_OK;
    size_t j, n;

    if (r->tree_info.n > 0 && r->tree_info.n != f->n_trees)
        return fail(r, e, "learner.gradient_booster.model: tree_info has %zu "
                    "values, there are %zu trees", r->tree_info.n,
                    f->n_trees);
    if (r->weight_drop.n > 0 && r->weight_drop.n != f->n_trees)
        return fail(r, e, "learner.gradient_booster: weight_drop has %zu "
                    "values, there are %zu trees", r->weight_drop.n,
                    f->n_trees);
    if ((status = count_trees(r, groups, &n, e)))
        return status;
    for (j = 0; j < n && status == ASC_OK; j++)
        status = place_tree(r, j, groups, e);
    if (status || (status = make_fields(r, e)))
        return status;
    drop_trees(f, n);
    return make_sets(r, e);
}

/* ---- the model ---- */

static int
make_ensemble(struct reader *r, size_t groups, const float *margin,
              struct asc_error *e)
{
    asc_model *m = r->m;
    int status = make_trees(r, groups, e);
    size_t k;

    if (status || (status = make_columns(r, NAN, e)))
        return status;
    r->trees.base = asci_alloc(groups, sizeof *r->trees.base, e);
    if (!r->trees.base)
        return ASC_ESYSTEM;
    for (k = 0; k < groups; k++)
        r->trees.base[k] = (double)margin[k];
    r->trees.n_columns = m->encoder.n;
    r->trees.n_raw = groups;
    r->trees.scale = 1.0;
    r->trees.single = 2;
    m->form = ASC_FORM_ENSEMBLE;
    m->u.ensemble = r->trees;
    memset(&r->trees, 0, sizeof r->trees);
    return ASC_OK;
}

/* weights (n_feature + 1, groups), the last row the biases. */
static int
make_linear(struct reader *r, size_t groups, const float *margin,
            struct asc_error *e)
{
    asc_model *m = r->m;
    struct asci_linear *f = &m->u.linear;
    int status = make_fields(r, e);
    const size_t d = m->schema.n;
    size_t j, k;

    if (status)
        return status;
    if (r->linear.n / groups != d + 1 || r->linear.n % groups)
        return fail(r, e, "learner.gradient_booster.model.weights has %zu "
                    "values, want %zu for each of %zu outputs", r->linear.n,
                    d + 1, groups);
    /* XGBoost passes over what is missing: as if it were 0. */
    if ((status = make_columns(r, 0.0, e)))
        return status;
    m->form = ASC_FORM_LINEAR;
    f->n_columns = d;
    f->n_raw = groups;
    f->single = 1;
    f->w = asci_alloc(groups * d, sizeof *f->w, e);
    f->b = asci_alloc(groups, sizeof *f->b, e);
    if (!f->w || !f->b)
        return ASC_ESYSTEM;
    for (k = 0; k < groups; k++) {
        for (j = 0; j < d; j++)
            f->w[k * d + j] = (double)r->linear.v[j * groups + k];
        f->b[k] = (double)(r->linear.v[d * groups + k] + margin[k]);
    }
    return ASC_OK;
}

static int
make_model(struct reader *r, struct asc_error *e)
{
    const struct objective *o = NULL;
    const char *booster = r->booster.n ? r->booster.v[0] : "gbtree";
    float *margin;
    size_t groups = 0, k;
    int status;

    if ((status = find_objective(r, &o, e)) ||
        (status = count_groups(r, &groups, e)) ||
        (status = check_mixing(r, o, groups, e)))
        return status;
    if (r->base_score.n > 1 && r->base_score.n != groups)
        return fail(r, e, "learner.learner_model_param.base_score has %zu "
                    "values, the model has %zu outputs", r->base_score.n,
                    groups);
    margin = asci_alloc(groups, sizeof *margin, e);
    if (!margin)
        return ASC_ESYSTEM;
    for (k = 0; k < groups && status == ASC_OK; k++)
        status = base_margin(r, o, k, &margin[k], e);
    if (status == ASC_OK)
        status = make_outputs(r, o, groups, e);
    if (status == ASC_OK) {
        if (!strcmp(booster, "gblinear"))
            status = make_linear(r, groups, margin, e);
        else if (!strcmp(booster, "gbtree") || !strcmp(booster, "dart"))
            status = make_ensemble(r, groups, margin, e);
        else
            status = fail(r, e, "learner.gradient_booster.name: \"%.60s\" is "
                          "not known, want gbtree, dart or gblinear",
                          booster);
    }
    free(margin);
    return status ? status : asci_model_finish(r->m, e);
}

static void
free_reader(struct reader *r)
{
    size_t k;

    for (k = 0; k < r->n_dictionaries; k++) {
        free_texts(&r->dictionary[k].text);
        free(r->dictionary[k].code);
    }
    free(r->dictionary);
    drop_trees(&r->trees, 0);
    free(r->trees.tree);
    free(r->trees.sets);
    free(r->trees.base);
    free_texts(&r->objective);
    free_texts(&r->booster);
    free_texts(&r->name);
    free_texts(&r->type);
    free(r->base_score.v);
    free(r->version.v);
    free(r->codes.v);
    free(r->tree_info.v);
    free(r->iteration.v);
    free(r->weight_drop.v);
    free(r->linear.v);
    free(r->offsets.v);
    free(r->values.v);
    free(r->weight.v);
    free(r->leaf_weight.v);
    free(r->condition.v);
    free(r->hessian.v);
    free(r->left.v);
    free(r->right.v);
    free(r->feature.v);
    free(r->split_type.v);
    free(r->default_left.v);
    free(r->category.v);
    free(r->category_node.v);
    free(r->category_segment.v);
    free(r->category_size.v);
    free(r->order);
    free(r->place);
    asci_json_close(&r->j);
    free(r);
}

/* What asc_model_format and asc_model_algorithm tell. */
static int
name_model(struct reader *r, int binary, struct asc_error *e)
{
    const char *kind = binary ? "UBJSON" : "JSON";
    const char *booster = r->booster.n ? r->booster.v[0] : "gbtree";
    const int32_t *v = r->version.v;
    struct asc_buffer text = { 0 };
    int status;

    asc_buffer_print(&text, "%s, %s", booster, r->objective.v[0]);
    r->m->description = text.failed ? NULL
                        : asci_copy_text(text.p, text.n, e);
    asc_buffer_free(&text);
    if (!r->m->description)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    status = r->version.n == 3
             ? asci_model_set_format(r->m, e, "XGBoost %s %d.%d.%d", kind,
                                     v[0], v[1], v[2])
             : asci_model_set_format(r->m, e, "XGBoost %s", kind);
    return status;
}

/* ---- recognising ---- */

enum { HEAD = 4096, OLD_HEAD = 400 };   /* bytes that are looked at */

static const char *
skip_mark(const char *p, size_t *n)
{
    if (*n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
        p += 3;
        *n -= 3;
    }
    return p;
}

/* 1 if the piece is in the first `limit` bytes. */
static int
holds_bytes(const char *p, size_t n, size_t limit, const char *piece,
            size_t n_piece)
{
    size_t i;

    if (n > limit)
        n = limit;
    for (i = 0; i + n_piece <= n; i++)
        if (!memcmp(p + i, piece, n_piece))
            return 1;
    return 0;
}

static int
holds(const char *p, size_t n, const char *text)
{
    return holds_bytes(p, n, HEAD, text, strlen(text));
}

/* 0 no, 1 JSON, 2 UBJSON: an object, whose first key is behind a length. */
static int
notation(const char *p, size_t n)
{
    p = skip_mark(p, &n);
    if (n > 1 && *p == '{' && p[1] && strchr("iUIlL$#", p[1]))
        return 2;
    while (n > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
        n--;
    }
    return n > 0 && *p == '{';
}

int
asci_xgboost_looks(const char *p, size_t n)
{
    switch (notation(p, n)) {
    case 1:
        return holds(p, n, "\"learner\"") || holds(p, n, "\"Model\"") ||
               holds(p, n, "\"gradient_booster\"");
    case 2:
        return holds(p, n, "learner");
    default:
        return 0;
    }
}

/* The old binary format: a block of fixed size that begins with base_score, or
 * with "binf", then the names of objective and booster behind their lengths.
 * bs64: the same in letters. */
static int
old_binary(const char *p, size_t n)
{
    static const char *const booster[] = { "gbtree", "gblinear", "dart" };
    size_t i;

    if (n >= 5 && (!memcmp(p, "binf", 4) || !memcmp(p, "bs64\t", 5)))
        return 1;
    for (i = 0; i < 3; i++) {
        const size_t length = strlen(booster[i]);
        char text[16] = { (char)length };

        memcpy(text + 8, booster[i], length);
        if (holds_bytes(p, n, OLD_HEAD, text, 8 + length))
            return 1;
    }
    return 0;
}

/* What dump_model writes. */
static int
dump(const char *p, size_t n)
{
    if (n >= 11 && (!memcmp(p, "booster[0]:", 11)))
        return 1;
    return n > 0 && *p == '[' && holds(p, n, "\"nodeid\"");
}

int
asci_xgboost_refused(const char *p, size_t n)
{
    return old_binary(p, n) || dump(p, n);
}

asc_model *
asci_xgboost_refuse(const char *path, const char *bytes, size_t n,
                    struct asc_error *e)
{
    if (dump(bytes, n))
        asc_fail(e, ASC_EINPUT, "%s: a dump of XGBoost's trees, which lacks "
                 "the objective and the base score: save the model itself, "
                 "as JSON (save_model(\"model.json\"))", path);
    else
        asc_fail(e, ASC_EINPUT, "%s: an XGBoost model in the old binary "
                 "format: save it as JSON (load it with XGBoost 1.x to 3.0, "
                 "then save_model(\"model.json\"))", path);
    return NULL;
}

asc_model *
asci_xgboost_read(const char *path, const char *bytes, size_t n,
                  struct asc_error *e)
{
    struct reader *r = asci_alloc_zero(1, sizeof *r, e);
    asc_model *m;
    int binary;

    if (!r)
        return NULL;
    m = r->m = asci_model_new(path, e);
    if (!m) {
        free(r);
        return NULL;
    }
    bytes = skip_mark(bytes, &n);
    binary = notation(bytes, n) == 2;
    asci_json_open(&r->j, path, bytes, n, binary);
    if (read_document(r, e) != ASC_OK || make_model(r, e) != ASC_OK ||
        name_model(r, binary, e) != ASC_OK) {
        asc_model_free(m);
        m = NULL;
    }
    free_reader(r);
    return m;
}
