/* The event reader of JSON and UBJSON: events of small documents written out
 * by hand, numbers against the C library's own reading, messages with their
 * path, documents cut off at every byte, deep nesting, sizes that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/json.h"

static struct asci_json json;

/* Events as text: { } [ ] for containers, k:KEY t:TEXT, numbers as %.9g, then
 * '.' for the end; or the message. */
static const char *
events(const char *bytes, size_t n, int binary)
{
    static char out[16384];
    struct asc_error e = { ASC_OK, "" };
    enum asci_json_kind kind;
    size_t at = 0;
    double v;

    out[0] = '\0';
    asci_json_open(&json, "f", bytes, n, binary);
    for (;;) {
        if (asci_json_next(&json, &kind, &e)) {
            assert_int_not_equal(e.status, ASC_OK);
            assert_null(strchr(e.text, '\n'));
            snprintf(out, sizeof out, "%s", e.text);
            break;
        }
        assert_true(at < sizeof out - 200);
        switch (kind) {
        case ASCI_JSON_KEY:
        case ASCI_JSON_TEXT:
            at += (size_t)snprintf(out + at, 150, "%c:%.*s ",
                                   kind == ASCI_JSON_KEY ? 'k' : 't',
                                   (int)json.text.n, json.text.p);
            continue;
        case ASCI_JSON_NUMBER:
            assert_int_equal(asci_json_double(&json, &v, &e), ASC_OK);
            at += (size_t)snprintf(out + at, 100, "%.9g ", v);
            continue;
        default:
            at += (size_t)snprintf(out + at, 100, "%c ",
                                   "{}[]..." "TF0."[kind]);
            break;
        }
        if (kind == ASCI_JSON_END)
            break;
    }
    asci_json_close(&json);
    return out;
}

static const char *
text_events(const char *text)
{
    return events(text, strlen(text), 0);
}

#define BINARY(literal) events(literal, sizeof (literal) - 1, 1)

static void
json_documents(void **state)
{
    (void)state;
    assert_string_equal(text_events("{}"), "{ } . ");
    assert_string_equal(text_events(" [ 1 , -2.5e1,\t3E-1 ]\n"),
                        "[ 1 -25 0.3 ] . ");
    assert_string_equal(text_events("{\"a\":{\"b\":[]},\"c\":\"x\"}"),
                        "{ k:a { k:b [ ] } k:c t:x } . ");
    assert_string_equal(text_events("[true,false,null]"), "[ T F 0 ] . ");
    assert_string_equal(text_events("[NaN,Infinity,-Infinity]"),
                        "[ nan inf -inf ] . ");
    assert_string_equal(text_events("\"a\\n\\u00e9\\ud83d\\ude00\\\"\""),
                        "t:a\n\xc3\xa9\xf0\x9f\x98\x80\" . ");
    assert_string_equal(text_events("7"), "7 . ");
}

static void
binary_documents(void **state)
{
    (void)state;
    assert_string_equal(BINARY("{}"), "{ } . ");
    assert_string_equal(BINARY("{i\1aU\xff" "i\1bi\xff}"),
                        "{ k:a 255 k:b -1 } . ");
    assert_string_equal(BINARY("[I\x01\x02l\xff\xff\xff\xfe"
                               "L\0\0\0\0\0\0\0\3]"), "[ 258 -2 3 ] . ");
    assert_string_equal(BINARY("[d\x3f\x80\0\0" "D\x40\0\0\0\0\0\0\0]"),
                        "[ 1 2 ] . ");
    assert_string_equal(BINARY("[$d#i\2\x3f\xc0\0\0\x7f\xc0\0\0"),
                        "[ 1.5 nan ] . ");
    assert_string_equal(BINARY("[#i\3i\1SU\2xyT"), "[ 1 t:xy T ] . ");
    assert_string_equal(BINARY("{#i\1i\1aCz"), "{ k:a t:z } . ");
    assert_string_equal(BINARY("[NNFZN]"), "[ F 0 ] . ");
    assert_string_equal(BINARY("[Hi\3" "2.5]"), "[ 2.5 ] . ");
    assert_string_equal(BINARY("[$[#i\2i\1]]"), "[ [ 1 ] [ ] ] . ");
}

static void
messages_name_the_path(void **state)
{
    static const struct { const char *text, *message; } cases[] = {
        { "", "f: the file ends here, cut off at byte 0" },
        { "{\"a\":[1,{\"b\":x}]}", "f: a[1].b: 'x' at byte 14, want a value" },
        { "[1 2]", "f: [0]: '2' at byte 4, want ',' or ']'" },
        { "[1,]", "f: [1]: ']' at byte 4, want a value" },
        { "{\"a\":1,}", "f: a: '}' at byte 8, want a key in quotes" },
        { "{\"a\" 1}", "f: a: '1' at byte 6, want ':'" },
        { "{1:2}", "f: '1' at byte 2, want a key in quotes" },
        { "{}{}", "f: '{' at byte 3, want the end of the file" },
        { "[\"\\x\"]", "f: [0]: 'x' at byte 4, want an escape such as \\n" },
        { "[\"\\u0000\"]", "f: [0]: a text holds a zero byte" },
        { "[\"a\nb\"]",
          "f: [0]: byte 0x0a at byte 4, want a text without control bytes" },
        { "[01]", "f: [0]: '1' at byte 3, want ',' or ']'" },
        { "[-]", "f: [0]: '-' at byte 2, want a value" },
        { "[1.]", "f: [0]: '1' at byte 2, want a value" },
        { "[1e]", "f: [0]: '1' at byte 2, want a value" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(text_events(cases[i].text), cases[i].message);
    assert_string_equal(BINARY("{i\1ax}"),
                        "f: a: 'x' at byte 5, want the type of a value");
    assert_string_equal(BINARY("[Si\xff]"),
                        "f: [0]: a length of -1 is negative");
    assert_string_equal(BINARY("[Sd\0\0\0\0]"),
                        "f: [0]: 'd' at byte 3, want a length");
}

static void
sizes_that_lie(void **state)
{
    (void)state;
    /* 10^9 floats, 2^63 - 1 bytes, elements without any byte */
    assert_string_equal(BINARY("{i\1a[$d#l\x3b\x9a\xca\0"),
                        "f: a: 1000000000 values are declared, the 0 bytes "
                        "that are left cannot hold them");
    assert_string_equal(BINARY("[#L\x7f\xff\xff\xff\xff\xff\xff\xff"),
                        "f: 9223372036854775807 values are declared, the 0 "
                        "bytes that are left cannot hold them");
    assert_string_equal(BINARY("[SL\x7f\xff\xff\xff\xff\xff\xff\xff" "abc"),
                        "f: [0]: a text of 9223372036854775807 bytes is "
                        "declared, 3 are left of the file");
    assert_string_equal(BINARY("[$T#l\x3b\x9a\xca\0"),
                        "f: a container of values of type 0x54 cannot be "
                        "read");
    assert_string_equal(BINARY("{#l\x3b\x9a\xca\0i\1aT"),
                        "f: 1000000000 values are declared, the 4 bytes that "
                        "are left cannot hold them");
}

static void
deep_nesting(void **state)
{
    const size_t n = 1000000;
    char *bytes = malloc(2 * n);
    size_t i;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, '[', n);
    assert_non_null(strstr(events(bytes, n, 0), "nested deeper than 512"));
    assert_non_null(strstr(events(bytes, n, 1), "nested deeper than 512"));
    for (i = 0; i + 5 <= n; i += 5)
        memcpy(bytes + i, "{\"a\":", 5);
    assert_non_null(strstr(events(bytes, n, 0), "nested deeper than 512"));
    /* 512 themselves are allowed. */
    memset(bytes, '[', 512);
    memset(bytes + 512, ']', 512);
    asci_json_open(&json, "f", bytes, 1024, 0);
    assert_int_equal(asci_json_skip(&json, NULL), ASC_OK);
    asci_json_close(&json);
    free(bytes);
}

/* Every beginning of a document that is not the whole is refused, from a copy
 * of just so many bytes, and named as cut off. */
static void
cut_off_anywhere(void **state)
{
    static const char text[] =
        "{\"a\":[1.5,NaN,true],\"b\":{\"c\":\"x\\u00e9\\n\"},\"d\":null}";
    static const char binary[] =
        "{i\1a[$d#i\2\x3f\xc0\0\0\x7f\xc0\0\0i\1b{L\0\0\0\0\0\0\0\1cSi\2xy}"
        "i\1d[i\1I\0\2]i\1e[#i\2TF}";
    const struct { const char *p; size_t n; int binary; } document[] = {
        { text, sizeof text - 1, 0 }, { binary, sizeof binary - 1, 1 }
    };
    size_t i, n;

    (void)state;
    for (i = 0; i < 2; i++) {
        assert_non_null(strstr(events(document[i].p, document[i].n,
                                      document[i].binary), "} . "));
        for (n = 0; n < document[i].n; n++) {
            char *copy = malloc(n + 1);
            const char *got;

            assert_non_null(copy);
            memcpy(copy, document[i].p, n);
            got = events(copy, n, document[i].binary);
            if (strncmp(got, "f:", 2))
                fail_msg("%zu bytes of %zu: %s", n, document[i].n, got);
            free(copy);
        }
    }
}

/* Decimal texts as the C library reads them, to double and to float. */
static void
numbers_are_rounded_once(void **state)
{
    static const char *const fixed[] = {
        "0", "-0", "1", "123456789", "2147483648", "9007199254740993",
        "9007199254740992", "1e22", "1e23", "1E-22", "1e-23", "0.1",
        "3.4028234e38", "3.4028236E38", "1.17549435E-38", "1.1754942e-38",
        "1e-45", "7e-46", "7.1e-46", "1e-400", "16777217", "16777217.0000001",
        "16777216.9999999", "1.00000005960464477539", "0.000000000000000001",
        "1.000000059604644775390625", "1.00000017881393432617187499",
        "12345678901234567890123", "0.30000000000000004", "1e39", "5E-1",
        "8589973000", "8589973001", "2.2250738585072011e-308"
    };
    uint64_t x = 1;
    char text[64];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof fixed / sizeof *fixed + 200000; i++) {
        struct asc_error e;
        enum asci_json_kind kind;
        double d, want_d;
        float s, want_s;

        if (i < sizeof fixed / sizeof *fixed) {
            snprintf(text, sizeof text, "%s", fixed[i]);
        } else {
            uint32_t bits;

            x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
            bits = (uint32_t)(x >> 32);
            memcpy(&want_s, &bits, sizeof want_s);
            if (!isfinite(want_s))
                continue;
            /* half of them the middle between two floats, nearly */
            snprintf(text, sizeof text, "%.*E", (int)(x >> 8 & 7) + 5,
                     x >> 20 & 1 ? want_s
                     : ((double)want_s + (double)nextafterf(want_s, 0)) / 2);
        }
        asci_json_open(&json, "f", text, strlen(text), 0);
        assert_int_equal(asci_json_next(&json, &kind, &e), ASC_OK);
        assert_int_equal(asci_json_double(&json, &d, &e), ASC_OK);
        assert_int_equal(asci_json_single(&json, &s, &e), ASC_OK);
        asci_json_close(&json);
        want_d = strtod(text, NULL);
        want_s = strtof(text, NULL);
        if (memcmp(&d, &want_d, sizeof d) || memcmp(&s, &want_s, sizeof s))
            fail_msg("%s: %.17g %.9g, want %.17g %.9g", text, d, (double)s,
                     want_d, (double)want_s);
    }
}

static void
arrays_at_once(void **state)
{
    static const char text[] = "[[1.5,NaN,-Infinity],[3,true,-4,0],[1.5]]";
    static const char binary[] =
        "[[$d#i\1\x3f\xc0\0\0[$i#i\2\1\xff[#i\2i\1TS";
    struct asci_singles s = { 0 };
    struct asci_integers k = { 0 };
    struct asc_error e;

    (void)state;
    asci_json_open(&json, "f", text, sizeof text - 1, 0);
    assert_int_equal(asci_json_enter(&json, ASCI_JSON_ARRAY, &e), ASC_OK);
    assert_int_equal(asci_json_singles(&json, &s, &e), ASC_OK);
    assert_int_equal(s.n, 3);
    assert_true(s.v[0] == 1.5f && isnan(s.v[1]) && s.v[2] == -INFINITY);
    assert_int_equal(asci_json_integers(&json, &k, &e), ASC_OK);
    assert_int_equal(k.n, 4);
    assert_true(k.v[0] == 3 && k.v[1] == 1 && k.v[2] == -4 && k.v[3] == 0);
    assert_int_equal(asci_json_integers(&json, &k, &e), ASC_EINPUT);
    assert_string_equal(e.text,
                        "f: [2][0]: 1.5 is not a whole number of 32 bits");
    asci_json_close(&json);

    asci_json_open(&json, "f", binary, sizeof binary - 1, 1);
    assert_int_equal(asci_json_enter(&json, ASCI_JSON_ARRAY, &e), ASC_OK);
    assert_int_equal(asci_json_singles(&json, &s, &e), ASC_OK);
    assert_true(s.n == 1 && s.v[0] == 1.5f);
    assert_int_equal(asci_json_integers(&json, &k, &e), ASC_OK);
    assert_true(k.n == 2 && k.v[0] == 1 && k.v[1] == -1);
    assert_int_equal(asci_json_integers(&json, &k, &e), ASC_OK);
    assert_true(k.n == 2 && k.v[0] == 1 && k.v[1] == 1);
    assert_int_equal(asci_json_integers(&json, &k, &e), ASC_EINPUT);
    asci_json_close(&json);
    free(s.v);
    free(k.v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_documents),
        cmocka_unit_test(binary_documents),
        cmocka_unit_test(messages_name_the_path),
        cmocka_unit_test(sizes_that_lie),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(numbers_are_rounded_once),
        cmocka_unit_test(arrays_at_once)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
