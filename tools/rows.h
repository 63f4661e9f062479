/* rows.h -- a model and the rows of a table that it is applied to: what
 * asc-predict and asc-attribute read. */
#ifndef ASCRIBE_TOOL_ROWS_H
#define ASCRIBE_TOOL_ROWS_H

#include "tools/tool.h"

struct tool_rows {
    const struct tool_options *o;
    asc_model *model;
    asc_reader *reader;
    struct asc_binding binding;
    size_t *kept, n_kept;
    struct asc_ids *ids;
};

/* Opens the table at path (NULL: standard input) and the model of -m. */
void tool_rows_open(struct tool_rows *r, const struct tool_options *o,
                    const char *path);
void tool_rows_close(struct tool_rows *r);
/* How many rows a block is best to have, with so many further numbers for each:
 * few for a model in memory, many for a command, which may be started anew for
 * each call. */
size_t tool_block_rows(const asc_model *m, size_t numbers);
/* Prepares and fills a block; as struct asc_loop wants it. */
int tool_rows_block(const struct tool_rows *r, struct asc_rows *b,
                    size_t capacity, struct asc_error *e);
int tool_rows_read(struct tool_rows *r, struct asc_rows *b,
                   struct asc_error *e);

/* The pieces of an output line, each followed by a tab: label and row id;
 * kept columns.  And their headings. */
void tool_put_key(const struct tool_rows *r, const struct asc_rows *b,
                  size_t i, struct asc_buffer *out);
void tool_put_kept(const struct tool_rows *r, const struct asc_rows *b,
                   size_t i, struct asc_buffer *out);
void tool_put_key_head(const struct tool_rows *r, struct asc_buffer *out);
void tool_put_kept_head(const struct tool_rows *r, struct asc_buffer *out);
/* A text and a tab. */
void tool_put_text(struct asc_buffer *out, struct asc_text t);

#endif
