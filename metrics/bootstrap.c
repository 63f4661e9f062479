/* metrics/bootstrap.c -- the Poisson bootstrap, and exact sums under it.
 *
 * Each row, or each unit of rows of one person, is drawn w times in a
 * replicate, w Poisson with mean 1, independent of the other rows: in the
 * limit the bootstrap of Efron 1979, but a row's weight depends on its own
 * name alone, so that rows may be split, merged and reordered.  Chamandy,
 * Muralidharan, Najmi and Naidu 2012, "Estimating uncertainty for massive
 * data streams", Google technical report.
 *
 * Definition of the weights.  In the stream asc_stream_start(seed,
 * "bootstrap", unit), word i (64 bits) serves replicates 2i, by its lower
 * half, and 2i + 1, by its upper half; the weight is the number of entries of
 * `table` that are not above that half u:
 *
 *     w = #{k: u >= round(2^32 P(N <= k))},  N Poisson with mean 1
 *
 * Integers throughout, so the same on every machine.  12 is the largest.
 *
 * Sums.  Replicate sums are kept as 64-bit counts of units 2^(32 c - 1074), c
 * = 0..65, one array of replicates per c in use (Neal 2015, arXiv:1505.05571,
 * with wider carries).  A double fills at most three neighbouring c by 32-bit
 * pieces, so an addition is three multiply-adds over the replicates, and
 * exact.  A row costs about 4 us for its 1,000 weights and 1 us for each
 * sum. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>

#include "base/internal.h"
#include "metrics/stat.h"

enum { LARGEST = 12, BLOCK = 40 };
static const uint32_t table[LARGEST] = {
    UINT32_C(1580030169), UINT32_C(3160060337), UINT32_C(3950075422),
    UINT32_C(4213413783), UINT32_C(4279248374), UINT32_C(4292415291),
    UINT32_C(4294609778), UINT32_C(4294923276), UINT32_C(4294962463),
    UINT32_C(4294966817), UINT32_C(4294967253), UINT32_C(4294967292)
};

/* A carry is due before 2^27 additions of under 12 * 2^32. */
enum { CARRY_EVERY = 1 << 26 };

void
asc_bootstrap_weights(uint64_t seed, struct asc_text id, unsigned n,
                      uint32_t *weight)
{
    struct asc_stream s;
    /* Loops of a fixed length are what compilers turn into vector code. */
    uint32_t draw[BLOCK], count[BLOCK];
    uint32_t top;
    uint64_t word;
    unsigned i, k, m;

    asc_stream_start(&s, seed, "bootstrap", id.p, id.n);
    for (; n > 0; n -= m, weight += m) {
        m = n < BLOCK ? n : BLOCK;
        for (i = 0; i < BLOCK; i += 2) {
            word = asc_stream_bits(&s);
            draw[i] = (uint32_t)word;
            draw[i + 1] = (uint32_t)(word >> 32);
        }
        for (i = 0, top = 0; i < BLOCK; i++)
            top = draw[i] > top ? draw[i] : top;
        for (i = 0; i < BLOCK; i++)
            count[i] = 0;
        for (k = 0; k < LARGEST && top >= table[k]; k++)
            for (i = 0; i < BLOCK; i++)
                count[i] += draw[i] >= table[k];
        memcpy(weight, count, m * sizeof *weight);
    }
}

unsigned
asc_bootstrap_weight(uint64_t seed, struct asc_text id, unsigned replicate)
{
    struct asc_stream s;
    uint64_t word = 0;
    uint32_t draw;
    unsigned i, k, weight = 0;

    asc_stream_start(&s, seed, "bootstrap", id.p, id.n);
    for (i = 0; i <= replicate / 2; i++)
        word = asc_stream_bits(&s);
    draw = (uint32_t)(replicate % 2 ? word >> 32 : word);
    for (k = 0; k < LARGEST; k++)
        weight += draw >= table[k];
    return weight;
}

/* ---- sums ---- */

double
asci_quotient(const struct asc_sum *s, double w)
{
    const double high = asc_sum_value(s);
    const double q = high / w;
    struct asc_sum rest = *s;

    if (!isfinite(q) || w == 0.0)
        return isfinite(high) ? q : NAN;
    asc_sum_add(&rest, -high);
    return q + (fma(-q, w, high) + asc_sum_value(&rest)) / w;
}

void
asci_moments_clear(struct asci_moments *m)
{
    m->n = 0;
    asc_sum_clear(&m->sum);
    asc_sum_clear(&m->squares);
}

void
asci_moments_add(struct asci_moments *m, double v)
{
    const double square = v * v;

    m->n++;
    asc_sum_add(&m->sum, v);
    asc_sum_add(&m->squares, square);
    if (isfinite(square))
        asc_sum_add(&m->squares, fma(v, v, -square));
}

void
asci_moments_merge(struct asci_moments *m, const struct asci_moments *other)
{
    m->n += other->n;
    asc_sum_merge(&m->sum, &other->sum);
    asc_sum_merge(&m->squares, &other->squares);
}

double
asci_moments_mean(const struct asci_moments *m)
{
    return m->n > 0 ? asci_quotient(&m->sum, (double)m->n) : NAN;
}

/* With m the rounded mean and r = sum v - n m what its rounding left,
 *
 *     sum (v - mean)^2 = sum v^2 - n m^2 - 2 m r - r^2 / n
 *
 * loses as many digits as the mean has before the deviations: n m^2 enters
 * the exact sum as the two doubles of each product. */
double
asci_moments_sd(const struct asci_moments *m)
{
    const double n = (double)m->n, mean = asci_moments_mean(m);
    const double product = n * mean, square = mean * mean;
    struct asc_sum left = m->sum, difference = m->squares;
    double r, low, variance;

    if (m->n < 2 || !isfinite(mean) || !isfinite(n * square))
        return NAN;
    asc_sum_add(&left, -product);
    asc_sum_add(&left, -fma(n, mean, -product));
    r = asc_sum_value(&left);
    low = fma(mean, mean, -square);
    asc_sum_add(&difference, -(n * square));
    asc_sum_add(&difference, -fma(n, square, -(n * square)));
    asc_sum_add(&difference, -(n * low));
    asc_sum_add(&difference, -2.0 * mean * r);
    asc_sum_add(&difference, -r * r / n);
    variance = asc_sum_value(&difference) / (n - 1.0);
    if (!isfinite(variance))
        return NAN;
    return variance > 0.0 ? sqrt(variance) : 0.0;
}

/* ---- replicates ---- */

int
asci_replicates_init(struct asci_replicates *r, unsigned n,
                     struct asc_error *e)
{
    memset(r, 0, sizeof *r);
    r->n = n;
    r->weight = asci_alloc_zero(n, sizeof *r->weight, e);
    return r->weight ? ASC_OK : ASC_ESYSTEM;
}

void
asci_replicates_clear(struct asci_replicates *r)
{
    unsigned c;

    r->pending = 0;
    memset(r->weight, 0, r->n * sizeof *r->weight);
    for (c = 0; c < ASCI_REPLICATE_CHUNKS; c++)
        if (r->chunk[c])
            memset(r->chunk[c], 0, r->n * sizeof *r->chunk[c]);
}

void
asci_replicates_free(struct asci_replicates *r)
{
    unsigned c;

    for (c = 0; c < ASCI_REPLICATE_CHUNKS; c++)
        free(r->chunk[c]);
    free(r->weight);
    memset(r, 0, sizeof *r);
}

static int64_t *
chunk(struct asci_replicates *r, unsigned c, struct asc_error *e)
{
    if (!r->chunk[c])
        r->chunk[c] = asci_alloc_zero(r->n, sizeof *r->chunk[c], e);
    return r->chunk[c];
}

static int
carry(struct asci_replicates *r, struct asc_error *e)
{
    int64_t *from, *to, up;
    unsigned c, i;

    for (c = 0; c + 1 < ASCI_REPLICATE_CHUNKS; c++) {
        if (!(from = r->chunk[c]))
            continue;
        if (!(to = chunk(r, c + 1, e)))
            return ASC_ESYSTEM;
        for (i = 0; i < r->n; i++) {
            up = from[i] >> 32;         /* towards minus infinity */
            from[i] -= up * (INT64_C(1) << 32);
            to[i] += up;
        }
    }
    r->pending = 0;
    return ASC_OK;
}

int
asci_replicates_add(struct asci_replicates *r, const uint32_t *weight,
                    double value, struct asc_error *e)
{
    uint64_t bits, mantissa;
    uint32_t piece[3];
    unsigned exponent, place, c, i, k;

    memcpy(&bits, &value, sizeof bits);
    exponent = (unsigned)(bits >> 52) & 0x7FF;
    mantissa = bits & UINT64_C(0xFFFFFFFFFFFFF);
    if (exponent == 0x7FF)
        return asc_fail(e, ASC_ENUMERIC, "an infinite value has no interval");
    if (exponent > 0) {
        mantissa |= UINT64_C(1) << 52;
        exponent--;
    }
    if (r->pending >= CARRY_EVERY && carry(r, e) != ASC_OK)
        return ASC_ESYSTEM;
    r->pending++;
    place = exponent & 31;
    piece[0] = (uint32_t)(mantissa << place);
    piece[1] = (uint32_t)(mantissa >> (32 - place));
    piece[2] = (uint32_t)(mantissa >> (32 - place) >> 32);
    for (i = 0; i < r->n; i++)
        r->weight[i] += weight[i];
    for (k = 0, c = exponent >> 5; k < 3; k++, c++) {
        int64_t *to;
        const uint64_t p = piece[k];

        if (p == 0)
            continue;
        if (!(to = chunk(r, c, e)))
            return ASC_ESYSTEM;
        if (bits >> 63)
            for (i = 0; i < r->n; i++)
                to[i] -= (int64_t)(p * weight[i]);
        else
            for (i = 0; i < r->n; i++)
                to[i] += (int64_t)(p * weight[i]);
    }
    return ASC_OK;
}

int
asci_replicates_merge(struct asci_replicates *r,
                      const struct asci_replicates *other,
                      struct asc_error *e)
{
    int64_t *to;
    unsigned c, i;

    /* A chunk after a carry is worth one addition. */
    if (r->pending + (uint64_t)other->pending + 1 > CARRY_EVERY
        && carry(r, e) != ASC_OK)
        return ASC_ESYSTEM;
    r->pending += other->pending + 1;
    for (i = 0; i < r->n; i++)
        r->weight[i] += other->weight[i];
    for (c = 0; c < ASCI_REPLICATE_CHUNKS; c++) {
        if (!other->chunk[c])
            continue;
        if (!(to = chunk(r, c, e)))
            return ASC_ESYSTEM;
        for (i = 0; i < r->n; i++)
            to[i] += other->chunk[c][i];
    }
    return ASC_OK;
}

void
asci_replicates_sum(const struct asci_replicates *r, unsigned i,
                    struct asc_sum *out)
{
    struct asc_sum raw;         /* the same units, carries not yet passed on */
    unsigned c;

    asc_sum_clear(out);
    asc_sum_clear(&raw);
    for (c = 0; c < ASCI_REPLICATE_CHUNKS; c++)
        if (r->chunk[c])
            raw.chunk[c] = r->chunk[c][i];
    asc_sum_merge(out, &raw);
}

void
asci_percentiles(double *v, size_t n, double level, double *lo, double *hi)
{
    size_t i, m = 0;

    for (i = 0; i < n; i++)
        if (!isnan(v[i]))
            v[m++] = v[i];
    *lo = *hi = NAN;
    if (m == 0)
        return;
    gsl_sort(v, 1, m);
    *lo = gsl_stats_quantile_from_sorted_data(v, 1, m, (1.0 - level) / 2.0);
    *hi = gsl_stats_quantile_from_sorted_data(v, 1, m, (1.0 + level) / 2.0);
}
