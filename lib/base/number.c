/* base/number.c -- doubles to decimal text and back, correctly rounded.
 *
 * Both ways multiply a 64-bit integer w by a power of ten that is known to 128
 * bits (powers.h), P <= 10^q / 2^b < P + 1.  So the 192-bit product satisfies
 *
 *     w P <= w 10^q / 2^b < w P + 2^64
 *
 * with equality on the left for q = 0 to 55, where P is exact.  The upper 128
 * bits of the product are right or one too small.  Where a rounding depends on
 * that one, the C library decides (it computes exactly); the sole such numbers
 * are decimal ties and their nearest neighbours.  Clinger 1990, "How to read
 * floating point numbers accurately", doi:10.1145/93542.93557; the product is
 * that of Lemire 2021, "Number parsing at a gigabyte per second",
 * doi:10.1002/spe.2984.
 *
 * The C library is handed and gives digits and exponents only, never a decimal
 * point, which would depend on the host's locale.  About 60 to 100 ns to
 * write a random double, 50 to 70 to read it, 20 for small whole numbers. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/internal.h"
#include "base/powers.h"

typedef unsigned __int128 wide;

/* floor(log10(2^e)) and floor(log2(10^q)), right for |e|, |q| < 1100, 400;
 * shifts of negative numbers are arithmetic in gcc and clang. */
static int
log10_of_power_of_2(int e)
{
    return e * 1262611 >> 22;
}

static int
log2_of_power_of_10(int q)
{
    return q * 1741647 >> 19;
}

/* The upper 128 bits of w P(q); *low is the rest. */
static wide
times_power(uint64_t w, int q, uint64_t *low)
{
    const uint64_t *p = asci_power_of_ten[q - ASCI_POWER_MIN];
    wide lower = (wide)w * p[1];

    *low = (uint64_t)lower;
    return (wide)w * p[0] + (uint64_t)(lower >> 64);
}

static int
exact_power(int q)
{
    return q >= 0 && q <= ASCI_POWER_EXACT;
}

/* ---- writing ---- */

static const uint64_t ten_to[18] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
    10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
    1000000000000000, 10000000000000000, 100000000000000000
};

/* v > 0 scaled to 17 digits, in units of 2^-64: v 10^(16 - k) is x if slack is
 * 0, else more than x and less than x + slack; half a unit in the last binary
 * place of v, scaled alike, is half_ulp or less than 2 more. */
struct scaled {
    wide x, half_ulp;
    unsigned slack;
    int k;                      /* 10^k <= v, x < 10^17 */
    int power_of_2;             /* the gap below v is half of that above */
};

static void
scale(double v, struct scaled *s)
{
    uint64_t bits, m, low;
    int e, zeros, shift, q;
    wide high;

    memcpy(&bits, &v, sizeof bits);
    m = bits & UINT64_C(0xFFFFFFFFFFFFF);
    e = (int)(bits >> 52 & 0x7FF);
    s->power_of_2 = m == 0 && e > 1;
    if (e > 0)
        m |= UINT64_C(1) << 52;
    else
        e = 1;
    e -= 1075;                  /* v = m 2^e */
    zeros = __builtin_clzll(m);
    s->k = log10_of_power_of_2(e + 63 - zeros);
    for (;; s->k++) {
        q = 16 - s->k;
        high = times_power(m << zeros, q, &low);
        /* v 10^q = product 2^(e - zeros + log2 - 127), so bit 0 of x is bit
         * `shift` of the upper half; from 6 to 10. */
        shift = 127 - 128 - (e - zeros + log2_of_power_of_10(q));
        s->x = high >> shift;
        /* v may have one digit more than the power of two below it. */
        if (s->x >> 64 < ten_to[17])
            break;
    }
    s->slack = 2;
    if (exact_power(q) && low == 0 && (high & (((wide)1 << shift) - 1)) == 0)
        s->slack = 0;
    shift += 65 - zeros;        /* 1/2 2^e in place of m 2^e */
    s->half_ulp = ((wide)asci_power_of_ten[q - ASCI_POWER_MIN][0] << 64
                   | asci_power_of_ten[q - ASCI_POWER_MIN][1]) >> shift;
}

/* v 10^(16 - k) / unit, unit = 10^(17 - digits), rounded to nearest, ties to
 * even.  0: cannot tell. */
static int
round_to(const struct scaled *s, uint64_t unit, uint64_t *r)
{
    const uint64_t whole = (uint64_t)(s->x >> 64);
    const wide rest = (wide)(whole % unit) << 64 | (uint64_t)s->x;
    const wide half = (wide)unit << 63;

    /* What is inexact is strictly more than x. */
    *r = whole / unit;
    if (rest > half || (rest == half && (s->slack > 0 || *r & 1)))
        (*r)++;
    else if (s->slack > 0 && rest + s->slack > half)
        return 0;
    return 1;
}

/* 1: r unit reads back as v; 0: it does not; -1: cannot tell. */
static int
reads_back(const struct scaled *s, uint64_t unit, uint64_t r)
{
    const wide decimal = (wide)(r * unit) << 64;
    const int above = decimal > s->x;
    const wide gap = above ? decimal - s->x : s->x - decimal;
    const wide reach = !above && s->power_of_2 ? s->half_ulp >> 1
                                               : s->half_ulp;

    if (gap + s->slack < reach)
        return 1;
    return gap > reach + 2 + s->slack ? 0 : -1;
}

/* The fewest digits, and what they are; 0: cannot tell. */
static int
fewest(const struct scaled *s, uint64_t *r)
{
    int digits, back;

    for (digits = 15; digits < 17; digits++) {
        const uint64_t unit = digits == 15 ? 100 : 10;

        if (!round_to(s, unit, r))
            return 0;
        back = reads_back(s, unit, *r);
        if (back != 0)
            return back > 0 ? digits : 0;
    }
    return round_to(s, 1, r) ? 17 : 0;
}

/* The same two by the C library. */
static uint64_t
round_slowly(double v, int digits, int *k)
{
    char text[ASC_NUMBER_MAX];
    uint64_t r = 0;
    const char *p;

    snprintf(text, sizeof text, "%.*e", digits - 1, v);
    for (p = text; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')     /* and not the decimal point */
            r = 10 * r + (uint64_t)(*p - '0');
    *k = atoi(p + 1);
    return r;
}

static int
fewest_slowly(double v, uint64_t *r, int *k)
{
    char text[ASC_NUMBER_MAX];
    int digits;

    for (digits = 15; digits < 17; digits++) {
        *r = round_slowly(v, digits, k);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)*r,
                 *k - digits + 1);
        if (strtod(text, NULL) == v)
            return digits;
    }
    *r = round_slowly(v, 17, k);
    return 17;
}

static char *
put_8(char *p, uint32_t v)
{
    static const char pair[] =
        "00010203040506070809101112131415161718192021222324"
        "25262728293031323334353637383940414243444546474849"
        "50515253545556575859606162636465666768697071727374"
        "75767778798081828384858687888990919293949596979899";
    const uint32_t upper = v / 10000, lower = v % 10000;

    memcpy(p, pair + 2 * (upper / 100), 2);
    memcpy(p + 2, pair + 2 * (upper % 100), 2);
    memcpy(p + 4, pair + 2 * (lower / 100), 2);
    memcpy(p + 6, pair + 2 * (lower % 100), 2);
    return p + 8;
}

/* Lays out r, which has `digits` decimal digits of which the first counts
 * 10^k, as %.*g does. */
static size_t
lay_out(int negative, uint64_t r, int digits, int k, char *out)
{
    char digit[24], *p = out;
    int n = digits, e;

    r *= ten_to[17 - digits];
    digit[0] = (char)('0' + r / ten_to[16]);
    r %= ten_to[16];
    put_8(digit + 1, (uint32_t)(r / 100000000));
    put_8(digit + 9, (uint32_t)(r % 100000000));
    while (n > 1 && digit[n - 1] == '0')
        n--;
    if (negative)
        *p++ = '-';
    if (k >= digits || k < -4) {
        *p++ = digit[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digit + 1, (size_t)(n - 1));
            p += n - 1;
        }
        *p++ = 'e';
        *p++ = k < 0 ? '-' : '+';
        e = k < 0 ? -k : k;
        if (e >= 100)
            *p++ = (char)('0' + e / 100);
        *p++ = (char)('0' + e / 10 % 10);
        *p++ = (char)('0' + e % 10);
    } else if (k < 0) {
        memcpy(p, "0.000", 5);
        p += 1 - k;
        memcpy(p, digit, (size_t)n);
        p += n;
    } else if (n <= k + 1) {
        memcpy(p, digit, (size_t)(k + 1));      /* the zeros are there */
        p += k + 1;
    } else {
        memcpy(p, digit, (size_t)(k + 1));
        p += k + 1;
        *p++ = '.';
        memcpy(p, digit + k + 1, (size_t)(n - k - 1));
        p += n - k - 1;
    }
    return (size_t)(p - out);
}

static size_t
put_special(double v, char *out)
{
    if (isnan(v))
        return 0;
    if (v == 0.0) {
        *out = '0';
        return 1;
    }
    memcpy(out, v < 0.0 ? "-inf" : "inf", v < 0.0 ? 4 : 3);
    return v < 0.0 ? 4 : 3;
}

/* r of `digits` digits, or 10^digits where 9.99... was rounded up. */
static size_t
put(double v, uint64_t r, int digits, int k, char *out)
{
    if (r == ten_to[digits]) {
        r /= 10;
        k++;
    }
    return lay_out(v < 0.0, r, digits, k, out);
}

/* A whole number, 1 <= |v| < 10^15. */
static size_t
put_whole(double v, char *out)
{
    uint64_t r = (uint64_t)fabs(v);
    char digit[16], *p = digit;
    size_t n;

    put_8(digit, (uint32_t)(r / 100000000));
    put_8(digit + 8, (uint32_t)(r % 100000000));
    while (*p == '0')
        p++;
    n = (size_t)(digit + 16 - p);
    if (v < 0.0)
        *out++ = '-';
    memcpy(out, p, n);
    return n + (v < 0.0);
}

size_t
asc_number_format(double v, char *out)
{
    const double a = fabs(v);
    struct scaled s;
    uint64_t r;
    int digits;

    if (!(a > 0.0 && a <= DBL_MAX))
        return put_special(v, out);
    if (a < 1e15 && a == (double)(int64_t)a)
        return put_whole(v, out);
    scale(a, &s);
    digits = fewest(&s, &r);
    if (digits == 0)
        digits = fewest_slowly(a, &r, &s.k);
    return put(v, r, digits, s.k, out);
}

size_t
asc_number_format_digits(double v, int digits, char *out)
{
    const double a = fabs(v);
    struct scaled s;
    uint64_t r;

    if (digits < 1)
        digits = 1;
    if (digits > 17)
        digits = 17;
    if (!(a > 0.0 && a <= DBL_MAX))
        return put_special(v, out);
    scale(a, &s);
    if (!round_to(&s, ten_to[17 - digits], &r))
        r = round_slowly(a, digits, &s.k);
    return put(v, r, digits, s.k, out);
}

/* ---- reading ---- */

enum {
    WORD_DIGITS = 19,           /* decimal digits that 64 bits hold */
    /* More digits than a tie between two doubles can have (767); what comes
     * after them only matters by not being all zeros. */
    TIE_DIGITS = 780
};

/* |value| = w 10^q, or more than that and less than (w + 1) 10^q. */
struct decimal {
    uint64_t w;
    int64_t q;
    int negative, truncated;
};

/* The grammar: [+-] digits [. digits] [e [+-] digits], with a digit before or
 * after the point. */
static int
scan(const char *s, size_t n, struct decimal *d)
{
    const char *p = s, *end = s + n;
    int64_t exponent = 0;
    int places = 0, any = 0, point = 0, minus;
    unsigned c;

    memset(d, 0, sizeof *d);
    if (p < end && (*p == '-' || *p == '+'))
        d->negative = *p++ == '-';
    for (; p < end; p++) {
        c = (unsigned char)*p - (unsigned)'0';
        if (c < 10) {
            any = 1;
            if (places < WORD_DIGITS) {
                d->w = 10 * d->w + c;
                places += d->w > 0;
                d->q -= point;
            } else {
                d->truncated |= c > 0;
                d->q += !point;
            }
        } else if (*p == '.' && !point) {
            point = 1;
        } else {
            break;
        }
    }
    if (!any)
        return 0;
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        minus = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p == end)
            return 0;
        for (; p < end && (c = (unsigned char)*p - (unsigned)'0') < 10; p++)
            if (exponent < INT64_C(1000000000000000))
                exponent = 10 * exponent + c;
        d->q += minus ? -exponent : exponent;
    }
    return p == end;
}

/* The double nearest to d by the 192-bit product; 0: cannot tell.  w > 0 and
 * q is in the table. */
static int
nearest(const struct decimal *d, double *v)
{
    const int q = (int)d->q, zeros = __builtin_clzll(d->w);
    const int exact = exact_power(q) && !d->truncated;
    uint64_t low, m, bits;
    wide high, rest, half, slack;
    int e, keep, drop, length;

    high = times_power(d->w << zeros, q, &low);
    length = 127 + (int)(high >> 127);
    /* 2^e <= value < 2^(e + 1), as far as is known. */
    e = length + 63 + log2_of_power_of_10(q) - 127 - zeros;
    if (e > 1023) {
        *v = INFINITY;
        return 1;
    }
    keep = e < -1022 ? 53 - (-1022 - e) : 53;
    if (keep < 1)
        return 0;
    drop = length - keep;
    m = (uint64_t)(high >> drop);
    rest = high & (((wide)1 << drop) - 1);
    half = (wide)1 << (drop - 1);
    if (exact) {
        m += rest > half || (rest == half && (low > 0 || m & 1));
    } else if (rest >= half) {
        m++;                    /* the value is strictly more */
    } else {
        slack = d->truncated ? ((wide)1 << (64 + zeros)) + 2 : 2;
        if (rest + slack > half)
            return 0;
    }
    /* Rounding up may carry into the exponent, and there is as it should be:
     * subnormals become normal, the largest infinite. */
    bits = e < -1022 ? m : m + ((uint64_t)(e + 1022) << 52);
    memcpy(v, &bits, sizeof bits);
    return 1;
}

/* The same by the C library, of the digits in s[0..n-1] as they stand. */
static double
nearest_slowly(const char *s, size_t n, const struct decimal *d)
{
    char text[TIE_DIGITS + 32];
    int64_t q = d->q;
    size_t i, places = 0;
    int saved = errno, more = 0;
    double v;

    /* d->q counts from the last of the first 19 digits. */
    for (i = 0; i < n && (s[i] | 0x20) != 'e'; i++) {
        if (s[i] < '0' || s[i] > '9' || (places == 0 && s[i] == '0'))
            continue;
        if (places < TIE_DIGITS)
            text[places++] = s[i];
        else
            more |= s[i] != '0';
    }
    if (places > WORD_DIGITS)
        q -= (int64_t)(places - WORD_DIGITS);
    if (more) {
        text[places++] = '1';
        q--;
    }
    snprintf(text + places, sizeof text - places, "e%lld", (long long)q);
    v = strtod(text, NULL);
    errno = saved;
    return v;
}

int
asc_number_parse(const char *s, size_t n, double *v)
{
    static const double exact[23] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
        1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
    };
    struct decimal d;
    double a;

    if (!scan(s, n, &d)) {
        if (n == 3 && memcmp(s, "inf", 3) == 0)
            *v = INFINITY;
        else if (n == 4 && memcmp(s, "-inf", 4) == 0)
            *v = -INFINITY;
        else
            return 0;
        return 1;
    }
    if (d.w == 0 || d.q < ASCI_POWER_MIN) {
        a = 0.0;                /* w < 2^64: under half the least double */
    } else if (d.q > DBL_MAX_10_EXP) {
        return 0;
    } else if (d.w <= UINT64_C(1) << 53 && d.q >= -22 && d.q <= 22
               && !d.truncated) {
        /* Both are doubles, so one rounding gives the nearest. */
        a = d.q < 0 ? (double)d.w / exact[-d.q] : (double)d.w * exact[d.q];
    } else {
        if (!nearest(&d, &a))
            a = nearest_slowly(s, n, &d);
        if (a > DBL_MAX)
            return 0;
    }
    *v = d.negative ? -a : a;
    return 1;
}
