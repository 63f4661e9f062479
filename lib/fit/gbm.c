/* fit/gbm.c -- gradient-boosted trees, second order, on histograms.
 *
 * A tree is grown (gbm_tree.c) on the gradient g and curvature h of the loss at
 * the current scores:
 *
 *     squared     g = w (f - y)           h = w
 *     logistic    g = w (p - y)           h = w p (1 - p)
 *     softmax     g = w (p_k - [y = k])   h = w p_k (1 - p_k) K / (K - 1)
 *
 * (K/(K-1): Friedman 2001, eq. 33; a tree a class and round.)  Scores begin at
 * the mean, the log odds, the log shares.
 *
 * Rows held out, if any, take no part in that; the rounds up to the one with
 * the least loss on them are kept, and no more are made when `patience` rounds
 * have not been better.
 *
 * Memory: a byte a row and field (two if a field has over 255 categories), and
 * 84 + 16 K bytes a row.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit/gbm.h"

static const struct asc_param params[] = {
    [TREES] = { "trees", ASC_PARAM_INTEGER, 100, 1, 1e6, NULL,
                "rounds of boosting; one tree each, a tree a class if more "
                "than two" },
    [DEPTH] = { "depth", ASC_PARAM_INTEGER, 4, 1, 20, NULL,
                "splits above a leaf at most" },
    [RATE] = { "rate", ASC_PARAM_REAL, 0.1, 1e-6, 1, NULL,
               "shrinkage of each tree" },
    [MIN_CHILD] = { "min-child", ASC_PARAM_REAL, 1, 0, 1e12, NULL,
                    "least sum of curvatures in a leaf (rows, if the loss is "
                    "squared)" },
    [LAMBDA] = { "lambda", ASC_PARAM_REAL, 1, 0, 1e12, NULL,
                 "penalty on squared leaf values" },
    [GAMMA] = { "gamma", ASC_PARAM_REAL, 0, 0, 1e12, NULL,
                "gain that a split must exceed" },
    [SUBSAMPLE] = { "subsample", ASC_PARAM_REAL, 1, 0.001, 1, NULL,
                    "share of rows drawn for each round" },
    [COLUMNS] = { "columns", ASC_PARAM_REAL, 1, 0.001, 1, NULL,
                  "share of fields drawn for each round" },
    [BINS] = { "bins", ASC_PARAM_INTEGER, 255, 2, 255, NULL,
               "bins of a continuous field at most" },
    [MIN_CATEGORY] = { "min-category", ASC_PARAM_REAL, 10, 0, 1e12, NULL,
                       "rows of a node that a category must have to be told "
                       "apart there" },
    [HELD_OUT] = { "held-out", ASC_PARAM_REAL, 0, 0, 0.9, NULL,
                   "share of rows held out to stop early; 0: no early stop" },
    [PATIENCE] = { "patience", ASC_PARAM_INTEGER, 20, 1, 1e6, NULL,
                   "rounds without a better one before it stops" },
    ASC_PARAMS_END
};

static void
free_job(struct gbm_job *o)
{
    size_t j;

    free(o->stack);
    for (j = 0; j < o->n_slots; j++)
        free(o->slots[j]);
    free(o->slots);
    free(o->ranked);
    free(o->rank);
    free(o->side);
    free(o->active);
    free(o->spare);
    free(o->out);
    free(o->row);
    free(o->near);
    free(o->slope);
    free(o->p);
    free(o->score);
    free(o->w);
    free(o->y);
    free(o->offset);
    for (j = 0; o->bins && j < o->d; j++)
        asci_bins_free(&o->bins[j]);
    free(o->bins);
    free(o->order);
}

/* ---- rounds ---- */

/* Keeps `keep` of the numbers 0..n-1, in rising order, by selection sampling
 * (Knuth, algorithm 3.4.2 S); the others go to out, if wanted. */
static void
draw(struct asc_stream *stream, size_t n, size_t keep, uint32_t *in,
     uint32_t *out)
{
    size_t i, kept = 0, dropped = 0;

    for (i = 0; i < n; i++)
        if (asc_stream_below(stream, n - i) < keep - kept)
            in[kept++] = (uint32_t)i;
        else
            out[dropped++] = (uint32_t)i;
}

static size_t
share_of(double share, size_t n)
{
    const size_t k = (size_t)(share * (double)n + 0.5);

    return k < 1 ? 1 : k > n ? n : k;
}

/* The rows and fields of a round. */
static void
draw_round(struct gbm_job *o, size_t round)
{
    struct asc_stream stream;
    char id[32];
    const size_t n_id = (size_t)snprintf(id, sizeof id, "%zu", round);
    const size_t n = o->n - o->n_held;
    size_t i;

    o->n_row = share_of(o->s->value[SUBSAMPLE], n);
    o->n_out = o->n - o->n_row;
    if (o->n_row < n) {
        asc_stream_start(&stream, o->s->seed, "gbm rows", id, n_id);
        draw(&stream, n, o->n_row, o->row, o->out);
    } else {
        for (i = 0; i < n; i++)
            o->row[i] = (uint32_t)i;
    }
    for (i = 0; i < o->n_held; i++)
        o->out[n - o->n_row + i] = (uint32_t)(n + i);
    o->n_active = share_of(o->s->value[COLUMNS], o->d);
    for (i = 0; i < o->d; i++)
        o->active[i] = i;
    if (o->n_active < o->d) {
        size_t kept = 0;

        asc_stream_start(&stream, o->s->seed, "gbm fields", id, n_id);
        for (i = 0; i < o->d; i++)
            if (asc_stream_below(&stream, o->d - i) < o->n_active - kept)
                o->active[kept++] = i;
    }
}

/* p (k, n) from the scores. */
static void
respond(struct gbm_job *o)
{
    size_t i, r;

    if (!o->m->classifier) {
        memcpy(o->p, o->score, o->n * sizeof *o->p);
        return;
    }
    for (i = 0; i < o->n; i++) {
        double top = -INFINITY, sum = 0.0;

        if (o->k == 1) {
            const double s = o->score[i], t = exp(-fabs(s));

            o->p[i] = s >= 0.0 ? 1.0 / (1.0 + t) : t / (1.0 + t);
            continue;
        }
        for (r = 0; r < o->k; r++)
            if (o->score[r * o->n + i] > top)
                top = o->score[r * o->n + i];
        for (r = 0; r < o->k; r++) {
            o->p[r * o->n + i] = exp(o->score[r * o->n + i] - top);
            sum += o->p[r * o->n + i];
        }
        for (r = 0; r < o->k; r++)
            o->p[r * o->n + i] /= sum;
    }
}

/* Gradient and curvature of score r. */
static void
differentiate(struct gbm_job *o, size_t r)
{
    const double factor = o->k == 1 ? 1.0 : (double)o->k / (double)(o->k - 1);
    const double *p = o->p + r * o->n;
    size_t i;

    for (i = 0; i < o->n; i++) {
        const double w = o->w[i];
        double hit = o->y[i], h = 1.0;

        if (o->k > 1)
            hit = (size_t)o->y[i] == r;
        if (o->m->classifier) {
            h = factor * p[i] * (1.0 - p[i]);
            if (h < 1e-16)
                h = 1e-16;
        }
        o->slope[i].g = w * (p[i] - hit);
        o->slope[i].h = w * h;
        o->slope[i].w = w;
    }
}

static int
start_scores(struct gbm_job *o, struct asc_error *e)
{
    struct asci_ensemble *f = &o->m->u.ensemble;
    const size_t classes = o->m->classifier ? o->m->n_outputs : 1;
    struct asc_sum *sum = asci_alloc(classes + 1, sizeof *sum, e);
    double total, squares = 0.0;
    size_t i, r;

    if (!sum)
        return ASC_ESYSTEM;
    for (r = 0; r <= classes; r++)
        asc_sum_clear(&sum[r]);
    for (i = 0; i < o->n; i++) {
        asc_sum_add(&sum[classes], o->w[i]);
        if (o->m->classifier)
            asc_sum_add(&sum[(size_t)o->y[i]], o->w[i]);
        else
            asc_sum_add(&sum[0], o->w[i] * o->y[i]);
        squares += asci_fit_weight(o->t, o->order[i]) * o->y[i] * o->y[i];
    }
    total = asc_sum_value(&sum[classes]);
    /* a class that only rows of weight 0 have is almost impossible */
    for (r = 0; r < o->k; r++) {
        const double share = asc_sum_value(&sum[r]) / total;

        f->base[r] = !o->m->classifier ? share : log(fmax(share, 1e-12));
    }
    if (o->m->classifier && o->k == 1)
        f->base[0] = log(fmax(asc_sum_value(&sum[1]) / total, 1e-12)) -
                     log(fmax(asc_sum_value(&sum[0]) / total, 1e-12));
    free(sum);
    for (r = 0; r < o->k; r++)
        for (i = 0; i < o->n; i++)
            o->score[r * o->n + i] = f->base[r];
    /* sums of squares are what gains are made of */
    return isfinite((double)o->n * squares) ? ASC_OK
           : asc_fail(e, ASC_ENUMERIC, "gbm: the target's numbers are too "
                      "large to compute with: rescale it");
}

/* The model's next tree, empty. */
static int
new_tree(struct gbm_job *o, size_t r, struct asc_error *e)
{
    struct asci_ensemble *f = &o->m->u.ensemble;
    void *trees = f->tree;
    int status;

    status = asci_gbm_room(&trees, f->n_trees, &o->tree_capacity,
                           sizeof *f->tree, e);
    f->tree = trees;
    if (status)
        return status;
    o->tree = &f->tree[f->n_trees++];
    memset(o->tree, 0, sizeof *o->tree);
    o->tree->width = 1;
    o->tree->first = r;
    return ASC_OK;
}

static void
drop_round(struct gbm_job *o)
{
    struct asci_ensemble *f = &o->m->u.ensemble;
    size_t r;

    for (r = 0; r < o->k; r++) {
        struct asci_tree *tree = &f->tree[--f->n_trees];

        free(tree->node);
        free(tree->cover);
        free(tree->value);
    }
}

/* The rows and fields of a round, and its trees; *grown: one of them has a
 * split. */
static int
add_round(struct gbm_job *o, size_t round, int *grown, struct asc_error *e)
{
    size_t r;
    int status;

    *grown = 0;
    respond(o);
    for (r = 0; r < o->k; r++) {
        /* partitions of the last tree are undone */
        draw_round(o, round);
        differentiate(o, r);
        if ((status = new_tree(o, r, e)) ||
            (status = asci_gbm_grow(o, o->score + r * o->n, e)))
            return status;
        *grown |= o->tree->n_nodes > 1;
    }
    return ASC_OK;
}

/* Squared error, or -log p, of a row by its scores. */
static double
loss_of(const struct gbm_job *o, size_t i)
{
    double top = -INFINITY, sum = 0.0, s;
    size_t r;

    if (!o->m->classifier) {
        s = o->score[i] - o->y[i];
        return s * s;
    }
    if (o->k == 1) {
        s = o->y[i] > 0.5 ? -o->score[i] : o->score[i];
        return fmax(s, 0.0) + log1p(exp(-fabs(s)));
    }
    for (r = 0; r < o->k; r++)
        if (o->score[r * o->n + i] > top)
            top = o->score[r * o->n + i];
    for (r = 0; r < o->k; r++)
        sum += exp(o->score[r * o->n + i] - top);
    return log(sum) + top - o->score[(size_t)o->y[i] * o->n + i];
}

/* Mean loss of the rows held out, NaN if there are none. */
static double
held_loss(const struct gbm_job *o)
{
    double sum = 0.0, weight = 0.0;
    size_t i;

    for (i = o->n - o->n_held; i < o->n; i++) {
        const double w = asci_fit_weight(o->t, o->order[i]);

        sum += w * loss_of(o, i);
        weight += w;
    }
    return sum / weight;
}

static int
boost(struct gbm_job *o, const struct asc_fitting *how, struct asc_error *e)
{
    const int sampled = o->s->value[SUBSAMPLE] < 1.0 ||
                        o->s->value[COLUMNS] < 1.0;
    const size_t rounds = (size_t)o->s->value[TREES];
    const size_t patience = (size_t)o->s->value[PATIENCE];
    const double start = held_loss(o);
    double loss, least = INFINITY;
    size_t round, best = 0, sets = 0;
    int status, grown = 1;

    for (round = 0; round < rounds && (grown || sampled); round++) {
        if ((status = add_round(o, round, &grown, e)))
            return status;
        /* no split anywhere, and none to come: scores are at their best */
        if (!grown && !sampled && round > 0)
            drop_round(o);
        loss = held_loss(o);
        if (loss < least) {
            least = loss;
            best = round;
            sets = o->m->u.ensemble.n_set_words;
        }
        if (o->n_held > 0 && round - best >= patience)
            break;
    }
    if (o->n_held == 0)
        return ASC_OK;
    while (o->m->u.ensemble.n_trees > (best + 1) * o->k)
        drop_round(o);
    if (least < INFINITY)
        o->m->u.ensemble.n_set_words = sets;
    asci_fit_say(how, 0, "gbm: %zu of %zu rounds are kept, which have the "
                 "least %s on %zu rows held out, %.4g (%.4g before the first)",
                 best + 1, round < rounds ? round + 1 : rounds,
                 o->m->classifier ? "log loss" : "squared error", o->n_held,
                 least, start);
    return ASC_OK;
}

/* ---- the model ---- */

/* Rows to learn from, in the order of their ids, then those held out. */
static int
order_rows(struct gbm_job *o, struct asc_error *e)
{
    unsigned char *held = asci_alloc_zero(o->t->n, 1, e);
    size_t *all = asci_alloc(o->t->n, sizeof *all, e);
    size_t i, n, at = 0;
    int way, status = ASC_ESYSTEM;

    o->order = asci_alloc(o->t->n, sizeof *o->order, e);
    if (!held || !all || !o->order ||
        asci_fit_hold_out(o->t, o->s->seed, "gbm held out",
                          o->s->value[HELD_OUT], all, &n, &o->n_held, e))
        goto out;
    for (i = 0; i < o->n_held; i++)
        held[all[i]] = 1;
    if (asci_fit_order(o->t, all, &o->n, e))
        goto out;
    for (way = 0; way < 2; way++)
        for (i = 0; i < o->n; i++)
            if (held[all[i]] == way)
                o->order[at++] = all[i];
    status = ASC_OK;
out:
    free(all);
    free(held);
    return status;
}

static int
prepare(struct gbm_job *o, struct asc_error *e)
{
    const size_t depth = (size_t)o->s->value[DEPTH];
    size_t i, j, most = 0;
    int status;

    if (o->t->n >= UINT32_MAX)
        return asc_fail(e, ASC_EUSAGE, "gbm: %zu rows, at most %lu", o->t->n,
                        (unsigned long)UINT32_MAX - 1);
    o->d = o->t->schema.n;
    o->k = o->m->n_raw;
    if (order_rows(o, e))
        return ASC_ESYSTEM;
    if (o->n_held == 0 && o->s->value[HELD_OUT] > 0.0)
        return asc_fail(e, ASC_EUSAGE, "gbm: held-out=%g: that is none of "
                        "%zu rows", o->s->value[HELD_OUT], o->n);
    o->bins = asci_alloc_zero(o->d, sizeof *o->bins, e);
    o->offset = asci_alloc_zero(o->d + 1, sizeof *o->offset, e);
    if (!o->bins || !o->offset)
        return ASC_ESYSTEM;
    for (j = 0; j < o->d; j++) {
        status = asci_bins_init(&o->bins[j], o->t, j, o->order, o->n,
                                (size_t)o->s->value[BINS], e);
        if (status)
            return status;
        o->offset[j + 1] = o->offset[j] + o->bins[j].n_bins + 1;
        if (o->bins[j].n_bins > most)
            most = o->bins[j].n_bins;
    }
    o->y = asci_alloc(o->n, sizeof *o->y, e);
    o->w = asci_alloc(o->n, sizeof *o->w, e);
    o->score = asci_alloc(o->k * o->n, sizeof *o->score, e);
    o->p = asci_alloc(o->k * o->n, sizeof *o->p, e);
    o->slope = asci_alloc(o->n, sizeof *o->slope, e);
    o->near = asci_alloc(o->n, sizeof *o->near, e);
    o->row = asci_alloc(o->n, sizeof *o->row, e);
    o->out = asci_alloc(o->n, sizeof *o->out, e);
    o->spare = asci_alloc(o->n, sizeof *o->spare, e);
    o->active = asci_alloc(o->d, sizeof *o->active, e);
    o->side = asci_alloc(most + 1, 1, e);
    o->rank = asci_alloc(most, sizeof *o->rank, e);
    o->ranked = asci_alloc(most, sizeof *o->ranked, e);
    o->slots = asci_alloc(depth + 3, sizeof *o->slots, e);
    o->stack = asci_alloc(depth + 3, sizeof *o->stack, e);
    if (!o->y || !o->w || !o->score || !o->p || !o->slope || !o->near ||
        !o->row || !o->out || !o->spare || !o->active || !o->side ||
        !o->rank || !o->ranked || !o->slots || !o->stack)
        return ASC_ESYSTEM;
    for (i = 0; i < o->n; i++) {
        o->y[i] = o->t->y[o->order[i]];
        o->w[i] = i < o->n - o->n_held ? asci_fit_weight(o->t, o->order[i])
                                       : 0.0;
    }
    return ASC_OK;
}

static int
make_model(struct gbm_job *o, struct asc_error *e)
{
    struct asci_ensemble *f = &o->m->u.ensemble;
    struct asci_encoder *en = &o->m->encoder;
    size_t j;

    o->m->form = ASC_FORM_ENSEMBLE;
    f->n_columns = o->d;
    f->n_raw = o->k;
    f->scale = 1.0;
    f->base = asci_alloc_zero(o->k, sizeof *f->base, e);
    en->column = asci_alloc_zero(o->d, sizeof *en->column, e);
    if (!f->base || !en->column)
        return ASC_ESYSTEM;
    en->n = o->d;
    for (j = 0; j < o->d; j++)
        if (asci_column_identity(&en->column[j], j, e))
            return ASC_ESYSTEM;
    return ASC_OK;
}

static asc_model *
fit(const struct asc_training *t, const struct asc_spec *s,
    const struct asc_fitting *how, struct asc_error *e)
{
    struct gbm_job o = { .t = t, .s = s };
    int status;

    if (asci_fit_check(t, s, ASCI_WANTS_ANY, e))
        return NULL;
    o.m = asci_fit_model(t, s, 0, e);
    if (!o.m)
        return NULL;
    if (!(status = prepare(&o, e)) && !(status = make_model(&o, e)) &&
        !(status = start_scores(&o, e)) && !(status = boost(&o, how, e)))
        status = asci_model_finish(o.m, e);
    free_job(&o);
    if (status) {
        asc_model_free(o.m);
        return NULL;
    }
    return o.m;
}

const struct asc_trainer asci_trainer_gbm = {
    .entry = {
        .name = "gbm",
        .title = "gradient-boosted trees, second order, on histograms",
        .source = "Chen and Guestrin 2016, doi:10.1145/2939672.2939785",
        .params = params,
        .traits = ASC_RANDOM
    },
    .fit = fit
};
