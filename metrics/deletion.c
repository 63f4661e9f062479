/* metrics/deletion.c -- deletion and insertion: the area under the model's
 * output while fields go or come, most important first.
 *
 *     deletion   int_0^1 f(x without its s d top fields) ds   lower is better
 *     insertion  int_0^1 f(the s d top fields of x only) ds   higher is better
 *
 * by trapezoids over the shares 0, 1/d, ..., 1, one field at a time; with
 * steps=n over n + 1 of them, as equally spaced as whole fields allow.  f is
 * the output that the attribution explains, on its scale; a field without its
 * value is at the baseline.  Positive evidence comes first (order=absolute:
 * largest magnitude); equal attributions keep the order of the fields.  With
 * normalise=yes f is replaced by (f - f(baseline)) / (f(x) - f(baseline)), so
 * that rows can be compared.  On the curve x is the share removed or inserted,
 * value the output there, normalised if asked for.
 *
 * Undefined where an attribution is missing, where the model has no answer,
 * without fields, and with normalise=yes where f(x) = f(baseline).
 *
 * Source: Petsiuk, Das and Saenko 2018, arXiv:1806.07421; the deletion curve is
 * that of pixel flipping, Bach et al. 2015, doi:10.1371/journal.pone.0130140.
 *
 * Cost: d + 1 model rows, or steps + 1, a row.
 */
#include <math.h>
#include <stdlib.h>

#include "metrics/fidelity.h"

enum { STEPS, ORDER, NORMALISE };
enum { ROOM = 1 << 20 };        /* outputs that are kept at a time */

static const struct asc_param params[] = {
    [STEPS] = { "steps", ASC_PARAM_INTEGER, 0, 0, 1e6, NULL,
                "points of the curve less one; 0: one field at a time" },
    [ORDER] = { "order", ASC_PARAM_CHOICE, ASCI_ORDER_SIGNED, 0,
                ASCI_ORDER_ABSOLUTE, "signed|absolute",
                "largest attributions first, or largest magnitudes" },
    [NORMALISE] = { "normalise", ASC_PARAM_CHOICE, 0, 0, 1, "no|yes",
                    "outputs relative to that of the baseline, 0, and of the "
                    "row, 1" },
    ASC_PARAMS_END
};

static int
prepare(const struct asc_metric_task *t, void **state, struct asc_error *e)
{
    (void)state;
    return asci_metric_check(t, e);
}

static size_t
n_steps(const struct asc_metric_task *t, size_t d)
{
    const size_t steps = (size_t)t->spec->value[STEPS];

    return steps > 0 && steps < d ? steps : d;
}

static size_t
n_points(const struct asc_metric_task *t, size_t d)
{
    return n_steps(t, d) + 1;
}

/* From outputs y (n_points) of a row, which may be normalised in place. */
static double
area(const struct asc_metric_task *t, const double *x, double *y, size_t n,
     int keep)
{
    const double full = y[keep ? n - 1 : 0], none = y[keep ? 0 : n - 1];
    size_t c;

    if (n < 2)
        return NAN;
    if (t->spec->value[NORMALISE] != 0.0)
        for (c = 0; c < n; c++)
            y[c] = full == none ? NAN : (y[c] - none) / (full - none);
    return asci_area(x, y, n);
}

/* Rows first .. first + n - 1 of the block. */
static int
score_rows(const struct asc_metric_task *t, struct asc_score *b, size_t first,
           size_t n, int keep, const size_t *count, const double *x,
           size_t n_cuts, double *y, struct asc_error *e)
{
    const struct asc_score part = {
        .n = n, .d = b->d, .x = b->x + first * b->d, .id = b->id + first,
        .phi = b->phi + first * b->d, .output = b->output + first,
        .scale = b->scale + first
    };
    int status = asci_cut_values(t, &part,
                                 (enum asci_order)t->spec->value[ORDER], keep,
                                 count, n_cuts, y, e);
    size_t i, c;

    for (i = 0; i < n && status == ASC_OK; i++) {
        b->result[first + i] = area(t, x, y + i * n_cuts, n_cuts, keep);
        for (c = 0; c < n_cuts && b->curve_x; c++) {
            b->curve_x[(first + i) * n_cuts + c] = x[c];
            b->curve_y[(first + i) * n_cuts + c] = y[i * n_cuts + c];
        }
    }
    return status;
}

static int
score(const struct asc_metric_task *t, struct asc_score *b, int keep,
      struct asc_error *e)
{
    const size_t steps = n_steps(t, b->d), n_cuts = steps + 1;
    const size_t rows = ROOM / n_cuts > 0 ? ROOM / n_cuts : 1;
    size_t *count = NULL;
    double *x = NULL, *y = NULL;
    int status = asci_metric_check_block(t, b, e);
    size_t i, now;

    if (status != ASC_OK)
        return status;
    status = ASC_ESYSTEM;
    count = asci_alloc(n_cuts, sizeof *count, e);
    x = asci_alloc(n_cuts, sizeof *x, e);
    y = asci_alloc(rows < b->n ? rows : b->n, n_cuts * sizeof *y, e);
    if (!count || !x || !y)
        goto out;
    for (i = 0; i < n_cuts; i++) {
        count[i] = steps > 0 ? (2 * i * b->d + steps) / (2 * steps) : 0;
        x[i] = steps > 0 ? (double)count[i] / (double)b->d : 0.0;
    }
    status = ASC_OK;
    for (i = 0; i < b->n && status == ASC_OK; i += now) {
        now = b->n - i < rows ? b->n - i : rows;
        status = score_rows(t, b, i, now, keep, count, x, n_cuts, y, e);
    }
out:
    free(y);
    free(x);
    free(count);
    return status;
}

static int
run_deletion(const struct asc_metric_task *t, const void *state,
             struct asc_score *b, struct asc_error *e)
{
    (void)state;
    return score(t, b, 0, e);
}

static int
run_insertion(const struct asc_metric_task *t, const void *state,
              struct asc_score *b, struct asc_error *e)
{
    (void)state;
    return score(t, b, 1, e);
}

const struct asc_metric asci_metric_deletion = {
    .entry = {
        .name = "deletion",
        .title = "area under the output while the top fields are removed",
        .source = "Petsiuk, Das and Saenko 2018, arXiv:1806.07421",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_DATA | ASC_NEEDS_BASELINE |
                  ASC_EXACT | ASC_LOWER_IS_BETTER | ASC_CURVE
    },
    .prepare = prepare,
    .run = run_deletion,
    .n_points = n_points
};

const struct asc_metric asci_metric_insertion = {
    .entry = {
        .name = "insertion",
        .title = "area under the output while the top fields are put in",
        .source = "Petsiuk, Das and Saenko 2018, arXiv:1806.07421",
        .params = params,
        .traits = ASC_NEEDS_MODEL | ASC_NEEDS_DATA | ASC_NEEDS_BASELINE |
                  ASC_EXACT | ASC_HIGHER_IS_BETTER | ASC_CURVE
    },
    .prepare = prepare,
    .run = run_insertion,
    .n_points = n_points
};
