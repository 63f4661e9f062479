/* fit/gbm_tree.c -- one tree of gbm: its splits on histograms.
 *
 * With G, H the sums of gradients and curvatures in a node, lambda and gamma
 * penalties (Chen and Guestrin 2016, eq. 6 and 7):
 *
 *     leaf value  - rate G / (H + lambda)
 *     gain        1/2 (GL^2/(HL+lambda) + GR^2/(HR+lambda) - G^2/(H+lambda))
 *                 - gamma, split while it is above 0
 *
 * Numbers: bins of bins.c; the threshold lies halfway between the values on
 * either side of it that the node has.  Categories: ordered by G/H in the
 * node, then cut; no other division into two sets has more gain (Fisher 1958;
 * here because the gain is convex in (GL, HL)).  Missing values, and
 * categories of which the node has too few rows, go together the way that
 * gains more, the known against them being one of the splits; where a node has
 * none, they and unseen categories go the way of the larger weight.  Covers
 * are sums of the weights of all rows that are not held out.
 *
 * The histogram of the larger child is its parent's less that of the smaller
 * one, so that a level costs about n/2 d additions.  Depth-first, so that
 * depth + 1 histograms are alive.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/gbm.h"

/* ---- arrays of the model that grow ---- */

int
asci_gbm_room(void **p, size_t n, size_t *capacity, size_t size,
              struct asc_error *e)
{
    const size_t larger = *capacity ? 2 * *capacity : 16;
    void *q;

    if (n < *capacity)
        return ASC_OK;
    q = asci_resize(*p, larger, size, e);
    if (!q)
        return ASC_ESYSTEM;
    *p = q;
    *capacity = larger;
    return ASC_OK;
}

static int
new_node(struct gbm_job *o, uint32_t *node, struct asc_error *e)
{
    struct asci_tree *tree = o->tree;
    size_t capacity = o->node_capacity;
    void *nodes = tree->node, *covers = tree->cover;
    int status;

    status = asci_gbm_room(&covers, tree->n_nodes, &capacity,
                           sizeof *tree->cover, e);
    tree->cover = covers;
    if (status)
        return status;
    status = asci_gbm_room(&nodes, tree->n_nodes, &o->node_capacity,
                           sizeof *tree->node, e);
    tree->node = nodes;
    if (status)
        return status;
    *node = (uint32_t)tree->n_nodes++;
    memset(&tree->node[*node], 0, sizeof *tree->node);
    return ASC_OK;
}

/* ---- histograms ---- */

static struct cell *
take_slot(struct gbm_job *o, struct asc_error *e)
{
    if (o->n_slots > 0)
        return o->slots[--o->n_slots];
    return asci_alloc(o->offset[o->d], sizeof(struct cell), e);
}

static void
give_slot(struct gbm_job *o, struct cell *cells)
{
    if (cells)
        o->slots[o->n_slots++] = cells;
}

#define ADD_ROWS(code)                                                  \
    for (i = 0; i < n; i++) {                                           \
        struct cell *c = &cells[(code)[row[i]]];                        \
                                                                        \
        c->g += slope[i].g;                                             \
        c->h += slope[i].h;                                             \
        c->w += slope[i].w;                                             \
        c->n++;                                                         \
    }

static void
fill(const struct gbm_job *o, size_t from, size_t to, struct cell *all)
{
    const uint32_t *row = o->row + from;
    const size_t n = to - from;
    const struct slope *slope = o->near;
    size_t a, i;

    for (i = 0; i < n; i++)
        o->near[i] = o->slope[row[i]];
    for (a = 0; a < o->n_active; a++) {
        const size_t j = o->active[a];
        struct cell *cells = all + o->offset[j];

        memset(cells, 0, (o->bins[j].n_bins + 1) * sizeof *cells);
        if (o->bins[j].narrow)
            ADD_ROWS(o->bins[j].narrow)
        else
            ADD_ROWS(o->bins[j].wide)
    }
}

/* a -= b; what holds no row is 0, without a rest of rounding. */
static void
subtract(const struct gbm_job *o, struct cell *a, const struct cell *b)
{
    size_t k, j, c;

    for (k = 0; k < o->n_active; k++) {
        j = o->active[k];
        for (c = o->offset[j]; c < o->offset[j + 1]; c++) {
            a[c].g -= b[c].g;
            a[c].h -= b[c].h;
            a[c].w -= b[c].w;
            a[c].n -= b[c].n;
            if (a[c].n == 0)
                a[c].g = a[c].h = a[c].w = 0.0;
        }
    }
}

/* ---- the best split of a node ---- */

static double
strength(const struct gbm_job *o, double g, double h)
{
    const double sum = h + o->s->value[LAMBDA];

    return sum > 0.0 ? g * g / sum : 0.0;
}

/* A split with sums g, h on the yes side, if it is better than *best. */
static void
consider(const struct gbm_job *o, const struct open_node *v, struct split *best,
         double parent, double g, double h, size_t field, size_t cut,
         int missing_yes)
{
    const double no_g = v->sum.g - g, no_h = v->sum.h - h;
    double both, gain;

    if (!(h >= o->least) || !(no_h >= o->least))
        return;
    both = strength(o, g, h) + strength(o, no_g, no_h);
    gain = 0.5 * (both - parent) - o->s->value[GAMMA];
    /* what rounding leaves of nothing is no gain */
    if (gain <= best->gain || gain <= 1e-10 * both)
        return;
    best->gain = gain;
    best->field = field;
    best->cut = cut;
    best->missing_yes = missing_yes;
}

static int
compare_ranked(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;

    if (a->ratio != b->ratio)
        return a->ratio < b->ratio ? -1 : 1;
    return a->category < b->category ? -1 : a->category > b->category;
}

/* The bins that may be cut, in the order in which they may be: as they are,
 * or for categories by G/H.  Goes to o->rank; how many.  *missing: what has no
 * place in that order, the missing values and categories with too few rows
 * for their G/H to mean anything. */
static size_t
order_bins(const struct gbm_job *o, const struct asci_bins *b,
           const struct cell *cells, struct cell *missing)
{
    const double least = b->categorical ? o->s->value[MIN_CATEGORY] : 0.0;
    size_t c, n = 0;

    *missing = cells[b->n_bins];
    for (c = 0; c < b->n_bins; c++) {
        if (cells[c].n == 0)
            continue;
        if (cells[c].w < least) {
            missing->g += cells[c].g;
            missing->h += cells[c].h;
            missing->w += cells[c].w;
            missing->n += cells[c].n;
            continue;
        }
        o->rank[n] = c;
        o->ranked[n].category = c;
        o->ranked[n++].ratio = cells[c].h > 0.0 ? cells[c].g / cells[c].h
                                                : 0.0;
    }
    if (b->categorical) {
        qsort(o->ranked, n, sizeof *o->ranked, compare_ranked);
        for (c = 0; c < n; c++)
            o->rank[c] = o->ranked[c].category;
    }
    return n;
}

static void
search_field(const struct gbm_job *o, const struct open_node *v, size_t j,
             struct split *best)
{
    const struct cell *cells = v->cells + o->offset[j];
    const double parent = strength(o, v->sum.g, v->sum.h);
    double yes_g = 0.0, yes_h = 0.0;
    struct cell missing;
    const size_t n = order_bins(o, &o->bins[j], cells, &missing);
    size_t i;

    for (i = 0; i < n; i++) {
        const struct cell *c = &cells[o->rank[i]];

        yes_g += c->g;
        yes_h += c->h;
        if (i + 1 < n)
            consider(o, v, best, parent, yes_g, yes_h, j, i + 1, 0);
        else if (missing.n > 0)
            consider(o, v, best, parent, v->sum.g - missing.g,
                     v->sum.h - missing.h, j, n, 0);
        if (i + 1 < n && missing.n > 0)
            consider(o, v, best, parent, yes_g + missing.g,
                     yes_h + missing.h, j, i + 1, 1);
    }
}

/* ---- growing ---- */

static size_t
code_of(const struct asci_bins *b, size_t i)
{
    return b->narrow ? b->narrow[i] : b->wide[i];
}

/* Puts rows whose side is yes first, each part in its order: where the second
 * part begins. */
static size_t
part(const struct gbm_job *o, const struct asci_bins *b, uint32_t *row,
     size_t from, size_t to)
{
    size_t i, at = from, kept = 0;

    for (i = from; i < to; i++)
        if (o->side[code_of(b, row[i])])
            row[at++] = row[i];
        else
            o->spare[kept++] = row[i];
    if (kept)
        memcpy(row + at, o->spare, kept * sizeof *row);
    return at;
}

static double
weigh(const struct gbm_job *o, const uint32_t *row, size_t from, size_t to)
{
    double sum = 0.0;
    size_t i;

    for (i = from; i < to; i++)
        sum += o->w[row[i]];
    return sum;
}

static struct slope
add_up(const struct gbm_job *o, size_t from, size_t to)
{
    struct slope sum = { 0.0, 0.0, 0.0 };
    size_t i;

    for (i = from; i < to; i++) {
        sum.g += o->slope[o->row[i]].g;
        sum.h += o->slope[o->row[i]].h;
        sum.w += o->slope[o->row[i]].w;
    }
    return sum;
}

/* The set of categories on the yes side, as bits at the end of the model's
 * sets. */
static int
write_set(struct gbm_job *o, struct asci_node *p, size_t n_categories,
          struct asc_error *e)
{
    struct asci_ensemble *f = &o->m->u.ensemble;
    const size_t words = (n_categories + 63) / 64, first = f->n_set_words;
    void *sets = f->sets;
    size_t c;
    int status;

    if (first + words > UINT32_MAX)
        return asc_fail(e, ASC_EUSAGE, "gbm: the sets of categories are too "
                        "large: leave out fields with very many categories");
    while (f->n_set_words < first + words) {
        status = asci_gbm_room(&sets, f->n_set_words, &o->set_capacity,
                               sizeof *f->sets, e);
        f->sets = sets;
        if (status)
            return status;
        f->sets[f->n_set_words++] = 0;
    }
    for (c = 0; c < n_categories; c++)
        if (o->side[c])
            f->sets[first + c / 64] |= (uint64_t)1 << (c % 64);
    p->set = (uint32_t)first;
    p->set_bits = (uint32_t)n_categories;
    return ASC_OK;
}

/* Fills o->side for the bins that were cut, and the threshold of a number's
 * test.  Returns how many rows of the node have none of these bins. */
static uint64_t
take_sides(struct gbm_job *o, const struct open_node *v,
           const struct split *best, double *threshold)
{
    const struct asci_bins *b = &o->bins[best->field];
    const struct cell *cells = v->cells + o->offset[best->field];
    struct cell missing;
    const size_t n = order_bins(o, b, cells, &missing);
    size_t i;

    memset(o->side, best->missing_yes, b->n_bins + 1);
    for (i = 0; i < n; i++)
        o->side[o->rank[i]] = i < best->cut;
    *threshold = 0.0;
    if (b->categorical)
        return missing.n;
    *threshold = DBL_MAX;
    if (best->cut < n) {
        const size_t low = o->rank[best->cut - 1], high = o->rank[best->cut];

        *threshold = asci_fit_halfway(b->high[low], b->low[high]);
        /* not within a bin, which is all on one side */
        for (i = low + 1; i < high; i++)
            if (b->low[i] < *threshold && *threshold <= b->high[i])
                *threshold = asci_fit_halfway(b->high[i], b->low[i + 1]);
    }
    for (i = 0; i < b->n_bins; i++)
        o->side[i] = b->low[i] < *threshold;
    return missing.n;
}

static struct open_node
child_of(const struct open_node *v, size_t from, size_t to, size_t out_from,
         size_t out_to)
{
    struct open_node child = { 0 };

    child.from = from;
    child.to = to;
    child.out_from = out_from;
    child.out_to = out_to;
    child.depth = v->depth + 1;
    return child;
}

static int
split_node(struct gbm_job *o, struct open_node *v, const struct split *best,
           struct open_node child[2], struct asc_error *e)
{
    const struct asci_bins *b = &o->bins[best->field];
    const struct cell *cells = v->cells + o->offset[best->field];
    double threshold;
    const int has_missing = take_sides(o, v, best, &threshold) > 0;
    const size_t at = part(o, b, o->row, v->from, v->to);
    struct asci_node *p;
    size_t out_at, c;
    int status, heavier;

    if (!has_missing) {
        heavier = weigh(o, o->row, v->from, at) >=
                  weigh(o, o->row, at, v->to);
        o->side[b->n_bins] = (unsigned char)heavier;
        for (c = 0; b->categorical && c < b->n_bins; c++)
            if (cells[c].n == 0)
                o->side[c] = (unsigned char)heavier;
    }
    out_at = part(o, b, o->out, v->out_from, v->out_to);
    child[0] = child_of(v, v->from, at, v->out_from, out_at);
    child[1] = child_of(v, at, v->to, out_at, v->out_to);
    for (c = 0; c < 2; c++) {
        child[c].sum = add_up(o, child[c].from, child[c].to);
        if ((status = new_node(o, &child[c].node, e)))
            return status;
    }
    p = &o->tree->node[v->node];
    p->test = b->categorical ? ASCI_IN_SET : ASCI_LESS;
    p->threshold = threshold;
    p->column = (uint32_t)best->field;
    p->yes = child[0].node;
    p->no = child[1].node;
    p->missing = o->side[b->n_bins] ? p->yes : p->no;
    return b->categorical ? write_set(o, p, b->n_bins, e) : ASC_OK;
}

/* Whether a node may be split at all. */
static int
may_split(const struct gbm_job *o, const struct open_node *v)
{
    return v->depth < (unsigned)o->s->value[DEPTH] && v->to - v->from > 1 &&
           v->sum.h >= 2.0 * o->least;
}

/* Histograms of two children out of that of their parent, which is used up:
 * the larger child's is what the smaller one leaves. */
static int
share_cells(struct gbm_job *o, struct open_node *v, struct open_node child[2],
            struct asc_error *e)
{
    const int first_small = child[0].to - child[0].from <=
                            child[1].to - child[1].from;
    struct open_node *small = &child[first_small ? 0 : 1];
    struct open_node *large = &child[first_small ? 1 : 0];
    const int small_may = may_split(o, small), large_may = may_split(o, large);

    if (small_may || large_may) {
        small->cells = take_slot(o, e);
        if (!small->cells)
            return ASC_ESYSTEM;
        fill(o, small->from, small->to, small->cells);
    }
    if (large_may) {
        large->cells = v->cells;
        v->cells = NULL;
        subtract(o, large->cells, small->cells);
    }
    if (small->cells && !small_may) {
        give_slot(o, small->cells);
        small->cells = NULL;
    }
    return ASC_OK;
}

static int
close_node(struct gbm_job *o, const struct open_node *v, double *score,
           struct asc_error *e)
{
    struct asci_tree *tree = o->tree;
    const double sum = v->sum.h + o->s->value[LAMBDA];
    const double leaf = sum > 0.0 ? -o->s->value[RATE] * v->sum.g / sum : 0.0;
    void *values = tree->value;
    size_t i;
    int status;

    status = asci_gbm_room(&values, tree->n_leaves, &o->leaf_capacity,
                           sizeof *tree->value, e);
    tree->value = values;
    if (status)
        return status;
    tree->node[v->node].test = ASCI_LEAF;
    tree->node[v->node].leaf = (uint32_t)tree->n_leaves;
    tree->value[tree->n_leaves++] = leaf;
    tree->cover[v->node] = weigh(o, o->row, v->from, v->to) +
                           weigh(o, o->out, v->out_from, v->out_to);
    for (i = v->from; i < v->to; i++)
        score[o->row[i]] += leaf;
    for (i = v->out_from; i < v->out_to; i++)
        score[o->out[i]] += leaf;
    return ASC_OK;
}

/* Splits v and puts its children on the stack, or makes it a leaf. */
static int
grow_node(struct gbm_job *o, struct open_node *v, double *score,
          struct asc_error *e)
{
    struct split best = { 0 };
    struct open_node child[2];
    size_t a;
    int status;

    for (a = 0; v->cells && a < o->n_active; a++)
        search_field(o, v, o->active[a], &best);
    if (!(best.gain > 0.0))
        return close_node(o, v, score, e);
    if ((status = split_node(o, v, &best, child, e)))
        return status;
    status = share_cells(o, v, child, e);
    o->stack[o->n_stack++] = child[1];
    o->stack[o->n_stack++] = child[0];
    return status;
}

int
asci_gbm_grow(struct gbm_job *o, double *score, struct asc_error *e)
{
    struct open_node root = { .to = o->n_row, .out_to = o->n_out };
    const double share = 1e-9;
    struct asci_tree *tree = o->tree;
    int status;
    size_t i;

    o->node_capacity = o->leaf_capacity = 0;
    root.sum = add_up(o, 0, o->n_row);
    /* a child must have more than the rounding of the sums */
    o->least = o->s->value[MIN_CHILD];
    if (o->least < share * root.sum.h)
        o->least = share * root.sum.h;
    if ((status = new_node(o, &root.node, e)))
        return status;
    if (may_split(o, &root)) {
        root.cells = take_slot(o, e);
        if (!root.cells)
            return ASC_ESYSTEM;
        fill(o, 0, o->n_row, root.cells);
    }
    o->stack[0] = root;
    o->n_stack = 1;
    while (o->n_stack > 0 && !status) {
        struct open_node v = o->stack[--o->n_stack];

        status = grow_node(o, &v, score, e);
        give_slot(o, v.cells);
    }
    while (o->n_stack > 0)
        give_slot(o, o->stack[--o->n_stack].cells);
    if (status)
        return status;
    for (i = tree->n_nodes; i-- > 0;)
        if (tree->node[i].test != ASCI_LEAF)
            tree->cover[i] = tree->cover[tree->node[i].yes] +
                             tree->cover[tree->node[i].no];
    return ASC_OK;
}
