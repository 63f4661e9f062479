/* base/sum.c -- exact sums of doubles in any order.
 *
 * A superaccumulator: Neal 2015, "Fast exact summation using small and large
 * superaccumulators", arXiv:1505.05571, section 3 (the small one).  chunk[i]
 * counts units of 2^(32 i - 1074).  A double's 53 bits, shifted to its place,
 * are added to two neighbouring chunks: under 2^32 to the lower and under
 * 2^53 to the upper.  A chunk holds 2^63, so carries are passed on once in
 * CARRY_EVERY additions.  After that all chunks but the last are in
 * 0..2^32-1 and the last has the sign, so that equal sums have equal chunks.
 * The top chunks have room for 2^64 times the largest double: the sum never
 * overflows before it is rounded.  About 3 ns an addend. */
#include <math.h>
#include <string.h>

#include <ascribe/base.h>

enum {
    CHUNKS = 68,
    CARRY_EVERY = 1000          /* 1000 * 2^53 + 2^33 < 2^63 */
};

static void
carry(struct asc_sum *s)
{
    int64_t up;
    int i;

    for (i = 0; i < CHUNKS - 1; i++) {
        up = s->chunk[i] >> 32;         /* towards minus infinity */
        s->chunk[i] -= up * (INT64_C(1) << 32);
        s->chunk[i + 1] += up;
    }
    s->pending = 0;
}

void
asc_sum_clear(struct asc_sum *s)
{
    memset(s, 0, sizeof *s);
}

void
asc_sum_add(struct asc_sum *s, double v)
{
    uint64_t bits, mantissa;
    int64_t low, high;
    unsigned exponent, place;

    memcpy(&bits, &v, sizeof bits);
    exponent = (unsigned)(bits >> 52) & 0x7FF;
    mantissa = bits & UINT64_C(0xFFFFFFFFFFFFF);
    if (exponent == 0x7FF) {
        s->special += v;
        return;
    }
    if (exponent > 0) {
        mantissa |= UINT64_C(1) << 52;
        exponent--;
    }
    if (s->pending == CARRY_EVERY)
        carry(s);
    s->pending++;
    place = exponent & 31;
    low = (int64_t)(mantissa << place & UINT64_C(0xFFFFFFFF));
    high = (int64_t)(mantissa >> (32 - place));
    if (bits >> 63) {
        low = -low;
        high = -high;
    }
    s->chunk[exponent >> 5] += low;
    s->chunk[(exponent >> 5) + 1] += high;
}

void
asc_sum_merge(struct asc_sum *s, const struct asc_sum *other)
{
    struct asc_sum t = *other;
    int i;

    carry(&t);
    carry(s);
    for (i = 0; i < CHUNKS; i++)
        s->chunk[i] += t.chunk[i];
    carry(s);
    s->special += t.special;
}

double
asc_sum_value(const struct asc_sum *s)
{
    struct asc_sum t = *s;
    unsigned __int128 window;
    uint64_t bits;
    int negative, top, i, length, shift, sticky = 0;
    double v;

    if (isnan(t.special))
        return NAN;
    if (t.special != 0.0)
        return t.special;
    carry(&t);
    negative = t.chunk[CHUNKS - 1] < 0;
    if (negative) {
        for (i = 0; i < CHUNKS; i++)
            t.chunk[i] = -t.chunk[i];
        carry(&t);
    }
    for (top = CHUNKS - 1; top > 0 && t.chunk[top] == 0; top--)
        ;
    /* 2^1024 is bit 2098, the third of chunk 65. */
    if (top > 65)
        return negative ? -INFINITY : INFINITY;
    /* The three highest chunks hold at least 65 significant bits, or all. */
    window = 0;
    for (i = top; i > top - 3; i--)
        window = window << 32 | (i >= 0 ? (uint64_t)t.chunk[i] : 0);
    for (i = top - 3; i >= 0; i--)
        sticky |= t.chunk[i] != 0;
    for (length = 0; window >> length; length++)
        ;
    /* window counts units of 2^(32 (top - 2) - 1074); keep 53 bits, or fewer
     * where that would go below 2^-1074. */
    shift = length - 53;
    if (shift < -32 * (top - 2))
        shift = -32 * (top - 2);
    if (shift > 0) {
        unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
        unsigned __int128 rest = window & ((half << 1) - 1);

        bits = (uint64_t)(window >> shift);
        if (rest > half || (rest == half && (sticky || bits & 1)))
            bits++;
    } else {
        bits = (uint64_t)(window << -shift);
    }
    v = ldexp((double)bits, 32 * (top - 2) - 1074 + shift);
    return negative ? -v : v;
}
