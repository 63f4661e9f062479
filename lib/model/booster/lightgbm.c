/* model/booster/lightgbm.c -- LightGBM models in LightGBM's text format, of
 * its versions v2, v3 and v4 and from before it had one.
 *
 *     raw_k = sum over the trees t with t mod K = k of leaf_t,
 *
 * in double, in the order of the trees, beginning with 0 (GBDT::PredictRaw,
 * src/boosting/gbdt_prediction.cpp); K is num_tree_per_iteration.  A random
 * forest (average_output) divides by the number of iterations.  Dart has its
 * weights in the leaves already.  The objective then makes the response of it
 * (ConvertOutput, src/objective):
 *
 *     binary, multiclassova    1 / (1 + exp(-sigmoid raw))
 *     cross_entropy            1 / (1 + exp(-raw))
 *     cross_entropy_lambda     log(1 + exp(raw))
 *     multiclass               softmax
 *     poisson, gamma, tweedie  exp(raw)
 *     regression and the like  raw, or raw |raw| where it says "sqrt"
 *     ranks, custom, none      raw
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/booster/lightgbm.h"

/* ---- objectives ---- */

enum task { REGRESSION, BINARY, CLASSES };

struct objective {
    const char *name;
    enum asci_link link;
    enum task task;
    int takes_sqrt, takes_sigmoid;
};

/* With the other names that LightGBM takes for them (ParseObjectiveAlias). */
static const struct objective objectives[] = {
    { "regression", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "regression_l2", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "mean_squared_error", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "mse", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "l2", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "l2_root", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "root_mean_squared_error", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "rmse", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "regression_l1", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "mean_absolute_error", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "l1", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "mae", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "huber", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "fair", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "quantile", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "mape", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "mean_absolute_percentage_error", ASCI_LINK_NONE, REGRESSION, 1, 0 },
    { "poisson", ASCI_LINK_EXP, REGRESSION, 0, 0 },
    { "gamma", ASCI_LINK_EXP, REGRESSION, 0, 0 },
    { "tweedie", ASCI_LINK_EXP, REGRESSION, 0, 0 },
    { "cross_entropy", ASCI_LINK_LOGIT, REGRESSION, 0, 0 },
    { "xentropy", ASCI_LINK_LOGIT, REGRESSION, 0, 0 },
    { "cross_entropy_lambda", ASCI_LINK_SOFTPLUS, REGRESSION, 0, 0 },
    { "xentlambda", ASCI_LINK_SOFTPLUS, REGRESSION, 0, 0 },
    { "lambdarank", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "rank_xendcg", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "xendcg", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "xe_ndcg", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "xe_ndcg_mart", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "xendcg_mart", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "custom", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "none", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "null", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "na", ASCI_LINK_NONE, REGRESSION, 0, 0 },
    { "binary", ASCI_LINK_LOGIT, BINARY, 0, 1 },
    { "multiclass", ASCI_LINK_SOFTMAX, CLASSES, 0, 0 },
    { "softmax", ASCI_LINK_SOFTMAX, CLASSES, 0, 0 },
    { "multiclassova", ASCI_LINK_LOGIT, CLASSES, 0, 1 },
    { "multiclass_ova", ASCI_LINK_LOGIT, CLASSES, 0, 1 },
    { "ova", ASCI_LINK_LOGIT, CLASSES, 0, 1 },
    { "ovr", ASCI_LINK_LOGIT, CLASSES, 0, 1 }
};
enum { N_OBJECTIVES = sizeof objectives / sizeof *objectives };

static int
unknown_objective(const struct lightgbm *r, struct asc_text name,
                  struct asc_error *e)
{
    const char *names[N_OBJECTIVES], *near;
    char copy[64];
    size_t i;

    for (i = 0; i < N_OBJECTIVES; i++)
        names[i] = objectives[i].name;
    snprintf(copy, sizeof copy, "%.*s", asci_lightgbm_width(name.n), name.p);
    near = asc_nearest(copy, names, N_OBJECTIVES);
    return asci_lightgbm_fail(r, r->header[LIGHTGBM_OBJECTIVE].line, e,
                              "objective \"%s\" is not known, nor how its "
                              "scores become predictions%s%s%s", copy,
                              near ? " (nearest: " : "", near ? near : "",
                              near ? ")" : "");
}

/* What stands behind the objective's name: sqrt, sigmoid:S, num_class:K. */
static int
take_option(struct lightgbm *r, const struct objective *o, struct asc_text t,
            struct asc_error *e)
{
    const size_t line = r->header[LIGHTGBM_OBJECTIVE].line;
    asc_model *m = r->m;
    int64_t k;

    if (t.n == 4 && !memcmp(t.p, "sqrt", 4) && o->takes_sqrt) {
        m->link = ASCI_LINK_SIGNED_SQUARE;
    } else if (t.n > 8 && !memcmp(t.p, "sigmoid:", 8) && o->takes_sigmoid) {
        const struct asc_text number = { t.p + 8, t.n - 8 };

        if (!asci_lightgbm_number(number, &m->link_factor) ||
            !(m->link_factor > 0.0 && m->link_factor < INFINITY))
            return asci_lightgbm_fail(r, line, e, "objective: sigmoid is "
                                      "\"%.*s\", want a number above 0",
                                      asci_lightgbm_width(number.n),
                                      number.p);
    } else if (t.n > 10 && !memcmp(t.p, "num_class:", 10) &&
               o->task == CLASSES) {
        const struct asc_text number = { t.p + 10, t.n - 10 };

        if (!asci_lightgbm_whole(number, 1, INT32_MAX, &k) ||
            (size_t)k != r->per_iteration)
            return asci_lightgbm_fail(r, line, e, "objective: num_class is "
                                      "\"%.*s\", an iteration has %zu trees",
                                      asci_lightgbm_width(number.n), number.p,
                                      r->per_iteration);
    }
    return ASC_OK;
}

/* Without a line, raw scores are all there is. */
static int
read_objective(struct lightgbm *r, const struct objective **objective,
               struct asc_error *e)
{
    static const struct objective none = { "", ASCI_LINK_NONE, REGRESSION, 0,
                                           0 };
    struct lightgbm_text text = r->header[LIGHTGBM_OBJECTIVE];
    const struct objective *o = NULL;
    struct asc_text t;
    int status = ASC_OK;
    size_t i;

    *objective = &none;
    if (!text.line || !asci_lightgbm_piece(&text, &t))
        return ASC_OK;
    for (i = 0; i < N_OBJECTIVES && !o; i++)
        if (strlen(objectives[i].name) == t.n &&
            !memcmp(objectives[i].name, t.p, t.n))
            o = &objectives[i];
    if (!o)
        return unknown_objective(r, t, e);
    r->m->link = o->link;
    while (status == ASC_OK && asci_lightgbm_piece(&text, &t))
        status = take_option(r, o, t, e);
    if (status == ASC_OK && r->per_iteration > 1 && o->task != CLASSES &&
        r->m->link != ASCI_LINK_NONE)
        status = asci_lightgbm_fail(r, text.line, e, "objective %s has one "
                                    "output, an iteration has %zu trees",
                                    o->name, r->per_iteration);
    *objective = o;
    return status;
}

/* ---- outputs ---- */

static int
make_outputs(struct lightgbm *r, const struct objective *o,
             struct asc_error *e)
{
    const size_t groups = r->per_iteration;
    asc_model *m = r->m;
    int status;
    size_t k;

    m->classifier = o->task != REGRESSION;
    status = asci_new_outputs(m, groups, o->task == BINARY, e);
    for (k = 0; k < m->n_outputs && status == ASC_OK; k++) {
        char name[32] = "prediction";

        if (m->classifier || groups > 1)
            snprintf(name, sizeof name, "%s%zu", m->classifier ? "" : "y", k);
        status = asci_name_output(m, k, name, e);
    }
    return status;
}

/* "LightGBM text v4"; and the objective with what stands behind it. */
static int
name_model(struct lightgbm *r, struct asc_error *e)
{
    const struct lightgbm_text *version = &r->header[LIGHTGBM_VERSION];
    const struct lightgbm_text *objective = &r->header[LIGHTGBM_OBJECTIVE];

    if (objective->line && objective->n > 0 &&
        !(r->m->description = asci_copy_text(objective->p, objective->n, e)))
        return ASC_ESYSTEM;
    return asci_model_set_format(r->m, e, "LightGBM text%s%.*s",
                                 version->line ? " " : "", (int)version->n,
                                 version->line ? version->p : "");
}

static int
make_model(struct lightgbm *r, struct asc_error *e)
{
    const struct objective *o = NULL;
    const size_t groups = r->per_iteration;
    asc_model *m = r->m;
    int status;

    if ((status = name_model(r, e)) ||
        (status = read_objective(r, &o, e)) ||
        (status = make_outputs(r, o, e)) ||
        (status = asci_lightgbm_fields(r, e)))
        return status;
    r->trees.base = asci_alloc_zero(groups, sizeof *r->trees.base, e);
    if (!r->trees.base)
        return ASC_ESYSTEM;
    r->trees.n_columns = m->encoder.n;
    r->trees.n_raw = groups;
    r->trees.scale = 1.0;
    if (r->header[LIGHTGBM_AVERAGE].line && r->trees.n_trees > 0) {
        r->trees.average = r->trees.n_trees / groups;
        r->trees.scale = 1.0 / (double)r->trees.average;
    }
    m->plain_link = 1;
    m->form = ASC_FORM_ENSEMBLE;
    m->u.ensemble = r->trees;
    memset(&r->trees, 0, sizeof r->trees);
    return asci_model_finish(m, e);
}

/* ---- recognising ---- */

/* The first line is "tree". */
int
asci_lightgbm_looks(const char *p, size_t n)
{
    p = asci_skip_mark(p, &n);
    return n >= 4 && !memcmp(p, "tree", 4) &&
           (n == 4 || p[4] == '\n' || p[4] == '\r');
}

/* What dump_model gives, as JSON. */
int
asci_lightgbm_refused(const char *p, size_t n)
{
    static const char key[] = "\"num_tree_per_iteration\"";
    size_t i;

    if (asci_notation_of(p, n) != ASCI_JSON)
        return 0;
    for (i = 0; i + sizeof key - 1 <= n && i < 4096; i++)
        if (!memcmp(p + i, key, sizeof key - 1))
            return 1;
    return 0;
}

asc_model *
asci_lightgbm_refuse(const char *path, const char *bytes, size_t n,
                     struct asc_error *e)
{
    (void)bytes;
    (void)n;
    asc_fail(e, ASC_EINPUT, "%s: a dump of a LightGBM model as JSON: save "
             "the model itself as text (save_model(\"model.txt\"))", path);
    return NULL;
}

/* ---- reading ---- */

static void
free_reader(struct lightgbm *r)
{
    size_t j;

    for (j = 0; j < r->trees.n_trees; j++)
        asci_tree_free(&r->trees.tree[j]);
    free(r->trees.tree);
    free(r->trees.sets);
    free(r->trees.base);
    asci_lightgbm_arrays_free(&r->a);
    free(r->use);
}

asc_model *
asci_lightgbm_read(const char *path, const char *bytes, size_t n,
                   struct asc_error *e)
{
    struct lightgbm r = { 0 };
    const char *nul;
    int status;

    r.m = asci_model_new(path, e);
    if (!r.m)
        return NULL;
    r.p = asci_skip_mark(bytes, &n);
    r.end = r.p + n;
    nul = memchr(r.p, '\0', n);
    if (nul)
        status = asc_fail(e, ASC_EINPUT, "%s: a NUL byte at byte %zu, in a "
                          "text", path, (size_t)(nul - bytes) + 1);
    else if ((status = asci_lightgbm_parse(&r, e)) == ASC_OK)
        status = make_model(&r, e);
    free_reader(&r);
    if (status) {
        asc_model_free(r.m);
        return NULL;
    }
    return r.m;
}
