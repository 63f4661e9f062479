/* asc-fit -- a model from a table, as PMML. */
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

static const struct tool_use options[] = {
    { OPT_TARGET, NULL },
    { OPT_FIELDS, "fields of the model (default: all columns that are free)" },
    { OPT_DROP, NULL },
    { OPT_CATEGORICAL, "fields that are categories although they look like "
      "numbers" }, { OPT_WEIGHT, NULL }, { OPT_ID, NULL },
    { OPT_SEED, NULL }, { OPT_THREADS, NULL }, { OPT_NO_HEADER, NULL }, { OPT_COLUMNS, NULL },
    { OPT_MISSING, NULL }, { OPT_OUTPUT, NULL }, { OPT_LIST, NULL },
    { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-fit",
    .synopsis = "TRAINER -y COLUMN [OPTION]... [DATA]",
    .purpose = "Fit a model to a table and print it as PMML.",
    .uses = options,
    .entries = asc_trainer_entries,
    .entry = "trainer",
    .min_operands = 1,
    .max_operands = 2
};

static const struct asc_trainer *
find_trainer(const struct asc_spec *s)
{
    size_t n, i;
    const struct asc_trainer *const *v = asc_trainers(&n);

    for (i = 0; i < n; i++)
        if (&v[i]->entry == s->entry)
            return v[i];
    return NULL;
}

/* Two numbers are often the names of two classes. */
static void
note_target(const struct asc_training *t)
{
    const double *y = t->y;
    double other = y[0];
    char low[ASC_NUMBER_MAX], high[ASC_NUMBER_MAX];
    size_t i;

    if (t->target.kind != ASC_CONTINUOUS)
        return;
    for (i = 1; i < t->n; i++) {
        if (y[i] != y[0] && other == y[0])
            other = y[i];
        else if (y[i] != y[0] && y[i] != other)
            return;
    }
    low[asc_number_format(y[0] < other ? y[0] : other, low)] = '\0';
    high[asc_number_format(y[0] < other ? other : y[0], high)] = '\0';
    tool_note("target \"%s\" is taken for a number, though it is %s or %s "
              "throughout; --categorical makes them classes", t->target.name,
              low, high);
}

static void
say(void *context, int detail, const char *line)
{
    (void)context;
    if (detail)
        tool_detail("%s", line);
    else
        tool_note("%s", line);
}

int
main(int argc, char **argv)
{
    struct tool_options o;
    struct asc_training_options t;
    struct asc_training table;
    struct asc_fitting how = { .say = say };
    struct asc_specs specs;
    struct asc_buffer out = { NULL, 0, 0, 0 };
    struct asc_error e;
    const struct asc_entry *const *entries;
    asc_writer *writer;
    asc_model *model;
    size_t n;

    tool_start(&tool, argc, argv, &o);
    entries = asc_trainer_entries(&n);
    tool_specs(&o, o.operands[0], entries, n, "trainer", &specs);
    if (specs.n != 1)
        tool_misuse("one trainer at a time: \"%s\" names %zu", o.operands[0],
                    specs.n);
    if (!o.target)
        tool_misuse("which column is to be predicted? Name it with -y");
    t = (struct asc_training_options){
        .target = o.target, .weight = o.weight, .fields = o.fields,
        .drop = o.drop, .categorical = o.categorical
    };
    if (asc_training_read(o.n_operands > 1 ? o.operands[1] : "-", &o.reader,
                          &t, &table, &e))
        tool_fail(&e);
    how.threads = o.threads;
    model = find_trainer(&specs.v[0])->fit(&table, &specs.v[0], &how, &e);
    if (model)
        note_target(&table);
    if (!model || asc_model_write_pmml(model, &out, &e))
        tool_fail(&e);
    writer = tool_writer(&o, NULL, NULL, NULL, NULL);
    tool_put(writer, &out);
    tool_close(writer);
    asc_buffer_free(&out);
    asc_model_free(model);
    asc_training_free(&table);
    asc_specs_free(&specs);
    return tool_end(&o, TOOL_DONE);
}
