/* model/booster/xgboost_read.c -- the document of an XGBoost model: objects in
 * objects, whose members may come in any order, to plain arrays. */
#include <stdlib.h>

#include "model/booster/xgboost.h"

#define TO(member) offsetof(struct xgboost, member)

/* "5E-1", "[5E-1,2E0]", or a number. */
static int
read_base_score(struct asci_json *j, void *to, struct asc_error *e)
{
    struct asci_singles *a = to;
    struct asci_json part;
    enum asci_json_kind kind;
    int status = asci_json_next(j, &kind, e);

    if (status)
        return status;
    a->n = 0;
    if (!a->v && !(a->v = asci_alloc(1, sizeof *a->v, e)))
        return ASC_ESYSTEM;
    if (!a->capacity)
        a->capacity = 1;
    if (kind == ASCI_JSON_NUMBER) {
        a->n = 1;
        return asci_json_single(j, a->v, e);
    }
    if (kind != ASCI_JSON_TEXT)
        return asci_json_fail(j, e, "it is not a number");
    asci_json_open(&part, j->file, j->text.p, j->text.n, 0);
    if (j->text.n > 0 && j->text.p[0] == '[') {
        status = asci_json_singles(&part, a, NULL);
    } else {
        status = asci_json_next(&part, &kind, NULL);
        if (status == ASC_OK)
            status = kind == ASCI_JSON_NUMBER
                     ? asci_json_single(&part, a->v, NULL) : ASC_EINPUT;
        a->n = 1;
    }
    if (status == ASC_OK)
        status = asci_json_next(&part, &kind, NULL);
    if (status || kind != ASCI_JSON_END || a->n == 0)
        status = asci_json_fail(j, e, "\"%.*s\" is not a number",
                                (int)(j->text.n < 40 ? j->text.n : 40),
                                j->text.p);
    asci_json_close(&part);
    return status;
}

static int
read_gbtree_param(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "num_parallel_tree", asci_read_whole, TO(n_parallel) },
        { "num_trees", asci_read_whole, TO(n_trees) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
read_model(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "cats", asci_xgboost_categories, 0 },
        { "gbtree_model_param", read_gbtree_param, 0 },
        { "iteration_indptr", asci_read_integers, TO(iteration) },
        { "tree_info", asci_read_integers, TO(tree_info) },
        { "trees", asci_xgboost_trees, 0 },
        { "weight_drop", asci_read_singles, TO(weight_drop) },
        { "weights", asci_read_singles, TO(linear) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

/* The gbtree that a dart holds. */
static int
read_inner_booster(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "model", read_model, 0 }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
read_booster(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "gbtree", read_inner_booster, 0 },
        { "model", read_model, 0 },
        { "name", asci_read_text, TO(booster) },
        { "weight_drop", asci_read_singles, TO(weight_drop) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
read_objective(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "name", asci_read_text, TO(objective) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
read_attributes(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "best_iteration", asci_read_whole, TO(best_iteration) },
        { "best_ntree_limit", asci_read_whole, TO(best_limit) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
read_learner_param(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "base_score", read_base_score, TO(base_score) },
        { "num_class", asci_read_whole, TO(n_class) },
        { "num_feature", asci_read_whole, TO(n_feature) },
        { "num_target", asci_read_whole, TO(n_target) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
read_learner(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "attributes", read_attributes, 0 },
        { "feature_names", asci_read_texts, TO(name) },
        { "feature_types", asci_read_texts, TO(type) },
        { "gradient_booster", read_booster, 0 },
        { "learner_model_param", read_learner_param, 0 },
        { "objective", read_objective, 0 }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

/* What a pickle of 1.x holds: the model beside its training parameters. */
static int
read_wrapped(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "learner", read_learner, 0 },
        { "version", asci_read_integers, TO(version) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

int
asci_xgboost_document(struct xgboost *r, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "Model", read_wrapped, 0 },
        { "learner", read_learner, 0 },
        { "version", asci_read_integers, TO(version) }
    };
    enum asci_json_kind kind;
    int status = ASCI_READ_MEMBERS(&r->j, r, members, e);

    return status ? status : asci_json_next(&r->j, &kind, e);
}
