/* gradient and gradient-x-input against Captum, finite differences of the
 * model's own values, and algebra. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribute/path.h"
#include "attribution.h"

static void
golden_gradient(void **state)
{
    (void)state;
    compare_golden("gradient", &asci_method_gradient, "gradient",
                   NO_BASELINE, 1e-12);
}

static void
golden_times_input(void **state)
{
    (void)state;
    compare_golden("gradient-x-input", &asci_method_gradient_x_input,
                   "input_x_gradient", NO_BASELINE, 1e-12);
}

/* Every kind of column: scaled, piecewise, clamped, a power, one-hot,
 * products of numbers and of a number and a category. */
static asc_model *
mixed_model(int linear)
{
    static const double scaled[] = { -1.0, -2.0, 3.0, 1.5 };
    static const double pieces[] = { -2.0, 1.0, 0.0, 0.0, 1.0, 3.0 };
    static const double table[] = { 0.5, -1.0, 2.0 };
    asc_model *m = model_begin("xx3x2");
    struct asci_column *c;
    struct asci_factor *f;
    struct asc_stream s;
    double w[MAX_COLUMNS];
    size_t k;

    add_knots(add_column(m, 1.0), 0, ASCI_OUTLIERS_EXTEND, 2, scaled)
        ->missing = 0.25;
    add_knots(add_column(m, -0.5), 1, ASCI_OUTLIERS_CLAMP, 3, pieces)
        ->missing = -1.0;
    for (k = 0; k < 3; k++) {
        double one[3] = { 0 };

        one[k] = 1.0;
        add_table(m, add_column(m, 1.0), 2, one)->missing = 0.0;
    }
    f = add_number(add_column(m, 0.3), 3);
    f->power = 3;
    f->missing = 0.0;
    add_number(add_column(m, 1.0), 3)->missing = 0.0;
    add_table(m, add_column(m, 2.0), 4, table)->missing = 0.5;
    c = add_column(m, 0.7);
    add_number(c, 0)->missing = 1.0;
    add_number(c, 3)->missing = 1.0;
    c = add_column(m, -1.1);
    add_table(m, c, 2, table)->missing = 1.0;
    add_knots(c, 1, ASCI_OUTLIERS_EXTEND, 3, pieces)->missing = 2.0;
    asc_stream_start(&s, 1, "mixed", "", 0);
    if (linear) {
        random_numbers(&s, w, 2 * m->encoder.n + 2, 1.0);
        set_linear(m, 2, w, w + 2 * m->encoder.n);
    } else {
        add_random_layer(m, &s, 7, ASCI_TANH);
        add_random_layer(m, &s, 2, ASCI_IDENTITY);
    }
    return model_end(m, 2, ASCI_LINK_SOFTMAX);
}

/* Rows away from kinks, some with missing values. */
static const double rows[][5] = {
    { 0.7, 0.4, 1.0, -0.8, 0.0 },
    { 1.3, -0.6, 2.0, 0.9, 1.0 },
    { -0.4, 2.2, 0.0, 0.3, NAN },
    { NAN, -3.5, NAN, NAN, 1.0 },
    { 5.0, NAN, 1.0, 0.5, 0.0 }
};
static const double backgrounds[][5] = {
    { 0.1, 0.2, 0.0, 1.0, 1.0 }, { -0.5, 1.2, 2.0, 0.25, 1.0 },
    { 0.9, -1.0, 0.0, -0.5, 0.0 }
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Slope of f(t) at 0 by differences of fourth order. */
static double
difference(double (*f)(double t, void *context), void *context, double h)
{
    return (8.0 * (f(h, context) - f(-h, context)) -
            (f(2 * h, context) - f(-2 * h, context))) / (12.0 * h);
}

struct line {
    const asc_model *m;
    enum asc_scale scale;
    size_t output, field;
    double x[5];                /* a row, and where to go */
    double columns[MAX_COLUMNS], step[MAX_COLUMNS];
};

static double
along_field(double t, void *context)
{
    struct line *l = context;
    double z[5];

    memcpy(z, l->x, sizeof z);
    z[l->field] += t;
    return output_at(l->m, l->scale, z, l->output);
}

static double
along_columns(double t, void *context)
{
    struct line *l = context;
    double z[MAX_COLUMNS], r[8], y[8];
    size_t c;

    for (c = 0; c < l->m->encoder.n; c++)
        z[c] = l->columns[c] + t * l->step[c];
    assert_int_equal(asci_form_raw(l->m, z, 1, r, NULL), ASC_OK);
    asci_outputs(l->m, l->scale, r, 1, y);
    return y[l->output];
}

/* g . (columns(x) - columns(x with field j at `to`)), or, with none, g .
 * (columns of x that field j takes part in). */
static double
linearised(const asc_model *m, enum asc_scale scale, const double *x,
           size_t output, size_t j, double to, int none)
{
    struct line l = { .m = m, .scale = scale, .output = output };
    double z[5];
    size_t c, k;

    memcpy(z, x, sizeof z);
    z[j] = to;
    asci_encode(&m->encoder, 5, x, 1, l.columns);
    asci_encode(&m->encoder, 5, z, 1, l.step);
    for (c = 0; c < m->encoder.n; c++) {
        const struct asci_column *column = &m->encoder.column[c];
        int takes_part = 0;

        for (k = 0; k < column->n_factors; k++)
            takes_part |= column->factor[k].field == j;
        l.step[c] = !takes_part ? 0.0
                    : none ? l.columns[c] : l.columns[c] - l.step[c];
    }
    return difference(along_columns, &l, 1e-3);
}

static double
slope(const asc_model *m, enum asc_scale scale, const double *x,
      size_t output, size_t j)
{
    struct line l = { .m = m, .scale = scale, .output = output, .field = j };

    if (isnan(x[j]))
        return 0.0;
    memcpy(l.x, x, sizeof l.x);
    return difference(along_field, &l, 1e-3);
}

static void
finite_differences(void **state)
{
    struct asc_background b;
    size_t i, j, o, linear;
    int scale;

    (void)state;
    for (linear = 0; linear < 2; linear++) {
        asc_model *m = mixed_model((int)linear);

        make_background(m, backgrounds[0], 3, &b);
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++)
            for (o = 0; o < 2; o++) {
                const enum asc_scale s = (enum asc_scale)scale;
                struct explanation g = explain(
                    "gradient", &asci_method_gradient, m, s, &b, rows[0],
                    ROWS, o);
                struct explanation p = explain(
                    "gradient-x-input", &asci_method_gradient_x_input, m, s,
                    &b, rows[0], ROWS, o);

                for (i = 0; i < ROWS; i++)
                    for (j = 0; j < 5; j++) {
                        const double *x = rows[i], base = b.baseline[j];
                        double want = j == 2 || j == 4
                            ? linearised(m, s, x, o, j, base, 0)
                            : slope(m, s, x, o, j);

                        close_to(g.phi[i * 5 + j], want, 1e-9);
                        if (j == 2 || j == 4)
                            want = linearised(m, s, x, o, j, base, 1);
                        else if (isnan(x[j]))
                            want = linearised(m, s, x, o, j, base, 0);
                        else
                            want *= x[j] - base;
                        close_to(p.phi[i * 5 + j], want, 1e-9);
                    }
                for (i = 0; i < ROWS; i++) {
                    close_to(g.value[i], output_at(m, s, rows[i], o), 0);
                    close_to(p.value[i], output_at(m, s, rows[i], o), 0);
                    close_to(g.base[i], output_at(m, s, b.baseline, o), 0);
                }
                explanation_free(&g);
                explanation_free(&p);
            }
        asc_background_free(&b);
        asc_model_free(m);
    }
}

/* f = 2 + 3 x0 - x1 + (1, -2, 4)[f2]: gradients are weights; products add up
 * to value - base, with base = f at 0 or b and without any category. */
static void
linear_algebra(void **state)
{
    const double w[] = { 3.0, -1.0, 1.0, -2.0, 4.0 }, intercept = 2.0;
    const double x[] = { 0.5, 2.0, 2.0, 1.0, NAN, 0.0 };
    const double b[] = { 0.25, -1.0, 1.0 };
    asc_model *m = model_begin("xx3");
    struct asc_background bg;
    struct explanation r;

    (void)state;
    add_plain_columns(m, 0.0);
    set_linear(m, 1, w, &intercept);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, b, 1, &bg);
    r = explain("gradient", &asci_method_gradient, m, ASC_RAW, &bg, x, 2, 0);
    close_to(r.phi[0], 3.0, 0);
    close_to(r.phi[1], -1.0, 0);
    close_to(r.phi[2], 6.0, 0);
    close_to(r.phi[3], 3.0, 0);
    close_to(r.phi[4], 0.0, 0);
    close_to(r.phi[5], 3.0, 0);
    close_to(r.base[0], 1.75, 0);
    close_to(r.value[0], 5.5, 0);
    assert_true(isnan(r.se[0]));
    explanation_free(&r);
    r = explain("gradient-x-input", &asci_method_gradient_x_input, m, ASC_RAW,
                NULL, x, 2, 0);
    close_to(r.phi[0], 1.5, 0);
    close_to(r.phi[1], -2.0, 0);
    close_to(r.phi[2], 4.0, 0);
    close_to(r.base[0], 2.0, 0);
    close_to(asc_residual(r.phi, 3, r.base[0], r.value[0]), 0.0, 1e-15);
    close_to(asc_residual(r.phi + 3, 3, r.base[1], r.value[1]), 0.0, 1e-15);
    explanation_free(&r);
    r = explain("gradient-x-input", &asci_method_gradient_x_input, m, ASC_RAW,
                &bg, x, 2, 0);
    close_to(r.phi[0], 0.75, 0);
    close_to(r.phi[1], -3.0, 0);
    close_to(r.phi[2], 4.0, 0);
    close_to(r.base[0], 3.75, 0);
    close_to(asc_residual(r.phi, 3, r.base[0], r.value[0]), 0.0, 1e-15);
    close_to(asc_residual(r.phi + 3, 3, r.base[1], r.value[1]), 0.0, 1e-15);
    explanation_free(&r);
    asc_background_free(&bg);
    asc_model_free(m);
}

/* Sheet attribution 1.6: f(x) = x1 x2 + x1 at (1, 2). */
static void
worked_example(void **state)
{
    const double w[] = { 1.0, 1.0 }, zero = 0.0, x[] = { 1.0, 2.0 };
    asc_model *m = model_begin("xx");
    struct asci_column *c = add_column(m, 1.0);
    struct explanation r;

    (void)state;
    add_number(c, 0);
    add_number(c, 1);
    add_number(add_column(m, 1.0), 0);
    set_linear(m, 1, w, &zero);
    model_end(m, 1, ASCI_LINK_NONE);
    r = explain("gradient", &asci_method_gradient, m, ASC_RAW, NULL, x, 1, 0);
    close_to(r.phi[0], 3.0, 0);
    close_to(r.phi[1], 1.0, 0);
    assert_true(isnan(r.base[0]));
    explanation_free(&r);
    r = explain("gradient-x-input", &asci_method_gradient_x_input, m, ASC_RAW,
                NULL, x, 1, 0);
    close_to(r.phi[0], 3.0, 0);
    close_to(r.phi[1], 2.0, 0);
    explanation_free(&r);
    asc_model_free(m);
}

/* The piece to the right of a knot; ReLU has slope 0 at 0. */
static void
kinks(void **state)
{
    static const double pieces[] = { 0.0, 0.0, 1.0, 2.0, 2.0, 7.0 };
    const double one = 1.0, zero = 0.0;
    const double x[] = { 0.0, 1.0, 2.0, -0.5, 2.5 };
    const double want_clamp[] = { 2.0, 5.0, 0.0, 0.0, 0.0 };
    const double want_relu[] = { 0.0, 1.0, 1.0, 0.0, 1.0 };
    asc_model *clamp = model_begin("x"), *relu = model_begin("x");
    struct explanation r;
    size_t i;

    (void)state;
    add_knots(add_column(clamp, 1.0), 0, ASCI_OUTLIERS_CLAMP, 3, pieces);
    set_linear(clamp, 1, &one, &zero);
    model_end(clamp, 1, ASCI_LINK_NONE);
    add_plain_columns(relu, NAN);
    add_layer(relu, 1, &one, &zero, ASCI_RELU);
    model_end(relu, 1, ASCI_LINK_NONE);
    r = explain("gradient", &asci_method_gradient, clamp, ASC_RAW, NULL, x, 5,
                0);
    for (i = 0; i < 5; i++)
        close_to(r.phi[i], want_clamp[i], 0);
    explanation_free(&r);
    r = explain("gradient", &asci_method_gradient, relu, ASC_RAW, NULL, x, 5,
                0);
    for (i = 0; i < 5; i++)
        close_to(r.phi[i], want_relu[i], 0);
    explanation_free(&r);
    asc_model_free(relu);
    asc_model_free(clamp);
}

/* A missing value that the model does not treat: no value, no attribution. */
static void
no_answer(void **state)
{
    const double one[] = { 1.0, 1.0 }, zero = 0.0;
    const double x[] = { 1.0, NAN, 1.0, 2.0 };
    asc_model *m = model_begin("xx");
    struct explanation r;

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, one, &zero);
    model_end(m, 1, ASCI_LINK_NONE);
    r = explain("gradient", &asci_method_gradient, m, ASC_RAW, NULL, x, 2, 0);
    assert_true(isnan(r.value[0]));
    assert_true(isnan(r.phi[0]));
    assert_true(isnan(r.phi[1]));
    close_to(r.phi[2], 1.0, 0);
    explanation_free(&r);
    asc_model_free(m);
}

static void
misuse(void **state)
{
    const double x[] = { 1.0, 1.0 };
    const size_t output = 0;
    struct counter counter;
    struct explanation r;
    struct asc_error e;
    asc_model *m = model_begin("x2");
    const double w[] = { 1.0, 2.0, 3.0 }, zero = 0.0;

    (void)state;
    add_plain_columns(m, 0.0);
    set_linear(m, 1, w, &zero);
    model_end(m, 1, ASCI_LINK_NONE);
    assert_int_equal(explain_blocks("gradient", &asci_method_gradient, m,
                                    ASC_RAW, NULL, x, 1, &output, 1, 1, &r,
                                    &e), ASC_EUSAGE);
    assert_string_equal(e.text, "gradient compares a category with that of a "
                        "baseline, and field \"f1\" has categories: give a "
                        "baseline with -b");
    asc_model_free(m);
    m = counting_model("xx", 1, &counter, NULL);
    assert_int_equal(explain_blocks("gradient", &asci_method_gradient, m,
                                    ASC_RAW, NULL, x, 1, &output, 1, 1, &r,
                                    &e), ASC_EUSAGE);
    assert_non_null(strstr(e.text, "gradient"));
    asc_model_free(m);
}

/* gradient needs a baseline for categories and takes one otherwise; so does
 * gradient-x-input always; its digest is part of the specification. */
static void
background_use(void **state)
{
    const struct asc_entry *entries[] = {
        &asci_method_gradient.entry, &asci_method_gradient_x_input.entry
    };
    const char *text = "gradient:baseline=0123abcd,"
                       "gradient-x-input:baseline=0123abcd";
    struct counter counter;
    asc_model *numbers = counting_model("xx", 1, &counter, NULL);
    asc_model *mixed = counting_model("x2", 1, &counter, NULL);
    struct asc_specs specs = { 0, NULL };
    struct asc_buffer out = { NULL, 0, 0, 0 };

    (void)state;
    assert_int_equal(asc_background_use(entries[0], numbers),
                     ASC_BACKGROUND_OPTIONAL);
    assert_int_equal(asc_background_use(entries[0], mixed),
                     ASC_BACKGROUND_NEEDED);
    assert_int_equal(asc_background_use(entries[1], numbers),
                     ASC_BACKGROUND_OPTIONAL);
    assert_int_equal(asc_background_use(entries[1], mixed),
                     ASC_BACKGROUND_OPTIONAL);
    assert_int_equal(asc_background_use(&asci_method_occlusion.entry, numbers),
                     ASC_BACKGROUND_NEEDED);
    assert_int_equal(asc_background_use(&asci_method_lime.entry, numbers),
                     ASC_BACKGROUND_NEEDED);
    assert_int_equal(asc_specs_parse(text, entries, 2, "method", &specs,
                                     NULL), ASC_OK);
    asc_spec_text(&specs.v[0], &out);
    asc_buffer_char(&out, ',');
    asc_spec_text(&specs.v[1], &out);
    assert_int_equal(out.n, strlen(text));
    assert_memory_equal(out.p, text, out.n);
    asc_buffer_free(&out);
    asc_specs_free(&specs);
    asc_model_free(mixed);
    asc_model_free(numbers);
}

static void
row_contract(void **state)
{
    enum { N = 300 };
    double *x = malloc(N * 5 * sizeof *x);
    struct asc_background b;
    size_t i;
    int linear;

    (void)state;
    for (i = 0; i < N; i++)
        memcpy(x + i * 5, rows[i * 7 % ROWS], sizeof *rows);
    for (i = 0; i < N * 5; i++)
        x[i] += i % 5 == 2 || i % 5 == 4 ? 0.0 : 1e-3 * (double)i;
    for (linear = 0; linear < 2; linear++) {
        asc_model *m = mixed_model(linear);

        make_background(m, backgrounds[0], 3, &b);
        check_row_contract("gradient", &asci_method_gradient, m, ASC_RAW, &b,
                           x, N);
        check_row_contract("gradient", &asci_method_gradient, m, ASC_RESPONSE,
                           &b, x, N);
        check_row_contract("gradient-x-input", &asci_method_gradient_x_input,
                           m, ASC_RESPONSE, &b, x, N);
        asc_background_free(&b);
        asc_model_free(m);
    }
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_gradient),
        cmocka_unit_test(golden_times_input),
        cmocka_unit_test(finite_differences),
        cmocka_unit_test(linear_algebra),
        cmocka_unit_test(worked_example),
        cmocka_unit_test(kinks),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(misuse),
        cmocka_unit_test(background_use),
        cmocka_unit_test(row_contract)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
