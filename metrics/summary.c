/* metrics/summary.c -- mean, deviation, median and interval of scores.
 *
 * Sums are exact, so the order of the rows does not show.  The interval is
 * the percentile interval of the mean over the replicates of the Poisson
 * bootstrap (bootstrap.c); replicates that draw no row have no mean and are
 * passed over.  Undefined values (NaN) are skipped.  With fewer than two
 * units there is no interval: it would have no width.
 *
 * 1,000 replicates: 5 us a row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>

#include "base/internal.h"
#include "metrics/stat.h"

static int
same_text(struct asc_text a, struct asc_text b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The interval of the mean of value (n), units unit (n), none NaN. */
static int
interval(const double *value, const struct asc_text *unit, size_t n,
         const struct asc_stat_options *o, double *lo, double *hi,
         struct asc_error *e)
{
    struct asci_replicates r;
    struct asc_sum sum;
    uint32_t *weight = NULL;    /* (replicates) */
    double *mean = NULL;        /* (replicates) */
    size_t i;
    unsigned k;
    int status;

    if ((status = asci_replicates_init(&r, o->replicates, e)) != ASC_OK)
        return status;
    weight = asci_alloc(o->replicates, sizeof *weight, e);
    mean = asci_alloc(o->replicates, sizeof *mean, e);
    if (!weight || !mean) {
        status = ASC_ESYSTEM;
        goto out;
    }
    for (i = 0; i < n; i++) {
        if (i == 0 || !same_text(unit[i], unit[i - 1]))
            asc_bootstrap_weights(o->seed, unit[i], o->replicates, weight);
        status = asci_replicates_add(&r, weight, value[i], e);
        if (status != ASC_OK)
            goto out;
    }
    for (k = 0; k < o->replicates; k++) {
        asci_replicates_sum(&r, k, &sum);
        mean[k] = r.weight[k] > 0 ? asci_quotient(&sum, (double)r.weight[k])
                                  : NAN;
    }
    asci_percentiles(mean, o->replicates, o->level, lo, hi);
out:
    free(mean);
    free(weight);
    asci_replicates_free(&r);
    return status;
}

int
asc_summarise(const double *value, const struct asc_text *unit, size_t n,
              const struct asc_stat_options *o, struct asc_summary *out,
              struct asc_error *e)
{
    struct asci_moments m;
    double *kept = NULL;        /* (n) the defined values */
    struct asc_text *kept_unit = NULL;  /* (n) theirs */
    size_t i;
    int several = 0, status = ASC_OK;

    kept = asci_alloc(n, sizeof *kept, e);
    kept_unit = asci_alloc(n, sizeof *kept_unit, e);
    if (!kept || !kept_unit) {
        status = ASC_ESYSTEM;
        goto out;
    }
    asci_moments_clear(&m);
    for (i = 0; i < n; i++) {
        if (isnan(value[i]))
            continue;
        kept[m.n] = value[i];
        kept_unit[m.n] = unit[i];
        several |= !same_text(unit[i], kept_unit[0]);
        asci_moments_add(&m, value[i]);
    }
    memset(out, 0, sizeof *out);
    out->n = m.n;
    out->mean = asci_moments_mean(&m);
    out->sd = asci_moments_sd(&m);
    out->median = out->lo = out->hi = NAN;
    if (m.n > 0 && !isfinite(out->mean)) {
        status = asc_fail(e, ASC_ENUMERIC, "the values are infinite or too "
                          "large to be averaged");
        goto out;
    }
    if (several && o->replicates > 0 && isfinite(out->mean))
        status = interval(kept, kept_unit, m.n, o, &out->lo, &out->hi, e);
    if (status == ASC_OK && m.n > 0) {
        gsl_sort(kept, 1, m.n);
        out->median = gsl_stats_median_from_sorted_data(kept, 1, m.n);
        if (isinf(out->median))         /* half of a sum that overflows */
            out->median = kept[m.n / 2] / 2.0 + kept[(m.n - 1) / 2] / 2.0;
    }
out:
    free(kept_unit);
    free(kept);
    return status;
}
