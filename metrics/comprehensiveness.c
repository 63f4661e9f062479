/* metrics/comprehensiveness.c -- comprehensiveness and sufficiency.
 *
 * With r_q the ceil(q d) fields of largest attribution:
 *
 *     comprehensiveness_q = f(x) - f(x without r_q)      higher is better
 *     sufficiency_q       = f(x) - f(r_q only)           lower is better
 *
 * and, unless `share` says otherwise, their mean over q = 1, 5, 10, 20 and
 * 50 % (the area over the perturbation curve of ERASER).  f is the output that
 * the attribution explains, on its scale; a field without its value is at the
 * baseline.  Positive evidence comes first (order=absolute: largest
 * magnitude); equal attributions keep the order of the fields.  On the curve,
 * x is q and value the metric at q.
 *
 * The result may be negative, and beyond 1.  With few fields several q remove
 * the same ones; the mean is over all five nevertheless.  With one field
 * comprehensiveness is f(x) - f(baseline) and sufficiency 0.  Undefined where
 * an attribution is missing, where the model has no answer, without fields.
 *
 * Source: DeYoung et al. 2020, doi:10.18653/v1/2020.acl-main.408, section
 * 4.2; their code for the bins.
 *
 * Cost: one model row, and one for each different ceil(q d), a row.
 */
#include <math.h>
#include <stdlib.h>

#include "metrics/fidelity.h"

enum { SHARE, ORDER };
enum { BINS = 5 };

static const double bins[BINS] = { 0.01, 0.05, 0.1, 0.2, 0.5 };

static const struct asc_param params[] = {
    [SHARE] = { "share", ASC_PARAM_REAL, 0, 0, 1, NULL,
                "share of the fields taken; 0: the mean over 0.01, 0.05, 0.1, "
                "0.2 and 0.5" },
    [ORDER] = { "order", ASC_PARAM_CHOICE, ASCI_ORDER_SIGNED, 0,
                ASCI_ORDER_ABSOLUTE, "signed|absolute",
                "largest attributions first, or largest magnitudes" },
    ASC_PARAMS_END
};

static int
prepare(const struct asc_metric_task *t, void **state, struct asc_error *e)
{
    (void)state;
    return asci_metric_check(t, e);
}

static size_t
n_points(const struct asc_metric_task *t, size_t d)
{
    (void)d;
    return t->spec->value[SHARE] > 0.0 ? 1 : BINS;
}

static int
score(const struct asc_metric_task *t, struct asc_score *b, int keep,
      struct asc_error *e)
{
    const double share = t->spec->value[SHARE];
    const size_t n_bins = n_points(t, b->d), n_cuts = n_bins + 1;
    size_t count[BINS + 1] = { keep ? b->d : 0 };
    double *y = NULL;
    int status = asci_metric_check_block(t, b, e);
    size_t i, c;

    if (status != ASC_OK)
        return status;
    y = asci_alloc(b->n, n_cuts * sizeof *y, e);
    if (!y)
        return ASC_ESYSTEM;
    for (c = 0; c < n_bins; c++)
        count[c + 1] = asci_share_count(share > 0.0 ? share : bins[c], b->d);
    status = asci_cut_values(t, b, (enum asci_order)t->spec->value[ORDER],
                             keep, count, n_cuts, y, e);
    for (i = 0; i < b->n && status == ASC_OK; i++) {
        const double *cut = y + i * n_cuts;
        double sum = 0.0;

        for (c = 0; c < n_bins; c++) {
            const double fall = b->d > 0 ? cut[0] - cut[c + 1] : NAN;

            sum += fall;
            if (b->curve_x) {
                b->curve_x[i * n_bins + c] = share > 0.0 ? share : bins[c];
                b->curve_y[i * n_bins + c] = fall;
            }
        }
        b->result[i] = sum / (double)n_bins;
    }
    free(y);
    return status;
}

static int
run_comprehensiveness(const struct asc_metric_task *t, const void *state,
                      struct asc_score *b, struct asc_error *e)
{
    (void)state;
    return score(t, b, 0, e);
}

static int
run_sufficiency(const struct asc_metric_task *t, const void *state,
                struct asc_score *b, struct asc_error *e)
{
    (void)state;
    return score(t, b, 1, e);
}

const struct asc_metric asci_metric_comprehensiveness = {
    .entry = {
        .name = "comprehensiveness",
        .title = "fall of the output when the top fields are removed",
        .source = "DeYoung et al. 2020, doi:10.18653/v1/2020.acl-main.408, "
                  "section 4.2",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_DATA | ASC_NEEDS_BASELINE |
                  ASC_EXACT | ASC_HIGHER_IS_BETTER | ASC_CURVE
    },
    .prepare = prepare,
    .run = run_comprehensiveness,
    .n_points = n_points
};

const struct asc_metric asci_metric_sufficiency = {
    .entry = {
        .name = "sufficiency",
        .title = "fall of the output when only the top fields are left",
        .source = "DeYoung et al. 2020, doi:10.18653/v1/2020.acl-main.408, "
                  "section 4.2",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_DATA | ASC_NEEDS_BASELINE |
                  ASC_EXACT | ASC_LOWER_IS_BETTER | ASC_CURVE
    },
    .prepare = prepare,
    .run = run_sufficiency,
    .n_points = n_points
};
