/* Mean gradients along lines, against a plain search for the kinks, and the
 * sum that they must have. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribution.h"
#include "seed.h"

enum { D = 4, N = 24, MOST = 64, PARTS = 32 };

static double at[MOST];

static const double *
point(const double *from, const double *to, size_t c, double t)
{
    size_t j;

    for (j = 0; j < c; j++)
        at[j] = (1.0 - t) * from[j] + t * to[j];
    return at;
}

static void
slope_at(const asc_model *m, enum asc_scale scale, size_t output,
         const double *from, const double *to, double t, double *g)
{
    double y;
    struct asc_error e;

    if (asci_form_gradient(m, scale, point(from, to, m->encoder.n, t), 1,
                           &output, &y, g, &e))
        fail_msg("%s", e.text);
}

/* sum (c): the mean on a..b times its length: where gradients at five places differ,
 * of both halves, down to lengths that do not matter.  Smooth functions of a
 * piece by Simpson's rule. */
static void
search(const asc_model *m, enum asc_scale scale, size_t output,
       const double *from, const double *to, double a, double b, double *sum)
{
    const size_t c = m->encoder.n;
    double g[5][MOST], whole, halves, worst = 0.0;
    size_t i, j;

    for (i = 0; i < 5; i++)
        slope_at(m, scale, output, from, to, a + 0.25 * (double)i * (b - a),
                 g[i]);
    for (j = 0; j < c; j++) {
        whole = (g[0][j] + 4.0 * g[2][j] + g[4][j]) / 6.0;
        halves = (g[0][j] + 4.0 * g[1][j] + 2.0 * g[2][j] + 4.0 * g[3][j] +
                  g[4][j]) / 12.0;
        worst = fmax(worst, fabs(whole - halves));
    }
    if (worst * (b - a) > 3e-10) {
        search(m, scale, output, from, to, a, 0.5 * (a + b), sum);
        search(m, scale, output, from, to, 0.5 * (a + b), b, sum);
        return;
    }
    for (j = 0; j < c; j++)
        sum[j] += (b - a) * (g[0][j] + 4.0 * g[1][j] + 2.0 * g[2][j] +
                             4.0 * g[3][j] + g[4][j]) / 12.0;
}

static double
raw_value(const asc_model *m, enum asc_scale scale, size_t output,
          const double *columns)
{
    double r[8], y[8];

    assert_int_equal(asci_form_raw(m, columns, 1, r, NULL), ASC_OK);
    asci_outputs(m, scale, r, 1, y);
    return y[output];
}

static void
compare(const asc_model *m, enum asc_scale scale, struct asc_stream *s,
        size_t n, size_t in_full, double tolerance)
{
    const size_t c = m->encoder.n, q = m->n_outputs;
    double *from = malloc(c * sizeof *from);
    double *to = malloc(n * c * sizeof *to);
    double *g = malloc(n * q * c * sizeof *g), sum[MOST];
    size_t *output = malloc(n * q * sizeof *output), i, j, k;
    struct asci_rays *r;
    struct asc_error e;

    random_numbers(s, from, c, 1.0);
    random_numbers(s, to, n * c, 1.5);
    for (i = 0; i < n * q; i++)
        output[i] = i % q;
    assert_true(asci_form_has_rays(m));
    r = asci_rays_new(m, scale, &e);
    assert_non_null(r);
    if (asci_rays_run(r, from, to, n, output, q, g, &e))
        fail_msg("%s", e.text);
    for (i = 0; i < n; i++)
        for (k = 0; k < q; k++) {
            const double *x = to + i * c, *got = g + (i * q + k) * c;
            const double y1 = raw_value(m, scale, k, x);
            const double y0 = raw_value(m, scale, k, from);
            double total = 0.0, size = fabs(y1) + fabs(y0);

            for (j = 0; j < c; j++) {
                total += got[j] * (x[j] - from[j]);
                size += fabs(got[j] * (x[j] - from[j]));
            }
            close_to(total, y1 - y0, 1e-13 * size);
            if (i >= in_full)
                continue;
            memset(sum, 0, sizeof sum);
            for (j = 0; j < PARTS; j++)
                search(m, scale, k, from, x, (double)j / PARTS,
                       (double)(j + 1) / PARTS, sum);
            for (j = 0; j < c; j++)
                close_to(got[j], sum[j], tolerance);
        }
    asci_rays_free(r);
    free(output);
    free(g);
    free(to);
    free(from);
}

static asc_model *
relu_network(struct asc_stream *s, const size_t *width, size_t n_layers,
             enum asci_activation hidden, enum asci_activation last,
             size_t outputs, enum asci_link link)
{
    char fields[MOST + 1] = { 0 };
    asc_model *m;
    size_t l;

    memset(fields, 'x', width[0]);
    m = model_begin(fields);
    add_plain_columns(m, NAN);
    for (l = 1; l < n_layers; l++)
        add_random_layer(m, s, width[l], l == 2 ? hidden : ASCI_RELU);
    add_random_layer(m, s, width[n_layers], last);
    return model_end(m, outputs, link);
}

/* Depths 1 to 5, one output and several, all kinds of ends. */
static void
networks(void **state)
{
    static const size_t shapes[][6] = {
        { 3, 1 }, { D, 7, 1 }, { D, 6, 9, 1 }, { D, 8, 5, 7, 1 },
        { D, 5, 6, 5, 4, 1 }, { 2, 3 }, { D, 7, 3 }, { D, 6, 9, 3 },
        { 3, 8, 5, 7, 3 }
    };
    static const size_t n_layers[] = { 1, 2, 3, 4, 5, 1, 2, 3, 4 };
    struct asc_stream s;
    size_t i;
    int scale;

    (void)state;
    asc_stream_start(&s, test_seed(1), "rays", "", 0);
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            const size_t k = shapes[i][n_layers[i]];
            asc_model *m = relu_network(&s, shapes[i], n_layers[i], ASCI_RELU,
                                        ASCI_IDENTITY, k == 1 ? 2 : 3,
                                        k == 1 ? ASCI_LINK_LOGIT
                                               : ASCI_LINK_SOFTMAX);

            compare(m, (enum asc_scale)scale, &s, N, 2, 1e-7);
            asc_model_free(m);
        }
}

/* Layers without activation in between, and activations of the last one. */
static void
ends(void **state)
{
    static const size_t shape[] = { D, 6, 9, 5, 1 }, wide[] = { D, 6, 5, 4, 3 };
    static const enum asci_activation last[] = {
        ASCI_TANH, ASCI_LOGISTIC, ASCI_RELU, ASCI_ARCTAN, ASCI_SQUARE
    };
    struct asc_stream s;
    asc_model *m;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(2), "rays", "", 0);
    for (i = 0; i < sizeof last / sizeof *last; i++) {
        m = relu_network(&s, shape, 4, ASCI_IDENTITY, last[i], 1,
                         ASCI_LINK_NONE);
        compare(m, ASC_RAW, &s, 6, 1, 1e-7);
        asc_model_free(m);
        m = relu_network(&s, wide, 4, ASCI_IDENTITY, last[i], 3,
                         ASCI_LINK_NONE);
        compare(m, ASC_RAW, &s, 6, 1, 1e-7);
        asc_model_free(m);
    }
    m = relu_network(&s, wide, 4, ASCI_RELU, ASCI_LOGISTIC, 3,
                     ASCI_LINK_SIMPLEMAX);
    compare(m, ASC_RESPONSE, &s, 6, 1, 1e-7);
    asc_model_free(m);
}

/* Differences of outputs, whose parts may have two links. */
static void
contrasts(void **state)
{
    static const size_t wide[] = { D, 6, 5, 3 };
    static const enum asci_link links[] = {
        ASCI_LINK_SOFTMAX, ASCI_LINK_LOGIT, ASCI_LINK_CLOGLOG
    };
    const size_t of[] = { 0, 2 }, against[] = { 1, 0 };
    struct asc_stream s;
    size_t i;
    int scale;

    (void)state;
    asc_stream_start(&s, test_seed(3), "rays", "", 0);
    for (i = 0; i < 3; i++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            asc_model *m = relu_network(&s, wide, 3, ASCI_RELU, ASCI_IDENTITY,
                                        3, links[i]);
            asc_model *c = asc_model_contrast(m, (enum asc_scale)scale, of,
                                              against, 2, NULL);

            assert_non_null(c);
            compare(c, (enum asc_scale)scale, &s, 6, 1, 1e-7);
            asc_model_free(c);
            asc_model_free(m);
        }
}

/* Clamped and rounded outputs: a jump is a steep slope, so sums hold. */
static void
clamped(void **state)
{
    static const size_t shape[] = { D, 6, 5, 1 };
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(4), "rays", "", 0);
    for (i = 0; i < 2; i++) {
        asc_model *m = relu_network(&s, shape, 3, ASCI_RELU, ASCI_IDENTITY, 1,
                                    ASCI_LINK_NONE);

        m->rescale = calloc(1, sizeof *m->rescale);
        *m->rescale = (struct asci_rescale){ 2.0, 1.0, -0.25, 0.3, (int)i };
        if (i == 0)
            compare(m, ASC_RESPONSE, &s, N, 2, 1e-7);
        else
            compare(m, ASC_RESPONSE, &s, N, 0, 0.0);
        asc_model_free(m);
    }
}

/* Many crossings, steep softmax; the sums alone, and some rows in full. */
static void
large(void **state)
{
    static const size_t shapes[][5] = {
        { 20, 64, 48, 1 }, { 12, 40, 40, 30, 5 }
    };
    static const size_t n_layers[] = { 3, 4 };
    struct asc_stream s;
    size_t i, k;
    int scale;

    (void)state;
    asc_stream_start(&s, test_seed(5), "rays", "", 0);
    for (i = 0; i < 2; i++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            asc_model *m = relu_network(&s, shapes[i], n_layers[i], ASCI_RELU,
                                        ASCI_IDENTITY, i ? 5 : 1,
                                        i ? ASCI_LINK_SOFTMAX
                                          : ASCI_LINK_NONE);
            struct asci_layer *last = &m->u.network.layer[n_layers[i] - 1];

            for (k = 0; k < last->n_out * last->n_in; k++)
                last->w[k] *= 10.0;
            assert_int_equal(asci_model_finish(m, NULL), ASC_OK);
            compare(m, (enum asc_scale)scale, &s, 150, 1, 2e-7);
            asc_model_free(m);
        }
}

/* Blocks do not show, a line of no length has the gradient, and NaN is NaN. */
static void
contract(void **state)
{
    static const size_t shape[] = { D, 9, 8, 6, 3 };
    double from[D], to[N * D], g[N * 3 * D], one[3 * D], slope[D];
    size_t output[N * 3], i, k;
    struct asci_rays *r;
    struct asc_stream s;
    asc_model *m;
    int scale;

    (void)state;
    asc_stream_start(&s, test_seed(6), "rays", "", 0);
    m = relu_network(&s, shape, 4, ASCI_RELU, ASCI_IDENTITY, 3,
                     ASCI_LINK_SOFTMAX);
    random_numbers(&s, from, D, 1.0);
    random_numbers(&s, to, N * D, 1.5);
    memcpy(to + 3 * D, from, sizeof from);
    to[7 * D + 1] = NAN;
    for (i = 0; i < N * 3; i++)
        output[i] = (i + i / 3) % 3;
    for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
        r = asci_rays_new(m, (enum asc_scale)scale, NULL);
        assert_int_equal(asci_rays_run(r, from, to, N, output, 3, g, NULL),
                         ASC_OK);
        for (i = 0; i < N; i++) {
            assert_int_equal(asci_rays_run(r, from, to + i * D, 1,
                                           output + i * 3, 3, one, NULL),
                             ASC_OK);
            if (i != 7)
                same_bits(one, g + i * 3 * D, 3 * D);
        }
        for (k = 0; k < 3; k++) {
            slope_at(m, (enum asc_scale)scale, output[9 + k], from, from, 0.0,
                     slope);
            for (i = 0; i < D; i++)
                close_to(g[(9 + k) * D + i], slope[i], 1e-14);
        }
        asci_rays_free(r);
    }
    asc_model_free(m);
}

/* The sums of ReLU are 0 where the line begins: those that rise are on. */
static void
start_at_kinks(void **state)
{
    static const double first[] = { 1.0, 0.0, -1.0, 0.0, 0.0, 1.0 };
    static const double second[] = { 2.0, 3.0, 5.0 }, none[3] = { 0.0 };
    static const double from[] = { 0.0, 0.0 }, to[] = { 1.0, -2.0 };
    const size_t output = 0;
    asc_model *m = model_begin("xx");
    struct asci_rays *r;
    double g[2];

    (void)state;
    add_plain_columns(m, NAN);
    add_layer(m, 3, first, none, ASCI_RELU);
    add_layer(m, 1, second, none, ASCI_IDENTITY);
    model_end(m, 1, ASCI_LINK_NONE);
    r = asci_rays_new(m, ASC_RAW, NULL);
    assert_int_equal(asci_rays_run(r, from, to, 1, &output, 1, g, NULL),
                     ASC_OK);
    close_to(g[0], 2.0, 0.0);
    close_to(g[1], 0.0, 0.0);
    asci_rays_free(r);
    asc_model_free(m);
}

static void
without(void **state)
{
    static const size_t shape[] = { D, 4, 3, 3 };
    struct asc_stream s;
    asc_model *m;

    (void)state;
    asc_stream_start(&s, test_seed(7), "rays", "", 0);
    m = relu_network(&s, shape, 3, ASCI_TANH, ASCI_IDENTITY, 3,
                     ASCI_LINK_NONE);
    assert_false(asci_form_has_rays(m));
    asc_model_free(m);
    m = relu_network(&s, shape, 3, ASCI_RELU, ASCI_RELU, 3,
                     ASCI_LINK_SIMPLEMAX);
    assert_false(asci_form_has_rays(m));
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),
        cmocka_unit_test(ends),
        cmocka_unit_test(contrasts),
        cmocka_unit_test(clamped),
        cmocka_unit_test(large),
        cmocka_unit_test(contract),
        cmocka_unit_test(start_at_kinks),
        cmocka_unit_test(without)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
