/* asc-convert -- tables from and to CSV. */
#include <string.h>

#include "tools/convert.h"

static const struct tool_use options[] = {
    { OPT_FROM, NULL }, { OPT_TO, NULL }, { OPT_DELIMITER, NULL },
    { OPT_REPLACE, NULL },
    { OPT_MISSING, "texts to write as empty fields" },
    { OPT_NO_HEADER, "the first line is data" },
    { OPT_COLUMNS, NULL }, { OPT_OUTPUT, NULL }, { OPT_LIST, NULL },
    { OPT_END, NULL }
};

/* Every format, in the order of --list. */
static const struct convert_format formats[] = {
    { { "csv", "comma-separated values, any table", "RFC 4180", NULL, 0 },
      CONVERT_CSV, "tsv" },
    { { "tsv", "a table as these tools read it", "ascribe-tables(5)", NULL,
        0 },
      CONVERT_TSV, "csv" },
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
    .purpose = "Convert tables from one format to another.",
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

int
main(int argc, char **argv)
{
    const struct convert_format *from, *to;
    struct tool_options o;

    tool_start(&tool, argc, argv, &o);
    to = o.to ? find_format("--to", o.to) : NULL;
    from = o.from ? find_format("--from", o.from)
        : find_format("--from", to ? to->other : "csv");
    if (!to)
        to = find_format("--to", from->other);
    convert_table(&o, o.n_operands ? o.operands[0] : NULL, from, to);
    return tool_end(&o, TOOL_DONE);
}
