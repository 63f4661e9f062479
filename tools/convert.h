/* convert.h -- what asc-convert is made of: the formats that it knows, readers
 * of each kind, and one writer of attributions. */
#ifndef ASCRIBE_TOOL_CONVERT_H
#define ASCRIBE_TOOL_CONVERT_H

#include "tools/attributions.h"

/* What a format holds, which says who reads and writes it. */
enum convert_kind {
    CONVERT_CSV, CONVERT_TSV,   /* any table */
    CONVERT_WIDE, CONVERT_LONG, /* attributions, ours */
    CONVERT_MATRIX,             /* others': a column for each field */
    CONVERT_PARTS               /* a line for each field */
};

enum convert_trait {
    CONVERT_BASE_LAST = 1,      /* the last column of a block is the base */
    CONVERT_RAW = 2,            /* explains raw scores, always */
    CONVERT_ADDS_UP = 4         /* to the model's output, always */
};

struct convert_format {
    struct asc_entry entry;     /* name, title, source */
    enum convert_kind kind;
    const char *other;          /* the other end, if only this one is named */
    unsigned traits;            /* enum convert_trait */
};

/* A table at path (NULL: standard input), field by field as it stands. */
void convert_table(const struct tool_options *o, const char *path,
                   const struct convert_format *from,
                   const struct convert_format *to);
/* Our attributions from one form to the other. */
void convert_to_long(const struct tool_options *o, const char *path);
void convert_to_wide(const struct tool_options *o, const char *path);
/* Attributions by another program.  They return the exit status. */
int convert_matrix(const struct tool_options *o, const char *path,
                   const struct convert_format *from, int to_long);
int convert_parts(const struct tool_options *o, const char *path,
                  const struct convert_format *from, int to_long);

/* n elements that are 0; n bytes and a NUL.  There is memory, or the program
 * ends. */
void *convert_reserve(size_t n, size_t size);
char *convert_copy(const char *text, size_t n);

/* ---- convert_sink.c: attributions written in either form ---- */

struct convert_sink {
    const struct tool_options *o;
    int is_long;
    int open;                   /* fields may still come: wide lines are kept
                                   in memory until the end */
    int se;                     /* there are standard errors */
    asc_writer *writer;
    struct asc_buffer head;     /* headings up to the kept columns, each with
                                   a tab */
    size_t d, room;
    char **field;               /* (d) the names are the sink's */
    struct asc_buffer out;
    size_t done;
    struct convert_kept *kept;
};

/* Starts an empty sink; o says where to write, r (may be NULL) has comments to
 * pass on, m (may be NULL) goes into the provenance. */
void convert_sink_open(struct convert_sink *s, const struct tool_options *o,
                       int is_long, const asc_reader *r, const asc_model *m);
/* Adds a field; only before the first line, unless it is open. */
void convert_sink_field(struct convert_sink *s, const char *name, size_t n);
/* Writes the header, after head, fields and the rest are set. */
void convert_sink_begin(struct convert_sink *s);
/* One line: key is its texts up to the kept columns, each with a tab; phi, and
 * se unless there are none, (d). */
void convert_sink_put(struct convert_sink *s, struct asc_text key, double base,
                      double value, const double *phi, const double *se);
void convert_sink_close(struct convert_sink *s);

/* ---- convert_foreign.c, convert_rows.c: what other programs leave out ----
 * Names of fields and outputs, ids, base and value: from the file, the model
 * and the table of the rows explained.  A reader of a format finds the fields,
 * says how many outputs there are, and gives row after row. */

#define CONVERT_NONE ((size_t)-1)

struct convert_foreign {
    const struct tool_options *o;
    const struct convert_format *format;
    asc_reader *file;           /* all of its lines are rows to the reader */
    const char *name;           /* of the file, for messages */
    /* the rows that were explained */
    asc_reader *data;           /* of -x, or NULL */
    asc_model *model;           /* of -m, or NULL */
    struct asc_binding binding;
    asc_join *join;
    int in_step;                /* rows of -x by their place, not by id */
    size_t n_kept, *kept;       /* columns of -x */
    struct asc_text *texts;     /* (n_kept) */
    struct asc_ids *ids;
    /* fields */
    size_t d;
    char **field;               /* (d), d = 0 as long as they are not known */
    unsigned char *own;         /* (d) the file has a column of that name */
    int known;                  /* the fields were known beforehand */
    /* outputs */
    size_t n_named, n_outputs;
    char **output;              /* (n_named) of -c, else the model's */
    size_t *of_model;           /* (n_named) index among the model's */
    int asked;                  /* by -c */
    size_t n_bases;
    double *base;               /* (n_bases) of --base */
    enum asc_scale scale;
    struct asc_buffer method;
    /* rows and lines that are not written yet */
    size_t n_rows;
    double *x;                  /* (n_rows, fields of the model) */
    struct attribution_lines lines;
    size_t *row_of, *output_of; /* (lines.n) */
    struct asc_buffer row_text, kept_text;      /* of the row at hand */
    size_t rows;                /* in all */
    /* how far base + phi is from the model's output */
    size_t n_checked, n_off, n_no_base;
    double worst;
    struct asc_buffer worst_row;
    struct convert_sink sink;
};

/* Opens the file, -x and -m.  All that is known of fields and outputs without
 * the file is there then. */
void convert_foreign_open(struct convert_foreign *f,
                          const struct tool_options *o, const char *path,
                          const struct convert_format *from);
/* 1 if the comma-separated list (NULL: empty) has the name. */
int convert_listed(const char *list, const char *name);
/* The next line of the file, a row of texts: 1, or 0 at the end. */
int convert_foreign_line(struct convert_foreign *f);
/* The number in a column, which is called `name'. */
double convert_foreign_number(const struct convert_foreign *f, size_t column,
                              const char *name);
/* The field that a column of this name is for: its own, or with --sum that
 * which it is a part of; CONVERT_NONE if it has none.  *part: it is a part. */
size_t convert_foreign_field(const struct convert_foreign *f, const char *name,
                             int *part);
/* A further field, for a file that names them itself. */
void convert_foreign_add_field(struct convert_foreign *f, const char *name);
/* Fails for a column that is no field. */
void convert_foreign_refuse(const struct convert_foreign *f, const char *name)
    __attribute__((noreturn));
/* Fails if a field is missing: own[j] is set for those that are there. */
void convert_foreign_complete(const struct convert_foreign *f);
/* The fields are known, how many outputs each row has (0: an output's name is
 * in the file), and what its rows go by: their place; names of rows, which may
 * be numbers that count from 0; or ids in a column that is called so. */
enum convert_ids { CONVERT_COUNTED, CONVERT_ROW_NAMES, CONVERT_IDS };
void convert_foreign_begin(struct convert_foreign *f, size_t n_outputs,
                           enum convert_ids ids, int to_long);
/* Index among the named outputs, CONVERT_NONE if there are no names; fails if
 * it is none of them. */
size_t convert_foreign_output(const struct convert_foreign *f,
                              struct asc_text t);
/* A row of the file begins; id.p NULL: it has none. */
void convert_foreign_row(struct convert_foreign *f, struct asc_text id);
/* Attributions phi (d) of one of its outputs: index k, or its name if it has
 * one in the file.  base NaN: that of --base, or none. */
void convert_foreign_put(struct convert_foreign *f, size_t k,
                         struct asc_text output, double base,
                         const double *phi);
/* Ends it all; the exit status. */
int convert_foreign_end(struct convert_foreign *f);
void convert_foreign_fail(const struct convert_foreign *f, const char *format,
                          ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#endif
