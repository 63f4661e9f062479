/* model/form.h -- what a model is once its file format is forgotten.
 *
 * Readers and trainers fill these structures, evaluation, gradients, methods
 * and the PMML writer read them.  Nothing here is public.
 *
 *     raw fields x (d)  --encoder-->  columns (c)  --form-->  raw outputs (r)
 *     --outputs, link-->  outputs (k) on the raw or response scale
 */
#ifndef ASCRIBE_MODEL_FORM_H
#define ASCRIBE_MODEL_FORM_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/model.h>
#include "base/internal.h"

/* ---- encoder ---- */

enum asci_factor_kind {
    ASCI_FACTOR_NUMBER,         /* piecewise linear in a number, then a power */
    ASCI_FACTOR_TABLE,          /* a value for each category */
    ASCI_FACTOR_STEP            /* a value for each interval of a number */
};
enum asci_outliers {            /* beyond the first and last knot */
    ASCI_OUTLIERS_EXTEND,       /* go on along the outermost pieces */
    ASCI_OUTLIERS_CLAMP,        /* keep the outermost values */
    ASCI_OUTLIERS_MISSING       /* as if the field were missing */
};

enum asci_single {
    ASCI_SINGLE_NUMBER = 1,     /* the field's number, first */
    ASCI_SINGLE_RESULT = 2      /* what becomes of it, last */
};

struct asci_interval {
    double low, high;           /* -inf and inf allowed */
    int closed_low, closed_high;
    double value;
};

#define ASCI_ZERO ((double)1e-35f)

/* A function of one raw field. */
struct asci_factor {
    enum asci_factor_kind kind;
    size_t field;               /* of the model's schema */
    /* NUMBER: knots in rising order; none: the number itself */
    size_t n_knots;
    double *knot_x, *knot_y;    /* (n_knots) */
    enum asci_outliers outliers;
    int power;                  /* exponent, 1 as a rule */
    /* TABLE: n_categories + 1 values, the last for an undeclared category */
    size_t n_values;
    double *value;
    /* STEP: the first interval that holds the number gives the value */
    size_t n_intervals;
    struct asci_interval *interval;
    double other;               /* STEP: in no interval */
    double missing;             /* where the field is missing; NaN: the column
                                   is missing too */
    int single;                 /* enum asci_single bits: what is rounded to
                                   float */
    int zero_missing;           /* NUMBER: one within ASCI_ZERO of 0 is as if
                                   the field were missing (LightGBM's
                                   zero_as_missing) */
};

/* A column: scale times the product of its factors (one as a rule; none is a
 * constant; several are an interaction). */
struct asci_column {
    double scale;
    size_t n_factors;
    struct asci_factor *factor;
    char *name;                 /* of the derived field, for messages, or
                                   NULL */
};

struct asci_encoder {
    size_t n;
    struct asci_column *column; /* (n) */
};

/* columns (n, encoder->n) of the rows x (n, d). */
void asci_encode(const struct asci_encoder *en, size_t d, const double *x,
                 size_t n, double *columns);
/* The value of a factor, and its slope at v (0 for TABLE and STEP; at a knot
 * the piece to the right). */
double asci_factor_value(const struct asci_factor *f, double v);
double asci_factor_slope(const struct asci_factor *f, double v);
/* A column that is the field's number itself. */
int asci_column_identity(struct asci_column *c, size_t field,
                         struct asc_error *e);
/* A column that is 1 where a categorical field has this category, else 0;
 * `missing` where it is missing. */
int asci_column_indicator(struct asci_column *c, const struct asc_schema *s,
                          size_t field, size_t category, double missing,
                          struct asc_error *e);
void asci_encoder_free(struct asci_encoder *en);
/* 1 if column j is field j itself, for all of d fields. */
int asci_encoder_identity(const struct asci_encoder *en, size_t d);

/* ---- linear: r = w columns + b ---- */

struct asci_linear {
    size_t n_columns, n_raw;
    double *w;                  /* (n_raw, n_columns) */
    double *b;                  /* (n_raw) */
    int single;                 /* the source adds in float, beginning with
                                   b, one column after the other */
};

/* ---- network ---- */

enum asci_activation {
    ASCI_IDENTITY, ASCI_LOGISTIC, ASCI_TANH, ASCI_RELU, ASCI_THRESHOLD,
    ASCI_EXPONENTIAL, ASCI_RECIPROCAL, ASCI_SQUARE, ASCI_GAUSS, ASCI_SINE,
    ASCI_COSINE, ASCI_ELLIOTT, ASCI_ARCTAN
};

struct asci_layer {
    size_t n_in, n_out;
    double *w;                  /* (n_out, n_in) */
    double *b;                  /* (n_out) */
    enum asci_activation activation;
    double threshold;           /* ASCI_THRESHOLD: 1 above it */
    struct asci_weights *packed;        /* made by asci_model_finish */
};

struct asci_network {
    size_t n_columns, n_layers;
    struct asci_layer *layer;   /* the last one gives the raw outputs */
};

/* ---- ensemble of decision trees over columns ----
 * Every test looks at one column and has three ends: yes, no, missing.  Trees
 * with several branches or compound predicates are chains of such tests. */

enum asci_test {
    ASCI_LEAF,
    ASCI_LESS,                  /* column < threshold */
    ASCI_LESS_EQUAL,            /* column <= threshold */
    ASCI_EQUAL,                 /* column == threshold */
    ASCI_IN_SET                 /* bit column of the set; columns of categories
                                   hold their index */
};

struct asci_node {
    double threshold;
    uint32_t test;              /* enum asci_test */
    uint32_t column;            /* tests */
    uint32_t yes, no, missing;  /* nodes; missing is often yes or no again, and
                                   may be a leaf of its own */
    uint32_t leaf;              /* ASCI_LEAF: values begin at leaf * width */
    uint32_t set, set_bits;     /* ASCI_IN_SET: first word in the ensemble's
                                   `sets`, and how many bits count */
};

/* Leaves that are lines: constant + sum of coefficient * column; the leaf's
 * value where one of these columns is missing. */
struct asci_line {
    double constant;
    size_t first, n;            /* terms */
};

struct asci_lines {
    struct asci_line *leaf;     /* (n_leaves) */
    size_t n_terms;
    uint32_t *column;           /* (n_terms) */
    double *coefficient;        /* (n_terms) */
};

struct asci_tree {
    size_t n_nodes;             /* node 0 is the root; children come after
                                   their parents */
    struct asci_node *node;
    double *cover;              /* (n_nodes) training weight, NULL: unknown */
    size_t n_leaves, width;     /* values of a leaf ... */
    size_t first;               /* ... add to raw outputs first, ... */
    double *value;              /* (n_leaves, width); NaN: no answer */
    struct asci_lines *lines;   /* NULL: leaves are constants; else width is
                                   1 */
};

struct asci_ensemble {
    size_t n_columns, n_raw, n_trees;
    struct asci_tree *tree;
    uint64_t *sets;             /* bit sets of categories */
    size_t n_set_words;
    double scale;               /* r = base + scale * sum over trees */
    double *base;               /* (n_raw) */
    int single;                 /* the source adds in float: 1 the trees, then
                                   the base; 2 beginning with the base */
    size_t average;             /* the source divides the sum by this: scale is
                                   1 / average, base 0; 0: it does not */
    int has_lines;              /* set by finish: some tree has lines, so
                                   values of leaves are not all there is to
                                   it */
    void *compact;              /* evaluation layout, made by finish; NULL if
                                   there are lines */
};

/* ---- opaque: only values ---- */

struct asci_opaque {
    void *state;
    /* y (n, n_outputs) on the scale asked for */
    int (*evaluate)(const void *state, enum asc_scale scale, const double *x,
                    size_t n, double *y, struct asc_error *e);
    void (*free)(void *state);
};

/* ---- outputs ---- */

enum asci_link {                /* raw -> response, elementwise unless said */
    ASCI_LINK_NONE,
    ASCI_LINK_LOGIT, ASCI_LINK_PROBIT, ASCI_LINK_CLOGLOG, ASCI_LINK_LOGLOG,
    ASCI_LINK_CAUCHIT,
    ASCI_LINK_EXP,
    ASCI_LINK_SOFTMAX,          /* over all outputs */
    ASCI_LINK_SIMPLEMAX,        /* over all outputs: r / sum r */
    ASCI_LINK_STEP,             /* 1 above 0, else 0 */
    ASCI_LINK_SIGNED_SQUARE,    /* r |r| */
    ASCI_LINK_SOFTPLUS,         /* log(1 + exp(r)) */
    ASCI_LINK_CONTRAST,         /* differences of the outputs of `whole` */
    ASCI_LINK_VARIANCE,         /* exp(2 r), a variance; the first output is
                                   a mean without a link */
    ASCI_LINK_SORTED,           /* all outputs in rising order */
    ASCI_LINK_RISING            /* each the one before and a positive step,
                                   softplus(r) + 1e-6; the first is r */
};

/* "logit": where PMML has it, the name is that of PMML's normalizationMethod.
 * In output.c, with the links themselves. */
const char *asci_link_name(enum asci_link link);

/* Output k on the raw scale is sign * r[raw].  The second of two classes that
 * share one raw output has sign -1, and the complement as its response. */
struct asci_output {
    char *name;                 /* class, or target */
    size_t raw;
    double sign;                /* 1 or -1 */
    int complement;             /* response = 1 - g(r[raw]); without a link
                                   raw is that, too */
};

/* What Targets do after the link, in the order that PMML prescribes: y clamped
 * to min..max, then factor * y + constant, then rounded to a whole number. */
struct asci_rescale {
    double factor, constant, min, max;
    int cast;                   /* 0 none, 1 round, 2 ceiling, 3 floor */
};

/* ---- statistics of the training table, for the writer ---- */

struct asci_field_stats {
    double n, n_missing;        /* sums of weights */
    double mean, sd, min, max, median, lower_quartile, upper_quartile;
    double *count;              /* (n_categories), categorical fields */
};

struct asc_model {
    char *name;                 /* where it came from, for messages */
    char *format;               /* what it was read from, as "PMML 4.4": set by
                                   every reader, asci_model_set_format; NULL:
                                   made in memory */
    char digest[ASC_DIGEST_MAX];
    struct asc_schema schema;
    char *target;               /* or NULL */
    int classifier, has_probabilities;
    size_t n_outputs, n_raw;
    struct asci_output *output; /* (n_outputs) */
    enum asci_link link;
    double link_factor;         /* elementwise links are of this times the raw
                                   scale (LightGBM's sigmoid); 1 as a rule */
    int plain_link;             /* the source writes logit and softplus as their
                                   formulas are, by exp(), and a complement as
                                   1 less the other */
    struct asci_rescale *rescale;       /* one, for regression; or NULL */
    struct asci_encoder encoder;        /* unused by ASC_FORM_OPAQUE */
    int identity;               /* set by finish: the columns are the fields
                                   themselves, encoding would only copy */
    enum asc_form form;
    union {
        struct asci_linear linear;
        struct asci_network network;
        struct asci_ensemble ensemble;
        struct asci_opaque opaque;
    } u;
    struct asci_field_stats *stats;     /* (schema.n) or NULL */
    char *description;          /* algorithm and objective as the source names
                                   them, or NULL */
    /* of a contrast (contrast.c), else NULL: output i is output of[i] of the
     * whole model less output against[i] */
    const struct asc_model *whole;
    size_t *of, *against;       /* (n_outputs) */
};

/* A model with nothing in it; the factor of its link is 1. */
asc_model *asci_model_new(const char *name, struct asc_error *e);
/* Says what the model was read from: format and version, as "XGBoost JSON
 * 3.4.1".  Cut at 80 bytes; control characters become '?'. */
int asci_model_set_format(asc_model *m, struct asc_error *e,
                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Checks sizes and indexes, packs weights, lays trees out for evaluation.  To
 * be called once, when reader or trainer has filled the model. */
int asci_model_finish(asc_model *m, struct asc_error *e);

/* Where there is no link and the rescaling is affine (no clamp, no cast),
 * takes it into the weights of the form, so that raw and response are equal,
 * and drops it; else leaves the model as it is.  To be called before
 * asci_model_finish. */
void asci_model_fold_rescale(asc_model *m);

/* ---- what methods use of a form ---- */

/* r (n, n_raw) of encoded columns (n, encoder.n): linear, network, ensemble. */
int asci_form_raw(const asc_model *m, const double *columns, size_t n,
                  double *r, struct asc_error *e);
/* y (n, n_outputs) of raw outputs (n, n_raw). */
void asci_outputs(const asc_model *m, enum asc_scale scale, const double *r,
                  size_t n, double *y);
/* The slopes s (n_raw) of output k of one row at raw outputs r (n_raw). */
void asci_output_slopes(const asc_model *m, enum asc_scale scale,
                        const double *r, size_t k, double *s);
/* a = activation(z) in place, elementwise; slope (n, may be NULL) gets the
 * derivative at z. */
void asci_activate(const struct asci_layer *layer, double *z, size_t n,
                   double *slope);
/* The value y (n) of output[i] of row i, and its gradient g (n, encoder.n)
 * with respect to the columns.  Linear and network forms; others fail with
 * ASC_EUSAGE.  At a kink of ReLU or of a clamp the slope is 0, as in the
 * frameworks that train networks; where y is NaN so is g. */
int asci_form_gradient(const asc_model *m, enum asc_scale scale,
                       const double *columns, size_t n, const size_t *output,
                       double *y, double *g, struct asc_error *e);
/* Mean gradients along straight lines of columns, exact: of linear models and
 * of networks that are piecewise linear up to the sums of the last layer.
 * What is made by new may be used by several threads at once. */
int asci_form_has_rays(const asc_model *m);
struct asci_rays;
struct asci_rays *asci_rays_new(const asc_model *m, enum asc_scale scale,
                                struct asc_error *e);
void asci_rays_free(struct asci_rays *r);
/* g (n, q, encoder.n): of output (n, q), from (encoder.n) to (n, encoder.n);
 * NaN where a column is. */
int asci_rays_run(const struct asci_rays *r, const double *from,
                  const double *to, size_t n, const size_t *output, size_t q,
                  double *g, struct asc_error *e);
/* The raw outputs r (n, n_raw) of a network whose first layer's sums (weights
 * and bias applied, activation not yet) are z (n, n_out), which are
 * overwritten; scratch of asci_network_scratch(f, n) doubles. */
size_t asci_network_scratch(const struct asci_network *f, size_t rows);
void asci_network_rest(const struct asci_network *f, double *z, size_t n,
                       double *r, double *scratch);
/* Frees what a tree owns. */
void asci_tree_free(struct asci_tree *t);
/* asci_ensemble covers are all known. */
int asci_ensemble_has_covers(const struct asci_ensemble *en);
/* Covers from rows (n, d) of a background, as new trees' arrays
 * cover[n_trees][n_nodes], one allocation freed with free(). */
double **asci_ensemble_covers(const asc_model *m, const double *x, size_t n,
                              struct asc_error *e);

/* Readers: one for each format, recognised by content. */
asc_model *asci_pmml_read(const char *path, const char *bytes, size_t n,
                          struct asc_error *e);
asc_model *asci_command_read(const char *spec,
                             const struct asc_model_options *o,
                             struct asc_error *e);

#endif
