/* tests/unit/training.h -- training tables in memory, and models from them. */
#ifndef ASCRIBE_TESTS_TRAINING_H
#define ASCRIBE_TESTS_TRAINING_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/ascribe.h>

#include "fields.h"
#include "lib/fit/internal.h"

/* n rows of d fields, all missing, ids 1..n; fields are to be added to
 * t->schema (schema_number, schema_category). */
static inline struct asc_training
training_new(size_t n, size_t d)
{
    struct asc_training t = { .n = n, .schema = schema_new(d) };
    char id[32];
    size_t i;

    t.x = malloc((n * d + 1) * sizeof *t.x);
    t.y = calloc(n + 1, sizeof *t.y);
    t.id = calloc(n + 1, sizeof *t.id);
    t.id_length = calloc(n + 1, sizeof *t.id_length);
    for (i = 0; i < n * d; i++)
        t.x[i] = NAN;
    for (i = 0; i < n; i++) {
        t.id[i] = t.ids.n;
        t.id_length[i] = (size_t)snprintf(id, sizeof id, "%zu", i + 1);
        asc_buffer_text(&t.ids, id);
    }
    t.target.name = strdup("y");
    t.target.kind = ASC_CONTINUOUS;
    return t;
}

static inline void
training_classes(struct asc_training *t, const char *classes)
{
    t->target.kind = ASC_CATEGORICAL;
    texts_of(classes, &t->target.categories, &t->target.n_categories);
}

static inline void
training_weigh(struct asc_training *t)
{
    size_t i;

    t->weight = malloc((t->n + 1) * sizeof *t->weight);
    for (i = 0; i < t->n; i++)
        t->weight[i] = 1.0;
}

/* Rows of t picked by index (n), with their ids if same_ids, else new ones. */
static inline struct asc_training
training_pick(const struct asc_training *t, const size_t *row, size_t n,
              int same_ids)
{
    const size_t d = t->schema.n;
    struct asc_training u = training_new(n, d);
    size_t i, j;

    for (j = 0; j < d; j++) {
        const struct asc_field *f = &t->schema.field[j];
        struct asc_field *g = schema_number(&u.schema, f->name);

        g->kind = f->kind;
        g->invalid = f->invalid;
        g->n_categories = f->n_categories;
        g->categories = calloc(f->n_categories + 1, sizeof *g->categories);
        for (i = 0; i < f->n_categories; i++)
            g->categories[i] = strdup(f->categories[i]);
    }
    free(u.target.name);
    u.target = t->target;
    u.target.name = strdup(t->target.name);
    u.target.categories = calloc(t->target.n_categories + 1,
                                 sizeof *u.target.categories);
    for (i = 0; i < t->target.n_categories; i++)
        u.target.categories[i] = strdup(t->target.categories[i]);
    if (t->weight)
        training_weigh(&u);
    u.ids.n = same_ids ? 0 : u.ids.n;
    for (i = 0; i < n; i++) {
        memcpy(u.x + i * d, t->x + row[i] * d, d * sizeof *u.x);
        u.y[i] = t->y[row[i]];
        if (t->weight)
            u.weight[i] = t->weight[row[i]];
        if (same_ids) {
            u.id[i] = u.ids.n;
            u.id_length[i] = t->id_length[row[i]];
            asc_buffer_add(&u.ids, t->ids.p + t->id[row[i]],
                           t->id_length[row[i]]);
        }
    }
    return u;
}

/* NULL, and *e filled, on failure; `specification` as on a command line. */
static inline asc_model *
train_so(const struct asc_training *t, const char *specification,
         const struct asc_fitting *how, struct asc_error *e)
{
    struct asc_specs s = { 0 };
    asc_model *m = NULL;
    size_t n, i;
    const struct asc_trainer *const *trainer = asc_trainers(&n);
    const struct asc_entry *const *entry = asc_trainer_entries(&n);

    if (asc_specs_parse(specification, entry, n, "trainer", &s, e))
        n = 0;
    for (i = 0; i < n; i++)
        if (&trainer[i]->entry == s.v[0].entry)
            m = trainer[i]->fit(t, &s.v[0], how, e);
    asc_specs_free(&s);
    return m;
}

static inline asc_model *
train(const struct asc_training *t, const char *specification,
      struct asc_error *e)
{
    return train_so(t, specification, NULL, e);
}

static inline asc_model *
must_train(const struct asc_training *t, const char *specification)
{
    struct asc_error e = { 0 };
    asc_model *m = train(t, specification, &e);

    if (!m)
        fail_msg("%s: %s", specification, e.text);
    return m;
}

/* Outputs (n, n_outputs) of the model for the rows of t, missing values
 * replaced as a table's reader would. */
static inline double *
outputs_of(const asc_model *m, enum asc_scale scale,
           const struct asc_training *t)
{
    const size_t d = t->schema.n;
    double *x = malloc((t->n * d + 1) * sizeof *x);
    double *y = malloc((t->n * asc_model_n_outputs(m) + 1) * sizeof *y);
    size_t i;

    for (i = 0; i < t->n * d; i++)
        x[i] = isnan(t->x[i]) ? m->schema.field[i % d].replacement : t->x[i];
    assert_int_equal(asc_model_evaluate(m, scale, x, t->n, y, NULL), ASC_OK);
    free(x);
    return y;
}

static inline double
uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

static inline double
normal(uint64_t *state)
{
    const double radius = sqrt(-2.0 * log(uniform(state)));

    return radius * cos(6.283185307179586 * uniform(state));
}

/* |a - b| <= tolerance * max(1, |b|) */
#define assert_near(a, b, tolerance)                                        \
    do {                                                                    \
        const double got_ = (a), want_ = (b);                               \
        if (!(fabs(got_ - want_) <= (tolerance) * fmax(1.0, fabs(want_))))  \
            fail_msg("%s: got %.17g, want %.17g", #a, got_, want_);         \
    } while (0)

/* The same relative to |b|. */
#define assert_digits(a, b, tolerance)                                      \
    do {                                                                    \
        const double got_ = (a), want_ = (b);                               \
        if (!(fabs(got_ - want_) <= (tolerance) * fabs(want_)))             \
            fail_msg("%s: got %.17g, want %.17g", #a, got_, want_);         \
    } while (0)

#endif
