/* base/digest.c -- SHA-256 (FIPS 180-4, section 6.2). */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/internal.h"

struct sha {
    uint32_t h[8];
    uint64_t n;                 /* bytes so far */
    unsigned char block[64];
};

static const uint32_t round_constant[64] = {
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1,
    0x923F82A4, 0xAB1C5ED5, 0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3,
    0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174, 0xE49B69C1, 0xEFBE4786,
    0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147,
    0x06CA6351, 0x14292967, 0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13,
    0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85, 0xA2BFE8A1, 0xA81A664B,
    0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A,
    0x5B9CCA4F, 0x682E6FF3, 0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208,
    0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2
};

static void
start(struct sha *s)
{
    static const uint32_t h[8] = {
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
        0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19
    };

    memcpy(s->h, h, sizeof s->h);
    s->n = 0;
}

static uint32_t
rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* Round i.  In place of moving the eight words along, their names turn: word
 * j of the standard is v[(j - i) & 7].  Inlined with i known modulo 8. */
static inline void
one_round(uint32_t v[8], int i, uint32_t k_plus_w)
{
    const uint32_t a = v[-i & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
    const uint32_t e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7];
    const uint32_t t = v[(7 - i) & 7] + k_plus_w + (g ^ (e & (f ^ g)))
                       + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25));

    v[(3 - i) & 7] += t;
    v[(7 - i) & 7] = t + ((a & b) | (c & (a | b)))
                     + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22));
}

static void
take_block(struct sha *s, const unsigned char *p)
{
    uint32_t w[64], v[8];
    int i, j;

    for (i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16
               | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7]
               + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18)
                  ^ w[i - 15] >> 3)
               + (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19)
                  ^ w[i - 2] >> 10);
    memcpy(v, s->h, sizeof v);
    for (i = 0; i < 64; i += 8) {
        for (j = 0; j < 8; j++)
            w[i + j] += round_constant[i + j];
        one_round(v, 0, w[i]);
        one_round(v, 1, w[i + 1]);
        one_round(v, 2, w[i + 2]);
        one_round(v, 3, w[i + 3]);
        one_round(v, 4, w[i + 4]);
        one_round(v, 5, w[i + 5]);
        one_round(v, 6, w[i + 6]);
        one_round(v, 7, w[i + 7]);
    }
    for (i = 0; i < 8; i++)
        s->h[i] += v[i];
}

static void
take(struct sha *s, const unsigned char *p, size_t n)
{
    size_t have = (size_t)(s->n & 63), room;

    s->n += n;
    if (have > 0) {
        room = 64 - have < n ? 64 - have : n;
        memcpy(s->block + have, p, room);
        if (have + room < 64)
            return;
        take_block(s, s->block);
        p += room;
        n -= room;
    }
    for (; n >= 64; p += 64, n -= 64)
        take_block(s, p);
    if (n > 0)
        memcpy(s->block, p, n);
}

static void
finish(struct sha *s, char hex[ASC_DIGEST_MAX])
{
    static const char digit[] = "0123456789abcdef";
    static const unsigned char end[64] = { 0x80 };
    uint64_t n_bits = s->n << 3;
    size_t have = (size_t)(s->n & 63);
    unsigned char length[8];
    int i;

    for (i = 0; i < 8; i++)
        length[i] = (unsigned char)(n_bits >> (56 - 8 * i));
    take(s, end, (have < 56 ? 56 : 120) - have);
    take(s, length, 8);
    for (i = 0; i < 64; i++)
        hex[i] = digit[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[64] = '\0';
}

void
asc_digest(const void *p, size_t n, char hex[ASC_DIGEST_MAX])
{
    struct sha s;

    start(&s);
    take(&s, p, n);
    finish(&s, hex);
}

int
asc_digest_file(const char *path, char hex[ASC_DIGEST_MAX],
                struct asc_error *e)
{
    enum { PIECE = 1 << 16 };
    unsigned char *piece = NULL;
    FILE *f = NULL;
    struct sha s;
    size_t n;
    int status = ASC_ESYSTEM;

    piece = asci_alloc(PIECE, 1, e);
    if (!piece)
        goto out;
    f = fopen(path, "rb");
    if (!f) {
        status = asc_fail(e, ASC_EINPUT, "%s: cannot open: %s", path,
                          strerror(errno));
        goto out;
    }
    /* Whole pieces go straight through, without a second buffer. */
    setvbuf(f, NULL, _IONBF, 0);
    start(&s);
    errno = 0;
    while ((n = fread(piece, 1, PIECE, f)) > 0)
        take(&s, piece, n);
    if (ferror(f)) {
        status = asc_fail(e, ASC_EINPUT, "%s: cannot read: %s", path,
                          strerror(errno));
        goto out;
    }
    finish(&s, hex);
    status = ASC_OK;
out:
    if (f)
        fclose(f);
    free(piece);
    return status;
}
