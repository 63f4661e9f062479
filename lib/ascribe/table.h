/* ascribe/table.h -- fields, tab-separated tables in and out, joins by id. */
#ifndef ASCRIBE_TABLE_H
#define ASCRIBE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/base.h>
#include <ascribe/error.h>

/* ---- schema: what a model knows of its inputs ---- */

enum asc_kind { ASC_CONTINUOUS, ASC_CATEGORICAL };

/* What becomes of a category that the field does not declare, or a number
 * outside its declared range. */
enum asc_invalid {
    ASC_INVALID_ERROR,          /* refuse the row */
    ASC_INVALID_MISSING,        /* take it for missing */
    ASC_INVALID_AS_IS           /* a category that equals no other */
};

/* How the text of a category is compared with the declared ones: byte by byte,
 * as numbers, as truth values, as whole numbers to which any number is cut (3
 * = 3.7; another text is an error). */
enum asc_text_type {
    ASC_TEXT, ASC_TEXT_NUMBER, ASC_TEXT_BOOLEAN, ASC_TEXT_WHOLE
};

/* A value of a field in memory is a double: the number of a continuous field;
 * of a categorical one the index of its category, n_categories for one that
 * is not declared (ASC_INVALID_AS_IS); NaN where it is missing. */
struct asc_field {
    char *name;
    enum asc_kind kind;
    enum asc_text_type text_type;
    size_t n_categories;
    char **categories;          /* (n_categories) declared order */
    enum asc_invalid invalid;
    double replacement;         /* for missing values; NaN: stay missing */
    size_t n_missing;
    char **missing;             /* (n_missing) texts that mean missing */
    double low, high;           /* valid range, -inf and inf if none */
    int clamp;                  /* outside low..high: 1 nearest end,
                                   0 as `invalid` says */
    int open;                   /* 1: reading adds unseen categories */
    int underscores;            /* 1: where no column has the name, one will
                                   do that has blanks for underscores */
};

struct asc_schema {
    size_t n;
    struct asc_field *field;    /* (n) */
};
void asc_schema_free(struct asc_schema *s);
/* Index of the field, or -1. */
int asc_schema_find(const struct asc_schema *s, const char *name);

/* ---- reading ---- */

struct asc_text { const char *p; size_t n; };

struct asc_reader_options {
    const char *id;             /* id column; NULL: "row" if there is one */
    int no_header;              /* the first line is data */
    const char *columns;        /* names, comma-separated, with no_header */
    const char *missing;        /* further missing texts, comma-separated */
    uint64_t first_row;         /* first counted id; 0 means 1 */
    char delimiter;             /* of CSV; 0: tabs, and no quoting */
    char replace;               /* of CSV: stands for tabs and line ends within
                                   fields; 0: they are refused */
};

/* A table read line by line: UTF-8, tabs, LF or CRLF, gzip by content, lines
 * "# ..." before the header kept as comments.  Constant memory, lines of any
 * length.  NUL bytes, ragged lines, repeated column names and read errors
 * fail with file and line.
 *
 * With a delimiter (one ASCII character) it is CSV by RFC 4180: a field may be
 * in quotes, a quote within which is written twice; there are no comments; the
 * name of the first column may be empty, as that of row names is.  Line ends
 * within quotes and tabs are beyond a table: `replace' decides. */
typedef struct asc_reader asc_reader;

/* path "-" is standard input.  options may be NULL.  The header is read. */
asc_reader *asc_reader_open(const char *path,
                            const struct asc_reader_options *options,
                            struct asc_error *e);
void asc_reader_close(asc_reader *r);
const char *asc_reader_name(const asc_reader *r);       /* for messages */
int asc_reader_empty(const asc_reader *r);      /* not one byte came in */
size_t asc_reader_n_columns(const asc_reader *r);
const char *asc_reader_column(const asc_reader *r, size_t j);
int asc_reader_find(const asc_reader *r, const char *name);     /* or -1 */
/* As find, but a missing column is an error that suggests the nearest. */
int asc_reader_require(const asc_reader *r, const char *name, size_t *j,
                       struct asc_error *e);
const char *asc_reader_comments(const asc_reader *r);   /* "# ...\n..." or "" */
int asc_reader_id_column(const asc_reader *r);          /* or -1: counted */

/* 1: a row is there, 0: the end, -1: failed.  Field texts live until the
 * next call. */
int asc_reader_next(asc_reader *r, struct asc_error *e);
size_t asc_reader_line(const asc_reader *r);
struct asc_text asc_reader_text(const asc_reader *r, size_t j);
struct asc_text asc_reader_id(const asc_reader *r);
int asc_reader_missing(const asc_reader *r, size_t j);
/* 1 if a text, from whatever table, means missing in this one. */
int asc_reader_missing_text(const asc_reader *r, struct asc_text t);
/* The number in column j: NaN if missing; else it must be a finite number. */
int asc_reader_number(const asc_reader *r, size_t j, double *v,
                      struct asc_error *e);

/* The columns of a reader that hold the fields of a schema. */
struct asc_binding {
    struct asc_schema *schema;
    size_t *column;             /* (schema->n) */
    struct asci_lookup *lookup; /* (schema->n) private: hashed dictionaries */
};
/* Every field must have its column, which may not be that of the ids; an error
 * names the first that has not and suggests.  The schema is borrowed, and only
 * changed where a field is open. */
int asc_bind(struct asc_binding *b, struct asc_schema *schema,
             const asc_reader *r, struct asc_error *e);
void asc_binding_free(struct asc_binding *b);
/* The current row as values x[0..n-1], treatments applied. */
int asc_bind_row(const struct asc_binding *b, const asc_reader *r, double *x,
                 struct asc_error *e);
/* One text as a value of a field; `where` ("file:line") begins the message. */
int asc_field_value(struct asc_field *f, struct asc_text t, const char *where,
                    double *v, struct asc_error *e);
/* The text of a value, as a table would have it. */
void asc_field_text(const struct asc_field *f, double v, int digits,
                    struct asc_buffer *out);

/* A block of rows with their ids, lines and kept columns. */
struct asc_rows {
    size_t n, d, capacity;
    double *x;                  /* (n, d) row-major */
    size_t *line;               /* (n) lines of the file */
    struct asc_buffer text;     /* ids and kept texts, one after the other */
    size_t *id;                 /* (n) offsets: id i is text[id[i]..] */
    size_t *id_length;          /* (n) */
    size_t n_kept;
    size_t *kept, *kept_length; /* (n, n_kept) offsets and lengths */
};
int asc_rows_init(struct asc_rows *b, size_t capacity, size_t d, size_t n_kept,
                  struct asc_error *e);
void asc_rows_free(struct asc_rows *b);
struct asc_text asc_rows_id(const struct asc_rows *b, size_t i);
struct asc_text asc_rows_kept(const struct asc_rows *b, size_t i, size_t k);
/* Fills b with up to capacity rows: 1 some, 0 none left, -1 failed.  kept:
 * (b->n_kept) columns of the reader.  binding NULL: no values are read.  ids
 * (may be NULL) checks uniqueness. */
struct asc_ids;
int asc_rows_read(struct asc_rows *b, asc_reader *r,
                  const struct asc_binding *binding, const size_t *kept,
                  struct asc_ids *ids, struct asc_error *e);

/* The keys seen so far, to refuse a second one.  Keys that count up with the
 * lines (17, 18 or case-017, case-018) cost nothing, others at most 32 bytes
 * each.  Those are told apart by 80 bits of a hash: among n of them two
 * different ones are taken for equal with probability n^2 / 2^81 (4e-13 for a
 * million). */
struct asc_ids *asc_ids_new(struct asc_error *e);
void asc_ids_free(struct asc_ids *s);
/* Fails, naming both lines, if the key was added before.  what: "row". */
int asc_ids_add(struct asc_ids *s, struct asc_text key, size_t line,
                const char *file, const char *what, struct asc_error *e);

/* Looks rows up by id in a table that is read in step while the ids come in
 * the same order: one row is in memory, ids may be left out, and one id may be
 * asked for many times in a row.  A regular file (gzip too) is read once more
 * from its beginning when its first id is asked for again (all rows of one
 * method, then all rows of the next), and indexed as a whole in memory, as the
 * bytes of its lines, when the order is another one.  What cannot be read
 * twice (a pipe) is kept in memory from its first row on. */
typedef struct asc_join asc_join;
/* Takes the reader over, unless it fails.  binding (may be NULL: no values) is
 * borrowed.  kept: n_kept columns whose texts are carried. */
asc_join *asc_join_new(asc_reader *r, const struct asc_binding *binding,
                       const size_t *kept, size_t n_kept, struct asc_error *e);
void asc_join_free(asc_join *j);
/* x (d) and texts kept[n_kept] (either may be NULL) of row id.  The texts live
 * until the next call.  An id that is not there is an error, and so is one
 * that is there twice, if the table was read that far. */
int asc_join_find(asc_join *j, struct asc_text id, double *x,
                  struct asc_text *kept, struct asc_error *e);
/* 1 once rows are kept in memory. */
int asc_join_indexed(const asc_join *j);

/* ---- background: the rows that stand for absence ---- */

struct asc_background {
    size_t n, d;
    double *x;                  /* (n, d) */
    double *baseline;           /* (d) the row if n = 1, else means and modes */
    char digest[ASC_DIGEST_MAX];
};
/* All rows of a table.  No rows: an error. */
int asc_background_read(const char *path,
                        const struct asc_reader_options *options,
                        struct asc_schema *schema, struct asc_background *b,
                        struct asc_error *e);
/* The n rows of a table with the smallest hash of (seed, id, "background"),
 * in the order of that hash: the same rows however the file is sorted. */
int asc_background_pick(const char *path,
                        const struct asc_reader_options *options,
                        struct asc_schema *schema, size_t n, uint64_t seed,
                        struct asc_background *b, struct asc_error *e);
/* From rows in memory (copied); d = schema->n. */
int asc_background_make(const struct asc_schema *schema, const double *x,
                        size_t n, struct asc_background *b,
                        struct asc_error *e);
void asc_background_free(struct asc_background *b);

/* ---- writing ---- */

/* Appends n fields as a line of CSV by RFC 4180, but with LF: fields in quotes
 * where they need them.  delimiter: as in struct asc_reader_options. */
void asc_csv_line(struct asc_buffer *out, const struct asc_text *field,
                  size_t n, char delimiter);

/* Standard output (path NULL or "-"), or a file that appears under its name
 * only when it is complete. */
typedef struct asc_writer asc_writer;
asc_writer *asc_writer_open(const char *path, struct asc_error *e);
/* Writes b out and empties it.  Fails on b->failed, a full disk, ... */
int asc_writer_put(asc_writer *w, struct asc_buffer *b, struct asc_error *e);
/* Flushes, checks, and gives the file its name.  Frees w either way. */
int asc_writer_close(asc_writer *w, struct asc_error *e);
/* The name that the file has until then, NULL for standard output: what is to
 * be removed if the program is interrupted. */
const char *asc_writer_temporary(const asc_writer *w);
/* Drops the file and frees w (which may be NULL). */
void asc_writer_abandon(asc_writer *w);
/* 1 if the error is a writer's whose reader has gone (EPIPE): a tool then ends
 * quietly. */
int asc_writer_broken_pipe(const struct asc_error *e);

#endif
