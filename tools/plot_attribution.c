/* plot_attribution.c -- bars and beeswarms of attribution tables.
 *
 * bars: mean |phi| of each field with its normal interval, m +- z s / sqrt(n).
 * beeswarm: each row's phi as a disc, fields in the order of mean |phi|,
 * coloured by the field's value where -x gives it: 0 at the 5 % quantile, 1 at
 * the 95 % one, of two categories the first and the second in sorted order.
 * Fields are in the order of their mean share of the largest mean |phi|, over
 * the panels, so that all panels have the same order. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot_kinds.h"

enum {
    FIELDS_SHOWN = 20,          /* unless --top says more */
    ROWS_SHOWN = 1000           /* of a beeswarm panel */
};

/* One row of a beeswarm. */
struct row {
    uint64_t hash;              /* of the id: the smallest are shown */
    char *id;
    double *phi;                /* (d) */
};

struct panel {
    size_t n_rows;              /* read */
    size_t *n;                  /* (d) defined values */
    struct asc_sum *sum, *squares;      /* (d) of |phi| */
    size_t n_shown;
    struct row *shown;          /* (ROWS_SHOWN) a heap, largest hash first */
};

struct attribution {
    size_t d;
    char **field;               /* (d) */
    size_t *column;             /* (d) */
    struct plot_keys keys, rest;
    size_t n_panels;
    struct panel *panel;
    char **label;               /* (n_panels) */
    size_t n_fields, *order;    /* (n_fields) fields shown, first one first */
};

static void
read_head(struct attribution *a, asc_reader *r, const struct tool_options *o)
{
    static const char *const usual[] = { "model", "method", "output" };
    const size_t n = asc_reader_n_columns(r);
    struct asc_error e;
    size_t j;

    memset(a, 0, sizeof *a);
    a->field = calloc(n + 1, sizeof *a->field);
    a->column = calloc(n + 1, sizeof *a->column);
    if (!a->field || !a->column)
        tool_no_memory();
    for (j = 0; j < n; j++) {
        if (strncmp(asc_reader_column(r, j), "phi.", 4) != 0)
            continue;
        a->field[a->d] = strdup(asc_reader_column(r, j) + 4);
        if (!a->field[a->d])
            tool_no_memory();
        a->column[a->d++] = j;
    }
    if (a->d == 0) {
        asc_fail(&e, ASC_EINPUT, "%s: no columns phi.FIELD: is this an "
                 "attribution table?", asc_reader_name(r));
        tool_fail(&e);
    }
    plot_panels(&a->keys, r, usual, 3, o);
    plot_keys_add(&a->rest, r, usual, 3, &a->keys);
}

static struct panel *
panel_of(struct attribution *a, size_t i)
{
    struct panel *p;

    if (i == SIZE_MAX)
        tool_no_memory();
    if (i < a->n_panels)
        return &a->panel[i];
    p = reallocarray(a->panel, i + 1, sizeof *p);
    if (!p)
        tool_no_memory();
    a->panel = p;
    a->n_panels = i + 1;
    p += i;
    memset(p, 0, sizeof *p);
    p->n = calloc(a->d, sizeof *p->n);
    p->sum = calloc(a->d, sizeof *p->sum);
    p->squares = calloc(a->d, sizeof *p->squares);
    if (!p->n || !p->sum || !p->squares)
        tool_no_memory();
    return p;
}

/* ---- the rows of a beeswarm ---- */

static int
hash_above(const struct row *a, const struct row *b)
{
    return a->hash != b->hash ? a->hash > b->hash : strcmp(a->id, b->id) > 0;
}

static void
swap_rows(struct row *a, struct row *b)
{
    const struct row kept = *a;

    *a = *b;
    *b = kept;
}

/* Keeps the rows with the smallest hashes. */
static void
show(struct panel *p, struct asc_text id, const double *phi, size_t d)
{
    struct row new;
    size_t i, child;

    if (!p->shown && !(p->shown = calloc(ROWS_SHOWN, sizeof *p->shown)))
        tool_no_memory();
    new.hash = asc_hash(id.p, id.n);
    new.id = strndup(id.p, id.n);
    new.phi = malloc(d * sizeof *phi);
    if (!new.id || !new.phi)
        tool_no_memory();
    memcpy(new.phi, phi, d * sizeof *phi);
    if (p->n_shown < ROWS_SHOWN) {
        i = p->n_shown++;
        p->shown[i] = new;
        for (; i > 0 && hash_above(&p->shown[i], &p->shown[(i - 1) / 2]);
             i = (i - 1) / 2)
            swap_rows(&p->shown[i], &p->shown[(i - 1) / 2]);
        return;
    }
    if (hash_above(&p->shown[0], &new))
        swap_rows(&p->shown[0], &new);
    free(new.id);
    free(new.phi);
    for (i = 0; (child = 2 * i + 1) < ROWS_SHOWN; i = child) {
        if (child + 1 < ROWS_SHOWN
            && hash_above(&p->shown[child + 1], &p->shown[child]))
            child++;
        if (!hash_above(&p->shown[child], &p->shown[i]))
            break;
        swap_rows(&p->shown[child], &p->shown[i]);
    }
}

/* ---- reading ---- */

static void
read_rows(struct attribution *a, asc_reader *r, int swarm)
{
    double *phi = malloc(a->d * sizeof *phi);
    struct panel *p;
    size_t j;

    if (!phi)
        tool_no_memory();
    while (plot_next(r)) {
        plot_one_of(&a->rest, r);
        p = panel_of(a, plot_keys_index(&a->keys, r));
        p->n_rows++;
        for (j = 0; j < a->d; j++) {
            phi[j] = plot_value(r, a->column[j]);
            if (isnan(phi[j]))
                continue;
            p->n[j]++;
            asc_sum_add(&p->sum[j], fabs(phi[j]));
            asc_sum_add(&p->squares[j], phi[j] * phi[j]);
        }
        if (swarm)
            show(p, asc_reader_id(r), phi, a->d);
    }
    free(phi);
    plot_some(r, a->n_panels);
}

static double
mean_size(const struct panel *p, size_t j)
{
    return p->n[j] ? asc_sum_value(&p->sum[j]) / (double)p->n[j] : 0.0;
}

/* Which fields are shown, most important first; ties in the table's order. */
static void
order_fields(struct attribution *a, const struct tool_options *o)
{
    double *share = calloc(a->d, sizeof *share), top;
    size_t i, j, k, most = o->top ? o->top : FIELDS_SHOWN;

    a->order = malloc(a->d * sizeof *a->order);
    if (!share || !a->order)
        tool_no_memory();
    for (i = 0; i < a->n_panels; i++) {
        for (j = 0, top = 0.0; j < a->d; j++)
            top = fmax(top, mean_size(&a->panel[i], j));
        for (j = 0; j < a->d && top > 0.0; j++)
            share[j] += mean_size(&a->panel[i], j) / top;
    }
    for (j = 0; j < a->d; j++) {
        for (k = j; k > 0 && share[a->order[k - 1]] < share[j]; k--)
            a->order[k] = a->order[k - 1];
        a->order[k] = j;
    }
    a->n_fields = a->d < most ? a->d : most;
    if (a->n_fields < a->d && !o->top)
        tool_note("the %zu largest of %zu fields are shown; --top N for "
                  "another number", a->n_fields, a->d);
    free(share);
}

static void
finish(struct attribution *a)
{
    size_t i, j;

    for (i = 0; i < a->n_panels; i++) {
        struct panel *p = &a->panel[i];

        for (j = 0; j < p->n_shown; j++) {
            free(p->shown[j].id);
            free(p->shown[j].phi);
        }
        free(p->shown);
        free(p->n);
        free(p->sum);
        free(p->squares);
    }
    free(a->panel);
    plot_labels_free(a->label, a->n_panels);
    for (j = 0; j < a->d; j++)
        free(a->field[j]);
    free(a->field);
    free(a->column);
    free(a->order);
    plot_keys_free(&a->keys);
    plot_keys_free(&a->rest);
}

/* Geometry that both kinds share: a row of `pitch' line heights for each
 * field, names on the left.  Returns the width of a panel. */
static double
set_page(struct attribution *a, struct plot_figure *f, double pitch,
         double least_width, double foot)
{
    const double line = plot_line_height(f);
    struct plot_page page = { .n = a->n_panels };
    char **name = calloc(a->n_fields + 1, sizeof *name);
    struct asc_error e;
    double width;
    size_t i;

    a->label = plot_keys_labels(&a->keys);
    if (!name || !a->label)
        tool_no_memory();
    if (a->n_panels == 1)
        a->label[0][0] = '\0';
    for (i = 0; i < a->n_fields; i++)
        if (!(name[i] = strdup(a->field[a->order[i]])))
            tool_no_memory();
    page.left = plot_fit_labels(f, name, a->n_fields, 28, 0.4)
        + 0.9 * line;
    page.right = 0.8 * line;
    page.gap = 1.3 * line;
    page.strip = a->n_panels > 1 ? 1.3 * line : 0.0;
    page.below = 1.5 * line;
    page.foot = foot;
    page.inside = pitch * line * (double)a->n_fields;
    /* the axis takes a row of characters */
    if (f->type == PLOT_DUMB)
        page.inside = fmax(page.inside, line * ((double)a->n_fields + 2.0));
    plot_page_columns(&page, f, least_width);
    if (plot_page_set(&page, f, line * (double)a->n_fields, &e) != ASC_OK)
        tool_fail(&e);
    width = plot_page_panel_width(&page, f);
    plot_fit_labels(f, a->label, a->n_panels, 60,
                    (width + 0.9 * page.gap) / f->width);
    plot_set_number(f, "M", (double)a->n_fields);
    plot_set_texts(f, "FIELD", name, a->n_fields);
    plot_set_texts(f, "PANEL", a->label, a->n_panels);
    plot_labels_free(name, a->n_fields);
    return width;
}

/* Panels whose ranges differ little get one axis, to be compared by eye. */
static void
share_axis(double *lo, double *hi, size_t n)
{
    double least = INFINITY, most = 0.0, low = INFINITY, high = -INFINITY;
    size_t i;

    for (i = 0; i < n; i++) {
        least = fmin(least, hi[i] - lo[i]);
        most = fmax(most, hi[i] - lo[i]);
        low = fmin(low, lo[i]);
        high = fmax(high, hi[i]);
    }
    for (i = 0; i < n && most <= 2.0 * least; i++) {
        lo[i] = low;
        hi[i] = high;
    }
}

/* ---- bars ---- */

static void
prepare_bars(struct plot_figure *f, asc_reader *r,
             const struct tool_options *o)
{
    const double factor = plot_normal(o);
    struct attribution a;
    struct plot_axis *axis;
    double width, mean, lo, hi, *top;   /* top (2, n): zeros, then tops */
    char level[64], text[128];
    size_t i, k, j;

    read_head(&a, r, o);
    read_rows(&a, r, 0);
    order_fields(&a, o);
    width = set_page(&a, f, 1.25, 0.75, 1.5 * plot_line_height(f));
    axis = calloc(a.n_panels + 1, sizeof *axis);
    top = calloc(2 * a.n_panels + 1, sizeof *top);
    if (!axis || !top)
        tool_no_memory();
    plot_level(f, o, level, sizeof level);
    snprintf(text, sizeof text, plot_latex(f) ? "mean $|\\phi|$ (%s interval)"
             : "mean |\xCF\x86| (%s interval)", level);
    asc_buffer_print(&f->head, "XLABEL = '%s'\n", text);
    asc_buffer_text(&f->data, "# place of the field, mean, lower and upper "
                    "end of the interval\n$bars << EOD\n");
    for (i = 0; i < a.n_panels; i++) {
        const struct panel *p = &a.panel[i];
        double *most = &top[a.n_panels + i];

        for (k = 0; k < a.n_fields; k++) {
            j = a.order[k];
            plot_interval(p->n[j], &p->sum[j], &p->squares[j], factor, &mean,
                          &lo, &hi);
            *most = fmax(*most, isnan(hi) ? mean : hi);
            asc_buffer_print(&f->data, "%zu\t%.6g\t%.6g\t%.6g\n", k + 1, mean,
                             isnan(lo) ? mean : fmax(lo, 0.0),
                             isnan(hi) ? mean : hi);
        }
        asc_buffer_text(&f->data, "\n\n");
        *most = *most > 0.0 ? 1.04 * *most : 1.0;
    }
    asc_buffer_text(&f->data, "EOD\n");
    share_axis(top, top + a.n_panels, a.n_panels);
    for (i = 0; i < a.n_panels; i++)
        plot_axis(&axis[i], f, 0.0, top[a.n_panels + i], width);
    plot_axes_set(f, "", axis, a.n_panels);
    free(top);
    free(axis);
    finish(&a);
}

const struct plot_kind plot_bars = {
    "bars", "mean absolute attribution of each field",
    "an attribution table", prepare_bars
};

/* ---- beeswarms ---- */

/* What -x says of the rows shown: colour (n_ids, d) in 0..1, NaN where there
 * is none. */
struct colours {
    size_t n_ids;
    char **id;                  /* (n_ids) sorted */
    double *value;              /* (n_ids, d) */
};

static int
compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
compare_numbers(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}

static size_t
find_id(const struct colours *c, const char *id)
{
    char *const *hit = bsearch(&id, c->id, c->n_ids, sizeof *c->id,
                               compare_ids);

    return hit ? (size_t)(hit - c->id) : SIZE_MAX;
}

static void
collect_ids(struct colours *c, const struct attribution *a)
{
    size_t i, j, n = 0;

    for (i = 0; i < a->n_panels; i++)
        n += a->panel[i].n_shown;
    c->id = malloc((n + 1) * sizeof *c->id);
    if (!c->id)
        tool_no_memory();
    for (i = 0, n = 0; i < a->n_panels; i++)
        for (j = 0; j < a->panel[i].n_shown; j++)
            c->id[n++] = a->panel[i].shown[j].id;
    qsort(c->id, n, sizeof *c->id, compare_ids);
    for (i = 0; i < n; i++)
        if (i == 0 || strcmp(c->id[i], c->id[c->n_ids - 1]) != 0)
            c->id[c->n_ids++] = c->id[i];
}

/* Texts (n) of a field as colours at v (n), every `stride'th. */
static void
scale_colours(const char *field, char **text, size_t n, double *v,
              size_t stride)
{
    double *known = malloc((n + 1) * sizeof *known), lo, hi;
    struct plot_names names = { 0, 0, NULL };
    size_t i, m = 0;
    int numbers = 1;

    if (!known)
        tool_no_memory();
    for (i = 0; i < n; i++) {
        v[i * stride] = NAN;
        if (!text[i])
            continue;
        numbers = numbers && asc_number_parse(text[i], strlen(text[i]),
                                              &v[i * stride]);
        known[m++] = v[i * stride];
    }
    if (numbers && m > 0) {
        qsort(known, m, sizeof *known, compare_numbers);
        lo = known[(size_t)(0.05 * (double)(m - 1))];
        hi = known[(size_t)ceil(0.95 * (double)(m - 1))];
        if (!(hi > lo)) {
            lo = known[0];
            hi = known[m - 1];
        }
        for (i = 0; i < n; i++)
            if (!isnan(v[i * stride]))
                v[i * stride] = hi > lo
                    ? fmin(1.0, fmax(0.0, (v[i * stride] - lo) / (hi - lo)))
                    : 0.5;
    } else if (m > 0) {
        for (i = 0; i < n; i++) {
            struct asc_text t = { text[i], text[i] ? strlen(text[i]) : 0 };

            if (text[i] && plot_name(&names, t) == SIZE_MAX)
                tool_no_memory();
        }
        if (names.n > 2)
            tool_note("%s has %zu categories and no order: drawn without "
                      "colour", field, names.n);
        qsort(names.v, names.n, sizeof *names.v, compare_ids);
        for (i = 0; i < n; i++)
            v[i * stride] = !text[i] || names.n > 2 ? NAN
                : names.n == 1 ? 0.5 : strcmp(text[i], names.v[0]) != 0;
    }
    plot_names_free(&names);
    free(known);
}

static void
read_colours(struct colours *c, const struct attribution *a,
             const struct tool_options *o)
{
    asc_reader *r = tool_side_table(o->data, o);
    char **text;                /* (d, n_ids), NULL: missing */
    char *seen;                 /* (n_ids) */
    size_t *column = malloc(a->d * sizeof *column);
    struct asc_error e;
    size_t i, j;

    collect_ids(c, a);
    text = calloc(a->d * c->n_ids + 1, sizeof *text);
    seen = calloc(c->n_ids + 1, 1);
    c->value = malloc((a->d * c->n_ids + 1) * sizeof *c->value);
    if (!column || !text || !seen || !c->value)
        tool_no_memory();
    for (j = 0; j < a->d; j++)
        column[j] = plot_column(r, a->field[j]);
    while (plot_next(r)) {
        const struct asc_text id = asc_reader_id(r);
        char *key = strndup(id.p, id.n);

        if (!key)
            tool_no_memory();
        i = find_id(c, key);
        free(key);
        if (i == SIZE_MAX || seen[i])
            continue;
        seen[i] = 1;
        for (j = 0; j < a->d; j++) {
            const struct asc_text t = asc_reader_text(r, column[j]);

            if (asc_reader_missing(r, column[j]))
                continue;
            if (!(text[j * c->n_ids + i] = strndup(t.p, t.n)))
                tool_no_memory();
        }
    }
    for (i = 0; i < c->n_ids; i++)
        if (!seen[i]) {
            asc_fail(&e, ASC_EINPUT, "%s: there is no row \"%s\": are these "
                     "the rows that were explained?", asc_reader_name(r),
                     c->id[i]);
            tool_fail(&e);
        }
    for (j = 0; j < a->d; j++)
        scale_colours(a->field[j], text + j * c->n_ids, c->n_ids,
                      c->value + j, a->d);
    for (i = 0; i < a->d * c->n_ids; i++)
        free(text[i]);
    free(text);
    free(seen);
    free(column);
    asc_reader_close(r);
}

/* One disc to be. */
struct disc {
    double x, colour;
    const char *id;
};

/* By x; discs at the same x by colour, so that colours do not mix at random,
 * then by name. */
static int
compare_discs(const void *a, const void *b)
{
    const struct disc *p = a, *q = b;

    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    if (p->colour != q->colour)
        return p->colour < q->colour ? -1 : 1;
    return strcmp(p->id, q->id);
}

/* Adds the discs of one field of a panel: place k of the fields, `unit' inches
 * to one of x, rows of fields `pitch' inches apart. */
static void
put_discs(struct plot_figure *f, const struct panel *p, size_t j, size_t k,
          const struct colours *c, size_t d, double unit, double pitch,
          double diameter)
{
    struct disc *disc = calloc(p->n_shown + 1, sizeof *disc);
    double *x = malloc((p->n_shown + 1) * sizeof *x);
    double *y = malloc((p->n_shown + 1) * sizeof *y);
    size_t *order = malloc((p->n_shown + 1) * sizeof *order);
    double widest = 0.0, squeeze;
    struct asc_error e;
    size_t i, n = 0;

    if (!disc || !x || !y || !order)
        tool_no_memory();
    for (i = 0; i < p->n_shown; i++) {
        const struct row *row = &p->shown[i];

        if (isnan(row->phi[j]))
            continue;
        disc[n].x = row->phi[j];
        disc[n].id = row->id;
        disc[n].colour = c->n_ids ? c->value[find_id(c, row->id) * d + j]
                                  : NAN;
        if (isnan(disc[n].colour))
            disc[n].colour = -1.0;
        n++;
    }
    qsort(disc, n, sizeof *disc, compare_discs);
    for (i = 0; i < n; i++) {
        x[i] = disc[i].x * unit;
        order[i] = i;
    }
    if (plot_swarm(x, order, n, diameter, y, &e) != ASC_OK)
        tool_fail(&e);
    for (i = 0; i < n; i++)
        widest = fmax(widest, fabs(y[i]));
    /* a swarm wider than its row is squeezed into it as a whole */
    squeeze = widest > 0.44 * pitch ? 0.44 * pitch / widest : 1.0;
    for (i = 0; i < n; i++)
        asc_buffer_print(&f->data, "%.6g\t%.4f\t%.3g\n", disc[i].x,
                         (double)k + 1.0 + y[i] * squeeze / pitch,
                         disc[i].colour);
    free(disc);
    free(x);
    free(y);
    free(order);
}

static void
prepare_beeswarm(struct plot_figure *f, asc_reader *r,
                 const struct tool_options *o)
{
    const double line = plot_line_height(f), pitch = 1.8 * line;
    const double diameter = 0.026;
    struct colours c = { 0, NULL, NULL };
    struct attribution a;
    struct plot_axis *axis;
    double width, *lo, *hi;
    size_t i, j, k, m, cut = 0;

    read_head(&a, r, o);
    read_rows(&a, r, 1);
    order_fields(&a, o);
    for (i = 0; i < a.n_panels; i++)
        cut = a.panel[i].n_rows > ROWS_SHOWN ? a.panel[i].n_rows : cut;
    if (cut)
        tool_note("%d of %zu rows are drawn, those with the smallest hashes "
                  "of their ids", ROWS_SHOWN, cut);
    if (o->data)
        read_colours(&c, &a, o);
    width = set_page(&a, f, pitch / line, 0.95,
                     (o->data && f->type != PLOT_DUMB ? 2.9 : 1.5) * line);
    axis = calloc(a.n_panels + 1, sizeof *axis);
    lo = calloc(2 * a.n_panels + 1, sizeof *lo);
    if (!axis || !lo)
        tool_no_memory();
    hi = lo + a.n_panels;
    asc_buffer_print(&f->head, "XLABEL = '%s'\nCOLOURED = %d\nDISC = %g\n",
                     plot_latex(f) ? "attribution $\\phi$"
                     : "attribution \xCF\x86", c.n_ids > 0, diameter);
    asc_buffer_text(&f->data, "# attribution, place of the field and offset, "
                    "the field's value from 0 low to 1 high, -1 unknown\n"
                    "$swarm << EOD\n");
    for (i = 0; i < a.n_panels; i++) {
        const struct panel *p = &a.panel[i];
        double slack;

        for (k = 0; k < a.n_fields; k++)
            for (m = 0; m < p->n_shown; m++) {
                lo[i] = fmin(lo[i], p->shown[m].phi[a.order[k]]);
                hi[i] = fmax(hi[i], p->shown[m].phi[a.order[k]]);
            }
        slack = 0.03 * (hi[i] - lo[i]);
        lo[i] -= slack;
        hi[i] += slack;
    }
    share_axis(lo, hi, a.n_panels);
    for (i = 0; i < a.n_panels; i++) {
        const struct panel *p = &a.panel[i];

        plot_axis(&axis[i], f, lo[i], hi[i], width);
        for (k = 0; k < a.n_fields; k++) {
            j = a.order[k];
            put_discs(f, p, j, k, &c, a.d,
                      width / (axis[i].hi - axis[i].lo), pitch, diameter);
        }
        asc_buffer_text(&f->data, "\n\n");
    }
    asc_buffer_text(&f->data, "EOD\n");
    plot_axes_set(f, "", axis, a.n_panels);
    free(axis);
    free(lo);
    free(c.id);
    free(c.value);
    finish(&a);
}

const struct plot_kind plot_beeswarm = {
    "beeswarm", "each row's attribution to each field, coloured by -x",
    "an attribution table", prepare_beeswarm
};
