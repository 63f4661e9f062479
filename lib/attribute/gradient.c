/* attribute/gradient.c -- gradient and gradient-x-input, on raw fields.
 *
 * With f on the scale explained, x the row, b the baseline, enc(x) the columns
 * that the model's form computes on and g = df / d enc at x:
 *
 *                      gradient                   gradient-x-input
 *     continuous       df/dx_j, in 1 / unit       (x_j - b_j) df/dx_j
 *     categorical      g.(enc(x) - enc(b))_j      g.enc(x)_j
 *
 * (.)_j takes the columns of field j, the other fields held at x where a
 * column has several.  df/dx_j is the chain rule through the encoder; at a
 * kink it is one-sided (to the right in the encoder; ReLU has slope 0 at 0).
 * gradient-x-input takes b_j = 0 without a background; then, too, it counts
 * categorical fields from "no category at all".
 *
 * base is f(b) for gradient, empty without a background.  For gradient-x-input
 * it is the output at the point that the products are counted from, so that
 * the attributions of a linear model add up to value - base.
 *
 * Missing values.  A missing continuous field has no derivative: gradient is
 * 0.  gradient-x-input takes g.(enc(x) - enc(b))_j where x_j or b_j is
 * missing, as if missing were a category.  Where the model has no answer for
 * x, all are NaN.
 *
 * Sources: Simonyan, Vedaldi and Zisserman 2013, arXiv:1312.6034, section 3
 * (signed, no maximum over channels); Shrikumar et al. 2016,
 * arXiv:1605.01713.
 *
 * Cost: one gradient, about three evaluations, a row and output.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/internal.h"
#include "attribute/path.h"

enum {
    ROOM = 1 << 19,             /* doubles of a chunk's columns */
    ROWS = 1024
};

struct state {
    double *base;               /* (n_outputs) */
    double *from;               /* (d) what differences are taken from */
    char *categorical;          /* (d) */
    char *zero;                 /* (d) counted from no category at all */
};

static const struct asc_param params[] = { ASC_PARAMS_END };

static void
finish(void *state)
{
    struct state *s = state;

    free(s->zero);
    free(s->categorical);
    free(s->from);
    free(s->base);
    free(s);
}

static struct state *
new_state(const struct asc_task *t, int times_input, struct asc_error *e)
{
    const struct asc_schema *schema = asc_model_schema(t->model);
    const size_t d = schema->n, k = asc_model_n_outputs(t->model);
    struct state *s = asci_alloc_zero(1, sizeof *s, e);
    size_t j;

    if (!s)
        return NULL;
    s->base = asci_alloc(k, sizeof *s->base, e);
    s->from = asci_alloc_zero(d, sizeof *s->from, e);
    s->categorical = asci_alloc_zero(d, 1, e);
    s->zero = asci_alloc_zero(d, 1, e);
    if (!s->base || !s->from || !s->categorical || !s->zero) {
        finish(s);
        return NULL;
    }
    for (j = 0; j < k; j++)
        s->base[j] = NAN;
    for (j = 0; j < d; j++) {
        s->categorical[j] = schema->field[j].kind == ASC_CATEGORICAL;
        s->zero[j] = times_input && s->categorical[j];
        if (t->background)
            s->from[j] = t->background->baseline[j];
    }
    return s;
}

static int
prepare_gradient(const struct asc_task *t, void **state, struct asc_error *e)
{
    const struct asc_schema *schema = asc_model_schema(t->model);
    struct state *s;
    int status = ASC_OK;
    size_t j;

    for (j = 0; j < schema->n; j++)
        if (schema->field[j].kind == ASC_CATEGORICAL && !t->background)
            return asc_fail(e, ASC_EUSAGE, "gradient compares a category with "
                            "that of a baseline, and field \"%s\" has "
                            "categories: give a baseline with -b",
                            schema->field[j].name);
    s = new_state(t, 0, e);
    if (!s)
        return ASC_ESYSTEM;
    if (t->background)
        status = asc_model_evaluate(t->model, t->scale, s->from, 1, s->base,
                                    e);
    if (status != ASC_OK)
        finish(s);
    else
        *state = s;
    return status;
}

/* base: the outputs at the columns of the reference point */
static int
prepare_times_input(const struct asc_task *t, void **state,
                    struct asc_error *e)
{
    const asc_model *m = t->model;
    struct state *s = new_state(t, 1, e);
    double *columns = NULL, *r = NULL;
    int status = ASC_ESYSTEM;

    if (!s)
        return ASC_ESYSTEM;
    columns = asci_alloc(m->encoder.n, sizeof *columns, e);
    r = asci_alloc(m->n_raw, sizeof *r, e);
    if (!columns || !r)
        goto out;
    asci_reference_columns(&m->encoder, s->zero, s->from, columns);
    status = asci_form_raw(m, columns, 1, r, e);
    if (status == ASC_OK)
        asci_outputs(m, t->scale, r, 1, s->base);
out:
    free(r);
    free(columns);
    if (status != ASC_OK)
        finish(s);
    else
        *state = s;
    return status;
}

/* phi (d) of one row and output, from the gradient g of its columns; which
 * (d) is scratch. */
static void
explain(const struct asci_encoder *en, const struct state *s, int times_input,
        const double *x, const double *g, size_t d, char *which, double *phi)
{
    size_t j;

    for (j = 0; j < d; j++)
        phi[j] = 0.0;
    asci_chain_slope(en, g, x, phi);
    for (j = 0; j < d; j++) {
        const double step = times_input ? x[j] - s->from[j] : 1.0;

        which[j] = s->categorical[j] || isnan(step);
        phi[j] = which[j] ? 0.0 : phi[j] * step;
    }
    asci_chain_change(en, g, x, which, s->zero, s->from, phi);
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    int times_input, struct asc_error *e)
{
    const asc_model *m = t->model;
    const struct state *s = state;
    const size_t d = b->d, q = b->q, c = m->encoder.n;
    size_t rows = ROOM / (c + 1) < ROWS ? ROOM / (c + 1) : ROWS;
    double *columns = NULL, *g = NULL, *y = NULL;
    char *which = NULL;
    int status;
    size_t i, j, k, now;

    rows = rows > q ? rows / q : 1;
    if (rows > b->n)
        rows = b->n;
    status = ASC_ESYSTEM;
    columns = asci_alloc(rows * q, c * sizeof *columns, e);
    g = asci_alloc(rows * q, c * sizeof *g, e);
    y = asci_alloc(rows * q, sizeof *y, e);
    which = asci_alloc(d, 1, e);
    if (!columns || !g || !y || !which)
        goto out;
    for (i = 0; i < b->n; i += now) {
        now = b->n - i < rows ? b->n - i : rows;
        for (j = 0; j < now * q; j++)
            asci_encode(&m->encoder, d, b->x + (i + j / q) * d, 1,
                        columns + j * c);
        status = asci_form_gradient(m, t->scale, columns, now * q,
                                    b->output + i * q, y, g, e);
        if (status != ASC_OK)
            goto out;
        for (j = 0; j < now * q; j++) {
            double *phi = b->phi + (i * q + j) * d;

            explain(&m->encoder, s, times_input, b->x + (i + j / q) * d,
                    g + j * c, d, which, phi);
            b->value[i * q + j] = y[j];
            b->base[i * q + j] = s->base[b->output[i * q + j]];
            for (k = 0; k < d && isnan(b->value[i * q + j]); k++)
                phi[k] = NAN;
        }
    }
    status = ASC_OK;
out:
    free(which);
    free(y);
    free(g);
    free(columns);
    return status;
}

static int
run_gradient(const struct asc_task *t, const void *state,
             struct asc_explain *b, struct asc_error *e)
{
    return run(t, state, b, 0, e);
}

static int
run_times_input(const struct asc_task *t, const void *state,
                struct asc_explain *b, struct asc_error *e)
{
    return run(t, state, b, 1, e);
}

const struct asc_method asci_method_gradient = {
    .entry = {
        .name = "gradient",
        .title = "slope of the output in each field's own unit",
        .source = "Simonyan, Vedaldi and Zisserman 2013, arXiv:1312.6034, "
                  "section 3",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_GRADIENT | ASC_NEEDS_CATEGORY |
                  ASC_EXACT
    },
    .prepare = prepare_gradient,
    .run = run_gradient,
    .finish = finish
};

const struct asc_method asci_method_gradient_x_input = {
    .entry = {
        .name = "gradient-x-input",
        .title = "slope of the output times the field's distance from 0 or "
                 "the baseline",
        .source = "Shrikumar et al. 2016, arXiv:1605.01713",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_GRADIENT | ASC_TAKES_BASELINE |
                  ASC_EXACT
    },
    .prepare = prepare_times_input,
    .run = run_times_input,
    .finish = finish
};
