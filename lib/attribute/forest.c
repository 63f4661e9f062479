/* attribute/forest.c -- an ensemble of trees as a game of fields sees it.
 *
 * The idea of comparing rows in the integer cells between thresholds, and not
 * in floating point at every node, is that of histogram boosting (Ke et al.
 * 2017, LightGBM) applied to a finished model: a binary search for each row
 * and column, and all tests of all trees become comparisons of small whole
 * numbers, which fit many to a register.
 *
 * Cost: sorting the thresholds once; for each row, columns times log2 of the
 * number of distinct thresholds.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/forest.h"

/* ---- which field a column belongs to ---- */

/* The one field of a column; n_fields if it depends on none; -1 on several. */
static long
column_field(const struct asci_column *c, size_t n_fields)
{
    size_t k;

    if (c->n_factors == 0)
        return (long)n_fields;
    for (k = 1; k < c->n_factors; k++)
        if (c->factor[k].field != c->factor[0].field)
            return -1;
    return (long)c->factor[0].field;
}

int
asci_forest_possible(const asc_model *m, size_t *column)
{
    const struct asci_ensemble *en = &m->u.ensemble;
    size_t j, i;

    for (j = 0; j < en->n_trees; j++)
        for (i = 0; i < en->tree[j].n_nodes; i++) {
            const struct asci_node *p = &en->tree[j].node[i];

            if (p->test != ASCI_LEAF &&
                column_field(&m->encoder.column[p->column],
                             m->schema.n) < 0) {
                *column = p->column;
                return 0;
            }
        }
    return 1;
}

/* ---- coders ---- */

/* What building needs of a column: its coder for ranges and that for sets,
 * 1 + index, 0 if no tree asks for it. */
struct use {
    uint32_t range, set;
    size_t n;                   /* thresholds, repeated ones too */
};

static int
compare_doubles(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;

    return (p > q) - (p < q);
}

static size_t
sort_unique(double *v, size_t n)
{
    size_t i, k = 0;

    qsort(v, n, sizeof *v, compare_doubles);
    for (i = 0; i < n; i++)
        if (k == 0 || v[i] != v[k - 1])
            v[k++] = v[i];
    return k;
}

/* Number of v[0..n-1], rising, that are less than x. */
static size_t
count_less(const double *v, size_t n, double x)
{
    const double *p = v;

    while (n > 0) {
        size_t half = n / 2;

        if (p[half] < x) {
            p += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return (size_t)(p - v);
}

static int32_t
code_of(const struct asci_coder *c, double v)
{
    size_t k;

    if (isnan(v))
        return c->missing;
    if (c->by_category)
        return v >= 0.0 && v < 2147483647.0 ? (int32_t)v : -1;
    k = count_less(c->cut, c->n, v);
    return (int32_t)(2 * k) + (k < c->n && c->cut[k] == v);
}

/* Counts the tests on each column and gives out coders, by column. */
static int
count_uses(struct asci_forest *f, const asc_model *m, struct use *use,
           struct asc_error *e)
{
    const struct asci_ensemble *en = &m->u.ensemble;
    size_t i, j, c;

    for (j = 0; j < en->n_trees; j++)
        for (i = 0; i < en->tree[j].n_nodes; i++) {
            const struct asci_node *p = &en->tree[j].node[i];

            if (p->test == ASCI_IN_SET)
                use[p->column].set = 1;
            else if (p->test != ASCI_LEAF)
                use[p->column].n++;
        }
    for (c = 0; c < f->n_columns; c++) {
        if (use[c].n > INT32_MAX / 2 - 2)
            return asc_fail(e, ASC_ESYSTEM, "%s: column %zu is tested %zu "
                            "times, which is too often", m->name, c + 1,
                            use[c].n);
        if (use[c].n)
            use[c].range = (uint32_t)++f->n_coders;
        if (use[c].set)
            use[c].set = (uint32_t)++f->n_coders;
    }
    return ASC_OK;
}

static int
make_coders(struct asci_forest *f, const asc_model *m, struct use *use,
            struct asc_error *e)
{
    const struct asci_ensemble *en = &m->u.ensemble;
    size_t i, j, c;
    int status = count_uses(f, m, use, e);

    if (status)
        return status;
    f->coder = asci_alloc_zero(f->n_coders, sizeof *f->coder, e);
    if (!f->coder)
        return ASC_ESYSTEM;
    for (c = 0; c < f->n_columns; c++) {
        const uint32_t field =
            (uint32_t)column_field(&m->encoder.column[c], f->d);
        struct asci_coder *q;

        if (use[c].set) {
            q = &f->coder[use[c].set - 1];
            q->by_category = 1;
            q->missing = -2;
            q->column = (uint32_t)c;
            q->field = field;
        }
        if (use[c].range) {
            q = &f->coder[use[c].range - 1];
            q->column = (uint32_t)c;
            q->field = field;
            q->cut = asci_alloc(use[c].n, sizeof *q->cut, e);
            if (!q->cut)
                return ASC_ESYSTEM;
        }
    }
    for (j = 0; j < en->n_trees; j++)
        for (i = 0; i < en->tree[j].n_nodes; i++) {
            const struct asci_node *p = &en->tree[j].node[i];

            if (p->test != ASCI_LEAF && p->test != ASCI_IN_SET) {
                struct asci_coder *q = &f->coder[use[p->column].range - 1];

                q->cut[q->n++] = p->threshold;
            }
        }
    for (c = 0; c < f->n_coders; c++)
        if (!f->coder[c].by_category) {
            f->coder[c].n = sort_unique(f->coder[c].cut, f->coder[c].n);
            f->coder[c].missing = (int32_t)(2 * f->coder[c].n + 1);
        }
    return ASC_OK;
}

/* ---- trees ---- */

/* A node of the model as a branch, its children still numbers in the model:
 * (uint32_t)-1 stands for no end of its own. */
static struct asci_branch
branch_of(const struct asci_forest *f, const struct use *use,
          const struct asci_node *p)
{
    const uint32_t none = UINT32_MAX;
    struct asci_branch b = { .child = { p->yes, p->no, p->missing } };
    const struct asci_coder *q;
    int32_t k;

    if (p->test == ASCI_IN_SET) {
        b.coder = use[p->column].set - 1;
        b.set = p->set;
        b.set_bits = p->set_bits;
        q = &f->coder[b.coder];
        if (b.set_bits == 0) {          /* an empty set: always no */
            b.low = 1;
            b.high = 0;
        }
    } else {
        b.coder = use[p->column].range - 1;
        q = &f->coder[b.coder];
        k = (int32_t)(2 * count_less(q->cut, q->n, p->threshold));
        b.low = p->test == ASCI_EQUAL ? k + 1 : 0;
        b.high = p->test == ASCI_LESS ? k : k + 1;
    }
    b.field = q->field;
    if (p->yes == p->no && p->missing != p->yes) {
        /* The one question left is whether the value is missing. */
        b.child[2] = none;
        b.child[1] = p->missing;
        b.set_bits = 0;
        b.low = -1;
        b.high = q->by_category ? INT32_MAX : q->missing - 1;
    } else if (p->missing == p->yes || p->missing == p->no) {
        b.child[2] = none;
        b.missing_yes = p->missing == p->yes;
    }
    return b;
}

/* Follows tests that lead every row the same way. */
static uint32_t
skip(const struct asci_forest *f, const asc_model *m, const struct use *use,
     const struct asci_node *node, uint32_t i)
{
    while (node[i].test != ASCI_LEAF) {
        const struct asci_column *c = &m->encoder.column[node[i].column];
        struct asci_branch b;
        int end;

        if (node[i].yes == node[i].no && node[i].no == node[i].missing) {
            i = node[i].yes;
            continue;
        }
        if (c->n_factors > 0)
            break;
        b = branch_of(f, use, &node[i]);
        if (b.child[2] == UINT32_MAX)
            b.child[2] = 0;
        end = asci_branch_end(f, &b, code_of(&f->coder[b.coder], c->scale));
        i = b.child[end];
    }
    return i;
}

static int
make_tree(struct asci_forest *f, const asc_model *m, const struct use *use,
          size_t j, const double *cover, struct asc_error *e)
{
    const struct asci_tree *from = &m->u.ensemble.tree[j];
    struct asci_forest_tree *to = &f->tree[j];
    uint32_t *origin;           /* (n_nodes) node of the model */
    int status = ASC_OK;
    size_t i, k, n = 1;

    to->width = from->width;
    to->first = from->first;
    to->value = from->value;
    origin = asci_alloc(from->n_nodes, sizeof *origin, e);
    to->node = asci_alloc(from->n_nodes, sizeof *to->node, e);
    if (cover)
        to->ratio = asci_alloc(from->n_nodes, sizeof *to->ratio, e);
    if (!origin || !to->node || (cover && !to->ratio)) {
        free(origin);
        return ASC_ESYSTEM;
    }
    origin[0] = skip(f, m, use, from->node, 0);
    if (cover)
        to->ratio[0] = 1.0;
    for (i = 0; i < n && status == ASC_OK; i++) {
        const struct asci_node *p = &from->node[origin[i]];
        struct asci_branch *b = &to->node[i];
        size_t ends;

        if (p->test == ASCI_LEAF) {
            *b = (struct asci_branch){ .leaf = p->leaf };
            continue;
        }
        *b = branch_of(f, use, p);
        ends = b->child[2] == UINT32_MAX ? 2 : 3;
        for (k = 0; k < ends; k++) {
            const uint32_t at = b->child[k];

            origin[n] = skip(f, m, use, from->node, at);
            if (cover) {
                const double whole = cover[origin[i]];

                to->ratio[n] = whole > 0.0 ? cover[at] / whole
                                           : 1.0 / (double)ends;
                if (!isfinite(to->ratio[n]))
                    status = asc_fail(e, ASC_EINPUT, "%s: tree %zu: the "
                                      "record counts are not finite",
                                      m->name, j + 1);
            }
            b->child[k] = (uint32_t)n++;
        }
        if (ends == 2)
            b->child[2] = 0;
    }
    to->n_nodes = n;
    free(origin);
    return status;
}

struct asci_forest *
asci_forest_new(const asc_model *m, const double *const *cover,
                struct asc_error *e)
{
    const struct asci_ensemble *en = &m->u.ensemble;
    struct asci_forest *f = asci_alloc_zero(1, sizeof *f, e);
    struct use *use = asci_alloc_zero(en->n_columns, sizeof *use, e);
    int status = ASC_ESYSTEM;
    size_t j;

    if (!f || !use)
        goto out;
    f->d = m->schema.n;
    f->n_columns = en->n_columns;
    f->n_raw = en->n_raw;
    f->sets = en->sets;
    f->tree = asci_alloc_zero(en->n_trees, sizeof *f->tree, e);
    if (!f->tree)
        goto out;
    f->n_trees = en->n_trees;
    status = make_coders(f, m, use, e);
    for (j = 0; j < en->n_trees && status == ASC_OK; j++)
        status = make_tree(f, m, use, j, cover ? cover[j] : NULL, e);
out:
    free(use);
    if (status) {
        asci_forest_free(f);
        return NULL;
    }
    return f;
}

void
asci_forest_free(struct asci_forest *f)
{
    size_t i;

    if (!f)
        return;
    for (i = 0; i < f->n_trees; i++) {
        free(f->tree[i].node);
        free(f->tree[i].ratio);
    }
    free(f->tree);
    for (i = 0; f->coder && i < f->n_coders; i++)
        free(f->coder[i].cut);
    free(f->coder);
    free(f);
}

size_t
asci_largest_tree(const struct asci_forest *f)
{
    size_t j, most = 1;

    for (j = 0; j < f->n_trees; j++)
        if (f->tree[j].n_nodes > most)
            most = f->tree[j].n_nodes;
    return most;
}

void
asci_forest_code(const struct asci_forest *f, const double *columns, size_t n,
                 int32_t *code, size_t stride, unsigned char *missing)
{
    size_t c, i;

    for (c = 0; c < f->n_coders; c++) {
        const struct asci_coder *q = &f->coder[c];
        int32_t *out = code + c * stride;

        missing[c] = 0;
        for (i = 0; i < n; i++) {
            out[i] = code_of(q, columns[i * f->n_columns + q->column]);
            missing[c] |= out[i] == q->missing;
        }
    }
}
