/* Gradient methods on a 30-128-128-1 network, against the products alone.
 *
 * A gradient is six matrix products, three forwards and three backwards.  What
 * dgemm does with their shapes, for as many rows as a method takes together,
 * is the rate that its gradients are measured by: a method that asks for n
 * gradients of a row and takes as long as dgemm for these has a rate of 1.
 * Methods that need fewer products than that many gradients go beyond.  One
 * thread.
 *
 * Usage: bench_network
 */
#define BENCH_FIELDS 30
#include "bench.h"

/* As OpenBLAS has it; its header is for base/blas.c alone. */
extern void dgemm_(const char *turn_a, const char *turn_b, const int *m,
                   const int *n, const int *k, const double *alpha,
                   const double *a, const int *lda, const double *b,
                   const int *ldb, const double *beta, double *c,
                   const int *ldc, size_t n_turn_a, size_t n_turn_b);

enum { WIDE = 128, TOGETHER = 1152, ROWS = 512 };

/* c (TOGETHER, n) = a (TOGETHER, k) w (k, n), row-major. */
static void
product(int n, int k, const double *a, const double *w, double *c)
{
    const int m = TOGETHER;
    const double one = 1.0, zero = 0.0;

    dgemm_("N", "N", &n, &m, &k, &one, w, &n, a, &k, &zero, c, &n, 1, 1);
}

struct products { double *a, *w, *c; };

static void
run_products(void *context)
{
    const struct products *p = context;

    product(WIDE, FIELDS, p->a, p->w, p->c);
    product(WIDE, WIDE, p->a, p->w, p->c);
    product(1, WIDE, p->a, p->w, p->c);
    product(WIDE, 1, p->a, p->w, p->c);
    product(WIDE, WIDE, p->a, p->w, p->c);
    product(FIELDS, WIDE, p->a, p->w, p->c);
}

/* Seconds that the products of one gradient take. */
static double
products_of_gradient(struct asc_stream *s)
{
    struct products p = {
        room(TOGETHER * WIDE, sizeof *p.a), room(WIDE * WIDE, sizeof *p.w),
        room(TOGETHER * WIDE, sizeof *p.c)
    };
    const double flops = 4.0 * (FIELDS * WIDE + WIDE * WIDE + WIDE);
    double took;
    size_t i;

    for (i = 0; i < TOGETHER * WIDE; i++)
        p.a[i] = asc_stream_normal(s);
    for (i = 0; i < WIDE * WIDE; i++)
        p.w[i] = asc_stream_normal(s);
    took = measure(run_products, NULL, &p, 0.05).a / TOGETHER;
    report("dgemm, products of a gradient", 1e-9 * flops / took, "Gflop/s");
    free(p.a);
    free(p.w);
    free(p.c);
    return took;
}

/* Seconds of a row. */
static double
explanation(const asc_model *m, const char *spec,
            const struct asc_background *b, const double *x, size_t rows)
{
    struct explaining w = explaining_new(spec, m, ASC_RAW, b, x, rows);
    const double took = measure(explaining_run, NULL, &w, 0.0).a /
                        (double)rows;

    explaining_free(&w);
    return took;
}

int
main(void)
{
    static const struct {
        const char *spec;
        double gradients;       /* a row */
        int target;
    } methods[] = {
        { "gradient", 1.0, 0 },
        { "integrated-gradients", 50.0, 1 },
        { "integrated-gradients:quadrature=fixed", 50.0, 1 },
        { "deeplift", 1.0, 1 },
        { "deeplift:rule=reveal-cancel", 1.0, 0 },
        { "deeplift:reference=rows", 100.0, 0 },
        { "lrp", 1.0, 0 }
    };
    static const struct {
        const char *name;
        enum asci_activation first, second;
        size_t rows;
        double target;
    } kinds[] = {
        { "tanh", ASCI_TANH, ASCI_TANH, ROWS, 0.5 },
        { "ReLU", ASCI_RELU, ASCI_RELU, ROWS, 0.5 },
        { "ReLU and tanh", ASCI_RELU, ASCI_TANH, 8, 0.0 }
    };
    struct asc_stream s;
    struct asc_background b;
    double dgemm, *x;
    size_t i, k;

    asc_blas_threads(1);
    asc_stream_start(&s, 1, "bench-network", "", 0);
    dgemm = products_of_gradient(&s);
    x = make_rows(ROWS, &s);
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        asc_model *m = make_wide_network(WIDE, kinds[i].first,
                                         kinds[i].second, &s);

        b = make_background(m, &s);
        for (k = 0; k < sizeof methods / sizeof *methods; k++) {
            const double took = explanation(m, methods[k].spec, &b, x,
                                            kinds[i].rows);
            char what[200], unit[200];

            text(what, "%s, %s network", methods[k].spec, kinds[i].name);
            text(unit, "of dgemm's rate, for %.0f gradient%s",
                 methods[k].gradients, methods[k].gradients > 1.0 ? "s" : "");
            if (methods[k].target && kinds[i].target > 0.0)
                report_at_least(what, methods[k].gradients * dgemm / took,
                                unit, kinds[i].target);
            else
                report(what, methods[k].gradients * dgemm / took, unit);
        }
        asc_background_free(&b);
        asc_model_free(m);
    }
    free(x);
    return 0;
}
