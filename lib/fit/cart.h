/* fit/cart.h -- what grows a decision tree, for the trainers `tree` and
 * `forest`.
 *
 *     table --cart_table.c--> ranks of values, column by column
 *           --cart_grow.c, cart_search.c--> a tree of all splits worth making
 *           --cart_prune.c--> at which complexity each branch is cut off
 *           --asci_cart_add--> a tree of the model
 */
#ifndef ASCRIBE_FIT_CART_H
#define ASCRIBE_FIT_CART_H

#include <pthread.h>

#include "fit/internal.h"

/* A field's values as ranks 0, 1, ... among its distinct values; categories
 * as they are. */
struct asci_cart_field {
    int categorical;
    uint32_t n_codes;           /* the code n_codes is: missing */
    uint32_t *code;             /* (n) */
    double *value;              /* (n_codes) rising, or NULL: categories */
};

struct asci_cart_table {
    const char *name;           /* of the trainer, for messages */
    const struct asc_training *t;
    size_t n, d;                /* rows of positive weight, fields */
    size_t k;                   /* classes; 0: the target is a number */
    size_t *order;              /* (n) rows of the training table; i below is
                                   a place in this order */
    struct asci_cart_field *field;      /* (d) */
    double *y, *w;              /* (n) */
};
int asci_cart_table_init(struct asci_cart_table *c,
                         const struct asc_training *t, const char *name,
                         struct asc_error *e);
void asci_cart_table_free(struct asci_cart_table *c);

/* Sorts v (n) by key, no larger than top, equal keys staying in their order;
 * spare (n). */
struct asci_cart_pair {
    uint32_t key, i;
};
void asci_cart_sort(struct asci_cart_pair *v, struct asci_cart_pair *spare,
                    size_t n, uint32_t top);

/* ---- growing ---- */

struct asci_cart_options {
    int entropy;                /* classes: entropy in place of Gini's index */
    size_t depth;               /* splits above a leaf at most */
    size_t min_split, min_leaf; /* rows */
    double min_decrease;        /* of impurity, in shares of all weight */
    size_t fields;              /* looked at for a split; 0: all */
    struct asc_stream *stream;  /* that draws them; the space then has one
                                   thread */
};

/* A row of the node whose split is being looked for. */
struct asci_cart_near {
    double w;
    double v;                   /* w (y - the node's mean); classes: unused */
    uint32_t k;                 /* class */
    uint32_t n;                 /* rows that it stands for */
};

struct asci_cart_scratch;       /* of one thread, cart_search.c */

/* Room for one tree at a time, and the rows that it is grown on. */
struct asci_cart_space {
    size_t n_row;
    uint32_t *row;              /* (n_row) places in the table's order,
                                   rising; changed by growing */
    double *w;                  /* (n) of each place: weight */
    uint32_t *count;            /* (n) ... and how many rows it stands for */
    uint32_t *spare;            /* (n) */
    struct asci_cart_near *near;        /* (n) */
    struct asci_cart_scratch **scratch; /* (threads) */
    unsigned threads, n_idle;   /* the first n_idle of them are not in use */
    pthread_mutex_t lock;
};
int asci_cart_space_init(struct asci_cart_space *s,
                         const struct asci_cart_table *c, unsigned threads,
                         struct asc_error *e);
void asci_cart_space_free(struct asci_cart_space *s);

/* A tree as it is grown: nodes of the model's kind, children after their
 * parents, and what is known of the rows in each: of classes, their weights
 * (k); of a number, weight, mean, sum of weighted squares about it. */
struct asci_cart_tree {
    size_t n_nodes, room_nodes, room_stats;
    struct asci_node *node;     /* ASCI_LEAF, or with two children */
    double *stat;               /* (n_nodes, width) */
    size_t width;
    uint64_t *set;
    size_t n_words, room_words;
};
/* Fills *t, which is empty, from the rows of s. */
int asci_cart_grow(const struct asci_cart_table *c,
                   const struct asci_cart_options *o,
                   struct asci_cart_space *s, struct asci_cart_tree *t,
                   struct asc_error *e);
void asci_cart_tree_free(struct asci_cart_tree *t);
/* The weight of a node's rows. */
double asci_cart_weight(const struct asci_cart_table *c, const double *stat);
/* What a leaf of them says: value (k, or 1). */
void asci_cart_value(const struct asci_cart_table *c, const double *stat,
                     double *value);

/* The child of an inner node that the row at place i goes to. */
uint32_t asci_cart_child(const struct asci_cart_table *c,
                         const struct asci_cart_tree *t, uint32_t node,
                         size_t i);

/* The trees of a model, to which asci_cart_add adds. */
struct asci_cart_model {
    asc_model *m;
    size_t room_trees, room_sets;
};
/* Makes m an ensemble of such trees, without any: its outputs are the
 * probabilities of classes, or the number. */
int asci_cart_model_init(struct asci_cart_model *o, asc_model *m,
                         const struct asci_cart_table *c,
                         struct asc_error *e);
/* Adds t, its branches cut off at nodes where leaf[i] is 1 (NULL: none), in
 * an order that does not depend on how it was grown. */
int asci_cart_add(struct asci_cart_model *o, const struct asci_cart_table *c,
                  const struct asci_cart_tree *t, const unsigned char *leaf,
                  struct asc_error *e);

/* ---- splits, cart_search.c ---- */

/* The best division of a node's rows by a field: yes is the first `cut` of
 * its values, in the order in which they may be cut, or those of `chosen`. */
struct asci_cart_split {
    double gain;                /* 0: there is none */
    size_t field;
    uint32_t cut;               /* 0: see chosen */
    uint32_t chosen;            /* bit i: the node's ith category */
    uint32_t low, high;         /* codes on either side of the cut; high =
                                   n_codes: the known from the missing */
    int missing_yes;
    int constant;               /* all rows have the same value */
};
struct asci_cart_part {         /* what is to be divided */
    size_t from, n;             /* in space->row and near */
    uint32_t n_rows;            /* that these stand for */
    double rest;                /* sum of near.v: what rounding left */
    const double *stat;
};
struct asci_cart_scratch *
asci_cart_scratch_new(const struct asci_cart_table *c, struct asc_error *e);
void asci_cart_scratch_free(struct asci_cart_scratch *w);
void asci_cart_search(const struct asci_cart_table *c,
                      const struct asci_cart_options *o,
                      const struct asci_cart_space *s,
                      struct asci_cart_scratch *w,
                      const struct asci_cart_part *v, size_t field,
                      struct asci_cart_split *best);
/* A split of categories: side (n_codes + 1), yes, no, or that the part has no
 * row with the code. */
enum { ASCI_CART_NO, ASCI_CART_YES, ASCI_CART_UNSEEN };
void asci_cart_sides(const struct asci_cart_table *c,
                     const struct asci_cart_space *s,
                     struct asci_cart_scratch *w,
                     const struct asci_cart_part *v,
                     const struct asci_cart_split *split,
                     unsigned char *side);

/* ---- pruning, cart_prune.c ---- */

enum asci_cart_loss { ASCI_CART_ERROR, ASCI_CART_BRIER };
/* Weighted loss of a node's rows if it were a leaf; squares, of a number. */
double asci_cart_risk(const struct asci_cart_table *c, const double *stat,
                      enum asci_cart_loss loss);
/* alpha (n_nodes): the complexity, a risk of a unit of weight, from which on
 * the branch below a node is not worth its leaves; -inf for leaves.  No node
 * has a larger one than its parent. */
int asci_cart_weakest(const struct asci_cart_table *c,
                      const struct asci_cart_tree *t,
                      enum asci_cart_loss loss, double *alpha,
                      struct asc_error *e);

/* ---- cross-validation, cart_cross.c ---- */

/* The subtrees of a tree, from the largest on; risks and complexities are of
 * a unit of weight. */
struct asci_cart_sequence {
    size_t n;
    double *alpha;              /* (n) rising */
    size_t *leaves;             /* (n) falling to 1 */
    double *risk, *error;       /* (n) of rows held out, and its standard
                                   error */
};
/* The subtrees of t for complexities of at least `least`, each judged on
 * `folds` parts of the rows by trees grown without the part.  alpha: of
 * asci_cart_weakest. */
int asci_cart_cross(const struct asci_cart_table *c,
                    const struct asci_cart_options *o,
                    struct asci_cart_space *s, enum asci_cart_loss loss,
                    size_t folds, uint64_t seed,
                    const struct asci_cart_tree *t, const double *alpha,
                    double least, struct asci_cart_sequence *out,
                    struct asc_error *e);
void asci_cart_sequence_free(struct asci_cart_sequence *q);

#endif
