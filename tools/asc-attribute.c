/* asc-attribute -- why a model answers as it does, row by row. */
#include <stdatomic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/rows.h"

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
    { OPT_BACKGROUND, NULL }, { OPT_CLASS, NULL }, { OPT_SCALE, NULL },
    { OPT_STD_ERROR, NULL }, { OPT_SEED, NULL }, { OPT_ID, NULL },
    { OPT_KEEP, NULL }, { OPT_LABEL, NULL }, { OPT_FIRST_ROW, NULL },
    { OPT_NO_HEADER, NULL }, { OPT_COLUMNS, NULL }, { OPT_MISSING, NULL },
    { OPT_TARGET, "column that is no field of a command" },
    { OPT_FIELDS, NULL }, { OPT_CATEGORICAL, NULL }, { OPT_TIMEOUT, NULL },
    { OPT_MAX_MEMORY, NULL }, { OPT_DIGITS, NULL }, { OPT_THREADS, NULL },
    { OPT_PROVENANCE, NULL }, { OPT_OUTPUT, NULL }, { OPT_LIST, NULL },
    { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-attribute",
    .synopsis = "-m MODEL -M METHOD[,METHOD...] [OPTION]... [DATA]",
    .purpose = "Explain each row of a table: how much each field contributes "
        "to the model's answer.",
    .uses = options,
    .entries = asc_method_entries,
    .entry = "method",
    .max_operands = 1
};

struct method {
    asc_explainer *explainer;
    struct asc_task task;
    struct asc_buffer text;     /* the specification, for column `method` */
    int exact;
    double tolerance;           /* of the residual; infinite: no promise */
    size_t undefined;           /* attributions with an empty field */
    size_t broken;              /* those over the tolerance */
    double worst;               /* largest residual of them */
    char worst_row[64];
};

struct run {
    struct tool_rows rows;
    struct asc_background background;
    struct asc_specs specs;
    struct method *method;      /* (specs.n) */
    enum asc_scale scale;
    size_t q, *fixed;           /* outputs of a row; NULL: the predicted one */
    size_t done;
    int adapt;                  /* blocks by the time that they take */
    atomic_size_t block_rows;   /* of the next block */
    asc_writer *writer;
};

struct block {
    struct asc_rows rows;
    struct asc_text *id;        /* (BLOCK_ROWS) */
    size_t *output;             /* (BLOCK_ROWS, q) */
    double *y;                  /* (BLOCK_ROWS, n_outputs) */
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
    if (!b || !b->id || !b->output || !b->y || !b->phi || !b->base || !b->value
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

/* Which outputs are explained of each row. */
static int
choose(const struct run *r, struct block *b, struct asc_error *e)
{
    const asc_model *m = r->rows.model;
    const size_t k = asc_model_n_outputs(m);
    size_t i, c;

    if (r->fixed) {
        for (i = 0; i < b->rows.n; i++)
            for (c = 0; c < r->q; c++)
                b->output[i * r->q + c] = r->fixed[c];
        return 0;
    }
    if (asc_model_evaluate(m, r->scale, b->rows.x, b->rows.n, b->y, e))
        return (int)e->status;
    for (i = 0; i < b->rows.n; i++) {
        c = asc_model_winner(m, b->y + i * k);
        b->output[i] = c < k ? c : 0;   /* no answer: any output says so */
    }
    return 0;
}

static void
put_line(const struct run *r, struct block *b, size_t i, size_t s, size_t c)
{
    const size_t d = asc_model_schema(r->rows.model)->n, q = r->q;
    const size_t at = (s * BLOCK_ROWS + i) * q + c;
    const int digits = r->rows.o->digits;
    const double value = b->value[at];
    size_t j;

    tool_put_key(&r->rows, &b->rows, i, &b->out);
    asc_buffer_add(&b->out, r->method[s].text.p, r->method[s].text.n);
    asc_buffer_print(&b->out, "\t%s\t%s\t",
                     asc_model_output(r->rows.model, b->output[i * q + c]),
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

static int
explain(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    const size_t d = asc_model_schema(r->rows.model)->n;
    const double start = now();
    struct asc_explain x;
    size_t i, s, c;

    for (i = 0; i < b->rows.n; i++)
        b->id[i] = asc_rows_id(&b->rows, i);
    if (choose(r, b, e))
        return (int)e->status;
    for (s = 0; s < r->specs.n; s++) {
        const size_t at = s * BLOCK_ROWS * r->q;

        x = (struct asc_explain){
            .n = b->rows.n, .d = d, .q = r->q, .x = b->rows.x, .id = b->id,
            .output = b->output, .phi = b->phi + at * d,
            .se = b->se ? b->se + at * d : NULL, .base = b->base + at,
            .value = b->value + at
        };
        if (asc_explainer_run(r->method[s].explainer, &x, e))
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
                const size_t at = (s * BLOCK_ROWS + i) * r->q + c;

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

/* Parses -M, finds the background, prepares every method. */
static void
prepare(struct run *r, const char *path)
{
    const struct tool_options *o = r->rows.o;
    struct asc_error e;
    const char *needs = NULL;
    size_t n, s;
    const struct asc_entry *const *entries = asc_method_entries(&n);
    const struct asc_background *background;

    if (!tool_text(&o->specs))
        tool_misuse("no method: give one with -M, as -M occlusion; -l lists "
                    "them");
    tool_specs(o, tool_text(&o->specs), entries, n, "method", &r->specs);
    for (s = 0; s < r->specs.n && !needs; s++)
        if (asc_background_use(r->specs.v[s].entry, r->rows.model)
            == ASC_BACKGROUND_NEEDED)
            needs = r->specs.v[s].entry->name;
    background = tool_background(o, path, asc_model_open_schema(r->rows.model),
                                 needs != NULL, needs, &r->background)
        ? &r->background : NULL;
    tool_specs_background(&r->specs, r->rows.model, background,
                          o->background != NULL);
    tool_specs_once(&r->specs);
    r->method = calloc(r->specs.n, sizeof *r->method);
    if (!r->method)
        tool_misuse("out of memory");
    for (s = 0; s < r->specs.n; s++) {
        struct method *m = &r->method[s];
        const unsigned traits = r->specs.v[s].entry->traits;

        asc_spec_text(&r->specs.v[s], &m->text);
        m->exact = (traits & ASC_EXACT) != 0;
        m->tolerance = !(traits & ASC_ADDITIVE) ? INFINITY
            : m->exact ? TOLERANCE : COARSE;
        m->task = (struct asc_task){
            r->rows.model, r->scale,
            r->specs.v[s].background[0] ? background : NULL, &r->specs.v[s]
        };
        if (needs && !background)
            continue;           /* no rows, so nothing to explain */
        m->explainer = asc_explainer_new(&m->task, &e);
        if (!m->explainer)
            tool_fail(&e);
    }
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
    for (s = 0; s < r.specs.n; s++) {
        asc_explainer_free(r.method[s].explainer);
        asc_buffer_free(&r.method[s].text);
    }
    free(r.method);
    free(r.fixed);
    asc_specs_free(&r.specs);
    asc_background_free(&r.background);
    tool_rows_close(&r.rows);
    return tool_end(&o, status);
}
