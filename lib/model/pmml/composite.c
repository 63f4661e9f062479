/* model/pmml/composite.c -- models that do not become one form: they are
 * evaluated in their order, on the rows to which they apply.
 *
 *     sum, average    sum_i w_i y_i, over sum_i w_i
 *     vote            share of the weights of those whose label wins
 *     first           the first that applies
 *     chain           the last that applies; each sees the outputs of those
 *                     before it, as further fields of the row
 *
 * A row's result does not depend on the rows beside it: the parts promise that
 * of themselves, and gathering rows changes nothing in them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

enum { BLOCK = 256 };

struct work {
    double *x;                  /* (BLOCK, d_all) */
    double *gathered;           /* (BLOCK, d_all) */
    double *part;               /* (BLOCK, outputs of the widest part) */
    double *raw;                /* the same, on the raw scale */
    double *weight;             /* (BLOCK) sum so far */
    size_t *row;                /* (BLOCK) to which a step applies */
    char *done;                 /* (BLOCK) */
};

void
asci_pmml_composite_free(void *state)
{
    struct pmml_composite *c = state;
    size_t i;

    if (!c)
        return;
    for (i = 0; c->step && i < c->n_steps; i++) {
        asc_model_free(c->step[i].test.m);
        asc_model_free(c->step[i].model.m);
        free(c->step[i].test.field);
        free(c->step[i].model.field);
        free(c->step[i].to);
        free(c->step[i].fill);
    }
    free(c->step);
    free(c->rescale);
    free(c);
}

static int
start_work(const struct pmml_composite *c, struct work *w,
           struct asc_error *e)
{
    size_t i, widest = 1;

    memset(w, 0, sizeof *w);
    for (i = 0; i < c->n_steps; i++) {
        const size_t n = asc_model_n_outputs(c->step[i].model.m);

        if (n > widest)
            widest = n;
    }
    w->x = asci_alloc(BLOCK, c->d_all * sizeof *w->x, e);
    w->gathered = asci_alloc(BLOCK, c->d_all * sizeof *w->gathered, e);
    w->part = asci_alloc(BLOCK, widest * sizeof *w->part, e);
    w->raw = asci_alloc(BLOCK, widest * sizeof *w->raw, e);
    w->weight = asci_alloc(BLOCK, sizeof *w->weight, e);
    w->row = asci_alloc(BLOCK, sizeof *w->row, e);
    w->done = asci_alloc(BLOCK, 1, e);
    return w->x && w->gathered && w->part && w->raw && w->weight && w->row &&
           w->done ? ASC_OK : ASC_ESYSTEM;
}

static void
end_work(struct work *w)
{
    free(w->x);
    free(w->gathered);
    free(w->part);
    free(w->raw);
    free(w->weight);
    free(w->row);
    free(w->done);
}

/* The fields that a part reads, of n rows row[0], row[1], ... (NULL: all). */
static void
gather(const struct pmml_composite *c, const struct pmml_part *part,
       struct work *w, const size_t *row, size_t n)
{
    size_t i, j;

    for (i = 0; i < n; i++) {
        const double *x = w->x + (row ? row[i] : i) * c->d_all;
        double *to = w->gathered + i * part->n;

        for (j = 0; j < part->n; j++)
            to[j] = x[part->field[j]];
    }
}

/* The rows to which a step applies, *k of them. */
static int
choose_rows(const struct pmml_composite *c, const struct pmml_step *s,
            struct work *w, size_t n, size_t *k, struct asc_error *e)
{
    size_t i;
    int status;

    *k = 0;
    if (s->test.m) {
        gather(c, &s->test, w, NULL, n);
        if ((status = asc_model_evaluate(s->test.m, ASC_RESPONSE,
                                         w->gathered, n, w->part, e)))
            return status;
    }
    for (i = 0; i < n; i++) {
        if ((s->test.m && w->part[i] != 1.0) ||
            (c->method == PMML_FIRST && w->done[i]))
            continue;
        w->row[(*k)++] = i;
        w->done[i] = 1;
    }
    return ASC_OK;
}

static int
any_missing(const double *y, size_t n)
{
    size_t k;

    for (k = 0; k < n; k++)
        if (isnan(y[k]))
            return 1;
    return 0;
}

static void
fill(const struct pmml_composite *c, const struct pmml_step *s,
     struct work *w, size_t n)
{
    const size_t n_out = asc_model_n_outputs(s->model.m);
    size_t i, j;

    for (i = 0; i < n; i++) {
        const double *y = w->part + i * n_out;
        double *x = w->x + w->row[i] * c->d_all;

        for (j = 0; j < s->n_fills; j++) {
            const struct pmml_fill *f = &s->fill[j];

            if (!f->label)
                x[f->field] = y[f->output];
            else if (any_missing(y, n_out))
                x[f->field] = NAN;
            else
                x[f->field] = (double)asc_model_winner(s->model.m, y);
        }
    }
}

/* What a step gives to the rows of the result, y (n_outputs each). */
static void
combine(const struct pmml_composite *c, const struct pmml_step *s,
        const struct work *w, const double *part, size_t n, double *y)
{
    const size_t n_out = asc_model_n_outputs(s->model.m);
    size_t i, k;

    for (i = 0; i < n; i++) {
        const double *from = part + i * n_out;
        double *to = y + w->row[i] * c->n_outputs;
        const int missing = any_missing(from, n_out);

        if (missing && c->skip_missing)
            continue;
        w->weight[w->row[i]] += s->weight;
        if (c->method == PMML_FIRST || c->method == PMML_CHAIN)
            for (k = 0; k < c->n_outputs; k++)
                to[k] = missing ? NAN : 0.0;
        if (c->method == PMML_VOTE && !missing) {
            k = s->to[asc_model_winner(s->model.m, from)];
            to[k] += s->weight;
            continue;
        }
        for (k = 0; k < n_out; k++)
            if (missing)
                to[s->to[k]] = NAN;
            else if (c->method == PMML_SUM || c->method == PMML_AVERAGE)
                to[s->to[k]] += s->weight * from[k];
            else
                to[s->to[k]] = from[k];
    }
}

static double
rescaled(const struct asci_rescale *r, double y)
{
    y = fmin(fmax(y, r->min), r->max) * r->factor + r->constant;
    return r->cast == 1 ? round(y) : r->cast == 2 ? ceil(y)
           : r->cast == 3 ? floor(y) : y;
}

static void
finish(const struct pmml_composite *c, enum asc_scale scale,
       const struct work *w, size_t n, double *y)
{
    const int shares = c->method == PMML_AVERAGE || c->method == PMML_VOTE;
    size_t i, k;

    for (i = 0; i < n; i++)
        for (k = 0; k < c->n_outputs; k++) {
            double *v = &y[i * c->n_outputs + k];

            if (w->weight[i] == 0.0)
                *v = NAN;
            else if (shares)
                *v /= w->weight[i];
            if (scale == ASC_RESPONSE && c->rescale && !isnan(*v))
                *v = rescaled(c->rescale, *v);
        }
}

static int
run_step(const struct pmml_composite *c, const struct pmml_step *s,
         enum asc_scale scale, struct work *w, size_t n, double *y,
         struct asc_error *e)
{
    const int raw = scale == ASC_RAW && s->is_result && c->linked;
    size_t k;
    int status;

    if ((status = choose_rows(c, s, w, n, &k, e)) || k == 0)
        return status;
    gather(c, &s->model, w, w->row, k);
    if ((status = asc_model_evaluate(s->model.m, ASC_RESPONSE, w->gathered, k,
                                     w->part, e)) ||
        (raw && (status = asc_model_evaluate(s->model.m, ASC_RAW, w->gathered,
                                             k, w->raw, e))))
        return status;
    fill(c, s, w, k);
    if (s->is_result)
        combine(c, s, w, raw ? w->raw : w->part, k, y);
    return ASC_OK;
}

int
asci_pmml_composite_evaluate(const void *state, enum asc_scale scale,
                             const double *x, size_t n, double *y,
                             struct asc_error *e)
{
    const struct pmml_composite *c = state;
    struct work w;
    size_t i, j, k, now;
    int status = start_work(c, &w, e);

    for (i = 0; i < n && status == ASC_OK; i += now) {
        double *to = y + i * c->n_outputs;

        now = n - i < BLOCK ? n - i : BLOCK;
        for (j = 0; j < now; j++)
            for (k = 0; k < c->d_all; k++)
                w.x[j * c->d_all + k] = k < c->d ? x[(i + j) * c->d + k]
                                                 : NAN;
        memset(w.done, 0, now);
        for (j = 0; j < now; j++)
            w.weight[j] = 0.0;
        for (j = 0; j < now * c->n_outputs; j++)
            to[j] = 0.0;
        for (j = 0; j < c->n_steps && status == ASC_OK; j++)
            status = run_step(c, &c->step[j], scale, &w, now, to, e);
        finish(c, scale, &w, now, to);
    }
    end_work(&w);
    return status;
}
