/* attribute/tree_shap.c -- Shapley values of trees, path-dependent.
 *
 * The game of a tree: v(S) descends from the root; a test on a field of S
 * goes the way of the row, any other test goes every way at once, weighted by
 * the share of the training weight (cover) that went there.  By leaves l with
 * value w, different fields F on their path, h = 1 if the row passes all
 * tests on a field, c the product of its cover ratios:
 *
 *     v(S) = sum_l w_l prod_{j in F_l and S} h_j prod_{j in F_l not S} c_j
 *
 * Lundberg, Erion and Lee 2018, arXiv:1802.03888, algorithm 1, defines it;
 * how it is computed here is told in tree_shap_table.c (paths of up to 8
 * different fields) and tree_shap_quadrature.c (any).  All columns that a
 * field is encoded in are one player.  base is v of no field, the mean of the
 * leaves by cover; the values of a row add up to value - base.
 *
 * Trees outside, rows inside, in blocks of ASCI_TREE_ROWS rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/internal.h"
#include "attribute/probe.h"
#include "attribute/tree_shap.h"

struct state {
    struct asci_forest *forest;
    struct asci_tables *tables;
    struct asci_quadrature *quadrature; /* (n_trees) */
    unsigned char *tabulated;   /* (n_trees) which engine */
    double *base;               /* (n_outputs) */
    size_t room;                /* bytes that the engines need */
};

static void
finish(void *state)
{
    struct state *s = state;
    size_t j;

    for (j = 0; s->quadrature && j < s->forest->n_trees; j++)
        asci_quadrature_free(&s->quadrature[j]);
    free(s->quadrature);
    free(s->tabulated);
    free(s->base);
    asci_tables_free(s->tables);
    asci_forest_free(s->forest);
    free(s);
}

/* A column is of one field, and there is no link behind the sum. */
static int
serves(const asc_model *m, enum asc_scale scale, struct asc_error *e)
{
    const struct asci_column *c;
    size_t j;

    if (scale == ASC_RESPONSE && asc_model_has_link(m))
        return asc_fail(e, ASC_EUSAGE, "explains sums over trees, and the "
                        "response has a link after them: explain the raw "
                        "scale");
    if (asci_forest_possible(m, &j))
        return ASC_OK;
    c = &m->encoder.column[j];
    if (c->name)
        return asc_fail(e, ASC_EUSAGE, "cannot tell apart the fields that "
                        "derived field \"%s\" depends on", c->name);
    return asc_fail(e, ASC_EUSAGE, "cannot tell apart the fields that column "
                    "%zu of the trees depends on", j + 1);
}

/* A tree without a single record at its root has no averages. */
static int
check_covers(const asc_model *m, const double *const *cover,
             struct asc_error *e)
{
    size_t j;

    for (j = 0; j < m->u.ensemble.n_trees; j++)
        if (!(cover[j][0] > 0.0) && m->u.ensemble.tree[j].n_nodes > 1)
            return asc_fail(e, ASC_EINPUT, "%s: tree %zu has a record count "
                            "of 0", m->name, j + 1);
    return ASC_OK;
}

/* The forest with cover ratios from the model, or else the background. */
static struct asci_forest *
make_forest(const struct asc_task *t, struct asc_error *e)
{
    const struct asci_ensemble *en = &t->model->u.ensemble;
    struct asci_forest *f = NULL;
    const double **cover = NULL;
    double **counted = NULL;
    size_t j;

    cover = asci_alloc(en->n_trees, sizeof *cover, e);
    if (!cover)
        return NULL;
    if (asci_ensemble_has_covers(en)) {
        for (j = 0; j < en->n_trees; j++)
            cover[j] = en->tree[j].cover;
    } else if (!t->background) {
        asc_fail(e, ASC_EUSAGE, "%s has no record counts, which tree-shap "
                 "weighs branches by: give background rows with -b",
                 t->model->name);
        goto out;
    } else {
        counted = asci_ensemble_covers(t->model, t->background->x,
                                       t->background->n, e);
        if (!counted)
            goto out;
        for (j = 0; j < en->n_trees; j++)
            cover[j] = counted[j];
    }
    if (check_covers(t->model, cover, e) == ASC_OK)
        f = asci_forest_new(t->model, cover, e);
out:
    free(counted);
    free(cover);
    return f;
}

/* Adds the mean of value k of a tree by cover to *sum.  share (n_nodes) is
 * room. */
static int
add_mean(const struct asc_task *t, const struct asci_forest_tree *tree,
         size_t j, size_t k, double *share, double *sum, struct asc_error *e)
{
    size_t i, end;

    share[0] = 1.0;
    for (i = 0; i < tree->n_nodes; i++) {
        const struct asci_branch *b = &tree->node[i];
        double w;

        for (end = 0; end < 3; end++)
            if (b->child[end] != 0)
                share[b->child[end]] =
                    share[i] * tree->ratio[b->child[end]];
        if (b->child[0] != 0 || share[i] == 0.0)
            continue;
        w = tree->value[b->leaf * tree->width + k];
        if (isnan(w))
            return asc_fail(e, ASC_EUSAGE, "%s: tree %zu has no answer in a "
                            "leaf that records reach, so there is no mean "
                            "for tree-shap to start from", t->model->name,
                            j + 1);
        *sum += share[i] * w;
    }
    return ASC_OK;
}

static int
make_base(const struct asc_task *t, struct state *s, struct asc_error *e)
{
    const struct asci_forest *f = s->forest;
    const struct asci_ensemble *en = &t->model->u.ensemble;
    double *r, *share;
    int status = ASC_OK;
    size_t j, k;

    s->base = asci_alloc(t->model->n_outputs, sizeof *s->base, e);
    r = asci_alloc_zero(f->n_raw, sizeof *r, e);
    share = asci_alloc(asci_largest_tree(f), sizeof *share, e);
    if (!s->base || !r || !share) {
        status = ASC_ESYSTEM;
        goto out;
    }
    for (j = 0; j < f->n_trees; j++)
        for (k = 0; k < f->tree[j].width && status == ASC_OK; k++)
            status = add_mean(t, &f->tree[j], j, k, share,
                              &r[f->tree[j].first + k], e);
    for (k = 0; k < f->n_raw; k++)
        r[k] = en->base[k] + en->scale * r[k];
    asci_outputs(t->model, ASC_RAW, r, 1, s->base);
out:
    free(share);
    free(r);
    return status;
}

/* Chooses the engine of each tree and makes what it needs. */
static int
make_engines(struct state *s, struct asc_error *e)
{
    const struct asci_forest *f = s->forest;
    struct asci_step *step = NULL;
    uint32_t *room = NULL;
    size_t j, bytes;
    int status = ASC_ESYSTEM, made;

    s->tables = asci_tables_new(f, e);
    s->quadrature = asci_alloc_zero(f->n_trees, sizeof *s->quadrature, e);
    s->tabulated = asci_alloc_zero(f->n_trees, 1, e);
    step = asci_alloc(asci_largest_tree(f), sizeof *step, e);
    room = asci_alloc(asci_steps_room(f), sizeof *room, e);
    if (!s->tables || !s->quadrature || !s->tabulated || !step || !room)
        goto out;
    status = ASC_OK;
    for (j = 0; j < f->n_trees && status == ASC_OK; j++) {
        asci_steps(f, &f->tree[j], step, room);
        status = asci_tables_add(s->tables, j, step, &made, e);
        s->tabulated[j] = (unsigned char)made;
        if (made || status)
            continue;
        status = asci_quadrature_make(&s->quadrature[j], &f->tree[j], step,
                                      e);
        bytes = status ? 0 : asci_quadrature_room(&s->quadrature[j]);
        if (bytes > s->room)
            s->room = bytes;
    }
    bytes = asci_tables_room(s->tables) * sizeof(uint16_t);
    if (bytes > s->room)
        s->room = bytes;
out:
    free(room);
    free(step);
    return status;
}

static int
prepare(const struct asc_task *t, void **state, struct asc_error *e)
{
    struct state *s = asci_alloc_zero(1, sizeof *s, e);

    if (!s)
        return ASC_ESYSTEM;
    s->forest = make_forest(t, e);
    if (!s->forest || make_base(t, s, e) || make_engines(s, e)) {
        finish(s);
        return e ? (int)e->status : ASC_ESYSTEM;
    }
    *state = s;
    return ASC_OK;
}

/* ---- rows ---- */

/* Room for a block of rows. */
struct work {
    double *columns;            /* (ASCI_TREE_ROWS, n_columns) */
    int32_t *code, *part;       /* (n_coders, ASCI_TREE_ROWS) */
    unsigned char *missing;     /* (n_coders) */
    double *phi;                /* (ASCI_TREE_ROWS, d) */
    size_t *row;                /* (ASCI_TREE_ROWS) */
    void *room;
};

static void
free_work(struct work *w)
{
    free(w->columns);
    free(w->code);
    free(w->part);
    free(w->missing);
    free(w->phi);
    free(w->row);
    free(w->room);
}

static int
make_work(struct work *w, const struct state *s, struct asc_error *e)
{
    const struct asci_forest *f = s->forest;
    const size_t n = ASCI_TREE_ROWS;

    memset(w, 0, sizeof *w);
    w->columns = asci_alloc(n * f->n_columns, sizeof *w->columns, e);
    w->code = asci_alloc(n * f->n_coders, sizeof *w->code, e);
    w->part = asci_alloc(n * f->n_coders, sizeof *w->part, e);
    w->missing = asci_alloc(f->n_coders, 1, e);
    w->phi = asci_alloc(n * f->d, sizeof *w->phi, e);
    w->row = asci_alloc(n, sizeof *w->row, e);
    w->room = asci_alloc(s->room, 1, e);
    if (w->columns && w->code && w->part && w->missing && w->phi && w->row &&
        w->room)
        return ASC_OK;
    free_work(w);
    return ASC_ESYSTEM;
}

/* phi (rows, d) = sums over the trees that give raw output r */
static void
add_trees(const struct state *s, size_t r, const struct asci_coded *rows,
          struct work *w)
{
    const struct asci_forest *f = s->forest;
    size_t j;

    memset(w->phi, 0, rows->n * f->d * sizeof *w->phi);
    for (j = 0; j < f->n_trees; j++) {
        const struct asci_forest_tree *t = &f->tree[j];

        if (r < t->first || r >= t->first + t->width)
            continue;
        if (s->tabulated[j])
            asci_tables_run(s->tables, j, r - t->first, rows, w->phi,
                            w->room);
        else
            asci_quadrature_run(&s->quadrature[j], f, j, r - t->first, rows,
                                w->phi, w->room);
    }
}

/* The factor by which the trees' sum enters an output on the raw scale. */
static double
output_factor(const asc_model *m, size_t k)
{
    const struct asci_output *o = &m->output[k];

    return m->u.ensemble.scale *
           (o->complement && m->link == ASCI_LINK_NONE ? -1.0 : o->sign);
}

/* Rows first .. first + n - 1 of the block as codes; those that are not asked
 * for raw output r drop out.  Returns how many are left. */
static size_t
select_rows(const struct asc_task *t, const struct asc_explain *b,
            size_t first, size_t n, size_t r, const struct asci_forest *f,
            struct work *w, struct asci_coded *rows)
{
    size_t i, k, c, m = 0;

    for (i = 0; i < n; i++)
        for (k = 0; k < b->q; k++)
            if (t->model->output[b->output[(first + i) * b->q + k]].raw
                == r) {
                w->row[m++] = i;
                break;
            }
    *rows = (struct asci_coded){ m, w->code, w->missing };
    if (m == n || m == 0)
        return m;
    for (c = 0; c < f->n_coders; c++)
        for (i = 0; i < m; i++)
            w->part[c * ASCI_TREE_ROWS + i] =
                w->code[c * ASCI_TREE_ROWS + w->row[i]];
    rows->code = w->part;
    return m;
}

/* phi (d) of a row, or all of it missing where one is, for then the sum is. */
static void
put(const double *sum, size_t d, double factor, double value, double *phi)
{
    int missing = isnan(value);
    size_t j;

    for (j = 0; j < d; j++) {
        phi[j] = factor * sum[j];
        missing |= isnan(phi[j]);
    }
    for (j = 0; missing && j < d; j++)
        phi[j] = NAN;
}

static void
run_block(const struct asc_task *t, const struct state *s,
          struct asc_explain *b, size_t first, size_t n, struct work *w)
{
    const struct asci_forest *f = s->forest;
    struct asci_coded rows;
    size_t r, i, k;

    asci_encode(&t->model->encoder, b->d, b->x + first * b->d, n, w->columns);
    asci_forest_code(f, w->columns, n, w->code, ASCI_TREE_ROWS, w->missing);
    for (r = 0; r < f->n_raw; r++) {
        size_t m = select_rows(t, b, first, n, r, f, w, &rows);

        if (m == 0)
            continue;
        add_trees(s, r, &rows, w);
        for (i = 0; i < m; i++)
            for (k = 0; k < b->q; k++) {
                const size_t at = (first + w->row[i]) * b->q + k;
                const size_t output = b->output[at];

                if (t->model->output[output].raw != r)
                    continue;
                b->base[at] = s->base[output];
                put(w->phi + i * b->d, b->d, output_factor(t->model, output),
                    b->value[at], b->phi + at * b->d);
            }
    }
}

static int
run(const struct asc_task *t, const void *state, struct asc_explain *b,
    struct asc_error *e)
{
    const struct state *s = state;
    struct work w;
    size_t i;
    int status = asci_values(t->model, t->scale, b->x, b->n, b->output, b->q,
                             b->value, e);

    if (status || (status = make_work(&w, s, e)))
        return status;
    for (i = 0; i < b->n; i += ASCI_TREE_ROWS)
        run_block(t, s, b, i,
                  b->n - i < ASCI_TREE_ROWS ? b->n - i : ASCI_TREE_ROWS, &w);
    free_work(&w);
    return ASC_OK;
}

const struct asc_method asci_method_tree_shap = {
    .entry = {
        .name = "tree-shap",
        .title = "Shapley values of trees, absent fields averaged by record "
            "counts along the paths",
        .source = "Lundberg, Erion and Lee 2018, arXiv:1802.03888; patterns "
            "and quadrature: Yang 2021, arXiv:2109.09847; Wettenstein, "
            "Mitchell and Yu 2026",
        .traits = ASC_NEEDS_TREES | ASC_NEEDS_COVERS | ASC_ADDITIVE
            | ASC_EXACT
    },
    .prepare = prepare, .run = run, .finish = finish, .serves = serves
};
