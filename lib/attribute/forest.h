/* attribute/forest.h -- an ensemble of trees as a game of fields sees it.
 *
 * Every test belongs to one raw field, whatever columns the field is encoded
 * in, and is decided on small whole numbers: the values of a column are cut
 * at all thresholds that any tree compares it with, and a test is a range of
 * these cells.  Tests that cannot divide rows are gone.
 */
#ifndef ASCRIBE_ATTRIBUTE_FOREST_H
#define ASCRIBE_ATTRIBUTE_FOREST_H

#include <stddef.h>
#include <stdint.h>

#include "model/form.h"

enum { ASCI_YES, ASCI_NO, ASCI_MISSING };       /* the ends of a test */

/* How a column becomes a code.  With k cuts under v, the code is 2 k, or
 * 2 k + 1 if v is the next cut itself; for tests against sets it is the number
 * of the category, -1 if it is none. */
struct asci_coder {
    uint32_t column, field;
    int by_category;
    size_t n;
    double *cut;                /* (n) rising */
    int32_t missing;            /* the code of a missing value */
};

/* A node.  Leaves have child[0] = 0. */
struct asci_branch {
    uint32_t child[3];          /* yes, no, missing (0: goes with one of the
                                   other two) */
    uint32_t coder, field;
    int32_t low, high;          /* yes: low <= code <= high */
    uint32_t set, set_bits;     /* or, if set_bits > 0, code in this set */
    uint32_t missing_yes;       /* no end of its own: missing goes with yes */
    uint32_t leaf;              /* leaves: the values begin at leaf * width */
};

struct asci_forest_tree {
    size_t n_nodes;             /* children come after their parents */
    struct asci_branch *node;   /* (n_nodes) */
    double *ratio;              /* (n_nodes) cover of the node by that of its
                                   parent, 1 for the root; or NULL */
    size_t width, first;        /* as in struct asci_tree */
    const double *value;        /* (n_leaves, width) of the model */
};

struct asci_forest {
    size_t d, n_columns, n_raw, n_trees, n_coders;
    struct asci_coder *coder;   /* (n_coders) by column */
    struct asci_forest_tree *tree;      /* (n_trees) */
    const uint64_t *sets;       /* of the model */
};

/* 1 if every column that a tree looks at depends on one field at most; else 0
 * and *column is the first that does not. */
int asci_forest_possible(const asc_model *m, size_t *column);

/* cover (n_trees)(n_nodes) or NULL: no ratios are wanted.  The model must
 * outlive it. */
struct asci_forest *asci_forest_new(const asc_model *m,
                                    const double *const *cover,
                                    struct asc_error *e);
void asci_forest_free(struct asci_forest *f);

/* Nodes of the largest tree, or 1. */
size_t asci_largest_tree(const struct asci_forest *f);

/* code (n_coders, stride) of encoded columns (n, n_columns), n up to stride;
 * missing (n_coders) is 1 where one of the n is missing. */
void asci_forest_code(const struct asci_forest *f, const double *columns,
                      size_t n, int32_t *code, size_t stride,
                      unsigned char *missing);

static inline int
asci_in_set(const uint64_t *sets, const struct asci_branch *b, int32_t code)
{
    return code >= 0 && (uint32_t)code < b->set_bits &&
           (sets[b->set + (uint32_t)code / 64] >> ((uint32_t)code % 64) & 1);
}

/* Which end of an inner node a code takes. */
static inline int
asci_branch_end(const struct asci_forest *f, const struct asci_branch *b,
                int32_t code)
{
    int yes;

    if (code == f->coder[b->coder].missing)
        return b->child[2] ? ASCI_MISSING
                           : b->missing_yes ? ASCI_YES : ASCI_NO;
    yes = b->set_bits ? asci_in_set(f->sets, b, code)
                      : code >= b->low && code <= b->high;
    return yes ? ASCI_YES : ASCI_NO;
}

#endif
