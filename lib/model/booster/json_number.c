/* model/booster/json_number.c -- what the digits of a number mean.
 *
 * Rounded once, to double or to float: up to 2^53 with a power of ten up to
 * 10^22 by one exact operation (Clinger 1990, doi:10.1145/93542.93557), which
 * rounds to float rightly unless it lies halfway between two floats; the rest
 * by the slow way.
 */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/json_core.h"

/* Decimal digits as w 10^q; 0 if w was cut off. */
static int
decimal(const unsigned char *p, size_t n, uint64_t *w, int *q, int *negative)
{
    const unsigned char *end = p + n;
    int digits = 0, exponent = 0, minus = 0, cut = 0;

    *w = 0;
    *q = 0;
    *negative = p < end && *p == '-';
    p += *negative;
    for (; p < end && asci_is_digit(*p); p++) {
        if (digits == 19) {
            cut = 1;
            break;
        }
        *w = 10 * *w + (*p - '0');
        digits += *w > 0;
    }
    if (!cut && p < end && *p == '.')
        for (p++; p < end && asci_is_digit(*p); p++) {
            if (digits == 19) {
                cut = 1;
                break;
            }
            *w = 10 * *w + (*p - '0');
            digits += *w > 0;
            --*q;
        }
    if (cut)
        return 0;
    if (p < end) {              /* e */
        p++;
        minus = *p == '-';
        p += *p == '-' || *p == '+';
        for (; p < end && exponent < 100000; p++)
            exponent = 10 * exponent + (*p - '0');
        *q += minus ? -exponent : exponent;
    }
    return 1;
}

/* The nearest double by one operation; 0 if that is not exact enough. */
static int
quick(const struct asci_json *j, double *v)
{
    static const double ten_to[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
        1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
    };
    uint64_t w;
    int q, negative;

    if (!decimal(j->digits, j->n_digits, &w, &q, &negative) ||
        w > UINT64_C(1) << 53 || q < -22 || q > 22)
        return 0;
    *v = q < 0 ? (double)w / ten_to[-q] : (double)w * ten_to[q];
    if (negative)
        *v = -*v;
    return 1;
}

static int
bad_number(const struct asci_json *j, struct asc_error *e)
{
    return asci_json_fail(j, e, "\"%.*s\" is not a number",
                          (int)(j->n_digits < 40 ? j->n_digits : 40),
                          (const char *)j->digits);
}

int
asci_json_double(const struct asci_json *j, double *v, struct asc_error *e)
{
    if (!j->digits)
        *v = j->value;
    else if (!quick(j, v) &&
             !asc_number_parse((const char *)j->digits, j->n_digits, v))
        return bad_number(j, e);
    return ASC_OK;
}

/* The C library, exact however many digits there are; it is given no decimal
 * point, which would depend on the locale. */
static int
slow_single(const struct asci_json *j, float *v, struct asc_error *e)
{
    const unsigned char *p = j->digits, *end = p + j->n_digits;
    struct asc_buffer b = { 0 };
    long exponent = 0, places = 0;
    int point = 0, minus = 0;

    for (; p < end && (*p | 32) != 'e'; p++) {
        if (*p == '.')
            point = 1;
        else
            asc_buffer_char(&b, (char)*p);
        places += point && *p != '.';
    }
    if (p < end) {
        p++;
        minus = *p == '-';
        p += *p == '-' || *p == '+';
        for (; p < end && exponent < INT_MAX / 20; p++)
            exponent = 10 * exponent + (*p - '0');
    }
    asc_buffer_print(&b, "e%ld", (minus ? -exponent : exponent) - places);
    asc_buffer_char(&b, '\0');
    if (b.failed) {
        asc_buffer_free(&b);
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    }
    *v = strtof(b.p, NULL);
    asc_buffer_free(&b);
    return ASC_OK;
}

/* 1 if rounding v to float is all that is left to do: v is the nearest double
 * and does not look like the middle between two floats, nor is so small that
 * floats lie wider apart there. */
static int
rounds_once(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    return v == 0.0 || ((bits & 0x1fffffff) != 0x10000000 &&
                        fabs(v) >= (double)FLT_MIN);
}

int
asci_json_single(const struct asci_json *j, float *v, struct asc_error *e)
{
    double d;

    if (!j->digits) {
        *v = (float)j->value;
        return ASC_OK;
    }
    if (!quick(j, &d)) {
        /* asks whether it is a number at all, too */
        if (!asc_number_parse((const char *)j->digits, j->n_digits, &d))
            return bad_number(j, e);
    }
    if (!rounds_once(d))
        return slow_single(j, v, e);
    *v = (float)d;
    return ASC_OK;
}
