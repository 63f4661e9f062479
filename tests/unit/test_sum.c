/* test_sum.c -- exact sums, against Shewchuk's expansions and by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/base.h>

#include "seed.h"

static uint64_t state = 1;

static uint64_t
bits64(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Shewchuk 1997: the exact sum as non-overlapping doubles, rounded once with
 * care for ties (as Python's math.fsum).  No partial sum may overflow. */
static double
expansion_sum(const double *v, size_t n)
{
    enum { MOST = 200 };
    double part[MOST], x, y, high, low = 0.0;
    size_t i, j, k, n_parts = 0;

    for (i = 0; i < n; i++) {
        x = v[i];
        for (j = k = 0; j < n_parts; j++) {
            y = part[j];
            if (fabs(x) < fabs(y)) {
                double t = x;

                x = y;
                y = t;
            }
            high = x + y;
            low = y - (high - x);
            if (low != 0.0)
                part[k++] = low;
            x = high;
        }
        part[k++] = x;
        n_parts = k;
        assert_true(n_parts < MOST);
    }
    high = 0.0;
    if (n_parts > 0) {
        high = part[--n_parts];
        low = 0.0;
        while (n_parts > 0) {
            x = high;
            y = part[--n_parts];
            high = x + y;
            low = y - (high - x);
            if (low != 0.0)
                break;
        }
        if (n_parts > 0 && ((low < 0.0 && part[n_parts - 1] < 0.0)
                            || (low > 0.0 && part[n_parts - 1] > 0.0))) {
            y = low * 2.0;
            x = high + y;
            if (y == x - high)
                high = x;
        }
    }
    return high;
}

static double
sum(const double *v, size_t n)
{
    struct asc_sum s;
    size_t i;

    asc_sum_clear(&s);
    for (i = 0; i < n; i++)
        asc_sum_add(&s, v[i]);
    return asc_sum_value(&s);
}

static void
same_bits(double a, double b)
{
    if (memcmp(&a, &b, sizeof a) != 0)
        fail_msg("%.17g is not %.17g", a, b);
}

static double
draw(int spread)
{
    uint64_t bits = bits64() & UINT64_C(0x800FFFFFFFFFFFFF);
    uint64_t exponent = spread >= 2000
        ? bits64() % 2000
        : 1023 - (uint64_t)spread / 2 + bits64() % (uint64_t)(spread + 1);
    double v;

    bits |= exponent << 52;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void
test_random(void **unused)
{
    static const int spreads[] = { 0, 1, 10, 53, 60, 110, 300, 2000 };
    static double v[3000], w[3000];
    size_t i, j, n, t;
    double t0;

    (void)unused;
    for (t = 0; t < 4000; t++) {
        n = (size_t)(bits64() % (t % 50 ? 40 : 3000));
        for (i = 0; i < n; i++)
            v[i] = draw(spreads[t % 8]);
        /* Half of the time most cancels. */
        if (bits64() & 1)
            for (i = 0; i + 1 < n; i += 2)
                if (bits64() % 8)
                    v[i + 1] = -v[i];
        same_bits(sum(v, n), expansion_sum(v, n));
        memcpy(w, v, sizeof w);
        for (i = n; i > 1; i--) {
            j = (size_t)(bits64() % i);
            t0 = w[i - 1];
            w[i - 1] = w[j];
            w[j] = t0;
        }
        same_bits(sum(v, n), sum(w, n));
    }
}

static void
test_merge(void **unused)
{
    static double v[5000];
    struct asc_sum part[7], all, other;
    size_t i;
    int t;

    (void)unused;
    for (t = 0; t < 50; t++) {
        for (i = 0; i < 7; i++)
            asc_sum_clear(&part[i]);
        for (i = 0; i < 5000; i++) {
            v[i] = draw(2000);
            asc_sum_add(&part[bits64() % 7], v[i]);
        }
        asc_sum_clear(&all);
        asc_sum_clear(&other);
        for (i = 0; i < 7; i++) {
            asc_sum_merge(&all, &part[i]);
            asc_sum_merge(&other, &part[6 - i]);
        }
        same_bits(asc_sum_value(&all), expansion_sum(v, 5000));
        /* Equal sums have equal states, which may be stored. */
        assert_memory_equal(&all, &other, sizeof all);
    }
}

static void
test_by_hand(void **unused)
{
    static const struct { size_t n; double v[6], want; } cases[] = {
        { 0, { 0 }, 0.0 },
        { 1, { -0.0 }, 0.0 },
        { 3, { 1e100, 1.0, -1e100 }, 1.0 },
        { 4, { 1e16, 1.0, 1.0, -1e16 }, 2.0 },
        { 2, { 1.0, 0x1p-53 }, 1.0 },                   /* tie to even */
        { 3, { 1.0, 0x1p-53, 0x1p-1074 }, 1.0 + 0x1p-52 },
        { 3, { 1.0, 0x1p-53, -0x1p-1074 }, 1.0 },
        { 2, { 1.0 + 0x1p-52, 0x1p-53 }, 1.0 + 0x1p-51 },       /* tie */
        { 2, { -1.0, -0x1p-53 }, -1.0 },
        { 3, { -1.0, -0x1p-53, -0x1p-1074 }, -1.0 - 0x1p-52 },
        { 2, { 1.0, -0x1p-54 }, 1.0 },                  /* tie from below */
        { 3, { 1.0, -0x1p-54, -0x1p-1074 }, 1.0 - 0x1p-53 },
        { 2, { 0x1p-1074, 0x1p-1074 }, 0x1p-1073 },
        { 2, { 0x1p-1074, -0x1p-1074 }, 0.0 },
        { 3, { DBL_MIN, -0x1p-1074, 0.0 }, DBL_MIN - 0x1p-1074 },
        { 2, { DBL_MIN - 0x1p-1074, 0x1p-1074 }, DBL_MIN },
        { 3, { DBL_MAX, DBL_MAX, -DBL_MAX }, DBL_MAX },
        { 2, { DBL_MAX, 0x1p969 }, DBL_MAX },
        { 2, { DBL_MAX, 0x1p970 }, INFINITY },          /* half a unit */
        { 3, { DBL_MAX, 0x1p970, -0x1p-1074 }, DBL_MAX },
        { 2, { DBL_MAX, DBL_MAX }, INFINITY },
        { 2, { -DBL_MAX, -DBL_MAX }, -INFINITY },
        { 2, { INFINITY, -1.0 }, INFINITY },
        { 2, { -INFINITY, DBL_MAX }, -INFINITY },
        { 6, { 0.1, 0.2, 0.3, -0.1, -0.2, -0.3 }, 0.0 },
        { 5, { 1e308, 1e308, -1e308, 3.0, -1e308 }, 3.0 }
    };
    double v[3] = { INFINITY, -INFINITY, 1.0 }, w[2] = { NAN, 1.0 };
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        same_bits(sum(cases[i].v, cases[i].n), cases[i].want);
    assert_true(isnan(sum(v, 3)));
    assert_true(isnan(sum(w, 2)));
}

/* Many additions of the largest parts, of one sign: no chunk overflows. */
static void
test_carries(void **unused)
{
    struct asc_sum s, t;
    const double v = 0x1.FFFFFFFFFFFFFp+31;     /* all ones, off a chunk */
    int i;

    (void)unused;
    asc_sum_clear(&s);
    asc_sum_clear(&t);
    for (i = 0; i < 1 << 20; i++) {
        asc_sum_add(&s, v);
        asc_sum_add(&t, -v);
    }
    same_bits(asc_sum_value(&s), v * 0x1p20);
    same_bits(asc_sum_value(&t), -v * 0x1p20);
    asc_sum_merge(&s, &t);
    same_bits(asc_sum_value(&s), 0.0);
    asc_sum_clear(&s);
    for (i = 0; i < 5000; i++)
        asc_sum_add(&s, DBL_MAX);
    for (i = 0; i < 4999; i++)
        asc_sum_add(&s, -DBL_MAX);
    same_bits(asc_sum_value(&s), DBL_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_carries)
    };

    state = test_seed(1);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
