/* convert_rows.c -- rows of attributions by other programs, each with its id,
 * its base and its value: found in the file, in the table of the rows that were
 * explained, and by asking the model.  See convert.h. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/convert.h"

/* base + phi against the model's output, relative to the largest of them: the
 * tolerance of asc-fidelity, far beyond what rounding to float does. */
static const double TOLERANCE = 1e-4;

enum { BLOCK = 512 };           /* rows, and lines, that are pending at most */

/* ---- outputs, ids ---- */

static void
choose_outputs(struct convert_foreign *f, size_t n_outputs)
{
    const size_t k = f->n_named;

    f->n_outputs = n_outputs;
    if (n_outputs == 0 || n_outputs == k)
        return;
    if (f->asked)
        convert_foreign_fail(f, "-c names %zu outputs, the file has %zu", k,
                             n_outputs);
    if (n_outputs == 1 && k == 2) {
        /* the second of two, as everywhere */
        char *first = f->output[0];

        f->output[0] = f->output[1];
        f->output[1] = first;
        f->of_model[0] = f->of_model[1];
        return;
    }
    if (n_outputs == 1 && k)
        tool_misuse("the model has %zu outputs: which of them does the file "
                    "explain? Name it with -c", k);
    if (k)
        convert_foreign_fail(f, "the file has %zu outputs, the model %zu",
                             n_outputs, k);
    /* no names: numbers, as the others count them */
    f->output = realloc(f->output, n_outputs * sizeof *f->output);
    if (!f->output)
        tool_misuse("out of memory");
    while (f->n_named < n_outputs) {
        char text[32];

        snprintf(text, sizeof text, "%zu", f->n_named);
        f->output[f->n_named++] = convert_copy(text, strlen(text));
    }
}

/* How the rows of -x are found. */
static void
match_rows(struct convert_foreign *f, enum convert_ids ids)
{
    struct asc_error e;

    if (!f->data)
        return;
    if (ids == CONVERT_ROW_NAMES && asc_reader_id_column(f->data) < 0)
        convert_foreign_fail(f, "its rows have ids, those of %s are counted: "
                             "name the ids there with --id, or a column row "
                             "here, if they are numbers that count from 1",
                             asc_reader_name(f->data));
    f->in_step = ids == CONVERT_COUNTED;
    if (f->model && asc_bind(&f->binding, asc_model_open_schema(f->model),
                             f->data, &e))
        tool_fail(&e);
    if (!f->in_step) {
        f->join = asc_join_new(f->data, f->model ? &f->binding : NULL, f->kept,
                               f->n_kept, &e);
        if (!f->join)
            tool_fail(&e);
    }
}

/* Says once what was chosen. */
static void
note_choices(const struct convert_foreign *f)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t i;

    for (i = 0; i < f->n_outputs && i < 5; i++)
        asc_buffer_print(&b, "%s%s", i ? ", " : "", f->output[i]);
    if (f->n_outputs > 5)
        asc_buffer_text(&b, ", ...");
    asc_buffer_char(&b, '\0');
    tool_note("method %.*s, output %s, scale %s, value %s",
              (int)f->method.n - 1, f->method.p, f->n_outputs ? b.p : "as the file says",
              tool_scale_name(f->scale),
              f->model ? "from the model" : "base plus attributions");
    asc_buffer_free(&b);
}

void
convert_foreign_begin(struct convert_foreign *f, size_t n_outputs,
                      enum convert_ids ids, int to_long)
{
    const struct tool_options *o = f->o;
    const struct attributions a = { .d = f->d };
    struct asc_buffer *head = &f->sink.head;
    size_t j, d = f->model ? asc_model_schema(f->model)->n : 0;
    struct asc_error e;

    choose_outputs(f, n_outputs);
    if (f->n_bases > 1 && f->n_bases != f->n_outputs)
        tool_misuse("--base: %zu numbers for %zu outputs", f->n_bases,
                    f->n_outputs);
    match_rows(f, ids);
    if ((f->format->traits & CONVERT_RAW) && o->scale == ASC_RESPONSE
        && o->scale_given)
        tool_misuse("--scale: %s explains raw scores", f->format->entry.name);
    f->scale = f->format->traits & CONVERT_RAW ? ASC_RAW
        : f->model ? tool_scale(o, f->model)
        : o->scale_given ? o->scale : ASC_RAW;
    f->x = convert_reserve(BLOCK * d, sizeof *f->x);
    if (attribution_lines_init(&f->lines, &a, BLOCK, &e))
        tool_fail(&e);
    f->row_of = convert_reserve(BLOCK, sizeof *f->row_of);
    f->output_of = convert_reserve(BLOCK, sizeof *f->output_of);
    convert_sink_open(&f->sink, o, to_long, NULL, f->model);
    asc_buffer_text(head, o->label ? "model\trow\tmethod\toutput\tscale\t"
                    : "row\tmethod\toutput\tscale\t");
    for (j = 0; j < f->n_kept; j++)
        asc_buffer_print(head, "%s\t", asc_reader_column(f->data, f->kept[j]));
    for (j = 0; j < f->d; j++)
        convert_sink_field(&f->sink, f->field[j], strlen(f->field[j]));
    convert_sink_begin(&f->sink);
    note_choices(f);
}

size_t
convert_foreign_output(const struct convert_foreign *f, struct asc_text t)
{
    size_t k;

    for (k = 0; k < f->n_named; k++)
        if (strlen(f->output[k]) == t.n && !memcmp(f->output[k], t.p, t.n))
            return k;
    if (f->n_named)
        convert_foreign_fail(f, "output \"%.*s\" is none of %s (%s%s%s)",
                             t.n < 60 ? (int)t.n : 60, t.p, f->asked ? "-c"
                             : "the model's", f->output[0],
                             f->n_named > 1 ? ", " : "", f->n_named > 2
                             ? "..." : f->n_named > 1 ? f->output[1] : "");
    return CONVERT_NONE;
}

/* ---- rows ---- */

/* value of pending line i: y if there is a model, which base and attributions
 * are compared with, else their sum. */
static void
set_value(struct convert_foreign *f, size_t i, const double *y)
{
    struct attribution_lines *b = &f->lines;
    const double *phi = b->phi + i * f->d, base = b->base[i];
    double sum, gap, size = fabs(base);
    struct asc_sum total;
    struct asc_text t = attribution_part(b, i, LINE_ROW);
    struct asc_error e;
    size_t j;

    asc_sum_clear(&total);
    asc_sum_add(&total, base);
    for (j = 0; j < f->d; j++) {
        asc_sum_add(&total, phi[j]);
        size += fabs(phi[j]);
    }
    sum = asc_sum_value(&total);
    f->n_no_base += isnan(base) != 0;
    b->value[i] = y ? *y : sum;
    if (isinf(b->value[i])) {
        asc_fail(&e, ASC_EINPUT, "%s:%zu: row \"%.*s\": its value is "
                 "infinite", f->name, b->line[i], t.n < 60 ? (int)t.n : 60,
                 t.p);
        tool_fail(&e);
    }
    if (!y)
        return;
    gap = fabs(sum - *y) / fmax(size, fabs(*y));
    f->n_checked += !isnan(gap);
    f->n_off += gap > TOLERANCE;
    if (gap > f->worst) {
        f->worst = gap;
        f->worst_row.n = 0;
        asc_buffer_add(&f->worst_row, t.p, t.n);
    }
}

/* Gives the pending lines their value, and writes them. */
static void
flush(struct convert_foreign *f)
{
    const size_t k = f->model ? asc_model_n_outputs(f->model) : 0;
    double *y = convert_reserve(f->n_rows * k, sizeof *y);
    struct asc_buffer key = { NULL, 0, 0, 0 };
    struct attribution_lines *b = &f->lines;
    struct asc_error e;
    size_t i;

    if (f->model && f->n_rows
        && asc_model_evaluate(f->model, f->scale, f->x, f->n_rows, y, &e))
        tool_fail(&e);
    for (i = 0; i < b->n; i++) {
        struct asc_text t;

        set_value(f, i, f->model ? y + f->row_of[i] * k
                  + f->of_model[f->output_of[i]] : NULL);
        key.n = 0;
        attribution_put(b, i, LINE_MODEL, LINE_KEPT, &key);
        asc_buffer_print(&key, "%s\t", tool_scale_name(f->scale));
        attribution_put(b, i, LINE_KEPT, LINE_END, &key);
        if (key.failed || b->text.failed)
            tool_misuse("out of memory");
        t.p = key.p;
        t.n = key.n;
        convert_sink_put(&f->sink, t, b->base[i], b->value[i],
                         b->phi + i * f->d, NULL);
    }
    attribution_lines_clear(b);
    f->n_rows = 0;
    asc_buffer_free(&key);
    free(y);
}

/* The same when the row at hand goes on. */
static void
flush_lines(struct convert_foreign *f)
{
    const size_t d = f->model ? asc_model_schema(f->model)->n : 0;
    const size_t last = f->n_rows - 1;

    flush(f);
    if (d)
        memmove(f->x, f->x + last * d, d * sizeof *f->x);
    f->n_rows = 1;
}

static void
next_in_step(struct convert_foreign *f, double *x)
{
    struct asc_error e;
    const int got = asc_reader_next(f->data, &e);
    struct asc_text t;
    size_t j;

    if (got < 0 || (got && x && asc_bind_row(&f->binding, f->data, x, &e)))
        tool_fail(&e);
    if (!got)
        convert_foreign_fail(f, "this is row %zu, and %s has no more than %zu",
                             f->rows, asc_reader_name(f->data), f->rows - 1);
    t = asc_reader_id(f->data);
    asc_buffer_add(&f->row_text, t.p, t.n);
    for (j = 0; j < f->n_kept; j++)
        f->texts[j] = asc_reader_text(f->data, f->kept[j]);
}

void
convert_foreign_row(struct convert_foreign *f, struct asc_text id)
{
    double *x = NULL;
    struct asc_error e;
    size_t j;

    if (f->n_rows == BLOCK)
        flush(f);
    if (f->model)
        x = f->x + f->n_rows * asc_model_schema(f->model)->n;
    f->n_rows++;
    f->rows++;
    f->row_text.n = f->kept_text.n = 0;
    if (f->in_step) {
        next_in_step(f, x);
    } else if (id.p) {
        if (id.n == 0)
            convert_foreign_fail(f, "the row has no id");
        asc_buffer_add(&f->row_text, id.p, id.n);
        if (f->join && asc_join_find(f->join, id, x, f->texts, &e))
            tool_fail(&e);
    } else {
        const uint64_t first = f->o->reader.first_row;

        asc_buffer_print(&f->row_text, "%llu",
                         (unsigned long long)(first ? first : 1) + f->rows
                         - 1);
    }
    for (j = 0; j < f->n_kept; j++) {
        asc_buffer_add(&f->kept_text, f->texts[j].p, f->texts[j].n);
        asc_buffer_char(&f->kept_text, '\t');
    }
    asc_buffer_char(&f->row_text, '\t');
    if (f->row_text.failed || f->kept_text.failed)
        tool_misuse("out of memory");
}

/* Refuses a second explanation of one output of a row. */
static void
check_once(struct convert_foreign *f, size_t k, struct asc_text output)
{
    struct asc_buffer key = { NULL, 0, 0, 0 };
    struct asc_text t = { f->row_text.p, f->row_text.n - 1 };
    struct asc_error e;

    if (!f->n_outputs) {
        asc_buffer_add(&key, t.p, t.n);
        asc_buffer_text(&key, "\" of output \"");
        asc_buffer_add(&key, output.p, output.n);
        if (key.failed)
            tool_misuse("out of memory");
        t.p = key.p;
        t.n = key.n;
    } else if (k) {
        return;                 /* the first output stands for all of them */
    }
    if (asc_ids_add(f->ids, t, asc_reader_line(f->file), f->name, "row", &e))
        tool_fail(&e);
    asc_buffer_free(&key);
}

static void
add_part(struct attribution_lines *b, int part, const char *p, size_t n)
{
    b->at[b->n * (LINE_PARTS + 1) + (size_t)part] = b->text.n;
    asc_buffer_add(&b->text, p, n);
}

void
convert_foreign_put(struct convert_foreign *f, size_t k,
                    struct asc_text output, double base, const double *phi)
{
    struct attribution_lines *b = &f->lines;
    const char *label = f->o->label;

    if (b->n == BLOCK)
        flush_lines(f);
    if (k != CONVERT_NONE) {
        output.p = f->output[k];
        output.n = strlen(output.p);
    }
    check_once(f, k, output);
    if (isnan(base) && f->n_bases)
        base = f->base[f->n_bases > 1 ? k : 0];
    b->line[b->n] = asc_reader_line(f->file);
    add_part(b, LINE_MODEL, label, label ? strlen(label) : 0);
    if (label)
        asc_buffer_char(&b->text, '\t');
    add_part(b, LINE_ROW, f->row_text.p, f->row_text.n);
    add_part(b, LINE_METHOD, f->method.p, f->method.n);
    add_part(b, LINE_OUTPUT, output.p, output.n);
    asc_buffer_char(&b->text, '\t');
    add_part(b, LINE_KEPT, f->kept_text.p, f->kept_text.n);
    add_part(b, LINE_END, NULL, 0);
    b->scale[b->n] = f->scale;
    b->base[b->n] = base;
    if (f->d)
        memcpy(b->phi + b->n * f->d, phi, f->d * sizeof *phi);
    f->row_of[b->n] = f->n_rows - 1;
    f->output_of[b->n] = k == CONVERT_NONE ? 0 : k;
    b->n++;
}

/* ---- the end ---- */

/* What the model says of base and attributions. */
static int
verdict(const struct convert_foreign *f)
{
    const int promised = (f->format->traits & CONVERT_ADDS_UP) != 0;
    char text[256];

    if (f->n_no_base && f->o->base == NULL)
        tool_note("%zu attributions have no base%s; --base gives it",
                  f->n_no_base, f->model ? "" : ", and so no value");
    if (!f->n_off)
        return TOOL_DONE;
    snprintf(text, sizeof text, "%zu of %zu attributions and their base do "
             "not sum to the model's output (worst: row %.*s, by %.3g%%): are "
             "these the rows, the output and the scale that were explained?",
             f->n_off, f->n_checked,
             f->worst_row.n < 60 ? (int)f->worst_row.n : 60, f->worst_row.p,
             100.0 * f->worst);
    if (promised)
        tool_warn("%s", text);
    else
        tool_note("%s", text);
    return promised ? TOOL_CHECK : TOOL_DONE;
}

static void
check_end(struct convert_foreign *f)
{
    struct asc_error e;
    int more;

    if (!f->in_step || !f->rows)
        return;
    more = asc_reader_next(f->data, &e);
    if (more < 0)
        tool_fail(&e);
    if (more) {
        asc_fail(&e, ASC_EINPUT, "%s has %zu rows, and %s more: are these the "
                 "rows that were explained?", f->name, f->rows,
                 asc_reader_name(f->data));
        tool_fail(&e);
    }
}

static void
free_list(char **v, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        free(v[i]);
    free(v);
}

int
convert_foreign_end(struct convert_foreign *f)
{
    int status;

    flush(f);
    check_end(f);
    convert_sink_close(&f->sink);
    status = verdict(f);
    if (f->join && asc_join_indexed(f->join))
        tool_note("%s: its rows are kept in memory: they come from a pipe, or "
                  "in another order", asc_reader_name(f->data));
    attribution_lines_free(&f->lines);
    if (f->join)
        asc_join_free(f->join);
    else if (f->data)
        asc_reader_close(f->data);
    if (f->model)
        asc_binding_free(&f->binding);
    asc_model_free(f->model);
    asc_reader_close(f->file);
    asc_ids_free(f->ids);
    asc_buffer_free(&f->method);
    asc_buffer_free(&f->row_text);
    asc_buffer_free(&f->kept_text);
    asc_buffer_free(&f->worst_row);
    free_list(f->field, f->d);
    free_list(f->output, f->n_named);
    free(f->of_model);
    free(f->own);
    free(f->base);
    free(f->x);
    free(f->row_of);
    free(f->output_of);
    free(f->texts);
    free(f->kept);
    return status;
}
