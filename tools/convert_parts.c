/* convert_parts.c -- attributions that others keep as a line for each field:
 * what DALEX::predict_parts returns, of iBreakDown's shap and break_down.
 *
 * variable_name and contribution are what counts.  Where there is a column B,
 * its lines 0 are the means over the orderings of the fields; the others are
 * skipped.  The variable `intercept' of break_down is the base, and what is
 * called `prediction', or not at all, their sum.  A column row, which is none
 * of DALEX, tells several rows apart.  See convert.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/convert.h"

struct parts {
    struct convert_foreign *f;
    ptrdiff_t row, variable, name, contribution, label, b;
    int open;                   /* an explanation is at hand */
    struct asc_buffer id, output;       /* its own */
    size_t room, n_seen;
    double *phi, base;          /* (room) */
    unsigned char *seen;        /* (room) */
    struct asc_buffer text;     /* a name with its NUL */
    int begun;                  /* the sink is */
    int same;                   /* the row goes on */
};

static ptrdiff_t
find(const struct convert_foreign *f, const char *name, int needed)
{
    size_t j;

    for (j = 0; j < asc_reader_n_columns(f->file); j++) {
        const struct asc_text t = asc_reader_text(f->file, j);

        if (t.n == strlen(name) && !memcmp(t.p, name, t.n))
            return (ptrdiff_t)j;
    }
    if (needed)
        convert_foreign_fail(f, "there is no column \"%s\"", name);
    return -1;
}

static struct asc_text
text(const struct parts *p, ptrdiff_t column)
{
    struct asc_text t = { "", 0 };

    return column < 0 ? t : asc_reader_text(p->f->file, (size_t)column);
}

static int
is(struct asc_text t, const char *want)
{
    return t.n == strlen(want) && !memcmp(t.p, want, t.n);
}

static void
set(struct asc_buffer *b, struct asc_text t)
{
    b->n = 0;
    asc_buffer_add(b, t.p, t.n);
    if (b->failed)
        tool_misuse("out of memory");
}

static int
equals(const struct asc_buffer *b, struct asc_text t)
{
    return b->n == t.n && (!t.n || !memcmp(b->p, t.p, t.n));
}

/* ---- an explanation ---- */

/* The named output that the label ends in, as MODEL.OUTPUT, or CONVERT_NONE. */
static size_t
label_output(const struct parts *p)
{
    const struct convert_foreign *f = p->f;
    size_t k;

    for (k = 0; k < f->n_named; k++) {
        const size_t n = strlen(f->output[k]);

        if (p->output.n > n && p->output.p[p->output.n - n - 1] == '.'
            && !memcmp(p->output.p + p->output.n - n, f->output[k], n))
            return k;
    }
    return CONVERT_NONE;
}

/* Its output: CONVERT_NONE where none are known, the label itself. */
static size_t
find_output(const struct parts *p)
{
    const struct convert_foreign *f = p->f;
    const size_t k = f->n_outputs == 1 ? 0 : label_output(p);

    if (k == CONVERT_NONE && f->n_named)
        convert_foreign_fail(f, "label \"%.*s\" does not end in an output "
                             "(.%s%s%s)", p->output.n < 60 ? (int)p->output.n
                             : 60, p->output.p, f->output[0],
                             f->n_named > 1 ? ", ." : "",
                             f->n_named > 1 ? f->output[1] : "");
    return k;
}

/* Several outputs if the labels tell them apart. */
static void
begin(struct parts *p, int to_long)
{
    struct convert_foreign *f = p->f;
    const int one = f->n_named == 0 ? p->output.n == 0
        : f->n_named == 1 || (!f->asked && label_output(p) == CONVERT_NONE);

    f->known = 1;
    convert_foreign_begin(f, one ? 1 : 0, p->row < 0 ? CONVERT_COUNTED
                          : CONVERT_IDS, to_long);
    p->begun = 1;
}

/* Writes the explanation at hand. */
static void
finish(struct parts *p, int to_long)
{
    struct convert_foreign *f = p->f;
    const struct asc_text id = { p->row < 0 ? NULL : p->id.p, p->id.n };
    const struct asc_text output = { p->output.p, p->output.n };
    size_t j;

    if (!p->open)
        return;
    for (j = 0; j < f->d; j++)
        if (!p->seen[j])
            convert_foreign_fail(f, "the explanation before this line has no "
                                 "variable \"%.60s\"", f->field[j]);
    if (!p->begun)
        begin(p, to_long);
    if (!p->same)
        convert_foreign_row(f, id);
    convert_foreign_put(f, find_output(p), output, p->base, p->phi);
    p->open = 0;
}

static void
make_room(struct parts *p)
{
    if (p->f->d <= p->room)
        return;
    p->room = 2 * p->f->d;
    p->phi = realloc(p->phi, p->room * sizeof *p->phi);
    p->seen = realloc(p->seen, p->room);
    if (!p->phi || !p->seen)
        tool_misuse("out of memory");
}

static void
start(struct parts *p, struct asc_text id, struct asc_text label)
{
    make_room(p);
    if (p->f->d)
        memset(p->seen, 0, p->f->d);
    set(&p->id, id);
    set(&p->output, label);
    p->base = NAN;
    p->open = 1;
}

/* ---- lines ---- */

/* A variable's index; while the first explanation is read and the fields are
 * not known, a new one. */
static size_t
find_variable(struct parts *p, struct asc_text t)
{
    struct convert_foreign *f = p->f;
    size_t j;
    int part;

    set(&p->text, t);
    asc_buffer_char(&p->text, '\0');
    if (p->text.failed)
        tool_misuse("out of memory");
    j = convert_foreign_field(f, p->text.p, &part);
    if (j != CONVERT_NONE)
        return j;
    if (f->known)
        convert_foreign_fail(f, "variable \"%.60s\" is no field%s", p->text.p,
                             strchr(p->text.p, ':') ? ": attributions to "
                             "pairs are none to fields" : "");
    convert_foreign_add_field(f, p->text.p);
    make_room(p);
    p->seen[f->d - 1] = 0;
    return f->d - 1;
}

static void
read_line(struct parts *p, int to_long)
{
    struct convert_foreign *f = p->f;
    const struct asc_text id = text(p, p->row), label = text(p, p->label);
    const struct asc_text name = text(p, p->name), b = text(p, p->b);
    double v;
    size_t j;

    if (p->b >= 0 && !is(b, "0"))
        return;
    if (p->open && (!equals(&p->id, id) || !equals(&p->output, label))) {
        finish(p, to_long);
        p->same = equals(&p->id, id);
    }
    if (!p->open)
        start(p, id, label);
    v = convert_foreign_number(f, (size_t)p->contribution, "contribution");
    if (is(name, "intercept")) {
        p->base = v;
        return;
    }
    if (name.n == 0 || is(name, "prediction"))
        return;
    j = find_variable(p, name);
    if (p->seen[j])
        convert_foreign_fail(f, "variable \"%.60s\" is there twice in one "
                             "explanation: a column row tells rows apart",
                             f->field[j]);
    p->seen[j] = 1;
    p->phi[j] = v;
}

int
convert_parts(const struct tool_options *o, const char *path,
              const struct convert_format *from, int to_long)
{
    struct convert_foreign f;
    struct parts p;

    memset(&p, 0, sizeof p);
    p.f = &f;
    if (o->reader.no_header)
        tool_misuse("--no-header: a file of %s has a header",
                    from->entry.name);
    convert_foreign_open(&f, o, path, from);
    if (!convert_foreign_line(&f))
        convert_foreign_fail(&f, "there is no header");
    p.row = find(&f, o->reader.id && !o->data ? o->reader.id : "row", 0);
    p.name = find(&f, "variable_name", 1);
    p.contribution = find(&f, "contribution", 1);
    p.label = find(&f, "label", 0);
    p.b = find(&f, "B", 0);
    make_room(&p);
    while (convert_foreign_line(&f))
        read_line(&p, to_long);
    finish(&p, to_long);
    if (!p.begun && asc_reader_line(f.file) > 1)
        convert_foreign_fail(&f, "no line has B = 0, the mean over orderings");
    if (!p.begun)
        begin(&p, to_long);
    free(p.phi);
    free(p.seen);
    asc_buffer_free(&p.id);
    asc_buffer_free(&p.output);
    asc_buffer_free(&p.text);
    return convert_foreign_end(&f);
}
