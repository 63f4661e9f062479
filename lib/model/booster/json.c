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
 * Numbers are rounded once, to double or to float: up to 2^53 with a power of
 * ten up to 10^22 by one exact operation (Clinger 1990,
 * doi:10.1145/93542.93557), which rounds to float rightly unless it lies
 * halfway between two floats; the rest by the slow way.  Cost: one pass,
 * 200 to 500 MB/s.
 */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/json.h"

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

static int
cut_off(const struct asci_json *j, struct asc_error *e)
{
    return asci_json_fail(j, e, "the file ends here, cut off at byte %zu",
                          (size_t)(j->end - j->begin));
}

/* What stands at the cursor, where `want` should. */
static int
unexpected(const struct asci_json *j, const char *want, struct asc_error *e)
{
    const size_t at = (size_t)(j->p - j->begin);

    if (j->p >= j->end)
        return cut_off(j, e);
    if (*j->p > 0x20 && *j->p < 0x7f)
        return asci_json_fail(j, e, "'%c' at byte %zu, want %s", *j->p,
                              at + 1, want);
    return asci_json_fail(j, e, "byte 0x%02x at byte %zu, want %s", *j->p,
                          at + 1, want);
}

/* ---- frames ---- */

static int
push(struct asci_json *j, int array, struct asc_error *e)
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

static void
pop(struct asci_json *j)
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
        return cut_off(j, e);
    if (!hex4(j->p, &v))
        return unexpected(j, "four hexadecimal digits after \\u", e);
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
        return cut_off(j, e);
    if (*j->p == 'u') {
        j->p++;
        return unicode_escape(j, e);
    }
    at = *j->p ? strchr(from, *j->p) : NULL;
    if (!at)
        return unexpected(j, "an escape such as \\n", e);
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
            return cut_off(j, e);
        if (*j->p == '"')
            break;
        if (*j->p != '\\')
            return unexpected(j, "a text without control bytes", e);
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
        return cut_off(j, e);
    if (*j->p == '"') {
        j->text.p = (const char *)from;
        j->text.n = (size_t)(j->p++ - from);
        return ASC_OK;
    }
    return escaped_text(j, from, e);
}

static int
is_digit(unsigned c)
{
    return c - '0' < 10;
}

/* Passes over a number; 0 if it is none (or may go on beyond the end). */
static int
pass_number(struct asci_json *j)
{
    const unsigned char *p = j->p, *end = j->end;

    if (p < end && *p == '-')
        p++;
    if (p >= end || !is_digit(*p))
        return 0;
    if (*p++ != '0')            /* no leading zeros */
        while (p < end && is_digit(*p))
            p++;
    if (p < end && *p == '.') {
        p++;
        if (p >= end || !is_digit(*p))
            return 0;
        while (p < end && is_digit(*p))
            p++;
    }
    if (p < end && (*p | 32) == 'e') {
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p >= end || !is_digit(*p))
            return 0;
        while (p < end && is_digit(*p))
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
        return cut_off(j, e);
    if (*j->p == '{' || *j->p == '[') {
        const int array = *j->p++ == '[';

        *kind = array ? ASCI_JSON_ARRAY : ASCI_JSON_OBJECT;
        return push(j, array, e);
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
    return unexpected(j, "a value", e);
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
            unexpected(j, f->array ? "',' or ']'" : "',' or '}'", e);
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
        return unexpected(j, "a key in quotes", e);
    if ((status = json_text(j, e)))
        return status;
    f->key = (const char *)from;
    f->n_key = (size_t)(j->p - 1 - from);
    skip_blanks(j);
    if (j->p >= j->end || *j->p != ':')
        return unexpected(j, "':'", e);
    j->p++;
    skip_blanks(j);
    return ASC_OK;
}

/* ---- UBJSON ---- */

static uint64_t
big_endian(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    size_t i;

    for (i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* Bytes of a number with this marker, 0 if it is none. */
static size_t
width_of(int marker)
{
    switch (marker) {
    case 'i':
    case 'U':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

/* Whole numbers, of at most 8 bytes. */
static int64_t
whole(int marker, const unsigned char *p)
{
    switch (marker) {
    case 'i':
        return (int8_t)*p;
    case 'U':
        return *p;
    case 'I':
        return (int16_t)big_endian(p, 2);
    case 'l':
        return (int32_t)big_endian(p, 4);
    default:
        return (int64_t)big_endian(p, 8);
    }
}

static float
single_bits(const unsigned char *p)
{
    const uint32_t bits = (uint32_t)big_endian(p, 4);
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static double
double_bits(const unsigned char *p)
{
    const uint64_t bits = big_endian(p, 8);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static double
number_bits(int marker, const unsigned char *p)
{
    return marker == 'd' ? (double)single_bits(p)
         : marker == 'D' ? double_bits(p) : (double)whole(marker, p);
}

/* A length: a whole number with its marker, at most `limit`. */
static int
length(struct asci_json *j, size_t *n, struct asc_error *e)
{
    int64_t v;
    size_t w;
    int marker;

    if (j->p >= j->end)
        return cut_off(j, e);
    marker = *j->p;
    w = marker == 'd' || marker == 'D' ? 0 : width_of(marker);
    if (w == 0)
        return unexpected(j, "a length", e);
    if ((size_t)(j->end - j->p) - 1 < w)
        return cut_off(j, e);
    v = whole(marker, j->p + 1);
    j->p += 1 + w;
    if (v < 0)
        return asci_json_fail(j, e, "a length of %lld is negative",
                              (long long)v);
    *n = (size_t)v;
    return ASC_OK;
}

/* n bytes of text behind their length. */
static int
binary_text(struct asci_json *j, struct asc_error *e)
{
    size_t n;
    int status = length(j, &n, e);

    if (status)
        return status;
    if (n > (size_t)(j->end - j->p))
        return asci_json_fail(j, e, "a text of %zu bytes is declared, %zu "
                              "are left of the file", n,
                              (size_t)(j->end - j->p));
    if (n > 0 && memchr(j->p, 0, n))
        return asci_json_fail(j, e, "a text holds a zero byte");
    j->text.p = (const char *)j->p;
    j->text.n = n;
    j->p += n;
    return ASC_OK;
}

/* $type and #count behind the [ or { of a container. */
static int
container_head(struct asci_json *j, struct asc_error *e)
{
    struct asci_json_frame *f = &j->frame[j->depth - 1];
    size_t least;
    int status;

    if (j->p < j->end && *j->p == '$') {
        if (j->end - j->p < 3)
            return cut_off(j, e);
        f->type = j->p[1];
        j->p += 2;
        if (!width_of(f->type) && !(f->type && strchr("SCH[{", f->type)))
            return asci_json_fail(j, e, "a container of values of type 0x%02x "
                                  "cannot be read", f->type);
        if (*j->p != '#')
            return unexpected(j, "'#' and a count after a type", e);
    }
    if (j->p >= j->end || *j->p != '#')
        return ASC_OK;
    j->p++;
    if ((status = length(j, &f->left, e)))
        return status;
    f->counted = 1;
    least = f->type && width_of(f->type) ? width_of(f->type) : 1;
    if (!f->array)
        least += 2;             /* a key has at least a length, of two bytes */
    if (f->left > (size_t)(j->end - j->p) / least)
        return asci_json_fail(j, e, "%zu values are declared, the %zu bytes "
                              "that are left cannot hold them", f->left,
                              (size_t)(j->end - j->p));
    return ASC_OK;
}

static int
binary_value(struct asci_json *j, int type, enum asci_json_kind *kind,
             struct asc_error *e)
{
    size_t w;
    int status;

    if (!type) {
        if (j->p >= j->end)
            return cut_off(j, e);
        type = *j->p++;
    }
    w = width_of(type);
    if (w > 0) {
        if ((size_t)(j->end - j->p) < w)
            return cut_off(j, e);
        *kind = ASCI_JSON_NUMBER;
        j->digits = NULL;
        j->value = number_bits(type, j->p);
        j->p += w;
        return ASC_OK;
    }
    switch (type) {
    case '{':
    case '[':
        *kind = type == '[' ? ASCI_JSON_ARRAY : ASCI_JSON_OBJECT;
        status = push(j, type == '[', e);
        return status ? status : container_head(j, e);
    case 'S':
        *kind = ASCI_JSON_TEXT;
        return binary_text(j, e);
    case 'H':
        *kind = ASCI_JSON_NUMBER;
        if ((status = binary_text(j, e)))
            return status;
        j->digits = (const unsigned char *)j->text.p;
        j->n_digits = j->text.n;
        return ASC_OK;
    case 'C':
        if (j->p >= j->end)
            return cut_off(j, e);
        if (*j->p == 0)
            return asci_json_fail(j, e, "a text holds a zero byte");
        *kind = ASCI_JSON_TEXT;
        j->text.p = (const char *)j->p++;
        j->text.n = 1;
        return ASC_OK;
    case 'T':
        *kind = ASCI_JSON_TRUE;
        return ASC_OK;
    case 'F':
        *kind = ASCI_JSON_FALSE;
        return ASC_OK;
    case 'Z':
        *kind = ASCI_JSON_NULL;
        return ASC_OK;
    default:
        j->p--;
        return unexpected(j, "the type of a value", e);
    }
}

/* 1: the container goes on, 0: it ended. */
static int
binary_separator(struct asci_json *j, struct asci_json_frame *f)
{
    if (f->counted) {
        if (f->left == 0)
            return 0;
        f->left--;
        return 1;
    }
    while (j->p < j->end && *j->p == 'N')
        j->p++;
    if (j->p < j->end && *j->p == (f->array ? ']' : '}')) {
        j->p++;
        return 0;
    }
    return 1;
}

static int
binary_key(struct asci_json *j, struct asci_json_frame *f,
           struct asc_error *e)
{
    int status = binary_text(j, e);

    if (status)
        return status;
    f->key = j->text.p;
    f->n_key = j->text.n;
    return ASC_OK;
}

/* ---- events ---- */

static int
any_value(struct asci_json *j, int type, enum asci_json_kind *kind,
          struct asc_error *e)
{
    int status = j->binary ? binary_value(j, type, kind, e)
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
        return unexpected(j, "the end of the file", e);
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
    more = j->binary ? binary_separator(j, f) : json_separator(j, f, e);
    if (more < 0)
        return ASC_EINPUT;
    if (!more) {
        *kind = f->array ? ASCI_JSON_END_ARRAY : ASCI_JSON_END_OBJECT;
        pop(j);
        return ASC_OK;
    }
    f->index++;
    if (f->array)
        return any_value(j, f->type, kind, e);
    status = j->binary ? binary_key(j, f, e) : json_key(j, f, e);
    f->want_value = 1;
    *kind = ASCI_JSON_KEY;
    return status;
}

/* ---- numbers ---- */

/* Decimal digits as w 10^q; 0 if w was cut off. */
static int
decimal(const unsigned char *p, size_t n, uint64_t *w, int *q, int *negative)
{
    const unsigned char *end = p + n;
    int digits = 0, exponent = 0, minus = 0, cut = 0;

    *w = 0;
    *q = 0;
    *negative = p < end && *p == '-';
    p += *negative;
    for (; p < end && is_digit(*p); p++) {
        if (digits == 19) {
            cut = 1;
            break;
        }
        *w = 10 * *w + (*p - '0');
        digits += *w > 0;
    }
    if (!cut && p < end && *p == '.')
        for (p++; p < end && is_digit(*p); p++) {
            if (digits == 19) {
                cut = 1;
                break;
            }
            *w = 10 * *w + (*p - '0');
            digits += *w > 0;
            --*q;
        }
    if (cut)
        return 0;
    if (p < end) {              /* e */
        p++;
        minus = *p == '-';
        p += *p == '-' || *p == '+';
        for (; p < end && exponent < 100000; p++)
            exponent = 10 * exponent + (*p - '0');
        *q += minus ? -exponent : exponent;
    }
    return 1;
}

/* The nearest double by one operation; 0 if that is not exact enough. */
static int
quick(const struct asci_json *j, double *v)
{
    static const double ten_to[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
        1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
    };
    uint64_t w;
    int q, negative;

    if (!decimal(j->digits, j->n_digits, &w, &q, &negative) ||
        w > UINT64_C(1) << 53 || q < -22 || q > 22)
        return 0;
    *v = q < 0 ? (double)w / ten_to[-q] : (double)w * ten_to[q];
    if (negative)
        *v = -*v;
    return 1;
}

static int
bad_number(const struct asci_json *j, struct asc_error *e)
{
    return asci_json_fail(j, e, "\"%.*s\" is not a number",
                          (int)(j->n_digits < 40 ? j->n_digits : 40),
                          (const char *)j->digits);
}

int
asci_json_double(const struct asci_json *j, double *v, struct asc_error *e)
{
    if (!j->digits)
        *v = j->value;
    else if (!quick(j, v) &&
             !asc_number_parse((const char *)j->digits, j->n_digits, v))
        return bad_number(j, e);
    return ASC_OK;
}

/* The C library, exact however many digits there are; it is given no decimal
 * point, which would depend on the locale. */
static int
slow_single(const struct asci_json *j, float *v, struct asc_error *e)
{
    const unsigned char *p = j->digits, *end = p + j->n_digits;
    struct asc_buffer b = { 0 };
    long exponent = 0, places = 0;
    int point = 0, minus = 0;

    for (; p < end && (*p | 32) != 'e'; p++) {
        if (*p == '.')
            point = 1;
        else
            asc_buffer_char(&b, (char)*p);
        places += point && *p != '.';
    }
    if (p < end) {
        p++;
        minus = *p == '-';
        p += *p == '-' || *p == '+';
        for (; p < end && exponent < INT_MAX / 20; p++)
            exponent = 10 * exponent + (*p - '0');
    }
    asc_buffer_print(&b, "e%ld", (minus ? -exponent : exponent) - places);
    asc_buffer_char(&b, '\0');
    if (b.failed) {
        asc_buffer_free(&b);
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    }
    *v = strtof(b.p, NULL);
    asc_buffer_free(&b);
    return ASC_OK;
}

/* 1 if rounding v to float is all that is left to do: v is the nearest double
 * and does not look like the middle between two floats, nor is so small that
 * floats lie wider apart there. */
static int
rounds_once(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    return v == 0.0 || ((bits & 0x1fffffff) != 0x10000000 &&
                        fabs(v) >= (double)FLT_MIN);
}

int
asci_json_single(const struct asci_json *j, float *v, struct asc_error *e)
{
    double d;

    if (!j->digits) {
        *v = (float)j->value;
        return ASC_OK;
    }
    if (!quick(j, &d)) {
        /* asks whether it is a number at all, too */
        if (!asc_number_parse((const char *)j->digits, j->n_digits, &d))
            return bad_number(j, e);
    }
    if (!rounds_once(d))
        return slow_single(j, v, e);
    *v = (float)d;
    return ASC_OK;
}

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

static int
wrong_kind(struct asci_json *j, enum asci_json_kind kind, const char *want,
           struct asc_error *e)
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
    return got == kind ? ASC_OK : wrong_kind(j, got, kind_name(kind), e);
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
asci_json_more(struct asci_json *j, struct asc_error *e)
{
    struct asci_json_frame *f = &j->frame[j->depth - 1];
    int more = j->binary ? binary_separator(j, f) : json_separator(j, f, e);

    if (more == 0) {
        pop(j);
    } else if (more > 0) {
        f->index++;
        f->want_value = 1;
    }
    return more;
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
    return kind == ASCI_JSON_TEXT ? ASC_OK : wrong_kind(j, kind, "a text", e);
}

int
asci_json_is(const struct asci_json *j, const char *text)
{
    return j->text.n == strlen(text) &&
           (j->text.n == 0 || !memcmp(j->text.p, text, j->text.n));
}

/* Room for `more` values behind n. */
static int
make_room(void **v, size_t *capacity, size_t n, size_t more, size_t size,
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

/* What is left of an array of numbers of one type, all at once: the count has
 * been compared with the size of the file.  Returns 1 if it was one. */
static int
packed(const struct asci_json *j)
{
    const struct asci_json_frame *f = &j->frame[j->depth - 1];

    return j->binary && f->counted && width_of(f->type) > 0;
}

static int
packed_singles(struct asci_json *j, struct asci_singles *a,
               struct asc_error *e)
{
    struct asci_json_frame *f = &j->frame[j->depth - 1];
    const size_t w = width_of(f->type);
    void *v = a->v;
    size_t i;
    int status = make_room(&v, &a->capacity, 0, f->left, sizeof *a->v, e);

    a->v = v;
    if (status)
        return status;
    for (i = 0; i < f->left; i++, j->p += w)
        a->v[i] = f->type == 'd' ? single_bits(j->p)
                                 : (float)number_bits(f->type, j->p);
    a->n = f->left;
    pop(j);
    return ASC_OK;
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
    if (packed(j))
        return packed_singles(j, a, e);
    while ((more = asci_json_more(j, e)) > 0) {
        void *v = a->v;

        status = make_room(&v, &a->capacity, a->n, 1, sizeof *a->v, e);
        a->v = v;
        if (status || (status = asci_json_next(j, &kind, e)))
            return status;
        if (kind != ASCI_JSON_NUMBER)
            return wrong_kind(j, kind, "a number", e);
        if ((status = asci_json_single(j, &a->v[a->n], e)))
            return status;
        a->n++;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

static int
not_whole(const struct asci_json *j, double v, struct asc_error *e)
{
    return asci_json_fail(j, e, "%.17g is not a whole number of 32 bits", v);
}

static int
packed_integers(struct asci_json *j, struct asci_integers *a,
                struct asc_error *e)
{
    struct asci_json_frame *f = &j->frame[j->depth - 1];
    const size_t w = width_of(f->type);
    void *p = a->v;
    size_t i;
    int status = make_room(&p, &a->capacity, 0, f->left, sizeof *a->v, e);

    a->v = p;
    if (status)
        return status;
    for (i = 0; i < f->left; i++, j->p += w) {
        const double v = number_bits(f->type, j->p);

        if (!(v >= INT32_MIN && v <= INT32_MAX) || v != floor(v)) {
            f->index = i + 1;
            return not_whole(j, v, e);
        }
        a->v[i] = (int32_t)v;
    }
    a->n = f->left;
    pop(j);
    return ASC_OK;
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

            for (i = 0; i < j->n_digits && is_digit(j->digits[i]); i++)
                t = 10 * t + (j->digits[i] - '0');
            if (i == j->n_digits) {
                *out = t;
                return ASC_OK;
            }
        }
        if ((status = asci_json_double(j, &v, e)))
            return status;
    } else if (kind != ASCI_JSON_TRUE && kind != ASCI_JSON_FALSE) {
        return wrong_kind(j, kind, "a whole number", e);
    }
    if (!(v >= INT32_MIN && v <= INT32_MAX) || v != floor(v))
        return not_whole(j, v, e);
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
    if (packed(j))
        return packed_integers(j, a, e);
    while ((more = asci_json_more(j, e)) > 0) {
        void *v = a->v;

        status = make_room(&v, &a->capacity, a->n, 1, sizeof *a->v, e);
        a->v = v;
        if (status || (status = asci_json_next(j, &kind, e)) ||
            (status = one_integer(j, kind, &a->v[a->n], e)))
            return status;
        a->n++;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}
