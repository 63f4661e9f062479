/* Reading tables: what is accepted, what is refused and with which words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <sys/stat.h>

#include <ascribe/table.h>

#include "table/internal.h"
#include "temporary.h"

#define BYTES(s) s, sizeof s - 1

static asc_reader *
open_bytes(const char *bytes, size_t n, const struct asc_reader_options *o)
{
    struct asc_error e = { ASC_OK, "" };
    asc_reader *r = asci_reader_open_bytes("t.tsv", bytes, n, o, &e);

    if (!r)
        fail_msg("%s", e.text);
    return r;
}

static void
assert_text(struct asc_text t, const char *want)
{
    assert_int_equal(t.n, strlen(want));
    if (t.n)
        assert_memory_equal(t.p, want, t.n);
}

/* Rows as "id:field|field;" one after the other. */
static char *
all_rows(asc_reader *r)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_error e = { ASC_OK, "" };
    size_t j;
    int got;

    while ((got = asc_reader_next(r, &e)) > 0) {
        asc_buffer_add(&b, asc_reader_id(r).p, asc_reader_id(r).n);
        for (j = 0; j < asc_reader_n_columns(r); j++) {
            asc_buffer_char(&b, j ? '|' : ':');
            asc_buffer_add(&b, asc_reader_text(r, j).p,
                           asc_reader_text(r, j).n);
        }
        asc_buffer_char(&b, ';');
    }
    if (got < 0)
        fail_msg("%s", e.text);
    assert_int_equal(asc_reader_next(r, &e), 0);
    asc_buffer_char(&b, '\0');
    return b.p;
}

/* ---- what is accepted ---- */

static void
check_rows(const char *bytes, size_t n, const struct asc_reader_options *o,
           const char *want)
{
    asc_reader *r = open_bytes(bytes, n, o);
    char *rows = all_rows(r);

    assert_string_equal(rows, want);
    free(rows);
    asc_reader_close(r);
}

static void
test_accepted(void **state)
{
    const struct asc_reader_options id = { .id = "b" };
    const struct asc_reader_options from = { .first_row = 98 };
    const struct asc_reader_options bare = { .no_header = 1 };
    const struct asc_reader_options named = { .no_header = 1,
                                              .columns = "row,x,y" };

    (void)state;
    check_rows(BYTES("a\tb\n1\t2\n3\t4\n"), NULL, "1:1|2;2:3|4;");
    check_rows(BYTES("a\tb\r\n1\t2\r\n3\t4\r\n"), NULL, "1:1|2;2:3|4;");
    check_rows(BYTES("a\tb\n1\t2\n3\t4"), NULL, "1:1|2;2:3|4;");
    check_rows(BYTES("a\tb\r\n1\t2\r\n3\t4\r"), NULL, "1:1|2;2:3|4;");
    check_rows(BYTES("\xef\xbb\xbf""a\tb\n1\t2\n"), NULL, "1:1|2;");
    check_rows(BYTES("a\tb\n\t\nx\t\n"), NULL, "1:|;2:x|;");
    check_rows(BYTES("a\tb\n"), NULL, "");
    check_rows(BYTES("a\tb"), NULL, "");
    check_rows(BYTES(""), NULL, "");
    check_rows(BYTES("\xef\xbb\xbf"), NULL, "");
    check_rows(BYTES("a\n1\n\n2\n"), NULL, "1:1;2:;3:2;");
    check_rows(BYTES("a\trow\n1\tr1\n2\tr2\n"), NULL, "r1:1|r1;r2:2|r2;");
    check_rows(BYTES("a\tb\n1\tr1\n2\tr2\n"), &id, "r1:1|r1;r2:2|r2;");
    check_rows(BYTES("a\nx\ny\nz\n"), &from, "98:x;99:y;100:z;");
    check_rows(BYTES("1\t2\n3\t4\n"), &bare, "1:1|2;2:3|4;");
    check_rows(BYTES("\xef\xbb\xbf""1\t2\n3\t4\n"), &bare, "1:1|2;2:3|4;");
    check_rows(BYTES("r7\t2\t3\nr8\t5\t6\n"), &named,
               "r7:r7|2|3;r8:r8|5|6;");
    check_rows(BYTES(""), &named, "");
    check_rows(BYTES(""), &bare, "");
    /* without a header a line that looks like a comment is a row */
    check_rows(BYTES("# x\n# y\n"), &bare, "1:# x;2:# y;");
    /* after the header it is one anyway, and "#" alone is no comment */
    check_rows(BYTES("#a\n# x\n"), NULL, "1:# x;");
    /* each length of UTF-8, first and last of each: U+80, U+7FF, U+800,
     * U+D7FF, U+E000, U+FFFF, U+10000, U+10FFFF */
    check_rows(BYTES("a\n\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
                     "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\n"), NULL,
               "1:\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
               "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf;");
}

static void
test_columns(void **state)
{
    const struct asc_reader_options bare = { .no_header = 1 };
    asc_reader *r = open_bytes(BYTES("# one\n# two\r\nage\tsex\n1\tm\n"),
                               NULL);
    struct asc_error e = { ASC_OK, "" };
    size_t j;

    (void)state;
    assert_string_equal(asc_reader_comments(r), "# one\n# two\n");
    assert_string_equal(asc_reader_name(r), "t.tsv");
    assert_int_equal(asc_reader_n_columns(r), 2);
    assert_string_equal(asc_reader_column(r, 1), "sex");
    assert_int_equal(asc_reader_find(r, "sex"), 1);
    assert_int_equal(asc_reader_find(r, "se"), -1);
    assert_int_equal(asc_reader_id_column(r), -1);
    assert_int_equal(asc_reader_empty(r), 0);
    assert_int_equal(asc_reader_require(r, "age", &j, &e), ASC_OK);
    assert_int_equal(j, 0);
    assert_int_equal(asc_reader_require(r, "agee", &j, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv: there is no column \"agee\"; did you "
                        "mean \"age\"?");
    assert_int_equal(asc_reader_require(r, "quantity", &j, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv: there is no column \"quantity\"");
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_reader_line(r), 4);
    asc_reader_close(r);

    r = open_bytes(BYTES(""), NULL);
    assert_int_equal(asc_reader_empty(r), 1);
    assert_int_equal(asc_reader_n_columns(r), 0);
    assert_string_equal(asc_reader_comments(r), "");
    asc_reader_close(r);

    r = open_bytes(BYTES("5\t6\t7\n8\t9\t1\n"), &bare);
    assert_int_equal(asc_reader_n_columns(r), 3);
    assert_string_equal(asc_reader_column(r, 2), "3");
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_reader_line(r), 1);
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_reader_line(r), 2);
    asc_reader_close(r);
}

static void
test_missing(void **state)
{
    static const char table[] = "v\n\nNA\nna\nNaN\nnan\n?\n-999\n-999.0\nn/a\n"
        "0\nnap\n??\n";
    static const int missing[] = { 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0 };
    /* as numbers -999.0 is -999, and the last two are none */
    static const double number[] = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
                                     NAN, 0 };
    const struct asc_reader_options o = { .missing = "-999,n/a" };
    asc_reader *r = open_bytes(BYTES(table), &o);
    struct asc_error e = { ASC_OK, "" };
    size_t i;
    double v;

    (void)state;
    for (i = 0; i < 12; i++) {
        assert_int_equal(asc_reader_next(r, &e), 1);
        assert_int_equal(asc_reader_missing(r, 0), missing[i]);
        if (i >= 10) {
            assert_int_equal(asc_reader_number(r, 0, &v, &e), ASC_EINPUT);
            continue;
        }
        assert_int_equal(asc_reader_number(r, 0, &v, &e), ASC_OK);
        assert_true(isnan(number[i]) ? isnan(v) : v == number[i]);
    }
    assert_string_equal(e.text, "t.tsv:13: field \"v\": \"\?\?\" is not a "
                        "number");
    asc_reader_close(r);
}

static void
test_number(void **state)
{
    static const char table[] = "age\n4o\ninf\n-Infinity\n1e999\n0x10\n 4\n"
        "1,5\n";
    static const char *const want[] = {
        "t.tsv:2: field \"age\": \"4o\" is not a number",
        "t.tsv:3: field \"age\": \"inf\" is not a finite number",
        "t.tsv:4: field \"age\": \"-Infinity\" is not a number",
        "t.tsv:5: field \"age\": \"1e999\" is not a number",
        "t.tsv:6: field \"age\": \"0x10\" is not a number",
        "t.tsv:7: field \"age\": \" 4\" is not a number",
        "t.tsv:8: field \"age\": \"1,5\" is not a number"
    };
    asc_reader *r = open_bytes(BYTES(table), NULL);
    struct asc_error e = { ASC_OK, "" };
    size_t i;
    double v;

    (void)state;
    for (i = 0; i < 7; i++) {
        assert_int_equal(asc_reader_next(r, &e), 1);
        assert_int_equal(asc_reader_number(r, 0, &v, &e), ASC_EINPUT);
        assert_string_equal(e.text, want[i]);
    }
    asc_reader_close(r);
}

/* ---- what is refused ---- */

struct bad { const char *bytes; size_t n; const char *want; };

static void
test_refused(void **state)
{
    static const struct bad bad[] = {
        { BYTES("a\tb\tc\n1\t2\t3\n1\t2\n"),
          "t.tsv:3: 2 fields found, 3 wanted, one for each of the columns of "
          "the header" },
        { BYTES("a\tb\n1\n"),
          "t.tsv:2: 1 field found, 2 wanted, one for each of the columns of "
          "the header" },
        { BYTES("a\tb\n1\t2\t3\t4\n"),
          "t.tsv:2: 4 fields found, 2 wanted, one for each of the columns of "
          "the header" },
        { BYTES("a\tb\n1\t2\n\n"),
          "t.tsv:3: the line is blank; 2 fields are wanted, one for each of "
          "the columns of the header" },
        { BYTES("# c\na\tb\n1\t2\n3\t4\0\n"),
          "t.tsv:4: field \"b\": there is a NUL byte: this is not a text "
          "table" },
        { BYTES("a\tb\0\n"),
          "t.tsv:1: column 2: there is a NUL byte: this is not a text table" },
        { BYTES("a\tb\n1\t\xe9t\xe9\n"),
          "t.tsv:2: field \"b\": byte 0xe9 is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("a\n\xc0\x80\n"),
          "t.tsv:2: field \"a\": byte 0xc0 is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("a\n\xe0\x9f\xbf\n"),
          "t.tsv:2: field \"a\": byte 0xe0 is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("a\n\xed\xa0\x80\n"),
          "t.tsv:2: field \"a\": byte 0xed is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("a\n\xf4\x90\x80\x80\n"),
          "t.tsv:2: field \"a\": byte 0xf4 is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("a\n\xf0\x8f\xbf\xbf\n"),
          "t.tsv:2: field \"a\": byte 0xf0 is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("a\n\xe2\x82"),
          "t.tsv:2: field \"a\": byte 0xe2 is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("a\n\x80\n"),
          "t.tsv:2: field \"a\": byte 0x80 is not UTF-8; convert the table, "
          "for example with iconv" },
        { BYTES("\xff\xfe""a\n"),
          "t.tsv:1: column 1: byte 0xff is not UTF-8; convert the table, for "
          "example with iconv" },
        { BYTES("a\tb\ta\n"),
          "t.tsv:1: columns 1 and 3 have the same name \"a\"" },
        { BYTES("# x\na\t\tb\n"), "t.tsv:2: column 2 has no name" },
        { BYTES("\n"), "t.tsv:1: column 1 has no name" },
        { BYTES("# x\n# y\n"),
          "t.tsv: there are comments, but no header line after them" },
        { BYTES("row\ta\nr1\t1\n\t2\n"),
          "t.tsv:3: field \"row\": the row has no id" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct asc_error e = { ASC_OK, "" };
        asc_reader *r = asci_reader_open_bytes("t.tsv", bad[i].bytes, bad[i].n,
                                               NULL, &e);

        while (r && asc_reader_next(r, &e) > 0)
            ;
        asc_reader_close(r);
        assert_string_equal(e.text, bad[i].want);
        assert_int_equal(e.status, ASC_EINPUT);
    }
}

static void
test_refused_options(void **state)
{
    const struct asc_reader_options id = { .id = "rov" };
    const struct asc_reader_options named = { .columns = "a,b" };
    const struct asc_reader_options two = { .no_header = 1,
                                            .columns = "a,b" };
    const struct asc_reader_options twice = { .no_header = 1,
                                              .columns = "a,a" };
    struct asc_error e;
    asc_reader *r;
    char path[300], want[400];

    (void)state;
    assert_null(asci_reader_open_bytes("t.tsv", BYTES("row\ta\n"), &id, &e));
    assert_string_equal(e.text, "t.tsv: there is no column \"rov\"; did you "
                        "mean \"row\"?");
    assert_null(asci_reader_open_bytes("t.tsv", BYTES("a\n"), &named, &e));
    assert_int_equal(e.status, ASC_EUSAGE);
    assert_null(asci_reader_open_bytes("t.tsv", BYTES("1\t2\n"), &twice, &e));
    assert_string_equal(e.text, "t.tsv:1: columns 1 and 2 have the same name "
                        "\"a\"");
    r = open_bytes(BYTES("1\t2\t3\n"), &two);
    assert_int_equal(asc_reader_next(r, &e), -1);
    assert_string_equal(e.text, "t.tsv:1: 3 fields found, 2 wanted, one for "
                        "each of the columns");
    asc_reader_close(r);
    snprintf(path, sizeof path, "%s", temporary_path("absent.tsv"));
    assert_null(asc_reader_open(path, NULL, &e));
    snprintf(want, sizeof want, "%s: cannot be opened: No such file or "
             "directory", path);
    assert_string_equal(e.text, want);
    assert_null(asc_reader_open("/", NULL, &e));
    assert_string_equal(e.text, "/: cannot be read: Is a directory");
    /* an error may go unrecorded */
    assert_null(asc_reader_open(path, NULL, NULL));
}

/* A long offender is cut, at a character's end. */
static void
test_long_offender(void **state)
{
    struct asc_error e = { ASC_OK, "" };
    char text[400] = "a\n", want[300];
    asc_reader *r;
    size_t i;
    double v;

    (void)state;
    for (i = 0; i < 100; i++)
        strcat(text, "\xe2\x82\xac");
    r = open_bytes(text, strlen(text), NULL);
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_reader_number(r, 0, &v, &e), ASC_EINPUT);
    strcpy(want, "t.tsv:2: field \"a\": \"");
    for (i = 0; i < (ASCI_QUOTE_MAX - 4) / 3; i++)
        strcat(want, "\xe2\x82\xac");
    strcat(want, "...\" is not a number");
    assert_string_equal(e.text, want);
    asc_reader_close(r);
}

/* ---- gzip ---- */

static void
test_gzip(void **state)
{
    static const char table[] = "a\tb\n1\t2\n3\t4\n";
    struct asc_error e = { ASC_OK, "" };
    const char *path;
    char *rows, *zipped;
    asc_reader *r;
    size_t n, i;

    (void)state;
    path = temporary_gzip("one", BYTES(table), "wb");
    r = asc_reader_open(path, NULL, &e);
    assert_non_null(r);
    rows = all_rows(r);
    assert_string_equal(rows, "1:1|2;2:3|4;");
    free(rows);
    assert_int_equal(asci_reader_rewind(r, &e), ASC_OK);
    rows = all_rows(r);
    assert_string_equal(rows, "1:1|2;2:3|4;");
    free(rows);
    asc_reader_close(r);

    /* members that end within a line, one of them empty, zeros after them */
    temporary_gzip("many", table, 5, "wb");
    temporary_gzip("many", table, 0, "ab");
    path = temporary_gzip("many", table + 5, sizeof table - 6, "ab");
    zipped = temporary_content(path, &n);
    memset(zipped + n, 0, 512);
    path = temporary_bytes("padded", zipped, n + 512);
    r = asc_reader_open(path, NULL, &e);
    assert_non_null(r);
    rows = all_rows(r);
    assert_string_equal(rows, "1:1|2;2:3|4;");
    free(rows);
    asc_reader_close(r);

    zipped[n] = 'x';
    r = asci_reader_open_bytes("t.gz", zipped, n + 1, NULL, &e);
    while (r && asc_reader_next(r, &e) > 0)
        ;
    assert_string_equal(e.text, "t.gz: there is something else after the gzip "
                        "data");
    asc_reader_close(r);

    /* cut off anywhere, between its members excepted */
    for (i = 2; i < n; i++) {
        struct asc_error cut = { ASC_OK, "" };
        int got = 0, rows_seen = 0;

        r = asci_reader_open_bytes("t.gz", zipped, i, NULL, &cut);
        while (r && (got = asc_reader_next(r, &cut)) > 0)
            rows_seen++;
        if (r && !got)          /* after a member */
            assert_true(rows_seen < 2 && !cut.text[0]);
        else if (strstr(cut.text, "found") == NULL)
            assert_string_equal(cut.text, "t.gz: the gzip data end too early: "
                                "the file is cut off");
        asc_reader_close(r);
    }
    free(zipped);

    /* no content at all is no byte */
    path = temporary_gzip("void", "", 0, "wb");
    r = asc_reader_open(path, NULL, &e);
    assert_non_null(r);
    assert_int_equal(asc_reader_empty(r), 1);
    asc_reader_close(r);
}

static void
test_gzip_damaged(void **state)
{
    struct asc_error e = { ASC_OK, "" };
    const char *path = temporary_gzip("d", BYTES("a\n1\n2\n3\n"), "wb");
    size_t n;
    char *zipped = temporary_content(path, &n);
    asc_reader *r;

    (void)state;
    zipped[n - 6] ^= 1;         /* in the checksum */
    r = asci_reader_open_bytes("t.gz", zipped, n, NULL, &e);
    while (r && asc_reader_next(r, &e) > 0)
        ;
    assert_string_equal(e.text, "t.gz: the gzip data are damaged (incorrect "
                        "data check)");
    assert_int_equal(e.status, ASC_EINPUT);
    asc_reader_close(r);
    free(zipped);
}

/* ---- sizes ---- */

static void
test_long_lines(void **state)
{
    /* 300,000 columns and lines of megabytes: "1\t22\t333\t1\t..." */
    const size_t n = 300000;
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_error e = { ASC_OK, "" };
    asc_reader *r;
    size_t i, j;
    double v;

    (void)state;
    for (j = 0; j < n; j++)
        asc_buffer_print(&b, "%sc%zu", j ? "\t" : "", j);
    for (i = 0; i < 3; i++)
        for (j = 0; j < n; j++)
            asc_buffer_print(&b, "%s%zu", j ? "\t" : "\n", i * n + j);
    assert_int_equal(b.failed, 0);
    r = open_bytes(b.p, b.n, NULL);
    assert_int_equal(asc_reader_find(r, "c299999"), 299999);
    for (i = 0; i < 3; i++) {
        assert_int_equal(asc_reader_next(r, &e), 1);
        for (j = 0; j < n; j++) {
            assert_int_equal(asc_reader_number(r, j, &v, &e), ASC_OK);
            assert_true(v == (double)(i * n + j));
        }
    }
    assert_int_equal(asc_reader_next(r, &e), 0);
    asc_reader_close(r);
    asc_buffer_free(&b);
}

/* Lines that end just before, at and just after the ends of blocks. */
static void
test_block_ends(void **state)
{
    const size_t block = 1 << 17;
    size_t length;

    (void)state;
    for (length = block - 6; length <= block + 6; length++) {
        struct asc_error e = { ASC_OK, "" };
        char *text = malloc(2 * length + 20);
        asc_reader *r;

        assert_non_null(text);
        memcpy(text, "a\n", 2);
        memset(text + 2, 'x', length);
        text[2 + length] = '\r';
        text[3 + length] = '\n';
        memset(text + 4 + length, 'y', length);
        r = open_bytes(text, 2 * length + 4, NULL);
        assert_int_equal(asc_reader_next(r, &e), 1);
        assert_int_equal(asc_reader_text(r, 0).n, length);
        assert_int_equal(asc_reader_text(r, 0).p[length - 1], 'x');
        assert_int_equal(asc_reader_next(r, &e), 1);
        assert_int_equal(asc_reader_text(r, 0).n, length);
        assert_int_equal(asc_reader_text(r, 0).p[length - 1], 'y');
        assert_int_equal(asc_reader_next(r, &e), 0);
        asc_reader_close(r);
        free(text);
    }
}

/* ---- random tables, however they are written ---- */

struct feed { const char *path, *bytes; size_t n; uint64_t seed; };

/* Writes into a named pipe, a few bytes at a time. */
static void *
feed(void *p)
{
    struct feed *f = p;
    FILE *out = fopen(f->path, "w");
    size_t at = 0;

    while (out && at < f->n) {
        size_t n = 1 + draw_below(&f->seed, draw_below(&f->seed, 50) ? 7
                                                                       : 9000);

        if (n > f->n - at)
            n = f->n - at;
        if (fwrite(f->bytes + at, 1, n, out) != n || fflush(out))
            break;
        at += n;
    }
    if (out)
        fclose(out);
    return NULL;
}

static void
check_table(asc_reader *r, const char *const *cell, size_t rows,
            size_t columns)
{
    struct asc_error e = { ASC_OK, "" };
    size_t i, j;

    assert_int_equal(asc_reader_n_columns(r), columns);
    for (i = 0; i < rows; i++) {
        if (asc_reader_next(r, &e) != 1)
            fail_msg("row %zu: %s", i, e.text);
        for (j = 0; j < columns; j++)
            assert_text(asc_reader_text(r, j), cell[i * columns + j]);
    }
    assert_int_equal(asc_reader_next(r, &e), 0);
}

static void
test_random_tables(void **state)
{
    static const char *const words[] = {
        "", "NA", "x", "a longer text", "\xc3\xa9", "-1.5e-300", "0", "#",
        "# c", "\"", "123456789012345678901234567890"
    };
    uint64_t seed = 1;
    size_t trial, i, j;

    (void)state;
    for (trial = 0; trial < 120; trial++) {
        const size_t columns = 1 + draw_below(&seed, 9);
        const size_t rows = draw_below(&seed, trial % 10 ? 40 : 4000);
        const char *end = draw_below(&seed, 2) ? "\n" : "\r\n";
        const char **cell = malloc((rows * columns + 1) * sizeof *cell);
        struct asc_buffer b = { NULL, 0, 0, 0 };
        struct asc_error e = { ASC_OK, "" };
        struct feed f;
        pthread_t thread;
        const char *path;
        asc_reader *r;

        assert_non_null(cell);
        if (draw_below(&seed, 2))
            asc_buffer_text(&b, "\xef\xbb\xbf");
        for (j = 0; j < columns; j++)
            asc_buffer_print(&b, "%scolumn %zu", j ? "\t" : "", j);
        for (i = 0; i < rows; i++)
            for (j = 0; j < columns; j++) {
                const char *w = words[draw_below(&seed, 11)];

                cell[i * columns + j] = w;
                asc_buffer_text(&b, j ? "\t" : end);
                asc_buffer_text(&b, w);
            }
        /* an empty last line of one column is a row only if it ends */
        if (columns == 1 || draw_below(&seed, 2))
            asc_buffer_text(&b, end);
        assert_int_equal(b.failed, 0);

        r = open_bytes(b.p, b.n, NULL);
        check_table(r, cell, rows, columns);
        assert_int_equal(asci_reader_rewind(r, &e), ASC_OK);
        check_table(r, cell, rows, columns);
        asc_reader_close(r);

        path = temporary_bytes("plain.tsv", b.p, b.n);
        r = asc_reader_open(path, NULL, &e);
        assert_non_null(r);
        check_table(r, cell, rows, columns);
        assert_int_equal(asci_reader_rewind(r, &e), ASC_OK);
        check_table(r, cell, rows, columns);
        asc_reader_close(r);

        path = temporary_gzip("zipped", b.p, b.n / 2, "wb");
        temporary_gzip("zipped", b.p + b.n / 2, b.n - b.n / 2, "ab");
        r = asc_reader_open(path, NULL, &e);
        assert_non_null(r);
        check_table(r, cell, rows, columns);
        asc_reader_close(r);

        f.path = temporary_path("pipe");
        f.bytes = b.p;
        f.n = b.n < 40000 ? b.n : 0;
        f.seed = trial;
        if (f.n) {
            unlink(f.path);
            assert_int_equal(mkfifo(f.path, 0600), 0);
            assert_int_equal(pthread_create(&thread, NULL, feed, &f), 0);
            r = asc_reader_open(f.path, NULL, &e);
            assert_non_null(r);
            assert_int_equal(asci_reader_can_rewind(r), 0);
            check_table(r, cell, rows, columns);
            asc_reader_close(r);
            pthread_join(thread, NULL);
        }
        asc_buffer_free(&b);
        free(cell);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_long_offender),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_gzip_damaged),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_block_ends),
        cmocka_unit_test(test_random_tables)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
