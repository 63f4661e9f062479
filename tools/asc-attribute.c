/* asc-attribute -- why a model answers as it does, row by row. */
#include <stdatomic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/rows.h"
#include "tools/views.h"

/* Methods are fastest on many rows at once, but a few slow rows should keep
 * all threads busy: with several threads a block begins with FIRST_ROWS and is
 * sized to take BLOCK_SECONDS.  What comes out does not depend on it. */
enum { BLOCK_ROWS = 512, FIRST_ROWS = 8 };
static const double BLOCK_SECONDS = 0.2;

/* Exact additive methods keep their residual under this; of the others it is
 * worth a word above that. */
static const double TOLERANCE = 1e-9, COARSE = 0.01;

static const struct tool_use options[] = {
    { OPT_MODEL, NULL }, { OPT_METHOD, "methods to explain with" },
    { OPT_BACKGROUND, NULL }, { OPT_CLASS, NULL }, { OPT_FOIL, NULL },
    { OPT_COALITION, NULL }, { OPT_SCALE, NULL }, { OPT_STD_ERROR, NULL },
    { OPT_SEED, NULL }, { OPT_ID, NULL }, { OPT_KEEP, NULL },
    { OPT_LABEL, NULL }, { OPT_FIRST_ROW, NULL },
    { OPT_NO_HEADER, NULL }, { OPT_COLUMNS, NULL }, { OPT_MISSING, NULL },
    { OPT_DIGITS, NULL }, { OPT_THREADS, NULL }, { OPT_PROVENANCE, NULL },
    { OPT_OUTPUT, NULL }, { OPT_LIST, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-attribute",
    .synopsis = "-m MODEL -M METHOD[,METHOD...] [OPTION]... [DATA]",
    .purpose = "Explain each row of a table: how much each field contributes "
        "to the model's answer.",
    .uses = options,
    .takes_model = 1,
    .entries = asc_method_entries,
    .entry = "method",
    .max_operands = 1
};

struct method {
    struct asc_buffer text;     /* the specification, for column `method` */
    const struct asc_background *background;    /* NULL: it uses none */
    int exact;
    double tolerance;           /* of the residual; infinite: no promise */
    size_t undefined;           /* attributions with an empty field */
    size_t broken;              /* those over the tolerance */
    double worst;               /* largest residual of them */
    char worst_row[64];
};

/* A method made ready for a view. */
struct ready {
    asc_explainer *explainer;   /* NULL: there are no rows */
    struct asc_task task;
};

struct run {
    struct tool_rows rows;
    struct asc_background background;
    int idle;                   /* a background is needed, and none is there:
                                   the table has no rows */
    struct asc_specs specs;
    struct method *method;      /* (specs.n) */
    enum asc_scale scale;
    size_t q, *fixed;           /* outputs of a row; NULL: the predicted one */
    enum tool_foil foil;
    size_t *against;            /* (q) TOOL_FOIL_CLASS: what they are
                                   contrasted with */
    struct tool_views views;
    struct tool_view *view;     /* of all rows, or NULL: each has its own */
    size_t done;
    int adapt;                  /* blocks by the time that they take */
    atomic_size_t block_rows;   /* of the next block */
    asc_writer *writer;
};

struct block {
    struct asc_rows rows;
    struct tool_view **view;    /* (BLOCK_ROWS) of each row */
    size_t *order, *place;      /* (BLOCK_ROWS) the rows, those of one view
                                   together, and where a row is in that */
    double *x;                  /* (BLOCK_ROWS, d) the rows in that order, if
                                   it is another one */
    double *y;                  /* (BLOCK_ROWS, n_outputs) */
    /* in that order: */
    struct asc_text *id;        /* (BLOCK_ROWS) */
    size_t *output;             /* (BLOCK_ROWS, q) of the view */
    double *phi, *se;           /* (n_methods, BLOCK_ROWS, q, d) */
    double *base, *value;       /* (n_methods, BLOCK_ROWS, q) */
    struct asc_buffer out;
};

static void
drop_block(void *context, void *block)
{
    struct block *b = block;

    (void)context;
    if (!b)
        return;
    asc_rows_free(&b->rows);
    asc_buffer_free(&b->out);
    free(b->view);
    free(b->order);
    free(b->place);
    free(b->x);
    free(b->id);
    free(b->output);
    free(b->y);
    free(b->phi);
    free(b->se);
    free(b->base);
    free(b->value);
    free(b);
}

static void *
make_block(void *context, struct asc_error *e)
{
    struct run *r = context;
    const size_t d = asc_model_schema(r->rows.model)->n;
    const size_t n = BLOCK_ROWS * r->q * r->specs.n;
    struct block *b = calloc(1, sizeof *b);

    if (b) {
        b->view = malloc(BLOCK_ROWS * sizeof *b->view);
        b->order = malloc(BLOCK_ROWS * sizeof *b->order);
        b->place = malloc(BLOCK_ROWS * sizeof *b->place);
        b->x = malloc(BLOCK_ROWS * (d + !d) * sizeof *b->x);
        b->id = malloc(BLOCK_ROWS * sizeof *b->id);
        b->output = malloc(BLOCK_ROWS * r->q * sizeof *b->output);
        b->y = malloc(BLOCK_ROWS * asc_model_n_outputs(r->rows.model)
                      * sizeof *b->y);
        b->phi = calloc(n * (d + !d), sizeof *b->phi);
        b->base = malloc(n * sizeof *b->base);
        b->value = malloc(n * sizeof *b->value);
        if (r->rows.o->std_error)
            b->se = calloc(n * (d + !d), sizeof *b->se);
    }
    if (!b || !b->view || !b->order || !b->place || !b->x || !b->id
        || !b->output || !b->y || !b->phi || !b->base || !b->value
        || (r->rows.o->std_error && !b->se)) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        drop_block(r, b);
        return NULL;
    }
    if (tool_rows_block(&r->rows, &b->rows, BLOCK_ROWS, e)) {
        drop_block(r, b);
        return NULL;
    }
    return b;
}

static int
fill(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;

    b->rows.capacity = atomic_load(&r->block_rows);
    return tool_rows_read(&r->rows, &b->rows, e);
}

/* What the row's output k is contrasted with: SIZE_MAX if with nothing. */
static int
find_foil(const struct run *r, const struct block *b, size_t i, size_t k,
          size_t *against, struct asc_error *e)
{
    const asc_model *m = r->rows.model;
    const struct asc_text id = asc_rows_id(&b->rows, i);

    *against = SIZE_MAX;
    if (r->foil == TOOL_FOIL_RIVAL)
        *against = asc_model_rival(m, b->y + i * asc_model_n_outputs(m), k);
    if (r->foil == TOOL_FOIL_CLASS)
        *against = *r->against;
    if (*against != k)
        return ASC_OK;
    return asc_fail(e, ASC_EUSAGE, "row %.*s: the predicted class is the foil "
                    "itself, \"%s\": ask for --foil rival, or for a class "
                    "with -c", id.n < 60 ? (int)id.n : 60, id.p,
                    asc_model_output(m, k));
}

/* The view and the output of rows that do not all have the same. */
static int
choose_each(struct run *r, struct block *b, size_t *output,
            struct asc_error *e)
{
    const asc_model *m = r->rows.model;
    const size_t n = asc_model_n_outputs(m);
    size_t i, k, against;

    if (asc_model_evaluate(m, r->scale, b->rows.x, b->rows.n, b->y, e))
        return (int)e->status;
    for (i = 0; i < b->rows.n; i++) {
        k = r->fixed ? *r->fixed : asc_model_winner(m, b->y + i * n);
        if (k >= n)
            k = 0;              /* no answer: any output says so */
        if (find_foil(r, b, i, k, &against, e))
            return (int)e->status;
        b->view[i] = against == SIZE_MAX
            ? r->view : tool_view_pair(&r->views, k, against, r->scale, e);
        if (!b->view[i])
            return (int)e->status;
        output[i] = b->view[i]->contrast ? 0 : k;
    }
    return ASC_OK;
}

/* Which outputs are explained of each row. */
static int
choose(struct run *r, struct block *b, struct asc_error *e)
{
    const size_t d = asc_model_schema(r->rows.model)->n, n = b->rows.n;
    size_t each[BLOCK_ROWS], i, c;
    int moved;

    for (i = 0; i < n; i++) {
        b->view[i] = r->view;
        for (c = 0; c < r->q && r->fixed; c++)
            b->output[i * r->q + c] = r->view && r->view->contrast
                ? c : r->fixed[c];
    }
    if ((!r->fixed || !r->view) && choose_each(r, b, each, e))
        return (int)e->status;
    moved = tool_views_sort(b->view, n, b->order);
    for (i = 0; i < n; i++) {
        const size_t k = b->order[i];

        b->place[k] = i;
        b->id[i] = asc_rows_id(&b->rows, k);
        if (!r->fixed || !r->view)
            b->output[i] = each[k];
        if (moved)
            memcpy(b->x + i * d, b->rows.x + k * d, d * sizeof *b->x);
    }
    if (!moved)
        memcpy(b->x, b->rows.x, n * d * sizeof *b->x);
    return ASC_OK;
}

static void
put_line(const struct run *r, struct block *b, size_t i, size_t s, size_t c)
{
    const size_t d = asc_model_schema(r->rows.model)->n, q = r->q;
    const size_t k = b->place[i], at = (s * BLOCK_ROWS + k) * q + c;
    const int digits = r->rows.o->digits;
    const double value = b->value[at];
    size_t j;

    tool_put_key(&r->rows, &b->rows, i, &b->out);
    asc_buffer_add(&b->out, r->method[s].text.p, r->method[s].text.n);
    asc_buffer_print(&b->out, "\t%s\t%s\t",
                     asc_model_output(b->view[i]->model,
                                      b->output[k * q + c]),
                     tool_scale_name(r->scale));
    tool_put_kept(&r->rows, &b->rows, i, &b->out);
    asc_buffer_number(&b->out, b->base[at], digits);
    asc_buffer_char(&b->out, '\t');
    asc_buffer_number(&b->out, value, digits);
    for (j = 0; j < d; j++) {
        asc_buffer_char(&b->out, '\t');
        asc_buffer_number(&b->out, b->phi[at * d + j], digits);
    }
    for (j = 0; b->se && j < d; j++) {
        asc_buffer_char(&b->out, '\t');
        asc_buffer_number(&b->out, b->se[at * d + j], digits);
    }
    asc_buffer_char(&b->out, '\n');
}

/* Processor seconds of this thread. */
static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sizes the blocks to come by one of n rows that took so many seconds. */
static void
size_blocks(struct run *r, size_t n, double took)
{
    const double rows = (double)n * BLOCK_SECONDS / (took + 1e-6);

    if (r->adapt)
        atomic_store(&r->block_rows, rows < 1.0 ? 1
                     : rows < BLOCK_ROWS ? (size_t)rows : BLOCK_ROWS);
}

/* Rows first..end-1, which are of one view, by all methods. */
static int
explain_view(const struct run *r, struct block *b, size_t first, size_t end,
             struct asc_error *e)
{
    const struct ready *ready = b->view[b->order[first]]->state;
    const size_t d = asc_model_schema(r->rows.model)->n;
    size_t s;

    for (s = 0; s < r->specs.n; s++) {
        const size_t at = (s * BLOCK_ROWS + first) * r->q;
        struct asc_explain x = {
            .n = end - first, .d = d, .q = r->q, .x = b->x + first * d,
            .id = b->id + first, .output = b->output + first * r->q,
            .phi = b->phi + at * d, .se = b->se ? b->se + at * d : NULL,
            .base = b->base + at, .value = b->value + at
        };

        if (asc_explainer_run(ready[s].explainer, &x, e))
            return (int)e->status;
    }
    return ASC_OK;
}

static int
explain(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    const double start = now();
    size_t i, s, c, end;

    if (choose(r, b, e))
        return (int)e->status;
    for (i = 0; i < b->rows.n; i = end) {
        for (end = i + 1; end < b->rows.n
             && b->view[b->order[end]] == b->view[b->order[i]]; end++)
            ;
        if (explain_view(r, b, i, end, e))
            return (int)e->status;
    }
    for (i = 0; i < b->rows.n; i++)
        for (s = 0; s < r->specs.n; s++)
            for (c = 0; c < r->q; c++)
                put_line(r, b, i, s, c);
    size_blocks(r, b->rows.n, now() - start);
    return 0;
}

static void
check_one(struct method *m, const double *phi, size_t d, double base,
          double value, struct asc_text id)
{
    const double residual = asc_residual(phi, d, base, value);
    int undefined = isnan(value);
    size_t j;

    for (j = 0; j < d; j++)
        undefined |= isnan(phi[j]);
    m->undefined += undefined != 0;
    if (undefined || !(residual > m->tolerance))
        return;
    m->broken++;
    if (residual > m->worst) {
        m->worst = residual;
        snprintf(m->worst_row, sizeof m->worst_row, "%.*s",
                 id.n < 60 ? (int)id.n : 60, id.p);
    }
}

/* Runs in the order of the rows, alone: so the worst row is always the same. */
static void
check(struct run *r, const struct block *b)
{
    const size_t d = asc_model_schema(r->rows.model)->n;
    size_t i, s, c;

    for (s = 0; s < r->specs.n; s++)
        for (i = 0; i < b->rows.n; i++)
            for (c = 0; c < r->q; c++) {
                const size_t at = (s * BLOCK_ROWS + b->place[i]) * r->q + c;

                check_one(&r->method[s], b->phi + at * d, d, b->base[at],
                          b->value[at], asc_rows_id(&b->rows, i));
            }
}

static int
print(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;

    check(r, b);
    r->done += b->rows.n;
    tool_progress(r->done);
    return asc_writer_put(r->writer, &b->out, e);
}

static void
header(struct run *r)
{
    const struct asc_schema *s = asc_model_schema(r->rows.model);
    struct asc_buffer out = { NULL, 0, 0, 0 };
    size_t j;

    tool_put_key_head(&r->rows, &out);
    asc_buffer_text(&out, "method\toutput\tscale\t");
    tool_put_kept_head(&r->rows, &out);
    asc_buffer_text(&out, "base\tvalue");
    for (j = 0; j < s->n; j++)
        asc_buffer_print(&out, "\tphi.%s", s->field[j].name);
    for (j = 0; r->rows.o->std_error && j < s->n; j++)
        asc_buffer_print(&out, "\tse.%s", s->field[j].name);
    asc_buffer_char(&out, '\n');
    tool_put_head(r->writer, &out);
    asc_buffer_free(&out);
}

/* The methods for one view. */
static int
prepare_view(void *context, struct tool_view *v, struct asc_error *e)
{
    struct run *r = context;
    struct ready *ready = v->state = calloc(r->specs.n, sizeof *ready);
    size_t s;

    if (!ready)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    for (s = 0; s < r->specs.n && !r->idle; s++) {
        ready[s].task = (struct asc_task){
            v->model, r->scale, r->method[s].background, &r->specs.v[s]
        };
        ready[s].explainer = asc_explainer_new(&ready[s].task, e);
        if (!ready[s].explainer)
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
        asc_explainer_free(ready[s].explainer);
    free(ready);
}

/* Gives --coalition to the methods that it is for. */
static void
set_coalitions(const struct tool_options *o, struct asc_specs *specs)
{
    const char *text = tool_text(&o->coalitions);
    struct asc_error e;
    size_t i, k, found = 0;

    for (i = 0; text && i < specs->n; i++) {
        struct asc_spec *s = &specs->v[i];
        const struct asc_param *p = s->entry->params;

        for (k = 0; p && p[k].name; k++) {
            if (p[k].type != ASC_PARAM_TEXT || strcmp(p[k].name, "coalitions"))
                continue;
            if (s->text[k])
                tool_misuse("--coalition: -M %s names coalitions already",
                            s->entry->name);
            if (asc_spec_set_text(s, p[k].name, text, &e))
                tool_fail(&e);
            found++;
        }
    }
    if (text && !found)
        tool_misuse("--coalition: none of the methods has any use for it; owen "
                    "has");
}

/* Parses -M and finds the background. */
static void
prepare(struct run *r, const char *path)
{
    const struct tool_options *o = r->rows.o;
    const char *needs = NULL;
    size_t n, s;
    const struct asc_entry *const *entries = asc_method_entries(&n);
    const struct asc_background *background;

    if (!tool_text(&o->specs))
        tool_misuse("no method: give one with -M, as -M occlusion; -l lists "
                    "them");
    tool_specs(o, tool_text(&o->specs), entries, n, "method", &r->specs);
    set_coalitions(o, &r->specs);
    for (s = 0; s < r->specs.n && !needs; s++)
        if (asc_background_use(r->specs.v[s].entry, r->rows.model)
            == ASC_BACKGROUND_NEEDED)
            needs = r->specs.v[s].entry->name;
    background = tool_background(o, path, asc_model_open_schema(r->rows.model),
                                 needs != NULL, needs, &r->background)
        ? &r->background : NULL;
    r->idle = needs && !background;
    tool_specs_background(o, &r->specs, r->rows.model, background);
    tool_specs_once(&r->specs);
    r->method = calloc(r->specs.n, sizeof *r->method);
    if (!r->method)
        tool_no_memory();
    for (s = 0; s < r->specs.n; s++) {
        struct method *m = &r->method[s];
        const unsigned traits = asc_method_traits(&r->specs.v[s]);

        asc_spec_text(&r->specs.v[s], &m->text);
        tool_whole(&m->text);
        m->exact = (traits & ASC_EXACT) != 0;
        m->tolerance = !(traits & ASC_ADDITIVE) ? INFINITY
            : m->exact ? TOLERANCE : COARSE;
        m->background = r->specs.v[s].background[0] ? background : NULL;
    }
}

/* What is explained: the model's outputs, or contrasts; those that are the
 * same for all rows are made ready here. */
static void
open_views(struct run *r)
{
    struct asc_error e;

    r->foil = tool_foil(r->rows.o, r->rows.model, &r->q, &r->fixed,
                        &r->against);
    tool_views_open(&r->views, r->rows.model, prepare_view, finish_view, r);
    if (r->foil == TOOL_FOIL_NONE)
        r->view = tool_view_whole(&r->views, &e);
    else if (r->foil == TOOL_FOIL_CLASS && r->fixed)
        r->view = tool_view_pairs(&r->views, r->fixed, r->against, r->q,
                                  r->scale, &e);
    else
        return;
    if (!r->view)
        tool_fail(&e);
}

/* Says which promises were broken.  Returns the exit status. */
static int
verdict(const struct run *r)
{
    int status = TOOL_DONE;
    size_t s;

    for (s = 0; s < r->specs.n; s++) {
        const struct method *m = &r->method[s];

        if (m->undefined)
            tool_note("%.*s: %zu attributions are undefined (left empty)",
                      (int)m->text.n, m->text.p, m->undefined);
        if (m->broken && m->exact) {
            status = TOOL_CHECK;
            tool_warn("%.*s: %zu attributions do not sum to value - base "
                      "(worst: row %s, residual %.2g)", (int)m->text.n,
                      m->text.p, m->broken, m->worst_row, m->worst);
        } else if (m->broken) {
            tool_note("%.*s: %zu attributions miss value - base by more than "
                      "%g%% (worst: row %s, %.2g%%); more steps come closer",
                      (int)m->text.n, m->text.p, m->broken, 100.0 * COARSE,
                      m->worst_row, 100.0 * m->worst);
        }
    }
    return status;
}

int
main(int argc, char **argv)
{
    static const struct asc_loop loop = { make_block, drop_block, fill,
                                          explain, print };
    struct tool_options o;
    struct run r;
    struct asc_error e;
    const char *path;
    int status;
    size_t s;

    tool_start(&tool, argc, argv, &o);
    memset(&r, 0, sizeof r);
    path = o.n_operands ? o.operands[0] : NULL;
    tool_rows_open(&r.rows, &o, path);
    r.scale = tool_scale(&o, r.rows.model);
    r.q = tool_classes(&o, r.rows.model, &r.fixed);
    prepare(&r, path);
    open_views(&r);
    r.writer = tool_writer(&o, r.rows.reader, tool_text(&o.specs),
                           r.rows.model,
                           r.background.n ? &r.background : NULL);
    header(&r);
    /* a command is started once for a block or more */
    r.adapt = o.threads > 1
              && asc_model_form(r.rows.model) != ASC_FORM_OPAQUE;
    atomic_init(&r.block_rows, r.adapt ? FIRST_ROWS : BLOCK_ROWS);
    if (asc_loop_run(&loop, &r, o.threads, &e))
        tool_fail(&e);
    tool_close(r.writer);
    status = verdict(&r);
    for (s = 0; s < r.specs.n; s++)
        asc_buffer_free(&r.method[s].text);
    tool_views_close(&r.views);
    free(r.method);
    free(r.fixed);
    free(r.against);
    asc_specs_free(&r.specs);
    asc_background_free(&r.background);
    tool_rows_close(&r.rows);
    return tool_end(&o, status);
}
