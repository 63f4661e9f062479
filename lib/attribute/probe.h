/* attribute/probe.h -- model rows asked for one by one, evaluated in bulk. */
#ifndef ASCRIBE_ATTRIBUTE_PROBE_H
#define ASCRIBE_ATTRIBUTE_PROBE_H

#include <math.h>
#include <stddef.h>

#include <ascribe/model.h>

#include "base/internal.h"

/* A queue of rows for one model on one scale, of one thread. */
struct asci_probe {
    const asc_model *model;
    enum asc_scale scale;
    size_t d, k;                /* fields, outputs */
    size_t n, capacity;         /* rows that wait, room for them */
    double *x;                  /* (capacity, d) */
    double *y;                  /* (capacity, k) */
    struct asci_answer {
        double *to;             /* to[t * stride] = y[output[t]], t < q */
        const size_t *output;
        size_t q, stride;
    } *answer;                  /* (capacity) */
};

/* expected: how many rows will be asked for, at most; keeps small work
 * small. */
int asci_probe_init(struct asci_probe *p, const asc_model *model,
                    enum asc_scale scale, size_t expected,
                    struct asc_error *e);
void asci_probe_free(struct asci_probe *p);

/* One more row: *x (d) is room that the caller fills before the next call,
 * which may evaluate the queue.  The answers, for the q outputs listed, are
 * there after the flush; output and to must live until then. */
int asci_probe_row(struct asci_probe *p, const size_t *output, size_t q,
                   double *to, size_t stride, double **x,
                   struct asc_error *e);
/* Evaluates what waits. */
int asci_probe_flush(struct asci_probe *p, struct asc_error *e);

/* value (n, q) = the outputs listed, output (n, q), of the rows x (n, d). */
int asci_values(const asc_model *model, enum asc_scale scale, const double *x,
                size_t n, const size_t *output, size_t q, double *value,
                struct asc_error *e);

/* Equal values of a field, missing ones included. */
static inline int
asci_same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

#endif
