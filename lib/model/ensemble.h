/* model/ensemble.h -- the evaluation layout of an ensemble of trees.
 *
 * Every test of a node is a union of half-open intervals of a column.  The
 * ends of all intervals of a column, sorted, are its cuts; the rank of a
 * number is how many cuts are at most that number, and the rank of a missing
 * value is -1.  So a test, whatever its kind and wherever missing values go,
 * becomes one or a few runs of ranks:
 *
 *     yes  if  (unsigned)(rank - start) <= length
 *
 * Ranks of a block of rows are looked up once for all trees.  Small trees
 * then become programs of selections over whole vectors of rows, large ones
 * are walked cell by cell.
 */
#ifndef ASCRIBE_MODEL_ENSEMBLE_H
#define ASCRIBE_MODEL_ENSEMBLE_H

#include "model/core.h"

enum {
    VECTOR = 32,                /* rows that a selection takes at once */
    LONG_BLOCK = 2048,          /* rows, where trees are walked ... */
    LONG_RANKS = 1 << 17,       /* ... if no more ranks are needed than these */
    MAX_SELECTIONS = 512,       /* of a tree; above it is walked */
    MAX_RANK = 65000            /* of a column for vectors of 16-bit ranks */
};

/* register[to] = test ? yes : no, for each row */
struct selection {
    uint32_t at;                /* of the ranks: used column * block */
    int16_t start, bound;       /* no if (int16_t)(rank - start) > bound */
    uint16_t yes, no, to;       /* registers, or leaves */
    uint8_t yes_is_leaf, no_is_leaf;
    uint8_t triple;             /* 1: this one and the next select leaves, for
                                   yes and no of the one after them */
};

struct cell {
    uint32_t at;
    uint32_t start, length;
    uint32_t end[2];            /* cells: yes, no; a leaf leads to itself, and
                                   its start is its number */
};

/* What a cell asks in a tree with sets in many pieces, whose tests are
 *
 *     yes  if  k = rank - start <= length  and  bit (k & mask) is set
 *
 * of the bits from this word on; cells without a set have mask 0 and a word of
 * ones. */
struct piece {
    uint32_t word, mask;
};

enum { SELECTED, WALKED, WALKED_BY_BITS };

struct packed_tree {
    int how;
    size_t first, n;            /* selections or cells */
    size_t piece;               /* the first of n, if by bits */
};

struct compact {
    size_t block;               /* rows that go through together */
    size_t n_used;              /* columns that some test looks at */
    uint32_t *used;             /* (n_used) */
    size_t *first_cut;          /* (n_used + 1) */
    double *cut;                /* sorted within a column */
    size_t n_selections, n_cells, n_pieces, n_registers;
    int some_walked, some_selected;
    struct selection *selection;
    struct cell *cell;
    struct piece *piece;        /* (n_pieces) */
    uint64_t *bits;             /* (n_words) the first word is all ones */
    size_t n_words;
    struct packed_tree *tree;   /* (n_trees) */
};

/* How many of the n sorted cuts are at most v. */
static inline uint32_t
asci_rank(const double *cut, size_t n, double v)
{
    const double *p = cut;

    while (n > 1) {
        size_t half = n / 2;

        p += half & -(size_t)(p[half - 1] <= v);        /* no branch */
        n -= half;
    }
    return (uint32_t)(p - cut) + (n == 1 && *p <= v);
}

/* The node of a tree that one row's columns lead to. */
const struct asci_node *asci_find_leaf(const struct asci_ensemble *f,
                                       const struct asci_tree *t,
                                       const double *columns);

#endif
