/* metrics/pgi.c -- prediction gap on important and on unimportant fields.
 *
 *     PGI = mean over samples of |f(x') - f(x)|, x' = x but for noise in the
 *           k = ceil(share d) top fields                  higher is better
 *     PGU = the same with noise in the others only        lower is better
 *
 * f is the output that the attribution explains, on its scale.  Top fields are
 * those of largest |phi| (order=signed: largest phi); equal ones keep the
 * order of the fields.  With auc=yes it is the area under the metric at
 * k' = 1..k over an axis from 0 to 1, (k' - 1) / (k - 1), as OpenXAI does
 * (k = 1: the plain value).  On the curve x is k' / d, value the metric at k'.
 *
 * Noise.  A continuous field gets a normal of mean 0 and `sd` times its
 * standard deviation in the background (divisor n - 1).  A categorical field
 * changes with probability sqrt(2 / pi) sd, the mean of |N(0, sd)|, at most 1,
 * to another category drawn by its frequency among the background's others
 * (the other one of two, in any case).  A continuous field with just two
 * values in the background, one of them the row's, is flipped with that
 * probability.  A missing continuous field stays missing; missing is a
 * category.  The noise of a row is keyed by (seed, "pgi", id): the same for
 * both metrics and for all attributions of that row.
 *
 * Undefined where an attribution is missing, where the model has no answer for
 * the row or a sample, without fields.  PGU is 0 where no field is left.
 *
 * Source: Agarwal et al. 2022 (OpenXAI), arXiv:2206.11104, and their code,
 * where data are scaled to 0..1 and sd is in those units.
 *
 * Cost: 1 + samples model rows a row, or k times the samples for auc and
 * curve; a sample that changes nothing is not asked for.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/probe.h"
#include "metrics/fidelity.h"
#include "metrics/stat.h"

enum { SHARE, SAMPLES, SD, ORDER, AUC };
enum {
    ROWS = 1 << 16,             /* model rows of a part of a block */
    ROOM = 1 << 21              /* doubles of its samples */
};

static const struct asc_param params[] = {
    [SHARE] = { "share", ASC_PARAM_REAL, 0.25, 0, 1, NULL,
                "share of the fields that count as important" },
    [SAMPLES] = { "samples", ASC_PARAM_INTEGER, 100, 1, 1e6, NULL,
                  "noisy copies of each row" },
    [SD] = { "sd", ASC_PARAM_REAL, 0.1, 0, 1e6, NULL,
             "noise, in standard deviations of the field in the background" },
    [ORDER] = { "order", ASC_PARAM_CHOICE, 0, 0, 1, "absolute|signed",
                "largest magnitudes first, or largest attributions" },
    [AUC] = { "auc", ASC_PARAM_CHOICE, 0, 0, 1, "no|yes",
              "area under the metric over the number of fields" },
    ASC_PARAMS_END
};

/* What the background says of a field. */
struct field {
    int categorical;
    double sd;                  /* continuous */
    int binary;                 /* continuous, with the two values here */
    double pair[2];
    size_t n_levels;            /* categorical: declared ones and one more for
                                   undeclared ones */
    size_t *count;              /* (n_levels) rows of the background */
};

struct state {
    size_t d;
    struct field *field;        /* (d) */
};

static void
finish(void *state)
{
    struct state *s = state;
    size_t j;

    if (!s)
        return;
    for (j = 0; s->field && j < s->d; j++)
        free(s->field[j].count);
    free(s->field);
    free(s);
}

static void
study_continuous(struct field *f, const double *x, size_t n, size_t d)
{
    struct asci_moments m;
    size_t i, values = 0;

    asci_moments_clear(&m);
    for (i = 0; i < n; i++) {
        const double v = x[i * d];

        if (isnan(v))
            continue;
        asci_moments_add(&m, v);
        if ((values > 0 && v == f->pair[0]) || (values > 1 && v == f->pair[1]))
            continue;
        if (values < 2)
            f->pair[values] = v;
        values++;
    }
    f->binary = values == 2;
    f->sd = m.n > 1 ? asci_moments_sd(&m) : 0.0;
}

static int
study_categorical(struct field *f, const struct asc_field *schema,
                  const double *x, size_t n, size_t d, struct asc_error *e)
{
    size_t i;

    f->categorical = 1;
    f->n_levels = schema->n_categories + 1;
    f->count = asci_alloc_zero(f->n_levels, sizeof *f->count, e);
    if (!f->count)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i++) {
        const double v = x[i * d];

        if (!isnan(v))
            f->count[v < (double)f->n_levels ? (size_t)v
                                             : f->n_levels - 1]++;
    }
    return ASC_OK;
}

static int
prepare(const struct asc_metric_task *t, void **state, struct asc_error *e)
{
    const struct asc_schema *schema;
    const struct asc_background *b = t->background;
    int status = asci_metric_check(t, e);
    struct state *s;
    size_t j;

    if (status != ASC_OK)
        return status;
    if (b->n < 2)
        return asc_fail(e, ASC_EUSAGE, "%s measures noise in standard "
                        "deviations of the background, which has one row: "
                        "give more with -b", t->spec->entry->name);
    schema = asc_model_schema(t->model);
    s = asci_alloc_zero(1, sizeof *s, e);
    if (!s)
        return ASC_ESYSTEM;
    s->d = schema->n;
    s->field = asci_alloc_zero(s->d, sizeof *s->field, e);
    if (!s->field)
        status = ASC_ESYSTEM;
    for (j = 0; j < s->d && status == ASC_OK; j++) {
        if (schema->field[j].kind == ASC_CONTINUOUS)
            study_continuous(&s->field[j], b->x + j, b->n, b->d);
        else
            status = study_categorical(&s->field[j], &schema->field[j],
                                       b->x + j, b->n, b->d, e);
    }
    if (status != ASC_OK)
        finish(s);
    else
        *state = s;
    return status;
}

/* Another category than v, drawn by frequency. */
static double
other_category(const struct field *f, double v, struct asc_stream *stream)
{
    size_t i, total = 0, place;

    for (i = 0; i < f->n_levels; i++)
        if ((double)i != v)
            total += f->count[i];
    place = (size_t)asc_stream_below(stream, total > 0 ? total : 1);
    if (total == 0)
        return f->n_levels == 3 && (v == 0.0 || v == 1.0) ? 1.0 - v : v;
    for (i = 0;; i++) {
        if ((double)i == v)
            continue;
        if (place < f->count[i])
            return (double)i;
        place -= f->count[i];
    }
}

static double
disturb(const struct field *f, double v, double sd, struct asc_stream *stream)
{
    const double change = sqrt(2.0 / M_PI) * sd;
    double u;

    if (f->categorical) {
        u = asc_stream_uniform(stream);
        return u < change ? other_category(f, v, stream) : v;
    }
    if (f->binary && (v == f->pair[0] || v == f->pair[1]))
        return asc_stream_uniform(stream) < change
               ? f->pair[v == f->pair[0]] : v;
    return v + sd * f->sd * asc_stream_normal(stream);
}

/* alternative (n, samples, d) */
static void
draw(const struct asc_metric_task *t, const struct state *s,
     const struct asc_score *b, double *alternative)
{
    const double sd = t->spec->value[SD];
    const size_t samples = (size_t)t->spec->value[SAMPLES];
    struct asc_stream stream;
    size_t i, k, j;

    for (i = 0; i < b->n; i++) {
        asc_stream_start(&stream, t->spec->seed, "pgi", b->id[i].p,
                         b->id[i].n);
        for (k = 0; k < samples; k++)
            for (j = 0; j < b->d; j++)
                *alternative++ = disturb(&s->field[j], b->x[i * b->d + j], sd,
                                         &stream);
    }
}

/* *to = the output for row i with the fields order[begin..end-1] taken from
 * alternative (d); value is the output for the row itself. */
static int
ask_sample(struct asci_probes *probes, const struct asc_score *b, size_t i,
           const size_t *order, size_t begin, size_t end,
           const double *alternative, double value, double *to,
           struct asc_error *e)
{
    const double *x = b->x + i * b->d;
    int status;
    size_t j;
    double *z;

    for (j = begin; j < end; j++)
        if (!asci_same_value(x[order[j]], alternative[order[j]]))
            break;
    if (j == end) {
        *to = value;
        return ASC_OK;
    }
    status = asci_probes_row(probes, b->scale[i], &b->output[i], to, &z, e);
    if (status != ASC_OK)
        return status;
    memcpy(z, x, b->d * sizeof *z);
    for (j = begin; j < end; j++)
        z[order[j]] = alternative[order[j]];
    return ASC_OK;
}

static int
ask_values(struct asci_probes *probes, const struct asc_score *b,
           double *value, struct asc_error *e)
{
    int status = ASC_OK;
    size_t i;
    double *z;

    for (i = 0; i < b->n && status == ASC_OK; i++) {
        status = asci_probes_row(probes, b->scale[i], &b->output[i],
                                 &value[i], &z, e);
        if (status == ASC_OK)
            memcpy(z, b->x + i * b->d, b->d * sizeof *z);
    }
    return status == ASC_OK ? asci_probes_flush(probes, e) : status;
}

int
asci_prediction_gap(const asc_model *m, const struct asc_score *b,
                    const size_t *order, const double *alternative,
                    size_t samples, size_t k_first, size_t k_last,
                    int important, double *gap, struct asc_error *e)
{
    const size_t d = b->d, n_k = k_last - k_first + 1;
    struct asci_probes *probes = NULL;
    double *value = NULL, *y = NULL;
    int status = ASC_ESYSTEM;
    size_t i, k, s;

    probes = asci_probes_new(m, b->n * n_k * samples, e);
    value = asci_alloc(b->n, sizeof *value, e);
    y = asci_alloc(b->n * n_k, samples * sizeof *y, e);
    if (!probes || !value || !y)
        goto out;
    status = ask_values(probes, b, value, e);
    for (i = 0; i < b->n * n_k && status == ASC_OK; i++) {
        const size_t row = i / n_k;

        k = k_first + i % n_k;
        for (s = 0; s < samples && status == ASC_OK; s++)
            status = ask_sample(probes, b, row, order + row * d,
                                important ? 0 : k, important ? k : d,
                                alternative + (row * samples + s) * d,
                                value[row], &y[i * samples + s], e);
    }
    if (status == ASC_OK)
        status = asci_probes_flush(probes, e);
    for (i = 0; i < b->n * n_k && status == ASC_OK; i++) {
        double sum = 0.0;

        for (s = 0; s < samples; s++)
            sum += fabs(y[i * samples + s] - value[i / n_k]);
        gap[i] = sum / (double)samples;
    }
out:
    free(y);
    free(value);
    asci_probes_free(probes);
    return status;
}

static size_t
n_points(const struct asc_metric_task *t, size_t d)
{
    return asci_share_count(t->spec->value[SHARE], d);
}

/* Room for a part of a block. */
struct work {
    size_t rows;
    double *alternative;        /* (rows, samples, d) */
    size_t *order;              /* (rows, d) */
    char *ranked;               /* (rows) */
    double *gap;                /* (rows, n_k) */
    struct asci_ranked *scratch;        /* (d) */
};

static void
work_free(struct work *w)
{
    free(w->scratch);
    free(w->gap);
    free(w->ranked);
    free(w->order);
    free(w->alternative);
}

static int
work_init(struct work *w, size_t n, size_t d, size_t samples, size_t n_k,
          struct asc_error *e)
{
    w->rows = ROWS / samples / n_k;
    if (w->rows > ROOM / samples / d)
        w->rows = ROOM / samples / d;
    if (w->rows > n)
        w->rows = n;
    if (w->rows == 0)
        w->rows = 1;
    w->alternative = asci_alloc(w->rows * samples,
                                d * sizeof *w->alternative, e);
    w->order = asci_alloc(w->rows, d * sizeof *w->order, e);
    w->ranked = asci_alloc(w->rows, 1, e);
    w->gap = asci_alloc(w->rows, n_k * sizeof *w->gap, e);
    w->scratch = asci_alloc(d, sizeof *w->scratch, e);
    return w->alternative && w->order && w->ranked && w->gap && w->scratch
           ? ASC_OK : ASC_ESYSTEM;
}

/* The result of a row from the metric at k' = 1..n_k, or at n_k alone. */
static double
summary(const double *gap, size_t n_k, int auc)
{
    double sum = 0.0;
    size_t k;

    if (!auc || n_k == 1)
        return gap[n_k - 1];
    for (k = 1; k < n_k; k++)
        sum += 0.5 * (gap[k - 1] + gap[k]);
    return sum / (double)(n_k - 1);
}

/* Rows first .. first + n - 1 of the block. */
static int
score_rows(const struct asc_metric_task *t, const struct state *s,
           struct asc_score *b, size_t first, size_t n, size_t n_k,
           int important, struct work *w, struct asc_error *e)
{
    const size_t d = b->d, k = n_points(t, d);
    const size_t samples = (size_t)t->spec->value[SAMPLES];
    const struct asc_score part = {
        .n = n, .d = d, .x = b->x + first * d, .id = b->id + first,
        .output = b->output + first, .scale = b->scale + first
    };
    const enum asci_order by = t->spec->value[ORDER] == 0.0
                               ? ASCI_ORDER_ABSOLUTE : ASCI_ORDER_SIGNED;
    int status;
    size_t i, j;

    for (i = 0; i < n; i++) {
        w->ranked[i] = (char)asci_rank_fields(b->phi + (first + i) * d, d, by,
                                              w->scratch, w->order + i * d);
        for (j = 0; j < d && !w->ranked[i]; j++)
            w->order[i * d + j] = j;
    }
    draw(t, s, &part, w->alternative);
    status = asci_prediction_gap(t->model, &part, w->order, w->alternative,
                                 samples, k - n_k + 1, k, important, w->gap,
                                 e);
    for (i = 0; i < n && status == ASC_OK; i++) {
        double *gap = w->gap + i * n_k;

        for (j = 0; j < n_k && !w->ranked[i]; j++)
            gap[j] = NAN;
        b->result[first + i] = summary(gap, n_k, t->spec->value[AUC] != 0.0);
        for (j = 0; j < n_k && b->curve_x; j++) {
            b->curve_x[(first + i) * n_k + j] = (double)(j + 1) / (double)d;
            b->curve_y[(first + i) * n_k + j] = gap[j];
        }
    }
    return status;
}

static int
score(const struct asc_metric_task *t, const struct state *s,
      struct asc_score *b, int important, struct asc_error *e)
{
    const size_t k = n_points(t, b->d);
    const size_t n_k = t->spec->value[AUC] != 0.0 || b->curve_x ? k : 1;
    struct work w = { 0, NULL, NULL, NULL, NULL, NULL };
    int status = asci_metric_check_block(t, b, e);
    size_t i, now;

    if (status != ASC_OK)
        return status;
    for (i = 0; i < b->n && b->d == 0; i++)
        b->result[i] = NAN;
    if (b->n == 0 || b->d == 0)
        return ASC_OK;
    status = work_init(&w, b->n, b->d, (size_t)t->spec->value[SAMPLES], n_k,
                       e);
    for (i = 0; i < b->n && status == ASC_OK; i += now) {
        now = b->n - i < w.rows ? b->n - i : w.rows;
        status = score_rows(t, s, b, i, now, n_k, important, &w, e);
    }
    work_free(&w);
    return status;
}

static int
run_pgi(const struct asc_metric_task *t, const void *state,
        struct asc_score *b, struct asc_error *e)
{
    return score(t, state, b, 1, e);
}

static int
run_pgu(const struct asc_metric_task *t, const void *state,
        struct asc_score *b, struct asc_error *e)
{
    return score(t, state, b, 0, e);
}

const struct asc_metric asci_metric_pgi = {
    .entry = {
        .name = "pgi",
        .title = "change of the output under noise in the important fields",
        .source = "Agarwal et al. 2022, arXiv:2206.11104",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_DATA | ASC_NEEDS_BACKGROUND |
                  ASC_RANDOM | ASC_HIGHER_IS_BETTER | ASC_CURVE
    },
    .prepare = prepare,
    .run = run_pgi,
    .finish = finish,
    .n_points = n_points
};

const struct asc_metric asci_metric_pgu = {
    .entry = {
        .name = "pgu",
        .title = "change of the output under noise in the other fields",
        .source = "Agarwal et al. 2022, arXiv:2206.11104",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_DATA | ASC_NEEDS_BACKGROUND |
                  ASC_RANDOM | ASC_LOWER_IS_BETTER | ASC_CURVE
    },
    .prepare = prepare,
    .run = run_pgu,
    .finish = finish,
    .n_points = n_points
};
