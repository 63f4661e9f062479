/* text -- what bytes a table may hold: UTF-8 (RFC 3629), and no NUL. */
#include "table/internal.h"

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

int
asci_plain(struct asc_text t)
{
    unsigned char odd = 0;
    size_t i;

    /* c - 1 has its high bit set for 0 and for bytes over 128, c for 128 */
    for (i = 0; i < t.n; i++)
        odd |= (unsigned char)(t.p[i] - 1) | (unsigned char)t.p[i];
    return !(odd & 0x80);
}
