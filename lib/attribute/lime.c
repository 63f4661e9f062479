/* attribute/lime.c -- LIME for tables: the coefficients of a linear surrogate
 * of the model around the row.
 *
 *     phi_j = coef_j,  base = intercept + sum_j coef_j (z_j(x) - 1),
 *     value = f(x)
 *
 * coef and intercept minimise
 *
 *     sum_i w_i (f(x_i) - intercept - coef z_i)^2 + ridge |coef|^2
 *
 * over the samples x_i of lime_near.c, weights w_i = exp(-D^2 / (2 width^2)).
 * base + sum phi is the surrogate's value at x (with bins z(x) = 1, so base is
 * the intercept); it equals f(x) only as far as the surrogate does, which is
 * what the metric lime-fidelity measures.  With discretise=none a coefficient
 * is per standard deviation of its field.  No fields are selected.
 *
 * Standard errors are those of sampling, by the sandwich
 *
 *     A^-1 (sum_i w_i^2 r_i^2 (z_i - m)(z_i - m)') A^-1
 *
 * with residuals r_i, A the centred Gram matrix plus ridge, m the weighted
 * mean of z, and the row itself, which is not sampled, left out of the sum
 * (White 1980, doi:10.2307/1912934).
 *
 * Degenerate cases.  A field whose z is the same in all samples gets 0.  Where
 * the model has no answer for x, or ridge=0 meets fields that depend on each
 * other in the samples, all phi are NaN.
 *
 * Source: Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938, algorithm 1;
 * defaults of their package: 5000 samples, width 0.75 sqrt(d), ridge 1,
 * quartiles.
 *
 * Cost a row: samples * (d + a^2 / 2) operations, a the fields in which a
 * sample is like the row, d without bins; samples model rows in all, or a row
 * with design=row.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/internal.h"
#include "attribute/lime.h"
#include "attribute/probe.h"
#include "attribute/ridge.h"

enum { SAMPLES, WIDTH, RIDGE, DISCRETISE, DESIGN };

static const struct asc_param params[] = {
    [SAMPLES] = { "samples", ASC_PARAM_INTEGER, 5000, 2, 1e7, NULL,
                  "samples of the neighbourhood, the row itself included" },
    [WIDTH] = { "width", ASC_PARAM_REAL, 0, 0, 1e9, NULL,
                "width of the kernel; 0 is 0.75 sqrt(fields)" },
    [RIDGE] = { "ridge", ASC_PARAM_REAL, 1, 0, 1e12, NULL,
                "penalty on the squares of the coefficients" },
    [DISCRETISE] = { "discretise", ASC_PARAM_CHOICE, ASCI_LIME_QUARTILE, 0,
                     ASCI_LIME_NONE, "quartile|decile|none",
                     "bins of continuous fields, from the background" },
    [DESIGN] = { "design", ASC_PARAM_CHOICE, ASCI_LIME_SHARED, 0,
                 ASCI_LIME_ROW, "shared|row",
                 "one set of samples for all rows, or one for each" },
    ASC_PARAMS_END
};

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    const double *p = t->spec->value;
    const struct asci_lime_setup setup = {
        .model = t->model,
        .scale = t->scale,
        .background = t->background,
        .seed = t->spec->seed,
        .samples = (size_t)p[SAMPLES],
        .width = p[WIDTH],
        .bins = (enum asci_lime_bins)p[DISCRETISE],
        .design = (enum asci_lime_design)p[DESIGN]
    };
    struct asci_lime *l;
    int status = asci_lime_new(&setup, &l, e);

    if (status == ASC_OK)
        *state = l;
    return status;
}

static void
finish(void *state)
{
    asci_lime_free(state);
}

/* What a run works with. */
struct work {
    struct asci_near near;
    struct asci_ridge fit;      /* of q responses */
    struct asci_ridge spread;   /* the middle of the sandwich */
    double *y;                  /* (q) responses of a sample, less f(x) */
    double *z;                  /* (d) */
    size_t *place;              /* (d) */
    double *intercept;          /* (q) */
    double *inverse;            /* (d, d) or NULL: no standard errors */
};

static void
work_free(struct work *w)
{
    free(w->inverse);
    free(w->intercept);
    free(w->place);
    free(w->z);
    free(w->y);
    asci_ridge_free(&w->spread);
    asci_ridge_free(&w->fit);
    asci_near_free(&w->near);
}

static int
work_init(struct work *w, const struct asci_lime *l, size_t q, int errors,
          struct asc_error *e)
{
    size_t d;

    memset(w, 0, sizeof *w);
    if (asci_near_init(&w->near, l, e))
        return ASC_ESYSTEM;
    d = w->near.d;
    if (asci_ridge_init(&w->fit, d, q, e) ||
        (errors && asci_ridge_init(&w->spread, d, 0, e)))
        goto bad;
    w->y = asci_alloc(q, sizeof *w->y, e);
    w->z = asci_alloc(d, sizeof *w->z, e);
    w->place = asci_alloc(d, sizeof *w->place, e);
    w->intercept = asci_alloc(q, sizeof *w->intercept, e);
    if (errors)
        w->inverse = asci_alloc(d, d * sizeof *w->inverse, e);
    if (w->y && w->z && w->place && w->intercept && (!errors || w->inverse))
        return ASC_OK;
bad:
    work_free(w);
    return ASC_ESYSTEM;
}

/* Adds sample i with weight v to the sums of r. */
static void
add(struct work *w, struct asci_ridge *r, double v, size_t i)
{
    if (w->near.binary) {
        asci_ridge_add_ones(r, v, w->place,
                            asci_near_ones(&w->near, i, w->place), w->y);
    } else {
        asci_near_point(&w->near, i, w->z);
        asci_ridge_add(r, v, w->z, w->y);
    }
}

/* coef z of sample i */
static double
score(struct work *w, const double *coef, size_t i)
{
    double sum = 0.0;
    size_t j, n;

    if (w->near.binary) {
        n = asci_near_ones(&w->near, i, w->place);
        for (j = 0; j < n; j++)
            sum += coef[w->place[j]];
    } else {
        asci_near_point(&w->near, i, w->z);
        for (j = 0; j < w->near.d; j++)
            sum += coef[j] * w->z[j];
    }
    return sum;
}

/* The diagonal of inverse * B * inverse with B from the sums of w->spread,
 * centred at the mean of z in w->fit. */
static void
sandwich(const struct work *w, double *se)
{
    const struct asci_ridge *s = &w->spread;
    const size_t d = s->d;
    size_t i, j, k;

    for (i = 0; i < d; i++) {
        const double *a = w->inverse + i * d;
        double mean = 0.0, linear = 0.0, square = 0.0;

        for (j = 0; j < d; j++) {
            double row = 0.5 * a[j] * s->gram[j * d + j];

            for (k = 0; k < j; k++)
                row += a[k] * s->gram[j * d + k];
            square += 2.0 * a[j] * row;
            mean += a[j] * w->fit.sum[j] / w->fit.weight;
            linear += a[j] * s->sum[j];
        }
        square += mean * (s->weight * mean - 2.0 * linear);
        se[i] = sqrt(square > 0.0 ? square : 0.0);
    }
}

static void
errors_of(struct work *w, const double *coef, double intercept, double value,
          size_t output, double *se)
{
    size_t i;

    asci_ridge_clear(&w->spread);
    for (i = 1; i < w->near.n; i++) {
        const double v = w->near.weight[i];
        double rest;

        if (v == 0.0)
            continue;
        rest = asci_near_outputs(&w->near, i)[output] - value - intercept -
               score(w, coef, i);
        add(w, &w->spread, v * v * rest * rest, i);
    }
    sandwich(w, se);
}

/* Row number i, whose neighbourhood is there. */
static int
fit_row(struct work *w, double ridge, struct asc_explain *b, size_t i,
        struct asc_error *e)
{
    const size_t d = b->d, q = b->q, *output = b->output + i * q;
    const double *y0 = w->near.y0;
    struct asc_error singular;
    double *phi = b->phi + i * q * d;
    int status;
    size_t j, k;

    asci_ridge_clear(&w->fit);
    for (j = 0; j < w->near.n; j++) {
        const double *y = asci_near_outputs(&w->near, j);

        if (w->near.weight[j] == 0.0)
            continue;
        /* Responses are measured from f(x): large outputs keep digits. */
        for (k = 0; k < q; k++)
            w->y[k] = y[output[k]] - y0[output[k]];
        add(w, &w->fit, w->near.weight[j], j);
    }
    status = asci_ridge_solve(&w->fit, ridge, phi, w->intercept, w->inverse,
                              &singular);
    if (status != ASC_OK && status != ASC_ENUMERIC)
        return asc_fail(e, (enum asc_status)status, "%s", singular.text);
    for (k = 0; k < q; k++) {
        double *base = b->base + i * q + k;

        if (status == ASC_ENUMERIC) {
            *base = NAN;
            for (j = 0; j < d; j++)
                phi[k * d + j] = NAN;
            continue;
        }
        *base = y0[output[k]] + w->intercept[k];
        for (j = 0; j < d; j++)
            *base += phi[k * d + j] * (w->near.own[j] - 1.0);
        if (b->se)
            errors_of(w, phi + k * d, w->intercept[k], y0[output[k]],
                      output[k], b->se + (i * q + k) * d);
    }
    return ASC_OK;
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct asci_lime *l = state;
    const size_t k = asc_model_n_outputs(t->model);
    double *y0 = NULL;
    struct work w;
    int status = work_init(&w, l, b->q, b->se != NULL, e);
    size_t i, j, o;

    if (status != ASC_OK)
        return status;
    y0 = asci_alloc(b->n, k * sizeof *y0, e);
    status = y0 ? asc_model_evaluate(t->model, t->scale, b->x, b->n, y0, e)
                : ASC_ESYSTEM;
    for (i = 0; i < b->n && status == ASC_OK; i++) {
        for (o = 0; o < b->q; o++)
            b->value[i * b->q + o] = y0[i * k + b->output[i * b->q + o]];
        status = asci_near_move(&w.near, b->x + i * b->d, y0 + i * k,
                                b->id[i], e);
        if (status != ASC_OK)
            break;
        if (w.near.weight[0] > 0.0) {
            status = fit_row(&w, t->spec->value[RIDGE], b, i, e);
            continue;
        }
        for (o = 0; o < b->q; o++) {
            b->base[i * b->q + o] = NAN;
            for (j = 0; j < b->d; j++)
                b->phi[(i * b->q + o) * b->d + j] = NAN;
        }
    }
    free(y0);
    work_free(&w);
    return status;
}

const struct asc_method asci_method_lime = {
    .entry = {
        .name = "lime",
        .title = "coefficients of a linear surrogate fitted around the row",
        .source = "Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938, "
                  "algorithm 1",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_BACKGROUND | ASC_RANDOM |
                  ASC_STD_ERROR
    },
    .prepare = prepare,
    .run = run,
    .finish = finish
};
