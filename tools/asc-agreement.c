/* asc-agreement -- do two explanations of one row say the same? */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/attributions.h"

enum { BLOCK_LINES = 1024, MAX_TABLES = 64 };

static const struct tool_use options[] = {
    { OPT_METRIC, "metrics (default: all of them)" },
    { OPT_DIGITS, NULL }, { OPT_THREADS, NULL }, { OPT_PROVENANCE, NULL },
    { OPT_OUTPUT, NULL }, { OPT_LIST, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-agreement",
    .synopsis = "[-M METRIC[,METRIC...]] [OPTION]... [ATTRIBUTIONS]...",
    .purpose = "Measure how far the attributions of a row by several methods "
        "agree.",
    .uses = options,
    .entries = asc_agreement_entries,
    .entry = "metric",
    .max_operands = MAX_TABLES
};

struct metric {
    const struct asc_agreement *agreement;
    struct asc_buffer text;
    size_t undefined;
};

/* A table, read one line ahead. */
struct input {
    struct attributions table;
    struct attribution_lines next;      /* one line, or none at the end */
};

struct run {
    const struct tool_options *o;
    size_t n_inputs;
    struct input *input;        /* (n_inputs) */
    struct asc_specs specs;
    struct metric *metric;      /* (specs.n) */
    struct asc_ids *rows;       /* the rows before the current one */
    asc_writer *writer;
    size_t done, lines, pairs;
    size_t alone;               /* lines that are in no pair */
};

struct block {
    struct attribution_lines lines;
    size_t *table;              /* (lines.capacity) which input */
    size_t n_groups, room;
    size_t *group;              /* (n_groups + 1) first lines of the rows */
    size_t pairs, alone;
    size_t *undefined;          /* (n_metrics) */
    struct asc_buffer out;
};

static void
drop_block(void *context, void *block)
{
    struct block *b = block;

    (void)context;
    if (!b)
        return;
    attribution_lines_free(&b->lines);
    asc_buffer_free(&b->out);
    free(b->table);
    free(b->group);
    free(b->undefined);
    free(b);
}

static void *
make_block(void *context, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = calloc(1, sizeof *b);

    if (b && (b->undefined = calloc(r->specs.n, sizeof *b->undefined))
        && !attribution_lines_init(&b->lines, &r->input[0].table, BLOCK_LINES,
                                   e))
        return b;
    asc_fail(e, ASC_ESYSTEM, "out of memory");
    drop_block(r, b);
    return NULL;
}

static int
advance(struct input *in, struct asc_error *e)
{
    attribution_lines_clear(&in->next);
    return attribution_lines_add(&in->next, &in->table, e);
}

static int
same_part(const struct attribution_lines *a, size_t i,
          const struct attribution_lines *b, size_t k, int part)
{
    const struct asc_text s = attribution_part(a, i, part);
    const struct asc_text t = attribution_part(b, k, part);

    return s.n == t.n && (!s.n || !memcmp(s.p, t.p, s.n));
}

static int
same_row(const struct attribution_lines *a, size_t i,
         const struct attribution_lines *b, size_t k)
{
    return same_part(a, i, b, k, LINE_ROW)
        && same_part(a, i, b, k, LINE_MODEL);
}

/* Remembers which table the line just added came from. */
static int
note_table(struct block *b, size_t k, struct asc_error *e)
{
    const size_t n = b->lines.n;
    void *p;

    if (!b->table || n > b->room) {
        b->room = b->lines.capacity;
        if (!(p = realloc(b->table, b->room * sizeof *b->table)))
            return asc_fail(e, ASC_ESYSTEM, "out of memory");
        b->table = p;
        if (!(p = realloc(b->group, (b->room + 1) * sizeof *b->group)))
            return asc_fail(e, ASC_ESYSTEM, "out of memory");
        b->group = p;
    }
    b->table[n - 1] = k;
    return ASC_OK;
}

/* Says how table k departs from the first one at the row of line `first`, or
 * behind its end. */
static void
refuse_row(const struct run *r, const struct block *b, size_t first, size_t k,
           struct asc_error *e)
{
    const struct attribution_lines *next = &r->input[k].next;
    const char *lead = asc_reader_name(r->input[0].table.reader);
    const char *name = asc_reader_name(r->input[k].table.reader);
    const int ended = b->lines.n == first;
    const struct asc_text want = ended ? (struct asc_text){ "", 0 }
        : attribution_part(&b->lines, first, LINE_ROW);
    const struct asc_text have = next->n
        ? attribution_part(next, 0, LINE_ROW) : want;

    if (ended)
        asc_fail(e, ASC_EINPUT, "%s:%zu: row %.*s, which %s has not: the "
                 "tables must hold the same rows in the same order", name,
                 next->line[0], (int)have.n, have.p, lead);
    else if (!next->n)
        asc_fail(e, ASC_EINPUT, "%s: ends before row %.*s, which %s:%zu has: "
                 "the tables must hold the same rows in the same order", name,
                 (int)want.n, want.p, lead, b->lines.line[first]);
    else if (same_part(&b->lines, first, next, 0, LINE_ROW))
        asc_fail(e, ASC_EINPUT, "%s:%zu: another model than in %s:%zu: methods "
                 "are compared on one model", name, next->line[0], lead,
                 b->lines.line[first]);
    else
        asc_fail(e, ASC_EINPUT, "%s:%zu: row %.*s, where %s:%zu has row %.*s: "
                 "the tables must hold the same rows in the same order", name,
                 next->line[0], (int)have.n, have.p, lead,
                 b->lines.line[first], (int)want.n, want.p);
}

/* All lines of the next row, of every table: 1, 0 at the end, -1. */
static int
read_row(struct run *r, struct block *b, struct asc_error *e)
{
    const size_t first = b->lines.n;
    size_t k;

    for (k = 0; k < r->n_inputs; k++) {
        struct input *in = &r->input[k];
        const int any = b->lines.n > first;

        if (k && (any || in->next.n)
            && !(any && in->next.n
                 && same_row(&b->lines, first, &in->next, 0))) {
            refuse_row(r, b, first, k, e);
            return -1;
        }
        while (in->next.n
               && (b->lines.n == first
                   || same_row(&b->lines, first, &in->next, 0)))
            if (attribution_lines_copy(&b->lines, &in->next, 0, e)
                || note_table(b, k, e) || advance(in, e) < 0)
                return -1;
    }
    return b->lines.n > first;
}

/* A row whose lines are in two places would be compared in part only. */
static int
check_once(struct run *r, const struct block *b, size_t first,
           struct asc_error *e)
{
    const struct attribution_lines *v = &b->lines;
    const struct asc_text model = attribution_part(v, first, LINE_MODEL);
    const struct asc_text row = attribution_part(v, first, LINE_ROW);
    const struct asc_text key = {
        model.p, (size_t)(row.p + row.n - model.p)
    };
    const char *name = asc_reader_name(r->input[0].table.reader);

    if (!asc_ids_add(r->rows, key, v->line[first], name, "row", e))
        return ASC_OK;
    if (e->status != ASC_EINPUT)
        return (int)e->status;
    return asc_fail(e, ASC_EINPUT, "%s:%zu: row %.*s once more, after others: "
                    "order the table by row, or name a table for each method",
                    name, v->line[first], row.n < 60 ? (int)row.n : 60, row.p);
}

static int
fill(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    int got;

    attribution_lines_clear(&b->lines);
    b->n_groups = 0;
    while (b->lines.n < BLOCK_LINES) {
        const size_t first = b->lines.n;

        got = read_row(r, b, e);
        if (got < 0)
            return -1;
        if (!got)
            break;
        if (check_once(r, b, first, e))
            return -1;
        b->group[b->n_groups++] = first;
    }
    if (b->n_groups)
        b->group[b->n_groups] = b->lines.n;
    return b->n_groups > 0;
}

/* first: the row's first line, which is of the first table, whose kept columns
 * are those of the result. */
static int
compare(struct run *r, struct block *b, size_t first, size_t i, size_t k,
        struct asc_error *e)
{
    const struct attribution_lines *v = &b->lines;
    const size_t kept = b->table[i] ? first : i;
    const struct asc_text method = attribution_part(v, i, LINE_METHOD);
    size_t s;
    double value;

    if (same_part(v, i, v, k, LINE_METHOD))
        return asc_fail(e, ASC_EINPUT, "%s:%zu: method %.*s explains this row "
                        "in %s:%zu too",
                        asc_reader_name(r->input[b->table[k]].table.reader),
                        v->line[k], method.n < 60 ? (int)method.n : 60,
                        method.p,
                        asc_reader_name(r->input[b->table[i]].table.reader),
                        v->line[i]);
    if (v->scale[i] != v->scale[k])
        return asc_fail(e, ASC_EINPUT, "%s:%zu: scale %s cannot be compared "
                        "with scale %s in %s:%zu",
                        asc_reader_name(r->input[b->table[k]].table.reader),
                        v->line[k], tool_scale_name(v->scale[k]),
                        tool_scale_name(v->scale[i]),
                        asc_reader_name(r->input[b->table[i]].table.reader),
                        v->line[i]);
    b->pairs++;
    for (s = 0; s < r->specs.n; s++) {
        const struct metric *m = &r->metric[s];

        if (m->agreement->measure(v->phi + i * v->d, v->phi + k * v->d, v->d,
                                  &r->specs.v[s], &value, e))
            return (int)e->status;
        b->undefined[s] += isnan(value) != 0;
        attribution_put(v, i, LINE_MODEL, LINE_OUTPUT, &b->out);
        attribution_put(v, k, LINE_METHOD, LINE_KEPT, &b->out);
        asc_buffer_add(&b->out, m->text.p, m->text.n);
        asc_buffer_char(&b->out, '\t');
        attribution_put(v, kept, LINE_KEPT, LINE_END, &b->out);
        asc_buffer_number(&b->out, value, r->o->digits);
        asc_buffer_char(&b->out, '\n');
    }
    return ASC_OK;
}

/* The pairs of lines first..end-1, which are of one row. */
static int
compare_row(struct run *r, struct block *b, size_t first, size_t end,
            struct asc_error *e)
{
    size_t i, k;

    for (i = first; i < end; i++) {
        int alone = 1;

        for (k = first; k < end; k++) {
            if (k == i || !same_part(&b->lines, i, &b->lines, k, LINE_OUTPUT))
                continue;
            alone = 0;
            if (k > i && compare(r, b, first, i, k, e))
                return (int)e->status;
        }
        b->alone += (size_t)alone;
    }
    return ASC_OK;
}

static int
measure(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    size_t g;

    b->pairs = b->alone = 0;
    memset(b->undefined, 0, r->specs.n * sizeof *b->undefined);
    for (g = 0; g < b->n_groups; g++)
        if (compare_row(r, b, b->group[g], b->group[g + 1], e))
            return (int)e->status;
    return ASC_OK;
}

static int
print(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    size_t s;

    for (s = 0; s < r->specs.n; s++)
        r->metric[s].undefined += b->undefined[s];
    r->pairs += b->pairs;
    r->alone += b->alone;
    r->lines += b->lines.n;
    r->done += b->n_groups;
    tool_progress(r->done);
    return asc_writer_put(r->writer, &b->out, e);
}

static void
header(struct run *r)
{
    struct asc_buffer out = { NULL, 0, 0, 0 };

    asc_buffer_text(&out, r->input[0].table.model >= 0 ? "model\trow" : "row");
    asc_buffer_text(&out, "\tmethod_a\tmethod_b\toutput\tmetric\t");
    attributions_kept_head(&r->input[0].table, &out);
    asc_buffer_text(&out, "value\n");
    tool_put_head(r->writer, &out);
    asc_buffer_free(&out);
}

static void
prepare(struct run *r)
{
    size_t n, s;
    const struct asc_entry *const *entries = asc_agreement_entries(&n);
    const struct asc_agreement *const *agreements = asc_agreements(&n);
    struct asc_buffer all = { NULL, 0, 0, 0 };

    for (s = 0; s < n; s++)
        asc_buffer_print(&all, "%s%s", s ? "," : "", entries[s]->name);
    asc_buffer_char(&all, '\0');
    if (all.failed)
        tool_no_memory();
    tool_specs(r->o, tool_text(&r->o->specs) ? tool_text(&r->o->specs)
               : all.p, entries, n, "metric", &r->specs);
    asc_buffer_free(&all);
    tool_specs_once(&r->specs);
    r->metric = calloc(r->specs.n, sizeof *r->metric);
    if (!r->metric)
        tool_no_memory();
    for (s = 0; s < r->specs.n; s++) {
        size_t i;

        asc_spec_text(&r->specs.v[s], &r->metric[s].text);
        tool_whole(&r->metric[s].text);
        for (i = 0; i < n; i++)
            if (&agreements[i]->entry == r->specs.v[s].entry)
                r->metric[s].agreement = agreements[i];
    }
}

static int
all_empty(const struct tool_options *o)
{
    struct stat st;
    size_t k;

    for (k = 0; k < o->n_operands; k++)
        if (stat(o->operands[k], &st) || !S_ISREG(st.st_mode) || st.st_size)
            return 0;
    return 1;
}

/* All tables explain the same fields; the first says in which order. */
static void
open_tables(struct run *r)
{
    const int beside = r->o->n_operands > 1 && !all_empty(r->o);
    struct asc_schema s = { 0, NULL };
    struct asc_error e;
    size_t k, j;

    r->n_inputs = r->o->n_operands ? r->o->n_operands : 1;
    r->input = calloc(r->n_inputs, sizeof *r->input);
    if (!r->input)
        tool_no_memory();
    for (k = 0; k < r->n_inputs; k++) {
        struct attributions *a = &r->input[k].table;

        attributions_open(a, r->o->n_operands ? r->o->operands[k] : NULL,
                          beside, r->o);
        if (!k) {
            s.n = a->d;
            s.field = calloc(a->d, sizeof *s.field);
            if (!s.field)
                tool_no_memory();
            for (j = 0; j < a->d; j++)
                s.field[j].name = a->field[j];
        } else {
            attributions_match(a, &s,
                               asc_reader_name(r->input[0].table.reader));
        }
        if (attribution_lines_init(&r->input[k].next, a, 1, &e)
            || advance(&r->input[k], &e) < 0)
            tool_fail(&e);
    }
    free(s.field);
}

/* Of several rows, one pair at least. */
static void
check_pairs(const struct run *r)
{
    struct asc_error e;

    if (!r->done || r->pairs)
        return;
    asc_fail(&e, ASC_EINPUT, r->lines > r->done
             ? "%s: the methods explain different outputs of each row"
             : "%s: no row has attributions by two methods next to each "
             "other: order the table by row, or name a table for each "
             "method", asc_reader_name(r->input[0].table.reader));
    tool_fail(&e);
}

/* Says what is left out, and what is undefined. */
static void
note(const struct run *r)
{
    size_t s;

    if (r->alone)
        tool_note("%zu of %zu attributions are the only one of their row and "
                  "output (left out)", r->alone, r->lines);
    for (s = 0; s < r->specs.n; s++)
        if (r->metric[s].undefined)
            tool_note("%.*s: %zu of %zu undefined (left empty)",
                      (int)r->metric[s].text.n, r->metric[s].text.p,
                      r->metric[s].undefined, r->pairs);
}

int
main(int argc, char **argv)
{
    static const struct asc_loop loop = { make_block, drop_block, fill,
                                          measure, print };
    struct tool_options o;
    struct run r;
    struct asc_error e;
    size_t s;

    tool_start(&tool, argc, argv, &o);
    memset(&r, 0, sizeof r);
    r.o = &o;
    open_tables(&r);
    prepare(&r);
    r.writer = tool_writer(&o, r.input[0].table.reader, tool_text(&o.specs),
                           NULL, NULL);
    header(&r);
    r.rows = asc_ids_new(&e);
    if (!r.rows || asc_loop_run(&loop, &r, o.threads, &e))
        tool_fail(&e);
    check_pairs(&r);
    tool_close(r.writer);
    note(&r);
    for (s = 0; s < r.specs.n; s++)
        asc_buffer_free(&r.metric[s].text);
    for (s = 0; s < r.n_inputs; s++) {
        attribution_lines_free(&r.input[s].next);
        attributions_close(&r.input[s].table);
    }
    free(r.input);
    free(r.metric);
    asc_ids_free(r.rows);
    asc_specs_free(&r.specs);
    return tool_end(&o, TOOL_DONE);
}
