/* Blocks of rows: values, ids, lines and kept texts, in blocks of any size. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include <ascribe/table.h>

#include "fields.h"
#include "table/internal.h"

static void
assert_text(struct asc_text t, const char *want)
{
    assert_int_equal(t.n, strlen(want));
    if (t.n)
        assert_memory_equal(t.p, want, t.n);
}

static asc_reader *
open_text(const char *text, const struct asc_reader_options *o)
{
    struct asc_error e = { ASC_OK, "" };
    asc_reader *r = asci_reader_open_bytes("t.tsv", text, strlen(text), o, &e);

    if (!r)
        fail_msg("%s", e.text);
    return r;
}

/* Row i: x = i / 2, colour = i mod 3, kept "k<i>" and "" for odd i. */
static void
test_blocks(void **state)
{
    static const char *const colour[] = { "red", "", "blue" };
    const size_t n = 1000;
    struct asc_buffer text = { NULL, 0, 0, 0 };
    size_t capacity, i;

    (void)state;
    asc_buffer_text(&text, "# note\nk\tx\trow\tcolour\tl\n");
    for (i = 0; i < n; i++)
        asc_buffer_print(&text, "k%zu\t%.1f\tr%zu\t%s\t%s\n", i,
                         (double)i / 2, i * 7 % n, colour[i % 3],
                         i % 2 ? "" : "even");
    asc_buffer_char(&text, '\0');
    for (capacity = 1; capacity < 2500; capacity = capacity * 3 + 1) {
        struct asc_schema s = schema_new(2);
        asc_reader *r = open_text(text.p, NULL);
        struct asc_error e = { ASC_OK, "" };
        struct asc_ids *ids = asc_ids_new(&e);
        const size_t kept[] = { 4, 0 };
        struct asc_binding b;
        struct asc_rows rows;
        size_t seen = 0;
        int got;

        schema_category(&s, "colour", "red,green,blue");
        schema_number(&s, "x");
        assert_int_equal(asc_bind(&b, &s, r, &e), ASC_OK);
        assert_int_equal(asc_rows_init(&rows, capacity, 2, 2, &e), ASC_OK);
        while ((got = asc_rows_read(&rows, r, &b, kept, ids, &e)) > 0) {
            assert_int_equal(rows.n, capacity < n - seen ? capacity
                                                         : n - seen);
            for (i = 0; i < rows.n; i++, seen++) {
                char want[32];

                sprintf(want, "r%zu", seen * 7 % n);
                assert_text(asc_rows_id(&rows, i), want);
                sprintf(want, "k%zu", seen);
                assert_text(asc_rows_kept(&rows, i, 1), want);
                assert_text(asc_rows_kept(&rows, i, 0),
                            seen % 2 ? "" : "even");
                assert_int_equal(rows.line[i], seen + 3);
                if (seen % 3 == 1)
                    assert_true(isnan(rows.x[2 * i]));
                else
                    assert_true(rows.x[2 * i] == (double)(seen % 3));
                assert_true(rows.x[2 * i + 1] == (double)seen / 2);
            }
        }
        assert_int_equal(got, 0);
        assert_int_equal(seen, n);
        assert_int_equal(rows.n, 0);
        asc_rows_free(&rows);
        asc_binding_free(&b);
        asc_ids_free(ids);
        asc_reader_close(r);
        asc_schema_free(&s);
    }
    asc_buffer_free(&text);
}

static void
test_no_fields(void **state)
{
    const struct asc_reader_options o = { .first_row = 10 };
    asc_reader *r = open_text("a\tb\n1\tx\n2\ty\n", &o);
    struct asc_error e = { ASC_OK, "" };
    const size_t kept[] = { 1 };
    struct asc_rows rows;

    (void)state;
    assert_int_equal(asc_rows_init(&rows, 8, 0, 1, &e), ASC_OK);
    assert_int_equal(asc_rows_read(&rows, r, NULL, kept, NULL, &e), 1);
    assert_int_equal(rows.n, 2);
    assert_text(asc_rows_id(&rows, 1), "11");
    assert_text(asc_rows_kept(&rows, 1, 0), "y");
    assert_int_equal(asc_rows_read(&rows, r, NULL, kept, NULL, &e), 0);
    asc_rows_free(&rows);
    asc_reader_close(r);
}

static void
test_failures(void **state)
{
    asc_reader *r = open_text("row\tx\na\t1\nb\t2\na\t3\n", NULL);
    struct asc_error e = { ASC_OK, "" };
    struct asc_ids *ids = asc_ids_new(&e);
    struct asc_schema s = schema_new(1);
    struct asc_binding b;
    struct asc_rows rows;

    (void)state;
    assert_int_equal(asc_rows_init(&rows, 8, 0, 0, &e), ASC_OK);
    assert_int_equal(asc_rows_read(&rows, r, NULL, NULL, ids, &e), -1);
    assert_string_equal(e.text, "t.tsv:4: row \"a\" is there twice, first on "
                        "line 2");
    asc_rows_free(&rows);
    asc_ids_free(ids);
    asc_reader_close(r);

    r = open_text("row\tx\na\t1\nb\t2,5\n", NULL);
    schema_number(&s, "x");
    assert_int_equal(asc_bind(&b, &s, r, &e), ASC_OK);
    assert_int_equal(asc_rows_init(&rows, 8, 1, 0, &e), ASC_OK);
    assert_int_equal(asc_rows_read(&rows, r, &b, NULL, NULL, &e), -1);
    assert_string_equal(e.text, "t.tsv:3: field \"x\": \"2,5\" is not a "
                        "number");
    asc_rows_free(&rows);
    asc_binding_free(&b);
    asc_reader_close(r);
    asc_schema_free(&s);
    assert_int_equal(asc_rows_init(&rows, SIZE_MAX / 2, 100, 0, &e),
                     ASC_ESYSTEM);
    asc_rows_free(&rows);       /* failed: harmless */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_no_fields),
        cmocka_unit_test(test_failures)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
