/* convert_table.c -- CSV to a table and back: no text is changed but those of
 * --missing, which become empty.  See convert.h. */
#include <stdlib.h>
#include <string.h>

#include "tools/convert.h"

enum { CHUNK = 1 << 16 };

struct run {
    const struct tool_options *o;
    asc_reader *reader;
    int csv;                    /* written */
    char delimiter;             /* of it */
    size_t n, n_missing;
    struct asc_text *field;     /* (n) */
    char **missing, *store;     /* (n_missing) */
    asc_writer *writer;
    struct asc_buffer out;
};

static void
put_line(struct run *r)
{
    size_t j;

    if (r->csv) {
        asc_csv_line(&r->out, r->field, r->n, r->delimiter);
    } else {
        for (j = 0; j < r->n; j++) {
            asc_buffer_add(&r->out, r->field[j].p, r->field[j].n);
            asc_buffer_char(&r->out, j + 1 < r->n ? '\t' : '\n');
        }
    }
    if (r->out.n >= CHUNK)
        tool_put(r->writer, &r->out);
}

/* Row names have no name in CSV: they are ids, if nothing else is. */
static const char *
column_name(const struct run *r, size_t j)
{
    const char *name = asc_reader_column(r->reader, j);

    if (*name)
        return name;
    return asc_reader_find(r->reader, "row") < 0 ? "row" : "index";
}

static void
put_header(struct run *r)
{
    struct asc_error e;
    size_t j;

    for (j = 0; j < r->n; j++) {
        r->field[j].p = column_name(r, j);
        r->field[j].n = strlen(r->field[j].p);
    }
    if (!r->csv && !strncmp(r->field[0].p, "# ", 2)) {
        asc_fail(&e, ASC_EINPUT, "%s: column \"%s\": a header that begins so "
                 "is a comment in a table: rename the column",
                 asc_reader_name(r->reader), r->field[0].p);
        tool_fail(&e);
    }
    put_line(r);
}

static int
is_missing(const struct run *r, struct asc_text t)
{
    size_t i;

    for (i = 0; i < r->n_missing; i++)
        if (strlen(r->missing[i]) == t.n && !memcmp(r->missing[i], t.p, t.n))
            return 1;
    return 0;
}

/* What a table looks like through the wrong delimiter. */
static void
doubt(const asc_reader *r, char delimiter)
{
    const char *name = asc_reader_column(r, 0), *other;

    if (asc_reader_n_columns(r) != 1 || !(other = strpbrk(name, ";,|")))
        return;
    if (delimiter)
        tool_note("%s: the header is one column, \"%.60s\": is the delimiter "
                  "%c? Then say --delimiter '%c'", asc_reader_name(r), name,
                  *other, *other);
    else
        tool_note("%s: the header is one column, \"%.60s\": is it CSV? Then "
                  "say --from csv", asc_reader_name(r), name);
}

void
convert_table(const struct tool_options *o, const char *path,
              const struct convert_format *from,
              const struct convert_format *to)
{
    struct tool_options given = *o;
    struct run r = { .o = o, .csv = to->kind == CONVERT_CSV,
                     .delimiter = o->delimiter ? o->delimiter : ',' };
    struct asc_error e;
    size_t j, rows = 0;
    int got;

    if (from->kind == CONVERT_CSV) {
        given.reader.delimiter = r.delimiter;
        given.reader.replace = o->replace;
    }
    given.reader.missing = NULL;
    r.reader = tool_table(path, &given);
    r.n = asc_reader_n_columns(r.reader);
    r.field = malloc((r.n + !r.n) * sizeof *r.field);
    if (!r.field)
        tool_no_memory();
    if (o->reader.missing)
        r.n_missing = tool_split(o->reader.missing, &r.missing, &r.store);
    if (r.csv && asc_reader_comments(r.reader)[0])
        tool_note("%s: its comments are left out: CSV has none",
                  asc_reader_name(r.reader));
    r.writer = tool_writer(o, r.csv ? NULL : r.reader, NULL, NULL, NULL);
    if (!o->reader.no_header)
        doubt(r.reader, given.reader.delimiter);
    if (!o->reader.no_header || o->reader.columns)
        put_header(&r);
    while ((got = asc_reader_next(r.reader, &e)) > 0) {
        for (j = 0; j < r.n; j++) {
            r.field[j] = asc_reader_text(r.reader, j);
            if (r.n_missing && is_missing(&r, r.field[j]))
                r.field[j].n = 0;
        }
        put_line(&r);
        if (++rows % 4096 == 0)
            tool_progress(rows);
    }
    if (got < 0)
        tool_fail(&e);
    tool_put(r.writer, &r.out);
    tool_close(r.writer);
    asc_reader_close(r.reader);
    asc_buffer_free(&r.out);
    free(r.field);
    free(r.missing);
    free(r.store);
}
