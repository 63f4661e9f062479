/* test_error.c -- errors, memory, buffers, near names, digests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/internal.h"

static void
test_fail(void **unused)
{
    struct asc_error e = { ASC_OK, "" };

    (void)unused;
    assert_int_equal(asc_fail(&e, ASC_EINPUT, "%s:%d: \"%s\" is not a number",
                              "a.tsv", 17, "4o"), ASC_EINPUT);
    assert_int_equal(e.status, ASC_EINPUT);
    assert_string_equal(e.text, "a.tsv:17: \"4o\" is not a number");
    assert_int_equal(asc_fail(NULL, ASC_EUSAGE, "x"), ASC_EUSAGE);
    /* A text may be put into a longer one. */
    asc_fail(&e, ASC_ESYSTEM, "row %d: %s", 5, e.text);
    assert_string_equal(e.text, "row 5: a.tsv:17: \"4o\" is not a number");
    asc_fail(&e, ASC_EINPUT, "a\tb\nc\033[31m\177d \303\244");
    assert_string_equal(e.text, "a?b?c?[31m?d \303\244");
}

static void
test_long_error(void **unused)
{
    struct asc_error e;
    char text[3000];
    size_t shift, n;

    (void)unused;
    memset(text, 'x', 1023);
    text[1023] = '\0';
    asc_fail(&e, ASC_EINPUT, "%s", text);
    assert_string_equal(e.text, text);
    text[1023] = 'x';
    text[1024] = '\0';
    asc_fail(&e, ASC_EINPUT, "%s", text);
    assert_int_equal(strlen(e.text), 1023);
    assert_string_equal(e.text + 1019, "x...");
    /* No character of three bytes is cut in two. */
    for (shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (n = shift; n + 3 < sizeof text; n += 3)
            memcpy(text + n, "\342\202\254", 3);
        text[n] = '\0';
        asc_fail(&e, ASC_EINPUT, "%s", text);
        n = strlen(e.text);
        assert_true(n <= 1023 && n > 1018);
        assert_string_equal(e.text + n - 3, "...");
        assert_int_equal((n - 3 - shift) % 3, 0);
        assert_memory_equal(e.text + n - 6, "\342\202\254", 3);
    }
}

/* What a terminal would obey, and what is no text, is not passed on. */
static void
test_safe(void **unused)
{
    static const struct { const char *text, *want; } cases[] = {
        { "plain", "plain" }, { "", "" },
        { "a\tb\nc\x1b[31m\x7f", "a?b?c?[31m?" },
        { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac"
          "\xf0\x9f\x98\x80" },
        { "\xc2\x9b" "31m \xc2\x80 \xc2\xa0", "??31m ?? \xc2\xa0" },
        { "b\xe4r \xff\xfe \xc3", "b?r ?? ?" },
        { "\xc0\x80 \xe2\x82 \xed\xa0\x80", "?? ?? ???" }
    };
    struct asc_error e;
    char text[64];
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        strcpy(text, cases[i].text);
        asci_make_safe(text);
        assert_string_equal(text, cases[i].want);
        asc_fail(&e, ASC_EINPUT, "%s", cases[i].text);
        assert_string_equal(e.text, cases[i].want);
    }
}

static void
test_alloc(void **unused)
{
    struct asc_error e = { ASC_OK, "" };
    char *p;
    int *v;

    (void)unused;
    assert_null(asci_alloc(SIZE_MAX / 2, 3, &e));
    assert_int_equal(e.status, ASC_ESYSTEM);
    assert_null(asci_alloc_zero(SIZE_MAX, SIZE_MAX, &e));
    assert_null(asci_resize(NULL, SIZE_MAX / 4, 8, &e));
    assert_null(asci_alloc(SIZE_MAX / 8 + 1, 8, NULL));
    p = asci_alloc(0, 8, &e);
    assert_non_null(p);
    p = asci_resize(p, 0, 1, &e);
    assert_non_null(p);
    free(p);
    v = asci_alloc_zero(1000, sizeof *v, &e);
    assert_non_null(v);
    assert_int_equal(v[0] | v[999], 0);
    v[999] = 5;
    v = asci_resize(v, 2000, sizeof *v, &e);
    assert_int_equal(v[999], 5);
    free(v);
    p = asci_copy_text("abcdef", 3, &e);
    assert_string_equal(p, "abc");
    free(p);
    p = asci_copy_text(NULL, 0, &e);
    assert_string_equal(p, "");
    free(p);
    assert_null(asci_copy_text("", SIZE_MAX, &e));
}

static void
test_buffer(void **unused)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t i;

    (void)unused;
    for (i = 0; i < 1000; i++) {
        asc_buffer_add(&b, "ab", 2);
        asc_buffer_char(&b, 'c');
    }
    assert_int_equal(b.n, 3000);
    for (i = 0; i < 3000; i++)
        assert_int_equal(b.p[i], 'a' + (int)(i % 3));
    b.n = 0;
    asc_buffer_text(&b, "x");
    asc_buffer_print(&b, " %d %s %.2f ", 5, "y", 0.5);
    asc_buffer_number(&b, 1.0 / 3.0, 0);
    asc_buffer_char(&b, ' ');
    asc_buffer_number(&b, 1.0 / 3.0, 3);
    asc_buffer_char(&b, '\0');
    assert_string_equal(b.p, "x 5 y 0.50 0.3333333333333333 0.333");
    assert_false(b.failed);
    /* Too much to ask for: it swallows, and says so. */
    asc_buffer_add(&b, "x", SIZE_MAX - 10);
    assert_true(b.failed);
    i = b.n;
    asc_buffer_text(&b, "more");
    asc_buffer_char(&b, 'm');
    asc_buffer_number(&b, 1.0, 0);
    asc_buffer_print(&b, "%d", 1);
    assert_int_equal(b.n, i);
    asc_buffer_free(&b);
    assert_null(b.p);
    asc_buffer_free(&b);
    asc_buffer_print(&b, "%s", "");
    assert_int_equal(b.n, 0);
    asc_buffer_free(&b);
}

static void
test_nearest(void **unused)
{
    static const char *const names[] = {
        "exact-shapley", "kernel-shap", "tree-shap", "lime", "occlusion",
        "gradient", "gradient-x-input", "integrated-gradients", "age", "Sex",
        "a"
    };
    static const struct { const char *name, *want; } cases[] = {
        { "kernel-sahp", "kernel-shap" }, { "kernelshap", "kernel-shap" },
        { "tree_shap", "tree-shap" }, { "lmie", "lime" }, { "limee", "lime" },
        { "Age", "age" }, { "sex", "Sex" }, { "AGE", "age" },
        { "integrated", "integrated-gradients" },
        { "exact", "exact-shapley" }, { "gradients", "gradient" },
        { "saliency", NULL }, { "", NULL }, { "b", NULL }, { "A", "a" },
        { "smoothgrad", NULL }
    };
    char name[600];
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = asc_nearest(cases[i].name, names,
                                      sizeof names / sizeof *names);

        if ((got == NULL) != (cases[i].want == NULL)
            || (got && strcmp(got, cases[i].want) != 0))
            fail_msg("%s: got %s", cases[i].name, got ? got : "none");
    }
    assert_null(asc_nearest("lime", NULL, 0));
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_null(asc_nearest(name, names, 3));
}

/* ---- SHA-256: the examples of FIPS 180-4 and NIST's byte vectors ---- */

static void
test_digest(void **unused)
{
    static const struct { const char *text, *hex; } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb924"
              "27ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223"
                 "b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039"
          "a33ce45964ff2167f6ecedd419db06c1" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          "cf5b16a778af8380036ce59e7b049237"
          "0b249b11e8f07a51afac45037afee9d1" }
    };
    char hex[ASC_DIGEST_MAX], *million;
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        asc_digest(cases[i].text, strlen(cases[i].text), hex);
        assert_string_equal(hex, cases[i].hex);
    }
    million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    asc_digest(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67"
                             "f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void
test_digest_file(void **unused)
{
    char path[] = "digestXXXXXX", hex[ASC_DIGEST_MAX], want[ASC_DIGEST_MAX];
    const size_t n = 200001;
    struct asc_error e;
    char *bytes = malloc(n);
    size_t i;
    int fd;

    (void)unused;
    assert_non_null(bytes);
    for (i = 0; i < n; i++)
        bytes[i] = (char)(i * i >> 3);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    assert_int_equal(asc_digest_file(path, hex, &e), ASC_OK);
    asc_digest(bytes, n, want);
    assert_string_equal(hex, want);
    unlink(path);
    free(bytes);
    assert_int_equal(asc_digest_file("no/such/file", hex, &e), ASC_EINPUT);
    assert_string_equal(e.text, "no/such/file: cannot open: No such file or "
                                "directory");
    assert_int_equal(asc_digest_file("/", hex, &e), ASC_EINPUT);
    assert_string_equal(e.text, "/: cannot read: Is a directory");
}

static void
test_version(void **unused)
{
    (void)unused;
    assert_true(strchr(asc_version(), '.') != NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_long_error),
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_digest_file),
        cmocka_unit_test(test_version)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
