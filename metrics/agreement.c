/* metrics/agreement.c -- how far two attributions of one row agree.
 *
 * a, b (d) are the attributions of one row by two methods.
 *
 * Correlations: Kendall's tau-b, Spearman's rho (average ranks), Pearson's r,
 * and the cosine, all of the signed values; they measure whether a and b are
 * monotone, linear or proportional in each other.
 *
 * The disagreement problem, Krishna et al. 2022, arXiv:2202.01602:
 * with T the k features of largest magnitude, r the dense ranks of the
 * magnitudes (1 = largest, equal ones share a rank, the next has one more),
 *
 *     feature-agreement        |T_a & T_b| / k
 *     sign-agreement           those of them with equal sign (-1, 0, 1) / k
 *     rank-agreement           #{i <= k: T_a[i] = T_b[i], r_a = r_b there} / k
 *     signed-rank-agreement    those of them with equal sign / k
 *     rank-correlation         Pearson's r of r_a and r_b, over all features
 *     pairwise-rank-agreement  #{i < j: [r_a(i) < r_a(j)] = [r_b(i) < r_b(j)]}
 *                              / (d (d - 1) / 2)
 *
 * Ties.  T is ordered by magnitude, then by the order of the fields.  The
 * bracket in pairwise-rank-agreement is "strictly before": a pair tied in a
 * agrees with j before i in b and disagrees with i before j.  That is how the
 * authors' code counts (ties=official); ties=symmetric asks for the same of
 * "before", "tied", "after" on both sides and does not depend on the order of
 * the fields.
 *
 * Undefined (NaN): a correlation with a constant vector or with d = 1, the
 * cosine with a zero vector, pairwise-rank-agreement with d = 1, anything with
 * a missing attribution.
 *
 * Costs O(d log d) a pair, pairwise-rank-agreement O(d^2). */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_statistics_double.h>

#include <ascribe/metric.h>

#include "base/internal.h"

static int
any_missing(const double *a, const double *b, size_t d)
{
    size_t j;

    for (j = 0; j < d; j++)
        if (isnan(a[j]) || isnan(b[j]))
            return 1;
    return 0;
}

static int
constant(const double *a, size_t d)
{
    size_t j;

    for (j = 1; j < d; j++)
        if (a[j] != a[0])
            return 0;
    return 1;
}

/* Rounding may carry a correlation of parallel vectors past its bounds. */
static double
bounded(double r)
{
    return r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

/* Sorts index (n) by key, largest first, equal keys in their old order.
 * Returns how many pairs (i before j, key[i] < key[j]) changed places.
 * spare (n) is overwritten. */
static uint64_t
sort_down(size_t *index, size_t *spare, const double *key, size_t n)
{
    uint64_t swaps = 0;
    size_t *from = index, *to = spare, *kept;
    size_t width, left, middle, end, i, j, k;

    for (width = 1; width < n; width *= 2) {
        for (left = 0; left < n; left = end) {
            middle = n - left < width ? n : left + width;
            end = n - middle < width ? n : middle + width;
            for (i = left, j = middle, k = left; k < end; k++) {
                if (j == end || (i < middle && key[from[i]] >= key[from[j]])) {
                    to[k] = from[i++];
                } else {
                    to[k] = from[j++];
                    swaps += middle - i;
                }
            }
        }
        kept = from;
        from = to;
        to = kept;
    }
    if (from != index)
        memcpy(index, from, n * sizeof *index);
    return swaps;
}

static void
start_order(size_t *index, size_t n)
{
    size_t j;

    for (j = 0; j < n; j++)
        index[j] = j;
}

/* Pairs with equal a, and equal b if b is not NULL, among index (n), in which
 * they stand side by side. */
static uint64_t
tied_pairs(const size_t *index, const double *a, const double *b, size_t n)
{
    uint64_t pairs = 0, run = 0;
    size_t j;

    for (j = 1; j < n; j++) {
        if (a[index[j]] == a[index[j - 1]]
            && (!b || b[index[j]] == b[index[j - 1]]))
            run++;
        else
            run = 0;
        pairs += run;
    }
    return pairs;
}

/* ---- correlations ---- */

/* Kendall's tau-b, with the counting of Knight 1966,
 * doi:10.1080/01621459.1966.10480879: sorted by a, then b, the pairs that a
 * merge sort by b has to swap are the discordant ones. */
static int
tau_b(const double *a, const double *b, size_t d, const struct asc_spec *spec,
      double *value, struct asc_error *e)
{
    size_t *index = NULL;       /* (2, d): the order, and room */
    uint64_t all, tied_a, tied_b, tied_both, discordant;

    (void)spec;
    *value = NAN;
    if (any_missing(a, b, d) || constant(a, d) || constant(b, d))
        return ASC_OK;
    index = asci_alloc(d, 2 * sizeof *index, e);
    if (!index)
        return ASC_ESYSTEM;
    start_order(index, d);
    sort_down(index, index + d, b, d);
    sort_down(index, index + d, a, d);
    tied_a = tied_pairs(index, a, NULL, d);
    tied_both = tied_pairs(index, a, b, d);
    discordant = sort_down(index, index + d, b, d);
    tied_b = tied_pairs(index, b, NULL, d);
    all = (uint64_t)d * (d - 1) / 2;
    /* all = concordant + discordant + tied_a + tied_b - tied_both */
    *value = bounded((double)((int64_t)(all - tied_a - tied_b + tied_both)
                              - 2 * (int64_t)discordant)
                     / sqrt((double)(all - tied_a))
                     / sqrt((double)(all - tied_b)));
    free(index);
    return ASC_OK;
}

/* The magnitude that scales a to at most 1, so that no square overflows. */
static double
magnitude(const double *a, size_t d)
{
    double top = 0.0;
    size_t j;

    for (j = 0; j < d; j++)
        if (fabs(a[j]) > top)
            top = fabs(a[j]);
    return top;
}

/* Pearson's r of two vectors that are not constant. */
static double
correlation(const double *a, const double *b, size_t d)
{
    const double size_a = magnitude(a, d), size_b = magnitude(b, d);
    double mean_a = 0.0, mean_b = 0.0, aa = 0.0, ab = 0.0, bb = 0.0, u, v;
    size_t j;

    for (j = 0; j < d; j++) {
        mean_a += a[j] / size_a;
        mean_b += b[j] / size_b;
    }
    mean_a /= (double)d;
    mean_b /= (double)d;
    for (j = 0; j < d; j++) {
        u = a[j] / size_a - mean_a;
        v = b[j] / size_b - mean_b;
        aa += u * u;
        ab += u * v;
        bb += v * v;
    }
    return bounded(ab / sqrt(aa) / sqrt(bb));
}

static int
pearson(const double *a, const double *b, size_t d,
        const struct asc_spec *spec, double *value, struct asc_error *e)
{
    (void)spec;
    (void)e;
    *value = NAN;
    if (!any_missing(a, b, d) && !constant(a, d) && !constant(b, d))
        *value = correlation(a, b, d);
    return ASC_OK;
}

static int
spearman(const double *a, const double *b, size_t d,
         const struct asc_spec *spec, double *value, struct asc_error *e)
{
    double *work;               /* (2, d) */

    (void)spec;
    *value = NAN;
    if (any_missing(a, b, d) || constant(a, d) || constant(b, d))
        return ASC_OK;
    work = asci_alloc(d, 2 * sizeof *work, e);
    if (!work)
        return ASC_ESYSTEM;
    *value = bounded(gsl_stats_spearman(a, 1, b, 1, d, work));
    free(work);
    return ASC_OK;
}

static int
cosine(const double *a, const double *b, size_t d,
       const struct asc_spec *spec, double *value, struct asc_error *e)
{
    const double size_a = magnitude(a, d), size_b = magnitude(b, d);
    double aa = 0.0, ab = 0.0, bb = 0.0, u, v;
    size_t j;

    (void)spec;
    (void)e;
    *value = NAN;
    if (any_missing(a, b, d) || size_a == 0.0 || size_b == 0.0)
        return ASC_OK;
    for (j = 0; j < d; j++) {
        u = a[j] / size_a;
        v = b[j] / size_b;
        aa += u * u;
        ab += u * v;
        bb += v * v;
    }
    *value = bounded(ab / sqrt(aa) / sqrt(bb));
    return ASC_OK;
}

/* ---- the disagreement problem ---- */

enum { TOP_K, TOP_SHARE };
static const struct asc_param top_params[] = {
    [TOP_K] = { "k", ASC_PARAM_INTEGER, 0.0, 0.0, 1e9, NULL,
                "features compared; 0: the share" },
    [TOP_SHARE] = { "share", ASC_PARAM_REAL, 0.25, 1e-9, 1.0, NULL,
                    "features compared, of all, rounded up" },
    ASC_PARAMS_END
};

enum { PAIRS_TIES };
enum { TIES_OFFICIAL, TIES_SYMMETRIC };
static const struct asc_param pairs_params[] = {
    [PAIRS_TIES] = { "ties", ASC_PARAM_CHOICE, TIES_OFFICIAL, 0.0, 1.0,
                     "official|symmetric",
                     "a pair tied on one side: as the authors' code, or never "
                     "agreeing" },
    ASC_PARAMS_END
};

static const struct asc_param no_params[] = { ASC_PARAMS_END };

static int
top_count(const struct asc_spec *spec, size_t d, size_t *k,
          struct asc_error *e)
{
    *k = (size_t)spec->value[TOP_K];
    if (*k > d)
        return asc_fail(e, ASC_EUSAGE, "%s: k=%zu features of %zu cannot be "
                        "compared; give at most k=%zu", spec->entry->name, *k,
                        d, d);
    /* 0.1 of 30 is 3, though 0.1 * 30 is just above. */
    if (*k == 0)
        *k = (size_t)ceil(spec->value[TOP_SHARE] * (double)d - 1e-9);
    if (*k == 0 && d > 0)
        *k = 1;
    return ASC_OK;
}

/* Magnitudes of v (d), the features by falling magnitude, their dense ranks. */
static void
rank_down(const double *v, size_t d, double *size, size_t *index,
          size_t *spare, double *rank)
{
    size_t j;

    for (j = 0; j < d; j++)
        size[j] = fabs(v[j]);
    start_order(index, d);
    sort_down(index, spare, size, d);
    for (j = 0; j < d; j++)
        rank[index[j]] = j == 0 ? 1.0
            : rank[index[j - 1]] + (size[index[j]] != size[index[j - 1]]);
}

static int
sign(double v)
{
    return (v > 0.0) - (v < 0.0);
}

enum { SIDES = 2 };
struct ranking {                /* of a and b */
    size_t *index[SIDES];       /* (d) features by falling magnitude */
    double *rank[SIDES];        /* (d) dense ranks by feature */
    void *room;
};

static int
rank_both(struct ranking *r, const double *a, const double *b, size_t d,
          struct asc_error *e)
{
    size_t *spare;
    double *size;

    r->room = asci_alloc(d, 3 * sizeof(double) + 3 * sizeof(size_t), e);
    if (!r->room)
        return ASC_ESYSTEM;
    size = r->room;
    r->rank[0] = size + d;
    r->rank[1] = size + 2 * d;
    spare = (size_t *)(size + 3 * d);
    r->index[0] = spare + d;
    r->index[1] = spare + 2 * d;
    rank_down(a, d, size, r->index[0], spare, r->rank[0]);
    rank_down(b, d, size, r->index[1], spare, r->rank[1]);
    return ASC_OK;
}

/* What the four measures over the first k features share: same_rank 1 counts
 * places that hold the same feature at the same rank, 0 features that are
 * among the first k of both; same_sign asks for equal signs besides. */
static int
top(const double *a, const double *b, size_t d, const struct asc_spec *spec,
    int same_rank, int same_sign, double *value, struct asc_error *e)
{
    struct ranking r;
    unsigned char *in_a;        /* (d) after the ranking: in the first k of a */
    size_t k, i, j, hits = 0;
    int status;

    *value = NAN;
    if ((status = top_count(spec, d, &k, e)) != ASC_OK)
        return status;
    if (d == 0 || any_missing(a, b, d))
        return ASC_OK;
    if ((status = rank_both(&r, a, b, d, e)) != ASC_OK)
        return status;
    /* The room for magnitudes has served. */
    in_a = r.room;
    memset(in_a, 0, d);
    for (i = 0; i < k; i++)
        in_a[r.index[0][i]] = 1;
    for (i = 0; i < k; i++) {
        j = r.index[1][i];
        if (same_rank ? r.index[0][i] != j || r.rank[0][j] != r.rank[1][j]
                      : !in_a[j])
            continue;
        if (same_sign && sign(a[j]) != sign(b[j]))
            continue;
        hits++;
    }
    *value = (double)hits / (double)k;
    free(r.room);
    return ASC_OK;
}

static int
feature_agreement(const double *a, const double *b, size_t d,
                  const struct asc_spec *spec, double *value,
                  struct asc_error *e)
{
    return top(a, b, d, spec, 0, 0, value, e);
}

static int
rank_agreement(const double *a, const double *b, size_t d,
               const struct asc_spec *spec, double *value,
               struct asc_error *e)
{
    return top(a, b, d, spec, 1, 0, value, e);
}

static int
sign_agreement(const double *a, const double *b, size_t d,
               const struct asc_spec *spec, double *value,
               struct asc_error *e)
{
    return top(a, b, d, spec, 0, 1, value, e);
}

static int
signed_rank_agreement(const double *a, const double *b, size_t d,
                      const struct asc_spec *spec, double *value,
                      struct asc_error *e)
{
    return top(a, b, d, spec, 1, 1, value, e);
}

static int
rank_correlation(const double *a, const double *b, size_t d,
                 const struct asc_spec *spec, double *value,
                 struct asc_error *e)
{
    struct ranking r;
    int status;

    (void)spec;
    *value = NAN;
    if (any_missing(a, b, d))
        return ASC_OK;
    if ((status = rank_both(&r, a, b, d, e)) != ASC_OK)
        return status;
    if (!constant(r.rank[0], d) && !constant(r.rank[1], d))
        *value = correlation(r.rank[0], r.rank[1], d);
    free(r.room);
    return ASC_OK;
}

static int
pairwise_rank_agreement(const double *a, const double *b, size_t d,
                        const struct asc_spec *spec, double *value,
                        struct asc_error *e)
{
    const int symmetric = (int)spec->value[PAIRS_TIES] == TIES_SYMMETRIC;
    uint64_t agree = 0;
    size_t i, j;

    (void)e;
    *value = NAN;
    if (d < 2 || any_missing(a, b, d))
        return ASC_OK;
    for (i = 0; i < d; i++) {
        for (j = i + 1; j < d; j++) {
            /* rank i before rank j is magnitude i above magnitude j */
            int before_a = fabs(a[i]) > fabs(a[j]);
            int before_b = fabs(b[i]) > fabs(b[j]);
            int after_a = fabs(a[i]) < fabs(a[j]);
            int after_b = fabs(b[i]) < fabs(b[j]);

            agree += before_a == before_b
                && (!symmetric || after_a == after_b);
        }
    }
    *value = (double)agree / ((double)d * (double)(d - 1) / 2.0);
    return ASC_OK;
}

/* ---- the registry ---- */

#define KRISHNA "Krishna et al. 2022, arXiv:2202.01602"

static const struct asc_agreement entry_tau_b = {
    { "tau-b", "Kendall's tau-b of the signed attributions",
      "Kendall 1945, doi:10.1093/biomet/33.3.239", no_params, ASC_EXACT },
    tau_b
};
static const struct asc_agreement entry_spearman = {
    { "spearman", "Spearman's rank correlation of the signed attributions",
      "Spearman 1904, doi:10.2307/1412159", no_params, ASC_EXACT },
    spearman
};
static const struct asc_agreement entry_pearson = {
    { "pearson", "Pearson's correlation of the signed attributions",
      "Pearson 1895, doi:10.1098/rspl.1895.0041", no_params, ASC_EXACT },
    pearson
};
static const struct asc_agreement entry_cosine = {
    { "cosine", "cosine of the angle between the attributions",
      "definition: a.b / (|a| |b|)", no_params, ASC_EXACT },
    cosine
};
static const struct asc_agreement entry_feature_agreement = {
    { "feature-agreement", "share of the top features that both name",
      KRISHNA, top_params, ASC_EXACT },
    feature_agreement
};
static const struct asc_agreement entry_rank_agreement = {
    { "rank-agreement", "share of the top places with the same feature",
      KRISHNA, top_params, ASC_EXACT },
    rank_agreement
};
static const struct asc_agreement entry_sign_agreement = {
    { "sign-agreement", "share of the top features common and of equal sign",
      KRISHNA, top_params, ASC_EXACT },
    sign_agreement
};
static const struct asc_agreement entry_signed_rank_agreement = {
    { "signed-rank-agreement",
      "share of the top places with the same feature and sign",
      KRISHNA, top_params, ASC_EXACT },
    signed_rank_agreement
};
static const struct asc_agreement entry_rank_correlation = {
    { "rank-correlation",
      "Pearson's correlation of the dense ranks of the magnitudes",
      KRISHNA, no_params, ASC_EXACT },
    rank_correlation
};
static const struct asc_agreement entry_pairwise_rank_agreement = {
    { "pairwise-rank-agreement",
      "share of feature pairs in the same order of magnitude",
      KRISHNA, pairs_params, ASC_EXACT },
    pairwise_rank_agreement
};

static const struct asc_agreement *const agreements[] = {
#define ASC_ENTRY(name) &entry_##name,
#include "metrics/agreement.def"
#undef ASC_ENTRY
};

static const struct asc_entry *const entries[] = {
#define ASC_ENTRY(name) &entry_##name.entry,
#include "metrics/agreement.def"
#undef ASC_ENTRY
};

const struct asc_agreement *const *
asc_agreements(size_t *n)
{
    *n = sizeof agreements / sizeof *agreements;
    return agreements;
}

const struct asc_entry *const *
asc_agreement_entries(size_t *n)
{
    *n = sizeof entries / sizeof *entries;
    return entries;
}
