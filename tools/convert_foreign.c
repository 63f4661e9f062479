/* convert_foreign.c -- files of attributions by other programs, and what is
 * known of them before they are read: fields, outputs, rows that were
 * explained.  See convert.h. */
#define _GNU_SOURCE
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/convert.h"

void *
convert_reserve(size_t n, size_t size)
{
    void *p = calloc(n + !n, size);

    if (!p)
        tool_misuse("out of memory");
    return p;
}

char *
convert_copy(const char *text, size_t n)
{
    char *p = strndup(text, n);

    if (!p)
        tool_misuse("out of memory");
    return p;
}

void
convert_foreign_fail(const struct convert_foreign *f, const char *format, ...)
{
    struct asc_error e;
    char text[sizeof e.text];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (asc_reader_line(f->file))
        asc_fail(&e, ASC_EINPUT, "%s:%zu: %s", f->name,
                 asc_reader_line(f->file), text);
    else
        asc_fail(&e, ASC_EINPUT, "%s: %s", f->name, text);
    tool_fail(&e);
}

/* ---- opening ---- */

/* The name of the method: that of -M, else of the file without its folder and
 * endings, else of the format. */
static void
name_method(struct convert_foreign *f, const char *path)
{
    static const char *const endings[] = { ".gz", ".csv", ".tsv", ".txt" };
    const char *name = tool_text(&f->o->specs), *p;
    size_t n, i;

    if (!name && path && strcmp(path, "-")) {
        name = (p = strrchr(path, '/')) ? p + 1 : path;
        n = strlen(name);
        for (i = 0; i < sizeof endings / sizeof *endings; i++) {
            const size_t k = strlen(endings[i]);

            if (n > k && !memcmp(name + n - k, endings[i], k))
                n -= k;
        }
    } else {
        name = name ? name : f->format->entry.name;
        n = strlen(name);
    }
    for (i = 0; i < n; i++)
        asc_buffer_char(&f->method, (unsigned char)name[i] < 0x20 ? '?'
                        : name[i]);
    asc_buffer_char(&f->method, '\t');
}

static void
open_rows(struct convert_foreign *f)
{
    const struct tool_options *o = f->o;
    struct tool_options plain = *o;

    if (o->model && !o->data)
        tool_misuse("-m goes with -x: which rows were explained?");
    if (!o->data)
        return;
    /* the options of headers are for the file */
    plain.reader.no_header = 0;
    plain.reader.columns = NULL;
    f->data = tool_side_table(o->data, &plain);
    f->n_kept = tool_kept(f->data, o, &f->kept);
    f->texts = convert_reserve(f->n_kept, sizeof *f->texts);
    if (o->model)
        f->model = tool_model(o, f->data, o->data);
}

static void
name_fields(struct convert_foreign *f)
{
    const char *id = f->data && asc_reader_id_column(f->data) >= 0
        ? asc_reader_column(f->data, (size_t)asc_reader_id_column(f->data))
        : NULL;
    const char *const other[] = { id, f->o->drop, f->o->target,
                                  tool_text(&f->o->keep) };
    char **piece = NULL, *store = NULL;
    size_t i, j, k;

    if (f->model) {
        const struct asc_schema *s = asc_model_schema(f->model);

        for (j = 0; j < s->n; j++)
            convert_foreign_add_field(f, s->field[j].name);
    } else if (f->o->fields) {
        k = tool_split(f->o->fields, &piece, &store);
        for (j = 0; j < k; j++)
            convert_foreign_add_field(f, piece[j]);
        free(piece);
        free(store);
    } else if (f->data) {
        for (j = 0; j < asc_reader_n_columns(f->data); j++) {
            const char *name = asc_reader_column(f->data, j);

            for (i = 0; i < 4 && !convert_listed(other[i], name); i++)
                ;
            if (i == 4)
                convert_foreign_add_field(f, name);
        }
    }
    f->known = f->d > 0;
}

/* -c names the outputs in the order of the file; the model must have them. */
static void
name_outputs(struct convert_foreign *f)
{
    const size_t k = f->model ? asc_model_n_outputs(f->model) : 0;
    const char **names = convert_reserve(k, sizeof *names);
    char *store = NULL;
    size_t i, j;

    for (j = 0; j < k; j++)
        names[j] = asc_model_output(f->model, j);
    f->asked = f->o->class_name != NULL;
    if (f->asked) {
        f->n_named = tool_split(f->o->class_name, &f->output, &store);
        for (i = 0; i < f->n_named; i++)
            f->output[i] = convert_copy(f->output[i], strlen(f->output[i]));
    } else {
        f->n_named = k;
        f->output = convert_reserve(k, sizeof *f->output);
        for (i = 0; i < k; i++)
            f->output[i] = convert_copy(names[i], strlen(names[i]));
    }
    f->of_model = convert_reserve(f->n_named, sizeof *f->of_model);
    for (i = 0; i < f->n_named && k; i++) {
        const char *near, *first = names[0], *second = k > 1 ? names[1] : "";

        for (j = 0; j < k && strcmp(names[j], f->output[i]); j++)
            ;
        if (j == k) {
            near = asc_nearest(f->output[i], names, k);
            free(names);
            tool_misuse("class \"%s\" is not among the model's outputs "
                        "(%s%s%s)%s%s%s", f->output[i], first,
                        k > 1 ? ", " : "", k > 2 ? "..." : second,
                        near ? "; did you mean \"" : "", near ? near : "",
                        near ? "\"?" : "");
        }
        f->of_model[i] = j;
    }
    free(names);
    free(store);
}

static void
take_bases(struct convert_foreign *f)
{
    char **piece, *store;
    size_t i;

    if (!f->o->base)
        return;
    f->n_bases = tool_split(f->o->base, &piece, &store);
    f->base = convert_reserve(f->n_bases, sizeof *f->base);
    for (i = 0; i < f->n_bases; i++)
        if (!asc_number_parse(piece[i], strlen(piece[i]), &f->base[i])
            || !isfinite(f->base[i]))
            tool_misuse("--base: \"%s\" is not a number", piece[i]);
    free(piece);
    free(store);
}

void
convert_foreign_open(struct convert_foreign *f, const struct tool_options *o,
                     const char *path, const struct convert_format *from)
{
    struct tool_options given = *o;
    struct asc_error e;

    memset(f, 0, sizeof *f);
    f->o = o;
    f->format = from;
    /* the header is the first row: it may not be one, and have no names */
    memset(&given.reader, 0, sizeof given.reader);
    given.reader.no_header = 1;
    given.reader.missing = o->reader.missing;
    given.reader.delimiter = o->delimiter ? o->delimiter : ',';
    given.reader.replace = o->replace ? o->replace : ' ';
    f->file = tool_table(path, &given);
    f->name = asc_reader_name(f->file);
    name_method(f, path);
    open_rows(f);
    name_fields(f);
    name_outputs(f);
    take_bases(f);
    if (!(f->ids = asc_ids_new(&e)))
        tool_fail(&e);
}

/* ---- reading ---- */

int
convert_foreign_line(struct convert_foreign *f)
{
    struct asc_error e;
    const int got = asc_reader_next(f->file, &e);

    if (got < 0)
        tool_fail(&e);
    return got;
}

double
convert_foreign_number(const struct convert_foreign *f, size_t column,
                       const char *name)
{
    const struct asc_text t = asc_reader_text(f->file, column);
    double v;

    if (asc_number_parse(t.p, t.n, &v) && isfinite(v))
        return v;
    if (!asc_reader_missing(f->file, column))
        convert_foreign_fail(f, "column \"%.60s\": \"%.*s\" is not a %snumber",
                             name, t.n < 60 ? (int)t.n : 60, t.p,
                             asc_number_parse(t.p, t.n, &v) ? "finite " : "");
    return NAN;
}

/* ---- fields ---- */

int
convert_listed(const char *list, const char *name)
{
    const size_t n = strlen(name);
    const char *p = list;

    while (p) {
        if (!strncmp(p, name, n) && (p[n] == ',' || !p[n]))
            return 1;
        if ((p = strchr(p, ',')))
            p++;
    }
    return 0;
}

size_t
convert_foreign_field(const struct convert_foreign *f, const char *name,
                      int *part)
{
    const char *sum = f->known ? f->o->sum : NULL;
    size_t j, best = CONVERT_NONE, longest = 0;

    *part = 0;
    for (j = 0; j < f->d; j++)
        if (!strcmp(name, f->field[j]))
            return j;
    for (j = 0; j < f->d && sum; j++) {
        const size_t n = strlen(f->field[j]);

        if (n > longest && !strncmp(name, f->field[j], n)
            && !strncmp(name + n, sum, strlen(sum))
            && name[n + strlen(sum)]) {
            longest = n;
            best = j;
        }
    }
    *part = best != CONVERT_NONE;
    return best;
}

void
convert_foreign_add_field(struct convert_foreign *f, const char *name)
{
    f->field = reallocarray(f->field, f->d + 1, sizeof *f->field);
    f->own = realloc(f->own, f->d + 1);
    if (!f->field || !f->own)
        tool_misuse("out of memory");
    f->own[f->d] = 0;
    f->field[f->d++] = convert_copy(name, strlen(name));
}

static const char *
whose(const struct convert_foreign *f)
{
    return f->model ? "the model" : f->o->fields ? "--fields"
        : asc_reader_name(f->data);
}

void
convert_foreign_refuse(const struct convert_foreign *f, const char *name)
{
    const char *near = asc_nearest(name, (const char *const *)f->field, f->d);

    convert_foreign_fail(f, "column \"%.60s\": %s has no such field (--drop "
                         "leaves a column out, --sum adds up those of one "
                         "field)%s%s%s", name, whose(f),
                         near ? "; did you mean \"" : "", near ? near : "",
                         near ? "\"?" : "");
}

void
convert_foreign_complete(const struct convert_foreign *f)
{
    size_t j;

    for (j = 0; j < f->d; j++)
        if (!f->own[j])
            convert_foreign_fail(f, "there is no column for the field "
                                 "\"%.60s\"%s", f->field[j], f->o->sum ? ""
                                 : "; --sum adds up the columns of one field");
}
