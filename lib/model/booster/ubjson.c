/* model/booster/ubjson.c -- values of UBJSON (draft 12, ubjson.org): a marker,
 * then the number or text; containers may declare how many values there are
 * (#) and of which type ($).
 *
 * A declared size is compared with what is left of the file before anything
 * is allocated.
 */
#include <math.h>
#include <string.h>

#include "model/booster/json_core.h"

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
        return asci_json_cut_off(j, e);
    marker = *j->p;
    w = marker == 'd' || marker == 'D' ? 0 : width_of(marker);
    if (w == 0)
        return asci_json_unexpected(j, "a length", e);
    if ((size_t)(j->end - j->p) - 1 < w)
        return asci_json_cut_off(j, e);
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
            return asci_json_cut_off(j, e);
        f->type = j->p[1];
        j->p += 2;
        if (!width_of(f->type) && !(f->type && strchr("SCH[{", f->type)))
            return asci_json_fail(j, e, "a container of values of type 0x%02x "
                                  "cannot be read", f->type);
        if (*j->p != '#')
            return asci_json_unexpected(j, "'#' and a count after a type", e);
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

int
asci_ubjson_value(struct asci_json *j, int type, enum asci_json_kind *kind,
                  struct asc_error *e)
{
    size_t w;
    int status;

    if (!type) {
        if (j->p >= j->end)
            return asci_json_cut_off(j, e);
        type = *j->p++;
    }
    w = width_of(type);
    if (w > 0) {
        if ((size_t)(j->end - j->p) < w)
            return asci_json_cut_off(j, e);
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
        status = asci_json_push(j, type == '[', e);
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
            return asci_json_cut_off(j, e);
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
        return asci_json_unexpected(j, "the type of a value", e);
    }
}

/* 1: the container goes on, 0: it ended. */
int
asci_ubjson_separator(struct asci_json *j, struct asci_json_frame *f)
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

int
asci_ubjson_key(struct asci_json *j, struct asci_json_frame *f,
                struct asc_error *e)
{
    int status = binary_text(j, e);

    if (status)
        return status;
    f->key = j->text.p;
    f->n_key = j->text.n;
    return ASC_OK;
}

/* ---- arrays of numbers of one type, all at once ---- */

int
asci_ubjson_packed(const struct asci_json *j)
{
    const struct asci_json_frame *f = &j->frame[j->depth - 1];

    return j->binary && f->counted && width_of(f->type) > 0;
}

int
asci_ubjson_singles(struct asci_json *j, struct asci_singles *a,
                    struct asc_error *e)
{
    struct asci_json_frame *f = &j->frame[j->depth - 1];
    const size_t w = width_of(f->type);
    void *v = a->v;
    size_t i;
    int status = asci_json_room(&v, &a->capacity, 0, f->left, sizeof *a->v, e);

    a->v = v;
    if (status)
        return status;
    for (i = 0; i < f->left; i++, j->p += w)
        a->v[i] = f->type == 'd' ? single_bits(j->p)
                                 : (float)number_bits(f->type, j->p);
    a->n = f->left;
    asci_json_pop(j);
    return ASC_OK;
}

int
asci_ubjson_integers(struct asci_json *j, struct asci_integers *a,
                     struct asc_error *e)
{
    struct asci_json_frame *f = &j->frame[j->depth - 1];
    const size_t w = width_of(f->type);
    void *p = a->v;
    size_t i;
    int status = asci_json_room(&p, &a->capacity, 0, f->left, sizeof *a->v, e);

    a->v = p;
    if (status)
        return status;
    for (i = 0; i < f->left; i++, j->p += w) {
        const double v = number_bits(f->type, j->p);

        if (!(v >= INT32_MIN && v <= INT32_MAX) || v != floor(v)) {
            f->index = i + 1;
            return asci_json_not_whole(j, v, e);
        }
        a->v[i] = (int32_t)v;
    }
    a->n = f->left;
    asci_json_pop(j);
    return ASC_OK;
}

