/* model/booster/xgboost.h -- what the files of the XGBoost reader share. */
#ifndef ASCRIBE_MODEL_BOOSTER_XGBOOST_H
#define ASCRIBE_MODEL_BOOSTER_XGBOOST_H

#include "model/booster/json_parts.h"
#include "model/form.h"

enum {
    MAX_NAMELESS = 1000000,     /* features or outputs that are only counted */
    MAX_CODE = 1 << 24,         /* XGBoost's own limit */
    SMALL_CODE = 1024           /* up to it every code is a category */
};

/* The categories of one feature, in the order of their codes. */
struct xgboost_dictionary {
    int given;                  /* by the file, not gathered from splits */
    int numbers;
    struct asci_texts text;
    int32_t *code;              /* (text.n) gathered: which code it is */
};

/* Where in the file trees and sizes are. */
#define XGBOOST_MODEL "learner.gradient_booster.model"
#define XGBOOST_PARAM "learner.learner_model_param"

struct xgboost {
    struct asci_json j;
    asc_model *m;
    /* learner */
    struct asci_texts objective, booster;     /* one text each */
    struct asci_singles base_score;
    struct asci_whole n_class, n_target, n_feature;
    struct asci_whole best_iteration, best_limit;
    struct asci_texts name, type;
    struct asci_integers version;
    /* model */
    struct asci_ensemble trees;
    size_t tree_capacity;
    struct asci_integers codes; /* of all categorical splits; a node's set and
                                   set_bits are first and count till the end */
    struct asci_integers tree_info, iteration;
    struct asci_singles weight_drop, linear;
    struct asci_whole n_parallel, n_trees;
    struct xgboost_dictionary *dictionary;
    size_t n_dictionaries, dictionary_capacity;
    struct asci_integers offsets;
    struct asci_doubles values;
    /* the tree that is being read */
    struct asci_singles weight, leaf_weight, condition, hessian;
    struct asci_integers left, right, feature, split_type, default_left;
    struct asci_integers category, category_node, category_segment,
                         category_size;
    struct asci_whole leaf_size;
    uint32_t *order, *place;
    size_t n_place;
};

/* How often each feature is split, by categories and by thresholds. */
struct xgboost_use { size_t categories, thresholds, codes; };

/* xgboost_read.c: the whole document */
int asci_xgboost_document(struct xgboost *r, struct asc_error *e);

/* xgboost_tree.c: the array trees; to: struct xgboost */
int asci_xgboost_trees(struct asci_json *j, void *to, struct asc_error *e);
/* Frees the trees from n on. */
void asci_xgboost_drop_trees(struct asci_ensemble *f, size_t n);

/* xgboost_category.c: the object cats; to: struct xgboost */
int asci_xgboost_categories(struct asci_json *j, void *to,
                            struct asc_error *e);
/* Dictionaries of the features that have none but are split by category, use
 * (schema.n); then all such splits as sets. */
int asci_xgboost_codes(struct xgboost *r, const struct xgboost_use *use,
                       struct asc_error *e);
int asci_xgboost_sets(struct xgboost *r, struct asc_error *e);

/* xgboost_fields.c */
int asci_xgboost_fields(struct xgboost *r, struct asc_error *e);

/* xgboost_output.c: the number of sums; their base as margins (groups), the
 * outputs and the link */
int asci_xgboost_groups(const struct xgboost *r, size_t *groups,
                        struct asc_error *e);
int asci_xgboost_outputs(struct xgboost *r, size_t groups, float *margin,
                         struct asc_error *e);

/* xgboost_model.c: the model of what has been read */
int asci_xgboost_model(struct xgboost *r, struct asc_error *e);

/* "FILE: message", ASC_EINPUT */
int asci_xgboost_fail(const struct xgboost *r, struct asc_error *e,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
