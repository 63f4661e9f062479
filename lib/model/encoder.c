/* model/encoder.c -- from the fields that a person knows to the columns that
 * a form computes on.
 *
 *     column[c] = scale_c * prod_f factor_f(x[field_f])
 *
 * A factor is piecewise linear in a number (PMML NormContinuous: between the
 * knots (a_i, b_i), b_i + (v - a_i) / (a_i+1 - a_i) * (b_i+1 - b_i)), a value
 * for each category, or a value for each interval.  Columns are filled one
 * after the other, so the kind of a factor is looked at once a block and not
 * once a value.  Cost: one pass over the rows for each factor.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/core.h"

enum { WIDE = 64, FEW = 16 };   /* columns, rows; see asci_encode */

static double
to_single(double v)
{
    return (double)(float)v;
}

/* v to a whole power.  Powers above 3 are rare enough for pow(). */
static double
power_of(double v, int power)
{
    switch (power) {
    case 1:
        return v;
    case 2:
        return v * v;
    case 3:
        return v * v * v;
    default:
        return pow(v, power);
    }
}

/* The piece that holds v, 0 .. n_knots - 2: that to the right of a knot. */
static size_t
find_piece(const struct asci_factor *f, double v)
{
    size_t low = 0, high = f->n_knots - 1;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (f->knot_x[middle] <= v)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* 1 if v is beyond the knots on the side where `outliers` rules. */
static int
outside(const struct asci_factor *f, double v)
{
    return v < f->knot_x[0] || v > f->knot_x[f->n_knots - 1];
}

static double
piecewise(const struct asci_factor *f, double v)
{
    size_t i;

    if (f->n_knots == 0)
        return v;
    if (f->n_knots == 1)
        return f->knot_y[0];
    if (f->outliers == ASCI_OUTLIERS_CLAMP && outside(f, v))
        return v < f->knot_x[0] ? f->knot_y[0] : f->knot_y[f->n_knots - 1];
    i = find_piece(f, v);
    return f->knot_y[i] + (v - f->knot_x[i]) /
           (f->knot_x[i + 1] - f->knot_x[i]) *
           (f->knot_y[i + 1] - f->knot_y[i]);
}

static double
number_value(const struct asci_factor *f, double v)
{
    double y;

    if (f->single & ASCI_SINGLE_NUMBER)
        v = to_single(v);
    if (f->outliers == ASCI_OUTLIERS_MISSING && f->n_knots > 0 &&
        outside(f, v))
        return f->missing;
    if (f->zero_missing && fabs(v) <= ASCI_ZERO)
        return f->missing;
    y = power_of(piecewise(f, v), f->power);
    return f->single & ASCI_SINGLE_RESULT ? to_single(y) : y;
}

static double
table_value(const struct asci_factor *f, double v)
{
    size_t last = f->n_values - 1;

    /* Anything that is no index of a declared category is undeclared. */
    return f->value[v >= 0.0 && v < (double)last ? (size_t)v : last];
}

static int
holds(const struct asci_interval *t, double v)
{
    return (t->closed_low ? v >= t->low : v > t->low) &&
           (t->closed_high ? v <= t->high : v < t->high);
}

static double
step_value(const struct asci_factor *f, double v)
{
    size_t i;

    if (f->single & ASCI_SINGLE_NUMBER)
        v = to_single(v);
    for (i = 0; i < f->n_intervals; i++)
        if (holds(&f->interval[i], v))
            return f->interval[i].value;
    return f->other;
}

double
asci_factor_value(const struct asci_factor *f, double v)
{
    if (isnan(v))
        return f->missing;
    switch (f->kind) {
    case ASCI_FACTOR_NUMBER:
        return number_value(f, v);
    case ASCI_FACTOR_TABLE:
        return table_value(f, v);
    case ASCI_FACTOR_STEP:
        return step_value(f, v);
    }
    return NAN;
}

double
asci_factor_slope(const struct asci_factor *f, double v)
{
    double slope = 1.0;
    size_t i;

    if (f->kind != ASCI_FACTOR_NUMBER || isnan(v))
        return 0.0;
    if (f->single & ASCI_SINGLE_NUMBER)
        v = to_single(v);
    if (f->n_knots == 1)
        return 0.0;
    if (f->n_knots > 1) {
        /* To the right of the last knot only an extended piece has a slope;
         * to the left of the first one likewise. */
        if (f->outliers != ASCI_OUTLIERS_EXTEND &&
            (v < f->knot_x[0] || v >= f->knot_x[f->n_knots - 1]))
            return 0.0;
        i = find_piece(f, v);
        slope = (f->knot_y[i + 1] - f->knot_y[i]) /
                (f->knot_x[i + 1] - f->knot_x[i]);
    }
    if (f->power != 1)
        slope *= f->power * power_of(piecewise(f, v), f->power - 1);
    return slope;
}

/* A number that goes through unchanged but for its missing value, and perhaps
 * for being rounded to float. */
static int
is_number(const struct asci_factor *f)
{
    return f->kind == ASCI_FACTOR_NUMBER && f->n_knots == 0 &&
           f->power == 1 && !f->zero_missing;
}

static int
is_plain(const struct asci_factor *f)
{
    return is_number(f) && !f->single;
}

int
asci_encoder_identity(const struct asci_encoder *en, size_t d)
{
    size_t j;

    if (en->n != d)
        return 0;
    for (j = 0; j < en->n; j++) {
        const struct asci_column *c = &en->column[j];

        if (c->scale != 1.0 || c->n_factors != 1 ||
            c->factor[0].field != j || !is_plain(&c->factor[0]) ||
            !isnan(c->factor[0].missing))
            return 0;
    }
    return 1;
}

/* out[i * stride] (n) = factor of field values v[i * d] */
static void
first_factor(const struct asci_factor *f, size_t d, const double *v, size_t n,
             double *out, size_t stride)
{
    size_t i;

    if (is_plain(f)) {
        for (i = 0; i < n; i++) {
            double t = v[i * d];

            out[i * stride] = isnan(t) ? f->missing : t;
        }
    } else if (is_number(f)) {
        for (i = 0; i < n; i++) {
            double t = v[i * d];

            out[i * stride] = isnan(t) ? f->missing : to_single(t);
        }
    } else if (f->kind == ASCI_FACTOR_TABLE) {
        for (i = 0; i < n; i++) {
            double t = v[i * d];

            out[i * stride] = isnan(t) ? f->missing : table_value(f, t);
        }
    } else {
        for (i = 0; i < n; i++)
            out[i * stride] = asci_factor_value(f, v[i * d]);
    }
}

void
asci_encode_column(const struct asci_column *c, size_t d, const double *x,
                   size_t n, double *out, size_t stride)
{
    size_t i, k;

    if (c->n_factors == 0) {
        for (i = 0; i < n; i++)
            out[i * stride] = c->scale;
        return;
    }
    first_factor(&c->factor[0], d, x + c->factor[0].field, n, out, stride);
    for (k = 1; k < c->n_factors; k++) {
        const struct asci_factor *f = &c->factor[k];

        for (i = 0; i < n; i++)
            out[i * stride] *= asci_factor_value(f, x[i * d + f->field]);
    }
    if (c->scale != 1.0)
        for (i = 0; i < n; i++)
            out[i * stride] *= c->scale;
}

void
asci_encode(const struct asci_encoder *en, size_t d, const double *x,
            size_t n, double *columns)
{
    /* Of wide rows only a few at a time, which stay in the cache from one
     * column to the next. */
    const size_t step = en->n > WIDE ? FEW : n;
    size_t i, j, now;

    for (i = 0; i < n; i += now) {
        now = n - i < step ? n - i : step;
        for (j = 0; j < en->n; j++)
            asci_encode_column(&en->column[j], d, x + i * d, now,
                               columns + i * en->n + j, en->n);
    }
}

static struct asci_factor *
one_factor(struct asci_column *c, struct asc_error *e)
{
    memset(c, 0, sizeof *c);
    c->factor = asci_alloc_zero(1, sizeof *c->factor, e);
    if (!c->factor)
        return NULL;
    c->scale = 1.0;
    c->n_factors = 1;
    c->factor->power = 1;
    c->factor->missing = NAN;
    c->factor->other = NAN;
    return c->factor;
}

int
asci_column_identity(struct asci_column *c, size_t field, struct asc_error *e)
{
    struct asci_factor *f = one_factor(c, e);

    if (!f)
        return ASC_ESYSTEM;
    f->kind = ASCI_FACTOR_NUMBER;
    f->field = field;
    return ASC_OK;
}

int
asci_column_indicator(struct asci_column *c, const struct asc_schema *s,
                      size_t field, size_t category, double missing,
                      struct asc_error *e)
{
    size_t n = s->field[field].n_categories;
    struct asci_factor *f = one_factor(c, e);

    if (!f)
        return ASC_ESYSTEM;
    f->kind = ASCI_FACTOR_TABLE;
    f->field = field;
    f->missing = missing;
    f->value = asci_alloc_zero(n + 1, sizeof *f->value, e);
    if (!f->value) {
        free(c->factor);
        memset(c, 0, sizeof *c);
        return ASC_ESYSTEM;
    }
    f->n_values = n + 1;
    if (category < n)
        f->value[category] = 1.0;
    return ASC_OK;
}

void
asci_factor_free(struct asci_factor *f)
{
    free(f->knot_x);
    free(f->knot_y);
    free(f->value);
    free(f->interval);
}

void
asci_column_free(struct asci_column *c)
{
    size_t k;

    for (k = 0; c->factor && k < c->n_factors; k++)
        asci_factor_free(&c->factor[k]);
    free(c->factor);
    free(c->name);
    memset(c, 0, sizeof *c);
}

void
asci_encoder_free(struct asci_encoder *en)
{
    size_t j;

    for (j = 0; en->column && j < en->n; j++)
        asci_column_free(&en->column[j]);
    free(en->column);
    memset(en, 0, sizeof *en);
}
