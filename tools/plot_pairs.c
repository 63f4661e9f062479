/* plot_pairs.c -- heatmaps of pair tables: two methods, the mean over rows of
 * a measure of their agreement.
 *
 * A cell holds the mean and, below it, the half width of its normal interval.
 * A pair stands in the table once and is drawn on both sides of the diagonal,
 * unless the table has it in both orders.  White is 0, blue is positive,
 * vermilion negative; the number says the same in grey. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot_kinds.h"

struct cell {
    size_t n, lines;            /* defined values; all */
    struct asc_sum sum, squares;
};

struct pairs {
    struct plot_keys keys, rest;
    struct plot_names methods;
    size_t n_panels, room;      /* room: methods that a panel's cells hold */
    struct cell **panel;        /* (n_panels) of (room, room) */
};

/* Cells are few, but how many methods there are shows only at the end. */
static void
grow(struct pairs *p, size_t n_panels)
{
    const size_t room = p->methods.n > p->room ? 2 * p->methods.n : p->room;
    struct cell **panel, *cells;
    size_t i, k;

    if (n_panels <= p->n_panels && room == p->room)
        return;
    if (n_panels < p->n_panels)
        n_panels = p->n_panels;
    panel = reallocarray(p->panel, n_panels, sizeof *panel);
    if (!panel || room > 10000)
        tool_no_memory();
    p->panel = panel;
    for (k = 0; k < n_panels; k++) {
        if (k < p->n_panels && room == p->room)
            continue;
        if (!(cells = calloc(room * room, sizeof *cells)))
            tool_no_memory();
        for (i = 0; k < p->n_panels && i < p->room; i++)
            memcpy(cells + i * room, panel[k] + i * p->room,
                   p->room * sizeof *cells);
        if (k < p->n_panels)
            free(panel[k]);
        panel[k] = cells;
    }
    p->room = room;
    p->n_panels = n_panels;
}

static void
read_pairs(struct pairs *p, asc_reader *r, const struct tool_options *o)
{
    static const char *const usual[] = { "model", "output", "metric" };
    const size_t column_a = plot_column(r, "method_a");
    const size_t column_b = plot_column(r, "method_b");
    const size_t column_v = plot_column(r, "value");
    struct cell *c;
    size_t i, a, b;
    double v;

    memset(p, 0, sizeof *p);
    plot_panels(&p->keys, r, usual, 3, o);
    plot_keys_add(&p->rest, r, usual, 3, &p->keys);
    while (plot_next(r)) {
        plot_one_of(&p->rest, r);
        i = plot_keys_index(&p->keys, r);
        a = plot_name(&p->methods, asc_reader_text(r, column_a));
        b = plot_name(&p->methods, asc_reader_text(r, column_b));
        if (i == SIZE_MAX || a == SIZE_MAX || b == SIZE_MAX)
            tool_no_memory();
        grow(p, i + 1);
        c = &p->panel[i][a * p->room + b];
        v = plot_value(r, column_v);
        c->lines++;
        if (isnan(v))
            continue;
        c->n++;
        asc_sum_add(&c->sum, v);
        asc_sum_add(&c->squares, v * v);
    }
    plot_some(r, p->n_panels);
}

/* 0.82 as .82: all that fits a small cell.  -0.004 is .00. */
static void
put_short(struct asc_buffer *out, const char *before, double v, int latex)
{
    char text[32];
    const char *p = text;

    snprintf(text, sizeof text, "%.2f", v);
    if (strcmp(text, "-0.00") == 0)
        p++;
    asc_buffer_text(out, before);
    if (*p == '-') {
        asc_buffer_text(out, latex ? "$-$" : "\xE2\x88\x92");
        p++;
    }
    asc_buffer_text(out, p[0] == '0' ? p + 1 : p);
}

/* The row of one cell: column, row, mean, whether its text is white, texts. */
static void
put_cell(struct plot_figure *f, const struct cell *c, size_t x, size_t y,
         double factor, double top)
{
    const int latex = plot_latex(f);
    double mean, lo, hi;

    if (c->lines == 0)
        return;
    plot_interval(c->n, &c->sum, &c->squares, factor, &mean, &lo, &hi);
    asc_buffer_print(&f->data, "%zu\t%zu\t", x + 1, y + 1);
    if (isnan(mean)) {
        asc_buffer_print(&f->data, "NaN\t0\t%s\t\n",
                         latex ? "--" : "\xE2\x80\x93");
        return;
    }
    asc_buffer_print(&f->data, "%.6g\t%d\t", mean,
                     mean > 0.85 * top);
    put_short(&f->data, "", mean, latex);
    asc_buffer_char(&f->data, '\t');
    if (!isnan(hi))
        put_short(&f->data, "\xC2\xB1", hi - mean, latex);
    asc_buffer_char(&f->data, '\n');
}

static void
prepare_heatmap(struct plot_figure *f, asc_reader *r,
                const struct tool_options *o)
{
    const double factor = plot_normal(o), line = plot_line_height(f);
    const double number = 1.15 * plot_text_width(f, "\xE2\x88\x92.00");
    struct plot_page page = { 0 };
    struct pairs p;
    char **name, **below, **label, level[32];
    double width, top = 1.0, v, row, names, across;
    struct asc_error e;
    size_t i, x, y, n;

    read_pairs(&p, r, o);
    n = p.methods.n;
    if (!(label = plot_keys_labels(&p.keys))
        || !(name = calloc(n + 1, sizeof *name))
        || !(below = calloc(n + 1, sizeof *below)))
        tool_no_memory();
    for (i = 0; i < n; i++)
        if (!(name[i] = strdup(p.methods.v[i])))
            tool_no_memory();
    if (!plot_plain(name, n))
        tool_no_memory();
    /* a terminal of characters cannot turn text: numbers below, there */
    for (i = 0; i < n && f->type == PLOT_DUMB; i++) {
        char *numbered;

        if (asprintf(&numbered, "%s %zu", name[i], i + 1) < 0)
            tool_no_memory();
        free(name[i]);
        name[i] = numbered;
    }
    names = plot_fit_labels(f, name, n, 30, 0.36);
    page.n = p.n_panels;
    page.left = names + 0.7 * line;
    page.right = 0.5 * line;
    page.gap = 1.0 * line;
    page.strip = 1.3 * line;
    page.below = 0.4 * line;
    plot_page_columns(&page, f, number * (double)n);
    width = plot_page_panel_width(&page, f);
    if (width < number * (double)n && f->type != PLOT_DUMB) {
        asc_fail(&e, ASC_EUSAGE, "--width: %zu methods need %.2gin", n,
                 f->width + number * (double)n - width);
        tool_fail(&e);
    }
    /* names below: upright where cells are narrow, else level */
    for (i = 0; i < n; i++)
        if ((f->type == PLOT_DUMB ? asprintf(&below[i], "%zu", i + 1)
                                  : asprintf(&below[i], "%s", name[i])) < 0)
            tool_no_memory();
    across = f->type != PLOT_DUMB && names > 0.9 * width / (double)n ? 0.0
                                                                     : 1.0;
    page.foot = (across > 0.0 ? 1.5 * line : names + 0.6 * line)
        + 1.7 * line;
    row = fmax(2.5 * line, fmin(width / (double)n,
                                (p.n_panels > 1 ? 2.5 : 3.2) * line));
    page.inside = row * (double)n;
    if (plot_page_set(&page, f, 2.2 * line * (double)n, &e) != ASC_OK)
        tool_fail(&e);
    plot_fit_labels(f, label, p.n_panels, 60, (width + 0.9 * page.gap)
                    / f->width);
    plot_set_number(f, "M", (double)n);
    plot_set_texts(f, "METHOD", name, n);
    plot_set_texts(f, "BELOW", below, n);
    plot_set_texts(f, "PANEL", label, p.n_panels);
    plot_set_number(f, "LEVEL", across);
    plot_level(f, o, level, sizeof level);
    asc_buffer_print(&f->head, "XLABEL = 'mean over rows \xC2\xB1 %s "
                     "interval'\n", level);
    for (i = 0; i < p.n_panels; i++)
        for (x = 0; x < n * n; x++) {
            const struct cell *c = &p.panel[i][x / n * p.room + x % n];

            v = c->n ? fabs(asc_sum_value(&c->sum) / (double)c->n) : 0.0;
            top = fmax(top, v);
        }
    plot_set_number(f, "SCALE", top);
    asc_buffer_text(&f->data, "# column, row, mean, 1 on dark ground, texts\n"
                    "$cells << EOD\n");
    for (i = 0; i < p.n_panels; i++) {
        for (y = 0; y < n; y++)
            for (x = 0; x < n; x++) {
                const struct cell *c = &p.panel[i][y * p.room + x];

                if (c->lines == 0)
                    c = &p.panel[i][x * p.room + y];
                put_cell(f, c, x, y, factor, top);
            }
        asc_buffer_text(&f->data, "\n\n");
    }
    asc_buffer_text(&f->data, "EOD\n");
    for (i = 0; i < p.n_panels; i++)
        free(p.panel[i]);
    free(p.panel);
    plot_labels_free(label, p.n_panels);
    plot_labels_free(name, n);
    plot_labels_free(below, n);
    plot_names_free(&p.methods);
    plot_keys_free(&p.keys);
    plot_keys_free(&p.rest);
}

const struct plot_kind plot_heatmap = {
    "heatmap", "agreement of methods, mean over rows",
    "a pair table", prepare_heatmap
};
