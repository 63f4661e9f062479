/* asc-model -- what a model is: its fields, outputs, size, and which methods
 * can explain it; or the same model as PMML. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

static const struct tool_use options[] = {
    { OPT_MODEL, NULL }, { OPT_PMML, NULL },
    { OPT_SCALE, "scale on which methods are to explain it: raw or response "
      "(default: the model's)" },
    { OPT_BACKGROUND, "table whose texts say which fields of a command are "
      "categories, and whose columns are its fields without --fields" },
    { OPT_ID, "column of row ids in the background (default row, if any)" },
    { OPT_OUTPUT, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-model",
    .synopsis = "[OPTION]... MODEL",
    .purpose = "Print what a model is: fields, outputs, size, and the methods "
        "that can explain it.",
    .uses = options,
    .takes_model = 1,
    .max_operands = 1
};

enum { COLUMNS = 7 };           /* of the table */

/* ---- lines: part, name, value, note, missing, unknown, categories ---- */

/* A table cannot hold tabs and line ends. */
static void
put_text(struct asc_buffer *out, const char *text)
{
    for (; *text; text++)
        asc_buffer_char(out, (unsigned char)*text < 0x20 || *text == 0x7F
                        ? '?' : *text);
}

/* The rest of the line is empty. */
static void
put_line(struct asc_buffer *out, const char *part, const char *name,
         const char *value, const char *note)
{
    int k;

    asc_buffer_text(out, part);
    asc_buffer_char(out, '\t');
    put_text(out, name);
    asc_buffer_char(out, '\t');
    put_text(out, value);
    asc_buffer_char(out, '\t');
    put_text(out, note);
    for (k = 4; k < COLUMNS; k++)
        asc_buffer_char(out, '\t');
    asc_buffer_char(out, '\n');
}

/* The same if there is a value. */
static void
put_known(struct asc_buffer *out, const char *part, const char *name,
          const char *value)
{
    if (value)
        put_line(out, part, name, value, "");
}

static void
put_size(struct asc_buffer *out, const char *name, size_t n)
{
    struct asc_buffer text = { NULL, 0, 0, 0 };

    if (n == 0)
        return;
    asc_buffer_print(&text, "%zu", n);
    asc_buffer_char(&text, '\0');
    put_known(out, "size", name, text.failed ? NULL : text.p);
    out->failed |= text.failed;
    asc_buffer_free(&text);
}

/* ---- the model as a whole ---- */

static void
put_model(const asc_model *m, enum asc_scale scale, const char *class_name,
          struct asc_buffer *out)
{
    put_known(out, "model", "name", asc_model_name(m));
    put_known(out, "model", "format", asc_model_format(m));
    put_known(out, "model", "algorithm", asc_model_algorithm(m));
    put_known(out, "model", "digest", asc_model_digest(m));
    put_known(out, "model", "form", asc_form_name(asc_model_form(m)));
    put_known(out, "model", "task", asc_model_classifier(m)
              ? "classification" : "regression");
    put_known(out, "model", "target", asc_model_target(m));
    put_known(out, "model", "probabilities", !asc_model_classifier(m) ? NULL
              : asc_model_has_probabilities(m) ? "yes" : "no");
    put_known(out, "model", "link", asc_model_link(m));
    put_known(out, "model", "scale", tool_scale_name(scale));
    put_known(out, "model", "class", class_name);
}

static void
put_sizes(const asc_model *m, struct asc_buffer *out)
{
    struct asc_model_size s;
    struct asc_error e;

    if (asc_model_measure(m, &s, &e))
        tool_fail(&e);
    put_size(out, "fields", asc_model_schema(m)->n);
    put_size(out, "outputs", asc_model_n_outputs(m));
    put_size(out, "columns", s.columns);
    put_size(out, "weights", s.weights);
    put_size(out, "layers", s.layers);
    put_size(out, "trees", s.trees);
    put_size(out, "nodes", s.nodes);
    put_size(out, "leaves", s.leaves);
    put_size(out, "depth", s.depth);
}

static void
put_views(const asc_model *m, struct asc_buffer *out)
{
    const unsigned views = asc_model_views(m);

    put_line(out, "view", "gradient", views & ASC_NEEDS_GRADIENT ? "yes"
             : "no", "");
    put_line(out, "view", "linear", views & ASC_NEEDS_LINEAR ? "yes" : "no",
             "");
    put_line(out, "view", "trees", views & ASC_NEEDS_TREES ? "yes" : "no",
             "");
    if (views & ASC_NEEDS_TREES)
        put_line(out, "view", "covers", asc_model_has_covers(m) ? "yes"
                 : "no", "");
}

/* fixed (q): the outputs that are explained by default; NULL: the one that
 * wins a row. */
static void
put_outputs(const asc_model *m, size_t q, const size_t *fixed,
            struct asc_buffer *out)
{
    size_t k, i;

    for (k = 0; k < asc_model_n_outputs(m); k++) {
        for (i = 0; fixed && i < q && fixed[i] != k; i++)
            ;
        put_line(out, "output", asc_model_output(m, k),
                 fixed && i < q ? "*" : "", "");
    }
}

/* ---- fields ---- */

/* A piece of a list, as specifications have it. */
static void
put_piece(struct asc_buffer *out, const char *text)
{
    for (; *text; text++)
        if (strchr(",%", *text) || (unsigned char)*text < 0x20
            || *text == 0x7F)
            asc_buffer_print(out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            asc_buffer_char(out, *text);
}

static void
put_note(const struct asc_field *f, struct asc_buffer *out)
{
    static const char *const compared[] = {
        [ASC_TEXT_NUMBER] = "compared as numbers",
        [ASC_TEXT_BOOLEAN] = "compared as true and false",
        [ASC_TEXT_WHOLE] = "compared as whole numbers"
    };
    const char *between = "";
    size_t i;

    if (f->kind == ASC_CATEGORICAL && compared[f->text_type]) {
        asc_buffer_text(out, compared[f->text_type]);
        between = "; ";
    }
    if (f->kind == ASC_CONTINUOUS
        && (f->low != -INFINITY || f->high != INFINITY)) {
        asc_buffer_text(out, f->low == -INFINITY ? "up to " : "from ");
        if (f->low != -INFINITY) {
            asc_buffer_number(out, f->low, 0);
            asc_buffer_text(out, f->high == INFINITY ? " on" : " to ");
        }
        if (f->high != INFINITY)
            asc_buffer_number(out, f->high, 0);
        between = "; ";
    }
    for (i = 0; i < f->n_missing; i++) {
        asc_buffer_text(out, i ? "," : between);
        asc_buffer_text(out, i ? "" : "missing too: ");
        put_piece(out, f->missing[i]);
    }
}

static const char *
unknown_values(const struct asc_field *f)
{
    if (f->kind == ASC_CONTINUOUS && f->low == -INFINITY
        && f->high == INFINITY)
        return "";
    if (f->kind == ASC_CONTINUOUS && f->clamp)
        return "nearest";
    if (f->open)
        return "kept";
    return f->invalid == ASC_INVALID_ERROR ? "error"
        : f->invalid == ASC_INVALID_MISSING ? "missing" : "kept";
}

static void
put_field(const asc_model *m, size_t j, struct asc_buffer *out)
{
    const struct asc_field *f = &asc_model_schema(m)->field[j];
    size_t i;

    asc_buffer_text(out, "field\t");
    put_text(out, f->name);
    asc_buffer_text(out, f->kind == ASC_CATEGORICAL ? "\tcategory\t"
                    : "\tnumber\t");
    put_note(f, out);
    asc_buffer_char(out, '\t');
    if (!isnan(f->replacement)) {
        asc_buffer_text(out, "= ");
        asc_field_text(f, f->replacement, 0, out);
    } else {
        asc_buffer_text(out, asc_model_takes_missing(m, j) ? "kept"
                        : "no answer");
    }
    asc_buffer_print(out, "\t%s\t", unknown_values(f));
    for (i = 0; f->kind == ASC_CATEGORICAL && i < f->n_categories; i++) {
        asc_buffer_text(out, i ? "," : "");
        put_piece(out, f->categories[i]);
    }
    asc_buffer_char(out, '\n');
}

/* ---- methods ---- */

static const char *
wants(const struct asc_entry *entry, const asc_model *m)
{
    if (asc_background_use(entry, m) != ASC_BACKGROUND_NEEDED)
        return "";
    return entry->traits & ASC_NEEDS_BASELINE
        || entry->traits & ASC_NEEDS_CATEGORY ? "with a baseline"
        : "with a background";
}

static void
put_methods(const asc_model *m, enum asc_scale scale, struct asc_buffer *out)
{
    size_t n, i;
    const struct asc_entry *const *v = asc_method_entries(&n);
    struct asc_error e;

    for (i = 0; i < n; i++) {
        const int status = asc_method_serves(v[i], m, scale, &e);

        if (status && status != ASC_EUSAGE)
            tool_fail(&e);
        put_line(out, "method", v[i]->name, status ? "no" : "yes",
                 status ? e.text : wants(v[i], m));
    }
}

/* ---- the whole ---- */

static void
describe(const struct tool_options *o, const asc_model *m,
         struct asc_buffer *out)
{
    const enum asc_scale scale = tool_scale(o, m);
    size_t *fixed, q = tool_classes(o, m, &fixed), j;

    asc_buffer_text(out, "part\tname\tvalue\tnote\tmissing\tunknown\t"
                    "categories\n");
    put_model(m, scale, !fixed ? "predicted" : q == 1
              ? asc_model_output(m, *fixed) : "all", out);
    put_sizes(m, out);
    put_views(m, out);
    put_outputs(m, q, fixed, out);
    for (j = 0; j < asc_model_schema(m)->n; j++)
        put_field(m, j, out);
    put_methods(m, scale, out);
    free(fixed);
}

/* A command's fields may be the columns of its background. */
static asc_model *
open_model(struct tool_options *o)
{
    asc_reader *r = NULL;
    asc_model *m;

    if (o->n_operands && o->model)
        tool_misuse("two models: %s and %s", o->model, o->operands[0]);
    if (o->n_operands)
        o->model = o->operands[0];
    if (!o->model)
        tool_misuse("no model: name it, as in %s %s", tool.name,
                    "model.pmml");
    if (o->background && tool_is_command(o->model) && strcmp(o->background,
                                                             "-"))
        r = tool_side_table(o->background, o);
    m = tool_model(o, r, NULL);
    tool_background_unused(o);
    asc_reader_close(r);
    return m;
}

int
main(int argc, char **argv)
{
    struct tool_options o;
    struct asc_buffer out = { NULL, 0, 0, 0 };
    struct asc_error e;
    asc_writer *writer;
    asc_model *m;

    tool_start(&tool, argc, argv, &o);
    m = open_model(&o);
    if (!o.pmml)
        describe(&o, m, &out);
    else if (asc_model_write_pmml(m, &out, &e))
        tool_fail(&e);
    writer = tool_writer(&o, NULL, NULL, NULL, NULL);
    tool_put(writer, &out);
    tool_close(writer);
    asc_buffer_free(&out);
    asc_model_free(m);
    return tool_end(&o, TOOL_DONE);
}
