/* tool.c -- what the asc-* tools share.  See tool.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/tool.h"
#include "tools/undo.h"

enum { BACKGROUND_ROWS = 100, LONG_ONLY = 256 };

/* Every option of every tool.  The same letter and name mean the same
 * everywhere; -M alone goes by two names, for what it lists. */
static const struct {
    enum tool_option option;
    int letter;                 /* 0: none */
    const char *name;
    const char *argument;       /* NULL: takes none */
    const char *meaning;
} table[] = {
    { OPT_MODEL, 'm', "model", "MODEL",
      "model: a file (PMML, XGBoost, LightGBM, CatBoost), cmd: or coproc:" },
    { OPT_METHOD, 'M', "method", "SPEC,...", "methods" },
    { OPT_METRIC, 'M', "metric", "SPEC,...", "metrics" },
    { OPT_DATA, 'x', "data", "FILE", "table of the rows explained" },
    { OPT_BACKGROUND, 'b', "background", "FILE",
      "rows that stand for absent fields (default: 100 rows of the data)" },
    { OPT_TARGET, 'y', "target", "COLUMN", "column to predict" },
    { OPT_GROUP, 'g', "group", "COLUMN,...",
      "columns that make the groups, in the table or in -x" },
    { OPT_BY, 0, "by", "COLUMN,...",
      "columns that tell results apart (default: model, method, method_a, "
      "method_b and metric, those that there are)" },
    { OPT_CLASS, 'c', "class", "CLASS",
      "output to explain: a class, predicted, or all (default: the second of "
      "two, else predicted)" },
    { OPT_FOIL, 0, "foil", "CLASS",
      "explain why the class and not this one: a class, or rival, the best of "
      "the others" },
    { OPT_COALITION, 0, "coalition", "NAME=FIELD,...",
      "fields that belong together, for owen; may be repeated" },
    { OPT_SCALE, 0, "scale", "SCALE",
      "raw (before the model's link; default) or response (after it)" },
    { OPT_SEED, 's', "seed", "N", "seed of the random streams (default 1)" },
    { OPT_THREADS, 'j', "threads", "N",
      "threads (default: the processors it may use)" },
    { OPT_OUTPUT, 'o', "output", "FILE",
      "write there, once complete (default: standard output)" },
    { OPT_WEIGHT, 'w', "weight", "COLUMN", "column of row weights" },
    { OPT_UNIT, 0, "unit", "COLUMN",
      "column that names whose rows belong together" },
    { OPT_ID, 0, "id", "COLUMN", "column of row ids (default row, if any)" },
    { OPT_KEEP, 0, "keep", "COLUMN,...",
      "columns of the data to copy into the output" },
    { OPT_LABEL, 0, "label", "TEXT",
      "write a column `model' that holds TEXT" },
    { OPT_FIRST_ROW, 0, "first-row", "N",
      "id of the first row where ids are counted (default 1)" },
    { OPT_NO_HEADER, 0, "no-header", NULL,
      "the first line is data; needs --columns" },
    { OPT_COLUMNS, 0, "columns", "NAME,...",
      "names of the columns, for --no-header" },
    { OPT_MISSING, 0, "missing", "TEXT,...",
      "further texts that mean a missing value" },
    { OPT_DIGITS, 0, "digits", "N",
      "significant digits (default: as many as the number needs)" },
    { OPT_STD_ERROR, 0, "std-error", NULL,
      "write standard errors, in columns se.FIELD" },
    { OPT_CURVE, 0, "curve", NULL, "write the curves behind the scores" },
    { OPT_LEVEL, 0, "level", "P",
      "confidence level of intervals (default 0.95)" },
    { OPT_REPLICATES, 0, "replicates", "N",
      "bootstrap replicates (default 1000)" },
    { OPT_PERMUTATIONS, 0, "permutations", "N",
      "random permutations of a test (default 1000)" },
    { OPT_MIN_GROUP, 0, "min-group", "N",
      "leave out groups with fewer rows (default 2)" },
    { OPT_ADJUST, 0, "adjust", "NAME",
      "correction for many tests: holm (default), bh, none" },
    { OPT_BETTER, 0, "better", "WAY",
      "higher or lower values are better (default: as the metric says)" },
    { OPT_FIELDS, 0, "fields", "COLUMN,...",
      "input fields of a command (default: all columns that are free)" },
    { OPT_CATEGORICAL, 0, "categorical", "COLUMN,...",
      "fields of a command that are categories although they look like "
      "numbers" },
    { OPT_DROP, 0, "drop", "COLUMN,...", "columns that are not fields" },
    { OPT_TIMEOUT, 0, "timeout", "SECONDS",
      "longest time a model command may take for a batch" },
    { OPT_MAX_MEMORY, 0, "max-memory", "BYTES",
      "largest model that is read, once expanded (default 2 GiB)" },
    { OPT_TYPE, 'T', "type", "TYPE",
      "pdf (default), svg, png, eps, tikz, cairolatex, dumb" },
    { OPT_WIDTH, 0, "width", "LENGTH", "width, as 3.3in or 84mm" },
    { OPT_HEIGHT, 0, "height", "LENGTH", "height, as 2.4in or 60mm" },
    { OPT_FONT, 0, "font", "NAME,SIZE", "font of the figure" },
    { OPT_TITLE, 0, "title", "TEXT", "title of the figure" },
    { OPT_PANELS, 0, "panels", "COLUMN",
      "one panel for each value of this column" },
    { OPT_SCRIPT, 0, "script", NULL,
      "print the gnuplot script, data included, instead of drawing" },
    { OPT_TOP, 0, "top", "N", "show the N largest only" },
    { OPT_PMML, 0, "pmml", NULL,
      "write the model as PMML 4.4" },
    { OPT_PROVENANCE, 0, "provenance", NULL,
      "begin with a comment that says how the table was made" },
    { OPT_FROM, 0, "from", "FORMAT", "format of what is read" },
    { OPT_TO, 0, "to", "FORMAT", "format of what is written" },
    { OPT_DELIMITER, 0, "delimiter", "CHARACTER",
      "what stands between the fields of CSV, or tab (default: a comma)" },
    { OPT_REPLACE, 0, "replace", "CHARACTER",
      "what to write for tabs and line ends within fields (default: they are "
      "refused)" },
    { OPT_BASE, 0, "base", "NUMBER,...",
      "reference value of attributions that have none with them" },
    { OPT_SUM, 0, "sum", "TEXT",
      "add up columns FIELD TEXT CATEGORY, as age_old for _" },
    { OPT_LIST, 'l', "list", NULL, "list what there is, and exit" },
    { OPT_QUIET, 'q', "quiet", NULL, "no notes, no progress" },
    { OPT_VERBOSE, 'v', "verbose", NULL, "say more of what is done" },
    { OPT_HELP, 'h', "help", NULL, "print this help, and exit" },
    { OPT_VERSION, 'V', "version", NULL, "print the version, and exit" },
};
enum { N_OPTIONS = sizeof table / sizeof *table };

static const struct tool_use everywhere[] = {
    { OPT_QUIET, NULL }, { OPT_VERBOSE, NULL }, { OPT_HELP, NULL },
    { OPT_VERSION, NULL }, { OPT_END, NULL }
};

/* What goes with -m.  Those that are for commands alone, or for files, are
 * refused with others: see check_model_options(). */
static const struct tool_use for_models[] = {
    { OPT_FIELDS, NULL }, { OPT_CATEGORICAL, NULL },
    { OPT_TARGET, "column that is no field of a command" },
    { OPT_TIMEOUT, NULL }, { OPT_MAX_MEMORY, NULL }, { OPT_END, NULL }
};

/* The running program; a process runs one tool. */
static struct {
    const struct tool *tool;
    int quiet, verbose;
    asc_writer *writer;         /* dropped if the tool fails */
    asc_children *children;     /* of models; killed if the tool fails */
    time_t started, said;
    int progress_shown, stdin_taken;
} self;

/* ---- messages ---- */

static void
clear_progress(void)
{
    if (self.progress_shown)
        fputs("\r\033[K", stderr);
    self.progress_shown = 0;
}

static void
stop(int status)
{
    if (self.writer)
        asc_writer_abandon(self.writer);
    asc_children_kill(self.children);
    exit(status);
}

void
tool_fail(const struct asc_error *e)
{
    clear_progress();
    /* Whoever read our output has had enough: nothing to tell anybody. */
    if (!asc_writer_broken_pipe(e))
        fprintf(stderr, "%s: %s\n", self.tool->name, e->text);
    stop(e->status == ASC_EUSAGE ? TOOL_USAGE : TOOL_FAILED);
    abort();
}

void
tool_misuse(const char *format, ...)
{
    struct asc_error e = { ASC_OK, "" };
    char text[sizeof e.text];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    asc_fail(&e, ASC_EUSAGE, "%s", text);
    tool_fail(&e);
}

void
tool_no_memory(void)
{
    struct asc_error e;

    asc_fail(&e, ASC_ESYSTEM, "out of memory");
    tool_fail(&e);
}

void
tool_whole(const struct asc_buffer *b)
{
    if (b->failed)
        tool_no_memory();
}

static void
say(const char *format, va_list ap)
{
    clear_progress();
    fprintf(stderr, "%s: ", self.tool->name);
    vfprintf(stderr, format, ap);
    putc('\n', stderr);
}

void
tool_note(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    if (!self.quiet)
        say(format, ap);
    va_end(ap);
}

void
tool_detail(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    if (self.verbose)
        say(format, ap);
    va_end(ap);
}

void
tool_warn(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(format, ap);
    va_end(ap);
}

/* ---- help ---- */

static size_t
find_option(enum tool_option option)
{
    size_t i;

    for (i = 0; i < N_OPTIONS && table[i].option != option; i++)
        ;
    return i;
}

/* All options that the tool has, in so many lists. */
enum { N_LISTS = 3 };

static const struct tool_use *
list_of_uses(size_t i)
{
    static const struct tool_use none = { OPT_END, NULL };

    return i == 0 ? self.tool->uses : i == 2 ? everywhere
        : self.tool->takes_model ? for_models : &none;
}

static void
print_option(const struct tool_use *use)
{
    size_t i = find_option(use->option);
    char head[64];
    int n;

    if (table[i].letter)
        n = snprintf(head, sizeof head, "  -%c, --%s%s%s", table[i].letter,
                     table[i].name, table[i].argument ? "=" : "",
                     table[i].argument ? table[i].argument : "");
    else
        n = snprintf(head, sizeof head, "      --%s%s%s", table[i].name,
                     table[i].argument ? "=" : "",
                     table[i].argument ? table[i].argument : "");
    printf("%s%*s%s\n", head, n < 30 ? 31 - n : 1, "",
           use->meaning ? use->meaning : table[i].meaning);
}

static void
print_help(void)
{
    const struct tool *t = self.tool;
    const struct tool_use *u;
    size_t i;

    printf("Usage: %s %s\n%s\n\n", t->name, t->synopsis, t->purpose);
    for (i = 0; i < N_LISTS; i++)
        for (u = list_of_uses(i); u->option != OPT_END; u++)
            print_option(u);
    if (t->entries)
        printf("\n%s --help=NAME describes a %s; -l lists them.\n", t->name,
               t->entry);
}

static void
print_list(void)
{
    size_t n, i;
    const struct asc_entry *const *v = self.tool->entries(&n);
    int width = 0;

    for (i = 0; i < n; i++)
        if ((int)strlen(v[i]->name) > width)
            width = (int)strlen(v[i]->name);
    for (i = 0; i < n; i++)
        printf("%-*s  %s\n", width, v[i]->name, v[i]->title);
}

static void
print_choices(const struct asc_param *p)
{
    const char *c = p->choices;
    size_t skip = (size_t)p->value, n;

    while (skip-- && (c = strchr(c, '|')))
        c++;
    n = c ? strcspn(c, "|") : 0;
    printf("  %s=%s (default %.*s)\n", p->name, p->choices, (int)n,
           c ? c : "");
}

static void
print_entry(const struct asc_entry *v)
{
    static const struct { unsigned trait; const char *text; } traits[] = {
        { ASC_NEEDS_GRADIENT, "needs a model with gradients" },
        { ASC_NEEDS_TREES, "needs a model of trees" },
        { ASC_NEEDS_LINEAR, "needs a linear model" },
        { ASC_NEEDS_COVERS, "needs a background if the trees have no record "
          "counts" },
        { ASC_NEEDS_BACKGROUND, "needs a background" },
        { ASC_NEEDS_BASELINE, "needs a baseline (made from the background)" },
        { ASC_NEEDS_CATEGORY, "needs a baseline if a field is categorical" },
        { ASC_TAKES_BASELINE, "uses the baseline of -b if there is one" },
        { ASC_NEEDS_MODEL, "needs the model" },
        { ASC_NEEDS_DATA, "needs the rows explained" },
        { ASC_RANDOM, "random: takes a seed" },
        { ASC_ADDITIVE, "attributions sum to value - base" },
        { ASC_EXACT, "exact" },
        { ASC_STD_ERROR, "gives standard errors" },
        { ASC_HIGHER_IS_BETTER, "higher is better" },
        { ASC_LOWER_IS_BETTER, "lower is better" },
        { ASC_CURVE, "gives curves" },
    };
    const struct asc_param *p;
    size_t i;

    printf("%s: %s\n%s\n", v->name, v->title, v->source);
    for (i = 0; i < sizeof traits / sizeof *traits; i++)
        if (v->traits & traits[i].trait)
            printf("- %s\n", traits[i].text);
    if (v->params && v->params->name)
        puts("\nParameters, as NAME:KEY=VALUE:");
    for (p = v->params; p && p->name; p++) {
        if (p->type == ASC_PARAM_CHOICE)
            print_choices(p);
        else if (p->type == ASC_PARAM_TEXT)
            printf("  %s=TEXT\n", p->name);
        else
            printf("  %s=%g (%g to %g)\n", p->name, p->value, p->min, p->max);
        printf("      %s\n", p->meaning);
    }
}

static void
describe(const char *name)
{
    size_t n, i;
    const struct asc_entry *const *v = self.tool->entries(&n);
    struct asc_specs none = { 0, NULL };
    struct asc_error e;

    for (i = 0; i < n; i++)
        if (!strcmp(v[i]->name, name)) {
            print_entry(v[i]);
            return;
        }
    /* The parser knows how to say this, and what the name is near to. */
    if (asc_specs_parse(name, v, n, self.tool->entry, &none, &e))
        tool_fail(&e);
    asc_specs_free(&none);
}

static void
print_version(void)
{
    printf("%s (ascribe) %s\n", self.tool->name, asc_version());
}

/* Ends a run that only printed: a full disk must not go unseen. */
static void
end_printing(void)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "%s: standard output: %s\n", self.tool->name,
                strerror(errno));
        exit(TOOL_FAILED);
    }
    exit(TOOL_DONE);
}

/* ---- parsing ---- */

static int
uses(enum tool_option option)
{
    const struct tool_use *u;
    size_t i;

    for (i = 0; i < N_LISTS; i++)
        for (u = list_of_uses(i); u->option != OPT_END; u++)
            if (u->option == option)
                return 1;
    return 0;
}

static double
number(size_t i, const char *text, double min, double max, int whole)
{
    double v;

    if (!asc_number_parse(text, strlen(text), &v) || !(v >= min && v <= max)
        || (whole && v != (double)(uint64_t)v)) {
        if (max <= 1e15)
            tool_misuse("--%s: \"%s\" is not a %snumber from %g to %.15g",
                        table[i].name, text, whole ? "whole " : "", min, max);
        tool_misuse("--%s: \"%s\" is not a %snumber of %g or more",
                    table[i].name, text, whole ? "whole " : "", min);
    }
    return v;
}

/* Seeds use all 64 bits, more than a double holds. */
static uint64_t
whole64(size_t i, const char *text)
{
    char *end;
    unsigned long long v;

    errno = 0;
    v = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        tool_misuse("--%s: \"%s\" is not a whole number from 0 to "
                    "18446744073709551615", table[i].name, text);
    return v;
}

static void
choice(size_t i, const char *text, const char *const *names, size_t n)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t k;

    for (k = 0; k < n; k++)
        if (!strcmp(text, names[k]))
            return;
    for (k = 0; k < n; k++)
        asc_buffer_print(&b, "%s%s", k ? k + 1 < n ? ", " : " or " : "",
                         names[k]);
    asc_buffer_char(&b, '\0');
    tool_misuse("--%s: \"%s\" is not %s", table[i].name, text,
                b.p ? b.p : "known");
}

static void
join(struct asc_buffer *b, char separator, const char *text)
{
    if (b->n)
        b->p[b->n - 1] = separator;
    asc_buffer_add(b, text, strlen(text) + 1);
    if (b->failed)
        tool_no_memory();
}

/* One that can be seen, or a space; or "tab", if a tab will do. */
static char
character(size_t i, const char *text, int tab)
{
    if (tab && (!strcmp(text, "tab") || !strcmp(text, "\t")))
        return '\t';
    if (strlen(text) != 1 || (tab ? strpbrk(text, "\"#") != NULL : 0)
        || *text < 0x20 || *text > 0x7e)
        tool_misuse("--%s: \"%s\" is not one ASCII character%s",
                    table[i].name, text,
                    tab ? " (other than \" and #), or tab" : "");
    return *text;
}

static void
take(size_t i, const char *arg, struct tool_options *o)
{
    static const char *const scales[] = { "raw", "response" };
    static const char *const adjusts[] = { "holm", "bh", "none" };
    static const char *const ways[] = { "higher", "lower" };
    static const char *const types[] = { "pdf", "svg", "png", "eps", "tikz",
                                         "cairolatex", "dumb" };

    /* An unset variable of the shell, most likely. */
    if (arg && !*arg && table[i].option != OPT_LABEL
        && table[i].option != OPT_MISSING && table[i].option != OPT_TITLE
        && table[i].option != OPT_SUM)
        tool_misuse("--%s: the value is empty", table[i].name);
    switch (table[i].option) {
    case OPT_MODEL: o->model = arg; break;
    case OPT_METHOD:
    case OPT_METRIC: join(&o->specs, ',', arg); break;
    case OPT_DATA: o->data = arg; break;
    case OPT_BACKGROUND: o->background = arg; break;
    case OPT_TARGET: o->target = arg; break;
    case OPT_GROUP: o->group = arg; break;
    case OPT_BY: o->by = arg; break;
    case OPT_CLASS: o->class_name = arg; break;
    case OPT_FOIL: o->foil = arg; break;
    case OPT_SCALE:
        choice(i, arg, scales, 2);
        o->scale = strcmp(arg, "raw") ? ASC_RESPONSE : ASC_RAW;
        o->scale_given = 1;
        break;
    case OPT_SEED: o->seed = whole64(i, arg); o->seed_given = 1; break;
    case OPT_THREADS: o->threads = (unsigned)number(i, arg, 1, 1024, 1); break;
    case OPT_OUTPUT: o->output = arg; break;
    case OPT_WEIGHT: o->weight = arg; break;
    case OPT_UNIT: o->unit = arg; break;
    case OPT_ID: o->reader.id = arg; break;
    case OPT_COALITION: join(&o->coalitions, ';', arg); break;
    case OPT_KEEP: join(&o->keep, ',', arg); break;
    case OPT_LABEL:
        if (strpbrk(arg, "\t\r\n"))
            tool_misuse("--label: a table cannot hold tabs or line ends");
        o->label = arg;
        break;
    case OPT_FIRST_ROW:
        o->reader.first_row = (uint64_t)number(i, arg, 1, 1e15, 1);
        break;
    case OPT_NO_HEADER: o->reader.no_header = 1; break;
    case OPT_COLUMNS: o->reader.columns = arg; break;
    case OPT_MISSING: o->reader.missing = arg; break;
    case OPT_DIGITS: o->digits = (int)number(i, arg, 1, 17, 1); break;
    case OPT_STD_ERROR: o->std_error = 1; break;
    case OPT_CURVE: o->curve = 1; break;
    case OPT_LEVEL: o->level = number(i, arg, 0.5, 0.9999, 0); break;
    case OPT_REPLICATES:
        o->replicates = (unsigned)number(i, arg, 0, 1e6, 1);
        break;
    case OPT_PERMUTATIONS:
        o->permutations = (unsigned)number(i, arg, 0, 1e7, 1);
        break;
    case OPT_MIN_GROUP:
        o->min_group = (size_t)number(i, arg, 1, 1e12, 1);
        break;
    case OPT_ADJUST: choice(i, arg, adjusts, 3); o->adjust = arg; break;
    case OPT_BETTER: choice(i, arg, ways, 2); o->better = arg; break;
    case OPT_FIELDS: o->fields = arg; break;
    case OPT_CATEGORICAL: o->categorical = arg; break;
    case OPT_DROP: o->drop = arg; break;
    case OPT_TIMEOUT: o->timeout = number(i, arg, 0.001, 1e9, 0); break;
    case OPT_MAX_MEMORY:
        o->max_memory = (size_t)number(i, arg, 1, 1e18, 1);
        break;
    case OPT_TYPE: choice(i, arg, types, 7); o->type = arg; break;
    case OPT_WIDTH: o->width = arg; break;
    case OPT_HEIGHT: o->height = arg; break;
    case OPT_FONT: o->font = arg; break;
    case OPT_TITLE: o->title = arg; break;
    case OPT_PANELS: o->panels = arg; break;
    case OPT_SCRIPT: o->script = 1; break;
    case OPT_PMML: o->pmml = 1; break;
    case OPT_TOP: o->top = (size_t)number(i, arg, 1, 1e6, 1); break;
    case OPT_PROVENANCE: o->provenance = 1; break;
    case OPT_FROM: o->from = arg; break;
    case OPT_TO: o->to = arg; break;
    case OPT_DELIMITER: o->delimiter = character(i, arg, 1); break;
    case OPT_REPLACE: o->replace = character(i, arg, 0); break;
    case OPT_BASE: o->base = arg; break;
    case OPT_SUM: o->sum = arg; break;
    case OPT_QUIET: o->quiet = 1; self.quiet = 1; break;
    case OPT_VERBOSE: o->verbose = 1; self.verbose = 1; break;
    case OPT_LIST:
        print_list();
        end_printing();
        break;
    case OPT_HELP:
        if (arg && self.tool->entries)
            describe(arg);
        else
            print_help();
        end_printing();
        break;
    case OPT_VERSION:
        print_version();
        end_printing();
        break;
    case OPT_END:
        break;
    }
}

static unsigned
processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* What was typed for the option that getopt refused. */
static void
refuse(int c, char **argv)
{
    const char *names[N_OPTIONS], *near, *typed;
    struct asc_buffer begun = { NULL, 0, 0, 0 };
    size_t i, n = 0, n_begun = 0, length;
    char word[64];

    if (optopt && optopt < LONG_ONLY && c != ':')
        tool_misuse("there is no option -%c; see %s --help", optopt,
                    self.tool->name);
    typed = argv[optind - 1];
    if (c == ':')
        tool_misuse("option %s wants a value; see %s --help", typed,
                    self.tool->name);
    if (optopt >= LONG_ONLY)
        tool_misuse("option --%s takes no value",
                    table[optopt - LONG_ONLY].name);
    for (i = 0; i < N_OPTIONS; i++)
        if (uses(table[i].option))
            names[n++] = table[i].name;
    while (*typed == '-')
        typed++;
    length = strcspn(typed, "=");
    snprintf(word, sizeof word, "%.*s", (int)(length < 60 ? length : 60),
             typed);
    for (i = 0; i < n; i++)
        if (!strncmp(names[i], word, strlen(word)))
            asc_buffer_print(&begun, "%s--%s", n_begun++ ? ", " : "",
                             names[i]);
    asc_buffer_char(&begun, '\0');
    if (n_begun > 1 && !begun.failed)
        tool_misuse("--%s is the beginning of several options: %s", word,
                    begun.p);
    asc_buffer_free(&begun);
    near = asc_nearest(word, names, n);
    if (near)
        tool_misuse("there is no option --%s; did you mean --%s?", word, near);
    tool_misuse("there is no option --%s; see %s --help", word,
                self.tool->name);
}

/* A standard stream that is closed stays so to the program: no file of its own
 * may take its number, and be read or written in its place. */
static void
keep_standard_streams(void)
{
    int fd;

    for (fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

void
tool_start(const struct tool *tool, int argc, char **argv,
           struct tool_options *o)
{
    struct option longs[N_OPTIONS + 1];
    char shorts[2 * N_OPTIONS + 2], *s = shorts;
    size_t i, n = 0;
    int c;

    memset(o, 0, sizeof *o);
    o->seed = 1;
    o->level = 0.95;
    o->replicates = o->permutations = 1000;
    o->min_group = 2;
    o->threads = processors();
    self.tool = tool;
    self.started = time(NULL);
    keep_standard_streams();
    undo_watch();
    asc_blas_threads(1);        /* threads are over rows */

    *s++ = ':';
    for (i = 0; i < N_OPTIONS; i++) {
        if (!uses(table[i].option))
            continue;
        longs[n].name = table[i].name;
        longs[n].has_arg = table[i].argument ? required_argument
            : table[i].option == OPT_HELP && tool->entries ? optional_argument
            : no_argument;
        longs[n].flag = NULL;
        longs[n++].val = (int)(LONG_ONLY + i);
        if (table[i].letter) {
            *s++ = (char)table[i].letter;
            if (table[i].argument)
                *s++ = ':';
        }
    }
    memset(&longs[n], 0, sizeof longs[n]);
    *s = '\0';
    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (c == '?' || c == ':')
            refuse(c, argv);
        if (c >= LONG_ONLY) {
            take((size_t)(c - LONG_ONLY), optarg, o);
            continue;
        }
        for (i = 0; i < N_OPTIONS; i++)
            if (table[i].letter == c && uses(table[i].option))
                take(i, optarg, o);
    }
    o->n_operands = (size_t)(argc - optind);
    o->operands = argv + optind;
    for (i = 0; i < o->n_operands; i++)
        if (!*o->operands[i])
            tool_misuse("operand %zu is empty: %s %s", i + 1, tool->name,
                        tool->synopsis);
    if (o->n_operands < tool->min_operands)
        tool_misuse("something is missing: %s %s", tool->name, tool->synopsis);
    if (o->n_operands > tool->max_operands)
        tool_misuse("\"%s\" is one operand too many: %s %s",
                    o->operands[tool->max_operands], tool->name,
                    tool->synopsis);
    if (o->reader.columns && !o->reader.no_header)
        tool_misuse("--columns goes with --no-header");
    if (o->reader.no_header && !o->reader.columns && !tool->bare)
        tool_misuse("--no-header needs --columns: what are the fields called?");
}

void
tool_options_free(struct tool_options *o)
{
    asc_buffer_free(&o->specs);
    asc_buffer_free(&o->keep);
    asc_buffer_free(&o->coalitions);
}

const char *
tool_text(const struct asc_buffer *b)
{
    return b->n ? b->p : NULL;
}

size_t
tool_split(const char *list, char ***piece, char **store)
{
    size_t n = 1, i;
    char *p;

    *store = strdup(list);
    for (p = *store; p && *p; p++)
        n += *p == ',';
    *piece = malloc(n * sizeof **piece);
    if (!*store || !*piece)
        tool_no_memory();
    for (i = 0, p = *store; i < n; i++) {
        (*piece)[i] = p;
        p += strcspn(p, ",");
        *p++ = '\0';
    }
    return n;
}

/* ---- opening ---- */

/* To be called for each table that is opened. */
static void
take_stdin(const char *path)
{
    if (!strcmp(path, "-") && self.stdin_taken++)
        tool_misuse("standard input can be only one of the tables");
}

static asc_reader *
open_table(const char *path, const struct tool_options *o)
{
    struct asc_error e;
    asc_reader *r;

    if (!path)
        path = "-";
    take_stdin(path);
    r = asc_reader_open(path, &o->reader, &e);
    if (!r)
        tool_fail(&e);
    return r;
}

static void
check_ids(const asc_reader *r, const struct tool_options *o)
{
    if (o->reader.no_header && asc_reader_id_column(r) < 0
        && !self.tool->bare)
        tool_misuse("--no-header needs row ids: name a column row, or say "
                    "which it is with --id");
}

asc_reader *
tool_table(const char *path, const struct tool_options *o)
{
    struct tool_options bare = *o;
    asc_reader *r = open_table(path, o);

    if (asc_reader_empty(r)) {
        asc_reader_close(r);
        bare.provenance = 0;    /* a comment alone would be no table */
        tool_close(tool_writer(&bare, NULL, NULL, NULL, NULL));
        exit(TOOL_DONE);
    }
    check_ids(r, o);
    return r;
}

asc_reader *
tool_side_table(const char *path, const struct tool_options *o)
{
    asc_reader *r = open_table(path, o);
    struct asc_error e;

    if (asc_reader_empty(r)) {
        asc_fail(&e, ASC_EINPUT, "%s: the table is empty", path);
        tool_fail(&e);
    }
    check_ids(r, o);
    return r;
}

static int
is_file(const char *path)
{
    struct stat st;
    struct asc_error e;

    if (!path || !strcmp(path, "-"))
        return 0;
    if (stat(path, &st)) {      /* although it is open */
        asc_fail(&e, ASC_ESYSTEM, "%s: cannot be read: %s", path,
                 strerror(errno));
        tool_fail(&e);
    }
    return S_ISREG(st.st_mode);
}

int
tool_is_command(const char *model)
{
    return !strncmp(model, "cmd:", 4) || !strncmp(model, "coproc:", 7);
}

/* What was chosen for the user of a model. */
static void
say_model(const struct tool_options *o, const asc_model *m)
{
    const struct asc_schema *s = asc_model_schema(m);
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t j;

    for (j = 0; j < s->n; j++)
        asc_buffer_print(&b, "%s%s", j ? ", " : "", s->field[j].name);
    if (tool_is_command(o->model) && !o->fields)
        tool_note("fields of the command: %.*s", (int)b.n, b.p ? b.p : "");
    tool_detail("%s: %s, %s form, %zu outputs, %s; fields: %.*s",
                asc_model_name(m), asc_model_format(m),
                asc_form_name(asc_model_form(m)),
                asc_model_n_outputs(m), asc_model_has_link(m)
                ? "raw and response scale" : "no link",
                (int)b.n, b.p ? b.p : "");
    asc_buffer_free(&b);
}

/* Refuses what would have no effect. */
static void
check_model_options(const struct tool_options *o)
{
    const int command = tool_is_command(o->model);
    const struct { const char *name; int given, fields; } only[] = {
        { "fields", o->fields != NULL, 1 },
        { "categorical", o->categorical != NULL, 1 },
        { "target", o->target != NULL, 1 },
        { "timeout", o->timeout > 0.0, 0 }
    };
    size_t i;

    for (i = 0; !command && i < sizeof only / sizeof *only; i++)
        if (only[i].given)
            tool_misuse("--%s is for cmd: and coproc: models%s", only[i].name,
                        only[i].fields ? "; this one says itself what its "
                        "fields are" : "");
    if (command && o->max_memory)
        tool_misuse("--max-memory is for models in files");
}

/* The columns of a table, and those of them that cannot be fields. */
static void
name_columns(const struct tool_options *o, const asc_reader *r,
             struct asc_buffer *columns, struct asc_buffer *not)
{
    const char *const extra[] = { o->reader.id ? o->reader.id : "row",
        o->target, o->group, o->weight, o->unit, tool_text(&o->keep) };
    size_t j, *unused;

    if (o->fields) {
        tool_columns(r, o->fields, &unused);
        free(unused);
    }
    if (o->target) {            /* misspelt, it would become a field */
        tool_columns(r, o->target, &unused);
        free(unused);
    }
    for (j = 0; j < asc_reader_n_columns(r); j++)
        asc_buffer_print(columns, "%s%s", j ? "\t" : "",
                         asc_reader_column(r, j));
    asc_buffer_char(columns, '\0');
    for (j = 0; j < sizeof extra / sizeof *extra; j++)
        if (extra[j])
            asc_buffer_print(not, "%s%s", not->n ? "," : "", extra[j]);
    asc_buffer_char(not, '\0');
    if (columns->failed || not->failed)
        tool_no_memory();
}

asc_model *
tool_model(const struct tool_options *o, const asc_reader *r,
           const char *path)
{
    struct asc_model_options mo = { .fields = o->fields };
    struct asc_buffer columns = { NULL, 0, 0, 0 }, not = { NULL, 0, 0, 0 };
    struct asc_error e;
    asc_model *m;

    if (!o->model)
        tool_misuse("no model: give it with -m");
    check_model_options(o);
    if (r)
        name_columns(o, r, &columns, &not);
    mo.categorical = o->categorical;
    mo.columns = columns.p;
    mo.not_fields = not.p;
    mo.background = o->background ? o->background
        : is_file(path) && !o->reader.no_header ? path : NULL;
    mo.raw = o->scale_given && o->scale == ASC_RAW;
    mo.timeout = o->timeout;
    mo.max_memory = o->max_memory;
    if (!self.children && tool_is_command(o->model)) {
        if (!(self.children = asc_children_new(&e)))
            tool_fail(&e);
        undo_children(self.children);
    }
    mo.children = self.children;
    m = asc_model_read(o->model, &mo, &e);
    if (!m)
        tool_fail(&e);
    say_model(o, m);
    asc_buffer_free(&columns);
    asc_buffer_free(&not);
    return m;
}

static int
has_rows(const char *path, const struct tool_options *o)
{
    struct asc_error e;
    asc_reader *r = asc_reader_open(path, &o->reader, &e);
    int got;

    if (!r)
        tool_fail(&e);
    got = asc_reader_empty(r) ? 0 : asc_reader_next(r, &e);
    if (got < 0)
        tool_fail(&e);
    asc_reader_close(r);
    return got;
}

int
tool_background(const struct tool_options *o, const char *path,
                struct asc_schema *schema, int needed, const char *what,
                struct asc_background *b)
{
    struct asc_reader_options plain = o->reader;
    struct asc_error e;

    if (o->background) {
        take_stdin(o->background);
        /* A background has its own header and its own rows. */
        plain.no_header = 0;
        plain.columns = NULL;
        plain.id = NULL;
        if (asc_background_read(o->background, &plain, schema, b, &e))
            tool_fail(&e);
        return 1;
    }
    if (!needed)
        return 0;
    if (!is_file(path))
        tool_misuse("%s needs a background: give one with -b (rows from a "
                    "pipe cannot be read twice)", what);
    if (!has_rows(path, o))
        return 0;
    if (asc_background_pick(path, &o->reader, schema, BACKGROUND_ROWS, o->seed,
                            b, &e))
        tool_fail(&e);
    tool_note("background: %zu rows of %s, digest %.8s", b->n, path,
              b->digest);
    return 1;
}

size_t
tool_columns(const asc_reader *r, const char *list, size_t **column)
{
    struct asc_error e;
    char **piece, *store;
    size_t n, i;

    *column = NULL;
    if (!list)
        return 0;
    n = tool_split(list, &piece, &store);
    *column = malloc(n * sizeof **column);
    if (!*column)
        tool_no_memory();
    for (i = 0; i < n; i++)
        if (asc_reader_require(r, piece[i], &(*column)[i], &e)) {
            e.status = ASC_EUSAGE;
            tool_fail(&e);
        }
    free(piece);
    free(store);
    return n;
}

size_t
tool_kept(const asc_reader *r, const struct tool_options *o, size_t **column)
{
    static const char *const taken[] = { "model", "row", "method", "output",
        "scale", "metric", "base", "value", "x", "predicted" };
    const size_t n = tool_columns(r, tool_text(&o->keep), column);
    size_t i, k;

    for (i = 0; i < n; i++) {
        const char *name = asc_reader_column(r, (*column)[i]);

        for (k = 0; k < sizeof taken / sizeof *taken; k++)
            if (!strcmp(name, taken[k]))
                tool_misuse("--keep: \"%s\" is a column of the output already",
                            name);
        for (k = 0; k < i; k++)
            if ((*column)[k] == (*column)[i])
                tool_misuse("--keep: column \"%s\" is named twice", name);
    }
    return n;
}

void
tool_specs(const struct tool_options *o, const char *text,
           const struct asc_entry *const *entries, size_t n, const char *what,
           struct asc_specs *specs)
{
    struct asc_error e;
    size_t i;

    specs->n = 0;
    specs->v = NULL;
    if (asc_specs_parse(text, entries, n, what, specs, &e))
        tool_fail(&e);
    for (i = 0; i < specs->n; i++)
        if ((specs->v[i].entry->traits & ASC_RANDOM) && !specs->v[i].has_seed)
            specs->v[i].seed = o->seed;
}

void
tool_specs_background(const struct tool_options *o, struct asc_specs *specs,
                      const asc_model *m, const struct asc_background *b)
{
    const int given = o->background != NULL;
    size_t i, n_used = 0;

    for (i = 0; i < specs->n; i++) {
        struct asc_spec *s = &specs->v[i];
        const enum asc_background_use use = asc_background_use(s->entry, m);
        const int used = b && (use == ASC_BACKGROUND_NEEDED
                               || (use == ASC_BACKGROUND_OPTIONAL && given));

        if (s->background[0]
            && (!used || strncmp(s->background, b->digest, 8)))
            tool_misuse("%s was asked for with background %s; the one at hand "
                        "is %.8s", s->entry->name, s->background,
                        used ? b->digest : "none");
        if (used)
            snprintf(s->background, sizeof s->background, "%.8s", b->digest);
        n_used += used;
    }
    if (given && !n_used)
        tool_background_unused(o);
}

void
tool_background_unused(const struct tool_options *o)
{
    /* of a command it has told the categories */
    if (o->background && !tool_is_command(o->model))
        tool_note("-b %s: nothing that is asked for uses a background",
                  o->background);
}

void
tool_specs_once(const struct asc_specs *specs)
{
    struct asc_buffer a = { NULL, 0, 0, 0 }, b = { NULL, 0, 0, 0 };
    size_t i, k;

    for (i = 1; i < specs->n; i++) {
        a.n = 0;
        asc_spec_text(&specs->v[i], &a);
        for (k = 0; k < i; k++) {
            b.n = 0;
            asc_spec_text(&specs->v[k], &b);
            if (!a.failed && !b.failed && a.n == b.n && !memcmp(a.p, b.p, a.n))
                tool_misuse("-M: %.*s is asked for twice", (int)a.n, a.p);
        }
    }
    asc_buffer_free(&a);
    asc_buffer_free(&b);
}

/* The output of this name, or SIZE_MAX for one of the words, at most two, of
 * which one may be NULL; a class may be called so: the model's own name goes
 * first.  Else a usage error about the `what'. */
static size_t
find_class(const asc_model *m, const char *what, const char *c,
           const char *const *words)
{
    const size_t k = asc_model_n_outputs(m);
    const char **names = malloc((k + 2) * sizeof *names), *near;
    struct asc_buffer list = { NULL, 0, 0, 0 };
    size_t i, n = k;

    if (!names)
        tool_no_memory();
    for (i = 0; i < k; i++)
        names[i] = asc_model_output(m, i);
    for (i = 0; i < 2 && words[i]; i++)
        names[n++] = words[i];
    for (i = 0; i < n; i++)
        if (!strcmp(c, names[i])) {
            free(names);
            return i < k ? i : SIZE_MAX;
        }
    for (i = 0; i < k && i < 5; i++)
        asc_buffer_print(&list, "%s%.40s", i ? ", " : "", names[i]);
    asc_buffer_print(&list, "%s", k > 5 ? ", ...)" : ")");
    if ((near = asc_nearest(c, names, n)))
        asc_buffer_print(&list, "; did you mean \"%s\"?", near);
    asc_buffer_char(&list, '\0');
    tool_misuse("%s \"%s\" is not among the model's outputs (%s", what, c,
                list.failed ? "" : list.p);
}

size_t
tool_classes(const struct tool_options *o, const asc_model *m, size_t **fixed)
{
    static const char *const words[] = { "predicted", "all" };
    const size_t k = asc_model_n_outputs(m);
    const char *c = o->class_name;
    size_t i, one = c ? find_class(m, "class", c, words) : SIZE_MAX;

    *fixed = malloc(k * sizeof **fixed);
    if (!*fixed)
        tool_no_memory();
    for (i = 0; i < k; i++)
        (*fixed)[i] = i;
    if (!c && asc_model_classifier(m) && k == 2)
        one = 1;
    if (one != SIZE_MAX) {
        **fixed = one;
        return 1;
    }
    if (c ? !strcmp(c, "all") : !asc_model_classifier(m))
        return k;
    free(*fixed);
    *fixed = NULL;
    return 1;
}

enum tool_foil
tool_foil(const struct tool_options *o, const asc_model *m, size_t *q,
          size_t **fixed, size_t **against)
{
    static const char *const words[] = { "rival", NULL };
    size_t i, n = 0, foil;

    *against = NULL;
    if (!o->foil)
        return TOOL_FOIL_NONE;
    if (asc_model_n_outputs(m) == 1)
        tool_misuse("--foil: the model has one output, \"%s\": there is none "
                    "to contrast it with", asc_model_output(m, 0));
    foil = find_class(m, "foil", o->foil, words);
    if (foil == SIZE_MAX) {
        if (*q > 1)
            tool_misuse("--foil=rival goes with one class, or with -c "
                        "predicted");
        return TOOL_FOIL_RIVAL;
    }
    *against = malloc(*q * sizeof **against);
    if (!*against)
        tool_no_memory();
    if (*q == 1 && *fixed && **fixed == foil)
        tool_misuse("--foil: \"%s\" is what is explained itself: contrast it "
                    "with another class, or choose one with -c",
                    asc_model_output(m, foil));
    for (i = 0; i < *q && *fixed; i++)
        if ((*fixed)[i] != foil)
            (*fixed)[n++] = (*fixed)[i];
    if (*fixed)
        *q = n;
    for (i = 0; i < *q; i++)
        (*against)[i] = foil;
    return TOOL_FOIL_CLASS;
}

enum asc_scale
tool_scale(const struct tool_options *o, const asc_model *m)
{
    if (!asc_model_has_link(m))
        return ASC_RAW;
    return o->scale_given ? o->scale : asc_model_default_scale(m);
}

const char *
tool_scale_name(enum asc_scale s)
{
    return s == ASC_RAW ? "raw" : "response";
}

/* ---- writing ---- */

/* The options that numbers depend on, as far as they were given; those with a
 * number for a default always. */
static void
put_request(const struct tool_options *o, struct asc_buffer *out)
{
    const struct { const char *name, *value; } given[] = {
        { "class", o->class_name }, { "foil", o->foil }, { "by", o->by }, { "group", o->group },
        { "unit", o->unit }, { "better", o->better }, { "adjust", o->adjust }
    };
    size_t i, start = out->n;

    for (i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].value)
            asc_buffer_print(out, " %s=%s", given[i].name, given[i].value);
    if (uses(OPT_REPLICATES))
        asc_buffer_print(out, " level=%g replicates=%u", o->level,
                         o->replicates);
    if (uses(OPT_PERMUTATIONS))
        asc_buffer_print(out, " permutations=%u min-group=%zu",
                         o->permutations, o->min_group);
    for (i = start; i < out->n; i++)    /* a class may have any name */
        if ((unsigned char)out->p[i] < 0x20)
            out->p[i] = '?';
}

asc_writer *
tool_writer(const struct tool_options *o, const asc_reader *r,
            const char *spec, const asc_model *m,
            const struct asc_background *b)
{
    struct asc_buffer out = { NULL, 0, 0, 0 };
    struct asc_error e;

    undo_hold();
    self.writer = asc_writer_open(o->output, &e);
    if (!self.writer)
        tool_fail(&e);
    if (asc_writer_temporary(self.writer))
        undo_path(asc_writer_temporary(self.writer));
    undo_release();
    if (r)
        asc_buffer_text(&out, asc_reader_comments(r));
    if (o->provenance) {
        asc_buffer_print(&out, "# %s %s", self.tool->name, asc_version());
        if (spec)
            asc_buffer_print(&out, " %s=%s", self.tool->entry, spec);
        put_request(o, &out);
        asc_buffer_print(&out, " seed=%llu", (unsigned long long)o->seed);
        if (m)
            asc_buffer_print(&out, " model=sha256:%s", asc_model_digest(m));
        if (b)
            asc_buffer_print(&out, " background=sha256:%s", b->digest);
        asc_buffer_print(&out, " blas=%s\n", asc_blas_kernel());
    }
    tool_put(self.writer, &out);
    asc_buffer_free(&out);
    return self.writer;
}

void
tool_put(asc_writer *w, struct asc_buffer *b)
{
    struct asc_error e;

    if (asc_writer_put(w, b, &e))
        tool_fail(&e);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void
tool_put_head(asc_writer *w, struct asc_buffer *b)
{
    char **name, *store = b->failed ? NULL : strndup(b->p, b->n), *p;
    size_t n = 1, i = 0;

    for (p = store; p && *p; p++)
        n += *p == '\t';
    name = malloc(n * sizeof *name);
    if (!store || !name)
        tool_no_memory();
    for (p = store; i < n; p++) {
        name[i++] = p;
        p += strcspn(p, "\t\n");
        *p = '\0';
    }
    qsort(name, n, sizeof *name, by_text);
    for (i = 1; i < n; i++)
        if (!strcmp(name[i - 1], name[i]))
            tool_misuse("two columns of the output would be called \"%s\": "
                        "leave one out, or rename it", name[i]);
    free(name);
    free(store);
    tool_put(w, b);
}

void
tool_close(asc_writer *w)
{
    struct asc_error e;

    self.writer = NULL;
    if (w && asc_writer_close(w, &e))
        tool_fail(&e);
    undo_forget_paths();
}

void
tool_progress(size_t rows)
{
    time_t now;

    if (self.quiet || !isatty(STDERR_FILENO))
        return;
    now = time(NULL);
    if (now - self.started < 2 || now == self.said)
        return;
    self.said = now;
    self.progress_shown = 1;
    fprintf(stderr, "\r\033[K%s: %zu rows, %.0f rows/s", self.tool->name, rows,
            (double)rows / (double)(now - self.started));
    fflush(stderr);
}

int
tool_end(struct tool_options *o, int status)
{
    clear_progress();
    tool_detail("%ld s", (long)(time(NULL) - self.started));
    tool_options_free(o);
    return status;
}
