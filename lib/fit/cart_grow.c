/* fit/cart_grow.c -- growing a tree: node by node, each divided in two by the
 * split that gains most (Breiman, Friedman, Olshen and Stone 1984), until its
 * rows are alike, too few, or no split gains.
 *
 * A row whose value is missing goes where missing values gained more in the
 * node; a node that had none sends them, and categories that it did not see,
 * the way of the larger weight.  Thresholds lie halfway between two values of
 * the node.
 *
 * With several threads, fields are searched side by side while nodes are
 * large, then branches are grown side by side: a branch depends on its rows
 * alone, so that the tree is the same.
 *
 * Cost: a look at each row and field for every level; depth-first, 60 bytes a
 * row besides the ranks, and some 100 a node.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/cart.h"

enum {
    SIDE_BY_SIDE = 1 << 18,     /* values of a node that are worth threads */
    BRANCHES = 16               /* of about equal size, for each thread */
};

struct open_node {
    size_t from, n;             /* in space->row */
    size_t depth;
    uint32_t node;
};

struct open_nodes {
    struct open_node *v;
    size_t n, room;
};

/* Who grows a tree, or a branch of one. */
struct grower {
    const struct asci_cart_table *c;
    const struct asci_cart_options *o;
    struct asci_cart_space *s;
    struct asci_cart_scratch *scratch;
    struct asci_cart_tree *t;
    struct open_nodes open;
    struct open_nodes *branches;        /* nodes of at most `small` rows go
                                           here, if wanted */
    size_t small;
    double least;               /* gain that a split must have */
    unsigned char *side;        /* (most codes + 1) */
    size_t *field;              /* (d) all, in the order of the last draw */
    struct asci_cart_split *split;      /* (d) */
};

/* ---- room ---- */

void
asci_cart_space_free(struct asci_cart_space *s)
{
    unsigned i;

    for (i = 0; s->scratch && i < s->threads; i++)
        asci_cart_scratch_free(s->scratch[i]);
    if (s->scratch)
        pthread_mutex_destroy(&s->lock);
    free(s->scratch);
    free(s->near);
    free(s->spare);
    free(s->count);
    free(s->w);
    free(s->row);
    memset(s, 0, sizeof *s);
}

int
asci_cart_space_init(struct asci_cart_space *s,
                     const struct asci_cart_table *c, unsigned threads,
                     struct asc_error *e)
{
    unsigned i;

    memset(s, 0, sizeof *s);
    s->threads = threads;
    s->row = asci_alloc(c->n, sizeof *s->row, e);
    s->w = asci_alloc(c->n, sizeof *s->w, e);
    s->count = asci_alloc(c->n, sizeof *s->count, e);
    s->spare = asci_alloc(c->n, sizeof *s->spare, e);
    s->near = asci_alloc(c->n, sizeof *s->near, e);
    if (!s->row || !s->w || !s->count || !s->spare || !s->near)
        return ASC_ESYSTEM;
    s->scratch = asci_alloc_zero(threads, sizeof *s->scratch, e);
    if (!s->scratch)
        return ASC_ESYSTEM;
    pthread_mutex_init(&s->lock, NULL);
    for (i = 0; i < threads; i++)
        if (!(s->scratch[i] = asci_cart_scratch_new(c, e)))
            return ASC_ESYSTEM;
    s->n_idle = threads;
    return ASC_OK;
}

/* No more threads work at once than there are scratches. */
static struct asci_cart_scratch *
take_scratch(struct asci_cart_space *s)
{
    struct asci_cart_scratch *w;

    pthread_mutex_lock(&s->lock);
    w = s->scratch[--s->n_idle];
    pthread_mutex_unlock(&s->lock);
    return w;
}

static void
give_scratch(struct asci_cart_space *s, struct asci_cart_scratch *w)
{
    pthread_mutex_lock(&s->lock);
    s->scratch[s->n_idle++] = w;
    pthread_mutex_unlock(&s->lock);
}

/* Room for one more element of *p, of which n are used. */
static int
make_room(void *array, size_t n, size_t *room, size_t size,
          struct asc_error *e)
{
    void **p = array, *q;
    const size_t larger = *room ? 2 * *room : 32;

    if (n < *room)
        return ASC_OK;
    q = asci_resize(*p, larger, size, e);
    if (!q)
        return ASC_ESYSTEM;
    *p = q;
    *room = larger;
    return ASC_OK;
}

static int
push(struct open_nodes *list, struct open_node v, struct asc_error *e)
{
    if (make_room(&list->v, list->n, &list->room, sizeof *list->v, e))
        return ASC_ESYSTEM;
    list->v[list->n++] = v;
    return ASC_OK;
}

static int
new_node(struct asci_cart_tree *t, uint32_t *node, struct asc_error *e)
{
    if (make_room(&t->node, t->n_nodes, &t->room_nodes, sizeof *t->node, e) ||
        make_room(&t->stat, t->n_nodes, &t->room_stats,
                  t->width * sizeof *t->stat, e))
        return ASC_ESYSTEM;
    *node = (uint32_t)t->n_nodes++;
    memset(&t->node[*node], 0, sizeof *t->node);
    t->node[*node].test = ASCI_LEAF;
    return ASC_OK;
}

void
asci_cart_tree_free(struct asci_cart_tree *t)
{
    free(t->set);
    free(t->stat);
    free(t->node);
    memset(t, 0, sizeof *t);
}

/* ---- what is known of a node's rows ---- */

double
asci_cart_weight(const struct asci_cart_table *c, const double *stat)
{
    double sum = 0.0;
    size_t i;

    if (c->k == 0)
        return stat[0];
    for (i = 0; i < c->k; i++)
        sum += stat[i];
    return sum;
}

void
asci_cart_value(const struct asci_cart_table *c, const double *stat,
                double *value)
{
    const double weight = asci_cart_weight(c, stat);
    size_t i;

    if (c->k == 0)
        value[0] = stat[1];
    for (i = 0; i < c->k; i++)
        value[i] = stat[i] / weight;
}

/* Weight, mean and squares; exactly no squares if all are the same. */
static void
describe_numbers(const struct asci_cart_table *c,
                 const struct asci_cart_space *s, const uint32_t *row,
                 size_t n, double *stat)
{
    double low = INFINITY, high = -INFINITY, sum = 0.0, off = 0.0;
    size_t i;

    stat[0] = stat[2] = 0.0;
    for (i = 0; i < n; i++) {
        const double w = s->w[row[i]], y = c->y[row[i]];

        stat[0] += w;
        sum += w * y;
        if (y < low)
            low = y;
        if (y > high)
            high = y;
    }
    stat[1] = low;
    if (low == high)
        return;
    stat[1] = sum / stat[0];
    for (i = 0; i < n; i++) {
        const double y = c->y[row[i]] - stat[1];

        off += s->w[row[i]] * y;
        stat[2] += s->w[row[i]] * y * y;
    }
    stat[1] += off / stat[0];
    stat[2] -= off * off / stat[0];
}

static void
describe(const struct asci_cart_table *c, const struct asci_cart_space *s,
         size_t from, size_t n, double *stat)
{
    const uint32_t *row = s->row + from;
    size_t i;

    if (c->k == 0) {
        describe_numbers(c, s, row, n, stat);
        return;
    }
    memset(stat, 0, c->k * sizeof *stat);
    for (i = 0; i < n; i++)
        stat[(size_t)c->y[row[i]]] += s->w[row[i]];
}

static int
is_pure(const struct asci_cart_table *c, const double *stat)
{
    size_t i, n = 0;

    if (c->k == 0)
        return !(stat[2] > 0.0);
    for (i = 0; i < c->k; i++)
        n += stat[i] > 0.0;
    return n < 2;
}

static uint32_t
count_rows(const struct asci_cart_space *s, size_t from, size_t n)
{
    uint32_t sum = 0;
    size_t i;

    for (i = from; i < from + n; i++)
        sum += s->count[s->row[i]];
    return sum;
}

/* A node of rows [from, from + n), put where it will be divided if it may. */
static int
add_node(struct grower *g, size_t from, size_t n, size_t depth,
         uint32_t *node, struct asc_error *e)
{
    const struct asci_cart_options *o = g->o;
    struct open_node v = { from, n, depth, 0 };
    double *stat;
    size_t rows;

    if (new_node(g->t, &v.node, e))
        return ASC_ESYSTEM;
    *node = v.node;
    stat = g->t->stat + v.node * g->t->width;
    describe(g->c, g->s, from, n, stat);
    if (depth >= o->depth || is_pure(g->c, stat))
        return ASC_OK;
    rows = count_rows(g->s, from, n);
    if (rows < o->min_split || rows < 2 * o->min_leaf)
        return ASC_OK;
    return push(g->branches && n <= g->small ? g->branches : &g->open, v, e);
}

/* ---- the best split of a node ---- */

static struct asci_cart_part
part_of(const struct grower *g, const struct open_node *v)
{
    const struct asci_cart_space *s = g->s;
    struct asci_cart_part p = { .from = v->from, .n = v->n };
    size_t i;

    p.stat = g->t->stat + v->node * g->t->width;
    for (i = v->from; i < v->from + v->n; i++) {
        const uint32_t at = s->row[i];
        struct asci_cart_near *near = &s->near[i];

        near->w = s->w[at];
        near->n = s->count[at];
        near->k = 0;
        near->v = 0.0;
        if (g->c->k)
            near->k = (uint32_t)g->c->y[at];
        else
            near->v = near->w * (g->c->y[at] - p.stat[1]);
        p.rest += near->v;
        p.n_rows += near->n;
    }
    return p;
}

struct fields {
    const struct grower *g;
    const struct asci_cart_part *p;
    size_t next;
};

static void *
new_field(void *context, struct asc_error *e)
{
    size_t *j = asci_alloc(1, sizeof *j, e);

    (void)context;
    return j;
}

static void
free_field(void *context, void *block)
{
    (void)context;
    free(block);
}

static int
next_field(void *context, void *block, struct asc_error *e)
{
    struct fields *f = context;
    size_t *j = block;

    (void)e;
    *j = f->next++;
    return *j < f->g->c->d;
}

static int
search_field(void *context, void *block, struct asc_error *e)
{
    const struct fields *f = context;
    const struct grower *g = f->g;
    const size_t *j = block;
    struct asci_cart_scratch *w = take_scratch(g->s);

    (void)e;
    asci_cart_search(g->c, g->o, g->s, w, f->p, *j, &g->split[*j]);
    give_scratch(g->s, w);
    return ASC_OK;
}

static int
keep_field(void *context, void *block, struct asc_error *e)
{
    (void)context;
    (void)block;
    (void)e;
    return ASC_OK;
}

/* All fields. */
static int
search_all(struct grower *g, const struct asci_cart_part *p,
           struct asci_cart_split *best, struct asc_error *e)
{
    static const struct asc_loop loop = { new_field, free_field, next_field,
                                          search_field, keep_field };
    struct fields f = { g, p, 0 };
    int status = ASC_OK;
    size_t j;

    if (g->branches && p->n > SIDE_BY_SIDE / g->c->d)
        status = asc_loop_run(&loop, &f, g->s->threads, e);
    else
        for (j = 0; j < g->c->d; j++)
            asci_cart_search(g->c, g->o, g->s, g->scratch, p, j,
                             &g->split[j]);
    for (j = 0; j < g->c->d; j++)
        if (g->split[j].gain > best->gain)
            *best = g->split[j];
    return status;
}

/* Fields in a random order, until o->fields that are not constant here have
 * been looked at and one of them splits. */
static void
search_drawn(struct grower *g, const struct asci_cart_part *p,
             struct asci_cart_split *best)
{
    const size_t d = g->c->d;
    struct asci_cart_split split;
    size_t i, seen = 0;

    for (i = 0; i < d && (seen < g->o->fields || !(best->gain > 0.0)); i++) {
        const size_t at = i + (size_t)asc_stream_below(g->o->stream, d - i);
        const size_t j = g->field[at];

        g->field[at] = g->field[i];
        g->field[i] = j;
        asci_cart_search(g->c, g->o, g->s, g->scratch, p, j, &split);
        seen += !split.constant;
        if (split.gain > best->gain)
            *best = split;
    }
}

/* ---- dividing a node ---- */

/* Rows of the yes side come first, each part in its order: how many. */
static size_t
divide(const struct grower *g, const struct asci_cart_part *p,
       const struct asci_cart_split *split)
{
    const struct asci_cart_field *f = &g->c->field[split->field];
    uint32_t *row = g->s->row + p->from, *spare = g->s->spare + p->from;
    size_t i, at = 0, kept = 0;

    for (i = 0; i < p->n; i++) {
        const uint32_t code = f->code[row[i]];
        int yes;

        if (f->categorical)
            yes = g->side[code] == ASCI_CART_YES;
        else
            yes = code == f->n_codes ? split->missing_yes
                                     : code <= split->low;
        if (yes)
            row[at++] = row[i];
        else
            spare[kept++] = row[i];
    }
    memcpy(row + at, spare, kept * sizeof *row);
    return at;
}

static int
has_missing(const struct asci_cart_field *f, const struct asci_cart_space *s,
            const struct asci_cart_part *p)
{
    size_t i;

    for (i = p->from; i < p->from + p->n; i++)
        if (f->code[s->row[i]] == f->n_codes)
            return 1;
    return 0;
}

/* The set of categories on the yes side; `unseen` is that of the others. */
static int
write_set(struct grower *g, const struct asci_cart_field *f, int unseen,
          struct asci_node *q, struct asc_error *e)
{
    struct asci_cart_tree *t = g->t;
    const size_t words = ((size_t)f->n_codes + 63) / 64, first = t->n_words;
    uint32_t c;

    if (first + words > UINT32_MAX)
        return asc_fail(e, ASC_EUSAGE, "%s: the sets of categories are too "
                        "large: leave out fields with very many categories",
                        g->c->name);
    while (t->n_words < first + words) {
        if (make_room(&t->set, t->n_words, &t->room_words, sizeof *t->set, e))
            return ASC_ESYSTEM;
        t->set[t->n_words++] = 0;
    }
    for (c = 0; c < f->n_codes; c++)
        if (g->side[c] == ASCI_CART_YES ||
            (g->side[c] == ASCI_CART_UNSEEN && unseen))
            t->set[first + c / 64] |= UINT64_C(1) << c % 64;
    q->set = (uint32_t)first;
    q->set_bits = f->n_codes;
    return ASC_OK;
}

static int
split_node(struct grower *g, const struct open_node *v,
           const struct asci_cart_part *p,
           const struct asci_cart_split *split, struct asc_error *e)
{
    const struct asci_cart_field *f = &g->c->field[split->field];
    const int missing = has_missing(f, g->s, p);
    struct asci_node *q;
    size_t at;
    uint32_t yes, no;
    int missing_yes = split->missing_yes;

    if (f->categorical)
        asci_cart_sides(g->c, g->s, g->scratch, p, split, g->side);
    at = divide(g, p, split);
    /* the first child is on top of the stack, and so comes next */
    if (add_node(g, v->from + at, v->n - at, v->depth + 1, &no, e) ||
        add_node(g, v->from, at, v->depth + 1, &yes, e))
        return ASC_ESYSTEM;
    if (!missing)
        missing_yes =
            asci_cart_weight(g->c, g->t->stat + yes * g->t->width) >=
            asci_cart_weight(g->c, g->t->stat + no * g->t->width);
    q = &g->t->node[v->node];
    q->column = (uint32_t)split->field;
    q->yes = yes;
    q->no = no;
    q->missing = missing_yes ? yes : no;
    if (f->categorical) {
        q->test = ASCI_IN_SET;
        return write_set(g, f, missing_yes, q, e);
    }
    q->test = split->high == f->n_codes ? ASCI_LESS_EQUAL : ASCI_LESS;
    q->threshold = split->high == f->n_codes ? INFINITY
                   : asci_fit_halfway(f->value[split->low],
                                      f->value[split->high]);
    return ASC_OK;
}

/* Divides the open nodes, and theirs, until none is left. */
static int
grow(struct grower *g, struct asc_error *e)
{
    int status = ASC_OK;

    while (g->open.n > 0 && !status) {
        const struct open_node v = g->open.v[--g->open.n];
        const struct asci_cart_part p = part_of(g, &v);
        struct asci_cart_split best = { 0 };

        if (g->o->fields > 0)
            search_drawn(g, &p, &best);
        else
            status = search_all(g, &p, &best, e);
        if (!status && best.gain > 0.0 && best.gain >= g->least)
            status = split_node(g, &v, &p, &best, e);
    }
    return status;
}

/* ---- growers ---- */

static void
grower_free(struct grower *g)
{
    free(g->split);
    free(g->field);
    free(g->side);
    free(g->open.v);
}

static int
grower_init(struct grower *g, struct asc_error *e)
{
    const size_t d = g->c->d;
    size_t j, most = 0;

    for (j = 0; j < d; j++)
        if (g->c->field[j].categorical && g->c->field[j].n_codes > most)
            most = g->c->field[j].n_codes;
    g->t->width = g->c->k ? g->c->k : 3;
    g->side = asci_alloc(most + 1, 1, e);
    g->field = asci_alloc(d, sizeof *g->field, e);
    g->split = asci_alloc(d, sizeof *g->split, e);
    if (!g->side || !g->field || !g->split)
        return ASC_ESYSTEM;
    for (j = 0; j < d; j++)
        g->field[j] = j;
    return ASC_OK;
}

/* ---- branches side by side ---- */

struct branches {
    struct grower *trunk;
    struct open_nodes list;
    size_t next;
};

struct branch {
    struct open_node at;        /* of the trunk */
    struct asci_cart_tree t;
};

static void *
new_branch(void *context, struct asc_error *e)
{
    (void)context;
    return asci_alloc_zero(1, sizeof(struct branch), e);
}

static void
free_branch(void *context, void *block)
{
    struct branch *b = block;

    (void)context;
    asci_cart_tree_free(&b->t);
    free(b);
}

static int
next_branch(void *context, void *block, struct asc_error *e)
{
    struct branches *o = context;
    struct branch *b = block;

    (void)e;
    if (o->next == o->list.n)
        return 0;
    b->at = o->list.v[o->next++];
    return 1;
}

static int
grow_branch(void *context, void *block, struct asc_error *e)
{
    const struct branches *o = context;
    struct branch *b = block;
    struct grower g = *o->trunk;
    uint32_t root;
    int status = ASC_ESYSTEM;

    g.t = &b->t;
    g.branches = NULL;
    g.open = (struct open_nodes){ 0 };
    g.side = NULL;
    g.field = NULL;
    g.split = NULL;
    g.scratch = take_scratch(g.s);
    if (!grower_init(&g, e) &&
        !add_node(&g, b->at.from, b->at.n, b->at.depth, &root, e))
        status = grow(&g, e);
    give_scratch(g.s, g.scratch);
    grower_free(&g);
    return status;
}

/* Puts the branch into the trunk's tree, its root in place of the node that
 * it began at. */
static int
join_branch(void *context, void *block, struct asc_error *e)
{
    struct branches *o = context;
    struct branch *b = block;
    struct asci_cart_tree *t = o->trunk->t;
    const uint32_t shift = (uint32_t)t->n_nodes - 1;
    const size_t words = t->n_words;
    uint32_t node;
    size_t i;

    for (i = 0; i < b->t.n_words; i++) {
        if (make_room(&t->set, t->n_words, &t->room_words, sizeof *t->set, e))
            return ASC_ESYSTEM;
        t->set[t->n_words++] = b->t.set[i];
    }
    if (t->n_words > UINT32_MAX)
        return asc_fail(e, ASC_EUSAGE, "%s: the sets of categories are too "
                        "large: leave out fields with very many categories",
                        o->trunk->c->name);
    for (i = 0; i < b->t.n_nodes; i++) {
        struct asci_node p = b->t.node[i];

        node = b->at.node;
        if (i > 0 && new_node(t, &node, e))
            return ASC_ESYSTEM;
        if (p.test != ASCI_LEAF) {
            p.yes += shift;
            p.no += shift;
            p.missing += shift;
        }
        if (p.test == ASCI_IN_SET)
            p.set += (uint32_t)words;
        t->node[node] = p;
        memcpy(t->stat + node * t->width, b->t.stat + i * t->width,
               t->width * sizeof *t->stat);
    }
    asci_cart_tree_free(&b->t);
    return ASC_OK;
}

static int
grow_branches(struct branches *o, unsigned threads, struct asc_error *e)
{
    static const struct asc_loop loop = { new_branch, free_branch,
                                          next_branch, grow_branch,
                                          join_branch };

    return asc_loop_run(&loop, o, threads, e);
}

int
asci_cart_grow(const struct asci_cart_table *c,
               const struct asci_cart_options *o, struct asci_cart_space *s,
               struct asci_cart_tree *t, struct asc_error *e)
{
    struct grower g = { .c = c, .o = o, .s = s, .t = t };
    struct branches all = { .trunk = &g };
    const unsigned threads = s->threads;
    uint32_t root;
    int status = ASC_ESYSTEM;

    if (threads > 1 && s->n_row > SIDE_BY_SIDE / c->d) {
        g.branches = &all.list;
        g.small = s->n_row / (BRANCHES * threads);
    }
    if (grower_init(&g, e))
        goto out;
    g.scratch = s->scratch[0];
    if (add_node(&g, 0, s->n_row, 0, &root, e))
        goto out;
    g.least = o->min_decrease * asci_cart_weight(c, t->stat);
    status = grow(&g, e);
    if (!status && all.list.n > 0)
        status = grow_branches(&all, threads, e);
out:
    grower_free(&g);
    free(all.list.v);
    return status;
}
