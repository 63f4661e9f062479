/* plot.c -- text, axes and pages of figures.  See plot.h. */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot.h"

enum { POINTS = 72 };           /* an inch */

/* The grid of characters that a page of the dumb terminal is drawn on. */
#define DUMB_COLUMNS 24.0       /* an inch */
#define DUMB_ROWS 10.0

int
plot_latex(const struct plot_figure *f)
{
    return f->type == PLOT_TIKZ || f->type == PLOT_CAIROLATEX;
}

/* ---- text ---- */

/* The bytes of the character at s, and whether they are valid UTF-8: no
 * overlong forms, no surrogates. */
static size_t
character(const char *s, int *valid)
{
    const unsigned char *c = (const unsigned char *)s;
    const size_t n = c[0] < 0x80 ? 1 : c[0] < 0xC2 ? 0 : c[0] < 0xE0 ? 2
        : c[0] < 0xF0 ? 3 : c[0] < 0xF5 ? 4 : 0;
    size_t i;

    *valid = n > 0;
    for (i = 1; i < n; i++)
        if ((c[i] & 0xC0) != 0x80)
            *valid = 0;
    if ((c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] > 0x9F)
        || (c[0] == 0xF0 && c[1] < 0x90) || (c[0] == 0xF4 && c[1] > 0x8F))
        *valid = 0;
    return *valid ? n : 1;
}

double
plot_line_height(const struct plot_figure *f)
{
    return f->type == PLOT_DUMB ? 1.0 / DUMB_ROWS : 1.2 * f->size / POINTS;
}

/* Advance widths of Helvetica, thousandths of the size, from the space on;
 * widened by an eighth, because the font that stands in for it may be wider. */
double
plot_text_width(const struct plot_figure *f, const char *text)
{
    static const unsigned short width[95] = {
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,
        278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
        584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
        500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
        667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556,
        278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
        278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584
    };
    double total = 0.0, n = 0.0;
    size_t step;
    int valid;

    for (; *text; text += step, n++) {
        const unsigned char c = (unsigned char)*text;

        step = character(text, &valid);
        /* from U+2E80 on characters are as wide as they are high */
        total += c >= 0x20 && c < 0x7F ? width[c - 0x20]
            : valid && step >= 3 && c >= 0xE3 ? 1000 : 600;
    }
    return f->type == PLOT_DUMB ? n / DUMB_COLUMNS
        : 1.125 * total / 1000.0 * f->size / POINTS;
}

/* What stands for a character in LaTeX, NULL for itself. */
static const char *
latex_character(char c)
{
    switch (c) {
    case '\\': return "\\textbackslash{}";
    case '{': return "\\{";
    case '}': return "\\}";
    case '$': return "\\$";
    case '&': return "\\&";
    case '#': return "\\#";
    case '_': return "\\_";
    case '%': return "\\%";
    case '^': return "\\textasciicircum{}";
    case '~': return "\\textasciitilde{}";
    case '<': return "\\textless{}";
    case '>': return "\\textgreater{}";
    case '|': return "\\textbar{}";
    case '"': return "\\textquotedbl{}";
    case '\'': return "\\textquotesingle{}";
    case '`': return "\\textasciigrave{}";
    default: return NULL;
    }
}

void
plot_quote(struct asc_buffer *out, const char *text, int latex)
{
    const char *other;
    size_t step;
    int valid;

    asc_buffer_char(out, '\'');
    for (; *text; text += step) {
        step = character(text, &valid);
        if (!valid || (unsigned char)*text < 0x20 || *text == 0x7F) {
            asc_buffer_char(out, '?');
            continue;
        }
        other = latex ? latex_character(*text) : NULL;
        if (other)
            asc_buffer_text(out, other);
        else if (*text == '\'')
            /* gnuplot reads '' as a quote in some places only */
            asc_buffer_text(out, "'.\"\\047\".'");
        else
            asc_buffer_add(out, text, step);
    }
    asc_buffer_char(out, '\'');
}

void
plot_set_text(struct plot_figure *f, const char *name, const char *text)
{
    asc_buffer_print(&f->head, "%s = ", name);
    plot_quote(&f->head, text, plot_latex(f));
    asc_buffer_char(&f->head, '\n');
}

void
plot_set_texts(struct plot_figure *f, const char *name, char *const *text,
               size_t n)
{
    size_t i;

    if (n == 0) {
        asc_buffer_print(&f->head, "array %s[1] = ['']\n", name);
        return;
    }
    asc_buffer_print(&f->head, "array %s[%zu]\n", name, n);
    for (i = 0; i < n; i++) {
        asc_buffer_print(&f->head, "%s[%zu] = ", name, i + 1);
        plot_quote(&f->head, text[i], plot_latex(f));
        asc_buffer_char(&f->head, '\n');
    }
}

/* Six digits are finer than any printer. */
static void
put_number(struct asc_buffer *out, double v)
{
    if (isnan(v))
        asc_buffer_text(out, "NaN");
    else
        asc_buffer_number(out, v, 6);
}

void
plot_set_number(struct plot_figure *f, const char *name, double v)
{
    asc_buffer_print(&f->head, "%s = ", name);
    put_number(&f->head, v);
    asc_buffer_char(&f->head, '\n');
}

void
plot_set_numbers(struct plot_figure *f, const char *name, const double *v,
                 size_t n)
{
    size_t i;

    asc_buffer_print(&f->head, "array %s[%zu] = [", name, n);
    for (i = 0; i < n; i++) {
        if (i > 0)
            asc_buffer_text(&f->head, ", ");
        put_number(&f->head, v[i]);
    }
    asc_buffer_text(&f->head, "]\n");
}

char *
plot_shorten(const char *text, size_t most)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t n = 0, i, step, tail;
    const char *p;
    int valid;

    for (p = text; *p; p += character(p, &valid))
        n++;
    /* the front tells names apart more often than the end */
    tail = most / 3;
    for (p = text, i = 0; *p; p += step, i++) {
        step = character(p, &valid);
        if (n <= most || i < most - 1 - tail || i >= n - tail)
            asc_buffer_add(&b, p, step);
        else if (i == most - 1 - tail)
            asc_buffer_text(&b, "\xE2\x80\xA6");
    }
    asc_buffer_char(&b, '\0');
    if (b.failed) {
        asc_buffer_free(&b);
        return NULL;
    }
    return b.p;
}

/* 1 if the text is NAME:KEY=VALUE[:KEY=VALUE...]. */
static int
is_specification(const char *text)
{
    const char *p = strchr(text, ':');

    if (!p || p == text)
        return 0;
    for (; *p; p += 1 + strcspn(p + 1, ":")) {
        const size_t n = strcspn(p + 1, ":");
        const char *equals = memchr(p + 1, '=', n);

        if (!equals || equals == p + 1)
            return 0;
    }
    return 1;
}

/* 1 if the specification has the parameter `:key=value' (n bytes). */
static int
has_parameter(const char *text, const char *parameter, size_t n)
{
    const char *p;

    for (p = strchr(text, ':'); p; p = strchr(p + 1, ':'))
        if (1 + strcspn(p + 1, ":") == n && memcmp(p, parameter, n) == 0)
            return 1;
    return 0;
}

/* text[j] without what all other texts of its name share; to be freed. */
static char *
plain(char *const *text, size_t n, size_t j)
{
    const char *own = text[j], *p;
    const size_t name = strcspn(own, ":");
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t length, m, others, shared;

    if (!is_specification(own))
        return strdup(own);
    asc_buffer_add(&b, own, name);
    for (p = own + name; *p; p += length) {
        length = 1 + strcspn(p + 1, ":");
        for (m = 0, others = shared = 0; m < n; m++) {
            if (strcspn(text[m], ":") != name
                || memcmp(text[m], own, name) != 0
                || strcmp(text[m], own) == 0)
                continue;
            others++;
            shared += (size_t)has_parameter(text[m], p, length);
        }
        if (shared < others)
            asc_buffer_add(&b, p, length);
    }
    asc_buffer_char(&b, '\0');
    if (b.failed) {
        asc_buffer_free(&b);
        return NULL;
    }
    return b.p;
}

int
plot_plain(char **text, size_t n)
{
    char **new = calloc(n + 1, sizeof *new);
    size_t j;

    for (j = 0; new && j < n; j++)
        if (!(new[j] = plain(text, n, j))) {
            plot_labels_free(new, n);
            return 0;
        }
    for (j = 0; new && j < n; j++) {
        free(text[j]);
        text[j] = new[j];
    }
    free(new);
    return new != NULL;
}

void
plot_p_value(double p, struct asc_buffer *out)
{
    if (isnan(p))
        return;
    if (p < 0.001)
        asc_buffer_text(out, "<0.001");
    else
        asc_buffer_print(out, "%.*f", p < 0.1 ? 3 : 2, p);
}

/* ---- names ---- */

size_t
plot_name(struct plot_names *s, struct asc_text t)
{
    size_t i, k;
    char **v, *copy;

    /* Names come in turn, so the next one is tried first. */
    for (i = 0; i < s->n; i++) {
        k = (s->last + 1 + i) % s->n;
        if (strlen(s->v[k]) == t.n
            && (t.n == 0 || memcmp(s->v[k], t.p, t.n) == 0))
            return s->last = k;
    }
    v = reallocarray(s->v, s->n + 1, sizeof *v);
    if (!v)
        return SIZE_MAX;
    s->v = v;
    if (!(copy = strndup(t.n ? t.p : "", t.n)))
        return SIZE_MAX;
    v[s->n] = copy;
    return s->last = s->n++;
}

void
plot_names_free(struct plot_names *s)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        free(s->v[i]);
    free(s->v);
    memset(s, 0, sizeof *s);
}

/* ---- keys ---- */

int
plot_keys_has(const struct plot_keys *k, size_t column)
{
    size_t i;

    for (i = 0; i < k->n; i++)
        if (k->column[i] == column)
            return 1;
    return 0;
}

void
plot_keys_add(struct plot_keys *k, const asc_reader *r,
              const char *const *name, size_t n,
              const struct plot_keys *other)
{
    size_t i;
    int j;

    for (i = 0; i < n && k->n < PLOT_KEYS_MAX; i++) {
        j = asc_reader_find(r, name[i]);
        if (j >= 0 && !plot_keys_has(k, (size_t)j)
            && !(other && plot_keys_has(other, (size_t)j)))
            k->column[k->n++] = (size_t)j;
    }
}

size_t
plot_keys_index(struct plot_keys *k, const asc_reader *r)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_text t;
    size_t i;

    if (k->n == 1)
        return plot_name(&k->combination,
                         asc_reader_text(r, k->column[0]));
    for (i = 0; i < k->n; i++) {
        t = asc_reader_text(r, k->column[i]);
        asc_buffer_add(&b, t.p, t.n);
        if (i + 1 < k->n)
            asc_buffer_char(&b, '\t');
    }
    t.p = b.p;
    t.n = b.n;
    i = b.failed ? SIZE_MAX : plot_name(&k->combination, t);
    asc_buffer_free(&b);
    return i;
}

/* The part of a combination that belongs to column i of the keys. */
static struct asc_text
part(const char *combination, size_t i)
{
    struct asc_text t;

    while (i-- > 0)
        combination += strcspn(combination, "\t") + 1;
    t.p = combination;
    t.n = strcspn(combination, "\t");
    return t;
}

/* The plain texts (n combinations) of column i of the keys. */
static char **
column_labels(const struct plot_keys *k, size_t i)
{
    const size_t n = k->combination.n;
    char **text = calloc(n + 1, sizeof *text);
    struct asc_text t;
    size_t j;

    for (j = 0; text && j < n; j++) {
        t = part(k->combination.v[j], i);
        if (!(text[j] = strndup(t.p, t.n))) {
            plot_labels_free(text, n);
            return NULL;
        }
    }
    if (text && !plot_plain(text, n)) {
        plot_labels_free(text, n);
        return NULL;
    }
    return text;
}

/* Appends `text' to *label, after a comma if there is something. */
static int
append(char **label, const char *text)
{
    char *new;

    if (asprintf(&new, "%s%s%s", *label, **label ? ", " : "", text) < 0)
        return 0;
    free(*label);
    *label = new;
    return 1;
}

char **
plot_keys_labels(const struct plot_keys *k)
{
    const size_t n = k->combination.n;
    char **label = calloc(n + 1, sizeof *label), **text;
    size_t i, j;
    int ok = label != NULL, differ;

    for (j = 0; ok && j < n; j++)
        ok = (label[j] = strdup("")) != NULL;
    for (i = 0; ok && i < k->n; i++) {
        if (!(text = column_labels(k, i))) {
            ok = 0;
            break;
        }
        for (j = 1, differ = 0; j < n; j++)
            differ |= strcmp(text[j], text[0]) != 0;
        for (j = 0; j < n && (differ || (n == 1 && i + 1 == k->n)); j++)
            ok = ok && append(&label[j], text[j]);
        plot_labels_free(text, n);
    }
    if (!ok) {
        plot_labels_free(label, n);
        return NULL;
    }
    return label;
}

void
plot_labels_free(char **v, size_t n)
{
    size_t i;

    for (i = 0; v && i < n; i++)
        free(v[i]);
    free(v);
}

void
plot_keys_free(struct plot_keys *k)
{
    plot_names_free(&k->combination);
    k->n = 0;
}

/* ---- axes ---- */

/* The widest label of the tics of an axis, INFINITY for very many tics. */
static double
tics_width(const struct plot_figure *f, const struct plot_axis *a)
{
    const double first = ceil(a->lo / a->step);
    const double last = floor(a->hi / a->step);
    double width = 0.0, k, v;
    char text[64];

    if (last - first > 200.0)
        return INFINITY;
    for (k = first; k <= last; k++) {
        v = k * a->step;
        if (a->format[1] == 'g')
            snprintf(text, sizeof text, "%g", v);
        else
            snprintf(text, sizeof text, "%.*f", a->format[2] - '0', v);
        width = fmax(width, plot_text_width(f, text));
    }
    return width;
}

/* The smallest step whose labels have `air' between them. */
static void
choose_step(struct plot_axis *a, const struct plot_figure *f, double inches,
            double air)
{
    static const double parts[] = { 1.0, 2.0, 5.0 };
    const double top = fmax(fabs(a->lo), fabs(a->hi)), range = a->hi - a->lo;
    int k, exponent, decimals;

    exponent = (int)floor(log10(range)) - 2;
    for (k = 0;; k++) {
        a->step = parts[k % 3] * pow(10.0, exponent + k / 3);
        decimals = exponent + k / 3 < 0 ? -(exponent + k / 3) : 0;
        if (decimals > 4 || top >= 1e5)
            strcpy(a->format, "%g");
        else
            memcpy(a->format, (char[]){ '%', '.', (char)('0' + decimals), 'f',
                                        '\0' }, 5);
        if (a->step > range
            || inches * a->step / range >= tics_width(f, a) + air)
            break;
    }
}

void
plot_axis(struct plot_axis *a, const struct plot_figure *f, double lo,
          double hi, double inches)
{
    const double top = fmax(fabs(lo), fabs(hi));
    const double digit = plot_text_width(f, "0");

    if (!isfinite(hi - lo)) {
        lo = fmax(lo, -1e300);
        hi = fmin(hi, 1e300);
    }
    if (!(hi > lo)) {
        hi = lo + (top > 0.0 ? top : 1.0);
        lo -= top > 0.0 ? top : 1.0;
    }
    a->lo = lo;
    a->hi = hi;
    choose_step(a, f, inches, 2.0 * digit);
    /* one tic says where, but not how far: rather less air */
    if (floor(hi / a->step) - ceil(lo / a->step) < 1.0)
        choose_step(a, f, inches, 0.5 * digit);
}

void
plot_axes_set(struct plot_figure *f, const char *letter,
              const struct plot_axis *axis, size_t n)
{
    double *v = malloc((3 * n + 1) * sizeof *v);
    const char *dollar = plot_latex(f) ? "$" : "";
    char name[32];
    size_t i;

    if (!v) {
        f->head.failed = 1;
        return;
    }
    asc_buffer_print(&f->head, "array %sFORMAT[%zu] = [", letter, n);
    for (i = 0; i < n; i++) {
        v[i] = axis[i].lo;
        v[n + i] = axis[i].hi;
        v[2 * n + i] = axis[i].step;
        asc_buffer_print(&f->head, "%s'%s%s%s'", i ? ", " : "", dollar,
                         axis[i].format, dollar);
    }
    asc_buffer_text(&f->head, "]\n");
    snprintf(name, sizeof name, "%sLO", letter);
    plot_set_numbers(f, name, v, n);
    snprintf(name, sizeof name, "%sHI", letter);
    plot_set_numbers(f, name, v + n, n);
    snprintf(name, sizeof name, "%sSTEP", letter);
    plot_set_numbers(f, name, v + 2 * n, n);
    free(v);
}

/* ---- pages ---- */

void
plot_page_columns(struct plot_page *p, const struct plot_figure *f,
                  double least)
{
    const double room = f->width - p->left - p->right + p->gap;

    p->columns = p->n;
    while (p->columns > 1
           && (double)p->columns * (least + p->gap) > room)
        p->columns--;
    if (p->columns == 0)
        p->columns = 1;
    p->rows = (p->n + p->columns - 1) / p->columns;
    /* four panels are better two and two than three and one */
    if (p->rows > 0)
        p->columns = (p->n + p->rows - 1) / p->rows;
    if (p->columns == 0)
        p->columns = 1;
}

double
plot_page_panel_width(const struct plot_page *p, const struct plot_figure *f)
{
    return (f->width - p->left - p->right
            - p->gap * (double)(p->columns - 1)) / (double)p->columns;
}

static double
whole(double length, double line)
{
    return ceil(length / line - 1e-9) * line;
}

int
plot_page_set(struct plot_page *p, struct plot_figure *f, double least,
              struct asc_error *e)
{
    const double line = plot_line_height(f), rows = (double)p->rows;
    const double width = plot_page_panel_width(p, f);
    double head = *f->title ? 1.8 * line : 0.3 * line, fixed;
    double *edge;               /* (4, n) */
    size_t i;

    if (f->type == PLOT_DUMB) {
        /* whole rows of characters, or what is between two falls into one */
        head = whole(head, line);
        p->strip = whole(p->strip, line);
        p->below = whole(p->below, line);
        p->foot = whole(p->foot, line);
        p->inside = whole(p->inside, line);
    }
    fixed = head + rows * (p->strip + p->below) + p->foot;
    if (width < 0.3)
        return asc_fail(e, ASC_EUSAGE, "--width: the names alone take %.2gin "
                        "of %.3gin; a wider page, or a smaller --font, would "
                        "do", p->left + p->right, f->width);
    if (f->height > 0.0) {
        p->inside = (f->height - fixed) / rows;
        if (p->inside < least)
            return asc_fail(e, ASC_EUSAGE, "--height: %.3gin is too low; this "
                            "figure needs %.3gin", f->height,
                            fixed + rows * least);
    }
    f->height = fixed + rows * p->inside;
    if (!(edge = malloc((4 * p->n + 1) * sizeof *edge)))
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    for (i = 0; i < p->n; i++) {
        const double x = p->left
            + (double)(i % p->columns) * (width + p->gap);
        const double y = f->height - head - p->strip
            - (double)(i / p->columns) * (p->strip + p->inside + p->below);

        edge[i] = x / f->width;
        edge[p->n + i] = (x + width) / f->width;
        edge[2 * p->n + i] = (y - p->inside) / f->height;
        edge[3 * p->n + i] = y / f->height;
    }
    plot_set_number(f, "W", f->width);
    plot_set_number(f, "H", f->height);
    plot_set_number(f, "LINE", line);
    plot_set_number(f, "N", (double)p->n);
    plot_set_number(f, "COLUMNS", (double)p->columns);
    plot_set_numbers(f, "LEFT", edge, p->n);
    plot_set_numbers(f, "RIGHT", edge + p->n, p->n);
    plot_set_numbers(f, "BOTTOM", edge + 2 * p->n, p->n);
    plot_set_numbers(f, "TOP", edge + 3 * p->n, p->n);
    free(edge);
    return ASC_OK;
}

/* ---- legends ---- */

/* Entries in `rows' rows, column by column: the widths (1) of the columns into
 * width (n), and their sum returned. */
static double
legend_widths(const struct plot_figure *f, char *const *text, size_t n,
              size_t rows, double *width)
{
    const double room = 7.0 * plot_text_width(f, "0");  /* sample, space */
    double total = 0.0, w;
    size_t i;

    for (i = 0; i < n; i++) {
        w = plot_text_width(f, text[i]) + room;
        if (i % rows == 0)
            width[i / rows] = 0.0;
        if (w > width[i / rows]) {
            total += w - width[i / rows];
            width[i / rows] = w;
        }
    }
    return total;
}

/* The fewest rows that fit the page. */
static size_t
legend_rows(const struct plot_figure *f, char *const *text, size_t n,
            double *width)
{
    size_t rows;

    for (rows = 1; rows < n; rows++)
        if (legend_widths(f, text, n, rows, width) <= 0.98 * f->width)
            break;
    return rows;
}

double
plot_legend_height(struct plot_figure *f, char *const *text, size_t n)
{
    double *width = malloc((n + 1) * sizeof *width);
    const size_t rows = width ? legend_rows(f, text, n, width) : n;

    f->head.failed |= !width;
    free(width);
    return (1.1 * (double)rows + 0.3) * plot_line_height(f);
}

void
plot_legend_set(struct plot_figure *f, char *const *text, size_t n)
{
    const double line = plot_line_height(f);
    double *width = malloc((3 * n + 1) * sizeof *width);
    double *x = width + n, *y = x + n, left;
    size_t rows, i;

    if (!width) {
        f->head.failed = 1;
        return;
    }
    rows = legend_rows(f, text, n, width);
    left = 0.5 * (f->width - legend_widths(f, text, n, rows, width));
    for (i = 0; i < n; i++) {
        if (i > 0 && i % rows == 0)
            left += width[i / rows - 1];
        x[i] = left / f->width;
        y[i] = 1.1 * ((double)(rows - i % rows) - 0.5) * line / f->height;
    }
    plot_set_number(f, "KEYS", (double)n);
    plot_set_number(f, "KEYSAMPLE", 4.0 * plot_text_width(f, "0") / f->width);
    plot_set_numbers(f, "KEYX", x, n);
    plot_set_numbers(f, "KEYY", y, n);
    plot_set_texts(f, "KEY", text, n);
    free(width);
}
