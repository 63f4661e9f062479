/* test_spec.c -- specifications: grammar, messages, canonical text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/base.h>

#include "seed.h"

static const struct asc_param lime_params[] = {
    { "samples", ASC_PARAM_INTEGER, 5000, 1, 1e9, NULL, "perturbed rows" },
    { "width", ASC_PARAM_REAL, 0.75, 0, INFINITY, NULL, "kernel width" },
    { "discretise", ASC_PARAM_CHOICE, 0, 0, 2, "quartile|none|a,b:c=d%",
      "bins" },
    { "shift", ASC_PARAM_REAL, 0, -INFINITY, INFINITY, NULL, "any number" },
    { "top", ASC_PARAM_REAL, 0, -INFINITY, 1, NULL, "at most one" },
    { "note", ASC_PARAM_TEXT, 0, 0, 0, NULL, "any text" },
    ASC_PARAMS_END
};
static const struct asc_param plain_params[] = { ASC_PARAMS_END };

static const struct asc_entry lime = {
    "lime", "local surrogate", "paper", lime_params,
    ASC_RANDOM | ASC_NEEDS_BACKGROUND
};
static const struct asc_entry plain = {
    "occlusion", "one by one", "paper", plain_params, ASC_NEEDS_BASELINE
};
static const struct asc_entry bare = { "tree-shap", "trees", "paper", NULL,
                                       0 };
static const struct asc_entry gradient = { "gradient", "slopes", "paper", NULL,
                                           ASC_TAKES_BASELINE };
static const struct asc_entry *const entries[] = { &lime, &plain, &bare,
                                                   &gradient };
enum { N_ENTRIES = sizeof entries / sizeof *entries };

static struct asc_specs specs;
static struct asc_error error;

static int
parse(const char *text)
{
    return asc_specs_parse(text, entries, N_ENTRIES, "method", &specs, &error);
}

static int
tear_down(void **unused)
{
    (void)unused;
    asc_specs_free(&specs);
    return 0;
}

static void
check_text(size_t i, const char *want)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };

    asc_spec_text(&specs.v[i], &b);
    asc_buffer_char(&b, '\0');
    assert_string_equal(b.p, want);
    asc_buffer_free(&b);
}

static void
test_list(void **unused)
{
    (void)unused;
    assert_int_equal(parse("lime:samples=100:width=0.5,occlusion,tree-shap,"
                           "lime:discretise=none:seed=18446744073709551615"),
                     ASC_OK);
    assert_int_equal(specs.n, 4);
    assert_ptr_equal(specs.v[0].entry, &lime);
    assert_true(specs.v[0].value[0] == 100 && specs.v[0].value[1] == 0.5);
    assert_true(specs.v[0].value[2] == 0 && specs.v[0].value[3] == 0);
    assert_int_equal(specs.v[0].has_seed, 0);
    assert_true(specs.v[0].seed == 1);
    assert_ptr_equal(specs.v[1].entry, &plain);
    assert_ptr_equal(specs.v[2].entry, &bare);
    assert_true(specs.v[3].value[2] == 1);
    assert_true(specs.v[3].seed == UINT64_MAX && specs.v[3].has_seed);
    check_text(0, "lime:samples=100:width=0.5");
    check_text(1, "occlusion");
    check_text(2, "tree-shap");
    check_text(3, "lime:discretise=none:seed=18446744073709551615");
    /* A second list is added to the first; a failing one adds nothing. */
    assert_int_equal(parse("occlusion:baseline=0123ABCD"), ASC_OK);
    assert_int_equal(specs.n, 5);
    check_text(4, "occlusion:baseline=0123abcd");
    assert_int_equal(parse("lime,lime:samples=0"), ASC_EUSAGE);
    assert_int_equal(specs.n, 5);
    check_text(4, "occlusion:baseline=0123abcd");
}

static void
test_canonical(void **unused)
{
    static const struct { const char *text, *want; } cases[] = {
        { "lime", "lime" },
        { "lime:seed=1", "lime" },
        { "lime:seed=007", "lime:seed=7" },
        { "lime:background=00000000:seed=2:shift=-2:width=1e0",
          "lime:width=1:shift=-2:seed=2:background=00000000" },
        { "lime:samples=5e3", "lime" },
        { "lime:samples=1e6", "lime:samples=1000000" },
        { "lime:width=inf", "lime:width=inf" },
        { "lime:shift=-0", "lime" },
        { "lime:shift=0.30000000000000004", "lime:shift=0.30000000000000004" },
        { "lime:discretise=a%2Cb%3ac%3dd%25",
          "lime:discretise=a%2Cb%3Ac%3Dd%25" },
        { "lime:discretise=%6e%6F%6ee", "lime:discretise=none" },
        { "gradient:baseline=ABCDEF01", "gradient:baseline=abcdef01" },
        { "tree-shap", "tree-shap" }
    };
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (parse(cases[i].text) != ASC_OK)
            fail_msg("%s: %s", cases[i].text, error.text);
        check_text(specs.n - 1, cases[i].want);
        /* The canonical text is its own canonical text, and means the same. */
        assert_int_equal(parse(cases[i].want), ASC_OK);
        check_text(specs.n - 1, cases[i].want);
        assert_memory_equal(specs.v[specs.n - 1].value,
                            specs.v[specs.n - 2].value,
                            sizeof specs.v->value);
        assert_true(specs.v[specs.n - 1].seed == specs.v[specs.n - 2].seed);
    }
    asc_buffer_free(&b);
}

static void
test_random_round_trip(void **unused)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_stream s;
    struct asc_spec t;
    size_t i, k;

    (void)unused;
    asc_stream_start(&s, test_seed(1), "test", "spec", 4);
    for (i = 0; i < 2000; i++) {
        memset(&t, 0, sizeof t);
        t.entry = &lime;
        t.value[0] = (double)(1 + asc_stream_below(&s, 1000000000));
        t.value[1] = exp(20.0 * asc_stream_normal(&s));
        t.value[2] = (double)asc_stream_below(&s, 3);
        t.value[3] = asc_stream_normal(&s);
        t.value[4] = -fabs(asc_stream_normal(&s));
        if (asc_stream_bits(&s) & 1)
            t.text[5] = (char *)(uintptr_t)(asc_stream_bits(&s) & 1
                                            ? "a=b,c;d:100%\n" : "x");
        t.seed = asc_stream_bits(&s);
        if (asc_stream_bits(&s) & 1)
            snprintf(t.background, sizeof t.background, "%08x",
                     (unsigned)(asc_stream_bits(&s) >> 32));
        b.n = 0;
        asc_spec_text(&t, &b);
        asc_buffer_char(&b, '\0');
        assert_int_equal(parse(b.p), ASC_OK);
        assert_int_equal(specs.n, 1);
        for (k = 0; k < 5; k++)
            assert_true(specs.v[0].value[k] == t.value[k]);
        assert_true(!specs.v[0].text[5] == !t.text[5]);
        assert_true(specs.v[0].value[5] == (t.text[5] != NULL));
        if (t.text[5])
            assert_string_equal(specs.v[0].text[5], t.text[5]);
        assert_true(specs.v[0].seed == t.seed);
        assert_string_equal(specs.v[0].background, t.background);
        asc_specs_free(&specs);
    }
    asc_buffer_free(&b);
}

static void
test_messages(void **unused)
{
    static const struct { const char *text, *want; } cases[] = {
        { "", "empty method name in a list; see --list" },
        { "lime,", "empty method name in a list; see --list" },
        { ",lime", "empty method name in a list; see --list" },
        { ":samples=1", "empty method name in a list; see --list" },
        { "lmie", "unknown method \"lmie\"; did you mean \"lime\"?" },
        { "tree_shap", "unknown method \"tree_shap\"; did you mean "
                       "\"tree-shap\"?" },
        { "saliency", "unknown method \"saliency\"; see --list" },
        { "lime:", "method \"lime\": \"\" is not KEY=VALUE" },
        { "lime:samples", "method \"lime\": \"samples\" is not KEY=VALUE" },
        { "lime:sampels=5", "method \"lime\" has no parameter \"sampels\"; "
                            "did you mean \"samples\"?" },
        { "lime:seeds=5", "method \"lime\" has no parameter \"seeds\"; did "
                          "you mean \"seed\"?" },
        { "lime:frobnicate=5", "method \"lime\" has no parameter "
                               "\"frobnicate\"; see --help=lime" },
        { "lime:=5", "method \"lime\" has no parameter \"\"; see "
                     "--help=lime" },
        { "tree-shap:x=5", "method \"tree-shap\" has no parameter \"x\"; it "
                           "takes none" },
        { "tree-shap:seed=5", "method \"tree-shap\" has no parameter "
                              "\"seed\"; it takes none" },
        { "occlusion:background=01234567", "method \"occlusion\" has no "
          "parameter \"background\"; see --help=occlusion" },
        { "lime:samples=0", "method \"lime\": samples=0: want a whole number "
                            "from 1 to 1000000000" },
        { "lime:samples=1.5", "method \"lime\": samples=1.5: want a whole "
                              "number from 1 to 1000000000" },
        { "lime:samples=many", "method \"lime\": samples=many: want a whole "
                               "number from 1 to 1000000000" },
        { "lime:width=-1", "method \"lime\": width=-1: want a number of at "
                           "least 0" },
        { "lime:width=", "method \"lime\": width=: want a number of at least "
                         "0" },
        { "lime:width=1=2", "method \"lime\": width=1=2: want a number of at "
                            "least 0" },
        { "lime:shift=x", "method \"lime\": shift=x: want a number" },
        { "lime:top=2", "method \"lime\": top=2: want a number of at most 1" },
        { "lime:discretise=decile", "method \"lime\": discretise=decile: want "
          "quartile, none or a,b:c=d%" },
        { "lime:discretise=", "method \"lime\": discretise=: want quartile, "
          "none or a,b:c=d%" },
        { "lime:width=5%", "method \"lime\": width=5%: a % begins two "
                           "hexadecimal digits (%25 is % itself)" },
        { "lime:width=%4", "method \"lime\": width=%4: a % begins two "
                           "hexadecimal digits (%25 is % itself)" },
        { "lime:width=%4g", "method \"lime\": width=%4g: a % begins two "
                            "hexadecimal digits (%25 is % itself)" },
        { "lime:seed=-1", "method \"lime\": seed=-1: want a whole number from "
                          "0 to 18446744073709551615" },
        { "lime:seed=18446744073709551616", "method \"lime\": "
          "seed=18446744073709551616: want a whole number from 0 to "
          "18446744073709551615" },
        { "lime:seed=", "method \"lime\": seed=: want a whole number from 0 "
                        "to 18446744073709551615" },
        { "lime:background=0123456", "method \"lime\": background=0123456: "
          "want the first 8 hexadecimal digits of its digest" },
        { "lime:background=0123456g", "method \"lime\": background=0123456g: "
          "want the first 8 hexadecimal digits of its digest" },
        { "lime:width=1:samples=5:width=1", "method \"lime\": width is given "
                                            "twice" },
        { "lime:seed=1:seed=1", "method \"lime\": seed is given twice" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].text), ASC_EUSAGE);
        assert_int_equal(error.status, ASC_EUSAGE);
        assert_string_equal(error.text, cases[i].want);
        assert_int_equal(specs.n, 0);
        assert_int_equal(asc_specs_parse(cases[i].text, entries, N_ENTRIES,
                                         "method", &specs, NULL), ASC_EUSAGE);
    }
    /* A NUL in a value does not shorten it. */
    assert_int_equal(parse("lime:samples=5%00"), ASC_EUSAGE);
}

/* No text, however it is cut or changed, does harm. */
static void
test_garbage(void **unused)
{
    static const char seed[] = "lime:samples=100:discretise=n%6Fne,"
                               "occlusion:baseline=01234567,tree-shap";
    static const char bytes[] = ",:=%019aflime\t\377";
    struct asc_stream s;
    char text[sizeof seed];
    size_t i, j;

    (void)unused;
    asc_stream_start(&s, test_seed(1), "test", "garbage", 7);
    for (i = 0; i < 20000; i++) {
        memcpy(text, seed, sizeof seed);
        for (j = 0; j < 1 + i % 4; j++)
            text[asc_stream_below(&s, sizeof seed - 1)]
                = bytes[asc_stream_below(&s, sizeof bytes - 1)];
        text[asc_stream_below(&s, sizeof seed)] = '\0';
        parse(text);
        asc_specs_free(&specs);
    }
}

static void
test_text(void **unused)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_error e;

    (void)unused;
    assert_int_equal(parse("lime:note=a%3Db,lime:note=,tree-shap"), ASC_OK);
    assert_string_equal(specs.v[0].text[5], "a=b");
    assert_null(specs.v[1].text[5]);
    assert_int_equal(asc_spec_set_text(&specs.v[1], "note", "1,2", &e),
                     ASC_OK);
    asc_spec_text(&specs.v[1], &b);
    asc_buffer_char(&b, '\0');
    assert_string_equal(b.p, "lime:note=1%2C2");
    asc_buffer_free(&b);
    assert_int_equal(asc_spec_set_text(&specs.v[2], "note", "1", &e),
                     ASC_EUSAGE);
    assert_string_equal(e.text,
                        "\"tree-shap\" has no text parameter \"note\"");
    /* what came before a failure is not lost, what came with it is */
    assert_int_equal(parse("lime:note=1,lime:note=2:note=3"), ASC_EUSAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_list, tear_down),
        cmocka_unit_test_teardown(test_canonical, tear_down),
        cmocka_unit_test_teardown(test_random_round_trip, tear_down),
        cmocka_unit_test_teardown(test_text, tear_down),
        cmocka_unit_test_teardown(test_messages, tear_down),
        cmocka_unit_test_teardown(test_garbage, tear_down)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
