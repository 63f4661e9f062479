/* model/booster/catboost.h -- what the files of the CatBoost reader share. */
#ifndef ASCRIBE_MODEL_BOOSTER_CATBOOST_H
#define ASCRIBE_MODEL_BOOSTER_CATBOOST_H

#include "model/booster/json_parts.h"
#include "model/form.h"

enum { CATBOOST_DEPTH = 16 };   /* of a symmetric tree: CatBoost's own limit */

enum catboost_nan { CATBOOST_AS_IS, CATBOOST_AS_FALSE, CATBOOST_AS_TRUE };

struct catboost_feature {
    int categorical;
    struct asci_whole index;    /* among the features of its kind */
    struct asci_whole flat;     /* among all of them */
    struct asci_texts name, id;
    struct asci_whole has_nans;
    enum catboost_nan nan;
    struct asci_doubles value;  /* hashes of one-hot categories, and ... */
    struct asci_texts text;     /* ... their texts, which are rarely there */
};

/* A category by the 32 bits of its hash. */
struct catboost_hash { int32_t hash; char *text; };

/* A category that some split asks for. */
struct catboost_asked {
    uint32_t feature;           /* categorical index, later field */
    int32_t hash;
    uint32_t category;          /* among those of the field */
};

enum catboost_kind { CATBOOST_NO_SPLIT, CATBOOST_FLOAT, CATBOOST_ONE_HOT };

/* Goes right if the number is above the border, or the category is this. */
struct catboost_split {
    enum catboost_kind kind;
    uint32_t feature;
    float border;
    int32_t hash;
};

struct catboost_node {          /* of a tree that is not symmetric */
    struct catboost_split split;
    uint32_t left, right;       /* 0: none */
    uint32_t leaf;              /* UINT32_MAX: no values */
    double weight;              /* NaN: none */
};

struct catboost_classes {
    int given;
    struct asci_texts name;
    struct asci_doubles label;  /* of the model's k-th sum: index of a name */
    struct asci_whole count;
};

struct catboost {
    struct asci_json j;
    asc_model *m;
    /* features_info */
    struct catboost_feature *feature;
    size_t n_features, feature_capacity;
    struct catboost_hash *hash;
    size_t n_hashes, hash_capacity;
    struct catboost_asked *asked;
    size_t n_asked, asked_capacity;
    /* trees: until the model is made, a node's column is the index among the
     * features of its kind; ASCI_EQUAL has a category's hash as threshold */
    struct asci_ensemble trees;
    size_t tree_capacity;
    size_t width;               /* values of a leaf, 0: no tree yet */
    int has_trees, symmetric;
    /* the tree that is being read */
    struct asci_doubles leaf, weight;
    struct catboost_split *split;
    size_t n_splits, split_capacity;
    struct catboost_node *node;
    size_t n_nodes, node_capacity;
    /* the rest */
    double scale;
    struct asci_doubles bias;
    struct asci_texts loss, params_loss, version;
    struct catboost_classes classes, old_classes, option_classes;
};

/* catboost_tree.c: the arrays oblivious_trees and trees; to: struct catboost */
int asci_catboost_symmetric(struct asci_json *j, void *to,
                            struct asc_error *e);
int asci_catboost_trees(struct asci_json *j, void *to, struct asc_error *e);

/* catboost_fields.c: features_info; the fields of the model, and the tests of
 * the trees on them */
int asci_catboost_features(struct asci_json *j, void *to,
                           struct asc_error *e);
int asci_catboost_fields(struct catboost *c, struct asc_error *e);
void asci_catboost_feature_free(struct catboost_feature *f);

/* catboost_output.c: model_info; the outputs of the model and its link */
int asci_catboost_info(struct asci_json *j, void *to, struct asc_error *e);
int asci_catboost_outputs(struct catboost *c, size_t width,
                          struct asc_error *e);

/* "FILE: message", ASC_EINPUT */
int asci_catboost_fail(const struct catboost *c, struct asc_error *e,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
