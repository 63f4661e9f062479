/* fit/cart_search.c -- the best split of a node by one field.
 *
 * With l, r, t the weights of a class (or sums of w (y - mean)) on the two
 * sides and in all, L, R, T those of all rows, a split gains
 *
 *     Gini       sum_k l_k^2 / L + sum_k r_k^2 / R - sum_k t_k^2 / T
 *     entropy    the same with x ln x in place of x^2 / X, less X ln X
 *     squares    l^2 / L + r^2 / R - t^2 / T
 *
 * which is T times the decrease of impurity (Breiman, Friedman, Olshen and
 * Stone 1984, sec. 4.3 and 8.4).  Values are looked at group by group, a group
 * being the rows with one value: counted where a field has few of them for the
 * node's rows, else sorted.
 *
 * Numbers are cut between any two groups.  Categories, for a number or two
 * classes, in the order of their mean: no other division gains more (theorem
 * 4.5 of the book; Fisher 1958).  For more classes all divisions of up to
 * EXHAUSTIVE categories are tried; more are cut in the order of the first
 * principal component of their class shares (Coppersmith, Hong and Hosking
 * 1999, doi:10.1023/A:1009869804967), which need not hold the best division.
 * Missing values go either way with each cut, or apart from all that is known.
 *
 * Cost: linear in rows and values, or a sort of whole numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/cart.h"

enum { EXHAUSTIVE = 10 };

struct ranked {
    double score;
    uint32_t group;
};

struct asci_cart_scratch {
    size_t width;               /* of sums: classes, or 2 for a number: weight
                                   and sum of w (y - mean) */
    struct asci_cart_pair *pair, *spare;        /* (n) codes, near */
    size_t n_cells;
    double *cell;               /* (n_cells) sums of counted groups */
    uint32_t *count;            /* (n_cells) */
    double *total, *left, *with, *one, *missing;        /* (width) */
    /* categories, at most n_groups in a node */
    size_t n_groups;
    double *sum, *centred;      /* (n_groups, width) */
    uint32_t *code, *rows;      /* (n_groups) */
    struct ranked *ranked;      /* (n_groups) */
    double *axis;               /* (width) */
};

void
asci_cart_scratch_free(struct asci_cart_scratch *w)
{
    if (!w)
        return;
    free(w->axis);
    free(w->ranked);
    free(w->rows);
    free(w->code);
    free(w->centred);
    free(w->sum);
    free(w->missing);
    free(w->one);
    free(w->with);
    free(w->left);
    free(w->total);
    free(w->count);
    free(w->cell);
    free(w->spare);
    free(w->pair);
    free(w);
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct asci_cart_scratch *
asci_cart_scratch_new(const struct asci_cart_table *c, struct asc_error *e)
{
    struct asci_cart_scratch *w = asci_alloc_zero(1, sizeof *w, e);
    size_t j, most = 0;

    if (!w)
        return NULL;
    w->width = c->k ? c->k : 2;
    for (j = 0; j < c->d; j++) {
        const size_t n = c->field[j].n_codes;

        if (n > most)
            most = n;
        if (c->field[j].categorical && smaller(n, c->n) > w->n_groups)
            w->n_groups = smaller(n, c->n);
    }
    w->n_cells = smaller(most * w->width, 2 * c->n + 64);
    w->pair = asci_alloc(c->n, sizeof *w->pair, e);
    w->spare = asci_alloc(c->n, sizeof *w->spare, e);
    w->cell = asci_alloc(w->n_cells, sizeof *w->cell, e);
    w->count = asci_alloc(w->n_cells, sizeof *w->count, e);
    w->total = asci_alloc(w->width, sizeof *w->total, e);
    w->left = asci_alloc(w->width, sizeof *w->left, e);
    w->with = asci_alloc(w->width, sizeof *w->with, e);
    w->one = asci_alloc(w->width, sizeof *w->one, e);
    w->missing = asci_alloc(w->width, sizeof *w->missing, e);
    w->sum = asci_alloc(w->n_groups, w->width * sizeof *w->sum, e);
    w->centred = asci_alloc(w->n_groups, w->width * sizeof *w->centred, e);
    w->code = asci_alloc(w->n_groups, sizeof *w->code, e);
    w->rows = asci_alloc(w->n_groups, sizeof *w->rows, e);
    w->ranked = asci_alloc(w->n_groups, sizeof *w->ranked, e);
    w->axis = asci_alloc(w->width, sizeof *w->axis, e);
    if (w->pair && w->spare && w->cell && w->count && w->total && w->left &&
        w->with && w->one && w->missing && w->sum && w->centred && w->code &&
        w->rows && w->ranked && w->axis)
        return w;
    asci_cart_scratch_free(w);
    return NULL;
}

/* ---- a search ---- */

struct search {
    const struct asci_cart_table *c;
    const struct asci_cart_options *o;
    struct asci_cart_scratch *w;
    const struct asci_cart_part *v;
    const struct asci_cart_near *near;  /* (v->n) the rows */
    uint32_t n_missing;
    double strength;            /* of all */
    size_t n_known;             /* pairs */
    uint32_t least, most;       /* codes; least > most: none is known */
    int counted;
    struct asci_cart_split *best;
};

static void
clear(const struct asci_cart_scratch *w, double *sum)
{
    memset(sum, 0, w->width * sizeof *sum);
}

static void
add(const struct asci_cart_scratch *w, double *sum, const double *more)
{
    size_t i;

    for (i = 0; i < w->width; i++)
        sum[i] += more[i];
}

static void
add_row(const struct asci_cart_table *c, double *sum,
        const struct asci_cart_near *near)
{
    if (c->k) {
        sum[near->k] += near->w;
    } else {
        sum[0] += near->w;
        sum[1] += near->v;
    }
}

static double
entropic(double v)
{
    return v > 0.0 ? v * log(v) : 0.0;
}

/* What the impurity of rows with these sums is short of; weight: theirs. */
static double
strength(const struct search *q, const double *sum, double *weight)
{
    const size_t k = q->c->k;
    double all = 0.0, squares = 0.0;
    size_t i;

    if (k == 0) {
        *weight = sum[0];
        return sum[1] * sum[1] / sum[0];
    }
    for (i = 0; i < k; i++) {
        all += sum[i];
        squares += q->o->entropy ? entropic(sum[i]) : sum[i] * sum[i];
    }
    *weight = all;
    return q->o->entropy ? squares - entropic(all) : squares / all;
}

/* The sums of all rows. */
static void
add_up(struct search *q)
{
    struct asci_cart_scratch *w = q->w;
    double weight;

    if (q->c->k) {
        memcpy(w->total, q->v->stat, w->width * sizeof *w->total);
    } else {
        w->total[0] = q->v->stat[0];
        w->total[1] = q->v->rest;
    }
    q->strength = strength(q, w->total, &weight);
}

/* A split with sums `left` of n_left rows on the yes side, if it is better
 * than the best one. */
static int
consider(struct search *q, const double *left, uint32_t n_left)
{
    const struct asci_cart_scratch *w = q->w;
    const uint32_t least = (uint32_t)q->o->min_leaf;
    double one, other, left_weight, right_weight, gain, noise;
    size_t i;

    if (n_left < least || q->v->n_rows - n_left < least)
        return 0;
    for (i = 0; i < w->width; i++)
        w->one[i] = w->total[i] - left[i];
    one = strength(q, left, &left_weight);
    other = strength(q, w->one, &right_weight);
    if (!(left_weight > 0.0) || !(right_weight > 0.0))
        return 0;
    gain = one + other - q->strength;
    /* what rounding leaves of nothing is no gain */
    noise = q->c->k ? 1e-13 * (left_weight + right_weight)
                    : 1e-12 * q->v->stat[2];
    if (!(gain > q->best->gain) || !(gain > noise))
        return 0;
    q->best->gain = gain;
    return 1;
}

/* ---- groups ---- */

/* Codes of the known rows, less the smallest one, to w->pair; the missing ones
 * are added up. */
static void
gather(struct search *q, const struct asci_cart_field *f, const uint32_t *row)
{
    struct asci_cart_scratch *w = q->w;
    size_t i;

    q->n_known = q->n_missing = 0;
    q->least = UINT32_MAX;
    q->most = 0;
    clear(w, w->missing);
    for (i = 0; i < q->v->n; i++) {
        const uint32_t code = f->code[row[i]];

        if (code == f->n_codes) {
            q->n_missing += q->near[i].n;
            add_row(q->c, w->missing, &q->near[i]);
            continue;
        }
        if (code < q->least)
            q->least = code;
        if (code > q->most)
            q->most = code;
        w->pair[q->n_known].key = code;
        w->pair[q->n_known++].i = (uint32_t)i;
    }
    for (i = 0; i < q->n_known; i++)
        w->pair[i].key -= q->least;
}

static void
count_groups(struct search *q)
{
    struct asci_cart_scratch *w = q->w;
    const size_t n = (size_t)(q->most - q->least) + 1;
    size_t i;

    memset(w->cell, 0, n * w->width * sizeof *w->cell);
    memset(w->count, 0, n * sizeof *w->count);
    for (i = 0; i < q->n_known; i++) {
        const struct asci_cart_pair *p = &w->pair[i];

        w->count[p->key] += q->near[p->i].n;
        add_row(q->c, w->cell + p->key * w->width, &q->near[p->i]);
    }
}

static void
make_groups(struct search *q)
{
    struct asci_cart_scratch *w = q->w;

    if (q->n_known == 0)
        return;
    q->counted = ((size_t)(q->most - q->least) + 1) * w->width <=
                 smaller(w->n_cells, 2 * q->n_known + 64);
    if (q->counted)
        count_groups(q);
    else
        asci_cart_sort(w->pair, w->spare, q->n_known, q->most - q->least);
}

struct group {
    size_t at;                  /* where to go on */
    uint32_t code, n;
    const double *sum;
};

/* The next group in rising order of code, from at = 0 on: 1, or 0. */
static int
next_group(const struct search *q, struct group *g)
{
    struct asci_cart_scratch *w = q->w;
    const size_t all = q->n_known == 0 ? 0
                       : q->counted ? (size_t)(q->most - q->least) + 1
                       : q->n_known;
    uint32_t key;

    while (q->counted && g->at < all && w->count[g->at] == 0)
        g->at++;
    if (g->at >= all)
        return 0;
    if (q->counted) {
        g->code = q->least + (uint32_t)g->at;
        g->n = w->count[g->at];
        g->sum = w->cell + g->at++ * w->width;
        return 1;
    }
    key = w->pair[g->at].key;
    g->code = q->least + key;
    g->n = 0;
    clear(w, w->axis);
    for (; g->at < all && w->pair[g->at].key == key; g->at++) {
        const struct asci_cart_near *near = &q->near[w->pair[g->at].i];

        g->n += near->n;
        add_row(q->c, w->axis, near);
    }
    g->sum = w->axis;
    return 1;
}

/* ---- cuts between groups in an order ---- */

struct cuts {
    struct search *q;
    uint32_t n_groups, n_left, last;
};

/* Looks at the cut before a further group. */
static void
cut_before(struct cuts *k, uint32_t code, uint32_t n, const double *sum)
{
    struct search *q = k->q;
    struct asci_cart_scratch *w = q->w;
    int way;

    for (way = 0; way < 2 && k->n_groups > 0; way++) {
        if (way == 1) {
            if (q->n_missing == 0)
                break;
            memcpy(w->with, w->left, w->width * sizeof *w->with);
            add(w, w->with, w->missing);
        }
        if (consider(q, way ? w->with : w->left,
                     k->n_left + (way ? q->n_missing : 0))) {
            q->best->cut = k->n_groups;
            q->best->low = k->last;
            q->best->high = code;
            q->best->missing_yes = way;
        }
    }
    k->n_groups++;
    k->n_left += n;
    k->last = code;
    add(w, w->left, sum);
}

/* All that is known against all that is missing. */
static void
cut_missing(struct cuts *k, uint32_t n_codes)
{
    struct search *q = k->q;

    if (q->n_missing > 0 && k->n_groups > 0 &&
        consider(q, q->w->left, k->n_left)) {
        q->best->cut = k->n_groups;
        q->best->low = k->last;
        q->best->high = n_codes;
        q->best->missing_yes = 0;
    }
}

static void
search_numbers(struct search *q, uint32_t n_codes)
{
    struct cuts k = { .q = q };
    struct group g = { 0 };

    clear(q->w, q->w->left);
    while (next_group(q, &g))
        cut_before(&k, g.code, g.n, g.sum);
    cut_missing(&k, n_codes);
}

/* ---- categories ---- */

/* The node's categories, by code: how many. */
static uint32_t
list_groups(const struct search *q)
{
    struct asci_cart_scratch *w = q->w;
    struct group g = { 0 };
    uint32_t n = 0;

    while (next_group(q, &g)) {
        w->code[n] = g.code;
        w->rows[n] = g.n;
        memcpy(w->sum + n * w->width, g.sum, w->width * sizeof *w->sum);
        n++;
    }
    return n;
}

static int
compare_ranked(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;

    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return a->group < b->group ? -1 : a->group > b->group;
}

static double
dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Class shares of each group less those of all, times the root of the group's
 * weight, to w->centred (n, width), whose first principal direction is then
 * wanted; *longest: the group that is farthest off. */
static void
centre(struct asci_cart_scratch *w, uint32_t n, uint32_t *longest)
{
    double all = 0.0, top = -1.0;
    uint32_t g;
    size_t i;

    clear(w, w->with);
    for (g = 0; g < n; g++)
        add(w, w->with, w->sum + g * w->width);
    for (i = 0; i < w->width; i++)
        all += w->with[i];
    *longest = 0;
    for (g = 0; g < n; g++) {
        const double *sum = w->sum + g * w->width;
        double *off = w->centred + g * w->width, weight = 0.0, length;

        for (i = 0; i < w->width; i++)
            weight += sum[i];
        for (i = 0; i < w->width; i++)
            off[i] = sqrt(weight) * (sum[i] / weight - w->with[i] / all);
        length = dot(off, off, w->width);
        if (length > top) {
            top = length;
            *longest = g;
        }
    }
}

/* Scores of the groups on the first principal component, by the power
 * method. */
static void
score_by_component(struct asci_cart_scratch *w, uint32_t n)
{
    enum { STEPS = 300 };
    const size_t k = w->width;
    uint32_t g;
    int step;
    size_t i;

    centre(w, n, &g);
    memcpy(w->axis, w->centred + g * k, k * sizeof *w->axis);
    for (step = 0; step < STEPS; step++) {
        double length = sqrt(dot(w->axis, w->axis, k)), moved = 0.0, now;

        if (!(length > 0.0))
            break;
        for (i = 0; i < k; i++)
            w->axis[i] /= length;
        clear(w, w->with);
        for (g = 0; g < n; g++) {
            const double *off = w->centred + g * k;
            const double along = dot(off, w->axis, k);

            for (i = 0; i < k; i++)
                w->with[i] += along * off[i];
        }
        length = sqrt(dot(w->with, w->with, k));
        for (i = 0; i < k; i++) {
            now = length > 0.0 ? w->with[i] / length : 0.0;
            moved += fabs(now - w->axis[i]);
            w->axis[i] = w->with[i];
        }
        if (moved < 1e-12)
            break;
    }
    for (g = 0; g < n; g++) {
        const double *sum = w->sum + g * k;
        double weight = 0.0;

        for (i = 0; i < k; i++)
            weight += sum[i];
        w->ranked[g].score = dot(sum, w->axis, k) / weight;
    }
}

/* The order in which the n groups may be cut, to w->ranked. */
static void
order_groups(const struct search *q, uint32_t n)
{
    struct asci_cart_scratch *w = q->w;
    uint32_t g;

    if (q->c->k > 2)
        score_by_component(w, n);
    for (g = 0; g < n; g++) {
        const double *sum = w->sum + g * w->width;

        w->ranked[g].group = g;
        if (q->c->k == 0)
            w->ranked[g].score = sum[1] / sum[0];
        else if (q->c->k == 2)
            w->ranked[g].score = sum[1] / (sum[0] + sum[1]);
    }
    qsort(w->ranked, n, sizeof *w->ranked, compare_ranked);
}

static int
is_exhaustive(const struct search *q, uint32_t n)
{
    return q->c->k > 2 && n <= EXHAUSTIVE;
}

/* All divisions of n groups, and the missing rows as one more; the last one
 * stays on the no side.  From one to the next a single group changes sides
 * (Gray's code). */
static void
divide_all(struct search *q, uint32_t n)
{
    struct asci_cart_scratch *w = q->w;
    const uint32_t moving = q->n_missing > 0 ? n : n - 1;
    uint32_t i, chosen = 0, n_left = 0;
    size_t j;

    clear(w, w->left);
    for (i = 1; i < UINT32_C(1) << moving; i++) {
        const uint32_t g = (uint32_t)__builtin_ctz(i);
        const double *sum = w->sum + g * w->width;
        const int enters = !(chosen >> g & 1);

        chosen ^= UINT32_C(1) << g;
        n_left = enters ? n_left + w->rows[g] : n_left - w->rows[g];
        for (j = 0; j < w->width; j++)
            w->left[j] += enters ? sum[j] : -sum[j];
        if (consider(q, w->left, n_left)) {
            q->best->cut = 0;
            q->best->chosen = chosen;
            q->best->missing_yes = 0;
        }
    }
}

static void
search_categories(struct search *q, uint32_t n_codes)
{
    struct asci_cart_scratch *w = q->w;
    struct cuts k = { .q = q };
    const uint32_t n = list_groups(q);
    uint32_t i;

    if (n == 0)
        return;
    if (is_exhaustive(q, n)) {
        divide_all(q, n);
        return;
    }
    order_groups(q, n);
    clear(w, w->left);
    for (i = 0; i < n; i++) {
        const uint32_t g = w->ranked[i].group;

        cut_before(&k, w->code[g], w->rows[g], w->sum + g * w->width);
    }
    cut_missing(&k, n_codes);
}

static struct search
begin(const struct asci_cart_table *c, const struct asci_cart_space *s,
      struct asci_cart_scratch *w, const struct asci_cart_part *v,
      size_t field)
{
    struct search q = { .c = c, .w = w, .v = v,
                        .near = s->near + v->from };

    gather(&q, &c->field[field], s->row + v->from);
    return q;
}

void
asci_cart_search(const struct asci_cart_table *c,
                 const struct asci_cart_options *o,
                 const struct asci_cart_space *s,
                 struct asci_cart_scratch *w, const struct asci_cart_part *v,
                 size_t field, struct asci_cart_split *best)
{
    const struct asci_cart_field *f = &c->field[field];
    struct search q = begin(c, s, w, v, field);

    *best = (struct asci_cart_split){ .field = field };
    best->constant = q.n_known == 0 ||
                     (q.n_missing == 0 && q.least == q.most);
    if (best->constant)
        return;
    q.o = o;
    q.best = best;
    add_up(&q);
    make_groups(&q);
    if (f->categorical)
        search_categories(&q, f->n_codes);
    else
        search_numbers(&q, f->n_codes);
}

void
asci_cart_sides(const struct asci_cart_table *c,
                const struct asci_cart_space *s, struct asci_cart_scratch *w,
                const struct asci_cart_part *v,
                const struct asci_cart_split *split, unsigned char *side)
{
    struct search q = begin(c, s, w, v, split->field);
    const uint32_t n_codes = c->field[split->field].n_codes;
    uint32_t n, i;

    make_groups(&q);
    n = list_groups(&q);
    memset(side, ASCI_CART_UNSEEN, n_codes + 1);
    if (split->cut > 0)
        order_groups(&q, n);
    for (i = 0; i < n; i++) {
        const uint32_t g = split->cut > 0 ? w->ranked[i].group : i;
        const int yes = split->cut > 0 ? i < split->cut
                                       : split->chosen >> i & 1;

        side[w->code[g]] = yes ? ASCI_CART_YES : ASCI_CART_NO;
    }
    if (q.n_missing > 0)
        side[n_codes] = split->missing_yes ? ASCI_CART_YES : ASCI_CART_NO;
}
