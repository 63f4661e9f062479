/* attribute/tree_shap_quadrature.c -- tree-shap for trees of any depth.
 *
 *     phi_i = sum_l w_l (h_i - c_i) int_0^1 prod_{j != i} a_j(t) dt,
 *     a_j(t) = h_j t + c_j (1 - t)
 *
 * over leaves l and the different fields j on their paths.  The integrand is
 * a polynomial of degree under k, the number of these fields, so ceil(k / 2)
 * Gauss-Legendre nodes are exact; all factors are positive and at most 1, so
 * nothing overflows or cancels.  Source: Wettenstein, Mitchell and Yu 2026,
 * "Quadrature TreeSHAP"; edges as in Yu et al. 2022, "Linear TreeSHAP",
 * arXiv:2209.08192.
 *
 * One walk in preorder.  Down an edge the product P(t) of the factors of the
 * path is multiplied by a(new) / a(old) of the edge's field, where old is the
 * factor before this edge (1 if the field is new).  At a leaf the subtree's
 * sum is E(t) = w P(t) dt; up an edge with everything below it collected,
 *
 *     phi_field += sum_t E(t) [(h - c) / a  -  (h_old - c_old) / a_old]
 *
 * ("edge telescoping").  With h either 0 or 1, (h - c) / a is -1 / (1 - t) or
 * (1 - c) / (t + c (1 - t)), which is bounded whatever c is: there is no
 * division by anything that a row decides, and edges of a field that is
 * failed further up add nothing.
 *
 * Cost: edges times nodes q for each row, in blocks of LANES rows; memory
 * 16 q LANES bytes for each level of depth.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/tree_shap.h"

enum { LANES = 64 };

int
asci_quadrature_make(struct asci_quadrature *s,
                     const struct asci_forest_tree *t,
                     const struct asci_step *step, struct asc_error *e)
{
    size_t i, different = 0;

    memset(s, 0, sizeof *s);
    for (i = 0; i < t->n_nodes; i++) {
        if (step[i].depth > s->depth)
            s->depth = step[i].depth;
        if (step[i].different > different)
            different = step[i].different;
    }
    s->step = asci_alloc(t->n_nodes, sizeof *s->step, e);
    s->rule = s->step ? asci_rule(different, &s->q, e) : NULL;
    if (!s->rule) {
        asci_quadrature_free(s);
        return ASC_ESYSTEM;
    }
    memcpy(s->step, step, t->n_nodes * sizeof *step);
    s->n_steps = t->n_nodes;
    return ASC_OK;
}

void
asci_quadrature_free(struct asci_quadrature *s)
{
    free(s->step);
    free(s->rule);
    memset(s, 0, sizeof *s);
}

/* What belongs to a depth of the current path. */
struct level {
    const struct asci_step *step;
    double *product, *below;    /* (q, LANES) P and E */
    double *held;               /* (LANES) h of the edge's field: 1 or 0 */
    uint16_t *passed, *missing; /* (LANES) of the node's test */
};

struct walk {
    const struct asci_quadrature *s;
    const struct asci_forest *f;
    const struct asci_forest_tree *t;
    size_t k;                   /* which value of the leaves */
    struct asci_coded rows;     /* of these lanes */
    struct level *level;        /* (depth + 1) */
    double *sum;                /* (LANES) */
    uint16_t *took;             /* (LANES) */
    double *phi;                /* (n, d) of these lanes */
};

static size_t
level_bytes(const struct asci_quadrature *s)
{
    return sizeof(struct level) +
           LANES * ((2 * s->q + 1) * sizeof(double) + 2 * sizeof(uint16_t));
}

size_t
asci_quadrature_room(const struct asci_quadrature *s)
{
    return (s->depth + 1) * level_bytes(s) +
           LANES * (sizeof(double) + sizeof(uint16_t));
}

static void
divide_room(struct walk *w, void *room)
{
    const size_t n = w->s->depth + 1, q = w->s->q;
    struct level *level = room;
    double *number = (double *)(void *)(level + n);
    uint16_t *mask;
    size_t i;

    w->level = level;
    w->sum = number;
    number += LANES;
    mask = (uint16_t *)(void *)(number + n * (2 * q + 1) * LANES);
    w->took = mask;
    mask += LANES;
    for (i = 0; i < n; i++) {
        level[i].product = number;
        level[i].below = number + q * LANES;
        level[i].held = number + 2 * q * LANES;
        level[i].passed = mask;
        level[i].missing = mask + LANES;
        number += (2 * q + 1) * LANES;
        mask += 2 * LANES;
    }
}

/* h before this edge: NULL where the field is new on the path. */
static const double *
held_before(const struct walk *w, const struct asci_step *s)
{
    return s->before ? w->level[s->before].held : NULL;
}

static double
c_before(const struct walk *w, const struct asci_step *s)
{
    return s->before ? w->level[s->before].step->c : 1.0;
}

/* The factors of one edge at node t of the rule, by what becomes of h: kept
 * at 1, lost (from 1 to 0), or 0 before.  by: what P is multiplied with;
 * share: what E is, for the edge's field; it is 0 where h was 0 before. */
struct factors {
    double kept_by, lost_by, never_by;
    double kept_share, lost_share;
};

static struct factors
factors_at(double t, double c, double c_old)
{
    const double s = 1.0 - t, old = t + c_old * s;
    const double share_old = (1.0 - c_old) / old;

    return (struct factors){
        .kept_by = (t + c * s) / old, .lost_by = c * s / old,
        .never_by = c_old > 0.0 ? c / c_old : 0.0,
        .kept_share = (1.0 - c) / (t + c * s) - share_old,
        .lost_share = -1.0 / s - share_old
    };
}

/* held = h behind an edge that `took` says who took; old: h before, or NULL:
 * the field is new on the path. */
static void
hold(const uint16_t *restrict took, const double *restrict old,
     double *restrict held)
{
    size_t i;

    if (old)
        for (i = 0; i < LANES; i++)
            held[i] = took[i] ? old[i] : 0.0;
    else
        for (i = 0; i < LANES; i++)
            held[i] = took[i] ? 1.0 : 0.0;
}

/* to = from times kept, lost or never */
static void
multiply(const double *restrict from, const double *restrict now,
         const double *restrict old, double kept, double lost, double never,
         double *restrict to)
{
    size_t i;

    if (old)
        for (i = 0; i < LANES; i++)
            to[i] = from[i] * (now[i] > 0.5 ? kept
                                            : old[i] > 0.5 ? lost : never);
    else
        for (i = 0; i < LANES; i++)
            to[i] = from[i] * (now[i] > 0.5 ? kept : lost);
}

static void
add_product(const double *restrict from, const double *restrict now,
            const double *restrict old, double kept, double lost,
            double never, double *restrict to)
{
    size_t i;

    if (old)
        for (i = 0; i < LANES; i++)
            to[i] += from[i] * (now[i] > 0.5 ? kept
                                             : old[i] > 0.5 ? lost : never);
    else
        for (i = 0; i < LANES; i++)
            to[i] += from[i] * (now[i] > 0.5 ? kept : lost);
}

/* Down an edge to a node that is split further on. */
static void
go_down(struct walk *w, const struct asci_step *s)
{
    struct level *l = &w->level[s->depth], *up = l - 1;
    const double *old = held_before(w, s);
    size_t k;

    l->step = s;
    asci_take(&w->t->node[up->step->node], s->end, LANES, up->passed,
              up->missing, w->took);
    hold(w->took, old, l->held);
    for (k = 0; k < w->s->q; k++) {
        const struct factors f = factors_at(w->s->rule[k], s->c,
                                            c_before(w, s));

        multiply(up->product + k * LANES, l->held, old, f.kept_by, f.lost_by,
                 f.never_by, l->product + k * LANES);
    }
}

static void
add_sum(struct walk *w, uint32_t field)
{
    size_t i;

    for (i = 0; i < w->rows.n; i++)
        w->phi[i * w->f->d + field] += w->sum[i];
}

/* Back up the edge to the node at this depth. */
static void
go_up(struct walk *w, size_t depth)
{
    struct level *l = &w->level[depth], *up = l - 1;
    const struct asci_step *s = l->step;
    const double *restrict below = l->below;
    double *restrict above = up->below;
    size_t i, k;

    memset(w->sum, 0, LANES * sizeof *w->sum);
    for (k = 0; k < w->s->q; k++) {
        const struct factors f = factors_at(w->s->rule[k], s->c,
                                            c_before(w, s));

        add_product(below + k * LANES, l->held, held_before(w, s),
                    f.kept_share, f.lost_share, 0.0, w->sum);
    }
    for (i = 0; i < w->s->q * LANES; i++)
        above[i] += below[i];
    add_sum(w, s->field);
}

/* Down the edge to a leaf and back.  With a sibling, both edges of the node
 * at once: the sibling keeps h where this leaf loses it, and the other way
 * round. */
static void
visit_leaf(struct walk *w, const struct asci_step *s,
           const struct asci_step *sibling)
{
    struct level *l = &w->level[s->depth], *up = l - 1;
    const size_t width = w->t->width, q = w->s->q;
    const double *old = held_before(w, s);
    const double v = w->t->value[w->t->node[s->node].leaf * width + w->k];
    const double u = sibling
        ? w->t->value[w->t->node[sibling->node].leaf * width + w->k] : 0.0;
    size_t k;

    asci_take(&w->t->node[up->step->node], s->end, LANES, up->passed,
              up->missing, w->took);
    hold(w->took, old, l->held);
    memset(w->sum, 0, LANES * sizeof *w->sum);
    for (k = 0; k < q; k++) {
        const struct factors f = factors_at(w->s->rule[k], s->c,
                                            c_before(w, s));
        const double dt = w->s->rule[q + k];
        double kept = v * dt * f.kept_by, lost = v * dt * f.lost_by;
        double never = v * dt * f.never_by;
        double kept_sum = kept * f.kept_share, lost_sum = lost * f.lost_share;

        if (sibling) {
            const struct factors g = factors_at(w->s->rule[k], sibling->c,
                                                c_before(w, s));

            kept += u * dt * g.lost_by;
            lost += u * dt * g.kept_by;
            never += u * dt * g.never_by;
            kept_sum += u * dt * g.lost_by * g.lost_share;
            lost_sum += u * dt * g.kept_by * g.kept_share;
        }
        add_product(up->product + k * LANES, l->held, old, kept, lost, never,
                    up->below + k * LANES);
        add_product(up->product + k * LANES, l->held, old, kept_sum, lost_sum,
                    0.0, w->sum);
    }
    add_sum(w, s->field);
}

/* A leaf without an answer: it counts only for rows that can get there in
 * some coalition, which are those with P > 0. */
static void
visit_unknown(struct walk *w, const struct asci_step *s)
{
    struct level *l = &w->level[s->depth];
    size_t i;

    go_down(w, s);
    for (i = 0; i < w->s->q * LANES; i++)
        l->below[i] = l->product[i] > 0.0 ? NAN : 0.0;
    go_up(w, s->depth);
}

/* The leaf at step i, and its sibling if that comes next and is a leaf too.
 * Returns how many they are. */
static size_t
visit_leaves(struct walk *w, size_t i)
{
    const struct asci_step *s = &w->s->step[i], *sibling = NULL;
    const struct asci_branch *b = w->t->node, *parent;
    const size_t width = w->t->width;

    if (isnan(w->t->value[b[s->node].leaf * width + w->k])) {
        visit_unknown(w, s);
        return 1;
    }
    parent = &b[w->level[s->depth - 1].step->node];
    if (s->end == ASCI_YES && parent->child[2] == 0 &&
        b[parent->child[1]].child[0] == 0) {
        sibling = s + 1;
        if (isnan(w->t->value[b[sibling->node].leaf * width + w->k]))
            sibling = NULL;
    }
    visit_leaf(w, s, sibling);
    return sibling ? 2 : 1;
}

static void
run_lanes(struct walk *w)
{
    const size_t n = w->s->q * LANES;
    size_t i, next, depth, open = 0;

    for (i = 0; i < n; i++)
        w->level[0].product[i] = 1.0;
    for (i = 0; i < w->s->n_steps; i = next) {
        const struct asci_step *s = &w->s->step[i];
        const struct asci_branch *b = &w->t->node[s->node];
        struct level *l = &w->level[s->depth];

        next = i + 1;
        for (; open > 0 && open >= s->depth; open--)
            go_up(w, open);
        if (b->child[0] == 0) {
            if (s->depth > 0)
                next = i + visit_leaves(w, i);
            continue;
        }
        if (s->depth > 0)
            go_down(w, s);
        else
            l->step = s;
        open = s->depth;
        memset(l->below, 0, n * sizeof *l->below);
        asci_decide(w->f, b, &w->rows, l->passed, l->missing);
    }
    for (depth = open; depth > 0; depth--)
        go_up(w, depth);
}

void
asci_quadrature_run(const struct asci_quadrature *s,
                    const struct asci_forest *f, size_t j, size_t k,
                    const struct asci_coded *rows, double *phi, void *room)
{
    struct walk w = { .s = s, .f = f, .t = &f->tree[j], .k = k };
    size_t i;

    divide_room(&w, room);
    /* Lanes behind the last row take no end yes: they are computed, being
     * cheaper than to leave out, and not used. */
    memset(w.took, 0, LANES * sizeof *w.took);
    for (i = 0; i <= s->depth; i++) {
        memset(w.level[i].passed, 0, LANES * sizeof *w.level[i].passed);
        memset(w.level[i].missing, 0, LANES * sizeof *w.level[i].missing);
    }
    for (i = 0; i < rows->n; i += LANES) {
        w.rows = *rows;
        w.rows.code += i;
        w.rows.n = rows->n - i < LANES ? rows->n - i : LANES;
        w.phi = phi + i * f->d;
        run_lanes(&w);
    }
}
