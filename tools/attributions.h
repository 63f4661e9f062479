/* attributions.h -- reading attribution tables, ours or anybody's:
 * [model] row method output scale [kept...] base value phi.FIELD... */
#ifndef ASCRIBE_TOOL_ATTRIBUTIONS_H
#define ASCRIBE_TOOL_ATTRIBUTIONS_H

#include "tools/tool.h"

/* One set of ids for each (model, method, output). */
struct attribution_series {
    size_t n;
    char *key;                  /* (n) the three texts, each with a tab */
    struct asc_ids *ids;
    enum asc_scale scale;
    size_t line;                /* first line */
};

struct attributions {
    asc_reader *reader;
    int model;                  /* column, or -1 */
    size_t row, method, output, scale, base, value;
    size_t d;
    char **field;               /* (d) names, as in phi.NAME */
    size_t *phi;                /* (d) columns */
    size_t n_kept, *kept;       /* the columns that are none of these */
    size_t n_series, last;
    struct attribution_series *series;
};

/* path NULL: standard input.  The table has its own header whatever -x has.
 * With no input at all the program ends, well if it is all there is, badly if
 * it stands beside others. */
void attributions_open(struct attributions *a, const char *path, int beside,
                       const struct tool_options *o);
void attributions_close(struct attributions *a);
/* Puts the fields in the order of a schema, that of `whose'.  Both must have
 * the same. */
void attributions_match(struct attributions *a, const struct asc_schema *s,
                        const char *whose);
/* Headings up to `output', with a final tab; those of the kept columns, each
 * with a tab. */
void attributions_key_head(const struct attributions *a,
                           struct asc_buffer *out);
void attributions_kept_head(const struct attributions *a,
                            struct asc_buffer *out);

/* Some lines of the table. */
struct attribution_lines {
    size_t n, capacity, d;
    struct asc_buffer text;
    size_t *at;                 /* (n, 7) offsets into text: model, row,
                                   method, output, kept, end; each but the last
                                   with the tab that ends it */
    size_t *line;               /* (n) of the file */
    enum asc_scale *scale;      /* (n) */
    double *phi;                /* (n, d) */
    double *base, *value;       /* (n) */
};
enum { LINE_MODEL, LINE_ROW, LINE_METHOD, LINE_OUTPUT, LINE_KEPT, LINE_END,
       LINE_PARTS = LINE_END };

int attribution_lines_init(struct attribution_lines *b,
                           const struct attributions *a, size_t capacity,
                           struct asc_error *e);
void attribution_lines_free(struct attribution_lines *b);
void attribution_lines_clear(struct attribution_lines *b);
/* One more line, beyond the capacity too: 1, 0 at the end, -1 failed. */
int attribution_lines_add(struct attribution_lines *b, struct attributions *a,
                          struct asc_error *e);
/* Adds line i of `from`. */
int attribution_lines_copy(struct attribution_lines *b,
                           const struct attribution_lines *from, size_t i,
                           struct asc_error *e);
/* One part, without its tab. */
struct asc_text attribution_part(const struct attribution_lines *b, size_t i,
                                 int part);
/* Parts from..to-1 with their tabs. */
void attribution_put(const struct attribution_lines *b, size_t i, int from,
                     int to, struct asc_buffer *out);

#endif
