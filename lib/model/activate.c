/* model/activate.c -- activation functions of networks, and their slopes.
 *
 * Definitions: PMML 4.4, NeuralNetwork, "activation functions".  At 0 the
 * slope of ReLU is 0, as in the frameworks that train networks; that of a
 * threshold is 0 everywhere.  NaN stays NaN.
 *
 * Logistic and tanh take most of a network's time if libm is asked value by
 * value, so they are computed eight values at a time, without branches, from
 * exp(x) = 2^k exp(r), r = x - k log 2, and the rational approximations of
 * Moshier's Cephes library (exp.c, tanh.c); within 3 units in the last place.
 * Every value goes through the same operations wherever it stands, and none
 * of them may be fused, so that results do not depend on the instruction set.
 */
#include <math.h>
#include <string.h>

#include "model/core.h"

enum { LANES = 8 };

typedef double wide __attribute__((vector_size(8 * LANES), aligned(8),
                                   may_alias));
typedef int64_t bits __attribute__((vector_size(8 * LANES), aligned(8),
                                    may_alias));

/* a where mask, else b; masks are comparisons of vectors */
#define CHOOSE(mask, a, b) \
    ((wide)(((bits)(a) & (mask)) | ((bits)(b) & ~(mask))))

/* The absolute value. */
#define MAGNITUDE(x) ((wide)((bits)(x) & INT64_MAX))

/* *x = exp(*x) for *x <= 0; what is below -700 counts as -700. */
static inline __attribute__((always_inline)) void
exp_of(wide *x)
{
    const double log2_e = 1.4426950408889634074, high = 6.93145751953125e-1,
                 low = 1.42860682030941723212e-6;
    const double shift = 0x1.8p52;      /* adding it rounds to an integer */
    wide least = { 0 }, k, r, z, p, q;
    bits power;

    least -= 700.0;
    r = CHOOSE(*x < least, least, *x);
    k = r * log2_e + shift;
    power = (bits)k << 52;
    k -= shift;
    r = r - k * high - k * low;
    z = r * r;
    p = r * ((1.26177193074810590878e-4 * z + 3.02994407707441961300e-2) * z +
             9.99999999999999999910e-1);
    q = ((3.00198505138664455042e-6 * z + 2.52448340349684104192e-3) * z +
         2.27265548208155028766e-1) * z + 2.0;
    r = 1.0 + 2.0 * (p / (q - p));
    *x = r * (wide)(power + ((int64_t)1023 << 52));     /* times 2^k */
}

static inline __attribute__((always_inline)) void
logistic_of(wide *x)
{
    const wide zero = { 0 };
    wide t = -MAGNITUDE(*x), up;

    exp_of(&t);
    up = 1.0 / (1.0 + t);
    *x = CHOOSE(*x < zero, t * up, up);
}

static inline __attribute__((always_inline)) void
tanh_of(wide *x)
{
    const wide near = { 0 };
    wide a = MAGNITUDE(*x), t = -2.0 * a, z = a * a, small;

    exp_of(&t);
    t = 1.0 - 2.0 * t / (1.0 + t);
    small = ((-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z -
             1.61468768441708447952e3) /
            (((z + 1.12811678491632931402e2) * z +
              2.23548839060100448583e3) * z + 4.84406305325125486048e3);
    t = CHOOSE(a < near + 0.625, a + a * z * small, t);
    /* The sign of x; NaN comes through t or the near branch. */
    *x = (wide)((bits)t | ((bits)*x & INT64_MIN));
}

/* One function for each instruction set; the last values of n go through a
 * vector of their own. */
#define EACH_VECTOR(NAME, OF, TARGET) \
    TARGET static void \
    NAME(double *v, size_t n) \
    { \
        double rest[LANES] = { 0 }; \
        size_t i; \
    \
        for (i = 0; i + LANES <= n; i += LANES) { \
            wide x = *(const wide *)(v + i); \
    \
            OF(&x); \
            *(wide *)(v + i) = x; \
        } \
        if (i < n) { \
            wide x; \
    \
            memcpy(rest, v + i, (n - i) * sizeof *v); \
            x = *(const wide *)rest; \
            OF(&x); \
            *(wide *)rest = x; \
            memcpy(v + i, rest, (n - i) * sizeof *v); \
        } \
    }

EACH_VECTOR(logistic_plain, logistic_of, )
EACH_VECTOR(tanh_plain, tanh_of, )
#if defined(__x86_64__)
EACH_VECTOR(logistic_avx2, logistic_of, __attribute__((target("avx2"))))
EACH_VECTOR(tanh_avx2, tanh_of, __attribute__((target("avx2"))))
EACH_VECTOR(logistic_avx512, logistic_of,
            __attribute__((target("avx512f,avx512dq"))))
EACH_VECTOR(tanh_avx512, tanh_of,
            __attribute__((target("avx512f,avx512dq"))))
#endif

void
asci_logistic(double *v, size_t n)
{
#if defined(__x86_64__)
    if (asci_cpu() == ASCI_CPU_AVX512) {
        logistic_avx512(v, n);
        return;
    }
    if (asci_cpu() == ASCI_CPU_AVX2) {
        logistic_avx2(v, n);
        return;
    }
#endif
    logistic_plain(v, n);
}

static void
all_tanh(double *v, size_t n)
{
#if defined(__x86_64__)
    if (asci_cpu() == ASCI_CPU_AVX512) {
        tanh_avx512(v, n);
        return;
    }
    if (asci_cpu() == ASCI_CPU_AVX2) {
        tanh_avx2(v, n);
        return;
    }
#endif
    tanh_plain(v, n);
}

/* One value of the rarer functions, and its slope. */
static void
activate_one(const struct asci_layer *layer, double z, double *a,
             double *slope)
{
    double t;

    switch (layer->activation) {
    case ASCI_THRESHOLD:
        *a = isnan(z) ? z : (z > layer->threshold ? 1.0 : 0.0);
        *slope = 0.0;
        break;
    case ASCI_EXPONENTIAL:
        *a = *slope = exp(z);
        break;
    case ASCI_RECIPROCAL:
        *a = t = 1.0 / z;
        *slope = -t * t;
        break;
    case ASCI_SQUARE:
        *a = z * z;
        *slope = 2.0 * z;
        break;
    case ASCI_GAUSS:
        *a = t = exp(-z * z);
        *slope = -2.0 * z * t;
        break;
    case ASCI_SINE:
        *a = sin(z);
        *slope = cos(z);
        break;
    case ASCI_COSINE:
        *a = cos(z);
        *slope = -sin(z);
        break;
    case ASCI_ELLIOTT:
        t = 1.0 / (1.0 + fabs(z));
        *a = z * t;
        *slope = t * t;
        break;
    case ASCI_ARCTAN:
        *a = 2.0 * atan(z) / M_PI;
        *slope = 2.0 / (M_PI * (1.0 + z * z));
        break;
    default:
        *a = *slope = NAN;
    }
}

static void
rectify(double *z, size_t n, double *slope)
{
    size_t i;

    if (slope)
        for (i = 0; i < n; i++)
            slope[i] = z[i] > 0.0 ? 1.0 : 0.0;
    for (i = 0; i < n; i++)
        z[i] = z[i] < 0.0 ? 0.0 : z[i];
}

void
asci_activate(const struct asci_layer *layer, double *z, size_t n,
              double *slope)
{
    double unused;
    size_t i;

    switch (layer->activation) {
    case ASCI_IDENTITY:
        for (i = 0; slope && i < n; i++)
            slope[i] = 1.0;
        break;
    case ASCI_RELU:
        rectify(z, n, slope);
        break;
    case ASCI_LOGISTIC:
        asci_logistic(z, n);
        for (i = 0; slope && i < n; i++)
            slope[i] = z[i] * (1.0 - z[i]);
        break;
    case ASCI_TANH:
        all_tanh(z, n);
        for (i = 0; slope && i < n; i++)
            slope[i] = 1.0 - z[i] * z[i];
        break;
    default:
        for (i = 0; i < n; i++)
            activate_one(layer, z[i], &z[i], slope ? &slope[i] : &unused);
    }
}
