/* tool.h -- what the asc-* tools share: options, messages, files, the end.
 *
 * A main parses its options, opens, calls the library, writes, and returns
 * tool_end().  Whatever fails ends the program through tool_fail(). */
#ifndef ASCRIBE_TOOL_H
#define ASCRIBE_TOOL_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/ascribe.h>

enum { TOOL_DONE = 0, TOOL_FAILED = 1, TOOL_USAGE = 2, TOOL_CHECK = 3 };

/* ---- options: one table for all tools, in tool.c ---- */

enum tool_option {
    OPT_END,
    OPT_MODEL, OPT_METHOD, OPT_METRIC, OPT_DATA, OPT_BACKGROUND, OPT_TARGET,
    OPT_GROUP, OPT_BY, OPT_CLASS, OPT_FOIL, OPT_COALITION,
    OPT_SCALE, OPT_SEED, OPT_THREADS,
    OPT_OUTPUT, OPT_WEIGHT, OPT_UNIT, OPT_ID, OPT_KEEP, OPT_LABEL,
    OPT_FIRST_ROW, OPT_NO_HEADER, OPT_COLUMNS, OPT_MISSING, OPT_DIGITS,
    OPT_STD_ERROR, OPT_CURVE, OPT_LEVEL, OPT_REPLICATES, OPT_PERMUTATIONS,
    OPT_MIN_GROUP, OPT_ADJUST, OPT_BETTER, OPT_FIELDS, OPT_CATEGORICAL,
    OPT_DROP, OPT_TIMEOUT, OPT_MAX_MEMORY, OPT_TYPE, OPT_WIDTH, OPT_HEIGHT,
    OPT_FONT, OPT_TITLE, OPT_PANELS, OPT_SCRIPT, OPT_TOP, OPT_PMML,
    OPT_PROVENANCE, OPT_FROM, OPT_TO, OPT_DELIMITER, OPT_REPLACE, OPT_BASE,
    OPT_SUM,
    OPT_LIST, OPT_QUIET, OPT_VERBOSE, OPT_HELP, OPT_VERSION
};

/* One option that a tool takes.  meaning replaces the common one. */
struct tool_use {
    enum tool_option option;
    const char *meaning;        /* or NULL */
};

struct tool {
    const char *name;           /* asc-attribute */
    const char *synopsis;       /* what follows the name in the usage line */
    const char *purpose;        /* one line */
    const struct tool_use *uses;        /* ends with OPT_END; -q -v -h -V are
                                           every tool's */
    int takes_model;            /* has what goes with -m, too */
    /* what --list and --help=NAME show; NULL: the tool has neither */
    const struct asc_entry *const *(*entries)(size_t *n);
    const char *entry;          /* "method", "metric", ... */
    size_t min_operands, max_operands;
    int bare;                   /* --no-header needs no names and no ids */
};

struct tool_options {
    const char *model, *data, *background, *target, *group, *by, *class_name,
        *foil, *output, *weight, *unit, *label, *adjust, *better, *fields,
        *categorical, *drop, *type, *width, *height, *font, *title, *panels,
        *from, *to, *base, *sum;
    struct asc_buffer specs;    /* of -M, joined by commas; NUL at the end */
    struct asc_buffer keep;     /* of --keep, the same */
    struct asc_buffer coalitions;       /* of --coalition, by semicolons */
    struct asc_reader_options reader;
    enum asc_scale scale;
    int scale_given, seed_given;
    uint64_t seed;
    unsigned threads;
    int digits;                 /* 0: shortest exact */
    int std_error, curve, script, pmml, provenance, quiet, verbose;
    char delimiter, replace;    /* of CSV; 0 if not given */
    double level, timeout;
    unsigned replicates, permutations;
    size_t min_group, max_memory, top;
    size_t n_operands;
    char **operands;
};

/* Parses and checks the command line; -h, -V, -l and --help=NAME print and
 * exit, misuse exits with status 2. */
void tool_start(const struct tool *tool, int argc, char **argv,
                struct tool_options *o);
void tool_options_free(struct tool_options *o);
/* The text of an asc_buffer that ends in NUL, NULL if nothing was added. */
const char *tool_text(const struct asc_buffer *b);

/* ---- messages, all on standard error ---- */

void tool_fail(const struct asc_error *e) __attribute__((noreturn));
/* Usage trouble, status 2. */
void tool_misuse(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));
/* Want of memory, status 1; and the same if a text was not whole for want of
 * it: a buffer's failure is not passed on with its bytes. */
void tool_no_memory(void) __attribute__((noreturn));
void tool_whole(const struct asc_buffer *b);
/* Something chosen for the user, or worth a line; silent with -q. */
void tool_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* More than that: only with -v. */
void tool_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What must be said whatever the options: a promise that was not kept. */
void tool_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- what most tools open ---- */

/* The model of -m, told what the columns of the table r at path are; r may be
 * NULL: there is no table, and fields are those of --fields.  Refuses options
 * that are for models of another kind. */
asc_model *tool_model(const struct tool_options *o, const asc_reader *r,
                      const char *path);
int tool_is_command(const char *model);
/* The main table; path NULL is standard input.  With no input at all the
 * program ends with status 0, having written nothing. */
asc_reader *tool_table(const char *path, const struct tool_options *o);
/* A table beside it, from -x. */
asc_reader *tool_side_table(const char *path, const struct tool_options *o);
/* The background of -b, or 100 rows of the table at `path` (said once), or an
 * error that asks for -b: `what` needs it.  Returns 1, or 0 if there is none:
 * it is not `needed`, or the table has no rows that would need it. */
int tool_background(const struct tool_options *o, const char *path,
                    struct asc_schema *schema, int needed, const char *what,
                    struct asc_background *b);
/* Column indexes of a comma-separated list; an unknown one is a usage error.
 * Returns how many; *column is to be freed. */
size_t tool_columns(const asc_reader *r, const char *list, size_t **column);
/* The columns of --keep, none of which may come twice in the output. */
size_t tool_kept(const asc_reader *r, const struct tool_options *o,
                 size_t **column);
/* Splits at commas; the pieces point into *store.  Both are to be freed. */
size_t tool_split(const char *list, char ***piece, char **store);
/* Fills in what -s and the background say in specifications. */
void tool_specs(const struct tool_options *o, const char *text,
                const struct asc_entry *const *entries, size_t n,
                const char *what, struct asc_specs *specs);
/* b: that of -b, which methods that can do without use, too, or one that was
 * chosen.  A specification that uses none stays without a digest; if none of
 * them uses that of -b, a note says so. */
void tool_specs_background(const struct tool_options *o,
                           struct asc_specs *specs, const asc_model *m,
                           const struct asc_background *b);
void tool_background_unused(const struct tool_options *o);
/* Refuses a specification that is there twice. */
void tool_specs_once(const struct asc_specs *specs);
/* Output of row i for -c: the classes asked for.  Returns their number per
 * row; *fixed (that many) unless "predicted", then NULL. */
size_t tool_classes(const struct tool_options *o, const asc_model *m,
                    size_t **fixed);
/* What --foil contrasts the classes of tool_classes with: nothing, the same
 * class or the rival of each row.  With TOOL_FOIL_CLASS *against is the foil of
 * each of the *q outputs *fixed, from which the foil itself is taken; of one
 * output if *fixed is NULL.  *against is to be freed. */
enum tool_foil { TOOL_FOIL_NONE, TOOL_FOIL_CLASS, TOOL_FOIL_RIVAL };
enum tool_foil tool_foil(const struct tool_options *o, const asc_model *m,
                         size_t *q, size_t **fixed, size_t **against);
/* The scale of --scale, or the model's natural one. */
enum asc_scale tool_scale(const struct tool_options *o, const asc_model *m);
const char *tool_scale_name(enum asc_scale s);

/* ---- writing ---- */

/* Opens -o or standard output and writes the comments of r (may be NULL), the
 * provenance line if asked for, and nothing else. */
asc_writer *tool_writer(const struct tool_options *o, const asc_reader *r,
                        const char *spec, const asc_model *m,
                        const struct asc_background *b);
void tool_put(asc_writer *w, struct asc_buffer *b);
/* The same for a header line, which must not name two columns alike. */
void tool_put_head(asc_writer *w, struct asc_buffer *b);
/* Closes (may be NULL) and gives the file its name. */
void tool_close(asc_writer *w);
/* Rows done, for the progress line. */
void tool_progress(size_t rows);
/* The exit status: `status`, or failure if the tool found one since. */
int tool_end(struct tool_options *o, int status);

#endif
