/* fit/training.c -- reads a table to learn from.
 *
 * Whether a field is a number is known when its last line has been seen: until
 * then its texts are kept beside the numbers, and the first text that is no
 * number turns the column into categories from its beginning.  The table is
 * read once, so it may come through a pipe.  Memory: 8 bytes a value, and the
 * texts of the columns that are numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/fit.h>
#include "base/internal.h"
#include "table/internal.h"

/* A column on its way to be a field or the target. */
struct column {
    size_t at;                  /* column of the reader */
    int categorical;
    struct asc_buffer text;     /* while it may be a number: the texts so far,
                                   each ended by a tab; an empty one is
                                   missing */
    char **category;            /* in order of appearance */
    size_t n_categories, capacity;
    struct asci_dictionary dictionary;
    size_t endless_line;        /* first line with an infinite number, or 0 */
    size_t known;               /* rows with a value */
    double *v;                  /* values, or indexes of categories */
};

struct job {
    asc_reader *r;
    const char *name;           /* of the file */
    struct asc_training *t;
    struct column *column;      /* (n_columns) fields, then the target */
    size_t n_columns;
    size_t weight;              /* column of the reader, if has_weight */
    int has_weight;
    size_t n, capacity;         /* rows */
    size_t n_lines;             /* rows of the file, used or not */
    double *w;
    struct asc_ids *ids;
};

/* ---- which columns ---- */

/* list: comma-separated column names, or NULL.  Calls add for each. */
static int
each_name(struct job *o, const char *list,
          int (*add)(struct job *o, const char *name, void *to,
                     struct asc_error *e), void *to, struct asc_error *e)
{
    char **name;
    size_t n, i;
    int status;

    if (!list)
        return ASC_OK;
    if ((status = asci_list_split(list, &name, &n, e)))
        return status;
    for (i = 0; i < n && !status; i++)
        status = add(o, name[i], to, e);
    asci_list_free(name, n);
    return status;
}

/* to: a flag for each column of the reader. */
static int
flag_column(struct job *o, const char *name, void *to, struct asc_error *e)
{
    unsigned char *flag = to;
    size_t j;
    int status = asci_reader_named(o->r, name, &j, e);

    if (!status)
        flag[j] = 1;
    return status;
}

static int
add_field(struct job *o, size_t at, struct asc_error *e)
{
    struct column *c = &o->column[o->n_columns++];
    struct asc_field *f = &o->t->schema.field[o->t->schema.n];
    const char *name = asc_reader_column(o->r, at);

    memset(c, 0, sizeof *c);
    c->at = at;
    f->name = asci_copy_text(name, strlen(name), e);
    if (!f->name)
        return ASC_ESYSTEM;
    o->t->schema.n++;
    return ASC_OK;
}

/* to: flags of the columns that can be no field. */
static int
add_named(struct job *o, const char *name, void *to, struct asc_error *e)
{
    const unsigned char *barred = to;
    size_t at;
    int status = asci_reader_named(o->r, name, &at, e);

    if (status)
        return status;
    if (barred[at] > 1)
        return asc_fail(e, ASC_EUSAGE, "%s: column \"%s\" is the %s: it can "
                        "be no field", o->name, name, barred[at] == 2
                        ? "target" : barred[at] == 3 ? "weight" : "row id");
    if (barred[at])
        return ASC_OK;
    if (asc_schema_find(&o->t->schema, name) >= 0)
        return asc_fail(e, ASC_EUSAGE, "%s: field \"%s\" is named twice",
                        o->name, name);
    return add_field(o, at, e);
}

/* categorical: column c, if it is a field or the target. */
static int
add_categorical(struct job *o, const char *name, void *to, struct asc_error *e)
{
    size_t at, i;
    int status = asci_reader_named(o->r, name, &at, e);

    (void)to;
    if (status)
        return status;
    for (i = 0; i < o->n_columns; i++)
        if (o->column[i].at == at)
            o->column[i].categorical = 1;
    return ASC_OK;
}

static int
choose_fields(struct job *o, const struct asc_training_options *p,
              unsigned char *barred, size_t target, struct asc_error *e)
{
    const size_t n = asc_reader_n_columns(o->r);
    size_t j;
    int status = ASC_OK;

    if ((status = each_name(o, p->drop, flag_column, barred, e)))
        return status;
    barred[target] = 2;
    if (o->has_weight)
        barred[o->weight] = 3;
    if (asc_reader_id_column(o->r) >= 0)
        barred[asc_reader_id_column(o->r)] = 4;
    if (p->fields)
        status = each_name(o, p->fields, add_named, barred, e);
    else
        for (j = 0; j < n && !status; j++)
            if (!barred[j])
                status = add_field(o, j, e);
    if (status)
        return status;
    if (o->n_columns == 0)
        return asc_fail(e, ASC_EINPUT, "%s: no field is left to learn from",
                        o->name);
    o->column[o->n_columns++] = (struct column){ .at = target };
    return each_name(o, p->categorical, add_categorical, NULL, e);
}

static int
choose_columns(struct job *o, const struct asc_training_options *p,
               struct asc_error *e)
{
    const size_t n = asc_reader_n_columns(o->r);
    unsigned char *barred = NULL;
    size_t target;
    int status = ASC_ESYSTEM;

    if (asc_reader_empty(o->r))
        return asc_fail(e, ASC_EINPUT, "%s: the file is empty: a training "
                        "table has a header and rows", o->name);
    if ((status = asci_reader_named(o->r, p->target, &target, e)))
        return status;
    if (p->weight) {
        if ((status = asci_reader_named(o->r, p->weight, &o->weight, e)))
            return status;
        o->has_weight = 1;
        if (o->weight == target)
            return asc_fail(e, ASC_EUSAGE, "%s: column \"%s\" cannot be both "
                            "target and weight", o->name, p->target);
    }
    barred = asci_alloc_zero(n, 1, e);
    o->column = asci_alloc_zero(n + 1, sizeof *o->column, e);
    o->t->schema.field = asci_alloc_zero(n, sizeof *o->t->schema.field, e);
    if (!barred || !o->column || !o->t->schema.field) {
        free(barred);
        return ASC_ESYSTEM;
    }
    status = choose_fields(o, p, barred, target, e);
    free(barred);
    if (!status) {
        o->t->target.name = asci_copy_text(p->target, strlen(p->target), e);
        if (!o->t->target.name)
            status = ASC_ESYSTEM;
    }
    return status;
}

/* ---- values ---- */

/* The index of a category, which may be new. */
static int
intern(struct column *c, struct asc_text text, double *v, struct asc_error *e)
{
    const ptrdiff_t found = asci_dictionary_find(&c->dictionary, c->category,
                                                 text);

    if (found >= 0) {
        *v = (double)found;
        return ASC_OK;
    }
    if (c->n_categories == c->capacity) {
        const size_t larger = c->capacity ? 2 * c->capacity : 8;
        char **p = asci_resize(c->category, larger, sizeof *p, e);

        if (!p)
            return ASC_ESYSTEM;
        c->category = p;
        c->capacity = larger;
    }
    c->category[c->n_categories] = asci_copy_text(text.p, text.n, e);
    if (!c->category[c->n_categories])
        return ASC_ESYSTEM;
    *v = (double)c->n_categories++;
    return asci_dictionary_extend(&c->dictionary, c->category,
                                  c->n_categories, e);
}

/* The n numbers of a column so far become categories. */
static int
turn_categorical(struct column *c, size_t n, struct asc_error *e)
{
    const char *p = c->text.p;
    size_t i;

    for (i = 0; i < n; i++) {
        const char *end = memchr(p, '\t', (size_t)(c->text.p + c->text.n - p));
        const struct asc_text text = { p, (size_t)(end - p) };

        p = end + 1;
        if (text.n > 0 && intern(c, text, &c->v[i], e))
            return ASC_ESYSTEM;
    }
    asc_buffer_free(&c->text);
    c->categorical = 1;
    return ASC_OK;
}

/* Column c of the reader's row as value number n. */
static int
take(struct job *o, struct column *c, size_t n, struct asc_error *e)
{
    const struct asc_text text = asc_reader_text(o->r, c->at);
    const int missing = asc_reader_missing(o->r, c->at);
    int status;

    c->v[n] = NAN;
    if (!missing)
        c->known++;
    if (!c->categorical && !missing) {
        if (!asc_number_parse(text.p, text.n, &c->v[n])) {
            if ((status = turn_categorical(c, n, e)))
                return status;
        } else if (!isfinite(c->v[n]) && !c->endless_line) {
            c->endless_line = asc_reader_line(o->r);
        }
    }
    if (c->categorical)
        return missing ? ASC_OK : intern(c, text, &c->v[n], e);
    if (!missing)
        asc_buffer_add(&c->text, text.p, text.n);
    asc_buffer_char(&c->text, '\t');
    return c->text.failed ? asc_fail(e, ASC_ESYSTEM, "out of memory")
                          : ASC_OK;
}

static int
make_room(struct job *o, struct asc_error *e)
{
    const size_t larger = o->capacity ? 2 * o->capacity : 256;
    void *p;
    size_t k;

    if (o->n < o->capacity)
        return ASC_OK;
    for (k = 0; k < o->n_columns; k++) {
        p = asci_resize(o->column[k].v, larger, sizeof(double), e);
        if (!p)
            return ASC_ESYSTEM;
        o->column[k].v = p;
    }
    if (o->has_weight) {
        p = asci_resize(o->w, larger, sizeof *o->w, e);
        if (!p)
            return ASC_ESYSTEM;
        o->w = p;
    }
    p = asci_resize(o->t->id, larger, sizeof *o->t->id, e);
    if (!p)
        return ASC_ESYSTEM;
    o->t->id = p;
    p = asci_resize(o->t->id_length, larger, sizeof *o->t->id_length, e);
    if (!p)
        return ASC_ESYSTEM;
    o->t->id_length = p;
    o->capacity = larger;
    return ASC_OK;
}

static int
read_weight(struct job *o, double *w, struct asc_error *e)
{
    char quoted[ASCI_QUOTE_MAX];
    const char *column = asc_reader_column(o->r, o->weight);
    int status = asc_reader_number(o->r, o->weight, w, e);

    if (status)
        return status;
    if (isnan(*w))
        return asc_fail(e, ASC_EINPUT, "%s:%zu: weight \"%s\" is missing: a "
                        "row that should not count has weight 0", o->name,
                        asc_reader_line(o->r), column);
    if (*w < 0.0)
        return asc_fail(e, ASC_EINPUT, "%s:%zu: weight \"%s\": %s is below 0",
                        o->name, asc_reader_line(o->r), column,
                        asci_quote(asc_reader_text(o->r, o->weight), quoted));
    return ASC_OK;
}

/* The reader's row, if it counts. */
static int
take_row(struct job *o, struct asc_error *e)
{
    const struct asc_text id = asc_reader_id(o->r);
    const struct column *target = &o->column[o->n_columns - 1];
    double w = 1.0;
    size_t k;
    int status;

    o->n_lines++;
    status = asc_ids_add(o->ids, id, asc_reader_line(o->r), o->name, "row", e);
    if (status)
        return status;
    if (o->has_weight && (status = read_weight(o, &w, e)))
        return status;
    if (w == 0.0 || asc_reader_missing(o->r, target->at))
        return ASC_OK;
    if ((status = make_room(o, e)))
        return status;
    for (k = 0; k < o->n_columns; k++)
        if ((status = take(o, &o->column[k], o->n, e)))
            return status;
    if (o->has_weight)
        o->w[o->n] = w;
    o->t->id[o->n] = o->t->ids.n;
    o->t->id_length[o->n] = id.n;
    asc_buffer_add(&o->t->ids, id.p, id.n);
    if (o->t->ids.failed)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    o->n++;
    return ASC_OK;
}

/* ---- fields ---- */

struct sorted {
    char *text;
    size_t index;
};

static int
compare_sorted(const void *pa, const void *pb)
{
    const struct sorted *a = pa, *b = pb;

    return strcmp(a->text, b->text);
}

/* Categories go to the field, sorted by bytes, and values become their new
 * indexes. */
static int
sort_categories(struct column *c, size_t n, struct asc_field *f,
                struct asc_error *e)
{
    struct sorted *s = asci_alloc(c->n_categories, sizeof *s, e);
    double *place = asci_alloc(c->n_categories, sizeof *place, e);
    size_t i;

    if (!s || !place) {
        free(place);
        free(s);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < c->n_categories; i++) {
        s[i].text = c->category[i];
        s[i].index = i;
    }
    qsort(s, c->n_categories, sizeof *s, compare_sorted);
    for (i = 0; i < c->n_categories; i++) {
        place[s[i].index] = (double)i;
        c->category[i] = s[i].text;
    }
    for (i = 0; i < n; i++)
        if (!isnan(c->v[i]))
            c->v[i] = place[(size_t)c->v[i]];
    f->categories = c->category;
    f->n_categories = c->n_categories;
    c->category = NULL;
    c->n_categories = 0;
    free(place);
    free(s);
    return ASC_OK;
}

/* Texts that the reader took for missing are so for the model too. */
static int
declare_missing(struct asc_field *f, const struct asci_missing *m,
                struct asc_error *e)
{
    size_t i;

    if (!m || m->n == 0)
        return ASC_OK;
    f->missing = asci_alloc_zero(m->n, sizeof *f->missing, e);
    if (!f->missing)
        return ASC_ESYSTEM;
    f->n_missing = m->n;
    for (i = 0; i < m->n; i++) {
        f->missing[i] = asci_copy_text(m->text[i], strlen(m->text[i]), e);
        if (!f->missing[i])
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

static int
make_field(struct job *o, struct column *c, struct asc_field *f,
           struct asc_error *e)
{
    f->kind = c->categorical ? ASC_CATEGORICAL : ASC_CONTINUOUS;
    f->text_type = ASC_TEXT;
    f->invalid = ASC_INVALID_MISSING;
    f->replacement = NAN;
    f->low = -INFINITY;
    f->high = INFINITY;
    if (c->known == 0)
        return asc_fail(e, ASC_EINPUT, "%s: field \"%s\" is missing in each "
                        "of %zu rows: leave it out", o->name, f->name, o->n);
    if (!c->categorical && c->endless_line)
        return asc_fail(e, ASC_EINPUT, "%s:%zu: field \"%s\": the number is "
                        "not finite", o->name, c->endless_line, f->name);
    asc_buffer_free(&c->text);
    return c->categorical ? sort_categories(c, o->n, f, e) : ASC_OK;
}

static int
check_target(struct job *o, struct asc_error *e)
{
    const struct column *c = &o->column[o->n_columns - 1];
    struct asc_buffer text = { 0 };
    size_t i;

    for (i = 1; i < o->n; i++)
        if (c->v[i] != c->v[0])
            return ASC_OK;
    asc_field_text(&o->t->target, c->v[0], 0, &text);
    asc_buffer_char(&text, '\0');
    asc_fail(e, ASC_EINPUT, "%s: target \"%s\" is \"%s\" in every row: there "
             "is nothing to learn", o->name, o->t->target.name,
             text.failed ? "" : text.p);
    asc_buffer_free(&text);
    return ASC_EINPUT;
}

static int
check_rows(const struct job *o, struct asc_error *e)
{
    const char *target = o->t->target.name;

    if (o->n_lines == 0)
        return asc_fail(e, ASC_EINPUT, "%s: no row follows the header: there "
                        "is nothing to learn", o->name);
    if (o->n == 0)
        return asc_fail(e, ASC_EINPUT, "%s: none of %zu rows has a target "
                        "\"%s\"%s", o->name, o->n_lines, target,
                        o->has_weight ? " and a weight above 0" : "");
    if (o->n == 1)
        return asc_fail(e, ASC_EINPUT, "%s: one row alone has a target "
                        "\"%s\": want at least 2", o->name, target);
    return ASC_OK;
}

/* From columns to a table of rows. */
static int
assemble(struct job *o, struct asc_error *e)
{
    struct asc_training *t = o->t;
    const struct asci_missing *missing = asci_reader_missing_list(o->r);
    const size_t d = t->schema.n;
    size_t i, j;
    int status;

    if ((status = check_rows(o, e)))
        return status;
    if ((status = make_field(o, &o->column[d], &t->target, e)) ||
        (status = check_target(o, e)))
        return status;
    for (j = 0; j < d; j++) {
        struct asc_field *f = &t->schema.field[j];

        if ((status = make_field(o, &o->column[j], f, e)) ||
            (status = declare_missing(f, missing, e)))
            return status;
    }
    t->x = asci_alloc(o->n, d * sizeof *t->x, e);
    if (!t->x)
        return ASC_ESYSTEM;
    for (j = 0; j < d; j++) {
        const double *v = o->column[j].v;

        for (i = 0; i < o->n; i++)
            t->x[i * d + j] = v[i];
        free(o->column[j].v);
        o->column[j].v = NULL;
    }
    t->n = o->n;
    t->y = o->column[d].v;
    o->column[d].v = NULL;
    t->weight = o->w;
    o->w = NULL;
    return ASC_OK;
}

static void
free_job(struct job *o)
{
    size_t k;

    for (k = 0; k < o->n_columns; k++) {
        struct column *c = &o->column[k];

        asc_buffer_free(&c->text);
        asci_list_free(c->category, c->n_categories);
        asci_dictionary_free(&c->dictionary);
        free(c->v);
    }
    free(o->column);
    free(o->w);
    asc_ids_free(o->ids);
    asc_reader_close(o->r);
}

int
asc_training_read(const char *path, const struct asc_reader_options *r,
                  const struct asc_training_options *p,
                  struct asc_training *t, struct asc_error *e)
{
    struct job o = { .t = t };
    int status = ASC_ESYSTEM, got = 1;

    memset(t, 0, sizeof *t);
    o.r = asc_reader_open(path, r, e);
    if (!o.r)
        return e ? (int)e->status : ASC_EINPUT;
    o.name = asc_reader_name(o.r);
    o.ids = asc_ids_new(e);
    if (!o.ids)
        goto out;
    if ((status = choose_columns(&o, p, e)))
        goto out;
    while ((got = asc_reader_next(o.r, e)) > 0)
        if ((status = take_row(&o, e)))
            goto out;
    status = got < 0 ? (e ? (int)e->status : ASC_EINPUT) : assemble(&o, e);
out:
    free_job(&o);
    if (status)
        asc_training_free(t);
    return status;
}

void
asc_training_free(struct asc_training *t)
{
    free(t->target.name);
    asci_list_free(t->target.categories, t->target.n_categories);
    asci_list_free(t->target.missing, t->target.n_missing);
    asc_schema_free(&t->schema);
    free(t->x);
    free(t->y);
    free(t->weight);
    asc_buffer_free(&t->ids);
    free(t->id);
    free(t->id_length);
    memset(t, 0, sizeof *t);
}
