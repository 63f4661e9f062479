/* Backgrounds: baselines by hand, digests by sha256sum, picks by sorting. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ascribe/table.h>

#include "fields.h"
#include "temporary.h"

static struct asc_schema
make_schema(void)
{
    struct asc_schema s = schema_new(2);

    schema_number(&s, "age");
    schema_category(&s, "sex", "m,f,x");
    return s;
}

static void
test_read(void **state)
{
    struct asc_schema s = make_schema();
    struct asc_error e = { ASC_OK, "" };
    struct asc_background b, c;
    const char *path = temporary_file("b", "sex\tnote\tage\nf\t\t1.50\n"
                                      "m\tn\tNA\r\n\tn\t-0\n");

    (void)state;
    assert_int_equal(asc_background_read(path, NULL, &s, &b, &e), ASC_OK);
    assert_int_equal(b.n, 3);
    assert_int_equal(b.d, 2);
    assert_true(b.x[0] == 1.5 && b.x[1] == 1.0);
    assert_true(isnan(b.x[2]) && b.x[3] == 0.0);
    assert_true(b.x[4] == 0.0 && isnan(b.x[5]));
    assert_true(b.baseline[0] == 0.75);
    assert_true(b.baseline[1] == 0.0);  /* m and f once each: m comes first */
    /* printf 'age\tsex\n1.5\tf\n\tm\n0\t\n' | sha256sum */
    assert_string_equal(b.digest, "2b85aee4ec9d32bff67691865b1d971a"
                        "fac3ad416375a93a03d38a80b02e3d63");
    /* other columns, spellings and ends of lines: the same rows */
    path = temporary_file("c", "row\tage\tsex\n7\t15e-1\tf\n8\t?\tm\n9\t0.0\t"
                          "na\n");
    assert_int_equal(asc_background_read(path, NULL, &s, &c, &e), ASC_OK);
    assert_string_equal(c.digest, b.digest);
    asc_background_free(&c);
    assert_int_equal(asc_background_make(&s, b.x, 3, &c, &e), ASC_OK);
    assert_string_equal(c.digest, b.digest);
    assert_true(c.baseline[0] == 0.75);
    assert_true(c.x != b.x);
    asc_background_free(&c);
    assert_int_equal(asc_background_make(&s, b.x, 2, &c, &e), ASC_OK);
    assert_true(strcmp(c.digest, b.digest) != 0);
    asc_background_free(&c);
    asc_background_free(&b);
    asc_schema_free(&s);
}

static void
test_baseline(void **state)
{
    struct asc_schema s = make_schema();
    struct asc_error e = { ASC_OK, "" };
    struct asc_background b;
    /* a sum that doubles do not have in this order: 1e16 + 1 - 1e16 */
    const double a[] = { 1e16, 2, 1, 1, -1e16, 2, 2, 1 };
    const double large[] = { 1.5e308, 3, 1.5e308, 3, 1e308, 0 };
    const double missing[] = { NAN, NAN, NAN, NAN };

    (void)state;
    assert_int_equal(asc_background_make(&s, a, 4, &b, &e), ASC_OK);
    assert_true(b.baseline[0] == 0.75);
    assert_true(b.baseline[1] == 1.0);
    asc_background_free(&b);
    assert_int_equal(asc_background_make(&s, large, 3, &b, &e), ASC_OK);
    assert_true(fabs(b.baseline[0] / 1e308 - 4.0 / 3.0) < 1e-15);
    assert_true(b.baseline[1] == 3.0);  /* an undeclared one, twice */
    asc_background_free(&b);
    assert_int_equal(asc_background_make(&s, missing, 2, &b, &e), ASC_OK);
    assert_true(isnan(b.baseline[0]) && isnan(b.baseline[1]));
    asc_background_free(&b);
    assert_int_equal(asc_background_make(&s, a + 2, 1, &b, &e), ASC_OK);
    assert_true(b.baseline[0] == 1.0 && b.baseline[1] == 1.0);
    asc_background_free(&b);
    assert_int_equal(asc_background_make(&s, a, 0, &b, &e), ASC_EINPUT);
    assert_string_equal(e.text, "the background has no rows");
    asc_background_free(&b);    /* failed: harmless */
    asc_schema_free(&s);
}

static void
test_refused(void **state)
{
    static const struct { const char *text, *want; } bad[] = {
        { "", "the background has no rows" },
        { "age\tsex\n", "the background has no rows" },
        { "age\n1\n", "there is no column \"sex\"" },
        { "age\tsex\n1\tm\n2\tq\n", NULL },
        { "row\tage\tsex\nr\t1\tm\nr\t2\tm\n", NULL }
    };
    static const char *const located[] = {
        "3: field \"sex\": \"q\" is not among its 3 categories (\"m\", ...)",
        "3: row \"r\" is there twice, first on line 2"
    };
    struct asc_schema s = make_schema();
    size_t i, way;

    (void)state;
    for (i = 0; i < 5; i++)
        for (way = 0; way < 2; way++) {
            const char *path = temporary_file("bad", bad[i].text);
            struct asc_error e = { ASC_OK, "" };
            struct asc_background b;
            char want[400];

            assert_int_equal(way ? asc_background_read(path, NULL, &s, &b, &e)
                             : asc_background_pick(path, NULL, &s, 5, 1, &b,
                                                   &e), ASC_EINPUT);
            if (bad[i].want)
                snprintf(want, sizeof want, "%s: %s", path, bad[i].want);
            else
                snprintf(want, sizeof want, "%s:%s", path, located[i - 3]);
            assert_string_equal(e.text, want);
            assert_null(b.x);
            asc_background_free(&b);
        }
    asc_schema_free(&s);
}

/* ---- picks ---- */

enum { N = 400 };

struct row { uint64_t hash; size_t i; };

static int
by_hash(const void *a, const void *b)
{
    const struct row *p = a, *q = b;

    return p->hash < q->hash ? -1 : p->hash > q->hash;
}

/* Row i: id r<i>, age i, city c<i mod 50>. */
static const char *
write_rows(const char *name, const size_t *order, size_t n)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    const char *path;
    size_t i;

    asc_buffer_text(&b, "city\trow\tage\n");
    for (i = 0; i < n; i++)
        asc_buffer_print(&b, "c%zu\tr%zu\t%zu\n", order[i] % 50, order[i],
                         order[i]);
    path = temporary_bytes(name, b.p, b.n);
    asc_buffer_free(&b);
    return path;
}

static void
test_pick(void **state)
{
    static const size_t sizes[] = { 1, 2, 7, 100, 399, 400, 1000 };
    uint64_t seed;
    size_t k, i, trial;

    (void)state;
    for (k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
        for (seed = 1; seed < 3; seed++) {
            const size_t n = sizes[k] < N ? sizes[k] : N;
            struct row row[N];
            size_t order[N];
            char digest[ASC_DIGEST_MAX] = "";
            uint64_t shuffle = seed;

            for (i = 0; i < N; i++) {
                struct asc_stream stream;
                char id[16];

                asc_stream_start(&stream, seed, "background", id,
                                 (size_t)sprintf(id, "r%zu", i));
                row[i].hash = asc_stream_bits(&stream);
                row[i].i = order[i] = i;
            }
            qsort(row, N, sizeof row[0], by_hash);
            for (trial = 0; trial < 3; trial++) {
                struct asc_schema s = schema_new(2);
                struct asc_error e = { ASC_OK, "" };
                struct asc_background b;
                const char *path;

                schema_number(&s, "age");
                schema_category(&s, "city", NULL)->open = 1;
                path = write_rows("pick", order, N);
                assert_int_equal(asc_background_pick(path, NULL, &s, sizes[k],
                                                     seed, &b, &e), ASC_OK);
                assert_int_equal(b.n, n);
                for (i = 0; i < n; i++) {
                    char city[16];

                    assert_true(b.x[2 * i] == (double)row[i].i);
                    sprintf(city, "c%zu", row[i].i % 50);
                    assert_string_equal(s.field[1].categories[
                        (size_t)b.x[2 * i + 1]], city);
                }
                /* categories in the order of the hashes as well */
                assert_true(b.x[1] == 0.0);
                if (trial)
                    assert_string_equal(b.digest, digest);
                strcpy(digest, b.digest);
                asc_background_free(&b);
                asc_schema_free(&s);
                for (i = N; i > 1; i--) {
                    const size_t at = draw_below(&shuffle, i);
                    const size_t t = order[i - 1];

                    order[i - 1] = order[at];
                    order[at] = t;
                }
            }
        }
}

/* A bad number in a row that is not picked is nobody's concern. */
static void
test_pick_asked_only(void **state)
{
    struct asc_schema s = schema_new(1);
    struct asc_error e = { ASC_OK, "" };
    struct asc_background b;
    const char *path = temporary_file("some", "row\tage\na\t1\nb\t2\nc\tq\n");
    uint64_t seed, failures = 0;

    (void)state;
    schema_number(&s, "age");
    for (seed = 1; seed <= 30; seed++) {
        if (asc_background_pick(path, NULL, &s, 1, seed, &b, &e))
            failures++;
        asc_background_free(&b);
    }
    assert_true(failures > 0 && failures < 30);
    asc_schema_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_baseline),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_pick),
        cmocka_unit_test(test_pick_asked_only)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
