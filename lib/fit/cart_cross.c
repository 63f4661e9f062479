/* fit/cart_cross.c -- how good each subtree is on rows that it has not seen
 * (Breiman, Friedman, Olshen and Stone 1984, sec. 3.4).
 *
 * The rows are shared out over V parts, of classes each in turn, so that every
 * part has its share.  A tree is grown and pruned without each part, and its
 * subtree for the complexity sqrt(a_k a_{k+1}) stands for the k-th of the
 * whole tree's, whose complexities are a_1 < a_2 < ...; the last is the root
 * alone.  Losses of all rows give mean and standard error
 *
 *     m = sum w l / sum w        sqrt(sum w^2 (l - m)^2) / sum w
 *
 * Cost: V trees, and for each row the nodes on its way, as the subtrees that
 * answer with one node follow each other.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/cart.h"

void
asci_cart_sequence_free(struct asci_cart_sequence *q)
{
    free(q->error);
    free(q->risk);
    free(q->leaves);
    free(q->alpha);
    memset(q, 0, sizeof *q);
}

static int
compare(const void *pa, const void *pb)
{
    const double a = *(const double *)pa, b = *(const double *)pb;

    return (a > b) - (a < b);
}

/* Complexities and leaves of the subtrees. */
static int
list_subtrees(const struct asci_cart_tree *t, const double *alpha,
              double least, struct asci_cart_sequence *q, struct asc_error *e)
{
    double *v = asci_alloc(t->n_nodes, sizeof *v, e);
    size_t i, n = 0;

    q->alpha = asci_alloc(t->n_nodes + 1, sizeof *q->alpha, e);
    q->leaves = asci_alloc(t->n_nodes + 1, sizeof *q->leaves, e);
    q->risk = asci_alloc_zero(t->n_nodes + 1, sizeof *q->risk, e);
    q->error = asci_alloc_zero(t->n_nodes + 1, sizeof *q->error, e);
    if (!v || !q->alpha || !q->leaves || !q->risk || !q->error) {
        free(v);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < t->n_nodes; i++)
        if (alpha[i] > least)
            v[n++] = alpha[i];
    qsort(v, n, sizeof *v, compare);
    q->n = 1;
    q->alpha[0] = least;
    q->leaves[0] = n + 1;
    for (i = 0; i < n; i++) {
        if (v[i] > q->alpha[q->n - 1])
            q->alpha[q->n++] = v[i];
        q->leaves[q->n - 1] = n - i;
    }
    free(v);
    return ASC_OK;
}

/* ---- parts ---- */

struct dealt {
    double y;
    size_t at, i;
};

static int
compare_dealt(const void *pa, const void *pb)
{
    const struct dealt *a = pa, *b = pb;

    if (a->y != b->y)
        return a->y < b->y ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* fold (n): the part of each row. */
static int
deal(const struct asci_cart_table *c, size_t folds, uint64_t seed,
     size_t *fold, struct asc_error *e)
{
    struct asc_stream stream;
    struct dealt *v = asci_alloc(c->n, sizeof *v, e);
    size_t i;

    if (!v)
        return ASC_ESYSTEM;
    for (i = 0; i < c->n; i++)
        fold[i] = i;
    asc_stream_start(&stream, seed, "tree folds", "", 0);
    asc_stream_shuffle(&stream, fold, c->n);
    for (i = 0; i < c->n; i++) {
        v[i].i = fold[i];
        v[i].at = i;
        v[i].y = c->k ? c->y[fold[i]] : 0.0;
    }
    qsort(v, c->n, sizeof *v, compare_dealt);
    for (i = 0; i < c->n; i++)
        fold[v[i].i] = i % folds;
    free(v);
    return ASC_OK;
}

/* ---- losses ---- */

/* Sums over rows of w l, w^2 l, w^2 l^2, of the subtrees from k on, less what
 * the one before has. */
struct sums {
    double wl, wwl, wwll;
};

struct judge {
    const struct asci_cart_table *c;
    enum asci_cart_loss loss;
    const struct asci_cart_tree *t;     /* grown without the part */
    const double *alpha;        /* of it */
    size_t n;                   /* subtrees */
    const double *middle;       /* (n) complexities that stand for them */
    struct sums *sums;          /* (n + 1) */
    double *value;              /* (classes, or 1) */
};

static double
loss_of(const struct judge *o, uint32_t node, size_t i)
{
    const struct asci_cart_table *c = o->c;
    double off, sum = 0.0;
    size_t k, best = 0;

    asci_cart_value(c, o->t->stat + node * o->t->width, o->value);
    if (c->k == 0) {
        off = c->y[i] - o->value[0];
        return off * off;
    }
    for (k = 0; k < c->k; k++) {
        off = (c->y[i] == (double)k) - o->value[k];
        sum += off * off;
        if (o->value[k] > o->value[best])
            best = k;
    }
    return o->loss == ASCI_CART_BRIER ? sum : c->y[i] != (double)best;
}

/* The first of the subtrees whose complexity is at least alpha. */
static size_t
first_from(const struct judge *o, double alpha)
{
    size_t from = 0, to = o->n;

    while (from < to) {
        const size_t mid = from + (to - from) / 2;

        if (o->middle[mid] >= alpha)
            to = mid;
        else
            from = mid + 1;
    }
    return from;
}

/* From the root on, a node answers for the subtrees between its complexity
 * and that of the node above it. */
static void
judge_row(const struct judge *o, size_t i)
{
    const double w = o->c->w[i];
    size_t end = o->n, begin;
    uint32_t node = 0;

    while (end > 0) {
        begin = first_from(o, o->alpha[node]);
        if (begin < end) {
            const double l = loss_of(o, node, i);

            o->sums[begin].wl += w * l;
            o->sums[begin].wwl += w * w * l;
            o->sums[begin].wwll += w * w * l * l;
            o->sums[end].wl -= w * l;
            o->sums[end].wwl -= w * w * l;
            o->sums[end].wwll -= w * w * l * l;
            end = begin;
        }
        if (end > 0)
            node = asci_cart_child(o->c, o->t, node, i);
    }
}

/* A tree without the part, and its losses on it. */
static int
judge_part(struct judge *o, const struct asci_cart_options *options,
           struct asci_cart_space *s, const size_t *fold, size_t part,
           struct asc_error *e)
{
    const struct asci_cart_table *c = o->c;
    struct asci_cart_tree t = { 0 };
    double *alpha = NULL;
    int status;
    size_t i;

    s->n_row = 0;
    for (i = 0; i < c->n; i++)
        if (fold[i] != part)
            s->row[s->n_row++] = (uint32_t)i;
    status = asci_cart_grow(c, options, s, &t, e);
    if (status)
        goto out;
    status = ASC_ESYSTEM;
    alpha = asci_alloc(t.n_nodes, sizeof *alpha, e);
    if (!alpha || (status = asci_cart_weakest(c, &t, o->loss, alpha, e)))
        goto out;
    o->t = &t;
    o->alpha = alpha;
    for (i = 0; i < c->n; i++)
        if (fold[i] == part)
            judge_row(o, i);
out:
    free(alpha);
    asci_cart_tree_free(&t);
    return status;
}

/* Mean loss and standard error of each subtree. */
static void
sum_up(const struct judge *o, struct asci_cart_sequence *q)
{
    const struct asci_cart_table *c = o->c;
    struct sums sum = { 0.0, 0.0, 0.0 };
    double weight = 0.0, squares = 0.0, spread;
    size_t i;

    for (i = 0; i < c->n; i++) {
        weight += c->w[i];
        squares += c->w[i] * c->w[i];
    }
    for (i = 0; i < q->n; i++) {
        sum.wl += o->sums[i].wl;
        sum.wwl += o->sums[i].wwl;
        sum.wwll += o->sums[i].wwll;
        q->risk[i] = sum.wl / weight;
        spread = sum.wwll - 2.0 * q->risk[i] * sum.wwl +
                 q->risk[i] * q->risk[i] * squares;
        q->error[i] = sqrt(fmax(spread, 0.0)) / weight;
    }
}

int
asci_cart_cross(const struct asci_cart_table *c,
                const struct asci_cart_options *o, struct asci_cart_space *s,
                enum asci_cart_loss loss, size_t folds, uint64_t seed,
                const struct asci_cart_tree *t, const double *alpha,
                double least, struct asci_cart_sequence *out,
                struct asc_error *e)
{
    struct judge j = { .c = c, .loss = loss };
    size_t *fold = asci_alloc(c->n, sizeof *fold, e);
    double *middle = NULL;
    int status = ASC_ESYSTEM;
    size_t i;

    memset(out, 0, sizeof *out);
    j.value = asci_alloc(c->k ? c->k : 1, sizeof *j.value, e);
    if (!fold || !j.value || deal(c, folds, seed, fold, e) ||
        list_subtrees(t, alpha, least, out, e))
        goto out;
    middle = asci_alloc(out->n, sizeof *middle, e);
    j.sums = asci_alloc_zero(out->n + 1, sizeof *j.sums, e);
    if (!middle || !j.sums)
        goto out;
    for (i = 0; i + 1 < out->n; i++)
        middle[i] = sqrt(out->alpha[i] * out->alpha[i + 1]);
    middle[out->n - 1] = INFINITY;
    j.middle = middle;
    j.n = out->n;
    status = ASC_OK;
    for (i = 0; i < folds && !status; i++)
        status = judge_part(&j, o, s, fold, i, e);
    if (!status)
        sum_up(&j, out);
out:
    free(j.sums);
    free(middle);
    free(j.value);
    free(fold);
    return status;
}
