/* base/stream.c -- counter-based random streams.
 *
 * Philox4x64 with 10 rounds: Salmon, Moraes, Dror and Shaw 2011, "Parallel
 * random numbers: as easy as 1, 2, 3", doi:10.1145/2063384.2063405, from
 * their Random123 headers.
 *
 *     key     = (seed, asc_hash(purpose))
 *     counter = (number of the block, 0, asc_hash(id), 0)
 *
 * A block is four 64-bit words, drawn in order of their index.  Costs 7 ns a
 * word; a fixed number of words for each draw but asc_stream_below, which
 * takes a second one with probability under n / 2^64. */
#include <math.h>
#include <string.h>

#include <Random123/philox.h>

#include <ascribe/base.h>

uint64_t
asc_hash(const void *p, size_t n)
{
    const unsigned char *byte = p;
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    size_t i;

    for (i = 0; i < n; i++)
        h = (h ^ byte[i]) * UINT64_C(0x100000001B3);
    h = (h ^ h >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    h = (h ^ h >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return h ^ h >> 33;
}

void
asc_stream_start(struct asc_stream *s, uint64_t seed, const char *purpose,
                 const char *id, size_t n_id)
{
    memset(s, 0, sizeof *s);
    s->key[0] = seed;
    s->key[1] = asc_hash(purpose, strlen(purpose));
    s->counter[2] = asc_hash(id, n_id);
    s->spare = NAN;
}

uint64_t
asc_stream_bits(struct asc_stream *s)
{
    if (s->left == 0) {
        philox4x64_key_t key = { { s->key[0], s->key[1] } };
        philox4x64_ctr_t counter = {
            { s->counter[0], s->counter[1], s->counter[2], s->counter[3] }
        };
        philox4x64_ctr_t block = philox4x64_R(10, counter, key);

        memcpy(s->block, block.v, sizeof s->block);
        s->counter[0]++;
        s->left = 4;
    }
    return s->block[4 - s->left--];
}

double
asc_stream_uniform(struct asc_stream *s)
{
    /* The middles of 2^52 equal intervals: neither 0 nor 1 comes out. */
    return ((double)(asc_stream_bits(s) >> 12) + 0.5) * 0x1p-52;
}

/* Box and Muller 1958: two words a pair, always. */
double
asc_stream_normal(struct asc_stream *s)
{
    const double two_pi = 6.283185307179586476925286766559;
    double radius, angle, v;

    if (!isnan(s->spare)) {
        v = s->spare;
        s->spare = NAN;
        return v;
    }
    radius = sqrt(-2.0 * log(asc_stream_uniform(s)));
    angle = two_pi * asc_stream_uniform(s);
    s->spare = radius * sin(angle);
    return radius * cos(angle);
}

/* Lemire 2019, "Fast random integer generation in an interval",
 * doi:10.1145/3230636, algorithm 5: without bias. */
uint64_t
asc_stream_below(struct asc_stream *s, uint64_t n)
{
    unsigned __int128 product;
    uint64_t least;

    if (n == 0)
        return 0;
    product = (unsigned __int128)asc_stream_bits(s) * n;
    if ((uint64_t)product < n) {
        least = (UINT64_C(0) - n) % n;
        while ((uint64_t)product < least)
            product = (unsigned __int128)asc_stream_bits(s) * n;
    }
    return (uint64_t)(product >> 64);
}

void
asc_stream_shuffle(struct asc_stream *s, size_t *v, size_t n)
{
    size_t i, j, kept;

    for (i = n; i > 1; i--) {
        j = (size_t)asc_stream_below(s, i);
        kept = v[i - 1];
        v[i - 1] = v[j];
        v[j] = kept;
    }
}
