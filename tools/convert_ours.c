/* convert_ours.c -- attributions from a line for each explanation to a line for
 * each field of it, and back.  See convert.h. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/convert.h"

/* ---- wide to long ---- */

void
convert_to_long(const struct tool_options *o, const char *path)
{
    struct attributions a;
    struct attribution_lines lines;
    struct convert_sink s;
    struct asc_buffer name = { NULL, 0, 0, 0 }, key = { NULL, 0, 0, 0 };
    struct asc_error e;
    int *column, got;
    double *se;
    size_t j;

    attributions_open(&a, path, 0, o);
    convert_sink_open(&s, o, 1, a.reader, NULL);
    attributions_key_head(&a, &s.head);
    asc_buffer_text(&s.head, "scale\t");
    attributions_kept_head(&a, &s.head);
    column = convert_reserve(a.d, sizeof *column);
    se = convert_reserve(a.d, sizeof *se);
    for (j = 0; j < a.d; j++) {
        convert_sink_field(&s, a.field[j], strlen(a.field[j]));
        name.n = 0;
        asc_buffer_print(&name, "se.%s", a.field[j]);
        asc_buffer_char(&name, '\0');
        column[j] = name.failed ? -1 : asc_reader_find(a.reader, name.p);
        s.se |= column[j] >= 0;
    }
    convert_sink_begin(&s);
    if (attribution_lines_init(&lines, &a, 1, &e))
        tool_fail(&e);
    while ((got = attribution_lines_add(&lines, &a, &e)) > 0) {
        struct asc_text t;

        for (j = 0; j < a.d && s.se; j++) {
            se[j] = NAN;
            if (column[j] >= 0
                && asc_reader_number(a.reader, (size_t)column[j], &se[j], &e))
                tool_fail(&e);
        }
        key.n = 0;
        attribution_put(&lines, 0, LINE_MODEL, LINE_KEPT, &key);
        asc_buffer_print(&key, "%s\t", tool_scale_name(lines.scale[0]));
        attribution_put(&lines, 0, LINE_KEPT, LINE_END, &key);
        if (key.failed)
            tool_misuse("out of memory");
        t.p = key.p;
        t.n = key.n;
        convert_sink_put(&s, t, lines.base[0], lines.value[0], lines.phi, se);
        attribution_lines_clear(&lines);
    }
    if (got < 0)
        tool_fail(&e);
    convert_sink_close(&s);
    attribution_lines_free(&lines);
    attributions_close(&a);
    asc_buffer_free(&name);
    asc_buffer_free(&key);
    free(column);
    free(se);
}

/* ---- long to wide ---- */

struct run {
    asc_reader *reader;
    int model, se;              /* columns, or -1 */
    size_t row, method, output, scale, base, value, feature, phi;
    size_t n_kept, *kept;
    struct convert_sink sink;
    size_t n_slots, *slot;      /* (n_slots) index of a field, plus 1 */
    size_t room;                /* fields that the arrays below hold */
    double *number, *error;     /* (room) of the explanation at hand */
    size_t *seen;               /* (room) the line that gave it, or 0 */
    struct asc_ids *ids;
    size_t first, last;         /* lines of it */
    size_t n_id, n_key;         /* of its text: up to output, to the kept */
    struct asc_buffer text;
    double base_value, full_value;
    struct asc_buffer next;
};

static size_t
require(const asc_reader *r, const char *name)
{
    struct asc_error e;
    size_t j;

    if (asc_reader_require(r, name, &j, &e))
        tool_fail(&e);
    return j;
}

static void
find_columns(struct run *r)
{
    const asc_reader *t = r->reader;
    const size_t n = asc_reader_n_columns(t);
    size_t j;

    r->model = asc_reader_find(t, "model");
    r->se = asc_reader_find(t, "se");
    r->row = require(t, "row");
    r->method = require(t, "method");
    r->output = require(t, "output");
    r->scale = require(t, "scale");
    r->base = require(t, "base");
    r->value = require(t, "value");
    r->feature = require(t, "feature");
    r->phi = require(t, "phi");
    r->kept = convert_reserve(n, sizeof *r->kept);
    for (j = 0; j < n; j++)
        if ((int)j != r->model && (int)j != r->se && j != r->row
            && j != r->method && j != r->output && j != r->scale
            && j != r->base && j != r->value && j != r->feature
            && j != r->phi)
            r->kept[r->n_kept++] = j;
}

/* The slot of a field's name, or the free one where it would go. */
static size_t
find_slot(const struct run *r, struct asc_text t)
{
    size_t i = asc_hash(t.p, t.n) & (r->n_slots - 1);

    for (; r->slot[i]; i = (i + 1) & (r->n_slots - 1)) {
        const char *name = r->sink.field[r->slot[i] - 1];

        if (strlen(name) == t.n && !memcmp(name, t.p, t.n))
            break;
    }
    return i;
}

static void
index_fields(struct run *r, size_t n_slots)
{
    size_t j;

    free(r->slot);
    r->slot = convert_reserve(n_slots, sizeof *r->slot);
    r->n_slots = n_slots;
    for (j = 0; j < r->sink.d; j++) {
        const struct asc_text t = { r->sink.field[j],
                                    strlen(r->sink.field[j]) };

        r->slot[find_slot(r, t)] = j + 1;
    }
}

static void
make_room(struct run *r)
{
    const size_t before = r->room;
    size_t j;

    if (r->sink.d <= before)
        return;
    r->room = 2 * r->sink.d;
    r->number = reallocarray(r->number, r->room, sizeof *r->number);
    r->error = reallocarray(r->error, r->room, sizeof *r->error);
    r->seen = reallocarray(r->seen, r->room, sizeof *r->seen);
    if (!r->number || !r->error || !r->seen)
        tool_misuse("out of memory");
    for (j = before; j < r->room; j++) {
        r->number[j] = r->error[j] = 0.0;
        r->seen[j] = 0;
    }
}

static void
fail(const struct run *r, const char *what, struct asc_text t)
{
    struct asc_error e;

    asc_fail(&e, ASC_EINPUT, "%s:%zu: %s \"%.*s\"", asc_reader_name(r->reader),
             asc_reader_line(r->reader), what, t.n < 60 ? (int)t.n : 60, t.p);
    tool_fail(&e);
}

static size_t
find_field(struct run *r, struct asc_text t)
{
    size_t i = find_slot(r, t);
    const char *near;
    char *name;

    if (r->slot[i])
        return r->slot[i] - 1;
    if (t.n == 0)
        fail(r, "a feature without a name in row",
             asc_reader_text(r->reader, r->row));
    if (!r->sink.open) {
        struct asc_error e;

        if (!(name = strndup(t.p, t.n)))
            tool_misuse("out of memory");
        near = asc_nearest(name, (const char *const *)r->sink.field,
                           r->sink.d);
        asc_fail(&e, ASC_EINPUT, "%s:%zu: feature \"%.60s\" is none of "
                 "--fields%s%s%s", asc_reader_name(r->reader),
                 asc_reader_line(r->reader), name,
                 near ? "; did you mean \"" : "", near ? near : "",
                 near ? "\"?" : "");
        tool_fail(&e);
    }
    convert_sink_field(&r->sink, t.p, t.n);
    make_room(r);
    r->slot[i] = r->sink.d;
    if (2 * r->sink.d > r->n_slots)
        index_fields(r, 2 * r->n_slots);
    return r->sink.d - 1;
}

static void
add_text(struct run *r, size_t column)
{
    const struct asc_text t = asc_reader_text(r->reader, column);

    asc_buffer_add(&r->next, t.p, t.n);
    asc_buffer_char(&r->next, '\t');
}

/* Writes the explanation at hand, if there is one. */
static void
finish(struct run *r)
{
    const struct asc_text key = { r->text.p, r->n_key };
    size_t j;

    if (!r->first)
        return;
    convert_sink_put(&r->sink, key, r->base_value, r->full_value, r->number,
                     r->error);
    for (j = 0; j < r->sink.d; j++) {
        r->number[j] = r->error[j] = 0.0;
        r->seen[j] = 0;
    }
}

/* The explanation that the line at hand belongs to: the last one, or a new
 * one. */
static void
find_explanation(struct run *r)
{
    const asc_reader *t = r->reader;
    size_t n_id, n_key, k;
    struct asc_buffer old;
    struct asc_error e;
    struct asc_text id;

    r->next.n = 0;
    if (r->model >= 0)
        add_text(r, (size_t)r->model);
    add_text(r, r->row);
    add_text(r, r->method);
    add_text(r, r->output);
    n_id = r->next.n;
    add_text(r, r->scale);
    for (k = 0; k < r->n_kept; k++)
        add_text(r, r->kept[k]);
    n_key = r->next.n;
    add_text(r, r->base);
    add_text(r, r->value);
    if (r->next.failed)
        tool_misuse("out of memory");
    if (r->first && n_id == r->n_id && !memcmp(r->next.p, r->text.p, n_id)) {
        if (r->next.n == r->text.n
            && !memcmp(r->next.p, r->text.p, r->text.n))
            return;
        asc_fail(&e, ASC_EINPUT, "%s:%zu: scale, base, value or a kept column "
                 "is another one than on line %zu, of the same explanation",
                 asc_reader_name(t), asc_reader_line(t), r->first);
        tool_fail(&e);
    }
    finish(r);
    old = r->text;
    r->text = r->next;
    r->next = old;
    r->first = asc_reader_line(t);
    r->n_id = n_id;
    r->n_key = n_key;
    id.p = r->text.p;
    id.n = n_id - 1;
    if (asc_ids_add(r->ids, id, r->first, asc_reader_name(t),
                    "the lines of an explanation stand apart:", &e)
        || asc_reader_number(t, r->base, &r->base_value, &e)
        || asc_reader_number(t, r->value, &r->full_value, &e))
        tool_fail(&e);
}

static void
read_line(struct run *r)
{
    const asc_reader *t = r->reader;
    struct asc_error e;
    size_t j;

    find_explanation(r);
    j = find_field(r, asc_reader_text(t, r->feature));
    if (r->seen[j]) {
        asc_fail(&e, ASC_EINPUT, "%s:%zu: feature \"%.60s\" is there twice in "
                 "one explanation, first on line %zu", asc_reader_name(t),
                 asc_reader_line(t), r->sink.field[j], r->seen[j]);
        tool_fail(&e);
    }
    r->seen[j] = asc_reader_line(t);
    if (asc_reader_number(t, r->phi, &r->number[j], &e)
        || (r->se >= 0
            && asc_reader_number(t, (size_t)r->se, &r->error[j], &e)))
        tool_fail(&e);
}

static void
begin(struct run *r, const struct tool_options *o)
{
    struct asc_buffer *head = &r->sink.head;
    char **piece, *store;
    size_t i, n;

    convert_sink_open(&r->sink, o, 0, r->reader, NULL);
    asc_buffer_text(head, r->model >= 0 ? "model\trow\tmethod\toutput\tscale\t"
                    : "row\tmethod\toutput\tscale\t");
    for (i = 0; i < r->n_kept; i++)
        asc_buffer_print(head, "%s\t", asc_reader_column(r->reader,
                                                         r->kept[i]));
    r->sink.se = r->se >= 0;
    r->sink.open = !o->fields;
    if (o->fields) {
        n = tool_split(o->fields, &piece, &store);
        for (i = 0; i < n; i++)
            convert_sink_field(&r->sink, piece[i], strlen(piece[i]));
        free(piece);
        free(store);
    }
    for (n = 64; n < 2 * r->sink.d; n *= 2)
        ;
    index_fields(r, n);
    make_room(r);
    convert_sink_begin(&r->sink);
}

void
convert_to_wide(const struct tool_options *o, const char *path)
{
    struct run r;
    struct asc_error e;
    int got;

    memset(&r, 0, sizeof r);
    r.reader = tool_table(path, o);
    find_columns(&r);
    if (!(r.ids = asc_ids_new(&e)))
        tool_fail(&e);
    begin(&r, o);
    while ((got = asc_reader_next(r.reader, &e)) > 0)
        read_line(&r);
    if (got < 0)
        tool_fail(&e);
    finish(&r);
    convert_sink_close(&r.sink);
    asc_reader_close(r.reader);
    asc_ids_free(r.ids);
    asc_buffer_free(&r.text);
    asc_buffer_free(&r.next);
    free(r.kept);
    free(r.slot);
    free(r.number);
    free(r.error);
    free(r.seen);
}
