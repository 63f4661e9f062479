/* model/booster/xgboost_model.c -- an XGBoost model of what has been read:
 * where each tree goes, how many count, and the form. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/booster/xgboost.h"

/* ---- trees ---- */

/* How many trees count: training may have stopped early. */
static int
count_trees(const struct xgboost *r, size_t groups, size_t *n,
            struct asc_error *e)
{
    const struct asci_integers *it = &r->iteration;
    const int64_t best = r->best_iteration.v;
    const size_t all = r->trees.n_trees;
    const struct asci_whole *limit = &r->best_limit;
    int64_t each = r->n_parallel.v > 1 ? r->n_parallel.v : 1;

    *n = all;
    if (r->n_trees.given && r->n_trees.v != (int64_t)all)
        return asci_xgboost_fail(r, e, XGBOOST_MODEL ": "
                                 "num_trees is %lld, there are %zu trees",
                                 (long long)r->n_trees.v, all);
    if (!r->best_iteration.given || best < 0)
        return ASC_OK;
    if (it->n > 0) {
        if ((uint64_t)best + 1 < it->n) {
            const int32_t end = it->v[best + 1];

            if (end < 0 || (size_t)end > all)
                return asci_xgboost_fail(r, e, XGBOOST_MODEL
                                         ".iteration_indptr[%lld] is %d of "
                                         "%zu trees",
                                         (long long)best + 1, end, all);
            *n = (size_t)end;
        }
        return ASC_OK;
    }
    /* Before 1.6 this alone says how many trees grew in parallel. */
    if (!r->n_parallel.given && limit->given && limit->v > best &&
        limit->v % (best + 1) == 0)
        each = limit->v / (best + 1);
    if (all > 0 && r->trees.tree[0].width == 1)
        each *= (int64_t)groups;
    if (best < INT32_MAX && each < INT32_MAX &&
        (best + 1) * each < (int64_t)all)
        *n = (size_t)((best + 1) * each);
    return ASC_OK;
}

void
asci_xgboost_drop_trees(struct asci_ensemble *f, size_t n)
{
    size_t j;

    for (j = n; j < f->n_trees; j++) {
        free(f->tree[j].node);
        free(f->tree[j].cover);
        free(f->tree[j].value);
    }
    f->n_trees = n;
}

/* Where the values of a tree go, and what they weigh. */
static int
place_tree(struct xgboost *r, size_t j, size_t groups, struct asc_error *e)
{
    struct asci_tree *t = &r->trees.tree[j];
    const int32_t group = r->tree_info.n ? r->tree_info.v[j] : 0;
    size_t i;

    if (t->width > 1 && t->width == groups) {
        t->first = 0;
    } else if (t->width != 1) {
        return asci_xgboost_fail(r, e, XGBOOST_MODEL ".trees[%zu]: its leaves "
                                 "have %zu values, the model has %zu outputs",
                                 j, t->width, groups);
    } else if (group < 0 || (size_t)group >= groups) {
        return asci_xgboost_fail(r, e, XGBOOST_MODEL ".tree_info[%zu] is %d, "
                                 "the model has %zu outputs", j, group,
                                 groups);
    } else {
        t->first = (size_t)group;
    }
    if (r->weight_drop.n > 0)
        for (i = 0; i < t->n_leaves * t->width; i++)
            t->value[i] = (double)((float)t->value[i] * r->weight_drop.v[j]);
    return ASC_OK;
}

static int
make_trees(struct xgboost *r, size_t groups, struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    int status = ASC_OK;
    size_t j, n;

    if (r->tree_info.n > 0 && r->tree_info.n != f->n_trees)
        return asci_xgboost_fail(r, e, XGBOOST_MODEL ": "
                                 "tree_info has %zu values, there are %zu "
                                 "trees", r->tree_info.n, f->n_trees);
    if (r->weight_drop.n > 0 && r->weight_drop.n != f->n_trees)
        return asci_xgboost_fail(r, e, "learner.gradient_booster: weight_drop "
                                 "has %zu values, there are %zu trees",
                                 r->weight_drop.n, f->n_trees);
    if ((status = count_trees(r, groups, &n, e)))
        return status;
    for (j = 0; j < n && status == ASC_OK; j++)
        status = place_tree(r, j, groups, e);
    if (status || (status = asci_xgboost_fields(r, e)))
        return status;
    asci_xgboost_drop_trees(f, n);
    return asci_xgboost_sets(r, e);
}

/* ---- the model ---- */

static int
make_ensemble(struct xgboost *r, size_t groups, const float *margin,
              struct asc_error *e)
{
    asc_model *m = r->m;
    int status = make_trees(r, groups, e);
    size_t k;

    if (status || (status = asci_identity_columns(m, NAN, e)))
        return status;
    r->trees.base = asci_alloc(groups, sizeof *r->trees.base, e);
    if (!r->trees.base)
        return ASC_ESYSTEM;
    for (k = 0; k < groups; k++)
        r->trees.base[k] = (double)margin[k];
    r->trees.n_columns = m->encoder.n;
    r->trees.n_raw = groups;
    r->trees.scale = 1.0;
    r->trees.single = 2;
    m->form = ASC_FORM_ENSEMBLE;
    m->u.ensemble = r->trees;
    memset(&r->trees, 0, sizeof r->trees);
    return ASC_OK;
}

/* weights (n_feature + 1, groups), the last row the biases. */
static int
make_linear(struct xgboost *r, size_t groups, const float *margin,
            struct asc_error *e)
{
    asc_model *m = r->m;
    struct asci_linear *f = &m->u.linear;
    int status = asci_xgboost_fields(r, e);
    const size_t d = m->schema.n;
    size_t j, k;

    if (status)
        return status;
    if (r->linear.n / groups != d + 1 || r->linear.n % groups)
        return asci_xgboost_fail(r, e, XGBOOST_MODEL ".weights has %zu values, "
                                 "want %zu for each of %zu outputs",
                                 r->linear.n, d + 1, groups);
    /* XGBoost passes over what is missing: as if it were 0. */
    if ((status = asci_identity_columns(m, 0.0, e)))
        return status;
    m->form = ASC_FORM_LINEAR;
    f->n_columns = d;
    f->n_raw = groups;
    f->single = 1;
    f->w = asci_alloc(groups * d, sizeof *f->w, e);
    f->b = asci_alloc(groups, sizeof *f->b, e);
    if (!f->w || !f->b)
        return ASC_ESYSTEM;
    for (k = 0; k < groups; k++) {
        for (j = 0; j < d; j++)
            f->w[k * d + j] = (double)r->linear.v[j * groups + k];
        f->b[k] = (double)(r->linear.v[d * groups + k] + margin[k]);
    }
    return ASC_OK;
}

int
asci_xgboost_model(struct xgboost *r, struct asc_error *e)
{
    const char *booster = r->booster.n ? r->booster.v[0] : "gbtree";
    float *margin;
    size_t groups = 0;
    int status = asci_xgboost_groups(r, &groups, e);

    if (status)
        return status;
    margin = asci_alloc(groups, sizeof *margin, e);
    if (!margin)
        return ASC_ESYSTEM;
    status = asci_xgboost_outputs(r, groups, margin, e);
    if (status == ASC_OK) {
        if (!strcmp(booster, "gblinear"))
            status = make_linear(r, groups, margin, e);
        else if (!strcmp(booster, "gbtree") || !strcmp(booster, "dart"))
            status = make_ensemble(r, groups, margin, e);
        else
            status = asci_xgboost_fail(r, e, "learner.gradient_booster.name: "
                                       "\"%.60s\" is not known, want gbtree, "
                                       "dart or gblinear", booster);
    }
    free(margin);
    return status ? status : asci_model_finish(r->m, e);
}
