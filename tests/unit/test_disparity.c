/* Disparity between groups: the sheets' worked examples, brute force, exact
 * permutation tests of SciPy, and the negative control. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/metric.h>

#include "tests/unit/shared.h"

enum { MANY = 400, ROOM = 64 };

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
        units[i].n = (size_t)snprintf(names[i], sizeof names[i], "%zu", i + 1);
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

static struct asc_disparity_row rows[ROOM];
static size_t n_rows;

static void
disparity(const double *value, const size_t *group,
          const struct asc_text *unit, size_t n, size_t n_groups, int higher,
          const struct asc_stat_options *o)
{
    struct asc_error e = { ASC_OK, "" };

    assert_true(3 * n_groups + 3 <= ROOM);
    if (asc_disparity(value, group, unit, n, n_groups, higher, o, rows,
                      &n_rows, &e) != ASC_OK)
        fail_msg("%s", e.text);
}

/* SIZE_MAX stands for the statistics of all groups. */
static const struct asc_disparity_row *
row(const char *statistic, size_t group)
{
    size_t i;

    for (i = 0; i < n_rows; i++)
        if (strcmp(asc_disparity_names[rows[i].statistic], statistic) == 0
            && (group == SIZE_MAX || rows[i].group == group))
            return &rows[i];
    fail_msg("no %s of %zu", statistic, group);
    return NULL;
}

/* Twelve rows, groups A B C: agreement of a surrogate with a black box, and
 * its absolute error. */
static void
worked_example(void **state)
{
    static const int b[] = { 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1 };
    static const double surrogate[] = {
        .9, .2, .6, .4, .4, .1, .7, .3, .6, .2, .55, .8
    };
    double agree[12], error[12];
    size_t group[12], i;

    (void)state;
    for (i = 0; i < 12; i++) {
        group[i] = i / 4;
        agree[i] = b[i] == (surrogate[i] >= .5);
        error[i] = fabs(b[i] - surrogate[i]);
    }
    disparity(agree, group, units, 12, 3, 1, &plain);
    assert_int_equal(n_rows, 12);
    near(row("mean", 0)->value, 1.0, 0);
    near(row("mean", 1)->value, .5, 0);
    near(row("mean", 2)->value, .75, 0);
    near(row("gap", 0)->value, 1 - .625, 1e-15);
    near(row("gap", 1)->value, .5 - .875, 1e-15);
    near(row("gap", 2)->value, 0, 1e-15);
    near(row("max-gap", SIZE_MAX)->value, .25, 1e-15);
    assert_int_equal(row("max-gap", SIZE_MAX)->group, 1);
    assert_int_equal(row("max-gap", SIZE_MAX)->n, 12);
    near(row("mean-gap", SIZE_MAX)->value, 1.0 / 3, 1e-15);
    assert_true(row("mean-gap", SIZE_MAX)->group == SIZE_MAX);
    near(row("ratio", SIZE_MAX)->value, .5, 1e-15);

    disparity(error, group, units, 12, 3, 0, &plain);
    near(row("mean", 0)->value, .275, 1e-15);
    near(row("mean", 1)->value, .425, 1e-15);
    near(row("mean", 2)->value, .3625, 1e-15);
    near(row("mean-gap", SIZE_MAX)->value, .10, 1e-15);
    /* errors: the worst is B, .425 - .3541666 */
    near(row("max-gap", SIZE_MAX)->value, .425 - 4.25 / 12, 1e-15);
    assert_int_equal(row("max-gap", SIZE_MAX)->group, 1);
    near(row("ratio", SIZE_MAX)->value, .275 / .425, 1e-15);
    /* taken for something to be large, the worst is A */
    disparity(error, group, units, 12, 3, 1, &plain);
    near(row("max-gap", SIZE_MAX)->value, 4.25 / 12 - .275, 1e-15);
    assert_int_equal(row("max-gap", SIZE_MAX)->group, 0);
}

static const double two_samples[] = {
    .10, .20, .30, .40, .50, .25, .35, .45, .55, .65, .75
};
static const size_t two_groups[] = { 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1 };

static void
cohen_d(void **state)
{
    (void)state;
    disparity(two_samples, two_groups, units, 11, 2, 1, &plain);
    near(row("effect", 0)->value, -1.144155, 5e-7);
    near(row("effect", 1)->value, 1.144155, 5e-7);
    near(row("gap", 0)->value, -.2, 1e-15);
    near(row("ratio", SIZE_MAX)->value, .6, 1e-15);
    assert_int_equal(row("gap", 0)->n, 5);
    assert_true(row("effect", 0)->lo < -1.144 && row("effect", 0)->hi > -1.144);
    assert_true(isnan(row("effect", 0)->p) && isnan(row("mean", 0)->p)
                && isnan(row("ratio", SIZE_MAX)->p));
    assert_true(row("gap", 0)->p == row("gap", 1)->p);
}

static int
compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}

static double
quantile(double *v, size_t n, double q)
{
    double place = q * (double)(n - 1);
    size_t i = (size_t)place;

    qsort(v, n, sizeof *v, compare);
    return i + 1 < n ? v[i] + (place - (double)i) * (v[i + 1] - v[i]) : v[i];
}

/* Every interval once more, in plain sums over plain draws. */
static void
intervals_by_definition(void **state)
{
    enum { N = 90, G = 3, R = 400 };
    static double draw[3 * G + 3][R];
    struct asc_stat_options o = plain;
    struct asc_stream s;
    double v[N];
    size_t group[N], i, g, h, j;
    unsigned r;

    (void)state;
    o.replicates = R;
    o.seed = 5;
    o.level = 0.9;
    asc_stream_start(&s, 3, "test", "intervals", 9);
    for (i = 0; i < N; i++) {
        group[i] = i % 7 % G;
        v[i] = 100 + asc_stream_normal(&s) + (double)group[i];
    }
    for (r = 0; r < R; r++) {
        double w[N], mean[G], low = 1e9, high = -1e9, all = 0, weight = 0;

        for (i = 0; i < N; i++) {
            w[i] = asc_bootstrap_weight(5, units[i], r);
            all += w[i] * v[i];
            weight += w[i];
        }
        draw[2 * G][r] = -1e9;
        for (g = 0; g < G; g++) {
            double in = 0, out = 0, n_in = 0, n_out = 0, within = 0, rest;

            for (i = 0; i < N; i++) {
                *(group[i] == g ? &in : &out) += w[i] * v[i];
                *(group[i] == g ? &n_in : &n_out) += w[i];
            }
            mean[g] = in / n_in;
            rest = out / n_out;
            for (i = 0; i < N; i++) {
                double c = v[i] - (group[i] == g ? mean[g] : rest);

                within += w[i] * c * c;
            }
            draw[g][r] = mean[g];
            draw[G + g][r] = mean[g] - rest;
            draw[2 * G + 3 + g][r] = (mean[g] - rest)
                / sqrt(within / (n_in + n_out - 2));
            if (all / weight - mean[g] > draw[2 * G][r])
                draw[2 * G][r] = all / weight - mean[g];
            low = mean[g] < low ? mean[g] : low;
            high = mean[g] > high ? mean[g] : high;
        }
        draw[2 * G + 1][r] = 0;
        for (g = 0; g < G; g++)
            for (h = 0; h < g; h++)
                draw[2 * G + 1][r] += fabs(mean[g] - mean[h])
                    / (G * (G - 1) / 2.0);
        draw[2 * G + 2][r] = low / high;
    }
    disparity(v, group, units, N, G, 1, &o);
    assert_int_equal(n_rows, 3 * G + 3);
    for (j = 0; j < 3 * G + 3; j++) {
        near(rows[j].lo, quantile(draw[j], R, 0.05), 1e-11);
        near(rows[j].hi, quantile(draw[j], R, 0.95), 1e-11);
        assert_true(rows[j].lo <= rows[j].value);
        assert_true(rows[j].value <= rows[j].hi);
    }
}

/* All 462 ways to choose 5 of 11: the sampled p is near the exact one. */
static void
permutation_exact(void **state)
{
    struct asc_stat_options o = plain;
    double exact = 0, total = 0, all = 4.5, p;
    unsigned mask;
    size_t i;

    (void)state;
    for (mask = 0; mask < 1u << 11; mask++) {
        double in = 0;

        if (__builtin_popcount(mask) != 5)
            continue;
        for (i = 0; i < 11; i++)
            in += mask >> i & 1 ? two_samples[i] : 0;
        total++;
        exact += fabs(in / 5 - (all - in) / 6) >= .2 - 1e-12;
    }
    assert_true(total == 462);
    exact /= total;
    o.permutations = 20000;
    o.replicates = 0;
    disparity(two_samples, two_groups, units, 11, 2, 1, &o);
    p = row("gap", 0)->p;
    near(p, exact, 4 * sqrt(exact * (1 - exact) / 20000) + 1e-4);
    /* with two groups |gap| and mean-gap are the same thing */
    near(row("mean-gap", SIZE_MAX)->p, p, 0);
    assert_true(isnan(row("gap", 0)->lo));
}

/* SciPy's exact permutation tests of the difference of two means. */
static void
scipy(void **state)
{
    struct asc_stat_options o = plain;
    char path[4096], line[65536];
    double v[32][200];
    size_t n[32] = { 0 }, group[200], pair, i, checked = 0;
    FILE *f;

    (void)state;
    if (!shared_path("golden/stats/pairs.tsv", path, sizeof path))
        skip();
    f = fopen(path, "r");
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char *rest = line, *piece;

        pair = (size_t)strtoul(strsep(&rest, "\t"), NULL, 10);
        assert_true(pair < 32);
        while ((piece = strsep(&rest, ",\t\n")) != NULL)
            if (*piece && n[pair] < 200)
                v[pair][n[pair]++] = strtod(piece, NULL);
    }
    fclose(f);
    o.permutations = 20000;
    o.replicates = 0;
    assert_true(shared_path("golden/stats/results.tsv", path, sizeof path));
    f = fopen(path, "r");
    while (fgets(line, sizeof line, f)) {
        char *rest = line, *id = strsep(&rest, "\t"),
             *test = strsep(&rest, "\t"), *seen = strsep(&rest, "\t");
        double p, gap;

        if (strcmp(test, "permutation_independent_exact_meandiff_two-sided"))
            continue;
        pair = (size_t)strtoul(id, NULL, 10);
        /* 25 holds 1e300 and 1: all differences are ties at that scale */
        if (strncmp(seen, "ERROR", 5) == 0 || pair == 25)
            continue;
        gap = strtod(seen, NULL);
        p = strtod(rest, NULL);
        for (i = 0; i < n[pair]; i++)
            group[i] = i >= n[pair] / 2;
        disparity(v[pair], group, units, n[pair], 2, 1, &o);
        near(row("gap", 0)->value, gap, 1e-14);
        /* SciPy's two-sided p is twice the smaller tail, ours counts |gap|:
         * equal where the two groups have the same size */
        near(row("gap", 0)->p, p, 4 * sqrt(p * (1 - p) / 20000) + 1e-4);
        checked++;
    }
    fclose(f);
    assert_true(checked >= 10);
}

/* Random groups: 5 in 100 p values under .05, whatever is tested. */
static void
negative_control(void **state)
{
    enum { TRIALS = 600, N = 60 };
    struct asc_stat_options o = plain;
    struct asc_stream s;
    double v[N];
    size_t group[N], trial, i, gap = 0, max_gap = 0, mean_gap = 0;

    (void)state;
    o.replicates = 0;
    o.permutations = 199;
    asc_stream_start(&s, 8, "test", "control", 7);
    for (trial = 0; trial < TRIALS; trial++) {
        o.seed = trial;
        for (i = 0; i < N; i++) {
            v[i] = exp(asc_stream_normal(&s));
            group[i] = asc_stream_below(&s, 3);
        }
        disparity(v, group, units, N, 3, 1, &o);
        gap += row("gap", 0)->p < .05;
        max_gap += row("max-gap", SIZE_MAX)->p < .05;
        mean_gap += row("mean-gap", SIZE_MAX)->p < .05;
    }
    /* 30 expected (b + 1 <= 9 of 200: 4.5 %, 27), four deviations are 20 */
    assert_in_range(gap, 7, 47);
    assert_in_range(max_gap, 7, 47);
    assert_in_range(mean_gap, 7, 47);
}

static void
finds_a_difference(void **state)
{
    struct asc_stream s;
    double v[200];
    size_t group[200], i;

    (void)state;
    asc_stream_start(&s, 8, "test", "power", 5);
    for (i = 0; i < 200; i++) {
        group[i] = i % 2;
        v[i] = asc_stream_normal(&s) + (double)group[i];
    }
    disparity(v, group, units, 200, 2, 1, &plain);
    near(row("gap", 1)->p, 1.0 / 1001, 1e-15);
    assert_true(row("gap", 1)->lo > .5 && row("gap", 1)->hi < 1.5);
    assert_true(row("max-gap", SIZE_MAX)->p < .01);
    near(row("effect", 1)->value, 1, .3);
}

static void
any_order(void **state)
{
    double v[MANY], w[MANY];
    size_t group[MANY], to[MANY], order[MANY], i, trial;
    struct asc_text who[MANY], u[MANY];
    struct asc_disparity_row first[ROOM];
    struct asc_stat_options o = plain;
    struct asc_stream s;
    size_t n_first;

    (void)state;
    o.replicates = o.permutations = 100;
    asc_stream_start(&s, 12, "test", "order", 5);
    for (i = 0; i < MANY; i++) {
        /* up to three rows of a person, now and then in two groups */
        who[i] = units[i / 3 * 2 % MANY];
        group[i] = i % 41 == 5 ? SIZE_MAX : i % 29 == 3 ? 1 : i / 3 % 4;
        v[i] = i % 17 == 2 ? NAN : asc_stream_normal(&s) * 1e5 + i / 3 % 4;
        order[i] = i;
    }
    disparity(v, group, who, MANY, 4, 0, &o);
    memcpy(first, rows, sizeof rows);
    n_first = n_rows;
    for (trial = 0; trial < 4; trial++) {
        asc_stream_shuffle(&s, order, MANY);
        for (i = 0; i < MANY; i++) {
            w[i] = v[order[i]];
            u[i] = who[order[i]];
            to[i] = group[order[i]];
        }
        disparity(w, to, u, MANY, 4, 0, &o);
        assert_int_equal(n_rows, n_first);
        for (i = 0; i < n_rows; i++) {
            assert_int_equal(rows[i].group, first[i].group);
            assert_int_equal(rows[i].n, first[i].n);
            assert_memory_equal(&rows[i].value, &first[i].value,
                                4 * sizeof(double));
        }
    }
}

/* Rows of one person are no new evidence: each repeated five times gives the
 * means and the p value of single rows, and no narrower intervals. */
static void
persons(void **state)
{
    enum { N = 40 };
    double v[5 * N];
    size_t group[5 * N], i;
    struct asc_text who[5 * N];
    struct asc_disparity_row once;
    struct asc_stream s;

    (void)state;
    asc_stream_start(&s, 13, "test", "persons", 7);
    for (i = 0; i < N; i++)
        v[i] = asc_stream_normal(&s) + .3 * (double)(i % 2);
    for (i = 0; i < 5 * N; i++) {
        v[i] = v[i % N];
        group[i] = i % N % 2;
        who[i] = units[i % N];
    }
    disparity(v, group, who, N, 2, 1, &plain);
    once = *row("gap", 0);
    disparity(v, group, who, 5 * N, 2, 1, &plain);
    near(row("gap", 0)->value, once.value, 1e-15);
    near(row("gap", 0)->lo, once.lo, 1e-15);
    near(row("gap", 0)->hi, once.hi, 1e-15);
    near(row("gap", 0)->p, once.p, 0);
    disparity(v, group, units, 5 * N, 2, 1, &plain);
    assert_true(row("gap", 0)->hi - row("gap", 0)->lo
                < .6 * (once.hi - once.lo));
}

static void
degenerate(void **state)
{
    static const double flat[] = { 2, 2, 2, 2 }, apart[] = { 1, 1, 5, 5 };
    static const double mixed[] = { -1, 1, 2, 3 }, none[] = { NAN, NAN };
    static const double zero[] = { 0, 0, 0, 0 };
    static const size_t two[] = { 0, 0, 1, 1 }, lone[] = { 0, 0, 0, 1 };
    static const size_t same[] = { 1, 1, 1, 1 };
    static const size_t outside[] = { 0, SIZE_MAX, 0, 2 };
    struct asc_stat_options o = plain;
    size_t j;

    (void)state;
    /* no rows, no values, no groups */
    disparity(flat, two, units, 0, 2, 1, &plain);
    assert_int_equal(n_rows, 0);
    disparity(none, two, units, 2, 2, 1, &plain);
    assert_int_equal(n_rows, 0);
    disparity(flat, two, units, 4, 0, 1, &plain);
    assert_int_equal(n_rows, 0);

    /* one group: its mean, and nothing to compare it with */
    disparity(mixed, same, units, 4, 3, 1, &plain);
    assert_int_equal(n_rows, 6);
    near(row("mean", 1)->value, 1.25, 0);
    assert_true(row("mean", 1)->lo < row("mean", 1)->hi);
    for (j = 1; j < 6; j++) {
        near(rows[j].value, NAN, 0);
        near(rows[j].lo, NAN, 0);
        near(rows[j].hi, NAN, 0);
        near(rows[j].p, NAN, 0);
    }
    assert_true(row("max-gap", SIZE_MAX)->group == SIZE_MAX);

    /* no variation at all, and none within */
    disparity(flat, two, units, 4, 2, 1, &plain);
    near(row("gap", 0)->value, 0, 0);
    near(row("gap", 0)->p, 1, 0);
    near(row("gap", 0)->lo, 0, 0);
    near(row("effect", 0)->value, NAN, 0);
    near(row("effect", 0)->lo, NAN, 0);
    near(row("ratio", SIZE_MAX)->value, 1, 0);
    disparity(apart, two, units, 4, 2, 1, &plain);
    near(row("gap", 0)->value, -4, 0);
    near(row("effect", 0)->value, NAN, 0);
    near(row("ratio", SIZE_MAX)->value, .2, 1e-16);

    /* a group of one: its value and gap, no interval, no test, no effect */
    disparity(mixed, lone, units, 4, 2, 1, &plain);
    near(row("mean", 1)->value, 3, 0);
    near(row("mean", 1)->lo, NAN, 0);
    near(row("gap", 1)->value, 3 - 2.0 / 3, 1e-15);
    near(row("gap", 1)->lo, NAN, 0);
    near(row("gap", 1)->p, NAN, 0);
    near(row("gap", 0)->p, NAN, 0);
    near(row("effect", 1)->value, NAN, 0);
    near(row("max-gap", SIZE_MAX)->lo, NAN, 0);

    /* ratios of nothing */
    disparity(mixed, two, units, 4, 2, 1, &plain);
    near(row("ratio", SIZE_MAX)->value, 0, 0);
    disparity(zero, two, units, 4, 2, 1, &plain);
    near(row("ratio", SIZE_MAX)->value, NAN, 0);

    /* rows of no group, and an empty group between two */
    disparity(mixed, outside, units, 4, 3, 1, &plain);
    assert_int_equal(n_rows, 9);
    near(row("mean", 0)->value, .5, 0);
    near(row("mean", 2)->value, 3, 0);
    assert_int_equal(row("mean-gap", SIZE_MAX)->n, 3);

    /* groups that are too small count nowhere */
    o.min_group = 3;
    disparity(mixed, lone, units, 4, 2, 1, &o);
    assert_int_equal(n_rows, 6);
    near(row("mean", 0)->value, 2.0 / 3, 1e-16);
    near(row("gap", 0)->value, NAN, 0);
    o.min_group = 5;
    disparity(mixed, lone, units, 4, 2, 1, &o);
    assert_int_equal(n_rows, 0);
}

static void
infinite(void **state)
{
    static const double v[] = { 1, INFINITY, 2, 3 };
    static const size_t two[] = { 0, 0, 1, 1 };
    struct asc_error e;

    (void)state;
    assert_int_equal(asc_disparity(v, two, units, 4, 2, 1, &plain, rows,
                                   &n_rows, &e), ASC_ENUMERIC);
    assert_int_equal(n_rows, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example),
        cmocka_unit_test(cohen_d),
        cmocka_unit_test(intervals_by_definition),
        cmocka_unit_test(permutation_exact),
        cmocka_unit_test(scipy),
        cmocka_unit_test(negative_control),
        cmocka_unit_test(finds_a_difference),
        cmocka_unit_test(any_order),
        cmocka_unit_test(persons),
        cmocka_unit_test(degenerate),
        cmocka_unit_test(infinite)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, name_units, NULL);
}
