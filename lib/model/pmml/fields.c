/* model/pmml/fields.c -- what the names of fields stand for.
 *
 * A scope holds the names that a document or a model declares; what a model
 * does not declare, the model around it does (PMML 4.4, Scope of Fields).  A
 * derived field is resolved when it is first asked for, into a function of one
 * raw field: what is never used may be of any kind, and a field that needs
 * itself is found.  A local field may bear the name of an outer one and be
 * made from it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/pmml/pmml.h"

static const char expressions[] =
    "Constant, FieldRef, NormContinuous, NormDiscrete, Discretize, Apply";

/* ---- values ---- */

void
asci_pmml_value_clear(struct pmml_value *v)
{
    asci_pmml_column_clear(&v->column);
    memset(v, 0, sizeof *v);
    v->field = PMML_NO_FIELD;
}

int
asci_pmml_value_copy(struct pmml *p, const struct pmml_value *from,
                     struct pmml_value *to)
{
    *to = *from;
    return asci_pmml_column_copy(p, &from->column, &to->column);
}

static size_t
n_labels(const struct pmml *p, const struct pmml_value *v)
{
    return v->field != PMML_NO_FIELD ? p->schema.field[v->field].n_categories
                                     : v->n_labels;
}

static const char *
label(const struct pmml *p, const struct pmml_value *v, size_t i)
{
    return v->field != PMML_NO_FIELD ? p->schema.field[v->field].categories[i]
                                     : v->label[i];
}

enum asc_text_type
asci_pmml_text_type(const char *data_type)
{
    if (!data_type || !strcmp(data_type, "string"))
        return ASC_TEXT;
    if (!strcmp(data_type, "boolean"))
        return ASC_TEXT_BOOLEAN;
    return ASC_TEXT_NUMBER;
}

/* 1 and *v if a label of this type stands for a number. */
static int
label_number(enum asc_text_type type, const char *text, double *v)
{
    if (type == ASC_TEXT_BOOLEAN) {
        if (!strcasecmp(text, "true") || !strcmp(text, "1"))
            *v = 1.0;
        else if (!strcasecmp(text, "false") || !strcmp(text, "0"))
            *v = 0.0;
        else
            return 0;
        return 1;
    }
    return asci_pmml_is_number(text, v);
}

const char *
asci_pmml_canonical(struct pmml *p, enum asc_text_type type, const char *text)
{
    char number[ASC_NUMBER_MAX], *copy;
    size_t n;
    double v;

    if (type == ASC_TEXT || !label_number(type, text, &v))
        return text;
    if (type == ASC_TEXT_BOOLEAN)
        return v == 1.0 ? "true" : "false";
    n = asc_number_format(v, number);
    copy = asci_pmml_keep(p, n + 1, 1);
    if (copy)
        memcpy(copy, number, n);
    return copy;
}

int
asci_pmml_label(struct pmml *p, const struct pmml_value *v, const char *text,
                size_t *index)
{
    const char *canonical = asci_pmml_canonical(p, v->text_type, text);
    const char *other;
    uint32_t found;
    size_t i;

    if (!canonical)
        return ASC_ESYSTEM;
    *index = PMML_NO_FIELD;
    if (v->field != PMML_NO_FIELD) {
        struct pmml_field *f = &p->field[v->field];

        if (asci_pmml_map_find(&f->map, canonical, &found))
            *index = found;
        else if (f->may_grow)
            return asci_pmml_add_category(p, v->field, text, index);
        return ASC_OK;
    }
    for (i = 0; i < v->n_labels && *index == PMML_NO_FIELD; i++) {
        if (!(other = asci_pmml_canonical(p, v->text_type, v->label[i])))
            return ASC_ESYSTEM;
        if (!strcmp(canonical, other))
            *index = i;
    }
    return ASC_OK;
}

int
asci_pmml_to_numbers(struct pmml *p, uint32_t element, const char *name,
                     struct pmml_value *v)
{
    const size_t n = n_labels(p, v);
    double *value;
    size_t i;
    int status = ASC_OK;

    if (!v->categorical)
        return ASC_OK;
    if (v->field != PMML_NO_FIELD && p->field[v->field].n_declared == 0)
        return asci_pmml_fail(p, element, "%s: field \"%s\" is categorical "
                              "without declared values: it cannot be used as "
                              "a number", asci_pmml_name(p, element), name);
    value = asci_alloc(n + 1, sizeof *value, p->e);
    if (!value)
        return ASC_ESYSTEM;
    value[n] = NAN;
    for (i = 0; i < n && status == ASC_OK; i++)
        if (!label_number(v->text_type, label(p, v, i), &value[i]))
            status = asci_pmml_fail(p, element, "%s: field \"%s\" is "
                                    "categorical (\"%s\", ...): it cannot be "
                                    "used as a number",
                                    asci_pmml_name(p, element), name,
                                    label(p, v, i));
    if (status == ASC_OK)
        status = asci_pmml_through_table(p, element, &v->column, value, n,
                                         NAN);
    free(value);
    v->categorical = 0;
    v->field = PMML_NO_FIELD;
    v->n_labels = 0;
    return status;
}

int
asci_pmml_indicator(struct pmml *p, uint32_t element,
                    const struct pmml_value *v, const char *text,
                    double missing, struct asci_column *c)
{
    struct asci_interval same = { 0.0, 0.0, 1, 1, 1.0 };
    double *value;
    size_t n, index;
    int status;

    if (!v->categorical) {
        if (!asci_pmml_is_number(text, &same.low))
            return asci_pmml_fail(p, element, "%s: \"%s\" is not a number",
                                  asci_pmml_name(p, element), text);
        if (v->single)
            same.low = (double)(float)same.low;
        same.high = same.low;
        if ((status = asci_pmml_column_copy(p, &v->column, c)))
            return status;
        status = asci_pmml_through_steps(p, element, c, &same, 1, 0.0,
                                         missing);
    } else {
        if ((status = asci_pmml_label(p, v, text, &index)))
            return status;
        n = n_labels(p, v);
        if (!(value = asci_alloc_zero(n + 1, sizeof *value, p->e)))
            return ASC_ESYSTEM;
        if (index < n)
            value[index] = 1.0;
        status = asci_pmml_column_copy(p, &v->column, c);
        if (status == ASC_OK)
            status = asci_pmml_through_table(p, element, c, value, n,
                                             missing);
        free(value);
    }
    if (status != ASC_OK)
        asci_pmml_column_clear(c);
    return status;
}

/* ---- scopes ---- */

struct pmml_scope *
asci_pmml_scope(struct pmml *p, struct pmml_scope *parent)
{
    struct pmml_scope *s = asci_pmml_keep(p, 1, sizeof *s);

    if (!s)
        return NULL;
    s->parent = parent;
    s->next = p->scopes;
    p->scopes = s;
    return s;
}

static struct pmml_symbol *
new_symbol(struct pmml *p, struct pmml_scope *s, const char *name,
           uint32_t element)
{
    struct pmml_symbol *t = asci_pmml_keep(p, 1, sizeof *t);

    if (!t)
        return NULL;
    t->name = name;
    t->element = element;
    t->scope = s;
    t->column = PMML_NO_COLUMN;
    t->fill = PMML_NO_FIELD;
    t->value.field = PMML_NO_FIELD;
    t->next = p->symbols;
    p->symbols = t;
    return t;
}

/* Puts a symbol into its scope, in place of an earlier one if there is. */
static int
enter(struct pmml *p, struct pmml_symbol *t)
{
    struct pmml_scope *s = t->scope;
    uint32_t index;
    int status;

    if (asci_pmml_map_find(&s->map, t->name, &index)) {
        s->symbol[index] = t;
        return ASC_OK;
    }
    if ((status = asci_pmml_grow(&s->symbol, s->n, &s->room,
                                 sizeof *s->symbol, p->e)))
        return status;
    s->symbol[s->n++] = t;
    return asci_pmml_map_add(&s->map, t->name, (uint32_t)(s->n - 1), p->e);
}

int
asci_pmml_declare(struct pmml *p, struct pmml_scope *s, const char *name,
                  uint32_t element, struct pmml_symbol **out)
{
    uint32_t index;
    struct pmml_symbol *t;

    if (asci_pmml_map_find(&s->map, name, &index))
        return asci_pmml_fail(p, element, "%s: field \"%s\" is there twice",
                              asci_pmml_name(p, element), name);
    if (!(t = new_symbol(p, s, name, element)))
        return ASC_ESYSTEM;
    if (out)
        *out = t;
    return enter(p, t);
}

int
asci_pmml_redeclare(struct pmml *p, struct pmml_scope *s,
                    const struct pmml_symbol *from, struct pmml_symbol **out)
{
    struct pmml_symbol *t = new_symbol(p, s, from->name, from->element);
    int status;

    if (!t)
        return ASC_ESYSTEM;
    if ((status = asci_pmml_value_copy(p, &from->value, &t->value)))
        return status;
    t->state = PMML_RESOLVED;
    *out = t;
    return enter(p, t);
}

int
asci_pmml_declare_derived(struct pmml *p, struct pmml_scope *s,
                          uint32_t element)
{
    uint32_t t;
    const char *name;
    int status;

    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next)
        switch (p->doc.element[t].name) {
        case PMML_DerivedField:
            if ((status = asci_pmml_required(p, t, PMML_name, &name)) ||
                (status = asci_pmml_declare(p, s, name, t, NULL)))
                return status;
            break;
        case PMML_DefineFunction:
            break;              /* an error only where it is applied */
        default:
            return asci_pmml_unsupported(p, t, asci_pmml_name(p, element),
                                         "DerivedField");
        }
    return ASC_OK;
}

/* ---- looking names up ---- */

static struct pmml_symbol *
look_up(const struct pmml_scope *s, const char *name,
        const struct pmml_symbol *self)
{
    struct pmml_symbol *t = NULL;
    uint32_t index;

    for (; s; s = s->parent)
        if (asci_pmml_map_find(&s->map, name, &index)) {
            t = s->symbol[index];
            if (t != self)
                return t;
        }
    return t;
}

struct pmml_symbol *
asci_pmml_look_up(const struct pmml_scope *s, const char *name)
{
    return look_up(s, name, NULL);
}

static int
unknown_field(struct pmml *p, const struct pmml_scope *s, uint32_t element,
              const char *name)
{
    const struct pmml_scope *o;
    const char **names, *nearest = NULL;
    size_t i, n = 0;
    uint32_t found;

    for (o = s; o; o = o->parent)
        n += o->n;
    if ((names = asci_alloc(n, sizeof *names, NULL))) {
        for (n = 0, o = s; o; o = o->parent)
            for (i = 0; i < o->n; i++)
                names[n++] = o->symbol[i]->name;
        nearest = asc_nearest(name, names, n);
        free(names);
    }
    if (asci_pmml_map_find(&p->dictionary, name, &found))
        return asci_pmml_fail(p, element, "%s: field \"%s\" is not an active "
                              "field of the model's MiningSchema",
                              asci_pmml_name(p, element), name);
    if (nearest)
        return asci_pmml_fail(p, element, "%s: there is no field \"%s\"; did "
                              "you mean \"%s\"?", asci_pmml_name(p, element),
                              name, nearest);
    return asci_pmml_fail(p, element, "%s: there is no field \"%s\"",
                          asci_pmml_name(p, element), name);
}

static int resolve(struct pmml *p, struct pmml_symbol *t, uint32_t element);

static int
find(struct pmml *p, struct pmml_scope *s, uint32_t element, const char *name,
     const struct pmml_symbol *self, struct pmml_symbol **out)
{
    *out = look_up(s, name, self);
    return *out ? resolve(p, *out, element)
                : unknown_field(p, s, element, name);
}

int
asci_pmml_find(struct pmml *p, struct pmml_scope *s, uint32_t element,
               const char *name, struct pmml_symbol **out)
{
    return find(p, s, element, name, NULL, out);
}

int
asci_pmml_symbol_column(struct pmml *p, struct pmml_symbol *s,
                        uint32_t *column)
{
    struct asci_column copy;
    int status;

    if (s->column == PMML_NO_COLUMN) {
        if ((status = asci_pmml_column_copy(p, &s->value.column, &copy)) ||
            (status = asci_pmml_share(p, &copy, &s->column)))
            return status;
    }
    *column = s->column;
    return ASC_OK;
}

/* ---- expressions ---- */

/* The attribute `field`, as a value of its own. */
static int
referred(struct pmml *p, struct pmml_scope *s, uint32_t element,
         const struct pmml_symbol *self, struct pmml_value *out)
{
    struct pmml_symbol *t;
    const char *name;
    int status;

    if ((status = asci_pmml_required(p, element, PMML_field, &name)) ||
        (status = find(p, s, element, name, self, &t)))
        return status;
    return asci_pmml_value_copy(p, &t->value, out);
}

/* mapMissingTo as a number, NaN if there is none. */
static int
map_missing(struct pmml *p, uint32_t element, double *v)
{
    return asci_pmml_number_or(p, element, PMML_mapMissingTo, NAN, v);
}

static int
field_ref(struct pmml *p, struct pmml_scope *s, uint32_t element,
          const struct pmml_symbol *self, struct pmml_value *out)
{
    const char *text = asci_pmml_attribute(p, element, PMML_mapMissingTo);
    double v;
    size_t index;
    int status = referred(p, s, element, self, out);

    if (status != ASC_OK || !text)
        return status;
    if (!out->categorical) {
        if ((status = map_missing(p, element, &v)))
            return status;
    } else {
        if ((status = asci_pmml_label(p, out, text, &index)))
            return status;
        v = index == PMML_NO_FIELD ? (double)n_labels(p, out)
                                   : (double)index;
    }
    asci_pmml_set_missing(&out->column, v);
    return ASC_OK;
}

static int
constant(struct pmml *p, uint32_t element, struct pmml_value *out)
{
    const uint32_t offset = p->doc.element[element].text;
    const char *text = offset ? p->doc.text + offset : "";
    const char *type = asci_pmml_attribute(p, element, PMML_dataType);
    const char *missing = asci_pmml_attribute(p, element, PMML_missing);
    double v;

    if (missing && (!strcmp(missing, "true") || !strcmp(missing, "1"))) {
        out->column.scale = NAN;
        return ASC_OK;
    }
    if ((!type || asci_pmml_text_type(type) == ASC_TEXT_NUMBER) &&
        asci_pmml_is_number(text, &v)) {
        if (!isfinite(v))
            return asci_pmml_fail(p, element, "Constant: \"%s\" is not a "
                                  "finite number", text);
        out->column.scale = v;
        return ASC_OK;
    }
    if (type && asci_pmml_text_type(type) == ASC_TEXT_NUMBER)
        return asci_pmml_fail(p, element, "Constant: \"%s\" is not a number",
                              text);
    if (!(out->label = asci_pmml_keep(p, 1, sizeof *out->label)))
        return ASC_ESYSTEM;
    out->label[0] = text;
    out->n_labels = 1;
    out->categorical = 1;
    out->text_type = asci_pmml_text_type(type);
    return ASC_OK;
}

static int
outliers_of(const struct pmml *p, uint32_t element, enum asci_outliers *out)
{
    static const char *const choices[] = {
        "asIs", "asMissingValues", "asExtremeValues", NULL
    };
    static const enum asci_outliers meaning[] = {
        ASCI_OUTLIERS_EXTEND, ASCI_OUTLIERS_MISSING, ASCI_OUTLIERS_CLAMP
    };
    int v, status = asci_pmml_choice(p, element, PMML_outliers, choices, 0,
                                     &v);

    if (status == ASC_OK)
        *out = meaning[v];
    return status;
}

/* The LinearNorm elements, orig in x and norm in y. */
static int
knots(const struct pmml *p, uint32_t element, double *x, double *y)
{
    uint32_t t = p->doc.element[element].child;
    size_t i = 0;
    int status;

    for (; t; t = p->doc.element[t].next, i++) {
        if ((status = asci_pmml_number(p, t, PMML_orig, &x[i])) ||
            (status = asci_pmml_number(p, t, PMML_norm, &y[i])))
            return status;
        if (i > 0 && !(x[i - 1] < x[i]))
            return asci_pmml_fail(p, t, "LinearNorm: orig %g does not come "
                                  "after %g", x[i], x[i - 1]);
    }
    return ASC_OK;
}

static int
norm_continuous(struct pmml *p, struct pmml_scope *s, uint32_t element,
                const struct pmml_symbol *self, struct pmml_value *out)
{
    const char *name;
    enum asci_outliers outliers;
    double missing, *x;
    size_t n = 0;
    uint32_t t;
    int status;

    if ((status = asci_pmml_required(p, element, PMML_field, &name)) ||
        (status = referred(p, s, element, self, out)) ||
        (status = asci_pmml_to_numbers(p, element, name, out)) ||
        (status = outliers_of(p, element, &outliers)) ||
        (status = map_missing(p, element, &missing)))
        return status;
    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next, n++)
        if (p->doc.element[t].name != PMML_LinearNorm)
            return asci_pmml_unsupported(p, t, "NormContinuous",
                                         "LinearNorm");
    if (n < 2)
        return asci_pmml_fail(p, element, "NormContinuous: %zu LinearNorm "
                              "elements, want at least 2", n);
    if (!(x = asci_alloc(2 * n, sizeof *x, p->e)))
        return ASC_ESYSTEM;
    status = knots(p, element, x, x + n);
    if (status == ASC_OK)
        status = asci_pmml_through_line(p, element, &out->column, x, x + n, n,
                                        outliers, missing);
    free(x);
    return status;
}

static int
norm_discrete(struct pmml *p, struct pmml_scope *s, uint32_t element,
              const struct pmml_symbol *self, struct pmml_value *out)
{
    struct pmml_value of = { .field = PMML_NO_FIELD };
    const char *value;
    double missing;
    int status;

    if ((status = asci_pmml_required(p, element, PMML_value, &value)) ||
        (status = map_missing(p, element, &missing)))
        return status;
    status = referred(p, s, element, self, &of);
    if (status == ASC_OK)
        status = asci_pmml_indicator(p, element, &of, value, missing,
                                     &out->column);
    asci_pmml_value_clear(&of);
    return status;
}

static int
interval_of(const struct pmml *p, uint32_t element, struct asci_interval *t)
{
    static const char *const choices[] = {
        "openOpen", "openClosed", "closedOpen", "closedClosed", NULL
    };
    const char *low = asci_pmml_attribute(p, element, PMML_leftMargin);
    const char *high = asci_pmml_attribute(p, element, PMML_rightMargin);
    int closure, status;

    t->low = -INFINITY;
    t->high = INFINITY;
    if ((status = asci_pmml_choice(p, element, PMML_closure, choices, 3,
                                   &closure)) ||
        (low && (status = asci_pmml_to_number(p, element, PMML_leftMargin,
                                              low, &t->low))) ||
        (high && (status = asci_pmml_to_number(p, element, PMML_rightMargin,
                                               high, &t->high))))
        return status;
    t->closed_low = closure >= 2;
    t->closed_high = closure == 1 || closure == 3;
    if (t->low > t->high)
        return asci_pmml_fail(p, element, "Interval: leftMargin %s is above "
                              "rightMargin %s", low, high);
    return ASC_OK;
}

/* The place of a bin's value among the labels made so far. */
static size_t
bin_label(struct pmml_value *out, const char *text)
{
    size_t i;

    for (i = 0; i < out->n_labels; i++)
        if (!strcmp(out->label[i], text))
            return i;
    out->label[out->n_labels++] = text;
    return i;
}

static int
bins(struct pmml *p, uint32_t element, struct asci_interval *t,
     struct pmml_value *out)
{
    uint32_t bin, interval;
    const char *value;
    int status;

    for (bin = p->doc.element[element].child; bin;
         bin = p->doc.element[bin].next, t++) {
        interval = asci_pmml_child(p, bin, PMML_Interval);
        if (!interval)
            return asci_pmml_fail(p, bin, "DiscretizeBin: there is no "
                                  "Interval");
        if ((status = asci_pmml_required(p, bin, PMML_binValue, &value)) ||
            (status = interval_of(p, interval, t)))
            return status;
        t->value = (double)bin_label(out, value);
    }
    return ASC_OK;
}

static int
discretize(struct pmml *p, struct pmml_scope *s, uint32_t element,
           const struct pmml_symbol *self, struct pmml_value *out)
{
    const char *other = asci_pmml_attribute(p, element, PMML_defaultValue);
    const char *missing = asci_pmml_attribute(p, element, PMML_mapMissingTo);
    const char *name;
    struct asci_interval *t;
    size_t n = 0;
    uint32_t bin;
    int status;

    if ((status = asci_pmml_required(p, element, PMML_field, &name)) ||
        (status = referred(p, s, element, self, out)) ||
        (status = asci_pmml_to_numbers(p, element, name, out)))
        return status;
    for (bin = p->doc.element[element].child; bin;
         bin = p->doc.element[bin].next, n++)
        if (p->doc.element[bin].name != PMML_DiscretizeBin)
            return asci_pmml_unsupported(p, bin, "Discretize",
                                         "DiscretizeBin");
    out->label = asci_pmml_keep(p, n + 2, sizeof *out->label);
    t = asci_alloc(n, sizeof *t, p->e);
    if (!out->label || !t) {
        free(t);
        return ASC_ESYSTEM;
    }
    status = bins(p, element, t, out);
    if (status == ASC_OK)
        status = asci_pmml_through_steps(p, element, &out->column, t, n,
                                         other ? (double)bin_label(out, other)
                                               : NAN,
                                         missing ? (double)bin_label(out,
                                                                     missing)
                                                 : NAN);
    free(t);
    out->categorical = 1;
    out->text_type = asci_pmml_text_type(asci_pmml_attribute(p, element,
                                                             PMML_dataType));
    return status;
}

static int expression(struct pmml *p, struct pmml_scope *s, uint32_t element,
                      const struct pmml_symbol *self, struct pmml_value *out);

/* One of +, -, * and / of a field and a constant. */
static int
arithmetic(struct pmml *p, uint32_t element, int function,
           struct pmml_value *a, struct pmml_value *b)
{
    double c;

    if (asci_pmml_column_constant(&b->column, &c)) {
        switch (function) {
        case 0:
            return asci_pmml_through_affine(p, element, &a->column, 1.0, c);
        case 1:
            return asci_pmml_through_affine(p, element, &a->column, 1.0, -c);
        case 2:
            return asci_pmml_through_affine(p, element, &a->column, c, 0.0);
        default:
            if (c == 0.0)
                return asci_pmml_fail(p, element, "Apply: division by zero");
            return asci_pmml_through_affine(p, element, &a->column, 1.0 / c,
                                            0.0);
        }
    }
    if (!asci_pmml_column_constant(&a->column, &c) || function == 3)
        return asci_pmml_fail(p, element, "Apply: function \"%c\" is only "
                              "supported of a field and a constant",
                              "+-*/"[function]);
    switch (function) {
    case 0:
        return asci_pmml_through_affine(p, element, &b->column, 1.0, c);
    case 1:
        return asci_pmml_through_affine(p, element, &b->column, -1.0, c);
    default:
        return asci_pmml_through_affine(p, element, &b->column, c, 0.0);
    }
}

static int
apply(struct pmml *p, struct pmml_scope *s, uint32_t element,
      const struct pmml_symbol *self, struct pmml_value *out)
{
    static const char *const choices[] = { "+", "-", "*", "/", NULL };
    struct pmml_value b = { .field = PMML_NO_FIELD };
    const uint32_t first = p->doc.element[element].child;
    const uint32_t second = first ? p->doc.element[first].next : 0;
    const char *text;
    double missing, ignored;
    int function, status;

    if ((status = asci_pmml_required(p, element, PMML_function, &text)) ||
        (status = asci_pmml_choice(p, element, PMML_function, choices, 0,
                                   &function)) ||
        (status = map_missing(p, element, &missing)))
        return status;
    if (asci_pmml_attribute(p, element, PMML_defaultValue))
        return asci_pmml_fail(p, element, "Apply: attribute defaultValue is "
                              "not supported");
    if (!second || p->doc.element[second].next)
        return asci_pmml_fail(p, element, "Apply: function \"%s\" takes two "
                              "arguments", text);
    if ((status = expression(p, s, first, self, out)) ||
        (status = asci_pmml_to_numbers(p, first, "", out)))
        return status;
    status = expression(p, s, second, self, &b);
    if (status == ASC_OK)
        status = asci_pmml_to_numbers(p, second, "", &b);
    if (status == ASC_OK)
        status = arithmetic(p, element, function, out, &b);
    if (status == ASC_OK && asci_pmml_column_constant(&out->column,
                                                      &ignored) &&
        !asci_pmml_column_constant(&b.column, &ignored)) {
        const struct pmml_value t = *out;

        *out = b;
        b = t;
    }
    asci_pmml_value_clear(&b);
    if (status == ASC_OK && !isnan(missing))
        asci_pmml_set_missing(&out->column, missing);
    return status;
}

static int
expression(struct pmml *p, struct pmml_scope *s, uint32_t element,
           const struct pmml_symbol *self, struct pmml_value *out)
{
    switch (p->doc.element[element].name) {
    case PMML_FieldRef:
        return field_ref(p, s, element, self, out);
    case PMML_Constant:
        return constant(p, element, out);
    case PMML_NormContinuous:
        return norm_continuous(p, s, element, self, out);
    case PMML_NormDiscrete:
        return norm_discrete(p, s, element, self, out);
    case PMML_Discretize:
        return discretize(p, s, element, self, out);
    case PMML_Apply:
        return apply(p, s, element, self, out);
    default:
        return asci_pmml_unsupported(p, element, "DerivedField", expressions);
    }
}

int
asci_pmml_derived(struct pmml *p, struct pmml_scope *s, uint32_t element,
                  const struct pmml_symbol *self, struct pmml_value *out)
{
    const char *optype = asci_pmml_attribute(p, element, PMML_optype);
    const char *type = asci_pmml_attribute(p, element, PMML_dataType);
    const char *name = asci_pmml_attribute(p, element, PMML_name);
    uint32_t t = p->doc.element[element].child;
    int status;

    while (t && p->doc.element[t].name == PMML_Value)
        t = p->doc.element[t].next;
    if (!t)
        return asci_pmml_fail(p, element, "%s: there is no expression "
                              "(supported: %s)", asci_pmml_name(p, element),
                              expressions);
    out->field = PMML_NO_FIELD;
    if ((status = expression(p, s, t, self, out)))
        return status;
    if (out->categorical && optype && !strcmp(optype, "continuous") &&
        (status = asci_pmml_to_numbers(p, element, name ? name : "", out)))
        return status;
    if (out->categorical && out->field == PMML_NO_FIELD && type &&
        p->doc.element[t].name == PMML_Discretize &&
        !asci_pmml_attribute(p, t, PMML_dataType))
        out->text_type = asci_pmml_text_type(type);
    if (type)
        out->single = !strcmp(type, "float");
    if (!out->categorical && out->single)
        asci_pmml_to_single(&out->column);
    if (name && !out->column.name)
        out->column.name = asci_copy_text(name, strlen(name), p->e);
    return name && !out->column.name ? ASC_ESYSTEM : ASC_OK;
}

/* ---- output fields, as later models of a chain see them ---- */

/* A field of the schema for an output field, under a name of its own: it may
 * bear that of a raw field, or of another output. */
static int
fill_field(struct pmml *p, struct pmml_symbol *t, enum asc_kind kind,
           enum asc_text_type text_type)
{
    char *name = asci_pmml_keep(p, strlen(t->name) + 24, 1);
    size_t i;

    if (!name)
        return ASC_ESYSTEM;
    strcpy(name, t->name);
    for (i = 2; asc_schema_find(&p->schema, name) >= 0; i++)
        sprintf(name, "%s %zu", t->name, i);
    return asci_pmml_add_field(p, name, kind, text_type, &t->fill);
}

static int
output_field(struct pmml *p, struct pmml_symbol *t)
{
    static const char *const features[] = {
        "predictedValue", "probability", "transformedValue", NULL
    };
    const struct pmml_fragment *f = t->model;
    const char *type = asci_pmml_attribute(p, t->element, PMML_dataType);
    const char *value = asci_pmml_attribute(p, t->element, PMML_value);
    int feature, status, label_of;
    size_t k;

    if ((status = asci_pmml_choice(p, t->element, PMML_feature, features, 0,
                                   &feature)))
        return status;
    if (feature == 2)
        return asci_pmml_derived(p, t->scope, t->element, t, &t->value);
    if (feature == 1) {
        if (!f->classifier)
            return asci_pmml_fail(p, t->element, "OutputField: \"%s\" is a "
                                  "probability, but the model is no "
                                  "classifier", t->name);
        if (!value)
            return asci_pmml_fail(p, t->element, "OutputField: attribute "
                                  "value is missing");
        if ((status = asci_pmml_class(p, f->classes, value, &k)))
            return status;
        for (t->output = 0; t->output < f->n_outputs &&
                            f->class_of[t->output] != k; t->output++)
            ;
        if (t->output == f->n_outputs)
            return asci_pmml_fail(p, t->element, "OutputField: \"%s\" is not "
                                  "a class of the model", value);
        t->is_probability = 1;
    }
    label_of = feature == 0 && f->classifier;
    status = fill_field(p, t, label_of ? ASC_CATEGORICAL : ASC_CONTINUOUS,
                        label_of ? f->classes->text_type : ASC_TEXT);
    for (k = 0; label_of && k < f->n_outputs && status == ASC_OK; k++) {
        size_t ignored;

        status = asci_pmml_add_category(p, t->fill, f->output[k].name,
                                        &ignored);
    }
    if (status != ASC_OK)
        return status;
    t->value.categorical = label_of;
    t->value.single = type && !strcmp(type, "float");
    t->value.text_type = label_of ? f->classes->text_type : ASC_TEXT;
    if (label_of) {
        t->value.field = t->fill;
        p->field[t->fill].n_declared = f->n_outputs;
    }
    return asci_pmml_identity(p, t->fill,
                              !label_of && type && !strcmp(type, "float"),
                              &t->value.column);
}

int
asci_pmml_declare_outputs(struct pmml *p, struct pmml_scope *s,
                          uint32_t model, struct pmml_fragment *f)
{
    const uint32_t output = asci_pmml_child(p, model, PMML_Output);
    struct pmml_symbol *symbol;
    const char *name;
    uint32_t t;
    int status;

    if (!output)
        return ASC_OK;
    for (t = p->doc.element[output].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_OutputField)
            return asci_pmml_unsupported(p, t, "Output", "OutputField");
        if ((status = asci_pmml_required(p, t, PMML_name, &name)))
            return status;
        if (!(symbol = new_symbol(p, s, name, t)))
            return ASC_ESYSTEM;
        symbol->model = f;
        symbol->sibling = f->outputs;
        f->outputs = symbol;
        if ((status = enter(p, symbol)))
            return status;
    }
    return ASC_OK;
}

static int
resolve(struct pmml *p, struct pmml_symbol *t, uint32_t element)
{
    int status;

    if (t->state == PMML_RESOLVED)
        return ASC_OK;
    if (t->state == PMML_RESOLVING)
        return asci_pmml_fail(p, t->element, "%s \"%s\" is made from itself",
                              asci_pmml_name(p, t->element), t->name);
    if (p->depth >= PMML_MAX_NESTED)
        return asci_pmml_fail(p, element, "derived fields are made from each "
                              "other more than %d deep", PMML_MAX_NESTED);
    t->state = PMML_RESOLVING;
    p->depth++;
    status = t->model ? output_field(p, t)
                      : asci_pmml_derived(p, t->scope, t->element, t,
                                          &t->value);
    p->depth--;
    if (status == ASC_OK)
        t->state = PMML_RESOLVED;
    return status;
}
