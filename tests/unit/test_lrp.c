/* lrp against Captum, worked examples, algebra and a plain implementation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribution.h"
#include "seed.h"

#define LRP &asci_method_lrp

/* Captum leaves logistic layers alone, so the case of those has none. */
static void
golden(void **state)
{
    static const struct { const char *spec, *file; } cases[] = {
        { "lrp:epsilon=1e-9", "lrp_epsilon_1e-9" },
        { "lrp:epsilon=0.25", "lrp_epsilon_0.25" },
        { "lrp:rule=gamma:epsilon=1e-9:bias=plain", "lrp_gamma_0.25" },
        { "lrp:rule=z-plus:epsilon=1e-9:bias=plain", "lrp_alpha1beta0" }
    };
    size_t net, k, i, j, n, d, n_want, d_want;

    (void)state;
    for (net = 0; net < GOLDEN_NETS; net++)
        for (k = 0; k < sizeof cases / sizeof *cases; k++) {
            const char *name = golden_nets[net].name;
            const size_t outputs = golden_nets[net].k;
            double *x = golden_numbers(name, "X", &n, &d), *target, *want;
            double worst = 0.0;
            asc_model *m;

            if (!x)
                skip();
            want = golden_numbers(name, cases[k].file, &n_want, &d_want);
            if (!want) {
                assert_string_equal(name, "nn_mlp_sigmoid");
                free(x);
                continue;
            }
            target = golden_numbers(name, "target", &n_want, &d_want);
            m = golden_network(name, d, outputs, outputs > 1
                               ? ASCI_LINK_SOFTMAX : ASCI_LINK_NONE);
            for (i = 0; i < n; i++) {
                struct explanation r = explain(cases[k].spec, LRP, m, ASC_RAW,
                                               NULL, x + i * d, 1,
                                               (size_t)target[i]);

                for (j = 0; j < d; j++)
                    worst = fmax(worst, fabs(r.phi[j] - want[i * d + j]) /
                                 fmax(1.0, fabs(want[i * d + j])));
                explanation_free(&r);
            }
            assert_true(worst < 1e-12);
            asc_model_free(m);
            free(target);
            free(want);
            free(x);
        }
}

/* Sheet attribution 7.5: two inputs, two hidden neurons, two classes, no
 * biases; x = (1, 2). */
static asc_model *
worked_model(void)
{
    static const double first[] = { 1.0, 1.0, -1.0, 2.0 };
    static const double second[] = { 1.0, -0.5, -0.25, 1.0 }, zero[2] = { 0 };
    asc_model *m = model_begin("xx");

    add_plain_columns(m, NAN);
    add_layer(m, 2, first, zero, ASCI_RELU);
    add_layer(m, 2, second, zero, ASCI_IDENTITY);
    return model_end(m, 2, ASCI_LINK_SOFTMAX);
}

static void
worked_example(void **state)
{
    static const double x[] = { 1.0, 2.0 };
    static const struct {
        const char *spec;
        size_t output;
        double want[2], tolerance;
    } cases[] = {
        { "lrp:rule=zero", 0, { 1.5, 0.0 }, 1e-15 },
        { "lrp:epsilon=0.25", 0, { 1.186813, 0.0 }, 5e-7 },
        { "lrp:rule=gamma:epsilon=0", 0, { 1.083333, 0.416667 }, 5e-7 },
        { "lrp:rule=alpha-beta:alpha=1:epsilon=0", 0, { 0.5, 1.0 }, 1e-15 },
        { "lrp:rule=z-plus:epsilon=0", 0, { 0.5, 1.0 }, 1e-15 },
        { "lrp:rule=alpha-beta:epsilon=0", 0, { 3.5, 1.0 }, 1e-15 },
        { "lrp:rule=zero", 1, { -1.25, 3.5 }, 1e-15 },
        { "lrp:rule=gamma:epsilon=0", 1, { -0.890625, 3.140625 }, 1e-15 },
        { "lrp:rule=alpha-beta:alpha=1:epsilon=0", 1, { 0.0, 2.25 }, 1e-15 },
        { "lrp:rule=alpha-beta:epsilon=0", 1, { -6.0, 6.0 }, 1e-14 }
    };
    asc_model *m = worked_model();
    size_t k;

    (void)state;
    for (k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct explanation r = explain(cases[k].spec, LRP, m, ASC_RAW, NULL,
                                       x, 1, cases[k].output);

        close_to(r.phi[0], cases[k].want[0], cases[k].tolerance);
        close_to(r.phi[1], cases[k].want[1], cases[k].tolerance);
        close_to(r.value[0], cases[k].output ? 2.25 : 1.5, 1e-15);
        close_to(r.base[0], r.value[0] - r.phi[0] - r.phi[1], 1e-15);
        explanation_free(&r);
    }
    asc_model_free(m);
}

/* Contrasts: differences of relevances by every rule, for LRP is linear in
 * what it starts with; gradient x input as the worked example has it. */
static void
contrasts(void **state)
{
    static const char *const specs[] = {
        "lrp:rule=zero", "lrp:epsilon=0.25", "lrp:rule=gamma",
        "lrp:rule=alpha-beta", "lrp:layers=w-square+z-plus", "lrp:rule=flat"
    };
    static const double x[] = { 1.0, 2.0 };
    const size_t of = 0, against = 1;
    asc_model *m = worked_model();
    asc_model *c = asc_model_contrast(m, ASC_RAW, &of, &against, 1, NULL);
    struct explanation r, part[2];
    size_t k, j;

    (void)state;
    assert_non_null(c);
    for (k = 0; k < sizeof specs / sizeof *specs; k++) {
        r = explain(specs[k], LRP, c, ASC_RAW, NULL, x, 1, 0);
        for (j = 0; j < 2; j++)
            part[j] = explain(specs[k], LRP, m, ASC_RAW, NULL, x, 1, j);
        for (j = 0; j < 2; j++)
            close_to(r.phi[j], part[0].phi[j] - part[1].phi[j], 1e-14);
        close_to(r.value[0], -0.75, 1e-15);
        close_to(r.base[0], part[0].base[0] - part[1].base[0], 1e-14);
        for (j = 0; j < 2; j++)
            explanation_free(&part[j]);
        explanation_free(&r);
    }
    r = explain("lrp:rule=zero", LRP, c, ASC_RAW, NULL, x, 1, 0);
    close_to(r.phi[0], 2.75, 1e-15);
    close_to(r.phi[1], -3.5, 1e-15);
    explanation_free(&r);
    asc_model_free(c);
    asc_model_free(m);
}

/* ---- the rules once more, neuron by neuron ---- */

enum { ZERO, EPSILON, GAMMA, ALPHA_BETA, Z_PLUS, W_SQUARE, FLAT };

static double
over(double a, double b)
{
    return b == 0.0 || a == 0.0 ? 0.0 : a / b;
}

static double
up(double v)
{
    return v > 0.0 ? v : 0.0;
}

/* What input a with weight w brings to a neuron by a rule. */
static double
part(int rule, double a, double w)
{
    switch (rule) {
    case GAMMA:
        return a * (w + 0.3 * up(w));
    case Z_PLUS:
        return a * up(w);
    case W_SQUARE:
        return w * w;
    case FLAT:
        return 1.0;
    default:
        return a * w;
    }
}

static void
plain_lrp(const asc_model *m, const int *rule, const char *bias,
          const double *x, double *phi)
{
    const struct asci_network *f = &m->u.network;
    double a[4][16], r[4][16], z;
    size_t l, j, k;

    memcpy(a[0], x, m->encoder.n * sizeof *x);
    for (l = 0; l < f->n_layers; l++)
        for (k = 0; k < f->layer[l].n_out; k++) {
            const struct asci_layer *p = &f->layer[l];

            for (j = 0, z = p->b[k]; j < p->n_in; j++)
                z += p->w[k * p->n_in + j] * a[l][j];
            asci_activate(p, &z, 1, NULL);
            a[l + 1][k] = z;
        }
    memset(r, 0, sizeof r);
    r[f->n_layers][0] = a[f->n_layers][0];
    for (l = f->n_layers; l-- > 0;)
        for (k = 0; k < f->layer[l].n_out; k++) {
            const struct asci_layer *p = &f->layer[l];
            const double *w = p->w + k * p->n_in;
            const double b = *bias == 'n' ? 0.0 : p->b[k];
            double sum = 0.0, above = up(b), below = -up(-b);

            sum = rule[l] == FLAT ? b != 0.0
                : *bias == 'p' && rule[l] != W_SQUARE ? b
                : part(rule[l], 1.0, b);
            for (j = 0; j < p->n_in; j++) {
                sum += part(rule[l], a[l][j], w[j]);
                above += up(w[j] * a[l][j]);
                below -= up(-w[j] * a[l][j]);
            }
            if (rule[l] != ZERO && rule[l] != W_SQUARE && rule[l] != FLAT)
                sum += sum < 0.0 ? -0.1 : 0.1;
            above += 0.1;
            below += below < 0.0 ? -0.1 : 0.1;
            for (j = 0; j < p->n_in; j++) {
                const double v = w[j] * a[l][j];

                r[l][j] += rule[l] == ALPHA_BETA
                    ? over(3.0 * up(v) * r[l + 1][k], above) +
                      over(2.0 * up(-v) * r[l + 1][k], below)
                    : over(part(rule[l], a[l][j], w[j]) * r[l + 1][k], sum);
            }
        }
    memcpy(phi, r[0], m->encoder.n * sizeof *phi);
}

static void
plain(void **state)
{
    static const char *const names[] = {
        "zero", "epsilon", "gamma", "alpha-beta", "z-plus", "w-square", "flat"
    };
    static const char *const biases[] = { "rule", "plain", "none" };
    enum { D = 5, N = 6 };
    double x[N * D], want[D];
    struct asc_stream s;
    size_t turn, b, i, j;

    (void)state;
    asc_stream_start(&s, test_seed(1), "lrp", "", 0);
    for (turn = 0; turn < 60; turn++)
        for (b = 0; b < 3; b++) {
            asc_model *m = model_begin("xxxxx");
            struct explanation r;
            char spec[200];
            int rule[3];

            add_plain_columns(m, NAN);
            add_random_layer(m, &s, 7, turn % 2 ? ASCI_RELU : ASCI_TANH);
            add_random_layer(m, &s, 6, ASCI_RELU);
            add_random_layer(m, &s, 1, turn % 5 ? ASCI_IDENTITY : ASCI_TANH);
            model_end(m, 1, ASCI_LINK_NONE);
            random_numbers(&s, x, N * D, 1.0);
            x[3] = 0.0;
            for (j = 0; j < 3; j++)
                rule[j] = turn < 7 ? (int)turn : (int)asc_stream_below(&s, 7);
            snprintf(spec, sizeof spec, "lrp:layers=%s+%s+%s:epsilon=0.1:"
                     "gamma=0.3:alpha=3:bias=%s", names[rule[0]],
                     names[rule[1]], names[rule[2]], biases[b]);
            r = explain(spec, LRP, m, ASC_RAW, NULL, x, N, 0);
            for (i = 0; i < N; i++) {
                double size = 1.0;

                plain_lrp(m, rule, biases[b], x + i * D, want);
                for (j = 0; j < D; j++)
                    size = fmax(size, fabs(want[j]));
                for (j = 0; j < D; j++)
                    close_to(r.phi[i * D + j], want[j], 1e-10 * size);
            }
            explanation_free(&r);
            asc_model_free(m);
        }
}

/* ReLU without biases: LRP-0, gradient x input and the integral from 0 are the
 * same, and nothing is lost; without biases in the denominators nothing is
 * lost either. */
static void
identities(void **state)
{
    enum { D = 6, N = 20 };
    static const double zero[D] = { 0.0 };
    double x[N * D], w[2][8 * D] = { { 0 } }, none[8] = { 0.0 };
    struct asc_background b;
    struct asc_stream s;
    struct explanation r, g, i;
    asc_model *m = model_begin("xxxxxx");
    size_t j;

    (void)state;
    asc_stream_start(&s, test_seed(2), "lrp", "", 0);
    random_numbers(&s, x, N * D, 1.0);
    random_numbers(&s, w[0], 8 * D, 0.5);
    random_numbers(&s, w[1], 8, 0.5);
    add_plain_columns(m, NAN);
    add_layer(m, 8, w[0], none, ASCI_RELU);
    add_layer(m, 1, w[1], none, ASCI_IDENTITY);
    model_end(m, 1, ASCI_LINK_NONE);
    make_background(m, zero, 1, &b);
    r = explain("lrp:rule=zero", LRP, m, ASC_RAW, NULL, x, N, 0);
    g = explain("gradient-x-input", &asci_method_gradient_x_input, m, ASC_RAW,
                NULL, x, N, 0);
    i = explain("integrated-gradients", &asci_method_integrated_gradients, m,
                ASC_RAW, &b, x, N, 0);
    for (j = 0; j < N * D; j++) {
        close_to(r.phi[j], g.phi[j], 1e-13);
        close_to(r.phi[j], i.phi[j], 1e-13);
    }
    for (j = 0; j < N; j++)
        close_to(r.base[j], 0.0, 1e-13);
    explanation_free(&r);
    explanation_free(&g);
    explanation_free(&i);
    asc_background_free(&b);
    asc_model_free(m);

    m = model_begin("xxxxxx");
    add_plain_columns(m, NAN);
    add_random_layer(m, &s, 8, ASCI_RELU);
    add_random_layer(m, &s, 1, ASCI_IDENTITY);
    model_end(m, 1, ASCI_LINK_NONE);
    r = explain("lrp:rule=zero:bias=none", LRP, m, ASC_RAW, NULL, x, N, 0);
    for (j = 0; j < N; j++)
        close_to(r.base[j], 0.0, 1e-9 * fmax(1.0, fabs(r.phi[j * D])));
    explanation_free(&r);
    r = explain("lrp:rule=zero", LRP, m, ASC_RAW, NULL, x, N, 0);
    g = explain("gradient-x-input", &asci_method_gradient_x_input, m, ASC_RAW,
                NULL, x, N, 0);
    for (j = 0; j < N * D; j++)     /* LRP-0 is that with biases, too */
        close_to(r.phi[j], g.phi[j], 1e-12);
    explanation_free(&r);
    explanation_free(&g);
    asc_model_free(m);
}

/* A linear model is a layer: w x, categories by their columns, missing values
 * by what stands for them. */
static void
linear(void **state)
{
    static const double w[] = { 0.5, -2.0, 1.25, 3.0, -1.0 }, b = 0.25;
    static const double x[] = { 2.0, NAN, 1.0 };
    asc_model *m = model_begin("xx3");
    struct explanation r;

    (void)state;
    add_plain_columns(m, 0.75);
    set_linear(m, 1, w, &b);
    model_end(m, 2, ASCI_LINK_LOGIT);
    r = explain("lrp:rule=zero", LRP, m, ASC_RAW, NULL, x, 1, 1);
    close_to(r.phi[0], 1.0, 1e-15);
    close_to(r.phi[1], -1.5, 1e-15);
    close_to(r.phi[2], 3.0, 1e-15);
    close_to(r.base[0], 0.25, 1e-15);
    close_to(r.value[0], 2.75, 1e-15);
    explanation_free(&r);
    r = explain("lrp:rule=zero", LRP, m, ASC_RAW, NULL, x, 1, 0);
    close_to(r.phi[0], -1.0, 1e-15);
    close_to(r.base[0], -0.25, 1e-15);
    explanation_free(&r);
    asc_model_free(m);
}

static void
no_answer(void **state)
{
    static const double w[] = { 1.0, 1.0 }, zero = 0.0;
    static const double x[] = { NAN, 1.0, 3.0, 4.0 };
    asc_model *m = model_begin("xx");
    struct explanation r;

    (void)state;
    add_plain_columns(m, NAN);
    set_linear(m, 1, w, &zero);
    model_end(m, 1, ASCI_LINK_NONE);
    r = explain("lrp", LRP, m, ASC_RAW, NULL, x, 2, 0);
    assert_true(isnan(r.value[0]) && isnan(r.phi[0]) && isnan(r.phi[1]));
    close_to(r.phi[2], 3.0, 1e-5);
    explanation_free(&r);
    asc_model_free(m);
}

static void
refusals(void **state)
{
    static const struct { const char *spec, *text; } cases[] = {
        { "lrp:layers=zero+gama", "lrp: layers: \"gama\" is not a rule; did "
          "you mean \"gamma\"?" },
        { "lrp:layers=zero++flat", "lrp: layers: \"\" is not a rule" },
        { "lrp:layers=zero+zero+flat", "lrp: layers: \"zero+zero+flat\" has "
          "more rules than the model has layers, 2" }
    };
    static const double x[] = { 1.0, 2.0 };
    const double one = 1.0, zero = 0.0;
    const size_t output = 0;
    asc_model *m = worked_model();
    struct asci_column *c;
    struct explanation r;
    struct asc_error e;
    size_t k;

    (void)state;
    for (k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_int_equal(explain_blocks(cases[k].spec, LRP, m, ASC_RAW, NULL,
                                        x, 1, &output, 1, 1, &r, &e),
                         ASC_EUSAGE);
        assert_string_equal(e.text, cases[k].text);
    }
    assert_int_equal(explain_blocks("lrp", LRP, m, ASC_RESPONSE, NULL, x, 1,
                                    &output, 1, 1, &r, &e), ASC_EUSAGE);
    assert_non_null(strstr(e.text, "lrp explains what comes before the "
                           "model's link, the raw scale; what works: "));
    asc_model_free(m);
    m = model_begin("xx");
    c = add_column(m, 1.0);
    c->name = strdup("area");
    add_number(c, 0);
    add_number(c, 1);
    set_linear(m, 1, &one, &zero);
    model_end(m, 1, ASCI_LINK_NONE);
    assert_int_equal(explain_blocks("lrp", LRP, m, ASC_RAW, NULL, x, 1,
                                    &output, 1, 1, &r, &e), ASC_EUSAGE);
    assert_non_null(strstr(e.text, "lrp gives a column to one field, and "
                           "derived field \"area\" combines several; what "
                           "works: "));
    asc_model_free(m);
}

static void
row_contract(void **state)
{
    enum { N = 700, D = 4 };
    double *x = malloc(N * D * sizeof *x);
    struct asc_stream s;
    asc_model *m = model_begin("xxxx");

    (void)state;
    asc_stream_start(&s, test_seed(3), "lrp", "", 0);
    add_plain_columns(m, NAN);
    add_random_layer(m, &s, 9, ASCI_RELU);
    add_random_layer(m, &s, 3, ASCI_IDENTITY);
    model_end(m, 3, ASCI_LINK_SOFTMAX);
    random_numbers(&s, x, N * D, 1.0);
    check_row_contract("lrp", LRP, m, ASC_RAW, NULL, x, N);
    check_row_contract("lrp:layers=alpha-beta+gamma", LRP, m, ASC_RAW, NULL,
                       x, 50);
    asc_model_free(m);
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(worked_example),
        cmocka_unit_test(contrasts),
        cmocka_unit_test(plain),
        cmocka_unit_test(identities),
        cmocka_unit_test(linear),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(refusals),
        cmocka_unit_test(row_contract)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
