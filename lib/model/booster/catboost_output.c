/* model/booster/catboost_output.c -- model_info of a CatBoost model: the loss,
 * which says what the sums mean, and the names of the classes.
 *
 * The response is what CatBoost's own prediction gives for the loss
 * (libs/eval_result/eval_helpers.cpp, python-package/catboost/core.py):
 * probabilities of classifiers, exp of Poisson and Tweedie, mean and variance
 * of RMSEWithUncertainty, the sums themselves of all others.  Which class a
 * sum belongs to: private/libs/labels/external_label_helper.cpp.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/booster/catboost.h"

/* ---- reading ---- */

/* Texts; numbers and truth values as texts. */
static int
read_labels(struct asci_json *j, void *to, struct asc_error *e)
{
    enum asci_json_kind kind;
    int more = asci_json_array(j, e), status;

    if (more <= 0)
        return more < 0 ? ASC_EINPUT : ASC_OK;
    while ((more = asci_json_more(j, e)) > 0) {
        char number[ASC_NUMBER_MAX];
        const char *p = number;
        size_t n = 0;
        double v;

        if ((status = asci_json_next(j, &kind, e)))
            return status;
        if (kind == ASCI_JSON_TEXT) {
            p = j->text.p;
            n = j->text.n;
        } else if (kind == ASCI_JSON_NUMBER) {
            if ((status = asci_json_double(j, &v, e)))
                return status;
            n = asc_number_format(v, number);
        } else if (kind == ASCI_JSON_TRUE || kind == ASCI_JSON_FALSE) {
            p = kind == ASCI_JSON_TRUE ? "True" : "False";
            n = strlen(p);
        } else {
            return asci_json_wrong_kind(j, kind, "a text or a number", e);
        }
        if ((status = asci_texts_add(to, p, n, e)))
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

static int
read_classes(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "class_names", read_labels,
          offsetof(struct catboost_classes, name) },
        { "class_to_label", asci_read_doubles,
          offsetof(struct catboost_classes, label) },
        { "classes_count", asci_read_whole,
          offsetof(struct catboost_classes, count) }
    };

    ((struct catboost_classes *)to)->given = 1;
    return ASCI_READ_EMBEDDED(j, to, members, e);
}

static int
read_loss(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "type", asci_read_text, 0 }
    };

    return ASCI_READ_EMBEDDED(j, to, members, e);
}

static int
read_options(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "class_names", read_labels,
          offsetof(struct catboost, option_classes.name) }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

static int
read_params(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "data_processing_options", read_options, 0 },
        { "loss_function", read_loss, offsetof(struct catboost, params_loss) }
    };

    return ASCI_READ_EMBEDDED(j, to, members, e);
}

int
asci_catboost_info(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "catboost_version_info", asci_read_text,
          offsetof(struct catboost, version) },
        { "class_params", read_classes, offsetof(struct catboost, classes) },
        { "loss_function", read_loss, offsetof(struct catboost, loss) },
        { "multiclass_params", read_classes,
          offsetof(struct catboost, old_classes) },
        { "params", read_params, 0 }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

/* ---- losses ---- */

enum task {
    NUMBERS,                    /* one or several */
    TWO,                        /* classes of one sum */
    CLASSES,                    /* a sum each, exclusive */
    LABELS,                     /* a sum each, any of them may hold */
    MEAN_AND_VARIANCE
};

struct loss {
    const char *name;
    enum asci_link link;
    enum task task;
};

static const struct loss losses[] = {
    { "Logloss", ASCI_LINK_LOGIT, TWO },
    { "CrossEntropy", ASCI_LINK_LOGIT, TWO },
    { "Focal", ASCI_LINK_LOGIT, TWO },
    { "MultiClass", ASCI_LINK_SOFTMAX, CLASSES },
    { "MultiClassOneVsAll", ASCI_LINK_LOGIT, CLASSES },
    { "MultiLogloss", ASCI_LINK_LOGIT, LABELS },
    { "MultiCrossEntropy", ASCI_LINK_LOGIT, LABELS },
    { "Poisson", ASCI_LINK_EXP, NUMBERS },
    { "Tweedie", ASCI_LINK_EXP, NUMBERS },
    { "RMSEWithUncertainty", ASCI_LINK_VARIANCE, MEAN_AND_VARIANCE },
    { "RMSE", ASCI_LINK_NONE, NUMBERS },
    { "MAE", ASCI_LINK_NONE, NUMBERS },
    { "Quantile", ASCI_LINK_NONE, NUMBERS },
    { "MultiQuantile", ASCI_LINK_NONE, NUMBERS },
    { "GroupQuantile", ASCI_LINK_NONE, NUMBERS },
    { "LogLinQuantile", ASCI_LINK_NONE, NUMBERS },
    { "Expectile", ASCI_LINK_NONE, NUMBERS },
    { "MAPE", ASCI_LINK_NONE, NUMBERS },
    { "Lq", ASCI_LINK_NONE, NUMBERS },
    { "Huber", ASCI_LINK_NONE, NUMBERS },
    { "LogCosh", ASCI_LINK_NONE, NUMBERS },
    { "RMSPE", ASCI_LINK_NONE, NUMBERS },
    { "MultiRMSE", ASCI_LINK_NONE, NUMBERS },
    { "MultiRMSEWithMissingValues", ASCI_LINK_NONE, NUMBERS },
    { "Cox", ASCI_LINK_NONE, NUMBERS },
    { "SurvivalAft", ASCI_LINK_NONE, NUMBERS },
    { "PairLogit", ASCI_LINK_NONE, NUMBERS },
    { "PairLogitPairwise", ASCI_LINK_NONE, NUMBERS },
    { "YetiRank", ASCI_LINK_NONE, NUMBERS },
    { "YetiRankPairwise", ASCI_LINK_NONE, NUMBERS },
    { "LambdaMart", ASCI_LINK_NONE, NUMBERS },
    { "StochasticFilter", ASCI_LINK_NONE, NUMBERS },
    { "StochasticRank", ASCI_LINK_NONE, NUMBERS },
    { "QueryRMSE", ASCI_LINK_NONE, NUMBERS },
    { "QuerySoftMax", ASCI_LINK_NONE, NUMBERS },
    { "QueryCrossEntropy", ASCI_LINK_NONE, NUMBERS },
    { "Combination", ASCI_LINK_NONE, NUMBERS },
    { "PythonUserDefinedPerObject", ASCI_LINK_NONE, NUMBERS },
    { "PythonUserDefinedMultiTarget", ASCI_LINK_NONE, NUMBERS },
    { "UserPerObjMetric", ASCI_LINK_NONE, NUMBERS },
    { "UserQuerywiseMetric", ASCI_LINK_NONE, NUMBERS }
};
enum { N_LOSSES = sizeof losses / sizeof *losses };

/* A model that does not tell, as a sum of models of different losses, has its
 * sums. */
static int
find_loss(const struct catboost *c, struct loss *out, struct asc_error *e)
{
    const struct asci_texts *t = c->params_loss.n ? &c->params_loss : &c->loss;
    const char *names[N_LOSSES], *near;
    size_t i;

    *out = (struct loss){ "no loss", ASCI_LINK_NONE, NUMBERS };
    if (t->n == 0)
        return ASC_OK;
    for (i = 0; i < N_LOSSES; i++) {
        names[i] = losses[i].name;
        if (!strcmp(t->v[0], names[i])) {
            *out = losses[i];
            return ASC_OK;
        }
    }
    near = asc_nearest(t->v[0], names, N_LOSSES);
    return asci_catboost_fail(c, e, "model_info.params.loss_function.type: "
                              "\"%.60s\" is not known, nor how its sums "
                              "become predictions%s%s%s", t->v[0],
                              near ? " (nearest: " : "", near ? near : "",
                              near ? ")" : "");
}

static int
check_width(const struct catboost *c, const struct loss *loss, size_t width,
            struct asc_error *e)
{
    const size_t least = loss->task == CLASSES ||
                         loss->task == MEAN_AND_VARIANCE ? 2 : 1;
    const size_t most = loss->task == TWO ? 1
                      : loss->task == MEAN_AND_VARIANCE ? 2 : SIZE_MAX;

    if (width >= least && width <= most)
        return ASC_OK;
    return asci_catboost_fail(c, e, "a leaf has %zu values, %s wants %zu%s",
                              width, loss->name, least,
                              most > least ? " or more" : "");
}

/* ---- classes ---- */

/* The number of the name of class k, -1 if it is none of those. */
static ptrdiff_t
name_index(const struct catboost_classes *k, size_t class, size_t n,
           size_t names)
{
    double v = (double)class;

    if (k->label.n == n && n > 2)
        v = k->label.v[class];
    return v >= 0.0 && v < (double)names && v == floor(v) ? (ptrdiff_t)v : -1;
}

static int
name_class(struct catboost *c, const struct catboost_classes *k, size_t class,
           struct asc_error *e)
{
    const size_t n = c->m->n_outputs;
    const size_t names = k->name.n ? k->name.n
                       : k->count.v > 0 ? (size_t)k->count.v : 0;
    char number[ASC_NUMBER_MAX + 1];
    const ptrdiff_t at = name_index(k, class, n, names);

    if (names > 0 && at < 0)
        return asci_catboost_fail(c, e, "model_info.class_params: class %zu "
                                  "of %zu has none of the %zu names", class,
                                  n, names);
    if (k->name.n > 0)
        return asci_name_output(c->m, class, k->name.v[at], e);
    if (names > 0)
        number[asc_number_format((double)at, number)] = '\0';
    else if (k->label.n == n)
        number[asc_number_format(k->label.v[class], number)] = '\0';
    else
        number[asc_number_format((double)class, number)] = '\0';
    return asci_name_output(c->m, class, number, e);
}

int
asci_catboost_outputs(struct catboost *c, size_t width, struct asc_error *e)
{
    const struct catboost_classes *k = c->classes.given ? &c->classes
                                     : c->old_classes.given ? &c->old_classes
                                     : &c->option_classes;
    asc_model *m = c->m;
    struct loss loss;
    size_t i;
    int status;

    if ((status = find_loss(c, &loss, e)) ||
        (status = check_width(c, &loss, width, e)) ||
        (status = asci_new_outputs(m, width, loss.task == TWO, e)))
        return status;
    m->link = loss.link;
    m->classifier = loss.task == TWO || loss.task == CLASSES;
    for (i = 0; i < m->n_outputs && status == ASC_OK; i++) {
        char name[32];

        if (m->classifier || loss.task == LABELS) {
            status = name_class(c, k, i, e);
            continue;
        }
        if (loss.task == MEAN_AND_VARIANCE)
            snprintf(name, sizeof name, i == 0 ? "mean" : "variance");
        else if (width == 1)
            snprintf(name, sizeof name, "prediction");
        else
            snprintf(name, sizeof name, "y%zu", i);
        status = asci_name_output(m, i, name, e);
    }
    return status;
}
