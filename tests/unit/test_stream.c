/* test_stream.c -- random streams: known answers, and what they promise. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <Random123/philox.h>

#include <ascribe/base.h>

/* "philox4x64 10" of Random123's tests/kat_vectors. */
static void
test_known_answers(void **unused)
{
    static const uint64_t cases[3][10] = {
        { 0, 0, 0, 0, 0, 0,
          0x16554d9eca36314c, 0xdb20fe9d672d0fdc,
          0xd7e772cee186176b, 0x7e68b68aec7ba23b },
        { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
          UINT64_MAX,
          0x87b092c3013fe90b, 0x438c3c67be8d0224,
          0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0 },
        { 0x243f6a8885a308d3, 0x13198a2e03707344,
          0xa4093822299f31d0, 0x082efa98ec4e6c89,
          0x452821e638d01377, 0xbe5466cf34e90c6c,
          0xa528f45403e61d95, 0x38c72dbd566e9788,
          0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6 }
    };
    size_t i, j;

    (void)unused;
    for (i = 0; i < 3; i++) {
        struct asc_stream s = { .spare = NAN };

        memcpy(s.counter, cases[i], sizeof s.counter);
        memcpy(s.key, cases[i] + 4, sizeof s.key);
        for (j = 0; j < 4; j++)
            assert_true(asc_stream_bits(&s) == cases[i][6 + j]);
    }
}

/* The final mix of MurmurHash3, as its author wrote it. */
static uint64_t
fmix64(uint64_t k)
{
    k ^= k >> 33;
    k *= UINT64_C(0xff51afd7ed558ccd);
    k ^= k >> 33;
    k *= UINT64_C(0xc4ceb9fe1a85ec53);
    k ^= k >> 33;
    return k;
}

static void
test_hash(void **unused)
{
    /* FNV-1a, 64 bits: the test vectors of its authors. */
    static const struct { const char *text; uint64_t fnv; } cases[] = {
        { "", UINT64_C(0xcbf29ce484222325) },
        { "a", UINT64_C(0xaf63dc4c8601ec8c) },
        { "b", UINT64_C(0xaf63df4c8601f1a5) },
        { "foobar", UINT64_C(0x85944171f73967e8) }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(asc_hash(cases[i].text, strlen(cases[i].text))
                    == fmix64(cases[i].fnv));
}

static void
test_keying(void **unused)
{
    struct asc_stream s, t;
    philox4x64_key_t key = { { 77, asc_hash("lime", 4) } };
    philox4x64_ctr_t counter = { { 1, 0, asc_hash("row 5", 5), 0 } };
    philox4x64_ctr_t want = philox4x64_R(10, counter, key);
    int i;

    (void)unused;
    asc_stream_start(&s, 77, "lime", "row 5 and more", 5);
    for (i = 0; i < 4; i++)
        asc_stream_bits(&s);
    for (i = 0; i < 4; i++)
        assert_true(asc_stream_bits(&s) == want.v[i]);
    asc_stream_start(&s, 77, "lime", "row 5", 5);
    asc_stream_start(&t, 77, "lime", "row 6", 5);
    assert_true(asc_stream_bits(&s) != asc_stream_bits(&t));
    asc_stream_start(&s, 77, "lime", "row 5", 5);
    asc_stream_start(&t, 77, "limf", "row 5", 5);
    assert_true(asc_stream_bits(&s) != asc_stream_bits(&t));
    asc_stream_start(&s, 77, "lime", "row 5", 5);
    asc_stream_start(&t, 78, "lime", "row 5", 5);
    assert_true(asc_stream_bits(&s) != asc_stream_bits(&t));
    asc_stream_start(&s, 1, "shared", NULL, 0);
    asc_stream_start(&t, 1, "shared", "", 0);
    assert_true(asc_stream_bits(&s) == asc_stream_bits(&t));
}

/* Two words a pair of normals, one a uniform, whatever comes out. */
static void
test_consumption(void **unused)
{
    struct asc_stream s, t;
    int i;

    (void)unused;
    asc_stream_start(&s, 1, "test", "x", 1);
    asc_stream_start(&t, 1, "test", "x", 1);
    for (i = 0; i < 1000; i++)
        asc_stream_normal(&s);
    for (i = 0; i < 1000; i++)
        asc_stream_uniform(&t);
    for (i = 0; i < 10; i++)
        assert_true(asc_stream_bits(&s) == asc_stream_bits(&t));
}

static double
phi(double z)
{
    return 0.5 * erfc(-z / sqrt(2.0));
}

/* Kolmogorov and Smirnov's distance of n values from their distribution, by
 * counts in fine bins. */
static double
distance(int normal, struct asc_stream *s, int n)
{
    enum { BINS = 4096 };
    static int count[BINS];
    double worst = 0.0, v;
    int i, bin, below = 0;

    memset(count, 0, sizeof count);
    for (i = 0; i < n; i++) {
        v = normal ? phi(asc_stream_normal(s)) : asc_stream_uniform(s);
        assert_true(v > 0.0 && v < 1.0);
        bin = (int)(v * BINS);
        count[bin]++;
    }
    for (i = 0; i < BINS; i++) {
        below += count[i];
        worst = fmax(worst, fabs((double)below / n - (i + 1.0) / BINS));
    }
    return worst * sqrt(n);
}

static void
test_distributions(void **unused)
{
    struct asc_stream s;
    double sum[2] = { 0.0, 0.0 }, square = 0.0, product = 0.0, a, b;
    const int n = 1000000;
    int i;

    (void)unused;
    asc_stream_start(&s, 1, "test", "uniform", 7);
    assert_true(distance(0, &s, n) < 1.95);     /* p = 0.001 */
    asc_stream_start(&s, 1, "test", "normal", 6);
    assert_true(distance(1, &s, n) < 1.95);
    for (i = 0; i < n / 2; i++) {
        a = asc_stream_normal(&s);
        b = asc_stream_normal(&s);
        sum[0] += a;
        sum[1] += b;
        square += a * a + b * b;
        product += a * b;
    }
    assert_true(fabs(sum[0]) < 3.3 * sqrt(n / 2.0));
    assert_true(fabs(sum[1]) < 3.3 * sqrt(n / 2.0));
    assert_true(fabs(square - n) < 3.3 * sqrt(2.0 * n));
    assert_true(fabs(product) < 3.3 * sqrt(n / 2.0));
}

static void
test_below(void **unused)
{
    struct asc_stream s;
    int count[10] = { 0 }, third[3] = { 0 }, i;
    double chi2 = 0.0;
    uint64_t v;

    (void)unused;
    asc_stream_start(&s, 2, "test", "below", 5);
    for (i = 0; i < 100000; i++) {
        v = asc_stream_below(&s, 10);
        assert_true(v < 10);
        count[v]++;
    }
    for (i = 0; i < 10; i++)
        chi2 += (count[i] - 1e4) * (count[i] - 1e4) / 1e4;
    assert_true(chi2 < 27.88);          /* 9 degrees, p = 0.001 */
    /* Of 3 * 2^62 values a remainder of 64 bits gives the first third twice
     * as often as the others. */
    for (i = 0; i < 30000; i++) {
        v = asc_stream_below(&s, UINT64_C(3) << 62);
        assert_true(v < UINT64_C(3) << 62);
        third[v >> 62]++;
    }
    for (i = 0; i < 3; i++)
        assert_true(abs(third[i] - 10000) < 270);
    assert_true(asc_stream_below(&s, 1) == 0);
    assert_true(asc_stream_below(&s, 0) == 0);
}

static void
test_shuffle(void **unused)
{
    struct asc_stream s;
    int orders[27] = { 0 }, i, n_orders = 0;
    size_t v[3], big[100], seen[100] = { 0 }, k;

    (void)unused;
    asc_stream_start(&s, 3, "test", "shuffle", 7);
    for (i = 0; i < 60000; i++) {
        v[0] = 0;
        v[1] = 1;
        v[2] = 2;
        asc_stream_shuffle(&s, v, 3);
        orders[9 * v[0] + 3 * v[1] + v[2]]++;
    }
    for (i = 0; i < 27; i++)
        if (orders[i] > 0) {
            n_orders++;
            assert_true(abs(orders[i] - 10000) < 310);
        }
    assert_int_equal(n_orders, 6);
    for (k = 0; k < 100; k++)
        big[k] = k;
    asc_stream_shuffle(&s, big, 100);
    for (k = 0; k < 100; k++)
        seen[big[k]]++;
    for (k = 0; k < 100; k++)
        assert_true(seen[k] == 1);
    asc_stream_shuffle(&s, NULL, 0);
    asc_stream_shuffle(&s, big, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_keying),
        cmocka_unit_test(test_consumption),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_shuffle)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
