/* ascribe/metric.h -- scores of attributions, agreement, statistics of both. */
#ifndef ASCRIBE_METRIC_H
#define ASCRIBE_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/base.h>
#include <ascribe/model.h>
#include <ascribe/table.h>

/* ---- metrics of one attribution each ---- */

struct asc_metric_task {
    const asc_model *model;     /* NULL if the metric needs none */
    const struct asc_background *background;    /* NULL: none given */
    const struct asc_spec *spec;
};

/* A block of attributions to score. */
struct asc_score {
    size_t n, d;
    const double *x;            /* (n, d) the rows explained, or NULL */
    const struct asc_text *id;  /* (n) row ids */
    const double *phi;          /* (n, d) */
    const double *base, *value; /* (n) */
    const size_t *output;       /* (n) outputs of the model */
    const enum asc_scale *scale;        /* (n) */
    double *result;             /* (n) NaN where undefined */
    /* with ASC_CURVE: room for (n, n_points) of each, or NULL: not wanted */
    size_t n_points;
    double *curve_x, *curve_y;
};

struct asc_metric {
    struct asc_entry entry;
    int (*prepare)(const struct asc_metric_task *t, void **state,
                   struct asc_error *e);
    int (*run)(const struct asc_metric_task *t, const void *state,
               struct asc_score *b, struct asc_error *e);
    void (*finish)(void *state);
    /* points of the curve for d fields; NULL without ASC_CURVE */
    size_t (*n_points)(const struct asc_metric_task *t, size_t d);
};

/* The metrics of asc-fidelity. */
const struct asc_metric *const *asc_fidelity_metrics(size_t *n);
const struct asc_entry *const *asc_fidelity_entries(size_t *n);

/* ---- agreement of two attributions of one row ---- */

struct asc_agreement {
    struct asc_entry entry;
    /* a, b (d); *value is NaN where undefined (a constant vector, d = 1, a
     * missing attribution).  Fails on k > d, and without memory. */
    int (*measure)(const double *a, const double *b, size_t d,
                   const struct asc_spec *spec, double *value,
                   struct asc_error *e);
};
const struct asc_agreement *const *asc_agreements(size_t *n);
const struct asc_entry *const *asc_agreement_entries(size_t *n);

/* ---- statistics of scores ---- */

/* The bootstrap weight (0, 1, 2, ...; Poisson with mean 1) of a row or unit in
 * one replicate: an integer table look-up on a Philox draw of (seed, id,
 * replicate), so the same for all methods of a row and on all machines. */
unsigned asc_bootstrap_weight(uint64_t seed, struct asc_text id,
                              unsigned replicate);
/* Those of replicates 0..n-1 at once. */
void asc_bootstrap_weights(uint64_t seed, struct asc_text id, unsigned n,
                           uint32_t *weight);

struct asc_stat_options {
    double level;               /* of intervals; 0.95 */
    unsigned replicates;        /* of the bootstrap; 1000; 0: no intervals */
    unsigned permutations;      /* of the test; 1000; 0: no p values */
    size_t min_group;           /* rows; smaller groups are left out of
                                   everything, the rest and the average too */
    uint64_t seed;
    int adjust;                 /* 0 Holm, 1 Benjamini-Hochberg, 2 none */
};

struct asc_summary {
    size_t n;                   /* defined values */
    double mean, sd, median;
    double lo, hi;              /* bootstrap interval of the mean */
};
/* value (n), NaN skipped; unit (n) the texts that key the bootstrap: rows of
 * one unit are drawn together.  NaN is what the values do not define: all with
 * n = 0, sd with n = 1, the interval with fewer than two units.  The order of
 * the rows does not change a bit of the result. */
int asc_summarise(const double *value, const struct asc_text *unit, size_t n,
                  const struct asc_stat_options *o, struct asc_summary *out,
                  struct asc_error *e);

enum asc_disparity_statistic {
    ASC_DISPARITY_MEAN,         /* group value */
    ASC_DISPARITY_GAP,          /* group less the rest of the rows */
    ASC_DISPARITY_MAX_GAP,      /* Balagopalan et al. 2022, eq. 1 */
    ASC_DISPARITY_MEAN_GAP,     /* ib., eq. 2 */
    ASC_DISPARITY_RATIO,        /* smallest over largest group mean */
    ASC_DISPARITY_EFFECT        /* Cohen's d of group against the rest */
};
enum { ASC_DISPARITY_STATISTICS = 6 };
/* "mean", "gap", "max-gap", "mean-gap", "ratio", "effect" */
extern const char *const asc_disparity_names[ASC_DISPARITY_STATISTICS];

struct asc_disparity_row {
    enum asc_disparity_statistic statistic;
    size_t group;               /* index, or SIZE_MAX for all groups; the worst
                                   group of max-gap */
    size_t n;                   /* rows of the group, of all for max-gap,
                                   mean-gap and ratio */
    double value, lo, hi, p;    /* NaN where there is none */
};
/* value (n) NaN skipped, group (n) indexes 0..n_groups-1 (SIZE_MAX: no group,
 * left out), unit (n).  Groups should be numbered in an order that does not
 * depend on the rows (sorted names): then the order of the rows does not
 * change a bit of the result.  higher: 1 larger values are better, 0 smaller,
 * which gives max-gap its sign and says which group is worst.
 * rows: room for 3 n_groups + 3, in the order of the statistics, groups in
 * theirs; *n_rows is how many were filled: none for empty groups, and nothing
 * at all if no group is left.  p is two-sided for gap, and the upper tail for
 * max-gap and mean-gap. */
int asc_disparity(const double *value, const size_t *group,
                  const struct asc_text *unit, size_t n, size_t n_groups,
                  int higher, const struct asc_stat_options *o,
                  struct asc_disparity_row *rows, size_t *n_rows,
                  struct asc_error *e);
/* Adjusted p values by asc_stat_options.adjust (Holm 1979; Benjamini and
 * Hochberg 1995); NaN stays and does not count. */
void asc_adjust(const double *p, size_t n, int method, double *out);

#endif
