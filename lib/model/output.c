/* model/output.c -- from raw outputs to the outputs that a person knows.
 *
 * Raw scale: u_k = sign_k r[raw_k].  Response: g(u_k), or 1 - g(-u_k) for the
 * complement of two classes that share one raw output.  Inverse links g:
 *
 *     logit    1 / (1 + exp(-u))         probit   Phi(u)
 *     cloglog  1 - exp(-exp(u))          loglog   exp(-exp(-u))
 *     cauchit  1/2 + atan(u) / pi        exp      exp(u)
 *     softmax  exp(u_k) / sum exp(u)     simplemax  u_k / sum u
 *     step     1 if u > 0, else 0        (XGBoost's binary:hinge)
 *     signed square  u |u|               (LightGBM's reg_sqrt)
 *     softplus log(1 + exp(u))           (LightGBM's cross_entropy_lambda)
 *     contrast  outputs of another model, each less a second one
 *     variance exp(2 u), but u of the first output, a mean
 *                                        (CatBoost's RMSEWithUncertainty)
 *     sorted   the k-th smallest u       (XGBoost's quantiles from 3.4 on)
 *     rising   u_0 + sum over 1..k of log(1 + exp(u)) + 1e-6
 *                                        (XGBoost's expectiles)
 *
 * of u times the model's link factor, where the link is elementwise
 * (PMML 4.4, RegressionModel, normalizationMethod).  Complements are computed
 * as such, so that a small probability keeps its digits.
 */
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "model/core.h"

const char *
asci_link_name(enum asci_link link)
{
    static const char *const name[] = {
        [ASCI_LINK_NONE] = "none", [ASCI_LINK_LOGIT] = "logit",
        [ASCI_LINK_PROBIT] = "probit", [ASCI_LINK_CLOGLOG] = "cloglog",
        [ASCI_LINK_LOGLOG] = "loglog", [ASCI_LINK_CAUCHIT] = "cauchit",
        [ASCI_LINK_EXP] = "exp", [ASCI_LINK_SOFTMAX] = "softmax",
        [ASCI_LINK_SIMPLEMAX] = "simplemax", [ASCI_LINK_STEP] = "step",
        [ASCI_LINK_SIGNED_SQUARE] = "signed square",
        [ASCI_LINK_SOFTPLUS] = "softplus",
        [ASCI_LINK_CONTRAST] = "contrast", [ASCI_LINK_VARIANCE] = "variance",
        [ASCI_LINK_SORTED] = "sorted", [ASCI_LINK_RISING] = "rising"
    };

    return (size_t)link < sizeof name / sizeof *name && name[link]
           ? name[link] : "other";
}

/* The same as in bulk, to the bit. */
static double
inverse_logit(double u)
{
    asci_logistic(&u, 1);
    return u;
}

/* g(u), elementwise links */
static double
inverse_link(enum asci_link link, double u)
{
    switch (link) {
    case ASCI_LINK_LOGIT:
        return inverse_logit(u);
    case ASCI_LINK_PROBIT:
        return isnan(u) ? u : gsl_cdf_ugaussian_P(u);
    case ASCI_LINK_CLOGLOG:
        return -expm1(-exp(u));
    case ASCI_LINK_LOGLOG:
        return exp(-exp(-u));
    case ASCI_LINK_CAUCHIT:
        /* atan2 keeps the digits of the lower tail. */
        return isnan(u) ? u : atan2(1.0, -u) / M_PI;
    case ASCI_LINK_EXP:
        return exp(u);
    case ASCI_LINK_STEP:
        return isnan(u) ? u : u > 0.0;
    case ASCI_LINK_SIGNED_SQUARE:
        return u * fabs(u);
    case ASCI_LINK_SOFTPLUS:
        return u > 0.0 ? u + log1p(exp(-u)) : log1p(exp(u));
    case ASCI_LINK_VARIANCE:
        return exp(2.0 * u);
    default:
        return u;
    }
}

/* 1 - g(u) */
static double
inverse_complement(enum asci_link link, double u)
{
    switch (link) {
    case ASCI_LINK_LOGIT:
    case ASCI_LINK_PROBIT:
    case ASCI_LINK_CAUCHIT:
        return inverse_link(link, -u);
    case ASCI_LINK_CLOGLOG:
        return exp(-exp(u));
    case ASCI_LINK_LOGLOG:
        return -expm1(-exp(-u));
    default:
        return 1.0 - inverse_link(link, u);
    }
}

/* g'(u) */
static double
inverse_slope(enum asci_link link, double u)
{
    double t;

    switch (link) {
    case ASCI_LINK_LOGIT:
        t = exp(-fabs(u));
        return t / ((1.0 + t) * (1.0 + t));
    case ASCI_LINK_PROBIT:
        return isnan(u) ? u : gsl_ran_ugaussian_pdf(u);
    case ASCI_LINK_CLOGLOG:
        return exp(u - exp(u));
    case ASCI_LINK_LOGLOG:
        return exp(-u - exp(-u));
    case ASCI_LINK_CAUCHIT:
        return 1.0 / (M_PI * (1.0 + u * u));
    case ASCI_LINK_EXP:
        return exp(u);
    case ASCI_LINK_STEP:
        return isnan(u) ? u : 0.0;
    case ASCI_LINK_SIGNED_SQUARE:
        return 2.0 * fabs(u);
    case ASCI_LINK_SOFTPLUS:
        return inverse_logit(u);
    case ASCI_LINK_VARIANCE:
        return 2.0 * exp(2.0 * u);
    default:
        return 1.0;
    }
}

/* The link of output k. */
static enum asci_link
link_of(const asc_model *m, size_t k)
{
    return m->link == ASCI_LINK_VARIANCE && k == 0 ? ASCI_LINK_NONE
                                                   : m->link;
}

static int
joint(enum asci_link link)
{
    return link == ASCI_LINK_SOFTMAX || link == ASCI_LINK_SIMPLEMAX ||
           link == ASCI_LINK_SORTED || link == ASCI_LINK_RISING;
}

/* The step to the next expectile. */
static double
step_up(double u)
{
    return (double)1e-6f + fmax(u, 0.0) + log1p(exp(-fabs(u)));
}

/* NaN is larger than any number. */
static int
compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

static void
put_in_order(enum asci_link link, double *u, size_t n)
{
    size_t k;

    if (link == ASCI_LINK_SORTED)
        qsort(u, n, sizeof *u, compare_numbers);
    else
        for (k = 1; k < n; k++)
            u[k] = u[k - 1] + step_up(u[k]);
}

/* Which of the outputs of one row has place k when they are sorted. */
static size_t
find_place(const asc_model *m, const double *r, size_t k)
{
    const struct asci_output *o = m->output;
    size_t i, j, before;

    for (j = 0; j + 1 < m->n_outputs; j++) {
        for (before = 0, i = 0; i < m->n_outputs; i++) {
            const int order = compare_numbers(&r[o[i].raw], &r[o[j].raw]);

            before += order < 0 || (order == 0 && i < j);
        }
        if (before == k)
            break;
    }
    return j;
}

/* p (n_outputs) of the raw-scale outputs u, in place */
static void
joint_link(enum asci_link link, double *u, size_t n)
{
    double top = u[0], sum = 0.0;
    size_t k;

    if (link == ASCI_LINK_SORTED || link == ASCI_LINK_RISING) {
        put_in_order(link, u, n);
        return;
    }
    if (link == ASCI_LINK_SOFTMAX) {
        for (k = 1; k < n; k++)
            if (u[k] > top)
                top = u[k];
        for (k = 0; k < n; k++)
            u[k] = exp(u[k] - top);
    }
    for (k = 0; k < n; k++)
        sum += u[k];
    for (k = 0; k < n; k++)
        u[k] /= sum;
}

static double
rescaled(const struct asci_rescale *t, double y)
{
    if (y < t->min)
        y = t->min;
    if (y > t->max)
        y = t->max;
    y = t->factor * y + t->constant;
    switch (t->cast) {
    case 1:
        return round(y);
    case 2:
        return ceil(y);
    case 3:
        return floor(y);
    default:
        return y;
    }
}

static double
rescale_slope(const struct asci_rescale *t, double y)
{
    return t->cast || y <= t->min || y >= t->max ? 0.0 : t->factor;
}

/* Output k of the joint links, the same as in bulk to the bit. */
static double
joint_output(const asc_model *m, const double *r, size_t k)
{
    const struct asci_output *o = m->output;
    double top = o[0].sign * r[o[0].raw], sum = 0.0, u;
    size_t j;

    if (m->link == ASCI_LINK_SORTED)
        return r[o[find_place(m, r, k)].raw];
    if (m->link == ASCI_LINK_RISING) {
        for (u = r[o[0].raw], j = 1; j <= k; j++)
            u += step_up(r[o[j].raw]);
        return u;
    }
    for (j = 1; j < m->n_outputs; j++)
        if (o[j].sign * r[o[j].raw] > top)
            top = o[j].sign * r[o[j].raw];
    for (j = 0; j < m->n_outputs; j++) {
        u = o[j].sign * r[o[j].raw];
        sum += m->link == ASCI_LINK_SOFTMAX ? exp(u - top) : u;
    }
    u = o[k].sign * r[o[k].raw];
    return (m->link == ASCI_LINK_SOFTMAX ? exp(u - top) : u) / sum;
}

/* Output k of one row r (n_raw). */
static double
one_output(const asc_model *m, enum asc_scale scale, const double *r, size_t k)
{
    const struct asci_output *o = &m->output[k];
    const enum asci_link link = link_of(m, k);
    const int linked = scale == ASC_RESPONSE && link != ASCI_LINK_NONE;
    const double factor = linked ? m->link_factor : 1.0;
    double y;

    if (linked && joint(link))
        y = joint_output(m, r, k);
    else if (o->complement && !joint(link) &&
             (linked || link == ASCI_LINK_NONE))
        y = inverse_complement(link, factor * r[o->raw]);
    else if (linked)
        y = inverse_link(link, factor * o->sign * r[o->raw]);
    else
        y = o->sign * r[o->raw];
    return scale == ASC_RESPONSE && m->rescale ? rescaled(m->rescale, y) : y;
}

static void
contrasts(const asc_model *m, enum asc_scale scale, const double *r, size_t n,
          double *y)
{
    size_t i, k;

    for (i = 0; i < n; i++)
        for (k = 0; k < m->n_outputs; k++)
            y[i * m->n_outputs + k] =
                one_output(m->whole, scale, r + i * m->n_raw, m->of[k]) -
                one_output(m->whole, scale, r + i * m->n_raw, m->against[k]);
}

void
asci_outputs(const asc_model *m, enum asc_scale scale, const double *r,
             size_t n, double *y)
{
    const size_t n_out = m->n_outputs;
    const int linked = scale == ASC_RESPONSE && m->link != ASCI_LINK_NONE;
    const double factor = linked && !joint(m->link) ? m->link_factor : 1.0;
    size_t i, k;

    if (m->link == ASCI_LINK_CONTRAST) {
        contrasts(m, scale, r, n, y);
        return;
    }
    for (k = 0; k < n_out; k++) {
        const struct asci_output *o = &m->output[k];
        const enum asci_link link = link_of(m, k);
        const double *u = r + o->raw;
        const int complement = o->complement && !joint(link);
        double *out = y + k;

        if (linked && link == ASCI_LINK_LOGIT)
            for (i = 0; i < n; i++)
                out[i * n_out] = (complement ? -factor : factor * o->sign) *
                                 u[i * m->n_raw];
        else if (complement && (linked || link == ASCI_LINK_NONE))
            for (i = 0; i < n; i++)
                out[i * n_out] = inverse_complement(link, factor *
                                                    u[i * m->n_raw]);
        else if (linked && !joint(link))
            for (i = 0; i < n; i++)
                out[i * n_out] = inverse_link(link, factor * o->sign *
                                              u[i * m->n_raw]);
        else
            for (i = 0; i < n; i++)
                out[i * n_out] = o->sign * u[i * m->n_raw];
    }
    if (linked && m->link == ASCI_LINK_LOGIT)
        asci_logistic(y, n * n_out);
    if (linked && joint(m->link))
        for (i = 0; i < n; i++)
            joint_link(m->link, y + i * n_out, n_out);
    if (scale == ASC_RESPONSE && m->rescale)
        for (i = 0; i < n * n_out; i++)
            y[i] = rescaled(m->rescale, y[i]);
}

/* g(u) as the source engine has it. */
static double
plain_link(enum asci_link link, double u)
{
    return link == ASCI_LINK_LOGIT ? 1.0 / (1.0 + exp(-u)) : log1p(exp(u));
}

void
asci_outputs_source(const asc_model *m, enum asc_scale scale, const double *r,
                    size_t n, double *y)
{
    const size_t n_out = m->n_outputs;
    size_t i, k;

    if (scale != ASC_RESPONSE || !m->plain_link || m->rescale ||
        (m->link != ASCI_LINK_LOGIT && m->link != ASCI_LINK_SOFTPLUS)) {
        asci_outputs(m, scale, r, n, y);
        return;
    }
    for (k = 0; k < n_out; k++) {
        const struct asci_output *o = &m->output[k];

        for (i = 0; i < n; i++) {
            const double p = plain_link(m->link, m->link_factor *
                                        r[i * m->n_raw + o->raw]);

            y[i * n_out + k] = o->complement ? 1.0 - p : p;
        }
    }
}

/* d p_k / d u_j = p_k ([j = k] - p_j) of softmax, ([j = k] - p_k) / sum u of
 * simplemax, 1 at the one that has place k of sorted ones, the slopes of the
 * steps up to k of rising ones; s += factor times that. */
static void
joint_slopes(const asc_model *m, const double *r, size_t k, double factor,
             double *s)
{
    const struct asci_output *o = m->output;
    double top = -INFINITY, sum = 0.0, p;
    size_t j;

    if (m->link == ASCI_LINK_SORTED) {
        s[o[find_place(m, r, k)].raw] += factor;
        return;
    }
    if (m->link == ASCI_LINK_RISING) {
        for (s[o[0].raw] += factor, j = 1; j <= k; j++)
            s[o[j].raw] += factor * inverse_logit(r[o[j].raw]);
        return;
    }
    for (j = 0; j < m->n_outputs; j++)
        if (o[j].sign * r[o[j].raw] > top)
            top = o[j].sign * r[o[j].raw];
    if (m->link == ASCI_LINK_SOFTMAX) {
        for (j = 0; j < m->n_outputs; j++)
            sum += exp(o[j].sign * r[o[j].raw] - top);
        p = factor * (exp(o[k].sign * r[o[k].raw] - top) / sum);
        for (j = 0; j < m->n_outputs; j++)
            s[o[j].raw] -= o[j].sign * p *
                           (exp(o[j].sign * r[o[j].raw] - top) / sum);
        s[o[k].raw] += o[k].sign * p;
    } else {
        for (j = 0; j < m->n_outputs; j++)
            sum += o[j].sign * r[o[j].raw];
        p = o[k].sign * r[o[k].raw] / sum;
        for (j = 0; j < m->n_outputs; j++)
            s[o[j].raw] -= factor * (o[j].sign * p / sum);
        s[o[k].raw] += factor * (o[k].sign / sum);
    }
}

/* s += factor times the slopes of output k */
static void
add_slopes(const asc_model *m, enum asc_scale scale, const double *r,
           size_t k, double factor, double *s)
{
    const struct asci_output *o = &m->output[k];
    const enum asci_link link = link_of(m, k);
    const double inner = m->link_factor;
    double y, slope, u = r[o->raw];

    if (scale == ASC_RAW || link == ASCI_LINK_NONE) {
        slope = o->complement && link == ASCI_LINK_NONE ? -1.0 : o->sign;
        y = o->sign * u;
    } else if (joint(link)) {
        joint_slopes(m, r, k, factor, s);
        return;
    } else if (o->complement) {
        slope = -inner * inverse_slope(link, inner * u);
        y = inverse_complement(link, inner * u);
    } else {
        slope = inner * o->sign *
                inverse_slope(link, inner * o->sign * u);
        y = inverse_link(link, inner * o->sign * u);
    }
    if (scale == ASC_RESPONSE && m->rescale)
        slope *= rescale_slope(m->rescale, y);
    s[o->raw] += factor * slope;
}

int
asci_outputs_joint(const asc_model *m)
{
    return joint(m->link == ASCI_LINK_CONTRAST ? m->whole->link : m->link);
}

size_t
asci_output_parts(const asc_model *m, enum asc_scale scale, size_t k,
                  size_t raw[2])
{
    if (scale == ASC_RESPONSE && asci_outputs_joint(m))
        return 0;
    raw[0] = m->output[k].raw;
    if (m->link != ASCI_LINK_CONTRAST)
        return 1;
    raw[0] = m->whole->output[m->of[k]].raw;
    raw[1] = m->whole->output[m->against[k]].raw;
    return raw[0] == raw[1] ? 1 : 2;
}

void
asci_output_slopes(const asc_model *m, enum asc_scale scale, const double *r,
                   size_t k, double *s)
{
    size_t j;

    for (j = 0; j < m->n_raw; j++)
        s[j] = 0.0;
    if (m->link != ASCI_LINK_CONTRAST) {
        add_slopes(m, scale, r, k, 1.0, s);
        return;
    }
    add_slopes(m->whole, scale, r, m->of[k], 1.0, s);
    add_slopes(m->whole, scale, r, m->against[k], -1.0, s);
}
