/* test_fit_training.c -- the reader of training tables, and the registry of
 * trainers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "temporary.h"
#include "training.h"

static int
read_text(const char *text, const struct asc_training_options *p,
          struct asc_training *t, struct asc_error *e)
{
    return asc_training_read(temporary_file("t.tsv", text), NULL, p, t, e);
}

static void
kinds_and_order(void **state)
{
    static const char text[] =
        "# a comment\n"
        "row\tage\tjob\tcode\tnote\tdenied\tw\n"
        "a1\t30\tclerk\t10\t1.0\tyes\t2\n"
        "a2\t\tbaker\t9\t1\tno\t1\n"
        "a3\t41.5\t\t10\tx\t\t1\n"
        "a4\t?\tBaker\t2\tx\tno\t0\n"
        "a5\t-1e2\tclerk\t2\tx\tno\t0.5\n";
    const struct asc_training_options p = {
        .target = "denied", .weight = "w", .categorical = "code"
    };
    struct asc_training t;
    struct asc_error e = { 0 };

    (void)state;
    assert_int_equal(read_text(text, &p, &t, &e), ASC_OK);
    /* a3 has no target, a4 no weight */
    assert_int_equal(t.n, 3);
    assert_int_equal(t.schema.n, 4);
    assert_string_equal(t.schema.field[0].name, "age");
    assert_int_equal(t.schema.field[0].kind, ASC_CONTINUOUS);
    assert_true(t.x[0] == 30.0 && isnan(t.x[4]) && t.x[8] == -100.0);
    assert_int_equal(t.schema.field[1].kind, ASC_CATEGORICAL);
    assert_int_equal(t.schema.field[1].n_categories, 2);
    assert_string_equal(t.schema.field[1].categories[0], "baker");
    assert_string_equal(t.schema.field[1].categories[1], "clerk");
    assert_true(t.x[1] == 1.0 && t.x[5] == 0.0 && t.x[9] == 1.0);
    /* named categorical: sorted by bytes, not as numbers */
    assert_int_equal(t.schema.field[2].n_categories, 3);
    assert_string_equal(t.schema.field[2].categories[0], "10");
    assert_string_equal(t.schema.field[2].categories[1], "2");
    assert_string_equal(t.schema.field[2].categories[2], "9");
    assert_true(t.x[2] == 0.0 && t.x[6] == 2.0 && t.x[10] == 1.0);
    /* turned into categories by its last row, texts kept as they were */
    assert_int_equal(t.schema.field[3].n_categories, 3);
    assert_string_equal(t.schema.field[3].categories[0], "1");
    assert_string_equal(t.schema.field[3].categories[1], "1.0");
    assert_string_equal(t.schema.field[3].categories[2], "x");
    assert_true(t.x[3] == 1.0 && t.x[7] == 0.0 && t.x[11] == 2.0);
    assert_int_equal(t.target.kind, ASC_CATEGORICAL);
    assert_string_equal(t.target.categories[0], "no");
    assert_string_equal(t.target.categories[1], "yes");
    assert_true(t.y[0] == 1.0 && t.y[1] == 0.0 && t.y[2] == 0.0);
    assert_true(t.weight[0] == 2.0 && t.weight[1] == 1.0 &&
                t.weight[2] == 0.5);
    assert_memory_equal(t.ids.p + t.id[2], "a5", 2);
    assert_int_equal(t.id_length[2], 2);
    asc_training_free(&t);
}

static void
choice_of_fields(void **state)
{
    static const char text[] = "a\tb\tc\ty\n1\t2\t3\t4\n5\t6\t7\t8\n";
    struct asc_training_options p = { .target = "y", .fields = "c,a" };
    struct asc_training t;
    struct asc_error e = { 0 };

    (void)state;
    assert_int_equal(read_text(text, &p, &t, &e), ASC_OK);
    assert_int_equal(t.schema.n, 2);
    assert_string_equal(t.schema.field[0].name, "c");
    assert_string_equal(t.schema.field[1].name, "a");
    assert_true(t.x[0] == 3.0 && t.x[1] == 1.0 && t.x[2] == 7.0);
    assert_int_equal(t.target.kind, ASC_CONTINUOUS);
    assert_true(t.y[0] == 4.0 && t.y[1] == 8.0);
    assert_null(t.weight);
    assert_memory_equal(t.ids.p + t.id[1], "2", 1);
    asc_training_free(&t);
    p.fields = NULL;
    p.drop = "b";
    p.categorical = "y";
    assert_int_equal(read_text(text, &p, &t, &e), ASC_OK);
    assert_int_equal(t.schema.n, 2);
    assert_string_equal(t.schema.field[1].name, "c");
    assert_int_equal(t.target.kind, ASC_CATEGORICAL);
    assert_string_equal(t.target.categories[1], "8");
    asc_training_free(&t);
}

static void
declared_missing(void **state)
{
    const struct asc_reader_options r = { .missing = "-9,none" };
    const struct asc_training_options p = { .target = "y" };
    const char *path = temporary_file("m.tsv", "a\tb\ty\n1\tu\t4\n"
                                      "-9\tnone\t5\n2\tv\t6\n");
    struct asc_training t;
    struct asc_error e = { 0 };

    (void)state;
    assert_int_equal(asc_training_read(path, &r, &p, &t, &e), ASC_OK);
    assert_true(isnan(t.x[2]) && isnan(t.x[3]));
    /* the model will know them without being told again */
    assert_int_equal(t.schema.field[0].n_missing, 2);
    assert_string_equal(t.schema.field[0].missing[0], "-9");
    assert_int_equal(t.schema.field[1].n_categories, 2);
    asc_training_free(&t);
}

static void
many_rows(void **state)
{
    struct asc_buffer text = { 0 };
    const struct asc_training_options p = { .target = "y" };
    struct asc_training t;
    struct asc_error e = { 0 };
    const size_t n = 5000;
    size_t i;

    (void)state;
    asc_buffer_text(&text, "x\tc\ty\n");
    for (i = 0; i < n; i++)
        asc_buffer_print(&text, "%zu.5\t%s%zu\t%zu\n", i,
                         i + 1 == n ? "z" : "", i % 1000, i % 7);
    assert_int_equal(asc_training_read(temporary_bytes("l.tsv", text.p,
                                                       text.n),
                                       NULL, &p, &t, &e), ASC_OK);
    assert_int_equal(t.n, n);
    assert_int_equal(t.schema.field[0].kind, ASC_CONTINUOUS);
    assert_int_equal(t.schema.field[1].n_categories, 1001);
    for (i = 0; i + 1 < n; i++) {
        char want[16];

        snprintf(want, sizeof want, "%zu", i % 1000);
        assert_true(t.x[2 * i] == (double)i + 0.5);
        assert_string_equal(t.schema.field[1].categories[(size_t)
                            t.x[2 * i + 1]], want);
    }
    asc_training_free(&t);
    asc_buffer_free(&text);
}

static void
messages(void **state)
{
    static const struct {
        const char *text;
        struct asc_training_options p;
        int status;
        const char *message;    /* after the file's name */
    } cases[] = {
        { "", { .target = "y" }, ASC_EINPUT,
          ": the file is empty: a training table has a header and rows" },
        { "a\ty\n", { .target = "y" }, ASC_EINPUT,
          ": no row follows the header: there is nothing to learn" },
        { "a\ty\n1\t2\n", { .target = "y" }, ASC_EINPUT,
          ": one row alone has a target \"y\": want at least 2" },
        { "a\ty\n1\t\n2\tNA\n", { .target = "y" }, ASC_EINPUT,
          ": none of 2 rows has a target \"y\"" },
        { "a\ty\tw\n1\t\t1\n2\t3\t0\n", { .target = "y", .weight = "w" },
          ASC_EINPUT,
          ": none of 2 rows has a target \"y\" and a weight above 0" },
        { "a\ty\n1\t3\n2\t3\n3\t\n", { .target = "y" }, ASC_EINPUT,
          ": target \"y\" is \"3\" in every row: there is nothing to learn" },
        { "a\ty\n1\tno\n2\tno\n", { .target = "y" }, ASC_EINPUT,
          ": target \"y\" is \"no\" in every row: there is nothing to learn" },
        { "y\n1\n2\n", { .target = "y" }, ASC_EINPUT,
          ": no field is left to learn from" },
        { "a\tb\ty\n1\t\t1\n2\tNA\t2\n", { .target = "y" }, ASC_EINPUT,
          ": field \"b\" is missing in each of 2 rows: leave it out" },
        { "a\ty\n1\t2\ninf\t3\n", { .target = "y" }, ASC_EINPUT,
          ":3: field \"a\": the number is not finite" },
        { "a\ty\tw\n1\t2\t1\n3\t4\t-0.5\n",
          { .target = "y", .weight = "w" }, ASC_EINPUT,
          ":3: weight \"w\": -0.5 is below 0" },
        { "a\ty\tw\n1\t2\tNaN\n3\t4\t1\n",
          { .target = "y", .weight = "w" }, ASC_EINPUT,
          ":2: weight \"w\" is missing: a row that should not count has "
          "weight 0" },
        { "a\ty\n1\t2\n3\t4\n", { .target = "y", .weight = "y" }, ASC_EUSAGE,
          ": column \"y\" cannot be both target and weight" },
        { "a\ty\n1\t2\n3\t4\n", { .target = "y", .fields = "a,y" },
          ASC_EUSAGE, ": column \"y\" is the target: it can be no field" },
        { "row\ta\ty\n1\t2\t3\n2\t4\t5\n",
          { .target = "y", .fields = "a,row" }, ASC_EUSAGE,
          ": column \"row\" is the row id: it can be no field" },
        { "a\ty\n1\t2\n3\t4\n", { .target = "y", .fields = "a,a" },
          ASC_EUSAGE, ": field \"a\" is named twice" },
    };
    struct asc_training t;
    struct asc_error e;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = temporary_file("bad.tsv", cases[i].text);
        int status;

        memset(&e, 0, sizeof e);
        status = asc_training_read(path, NULL, &cases[i].p, &t, &e);
        if (status != cases[i].status ||
            strncmp(e.text, path, strlen(path)) ||
            strcmp(e.text + strlen(path), cases[i].message))
            fail_msg("case %zu: status %d: %s", i, status, e.text);
        assert_int_equal(e.status, status);
        assert_null(t.x);
    }
}

/* Messages of the reader itself come through, with the name that is nearest. */
static void
reader_messages(void **state)
{
    static const struct {
        const char *text;
        struct asc_training_options p;
        const char *part;
    } cases[] = {
        { "age\tdenied\n1\t2\n3\t4\n", { .target = "denid" }, "\"denied\"" },
        { "age\ty\n1\t2\n3\t4\n", { .target = "y", .weight = "wt" },
          "\"wt\"" },
        { "age\ty\n1\t2\n3\t4\n", { .target = "y", .drop = "aeg" },
          "\"age\"" },
        { "age\ty\n1\t2\n3\t4\n", { .target = "y", .fields = "agge" },
          "\"age\"" },
        { "age\ty\n1\t2\n3\t4\n", { .target = "y", .categorical = "agee" },
          "\"age\"" },
        { "age\ty\n1\t2\n3\n", { .target = "y" }, ":3:" },
        { "age\ty\tw\n1\t2\tx\n3\t4\t1\n", { .target = "y", .weight = "w" },
          ":2: field \"w\": \"x\" is not a number" },
        { "row\ta\ty\n7\t2\t1\n8\t4\t1\n7\t4\t2\n", { .target = "y" },
          "\"7\"" },
    };
    struct asc_training t;
    struct asc_error e;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(&e, 0, sizeof e);
        assert_int_not_equal(read_text(cases[i].text, &cases[i].p, &t, &e),
                             ASC_OK);
        if (!strstr(e.text, cases[i].part))
            fail_msg("case %zu: %s", i, e.text);
    }
    memset(&e, 0, sizeof e);
    assert_int_not_equal(asc_training_read("/nowhere/t.tsv", NULL,
                                           &cases[0].p, &t, &e), ASC_OK);
    assert_non_null(strstr(e.text, "/nowhere/t.tsv"));
}

/* Quantiles, by hand: weights 1, 2, 1 of 1, 3, 5 are the values 1 3 3 5. */
static void
statistics(void **state)
{
    struct asc_training t = training_new(4, 2);
    struct asci_field_stats *s;
    struct asc_error e = { 0 };

    (void)state;
    schema_number(&t.schema, "x");
    schema_category(&t.schema, "c", "u,v");
    training_weigh(&t);
    t.x[0] = 3.0;
    t.x[2] = 1.0;
    t.x[4] = 5.0;
    t.x[1] = t.x[3] = 1.0;
    t.x[7] = 0.0;
    t.weight[0] = 2.0;
    t.weight[3] = 0.25;
    s = asci_fit_stats(&t, &e);
    assert_non_null(s);
    assert_true(s[0].n == 4.0 && s[0].n_missing == 0.25);
    assert_true(s[0].mean == 3.0 && s[0].sd == sqrt(2.0));
    assert_true(s[0].min == 1.0 && s[0].max == 5.0 && s[0].median == 3.0);
    /* a quarter of the weight is met exactly at 1, three at 3 */
    assert_true(s[0].lower_quartile == 2.0 && s[0].upper_quartile == 4.0);
    assert_true(s[1].n == 3.25 && s[1].n_missing == 1.0);
    assert_true(s[1].count[0] == 0.25 && s[1].count[1] == 3.0);
    asci_fit_stats_free(s, 2);
    asc_training_free(&t);
}

static void
extreme_statistics(void **state)
{
    static const double scale[] = { 1e-300, 1.0, 1e300 };
    struct asc_error e = { 0 };
    size_t k;

    (void)state;
    for (k = 0; k < 3; k++) {
        struct asc_training t = training_new(2, 1);
        struct asci_field_stats *s;

        schema_number(&t.schema, "x");
        t.x[0] = scale[k];
        t.x[1] = 3.0 * scale[k];
        s = asci_fit_stats(&t, &e);
        assert_digits(s[0].mean, 2.0 * scale[k], 1e-14);
        assert_digits(s[0].sd, scale[k], 1e-14);
        asci_fit_stats_free(s, 1);
        asc_training_free(&t);
    }
}

static void
registry(void **state)
{
    size_t n, n_entries, i, j;
    const struct asc_trainer *const *trainer = asc_trainers(&n);
    const struct asc_entry *const *entry = asc_trainer_entries(&n_entries);
    static const char *const names[] = { "linear", "logistic", "mlp", "gbm",
                                         "tree", "forest" };

    (void)state;
    assert_int_equal(n, 6);
    assert_int_equal(n_entries, n);
    for (i = 0; i < n; i++) {
        const struct asc_param *p = entry[i]->params;

        assert_ptr_equal(entry[i], &trainer[i]->entry);
        assert_string_equal(entry[i]->name, names[i]);
        assert_true(entry[i]->title && entry[i]->source);
        for (j = 0; p[j].name; j++) {
            assert_true(j < ASC_PARAMS_MAX);
            assert_true(p[j].min <= p[j].value && p[j].value <= p[j].max);
            assert_non_null(p[j].meaning);
            assert_true((p[j].type == ASC_PARAM_CHOICE) ==
                        (p[j].choices != NULL));
        }
    }
}

/* Every trainer refuses what it cannot learn. */
static void
refusals(void **state)
{
    struct asc_training t = training_new(3, 1);
    struct asc_error e = { 0 };

    (void)state;
    schema_number(&t.schema, "x");
    t.x[0] = t.y[0] = 1.0;
    t.x[1] = t.x[2] = 2.0;
    assert_null(train(&t, "logistic", &e));
    assert_string_equal(e.text, "logistic: target \"y\" is a number; name it "
                        "as categorical if its values are classes");
    assert_int_equal(e.status, ASC_EUSAGE);
    training_classes(&t, "no,yes");
    assert_null(train(&t, "linear", &e));
    assert_string_equal(e.text, "linear: target \"y\" has categories; "
                        "logistic, mlp, gbm, tree and forest learn them");
    t.n = 0;
    assert_null(train(&t, "gbm", &e));
    assert_string_equal(e.text, "gbm: nothing to learn from: the table has 0 "
                        "rows and 1 fields");
    t.n = 3;
    training_weigh(&t);
    t.weight[0] = t.weight[1] = t.weight[2] = 0.0;
    assert_null(train(&t, "mlp", &e));
    assert_string_equal(e.text, "mlp: no row has a weight above 0");
    t.weight[0] = t.weight[1] = t.weight[2] = 1.0;
    t.y[1] = 2.0;
    assert_null(train(&t, "gbm", &e));
    assert_string_equal(e.text, "gbm: row 2 of the table: target \"y\" has no "
                        "value 2");
    t.y[1] = 1.0;
    t.x[2] = INFINITY;
    assert_null(train(&t, "logistic", &e));
    assert_string_equal(e.text, "logistic: row 3 of the table: field \"x\" "
                        "has no value inf");
    t.x[2] = 0.0;
    assert_null(train(&t, "gbm:tres=3", &e));
    assert_non_null(strstr(e.text, "trees"));
    assert_null(train(&t, "gbm:rate=0", &e));
    assert_int_equal(e.status, ASC_EUSAGE);
    asc_training_free(&t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_order),
        cmocka_unit_test(choice_of_fields),
        cmocka_unit_test(declared_missing),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(messages),
        cmocka_unit_test(reader_messages),
        cmocka_unit_test(statistics),
        cmocka_unit_test(extreme_statistics),
        cmocka_unit_test(registry),
        cmocka_unit_test(refusals)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
