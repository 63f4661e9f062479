/* attribute/explainer.c -- a method bound to a model.
 *
 * What every method would check is checked here, once: that the model has the
 * view that the method works on, that a background is there, that sizes and
 * outputs fit, and that nothing that comes out is infinite.
 */
#include <math.h>
#include <stdlib.h>

#include "attribute/internal.h"
#include "model/form.h"

struct asc_explainer {
    const struct asc_method *method;
    struct asc_task task;
    void *state;
};

enum { VIEWS = ASC_NEEDS_GRADIENT | ASC_NEEDS_TREES | ASC_NEEDS_LINEAR };
enum { NAMED = 3 };             /* methods that a message names */

static const struct asc_method *
find_method(const struct asc_entry *entry)
{
    size_t n, i;
    const struct asc_method *const *all = asc_methods(&n);

    for (i = 0; i < n; i++)
        if (&all[i]->entry == entry)
            return all[i];
    return NULL;
}

int
asc_method_serves(const struct asc_entry *entry, const asc_model *model,
                  enum asc_scale scale, struct asc_error *e)
{
    const struct asc_method *method = find_method(entry);
    const unsigned lacks = entry->traits & VIEWS & ~asc_model_views(model);

    if (!method)
        return asc_fail(e, ASC_EUSAGE, "is no attribution method");
    if (lacks)
        return asc_fail(e, ASC_EUSAGE, "needs %s, which this model has not",
                        lacks & ASC_NEEDS_LINEAR ? "linear weights"
                        : !(lacks & ASC_NEEDS_TREES) ? "a gradient"
                        : asc_model_form(model) == ASC_FORM_ENSEMBLE
                        ? "trees whose leaves are constants" : "trees");
    return method->serves ? method->serves(model, scale, e) : ASC_OK;
}

/* "a, b, c and others": the first methods that can explain the model. */
static void
list_working(const struct asc_task *t, struct asc_buffer *out)
{
    size_t n, i, named = 0;
    const struct asc_entry *const *all = asc_method_entries(&n);

    for (i = 0; i < n; i++) {
        if (asc_method_serves(all[i], t->model, t->scale, NULL))
            continue;
        if (named++ == NAMED) {
            asc_buffer_text(out, " and others");
            break;
        }
        if (out->n > 0)
            asc_buffer_text(out, ", ");
        asc_buffer_text(out, all[i]->name);
    }
    asc_buffer_char(out, '\0');
}

static int
check_serves(const struct asc_task *t, struct asc_error *e)
{
    struct asc_buffer list = { NULL, 0, 0, 0 };
    struct asc_error why;
    int status = asc_method_serves(t->spec->entry, t->model, t->scale, &why);

    if (status != ASC_EUSAGE) {
        if (status && e)
            *e = why;
        return status;
    }
    list_working(t, &list);
    status = asc_fail(e, ASC_EUSAGE, "%s: %s %s; what works: %s",
                      asc_model_name(t->model), t->spec->entry->name,
                      why.text, list.failed ? "another method" : list.p);
    asc_buffer_free(&list);
    return status;
}

/* A contrast behind a link has no form of its own for what is before it. */
static int
check_scale(const struct asc_task *t, struct asc_error *e)
{
    if (t->scale == ASC_RESPONSE || t->model->link != ASCI_LINK_CONTRAST)
        return ASC_OK;
    return asc_fail(e, ASC_EUSAGE, "%s: a contrast of responses cannot be "
                    "explained on the raw scale", asc_model_name(t->model));
}

static int
check_background(const struct asc_task *t, struct asc_error *e)
{
    const struct asc_background *b = t->background;
    const size_t d = asc_model_schema(t->model)->n;

    if (!b) {
        if (!(t->spec->entry->traits & ASC_NEEDS_BACKGROUND))
            return ASC_OK;
        return asc_fail(e, ASC_EUSAGE, "%s needs background rows to draw "
                        "absent values from: give them with -b",
                        t->spec->entry->name);
    }
    if (b->n == 0)
        return asc_fail(e, ASC_EINPUT, "the background has no rows");
    if (b->d != d)
        return asc_fail(e, ASC_EINPUT, "%s: the model has %zu fields, the "
                        "background %zu", asc_model_name(t->model), d, b->d);
    return ASC_OK;
}

asc_explainer *
asc_explainer_new(const struct asc_task *task, struct asc_error *e)
{
    const struct asc_method *method = find_method(task->spec->entry);
    asc_explainer *x;

    if (!method) {
        asc_fail(e, ASC_EUSAGE, "%s is no attribution method",
                 task->spec->entry->name);
        return NULL;
    }
    if (check_serves(task, e) || check_scale(task, e) ||
        check_background(task, e))
        return NULL;
    x = asci_alloc_zero(1, sizeof *x, e);
    if (!x)
        return NULL;
    x->method = method;
    x->task = *task;
    if (method->prepare && method->prepare(&x->task, &x->state, e)) {
        asc_explainer_free(x);
        return NULL;
    }
    return x;
}

static int
check_block(const asc_explainer *x, const struct asc_explain *b,
            struct asc_error *e)
{
    const size_t d = asc_model_schema(x->task.model)->n;
    const size_t n_outputs = asc_model_n_outputs(x->task.model);
    size_t i;

    if (b->d != d)
        return asc_fail(e, ASC_EUSAGE, "%s: the model has %zu fields, the "
                        "rows %zu", asc_model_name(x->task.model), d, b->d);
    for (i = 0; i < b->n * b->q; i++)
        if (b->output[i] >= n_outputs)
            return asc_fail(e, ASC_EUSAGE, "%s: output %zu of %zu is not "
                            "there", asc_model_name(x->task.model),
                            b->output[i] + 1, n_outputs);
    return ASC_OK;
}

static int
check_finite(const asc_explainer *x, const struct asc_explain *b,
             struct asc_error *e)
{
    const struct asc_schema *s = asc_model_schema(x->task.model);
    size_t i, j;

    for (i = 0; i < b->n * b->q; i++) {
        const struct asc_text id = b->id[i / b->q];
        const int shown = id.n < 100 ? (int)id.n : 100;

        for (j = 0; j < b->d; j++)
            if (isinf(b->phi[i * b->d + j]))
                return asc_fail(e, ASC_ENUMERIC, "%s: row \"%.*s\": %s gives "
                                "field \"%s\" an infinite value",
                                asc_model_name(x->task.model), shown, id.p,
                                x->method->entry.name, s->field[j].name);
        if (isinf(b->value[i]) || isinf(b->base[i]))
            return asc_fail(e, ASC_ENUMERIC, "%s: row \"%.*s\": %s \"%s\" is "
                            "infinite", asc_model_name(x->task.model), shown,
                            id.p, isinf(b->value[i]) ? "output"
                            : "the base of output",
                            asc_model_output(x->task.model, b->output[i]));
    }
    return ASC_OK;
}

int
asc_explainer_run(const asc_explainer *x, struct asc_explain *b,
                  struct asc_error *e)
{
    int status = check_block(x, b, e);
    size_t i;

    if (status || b->n == 0 || b->q == 0)
        return status;
    for (i = 0; b->se && i < b->n * b->q * b->d; i++)
        b->se[i] = NAN;
    status = x->method->run(&x->task, x->state, b, e);
    return status ? status : check_finite(x, b, e);
}

void
asc_explainer_free(asc_explainer *x)
{
    if (!x)
        return;
    if (x->method->finish && x->state)
        x->method->finish(x->state);
    free(x);
}

double
asc_residual(const double *phi, size_t d, double base, double value)
{
    double sum = 0.0, size = 0.0, gap, scale;
    size_t j;

    for (j = 0; j < d; j++) {
        sum += phi[j];
        size += fabs(phi[j]);
    }
    gap = fabs(sum - (value - base));
    scale = fmax(fmax(fabs(value), fabs(base)), size);
    return gap == 0.0 ? 0.0 : gap / scale;
}
