/* Contrasts: models of differences, and what methods and metrics make of
 * them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribution.h"
#include "forests.h"
#include "seed.h"

enum { N = 40, D = 5, MODELS = 12 };

static double
some_function(const double *x, size_t d, size_t output)
{
    (void)d;
    return x[0] * (double)output + sin(x[1]) * x[3] - fabs(x[4]) +
           (x[2] == 1.0 ? 0.5 * (double)output : 0.0);
}

static struct counter counter;

/* Models of every form, with as many outputs as *k says. */
static asc_model *
make_model(size_t which, size_t *k)
{
    static const struct forest_plan in_turn = {
        .n_trees = 12, .depth = 3, .n_raw = 3, .width = 1, .three_ends = 1
    }, at_once = {
        .n_trees = 5, .depth = 3, .n_raw = 4, .width = 4
    };
    struct asc_stream s;
    double w[4 * MAX_COLUMNS], b[4] = { 0.5, -1.0, 0.25, 2.0 };
    asc_model *m;

    asc_stream_start(&s, test_seed(5), "contrast", (const char *)&which,
                     sizeof which);
    *k = 3;
    if (which < 4) {
        m = model_begin("xx3xx");
        add_plain_columns(m, 0.5);
        random_numbers(&s, w, 4 * m->encoder.n, 1.0);
        *k = which < 2 ? 2 : which == 2 ? 3 : 4;
        set_linear(m, which < 2 ? 1 : *k, w, b);
        return model_end(m, *k, which == 0 ? ASCI_LINK_LOGIT
                         : which == 2 ? ASCI_LINK_SOFTMAX : ASCI_LINK_NONE);
    }
    if (which == 4 || which == 5) {
        m = model_begin("xx3xx");
        add_plain_columns(m, 0.5);
        add_random_layer(m, &s, 8, ASCI_TANH);
        add_random_layer(m, &s, 3, which == 4 ? ASCI_IDENTITY
                                              : ASCI_LOGISTIC);
        return model_end(m, 3, which == 4 ? ASCI_LINK_SOFTMAX
                                          : ASCI_LINK_SIMPLEMAX);
    }
    if (which > 8) {            /* links that put outputs into order */
        m = model_begin("xx3xx");
        add_plain_columns(m, 0.5);
        random_numbers(&s, w, 3 * m->encoder.n, 1.0);
        *k = which == 9 ? 2 : 3;
        set_linear(m, *k, w, b);
        model_end(m, *k, which == 9 ? ASCI_LINK_VARIANCE
                         : which == 10 ? ASCI_LINK_SORTED
                                       : ASCI_LINK_RISING);
        m->classifier = 0;
        return m;
    }
    if (which == 8)
        return counting_model("xx3xx", 3, &counter, some_function);
    m = random_forest("xx3xx", which == 6 ? &in_turn : &at_once, &s);
    *k = which == 6 ? 3 : 4;
    return model_end(m, *k, ASCI_LINK_SOFTMAX);
}

static double *
make_some_rows(const asc_model *m, double missing, size_t n)
{
    struct asc_stream s;

    asc_stream_start(&s, test_seed(6), "contrast rows", "", 0);
    return random_rows(m, n, m->form == ASC_FORM_OPAQUE ? 0.0 : missing, &s);
}

/* All pairs of k outputs. */
static size_t
all_pairs(size_t k, size_t *of, size_t *against)
{
    size_t i, j, n = 0;

    for (i = 0; i < k; i++)
        for (j = 0; j < k; j++)
            if (i != j) {
                of[n] = i;
                against[n++] = j;
            }
    return n;
}

static asc_model *
contrast(const asc_model *m, enum asc_scale scale, const size_t *of,
         const size_t *against, size_t n)
{
    struct asc_error e;
    asc_model *c = asc_model_contrast(m, scale, of, against, n, &e);

    if (!c)
        fail_msg("%s", e.text);
    return c;
}

/* Values are differences, of pairs together and alone, on both scales, and
 * names lead back. */
static void
values(void **state)
{
    size_t which, k, i, p, n, of[12], against[12];
    int scale;

    (void)state;
    for (which = 0; which < MODELS; which++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            asc_model *m = make_model(which, &k), *all, *one;
            double *x = make_some_rows(m, 0.1, N), y[4 * N], z[12 * N], u[N];

            n = all_pairs(k, of, against);
            all = contrast(m, (enum asc_scale)scale, of, against, n);
            assert_int_equal(asc_model_n_outputs(all), n);
            assert_int_equal(asc_model_evaluate(m, (enum asc_scale)scale, x, N,
                                                y, NULL), ASC_OK);
            assert_int_equal(asc_model_evaluate(all, (enum asc_scale)scale, x,
                                                N, z, NULL), ASC_OK);
            for (p = 0; p < n; p++) {
                const char *name = asc_model_output(all, p);
                size_t a, b;

                one = contrast(m, (enum asc_scale)scale, of + p, against + p,
                               1);
                assert_int_equal(asc_model_evaluate(
                    one, (enum asc_scale)scale, x, N, u, NULL), ASC_OK);
                for (i = 0; i < N; i++) {
                    close_to(z[i * n + p], y[i * k + of[p]] -
                             y[i * k + against[p]], 1e-13);
                    close_to(u[i], z[i * n + p], 1e-13);
                }
                assert_int_equal(asc_model_find_output(
                    m, (struct asc_text){ name, strlen(name) }, &a, &b), 1);
                assert_int_equal(a, of[p]);
                assert_int_equal(b, against[p]);
                asc_model_free(one);
            }
            asc_model_free(all);
            free(x);
            asc_model_free(m);
        }
}

/* Gradients against central differences. */
static void
gradients(void **state)
{
    const double h = 1e-6;
    size_t which, i, j, k, of = 1, against = 0;
    int scale;

    (void)state;
    for (which = 0; which < 6; which++)
        for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
            asc_model *m = make_model(which, &k), *c;
            double *x = make_some_rows(m, 0.0, N);
            struct asc_background b;
            struct explanation g;

            make_background(m, x, 1, &b);
            c = contrast(m, (enum asc_scale)scale, &of, &against, 1);
            g = explain("gradient", &asci_method_gradient, c,
                        (enum asc_scale)scale, &b, x, N, 0);
            for (i = 0; i < N; i++)
                for (j = 0; j < D; j++) {
                    double *v = &x[i * D + j], old = *v, up, down;

                    if (m->schema.field[j].kind == ASC_CATEGORICAL)
                        continue;
                    *v = old + h;
                    up = output_at(c, (enum asc_scale)scale, x + i * D, 0);
                    *v = old - h;
                    down = output_at(c, (enum asc_scale)scale, x + i * D, 0);
                    *v = old;
                    close_to(g.phi[i * D + j], (up - down) / (2 * h), 1e-7);
                }
            explanation_free(&g);
            asc_background_free(&b);
            asc_model_free(c);
            free(x);
            asc_model_free(m);
        }
}

/* Methods that are linear in the output: attributions of a difference are
 * differences of attributions, base and value too. */
static const struct { const char *spec; const struct asc_method *method; }
linear[] = {
    { "exact-shapley", &asci_method_exact_shapley },
    { "kernel-shap", &asci_method_kernel_shap },
    { "tree-shap", &asci_method_tree_shap },
    { "lime:samples=60", &asci_method_lime },
    { "occlusion", &asci_method_occlusion },
    { "gradient", &asci_method_gradient },
    { "gradient-x-input", &asci_method_gradient_x_input },
    { "integrated-gradients", &asci_method_integrated_gradients },
    { "deeplift", &asci_method_deeplift },
    { "deeplift:rule=reveal-cancel", &asci_method_deeplift },
    { "lrp:rule=gamma", &asci_method_lrp },
    { "lrp:rule=alpha-beta", &asci_method_lrp }
};

static void
check_linear(size_t method, const asc_model *m, enum asc_scale scale,
             const double *x, const struct asc_background *b)
{
    const char *spec = linear[method].spec;
    const struct asc_method *how = linear[method].method;
    const size_t of[] = { 0, 1 }, against[] = { 1, 0 };
    asc_model *c = contrast(m, scale, of, against, 2);
    struct explanation part[2], whole;
    size_t i, j, p;

    for (p = 0; p < 2; p++)
        part[p] = explain(spec, how, m, scale, b, x, 6, p);
    for (p = 0; p < 2; p++) {
        whole = explain(spec, how, c, scale, b, x, 6, p);
        for (i = 0; i < 6; i++) {
            for (j = 0; j < D; j++)
                close_to(whole.phi[i * D + j], part[p].phi[i * D + j] -
                         part[1 - p].phi[i * D + j], 1e-11);
            close_to(whole.value[i], part[p].value[i] - part[1 - p].value[i],
                     1e-12);
            close_to(whole.base[i], part[p].base[i] - part[1 - p].base[i],
                     1e-11);
        }
        explanation_free(&whole);
    }
    explanation_free(&part[0]);
    explanation_free(&part[1]);
    asc_model_free(c);
}

static void
linear_methods(void **state)
{
    size_t which, method, k, done = 0;
    int scale;

    (void)state;
    for (which = 0; which < MODELS; which++) {
        asc_model *m = make_model(which, &k);
        double *x = make_some_rows(m, 0.0, 12);
        struct asc_background b;

        make_background(m, x + 6 * D, 6, &b);
        for (method = 0; method < sizeof linear / sizeof *linear; method++)
            for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
                if (asc_method_serves(&linear[method].method->entry, m,
                                      (enum asc_scale)scale, NULL))
                    continue;
                check_linear(method, m, (enum asc_scale)scale, x, &b);
                done++;
            }
        asc_background_free(&b);
        free(x);
        asc_model_free(m);
    }
    assert_true(done > 80);
}

static void
row_contract(void **state)
{
    const size_t of[] = { 2, 0 }, against[] = { 0, 1 };
    size_t which, k;
    int scale;

    (void)state;
    for (which = 2; which < MODELS; which++)
        /* 8 counts its calls, 9 has two outputs */
        for (scale = which == 8 || which == 9 ? ASC_RESPONSE + 1 : ASC_RAW;
             scale <= ASC_RESPONSE; scale++) {
            asc_model *m = make_model(which, &k), *c;
            double *x = make_some_rows(m, 0.1, N);
            struct asc_background b;

            make_background(m, x, 4, &b);
            c = contrast(m, (enum asc_scale)scale, of, against, 2);
            check_row_contract("occlusion", &asci_method_occlusion, c,
                               (enum asc_scale)scale, &b, x, N);
            asc_model_free(c);
            asc_background_free(&b);
            free(x);
            asc_model_free(m);
        }
}

static void
names(void **state)
{
    static const double w[] = { 1.0, 2.0, 3.0, 4.0 }, b[4] = { 0 };
    static const char *const called[] = { "a", "a-vs-b", "b-vs-a", "b" };
    const size_t of[] = { 0, 0, 1 }, against[] = { 3, 2, 3 };
    asc_model *m = model_begin("x"), *c;
    struct asc_error e;
    size_t i, k, l;

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 4, w, b);
    model_end(m, 4, ASCI_LINK_SOFTMAX);
    for (i = 0; i < 4; i++) {
        free(m->output[i].name);
        m->output[i].name = strdup(called[i]);
    }
    /* a-vs-b is an output itself, not a contrast of two others */
    assert_int_equal(asc_model_find_output(
        m, (struct asc_text){ "a-vs-b", 6 }, &k, &l), 1);
    assert_int_equal(k, 1);
    assert_true(l == SIZE_MAX);
    assert_null(asc_model_contrast(m, ASC_RAW, &of[0], &against[0], 1, &e));
    assert_non_null(strstr(e.text, "may be read in another way: rename"));
    /* a-vs-b-vs-a: a against b-vs-a, or a-vs-b against a */
    assert_int_equal(asc_model_find_output(
        m, (struct asc_text){ "a-vs-b-vs-a", 11 }, &k, &l), 2);
    assert_null(asc_model_contrast(m, ASC_RAW, &of[1], &against[1], 1, &e));
    assert_int_equal(asc_model_find_output(
        m, (struct asc_text){ "b-vs-c", 6 }, &k, &l), 0);
    assert_int_equal(asc_model_find_output(
        m, (struct asc_text){ "b-vs-b", 6 }, &k, &l), 0);
    c = contrast(m, ASC_RAW, &of[2], &against[2], 1);
    assert_string_equal(asc_model_output(c, 0), "a-vs-b-vs-b");
    asc_model_free(c);
    asc_model_free(m);
}

static void
refusals(void **state)
{
    const size_t zero = 0, one = 1, nine = 9;
    static const double w[] = { 1.0 }, b[] = { 0.0 };
    asc_model *m = model_begin("x"), *c;
    struct asc_buffer out = { NULL, 0, 0, 0 };
    struct asc_background background;
    struct explanation got;
    struct asc_error e;
    size_t k;

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, w, b);
    model_end(m, 1, ASCI_LINK_NONE);
    assert_null(asc_model_contrast(m, ASC_RAW, &zero, &one, 1, &e));
    assert_string_equal(e.text, "small: the model has one output, \"c0\": "
                        "there is none to contrast it with");
    asc_model_free(m);
    m = make_model(0, &k);
    assert_null(asc_model_contrast(m, ASC_RAW, &one, &one, 1, &e));
    assert_string_equal(e.text, "small: output \"c1\" cannot be contrasted "
                        "with itself: name another as the foil");
    assert_null(asc_model_contrast(m, ASC_RAW, &one, &nine, 1, &e));
    assert_string_equal(e.text, "small: output 10 of 2 is not there");
    c = contrast(m, ASC_RESPONSE, &one, &zero, 1);
    make_background(m, (const double[]){ 0, 0, 0, 0, 0 }, 1, &background);
    assert_int_equal(explain_blocks("occlusion", &asci_method_occlusion, c,
                                    ASC_RAW, &background,
                                    background.baseline, 1, &zero, 1, 1, &got,
                                    &e), ASC_EUSAGE);
    assert_non_null(strstr(e.text, "cannot be explained on the raw scale"));
    assert_int_equal(asc_model_write_pmml(c, &out, &e), ASC_EUSAGE);
    assert_non_null(strstr(e.text, "a contrast of two outputs"));
    asc_buffer_free(&out);
    asc_background_free(&background);
    asc_model_free(c);
    asc_model_free(m);
}

static void
rival(void **state)
{
    size_t k;
    asc_model *m = make_model(3, &k);

    (void)state;
    assert_int_equal(asc_model_rival(m, (const double[]){ 1, 3, 2, 3 }, 1), 3);
    assert_int_equal(asc_model_rival(m, (const double[]){ 1, 3, 2, 3 }, 3), 1);
    assert_int_equal(asc_model_rival(m, (const double[]){ 2, 3, 2, 1 }, 1), 0);
    assert_int_equal(asc_model_rival(m, (const double[]){ 2, 3, 2, 1 }, 3), 1);
    assert_int_equal(asc_model_rival(
        m, (const double[]){ NAN, 3, -1, NAN }, 1), 2);
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(gradients),
        cmocka_unit_test(linear_methods),
        cmocka_unit_test(row_contract),
        cmocka_unit_test(names),
        cmocka_unit_test(refusals),
        cmocka_unit_test(rival)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
