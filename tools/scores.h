/* scores.h -- score tables in memory: any table with columns row and value,
 * told apart by the --by columns. */
#ifndef ASCRIBE_TOOL_SCORES_H
#define ASCRIBE_TOOL_SCORES_H

#include "tools/tool.h"

/* The lines that share the texts of the --by columns. */
struct score_series {
    char *key;                  /* those texts, each but the last with a tab */
    struct asc_ids *ids;        /* while reading */
    size_t n, capacity, undefined;
    double *value;              /* (n) NaN where undefined */
    size_t *row;                /* (n) index of the line in `unit', `group' */
};

struct scores {
    char *name;                 /* of the table, for messages */
    size_t n_by;
    char **by;                  /* (n_by) columns, pointing into by_store */
    char *by_store;
    size_t n_series;
    struct score_series *series;        /* sorted by key */
    size_t n, capacity;         /* lines */
    struct asc_buffer text;
    struct asc_text *unit;      /* (n) what --unit says, else the row id (where
                                   it says nothing: after a tab) */
    size_t *group;              /* (n) index, SIZE_MAX: no group */
    size_t n_group_columns;
    char **group_column, *group_store;
    size_t n_groups;
    char **group_name;          /* (n_groups) sorted; texts joined by tabs */
    size_t no_group;            /* lines without one */
    size_t no_unit;
};

/* Reads the table at path (NULL: standard input).  Groups come from the
 * columns of -g, in the table itself or in -x.  The comments of the table go
 * to the writer that is opened on the way. */
asc_writer *scores_read(struct scores *s, const char *path,
                        const struct tool_options *o);
void scores_free(struct scores *s);
/* Appends texts joined by tabs (a series' key, a group's name) as a person
 * reads them, and a NUL. */
void scores_show(const char *texts, struct asc_buffer *out);
/* Fails with what was wrong with the values of a series. */
void scores_fail(const struct scores *s, const struct score_series *v,
                 struct asc_error *e) __attribute__((noreturn));
/* Says how many values of a series are undefined, if any. */
void scores_note_undefined(const struct score_series *v);
/* The text of the by column `name' in a series' key; n 0 if there is none. */
struct asc_text scores_key_part(const struct scores *s,
                                const struct score_series *v,
                                const char *name);

#endif
