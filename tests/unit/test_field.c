/* Texts into values of a field, and back; binding rows to a schema. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include <ascribe/table.h>

#include "fields.h"
#include "table/internal.h"

/* The value of a text, both with and without a dictionary of hashes. */
static int
convert(struct asc_field *f, const char *text, double *v, struct asc_error *e)
{
    const struct asc_text t = { text, strlen(text) };
    struct asci_lookup look = { { f->text_type, 0, 0, NULL } };
    const int status = asc_field_value(f, t, "t.tsv:7", v, e);
    double w = NAN;
    enum asci_problem problem = asci_field_convert(f, &look, NULL, t, &w);

    assert_int_equal(problem == ASCI_FINE, status == ASC_OK);
    if (!status)
        assert_true(isnan(*v) ? isnan(w) : *v == w);
    asci_dictionary_free(&look.dictionary);
    return status;
}

static void
assert_value(struct asc_field *f, const char *text, double want)
{
    struct asc_error e = { ASC_OK, "" };
    double v = -77.0;

    if (convert(f, text, &v, &e))
        fail_msg("%s", e.text);
    if (!(isnan(want) ? isnan(v) : v == want))
        fail_msg("\"%s\" is %g, not %g", text, v, want);
}

static void
assert_refused(struct asc_field *f, const char *text, const char *want)
{
    struct asc_error e = { ASC_OK, "" };
    double v;

    assert_int_equal(convert(f, text, &v, &e), ASC_EINPUT);
    assert_string_equal(e.text, want);
}

static void
test_numbers(void **state)
{
    struct asc_schema s = schema_new(1);
    struct asc_field *f = schema_number(&s, "age");

    (void)state;
    assert_value(f, "41", 41.0);
    assert_value(f, "-1.5e3", -1500.0);
    assert_value(f, "", NAN);
    assert_value(f, "nA", NAN);
    assert_value(f, "nan", NAN);
    assert_value(f, "?", NAN);
    assert_refused(f, "4o", "t.tsv:7: field \"age\": \"4o\" is not a number");
    assert_refused(f, "inf", "t.tsv:7: field \"age\": \"inf\" is not a finite "
                   "number");
    assert_refused(f, "unknown", "t.tsv:7: field \"age\": \"unknown\" is not "
                   "a number");
    texts_of("unknown,-9", &f->missing, &f->n_missing);
    assert_value(f, "unknown", NAN);
    assert_value(f, "-9", NAN);
    assert_value(f, "-9.00", NAN);
    assert_value(f, "9", 9.0);
    f->replacement = 38.5;
    assert_value(f, "unknown", 38.5);
    assert_value(f, "", 38.5);
    assert_value(f, "0", 0.0);
    asc_schema_free(&s);
}

static void
test_ranges(void **state)
{
    struct asc_schema s = schema_new(1);
    struct asc_field *f = schema_number(&s, "age");

    (void)state;
    f->low = 0.0;
    f->high = 120.5;
    assert_value(f, "0", 0.0);
    assert_value(f, "120.5", 120.5);
    assert_refused(f, "-1", "t.tsv:7: field \"age\": -1 is outside the range "
                   "from 0 to 120.5 that the model declares");
    assert_value(f, "", NAN);
    f->invalid = ASC_INVALID_AS_IS;
    assert_value(f, "-1", -1.0);
    f->invalid = ASC_INVALID_MISSING;
    assert_value(f, "121", NAN);
    f->replacement = 7.0;
    assert_value(f, "121", 7.0);
    f->clamp = 1;
    assert_value(f, "121", 120.5);
    assert_value(f, "-3", 0.0);
    asc_schema_free(&s);
}

static void
test_categories(void **state)
{
    struct asc_schema s = schema_new(1);
    struct asc_field *f = schema_category(&s, "work", "Private,NA,Self,01");

    (void)state;
    assert_value(f, "Private", 0.0);
    assert_value(f, "Self", 2.0);
    assert_value(f, "01", 3.0);
    /* declared, so not missing; "na" is not the one declared */
    assert_value(f, "NA", 1.0);
    assert_value(f, "na", NAN);
    assert_value(f, "", NAN);
    assert_refused(f, "Privat", "t.tsv:7: field \"work\": \"Privat\" is not "
                   "among its 4 categories; did you mean \"Private\"?");
    assert_refused(f, "quite another", "t.tsv:7: field \"work\": \"quite "
                   "another\" is not among its 4 categories (\"Private\", "
                   "...)");
    assert_refused(f, "1", "t.tsv:7: field \"work\": \"1\" is not among its 4 "
                   "categories (\"Private\", ...)");
    f->invalid = ASC_INVALID_AS_IS;
    assert_value(f, "private", 4.0);
    f->invalid = ASC_INVALID_MISSING;
    assert_value(f, "private", NAN);
    f->replacement = 2.0;
    assert_value(f, "private", 2.0);
    assert_value(f, "?", 2.0);
    texts_of("none,Self", &f->missing, &f->n_missing);
    assert_value(f, "none", 2.0);
    f->replacement = NAN;
    assert_value(f, "none", NAN);
    assert_value(f, "Self", 2.0);
    asc_schema_free(&s);

    s = schema_new(1);
    f = schema_category(&s, "none", NULL);
    assert_refused(f, "a", "t.tsv:7: field \"none\": \"a\" is not among its 0 "
                   "categories");
    asc_schema_free(&s);
}

static void
test_typed_categories(void **state)
{
    struct asc_schema s = schema_new(3);
    struct asc_field *number = schema_category(&s, "n", "0,1,2.50,x");
    struct asc_field *truth = schema_category(&s, "b", "false,true");
    struct asc_field *digit = schema_category(&s, "d", "1,0");

    (void)state;
    number->text_type = ASC_TEXT_NUMBER;
    assert_value(number, "1", 1.0);
    assert_value(number, "1.0", 1.0);
    assert_value(number, "01", 1.0);
    assert_value(number, "1e0", 1.0);
    assert_value(number, "-0", 0.0);
    assert_value(number, "2.5", 2.0);
    assert_value(number, "x", 3.0);
    assert_refused(number, "3", "t.tsv:7: field \"n\": \"3\" is not among its "
                   "4 categories (\"0\", ...)");
    texts_of("-1", &number->missing, &number->n_missing);
    assert_value(number, "-1.0", NAN);
    truth->text_type = ASC_TEXT_BOOLEAN;
    assert_value(truth, "true", 1.0);
    assert_value(truth, "TRUE", 1.0);
    assert_value(truth, "1", 1.0);
    assert_value(truth, "False", 0.0);
    assert_value(truth, "0.0", 0.0);
    truth->invalid = ASC_INVALID_AS_IS;
    assert_value(truth, "2", 2.0);
    assert_value(truth, "yes", 2.0);
    digit->text_type = ASC_TEXT_BOOLEAN;
    assert_value(digit, "True", 0.0);
    assert_value(digit, "false", 1.0);
    asc_schema_free(&s);
}

static void
test_open(void **state)
{
    struct asc_schema s = schema_new(1);
    struct asc_field *f = schema_category(&s, "city", "a,b,c,d,e");
    struct asci_lookup one = { { ASC_TEXT, 0, 0, NULL } };
    struct asci_lookup two = { { ASC_TEXT, 0, 0, NULL } };
    struct asc_error e = { ASC_OK, "" };
    char text[32];
    size_t i;
    double v;

    (void)state;
    f->open = 1;
    assert_value(f, "c", 2.0);
    assert_value(f, "", NAN);
    assert_int_equal(f->n_categories, 5);
    /* three ways to grow, in turn: they must agree on what is there */
    for (i = 0; i < 3000; i++) {
        const struct asc_text t = { text, (size_t)sprintf(text, "new %zu",
                                                          i / 2) };

        if (i % 3 == 2)
            assert_int_equal(asc_field_value(f, t, "t", &v, &e), ASC_OK);
        else
            assert_int_equal(asci_field_convert(f, i % 3 ? &two : &one, NULL,
                                                t, &v), ASCI_FINE);
        assert_true(v == 5.0 + (double)(i / 2));
        assert_string_equal(f->categories[5 + i / 2], text);
    }
    assert_int_equal(f->n_categories, 1505);
    asci_dictionary_free(&one.dictionary);
    asci_dictionary_free(&two.dictionary);
    asc_schema_free(&s);
}

static void
assert_written(const struct asc_field *f, double v, int digits,
               const char *want)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };

    asc_field_text(f, v, digits, &b);
    assert_int_equal(b.n, strlen(want));
    if (b.n)
        assert_memory_equal(b.p, want, b.n);
    asc_buffer_free(&b);
}

static void
test_text(void **state)
{
    struct asc_schema s = schema_new(2);
    struct asc_field *f = schema_number(&s, "x");
    struct asc_field *g = schema_category(&s, "c", "p,q\tr\nt");

    (void)state;
    assert_written(f, 0.1, 0, "0.1");
    assert_written(f, -0.0, 0, "0");
    assert_written(f, 1.0 / 3.0, 3, "0.333");
    assert_written(f, NAN, 0, "");
    assert_written(g, 0.0, 0, "p");
    assert_written(g, 1.0, 0, "q r t");
    assert_written(g, 2.0, 0, "(undeclared)");
    assert_written(g, NAN, 0, "");
    assert_int_equal(asc_schema_find(&s, "c"), 1);
    assert_int_equal(asc_schema_find(&s, "y"), -1);
    asc_schema_free(&s);
    asc_schema_free(&s);        /* nothing left: harmless */
}

/* ---- binding ---- */

static void
test_bind(void **state)
{
    static const char table[] = "row\tsex\tnote\tage\nr1\tm\tx\t41\n"
        "r2\tf\ty\t-1\nr3\tm\tz\t4o\nr4\tx\tz\t4\n";
    const struct asc_reader_options o = { .missing = "-1" };
    struct asc_schema s = schema_new(2);
    struct asc_error e = { ASC_OK, "" };
    struct asc_binding b;
    asc_reader *r = asci_reader_open_bytes("t.tsv", table, strlen(table), &o,
                                           &e);
    double x[2];

    (void)state;
    assert_non_null(r);
    schema_number(&s, "age");
    schema_category(&s, "sex", "f,m");
    assert_int_equal(asc_bind(&b, &s, r, &e), ASC_OK);
    assert_int_equal(b.column[0], 3);
    assert_int_equal(b.column[1], 1);
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_bind_row(&b, r, x, &e), ASC_OK);
    assert_true(x[0] == 41.0 && x[1] == 1.0);
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_bind_row(&b, r, x, &e), ASC_OK);
    assert_true(isnan(x[0]) && x[1] == 0.0);
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_bind_row(&b, r, x, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv:4: field \"age\": \"4o\" is not a "
                        "number");
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_bind_row(&b, r, x, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv:5: field \"sex\": \"x\" is not among "
                        "its 2 categories (\"f\", ...)");
    asc_binding_free(&b);

    free(s.field[0].name);
    s.field[0].name = strdup("Age");
    assert_int_equal(asc_bind(&b, &s, r, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv: there is no column \"Age\"; did you "
                        "mean \"age\"?");
    free(s.field[0].name);
    s.field[0].name = strdup("row");
    assert_int_equal(asc_bind(&b, &s, r, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv: column \"row\" holds the row ids and "
                        "cannot be a field of the model as well");
    asc_binding_free(&b);       /* failed: harmless */
    asc_reader_close(r);
    asc_schema_free(&s);
}

/* A declared category is no missing value, whatever --missing says. */
static void
test_bind_declared(void **state)
{
    static const char table[] = "c\tx\n-1\t-1\nNA\tNA\n-1.0\t-1.0\n";
    const struct asc_reader_options o = { .missing = "-1" };
    struct asc_schema s = schema_new(2);
    struct asc_error e = { ASC_OK, "" };
    struct asc_binding b;
    asc_reader *r = asci_reader_open_bytes("t.tsv", table, strlen(table), &o,
                                           &e);
    double x[2];

    (void)state;
    assert_non_null(r);
    schema_category(&s, "c", "-1,NA");
    s.field[0].text_type = ASC_TEXT_NUMBER;
    schema_number(&s, "x");
    assert_int_equal(asc_bind(&b, &s, r, &e), ASC_OK);
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_bind_row(&b, r, x, &e), ASC_OK);
    assert_true(x[0] == 0.0 && isnan(x[1]));
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_bind_row(&b, r, x, &e), ASC_OK);
    assert_true(x[0] == 1.0 && isnan(x[1]));
    assert_int_equal(asc_reader_next(r, &e), 1);
    assert_int_equal(asc_bind_row(&b, r, x, &e), ASC_OK);
    assert_true(x[0] == 0.0 && isnan(x[1]));
    asc_binding_free(&b);
    asc_reader_close(r);
    asc_schema_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_typed_categories),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_bind),
        cmocka_unit_test(test_bind_declared)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
