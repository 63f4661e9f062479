/* model/activate_wide.h -- logistic and tanh of activate.c, a template.
 *
 * To be included with WIDE_NAME(function), the name of a copy; WIDE_LANES,
 * the doubles of a register (comparisons of longer vectors are taken apart
 * value by value); and WIDE_TARGET, attributes.  Undefines them.
 */
#define WIDE WIDE_NAME(wide)
#define BITS WIDE_NAME(bits)

typedef double WIDE
    __attribute__((vector_size(8 * WIDE_LANES), aligned(8), may_alias));
typedef int64_t BITS
    __attribute__((vector_size(8 * WIDE_LANES), aligned(8), may_alias));

/* a where mask, else b; masks are comparisons of vectors */
#define CHOOSE(mask, a, b) \
    ((WIDE)(((BITS)(a) & (mask)) | ((BITS)(b) & ~(mask))))

/* The absolute value. */
#define MAGNITUDE(x) ((WIDE)((BITS)(x) & INT64_MAX))

/* *x = exp(*x) for *x <= 0; what is below -700 counts as -700. */
WIDE_TARGET static inline void
WIDE_NAME(exp_of)(WIDE *x)
{
    const double log2_e = 1.4426950408889634074, high = 6.93145751953125e-1,
                 low = 1.42860682030941723212e-6;
    const double shift = 0x1.8p52;      /* adding it rounds to an integer */
    WIDE least = { 0 }, k, r, z, p, q;
    BITS power;

    least -= 700.0;
    r = CHOOSE(*x < least, least, *x);
    k = r * log2_e + shift;
    power = (BITS)k << 52;
    k -= shift;
    r = r - k * high - k * low;
    z = r * r;
    p = r * ((1.26177193074810590878e-4 * z + 3.02994407707441961300e-2) * z +
             9.99999999999999999910e-1);
    q = ((3.00198505138664455042e-6 * z + 2.52448340349684104192e-3) * z +
         2.27265548208155028766e-1) * z + 2.0;
    r = 1.0 + 2.0 * (p / (q - p));
    *x = r * (WIDE)(power + ((int64_t)1023 << 52));     /* times 2^k */
}

WIDE_TARGET static inline void
WIDE_NAME(logistic_of)(WIDE *x)
{
    const WIDE zero = { 0 };
    WIDE t = -MAGNITUDE(*x), up;

    WIDE_NAME(exp_of)(&t);
    up = 1.0 / (1.0 + t);
    *x = CHOOSE(*x < zero, t * up, up);
}

WIDE_TARGET static inline void
WIDE_NAME(tanh_of)(WIDE *x)
{
    const WIDE zero = { 0 };
    WIDE a = MAGNITUDE(*x), t = -2.0 * a, z = a * a, near;

    WIDE_NAME(exp_of)(&t);
    t = 1.0 - 2.0 * t / (1.0 + t);
    near = ((-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z -
            1.61468768441708447952e3) /
           (((z + 1.12811678491632931402e2) * z +
             2.23548839060100448583e3) * z + 4.84406305325125486048e3);
    t = CHOOSE(a < zero + 0.625, a + a * z * near, t);
    *x = (WIDE)((BITS)t | ((BITS)*x & INT64_MIN));      /* the sign of x */
}

/* All of v; the last values go through a vector of their own. */
#define EACH_VECTOR(OF) \
    do { \
        double rest[WIDE_LANES] = { 0 }; \
        WIDE x; \
        size_t i; \
    \
        for (i = 0; i + WIDE_LANES <= n; i += WIDE_LANES) { \
            x = *(const WIDE *)(v + i); \
            WIDE_NAME(OF)(&x); \
            *(WIDE *)(v + i) = x; \
        } \
        if (i < n) { \
            memcpy(rest, v + i, (n - i) * sizeof *v); \
            x = *(const WIDE *)rest; \
            WIDE_NAME(OF)(&x); \
            *(WIDE *)rest = x; \
            memcpy(v + i, rest, (n - i) * sizeof *v); \
        } \
    } while (0)

WIDE_TARGET static void
WIDE_NAME(logistic)(double *v, size_t n)
{
    EACH_VECTOR(logistic_of);
}

WIDE_TARGET static void
WIDE_NAME(tanh)(double *v, size_t n)
{
    EACH_VECTOR(tanh_of);
}

#undef EACH_VECTOR
#undef MAGNITUDE
#undef CHOOSE
#undef BITS
#undef WIDE
#undef WIDE_TARGET
#undef WIDE_LANES
#undef WIDE_NAME
