/* model/pmml/regression.c -- RegressionModel: a linear form with a link.
 *
 *     y_t = intercept_t + sum coefficient x^exponent
 *                       + sum coefficient [x = value]
 *                       + sum coefficient x_a x_b ...
 *
 * (PMML 4.4, Regression.)  A missing number makes y missing; a missing
 * category is none of its values, so it adds nothing.  Of two classes the
 * first table gives p, the second is 1 - p: one sum with a complement.  Of
 * more, softmax and simplemax take a sum each, and `none` leaves 1 - sum of
 * the others to the last.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

static const char *const methods[] = {
    "none", "softmax", "simplemax", "logit", "probit", "cloglog", "loglog",
    "cauchit", "exp", NULL
};
enum method {
    NONE, SOFTMAX, SIMPLEMAX, LOGIT, PROBIT, CLOGLOG, LOGLOG, CAUCHIT, EXP
};
static const enum asci_link links[] = {
    ASCI_LINK_NONE, ASCI_LINK_SOFTMAX, ASCI_LINK_SIMPLEMAX, ASCI_LINK_LOGIT,
    ASCI_LINK_PROBIT, ASCI_LINK_CLOGLOG, ASCI_LINK_LOGLOG, ASCI_LINK_CAUCHIT,
    ASCI_LINK_EXP
};

/* ---- predictors ---- */

/* The number that the attribute `name` stands for, as a column. */
static int
number_column(struct pmml *p, struct pmml_scope *s, uint32_t element,
              enum pmml_name attribute, struct asci_column *c)
{
    struct pmml_value v = { .field = PMML_NO_FIELD };
    struct pmml_symbol *t;
    const char *name;
    int status;

    if ((status = asci_pmml_required(p, element, attribute, &name)) ||
        (status = asci_pmml_find(p, s, element, name, &t)) ||
        (status = asci_pmml_value_copy(p, &t->value, &v)))
        return status;
    status = asci_pmml_to_numbers(p, element, name, &v);
    if (status == ASC_OK)
        *c = v.column;
    else
        asci_pmml_value_clear(&v);
    return status;
}

static int
numeric_predictor(struct pmml *p, struct pmml_scope *s, uint32_t element,
                  struct asci_column *c)
{
    double exponent;
    int status = number_column(p, s, element, PMML_name, c);

    if (status != ASC_OK ||
        (status = asci_pmml_number_or(p, element, PMML_exponent, 1.0,
                                      &exponent)))
        return status;
    if (exponent != rint(exponent) || fabs(exponent) > 1000.0)
        return asci_pmml_fail(p, element, "NumericPredictor: exponent %g is "
                              "not a whole number from -1000 to 1000",
                              exponent);
    return exponent == 1.0 ? ASC_OK
                           : asci_pmml_to_power(p, element, c, (int)exponent);
}

static int
categorical_predictor(struct pmml *p, struct pmml_scope *s, uint32_t element,
                      struct asci_column *c)
{
    const char *name, *value;
    struct pmml_symbol *t;
    size_t index = 0;
    int status;

    if ((status = asci_pmml_required(p, element, PMML_name, &name)) ||
        (status = asci_pmml_required(p, element, PMML_value, &value)) ||
        (status = asci_pmml_find(p, s, element, name, &t)))
        return status;
    if (t->value.categorical &&
        (status = asci_pmml_label(p, &t->value, value, &index)))
        return status;
    if (index == PMML_NO_FIELD)
        return asci_pmml_fail(p, element, "CategoricalPredictor: \"%s\" is "
                              "not a value of field \"%s\"", value, name);
    return asci_pmml_indicator(p, element, &t->value, value, 0.0, c);
}

/* c = c * b, b is taken over */
static int
multiply(struct pmml *p, struct asci_column *c, struct asci_column *b)
{
    void *larger = asci_resize(c->factor, c->n_factors + b->n_factors,
                               sizeof *c->factor, p->e);

    if (!larger) {
        asci_pmml_column_clear(b);
        return ASC_ESYSTEM;
    }
    c->factor = larger;
    if (b->n_factors)
        memcpy(c->factor + c->n_factors, b->factor,
               b->n_factors * sizeof *b->factor);
    c->n_factors += b->n_factors;
    c->scale *= b->scale;
    free(b->factor);
    free(b->name);
    return ASC_OK;
}

static int
predictor_term(struct pmml *p, struct pmml_scope *s, uint32_t element,
               struct asci_column *c)
{
    uint32_t t = p->doc.element[element].child;
    struct asci_column b = { 0 };
    int status = ASC_OK;

    if (!t)
        return asci_pmml_fail(p, element, "PredictorTerm: there is no "
                              "FieldRef");
    c->scale = 1.0;
    for (; t && status == ASC_OK; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_FieldRef)
            return asci_pmml_unsupported(p, t, "PredictorTerm", "FieldRef");
        status = number_column(p, s, t, PMML_field, &b);
        if (status == ASC_OK)
            status = multiply(p, c, &b);
    }
    return status;
}

/* ---- tables ---- */

static int
read_table(struct pmml *p, struct pmml_scope *s, uint32_t table,
           struct pmml_fragment *f, uint32_t raw)
{
    struct asci_column c = { 0 };
    uint32_t t, column;
    double w;
    int status;

    if ((status = asci_pmml_number_or(p, table, PMML_intercept, 0.0,
                                      &f->base[raw])))
        return status;
    for (t = p->doc.element[table].child; t; t = p->doc.element[t].next) {
        memset(&c, 0, sizeof c);
        switch (p->doc.element[t].name) {
        case PMML_NumericPredictor:
            status = numeric_predictor(p, s, t, &c);
            break;
        case PMML_CategoricalPredictor:
            status = categorical_predictor(p, s, t, &c);
            break;
        case PMML_PredictorTerm:
            status = predictor_term(p, s, t, &c);
            break;
        default:
            return asci_pmml_unsupported(p, t, "RegressionTable",
                                         "NumericPredictor, "
                                         "CategoricalPredictor, "
                                         "PredictorTerm");
        }
        if (status == ASC_OK)
            status = asci_pmml_number(p, t, PMML_coefficient, &w);
        if (status != ASC_OK) {
            asci_pmml_column_clear(&c);
            return status;
        }
        if ((status = asci_pmml_share(p, &c, &column)) ||
            (status = asci_pmml_add_term(p, f, raw, column, w)))
            return status;
    }
    return ASC_OK;
}

struct tables {
    uint32_t *element;          /* (n) */
    size_t *class_of;           /* (n) */
    size_t n;
};

static int
list_tables(struct pmml *p, uint32_t model, struct tables *t)
{
    uint32_t i;

    t->n = 0;
    for (i = p->doc.element[model].child; i; i = p->doc.element[i].next) {
        if (p->doc.element[i].name == PMML_RegressionTable)
            t->n++;
        else if (!asci_pmml_is_common(p, i))
            return asci_pmml_unsupported(p, i, "RegressionModel",
                                         "RegressionTable");
    }
    if (t->n == 0)
        return asci_pmml_fail(p, model, "RegressionModel: there is no "
                              "RegressionTable");
    t->element = asci_pmml_keep(p, t->n, sizeof *t->element);
    t->class_of = asci_pmml_keep(p, t->n + 1, sizeof *t->class_of);
    if (!t->element || !t->class_of)
        return ASC_ESYSTEM;
    t->n = 0;
    for (i = p->doc.element[model].child; i; i = p->doc.element[i].next)
        if (p->doc.element[i].name == PMML_RegressionTable)
            t->element[t->n++] = i;
    return ASC_OK;
}

static int
class_tables(struct pmml *p, const struct pmml_classes *classes,
             struct tables *t)
{
    char *seen = asci_pmml_keep(p, classes->n + 1, 1);
    const char *text;
    size_t i;
    int status;

    if (!seen)
        return ASC_ESYSTEM;
    for (i = 0; i < t->n; i++) {
        if ((status = asci_pmml_required(p, t->element[i],
                                         PMML_targetCategory, &text)) ||
            (status = asci_pmml_class(p, classes, text, &t->class_of[i])))
            return status;
        if (t->class_of[i] == PMML_NO_FIELD)
            return asci_pmml_fail(p, t->element[i], "RegressionTable: \"%s\" "
                                  "is not a class of the target", text);
        if (seen[t->class_of[i]]++)
            return asci_pmml_fail(p, t->element[i], "RegressionTable: "
                                  "targetCategory \"%s\" is there twice",
                                  text);
    }
    return ASC_OK;
}

/* ---- models ---- */

static int
regression(struct pmml *p, uint32_t model, const struct pmml_context *c,
           const struct tables *t, enum method method,
           struct pmml_fragment *f)
{
    int status;

    if (t->n != 1)
        return asci_pmml_fail(p, t->element[1], "RegressionModel: %zu "
                              "RegressionTable elements in a regression, want "
                              "1", t->n);
    if (method == SIMPLEMAX)
        return asci_pmml_fail(p, model, "RegressionModel: normalizationMethod "
                              "\"simplemax\" is of classifications only");
    f->link = method == SOFTMAX ? ASCI_LINK_LOGIT : links[method];
    if ((status = asci_pmml_number_output(p, f, model)))
        return status;
    return read_table(p, c->scope, t->element[0], f, 0);
}

/* One sum for the class of `table`, and what is left to one for `other`. */
static int
two_classes(struct pmml *p, const struct pmml_context *c,
            const struct pmml_classes *classes, uint32_t table, size_t of,
            size_t other, enum asci_link link, struct pmml_fragment *f)
{
    const size_t both[2] = { of < other ? of : other,
                             of < other ? other : of };
    const size_t rest = of < other;
    int status = asci_pmml_class_outputs(p, f, classes, both, 2);

    if (status != ASC_OK)
        return status;
    f->n_raw = 1;
    f->link = link;
    f->output[0].raw = f->output[1].raw = 0;
    f->output[rest].sign = -1.0;
    f->output[rest].complement = 1;
    return read_table(p, c->scope, table, f, 0);
}

static int
binary(struct pmml *p, uint32_t model, const struct pmml_context *c,
       const struct pmml_classes *classes, const struct tables *t,
       enum method method, struct pmml_fragment *f)
{
    size_t first = 0, other;
    const struct pmml_element *e = p->doc.element;
    double rest = 0.0;
    int status;

    if (t->n == 1) {
        if (classes->n != 2)
            return asci_pmml_fail(p, model, "RegressionModel: one "
                                  "RegressionTable for %zu classes",
                                  classes->n);
        other = 1 - t->class_of[0];
    } else {
        /* A table without predictors is there for the name of its class. */
        first = !e[t->element[0]].child && e[t->element[1]].child;
        other = t->class_of[1 - first];
        if (method == SOFTMAX &&
            (status = asci_pmml_number_or(p, t->element[1 - first],
                                          PMML_intercept, 0.0, &rest)))
            return status;
    }
    if (method == SIMPLEMAX || method == EXP)
        return asci_pmml_fail(p, model, "RegressionModel: normalizationMethod "
                              "\"%s\" is not defined for two classes with "
                              "one sum", methods[method]);
    status = two_classes(p, c, classes, t->element[first],
                         t->class_of[first], other,
                         method == SOFTMAX ? ASCI_LINK_LOGIT : links[method],
                         f);
    if (status == ASC_OK)
        f->base[0] -= rest;
    return status;
}

/* The last sum becomes 1 - the sum of the others. */
static int
leave_rest(struct pmml *p, struct pmml_fragment *f, uint32_t last)
{
    const size_t n = f->n_terms;
    size_t i;
    int status;

    f->base[last] = 1.0;
    for (i = 0; i < last; i++)
        f->base[last] -= f->base[i];
    for (i = 0; i < n; i++)
        if ((status = asci_pmml_add_term(p, f, last, f->term[i].column,
                                         -f->term[i].w)))
            return status;
    return ASC_OK;
}

static int
many(struct pmml *p, uint32_t model, const struct pmml_context *c,
     const struct pmml_classes *classes, const struct tables *t,
     enum method method, struct pmml_fragment *f)
{
    size_t *of = asci_pmml_keep(p, t->n, sizeof *of);
    size_t *table = asci_pmml_keep(p, classes->n, sizeof *table);
    size_t i, k = 0;
    int status;

    if (!of || !table)
        return ASC_ESYSTEM;
    if (method != NONE && method != SOFTMAX && method != SIMPLEMAX)
        return asci_pmml_fail(p, model, "RegressionModel: normalizationMethod "
                              "\"%s\" is not defined for %zu unordered "
                              "classes", methods[method], t->n);
    for (i = 0; i < t->n; i++)
        table[t->class_of[i]] = i + 1;
    for (i = 0; i < classes->n; i++)
        if (table[i])
            of[k++] = i;
    if ((status = asci_pmml_class_outputs(p, f, classes, of, t->n)))
        return status;
    f->link = links[method];
    for (i = 0; i < t->n; i++)
        f->output[i].raw = table[of[i]] - 1;
    for (i = 0; i + (method == NONE) < t->n; i++)
        if ((status = read_table(p, c->scope, t->element[i], f,
                                 (uint32_t)i)))
            return status;
    return method == NONE ? leave_rest(p, f, (uint32_t)(t->n - 1)) : ASC_OK;
}

/* Whether both of two tables have predictors. */
static int
both_speak(const struct pmml *p, const struct tables *t)
{
    return t->n == 2 && p->doc.element[t->element[0]].child &&
           p->doc.element[t->element[1]].child;
}

static int
is_ordinal(const struct pmml *p, const char *target)
{
    const char *optype;
    uint32_t data;

    if (!target || !asci_pmml_map_find(&p->dictionary, target, &data))
        return 0;
    optype = asci_pmml_attribute(p, data, PMML_optype);
    return optype && !strcmp(optype, "ordinal");
}

int
asci_pmml_regression(struct pmml *p, uint32_t element,
                     const struct pmml_context *c, struct pmml_fragment *f)
{
    const struct pmml_classes *classes;
    struct tables t = { NULL, NULL, 0 };
    int classifies, method, status;

    f->form = ASC_FORM_LINEAR;
    if ((status = asci_pmml_classifies(p, element, &classifies)) ||
        (status = asci_pmml_choice(p, element, PMML_normalizationMethod,
                                   methods, NONE, &method)) ||
        (status = list_tables(p, element, &t)))
        return status;
    if (!classifies)
        return regression(p, element, c, &t, (enum method)method, f);
    if ((status = asci_pmml_classes(p, element, c->classes, &classes)) ||
        (status = class_tables(p, classes, &t)))
        return status;
    if (t.n > 2 && is_ordinal(p, classes->target))
        return asci_pmml_fail(p, element, "RegressionModel: the target \"%s\" "
                              "is ordinal, which is not supported for more "
                              "than two classes", classes->target);
    if (t.n > 2 || (t.n == 2 && (method == SIMPLEMAX || (
                                     method == SOFTMAX && both_speak(p, &t)))))
        return many(p, element, c, classes, &t, (enum method)method, f);
    return binary(p, element, c, classes, &t, (enum method)method, f);
}
