/* Bootstrap weights, exact moments, summaries and adjusted p values: the
 * distribution, brute force, SciPy's values and the sheets' examples. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sf_gamma.h>

#include "metrics/stat.h"
#include "tests/unit/shared.h"

enum { MANY = 500 };

static const struct asc_stat_options plain = { .level = 0.95,
    .replicates = 1000, .permutations = 1000, .min_group = 1, .seed = 1 };

static char names[MANY][16];
static struct asc_text units[MANY];

static int
name_units(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < MANY; i++) {
        units[i].n = (size_t)snprintf(names[i], sizeof names[i], "row %zu", i);
        units[i].p = names[i];
    }
    return 0;
}

static void
near(double got, double want, double tolerance)
{
    if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= tolerance))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void
same_bits(double a, double b)
{
    if (memcmp(&a, &b, sizeof a) != 0 && !(isnan(a) && isnan(b)))
        fail_msg("%.17g is not %.17g", a, b);
}

/* The documented definition, with Poisson's law summed in long double. */
static void
weights_by_definition(void **state)
{
    const struct asc_text id = { "applicant 17", 12 };
    struct asc_stream s;
    uint32_t w[1001];
    unsigned r;

    (void)state;
    asc_bootstrap_weights(7, id, 1001, w);
    asc_stream_start(&s, 7, "bootstrap", id.p, id.n);
    for (r = 0; r < 1001; r += 2) {
        uint64_t word = asc_stream_bits(&s);
        unsigned half, k;

        for (half = 0; half < 2 && r + half < 1001; half++) {
            uint32_t u = (uint32_t)(word >> 32 * half);
            long double term = expl(-1.0L), below = term;

            for (k = 0; (long double)u >= roundl(below * 0x1p32L); k++) {
                term /= (long double)(k + 1);
                below += term;
            }
            assert_int_equal(w[r + half], k);
            assert_int_equal(asc_bootstrap_weight(7, id, r + half), k);
        }
    }
}

/* A shorter run is the head of a longer one; seeds and names matter. */
static void
weights_by_prefix(void **state)
{
    uint32_t a[200], b[200];
    unsigned n;

    (void)state;
    asc_bootstrap_weights(3, units[0], 200, a);
    for (n = 0; n <= 200; n += 13) {
        asc_bootstrap_weights(3, units[0], n, b);
        assert_memory_equal(a, b, n * sizeof *a);
    }
    asc_bootstrap_weights(4, units[0], 200, b);
    assert_memory_not_equal(a, b, sizeof a);
    asc_bootstrap_weights(3, units[1], 200, b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* Frequencies within five deviations of Poisson's; rows uncorrelated. */
static void
weights_are_poisson(void **state)
{
    enum { R = 2000 };
    double seen[14] = { 0 }, total = (double)MANY * R, cross = 0.0, p;
    uint32_t w[R], before[R];
    unsigned k, r;
    size_t i;

    (void)state;
    for (i = 0; i < MANY; i++) {
        asc_bootstrap_weights(11, units[i], R, w);
        for (r = 0; r < R; r++) {
            seen[w[r]]++;
            if (i > 0)
                cross += ((double)w[r] - 1) * ((double)before[r] - 1);
        }
        memcpy(before, w, sizeof w);
    }
    for (k = 0; k < 9; k++) {
        p = exp(-1.0) / gsl_sf_fact(k);
        near(seen[k] / total, p, 5 * sqrt(p * (1 - p) / total));
    }
    near(cross / total, 0.0, 5 / sqrt(total));
}

static void
moments_are_exact(void **state)
{
    struct asci_moments m, a, b;
    int i;

    (void)state;
    asci_moments_clear(&m);
    near(asci_moments_mean(&m), NAN, 0);
    near(asci_moments_sd(&m), NAN, 0);
    asci_moments_add(&m, 0.1);
    near(asci_moments_sd(&m), NAN, 0);
    asci_moments_add(&m, 0.1);
    asci_moments_add(&m, 0.1);
    same_bits(asci_moments_mean(&m), 0.1);
    same_bits(asci_moments_sd(&m), 0.0);

    /* the deviations of 1..9 about 1e15, which naive sums of squares lose */
    asci_moments_clear(&m);
    asci_moments_clear(&a);
    asci_moments_clear(&b);
    for (i = 1; i <= 9; i++) {
        asci_moments_add(&m, 1e15 + i);
        asci_moments_add(i % 3 ? &a : &b, 1e15 + i);
    }
    same_bits(asci_moments_mean(&m), 1e15 + 5);
    near(asci_moments_sd(&m), sqrt(7.5), 1e-15);
    asci_moments_merge(&a, &b);
    same_bits(asci_moments_mean(&a), asci_moments_mean(&m));
    same_bits(asci_moments_sd(&a), asci_moments_sd(&m));

    asci_moments_clear(&m);
    asci_moments_add(&m, 1e308);
    asci_moments_add(&m, 1e308);
    near(asci_moments_mean(&m), NAN, 0);
    near(asci_moments_sd(&m), NAN, 0);
}

/* sum over rows of weight * value, by asc_sum, one addition a draw. */
static void
replicate_sums(void **state)
{
    enum { R = 130 };
    static const double value[] = {
        1.0, -1.0, 0.1, 1e300, -1e300, 0x1p-1074, -0x1.8p-1030, 3e-5,
        -12345.678, 1e16, -1e16, 0x1.fffffffffffffp1023, 0x1p-1022, 0.0
    };
    enum { N = sizeof value / sizeof *value };
    struct asci_replicates whole, left, right;
    struct asc_sum want[R], got;
    struct asc_error e;
    uint32_t w[R];
    unsigned r, k;
    size_t i;

    (void)state;
    assert_int_equal(asci_replicates_init(&whole, R, &e), ASC_OK);
    assert_int_equal(asci_replicates_init(&left, R, &e), ASC_OK);
    assert_int_equal(asci_replicates_init(&right, R, &e), ASC_OK);
    for (r = 0; r < R; r++)
        asc_sum_clear(&want[r]);
    for (i = 0; i < N; i++) {
        asc_bootstrap_weights(1, units[i], R, w);
        for (r = 0; r < R; r++)
            for (k = 0; k < w[r]; k++)
                asc_sum_add(&want[r], value[i]);
        assert_int_equal(asci_replicates_add(&whole, w, value[i], &e), ASC_OK);
        /* pretend that a carry is due at every addition */
        left.pending = UINT32_MAX / 2;
        assert_int_equal(asci_replicates_add(i % 2 ? &left : &right, w,
                                             value[i], &e), ASC_OK);
    }
    assert_int_equal(asci_replicates_merge(&left, &right, &e), ASC_OK);
    for (r = 0; r < R; r++) {
        asci_replicates_sum(&whole, r, &got);
        same_bits(asc_sum_value(&got), asc_sum_value(&want[r]));
        asci_replicates_sum(&left, r, &got);
        same_bits(asc_sum_value(&got), asc_sum_value(&want[r]));
        assert_true(left.weight[r] == whole.weight[r]);
    }
    asci_replicates_clear(&left);
    asci_replicates_sum(&left, 0, &got);
    same_bits(asc_sum_value(&got), 0.0);
    assert_int_equal(asci_replicates_add(&left, w, INFINITY, &e),
                     ASC_ENUMERIC);
    asci_replicates_free(&whole);
    asci_replicates_free(&left);
    asci_replicates_free(&right);
}

static void
summary_by_hand(void **state)
{
    static const double v[] = { 0.10, 0.12, NAN, 0.08, 0.15, 0.11 };
    struct asc_summary s;
    struct asc_error e;

    (void)state;
    assert_int_equal(asc_summarise(v, units, 6, &plain, &s, &e), ASC_OK);
    assert_int_equal(s.n, 5);
    near(s.mean, 0.112, 1e-16);
    /* the sheet's t interval, 0.112 +- 2.776445 sd / sqrt(5) */
    near(s.sd, (0.144140 - 0.112) / 2.7764451052 * sqrt(5), 1e-6);
    near(s.median, 0.11, 0);
    assert_true(s.lo < s.mean && s.mean < s.hi);
    assert_true(s.lo >= 0.08 && s.hi <= 0.15);
}

static int
compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}

/* The interval once more, with plain sums and a plain quantile. */
static void
interval_by_definition(void **state)
{
    struct asc_summary s;
    struct asc_stream stream;
    struct asc_error e;
    double v[60], mean[1000], place;
    size_t i, n, r;

    (void)state;
    asc_stream_start(&stream, 9, "test", "interval", 8);
    for (i = 0; i < 60; i++)
        v[i] = asc_stream_normal(&stream) + 3;
    for (r = 0, n = 0; r < 1000; r++) {
        double sum = 0, weight = 0;

        for (i = 0; i < 60; i++) {
            unsigned w = asc_bootstrap_weight(1, units[i], (unsigned)r);

            sum += w * v[i];
            weight += w;
        }
        if (weight > 0)
            mean[n++] = sum / weight;
    }
    qsort(mean, n, sizeof *mean, compare);
    assert_int_equal(asc_summarise(v, units, 60, &plain, &s, &e), ASC_OK);
    place = 0.025 * (double)(n - 1);
    i = (size_t)place;
    near(s.lo, mean[i] + (place - (double)i) * (mean[i + 1] - mean[i]), 1e-13);
    place = 0.975 * (double)(n - 1);
    i = (size_t)place;
    near(s.hi, mean[i] + (place - (double)i) * (mean[i + 1] - mean[i]), 1e-13);
    /* and about where the normal law has it */
    near(s.lo, s.mean - 1.96 * s.sd / sqrt(60), 0.25 * s.sd / sqrt(60));
    near(s.hi, s.mean + 1.96 * s.sd / sqrt(60), 0.25 * s.sd / sqrt(60));
}

/* 95 in 100 intervals hold the truth: 300 samples of 40, within 4 deviations
 * of the 93.5 % that the percentile interval has at this size. */
static void
interval_covers(void **state)
{
    struct asc_stat_options o = plain;
    struct asc_stream stream;
    struct asc_summary s;
    struct asc_error e;
    double v[40];
    size_t i, trial, hits = 0;

    (void)state;
    o.replicates = 300;
    asc_stream_start(&stream, 10, "test", "cover", 5);
    for (trial = 0; trial < 300; trial++) {
        o.seed = trial;
        for (i = 0; i < 40; i++)
            v[i] = asc_stream_normal(&stream);
        assert_int_equal(asc_summarise(v, units, 40, &o, &s, &e), ASC_OK);
        hits += s.lo <= 0 && 0 <= s.hi;
    }
    assert_in_range(hits, 263, 297);
}

static void
summary_without_order(void **state)
{
    double v[MANY], w[MANY];
    struct asc_text u[MANY];
    size_t order[MANY], i, trial;
    struct asc_summary a, b;
    struct asc_stream stream;
    struct asc_error e;

    (void)state;
    asc_stream_start(&stream, 12, "test", "order", 5);
    for (i = 0; i < MANY; i++) {
        v[i] = i % 50 == 7 ? NAN
            : asc_stream_normal(&stream) * pow(10, (double)(i % 30) - 15);
        order[i] = i;
    }
    assert_int_equal(asc_summarise(v, units, MANY, &plain, &a, &e), ASC_OK);
    for (trial = 0; trial < 3; trial++) {
        asc_stream_shuffle(&stream, order, MANY);
        for (i = 0; i < MANY; i++) {
            w[i] = v[order[i]];
            u[i] = units[order[i]];
        }
        assert_int_equal(asc_summarise(w, u, MANY, &plain, &b, &e), ASC_OK);
        assert_int_equal(a.n, b.n);
        same_bits(a.mean, b.mean);
        same_bits(a.sd, b.sd);
        same_bits(a.median, b.median);
        same_bits(a.lo, b.lo);
        same_bits(a.hi, b.hi);
    }
}

static void
summary_at_the_edges(void **state)
{
    static const double none[] = { NAN, NAN }, flat[] = { 0.1, 0.1, 0.1 };
    struct asc_text one_unit[3] = { { "a", 1 }, { "a", 1 }, { "a", 1 } };
    struct asc_stat_options o = plain;
    struct asc_summary s;
    struct asc_error e;

    (void)state;
    assert_int_equal(asc_summarise(none, units, 0, &plain, &s, &e), ASC_OK);
    assert_int_equal(s.n, 0);
    near(s.mean, NAN, 0);
    assert_int_equal(asc_summarise(none, units, 2, &plain, &s, &e), ASC_OK);
    assert_int_equal(s.n, 0);
    near(s.mean, NAN, 0);
    near(s.sd, NAN, 0);
    near(s.median, NAN, 0);
    near(s.lo, NAN, 0);
    near(s.hi, NAN, 0);
    assert_int_equal(asc_summarise(flat, units, 1, &plain, &s, &e), ASC_OK);
    same_bits(s.mean, 0.1);
    same_bits(s.median, 0.1);
    near(s.sd, NAN, 0);
    near(s.lo, NAN, 0);
    assert_int_equal(asc_summarise(flat, units, 3, &plain, &s, &e), ASC_OK);
    same_bits(s.mean, 0.1);
    same_bits(s.sd, 0.0);
    same_bits(s.lo, 0.1);
    same_bits(s.hi, 0.1);
    assert_int_equal(asc_summarise(flat, one_unit, 3, &plain, &s, &e), ASC_OK);
    near(s.lo, NAN, 0);
    o.replicates = 0;
    assert_int_equal(asc_summarise(flat, units, 3, &o, &s, &e), ASC_OK);
    near(s.hi, NAN, 0);
}

static void
scipy_quantiles(void **state)
{
    size_t n, d, i, rows, columns;
    double *sample, *want;
    struct asc_summary s;
    struct asc_error e;

    (void)state;
    sample = shared_numbers("golden/stats/sample_input.tsv", &n, &d);
    if (!sample)
        skip();
    want = shared_numbers("golden/stats/quantiles.tsv", &rows, &columns);
    assert_int_equal(rows, n);
    assert_int_equal(columns, 7);
    for (i = 0; i < n; i++) {
        double lo, hi;

        assert_int_equal(asc_summarise(sample + i * d, units, d, &plain, &s,
                                       &e), ASC_OK);
        near(s.median, want[i * 7 + 3], 1e-14);
        asci_percentiles(sample + i * d, d, 0.95, &lo, &hi);
        near(lo, want[i * 7 + 1], 1e-14);
        near(hi, want[i * 7 + 5], 1e-14);
    }
    free(sample);
    free(want);
}

static void
adjusted(void **state)
{
    static const double p[] = { .03, .001, NAN, .2, .012, .04 };
    static const double holm[] = { .09, .005, NAN, .2, .048, .09 };
    static const double bh[] = { .05, .005, NAN, .2, .03, .05 };
    static const double tied[] = { .02, .02, .9 };
    double out[6];
    size_t i;

    (void)state;
    asc_adjust(p, 6, 0, out);
    for (i = 0; i < 6; i++)
        near(out[i], holm[i], 1e-15);
    asc_adjust(p, 6, 1, out);
    for (i = 0; i < 6; i++)
        near(out[i], bh[i], 1e-15);
    asc_adjust(p, 6, 2, out);
    for (i = 0; i < 6; i++)
        near(out[i], p[i], 0);
    asc_adjust(tied, 3, 0, out);
    near(out[0], .06, 1e-15);
    near(out[1], .06, 1e-15);
    near(out[2], .9, 0);
    asc_adjust(tied, 3, 1, out);
    near(out[0], .03, 1e-15);
    near(out[1], .03, 1e-15);
    asc_adjust(tied, 0, 0, out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_by_definition),
        cmocka_unit_test(weights_by_prefix),
        cmocka_unit_test(weights_are_poisson),
        cmocka_unit_test(moments_are_exact),
        cmocka_unit_test(replicate_sums),
        cmocka_unit_test(summary_by_hand),
        cmocka_unit_test(interval_by_definition),
        cmocka_unit_test(interval_covers),
        cmocka_unit_test(summary_without_order),
        cmocka_unit_test(summary_at_the_edges),
        cmocka_unit_test(scipy_quantiles),
        cmocka_unit_test(adjusted)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, name_units, NULL);
}
