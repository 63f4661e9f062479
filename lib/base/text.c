/* base/text.c -- UTF-8 (RFC 3629), and text that a terminal may be shown. */
#include <string.h>

#include "base/internal.h"

size_t
asci_character(const unsigned char *p, const unsigned char *end)
{
    const size_t left = (size_t)(end - p);

#define TAIL(i) ((p[i] & 0xc0) == 0x80)
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return left >= 2 && TAIL(1) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        if (left < 3 || !TAIL(1) || !TAIL(2)
            || (p[0] == 0xe0 && p[1] < 0xa0)    /* overlong */
            || (p[0] == 0xed && p[1] > 0x9f))   /* half of a pair */
            return 0;
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (left < 4 || !TAIL(1) || !TAIL(2) || !TAIL(3)
            || (p[0] == 0xf0 && p[1] < 0x90)
            || (p[0] == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
#undef TAIL
}

/* A control character: of ASCII, or one of the further ones that some
 * terminals obey (U+0080 to U+009F). */
static int
is_control(const unsigned char *p, size_t n)
{
    return n == 1 ? p[0] < 0x20 || p[0] == 0x7f
                  : n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

void
asci_make_safe(char *text)
{
    unsigned char *p = (unsigned char *)text;
    const unsigned char *end = p + strlen(text);
    size_t n;

    for (; p < end; p += n) {
        n = asci_character(p, end);
        if (n == 0)
            *p = '?';
        else if (is_control(p, n))
            memset(p, '?', n);
        n += n == 0;
    }
}
