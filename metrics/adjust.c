/* metrics/adjust.c -- p values adjusted for the number of tests.
 *
 * With p(1) <= ... <= p(m) the defined p values in order:
 *
 *     Holm 1979, Scand. J. Statist. 6, 65-70: the chance of one false
 *     rejection or more:  max over j <= i of min(1, (m - j + 1) p(j))
 *
 *     Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x:
 *     the expected share of false rejections among all (independent or
 *     positively dependent tests):  min over j >= i of min(1, m p(j) / j)
 *
 * Undefined p values stay undefined and do not count.  O(m^2) comparisons
 * without memory: families of tests are small, and this cannot fail. */
#include <math.h>
#include <stddef.h>

#include <ascribe/metric.h>

enum { HOLM, BENJAMINI_HOCHBERG };

/* How many of p (n) are smaller than p[i], or equal and not after it. */
static size_t
place(const double *p, size_t n, size_t i)
{
    size_t j, below = 0;

    for (j = 0; j < n; j++)
        below += p[j] < p[i] || (p[j] == p[i] && j <= i);
    return below;
}

void
asc_adjust(const double *p, size_t n, int method, double *out)
{
    double m = 0.0, scaled;
    size_t i, j;

    for (i = 0; i < n; i++)
        m += !isnan(p[i]);
    for (i = 0; i < n; i++)
        out[i] = isnan(p[i]) ? NAN : method == HOLM ? 0.0
            : method == BENJAMINI_HOCHBERG ? 1.0 : p[i];
    if (method != HOLM && method != BENJAMINI_HOCHBERG)
        return;
    for (j = 0; j < n; j++) {
        if (isnan(p[j]))
            continue;
        scaled = method == HOLM
            ? p[j] * (m - (double)place(p, n, j) + 1.0)
            : p[j] * m / (double)place(p, n, j);
        if (scaled > 1.0)
            scaled = 1.0;
        for (i = 0; i < n; i++) {
            if (method == HOLM && p[i] >= p[j] && out[i] < scaled)
                out[i] = scaled;
            if (method != HOLM && p[i] <= p[j] && out[i] > scaled)
                out[i] = scaled;
        }
    }
}
