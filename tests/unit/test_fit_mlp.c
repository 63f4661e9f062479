/* test_fit_mlp.c -- networks: gradients by finite differences, functions that
 * they must learn, and bits that depend on seed and rows alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "training.h"

/* Central differences at random weights; an odd number of rows and sizes that
 * are no multiples of 4 reach every branch of the product. */
static void
gradient(void **state)
{
    static const enum asci_activation s[] = { ASCI_RELU, ASCI_TANH,
                                              ASCI_LOGISTIC };
    static const enum asci_mlp_loss loss[] = {
        ASCI_MLP_SQUARED, ASCI_MLP_LOGISTIC, ASCI_MLP_SOFTMAX
    };
    enum { M = 7 };
    size_t a, l, i;

    (void)state;
    for (a = 0; a < 3; a++)
        for (l = 0; l < 3; l++) {
            size_t size[] = { 5, 9, 6, 1 };
            struct asci_mlp n;
            struct asc_error e = { 0 };
            uint64_t rng = 10 * a + l + 1;
            double x[M * 5], y[M], w[M], *g;

            size[3] = loss[l] == ASCI_MLP_SOFTMAX ? 3 : 1;
            assert_int_equal(asci_mlp_init(&n, size, 3, s[a], loss[l], 10,
                                           &e), ASC_OK);
            for (i = 0; i < n.n_theta; i++)
                n.theta[i] = normal(&rng);
            for (i = 0; i < M * 5; i++)
                x[i] = normal(&rng);
            for (i = 0; i < M; i++) {
                w[i] = 0.2 + uniform(&rng);
                y[i] = l == 0 ? normal(&rng) : floor((double)(l + 1) *
                                                     uniform(&rng));
            }
            asci_mlp_pass(&n, x, y, w, M, 1);
            g = malloc(n.n_theta * sizeof *g);
            memcpy(g, n.gradient, n.n_theta * sizeof *g);
            for (i = 0; i < n.n_theta; i++) {
                const double at = n.theta[i], h = 1e-5;
                double up, down;

                n.theta[i] = at + h;
                up = asci_mlp_pass(&n, x, y, w, M, 0);
                n.theta[i] = at - h;
                down = asci_mlp_pass(&n, x, y, w, M, 0);
                n.theta[i] = at;
                assert_near(g[i], (up - down) / (2.0 * h), 2e-8);
            }
            free(g);
            asci_mlp_free(&n);
        }
}

/* The loss of one unit, by hand: f = 2 x + 1. */
static void
loss_by_hand(void **state)
{
    const size_t size[] = { 1, 1 };
    const double x[2] = { 1.0, -2.0 }, y[2] = { 1.0, 0.0 };
    const double w[2] = { 1.0, 0.5 };
    struct asci_mlp n;
    struct asc_error e = { 0 };

    (void)state;
    assert_int_equal(asci_mlp_init(&n, size, 1, ASCI_RELU, ASCI_MLP_LOGISTIC,
                                   2, &e), ASC_OK);
    n.theta[0] = 2.0;
    n.theta[1] = 1.0;
    assert_near(asci_mlp_pass(&n, x, y, w, 2, 1),
                log(1.0 + exp(-3.0)) + 0.5 * log(1.0 + exp(-3.0)), 1e-15);
    assert_near(n.gradient[1], -1.0 / (1.0 + exp(3.0)) +
                0.5 / (1.0 + exp(3.0)), 1e-15);
    n.loss = ASCI_MLP_SQUARED;
    assert_near(asci_mlp_pass(&n, x, y, w, 2, 1), 0.5 * 4.0 + 0.25 * 9.0,
                1e-15);
    assert_near(n.gradient[0], 2.0 * 1.0 + 0.5 * -3.0 * -2.0, 1e-15);
    asci_mlp_free(&n);
}

/* Exclusive or of two categories: nothing linear can learn it. */
static void
exclusive_or(void **state)
{
    static const char *const spec[] = {
        "mlp:hidden=8:layers=1:held-out=0:rate=0.01:epochs=400",
        "mlp:hidden=8:layers=2:activation=tanh:held-out=0:rate=0.01",
        ("mlp:hidden=16:layers=1:activation=logistic:held-out=0:rate=0.02:"
         "epochs=600")
    };
    struct asc_training t = training_new(64, 2);
    size_t i, k;

    (void)state;
    schema_category(&t.schema, "a", "n,y");
    schema_category(&t.schema, "b", "n,y");
    training_classes(&t, "no,yes");
    for (i = 0; i < 64; i++) {
        t.x[2 * i] = (double)(i & 1);
        t.x[2 * i + 1] = (double)(i >> 1 & 1);
        t.y[i] = (double)((i ^ i >> 1) & 1);
    }
    for (k = 0; k < 3; k++) {
        asc_model *m = must_train(&t, spec[k]);
        double *p = outputs_of(m, ASC_RESPONSE, &t);

        assert_int_equal(asc_model_form(m), ASC_FORM_NETWORK);
        assert_int_equal(m->encoder.n, 4);
        for (i = 0; i < 64; i++)
            assert_true(p[2 * i + (size_t)t.y[i]] > 0.95);
        free(p);
        asc_model_free(m);
    }
    asc_training_free(&t);
}

static struct asc_training
sine(size_t n)
{
    struct asc_training t = training_new(n, 3);
    uint64_t s = 99;
    size_t i;

    schema_number(&t.schema, "x");
    schema_category(&t.schema, "c", "a,b");
    schema_number(&t.schema, "constant");
    for (i = 0; i < n; i++) {
        const double u = 6.0 * uniform(&s);

        t.x[3 * i] = 1000.0 + 0.01 * u;
        t.x[3 * i + 1] = (double)(i % 2);
        t.x[3 * i + 2] = 7.0;
        t.y[i] = 500.0 + 40.0 * sin(u) + (i % 2 ? 30.0 : 0.0);
    }
    return t;
}

/* A sine and a step between categories, far from 0 in field and target: the
 * scales must be folded back. */
static void
learns_a_sine(void **state)
{
    struct asc_training t = sine(600);
    asc_model *m = must_train(&t, "mlp:rate=0.005:decay=0");
    double *y = outputs_of(m, ASC_RESPONSE, &t), worst = 0.0;
    size_t i;

    (void)state;
    for (i = 0; i < 600; i++)
        worst = fmax(worst, fabs(y[i] - t.y[i]));
    assert_true(worst < 8.0);
    assert_int_equal(m->link, ASCI_LINK_NONE);
    /* a field that never varies has no column */
    assert_int_equal(m->encoder.n, 3);
    free(y);
    asc_model_free(m);
    asc_training_free(&t);
}

static void
three_classes(void **state)
{
    struct asc_training t = training_new(300, 2);
    uint64_t s = 4;
    asc_model *m;
    double *p, right = 0.0;
    size_t i, k;

    (void)state;
    schema_number(&t.schema, "x");
    schema_number(&t.schema, "z");
    training_classes(&t, "k0,k1,k2");
    for (i = 0; i < 300; i++) {
        t.x[2 * i] = 3.0 * normal(&s);
        t.x[2 * i + 1] = i % 10 ? 3.0 * normal(&s) : NAN;
        t.y[i] = i % 10 && hypot(t.x[2 * i], t.x[2 * i + 1]) > 3.0
                 ? t.x[2 * i] > 0.0 ? 2.0 : 1.0 : 0.0;
    }
    m = must_train(&t, "mlp:rate=0.01");
    assert_int_equal(m->n_raw, 3);
    p = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < 300; i++) {
        right += asc_model_winner(m, p + 3 * i) == (size_t)t.y[i];
        for (k = 0; k < 3; k++)
            assert_true(p[3 * i + k] >= 0.0);
        assert_near(p[3 * i] + p[3 * i + 1] + p[3 * i + 2], 1.0, 1e-14);
    }
    assert_true(right / 300.0 > 0.85);
    /* the mean stands in for what is missing */
    assert_false(isnan(m->schema.field[1].replacement));
    free(p);
    asc_model_free(m);
    asc_training_free(&t);
}

static int
same_bits(const asc_model *a, const asc_model *b)
{
    size_t l;

    for (l = 0; l < a->u.network.n_layers; l++) {
        const struct asci_layer *f = &a->u.network.layer[l];
        const struct asci_layer *g = &b->u.network.layer[l];

        if (memcmp(f->w, g->w, f->n_in * f->n_out * sizeof *f->w) ||
            memcmp(f->b, g->b, f->n_out * sizeof *f->b))
            return 0;
    }
    return 1;
}

static void
seeds_and_order(void **state)
{
    struct asc_training t = sine(200), u;
    size_t row[200], i;
    asc_model *m = must_train(&t, "mlp:epochs=5"), *other;

    (void)state;
    other = must_train(&t, "mlp:epochs=5:seed=1");
    assert_true(same_bits(m, other));
    asc_model_free(other);
    other = must_train(&t, "mlp:epochs=5:seed=2");
    assert_false(same_bits(m, other));
    asc_model_free(other);
    for (i = 0; i < 200; i++)
        row[i] = (i * 77 + 5) % 200;
    u = training_pick(&t, row, 200, 1);
    other = must_train(&u, "mlp:epochs=5");
    assert_true(same_bits(m, other));
    asc_model_free(other);
    asc_training_free(&u);
    /* a row of weight 0 is not there */
    training_weigh(&t);
    t.weight[3] = 0.0;
    for (i = 0; i < 199; i++)
        row[i] = i < 3 ? i : i + 1;
    u = training_pick(&t, row, 199, 1);
    asc_model_free(m);
    m = must_train(&t, "mlp:epochs=5");
    other = must_train(&u, "mlp:epochs=5");
    assert_true(same_bits(m, other));
    asc_model_free(m);
    asc_model_free(other);
    asc_training_free(&u);
    asc_training_free(&t);
}

/* The rows held out are those with the smallest draws of their own; what comes
 * back is the epoch that was best on them, so more epochs are never worse. */
static void
early_stopping(void **state)
{
    struct asc_training t = training_new(120, 4), held;
    uint64_t s = 31, bits[120];
    double last = INFINITY, first = NAN;
    size_t row[120], i, j, n = 0, epochs, better = 0;
    struct asc_error e = { 0 };

    (void)state;
    for (j = 0; j < 4; j++)
        schema_number(&t.schema, j == 0 ? "a" : j == 1 ? "b" : j == 2 ? "c"
                                                                      : "d");
    training_classes(&t, "no,yes");
    for (i = 0; i < 120; i++) {
        struct asc_stream stream;

        for (j = 0; j < 4; j++)
            t.x[4 * i + j] = normal(&s);
        t.y[i] = uniform(&s) < 1.0 / (1.0 + exp(-t.x[4 * i]));
        asc_stream_start(&stream, 1, "mlp held out", t.ids.p + t.id[i],
                         t.id_length[i]);
        bits[i] = asc_stream_bits(&stream);
    }
    for (i = 0; i < 120; i++) {
        size_t before = 0;

        for (j = 0; j < 120; j++)
            before += bits[j] < bits[i];
        if (before < 36)
            row[n++] = i;
    }
    assert_int_equal(n, 36);
    held = training_pick(&t, row, n, 1);
    for (epochs = 1; epochs <= 40; epochs++) {
        char spec[128];
        double loss = 0.0, *p;
        asc_model *m;

        snprintf(spec, sizeof spec, "mlp:held-out=0.3:rate=0.01:patience=1000"
                 ":epochs=%zu", epochs);
        m = train(&t, spec, &e);
        assert_non_null(m);
        p = outputs_of(m, ASC_RESPONSE, &held);
        for (i = 0; i < n; i++)
            loss -= log(p[2 * i + (size_t)held.y[i]]);
        assert_true(loss <= last + 1e-12);
        better += loss < last - 1e-12;
        if (epochs == 1)
            first = loss;
        last = loss;
        free(p);
        asc_model_free(m);
    }
    assert_true(last < first && better < 40);
    asc_training_free(&held);
    asc_training_free(&t);
}

static void
failures(void **state)
{
    struct asc_training t = sine(50);
    struct asc_error e = { 0 };
    size_t i;

    (void)state;
    assert_null(train(&t, "mlp:rate=10:decay=100:epochs=1000:patience=1000",
                      &e));
    assert_int_equal(e.status, ASC_ENUMERIC);
    assert_non_null(strstr(e.text, "mlp: training diverged in epoch "));
    assert_non_null(strstr(e.text, ": ask for a smaller rate, e.g. "
                                   "mlp:rate=1"));
    assert_null(train(&t, "mlp:layers=9", &e));
    assert_int_equal(e.status, ASC_EUSAGE);
    t.schema.n = 1;             /* the constant field alone */
    for (i = 0; i < 50; i++)
        t.x[i] = 7.0;
    assert_null(train(&t, "mlp", &e));
    assert_string_equal(e.text, "mlp: every field is constant: nothing to "
                        "learn from");
    t.schema.n = 3;
    asc_training_free(&t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient),
        cmocka_unit_test(loss_by_hand),
        cmocka_unit_test(exclusive_or),
        cmocka_unit_test(learns_a_sine),
        cmocka_unit_test(three_classes),
        cmocka_unit_test(seeds_and_order),
        cmocka_unit_test(early_stopping),
        cmocka_unit_test(failures)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
