/* attribute/kernel_design.c -- which coalitions kernel-shap evaluates, and
 * how their values become attributions.
 *
 * phi minimises sum_z pi(z) (v(z) - v(0) - z phi)^2 subject to sum phi =
 * v(all) - v(none), pi(z) = (M - 1) / (C(M, s) s (M - s)), s = |z|
 * (Lundberg and Lee 2017, arXiv:1705.07874, theorem 2).
 *
 * Coalitions come in pairs z, 1 - z, whose terms in the constrained problem
 * have opposite regressors x = z - s/M: they are one equation x u = t.  All
 * pairs of sizes s, M - s form a class of weight 2 (M - 1) / (s (M - s)).
 * Classes are enumerated whole, from s = 1 on, while their share of the budget
 * would hold them all (as in the shap package); s = 1 always is, so that no
 * design is singular.  What is left of the budget is divided among the other
 * classes by their shares.  Within a class pairs are drawn without replacement
 * and divide its weight, as in stratified sampling (Cochran 1977, chapter 5);
 * classes for which there would be less than two draws are joined and drawn
 * from with replacement, a size by its share and then a set.  Pairs: Covert
 * and Lee 2021, arXiv:2012.01536, section 4.2.
 *
 * A class's share is its weight, or its leverage: the sum of the leverage
 * scores of its coalitions, 1 / C(M, s) each (Musco and Witter 2024,
 * arXiv:2410.01917, lemma 3.2), so that all sizes get the same.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/kernel_design.h"

/* ---- classes of pairs ---- */

/* Coalitions of n choose k, as far as a double holds them. */
static double
choose(size_t n, size_t k)
{
    double c = 1.0;
    size_t i;

    for (i = 1; i <= k; i++)
        c = c * (double)(n - k + i) / (double)i;
    return round(c);
}

static int
is_middle(size_t n, size_t size)
{
    return 2 * size == n;
}

/* Pairs of sizes s and n - s. */
static double
class_pairs(size_t n, size_t size)
{
    return choose(n, size) / (is_middle(n, size) ? 2.0 : 1.0);
}

static double
class_weight(size_t n, size_t size)
{
    return (is_middle(n, size) ? 1.0 : 2.0) * (double)(n - 1) /
           ((double)size * (double)(n - size));
}

/* In proportion to which the class is drawn from. */
static double
class_share(enum asci_sampling sampling, size_t n, size_t size)
{
    return sampling == ASCI_SAMPLING_KERNEL ? class_weight(n, size)
           : is_middle(n, size) ? 1.0 : 2.0;
}

int
asci_kernel_whole(size_t n, size_t samples)
{
    return ldexp(1.0, (int)(n < 1000 ? n : 1000)) - 2.0 <= (double)samples;
}

size_t
asci_kernel_least(size_t n)
{
    const size_t least = 2 * n + 4;

    return asci_kernel_whole(n, least) ? ((size_t)1 << n) - 2 : least;
}

/* ---- building ---- */

struct builder {
    struct asci_kernel *d;
    enum asci_sampling sampling;
    size_t capacity;            /* pairs */
    double *weight;             /* (capacity) */
    struct asc_stream stream;
    size_t *table;              /* (n_table) 1 + pair, by hash */
    size_t n_table;
};

static uint64_t *
pair_bits(const struct asci_kernel *d, size_t pair)
{
    return d->bits + 2 * pair * d->words;
}

static void
clear_set(uint64_t *set, size_t words)
{
    memset(set, 0, words * sizeof *set);
}

static void
set_player(uint64_t *set, size_t player)
{
    set[player / 64] |= (uint64_t)1 << (player % 64);
}

static int
has_player(const uint64_t *set, size_t player)
{
    return (int)(set[player / 64] >> (player % 64) & 1);
}

/* The pair's other set and offset, when the set itself is there. */
static void
complete_pair(struct builder *b, size_t pair, size_t size)
{
    struct asci_kernel *d = b->d;
    const uint64_t *set = pair_bits(d, pair);
    uint64_t *other = pair_bits(d, pair) + d->words;
    size_t j;

    clear_set(other, d->words);
    for (j = 0; j < d->n_players; j++)
        if (!has_player(set, j))
            set_player(other, j);
    d->offset[pair] = (double)size / (double)d->n_players - 0.5;
    d->times[pair] = 1.0;
}

/* Writes the sets of a class one after the other, from pair d->n on; of the
 * middle class those that hold player 0. */
static void
enumerate_class(struct builder *b, size_t size, size_t *member)
{
    struct asci_kernel *d = b->d;
    const size_t n = d->n_players, held = is_middle(n, size);
    size_t i, k;

    for (i = 0; i < size; i++)
        member[i] = i;
    for (;;) {
        uint64_t *set = pair_bits(d, d->n);

        clear_set(set, d->words);
        for (i = 0; i < size; i++)
            set_player(set, member[i]);
        complete_pair(b, d->n, size);
        d->n++;
        for (k = size; k > held && member[k - 1] == n - size + k - 1; k--)
            ;
        if (k == held)
            return;
        member[k - 1]++;
        for (i = k; i < size; i++)
            member[i] = member[i - 1] + 1;
    }
}

/* A set of this size, all being equally likely (Floyd; Bentley 1987). */
static void
draw_set(struct builder *b, size_t size, uint64_t *set)
{
    const size_t n = b->d->n_players, held = is_middle(n, size);
    size_t j;

    clear_set(set, b->d->words);
    if (held)
        set_player(set, 0);
    for (j = n - size + held; j < n; j++) {
        const size_t r = held +
            (size_t)asc_stream_below(&b->stream, j + 1 - held);

        set_player(set, has_player(set, r) ? j : r);
    }
}

/* The pair with the same set as the last one, or the last one itself, which
 * is then remembered. */
static size_t
find_pair(struct builder *b, size_t last)
{
    const struct asci_kernel *d = b->d;
    const size_t bytes = d->words * sizeof *d->bits;
    const uint64_t *set = pair_bits(d, last);
    size_t at = (size_t)asc_hash(set, bytes) & (b->n_table - 1);

    while (b->table[at]) {
        const size_t pair = b->table[at] - 1;

        if (!memcmp(pair_bits(d, pair), set, bytes))
            return pair;
        at = (at + 1) & (b->n_table - 1);
    }
    b->table[at] = last + 1;
    return last;
}

static void
begin_stratum(struct builder *b, double left)
{
    b->d->stratum[b->d->n_strata] = (struct asci_stratum){
        .first = b->d->n, .left = left
    };
}

/* Weighs the pairs of the stratum, of `share` in all, by how often they were
 * drawn and how often they ought to have been. */
static void
end_stratum(struct builder *b, double share)
{
    struct asci_stratum *s = &b->d->stratum[b->d->n_strata++];
    const size_t n = b->d->n_players;
    size_t i;

    s->n = b->d->n - s->first;
    for (i = 0; i < s->n; i++)
        s->draws += b->d->times[s->first + i];
    for (i = s->first; i < s->first + s->n; i++) {
        const size_t size =
            (size_t)lround((b->d->offset[i] + 0.5) * (double)n);

        b->weight[i] = share * b->d->times[i] / s->draws *
            class_weight(n, size) / class_share(b->sampling, n, size);
    }
}

/* n different pairs of a class, few of them all. */
static void
draw_few(struct builder *b, size_t size, size_t n)
{
    struct asci_kernel *d = b->d;

    while (n > 0) {
        draw_set(b, size, pair_bits(d, d->n));
        if (find_pair(b, d->n) != d->n)
            continue;
        complete_pair(b, d->n, size);
        d->n++;
        n--;
    }
}

/* n pairs of a class of n_all, half of them or more: all are written down
 * behind the others, and n of them drawn (Fisher and Yates). */
static void
draw_many(struct builder *b, size_t size, size_t n, size_t n_all,
          size_t *member)
{
    struct asci_kernel *d = b->d;
    const size_t first = d->n, words = d->words;
    size_t i, k;

    enumerate_class(b, size, member);
    for (i = 0; i < n; i++) {
        uint64_t *p = pair_bits(d, first + i), *q, kept;
        const size_t r = (size_t)asc_stream_below(&b->stream, n_all - i);

        q = pair_bits(d, first + i + r);
        for (k = 0; k < 2 * words; k++) {
            kept = p[k];
            p[k] = q[k];
            q[k] = kept;
        }
    }
    d->n = first + n;
}

static void
draw_class(struct builder *b, size_t size, size_t n, size_t *member)
{
    const double all = class_pairs(b->d->n_players, size);

    begin_stratum(b, 1.0 - (double)n / all);
    if ((double)n >= all / 2.0)
        draw_many(b, size, n, (size_t)all, member);
    else
        draw_few(b, size, n);
    end_stratum(b, class_share(b->sampling, b->d->n_players, size));
}

/* n draws from the classes low ... high - 1 together */
static void
draw_classes(struct builder *b, size_t low, size_t high, size_t n)
{
    struct asci_kernel *d = b->d;
    double share = 0.0;
    size_t s;

    for (s = low; s < high; s++)
        share += class_share(b->sampling, d->n_players, s);
    begin_stratum(b, 1.0);
    for (; n > 0; n--) {
        double u = share * asc_stream_uniform(&b->stream);
        size_t pair;

        for (s = low; s + 1 < high; s++) {
            u -= class_share(b->sampling, d->n_players, s);
            if (u < 0.0)
                break;
        }
        draw_set(b, s, pair_bits(d, d->n));
        pair = find_pair(b, d->n);
        if (pair == d->n) {
            complete_pair(b, d->n, s);
            d->n++;
        } else {
            d->times[pair] += 1.0;
        }
    }
    end_stratum(b, share);
}

/* Draws `budget` pairs from the classes first ... last. */
static void
draw_rest(struct builder *b, size_t first, size_t budget, size_t *member)
{
    const size_t n = b->d->n_players, end = n / 2 + 1;
    double shares = 0.0, share, above = 0.0, given = 0.0;
    size_t s, low, high, draws;

    for (s = first; s < end; s++)
        shares += class_share(b->sampling, n, s);
    for (low = first; low < end; low = high) {
        /* As many classes as make two draws; what is too little at the end
         * goes with the last stratum. */
        share = 0.0;
        for (high = low; high < end && share < 2.0; high++)
            share += (double)budget * class_share(b->sampling, n, high) /
                     shares;
        above += share;
        if ((double)budget - above < 2.0 - 1e-6) {
            high = end;
            above = (double)budget;
        }
        /* Rounded sums: every draw is given once. */
        draws = (size_t)(floor(above + 0.5) - given);
        given += (double)draws;
        if (high == low + 1 && (double)draws <= class_pairs(n, low))
            draw_class(b, low, draws, member);
        else
            draw_classes(b, low, high, draws);
    }
}

/* Chooses the pairs. */
static void
choose_pairs(struct builder *b, size_t samples, size_t *member)
{
    const size_t n = b->d->n_players, end = n / 2 + 1;
    const int whole = asci_kernel_whole(n, samples);
    size_t budget = samples / 2, s, i;
    double shares = 0.0;

    for (s = 1; s < end; s++)
        shares += class_share(b->sampling, n, s);
    for (s = 1; s < end; s++) {
        const double all = class_pairs(n, s);
        const double share = class_share(b->sampling, n, s);
        const size_t before = b->d->n;

        if (!whole && s > 1 &&
            (double)budget * share / shares < all * (1.0 - 1e-8))
            break;
        enumerate_class(b, s, member);
        for (i = before; i < b->d->n; i++)
            b->weight[i] = class_weight(n, s) / all;
        budget -= whole ? 0 : b->d->n - before;
        shares -= share;
    }
    if (s < end)
        draw_rest(b, s, budget, member);
}

/* Room for n pairs. */
static int
make_room(struct builder *b, size_t n, struct asc_error *e)
{
    struct asci_kernel *d = b->d;

    b->capacity = n;
    for (b->n_table = 64; b->n_table < 2 * n; b->n_table *= 2)
        ;
    d->words = (d->n_players + 63) / 64;
    d->bits = asci_alloc(n, 2 * d->words * sizeof *d->bits, e);
    d->offset = asci_alloc(n, sizeof *d->offset, e);
    d->times = asci_alloc(n, sizeof *d->times, e);
    d->slack = asci_alloc(n, sizeof *d->slack, e);
    d->stratum = asci_alloc_zero(d->n_players + 1, sizeof *d->stratum, e);
    b->weight = asci_alloc(n, sizeof *b->weight, e);
    b->table = asci_alloc_zero(b->n_table, sizeof *b->table, e);
    return d->bits && d->offset && d->times && d->slack && d->stratum &&
           b->weight && b->table ? ASC_OK : ASC_ESYSTEM;
}

struct asci_kernel *
asci_kernel_new(size_t n_players, size_t samples, enum asci_sampling sampling,
                uint64_t seed, struct asc_error *e)
{
    struct asci_kernel *d = asci_alloc_zero(1, sizeof *d, e);
    struct builder b = { .d = d, .sampling = sampling };
    size_t *member = NULL;
    int status = ASC_ESYSTEM;

    if (!d)
        return NULL;
    d->n_players = n_players;
    d->constrained = 1;
    if (asci_kernel_whole(n_players, samples))
        samples = ((size_t)1 << n_players) - 2;
    member = asci_alloc(n_players + 1, sizeof *member, e);
    /* Room for a class that is written down to draw half of it or more. */
    if (!member || make_room(&b, samples + 1, e))
        goto out;
    asc_stream_start(&b.stream, seed, "kernel-shap", "", 0);
    choose_pairs(&b, samples, member);
    status = d->n > 0 ? asci_kernel_finish(d, b.weight, e) : ASC_OK;
out:
    free(member);
    free(b.table);
    free(b.weight);
    if (status) {
        asci_kernel_free(d);
        return NULL;
    }
    return d;
}

/* All pairs, of whose sets one holds player 0. */
static void
enumerate_all(struct builder *b)
{
    struct asci_kernel *d = b->d;
    const size_t n = (size_t)1 << (d->n_players - 1);

    for (; d->n < n; d->n++) {
        *pair_bits(d, d->n) = d->n << 1 | 1;
        complete_pair(b, d->n, d->n_players / 2);
    }
}

/* `samples` coalitions in pairs, each player in or out by a coin. */
static void
draw_any(struct builder *b, size_t n)
{
    struct asci_kernel *d = b->d;
    const size_t last = (d->n_players - 1) % 64;
    size_t k;

    begin_stratum(b, 1.0 - ldexp((double)n, 1 - (int)d->n_players));
    while (d->n < n) {
        uint64_t *set = pair_bits(d, d->n);

        for (k = 0; k < d->words; k++)
            set[k] = asc_stream_bits(&b->stream);
        set[d->words - 1] &= UINT64_MAX >> (63 - last);
        set[0] |= 1;
        if (find_pair(b, d->n) != d->n)
            continue;
        complete_pair(b, d->n, d->n_players / 2);
        d->n++;
    }
    d->stratum[0].n = n;
    d->stratum[0].draws = (double)n;
    d->n_strata = 1;
}

struct asci_kernel *
asci_kernel_uniform(size_t n_players, size_t samples, uint64_t seed,
                    struct asc_error *e)
{
    struct asci_kernel *d = asci_alloc_zero(1, sizeof *d, e);
    struct builder b = { .d = d };
    const int whole = asci_kernel_whole(n_players, samples);
    const size_t n = whole ? (size_t)1 << (n_players - 1) : samples / 2;
    int status = ASC_ESYSTEM;
    size_t i;

    if (!d)
        return NULL;
    d->n_players = n_players;
    if (make_room(&b, n + 1, e))
        goto out;
    asc_stream_start(&b.stream, seed, "banzhaf", "", 0);
    if (whole)
        enumerate_all(&b);
    else
        draw_any(&b, n);
    for (i = 0; i < n; i++) {
        d->offset[i] = 0.0;
        b.weight[i] = 1.0;
    }
    status = asci_kernel_finish(d, b.weight, e);
out:
    free(b.table);
    free(b.weight);
    if (status) {
        asci_kernel_free(d);
        return NULL;
    }
    return d;
}
