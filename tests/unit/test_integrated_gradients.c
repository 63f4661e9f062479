/* integrated-gradients against Captum, algebra, and its completeness. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribute/path.h"
#include "attribution.h"
#include "seed.h"

#define IG &asci_method_integrated_gradients

/* One row: (x - b) times the gradients at the nodes, weighted as we do and as
 * Captum does, which rounds the weights to float. */
static void
compare_row(const asc_model *m, size_t steps, const double *x,
            const double *b, size_t d, size_t output, const double *want)
{
    double node[50], weight[50], path[50 * 30], ours, theirs;
    char spec[80];
    struct asc_background background;
    struct explanation g, r;
    size_t i, j;

    asci_gauss_legendre(steps, node, weight);
    for (i = 0; i < steps; i++)
        for (j = 0; j < d; j++)
            path[i * d + j] = b[j] + node[i] * (x[j] - b[j]);
    g = explain("gradient", &asci_method_gradient, m, ASC_RAW, NULL, path,
                steps, output);
    make_background(m, b, 1, &background);
    snprintf(spec, sizeof spec,
             "integrated-gradients:steps=%zu:quadrature=fixed", steps);
    r = explain(spec, IG, m, ASC_RAW, &background, x, 1, output);
    for (j = 0; j < d; j++) {
        for (i = 0, ours = theirs = 0.0; i < steps; i++) {
            ours += weight[i] * g.phi[i * d + j];
            theirs += (double)(float)weight[i] * g.phi[i * d + j];
        }
        close_to(theirs * (x[j] - b[j]), want[j], 1e-14);
        close_to(r.phi[j], ours * (x[j] - b[j]), 1e-14);
        /* and so, as far as floats go: */
        close_to(r.phi[j], want[j], 1e-8);
    }
    explanation_free(&g);
    explanation_free(&r);
    asc_background_free(&background);
}

static void
golden(void **state)
{
    static const struct { const char *file; size_t steps; int zero; } files[] =
    {
        { "ig_gausslegendre_50", 50, 0 }, { "ig_gausslegendre_5", 5, 0 },
        { "ig_zero_50", 50, 1 }
    };
    size_t net, k, i, j, n, d, n_want, d_want;

    (void)state;
    for (net = 0; net < GOLDEN_NETS; net++)
        for (k = 0; k < 3; k++) {
            const char *name = golden_nets[net].name;
            const size_t outputs = golden_nets[net].k;
            double *x = golden_numbers(name, "X", &n, &d), *b, *target, *want;
            asc_model *m;

            if (!x)
                skip();
            b = golden_numbers(name, "baseline", &n_want, &d_want);
            target = golden_numbers(name, "target", &n_want, &d_want);
            want = golden_numbers(name, files[k].file, &n_want, &d_want);
            m = golden_network(name, d, outputs, outputs > 1
                               ? ASCI_LINK_SOFTMAX : ASCI_LINK_NONE);
            assert_int_equal(n, n_want);
            assert_int_equal(d, d_want);
            for (j = 0; j < d && files[k].zero; j++)
                b[j] = 0.0;
            for (i = 0; i < n; i++)
                compare_row(m, files[k].steps, x + i * d, b, d,
                            (size_t)target[i], want + i * d);
            asc_model_free(m);
            free(want);
            free(target);
            free(b);
            free(x);
        }
}

/* A midpoint rule of many gradients, on the raw line from b to x. */
static void
many_midpoints(const asc_model *m, enum asc_scale scale, size_t output,
               const double *b, const double *x, size_t points, double *phi)
{
    enum { CHUNK = 4096 };
    const size_t d = m->schema.n;
    double *path = malloc(CHUNK * d * sizeof *path);
    struct explanation g;
    size_t i, j, now, first;

    memset(phi, 0, d * sizeof *phi);
    for (first = 0; first < points; first += now) {
        now = points - first < CHUNK ? points - first : CHUNK;
        for (i = 0; i < now; i++)
            for (j = 0; j < d; j++)
                path[i * d + j] = b[j] + ((double)(first + i) + 0.5) /
                                  (double)points * (x[j] - b[j]);
        g = explain("gradient", &asci_method_gradient, m, scale, NULL, path,
                    now, output);
        for (i = 0; i < now; i++)
            for (j = 0; j < d; j++)
                phi[j] += (x[j] - b[j]) / (double)points * g.phi[i * d + j];
        explanation_free(&g);
    }
    free(path);
}

/* Kinked networks: exact sums, and the integral of a very fine quadrature.
 * which: 0 ReLU throughout, 1 mixed with tanh, so that there are no rays, 2 a
 * column of two fields with kinks of its own, 3 a clamped output. */
static void
kinks(void **state)
{
    static const double pieces[] = { -1.0, -0.5, 0.2, 1.0, 1.5, 0.25 };
    enum { FIELDS = 4, N = 12 };
    double x[N * FIELDS], b[FIELDS], want[FIELDS];
    struct asc_background background;
    struct asc_stream s;
    struct explanation r;
    size_t which, i, j, o;
    int scale;

    (void)state;
    asc_stream_start(&s, test_seed(3), "kinks", "", 0);
    random_numbers(&s, b, FIELDS, 1.0);
    random_numbers(&s, x, N * FIELDS, 1.5);
    for (which = 0; which < 4; which++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            asc_model *m = model_begin("xxxx");
            const size_t k = which == 3 ? 1 : 3;
            double worst = 0.0;

            add_plain_columns(m, NAN);
            if (which == 2) {
                struct asci_column *c = add_column(m, 1.0);

                add_knots(c, 0, ASCI_OUTLIERS_EXTEND, 3, pieces);
                add_number(c, 2);
            }
            add_random_layer(m, &s, 12, ASCI_RELU);
            add_random_layer(m, &s, 10, which == 1 ? ASCI_TANH : ASCI_RELU);
            add_random_layer(m, &s, k, ASCI_IDENTITY);
            if (which == 3) {
                m->rescale = calloc(1, sizeof *m->rescale);
                *m->rescale = (struct asci_rescale){ 3.0, 1.0, -0.1, 0.2, 0 };
            }
            model_end(m, k, k > 1 ? ASCI_LINK_SOFTMAX : ASCI_LINK_NONE);
            make_background(m, b, 1, &background);
            for (o = 0; o < k; o++) {
                r = explain("integrated-gradients", IG, m,
                            (enum asc_scale)scale, &background, x, N, o);
                for (i = 0; i < N; i++)
                    worst = fmax(worst, asc_residual(r.phi + i * FIELDS,
                                                     FIELDS, r.base[i],
                                                     r.value[i]));
                many_midpoints(m, (enum asc_scale)scale, o, b, x, 100000,
                               want);
                for (j = 0; j < FIELDS; j++)
                    close_to(r.phi[j], want[j], 2e-5);
                explanation_free(&r);
            }
            print_message("# kinks %zu, scale %d: residual %.2g\n", which,
                          scale, worst);
            assert_true(worst < (which == 0 || which == 3 ? 1e-13 : 1e-9));
            asc_background_free(&background);
            asc_model_free(m);
        }
}

/* What one quadrature misses on the reference networks of ReLU, rays do
 * not. */
static void
golden_sums(void **state)
{
    size_t net, i, n, d, n_b, d_b;
    double worst = 0.0;

    (void)state;
    for (net = 0; net < GOLDEN_NETS; net++) {
        const char *name = golden_nets[net].name;
        const size_t k = golden_nets[net].k;
        double *x = golden_numbers(name, "X", &n, &d), *b;
        struct asc_background background;
        struct explanation r;
        asc_model *m;

        if (!x)
            skip();
        b = golden_numbers(name, "baseline", &n_b, &d_b);
        m = golden_network(name, d, k, k > 1 ? ASCI_LINK_SOFTMAX
                                             : ASCI_LINK_NONE);
        make_background(m, b, 1, &background);
        r = explain("integrated-gradients", IG, m, ASC_RESPONSE, &background,
                    x, n, 0);
        for (i = 0; i < n; i++)
            worst = fmax(worst, asc_residual(r.phi + i * d, d, r.base[i],
                                             r.value[i]));
        explanation_free(&r);
        asc_background_free(&background);
        asc_model_free(m);
        free(b);
        free(x);
    }
    print_message("# largest residual %.2g\n", worst);
    assert_true(worst < 1e-12);
}

/* n nodes integrate t^p exactly for p < 2n; Abramowitz and Stegun 1964, table
 * 25.4, for the nodes themselves. */
static void
quadrature(void **state)
{
    static const size_t sizes[] = { 1, 2, 3, 5, 16, 50, 101, 1000 };
    double node[1000], weight[1000], sum;
    size_t i, n, p, t;

    (void)state;
    for (t = 0; t < sizeof sizes / sizeof *sizes; t++) {
        n = sizes[t];
        asci_gauss_legendre(n, node, weight);
        for (p = 0; p < 2 * n; p += p < 20 ? 1 : n / 3 + 1) {
            sum = 0.0;
            for (i = 0; i < n; i++)
                sum += weight[i] * pow(node[i], (double)p);
            close_to(sum, 1.0 / (double)(p + 1), 2e-15);
        }
        for (i = 1; i < n; i++)
            assert_true(node[i - 1] < node[i]);
        assert_true(node[0] > 0.0 && node[n - 1] < 1.0);
    }
    asci_gauss_legendre(5, node, weight);
    close_to(2.0 * node[4] - 1.0, 0.906179845938664, 1e-15);
    close_to(2.0 * node[3] - 1.0, 0.538469310105683, 1e-15);
    close_to(node[2], 0.5, 0);
    close_to(2.0 * weight[4], 0.236926885056189, 1e-15);
    close_to(2.0 * weight[2], 0.568888888888889, 1e-15);
}

/* Sheet attribution 1.6: f(x) = x1 x2 + x1 at (1, 2), baseline 0: (2, 1), and
 * two nodes are exact. */
static void
worked_example(void **state)
{
    const double w[] = { 1.0, 1.0 }, zero[] = { 0.0, 0.0 };
    const double x[] = { 1.0, 2.0 };
    asc_model *m = model_begin("xx");
    struct asci_column *c = add_column(m, 1.0);
    struct asc_background b;
    struct explanation r;

    (void)state;
    add_number(c, 0);
    add_number(c, 1);
    add_number(add_column(m, 1.0), 0);
    set_linear(m, 1, w, zero);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, zero, 1, &b);
    r = explain("integrated-gradients:steps=2", IG, m, ASC_RAW, &b, x, 1, 0);
    close_to(r.phi[0], 2.0, 1e-15);
    close_to(r.phi[1], 1.0, 1e-15);
    close_to(r.base[0], 0.0, 0);
    close_to(r.value[0], 3.0, 0);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

/* f = c scale x0^2 x1 x2 from b to x with raw straight lines: with u = x - b,
 * phi_0 = int 2 x0 u0 x1 x2 dt and so on, polynomials of degree 3 in t, done
 * here by Simpson's rule, which is exact for them. */
static void
product_column(void **state)
{
    const double weight = 1.5, zero = 0.0, scale = -2.0;
    const double x[] = { 1.0, 2.0, -0.5 }, b[] = { -0.5, 1.0, 3.0 };
    const double t[] = { 0.0, 0.5, 1.0 }, simpson[] = { 1, 4, 1 };
    asc_model *m = model_begin("xxx");
    struct asci_column *c = add_column(m, scale);
    struct asc_background background;
    double want[3] = { 0.0, 0.0, 0.0 };
    struct explanation r;
    size_t i, j;

    (void)state;
    add_number(c, 0)->power = 2;
    add_number(c, 1);
    add_number(c, 2);
    set_linear(m, 1, &weight, &zero);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, b, 1, &background);
    for (i = 0; i < 3; i++) {
        double p[3], u[3];

        for (j = 0; j < 3; j++) {
            u[j] = x[j] - b[j];
            p[j] = b[j] + t[i] * u[j];
        }
        want[0] += simpson[i] / 6 * 2 * p[0] * u[0] * p[1] * p[2];
        want[1] += simpson[i] / 6 * p[0] * p[0] * u[1] * p[2];
        want[2] += simpson[i] / 6 * p[0] * p[0] * p[1] * u[2];
    }
    r = explain("integrated-gradients:steps=3", IG, m, ASC_RAW, &background,
                x, 1, 0);
    for (j = 0; j < 3; j++)
        close_to(r.phi[j], weight * scale * want[j], 1e-14);
    close_to(asc_residual(r.phi, 3, r.base[0], r.value[0]), 0.0, 1e-14);
    explanation_free(&r);
    asc_background_free(&background);
    asc_model_free(m);
}

/* A smooth network on scaled, clamped, one-hot and product columns. */
static asc_model *
smooth_model(void)
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
    add_number(c, 0)->missing = 1.0;
    add_number(c, 3)->missing = -1.0;
    asc_stream_start(&s, test_seed(2), "smooth", "", 0);
    add_random_layer(m, &s, 6, ASCI_TANH);
    add_random_layer(m, &s, 2, ASCI_IDENTITY);
    return model_end(m, 2, ASCI_LINK_SOFTMAX);
}

static const double rows[][4] = {
    { 0.7, 0.4, 1.0, -0.8 }, { 1.3, -0.6, 2.0, 0.9 }, { -0.4, 2.2, NAN, 0.3 },
    { NAN, -1.5, 0.0, 0.5 }, { 0.2, NAN, 1.0, NAN }, { 0.2, 0.1, 0.0, 0.5 }
};
enum { ROWS = sizeof rows / sizeof *rows };

/* phi sums to value - base on both scales, missing and categorical values
 * included, and is 0 at the baseline. */
static void
completeness(void **state)
{
    static const double b[] = { 0.2, 0.1, 0.0, 0.5 };
    static const double b_missing[] = { NAN, 0.1, NAN, 0.5 };
    asc_model *m = smooth_model();
    struct asc_background background[2];
    struct explanation r;
    size_t i, j, o, k;
    int scale;

    (void)state;
    make_background(m, b, 1, &background[0]);
    make_background(m, b_missing, 1, &background[1]);
    for (k = 0; k < 2; k++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++)
            for (o = 0; o < 2; o++) {
                r = explain("integrated-gradients", IG, m,
                            (enum asc_scale)scale, &background[k], rows[0],
                            ROWS, o);
                for (i = 0; i < ROWS; i++)
                    close_to(asc_residual(r.phi + 4 * i, 4, r.base[i],
                                          r.value[i]), 0.0, 1e-12);
                for (j = 0; j < 4 && k == 0; j++)
                    close_to(r.phi[5 * 4 + j], 0.0, 0);
                explanation_free(&r);
            }
    asc_background_free(&background[0]);
    asc_background_free(&background[1]);
    asc_model_free(m);
}

/* Of a linear model with inputs of one field each the change of every field's
 * columns, whatever the number of steps; categories and missing included. */
static void
linear_algebra(void **state)
{
    const double w[] = { 3.0, -1.0, 1.0, -2.0, 4.0 }, intercept = 2.0;
    const double x[] = { 0.5, 2.0, 2.0, NAN, 1.0, NAN };
    const double b[] = { 0.25, -1.0, 1.0 };
    asc_model *m = model_begin("xx3");
    struct asc_background background;
    struct explanation r;

    (void)state;
    add_plain_columns(m, 0.0);
    set_linear(m, 1, w, &intercept);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, b, 1, &background);
    r = explain("integrated-gradients:steps=1", IG, m, ASC_RAW, &background,
                x, 2, 0);
    close_to(r.phi[0], 0.75, 1e-15);
    close_to(r.phi[1], -3.0, 1e-15);
    close_to(r.phi[2], 6.0, 1e-15);
    close_to(r.phi[3], -0.75, 1e-15);
    close_to(r.phi[4], -2.0, 1e-15);
    close_to(r.phi[5], 2.0, 1e-15);
    explanation_free(&r);
    asc_background_free(&background);
    asc_model_free(m);
}

/* Sheet attribution 12.3: of a linear model integrated gradients, occlusion
 * and gradient-x-input from the same baseline are the same. */
static void
linear_identity(void **state)
{
    const double w[] = { 0.5, -2.0, 1.25 }, intercept = 0.3;
    const double x[] = { 1.0, -1.0, 2.0 }, b[] = { 0.5, 0.25, -1.0 };
    asc_model *m = model_begin("xxx");
    struct asc_background background;
    struct explanation r[3];
    size_t i, j;

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, w, &intercept);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, b, 1, &background);
    r[0] = explain("integrated-gradients", IG, m, ASC_RAW, &background, x, 1,
                   0);
    r[1] = explain("occlusion", &asci_method_occlusion, m, ASC_RAW,
                   &background, x, 1, 0);
    r[2] = explain("gradient-x-input", &asci_method_gradient_x_input, m,
                   ASC_RAW, &background, x, 1, 0);
    for (i = 0; i < 3; i++) {
        for (j = 0; j < 3; j++)
            close_to(r[i].phi[j], w[j] * (x[j] - b[j]), 1e-14);
        explanation_free(&r[i]);
    }
    asc_background_free(&background);
    asc_model_free(m);
}

/* What a column of several fields may not be. */
static void
no_path(void **state)
{
    static const double table[] = { 0.5, -1.0 };
    static const double pieces[] = { 0.0, 0.0, 1.0, 2.0 };
    const double one = 1.0, zero[] = { 0.0, 0.0 };
    const size_t output = 0;
    struct asc_background b;
    struct explanation r;
    struct asc_error e;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        asc_model *m = model_begin(i ? "xx" : "x2");
        struct asci_column *c = add_column(m, 1.0);

        c->name = strdup("age:sex");
        add_number(c, 0);
        if (i)
            add_knots(c, 1, ASCI_OUTLIERS_MISSING, 2, pieces);
        else
            add_table(m, c, 1, table);
        set_linear(m, 1, &one, zero);
        model_end(m, 1, ASCI_LINK_NONE);
        make_background(m, zero, 1, &b);
        assert_int_equal(explain_blocks("integrated-gradients", IG, m,
                                        ASC_RAW, &b, zero, 1, &output, 1, 1,
                                        &r, &e), ASC_EUSAGE);
        assert_string_equal(e.text, "small: integrated-gradients has no path "
                            "for derived field \"age:sex\": it combines "
                            "field \"f1\", which is categorical or jumps, "
                            "with others; what works: exact-shapley, "
                            "kernel-shap, permutation-shap and others");
        asc_background_free(&b);
        asc_model_free(m);
    }
}

/* A missing value that the model does not treat: no value, no attribution. */
static void
no_answer(void **state)
{
    const double one[] = { 1.0, 1.0 }, zero[] = { 0.0, 0.0 };
    const double x[] = { 1.0, NAN, 1.0, 2.0 };
    asc_model *m = model_begin("xx");
    struct asc_background b;
    struct explanation r;
    const size_t output = 0;
    struct asc_error e;

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, one, zero);
    model_end(m, 1, ASCI_LINK_NONE);
    assert_int_equal(explain_blocks("integrated-gradients", IG, m, ASC_RAW,
                                    NULL, zero, 1, &output, 1, 1, &r, &e),
                     ASC_EUSAGE);
    assert_non_null(strstr(e.text, "give its row"));
    make_background(m, zero, 1, &b);
    r = explain("integrated-gradients:steps=3", IG, m, ASC_RAW, &b, x, 2, 0);
    assert_true(isnan(r.value[0]));
    assert_true(isnan(r.phi[0]));
    assert_true(isnan(r.phi[1]));
    close_to(r.phi[2], 1.0, 1e-14);
    close_to(r.phi[3], 2.0, 1e-14);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
row_contract(void **state)
{
    enum { N = 60 };
    static const double b[] = { 0.2, 0.1, 0.0, 0.5 };
    double *x = malloc(N * 4 * sizeof *x);
    asc_model *m = smooth_model();
    struct asc_background background;
    size_t i;

    (void)state;
    for (i = 0; i < N; i++)
        memcpy(x + i * 4, rows[i * 5 % ROWS], sizeof *rows);
    for (i = 0; i < N * 4; i++)
        x[i] += i % 4 == 2 ? 0.0 : 1e-3 * (double)i;
    make_background(m, b, 1, &background);
    check_row_contract("integrated-gradients:steps=7", IG, m, ASC_RAW,
                       &background, x, N);
    check_row_contract("integrated-gradients:steps=70", IG, m, ASC_RESPONSE,
                       &background, x, N);
    asc_background_free(&background);
    asc_model_free(m);
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(golden_sums),
        cmocka_unit_test(kinks),
        cmocka_unit_test(quadrature),
        cmocka_unit_test(worked_example),
        cmocka_unit_test(product_column),
        cmocka_unit_test(completeness),
        cmocka_unit_test(linear_algebra),
        cmocka_unit_test(linear_identity),
        cmocka_unit_test(no_path),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(row_contract)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
