/* Gradients with respect to columns against differences of eighth order, for
 * every link and activation, both scales, and all outputs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "models.h"
#include "seed.h"
#include "shared.h"

/* Output k at columns, through the public parts. */
static double
value_at(const asc_model *m, enum asc_scale scale, const double *columns,
         size_t k)
{
    double r[8], y[8];

    assert_int_equal(asci_form_raw(m, columns, 1, r, NULL), ASC_OK);
    asci_outputs(m, scale, r, 1, y);
    return y[k];
}

/* df / dcolumn j by a central difference of eighth order (Fornberg 1988). */
static double
difference(const asc_model *m, enum asc_scale scale, double *columns,
           size_t j, size_t k)
{
    static const double w[] = { 4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0,
                                -1.0 / 280.0 };
    const double h = 0x1p-7, keep = columns[j];
    double sum = 0.0;
    size_t i;

    for (i = 4; i-- > 0;) {
        columns[j] = keep + (double)(i + 1) * h;
        sum += w[i] * value_at(m, scale, columns, k);
        columns[j] = keep - (double)(i + 1) * h;
        sum -= w[i] * value_at(m, scale, columns, k);
    }
    columns[j] = keep;
    return sum / h;
}

static void
check_gradient(const asc_model *m, struct asc_stream *s, double tolerance)
{
    enum { ROWS = 12 };
    const size_t c = m->encoder.n;
    double *columns = random_numbers_of(s, ROWS * c, 0.6);
    double *g = need(ROWS * c, sizeof *g), y[ROWS];
    size_t output[ROWS], i, j;
    int scale;

    for (i = 0; i < ROWS; i++)
        output[i] = i % m->n_outputs;
    for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
        assert_int_equal(asci_form_gradient(m, (enum asc_scale)scale,
                                            columns, ROWS, output, y, g,
                                            NULL), ASC_OK);
        for (i = 0; i < ROWS; i++) {
            assert_true(same_bits(y[i], value_at(m, (enum asc_scale)scale,
                                                 columns + i * c,
                                                 output[i])));
            for (j = 0; j < c; j++)
                check_close(g[i * c + j],
                            difference(m, (enum asc_scale)scale,
                                       columns + i * c, j, output[i]),
                            tolerance);
        }
    }
    free(g);
    free(columns);
}

static void
linear_links(void **state)
{
    static const struct {
        size_t n_raw, classes;
        enum asci_link link;
    } cases[] = {
        { 1, 0, ASCI_LINK_NONE }, { 1, 2, ASCI_LINK_NONE },
        { 1, 0, ASCI_LINK_LOGIT }, { 1, 2, ASCI_LINK_LOGIT },
        { 1, 2, ASCI_LINK_PROBIT }, { 1, 2, ASCI_LINK_CLOGLOG },
        { 1, 2, ASCI_LINK_LOGLOG }, { 1, 2, ASCI_LINK_CAUCHIT },
        { 1, 0, ASCI_LINK_EXP }, { 1, 0, ASCI_LINK_PROBIT },
        { 3, 3, ASCI_LINK_SOFTMAX }, { 2, 2, ASCI_LINK_SOFTMAX },
        { 3, 3, ASCI_LINK_LOGIT }, { 3, 0, ASCI_LINK_NONE },
        { 2, 0, ASCI_LINK_VARIANCE }, { 3, 0, ASCI_LINK_RISING }
    };
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(1), "links", NULL, 0);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        asc_model *m = random_schema("xx3x");

        random_encoder(&s, m, COLUMNS_PLAIN);
        random_linear(&s, m, cases[i].n_raw);
        random_end(m, cases[i].classes, cases[i].link);
        check_gradient(m, &s, 1e-11);
        asc_model_free(m);
    }
}

/* Outputs in another order, far from changing it. */
static void
sorted(void **state)
{
    static const double order[] = { 50.0, 0.0, 100.0 };
    struct asc_stream s;
    asc_model *m = random_schema("xx");
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(2), "sorted", NULL, 0);
    random_encoder(&s, m, COLUMNS_PLAIN);
    random_linear(&s, m, 3);
    for (i = 0; i < 3; i++)
        m->u.linear.b[i] = order[i];
    random_end(m, 0, ASCI_LINK_SORTED);
    check_gradient(m, &s, 1e-9);
    asc_model_free(m);
}

/* u / sum u, far from a sum of 0. */
static void
simplemax(void **state)
{
    struct asc_stream s;
    asc_model *m = random_schema("xx");
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(2), "simplemax", NULL, 0);
    random_encoder(&s, m, COLUMNS_PLAIN);
    random_linear(&s, m, 3);
    for (i = 0; i < 3; i++)
        m->u.linear.b[i] = 6.0;
    random_end(m, 3, ASCI_LINK_SIMPLEMAX);
    check_gradient(m, &s, 1e-11);
    asc_model_free(m);
}

static void
networks(void **state)
{
    static const enum asci_activation smooth[] = {
        ASCI_IDENTITY, ASCI_LOGISTIC, ASCI_TANH, ASCI_EXPONENTIAL,
        ASCI_SQUARE, ASCI_GAUSS, ASCI_SINE, ASCI_COSINE, ASCI_ARCTAN
    };
    static const size_t hidden[] = { 6, 5 };
    static const enum asci_link links[] = {
        ASCI_LINK_NONE, ASCI_LINK_LOGIT, ASCI_LINK_SOFTMAX
    };
    struct asc_stream s;
    size_t i, k, l, c;

    (void)state;
    asc_stream_start(&s, test_seed(3), "networks", NULL, 0);
    for (i = 0; i < sizeof smooth / sizeof *smooth; i++)
        for (k = 0; k < 3; k++) {
            asc_model *m = random_schema("xx3");

            random_encoder(&s, m, COLUMNS_PLAIN);
            random_network(&s, m, hidden, 2, k == 2 ? 3 : 1, smooth[i]);
            /* not so steep that differences fail */
            for (l = 0; l < 2; l++)
                for (c = 0; c < m->u.network.layer[l].n_in *
                                m->u.network.layer[l].n_out; c++)
                    m->u.network.layer[l].w[c] *= 0.4;
            random_end(m, k == 2 ? 3 : k == 1 ? 2 : 0, links[k]);
            check_gradient(m, &s, 1e-9);
            asc_model_free(m);
        }
}

/* Piecewise linear: exact inside a piece, so wide of the kinks. */
static void
rectifier(void **state)
{
    static const size_t hidden[] = { 16, 16 };
    enum { ROWS = 400 };
    struct asc_stream s;
    asc_model *m = random_schema("xxxx");
    double *columns, *g, *y;
    size_t *output, i, j, checked = 0;

    (void)state;
    asc_stream_start(&s, test_seed(4), "rectifier", NULL, 0);
    random_encoder(&s, m, COLUMNS_PLAIN);
    random_network(&s, m, hidden, 2, 1, ASCI_RELU);
    random_end(m, 0, ASCI_LINK_NONE);
    columns = random_numbers_of(&s, ROWS * 4, 1.0);
    g = need(ROWS * 4, sizeof *g);
    y = need(ROWS, sizeof *y);
    output = need(ROWS, sizeof *output);
    assert_int_equal(asci_form_gradient(m, ASC_RAW, columns, ROWS, output, y,
                                        g, NULL), ASC_OK);
    for (i = 0; i < ROWS; i++)
        for (j = 0; j < 4; j++) {
            double *at = columns + 4 * i, keep = at[j], up, down;
            const double h = 1e-6;

            at[j] = keep + h;
            up = value_at(m, ASC_RAW, at, 0) - y[i];
            at[j] = keep - h;
            down = y[i] - value_at(m, ASC_RAW, at, 0);
            at[j] = keep;
            if (fabs(up - down) > 1e-13)
                continue;       /* a kink in between */
            check_close(g[4 * i + j], (up + down) / (2.0 * h), 1e-8);
            checked++;
        }
    assert_true(checked > 4 * ROWS * 9 / 10);
    free(output);
    free(y);
    free(g);
    free(columns);
    asc_model_free(m);
}

/* A rescaled response: slope times the factor inside, 0 where it is clamped
 * or rounded. */
static void
rescaled(void **state)
{
    struct asc_stream s;
    asc_model *m = random_schema("x");
    const double columns[] = { 0.5, 3.0, -3.0 };
    const size_t output[3] = { 0 };
    double y[3], g[3];

    (void)state;
    asc_stream_start(&s, test_seed(5), "rescaled", NULL, 0);
    random_encoder(&s, m, COLUMNS_PLAIN);
    random_linear(&s, m, 1);
    m->u.linear.w[0] = 2.0;
    m->u.linear.b[0] = 0.0;
    m->rescale = need(1, sizeof *m->rescale);
    *m->rescale = (struct asci_rescale){ 3.0, 1.0, -4.0, 4.0, 0 };
    random_end(m, 0, ASCI_LINK_NONE);
    assert_int_equal(asci_form_gradient(m, ASC_RESPONSE, columns, 3, output,
                                        y, g, NULL), ASC_OK);
    assert_true(y[0] == 4.0 && y[1] == 13.0 && y[2] == -11.0);
    assert_true(g[0] == 6.0 && g[1] == 0.0 && g[2] == 0.0);
    assert_int_equal(asci_form_gradient(m, ASC_RAW, columns, 3, output, y, g,
                                        NULL), ASC_OK);
    assert_true(y[1] == 6.0 && g[1] == 2.0);
    m->rescale->cast = 1;
    assert_int_equal(asci_form_gradient(m, ASC_RESPONSE, columns, 3, output,
                                        y, g, NULL), ASC_OK);
    assert_true(g[0] == 0.0);
    asc_model_free(m);
}

/* No answer, no gradient; and rows in any block are the same rows. */
static void
missing_and_blocks(void **state)
{
    static const size_t hidden[] = { 9 };
    enum { ROWS = 700, C = 4 };
    struct asc_stream s;
    asc_model *m = random_schema("xxxx");
    double *columns, *g, *y, one_g[C], one_y;
    size_t *output, i, j;

    (void)state;
    asc_stream_start(&s, test_seed(6), "blocks", NULL, 0);
    random_encoder(&s, m, COLUMNS_PLAIN);
    random_network(&s, m, hidden, 1, 3, ASCI_RELU);
    random_end(m, 3, ASCI_LINK_SOFTMAX);
    columns = random_numbers_of(&s, ROWS * C, 1.0);
    for (i = 0; i < ROWS; i += 50)
        columns[i * C + i % C] = NAN;
    g = need(ROWS * C, sizeof *g);
    y = need(ROWS, sizeof *y);
    output = need(ROWS, sizeof *output);
    for (i = 0; i < ROWS; i++)
        output[i] = i % 3;
    assert_int_equal(asci_form_gradient(m, ASC_RESPONSE, columns, ROWS,
                                        output, y, g, NULL), ASC_OK);
    for (i = 0; i < ROWS; i++) {
        assert_int_equal(asci_form_gradient(m, ASC_RESPONSE, columns + i * C,
                                            1, output + i, &one_y, one_g,
                                            NULL), ASC_OK);
        assert_true(same_bits(one_y, y[i]));
        assert_true(isnan(y[i]) == (i % 50 == 0));
        for (j = 0; j < C; j++) {
            assert_true(same_bits(one_g[j], g[i * C + j]));
            assert_true(isnan(g[i * C + j]) == (i % 50 == 0));
        }
    }
    free(output);
    free(y);
    free(g);
    free(columns);
    asc_model_free(m);
}

/* The networks that Captum 0.8.0 explained in float64 (golden/README.tsv),
 * read from their PMML: outputs and gradients. */
static void
golden(void **state)
{
    static const char *const names[] = {
        "nn_mlp_tanh", "nn_mlp_relu_clf", "nn_mlp_relu_tiny",
        "nn_mlp_sigmoid", "nn_mlp_30_128_128_1"
    };
    size_t i, k, n, d, rows, columns, seen = 0;

    (void)state;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4200], file[64];
        struct asc_error e = { 0 };
        double *x, *want, *g, *got, *y, *target;
        size_t *output;
        asc_model *m;

        snprintf(file, sizeof file, "golden/%s/model.pmml", names[i]);
        if (!shared_path(file, path, sizeof path))
            continue;
        if (!(m = asc_model_read(path, NULL, &e)))
            fail_msg("%s", e.text);
        snprintf(file, sizeof file, "golden/%s/X.tsv", names[i]);
        x = shared_numbers(file, &n, &d);
        assert_int_equal(d, m->schema.n);
        snprintf(file, sizeof file, "golden/%s/output.tsv", names[i]);
        want = shared_numbers(file, &rows, &columns);
        assert_int_equal(rows, n);
        assert_int_equal(columns, m->n_outputs);
        got = evaluate_rows(m, ASC_RAW, x, n);
        for (k = 0; k < n * columns; k++)
            check_close(got[k], want[k], 1e-13);
        free(want);
        snprintf(file, sizeof file, "golden/%s/target.tsv", names[i]);
        target = shared_numbers(file, &rows, &columns);
        snprintf(file, sizeof file, "golden/%s/gradient.tsv", names[i]);
        want = shared_numbers(file, &rows, &columns);
        output = need(n, sizeof *output);
        for (k = 0; k < n; k++)
            output[k] = (size_t)target[k];
        g = need(n * d, sizeof *g);
        y = need(n, sizeof *y);
        assert_true(m->identity);
        assert_int_equal(asci_form_gradient(m, ASC_RAW, x, n, output, y, g,
                                            NULL), ASC_OK);
        for (k = 0; k < n * d; k++)
            check_close(g[k], want[k], 1e-13);
        seen++;
        free(y);
        free(g);
        free(output);
        free(want);
        free(target);
        free(got);
        free(x);
        asc_model_free(m);
    }
    if (seen == 0)
        skip();
}

static void
no_gradient(void **state)
{
    const struct random_trees o = { 1, 5, 0.0, 0, 0, 0, 0 };
    struct asc_stream s;
    struct asc_error e = { 0 };
    asc_model *m = random_schema("x");
    const double x = 1.0;
    const size_t k = 0;
    double y, g;

    (void)state;
    asc_stream_start(&s, test_seed(7), "none", NULL, 0);
    random_encoder(&s, m, COLUMNS_TREE);
    random_ensemble(&s, m, 1, 1, &o);
    random_end(m, 0, ASCI_LINK_NONE);
    assert_int_equal(asci_form_gradient(m, ASC_RAW, &x, 1, &k, &y, &g, &e),
                     ASC_EUSAGE);
    assert_string_equal(e.text, "random: the model has no gradient (linear "
                        "models and networks have one)");
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_links), cmocka_unit_test(sorted),
        cmocka_unit_test(simplemax),
        cmocka_unit_test(networks), cmocka_unit_test(rectifier),
        cmocka_unit_test(rescaled), cmocka_unit_test(missing_and_blocks),
        cmocka_unit_test(golden), cmocka_unit_test(no_gradient)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
