/* metrics/disparity.c -- how scores differ between groups of people.
 *
 * F(S) is the mean score of a set S of rows, S_1..S_G the groups, S the rows
 * of all of them.
 *
 *     mean      F(S_g)
 *     gap       F(S_g) - F(S \ S_g)
 *     max-gap   max_g F(S) - F(S_g), where larger is better;
 *               max_g F(S_g) - F(S), where smaller is better
 *     mean-gap  2 / (G (G - 1)) sum_{g < h} |F(S_g) - F(S_h)|
 *     ratio     min_g F(S_g) / max_g F(S_g), if no mean is negative and the
 *               largest is positive
 *     effect    gap / s, s the deviation pooled within S_g and S \ S_g with
 *               divisor n - 2: Cohen's d
 *
 * max-gap and mean-gap: Balagopalan et al. 2022, "The road to explainability
 * is paved with bias", doi:10.1145/3531146.3533179, the maximum fidelity gap
 * from average and the mean fidelity gap amongst subgroups.  max-gap is signed
 * before the maximum, so groups that are served better never count.
 *
 * Intervals: percentiles over the Poisson bootstrap (bootstrap.c).  A group
 * that a replicate does not draw is passed over in it.  max-gap and mean-gap
 * cannot be negative for means, so their intervals lie off zero even where
 * all groups are alike; their p values are the test.
 *
 * p values: the labels of the groups are permuted over the items; an item is
 * the rows of one unit in one group, which move together.  Items are put in
 * the order of their names, and permutation k draws from the stream (seed,
 * "permutation", k in decimal), so that rows may come in any order.
 * p = (b + 1) / (m + 1), b of m permutations with a statistic as large as
 * observed (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585): |gap|,
 * max-gap, mean-gap.  Differences under 1e-9 deviations count as ties, in
 * favour of the null hypothesis.
 *
 * Undefined (NaN): with one group everything but its mean; intervals, if group
 * or rest has fewer than two units; p and effect, if group or rest has fewer
 * than two rows; effect, if there is no variation within.
 *
 * Costs 7 us a row for 1,000 replicates, and 10 ns a row and permutation. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort_double.h>

#include "base/internal.h"
#include "metrics/stat.h"

const char *const asc_disparity_names[ASC_DISPARITY_STATISTICS] = {
    "mean", "gap", "max-gap", "mean-gap", "ratio", "effect"
};

/* A row that counts: its value is defined and its group is large enough. */
struct item {
    struct asc_text unit;
    size_t group;               /* 0..n_groups-1 among those that are left */
    double value;
    double centred;             /* value less the mean of all */
    double rows;                /* 1, or more once items are joined */
};

/* The sums of one set of rows in one replicate, or over all rows. */
struct sums {
    double n, high, low;        /* weight; sum of values, as two doubles */
    double centred, squares;    /* sums of centred values, of their squares */
};

struct work {
    size_t n, n_groups;
    int higher;
    const struct asc_stat_options *o;
    struct item *item;          /* (n) by group */
    size_t *first;              /* (n_groups + 1) first item of each group */
    size_t *name;               /* (n_groups) the caller's index */
    int *several_units;         /* (n_groups) 1 if the group has two or more */
    struct sums *group;         /* (n_groups) */
    struct sums all;
    double *mean;               /* (n_groups) */
};

/* ---- the statistics, from the sums of the groups ---- */

static double
mean_of(const struct sums *s)
{
    double q;

    if (s->n == 0.0)
        return NAN;
    q = s->high / s->n;
    return isfinite(q) ? q + (fma(-q, s->n, s->high) + s->low) / s->n : NAN;
}

/* The difference of two sums, with the two doubles kept exact (Knuth's
 * two-sum). */
static struct sums
less(const struct sums *a, const struct sums *b)
{
    struct sums d;
    double part;

    d.n = a->n - b->n;
    d.high = a->high - b->high;
    part = d.high - a->high;
    d.low = (a->high - (d.high - part)) + (-b->high - part)
        + (a->low - b->low);
    d.centred = a->centred - b->centred;
    d.squares = a->squares - b->squares;
    return d;
}

static double
effect_of(const struct sums *a, const struct sums *b)
{
    double within, s;

    if (a->n < 2.0 || b->n < 2.0)
        return NAN;
    within = (a->squares - a->centred * a->centred / a->n)
        + (b->squares - b->centred * b->centred / b->n);
    /* What rounding leaves of equal values is no variation. */
    if (!(within > 1e-12 * (a->squares + b->squares)))
        return NAN;
    s = sqrt(within / (a->n + b->n - 2.0));
    return (a->centred / a->n - b->centred / b->n) / s;
}

/* max-gap; *worst is its group, the first of equal ones. */
static double
max_gap(const double *mean, size_t n, double average, int higher,
        size_t *worst)
{
    double top = NAN, gap;
    size_t g;

    for (g = 0; g < n; g++) {
        gap = higher ? average - mean[g] : mean[g] - average;
        if (!isnan(gap) && !(gap <= top)) {
            top = gap;
            *worst = g;
        }
    }
    return top;
}

/* mean-gap and ratio, of the defined means; sorts and packs mean (n). */
static void
spread(double *mean, size_t n, double *mean_gap, double *ratio)
{
    double sum = 0.0;
    size_t g, m = 0;

    for (g = 0; g < n; g++)
        if (!isnan(mean[g]))
            mean[m++] = mean[g];
    *mean_gap = *ratio = NAN;
    if (m < 2)
        return;
    gsl_sort(mean, 1, m);
    /* sum_{g<h} (mean[h] - mean[g]) = sum_g (mean[g] - mean[g-1]) g (m-g) */
    for (g = 1; g < m; g++)
        sum += (mean[g] - mean[g - 1]) * (double)g * (double)(m - g);
    *mean_gap = 2.0 * sum / ((double)m * (double)(m - 1));
    if (mean[0] >= 0.0 && mean[m - 1] > 0.0)
        *ratio = mean[0] / mean[m - 1];
}

/* Values of all statistics: value (3 n_groups + 3) in the order of the rows.
 * sums (n_groups).  *worst is left alone if there is none. */
static void
statistics(const struct work *w, const struct sums *group,
           const struct sums *all, double *mean, double *value, size_t *worst)
{
    const size_t n = w->n_groups;
    struct sums rest;
    size_t g;

    for (g = 0; g < n; g++) {
        mean[g] = mean_of(&group[g]);
        rest = less(all, &group[g]);
        value[g] = mean[g];
        value[n + g] = mean[g] - mean_of(&rest);
        value[2 * n + 3 + g] = effect_of(&group[g], &rest);
    }
    value[2 * n] = n > 1 ? max_gap(mean, n, mean_of(all), w->higher, worst)
                         : NAN;
    spread(mean, n, &value[2 * n + 1], &value[2 * n + 2]);
}

/* ---- the rows ---- */

static int
compare_text(struct asc_text a, struct asc_text b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* By unit, then group, then value: an order that the rows' does not change. */
static int
compare_items(const void *a, const void *b)
{
    const struct item *p = a, *q = b;
    const int c = compare_text(p->unit, q->unit);

    if (c != 0)
        return c;
    if (p->group != q->group)
        return p->group < q->group ? -1 : 1;
    return (p->value > q->value) - (p->value < q->value);
}

/* Fills w->item, sorted by group, with the rows that count. */
static int
collect(struct work *w, const double *value, const size_t *group,
        const struct asc_text *unit, size_t n, size_t n_groups,
        struct asc_error *e)
{
    size_t *count;              /* (n_groups) rows, then where the next goes */
    size_t i, g, least = w->o->min_group > 0 ? w->o->min_group : 1;

    count = asci_alloc_zero(n_groups, sizeof *count, e);
    w->first = asci_alloc_zero(n_groups + 1, sizeof *w->first, e);
    w->name = asci_alloc(n_groups, sizeof *w->name, e);
    w->several_units = asci_alloc_zero(n_groups, sizeof *w->several_units, e);
    if (!count || !w->first || !w->name || !w->several_units) {
        free(count);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < n; i++)
        if (group[i] < n_groups && !isnan(value[i]))
            count[group[i]]++;
    for (g = 0; g < n_groups; g++) {
        if (count[g] < least) {
            count[g] = SIZE_MAX;
            continue;
        }
        w->name[w->n_groups] = g;
        w->first[w->n_groups++] = w->n;
        w->n += count[g];
        count[g] = w->n - count[g];
    }
    if (w->n_groups > 0)
        w->first[w->n_groups] = w->n;
    w->item = asci_alloc(w->n, sizeof *w->item, e);
    if (!w->item) {
        free(count);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < n; i++) {
        struct item *t;

        if (group[i] >= n_groups || isnan(value[i])
            || count[group[i]] == SIZE_MAX)
            continue;
        t = &w->item[count[group[i]]++];
        t->unit = unit[i];
        t->value = value[i];
        t->rows = 1.0;
    }
    free(count);
    for (g = 0; g < w->n_groups; g++)
        for (i = w->first[g]; i < w->first[g + 1]; i++) {
            w->item[i].group = g;
            if (compare_text(w->item[i].unit, w->item[w->first[g]].unit) != 0)
                w->several_units[g] = 1;
        }
    return ASC_OK;
}

static void
two_doubles(const struct asc_sum *s, double *high, double *low)
{
    struct asc_sum rest = *s;

    *high = asc_sum_value(s);
    *low = 0.0;
    if (isfinite(*high)) {
        asc_sum_add(&rest, -*high);
        *low = asc_sum_value(&rest);
    }
}

/* Sums over the rows themselves, and the centred values. */
static int
observe(struct work *w, struct asc_error *e)
{
    struct asc_sum all, sum, centred, squares, all_centred, all_squares;
    double average;
    size_t g, i;

    asc_sum_clear(&all);
    for (i = 0; i < w->n; i++)
        asc_sum_add(&all, w->item[i].value);
    average = asci_quotient(&all, (double)w->n);
    if (!isfinite(average))
        return asc_fail(e, ASC_ENUMERIC, "the values are infinite or too "
                        "large to be averaged");
    asc_sum_clear(&all_centred);
    asc_sum_clear(&all_squares);
    for (g = 0; g < w->n_groups; g++) {
        asc_sum_clear(&sum);
        asc_sum_clear(&centred);
        asc_sum_clear(&squares);
        for (i = w->first[g]; i < w->first[g + 1]; i++) {
            struct item *t = &w->item[i];

            t->centred = t->value - average;
            asc_sum_add(&sum, t->value);
            asc_sum_add(&centred, t->centred);
            asc_sum_add(&squares, t->centred * t->centred);
        }
        w->group[g].n = (double)(w->first[g + 1] - w->first[g]);
        two_doubles(&sum, &w->group[g].high, &w->group[g].low);
        w->group[g].centred = asc_sum_value(&centred);
        w->group[g].squares = asc_sum_value(&squares);
        asc_sum_merge(&all_centred, &centred);
        asc_sum_merge(&all_squares, &squares);
    }
    w->all.n = (double)w->n;
    two_doubles(&all, &w->all.high, &w->all.low);
    w->all.centred = asc_sum_value(&all_centred);
    w->all.squares = asc_sum_value(&all_squares);
    return ASC_OK;
}

/* ---- intervals ---- */

static void
replicate_sums(const struct asci_replicates *sum,
               const struct asci_replicates *centred,
               const struct asci_replicates *squares, unsigned k,
               struct sums *out)
{
    struct asc_sum s;

    out->n = (double)sum->weight[k];
    asci_replicates_sum(sum, k, &s);
    two_doubles(&s, &out->high, &out->low);
    asci_replicates_sum(centred, k, &s);
    out->centred = asc_sum_value(&s);
    asci_replicates_sum(squares, k, &s);
    out->squares = asc_sum_value(&s);
}

/* sums (replicates, n_groups + 1): those of the groups, then of all. */
static int
draw(const struct work *w, struct sums *sums, struct asc_error *e)
{
    enum { SUM, CENTRED, SQUARES, KINDS };
    const unsigned m = w->o->replicates;
    const size_t n = w->n_groups;
    struct asci_replicates group[KINDS], all[KINDS];
    uint32_t *weight = asci_alloc(m, sizeof *weight, e);        /* (m) */
    int kind, status = weight ? ASC_OK : ASC_ESYSTEM;
    size_t g, i;
    unsigned k;

    memset(group, 0, sizeof group);
    memset(all, 0, sizeof all);
    for (kind = 0; kind < KINDS && status == ASC_OK; kind++)
        if (asci_replicates_init(&group[kind], m, e) != ASC_OK
            || asci_replicates_init(&all[kind], m, e) != ASC_OK)
            status = ASC_ESYSTEM;
    for (g = 0; g < n && status == ASC_OK; g++) {
        for (kind = 0; kind < KINDS; kind++)
            asci_replicates_clear(&group[kind]);
        for (i = w->first[g]; i < w->first[g + 1] && status == ASC_OK; i++) {
            const struct item *t = &w->item[i];
            const double v[KINDS] = { t->value, t->centred,
                                      t->centred * t->centred };

            if (i == w->first[g]
                || compare_text(t->unit, t[-1].unit) != 0)
                asc_bootstrap_weights(w->o->seed, t->unit, m, weight);
            for (kind = 0; kind < KINDS && status == ASC_OK; kind++)
                status = asci_replicates_add(&group[kind], weight, v[kind],
                                             e);
        }
        for (kind = 0; kind < KINDS && status == ASC_OK; kind++)
            status = asci_replicates_merge(&all[kind], &group[kind], e);
        for (k = 0; k < m && status == ASC_OK; k++)
            replicate_sums(&group[SUM], &group[CENTRED], &group[SQUARES], k,
                           &sums[k * (n + 1) + g]);
    }
    for (k = 0; k < m && status == ASC_OK; k++)
        replicate_sums(&all[SUM], &all[CENTRED], &all[SQUARES], k,
                       &sums[k * (n + 1) + n]);
    free(weight);
    for (kind = 0; kind < KINDS; kind++) {
        asci_replicates_free(&group[kind]);
        asci_replicates_free(&all[kind]);
    }
    return status;
}

/* lo, hi (3 n_groups + 3) */
static int
intervals(const struct work *w, double *lo, double *hi, struct asc_error *e)
{
    const unsigned m = w->o->replicates;
    const size_t n = w->n_groups, n_values = 3 * n + 3;
    struct sums *sums = NULL;   /* (m, n + 1) groups, then all */
    double *value = NULL;       /* (m, n_values) */
    double *column = NULL;      /* (m) */
    double *mean = NULL;        /* (n) */
    size_t j, worst;
    unsigned k;
    int status = ASC_ESYSTEM;

    if (n_values > SIZE_MAX / sizeof(struct sums) / (m + 1))
        return asc_fail(e, ASC_ESYSTEM, "out of memory: %zu groups are too "
                        "many", n);
    sums = asci_alloc(m, (n + 1) * sizeof *sums, e);
    value = asci_alloc(m, n_values * sizeof *value, e);
    column = asci_alloc(m, sizeof *column, e);
    mean = asci_alloc(n, sizeof *mean, e);
    if (!sums || !value || !column || !mean
        || (status = draw(w, sums, e)) != ASC_OK)
        goto out;
    for (k = 0; k < m; k++)
        statistics(w, &sums[k * (n + 1)], &sums[k * (n + 1) + n], mean,
                   &value[k * n_values], &worst);
    for (j = 0; j < n_values; j++) {
        for (k = 0; k < m; k++)
            column[k] = value[k * n_values + j];
        asci_percentiles(column, m, w->o->level, &lo[j], &hi[j]);
    }
out:
    free(mean);
    free(column);
    free(value);
    free(sums);
    return status;
}

/* ---- p values ---- */

/* Sorts the items and joins those of one unit and group: their centred values
 * and rows are added up.  Returns how many are left. */
static size_t
join_items(struct item *item, size_t n)
{
    size_t i, m = 0;

    qsort(item, n, sizeof *item, compare_items);
    for (i = 0; i < n; i++) {
        if (m > 0 && item[m - 1].group == item[i].group
            && compare_text(item[m - 1].unit, item[i].unit) == 0) {
            item[m - 1].centred += item[i].centred;
            item[m - 1].rows += item[i].rows;
        } else {
            item[m++] = item[i];
        }
    }
    return m;
}

/* |gap| of each group, max-gap and mean-gap into value (n + 2), with the
 * groups label (n_items).  sum, rows, mean (n) are overwritten. */
static void
test_statistics(const struct work *w, const struct item *item, size_t n_items,
                const size_t *label, double *sum, double *rows, double *mean,
                double *value)
{
    const size_t n = w->n_groups;
    double all = 0.0, all_rows = 0.0, ratio;
    size_t g, i, worst;

    for (g = 0; g < n; g++)
        sum[g] = rows[g] = 0.0;
    for (i = 0; i < n_items; i++) {
        sum[label[i]] += item[i].centred;
        rows[label[i]] += item[i].rows;
    }
    for (g = 0; g < n; g++) {
        all += sum[g];
        all_rows += rows[g];
    }
    for (g = 0; g < n; g++) {
        mean[g] = sum[g] / rows[g];
        value[g] = fabs(mean[g] - (all - sum[g]) / (all_rows - rows[g]));
    }
    value[n] = max_gap(mean, n, all / all_rows, w->higher, &worst);
    spread(mean, n, &value[n + 1], &ratio);
}

/* p (n_groups + 2); the items of w are sorted and joined. */
static int
permute(struct work *w, double *p, struct asc_error *e)
{
    const size_t n = w->n_groups;
    const double tie = 1e-9 * sqrt(w->all.squares / w->all.n);
    struct asc_stream s;
    size_t *label = NULL;       /* (n_items) */
    double *room = NULL;        /* (5, n + 2) */
    double *sum, *rows, *mean, *seen, *drawn;
    size_t i, n_items, j;
    unsigned k;
    char name[24];
    int length;

    n_items = join_items(w->item, w->n);
    label = asci_alloc(n_items, sizeof *label, e);
    room = asci_alloc(n + 2, 5 * sizeof *room, e);
    if (!label || !room) {
        free(room);
        free(label);
        return ASC_ESYSTEM;
    }
    sum = room;
    rows = sum + n + 2;
    mean = rows + n + 2;
    seen = mean + n + 2;
    drawn = seen + n + 2;
    for (i = 0; i < n_items; i++)
        label[i] = w->item[i].group;
    test_statistics(w, w->item, n_items, label, sum, rows, mean, seen);
    for (j = 0; j < n + 2; j++)
        p[j] = 1.0;
    for (k = 0; k < w->o->permutations; k++) {
        length = snprintf(name, sizeof name, "%u", k);
        asc_stream_start(&s, w->o->seed, "permutation", name, (size_t)length);
        for (i = 0; i < n_items; i++)
            label[i] = w->item[i].group;
        asc_stream_shuffle(&s, label, n_items);
        test_statistics(w, w->item, n_items, label, sum, rows, mean, drawn);
        for (j = 0; j < n + 2; j++)
            p[j] += drawn[j] >= seen[j] - tie;
    }
    for (j = 0; j < n + 2; j++)
        p[j] /= (double)w->o->permutations + 1.0;
    free(room);
    free(label);
    return ASC_OK;
}

/* ---- the rows of the result ---- */

/* Group g, or all but g, has two or more units. */
static int
rest_has_units(const struct work *w, size_t g)
{
    const struct item *seen = NULL;
    size_t h, i;

    for (h = 0; h < w->n_groups; h++) {
        if (h == g)
            continue;
        if (w->several_units[h])
            return 1;
        i = w->first[h];
        if (seen && compare_text(seen->unit, w->item[i].unit) != 0)
            return 1;
        seen = &w->item[i];
    }
    return 0;
}

/* The intervals of statistics that are undefined, or that one unit alone
 * would make: value, lo, hi (3 n_groups + 3). */
static void
drop_intervals(const struct work *w, const double *value, double *lo,
               double *hi)
{
    const size_t n = w->n_groups, first_effect = 2 * n + 3;
    size_t g, j;

    for (g = 0; g < n; g++) {
        const int units = w->several_units[g];

        j = first_effect + g;
        if (!units)
            lo[g] = hi[g] = NAN;
        if (!units || !rest_has_units(w, g))
            lo[n + g] = hi[n + g] = lo[j] = hi[j] = NAN;
        if (isnan(value[j]))
            lo[j] = hi[j] = NAN;
    }
    for (j = 2 * n; j < first_effect; j++)
        for (g = 0; g < n; g++)
            if (!w->several_units[g] || isnan(value[j]))
                lo[j] = hi[j] = NAN;
}

/* Statistic and group of row j; worst: that of max-gap. */
static void
name_row(const struct work *w, size_t j, size_t worst,
         struct asc_disparity_row *r)
{
    const size_t n = w->n_groups;
    size_t g;

    r->group = SIZE_MAX;
    r->n = w->n;
    if (j >= 2 * n && j < 2 * n + 3) {
        r->statistic = ASC_DISPARITY_MAX_GAP + (j - 2 * n);
        if (j == 2 * n && worst != SIZE_MAX)
            r->group = w->name[worst];
        return;
    }
    r->statistic = j < n ? ASC_DISPARITY_MEAN
                   : j < 2 * n ? ASC_DISPARITY_GAP : ASC_DISPARITY_EFFECT;
    g = j < n ? j : j < 2 * n ? j - n : j - 2 * n - 3;
    r->group = w->name[g];
    r->n = (size_t)w->group[g].n;
}

int
asc_disparity(const double *value, const size_t *group,
              const struct asc_text *unit, size_t n, size_t n_groups,
              int higher, const struct asc_stat_options *o,
              struct asc_disparity_row *rows, size_t *n_rows,
              struct asc_error *e)
{
    struct work w;
    double *result = NULL;      /* (4, n_values): value, lo, hi, p */
    double *lo, *hi, *p;
    size_t n_values, g, j, worst = SIZE_MAX;
    int status;

    *n_rows = 0;
    memset(&w, 0, sizeof w);
    w.higher = higher;
    w.o = o;
    if ((status = collect(&w, value, group, unit, n, n_groups, e)) != ASC_OK
        || w.n_groups == 0)
        goto out;
    n_values = 3 * w.n_groups + 3;
    w.group = asci_alloc_zero(w.n_groups, sizeof *w.group, e);
    w.mean = asci_alloc(w.n_groups, sizeof *w.mean, e);
    result = asci_alloc(n_values, 4 * sizeof *result, e);
    if (!w.group || !w.mean || !result) {
        status = ASC_ESYSTEM;
        goto out;
    }
    lo = result + n_values;
    hi = lo + n_values;
    p = hi + n_values;
    for (j = 0; j < n_values; j++)
        lo[j] = hi[j] = p[j] = NAN;
    if ((status = observe(&w, e)) != ASC_OK)
        goto out;
    statistics(&w, w.group, &w.all, w.mean, result, &worst);
    if (o->replicates > 0
        && (status = intervals(&w, lo, hi, e)) != ASC_OK)
        goto out;
    drop_intervals(&w, result, lo, hi);
    if (o->permutations > 0 && w.n_groups > 1) {
        /* gaps, max-gap, mean-gap */
        if ((status = permute(&w, p + w.n_groups, e)) != ASC_OK)
            goto out;
        for (g = 0; g < w.n_groups; g++)
            if (w.group[g].n < 2.0 || w.all.n - w.group[g].n < 2.0)
                p[w.n_groups + g] = NAN;
    }
    for (j = 0; j < n_values; j++) {
        name_row(&w, j, worst, &rows[j]);
        rows[j].value = result[j];
        rows[j].lo = lo[j];
        rows[j].hi = hi[j];
        rows[j].p = p[j];
    }
    *n_rows = n_values;
out:
    free(result);
    free(w.mean);
    free(w.group);
    free(w.item);
    free(w.several_units);
    free(w.name);
    free(w.first);
    return status;
}
