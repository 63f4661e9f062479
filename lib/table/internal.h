/* table/internal.h -- what the files of this room share, and what tests reach:
 * byte sources, dictionaries, the conversion of a text, rows put back. */
#ifndef ASCRIBE_TABLE_INTERNAL_H
#define ASCRIBE_TABLE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ascribe/table.h>

#include "base/internal.h"

/* ---- bytes of a file, standard input or memory, unzipped if need be ---- */

struct asci_source;
struct asci_source *asci_source_open(const char *path, struct asc_error *e);
/* bytes (n) are borrowed. */
struct asci_source *asci_source_open_bytes(const char *name, const char *bytes,
                                           size_t n, struct asc_error *e);
void asci_source_close(struct asci_source *s);
const char *asci_source_name(const struct asci_source *s);
/* At most n bytes: how many (0 at the end), or -1. */
ssize_t asci_source_read(struct asci_source *s, char *p, size_t n,
                         struct asc_error *e);
/* 1 if it can be read once more from where it began. */
int asci_source_can_rewind(const struct asci_source *s);
int asci_source_rewind(struct asci_source *s, struct asc_error *e);

/* ---- texts for messages ---- */

enum { ASCI_QUOTE_MAX = 72 };
/* t, cut at a character's end and "..." added if it is long. */
const char *asci_quote(struct asc_text t, char out[ASCI_QUOTE_MAX]);

/* Splits a comma-separated list; *v (*n) and its texts are the caller's. */
int asci_list_split(const char *list, char ***v, size_t *n,
                    struct asc_error *e);
void asci_list_free(char **v, size_t n);

/* 1 if t is all of bytes 1 to 127. */
int asci_plain(struct asc_text t);

/* ---- CSV, which becomes lines of a table where it lies ---- */

enum asci_csv_end {
    ASCI_CSV_DONE,              /* a whole record: `to' bytes of a line */
    ASCI_CSV_OPEN,              /* the line ends within quotes */
    ASCI_CSV_TAB,               /* a tab, or a carriage return, in a field */
    ASCI_CSV_RETURN,
    ASCI_CSV_INSIDE,            /* a quote in a field that has none before */
    ASCI_CSV_AFTER              /* something else after the closing quote */
};
struct asci_csv {
    char delimiter;             /* 0: a table, not CSV */
    char replace;               /* 0: none */
    int state;
    size_t from, to;            /* offsets in the record: read, written */
    size_t column;              /* fields that are done */
};
/* Before a record.  head: its line, if it is the first of the file, where a
 * byte order mark is skipped, and "# " if it is the header. */
void asci_csv_start(struct asci_csv *c, struct asc_text head, int is_header);
/* Goes on to the end of a line of the record p, which is at p[end]. */
enum asci_csv_end asci_csv_scan(struct asci_csv *c, char *p, size_t end);
/* After ASCI_CSV_OPEN: goes on with the next line, whose first byte is behind
 * p[end]. */
void asci_csv_resume(struct asci_csv *c, char *p, size_t end);
/* Says what is wrong.  where ("file:line: field ...") begins the message;
 * begins: the line where the record does, 0 if it is that one; last: there is
 * no further line; rest: what stands from the offender on. */
int asci_csv_complain(const struct asci_csv *c, enum asci_csv_end how,
                      const char *where, size_t begins, int last,
                      struct asc_text rest, struct asc_error *e);

/* ---- a hash index over an array of texts that may grow ---- */

struct asci_entry {
    uint64_t hash;
    size_t index;               /* of the text, plus 1; 0: free */
    size_t length;              /* of the text */
};
struct asci_dictionary {
    enum asc_text_type type;
    size_t n;                   /* texts indexed so far */
    size_t size;                /* slots, a power of two, or 0 */
    struct asci_entry *slot;    /* (size) */
};
/* Indexes texts[d->n .. n-1]. */
int asci_dictionary_extend(struct asci_dictionary *d, char *const *texts,
                           size_t n, struct asc_error *e);
/* The first of the indexed texts that equals t by d->type, or -1. */
ptrdiff_t asci_dictionary_find(const struct asci_dictionary *d,
                               char *const *texts, struct asc_text t);
void asci_dictionary_free(struct asci_dictionary *d);

/* ---- texts into values ---- */

/* Texts that mean missing, and their values as numbers (NaN: not one). */
struct asci_missing {
    size_t n;
    char **text;                /* (n) */
    double *number;             /* (n) */
};
int asci_missing_split(struct asci_missing *m, const char *list,
                       struct asc_error *e);
void asci_missing_free(struct asci_missing *m);
/* Empty, NA and NaN in any case, ?, or one of m (may be NULL) byte by byte. */
int asci_missing_text(const struct asci_missing *m, struct asc_text t);
/* One of m's numbers. */
int asci_missing_number(const struct asci_missing *m, double v);

/* What a binding knows of one field. */
struct asci_lookup {
    struct asci_dictionary dictionary;
};

/* Room for the categories of an open field, which then never move.  A field
 * with a lookup has it. */
int asci_field_reserve(struct asc_field *f, struct asc_error *e);

enum asci_problem {
    ASCI_FINE, ASCI_NO_NUMBER, ASCI_NOT_FINITE, ASCI_OUT_OF_RANGE,
    ASCI_UNDECLARED, ASCI_NO_MEMORY
};
/* t as a value of f; look and m may be NULL. */
enum asci_problem asci_field_convert(struct asc_field *f,
                                     struct asci_lookup *look,
                                     const struct asci_missing *m,
                                     struct asc_text t, double *v);
/* Says what is wrong; `where` ("file:line") begins the message. */
int asci_field_complain(const struct asc_field *f, enum asci_problem problem,
                        struct asc_text t, const char *where,
                        struct asc_error *e);

/* ---- readers ---- */

asc_reader *asci_reader_open_bytes(const char *name, const char *bytes,
                                   size_t n,
                                   const struct asc_reader_options *options,
                                   struct asc_error *e);
/* asc_reader_require for a column that the user named: misuse if it is not
 * there. */
int asci_reader_named(const asc_reader *r, const char *name, size_t *j,
                      struct asc_error *e);
/* The whole current line, without its end. */
struct asc_text asci_reader_whole(const asc_reader *r);
/* Makes a line that asci_reader_whole gave the current row again.  line (n)
 * and id are borrowed until the next call. */
void asci_reader_put_back(asc_reader *r, struct asc_text whole,
                          struct asc_text id, size_t line);
int asci_reader_can_rewind(const asc_reader *r);
/* Back to before the first row. */
int asci_reader_rewind(asc_reader *r, struct asc_error *e);
const struct asci_missing *asci_reader_missing_list(const asc_reader *r);

/* 128-bit MurmurHash3 (x64 variant, seed 0) of n bytes. */
void asci_hash128(const void *p, size_t n, uint64_t out[2]);

#endif
