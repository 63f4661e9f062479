/* model/pmml/fragment.c -- parts of a model while they may still become parts
 * of a larger one, and the asc_model that is made of the last.
 *
 * Fragments speak of columns that the whole document shares; a model has only
 * those that it uses, in the order in which the document first names them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

struct pmml_fragment *
asci_pmml_fragment(struct pmml *p)
{
    struct pmml_fragment *f = asci_pmml_keep(p, 1, sizeof *f);

    if (!f)
        return NULL;
    f->scale = 1.0;
    f->next = p->fragments;
    p->fragments = f;
    return f;
}

static int
make_outputs(struct pmml *p, struct pmml_fragment *f, size_t n)
{
    size_t k;

    f->n_outputs = f->n_raw = n;
    f->output = asci_alloc_zero(n, sizeof *f->output, p->e);
    f->class_of = asci_alloc_zero(n, sizeof *f->class_of, p->e);
    f->base = asci_alloc_zero(n, sizeof *f->base, p->e);
    if (!f->output || !f->class_of || !f->base)
        return ASC_ESYSTEM;
    for (k = 0; k < n; k++) {
        f->output[k].raw = k;
        f->output[k].sign = 1.0;
    }
    return ASC_OK;
}

int
asci_pmml_class_outputs(struct pmml *p, struct pmml_fragment *f,
                        const struct pmml_classes *classes,
                        const size_t *class_of, size_t n)
{
    size_t k;
    int status = make_outputs(p, f, n);

    if (status != ASC_OK)
        return status;
    f->classifier = f->has_probabilities = 1;
    f->classes = classes;
    for (k = 0; k < n; k++) {
        f->class_of[k] = class_of ? class_of[k] : k;
        f->output[k].name = (char *)classes->name[f->class_of[k]];
    }
    return ASC_OK;
}

/* The name of a regression's output: its target, else what the model calls
 * its prediction. */
const char *
asci_pmml_prediction_name(const struct pmml *p, uint32_t model)
{
    const char *name = asci_pmml_target(p, model), *feature;
    const uint32_t output = asci_pmml_child(p, model, PMML_Output);
    uint32_t t = output ? p->doc.element[output].child : 0;

    for (; t && !name; t = p->doc.element[t].next) {
        feature = asci_pmml_attribute(p, t, PMML_feature);
        if (!feature || !strcmp(feature, "predictedValue"))
            name = asci_pmml_attribute(p, t, PMML_name);
    }
    return name ? name : "predicted";
}

int
asci_pmml_number_output(struct pmml *p, struct pmml_fragment *f,
                        uint32_t model)
{
    int status = make_outputs(p, f, 1);

    if (status == ASC_OK)
        f->output[0].name = (char *)asci_pmml_prediction_name(p, model);
    return status;
}

int
asci_pmml_add_term(struct pmml *p, struct pmml_fragment *f, uint32_t raw,
                   uint32_t column, double w)
{
    int status = asci_pmml_grow(&f->term, f->n_terms, &f->room_terms,
                                sizeof *f->term, p->e);

    if (status != ASC_OK)
        return status;
    f->term[f->n_terms].raw = raw;
    f->term[f->n_terms].column = column;
    f->term[f->n_terms++].w = w;
    return ASC_OK;
}

void
asci_pmml_tree_clear(struct asci_tree *t)
{
    free(t->node);
    free(t->cover);
    free(t->value);
    memset(t, 0, sizeof *t);
}

/* ---- Targets ---- */

static int
read_target(struct pmml *p, uint32_t t, struct asci_rescale *r)
{
    static const char *const casts[] = {
        "round", "ceiling", "floor", NULL
    };
    uint32_t value;
    int status;

    if ((status = asci_pmml_number_or(p, t, PMML_rescaleFactor, 1.0,
                                      &r->factor)) ||
        (status = asci_pmml_number_or(p, t, PMML_rescaleConstant, 0.0,
                                      &r->constant)) ||
        (status = asci_pmml_number_or(p, t, PMML_min, -INFINITY, &r->min)) ||
        (status = asci_pmml_number_or(p, t, PMML_max, INFINITY, &r->max)) ||
        (status = asci_pmml_choice(p, t, PMML_castInteger, casts, -1,
                                   &r->cast)))
        return status;
    r->cast++;
    for (value = p->doc.element[t].child; value;
         value = p->doc.element[value].next)
        if (asci_pmml_attribute(p, value, PMML_defaultValue))
            return asci_pmml_fail(p, value, "%s: attribute defaultValue is "
                                  "not supported", asci_pmml_name(p, value));
    return ASC_OK;
}

/* Takes an affine rescaling into the fragment: 1 if that could be done. */
static int
fold_rescale(struct pmml_fragment *f, const struct asci_rescale *r)
{
    struct asci_layer *last;
    size_t i;

    if (r->cast || r->min != -INFINITY || r->max != INFINITY ||
        f->link != ASCI_LINK_NONE || f->rescale)
        return 0;
    switch (f->form) {
    case ASC_FORM_LINEAR:
        for (i = 0; i < f->n_terms; i++)
            f->term[i].w *= r->factor;
        break;
    case ASC_FORM_ENSEMBLE:
        f->scale *= r->factor;
        break;
    case ASC_FORM_NETWORK:
        last = &f->layer[f->n_layers - 1];
        if (last->activation != ASCI_IDENTITY)
            return 0;
        for (i = 0; i < last->n_out * last->n_in; i++)
            last->w[i] *= r->factor;
        for (i = 0; i < last->n_out; i++)
            last->b[i] = r->factor * last->b[i] + r->constant;
        return 1;
    case ASC_FORM_OPAQUE:
        return 0;
    }
    for (i = 0; i < f->n_raw; i++)
        f->base[i] = r->factor * f->base[i] + r->constant;
    return 1;
}

/* The Target of the model's own target, or 0.  Models inside others often
 * declare no target: theirs is the only one. */
static int
own_target(const struct pmml *p, uint32_t model, uint32_t targets,
           uint32_t *own)
{
    const char *name = asci_pmml_target(p, model), *field;
    uint32_t t;

    *own = 0;
    for (t = p->doc.element[targets].child; t; t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_Target)
            return asci_pmml_unsupported(p, t, "Targets", "Target");
        field = asci_pmml_attribute(p, t, PMML_field);
        if (field && name && strcmp(field, name) != 0) {
            if (asci_pmml_is_target(p, model, field))
                continue;       /* of several targets it is another one's */
            return asci_pmml_fail(p, t, "Target: field \"%s\" is not the "
                                  "model's target \"%s\"", field, name);
        }
        if (*own && name)
            return asci_pmml_fail(p, t, "Target: target \"%s\" is there "
                                  "twice", name);
        if (*own)
            return asci_pmml_fail(p, t, "Target: there are several, and the "
                                  "model's MiningSchema names no target");
        *own = t;
    }
    return ASC_OK;
}

int
asci_pmml_targets(struct pmml *p, uint32_t model, struct pmml_fragment *f)
{
    const uint32_t targets = asci_pmml_child(p, model, PMML_Targets);
    struct asci_rescale r;
    uint32_t own;
    int status;

    if (!targets)
        return ASC_OK;
    if ((status = own_target(p, model, targets, &own)))
        return status;
    if (!own || f->classifier)
        return ASC_OK;
    if ((status = read_target(p, own, &r)))
        return status;
    if (fold_rescale(f, &r))
        return ASC_OK;
    if (!(f->rescale = asci_alloc(1, sizeof r, p->e)))
        return ASC_ESYSTEM;
    *f->rescale = r;
    return ASC_OK;
}

/* ---- the columns of one model ---- */

struct numbering {
    uint32_t *of;               /* (p->n_columns) shared -> own, 1-based;
                                   0: not used */
    uint32_t *list;             /* (n) own -> shared */
    size_t n;
};

static void
use_columns(const struct pmml_fragment *f, struct numbering *c)
{
    size_t i, j;

    switch (f->form) {
    case ASC_FORM_LINEAR:
        for (i = 0; i < f->n_terms; i++)
            c->of[f->term[i].column] = 1;
        break;
    case ASC_FORM_NETWORK:
        for (i = 0; i < f->n_inputs; i++)
            c->of[f->input[i]] = 1;
        break;
    case ASC_FORM_ENSEMBLE:
        for (j = 0; j < f->n_trees; j++)
            for (i = 0; i < f->tree[j].n_nodes; i++)
                if (f->tree[j].node[i].test != ASCI_LEAF)
                    c->of[f->tree[j].node[i].column] = 1;
        break;
    case ASC_FORM_OPAQUE:
        break;
    }
}

static int
number_columns(struct pmml *p, const struct pmml_fragment *f,
               struct numbering *c)
{
    size_t i;

    c->n = 0;
    c->of = asci_alloc_zero(p->n_columns, sizeof *c->of, p->e);
    c->list = asci_alloc(p->n_columns, sizeof *c->list, p->e);
    if (!c->of || !c->list)
        return ASC_ESYSTEM;
    use_columns(f, c);
    for (i = 0; i < p->n_columns; i++)
        if (c->of[i]) {
            c->list[c->n] = (uint32_t)i;
            c->of[i] = (uint32_t)++c->n;
        }
    return ASC_OK;
}

/* ---- forms ---- */

static int
make_linear(struct pmml *p, struct pmml_fragment *f,
            const struct numbering *c, struct asci_linear *to)
{
    size_t i;

    to->n_columns = c->n;
    to->n_raw = f->n_raw;
    if ((c->n && f->n_raw > SIZE_MAX / c->n) ||
        asci_pmml_spend(p, f->n_raw * c->n) != ASC_OK)
        return asc_fail(p->e, ASC_EINPUT, "%s: %zu sums of %zu columns are "
                        "too many for a matrix", p->path, f->n_raw, c->n);
    if (!(to->w = asci_alloc_zero(c->n * f->n_raw, sizeof *to->w, p->e)))
        return ASC_ESYSTEM;
    for (i = 0; i < f->n_terms; i++)
        to->w[f->term[i].raw * c->n + c->of[f->term[i].column] - 1] +=
            f->term[i].w;
    to->b = f->base;
    f->base = NULL;
    return ASC_OK;
}

/* The first layer's weights, by column instead of by input. */
static int
make_network(struct pmml *p, struct pmml_fragment *f,
             const struct numbering *c, struct asci_network *to)
{
    struct asci_layer *first = &f->layer[0];
    double *w = asci_alloc_zero(c->n * first->n_out, sizeof *w, p->e);
    size_t i, j;

    if (!w)
        return ASC_ESYSTEM;
    for (i = 0; i < first->n_out; i++)
        for (j = 0; j < f->n_inputs; j++)
            w[i * c->n + c->of[f->input[j]] - 1] +=
                first->w[i * first->n_in + j];
    free(first->w);
    first->w = w;
    first->n_in = c->n;
    to->n_columns = c->n;
    to->n_layers = f->n_layers;
    to->layer = f->layer;
    f->layer = NULL;
    f->n_layers = 0;
    return ASC_OK;
}

static size_t
words_of(const struct asci_node *t)
{
    return t->test == ASCI_IN_SET ? ((size_t)t->set_bits + 63) / 64 : 0;
}

/* Moves the trees over, with the sets that they use. */
static int
make_ensemble(struct pmml *p, struct pmml_fragment *f,
              const struct numbering *c, struct asci_ensemble *to)
{
    size_t i, j, n = 0;

    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++)
            n += words_of(&f->tree[j].node[i]);
    if (n > UINT32_MAX)
        return asc_fail(p->e, ASC_EINPUT, "%s: too many sets of categories",
                        p->path);
    if (!(to->sets = asci_alloc(n, sizeof *to->sets, p->e)))
        return ASC_ESYSTEM;
    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            struct asci_node *t = &f->tree[j].node[i];
            const size_t words = words_of(t);

            if (t->test == ASCI_LEAF)
                continue;
            t->column = c->of[t->column] - 1;
            if (!words)
                continue;
            memcpy(to->sets + to->n_set_words, p->set + t->set,
                   words * sizeof *to->sets);
            t->set = (uint32_t)to->n_set_words;
            to->n_set_words += words;
        }
    to->n_columns = c->n;
    to->n_raw = f->n_raw;
    to->n_trees = f->n_trees;
    to->tree = f->tree;
    to->base = f->base;
    to->scale = f->scale;
    to->single = f->single;
    f->tree = NULL;
    f->n_trees = 0;
    f->base = NULL;
    return ASC_OK;
}

/* ---- composites ---- */

static int
make_step(struct pmml *p, const struct pmml_fragment *f,
          const struct pmml_stage *from, struct pmml_step *to)
{
    struct pmml_fragment *part = from->model;
    const struct pmml_symbol *t;
    size_t k, n = 0, index, at;
    int status;

    to->weight = from->weight;
    to->is_result = from->is_result;
    for (t = part->outputs; t; t = t->sibling)
        n += t->fill != PMML_NO_FIELD;
    to->to = asci_alloc_zero(part->n_outputs, sizeof *to->to, p->e);
    to->fill = asci_alloc_zero(n, sizeof *to->fill, p->e);
    if (!to->to || !to->fill)
        return ASC_ESYSTEM;
    for (t = part->outputs; t; t = t->sibling)
        if (t->fill != PMML_NO_FIELD) {
            to->fill[to->n_fills].field = t->fill;
            to->fill[to->n_fills].output = t->output;
            to->fill[to->n_fills++].label = part->classifier &&
                                            !t->is_probability;
        }
    for (k = 0; k < part->n_outputs && f->classifier && to->is_result; k++) {
        if ((status = asci_pmml_class(p, f->classes, part->output[k].name,
                                      &index)))
            return status;
        for (at = 0; at < f->n_outputs && f->class_of[at] != index; at++)
            ;
        if (at == f->n_outputs)
            return asc_fail(p->e, ASC_EINPUT, "%s: \"%s\" is not a class of "
                            "the whole model", p->path,
                            part->output[k].name);
        to->to[k] = at;
    }
    if (!(to->model.m = asci_pmml_part_of(p, part, &to->model.field,
                                          &to->model.n)))
        return p->e->status;
    if (from->test &&
        !(to->test.m = asci_pmml_part_of(p, from->test, &to->test.field,
                                         &to->test.n)))
        return p->e->status;
    return ASC_OK;
}

static int
make_opaque(struct pmml *p, struct pmml_fragment *f, size_t d, asc_model *m)
{
    struct pmml_composite *c = asci_alloc_zero(1, sizeof *c, p->e);
    size_t i;
    int status = ASC_OK;

    if (!c)
        return ASC_ESYSTEM;
    m->u.opaque.state = c;
    m->u.opaque.evaluate = asci_pmml_composite_evaluate;
    m->u.opaque.free = asci_pmml_composite_free;
    c->method = f->method;
    c->skip_missing = f->skip_missing;
    c->linked = f->link != ASCI_LINK_NONE;
    c->d = d;
    c->d_all = p->schema.n;
    c->n_outputs = f->n_outputs;
    c->step = asci_alloc_zero(f->n_stages, sizeof *c->step, p->e);
    if (!c->step)
        return ASC_ESYSTEM;
    for (i = 0; i < f->n_stages && status == ASC_OK; i++) {
        c->n_steps = i + 1;
        status = make_step(p, f, &f->stage[i], &c->step[i]);
    }
    if (status == ASC_OK && f->rescale) {
        if (!(c->rescale = asci_alloc(1, sizeof *c->rescale, p->e)))
            return ASC_ESYSTEM;
        *c->rescale = *f->rescale;
    }
    return status;
}

/* ---- the model ---- */

static int
copy_outputs(struct pmml *p, const struct pmml_fragment *f, asc_model *m)
{
    size_t k;

    m->n_outputs = f->n_outputs;
    m->n_raw = f->n_raw;
    m->output = asci_alloc_zero(f->n_outputs, sizeof *m->output, p->e);
    if (!m->output)
        return ASC_ESYSTEM;
    for (k = 0; k < f->n_outputs; k++) {
        m->output[k] = f->output[k];
        m->output[k].name = asci_copy_text(f->output[k].name,
                                           strlen(f->output[k].name), p->e);
        if (!m->output[k].name)
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

static int
make_form(struct pmml *p, struct pmml_fragment *f, size_t d, asc_model *m)
{
    struct numbering c = { NULL, NULL, 0 };
    int status = number_columns(p, f, &c);

    if (status == ASC_OK && f->form != ASC_FORM_OPAQUE)
        status = asci_pmml_encoder(p, c.list, c.n, &m->encoder);
    if (status == ASC_OK) {
        m->form = f->form;
        memset(&m->u, 0, sizeof m->u);
        switch (f->form) {
        case ASC_FORM_LINEAR:
            status = make_linear(p, f, &c, &m->u.linear);
            break;
        case ASC_FORM_NETWORK:
            status = make_network(p, f, &c, &m->u.network);
            break;
        case ASC_FORM_ENSEMBLE:
            status = make_ensemble(p, f, &c, &m->u.ensemble);
            break;
        case ASC_FORM_OPAQUE:
            status = make_opaque(p, f, d, m);
            break;
        }
    }
    free(c.of);
    free(c.list);
    return status;
}

/* The fields that an encoder reads, list (*n), which its factors then count
 * from 0; all of them for an opaque model. */
static int
number_fields(struct pmml *p, asc_model *m, size_t *list, size_t *n)
{
    const size_t d = p->schema.n;
    size_t *own = asci_alloc_zero(d, sizeof *own, p->e), i, k;

    if (!own)
        return ASC_ESYSTEM;
    for (i = 0; i < d && m->form == ASC_FORM_OPAQUE; i++)
        own[i] = 1;
    for (i = 0; i < m->encoder.n; i++)
        for (k = 0; k < m->encoder.column[i].n_factors; k++)
            own[m->encoder.column[i].factor[k].field] = 1;
    for (*n = i = 0; i < d; i++)
        if (own[i]) {
            own[i] = *n;
            list[(*n)++] = i;
        }
    for (i = 0; i < m->encoder.n; i++)
        for (k = 0; k < m->encoder.column[i].n_factors; k++) {
            struct asci_factor *f = &m->encoder.column[i].factor[k];

            f->field = own[f->field];
        }
    free(own);
    return ASC_OK;
}

/* list NULL: the whole, of raw fields. */
static int
fill_model(struct pmml *p, struct pmml_fragment *f, size_t *list, size_t *n,
           asc_model *m)
{
    const size_t d = list ? p->schema.n : p->n_fields;
    size_t i;
    int status;

    if ((status = copy_outputs(p, f, m)) || (status = make_form(p, f, d, m)))
        return status;
    if (list) {
        if ((status = number_fields(p, m, list, n)))
            return status;
    } else {
        *n = d;
    }
    m->schema.field = asci_alloc_zero(*n, sizeof *m->schema.field, p->e);
    if (!m->schema.field)
        return ASC_ESYSTEM;
    for (i = 0; i < *n && status == ASC_OK; i++) {
        m->schema.n = i + 1;
        status = asci_pmml_field_copy(&p->schema.field[list ? list[i] : i],
                                      &m->schema.field[i], p->e);
    }
    return status ? status : asci_model_finish(m, p->e);
}

static asc_model *
new_model(struct pmml *p, struct pmml_fragment *f, size_t *list, size_t *n)
{
    asc_model *m = asci_model_new(p->path, p->e);

    if (!m)
        return NULL;
    m->classifier = f->classifier;
    m->has_probabilities = f->has_probabilities;
    m->link = f->link;
    if (fill_model(p, f, list, n, m) != ASC_OK) {
        asc_model_free(m);
        return NULL;
    }
    m->rescale = f->rescale;
    f->rescale = NULL;
    return m;
}

asc_model *
asci_pmml_model_of(struct pmml *p, struct pmml_fragment *f)
{
    size_t n;

    return new_model(p, f, NULL, &n);
}

asc_model *
asci_pmml_part_of(struct pmml *p, struct pmml_fragment *f, size_t **list,
                  size_t *n)
{
    asc_model *m;
    size_t *less;

    if (!(*list = asci_alloc(p->schema.n, sizeof **list, p->e)))
        return NULL;
    m = new_model(p, f, *list, n);
    if (m && (less = realloc(*list, (*n + 1) * sizeof **list)))
        *list = less;           /* most read a few of many fields */
    return m;
}
