/* asc-predict -- what a model says of each row of a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rows.h"

static const struct tool_use options[] = {
    { OPT_MODEL, NULL },
    { OPT_SCALE, "response (default), or raw: before the model's link" },
    { OPT_ID, NULL }, { OPT_KEEP, NULL }, { OPT_LABEL, NULL },
    { OPT_FIRST_ROW, NULL }, { OPT_NO_HEADER, NULL }, { OPT_COLUMNS, NULL },
    { OPT_MISSING, NULL },
    { OPT_BACKGROUND, "table whose texts say which fields of a command are "
      "categories" },
    { OPT_DIGITS, NULL }, { OPT_THREADS, NULL }, { OPT_PROVENANCE, NULL },
    { OPT_OUTPUT, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-predict",
    .synopsis = "-m MODEL [OPTION]... [DATA]",
    .purpose = "Print what a model predicts for each row of a table.",
    .uses = options,
    .takes_model = 1,
    .max_operands = 1
};

struct run {
    struct tool_rows rows;
    enum asc_scale scale;
    size_t n_outputs, block_rows;
    int label, numbers;         /* columns: predicted, one for each output */
    asc_writer *writer;
    size_t done;
};

struct block {
    struct asc_rows rows;
    double *y;                  /* (block_rows, n_outputs) */
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
    free(b->y);
    free(b);
}

static void *
make_block(void *context, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = calloc(1, sizeof *b);

    if (!b || !(b->y = calloc(r->block_rows * r->n_outputs,
                                     sizeof *b->y))) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        drop_block(r, b);
        return NULL;
    }
    if (tool_rows_block(&r->rows, &b->rows, r->block_rows, e)) {
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

    return tool_rows_read(&r->rows, &b->rows, e);
}

/* A table cannot hold it. */
static int
infinite(const struct run *r, const struct block *b, size_t i, size_t j,
         struct asc_error *e)
{
    const struct asc_text id = asc_rows_id(&b->rows, i);

    return asc_fail(e, ASC_ENUMERIC, "%s: row \"%.*s\": output \"%s\" is "
                    "infinite", asc_model_name(r->rows.model),
                    id.n < 60 ? (int)id.n : 60, id.p,
                    asc_model_output(r->rows.model, j));
}

static int
predict(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;
    const asc_model *m = r->rows.model;
    const size_t k = r->n_outputs;
    size_t i, j;
    int status = asc_model_predict(m, r->scale, b->rows.x, b->rows.n, b->y, e);

    for (i = 0; i < b->rows.n && !status; i++) {
        const double *y = b->y + i * k;

        tool_put_key(&r->rows, &b->rows, i, &b->out);
        tool_put_kept(&r->rows, &b->rows, i, &b->out);
        /* a row that the model has no answer for has no winner */
        if (r->label && !isnan(y[j = asc_model_winner(m, y)]))
            asc_buffer_text(&b->out, asc_model_output(m, j));
        for (j = 0; r->numbers && j < k; j++) {
            if (isinf(y[j]))
                return infinite(r, b, i, j, e);
            if (j || r->label)
                asc_buffer_char(&b->out, '\t');
            asc_buffer_number(&b->out, y[j], r->rows.o->digits);
        }
        asc_buffer_char(&b->out, '\n');
    }
    return status;
}

static int
print(void *context, void *block, struct asc_error *e)
{
    struct run *r = context;
    struct block *b = block;

    r->done += b->rows.n;
    tool_progress(r->done);
    return asc_writer_put(r->writer, &b->out, e);
}

static void
header(struct run *r)
{
    struct asc_buffer out = { NULL, 0, 0, 0 };
    const char *kind = r->scale == ASC_RAW ? "raw" : r->label ? "p"
        : "predicted";
    size_t j;

    tool_put_key_head(&r->rows, &out);
    tool_put_kept_head(&r->rows, &out);
    if (r->label)
        asc_buffer_text(&out, "predicted");
    for (j = 0; r->numbers && j < r->n_outputs; j++) {
        asc_buffer_print(&out, "%s", j || r->label ? "\t" : "");
        if (r->n_outputs == 1 && r->scale == ASC_RESPONSE && !r->label)
            asc_buffer_text(&out, "predicted");
        else
            asc_buffer_print(&out, "%s.%s", kind,
                             asc_model_output(r->rows.model, j));
    }
    asc_buffer_char(&out, '\n');
    tool_put_head(r->writer, &out);
    asc_buffer_free(&out);
}

int
main(int argc, char **argv)
{
    static const struct asc_loop loop = { make_block, drop_block, fill,
                                          predict, print };
    struct tool_options o;
    struct run r;
    struct asc_error e;

    tool_start(&tool, argc, argv, &o);
    memset(&r, 0, sizeof r);
    tool_rows_open(&r.rows, &o, o.n_operands ? o.operands[0] : NULL);
    tool_background_unused(&o);
    r.scale = o.scale_given ? o.scale : ASC_RESPONSE;
    r.n_outputs = asc_model_n_outputs(r.rows.model);
    r.block_rows = tool_block_rows(r.rows.model, r.n_outputs);
    r.label = asc_model_classifier(r.rows.model);
    r.numbers = !r.label || r.scale == ASC_RAW
        || asc_model_has_probabilities(r.rows.model);
    r.writer = tool_writer(&o, r.rows.reader, NULL, r.rows.model, NULL);
    header(&r);
    if (asc_loop_run(&loop, &r, o.threads, &e))
        tool_fail(&e);
    tool_close(r.writer);
    tool_rows_close(&r.rows);
    return tool_end(&o, TOOL_DONE);
}
