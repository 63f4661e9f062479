/* Any bytes as a number, and any double as text.  What is a number is what
 * strtod takes for one, less its hexadecimal, nan and blanks, and has the same
 * value; what is written reads back, is as short as it can be and, with so
 * many digits, is what printf writes. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <ascribe/base.h>

#include "tests/fuzz/fuzz.h"

/* Digits, signs, one kind of point and exponent: no name, no blank. */
static int
is_decimal(const char *s, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!isdigit((unsigned char)s[i]) && !strchr("+-.eE", s[i]))
            return 0;
    return strlen(s) == n;
}

static void
read_text(const char *s, size_t n)
{
    char *copy = malloc(n + 1), *end;
    double v, want;
    int is_number;

    check(copy != NULL);
    memcpy(copy, s, n);
    copy[n] = '\0';
    want = strtod(copy, &end);
    is_number = n > 0 && end == copy + n && is_decimal(copy, n)
                && isfinite(want);
    if (asc_number_parse(s, n, &v)) {
        check(is_number ? v == want && !signbit(v) == !signbit(want)
              : strcmp(copy, "inf") == 0 || strcmp(copy, "-inf") == 0);
        check(is_number || v == want);
    } else {
        check(!is_number);
    }
    free(copy);
}

static void
write_number(double v)
{
    char out[ASC_NUMBER_MAX + 1], want[64];
    size_t n = asc_number_format(v, out);
    double back;
    int digits;

    check(n < ASC_NUMBER_MAX);
    out[n] = '\0';
    if (isnan(v)) {
        check(n == 0);
        return;
    }
    check(asc_number_parse(out, n, &back) && back == v && strtod(out, NULL) == v);
    if (isinf(v))
        return;
    for (digits = 15; digits < 17; digits++) {
        snprintf(want, sizeof want, "%.*g", digits, v);
        if (strtod(want, NULL) == v)
            break;
    }
    snprintf(want, sizeof want, "%.*g", digits, v);
    check(strcmp(out, v == 0.0 ? "0" : want) == 0);
    for (digits = 1; digits <= 17; digits++) {
        n = asc_number_format_digits(v, digits, out);
        check(n < ASC_NUMBER_MAX);
        out[n] = '\0';
        snprintf(want, sizeof want, "%.*g", digits, v);
        check(strcmp(out, v == 0.0 ? "0" : want) == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    double v;

    read_text((const char *)bytes, n);
    if (asc_number_parse((const char *)bytes, n, &v))
        write_number(v);
    for (; n >= sizeof v; bytes += sizeof v, n -= sizeof v) {
        memcpy(&v, bytes, sizeof v);
        write_number(v);
    }
    return 0;
}
