/* plot_disparity.c -- disparity tables: the mean of each group with its
 * interval, one row for what tells results apart, one panel a metric.  Beside
 * each row stand the gap (of two groups: the first less the second; of more:
 * max-gap) and its p value, adjusted if the table has that. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot_kinds.h"

enum { GROUPS_MAX = 8 };        /* kinds of points in style.gp */

struct dot { double value, lo, hi; };

struct line {
    size_t panel, row;
    struct dot dot[GROUPS_MAX];
    double gap[GROUPS_MAX], gap_p[GROUPS_MAX];
    double max_gap, max_gap_p;
};

struct disparity {
    struct plot_keys panels, rows, groups;
    size_t n;
    struct line *line;
    char *group_columns;        /* "black, single" */
};

static struct line *
line_of(struct disparity *d, size_t panel, size_t row)
{
    struct line *v;
    size_t i;

    for (i = d->n; i-- > 0;)
        if (d->line[i].panel == panel && d->line[i].row == row)
            return &d->line[i];
    v = reallocarray(d->line, d->n + 1, sizeof *v);
    if (!v)
        tool_no_memory();
    d->line = v;
    v += d->n++;
    v->panel = panel;
    v->row = row;
    v->max_gap = v->max_gap_p = NAN;
    for (i = 0; i < GROUPS_MAX; i++) {
        v->dot[i] = (struct dot){ NAN, NAN, NAN };
        v->gap[i] = v->gap_p[i] = NAN;
    }
    return v;
}

/* Groups are the columns of -g, else those before `statistic' that no table
 * of ours has for anything else. */
static void
read_head(struct disparity *d, const asc_reader *r,
          const struct tool_options *o)
{
    static const char *const usual[] = { "metric" };
    static const char *const known[] = { "model", "method", "metric",
                                         "output", "scale" };
    const size_t statistic = plot_column(r, "statistic");
    struct plot_keys all = { 0 };
    struct asc_error e;
    size_t *column, n, i;

    plot_panels(&d->panels, r, usual, 1, o);
    plot_keys_add(&all, r, known, 5, NULL);
    if (o->group) {
        n = tool_columns(r, o->group, &column);
        for (i = 0; i < n && d->groups.n < PLOT_KEYS_MAX; i++)
            d->groups.column[d->groups.n++] = column[i];
        free(column);
    } else {
        for (i = 0; i < statistic && d->groups.n < PLOT_KEYS_MAX; i++)
            if (!plot_keys_has(&all, i) && !plot_keys_has(&d->panels, i))
                d->groups.column[d->groups.n++] = i;
    }
    for (i = 0; i < statistic && d->rows.n < PLOT_KEYS_MAX; i++)
        if (!plot_keys_has(&d->groups, i) && !plot_keys_has(&d->panels, i))
            d->rows.column[d->rows.n++] = i;
    if (d->groups.n == 0) {
        asc_fail(&e, ASC_EINPUT, "%s: no column before \"statistic\" names "
                 "the groups", asc_reader_name(r));
        tool_fail(&e);
    }
}

static size_t
group_of(struct disparity *d, asc_reader *r)
{
    const size_t k = plot_keys_index(&d->groups, r);
    struct asc_error e;

    if (k == SIZE_MAX)
        tool_no_memory();
    if (k >= GROUPS_MAX) {
        asc_fail(&e, ASC_EUSAGE, "%s:%zu: more than %d groups cannot be told "
                 "apart; select some", asc_reader_name(r), asc_reader_line(r),
                 GROUPS_MAX);
        tool_fail(&e);
    }
    return k;
}

static int
is(struct asc_text t, const char *text)
{
    return t.n == strlen(text) && memcmp(t.p, text, t.n) == 0;
}

static void
read_disparity(struct disparity *d, asc_reader *r,
               const struct tool_options *o)
{
    size_t statistic, value, lo, hi, p, panel, row, k;
    struct line *v;

    memset(d, 0, sizeof *d);
    read_head(d, r, o);
    statistic = plot_column(r, "statistic");
    value = plot_column(r, "value");
    lo = plot_column(r, "lo");
    hi = plot_column(r, "hi");
    p = asc_reader_find(r, "p_adjusted") >= 0
        ? plot_column(r, "p_adjusted") : plot_column(r, "p");
    while (plot_next(r)) {
        const struct asc_text t = asc_reader_text(r, statistic);

        panel = plot_keys_index(&d->panels, r);
        row = d->rows.n ? plot_keys_index(&d->rows, r) : 0;
        if (panel == SIZE_MAX || row == SIZE_MAX)
            tool_no_memory();
        v = line_of(d, panel, row);
        if (is(t, "mean")) {
            k = group_of(d, r);
            v->dot[k].value = plot_value(r, value);
            v->dot[k].lo = plot_value(r, lo);
            v->dot[k].hi = plot_value(r, hi);
        } else if (is(t, "gap")) {
            k = group_of(d, r);
            v->gap[k] = plot_value(r, value);
            v->gap_p[k] = plot_value(r, p);
        } else if (is(t, "max-gap")) {
            v->max_gap = plot_value(r, value);
            v->max_gap_p = plot_value(r, p);
        }
    }
    plot_some(r, d->groups.combination.n);
}

/* "black = yes", for each column of the groups. */
static char **
group_names(const struct disparity *d, const asc_reader *r)
{
    const size_t n = d->groups.combination.n;
    char **name = calloc(n + 1, sizeof *name);
    size_t i, k, length;

    if (!name)
        tool_no_memory();
    for (k = 0; k < n; k++) {
        struct asc_buffer b = { NULL, 0, 0, 0 };
        const char *text = d->groups.combination.v[k];

        for (i = 0; i < d->groups.n; i++) {
            length = strcspn(text, "\t");
            asc_buffer_print(&b, "%s%s = %.*s", i ? ", " : "",
                             asc_reader_column(r, d->groups.column[i]),
                             (int)length, text);
            text += length + (text[length] != '\0');
        }
        asc_buffer_char(&b, '\0');
        if (b.failed)
            tool_no_memory();
        name[k] = b.p;
    }
    return name;
}

/* A gap with a sign and three digits. */
static char *
gap_text(const struct plot_figure *f, double gap)
{
    char *text;

    if (isnan(gap))
        text = strdup("");
    else if (asprintf(&text, "%s%.*f", gap < 0.0 ? plot_latex(f) ? "--"
                      : "\xE2\x88\x92" : "", fabs(gap) < 10.0 ? 3 : 1,
                      fabs(gap)) < 0)
        text = NULL;
    if (!text)
        tool_no_memory();
    return text;
}

static char *
p_text(double p)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };

    plot_p_value(p, &b);
    asc_buffer_char(&b, '\0');
    if (b.failed)
        tool_no_memory();
    return b.p;
}

static void
put_dots(struct plot_figure *f, const struct disparity *d, size_t n_panels,
         struct plot_axis *axis, double width)
{
    const size_t n = d->groups.combination.n;
    size_t i, j, k;

    asc_buffer_text(&f->data, "# place, mean, lower and upper end of the "
                    "interval; one block a panel and group\n$dots << EOD\n");
    for (i = 0; i < n_panels; i++) {
        double lo = INFINITY, hi = -INFINITY, slack;

        for (k = 0; k < n; k++) {
            for (j = 0; j < d->n; j++) {
                const struct line *v = &d->line[j];
                struct dot dot = v->dot[k];

                if (v->panel != i)
                    continue;
                dot.lo = isnan(dot.lo) ? dot.value : dot.lo;
                dot.hi = isnan(dot.hi) ? dot.value : dot.hi;
                lo = fmin(lo, dot.lo);
                hi = fmax(hi, dot.hi);
                if (isnan(dot.value))
                    asc_buffer_print(&f->data, "%zu\tNaN\tNaN\tNaN\n",
                                     v->row + 1);
                else
                    asc_buffer_print(&f->data, "%zu\t%.6g\t%.6g\t%.6g\n",
                                     v->row + 1, dot.value, dot.lo, dot.hi);
            }
            asc_buffer_text(&f->data, "\n\n");
        }
        if (!(lo <= hi))
            lo = hi = 0.0;
        slack = 0.05 * (hi - lo);
        plot_axis(&axis[i], f, lo - slack, hi + slack, width);
    }
    asc_buffer_text(&f->data, "EOD\n");
}

/* The texts of gaps and p values, (n_panels, n_rows). */
static void
gap_texts(const struct plot_figure *f, const struct disparity *d,
          size_t n_rows, size_t n_cells, char **gap, char **p)
{
    const int two = d->groups.combination.n == 2;
    size_t i, j;

    for (j = 0; j < d->n; j++) {
        const struct line *v = &d->line[j];

        i = v->panel * n_rows + v->row;
        gap[i] = gap_text(f, two ? v->gap[0] : v->max_gap);
        p[i] = p_text(two ? v->gap_p[0] : v->max_gap_p);
    }
    for (i = 0; i < n_cells; i++) {
        if (!gap[i])
            gap[i] = gap_text(f, NAN);
        if (!p[i])
            p[i] = p_text(NAN);
    }
}

static double
widest(const struct plot_figure *f, char **text, size_t n, const char *head)
{
    double w = plot_text_width(f, head);
    size_t i;

    for (i = 0; i < n; i++)
        w = fmax(w, plot_text_width(f, text[i]));
    return w;
}

/* The label of x says which way round the gap of two groups is. */
static void
set_label(struct plot_figure *f, const struct disparity *d, int two)
{
    char *text = NULL, *a = NULL, *b = NULL, *c;

    if (two) {
        a = plot_shorten(d->groups.combination.v[0], 16);
        b = plot_shorten(d->groups.combination.v[1], 16);
        if (!a || !b || asprintf(&text, "mean, with its interval; gap: %s "
                                 "less %s", a, b) < 0)
            tool_no_memory();
        for (c = text; *c; c++)
            if (*c == '\t')
                *c = ' ';
    }
    if (two && plot_text_width(f, text) > 0.95 * f->width)
        plot_set_text(f, "XLABEL", "mean, with its interval; gap: first less "
                      "second");
    else
        plot_set_text(f, "XLABEL", two ? text : "mean, with its interval");
    free(text);
    free(a);
    free(b);
}

static void
prepare_disparity(struct plot_figure *f, asc_reader *r,
                  const struct tool_options *o)
{
    const double line = plot_line_height(f);
    struct plot_page page = { 0 };
    struct disparity d;
    struct plot_axis *axis;
    char **label, **row, **group, **gap, **p;
    const char *gap_head, *p_head;
    double width, gap_width, p_width, pitch;
    struct asc_error e;
    size_t n, n_rows, n_groups;

    read_disparity(&d, r, o);
    n = d.panels.n ? d.panels.combination.n : 1;
    n_rows = d.rows.n ? d.rows.combination.n : 1;
    n_groups = d.groups.combination.n;
    label = plot_keys_labels(&d.panels);
    row = plot_keys_labels(&d.rows);
    group = group_names(&d, r);
    gap = calloc(n * n_rows + 1, sizeof *gap);
    p = calloc(n * n_rows + 1, sizeof *p);
    axis = calloc(n + 1, sizeof *axis);
    if (!label || !row || !gap || !p || !axis)
        tool_no_memory();
    gap_texts(f, &d, n_rows, n * n_rows, gap, p);
    gap_head = n_groups == 2 ? "gap" : "max gap";
    p_head = asc_reader_find(r, "p_adjusted") >= 0 ? "adj. p" : "p";
    gap_width = widest(f, gap, n * n_rows, gap_head);
    p_width = widest(f, p, n * n_rows, p_head);

    page.n = n;
    page.left = plot_fit_labels(f, row, d.rows.combination.n, 28, 0.34)
        + 0.9 * line;
    page.right = gap_width + p_width + 1.9 * line;
    page.gap = page.right + 0.2 * line;
    page.strip = 1.5 * line;
    page.below = 1.5 * line;
    page.foot = 1.3 * line + plot_legend_height(f, group, n_groups);
    pitch = fmax(1.5, 0.62 * (double)n_groups + 0.7);
    page.inside = pitch * line * (double)n_rows;
    plot_page_columns(&page, f, 1.2);
    width = plot_page_panel_width(&page, f);
    if (plot_page_set(&page, f, 1.1 * line * (double)n_rows, &e) != ASC_OK)
        tool_fail(&e);
    put_dots(f, &d, n, axis, width);
    plot_fit_labels(f, label, n, 60, width / f->width);
    plot_set_number(f, "M", (double)n_rows);
    plot_set_number(f, "GROUPS", (double)n_groups);
    plot_set_number(f, "DODGE", 0.62 / pitch);
    plot_set_number(f, "GAPAT", (0.9 * line + gap_width) / f->width);
    plot_set_number(f, "PAT", (1.6 * line + gap_width + p_width) / f->width);
    plot_set_texts(f, "PANEL", label, n);
    plot_set_texts(f, "ROW", row, d.rows.combination.n);
    plot_legend_set(f, group, n_groups);
    plot_set_text(f, "GAPHEAD", gap_head);
    plot_set_text(f, "PHEAD", p_head);
    plot_set_texts(f, "GAP", gap, n * n_rows);
    plot_set_texts(f, "P", p, n * n_rows);
    plot_axes_set(f, "", axis, n);
    set_label(f, &d, n_groups == 2);
    free(axis);
    plot_labels_free(gap, n * n_rows);
    plot_labels_free(p, n * n_rows);
    plot_labels_free(group, n_groups);
    plot_labels_free(label, d.panels.combination.n);
    plot_labels_free(row, d.rows.combination.n);
    plot_keys_free(&d.panels);
    plot_keys_free(&d.rows);
    plot_keys_free(&d.groups);
    free(d.line);
}

const struct plot_kind plot_disparity = {
    "disparity", "group means with intervals, gaps and p values",
    "a disparity table", prepare_disparity
};
