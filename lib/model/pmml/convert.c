/* model/pmml/convert.c -- functions of one raw field, composed.
 *
 * A derived field of a derived field is a function of a function of a raw
 * field; here the two become one factor, so that whatever is computed later
 * sees raw fields only:
 *
 *     lines of lines      the knots of the inner one and the points where it
 *                         meets a knot of the outer one
 *     steps of lines      the intervals' ends, carried back through a
 *                         monotone line
 *     anything of steps   the outer function of each value
 *
 * What has no such form (a line that leaves and enters the range of an outer
 * one, steps of a line with several slopes' signs) is an error.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

enum { MAX_KNOTS = 1 << 16 };

/* ---- copies ---- */

static void *
copy_array(struct pmml *p, const void *from, size_t n, size_t size)
{
    void *to = asci_alloc(n, size, p->e);

    if (to && n)
        memcpy(to, from, n * size);
    return to;
}

static void
factor_clear(struct asci_factor *f)
{
    free(f->knot_x);
    free(f->knot_y);
    free(f->value);
    free(f->interval);
}

void
asci_pmml_column_clear(struct asci_column *c)
{
    size_t k;

    for (k = 0; k < c->n_factors; k++)
        factor_clear(&c->factor[k]);
    free(c->factor);
    free(c->name);
    memset(c, 0, sizeof *c);
}

static int
factor_copy(struct pmml *p, const struct asci_factor *from,
            struct asci_factor *to)
{
    int status;

    *to = *from;
    to->knot_x = to->knot_y = to->value = NULL;
    to->interval = NULL;
    status = asci_pmml_spend(p, 2 * from->n_knots + from->n_values +
                                4 * from->n_intervals);
    if (status != ASC_OK)
        return status;
    if (from->n_knots) {
        to->knot_x = copy_array(p, from->knot_x, from->n_knots,
                                sizeof *to->knot_x);
        to->knot_y = copy_array(p, from->knot_y, from->n_knots,
                                sizeof *to->knot_y);
        if (!to->knot_x || !to->knot_y)
            return ASC_ESYSTEM;
    }
    if (from->n_values &&
        !(to->value = copy_array(p, from->value, from->n_values,
                                 sizeof *to->value)))
        return ASC_ESYSTEM;
    if (from->n_intervals &&
        !(to->interval = copy_array(p, from->interval, from->n_intervals,
                                    sizeof *to->interval)))
        return ASC_ESYSTEM;
    return ASC_OK;
}

int
asci_pmml_column_copy(struct pmml *p, const struct asci_column *from,
                      struct asci_column *to)
{
    size_t k;
    int status = ASC_OK;

    memset(to, 0, sizeof *to);
    to->scale = from->scale;
    to->factor = asci_alloc_zero(from->n_factors, sizeof *to->factor, p->e);
    if (!to->factor)
        return ASC_ESYSTEM;
    if (from->name && !(to->name = asci_copy_text(from->name,
                                                  strlen(from->name), p->e)))
        status = ASC_ESYSTEM;
    for (k = 0; k < from->n_factors && status == ASC_OK; k++) {
        status = factor_copy(p, &from->factor[k], &to->factor[k]);
        to->n_factors = k + 1;
    }
    if (status != ASC_OK)
        asci_pmml_column_clear(to);
    return status;
}

int
asci_pmml_identity(struct pmml *p, size_t field, int single,
                   struct asci_column *c)
{
    int status = asci_column_identity(c, field, p->e);

    if (status == ASC_OK)
        c->factor[0].single = single ? ASCI_SINGLE_NUMBER : 0;
    return status;
}

int
asci_pmml_column_constant(const struct asci_column *c, double *v)
{
    if (c->n_factors)
        return 0;
    *v = c->scale;
    return 1;
}

int
asci_pmml_is_affine(const struct asci_column *c, size_t *field, double *a,
                    double *b)
{
    const struct asci_factor *f = c->factor;

    if (c->n_factors != 1 || f->kind != ASCI_FACTOR_NUMBER || f->power != 1 ||
        !isnan(f->missing))
        return 0;
    *field = f->field;
    *a = 1.0;
    *b = 0.0;
    if (f->n_knots) {
        if (f->n_knots != 2 || f->outliers != ASCI_OUTLIERS_EXTEND)
            return 0;
        *a = (f->knot_y[1] - f->knot_y[0]) / (f->knot_x[1] - f->knot_x[0]);
        *b = f->knot_y[0] - f->knot_x[0] * *a;
    }
    *a *= c->scale;
    *b *= c->scale;
    return 1;
}

/* ---- lines ---- */

struct line {
    const double *x, *y;
    size_t n;
    enum asci_outliers outliers;
};

/* NaN: an outlier that counts as missing */
static double
line_at(const struct line *l, double v)
{
    const size_t last = l->n - 1;
    size_t low = 0, high = last;

    if (l->outliers == ASCI_OUTLIERS_MISSING &&
        (v < l->x[0] || v > l->x[last]))
        return NAN;
    if (l->outliers == ASCI_OUTLIERS_CLAMP && v < l->x[0])
        return l->y[0];
    if (l->outliers == ASCI_OUTLIERS_CLAMP && v > l->x[last])
        return l->y[last];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (l->x[middle] <= v)
            low = middle;
        else
            high = middle;
    }
    return l->y[low] + (v - l->x[low]) / (l->x[low + 1] - l->x[low]) *
           (l->y[low + 1] - l->y[low]);
}

/* The value of a line at something that may be missing. */
static double
line_or(const struct line *l, double v, double missing)
{
    double y = isnan(v) ? NAN : line_at(l, v);

    return isnan(y) ? missing : y;
}

/* 1 rises, -1 falls, everywhere; 0 neither */
static int
direction(const struct line *l)
{
    size_t i;
    int up = 1, down = 1;

    for (i = 0; i + 1 < l->n; i++) {
        up = up && l->y[i] < l->y[i + 1];
        down = down && l->y[i] > l->y[i + 1];
    }
    return up - down;
}

/* Where a line that rises or falls takes the value v, ends extended. */
static double
inverse(const struct line *l, double v)
{
    const int up = l->y[0] < l->y[1];
    size_t low = 0, high = l->n - 1;

    if (isinf(v))
        return up ? v : -v;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (up ? l->y[middle] <= v : l->y[middle] >= v)
            low = middle;
        else
            high = middle;
    }
    return l->x[low] + (v - l->y[low]) / (l->y[low + 1] - l->y[low]) *
           (l->x[low + 1] - l->x[low]);
}

static int
compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The points where the slope of outer(inner) may change: n of them. */
static int
break_points(struct pmml *p, uint32_t element, const struct line *inner,
             const struct line *outer, double **out, size_t *n)
{
    const size_t from = outer->outliers == ASCI_OUTLIERS_EXTEND;
    const size_t skip = inner->outliers == ASCI_OUTLIERS_EXTEND;
    double *at;
    size_t i, j, k = 0;

    if (inner->n > MAX_KNOTS / (outer->n + 1))
        return asci_pmml_fail(p, element, "%s: too many LinearNorm elements",
                              asci_pmml_name(p, element));
    at = asci_alloc(inner->n * (outer->n + 1), sizeof *at, p->e);
    if (!at)
        return ASC_ESYSTEM;
    for (i = skip; i + skip < inner->n; i++)
        at[k++] = inner->x[i];
    for (i = 0; i + 1 < inner->n; i++) {
        const double x = inner->x[i], dx = inner->x[i + 1] - x;
        const double y = inner->y[i], dy = inner->y[i + 1] - y;
        const int open_low = skip && i == 0;
        const int open_high = skip && i + 2 == inner->n;

        for (j = from; j + from < outer->n && dy != 0.0; j++) {
            const double t = (outer->x[j] - y) / dy;

            if ((t > 0.0 || open_low) && (t < 1.0 || open_high))
                at[k++] = x + t * dx;
        }
    }
    qsort(at, k, sizeof *at, compare_numbers);
    for (i = j = 0; i < k; i++)
        if (isfinite(at[i]) && (j == 0 || at[i] > at[j - 1]))
            at[j++] = at[i];
    *out = at;
    *n = j;
    return ASC_OK;
}

static int
replace_knots(struct pmml *p, struct asci_factor *f, const double *x,
              const double *y, size_t n, enum asci_outliers outliers)
{
    double *new_x = copy_array(p, x, n, sizeof *x);
    double *new_y = copy_array(p, y, n, sizeof *y);

    if (!new_x || !new_y) {
        free(new_x);
        free(new_y);
        return ASC_ESYSTEM;
    }
    free(f->knot_x);
    free(f->knot_y);
    f->knot_x = new_x;
    f->knot_y = new_y;
    f->n_knots = n;
    f->outliers = outliers;
    return ASC_OK;
}

/* Both ends go on along lines or stay: knots at the break points and one
 * beyond each end. */
static int
join_open(struct pmml *p, struct asci_factor *f, const struct line *inner,
          const struct line *outer, const double *at, size_t n)
{
    double *x, *y;
    size_t i, k = 0;
    int status;

    x = asci_alloc(2 * (n + 2), sizeof *x, p->e);
    if (!x)
        return ASC_ESYSTEM;
    y = x + n + 2;
    if (n == 0) {
        x[k++] = inner->x[0];
        x[k++] = inner->x[inner->n - 1];
    } else {
        const double first = inner->x[0], last = inner->x[inner->n - 1];

        x[k++] = first < at[0] ? first : at[0] - fmax(1.0, fabs(at[0]));
        for (i = 0; i < n; i++)
            x[k++] = at[i];
        x[k++] = last > at[n - 1] ? last
                                  : at[n - 1] + fmax(1.0, fabs(at[n - 1]));
    }
    for (i = 0; i < k; i++)
        y[i] = line_at(outer, line_at(inner, x[i]));
    if (n >= 2 && y[0] == y[1] && y[k - 2] == y[k - 1])
        status = replace_knots(p, f, x + 1, y + 1, k - 2,
                               ASCI_OUTLIERS_CLAMP);
    else
        status = replace_knots(p, f, x, y, k, ASCI_OUTLIERS_EXTEND);
    free(x);
    return status;
}

/* Outside low..high the result is missing. */
static int
join_closed(struct pmml *p, struct asci_factor *f, const struct line *inner,
            const struct line *outer, const double *at, size_t n, double low,
            double high)
{
    struct line inside = *outer, within = *inner;
    double *x, *y;
    size_t i, k = 0;
    int status;

    x = asci_alloc(2 * (n + 2), sizeof *x, p->e);
    if (!x)
        return ASC_ESYSTEM;
    y = x + n + 2;
    x[k++] = low;
    for (i = 0; i < n; i++)
        if (at[i] > low && at[i] < high)
            x[k++] = at[i];
    x[k++] = high;
    /* An end may fall outside by a rounding error. */
    if (inside.outliers == ASCI_OUTLIERS_MISSING)
        inside.outliers = ASCI_OUTLIERS_CLAMP;
    if (within.outliers == ASCI_OUTLIERS_MISSING)
        within.outliers = ASCI_OUTLIERS_CLAMP;
    for (i = 0; i < k; i++)
        y[i] = line_at(&inside, line_at(&within, x[i]));
    status = replace_knots(p, f, x, y, k, ASCI_OUTLIERS_MISSING);
    free(x);
    return status;
}

static int
no_such_function(const struct pmml *p, uint32_t element)
{
    return asci_pmml_fail(p, element, "%s: what this makes of another derived "
                          "field is not a function that is supported",
                          asci_pmml_name(p, element));
}

static int
line_of_line(struct pmml *p, uint32_t element, struct asci_factor *f,
             const struct line *outer, double missing)
{
    const struct line inner = { f->knot_x, f->knot_y, f->n_knots,
                                f->outliers };
    const double now_missing = line_or(outer, f->missing, missing);
    double low = -INFINITY, high = INFINITY, *at = NULL;
    size_t n = 0;
    int status, way;

    if (outer->outliers == ASCI_OUTLIERS_MISSING) {
        /* Missing on both sides, or not at all: only a line that rises or
         * falls without end leaves the range on both. */
        way = direction(&inner);
        if (way == 0 || inner.outliers == ASCI_OUTLIERS_CLAMP ||
            (!isnan(f->missing) && now_missing != missing &&
             !(isnan(now_missing) && isnan(missing))))
            return no_such_function(p, element);
        low = inverse(&inner, outer->x[way > 0 ? 0 : outer->n - 1]);
        high = inverse(&inner, outer->x[way > 0 ? outer->n - 1 : 0]);
    }
    if (inner.outliers == ASCI_OUTLIERS_MISSING) {
        low = fmax(low, inner.x[0]);
        high = fmin(high, inner.x[inner.n - 1]);
    }
    if (!(low < high))
        return no_such_function(p, element);
    if ((status = break_points(p, element, &inner, outer, &at, &n)))
        return status;
    if (isinf(low))
        status = join_open(p, f, &inner, outer, at, n);
    else
        status = join_closed(p, f, &inner, outer, at, n, low, high);
    if (status == ASC_OK)
        f->missing = now_missing;
    free(at);
    return status;
}

/* ---- any function of any column ---- */

/* The one factor of the column of a value; NULL if it has several. */
static struct asci_factor *
only_factor(struct pmml *p, uint32_t element, struct asci_column *c)
{
    if (c->n_factors != 1 || c->scale != 1.0 || c->factor[0].power != 1) {
        no_such_function(p, element);
        return NULL;
    }
    /* Between two functions nothing is rounded to float: 6e-8 at most. */
    c->factor[0].single &= ~ASCI_SINGLE_RESULT;
    return &c->factor[0];
}

/* Each of a factor's values v becomes g(v); NaN stays for the caller. */
static void
through_values(struct asci_factor *f,
               double (*g)(const void *data, double v, double missing),
               const void *data, double missing)
{
    size_t i;

    for (i = 0; i < f->n_values; i++)
        f->value[i] = g(data, f->value[i], missing);
    for (i = 0; i < f->n_intervals; i++)
        f->interval[i].value = g(data, f->interval[i].value, missing);
    if (f->kind == ASCI_FACTOR_STEP)
        f->other = g(data, f->other, missing);
    f->missing = g(data, f->missing, missing);
}

static double
apply_line(const void *data, double v, double missing)
{
    return line_or(data, v, missing);
}

int
asci_pmml_through_line(struct pmml *p, uint32_t element,
                       struct asci_column *c, const double *x,
                       const double *y, size_t n,
                       enum asci_outliers outliers, double missing)
{
    const struct line outer = { x, y, n, outliers };
    struct asci_factor *f;
    int status;

    if (c->n_factors == 0) {
        c->scale = line_or(&outer, c->scale, missing);
        return ASC_OK;
    }
    if (!(f = only_factor(p, element, c)))
        return ASC_EINPUT;
    if (f->kind != ASCI_FACTOR_NUMBER) {
        through_values(f, apply_line, &outer, missing);
        return ASC_OK;
    }
    if (f->n_knots)
        return line_of_line(p, element, f, &outer, missing);
    if ((status = replace_knots(p, f, x, y, n, outliers)))
        return status;
    f->missing = line_or(&outer, f->missing, missing);
    return ASC_OK;
}

int
asci_pmml_through_affine(struct pmml *p, uint32_t element,
                         struct asci_column *c, double a, double b)
{
    double x[2] = { 0.0, 1.0 }, y[2];

    if (c->n_factors == 0) {
        c->scale = a * c->scale + b;
        return ASC_OK;
    }
    /* One knot where the line is zero keeps the digits of values near it. */
    if (a != 0.0 && b != 0.0) {
        x[0] = -b / a;
        x[1] = x[0] + ldexp(1.0, ilogb(x[0]));
        if (x[0] < 0.0) {
            double t = x[0] - ldexp(1.0, ilogb(x[0]));

            x[1] = x[0];
            x[0] = t;
        }
        y[0] = x[0] < 0.0 ? a * (x[0] - x[1]) : 0.0;
        y[1] = x[0] < 0.0 ? 0.0 : a * (x[1] - x[0]);
    } else {
        y[0] = b;
        y[1] = a + b;
    }
    if (!isfinite(x[0]) || !isfinite(x[1]) || !isfinite(y[0]) ||
        !isfinite(y[1]) || !(x[0] < x[1]))
        return asci_pmml_fail(p, element, "%s: %g times a field plus %g is "
                              "out of range", asci_pmml_name(p, element), a,
                              b);
    return asci_pmml_through_line(p, element, c, x, y, 2,
                                  ASCI_OUTLIERS_EXTEND, NAN);
}

/* ---- steps ---- */

struct steps {
    const struct asci_interval *interval;
    size_t n;
    double other;
};

static double
apply_steps(const void *data, double v, double missing)
{
    const struct steps *s = data;
    size_t i;

    if (isnan(v))
        return missing;
    for (i = 0; i < s->n; i++) {
        const struct asci_interval *t = &s->interval[i];

        if ((t->closed_low ? v >= t->low : v > t->low) &&
            (t->closed_high ? v <= t->high : v < t->high))
            return t->value;
    }
    return s->other;
}

/* The interval of x in which a rising line is in *t; 0 if there is none.  With
 * `clamp` the line stays at its ends. */
static int
carry_back(const struct line *l, int clamp, struct asci_interval *t)
{
    const double first = l->y[0], last = l->y[l->n - 1];
    const double low = t->low, high = t->high;

    t->low = inverse(l, low);
    t->high = inverse(l, high);
    if (!clamp)
        return 1;
    if (low > last || (low == last && !t->closed_low) || high < first ||
        (high == first && !t->closed_high))
        return 0;
    if (low < first || (low == first && t->closed_low))
        t->low = -INFINITY;
    if (high > last || (high == last && t->closed_high))
        t->high = INFINITY;
    return 1;
}

/* The line turned upside down rises where this one falls. */
static void
mirror(struct asci_interval *t)
{
    const double low = t->low;
    const int closed = t->closed_low;

    t->low = -t->high;
    t->closed_low = t->closed_high;
    t->high = -low;
    t->closed_high = closed;
}

static int
steps_of_line(struct pmml *p, uint32_t element, struct asci_factor *f,
              const struct steps *s, double missing)
{
    struct line l = { f->knot_x, f->knot_y, f->n_knots, f->outliers };
    const int way = f->n_knots ? direction(&l) : 1;
    const int closed = f->n_knots && f->outliers == ASCI_OUTLIERS_MISSING;
    const double now_missing = apply_steps(s, f->missing, missing);
    struct asci_interval *made;
    size_t i, k = 0;

    if (way == 0)
        return no_such_function(p, element);
    made = asci_alloc(s->n + 2, sizeof *made, p->e);
    if (!made)
        return ASC_ESYSTEM;
    if (closed) {
        const struct asci_interval below = { -INFINITY, l.x[0], 0, 0,
                                             now_missing };
        const struct asci_interval above = { l.x[l.n - 1], INFINITY, 0, 0,
                                             now_missing };

        made[k++] = below;
        made[k++] = above;
    }
    if (way < 0)
        for (i = 0; i < f->n_knots; i++)
            f->knot_y[i] = -f->knot_y[i];
    for (i = 0; i < s->n; i++) {
        made[k] = s->interval[i];
        if (way < 0)
            mirror(&made[k]);
        if (!f->n_knots ||
            carry_back(&l, f->outliers == ASCI_OUTLIERS_CLAMP, &made[k]))
            k++;
    }
    free(f->knot_x);
    free(f->knot_y);
    f->knot_x = f->knot_y = NULL;
    f->n_knots = 0;
    f->outliers = ASCI_OUTLIERS_EXTEND;
    f->kind = ASCI_FACTOR_STEP;
    f->interval = made;
    f->n_intervals = k;
    f->other = s->other;
    f->missing = now_missing;
    return ASC_OK;
}

int
asci_pmml_through_steps(struct pmml *p, uint32_t element,
                        struct asci_column *c,
                        const struct asci_interval *interval, size_t n,
                        double other, double missing)
{
    const struct steps s = { interval, n, other };
    struct asci_factor *f;

    if (c->n_factors == 0) {
        c->scale = apply_steps(&s, c->scale, missing);
        return ASC_OK;
    }
    if (!(f = only_factor(p, element, c)))
        return ASC_EINPUT;
    if (f->kind == ASCI_FACTOR_NUMBER)
        return steps_of_line(p, element, f, &s, missing);
    through_values(f, apply_steps, &s, missing);
    return ASC_OK;
}

/* ---- tables ---- */

struct table {
    const double *value;
    size_t n;
};

static double
apply_table(const void *data, double v, double missing)
{
    const struct table *t = data;

    if (isnan(v))
        return missing;
    return t->value[v >= 0.0 && v < (double)t->n ? (size_t)v : t->n];
}

int
asci_pmml_through_table(struct pmml *p, uint32_t element,
                        struct asci_column *c, const double *value, size_t n,
                        double missing)
{
    const struct table t = { value, n };
    struct asci_factor *f;
    size_t i;

    if (c->n_factors == 0) {
        c->scale = apply_table(&t, c->scale, missing);
        return ASC_OK;
    }
    if (!(f = only_factor(p, element, c)))
        return ASC_EINPUT;
    if (f->kind != ASCI_FACTOR_NUMBER) {
        through_values(f, apply_table, &t, missing);
        return ASC_OK;
    }
    /* The index of a category itself: a line never carries labels. */
    if (asci_pmml_spend(p, n + 1) != ASC_OK)
        return ASC_EINPUT;
    f->value = asci_alloc(n + 1, sizeof *f->value, p->e);
    if (!f->value)
        return ASC_ESYSTEM;
    for (i = 0; i <= n; i++)
        f->value[i] = value[i];
    f->n_values = n + 1;
    f->kind = ASCI_FACTOR_TABLE;
    f->missing = apply_table(&t, f->missing, missing);
    return ASC_OK;
}

/* ---- the rest ---- */

static double
apply_power(const void *data, double v, double missing)
{
    (void)missing;
    return isnan(v) ? v : pow(v, *(const int *)data);
}

int
asci_pmml_to_power(struct pmml *p, uint32_t element, struct asci_column *c,
                   int power)
{
    size_t k;

    c->scale = pow(c->scale, power);
    for (k = 0; k < c->n_factors; k++) {
        struct asci_factor *f = &c->factor[k];

        if (f->kind == ASCI_FACTOR_NUMBER) {
            if (abs(f->power) > 1000 || abs(power) > 1000)
                return asci_pmml_fail(p, element, "%s: exponent %d is out of "
                                      "range (-1000 to 1000)",
                                      asci_pmml_name(p, element), power);
            f->power *= power;
            f->missing = apply_power(&power, f->missing, NAN);
        } else {
            through_values(f, apply_power, &power, NAN);
        }
    }
    return ASC_OK;
}

static double
apply_missing(const void *data, double v, double missing)
{
    (void)data;
    return isnan(v) ? missing : v;
}

void
asci_pmml_set_missing(struct asci_column *c, double v)
{
    size_t k;

    if (c->n_factors == 0 && isnan(c->scale))
        c->scale = v;
    for (k = 0; k < c->n_factors; k++)
        through_values(&c->factor[k], apply_missing, NULL, v);
}

void
asci_pmml_to_single(struct asci_column *c)
{
    struct asci_factor *f = c->factor;
    size_t i;

    if (c->n_factors == 0)
        c->scale = (double)(float)c->scale;
    if (c->n_factors != 1)
        return;
    if (f->kind == ASCI_FACTOR_NUMBER) {
        f->single |= f->n_knots ? ASCI_SINGLE_RESULT : ASCI_SINGLE_NUMBER;
        return;
    }
    for (i = 0; i < f->n_values; i++)
        f->value[i] = (double)(float)f->value[i];
    for (i = 0; i < f->n_intervals; i++)
        f->interval[i].value = (double)(float)f->interval[i].value;
}
