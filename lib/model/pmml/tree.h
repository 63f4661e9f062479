/* model/pmml/tree.h -- what the files of the tree compiler share: predicates
 * and nodes as they are read, and what is known of columns on the way.
 */
#ifndef ASCRIBE_MODEL_PMML_TREE_H
#define ASCRIBE_MODEL_PMML_TREE_H

#include "model/pmml/pmml.h"

#define NONE UINT32_MAX
enum answer { YES = 1, NO = 2, UNKNOWN = 4 };

enum predicate_kind {
    TEST, IS_MISSING,           /* of one column */
    ALWAYS, NEVER,
    AND, OR, XOR, SURROGATE
};

struct predicate {
    uint32_t kind;              /* enum predicate_kind */
    uint32_t parent, first, next;       /* predicates */
    uint32_t node;              /* whose predicate this is, or is part of */
    uint32_t level;             /* compounds around it */
    uint32_t test, column;      /* TEST, as in struct asci_node */
    uint32_t set, set_bits;
    uint32_t n_labels;          /* of the column, if it holds labels; else 0 */
    int others;                 /* it may hold an undeclared one */
    size_t field;               /* whose categories the labels are, or
                                   PMML_NO_FIELD */
    int negate;                 /* YES of the test is NO */
    int unknown_is_no;          /* both lead to the same place */
    double threshold;
};

struct node {
    uint32_t element;
    uint32_t predicate;
    uint32_t parent, first, next;
    uint32_t default_child;
    double count;               /* NaN: not known */
    uint32_t lacking;           /* least of made.lacking where it begins */
    uint32_t n_entered;         /* times it was compiled with that */
    uint32_t n_ends;            /* times the tree ends at it, between its
                                   children */
};

/* What is possible of a column; the latest entry of a column counts. */
struct known {
    const struct known *up;
    uint32_t column;
    int missing, present;
    double low, high, other_than;
    int low_open, high_open;
    uint64_t *set;              /* labels, and one bit for undeclared ones */
    uint32_t n_labels;
};

/* What is read of a tree, in document order. */
struct nodes {
    struct pmml *p;
    struct pmml_scope *scope;
    int fallback;               /* default children are asked for */
    int counted;                /* a count other than 1 was read */
    int shares;                 /* a count of 1 was split in fractions */
    struct node *node;
    size_t n_nodes, room_nodes;
    struct predicate *predicate;
    size_t n_predicates, room_predicates;
};

/* tree_read.c: a Node element and all within it, or a predicate alone */
int asci_pmml_add_node(struct nodes *t, uint32_t element, uint32_t parent,
                       uint32_t *index);
int asci_pmml_read_node(struct nodes *t, uint32_t element, uint32_t parent,
                        uint32_t *index);
int asci_pmml_read_predicate(struct nodes *t, uint32_t element,
                             uint32_t parent, uint32_t node,
                             uint32_t *index);

/* tree_known.c */
/* The answers that are possible, given what is known. */
int asci_pmml_assess(const struct pmml *p, const struct predicate *q,
                     const struct known *known);
/* YES for NO and the other way round. */
int asci_pmml_negated(int answers);
/* What is known once the predicate has given this answer; NULL: failed. */
const struct known *asci_pmml_learn(struct pmml *p, struct pmml_arena *arena,
                                    const struct predicate *q,
                                    const struct known *known, int answer);
/* What is known where either of two answers to it was given. */
const struct known *asci_pmml_join(struct pmml *p, struct pmml_arena *arena,
                                   const struct predicate *q,
                                   const struct known *a,
                                   const struct known *b);

#endif
