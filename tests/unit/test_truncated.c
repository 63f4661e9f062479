/* Models of boosters that are cut off: in JSON before and behind each bracket,
 * brace, comma, colon and quote, with the exact message, whose path is worked
 * out here from the text alone; in UBJSON behind each byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/booster.h"

enum { LEVELS = 16, NAME = 60 };

struct level {
    int array;
    size_t place;               /* of the value that comes or has begun */
    char key[NAME];             /* "" until there is one */
};

/* The first n bytes of a text that ends somewhere in a document. */
struct cursor {
    const char *text;
    size_t n, depth;
    struct level level[LEVELS];
};

static char *
slurp(const char *name, size_t *n)
{
    const char *source = getenv("srcdir");
    char path[4096], *text;
    FILE *f;

    snprintf(path, sizeof path, "%s/tests/tools/files/%s",
             source ? source : ".", name);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is not there", path);
    text = malloc(1 << 16);
    assert_non_null(text);
    *n = fread(text, 1, 1 << 16, f);
    assert_true(*n > 0 && *n < 1 << 16);
    fclose(f);
    return text;
}

typedef asc_model *reader(const char *path, const char *bytes, size_t n,
                          struct asc_error *e);

/* The message on the first n bytes, which are alone in their memory. */
static void
read_cut(reader *read, const char *text, size_t n, struct asc_error *e)
{
    char *copy = malloc(n);

    assert_non_null(copy);
    memcpy(copy, text, n);
    memset(e, 0, sizeof *e);
    assert_null(read("m", copy, n, e));
    assert_int_equal(e->status, ASC_EINPUT);
    assert_null(strchr(e->text, '\n'));
    free(copy);
}

static void
path_of(const struct cursor *c, char *out, size_t size)
{
    size_t d, n = 0;

    out[0] = '\0';
    for (d = 0; d < c->depth; d++) {
        const struct level *l = &c->level[d];

        if (l->array)
            n += (size_t)snprintf(out + n, size - n, "[%zu]", l->place);
        else if (l->key[0])
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "." : "",
                                  l->key);
    }
}

static void
check_cut(reader *read, const struct cursor *c, size_t *done)
{
    char path[300], want[400];
    struct asc_error e;

    path_of(c, path, sizeof path);
    snprintf(want, sizeof want, "m: %s%sthe file ends here, cut off at byte "
             "%zu", path, path[0] ? ": " : "", c->n);
    read_cut(read, c->text, c->n, &e);
    if (strcmp(e.text, want))
        fail_msg("%s\n# ought to be\n# %s", e.text, want);
    ++*done;
}

/* Steps over what begins at the cursor, with a cut behind each quote. */
static void
step(reader *read, struct cursor *c, size_t *done)
{
    struct level *l = c->depth ? &c->level[c->depth - 1] : NULL;
    const char *p = c->text + c->n, *end;

    if (*p == '{' || *p == '[') {
        assert_true(c->depth < LEVELS);
        c->level[c->depth++] = (struct level){ *p == '[', 0, "" };
    } else if (*p == '}' || *p == ']') {
        c->depth--;
    } else if (*p == ',') {
        l->place++;
    } else if (*p == '"') {
        end = strchr(p + 1, '"');
        assert_non_null(end);
        c->n++;
        check_cut(read, c, done);
        c->n = (size_t)(end - c->text);
        check_cut(read, c, done);
        if (!l->array && end[1] == ':')
            snprintf(l->key, NAME, "%.*s", (int)(end - p - 1), p + 1);
    } else if (*p != ':') {     /* a number or a word: to its end */
        while (!strchr(",]}\n", c->text[c->n + 1]))
            c->n++;
    }
    c->n++;
}

static void
json_cut_anywhere(reader *read, const char *name)
{
    struct cursor c = { NULL, 0, 0, { { 0, 0, "" } } };
    size_t n, done = 0;
    char *text = slurp(name, &n);

    text[n] = '\0';
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    c.text = text;
    while (c.n < n) {
        if (isspace((unsigned char)text[c.n])) {
            c.n++;
            continue;
        }
        check_cut(read, &c, &done);
        step(read, &c, &done);
        if (c.n < n)
            check_cut(read, &c, &done);
    }
    assert_int_equal(c.depth, 0);
    print_message("# %s: cut off in %zu places\n", name, done);
    assert_true(done > 300);
    free(text);
}

static void
xgboost_json(void **state)
{
    (void)state;
    json_cut_anywhere(asci_xgboost_read, "boost.json");
}

static void
catboost_symmetric(void **state)
{
    (void)state;
    json_cut_anywhere(asci_catboost_read, "cat.json");
}

static void
catboost_nested(void **state)
{
    (void)state;
    json_cut_anywhere(asci_catboost_read, "nested.json");
}

/* Behind a length that says more than is left, that is what is said. */
static void
xgboost_ubjson(void **state)
{
    size_t i, n;
    char *text = slurp("boost.ubj", &n), cut[100];

    (void)state;
    for (i = 2; i < n; i++) {
        struct asc_error e;

        read_cut(asci_xgboost_read, text, i, &e);
        snprintf(cut, sizeof cut, "the file ends here, cut off at byte %zu",
                 i);
        if (strncmp(e.text, "m: ", 3) ||
            (!strstr(e.text, cut) &&
             !strstr(e.text, " are left of the file") &&
             !strstr(e.text, " bytes that are left cannot hold them")))
            fail_msg("%zu bytes: %s", i, e.text);
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xgboost_json),
        cmocka_unit_test(catboost_symmetric),
        cmocka_unit_test(catboost_nested),
        cmocka_unit_test(xgboost_ubjson)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
