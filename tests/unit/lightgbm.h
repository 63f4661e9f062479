/* tests/unit/lightgbm.h -- small models in LightGBM's text format, put together
 * of parts.  To be included behind attribution.h. */
#ifndef ASCRIBE_TESTS_LIGHTGBM_H
#define ASCRIBE_TESTS_LIGHTGBM_H

#include "attribution.h"
#include "model/booster/booster.h"

/* Parts of a file; NULL: as a rule. */
struct parts {
    const char *version, *sizes, *names, *infos, *trees, *end;
};

#define HEADER(classes, last) "num_class=" classes                           \
    "\nnum_tree_per_iteration=" classes "\nlabel_index=0\n"                  \
    "max_feature_idx=" last "\n"
#define STUMP(tree, feature, threshold, decision, more)                      \
    "Tree=" tree "\nnum_leaves=2\nnum_cat=" more                             \
    "split_feature=" feature "\nsplit_gain=1\nthreshold=" threshold          \
    "\ndecision_type=" decision "\nleft_child=-1\nright_child=-2\n"          \
    "leaf_value=1 2\nleaf_weight=3 5\nleaf_count=30 50\n"                    \
    "internal_value=0\ninternal_weight=8\ninternal_count=80\n"               \
    "is_linear=0\nshrinkage=1\n\n\n"
#define LEAF(tree, value) "Tree=" tree "\nnum_leaves=1\nnum_cat=0\n"         \
    "split_feature=\nsplit_gain=\nthreshold=\ndecision_type=\nleft_child=\n" \
    "right_child=\nleaf_value=" value "\nleaf_weight=\nleaf_count=\n"        \
    "internal_value=\ninternal_weight=\ninternal_count=\nshrinkage=1\n\n\n"
#define TAIL "\nfeature_importances:\na=1\n\nparameters:\n"                  \
    "[boosting: gbdt]\n\nend of parameters\n"

static inline const char *
compose(struct asc_buffer *b, const struct parts *p)
{
    b->n = 0;
    asc_buffer_text(b, "tree\n");
    asc_buffer_text(b, p->version ? p->version : "version=v4\n");
    asc_buffer_text(b, p->sizes ? p->sizes
                                : HEADER("1", "1") "objective=regression\n");
    asc_buffer_text(b, p->names ? p->names : "feature_names=a b\n");
    asc_buffer_text(b, p->infos ? p->infos : "feature_infos=[0:1] [0:1]\n");
    asc_buffer_text(b, "\n");
    asc_buffer_text(b, p->trees ? p->trees
                                : STUMP("0", "0", "0.5", "8", "0\n"));
    asc_buffer_text(b, p->end ? p->end : "end of trees\n" TAIL
                                         "\npandas_categorical:null\n");
    asc_buffer_char(b, '\0');
    assert_false(b->failed);
    return b->p;
}

/* No byte behind it. */
static inline asc_model *
read_bytes(const char *text, size_t n, struct asc_error *e)
{
    char *copy = malloc(n + 1);
    asc_model *m;

    assert_non_null(copy);
    memcpy(copy, text, n);
    m = asci_lightgbm_read("m", copy, n, e);
    free(copy);
    return m;
}

static inline asc_model *
read_parts(const struct parts *p)
{
    struct asc_buffer b = { 0 };
    struct asc_error e = { ASC_OK, "" };
    asc_model *m;

    compose(&b, p);
    assert_true(asci_lightgbm_looks(b.p, b.n));
    m = read_bytes(b.p, b.n - 1, &e);
    if (!m)
        fail_msg("%s", e.text);
    asc_buffer_free(&b);
    return m;
}

#define END(pandas) "end of trees\n" TAIL "\npandas_categorical:" pandas "\n"
#define SPLIT_B STUMP("0", "1", "0", "9", "1\ncat_boundaries=0 1\n"          \
                      "cat_threshold=5\n")

/* Leaf 0: 1 + 2 a - b, or 10 where one is missing; leaf 1: 7; leaf 2: 0.5 b,
 * or -1.  Node 0: a <= 1, missing right; node 1, on its left: b <= 0. */
#define LINEAR(tree) "Tree=" tree "\nnum_leaves=3\nnum_cat=0\n"              \
    "split_feature=0 1\nthreshold=1 0\ndecision_type=8 8\n"                  \
    "left_child=1 -1\nright_child=-3 -2\nleaf_value=10 20 -1\n"              \
    "leaf_count=2 3 5\ninternal_count=10 5\nis_linear=1\n"                   \
    "leaf_const=1 7 0\nnum_features=2 0 1\nleaf_features=0 1   1 \n"         \
    "leaf_coeff=2 -1   0.5 \nshrinkage=1\n\n\n"

static inline double
linear_rule(double a, double b)
{
    if (isnan(a) || a > 1.0)
        return isnan(b) ? -1.0 : 0.5 * b;
    if (isnan(b) || b > 0.0)
        return 7.0;
    return 1.0 + 2.0 * a - b;
}

/* The last output for x, both ways of asking. */
static inline double
answer(const asc_model *m, enum asc_scale scale, const double *x)
{
    double y[8], z[8];
    struct asc_error e;
    const size_t last = asc_model_n_outputs(m) - 1;

    assert_int_equal(asc_model_predict(m, scale, x, 1, y, &e), ASC_OK);
    assert_int_equal(asc_model_evaluate(m, scale, x, 1, z, &e), ASC_OK);
    close_to(y[last], z[last], 4e-16 * fabs(z[last]));
    return y[last];
}

#endif
