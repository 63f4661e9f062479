/* attribute/integrated_gradients.c -- integrated gradients, on raw fields.
 *
 *     phi_j = sum over columns c of field j of
 *             u_c int_0^1 g_c(enc(b) + t u) dt,  u = enc(x) - enc(b)
 *
 * with enc(x) the columns that the model's form computes on, g the gradient
 * with respect to them, b the baseline.  A column of several fields follows the
 * straight line of its raw fields, and each field gets its part of the column's
 * speed by the product rule; for fields that are categorical, or where the
 * column jumps, there is no such line and prepare says so.  A value that is
 * missing at one end has no place on a line: its function of the field goes
 * straight itself, as in a column of that field alone.
 *
 * base = f(b), and phi adds up to value - base: exactly on networks of ReLU and
 * linear models, else by quadrature that goes on until it does (integral.c).
 * With quadrature=fixed it is one quadrature with `steps` nodes, as in Captum's
 * gausslegendre, whose error falls fast with `steps` on smooth models and like
 * 1 / steps^2 or so on ReLU networks.  Where the model has no answer for x or b
 * all phi are NaN.
 *
 * Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365, equation 1.
 *
 * Cost: see integral.c; `steps` gradients on smooth models, each about three
 * evaluations, a row and output.
 */
#include <stdlib.h>
#include <string.h>

#include "attribute/integral.h"
#include "attribute/internal.h"
#include "attribute/probe.h"

enum { STEPS, QUADRATURE };
enum { ADAPTIVE, FIXED };

static const struct asc_param params[] = {
    [STEPS] = { "steps", ASC_PARAM_INTEGER, 50, 1, 10000, NULL,
                "nodes of the quadrature along the path, where it is needed" },
    [QUADRATURE] = { "quadrature", ASC_PARAM_CHOICE, ADAPTIVE, 0, 0,
                     "adaptive|fixed", "until the sum is right, or once" },
    ASC_PARAMS_END
};

struct state {
    struct asci_integral integral;
    double *base;               /* (n_outputs) */
    double *columns;            /* (encoder n) of the baseline */
};

static void
finish(void *state)
{
    struct state *s = state;

    asci_integral_free(&s->integral);
    free(s->columns);
    free(s->base);
    free(s);
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    const asc_model *m = t->model;
    const double *p = t->spec->value;
    int status = asci_need_baseline(t, e);
    struct state *s;

    if (status != ASC_OK)
        return status;
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    status = asci_integral_init(&s->integral, m, t->scale, (size_t)p[STEPS],
                                p[QUADRATURE] == FIXED, e);
    if (status != ASC_OK) {
        free(s);
        return status;
    }
    s->base = asci_alloc(m->n_outputs, sizeof *s->base, e);
    s->columns = asci_alloc(m->encoder.n, sizeof *s->columns, e);
    if (!s->base || !s->columns) {
        finish(s);
        return ASC_ESYSTEM;
    }
    asci_encode(&m->encoder, m->schema.n, t->background->baseline, 1,
                s->columns);
    status = asc_model_evaluate(m, t->scale, t->background->baseline, 1,
                                s->base, e);
    if (status != ASC_OK)
        finish(s);
    else
        *state = s;
    return status;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;
    size_t i;
    int status = asci_values(t->model, t->scale, b->x, b->n, b->output, b->q,
                             b->value, e);

    if (status != ASC_OK)
        return status;
    memset(b->phi, 0, b->n * b->q * b->d * sizeof *b->phi);
    for (i = 0; i < b->n * b->q; i++)
        b->base[i] = s->base[b->output[i]];
    return asci_integral_run(&s->integral, t->background->baseline,
                             s->columns, s->base, b->x, b->n, b->output, b->q,
                             b->value, 1.0, b->phi, e);
}

/* One quadrature may miss the sum. */
static unsigned
traits(const struct asc_spec *s)
{
    return s->entry->traits &
           ~(s->value[QUADRATURE] == FIXED ? (unsigned)ASC_EXACT : 0);
}

static int
serves(const asc_model *m, enum asc_scale scale, struct asc_error *e)
{
    struct asci_path p;
    int status = asci_path_init(&p, m, e);

    (void)scale;
    if (status == ASC_OK)
        asci_path_free(&p);
    return status;
}

const struct asc_method asci_method_integrated_gradients = {
    .entry = {
        .name = "integrated-gradients",
        .title = "slopes averaged along a path from the baseline, times the "
                 "distance",
        .source = "Sundararajan, Taly and Yan 2017, arXiv:1703.01365, "
                  "equation 1",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_GRADIENT |
                  ASC_NEEDS_BASELINE | ASC_ADDITIVE | ASC_EXACT
    },
    .traits = traits,
    .prepare = prepare,
    .run = run,
    .finish = finish,
    .serves = serves
};
