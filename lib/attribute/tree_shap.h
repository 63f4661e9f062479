/* attribute/tree_shap.h -- what the two engines of tree-shap share.
 *
 * A tree is walked down its edges in preorder, for a block of rows at once.
 * Of every row only that matters which tests it passes.
 */
#ifndef ASCRIBE_ATTRIBUTE_TREE_SHAP_H
#define ASCRIBE_ATTRIBUTE_TREE_SHAP_H

#include "attribute/forest.h"

enum { ASCI_TREE_ROWS = 512 };  /* rows that are explained together */

/* One node of a tree in preorder with the edge that leads to it.  The path
 * from the root has at most one edge for each depth, so what belongs to an
 * edge of the current path is kept by depth. */
struct asci_step {
    double c;                   /* product of the cover ratios of all edges of
                                   this field on the path, this one included */
    uint32_t node, depth;       /* the root: depth 0, no edge */
    uint32_t field;             /* of the test that the edge belongs to */
    uint32_t before;            /* depth of the last edge of the same field
                                   further up; 0: none */
    uint32_t different;         /* fields on the path */
    uint32_t end;               /* ASCI_YES ... of that test */
};

/* The steps of a tree, step[n_nodes]; room of asci_steps_room(f) numbers. */
size_t asci_steps_room(const struct asci_forest *f);
void asci_steps(const struct asci_forest *f, const struct asci_forest_tree *t,
                struct asci_step *step, uint32_t *room);

/* A block of rows as codes; see asci_forest_code. */
struct asci_coded {
    size_t n;
    const int32_t *code;        /* (n_coders, ASCI_TREE_ROWS) */
    const unsigned char *missing;       /* (n_coders) */
};

/* passed (n) = all bits where a row takes the end yes of node b, else 0;
 * missing (n), if the node has three ends, the same for that end. */
void asci_decide(const struct asci_forest *f, const struct asci_branch *b,
                 const struct asci_coded *rows, uint16_t *passed,
                 uint16_t *missing);
/* took (n): all bits where the rows take this end of node b. */
void asci_take(const struct asci_branch *b, uint32_t end, size_t n,
               const uint16_t *passed, const uint16_t *missing,
               uint16_t *took);

/* Abscissas and weights on [0, 1] of the smallest Gauss-Legendre
 * rule that integrates polynomials of degree under `degree` exactly; *q how
 * many.  NULL if there is none. */
double *asci_rule(size_t degree, size_t *q, struct asc_error *e);

/* ---- tables over patterns: trees with few different fields on a path ---- */

struct asci_tables;

struct asci_tables *asci_tables_new(const struct asci_forest *f,
                                    struct asc_error *e);
void asci_tables_free(struct asci_tables *s);
/* Makes the tables of tree j, steps[n_nodes].  *made = 0 if it does not suit:
 * too many different fields, or too much memory. */
int asci_tables_add(struct asci_tables *s, size_t j,
                    const struct asci_step *step, int *made,
                    struct asc_error *e);
/* phi (n, d) += attributions of value k of tree j. */
size_t asci_tables_room(const struct asci_tables *s);   /* in uint16_t */
void asci_tables_run(const struct asci_tables *s, size_t j, size_t k,
                     const struct asci_coded *rows, double *phi,
                     uint16_t *room);

/* ---- quadrature: any tree ---- */

struct asci_quadrature {
    size_t n_steps, depth, q;   /* depth: of the deepest node */
    struct asci_step *step;     /* (n_steps) */
    double *rule;               /* (2, q) */
};

int asci_quadrature_make(struct asci_quadrature *s,
                         const struct asci_forest_tree *t,
                         const struct asci_step *step, struct asc_error *e);
void asci_quadrature_free(struct asci_quadrature *s);
size_t asci_quadrature_room(const struct asci_quadrature *s);   /* bytes */
void asci_quadrature_run(const struct asci_quadrature *s,
                         const struct asci_forest *f, size_t j, size_t k,
                         const struct asci_coded *rows, double *phi,
                         void *room);

#endif
