/* deeplift against Captum, the paper's examples, algebra, and its sums. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribution.h"
#include "seed.h"

#define DEEPLIFT &asci_method_deeplift

static void
golden(void **state)
{
    (void)state;
    compare_golden("deeplift", DEEPLIFT, "deeplift", CASE_BASELINE, 1e-10);
}

/* A network of one output on plain fields. */
static asc_model *
plain_network(const char *fields)
{
    asc_model *m = model_begin(fields);

    add_plain_columns(m, NAN);
    return m;
}

static struct explanation
against(const char *spec, const asc_model *m, const double *b, size_t n_b,
        const double *x, size_t n, size_t output)
{
    struct asc_background background;
    struct explanation r;

    make_background(m, b, n_b, &background);
    r = explain(spec, DEEPLIFT, m, ASC_RAW, &background, x, n, output);
    asc_background_free(&background);
    return r;
}

/* The example of section 3.5.2 of the paper, min(i1, i2) as i1 - relu(i1 -
 * i2): rescale gives all to the smaller input, reveal-cancel half of it to
 * each. */
static void
minimum(void **state)
{
    static const double first[] = { 1.0, 0.0, 1.0, -1.0 };
    static const double second[] = { 1.0, -1.0 }, zero[] = { 0.0, 0.0 };
    static const double x[][2] = { { 3.0, 1.0 }, { 2.0, 5.0 } };
    asc_model *m = plain_network("xx");
    struct explanation r;
    size_t i;

    (void)state;
    add_layer(m, 2, first, zero, ASCI_RELU);
    add_layer(m, 1, second, zero, ASCI_IDENTITY);
    model_end(m, 1, ASCI_LINK_NONE);
    r = against("deeplift", m, zero, 1, x[0], 2, 0);
    close_to(r.phi[0], 0.0, 1e-15);     /* 3 - 3 (2 / 2) */
    close_to(r.phi[1], 1.0, 1e-15);
    close_to(r.phi[2], 2.0, 1e-15);
    close_to(r.phi[3], 0.0, 1e-15);
    explanation_free(&r);
    r = against("deeplift:rule=reveal-cancel", m, zero, 1, x[0], 2, 0);
    for (i = 0; i < 2; i++) {
        close_to(r.phi[2 * i], 0.5 * fmin(x[i][0], x[i][1]), 1e-15);
        close_to(r.phi[2 * i + 1], 0.5 * fmin(x[i][0], x[i][1]), 1e-15);
        close_to(r.value[i], fmin(x[i][0], x[i][1]), 1e-15);
    }
    explanation_free(&r);
    asc_model_free(m);
}

/* Plain implementations, neuron by neuron.  Nothing comes of nothing. */
static double
quotient(double a, double b)
{
    return b == 0.0 ? 0.0 : a / b;
}

static double
f_of(const struct asci_layer *layer, double z)
{
    asci_activate(layer, &z, 1, NULL);
    return z;
}

/* The mean slope in two places. */
static double
slopes_of(const struct asci_layer *layer, double z0, double z1)
{
    double z[2] = { z0, z1 }, slope[2];

    asci_activate(layer, z, 2, slope);
    return 0.5 * (slope[0] + slope[1]);
}

static void
plain_reveal(const asc_model *m, const double *x, const double *b,
             double *phi)
{
    const struct asci_network *f = &m->u.network;
    double a0[5][16], a1[5][16], z0[4][16], mul[5][16];
    size_t l, i, k;

    memcpy(a0[0], b, m->encoder.n * sizeof *b);
    memcpy(a1[0], x, m->encoder.n * sizeof *x);
    for (l = 0; l < f->n_layers; l++)
        for (k = 0; k < f->layer[l].n_out; k++) {
            const struct asci_layer *p = &f->layer[l];
            double z1 = p->b[k];

            z0[l][k] = p->b[k];
            for (i = 0; i < p->n_in; i++) {
                z0[l][k] += p->w[k * p->n_in + i] * a0[l][i];
                z1 += p->w[k * p->n_in + i] * a1[l][i];
            }
            a0[l + 1][k] = f_of(p, z0[l][k]);
            a1[l + 1][k] = f_of(p, z1);
        }
    memset(mul, 0, sizeof mul);
    mul[f->n_layers][0] = 1.0;
    for (l = f->n_layers; l-- > 0;)
        for (k = 0; k < f->layer[l].n_out; k++) {
            const struct asci_layer *p = &f->layer[l];
            const double *w = p->w + k * p->n_in, z = z0[l][k];
            double up = 0.0, down = 0.0, m_up, m_down;

            for (i = 0; i < p->n_in; i++) {
                const double part = w[i] * (a1[l][i] - a0[l][i]);

                up += part > 0.0 ? part : 0.0;
                down += part < 0.0 ? part : 0.0;
            }
            m_up = up == 0.0 ? slopes_of(p, z, z + down)
                 : 0.5 * (f_of(p, z + up) - f_of(p, z) +
                          f_of(p, z + down + up) - f_of(p, z + down)) / up;
            m_down = down == 0.0 ? slopes_of(p, z, z + up)
                   : 0.5 * (f_of(p, z + down) - f_of(p, z) +
                            f_of(p, z + up + down) - f_of(p, z + up)) / down;
            for (i = 0; i < p->n_in; i++) {
                const double part = w[i] * (a1[l][i] - a0[l][i]);

                mul[l][i] += mul[l + 1][k] * w[i] *
                             (part > 0.0 ? m_up : part < 0.0 ? m_down
                              : 0.5 * (m_up + m_down));
            }
        }
    for (i = 0; i < m->encoder.n; i++)
        phi[i] = mul[0][i] * (x[i] - b[i]);
}

static void
plain_rescale(const asc_model *m, const double *x, const double *b,
              double *phi)
{
    const struct asci_network *f = &m->u.network;
    double a0[5][16], a1[5][16], z0[4][16], z1[4][16], mul[5][16];
    size_t l, i, k;

    memcpy(a0[0], b, m->encoder.n * sizeof *b);
    memcpy(a1[0], x, m->encoder.n * sizeof *x);
    for (l = 0; l < f->n_layers; l++)
        for (k = 0; k < f->layer[l].n_out; k++) {
            const struct asci_layer *p = &f->layer[l];

            z0[l][k] = z1[l][k] = p->b[k];
            for (i = 0; i < p->n_in; i++) {
                z0[l][k] += p->w[k * p->n_in + i] * a0[l][i];
                z1[l][k] += p->w[k * p->n_in + i] * a1[l][i];
            }
            a0[l + 1][k] = f_of(p, z0[l][k]);
            a1[l + 1][k] = f_of(p, z1[l][k]);
        }
    memset(mul, 0, sizeof mul);
    mul[f->n_layers][0] = 1.0;
    for (l = f->n_layers; l-- > 0;)
        for (k = 0; k < f->layer[l].n_out; k++)
            for (i = 0; i < f->layer[l].n_in; i++)
                mul[l][i] += mul[l + 1][k] *
                             f->layer[l].w[k * f->layer[l].n_in + i] *
                             quotient(a1[l + 1][k] - a0[l + 1][k],
                                      z1[l][k] - z0[l][k]);
    for (i = 0; i < m->encoder.n; i++)
        phi[i] = mul[0][i] * (x[i] - b[i]);
}

static const enum asci_activation all[] = {
    ASCI_RELU, ASCI_TANH, ASCI_LOGISTIC, ASCI_EXPONENTIAL, ASCI_SQUARE,
    ASCI_GAUSS, ASCI_SINE, ASCI_COSINE, ASCI_ELLIOTT, ASCI_ARCTAN,
    ASCI_THRESHOLD, ASCI_IDENTITY
};

/* Random networks of every activation against the plain ways. */
static void
plain(void **state)
{
    enum { D = 5, N = 9 };
    double x[N * D], b[D], want[D];
    struct asc_stream s;
    struct explanation r[2];
    size_t i, j, k;

    (void)state;
    asc_stream_start(&s, test_seed(1), "deeplift", "", 0);
    for (k = 0; k < sizeof all / sizeof *all; k++) {
        asc_model *m = plain_network("xxxxx");

        add_random_layer(m, &s, 7, all[k]);
        add_random_layer(m, &s, 6, ASCI_TANH);
        add_random_layer(m, &s, 1, all[k]);
        model_end(m, 1, ASCI_LINK_NONE);
        random_numbers(&s, b, D, 1.0);
        random_numbers(&s, x, N * D, 1.0);
        x[0] = b[0];            /* a field that does not differ */
        r[0] = against("deeplift", m, b, 1, x, N, 0);
        r[1] = against("deeplift:rule=reveal-cancel", m, b, 1, x, N, 0);
        for (i = 0; i < N; i++) {
            plain_rescale(m, x + i * D, b, want);
            for (j = 0; j < D; j++)
                close_to(r[0].phi[i * D + j], want[j], 1e-12);
            plain_reveal(m, x + i * D, b, want);
            for (j = 0; j < D; j++)
                close_to(r[1].phi[i * D + j], want[j], 1e-12);
            for (j = 0; j < 2; j++)
                close_to(asc_residual(r[j].phi + i * D, D, r[j].base[i],
                                      r[j].value[i]), 0.0, 1e-13);
        }
        close_to(r[0].phi[0], 0.0, 0.0);
        explanation_free(&r[0]);
        explanation_free(&r[1]);
        asc_model_free(m);
    }
}

/* Rows that come close to the reference: multipliers become slopes, without
 * the noise of a quotient of small differences. */
static void
close_rows(void **state)
{
    enum { D = 4 };
    double b[D], x[D];
    struct asc_stream s;
    struct explanation r, g;
    size_t k, j;
    int step;

    (void)state;
    asc_stream_start(&s, test_seed(2), "deeplift", "", 0);
    for (k = 0; k < sizeof all / sizeof *all; k++)
        for (step = 0; step < 14; step++) {
            asc_model *m = plain_network("xxxx");
            const double h = pow(10.0, -(double)step);

            if (all[k] == ASCI_THRESHOLD || all[k] == ASCI_ELLIOTT) {
                asc_model_free(m);
                continue;
            }
            add_random_layer(m, &s, 8, all[k]);
            add_random_layer(m, &s, 1, ASCI_IDENTITY);
            model_end(m, 1, ASCI_LINK_NONE);
            random_numbers(&s, b, D, 1.0);
            for (j = 0; j < D; j++)
                x[j] = b[j] + h * asc_stream_normal(&s);
            r = against("deeplift", m, b, 1, x, 1, 0);
            close_to(asc_residual(r.phi, D, r.base[0], r.value[0]), 0.0,
                     1e-13);
            if (step >= 7) {
                g = explain("gradient", &asci_method_gradient, m, ASC_RAW,
                            NULL, b, 1, 0);
                for (j = 0; j < D; j++)
                    close_to(r.phi[j] / (x[j] - b[j]), g.phi[j], 1e-5);
                explanation_free(&g);
            }
            explanation_free(&r);
            asc_model_free(m);
        }
}

/* Of a linear model: the integral, and the product of weight and distance;
 * with many references their mean, which is that with the mean. */
static void
linear(void **state)
{
    static const double w[] = { 0.5, -2.0, 1.25, 3.0, -1.0 }, b0 = 0.3;
    static const double b[] = { 0.5, 0.25, 0.0, 1.0, -1.0, 1.0 };
    static const double x[] = { 1.0, NAN, 2.0, -1.0, 2.0, 1.0 };
    asc_model *m = model_begin("xx3");
    struct explanation r, i;
    struct asc_background background;
    size_t j;

    (void)state;
    add_plain_columns(m, 0.75);
    set_linear(m, 1, w, &b0);
    model_end(m, 1, ASCI_LINK_LOGIT);
    make_background(m, b, 1, &background);
    for (j = 0; j < 2; j++) {
        r = explain(j ? "deeplift:rule=reveal-cancel" : "deeplift", DEEPLIFT,
                    m, ASC_RAW, &background, x, 2, 0);
        i = explain("integrated-gradients",
                    &asci_method_integrated_gradients, m, ASC_RAW,
                    &background, x, 2, 0);
        close_to(r.phi[0], 0.25, 1e-15);
        close_to(r.phi[1], -1.0, 1e-15);        /* missing counts 0.75 */
        close_to(r.phi[2], -1.0 - 1.25, 1e-15);
        for (size_t k = 0; k < 6; k++)
            close_to(r.phi[k], i.phi[k], 1e-14);
        explanation_free(&r);
        explanation_free(&i);
    }
    asc_background_free(&background);
    r = against("deeplift:reference=rows", m, b, 2, x + 3, 1, 0);
    close_to(r.phi[0], 0.5 * (-1.0 - 0.75), 1e-15);
    close_to(r.phi[1], -2.0 * (2.0 + 0.375), 1e-15);
    close_to(r.phi[2], 0.5 * (3.0 - 1.25), 1e-15);
    explanation_free(&r);
    asc_model_free(m);
}

/* A network on columns of all kinds: scaled, clamped, one-hot, products. */
static asc_model *
mixed_model(size_t outputs, enum asci_link link)
{
    static const double scaled[] = { -1.0, -2.0, 3.0, 1.5 };
    static const double table[] = { 0.5, -1.0, 2.0 };
    asc_model *m = model_begin("xx3x");
    struct asci_column *c;
    struct asci_factor *f;
    struct asc_stream s;

    add_knots(add_column(m, 1.0), 0, ASCI_OUTLIERS_CLAMP, 2, scaled)->missing =
        0.25;
    add_plain_columns(m, 0.0);
    add_table(m, add_column(m, -0.5), 2, table)->missing = 1.0;
    f = add_number(add_column(m, 1.0), 3);
    f->power = 2;
    f->missing = 0.5;
    c = add_column(m, 0.7);
    add_knots(c, 0, ASCI_OUTLIERS_EXTEND, 2, scaled)->missing = 1.0;
    f = add_number(c, 3);
    f->power = 3;
    f->missing = -1.0;
    asc_stream_start(&s, test_seed(3), "deeplift", "", 0);
    add_random_layer(m, &s, 6, ASCI_RELU);
    add_random_layer(m, &s, 5, ASCI_TANH);
    add_random_layer(m, &s, outputs, ASCI_IDENTITY);
    return model_end(m, outputs, link);
}

static const double rows[][4] = {
    { 0.7, 0.4, 1.0, -0.8 }, { 1.3, -0.6, 2.0, 0.9 }, { -1.4, 2.2, NAN, 0.3 },
    { NAN, -1.5, 0.0, 0.5 }, { 5.2, NAN, 1.0, NAN }, { 0.2, 0.1, 0.0, 0.5 }
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* Sums on all kinds of columns, every rule and reference; nothing where the
 * row is the reference. */
static void
sums(void **state)
{
    static const char *const specs[] = {
        "deeplift", "deeplift:rule=reveal-cancel", "deeplift:reference=rows",
        "deeplift:rule=reveal-cancel:reference=rows",
        "deeplift:normalise=classes",
        "deeplift:rule=reveal-cancel:normalise=classes"
    };
    asc_model *m = mixed_model(3, ASCI_LINK_SOFTMAX);
    size_t i, j, k, o;

    (void)state;
    for (k = 0; k < sizeof specs / sizeof *specs; k++)
        for (o = 0; o < 3; o++) {
            struct explanation r = against(specs[k], m, rows[5],
                                           1, rows[0], N_ROWS, o);

            for (i = 0; i < N_ROWS; i++)
                close_to(asc_residual(r.phi + 4 * i, 4, r.base[i],
                                      r.value[i]), 0.0, 1e-13);
            for (j = 0; j < 4; j++)
                close_to(r.phi[5 * 4 + j], 0.0, 0.0);
            explanation_free(&r);
            r = against(specs[k], m, rows[0], N_ROWS, rows[0], N_ROWS, o);
            for (i = 0; i < N_ROWS; i++)
                close_to(asc_residual(r.phi + 4 * i, 4, r.base[i],
                                      r.value[i]), 0.0, 1e-13);
            explanation_free(&r);
        }
    asc_model_free(m);
}

/* The mean over references, one by one; less the mean over classes. */
static void
means(void **state)
{
    asc_model *m = mixed_model(3, ASCI_LINK_SOFTMAX);
    struct explanation all_rows = against("deeplift:reference=rows", m,
                                          rows[0], N_ROWS, rows[0], 3, 1);
    struct explanation one, norm = against("deeplift:normalise=classes", m,
                                           rows[5], 1, rows[0], 3, 1);
    double sum[12] = { 0 }, base = 0.0, classes[12] = { 0 };
    size_t i, j;

    (void)state;
    for (i = 0; i < N_ROWS; i++) {
        one = against("deeplift", m, rows[i], 1, rows[0], 3, 1);
        for (j = 0; j < 12; j++)
            sum[j] += one.phi[j] / N_ROWS;
        base += one.base[0] / N_ROWS;
        explanation_free(&one);
    }
    for (i = 0; i < 3; i++) {
        one = against("deeplift", m, rows[5], 1, rows[0], 3, i);
        for (j = 0; j < 12; j++)
            classes[j] += one.phi[j] * ((i == 1) - 1.0 / 3.0);
        explanation_free(&one);
    }
    for (j = 0; j < 12; j++) {
        close_to(all_rows.phi[j], sum[j], 1e-14);
        close_to(norm.phi[j], classes[j], 1e-14);
    }
    close_to(all_rows.base[0], base, 1e-14);
    explanation_free(&all_rows);
    explanation_free(&norm);
    asc_model_free(m);
}

static void
refusals(void **state)
{
    const size_t output = 0;
    asc_model *m = mixed_model(3, ASCI_LINK_SOFTMAX);
    struct asc_background b;
    struct explanation r;
    struct asc_error e;

    (void)state;
    make_background(m, rows[0], N_ROWS, &b);
    assert_int_equal(explain_blocks("deeplift", DEEPLIFT, m, ASC_RESPONSE, &b,
                                    rows[0], 1, &output, 1, 1, &r, &e),
                     ASC_EUSAGE);
    assert_non_null(strstr(e.text, "deeplift explains what comes before the "
                           "model's link, the raw scale; what works: "));
    assert_int_equal(explain_blocks("deeplift", DEEPLIFT, m, ASC_RAW, NULL,
                                    rows[0], 1, &output, 1, 1, &r, &e),
                     ASC_EUSAGE);
    assert_non_null(strstr(e.text, "give its row"));
    asc_background_free(&b);
    asc_model_free(m);
}

/* No answer for the row, for the baseline, for a row of the background. */
static void
no_answer(void **state)
{
    static const double one[] = { 1.0, 1.0 }, zero[] = { 0.0, 0.0 };
    static const double x[] = { 1.0, NAN, 1.0, 2.0 }, b[] = { NAN, 1.0 };
    const size_t output = 0;
    asc_model *m = plain_network("xx");
    struct asc_background background;
    struct explanation r;
    struct asc_error e;

    (void)state;
    set_linear(m, 1, one, zero);
    model_end(m, 1, ASCI_LINK_NONE);
    r = against("deeplift", m, zero, 1, x, 2, 0);
    assert_true(isnan(r.value[0]) && isnan(r.phi[0]) && isnan(r.phi[1]));
    close_to(r.phi[3], 2.0, 1e-15);
    explanation_free(&r);
    r = against("deeplift", m, b, 1, x + 2, 1, 0);
    assert_true(isnan(r.base[0]) && isnan(r.phi[0]) && isnan(r.phi[1]));
    explanation_free(&r);
    make_background(m, x, 2, &background);
    assert_int_equal(explain_blocks("deeplift:reference=rows", DEEPLIFT, m,
                                    ASC_RAW, &background, x, 1, &output, 1, 1,
                                    &r, &e), ASC_EINPUT);
    assert_string_equal(e.text, "deeplift: the model has no answer for row 1 "
                        "of the background");
    asc_background_free(&background);
    asc_model_free(m);
}

static void
row_contract(void **state)
{
    enum { N = 700 };
    double *x = malloc(N * 4 * sizeof *x);
    asc_model *m = mixed_model(2, ASCI_LINK_SOFTMAX);
    struct asc_background b;
    size_t i;

    (void)state;
    for (i = 0; i < N; i++)
        memcpy(x + i * 4, rows[i * 5 % N_ROWS], sizeof *rows);
    for (i = 0; i < N * 4; i++)
        x[i] += i % 4 == 2 ? 0.0 : 1e-3 * (double)(i % 977);
    make_background(m, rows[0], 3, &b);
    check_row_contract("deeplift", DEEPLIFT, m, ASC_RAW, &b, x, N);
    check_row_contract("deeplift:rule=reveal-cancel:reference=rows", DEEPLIFT,
                       m, ASC_RAW, &b, x, 50);
    check_row_contract("deeplift:normalise=classes", DEEPLIFT, m, ASC_RAW, &b,
                       x, 50);
    asc_background_free(&b);
    asc_model_free(m);
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(minimum),
        cmocka_unit_test(plain),
        cmocka_unit_test(close_rows),
        cmocka_unit_test(linear),
        cmocka_unit_test(sums),
        cmocka_unit_test(means),
        cmocka_unit_test(refusals),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(row_contract)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
