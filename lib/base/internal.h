/* base/internal.h -- what every room of the library may use of base beyond
 * the public <ascribe/base.h>: allocation, text, and the one door to BLAS. */
#ifndef ASCRIBE_BASE_INTERNAL_H
#define ASCRIBE_BASE_INTERNAL_H

#include <stdarg.h>
#include <stddef.h>

#include <ascribe/base.h>
#include <ascribe/error.h>

/* malloc and realloc of n elements of `size` bytes; NULL and an error of kind
 * ASC_ESYSTEM on overflow or exhaustion.  n = 0 gives a valid pointer. */
void *asci_alloc(size_t n, size_t size, struct asc_error *e);
void *asci_alloc_zero(size_t n, size_t size, struct asc_error *e);
void *asci_resize(void *p, size_t n, size_t size, struct asc_error *e);
char *asci_copy_text(const char *p, size_t n, struct asc_error *e);

/* Length of the UTF-8 character at p (RFC 3629), 0 if it is none. */
size_t asci_character(const unsigned char *p, const unsigned char *end);
/* Control characters, and bytes that are not UTF-8, become '?'. */
void asci_make_safe(char *text);

/* vsnprintf in the C locale, whatever the host has set. */
int asci_print(char *out, size_t size, const char *format, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* ---- matrix products whose rows do not depend on their place ----
 * One call multiplies m rows of a (m, k), row-major, by the transpose of
 * w (n, k): c (m, n) = a w' + bias, bias (n) or NULL.  Rows are padded with
 * zero rows to panels of ASCI_PANEL, never gemv, so that a row's bits do not
 * depend on m or on its place.  Products cost as much as whole panels do, so
 * blocks should be large, or a multiple of ASCI_PANEL rows. */
enum { ASCI_PANEL = 96 };
struct asci_weights;            /* w and bias, laid out once for products */
struct asci_weights *asci_weights_new(const double *w, const double *bias,
                                      size_t n, size_t k, struct asc_error *e);
void asci_weights_free(struct asci_weights *w);
size_t asci_weights_outputs(const struct asci_weights *w);      /* n */
size_t asci_weights_inputs(const struct asci_weights *w);       /* k */
/* (k, n) the weights that go out from each input. */
const double *asci_weights_turned(const struct asci_weights *w);
/* scratch: asci_product_scratch(w) doubles, 64-byte alignment not needed. */
size_t asci_product_scratch(const struct asci_weights *w);
/* c (m, n) = a (m, k) w' + bias */
void asci_product(const struct asci_weights *w, const double *a, size_t m,
                  double *c, double *scratch);
/* The way back: c (m, k) = a (m, n) w */
void asci_product_back(const struct asci_weights *w, const double *a, size_t m,
                       double *c, double *scratch);

/* ---- small dense algebra on LAPACK (row-major, in place) ---- */

/* Cholesky solve of the symmetric positive definite a (n, n), lower triangle,
 * for n_rhs right-hand sides b (n_rhs, n).  ASC_ENUMERIC if a is singular. */
int asci_solve_spd(double *a, size_t n, double *b, size_t n_rhs,
                   struct asc_error *e);

#endif
