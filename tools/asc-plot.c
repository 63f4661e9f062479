/* asc-plot -- a table as a figure for print. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/plot_kinds.h"
#include "tools/undo.h"

/* Where the scripts are installed; ASCRIBE_PLOTS names another place. */
#ifndef ASC_PLOTS
#define ASC_PLOTS "plots"
#endif

enum { N_KINDS = 5 };

static const struct plot_kind *const kinds[N_KINDS] = {
    &plot_bars, &plot_beeswarm, &plot_heatmap, &plot_curves, &plot_disparity
};

static const struct asc_param no_params[] = { ASC_PARAMS_END };
static struct asc_entry entry[N_KINDS];

/* The kinds as --list and --help=KIND want them. */
static const struct asc_entry *const *
entries(size_t *n)
{
    static const struct asc_entry *v[N_KINDS];
    size_t i;

    for (i = 0; i < N_KINDS; i++) {
        entry[i] = (struct asc_entry){ kinds[i]->name, kinds[i]->title,
                                       kinds[i]->table, no_params, 0 };
        v[i] = &entry[i];
    }
    *n = N_KINDS;
    return v;
}

static const struct tool_use options[] = {
    { OPT_TYPE, NULL }, { OPT_WIDTH, "width, as 3.3in (default) or 84mm" },
    { OPT_HEIGHT, "height (default: what the figure needs)" },
    { OPT_FONT, "font of the figure (default Helvetica,8)" },
    { OPT_TITLE, NULL },
    { OPT_PANELS, "one panel for each value of these columns" },
    { OPT_TOP, "fields shown, largest first (default 20)" },
    { OPT_DATA, "table of the rows explained: colours of a beeswarm" },
    { OPT_GROUP, "columns that make the groups of a disparity table" },
    { OPT_LEVEL, "level of the intervals of means (default 0.95)" },
    { OPT_SCRIPT, NULL }, { OPT_ID, "column of row ids in -x" },
    { OPT_MISSING, "further texts that mean a missing value in -x" },
    { OPT_OUTPUT, NULL }, { OPT_LIST, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-plot",
    .synopsis = "KIND [OPTION]... [TABLE]",
    .purpose = "Draw a table: bars, beeswarm, heatmap, curves or disparity.",
    .uses = options,
    .entries = entries,
    .entry = "figure",
    .min_operands = 1,
    .max_operands = 2
};

static const struct plot_kind *
find_kind(const char *name)
{
    const char *names[N_KINDS], *near;
    size_t i;

    for (i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i]->name;
        if (strcmp(name, names[i]) == 0)
            return kinds[i];
    }
    near = asc_nearest(name, names, N_KINDS);
    if (near)
        tool_misuse("there is no figure \"%s\"; did you mean \"%s\"?", name,
                    near);
    tool_misuse("there is no figure \"%s\"; -l lists them", name);
}

/* ---- options ---- */

static double
inches(const char *option, const char *text)
{
    static const struct { const char *unit; double inches; } units[] = {
        { "in", 1.0 }, { "mm", 1 / 25.4 }, { "cm", 1 / 2.54 },
        { "pt", 1 / 72.0 }, { "", 1.0 }
    };
    const size_t n = strlen(text);
    size_t i, m;
    double v;

    for (i = 0; i < sizeof units / sizeof *units; i++) {
        m = strlen(units[i].unit);
        if (n <= m || strcmp(text + n - m, units[i].unit) != 0)
            continue;
        if (asc_number_parse(text, n - m, &v) && v * units[i].inches >= 0.5
            && v * units[i].inches <= 100)
            return v * units[i].inches;
    }
    tool_misuse("--%s: \"%s\" is not a length from 0.5in to 100in, as 3.3in, "
                "84mm, 8.4cm or 238pt", option, text);
}

static enum plot_type
type_of(const char *name)
{
    static const char *const names[] = {
        "pdf", "svg", "png", "eps", "tikz", "cairolatex", "dumb"
    };
    int i;

    for (i = 0; name && i < 7; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum plot_type)i;
    return PLOT_PDF;
}

/* NAME,SIZE or NAME or ,SIZE.  Returns the name, to be freed. */
static char *
set_font(struct plot_figure *f, const char *text)
{
    const char *comma = text ? strrchr(text, ',') : NULL;
    char *name;

    f->size = 8.0;
    if (comma && (!asc_number_parse(comma + 1, strlen(comma + 1), &f->size)
                  || !(f->size >= 2.0 && f->size <= 72.0)))
        tool_misuse("--font: \"%s\" is not a size from 2 to 72 points, as in "
                    "Helvetica,8", comma + 1);
    name = !text || comma == text ? strdup("Helvetica")
        : comma ? strndup(text, (size_t)(comma - text)) : strdup(text);
    if (!name)
        tool_no_memory();
    f->font = name;
    return name;
}

/* ---- the script ---- */

static void
add_file(struct asc_buffer *out, const char *dir, const char *name)
{
    char block[4096], *path = NULL;
    struct asc_error e;
    size_t n;
    FILE *in;

    if (asprintf(&path, "%s/%s.gp", dir, name) < 0)
        tool_no_memory();
    in = fopen(path, "r");
    if (!in) {
        asc_fail(&e, ASC_ESYSTEM, "%s: %s (ASCRIBE_PLOTS says where the "
                 "scripts are)", path, strerror(errno));
        tool_fail(&e);
    }
    asc_buffer_char(out, '\n');
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        asc_buffer_add(out, block, n);
    if (ferror(in)) {
        asc_fail(&e, ASC_ESYSTEM, "%s: %s", path, strerror(errno));
        tool_fail(&e);
    }
    fclose(in);
    free(path);
}

/* The whole script.  file: of cairolatex, without the suffix. */
static void
assemble(struct asc_buffer *out, const struct plot_figure *f,
         const struct plot_kind *kind, const char *file)
{
    static const char *const suffix[] = {
        "pdf", "svg", "png", "eps", "tex", "tex", "txt"
    };
    static const char *const terminal[] = {
        "pdf", "svg", "png", "eps", "tikz", "cairolatex", "dumb"
    };
    const char *dir = getenv("ASCRIBE_PLOTS");
    struct asc_buffer quoted = { NULL, 0, 0, 0 };

    asc_buffer_print(out, "# %s: %s\n# Written by asc-plot %s.  ", kind->name,
                     kind->title, asc_version());
    if (f->type == PLOT_CAIROLATEX)
        asc_buffer_text(out, "Draw it with: gnuplot THIS\n\n");
    else
        asc_buffer_print(out, "Draw it with: gnuplot THIS > figure.%s\n\n",
                         suffix[f->type]);
    asc_buffer_print(out, "TERM = '%s'\nLATEX = %d\n", terminal[f->type],
                     plot_latex(f));
    if (file) {
        asc_buffer_print(&quoted, "%s.tex", file);
        asc_buffer_char(&quoted, '\0');
        asc_buffer_text(out, "OUTPUT = ");
        if (quoted.failed)
            tool_no_memory();
        plot_quote(out, quoted.p, 0);
        asc_buffer_char(out, '\n');
        asc_buffer_free(&quoted);
    }
    asc_buffer_text(out, "FONT = ");
    plot_quote(out, f->font, 0);
    asc_buffer_print(out, "\nSIZE = %g\n", f->size);
    tool_whole(&f->head);
    tool_whole(&f->data);
    asc_buffer_add(out, f->head.p, f->head.n);
    asc_buffer_char(out, '\n');
    asc_buffer_add(out, f->data.p, f->data.n);
    if (!dir)
        dir = ASC_PLOTS;
    add_file(out, dir, "style");
    add_file(out, dir, kind->name);
    if (f->head.failed || f->data.failed || out->failed)
        tool_no_memory();
}

/* ---- output ---- */

static time_t
epoch(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end;
    long long v;

    if (!text || !*text)
        return 0;
    errno = 0;
    v = strtoll(text, &end, 10);
    /* Four digits of a year are all that the formats have room for. */
    return errno || *end || v < 0 || v > 253402300799LL ? 0 : (time_t)v;
}

/* The base name of -o FILE.tex, to be freed. */
static char *
latex_file(const struct tool_options *o)
{
    const char *slash = o->output ? strrchr(o->output, '/') : NULL;
    const char *name = slash ? slash + 1 : o->output;
    const size_t n = name ? strlen(name) : 0;
    char *copy;

    if (o->script)
        copy = strdup("figure");
    else if (n > 4 && strcmp(name + n - 4, ".tex") == 0)
        copy = strndup(name, n - 4);
    else
        tool_misuse("-T cairolatex makes two files, FILE.tex and FILE.pdf: "
                    "say -o FILE.tex");
    if (!copy)
        tool_no_memory();
    return copy;
}

/* FILE.pdf beside FILE.tex. */
static void
write_second(const char *tex, struct asc_buffer *b)
{
    char *path = strdup(tex);
    struct asc_error e;
    asc_writer *w;

    if (!path)
        tool_no_memory();
    memcpy(path + strlen(path) - 3, "pdf", 3);
    undo_hold();
    if (!(w = asc_writer_open(path, &e)))
        tool_fail(&e);
    if (asc_writer_temporary(w))
        undo_path(asc_writer_temporary(w));
    undo_release();
    if (asc_writer_put(w, b, &e) != ASC_OK) {
        asc_writer_abandon(w);
        tool_fail(&e);
    }
    if (asc_writer_close(w, &e) != ASC_OK)
        tool_fail(&e);
    free(path);
}

int
main(int argc, char **argv)
{
    struct plot_figure f = { .title = "" };
    struct asc_buffer script = { NULL, 0, 0, 0 }, out = { NULL, 0, 0, 0 };
    struct asc_buffer second = { NULL, 0, 0, 0 };
    const struct plot_kind *kind;
    struct tool_options o, plain;
    struct asc_error e;
    char *font, *file = NULL;
    asc_reader *r;
    asc_writer *w;

    tool_start(&tool, argc, argv, &o);
    kind = find_kind(o.operands[0]);
    f.type = type_of(o.type);
    f.width = o.width ? inches("width", o.width) : 3.3;
    f.height = o.height ? inches("height", o.height) : 0.0;
    f.title = o.title ? o.title : "";
    font = set_font(&f, o.font);
    if (f.type == PLOT_CAIROLATEX)
        file = latex_file(&o);
    if (!o.script && !o.output && isatty(STDOUT_FILENO)
        && (f.type == PLOT_PDF || f.type == PLOT_PNG))
        tool_misuse("a terminal cannot show this: say -o FILE, or -T dumb");
    /* --id and --missing speak of -x: ids of ours stand in `row' */
    plain = o;
    memset(&plain.reader, 0, sizeof plain.reader);
    r = tool_table(o.n_operands > 1 ? o.operands[1] : NULL, &plain);
    plot_set_text(&f, "TITLE", f.title);
    kind->prepare(&f, r, &o);
    assemble(&script, &f, kind, file);
    if (!o.script) {
        if (plot_run(&script, file, &out, &second, &e) != ASC_OK)
            tool_fail(&e);
        /* gnuplot begins a page of characters with a form feed */
        if (f.type == PLOT_DUMB && out.n > 0 && out.p[0] == '\f')
            memmove(out.p, out.p + 1, --out.n);
        plot_set_dates(out.p, out.n, epoch());
        if (file)
            plot_set_dates(second.p, second.n, epoch());
    }
    w = tool_writer(&o, NULL, NULL, NULL, NULL);
    tool_put(w, o.script ? &script : &out);
    if (file && !o.script)
        write_second(o.output, &second);
    tool_close(w);
    asc_reader_close(r);
    asc_buffer_free(&f.head);
    asc_buffer_free(&f.data);
    asc_buffer_free(&script);
    asc_buffer_free(&out);
    asc_buffer_free(&second);
    free(font);
    free(file);
    return tool_end(&o, TOOL_DONE);
}
