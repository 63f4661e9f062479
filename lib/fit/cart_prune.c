/* fit/cart_prune.c -- minimal cost-complexity pruning (Breiman, Friedman,
 * Olshen and Stone 1984, sec. 3.3 and 10.2).
 *
 * With R the loss of a node's rows if it were a leaf, R(T) that of the leaves
 * of the branch T below it, a branch is worth its leaves as long as the
 * complexity parameter is under
 *
 *     g = (R - R(T)) / (leaves of T - 1)
 *
 * The branch with the smallest g is cut off, which changes g of all above it,
 * until the root is left.  Branches that differ from the last g by rounding
 * alone go with it.  What comes out is g of a unit of weight.  A heap finds the
 * smallest: n log n, and as many steps for each cut as there are nodes above
 * it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/cart.h"

double
asci_cart_risk(const struct asci_cart_table *c, const double *stat,
               enum asci_cart_loss loss)
{
    double weight, most = 0.0, squares = 0.0;
    size_t i;

    if (c->k == 0)
        return stat[2];
    weight = asci_cart_weight(c, stat);
    for (i = 0; i < c->k; i++) {
        squares += stat[i] * (stat[i] / weight);
        if (stat[i] > most)
            most = stat[i];
    }
    return weight - (loss == ASCI_CART_BRIER ? squares : most);
}

struct pruner {
    const struct asci_cart_tree *t;
    uint32_t *parent;           /* (n_nodes) of the root: itself */
    double *risk, *below;       /* (n_nodes) as a leaf; of the branch */
    double *g;                  /* (n_nodes) */
    size_t *leaves;             /* (n_nodes) of the branch; 1: none is left */
    uint32_t *heap;             /* (n) branches, smallest g first */
    size_t *place;              /* (n_nodes) in the heap */
    size_t n;
    uint32_t *stack;            /* (n_nodes) */
};

static int
before(const struct pruner *o, uint32_t a, uint32_t b)
{
    return o->g[a] != o->g[b] ? o->g[a] < o->g[b] : a < b;
}

static void
put(struct pruner *o, size_t at, uint32_t node)
{
    o->heap[at] = node;
    o->place[node] = at;
}

/* Moves the heap's entry at `at` to where it belongs. */
static void
settle(struct pruner *o, size_t at)
{
    const uint32_t node = o->heap[at];
    size_t next;

    while (at > 0 && before(o, node, o->heap[(at - 1) / 2])) {
        put(o, at, o->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    while ((next = 2 * at + 1) < o->n) {
        if (next + 1 < o->n && before(o, o->heap[next + 1], o->heap[next]))
            next++;
        if (!before(o, o->heap[next], node))
            break;
        put(o, at, o->heap[next]);
        at = next;
    }
    put(o, at, node);
}

static void
take_out(struct pruner *o, uint32_t node)
{
    const size_t at = o->place[node];

    put(o, at, o->heap[--o->n]);
    if (at < o->n)
        settle(o, at);
}

static int
has_branch(const struct pruner *o, uint32_t node)
{
    return o->leaves[node] > 1;
}

/* The branch's leaves and loss from those of its two parts. */
static void
sum_up(struct pruner *o, uint32_t node)
{
    const struct asci_node *p = &o->t->node[node];

    o->leaves[node] = o->leaves[p->yes] + o->leaves[p->no];
    o->below[node] = o->below[p->yes] + o->below[p->no];
    o->g[node] = (o->risk[node] - o->below[node]) /
                 (double)(o->leaves[node] - 1);
}

/* Cuts off the branch below `node`. */
static void
cut_off(struct pruner *o, uint32_t node, double alpha, double *out)
{
    const struct asci_node *node_of = o->t->node;
    size_t depth = 1;
    uint32_t i;

    o->stack[0] = node;
    while (depth > 0) {
        i = o->stack[--depth];
        if (!has_branch(o, i))
            continue;
        take_out(o, i);
        o->leaves[i] = 1;
        out[i] = alpha;
        o->stack[depth++] = node_of[i].yes;
        o->stack[depth++] = node_of[i].no;
    }
    o->below[node] = o->risk[node];
    for (i = node; o->parent[i] != i;) {
        i = o->parent[i];
        sum_up(o, i);
        settle(o, o->place[i]);
    }
}

static int
prepare(struct pruner *o, const struct asci_cart_table *c,
        enum asci_cart_loss loss, struct asc_error *e)
{
    const struct asci_cart_tree *t = o->t;
    const size_t n = t->n_nodes;
    size_t i;

    o->parent = asci_alloc_zero(n, sizeof *o->parent, e);
    o->risk = asci_alloc(n, sizeof *o->risk, e);
    o->below = asci_alloc(n, sizeof *o->below, e);
    o->g = asci_alloc(n, sizeof *o->g, e);
    o->leaves = asci_alloc(n, sizeof *o->leaves, e);
    o->heap = asci_alloc(n, sizeof *o->heap, e);
    o->place = asci_alloc(n, sizeof *o->place, e);
    o->stack = asci_alloc(n, sizeof *o->stack, e);
    if (!o->parent || !o->risk || !o->below || !o->g || !o->leaves ||
        !o->heap || !o->place || !o->stack)
        return ASC_ESYSTEM;
    for (i = n; i-- > 0;) {
        o->risk[i] = asci_cart_risk(c, t->stat + i * t->width, loss);
        o->below[i] = o->risk[i];
        o->leaves[i] = 1;
        if (t->node[i].test == ASCI_LEAF)
            continue;
        o->parent[t->node[i].yes] = o->parent[t->node[i].no] = (uint32_t)i;
        sum_up(o, (uint32_t)i);
        put(o, o->n++, (uint32_t)i);
        settle(o, o->n - 1);
    }
    return ASC_OK;
}

static void
pruner_free(struct pruner *o)
{
    free(o->stack);
    free(o->place);
    free(o->heap);
    free(o->leaves);
    free(o->g);
    free(o->below);
    free(o->risk);
    free(o->parent);
}

int
asci_cart_weakest(const struct asci_cart_table *c,
                  const struct asci_cart_tree *t, enum asci_cart_loss loss,
                  double *alpha, struct asc_error *e)
{
    struct pruner o = { .t = t };
    int status = prepare(&o, c, loss, e);
    double now = 0.0, slack, weight;
    size_t i;

    if (status)
        goto out;
    slack = 1e-12 * o.risk[0];
    weight = asci_cart_weight(c, t->stat);
    for (i = 0; i < t->n_nodes; i++)
        alpha[i] = -INFINITY;
    while (o.n > 0) {
        const uint32_t node = o.heap[0];

        if (o.g[node] > now + slack)
            now = o.g[node];
        cut_off(&o, node, now / weight, alpha);
    }
out:
    pruner_free(&o);
    return status;
}
