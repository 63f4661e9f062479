/* model/ensemble_pack.c -- lays trees out for evaluation; see ensemble.h.
 *
 * Selections are in the order in which a tree's values are known, leaves
 * first: the larger subtree of a node comes before the smaller one, so the
 * registers in use at once are about the logarithm of the number of leaves
 * (Sethi and Ullman 1970).  Cost: sorting the thresholds of each column, then
 * one pass over the nodes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/ensemble.h"

/* ---- the intervals of a test ---- */

struct interval {
    double low, high;           /* low <= v < high; high NaN: no end */
};

static double
just_above(double v)
{
    return v == INFINITY ? NAN : nextafter(v, INFINITY);
}

static int
bit_of(const struct asci_ensemble *f, const struct asci_node *p, size_t bit)
{
    return (f->sets[p->set + bit / 64] >> (bit % 64)) & 1;
}

/* The next interval of the test from position *at on (0 at first): 1, or 0 if
 * there is no further one. */
static int
next_interval(const struct asci_ensemble *f, const struct asci_node *p,
              size_t *at, struct interval *out)
{
    if (p->test == ASCI_IN_SET) {
        while (*at < p->set_bits && !bit_of(f, p, *at))
            ++*at;
        if (*at >= p->set_bits)
            return 0;
        out->low = (double)*at;
        while (*at < p->set_bits && bit_of(f, p, *at))
            ++*at;
        out->high = (double)*at;
        return 1;
    }
    if (*at > 0)
        return 0;
    *at = 1;
    out->low = p->test == ASCI_EQUAL ? p->threshold : -INFINITY;
    out->high = p->test == ASCI_LESS ? p->threshold
                                     : just_above(p->threshold);
    return 1;
}

/* ---- cuts ---- */

static int
compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Calls for each end of each interval: counts ends per column if cut is NULL,
 * else puts them to cut[fill[column]++]. */
static void
collect_cuts(const struct asci_ensemble *f, size_t *fill, double *cut)
{
    struct interval t;
    size_t i, j, at;

    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            const struct asci_node *p = &f->tree[j].node[i];

            if (p->test == ASCI_LEAF)
                continue;
            for (at = 0; next_interval(f, p, &at, &t);) {
                if (t.low != -INFINITY) {
                    if (cut)
                        cut[fill[p->column]] = t.low;
                    fill[p->column]++;
                }
                if (!isnan(t.high)) {
                    if (cut)
                        cut[fill[p->column]] = t.high;
                    fill[p->column]++;
                }
            }
        }
}

/* Marks the columns that some test looks at. */
static void
mark_used(const struct asci_ensemble *f, uint32_t *index)
{
    size_t i, j;

    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++)
            if (f->tree[j].node[i].test != ASCI_LEAF)
                index[f->tree[j].node[i].column] = 1;
}

/* Fills c->used, first_cut and cut; index (n_columns) gets the place of a
 * column among the used ones. */
static int
make_cuts(const struct asci_ensemble *f, struct compact *c, uint32_t *index,
          struct asc_error *e)
{
    size_t *fill = asci_alloc_zero(f->n_columns, sizeof *fill, e);
    size_t j, i, n, total = 0, kept = 0;

    if (!fill)
        return ASC_ESYSTEM;
    mark_used(f, index);
    collect_cuts(f, fill, NULL);
    for (j = 0; j < f->n_columns; j++) {
        n = fill[j];
        fill[j] = total;
        total += n;
        c->n_used += index[j];
    }
    c->used = asci_alloc(c->n_used, sizeof *c->used, e);
    c->first_cut = asci_alloc_zero(c->n_used + 1, sizeof *c->first_cut, e);
    c->cut = asci_alloc(total, sizeof *c->cut, e);
    if (!c->used || !c->first_cut || !c->cut) {
        free(fill);
        return ASC_ESYSTEM;
    }
    collect_cuts(f, fill, c->cut);
    for (j = 0, n = 0, total = 0; j < f->n_columns; j++) {
        /* The column's cuts are at total .. fill[j] - 1; those that are kept
         * move down to the ones kept before. */
        double *p = c->cut + total;
        size_t size = fill[j] - total;

        total = fill[j];
        if (!index[j])
            continue;
        index[j] = (uint32_t)n;
        c->used[n++] = (uint32_t)j;
        qsort(p, size, sizeof *p, compare_numbers);
        for (i = 0; i < size; i++)
            if (i == 0 || p[i] != p[i - 1])
                c->cut[kept++] = p[i];
        c->first_cut[n] = kept;
    }
    free(fill);
    return ASC_OK;
}

/* ---- runs of ranks ---- */

struct run {
    uint32_t start, length;     /* yes if rank - start <= length */
};

struct packer {
    const struct asci_ensemble *f;
    struct compact *c;
    uint32_t *index;            /* (n_columns) among the used ones */
    struct run *run;            /* room for those of any node */
    struct selection *program;  /* room for those of a tree */
    uint32_t *work;             /* (nodes of the largest tree) */
    size_t selection_room, cell_room, piece_room, word_room;
};

static const struct run missing_run = { UINT32_MAX, 0 };
static const struct run every_run = { 0, UINT32_MAX };

/* How many runs make_runs() makes: looking ranks up is what packing takes most
 * of its time for. */
static size_t
count_runs(const struct packer *k, const struct asci_node *p)
{
    int missing = p->missing == p->yes;
    struct interval t;
    size_t at, n = 0;

    for (at = 0; next_interval(k->f, p, &at, &t); n++)
        if (t.low == -INFINITY)
            missing = 0;
    return n + (size_t)missing;
}

/* The runs that lead from node p to "yes", rising; missing values, which are
 * before all others, only if they go there too.  Each interval has one: its
 * ends are cuts. */
static size_t
make_runs(const struct packer *k, const struct asci_node *p)
{
    const struct compact *c = k->c;
    const uint32_t u = k->index[p->column];
    const double *cut = c->cut + c->first_cut[u];
    const size_t n_cuts = c->first_cut[u + 1] - c->first_cut[u];
    struct interval t;
    size_t at, n = 0;

    if (p->missing == p->yes)
        k->run[n++] = missing_run;
    for (at = 0; next_interval(k->f, p, &at, &t);) {
        uint32_t start = t.low == -INFINITY ? 0
                         : asci_rank(cut, n_cuts, t.low);
        uint32_t end = isnan(t.high) ? (uint32_t)n_cuts + 1
                       : asci_rank(cut, n_cuts, t.high);

        if (n == 1 && start == 0 && k->run[0].start == missing_run.start) {
            k->run[0].length = end;     /* from -1, that of missing, on */
        } else {
            k->run[n].start = start;
            k->run[n++].length = end - start - 1;
        }
    }
    return n;
}

static int
third_end(const struct asci_node *p)
{
    return p->missing != p->yes && p->missing != p->no;
}

/* ---- selections ---- */

struct frame {
    uint32_t node, done;        /* children done */
    uint32_t child[3], n;       /* inner children, the largest subtree first */
    uint16_t base;              /* register of the result */
};

/* size[i]: inner nodes of the subtree of node i. */
static void
measure(const struct asci_tree *t, uint32_t *size)
{
    size_t i;

    for (i = t->n_nodes; i-- > 0;) {
        const struct asci_node *p = &t->node[i];

        size[i] = p->test != ASCI_LEAF;
        if (!size[i])
            continue;
        size[i] += size[p->yes];
        if (p->no != p->yes)
            size[i] += size[p->no];
        if (third_end(p))
            size[i] += size[p->missing];
    }
}

static void
open_frame(const struct packer *k, const struct asci_tree *t, uint32_t node,
           uint16_t base, struct frame *out)
{
    const struct asci_node *p = &t->node[node];
    const uint32_t end[3] = { p->yes, p->no, p->missing };
    uint32_t i, j;

    out->node = node;
    out->done = out->n = 0;
    out->base = base;
    for (i = 0; i < 3; i++) {
        if (k->work[end[i]] == 0 || (i == 1 && p->no == p->yes) ||
            (i == 2 && !third_end(p)))
            continue;
        for (j = out->n++; j > 0 &&
             k->work[out->child[j - 1]] < k->work[end[i]]; j--)
            out->child[j] = out->child[j - 1];
        out->child[j] = end[i];
    }
}

/* Where the value of a child of the frame's node is. */
static uint16_t
operand(const struct asci_tree *t, const struct frame *w, uint32_t child,
        uint8_t *is_leaf)
{
    uint32_t i;

    *is_leaf = t->node[child].test == ASCI_LEAF;
    if (*is_leaf)
        return (uint16_t)t->node[child].leaf;
    for (i = 0; w->child[i] != child; i++)
        continue;
    return (uint16_t)(w->base + i);
}

static void
select_run(struct selection *s, uint32_t at, struct run r)
{
    s->at = at;
    /* The unsigned comparison of 16 bits as a signed one. */
    s->start = (int16_t)(uint16_t)(r.start + 0x8000);
    s->bound = (int16_t)(uint16_t)((r.length > 0xffff ? 0xffff : r.length) +
                                   0x8000);
}

/* The selections of a node whose children are known, to out: how many. */
static size_t
select_node(const struct packer *k, const struct asci_tree *t,
            const struct frame *w, struct selection *out)
{
    const struct asci_node *p = &t->node[w->node];
    const uint32_t at = k->index[p->column];
    const uint16_t spare = (uint16_t)(w->base + w->n);
    size_t i, n = make_runs(k, p);

    for (i = 0; i < n; i++) {
        out[i].triple = 0;
        select_run(&out[i], at, k->run[i]);
        out[i].yes = operand(t, w, p->yes, &out[i].yes_is_leaf);
        out[i].no = operand(t, w, p->no, &out[i].no_is_leaf);
        if (i > 0) {
            out[i].no = spare;
            out[i].no_is_leaf = 0;
        }
        out[i].to = spare;
    }
    if (n == 0) {
        out[0].triple = 0;
        select_run(&out[0], at, every_run);
        out[0].yes = out[0].no = operand(t, w, p->no, &out[0].no_is_leaf);
        out[0].yes_is_leaf = out[0].no_is_leaf;
        out[0].to = spare;
        n = 1;
    }
    if (third_end(p)) {
        out[n].triple = 0;
        select_run(&out[n], at, missing_run);
        out[n].yes = operand(t, w, p->missing, &out[n].yes_is_leaf);
        out[n].no = spare;
        out[n].no_is_leaf = 0;
        n++;
    }
    out[n - 1].to = w->base;
    if ((size_t)spare + 1 > k->c->n_registers)
        k->c->n_registers = (size_t)spare + 1;
    return n;
}

static int
selects_leaves(const struct selection *s)
{
    return s->yes_is_leaf && s->no_is_leaf;
}

/* A node of two nodes of leaves is done in one go, without storing what comes
 * in between: half of the nodes of a complete tree are of the last row.  It
 * must have one test only, as further ones would look at its ends again; the
 * result of its only test goes where its first end was. */
static void
mark_triples(struct selection *s, size_t n)
{
    size_t i;

    for (i = 0; i + 2 < n; i++)
        if (selects_leaves(&s[i]) && selects_leaves(&s[i + 1]) &&
            !s[i + 2].yes_is_leaf && !s[i + 2].no_is_leaf &&
            s[i + 2].yes == s[i].to && s[i + 2].no == s[i + 1].to &&
            s[i + 2].to == s[i].to) {
            s[i].triple = 1;
            i += 2;
        }
}

/* Selections of the tree, to k->program: 1 and how many, or 0 if they are too
 * many. */
static int
select_tree(const struct packer *k, const struct asci_tree *t, size_t *n)
{
    struct frame stack[MAX_SELECTIONS + 1];     /* one a node at most */
    size_t depth = 1;

    *n = 0;
    measure(t, k->work);
    if (k->work[0] > MAX_SELECTIONS || t->n_leaves > UINT16_MAX)
        return 0;
    if (k->work[0] == 0)
        return 1;
    open_frame(k, t, 0, 0, &stack[0]);
    while (depth > 0) {
        struct frame *top = &stack[depth - 1];

        if (top->done < top->n) {
            uint32_t child = top->child[top->done];
            uint16_t base = (uint16_t)(top->base + top->done++);

            open_frame(k, t, child, base, &stack[depth++]);
        } else {
            *n += select_node(k, t, top, k->program + *n);
            if (*n > MAX_SELECTIONS)
                return 0;
            depth--;
        }
    }
    mark_triples(k->program, *n);
    return 1;
}

/* ---- cells ---- */

/* Makes room for n more elements of `size` bytes after the first `used`. */
static int
make_room(void *array, size_t used, size_t n, size_t size, size_t *room,
          struct asc_error *e)
{
    void **p = array, *q;
    size_t want = *room ? *room : 1024;

    if (n <= *room - used)
        return ASC_OK;
    while (want - used < n)
        if (__builtin_mul_overflow(want, 2, &want))
            return asc_fail(e, ASC_ESYSTEM, "out of memory: the trees are "
                            "too large");
    q = asci_resize(*p, want, size, e);
    if (!q)
        return ASC_ESYSTEM;
    *p = q;
    *room = want;
    return ASC_OK;
}

/* A test of more runs than these looks its rank up in a bit set. */
enum { CHAIN = 2 };

static int
in_pieces(const struct packer *k, const struct asci_node *p)
{
    return p->test == ASCI_IN_SET && count_runs(k, p) > CHAIN;
}

static size_t
count_cells(const struct packer *k, const struct asci_node *p)
{
    size_t n;

    if (p->test == ASCI_LEAF)
        return 1;
    n = in_pieces(k, p) ? 1 : count_runs(k, p);
    n += (size_t)third_end(p);
    return n ? n : 1;
}

/* The ranks that a set holds, as bits from the end of c->bits on; bit 0 is for
 * missing values. */
static int
add_bits(struct packer *k, const struct asci_node *p, struct cell *cell,
         struct piece *piece, struct asc_error *e)
{
    struct compact *c = k->c;
    const uint32_t u = k->index[p->column];
    const size_t n = c->first_cut[u + 1] - c->first_cut[u] + 2;
    const size_t words = (n + 63) / 64;
    size_t n_runs = make_runs(k, p), i;
    uint32_t bit;

    if (c->n_words + words > UINT32_MAX)
        return asc_fail(e, ASC_ESYSTEM, "out of memory: the sets of the trees "
                        "are too large");
    if (make_room(&c->bits, c->n_words, words, sizeof *c->bits, &k->word_room,
                  e))
        return ASC_ESYSTEM;
    memset(c->bits + c->n_words, 0, words * sizeof *c->bits);
    for (i = 0; i < n_runs; i++)
        for (bit = k->run[i].start + 1;
             bit - (k->run[i].start + 1) <= k->run[i].length; bit++)
            c->bits[c->n_words + bit / 64] |= (uint64_t)1 << (bit % 64);
    cell->start = missing_run.start;
    cell->length = (uint32_t)n - 1;
    piece->word = (uint32_t)c->n_words;
    piece->mask = UINT32_MAX;
    c->n_words += words;
    return ASC_OK;
}

/* The pieces of a tree of n cells, which are there. */
static int
pack_pieces(struct packer *k, const struct asci_tree *t, size_t n,
            struct asc_error *e)
{
    struct compact *c = k->c;
    size_t i;
    int status = ASC_OK;

    if (make_room(&c->piece, c->n_pieces, n, sizeof *c->piece, &k->piece_room,
                  e))
        return ASC_ESYSTEM;
    memset(c->piece + c->n_pieces, 0, n * sizeof *c->piece);
    if (c->n_words == 0) {
        if (make_room(&c->bits, 0, 1, sizeof *c->bits, &k->word_room, e))
            return ASC_ESYSTEM;
        c->bits[c->n_words++] = UINT64_MAX;
    }
    for (i = 0; i < t->n_nodes && status == ASC_OK; i++)
        if (in_pieces(k, &t->node[i])) {
            const size_t at = k->work[i] + (size_t)third_end(&t->node[i]);

            status = add_bits(k, &t->node[i], c->cell + c->n_cells + at,
                              c->piece + c->n_pieces + at, e);
        }
    c->n_pieces += n;
    return status;
}

/* The cells of node p to out, which is cell `self` of its tree; first[i] is
 * the first cell of node i. */
static void
fill_cells(const struct packer *k, const struct asci_node *p, uint32_t self,
           const uint32_t *first, struct cell *out)
{
    uint32_t at;
    size_t i, n;

    if (p->test == ASCI_LEAF) {
        out->at = 0;
        out->start = p->leaf;
        out->length = UINT32_MAX;
        out->end[0] = out->end[1] = self;
        return;
    }
    at = k->index[p->column];
    if (third_end(p)) {
        *out++ = (struct cell){ at, missing_run.start, missing_run.length,
                                { first[p->missing], ++self } };
    }
    n = make_runs(k, p);
    if (n > 1 && in_pieces(k, p))
        n = 1;                  /* for pack_pieces to fill */
    for (i = 0; i < n; i++)
        *out++ = (struct cell){ at, k->run[i].start, k->run[i].length,
                                { first[p->yes], ++self } };
    /* The last test's other end; a node without runs says no to all. */
    if (n == 0 && !third_end(p))
        *out++ = (struct cell){ at, every_run.start, every_run.length,
                                { first[p->no], self } };
    out[-1].end[1] = first[p->no];
}

static int
pack_cells(struct packer *k, const struct asci_tree *t,
           struct packed_tree *out, struct asc_error *e)
{
    struct compact *c = k->c;
    size_t i, n = 0;
    int by_bits = 0;

    for (i = 0; i < t->n_nodes; i++) {
        k->work[i] = (uint32_t)n;
        n += count_cells(k, &t->node[i]);
        by_bits |= in_pieces(k, &t->node[i]);
        if (n >= UINT32_MAX)
            return asc_fail(e, ASC_ESYSTEM, "out of memory: a tree is too "
                            "large");
    }
    if (make_room(&c->cell, c->n_cells, n, sizeof *c->cell, &k->cell_room, e))
        return ASC_ESYSTEM;
    for (i = 0; i < t->n_nodes; i++)
        fill_cells(k, &t->node[i], k->work[i], k->work,
                   c->cell + c->n_cells + k->work[i]);
    out->piece = c->n_pieces;
    if (by_bits && pack_pieces(k, t, n, e))
        return ASC_ESYSTEM;
    out->how = by_bits ? WALKED_BY_BITS : WALKED;
    out->first = c->n_cells;
    out->n = n;
    c->n_cells += n;
    c->some_walked = 1;
    return ASC_OK;
}

static int
pack_tree(struct packer *k, const struct asci_tree *t, int short_ranks,
          struct packed_tree *out, struct asc_error *e)
{
    struct compact *c = k->c;
    size_t n;

    if (!short_ranks || !select_tree(k, t, &n))
        return pack_cells(k, t, out, e);
    if (make_room(&c->selection, c->n_selections, n, sizeof *c->selection,
                  &k->selection_room, e))
        return ASC_ESYSTEM;
    if (n > 0)
        memcpy(c->selection + c->n_selections, k->program,
               n * sizeof *k->program);
    out->first = c->n_selections;
    out->n = n;
    c->n_selections += n;
    c->some_selected = 1;
    return ASC_OK;
}

/* A large tree is worth fetching into the cache only for many rows. */
static void
choose_block(struct compact *c)
{
    uint32_t block = ASCI_BLOCK;
    size_t i;

    if (c->some_walked)
        while (block < LONG_BLOCK && 2 * block * c->n_used <= LONG_RANKS)
            block *= 2;
    c->block = block;
    for (i = 0; i < c->n_selections; i++)
        c->selection[i].at *= block;
    for (i = 0; i < c->n_cells; i++)
        c->cell[i].at *= block;
}

/* The most runs that a node can have, and nodes that a tree has. */
static void
find_largest(const struct asci_ensemble *f, size_t *runs, size_t *nodes)
{
    size_t i, j;

    *runs = 2;
    *nodes = 1;
    for (j = 0; j < f->n_trees; j++) {
        if (f->tree[j].n_nodes > *nodes)
            *nodes = f->tree[j].n_nodes;
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            const struct asci_node *p = &f->tree[j].node[i];

            if (p->test == ASCI_IN_SET &&
                (size_t)p->set_bits / 2 + 2 > *runs)
                *runs = (size_t)p->set_bits / 2 + 2;
        }
    }
}

int
asci_ensemble_pack(struct asci_ensemble *f, struct asc_error *e)
{
    struct packer k = { .f = f };
    size_t j, runs, nodes;
    int status = ASC_ESYSTEM, short_ranks = 1;

    asci_ensemble_unpack(f);
    find_largest(f, &runs, &nodes);
    f->compact = k.c = asci_alloc_zero(1, sizeof *k.c, e);
    if (!k.c)
        return ASC_ESYSTEM;
    k.c->tree = asci_alloc_zero(f->n_trees, sizeof *k.c->tree, e);
    k.index = asci_alloc_zero(f->n_columns, sizeof *k.index, e);
    k.run = asci_alloc(runs, sizeof *k.run, e);
    k.program = asci_alloc(MAX_SELECTIONS + runs + 1, sizeof *k.program, e);
    k.work = asci_alloc(nodes, sizeof *k.work, e);
    if (!k.c->tree || !k.index || !k.run || !k.program || !k.work)
        goto out;
    status = make_cuts(f, k.c, k.index, e);
    if (status == ASC_OK && k.c->n_used > UINT32_MAX / (2 * LONG_BLOCK))
        status = asc_fail(e, ASC_ESYSTEM, "out of memory: the trees look at "
                          "too many columns");
    for (j = 0; j < k.c->n_used && status == ASC_OK; j++)
        if (k.c->first_cut[j + 1] - k.c->first_cut[j] > MAX_RANK)
            short_ranks = 0;
    for (j = 0; j < f->n_trees && status == ASC_OK; j++)
        status = pack_tree(&k, &f->tree[j], short_ranks, &k.c->tree[j], e);
    choose_block(k.c);
out:
    free(k.work);
    free(k.program);
    free(k.run);
    free(k.index);
    return status;
}

void
asci_ensemble_unpack(struct asci_ensemble *f)
{
    struct compact *c = f->compact;

    if (!c)
        return;
    free(c->used);
    free(c->first_cut);
    free(c->cut);
    free(c->selection);
    free(c->cell);
    free(c->piece);
    free(c->bits);
    free(c->tree);
    free(c);
    f->compact = NULL;
}
