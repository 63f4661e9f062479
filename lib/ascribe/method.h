/* ascribe/method.h -- attribution methods and their registry. */
#ifndef ASCRIBE_METHOD_H
#define ASCRIBE_METHOD_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/base.h>
#include <ascribe/model.h>
#include <ascribe/table.h>

/* What is the same for all rows.  Borrowed; lives as long as the state. */
struct asc_task {
    const asc_model *model;
    enum asc_scale scale;
    const struct asc_background *background;    /* NULL: none given */
    const struct asc_spec *spec;                /* parameters and seed */
};

/* A block of rows to explain. */
struct asc_explain {
    size_t n, d;                /* rows, fields */
    size_t q;                   /* outputs explained of each row */
    const double *x;            /* (n, d) */
    const struct asc_text *id;  /* (n) key of the row's random stream */
    const size_t *output;       /* (n, q) which outputs of the model */
    /* results, all caller-allocated */
    double *phi;                /* (n, q, d) */
    double *se;                 /* (n, q, d), or NULL: not wanted; NaN where
                                   the method has no standard error */
    double *base;               /* (n, q) */
    double *value;              /* (n, q) */
};

struct asc_method {
    struct asc_entry entry;
    /* The traits that remain with these parameters; NULL: those of entry. */
    unsigned (*traits)(const struct asc_spec *s);
    /* Checks the task and builds what all rows share.  The state is read-only
     * afterwards.  *state may stay NULL. */
    int (*prepare)(const struct asc_task *t, void **state,
                   struct asc_error *e);
    /* Explains a block; called by several threads at once. */
    int (*run)(const struct asc_task *t, const void *state,
               struct asc_explain *b, struct asc_error *e);
    void (*finish)(void *state);        /* may be NULL */
    /* Beyond the views that it needs, whether it can explain this model on
     * this scale, as far as that can be told without rows: ASC_OK, or the
     * reason, words that may follow the method's name.  Quick; may be
     * NULL. */
    int (*serves)(const asc_model *m, enum asc_scale scale,
                  struct asc_error *e);
};

const struct asc_method *const *asc_methods(size_t *n);
const struct asc_entry *const *asc_method_entries(size_t *n);
/* What a specification of a method promises: its entry's traits, less those
 * that its parameters give up. */
unsigned asc_method_traits(const struct asc_spec *s);

/* What a method or metric does with a background on this model. */
enum asc_background_use {
    ASC_BACKGROUND_UNUSED,
    ASC_BACKGROUND_OPTIONAL,    /* uses one that is given, does without */
    ASC_BACKGROUND_NEEDED
};
enum asc_background_use asc_background_use(const struct asc_entry *entry,
                                           const asc_model *model);

/* ASC_OK if a method can explain this model on this scale, as far as that can
 * be told without rows; else e->text is the reason: "needs trees, which this
 * model has not". */
int asc_method_serves(const struct asc_entry *entry, const asc_model *model,
                      enum asc_scale scale, struct asc_error *e);

/* A method made ready for a model. */
typedef struct asc_explainer asc_explainer;
/* Checks that the model serves the method and that a background is there if
 * needed; the message names methods that would work. */
asc_explainer *asc_explainer_new(const struct asc_task *task,
                                 struct asc_error *e);
int asc_explainer_run(const asc_explainer *x, struct asc_explain *b,
                      struct asc_error *e);
void asc_explainer_free(asc_explainer *x);

/* |sum phi - (value - base)| / max(|value|, |base|, sum |phi|), 0 for 0/0. */
double asc_residual(const double *phi, size_t d, double base, double value);

#endif
