/* convert_sink.c -- attributions written wide, a line for each explanation, or
 * long, a line for each field of it.  See convert.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tools/convert.h"

enum { CHUNK = 1 << 16 };

/* Lines that wait for the last field to be known. */
struct convert_kept {
    struct asc_buffer key;
    size_t n, room;
    struct kept_line {
        size_t key_end, d;      /* d numbers, or twice d with se */
        double base, value;
    } *line;                    /* (n) */
    size_t n_numbers, number_room;
    double *number;             /* (n_numbers) */
};

static void *
grow(void *p, size_t *room, size_t want, size_t size)
{
    if (want <= *room)
        return p;
    *room = want > 2 * *room ? want : 2 * *room;
    p = reallocarray(p, *room, size);
    if (!p)
        tool_misuse("out of memory");
    return p;
}

void
convert_sink_open(struct convert_sink *s, const struct tool_options *o,
                  int is_long, const asc_reader *r, const asc_model *m)
{
    memset(s, 0, sizeof *s);
    s->o = o;
    s->is_long = is_long;
    s->writer = tool_writer(o, r, NULL, m, NULL);
}

void
convert_sink_field(struct convert_sink *s, const char *name, size_t n)
{
    s->field = grow(s->field, &s->room, s->d + 1, sizeof *s->field);
    s->field[s->d] = strndup(name, n);
    if (!s->field[s->d++])
        tool_misuse("out of memory");
}

static void
put_head(struct convert_sink *s)
{
    struct asc_buffer head = { NULL, 0, 0, 0 };
    size_t j;

    asc_buffer_add(&head, s->head.p, s->head.n);
    asc_buffer_text(&head, "base\tvalue");
    if (s->is_long)
        asc_buffer_text(&head, s->se ? "\tfeature\tphi\tse" : "\tfeature\tphi");
    for (j = 0; j < s->d && !s->is_long; j++)
        asc_buffer_print(&head, "\tphi.%s", s->field[j]);
    for (j = 0; j < s->d && !s->is_long && s->se; j++)
        asc_buffer_print(&head, "\tse.%s", s->field[j]);
    asc_buffer_char(&head, '\n');
    tool_put_head(s->writer, &head);
    asc_buffer_free(&head);
}

void
convert_sink_begin(struct convert_sink *s)
{
    if (!s->open)
        put_head(s);
    else if (!(s->kept = calloc(1, sizeof *s->kept)))
        tool_misuse("out of memory");
}

/* Key, base and value. */
static void
put_key(struct convert_sink *s, struct asc_text key, double base, double value)
{
    asc_buffer_add(&s->out, key.p, key.n);
    asc_buffer_number(&s->out, base, s->o->digits);
    asc_buffer_char(&s->out, '\t');
    asc_buffer_number(&s->out, value, s->o->digits);
}

static void
put_number(struct convert_sink *s, double v)
{
    asc_buffer_char(&s->out, '\t');
    asc_buffer_number(&s->out, v, s->o->digits);
}

static void
put_wide(struct convert_sink *s, struct asc_text key, double base,
         double value, const double *phi, const double *se, size_t n)
{
    size_t j;

    put_key(s, key, base, value);
    for (j = 0; j < s->d; j++)
        put_number(s, j < n ? phi[j] : 0.0);
    for (j = 0; j < s->d && s->se; j++)
        put_number(s, j < n ? se[j] : 0.0);
    asc_buffer_char(&s->out, '\n');
}

static void
put_long(struct convert_sink *s, struct asc_text key, double base,
         double value, const double *phi, const double *se)
{
    size_t j;

    for (j = 0; j < s->d; j++) {
        put_key(s, key, base, value);
        asc_buffer_char(&s->out, '\t');
        asc_buffer_text(&s->out, s->field[j]);
        put_number(s, phi[j]);
        if (s->se)
            put_number(s, se[j]);
        asc_buffer_char(&s->out, '\n');
    }
}

static void
keep(struct convert_sink *s, struct asc_text key, double base, double value,
     const double *phi, const double *se)
{
    struct convert_kept *k = s->kept;
    const size_t d = s->d;

    k->line = grow(k->line, &k->room, k->n + 1, sizeof *k->line);
    k->number = grow(k->number, &k->number_room, k->n_numbers + 2 * d,
                     sizeof *k->number);
    asc_buffer_add(&k->key, key.p, key.n);
    if (k->key.failed)
        tool_misuse("out of memory");
    k->line[k->n++] = (struct kept_line){ k->key.n, d, base, value };
    if (d)
        memcpy(k->number + k->n_numbers, phi, d * sizeof *phi);
    k->n_numbers += d;
    if (d && s->se)
        memcpy(k->number + k->n_numbers, se, d * sizeof *se);
    k->n_numbers += s->se ? d : 0;
}

void
convert_sink_put(struct convert_sink *s, struct asc_text key, double base,
                 double value, const double *phi, const double *se)
{
    if (s->is_long)
        put_long(s, key, base, value, phi, se);
    else if (s->open)
        keep(s, key, base, value, phi, se);
    else
        put_wide(s, key, base, value, phi, se, s->d);
    if (s->out.n >= CHUNK)
        tool_put(s->writer, &s->out);
    if (++s->done % 1024 == 0)
        tool_progress(s->done);
}

static void
put_kept(struct convert_sink *s)
{
    struct convert_kept *k = s->kept;
    const double *number = k->number;
    struct asc_text key = { k->key.p, 0 };
    size_t i;

    put_head(s);
    for (i = 0; i < k->n; i++) {
        const struct kept_line *line = &k->line[i];

        key.n = line->key_end - (size_t)(key.p - k->key.p);
        put_wide(s, key, line->base, line->value, number, number + line->d,
                 line->d);
        number += (s->se ? 2 : 1) * line->d;
        key.p += key.n;
        if (s->out.n >= CHUNK)
            tool_put(s->writer, &s->out);
    }
    asc_buffer_free(&k->key);
    free(k->line);
    free(k->number);
    free(k);
}

void
convert_sink_close(struct convert_sink *s)
{
    size_t j;

    if (s->kept)
        put_kept(s);
    tool_put(s->writer, &s->out);
    tool_close(s->writer);
    for (j = 0; j < s->d; j++)
        free(s->field[j]);
    free(s->field);
    asc_buffer_free(&s->head);
    asc_buffer_free(&s->out);
}
