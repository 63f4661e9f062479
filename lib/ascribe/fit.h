/* ascribe/fit.h -- small honest trainers. */
#ifndef ASCRIBE_FIT_H
#define ASCRIBE_FIT_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/base.h>
#include <ascribe/model.h>
#include <ascribe/table.h>

/* A training table in memory. */
struct asc_training {
    size_t n;                   /* rows */
    struct asc_schema schema;   /* the fields, categories sorted by bytes */
    double *x;                  /* (n, schema.n) */
    struct asc_field target;    /* categorical: classification */
    double *y;                  /* (n) number, or class index */
    double *weight;             /* (n), or NULL: all 1 */
    struct asc_buffer ids;      /* row ids, which key the random streams */
    size_t *id, *id_length;     /* (n) */
};

struct asc_training_options {
    const char *target;
    const char *weight;         /* column, or NULL */
    const char *fields;         /* comma-separated, or NULL: all the others */
    const char *drop;           /* columns that are no fields */
    const char *categorical;    /* fields to take as categories although they
                                   are numbers; the target may be named */
};
/* A field is categorical if one of its values is no number.  Rows without a
 * target are left out.  An empty table, a constant target, a missing column
 * are errors. */
int asc_training_read(const char *path, const struct asc_reader_options *r,
                      const struct asc_training_options *o,
                      struct asc_training *t, struct asc_error *e);
void asc_training_free(struct asc_training *t);

/* How a fit runs, and who hears of it.  NULL, or all 0: one thread, nobody. */
struct asc_fitting {
    unsigned threads;           /* 0: one */
    /* What was found on the way, a line without newline; detail: only for
     * those who ask for more. */
    void (*say)(void *context, int detail, const char *line);
    void *context;
};

struct asc_trainer {
    struct asc_entry entry;
    asc_model *(*fit)(const struct asc_training *t, const struct asc_spec *s,
                      const struct asc_fitting *f, struct asc_error *e);
};
const struct asc_trainer *const *asc_trainers(size_t *n);
const struct asc_entry *const *asc_trainer_entries(size_t *n);

#endif
