/* fit/gbm.h -- what the files of the trainer gbm share. */
#ifndef ASCRIBE_FIT_GBM_H
#define ASCRIBE_FIT_GBM_H

#include "fit/internal.h"

/* Parameters, as in the trainer's list. */
enum { TREES, DEPTH, RATE, MIN_CHILD, LAMBDA, GAMMA, SUBSAMPLE, COLUMNS,
       BINS, MIN_CATEGORY, HELD_OUT, PATIENCE };

/* Gradient, curvature and weight, of a row or a sum. */
struct slope {
    double g, h, w;
};

struct cell {
    double g, h, w;
    uint64_t n;                 /* rows */
};

/* Rows of a node: drawn ones [from, to), others [out_from, out_to). */
struct open_node {
    size_t from, to, out_from, out_to;
    uint32_t node;
    unsigned depth;
    struct cell *cells;         /* its histogram, NULL if it must be a leaf */
    struct slope sum;
};

/* A category and its G/H in a node. */
struct ranked {
    double ratio;
    size_t category;
};

struct split {
    double gain;
    size_t field;
    size_t cut;                 /* last bin, or number of categories in their
                                   order, on the yes side */
    int missing_yes;
};

struct gbm_job {
    const struct asc_training *t;
    const struct asc_spec *s;
    asc_model *m;
    size_t n, d, k;             /* rows, fields, scores */
    size_t n_held;              /* the last ones of the rows are held out */
    size_t *order;              /* (n) rows of the table; i below is a place
                                   in this order */
    struct asci_bins *bins;     /* (d) */
    size_t *offset;             /* (d + 1) of a field in a histogram */
    double *y, *w;              /* (n) w: 0 where held out */
    double *score, *p;          /* (k, n); p: response at the round's start */
    struct slope *slope, *near; /* (n); near: of a node's rows, in a row */
    uint32_t *row, *out, *spare;        /* (n) */
    size_t n_row, n_out;
    size_t *active, n_active;   /* (d) fields of this round, rising */
    unsigned char *side;        /* (most bins of a field + 1) 1: yes */
    size_t *rank;               /* (most bins) bins in the order of cuts */
    struct ranked *ranked;      /* (most bins) */
    struct cell **slots;        /* (depth + 1) histograms not in use */
    size_t n_slots;
    struct open_node *stack;    /* (depth + 2) */
    size_t n_stack;
    double least;               /* curvature that a child must have */
    struct asci_tree *tree;     /* being grown */
    size_t node_capacity, leaf_capacity;
    size_t tree_capacity, set_capacity;
};

/* One tree on o->slope, to o->tree; its values are added to score (n). */
int asci_gbm_grow(struct gbm_job *o, double *score, struct asc_error *e);
/* Room for one more element of *p, of which n are used. */
int asci_gbm_room(void **p, size_t n, size_t *capacity, size_t size,
                  struct asc_error *e);

#endif
