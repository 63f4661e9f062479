/* Any bytes as CSV.  The first byte chooses options; what the reader lets
 * through must be a table: as many fields as columns, nothing within them that
 * a table cannot hold, the same once more after going back, and the same again
 * when written as CSV with any delimiter and read. */
#include <string.h>

#include <ascribe/table.h>

#include "table/internal.h"
#include "tests/fuzz/fuzz.h"

/* The rows that can be read: as lines of a table in out, as CSV in csv, if
 * that is not NULL.  Returns 1 if the end was reached. */
static int
read_all(asc_reader *r, struct asc_buffer *out, struct asc_buffer *csv,
         char delimiter)
{
    const size_t n = asc_reader_n_columns(r);
    struct asc_text *field = calloc(n + 1, sizeof *field);
    size_t j, k, line = 0;
    struct asc_error e;
    int got;

    check(field != NULL);
    out->n = 0;
    while ((got = asc_reader_next(r, &e)) > 0) {
        check(n > 0 && asc_reader_line(r) > line);
        line = asc_reader_line(r);
        for (j = 0; j < n; j++) {
            const struct asc_text t = field[j] = asc_reader_text(r, j);

            for (k = 0; k < t.n; k++)
                check(!strchr("\t\r\n", t.p[k]));       /* nor NUL */
            asc_buffer_add(out, t.p, t.n);
            asc_buffer_char(out, j + 1 < n ? '\t' : '\n');
        }
        if (csv)
            asc_csv_line(csv, field, n, delimiter);
    }
    free(field);
    return got == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char delimiters[] = ",;\t|";
    struct asc_buffer once = { NULL, 0, 0, 0 }, again = { NULL, 0, 0, 0 },
        csv = { NULL, 0, 0, 0 };
    struct asc_reader_options o = { .no_header = 1 };
    struct asc_error e;
    asc_reader *r, *s;
    int whole;

    if (!n)
        return 0;
    o.no_header = bytes[0] & 1;
    o.delimiter = delimiters[bytes[0] >> 1 & 3];
    o.replace = bytes[0] & 8 ? ' ' : '\0';
    r = asci_reader_open_bytes("fuzz", (const char *)bytes + 1, n - 1, &o, &e);
    if (!r)
        return 0;
    o.delimiter = delimiters[bytes[0] >> 4 & 3];
    whole = read_all(r, &once, &csv, o.delimiter);
    check(!asci_reader_rewind(r, &e));
    check(read_all(r, &again, NULL, 0) == whole);
    check(again.n == once.n);
    check(!once.n || memcmp(again.p, once.p, once.n) == 0);

    o.no_header = 1;
    o.replace = '\0';
    s = asci_reader_open_bytes("csv", csv.n ? csv.p : "", csv.n, &o, &e);
    check(s != NULL);
    /* the column of ids is found by its name, which is gone */
    check(read_all(s, &again, NULL, 0));
    check(again.n == once.n);
    check(!once.n || memcmp(again.p, once.p, once.n) == 0);
    asc_reader_close(s);
    asc_reader_close(r);
    asc_buffer_free(&csv);
    asc_buffer_free(&once);
    asc_buffer_free(&again);
    return 0;
}
