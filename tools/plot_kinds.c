/* plot_kinds.c -- what the kinds of figures do alike. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot_kinds.h"

void
plot_panels(struct plot_keys *panels, const asc_reader *r,
            const char *const *usual, size_t n, const struct tool_options *o)
{
    size_t *column, i, m;

    memset(panels, 0, sizeof *panels);
    if (!o->panels) {
        plot_keys_add(panels, r, usual, n, NULL);
        return;
    }
    m = tool_columns(r, o->panels, &column);
    if (m > PLOT_KEYS_MAX)
        tool_misuse("--panels: %zu columns are too many; %d would do", m,
                    PLOT_KEYS_MAX);
    for (i = 0; i < m; i++)
        if (!plot_keys_has(panels, column[i]))
            panels->column[panels->n++] = column[i];
    free(column);
}

void
plot_one_of(struct plot_keys *rest, const asc_reader *r)
{
    const size_t i = rest->n ? plot_keys_index(rest, r) : 0;
    struct asc_error e;
    const char *a, *b;
    size_t k;

    if (i == SIZE_MAX)
        tool_no_memory();
    if (i == 0)
        return;
    a = rest->combination.v[0];
    b = rest->combination.v[i];
    for (k = 0; k + 1 < rest->n; k++) {
        const size_t n = strcspn(a, "\t") + 1;

        if (strncmp(a, b, n) != 0)
            break;
        a += n;
        b += n;
    }
    asc_fail(&e, ASC_EUSAGE, "%s:%zu: another %s begins; name it in --panels "
             "too, or select one", asc_reader_name(r), asc_reader_line(r),
             asc_reader_column(r, rest->column[k]));
    tool_fail(&e);
}

size_t
plot_column(const asc_reader *r, const char *name)
{
    struct asc_error e;
    size_t j;

    if (asc_reader_require(r, name, &j, &e) != ASC_OK)
        tool_fail(&e);
    return j;
}

double
plot_value(const asc_reader *r, size_t column)
{
    struct asc_error e;
    double v;

    if (asc_reader_number(r, column, &v, &e) != ASC_OK)
        tool_fail(&e);
    return v;
}

int
plot_next(asc_reader *r)
{
    struct asc_error e;
    const int got = asc_reader_next(r, &e);

    if (got < 0)
        tool_fail(&e);
    return got;
}

void
plot_some(const asc_reader *r, size_t n)
{
    struct asc_error e;

    if (n > 0)
        return;
    asc_fail(&e, ASC_EINPUT, "%s: there are no rows to draw",
             asc_reader_name(r));
    tool_fail(&e);
}

/* The root of P(|Z| > z) = 1 - level, by bisection. */
double
plot_normal(const struct tool_options *o)
{
    double lo = 0.0, hi = 40.0, z;
    int i;

    for (i = 0; i < 100; i++) {
        z = 0.5 * (lo + hi);
        if (erfc(z / sqrt(2.0)) > 1.0 - o->level)
            lo = z;
        else
            hi = z;
    }
    return 0.5 * (lo + hi);
}

void
plot_level(const struct plot_figure *f, const struct tool_options *o,
           char *out, size_t size)
{
    snprintf(out, size, "%.6g%s%%", 100.0 * o->level,
             plot_latex(f) ? "\\" : "");
}

void
plot_interval(size_t n, const struct asc_sum *sum,
              const struct asc_sum *squares, double factor, double *mean,
              double *lo, double *hi)
{
    const double m = (double)n;
    double variance;

    *mean = *lo = *hi = NAN;
    if (n == 0)
        return;
    *mean = asc_sum_value(sum) / m;
    if (n < 2)
        return;
    variance = (asc_sum_value(squares) - m * *mean * *mean) / (m - 1.0);
    variance = variance > 0.0 ? variance : 0.0;
    *lo = *mean - factor * sqrt(variance / m);
    *hi = *mean + factor * sqrt(variance / m);
}

static double
widest(const struct plot_figure *f, char **label, size_t n)
{
    double w = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        w = fmax(w, plot_text_width(f, label[i]));
    return w;
}

/* 1 if two of the labels are the same text. */
static int
repeated(char **label, size_t n)
{
    size_t i, j;

    for (i = 0; i < n; i++)
        for (j = 0; j < i; j++)
            if (strcmp(label[i], label[j]) == 0)
                return 1;
    return 0;
}

double
plot_fit_labels(const struct plot_figure *f, char **label, size_t n,
                size_t most, double share)
{
    char **shorter = calloc(n + 1, sizeof *shorter);
    double width;
    size_t i;

    if (!shorter)
        tool_no_memory();
    for (;; most--) {
        for (i = 0; i < n; i++)
            if (!(shorter[i] = plot_shorten(label[i], most)))
                tool_no_memory();
        width = widest(f, shorter, n);
        if (width <= share * f->width || most <= 4)
            break;
        plot_labels_free(shorter, n);
        if (!(shorter = calloc(n + 1, sizeof *shorter)))
            tool_no_memory();
    }
    /* Names that could no longer be told apart stay as they are. */
    if (repeated(shorter, n)) {
        plot_labels_free(shorter, n);
        return widest(f, label, n);
    }
    for (i = 0; i < n; i++) {
        free(label[i]);
        label[i] = shorter[i];
    }
    free(shorter);
    return width;
}
