/* asc-fidelity -- do the fields that an explanation names move the model? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/attributions.h"
#include "tools/views.h"

enum { BLOCK_ROWS = 512 };

/* `value' in the table against f(row): tables may be rounded to 6 digits, and
 * float models differ by 1e-6 or so of what they add up, base and all, which
 * may come close to cancelling out. */
static const double VALUE_TOLERANCE = 1e-4;

#define USUAL_METRICS "comprehensiveness,sufficiency"

static const struct tool_use options[] = {
    { OPT_MODEL, NULL }, { OPT_DATA, NULL },
    { OPT_METRIC, "metrics (default " USUAL_METRICS ")" },
    { OPT_BACKGROUND, NULL }, { OPT_CURVE, NULL }, { OPT_SEED, NULL },
    { OPT_ID, "column of row ids in the data (default row, if any)" },
    { OPT_KEEP, NULL }, { OPT_FIRST_ROW, NULL },
    { OPT_NO_HEADER, NULL }, { OPT_COLUMNS, NULL }, { OPT_MISSING, NULL },
    { OPT_DIGITS, NULL }, { OPT_THREADS, NULL }, { OPT_PROVENANCE, NULL },
    { OPT_OUTPUT, NULL }, { OPT_LIST, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-fidelity",
    .synopsis = "-m MODEL -x DATA [-M METRIC[,METRIC...]] [OPTION]... "
        "[ATTRIBUTIONS]",
    .purpose = "Score attributions by what the model does when the fields "
        "they name change.",
    .uses = options,
    .takes_model = 1,
    .entries = asc_fidelity_entries,
    .entry = "metric",
    .max_operands = 1
};

struct metric {
    const struct asc_metric *metric;
    struct asc_buffer text;
    size_t n_points;
    size_t undefined;
};

/* A metric made ready for a view. */
struct ready {
    struct asc_metric_task task;
    void *state;
};

struct run {
    const struct tool_options *o;
    struct attributions table;
    asc_model *model;
    struct tool_views views;
    asc_reader *data;
    struct asc_binding binding;
    asc_join *join;
    size_t *kept, n_kept;       /* columns of the data */
    struct asc_background background;
    const struct asc_background *absent;        /* that, or NULL: none */
    int ready;                  /* metrics have what they need */
    struct asc_specs specs;
    struct metric *metric;      /* (specs.n) */
    size_t n_points;            /* most of any metric */
    asc_writer *writer;
    size_t done;
};

struct block {
    struct attribution_lines lines;
    double *x;                  /* (BLOCK_ROWS, d) */
    struct asc_buffer kept;     /* texts of the kept columns of the data */
    size_t *kept_at;            /* (BLOCK_ROWS + 1) */
    struct tool_view **view;    /* (BLOCK_ROWS) of each line */
    size_t *output;             /* (BLOCK_ROWS) of the view */
    double *y;                  /* (BLOCK_ROWS, n_outputs) */
    size_t *place;              /* (BLOCK_ROWS) of a line in what follows,
                                   where those of one view are together */
    size_t *order;              /* (BLOCK_ROWS) the lines in that order */
    struct asc_score sorted;
    struct tool_view **sorted_view;     /* (BLOCK_ROWS) */
    struct asc_text *id;        /* (BLOCK_ROWS) */
    size_t *sorted_output;      /* (BLOCK_ROWS) */
    double *rows, *phi;         /* (BLOCK_ROWS, d) if lines are moved */
    double *base, *value;       /* (BLOCK_ROWS) likewise */
    enum asc_scale *scale;      /* (BLOCK_ROWS) likewise */
    double *result;             /* (n_metrics, BLOCK_ROWS) */
    double *curve_x, *curve_y;  /* (n_metrics, BLOCK_ROWS, n_points) */
    struct asc_text *texts;     /* (n_kept) */
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
    asc_buffer_free(&b->kept);
    asc_buffer_free(&b->out);
    free(b->x);
    free(b->kept_at);
    free(b->view);
    free(b->output);
    free(b->place);
    free(b->order);
    free(b->sorted_view);
    free(b->id);
    free(b->sorted_output);
    free(b->rows);
    free(b->phi);
    free(b->base);
    free(b->value);
    free(b->scale);
    free(b->y);
    free(b->result);
    free(b->curve_x);
    free(b->curve_y);
    free(b->texts);
    free(b);
}

static void *
make_block(void *context, struct asc_error *e)
{
    struct run *r = context;
    const size_t d = r->table.d, k = asc_model_n_outputs(r->model);
    struct block *b = calloc(1, sizeof *b);

    if (b) {
        b->x = malloc(BLOCK_ROWS * (d + !d) * sizeof *b->x);
        b->kept_at = malloc((BLOCK_ROWS + 1) * sizeof *b->kept_at);
        b->view = malloc(BLOCK_ROWS * sizeof *b->view);
        b->output = malloc(BLOCK_ROWS * sizeof *b->output);
        b->place = malloc(BLOCK_ROWS * sizeof *b->place);
        b->order = malloc(BLOCK_ROWS * sizeof *b->order);
        b->sorted_view = malloc(BLOCK_ROWS * sizeof *b->sorted_view);
        b->id = malloc(BLOCK_ROWS * sizeof *b->id);
        b->sorted_output = malloc(BLOCK_ROWS * sizeof *b->sorted_output);
        b->rows = malloc(BLOCK_ROWS * (d + !d) * sizeof *b->rows);
        b->phi = malloc(BLOCK_ROWS * (d + !d) * sizeof *b->phi);
        b->base = malloc(BLOCK_ROWS * sizeof *b->base);
        b->value = malloc(BLOCK_ROWS * sizeof *b->value);
        b->scale = malloc(BLOCK_ROWS * sizeof *b->scale);
        b->y = malloc(BLOCK_ROWS * k * sizeof *b->y);
        b->result = malloc(BLOCK_ROWS * r->specs.n * sizeof *b->result);
        b->curve_x = malloc(BLOCK_ROWS * r->specs.n * (r->n_points + 1)
                            * sizeof *b->curve_x);
        b->curve_y = malloc(BLOCK_ROWS * r->specs.n * (r->n_points + 1)
                            * sizeof *b->curve_y);
        b->texts = malloc((r->n_kept + 1) * sizeof *b->texts);
    }
    if (!b || !b->x || !b->kept_at || !b->view || !b->output || !b->place
        || !b->order || !b->sorted_view || !b->id || !b->sorted_output
        || !b->rows || !b->phi || !b->base || !b->value || !b->scale || !b->y
        || !b->result || !b->curve_x || !b->curve_y || !b->texts) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        drop_block(r, b);
        return NULL;
    }
    if (attribution_lines_init(&b->lines, &r->table, BLOCK_ROWS, e)) {
        drop_block(r, b);
        return NULL;
    }
    return b;
}

/* Lines of the table, each with its row of the data. */
static int
fill(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    size_t i, j;
    int got = 1;

    attribution_lines_clear(&b->lines);
    b->kept.n = 0;
    for (i = 0; i < BLOCK_ROWS; i++) {
        got = attribution_lines_add(&b->lines, &r->table, e);
        if (got != 1)
            break;
        if (asc_join_find(r->join, attribution_part(&b->lines, i, LINE_ROW),
                          b->x + i * r->table.d, b->texts, e))
            return -1;
        b->kept_at[i] = b->kept.n;
        for (j = 0; j < r->n_kept; j++) {
            asc_buffer_add(&b->kept, b->texts[j].p, b->texts[j].n);
            asc_buffer_char(&b->kept, '\t');
        }
        b->kept_at[i + 1] = b->kept.n;
    }
    if (b->kept.failed) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return -1;
    }
    return got < 0 ? -1 : b->lines.n > 0;
}

/* Which view of the model each line explains, and which of its outputs. */
static int
find_views(struct run *r, struct block *b, struct asc_error *e)
{
    char where[4200];
    size_t i;

    for (i = 0; i < b->lines.n; i++) {
        const struct asc_text name = attribution_part(&b->lines, i,
                                                      LINE_OUTPUT);

        snprintf(where, sizeof where, "%s:%zu",
                 asc_reader_name(r->table.reader), b->lines.line[i]);
        b->view[i] = tool_view_named(&r->views, name, b->lines.scale[i],
                                     where, &b->output[i], e);
        if (!b->view[i])
            return (int)e->status;
    }
    return ASC_OK;
}

/* Puts the lines of one view next to each other. */
static void
sort_lines(const struct run *r, struct block *b)
{
    const struct attribution_lines *v = &b->lines;
    const size_t d = r->table.d;
    const int moved = tool_views_sort(b->view, v->n, b->order);
    size_t i;

    for (i = 0; i < v->n; i++) {
        const size_t k = b->order[i];

        b->place[k] = i;
        b->id[i] = attribution_part(v, k, LINE_ROW);
        b->sorted_view[i] = b->view[k];
        b->sorted_output[i] = b->output[k];
        if (!moved)
            continue;
        memcpy(b->rows + i * d, b->x + k * d, d * sizeof *b->rows);
        memcpy(b->phi + i * d, v->phi + k * d, d * sizeof *b->phi);
        b->base[i] = v->base[k];
        b->value[i] = v->value[k];
        b->scale[i] = v->scale[k];
    }
    b->sorted = (struct asc_score){
        .n = v->n, .d = d, .x = moved ? b->rows : b->x, .id = b->id,
        .phi = moved ? b->phi : v->phi, .base = moved ? b->base : v->base,
        .value = moved ? b->value : v->value, .output = b->sorted_output,
        .scale = moved ? b->scale : v->scale
    };
}

/* The lines from i on, in their new order, that are of one view. */
static size_t
same_view(const struct block *b, size_t i)
{
    size_t end = i + 1;

    while (end < b->lines.n && b->sorted_view[end] == b->sorted_view[i])
        end++;
    return end;
}

static const char *
say_value(double v, char text[32])
{
    if (isnan(v))
        return "nothing";
    snprintf(text, 32, "%.6g", v);
    return text;
}

/* Stops where the table's `value' is not what the model says of the row. */
static int
check_value(const struct run *r, const struct block *b, size_t i, double want,
            struct asc_error *e)
{
    const size_t k = b->order[i];
    const double got = b->sorted.value[i];
    const struct asc_text id = b->id[i];
    char text[2][32];

    if ((isnan(got) && isnan(want))
        || fabs(got - want) <= VALUE_TOLERANCE
                               * fmax(fmax(fabs(got), fabs(want)),
                                      fabs(b->sorted.base[i])))
        return ASC_OK;
    return asc_fail(e, ASC_EINPUT, "%s:%zu: row %.*s: the table says %s, the "
                    "model gives %s: are these the rows that were explained?",
                    asc_reader_name(r->table.reader), b->lines.line[k],
                    id.n < 60 ? (int)id.n : 60, id.p, say_value(got, text[0]),
                    say_value(want, text[1]));
}

/* Lines first..end-1, which are of one view, on either scale. */
static int
check_values(const struct run *r, struct block *b, size_t first, size_t end,
             struct asc_error *e)
{
    const asc_model *m = b->sorted_view[first]->model;
    const size_t k = asc_model_n_outputs(m);
    size_t i;
    int s;

    for (s = 0; s < 2; s++) {
        const enum asc_scale scale = s ? ASC_RESPONSE : ASC_RAW;

        for (i = first; i < end && b->sorted.scale[i] != scale; i++)
            ;
        if (i == end)
            continue;
        if (asc_model_evaluate(m, scale, b->sorted.x + first * r->table.d,
                               end - first, b->y, e))
            return (int)e->status;
        for (i = first; i < end; i++)
            if (b->sorted.scale[i] == scale
                && check_value(r, b, i,
                               b->y[(i - first) * k + b->sorted.output[i]], e))
                return (int)e->status;
    }
    return ASC_OK;
}

static void
put_head(const struct run *r, const struct block *b, size_t i,
         const struct metric *m, struct asc_buffer *out)
{
    attribution_put(&b->lines, i, LINE_MODEL, LINE_KEPT, out);
    asc_buffer_add(out, m->text.p, m->text.n);
    asc_buffer_char(out, '\t');
    attribution_put(&b->lines, i, LINE_KEPT, LINE_END, out);
    if (r->n_kept)
        asc_buffer_add(out, b->kept.p + b->kept_at[i],
                       b->kept_at[i + 1] - b->kept_at[i]);
}

/* Where metric s puts the curve of line i: (BLOCK_ROWS, its own n_points). */
static size_t
curve_at(const struct run *r, size_t s, size_t i)
{
    return s * BLOCK_ROWS * r->n_points + i * r->metric[s].n_points;
}

/* A table cannot hold infinite scores of metric s. */
static int
check_finite(const struct run *r, const struct block *b, size_t s,
             struct asc_error *e)
{
    const struct metric *m = &r->metric[s];
    size_t i, j;

    for (i = 0; i < b->lines.n; i++) {
        const struct asc_text id = b->id[i];
        int bad = isinf(b->result[s * BLOCK_ROWS + i]) != 0;

        for (j = 0; r->o->curve && j < m->n_points; j++)
            bad |= isinf(b->curve_y[curve_at(r, s, i) + j]) != 0;
        if (bad)
            return asc_fail(e, ASC_ENUMERIC, "%s:%zu: row %.*s: %.*s is "
                            "infinite: the model's outputs are too large",
                            asc_reader_name(r->table.reader),
                            b->lines.line[b->order[i]],
                            id.n < 60 ? (int)id.n : 60, id.p,
                            (int)m->text.n, m->text.p);
    }
    return ASC_OK;
}

/* Lines first..end-1, which are of one view, by all metrics. */
static int
score_lines(const struct run *r, struct block *b, size_t first, size_t end,
            struct asc_error *e)
{
    const struct ready *ready = b->sorted_view[first]->state;
    struct asc_score x = b->sorted;
    size_t s;

    x.n = end - first;
    x.x += first * r->table.d;
    x.phi += first * r->table.d;
    x.id += first;
    x.base += first;
    x.value += first;
    x.output += first;
    x.scale += first;
    for (s = 0; s < r->specs.n; s++) {
        const struct metric *m = &r->metric[s];

        x.result = b->result + s * BLOCK_ROWS + first;
        if (r->o->curve) {
            x.n_points = m->n_points;
            x.curve_x = b->curve_x + curve_at(r, s, first);
            x.curve_y = b->curve_y + curve_at(r, s, first);
        }
        if (m->metric->run(&ready[s].task, ready[s].state, &x, e))
            return (int)e->status;
    }
    return ASC_OK;
}

static void
put_scores(const struct run *r, struct block *b, size_t i)
{
    const int digits = r->o->digits;
    const size_t k = b->place[i];
    size_t j, s, at;

    for (s = 0; s < r->specs.n; s++) {
        const struct metric *m = &r->metric[s];

        for (j = 0; r->o->curve && j < m->n_points; j++) {
            at = curve_at(r, s, k) + j;
            put_head(r, b, i, m, &b->out);
            asc_buffer_number(&b->out, b->curve_x[at], digits);
            asc_buffer_char(&b->out, '\t');
            asc_buffer_number(&b->out, b->curve_y[at], digits);
            asc_buffer_char(&b->out, '\n');
        }
        if (r->o->curve)
            continue;
        put_head(r, b, i, m, &b->out);
        asc_buffer_number(&b->out, b->result[s * BLOCK_ROWS + k], digits);
        asc_buffer_char(&b->out, '\n');
    }
}

static int
score(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    size_t i, s, end;

    if (find_views(r, b, e))
        return (int)e->status;
    sort_lines(r, b);
    for (i = 0; i < b->lines.n; i = end) {
        end = same_view(b, i);
        if (check_values(r, b, i, end, e) || score_lines(r, b, i, end, e))
            return (int)e->status;
    }
    for (s = 0; s < r->specs.n; s++)
        if (check_finite(r, b, s, e))
            return (int)e->status;
    for (i = 0; i < b->lines.n; i++)
        put_scores(r, b, i);
    return ASC_OK;
}

static int
print(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    size_t i, s;

    for (s = 0; s < r->specs.n; s++)
        for (i = 0; i < b->lines.n; i++)
            r->metric[s].undefined += isnan(b->result[s * BLOCK_ROWS + i]) != 0;
    r->done += b->lines.n;
    tool_progress(r->done);
    return asc_writer_put(r->writer, &b->out, e);
}

static void
header(struct run *r)
{
    struct asc_buffer out = { NULL, 0, 0, 0 };
    size_t j;

    attributions_key_head(&r->table, &out);
    asc_buffer_text(&out, "metric\t");
    attributions_kept_head(&r->table, &out);
    for (j = 0; j < r->n_kept; j++)
        asc_buffer_print(&out, "%s\t", asc_reader_column(r->data,
                                                         r->kept[j]));
    asc_buffer_text(&out, r->o->curve ? "x\tvalue\n" : "value\n");
    tool_put_head(r->writer, &out);
    asc_buffer_free(&out);
}

static const char *
metrics(const struct tool_options *o)
{
    const char *asked = tool_text(&o->specs);

    return asked ? asked : USUAL_METRICS;
}

static const struct asc_metric *
find_metric(const struct asc_spec *s)
{
    size_t n, i;
    const struct asc_metric *const *v = asc_fidelity_metrics(&n);

    for (i = 0; i < n; i++)
        if (&v[i]->entry == s->entry)
            return v[i];
    return NULL;
}

/* The metrics for one view. */
static int
prepare_view(void *context, struct tool_view *v, struct asc_error *e)
{
    struct run *r = context;
    struct ready *ready = v->state = calloc(r->specs.n, sizeof *ready);
    size_t s;

    if (!ready)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    for (s = 0; s < r->specs.n; s++) {
        ready[s].task = (struct asc_metric_task){ v->model, r->absent,
                                                  &r->specs.v[s] };
        if (r->ready && r->metric[s].metric->prepare
            && r->metric[s].metric->prepare(&ready[s].task, &ready[s].state,
                                            e))
            return (int)e->status;
    }
    return ASC_OK;
}

static void
finish_view(void *context, struct tool_view *v)
{
    const struct run *r = context;
    struct ready *ready = v->state;
    size_t s;

    for (s = 0; ready && s < r->specs.n; s++)
        if (r->metric[s].metric->finish)
            r->metric[s].metric->finish(ready[s].state);
    free(ready);
}

static void
prepare(struct run *r)
{
    const struct tool_options *o = r->o;
    const char *needs = NULL;
    struct asc_error e;
    size_t n, s;
    const struct asc_entry *const *entries = asc_fidelity_entries(&n);

    tool_specs(o, metrics(o), entries, n, "metric", &r->specs);
    for (s = 0; s < r->specs.n && !needs; s++)
        if (asc_background_use(r->specs.v[s].entry, r->model)
            == ASC_BACKGROUND_NEEDED)
            needs = r->specs.v[s].entry->name;
    r->absent = tool_background(o, o->data, asc_model_open_schema(r->model),
                                needs != NULL, needs, &r->background)
        ? &r->background : NULL;
    r->ready = !needs || r->absent;     /* else the data has no rows, and any
                                           line is refused */
    tool_specs_background(o, &r->specs, r->model, r->absent);
    tool_specs_once(&r->specs);
    r->metric = calloc(r->specs.n, sizeof *r->metric);
    if (!r->metric)
        tool_no_memory();
    for (s = 0; s < r->specs.n; s++) {
        struct metric *m = &r->metric[s];

        asc_spec_text(&r->specs.v[s], &m->text);
        tool_whole(&m->text);
        m->metric = find_metric(&r->specs.v[s]);
        if (o->curve && !m->metric->n_points)
            tool_misuse("%s has no curve", r->specs.v[s].entry->name);
        if (o->curve)
            m->n_points = m->metric->n_points(
                &(struct asc_metric_task){ r->model, r->absent,
                                           &r->specs.v[s] }, r->table.d);
        if (m->n_points > r->n_points)
            r->n_points = m->n_points;
    }
    tool_views_open(&r->views, r->model, prepare_view, finish_view, r);
    if (!tool_view_whole(&r->views, &e))
        tool_fail(&e);
}

int
main(int argc, char **argv)
{
    static const struct asc_loop loop = { make_block, drop_block, fill, score,
                                          print };
    struct tool_options o;
    struct run r;
    struct asc_error e;
    size_t s;

    tool_start(&tool, argc, argv, &o);
    memset(&r, 0, sizeof r);
    r.o = &o;
    if (!o.data)
        tool_misuse("which rows were explained? Name their table with -x");
    attributions_open(&r.table, o.n_operands ? o.operands[0] : NULL, 0, &o);
    r.data = tool_side_table(o.data, &o);
    r.model = tool_model(&o, r.data, o.data);
    attributions_match(&r.table, asc_model_schema(r.model), "the model");
    r.n_kept = tool_kept(r.data, &o, &r.kept);
    prepare(&r);
    r.writer = tool_writer(&o, r.table.reader, metrics(&o), r.model,
                           r.background.n ? &r.background : NULL);
    header(&r);
    if (asc_bind(&r.binding, asc_model_open_schema(r.model), r.data, &e)
        || !(r.join = asc_join_new(r.data, &r.binding, r.kept, r.n_kept, &e))
        || asc_loop_run(&loop, &r, o.threads, &e))
        tool_fail(&e);
    tool_close(r.writer);
    for (s = 0; s < r.specs.n; s++) {
        struct metric *m = &r.metric[s];

        if (m->undefined)
            tool_note("%.*s: %zu of %zu undefined (left empty)",
                      (int)m->text.n, m->text.p, m->undefined, r.done);
        asc_buffer_free(&m->text);
    }
    if (asc_join_indexed(r.join))
        tool_note("%s: its rows are kept in memory: they come from a pipe, or "
                  "in another order than the attributions",
                  asc_reader_name(r.data));
    tool_views_close(&r.views);
    free(r.metric);
    free(r.kept);
    asc_specs_free(&r.specs);
    asc_background_free(&r.background);
    asc_join_free(r.join);
    asc_binding_free(&r.binding);
    asc_model_free(r.model);
    attributions_close(&r.table);
    return tool_end(&o, TOOL_DONE);
}
