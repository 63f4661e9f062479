/* model/booster/json_parts.h -- parts of a model's file, read into plain
 * arrays, and objects by a table of their members. */
#ifndef ASCRIBE_MODEL_BOOSTER_JSON_PARTS_H
#define ASCRIBE_MODEL_BOOSTER_JSON_PARTS_H

#include "model/booster/json.h"

struct asci_texts { char **v; size_t n, capacity; };
struct asci_doubles { double *v; size_t n, capacity; };
struct asci_whole { int64_t v; int given; };

int asci_texts_add(struct asci_texts *t, const char *p, size_t n,
                   struct asc_error *e);
void asci_texts_free(struct asci_texts *t);
int asci_doubles_add(struct asci_doubles *a, double value,
                     struct asc_error *e);

/* Reads the next value to what `to` points to. */
typedef int asci_part_reader(struct asci_json *j, void *to,
                             struct asc_error *e);
asci_part_reader asci_read_singles;     /* struct asci_singles */
asci_part_reader asci_read_integers;    /* struct asci_integers */
asci_part_reader asci_read_doubles;     /* struct asci_doubles */
asci_part_reader asci_read_double;      /* double */
asci_part_reader asci_read_text;        /* struct asci_texts: one */
asci_part_reader asci_read_texts;       /* struct asci_texts: added */
/* struct asci_whole: a whole number, or one as a text; true or false */
asci_part_reader asci_read_whole;
asci_part_reader asci_read_flag;

struct asci_member {
    const char *key;
    asci_part_reader *read;
    size_t to;                  /* offset from the base */
};

/* The next value must be an object; its members are read as the table says, at
 * most 32, each once; all others are passed over.  Open: it has begun. */
int asci_read_members(struct asci_json *j, void *base,
                      const struct asci_member *member, size_t n,
                      struct asc_error *e);
int asci_read_open_members(struct asci_json *j, void *base,
                           const struct asci_member *member, size_t n,
                           struct asc_error *e);
/* The same of an object, or of a text that holds the JSON of one. */
int asci_read_embedded(struct asci_json *j, void *base,
                       const struct asci_member *member, size_t n,
                       struct asc_error *e);

#define ASCI_READ_MEMBERS(j, base, table, e)                                 \
    asci_read_members((j), (base), (table),                                  \
                      sizeof (table) / sizeof *(table), (e))
#define ASCI_READ_EMBEDDED(j, base, table, e)                                \
    asci_read_embedded((j), (base), (table),                                 \
                       sizeof (table) / sizeof *(table), (e))

#endif
