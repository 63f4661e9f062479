/* model/pmml/write_linear.c -- the linear form as a RegressionModel.
 *
 * Numbers become NumericPredictors, indicators CategoricalPredictors,
 * products PredictorTerms; whatever is more than a field's number or category
 * becomes a derived field first.  Constants go into the intercept.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/pmml/write.h"

enum predictor { NUMERIC, CATEGORICAL, PRODUCT, CONSTANT };

static enum predictor
predictor_of(const struct pmml_writer *w, const struct pmml_term *t)
{
    if (t->n == 0)
        return CONSTANT;
    if (t->n > 1)
        return PRODUCT;
    return asci_pmml_part_is_category(&w->part[t->first]) ? CATEGORICAL
                                                          : NUMERIC;
}

/* Whether part i of a term needs a derived field. */
static int
is_derived(const struct pmml_writer *w, const struct pmml_term *t, size_t i)
{
    const struct pmml_part *p = &w->part[t->first + i];

    if (predictor_of(w, t) == CATEGORICAL)
        return 0;
    return !asci_pmml_part_is_field(w, p) ||
           (t->n > 1 && p->factor->power != 1);
}

/* Whether the power of a term's part is an exponent of its predictor. */
static int
has_exponent(const struct pmml_writer *w, const struct pmml_term *t)
{
    return predictor_of(w, t) == NUMERIC &&
           asci_pmml_power_apart(&w->part[t->first]);
}

static void
write_derived(struct pmml_writer *w)
{
    char name[PMML_NAME_MAX];
    int any = 0;
    size_t i, k;

    for (i = 0; i < w->n_terms; i++)
        for (k = 0; k < w->term[i].n; k++) {
            const size_t part = w->term[i].first + k;

            if (!is_derived(w, &w->term[i], k))
                continue;
            if (!any) {
                asci_pmml_begin(w, "LocalTransformations");
                asci_pmml_inside(w);
            }
            any = 1;
            asci_pmml_begin(w, "DerivedField");
            asci_pmml_set(w, "name",
                          asci_pmml_own_name(w, "derived", part, name));
            asci_pmml_set(w, "optype", "continuous");
            asci_pmml_set(w, "dataType",
                          asci_pmml_part_is_single(&w->part[part])
                          ? "float" : "double");
            asci_pmml_inside(w);
            asci_pmml_part_expression(w, &w->part[part],
                                      !has_exponent(w, &w->term[i]));
            asci_pmml_end_element(w, "DerivedField");
        }
    if (any)
        asci_pmml_end_element(w, "LocalTransformations");
}

static const char *
part_name(const struct pmml_writer *w, const struct pmml_term *t, size_t i,
          char name[PMML_NAME_MAX])
{
    const struct pmml_part *p = &w->part[t->first + i];

    return is_derived(w, t, i)
           ? asci_pmml_own_name(w, "derived", t->first + i, name)
           : w->m->schema.field[p->factor->field].name;
}

static void
write_predictor(struct pmml_writer *w, const struct pmml_term *t,
                double coefficient)
{
    const struct pmml_part *p = &w->part[t->first];
    const struct asc_field *field = &w->m->schema.field[p->factor->field];
    char name[PMML_NAME_MAX];
    size_t i;

    switch (predictor_of(w, t)) {
    case NUMERIC:
        asci_pmml_begin(w, "NumericPredictor");
        asci_pmml_set(w, "name", part_name(w, t, 0, name));
        if (has_exponent(w, t))
            asci_pmml_set_number(w, "exponent", p->factor->power);
        asci_pmml_set_number(w, "coefficient", coefficient);
        asci_pmml_empty(w);
        break;
    case CATEGORICAL:
        asci_pmml_begin(w, "CategoricalPredictor");
        asci_pmml_set(w, "name", field->name);
        asci_pmml_set(w, "value", field->categories[p->category]);
        asci_pmml_set_number(w, "coefficient", coefficient);
        asci_pmml_empty(w);
        break;
    case PRODUCT:
        asci_pmml_begin(w, "PredictorTerm");
        asci_pmml_set_number(w, "coefficient", coefficient);
        asci_pmml_inside(w);
        for (i = 0; i < t->n; i++) {
            asci_pmml_begin(w, "FieldRef");
            asci_pmml_set(w, "field", part_name(w, t, i, name));
            asci_pmml_empty(w);
        }
        asci_pmml_end_element(w, "PredictorTerm");
        break;
    case CONSTANT:
        break;
    }
}

/* sign * (b + W columns) of one raw output. */
static void
write_sum(struct pmml_writer *w, size_t raw, double sign)
{
    const struct asci_linear *f = &w->m->u.linear;
    const double *weight = f->w + raw * f->n_columns;
    const struct pmml_term *t;
    double intercept = sign * f->b[raw];
    enum predictor kind;
    size_t j, i;

    for (j = 0; j < f->n_columns; j++)
        for (i = w->first_term[j]; i < w->first_term[j + 1]; i++)
            if (w->term[i].n == 0)
                intercept += sign * weight[j] * w->term[i].coefficient;
    asci_pmml_set_number(w, "intercept", intercept);
    asci_pmml_inside(w);
    for (kind = NUMERIC; kind <= PRODUCT; kind++)
        for (j = 0; j < f->n_columns; j++)
            for (i = w->first_term[j]; i < w->first_term[j + 1]; i++) {
                t = &w->term[i];
                if (predictor_of(w, t) == kind)
                    write_predictor(w, t, sign * weight[j] * t->coefficient);
            }
}

static void
write_tables(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    size_t *order = asci_alloc(m->n_outputs, sizeof *order, w->e), k;

    if (!order) {
        w->status = ASC_ESYSTEM;
        return;
    }
    asci_pmml_table_order(m, order);
    for (k = 0; k < m->n_outputs && w->status == ASC_OK; k++) {
        const struct asci_output *o = &m->output[order[k]];

        asci_pmml_begin(w, "RegressionTable");
        if (m->classifier)
            asci_pmml_set(w, "targetCategory", o->name);
        if (o->complement) {
            asci_pmml_set_number(w, "intercept", 0.0);
            asci_pmml_empty(w);
            continue;
        }
        write_sum(w, o->raw, o->sign);
        asci_pmml_end_element(w, "RegressionTable");
    }
    free(order);
}

void
asci_pmml_write_linear(struct pmml_writer *w)
{
    const asc_model *m = w->m;

    asci_pmml_make_terms(w);
    if (w->status != ASC_OK)
        return;
    asci_pmml_begin(w, "RegressionModel");
    asci_pmml_set(w, "functionName", m->classifier ? "classification"
                                                   : "regression");
    if (m->description)
        asci_pmml_set(w, "algorithmName", m->description);
    asci_pmml_set(w, "normalizationMethod", asci_link_name(m->link));
    asci_pmml_inside(w);
    asci_pmml_model_head(w, 1);
    write_derived(w);
    write_tables(w);
    asci_pmml_end_element(w, "RegressionModel");
}
