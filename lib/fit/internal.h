/* fit/internal.h -- what the trainers share: an order of rows that the file's
 * order does not show in, statistics of fields, the model around a form, and
 * the design matrix of the linear trainers. */
#ifndef ASCRIBE_FIT_INTERNAL_H
#define ASCRIBE_FIT_INTERNAL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include <ascribe/fit.h>
#include "base/internal.h"
#include "model/form.h"

/* Array sizes are products of counts from the table: these bounds keep them
 * far from overflow and say so in one line instead of running out of memory. */
enum { ASCI_FIT_COLUMNS_MAX = 5000 };

static inline double
asci_fit_weight(const struct asc_training *t, size_t i)
{
    return t->weight ? t->weight[i] : 1.0;
}

/* The rows of positive weight, in an order that depends on their ids alone
 * (by asc_hash of the id, then its bytes): order (t->n), *n of them.  Every
 * trainer sums in this order, so that a table with ids gives the same model
 * whatever the order of its lines. */
int asci_fit_order(const struct asc_training *t, size_t *order, size_t *n,
                   struct asc_error *e);

/* The same rows in the order of a draw keyed by seed, purpose and their ids:
 * row (t->n).  The first *n_held of them, a share of them all, but never all,
 * are to be held out. */
int asci_fit_hold_out(const struct asc_training *t, uint64_t seed,
                      const char *purpose, double share, size_t *row,
                      size_t *n, size_t *n_held, struct asc_error *e);

/* Weighted statistics of each field: (schema.n), freed with
 * asci_fit_stats_free. */
struct asci_field_stats *asci_fit_stats(const struct asc_training *t,
                                        struct asc_error *e);
void asci_fit_stats_free(struct asci_field_stats *s, size_t n);

/* A model with schema, target, outputs, link, statistics and description;
 * encoder and form are left to the trainer.
 *     regression      one raw output, no link
 *     two classes     one raw output, the log odds of the second class
 *     more classes    one raw output a class, softmax
 * impute: missing values are replaced, by the mean or the commonest category;
 * else they stay missing. */
asc_model *asci_fit_model(const struct asc_training *t,
                          const struct asc_spec *s, int impute,
                          struct asc_error *e);
/* Refuses a table that no trainer can use, and, if `wants` is the other kind
 * of target, one that this trainer cannot. */
enum asci_fit_wants { ASCI_WANTS_ANY, ASCI_WANTS_NUMBER, ASCI_WANTS_CLASS };
int asci_fit_check(const struct asc_training *t, const struct asc_spec *s,
                   enum asci_fit_wants wants, struct asc_error *e);

/* Tells whoever listens, how may be NULL. */
void asci_fit_say(const struct asc_fitting *how, int detail,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Field j of row i with the model's replacement for a missing value. */
static inline double
asci_fit_value(const struct asc_training *t, const asc_model *m, size_t i,
               size_t j)
{
    const double v = t->x[i * t->schema.n + j];

    return isnan(v) ? m->schema.field[j].replacement : v;
}

/* Halfway between the values on either side, above the lower one: the test is
 * x < threshold. */
static inline double
asci_fit_halfway(double low, double high)
{
    const double t = 0.5 * low + 0.5 * high;

    return t > low ? t : high;
}

/* ---- the design matrix of the linear trainers ----
 * Column 0 is the intercept; a continuous field is one column, centred and in
 * units of its standard deviation (0 throughout if it is constant); a
 * categorical field is one column for each category but the first, 1 where
 * the field has it.  Rows are made when they are needed: at most
 * schema.n + 1 entries, columns rising. */
struct asci_design {
    const struct asc_training *t;
    const asc_model *m;         /* replacements and statistics */
    size_t n, p;                /* rows of positive weight, columns */
    size_t *order;              /* (n) */
    size_t *first;              /* (schema.n) first column of a field */
    double *mean, *step;        /* (schema.n) column = (x - mean) / step;
                                   step 0: constant */
};
int asci_design_init(struct asci_design *d, const struct asc_training *t,
                     const asc_model *m, struct asc_error *e);
void asci_design_matrix_free(struct asci_design *d);
/* Entries of row i of the table: column, value (schema.n + 1); how many. */
size_t asci_design_row(const struct asci_design *d, size_t i,
                       size_t *column, double *value);
/* gram (p, p), lower triangle: sum over rows of weight * row' row. */
int asci_design_gram(const struct asci_design *d, double *gram,
                     struct asc_error *e);
/* Cholesky factor, in place in the lower triangle, of the symmetric a (p, p).
 * A column that is a combination of those before it (a pivot of at most 1e-11
 * of its diagonal) is passed over: alias[j] = 1, and it takes no part in
 * asci_design_solve, which sets its solution to 0. */
void asci_design_factor(double *a, size_t p, unsigned char *alias);
void asci_design_solve(const double *a, size_t p, const unsigned char *alias,
                       double *b);
/* Columns of the encoder for the design's columns 1..p-1, and weights on the
 * raw scale from coefficients beta (n_raw, p): fills encoder and form. */
int asci_design_model(const struct asci_design *d, const double *beta,
                      asc_model *m, struct asc_error *e);

/* ---- parts of trainers that the tests look into ---- */

/* Penalised maximum likelihood: beta (n_raw, p) minimises
 *     sum_i w_i loss(y_i, x_i beta) + ridge / 2 * sum of slopes^2
 * n_raw = 1: y in {0, 1}, logistic loss.  n_raw > 1: y a class, softmax. */
int asci_logistic_solve(const struct asci_design *d, size_t n_raw,
                        double ridge, double *beta, struct asc_error *e);

/* A network under training: theta holds, layer by layer, weights
 * (n_in, n_out) and biases (n_out). */
enum { ASCI_MLP_LAYERS_MAX = 9 };
enum asci_mlp_loss { ASCI_MLP_SQUARED, ASCI_MLP_LOGISTIC, ASCI_MLP_SOFTMAX };
struct asci_mlp {
    size_t n_layers;
    size_t size[ASCI_MLP_LAYERS_MAX + 1];
    enum asci_activation activation;
    enum asci_mlp_loss loss;
    size_t n_theta;
    size_t capacity;            /* rows that the work space holds */
    double *theta;
    double *gradient;           /* (n_theta) */
    double *work;
};
int asci_mlp_init(struct asci_mlp *m, const size_t *size, size_t n_layers,
                  enum asci_activation activation, enum asci_mlp_loss loss,
                  size_t capacity, struct asc_error *e);
void asci_mlp_free(struct asci_mlp *m);
/* Sum over m <= capacity rows x (m, size[0]) of weight[i] * loss(y[i]), and,
 * if wanted, its gradient with respect to theta in n->gradient.  Squared loss
 * is (f - y)^2 / 2. */
double asci_mlp_pass(struct asci_mlp *n, const double *x, const double *y,
                     const double *weight, size_t m, int gradient);

/* The values of a field sorted into bins: code b < n_bins holds the values
 * low[b]..high[b] (categories: b itself), code n_bins the missing ones. */
struct asci_bins {
    int categorical;
    size_t n_bins;
    double *low, *high;         /* (n_bins), continuous fields */
    unsigned char *narrow;      /* (n) codes, if n_bins < 256 ... */
    uint16_t *wide;             /* ... else (n) here */
};
/* Codes of field j of the rows order[0..n-1], at most max_bins bins of about
 * equal weight for continuous fields. */
int asci_bins_init(struct asci_bins *b, const struct asc_training *t,
                   size_t j, const size_t *order, size_t n, size_t max_bins,
                   struct asc_error *e);
void asci_bins_free(struct asci_bins *b);

#endif
