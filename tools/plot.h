/* plot.h -- what the kinds of figures share: text, axes, pages, names, the
 * layout of beeswarms, and the way through gnuplot.
 *
 * A kind reads its table and adds to a script: geometry and numbers as gnuplot
 * variables, texts as single-quoted strings, rows as inline data.  The
 * installed scripts, style.gp and KIND.gp, do the drawing.  Nothing of a table
 * reaches gnuplot but as a number or through plot_quote. */
#ifndef ASCRIBE_TOOL_PLOT_H
#define ASCRIBE_TOOL_PLOT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <ascribe/base.h>
#include <ascribe/table.h>

enum plot_type {
    PLOT_PDF, PLOT_SVG, PLOT_PNG, PLOT_EPS, PLOT_TIKZ, PLOT_CAIROLATEX,
    PLOT_DUMB
};

/* ---- the figure under construction ---- */

struct plot_figure {
    enum plot_type type;
    double width, height;       /* inches; height 0: the kind chooses */
    double size;                /* of the text, points */
    const char *font, *title;
    struct asc_buffer head;     /* gnuplot assignments */
    struct asc_buffer data;     /* inline data */
};
int plot_latex(const struct plot_figure *f);
/* Inches. */
double plot_line_height(const struct plot_figure *f);
double plot_text_width(const struct plot_figure *f, const char *text);

/* ---- text ---- */

/* A gnuplot string.  Invalid UTF-8 and control characters become `?'; for
 * LaTeX terminals its special characters are escaped.  It must not be the
 * label of a tic, which gnuplot takes for a format, and cuts. */
void plot_quote(struct asc_buffer *out, const char *text, int latex);
/* NAME = 'text' and array NAME[n] = ['..', ...], in f->head. */
void plot_set_text(struct plot_figure *f, const char *name, const char *text);
void plot_set_texts(struct plot_figure *f, const char *name,
                    char *const *text, size_t n);
void plot_set_number(struct plot_figure *f, const char *name, double v);
void plot_set_numbers(struct plot_figure *f, const char *name,
                      const double *v, size_t n);
/* At most `most' characters, a longer middle replaced by one ellipsis.  To be
 * freed; NULL without memory. */
char *plot_shorten(const char *text, size_t most);
/* Texts (n) that are specifications, NAME:KEY=VALUE..., in place without what
 * does not tell them apart: the bare name where no other text has it, else
 * less the parameters that all texts of that name share.  0 without memory. */
int plot_plain(char **text, size_t n);
/* A p value as papers print it: 0.032, <0.001. */
void plot_p_value(double p, struct asc_buffer *out);

/* ---- distinct names in order of appearance ---- */

struct plot_names {
    size_t n, last;
    char **v;
};
/* Index of the text, added if it is new; SIZE_MAX without memory. */
size_t plot_name(struct plot_names *s, struct asc_text t);
void plot_names_free(struct plot_names *s);

/* ---- keys: what tells the lines of a table apart ---- */

enum { PLOT_KEYS_MAX = 8 };
struct plot_keys {
    size_t n;
    size_t column[PLOT_KEYS_MAX];
    struct plot_names combination;      /* texts joined by tabs */
};
/* Adds those of the n columns `name' that the table has, are not yet there and
 * are not in `other' (may be NULL). */
void plot_keys_add(struct plot_keys *k, const asc_reader *r,
                   const char *const *name, size_t n,
                   const struct plot_keys *other);
int plot_keys_has(const struct plot_keys *k, size_t column);
/* Index of the current line's combination; SIZE_MAX without memory. */
size_t plot_keys_index(struct plot_keys *k, const asc_reader *r);
/* Labels (n, then freed by plot_labels_free) of the combinations: the texts of
 * those columns that differ, plain; of a single one, that of the last column.
 * NULL without memory. */
char **plot_keys_labels(const struct plot_keys *k);
void plot_labels_free(char **v, size_t n);
void plot_keys_free(struct plot_keys *k);

/* ---- axes ---- */

struct plot_axis {
    double lo, hi, step;
    char format[8];             /* of the tics */
};
/* LO, HI, STEP and FORMAT of n axes, each name begun by `letter'. */
void plot_axes_set(struct plot_figure *f, const char *letter,
                   const struct plot_axis *axis, size_t n);
/* Tics at multiples of 1, 2 or 5 times a power of ten, as many as leave air
 * between their labels on `inches' of axis. */
void plot_axis(struct plot_axis *a, const struct plot_figure *f, double lo,
               double hi, double inches);

/* ---- pages of panels ---- */

struct plot_page {
    size_t n, columns, rows;
    double left, right;         /* inches beside the panels */
    double gap;                 /* between columns */
    double strip, below;        /* above each panel (its name), below (tics) */
    double foot;                /* below all panels: label of x, legend */
    double inside;              /* height of a panel */
};
/* As many columns as fit at `least' inches each, at most n; spread evenly. */
void plot_page_columns(struct plot_page *p, const struct plot_figure *f,
                       double least);
double plot_page_panel_width(const struct plot_page *p,
                             const struct plot_figure *f);
/* Makes the panels as high as the page lets them if a height was asked for
 * (ASC_EUSAGE if that leaves less than `least' inches), else the page as high
 * as `inside' wants; writes W, H, N, COLUMNS, and the edges LEFT, RIGHT,
 * BOTTOM, TOP of each panel as fractions of the page. */
int plot_page_set(struct plot_page *p, struct plot_figure *f, double least,
                  struct asc_error *e);

/* A legend at the bottom of the page: in as many columns as fit, column by
 * column.  First the height that it takes; once the page is set the places:
 * KEYS, KEY, KEYX, KEYY (left end of the sample), KEYSAMPLE. */
double plot_legend_height(struct plot_figure *f, char *const *text, size_t n);
void plot_legend_set(struct plot_figure *f, char *const *text, size_t n);

/* ---- beeswarms ---- */

/* Offsets y (n) of discs of the given diameter at x (n), so that none overlap:
 * in the order of `order' (n), which sorts x, each disc takes the free place
 * nearest to 0.  ASC_ESYSTEM without memory. */
int plot_swarm(const double *x, const size_t *order, size_t n,
               double diameter, double *y, struct asc_error *e);

/* ---- gnuplot ---- */

/* Runs gnuplot on a script and appends its standard output to *out.  Without
 * gnuplot an error says what to install.  file: NULL, or the base name of a
 * cairolatex figure, whose .tex goes to *out and whose .pdf to *second. */
int plot_run(const struct asc_buffer *script, const char *file,
             struct asc_buffer *out, struct asc_buffer *second,
             struct asc_error *e);
/* Sets every date that gnuplot and cairo wrote, without moving a byte. */
void plot_set_dates(char *p, size_t n, time_t when);

#endif
