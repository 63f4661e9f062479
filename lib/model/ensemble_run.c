/* model/ensemble_run.c -- many rows through many trees.
 *
 *     r = base + scale * sum over trees, in their order, of the leaf reached
 *
 * Why it is fast: tree outer, row inner.  The columns of a block of rows are
 * turned into ranks (16 bits, column by column) once for all trees.  A small
 * tree is a list of selections, each of which compares the ranks of all rows
 * of the block and picks one of two leaf numbers for each, from the leaves up
 * to the root: no branch, no load that waits for another, 8 or 16 rows to an
 * instruction.  That beats walking down although every node is visited, until
 * a tree has some 500 nodes; larger ones are walked, eight rows side by side
 * so that their loads overlap.  All of it is integer arithmetic, and leaves
 * are added in the order of the trees, so that no instruction set, block or
 * neighbour changes a bit.
 */
#include <math.h>
#include <string.h>

#include "model/ensemble.h"

enum { SIDE_BY_SIDE = 8, LINE = 64 };
enum { WIDE = 64, NEAR_CUTS = 1 << 16, FEW = 16 };      /* see rank_rows */
enum { MOST = 64 };             /* rows of a column that are ranked together */

/* Scratch, in doubles: sums, long ranks, short ranks, registers, leaves. */
struct room {
    double *sum;                /* (n_raw, block) */
    uint32_t *rank;             /* (n_used, block) */
    int16_t *short_rank;        /* (n_used, block) */
    int16_t *reg;               /* (n_registers, ASCI_BLOCK) */
    uint32_t *leaf;             /* (block) */
};

static size_t
arrange(const struct asci_ensemble *f, double *scratch, struct room *w)
{
    const struct compact *c = f->compact;
    const size_t b = c->block;          /* a multiple of 8 */
    size_t at = (LINE - (uintptr_t)scratch % LINE) % LINE / sizeof *scratch;

    w->sum = scratch + at;
    at += f->n_raw * b;
    w->rank = (uint32_t *)(void *)(scratch + at);
    at += c->n_used * (b / 2);
    w->short_rank = (int16_t *)(void *)(scratch + at);
    at += c->n_used * (b / 4);
    w->reg = (int16_t *)(void *)(scratch + at);
    at += (c->n_registers + 1) * (ASCI_BLOCK / 4);
    w->leaf = (uint32_t *)(void *)(scratch + at);
    return at + b / 2;
}

size_t
asci_ensemble_scratch(const struct asci_ensemble *f)
{
    struct room w;
    double nothing;

    /* Wherever it begins, up to a line may be skipped. */
    return arrange(f, &nothing, &w) + LINE / sizeof nothing;
}

/* ---- ranks ---- */

/* Ranks of SIDE_BY_SIDE numbers, as asci_rank: their searches take the same
 * number of steps, and one's loads hide the other's. */
static void
rank_some(const double *cut, size_t n, const double *v, uint32_t *rank)
{
    const double *p[SIDE_BY_SIDE];
    size_t i, half;

    for (i = 0; i < SIDE_BY_SIDE; i++)
        p[i] = cut;
    for (; n > 1; n -= half) {
        half = n / 2;
        for (i = 0; i < SIDE_BY_SIDE; i++)
            p[i] += half & -(size_t)(p[i][half - 1] <= v[i]);
    }
    for (i = 0; i < SIDE_BY_SIDE; i++) {
        rank[i] = (uint32_t)(p[i] - cut) + (n == 1 && *p[i] <= v[i]);
        rank[i] |= -(uint32_t)(v[i] != v[i]);   /* missing: -1 */
    }
}

/* v (n) = column j of n rows, up to MOST */
static void
take_column(const struct asci_cells *in, size_t j, size_t first, size_t n,
            double *v)
{
    const double *x = in->x + first * in->width;
    size_t i;

    if (in->encoder)
        asci_encode_column(&in->encoder->column[j], in->width, x, n, v, 1);
    else
        for (i = 0; i < n; i++)
            v[i] = x[i * in->width + j];
}

/* Ranks of all used columns for rows first .. last - 1, column by column. */
static void
rank_part(const struct compact *c, const struct asci_cells *in, size_t first,
          size_t last, struct room *w)
{
    double v[MOST] = { 0 };
    size_t i, k, u, n;

    for (u = 0; u < c->n_used; u++) {
        const double *cut = c->cut + c->first_cut[u];
        const size_t n_cuts = c->first_cut[u + 1] - c->first_cut[u];

        for (i = first; i < last; i += MOST) {
            n = last - i < MOST ? last - i : MOST;
            take_column(in, c->used[u], i, n, v);
            for (k = 0; k < n; k += SIDE_BY_SIDE)
                rank_some(cut, n_cuts, v + k,
                          w->rank + u * c->block + i + k);
        }
    }
}

static void
rank_rows(const struct asci_ensemble *f, const struct asci_cells *in,
          size_t n, size_t full, struct room *w)
{
    const struct compact *c = f->compact;
    /* Many columns with few cuts each: a few rows at a time, which stay in
     * the cache from one column to the next.  Else the cuts of a column
     * should. */
    const size_t step =
        c->n_used > WIDE && c->first_cut[c->n_used] <= NEAR_CUTS ? FEW : n;
    size_t i, u;

    for (i = 0; i < n; i += step)
        rank_part(c, in, i, n - i < step ? n : i + step, w);
    for (u = 0; u < c->n_used; u++) {
        uint32_t *rank = w->rank + u * c->block;

        /* Rows that fill the last vector up; what becomes of them is not
         * looked at. */
        for (i = n; i < full; i++)
            rank[i] = 0;
        if (c->some_selected) {
            int16_t *narrow = w->short_rank + u * c->block;

            for (i = 0; i < full; i++)
                narrow[i] = (int16_t)(uint16_t)rank[i];
        }
    }
}

/* ---- selections ---- */

/* A copy for each instruction set, of vectors as long as its registers.  One
 * for AVX-512 was no faster: what is left to wait for are the stores. */
#define SELECT_NAME select_plain
#define SELECT_BYTES 16
#define SELECT_TARGET
#include "model/ensemble_select.h"

#if defined(__x86_64__)
#define SELECT_NAME select_avx2
#define SELECT_BYTES 32
#define SELECT_TARGET __attribute__((target("avx2")))
#include "model/ensemble_select.h"
#endif

typedef void select_function(const struct selection *s, size_t n_selections,
                             const int16_t *rank, int16_t *reg, size_t n);

static select_function *
best_select(void)
{
#if defined(__x86_64__)
    if (asci_has_avx2())
        return select_avx2;
#endif
    return select_plain;
}

/* ---- cells ---- */

/* Leaves of SIDE_BY_SIDE rows, rank pointing to the first of them. */
static void
walk_some(const struct cell *cell, const uint32_t *rank, uint32_t *leaf)
{
    uint32_t k[SIDE_BY_SIDE] = { 0 }, moved;
    size_t i;

    do {
        moved = 0;
        for (i = 0; i < SIDE_BY_SIDE; i++) {
            const struct cell *p = &cell[k[i]];
            /* Indexed by the test: a branch would be mispredicted. */
            uint32_t next = p->end[rank[p->at + i] - p->start > p->length];

            moved |= next ^ k[i];
            k[i] = next;
        }
    } while (moved);
    for (i = 0; i < SIDE_BY_SIDE; i++)
        leaf[i] = cell[k[i]].start;
}

/* The same where sets are looked up as bits. */
static void
walk_some_by_bits(const struct cell *cell, const struct piece *piece,
                  const uint64_t *bits, const uint32_t *rank, uint32_t *leaf)
{
    uint32_t k[SIDE_BY_SIDE] = { 0 }, moved;
    size_t i;

    do {
        moved = 0;
        for (i = 0; i < SIDE_BY_SIDE; i++) {
            const struct cell *p = &cell[k[i]];
            const struct piece *q = &piece[k[i]];
            const uint32_t at = rank[p->at + i] - p->start;
            const uint64_t inside = at <= p->length;
            const uint32_t bit = at & q->mask & -(uint32_t)inside;
            const uint64_t yes =
                bits[q->word + bit / 64] >> (bit % 64) & inside;
            uint32_t next = p->end[yes ^ 1];

            moved |= next ^ k[i];
            k[i] = next;
        }
    } while (moved);
    for (i = 0; i < SIDE_BY_SIDE; i++)
        leaf[i] = cell[k[i]].start;
}

static void
walk_all(const struct compact *c, const struct packed_tree *p,
         const uint32_t *rank, size_t n, uint32_t *leaf)
{
    size_t i;

    if (p->how == WALKED)
        for (i = 0; i < n; i += SIDE_BY_SIDE)
            walk_some(c->cell + p->first, rank + i, leaf + i);
    else
        for (i = 0; i < n; i += SIDE_BY_SIDE)
            walk_some_by_bits(c->cell + p->first, c->piece + p->piece,
                              c->bits, rank + i, leaf + i);
}

/* ---- sums ---- */

/* What a leaf's value adds: the number itself, or scaled and rounded as an
 * engine that works in float has it.  A sum of two floats rounded to double
 * and then to float is the sum in float (Figueroa 1995). */
static double
single_term(const struct asci_ensemble *f, double v)
{
    return (double)((float)f->scale * (float)v);
}

/* sum[i] += the value of leaf number leaf[i] of the tree, for each output of
 * the tree; sums of an output are `block` apart. */
static void
add_leaves(const struct asci_ensemble *f, const struct asci_tree *t,
           const uint32_t *leaf, size_t n, double *sums, size_t block,
           int single)
{
    size_t i, k;

    for (k = 0; k < t->width; k++) {
        const double *value = t->value + k;
        double *sum = sums + (t->first + k) * block;

        if (single)
            for (i = 0; i < n; i++)
                sum[i] = (double)(float)(sum[i] +
                         single_term(f, value[leaf[i] * t->width]));
        else
            for (i = 0; i < n; i++)
                sum[i] += value[leaf[i] * t->width];
    }
}

/* The leaves of all n rows, and their values added to the sums. */
static void
run_tree(const struct asci_ensemble *f, size_t j, size_t n, struct room *w,
         select_function *select_rows, int single)
{
    const struct compact *c = f->compact;
    const struct asci_tree *t = &f->tree[j];
    const struct packed_tree *p = &c->tree[j];
    const int walked = p->how != SELECTED;
    size_t i, k, now;

    if (walked)
        walk_all(c, p, w->rank, n, w->leaf);
    else if (p->n == 0)
        for (i = 0; i < n; i++)
            w->leaf[i] = t->node[0].leaf;
    for (i = 0; !walked && p->n > 0 && i < n; i += ASCI_BLOCK) {
        now = n - i < ASCI_BLOCK ? n - i : ASCI_BLOCK;
        select_rows(c->selection + p->first, p->n, w->short_rank + i, w->reg,
                    (now + VECTOR - 1) / VECTOR * VECTOR);
        if (t->width == 1 && !single)
            for (k = 0; k < now; k++)
                w->sum[t->first * c->block + i + k] +=
                    t->value[(uint16_t)w->reg[k]];
        else
            for (k = 0; k < now; k++)
                w->leaf[i + k] = (uint16_t)w->reg[k];
    }
    if (walked || p->n == 0 || t->width > 1 || single)
        add_leaves(f, t, w->leaf, n, w->sum, c->block, single);
}

void
asci_ensemble_raw(const struct asci_ensemble *f, const struct asci_cells *in,
                  size_t n, double *r, double *scratch, int single)
{
    const struct compact *c = f->compact;
    const size_t full = (n + VECTOR - 1) / VECTOR * VECTOR;
    select_function *select_rows = best_select();
    struct room w;
    size_t i, j, k;

    single = single ? f->single : 0;
    arrange(f, scratch, &w);
    for (k = 0; k < f->n_raw; k++)
        for (i = 0; i < n; i++)
            w.sum[k * c->block + i] = single == 2 ? (double)(float)f->base[k]
                                                  : 0.0;
    rank_rows(f, in, n, full, &w);
    for (j = 0; j < f->n_trees; j++)
        run_tree(f, j, n, &w, select_rows, single);
    for (k = 0; k < f->n_raw; k++)
        for (i = 0; i < n; i++) {
            double sum = w.sum[k * c->block + i];

            if (single == 1)
                sum = (double)(float)(sum + (double)(float)f->base[k]);
            else if (single == 0)
                sum = f->base[k] + f->scale * sum;
            r[i * f->n_raw + k] = sum;
        }
}

size_t
asci_ensemble_block(const struct asci_ensemble *f)
{
    const struct compact *c = f->compact;

    return c->block;
}
