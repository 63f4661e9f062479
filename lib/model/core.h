/* model/core.h -- what the files of the model core share among themselves.
 * The rest of the library includes model/form.h. */
#ifndef ASCRIBE_MODEL_CORE_H
#define ASCRIBE_MODEL_CORE_H

#include "model/form.h"

/* Rows that go through a form together: what a layer of a network or the
 * columns of an ensemble need of them stays in the cache.  Whole panels of a
 * product (base/blas.c) and whole vectors of ensemble_run.c. */
enum { ASCI_BLOCK = 288 };

/* Whether this processor has the instructions for which there are second
 * copies of inner loops.  Both copies give the same bits. */
static inline int
asci_has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2");
#else
    return 0;
#endif
}

/* encoder.c: one column, out[i * stride], i = 0..n-1, of rows x (n, d). */
void asci_encode_column(const struct asci_column *c, size_t d,
                        const double *x, size_t n, double *out,
                        size_t stride);

/* r (n, n_raw) of columns (n, encoder.n), n up to asci_raw_rows(), which is
 * ASCI_BLOCK or more; scratch of asci_raw_scratch(m, n) doubles.  source: with
 * the float sums, or the division, of the source engine, where it has them. */
size_t asci_raw_rows(const asc_model *m);
size_t asci_raw_scratch(const asc_model *m, size_t rows);
void asci_raw_block(const asc_model *m, const double *columns, size_t n,
                    double *r, double *scratch, int source);

/* linear.c */
void asci_linear_raw(const struct asci_linear *f, const double *columns,
                     size_t n, double *r);
/* The same by the source's float sums. */
void asci_linear_single(const struct asci_linear *f, const double *columns,
                        size_t n, double *r);

/* network.c (more in form.h); scratch of asci_network_scratch(f, n) doubles.
 * slope (may be NULL) gets the derivatives of all activations: (n, n_out) of
 * each layer, one layer after the other. */
void asci_network_raw(const struct asci_network *f, const double *columns,
                      size_t n, double *r, double *slope, double *scratch);
/* g (n, n_columns) of s = dy / dr (n, n_raw), which is overwritten. */
void asci_network_back(const struct asci_network *f, double *s, size_t n,
                       const double *slope, double *g, double *scratch);
/* v = 1 / (1 + exp(-v)), elementwise. */
void asci_logistic(double *v, size_t n);

/* ensemble.c: the node to which v leads from the inner node p. */
uint32_t asci_next_node(const struct asci_ensemble *f,
                        const struct asci_node *p, double v);

/* ensemble_pack.c, ensemble_run.c: the evaluation layout is made from the
 * trees by asci_model_finish. */
int asci_ensemble_pack(struct asci_ensemble *f, struct asc_error *e);
void asci_ensemble_unpack(struct asci_ensemble *f);
size_t asci_ensemble_block(const struct asci_ensemble *f);
size_t asci_ensemble_scratch(const struct asci_ensemble *f);
/* Rows as an ensemble takes them: columns, or fields to be encoded, which is
 * done column by column on the way. */
struct asci_cells {
    const double *x;            /* (n, width) */
    size_t width;
    const struct asci_encoder *encoder; /* NULL: they are columns */
};
void asci_ensemble_raw(const struct asci_ensemble *f,
                       const struct asci_cells *in, size_t n, double *r,
                       double *scratch, int single);

/* ensemble_lines.c: the same where some tree has lines.  n up to
 * ASCI_BLOCK. */
void asci_lines_raw(const struct asci_ensemble *f, const double *columns,
                    size_t n, double *r);

/* output.c: asci_outputs by the source engine's own arithmetic. */
void asci_outputs_source(const asc_model *m, enum asc_scale scale,
                         const double *r, size_t n, double *y);
/* output.c: */
/* 1 if a link needs all raw outputs for one. */
int asci_outputs_joint(const asc_model *m);
/* The raw outputs, one or two, of which output k is a sum of functions of one
 * each; 0 if a joint link makes it one of all. */
size_t asci_output_parts(const asc_model *m, enum asc_scale scale, size_t k,
                         size_t raw[2]);

/* top.c, where z (n_raw) are the sums of the last layer of a network, or the
 * raw outputs of another form: 1 if all outputs are linear in z; */
int asci_top_is_linear(const asc_model *m, enum asc_scale scale);
/* s (n_raw): mean slopes of output k on the straight way from z0 to z1.  room:
 * asci_top_room(m) doubles. */
size_t asci_top_room(const asc_model *m);
void asci_top_slopes(const asc_model *m, enum asc_scale scale, size_t k,
                     const double *z0, const double *z1, double *s,
                     double *room);

/* contrast.c: frees a contrast, not what it borrows. */
void asci_contrast_free(asc_model *m);

/* encoder.c: free what a column, a factor owns. */
void asci_column_free(struct asci_column *c);
void asci_factor_free(struct asci_factor *f);

#endif
