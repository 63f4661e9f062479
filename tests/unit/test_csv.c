/* CSV: read as RFC 4180 says, against a plain parser that goes character by
 * character; written and read again; what is refused, and with which words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ascribe/table.h>

#include "table/internal.h"
#include "seed.h"
#include "temporary.h"

#define BYTES(s) s, sizeof s - 1

static const struct asc_reader_options comma = { .delimiter = ',' };

/* Column names and rows as "a|b;1|2;", or the error; to be freed. */
static char *
read_all(const char *bytes, size_t n, const struct asc_reader_options *o,
         int *failed)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_error e = { ASC_OK, "" };
    asc_reader *r = asci_reader_open_bytes("t.csv", bytes, n, o, &e);
    const size_t columns = r ? asc_reader_n_columns(r) : 0;
    size_t j;
    int got = r ? 1 : -1;

    for (j = 0; r && !o->no_header && j < columns; j++)
        asc_buffer_print(&b, "%s%c", asc_reader_column(r, j),
                         j + 1 < columns ? '|' : ';');
    while (r && (got = asc_reader_next(r, &e)) > 0)
        for (j = 0; j < columns; j++) {
            asc_buffer_add(&b, asc_reader_text(r, j).p,
                           asc_reader_text(r, j).n);
            asc_buffer_char(&b, j + 1 < columns ? '|' : ';');
        }
    *failed = got < 0;
    if (got < 0) {
        assert_int_equal(e.status, ASC_EINPUT);
        b.n = 0;
        asc_buffer_text(&b, e.text);
    }
    asc_buffer_char(&b, '\0');
    asc_reader_close(r);
    return b.p;
}

static void
expect(const char *bytes, size_t n, const struct asc_reader_options *o,
       int wrong, const char *want)
{
    int failed;
    char *got = read_all(bytes, n, o, &failed);

    assert_string_equal(got, want);
    assert_int_equal(failed, wrong);
    free(got);
}

#define GOOD(text, o, want) expect(BYTES(text), o, 0, want)
#define BAD(text, o, want) expect(BYTES(text), o, 1, want)

/* ---- what is taken ---- */

static void
test_taken(void **state)
{
    const struct asc_reader_options semicolon = { .delimiter = ';' };
    const struct asc_reader_options tab = { .delimiter = '\t' };
    const struct asc_reader_options space = { .delimiter = ',',
                                              .replace = ' ' };
    const struct asc_reader_options bare = { .delimiter = ',',
                                             .no_header = 1 };

    (void)state;
    GOOD("a,b\n1,2\n3,4\n", &comma, "a|b;1|2;3|4;");
    GOOD("a,b\r\n1,2\r\n3,4\r\n", &comma, "a|b;1|2;3|4;");
    GOOD("a,b\n1,2\n3,4", &comma, "a|b;1|2;3|4;");
    GOOD("a,b\n1,2\r\n3,4\r", &comma, "a|b;1|2;3|4;");
    GOOD("\xef\xbb\xbf""a,b\n1,2\n", &comma, "a|b;1|2;");
    GOOD("\xef\xbb\xbf\"a\",b\n1,2\n", &comma, "a|b;1|2;");
    GOOD("", &comma, "");
    GOOD("\xef\xbb\xbf", &comma, "");
    GOOD("a,b", &comma, "a|b;");
    GOOD("a,b\n,\n", &comma, "a|b;|;");
    GOOD("a\n\nx\n", &comma, "a;;x;");
    /* the six rules of the RFC's section 2, and what they leave open */
    GOOD("\"a\",\"b\"\r\n\"1\",\"2\"\r\n", &comma, "a|b;1|2;");
    GOOD("a,b\n\"x,y\",\"\"\n", &comma, "a|b;x,y|;");
    GOOD("a,b\n\"x\"\"y\",\"\"\"\"\n", &comma, "a|b;x\"y|\";");
    GOOD("a,b\n\"\"\"x\"\"\",\"\"\"\"\"\"\n", &comma, "a|b;\"x\"|\"\";");
    GOOD("a,b\n x , y \n", &comma, "a|b; x | y ;");
    GOOD("a,b\n\" x\",2\n", &comma, "a|b; x|2;");
    GOOD("a\n\"\"\n\"x\"\r", &comma, "a;;x;");
    GOOD("a,b\n'x',2\n", &comma, "a|b;'x'|2;");
    GOOD("a;b\n1,5;\"x;y\"\n", &semicolon, "a|b;1,5|x;y;");
    GOOD("a\tb\n\"x\"\"\"\t2\n", &tab, "a|b;x\"|2;");
    /* names of rows, as R and pandas write them; numpy's header */
    GOOD(",b\nr1,2\n", &comma, "|b;r1|2;");
    GOOD("\"\",\"b\"\n\"r1\",2\n", &comma, "|b;r1|2;");
    GOOD("# a,b\n1,2\n", &comma, "a|b;1|2;");
    GOOD("\"# a\",b\n# 1,2\n", &comma, "# a|b;# 1|2;");
    GOOD("# 1,2\n", &bare, "# 1|2;");
    /* what a table cannot hold, replaced */
    GOOD("a,b\n\"x\ny\",2\n3,4\n", &space, "a|b;x y|2;3|4;");
    GOOD("a,b\r\n\"x\r\ny\r\n\",2\r\n3,4\r\n", &space, "a|b;x y |2;3|4;");
    GOOD("a,b\n\"x\r\r\n\n\",2\n", &space, "a|b;x   |2;");
    GOOD("\"a\nb\",c\nx\ty,\"\tz\"\n1\r2,3\n", &space,
         "a b|c;x y| z;1 2|3;");
    GOOD("a,b\n\"\n\n\n\",\"\n\"", &space, "a|b;   | ;");
}

static void
test_refused(void **state)
{
    const struct asc_reader_options space = { .delimiter = ',',
                                              .replace = ' ' };
    const struct asc_reader_options semicolon = { .delimiter = ';' };
    const struct asc_reader_options quote = { .delimiter = '"' };
    const struct asc_reader_options tab = { .delimiter = ',',
                                            .replace = '\t' };
    struct asc_error e = { ASC_OK, "" };
    asc_reader *r;
    size_t j;

    (void)state;
    BAD("a,b\n1,2\n3\n", &comma, "t.csv:3: 1 field found, 2 wanted, one for "
        "each of the columns of the header");
    BAD("a,b\n1,2\n\"x,y\"\n", &comma, "t.csv:3: 1 field found, 2 wanted, one "
        "for each of the columns of the header");
    BAD("a,b\n1,2\n\n", &comma, "t.csv:3: the line is blank; 2 fields are "
        "wanted, one for each of the columns of the header");
    BAD("a,b\n1,2\n\"x\ny\n\",2,3\n", &space, "t.csv:3: 3 fields found as far "
        "as line 5, 2 wanted, one for each of the columns of the header");
    BAD("a,b\n1,\"x\ny\"\n", &comma, "t.csv:2: field \"b\": the line ends "
        "within quotes, and a field of a table cannot: --replace ' ' puts a "
        "space there, if it is not a quote too many");
    BAD("a,b\n1,\"x\n", &comma, "t.csv:2: field \"b\": the line ends "
        "within quotes, and a field of a table cannot: --replace ' ' puts a "
        "space there, if it is not a quote too many");
    BAD("a,b\n1,\"x", &comma, "t.csv:2: field \"b\": a quote is not closed "
        "before the end of the file");
    BAD("a,b\n1,\"x\n2,3\n4,5\n", &space, "t.csv:4: field \"b\": a quote is "
        "not closed before the end of the file (the row begins in line 2)");
    BAD("a,b\n1,\"x\ny\"z,2\n", &space, "t.csv:3: field \"b\": \"z\" behind "
        "the closing quote: a quote within quotes is written twice (the row "
        "begins in line 2)");
    BAD("a,b\n1,\"x\" \r\n", &comma, "t.csv:2: field \"b\": \" \" behind the "
        "closing quote: a quote within quotes is written twice");
    BAD("a,b\n5\" pipe,2\n", &comma, "t.csv:2: field \"a\": there is a quote "
        "in a field that does not begin with one: put the field in quotes, "
        "and that quote twice");
    BAD("a,b\n1,x\ty\n", &comma, "t.csv:2: field \"b\": there is a tab, which "
        "a field of a table cannot hold: --replace ' ' puts a space there, "
        "--delimiter tab takes it for the end of a field");
    BAD("a,b\n1,\"x\ty\"\n", &comma, "t.csv:2: field \"b\": there is a tab, "
        "which a field of a table cannot hold: --replace ' ' puts a space "
        "there");
    BAD("a,b\r1,2\r", &comma, "t.csv:1: column 2: there is a carriage return, "
        "which a field of a table cannot hold: --replace ' ' puts a space "
        "there");
    BAD("a,\n1,2\n", &comma, "t.csv:1: column 2 has no name");
    BAD("a,a\n1,2\n", &comma, "t.csv:1: columns 1 and 2 have the same name "
        "\"a\"");
    BAD("a,b\n1,caf\xe9\n", &comma, "t.csv:2: field \"b\": byte 0xe9 is not "
        "UTF-8; convert the table, for example with iconv");
    assert_null(asci_reader_open_bytes("t.csv", BYTES("a\n"), &quote, &e));
    assert_string_equal(e.text, "t.csv: CSV cannot have the delimiter 0x22, "
                        "or 0x00 in place of tabs");
    assert_int_equal(e.status, ASC_EUSAGE);
    assert_null(asci_reader_open_bytes("t.csv", BYTES("a\n"), &tab, &e));
    r = asci_reader_open_bytes("t.csv", BYTES("a,b\n"), &semicolon, &e);
    assert_int_equal(asc_reader_require(r, "a", &j, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.csv: there is no column \"a\"; all of the "
                        "header is one column, \"a,b\": fields are separated "
                        "by \";\"");
    asc_reader_close(r);
}

/* ---- the same by a plain parser ---- */

enum { MAX_FIELDS = 64, MAX_ROWS = 64, MAX_TEXT = 128 };

struct plain {
    size_t n_rows, n_fields[MAX_ROWS];
    char text[MAX_ROWS][MAX_FIELDS][MAX_TEXT];
};

/* By the grammar of RFC 4180 alone, one character after the other, with LF for
 * CRLF too.  0 if the text is not in it. */
static int
parse_plain(const char *s, char d, struct plain *p)
{
    memset(p, 0, sizeof *p);
    while (*s) {
        const size_t row = p->n_rows;

        for (;;) {
            char *out = p->text[row][p->n_fields[row]++];

            if (*s == '"') {
                for (s++; *s != '"' || s[1] == '"'; *out++ = *s++) {
                    if (!*s)
                        return 0;
                    s += *s == '"';
                }
                s++;
            } else {
                while (*s && *s != d && *s != '\n'
                       && !(*s == '\r' && (s[1] == '\n' || !s[1]))) {
                    if (*s == '"')
                        return 0;
                    *out++ = *s++;
                }
            }
            if (*s != d)
                break;
            s++;
        }
        p->n_rows++;
        if (*s == '\r' && (s[1] == '\n' || !s[1]))
            s++;
        if (*s && *s++ != '\n')
            return 0;
    }
    return 1;
}

/* A table as our reader would give it: no row but of as many fields as the
 * first, CRLF within a field one of `replace', as are tabs and the rest. */
static int
to_table(const struct plain *p, char replace, char *out)
{
    size_t i, j;
    const char *s;

    for (i = 0; i < p->n_rows; i++) {
        if (p->n_fields[i] != p->n_fields[0])
            return 0;
        for (j = 0; j < p->n_fields[i]; j++) {
            for (s = p->text[i][j]; *s; s++) {
                const int odd = *s == '\t' || *s == '\r' || *s == '\n';

                if (odd && !replace)
                    return 0;
                if (*s == '\r' && s[1] == '\n')
                    continue;
                *out++ = odd ? replace : *s;
            }
            *out++ = j + 1 < p->n_fields[i] ? '|' : ';';
        }
    }
    *out = '\0';
    return 1;
}

static void
test_plain_parser(void **state)
{
    static const char alphabet[] = "aab\"\"\"\"\",,,,;;\n\n\r\t ";
    static struct plain plain;
    static char want[MAX_ROWS * MAX_TEXT];
    uint64_t seed = test_seed(7);
    size_t i, k, n, good = 0, bad = 0;
    char text[40];
    int failed;

    (void)state;
    for (k = 0; k < 400000; k++) {
        const struct asc_reader_options o = {
            .no_header = 1, .delimiter = k & 1 ? ',' : ';',
            .replace = k & 2 ? '_' : '\0'
        };
        char *got;
        int right;

        n = draw_below(&seed, 3 + k % 20);
        for (i = 0; i < n; i++)
            text[i] = alphabet[draw_below(&seed, sizeof alphabet - 1)];
        text[n] = '\0';
        right = parse_plain(text, o.delimiter, &plain)
            && to_table(&plain, o.replace, want);
        got = read_all(text, n, &o, &failed);
        if (failed == right || (right && strcmp(got, want)))
            fail_msg("\"%s\": %s, not %s", text, got, right ? want : "bad");
        good += (size_t)right;
        bad += (size_t)!right;
        free(got);
    }
    assert_true(good > 20000 && bad > 20000);
}

/* ---- written and read ---- */

static void
test_written(void **state)
{
#define T(s) { s, sizeof s - 1 }
    static const struct asc_text row[] = {
        T("a"), T("b c"), T("x,y"), T("\"q\""), T("1\n2"), T(""), T("-1e-3")
    };
    static const struct asc_text one[] = { T(""), T("# a"), T("\xef\xbb\xbf"),
        T("a\r"), T(";"), T("\t") };
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t i;

    (void)state;
    asc_csv_line(&b, row, 7, ',');
    asc_csv_line(&b, row, 3, ';');
    for (i = 0; i < 6; i++)
        asc_csv_line(&b, one + i, 1, i == 4 ? ';' : '\t');
    asc_buffer_char(&b, '\0');
    assert_string_equal(b.p, "a,b c,\"x,y\",\"\"\"q\"\"\",\"1\n2\",,-1e-3\n"
                        "a;b c;x,y\n\"\"\n\"# a\"\n\"\xef\xbb\xbf\"\n"
                        "\"a\r\"\n\";\"\n\"\t\"\n");
    asc_buffer_free(&b);
#undef T
}

/* Random tables come back from CSV as they were, and once more the same. */
static void
test_round_trip(void **state)
{
    static const char alphabet[] = "ab,;\"\" #'\\\xef";
    uint64_t seed = test_seed(8);
    size_t i, j, k;

    (void)state;
    for (k = 0; k < 2000; k++) {
        const size_t n = 1 + draw_below(&seed, 5), m = draw_below(&seed, 7);
        const struct asc_reader_options o = { .no_header = 1,
                                              .delimiter = k & 1 ? ',' : ';' };
        struct asc_buffer csv = { NULL, 0, 0, 0 };
        struct asc_error e = { ASC_OK, "" };
        char text[7][5][8];
        asc_reader *r;

        for (i = 0; i < m; i++) {
            struct asc_text field[5];

            for (j = 0; j < n; j++) {
                size_t c, length = draw_below(&seed, 7);

                for (c = 0; c < length; c++)
                    text[i][j][c] = alphabet[draw_below(&seed,
                                                        sizeof alphabet - 2)];
                text[i][j][length] = '\0';
                field[j].p = text[i][j];
                field[j].n = length;
            }
            asc_csv_line(&csv, field, n, o.delimiter);
        }
        r = asci_reader_open_bytes("t.csv", csv.n ? csv.p : "", csv.n, &o, &e);
        assert_non_null(r);
        for (i = 0; i < m; i++) {
            if (asc_reader_next(r, &e) != 1)
                fail_msg("%s", e.text);
            assert_int_equal(asc_reader_n_columns(r), n);
            for (j = 0; j < n; j++) {
                const struct asc_text t = asc_reader_text(r, j);

                assert_int_equal(t.n, strlen(text[i][j]));
                assert_int_equal(strncmp(t.p, text[i][j], t.n), 0);
            }
        }
        assert_int_equal(asc_reader_next(r, &e), 0);
        asc_reader_close(r);
        asc_buffer_free(&csv);
    }
}

/* ---- long rows, gzip, and reading again ---- */

static void
test_long(void **state)
{
    const struct asc_reader_options o = { .delimiter = ',', .replace = ' ' };
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_error e = { ASC_OK, "" };
    const size_t n = 1000000;
    const char *path;
    asc_reader *r;
    size_t i;
    int again;

    (void)state;
    asc_buffer_text(&b, "row,a,b\nr1,\"");
    for (i = 0; i < n; i++)
        asc_buffer_text(&b, i % 1000 ? "x\"\"" : "\r\n");
    asc_buffer_text(&b, "\",2\nr2,3,4\n");
    path = temporary_gzip("long.csv", b.p, b.n, "wb");
    r = asc_reader_open(path, &o, &e);
    if (!r)
        fail_msg("%s", e.text);
    for (again = 0; again < 2; again++) {
        assert_int_equal(asc_reader_next(r, &e), 1);
        assert_int_equal(asc_reader_line(r), 2);
        assert_int_equal(asc_reader_text(r, 1).n, 2 * n - n / 1000);
        assert_int_equal(asc_reader_text(r, 1).p[0], ' ');
        assert_memory_equal(asc_reader_text(r, 1).p + 1, "x\"x\"", 4);
        assert_int_equal(asc_reader_next(r, &e), 1);
        assert_int_equal(asc_reader_line(r), 3 + n / 1000);
        assert_int_equal(asc_reader_id(r).n, 2);
        assert_int_equal(asc_reader_next(r, &e), 0);
        assert_int_equal(asci_reader_rewind(r, &e), ASC_OK);
    }
    asc_reader_close(r);
    asc_buffer_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_plain_parser),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_long),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
