/* model/pmml/mining.c -- MiningModel: models of models.
 *
 *     sum, average, weighted ones   trees become one ensemble, linear models
 *                                   one linear model
 *     majority vote                 trees whose leaves are labels, averaged
 *     model chain                   sums that a last linear model combines
 *                                   become its terms: boosting with a link
 *     select first                  the first, if it always applies
 *
 * (PMML 4.4, Multiple Models.)  What does not become one form is evaluated
 * segment by segment, as a composite.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

static const char *const methods[] = {
    "sum", "weightedSum", "x-weightedSum", "average", "weightedAverage",
    "majorityVote", "weightedMajorityVote", "selectFirst", "modelChain", NULL
};
static const struct {
    enum pmml_method method;
    int weighted;
} meaning[] = {
    { PMML_SUM, 0 }, { PMML_SUM, 1 }, { PMML_SUM, 1 }, { PMML_AVERAGE, 0 },
    { PMML_AVERAGE, 1 }, { PMML_VOTE, 0 }, { PMML_VOTE, 1 },
    { PMML_FIRST, 0 }, { PMML_CHAIN, 0 }
};

static const char predicates[] = "SimplePredicate, SimpleSetPredicate, "
                                 "CompoundPredicate, True, False";

struct reader {
    struct pmml *p;
    uint32_t model, segmentation;
    struct pmml_fragment *f;
    struct pmml_context inner;  /* of the segments */
    int weighted, classifies, single;
};

/* ---- reading ---- */

static int
is_predicate(uint32_t name)
{
    return name == PMML_SimplePredicate || name == PMML_SimpleSetPredicate ||
           name == PMML_CompoundPredicate || name == PMML_True ||
           name == PMML_False;
}

static int
segment_parts(struct reader *r, uint32_t segment, uint32_t *predicate,
              uint32_t *model)
{
    struct pmml *p = r->p;
    uint32_t t;

    *predicate = *model = 0;
    for (t = p->doc.element[segment].child; t; t = p->doc.element[t].next)
        if (is_predicate(p->doc.element[t].name) && !*predicate)
            *predicate = t;
        else if (asci_pmml_is_model(p, t) && !*model)
            *model = t;
        else
            return asci_pmml_unsupported(p, t, "Segment", "one predicate, one "
                                         "of RegressionModel, NeuralNetwork, "
                                         "TreeModel, MiningModel");
    if (!*predicate)
        return asci_pmml_fail(p, segment, "Segment: there is no predicate "
                              "(supported: %s)", predicates);
    if (!*model)
        return asci_pmml_fail(p, segment, "Segment: there is no model");
    return ASC_OK;
}

static int
add_stage(struct reader *r, uint32_t segment, uint32_t predicate,
          struct pmml_fragment *model, struct pmml_stage **out)
{
    struct pmml *p = r->p;
    struct pmml_fragment *f = r->f;
    struct pmml_stage s = { NULL, model, 1.0, 0 };
    int status;

    if ((status = asci_pmml_grow(&f->stage, f->n_stages, &f->room_stages,
                                 sizeof *f->stage, p->e)))
        return status;
    if (r->weighted && (status = asci_pmml_number_or(p, segment, PMML_weight,
                                                     1.0, &s.weight)))
        return status;
    if (s.weight < 0.0 && f->method != PMML_SUM)
        return asci_pmml_fail(p, segment, "Segment: weight %g is negative",
                              s.weight);
    if (p->doc.element[predicate].name != PMML_True) {
        if (!(s.test = asci_pmml_fragment(p)))
            return ASC_ESYSTEM;
        if ((status = asci_pmml_test(p, predicate, r->inner.scope, s.test)))
            return status;
    }
    f->stage[f->n_stages] = s;
    *out = &f->stage[f->n_stages++];
    return ASC_OK;
}

/* A segment's result must be of the kind of the whole. */
static int
check_kind(struct reader *r, uint32_t model, const struct pmml_fragment *part)
{
    if (part->classifier == r->classifies)
        return ASC_OK;
    return asci_pmml_fail(r->p, model, "%s: a %s cannot be a part of a %s by "
                          "%s", asci_pmml_name(r->p, model),
                          part->classifier ? "classification" : "regression",
                          r->classifies ? "classification" : "regression",
                          asci_pmml_attribute(r->p, r->segmentation,
                                              PMML_multipleModelMethod));
}

static int
read_segment(struct reader *r, uint32_t segment, int *always)
{
    struct pmml *p = r->p;
    struct pmml_fragment *part;
    struct pmml_stage *stage;
    uint32_t predicate, model;
    int status;

    *always = 0;
    if ((status = segment_parts(r, segment, &predicate, &model)))
        return status;
    if (p->doc.element[predicate].name == PMML_False)
        return ASC_OK;
    *always = p->doc.element[predicate].name == PMML_True;
    if ((status = asci_pmml_model(p, model, &r->inner, &part)))
        return status;
    if (r->f->method != PMML_CHAIN &&
        (status = check_kind(r, model, part)))
        return status;
    if ((status = add_stage(r, segment, predicate, part, &stage)))
        return status;
    if (r->f->method == PMML_CHAIN)
        return asci_pmml_declare_outputs(p, r->inner.scope, model, part);
    return ASC_OK;
}

static int
read_segments(struct reader *r)
{
    struct pmml *p = r->p;
    uint32_t t;
    int status, always = 0;

    for (t = p->doc.element[r->segmentation].child; t;
         t = p->doc.element[t].next) {
        if (p->doc.element[t].name != PMML_Segment)
            return asci_pmml_unsupported(p, t, "Segmentation", "Segment");
        if ((status = read_segment(r, t, &always)))
            return status;
        if (always && r->f->method == PMML_FIRST)
            break;              /* no later one is reached */
    }
    if (r->f->n_stages == 0)
        return asci_pmml_fail(p, r->segmentation, "Segmentation: there is no "
                              "Segment that can apply");
    return ASC_OK;
}

static int
read_method(struct reader *r)
{
    static const char *const treatments[] = {
        "continue", "skipSegment", "returnMissing", NULL
    };
    struct pmml *p = r->p;
    const uint32_t s = r->segmentation;
    const char *text;
    int v, status;

    if ((status = asci_pmml_required(p, s, PMML_multipleModelMethod,
                                     &text)) ||
        (status = asci_pmml_choice(p, s, PMML_multipleModelMethod, methods, 0,
                                   &v)))
        return status;
    r->f->method = meaning[v].method;
    r->weighted = meaning[v].weighted;
    if (r->f->method == PMML_VOTE && !r->classifies)
        return asci_pmml_fail(p, s, "Segmentation: %s is of classifications "
                              "only", methods[v]);
    if (r->f->method == PMML_SUM && r->classifies)
        return asci_pmml_fail(p, s, "Segmentation: %s is of regressions only",
                              methods[v]);
    if ((status = asci_pmml_choice(p, s, PMML_missingPredictionTreatment,
                                   treatments, 0, &v)))
        return status;
    r->f->skip_missing = v == 1;
    if (v == 1 && asci_pmml_attribute(p, s, PMML_missingThreshold))
        return asci_pmml_fail(p, s, "Segmentation: attribute missingThreshold "
                              "is not supported with skipSegment");
    return ASC_OK;
}

/* ---- one form ---- */

/* A part that others can be added to. */
static int
is_plain(const struct pmml_fragment *f)
{
    return f->link == ASCI_LINK_NONE && !f->rescale &&
           (f->form == ASC_FORM_LINEAR || f->form == ASC_FORM_ENSEMBLE);
}

static int
is_constant(const struct pmml_fragment *f)
{
    return f->form == ASC_FORM_LINEAR && f->n_terms == 0;
}

static int
can_be_missing(const struct pmml_fragment *f)
{
    size_t i, j;

    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_leaves * f->tree[j].width; i++)
            if (isnan(f->tree[j].value[i]))
                return 1;
    return 0;
}

/* The form that all parts of a sum, an average or a vote can become, or
 * ASC_FORM_OPAQUE. */
static enum asc_form
common_form(const struct reader *r)
{
    const struct pmml_fragment *f = r->f;
    size_t i, n_linear = 0, n_trees = 0;

    if (f->method == PMML_FIRST || f->method == PMML_CHAIN)
        return ASC_FORM_OPAQUE;
    for (i = 0; i < f->n_stages; i++) {
        const struct pmml_stage *s = &f->stage[i];

        if (s->test || !is_plain(s->model) ||
            (r->classifies && (s->model->form != ASC_FORM_ENSEMBLE ||
                               s->model->n_raw != f->stage[0].model->n_raw ||
                               s->model->n_outputs != s->model->n_raw)) ||
            (f->method == PMML_VOTE && !s->model->one_hot) ||
            (f->skip_missing && can_be_missing(s->model)))
            return ASC_FORM_OPAQUE;
        if (s->model->classes != f->stage[0].model->classes)
            return ASC_FORM_OPAQUE;
        n_linear += s->model->form == ASC_FORM_LINEAR &&
                    !is_constant(s->model);
        n_trees += s->model->form == ASC_FORM_ENSEMBLE;
    }
    return n_linear && n_trees ? ASC_FORM_OPAQUE
           : n_trees ? ASC_FORM_ENSEMBLE : ASC_FORM_LINEAR;
}

/* The outputs of a part become those of the whole. */
static void
move_outputs(struct pmml_fragment *from, struct pmml_fragment *to)
{
    free(to->output);
    free(to->class_of);
    free(to->base);
    to->classifier = from->classifier;
    to->has_probabilities = from->has_probabilities;
    to->classes = from->classes;
    to->n_outputs = from->n_outputs;
    to->output = from->output;
    to->class_of = from->class_of;
    to->n_raw = from->n_raw;
    to->link = from->link;
    to->base = from->base;
    from->output = NULL;
    from->class_of = NULL;
    from->base = NULL;
    from->n_outputs = 0;
}

static void
scale_tree(struct asci_tree *t, double factor)
{
    size_t i;

    for (i = 0; i < t->n_leaves * t->width; i++)
        t->value[i] *= factor;
}

/* Takes over the trees of a part, `factor` times their values. */
static int
take_trees(struct pmml *p, struct pmml_fragment *from, double factor,
           struct pmml_fragment *to)
{
    size_t j;
    int status;

    for (j = 0; j < from->n_trees; j++) {
        if ((status = asci_pmml_grow(&to->tree, to->n_trees, &to->room_trees,
                                     sizeof *to->tree, p->e)))
            return status;
        to->tree[to->n_trees] = from->tree[j];
        memset(&from->tree[j], 0, sizeof from->tree[j]);
        if (factor != 1.0)
            scale_tree(&to->tree[to->n_trees], factor);
        to->n_trees++;
    }
    to->single = to->single || from->single;
    return ASC_OK;
}

/* *same: all factors of the parts' trees are equal, to *factor. */
static int
same_factors(const struct pmml_fragment *f, double total, double *factor)
{
    size_t i;
    int seen = 0;

    *factor = 1.0;
    for (i = 0; i < f->n_stages; i++) {
        const struct pmml_stage *s = &f->stage[i];
        const double now = s->weight / total * s->model->scale;

        if (s->model->form != ASC_FORM_ENSEMBLE)
            continue;
        if (seen && now != *factor)
            return 0;
        *factor = now;
        seen = 1;
    }
    return 1;
}

static int
merge(struct reader *r, enum asc_form form)
{
    struct pmml *p = r->p;
    struct pmml_fragment *f = r->f;
    double total = 0.0, factor, w;
    size_t i, k;
    int status, same;

    for (i = 0; i < f->n_stages; i++)
        total += f->stage[i].weight;
    if (f->method == PMML_SUM)
        total = 1.0;
    if (!(total > 0.0))
        return asci_pmml_fail(p, r->segmentation, "Segmentation: the weights "
                              "add up to 0");
    f->form = form;
    same = same_factors(f, total, &factor);
    f->scale = same ? factor : 1.0;
    for (i = 0; i < f->n_stages; i++) {
        struct pmml_fragment *part = f->stage[i].model;

        w = f->stage[i].weight / total;
        if ((status = take_trees(p, part, same ? 1.0 : w * part->scale, f)))
            return status;
        for (k = 0; k < part->n_terms; k++)
            if ((status = asci_pmml_add_term(p, f, part->term[k].raw,
                                             part->term[k].column,
                                             w * part->term[k].w)))
                return status;
        if (i == 0) {
            move_outputs(part, f);
            for (k = 0; k < f->n_raw; k++)
                f->base[k] *= w;
        } else {
            for (k = 0; k < f->n_raw; k++)
                f->base[k] += w * part->base[k];
            f->has_probabilities = f->has_probabilities &&
                                   part->has_probabilities;
        }
    }
    if (f->method == PMML_VOTE)
        f->has_probabilities = 1;
    f->one_hot = 0;
    f->single = f->single || r->single;
    f->n_stages = 0;
    return ASC_OK;
}

/* The whole is one of its parts. */
static void
become(struct reader *r, struct pmml_fragment *part)
{
    struct pmml_fragment *f = r->f;

    move_outputs(part, f);
    f->form = part->form;
    f->rescale = part->rescale;
    f->term = part->term;
    f->n_terms = part->n_terms;
    f->room_terms = part->room_terms;
    f->input = part->input;
    f->n_inputs = part->n_inputs;
    f->n_layers = part->n_layers;
    f->layer = part->layer;
    f->tree = part->tree;
    f->n_trees = part->n_trees;
    f->room_trees = part->room_trees;
    f->scale = part->scale;
    f->single = part->single || r->single;
    f->one_hot = part->one_hot;
    free(f->stage);
    f->stage = part->stage;
    f->n_stages = part->n_stages;
    f->room_stages = part->room_stages;
    f->method = part->method;
    f->skip_missing = part->skip_missing;
    part->rescale = NULL;
    part->term = NULL;
    part->input = NULL;
    part->layer = NULL;
    part->n_layers = 0;
    part->tree = NULL;
    part->n_trees = 0;
    part->stage = NULL;
    part->n_stages = 0;
}

/* ---- chains ---- */

/* The stage whose output a column reads, and as which line a x + b of it; -1
 * if the column is something else.  *reads: it reads an output of a stage. */
static int
source_of(const struct reader *r, const struct asci_column *c, double *a,
          double *b, int *reads)
{
    const struct pmml *p = r->p;
    const struct pmml_fragment *f = r->f;
    const struct pmml_symbol *t;
    size_t field, i, k;

    *reads = 0;
    for (k = 0; k < c->n_factors; k++)
        *reads = *reads || c->factor[k].field >= p->n_fields;
    if (!asci_pmml_is_affine(c, &field, a, b))
        return -1;
    for (i = 0; i < f->n_stages; i++)
        for (t = f->stage[i].model->outputs; t; t = t->sibling)
            if (t->fill == field && !t->is_probability)
                return (int)i;
    return -1;
}

/* Whether the last model of a chain reads nothing of the others. */
static int
reads_outputs(const struct reader *r, const struct pmml_fragment *last)
{
    const struct pmml *p = r->p;
    char *used = calloc(p->n_columns + 1, 1);
    size_t i, j, k;
    int reads = !used || last->form == ASC_FORM_OPAQUE;

    if (!used)
        return 1;
    for (i = 0; i < last->n_terms; i++)
        used[last->term[i].column] = 1;
    for (i = 0; i < last->n_inputs; i++)
        used[last->input[i]] = 1;
    for (j = 0; j < last->n_trees; j++)
        for (i = 0; i < last->tree[j].n_nodes; i++)
            if (last->tree[j].node[i].test != ASCI_LEAF)
                used[last->tree[j].node[i].column] = 1;
    for (i = 0; i < p->n_columns && !reads; i++)
        for (k = 0; used[i] && k < p->column[i].n_factors; k++)
            reads = reads || p->column[i].factor[k].field >= p->n_fields;
    free(used);
    return reads;
}

/* A term's part in the whole: the stage it reads, w * (a y + b). */
struct link_of {
    int stage;
    double a, b;
};

/* Whether a last linear model only adds up trees (or only linear models and
 * fields) of stages that always apply. */
static int
chain_form(const struct reader *r, const struct pmml_fragment *last,
           struct link_of *to, enum asc_form *form)
{
    const struct pmml_fragment *f = r->f;
    size_t i, n_trees = 0, n_linear = 0;

    if (last->form != ASC_FORM_LINEAR)
        return 0;
    for (i = 0; i < last->n_terms; i++) {
        const struct pmml_stage *s;
        int reads;

        to[i].stage = source_of(r, &r->p->column[last->term[i].column],
                                &to[i].a, &to[i].b, &reads);
        if (to[i].stage < 0) {
            if (reads)
                return 0;
            n_linear++;
            continue;
        }
        s = &f->stage[to[i].stage];
        if (s->test || s->model->classifier || !is_plain(s->model))
            return 0;
        n_linear += s->model->form == ASC_FORM_LINEAR &&
                    !is_constant(s->model);
        n_trees += s->model->form == ASC_FORM_ENSEMBLE;
    }
    *form = n_trees ? ASC_FORM_ENSEMBLE : ASC_FORM_LINEAR;
    return !(n_trees && n_linear);
}

static int
copy_tree(struct pmml *p, const struct asci_tree *from, struct asci_tree *to)
{
    const size_t n = from->n_leaves * from->width;

    *to = *from;
    to->node = asci_alloc(from->n_nodes, sizeof *to->node, p->e);
    to->value = asci_alloc(n, sizeof *to->value, p->e);
    to->cover = from->cover ? asci_alloc(from->n_nodes, sizeof *to->cover,
                                         p->e) : NULL;
    if (!to->node || !to->value || (from->cover && !to->cover)) {
        asci_pmml_tree_clear(to);
        return ASC_ESYSTEM;
    }
    memcpy(to->node, from->node, from->n_nodes * sizeof *to->node);
    memcpy(to->value, from->value, n * sizeof *to->value);
    if (to->cover)
        memcpy(to->cover, from->cover, from->n_nodes * sizeof *to->cover);
    return ASC_OK;
}

/* Adds w times the trees of a part to raw output `raw`. */
static int
add_trees(struct pmml *p, const struct pmml_fragment *from, double w,
          uint32_t raw, struct pmml_fragment *to)
{
    struct asci_tree *t;
    size_t j;
    int status;

    for (j = 0; j < from->n_trees; j++) {
        if ((status = asci_pmml_grow(&to->tree, to->n_trees, &to->room_trees,
                                     sizeof *to->tree, p->e)))
            return status;
        t = &to->tree[to->n_trees];
        if ((status = copy_tree(p, &from->tree[j], t)))
            return status;
        to->n_trees++;
        t->first = raw;
        if (w != 1.0)
            scale_tree(t, w);
    }
    to->single = to->single || from->single;
    return ASC_OK;
}

/* The factor of the stages' trees, where it is one; else 1. */
static double
chain_scale(const struct pmml_fragment *f, const struct pmml_fragment *last,
            const struct link_of *to)
{
    double scale = NAN;
    size_t i;

    for (i = 0; i < last->n_terms; i++) {
        const struct pmml_fragment *part;
        double now;

        if (to[i].stage < 0)
            continue;
        part = f->stage[to[i].stage].model;
        now = last->term[i].w * to[i].a * part->scale;
        if (part->form != ASC_FORM_ENSEMBLE)
            continue;
        if (!isnan(scale) && scale != now)
            return 1.0;
        scale = now;
    }
    return isnan(scale) || scale == 0.0 ? 1.0 : scale;
}

static int
fold_chain(struct reader *r, struct pmml_fragment *last,
           const struct link_of *to, enum asc_form form)
{
    struct pmml *p = r->p;
    struct pmml_fragment *f = r->f;
    const double scale = chain_scale(f, last, to);
    size_t i, k;
    int status;

    move_outputs(last, f);
    f->rescale = last->rescale;
    last->rescale = NULL;
    f->form = form;
    f->scale = scale;
    for (i = 0; i < last->n_terms; i++) {
        const struct pmml_term *t = &last->term[i];
        const struct pmml_fragment *part;

        if (to[i].stage < 0) {
            if ((status = asci_pmml_add_term(p, f, t->raw, t->column, t->w)))
                return status;
            continue;
        }
        part = f->stage[to[i].stage].model;
        f->base[t->raw] += t->w * (to[i].a * part->base[0] + to[i].b);
        status = add_trees(p, part, t->w * to[i].a * part->scale / scale,
                           t->raw, f);
        for (k = 0; k < part->n_terms && status == ASC_OK; k++)
            status = asci_pmml_add_term(p, f, t->raw, part->term[k].column,
                                        t->w * to[i].a * part->term[k].w);
        if (status != ASC_OK)
            return status;
    }
    f->single = f->single || r->single;
    f->n_stages = 0;
    return ASC_OK;
}

/* ---- composites ---- */

static int
same_outputs(const struct pmml_fragment *a, const struct pmml_fragment *b)
{
    return a->classes == b->classes && a->n_outputs == b->n_outputs &&
           a->link == b->link &&
           !memcmp(a->class_of, b->class_of,
                   a->n_outputs * sizeof *a->class_of);
}

/* The results of a chain are those of its last models of the right kind; what
 * nothing reads any more is left out. */
static int
choose_results(struct reader *r)
{
    struct pmml_fragment *f = r->f;
    const struct pmml_symbol *t;
    size_t i, n = 0;
    int covered = 0, any = 0;

    for (i = f->n_stages; i-- > 0;) {
        struct pmml_stage *s = &f->stage[i];

        s->is_result = f->method != PMML_CHAIN ||
                       (!covered && s->model->classifier == r->classifies);
        covered = covered || (s->is_result && !s->test);
        any = any || s->is_result;
    }
    if (!any)
        return asci_pmml_fail(r->p, r->model, "MiningModel: no model of the "
                              "chain is a %s, as the whole is",
                              r->classifies ? "classification"
                                            : "regression");
    for (i = 0; i < f->n_stages; i++) {
        int read = f->stage[i].is_result;

        for (t = f->stage[i].model->outputs; t; t = t->sibling)
            read = read || t->fill != PMML_NO_FIELD;
        if (read)
            f->stage[n++] = f->stage[i];
    }
    f->n_stages = n;
    return ASC_OK;
}

static int
compose(struct reader *r)
{
    struct pmml *p = r->p;
    struct pmml_fragment *f = r->f;
    const struct pmml_fragment *first = NULL;
    size_t i;
    int same = 1, probabilities = 1, status;

    f->form = ASC_FORM_OPAQUE;
    if ((status = choose_results(r)))
        return status;
    for (i = 0; i < f->n_stages; i++) {
        const struct pmml_fragment *part = f->stage[i].model;

        if (!f->stage[i].is_result)
            continue;
        if (!first)
            first = part;
        same = same && same_outputs(first, part);
        probabilities = probabilities && part->has_probabilities;
    }
    if (!r->classifies)
        status = asci_pmml_number_output(p, f, r->model);
    else
        status = asci_pmml_class_outputs(p, f, first->classes,
                                         same ? first->class_of : NULL,
                                         same ? first->n_outputs
                                              : first->classes->n);
    if (status != ASC_OK)
        return status;
    f->has_probabilities = probabilities || f->method == PMML_VOTE;
    /* Raw scores of models with different links have nothing in common. */
    if (same && (f->method == PMML_FIRST || f->method == PMML_CHAIN))
        f->link = first->link;
    return ASC_OK;
}

static int
finish_chain(struct reader *r)
{
    struct pmml_fragment *f = r->f;
    struct pmml_stage *s = &f->stage[f->n_stages - 1];
    struct link_of *to;
    enum asc_form form;
    int status;

    if (s->test || s->model->classifier != r->classifies)
        return compose(r);
    if (!reads_outputs(r, s->model)) {
        become(r, s->model);
        return ASC_OK;
    }
    to = asci_alloc(s->model->n_terms, sizeof *to, r->p->e);
    if (!to)
        return ASC_ESYSTEM;
    if (chain_form(r, s->model, to, &form))
        status = fold_chain(r, s->model, to, form);
    else
        status = compose(r);
    free(to);
    return status;
}

static int
finish(struct reader *r)
{
    struct pmml_fragment *f = r->f;
    enum asc_form form;

    if (f->method == PMML_CHAIN)
        return finish_chain(r);
    if (f->method == PMML_FIRST && !f->stage[0].test) {
        become(r, f->stage[0].model);
        return ASC_OK;
    }
    form = common_form(r);
    return form == ASC_FORM_OPAQUE ? compose(r) : merge(r, form);
}

int
asci_pmml_mining(struct pmml *p, uint32_t element,
                 const struct pmml_context *c, struct pmml_fragment *f)
{
    struct reader r = { .p = p, .model = element, .f = f };
    const char *math = asci_pmml_attribute(p, element, PMML_mathContext);
    uint32_t t;
    int status;

    for (t = p->doc.element[element].child; t; t = p->doc.element[t].next)
        if (p->doc.element[t].name == PMML_Segmentation && !r.segmentation)
            r.segmentation = t;
        else if (!asci_pmml_is_common(p, t))
            return asci_pmml_unsupported(p, t, "MiningModel",
                                         "one Segmentation");
    if (!r.segmentation)
        return asci_pmml_fail(p, element, "MiningModel: there is no "
                              "Segmentation");
    if ((status = asci_pmml_classifies(p, element, &r.classifies)) ||
        (status = read_method(&r)))
        return status;
    r.single = math && !strcmp(math, "float");
    r.inner.vote = f->method == PMML_VOTE;
    r.inner.depth = c->depth + 1;
    r.inner.classes = c->classes;
    if (r.classifies && (status = asci_pmml_classes(p, element, c->classes,
                                                    &r.inner.classes)))
        return status;
    if (!(r.inner.scope = asci_pmml_scope(p, c->scope)))
        return ASC_ESYSTEM;
    if ((status = read_segments(&r)) || (status = finish(&r)))
        return status;
    if (!f->classifier)
        f->output[0].name = (char *)asci_pmml_prediction_name(p, element);
    return ASC_OK;
}
