/*
 * ids -- the keys seen so far, to refuse a second one.
 *
 * Keys that count up with the lines (17, 18, 19 or case-0017, case-0018),
 * which is what most tables have, are kept as runs: what stands before the
 * number, first and last number, and the line of the first.  A run that is
 * short, or that comes when there are many runs already, and every other key
 * go into a hash table (linear probing, grown by half at three quarters full)
 * whose entries of 16 bytes hold 80 bits of a 128-bit hash and 48 bits of
 * line: 21 to 32 bytes a key.  The keys themselves are not kept, so that among
 * n of them two different ones are taken for equal with probability
 * n^2 / 2^81.
 *
 * Hash: MurmurHash3_x64_128 (A. Appleby, public domain).  Cost: constant time
 * a key, and a search among at most MAX_RUNS runs.
 */
#include <stdlib.h>
#include <string.h>

#include "table/internal.h"

enum {
    MIN_RUN = 64,               /* a shorter run is hashed */
    MAX_RUNS = 1024,
    MAX_PREFIX = 24, MAX_DIGITS = 18
};

/* A key that ends in a number. */
struct number {
    char prefix[MAX_PREFIX];    /* zeros behind its end */
    size_t n_prefix;
    uint64_t v;
};

struct run {
    struct number first;
    uint64_t last, line;        /* line of the first */
};

struct slot {
    uint64_t high;              /* 64 bits of the hash */
    uint64_t low;               /* 16 more bits, then 48 of line; 0: free */
};

struct asc_ids {
    struct run run[MAX_RUNS];   /* sorted by first */
    size_t n_runs;
    struct run open;            /* the one that may go on */
    int is_open;
    struct slot *slot;          /* (size) */
    size_t size, n;
};

#define LINE_BITS 48
#define LINE_MASK ((1ULL << LINE_BITS) - 1)

/* ---- hash ---- */

static uint64_t
rotate(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static uint64_t
finish(uint64_t k)
{
    k ^= k >> 33;
    k *= 0xff51afd7ed558ccdULL;
    k ^= k >> 33;
    k *= 0xc4ceb9fe1a85ec53ULL;
    return k ^ k >> 33;
}

/* At most 8 bytes, little-endian on every machine. */
static uint64_t
word(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    size_t i;

    for (i = 0; i < n; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

void
asci_hash128(const void *bytes, size_t n, uint64_t out[2])
{
    const uint64_t c1 = 0x87c37b91114253d5ULL, c2 = 0x4cf5ad432745937fULL;
    const unsigned char *p = bytes;
    uint64_t h1 = 0, h2 = 0;
    size_t left = n;

    for (; left >= 16; left -= 16, p += 16) {
        h1 ^= rotate(word(p, 8) * c1, 31) * c2;
        h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotate(word(p + 8, 8) * c2, 33) * c1;
        h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (left > 8)
        h2 ^= rotate(word(p + 8, left - 8) * c2, 33) * c1;
    if (left > 0)
        h1 ^= rotate(word(p, left < 8 ? left : 8) * c1, 31) * c2;
    h1 ^= n;
    h2 ^= n;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    out[0] = h1;
    out[1] = h2 + h1;
}

/* ---- the table ---- */

/* Maps 64 bits to 0..size-1, evenly. */
static size_t
place(uint64_t high, size_t size)
{
    return (size_t)((unsigned __int128)high * size >> 64);
}

static void
put(struct slot *slot, size_t size, struct slot s)
{
    size_t i = place(s.high, size);

    while (slot[i].low)
        i = i + 1 < size ? i + 1 : 0;
    slot[i] = s;
}

static int
grow(struct asc_ids *s, struct asc_error *e)
{
    const size_t size = s->size ? s->size + s->size / 2 : 64;
    struct slot *slot;
    size_t i;

    if (s->size > SIZE_MAX / 2)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    slot = asci_alloc_zero(size, sizeof *slot, e);
    if (!slot)
        return ASC_ESYSTEM;
    for (i = 0; i < s->size; i++)
        if (s->slot[i].low)
            put(slot, size, s->slot[i]);
    free(s->slot);
    s->slot = slot;
    s->size = size;
    return ASC_OK;
}

/* The line of a key, or 0 and where it would go. */
static uint64_t
hashed_line(const struct asc_ids *s, const uint64_t hash[2], size_t *at)
{
    size_t i;

    if (!s->size)
        return 0;
    for (i = place(hash[0], s->size); s->slot[i].low;
         i = i + 1 < s->size ? i + 1 : 0)
        if (s->slot[i].high == hash[0]
            && s->slot[i].low >> LINE_BITS == hash[1] >> LINE_BITS)
            return s->slot[i].low & LINE_MASK;
    *at = i;
    return 0;
}

/* at: what hashed_line found. */
static int
hash_key(struct asc_ids *s, const uint64_t hash[2], uint64_t line, size_t at,
         struct asc_error *e)
{
    struct slot new_slot;
    int status;

    new_slot.high = hash[0];
    new_slot.low = (hash[1] & ~LINE_MASK) | (line & LINE_MASK);
    if (s->n < s->size / 4 * 3) {
        s->slot[at] = new_slot;
    } else {
        if ((status = grow(s, e)))
            return status;
        put(s->slot, s->size, new_slot);
    }
    s->n++;
    return ASC_OK;
}

/* ---- runs ---- */

/* 1 if the key ends in a number of up to 18 digits.  Its leading zeros belong
 * to what stands before it, so that a key is written in one way only. */
static int
split(struct asc_text key, struct number *k)
{
    size_t at = key.n, i;

    while (at > 0 && key.p[at - 1] >= '0' && key.p[at - 1] <= '9')
        at--;
    if (at == key.n)
        return 0;
    while (at + 1 < key.n && key.p[at] == '0')
        at++;
    if (at > MAX_PREFIX || key.n - at > MAX_DIGITS)
        return 0;
    memset(k->prefix, 0, sizeof k->prefix);
    if (at)
        memcpy(k->prefix, key.p, at);
    k->n_prefix = at;
    for (k->v = 0, i = at; i < key.n; i++)
        k->v = 10 * k->v + (uint64_t)(key.p[i] - '0');
    return 1;
}

static size_t
join(const struct number *k, uint64_t v, char text[MAX_PREFIX + 24])
{
    char digit[24];
    size_t at = sizeof digit;

    do
        digit[--at] = (char)('0' + v % 10);
    while (v /= 10);
    memcpy(text, k->prefix, k->n_prefix);
    memcpy(text + k->n_prefix, digit + at, sizeof digit - at);
    return k->n_prefix + sizeof digit - at;
}

static int
compare_prefix(const struct number *a, const struct number *b)
{
    if (a->n_prefix != b->n_prefix)
        return a->n_prefix < b->n_prefix ? -1 : 1;
    return a->n_prefix ? memcmp(a->prefix, b->prefix, sizeof a->prefix) : 0;
}

/* How many closed runs begin at or before k. */
static size_t
runs_before(const struct asc_ids *s, const struct number *k)
{
    size_t low = 0, high = s->n_runs;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct number *first = &s->run[middle].first;
        const int c = compare_prefix(first, k);

        if (c < 0 || (c == 0 && first->v <= k->v))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The line of a number in a run, or 0. */
static uint64_t
line_in(const struct run *r, const struct number *k)
{
    return k->v >= r->first.v && k->v <= r->last
        && !compare_prefix(&r->first, k) ? r->line + (k->v - r->first.v) : 0;
}

static uint64_t
run_line(const struct asc_ids *s, const struct number *k)
{
    uint64_t line = s->is_open ? line_in(&s->open, k) : 0;
    size_t at;

    if (line || !s->n_runs)
        return line;
    at = runs_before(s, k);
    return at ? line_in(&s->run[at - 1], k) : 0;
}

/* Ends the open run: among the others, or key by key into the table. */
static int
close_run(struct asc_ids *s, struct asc_error *e)
{
    const struct run r = s->open;
    uint64_t v;
    int status;

    s->is_open = 0;
    if (r.last - r.first.v + 1 >= MIN_RUN && s->n_runs < MAX_RUNS) {
        const size_t at = runs_before(s, &r.first);

        memmove(&s->run[at + 1], &s->run[at],
                (s->n_runs - at) * sizeof s->run[0]);
        s->run[at] = r;
        s->n_runs++;
        return ASC_OK;
    }
    for (v = r.first.v; v <= r.last; v++) {
        char text[MAX_PREFIX + 24];
        uint64_t hash[2];
        size_t at = 0;

        asci_hash128(text, join(&r.first, v, text), hash);
        hashed_line(s, hash, &at);
        if ((status = hash_key(s, hash, r.line + (v - r.first.v), at, e)))
            return status;
    }
    return ASC_OK;
}

/* ---- the interface ---- */

struct asc_ids *
asc_ids_new(struct asc_error *e)
{
    return asci_alloc_zero(1, sizeof(struct asc_ids), e);
}

void
asc_ids_free(struct asc_ids *s)
{
    if (!s)
        return;
    free(s->slot);
    free(s);
}

int
asc_ids_add(struct asc_ids *s, struct asc_text key, size_t line,
            const char *file, const char *what, struct asc_error *e)
{
    uint64_t hash[2], first = 0;
    struct number k;
    const int counts = split(key, &k);
    size_t at = 0;
    int status;

    if (counts)
        first = run_line(s, &k);
    if (!first && (s->n || !counts)) {
        asci_hash128(key.p, key.n, hash);
        first = hashed_line(s, hash, &at);
    }
    if (first) {
        char quoted[ASCI_QUOTE_MAX];

        return asc_fail(e, ASC_EINPUT, "%s:%zu: %s \"%s\" is there twice, "
                        "first on line %zu", file, line, what,
                        asci_quote(key, quoted), (size_t)first);
    }
    if (!counts)
        return hash_key(s, hash, line, at, e);
    if (s->is_open && k.v == s->open.last + 1
        && line == s->open.line + (k.v - s->open.first.v)
        && !compare_prefix(&k, &s->open.first)) {
        s->open.last = k.v;
        return ASC_OK;
    }
    if (s->is_open && (status = close_run(s, e)))
        return status;
    s->open.first = k;
    s->open.last = k.v;
    s->open.line = line;
    s->is_open = 1;
    return ASC_OK;
}
