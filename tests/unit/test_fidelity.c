/* The metrics of asc-fidelity against the sheet's worked examples, Quantus,
 * OpenXAI and algebra. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribute/lime.h"
#include "attribution.h"
#include "metrics/fidelity.h"

/* ---- runs of one metric ---- */

struct scores {
    double *result;             /* (n) */
    size_t n_points;
    double *curve_x, *curve_y;  /* (n, n_points) */
};

static void
scores_free(struct scores *s)
{
    free(s->result);
    free(s->curve_x);
    free(s->curve_y);
}

/* Rows to score, phi (n, d); base and value may be NULL: 0 and f(x). */
struct input {
    const asc_model *m;
    enum asc_scale scale;
    const struct asc_background *background;
    size_t n, output;
    const double *x, *phi, *base, *value;
};

/* Scores in blocks of `block` rows, with the curve if it has one. */
static int
score_blocks(const char *spec, const struct asc_metric *metric,
             const struct input *in, size_t block, int curve,
             struct scores *out, struct asc_error *e)
{
    const size_t n = in->n, d = asc_model_schema(in->m)->n;
    struct asc_specs specs;
    struct asc_metric_task task = { in->m, in->background, NULL };
    struct asc_text *id = malloc(n * sizeof *id + 1);
    char (*text)[24] = malloc(n * sizeof *text + 1);
    double *base = calloc(n + 1, sizeof *base);
    double *value = calloc(n + 1, sizeof *value);
    size_t *output = malloc(n * sizeof *output + 1), i;
    enum asc_scale *scale = malloc(n * sizeof *scale + 1);
    void *state = NULL;
    int status;

    memset(out, 0, sizeof *out);
    set_spec(&specs, spec, &metric->entry, "metric");
    task.spec = &specs.v[0];
    set_ids(id, text, n, 1);
    for (i = 0; i < n; i++) {
        output[i] = in->output;
        scale[i] = in->scale;
        if (in->base)
            base[i] = in->base[i];
        value[i] = in->value ? in->value[i]
                   : output_at(in->m, in->scale, in->x + i * d, in->output);
    }
    status = metric->prepare ? metric->prepare(&task, &state, e) : ASC_OK;
    if (status != ASC_OK)
        goto out;
    if (metric->n_points)
        out->n_points = metric->n_points(&task, d);
    out->result = calloc(n + 1, sizeof *out->result);
    out->curve_x = calloc(n * out->n_points + 1, sizeof *out->curve_x);
    out->curve_y = calloc(n * out->n_points + 1, sizeof *out->curve_y);
    for (i = 0; i < n && status == ASC_OK; i += block) {
        struct asc_score b = {
            .n = n - i < block ? n - i : block, .d = d,
            .x = in->x ? in->x + i * d : NULL, .id = id + i,
            .phi = in->phi + i * d, .base = base + i, .value = value + i,
            .output = output + i, .scale = scale + i,
            .result = out->result + i
        };

        if (curve) {
            b.n_points = out->n_points;
            b.curve_x = out->curve_x + i * out->n_points;
            b.curve_y = out->curve_y + i * out->n_points;
        }
        status = metric->run(&task, state, &b, e);
    }
    if (metric->finish)
        metric->finish(state);
out:
    asc_specs_free(&specs);
    free(scale);
    free(output);
    free(value);
    free(base);
    free(text);
    free(id);
    return status;
}

static struct scores
score(const char *spec, const struct asc_metric *metric,
      const struct input *in)
{
    struct scores out;
    struct asc_error e;

    if (score_blocks(spec, metric, in, in->n,
                     (metric->entry.traits & ASC_CURVE) != 0, &out, &e))
        fail_msg("%s", e.text);
    return out;
}

/* The result for the first row. */
static double
first(const char *spec, const struct asc_metric *metric,
      const struct input *in)
{
    struct scores s = score(spec, metric, in);
    double v = s.result[0];

    scores_free(&s);
    return v;
}

/* Same bits in blocks of any size, with the curve and without. */
static void
check_metric_contract(const char *spec, const struct asc_metric *metric,
                      const struct input *in)
{
    static const size_t blocks[] = { 1, 3, 1000 };
    struct scores whole, part;
    struct asc_error e;
    size_t i;
    int curve, can = (metric->entry.traits & ASC_CURVE) != 0;

    assert_int_equal(score_blocks(spec, metric, in, in->n, can, &whole, &e),
                     ASC_OK);
    for (i = 0; i < 3; i++)
        for (curve = 0; curve <= can; curve++) {
            assert_int_equal(score_blocks(spec, metric, in, blocks[i], curve,
                                          &part, &e), ASC_OK);
            same_bits(part.result, whole.result, in->n);
            if (curve) {
                same_bits(part.curve_x, whole.curve_x,
                          in->n * whole.n_points);
                same_bits(part.curve_y, whole.curve_y,
                          in->n * whole.n_points);
            }
            scores_free(&part);
        }
    scores_free(&whole);
}

/* ---- removal ---- */

/* sigmoid(w.x - 1/2) of the sheet's examples, at x = 1 with phi = w. */
static const double sheet_w[] = { 2, 1, -1, .5, 0 };
static const double ones[] = { 1, 1, 1, 1, 1 };
static const double zeros[] = { 0, 0, 0, 0, 0 };

static asc_model *
sheet_model(size_t d)
{
    const double b = -0.5;
    char fields[6] = { 0 };
    asc_model *m;

    memset(fields, 'x', d);
    m = model_begin(fields);
    add_plain_columns(m, NAN);
    set_linear(m, 1, sheet_w, &b);
    return model_end(m, 2, ASCI_LINK_LOGIT);
}

/* Sheet metrics 2.5. */
static void
aopc_example(void **state)
{
    static const double bins[] = { .01, .05, .1, .2, .5 };
    asc_model *m = sheet_model(5);
    struct asc_background b;
    struct input in = { m, ASC_RESPONSE, &b, 1, 1, ones, sheet_w, NULL, NULL };
    struct scores s;
    size_t i;

    (void)state;
    make_background(m, zeros, 1, &b);
    close_to(output_at(m, ASC_RESPONSE, ones, 1), .880797, 5e-7);
    s = score("comprehensiveness", &asci_metric_comprehensiveness, &in);
    assert_int_equal(s.n_points, 5);
    for (i = 0; i < 5; i++) {
        close_to(s.curve_x[i], bins[i], 0);
        close_to(s.curve_y[i], i < 4 ? .380797 : .698372, 5e-7);
    }
    close_to(s.result[0], .444312, 5e-7);
    scores_free(&s);
    s = score("sufficiency", &asci_metric_sufficiency, &in);
    for (i = 0; i < 5; i++)
        close_to(s.curve_y[i], i < 4 ? .063223 : -.071777, 5e-7);
    close_to(s.result[0], .036223, 5e-7);
    scores_free(&s);
    close_to(first("comprehensiveness:share=0.5",
                   &asci_metric_comprehensiveness, &in), .698372, 5e-7);
    /* by magnitude -1 comes before .5: order 0, 1, 2, 3, 4 */
    close_to(first("comprehensiveness:share=0.5:order=absolute",
                   &asci_metric_comprehensiveness, &in),
             .8807970779778824 - 0.5, 1e-12);
    /* on the raw scale the fall is the sum of what was removed */
    in.scale = ASC_RAW;
    close_to(first("comprehensiveness:share=0.5",
                   &asci_metric_comprehensiveness, &in), 3.5, 1e-15);
    close_to(first("sufficiency:share=0.5", &asci_metric_sufficiency, &in),
             -1.0, 1e-15);
    in.output = 0;
    close_to(first("comprehensiveness:share=0.5",
                   &asci_metric_comprehensiveness, &in), -3.5, 1e-15);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Sheet metrics 11.10, pixel flipping (order 0, 1, 3, 2). */
static void
flipping_example(void **state)
{
    static const double want[] = { .880797, .5, .268941, .182426, .377541 };
    asc_model *m = sheet_model(4);
    struct asc_background b;
    struct input in = { m, ASC_RESPONSE, &b, 1, 1, ones, sheet_w, NULL, NULL };
    struct scores s;
    size_t i;
    double area = 0.0;

    (void)state;
    make_background(m, zeros, 1, &b);
    s = score("deletion", &asci_metric_deletion, &in);
    assert_int_equal(s.n_points, 5);
    for (i = 0; i < 5; i++) {
        close_to(s.curve_x[i], .25 * (double)i, 0);
        close_to(s.curve_y[i], want[i], 5e-7);
    }
    close_to(asci_area((double[]){ 0, 1, 2, 3 }, s.curve_y + 1, 4), .890137,
             5e-7);
    for (i = 0; i < 4; i++)
        area += .25 * (want[i] + want[i + 1]) / 2;
    close_to(s.result[0], area, 5e-7);
    scores_free(&s);
    s = score("deletion:normalise=yes", &asci_metric_deletion, &in);
    for (i = 0; i < 5; i++)
        close_to(s.curve_y[i], (want[i] - want[4]) / (want[0] - want[4]),
                 3e-6);
    close_to(s.result[0], (area - want[4]) / (want[0] - want[4]), 3e-6);
    scores_free(&s);
    /* what is inserted in that order is what is deleted in the reverse one */
    s = score("insertion", &asci_metric_insertion, &in);
    close_to(s.curve_y[0], want[4], 5e-7);
    close_to(s.curve_y[1], .817574, 5e-7);       /* sigmoid(1.5) */
    close_to(s.curve_y[2], .924142, 5e-7);       /* sigmoid(2.5) */
    close_to(s.curve_y[3], .952574, 5e-7);       /* sigmoid(3) */
    close_to(s.curve_y[4], want[0], 5e-7);
    scores_free(&s);
    /* two steps: fields 0 and 1, then all */
    s = score("deletion:steps=2", &asci_metric_deletion, &in);
    assert_int_equal(s.n_points, 3);
    close_to(s.curve_x[1], .5, 0);
    close_to(s.curve_y[1], want[2], 5e-7);
    close_to(s.result[0], .25 * (want[0] + 2 * want[2] + want[4]), 5e-7);
    scores_free(&s);
    /* three steps of four fields: 0, 1, 3, 4 removed */
    s = score("deletion:steps=3", &asci_metric_deletion, &in);
    close_to(s.curve_x[1], .25, 0);
    close_to(s.curve_x[2], .75, 0);
    scores_free(&s);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Quantus 0.6.0 (golden/README.tsv): pixel flipping towards the minimum of
 * the row, signed order; the points after the first removal, and their area
 * in unit steps; every third field of them with steps.  Quantus rounds the rows
 * that it changes to float. */
static void
compare_flipping(const char *name, size_t d, int response)
{
    const char *const scale = response ? "prob" : "logit";
    size_t n, columns, n_steps, i, j;
    double *x = golden_numbers(name, "X", &n, &columns);
    double *phi, *target, *steps[4], *area, place[30], row[30];
    char file[64];
    asc_model *m;

    if (!x)
        skip();
    assert_int_equal(columns, d);
    m = golden_network(name, d, 2, ASCI_LINK_SOFTMAX);
    phi = golden_numbers(name, "attributions", &n, &columns);
    target = golden_numbers(name, "target", &n, &columns);
    snprintf(file, sizeof file, "pixel_flipping_auc_%s", scale);
    area = golden_numbers(name, file, &n, &columns);
    for (i = 1; i <= 3; i++) {
        snprintf(file, sizeof file, "pixel_flipping_step%zu_%s", i, scale);
        steps[i] = golden_numbers(name, file, &n, &columns);
    }
    for (j = 0; j < d; j++)
        place[j] = (double)j;
    for (i = 0; i < n * d; i++)
        x[i] = (double)(float)x[i];
    for (i = 0; i < n; i++) {
        struct input in = { m, response ? ASC_RESPONSE : ASC_RAW, NULL, 1,
                            (size_t)target[i], x + i * d, phi + i * d, NULL,
                            NULL };
        struct asc_background b;
        struct scores s;
        size_t step;

        for (j = 0; j < d; j++) {
            row[j] = x[i * d];
            for (columns = 1; columns < d; columns++)
                row[j] = fmin(row[j], x[i * d + columns]);
        }
        make_background(m, row, 1, &b);
        in.background = &b;
        s = score("deletion", &asci_metric_deletion, &in);
        for (step = 1; step <= 3; step++) {
            n_steps = d / step;
            for (j = 0; j < n_steps; j++)
                close_to(s.curve_y[(j + 1) * step],
                         steps[step][i * n_steps + j], 1e-12);
        }
        close_to(asci_area(place, s.curve_y + 1, d), area[i], 1e-11);
        scores_free(&s);
        snprintf(file, sizeof file, "deletion:steps=%zu", d / 3);
        s = score(file, &asci_metric_deletion, &in);
        for (j = 0; j < d / 3; j++)
            close_to(s.curve_y[j + 1], steps[3][i * (d / 3) + j], 1e-12);
        scores_free(&s);
        asc_background_free(&b);
    }
    asc_model_free(m);
    for (i = 1; i <= 3; i++)
        free(steps[i]);
    free(area);
    free(target);
    free(phi);
    free(x);
}

static void
golden_flipping(void **state)
{
    (void)state;
    compare_flipping("metric_model_tab6", 6, 1);
    compare_flipping("metric_model_tab6", 6, 0);
    compare_flipping("metric_model_tab30", 30, 1);
    compare_flipping("metric_model_tab30", 30, 0);
}

static double
total(const double *x, size_t d, size_t output)
{
    double sum = 0.0;
    size_t j;

    (void)output;
    for (j = 0; j < d; j++)
        sum += isnan(x[j]) ? 100.0 : (double)(j + 1) * x[j];
    return sum;
}

/* Ties keep the order of the fields; shares that rounding would push over a
 * whole number do not; categories and missing values are removed as others
 * are. */
static void
removal_cases(void **state)
{
    const double x[] = { 1, 1, 1, NAN, 2 }, flat[] = { 3, 3, 3, 3, 3 };
    const double b_row[] = { 0, 0, 0, 1, 1 };
    const double hole[] = { 3, NAN, 3, 3, 3 };
    struct counter counter;
    asc_model *m = counting_model("xxxx3", 1, &counter, total);
    struct asc_background b;
    struct input in = { m, ASC_RAW, &b, 1, 0, x, flat, NULL, NULL };
    struct scores s;
    size_t i, order[5];
    struct asci_ranked ranked[5];

    (void)state;
    make_background(m, b_row, 1, &b);
    s = score("deletion", &asci_metric_deletion, &in);
    close_to(s.curve_y[0], 116.0, 0);
    close_to(s.curve_y[1], 115.0, 0);
    close_to(s.curve_y[2], 113.0, 0);
    close_to(s.curve_y[3], 110.0, 0);
    close_to(s.curve_y[4], 14.0, 0);
    close_to(s.curve_y[5], 9.0, 0);
    scores_free(&s);
    counter.rows = counter.calls = 0;
    in.value = flat;            /* the table's value is not looked at */
    close_to(first("comprehensiveness", &asci_metric_comprehensiveness, &in),
             (4 * 1.0 + 6.0) / 5, 1e-15);
    assert_int_equal(counter.rows, 3);
    assert_int_equal(counter.calls, 1);
    in.phi = hole;
    assert_true(isnan(first("comprehensiveness",
                            &asci_metric_comprehensiveness, &in)));
    assert_true(isnan(first("sufficiency", &asci_metric_sufficiency, &in)));
    assert_true(isnan(first("insertion", &asci_metric_insertion, &in)));
    /* f(x) = f(b): no unit to normalise by */
    in.phi = flat;
    in.x = b_row;
    close_to(first("deletion", &asci_metric_deletion, &in), 9.0, 1e-15);
    assert_true(isnan(first("deletion:normalise=yes", &asci_metric_deletion,
                            &in)));
    asc_background_free(&b);
    asc_model_free(m);
    for (i = 1; i < 3000; i++) {
        assert_int_equal(asci_share_count(0.01, i), (i + 99) / 100);
        assert_int_equal(asci_share_count(0.05, i), (i + 19) / 20);
        assert_int_equal(asci_share_count(0.07, i), (7 * i + 99) / 100);
        assert_int_equal(asci_share_count(0.2, i), (i + 4) / 5);
        assert_int_equal(asci_share_count(0.25, i), (i + 3) / 4);
        assert_int_equal(asci_share_count(0.5, i), (i + 1) / 2);
        assert_int_equal(asci_share_count(1.0, i), i);
        assert_int_equal(asci_share_count(0.0, i), 1);
    }
    assert_int_equal(asci_rank_fields((double[]){ 1, -3, 2, -2, 3 }, 5,
                                      ASCI_ORDER_ABSOLUTE, ranked, order), 1);
    for (i = 0; i < 5; i++)
        assert_int_equal(order[i], ((size_t[]){ 1, 4, 2, 3, 0 })[i]);
    assert_int_equal(asci_rank_fields((double[]){ 1, -3, 2, -2, 3 }, 5,
                                      ASCI_ORDER_SIGNED, ranked, order), 1);
    for (i = 0; i < 5; i++)
        assert_int_equal(order[i], ((size_t[]){ 4, 2, 0, 3, 1 })[i]);
}

/* ---- prediction gap ---- */

/* OpenXAI, float32 models (golden/README.tsv): the noise is given; PGI and PGU
 * on output 0, at k = 25 %, 50 %, all, and the area over k. */
static void
golden_gap(void **state)
{
    static const struct { const char *name; size_t k; } sizes[] = {
        { "k0.25", 2 }, { "k0.5", 4 }, { "kall", 8 }
    };
    enum { N = 10, D = 8, SAMPLES = 40 };
    size_t n, d, i, j, k, s, rows, important, order[N * D], output[N];
    double *x = golden_numbers("openxai_model", "X", &n, &d), *phi, *noise;
    double *alternative, gap[N * D], place[D];
    enum asc_scale scale[N];
    struct asci_ranked ranked[D];
    struct asc_score b;
    char file[64];
    asc_model *m;

    (void)state;
    if (!x)
        skip();
    assert_int_equal(n, N);
    assert_int_equal(d, D);
    m = golden_network("openxai_model", D, 2, ASCI_LINK_SOFTMAX);
    phi = golden_numbers("openxai_model", "attributions", &n, &d);
    noise = golden_numbers("openxai_model", "noise", &rows, &d);
    assert_int_equal(rows, SAMPLES);
    alternative = malloc(N * SAMPLES * D * sizeof *alternative);
    for (i = 0; i < N; i++) {
        assert_true(asci_rank_fields(phi + i * D, D, ASCI_ORDER_ABSOLUTE,
                                     ranked, order + i * D));
        output[i] = 0;
        scale[i] = ASC_RESPONSE;
        for (s = 0; s < SAMPLES; s++)
            for (j = 0; j < D; j++)
                alternative[(i * SAMPLES + s) * D + j] = x[i * D + j] +
                                                         noise[s * D + j];
    }
    b = (struct asc_score){ .n = N, .d = D, .x = x, .output = output,
                            .scale = scale };
    for (important = 0; important < 2; important++)
        for (k = 0; k < 3; k++) {
            const size_t K = sizes[k].k;
            const char *const name = important ? "PGI" : "PGU";
            double *plain, *auc;

            assert_int_equal(asci_prediction_gap(m, &b, order, alternative,
                                                 SAMPLES, 1, K,
                                                 (int)important, gap, NULL),
                             ASC_OK);
            snprintf(file, sizeof file, "%s_%s", name, sizes[k].name);
            plain = golden_numbers("openxai_model", file, &n, &d);
            snprintf(file, sizeof file, "%s_auc_%s", name, sizes[k].name);
            auc = golden_numbers("openxai_model", file, &n, &d);
            for (j = 0; j < K; j++)
                place[j] = (double)j / (double)(K - 1);
            /* A probability near 1/2 is good to 6e-8 in float, and the gap is
             * a mean of differences of two. */
            for (i = 0; i < N; i++) {
                close_to(gap[i * K + K - 1], plain[i], 1.2e-7);
                close_to(asci_area(place, gap + i * K, K), auc[i], 1.2e-7);
            }
            free(auc);
            free(plain);
        }
    free(alternative);
    free(noise);
    free(phi);
    asc_model_free(m);
    free(x);
}

/* Sheet metrics 11.10: a linear output with weight 2 on the one important
 * field, sd 0.1: 2 * 0.1 sqrt(2 / pi) = 0.159577; here in units of the field's
 * own sd.  The area for 0, .5, .667 is .41675. */
static void
gap_example(void **state)
{
    const double w[] = { 2.0, 0.5, 1.0 }, b0 = 0.0, x[] = { 1, 1, 1 };
    const double phi[] = { 2.0, 0.5, 0.0 };
    /* sds (divisor n - 1): 3, 1, 0 */
    const double rows[] = { 1, 0, 5, 4, 1, 5, 7, 2, 5 };
    asc_model *m = model_begin("xxx");
    struct asc_background b;
    struct input in = { m, ASC_RAW, &b, 1, 0, x, phi, NULL, NULL };
    const double half = 0.1 * sqrt(2 / M_PI);
    struct scores s;

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, w, &b0);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, rows, 3, &b);
    close_to(2 * half, .159577, 5e-7);
    /* |N| has sd sqrt(1 - 2 / pi) = 0.603 */
    close_to(first("pgi:samples=100000", &asci_metric_pgi, &in),
             3 * 2 * half, 5 * 6 * .0603 / sqrt(1e5));
    close_to(first("pgu:samples=100000", &asci_metric_pgu, &in), half / 2,
             5 * .5 * .0603 / sqrt(1e5));
    close_to(first("pgi:samples=100000:sd=0.2", &asci_metric_pgi, &in),
             2 * 3 * 2 * half, 5 * 2 * 6 * .0603 / sqrt(1e5));
    close_to(first("pgu:share=1", &asci_metric_pgu, &in), 0.0, 0);
    s = score("pgi:share=1:samples=50", &asci_metric_pgi, &in);
    assert_int_equal(s.n_points, 3);
    close_to(s.curve_x[0], 1.0 / 3.0, 0);
    close_to(s.curve_y[0], first("pgi:samples=50", &asci_metric_pgi, &in), 0);
    close_to(s.curve_y[2], s.result[0], 0);
    close_to(s.curve_y[2], s.curve_y[1], 0);    /* field 2 has no sd */
    close_to(first("pgi:share=1:samples=50:auc=yes", &asci_metric_pgi, &in),
             .25 * s.curve_y[0] + .5 * s.curve_y[1] + .25 * s.curve_y[2],
             1e-15);
    scores_free(&s);
    close_to(asci_area((double[]){ 0, .5, 1 }, (double[]){ 0, .5, .667 }, 3),
             .41675, 1e-15);
    asc_background_free(&b);
    asc_model_free(m);
}

static double
one_hot(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return isnan(x[0]) ? 1000.0 : pow(10.0, x[0]);
}

/* Categories change with probability sqrt(2 / pi) sd to others by their
 * frequency, fields of two values likewise; a missing number stays. */
static void
gap_categories(void **state)
{
    enum { N = 100000 };
    const double rows[] = { 0, 1, 1, 1, 2, 0 };
    const double phi[] = { 1.0 }, two[] = { 5, 7, 5, 5, 7, 7 };
    const double p = 0.3 * sqrt(2 / M_PI);
    const double x[] = { 0, 1, NAN };
    struct counter counter;
    asc_model *m = counting_model("4", 1, &counter, one_hot);
    struct asc_background b;
    struct input in = { m, ASC_RAW, &b, 1, 0, x, phi, NULL, NULL };

    (void)state;
    make_background(m, rows, 6, &b);
    /* from 0: 3 of 4 to 1 (a gap of 9), 1 of 4 to 2 (99) */
    close_to(first("pgi:sd=0.3:samples=100000", &asci_metric_pgi, &in),
             p * (9 * .75 + 99 * .25), 5 * 99 * sqrt(p / 4 / N));
    assert_true(counter.rows < 0.26 * N);
    in.x = x + 1;               /* from 1: 2 of 3 to 0 (9), else 2 (90) */
    close_to(first("pgi:sd=0.3:samples=100000", &asci_metric_pgi, &in),
             p * (9 * 2 / 3. + 90 / 3.), 5 * 90 * sqrt(p / 3 / N));
    in.x = x + 2;               /* missing is a category */
    close_to(first("pgi:sd=0.3:samples=100000", &asci_metric_pgi, &in),
             p * (999 * 2 / 6. + 990 * 3 / 6. + 900 / 6.),
             5 * 999 * sqrt(p / N));
    asc_background_free(&b);
    asc_model_free(m);
    m = counting_model("2", 1, &counter, one_hot);
    make_background(m, zeros, 2, &b);
    in = (struct input){ m, ASC_RAW, &b, 1, 0, x, phi, NULL, NULL };
    /* the other one of two, although the background has not got it */
    close_to(first("pgi:sd=0.3:samples=100000", &asci_metric_pgi, &in), 9 * p,
             5 * 9 * sqrt(p / N));
    close_to(first("pgi:sd=2", &asci_metric_pgi, &in), 9.0, 0);
    asc_background_free(&b);
    asc_model_free(m);
    m = counting_model("x", 1, &counter, total);
    make_background(m, two, 6, &b);
    in = (struct input){ m, ASC_RAW, &b, 1, 0, two, phi, NULL, NULL };
    close_to(first("pgi:sd=0.3:samples=100000", &asci_metric_pgi, &in), 2 * p,
             5 * 2 * sqrt(p / N));
    in.x = ones;                /* neither of the two: sd 1.0954 */
    close_to(first("pgi:sd=0.3:samples=100000", &asci_metric_pgi, &in),
             p * sqrt(1.2), 5 * .3 * .603 * 1.1 / sqrt(N));
    in.x = x + 2;
    counter.rows = 0;
    close_to(first("pgi:sd=0.3", &asci_metric_pgi, &in), 0.0, 0);
    /* f(x), and what the test itself asks */
    assert_int_equal(counter.rows, 2);
    asc_background_free(&b);
    asc_model_free(m);
}

/* ---- surrogates ---- */

/* Sheet metrics 1.5: B and E of 12 rows in groups of four. */
static void
surrogate_example(void **state)
{
    const double B[] = { 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1 };
    const double E[] = { .9, .2, .6, .4, .4, .1, .7, .3, .6, .2, .55, .8 };
    const double accuracy[] = { 1.0, .5, .75 };
    const double residual[] = { -.025, .375, -.0375 };
    const double magnitude[] = { .275, .425, .3625 };
    double phi[12 * 2], base[12], x[12 * 2] = { 0 };
    asc_model *m = sheet_model(2);
    struct asc_background b;
    struct input in = { m, ASC_RESPONSE, &b, 12, 1, x, phi, base, B };
    struct scores a, r, g;
    size_t i, j;

    (void)state;
    make_background(m, zeros, 1, &b);
    for (i = 0; i < 12; i++) {
        base[i] = .25;
        phi[2 * i] = 1.0;
        phi[2 * i + 1] = E[i] - 1.25;
    }
    a = score("lime-fidelity:measure=accuracy", &asci_metric_lime_fidelity,
              &in);
    r = score("lime-residual", &asci_metric_lime_residual, &in);
    g = score("lime-residual:sign=absolute", &asci_metric_lime_residual, &in);
    for (i = 0; i < 3; i++) {
        double mean[3] = { 0 };

        for (j = 4 * i; j < 4 * i + 4; j++) {
            mean[0] += a.result[j] / 4;
            mean[1] += r.result[j] / 4;
            mean[2] += g.result[j] / 4;
        }
        close_to(mean[0], accuracy[i], 1e-15);
        close_to(mean[1], residual[i], 1e-15);
        close_to(mean[2], magnitude[i], 1e-15);
    }
    scores_free(&a);
    scores_free(&r);
    scores_free(&g);
    asc_background_free(&b);
    asc_model_free(m);
}

/* 0.1 + 0.2 + 0.3 is 1e-16 more than 0.6: no residual, and the same side.  A
 * millionth is one. */
static void
surrogate_rounding(void **state)
{
    const double value[] = { .6, .5, .6 }, base[] = { 0, 0, 1e-6 };
    const double phi[] = { .1 + .2, .3, -.1 + .3, .3 - 1e-16, .3, .3 };
    const double x[3 * 2] = { 0 };
    asc_model *m = sheet_model(2);
    struct asc_background b;
    struct input in = { m, ASC_RESPONSE, &b, 3, 1, x, phi, base, value };
    struct scores a, r;

    (void)state;
    make_background(m, zeros, 1, &b);
    a = score("lime-fidelity:measure=accuracy", &asci_metric_lime_fidelity,
              &in);
    r = score("lime-residual", &asci_metric_lime_residual, &in);
    assert_true(phi[0] + phi[1] > .6 && phi[2] + phi[3] < .5);
    assert_true(r.result[0] == 0 && r.result[1] == 0);
    assert_true(a.result[0] == 1 && a.result[1] == 1);
    close_to(r.result[2], -1e-6, 1e-15);
    scores_free(&a);
    scores_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Where the two sides of an output meet, on both scales of every link. */
static void
sides(void **state)
{
    static const struct {
        enum asci_link link;
        size_t n_raw, n;
        double raw[2];          /* of outputs 0 and 1; NaN: none */
    } cases[] = {
        { ASCI_LINK_LOGIT, 1, 2, { 0, 0 } },
        { ASCI_LINK_PROBIT, 1, 2, { 0, 0 } },
        { ASCI_LINK_CAUCHIT, 1, 2, { 0, 0 } },
        { ASCI_LINK_CLOGLOG, 1, 2, { 0.36651292, -0.36651292 } },
        { ASCI_LINK_LOGLOG, 1, 2, { -0.36651292, 0.36651292 } },
        { ASCI_LINK_SOFTMAX, 2, 2, { NAN, NAN } },
        { ASCI_LINK_NONE, 2, 2, { .5, .5 } },
        { ASCI_LINK_LOGIT, 1, 1, { NAN, NAN } }
    };
    const double w[] = { 1.0, 1.0 }, x[] = { 0, 0, 0 };
    size_t i, o, k;
    int above, scale;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        asc_model *m = model_begin("x");
        struct asc_background b;

        add_plain_columns(m, 0.0);
        set_linear(m, cases[i].n_raw, w, zeros);
        model_end(m, cases[i].n, cases[i].link);
        make_background(m, zeros, 1, &b);
        for (o = 0; o < cases[i].n; o++)
            for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
                const double at = cases[i].n == 1 ? NAN
                    : scale == ASC_RESPONSE ? .5 : cases[i].raw[o];

                for (above = 0; above < 2; above++) {
                    /* E just below, just above, and well above */
                    const double base[] = { at - 1e-6, at + 1e-6, at + 1 };
                    const double value[] = {
                        above ? at + .2 : at - .2, above ? at + .2 : at - .2,
                        above ? at + .2 : at - .2
                    };
                    struct input in = { m, (enum asc_scale)scale, &b, 3, o,
                                        x, zeros, base, value };
                    struct scores s = score("lime-fidelity:measure=accuracy",
                                            &asci_metric_lime_fidelity, &in);

                    for (k = 0; k < 3; k++)
                        close_to(s.result[k], isnan(at) ? NAN
                                 : (k > 0) == above, 0);
                    scores_free(&s);
                }
            }
        asc_background_free(&b);
        asc_model_free(m);
    }
}

static double
bumpy(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return sin(2.0 * x[0]) + x[0] * x[1] + (x[2] == 1.0 ? 2.0 : x[1]);
}

static const double land[][3] = {
    { 0.1, 0.3, 0 }, { -0.7, 0.9, 1 }, { 1.3, -0.4, 2 }, { 0.6, 0.8, 1 },
    { -1.2, 0.1, 0 }, { 0.4, -1.1, 1 }, { 2.0, 0.5, 1 }
};
enum { LAND = sizeof land / sizeof *land };

/* The score that scikit-learn's Ridge reports with sample weights, from its
 * definition. */
static double
weighted_r2(const struct asci_near *near, double base, const double *phi)
{
    double z[3], w = 0.0, mean = 0.0, rest = 0.0, all = 0.0;
    size_t i, j;

    for (i = 0; i < near->n; i++) {
        w += near->weight[i];
        mean += near->weight[i] * *asci_near_outputs(near, i);
    }
    mean /= w;
    for (i = 0; i < near->n; i++) {
        const double y = *asci_near_outputs(near, i);
        double g = base;

        asci_near_point(near, i, z);
        for (j = 0; j < 3; j++)
            g += phi[j] + phi[j] * (z[j] - near->own[j]);
        rest += near->weight[i] * (y - g) * (y - g);
        all += near->weight[i] * (y - mean) * (y - mean);
    }
    return 1.0 - rest / all;
}

/* LIME's own coefficients, without a penalty, have the largest R2 there is, and
 * 1 for a model that is linear in its coordinates; other attributions are
 * judged in the same way. */
static void
local_r2(void **state)
{
    static const char *const options[] = { "", ":discretise=none",
                                           ":design=row", ":width=0.5" };
    struct counter counter;
    asc_model *m = counting_model("xx3", 1, &counter, bumpy);
    struct asc_background b;
    struct input in = { m, ASC_RAW, &b, 1, 0, land[3], NULL, NULL, NULL };
    size_t i, j;

    (void)state;
    make_background(m, land[0], LAND, &b);
    for (i = 0; i < 4; i++) {
        struct asci_lime_setup setup = {
            .model = m, .scale = ASC_RAW, .background = &b, .seed = 1,
            .samples = 500, .width = i == 3 ? 0.5 : 0.0,
            .bins = i == 1 ? ASCI_LIME_NONE : ASCI_LIME_QUARTILE,
            .design = i == 2 ? ASCI_LIME_ROW : ASCI_LIME_SHARED
        };
        const struct asc_text id = { "1", 1 };
        const double value = bumpy(land[3], 3, 0);
        struct asci_lime *l;
        struct asci_near near;
        char lime[80], metric[80];
        struct explanation r;
        double best, phi[3];

        snprintf(lime, sizeof lime, "lime:samples=500:ridge=0%s", options[i]);
        snprintf(metric, sizeof metric, "lime-fidelity:samples=500%s",
                 options[i]);
        assert_int_equal(asci_lime_new(&setup, &l, NULL), ASC_OK);
        assert_int_equal(asci_near_init(&near, l, NULL), ASC_OK);
        assert_int_equal(asci_near_move(&near, land[3], &value, id, NULL),
                         ASC_OK);
        r = explain(lime, &asci_method_lime, m, ASC_RAW, &b, land[3], 1, 0);
        in.phi = r.phi;
        in.base = r.base;
        best = first(metric, &asci_metric_lime_fidelity, &in);
        close_to(best, weighted_r2(&near, r.base[0], r.phi), 1e-12);
        assert_true(best > 0.2 && best < 1.0);
        memcpy(phi, r.phi, sizeof phi);
        in.phi = phi;
        for (j = 0; j < 6; j++) {
            phi[j % 3] += j < 3 ? 0.01 : -0.01;
            assert_true(first(metric, &asci_metric_lime_fidelity, &in) <
                        best);
            close_to(first(metric, &asci_metric_lime_fidelity, &in),
                     weighted_r2(&near, r.base[0], phi), 1e-12);
            phi[j % 3] = r.phi[j % 3];
        }
        explanation_free(&r);
        asci_near_free(&near);
        asci_lime_free(l);
    }
    asc_background_free(&b);
    asc_model_free(m);
}

static double
by_category(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return 3.0 - 2.0 * x[0] + 0.5 * x[1];
}

static void
perfect_r2(void **state)
{
    const double rows[] = { 0, 0, 1, 1, 0, 1 }, phi[] = { 2.0, 0.5 };
    const double flat[] = { 0, 0, 0, 0 };
    const double x[] = { 0, 1 }, base = 1.0, nothing = NAN;
    struct counter counter;
    asc_model *m = counting_model("22", 1, &counter, by_category);
    struct asc_background b;
    struct input in = { m, ASC_RAW, &b, 1, 0, x, phi, &base, NULL };

    (void)state;
    make_background(m, rows, 3, &b);
    close_to(first("lime-fidelity", &asci_metric_lime_fidelity, &in), 1.0,
             1e-14);
    in.base = &nothing;
    assert_true(isnan(first("lime-fidelity", &asci_metric_lime_fidelity,
                            &in)));
    assert_true(isnan(first("lime-residual", &asci_metric_lime_residual,
                            &in)));
    asc_background_free(&b);
    /* a model that does not vary: undefined */
    in.base = &base;
    make_background(m, flat, 2, &b);
    in.x = flat;
    assert_true(isnan(first("lime-fidelity", &asci_metric_lime_fidelity,
                            &in)));
    asc_background_free(&b);
    asc_model_free(m);
}

/* ---- all of them ---- */

static void
metric_contract(void **state)
{
    static const struct { const char *spec; size_t metric; } runs[] = {
        { "comprehensiveness", 0 }, { "comprehensiveness:share=0.4", 0 },
        { "sufficiency:order=absolute", 1 }, { "deletion", 2 },
        { "deletion:normalise=yes:steps=3", 2 }, { "insertion", 3 },
        { "pgi:samples=20", 4 }, { "pgi:samples=20:auc=yes:share=0.7", 4 },
        { "pgu:samples=20", 5 }, { "lime-fidelity:samples=100", 6 },
        { "lime-fidelity:samples=100:design=row:discretise=none", 6 },
        { "lime-fidelity:measure=accuracy", 6 }, { "lime-residual", 7 }
    };
    enum { N = 23, D = 5 };
    asc_model *m = model_begin("xx3x2");
    double rows[40 * D], phi[N * D], base[N];
    struct asc_background b;
    struct asc_stream s;
    size_t i, n;
    const struct asc_metric *const *metrics = asc_fidelity_metrics(&n);
    int scale;

    (void)state;
    assert_int_equal(n, 8);
    asc_stream_start(&s, 1, "rows", "", 0);
    add_plain_columns(m, 0.0);
    add_random_layer(m, &s, 6, ASCI_TANH);
    add_random_layer(m, &s, 2, ASCI_IDENTITY);
    model_end(m, 2, ASCI_LINK_SOFTMAX);
    for (i = 0; i < 40 * D; i++)
        rows[i] = asc_stream_uniform(&s) < 0.1 ? NAN
                  : i % D == 2 || i % D == 4
                  ? (double)asc_stream_below(&s, i % D == 2 ? 3 : 2)
                  : asc_stream_normal(&s);
    random_numbers(&s, phi, N * D, 1.0);
    random_numbers(&s, base, N, 1.0);
    make_background(m, rows, 40, &b);
    for (i = 0; i < sizeof runs / sizeof *runs; i++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            const struct input in = { m, (enum asc_scale)scale, &b, N, 1,
                                      rows + D, phi, base, NULL };

            check_metric_contract(runs[i].spec, metrics[runs[i].metric], &in);
        }
    asc_background_free(&b);
    asc_model_free(m);
}

/* Rows of one block on different scales, and of different outputs. */
static void
mixed_block(void **state)
{
    static const char *const specs[] = {
        "comprehensiveness", "sufficiency", "deletion", "insertion", "pgi",
        "pgu", "lime-fidelity:samples=50", "lime-residual"
    };
    const enum asc_scale scale[] = { ASC_RAW, ASC_RESPONSE, ASC_RAW,
                                     ASC_RESPONSE };
    const size_t output[] = { 0, 0, 1, 1 };
    const struct asc_text id[] = { { "1", 1 }, { "1", 1 }, { "1", 1 },
                                   { "1", 1 } };
    const double rows[] = { 0, 1, 1, 0, 2, 2, -1, 3 };
    double x[8], phi[8], base[4], value[4], result[4];
    asc_model *m = sheet_model(2);
    struct asc_background b;
    struct asc_error e;
    size_t i, k, n;
    const struct asc_metric *const *metrics = asc_fidelity_metrics(&n);

    (void)state;
    make_background(m, rows, 4, &b);
    for (i = 0; i < 4; i++) {
        x[2 * i] = x[2 * i + 1] = 1.0;
        phi[2 * i] = 0.3;
        phi[2 * i + 1] = -0.2;
        base[i] = 0.25;
        value[i] = output_at(m, scale[i], x, output[i]);
    }
    for (k = 0; k < n; k++) {
        struct asc_specs set;
        struct asc_metric_task task = { m, &b, NULL };
        struct asc_score block = {
            .n = 4, .d = 2, .x = x, .id = id, .phi = phi, .base = base,
            .value = value, .output = output, .scale = scale,
            .result = result
        };
        void *own = NULL;

        set_spec(&set, specs[k], &metrics[k]->entry, "metric");
        task.spec = &set.v[0];
        if (metrics[k]->prepare)
            assert_int_equal(metrics[k]->prepare(&task, &own, &e), ASC_OK);
        assert_int_equal(metrics[k]->run(&task, own, &block, &e), ASC_OK);
        if (metrics[k]->finish)
            metrics[k]->finish(own);
        for (i = 0; i < 4; i++) {
            const struct input in = { m, scale[i], &b, 1, output[i], x, phi,
                                      base, value + i };

            close_to(first(specs[k], metrics[k], &in), result[i], 0);
        }
        asc_specs_free(&set);
    }
    asc_background_free(&b);
    asc_model_free(m);
}

/* Undefined where the model has no answer; nothing to do for no rows. */
static double
silent(const double *x, size_t d, size_t output)
{
    (void)x;
    (void)d;
    (void)output;
    return NAN;
}

static void
no_answer(void **state)
{
    const double rows[] = { 0, 1, 1, 0 }, x[] = { 1, 1 }, phi[] = { 1, 2 };
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, silent);
    struct asc_background b;
    struct input in = { m, ASC_RAW, &b, 1, 0, x, phi, NULL, NULL };
    size_t k, n;
    const struct asc_metric *const *metrics = asc_fidelity_metrics(&n);

    (void)state;
    make_background(m, rows, 2, &b);
    for (k = 0; k < n; k++) {
        struct scores s;

        assert_true(isnan(first(metrics[k]->entry.name, metrics[k], &in)));
        in.n = 0;
        s = score(metrics[k]->entry.name, metrics[k], &in);
        scores_free(&s);
        in.n = 1;
    }
    asc_background_free(&b);
    asc_model_free(m);
}

static void
misuse(void **state)
{
    const double x[] = { 1, 1 }, phi[] = { 1, 2 };
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, total);
    struct asc_background b;
    struct input in = { m, ASC_RAW, NULL, 1, 0, x, phi, NULL, x };
    struct asc_error e;
    struct scores s;

    (void)state;
    assert_int_equal(score_blocks("deletion", &asci_metric_deletion, &in, 1,
                                  0, &s, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "deletion needs a baseline for fields that "
                        "are removed: give its row, or background rows, with "
                        "-b");
    assert_int_equal(score_blocks("pgi", &asci_metric_pgi, &in, 1, 0, &s, &e),
                     ASC_EUSAGE);
    assert_string_equal(e.text, "pgi needs background rows: give them with "
                        "-b");
    make_background(m, zeros, 1, &b);
    in.background = &b;
    assert_int_equal(score_blocks("pgi", &asci_metric_pgi, &in, 1, 0, &s, &e),
                     ASC_EUSAGE);
    assert_string_equal(e.text, "pgi measures noise in standard deviations of "
                        "the background, which has one row: give more with "
                        "-b");
    in.x = NULL;
    assert_int_equal(score_blocks("deletion", &asci_metric_deletion, &in, 1,
                                  0, &s, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "deletion looks at the rows explained: give "
                        "them with -x");
    scores_free(&s);
    asc_background_free(&b);
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aopc_example),
        cmocka_unit_test(flipping_example),
        cmocka_unit_test(golden_flipping),
        cmocka_unit_test(removal_cases),
        cmocka_unit_test(golden_gap),
        cmocka_unit_test(gap_example),
        cmocka_unit_test(gap_categories),
        cmocka_unit_test(surrogate_example),
        cmocka_unit_test(surrogate_rounding),
        cmocka_unit_test(sides),
        cmocka_unit_test(local_r2),
        cmocka_unit_test(perfect_r2),
        cmocka_unit_test(metric_contract),
        cmocka_unit_test(mixed_block),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(misuse)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
