/* Networks: values against long double, activation functions against libm,
 * their slopes against differences, and all copies of the inner loops for
 * different processors against each other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "models.h"
#include "seed.h"

/* For its static functions. */
#include "model/activate.c"

enum { ACTIVATIONS = ASCI_ARCTAN + 1 };

/* PMML 4.4, Neural Network, activation functions. */
static long double
activation(enum asci_activation a, long double z)
{
    switch (a) {
    case ASCI_IDENTITY:
        return z;
    case ASCI_LOGISTIC:
        return 1.0L / (1.0L + expl(-z));
    case ASCI_TANH:
        return tanhl(z);
    case ASCI_RELU:
        return z > 0.0L ? z : 0.0L;
    case ASCI_THRESHOLD:
        return z > 0.1 ? 1.0L : 0.0L;
    case ASCI_EXPONENTIAL:
        return expl(z);
    case ASCI_RECIPROCAL:
        return 1.0L / z;
    case ASCI_SQUARE:
        return z * z;
    case ASCI_GAUSS:
        return expl(-z * z);
    case ASCI_SINE:
        return sinl(z);
    case ASCI_COSINE:
        return cosl(z);
    case ASCI_ELLIOTT:
        return z / (1.0L + fabsl(z));
    case ASCI_ARCTAN:
        return 2.0L * atanl(z) / acosl(-1.0L);
    }
    return NAN;
}

static void
values(void **state)
{
    static const size_t hidden[] = { 5, 7 };
    enum { ROWS = 500, RAW = 2, MOST = 16 };
    struct asc_stream s;
    int a;

    (void)state;
    asc_stream_start(&s, test_seed(1), "network", NULL, 0);
    for (a = 0; a < ACTIVATIONS; a++) {
        asc_model *m = random_schema("xx4x");
        const struct asci_network *f = &m->u.network;
        double *x, *columns, *r;
        size_t i, j, l, k;

        random_encoder(&s, m, COLUMNS_PLAIN);
        random_network(&s, m, hidden, 2, RAW, (enum asci_activation)a);
        random_end(m, 0, ASCI_LINK_NONE);
        x = random_rows(&s, m, ROWS, 0.0);
        columns = need(ROWS * m->encoder.n, sizeof *columns);
        r = need(ROWS * RAW, sizeof *r);
        asci_encode(&m->encoder, m->schema.n, x, ROWS, columns);
        assert_int_equal(asci_form_raw(m, columns, ROWS, r, NULL), ASC_OK);
        for (i = 0; i < ROWS; i++) {
            long double in[MOST], out[MOST], size = 1.0L;
            int near = 0;

            for (j = 0; j < m->encoder.n; j++)
                in[j] = columns[i * m->encoder.n + j];
            for (l = 0; l < f->n_layers; l++) {
                const struct asci_layer *t = &f->layer[l];

                for (k = 0; k < t->n_out; k++) {
                    long double z = t->b[k];

                    for (j = 0; j < t->n_in; j++)
                        z += t->w[k * t->n_in + j] * in[j];
                    /* where rounding decides */
                    near |= a == ASCI_THRESHOLD && l < 2 &&
                            fabsl(z - 0.1) < 1e-9L;
                    out[k] = activation(t->activation, z);
                    if (fabsl(out[k]) > size)
                        size = fabsl(out[k]);
                }
                memcpy(in, out, sizeof in);
            }
            for (k = 0; k < RAW && !near; k++)
                assert_true(fabsl(r[i * RAW + k] - out[k]) <=
                            1e-13L * size * size ||
                            (isinf((double)out[k]) || isnan(r[i * RAW + k])));
        }
        free(x);
        x = random_rows(&s, m, ROWS, 0.1);
        check_row_contract(m, &s, x, ROWS);
        free(r);
        free(columns);
        free(x);
        asc_model_free(m);
    }
}

/* What is missing stays missing through every activation. */
static void
missing(void **state)
{
    int a;

    (void)state;
    for (a = 0; a < ACTIVATIONS; a++) {
        struct asci_layer layer = { .activation = (enum asci_activation)a };
        double z[11];
        size_t i;

        for (i = 0; i < 11; i++)
            z[i] = i == 4 || i == 9 ? NAN : 0.5;
        asci_activate(&layer, z, 11, NULL);
        for (i = 0; i < 11; i++)
            assert_true(isnan(z[i]) == (i == 4 || i == 9));
    }
}

static double
units(double a, long double want)
{
    const double w = fabs((double)want);

    return (double)(fabsl(a - want) / (nextafter(w, INFINITY) - w));
}

/* Logistic and tanh, to 3 units in the last place. */
static void
accuracy(void **state)
{
    enum { N = 400000 };
    double *v = need(N, sizeof *v), *a = need(N, sizeof *a);
    double *b = need(N, sizeof *b), worst_a = 0.0, worst_b = 0.0;
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(2), "accuracy", NULL, 0);
    for (i = 0; i < N; i++) {
        v[i] = asc_stream_normal(&s) * pow(10.0, uniform_in(&s, -8.0, 2.3));
        a[i] = b[i] = v[i];
    }
    asci_logistic(a, N);
    all_tanh(b, N);
    for (i = 0; i < N; i++) {
        const double ua = units(a[i], activation(ASCI_LOGISTIC, v[i]));
        const double ub = units(b[i], activation(ASCI_TANH, v[i]));

        if (v[i] > -690.0 && ua > worst_a)
            worst_a = ua;
        if (ub > worst_b)
            worst_b = ub;
    }
    assert_true(worst_a <= 3.0 && worst_b <= 3.0);
    free(b);
    free(a);
    free(v);
}

static void
extremes(void **state)
{
    double a[] = { INFINITY, -INFINITY, NAN, 0.0, -0.0, 1e308, -1e308, 5e-324,
                   -5e-324 };
    double b[9];

    (void)state;
    memcpy(b, a, sizeof a);
    asci_logistic(a, 9);
    all_tanh(b, 9);
    assert_true(a[0] == 1.0 && a[1] < 1e-300 && a[1] >= 0.0 && isnan(a[2]));
    assert_true(a[3] == 0.5 && a[4] == 0.5 && a[5] == 1.0 && a[6] < 1e-300);
    assert_true(b[0] == 1.0 && b[1] == -1.0 && isnan(b[2]) && b[3] == 0.0);
    assert_true(b[5] == 1.0 && b[6] == -1.0 && b[7] == 5e-324 &&
                b[8] == -5e-324);
}

/* One bit pattern on all processors, and for any place in the array. */
static void
processors(void **state)
{
    enum { N = 1003 };
    double v[N], a[N], b[N], one;
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(3), "processors", NULL, 0);
    for (i = 0; i < N; i++)
        v[i] = 10.0 * asc_stream_normal(&s);
    memcpy(a, v, sizeof a);
    logistic_plain(a, N);
    memcpy(b, v, sizeof b);
    tanh_plain(b, N);
    for (i = 0; i < N; i++) {
        one = v[i];
        asci_logistic(&one, 1);
        assert_true(same_bits(one, a[i]));
        one = v[i];
        all_tanh(&one, 1);
        assert_true(same_bits(one, b[i]));
    }
#if defined(__x86_64__)
    if (asci_has_avx2()) {
        double c[N];

        memcpy(c, v, sizeof c);
        logistic_avx2(c, N);
        assert_memory_equal(a, c, sizeof c);
        memcpy(c, v, sizeof c);
        tanh_avx2(c, N);
        assert_memory_equal(b, c, sizeof c);
    }
#endif
}

/* Slopes against differences of fourth order. */
static void
slopes(void **state)
{
    static const double at[] = { -2.3, -0.7, -0.01, 0.3, 1.1, 2.9 };
    const long double h = 1e-3L;
    int a;
    size_t i;

    (void)state;
    for (a = 0; a < ACTIVATIONS; a++)
        for (i = 0; i < 6; i++) {
            struct asci_layer layer = {
                .activation = (enum asci_activation)a, .threshold = 0.1
            };
            const enum asci_activation k = (enum asci_activation)a;
            double z = at[i], slope;
            long double want;

            if (a == ASCI_RECIPROCAL && fabs(z) < 0.1)
                continue;
            want = (8.0L * (activation(k, z + h) - activation(k, z - h)) -
                    activation(k, z + 2 * h) + activation(k, z - 2 * h)) /
                   (12.0L * h);
            asci_activate(&layer, &z, 1, &slope);
            check_close(slope, (double)want, 1e-8);
        }
}

/* At its kink ReLU has slope 0. */
static void
kink(void **state)
{
    struct asci_layer layer = { .activation = ASCI_RELU };
    double z = 0.0, slope = 7.0;

    (void)state;
    asci_activate(&layer, &z, 1, &slope);
    assert_true(z == 0.0 && slope == 0.0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(missing),
        cmocka_unit_test(accuracy), cmocka_unit_test(extremes),
        cmocka_unit_test(processors), cmocka_unit_test(slopes),
        cmocka_unit_test(kink)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
