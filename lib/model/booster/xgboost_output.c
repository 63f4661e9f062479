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
    { "reg:normal", ASCI_LINK_NONE, REGRESSION },
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

/* Whether the file is of this version or a later one. */
static int
since(const struct xgboost *r, int32_t major, int32_t minor, int32_t patch)
{
    const struct asci_integers *v = &r->version;
    const int32_t want[3] = { major, minor, patch };
    size_t i;

    if (v->n != 3)
        return 0;
    for (i = 0; i < 3; i++)
        if (v->v[i] != want[i])
            return v->v[i] > want[i];
    return 1;
}

/* Several quantiles or expectiles are put into order: quantiles from 3.4 on
 * are sorted, expectiles are steps from one to the next. */
static enum asci_link
link_of(const struct xgboost *r, const struct objective *o, size_t groups)
{
    if (groups > 1 && !strcmp(o->name, "reg:expectileerror"))
        return ASCI_LINK_RISING;
    if (groups > 1 && !strcmp(o->name, "reg:quantileerror") &&
        since(r, 3, 4, 0))
        return ASCI_LINK_SORTED;
    return o->link;
}

/* ---- the base score ---- */

static float
base_score(const struct xgboost *r, size_t k)
{
    return r->base_score.n == 0 ? 0.5f
         : r->base_score.v[r->base_score.n > 1 ? k : 0];
}

static int
logit_margin(const struct xgboost *r, const struct objective *o, float *p,
             struct asc_error *e)
{
    const float eps = 1e-6f;

    if (!(*p >= 0.0f && *p <= 1.0f))
        return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score: %g is not "
                                 "a probability, which %s wants", (double)*p,
                                 o->name);
    *p = *p < eps ? eps : *p > 1.0f - eps ? 1.0f - eps : *p;
    *p = -logf(1.0f / *p - 1.0f);
    return ASC_OK;
}

/* The step between two expectiles before it was made positive. */
static float
step_margin(float low, float high)
{
    const float eps = 1e-6f;
    float step = high - low - eps;

    step = step > eps ? step : eps;
    return step + logf(-expm1f(-step));
}

/* base_score is on the scale of the prediction: as a float margin. */
static int
base_margin(const struct xgboost *r, const struct objective *o,
            enum asci_link link, size_t k, float *margin, struct asc_error *e)
{
    /* Up to 1.3.0 binary:logitraw had a probability, later a margin. */
    const int raw = !strcmp(o->name, "binary:logitraw") && r->version.n == 3 &&
                    !since(r, 1, 3, 1);
    float p = base_score(r, k);

    if (!isfinite(p))
        return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score: not a "
                                 "finite number");
    *margin = p;
    if (link == ASCI_LINK_LOGIT || raw)
        return logit_margin(r, o, margin, e);
    if (link == ASCI_LINK_EXP) {
        if (!(p > 0.0f))
            return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score: %g is "
                                     "not positive, which %s wants",
                                     (double)p, o->name);
        *margin = logf(p);
    } else if (link == ASCI_LINK_RISING && k > 0) {
        *margin = step_margin(base_score(r, k - 1), p);
    }
    return ASC_OK;
}

/* ---- outputs ---- */

static int
make_outputs(struct xgboost *r, const struct objective *o,
             enum asci_link link, size_t groups, struct asc_error *e)
{
    asc_model *m = r->m;
    const int two = groups == 1 && (o->task == BINARY || o->task == LABELS);
    int status = asci_new_outputs(m, groups, two, e);
    size_t k;

    m->link = link;
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
    enum asci_link link;
    int status = find_objective(r, &o, e);
    size_t k;

    if (status)
        return status;
    link = link_of(r, o, groups);
    if (r->base_score.n > 1 && r->base_score.n != groups)
        return asci_xgboost_fail(r, e, XGBOOST_PARAM ".base_score has %zu "
                                 "values, the model has %zu outputs",
                                 r->base_score.n, groups);
    for (k = 0; k < groups && status == ASC_OK; k++)
        status = base_margin(r, o, link, k, &margin[k], e);
    return status ? status : make_outputs(r, o, link, groups, e);
}
