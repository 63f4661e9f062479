/* base/blas.c -- the one door to BLAS and LAPACK.
 *
 * OpenBLAS picks kernels by the sizes of a product and cuts the matrices into
 * tiles, and tiles of different shapes may round differently.  So every
 * product here is of one fixed height: ASCI_PANEL rows, the last ones zero.  96
 * is a multiple of the tile heights of all kernels (2, 4, 6, 8, 12, 16, 24,
 * 48): a panel is cut into equal tiles.  64 is not enough: the AVX-512 kernels
 * cut it into 24 + 24 + 16 rows, and the 16 come out with other bits.  A test
 * proves it on every kernel that the processor can run.
 *
 * Both ways multiply row-major matrices neither of which is transposed, for
 * which OpenBLAS has kernels for small matrices that need no packing; hence
 * the weights are kept in both orders.  40 to 55 GFlop/s on a 2.6 GHz Zen 4
 * core with AVX-512, 30 to 40 with AVX2, for 14 to 128 inputs and 30 to 128
 * outputs; 5 to 20 for one output. */
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "base/internal.h"

/* Sizes of one side; that of OpenBLAS's integers, with room to spare. */
enum { LARGEST = 1 << 24 };

/* Debian's OpenBLAS comes without lapacke.h.  The last argument is the length
 * of the text. */
extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda,
                    int *info, size_t n_uplo);
extern void dpotrs_(const char *uplo, const int *n, const int *n_rhs,
                    const double *a, const int *lda, double *b,
                    const int *ldb, int *info, size_t n_uplo);

struct asci_weights {
    size_t n, k;
    double *w;                  /* (n, k) */
    double *turned;             /* (k, n) */
    double *bias;               /* (n), or NULL */
};

struct asci_weights *
asci_weights_new(const double *w, const double *bias, size_t n, size_t k,
                 struct asc_error *e)
{
    struct asci_weights *p = NULL;
    size_t i, j;

    if (n > LARGEST || k > LARGEST) {
        asc_fail(e, ASC_ESYSTEM, "a matrix of %zu by %zu is too large", n, k);
        return NULL;
    }
    p = asci_alloc_zero(1, sizeof *p, e);
    if (!p)
        return NULL;
    p->n = n;
    p->k = k;
    p->w = asci_alloc(n * k, sizeof *p->w, e);
    p->turned = p->w ? asci_alloc(n * k, sizeof *p->turned, e) : NULL;
    if (!p->turned)
        goto bad;
    for (i = 0; i < n; i++)
        for (j = 0; j < k; j++)
            p->turned[j * n + i] = p->w[i * k + j] = w[i * k + j];
    if (bias) {
        p->bias = asci_alloc(n, sizeof *p->bias, e);
        if (!p->bias)
            goto bad;
        memcpy(p->bias, bias, n * sizeof *bias);
    }
    return p;
bad:
    asci_weights_free(p);
    return NULL;
}

void
asci_weights_free(struct asci_weights *w)
{
    if (!w)
        return;
    free(w->bias);
    free(w->turned);
    free(w->w);
    free(w);
}

size_t
asci_weights_outputs(const struct asci_weights *w)
{
    return w->n;
}

size_t
asci_weights_inputs(const struct asci_weights *w)
{
    return w->k;
}

const double *
asci_weights_turned(const struct asci_weights *w)
{
    return w->turned;
}

size_t
asci_product_scratch(const struct asci_weights *w)
{
    return ASCI_PANEL * (w->n + w->k);
}

/* c (ASCI_PANEL, n_out) = a (ASCI_PANEL, n_in) w (n_in, n_out) + bias */
static void
panel(const double *a, size_t n_in, const double *w, size_t n_out,
      const double *bias, double *c)
{
    size_t i, j;

    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, ASCI_PANEL,
                (int)n_out, (int)n_in, 1.0, a, (int)n_in, w, (int)n_out, 0.0,
                c, (int)n_out);
    if (bias)
        for (i = 0; i < ASCI_PANEL; i++)
            for (j = 0; j < n_out; j++)
                c[i * n_out + j] += bias[j];
}

/* c (m, n_out) = a (m, n_in) w (n_in, n_out) + bias */
static void
product(const double *a, size_t m, size_t n_in, const double *w, size_t n_out,
        const double *bias, double *c, double *scratch)
{
    double *last_a = scratch, *last_c = scratch + ASCI_PANEL * n_in;
    size_t i, j;

    if (n_out == 0)
        return;
    if (n_in == 0) {
        for (i = 0; i < m; i++)
            for (j = 0; j < n_out; j++)
                c[i * n_out + j] = bias ? bias[j] : 0.0;
        return;
    }
    for (i = 0; m - i >= ASCI_PANEL; i += ASCI_PANEL)
        panel(a + i * n_in, n_in, w, n_out, bias, c + i * n_out);
    if (i < m) {
        memcpy(last_a, a + i * n_in, (m - i) * n_in * sizeof *a);
        memset(last_a + (m - i) * n_in, 0,
               (ASCI_PANEL - (m - i)) * n_in * sizeof *a);
        panel(last_a, n_in, w, n_out, bias, last_c);
        memcpy(c + i * n_out, last_c, (m - i) * n_out * sizeof *c);
    }
}

void
asci_product(const struct asci_weights *w, const double *a, size_t m,
             double *c, double *scratch)
{
    product(a, m, w->k, w->turned, w->n, w->bias, c, scratch);
}

void
asci_product_back(const struct asci_weights *w, const double *a, size_t m,
                  double *c, double *scratch)
{
    product(a, m, w->n, w->w, w->k, NULL, c, scratch);
}

int
asci_solve_spd(double *a, size_t n, double *b, size_t n_rhs,
               struct asc_error *e)
{
    const int order = (int)n, rhs = (int)n_rhs;
    int info;

    /* The lower triangle by rows is the upper one by columns. */
    if (n == 0 || n_rhs == 0)
        return ASC_OK;
    dpotrf_("U", &order, a, &order, &info, 1);
    if (info != 0)
        return asc_fail(e, ASC_ENUMERIC, "a system of %zu equations is "
                        "singular: equation %d adds nothing to those before "
                        "it", n, info);
    dpotrs_("U", &order, &rhs, a, &order, b, &order, &info, 1);
    return ASC_OK;
}

const char *
asc_blas_kernel(void)
{
    return openblas_get_corename();
}

void
asc_blas_threads(int n)
{
    openblas_set_num_threads(n);
}
