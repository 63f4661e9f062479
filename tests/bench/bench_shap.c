/* Shapley values against what else one could do, in one run and one thread:
 *
 *   tree-shap against the recursive algorithm (Lundberg, Erion and Lee 2018,
 *     arXiv:1802.03888, algorithm 2), written out below;
 *   kernel-shap against nothing but its distinct model evaluations, in the
 *     largest blocks, on that ensemble and on a network;
 *   kernel-shap of a logistic model against the same evaluations one by one.
 *
 * Usage: bench_shap [ROWS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attribute/internal.h"
#include "model/form.h"

enum { FIELDS = 14, BACKGROUND = 100 };

/* Processor time of this process, which runs one thread: other processes do
 * not show. */
static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
die(const char *text)
{
    fprintf(stderr, "bench_shap: %s\n", text);
    exit(1);
}

static void *
room(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    if (!p)
        die("out of memory");
    return p;
}

/* ---- models ---- */

static asc_model *
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

static asc_model *
finish(asc_model *m)
{
    struct asc_error e;

    if (asci_model_finish(m, &e))
        die(e.text);
    return m;
}

/* Full binary trees: node i has the children 2 i + 1 and 2 i + 2. */
static asc_model *
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

static asc_model *
make_network(struct asc_stream *s)
{
    static const size_t width[] = { FIELDS, 64, 64, 1 };
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
        p->activation = l < 2 ? ASCI_RELU : ASCI_IDENTITY;
    }
    return finish(m);
}

static asc_model *
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

static double *
make_rows(size_t n, struct asc_stream *s)
{
    double *x = room(n * FIELDS, sizeof *x);
    size_t i;

    for (i = 0; i < n * FIELDS; i++)
        x[i] = asc_stream_normal(s);
    return x;
}

/* ---- the recursive algorithm, the plain way ---- */

struct entry { double zero, one, weight; int field; };

static void
extend(struct entry *p, int depth, double zero, double one, int field)
{
    int i;

    p[depth] = (struct entry){ zero, one, depth == 0 ? 1.0 : 0.0, field };
    for (i = depth - 1; i >= 0; i--) {
        p[i + 1].weight += one * p[i].weight * (i + 1.0) / (depth + 1.0);
        p[i].weight = zero * p[i].weight * (depth - i) / (depth + 1.0);
    }
}

static void
unwind(struct entry *p, int depth, int at)
{
    const double one = p[at].one, zero = p[at].zero;
    double next = p[depth].weight;
    int i;

    for (i = depth - 1; i >= 0; i--) {
        if (one != 0.0) {
            const double t = p[i].weight;

            p[i].weight = next * (depth + 1.0) / ((i + 1.0) * one);
            next = t - p[i].weight * zero * (depth - i) / (depth + 1.0);
        } else {
            p[i].weight = p[i].weight * (depth + 1.0) / (zero * (depth - i));
        }
    }
    for (i = at; i < depth; i++) {
        p[i].field = p[i + 1].field;
        p[i].zero = p[i + 1].zero;
        p[i].one = p[i + 1].one;
    }
}

static double
unwound_sum(const struct entry *p, int depth, int at)
{
    const double one = p[at].one, zero = p[at].zero;
    double next = p[depth].weight, sum = 0.0;
    int i;

    for (i = depth - 1; i >= 0; i--) {
        if (one != 0.0) {
            const double t = next * (depth + 1.0) / ((i + 1.0) * one);

            sum += t;
            next = p[i].weight - t * zero * (depth - i) / (depth + 1.0);
        } else {
            sum += p[i].weight / (zero * (depth - i) / (depth + 1.0));
        }
    }
    return sum;
}

static void
recurse(const struct asci_tree *t, const double *x, double *phi, uint32_t node,
        int depth, const struct entry *parent, double zero, double one,
        int field)
{
    struct entry *p = (struct entry *)(uintptr_t)(parent + depth + 1);
    const struct asci_node *n = &t->node[node];
    uint32_t hot, cold;
    double in_zero = 1.0, in_one = 1.0;
    int i;

    memcpy(p, parent, (size_t)depth * sizeof *p);
    extend(p, depth, zero, one, field);
    if (n->test == ASCI_LEAF) {
        for (i = 1; i <= depth; i++)
            phi[p[i].field] += unwound_sum(p, depth, i) *
                               (p[i].one - p[i].zero) * t->value[n->leaf];
        return;
    }
    hot = x[n->column] < n->threshold ? n->yes : n->no;
    cold = hot == n->yes ? n->no : n->yes;
    for (i = 0; i <= depth; i++)
        if (p[i].field == (int)n->column)
            break;
    if (i <= depth) {
        in_zero = p[i].zero;
        in_one = p[i].one;
        unwind(p, depth, i);
        depth--;
    }
    recurse(t, x, phi, hot, depth + 1, p,
            in_zero * t->cover[hot] / t->cover[node], in_one,
            (int)n->column);
    recurse(t, x, phi, cold, depth + 1, p,
            in_zero * t->cover[cold] / t->cover[node], 0.0, (int)n->column);
}

static void
recursive_shap(const asc_model *m, const double *x, double *phi)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    static struct entry path[64 * 64];
    size_t j;

    memset(phi, 0, FIELDS * sizeof *phi);
    for (j = 0; j < f->n_trees; j++)
        recurse(&f->tree[j], x, phi, 0, 0, path, 1.0, 1.0, -1);
}

/* ---- runs ---- */

static const struct asc_method *
method_named(const char *name)
{
    size_t n, i;
    const struct asc_method *const *all = asc_methods(&n);

    for (i = 0; i < n; i++)
        if (!strcmp(all[i]->entry.name, name))
            return all[i];
    die("no such method");
    return NULL;
}

/* Seconds to prepare and to explain x (n, FIELDS); phi (n, FIELDS). */
static double
explain(const char *spec, const char *name, const asc_model *m,
        enum asc_scale scale, const struct asc_background *b, const double *x,
        size_t n, double *phi, double *prepare)
{
    const struct asc_entry *entry = &method_named(name)->entry;
    struct asc_specs specs = { 0, NULL };
    struct asc_task task = { m, scale, b, NULL };
    struct asc_text *id = room(n, sizeof *id);
    size_t *output = room(n, sizeof *output), i;
    double *base = room(n, sizeof *base), *value = room(n, sizeof *value);
    struct asc_error e;
    asc_explainer *x_;
    double start = now(), run;

    if (asc_specs_parse(spec, &entry, 1, "method", &specs, &e))
        die(e.text);
    task.spec = specs.v;
    x_ = asc_explainer_new(&task, &e);
    if (!x_)
        die(e.text);
    *prepare = now() - start;
    start = now();
    for (i = 0; i < n; i += 512) {
        struct asc_explain block = {
            .n = n - i < 512 ? n - i : 512, .d = FIELDS, .q = 1,
            .x = x + i * FIELDS, .id = id + i, .output = output + i,
            .phi = phi + i * FIELDS, .base = base + i, .value = value + i
        };

        if (asc_explainer_run(x_, &block, &e))
            die(e.text);
    }
    run = now() - start;
    asc_explainer_free(x_);
    asc_specs_free(&specs);
    free(id);
    free(output);
    free(base);
    free(value);
    return run;
}

static void
bench_trees(size_t n, size_t depth, size_t n_trees, struct asc_stream *s)
{
    asc_model *m = make_ensemble(n_trees, depth, s);
    double *x = make_rows(n, s), *phi = room(n * FIELDS, sizeof *phi);
    const size_t few = n < 20 ? n : 20;
    double prepare, ours, plain, start, want[FIELDS], worst = 0.0;
    size_t i, j;

    ours = explain("tree-shap", "tree-shap", m, ASC_RAW, NULL, x, n, phi,
                   &prepare) / (double)n;
    start = now();
    for (i = 0; i < few; i++) {
        recursive_shap(m, x + i * FIELDS, want);
        for (j = 0; j < FIELDS; j++)
            worst = fmax(worst, fabs(want[j] - phi[i * FIELDS + j]));
    }
    plain = (now() - start) / (double)few;
    printf("tree-shap, %zu trees of depth %zu: %.1f us a row, recursive "
           "%.1f us: %.1f times (prepared in %.3f s; largest difference "
           "%.1e)\n", n_trees, depth, 1e6 * ours, 1e6 * plain, plain / ours,
           prepare, worst);
    free(phi);
    free(x);
    asc_model_free(m);
}

/* The rows x_S, b_rest that kernel-shap evaluates of one row with its default
 * number of coalitions, as far as their number and kind go: as many coalitions
 * of random fields. */
static double *
make_hybrids(const double *x, const double *b, size_t n_sets,
             struct asc_stream *s)
{
    double *z = room(n_sets * BACKGROUND * FIELDS, sizeof *z);
    size_t i, k, j;

    for (k = 0; k < n_sets; k++) {
        const uint64_t set = asc_stream_bits(s);

        for (i = 0; i < BACKGROUND; i++)
            for (j = 0; j < FIELDS; j++)
                z[(k * BACKGROUND + i) * FIELDS + j] =
                    set >> j & 1 ? x[j] : b[i * FIELDS + j];
    }
    return z;
}

static void
bench_kernel(const char *what, asc_model *m, enum asc_scale scale, size_t n,
             size_t step, struct asc_stream *s)
{
    const size_t n_sets = 2 * FIELDS + 2048, rows = n_sets * BACKGROUND;
    double *x = make_rows(n, s), *background = make_rows(BACKGROUND, s);
    double *phi = room(n * FIELDS, sizeof *phi), *y = room(rows, sizeof *y);
    double *z = make_hybrids(x, background, n_sets, s);
    struct asc_background b;
    struct asc_error e;
    double prepare, ours, alone = 0.0, start;
    size_t i, again;

    if (asc_background_make(asc_model_schema(m), background, BACKGROUND, &b,
                            &e))
        die(e.text);
    ours = explain("kernel-shap", "kernel-shap", m, scale, &b, x, n, phi,
                   &prepare) / (double)n;
    for (again = 0; again < 3; again++) {
        double took;

        start = now();
        for (i = 0; i < rows; i += step)
            if (asc_model_evaluate(m, scale, z + i * FIELDS,
                                   rows - i < step ? rows - i : step, y + i,
                                   &e))
                die(e.text);
        took = now() - start;
        if (again == 0 || took < alone)
            alone = took;
    }
    printf("kernel-shap, %s: %.3f ms a row, its %zu evaluations %s %.3f ms: "
           "%.3f of that, %.1f times\n", what, 1e3 * ours, rows,
           step == 1 ? "one by one" : "alone", 1e3 * alone, ours / alone,
           alone / ours);
    asc_background_free(&b);
    free(z);
    free(y);
    free(phi);
    free(background);
    free(x);
    asc_model_free(m);
}

int
main(int argc, char **argv)
{
    const size_t n = argc > 1 ? (size_t)atol(argv[1]) : 4096;
    const size_t all = (size_t)1 << 40;
    struct asc_stream s;
    asc_model *m;

    asc_blas_threads(1);
    asc_stream_start(&s, 1, "bench-shap", "", 0);
    bench_trees(n, 6, 500, &s);
    bench_trees(n, 4, 500, &s);
    bench_trees(n / 8 + 1, 10, 50, &s);
    bench_kernel("500 trees of depth 6", make_ensemble(500, 6, &s), ASC_RAW,
                 n / 256 + 1, all, &s);
    m = make_ensemble(500, 6, &s);
    m->link = ASCI_LINK_LOGIT;
    bench_kernel("500 trees of depth 6 with a logit", m, ASC_RESPONSE,
                 n / 256 + 1, all, &s);
    bench_kernel("20 trees of depth 12", make_ensemble(20, 12, &s), ASC_RAW,
                 n / 256 + 1, all, &s);
    bench_kernel("14-64-64-1 network", make_network(&s), ASC_RAW,
                 n / 256 + 1, all, &s);
    bench_kernel("14-64-64-1 network", make_network(&s), ASC_RAW, 1, all, &s);
    bench_kernel("logistic", make_logistic(&s), ASC_RESPONSE, n / 16 + 1, 1,
                 &s);
    bench_kernel("logistic", make_logistic(&s), ASC_RESPONSE, 1, 1, &s);
    bench_kernel("logistic", make_logistic(&s), ASC_RAW, n / 16 + 1, 1, &s);
    return 0;
}
