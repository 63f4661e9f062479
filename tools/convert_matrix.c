/* convert_matrix.c -- attributions that others keep as a matrix: a line for
 * each row, a column for each field, and perhaps one for the base; or a block
 * of such columns for each output; or a line for each output of a row.
 *
 * Columns go by their names where the file has names.  Where it has none, or
 * where they only count (0, 1, 2 of pandas, V1, V2 of R), their order is that
 * of --columns, else that of the fields, then the base.  See convert.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/convert.h"

enum role { IGNORED, ID, BASE, OUTPUT, FIELD };

struct layout {
    struct convert_foreign *f;
    size_t n;                   /* columns of the file */
    size_t lead;                /* 1 if the first one is no part of a block */
    size_t width, blocks;
    char **name;                /* (width) of a block, for messages */
    enum role *role;            /* (width) */
    size_t *field;              /* (width) */
    int has_output, has_base;
    ptrdiff_t id;               /* column of ids, or -1 */
    int id_named;               /* it is called row, or as --id says */
    int counts;                 /* it only counts the lines, from `first' */
    size_t first;
    size_t cycle;               /* lines of one row */
    double *phi;                /* (fields) of the output at hand */
};

/* ---- the header ---- */

/* What others call the reference value: shap and dalex, XGBoost in Python and
 * in R, shapviz, H2O. */
static int
is_base(const char *name)
{
    static const char *const names[] = {
        "base", "base_value", "base_values", "expected_value", "bias", "BIAS",
        "(Intercept)", "baseline", "BiasTerm"
    };
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return 1;
    return 0;
}

static int
is_row_name(const char *name)
{
    return !*name || !strcmp(name, "index") || !strcmp(name, "Unnamed: 0");
}

static char **
read_names(const struct convert_foreign *f, size_t n)
{
    char **name = convert_reserve(n, sizeof *name);
    size_t j;

    for (j = 0; j < n; j++) {
        struct asc_text t = asc_reader_text(f->file, j);

        if (!j && t.n >= 2 && !memcmp(t.p, "# ", 2)) {
            t.p += 2;           /* of numpy.savetxt */
            t.n -= 2;
        }
        name[j] = convert_copy(t.p, t.n);
    }
    return name;
}

/* 1 if the names only count: 0, 1, 2, ... or V1, V2, V3, ... */
static int
only_counts(char *const *name, size_t n)
{
    char text[32];
    size_t j;

    for (j = 0; j < n; j++) {
        snprintf(text, sizeof text, name[0][0] == 'V' ? "V%zu" : "%zu",
                 name[0][0] == 'V' ? j + 1 : j);
        if (strcmp(name[j], text))
            return 0;
    }
    return n > 0;
}

static int
all_fields(const struct convert_foreign *f, char *const *name, size_t n)
{
    size_t i, j;

    for (i = 0; i < f->d; i++) {
        for (j = 0; j < n && strcmp(f->field[i], name[j]); j++)
            ;
        if (j == n)
            return 0;
    }
    return 1;
}

static int
all_numbers(char *const *name, size_t n)
{
    double v;
    size_t j;

    for (j = 0; j < n; j++)
        if (!asc_number_parse(name[j], strlen(name[j]), &v))
            return 0;
    return n > 0;
}

/* ---- what each column is ---- */

/* The column of ids: that of --id, else row, else one of row names. */
static void
find_id(struct layout *l)
{
    const char *wanted = l->f->o->reader.id;
    const char *const known[] = { "row", "", "index", "Unnamed: 0" };
    size_t i, j;

    l->id = -1;
    for (j = 0; wanted && j < l->width; j++)
        if (!strcmp(l->name[j], wanted)) {
            l->id = (ptrdiff_t)j;
            l->id_named = 1;
            return;
        }
    if (wanted && !l->f->data)
        convert_foreign_fail(l->f, "there is no column \"%s\"", wanted);
    for (i = 0; i < sizeof known / sizeof *known; i++)
        for (j = 0; j < l->width; j++)
            if (!strcmp(l->name[j], known[i])) {
                l->id = (ptrdiff_t)j;
                l->id_named = i == 0;
                return;
            }
}

static void
take_field(struct layout *l, size_t p)
{
    struct convert_foreign *f = l->f;
    const char *name = l->name[p];
    int part;
    size_t j = convert_foreign_field(f, name, &part);

    l->role[p] = FIELD;
    if (j == CONVERT_NONE && !f->known && *name) {
        convert_foreign_add_field(f, name);
        j = f->d - 1;
    } else if (j == CONVERT_NONE && p + 1 == l->width && !l->has_base
               && (f->format->traits & CONVERT_BASE_LAST)) {
        l->role[p] = BASE;
        return;
    } else if (j == CONVERT_NONE && !f->known) {
        convert_foreign_fail(f, "column %zu has no name", p + 1);
    } else if (j == CONVERT_NONE) {
        convert_foreign_refuse(f, name);
    } else if (f->own[j] && (!part || f->own[j] == 1)) {
        convert_foreign_fail(f, "column \"%.60s\": the field \"%.60s\" has "
                             "another one", name, f->field[j]);
    }
    f->own[j] = part ? 2 : 1;
    l->field[p] = j;
}

/* By the names of a block's columns. */
static void
name_roles(struct layout *l)
{
    struct convert_foreign *f = l->f;
    const char *drop = f->o->drop;
    int part;
    size_t p;

    find_id(l);
    for (p = 0; p < l->width; p++) {
        const char *name = l->name[p];
        const int field = f->known && !convert_listed(drop, name)
            && convert_foreign_field(f, name, &part) != CONVERT_NONE && !part;

        if ((ptrdiff_t)p == l->id)
            l->role[p] = ID;
        else if (convert_listed(drop, name) || (is_row_name(name) && !field))
            l->role[p] = IGNORED;
        else if (!field && is_base(name)) {
            if (l->has_base)
                convert_foreign_fail(f, "column \"%s\": there is another one "
                                     "for the base; --drop leaves it out",
                                     name);
            l->role[p] = BASE;
            l->has_base = 1;
        } else if (!field && !strcmp(name, "output") && !l->has_output) {
            l->role[p] = OUTPUT;
            l->has_output = 1;
        } else {
            take_field(l, p);
            l->has_base |= l->role[p] == BASE;
        }
    }
    convert_foreign_complete(f);
    if ((f->format->traits & CONVERT_BASE_LAST) && !l->has_base)
        convert_foreign_fail(f, "there is no column bias, BIAS or "
                             "expected_value, which %s writes behind the "
                             "fields", f->format->entry.name);
}

/* The width of a block without names: the fields, and perhaps the base. */
static size_t
guess_width(const struct convert_foreign *f, size_t n)
{
    const int base = (f->format->traits & CONVERT_BASE_LAST) != 0;
    const size_t d = f->d;

    if (!f->known)
        convert_foreign_fail(f, "its columns have no names: name them with "
                             "--columns, or the fields with --fields, -x, or "
                             "-m and -x");
    if (!base && n == d)
        return d;
    if (n == d + 1 || (base && n && n % (d + 1) == 0))
        return d + 1;
    if (base)
        convert_foreign_fail(f, "%zu numbers in a line; %zu fields and the "
                             "base want %zu, or a multiple of it", n, d,
                             d + 1);
    convert_foreign_fail(f, "%zu numbers in a line; %zu fields want %zu, or "
                         "%zu with the base", n, d, d, d + 1);
}

static void
make_room(struct layout *l)
{
    l->role = convert_reserve(l->width, sizeof *l->role);
    l->field = convert_reserve(l->width, sizeof *l->field);
}

/* By the order of the columns, n of them behind l->lead. */
static void
count_roles(struct layout *l)
{
    struct convert_foreign *f = l->f;
    const size_t n = l->n - l->lead;
    char *store = NULL, **piece = NULL;
    size_t j, bases = 0;

    if (f->o->reader.columns) {
        l->width = tool_split(f->o->reader.columns, &piece, &store);
        l->name = convert_reserve(l->width + 1, sizeof *l->name);
        for (j = 0; j < l->width; j++) {
            bases += (size_t)is_base(piece[j]);
            l->name[j] = convert_copy(piece[j], strlen(piece[j]));
        }
        /* what these formats always have need not be named */
        if (!bases && (f->format->traits & CONVERT_BASE_LAST))
            l->name[l->width++] = convert_copy("bias", 4);
        make_room(l);
        name_roles(l);
        free(piece);
        free(store);
        if (n % l->width)
            convert_foreign_fail(f, "%zu columns found, %zu are named", n,
                                 l->width);
        if (n > l->width && (l->has_output || l->id >= 0))
            convert_foreign_fail(f, "%zu columns found, %zu are named, and "
                                 "ids or outputs among them", n, l->width);
    } else {
        l->width = guess_width(f, n);
        l->name = convert_reserve(l->width, sizeof *l->name);
        make_room(l);
        l->has_base = l->width > f->d;
        for (j = 0; j < l->width; j++) {
            const char *name = j < f->d ? f->field[j] : "base";

            l->name[j] = convert_copy(name, strlen(name));
            l->role[j] = j < f->d ? FIELD : BASE;
            l->field[j] = j;
        }
    }
    l->blocks = n / l->width;
}

/* Reads the header, if there is one.  Returns 1 if the line at hand is the
 * first row. */
static int
lay_out(struct layout *l)
{
    struct convert_foreign *f = l->f;
    const int bare = f->o->reader.no_header;
    char **name = NULL;
    size_t j;

    l->id = -1;
    l->n = asc_reader_n_columns(f->file);
    if (!convert_foreign_line(f))
        return 0;
    if (!bare) {
        name = read_names(f, l->n);
        l->lead = is_row_name(name[0]) || !strcmp(name[0], "row")
            || (f->o->reader.id && !strcmp(name[0], f->o->reader.id));
    }
    if (bare || (only_counts(name + l->lead, l->n - l->lead)
                 && (f->known ? !all_fields(f, name, l->n)
                     : f->format->traits & CONVERT_BASE_LAST))) {
        count_roles(l);
        if (l->lead) {
            l->id = 0;
            l->id_named = !is_row_name(name[0]);
        }
        for (j = 0; name && j < l->n; j++)
            free(name[j]);
        free(name);
        return bare;
    }
    if (all_numbers(name, l->n) && !only_counts(name, l->n))
        convert_foreign_fail(f, "the first line is all numbers: if it is a "
                             "row, say --no-header");
    l->lead = 0;
    l->width = l->n;
    l->blocks = 1;
    l->name = name;
    make_room(l);
    name_roles(l);
    return 0;
}

/* ---- rows ---- */

static size_t
n_outputs(struct layout *l)
{
    struct convert_foreign *f = l->f;

    l->cycle = 1;
    if (l->has_output)
        return 0;
    if (l->blocks > 1)
        return l->blocks;
    if (f->asked)
        l->cycle = f->n_named;
    return l->cycle;
}

/* What the rows go by.  The line at hand is the first row, if `any'. */
static enum convert_ids
find_ids(struct layout *l, int any)
{
    struct asc_text t;

    if (l->id < 0 || !any)
        return CONVERT_COUNTED;
    if (l->id_named)
        return CONVERT_IDS;
    t = asc_reader_text(l->f->file, (size_t)l->id);
    l->counts = t.n == 1 && (t.p[0] == '0' || t.p[0] == '1');
    l->first = l->counts ? (size_t)(t.p[0] - '0') : 0;
    return l->counts ? CONVERT_COUNTED : CONVERT_ROW_NAMES;
}

/* Row names that only count must go on to. */
static void
check_count(const struct layout *l, size_t line)
{
    const struct asc_text t = asc_reader_text(l->f->file, (size_t)l->id);
    char want[32];
    const int n = snprintf(want, sizeof want, "%zu", l->first + line);

    if (t.n != (size_t)n || memcmp(t.p, want, t.n))
        convert_foreign_fail(l->f, "row \"%.*s\": the names of the rows before "
                             "count from %zu, so this is %s: if they are ids, "
                             "call their column row", t.n < 60 ? (int)t.n : 60,
                             t.p, l->first, want);
}

static void
begin_row(struct layout *l, size_t line)
{
    struct convert_foreign *f = l->f;
    struct asc_text id = { NULL, 0 };

    if (l->counts)
        check_count(l, line);
    else if (l->id >= 0)
        id = asc_reader_text(f->file, (size_t)l->id);
    if (line % l->cycle == 0) {
        convert_foreign_row(f, id);
        return;
    }
    if (id.p && !f->in_step && (id.n + 1 != f->row_text.n
                                || memcmp(id.p, f->row_text.p, id.n)))
        convert_foreign_fail(f, "row \"%.*s\", where -c wants %zu lines of row "
                             "\"%.*s\", one for each output",
                             id.n < 60 ? (int)id.n : 60, id.p, l->cycle,
                             f->row_text.n < 60 ? (int)f->row_text.n - 1 : 60,
                             f->row_text.p);
}

static void
put_row(struct layout *l, size_t line)
{
    struct convert_foreign *f = l->f;
    double *phi = l->phi;
    size_t b, p;

    begin_row(l, line);
    for (b = 0; b < l->blocks; b++) {
        const size_t at = l->lead + b * l->width;
        struct asc_text output = { NULL, 0 };
        size_t k = l->blocks > 1 ? b : line % l->cycle;
        double base = NAN;

        memset(phi, 0, f->d * sizeof *phi);
        for (p = 0; p < l->width; p++)
            switch (l->role[p]) {
            case FIELD:
                phi[l->field[p]] += convert_foreign_number(f, at + p,
                                                           l->name[p]);
                break;
            case BASE:
                base = convert_foreign_number(f, at + p, l->name[p]);
                break;
            case OUTPUT:
                output = asc_reader_text(f->file, at + p);
                k = convert_foreign_output(f, output);
                break;
            case ID:
            case IGNORED:
                break;
            }
        convert_foreign_put(f, k, output, base, phi);
    }
}

int
convert_matrix(const struct tool_options *o, const char *path,
               const struct convert_format *from, int to_long)
{
    struct convert_foreign f;
    struct layout l;
    size_t line = 0, j;
    int more;

    memset(&l, 0, sizeof l);
    l.f = &f;
    convert_foreign_open(&f, o, path, from);
    if (o->sum && !f.known)
        tool_misuse("--sum needs to know the fields: from -m, -x or --fields");
    more = lay_out(&l) || convert_foreign_line(&f);
    if (l.has_base && f.n_bases)
        tool_misuse("--base: the file has a column for it");
    convert_foreign_begin(&f, n_outputs(&l), find_ids(&l, more), to_long);
    l.phi = convert_reserve(f.d, sizeof *l.phi);
    for (; more; more = convert_foreign_line(&f))
        put_row(&l, line++);
    if (line % l.cycle)
        convert_foreign_fail(&f, "the last row has %zu of the %zu outputs of "
                             "-c, one in a line", line % l.cycle, l.cycle);
    for (j = 0; j < l.width; j++)
        free(l.name[j]);
    free(l.name);
    free(l.role);
    free(l.field);
    free(l.phi);
    return convert_foreign_end(&f);
}
