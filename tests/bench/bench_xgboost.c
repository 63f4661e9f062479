/* Ensembles that libxgboost trained, computed by it and by us: the same
 * models and rows, one process, one thread.
 *
 * Usage: bench_xgboost
 */
#include "bench.h"
#include "xgboost.h"

/* ---- predictions ---- */

/* The faster of XGBoost's two ways.  The first is given its matrix of the
 * rows, but a new one each time: it remembers what it predicted. */
static double
time_xgboost(const struct xgb_plan *p, xgb_handle booster, const float *x,
             size_t n, float *margin)
{
    xgb_handle rows = xgb_rows(p, x, n);
    double start = now(), matrix, inplace;

    memcpy(margin, xgb_predict(booster, rows, XGB_MARGIN),
           n * sizeof *margin);
    matrix = now() - start;
    xgb_check(xgb.matrix_free(rows));
    if (p->categories > 0)
        return matrix;          /* the other one takes numbers only */
    start = now();
    xgb_inplace(booster, x, n, p->d);
    inplace = now() - start;
    return matrix < inplace ? matrix : inplace;
}

static int
same_margins(const double *y, const float *margin, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!((float)y[i] == margin[i]))
            return 0;
    return 1;
}

/* Seconds of XGBoost as a multiple of ours, medians of RUNS. */
static void
bench_predict(const struct xgb_plan *p, size_t n, int runs, double target,
              struct asc_stream *s)
{
    asc_model *m;
    xgb_handle booster = xgb_train(p, s, &m);
    float *single = room(n * p->d, sizeof *single);
    float *margin = room(n, sizeof *margin);
    double *x = room(n * p->d, sizeof *x), *y = room(n, sizeof *y);
    double predict[RUNS], evaluate[RUNS], took[RUNS], start, theirs;
    struct asc_error e;
    char name[200];
    int i;

    xgb_numbers(p, n, s, single, x);
    for (i = 0; i < runs; i++) {
        theirs = time_xgboost(p, booster, single, n, margin);
        start = now();
        if (asc_model_evaluate(m, ASC_RAW, x, n, y, &e))
            die(e.text);
        took[i] = now() - start;
        evaluate[i] = theirs / took[i];
        start = now();
        if (asc_model_predict(m, ASC_RAW, x, n, y, &e))
            die(e.text);
        predict[i] = theirs / (now() - start);
        if (!same_margins(y, margin, n))
            die("asc_model_predict and XGBoost differ");
    }
    text(name, "%zu trees of depth %zu, %zu fields%s, %zu rows", p->trees,
         p->depth, p->d, p->categories ? " (half categories)" : "", n);
    report(name, (double)n / median(took, (size_t)runs), "rows/s, evaluate");
    report_at_least(name, median(evaluate, (size_t)runs),
                    "times as fast as libxgboost, evaluate", target);
    report_at_least(name, median(predict, (size_t)runs),
                    "times as fast as libxgboost, predict", target);
    xgb_check(xgb.free(booster));
    asc_model_free(m);
    free(single);
    free(margin);
    free(x);
    free(y);
}

static void
bench_predictions(struct asc_stream *s)
{
    /* Where there is little to compute per value (the wide one) both read
     * memory, and XGBoost has compressed it beforehand. */
    static const struct {
        struct xgb_plan plan;
        size_t n;
        int runs;
        double target;
    } cases[] = {
        { { 500, 6, 14, 10000, 0 }, 1000000, 1, 1.0 },
        { { 500, 6, 14, 10000, 0 }, 100, RUNS, 1.0 },
        { { 500, 1, 14, 10000, 0 }, 100000, RUNS, 1.0 },
        { { 30, 20, 14, 50000, 0 }, 50000, RUNS, 1.0 },
        { { 100, 6, 1000, 1000, 0 }, 10000, RUNS, 0.5 },
        { { 200, 6, 14, 10000, 200 }, 20000, RUNS, 1.0 }
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        bench_predict(&cases[i].plan, cases[i].n, cases[i].runs,
                      cases[i].target, s);
}

int
main(void)
{
    struct asc_stream s;
    int version[3];

    if (!xgb_load())
        return 0;
    xgb.version(&version[0], &version[1], &version[2]);
    fprintf(stderr, "bench: libxgboost %d.%d.%d\n", version[0], version[1],
            version[2]);
    asc_blas_threads(1);
    asc_stream_start(&s, 1, "bench-xgboost", "", 0);
    bench_predictions(&s);
    return 0;
}
