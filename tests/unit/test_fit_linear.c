/* test_fit_linear.c -- linear and logistic regression against certified
 * values, a solution by another factorisation, closed forms and the equations
 * that the solution must satisfy. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <gsl/gsl_linalg.h>

#include "training.h"

/* ---- certified: NIST Statistical Reference Datasets ---- */

/* Longley: certified to 15 digits; columns y, x1..x6. */
static const double longley[16][7] = {
    { 60323, 83.0, 234289, 2356, 1590, 107608, 1947 },
    { 61122, 88.5, 259426, 2325, 1456, 108632, 1948 },
    { 60171, 88.2, 258054, 3682, 1616, 109773, 1949 },
    { 61187, 89.5, 284599, 3351, 1650, 110929, 1950 },
    { 63221, 96.2, 328975, 2099, 3099, 112075, 1951 },
    { 63639, 98.1, 346999, 1932, 3594, 113270, 1952 },
    { 64989, 99.0, 365385, 1870, 3547, 115094, 1953 },
    { 63761, 100.0, 363112, 3578, 3350, 116219, 1954 },
    { 66019, 101.2, 397469, 2904, 3048, 117388, 1955 },
    { 67857, 104.6, 419180, 2822, 2857, 118734, 1956 },
    { 68169, 108.4, 442769, 2936, 2798, 120445, 1957 },
    { 66513, 110.8, 444546, 4681, 2637, 121950, 1958 },
    { 68655, 112.6, 482704, 3813, 2552, 123366, 1959 },
    { 69564, 114.2, 502601, 3931, 2514, 125368, 1960 },
    { 69331, 115.7, 518173, 4806, 2572, 127852, 1961 },
    { 70551, 116.9, 554894, 4007, 2827, 130081, 1962 }
};
static const double longley_b[7] = {
    -3482258.63459582, 15.0618722713733, -0.358191792925910e-01,
    -2.02022980381683, -1.03322686717359, -0.511041056535807e-01,
    1829.15146461355
};

/* Norris: y, x. */
static const double norris[36][2] = {
    { 0.1, 0.2 }, { 338.8, 337.4 }, { 118.1, 118.2 }, { 888.0, 884.6 },
    { 9.2, 10.1 }, { 228.1, 226.5 }, { 668.5, 666.3 }, { 998.5, 996.3 },
    { 449.1, 448.6 }, { 778.9, 777.0 }, { 559.2, 558.2 }, { 0.3, 0.4 },
    { 0.1, 0.6 }, { 778.1, 775.5 }, { 668.8, 666.9 }, { 339.3, 338.0 },
    { 448.9, 447.5 }, { 10.8, 11.6 }, { 557.7, 556.0 }, { 228.3, 228.1 },
    { 998.0, 995.8 }, { 888.8, 887.6 }, { 119.6, 120.2 }, { 0.3, 0.3 },
    { 0.6, 0.3 }, { 557.6, 556.8 }, { 339.3, 339.1 }, { 888.0, 887.2 },
    { 998.5, 999.0 }, { 778.9, 779.0 }, { 10.2, 11.1 }, { 117.6, 118.3 },
    { 228.9, 229.2 }, { 668.4, 669.1 }, { 449.2, 448.9 }, { 0.2, 0.5 }
};

/* Columns y, x1.. of data (n, d + 1) as a training table. */
static struct asc_training
table_of(const double *data, size_t n, size_t d)
{
    struct asc_training t = training_new(n, d);
    char name[32];
    size_t i, j;

    for (j = 0; j < d; j++) {
        snprintf(name, sizeof name, "x%zu", j + 1);
        schema_number(&t.schema, name);
    }
    for (i = 0; i < n; i++) {
        t.y[i] = data[i * (d + 1)];
        for (j = 0; j < d; j++)
            t.x[i * d + j] = data[i * (d + 1) + j + 1];
    }
    return t;
}

static void
certified(void **state)
{
    struct asc_training t = table_of(&longley[0][0], 16, 6);
    asc_model *m = must_train(&t, "linear");
    size_t j;

    (void)state;
    assert_int_equal(asc_model_form(m), ASC_FORM_LINEAR);
    assert_digits(m->u.linear.b[0], longley_b[0], 1e-11);
    for (j = 0; j < 6; j++)
        assert_digits(m->u.linear.w[j], longley_b[j + 1], 1e-11);
    asc_model_free(m);
    asc_training_free(&t);
    t = table_of(&norris[0][0], 36, 1);
    m = must_train(&t, "linear");
    assert_digits(m->u.linear.b[0], -0.262323073774029, 1e-12);
    assert_digits(m->u.linear.w[0], 1.00211681802045, 1e-13);
    asc_model_free(m);
    asc_training_free(&t);
}

/* Wampler1: y = 1 + x + ... + x^5 at 0..20, so that every coefficient is 1. */
static void
polynomial(void **state)
{
    double data[21][6];
    struct asc_training t;
    asc_model *m;
    size_t i, j;

    (void)state;
    for (i = 0; i < 21; i++) {
        double power = 1.0, sum = 1.0;

        for (j = 0; j < 5; j++) {
            power *= (double)i;
            data[i][j + 1] = power;
            sum += power;
        }
        data[i][0] = sum;
    }
    t = table_of(&data[0][0], 21, 5);
    m = must_train(&t, "linear");
    for (j = 0; j < 5; j++)
        assert_digits(m->u.linear.w[j], 1.0, 1e-9);
    assert_digits(m->u.linear.b[0], 1.0, 1e-8);
    asc_model_free(m);
    asc_training_free(&t);
}

/* By hand: y = 1, 3 and 8 at categories a, a, b (weights 1, 1, 2): means 2
 * and 8. */
static void
by_hand(void **state)
{
    struct asc_training t = training_new(3, 1);
    double *y;
    asc_model *m;

    (void)state;
    schema_category(&t.schema, "c", "a,b");
    training_weigh(&t);
    t.x[0] = t.x[1] = 0.0;
    t.x[2] = 1.0;
    t.y[0] = 1.0;
    t.y[1] = 3.0;
    t.y[2] = 8.0;
    t.weight[2] = 2.0;
    m = must_train(&t, "linear");
    assert_int_equal(m->u.linear.n_columns, 1);
    assert_near(m->u.linear.b[0], 2.0, 1e-14);
    assert_near(m->u.linear.w[0], 6.0, 1e-14);
    assert_string_equal(asc_model_output(m, 0), "y");
    assert_string_equal(asc_model_target(m), "y");
    assert_int_equal(asc_model_classifier(m), 0);
    /* what is missing or unknown becomes the commonest category */
    assert_true(m->schema.field[0].replacement == 0.0 ||
                m->schema.field[0].replacement == 1.0);
    y = outputs_of(m, ASC_RESPONSE, &t);
    assert_near(y[0], 2.0, 1e-14);
    assert_near(y[2], 8.0, 1e-14);
    free(y);
    asc_model_free(m);
    asc_training_free(&t);
}

/* ---- a random table: numbers far from 0, categories, missing, weights ---- */

static struct asc_training
random_table(uint64_t seed, size_t n, size_t classes)
{
    struct asc_training t = training_new(n, 5);
    uint64_t s = seed;
    size_t i;

    schema_number(&t.schema, "x1");
    schema_number(&t.schema, "x2");
    schema_category(&t.schema, "c1", "a,b,c,d");
    schema_number(&t.schema, "x3");
    schema_category(&t.schema, "c2", "u,v");
    training_weigh(&t);
    if (classes)
        training_classes(&t, classes == 2 ? "no,yes" : "k0,k1,k2");
    for (i = 0; i < n; i++) {
        double *x = t.x + i * 5, score;

        x[0] = 1e4 + 10.0 * normal(&s);
        x[1] = 0.01 * (x[0] - 1e4) + 0.02 * normal(&s);
        x[2] = floor(4.0 * uniform(&s) * uniform(&s));
        x[3] = uniform(&s) < 0.2 ? NAN : exp(normal(&s));
        x[4] = uniform(&s) < 0.1 ? NAN : floor(2.0 * uniform(&s));
        t.weight[i] = 0.5 + uniform(&s);
        score = 0.1 * (x[0] - 1e4) + x[2] - 1.0 +
                (isnan(x[3]) ? 0.0 : x[3] - 1.0) + (x[4] == 1.0 ? 0.7 : 0.0);
        if (!classes)
            t.y[i] = 500.0 + score + normal(&s);
        else if (classes == 2)
            t.y[i] = uniform(&s) < 1.0 / (1.0 + exp(-score));
        else
            t.y[i] = fmin(2.0, floor(3.0 * uniform(&s) *
                                     (1.0 / (1.0 + exp(-score)) + 0.3)));
    }
    return t;
}

/* The design by its definition, dense: z (n, 8) with the intercept first;
 * mean and sd (5) of the numbers. */
static double *
dense_design(const struct asc_training *t, double *mean, double *sd)
{
    static const size_t first[5] = { 1, 2, 3, 6, 7 };
    double *z = calloc(t->n * 8, sizeof *z);
    size_t i, j, c;

    for (j = 0; j < 5; j++) {
        const size_t k = t->schema.field[j].n_categories;
        double w = 0.0, count[4] = { 0 };
        size_t mode = 0;

        mean[j] = sd[j] = 0.0;
        for (i = 0; i < t->n; i++) {
            const double v = t->x[i * 5 + j];

            if (isnan(v))
                continue;
            w += t->weight[i];
            mean[j] += t->weight[i] * v;
            if (k)
                count[(size_t)v] += t->weight[i];
        }
        mean[j] /= w;
        for (i = 0; i < t->n; i++)
            if (!isnan(t->x[i * 5 + j]))
                sd[j] += t->weight[i] * pow(t->x[i * 5 + j] - mean[j], 2.0);
        sd[j] = sqrt(sd[j] / w);
        for (c = 1; c < k; c++)
            if (count[c] > count[mode])
                mode = c;
        for (i = 0; i < t->n; i++) {
            double v = t->x[i * 5 + j];

            if (isnan(v))
                v = k ? (double)mode : mean[j];
            z[i * 8] = 1.0;
            if (!k)
                z[i * 8 + first[j]] = (v - mean[j]) / sd[j];
            else if (v > 0.0)
                z[i * 8 + first[j] + (size_t)v - 1] = 1.0;
        }
    }
    return z;
}

/* Coefficients on the standardised scale out of the model's raw ones. */
static void
standardised(const asc_model *m, size_t raw, const double *mean,
             const double *sd, double *beta)
{
    static const size_t column[3] = { 0, 1, 5 }, field[3] = { 0, 1, 3 };
    const double *w = m->u.linear.w + raw * 7;
    size_t k;

    beta[0] = m->u.linear.b[raw];
    memcpy(beta + 1, w, 7 * sizeof *beta);
    for (k = 0; k < 3; k++) {
        beta[0] += w[column[k]] * mean[field[k]];
        beta[1 + column[k]] = w[column[k]] * sd[field[k]];
    }
}

/* Householder factorisation of the rows and, below them, sqrt(ridge) I. */
static void
against_qr(void **state)
{
    static const double ridge[] = { 0.0, 0.5, 300.0 };
    size_t r, i, j;

    (void)state;
    for (r = 0; r < 3; r++) {
        struct asc_training t = random_table(7 + r, 200, 0);
        double mean[5], sd[5], beta[8], *z = dense_design(&t, mean, sd);
        gsl_matrix *a = gsl_matrix_calloc(207, 8);
        gsl_vector *b = gsl_vector_calloc(207), *x = gsl_vector_alloc(8);
        gsl_vector *tau = gsl_vector_alloc(8), *rest = gsl_vector_alloc(207);
        char spec[64];
        asc_model *m;

        snprintf(spec, sizeof spec, "linear:ridge=%g", ridge[r]);
        m = must_train(&t, spec);
        for (i = 0; i < 200; i++) {
            for (j = 0; j < 8; j++)
                gsl_matrix_set(a, i, j, sqrt(t.weight[i]) * z[i * 8 + j]);
            gsl_vector_set(b, i, sqrt(t.weight[i]) * t.y[i]);
        }
        for (j = 1; j < 8; j++)
            gsl_matrix_set(a, 199 + j, j, sqrt(ridge[r]));
        gsl_linalg_QR_decomp(a, tau);
        gsl_linalg_QR_lssolve(a, tau, b, x, rest);
        standardised(m, 0, mean, sd, beta);
        assert_int_equal(m->u.linear.n_columns, 7);
        for (j = 0; j < 8; j++)
            assert_near(beta[j], gsl_vector_get(x, j), 1e-10);
        gsl_vector_free(rest);
        gsl_vector_free(tau);
        gsl_vector_free(x);
        gsl_vector_free(b);
        gsl_matrix_free(a);
        free(z);
        asc_model_free(m);
        asc_training_free(&t);
    }
}

/* Of columns that depend on each other the first ones count. */
static void
collinear(void **state)
{
    struct asc_training t = training_new(60, 5), u;
    uint64_t s = 5;
    size_t row[60], i;
    double *y, *y2;
    asc_model *m, *m2;

    (void)state;
    schema_number(&t.schema, "x");
    schema_category(&t.schema, "c", "a,b,c");
    schema_number(&t.schema, "twice");
    schema_category(&t.schema, "same", "p,q,r");
    schema_number(&t.schema, "constant");
    for (i = 0; i < 60; i++) {
        double *x = t.x + i * 5;

        row[i] = i;
        x[0] = normal(&s);
        x[1] = floor(3.0 * uniform(&s));
        x[2] = 3.0 - 2.0 * x[0];
        x[3] = x[1];
        x[4] = 8.0;
        t.y[i] = x[0] + x[1] * x[1] + normal(&s);
    }
    u = training_pick(&t, row, 60, 1);
    for (i = 0; i < 60; i++)
        u.x[i * 5 + 2] = u.x[i * 5 + 3] = 0.0;
    m = must_train(&t, "linear");
    m2 = must_train(&u, "linear");
    assert_int_equal(m->u.linear.n_columns, 7);
    for (i = 3; i < 7; i++)
        assert_true(m->u.linear.w[i] == 0.0);
    y = outputs_of(m, ASC_RAW, &t);
    y2 = outputs_of(m2, ASC_RAW, &t);
    for (i = 0; i < 60; i++)
        assert_near(y[i], y2[i], 1e-12);
    free(y);
    free(y2);
    asc_model_free(m);
    asc_model_free(m2);
    /* logistic by maximum likelihood follows the same rule */
    training_classes(&t, "no,yes");
    for (i = 0; i < 60; i++)
        t.y[i] = uniform(&s) < 1.0 / (1.0 + exp(-t.x[i * 5]));
    m = must_train(&t, "logistic:ridge=0");
    for (i = 3; i < 7; i++)
        assert_true(m->u.linear.w[i] == 0.0);
    assert_true(m->u.linear.w[0] != 0.0 && m->u.linear.w[1] != 0.0);
    asc_model_free(m);
    asc_training_free(&t);
    asc_training_free(&u);
}

static void
same_coefficients(const asc_model *a, const asc_model *b, double tolerance)
{
    const struct asci_linear *f = &a->u.linear, *g = &b->u.linear;
    size_t i;

    for (i = 0; i < f->n_raw * f->n_columns; i++)
        assert_near(f->w[i], g->w[i], tolerance);
    for (i = 0; i < f->n_raw; i++)
        assert_near(f->b[i], g->b[i], tolerance * 1e4);
}

/* A weight of 2 is the row twice; with the same ids the order of rows does
 * not show in a bit. */
static void
weights_and_order(void **state)
{
    static const char *const spec[] = { "linear", "linear:ridge=3",
                                        "logistic", "logistic:ridge=2",
                                        "logistic" };
    static const size_t classes[] = { 0, 0, 2, 2, 3 };
    size_t k, i;

    (void)state;
    for (k = 0; k < 5; k++) {
        struct asc_training t = random_table(40 + k, 150, classes[k]), u, v;
        size_t row[300], n = 0;
        asc_model *m, *m2, *m3;

        for (i = 0; i < 150; i++) {
            t.weight[i] = i % 3 ? 1.0 : 2.0;
            row[n++] = i;
            if (i % 3 == 0)
                row[n++] = i;
        }
        u = training_pick(&t, row, n, 0);
        for (i = 0; i < n; i++)
            u.weight[i] = 1.0;
        for (i = 0; i < 150; i++)
            row[i] = i * 7 % 150;
        v = training_pick(&t, row, 150, 1);
        m = must_train(&t, spec[k]);
        m2 = must_train(&u, spec[k]);
        m3 = must_train(&v, spec[k]);
        same_coefficients(m, m2, 1e-9);
        assert_memory_equal(m->u.linear.w, m3->u.linear.w,
                            m->u.linear.n_raw * 7 * sizeof(double));
        assert_memory_equal(m->u.linear.b, m3->u.linear.b,
                            m->u.linear.n_raw * sizeof(double));
        asc_model_free(m);
        asc_model_free(m2);
        asc_model_free(m3);
        asc_training_free(&t);
        asc_training_free(&u);
        asc_training_free(&v);
    }
}

/* ---- logistic ---- */

/* The gradient of the penalised likelihood, from the model's own answers, is
 * zero at the solution. */
static void
stationary(void **state)
{
    static const double ridge[] = { 0.0, 1e-6, 1.0, 50.0 };
    size_t classes, r, i, j, k;

    (void)state;
    for (classes = 2; classes <= 3; classes++)
        for (r = 0; r < 4; r++) {
            struct asc_training t = random_table(90 + r, 400, classes);
            double mean[5], sd[5], *z = dense_design(&t, mean, sd), *p;
            char spec[64];
            asc_model *m;
            size_t raws = classes == 2 ? 1 : 3;

            snprintf(spec, sizeof spec, "logistic:ridge=%g", ridge[r]);
            m = must_train(&t, spec);
            assert_int_equal(m->n_raw, raws);
            p = outputs_of(m, ASC_RESPONSE, &t);
            for (k = 0; k < raws; k++) {
                const size_t class = classes == 2 ? 1 : k;
                double beta[8], g[8] = { 0 };

                standardised(m, k, mean, sd, beta);
                for (i = 0; i < 400; i++)
                    for (j = 0; j < 8; j++)
                        g[j] += t.weight[i] * (p[i * classes + class] -
                                               (t.y[i] == (double)class)) *
                                z[i * 8 + j];
                for (j = 0; j < 8; j++) {
                    g[j] += j ? ridge[r] * beta[j] : 0.0;
                    if (!(fabs(g[j]) < 1e-8))
                        fail_msg("ridge %g, %zu classes: gradient %g",
                                 ridge[r], classes, g[j]);
                }
            }
            free(p);
            free(z);
            asc_model_free(m);
            asc_training_free(&t);
        }
}

/* With one categorical field maximum likelihood has a closed form: the shares
 * of the classes in each category.  Counts by hand. */
static void
closed_form(void **state)
{
    static const double count[3][3] = { { 3, 5, 2 }, { 1, 4, 10 },
                                        { 7, 1, 1 } };
    struct asc_training t = training_new(9, 1);
    asc_model *m;
    double *p;
    size_t i, k;

    (void)state;
    schema_category(&t.schema, "c", "a,b,c");
    training_weigh(&t);
    training_classes(&t, "k0,k1,k2");
    for (i = 0; i < 9; i++) {
        t.x[i] = (double)(i / 3);
        t.y[i] = (double)(i % 3);
        t.weight[i] = count[i / 3][i % 3];
    }
    m = must_train(&t, "logistic:ridge=0");
    p = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < 3; i++)
        for (k = 0; k < 3; k++)
            assert_near(p[i * 9 + k], count[i][k] /
                        (count[i][0] + count[i][1] + count[i][2]), 1e-12);
    free(p);
    asc_model_free(m);
    asc_training_free(&t);

    /* two classes: log odds 5/3, and log of the odds ratio (4/1)/(5/3) */
    t = training_new(4, 1);
    schema_category(&t.schema, "c", "a,b");
    training_weigh(&t);
    training_classes(&t, "no,yes");
    for (i = 0; i < 4; i++) {
        t.x[i] = (double)(i / 2);
        t.y[i] = (double)(i % 2);
        t.weight[i] = count[i / 2][i % 2];
    }
    m = must_train(&t, "logistic:ridge=0");
    assert_near(m->u.linear.b[0], log(5.0 / 3.0), 1e-12);
    assert_near(m->u.linear.w[0], log(12.0 / 5.0), 1e-12);
    /* outputs in the classes' order; raw log odds of each class itself */
    assert_string_equal(asc_model_output(m, 0), "no");
    assert_string_equal(asc_model_output(m, 1), "yes");
    p = outputs_of(m, ASC_RAW, &t);
    assert_near(p[0], -log(5.0 / 3.0), 1e-12);
    assert_near(p[1], log(5.0 / 3.0), 1e-12);
    free(p);
    p = outputs_of(m, ASC_RESPONSE, &t);
    assert_near(p[0], 3.0 / 8.0, 1e-12);
    assert_near(p[7], 4.0 / 5.0, 1e-12);
    free(p);
    asc_model_free(m);
    asc_training_free(&t);
}

/* Two scores and softmax are the logistic model: with s1 = -s0 = s / 2 the
 * penalty on both is half that on s. */
static void
binary_is_softmax(void **state)
{
    static const double ridge[] = { 0.0, 0.25, 10.0 };
    struct asc_training t = random_table(11, 300, 2);
    asc_model *m = must_train(&t, "logistic");
    struct asci_design d = { 0 };
    struct asc_error e = { 0 };
    double one[8], two[16];
    size_t r, j;

    (void)state;
    assert_int_equal(asci_design_init(&d, &t, m, &e), ASC_OK);
    assert_int_equal(d.p, 8);
    for (r = 0; r < 3; r++) {
        assert_int_equal(asci_logistic_solve(&d, 1, ridge[r], one, &e), 0);
        assert_int_equal(asci_logistic_solve(&d, 2, 2.0 * ridge[r], two, &e),
                         0);
        for (j = 0; j < 8; j++) {
            assert_near(two[8 + j] - two[j], one[j], 1e-9);
            assert_near(two[8 + j] + two[j], 0.0, 1e-9);
        }
    }
    asci_design_matrix_free(&d);
    asc_model_free(m);
    asc_training_free(&t);
}

/* The unit of a field does not matter, with a ridge either. */
static void
scaling(void **state)
{
    size_t classes, i, k;

    (void)state;
    for (classes = 2; classes <= 3; classes++) {
        struct asc_training t = random_table(3, 300, classes);
        asc_model *m = must_train(&t, "logistic:ridge=5"), *m2;
        double *p = outputs_of(m, ASC_RAW, &t), *p2;

        for (i = 0; i < 300; i++) {
            t.x[i * 5] = 1e-5 * t.x[i * 5] + 3.0;
            t.x[i * 5 + 3] = -7e6 * t.x[i * 5 + 3];
        }
        m2 = must_train(&t, "logistic:ridge=5");
        p2 = outputs_of(m2, ASC_RAW, &t);
        for (i = 0; i < 300 * classes; i++)
            assert_near(p2[i], p[i], 1e-7);
        for (k = 0; k < m->n_raw; k++)
            assert_digits(m2->u.linear.w[k * 7 + 5],
                          m->u.linear.w[k * 7 + 5] / -7e6, 1e-7);
        free(p);
        free(p2);
        asc_model_free(m);
        asc_model_free(m2);
        asc_training_free(&t);
    }
}

static const char apart[] =
    "logistic: the fields tell classes apart so well that no finite "
    "coefficients are the most likely: ask for a ridge, e.g. "
    "logistic:ridge=1";

struct said {
    char line[300];
    size_t n;
};

static void
listen(void *context, int detail, const char *line)
{
    struct said *s = context;

    (void)detail;
    snprintf(s->line, sizeof s->line, "%s", line);
    s->n++;
}

/* Where maximum likelihood has no answer, the model of the ridge that takes
 * its place, said once and written down; else it is an error. */
static void
falls_back(const struct asc_training *t, const char *asked, const char *used,
           const char *ridge)
{
    struct said said = { .n = 0 };
    const struct asc_fitting how = { .say = listen, .context = &said };
    struct asc_error e = { 0 };
    asc_model *m = train_so(t, asked, &how, &e), *other = must_train(t, used);
    const struct asci_linear *f = &m->u.linear, *g = &other->u.linear;

    assert_non_null(m);
    assert_int_equal(said.n, 1);
    assert_string_equal(strstr(said.line, "held by"), ridge);
    assert_string_equal(m->description, used);
    assert_memory_equal(f->w, g->w, f->n_raw * f->n_columns * sizeof *f->w);
    assert_memory_equal(f->b, g->b, f->n_raw * sizeof *f->b);
    asc_model_free(m);
    asc_model_free(other);
}

static void
separation(void **state)
{
    size_t classes, i;

    (void)state;
    for (classes = 2; classes <= 3; classes++) {
        struct asc_training t = training_new(40, 1);
        struct asc_error e = { 0 };
        asc_model *m;
        double *p;

        schema_number(&t.schema, "x");
        training_classes(&t, classes == 2 ? "no,yes" : "k0,k1,k2");
        for (i = 0; i < 40; i++) {
            t.x[i] = (double)i;
            t.y[i] = floor((double)(i * classes) / 40.0);
        }
        assert_null(train(&t, "logistic:fallback=0", &e));
        assert_int_equal(e.status, ASC_ENUMERIC);
        assert_string_equal(e.text, apart);
        falls_back(&t, "logistic", "logistic:ridge=1", "held by ridge=1");
        m = must_train(&t, "logistic:ridge=1e-6");
        p = outputs_of(m, ASC_RESPONSE, &t);
        for (i = 0; i < 40; i++)
            assert_true(p[i * classes + (size_t)t.y[i]] > 0.99);
        assert_true(fabs(m->u.linear.w[0]) < 1e3);
        free(p);
        asc_model_free(m);
        asc_training_free(&t);
    }
}

/* scikit-learn 1.2.1: LogisticRegression(C=1, tol=1e-14,
 * solver='newton-cholesky') of 0 0 1 1 on the standardised numbers 1 2 3 4, the
 * probabilities of the second class. */
static void
scikit_learn(void **state)
{
    static const double want[] = { 0.21983863926604, 0.39598987525635,
                                   0.60401012474365, 0.78016136073396 };
    struct asc_training t = training_new(4, 1);
    asc_model *m;
    double *p;
    size_t i;

    (void)state;
    schema_number(&t.schema, "x");
    training_classes(&t, "0,1");
    for (i = 0; i < 4; i++) {
        t.x[i] = (double)i + 1.0;
        t.y[i] = i >= 2;
    }
    m = must_train(&t, "logistic");
    p = outputs_of(m, ASC_RESPONSE, &t);
    for (i = 0; i < 4; i++)
        assert_true(fabs(p[2 * i + 1] - want[i]) < 1e-13);
    free(p);
    asc_model_free(m);
    asc_training_free(&t);
}

/* One category has one class only: its coefficient has no end, though the
 * other rows are mixed. */
static void
partial_separation(void **state)
{
    struct asc_training t = training_new(40, 2);
    struct asc_error e = { 0 };
    uint64_t s = 17;
    asc_model *m;
    size_t i;

    (void)state;
    schema_category(&t.schema, "c", "a,b");
    schema_number(&t.schema, "x");
    training_classes(&t, "no,yes");
    for (i = 0; i < 40; i++) {
        t.x[2 * i] = i < 6;
        t.x[2 * i + 1] = normal(&s);
        t.y[i] = i < 6 || i % 2;
    }
    assert_null(train(&t, "logistic:fallback=0", &e));
    assert_string_equal(e.text, apart);
    falls_back(&t, "logistic:fallback=0.5",
               "logistic:ridge=0.5:fallback=0.5", "held by ridge=0.5");
    m = must_train(&t, "logistic:ridge=1e-6");
    assert_true(m->u.linear.w[0] > 5.0 && m->u.linear.w[0] < 50.0);
    asc_model_free(m);
    asc_training_free(&t);
}

static void
too_large(void **state)
{
    struct asc_training t = training_new(4, 1);
    struct asc_error e = { 0 };
    size_t i;

    (void)state;
    schema_number(&t.schema, "x");
    for (i = 0; i < 4; i++) {
        t.x[i] = (double)i;
        t.y[i] = i % 2 ? 1.7e308 : -1.7e308;
    }
    assert_null(train(&t, "linear", &e));
    assert_int_equal(e.status, ASC_ENUMERIC);
    assert_string_equal(e.text, "linear: the table's numbers are too large to "
                        "compute with: rescale the fields");
    assert_null(train(&t, "gbm", &e));
    assert_string_equal(e.text, "gbm: the target's numbers are too large to "
                        "compute with: rescale it");
    assert_null(train(&t, "mlp", &e));
    assert_string_equal(e.text, "mlp: the target's numbers are too large to "
                        "compute with: rescale it");
    asc_training_free(&t);
}

/* Names of people are no field. */
static void
too_many_columns(void **state)
{
    struct asc_training t = training_new(6000, 1);
    struct asc_buffer names = { 0 };
    struct asc_error e = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < 6000; i++)
        asc_buffer_print(&names, "%sn%zu", i ? "," : "", i);
    asc_buffer_char(&names, '\0');
    schema_category(&t.schema, "name", names.p);
    for (i = 0; i < 6000; i++) {
        t.x[i] = (double)i;
        t.y[i] = (double)(i % 2);
    }
    assert_null(train(&t, "linear", &e));
    assert_string_equal(e.text, "linear: 6000 coefficients, at most 5000: "
                        "leave out fields with very many categories, or use "
                        "gbm");
    training_classes(&t, "no,yes");
    assert_null(train(&t, "logistic", &e));
    assert_string_equal(e.text, "logistic: 6000 coefficients, at most 5000: "
                        "leave out fields with very many categories, or use "
                        "gbm");
    assert_null(train(&t, "mlp", &e));
    assert_string_equal(e.text, "mlp: 6000 input columns, at most 5000: leave "
                        "out fields with very many categories, or use gbm");
    asc_buffer_free(&names);
    asc_training_free(&t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(certified),
        cmocka_unit_test(polynomial),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(against_qr),
        cmocka_unit_test(collinear),
        cmocka_unit_test(weights_and_order),
        cmocka_unit_test(stationary),
        cmocka_unit_test(closed_form),
        cmocka_unit_test(binary_is_softmax),
        cmocka_unit_test(scaling),
        cmocka_unit_test(separation),
        cmocka_unit_test(scikit_learn),
        cmocka_unit_test(partial_separation),
        cmocka_unit_test(too_large),
        cmocka_unit_test(too_many_columns)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
