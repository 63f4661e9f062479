/* Agreement of two attributions: worked examples of the sources, brute force,
 * algebra, and the values of OpenXAI and SciPy. */
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

#include "seed.h"
#include "tests/unit/shared.h"

static double
agree(const char *text, const double *a, const double *b, size_t d)
{
    struct asc_specs specs = { 0, NULL };
    const struct asc_agreement *const *all;
    const struct asc_entry *const *entries;
    struct asc_error e = { ASC_OK, "" };
    double value = 99.0;
    size_t n, i;

    entries = asc_agreement_entries(&n);
    if (asc_specs_parse(text, entries, n, "metric", &specs, &e) != ASC_OK)
        fail_msg("%s", e.text);
    all = asc_agreements(&n);
    for (i = 0; i < n; i++)
        if (specs.v[0].entry == &all[i]->entry)
            break;
    assert_true(i < n);
    if (all[i]->measure(a, b, d, &specs.v[0], &value, &e) != ASC_OK)
        fail_msg("%s", e.text);
    asc_specs_free(&specs);
    return value;
}

static void
near(double got, double want, double tolerance)
{
    if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= tolerance))
        fail_msg("got %.17g, want %.17g", got, want);
}

/* Krishna et al. 2022 by hand: five features. */
static void
worked_example(void **state)
{
    static const double a[] = { .9, -.6, .4, .3, -.1 };
    static const double b[] = { .7, .8, .35, -.5, .1 };
    static const struct { int k; double fa, ra, sa, sra; } want[] = {
        { 1, 0, 0, 0, 0 },
        { 2, 1, 0, .5, 0 },
        { 3, 2.0 / 3, 0, 1.0 / 3, 0 },
        { 5, 1, .2, .4, 0 }
    };
    static const double tie_a[] = { .5, .5, .2 }, tie_b[] = { .5, .4, .2 };
    static const double swapped[] = { .4, .5, .2 };
    char text[64];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof want / sizeof *want; i++) {
        snprintf(text, sizeof text, "feature-agreement:k=%d", want[i].k);
        near(agree(text, a, b, 5), want[i].fa, 1e-15);
        snprintf(text, sizeof text, "rank-agreement:k=%d", want[i].k);
        near(agree(text, a, b, 5), want[i].ra, 1e-15);
        snprintf(text, sizeof text, "sign-agreement:k=%d", want[i].k);
        near(agree(text, a, b, 5), want[i].sa, 1e-15);
        snprintf(text, sizeof text, "signed-rank-agreement:k=%d", want[i].k);
        near(agree(text, a, b, 5), want[i].sra, 1e-15);
    }
    /* a quarter of 5, rounded up, is 2 */
    near(agree("feature-agreement", a, b, 5), 1.0, 0.0);
    near(agree("feature-agreement:share=0.2", a, b, 5), 0.0, 0.0);
    near(agree("rank-correlation", a, b, 5), .8, 1e-15);
    near(agree("pairwise-rank-agreement", a, b, 5), .8, 1e-15);
    /* dense ranks 1 1 2 and 1 2 3: cos 30 degrees */
    near(agree("rank-correlation", tie_a, tie_b, 3), sqrt(3) / 2, 1e-15);
    near(agree("pairwise-rank-agreement", tie_a, tie_b, 3), 2.0 / 3, 1e-15);
    near(agree("pairwise-rank-agreement", tie_a, swapped, 3), 1.0, 0.0);
    near(agree("pairwise-rank-agreement:ties=symmetric", tie_a, swapped, 3),
         2.0 / 3, 1e-15);
    near(agree("pairwise-rank-agreement:ties=symmetric", tie_a, tie_b, 3),
         2.0 / 3, 1e-15);
}

static void
correlations_by_hand(void **state)
{
    static const double up[] = { 1, 2, 3, 4, 5 };
    static const double mixed[] = { 2, 1, 4, 3, 5 };
    static const double tied[] = { 1, 2, 2, 3 }, other[] = { 1, 3, 2, 2 };
    static const double x[] = { 3, 4 }, y[] = { 4, 3 };

    (void)state;
    near(agree("tau-b", up, mixed, 5), .6, 1e-15);
    near(agree("tau-b", tied, other, 4), .4, 1e-15);
    near(agree("spearman", up, mixed, 5), .8, 1e-15);
    near(agree("pearson", up, mixed, 5), .8, 1e-15);
    near(agree("cosine", x, y, 2), 24.0 / 25, 1e-15);
    near(agree("pearson", up, up, 5), 1.0, 0.0);
}

/* tau-b counted pair by pair, with many ties and with none. */
static void
tau_by_counting(void **state)
{
    struct asc_stream s;
    double a[40], b[40];
    size_t d, i, j, trial;

    (void)state;
    asc_stream_start(&s, test_seed(5), "test", "tau", 3);
    for (trial = 0; trial < 400; trial++) {
        double p = 0, q = 0, only_a = 0, only_b = 0, want;
        const uint64_t levels = trial % 4 == 0 ? 1000000 : 2 + trial % 7;

        d = 2 + asc_stream_below(&s, 38);
        for (i = 0; i < d; i++) {
            a[i] = (double)asc_stream_below(&s, levels) - 2;
            b[i] = (double)asc_stream_below(&s, levels) - 2;
        }
        for (i = 0; i < d; i++) {
            for (j = 0; j < i; j++) {
                double u = a[i] - a[j], v = b[i] - b[j];

                p += u * v > 0;
                q += u * v < 0;
                only_a += u == 0 && v != 0;
                only_b += v == 0 && u != 0;
            }
        }
        want = (p - q) / sqrt((p + q + only_a) * (p + q + only_b));
        near(agree("tau-b", a, b, d), want, 1e-14);
    }
}

static void
long_vectors(void **state)
{
    enum { D = 200000 };
    double *a = malloc(D * sizeof *a), *b = malloc(D * sizeof *b);
    size_t i;

    (void)state;
    for (i = 0; i < D; i++) {
        a[i] = (double)(i * 7919 % D);
        b[i] = -2.0 * a[i] + 5.0;
    }
    near(agree("tau-b", a, b, D), -1.0, 1e-15);
    near(agree("spearman", a, b, D), -1.0, 1e-12);
    near(agree("pearson", a, b, D), -1.0, 1e-12);
    near(agree("feature-agreement:k=200000", a, b, D), 1.0, 0.0);
    free(a);
    free(b);
}

/* FA >= RA >= SRA, FA >= SA >= SRA, FA(d) = 1, bounds; cosine and Pearson do
 * not feel scale, even where squares would overflow. */
static void
order_guarantees(void **state)
{
    struct asc_stream s;
    double a[9], b[9], scaled[9];
    char text[64];
    size_t trial, i;

    (void)state;
    asc_stream_start(&s, test_seed(6), "test", "order", 5);
    for (trial = 0; trial < 300; trial++) {
        const unsigned k = 1 + (unsigned)(trial % 9);
        double fa, ra, sa, sra, rc;

        for (i = 0; i < 9; i++) {
            a[i] = trial % 2 ? (double)asc_stream_below(&s, 5) - 2
                             : asc_stream_normal(&s);
            b[i] = trial % 2 ? (double)asc_stream_below(&s, 5) - 2
                             : asc_stream_normal(&s);
            scaled[i] = a[i] * 1e300;
        }
        snprintf(text, sizeof text, "feature-agreement:k=%u", k);
        fa = agree(text, a, b, 9);
        snprintf(text, sizeof text, "rank-agreement:k=%u", k);
        ra = agree(text, a, b, 9);
        snprintf(text, sizeof text, "sign-agreement:k=%u", k);
        sa = agree(text, a, b, 9);
        snprintf(text, sizeof text, "signed-rank-agreement:k=%u", k);
        sra = agree(text, a, b, 9);
        assert_true(fa >= ra && ra >= sra && fa >= sa && sa >= sra);
        assert_true(sra >= 0.0 && fa <= 1.0);
        if (k == 9)
            near(fa, 1.0, 0.0);
        rc = agree("rank-correlation", a, b, 9);
        assert_true(isnan(rc) || (rc >= -1.0 && rc <= 1.0));
        near(agree("cosine", scaled, b, 9), agree("cosine", a, b, 9), 1e-14);
        near(agree("pearson", scaled, b, 9), agree("pearson", a, b, 9),
             1e-14);
    }
}

static void
undefined(void **state)
{
    static const double flat[] = { 2, 2, 2 }, zero[] = { 0, 0, 0 };
    static const double a[] = { 1, 2, 3 }, hole[] = { 1, NAN, 3 };
    static const double alternating[] = { 1, -1, 1 };
    static const char *const correlations[] = {
        "tau-b", "spearman", "pearson", "rank-correlation"
    };
    const struct asc_entry *const *entries;
    size_t i, n;

    (void)state;
    for (i = 0; i < 4; i++) {
        near(agree(correlations[i], a, flat, 3), NAN, 0);
        near(agree(correlations[i], zero, a, 3), NAN, 0);
        near(agree(correlations[i], a, a, 1), NAN, 0);
    }
    near(agree("rank-correlation", alternating, a, 3), NAN, 0);
    near(agree("cosine", a, zero, 3), NAN, 0);
    near(agree("cosine", a, a, 1), 1.0, 0.0);
    near(agree("pairwise-rank-agreement", a, a, 1), NAN, 0);
    near(agree("feature-agreement", a, a, 1), 1.0, 0.0);
    entries = asc_agreement_entries(&n);
    assert_int_equal(n, 10);
    for (i = 0; i < n; i++)
        near(agree(entries[i]->name, a, hole, 3), NAN, 0);
}

static void
too_many_features(void **state)
{
    static const double a[] = { 1, 2, 3 };
    const struct asc_agreement *const *all;
    const struct asc_entry *const *entries;
    struct asc_specs specs = { 0, NULL };
    struct asc_error e;
    double value;
    size_t n;

    (void)state;
    entries = asc_agreement_entries(&n);
    assert_int_equal(asc_specs_parse("sign-agreement:k=4", entries, n,
                                     "metric", &specs, &e), ASC_OK);
    all = asc_agreements(&n);
    assert_string_equal(all[6]->entry.name, "sign-agreement");
    assert_int_equal(all[6]->measure(a, a, 3, &specs.v[0], &value, &e),
                     ASC_EUSAGE);
    assert_string_equal(e.text, "sign-agreement: k=4 features of 3 cannot be "
                        "compared; give at most k=3");
    asc_specs_free(&specs);
}

/* OpenXAI against its ground truth; label 0 turns the sign of the latter. */
static void
openxai(void **state)
{
    static const char *const sets[] = {
        "openxai_agree_d6", "openxai_agree_d6_ties", "openxai_agree_d20"
    };
    static const struct { const char *file, *spec; } cases[] = {
        { "FA_k0.25", "feature-agreement" },
        { "RA_k0.25", "rank-agreement:share=0.25" },
        { "SA_k0.25", "sign-agreement:share=0.25" },
        { "SRA_k0.25", "signed-rank-agreement:share=0.25" },
        { "FA_k0.5", "feature-agreement:share=0.5" },
        { "RA_k0.5", "rank-agreement:share=0.5" },
        { "SA_k0.5", "sign-agreement:share=0.5" },
        { "SRA_k0.5", "signed-rank-agreement:share=0.5" },
        { "FA_k0.99", "feature-agreement:share=0.99" },
        { "RA_k0.99", "rank-agreement:share=0.99" },
        { "SA_k0.99", "sign-agreement:share=0.99" },
        { "SRA_k0.99", "signed-rank-agreement:share=0.99" },
        { "FA_kall", "feature-agreement:share=1" },
        { "RA_kall", "rank-agreement:share=1" },
        { "SA_kall", "sign-agreement:share=1" },
        { "SRA_kall", "signed-rank-agreement:share=1" },
        { "RC", "rank-correlation" },
        { "PRA", "pairwise-rank-agreement" }
    };
    char name[256];
    size_t i, j, k, n, d, m, one;

    (void)state;
    for (i = 0; i < 3; i++) {
        double *a, *truth, *label, *want, w[64];

        snprintf(name, sizeof name, "golden/%s/attributions.tsv", sets[i]);
        if (!(a = shared_numbers(name, &n, &d)))
            skip();
        snprintf(name, sizeof name, "golden/%s/ground_truth.tsv", sets[i]);
        truth = shared_numbers(name, &m, &one);
        assert_int_equal(m, d);
        snprintf(name, sizeof name, "golden/%s/predictions.tsv", sets[i]);
        label = shared_numbers(name, &m, &one);
        assert_int_equal(m, n);
        for (k = 0; k < sizeof cases / sizeof *cases; k++) {
            snprintf(name, sizeof name, "golden/%s/%s.tsv", sets[i],
                     cases[k].file);
            want = shared_numbers(name, &m, &one);
            assert_int_equal(m, n);
            for (m = 0; m < n; m++) {
                for (j = 0; j < d; j++)
                    w[j] = label[m] == 0.0 ? -truth[j] : truth[j];
                near(agree(cases[k].spec, a + m * d, w, d), want[m], 1e-12);
            }
            free(want);
        }
        free(a);
        free(truth);
        free(label);
    }
}

static size_t
split_numbers(char *text, double *v, size_t room)
{
    char *piece;
    size_t n = 0;

    while ((piece = strsep(&text, ",")) != NULL && n < room)
        v[n++] = strtod(piece, NULL);
    return n;
}

static void
scipy(void **state)
{
    char path[4096], line[65536];
    double x[32][100], y[32][100], want;
    size_t n[32], pair, checked = 0;
    FILE *f;

    (void)state;
    if (!shared_path("golden/stats/pairs.tsv", path, sizeof path))
        skip();
    f = fopen(path, "r");
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char *rest = line, *id = strsep(&rest, "\t"),
             *tx = strsep(&rest, "\t"), *ty = strsep(&rest, "\n");

        pair = (size_t)strtoul(id, NULL, 10);
        assert_true(pair < 32);
        n[pair] = split_numbers(tx, x[pair], 100);
        assert_int_equal(split_numbers(ty, y[pair], 100), n[pair]);
    }
    fclose(f);
    assert_true(shared_path("golden/stats/results.tsv", path, sizeof path));
    f = fopen(path, "r");
    while (fgets(line, sizeof line, f)) {
        char *rest = line, *id = strsep(&rest, "\t"),
             *test = strsep(&rest, "\t"), *number = strsep(&rest, "\t");
        const char *name = strcmp(test, "kendalltau_b_auto") == 0 ? "tau-b"
            : strcmp(test, "spearmanr") == 0 ? "spearman"
            : strcmp(test, "pearsonr") == 0 ? "pearson" : NULL;

        if (!name)
            continue;
        pair = (size_t)strtoul(id, NULL, 10);
        want = strtod(number, NULL);
        near(agree(name, x[pair], y[pair], n[pair]), want, 1e-12);
        checked++;
    }
    fclose(f);
    assert_int_equal(checked, 81);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example),
        cmocka_unit_test(correlations_by_hand),
        cmocka_unit_test(tau_by_counting),
        cmocka_unit_test(long_vectors),
        cmocka_unit_test(order_guarantees),
        cmocka_unit_test(undefined),
        cmocka_unit_test(too_many_features),
        cmocka_unit_test(openxai),
        cmocka_unit_test(scipy)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
