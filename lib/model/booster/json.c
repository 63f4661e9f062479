/* model/booster/json.c -- JSON and UBJSON as one stream of events.
 *
 * JSON (RFC 8259) with the words NaN, Infinity and -Infinity; UBJSON (draft
 * 12, ubjson.org), with counted and typed containers.  No tree of the document
 * is built: an event is a step of a cursor over the bytes, and what a reader
 * does not want is passed over.  A stack of frames, of limited depth, knows
 * where the cursor is, so that a message can name the path
 * (learner.objective.name, trees[3].left_children[7]).
 *
 * A declared size is compared with what is left of the file before anything
 * is allocated, and memory grows with what has been read.
 *
 * Here are frames, messages, JSON and the events; ubjson.c has UBJSON,
 * json_number.c what digits mean, json_value.c whole values.  Cost: one pass,
 * 200 to 500 MB/s.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/booster/json_core.h"

void
asci_json_open(struct asci_json *j, const char *file, const char *bytes,
               size_t n, int binary)
{
    memset(j, 0, offsetof(struct asci_json, frame));
    j->file = file;
    j->begin = j->p = (const unsigned char *)bytes;
    j->end = j->begin + n;
    j->binary = binary;
}

void
asci_json_close(struct asci_json *j)
{
    asc_buffer_free(&j->scratch);
}

/* ---- messages ---- */

enum { PATH_MAX_BYTES = 200, KEY_MAX_BYTES = 60 };

/* Bytes that can be printed, a long key cut short. */
static void
add_key(char *out, size_t size, const char *key, size_t n)
{
    size_t i, at = strlen(out);

    for (i = 0; i < n && i < KEY_MAX_BYTES && at + 1 < size; i++)
        out[at++] = key[i] >= 0x20 && key[i] < 0x7f ? key[i] : '?';
    out[at] = '\0';
}

/* learner.gradient_booster.model.trees[3]; the last frames of a deep path. */
static void
path_text(const struct asci_json *j, char *out, size_t size)
{
    size_t d, first = j->depth > 12 ? j->depth - 12 : 0;

    out[0] = '\0';
    if (first > 0)
        add_key(out, size, "...", 3);
    for (d = first; d < j->depth; d++) {
        const struct asci_json_frame *f = &j->frame[d];

        if (f->array && f->index > 0) {
            char piece[32];

            snprintf(piece, sizeof piece, "[%zu]", f->index - 1);
            add_key(out, size, piece, strlen(piece));
        } else if (!f->array && f->key) {
            if (out[0])
                add_key(out, size, ".", 1);
            add_key(out, size, f->key, f->n_key);
        }
    }
}

int
asci_json_fail(const struct asci_json *j, struct asc_error *e,
               const char *format, ...)
{
    char path[PATH_MAX_BYTES], message[300];
    va_list ap;

    va_start(ap, format);
    asci_print(message, sizeof message, format, ap);
    va_end(ap);
    path_text(j, path, sizeof path);
    return asc_fail(e, ASC_EINPUT, "%s: %s%s%s", j->file, path,
                    path[0] ? ": " : "", message);
}

int
asci_json_cut_off(const struct asci_json *j, struct asc_error *e)
{
    return asci_json_fail(j, e, "the file ends here, cut off at byte %zu",
                          (size_t)(j->end - j->begin));
}

/* What stands at the cursor, where `want` should. */
int
asci_json_unexpected(const struct asci_json *j, const char *want,
                     struct asc_error *e)
{
    const size_t at = (size_t)(j->p - j->begin);

    if (j->p >= j->end)
        return asci_json_cut_off(j, e);
    if (*j->p > 0x20 && *j->p < 0x7f)
        return asci_json_fail(j, e, "'%c' at byte %zu, want %s", *j->p,
                              at + 1, want);
    return asci_json_fail(j, e, "byte 0x%02x at byte %zu, want %s", *j->p,
                          at + 1, want);
}

/* ---- frames ---- */

int
asci_json_push(struct asci_json *j, int array, struct asc_error *e)
{
    struct asci_json_frame *f;

    if (j->depth == ASCI_JSON_DEPTH)
        return asci_json_fail(j, e, "nested deeper than %d",
                              (int)ASCI_JSON_DEPTH);
    f = &j->frame[j->depth++];
    memset(f, 0, sizeof *f);
    f->array = (unsigned char)array;
    return ASC_OK;
}

void
asci_json_pop(struct asci_json *j)
{
    j->depth--;
    if (j->depth == 0)
        j->done = 1;
}

/* ---- JSON ---- */

static void
skip_blanks(struct asci_json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' ||
                             *j->p == '\r' || *j->p == '\t'))
        j->p++;
}

static int
hex4(const unsigned char *p, unsigned *v)
{
    int i;

    for (*v = 0, i = 0; i < 4; i++) {
        const unsigned c = p[i];

        *v <<= 4;
        if (c >= '0' && c <= '9')
            *v |= c - '0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            *v |= (c | 32) - 'a' + 10;
        else
            return 0;
    }
    return 1;
}

static void
add_utf8(struct asc_buffer *b, unsigned v)
{
    if (v < 0x80) {
        asc_buffer_char(b, (char)v);
    } else if (v < 0x800) {
        asc_buffer_char(b, (char)(0xc0 | v >> 6));
        asc_buffer_char(b, (char)(0x80 | (v & 0x3f)));
    } else if (v < 0x10000) {
        asc_buffer_char(b, (char)(0xe0 | v >> 12));
        asc_buffer_char(b, (char)(0x80 | (v >> 6 & 0x3f)));
        asc_buffer_char(b, (char)(0x80 | (v & 0x3f)));
    } else {
        asc_buffer_char(b, (char)(0xf0 | v >> 18));
        asc_buffer_char(b, (char)(0x80 | (v >> 12 & 0x3f)));
        asc_buffer_char(b, (char)(0x80 | (v >> 6 & 0x3f)));
        asc_buffer_char(b, (char)(0x80 | (v & 0x3f)));
    }
}

/* \uXXXX, the cursor behind the u; pairs of surrogates are one character. */
static int
unicode_escape(struct asci_json *j, struct asc_error *e)
{
    unsigned v, low;

    if (j->end - j->p < 4)
        return asci_json_cut_off(j, e);
    if (!hex4(j->p, &v))
        return asci_json_unexpected(j, "four hexadecimal digits after \\u", e);
    j->p += 4;
    if (v >= 0xd800 && v < 0xdc00 && j->end - j->p >= 6 && j->p[0] == '\\' &&
        j->p[1] == 'u' && hex4(j->p + 2, &low) && low >= 0xdc00 &&
        low < 0xe000) {
        j->p += 6;
        v = 0x10000 + ((v - 0xd800) << 10 | (low - 0xdc00));
    } else if (v >= 0xd800 && v < 0xe000) {
        v = 0xfffd;
    }
    if (v == 0)
        return asci_json_fail(j, e, "a text holds a zero byte");
    add_utf8(&j->scratch, v);
    return ASC_OK;
}

static int
one_escape(struct asci_json *j, struct asc_error *e)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at;

    if (j->p >= j->end)
        return asci_json_cut_off(j, e);
    if (*j->p == 'u') {
        j->p++;
        return unicode_escape(j, e);
    }
    at = *j->p ? strchr(from, *j->p) : NULL;
    if (!at)
        return asci_json_unexpected(j, "an escape such as \\n", e);
    asc_buffer_char(&j->scratch, to[at - from]);
    j->p++;
    return ASC_OK;
}

/* The rest of a text with escapes: plain bytes from `from` on are copied. */
static int
escaped_text(struct asci_json *j, const unsigned char *from,
             struct asc_error *e)
{
    int status;

    j->scratch.n = 0;
    for (;;) {
        while (j->p < j->end && *j->p != '"' && *j->p != '\\' &&
               *j->p >= 0x20)
            j->p++;
        asc_buffer_add(&j->scratch, (const char *)from,
                       (size_t)(j->p - from));
        if (j->p >= j->end)
            return asci_json_cut_off(j, e);
        if (*j->p == '"')
            break;
        if (*j->p != '\\')
            return asci_json_unexpected(j, "a text without control bytes", e);
        j->p++;
        if ((status = one_escape(j, e)))
            return status;
        from = j->p;
    }
    j->p++;
    if (j->scratch.failed)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    j->text.p = j->scratch.p ? j->scratch.p : "";
    j->text.n = j->scratch.n;
    return ASC_OK;
}

static int
json_text(struct asci_json *j, struct asc_error *e)
{
    const unsigned char *from = ++j->p;

    while (j->p < j->end && *j->p != '"' && *j->p != '\\' && *j->p >= 0x20)
        j->p++;
    if (j->p >= j->end)
        return asci_json_cut_off(j, e);
    if (*j->p == '"') {
        j->text.p = (const char *)from;
        j->text.n = (size_t)(j->p++ - from);
        return ASC_OK;
    }
    return escaped_text(j, from, e);
}

/* Passes over a number; 0 if it is none (or may go on beyond the end). */
static int
pass_number(struct asci_json *j)
{
    const unsigned char *p = j->p, *end = j->end;

    if (p < end && *p == '-')
        p++;
    if (p >= end || !asci_is_digit(*p))
        return 0;
    if (*p++ != '0')            /* no leading zeros */
        while (p < end && asci_is_digit(*p))
            p++;
    if (p < end && *p == '.') {
        p++;
        if (p >= end || !asci_is_digit(*p))
            return 0;
        while (p < end && asci_is_digit(*p))
            p++;
    }
    if (p < end && (*p | 32) == 'e') {
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p >= end || !asci_is_digit(*p))
            return 0;
        while (p < end && asci_is_digit(*p))
            p++;
    }
    j->digits = j->p;
    j->n_digits = (size_t)(p - j->p);
    j->p = p;
    return 1;
}

static int
word(struct asci_json *j, const char *text)
{
    const size_t n = strlen(text);

    if ((size_t)(j->end - j->p) < n || memcmp(j->p, text, n))
        return 0;
    j->p += n;
    return 1;
}

static int
json_value(struct asci_json *j, enum asci_json_kind *kind,
           struct asc_error *e)
{
    static const struct { const char *text; enum asci_json_kind kind;
                          double value; } words[] = {
        { "true", ASCI_JSON_TRUE, 1.0 }, { "false", ASCI_JSON_FALSE, 0.0 },
        { "null", ASCI_JSON_NULL, 0.0 }, { "NaN", ASCI_JSON_NUMBER, NAN },
        { "nan", ASCI_JSON_NUMBER, NAN }, { "-NaN", ASCI_JSON_NUMBER, NAN },
        { "Infinity", ASCI_JSON_NUMBER, INFINITY },
        { "-Infinity", ASCI_JSON_NUMBER, -INFINITY },
        { "inf", ASCI_JSON_NUMBER, INFINITY },
        { "-inf", ASCI_JSON_NUMBER, -INFINITY }
    };
    size_t i;

    if (j->p >= j->end)
        return asci_json_cut_off(j, e);
    if (*j->p == '{' || *j->p == '[') {
        const int array = *j->p++ == '[';

        *kind = array ? ASCI_JSON_ARRAY : ASCI_JSON_OBJECT;
        return asci_json_push(j, array, e);
    }
    if (*j->p == '"') {
        *kind = ASCI_JSON_TEXT;
        return json_text(j, e);
    }
    if (pass_number(j)) {
        *kind = ASCI_JSON_NUMBER;
        return ASC_OK;
    }
    for (i = 0; i < sizeof words / sizeof *words; i++)
        if (word(j, words[i].text)) {
            *kind = words[i].kind;
            j->digits = NULL;
            j->value = words[i].value;
            return ASC_OK;
        }
    return asci_json_unexpected(j, "a value", e);
}

/* Before a value or a key in a container: its end, or a comma.  1: it went
 * on, 0: it ended. */
static int
json_separator(struct asci_json *j, struct asci_json_frame *f,
               struct asc_error *e)
{
    const char close = f->array ? ']' : '}';

    skip_blanks(j);
    if (j->p < j->end && *j->p == close) {
        j->p++;
        return 0;
    }
    if (f->index > 0) {
        if (j->p >= j->end || *j->p != ',') {
            asci_json_unexpected(j, f->array ? "',' or ']'" : "',' or '}'", e);
            return -1;
        }
        j->p++;
        skip_blanks(j);
    }
    return 1;
}

static int
json_key(struct asci_json *j, struct asci_json_frame *f, struct asc_error *e)
{
    const unsigned char *from = j->p + 1;
    int status;

    if (j->p >= j->end || *j->p != '"')
        return asci_json_unexpected(j, "a key in quotes", e);
    if ((status = json_text(j, e)))
        return status;
    f->key = (const char *)from;
    f->n_key = (size_t)(j->p - 1 - from);
    skip_blanks(j);
    if (j->p >= j->end || *j->p != ':')
        return asci_json_unexpected(j, "':'", e);
    j->p++;
    skip_blanks(j);
    return ASC_OK;
}

/* ---- events ---- */

static int
any_value(struct asci_json *j, int type, enum asci_json_kind *kind,
          struct asc_error *e)
{
    int status = j->binary ? asci_ubjson_value(j, type, kind, e)
                           : json_value(j, kind, e);

    if (status == ASC_OK && j->depth == 0)
        j->done = 1;
    return status;
}

static int
the_end(struct asci_json *j, enum asci_json_kind *kind, struct asc_error *e)
{
    if (j->binary)
        while (j->p < j->end && (*j->p == 'N' || *j->p == '\n'))
            j->p++;
    else
        skip_blanks(j);
    if (j->p < j->end)
        return asci_json_unexpected(j, "the end of the file", e);
    *kind = ASCI_JSON_END;
    return ASC_OK;
}

int
asci_json_next(struct asci_json *j, enum asci_json_kind *kind,
               struct asc_error *e)
{
    struct asci_json_frame *f;
    int more, status;

    if (j->done)
        return the_end(j, kind, e);
    if (j->depth == 0) {
        if (!j->binary)
            skip_blanks(j);
        return any_value(j, 0, kind, e);
    }
    f = &j->frame[j->depth - 1];
    if (f->want_value) {
        f->want_value = 0;
        return any_value(j, f->type, kind, e);
    }
    more = j->binary ? asci_ubjson_separator(j, f) : json_separator(j, f, e);
    if (more < 0)
        return ASC_EINPUT;
    if (!more) {
        *kind = f->array ? ASCI_JSON_END_ARRAY : ASCI_JSON_END_OBJECT;
        asci_json_pop(j);
        return ASC_OK;
    }
    f->index++;
    if (f->array)
        return any_value(j, f->type, kind, e);
    status = j->binary ? asci_ubjson_key(j, f, e) : json_key(j, f, e);
    f->want_value = 1;
    *kind = ASCI_JSON_KEY;
    return status;
}

int
asci_json_more(struct asci_json *j, struct asc_error *e)
{
    struct asci_json_frame *f = &j->frame[j->depth - 1];
    int more = j->binary ? asci_ubjson_separator(j, f)
                         : json_separator(j, f, e);

    if (more == 0) {
        asci_json_pop(j);
    } else if (more > 0) {
        f->index++;
        f->want_value = 1;
    }
    return more;
}
