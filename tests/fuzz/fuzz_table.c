/* Any bytes as a table.  The first byte chooses options; what the reader lets
 * through must be a table: as many fields as columns, no tab, newline or NUL
 * within them, the same once more after going back, and the same again when
 * written out and read.  Values are finite numbers, indexes of categories, or
 * missing, and come back from their text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/table.h>

#include "table/internal.h"
#include "tests/fuzz/fuzz.h"

/* Fields of the rows that can be read, in a canonical text. */
static void
read_all(asc_reader *r, struct asc_buffer *out)
{
    const size_t columns = asc_reader_n_columns(r);
    struct asc_error e;
    size_t j, k, line = 0;
    double v;

    out->n = 0;
    while (asc_reader_next(r, &e) > 0) {
        check(columns > 0 && asc_reader_line(r) > line);
        line = asc_reader_line(r);
        check(asc_reader_id(r).n > 0);
        for (j = 0; j < columns; j++) {
            const struct asc_text t = asc_reader_text(r, j);

            for (k = 0; k < t.n; k++)
                check(t.p[k] != '\t' && t.p[k] != '\n' && t.p[k] != '\0');
            if (!asc_reader_number(r, j, &v, &e))
                check(isnan(v) ? asc_reader_missing(r, j) || t.n > 0
                               : isfinite(v));
            asc_buffer_add(out, t.p, t.n);
            asc_buffer_char(out, j + 1 < columns ? '\t' : '\n');
        }
    }
}

/* Writes the header and the rows, and reads them again. */
static void
check_written(asc_reader *r, const struct asc_buffer *rows)
{
    struct asc_buffer table = { NULL, 0, 0, 0 }, again = { NULL, 0, 0, 0 };
    struct asc_error e;
    asc_reader *s;
    size_t j;

    if (!asc_reader_n_columns(r))
        return;
    for (j = 0; j < asc_reader_n_columns(r); j++) {
        asc_buffer_text(&table, asc_reader_column(r, j));
        asc_buffer_char(&table, j + 1 < asc_reader_n_columns(r) ? '\t' : '\n');
    }
    asc_buffer_add(&table, rows->p, rows->n);
    s = asci_reader_open_bytes("again", table.p, table.n, NULL, &e);
    /* a header may look like a comment or like a mark, fields may end in CR */
    if (s && !memchr(table.p, '\r', table.n)
        && asc_reader_id_column(s) == asc_reader_id_column(r)
        && asc_reader_n_columns(s) == asc_reader_n_columns(r)
        && !asc_reader_comments(s)[0]) {
        read_all(s, &again);
        check(again.n == rows->n);
        check(!rows->n || memcmp(again.p, rows->p, rows->n) == 0);
    }
    asc_reader_close(s);
    asc_buffer_free(&again);
    asc_buffer_free(&table);
}

/* Every other column a number, the others categories. */
static void
make_schema(struct asc_schema *s, const asc_reader *r, unsigned options)
{
    size_t j;

    s->n = 0;
    s->field = calloc(asc_reader_n_columns(r) + 1, sizeof *s->field);
    check(s->field != NULL);
    for (j = 0; j < asc_reader_n_columns(r); j++) {
        struct asc_field *f = &s->field[s->n];

        if ((int)j == asc_reader_id_column(r))
            continue;
        f->name = strdup(asc_reader_column(r, j));
        f->kind = j % 2 ? ASC_CATEGORICAL : ASC_CONTINUOUS;
        f->text_type = (enum asc_text_type)(j / 2 % 4);
        f->invalid = ASC_INVALID_MISSING;
        f->replacement = NAN;
        f->low = options & 16 ? -10.0 : -INFINITY;
        f->high = INFINITY;
        f->clamp = options >> 5 & 1;
        f->open = j % 2;
        s->n++;
    }
}

static void
bind_all(asc_reader *r, unsigned options)
{
    struct asc_binding b;
    struct asc_schema s;
    struct asc_error e;
    struct asc_ids *ids = asc_ids_new(&e);
    struct asc_rows rows;
    size_t i, j;

    make_schema(&s, r, options);
    check(!asc_bind(&b, &s, r, &e));
    check(!asc_rows_init(&rows, 3, s.n, 0, &e));
    while (asc_rows_read(&rows, r, &b, NULL, ids, &e) > 0)
        for (i = 0; i < rows.n; i++)
            for (j = 0; j < s.n; j++) {
                struct asc_buffer text = { NULL, 0, 0, 0 };
                struct asc_field *f = &s.field[j];
                const double v = rows.x[i * s.n + j];
                struct asc_text t;
                double w;

                check(isnan(v) || isfinite(v));
                check(f->kind == ASC_CONTINUOUS || isnan(v)
                      || v < (double)f->n_categories);
                asc_field_text(f, v, 0, &text);
                t.p = text.p ? text.p : "";
                t.n = text.n;
                /* a carriage return within a category becomes a space */
                if (!asc_field_value(f, t, "x", &w, &e))
                    check(isnan(v) ? isnan(w)
                          : v == w || memchr(t.p, ' ', t.n));
                asc_buffer_free(&text);
            }
    asc_rows_free(&rows);
    asc_binding_free(&b);
    asc_schema_free(&s);
    asc_ids_free(ids);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct asc_buffer once = { NULL, 0, 0, 0 }, twice = { NULL, 0, 0, 0 };
    struct asc_reader_options o = { .no_header = 0 };
    struct asc_error e;
    unsigned options;
    asc_reader *r;

    if (!n)
        return 0;
    options = bytes[0];
    o.no_header = options & 1;
    o.columns = options & 1 && options & 2 ? "a,b,row" : NULL;
    o.missing = options & 4 ? "-1,none" : NULL;
    o.id = options & 8 ? "id" : NULL;
    r = asci_reader_open_bytes("fuzz", (const char *)bytes + 1, n - 1, &o, &e);
    if (!r)
        return 0;
    read_all(r, &once);
    check_written(r, &once);
    check(!asci_reader_rewind(r, &e));
    read_all(r, &twice);
    check(once.n == twice.n);
    check(!once.n || memcmp(once.p, twice.p, once.n) == 0);
    check(!asci_reader_rewind(r, &e));
    bind_all(r, options);
    asc_reader_close(r);
    asc_buffer_free(&once);
    asc_buffer_free(&twice);
    return 0;
}
