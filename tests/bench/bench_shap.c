/* Shapley values against what else one could do, in one run and one thread:
 *
 *   tree-shap against the recursive algorithm (Lundberg, Erion and Lee 2018,
 *     arXiv:1802.03888, algorithm 2), written out below;
 *   kernel-shap against nothing but its distinct model evaluations, in the
 *     largest blocks, on that ensemble and on a network;
 *   kernel-shap of a logistic model against the same evaluations one by one.
 *
 * Usage: bench_shap
 */
#include "bench.h"

#include "attribute/kernel_design.h"

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

struct tree_task {
    struct explaining rows;     /* of tree-shap */
    const asc_model *m;
    const double *x;            /* (PLAIN_ROWS, FIELDS) */
    double *want;               /* (PLAIN_ROWS, FIELDS) */
};
enum { PLAIN_ROWS = 10 };

static void
run_plain(void *context)
{
    struct tree_task *t = context;
    size_t i;

    for (i = 0; i < PLAIN_ROWS; i++)
        recursive_shap(t->m, t->x + i * FIELDS, t->want + i * FIELDS);
}

static void
run_trees(void *context)
{
    explaining_run(&((struct tree_task *)context)->rows);
}

static void
bench_trees(size_t n_trees, size_t depth, size_t n, double target,
            struct asc_stream *s)
{
    asc_model *m = make_ensemble(n_trees, depth, s);
    double *x = make_rows(n, s), *want = room(PLAIN_ROWS * FIELDS,
                                              sizeof *want);
    const char *versus = "times as fast as the recursive algorithm";
    struct tree_task t = { .m = m, .x = x, .want = want };
    struct timing took;
    char name[200];
    size_t i;

    t.rows = explaining_new("tree-shap", m, ASC_RAW, NULL, x, n);
    took = measure(run_plain, run_trees, &t, 0.1);
    took.ratio *= (double)n / PLAIN_ROWS;
    for (i = 0; i < PLAIN_ROWS * FIELDS; i++)
        if (!(fabs(want[i] - t.rows.phi[i]) <= 1e-9))
            die("tree-shap and the recursive algorithm differ");
    text(name, "tree-shap, %zu trees of depth %zu", n_trees, depth);
    report(name, (double)n / took.b, "rows/s");
    if (target > 0.0)
        report_at_least(name, took.ratio, versus, target);
    else
        report(name, took.ratio, versus);
    explaining_free(&t.rows);
    free(want);
    free(x);
    asc_model_free(m);
}

struct kernel_task {
    struct explaining rows;     /* of kernel-shap */
    const asc_model *m;
    enum asc_scale scale;
    double *z, *y;              /* (n_z, FIELDS) one row's hybrids, (n_z) */
    size_t n_z, step;
};

/* The rows x_S, b_rest of one row, for all coalitions of kernel-shap's
 * design. */
static void
make_hybrids(struct kernel_task *t, const double *x, const double *b)
{
    struct asc_error e;
    struct asci_kernel *d = asci_kernel_new(
        FIELDS, 2 * FIELDS + 2048, ASCI_SAMPLING_KERNEL, 1, &e);
    double *z;
    size_t k, i, j;

    if (!d)
        die(e.text);
    t->n_z = 2 * d->n * BACKGROUND;
    t->z = z = room(t->n_z * FIELDS, sizeof *z);
    t->y = room(t->n_z, sizeof *t->y);
    for (k = 0; k < 2 * d->n; k++)
        for (i = 0; i < BACKGROUND; i++)
            for (j = 0; j < FIELDS; j++)
                *z++ = d->bits[k] >> j & 1 ? x[j] : b[i * FIELDS + j];
    asci_kernel_free(d);
}

static void
run_evaluations(void *context)
{
    struct kernel_task *t = context;
    struct asc_error e;
    size_t i;

    for (i = 0; i < t->n_z; i += t->step)
        if (asc_model_evaluate(t->m, t->scale, t->z + i * FIELDS,
                               t->n_z - i < t->step ? t->n_z - i : t->step,
                               t->y + i, &e))
            die(e.text);
}

static void
run_kernel(void *context)
{
    explaining_run(&((struct kernel_task *)context)->rows);
}

/* As much per row as its evaluations in the largest blocks (a ratio, at most
 * the target), or times as fast as those one by one (at least). */
static void
bench_kernel(const char *what, asc_model *m, enum asc_scale scale, size_t n,
             int one_by_one, double target, struct asc_stream *s)
{
    const char *alone = "of the time of its evaluations alone";
    const char *singly = "times as fast as its evaluations one by one";
    struct asc_background b = make_background(m, s);
    struct kernel_task t = { .m = m, .scale = scale };
    double *x = make_rows(n, s);
    struct timing took;
    char name[200];

    make_hybrids(&t, x, b.x);
    t.step = one_by_one ? 1 : t.n_z;
    t.rows = explaining_new("kernel-shap", m, scale, &b, x, n);
    took = measure(run_kernel, run_evaluations, &t, 0.1);
    took.ratio /= (double)n;
    text(name, "kernel-shap, %s, %zu row%s", what, n, n > 1 ? "s" : "");
    report(name, (double)n / took.a, "rows/s");
    if (!one_by_one && target > 0.0)
        report_at_most(name, took.ratio, alone, target);
    else if (!one_by_one)
        report(name, took.ratio, alone);
    else if (target > 0.0)
        report_at_least(name, 1.0 / took.ratio, singly, target);
    else
        report(name, 1.0 / took.ratio, singly);
    explaining_free(&t.rows);
    asc_background_free(&b);
    free(t.z);
    free(t.y);
    free(x);
    asc_model_free(m);
}

int
main(void)
{
    struct asc_stream s;
    asc_model *m;

    asc_blas_threads(1);
    asc_stream_start(&s, 1, "bench-shap", "", 0);
    bench_trees(500, 6, 2048, 10.0, &s);
    bench_trees(500, 4, 2048, 0.0, &s);
    bench_trees(50, 10, 256, 0.0, &s);
    bench_kernel("500 trees of depth 6", make_ensemble(500, 6, &s), ASC_RAW,
                 16, 0, 1.3, &s);
    m = make_ensemble(500, 6, &s);
    m->link = ASCI_LINK_LOGIT;
    bench_kernel("500 trees of depth 6 with a logit", m, ASC_RESPONSE, 16, 0,
                 1.3, &s);
    bench_kernel("20 trees of depth 12", make_ensemble(20, 12, &s), ASC_RAW,
                 8, 0, 0.0, &s);
    bench_kernel("14-64-64-1 network", make_network(&s), ASC_RAW, 16, 0, 1.3,
                 &s);
    bench_kernel("14-64-64-1 network", make_network(&s), ASC_RAW, 1, 0, 1.3,
                 &s);
    bench_kernel("logistic", make_logistic(&s), ASC_RESPONSE, 512, 1, 20.0,
                 &s);
    bench_kernel("logistic", make_logistic(&s), ASC_RESPONSE, 1, 1, 0.0, &s);
    return 0;
}
