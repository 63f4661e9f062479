/* asc-convert -- tables and attributions from one format to another. */
#include <string.h>

#include "tools/convert.h"

static const struct tool_use options[] = {
    { OPT_FROM, NULL }, { OPT_TO, NULL }, { OPT_DELIMITER, NULL },
    { OPT_REPLACE, NULL },
    { OPT_NO_HEADER, "the first line is data" },
    { OPT_COLUMNS, NULL },
    { OPT_MISSING, "texts to write as empty fields" },
    { OPT_MODEL, "model that was explained: gives fields, outputs and value" },
    { OPT_DATA, NULL },
    { OPT_METHOD, "what to call the method (default: the file's name)" },
    { OPT_CLASS, "outputs that the file explains, in its order" },
    { OPT_SCALE, NULL }, { OPT_BASE, NULL },
    { OPT_FIELDS, "fields, where -m and -x do not give them" },
    { OPT_DROP, NULL }, { OPT_SUM, NULL },
    { OPT_ID, NULL }, { OPT_FIRST_ROW, NULL }, { OPT_KEEP, NULL },
    { OPT_LABEL, NULL },
    { OPT_TARGET, "column of the data that is no field" },
    { OPT_CATEGORICAL, NULL }, { OPT_TIMEOUT, NULL },
    { OPT_MAX_MEMORY, NULL }, { OPT_DIGITS, NULL }, { OPT_PROVENANCE, NULL },
    { OPT_OUTPUT, NULL }, { OPT_LIST, NULL },
    { OPT_END, NULL }
};

/* Every format, in the order of --list. */
static const struct convert_format formats[] = {
    { { "csv", "comma-separated values, any table", "RFC 4180", NULL, 0 },
      CONVERT_CSV, "tsv", 0 },
    { { "tsv", "a table as all tools here have them", "ascribe-tables(5)",
        NULL, 0 },
      CONVERT_TSV, "csv", 0 },
    { { "wide", "attributions, a line for each explanation",
        "ascribe-tables(5)", NULL, 0 },
      CONVERT_WIDE, "long", 0 },
    { { "long", "attributions, a line for each field of each explanation",
        "ascribe-tables(5)", NULL, 0 },
      CONVERT_LONG, "wide", 0 },
    { { "shap", "values of shap, a file for each output",
        "shap: Explanation.values and .base_values", NULL, 0 },
      CONVERT_MATRIX, "wide", CONVERT_ADDS_UP },
    { { "captum", "attributions of captum, a file for each target",
        "captum: Attribution.attribute()", NULL, 0 },
      CONVERT_MATRIX, "wide", 0 },
    { { "shapviz", "the matrix of an R shapviz object",
        "shapviz: get_shap_values(), get_baseline()", NULL, 0 },
      CONVERT_MATRIX, "wide", CONVERT_ADDS_UP },
    { { "dalex", "what predict_parts of DALEX gives, a line for each variable",
        "DALEX: predict_parts(type = \"shap\" or \"break_down\")", NULL, 0 },
      CONVERT_PARTS, "wide", CONVERT_ADDS_UP },
    { { "lightgbm", "contributions of LightGBM",
        "LightGBM: predict(pred_contrib=True)", NULL, 0 },
      CONVERT_MATRIX, "wide",
      CONVERT_BASE_LAST | CONVERT_RAW | CONVERT_ADDS_UP },
    { { "xgboost", "contributions of XGBoost",
        "XGBoost: predict(pred_contribs=True)", NULL, 0 },
      CONVERT_MATRIX, "wide",
      CONVERT_BASE_LAST | CONVERT_RAW | CONVERT_ADDS_UP },
    { { "catboost", "ShapValues of CatBoost",
        "CatBoost: get_feature_importance(type=\"ShapValues\")", NULL, 0 },
      CONVERT_MATRIX, "wide",
      CONVERT_BASE_LAST | CONVERT_RAW | CONVERT_ADDS_UP },
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

static const struct asc_entry *const *
entries(size_t *n)
{
    static const struct asc_entry *v[N_FORMATS];
    size_t i;

    for (i = 0; i < N_FORMATS; i++)
        v[i] = &formats[i].entry;
    *n = N_FORMATS;
    return v;
}

static const struct tool tool = {
    .name = "asc-convert",
    .synopsis = "[--from FORMAT] [--to FORMAT] [OPTION]... [FILE]",
    .purpose = "Convert tables and attributions from one format to another.",
    .uses = options,
    .entries = entries,
    .entry = "format",
    .max_operands = 1,
    .bare = 1
};

static const struct convert_format *
find_format(const char *option, const char *name)
{
    const char *names[N_FORMATS], *near;
    size_t i;

    for (i = 0; i < N_FORMATS; i++) {
        names[i] = formats[i].entry.name;
        if (!strcmp(name, names[i]))
            return &formats[i];
    }
    near = asc_nearest(name, names, N_FORMATS);
    if (near)
        tool_misuse("%s: there is no format \"%s\"; did you mean \"%s\"?",
                    option, name, near);
    tool_misuse("%s: there is no format \"%s\"; -l lists them", option, name);
}

/* Refuses options that would do nothing. */
static void
check_options(const struct tool_options *o, const struct convert_format *from,
              const struct convert_format *to)
{
    enum {
        CSV = 1 << CONVERT_CSV, TABLE = CSV | 1 << CONVERT_TSV,
        OURS = 1 << CONVERT_WIDE | 1 << CONVERT_LONG,
        MATRIX = 1 << CONVERT_MATRIX, FOREIGN = MATRIX | 1 << CONVERT_PARTS
    };
    const struct { int given; const char *name; int from, to; } v[] = {
        { o->delimiter != 0, "delimiter", CSV | FOREIGN, CSV },
        { o->replace != 0, "replace", CSV, 0 },
        { o->reader.no_header, "no-header", TABLE | MATRIX, 0 },
        { o->reader.missing != NULL, "missing", TABLE | FOREIGN, 0 },
        { o->model != NULL, "model", FOREIGN, 0 },
        { o->data != NULL, "data", FOREIGN, 0 },
        { o->specs.n > 0, "method", FOREIGN, 0 },
        { o->class_name != NULL, "class", FOREIGN, 0 },
        { o->scale_given, "scale", FOREIGN, 0 },
        { o->base != NULL, "base", FOREIGN, 0 },
        { o->fields != NULL, "fields", FOREIGN | 1 << CONVERT_LONG, 0 },
        { o->drop != NULL, "drop", MATRIX, 0 },
        { o->sum != NULL, "sum", MATRIX, 0 },
        { o->reader.id != NULL, "id", FOREIGN, 0 },
        { o->reader.first_row != 0, "first-row", FOREIGN, 0 },
        { o->keep.n > 0, "keep", FOREIGN, 0 },
        { o->label != NULL, "label", FOREIGN, 0 },
        { o->target != NULL, "target", FOREIGN, 0 },
        { o->digits != 0, "digits", OURS | FOREIGN, 0 },
        { o->provenance, "provenance", OURS | FOREIGN, 0 }
    };
    size_t i;

    for (i = 0; i < sizeof v / sizeof *v; i++)
        if (v[i].given && !(v[i].from & 1 << from->kind)
            && !(v[i].to & 1 << to->kind))
            tool_misuse("--%s does nothing from %s to %s", v[i].name,
                        from->entry.name, to->entry.name);
    if (o->keep.n && !o->data)
        tool_misuse("--keep copies columns of the rows explained: name their "
                    "table with -x");
    if (o->target && !o->data)
        tool_misuse("-y goes with -x");
}

int
main(int argc, char **argv)
{
    const struct convert_format *from, *to;
    struct tool_options o;
    const char *path;
    int status = TOOL_DONE, to_long;

    tool_start(&tool, argc, argv, &o);
    path = o.n_operands ? o.operands[0] : NULL;
    to = o.to ? find_format("--to", o.to) : NULL;
    from = o.from ? find_format("--from", o.from)
        : find_format("--from", to ? to->other : "csv");
    if (!to)
        to = find_format("--to", from->other);
    to_long = to->kind == CONVERT_LONG;
    if (to->kind > CONVERT_LONG)
        tool_misuse("--to: %s is read, not written", to->entry.name);
    if (from->kind <= CONVERT_TSV && to->kind > CONVERT_TSV)
        tool_misuse("--to %s: whose attributions are they? Say --from wide, "
                    "long, or the name of another program", to->entry.name);
    if (from->kind > CONVERT_TSV && to->kind <= CONVERT_TSV)
        tool_misuse("--to %s: attributions become tables, wide or long%s",
                    to->entry.name, to->kind == CONVERT_CSV ? "; a second "
                    "asc-convert --to csv makes CSV of them" : "");
    if (from == to && from->kind >= CONVERT_WIDE)
        tool_misuse("from %s to %s: that is the same", from->entry.name,
                    to->entry.name);
    check_options(&o, from, to);
    if (from->kind <= CONVERT_TSV)
        convert_table(&o, path, from, to);
    else if (from->kind == CONVERT_WIDE)
        convert_to_long(&o, path);
    else if (from->kind == CONVERT_LONG)
        convert_to_wide(&o, path);
    else if (from->kind == CONVERT_PARTS)
        status = convert_parts(&o, path, from, to_long);
    else
        status = convert_matrix(&o, path, from, to_long);
    return tool_end(&o, status);
}
