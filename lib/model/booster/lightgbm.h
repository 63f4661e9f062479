/* model/booster/lightgbm.h -- what the files of the LightGBM reader share.
 *
 * lightgbm_text.c takes the file apart into lines, lightgbm_tree.c makes a
 * tree of a block of them, lightgbm_fields.c the fields, dictionaries and
 * columns, lightgbm.c the rest of the model. */
#ifndef ASCRIBE_MODEL_BOOSTER_LIGHTGBM_H
#define ASCRIBE_MODEL_BOOSTER_LIGHTGBM_H

#include <stddef.h>
#include <stdint.h>

#include "model/form.h"

/* Bytes of the file behind `key=`, and the number of their line (0: the line
 * is not there). */
struct lightgbm_text {
    const char *p;
    size_t n, line;
};

enum lightgbm_header {
    LIGHTGBM_VERSION, LIGHTGBM_NUM_CLASS, LIGHTGBM_TREES_PER_ITERATION,
    LIGHTGBM_MAX_FEATURE, LIGHTGBM_OBJECTIVE, LIGHTGBM_AVERAGE,
    LIGHTGBM_NAMES, LIGHTGBM_INFOS, LIGHTGBM_SIZES, LIGHTGBM_N_HEADER
};

enum lightgbm_key {
    LIGHTGBM_NUM_LEAVES, LIGHTGBM_NUM_CAT, LIGHTGBM_SPLIT_FEATURE,
    LIGHTGBM_THRESHOLD, LIGHTGBM_DECISION_TYPE, LIGHTGBM_LEFT_CHILD,
    LIGHTGBM_RIGHT_CHILD, LIGHTGBM_LEAF_VALUE, LIGHTGBM_LEAF_WEIGHT,
    LIGHTGBM_LEAF_COUNT, LIGHTGBM_INTERNAL_WEIGHT, LIGHTGBM_INTERNAL_COUNT,
    LIGHTGBM_CAT_BOUNDARIES, LIGHTGBM_CAT_THRESHOLD, LIGHTGBM_IS_LINEAR,
    LIGHTGBM_LEAF_CONST, LIGHTGBM_NUM_FEATURES, LIGHTGBM_LEAF_FEATURES,
    LIGHTGBM_LEAF_COEFF, LIGHTGBM_N_KEYS
};

/* How trees use a feature. */
enum {
    LIGHTGBM_BY_CATEGORY = 1,
    LIGHTGBM_BY_NUMBER = 2,     /* thresholds, terms of linear leaves */
    LIGHTGBM_BY_NON_ZERO = 4    /* thresholds under which 0 is missing */
};

/* One tree as the file has it, used again for the next one. */
struct lightgbm_arrays {
    size_t room;                /* leaves that the arrays hold */
    int32_t *feature, *decision, *left, *right;         /* (n_leaves - 1) */
    double *threshold;
    int32_t *order;             /* (2 n_leaves - 1) nodes as children are
                                   numbered: 0, 1, ... inner, -1, -2, ...
                                   leaves */
    uint32_t *place;            /* (2 n_leaves - 1) where in `order`: inner
                                   nodes, then leaves */
    int32_t *boundary;          /* (num_cat + 1) */
    uint32_t *word;             /* of all sets, 32 bits each */
    size_t room_boundary, room_word;
};

/* Until the end of the file a node's column is its feature, n_features more
 * where 0 counts as missing, and sets have a bit for each code. */
struct lightgbm {
    asc_model *m;
    const char *p, *end;        /* what is left to read */
    size_t line;                /* of what was read last */
    int whole;                  /* that line has its end */
    struct lightgbm_text header[LIGHTGBM_N_HEADER];
    struct lightgbm_text categorical;   /* parameter categorical_feature */
    struct lightgbm_text pandas;        /* pandas_categorical */
    size_t n_features, per_iteration;
    unsigned char *use;         /* (n_features) */
    struct lightgbm_arrays a;
    struct asci_ensemble trees;
    size_t room_trees, room_sets;
};

/* ---- lightgbm_text.c ---- */

/* ASC_EINPUT: "FILE:LINE: message". */
int asci_lightgbm_fail(const struct lightgbm *r, size_t line,
                       struct asc_error *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The next piece of t between blanks: 1 and *piece, or 0. */
int asci_lightgbm_piece(struct lightgbm_text *t, struct asc_text *piece);
size_t asci_lightgbm_count(struct lightgbm_text t);
/* What fits in %.*s of a message. */
int asci_lightgbm_width(size_t n);
/* A text as a whole number of low..high, as a number; 1 if it is one. */
int asci_lightgbm_whole(struct asc_text t, int64_t low, int64_t high,
                        int64_t *v);
int asci_lightgbm_number(struct asc_text t, double *v);
/* Header, trees, and what comes behind them. */
int asci_lightgbm_parse(struct lightgbm *r, struct asc_error *e);

/* ---- lightgbm_tree.c ---- */

/* The name of a tree's line. */
extern const char *const asci_lightgbm_keys[LIGHTGBM_N_KEYS];
/* Appends tree number `tree`, which begins in this line. */
int asci_lightgbm_tree(struct lightgbm *r, size_t tree, size_t line,
                       const struct lightgbm_text *key, struct asc_error *e);
void asci_lightgbm_arrays_free(struct lightgbm_arrays *a);

/* ---- lightgbm_fields.c ---- */

/* Fields of the schema, columns of the encoder; nodes and sets of r->trees
 * come to refer to them. */
int asci_lightgbm_fields(struct lightgbm *r, struct asc_error *e);

#endif
