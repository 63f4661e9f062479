/* model/pmml/schema.c -- DataDictionary and MiningSchema: what goes in, and
 * the classes that come out.
 *
 * Raw fields are the active fields of the top-level MiningSchema, in its
 * order.  Values are checked and treated in the order of PMML 4.4, Mining
 * Schema: invalid ones, outliers, missing ones.  An inner model's own
 * replacement and outlier treatments become part of what its names stand for;
 * its invalidValueTreatment is that of the outer model, which has seen the
 * values first.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

/* ---- fields ---- */

/* numberOfFields is not compared: examples of the specification itself, as
 * those of majority votes and weighted averages, say 4 where there are 7. */
int
asci_pmml_dictionary(struct pmml *p, uint32_t dictionary)
{
    const char *name;
    uint32_t t, found;
    int status;

    for (t = p->doc.element[dictionary].child; t;
         t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_DataField)
            continue;
        if ((status = asci_pmml_required(p, t, PMML_name, &name)))
            return status;
        if (asci_pmml_map_find(&p->dictionary, name, &found))
            return asci_pmml_fail(p, t, "DataField: field \"%s\" is there "
                                  "twice", name);
        if ((status = asci_pmml_map_add(&p->dictionary, name, t, p->e)))
            return status;
    }
    return ASC_OK;
}

int
asci_pmml_add_field(struct pmml *p, const char *name, enum asc_kind kind,
                    enum asc_text_type text_type, size_t *field)
{
    const size_t n = p->schema.n;
    struct asc_field *f;

    if (n == p->room_fields) {
        const size_t room = n ? 2 * n : 16;
        void *larger = asci_resize(p->schema.field, room,
                                   sizeof *p->schema.field, p->e);

        if (!larger)
            return ASC_ESYSTEM;
        p->schema.field = larger;
        if (!(larger = asci_resize(p->field, room, sizeof *p->field, p->e)))
            return ASC_ESYSTEM;
        p->field = larger;
        p->room_fields = room;
    }
    f = &p->schema.field[n];
    memset(f, 0, sizeof *f);
    memset(&p->field[n], 0, sizeof p->field[n]);
    if (!(f->name = asci_copy_text(name, strlen(name), p->e)))
        return ASC_ESYSTEM;
    f->kind = kind;
    f->text_type = text_type;
    f->invalid = ASC_INVALID_AS_IS;
    f->replacement = NAN;
    f->low = -INFINITY;
    f->high = INFINITY;
    *field = p->schema.n++;
    return ASC_OK;
}

int
asci_pmml_add_category(struct pmml *p, size_t field, const char *text,
                       size_t *index)
{
    struct asc_field *f = &p->schema.field[field];
    const char *key = asci_pmml_canonical(p, f->text_type, text);
    const size_t n = f->n_categories;
    uint32_t found;
    char *copy;

    if (!key)
        return ASC_ESYSTEM;
    if (asci_pmml_map_find(&p->field[field].map, key, &found)) {
        *index = found;
        return ASC_OK;
    }
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        void *larger = asci_resize(f->categories, n ? 2 * n : 8,
                                   sizeof *f->categories, p->e);

        if (!larger)
            return ASC_ESYSTEM;
        f->categories = larger;
    }
    if (!(copy = asci_copy_text(text, strlen(text), p->e)))
        return ASC_ESYSTEM;
    f->categories[n] = copy;
    f->n_categories = n + 1;
    *index = n;
    if (key == text)
        key = copy;
    return asci_pmml_map_add(&p->field[field].map, key, (uint32_t)n, p->e);
}

static int
add_missing(struct pmml *p, struct asc_field *f, const char *text)
{
    void *larger = asci_resize(f->missing, f->n_missing + 1,
                               sizeof *f->missing, p->e);

    if (!larger)
        return ASC_ESYSTEM;
    f->missing = larger;
    f->missing[f->n_missing] = asci_copy_text(text, strlen(text), p->e);
    if (!f->missing[f->n_missing])
        return ASC_ESYSTEM;
    f->n_missing++;
    return ASC_OK;
}

/* ---- validity ---- */

enum treatment { RETURN_INVALID, AS_IS, AS_MISSING };

/* The Value elements of a DataField. */
static int
values(struct pmml *p, uint32_t data, size_t field, enum treatment treatment)
{
    static const char *const properties[] = {
        "valid", "invalid", "missing", NULL
    };
    struct asc_field *f;
    const char *text;
    size_t n_invalid = 0, ignored;
    uint32_t t;
    int property, status;

    for (t = p->doc.element[data].child; t; t = p->doc.element[t].next) {
        f = &p->schema.field[field];
        if (p->doc.element[t].name != PMML_Value)
            continue;
        if ((status = asci_pmml_required(p, t, PMML_value, &text)) ||
            (status = asci_pmml_choice(p, t, PMML_property, properties, 0,
                                       &property)))
            return status;
        if (property == 2 || (property == 1 && treatment == AS_MISSING)) {
            status = add_missing(p, f, text);
        } else if (property == 0 && f->kind == ASC_CATEGORICAL) {
            status = asci_pmml_add_category(p, field, text, &ignored);
            p->field[field].n_declared = f->n_categories;
        } else if (property == 1) {
            n_invalid++;
        }
        if (status != ASC_OK)
            return status;
    }
    if (n_invalid && treatment == RETURN_INVALID &&
        p->field[field].n_declared == 0)
        return asci_pmml_fail(p, data, "DataField \"%s\": invalid values "
                              "without valid ones are not supported with "
                              "invalidValueTreatment returnInvalid",
                              p->schema.field[field].name);
    return ASC_OK;
}

/* The Interval element of a continuous DataField: the range of valid numbers.
 * *found: there is one. */
static int
valid_range(struct pmml *p, uint32_t data, struct asc_field *f, int single,
            int *found)
{
    static const char *const closures[] = {
        "openOpen", "openClosed", "closedOpen", "closedClosed", NULL
    };
    uint32_t t = asci_pmml_child(p, data, PMML_Interval), other;
    const char *text;
    int closure, status;

    *found = t != 0;
    if (!t)
        return ASC_OK;
    for (other = p->doc.element[t].next; other;
         other = p->doc.element[other].next)
        if (p->doc.element[other].name == PMML_Interval)
            return asci_pmml_fail(p, other, "DataField \"%s\": several "
                                  "Intervals are only supported with "
                                  "invalidValueTreatment asIs", f->name);
    if ((status = asci_pmml_choice(p, t, PMML_closure, closures, 3,
                                   &closure)))
        return status;
    if ((text = asci_pmml_attribute(p, t, PMML_leftMargin)) &&
        (status = asci_pmml_to_number(p, t, PMML_leftMargin, text, &f->low)))
        return status;
    if ((text = asci_pmml_attribute(p, t, PMML_rightMargin)) &&
        (status = asci_pmml_to_number(p, t, PMML_rightMargin, text,
                                      &f->high)))
        return status;
    if (f->low > f->high)
        return asci_pmml_fail(p, t, "Interval: leftMargin %g is above "
                              "rightMargin %g", f->low, f->high);
    /* An open end begins with the next number; a closed one of a float field
     * takes in all that rounds to it. */
    if (closure < 2)
        f->low = nextafter(f->low, INFINITY);
    else if (single)
        f->low = (double)nextafterf((float)f->low, -INFINITY);
    if (closure == 0 || closure == 2)
        f->high = nextafter(f->high, -INFINITY);
    else if (single)
        f->high = (double)nextafterf((float)f->high, INFINITY);
    return ASC_OK;
}

/* ---- treatments ---- */

static const char *const outlier_choices[] = {
    "asIs", "asMissingValues", "asExtremeValues", NULL
};

/* lowValue and highValue, where outliers are treated. */
static int
outlier_range(struct pmml *p, uint32_t mining, int *outliers, double *low,
              double *high)
{
    int status = asci_pmml_choice(p, mining, PMML_outliers, outlier_choices,
                                  0, outliers);

    if (status != ASC_OK || *outliers == 0)
        return status;
    if ((status = asci_pmml_number(p, mining, PMML_lowValue, low)) ||
        (status = asci_pmml_number(p, mining, PMML_highValue, high)))
        return status;
    if (!(*low < *high))
        return asci_pmml_fail(p, mining, "MiningField: lowValue %g is not "
                              "below highValue %g", *low, *high);
    return ASC_OK;
}

/* What a value is from low to high, and what beyond. */
static int
treat_outliers(struct pmml *p, uint32_t mining, struct asci_column *c,
               int outliers, double low, double high, double missing)
{
    const double x[2] = { low, high };

    return asci_pmml_through_line(p, mining, c, x, x, 2,
                                  outliers == 1 ? ASCI_OUTLIERS_MISSING
                                                : ASCI_OUTLIERS_CLAMP,
                                  missing);
}

static int
invalid_treatment(struct pmml *p, uint32_t mining, enum treatment *t)
{
    static const char *const choices[] = {
        "returnInvalid", "asIs", "asMissing", NULL
    };
    static const char *const missing[] = {
        "asIs", "asMean", "asMode", "asMedian", "asValue", NULL
    };
    int v, status = asci_pmml_choice(p, mining, PMML_invalidValueTreatment,
                                     choices, 0, &v);

    *t = (enum treatment)v;
    return status ? status
                  : asci_pmml_choice(p, mining, PMML_missingValueTreatment,
                                     missing, 0, &v);
}

static int
no_value(const struct pmml *p, uint32_t mining, const char *text,
         const char *field)
{
    return asci_pmml_fail(p, mining, "MiningField: missingValueReplacement "
                          "\"%s\" is not a value of field \"%s\"", text,
                          field);
}

/* missingValueReplacement as a value `of` the field; NaN if there is none. */
static int
replacement(struct pmml *p, uint32_t mining, size_t field,
            const struct pmml_value *of, double *v)
{
    const char *text = asci_pmml_attribute(p, mining,
                                           PMML_missingValueReplacement);
    size_t index;
    int status;

    *v = NAN;
    if (!text)
        return ASC_OK;
    if (p->schema.field[field].kind == ASC_CONTINUOUS)
        return asci_pmml_number(p, mining, PMML_missingValueReplacement, v);
    if ((status = asci_pmml_label(p, of, text, &index)))
        return status;
    if (index == PMML_NO_FIELD)
        return no_value(p, mining, text, p->schema.field[field].name);
    *v = (double)index;
    return ASC_OK;
}

static int
kind_of(const struct pmml *p, uint32_t mining, uint32_t data,
        enum asc_kind *kind, const char **type)
{
    static const char *const types[] = {
        "string", "integer", "float", "double", "boolean", NULL
    };
    static const char *const optypes[] = {
        "continuous", "categorical", "ordinal", NULL
    };
    int t, optype, status;

    *type = asci_pmml_attribute(p, data, PMML_dataType);
    if ((status = asci_pmml_choice(p, data, PMML_dataType, types, 3, &t)) ||
        (status = asci_pmml_choice(p, data, PMML_optype, optypes,
                                   t == 0 || t == 4, &optype)) ||
        (status = asci_pmml_choice(p, mining, PMML_optype, optypes, optype,
                                   &optype)))
        return status;
    *kind = optype > 0 || t == 0 || t == 4 ? ASC_CATEGORICAL
                                           : ASC_CONTINUOUS;
    return ASC_OK;
}

static int
continuous_field(struct pmml *p, uint32_t mining, uint32_t data, size_t field,
                 enum treatment treatment, int single,
                 struct asci_column *column)
{
    struct asc_field *f = &p->schema.field[field];
    double low, high;
    int outliers, range = 0, status;

    if ((treatment != AS_IS &&
         (status = valid_range(p, data, f, single, &range))) ||
        (status = outlier_range(p, mining, &outliers, &low, &high)) ||
        (status = replacement(p, mining, field, NULL, &f->replacement)) ||
        (status = asci_pmml_identity(p, field, single, column)))
        return status;
    if (!outliers)
        return ASC_OK;
    if (range)                  /* both a range and outliers within it */
        return treat_outliers(p, mining, column, outliers, low, high,
                              f->replacement);
    f->low = low;
    f->high = high;
    f->clamp = outliers == 2;
    if (outliers == 1)
        f->invalid = ASC_INVALID_MISSING;
    return ASC_OK;
}

static int
raw_field(struct pmml *p, struct pmml_scope *s, uint32_t mining,
          uint32_t data, const char *name)
{
    struct pmml_symbol *t;
    struct asc_field *f;
    enum treatment treatment;
    enum asc_kind kind = ASC_CONTINUOUS;
    const char *type;
    size_t field;
    int status, single;

    if ((status = asci_pmml_declare(p, s, name, mining, &t)) ||
        (status = kind_of(p, mining, data, &kind, &type)) ||
        (status = invalid_treatment(p, mining, &treatment)) ||
        (status = asci_pmml_add_field(p, name, kind,
                                      kind == ASC_CONTINUOUS
                                      ? ASC_TEXT : asci_pmml_text_type(type),
                                      &field)))
        return status;
    f = &p->schema.field[field];
    single = type && !strcmp(type, "float");
    f->invalid = treatment == AS_IS ? ASC_INVALID_AS_IS
                 : treatment == AS_MISSING ? ASC_INVALID_MISSING
                 : ASC_INVALID_ERROR;
    if ((status = values(p, data, field, treatment)))
        return status;
    t->state = PMML_RESOLVED;
    t->value.single = single;
    if (kind == ASC_CONTINUOUS)
        return continuous_field(p, mining, data, field, treatment, single,
                                &t->value.column);
    if (p->field[field].n_declared == 0 &&
        f->text_type == ASC_TEXT_BOOLEAN) {
        size_t ignored;

        if ((status = asci_pmml_add_category(p, field, "false", &ignored)) ||
            (status = asci_pmml_add_category(p, field, "true", &ignored)))
            return status;
        p->field[field].n_declared = 2;
    }
    /* Where none is declared all are valid. */
    if (p->field[field].n_declared == 0)
        f->invalid = ASC_INVALID_AS_IS;
    p->field[field].may_grow = f->invalid == ASC_INVALID_AS_IS;
    t->value.categorical = 1;
    t->value.text_type = f->text_type;
    t->value.field = field;
    if ((status = replacement(p, mining, field, &t->value, &f->replacement)))
        return status;
    return asci_pmml_identity(p, field, 0, &t->value.column);
}

static int
check_usage(const struct pmml *p, uint32_t mining)
{
    static const char *const choices[] = {
        "active", "predicted", "target", "supplementary", "group", "order",
        "frequencyWeight", "analysisWeight", NULL
    };
    int v;

    return asci_pmml_choice(p, mining, PMML_usageType, choices, 0, &v);
}

static void
usage_of(const struct pmml *p, uint32_t mining, int *active, int *target)
{
    const char *usage = asci_pmml_attribute(p, mining, PMML_usageType);

    *active = !usage || !strcmp(usage, "active");
    *target = usage && (!strcmp(usage, "target") ||
                        !strcmp(usage, "predicted"));
}

int
asci_pmml_schema(struct pmml *p, struct pmml_scope *s,
                 const struct pmml_scope *visible, uint32_t model)
{
    const uint32_t schema = asci_pmml_child(p, model, PMML_MiningSchema);
    uint32_t t, data;
    const char *name;
    int status, active, target;

    if (!schema)
        return asci_pmml_fail(p, model, "%s: there is no MiningSchema",
                              asci_pmml_name(p, model));
    for (t = p->doc.element[schema].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_MiningField)
            return asci_pmml_unsupported(p, t, "MiningSchema", "MiningField");
        if ((status = asci_pmml_required(p, t, PMML_name, &name)) ||
            (status = check_usage(p, t)))
            return status;
        usage_of(p, t, &active, &target);
        if (!active)
            continue;
        if (!asci_pmml_map_find(&p->dictionary, name, &data)) {
            /* Some list their derived fields here, too. */
            if (asci_pmml_look_up(visible, name))
                continue;
            return asci_pmml_fail(p, t, "MiningField: field \"%s\" is not in "
                                  "the DataDictionary", name);
        }
        if ((status = raw_field(p, s, t, data, name)))
            return status;
    }
    p->n_fields = p->schema.n;
    return ASC_OK;
}

/* Whether a missing value of the symbol can come in at all. */
static int
treated_already(const struct pmml *p, const struct pmml_value *v)
{
    const struct asci_column *c = &v->column;

    return c->n_factors == 1 && c->factor[0].kind == ASCI_FACTOR_NUMBER &&
           c->factor[0].n_knots == 0 &&
           !isnan(p->schema.field[c->factor[0].field].replacement);
}

static int
inner_field(struct pmml *p, struct pmml_scope *s, uint32_t mining)
{
    const char *text = asci_pmml_attribute(p, mining,
                                           PMML_missingValueReplacement);
    struct pmml_symbol *from, *t;
    double low, high, v = NAN;
    int outliers, status;
    const char *name;
    size_t index;

    if ((status = asci_pmml_required(p, mining, PMML_name, &name)) ||
        (status = outlier_range(p, mining, &outliers, &low, &high)))
        return status;
    if ((!text && !outliers) || !asci_pmml_look_up(s->parent, name))
        return ASC_OK;
    if ((status = asci_pmml_find(p, s->parent, mining, name, &from)))
        return status;
    if (!outliers && treated_already(p, &from->value))
        return ASC_OK;
    if ((status = asci_pmml_redeclare(p, s, from, &t)))
        return status;
    if (text && t->value.categorical) {
        if ((status = asci_pmml_label(p, &t->value, text, &index)))
            return status;
        if (index == PMML_NO_FIELD)
            return no_value(p, mining, text, name);
        v = (double)index;
    } else if (text && (status = asci_pmml_number(
                            p, mining, PMML_missingValueReplacement, &v))) {
        return status;
    }
    if (outliers && !t->value.categorical)
        return treat_outliers(p, mining, &t->value.column, outliers, low,
                              high, v);
    asci_pmml_set_missing(&t->value.column, v);
    return ASC_OK;
}

int
asci_pmml_inner_schema(struct pmml *p, struct pmml_scope *s, uint32_t model)
{
    const uint32_t schema = asci_pmml_child(p, model, PMML_MiningSchema);
    uint32_t t;
    int status, active, target;

    if (!schema)
        return asci_pmml_fail(p, model, "%s: there is no MiningSchema",
                              asci_pmml_name(p, model));
    for (t = p->doc.element[schema].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_MiningField)
            return asci_pmml_unsupported(p, t, "MiningSchema", "MiningField");
        if ((status = check_usage(p, t)))
            return status;
        usage_of(p, t, &active, &target);
        if (active && (status = inner_field(p, s, t)))
            return status;
    }
    return ASC_OK;
}

/* ---- classes ---- */

uint32_t
asci_pmml_end(const struct pmml *p, uint32_t element)
{
    while (element && !p->doc.element[element].next)
        element = p->doc.element[element].parent;
    return element ? p->doc.element[element].next
                   : (uint32_t)p->doc.n_elements;
}

/* Of several targets that of the model's own kind. */
const char *
asci_pmml_target(const struct pmml *p, uint32_t model)
{
    const uint32_t schema = asci_pmml_child(p, model, PMML_MiningSchema);
    const char *function = asci_pmml_attribute(p, model, PMML_functionName);
    const char *name, *first = NULL, *optype;
    uint32_t t = schema ? p->doc.element[schema].child : 0, data;
    int active, target;

    for (; t; t = p->doc.element[t].next) {
        usage_of(p, t, &active, &target);
        name = asci_pmml_attribute(p, t, PMML_name);
        if (!target || !name)
            continue;
        if (!first)
            first = name;
        if (!function || !asci_pmml_map_find(&p->dictionary, name, &data) ||
            !(optype = asci_pmml_attribute(p, data, PMML_optype)))
            continue;
        if (!strcmp(function, "regression") == !strcmp(optype, "continuous"))
            return name;
    }
    return first;
}

int
asci_pmml_is_target(const struct pmml *p, uint32_t model, const char *name)
{
    const uint32_t schema = asci_pmml_child(p, model, PMML_MiningSchema);
    uint32_t t = schema ? p->doc.element[schema].child : 0;
    const char *other;
    int active, target;

    for (; t; t = p->doc.element[t].next) {
        usage_of(p, t, &active, &target);
        other = asci_pmml_attribute(p, t, PMML_name);
        if (target && other && !strcmp(other, name))
            return 1;
    }
    return 0;
}

static int
add_class(struct pmml *p, struct pmml_classes *c, const char *text)
{
    const char *key = asci_pmml_canonical(p, c->text_type, text);
    uint32_t found;
    int status;

    if (!key)
        return ASC_ESYSTEM;
    if (asci_pmml_map_find(&c->map, key, &found))
        return ASC_OK;
    if ((status = asci_pmml_grow(&c->name, c->n, &c->room, sizeof *c->name,
                                 p->e)))
        return status;
    c->name[c->n++] = text;
    return asci_pmml_map_add(&c->map, key, (uint32_t)(c->n - 1), p->e);
}

/* The class that an element names, if it does on this pass. */
static const char *
named_class(const struct pmml *p, uint32_t t, int pass)
{
    const struct pmml_element *e = &p->doc.element[t];
    const char *feature;

    switch (e->name) {
    case PMML_OutputField:
        feature = asci_pmml_attribute(p, t, PMML_feature);
        return pass == 0 && feature && !strcmp(feature, "probability")
               ? asci_pmml_attribute(p, t, PMML_value) : NULL;
    case PMML_RegressionTable:
        return pass == 1 ? asci_pmml_attribute(p, t, PMML_targetCategory)
                         : NULL;
    case PMML_ScoreDistribution:
        return pass == 1 ? asci_pmml_attribute(p, t, PMML_value) : NULL;
    case PMML_NormDiscrete:
        return pass == 1 && e->parent &&
               p->doc.element[p->doc.element[e->parent].parent].name ==
               PMML_NeuralOutput
               ? asci_pmml_attribute(p, t, PMML_value) : NULL;
    case PMML_Node:
        return pass == 2 ? asci_pmml_attribute(p, t, PMML_score) : NULL;
    default:
        return NULL;
    }
}

/* Whether the model inside another one has classes of its own, or none. */
static int
has_other_classes(const struct pmml *p, uint32_t model, const char *target)
{
    const char *function = asci_pmml_attribute(p, model, PMML_functionName);
    const char *own = asci_pmml_target(p, model);

    return !function || strcmp(function, "classification") != 0 ||
           (own && target && strcmp(own, target) != 0);
}

static int
collect_classes(struct pmml *p, struct pmml_classes *c, uint32_t model)
{
    const uint32_t end = asci_pmml_end(p, model);
    const char *text;
    uint32_t t;
    int pass, status;

    for (pass = 0; pass < 3; pass++)
        for (t = model + 1; t < end; t++) {
            if (asci_pmml_is_model(p, t) &&
                has_other_classes(p, t, c->target)) {
                t = asci_pmml_end(p, t) - 1;
                continue;
            }
            text = named_class(p, t, pass);
            if (text && (status = add_class(p, c, text)))
                return status;
        }
    return ASC_OK;
}

static int
declared_classes(struct pmml *p, struct pmml_classes *c)
{
    const char *text, *property;
    uint32_t data, t;
    int status;

    if (!c->target ||
        !asci_pmml_map_find(&p->dictionary, c->target, &data))
        return ASC_OK;
    c->text_type = asci_pmml_text_type(asci_pmml_attribute(p, data,
                                                           PMML_dataType));
    for (t = p->doc.element[data].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_Value)
            continue;
        property = asci_pmml_attribute(p, t, PMML_property);
        if (property && strcmp(property, "valid") != 0)
            continue;
        if ((status = asci_pmml_required(p, t, PMML_value, &text)) ||
            (status = add_class(p, c, text)))
            return status;
    }
    return ASC_OK;
}

int
asci_pmml_classes(struct pmml *p, uint32_t model,
                  const struct pmml_classes *outer,
                  const struct pmml_classes **out)
{
    const char *target = asci_pmml_target(p, model);
    struct pmml_classes *c;
    int status;

    if (!target && outer) {
        *out = outer;
        return ASC_OK;
    }
    for (c = p->classes; target && c; c = c->next)
        if (c->target && !strcmp(c->target, target)) {
            *out = c;
            return ASC_OK;
        }
    if (!(c = asci_pmml_keep(p, 1, sizeof *c)))
        return ASC_ESYSTEM;
    c->target = target;
    c->next = p->classes;
    p->classes = c;
    if ((status = declared_classes(p, c)) ||
        (c->n == 0 && (status = collect_classes(p, c, model))))
        return status;
    *out = c;
    return ASC_OK;
}

int
asci_pmml_class(struct pmml *p, const struct pmml_classes *c,
                const char *text, size_t *k)
{
    const char *key = asci_pmml_canonical(p, c->text_type, text);
    uint32_t found;

    if (!key)
        return ASC_ESYSTEM;
    *k = asci_pmml_map_find(&c->map, key, &found) ? found : PMML_NO_FIELD;
    return ASC_OK;
}

/* ---- copies ---- */

static int
copy_texts(char *const *from, size_t n, char ***to, struct asc_error *e)
{
    size_t i;

    if (!(*to = asci_alloc_zero(n, sizeof **to, e)))
        return ASC_ESYSTEM;
    for (i = 0; i < n; i++)
        if (!((*to)[i] = asci_copy_text(from[i], strlen(from[i]), e)))
            return ASC_ESYSTEM;
    return ASC_OK;
}

int
asci_pmml_field_copy(const struct asc_field *from, struct asc_field *to,
                     struct asc_error *e)
{
    *to = *from;
    to->categories = to->missing = NULL;
    to->name = asci_copy_text(from->name, strlen(from->name), e);
    if (to->name &&
        copy_texts(from->categories, from->n_categories, &to->categories,
                   e) == ASC_OK &&
        copy_texts(from->missing, from->n_missing, &to->missing,
                   e) == ASC_OK)
        return ASC_OK;
    /* what was not reached is not to be freed */
    if (!to->categories)
        to->n_categories = 0;
    if (!to->missing)
        to->n_missing = 0;
    return ASC_ESYSTEM;
}
