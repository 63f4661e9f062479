/* Joins by id: against looking each row up in an array, in many orders, from
 * what can be read twice and from pipes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <ascribe/table.h>

#include "fields.h"
#include "table/internal.h"
#include "temporary.h"

enum { N = 500 };

/* Row i has the id r<i * 3 mod N>, or counted i + 1; x = i + 0.5, missing for
 * every seventh, group g<i mod 4>. */
static void
make_id(int counted, size_t i, char *id)
{
    if (counted)
        sprintf(id, "%zu", i + 1);
    else
        sprintf(id, "r%zu", i * 3 % N);
}

static char *
make_table(int counted)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    char id[32];
    size_t i;

    asc_buffer_text(&b, counted ? "group\tx\tpad\n" : "group\trow\tx\tpad\n");
    for (i = 0; i < N; i++) {
        asc_buffer_print(&b, "g%zu", i % 4);
        make_id(0, i, id);
        if (!counted)
            asc_buffer_print(&b, "\t%s", id);
        if (i % 7 == 0)
            asc_buffer_text(&b, "\t");
        else
            asc_buffer_print(&b, "\t%zu.5", i);
        /* so that the table has several blocks */
        asc_buffer_print(&b, "\t%0*zu\n", (int)(i % 5) * 400, i);
    }
    asc_buffer_char(&b, '\0');
    assert_int_equal(b.failed, 0);
    return b.p;
}

struct feed { const char *path, *text; };

static void *
feed(void *p)
{
    const struct feed *f = p;
    FILE *out = fopen(f->path, "w");

    if (out) {
        fputs(f->text, out);
        fclose(out);
    }
    return NULL;
}

static void
find(asc_join *j, int counted, size_t i)
{
    struct asc_error e = { ASC_OK, "" };
    struct asc_text kept[1], id;
    char text[32], group[32];
    double x[1];

    make_id(counted, i, text);
    id.p = text;
    id.n = strlen(text);
    if (asc_join_find(j, id, x, kept, &e))
        fail_msg("%s", e.text);
    if (!(i % 7 ? x[0] == (double)i + 0.5 : isnan(x[0])))
        fail_msg("row %zu: %g", i, x[0]);
    sprintf(group, "g%zu", i % 4);
    assert_int_equal(kept[0].n, 2);
    assert_memory_equal(kept[0].p, group, 2);
    /* one of the two alone */
    assert_int_equal(asc_join_find(j, id, NULL, kept, &e), ASC_OK);
    assert_int_equal(asc_join_find(j, id, NULL, NULL, &e), ASC_OK);
    assert_int_equal(asc_join_find(j, id, x, NULL, &e), ASC_OK);
}

enum order {
    IN_STEP, REPEATED, SAMPLED, METHOD_MAJOR, SAMPLED_METHODS, BACKWARDS,
    SHUFFLED, MIXED, N_ORDERS
};

/* Asks for rows in an order; whether they may all have been found in step. */
static int
ask(asc_join *j, int counted, enum order order, uint64_t *seed)
{
    size_t i, k;

    switch (order) {
    case IN_STEP:
        for (i = 0; i < N; i++)
            find(j, counted, i);
        return 1;
    case REPEATED:
        for (i = 0; i < 3 * N; i++)
            find(j, counted, i / 3);
        return 1;
    case SAMPLED:
        for (i = draw_below(seed, 9); i < N; i += 1 + draw_below(seed, 9))
            find(j, counted, i);
        return 1;
    case METHOD_MAJOR:
        for (k = 0; k < 40; k++)
            for (i = 0; i < N; i++)
                find(j, counted, i);
        return 1;
    case SAMPLED_METHODS:
        for (k = 0; k < 40; k++)
            for (i = 0; i < N / 2; i += 7)
                find(j, counted, i);
        return 0;
    case BACKWARDS:
        for (i = N; i-- > 0; )
            find(j, counted, i);
        return 0;
    case SHUFFLED:
        for (i = 0; i < 3 * N; i++)
            find(j, counted, draw_below(seed, N));
        return 0;
    case MIXED:
        for (k = 0; k < 60; k++) {
            i = draw_below(seed, 3) ? 0 : draw_below(seed, N);
            for (; i < N && draw_below(seed, 20); i++)
                find(j, counted, i);
        }
        return 0;
    case N_ORDERS:
        break;
    }
    return 0;
}

static asc_join *
new_join(asc_reader *r, struct asc_schema *s, struct asc_binding *b)
{
    struct asc_error e = { ASC_OK, "" };
    const size_t kept[] = { 0 };
    asc_join *j;

    *s = schema_new(1);
    schema_number(s, "x");
    assert_int_equal(asc_bind(b, s, r, &e), ASC_OK);
    j = asc_join_new(r, b, kept, 1, &e);
    assert_non_null(j);
    return j;
}

static void
end_join(asc_join *j, struct asc_schema *s, struct asc_binding *b)
{
    asc_join_free(j);
    asc_binding_free(b);
    asc_schema_free(s);
}

static void
test_orders(void **state)
{
    uint64_t seed = 3;
    int counted, order, way;

    (void)state;
    for (counted = 0; counted < 2; counted++) {
        char *text = make_table(counted);

        for (order = 0; order < N_ORDERS; order++)
            for (way = 0; way < 4; way++) {
                struct asc_error e = { ASC_OK, "" };
                struct feed f = { temporary_path("pipe"), text };
                const size_t n = strlen(text);
                struct asc_schema s;
                struct asc_binding b;
                pthread_t thread;
                asc_reader *r;
                asc_join *j;
                int in_step;

                if (way == 0) {
                    r = asci_reader_open_bytes("t.tsv", text, n, NULL, &e);
                } else if (way == 1) {
                    r = asc_reader_open(temporary_bytes("t", text, n), NULL,
                                        &e);
                } else if (way == 2) {
                    r = asc_reader_open(temporary_gzip("z", text, n, "wb"),
                                        NULL, &e);
                } else {
                    unlink(f.path);
                    assert_int_equal(mkfifo(f.path, 0600), 0);
                    assert_int_equal(pthread_create(&thread, NULL, feed, &f),
                                     0);
                    r = asc_reader_open(f.path, NULL, &e);
                }
                assert_non_null(r);
                j = new_join(r, &s, &b);
                in_step = ask(j, counted, (enum order)order, &seed);
                if (in_step)
                    assert_int_equal(asc_join_indexed(j), way == 3);
                end_join(j, &s, &b);
                if (way == 3)
                    pthread_join(thread, NULL);
            }
        free(text);
    }
}

static int
find_text(asc_join *j, const char *id, double *x, struct asc_error *e)
{
    const struct asc_text t = { id, strlen(id) };

    return asc_join_find(j, t, x, NULL, e);
}

static void
test_messages(void **state)
{
    static const char table[] = "row\tg\tx\na\tp\t1\nb\tq\t2\nc\tp\t3\n"
        "b\tp\t4\n", bare[] = "g\tx\np\t1\nq\tbad\n";
    struct asc_error e = { ASC_OK, "" };
    struct asc_schema s;
    struct asc_binding b;
    asc_join *j;
    double x;

    (void)state;
    /* twice, seen when it is passed: in step, and when rows are kept */
    j = new_join(asci_reader_open_bytes("t.tsv", table, sizeof table - 1, NULL,
                                        &e), &s, &b);
    assert_int_equal(find_text(j, "b", &x, &e), ASC_OK);
    assert_true(x == 2.0);
    assert_int_equal(find_text(j, "c", &x, &e), ASC_OK);
    assert_int_equal(find_text(j, "zz", &x, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv:5: row \"b\" is there twice, first on "
                        "line 3");
    end_join(j, &s, &b);
    j = new_join(asci_reader_open_bytes("t.tsv", table, sizeof table - 8, NULL,
                                        &e), &s, &b);
    assert_int_equal(find_text(j, "c", &x, &e), ASC_OK);
    assert_int_equal(find_text(j, "zz", &x, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv: there is no row \"zz\" among its 3");
    /* it goes on after that */
    assert_int_equal(find_text(j, "b", &x, &e), ASC_OK);
    assert_true(x == 2.0);
    assert_int_equal(asc_join_indexed(j), 1);
    end_join(j, &s, &b);

    /* a bad number is met only where the row is asked for */
    j = new_join(asci_reader_open_bytes("t.tsv", bare, sizeof bare - 1, NULL,
                                        &e), &s, &b);
    assert_int_equal(find_text(j, "3", &x, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv: there is no row \"3\": its 2 rows are "
                        "counted, as there is no column of ids");
    assert_int_equal(find_text(j, "1", &x, &e), ASC_OK);
    assert_true(x == 1.0);
    assert_int_equal(find_text(j, "2", &x, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv:3: field \"x\": \"bad\" is not a "
                        "number");
    assert_int_equal(find_text(j, "1", &x, &e), ASC_OK);
    end_join(j, &s, &b);
}

/* No rows, and no values: a join for groups alone. */
static void
test_small(void **state)
{
    struct asc_error e = { ASC_OK, "" };
    const struct asc_text id = { "k", 1 };
    const size_t kept[] = { 1 };
    struct asc_text group;
    asc_reader *r;
    asc_join *j;
    double x = 7.0;

    (void)state;
    r = asci_reader_open_bytes("t.tsv", "row\tg\n", 6, NULL, &e);
    j = asc_join_new(r, NULL, kept, 1, &e);
    assert_non_null(j);
    assert_int_equal(asc_join_find(j, id, NULL, &group, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv: there is no row \"k\" among its 0");
    asc_join_free(j);
    r = asci_reader_open_bytes("t.tsv", "row\tg\nk\tmen\n", 12, NULL, &e);
    j = asc_join_new(r, NULL, kept, 1, &e);
    assert_non_null(j);
    assert_int_equal(asc_join_find(j, id, &x, &group, &e), ASC_OK);
    assert_true(x == 7.0);
    assert_int_equal(group.n, 3);
    assert_memory_equal(group.p, "men", 3);
    asc_join_free(j);
    asc_join_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_small)
    };

    signal(SIGPIPE, SIG_IGN);   /* a join need not read to the end */
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
