/* metrics/fidelity.h -- what the metrics of asc-fidelity share. */
#ifndef ASCRIBE_METRICS_FIDELITY_H
#define ASCRIBE_METRICS_FIDELITY_H

#include <stddef.h>

#include <ascribe/metric.h>

#include "base/internal.h"

/* One definition each in a metric file; fidelity.def lists them. */
#define ASC_ENTRY(name) extern const struct asc_metric asci_metric_##name;
#include "metrics/fidelity.def"
#undef ASC_ENTRY

/* Values of the parameter `order`, in a metric's own order of choices. */
enum asci_order { ASCI_ORDER_SIGNED, ASCI_ORDER_ABSOLUTE };

/* ASC_OK, or an error that says what the metric's traits ask for and the task
 * or block lacks. */
int asci_metric_check(const struct asc_metric_task *t, struct asc_error *e);
int asci_metric_check_block(const struct asc_metric_task *t,
                            const struct asc_score *b, struct asc_error *e);

struct asci_ranked { double key; size_t field; };
/* order (d): fields by falling phi, or |phi|; equal ones in their own order.
 * 0 if one is missing, and order is not defined; else 1.  scratch (d). */
int asci_rank_fields(const double *phi, size_t d, enum asci_order by,
                     struct asci_ranked *scratch, size_t *order);
/* How many fields a share of d is, rounded up, at least 1, at most d: 20 % of
 * 15 is 3, although 0.2 * 15 may not be. */
size_t asci_share_count(double share, size_t d);

/* y (n, n_cuts): the model's output for each row of the block with the
 * count[t] top fields at their baseline, or, with keep, with all fields but
 * those at their baseline; on the row's scale.  NaN where phi is missing.
 * Equal counts that follow each other are evaluated once. */
int asci_cut_values(const struct asc_metric_task *t,
                    const struct asc_score *b, enum asci_order by, int keep,
                    const size_t *count, size_t n_cuts, double *y,
                    struct asc_error *e);

/* gap (n, k_last - k_first + 1): the mean of |f(x') - f(x)| over samples x'
 * that take the k first fields of order (important) or all others (not) from
 * alternative, k = k_first .. k_last, on the row's scale.
 * order (n, d), alternative (n, samples, d). */
int asci_prediction_gap(const asc_model *m, const struct asc_score *b,
                        const size_t *order, const double *alternative,
                        size_t samples, size_t k_first, size_t k_last,
                        int important, double *gap, struct asc_error *e);

/* A queue of model rows for each scale; one output of each row is asked for.
 * See attribute/probe.h. */
struct asci_probes;
struct asci_probes *asci_probes_new(const asc_model *m, size_t expected,
                                    struct asc_error *e);
void asci_probes_free(struct asci_probes *p);
int asci_probes_row(struct asci_probes *p, enum asc_scale scale,
                    const size_t *output, double *to, double **x,
                    struct asc_error *e);
int asci_probes_flush(struct asci_probes *p, struct asc_error *e);

/* The area under y (n) over x (n), x rising: trapezoids. */
double asci_area(const double *x, const double *y, size_t n);

#endif
