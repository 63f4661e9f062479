/* test_number.c -- numbers and text, against the C library and long
 * arithmetic. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/internal.h"
#include "base/powers.h"
#include "seed.h"

static uint64_t state = 1;

/* splitmix64: nothing of what is tested here. */
static uint64_t
bits64(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double
of_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* ---- the table of powers ---- */

enum { LIMBS = 80 };            /* 2560 bits, least limb first */

static void
top_128(const uint32_t *a, uint64_t out[2])
{
    int top = LIMBS - 1, bit, i;

    while (a[top] == 0)
        top--;
    bit = 32 * top + 31 - __builtin_clz(a[top]);
    out[0] = out[1] = 0;
    for (i = 0; i < 128; i++, bit--) {
        out[0] = out[0] << 1 | out[1] >> 63;
        out[1] = out[1] << 1
                 | (bit >= 0 ? a[bit / 32] >> (bit % 32) & 1 : 0);
    }
}

static void
test_powers(void **unused)
{
    uint32_t a[LIMBS] = { 1 };
    uint64_t t, top[2];
    int q, i;

    (void)unused;
    for (q = 0; q <= ASCI_POWER_MAX; q++) {
        top_128(a, top);
        assert_true(top[0] == asci_power_of_ten[q - ASCI_POWER_MIN][0]);
        assert_true(top[1] == asci_power_of_ten[q - ASCI_POWER_MIN][1]);
        for (i = 0, t = 0; i < LIMBS; i++, t >>= 32) {
            t += (uint64_t)a[i] * 10;
            a[i] = (uint32_t)t;
        }
    }
    memset(a, 0, sizeof a);
    a[LIMBS - 1] = 1U << 31;
    for (q = 0; q >= ASCI_POWER_MIN; q--) {
        top_128(a, top);
        assert_true(top[0] == asci_power_of_ten[q - ASCI_POWER_MIN][0]);
        assert_true(top[1] == asci_power_of_ten[q - ASCI_POWER_MIN][1]);
        for (i = LIMBS - 1, t = 0; i >= 0; i--) {
            t = t << 32 | a[i];
            a[i] = (uint32_t)(t / 10);
            t %= 10;
        }
    }
}

/* ---- writing ---- */

static void
check_format(double v)
{
    char want[64], got[ASC_NUMBER_MAX + 1];
    double back;
    size_t n;
    int digits;

    for (digits = 15; digits <= 17; digits++) {
        snprintf(want, sizeof want, "%.*g", digits, v);
        if (strtod(want, NULL) == v)
            break;
    }
    n = asc_number_format(v, got);
    assert_true(n < ASC_NUMBER_MAX);
    got[n] = '\0';
    if (strcmp(got, want) != 0)
        fail_msg("format: got %s, want %s", got, want);
    if (!asc_number_parse(got, n, &back) && isfinite(v))
        fail_msg("%s is not read", got);
    if (isfinite(v) && memcmp(&back, &v, sizeof v) != 0)
        fail_msg("%s reads back as %.17g", got, back);
}

static void
check_digits(double v, int digits)
{
    char want[64], got[ASC_NUMBER_MAX + 1];
    size_t n = asc_number_format_digits(v, digits, got);

    got[n] = '\0';
    snprintf(want, sizeof want, "%.*g", digits, v);
    if (strcmp(got, want) != 0)
        fail_msg("%d digits: got %s, want %s", digits, got, want);
}

static void
check_around(double v)
{
    int i, digits;
    double w = v;

    for (i = 0; i < 4; i++, w = nextafter(w, INFINITY))
        check_format(w);
    for (i = 0, w = v; i < 4 && w > 0.0; i++, w = nextafter(w, 0.0)) {
        check_format(w);
        check_format(-w);
    }
    for (digits = 1; digits <= 17; digits++)
        check_digits(v, digits);
}

static void
test_format_bits(void **unused)
{
    double v;
    int i;

    (void)unused;
    for (i = 0; i < 400000; i++) {
        v = of_bits(bits64());
        if (isfinite(v) && v != 0.0)
            check_format(v);
    }
    for (i = 0; i < 100000; i++) {
        v = of_bits(bits64() & UINT64_C(0x800FFFFFFFFFFFFF));
        if (v != 0.0)
            check_format(v);
    }
    for (i = 0; i < 150000; i++) {
        v = of_bits(bits64());
        if (isfinite(v) && v != 0.0)
            check_digits(v, 1 + (int)(bits64() % 17));
    }
}

static void
test_format_usual(void **unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 150000; i++) {
        double whole = (double)(bits64() >> (1 + bits64() % 63));

        if (whole > 0.0) {
            check_format(whole);
            check_format(-whole / 100.0);
        }
        check_format((double)(1 + bits64() % 100000) * 1e-5);
        check_format((double)(bits64() >> 11) * 0x1p-53 + 0x1p-60);
    }
    for (i = 1; i < 2000; i++) {
        check_format(i);
        check_format(-i);
        check_format(1e15 - 1000 + i);
        check_format(9007199254740992.0 - 1000 + i);
    }
}

static void
test_format_edges(void **unused)
{
    char text[32];
    int i, digits;

    (void)unused;
    for (i = -1074; i < 1024; i++)
        check_around(ldexp(1.0, i));
    for (i = -323; i <= 308; i++) {
        snprintf(text, sizeof text, "1e%d", i);
        check_around(strtod(text, NULL));
        snprintf(text, sizeof text, "5e%d", i);
        check_around(strtod(text, NULL));
    }
    check_around(nextafter(DBL_MAX, 0.0));
    check_format(DBL_MAX);
    check_format(DBL_MIN);
    check_format(0x1p-1074);
    /* Exact decimal ties, at every number of digits. */
    for (i = 0; i < 60000; i++) {
        double v = ldexp((double)(bits64() >> (11 + bits64() % 40) | 1),
                         (int)(bits64() % 120) - 50);

        check_format(v);
        for (digits = 1; digits <= 17; digits += 2)
            check_digits(v, digits);
    }
    check_digits(0.5, 1);
    check_digits(2.5, 1);
    check_digits(9.5, 1);
    check_digits(9.9999999999999995e22, 16);
    check_digits(0.00099999, 3);
    check_digits(99999.5, 5);
}

static void
test_format_special(void **unused)
{
    static const struct { double v; const char *text; } cases[] = {
        { 0.0, "0" }, { -0.0, "0" }, { NAN, "" }, { -NAN, "" },
        { INFINITY, "inf" }, { -INFINITY, "-inf" },
        { 0.1, "0.1" }, { -1.5, "-1.5" }, { 1e22, "1e+22" },
        { 1e-5, "1e-05" }, { 1e100, "1e+100" }, { 0.0001, "0.0001" },
        { 5e-324, "4.94065645841247e-324" },
        { 0.1 + 0.2, "0.30000000000000004" }, { 123456789.0, "123456789" },
        { 1.0 / 3.0, "0.3333333333333333" },
        { 1e15, "1e+15" }, { 999999999999999.0, "999999999999999" }
    };
    char got[ASC_NUMBER_MAX + 1];
    size_t i, n;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        n = asc_number_format(cases[i].v, got);
        got[n] = '\0';
        assert_string_equal(got, cases[i].text);
    }
    got[asc_number_format_digits(-0.0, 3, got)] = '\0';
    assert_string_equal(got, "0");
    assert_int_equal(asc_number_format_digits(NAN, 3, got), 0);
    got[asc_number_format_digits(-INFINITY, 3, got)] = '\0';
    assert_string_equal(got, "-inf");
}

/* ---- reading ---- */

static void
check_parse(const char *text)
{
    const double want = strtod(text, NULL);
    double got = -1.0;
    int ok = asc_number_parse(text, strlen(text), &got);

    if (ok != (isfinite(want) != 0))
        fail_msg("%.60s: read %d, the C library says %.17g", text, ok, want);
    if (ok && memcmp(&got, &want, sizeof got) != 0)
        fail_msg("%.60s: got %.17g, want %.17g", text, got, want);
}

static void
test_parse_random(void **unused)
{
    char text[128];
    double v;
    int i, n, digits, j;

    (void)unused;
    for (i = 0; i < 300000; i++) {
        v = of_bits(bits64());
        if (!isfinite(v))
            continue;
        snprintf(text, sizeof text, "%.*g", 1 + (int)(bits64() % 22), v);
        check_parse(text);
    }
    for (i = 0; i < 300000; i++) {
        n = 0;
        if (bits64() & 1)
            text[n++] = bits64() & 1 ? '-' : '+';
        digits = 1 + (int)(bits64() % 40);
        for (j = 0; j < digits; j++) {
            if (j == (int)(bits64() % 40) && !memchr(text, '.', (size_t)n))
                text[n++] = '.';
            text[n++] = (char)('0' + bits64() % (bits64() & 1 ? 10 : 2));
        }
        text[n] = '\0';
        if (bits64() & 1)
            snprintf(text + n, sizeof text - (size_t)n, "%c%d",
                     bits64() & 1 ? 'e' : 'E',
                     (int)(bits64() % (bits64() & 1 ? 40 : 800)) - 380);
        check_parse(text);
    }
}

/* The middle between v and the next double: the digits end after at most 767;
 * text has room for more. */
static void
check_middle(double v)
{
    const double above = nextafter(v, INFINITY);
    /* long double has the bit more that the middle needs. */
    const long double middle = isinf(above)
        ? (long double)v + ((long double)v - nextafter(v, 0.0)) / 2
        : ((long double)v + above) / 2;
    char text[2000], tail[16], *e;

    snprintf(text, sizeof text, "%.1200Le", middle);
    check_parse(text);
    e = strchr(text, 'e');
    strcpy(tail, e);
    strcpy(e, "1");
    strcat(text, tail);         /* a little more */
    check_parse(text);
    for (e = text; *e != 'e'; e++)
        ;
    while (e[-1] == '0' || e[-1] == '1')
        e--;
    if (e[-1] != '.') {         /* a little less */
        e[-1]--;
        strcpy(e, "99999999999999999999999999999");
        strcat(text, tail);
        check_parse(text);
    }
}

static void
test_parse_middles(void **unused)
{
    int i;

    (void)unused;
    if (LDBL_MANT_DIG < 64) {
        print_message("# skipped: long double is no wider than double\n");
        return;
    }
    for (i = 0; i < 4000; i++) {
        double v = fabs(of_bits(bits64()));

        if (isfinite(v))
            check_middle(v);
        check_middle(of_bits(bits64() & UINT64_C(0xFFFFFFFFFFFFF)));
        check_middle((double)(bits64() >> 11));
        check_middle(ldexp((double)(bits64() >> 12), (int)(i % 100) - 50));
    }
    for (i = -1074; i < 1024; i += 3)
        check_middle(ldexp(1.0, i));
    check_middle(0.0);
    check_middle(0x1p-1074);
    check_middle(nextafter(DBL_MIN, 0.0));
    check_middle(DBL_MAX);
    check_middle(9007199254740992.0);
}

static void
test_parse_edges(void **unused)
{
    static const char *const texts[] = {
        "0", "-0", "+0", "0.0", ".5", "5.", "-.5e-3", "00012.500", "1e0",
        "1E+5", "1e-5", "9007199254740993", "9007199254740992.5",
        "9007199254740993.00000000000000000000000000000000000001",
        "18446744073709551615", "18446744073709551616",
        "99999999999999999999", "1e22", "1e23", "8.5e22", "1e-22",
        "179769313486231570000000000000000000000e270",
        "1.7976931348623158e308", "1.7976931348623159e308",
        "2e308", "1e309", "1e400", "4.9e-324", "2.4703282292062327e-324",
        "2.4703282292062328e-324", "2.5e-324", "1e-400", "0e999999999999",
        "0e-99999999999999999999999999", "1e99999999999999999999999999",
        "1e-99999999999999999999999999", "2.2250738585072011e-308",
        "2.2250738585072014e-308", "0.000000000000000000000000000001e30",
        "1000000000000000000000000000000e-30", "123456789012345678901234567890"
    };
    static char text[5000];
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        check_parse(texts[i]);
    memset(text, '0', 4000);
    strcpy(text + 4000, ".25e1");
    check_parse(text);
    memset(text, '0', 4000);
    text[1] = '.';
    strcpy(text + 4000, "123e4000");
    check_parse(text);
    memset(text, '9', 4000);
    strcpy(text + 4000, "e-3990");
    check_parse(text);
}

static void
test_parse_grammar(void **unused)
{
    static const char *const bad[] = {
        "", "-", "+", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "--1",
        "+-1", "1-", "1.2.3", "1,5", " 1", "1 ", "0x10", "0x1p3", "1p3",
        "nan", "NaN", "-nan", "NA", "infinity", "Inf", "INF", "+inf", "inf ",
        "1e5.0", "1e5e5", "4o", "1_000", "1e309", "-1e400", "1d5", "\t1",
        "1\n", "1e 5"
    };
    double v = 7.0;
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        if (asc_number_parse(bad[i], strlen(bad[i]), &v))
            fail_msg("\"%s\" is read as %g", bad[i], v);
    assert_true(v == 7.0);
    assert_false(asc_number_parse("1\0002", 3, &v));
    assert_true(asc_number_parse("inf", 3, &v) && v == INFINITY);
    assert_true(asc_number_parse("-inf", 4, &v) && v == -INFINITY);
    assert_true(asc_number_parse("12345", 3, &v) && v == 123.0);
    assert_true(asc_number_parse("-0", 2, &v) && v == 0.0 && signbit(v));
}

/* ---- the host's locale ---- */

/* Sets a locale whose numbers have a decimal comma: one that is installed, or
 * one that localedef makes here, in a directory that is removed again. */
static int
set_comma(void)
{
    static const char *const names[] = {
        "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR", "it_IT.UTF-8",
        "nl_NL.UTF-8", "pt_BR.UTF-8", "de_DE.UTF-8"
    };
    char directory[] = "localeXXXXXX", command[200], text[16];
    const size_t n = sizeof names / sizeof *names;
    size_t i;

    for (i = 0; i < n - 1; i++)
        if (setlocale(LC_NUMERIC, names[i]))
            break;
    if (i == n - 1 && mkdtemp(directory)) {
        snprintf(command, sizeof command,
                 "localedef -i de_DE -f UTF-8 %s/%s >/dev/null 2>&1",
                 directory, names[i]);
        if (system(command) == 0) {
            setenv("LOCPATH", directory, 1);
            setlocale(LC_NUMERIC, names[i]);
        }
        snprintf(command, sizeof command, "rm -r %s", directory);
        if (system(command) != 0)
            print_message("# %s is left behind\n", directory);
    }
    snprintf(text, sizeof text, "%.1f", 0.5);
    return text[1] == ',';
}

static void
test_locale(void **unused)
{
    const double tie = 1.5e22 + 2097152.0;      /* the C library decides */
    struct asc_buffer b = { NULL, 0, 0, 0 };
    char want[32], out[ASC_NUMBER_MAX];
    struct asc_error e;
    double v, back;
    size_t n;
    int i;

    (void)unused;
    snprintf(want, sizeof want, "%.16g", tie);
    if (!set_comma()) {
        setlocale(LC_NUMERIC, "C");
        print_message("# skipped: there is no locale with a decimal comma\n");
        return;
    }
    asc_buffer_number(&b, 0.5, 0);
    asc_buffer_print(&b, " %.2f ", 0.25);
    asc_buffer_number(&b, 1e23, 0);
    asc_buffer_char(&b, ' ');
    asc_buffer_number(&b, tie, 16);
    asc_buffer_char(&b, '\0');
    asc_fail(&e, ASC_EINPUT, "%g", 1.5);
    for (i = 0; i < 20000; i++) {
        v = of_bits(bits64());
        if (!isfinite(v))
            continue;
        n = asc_number_format(v, out);
        assert_true(asc_number_parse(out, n, &back) && back == v);
    }
    assert_true(asc_number_parse("9007199254740993", 16, &v));
    assert_true(v == 9007199254740992.0);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(strrchr(b.p, ' ') + 1, want);
    assert_memory_equal(b.p, "0.5 0.25 1e+23 ", 15);
    assert_string_equal(e.text, "1.5");
    asc_buffer_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_powers),
        cmocka_unit_test(test_format_bits),
        cmocka_unit_test(test_format_usual),
        cmocka_unit_test(test_format_edges),
        cmocka_unit_test(test_format_special),
        cmocka_unit_test(test_parse_random),
        cmocka_unit_test(test_parse_middles),
        cmocka_unit_test(test_parse_edges),
        cmocka_unit_test(test_parse_grammar),
        cmocka_unit_test(test_locale)
    };

    state = test_seed(1);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
