/* fit/cart_model.c -- grown trees as an ensemble of the model: each adds its
 * leaves' class shares, or means, to the outputs.  Covers are weights of the
 * rows that it was grown on, so that the mean of a tree's leaves by cover is
 * that of its rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/cart.h"

uint32_t
asci_cart_child(const struct asci_cart_table *c,
                const struct asci_cart_tree *t, uint32_t node, size_t i)
{
    const struct asci_node *p = &t->node[node];
    const double x = c->t->x[c->order[i] * c->d + p->column];
    size_t bit;

    if (isnan(x))
        return p->missing;
    if (p->test == ASCI_LESS)
        return x < p->threshold ? p->yes : p->no;
    if (p->test == ASCI_LESS_EQUAL)
        return x <= p->threshold ? p->yes : p->no;
    bit = (size_t)x;
    return t->set[p->set + bit / 64] >> bit % 64 & 1 ? p->yes : p->no;
}

/* Each class is a raw output of its own, the probability itself. */
static void
make_outputs(asc_model *m)
{
    size_t k;

    if (!m->classifier)
        return;
    for (k = 0; k < m->n_outputs; k++) {
        m->output[k].raw = k;
        m->output[k].sign = 1.0;
        m->output[k].complement = 0;
    }
    m->n_raw = m->n_outputs;
    m->link = ASCI_LINK_NONE;
}

int
asci_cart_model_init(struct asci_cart_model *o, asc_model *m,
                     const struct asci_cart_table *c, struct asc_error *e)
{
    struct asci_ensemble *f = &m->u.ensemble;
    struct asci_encoder *en = &m->encoder;
    size_t j;

    memset(o, 0, sizeof *o);
    o->m = m;
    make_outputs(m);
    m->form = ASC_FORM_ENSEMBLE;
    f->n_columns = c->d;
    f->n_raw = m->n_raw;
    f->scale = 1.0;
    f->base = asci_alloc_zero(f->n_raw, sizeof *f->base, e);
    en->column = asci_alloc_zero(c->d, sizeof *en->column, e);
    if (!f->base || !en->column)
        return ASC_ESYSTEM;
    en->n = c->d;
    for (j = 0; j < c->d; j++)
        if (asci_column_identity(&en->column[j], j, e))
            return ASC_ESYSTEM;
    return ASC_OK;
}

static int
is_leaf(const struct asci_cart_tree *t, const unsigned char *leaf, size_t i)
{
    return t->node[i].test == ASCI_LEAF || (leaf && leaf[i]);
}

/* order (n_nodes): the nodes that stay, each before what is below it, the yes
 * side first; place (n_nodes): where each is in that order.  stack (n_nodes).
 * How many, and how many leaves. */
static size_t
list_nodes(const struct asci_cart_tree *t, const unsigned char *leaf,
           uint32_t *order, uint32_t *place, uint32_t *stack,
           size_t *n_leaves)
{
    size_t n = 0, depth = 1;

    *n_leaves = 0;
    stack[0] = 0;
    while (depth > 0) {
        const uint32_t i = stack[--depth];

        place[i] = (uint32_t)n;
        order[n++] = i;
        if (is_leaf(t, leaf, i)) {
            ++*n_leaves;
            continue;
        }
        stack[depth++] = t->node[i].no;
        stack[depth++] = t->node[i].yes;
    }
    return n;
}

/* The set at the end of the model's sets. */
static int
add_set(struct asci_cart_model *o, const struct asci_cart_tree *t,
        struct asci_node *p, struct asc_error *e)
{
    struct asci_ensemble *f = &o->m->u.ensemble;
    const size_t words = ((size_t)p->set_bits + 63) / 64;
    size_t room = o->room_sets ? o->room_sets : 64;
    uint64_t *sets;

    if (f->n_set_words + words > UINT32_MAX)
        return asc_fail(e, ASC_EUSAGE, "%s: the sets of categories are too "
                        "large: leave out fields with very many categories",
                        o->m->name);
    while (room < f->n_set_words + words)
        room *= 2;
    if (room > o->room_sets) {
        sets = asci_resize(f->sets, room, sizeof *sets, e);
        if (!sets)
            return ASC_ESYSTEM;
        f->sets = sets;
        o->room_sets = room;
    }
    memcpy(f->sets + f->n_set_words, t->set + p->set, words * sizeof *f->sets);
    p->set = (uint32_t)f->n_set_words;
    f->n_set_words += words;
    return ASC_OK;
}

static int
fill_tree(struct asci_cart_model *o, const struct asci_cart_table *c,
          const struct asci_cart_tree *t, const unsigned char *leaf,
          const uint32_t *order, const uint32_t *place,
          struct asci_tree *out, struct asc_error *e)
{
    size_t i, n_leaves = 0;
    int status;

    for (i = 0; i < out->n_nodes; i++) {
        const struct asci_node *from = &t->node[order[i]];
        const double *stat = t->stat + order[i] * t->width;
        struct asci_node *p = &out->node[i];

        memset(p, 0, sizeof *p);
        out->cover[i] = asci_cart_weight(c, stat);
        if (is_leaf(t, leaf, order[i])) {
            p->test = ASCI_LEAF;
            p->leaf = (uint32_t)n_leaves;
            asci_cart_value(c, stat, out->value + n_leaves++ * out->width);
            continue;
        }
        *p = *from;
        p->yes = place[from->yes];
        p->no = place[from->no];
        p->missing = place[from->missing];
        if (p->test == ASCI_IN_SET && (status = add_set(o, t, p, e)))
            return status;
    }
    return ASC_OK;
}

int
asci_cart_add(struct asci_cart_model *o, const struct asci_cart_table *c,
              const struct asci_cart_tree *t, const unsigned char *leaf,
              struct asc_error *e)
{
    struct asci_ensemble *f = &o->m->u.ensemble;
    uint32_t *work = asci_alloc(t->n_nodes, 3 * sizeof *work, e);
    uint32_t *place = work ? work + t->n_nodes : NULL;
    struct asci_tree *out;
    void *trees = f->tree;
    int status = ASC_ESYSTEM;

    if (!work)
        return ASC_ESYSTEM;
    if (f->n_trees == o->room_trees) {
        const size_t larger = o->room_trees ? 2 * o->room_trees : 1;

        trees = asci_resize(f->tree, larger, sizeof *f->tree, e);
        if (!trees)
            goto out;
        f->tree = trees;
        o->room_trees = larger;
    }
    out = &f->tree[f->n_trees++];
    memset(out, 0, sizeof *out);
    out->width = f->n_raw;
    out->n_nodes = list_nodes(t, leaf, work, place, place + t->n_nodes,
                              &out->n_leaves);
    out->node = asci_alloc(out->n_nodes, sizeof *out->node, e);
    out->cover = asci_alloc(out->n_nodes, sizeof *out->cover, e);
    out->value = asci_alloc(out->n_leaves, out->width * sizeof *out->value,
                            e);
    if (out->node && out->cover && out->value)
        status = fill_tree(o, c, t, leaf, work, place, out, e);
out:
    free(work);
    return status;
}
