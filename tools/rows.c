/* rows.c -- a model and the rows that it is applied to.  See rows.h. */
#include <stdlib.h>
#include <string.h>

#include "tools/rows.h"

void
tool_rows_open(struct tool_rows *r, const struct tool_options *o,
               const char *path)
{
    struct asc_error e;

    memset(r, 0, sizeof *r);
    r->o = o;
    r->reader = tool_table(path, o);
    r->model = tool_model(o, r->reader, path);
    r->n_kept = tool_kept(r->reader, o, &r->kept);
    r->ids = asc_ids_new(&e);
    if (!r->ids || asc_bind(&r->binding, asc_model_open_schema(r->model),
                            r->reader, &e))
        tool_fail(&e);
}

void
tool_rows_close(struct tool_rows *r)
{
    asc_ids_free(r->ids);
    asc_binding_free(&r->binding);
    asc_reader_close(r->reader);
    asc_model_free(r->model);
    free(r->kept);
}

size_t
tool_block_rows(const asc_model *m, size_t numbers)
{
    enum { ROWS = 512, ROWS_OPAQUE = 65536, ROOM = 1 << 22 };
    const size_t most = ROOM / (asc_model_schema(m)->n + numbers + 1);

    if (asc_model_form(m) != ASC_FORM_OPAQUE || most < ROWS)
        return ROWS;
    return most < ROWS_OPAQUE ? most : ROWS_OPAQUE;
}

int
tool_rows_block(const struct tool_rows *r, struct asc_rows *b,
                size_t capacity, struct asc_error *e)
{
    return asc_rows_init(b, capacity, asc_model_schema(r->model)->n,
                         r->n_kept, e);
}

int
tool_rows_read(struct tool_rows *r, struct asc_rows *b, struct asc_error *e)
{
    return asc_rows_read(b, r->reader, &r->binding, r->kept, r->ids, e);
}

void
tool_put_text(struct asc_buffer *out, struct asc_text t)
{
    asc_buffer_add(out, t.p, t.n);
    asc_buffer_char(out, '\t');
}

void
tool_put_key(const struct tool_rows *r, const struct asc_rows *b, size_t i,
             struct asc_buffer *out)
{
    if (r->o->label) {
        asc_buffer_text(out, r->o->label);
        asc_buffer_char(out, '\t');
    }
    tool_put_text(out, asc_rows_id(b, i));
}

void
tool_put_kept(const struct tool_rows *r, const struct asc_rows *b, size_t i,
              struct asc_buffer *out)
{
    size_t j;

    for (j = 0; j < r->n_kept; j++)
        tool_put_text(out, asc_rows_kept(b, i, j));
}

void
tool_put_key_head(const struct tool_rows *r, struct asc_buffer *out)
{
    asc_buffer_text(out, r->o->label ? "model\trow\t" : "row\t");
}

void
tool_put_kept_head(const struct tool_rows *r, struct asc_buffer *out)
{
    size_t j;

    for (j = 0; j < r->n_kept; j++)
        asc_buffer_print(out, "%s\t",
                         asc_reader_column(r->reader, r->kept[j]));
}
