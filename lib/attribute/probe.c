/* attribute/probe.c -- model rows asked for one by one, evaluated in bulk.
 *
 * What methods and metrics that look at a model from outside spend their time
 * on is evaluation, which is fast in blocks: a few thousand rows for a model
 * in memory, more for a command, which may be started anew for each call.
 * Memory: at most ROOM doubles, or one row.  A value depends on its row alone,
 * so the size of the queue never shows.
 */
#include <stdlib.h>
#include <string.h>

#include "attribute/probe.h"

enum {
    ROOM = 1 << 22,             /* doubles */
    ROWS = 4096, ROWS_OPAQUE = 65536
};

static size_t
choose_capacity(const asc_model *model, size_t width, size_t expected)
{
    size_t rows = asc_model_form(model) == ASC_FORM_OPAQUE ? ROWS_OPAQUE
                                                           : ROWS;

    if (rows > ROOM / width)
        rows = ROOM / width;
    if (rows > expected)
        rows = expected;
    return rows > 0 ? rows : 1;
}

int
asci_probe_init(struct asci_probe *p, const asc_model *model,
                enum asc_scale scale, size_t expected, struct asc_error *e)
{
    memset(p, 0, sizeof *p);
    p->model = model;
    p->scale = scale;
    p->d = asc_model_schema(model)->n;
    p->k = asc_model_n_outputs(model);
    p->capacity = choose_capacity(model, p->d + p->k, expected);
    p->x = asci_alloc(p->capacity, (p->d ? p->d : 1) * sizeof *p->x, e);
    p->y = asci_alloc(p->capacity, p->k * sizeof *p->y, e);
    p->answer = asci_alloc(p->capacity, sizeof *p->answer, e);
    if (!p->x || !p->y || !p->answer) {
        asci_probe_free(p);
        return ASC_ESYSTEM;
    }
    return ASC_OK;
}

void
asci_probe_free(struct asci_probe *p)
{
    free(p->answer);
    free(p->y);
    free(p->x);
    memset(p, 0, sizeof *p);
}

int
asci_probe_flush(struct asci_probe *p, struct asc_error *e)
{
    int status = ASC_OK;
    size_t i, t;

    if (p->n > 0)
        status = asc_model_evaluate(p->model, p->scale, p->x, p->n, p->y, e);
    for (i = 0; i < p->n && status == ASC_OK; i++) {
        const struct asci_answer *a = &p->answer[i];
        const double *y = p->y + i * p->k;

        for (t = 0; t < a->q; t++)
            a->to[t * a->stride] = y[a->output[t]];
    }
    p->n = 0;
    return status;
}

int
asci_probe_row(struct asci_probe *p, const size_t *output, size_t q,
               double *to, size_t stride, double **x, struct asc_error *e)
{
    struct asci_answer *a;
    int status = ASC_OK;

    if (p->n == p->capacity)
        status = asci_probe_flush(p, e);
    if (status != ASC_OK)
        return status;
    a = &p->answer[p->n];
    a->to = to;
    a->output = output;
    a->q = q;
    a->stride = stride;
    *x = p->x + p->n++ * p->d;
    return ASC_OK;
}

int
asci_values(const asc_model *model, enum asc_scale scale, const double *x,
            size_t n, const size_t *output, size_t q, double *value,
            struct asc_error *e)
{
    struct asci_probe p;
    int status = asci_probe_init(&p, model, scale, n, e);
    size_t i;
    double *z;

    for (i = 0; i < n && status == ASC_OK; i++) {
        status = asci_probe_row(&p, output + i * q, q, value + i * q, 1, &z,
                                e);
        if (status == ASC_OK)
            memcpy(z, x + i * p.d, p.d * sizeof *z);
    }
    if (status == ASC_OK)
        status = asci_probe_flush(&p, e);
    asci_probe_free(&p);
    return status;
}
