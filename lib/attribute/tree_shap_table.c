/* attribute/tree_shap_table.c -- tree-shap by tables over patterns.
 *
 * What a leaf adds to the attributions of a row depends on nothing but which
 * of the k different fields on the leaf's path the row passes.  For each of
 * the 2^k patterns h the k numbers
 *
 *     w (h_j - c_j) int_0^1 prod_{i != j} (h_i t + c_i (1 - t)) dt
 *
 * are computed once, by Gauss-Legendre quadrature, which is exact for these
 * polynomials.  (Patterns: FastTreeSHAP v2, Yang 2021, arXiv:2109.09847, and
 * Woodelf, Nadel and Wettenstein 2026; the integral: Wettenstein, Mitchell
 * and Yu 2026, "Quadrature TreeSHAP".)
 *
 * Leaves are taken together in units: the subtree under a node whose tests
 * and path need at most UNIT_BITS bits has one table over the outcomes of its
 * tests and the path's pattern, the sum of its leaves' tables.  A row then
 * costs one line of a table for each unit, not for each leaf.
 *
 * Cost: 2^bits lines of the unit's number of fields in memory, at most
 * TABLE_BYTES in all; for each row and tree one pass over its tests in bits
 * and the lines.  Trees that would need more go to the quadrature.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/tree_shap.h"

/* At most 256 patterns a unit, and at most one field a bit. */
enum { UNIT_BITS = 8 };
static const size_t TABLE_BYTES = (size_t)256 << 20;

/* One edge of the walk, ending in a node that is split further on or in a
 * unit. */
struct pass {
    uint32_t node, parent;      /* of the forest's tree */
    uint32_t depth, end;
    uint32_t unit;              /* 1 + index, 0: none, the walk goes on */
    uint16_t bit;               /* of the edge's field in the pattern */
    uint16_t first;             /* the field is new on the path */
};

struct unit {
    size_t table;               /* (width, 2^bits, n_fields) in `number` */
    uint32_t test, n_tests;     /* nodes in `test` */
    uint32_t field;             /* first of n_fields in `field` */
    uint16_t bits, path_bits, n_fields;
};

struct tree {
    uint32_t pass, n_passes;    /* 0 passes: no tables */
};

static size_t
unit_size(const struct unit *u)
{
    return (size_t)u->n_fields << u->bits;
}

/* Growing arrays, one for the whole forest. */
struct asci_tables {
    const struct asci_forest *f;
    struct tree *tree;          /* (f->n_trees) */
    struct pass *pass;
    struct unit *unit;
    uint32_t *test;             /* nodes of trees, in preorder of the unit */
    uint32_t *field;
    double *number;
    size_t n_pass, n_unit, n_test, n_field, n_number;
    size_t pass_room, unit_room, test_room, field_room, number_room;
    size_t deepest;             /* depth of the deepest pass */
    double *rule[UNIT_BITS + 1];        /* (2, q[k]) for k fields */
    size_t q[UNIT_BITS + 1];
};

struct asci_tables *
asci_tables_new(const struct asci_forest *f, struct asc_error *e)
{
    struct asci_tables *s = asci_alloc_zero(1, sizeof *s, e);
    size_t k;

    if (!s)
        return NULL;
    s->f = f;
    s->tree = asci_alloc_zero(f->n_trees, sizeof *s->tree, e);
    if (!s->tree)
        goto bad;
    for (k = 1; k <= UNIT_BITS; k++) {
        s->rule[k] = asci_rule(k, &s->q[k], e);
        if (!s->rule[k])
            goto bad;
    }
    return s;
bad:
    asci_tables_free(s);
    return NULL;
}

void
asci_tables_free(struct asci_tables *s)
{
    size_t k;

    if (!s)
        return;
    for (k = 1; k <= UNIT_BITS; k++)
        free(s->rule[k]);
    free(s->tree);
    free(s->pass);
    free(s->unit);
    free(s->test);
    free(s->field);
    free(s->number);
    free(s);
}

/* Makes room for `more` elements behind the first n of *p, and an array of none
 * all the same. */
static int
grow(void *array, size_t n, size_t more, size_t *room, size_t size,
     struct asc_error *e)
{
    void **p = array;
    size_t want = *room ? *room : 64;
    void *q;

    if (*p && more <= *room - n)
        return ASC_OK;
    while (more > want - n)
        want *= 2;
    q = asci_resize(*p, want, size, e);
    if (!q)
        return ASC_ESYSTEM;
    *p = q;
    *room = want;
    return ASC_OK;
}

/* ---- one leaf ---- */

/* A leaf of a unit: its fields as places in the unit's list, and under which
 * patterns p of the unit a field is passed: (p & mask) == want. */
struct leaf {
    size_t k;
    uint32_t place[UNIT_BITS], mask[UNIT_BITS], want[UNIT_BITS];
    double c[UNIT_BITS];
};

/* d (2^k, k) = (h_j - c_j) int prod_{i != j}; rule (2, q) */
static void
leaf_table(const struct leaf *l, const double *rule, size_t q, double *d)
{
    const size_t k = l->k, n = (size_t)1 << k;
    double product[1 << UNIT_BITS];
    size_t t, j, p;

    memset(d, 0, n * k * sizeof *d);
    for (t = 0; t < q; t++) {
        const double x = rule[t];

        /* All products of one factor a field, doubling field by field. */
        product[0] = rule[q + t];
        for (j = 0; j < k; j++) {
            const double absent = l->c[j] * (1.0 - x);
            const size_t half = (size_t)1 << j;

            for (p = 0; p < half; p++) {
                product[half + p] = product[p] * (x + absent);
                product[p] *= absent;
            }
        }
        /* Without field j: the product where j is passed, whose factor is
         * never zero, by that factor. */
        for (j = 0; j < k; j++) {
            const double inverse = 1.0 / (x + l->c[j] * (1.0 - x));
            const size_t bit = (size_t)1 << j;

            for (p = 0; p < n; p++)
                d[p * k + j] += product[p | bit] * inverse;
        }
    }
    for (p = 0; p < n; p++)
        for (j = 0; j < k; j++)
            d[p * k + j] *= (double)(p >> j & 1) - l->c[j];
}

/* table (2^bits, n_fields) += w d[pattern of the leaf] */
static void
add_leaf(const struct unit *u, const struct leaf *l, const double *d,
         double w, double *table)
{
    const size_t n = (size_t)1 << u->bits;
    size_t p, j;

    for (p = 0; p < n; p++) {
        double *line = table + p * u->n_fields;
        size_t h = 0, must = 0;

        for (j = 0; j < l->k; j++) {
            h |= (size_t)((p & l->mask[j]) == l->want[j]) << j;
            must |= (size_t)(l->c[j] == 0.0) << j;
        }
        if (isnan(w) && (h & must) != must)
            continue;           /* the leaf cannot be reached: 0 whatever w */
        for (j = 0; j < l->k; j++)
            line[l->place[j]] += w * d[h * l->k + j];
    }
}

/* ---- one unit ---- */

/* The place of a field in the unit's list, added if it is new. */
static uint32_t
place_of(struct unit *u, uint32_t *list, uint32_t field)
{
    uint32_t k;

    for (k = 0; k < u->n_fields; k++)
        if (list[k] == field)
            return k;
    list[u->n_fields++] = field;
    return k;
}

/* Which bits of the pattern a unit's test has: 1 << bit for yes, the next one
 * for an end `missing` of its own. */
static void
edge_bits(const struct asci_branch *b, uint32_t bit, uint32_t end,
          uint32_t *mask, uint32_t *want)
{
    const uint32_t yes = (uint32_t)1 << bit;
    const uint32_t missing = b->child[2] ? yes << 1 : 0;

    *mask = end == ASCI_YES ? yes : end == ASCI_MISSING ? missing
                                                        : yes | missing;
    *want = end == ASCI_NO ? 0 : *mask;
}

/* What the walk knows where a unit begins, and builds it from. */
struct builder {
    struct asci_tables *s;
    const struct asci_forest_tree *t;
    const struct asci_step *step;
    size_t n;                   /* steps of the tree */
    struct unit *unit;
    uint32_t list[UNIT_BITS]; /* the unit's fields, path first */
    double path_c[UNIT_BITS];
    uint32_t bit[UNIT_BITS + 1];        /* of the test at depth `top` + i */
    uint32_t node[UNIT_BITS + 1];       /* and that node */
    double *d;                  /* (2^UNIT_BITS, UNIT_BITS) */
};

/* The leaf at step i of the unit whose root is at step `top`; edge[i] are the
 * steps of the edges from that root to the leaf. */
static void
describe_leaf(const struct builder *b, const size_t *edge, size_t n_edges,
              struct leaf *l)
{
    size_t i, j;

    l->k = b->unit->path_bits;
    for (j = 0; j < l->k; j++) {
        l->place[j] = (uint32_t)j;
        l->mask[j] = l->want[j] = (uint32_t)1 << j;
        l->c[j] = b->path_c[j];
    }
    for (i = 0; i < n_edges; i++) {
        const struct asci_step *s = &b->step[edge[i]];
        uint32_t mask, want;

        edge_bits(&b->t->node[b->node[i]], b->bit[i], s->end, &mask, &want);
        for (j = 0; j < l->k && b->list[l->place[j]] != s->field; j++)
            ;
        if (j == l->k) {
            l->k++;
            l->mask[j] = l->want[j] = 0;
            for (l->place[j] = 0; b->list[l->place[j]] != s->field;)
                l->place[j]++;
        }
        l->mask[j] |= mask;
        l->want[j] |= want;
        l->c[j] = s->c;
    }
}

/* Fills the table of the unit whose root is step `top`; its tests, in
 * preorder, get the bits above the path's.  Returns the step behind it. */
static size_t
fill_unit(struct builder *b, size_t top, double *table)
{
    const uint32_t root = b->step[top].depth;
    const size_t size = unit_size(b->unit);
    size_t edge[UNIT_BITS + 1], i, w;
    uint32_t bit = b->unit->path_bits;
    struct leaf l;

    for (i = top; i < b->n && (i == top || b->step[i].depth > root); i++) {
        const struct asci_step *s = &b->step[i];
        const struct asci_branch *n = &b->t->node[s->node];
        const uint32_t below = s->depth - root;

        if (below > 0)
            edge[below - 1] = i;
        if (n->child[0] != 0) {
            b->node[below] = s->node;
            b->bit[below] = bit;
            bit += n->child[2] ? 2 : 1;
            continue;
        }
        describe_leaf(b, edge, below, &l);
        if (l.k == 0)
            continue;
        leaf_table(&l, b->s->rule[l.k], b->s->q[l.k], b->d);
        for (w = 0; w < b->t->width; w++)
            add_leaf(b->unit, &l, b->d,
                     b->t->value[n->leaf * b->t->width + w],
                     table + w * size);
    }
    return i;
}

/* ---- one tree ---- */

/* bits (n_nodes): how many bits the tests under a node need, or a number over
 * UNIT_BITS if they are too many. */
static void
count_bits(const struct asci_forest_tree *t, unsigned char *bits)
{
    size_t i, k;

    for (i = t->n_nodes; i-- > 0;) {
        const struct asci_branch *b = &t->node[i];
        unsigned sum = b->child[0] == 0 ? 0 : b->child[2] ? 2 : 1;

        for (k = 0; k < 3; k++)
            if (b->child[k] != 0)
                sum += bits[b->child[k]];
        bits[i] = (unsigned char)(sum > UNIT_BITS ? UNIT_BITS + 1 : sum);
    }
}

/* Begins a unit at step i: its fields, those of the path being in the list
 * already, and its tests. */
static int
begin_unit(struct builder *b, size_t top, const unsigned char *bits,
           struct asc_error *e)
{
    struct asci_tables *s = b->s;
    const struct asci_step *root = &b->step[top];
    struct unit *u;
    size_t i;

    if (grow(&s->unit, s->n_unit, 1, &s->unit_room, sizeof *s->unit, e) ||
        grow(&s->test, s->n_test, UNIT_BITS, &s->test_room, sizeof *s->test,
             e) ||
        grow(&s->field, s->n_field, UNIT_BITS, &s->field_room,
             sizeof *s->field, e))
        return ASC_ESYSTEM;
    u = b->unit = &s->unit[s->n_unit];
    memset(u, 0, sizeof *u);
    u->path_bits = (uint16_t)root->different;
    u->bits = (uint16_t)(u->path_bits + bits[root->node]);
    u->n_fields = u->path_bits;
    u->test = (uint32_t)s->n_test;
    for (i = top; i < b->n && (i == top || b->step[i].depth > root->depth);
         i++) {
        const struct asci_branch *n = &b->t->node[b->step[i].node];

        if (n->child[0] == 0)
            continue;
        s->test[s->n_test++] = b->step[i].node;
        u->n_tests++;
        place_of(u, b->list, n->field);
    }
    u->field = (uint32_t)s->n_field;
    memcpy(s->field + s->n_field, b->list, u->n_fields * sizeof *b->list);
    s->n_field += u->n_fields;
    u->table = s->n_number;
    return ASC_OK;
}

/* A unit at step i of the walk; at and bit are those of add_passes. */
static int
add_unit(struct builder *b, size_t top, const unsigned char *bits,
         const uint32_t *at, const uint16_t *bit, size_t *behind,
         struct asc_error *e)
{
    struct asci_tables *s = b->s;
    uint32_t depth;
    size_t size, i;

    /* Of several edges of a field the deepest has the product of all. */
    for (depth = 1; depth <= b->step[top].depth; depth++) {
        b->list[bit[depth]] = b->step[at[depth]].field;
        b->path_c[bit[depth]] = b->step[at[depth]].c;
    }
    if (begin_unit(b, top, bits, e))
        return ASC_ESYSTEM;
    size = unit_size(b->unit) * b->t->width;
    if (grow(&s->number, s->n_number, size, &s->number_room,
             sizeof *s->number, e))
        return ASC_ESYSTEM;
    for (i = 0; i < size; i++)
        s->number[s->n_number + i] = 0.0;
    *behind = fill_unit(b, top, s->number + s->n_number);
    s->n_number += size;
    s->n_unit++;
    return ASC_OK;
}

/* How much memory the tables of a tree take; 0 if a path has too many
 * different fields. */
static size_t
count_bytes(const struct asci_forest_tree *t, const struct asci_step *step,
            const unsigned char *bits)
{
    size_t i, bytes = 0;

    for (i = 0; i < t->n_nodes; i++) {
        const size_t all = step[i].different + bits[step[i].node];
        const uint32_t root = step[i].depth;

        if (step[i].different > UNIT_BITS)
            return 0;
        if (all > UNIT_BITS)
            continue;
        /* At most one field a bit. */
        bytes += (all << all) * t->width * sizeof(double) +
                 sizeof(struct unit);
        while (i + 1 < t->n_nodes && step[i + 1].depth > root)
            i++;
    }
    return bytes;
}

/* Walks down to the units. */
static int
add_passes(struct builder *b, size_t j, const unsigned char *bits,
           struct asc_error *e)
{
    struct asci_tables *s = b->s;
    uint32_t *at;               /* (n) step at each depth of the path */
    uint16_t *bit;              /* (n) place of its edge's field in patterns:
                                   in the order in which fields appear */
    int status = ASC_OK;
    size_t i, next;

    at = asci_alloc(b->n, sizeof *at, e);
    bit = asci_alloc_zero(b->n, sizeof *bit, e);
    if (!at || !bit)
        status = ASC_ESYSTEM;
    s->tree[j].pass = (uint32_t)s->n_pass;
    for (i = 0; i < b->n && status == ASC_OK; i = next) {
        const struct asci_step *p = &b->step[i];

        next = i + 1;
        at[p->depth] = (uint32_t)i;
        if (p->depth > 0)
            bit[p->depth] = p->before ? bit[p->before]
                                      : (uint16_t)(p->different - 1);
        if (p->depth > s->deepest)
            s->deepest = p->depth;
        status = grow(&s->pass, s->n_pass, 1, &s->pass_room, sizeof *s->pass,
                      e);
        if (status)
            break;
        s->pass[s->n_pass++] = (struct pass){
            .node = p->node, .depth = p->depth, .end = p->end,
            .parent = p->depth ? b->step[at[p->depth - 1]].node : 0,
            .bit = (uint16_t)(1 << bit[p->depth]), .first = !p->before
        };
        if (p->different + bits[p->node] > UNIT_BITS)
            continue;
        status = add_unit(b, i, bits, at, bit, &next, e);
        if (status == ASC_OK)
            s->pass[s->n_pass - 1].unit = (uint32_t)s->n_unit;
    }
    s->tree[j].n_passes = (uint32_t)(s->n_pass - s->tree[j].pass);
    free(bit);
    free(at);
    return status;
}

int
asci_tables_add(struct asci_tables *s, size_t j, const struct asci_step *step,
                int *made, struct asc_error *e)
{
    struct builder b = { .s = s, .t = &s->f->tree[j], .step = step };
    unsigned char *bits;
    int status = ASC_ESYSTEM;
    size_t bytes;

    *made = 0;
    b.n = b.t->n_nodes;
    bits = asci_alloc(b.n, sizeof *bits, e);
    b.d = asci_alloc((size_t)UNIT_BITS << UNIT_BITS, sizeof *b.d, e);
    if (!bits || !b.d)
        goto out;
    count_bits(b.t, bits);
    bytes = count_bytes(b.t, step, bits);
    status = ASC_OK;
    if (bytes == 0 || bytes + s->n_number * sizeof *s->number > TABLE_BYTES)
        goto out;
    status = add_passes(&b, j, bits, e);
    *made = status == ASC_OK;
out:
    free(b.d);
    free(bits);
    return status;
}

/* ---- rows ---- */

size_t
asci_tables_room(const struct asci_tables *s)
{
    /* For each depth the pattern and the two outcomes, and one to spare. */
    return (3 * (s->deepest + 1) + 2) * ASCI_TREE_ROWS;
}

/* pattern = that of the path above, and the edge's field passed or not */
static void
pass_edge(const struct pass *p, size_t n, const uint16_t *restrict above,
          const uint16_t *restrict took, uint16_t *restrict pattern)
{
    const uint16_t bit = p->bit, rest = (uint16_t)~p->bit;
    size_t i;

    if (p->first)
        for (i = 0; i < n; i++)
            pattern[i] = (uint16_t)(above[i] | (took[i] & bit));
    else
        for (i = 0; i < n; i++)
            pattern[i] = (uint16_t)(above[i] & (took[i] | rest));
}

static void
add_bit(size_t n, const uint16_t *restrict outcome, uint16_t bit,
        uint16_t *restrict pattern)
{
    size_t i;

    for (i = 0; i < n; i++)
        pattern[i] |= outcome[i] & bit;
}

/* phi (n, d) += line pattern[i] of the table, for k fields.  k is known where
 * this is inlined, so that nothing is left of the questions.  The next table
 * is asked for meanwhile, n_ahead cache lines of it: all tables together are
 * larger than the caches. */
static inline __attribute__((always_inline)) void
add_lines_of(size_t k, const uint16_t *pattern, size_t n, const double *table,
             const uint32_t *field, size_t d, double *phi,
             const double *ahead, size_t n_ahead)
{
    const size_t f0 = field[0], f1 = k > 1 ? field[1] : 0,
        f2 = k > 2 ? field[2] : 0, f3 = k > 3 ? field[3] : 0,
        f4 = k > 4 ? field[4] : 0, f5 = k > 5 ? field[5] : 0,
        f6 = k > 6 ? field[6] : 0, f7 = k > 7 ? field[7] : 0;
    size_t i;

    for (i = 0; i < n; i++) {
        const double *line = table + pattern[i] * k;
        double *to = phi + i * d;

        __builtin_prefetch(ahead + (i < n_ahead ? 8 * i : 0));
        to[f0] += line[0];
        if (k > 1)
            to[f1] += line[1];
        if (k > 2)
            to[f2] += line[2];
        if (k > 3)
            to[f3] += line[3];
        if (k > 4)
            to[f4] += line[4];
        if (k > 5)
            to[f5] += line[5];
        if (k > 6)
            to[f6] += line[6];
        if (k > 7)
            to[f7] += line[7];
    }
}

static void
add_lines(size_t k, const uint16_t *pattern, size_t n, const double *table,
          const uint32_t *field, size_t d, double *phi, const double *ahead,
          size_t n_ahead)
{
    switch (k) {
    case 0:
        break;
    case 1:
        add_lines_of(1, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    case 2:
        add_lines_of(2, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    case 3:
        add_lines_of(3, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    case 4:
        add_lines_of(4, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    case 5:
        add_lines_of(5, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    case 6:
        add_lines_of(6, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    case 7:
        add_lines_of(7, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    case 8:
        add_lines_of(8, pattern, n, table, field, d, phi, ahead,
                     n_ahead);
        break;
    }
}

/* Completes the pattern by the unit's own tests and adds its lines. */
static void
run_unit(const struct asci_tables *s, const struct unit *u,
         const struct asci_forest_tree *t, size_t k,
         const struct asci_coded *rows, uint16_t *pattern, uint16_t *spare,
         double *phi)
{
    uint16_t *missing = spare + ASCI_TREE_ROWS;
    const struct unit *next = u + 1 < s->unit + s->n_unit ? u + 1 : u;
    uint32_t bit = u->path_bits;
    size_t i;

    for (i = 0; i < u->n_tests; i++) {
        const struct asci_branch *b = &t->node[s->test[u->test + i]];

        asci_decide(s->f, b, rows, spare, missing);
        add_bit(rows->n, spare, (uint16_t)(1 << bit++), pattern);
        if (b->child[2] != 0)
            add_bit(rows->n, missing, (uint16_t)(1 << bit++), pattern);
    }
    add_lines(u->n_fields, pattern, rows->n,
              s->number + u->table + k * unit_size(u), s->field + u->field,
              s->f->d, phi, s->number + next->table + k * unit_size(next),
              unit_size(next) / 8);
}

void
asci_tables_run(const struct asci_tables *s, size_t j, size_t k,
                const struct asci_coded *rows, double *phi, uint16_t *room)
{
    const size_t level = 3 * ASCI_TREE_ROWS, n = rows->n;
    const struct asci_forest_tree *t = &s->f->tree[j];
    uint16_t *spare = room + (s->deepest + 1) * level;
    size_t i;

    for (i = 0; i < s->tree[j].n_passes; i++) {
        const struct pass *p = &s->pass[s->tree[j].pass + i];
        uint16_t *pattern = room + p->depth * level;
        uint16_t *passed = pattern + ASCI_TREE_ROWS;
        uint16_t *missing = passed + ASCI_TREE_ROWS;

        if (p->depth == 0) {
            memset(pattern, 0, n * sizeof *pattern);
        } else {
            const uint16_t *above = pattern - level;

            asci_take(&t->node[p->parent], p->end, n, above + ASCI_TREE_ROWS,
                      above + 2 * ASCI_TREE_ROWS, spare);
            pass_edge(p, n, above, spare, pattern);
        }
        if (p->unit)
            run_unit(s, &s->unit[p->unit - 1], t, k, rows, pattern, spare,
                     phi);
        else
            asci_decide(s->f, &t->node[p->node], rows, passed, missing);
    }
}
