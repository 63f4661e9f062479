/*
 * reader -- a tab-separated table, line by line.
 *
 * The format is that of ascribe-tables(5): UTF-8, a header line, tabs, LF or
 * CRLF, no quoting, comments before the header.  What is in memory is one
 * block of bytes, larger only if a line is.  A line is found with memchr, then
 * split and checked in one pass over its bytes; texts are handed out where
 * they lie.  Cost: about a nanosecond a byte, numbers not counted.  A record
 * of CSV is made such a line first.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/internal.h"

enum { BLOCK = 1 << 17 };

struct asc_reader {
    struct asci_source *source;
    /* buf[start..end) is read but not used */
    char *buf;
    size_t capacity, start, end;
    int at_end;
    size_t lines;               /* taken from buf so far */
    size_t line;                /* of the current row */
    int no_header;
    struct asc_text held;       /* without a header and names: the first line */
    int has_held;
    struct asc_text whole;      /* the current line */
    size_t n_columns;
    char **column;              /* (n_columns) */
    struct asci_dictionary index;
    struct asc_text *field;     /* (n_columns) of the current row */
    struct asc_buffer comments; /* ends in a NUL */
    struct asci_missing missing;
    struct asci_csv csv;
    int id_column;              /* -1: counted */
    struct asc_text id;
    uint64_t first_row;
    char counter[24];           /* the id counted last, right-aligned */
    size_t counter_start;
    int empty;
};

/* ---- lines ---- */

/* Has the line in buf that begins `from' bytes behind start: 1 and *end, the
 * offset where it ends; 0 if there is none, -1 failed. */
static int
find_line(asc_reader *r, size_t from, size_t *end, struct asc_error *e)
{
    size_t scanned = from;
    char *newline;

    for (;;) {
        ssize_t got;

        newline = memchr(r->buf + r->start + scanned, '\n',
                         r->end - r->start - scanned);
        if (newline)
            break;
        if (r->at_end) {
            if (r->start + from == r->end)
                return 0;
            newline = r->buf + r->end;
            break;
        }
        scanned = r->end - r->start;
        if (r->start) {
            memmove(r->buf, r->buf + r->start, scanned);
            r->start = 0;
            r->end = scanned;
        }
        if (r->end == r->capacity) {
            char *larger = r->capacity > SIZE_MAX / 2 ? NULL
                : asci_resize(r->buf, 2, r->capacity, e);

            if (!larger) {
                asc_fail(e, ASC_ESYSTEM, "%s:%zu: out of memory: the line is "
                         "longer than %zu bytes", asc_reader_name(r),
                         r->lines + 1, r->end);
                return -1;
            }
            r->buf = larger;
            r->capacity *= 2;
        }
        got = asci_source_read(r->source, r->buf + r->end,
                               r->capacity - r->end, e);
        if (got < 0)
            return -1;
        r->end += (size_t)got;
        r->at_end = got == 0;
    }
    *end = (size_t)(newline - r->buf) - r->start;
    r->lines++;
    return 1;
}

/* The field in column j, for messages. */
static const char *
say_field(const asc_reader *r, size_t j, char out[ASCI_QUOTE_MAX + 32])
{
    char quoted[ASCI_QUOTE_MAX];

    if (j < r->n_columns && r->column[j][0]) {
        const struct asc_text name = { r->column[j], strlen(r->column[j]) };

        snprintf(out, ASCI_QUOTE_MAX + 32, "field \"%s\"",
                 asci_quote(name, quoted));
    } else {
        snprintf(out, ASCI_QUOTE_MAX + 32, "column %zu", j + 1);
    }
    return out;
}

/* Makes the record of CSV whose first line ends at *end a line of a table, *n
 * bytes long.  *end becomes the end of its last line. */
static int
read_record(asc_reader *r, size_t *end, size_t *n, struct asc_error *e)
{
    struct asci_csv *c = &r->csv;
    struct asc_text rest = { r->buf + r->start, *end };
    enum asci_csv_end how;
    char where[1024], field[ASCI_QUOTE_MAX + 32];
    int got, last;

    if (r->line > 1)
        rest.n = 0;
    asci_csv_start(c, rest, !r->no_header);
    for (;;) {
        how = asci_csv_scan(c, r->buf + r->start, *end);
        if (how == ASCI_CSV_DONE) {
            *n = c->to;
            return ASC_OK;
        }
        last = r->start + *end == r->end && r->at_end;
        if (how != ASCI_CSV_OPEN || !c->replace || last)
            break;
        asci_csv_resume(c, r->buf + r->start, *end);
        got = find_line(r, c->from, end, e);
        if (got < 0)
            return e ? (int)e->status : ASC_ESYSTEM;
        last = !got;
        if (!got)
            break;
    }
    rest.p = r->buf + r->start + c->from;
    rest.n = *end > c->from ? *end - c->from : 0;
    rest.n -= rest.n && rest.p[rest.n - 1] == '\r';
    snprintf(where, sizeof where, "%s:%zu: %s", asc_reader_name(r), r->lines,
             say_field(r, c->column, field));
    return asci_csv_complain(c, how, where, r->line < r->lines ? r->line : 0,
                             last, rest, e);
}

/* The next line without its end: 1, 0 at the end, -1 failed. */
static int
next_line(asc_reader *r, struct asc_text *t, struct asc_error *e)
{
    size_t end, n;
    const int got = find_line(r, 0, &end, e);

    if (got <= 0)
        return got;
    r->line = r->lines;
    n = end;
    if (r->csv.delimiter) {
        if (read_record(r, &end, &n, e))
            return -1;
    } else if (n && r->buf[r->start + n - 1] == '\r') {
        n--;
    }
    t->p = r->buf + r->start;
    t->n = n;
    r->start += end;
    r->start += r->start < r->end;      /* the newline, if there is one */
    return 1;
}

/* Says where the first byte is that does not belong; ASC_OK if there is none.
 * For lines that hold a NUL or a byte over 127. */
static int
check_bytes(const asc_reader *r, struct asc_text t, struct asc_error *e)
{
    const unsigned char *p = (const unsigned char *)t.p, *end = p + t.n;
    size_t j = 0;
    char column[ASCI_QUOTE_MAX + 32];

    while (p < end) {
        const size_t n = *p ? asci_character(p, end) : 0;

        if (!n)
            break;
        j += *p == '\t';
        p += n;
    }
    if (p == end)
        return ASC_OK;
    say_field(r, j, column);
    if (*p == 0)
        return asc_fail(e, ASC_EINPUT, "%s:%zu: %s: there is a NUL byte: this "
                        "is not a text table", asc_reader_name(r), r->line,
                        column);
    return asc_fail(e, ASC_EINPUT, "%s:%zu: %s: byte 0x%02x is not UTF-8; "
                    "convert the table, for example with iconv",
                    asc_reader_name(r), r->line, column, *p);
}

/* Cuts t at its tabs into at most n fields.  Returns how many there are. */
static size_t
cut(struct asc_text t, struct asc_text *field, size_t n)
{
    const char *p = t.p, *const end = t.p + t.n, *begin = t.p;
    size_t j = 0;

    for (; p < end; p++)
        if (*p == '\t') {
            if (j < n) {
                field[j].p = begin;
                field[j].n = (size_t)(p - begin);
            }
            j++;
            begin = p + 1;
        }
    if (j < n) {
        field[j].p = begin;
        field[j].n = (size_t)(end - begin);
    }
    return j + 1;
}

/* ---- opening ---- */

static int
name_columns(asc_reader *r, struct asc_text header, struct asc_error *e)
{
    const size_t n = cut(header, NULL, 0);
    size_t j;
    int status;

    r->field = asci_alloc_zero(n, sizeof *r->field, e);
    r->column = asci_alloc_zero(n, sizeof *r->column, e);
    if (!r->field || !r->column)
        return ASC_ESYSTEM;
    cut(header, r->field, n);
    for (j = 0; j < n; j++) {
        r->column[j] = asci_copy_text(r->field[j].p, r->field[j].n, e);
        if (!r->column[j])
            return ASC_ESYSTEM;
        r->n_columns = j + 1;
        if (r->field[j].n == 0 && (j || !r->csv.delimiter))
            return asc_fail(e, ASC_EINPUT, "%s:%zu: column %zu has no name",
                            asc_reader_name(r), r->line, j + 1);
    }
    if ((status = asci_dictionary_extend(&r->index, r->column, n, e)))
        return status;
    for (j = 0; j < n; j++) {
        const int first = asc_reader_find(r, r->column[j]);

        if (first != (int)j) {
            char quoted[ASCI_QUOTE_MAX];

            return asc_fail(e, ASC_EINPUT, "%s:%zu: columns %d and %zu have "
                            "the same name \"%s\"", asc_reader_name(r),
                            r->line, first + 1, j + 1,
                            asci_quote(r->field[j], quoted));
        }
    }
    return ASC_OK;
}

/* Names given by the user, or 1, 2, 3, ... */
static int
invent_columns(asc_reader *r, const char *columns, struct asc_text first,
               struct asc_error *e)
{
    struct asc_buffer names = { NULL, 0, 0, 0 };
    struct asc_text t;
    size_t j, n;
    int status;

    if (columns) {
        const char *p;

        for (p = columns; *p; p++)
            asc_buffer_char(&names, *p == ',' ? '\t' : *p);
    } else {
        n = cut(first, NULL, 0);
        for (j = 0; j < n; j++)
            asc_buffer_print(&names, j ? "\t%zu" : "%zu", j + 1);
    }
    if (names.failed) {
        asc_buffer_free(&names);
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    }
    t.p = names.p ? names.p : "";
    t.n = names.n;
    status = name_columns(r, t, e);
    asc_buffer_free(&names);
    return status;
}

/* A byte order mark before the first line is no part of it. */
static void
skip_mark(const asc_reader *r, struct asc_text *t)
{
    if (r->lines == 1 && !r->csv.delimiter && t->n >= 3
        && memcmp(t->p, "\xef\xbb\xbf", 3) == 0) {
        t->p += 3;
        t->n -= 3;
    }
}

/* Reads comments and header, or without a header the first row, into *t; for a
 * second time unchecked.  1, 0 if there is none, -1 failed. */
static int
skip_head(asc_reader *r, struct asc_text *t, int again, struct asc_error *e)
{
    int got;

    for (;;) {
        if ((got = next_line(r, t, e)) <= 0)
            return got;
        skip_mark(r, t);
        if (!again && !asci_plain(*t) && check_bytes(r, *t, e))
            return -1;
        if (r->no_header || r->csv.delimiter || t->n < 2 || t->p[0] != '#'
            || t->p[1] != ' ')
            return 1;
        if (!again) {
            asc_buffer_add(&r->comments, t->p, t->n);
            asc_buffer_char(&r->comments, '\n');
        }
    }
}

static void
count_from(asc_reader *r, uint64_t first)
{
    /* one less than the first, as each row adds one */
    uint64_t v = first - 1;

    r->counter_start = sizeof r->counter;
    do
        r->counter[--r->counter_start] = (char)('0' + v % 10);
    while (v /= 10);
}

/* 1 if c is 0 or an ASCII character that is none of those. */
static int
text_character(char c, const char *none)
{
    return (unsigned char)c < 128 && (!c || !strchr(none, c));
}

static int
open_head(asc_reader *r, const struct asc_reader_options *o,
          struct asc_error *e)
{
    struct asc_text head;
    int got, status;

    r->no_header = o->no_header;
    r->first_row = o->first_row ? o->first_row : 1;
    count_from(r, r->first_row);
    r->csv.delimiter = o->delimiter;
    r->csv.replace = o->replace;
    if (!text_character(o->delimiter, "\"\r\n#")
        || !text_character(o->replace, "\t\r\n"))
        return asc_fail(e, ASC_EUSAGE, "%s: CSV cannot have the delimiter "
                        "0x%02x, or 0x%02x in place of tabs",
                        asc_reader_name(r), (unsigned char)o->delimiter,
                        (unsigned char)o->replace);
    if (o->columns && !o->no_header)
        return asc_fail(e, ASC_EUSAGE, "%s: columns are named, but a table "
                        "with a header names them itself",
                        asc_reader_name(r));
    if ((status = asci_missing_split(&r->missing, o->missing, e)))
        return status;
    got = skip_head(r, &head, 0, e);
    asc_buffer_char(&r->comments, '\0');
    if (got < 0)
        return e ? (int)e->status : ASC_EINPUT;
    if (r->comments.failed)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    if (!got && r->comments.n > 1)
        return asc_fail(e, ASC_EINPUT, "%s: there are comments, but no header "
                        "line after them", asc_reader_name(r));
    if (got && r->start == r->end && r->at_end && r->line == 1
        && head.n == 0 && r->buf[0] == '\xef')
        got = 0;                /* nothing but a byte order mark */
    r->empty = !got;
    if (got && r->no_header) {
        r->held = head;
        r->has_held = 1;
    }
    if (o->no_header && (got || o->columns))
        status = invent_columns(r, o->columns, head, e);
    else if (got)
        status = name_columns(r, head, e);
    if (status)
        return status;
    r->id_column = -1;
    if (o->id && (got || r->n_columns)) {
        size_t j;

        if ((status = asci_reader_named(r, o->id, &j, e)))
            return status;
        r->id_column = (int)j;
    } else if (!o->id) {
        r->id_column = asc_reader_find(r, "row");
    }
    return ASC_OK;
}

static asc_reader *
reader_new(struct asci_source *source,
           const struct asc_reader_options *options, struct asc_error *e)
{
    static const struct asc_reader_options none;
    asc_reader *r;

    if (!source)
        return NULL;
    r = asci_alloc_zero(1, sizeof *r, e);
    if (!r) {
        asci_source_close(source);
        return NULL;
    }
    r->source = source;
    r->capacity = BLOCK;
    r->buf = asci_alloc(r->capacity, 1, e);
    if (!r->buf || open_head(r, options ? options : &none, e)) {
        asc_reader_close(r);
        return NULL;
    }
    return r;
}

asc_reader *
asc_reader_open(const char *path, const struct asc_reader_options *options,
                struct asc_error *e)
{
    return reader_new(asci_source_open(path, e), options, e);
}

asc_reader *
asci_reader_open_bytes(const char *name, const char *bytes, size_t n,
                       const struct asc_reader_options *options,
                       struct asc_error *e)
{
    return reader_new(asci_source_open_bytes(name, bytes, n, e), options, e);
}

void
asc_reader_close(asc_reader *r)
{
    if (!r)
        return;
    asci_missing_free(&r->missing);
    asc_buffer_free(&r->comments);
    asci_dictionary_free(&r->index);
    asci_list_free(r->column, r->n_columns);
    free(r->field);
    free(r->buf);
    asci_source_close(r->source);
    free(r);
}

/* ---- what is known of the table ---- */

const char *
asc_reader_name(const asc_reader *r)
{
    return asci_source_name(r->source);
}

int
asc_reader_empty(const asc_reader *r)
{
    return r->empty;
}

size_t
asc_reader_n_columns(const asc_reader *r)
{
    return r->n_columns;
}

const char *
asc_reader_column(const asc_reader *r, size_t j)
{
    return r->column[j];
}

int
asc_reader_find(const asc_reader *r, const char *name)
{
    const struct asc_text t = { name, strlen(name) };

    return (int)asci_dictionary_find(&r->index, r->column, t);
}

int
asc_reader_require(const asc_reader *r, const char *name, size_t *j,
                   struct asc_error *e)
{
    const int found = asc_reader_find(r, name);
    const char *nearest;

    if (found < 0 && r->n_columns == 1 && strpbrk(r->column[0], ",;")) {
        const struct asc_text t = { r->column[0], strlen(r->column[0]) };
        char quoted[ASCI_QUOTE_MAX];

        return asc_fail(e, ASC_EINPUT, "%s: there is no column \"%s\"; all of "
                        "the header is one column, \"%s\": fields are "
                        "separated by %s", asc_reader_name(r), name,
                        asci_quote(t, quoted),
                        !r->csv.delimiter || r->csv.delimiter == '\t' ? "tabs"
                        : (char [4]){ '"', r->csv.delimiter, '"', '\0' });
    }
    if (found < 0) {
        nearest = asc_nearest(name, (const char *const *)r->column,
                              r->n_columns);
        return asc_fail(e, ASC_EINPUT, "%s: there is no column \"%s\"%s%s%s",
                        asc_reader_name(r), name,
                        nearest ? "; did you mean \"" : "",
                        nearest ? nearest : "", nearest ? "\"?" : "");
    }
    *j = (size_t)found;
    return ASC_OK;
}

int
asci_reader_named(const asc_reader *r, const char *name, size_t *j,
                  struct asc_error *e)
{
    const int status = asc_reader_require(r, name, j, e);

    if (status && e)
        e->status = ASC_EUSAGE;
    return status ? ASC_EUSAGE : ASC_OK;
}

const char *
asc_reader_comments(const asc_reader *r)
{
    return r->comments.p ? r->comments.p : "";
}

int
asc_reader_id_column(const asc_reader *r)
{
    return r->id_column;
}

/* ---- rows ---- */

static void
count_one(asc_reader *r)
{
    size_t i = sizeof r->counter;

    while (i > r->counter_start && r->counter[i - 1] == '9')
        r->counter[--i] = '0';
    if (i == r->counter_start)
        r->counter[--r->counter_start] = '1';
    else
        r->counter[i - 1]++;
}

static int
ragged(const asc_reader *r, size_t found, struct asc_error *e)
{
    const char *from = r->no_header ? "columns" : "columns of the header";
    char until[48] = "";

    if (r->lines > r->line)
        snprintf(until, sizeof until, " as far as line %zu", r->lines);
    if (found == 1 && r->whole.n == 0)
        asc_fail(e, ASC_EINPUT, "%s:%zu: the line is blank; %zu fields are "
                 "wanted, one for each of the %s", asc_reader_name(r), r->line,
                 r->n_columns, from);
    else
        asc_fail(e, ASC_EINPUT, "%s:%zu: %zu field%s found%s, %zu wanted, one "
                 "for each of the %s", asc_reader_name(r), r->line, found,
                 found == 1 ? "" : "s", until, r->n_columns, from);
    return -1;
}

int
asc_reader_next(asc_reader *r, struct asc_error *e)
{
    struct asc_text t;
    size_t found;
    int got;

    if (r->empty)
        return 0;               /* a byte order mark is not read again */
    if (r->has_held) {
        t = r->held;
        r->has_held = 0;
    } else {
        if ((got = next_line(r, &t, e)) <= 0)
            return got;
        if (r->no_header)
            skip_mark(r, &t);
    }
    r->whole = t;
    if (!asci_plain(t) && check_bytes(r, t, e))
        return -1;
    found = cut(t, r->field, r->n_columns);
    if (found != r->n_columns)
        return ragged(r, found, e);
    if (r->id_column >= 0) {
        r->id = r->field[r->id_column];
        if (r->id.n == 0) {
            asc_fail(e, ASC_EINPUT, "%s:%zu: field \"%s\": the row has no id",
                     asc_reader_name(r), r->line, r->column[r->id_column]);
            return -1;
        }
    } else {
        count_one(r);
        r->id.p = r->counter + r->counter_start;
        r->id.n = sizeof r->counter - r->counter_start;
    }
    return 1;
}

struct asc_text
asci_reader_whole(const asc_reader *r)
{
    return r->whole;
}

void
asci_reader_put_back(asc_reader *r, struct asc_text whole, struct asc_text id,
                     size_t line)
{
    r->whole = whole;
    cut(whole, r->field, r->n_columns);
    r->id = id;
    r->line = line;
}

int
asci_reader_can_rewind(const asc_reader *r)
{
    return asci_source_can_rewind(r->source);
}

int
asci_reader_rewind(asc_reader *r, struct asc_error *e)
{
    struct asc_text t;
    int status, got;

    if ((status = asci_source_rewind(r->source, e)))
        return status;
    r->start = r->end = 0;
    r->at_end = 0;
    r->lines = r->line = 0;
    r->has_held = 0;
    count_from(r, r->first_row);
    if (r->empty)
        return ASC_OK;
    if (!r->no_header && (got = skip_head(r, &t, 1, e)) < 0)
        return e ? (int)e->status : ASC_ESYSTEM;
    return ASC_OK;
}

size_t
asc_reader_line(const asc_reader *r)
{
    return r->line;
}

struct asc_text
asc_reader_text(const asc_reader *r, size_t j)
{
    return r->field[j];
}

struct asc_text
asc_reader_id(const asc_reader *r)
{
    return r->id;
}

const struct asci_missing *
asci_reader_missing_list(const asc_reader *r)
{
    return &r->missing;
}

int
asc_reader_missing(const asc_reader *r, size_t j)
{
    return asci_missing_text(&r->missing, r->field[j]);
}

int
asc_reader_missing_text(const asc_reader *r, struct asc_text t)
{
    return asci_missing_text(&r->missing, t);
}

int
asc_reader_number(const asc_reader *r, size_t j, double *v,
                  struct asc_error *e)
{
    const struct asc_text t = r->field[j];
    char quoted[ASCI_QUOTE_MAX];

    if (!asc_number_parse(t.p, t.n, v)) {
        if (!asci_missing_text(&r->missing, t))
            return asc_fail(e, ASC_EINPUT, "%s:%zu: field \"%s\": \"%s\" is "
                            "not a number", asc_reader_name(r), r->line,
                            r->column[j], asci_quote(t, quoted));
        *v = NAN;
    } else if (r->missing.n && asci_missing_number(&r->missing, *v)) {
        *v = NAN;
    } else if (!isfinite(*v)) {
        return asc_fail(e, ASC_EINPUT, "%s:%zu: field \"%s\": \"%s\" is not a "
                        "finite number", asc_reader_name(r), r->line,
                        r->column[j], asci_quote(t, quoted));
    }
    return ASC_OK;
}
