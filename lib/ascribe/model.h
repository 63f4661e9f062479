/* ascribe/model.h -- models: many formats, one interface. */
#ifndef ASCRIBE_MODEL_H
#define ASCRIBE_MODEL_H

#include <stddef.h>

#include <ascribe/error.h>
#include <ascribe/table.h>

/* Before the model's last link (margin, logit), or after it (probability). */
enum asc_scale { ASC_RAW, ASC_RESPONSE };

/* Immutable once read; all const functions may be called by several threads
 * at once. */
typedef struct asc_model asc_model;

/* The processes that models have running (cmd:, coproc:), for a host that may
 * be ended by a signal and must not leave them behind. */
typedef struct asc_children asc_children;
asc_children *asc_children_new(struct asc_error *e);
/* Kills all that there are, at once; no more are started, so what was and is
 * asked of their models fails.  May be called by a signal handler. */
void asc_children_kill(asc_children *c);
/* After the models that use it. */
void asc_children_free(asc_children *c);

struct asc_model_options {      /* zero-initialise for the defaults */
    /* for commands only */
    const char *fields;         /* comma-separated; NULL: see columns */
    const char *categorical;    /* comma-separated */
    const char *columns;        /* tab-separated header of the data: the fields
                                   when `fields` is NULL, less `not_fields` */
    const char *not_fields;     /* comma-separated: id, target, group, kept */
    const char *background;     /* path: its non-numbers make a field
                                   categorical */
    int raw;                    /* the command prints raw scores */
    double timeout;             /* seconds a batch may take; 0: no limit */
    asc_children *children;     /* where its processes are noted, or NULL */
    /* for files */
    size_t max_memory;          /* bytes a compressed model may expand to;
                                   0: 2 GiB */
};

/* A model file, recognised by content, or cmd:COMMAND, coproc:COMMAND. */
asc_model *asc_model_read(const char *path,
                          const struct asc_model_options *options,
                          struct asc_error *e);
void asc_model_free(asc_model *m);

const char *asc_model_name(const asc_model *m);         /* file, for messages */
const char *asc_model_digest(const asc_model *m);       /* SHA-256 */
/* Format and version of what it was read from, as "PMML 4.4"; NULL: it was
 * made in memory. */
const char *asc_model_format(const asc_model *m);
/* What the source calls the algorithm and its objective, or NULL. */
const char *asc_model_algorithm(const asc_model *m);
const struct asc_schema *asc_model_schema(const asc_model *m);
/* For asc_bind only: open fields of commands grow when data is read. */
struct asc_schema *asc_model_open_schema(asc_model *m);
const char *asc_model_target(const asc_model *m);       /* or NULL */

/* Outputs: the classes of a classifier in declared order, else one output (or
 * several targets). */
size_t asc_model_n_outputs(const asc_model *m);
const char *asc_model_output(const asc_model *m, size_t k);
int asc_model_classifier(const asc_model *m);
/* Probabilities are there (a classifier that knows only labels has none). */
int asc_model_has_probabilities(const asc_model *m);
/* 1 if raw and response differ: the model ends in a link. */
int asc_model_has_link(const asc_model *m);

/* What is explained unless the user says otherwise: raw where the model has a
 * link that can be undone, or none; response where the value is clamped or
 * rounded on the way. */
enum asc_scale asc_model_default_scale(const asc_model *m);

enum asc_form {
    ASC_FORM_LINEAR, ASC_FORM_NETWORK, ASC_FORM_ENSEMBLE, ASC_FORM_OPAQUE
};
enum asc_form asc_model_form(const asc_model *m);
const char *asc_form_name(enum asc_form form);          /* "linear" */
/* Which of ASC_NEEDS_GRADIENT, ASC_NEEDS_TREES, ASC_NEEDS_LINEAR it can
 * serve. */
unsigned asc_model_views(const asc_model *m);
/* 1 if the model has trees, and all of them have record counts or sums of
 * weights at their nodes. */
int asc_model_has_covers(const asc_model *m);
/* The last link, under the name that PMML gives its inverse where it has it:
 * "none", "logit", "softmax". */
const char *asc_model_link(const asc_model *m);
/* 0 if a row that lacks this field never has an answer. */
int asc_model_takes_missing(const asc_model *m, size_t field);

struct asc_model_size {         /* 0 where the form has none */
    size_t columns;             /* that the form computes on */
    size_t weights;             /* of linear models and networks, biases
                                   included */
    size_t layers;              /* of a network */
    size_t trees, nodes, leaves;        /* leaves are nodes, too */
    size_t depth;               /* tests on the longest path of any tree */
};
int asc_model_measure(const asc_model *m, struct asc_model_size *size,
                      struct asc_error *e);

/* y (n, n_outputs) = f(x), x (n, d) row-major, in double sums: what is
 * explained, measured and printed as `value`.  A row's result depends on that
 * row alone, to the bit.  Where the model has no answer (a missing input that
 * it does not treat), y is NaN. */
int asc_model_evaluate(const asc_model *m, enum asc_scale scale,
                       const double *x, size_t n, double *y,
                       struct asc_error *e);
/* The same by the source engine's own arithmetic: what asc-predict prints. */
int asc_model_predict(const asc_model *m, enum asc_scale scale,
                      const double *x, size_t n, double *y,
                      struct asc_error *e);
/* The output that wins a row: the largest, ties to the first.  y (n_outputs)
 * on either scale. */
size_t asc_model_winner(const asc_model *m, const double *y);
/* The output that would win without output `of`: the largest of the others,
 * ties to the first; n_outputs if there is none. */
size_t asc_model_rival(const asc_model *m, const double *y, size_t of);

/* A model whose output i is output of[i] of m less output against[i] on one
 * scale, and which is evaluated and explained on that scale only: what
 * contrastive explanations explain.  It borrows from m, which must live longer
 * and not change.  Fails where the two are one, and for a name that could be
 * read in two ways.  Output i is called OF-vs-AGAINST. */
asc_model *asc_model_contrast(const asc_model *m, enum asc_scale scale,
                              const size_t *of, const size_t *against,
                              size_t n, struct asc_error *e);
/* What an output's name means: *of is one of the model's (*against SIZE_MAX),
 * or the name is that of a contrast.  Returns the number of its meanings: 0
 * where it has none, and more than 1 for a name that no contrast can have. */
size_t asc_model_find_output(const asc_model *m, struct asc_text name,
                             size_t *of, size_t *against);

/* Writes a linear, network or ensemble model as PMML 4.4. */
int asc_model_write_pmml(const asc_model *m, struct asc_buffer *out,
                         struct asc_error *e);

#endif
