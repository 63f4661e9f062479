/* fit/tree.c -- a classification or regression tree: grown (cart_grow.c),
 * then pruned (cart_prune.c), at a given complexity or one that
 * cross-validation chooses (cart_cross.c).
 *
 * Breiman, Friedman, Olshen and Stone 1984, "Classification and regression
 * trees".  Defaults and the meaning of cp, a complexity in shares of the
 * root's risk, are those of R's rpart.  Of the subtrees for complexities of
 * at least cp, `folds` chooses the smallest one whose risk is within a
 * standard error of the least one (sec. 3.4.3), or the one with the least.
 */
#include <math.h>
#include <stdlib.h>

#include "fit/cart.h"

enum { CRITERION, DEPTH, MIN_SPLIT, MIN_LEAF, MIN_DECREASE, CP, LOSS, FOLDS,
       RULE };
enum { RULE_ONE_SE, RULE_LEAST };
static const struct asc_param params[] = {
    [CRITERION] = { "criterion", ASC_PARAM_CHOICE, 0, 0, 0, "gini|entropy",
                    "impurity of classes that splits are to lower; of "
                    "numbers it is the squared error" },
    [DEPTH] = { "depth", ASC_PARAM_INTEGER, 30, 1, 800, NULL,
                "splits above a leaf at most" },
    [MIN_SPLIT] = { "min-split", ASC_PARAM_INTEGER, 20, 2, 1e9, NULL,
                    "rows that a node must have to be split" },
    [MIN_LEAF] = { "min-leaf", ASC_PARAM_INTEGER, 7, 1, 1e9, NULL,
                   "rows that a leaf must have" },
    [MIN_DECREASE] = { "min-decrease", ASC_PARAM_REAL, 0, 0, 1e300, NULL,
                       "decrease of impurity that a split must bring, times "
                       "its rows' share of the weight" },
    [CP] = { "cp", ASC_PARAM_REAL, 0.01, 0, 1, NULL,
             "share of the root's risk that each leaf must save" },
    [LOSS] = { "loss", ASC_PARAM_CHOICE, ASCI_CART_ERROR, 0, 0,
               "error|brier",
               "risk of classes when pruning: share of errors, or squared "
               "error of the probabilities" },
    [FOLDS] = { "folds", ASC_PARAM_INTEGER, 0, 0, 1000, NULL,
                "parts of the table for choosing the complexity by "
                "cross-validation, from cp on; 0: it is cp" },
    [RULE] = { "rule", ASC_PARAM_CHOICE, RULE_ONE_SE, 0, 0, "one-se|least",
               "the smallest tree within a standard error of the least "
               "risk, or the one with the least" },
    ASC_PARAMS_END
};

struct job {
    const struct asc_training *t;
    const struct asc_spec *s;
    const struct asc_fitting *how;
    struct asci_cart_table c;
    struct asci_cart_options o;
    struct asci_cart_space space;
    struct asci_cart_tree tree;
    double *alpha;              /* (n_nodes) */
    unsigned char *leaf;        /* (n_nodes) */
};

static void
free_job(struct job *o)
{
    free(o->leaf);
    free(o->alpha);
    asci_cart_tree_free(&o->tree);
    asci_cart_space_free(&o->space);
    asci_cart_table_free(&o->c);
}

static int
check(const struct asc_training *t, const struct asc_spec *s,
      struct asc_error *e)
{
    int status = asci_fit_check(t, s, ASCI_WANTS_ANY, e);

    if (status)
        return status;
    if (t->target.kind == ASC_CONTINUOUS &&
        (s->value[CRITERION] != 0.0 || s->value[LOSS] != 0.0))
        return asc_fail(e, ASC_EUSAGE, "tree: target \"%s\" is a number: "
                        "%s is for classes", t->target.name,
                        s->value[CRITERION] != 0.0 ? "criterion" : "loss");
    if (s->value[FOLDS] == 1.0)
        return asc_fail(e, ASC_EUSAGE, "tree: folds=1: want 0, or at least 2");
    return ASC_OK;
}

static int
prepare(struct job *o, struct asc_error *e)
{
    const double *v = o->s->value;
    const unsigned threads = o->how && o->how->threads > 1 ? o->how->threads
                                                           : 1;
    size_t i;
    int status;

    if ((status = asci_cart_table_init(&o->c, o->t, "tree", e)) ||
        (status = asci_cart_space_init(&o->space, &o->c, threads, e)))
        return status;
    if (v[FOLDS] > (double)o->c.n)
        return asc_fail(e, ASC_EUSAGE, "tree: folds=%.0f: the table has %zu "
                        "rows only", v[FOLDS], o->c.n);
    o->o.entropy = v[CRITERION] != 0.0;
    o->o.depth = (size_t)v[DEPTH];
    o->o.min_split = (size_t)v[MIN_SPLIT];
    o->o.min_leaf = (size_t)v[MIN_LEAF];
    o->o.min_decrease = v[MIN_DECREASE];
    o->space.n_row = o->c.n;
    for (i = 0; i < o->c.n; i++) {
        o->space.row[i] = (uint32_t)i;
        o->space.w[i] = o->c.w[i];
        o->space.count[i] = 1;
    }
    return ASC_OK;
}

/* ---- the choice of a complexity ---- */

static void
say_sequence(const struct job *o, const struct asci_cart_sequence *q,
             double root)
{
    enum { MOST = 50 };
    size_t i;

    for (i = q->n > MOST ? q->n - MOST : 0; i < q->n; i++)
        asci_fit_say(o->how, 1, "tree: cp=%.4g: %zu %s, cross-validated "
                     "risk %.4g (standard error %.2g)", q->alpha[i] / root,
                     q->leaves[i], q->leaves[i] == 1 ? "leaf" : "leaves",
                     q->risk[i], q->error[i]);
}

/* The complexity; root: the root's risk, of a unit of weight. */
static int
choose(struct job *o, double root, double *chosen, struct asc_error *e)
{
    struct asci_cart_sequence q = { 0 };
    size_t i, best = 0, at;
    double limit;
    int status;

    *chosen = o->s->value[CP] * root;
    if (!(o->s->value[FOLDS] > 0.0))
        return ASC_OK;
    status = asci_cart_cross(&o->c, &o->o, &o->space,
                             (enum asci_cart_loss)o->s->value[LOSS],
                             (size_t)o->s->value[FOLDS], o->s->seed,
                             &o->tree, o->alpha, *chosen, &q, e);
    if (status)
        goto out;
    for (i = 1; i < q.n; i++)
        if (q.risk[i] <= q.risk[best])
            best = i;
    limit = q.risk[best];
    if (o->s->value[RULE] == RULE_ONE_SE)
        limit += q.error[best];
    for (at = q.n - 1; q.risk[at] > limit; at--)
        ;
    *chosen = q.alpha[at];
    say_sequence(o, &q, root);
    asci_fit_say(o->how, 0, "tree: %.0f-fold cross-validation chose cp=%.4g "
                 "(%zu %s, risk %.4g); the least risk, %.4g with standard "
                 "error %.2g, has %zu %s", o->s->value[FOLDS],
                 q.alpha[at] / root, q.leaves[at],
                 q.leaves[at] == 1 ? "leaf" : "leaves", q.risk[at],
                 q.risk[best], q.error[best], q.leaves[best],
                 q.leaves[best] == 1 ? "leaf" : "leaves");
out:
    asci_cart_sequence_free(&q);
    return status;
}

/* Marks the nodes that end the pruned tree. */
static int
prune(struct job *o, struct asc_error *e)
{
    const enum asci_cart_loss loss = (enum asci_cart_loss)o->s->value[LOSS];
    const size_t n = o->tree.n_nodes;
    double chosen, root;
    size_t i;
    int status;

    o->alpha = asci_alloc(n, sizeof *o->alpha, e);
    o->leaf = asci_alloc(n, 1, e);
    if (!o->alpha || !o->leaf)
        return ASC_ESYSTEM;
    status = asci_cart_weakest(&o->c, &o->tree, loss, o->alpha, e);
    if (status)
        return status;
    root = asci_cart_risk(&o->c, o->tree.stat, loss) /
           asci_cart_weight(&o->c, o->tree.stat);
    status = choose(o, root, &chosen, e);
    for (i = 0; i < n && !status; i++)
        o->leaf[i] = o->alpha[i] <= chosen;
    return status;
}

static void
say_size(const struct job *o, const asc_model *m)
{
    const size_t kept = m->u.ensemble.tree[0].n_leaves;

    asci_fit_say(o->how, 1, "tree: %zu of %zu leaves are left after pruning",
                 kept, (o->tree.n_nodes + 1) / 2);
    if (kept == 1)
        asci_fit_say(o->how, 0, "tree: no split is worth making: the model "
                     "says the same of every row; a smaller cp, min-split or "
                     "min-leaf%s would allow more",
                     m->classifier ? ", or loss=brier," : "");
}

static asc_model *
fit(const struct asc_training *t, const struct asc_spec *s,
    const struct asc_fitting *how, struct asc_error *e)
{
    struct job o = { .t = t, .s = s, .how = how };
    struct asci_cart_model out;
    asc_model *m;
    int status;

    if (check(t, s, e))
        return NULL;
    m = asci_fit_model(t, s, 0, e);
    if (!m)
        return NULL;
    if (!(status = prepare(&o, e)) &&
        !(status = asci_cart_grow(&o.c, &o.o, &o.space, &o.tree, e)) &&
        !(status = prune(&o, e)) &&
        !(status = asci_cart_model_init(&out, m, &o.c, e)) &&
        !(status = asci_cart_add(&out, &o.c, &o.tree, o.leaf, e)))
        status = asci_model_finish(m, e);
    if (!status)
        say_size(&o, m);
    free_job(&o);
    if (status) {
        asc_model_free(m);
        return NULL;
    }
    return m;
}

const struct asc_trainer asci_trainer_tree = {
    .entry = {
        .name = "tree",
        .title = "a classification or regression tree, pruned",
        .source = "Breiman, Friedman, Olshen and Stone 1984, "
                  "doi:10.1201/9781315139470",
        .params = params,
        .traits = ASC_RANDOM
    },
    .fit = fit
};
