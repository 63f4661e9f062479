/* fit/forest.c -- a random forest: the average of trees, each grown
 * (cart_grow.c, unpruned) on as many rows as there are, drawn with
 * replacement, and looking for each split at few fields drawn anew.
 *
 * Breiman 2001, "Random forests".  Of classes, shares are averaged, not votes.
 * Defaults are those of Hastie, Tibshirani and Friedman 2009, sec. 15.3, and
 * R's randomForest: sqrt(d) fields for classes, d/3 for a number, of which
 * nodes of up to five rows are not split.
 * Fields that are constant in the node do not count among those drawn, and
 * more are drawn while none splits.
 *
 * Out-of-bag: each row is predicted by the trees that did not draw it.
 *
 * What tree i draws comes from streams of its own, keyed by the seed and i,
 * over rows in the order of their ids; trees are added up in their order.  So
 * neither threads nor the order of lines show.  Each thread needs 70 bytes a
 * row, and each tree under way 4.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit/cart.h"

enum { TREES, MTRY, DEPTH, MIN_SPLIT, MIN_LEAF, SUBSAMPLE, CRITERION };
static const struct asc_param params[] = {
    [TREES] = { "trees", ASC_PARAM_INTEGER, 500, 1, 1e6, NULL, "trees" },
    [MTRY] = { "mtry", ASC_PARAM_INTEGER, 0, 0, 1e6, NULL,
               "fields drawn for each split; 0: the root of their number for "
               "classes, a third of it for a number" },
    [DEPTH] = { "depth", ASC_PARAM_INTEGER, 800, 1, 800, NULL,
                "splits above a leaf at most" },
    [MIN_SPLIT] = { "min-split", ASC_PARAM_INTEGER, 0, 0, 1e9, NULL,
                    "drawn rows that a node must have to be split; 0: 2 for "
                    "classes, 6 for a number" },
    [MIN_LEAF] = { "min-leaf", ASC_PARAM_INTEGER, 1, 1, 1e9, NULL,
                   "drawn rows that a leaf must have" },
    [SUBSAMPLE] = { "subsample", ASC_PARAM_REAL, 1, 0.001, 1, NULL,
                    "rows drawn for each tree, with replacement, as a share "
                    "of all" },
    [CRITERION] = { "criterion", ASC_PARAM_CHOICE, 0, 0, 0, "gini|entropy",
                    "impurity of classes that splits are to lower; of "
                    "numbers it is the squared error" },
    ASC_PARAMS_END
};

struct job {
    const struct asc_training *t;
    const struct asc_spec *s;
    struct asci_cart_table c;
    struct asci_cart_options o;
    struct asci_cart_model out;
    size_t n_drawn;             /* rows of a tree */
    size_t next, n_trees;
    size_t width;               /* classes, or 1 */
    unsigned threads, n_idle;
    struct asci_cart_space *space;      /* (threads) */
    struct asci_cart_space **idle;      /* (n_idle) those not in use */
    pthread_mutex_t lock;
    double *sum;                /* (n, width) of trees that did not draw it */
    uint32_t *judges;           /* (n) how many these are */
    double *value;              /* (width) */
};

/* A tree under way. */
struct block {
    size_t number;
    struct asci_cart_tree t;
    uint32_t *leaf;             /* (n) node of each row, or DRAWN */
};
#define DRAWN UINT32_MAX

/* ---- one tree ---- */

/* No more threads work at once than there are spaces. */
static struct asci_cart_space *
take_space(struct job *o)
{
    struct asci_cart_space *s;

    pthread_mutex_lock(&o->lock);
    s = o->idle[--o->n_idle];
    pthread_mutex_unlock(&o->lock);
    return s;
}

static void
give_space(struct job *o, struct asci_cart_space *s)
{
    pthread_mutex_lock(&o->lock);
    o->idle[o->n_idle++] = s;
    pthread_mutex_unlock(&o->lock);
}

static void
draw_rows(const struct job *o, struct asci_cart_space *s, const char *id)
{
    const struct asci_cart_table *c = &o->c;
    struct asc_stream stream;
    size_t i;

    asc_stream_start(&stream, o->s->seed, "forest rows", id, strlen(id));
    memset(s->count, 0, c->n * sizeof *s->count);
    for (i = 0; i < o->n_drawn; i++)
        s->count[asc_stream_below(&stream, c->n)]++;
    s->n_row = 0;
    for (i = 0; i < c->n; i++) {
        s->w[i] = c->w[i] * (double)s->count[i];
        if (s->count[i] > 0)
            s->row[s->n_row++] = (uint32_t)i;
    }
}

/* Where the rows that were not drawn end. */
static void
find_leaves(const struct job *o, const struct asci_cart_space *s,
            struct block *b)
{
    uint32_t node;
    size_t i;

    for (i = 0; i < o->c.n; i++) {
        b->leaf[i] = DRAWN;
        if (s->count[i] > 0)
            continue;
        for (node = 0; b->t.node[node].test != ASCI_LEAF;)
            node = asci_cart_child(&o->c, &b->t, node, i);
        b->leaf[i] = node;
    }
}

static int
grow_tree(void *context, void *block, struct asc_error *e)
{
    struct job *o = context;
    struct block *b = block;
    struct asci_cart_space *s = take_space(o);
    struct asci_cart_options options = o->o;
    struct asc_stream stream;
    char id[32];
    const size_t n_id = (size_t)snprintf(id, sizeof id, "%zu", b->number);
    int status;

    draw_rows(o, s, id);
    asc_stream_start(&stream, o->s->seed, "forest fields", id, n_id);
    options.stream = &stream;
    status = asci_cart_grow(&o->c, &options, s, &b->t, e);
    if (!status)
        find_leaves(o, s, b);
    give_space(o, s);
    return status;
}

/* ---- all trees, in their order ---- */

static void *
new_block(void *context, struct asc_error *e)
{
    const struct job *o = context;
    struct block *b = asci_alloc_zero(1, sizeof *b, e);

    if (b && !(b->leaf = asci_alloc(o->c.n, sizeof *b->leaf, e))) {
        free(b);
        return NULL;
    }
    return b;
}

static void
free_block(void *context, void *block)
{
    struct block *b = block;

    (void)context;
    asci_cart_tree_free(&b->t);
    free(b->leaf);
    free(b);
}

static int
next_tree(void *context, void *block, struct asc_error *e)
{
    struct job *o = context;
    struct block *b = block;

    (void)e;
    b->number = o->next++;
    return b->number < o->n_trees;
}

static int
add_tree(void *context, void *block, struct asc_error *e)
{
    struct job *o = context;
    struct block *b = block;
    const int status = asci_cart_add(&o->out, &o->c, &b->t, NULL, e);
    size_t i, k;

    for (i = 0; i < o->c.n && !status; i++) {
        if (b->leaf[i] == DRAWN)
            continue;
        asci_cart_value(&o->c, b->t.stat + b->leaf[i] * b->t.width, o->value);
        for (k = 0; k < o->width; k++)
            o->sum[i * o->width + k] += o->value[k];
        o->judges[i]++;
    }
    asci_cart_tree_free(&b->t);
    return status;
}

static int
grow_all(struct job *o, struct asc_error *e)
{
    static const struct asc_loop loop = { new_block, free_block, next_tree,
                                          grow_tree, add_tree };
    int status = asc_loop_run(&loop, o, o->threads, e);

    o->out.m->u.ensemble.scale = 1.0 / (double)o->n_trees;
    return status;
}

/* ---- out-of-bag error ---- */

struct errors {
    size_t n;                   /* rows with a judge */
    double weight, wrong, squares;
    double mean, spread;        /* of a number: of the target */
};

/* Prediction of row i by trees that did not draw it; *best: its class. */
static void
judge(const struct job *o, size_t i, size_t *best)
{
    const double *sum = o->sum + i * o->width;
    size_t k;

    *best = 0;
    for (k = 0; k < o->width; k++) {
        o->value[k] = sum[k] / (double)o->judges[i];
        if (sum[k] > sum[*best])
            *best = k;
    }
}

static struct errors
count_errors(const struct job *o)
{
    const struct asci_cart_table *c = &o->c;
    struct errors r = { 0 };
    size_t i, k, best;

    for (i = 0; i < c->n; i++) {
        if (o->judges[i] == 0)
            continue;
        judge(o, i, &best);
        r.n++;
        r.weight += c->w[i];
        r.mean += c->w[i] * c->y[i];
        r.wrong += c->k && c->y[i] != (double)best ? c->w[i] : 0.0;
        for (k = 0; k < o->width; k++) {
            const double want = c->k ? c->y[i] == (double)k : c->y[i];

            r.squares += c->w[i] * (o->value[k] - want) * (o->value[k] - want);
        }
    }
    r.mean /= r.weight;
    for (i = 0; i < c->n; i++)
        if (o->judges[i] > 0)
            r.spread += c->w[i] * (c->y[i] - r.mean) * (c->y[i] - r.mean);
    return r;
}

static void
say_errors(const struct job *o, const struct asc_fitting *how)
{
    const struct errors r = count_errors(o);

    if (r.n == 0) {
        asci_fit_say(how, 0, "forest: every tree drew every row: there is no "
                     "out-of-bag error");
        return;
    }
    if (o->c.k)
        asci_fit_say(how, 0, "forest: out-of-bag error %.4g (share of wrong "
                     "classes), Brier score %.4g, over %zu of %zu rows",
                     r.wrong / r.weight, r.squares / r.weight, r.n, o->c.n);
    else
        asci_fit_say(how, 0, "forest: out-of-bag mean squared error %.4g, R2 "
                     "%.4g, over %zu of %zu rows", r.squares / r.weight,
                     1.0 - r.squares / r.spread, r.n, o->c.n);
}

/* ---- the model ---- */

static void
free_job(struct job *o)
{
    unsigned i;

    free(o->value);
    free(o->judges);
    free(o->sum);
    if (o->idle)
        pthread_mutex_destroy(&o->lock);
    free(o->idle);
    for (i = 0; o->space && i < o->threads; i++)
        asci_cart_space_free(&o->space[i]);
    free(o->space);
    asci_cart_table_free(&o->c);
}

static void
set_options(struct job *o)
{
    const double *v = o->s->value, d = (double)o->c.d;
    const double few = floor(o->c.k ? sqrt(d) : d / 3.0);

    o->n_trees = (size_t)v[TREES];
    o->n_drawn = (size_t)(v[SUBSAMPLE] * (double)o->c.n + 0.5);
    if (o->n_drawn < 1)
        o->n_drawn = 1;
    o->width = o->c.k ? o->c.k : 1;
    o->o.entropy = v[CRITERION] != 0.0;
    o->o.depth = (size_t)v[DEPTH];
    o->o.min_leaf = (size_t)v[MIN_LEAF];
    o->o.min_split = (size_t)v[MIN_SPLIT];
    if (o->o.min_split == 0)
        o->o.min_split = o->c.k ? 2 : 6;
    o->o.fields = (size_t)v[MTRY];
    if (o->o.fields == 0)
        o->o.fields = few < 1.0 ? 1 : (size_t)few;
}

static int
prepare(struct job *o, const struct asc_fitting *how, struct asc_error *e)
{
    unsigned i;
    int status = asci_cart_table_init(&o->c, o->t, "forest", e);

    if (status)
        return status;
    set_options(o);
    if (o->o.fields > o->c.d)
        return asc_fail(e, ASC_EUSAGE, "forest: mtry=%zu: there are %zu "
                        "fields only", o->o.fields, o->c.d);
    o->threads = how && how->threads > 1 ? how->threads : 1;
    if (o->threads > o->n_trees)
        o->threads = (unsigned)o->n_trees;
    o->sum = asci_alloc_zero(o->c.n, o->width * sizeof *o->sum, e);
    o->judges = asci_alloc_zero(o->c.n, sizeof *o->judges, e);
    o->value = asci_alloc(o->width, sizeof *o->value, e);
    o->space = asci_alloc_zero(o->threads, sizeof *o->space, e);
    o->idle = o->space ? asci_alloc(o->threads, sizeof *o->idle, e) : NULL;
    if (!o->sum || !o->judges || !o->value || !o->idle)
        return ASC_ESYSTEM;
    pthread_mutex_init(&o->lock, NULL);
    for (i = 0; i < o->threads; i++) {
        if (asci_cart_space_init(&o->space[i], &o->c, 1, e))
            return ASC_ESYSTEM;
        o->idle[o->n_idle++] = &o->space[i];
    }
    return ASC_OK;
}

static asc_model *
fit(const struct asc_training *t, const struct asc_spec *s,
    const struct asc_fitting *how, struct asc_error *e)
{
    struct job o = { .t = t, .s = s };
    asc_model *m;
    int status;

    if (asci_fit_check(t, s, ASCI_WANTS_ANY, e))
        return NULL;
    if (t->target.kind == ASC_CONTINUOUS && s->value[CRITERION] != 0.0) {
        asc_fail(e, ASC_EUSAGE, "forest: target \"%s\" is a number: "
                 "criterion is for classes", t->target.name);
        return NULL;
    }
    m = asci_fit_model(t, s, 0, e);
    if (!m)
        return NULL;
    if (!(status = prepare(&o, how, e)) &&
        !(status = asci_cart_model_init(&o.out, m, &o.c, e)) &&
        !(status = grow_all(&o, e)))
        status = asci_model_finish(m, e);
    if (!status)
        say_errors(&o, how);
    free_job(&o);
    if (status) {
        asc_model_free(m);
        return NULL;
    }
    return m;
}

const struct asc_trainer asci_trainer_forest = {
    .entry = {
        .name = "forest",
        .title = "a random forest of classification or regression trees",
        .source = "Breiman 2001, doi:10.1023/A:1010933404324",
        .params = params,
        .traits = ASC_RANDOM
    },
    .fit = fit
};
