/* model/booster/xgboost_output.c -- what the sums of an XGBoost model mean: its
 * objective, the base score as a margin, the outputs and their link. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/booster/xgboost.h"

enum task { REGRESSION, BINARY, LABELS, CLASSES };

struct objective {
    const char *name;
    enum asci_link link;
    enum task task;
};

static const struct objective objectives[] = {
    { "reg:squarederror", ASCI_LINK_NONE, REGRESSION },
    { "reg:linear", ASCI_LINK_NONE, REGRESSION },
    { "reg:squaredlogerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:pseudohubererror", ASCI_LINK_NONE, REGRESSION },
    { "reg:absoluteerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:quantileerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:expectileerror", ASCI_LINK_NONE, REGRESSION },
    { "reg:logistic", ASCI_LINK_LOGIT, REGRESSION },
    { "reg:gamma", ASCI_LINK_EXP, REGRESSION },
    { "reg:tweedie", ASCI_LINK_EXP, REGRESSION },
    { "count:poisson", ASCI_LINK_EXP, REGRESSION },
    { "survival:cox", ASCI_LINK_EXP, REGRESSION },
    { "survival:aft", ASCI_LINK_EXP, REGRESSION },
    { "rank:pairwise", ASCI_LINK_NONE, REGRESSION },
    { "rank:ndcg", ASCI_LINK_NONE, REGRESSION },
    { "rank:map", ASCI_LINK_NONE, REGRESSION },
    { "binary:logistic", ASCI_LINK_LOGIT, BINARY },
    { "binary:logitraw", ASCI_LINK_NONE, REGRESSION },
    { "binary:hinge", ASCI_LINK_STEP, LABELS },
    { "multi:softprob", ASCI_LINK_SOFTMAX, CLASSES },
    { "multi:softmax", ASCI_LINK_SOFTMAX, CLASSES }
};
enum { N_OBJECTIVES = sizeof objectives / sizeof *objectives };

static int
find_objective(const struct xgboost *r, const struct objective **o,
               struct asc_error *e)
{
    const char *names[N_OBJECTIVES], *near, *name;
    size_t i;

    if (r->objective.n == 0)
        return asci_xgboost_fail(r, e, "learner.objective.name is not there: "
                                 "not a whole XGBoost model");
    name = r->objective.v[0];
    for (i = 0; i < N_OBJECTIVES; i++) {
        names[i] = objectives[i].name;
        if (!strcmp(name, names[i])) {
            *o = &objectives[i];
            return ASC_OK;
        }
    }
    near = asc_nearest(name, names, N_OBJECTIVES);
    return asci_xgboost_fail(r, e, "learner.objective.name: \"%.60s\" is not "
                             "known, nor how its scores become "
                             "predictions%s%s%s", name,
                             near ? " (nearest: " : "", near ? near : "",
                             near ? ")" : "");
}

/* How many sums the model has. */
int
asci_xgboost_groups(const struct xgboost *r, size_t *groups,
                    struct asc_error *e)
{
    const int64_t n_class = r->n_class.v, n_target = r->n_target.v;
    const int64_t n = n_class > n_target ? n_class : n_target;

    if (n_class < 0 || n_target < 0 || n > MAX_NAMELESS)
        return asci_xgboost_fail(r, e, XGBOOST_PARAM ": "
                                 "num_class is %lld, num_target %lld",
                                 (long long)n_class, (long long)n_target);
    *groups = n > 1 ? (size_t)n : 1;
    return ASC_OK;
}

static int
newer_than(const struct xgboost *r, int32_t major, int32_t minor)
{
    const struct asci_integers *v = &r->version;

    return v->n >= 2 && (v->v[0] > major ||
                         (v->v[0] == major && v->v[1] >= minor));
}

/* Some objectives mix several outputs in a way that no link here knows. */
static int
check_mixing(const struct xgboost *r, const struct objective *o, size_t groups,
             struct asc_error *e)
{
    if (groups < 2)
        return ASC_OK;
    if (!strcmp(o->name, "reg:expectileerror") ||
        (!strcmp(o->name, "reg:quantileerror") && newer_than(r, 3, 4)))
        return asci_xgboost_fail(r, e, "learner.objective: %s with %zu "
                                 "outputs at once cannot be read: XGBoost "
                                 "orders them against each other (one model "
                                 "for each can)", o->name, groups);
    return ASC_OK;
}

/* base_score is on the scale of the prediction: as a float margin. */
static int
base_margin(const struct xgboost *r, const struct objective *o, size_t k,
            float *margin, struct asc_error *e)
{
    const float eps = 1e-6f;
    float p = r->base_score.n == 0 ? 0.5f
            : r->base_score.v[r->base_score.n > 1 ? k : 0];

    if (!isfinite(p))
        return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score: not a "
                                 "finite number");
    if (o->link == ASCI_LINK_LOGIT) {
        if (!(p >= 0.0f && p <= 1.0f))
            return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score: %g is "
                                     "not a probability, which %s wants",
                                     (double)p, o->name);
        p = p < eps ? eps : p > 1.0f - eps ? 1.0f - eps : p;
        p = -logf(1.0f / p - 1.0f);
    } else if (o->link == ASCI_LINK_EXP) {
        if (!(p > 0.0f))
            return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score: %g is "
                                     "not positive, which %s wants",
                                     (double)p, o->name);
        p = logf(p);
    }
    *margin = p;
    return ASC_OK;
}

static int
make_outputs(struct xgboost *r, const struct objective *o, size_t groups,
             struct asc_error *e)
{
    asc_model *m = r->m;
    const int two = groups == 1 && (o->task == BINARY || o->task == LABELS);
    int status = asci_new_outputs(m, groups, two, e);
    size_t k;

    m->link = o->link;
    m->classifier = two || o->task == CLASSES;
    for (k = 0; k < m->n_outputs && status == ASC_OK; k++) {
        char name[32];

        if (m->classifier)
            snprintf(name, sizeof name, "%zu", k);
        else if (groups == 1)
            snprintf(name, sizeof name, "prediction");
        else
            snprintf(name, sizeof name, "y%zu", k);
        status = asci_name_output(m, k, name, e);
    }
    return status;
}

int
asci_xgboost_outputs(struct xgboost *r, size_t groups, float *margin,
                     struct asc_error *e)
{
    const struct objective *o = NULL;
    int status;
    size_t k;

    if ((status = find_objective(r, &o, e)) ||
        (status = check_mixing(r, o, groups, e)))
        return status;
    if (r->base_score.n > 1 && r->base_score.n != groups)
        return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score has %zu "
                                 "values, the model has %zu outputs",
                                 r->base_score.n, groups);
    for (k = 0; k < groups && status == ASC_OK; k++)
        status = base_margin(r, o, k, &margin[k], e);
    return status ? status : make_outputs(r, o, groups, e);
}
