/* Keys seen so far: against a plain list, in many orders. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ascribe/table.h>

#include "table/internal.h"
#include "temporary.h"

static int
add(struct asc_ids *s, const char *key, size_t line, struct asc_error *e)
{
    const struct asc_text t = { key, strlen(key) };

    return asc_ids_add(s, t, line, "t.tsv", "row", e);
}

static void
test_message(void **state)
{
    struct asc_error e = { ASC_OK, "" };
    struct asc_ids *s = asc_ids_new(&e);

    (void)state;
    assert_non_null(s);
    assert_int_equal(add(s, "a", 2, &e), ASC_OK);
    assert_int_equal(add(s, "17", 3, &e), ASC_OK);
    assert_int_equal(add(s, "18", 4, &e), ASC_OK);
    assert_int_equal(add(s, "", 5, &e), ASC_OK);
    /* not the same bytes: not the same key */
    assert_int_equal(add(s, "018", 6, &e), ASC_OK);
    assert_int_equal(add(s, "18.0", 7, &e), ASC_OK);
    assert_int_equal(add(s, "A", 8, &e), ASC_OK);
    assert_int_equal(add(s, "a18", 8, &e), ASC_OK);
    assert_int_equal(add(s, "a018", 8, &e), ASC_OK);
    assert_int_equal(add(s, "a0018", 8, &e), ASC_OK);
    assert_int_equal(add(s, "0", 8, &e), ASC_OK);
    assert_int_equal(add(s, "00", 8, &e), ASC_OK);
    assert_int_equal(add(s, "1234567890123456789", 8, &e), ASC_OK);
    assert_int_equal(add(s, "a prefix of over twenty-four bytes 18", 8, &e),
                     ASC_OK);
    assert_int_equal(add(s, "18", 9, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv:9: row \"18\" is there twice, first on "
                        "line 4");
    assert_int_equal(add(s, "17", 10, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv:10: row \"17\" is there twice, first "
                        "on line 3");
    assert_int_equal(add(s, "a", 11, &e), ASC_EINPUT);
    assert_string_equal(e.text, "t.tsv:11: row \"a\" is there twice, first on "
                        "line 2");
    assert_int_equal(add(s, "00", 12, &e), ASC_EINPUT);
    assert_int_equal(add(s, "0", 12, &e), ASC_EINPUT);
    assert_int_equal(add(s, "a0018", 12, &e), ASC_EINPUT);
    assert_int_equal(add(s, "1234567890123456789", 12, &e), ASC_EINPUT);
    assert_int_equal(add(s, "a prefix of over twenty-four bytes 18", 12, &e),
                     ASC_EINPUT);
    asc_ids_free(s);
}

/* Published values: MurmurHash3_x64_128, seed 0, as two words of 64 bits. */
static void
test_hash(void **state)
{
    static const struct { const char *text; uint64_t h[2]; } want[] = {
        { "", { 0, 0 } },
        { "hello", { 0xcbd8a7b341bd9b02ULL, 0x5b1e906a48ae1d19ULL } },
        { "The quick brown fox jumps over the lazy dog",
          { 0xe34bbc7bbc071b6cULL, 0x7a433ca9c49a9347ULL } }
    };
    uint64_t h[2];
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        asci_hash128(want[i].text, strlen(want[i].text), h);
        assert_true(h[0] == want[i].h[0] && h[1] == want[i].h[1]);
    }
}

/* What a key is in trial t: whole numbers in runs, or not, or texts. */
static void
make_key(uint64_t *seed, size_t t, size_t i, char *key)
{
    static size_t run, left;

    static const char *const form[] = { "%zu", "case-%04zu", "x%zu" };

    if (t % 5 == 0) {
        sprintf(key, form[t / 5], i + 1);               /* one run */
    } else if (t % 5 == 1) {
        if (!left) {                                    /* many runs */
            run = draw_below(seed, 200000);
            left = draw_below(seed, 3) ? 1 + draw_below(seed, 5)
                                       : 50 + draw_below(seed, 100);
        }
        left--;
        sprintf(key, form[left % 2 ? 0 : t / 5], run++);
    } else if (t % 5 == 2) {
        sprintf(key, form[t / 5], draw_below(seed, 40000));     /* shuffled */
    } else if (t % 5 == 3) {
        sprintf(key, "%zup", draw_below(seed, 40000));
    } else {
        sprintf(key, form[draw_below(seed, 3)], i / 3); /* runs in turn */
    }
}

static void
test_random(void **state)
{
    const size_t n = 3000;
    char (*key)[32] = malloc(n * sizeof *key);
    size_t *line = malloc(n * sizeof *line);
    uint64_t seed = 7;
    size_t trial, i, k;

    (void)state;
    assert_true(key && line);
    for (trial = 0; trial < 15; trial++) {
        struct asc_error e = { ASC_OK, "" };
        struct asc_ids *s = asc_ids_new(&e);
        size_t m = 0, duplicates = 0;

        assert_non_null(s);
        for (i = 0; i < n; i++) {
            char want[100];
            int status;

            make_key(&seed, trial, i, key[m]);
            /* a key that was there, now and then */
            if (m && draw_below(&seed, 500) == 0)
                memmove(key[m], key[draw_below(&seed, m)], sizeof *key);
            line[m] = 2 + i;
            status = add(s, key[m], line[m], &e);
            for (k = 0; k < m && strcmp(key[k], key[m]); k++)
                ;
            assert_int_equal(status, k < m ? ASC_EINPUT : ASC_OK);
            if (k == m) {
                m++;
                continue;
            }
            sprintf(want, "t.tsv:%zu: row \"%s\" is there twice, first on "
                    "line %zu", line[m], key[m], line[k]);
            assert_string_equal(e.text, want);
            duplicates++;
        }
        assert_true(duplicates > 0);
        asc_ids_free(s);
    }
    free(key);
    free(line);
}

/* A number that is in a run must be found after a thousand other runs. */
static void
test_many_runs(void **state)
{
    struct asc_error e = { ASC_OK, "" };
    struct asc_ids *s = asc_ids_new(&e);
    const size_t runs = 3000, length = 70;
    size_t i, k, line = 1;
    char key[24], want[100];

    (void)state;
    assert_non_null(s);
    for (i = 0; i < runs; i++)
        for (k = 0; k < length; k++) {
            /* runs come in a scattered order */
            sprintf(key, "%zu", i * 1237 % runs * 100 + k);
            assert_int_equal(add(s, key, ++line, &e), ASC_OK);
        }
    for (i = 0; i < runs; i++) {
        k = i % length;
        sprintf(key, "%zu", i * 1237 % runs * 100 + k);
        assert_int_equal(add(s, key, ++line, &e), ASC_EINPUT);
        sprintf(want, "t.tsv:%zu: row \"%s\" is there twice, first on line "
                "%zu", line, key, i * length + k + 2);
        assert_string_equal(e.text, want);
        sprintf(key, "%zu", i * 100 + length);  /* between the runs */
        assert_int_equal(add(s, key, ++line, &e), ASC_OK);
    }
    asc_ids_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_many_runs)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
