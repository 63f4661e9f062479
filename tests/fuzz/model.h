/* tests/fuzz/model.h -- what every model must do that a reader has made of any
 * bytes. */
#ifndef ASCRIBE_TESTS_FUZZ_MODEL_H
#define ASCRIBE_TESTS_FUZZ_MODEL_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/model.h>

#include "tests/fuzz/fuzz.h"

enum { N_ROWS = 6 };

static inline double
value(const struct asc_field *f, size_t row)
{
    static const double numbers[N_ROWS] = { 0.0, NAN, 1.0, -1e300, 1e300,
                                            0.5 };

    if (f->kind == ASC_CONTINUOUS || row == 1)
        return numbers[row];
    if (row == 2)
        return (double)f->n_categories;
    return f->n_categories ? (double)(row % f->n_categories) : 0.0;
}

static inline int
same(const double *a, const double *b, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!(a[i] == b[i] || (isnan(a[i]) && isnan(b[i]))))
            return 0;
    return 1;
}

static inline void
ask(const asc_model *m, enum asc_scale scale, const double *x, double *y)
{
    const size_t d = asc_model_schema(m)->n, k = asc_model_n_outputs(m);
    double *one = malloc((k + 1) * sizeof *one);
    struct asc_error e;
    size_t i;

    check(one != NULL);
    check(asc_model_evaluate(m, scale, x, N_ROWS, y, &e) == ASC_OK);
    for (i = 0; i < N_ROWS; i++) {
        check(asc_model_evaluate(m, scale, x + i * d, 1, one, &e) == ASC_OK);
        check(same(one, y + i * k, k));
        check(asc_model_winner(m, one) < k);
    }
    check(asc_model_predict(m, scale, x, N_ROWS, y, &e) == ASC_OK);
    free(one);
}

/* A refusal says so in one line that begins with the file's name, "f"; a model
 * answers: rows of zeros, of missing values, of undeclared categories and of
 * large numbers, one by one and together, give the same.  Takes m over. */
static inline void
check_model(asc_model *m, const struct asc_error *e)
{
    double *x, *y;
    size_t i, j, d, k;

    if (!m) {
        check(e->status != ASC_OK);
        check(e->status == ASC_ESYSTEM || strncmp(e->text, "f:", 2) == 0);
        check(!strchr(e->text, '\n'));
        return;
    }
    d = asc_model_schema(m)->n;
    k = asc_model_n_outputs(m);
    check(k > 0);
    x = malloc((N_ROWS * d + 1) * sizeof *x);
    y = malloc((N_ROWS * k + 1) * sizeof *y);
    check(x && y);
    for (i = 0; i < N_ROWS; i++)
        for (j = 0; j < d; j++)
            x[i * d + j] = value(&asc_model_schema(m)->field[j], i);
    ask(m, ASC_RAW, x, y);
    ask(m, ASC_RESPONSE, x, y);
    free(y);
    free(x);
    asc_model_free(m);
}

#endif
