/* model/booster/json_value.c -- whole values out of the stream of events: one
 * at a time, arrays of numbers, members of objects, texts.
 *
 * Memory grows with what has been read, never with what is declared.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/json_core.h"
#include "model/booster/json_parts.h"

/* ---- one value at a time ---- */

static const char *
kind_name(enum asci_json_kind kind)
{
    switch (kind) {
    case ASCI_JSON_OBJECT:
        return "an object";
    case ASCI_JSON_ARRAY:
        return "an array";
    case ASCI_JSON_TEXT:
        return "a text";
    case ASCI_JSON_NUMBER:
        return "a number";
    case ASCI_JSON_TRUE:
    case ASCI_JSON_FALSE:
        return "true or false";
    case ASCI_JSON_NULL:
        return "null";
    default:
        return "the end";
    }
}

int
asci_json_wrong_kind(struct asci_json *j, enum asci_json_kind kind,
                     const char *want, struct asc_error *e)
{
    /* The path should end in the value, not in what it holds. */
    if (kind == ASCI_JSON_OBJECT || kind == ASCI_JSON_ARRAY)
        j->depth--;
    return asci_json_fail(j, e, "it is %s, want %s", kind_name(kind), want);
}

int
asci_json_enter(struct asci_json *j, enum asci_json_kind kind,
                struct asc_error *e)
{
    enum asci_json_kind got;
    int status = asci_json_next(j, &got, e);

    if (status)
        return status;
    return got == kind ? ASC_OK
                       : asci_json_wrong_kind(j, got, kind_name(kind), e);
}

int
asci_json_key(struct asci_json *j, struct asc_error *e)
{
    enum asci_json_kind kind;

    if (asci_json_next(j, &kind, e))
        return -1;
    return kind == ASCI_JSON_KEY;
}

int
asci_json_skip(struct asci_json *j, struct asc_error *e)
{
    const size_t depth = j->depth;
    enum asci_json_kind kind;
    int status;

    do
        status = asci_json_next(j, &kind, e);
    while (status == ASC_OK && j->depth > depth);
    return status;
}

int
asci_json_want_text(struct asci_json *j, struct asc_error *e)
{
    enum asci_json_kind kind;
    int status = asci_json_next(j, &kind, e);

    if (status)
        return status;
    return kind == ASCI_JSON_TEXT
           ? ASC_OK : asci_json_wrong_kind(j, kind, "a text", e);
}

int
asci_json_is(const struct asci_json *j, const char *text)
{
    return j->text.n == strlen(text) &&
           (j->text.n == 0 || !memcmp(j->text.p, text, j->text.n));
}

/* ---- arrays of numbers ---- */

int
asci_json_room(void **v, size_t *capacity, size_t n, size_t more, size_t size,
               struct asc_error *e)
{
    size_t want = n + more;
    void *p;

    if (want <= *capacity)
        return ASC_OK;
    if (want < *capacity + *capacity / 2)
        want = *capacity + *capacity / 2;
    if (want < 16)
        want = 16;
    p = asci_resize(*v, want, size, e);
    if (!p)
        return ASC_ESYSTEM;
    *v = p;
    *capacity = want;
    return ASC_OK;
}

int
asci_json_not_whole(const struct asci_json *j, double v, struct asc_error *e)
{
    return asci_json_fail(j, e, "%.17g is not a whole number of 32 bits", v);
}

int
asci_json_singles(struct asci_json *j, struct asci_singles *a,
                  struct asc_error *e)
{
    enum asci_json_kind kind;
    int status, more;

    a->n = 0;
    if ((status = asci_json_enter(j, ASCI_JSON_ARRAY, e)))
        return status;
    if (asci_ubjson_packed(j))
        return asci_ubjson_singles(j, a, e);
    while ((more = asci_json_more(j, e)) > 0) {
        void *v = a->v;

        status = asci_json_room(&v, &a->capacity, a->n, 1, sizeof *a->v, e);
        a->v = v;
        if (status || (status = asci_json_next(j, &kind, e)))
            return status;
        if (kind != ASCI_JSON_NUMBER)
            return asci_json_wrong_kind(j, kind, "a number", e);
        if ((status = asci_json_single(j, &a->v[a->n], e)))
            return status;
        a->n++;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

/* The whole number of an event; digits alone are the common case. */
static int
one_integer(struct asci_json *j, enum asci_json_kind kind, int32_t *out,
            struct asc_error *e)
{
    double v = kind == ASCI_JSON_TRUE;
    int status;

    if (kind == ASCI_JSON_NUMBER) {
        if (j->digits && j->n_digits < 10) {
            int32_t t = 0;
            size_t i;

            for (i = 0; i < j->n_digits && asci_is_digit(j->digits[i]); i++)
                t = 10 * t + (j->digits[i] - '0');
            if (i == j->n_digits) {
                *out = t;
                return ASC_OK;
            }
        }
        if ((status = asci_json_double(j, &v, e)))
            return status;
    } else if (kind != ASCI_JSON_TRUE && kind != ASCI_JSON_FALSE) {
        return asci_json_wrong_kind(j, kind, "a whole number", e);
    }
    if (!(v >= INT32_MIN && v <= INT32_MAX) || v != floor(v))
        return asci_json_not_whole(j, v, e);
    *out = (int32_t)v;
    return ASC_OK;
}

int
asci_json_integers(struct asci_json *j, struct asci_integers *a,
                   struct asc_error *e)
{
    enum asci_json_kind kind;
    int status, more;

    a->n = 0;
    if ((status = asci_json_enter(j, ASCI_JSON_ARRAY, e)))
        return status;
    if (asci_ubjson_packed(j))
        return asci_ubjson_integers(j, a, e);
    while ((more = asci_json_more(j, e)) > 0) {
        void *v = a->v;

        status = asci_json_room(&v, &a->capacity, a->n, 1, sizeof *a->v, e);
        a->v = v;
        if (status || (status = asci_json_next(j, &kind, e)) ||
            (status = one_integer(j, kind, &a->v[a->n], e)))
            return status;
        a->n++;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

int
asci_json_array(struct asci_json *j, struct asc_error *e)
{
    enum asci_json_kind kind;

    if (asci_json_next(j, &kind, e))
        return -1;
    if (kind == ASCI_JSON_ARRAY || kind == ASCI_JSON_NULL)
        return kind == ASCI_JSON_ARRAY;
    asci_json_wrong_kind(j, kind, "an array", e);
    return -1;
}

/* ---- parts ---- */

int
asci_read_open_members(struct asci_json *j, void *base,
                       const struct asci_member *member, size_t n,
                       struct asc_error *e)
{
    unsigned seen = 0;
    int more, status;
    size_t i;

    while ((more = asci_json_key(j, e)) > 0) {
        for (i = 0; i < n && !asci_json_is(j, member[i].key); i++)
            ;
        if (i < n && seen >> i & 1)
            return asci_json_fail(j, e, "it is there twice");
        if (i < n) {
            seen |= 1u << i;
            status = member[i].read(j, (char *)base + member[i].to, e);
        } else {
            status = asci_json_skip(j, e);
        }
        if (status)
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

int
asci_read_members(struct asci_json *j, void *base,
                  const struct asci_member *member, size_t n,
                  struct asc_error *e)
{
    int status = asci_json_enter(j, ASCI_JSON_OBJECT, e);

    return status ? status : asci_read_open_members(j, base, member, n, e);
}

int
asci_read_embedded(struct asci_json *j, void *base,
                   const struct asci_member *member, size_t n,
                   struct asc_error *e)
{
    struct asci_json part;
    enum asci_json_kind kind;
    int status = asci_json_next(j, &kind, e);

    if (status)
        return status;
    if (kind == ASCI_JSON_OBJECT)
        return asci_read_open_members(j, base, member, n, e);
    if (kind != ASCI_JSON_TEXT)
        return asci_json_wrong_kind(j, kind, "an object", e);
    asci_json_open(&part, j->file, j->text.p, j->text.n, 0);
    status = asci_read_members(&part, base, member, n, NULL);
    if (status == ASC_OK)
        status = asci_json_next(&part, &kind, NULL);
    asci_json_close(&part);
    return status == ASC_OK || status == ASC_ESYSTEM
           ? status : asci_json_fail(j, e, "the text is not the JSON that it "
                                     "should be");
}

int
asci_texts_add(struct asci_texts *t, const char *p, size_t n,
               struct asc_error *e)
{
    void *v = t->v;
    int status = asci_json_room(&v, &t->capacity, t->n, 1, sizeof *t->v, e);

    t->v = v;
    if (status)
        return status;
    t->v[t->n] = asci_copy_text(p, n, e);
    if (!t->v[t->n])
        return ASC_ESYSTEM;
    t->n++;
    return ASC_OK;
}

void
asci_texts_free(struct asci_texts *t)
{
    size_t i;

    for (i = 0; i < t->n; i++)
        free(t->v[i]);
    free(t->v);
    memset(t, 0, sizeof *t);
}

int
asci_doubles_add(struct asci_doubles *a, double value, struct asc_error *e)
{
    void *v = a->v;
    int status = asci_json_room(&v, &a->capacity, a->n, 1, sizeof *a->v, e);

    a->v = v;
    if (status == ASC_OK)
        a->v[a->n++] = value;
    return status;
}

int
asci_read_singles(struct asci_json *j, void *to, struct asc_error *e)
{
    return asci_json_singles(j, to, e);
}

int
asci_read_integers(struct asci_json *j, void *to, struct asc_error *e)
{
    return asci_json_integers(j, to, e);
}

int
asci_read_doubles(struct asci_json *j, void *to, struct asc_error *e)
{
    struct asci_doubles *a = to;
    double v;
    int more, status = asci_json_enter(j, ASCI_JSON_ARRAY, e);

    a->n = 0;
    if (status)
        return status;
    while ((more = asci_json_more(j, e)) > 0)
        if ((status = asci_read_double(j, &v, e)) ||
            (status = asci_doubles_add(a, v, e)))
            return status;
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

int
asci_read_double(struct asci_json *j, void *to, struct asc_error *e)
{
    enum asci_json_kind kind;
    int status = asci_json_next(j, &kind, e);

    if (status)
        return status;
    return kind == ASCI_JSON_NUMBER
           ? asci_json_double(j, to, e)
           : asci_json_wrong_kind(j, kind, "a number", e);
}

int
asci_read_text(struct asci_json *j, void *to, struct asc_error *e)
{
    int status = asci_json_want_text(j, e);

    asci_texts_free(to);
    return status ? status : asci_texts_add(to, j->text.p, j->text.n, e);
}

int
asci_read_texts(struct asci_json *j, void *to, struct asc_error *e)
{
    int more, status = asci_json_enter(j, ASCI_JSON_ARRAY, e);

    if (status)
        return status;
    while ((more = asci_json_more(j, e)) > 0)
        if ((status = asci_json_want_text(j, e)) ||
            (status = asci_texts_add(to, j->text.p, j->text.n, e)))
            return status;
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

int
asci_read_whole(struct asci_json *j, void *to, struct asc_error *e)
{
    struct asci_whole *w = to;
    enum asci_json_kind kind;
    int status = asci_json_next(j, &kind, e);
    double v = NAN;

    if (status)
        return status;
    if (kind == ASCI_JSON_NUMBER) {
        if ((status = asci_json_double(j, &v, e)))
            return status;
    } else if (kind != ASCI_JSON_TEXT ||
               !asc_number_parse(j->text.p, j->text.n, &v)) {
        v = NAN;
    }
    if (!(v >= -9e15 && v <= 9e15) || v != floor(v))
        return asci_json_fail(j, e, "it is not a whole number");
    w->v = (int64_t)v;
    w->given = 1;
    return ASC_OK;
}

int
asci_read_flag(struct asci_json *j, void *to, struct asc_error *e)
{
    struct asci_whole *w = to;
    enum asci_json_kind kind;
    int status = asci_json_next(j, &kind, e);

    if (status)
        return status;
    if (kind != ASCI_JSON_TRUE && kind != ASCI_JSON_FALSE)
        return asci_json_wrong_kind(j, kind, "true or false", e);
    w->v = kind == ASCI_JSON_TRUE;
    w->given = 1;
    return ASC_OK;
}
