/* scores.c -- score tables in memory.  See scores.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/scores.h"

/* A column of the table, or one that a join by row id brings from -x. */
struct source {
    int side;                   /* 1: index of the join's kept texts */
    size_t column;
};

struct reading {
    struct scores *s;
    asc_reader *r, *x;
    asc_join *join;
    size_t value, *by;
    struct source *group, unit;
    int has_unit;
    size_t n_side, *side;       /* columns of -x that are wanted */
    struct asc_text *texts;     /* (n_side) */
    size_t last;                /* series found last */
    size_t *offset, *length;    /* (capacity) units in s->text */
    struct asc_buffer key;
    struct asc_buffer groups;   /* NUL-ended texts of groups seen */
    size_t n_groups, group_room, *group_at;
};

static void *
grow(void *p, size_t n, size_t size)
{
    void *q = realloc(p, n * size + !n);

    if (!q)
        tool_no_memory();
    return q;
}

/* ---- which columns ---- */

static void
find_by(struct reading *g, const struct tool_options *o)
{
    static const char *const usual[] = { "model", "method", "method_a",
                                         "method_b", "metric" };
    struct asc_buffer list = { NULL, 0, 0, 0 };
    size_t i;

    if (o->by) {
        asc_buffer_text(&list, o->by);
    } else {
        for (i = 0; i < sizeof usual / sizeof *usual; i++)
            if (asc_reader_find(g->r, usual[i]) >= 0)
                asc_buffer_print(&list, "%s%s", list.n ? "," : "", usual[i]);
        if (!list.n && !list.failed)
            tool_misuse("%s has no column method or metric: say with --by "
                        "what tells its values apart", g->s->name);
    }
    asc_buffer_char(&list, '\0');
    if (list.failed)
        tool_no_memory();
    g->s->n_by = tool_split(list.p, &g->s->by, &g->s->by_store);
    tool_columns(g->r, list.p, &g->by);
    asc_buffer_free(&list);
}

/* Where a column of -g or --unit is to be had. */
static struct source
find_source(struct reading *g, const struct tool_options *o, const char *name,
            const char *option)
{
    struct source s = { 0, 0 };
    struct asc_error e;
    int j = asc_reader_find(g->r, name);

    if (j >= 0) {
        s.column = (size_t)j;
        return s;
    }
    if (!o->data)
        tool_misuse("%s: %s has no column \"%s\": name the table that has it "
                    "with -x", option, g->s->name, name);
    if (!g->x)
        g->x = tool_side_table(o->data, o);
    g->side = grow(g->side, g->n_side + 1, sizeof *g->side);
    if (asc_reader_require(g->x, name, &g->side[g->n_side], &e)) {
        e.status = ASC_EUSAGE;
        tool_fail(&e);
    }
    s.side = 1;
    s.column = g->n_side++;
    return s;
}

static void
find_columns(struct reading *g, const struct tool_options *o)
{
    struct asc_error e;
    size_t i;

    if (asc_reader_require(g->r, "value", &g->value, &e))
        tool_fail(&e);
    if (asc_reader_id_column(g->r) < 0) {
        asc_fail(&e, ASC_EINPUT, "%s: no column \"row\": is this a score "
                 "table?", g->s->name);
        tool_fail(&e);
    }
    find_by(g, o);
    if (o->group) {
        g->s->n_group_columns = tool_split(o->group, &g->s->group_column,
                                           &g->s->group_store);
        g->group = grow(NULL, g->s->n_group_columns, sizeof *g->group);
        for (i = 0; i < g->s->n_group_columns; i++)
            g->group[i] = find_source(g, o, g->s->group_column[i], "-g");
    }
    if (o->unit) {
        g->has_unit = 1;
        g->unit = find_source(g, o, o->unit, "--unit");
    }
    if (g->x) {
        g->texts = grow(NULL, g->n_side, sizeof *g->texts);
        g->join = asc_join_new(g->x, NULL, g->side, g->n_side, &e);
        if (!g->join)
            tool_fail(&e);
    }
}

/* ---- lines ---- */

/* The series of the current line's key. */
static struct score_series *
find_series(struct reading *g)
{
    struct scores *s = g->s;
    struct score_series *v;
    struct asc_error e;
    size_t i, k;

    g->key.n = 0;
    for (i = 0; i < s->n_by; i++) {
        const struct asc_text t = asc_reader_text(g->r, g->by[i]);

        if (i)
            asc_buffer_char(&g->key, '\t');
        asc_buffer_add(&g->key, t.p, t.n);
    }
    asc_buffer_char(&g->key, '\0');
    if (g->key.failed)
        tool_no_memory();
    /* Series come in turn in a table ordered by rows. */
    for (i = 0; i < s->n_series; i++) {
        k = (g->last + 1 + i) % s->n_series;
        if (!strcmp(s->series[k].key, g->key.p)) {
            g->last = k;
            return &s->series[k];
        }
    }
    s->series = grow(s->series, s->n_series + 1, sizeof *s->series);
    g->last = s->n_series++;
    v = &s->series[g->last];
    memset(v, 0, sizeof *v);
    v->key = strdup(g->key.p);
    if (!v->key)
        tool_no_memory();
    v->ids = asc_ids_new(&e);
    if (!v->ids)
        tool_fail(&e);
    return v;
}

/* The index of a group's text among those seen, which are few: a plain search
 * will do. */
static size_t
find_group(struct reading *g)
{
    struct asc_buffer *b = &g->groups;
    const size_t at = b->n;
    size_t i;

    for (i = 0; i < g->s->n_group_columns; i++) {
        const struct source *c = &g->group[i];
        const struct asc_text t = c->side ? g->texts[c->column]
            : asc_reader_text(g->r, c->column);

        if (asc_reader_missing_text(c->side ? g->x : g->r, t)) {
            b->n = at;
            return SIZE_MAX;
        }
        if (i)
            asc_buffer_char(b, '\t');
        asc_buffer_add(b, t.p, t.n);
    }
    asc_buffer_char(b, '\0');
    if (b->failed)
        tool_no_memory();
    for (i = 0; i < g->n_groups; i++)
        if (!strcmp(b->p + g->group_at[i], b->p + at)) {
            b->n = at;
            return i;
        }
    if (g->n_groups == g->group_room) {
        g->group_room = g->group_room ? 2 * g->group_room : 16;
        g->group_at = grow(g->group_at, g->group_room, sizeof *g->group_at);
    }
    g->group_at[g->n_groups] = at;
    return g->n_groups++;
}

/* Several lines of one row in one series: the user must say what is what. */
static void
refuse_second(const struct reading *g, struct asc_error *e)
{
    static const char *const usual[] = { "method", "method_a", "method_b",
        "metric", "output", "x", "model", "field" };
    struct asc_buffer list = { NULL, 0, 0, 0 }, names = { NULL, 0, 0, 0 };
    const struct asc_error second = *e;
    size_t i, k;

    for (k = 0; k < g->s->n_by; k++)
        asc_buffer_print(&list, "%s,", g->s->by[k]);
    for (i = 0; i < sizeof usual / sizeof *usual; i++) {
        for (k = 0; k < g->s->n_by && strcmp(g->s->by[k], usual[i]); k++)
            ;
        if (k == g->s->n_by && asc_reader_find(g->r, usual[i]) >= 0) {
            asc_buffer_print(&names, "%s%s", names.n ? " or " : "", usual[i]);
            asc_buffer_print(&list, "%s,", usual[i]);
        }
    }
    if (names.n && !names.failed && !list.failed)
        asc_fail(e, ASC_EINPUT, "%s; if %.*s tells them apart, say --by %.*s",
                 second.text, (int)names.n, names.p, (int)list.n - 1, list.p);
    asc_buffer_free(&list);
    asc_buffer_free(&names);
    tool_fail(e);
}

static void
read_line(struct reading *g)
{
    struct scores *s = g->s;
    const struct asc_text id = asc_reader_id(g->r);
    struct score_series *v = find_series(g);
    struct asc_text unit = id;
    struct asc_error e;
    double value;

    if (asc_ids_add(v->ids, id, asc_reader_line(g->r), s->name, "row", &e))
        refuse_second(g, &e);
    if (asc_reader_number(g->r, g->value, &value, &e)
        || (g->join && asc_join_find(g->join, id, NULL, g->texts, &e)))
        tool_fail(&e);
    if (s->n == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 1024;
        s->group = grow(s->group, s->capacity, sizeof *s->group);
        g->offset = grow(g->offset, s->capacity, sizeof *g->offset);
        g->length = grow(g->length, s->capacity, sizeof *g->length);
    }
    if (v->n == v->capacity) {
        v->capacity = v->capacity ? 2 * v->capacity : 256;
        v->value = grow(v->value, v->capacity, sizeof *v->value);
        v->row = grow(v->row, v->capacity, sizeof *v->row);
    }
    g->offset[s->n] = s->text.n;
    if (g->has_unit) {
        unit = g->unit.side ? g->texts[g->unit.column]
            : asc_reader_text(g->r, g->unit.column);
        if (asc_reader_missing_text(g->unit.side ? g->x : g->r, unit)) {
            /* its own; no unit's text begins with a tab */
            unit = id;
            asc_buffer_char(&s->text, '\t');
            s->no_unit++;
        }
    }
    asc_buffer_add(&s->text, unit.p, unit.n);
    g->length[s->n] = s->text.n - g->offset[s->n];
    if (s->text.failed)
        tool_no_memory();
    s->group[s->n] = s->n_group_columns ? find_group(g) : SIZE_MAX;
    s->no_group += s->n_group_columns && s->group[s->n] == SIZE_MAX;
    v->undefined += isnan(value) != 0;
    v->value[v->n] = value;
    v->row[v->n++] = s->n++;
}

/* ---- sorting, so that the order of the lines leaves no trace ---- */

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const struct score_series *)a)->key,
                  ((const struct score_series *)b)->key);
}

struct named { char *name; size_t index; };

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name,
                  ((const struct named *)b)->name);
}

static void
sort_groups(struct reading *g)
{
    struct scores *s = g->s;
    struct named *v = grow(NULL, g->n_groups, sizeof *v);
    size_t *rank = grow(NULL, g->n_groups, sizeof *rank), i;

    s->group_name = grow(NULL, g->n_groups, sizeof *s->group_name);
    for (i = 0; i < g->n_groups; i++) {
        v[i].name = strdup(g->groups.p + g->group_at[i]);
        v[i].index = i;
        if (!v[i].name)
            tool_no_memory();
    }
    if (g->n_groups)
        qsort(v, g->n_groups, sizeof *v, by_name);
    for (i = 0; i < g->n_groups; i++) {
        rank[v[i].index] = i;
        s->group_name[i] = v[i].name;
    }
    s->n_groups = g->n_groups;
    for (i = 0; i < s->n; i++)
        if (s->group[i] != SIZE_MAX)
            s->group[i] = rank[s->group[i]];
    free(rank);
    free(v);
}

asc_writer *
scores_read(struct scores *s, const char *path, const struct tool_options *o)
{
    struct tool_options plain = *o;
    struct reading g;
    struct asc_error e;
    asc_writer *w;
    size_t i;
    int got;

    memset(s, 0, sizeof *s);
    memset(&g, 0, sizeof g);
    memset(&plain.reader, 0, sizeof plain.reader);
    plain.reader.missing = o->reader.missing;
    g.s = s;
    g.r = tool_table(path, &plain);
    s->name = strdup(asc_reader_name(g.r));
    if (!s->name)
        tool_no_memory();
    find_columns(&g, o);
    w = tool_writer(o, g.r, NULL, NULL, NULL);
    while ((got = asc_reader_next(g.r, &e)) == 1)
        read_line(&g);
    if (got < 0)
        tool_fail(&e);
    if (s->no_unit)
        tool_note("%zu of %zu lines have no unit (their rows count as one "
                  "each)", s->no_unit, s->n);
    s->unit = grow(NULL, s->n, sizeof *s->unit);
    for (i = 0; i < s->n; i++)
        s->unit[i] = (struct asc_text){ s->text.p + g.offset[i], g.length[i] };
    for (i = 0; i < s->n_series; i++) {
        asc_ids_free(s->series[i].ids);
        s->series[i].ids = NULL;
    }
    if (s->n_series)
        qsort(s->series, s->n_series, sizeof *s->series, by_key);
    sort_groups(&g);
    asc_join_free(g.join);
    asc_reader_close(g.r);
    asc_buffer_free(&g.key);
    asc_buffer_free(&g.groups);
    free(g.by);
    free(g.group);
    free(g.side);
    free(g.texts);
    free(g.offset);
    free(g.length);
    free(g.group_at);
    return w;
}

void
scores_free(struct scores *s)
{
    size_t i;

    for (i = 0; i < s->n_series; i++) {
        free(s->series[i].key);
        free(s->series[i].value);
        free(s->series[i].row);
    }
    for (i = 0; i < s->n_groups; i++)
        free(s->group_name[i]);
    asc_buffer_free(&s->text);
    free(s->series);
    free(s->group_name);
    free(s->unit);
    free(s->group);
    free(s->by);
    free(s->by_store);
    free(s->group_column);
    free(s->group_store);
    free(s->name);
}

void
scores_show(const char *texts, struct asc_buffer *out)
{
    for (; *texts; texts++)
        asc_buffer_text(out, *texts == '\t' ? ", "
                        : (const char[]){ *texts, '\0' });
    asc_buffer_char(out, '\0');
    if (out->failed)
        tool_no_memory();
}

void
scores_note_undefined(const struct score_series *v)
{
    struct asc_buffer key = { NULL, 0, 0, 0 };

    if (!v->undefined)
        return;
    scores_show(v->key, &key);
    tool_note("%s: %zu of %zu undefined (left out)", key.p, v->undefined,
              v->n);
    asc_buffer_free(&key);
}

void
scores_fail(const struct scores *s, const struct score_series *v,
            struct asc_error *e)
{
    struct asc_buffer key = { NULL, 0, 0, 0 };

    scores_show(v->key, &key);
    asc_fail(e, e->status, "%s: %s: %s", s->name, key.p, e->text);
    tool_fail(e);
}

struct asc_text
scores_key_part(const struct scores *s, const struct score_series *v,
                const char *name)
{
    const char *p = v->key;
    size_t i;

    for (i = 0; i < s->n_by; i++) {
        const size_t n = strcspn(p, "\t");

        if (!strcmp(s->by[i], name))
            return (struct asc_text){ p, n };
        p += n + (p[n] == '\t');
    }
    return (struct asc_text){ "", 0 };
}
