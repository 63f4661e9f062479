/* model/pmml/tree_known.c -- what the tests on the way to a place have left
 * possible of each column: whether it can be missing or present, the interval
 * that holds a number and one number that it is not, the labels that are left.
 * Entries are a chain from the latest to the root; the latest of a column
 * counts.  Always safe: what is said to be impossible is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/tree.h"

static const struct known *
find_known(const struct known *k, uint32_t column)
{
    while (k && k->column != column)
        k = k->up;
    return k;
}

static size_t
set_words(const struct predicate *q)
{
    return q->n_labels / 64 + 1;        /* one bit more, for undeclared */
}

/* A copy of what is known of the predicate's column, to be changed; all is
 * possible if nothing is known. */
static struct known *
copy_known(struct pmml *p, struct pmml_arena *arena, const struct known *up,
           const struct predicate *q)
{
    const struct known *old = find_known(up, q->column);
    struct known *k = asci_pmml_take(arena, 1, sizeof *k, p->e);
    uint64_t *set;
    size_t i;

    if (!k)
        return NULL;
    k->missing = p->shared[q->column].missing;
    k->present = 1;
    k->low = -INFINITY;
    k->high = INFINITY;
    k->other_than = NAN;
    if (old)
        *k = *old;
    k->up = up;
    k->column = q->column;
    if (q->test != ASCI_IN_SET || q->kind != TEST)
        return k;
    if (asci_pmml_spend(p, set_words(q)) != ASC_OK)
        return NULL;
    set = asci_pmml_take(arena, set_words(q), sizeof *set, p->e);
    if (!set)
        return NULL;
    if (k->set && k->n_labels == q->n_labels)
        memcpy(set, k->set, set_words(q) * sizeof *set);
    else
        for (i = 0; i < q->n_labels + (q->others != 0); i++)
            set[i / 64] |= UINT64_C(1) << i % 64;
    k->set = set;
    k->n_labels = q->n_labels;
    return k;
}

/* Word w of the labels that are in the test's set, and of those that are
 * possible. */
static uint64_t
test_word(const struct pmml *p, const struct predicate *q, size_t w)
{
    return w < ((size_t)q->set_bits + 63) / 64 ? p->set[q->set + w] : 0;
}

static uint64_t
possible_word(const struct predicate *q, const struct known *k, size_t w)
{
    const size_t n = q->n_labels + (q->others != 0);

    if (k && k->set && k->n_labels == q->n_labels)
        return k->set[w];
    if (w < n / 64)
        return UINT64_MAX;
    return w > n / 64 ? 0 : (UINT64_C(1) << n % 64) - 1;
}

/* The answers that a present value can still give to a test of a set. */
static int
assess_set(const struct pmml *p, const struct predicate *q,
           const struct known *k)
{
    size_t w;
    int answers = 0;

    for (w = 0; w < set_words(q) && answers != (YES | NO); w++) {
        const uint64_t possible = possible_word(q, k, w);

        answers |= possible & test_word(p, q, w) ? YES : 0;
        answers |= possible & ~test_word(p, q, w) ? NO : 0;
    }
    return answers;
}

static int
assess_number(const struct predicate *q, const struct known *k)
{
    const double t = q->threshold;
    double low = -INFINITY, high = INFINITY;
    int low_open = 0, high_open = 0;

    if (k) {
        low = k->low;
        high = k->high;
        low_open = k->low_open;
        high_open = k->high_open;
    }
    switch (q->test) {
    case ASCI_LESS:
        return (low < t ? YES : 0) |
               (high > t || (high == t && !high_open) ? NO : 0);
    case ASCI_LESS_EQUAL:
        return (low < t || (low == t && !low_open) ? YES : 0) |
               (high > t ? NO : 0);
    default:
        return (t < low || t > high || (t == low && low_open) ||
                (t == high && high_open) || (k && k->other_than == t)
                ? 0 : YES) |
               (low == high && low == t ? 0 : NO);
    }
}

int
asci_pmml_negated(int answers)
{
    return (answers & UNKNOWN) | (answers & YES ? NO : 0) |
           (answers & NO ? YES : 0);
}

int
asci_pmml_assess(const struct pmml *p, const struct predicate *q,
                 const struct known *known)
{
    const struct known *k;
    int answers = 0, missing, present;

    if (q->kind == ALWAYS || q->kind == NEVER)
        return q->kind == ALWAYS ? YES : NO;
    k = find_known(known, q->column);
    missing = k ? k->missing : p->shared[q->column].missing;
    present = k ? k->present : 1;
    if (q->kind == IS_MISSING) {
        answers = (missing ? YES : 0) | (present ? NO : 0);
    } else {
        if (present)
            answers = q->test == ASCI_IN_SET ? assess_set(p, q, k)
                                             : assess_number(q, k);
        if (missing)
            answers |= UNKNOWN;
    }
    return q->negate ? asci_pmml_negated(answers) : answers;
}

static void
cut_low(struct known *k, double t, int open)
{
    if (t > k->low || (t == k->low && open)) {
        k->low = t;
        k->low_open = open;
    }
}

static void
cut_high(struct known *k, double t, int open)
{
    if (t < k->high || (t == k->high && open)) {
        k->high = t;
        k->high_open = open;
    }
}

const struct known *
asci_pmml_learn(struct pmml *p, struct pmml_arena *arena,
                const struct predicate *q, const struct known *known,
                int answer)
{
    struct known *k = copy_known(p, arena, known, q);
    size_t w;

    if (!k)
        return NULL;
    if (q->negate)
        answer = asci_pmml_negated(answer);
    if (q->kind == IS_MISSING || answer == UNKNOWN) {
        const int missing = q->kind != IS_MISSING || answer == YES;

        k->missing = missing;
        k->present = !missing;
        return k;
    }
    k->missing = 0;
    switch (q->test) {
    case ASCI_LESS:
        if (answer == YES)
            cut_high(k, q->threshold, 1);
        else
            cut_low(k, q->threshold, 0);
        break;
    case ASCI_LESS_EQUAL:
        if (answer == YES)
            cut_high(k, q->threshold, 0);
        else
            cut_low(k, q->threshold, 1);
        break;
    case ASCI_EQUAL:
        if (answer == YES) {
            k->low = k->high = q->threshold;
            k->low_open = k->high_open = 0;
        } else {
            k->other_than = q->threshold;
        }
        break;
    default:
        for (w = 0; w < set_words(q); w++)
            k->set[w] &= answer == YES ? test_word(p, q, w)
                                       : ~test_word(p, q, w);
    }
    return k;
}

/* Both entries are the latest of the predicate's column. */
const struct known *
asci_pmml_join(struct pmml *p, struct pmml_arena *arena,
               const struct predicate *q, const struct known *a,
               const struct known *b)
{
    struct known *k = copy_known(p, arena, a, q);
    size_t w;

    if (!k)
        return NULL;
    k->up = a->up;
    k->missing = a->missing || b->missing;
    k->present = a->present || b->present;
    if (!b->present)
        return k;
    if (!a->present) {
        uint64_t *set = k->set;

        *k = *b;
        k->missing = 1;
        k->set = set;
        if (q->kind != TEST || q->test != ASCI_IN_SET)
            k->set = b->set;
        else
            memcpy(set, b->set, set_words(q) * sizeof *set);
        return k;
    }
    if (b->low < k->low || (b->low == k->low && !b->low_open)) {
        k->low = b->low;
        k->low_open = b->low_open;
    }
    if (b->high > k->high || (b->high == k->high && !b->high_open)) {
        k->high = b->high;
        k->high_open = b->high_open;
    }
    if (!(k->other_than == b->other_than))
        k->other_than = NAN;
    if (q->kind == TEST && q->test == ASCI_IN_SET)
        for (w = 0; w < set_words(q); w++)
            k->set[w] |= b->set[w];
    return k;
}
