/* metrics/lime_fidelity.c -- how well an attribution predicts the model, as a
 * linear surrogate: lime-fidelity and lime-residual.
 *
 * The surrogate that an attribution stands for is
 *
 *     g(z) = base + sum_j phi_j (1 + z_j - z_j(x))
 *
 * in the coordinates z of LIME's neighbourhood (attribute/lime_near.c; with
 * bins z_j says whether field j is where x has it), so g at x is
 * E = base + sum_j phi_j.  With B = value, the model's output:
 *
 *     lime-fidelity                    higher is better
 *       measure=r2        1 - sum w (f - g)^2 / sum w (f - mean f)^2 over the
 *                         samples of the neighbourhood; of LIME's own
 *                         attributions, with the same parameters and seed,
 *                         the score that its package reports
 *       measure=accuracy  1 if B and E fall on the same side, else 0
 *     lime-residual                    nearer to 0 is better
 *       B - E, or |B - E| with sign=absolute
 *
 * The side is that of 1/2 on the response scale (1/2 itself counts as above),
 * and of the point where the response is 1/2 on the raw scale.
 *
 * Undefined: anything where base, value or an attribution is missing (a
 * gradient has no base without a baseline); r2 where the model does not vary
 * in the neighbourhood or has no answer for x; accuracy for regression, and on
 * the raw scale of outputs that depend on others (softmax), where no point of
 * one of them is a side.  Attributions that sum to value - base have residual
 * 0 and accuracy 1 by construction.
 *
 * Source: Balagopalan et al. 2022, arXiv:2205.03295, with their code; Ribeiro,
 * Singh and Guestrin 2016, arXiv:1602.04938.
 *
 * Cost: r2 costs `samples` model rows in all, or a row with design=row, and
 * samples * d operations a row; attributions of one row that follow each other
 * share its samples.  The others cost nothing.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/method.h>

#include "attribute/lime.h"
#include "metrics/fidelity.h"
#include "model/form.h"

enum { MEASURE, SAMPLES, WIDTH, DISCRETISE, DESIGN };
enum { R2, ACCURACY };
enum { SIGN };

/* The residual that methods which promise an exact sum keep under. */
static const double ADDS_UP = 1e-9;

static const struct asc_param params[] = {
    [MEASURE] = { "measure", ASC_PARAM_CHOICE, R2, 0, ACCURACY, "r2|accuracy",
                  "share of the model's local variation that is explained, "
                  "or whether the class is right" },
    [SAMPLES] = { "samples", ASC_PARAM_INTEGER, 5000, 2, 1e7, NULL,
                  "samples of the neighbourhood, the row itself included" },
    [WIDTH] = { "width", ASC_PARAM_REAL, 0, 0, 1e9, NULL,
                "width of the kernel; 0 is 0.75 sqrt(fields)" },
    [DISCRETISE] = { "discretise", ASC_PARAM_CHOICE, ASCI_LIME_QUARTILE, 0,
                     ASCI_LIME_NONE, "quartile|decile|none",
                     "bins of continuous fields, from the background" },
    [DESIGN] = { "design", ASC_PARAM_CHOICE, ASCI_LIME_SHARED, 0,
                 ASCI_LIME_ROW, "shared|row",
                 "one set of samples for all rows, or one for each" },
    ASC_PARAMS_END
};

static const struct asc_param residual_params[] = {
    [SIGN] = { "sign", ASC_PARAM_CHOICE, 0, 0, 1, "signed|absolute",
               "the difference or its magnitude" },
    ASC_PARAMS_END
};

/* The surrogate's value at the row.  Where the attributions add up it is the
 * model's: what rounding leaves would be compared between groups as if it were
 * something. */
static double
surrogate(const struct asc_score *b, size_t i)
{
    const double *phi = b->phi + i * b->d;
    double sum = b->base[i];
    size_t j;

    if (asc_residual(phi, b->d, b->base[i], b->value[i]) <= ADDS_UP)
        return b->value[i];
    for (j = 0; j < b->d; j++)
        sum += phi[j];
    return sum;
}

/* ---- accuracy ---- */

/* The value of an output that separates its two sides, NaN if none does. */
static double
divide(const asc_model *m, enum asc_scale scale, size_t output)
{
    double u;

    if (m->whole && m->whole->classifier)
        return 0.0;             /* a contrast: neither of the two wins */
    if (!m->classifier)
        return NAN;
    if (scale == ASC_RESPONSE || m->link == ASCI_LINK_NONE)
        return 0.5;
    switch (m->link) {
    case ASCI_LINK_LOGIT:
    case ASCI_LINK_PROBIT:
    case ASCI_LINK_CAUCHIT:
        return 0.0;
    case ASCI_LINK_CLOGLOG:
        u = log(log(2.0));
        break;
    case ASCI_LINK_LOGLOG:
        u = -log(log(2.0));
        break;
    default:
        return NAN;
    }
    return m->output[output].complement ? -u : u;
}

static void
score_accuracy(const asc_model *m, struct asc_score *b)
{
    size_t i;

    for (i = 0; i < b->n; i++) {
        const double side = divide(m, b->scale[i], b->output[i]);
        const double g = surrogate(b, i), f = b->value[i];

        b->result[i] = isnan(side) || isnan(g) || isnan(f)
                       ? NAN : (f >= side) == (g >= side);
    }
}

/* ---- local R2 ---- */

struct state {
    struct asci_lime *lime[2];  /* by scale; NULL: the other one, or unused */
};

static void
finish(void *state)
{
    struct state *s = state;

    if (!s)
        return;
    asci_lime_free(s->lime[0]);
    asci_lime_free(s->lime[1]);
    free(s);
}

static int
prepare(const struct asc_metric_task *t, void **state, struct asc_error *e)
{
    const double *p = t->spec->value;
    struct asci_lime_setup setup = {
        .model = t->model,
        .background = t->background,
        .seed = t->spec->seed,
        .samples = (size_t)p[SAMPLES],
        .width = p[WIDTH],
        .bins = (enum asci_lime_bins)p[DISCRETISE],
        .design = (enum asci_lime_design)p[DESIGN]
    };
    int status = asci_metric_check(t, e);
    struct state *s;

    if (status != ASC_OK || p[MEASURE] == ACCURACY)
        return status;
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    /* Which scales the table has is not known before its rows are. */
    setup.scale = ASC_RAW;
    status = asci_lime_new(&setup, &s->lime[0], e);
    if (status == ASC_OK && asc_model_has_link(t->model)) {
        setup.scale = ASC_RESPONSE;
        status = asci_lime_new(&setup, &s->lime[1], e);
    }
    if (status != ASC_OK)
        finish(s);
    else
        *state = s;
    return status;
}

/* g - base of sample s.  z and place (d) are scratch. */
static double
contribution(const struct asci_near *near, const double *phi, size_t s,
             double *z, size_t *place)
{
    double sum = 0.0;
    size_t j, n;

    if (near->binary) {
        n = asci_near_ones(near, s, place);
        for (j = 0; j < n; j++)
            sum += phi[place[j]];
    } else {
        asci_near_point(near, s, z);
        for (j = 0; j < near->d; j++)
            sum += phi[j] * (1.0 + z[j] - near->own[j]);
    }
    return sum;
}

/* R2 of row i in its neighbourhood. */
static double
r2(const struct asci_near *near, const struct asc_score *b, size_t i,
   double *z, size_t *place)
{
    const double *phi = b->phi + i * b->d, value = near->y0[b->output[i]];
    double weight = 0.0, mean = 0.0, rest = 0.0, all = 0.0;
    size_t s;

    if (near->weight[0] == 0.0)
        return NAN;
    for (s = 0; s < near->n; s++) {
        const double y = asci_near_outputs(near, s)[b->output[i]];

        if (near->weight[s] > 0.0) {
            weight += near->weight[s];
            mean += near->weight[s] * (y - value);
        }
    }
    mean = value + mean / weight;
    for (s = 0; s < near->n; s++) {
        const double y = asci_near_outputs(near, s)[b->output[i]];
        double g;

        if (near->weight[s] == 0.0)
            continue;
        g = b->base[i] + contribution(near, phi, s, z, place);
        rest += near->weight[s] * (y - g) * (y - g);
        all += near->weight[s] * (y - mean) * (y - mean);
    }
    return all > 0.0 ? 1.0 - rest / all : NAN;
}

/* Whether rows i and k are the same: attributions of one row by several
 * methods, or of several outputs, follow each other. */
static int
same_row(const struct asc_score *b, size_t i, size_t k)
{
    const struct asc_text *p = &b->id[i], *q = &b->id[k];

    return p->n == q->n && (p->n == 0 || !memcmp(p->p, q->p, p->n)) &&
           !memcmp(b->x + i * b->d, b->x + k * b->d, b->d * sizeof *b->x);
}

/* The rows on one scale, or all of them, of a model whose scales are one. */
static int
score_scale(const struct asc_metric_task *t, const struct asci_lime *lime,
            enum asc_scale scale, int all, struct asc_score *b,
            struct asc_error *e)
{
    const size_t k = asc_model_n_outputs(t->model);
    struct asci_near near;
    double *z = NULL, *y0 = NULL;
    size_t *place = NULL, i, at = SIZE_MAX;
    int status = asci_near_init(&near, lime, e);

    if (status != ASC_OK)
        return status;
    z = asci_alloc(b->d, sizeof *z, e);
    place = asci_alloc(b->d, sizeof *place, e);
    y0 = asci_alloc(b->n, k * sizeof *y0, e);
    status = z && place && y0
             ? asc_model_evaluate(t->model, scale, b->x, b->n, y0, e)
             : ASC_ESYSTEM;
    for (i = 0; i < b->n && status == ASC_OK; i++) {
        if (!all && b->scale[i] != scale)
            continue;
        if (at == SIZE_MAX || !same_row(b, at, i))
            status = asci_near_move(&near, b->x + i * b->d, y0 + i * k,
                                    b->id[i], e);
        at = i;
        if (status == ASC_OK)
            b->result[i] = r2(&near, b, i, z, place);
    }
    free(y0);
    free(place);
    free(z);
    asci_near_free(&near);
    return status;
}

static int
has_scale(const struct asc_score *b, enum asc_scale scale)
{
    size_t i;

    for (i = 0; i < b->n; i++)
        if (b->scale[i] == scale)
            return 1;
    return 0;
}

static int
run(const struct asc_metric_task *t, const void *state, struct asc_score *b,
    struct asc_error *e)
{
    const struct state *s = state;
    int status = asci_metric_check_block(t, b, e);

    if (status != ASC_OK)
        return status;
    if (t->spec->value[MEASURE] == ACCURACY) {
        score_accuracy(t->model, b);
        return ASC_OK;
    }
    if (!s->lime[1])
        return b->n ? score_scale(t, s->lime[0], ASC_RAW, 1, b, e) : ASC_OK;
    if (has_scale(b, ASC_RAW))
        status = score_scale(t, s->lime[0], ASC_RAW, 0, b, e);
    if (status == ASC_OK && has_scale(b, ASC_RESPONSE))
        status = score_scale(t, s->lime[1], ASC_RESPONSE, 0, b, e);
    return status;
}

/* ---- residual ---- */

static int
run_residual(const struct asc_metric_task *t, const void *state,
             struct asc_score *b, struct asc_error *e)
{
    size_t i;

    (void)state;
    (void)e;
    for (i = 0; i < b->n; i++) {
        b->result[i] = b->value[i] - surrogate(b, i);
        if (t->spec->value[SIGN] != 0.0)
            b->result[i] = fabs(b->result[i]);
    }
    return ASC_OK;
}

const struct asc_metric asci_metric_lime_fidelity = {
    .entry = {
        .name = "lime-fidelity",
        .title = "R2 of the attribution as a linear surrogate around the row",
        .source = "Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938; "
                  "Balagopalan et al. 2022, arXiv:2205.03295",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_DATA | ASC_NEEDS_BACKGROUND |
                  ASC_RANDOM | ASC_HIGHER_IS_BETTER
    },
    .prepare = prepare,
    .run = run,
    .finish = finish
};

const struct asc_metric asci_metric_lime_residual = {
    .entry = {
        .name = "lime-residual",
        .title = "the model's output less that of the attribution as a "
                 "surrogate",
        .source = "Balagopalan et al. 2022, arXiv:2205.03295",
        .params = residual_params,
        .traits = ASC_EXACT | ASC_LOWER_IS_BETTER
    },
    .run = run_residual
};
