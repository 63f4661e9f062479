/* plot_curves.c -- curve tables: the mean over rows at each x, with a band
 * that is the normal interval of that mean.  One panel a metric, one line for
 * what else tells curves apart (model, method, output). */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot_kinds.h"

enum { LINES_MAX = 8 };         /* kinds of lines in style.gp */

struct point {
    double x;
    size_t n;
    struct asc_sum sum, squares;
};

struct curve {
    size_t n, capacity, last;
    struct point *point;        /* (n) by x */
};

struct curves {
    struct plot_keys panels, lines;
    size_t n_panels;
    struct curve *curve;        /* (n_panels, LINES_MAX) */
};

/* The point of a curve at x: most often the one after the last. */
static struct point *
point_at(struct curve *c, double x)
{
    size_t lo = 0, hi = c->n, middle;

    if (c->last + 1 < c->n && c->point[c->last + 1].x == x)
        return &c->point[++c->last];
    while (lo < hi) {
        middle = lo + (hi - lo) / 2;
        if (c->point[middle].x < x)
            lo = middle + 1;
        else
            hi = middle;
    }
    c->last = lo;
    if (lo < c->n && c->point[lo].x == x)
        return &c->point[lo];
    if (c->n == c->capacity) {
        c->capacity = 2 * c->capacity + 16;
        c->point = reallocarray(c->point, c->capacity, sizeof *c->point);
        if (!c->point)
            tool_no_memory();
    }
    memmove(c->point + lo + 1, c->point + lo, (c->n - lo) * sizeof *c->point);
    c->n++;
    memset(&c->point[lo], 0, sizeof *c->point);
    c->point[lo].x = x;
    return &c->point[lo];
}

static void
read_curves(struct curves *c, asc_reader *r, const struct tool_options *o)
{
    static const char *const usual[] = { "metric" };
    static const char *const rest[] = { "model", "method", "output",
                                        "metric" };
    const size_t column_x = plot_column(r, "x");
    const size_t column_v = plot_column(r, "value");
    struct asc_error e;
    struct point *p;
    size_t i, k;
    double v;

    memset(c, 0, sizeof *c);
    plot_panels(&c->panels, r, usual, 1, o);
    plot_keys_add(&c->lines, r, rest, 4, &c->panels);
    while (plot_next(r)) {
        i = plot_keys_index(&c->panels, r);
        k = c->lines.n ? plot_keys_index(&c->lines, r) : 0;
        if (i == SIZE_MAX || k == SIZE_MAX)
            tool_no_memory();
        if (k >= LINES_MAX) {
            asc_fail(&e, ASC_EUSAGE, "%s:%zu: more than %d lines cannot be "
                     "told apart; select some, or name a column in --panels",
                     asc_reader_name(r), asc_reader_line(r), LINES_MAX);
            tool_fail(&e);
        }
        if (i >= c->n_panels) {
            c->curve = reallocarray(c->curve, i + 1,
                                    LINES_MAX * sizeof *c->curve);
            if (!c->curve)
                tool_no_memory();
            memset(c->curve + c->n_panels * LINES_MAX, 0,
                   (i + 1 - c->n_panels) * LINES_MAX * sizeof *c->curve);
            c->n_panels = i + 1;
        }
        v = plot_value(r, column_x);
        if (isnan(v))
            continue;
        p = point_at(&c->curve[i * LINES_MAX + k], v);
        v = plot_value(r, column_v);
        if (isnan(v))
            continue;
        p->n++;
        asc_sum_add(&p->sum, v);
        asc_sum_add(&p->squares, v * v);
    }
    plot_some(r, c->n_panels);
}

struct range { double x_lo, x_hi, y_lo, y_hi; };

static void
put_curves(struct plot_figure *f, const struct curves *c, double factor,
           struct range *range)
{
    double mean, lo, hi;
    size_t i, k, m;

    asc_buffer_text(&f->data, "# x, mean, lower and upper end of the "
                    "interval; one block a panel and line\n$curves << EOD\n");
    for (i = 0; i < c->n_panels; i++) {
        struct range *g = &range[i];

        *g = (struct range){ INFINITY, -INFINITY, INFINITY, -INFINITY };
        for (k = 0; k < c->lines.combination.n || k == 0; k++) {
            const struct curve *v = &c->curve[i * LINES_MAX + k];

            for (m = 0; m < v->n; m++) {
                const struct point *p = &v->point[m];

                plot_interval(p->n, &p->sum, &p->squares, factor, &mean, &lo,
                              &hi);
                if (isnan(mean))
                    continue;
                lo = isnan(lo) ? mean : lo;
                hi = isnan(hi) ? mean : hi;
                g->x_lo = fmin(g->x_lo, p->x);
                g->x_hi = fmax(g->x_hi, p->x);
                g->y_lo = fmin(g->y_lo, lo);
                g->y_hi = fmax(g->y_hi, hi);
                asc_buffer_print(&f->data, "%.6g\t%.6g\t%.6g\t%.6g\n", p->x,
                                 mean, lo, hi);
            }
            /* a block without rows would shift those after it */
            if (v->n == 0)
                asc_buffer_text(&f->data, "NaN\tNaN\tNaN\tNaN\n");
            asc_buffer_text(&f->data, "\n\n");
        }
        if (!(g->x_lo <= g->x_hi))
            *g = (struct range){ 0.0, 1.0, 0.0, 1.0 };
    }
    asc_buffer_text(&f->data, "EOD\n");
}

static void
prepare_curves(struct plot_figure *f, asc_reader *r,
               const struct tool_options *o)
{
    const double factor = plot_normal(o), line = plot_line_height(f);
    struct plot_page page = { 0 };
    struct plot_axis *x, *y;
    struct range *range;
    struct curves c;
    char **label, **name, level[32];
    double width, tics, share = 1.0;
    struct asc_error e;
    size_t i, n;

    read_curves(&c, r, o);
    n = c.n_panels;
    label = plot_keys_labels(&c.panels);
    name = plot_keys_labels(&c.lines);
    range = calloc(n + 1, sizeof *range);
    x = calloc(n + 1, sizeof *x);
    y = calloc(n + 1, sizeof *y);
    if (!label || !name || !range || !x || !y)
        tool_no_memory();
    put_curves(f, &c, factor, range);
    /* labels of y need room before the height of the panels is known */
    tics = plot_text_width(f, "\xE2\x88\x92" "0.00");
    page.n = n;
    page.left = tics + 2.2 * line;
    page.right = 0.8 * line;
    page.gap = tics + 1.2 * line;
    page.strip = 1.3 * line;
    page.below = 1.5 * line;
    page.foot = 1.3 * line;
    if (c.lines.combination.n > 1) {
        plot_fit_labels(f, name, c.lines.combination.n, 40, 0.8);
        page.foot += plot_legend_height(f, name, c.lines.combination.n);
    }
    plot_page_columns(&page, f, 1.25);
    width = plot_page_panel_width(&page, f);
    page.inside = fmin(0.75 * width, 2.2);
    if (plot_page_set(&page, f, 4 * line, &e) != ASC_OK)
        tool_fail(&e);
    for (i = 0; i < n; i++) {
        const struct range *g = &range[i];
        const double slack = 0.04 * (g->y_hi - g->y_lo);

        plot_axis(&x[i], f, g->x_lo, g->x_hi, width);
        plot_axis(&y[i], f, g->y_lo - slack, g->y_hi + slack,
                  page.inside * plot_text_width(f, "0.00") / (1.2 * line));
        if (g->x_lo < 0.0 || g->x_hi > 1.0)
            share = 0.0;
    }
    plot_fit_labels(f, label, n, 60, width / f->width);
    plot_set_texts(f, "PANEL", label, n);
    plot_set_number(f, "M", c.lines.combination.n
                    ? (double)c.lines.combination.n : 1.0);
    if (c.lines.combination.n > 1)
        plot_legend_set(f, name, c.lines.combination.n);
    else
        plot_set_number(f, "KEYS", 0.0);
    plot_level(f, o, level, sizeof level);
    asc_buffer_print(&f->head, "XLABEL = '%s'\nYLABEL = 'mean (%s interval)'\n",
                     share > 0.0 ? "share of fields" : "x", level);
    plot_axes_set(f, "X", x, n);
    plot_axes_set(f, "Y", y, n);
    for (i = 0; i < n * LINES_MAX; i++)
        free(c.curve[i].point);
    free(c.curve);
    plot_labels_free(label, n);
    plot_labels_free(name, c.lines.combination.n);
    plot_keys_free(&c.panels);
    plot_keys_free(&c.lines);
    free(range);
    free(x);
    free(y);
}

const struct plot_kind plot_curves = {
    "curves", "mean curves with bands", "a curve table", prepare_curves
};
