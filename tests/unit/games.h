/* tests/unit/games.h -- random models of every form with fields of all kinds,
 * and their coalition game by its definition.  To be included behind
 * forests.h.
 */
#ifndef ASCRIBE_TESTS_GAMES_H
#define ASCRIBE_TESTS_GAMES_H

#include "forests.h"

/* ---- models ---- */

enum made { MADE_LINEAR, MADE_NETWORK, MADE_FOREST, MADE_DEEP, MADE_PRODUCTS,
            MADE_KINDS };

/* A column that depends on two fields. */
static inline void
add_interaction(asc_model *m, size_t a, size_t b)
{
    const double value[9] = { 0.5, -1.0, 2.0, 0.25, 1.0, -0.5, 1.5, 0.0, 3.0 };
    struct asci_column *c = add_column(m, 0.7);
    const size_t field[2] = { a, b };
    size_t k;

    for (k = 0; k < 2; k++)
        if (m->schema.field[field[k]].kind == ASC_CATEGORICAL)
            add_table(m, c, field[k], value)->missing = 0.3;
        else
            add_number(c, field[k])->missing = -0.2;
}

/* n_raw raw outputs.  Missing values have an answer everywhere. */
static inline asc_model *
random_model(enum made kind, const char *fields, size_t n_raw,
             struct asc_stream *s)
{
    static const struct forest_plan plans[] = {
        { 12, 4, 0, 1, .three_ends = 1, .sets = 1, .no_covers = 1 },
        { 2, 11, 0, 1, .three_ends = 1, .no_covers = 1, .plain = 1,
          .full = 1 }
    };
    asc_model *m;
    long category[64];
    double *w;
    size_t j, k;

    if (kind == MADE_FOREST || kind == MADE_DEEP) {
        struct forest_plan plan = plans[kind == MADE_DEEP];

        plan.n_raw = n_raw;
        return random_forest(fields, &plan, s);
    }
    m = model_begin(fields);
    add_rich_columns(m, category);
    add_column(m, 0.4);
    if (kind == MADE_PRODUCTS)
        for (j = 0; j + 1 < m->schema.n; j++)
            add_interaction(m, j, j + 1);
    for (j = 0; j < m->encoder.n; j++)
        for (k = 0; k < m->encoder.column[j].n_factors; k++)
            if (isnan(m->encoder.column[j].factor[k].missing))
                m->encoder.column[j].factor[k].missing = 0.125;
    if (kind == MADE_NETWORK) {
        add_random_layer(m, s, 7, ASCI_TANH);
        add_random_layer(m, s, 5, ASCI_RELU);
        add_random_layer(m, s, n_raw, ASCI_IDENTITY);
        return m;
    }
    w = malloc((m->encoder.n + 1) * n_raw * sizeof *w);
    random_numbers(s, w, (m->encoder.n + 1) * n_raw, 0.5);
    set_linear(m, n_raw, w, w + m->encoder.n * n_raw);
    free(w);
    return m;
}

/* ---- the game by its definition ---- */

/* v (2^d) of one row and output: bit j of the index is field j. */
static inline void
game_by_definition(const asc_model *m, enum asc_scale scale,
                   const struct asc_background *b, const double *x,
                   size_t output, double *v)
{
    const size_t d = b->d, k = asc_model_n_outputs(m);
    double *z = malloc(b->n * d * sizeof *z), *y = malloc(b->n * k * sizeof *y);
    size_t s, i, j;

    for (s = 0; s < (size_t)1 << d; s++) {
        for (i = 0; i < b->n; i++)
            for (j = 0; j < d; j++)
                z[i * d + j] = s >> j & 1 ? x[j] : b->x[i * d + j];
        assert_int_equal(asc_model_evaluate(m, scale, z, b->n, y, NULL), 0);
        v[s] = 0.0;
        for (i = 0; i < b->n; i++)
            v[s] += y[i * k + output] / (double)b->n;
    }
    free(y);
    free(z);
}

static inline void
shapley_of(const asc_model *m, enum asc_scale scale,
           const struct asc_background *b, const double *x, size_t output,
           double *phi)
{
    double *v = malloc(sizeof *v << b->d);

    game_by_definition(m, scale, b, x, output, v);
    shapley_by_definition(v, b->d, phi);
    free(v);
}

/* ---- a game given as a table ---- */

/* An opaque model of d fields whose output for x of 0s and 1s is v[x], so
 * that the row of ones against a background of zeros plays the game v. */
struct table_game {
    size_t d;
    const double *v;            /* (2^d) */
};

static inline int
table_evaluate(const void *state, enum asc_scale scale, const double *x,
               size_t n, double *y, struct asc_error *e)
{
    const struct table_game *g = state;
    size_t i, j, s;

    (void)scale;
    (void)e;
    for (i = 0; i < n; i++) {
        for (s = 0, j = 0; j < g->d; j++)
            s |= (size_t)(x[i * g->d + j] > 0.5) << j;
        y[i] = g->v[s];
    }
    return ASC_OK;
}

static inline asc_model *
table_model(const struct table_game *g)
{
    char fields[65] = { 0 };
    asc_model *m;

    memset(fields, 'x', g->d);
    m = model_begin(fields);
    m->form = ASC_FORM_OPAQUE;
    m->u.opaque.state = (void *)(uintptr_t)g;
    m->u.opaque.evaluate = table_evaluate;
    return model_end(m, 1, ASCI_LINK_NONE);
}

/* v (2^d) of a random game; order: the largest coalition that matters as
 * such. */
static inline double *
random_game(size_t d, int order, struct asc_stream *s)
{
    const size_t n = (size_t)1 << d;
    double *v = malloc(n * sizeof *v);
    size_t i, half;

    for (i = 0; i < n; i++) {
        const int size = __builtin_popcountll(i);

        v[i] = size > order ? 0.0 : asc_stream_normal(s) / (1.0 + size);
    }
    for (half = 1; half < n; half *= 2)
        for (i = 0; i < n; i++)
            if (i & half)
                v[i] += v[i ^ half];
    return v;
}

/* phi (d), and se if not NULL, of the whole game. */
static inline void
explain_game(const char *spec, const struct asc_method *method,
             const struct table_game *g, double *phi, double *se)
{
    double ones[64], zeros[64] = { 0 };
    struct asc_background b;
    struct explanation got;
    asc_model *m = table_model(g);
    size_t j;

    for (j = 0; j < g->d; j++)
        ones[j] = 1.0;
    make_background(m, zeros, 1, &b);
    got = explain(spec, method, m, ASC_RAW, &b, ones, 1, 0);
    memcpy(phi, got.phi, g->d * sizeof *phi);
    if (se)
        memcpy(se, got.se, g->d * sizeof *se);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

/* Of the 95% intervals phi +- 1.96 se of a sampling method, over 200 seeds and
 * all fields, 90 to 99% hold the value. */
static inline void
check_coverage(const char *spec, const struct asc_method *method,
               const struct table_game *g, const double *want)
{
    enum { SEEDS = 200 };
    double phi[64], se[64], squares = 0.0, variances = 0.0;
    size_t held = 0, n = 0, j;
    unsigned seed;

    for (seed = 1; seed <= SEEDS; seed++) {
        char seeded[160];

        snprintf(seeded, sizeof seeded, "%s:seed=%u", spec, seed);
        explain_game(seeded, method, g, phi, se);
        for (j = 0; j < g->d; j++) {
            held += fabs(phi[j] - want[j]) <= 1.96 * se[j];
            n++;
            squares += (phi[j] - want[j]) * (phi[j] - want[j]);
            variances += se[j] * se[j];
        }
    }
    print_message("# %s, d = %zu: %.3f of the intervals hold the value; mean "
                  "se^2 is %.2f of the mean square error %.2g\n", spec, g->d,
                  (double)held / (double)n, variances / squares,
                  squares / (double)n);
    assert_true((double)held / (double)n >= 0.9);
    assert_true((double)held / (double)n <= 0.99);
}

#endif
