/* attribute/lime_near.c -- the neighbourhood of a row as LIME samples it.
 *
 * Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938, section 3.3, as their
 * package does it for tables (lime_tabular, discretize_continuous,
 * sample_around_instance=False): every field of a sample is drawn on its own
 * from the background.
 *
 *     categorical      a category by its frequency; z = 1 if it is the row's
 *     continuous, bins a bin by its frequency, z = 1 if it is the row's bin;
 *                      within the bin a normal with the bin's mean and
 *                      standard deviation, cut off at its ends.  Bins end at
 *                      quartiles or deciles (linear interpolation; equal ones
 *                      once; an end belongs to the bin to its left)
 *     continuous, none a normal with the field's mean and standard deviation;
 *                      z = (value - mean) / sd
 *     weight           exp(-D^2 / (2 width^2)), D Euclidean on z
 *
 * Standard deviations have divisor n.  The first sample is the row itself.
 *
 * Missing values.  Missing is one more category or bin.  Without bins it is
 * drawn by its frequency, too; z is then 0, the mean, unless the row itself is
 * missing there: then z = 1 if the sample is missing, else 0.  Samples for
 * which the model has no answer weigh 0.
 *
 * What is drawn does not depend on the row, so one set of samples, keyed by
 * (seed, "lime"), serves all rows: it is evaluated once, and the sampling
 * errors of different rows are correlated.  With a design for each row, keyed
 * by (seed, "lime-row", id), they are independent, and the model is asked for
 * `samples` rows each time.
 *
 * Cost of a shared design: `samples` model rows in all, and samples * d
 * comparisons a row.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "attribute/lime.h"
#include "attribute/probe.h"

enum { EDGES = 9, BINS = EDGES + 1 };
#define LEVEL_MISSING UINT32_MAX

/* How one field is drawn. */
struct field {
    int categorical;
    size_t n_edges;
    double edge[EDGES];
    double mean, sd;            /* of the field */
    struct bin {
        double mean, sd, min, max;
        double below, above;    /* normal probability below min and max */
    } bin[BINS];
};

struct asci_lime_draw {
    uint32_t *level;            /* (samples - 1, d) */
    double *z;                  /* (samples - 1, d) without bins, else NULL;
                                   NaN where missing */
    double *y;                  /* (samples - 1, k) */
};

struct asci_lime {
    struct asci_lime_setup setup;
    size_t d, k;
    struct field *field;        /* (d) */
    uint32_t *level;            /* (background n, d) */
    size_t *all;                /* (k) 0, 1, ..., k - 1 */
    double *falloff;            /* (d + 1) weight by number of differences */
    struct asci_lime_draw *shared;      /* NULL: one for each row */
};

/* ---- what the background says of a field ---- */

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Quantile part / parts of sorted v (n), n > 0.  The place is worked out in
 * whole numbers: a quantile that is a value is that value. */
static double
quantile(const double *v, size_t n, size_t part, size_t parts)
{
    const size_t i = (n - 1) / parts * part + (n - 1) % parts * part / parts;
    const double rest = (double)((n - 1) % parts * part % parts) /
                        (double)parts;

    return i + 1 < n ? v[i] + rest * (v[i + 1] - v[i]) : v[n - 1];
}

static uint32_t
find_bin(const struct field *f, double v)
{
    uint32_t i = 0;

    while (i < f->n_edges && f->edge[i] < v)
        i++;
    return i;
}

/* mean and sd (divisor n) of v (n); 0 and 0 if there are none */
static void
moments(const double *v, size_t n, double *mean, double *sd)
{
    double sum = 0.0, squares = 0.0;
    size_t i;

    *mean = *sd = 0.0;
    if (n == 0)
        return;
    for (i = 0; i < n; i++)
        sum += v[i];
    *mean = sum / (double)n;
    /* Of equal values exactly that value, whatever the sum was rounded to. */
    if (v[0] == v[n - 1])
        *mean = v[0];
    for (i = 0; i < n; i++)
        squares += (v[i] - *mean) * (v[i] - *mean);
    *sd = sqrt(squares / (double)n);
}

/* v (n) sorted, not missing, n > 0 */
static void
set_bins(struct field *f, const double *v, size_t n, size_t parts)
{
    size_t i, first, last;

    for (i = 1; i < parts; i++) {
        const double q = quantile(v, n, i, parts);

        if (f->n_edges == 0 || q > f->edge[f->n_edges - 1])
            f->edge[f->n_edges++] = q;
    }
    for (i = 0, first = 0; i <= f->n_edges; i++, first = last) {
        struct bin *b = &f->bin[i];

        for (last = first; last < n && find_bin(f, v[last]) == i; last++)
            ;
        moments(v + first, last - first, &b->mean, &b->sd);
        b->min = i == 0 ? v[0] : f->edge[i - 1];
        b->max = i == f->n_edges ? v[n - 1] : f->edge[i];
        if (b->sd > 0.0) {
            b->below = gsl_cdf_ugaussian_P((b->min - b->mean) / b->sd);
            b->above = gsl_cdf_ugaussian_P((b->max - b->mean) / b->sd);
        }
    }
}

static uint32_t
level_of(const struct asci_lime *l, size_t j, double v)
{
    if (isnan(v))
        return LEVEL_MISSING;
    if (l->field[j].categorical)
        return (uint32_t)v;
    return l->setup.bins == ASCI_LIME_NONE ? 0 : find_bin(&l->field[j], v);
}

static int
study_background(struct asci_lime *l, struct asc_error *e)
{
    const struct asc_schema *schema = asc_model_schema(l->setup.model);
    const struct asc_background *b = l->setup.background;
    double *v = asci_alloc(b->n, sizeof *v, e);
    size_t i, j, n;

    if (!v)
        return ASC_ESYSTEM;
    for (j = 0; j < l->d; j++) {
        struct field *f = &l->field[j];

        f->categorical = schema->field[j].kind == ASC_CATEGORICAL;
        for (i = 0, n = 0; i < b->n; i++)
            if (!isnan(b->x[i * l->d + j]))
                v[n++] = b->x[i * l->d + j];
        if (!f->categorical && n > 0) {
            qsort(v, n, sizeof *v, compare);
            moments(v, n, &f->mean, &f->sd);
            if (l->setup.bins != ASCI_LIME_NONE)
                set_bins(f, v, n,
                         l->setup.bins == ASCI_LIME_DECILE ? 10 : 4);
        }
        for (i = 0; i < b->n; i++)
            l->level[i * l->d + j] = level_of(l, j, b->x[i * l->d + j]);
    }
    free(v);
    return ASC_OK;
}

/* ---- samples ---- */

static void
draw_free(struct asci_lime_draw *w)
{
    if (!w)
        return;
    free(w->y);
    free(w->z);
    free(w->level);
    free(w);
}

static struct asci_lime_draw *
draw_new(const struct asci_lime *l, struct asc_error *e)
{
    const size_t n = l->setup.samples - 1;
    struct asci_lime_draw *w = asci_alloc_zero(1, sizeof *w, e);

    if (!w)
        return NULL;
    w->level = asci_alloc(n, l->d * sizeof *w->level, e);
    w->y = asci_alloc(n, l->k * sizeof *w->y, e);
    if (l->setup.bins == ASCI_LIME_NONE)
        w->z = asci_alloc(n, l->d * sizeof *w->z, e);
    if (!w->level || !w->y || (l->setup.bins == ASCI_LIME_NONE && !w->z)) {
        draw_free(w);
        return NULL;
    }
    return w;
}

/* A value within a bin; one draw always. */
static double
draw_in_bin(const struct bin *b, struct asc_stream *s)
{
    const double u = asc_stream_uniform(s);
    double v;

    if (!(b->sd > 0.0) || !(b->above > b->below))
        v = b->mean;
    else
        v = b->mean + b->sd * gsl_cdf_ugaussian_Pinv(
            b->below + u * (b->above - b->below));
    if (v < b->min)
        v = b->min;
    return v > b->max ? b->max : v;
}

/* One field of one sample: its level, its z (may be NULL), its value. */
static double
draw_field(const struct asci_lime *l, size_t j, struct asc_stream *s,
           uint32_t *level, double *z)
{
    const struct field *f = &l->field[j];
    const size_t r = (size_t)asc_stream_below(s, l->setup.background->n);
    double v, t;

    *level = l->level[r * l->d + j];
    if (f->categorical) {
        if (z)
            *z = NAN;
        return *level == LEVEL_MISSING ? NAN : (double)*level;
    }
    if (z) {
        t = asc_stream_normal(s);
        *z = *level == LEVEL_MISSING ? NAN : f->sd > 0.0 ? t : 0.0;
        return f->mean + f->sd * *z;
    }
    v = draw_in_bin(&f->bin[*level == LEVEL_MISSING ? 0 : *level], s);
    return *level == LEVEL_MISSING ? NAN : v;
}

static int
draw_samples(const struct asci_lime *l, struct asc_stream *s,
             struct asci_lime_draw *w, struct asc_error *e)
{
    const size_t n = l->setup.samples - 1, d = l->d;
    struct asci_probe probe;
    int status = asci_probe_init(&probe, l->setup.model, l->setup.scale, n, e);
    size_t i, j;
    double *x;

    for (i = 0; i < n && status == ASC_OK; i++) {
        status = asci_probe_row(&probe, l->all, l->k, w->y + i * l->k, 1, &x,
                                e);
        for (j = 0; j < d && status == ASC_OK; j++)
            x[j] = draw_field(l, j, s, &w->level[i * d + j],
                              w->z ? &w->z[i * d + j] : NULL);
    }
    if (status == ASC_OK)
        status = asci_probe_flush(&probe, e);
    asci_probe_free(&probe);
    return status;
}

/* ---- the sampler ---- */

void
asci_lime_free(struct asci_lime *l)
{
    if (!l)
        return;
    draw_free(l->shared);
    free(l->falloff);
    free(l->all);
    free(l->level);
    free(l->field);
    free(l);
}

static int
fill_lime(struct asci_lime *l, struct asc_error *e)
{
    const double width = l->setup.width;
    struct asc_stream stream;
    int status;
    size_t i;

    l->field = asci_alloc_zero(l->d, sizeof *l->field, e);
    l->level = asci_alloc(l->setup.background->n, l->d * sizeof *l->level, e);
    l->all = asci_alloc(l->k, sizeof *l->all, e);
    l->falloff = asci_alloc(l->d + 1, sizeof *l->falloff, e);
    if (!l->field || !l->level || !l->all || !l->falloff)
        return ASC_ESYSTEM;
    for (i = 0; i < l->k; i++)
        l->all[i] = i;
    for (i = 0; i <= l->d; i++)
        l->falloff[i] = exp(-(double)i / (2.0 * width * width));
    status = study_background(l, e);
    if (status != ASC_OK || l->setup.design == ASCI_LIME_ROW)
        return status;
    l->shared = draw_new(l, e);
    if (!l->shared)
        return ASC_ESYSTEM;
    asc_stream_start(&stream, l->setup.seed, "lime", "", 0);
    return draw_samples(l, &stream, l->shared, e);
}

int
asci_lime_new(const struct asci_lime_setup *setup, struct asci_lime **out,
              struct asc_error *e)
{
    struct asci_lime *l = asci_alloc_zero(1, sizeof *l, e);
    int status;

    if (!l)
        return ASC_ESYSTEM;
    l->setup = *setup;
    l->d = asc_model_schema(setup->model)->n;
    l->k = asc_model_n_outputs(setup->model);
    if (!(l->setup.width > 0.0))
        l->setup.width = 0.75 * sqrt((double)(l->d ? l->d : 1));
    status = fill_lime(l, e);
    if (status != ASC_OK)
        asci_lime_free(l);
    else
        *out = l;
    return status;
}

/* ---- the neighbourhood of a row ---- */

int
asci_near_init(struct asci_near *a, const struct asci_lime *l,
               struct asc_error *e)
{
    memset(a, 0, sizeof *a);
    a->lime = l;
    a->n = l->setup.samples;
    a->d = l->d;
    a->k = l->k;
    a->binary = l->setup.bins != ASCI_LIME_NONE;
    a->weight = asci_alloc(a->n, sizeof *a->weight, e);
    a->own = asci_alloc(a->d, sizeof *a->own, e);
    a->at = asci_alloc(a->d, sizeof *a->at, e);
    if (!l->shared)
        a->draw = draw_new(l, e);
    if (!a->weight || !a->own || !a->at || (!l->shared && !a->draw)) {
        asci_near_free(a);
        return ASC_ESYSTEM;
    }
    return ASC_OK;
}

void
asci_near_free(struct asci_near *a)
{
    draw_free(a->draw);
    free(a->at);
    free(a->own);
    free(a->weight);
    memset(a, 0, sizeof *a);
}

static const struct asci_lime_draw *
draw_of(const struct asci_near *a)
{
    return a->draw ? a->draw : a->lime->shared;
}

/* Whether coordinate j tells samples like the row from others. */
static int
is_match(const struct asci_near *a, size_t j)
{
    return a->binary || a->lime->field[j].categorical ||
           a->at[j] == LEVEL_MISSING;
}

size_t
asci_near_ones(const struct asci_near *a, size_t i, size_t *place)
{
    const size_t d = a->d;
    const uint32_t *level;
    size_t j, n = 0;

    if (i == 0) {
        for (j = 0; j < d; j++)
            place[j] = j;
        return d;
    }
    level = draw_of(a)->level + (i - 1) * d;
    for (j = 0; j < d; j++) {
        place[n] = j;
        n += level[j] == a->at[j];
    }
    return n;
}

void
asci_near_point(const struct asci_near *a, size_t i, double *z)
{
    const struct asci_lime_draw *w = draw_of(a);
    const size_t d = a->d;
    size_t j;

    if (i == 0) {
        memcpy(z, a->own, d * sizeof *z);
        return;
    }
    for (j = 0; j < d; j++) {
        const size_t place = (i - 1) * d + j;

        if (is_match(a, j))
            z[j] = w->level[place] == a->at[j];
        else
            z[j] = isnan(w->z[place]) ? 0.0 : w->z[place];
    }
}

const double *
asci_near_outputs(const struct asci_near *a, size_t i)
{
    return i == 0 ? a->y0 : a->y + (i - 1) * a->k;
}

static int
answered(const double *y, size_t k)
{
    size_t i;

    for (i = 0; i < k; i++)
        if (isnan(y[i]))
            return 0;
    return 1;
}

/* Fields in which sample i is not like the row. */
static size_t
differences(const struct asci_near *a, size_t i)
{
    const uint32_t *level, *at = a->at;
    uint32_t n = 0;
    size_t j;

    if (i == 0)
        return 0;
    level = draw_of(a)->level + (i - 1) * a->d;
    for (j = 0; j < a->d; j++)
        n += level[j] != at[j];
    return n;
}

static int
weigh(struct asci_near *a, struct asc_error *e)
{
    const double width = a->lime->setup.width;
    double *z = asci_alloc(a->d, sizeof *z, e);
    size_t i, j;

    if (!z)
        return ASC_ESYSTEM;
    for (i = 0; i < a->n; i++) {
        double distance = 0.0;

        if (!answered(asci_near_outputs(a, i), a->k)) {
            a->weight[i] = 0.0;
        } else if (a->binary) {
            a->weight[i] = a->lime->falloff[differences(a, i)];
        } else {
            asci_near_point(a, i, z);
            for (j = 0; j < a->d; j++)
                distance += (z[j] - a->own[j]) * (z[j] - a->own[j]);
            a->weight[i] = exp(-distance / (2.0 * width * width));
        }
    }
    free(z);
    return ASC_OK;
}

int
asci_near_move(struct asci_near *a, const double *x, const double *y0,
               struct asc_text id, struct asc_error *e)
{
    const struct asci_lime *l = a->lime;
    struct asc_stream stream;
    int status;
    size_t j;

    a->y0 = y0;
    for (j = 0; j < a->d; j++) {
        a->at[j] = level_of(l, j, x[j]);
        a->own[j] = is_match(a, j) ? 1.0
                    : (x[j] - l->field[j].mean) /
                      (l->field[j].sd > 0.0 ? l->field[j].sd : 1.0);
    }
    if (a->draw) {
        asc_stream_start(&stream, l->setup.seed, "lime-row", id.p, id.n);
        status = draw_samples(l, &stream, a->draw, e);
        if (status != ASC_OK)
            return status;
    }
    a->y = draw_of(a)->y;
    return weigh(a, e);
}
