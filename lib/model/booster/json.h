/* model/booster/json.h -- JSON and UBJSON as one stream of events. */
#ifndef ASCRIBE_MODEL_BOOSTER_JSON_H
#define ASCRIBE_MODEL_BOOSTER_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/table.h>

#include "base/internal.h"

enum asci_json_kind {
    ASCI_JSON_OBJECT, ASCI_JSON_END_OBJECT,
    ASCI_JSON_ARRAY, ASCI_JSON_END_ARRAY,
    ASCI_JSON_KEY,              /* its text is in `text` */
    ASCI_JSON_TEXT,
    ASCI_JSON_NUMBER, ASCI_JSON_TRUE, ASCI_JSON_FALSE, ASCI_JSON_NULL,
    ASCI_JSON_END               /* of the document */
};

enum { ASCI_JSON_DEPTH = 512 };

struct asci_json_frame {
    const char *key;            /* bytes of the file, as they stand there */
    size_t n_key;
    size_t index;               /* values begun in this container */
    size_t left;                /* of a counted UBJSON container */
    unsigned char array, counted;
    unsigned char type;         /* marker of all values, or 0 */
    unsigned char want_value;   /* a key has been read */
};

struct asci_json {
    const char *file;           /* for messages */
    const unsigned char *begin, *p, *end;
    int binary;
    int done;                   /* the document's one value has ended */
    size_t depth;
    struct asc_text text;       /* of the last key or text, escapes undone;
                                   lives until the next one */
    struct asc_buffer scratch;
    /* The last number: its bytes in JSON, its value in UBJSON. */
    const unsigned char *digits;
    size_t n_digits;
    double value;
    struct asci_json_frame frame[ASCI_JSON_DEPTH];
};

/* The n bytes are borrowed.  j is large; it holds memory until closed. */
void asci_json_open(struct asci_json *j, const char *file, const char *bytes,
                    size_t n, int binary);
void asci_json_close(struct asci_json *j);

/* The next event. */
int asci_json_next(struct asci_json *j, enum asci_json_kind *kind,
                   struct asc_error *e);
/* ASC_EINPUT: "FILE: PATH: message". */
int asci_json_fail(const struct asci_json *j, struct asc_error *e,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The number of the last event, nearest double and nearest float. */
int asci_json_double(const struct asci_json *j, double *v,
                     struct asc_error *e);
int asci_json_single(const struct asci_json *j, float *v,
                     struct asc_error *e);

/* ---- one value at a time, inside a known structure ----
 * 0 is ASC_OK unless said. */

/* The next value must begin an object or an array. */
int asci_json_enter(struct asci_json *j, enum asci_json_kind kind,
                    struct asc_error *e);
/* In an object: 1 and j->text is a key, 0: it ends, -1: failed. */
int asci_json_key(struct asci_json *j, struct asc_error *e);
/* In an array: 1: another value follows, 0: it ends, -1: failed. */
int asci_json_more(struct asci_json *j, struct asc_error *e);
/* The next value, whatever it is, is passed over. */
int asci_json_skip(struct asci_json *j, struct asc_error *e);
/* The next value must be a text (in j->text). */
int asci_json_want_text(struct asci_json *j, struct asc_error *e);
/* The next value must be an array or null: 1: an array has begun, 0: null,
 * -1: failed. */
int asci_json_array(struct asci_json *j, struct asc_error *e);
/* The last event is not what was wanted; ASC_EINPUT. */
int asci_json_wrong_kind(struct asci_json *j, enum asci_json_kind kind,
                         const char *want, struct asc_error *e);
/* 1 if j->text is this text. */
int asci_json_is(const struct asci_json *j, const char *text);

/* Room for `more` values of `size` bytes behind n of the array v. */
int asci_json_room(void **v, size_t *capacity, size_t n, size_t more,
                   size_t size, struct asc_error *e);

/* Arrays of numbers, grown as they are read and used again for the next. */
struct asci_singles { float *v; size_t n, capacity; };
struct asci_integers { int32_t *v; size_t n, capacity; };
/* The next value must be an array of numbers (NaN and Infinity as well), of
 * whole numbers (true and false count as 1 and 0). */
int asci_json_singles(struct asci_json *j, struct asci_singles *a,
                      struct asc_error *e);
int asci_json_integers(struct asci_json *j, struct asci_integers *a,
                       struct asc_error *e);

#endif
