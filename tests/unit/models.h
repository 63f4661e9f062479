/* tests/unit/models.h -- random models of every form, with encoded, missing
 * and undeclared inputs, and rows for them.  To be included behind cmocka.h.
 */
#ifndef ASCRIBE_TESTS_MODELS_H
#define ASCRIBE_TESTS_MODELS_H

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/ascribe.h>

#include "model/form.h"

static inline void *
need(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);

    assert_non_null(p);
    return p;
}

static inline double
uniform_in(struct asc_stream *s, double low, double high)
{
    return low + (high - low) * asc_stream_uniform(s);
}

static inline size_t
choose(struct asc_stream *s, size_t n)
{
    return (size_t)asc_stream_below(s, n);
}

/* Fields: a letter each, x a number, 1 to 9 a field with so many categories.
 * Names and categories are hard on those who write and read them. */
static inline asc_model *
random_schema(const char *fields)
{
    static const char *const names[] = {
        "age", "a b", "x<&\">'", "tf-idf(lower(s))", "[0]", "derived.1",
        "\xc3\xa4\xe2\x82\xac", "raw.x", "p", "y 1"
    };
    static const char *const categories[] = {
        "a", "b c", "\"q\"", "<&>", "  lead", "back\\slash", "", "1.0", "e d\\"
    };
    asc_model *m = asci_model_new("random", NULL);
    size_t j, k, n = strlen(fields);

    assert_non_null(m);
    m->schema.n = n;
    m->schema.field = need(n, sizeof *m->schema.field);
    for (j = 0; j < n; j++) {
        struct asc_field *f = &m->schema.field[j];
        char name[64];

        snprintf(name, sizeof name, j < 10 ? "%s" : "%s%zu",
                 names[j % 10], j);
        f->name = strdup(name);
        f->replacement = NAN;
        f->low = -INFINITY;
        f->high = INFINITY;
        f->invalid = ASC_INVALID_AS_IS;
        if (fields[j] == 'x')
            continue;
        f->kind = ASC_CATEGORICAL;
        f->n_categories = (size_t)(fields[j] - '0');
        f->categories = need(f->n_categories, sizeof *f->categories);
        for (k = 0; k < f->n_categories; k++)
            f->categories[k] = strdup(categories[(j + k) % 9]);
    }
    return m;
}

/* ---- columns ---- */

static inline struct asci_factor *
new_factor(struct asci_column *c, enum asci_factor_kind kind, size_t field)
{
    struct asci_factor *f;

    c->factor = realloc(c->factor, (c->n_factors + 1) * sizeof *c->factor);
    assert_non_null(c->factor);
    f = &c->factor[c->n_factors++];
    memset(f, 0, sizeof *f);
    f->kind = kind;
    f->field = field;
    f->power = 1;
    f->missing = f->other = NAN;
    return f;
}

static inline void
random_knots(struct asc_stream *s, struct asci_factor *f)
{
    size_t i;

    f->n_knots = 2 + choose(s, 3);
    f->knot_x = need(f->n_knots, sizeof *f->knot_x);
    f->knot_y = need(f->n_knots, sizeof *f->knot_y);
    f->outliers = (enum asci_outliers)choose(s, 3);
    for (i = 0; i < f->n_knots; i++) {
        f->knot_x[i] = (i ? f->knot_x[i - 1] : -2.0) +
                       uniform_in(s, 0.1, 1.5);
        f->knot_y[i] = asc_stream_normal(s);
    }
}

static inline void
random_steps(struct asc_stream *s, struct asci_factor *f)
{
    double at = -1.5;
    size_t i;

    f->n_intervals = 1 + choose(s, 3);
    f->interval = need(f->n_intervals, sizeof *f->interval);
    f->other = choose(s, 2) ? asc_stream_normal(s) : NAN;
    for (i = 0; i < f->n_intervals; i++) {
        struct asci_interval *t = &f->interval[i];

        t->low = i == 0 && choose(s, 2) ? -INFINITY : at;
        at += uniform_in(s, 0.2, 1.5);
        t->high = at;
        t->closed_low = (int)choose(s, 2);
        t->closed_high = (int)choose(s, 2);
        t->value = asc_stream_normal(s);
    }
}

static inline void
random_table(struct asc_stream *s, struct asci_factor *f, size_t n)
{
    size_t k;

    f->n_values = n + 1;
    f->value = need(n + 1, sizeof *f->value);
    if (n > 0 && choose(s, 3)) {
        f->value[choose(s, n)] = 1.0;
        f->missing = choose(s, 2) ? 0.0 : NAN;
        return;
    }
    for (k = 0; k <= n; k++)
        f->value[k] = asc_stream_normal(s);
}

enum random_columns {
    COLUMNS_PLAIN,              /* numbers and indicators */
    COLUMNS_TREE,               /* numbers, and categories by their index */
    COLUMNS_ANY                 /* one factor of any kind each */
};

/* One column of a field. */
static inline void
random_column(struct asc_stream *s, asc_model *m, struct asci_column *c,
              size_t field, enum random_columns kind)
{
    const struct asc_field *t = &m->schema.field[field];
    struct asci_factor *f;

    c->scale = 1.0;
    f = new_factor(c, ASCI_FACTOR_NUMBER, field);
    if (t->kind == ASC_CATEGORICAL && kind != COLUMNS_TREE) {
        f->kind = ASCI_FACTOR_TABLE;
        random_table(s, f, t->n_categories);
        return;
    }
    if (kind != COLUMNS_ANY || t->kind == ASC_CATEGORICAL)
        return;
    switch (choose(s, 4)) {
    case 0:
        random_knots(s, f);
        break;
    case 1:
        f->kind = ASCI_FACTOR_STEP;
        random_steps(s, f);
        break;
    case 2:
        break;
    default:
        f->single = (int)choose(s, 2);
    }
    if (choose(s, 3) == 0)
        f->missing = asc_stream_normal(s);
}

/* One or more columns of each field. */
static inline void
random_encoder(struct asc_stream *s, asc_model *m, enum random_columns kind)
{
    size_t j, k, n = 0, each[64];

    for (j = 0; j < m->schema.n; j++) {
        const struct asc_field *f = &m->schema.field[j];

        each[j] = f->kind == ASC_CATEGORICAL && kind != COLUMNS_TREE
                  ? f->n_categories : 1 + (kind == COLUMNS_ANY);
        n += each[j];
    }
    m->encoder.column = need(n, sizeof *m->encoder.column);
    for (j = 0; j < m->schema.n; j++)
        for (k = 0; k < each[j]; k++)
            random_column(s, m, &m->encoder.column[m->encoder.n++], j, kind);
}

/* ---- forms ---- */

static inline double *
random_numbers_of(struct asc_stream *s, size_t n, double size)
{
    double *v = need(n, sizeof *v);
    size_t i;

    for (i = 0; i < n; i++)
        v[i] = size * asc_stream_normal(s);
    return v;
}

static inline void
random_linear(struct asc_stream *s, asc_model *m, size_t n_raw)
{
    m->form = ASC_FORM_LINEAR;
    m->n_raw = m->u.linear.n_raw = n_raw;
    m->u.linear.n_columns = m->encoder.n;
    m->u.linear.w = random_numbers_of(s, n_raw * m->encoder.n, 0.7);
    m->u.linear.b = random_numbers_of(s, n_raw, 0.7);
}

static inline void
random_network(struct asc_stream *s, asc_model *m, const size_t *hidden,
               size_t n_hidden, size_t n_raw, enum asci_activation a)
{
    struct asci_network *f = &m->u.network;
    size_t l;

    m->form = ASC_FORM_NETWORK;
    m->n_raw = n_raw;
    f->n_columns = m->encoder.n;
    f->n_layers = n_hidden + 1;
    f->layer = need(f->n_layers, sizeof *f->layer);
    for (l = 0; l <= n_hidden; l++) {
        struct asci_layer *t = &f->layer[l];

        t->n_in = l ? hidden[l - 1] : m->encoder.n;
        t->n_out = l < n_hidden ? hidden[l] : n_raw;
        t->w = random_numbers_of(s, t->n_in * t->n_out,
                                 1.0 / sqrt((double)t->n_in));
        t->b = random_numbers_of(s, t->n_out, 0.5);
        t->activation = l < n_hidden ? a : ASCI_IDENTITY;
        t->threshold = 0.1;
    }
}

struct random_trees {
    size_t n, max_nodes;
    double stop;                /* chance that a node becomes a leaf */
    int third;                  /* missing values may have their own leaf */
    int nan_leaves;
    int integers;               /* leaves are whole numbers */
    int covers;
};

/* A test of the column, of any kind that it can bear. */
static inline void
random_test(struct asc_stream *s, const asc_model *m,
            struct asci_ensemble *f, struct asci_node *p)
{
    const size_t field = m->encoder.column[p->column].factor[0].field;
    const struct asc_field *t = &m->schema.field[field];
    const int index = t->kind == ASC_CATEGORICAL &&
                      m->encoder.column[p->column].factor[0].kind ==
                      ASCI_FACTOR_NUMBER;
    size_t i, words;

    if (!index) {
        p->test = choose(s, 2) ? ASCI_LESS : ASCI_LESS_EQUAL;
        p->threshold = 0.25 * (double)((int)choose(s, 17) - 8);
        return;
    }
    if (choose(s, 4) == 0) {
        p->test = ASCI_EQUAL;
        p->threshold = (double)choose(s, t->n_categories);
        return;
    }
    p->test = ASCI_IN_SET;
    p->set_bits = (uint32_t)(t->n_categories + choose(s, 2));
    words = (p->set_bits + 63) / 64;
    p->set = (uint32_t)f->n_set_words;
    f->sets = realloc(f->sets, (f->n_set_words + words + 1) *
                      sizeof *f->sets);
    assert_non_null(f->sets);
    for (i = 0; i < words; i++)
        f->sets[f->n_set_words++] = asc_stream_bits(s);
}

static inline void
random_tree(struct asc_stream *s, const asc_model *m, struct asci_ensemble *f,
            struct asci_tree *t, const struct random_trees *o)
{
    size_t i, room = o->max_nodes + 4;

    t->node = need(room, sizeof *t->node);
    t->value = need(room * t->width, sizeof *t->value);
    t->n_nodes = 1;
    for (i = 0; i < t->n_nodes; i++) {
        struct asci_node *p = &t->node[i];
        size_t k, third;

        if (t->n_nodes + 3 > o->max_nodes ||
            (i > 0 && asc_stream_uniform(s) < o->stop)) {
            p->test = ASCI_LEAF;
            p->leaf = (uint32_t)t->n_leaves;
            for (k = 0; k < t->width; k++)
                t->value[t->n_leaves * t->width + k] =
                    o->nan_leaves && choose(s, 20) == 0 ? NAN
                    : o->integers ? (double)choose(s, 100)
                    : asc_stream_normal(s);
            t->n_leaves++;
            continue;
        }
        p->column = (uint32_t)choose(s, m->encoder.n);
        random_test(s, m, f, p);
        third = o->third && choose(s, 3) == 0;
        p->yes = (uint32_t)t->n_nodes++;
        p->no = (uint32_t)t->n_nodes++;
        p->missing = third ? (uint32_t)t->n_nodes++
                     : choose(s, 2) ? p->yes : p->no;
    }
    if (o->covers) {
        t->cover = need(t->n_nodes, sizeof *t->cover);
        for (i = t->n_nodes; i-- > 0;) {
            const struct asci_node *p = &t->node[i];

            t->cover[i] = 1.0 + (double)choose(s, 50);
            if (p->test != ASCI_LEAF) {
                t->cover[i] = t->cover[p->yes] + t->cover[p->no];
                if (p->missing != p->yes && p->missing != p->no)
                    t->cover[i] += t->cover[p->missing];
            }
        }
    }
}

/* width 1: trees take turns among the raw outputs; else all have all. */
static inline void
random_ensemble(struct asc_stream *s, asc_model *m, size_t n_raw,
                size_t width, const struct random_trees *o)
{
    struct asci_ensemble *f = &m->u.ensemble;
    size_t j;

    m->form = ASC_FORM_ENSEMBLE;
    m->n_raw = f->n_raw = n_raw;
    f->n_columns = m->encoder.n;
    f->n_trees = o->n;
    f->scale = 1.0;
    f->base = random_numbers_of(s, n_raw, 1.0);
    f->tree = need(o->n, sizeof *f->tree);
    for (j = 0; j < o->n; j++) {
        f->tree[j].width = width;
        f->tree[j].first = width == 1 ? j % n_raw : 0;
        random_tree(s, m, f, &f->tree[j], o);
    }
}

/* ---- outputs ---- */

/* classes 0: a regression; else a classifier, two classes share one raw output
 * if there is only one. */
static inline asc_model *
random_end(asc_model *m, size_t classes, enum asci_link link)
{
    static const char *const names[] = { "no", "y e\"s", "<3>", "d" };
    struct asc_error e = { 0 };
    size_t k;

    m->classifier = classes > 0;
    m->n_outputs = classes ? classes : m->n_raw;
    m->link = link;
    m->output = need(m->n_outputs, sizeof *m->output);
    m->target = strdup("the <target>");
    for (k = 0; k < m->n_outputs; k++) {
        struct asci_output *o = &m->output[k];

        o->name = strdup(classes ? names[k] : k ? names[k] : m->target);
        o->raw = m->n_raw == 1 ? 0 : k;
        o->sign = 1.0;
        if (classes == 2 && m->n_raw == 1 && k == 0) {
            o->sign = -1.0;
            o->complement = 1;
        }
    }
    if (asci_model_finish(m, &e) != ASC_OK)
        fail_msg("%s", e.text);
    return m;
}

/* ---- rows ---- */

/* x (n, d): numbers on a grid that hits thresholds and knots now and then,
 * categories, undeclared ones where the field lets them in; missing with
 * chance `missing`. */
static inline double *
random_rows(struct asc_stream *s, const asc_model *m, size_t n,
            double missing)
{
    const size_t d = m->schema.n;
    double *x = need(n * d, sizeof *x);
    size_t i, j;

    for (i = 0; i < n; i++)
        for (j = 0; j < d; j++) {
            const struct asc_field *f = &m->schema.field[j];
            double *v = &x[i * d + j];

            if (f->kind == ASC_CATEGORICAL)
                *v = (double)choose(s, f->n_categories +
                                    (f->invalid == ASC_INVALID_AS_IS));
            else if (choose(s, 2))
                *v = 0.25 * (double)((int)choose(s, 17) - 8);
            else
                *v = 1.5 * asc_stream_normal(s);
            if (asc_stream_uniform(s) < missing)
                *v = NAN;
        }
    return x;
}

static inline double *
evaluate_rows(const asc_model *m, enum asc_scale scale, const double *x,
              size_t n)
{
    double *y = need(n * m->n_outputs, sizeof *y);
    struct asc_error e = { 0 };

    if (asc_model_evaluate(m, scale, x, n, y, &e) != ASC_OK)
        fail_msg("%s", e.text);
    return y;
}

static inline int
same_bits(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

#define check_close(a, b, tolerance)                                         \
    check_is_close((a), (b), (tolerance), __FILE__, __LINE__)

/* Within tolerance times the larger of 1 and the magnitude; NaN is NaN. */
static inline void
check_is_close(double a, double b, double tolerance, const char *file,
               int line)
{
    if ((isnan(a) && isnan(b)) || a == b ||
        fabs(a - b) <= tolerance * fmax(1.0, fmax(fabs(a), fabs(b))))
        return;
    print_error("%.17g is not %.17g, off by %g\n", a, b, fabs(a - b));
    _fail(file, line);
}

/* Rows give the same bits alone, in blocks of any size and in any order. */
static inline void
check_row_contract(const asc_model *m, struct asc_stream *s, const double *x,
                   size_t n)
{
    static const size_t blocks[] = { 1, 2, 7, 31, 100 };
    const size_t d = m->schema.n, k = m->n_outputs;
    double *whole, *part = need(n * k, sizeof *part);
    double *turned = need(n * d, sizeof *turned);
    size_t *order = need(n, sizeof *order), b, i, j, now;
    int scale;

    for (i = 0; i < n; i++)
        order[i] = i;
    asc_stream_shuffle(s, order, n);
    for (i = 0; i < n; i++)
        memcpy(turned + i * d, x + order[i] * d, d * sizeof *x);
    for (scale = ASC_RAW; scale <= ASC_RESPONSE; scale++) {
        whole = evaluate_rows(m, (enum asc_scale)scale, x, n);
        for (b = 0; b < sizeof blocks / sizeof *blocks; b++) {
            for (i = 0; i < n; i += now) {
                now = n - i < blocks[b] ? n - i : blocks[b];
                assert_int_equal(asc_model_evaluate(
                    m, (enum asc_scale)scale, turned + i * d, now,
                    part + i * k, NULL), ASC_OK);
            }
            for (i = 0; i < n; i++)
                for (j = 0; j < k; j++)
                    assert_true(same_bits(part[i * k + j],
                                          whole[order[i] * k + j]));
        }
        free(whole);
    }
    free(order);
    free(turned);
    free(part);
}

#endif
