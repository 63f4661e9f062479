/* attribute/path.c -- from the columns that a form computes on back to the
 * raw fields.
 *
 * A form knows g_c = df / d column_c.  A column is a product of functions of
 * one field each, column = scale * prod_f h_f(x_field(f)), so
 *
 *     slope of field j   sum_c g_c scale_c sum_{f of j} h_f' prod_{k != f} h_k
 *     change of field j  sum_c g_c scale_c prod_{k not of j} h_k(x)
 *                            * (prod_{f of j} h_f(x) - prod_{f of j} h_f(b))
 *
 * with the other fields held at x: the chain and product rules, and their
 * analogue for what has no slope.  At a knot of a piecewise linear function
 * the slope is that of the piece to the right.
 *
 * Cost: the square of the number of factors of a column, which is 1 as a rule.
 */
#include <math.h>
#include <stdlib.h>

#include "attribute/path.h"

int
asci_need_baseline(const struct asc_task *t, struct asc_error *e)
{
    if (t->background)
        return ASC_OK;
    return asc_fail(e, ASC_EUSAGE, "%s compares with a baseline: give its "
                    "row, or background rows, with -b", t->spec->entry->name);
}

/* 1 if a factor before k has the same field. */
static int
seen_before(const struct asci_column *c, size_t k)
{
    size_t i;

    for (i = 0; i < k; i++)
        if (c->factor[i].field == c->factor[k].field)
            return 1;
    return 0;
}

/* Product at x of the factors of a field (own) or of the others. */
static double
product(const struct asci_column *c, size_t field, int own, const double *x)
{
    double p = 1.0;
    size_t k;

    for (k = 0; k < c->n_factors; k++)
        if ((c->factor[k].field == field) == own)
            p *= asci_factor_value(&c->factor[k], x[c->factor[k].field]);
    return p;
}

void
asci_chain_slope(const struct asci_encoder *en, const double *g,
                 const double *x, double *out)
{
    size_t c, i, k;

    for (c = 0; c < en->n; c++) {
        const struct asci_column *column = &en->column[c];

        for (k = 0; k < column->n_factors; k++) {
            const struct asci_factor *f = &column->factor[k];
            double slope = asci_factor_slope(f, x[f->field]);

            if (slope == 0.0)
                continue;
            for (i = 0; i < column->n_factors; i++)
                if (i != k)
                    slope *= asci_factor_value(&column->factor[i],
                                               x[column->factor[i].field]);
            out[f->field] += g[c] * column->scale * slope;
        }
    }
}

void
asci_chain_change(const struct asci_encoder *en, const double *g,
                  const double *x, const char *which, const char *zero,
                  const double *from, double *out)
{
    size_t c, k;

    for (c = 0; c < en->n; c++) {
        const struct asci_column *column = &en->column[c];

        for (k = 0; k < column->n_factors; k++) {
            const size_t j = column->factor[k].field;
            double change;

            if (!which[j] || seen_before(column, k))
                continue;
            change = product(column, j, 1, x);
            if (!zero[j])
                change -= product(column, j, 1, from);
            out[j] += g[c] * column->scale * change *
                      product(column, j, 0, x);
        }
    }
}

void
asci_reference_columns(const struct asci_encoder *en, const char *zero,
                       const double *from, double *columns)
{
    size_t c, k;

    for (c = 0; c < en->n; c++) {
        const struct asci_column *column = &en->column[c];

        columns[c] = column->scale;
        for (k = 0; k < column->n_factors; k++) {
            const struct asci_factor *f = &column->factor[k];

            columns[c] *= zero[f->field]
                          ? 0.0 : asci_factor_value(f, from[f->field]);
        }
    }
}

/* ---- paths ---- */

static int
is_broad(const struct asci_column *c)
{
    size_t k;

    for (k = 1; k < c->n_factors; k++)
        if (c->factor[k].field != c->factor[0].field)
            return 1;
    return 0;
}

/* Whether a factor is continuous along every line between raw values. */
static int
is_smooth(const asc_model *m, const struct asci_factor *f)
{
    return m->schema.field[f->field].kind == ASC_CONTINUOUS &&
           f->kind == ASCI_FACTOR_NUMBER &&
           (f->n_knots == 0 || f->outliers != ASCI_OUTLIERS_MISSING);
}

int
asci_path_init(struct asci_path *p, const asc_model *m, struct asc_error *e)
{
    size_t c, k;

    p->encoder = &m->encoder;
    p->n_broad = 0;
    p->broad = asci_alloc(m->encoder.n, sizeof *p->broad, e);
    if (!p->broad)
        return ASC_ESYSTEM;
    for (c = 0; c < m->encoder.n; c++) {
        const struct asci_column *column = &m->encoder.column[c];

        if (!is_broad(column))
            continue;
        for (k = 0; k < column->n_factors; k++) {
            if (is_smooth(m, &column->factor[k]))
                continue;
            asci_path_free(p);
            return asc_fail(e, ASC_EUSAGE, "has no path for derived field "
                            "\"%s\": it combines field \"%s\", which is "
                            "categorical or jumps, with others",
                            column->name ? column->name : "(without name)",
                            m->schema.field[column->factor[k].field].name);
        }
        p->broad[p->n_broad++] = c;
    }
    return ASC_OK;
}

void
asci_path_free(struct asci_path *p)
{
    free(p->broad);
    p->broad = NULL;
}

/* A factor on its way at t. */
static double
factor_at(const struct asci_factor *f, const double *x, const double *b,
          double t)
{
    const double to = x[f->field], from = b[f->field];

    if (isnan(to) || isnan(from))
        return (1.0 - t) * asci_factor_value(f, from) +
               t * asci_factor_value(f, to);
    return asci_factor_value(f, (1.0 - t) * from + t * to);
}

/* Its derivative with respect to t. */
static double
factor_speed(const struct asci_factor *f, const double *x, const double *b,
             double t)
{
    const double to = x[f->field], from = b[f->field];

    if (isnan(to) || isnan(from))
        return asci_factor_value(f, to) - asci_factor_value(f, from);
    return asci_factor_slope(f, (1.0 - t) * from + t * to) * (to - from);
}

void
asci_path_point(const struct asci_path *p, const double *x, const double *b,
                const double *cx, const double *cb, double t, double *columns)
{
    size_t c, i, k;

    /* cb + t (cx - cb): a column that does not move keeps its bits. */
    for (c = 0; c < p->encoder->n; c++)
        columns[c] = cb[c] + t * (cx[c] - cb[c]);
    for (i = 0; i < p->n_broad; i++) {
        const struct asci_column *column = &p->encoder->column[p->broad[i]];
        double v = column->scale;

        for (k = 0; k < column->n_factors; k++)
            v *= factor_at(&column->factor[k], x, b, t);
        columns[p->broad[i]] = v;
    }
}

void
asci_path_slope(const struct asci_path *p, const double *x, const double *b,
                double t, double weight, const double *g, double *out)
{
    size_t c, i, k;

    for (c = 0; c < p->n_broad; c++) {
        const struct asci_column *column = &p->encoder->column[p->broad[c]];

        for (k = 0; k < column->n_factors; k++) {
            double speed = factor_speed(&column->factor[k], x, b, t);

            for (i = 0; i < column->n_factors; i++)
                if (i != k)
                    speed *= factor_at(&column->factor[i], x, b, t);
            out[column->factor[k].field] +=
                weight * g[p->broad[c]] * column->scale * speed;
        }
    }
}

/* The first place behind t where a factor of a broad column has a knot, or
 * 1. */
static double
next_knot(const struct asci_path *p, const double *x, const double *b,
          double t)
{
    double next = 1.0, at;
    size_t c, i, k;

    for (c = 0; c < p->n_broad; c++) {
        const struct asci_column *column = &p->encoder->column[p->broad[c]];

        for (i = 0; i < column->n_factors; i++) {
            const struct asci_factor *f = &column->factor[i];

            for (k = 0; k < f->n_knots; k++) {
                at = (f->knot_x[k] - b[f->field]) /
                     (x[f->field] - b[f->field]);
                if (at > t && at < next)
                    next = at;
            }
        }
    }
    return next;
}

void
asci_path_share(const struct asci_path *p, const double *x, const double *b,
                const double *g, double *out)
{
    enum { NODES = 16 };
    double node[NODES], weight[NODES], t, next;
    size_t i;

    if (p->n_broad == 0)
        return;
    asci_gauss_legendre(NODES, node, weight);
    for (t = 0.0; t < 1.0; t = next) {
        next = next_knot(p, x, b, t);
        for (i = 0; i < NODES; i++)
            asci_path_slope(p, x, b, t + (next - t) * node[i],
                            (next - t) * weight[i], g, out);
    }
}

void
asci_path_straight(const struct asci_path *p, const double *cx,
                   const double *cb, const double *sum, double *out)
{
    size_t c, broad = 0;

    for (c = 0; c < p->encoder->n; c++) {
        const struct asci_column *column = &p->encoder->column[c];

        if (broad < p->n_broad && p->broad[broad] == c)
            broad++;
        else if (column->n_factors > 0)
            out[column->factor[0].field] += sum[c] * (cx[c] - cb[c]);
    }
}

/* Newton's method on the Legendre polynomial P_n, from the asymptotic place of
 * its roots (Abramowitz and Stegun 1964, 22.16.6); with P = P_n(z),
 * Q = P_n-1(z): P' = n (Q - z P) / (1 - z^2), weight 2 / ((1 - z^2) P'^2). */
void
asci_gauss_legendre(size_t n, double *node, double *weight)
{
    const double size = (double)n;
    double z, p, q, next, slope, step, sum = 0.0;
    size_t i, k;
    int turn;

    for (i = 0; i < (n + 1) / 2; i++) {
        z = cos(M_PI * ((double)i + 0.75) / (size + 0.5));
        if (2 * i + 1 == n)
            z = 0.0;
        for (turn = 0;; turn++) {
            p = 1.0;
            q = 0.0;
            for (k = 0; k < n; k++) {
                next = ((2.0 * (double)k + 1.0) * z * p - (double)k * q) /
                       ((double)k + 1.0);
                q = p;
                p = next;
            }
            slope = size * (q - z * p) / ((1.0 - z) * (1.0 + z));
            step = p / slope;
            if (turn > 0 && (fabs(step) < 1e-15 || turn == 20))
                break;
            z -= step;
        }
        node[i] = 0.5 * (1.0 - z);
        node[n - 1 - i] = 0.5 * (1.0 + z);
        weight[i] = 1.0 / ((1.0 - z) * (1.0 + z) * slope * slope);
        weight[n - 1 - i] = weight[i];
    }
    /* The weights' few last bits are put where they hurt least: constants are
     * integrated as well as can be. */
    for (i = 0; i < n; i++)
        sum += weight[i];
    for (i = 0; i < n; i++)
        weight[i] /= sum;
}
