/* lime: the regression against the sheet and the normal equations, the samples
 * against their distribution, the coefficients against enumeration. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "attribute/internal.h"
#include "attribute/lime.h"
#include "attribute/ridge.h"
#include "attribution.h"
#include "seed.h"

#define LIME &asci_method_lime

/* ---- the regression ---- */

/* Sheet metrics 1.5, from the official LIME code: s = 0 1 -1 2, the row first,
 * kernel width 0.75, ridge 1. */
static void
ridge_example(void **state)
{
    const double z[] = { 0, 1, -1, 2 }, y[] = { .6, .8, .3, .9 };
    const double want[] = { 1, .411112, .411112, .028566 };
    struct asci_ridge r;
    double coef, intercept;
    size_t i;

    (void)state;
    assert_int_equal(asci_ridge_init(&r, 1, 1, NULL), ASC_OK);
    for (i = 0; i < 4; i++) {
        const double w = exp(-z[i] * z[i] / (2 * .75 * .75));

        close_to(w, want[i], 5e-7);
        asci_ridge_add(&r, w, &z[i], &y[i]);
    }
    assert_int_equal(asci_ridge_solve(&r, 1.0, &coef, &intercept, NULL, NULL),
                     ASC_OK);
    close_to(coef, .115624, 5e-7);
    close_to(intercept, .578848, 5e-7);
    asci_ridge_free(&r);
}

/* Solves a (n, n) x = b by elimination with pivots; both are overwritten. */
static void
eliminate(long double *a, long double *b, size_t n)
{
    size_t i, j, k, p;

    for (k = 0; k < n; k++) {
        for (p = k, i = k + 1; i < n; i++)
            if (fabsl(a[i * n + k]) > fabsl(a[p * n + k]))
                p = i;
        for (j = 0; j < n; j++) {
            long double t = a[k * n + j];

            a[k * n + j] = a[p * n + j];
            a[p * n + j] = t;
        }
        {
            long double t = b[k];

            b[k] = b[p];
            b[p] = t;
        }
        for (i = k + 1; i < n; i++) {
            long double t = a[i * n + k] / a[k * n + k];

            for (j = k; j < n; j++)
                a[i * n + j] -= t * a[k * n + j];
            b[i] -= t * b[k];
        }
    }
    for (k = n; k-- > 0;) {
        for (j = k + 1; j < n; j++)
            b[k] -= a[k * n + j] * b[j];
        b[k] /= a[k * n + k];
    }
}

/* Weighted least squares of y on 1 and z (n, d) with penalty on all but the
 * first coefficient: the normal equations, uncentred.  out (d + 1). */
static void
normal_equations(const double *z, const double *w, const double *y, size_t n,
                 size_t d, double penalty, double *out)
{
    long double a[81] = { 0 }, b[9] = { 0 };
    const size_t p = d + 1;
    size_t i, j, k;

    assert_true(p <= 9);
    for (i = 0; i < n; i++)
        for (j = 0; j < p; j++) {
            const long double u = j ? z[i * d + j - 1] : 1.0;

            for (k = 0; k < p; k++)
                a[j * p + k] += w[i] * u * (k ? z[i * d + k - 1] : 1.0);
            b[j] += w[i] * u * y[i];
        }
    for (j = 1; j < p; j++)
        a[j * p + j] += penalty;
    eliminate(a, b, p);
    for (j = 0; j < p; j++)
        out[j] = (double)b[j];
}

static void
ridge_equations(void **state)
{
    enum { N = 40, D = 5, Q = 2 };
    static const double penalties[] = { 0.0, 0.3, 1.0, 50.0 };
    double z[N * D], w[N], y[Q][N], both[Q], want[D + 1], coef[Q * D];
    double intercept[Q], inverse[D * D], product;
    size_t place[D], i, j, k, t, n;
    struct asci_ridge dense, ones;
    struct asc_stream s;

    (void)state;
    asc_stream_start(&s, test_seed(1), "ridge", "", 0);
    assert_int_equal(asci_ridge_init(&dense, D, Q, NULL), ASC_OK);
    assert_int_equal(asci_ridge_init(&ones, D, Q, NULL), ASC_OK);
    for (i = 0; i < N; i++) {
        for (j = 0, n = 0; j < D; j++) {
            z[i * D + j] = asc_stream_uniform(&s) < 0.4;
            place[n] = j;
            n += z[i * D + j] == 1.0;
        }
        w[i] = asc_stream_uniform(&s);
        y[0][i] = both[0] = asc_stream_normal(&s);
        y[1][i] = both[1] = 100.0 + asc_stream_normal(&s) + z[i * D];
        asci_ridge_add(&dense, w[i], z + i * D, both);
        asci_ridge_add_ones(&ones, w[i], place, n, both);
    }
    for (t = 0; t < sizeof penalties / sizeof *penalties; t++) {
        struct asci_ridge *const r = t % 2 ? &ones : &dense;

        assert_int_equal(asci_ridge_solve(r, penalties[t], coef, intercept,
                                          inverse, NULL), ASC_OK);
        for (k = 0; k < Q; k++) {
            normal_equations(z, w, y[k], N, D, penalties[t], want);
            close_to(intercept[k], want[0], 1e-11);
            for (j = 0; j < D; j++)
                close_to(coef[k * D + j], want[j + 1], 1e-11);
        }
        /* inverse times the centred Gram matrix plus penalty is 1 */
        for (i = 0; i < D; i++)
            for (j = 0; j < D; j++) {
                for (k = 0, product = 0.0; k < D; k++)
                    product += inverse[i * D + k] *
                        (r->gram[(k > j ? k : j) * D + (k > j ? j : k)] -
                         r->sum[k] * r->sum[j] / r->weight +
                         (k == j ? penalties[t] : 0.0));
                close_to(product, i == j, 1e-12);
            }
    }
    asci_ridge_free(&dense);
    asci_ridge_free(&ones);
}

/* A regressor that does not vary gets 0, two that are the same are too many
 * without a penalty and share with one. */
static void
ridge_degenerate(void **state)
{
    const double z[] = { 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1 };
    const double y[] = { 1.0, 3.0, 1.0, 3.0 };
    struct asci_ridge r;
    struct asc_error e;
    double coef[3], intercept;
    size_t i;

    (void)state;
    assert_int_equal(asci_ridge_init(&r, 3, 1, NULL), ASC_OK);
    for (i = 0; i < 4; i++)
        asci_ridge_add(&r, 0.1, z + 3 * i, y + i);
    assert_int_equal(asci_ridge_solve(&r, 0.0, coef, &intercept, NULL, &e),
                     ASC_ENUMERIC);
    assert_int_equal(asci_ridge_solve(&r, 1.0, coef, &intercept, NULL, &e),
                     ASC_OK);
    close_to(coef[0], 0.0, 0);
    close_to(coef[1], coef[2], 1e-15);
    /* centred: sum w z^2 = 0.1, sum w z y = 0.2: (0.2 + 1) c = 0.2 */
    close_to(coef[1], 1.0 / 6.0, 1e-15);
    close_to(intercept, 2.0 - 1.0 / 6.0, 1e-15);
    asci_ridge_free(&r);
}

/* ---- the samples ---- */

enum { MISSING = -99 };

/* The outputs are the fields. */
static double
fields_themselves(const double *x, size_t d, size_t output)
{
    (void)d;
    return isnan(x[output]) ? MISSING : x[output];
}

static const double people[][4] = {
    { 1.0, 0, 5.0, 1 }, { 2.0, 1, 5.0, NAN }, { 3.0, 1, 5.0, 1 },
    { 4.5, 2, 5.0, 0 }, { 7.0, 1, 5.0, 1 }, { NAN, 0, 5.0, NAN },
    { 9.0, 1, 5.0, 1 }, { 20.0, 2, 5.0, 1 }, { 2.5, 1, 5.0, 0 }
};
enum { PEOPLE = sizeof people / sizeof *people };
/* Quartiles of 1 2 2.5 3 4.5 7 9 20 at places 1.75, 3.5, 5.25. */
static const double quartiles[] = { 2.375, 3.75, 7.5 };

static struct asci_lime *
new_lime(const asc_model *m, const struct asc_background *b, size_t samples,
         double width, enum asci_lime_bins bins, enum asci_lime_design design)
{
    const struct asci_lime_setup setup = {
        .model = m, .scale = ASC_RAW, .background = b, .seed = 1,
        .samples = samples, .width = width, .bins = bins, .design = design
    };
    struct asci_lime *l;

    assert_int_equal(asci_lime_new(&setup, &l, NULL), ASC_OK);
    return l;
}

static size_t
quartile_of(double v)
{
    return (v > quartiles[0]) + (v > quartiles[1]) + (v > quartiles[2]);
}

/* Mean of a normal (mean, sd) between a and b. */
static double
cut_off_mean(double mean, double sd, double a, double b)
{
    const double u = (a - mean) / sd, v = (b - mean) / sd;

    return mean + sd * (gsl_ran_ugaussian_pdf(u) - gsl_ran_ugaussian_pdf(v)) /
                  (gsl_cdf_ugaussian_P(v) - gsl_cdf_ugaussian_P(u));
}

static void
quartile_samples(void **state)
{
    enum { N = 40000 };
    /* the two values in each bin, and its ends */
    static const double in_bin[4][2] = { { 1, 2 }, { 2.5, 3 }, { 4.5, 7 },
                                         { 9, 20 } };
    static const double end[] = { 1.0, 2.375, 3.75, 7.5, 20.0 };
    const double x[] = { 4.5, 1.0, 5.0, NAN };
    const double y0[] = { 4.5, 1.0, 5.0, MISSING };
    const struct asc_text id = { "1", 1 };
    size_t count[4] = { 0 }, category[3] = { 0 }, missing[2] = { 0 };
    double sum[4] = { 0 }, mean, sd, z[4];
    size_t place[4], i, k, n;
    struct counter counter;
    asc_model *m = counting_model("x3x2", 4, &counter, fields_themselves);
    struct asc_background b;
    struct asci_near near;
    struct asci_lime *l;

    (void)state;
    make_background(m, people[0], PEOPLE, &b);
    l = new_lime(m, &b, N, 0.0, ASCI_LIME_QUARTILE, ASCI_LIME_SHARED);
    assert_int_equal(counter.rows, N - 1);
    assert_int_equal(asci_near_init(&near, l, NULL), ASC_OK);
    assert_int_equal(asci_near_move(&near, x, y0, id, NULL), ASC_OK);
    assert_int_equal(near.n, N);
    close_to(near.weight[0], 1.0, 0);
    same_bits(asci_near_outputs(&near, 0), y0, 4);
    assert_int_equal(asci_near_ones(&near, 0, place), 4);
    for (i = 1; i < N; i++) {
        const double *y = asci_near_outputs(&near, i);
        int match[4];

        if (y[0] == MISSING) {
            missing[0]++;
        } else {
            k = quartile_of(y[0]);
            assert_true(y[0] >= end[k] && y[0] <= end[k + 1]);
            count[k]++;
            sum[k] += y[0];
        }
        category[(size_t)y[1]]++;
        missing[1] += y[3] == MISSING;
        close_to(y[2], 5.0, 0);
        match[0] = y[0] != MISSING && quartile_of(y[0]) == 2;
        match[1] = y[1] == 1.0;
        match[2] = 1;
        match[3] = y[3] == MISSING;
        n = asci_near_ones(&near, i, place);
        asci_near_point(&near, i, z);
        for (k = 0; k < 4; k++) {
            close_to(z[k], match[k], 0);
            n -= (size_t)match[k];
        }
        assert_int_equal(n, 0);
        /* width 0.75 sqrt(4): weight exp(-D^2 / 4.5) */
        n = 4 - (size_t)(match[0] + match[1] + match[2] + match[3]);
        close_to(near.weight[i], exp(-(double)n / 4.5), 1e-15);
    }
    /* frequencies of the background, within 5 standard deviations */
    for (k = 0; k < 4; k++) {
        close_to((double)count[k], N * 2 / 9., 5 * sqrt(N * 14 / 81.));
        mean = (in_bin[k][0] + in_bin[k][1]) / 2;
        sd = (in_bin[k][1] - in_bin[k][0]) / 2;
        close_to(sum[k] / (double)count[k],
                 cut_off_mean(mean, sd, end[k], end[k + 1]),
                 5 * sd / sqrt((double)count[k]));
    }
    close_to((double)missing[0], N / 9., 5 * sqrt(N * 8 / 81.));
    close_to((double)missing[1], N * 2 / 9., 5 * sqrt(N * 14 / 81.));
    close_to((double)category[0], N * 2 / 9., 5 * sqrt(N * 14 / 81.));
    close_to((double)category[1], N * 5 / 9., 5 * sqrt(N * 20 / 81.));
    asci_near_free(&near);
    asci_lime_free(l);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Without bins: normals of the field's mean and sd (divisor n), z in units of
 * sd, D over those. */
static void
normal_samples(void **state)
{
    enum { N = 40000 };
    const double x[] = { 4.5, 1.0, 6.0, NAN };
    const double y0[] = { 4.5, 1.0, 6.0, MISSING };
    const double mean = 49.0 / 8.0;
    const struct asc_text id = { "1", 1 };
    double sd = 0.0, sum = 0.0, squares = 0.0, z[4], distance;
    size_t i, k, n = 0;
    struct counter counter;
    asc_model *m = counting_model("x3x2", 4, &counter, fields_themselves);
    struct asc_background b;
    struct asci_near near;
    struct asci_lime *l;

    (void)state;
    for (i = 0; i < PEOPLE; i++)
        if (!isnan(people[i][0]))
            sd += (people[i][0] - mean) * (people[i][0] - mean) / 8.0;
    sd = sqrt(sd);
    make_background(m, people[0], PEOPLE, &b);
    l = new_lime(m, &b, N, 2.0, ASCI_LIME_NONE, ASCI_LIME_SHARED);
    assert_int_equal(asci_near_init(&near, l, NULL), ASC_OK);
    assert_int_equal(asci_near_move(&near, x, y0, id, NULL), ASC_OK);
    asci_near_point(&near, 0, z);
    close_to(z[0], (4.5 - mean) / sd, 1e-15);
    close_to(z[1], 1.0, 0);
    close_to(z[2], 1.0, 0);             /* no spread: its own unit */
    close_to(z[3], 1.0, 0);
    for (i = 1; i < N; i++) {
        const double *y = asci_near_outputs(&near, i);

        asci_near_point(&near, i, z);
        if (y[0] == MISSING) {
            close_to(z[0], 0.0, 0);
        } else {
            close_to(z[0], (y[0] - mean) / sd, 1e-13);
            sum += z[0];
            squares += z[0] * z[0];
            n++;
        }
        close_to(z[1], y[1] == 1.0, 0);
        close_to(z[2], 0.0, 0);
        close_to(y[2], 5.0, 0);
        close_to(z[3], y[3] == MISSING, 0);
        for (k = 0, distance = 0.0; k < 4; k++)
            distance += (z[k] - near.own[k]) * (z[k] - near.own[k]);
        close_to(near.weight[i], exp(-distance / 8.0), 1e-15);
    }
    close_to((double)n, N * 8 / 9., 5 * sqrt(N * 8 / 81.));
    close_to(sum / (double)n, 0.0, 5 / sqrt((double)n));
    close_to(squares / (double)n, 1.0, 5 * sqrt(2.0 / (double)n));
    asci_near_free(&near);
    asci_lime_free(l);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Bins end at their values: a value on a quartile is in the bin to its left;
 * equal quartiles count once. */
static void
bins(void **state)
{
    const double heap[] = { 1, 1, 1, 1, 2, 3, 3, 9, 9, 9 };
    const double rows[] = { 0.5, 1.0, 1.5, 2.0, 8.9, 100.0 };
    const struct asc_text id = { "1", 1 };
    struct counter counter;
    asc_model *m = counting_model("x", 1, &counter, fields_themselves);
    struct asc_background b;
    struct asci_near near;
    struct asci_lime *l;
    size_t ones[6] = { 0 }, i, s, place[1];

    (void)state;
    /* quartiles at places 2.25, 4.5, 6.75: 1, 2.5, 7.5 */
    make_background(m, heap, 10, &b);
    l = new_lime(m, &b, 5000, 0.0, ASCI_LIME_QUARTILE, ASCI_LIME_SHARED);
    assert_int_equal(asci_near_init(&near, l, NULL), ASC_OK);
    for (i = 0; i < 6; i++) {
        assert_int_equal(asci_near_move(&near, &rows[i], &rows[i], id, NULL),
                         ASC_OK);
        for (s = 1; s < 5000; s++)
            ones[i] += asci_near_ones(&near, s, place);
    }
    assert_int_equal(ones[0], ones[1]);
    assert_int_equal(ones[2], ones[3]);
    close_to((double)ones[1], 2000, 5 * sqrt(5000 * .24));
    close_to((double)ones[2], 500, 5 * sqrt(5000 * .09));
    close_to((double)ones[5], 1500, 5 * sqrt(5000 * .21));
    close_to((double)ones[4], 1500, 5 * sqrt(5000 * .21));
    asci_near_free(&near);
    asci_lime_free(l);
    /* deciles of ten values at places 0.9, 1.8, ...: 1, 1.2, 2.4, 3, 4.8, 9 */
    l = new_lime(m, &b, 2000, 0.0, ASCI_LIME_DECILE, ASCI_LIME_SHARED);
    assert_int_equal(asci_near_init(&near, l, NULL), ASC_OK);
    for (i = 0; i < 2; i++) {
        const double row = i ? 2.0 : 1.2;
        size_t n = 0;

        assert_int_equal(asci_near_move(&near, &row, &row, id, NULL), ASC_OK);
        for (s = 1; s < 2000; s++) {
            const double y = *asci_near_outputs(&near, s);

            if (!asci_near_ones(&near, s, place))
                continue;
            n++;
            assert_true(i ? y > 1.2 && y <= 2.4 : 0);
        }
        /* in (1, 1.2] there is nobody; 2 is alone in (1.2, 2.4] */
        if (i)
            close_to((double)n, 200, 5 * sqrt(2000 * .09));
        else
            assert_int_equal(n, 0);
    }
    asci_near_free(&near);
    asci_lime_free(l);
    asc_background_free(&b);
    asc_model_free(m);
}

/* ---- the method ---- */

static const double worth[3][3] = {
    { 1.0, -2.0, 0.5 }, { 0.25, 3.0, -1.0 }, { -0.75, 2.0, 1.5 }
};

static double
interacting(const double *x, size_t d, size_t output)
{
    const double a = worth[0][(size_t)x[0]], b = worth[1][(size_t)x[1]];
    const double c = worth[2][(size_t)x[2]];

    (void)d;
    return output ? a + b + c : a * b + exp(c) + 0.3 * a * b * c;
}

static const double draws[][3] = {
    { 0, 0, 0 }, { 1, 2, 0 }, { 2, 1, 1 }, { 0, 2, 2 }, { 0, 1, 2 },
    { 1, 1, 0 }, { 0, 0, 1 }
};
enum { DRAWS = sizeof draws / sizeof *draws };

/* What LIME tends to with many samples: each combination of three categories
 * with its probability times its weight. */
static void
enumerate(const double *x, double *out)
{
    double z[27 * 3], w[27], y[27], p;
    size_t i, j, k, n;

    for (i = 0; i < 27; i++) {
        const double v[] = { (double)(i % 3), (double)(i / 3 % 3),
                             (double)(i / 9) };

        for (j = 0, p = 1.0, n = 0; j < 3; j++) {
            double share = 0.0;

            for (k = 0; k < DRAWS; k++)
                share += (draws[k][j] == v[j]) / (double)DRAWS;
            p *= share;
            z[i * 3 + j] = v[j] == x[j];
            n += v[j] != x[j];
        }
        w[i] = p * exp(-(double)n / (2 * 0.5625 * 3));
        y[i] = interacting(v, 3, 0);
    }
    normal_equations(z, w, y, 27, 3, 0.0, out);
}

static void
limit(void **state)
{
    const double x[] = { 0, 1, 2 };
    static const char *const specs[] = {
        "lime:samples=200000:ridge=0", "lime:samples=200000:ridge=0:design=row"
    };
    struct counter counter;
    asc_model *m = counting_model("333", 2, &counter, interacting);
    struct asc_background b;
    double want[4];
    size_t j, t;

    (void)state;
    make_background(m, draws[0], DRAWS, &b);
    enumerate(x, want);
    for (t = 0; t < 2; t++) {
        struct explanation r = explain(specs[t], LIME, m, ASC_RAW, &b, x, 1,
                                       0);

        for (j = 0; j < 3; j++) {
            assert_true(r.se[j] > 0.0 && r.se[j] < 0.05);
            close_to(r.phi[j], want[j + 1], 4 * r.se[j]);
        }
        close_to(r.base[0], want[0], 0.05);
        close_to(r.value[0], interacting(x, 3, 0), 0);
        explanation_free(&r);
    }
    asc_background_free(&b);
    asc_model_free(m);
}

static double
wavy(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return sin(2.0 * x[0]) + worth[1][(size_t)x[1]] * x[0] * x[2];
}

/* The spread over seeds is what the standard errors say. */
static void
compare_errors(asc_model *m, const double *rows, size_t n, const char *options,
               const double *x)
{
    enum { SEEDS = 400 };
    double sum[3] = { 0 }, squares[3] = { 0 }, se[3] = { 0 };
    struct asc_background b;
    size_t seed, j;

    make_background(m, rows, n, &b);
    for (seed = 1; seed <= SEEDS; seed++) {
        char spec[80];
        struct explanation r;

        snprintf(spec, sizeof spec, "lime:samples=300:%s:seed=%zu", options,
                 seed);
        r = explain(spec, LIME, m, ASC_RAW, &b, x, 1, 0);
        for (j = 0; j < 3; j++) {
            sum[j] += r.phi[j] / SEEDS;
            squares[j] += r.phi[j] * r.phi[j] / SEEDS;
            se[j] += r.se[j] / SEEDS;
        }
        explanation_free(&r);
    }
    /* An sd of 400 draws is within 3.5 % of its own. */
    for (j = 0; j < 3; j++)
        close_to(se[j] / sqrt(squares[j] - sum[j] * sum[j]), 1.0, 0.14);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
standard_errors(void **state)
{
    const double x[] = { 0, 1, 2 }, u[] = { 0.3, 1, 0.5 };
    const double rows[] = {
        0.1, 0, 1.0, -0.5, 1, 0.2, 0.9, 2, -1.0, 0.4, 1, 0.7, -1.1, 1, 0.1
    };
    struct counter counter;

    (void)state;
    compare_errors(counting_model("333", 2, &counter, interacting), draws[0],
                   DRAWS, "ridge=5", x);
    compare_errors(counting_model("x3x", 2, &counter, wavy), rows, 5,
                   "discretise=none", u);
    compare_errors(counting_model("x3x", 2, &counter, wavy), rows, 5,
                   "ridge=0:design=row", u);
}

/* A model that is linear in LIME's coordinates is recovered: with two
 * categories a field, sheet attribution 1.3. */
static double
additive(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return 7.0 + 2.0 * (x[0] == 1.0) - 3.0 * (x[1] == 1.0) +
           (isnan(x[2]) ? 0.5 : 0.0);
}

static void
recovery(void **state)
{
    const double rows[] = { 0, 1, 4.0, 1, 0, NAN, 0, 0, 4.0, 1, 1, NAN };
    const double x[] = { 1, 1, 4.0, 0, 1, NAN };
    const double want[] = { 2.0, -3.0, -0.5, -2.0, -3.0, 0.5 };
    struct counter counter;
    asc_model *m = counting_model("22x", 1, &counter, additive);
    struct asc_background b;
    struct explanation r;
    size_t j;

    (void)state;
    make_background(m, rows, 4, &b);
    r = explain("lime:samples=200:ridge=0", LIME, m, ASC_RAW, &b, x, 2, 0);
    for (j = 0; j < 6; j++) {
        close_to(r.phi[j], want[j], 1e-12);
        close_to(r.se[j], 0.0, 1e-7);
    }
    close_to(asc_residual(r.phi, 3, r.base[0], r.value[0]), 0.0, 1e-12);
    close_to(asc_residual(r.phi + 3, 3, r.base[1], r.value[1]), 0.0, 1e-12);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

static double
straight(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return 1e6 + 2.0 * x[0] - 0.5 * x[1];
}

static void
recovery_without_bins(void **state)
{
    const double rows[] = { 1, 10, 3, 20, 5, 60 };      /* sd 1.63, 21.6 */
    const double x[] = { 2.0, 100.0 };
    struct counter counter;
    asc_model *m = counting_model("xx", 1, &counter, straight);
    struct asc_background b;
    struct explanation r;

    (void)state;
    make_background(m, rows, 3, &b);
    r = explain("lime:samples=200:ridge=0:discretise=none", LIME, m, ASC_RAW,
                &b, x, 1, 0);
    close_to(r.phi[0], 2.0 * sqrt(8.0 / 3.0), 1e-8);
    close_to(r.phi[1], -0.5 * sqrt(1400.0 / 3.0), 1e-8);
    close_to(r.value[0], 1e6 + 4.0 - 50.0, 0);
    close_to(r.base[0] + r.phi[0] + r.phi[1], r.value[0], 1e-8);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

static double
partial(const double *x, size_t d, size_t output)
{
    (void)d;
    (void)output;
    return isnan(x[0]) ? NAN : x[0] == 2.0 ? 1.0 : 0.0;
}

/* Fields that never differ get 0; a category that the background does not
 * have; samples and rows without an answer; too few samples. */
static void
degenerate(void **state)
{
    const double rows[] = { 0, 3.0, NAN, 3.0, 1, 3.0, 0, 3.0 };
    const double x[] = { 0, 3.0, 2, 3.0, NAN, 3.0 };
    struct counter counter;
    asc_model *m = counting_model("3x", 1, &counter, partial);
    struct asc_background b;
    struct explanation r;
    size_t i;

    (void)state;
    make_background(m, rows, 4, &b);
    r = explain("lime:samples=500", LIME, m, ASC_RAW, &b, x, 3, 0);
    close_to(r.phi[0], 0.0, 0);
    close_to(r.phi[1], 0.0, 0);
    close_to(r.base[0], 0.0, 0);
    /* the row alone has z = 1, the others, some 375 of weight e^-0.44, have
     * z = 0 and f = 0: slope A / (A + ridge), A = W1 W0 / (W1 + W0) */
    assert_true(r.phi[2] > 0.49 && r.phi[2] < 0.5);
    close_to(r.phi[3], 0.0, 0);
    assert_true(isnan(r.value[2]));
    for (i = 4; i < 6; i++)
        assert_true(isnan(r.phi[i]));
    assert_true(isnan(r.base[2]));
    explanation_free(&r);
    r = explain("lime:samples=2:ridge=0", LIME, m, ASC_RAW, &b, x, 2, 0);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Three samples cannot tell four fields apart without a penalty. */
static void
too_few_samples(void **state)
{
    const double rows[] = { 0, 0, 0, 0, 1, 1, 1, 1 }, x[] = { 0, 0, 0, 0 };
    struct counter counter;
    asc_model *m = counting_model("2222", 1, &counter, additive);
    struct asc_background b;
    struct explanation r;

    (void)state;
    make_background(m, rows, 2, &b);
    r = explain("lime:samples=3:ridge=0:seed=4", LIME, m, ASC_RAW, &b, x, 1,
                0);
    assert_true(isnan(r.phi[0]));
    assert_true(isnan(r.base[0]));
    assert_false(isnan(r.value[0]));
    explanation_free(&r);
    r = explain("lime:samples=3", LIME, m, ASC_RAW, &b, x, 1, 0);
    assert_false(isnan(r.phi[0]));
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

/* A shared design asks the model once for all rows; one for each row does not,
 * and differs between ids. */
static void
cost(void **state)
{
    enum { N = 20 };
    double x[N * 3];
    struct counter counter;
    asc_model *m = counting_model("333", 2, &counter, interacting);
    struct asc_background b;
    struct explanation r;
    size_t i;

    (void)state;
    for (i = 0; i < N * 3; i++)
        x[i] = draws[1][i % 3];
    make_background(m, draws[0], DRAWS, &b);
    r = explain("lime:samples=1000", LIME, m, ASC_RAW, &b, x, N, 0);
    assert_int_equal(counter.rows, 999 + N);
    assert_int_equal(counter.calls, 2);
    same_bits(r.phi, r.phi + 3, 3);
    explanation_free(&r);
    counter.rows = 0;
    r = explain("lime:samples=1000:design=row", LIME, m, ASC_RAW, &b, x, N, 0);
    assert_int_equal(counter.rows, 1000 * N);
    assert_true(r.phi[0] != r.phi[3]);
    explanation_free(&r);
    asc_background_free(&b);
    asc_model_free(m);
}

static double
draw_value(struct asc_stream *s, char kind)
{
    const double u = asc_stream_uniform(s);

    if (u < 0.1)
        return NAN;
    return kind == 'x' ? asc_stream_normal(s)
                       : (double)asc_stream_below(s, (uint64_t)(kind - '0'));
}

static void
row_contract(void **state)
{
    static const char *const specs[] = {
        "lime:samples=200", "lime:samples=200:design=row",
        "lime:samples=200:discretise=none:ridge=0.5",
        "lime:samples=200:discretise=decile:design=row"
    };
    static const char *const fields[] = {
        "xx3x2", "xx3x2xxxx4xx3x2xx22xxxx42xx3x2xxxx4xx3x2"
    };
    enum { N = 25, ROWS = 40 };
    struct asc_background b;
    struct asc_stream s;
    size_t i, k, d;

    (void)state;
    asc_stream_start(&s, test_seed(1), "rows", "", 0);
    for (k = 0; k < 2; k++) {
        asc_model *m = model_begin(fields[k]);
        double *rows;

        d = strlen(fields[k]);
        rows = malloc(ROWS * d * sizeof *rows);
        add_plain_columns(m, 0.0);
        add_random_layer(m, &s, 6, ASCI_TANH);
        add_random_layer(m, &s, 3, ASCI_IDENTITY);
        model_end(m, 3, ASCI_LINK_SOFTMAX);
        for (i = 0; i < ROWS * d; i++)
            rows[i] = draw_value(&s, fields[k][i % d]);
        make_background(m, rows, ROWS, &b);
        for (i = 0; i < 4; i++) {
            check_row_contract(specs[i], LIME, m, ASC_RAW, &b, rows + d, N);
            check_row_contract(specs[i], LIME, m, ASC_RESPONSE, &b, rows + d,
                               N);
        }
        asc_background_free(&b);
        asc_model_free(m);
        free(rows);
    }
}

static void
misuse(void **state)
{
    const double x[] = { 0, 0, 0 };
    const size_t output = 0;
    struct counter counter;
    asc_model *m = counting_model("333", 2, &counter, interacting);
    struct explanation r;
    struct asc_error e;

    (void)state;
    assert_int_equal(explain_blocks("lime", LIME, m, ASC_RAW, NULL, x, 1,
                                    &output, 1, 1, &r, &e), ASC_EUSAGE);
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ridge_example),
        cmocka_unit_test(ridge_equations),
        cmocka_unit_test(ridge_degenerate),
        cmocka_unit_test(quartile_samples),
        cmocka_unit_test(normal_samples),
        cmocka_unit_test(bins),
        cmocka_unit_test(limit),
        cmocka_unit_test(standard_errors),
        cmocka_unit_test(recovery),
        cmocka_unit_test(recovery_without_bins),
        cmocka_unit_test(degenerate),
        cmocka_unit_test(too_few_samples),
        cmocka_unit_test(cost),
        cmocka_unit_test(row_contract),
        cmocka_unit_test(misuse)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
