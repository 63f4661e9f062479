/* plot_kinds.h -- the kinds of figures that asc-plot knows. */
#ifndef ASCRIBE_TOOL_PLOT_KINDS_H
#define ASCRIBE_TOOL_PLOT_KINDS_H

#include "tools/plot.h"
#include "tools/tool.h"

struct plot_kind {
    const char *name;           /* of the kind and of its script, NAME.gp */
    const char *title;          /* one line */
    const char *table;          /* what it draws */
    /* Reads the table to its end and fills f; ends the program on trouble. */
    void (*prepare)(struct plot_figure *f, asc_reader *r,
                    const struct tool_options *o);
};
extern const struct plot_kind plot_bars, plot_beeswarm, plot_heatmap,
    plot_curves, plot_disparity;

/* What the kinds do alike. */

/* The panels: the columns of --panels, else those of the n `usual' ones that
 * there are. */
void plot_panels(struct plot_keys *panels, const asc_reader *r,
                 const char *const *usual, size_t n,
                 const struct tool_options *o);
/* Columns that --panels leaves out must not change: rows of two methods have no
 * common mean. */
void plot_one_of(struct plot_keys *rest, const asc_reader *r);
/* Column of the table, which must be there. */
size_t plot_column(const asc_reader *r, const char *name);
/* The number in it: NaN if missing. */
double plot_value(const asc_reader *r, size_t column);
/* Next line of the table. */
int plot_next(asc_reader *r);
/* Ends the program if there was no row: a figure of nothing helps nobody. */
void plot_some(const asc_reader *r, size_t n);
/* The factor of the standard error in a normal interval at o->level. */
double plot_normal(const struct tool_options *o);
/* "95%" in words of the figure. */
void plot_level(const struct plot_figure *f, const struct tool_options *o,
                char *out, size_t size);
/* Mean and its normal interval from n values' exact sums. */
void plot_interval(size_t n, const struct asc_sum *sum,
                   const struct asc_sum *squares, double factor, double *mean,
                   double *lo, double *hi);
/* Labels shortened in place to at most `most' characters; shorter while the
 * widest takes more than `share' of the page.  Returns its width. */
double plot_fit_labels(const struct plot_figure *f, char **label, size_t n,
                       size_t most, double share);

#endif
