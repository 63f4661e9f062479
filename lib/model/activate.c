/* model/activate.c -- activation functions of networks, and their slopes.
 *
 * Definitions: PMML 4.4, NeuralNetwork, "activation functions".  At 0 the
 * slope of ReLU is 0, as in the frameworks that train networks; that of a
 * threshold is 0 everywhere.  NaN stays NaN.
 *
 * Logistic and tanh take most of a network's time if libm is asked value by
 * value, so they are computed some values at a time, without branches, from
 * exp(x) = 2^k exp(r), r = x - k log 2, and the rational approximations of
 * Moshier's Cephes library (exp.c, tanh.c); within 3 units in the last place.
 * Every value goes through the same operations wherever it stands, and none
 * of them may be fused, so that results do not depend on the instruction set.
 */
#include <math.h>
#include <string.h>

#include "model/core.h"

/* A copy for each instruction set, of vectors as long as its registers; one
 * for AVX-512 was no faster. */
#define WIDE_NAME(function) function ## _plain
#define WIDE_LANES 2
#define WIDE_TARGET
#include "model/activate_wide.h"

#if defined(__x86_64__)
#define WIDE_NAME(function) function ## _avx2
#define WIDE_LANES 4
#define WIDE_TARGET __attribute__((target("avx2")))
#include "model/activate_wide.h"
#endif

void
asci_logistic(double *v, size_t n)
{
#if defined(__x86_64__)
    if (asci_has_avx2()) {
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
    if (asci_has_avx2()) {
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
