/* test_blas.c -- products are right, and a row's bits do not depend on its
 * place: for every kernel that OpenBLAS offers and this processor runs.
 *
 * OpenBLAS chooses its kernel when it is loaded, so the program runs itself
 * again with OPENBLAS_CORETYPE set, once for each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/internal.h"

enum { PASSED = 0, DIFFERS = 1, NOT_OFFERED = 77 };

static const char *self;        /* this program */

static const char *const kernels[] = {
    "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Sandybridge",
    "Haswell", "SkylakeX", "Cooperlake", "Sapphirerapids", "Atom", "Nano",
    "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat", "Bulldozer",
    "Piledriver", "Steamroller", "Excavator", "Zen",
    /* other processors than x86-64 */
    "ARMV8", "CORTEXA53", "CORTEXA57", "NEOVERSEN1", "NEOVERSEV1",
    "NEOVERSEN2", "THUNDERX2T99", "POWER8", "POWER9", "POWER10", "Z13", "Z14"
};

static uint64_t state = 1;

static uint64_t
bits64(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double
draw(void)
{
    return ldexp((double)(bits64() >> 11) * 0x1p-53 - 0.5,
                 (int)(bits64() % 12) - 4);
}

/* ---- the checks, in the child: they return 0 and say what differs ---- */

struct shape {
    size_t n_in, n_out;
    int back;
};

struct product {
    struct shape s;
    double *w;                  /* as asci_weights_new takes it */
    double *bias;               /* (n_out), not for the way back */
    struct asci_weights *packed;
    double *scratch;
};

static void *
get(size_t n)
{
    double *p = calloc(n ? n : 1, sizeof *p);

    if (!p)
        abort();
    return p;
}

static void
start(struct product *p, struct shape s)
{
    const size_t n = s.back ? s.n_in : s.n_out, k = s.back ? s.n_out : s.n_in;
    struct asc_error e;
    size_t i;

    p->s = s;
    p->w = get(n * k);
    p->bias = get(n);
    for (i = 0; i < n * k; i++)
        p->w[i] = draw();
    for (i = 0; i < n; i++)
        p->bias[i] = draw();
    p->packed = asci_weights_new(p->w, bits64() & 1 ? p->bias : NULL, n, k,
                                 &e);
    if (!p->packed)
        abort();
    p->scratch = get(asci_product_scratch(p->packed));
}

static void
end(struct product *p)
{
    free(p->scratch);
    asci_weights_free(p->packed);
    free(p->bias);
    free(p->w);
}

static void
multiply(const struct product *p, const double *a, size_t m, double *c)
{
    if (p->s.back)
        asci_product_back(p->packed, a, m, c, p->scratch);
    else
        asci_product(p->packed, a, m, c, p->scratch);
}

static int
complain(const struct product *p, const char *what, size_t row, size_t m)
{
    fprintf(stderr, "# %s: %s, %zu inputs, %zu outputs%s: row %zu of %zu\n",
            asc_blas_kernel(), what, p->s.n_in, p->s.n_out,
            p->s.back ? " (back)" : "", row, m);
    return 0;
}

/* The largest error that any order of summing can make is n eps sum |a w|. */
static int
right(const struct product *p)
{
    const size_t n_in = p->s.n_in, n_out = p->s.n_out, m = 5;
    struct asci_weights *plain;
    double *a = get(m * n_in), *c = get(m * n_out);
    struct asc_error e;
    size_t i, j, k;
    int ok = 1;

    for (i = 0; i < m * n_in; i++)
        a[i] = draw();
    plain = asci_weights_new(p->w, p->s.back ? NULL : p->bias,
                             p->s.back ? n_in : n_out,
                             p->s.back ? n_out : n_in, &e);
    if (!plain)
        abort();
    if (p->s.back)
        asci_product_back(plain, a, m, c, p->scratch);
    else
        asci_product(plain, a, m, c, p->scratch);
    for (i = 0; i < m && ok; i++)
        for (j = 0; j < n_out && ok; j++) {
            long double sum = p->s.back ? 0.0L : p->bias[j];
            long double size = fabsl(sum);

            for (k = 0; k < n_in; k++) {
                long double t = (long double)a[i * n_in + k]
                                * (p->s.back ? p->w[k * n_out + j]
                                             : p->w[j * n_in + k]);

                sum += t;
                size += fabsl(t);
            }
            if (!(fabsl(c[i * n_out + j] - sum)
                  <= (long double)(n_in + 2) * DBL_EPSILON * size))
                ok = complain(p, "wrong", i, m);
        }
    asci_weights_free(plain);
    free(c);
    free(a);
    return ok;
}

/* Rows r among all sorts of neighbours, at all sorts of places, from any
 * address, against each of them alone. */
static int
among_others(const struct product *p, size_t n_alone)
{
    enum { ROWS = ASCI_PANEL + 7 };
    static const size_t blocks[] = { 2, 3, 7, 8, 16, 24, 31, 48, 64, 65, 95,
                                     96, 97, 128, 192, 193, 300 };
    const size_t n_in = p->s.n_in, n_out = p->s.n_out;
    double *rows = get(ROWS * n_in), *alone = get(ROWS * n_out);
    double *a = get(301 * n_in + 1), *c = get(301 * n_out + 1);
    size_t b, i, m, shift, from_a, from_c;
    int ok = 1;

    for (i = 0; i < ROWS * n_in; i++)
        rows[i] = draw();
    /* What is in other rows must not matter even if it is no number. */
    for (i = 0; i < n_in; i++)
        rows[(ROWS - 1) * n_in + i] = i % 2 ? NAN : INFINITY;
    for (i = 0; i < n_alone; i++)
        multiply(p, rows + i * n_in, 1, alone + i * n_out);
    for (b = 0; b < sizeof blocks / sizeof *blocks && ok; b++) {
        m = blocks[b];
        shift = (size_t)(bits64() % ROWS);
        from_a = (size_t)(bits64() & 1);
        from_c = (size_t)(bits64() & 1);
        for (i = 0; i < m; i++)
            memcpy(a + from_a + i * n_in, rows + (i + shift) % ROWS * n_in,
                   n_in * sizeof *a);
        multiply(p, a + from_a, m, c + from_c);
        for (i = 0; i < m && ok; i++)
            if ((i + shift) % ROWS < n_alone
                && memcmp(c + from_c + i * n_out,
                          alone + (i + shift) % ROWS * n_out,
                          n_out * sizeof *c) != 0)
                ok = complain(p, "a row differs from itself alone", i, m);
    }
    free(c);
    free(a);
    free(alone);
    free(rows);
    return ok;
}

/* One row at every place of a panel at once. */
static int
everywhere(const struct product *p)
{
    const size_t n_in = p->s.n_in, n_out = p->s.n_out;
    double *a = get(ASCI_PANEL * n_in), *c = get(ASCI_PANEL * n_out);
    size_t i;
    int ok = 1;

    for (i = 0; i < n_in; i++)
        a[i] = draw();
    for (i = 1; i < ASCI_PANEL; i++)
        memcpy(a + i * n_in, a, n_in * sizeof *a);
    multiply(p, a, ASCI_PANEL, c);
    for (i = 1; i < ASCI_PANEL && ok; i++)
        if (memcmp(c, c + i * n_out, n_out * sizeof *c) != 0)
            ok = complain(p, "a row differs from place to place", i,
                          ASCI_PANEL);
    free(c);
    free(a);
    return ok;
}

static int
check_shape(struct shape s, int thorough)
{
    struct product p;
    int ok;

    start(&p, s);
    ok = everywhere(&p) && everywhere(&p) && right(&p)
         && (!thorough || among_others(&p, s.n_in * s.n_out < 3000
                                           ? ASCI_PANEL + 6 : 9));
    end(&p);
    return ok;
}

static int
check_kernel(const char *kernel)
{
    static const struct shape usual[] = {
        { 14, 64, 0 }, { 64, 64, 0 }, { 64, 1, 0 }, { 128, 128, 0 },
        { 30, 128, 0 }, { 1, 1, 0 }, { 1, 70, 0 }, { 700, 3, 0 },
        { 1500, 33, 0 }, { 100, 500, 0 }, { 17, 1, 0 }, { 0, 4, 0 },
        { 14, 64, 1 }, { 64, 14, 1 }, { 1, 64, 1 }, { 128, 128, 1 },
        { 600, 41, 1 }, { 0, 4, 1 }
    };
    size_t i;

    asc_blas_threads(1);
    if (kernel && strcasecmp(kernel, asc_blas_kernel()) != 0)
        return NOT_OFFERED;
    for (i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!check_shape(usual[i], 1))
            return DIFFERS;
    /* Each number of outputs meets the kernels' edges in another way. */
    for (i = 1; i <= 72; i++) {
        struct shape s = { 1 + (size_t)(bits64() % 60), i, (int)(i & 1) };

        if (!check_shape(s, i % 8 == 0))
            return DIFFERS;
    }
    for (i = 0; i < 40; i++) {
        struct shape s = {
            1 + (size_t)(bits64() % (i % 8 ? 80 : 1000)),
            1 + (size_t)(bits64() % (i % 5 ? 70 : 300)), (int)(bits64() & 1)
        };

        if (!check_shape(s, i % 4 == 0))
            return DIFFERS;
    }
    return PASSED;
}

/* ---- the tests ---- */

/* A sanitizer must not turn the signal of an unknown instruction into an exit
 * status. */
static void
leave_sigill(const char *variable)
{
    const char *options = getenv(variable);
    char text[1000];

    snprintf(text, sizeof text, "%s%shandle_sigill=0", options ? options : "",
             options ? ":" : "");
    setenv(variable, text, 1);
}

static void
test_this_kernel(void **unused)
{
    (void)unused;
    print_message("# the kernel of this processor is %s\n",
                  asc_blas_kernel());
    assert_int_equal(check_kernel(NULL), PASSED);
}

static void
test_every_kernel(void **unused)
{
    int status, n_passed = 0, n_failed = 0;
    size_t i;
    pid_t child;

    (void)unused;
    for (i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        fflush(NULL);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            setenv("OPENBLAS_CORETYPE", kernels[i], 1);
            setenv("OPENBLAS_NUM_THREADS", "1", 1);
            leave_sigill("ASAN_OPTIONS");
            leave_sigill("UBSAN_OPTIONS");
            leave_sigill("TSAN_OPTIONS");
            execl(self, self, "--kernel", kernels[i], (char *)NULL);
            _exit(126);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGILL) {
            print_message("# %s: not run by this processor\n", kernels[i]);
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == PASSED) {
            print_message("# %s: proved\n", kernels[i]);
            n_passed++;
        } else if (!WIFEXITED(status)
                   || WEXITSTATUS(status) != NOT_OFFERED) {
            print_message("# %s: FAILED, status %d\n", kernels[i], status);
            n_failed++;
        }
    }
    assert_int_equal(n_failed, 0);
    print_message("# %d kernels proved\n", n_passed);
}

static void
test_solve(void **unused)
{
    enum { N = 30, RHS = 3 };
    static double b[N][N], a[N][N], x[RHS][N], y[RHS][N];
    struct asc_error e;
    size_t i, j, k;

    (void)unused;
    for (i = 0; i < N; i++)
        for (j = 0; j < N; j++)
            b[i][j] = draw();
    for (i = 0; i < N; i++)
        for (j = 0; j < N; j++) {
            a[i][j] = i == j ? 1.0 : 0.0;
            for (k = 0; k < N; k++)
                a[i][j] += b[i][k] * b[j][k];
        }
    for (k = 0; k < RHS; k++)
        for (i = 0; i < N; i++)
            x[k][i] = draw();
    for (k = 0; k < RHS; k++)
        for (i = 0; i < N; i++)
            for (y[k][i] = 0.0, j = 0; j < N; j++)
                y[k][i] += a[i][j] * x[k][j];
    /* Only the lower triangle may be looked at. */
    for (i = 0; i < N; i++)
        for (j = i + 1; j < N; j++)
            a[i][j] = NAN;
    assert_int_equal(asci_solve_spd(&a[0][0], N, &y[0][0], RHS, &e), ASC_OK);
    for (k = 0; k < RHS; k++)
        for (i = 0; i < N; i++)
            assert_true(fabs(y[k][i] - x[k][i]) < 1e-9);
}

static void
test_solve_small(void **unused)
{
    /* 4 x + 2 y = 8, 2 x + 3 y = 8: x = 1, y = 2 */
    double a[4] = { 4.0, 0.0, 2.0, 3.0 }, b[2] = { 8.0, 8.0 };
    double singular[4] = { 1.0, 0.0, 1.0, 1.0 }, c[2] = { 1.0, 1.0 };
    struct asc_error e;

    (void)unused;
    assert_int_equal(asci_solve_spd(a, 2, b, 1, &e), ASC_OK);
    assert_true(fabs(b[0] - 1.0) < 1e-15 && fabs(b[1] - 2.0) < 1e-15);
    assert_int_equal(asci_solve_spd(singular, 2, c, 1, &e), ASC_ENUMERIC);
    assert_non_null(strstr(e.text, "singular"));
    assert_int_equal(asci_solve_spd(NULL, 0, NULL, 1, &e), ASC_OK);
}

static void
test_bad_sizes(void **unused)
{
    struct asc_error e;

    (void)unused;
    assert_null(asci_weights_new(NULL, NULL, SIZE_MAX / 4, 8, &e));
    assert_int_equal(e.status, ASC_ESYSTEM);
    asci_weights_free(NULL);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_this_kernel),
        cmocka_unit_test(test_every_kernel),
        cmocka_unit_test(test_solve),
        cmocka_unit_test(test_solve_small),
        cmocka_unit_test(test_bad_sizes)
    };

    if (argc == 3 && strcmp(argv[1], "--kernel") == 0)
        return check_kernel(argv[2]);
    /* argv[0] may be a wrapper that libtool made. */
    self = access("/proc/self/exe", X_OK) == 0 ? "/proc/self/exe" : argv[0];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
