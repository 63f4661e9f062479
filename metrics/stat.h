/* metrics/stat.h -- what the statistics of scores share: sums whose order
 * never shows, and the replicates of the bootstrap. */
#ifndef ASCRIBE_METRICS_STAT_H
#define ASCRIBE_METRICS_STAT_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/base.h>
#include <ascribe/metric.h>
#include <ascribe/table.h>

/* s / w, rounded about once: the mean of equal values is that value.  NaN if
 * s is past the largest double. */
double asci_quotient(const struct asc_sum *s, double w);

/* Count, sum and sum of squares, exact; so mergeable, and blind to order. */
struct asci_moments {
    size_t n;
    struct asc_sum sum, squares;
};
void asci_moments_clear(struct asci_moments *m);
void asci_moments_add(struct asci_moments *m, double v);
void asci_moments_merge(struct asci_moments *m,
                        const struct asci_moments *other);
/* NaN if n = 0; sd (divisor n - 1) also if n = 1. */
double asci_moments_mean(const struct asci_moments *m);
double asci_moments_sd(const struct asci_moments *m);

/* The sums of weight * value over rows, in each of n replicates; exact. */
enum { ASCI_REPLICATE_CHUNKS = 66 };
struct asci_replicates {
    unsigned n;
    uint32_t pending;           /* additions since the last carry */
    int64_t *weight;            /* (n) sums of the weights */
    int64_t *chunk[ASCI_REPLICATE_CHUNKS];      /* (n) units of
                                   2^(32 c - 1074), or NULL: all zero */
};
int asci_replicates_init(struct asci_replicates *r, unsigned n,
                         struct asc_error *e);
void asci_replicates_clear(struct asci_replicates *r);
void asci_replicates_free(struct asci_replicates *r);
/* weight (n), each at most 12. */
int asci_replicates_add(struct asci_replicates *r, const uint32_t *weight,
                        double value, struct asc_error *e);
int asci_replicates_merge(struct asci_replicates *r,
                          const struct asci_replicates *other,
                          struct asc_error *e);
/* The sum of replicate i. */
void asci_replicates_sum(const struct asci_replicates *r, unsigned i,
                         struct asc_sum *out);

/* The percentile interval of the defined values among v (n), which it sorts;
 * NaN and NaN if there are none.  Quantiles interpolate linearly. */
void asci_percentiles(double *v, size_t n, double level, double *lo,
                      double *hi);

#endif
