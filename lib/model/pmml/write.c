/* model/pmml/write.c -- models as PMML 4.4.
 *
 * A linear form becomes a RegressionModel, a network a NeuralNetwork, an
 * ensemble a MiningModel that adds up trees, or a chain of such sums and a
 * RegressionModel where there are classes or a link: elements that other
 * engines score alike.  Encoded columns become derived fields and predictors,
 * treatments of missing and invalid values MiningField attributes, statistics
 * of the training table UnivariateStats.  Every number is written so that it
 * reads back to the same double.  What PMML cannot say is an error, never an
 * approximation.
 *
 * Elements and their order: PMML 4.4, dmg.org/pmml/v4-4.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/write.h"

/* ---- failures ---- */

void
asci_pmml_refuse(struct pmml_writer *w, enum asc_status status,
                 const char *format, ...)
{
    char text[900];
    va_list ap;

    if (w->status != ASC_OK)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    w->status = asc_fail(w->e, status, "%s: cannot be written as PMML: %s",
                         w->m->name, text);
}

/* ---- text ---- */

/* Bytes of the UTF-8 character at s that XML 1.0 can hold, 0 if there is none
 * (production [2] Char of the recommendation). */
static size_t
character(const char *s, const char *end)
{
    const unsigned char *p = (const unsigned char *)s;
    const size_t n = asci_character(p, (const unsigned char *)end);

    if (n == 1)
        return *p >= 0x20 || *p == '\t' || *p == '\n' || *p == '\r';
    /* U+FFFE and U+FFFF */
    return n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe ? 0 : n;
}

static void
add_character(struct asc_buffer *out, const char *s, size_t n)
{
    switch (*s) {
    case '&':
        asc_buffer_text(out, "&amp;");
        break;
    case '<':
        asc_buffer_text(out, "&lt;");
        break;
    case '>':
        asc_buffer_text(out, "&gt;");
        break;
    case '"':
        asc_buffer_text(out, "&quot;");
        break;
    case '\t':
    case '\n':
    case '\r':
        /* As they stand they would be read as blanks. */
        asc_buffer_print(out, "&#%d;", *s);
        break;
    default:
        asc_buffer_add(out, s, n);
    }
}

static void
add_escaped(struct pmml_writer *w, const char *s)
{
    const char *end = s + strlen(s);
    size_t n;

    for (; s < end; s += n) {
        n = character(s, end);
        if (n == 0) {
            asci_pmml_refuse(w, ASC_EINPUT, "\"%s\" has a byte that is not "
                             "text", s);
            return;
        }
        add_character(w->out, s, n);
    }
}

/* ---- elements ---- */

static void
indent(struct pmml_writer *w)
{
    unsigned i;

    for (i = 0; i < w->depth; i++)
        asc_buffer_char(w->out, ' ');
}

void
asci_pmml_begin(struct pmml_writer *w, const char *element)
{
    indent(w);
    asc_buffer_char(w->out, '<');
    asc_buffer_text(w->out, element);
}

void
asci_pmml_set(struct pmml_writer *w, const char *name, const char *text)
{
    asc_buffer_char(w->out, ' ');
    asc_buffer_text(w->out, name);
    asc_buffer_text(w->out, "=\"");
    add_escaped(w, text);
    asc_buffer_char(w->out, '"');
}

void
asci_pmml_set_number(struct pmml_writer *w, const char *name, double v)
{
    char text[ASC_NUMBER_MAX + 1];

    if (!isfinite(v)) {
        asci_pmml_refuse(w, ASC_EINPUT, "a %s is %s", name,
                         isnan(v) ? "not a number" : "infinite");
        return;
    }
    text[asc_number_format(v, text)] = '\0';
    asci_pmml_set(w, name, text);
}

void
asci_pmml_set_size(struct pmml_writer *w, const char *name, size_t v)
{
    char text[32];

    snprintf(text, sizeof text, "%zu", v);
    asci_pmml_set(w, name, text);
}

void
asci_pmml_inside(struct pmml_writer *w)
{
    asc_buffer_text(w->out, ">\n");
    w->depth++;
}

void
asci_pmml_empty(struct pmml_writer *w)
{
    asc_buffer_text(w->out, "/>\n");
}

void
asci_pmml_end_element(struct pmml_writer *w, const char *element)
{
    w->depth--;
    indent(w);
    asc_buffer_text(w->out, "</");
    asc_buffer_text(w->out, element);
    asc_buffer_text(w->out, ">\n");
}

void
asci_pmml_array_begin(struct pmml_writer *w, const char *type, size_t n)
{
    asci_pmml_begin(w, "Array");
    asci_pmml_set(w, "type", type);
    asci_pmml_set_size(w, "n", n);
    asc_buffer_char(w->out, '>');
}

static void
array_blank(struct pmml_writer *w)
{
    if (w->out->n > 0 && w->out->p[w->out->n - 1] != '>')
        asc_buffer_char(w->out, ' ');
}

static int
needs_quotes(const char *text)
{
    return !*text || strpbrk(text, " \t\n\r\"");
}

/* In quotes a backslash stands for itself unless it could be taken for an
 * escape. */
int
asci_pmml_array_takes(const char *text)
{
    if (!needs_quotes(text))
        return 1;
    for (; *text; text++)
        if (*text == '\\' && (!text[1] || text[1] == '\\' ||
                              text[1] == '"'))
            return 0;
    return 1;
}

void
asci_pmml_array_text(struct pmml_writer *w, const char *text)
{
    char part[2] = { 0 };

    array_blank(w);
    if (!needs_quotes(text)) {
        add_escaped(w, text);
        return;
    }
    asc_buffer_text(w->out, "&quot;");
    for (; *text; text++) {
        if (*text == '"')
            asc_buffer_char(w->out, '\\');
        part[0] = *text;
        if ((unsigned char)*text < 0x80)
            add_escaped(w, part);
        else
            asc_buffer_add(w->out, text, 1);
    }
    asc_buffer_text(w->out, "&quot;");
}

void
asci_pmml_array_number(struct pmml_writer *w, double v)
{
    array_blank(w);
    asc_buffer_number(w->out, v, 0);
}

void
asci_pmml_array_end(struct pmml_writer *w)
{
    asc_buffer_text(w->out, "</Array>\n");
}

/* ---- names of ours ---- */

static int
begins_like(const char *name, const char *what, const char *dots)
{
    const size_t n = strlen(what);

    return name && !strncmp(name, what, n) &&
           !strncmp(name + n, dots, strlen(dots));
}

static int
is_taken(const asc_model *m, const char *target, const char *dots)
{
    size_t j;

    for (j = 0; j < m->schema.n; j++)
        if (begins_like(m->schema.field[j].name, "derived", dots) ||
            begins_like(m->schema.field[j].name, "raw", dots))
            return 1;
    return begins_like(target, "derived", dots) ||
           begins_like(target, "raw", dots);
}

/* The target's name, one that no field has, and the dots. */
static void
make_names(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    const char *name = m->target ? m->target
                       : m->classifier ? "target" : m->output[0].name;
    size_t n = strlen(name), k = 1;

    if (m->target && asc_schema_find(&m->schema, name) >= 0) {
        asci_pmml_refuse(w, ASC_EINPUT, "the target \"%s\" is a field, too",
                         name);
        return;
    }
    w->target = asci_alloc(n + m->schema.n + 2, 1, w->e);
    if (!w->target) {
        w->status = ASC_ESYSTEM;
        return;
    }
    memcpy(w->target, name, n + 1);
    while (asc_schema_find(&m->schema, w->target) >= 0) {
        w->target[n++] = '_';
        w->target[n] = '\0';
    }
    do {
        free(w->dots);
        w->dots = asci_alloc(k + 1, 1, w->e);
        if (!w->dots) {
            w->status = ASC_ESYSTEM;
            return;
        }
        memset(w->dots, '.', k);
        w->dots[k++] = '\0';
    } while (is_taken(m, w->target, w->dots) && k < 30);
}

const char *
asci_pmml_own_name(const struct pmml_writer *w, const char *what, size_t i,
                   char name[PMML_NAME_MAX])
{
    snprintf(name, PMML_NAME_MAX, "%s%s%zu", what, w->dots, i + 1);
    return name;
}

/* ---- DataDictionary ---- */

static void
write_values(struct pmml_writer *w, const struct asc_field *f)
{
    size_t i;

    for (i = 0; f->kind == ASC_CATEGORICAL && i < f->n_categories; i++) {
        asci_pmml_begin(w, "Value");
        asci_pmml_set(w, "value", f->categories[i]);
        asci_pmml_empty(w);
    }
    for (i = 0; i < f->n_missing; i++) {
        asci_pmml_begin(w, "Value");
        asci_pmml_set(w, "value", f->missing[i]);
        asci_pmml_set(w, "property", "missing");
        asci_pmml_empty(w);
    }
}

/* Whether numbers outside low..high are invalid, and that matters. */
static int
has_range(const struct asc_field *f)
{
    return f->kind == ASC_CONTINUOUS && !f->clamp &&
           f->invalid != ASC_INVALID_AS_IS &&
           (f->low != -INFINITY || f->high != INFINITY);
}

static int
all_whole(const struct asc_field *f)
{
    size_t i;
    double v;

    for (i = 0; i < f->n_categories; i++)
        if (!asc_number_parse(f->categories[i], strlen(f->categories[i]),
                              &v) || v != floor(v) || fabs(v) > 1e9)
            return 0;
    return 1;
}

static const char *
data_type(const struct asc_field *f)
{
    if (f->kind == ASC_CONTINUOUS)
        return "double";
    switch (f->text_type) {
    case ASC_TEXT_NUMBER:
    case ASC_TEXT_WHOLE:
        return all_whole(f) ? "integer" : "double";
    case ASC_TEXT_BOOLEAN:
        return "boolean";
    default:
        return "string";
    }
}

static void
write_data_field(struct pmml_writer *w, const struct asc_field *f)
{
    const int range = has_range(f);

    asci_pmml_begin(w, "DataField");
    asci_pmml_set(w, "name", f->name);
    asci_pmml_set(w, "optype", f->kind == ASC_CONTINUOUS ? "continuous"
                                                         : "categorical");
    asci_pmml_set(w, "dataType", data_type(f));
    if (!range && f->n_missing == 0 &&
        (f->kind == ASC_CONTINUOUS || f->n_categories == 0)) {
        asci_pmml_empty(w);
        return;
    }
    asci_pmml_inside(w);
    if (range) {
        asci_pmml_begin(w, "Interval");
        asci_pmml_set(w, "closure", "closedClosed");
        if (f->low != -INFINITY)
            asci_pmml_set_number(w, "leftMargin", f->low);
        if (f->high != INFINITY)
            asci_pmml_set_number(w, "rightMargin", f->high);
        asci_pmml_empty(w);
    }
    write_values(w, f);
    asci_pmml_end_element(w, "DataField");
}

static void
write_target_data(struct pmml_writer *w)
{
    size_t k;

    asci_pmml_begin(w, "DataField");
    asci_pmml_set(w, "name", w->target);
    if (!w->m->classifier) {
        asci_pmml_set(w, "optype", "continuous");
        asci_pmml_set(w, "dataType", "double");
        asci_pmml_empty(w);
        return;
    }
    asci_pmml_set(w, "optype", "categorical");
    asci_pmml_set(w, "dataType", "string");
    asci_pmml_inside(w);
    for (k = 0; k < w->m->n_outputs; k++) {
        asci_pmml_begin(w, "Value");
        asci_pmml_set(w, "value", w->m->output[k].name);
        asci_pmml_empty(w);
    }
    asci_pmml_end_element(w, "DataField");
}

static void
write_dictionary(struct pmml_writer *w)
{
    size_t j;

    asci_pmml_begin(w, "DataDictionary");
    asci_pmml_set_size(w, "numberOfFields", w->m->schema.n + 1);
    asci_pmml_inside(w);
    for (j = 0; j < w->m->schema.n; j++)
        write_data_field(w, &w->m->schema.field[j]);
    write_target_data(w);
    asci_pmml_end_element(w, "DataDictionary");
}

/* ---- MiningSchema ---- */

void
asci_pmml_mining_field(struct pmml_writer *w, const char *name)
{
    asci_pmml_begin(w, "MiningField");
    asci_pmml_set(w, "name", name);
    asci_pmml_empty(w);
}

void
asci_pmml_target_field(struct pmml_writer *w)
{
    asci_pmml_begin(w, "MiningField");
    asci_pmml_set(w, "name", w->target);
    asci_pmml_set(w, "usageType", "target");
    asci_pmml_empty(w);
}

static void
write_treatments(struct pmml_writer *w, const struct asc_field *f)
{
    static const char *const invalid[] = {
        [ASC_INVALID_ERROR] = "returnInvalid",
        [ASC_INVALID_MISSING] = "asMissing",
        [ASC_INVALID_AS_IS] = "asIs"
    };

    asci_pmml_begin(w, "MiningField");
    asci_pmml_set(w, "name", f->name);
    asci_pmml_set(w, "invalidValueTreatment", invalid[f->invalid]);
    if (f->kind == ASC_CONTINUOUS && f->clamp) {
        asci_pmml_set(w, "outliers", "asExtremeValues");
        asci_pmml_set_number(w, "lowValue", f->low);
        asci_pmml_set_number(w, "highValue", f->high);
    }
    if (!isnan(f->replacement) && f->kind == ASC_CONTINUOUS) {
        asci_pmml_set_number(w, "missingValueReplacement", f->replacement);
        asci_pmml_set(w, "missingValueTreatment", "asValue");
    } else if (!isnan(f->replacement)) {
        if (f->replacement >= 0.0 &&
            f->replacement < (double)f->n_categories)
            asci_pmml_set(w, "missingValueReplacement",
                          f->categories[(size_t)f->replacement]);
        else
            asci_pmml_refuse(w, ASC_EINPUT, "field \"%s\": missing values "
                             "become a category that is not declared",
                             f->name);
        asci_pmml_set(w, "missingValueTreatment", "asValue");
    }
    asci_pmml_empty(w);
}

/* ---- ModelStats ---- */

static void
set_if_finite(struct pmml_writer *w, const char *name, double v)
{
    if (isfinite(v))
        asci_pmml_set_number(w, name, v);
}

static void
write_quantile(struct pmml_writer *w, const char *limit, double v)
{
    if (!isfinite(v))
        return;
    asci_pmml_begin(w, "Quantile");
    asci_pmml_set(w, "quantileLimit", limit);
    asci_pmml_set_number(w, "quantileValue", v);
    asci_pmml_empty(w);
}

static void
write_number_stats(struct pmml_writer *w, const struct asci_field_stats *s)
{
    asci_pmml_begin(w, "NumericInfo");
    set_if_finite(w, "minimum", s->min);
    set_if_finite(w, "maximum", s->max);
    set_if_finite(w, "mean", s->mean);
    set_if_finite(w, "standardDeviation", s->sd);
    set_if_finite(w, "median", s->median);
    set_if_finite(w, "interQuartileRange",
                  s->upper_quartile - s->lower_quartile);
    asci_pmml_inside(w);
    write_quantile(w, "25", s->lower_quartile);
    write_quantile(w, "75", s->upper_quartile);
    asci_pmml_end_element(w, "NumericInfo");
}

static void
write_category_stats(struct pmml_writer *w, const struct asc_field *f,
                     const struct asci_field_stats *s)
{
    size_t i;

    if (!s->count || f->n_categories == 0)
        return;
    asci_pmml_begin(w, "DiscrStats");
    asci_pmml_inside(w);
    asci_pmml_array_begin(w, "string", f->n_categories);
    for (i = 0; i < f->n_categories; i++)
        asci_pmml_array_text(w, f->categories[i]);
    asci_pmml_array_end(w);
    asci_pmml_array_begin(w, "real", f->n_categories);
    for (i = 0; i < f->n_categories; i++)
        asci_pmml_array_number(w, s->count[i]);
    asci_pmml_array_end(w);
    asci_pmml_end_element(w, "DiscrStats");
}

static void
write_stats(struct pmml_writer *w)
{
    size_t j;

    if (!w->m->stats || w->m->schema.n == 0)
        return;
    asci_pmml_begin(w, "ModelStats");
    asci_pmml_inside(w);
    for (j = 0; j < w->m->schema.n; j++) {
        const struct asc_field *f = &w->m->schema.field[j];
        const struct asci_field_stats *s = &w->m->stats[j];

        asci_pmml_begin(w, "UnivariateStats");
        asci_pmml_set(w, "field", f->name);
        asci_pmml_inside(w);
        asci_pmml_begin(w, "Counts");
        asci_pmml_set_number(w, "totalFreq", s->n + s->n_missing);
        asci_pmml_set_number(w, "missingFreq", s->n_missing);
        asci_pmml_empty(w);
        if (f->kind == ASC_CONTINUOUS)
            write_number_stats(w, s);
        else
            write_category_stats(w, f, s);
        asci_pmml_end_element(w, "UnivariateStats");
    }
    asci_pmml_end_element(w, "ModelStats");
}

/* ---- what models have in common ---- */

/* Probabilities by name, for engines that give only what Output asks for;
 * not where a field has such a name. */
void
asci_pmml_outputs_element(struct pmml_writer *w)
{
    const asc_model *m = w->m;
    struct asc_buffer name = { 0 };
    size_t k, j;

    if (!m->classifier || !m->has_probabilities)
        return;
    for (j = 0; j < m->schema.n; j++)
        if (!strncmp(m->schema.field[j].name, "p.", 2))
            return;
    if (!strncmp(w->target, "p.", 2))
        return;
    asci_pmml_begin(w, "Output");
    asci_pmml_inside(w);
    for (k = 0; k < m->n_outputs; k++) {
        name.n = 0;
        asc_buffer_text(&name, "p.");
        asc_buffer_text(&name, m->output[k].name);
        asc_buffer_char(&name, '\0');
        asci_pmml_begin(w, "OutputField");
        asci_pmml_set(w, "name", name.failed ? "" : name.p);
        asci_pmml_set(w, "optype", "continuous");
        asci_pmml_set(w, "dataType", "double");
        asci_pmml_set(w, "feature", "probability");
        asci_pmml_set(w, "value", m->output[k].name);
        asci_pmml_empty(w);
    }
    if (name.failed)
        asci_pmml_refuse(w, ASC_ESYSTEM, "out of memory");
    asc_buffer_free(&name);
    asci_pmml_end_element(w, "Output");
}

void
asci_pmml_targets_element(struct pmml_writer *w)
{
    static const char *const cast[] = { NULL, "round", "ceiling", "floor" };
    const struct asci_rescale *t = w->m->rescale;

    if (!t)
        return;
    asci_pmml_begin(w, "Targets");
    asci_pmml_inside(w);
    asci_pmml_begin(w, "Target");
    asci_pmml_set(w, "field", w->target);
    if (t->min != -INFINITY)
        asci_pmml_set_number(w, "min", t->min);
    if (t->max != INFINITY)
        asci_pmml_set_number(w, "max", t->max);
    asci_pmml_set_number(w, "rescaleFactor", t->factor);
    asci_pmml_set_number(w, "rescaleConstant", t->constant);
    if (t->cast >= 1 && t->cast <= 3)
        asci_pmml_set(w, "castInteger", cast[t->cast]);
    asci_pmml_empty(w);
    asci_pmml_end_element(w, "Targets");
}

void
asci_pmml_model_head(struct pmml_writer *w, int last)
{
    size_t j;

    asci_pmml_begin(w, "MiningSchema");
    asci_pmml_inside(w);
    for (j = 0; j < w->m->schema.n; j++)
        write_treatments(w, &w->m->schema.field[j]);
    asci_pmml_target_field(w);
    asci_pmml_end_element(w, "MiningSchema");
    if (last)
        asci_pmml_outputs_element(w);
    write_stats(w);
    if (last)
        asci_pmml_targets_element(w);
}

void
asci_pmml_table_order(const asc_model *m, size_t *order)
{
    size_t k, n = 0;

    for (k = 0; k < m->n_outputs; k++)
        if (!m->output[k].complement)
            order[n++] = k;
    for (k = 0; k < m->n_outputs; k++)
        if (m->output[k].complement)
            order[n++] = k;
}

/* ---- the document ---- */

static void
write_document(struct pmml_writer *w)
{
    asc_buffer_text(w->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    asci_pmml_begin(w, "PMML");
    asci_pmml_set(w, "xmlns", "http://www.dmg.org/PMML-4_4");
    asci_pmml_set(w, "version", "4.4");
    asci_pmml_inside(w);
    asci_pmml_begin(w, "Header");
    asci_pmml_inside(w);
    asci_pmml_begin(w, "Application");
    asci_pmml_set(w, "name", "ascribe");
    asci_pmml_set(w, "version", asc_version());
    asci_pmml_empty(w);
    asci_pmml_end_element(w, "Header");
    write_dictionary(w);
    switch (w->m->form) {
    case ASC_FORM_LINEAR:
        asci_pmml_write_linear(w);
        break;
    case ASC_FORM_NETWORK:
        asci_pmml_write_network(w);
        break;
    default:
        asci_pmml_write_ensemble(w);
    }
    asci_pmml_end_element(w, "PMML");
}

/* Classes each with a link of its own, whose probabilities need not add up to
 * 1 (one against all others). */
static int
has_separate_links(const asc_model *m)
{
    size_t k;

    if (!m->classifier || m->link == ASCI_LINK_NONE ||
        m->link == ASCI_LINK_SOFTMAX || m->link == ASCI_LINK_SIMPLEMAX)
        return 0;
    for (k = 0; k < m->n_outputs; k++)
        if (m->output[k].complement)
            return 0;
    return 1;
}

int
asc_model_write_pmml(const asc_model *m, struct asc_buffer *out,
                     struct asc_error *e)
{
    struct pmml_writer w = { .m = m, .out = out, .e = e };
    const size_t before = out->n;

    if (m->form == ASC_FORM_OPAQUE)
        return asc_fail(e, ASC_EUSAGE, "%s: cannot be written as PMML: it "
                        "has values only (linear models, networks and "
                        "ensembles can)", m->name);
    if (m->whole)
        return asc_fail(e, ASC_EUSAGE, "%s: cannot be written as PMML: it is "
                        "a contrast of two outputs", m->name);
    if (!m->classifier && m->n_outputs > 1)
        return asc_fail(e, ASC_EUSAGE, "%s: cannot be written as PMML: it "
                        "has %zu targets, want one", m->name, m->n_outputs);
    if (m->link == ASCI_LINK_STEP)
        return asc_fail(e, ASC_EUSAGE, "%s: cannot be written as PMML: it "
                        "gives labels without probabilities (a hinge)",
                        m->name);
    if (m->link > ASCI_LINK_STEP)
        return asc_fail(e, ASC_EUSAGE, "%s: cannot be written as PMML: it "
                        "ends in a link (%s) that PMML has not", m->name,
                        asci_link_name(m->link));
    if (has_separate_links(m))
        return asc_fail(e, ASC_EUSAGE, "%s: cannot be written as PMML: each "
                        "of its classes has a link of its own", m->name);
    if (m->form == ASC_FORM_ENSEMBLE && m->u.ensemble.has_lines)
        return asc_fail(e, ASC_EUSAGE, "%s: cannot be written as PMML: the "
                        "leaves of its trees are linear", m->name);
    make_names(&w);
    if (w.status == ASC_OK)
        write_document(&w);
    if (w.status == ASC_OK && out->failed)
        w.status = asc_fail(e, ASC_ESYSTEM, "out of memory: cannot write "
                            "%s", m->name);
    if (w.status != ASC_OK && !out->failed)
        out->n = before;
    free(w.first_term);
    free(w.term);
    free(w.part);
    free(w.target);
    free(w.dots);
    return w.status;
}
