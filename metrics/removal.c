/* metrics/removal.c -- what the metrics of asc-fidelity share: the order of
 * the fields, and the model's outputs without some of them.
 *
 * "Removed" means set to the baseline of the background: its row if it is one,
 * else means of continuous fields and modes of categorical ones.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/probe.h"
#include "metrics/fidelity.h"

int
asci_metric_check(const struct asc_metric_task *t, struct asc_error *e)
{
    const unsigned traits = t->spec->entry->traits;
    const char *name = t->spec->entry->name;

    if (traits & ASC_NEEDS_MODEL && !t->model)
        return asc_fail(e, ASC_EUSAGE, "%s asks the model: give it with -m",
                        name);
    if (traits & (ASC_NEEDS_BASELINE | ASC_NEEDS_BACKGROUND) &&
        !t->background)
        return asc_fail(e, ASC_EUSAGE, "%s needs %s: give %s with -b", name,
                        traits & ASC_NEEDS_BASELINE
                        ? "a baseline for fields that are removed"
                        : "background rows",
                        traits & ASC_NEEDS_BASELINE
                        ? "its row, or background rows," : "them");
    if (t->model && t->background &&
        t->background->d != asc_model_schema(t->model)->n)
        return asc_fail(e, ASC_EINPUT, "%s: the model has %zu fields, the "
                        "background %zu", asc_model_name(t->model),
                        asc_model_schema(t->model)->n, t->background->d);
    return ASC_OK;
}

int
asci_metric_check_block(const struct asc_metric_task *t,
                        const struct asc_score *b, struct asc_error *e)
{
    size_t i;

    if (t->spec->entry->traits & ASC_NEEDS_DATA && !b->x)
        return asc_fail(e, ASC_EUSAGE, "%s looks at the rows explained: give "
                        "them with -x", t->spec->entry->name);
    if (!t->model)
        return ASC_OK;
    if (b->d != asc_model_schema(t->model)->n)
        return asc_fail(e, ASC_EUSAGE, "%s: the model has %zu fields, the "
                        "attributions %zu", asc_model_name(t->model),
                        asc_model_schema(t->model)->n, b->d);
    for (i = 0; i < b->n; i++)
        if (b->output[i] >= asc_model_n_outputs(t->model))
            return asc_fail(e, ASC_EUSAGE, "%s: output %zu of %zu is not "
                            "there", asc_model_name(t->model),
                            b->output[i] + 1, asc_model_n_outputs(t->model));
    return ASC_OK;
}

static int
compare(const void *a, const void *b)
{
    const struct asci_ranked *p = a, *q = b;

    if (p->key != q->key)
        return p->key > q->key ? -1 : 1;
    return (p->field > q->field) - (p->field < q->field);
}

int
asci_rank_fields(const double *phi, size_t d, enum asci_order by,
                 struct asci_ranked *scratch, size_t *order)
{
    size_t j;

    for (j = 0; j < d; j++) {
        if (isnan(phi[j]))
            return 0;
        scratch[j].key = by == ASCI_ORDER_ABSOLUTE ? fabs(phi[j]) : phi[j];
        scratch[j].field = j;
    }
    qsort(scratch, d, sizeof *scratch, compare);
    for (j = 0; j < d; j++)
        order[j] = scratch[j].field;
    return 1;
}

size_t
asci_share_count(double share, size_t d)
{
    const double exact = share * (double)d, whole = round(exact);
    size_t k;

    /* A product that is a whole number but for rounding is that number. */
    k = (size_t)(fabs(exact - whole) <= 1e-9 * (whole + 1.0) ? whole
                                                             : ceil(exact));
    if (k < 1)
        k = 1;
    return k < d ? k : d;
}

double
asci_area(const double *x, const double *y, size_t n)
{
    double area = 0.0;
    size_t i;

    for (i = 1; i < n; i++)
        area += (x[i] - x[i - 1]) * 0.5 * (y[i] + y[i - 1]);
    return area;
}

/* ---- a queue for each scale ---- */

struct asci_probes {
    const asc_model *model;
    size_t expected;
    int there[2];
    struct asci_probe of[2];    /* by scale, made when first asked for */
};

struct asci_probes *
asci_probes_new(const asc_model *m, size_t expected, struct asc_error *e)
{
    struct asci_probes *p = asci_alloc_zero(1, sizeof *p, e);

    if (p) {
        p->model = m;
        p->expected = expected;
    }
    return p;
}

void
asci_probes_free(struct asci_probes *p)
{
    if (!p)
        return;
    asci_probe_free(&p->of[0]);
    asci_probe_free(&p->of[1]);
    free(p);
}

int
asci_probes_row(struct asci_probes *p, enum asc_scale scale,
                const size_t *output, double *to, double **x,
                struct asc_error *e)
{
    const size_t s = scale == ASC_RESPONSE;

    if (!p->there[s]) {
        if (asci_probe_init(&p->of[s], p->model, scale, p->expected, e))
            return ASC_ESYSTEM;
        p->there[s] = 1;
    }
    return asci_probe_row(&p->of[s], output, 1, to, 1, x, e);
}

int
asci_probes_flush(struct asci_probes *p, struct asc_error *e)
{
    int status = ASC_OK;
    size_t s;

    for (s = 0; s < 2 && status == ASC_OK; s++)
        if (p->there[s])
            status = asci_probe_flush(&p->of[s], e);
    return status;
}

/* ---- outputs without some fields ---- */

/* Whether cut c is the one before once more. */
static int
repeats(const size_t *count, size_t c)
{
    return c > 0 && count[c] == count[c - 1];
}

/* Asks for all cuts of row i. */
static int
ask_cuts(struct asci_probes *probes, const struct asc_metric_task *t,
         const struct asc_score *b, size_t i, const size_t *order, int keep,
         const size_t *count, size_t n_cuts, double *y, struct asc_error *e)
{
    const double *baseline = t->background->baseline;
    const size_t d = b->d;
    int status = ASC_OK;
    size_t c, j;
    double *z;

    for (c = 0; c < n_cuts && status == ASC_OK; c++) {
        if (repeats(count, c))
            continue;
        status = asci_probes_row(probes, b->scale[i], &b->output[i], &y[c],
                                 &z, e);
        if (status != ASC_OK)
            break;
        memcpy(z, keep ? baseline : b->x + i * d, d * sizeof *z);
        for (j = 0; j < count[c]; j++)
            z[order[j]] = keep ? b->x[i * d + order[j]] : baseline[order[j]];
    }
    return status;
}

int
asci_cut_values(const struct asc_metric_task *t, const struct asc_score *b,
                enum asci_order by, int keep, const size_t *count,
                size_t n_cuts, double *y, struct asc_error *e)
{
    const size_t d = b->d;
    struct asci_probes *probes = NULL;
    struct asci_ranked *scratch = NULL;
    size_t *order = NULL;
    int status = ASC_ESYSTEM;
    size_t i, c;

    probes = asci_probes_new(t->model, b->n * n_cuts, e);
    scratch = asci_alloc(d, sizeof *scratch, e);
    order = asci_alloc(d, sizeof *order, e);
    if (!probes || !scratch || !order)
        goto out;
    status = ASC_OK;
    for (i = 0; i < b->n && status == ASC_OK; i++) {
        if (asci_rank_fields(b->phi + i * d, d, by, scratch, order))
            status = ask_cuts(probes, t, b, i, order, keep, count, n_cuts,
                              y + i * n_cuts, e);
        else
            for (c = 0; c < n_cuts; c++)
                y[i * n_cuts + c] = NAN;
    }
    if (status == ASC_OK)
        status = asci_probes_flush(probes, e);
    for (i = 0; i < b->n && status == ASC_OK; i++)
        for (c = 1; c < n_cuts; c++)
            if (repeats(count, c))
                y[i * n_cuts + c] = y[i * n_cuts + c - 1];
out:
    free(order);
    free(scratch);
    asci_probes_free(probes);
    return status;
}
