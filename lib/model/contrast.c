/* model/contrast.c -- models whose outputs are differences of two outputs.
 *
 *     y_i(x) = f_of[i](x) - f_against[i](x)
 *
 * on the raw scale (logits, margins) or on that of the response: the signal
 * that contrastive explanations explain (Eberle, Chalkidis, Cabello and Brandl
 * 2023, arXiv:2310.11906).  A contrast is a model like any other, so that
 * methods and metrics need not know of it: differences have standard errors of
 * their own, and what is not linear in f, as a norm of gradients, is that of
 * the difference.
 *
 * On the raw scale the outputs of a form are linear in its last step, and the
 * difference is taken there: in the weights of a linear model, in the last
 * layer of a network (one more where that has an activation), in the leaves of
 * trees, of which those of other classes drop out.  A response behind a link
 * keeps the form and subtracts behind the link.  What has values only (or trees
 * with linear leaves) is asked once for both.
 *
 * Encoder, schema and all that is equal are those of the whole model, borrowed.
 * Cost: as many numbers as the parts that change have.
 */
#include <stdlib.h>
#include <string.h>

#include "model/core.h"

#define BETWEEN "-vs-"

/* ---- names ---- */

static int
is_output(const asc_model *m, const char *p, size_t n, size_t *k)
{
    for (*k = 0; *k < m->n_outputs; ++*k)
        if (strlen(m->output[*k].name) == n &&
            memcmp(m->output[*k].name, p, n) == 0)
            return 1;
    return 0;
}

size_t
asc_model_find_output(const asc_model *m, struct asc_text name, size_t *of,
                      size_t *against)
{
    const size_t n_between = strlen(BETWEEN);
    size_t i, k, l, found = 0;

    *against = SIZE_MAX;
    if (is_output(m, name.p, name.n, of))
        return 1;
    for (i = 0; i + n_between <= name.n; i++)
        if (memcmp(name.p + i, BETWEEN, n_between) == 0 &&
            is_output(m, name.p, i, &k) &&
            is_output(m, name.p + i + n_between, name.n - i - n_between, &l) &&
            k != l) {
            *of = k;
            *against = l;
            found++;
        }
    return found;
}

/* The name of a pair, which must lead back to it. */
static char *
name_pair(const asc_model *m, size_t of, size_t against, struct asc_error *e)
{
    const char *a = m->output[of].name, *b = m->output[against].name;
    struct asc_buffer name = { NULL, 0, 0, 0 };
    struct asc_text text;
    size_t k, l, n;

    asc_buffer_print(&name, "%s" BETWEEN "%s", a, b);
    text = (struct asc_text){ name.p, name.n };
    asc_buffer_char(&name, '\0');
    if (name.failed) {
        asc_buffer_free(&name);
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return NULL;
    }
    n = asc_model_find_output(m, text, &k, &l);
    if (n == 1 && k == of && l == against)
        return name.p;
    asc_fail(e, ASC_EINPUT, "%s: the contrast of output \"%s\" with \"%s\" "
             "would be called \"%s\", which may be read in another way: "
             "rename an output", m->name, a, b, name.p);
    asc_buffer_free(&name);
    return NULL;
}

static int
name_outputs(asc_model *m, struct asc_error *e)
{
    size_t i;

    for (i = 0; i < m->n_outputs; i++) {
        m->output[i].raw = m->link == ASCI_LINK_CONTRAST ? 0 : i;
        m->output[i].sign = 1.0;
        m->output[i].name = name_pair(m->whole, m->of[i], m->against[i], e);
        if (!m->output[i].name)
            return (int)e->status;
    }
    return ASC_OK;
}

/* ---- differences on the raw scale ---- */

/* Output k is factor * r[raw] + constant. */
struct affine { size_t raw; double factor, constant; };

static struct affine
raw_output(const asc_model *m, size_t k)
{
    const struct asci_output *o = &m->output[k];
    struct affine a = { o->raw, o->sign, 0.0 };

    if (o->complement && m->link == ASCI_LINK_NONE) {
        a.factor = -1.0;
        a.constant = 1.0;
    }
    return a;
}

/* out[i] (n_outputs) = difference i of v[0], v[stride], ..., one number of
 * each raw output; constants count or do not. */
static void
differences(const asc_model *m, const double *v, size_t stride, int constants,
            double *out, size_t out_stride)
{
    size_t i;

    for (i = 0; i < m->n_outputs; i++) {
        const struct affine a = raw_output(m->whole, m->of[i]);
        const struct affine b = raw_output(m->whole, m->against[i]);

        out[i * out_stride] = a.factor * v[a.raw * stride] -
                              b.factor * v[b.raw * stride];
        if (constants)
            out[i * out_stride] += a.constant - b.constant;
    }
}

/* w (n_outputs, c), b (n_outputs) from those of the raw outputs. */
static int
combine_rows(const asc_model *m, const double *w_whole, const double *b_whole,
             size_t c, double **w, double **b, struct asc_error *e)
{
    size_t j;

    *w = asci_alloc(m->n_outputs * c, sizeof **w, e);
    *b = *w ? asci_alloc(m->n_outputs, sizeof **b, e) : NULL;
    if (!*b)
        return ASC_ESYSTEM;
    for (j = 0; j < c; j++)
        differences(m, w_whole + j, c, 0, *w + j, c);
    differences(m, b_whole, 1, 1, *b, 1);
    return ASC_OK;
}

static int
combine_linear(asc_model *m, struct asc_error *e)
{
    const struct asci_linear *from = &m->whole->u.linear;

    m->u.linear = (struct asci_linear){
        .n_columns = from->n_columns, .n_raw = m->n_outputs
    };
    return combine_rows(m, from->w, from->b, from->n_columns, &m->u.linear.w,
                        &m->u.linear.b, e);
}

/* The differences themselves as a layer: of[i] 1, against[i] -1. */
static int
add_layer(asc_model *m, struct asci_layer *layer, struct asc_error *e)
{
    const size_t n = m->whole->n_raw;
    double *one = asci_alloc_zero(n * n, sizeof *one, e);
    double *none = asci_alloc_zero(n, sizeof *none, e);
    int status = ASC_ESYSTEM;
    size_t i;

    if (one && none) {
        for (i = 0; i < n; i++)
            one[i * n + i] = 1.0;
        layer->n_in = n;
        status = combine_rows(m, one, none, n, &layer->w, &layer->b, e);
    }
    free(none);
    free(one);
    return status;
}

static int
combine_network(asc_model *m, struct asc_error *e)
{
    const struct asci_network *from = &m->whole->u.network;
    const struct asci_layer *top = &from->layer[from->n_layers - 1];
    const int open = top->activation == ASCI_IDENTITY;
    const size_t n = from->n_layers + !open;
    struct asci_layer *last;
    int status;

    m->u.network = (struct asci_network){ from->n_columns, 0, NULL };
    m->u.network.layer = asci_alloc_zero(n, sizeof *last, e);
    if (!m->u.network.layer)
        return ASC_ESYSTEM;
    m->u.network.n_layers = n;
    memcpy(m->u.network.layer, from->layer, (n - 1) * sizeof *last);
    last = &m->u.network.layer[n - 1];
    last->activation = ASCI_IDENTITY;
    last->n_out = m->n_outputs;
    last->n_in = top->n_in;
    status = open ? combine_rows(m, top->w, top->b, top->n_in, &last->w,
                                 &last->b, e)
                  : add_layer(m, last, e);
    if (status != ASC_OK)
        return status;
    last->packed = asci_weights_new(last->w, last->b, last->n_out, last->n_in,
                                    e);
    return last->packed ? ASC_OK : ASC_ESYSTEM;
}

/* Which contrasts, first..*end-1, a tree has a part in. */
static size_t
first_touched(const asc_model *m, const struct asci_tree *t, size_t *end)
{
    size_t i, first = m->n_outputs;

    *end = 0;
    for (i = 0; i < m->n_outputs; i++) {
        const size_t a = m->whole->output[m->of[i]].raw;
        const size_t b = m->whole->output[m->against[i]].raw;

        if ((a < t->first || a >= t->first + t->width) &&
            (b < t->first || b >= t->first + t->width))
            continue;
        if (i < first)
            first = i;
        *end = i + 1;
    }
    return first;
}

/* What outputs[0..] a leaf adds to, of a tree that knows raw outputs
 * t->first on. */
static double
leaf_share(const struct asci_tree *t, const double *leaf, struct affine a)
{
    return a.raw >= t->first && a.raw < t->first + t->width
           ? a.factor * leaf[a.raw - t->first] : 0.0;
}

static int
combine_tree(const asc_model *m, const struct asci_tree *from, size_t first,
             size_t end, struct asci_tree *out, struct asc_error *e)
{
    size_t l, i;

    *out = *from;
    out->first = first;
    out->width = end - first;
    out->value = asci_alloc(out->n_leaves * out->width, sizeof *out->value, e);
    if (!out->value)
        return ASC_ESYSTEM;
    for (l = 0; l < out->n_leaves; l++)
        for (i = first; i < end; i++)
            out->value[l * out->width + i - first] =
                leaf_share(from, from->value + l * from->width,
                           raw_output(m->whole, m->of[i])) -
                leaf_share(from, from->value + l * from->width,
                           raw_output(m->whole, m->against[i]));
    return ASC_OK;
}

static int
combine_ensemble(asc_model *m, struct asc_error *e)
{
    const struct asci_ensemble *from = &m->whole->u.ensemble;
    struct asci_ensemble *f = &m->u.ensemble;
    size_t j, first, end;
    int status = ASC_OK;

    *f = *from;
    f->compact = NULL;
    f->single = 0;
    f->n_trees = 0;
    f->n_raw = m->n_outputs;
    f->base = asci_alloc(m->n_outputs, sizeof *f->base, e);
    f->tree = asci_alloc_zero(from->n_trees, sizeof *f->tree, e);
    if (!f->base || !f->tree)
        return ASC_ESYSTEM;
    differences(m, from->base, 1, 1, f->base, 1);
    for (j = 0; j < from->n_trees && status == ASC_OK; j++) {
        first = first_touched(m, &from->tree[j], &end);
        if (first < end)
            status = combine_tree(m, &from->tree[j], first, end,
                                  &f->tree[f->n_trees++], e);
    }
    return status ? status : asci_ensemble_pack(f, e);
}

/* ---- values only ---- */

static int
evaluate(const void *state, enum asc_scale scale, const double *x, size_t n,
         double *y, struct asc_error *e)
{
    const asc_model *m = state;
    const size_t k = m->whole->n_outputs, q = m->n_outputs;
    double *all = asci_alloc(n * k, sizeof *all, e);
    int status;
    size_t i, j;

    if (!all)
        return ASC_ESYSTEM;
    status = asc_model_evaluate(m->whole, scale, x, n, all, e);
    for (i = 0; i < n && status == ASC_OK; i++)
        for (j = 0; j < q; j++)
            y[i * q + j] = all[i * k + m->of[j]] - all[i * k + m->against[j]];
    free(all);
    return status;
}

/* ---- a contrast ---- */

static int
check_pairs(const asc_model *m, const size_t *of, const size_t *against,
            size_t n, struct asc_error *e)
{
    size_t i;

    if (m->n_outputs < 2)
        return asc_fail(e, ASC_EUSAGE, "%s: the model has one output, \"%s\": "
                        "there is none to contrast it with", m->name,
                        m->output[0].name);
    for (i = 0; i < n; i++) {
        if (of[i] >= m->n_outputs || against[i] >= m->n_outputs)
            return asc_fail(e, ASC_EUSAGE, "%s: output %zu of %zu is not "
                            "there", m->name,
                            (of[i] < m->n_outputs ? against : of)[i] + 1,
                            m->n_outputs);
        if (of[i] == against[i])
            return asc_fail(e, ASC_EUSAGE, "%s: output \"%s\" cannot be "
                            "contrasted with itself: name another as the foil",
                            m->name, m->output[of[i]].name);
    }
    return ASC_OK;
}

/* The form: that of the whole model, or made anew on the raw scale. */
static int
make_form(asc_model *m, struct asc_error *e)
{
    m->form = m->whole->form;
    m->n_raw = m->n_outputs;
    if (m->link == ASCI_LINK_CONTRAST &&
        (m->form == ASC_FORM_LINEAR || m->form == ASC_FORM_NETWORK ||
         m->form == ASC_FORM_ENSEMBLE)) {
        m->n_raw = m->whole->n_raw;
        m->u = m->whole->u;
        return ASC_OK;
    }
    if (m->form == ASC_FORM_ENSEMBLE && m->whole->u.ensemble.has_lines)
        m->form = ASC_FORM_OPAQUE;
    switch (m->form) {
    case ASC_FORM_LINEAR:
        return combine_linear(m, e);
    case ASC_FORM_NETWORK:
        return combine_network(m, e);
    case ASC_FORM_ENSEMBLE:
        return combine_ensemble(m, e);
    default:
        m->form = ASC_FORM_OPAQUE;
        m->u.opaque.state = m;
        m->u.opaque.evaluate = evaluate;
        return ASC_OK;
    }
}

asc_model *
asc_model_contrast(const asc_model *whole, enum asc_scale scale,
                   const size_t *of, const size_t *against, size_t n,
                   struct asc_error *e)
{
    asc_model *m;

    if (check_pairs(whole, of, against, n, e))
        return NULL;
    m = asci_model_new(whole->name, e);
    if (!m)
        return NULL;
    memcpy(m->digest, whole->digest, sizeof m->digest);
    m->whole = whole;
    m->schema = whole->schema;
    m->encoder = whole->encoder;
    m->identity = whole->identity;
    m->has_probabilities = 0;
    if (scale == ASC_RESPONSE && asc_model_has_link(whole))
        m->link = ASCI_LINK_CONTRAST;
    m->n_outputs = n;
    m->of = asci_alloc(n, sizeof *m->of, e);
    m->against = asci_alloc(n, sizeof *m->against, e);
    m->output = asci_alloc_zero(n, sizeof *m->output, e);
    if (!m->of || !m->against || !m->output)
        goto bad;
    memcpy(m->of, of, n * sizeof *of);
    memcpy(m->against, against, n * sizeof *against);
    if (name_outputs(m, e) || make_form(m, e))
        goto bad;
    return m;
bad:
    asc_model_free(m);
    return NULL;
}

void
asci_contrast_free(asc_model *m)
{
    struct asci_network *f = &m->u.network;
    size_t j;

    if (m->link != ASCI_LINK_CONTRAST)
        switch (m->form) {
        case ASC_FORM_LINEAR:
            free(m->u.linear.w);
            free(m->u.linear.b);
            break;
        case ASC_FORM_NETWORK:
            if (f->layer) {
                free(f->layer[f->n_layers - 1].w);
                free(f->layer[f->n_layers - 1].b);
                asci_weights_free(f->layer[f->n_layers - 1].packed);
                free(f->layer);
            }
            break;
        case ASC_FORM_ENSEMBLE:
            for (j = 0; m->u.ensemble.tree && j < m->u.ensemble.n_trees; j++)
                free(m->u.ensemble.tree[j].value);
            free(m->u.ensemble.tree);
            free(m->u.ensemble.base);
            asci_ensemble_unpack(&m->u.ensemble);
            break;
        default:
            break;
        }
    for (j = 0; m->output && j < m->n_outputs; j++)
        free(m->output[j].name);
    free(m->output);
    free(m->against);
    free(m->of);
    free(m->name);
    free(m);
}
