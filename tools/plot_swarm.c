/* plot_swarm.c -- where the discs of a beeswarm go: computed, not jittered,
 * so that the same table always gives the same figure.
 *
 * A disc at x with one placed before at (x', y'), dx = |x - x'| below the
 * diameter D, may not have |y - y'| < h = sqrt(D^2 - dx^2).  The places that
 * all earlier discs forbid are open intervals; the free place nearest to 0 is
 * 0 itself, or the nearer end of the union of intervals around it.  The exact
 * swarm of R's package beeswarm (method "swarm").
 *
 * O(n k log k), k discs within D of each other in x. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot.h"

struct interval { double lo, hi; };

static int
by_lo(const void *a, const void *b)
{
    const struct interval *p = a, *q = b;

    return (p->lo > q->lo) - (p->lo < q->lo);
}

/* The free place nearest to 0.  v (n) is sorted. */
static double
free_place(struct interval *v, size_t n)
{
    double lo, hi;
    size_t i = 0;

    qsort(v, n, sizeof *v, by_lo);
    while (i < n) {
        lo = v[i].lo;
        hi = v[i].hi;
        /* intervals that only touch leave room for nothing but a point;
         * merging them keeps discs apart in spite of rounding */
        for (i++; i < n && v[i].lo <= hi; i++)
            hi = fmax(hi, v[i].hi);
        if (lo < 0.0 && hi > 0.0)
            return hi <= -lo ? hi : lo;
    }
    return 0.0;
}

int
plot_swarm(const double *x, const size_t *order, size_t n, double diameter,
           double *y, struct asc_error *e)
{
    struct interval *v = NULL;
    size_t *active = NULL;      /* discs that may still be in the way */
    size_t i, j, k, m, n_active = 0;

    v = malloc((n + 1) * sizeof *v);
    active = malloc((n + 1) * sizeof *active);
    if (!v || !active) {
        free(v);
        free(active);
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    }
    for (i = 0; i < n; i++) {
        k = order[i];
        m = 0;
        for (j = 0; j < n_active; j++) {
            const double dx = fabs(x[k] - x[active[j]]);
            double h;

            if (dx >= diameter)
                continue;
            h = sqrt(diameter * diameter - dx * dx);
            v[m].lo = y[active[j]] - h;
            v[m++].hi = y[active[j]] + h;
        }
        y[k] = free_place(v, m);
        /* placed from left to right, discs out of reach stay out of reach */
        for (j = 0, m = 0; j < n_active; j++)
            if (fabs(x[k] - x[active[j]]) < diameter)
                active[m++] = active[j];
        active[m++] = k;
        n_active = m;
    }
    free(active);
    free(v);
    return ASC_OK;
}
