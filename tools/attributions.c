/* attributions.c -- reading attribution tables.  See attributions.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tools/attributions.h"

static size_t
require(const asc_reader *r, const char *name)
{
    struct asc_error e;
    size_t j;

    if (asc_reader_require(r, name, &j, &e))
        tool_fail(&e);
    return j;
}

void
attributions_open(struct attributions *a, const char *path, int beside,
                  const struct tool_options *o)
{
    struct tool_options plain = *o;
    struct asc_error e;
    size_t j, n;

    memset(a, 0, sizeof *a);
    memset(&plain.reader, 0, sizeof plain.reader);
    a->reader = beside ? tool_side_table(path, &plain)
        : tool_table(path, &plain);
    a->model = asc_reader_find(a->reader, "model");
    a->row = require(a->reader, "row");
    a->method = require(a->reader, "method");
    a->output = require(a->reader, "output");
    a->scale = require(a->reader, "scale");
    a->base = require(a->reader, "base");
    a->value = require(a->reader, "value");
    n = asc_reader_n_columns(a->reader);
    a->phi = malloc(n * sizeof *a->phi);
    a->field = malloc(n * sizeof *a->field);
    a->kept = malloc(n * sizeof *a->kept);
    if (!a->phi || !a->field || !a->kept)
        tool_no_memory();
    for (j = 0; j < n; j++) {
        const char *c = asc_reader_column(a->reader, j);

        if (!strncmp(c, "phi.", 4)) {
            a->field[a->d] = strdup(c + 4);
            if (!a->field[a->d])
                tool_no_memory();
            a->phi[a->d++] = j;
        } else if (strncmp(c, "se.", 3) && (int)j != a->model && j != a->row
                   && j != a->method && j != a->output && j != a->scale
                   && j != a->base && j != a->value) {
            a->kept[a->n_kept++] = j;
        }
    }
    if (!a->d) {
        asc_fail(&e, ASC_EINPUT, "%s: no columns phi.FIELD: is this an "
                 "attribution table?", asc_reader_name(a->reader));
        tool_fail(&e);
    }
}

void
attributions_close(struct attributions *a)
{
    size_t j;

    for (j = 0; j < a->d; j++)
        free(a->field[j]);
    for (j = 0; j < a->n_series; j++) {
        free(a->series[j].key);
        asc_ids_free(a->series[j].ids);
    }
    free(a->series);
    free(a->field);
    free(a->phi);
    free(a->kept);
    asc_reader_close(a->reader);
}

void
attributions_match(struct attributions *a, const struct asc_schema *s,
                   const char *whose)
{
    size_t *phi = malloc((s->n + !s->n) * sizeof *phi), j;
    char **field = malloc((s->n + !s->n) * sizeof *field);
    struct asc_buffer name = { NULL, 0, 0, 0 };
    struct asc_error e;

    if (!phi || !field)
        tool_no_memory();
    for (j = 0; j < a->d; j++)
        if (asc_schema_find(s, a->field[j]) < 0) {
            asc_fail(&e, ASC_EINPUT, "%s: column \"phi.%s\": %s has no such "
                     "field", asc_reader_name(a->reader), a->field[j], whose);
            tool_fail(&e);
        }
    for (j = 0; j < s->n; j++) {
        name.n = 0;
        asc_buffer_print(&name, "phi.%s", s->field[j].name);
        asc_buffer_char(&name, '\0');
        if (name.failed)
            tool_no_memory();
        phi[j] = require(a->reader, name.p);
        field[j] = strdup(s->field[j].name);
        if (!field[j])
            tool_no_memory();
    }
    for (j = 0; j < a->d; j++)
        free(a->field[j]);
    free(a->field);
    free(a->phi);
    asc_buffer_free(&name);
    a->d = s->n;
    a->field = field;
    a->phi = phi;
}

void
attributions_key_head(const struct attributions *a, struct asc_buffer *out)
{
    asc_buffer_text(out, a->model >= 0 ? "model\trow\tmethod\toutput\t"
                    : "row\tmethod\toutput\t");
}

void
attributions_kept_head(const struct attributions *a, struct asc_buffer *out)
{
    size_t j;

    for (j = 0; j < a->n_kept; j++)
        asc_buffer_print(out, "%s\t",
                         asc_reader_column(a->reader, a->kept[j]));
}

/* ---- lines ---- */

/* Room for `capacity` lines. */
static int
reserve(struct attribution_lines *b, size_t capacity, struct asc_error *e)
{
    const size_t d = b->d + !b->d;
    void *p;

#define GROW(array, each)                                               \
    if (!(p = reallocarray(b->array, capacity, (each) * sizeof *b->array))) \
        return asc_fail(e, ASC_ESYSTEM, "out of memory");               \
    b->array = p
    GROW(at, LINE_PARTS + 1);
    GROW(line, 1);
    GROW(scale, 1);
    GROW(phi, d);
    GROW(base, 1);
    GROW(value, 1);
#undef GROW
    b->capacity = capacity;
    return ASC_OK;
}

int
attribution_lines_init(struct attribution_lines *b,
                       const struct attributions *a, size_t capacity,
                       struct asc_error *e)
{
    memset(b, 0, sizeof *b);
    b->d = a->d;
    if (!reserve(b, capacity, e))
        return ASC_OK;
    attribution_lines_free(b);
    return asc_fail(e, ASC_ESYSTEM, "out of memory");
}

void
attribution_lines_free(struct attribution_lines *b)
{
    asc_buffer_free(&b->text);
    free(b->at);
    free(b->line);
    free(b->scale);
    free(b->phi);
    free(b->base);
    free(b->value);
    memset(b, 0, sizeof *b);
}

void
attribution_lines_clear(struct attribution_lines *b)
{
    b->n = 0;
    b->text.n = 0;
}

/* The series of line b->n.  They come in turn in a table ordered by rows, so
 * the next one is tried first. */
static struct attribution_series *
find_series(struct attributions *a, const struct attribution_lines *b,
            struct asc_error *e)
{
    const size_t *at = b->at + b->n * (LINE_PARTS + 1);
    const char *text = b->text.p;
    const size_t n_model = at[LINE_ROW] - at[LINE_MODEL];
    const size_t n_rest = at[LINE_KEPT] - at[LINE_METHOD];
    struct attribution_series *s;
    size_t i;

    for (i = 0; i < a->n_series; i++) {
        a->last = (a->last + 1) % a->n_series;
        s = &a->series[a->last];
        if (s->n == n_model + n_rest
            && !memcmp(s->key, text + at[LINE_MODEL], n_model)
            && !memcmp(s->key + n_model, text + at[LINE_METHOD], n_rest))
            return s;
    }
    s = realloc(a->series, (a->n_series + 1) * sizeof *s);
    if (!s) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return NULL;
    }
    a->series = s;
    s += a->n_series;
    s->n = n_model + n_rest;
    s->key = malloc(s->n);
    s->ids = asc_ids_new(e);
    if (!s->key || !s->ids) {
        free(s->key);
        asc_ids_free(s->ids);
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return NULL;
    }
    memcpy(s->key, text + at[LINE_MODEL], n_model);
    memcpy(s->key + n_model, text + at[LINE_METHOD], n_rest);
    s->scale = b->scale[b->n];
    s->line = b->line[b->n];
    a->last = a->n_series++;
    return s;
}

/* Refuses a second line of one (model, row, method, output), and a second scale
 * of one (model, method, output): nobody could tell their scores apart. */
static int
check_series(struct attributions *a, const struct attribution_lines *b,
             struct asc_error *e)
{
    const size_t *at = b->at + b->n * (LINE_PARTS + 1);
    const struct asc_text row = { b->text.p + at[LINE_ROW],
                                  at[LINE_METHOD] - at[LINE_ROW] - 1 };
    const char *name = asc_reader_name(a->reader);
    const struct attribution_series *s = find_series(a, b, e);

    if (!s)
        return ASC_ESYSTEM;
    if (s->scale != b->scale[b->n])
        return asc_fail(e, ASC_EINPUT, "%s:%zu: scale %s, where line %zu of "
                        "the same method and output has scale %s: give each "
                        "scale its table, or its label", name, b->line[b->n],
                        tool_scale_name(b->scale[b->n]), s->line,
                        tool_scale_name(s->scale));
    return asc_ids_add(s->ids, row, b->line[b->n], name, "row", e);
}

static void
add_part(struct attribution_lines *b, struct asc_text t)
{
    asc_buffer_add(&b->text, t.p, t.n);
    asc_buffer_char(&b->text, '\t');
}

int
attribution_lines_add(struct attribution_lines *b, struct attributions *a,
                      struct asc_error *e)
{
    const asc_reader *r = a->reader;
    const size_t i = b->n;
    size_t *at, j;
    struct asc_text t;
    int got = asc_reader_next(a->reader, e);

    if (got != 1)
        return got;
    if (i == b->capacity && reserve(b, 2 * b->capacity, e))
        return -1;
    at = b->at + i * (LINE_PARTS + 1);
    b->line[i] = asc_reader_line(r);
    at[LINE_MODEL] = b->text.n;
    if (a->model >= 0)
        add_part(b, asc_reader_text(r, (size_t)a->model));
    at[LINE_ROW] = b->text.n;
    add_part(b, asc_reader_text(r, a->row));
    at[LINE_METHOD] = b->text.n;
    add_part(b, asc_reader_text(r, a->method));
    at[LINE_OUTPUT] = b->text.n;
    add_part(b, asc_reader_text(r, a->output));
    at[LINE_KEPT] = b->text.n;
    for (j = 0; j < a->n_kept; j++)
        add_part(b, asc_reader_text(r, a->kept[j]));
    at[LINE_END] = b->text.n;
    if (b->text.failed) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return -1;
    }
    t = asc_reader_text(r, a->scale);
    if (t.n == 3 && !memcmp(t.p, "raw", 3)) {
        b->scale[i] = ASC_RAW;
    } else if (t.n == 8 && !memcmp(t.p, "response", 8)) {
        b->scale[i] = ASC_RESPONSE;
    } else {
        asc_fail(e, ASC_EINPUT, "%s:%zu: column \"scale\": \"%.*s\" is "
                 "neither raw nor response", asc_reader_name(r), b->line[i],
                 t.n < 60 ? (int)t.n : 60, t.p);
        return -1;
    }
    if (asc_reader_number(r, a->base, &b->base[i], e)
        || asc_reader_number(r, a->value, &b->value[i], e))
        return -1;
    for (j = 0; j < a->d; j++)
        if (asc_reader_number(r, a->phi[j], &b->phi[i * a->d + j], e))
            return -1;
    if (check_series(a, b, e))
        return -1;
    b->n++;
    return 1;
}

int
attribution_lines_copy(struct attribution_lines *b,
                       const struct attribution_lines *from, size_t i,
                       struct asc_error *e)
{
    const size_t *source = from->at + i * (LINE_PARTS + 1);
    size_t *at, k;

    if (b->n == b->capacity && reserve(b, 2 * b->capacity, e))
        return (int)e->status;
    at = b->at + b->n * (LINE_PARTS + 1);
    for (k = 0; k <= LINE_PARTS; k++)
        at[k] = source[k] - source[0] + b->text.n;
    asc_buffer_add(&b->text, from->text.p + source[0],
                   source[LINE_PARTS] - source[0]);
    if (b->text.failed)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    b->line[b->n] = from->line[i];
    b->scale[b->n] = from->scale[i];
    b->base[b->n] = from->base[i];
    b->value[b->n] = from->value[i];
    memcpy(b->phi + b->n * b->d, from->phi + i * b->d,
           b->d * sizeof *b->phi);
    b->n++;
    return ASC_OK;
}

struct asc_text
attribution_part(const struct attribution_lines *b, size_t i, int part)
{
    const size_t *at = b->at + i * (LINE_PARTS + 1);
    struct asc_text t = { b->text.p + at[part], at[part + 1] - at[part] };

    if (t.n)
        t.n--;
    return t;
}

void
attribution_put(const struct attribution_lines *b, size_t i, int from, int to,
                struct asc_buffer *out)
{
    const size_t *at = b->at + i * (LINE_PARTS + 1);

    asc_buffer_add(out, b->text.p + at[from], at[to] - at[from]);
}
