/* model/booster/json_core.h -- what the files of the event reader share among
 * themselves: the stack of frames, and the two notations behind it. */
#ifndef ASCRIBE_MODEL_BOOSTER_JSON_CORE_H
#define ASCRIBE_MODEL_BOOSTER_JSON_CORE_H

#include "model/booster/json.h"

/* The file ends where it should go on; what stands at the cursor is not what
 * should.  Both return ASC_EINPUT. */
int asci_json_cut_off(const struct asci_json *j, struct asc_error *e);
int asci_json_unexpected(const struct asci_json *j, const char *want,
                         struct asc_error *e);

int asci_json_push(struct asci_json *j, int array, struct asc_error *e);
void asci_json_pop(struct asci_json *j);

static inline int
asci_is_digit(unsigned c)
{
    return c - '0' < 10;
}

/* ubjson.c: a value of this type (0: its marker comes first), a key, what
 * comes before either (1: the container goes on, 0: it ended). */
int asci_ubjson_value(struct asci_json *j, int type,
                      enum asci_json_kind *kind, struct asc_error *e);
int asci_ubjson_key(struct asci_json *j, struct asci_json_frame *f,
                    struct asc_error *e);
int asci_ubjson_separator(struct asci_json *j, struct asci_json_frame *f);
/* Whether the array that was just begun holds numbers of one type and their
 * count (which has been compared with the size of the file): then all of them,
 * and the end of the array. */
int asci_ubjson_packed(const struct asci_json *j);
int asci_ubjson_singles(struct asci_json *j, struct asci_singles *a,
                        struct asc_error *e);
int asci_ubjson_integers(struct asci_json *j, struct asci_integers *a,
                         struct asc_error *e);

/* json_value.c: a number that is no int32_t. */
int asci_json_not_whole(const struct asci_json *j, double v,
                        struct asc_error *e);

#endif
