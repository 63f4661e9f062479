/* attribute/occlusion.c -- occlusion: how far the output moves when one field
 * is taken away.
 *
 *     phi_j = f(x) - f(x with x_j := b_j)
 *
 * b is the baseline of the background: its row if it is one, else means of
 * continuous fields and modes of categorical ones.  base = f(b); phi does not
 * add up to value - base unless f is additive.
 *
 * Source: Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53, section
 * 4.2, with one field in place of an image patch; as Captum's
 * FeatureAblation.
 *
 * Cost: 1 + (fields that differ from the baseline) model rows a row; a field
 * that is at its baseline, missing included, gets 0 unasked.  Where the model
 * has no answer for x all phi are NaN, where it has none without field j,
 * phi_j is.
 */
#include <stdlib.h>
#include <string.h>

#include "attribute/internal.h"
#include "attribute/path.h"
#include "attribute/probe.h"

static const struct asc_param params[] = { ASC_PARAMS_END };

/* state: f(b) (n_outputs) */
static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    int status = asci_need_baseline(t, e);
    double *base;

    if (status != ASC_OK)
        return status;
    base = asci_alloc(asc_model_n_outputs(t->model), sizeof *base, e);
    if (!base)
        return ASC_ESYSTEM;
    status = asc_model_evaluate(t->model, t->scale, t->background->baseline,
                                1, base, e);
    if (status != ASC_OK) {
        free(base);
        return status;
    }
    *state = base;
    return ASC_OK;
}

/* value = f(x), phi_j = f(x less j) where j is not at its baseline */
static int
ask(const struct asc_task *t, struct asc_explain *b, struct asc_error *e)
{
    const double *baseline = t->background->baseline;
    const size_t d = b->d;
    struct asci_probe probe;
    int status;
    size_t i, j;
    double *z;

    status = asci_probe_init(&probe, t->model, t->scale, b->n * (d + 1), e);
    for (i = 0; i < b->n && status == ASC_OK; i++) {
        const size_t *output = b->output + i * b->q;
        const double *x = b->x + i * d;

        status = asci_probe_row(&probe, output, b->q, b->value + i * b->q, 1,
                                &z, e);
        if (status == ASC_OK)
            memcpy(z, x, d * sizeof *z);
        for (j = 0; j < d && status == ASC_OK; j++) {
            if (asci_same_value(x[j], baseline[j]))
                continue;
            status = asci_probe_row(&probe, output, b->q,
                                    b->phi + i * b->q * d + j, d, &z, e);
            if (status == ASC_OK) {
                memcpy(z, x, d * sizeof *z);
                z[j] = baseline[j];
            }
        }
    }
    if (status == ASC_OK)
        status = asci_probe_flush(&probe, e);
    asci_probe_free(&probe);
    return status;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const double *baseline = t->background->baseline, *base = state;
    int status = ask(t, b, e);
    size_t i, j;

    if (status != ASC_OK)
        return status;
    for (i = 0; i < b->n * b->q; i++) {
        const double *x = b->x + i / b->q * b->d, value = b->value[i];
        double *phi = b->phi + i * b->d;

        b->base[i] = base[b->output[i]];
        for (j = 0; j < b->d; j++) {
            const double rest = asci_same_value(x[j], baseline[j]) ? value
                                                                   : phi[j];

            phi[j] = value - rest;
        }
    }
    return ASC_OK;
}

const struct asc_method asci_method_occlusion = {
    .entry = {
        .name = "occlusion",
        .title = "change of the output when one field is set to its baseline",
        .source = "Zeiler and Fergus 2014, "
                  "doi:10.1007/978-3-319-10590-1_53, section 4.2",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_BASELINE | ASC_EXACT
    },
    .prepare = prepare,
    .run = run,
    .finish = free
};
