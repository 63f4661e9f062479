/* tests/bench/bench.h -- what the benchmarks share: a clock, medians of
 * alternating runs, one line for each measure, and models to measure on.
 *
 * A line is: measure, value, unit or what the value is a ratio to, target,
 * "met" or "missed", separated by tabs.
 */
#ifndef ASCRIBE_TESTS_BENCH_H
#define ASCRIBE_TESTS_BENCH_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ascribe/ascribe.h>

#include "model/form.h"

#ifndef BENCH_FIELDS
#define BENCH_FIELDS 14
#endif
enum { FIELDS = BENCH_FIELDS, BACKGROUND = 100 };

/* ---- time ---- */

/* Processor time of this process, which runs one thread: what else the
 * machine does shows little. */
static inline double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void
die(const char *text)
{
    fprintf(stderr, "bench: %s\n", text);
    exit(1);
}

static inline void *
room(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    if (!p)
        die("out of memory");
    return p;
}

static inline int
compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts v (n). */
static inline double
median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, compare_numbers);
    return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

typedef void timed(void *context);
enum { RUNS = 5 };

/* Seconds of a and of b, and the ratio a / b: medians over RUNS runs of one
 * after the other, for which both are repeated until they take `least`
 * seconds. */
struct timing { double a, b, ratio; };

static inline size_t
repeats(timed *run, void *context, double least)
{
    size_t n = 1, i;

    for (;; n *= 2) {
        const double start = now();

        for (i = 0; i < n; i++)
            run(context);
        if (now() - start >= least || n > SIZE_MAX / 4)
            return n;
    }
}

static inline double
seconds(timed *run, void *context, size_t n)
{
    const double start = now();
    size_t i;

    for (i = 0; i < n; i++)
        run(context);
    return (now() - start) / (double)n;
}

static inline struct timing
measure(timed *a, timed *b, void *context, double least)
{
    const size_t n_a = repeats(a, context, least);
    const size_t n_b = b ? repeats(b, context, least) : 0;
    double t_a[RUNS], t_b[RUNS], ratio[RUNS];
    struct timing t = { 0.0, 0.0, 0.0 };
    size_t i;

    for (i = 0; i < RUNS; i++) {
        t_a[i] = seconds(a, context, n_a);
        t_b[i] = b ? seconds(b, context, n_b) : 1.0;
        ratio[i] = t_a[i] / t_b[i];
    }
    t.a = median(t_a, RUNS);
    t.b = median(t_b, RUNS);
    t.ratio = median(ratio, RUNS);
    return t;
}

/* ---- lines ---- */

static inline const char *
text(char out[200], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline const char *
text(char out[200], const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(out, 200, format, ap);
    va_end(ap);
    return out;
}

static inline void
report_line(const char *what, double value, const char *unit,
            const char *target, int met)
{
    const int whole = fabs(value) >= 1000.0 && fabs(value) < 1e7;

    printf("%s\t%.*g\t%s\t%s\t%s\n", what, whole ? 7 : 3,
           whole ? round(value) : value, unit, target,
           !*target ? "" : met ? "met" : "missed");
    fflush(stdout);
}

static inline void
report(const char *what, double value, const char *unit)
{
    report_line(what, value, unit, "", 0);
}

static inline void
report_at_least(const char *what, double value, const char *unit,
                double target)
{
    char out[200];

    report_line(what, value, unit, text(out, ">= %g", target),
                value >= target);
}

static inline void
report_at_most(const char *what, double value, const char *unit,
               double target)
{
    char out[200];

    report_line(what, value, unit, text(out, "<= %g", target),
                value <= target);
}

/* ---- models of FIELDS continuous fields ---- */

static inline asc_model *
begin(void)
{
    asc_model *m = asci_model_new("bench", NULL);
    size_t j;

    if (!m)
        die("out of memory");
    m->schema.n = m->encoder.n = FIELDS;
    m->schema.field = room(FIELDS, sizeof *m->schema.field);
    m->encoder.column = room(FIELDS, sizeof *m->encoder.column);
    for (j = 0; j < FIELDS; j++) {
        char name[16];

        snprintf(name, sizeof name, "f%zu", j);
        m->schema.field[j].name = strdup(name);
        m->schema.field[j].low = -INFINITY;
        m->schema.field[j].high = INFINITY;
        m->schema.field[j].replacement = NAN;
        if (asci_column_identity(&m->encoder.column[j], j, NULL))
            die("out of memory");
    }
    m->n_raw = m->n_outputs = 1;
    m->output = room(1, sizeof *m->output);
    m->output[0].name = strdup("y");
    m->output[0].sign = 1.0;
    return m;
}

static inline asc_model *
finish(asc_model *m)
{
    struct asc_error e;

    if (asci_model_finish(m, &e))
        die(e.text);
    return m;
}

/* Full binary trees: node i has the children 2 i + 1 and 2 i + 2. */
static inline asc_model *
make_ensemble(size_t n_trees, size_t depth, struct asc_stream *s)
{
    asc_model *m = begin();
    struct asci_ensemble *f = &m->u.ensemble;
    const size_t inner = ((size_t)1 << depth) - 1, all = 2 * inner + 1;
    size_t i, j;

    m->form = ASC_FORM_ENSEMBLE;
    f->n_columns = FIELDS;
    f->n_raw = 1;
    f->n_trees = n_trees;
    f->scale = 1.0;
    f->base = room(1, sizeof *f->base);
    f->tree = room(n_trees, sizeof *f->tree);
    for (j = 0; j < n_trees; j++) {
        struct asci_tree *t = &f->tree[j];

        t->n_nodes = all;
        t->n_leaves = inner + 1;
        t->width = 1;
        t->node = room(all, sizeof *t->node);
        t->cover = room(all, sizeof *t->cover);
        t->value = room(t->n_leaves, sizeof *t->value);
        t->cover[0] = 10000.0;
        for (i = 0; i < inner; i++) {
            struct asci_node *p = &t->node[i];
            const double share = 0.1 + 0.8 * asc_stream_uniform(s);

            p->test = ASCI_LESS;
            p->column = (uint32_t)asc_stream_below(s, FIELDS);
            p->threshold = 0.8 * asc_stream_normal(s);
            p->yes = p->missing = (uint32_t)(2 * i + 1);
            p->no = (uint32_t)(2 * i + 2);
            t->cover[2 * i + 1] = share * t->cover[i];
            t->cover[2 * i + 2] = (1.0 - share) * t->cover[i];
        }
        for (; i < all; i++) {
            t->node[i].leaf = (uint32_t)(i - inner);
            t->value[i - inner] = 0.1 * asc_stream_normal(s);
        }
    }
    return finish(m);
}

/* Two hidden layers of `wide` neurons, and one output. */
static inline asc_model *
make_wide_network(size_t wide, enum asci_activation first,
                  enum asci_activation second, struct asc_stream *s)
{
    const size_t width[] = { FIELDS, wide, wide, 1 };
    asc_model *m = begin();
    size_t l, i;

    m->form = ASC_FORM_NETWORK;
    m->u.network.n_columns = FIELDS;
    m->u.network.n_layers = 3;
    m->u.network.layer = room(3, sizeof *m->u.network.layer);
    for (l = 0; l < 3; l++) {
        struct asci_layer *p = &m->u.network.layer[l];
        const size_t n = width[l] * width[l + 1];

        p->n_in = width[l];
        p->n_out = width[l + 1];
        p->w = room(n, sizeof *p->w);
        p->b = room(p->n_out, sizeof *p->b);
        for (i = 0; i < n; i++)
            p->w[i] = asc_stream_normal(s) / sqrt((double)p->n_in);
        p->activation = l == 0 ? first : l == 1 ? second : ASCI_IDENTITY;
    }
    return finish(m);
}

static inline asc_model *
make_network(struct asc_stream *s)
{
    return make_wide_network(64, ASCI_RELU, ASCI_RELU, s);
}

static inline asc_model *
make_logistic(struct asc_stream *s)
{
    asc_model *m = begin();
    size_t j;

    m->form = ASC_FORM_LINEAR;
    m->link = ASCI_LINK_LOGIT;
    m->u.linear.n_columns = FIELDS;
    m->u.linear.n_raw = 1;
    m->u.linear.w = room(FIELDS, sizeof *m->u.linear.w);
    m->u.linear.b = room(1, sizeof *m->u.linear.b);
    for (j = 0; j < FIELDS; j++)
        m->u.linear.w[j] = asc_stream_normal(s);
    return finish(m);
}

static inline double *
make_rows(size_t n, struct asc_stream *s)
{
    double *x = room(n * FIELDS, sizeof *x);
    size_t i;

    for (i = 0; i < n * FIELDS; i++)
        x[i] = asc_stream_normal(s);
    return x;
}

static inline struct asc_background
make_background(const asc_model *m, struct asc_stream *s)
{
    double *x = make_rows(BACKGROUND, s);
    struct asc_background b;
    struct asc_error e;

    if (asc_background_make(asc_model_schema(m), x, BACKGROUND, &b, &e))
        die(e.text);
    free(x);
    return b;
}

/* ---- explaining rows ---- */

/* Rows to explain with one method, and room for what comes out. */
struct explaining {
    asc_explainer *explainer;
    struct asc_specs specs;
    size_t n;
    const double *x;            /* (n, FIELDS) */
    double *phi;                /* (n, FIELDS) */
    double *base, *value;       /* (n) */
    struct asc_text *id;        /* (n) */
    size_t *output;             /* (n) all 0 */
};

static inline struct explaining
explaining_new(const char *spec, const asc_model *m, enum asc_scale scale,
               const struct asc_background *b, const double *x, size_t n)
{
    struct explaining w = { .n = n, .x = x };
    struct asc_task task = { m, scale, b, NULL };
    struct asc_error e;
    size_t n_entries, i;
    const struct asc_entry *const *entries = asc_method_entries(&n_entries);

    if (asc_specs_parse(spec, entries, n_entries, "method", &w.specs, &e))
        die(e.text);
    task.spec = w.specs.v;
    w.explainer = asc_explainer_new(&task, &e);
    if (!w.explainer)
        die(e.text);
    w.phi = room(n * FIELDS, sizeof *w.phi);
    w.base = room(n, sizeof *w.base);
    w.value = room(n, sizeof *w.value);
    w.id = room(n, sizeof *w.id);
    w.output = room(n, sizeof *w.output);
    for (i = 0; i < n; i++)
        w.id[i] = (struct asc_text){ (const char *)&x[i * FIELDS], sizeof *x };
    return w;
}

/* In blocks, as asc-attribute gives them. */
static inline void
explaining_run(void *context)
{
    struct explaining *w = context;
    struct asc_error e;
    size_t i;

    for (i = 0; i < w->n; i += 512) {
        struct asc_explain block = {
            .n = w->n - i < 512 ? w->n - i : 512, .d = FIELDS, .q = 1,
            .x = w->x + i * FIELDS, .id = w->id + i, .output = w->output + i,
            .phi = w->phi + i * FIELDS, .base = w->base + i,
            .value = w->value + i
        };

        if (asc_explainer_run(w->explainer, &block, &e))
            die(e.text);
    }
}

static inline void
explaining_free(struct explaining *w)
{
    asc_explainer_free(w->explainer);
    asc_specs_free(&w->specs);
    free(w->phi);
    free(w->base);
    free(w->value);
    free(w->id);
    free(w->output);
}

#endif
