/* model/command.c -- any program as a model: cmd:COMMAND, coproc:COMMAND.
 *
 * /bin/sh runs the command.  It gets rows of raw fields as a table, a header
 * first, and answers with a table of as many rows whose header names the
 * outputs: one is a value, several are the classes of a classifier.  What it
 * prints is the model's value on either scale; there is no link to undo.
 *
 *     cmd     a process for each batch of at most BATCH rows; standard input
 *             ends after the rows, and the answer is read to its end, with
 *             the exit status 0
 *     coproc  a process for each thread that evaluates at the same time; a
 *             batch is a line "#N", the header, N rows, and the answer the
 *             header and N rows, flushed
 *
 * Lines "# ..." before the header of an answer are skipped.  An empty value,
 * NA or NaN says that the model has no answer for the row (NaN); all others
 * must be finite numbers.
 *
 * The names of the outputs must be known when the model is opened.  The first
 * row of the background is evaluated to learn them; without a background a
 * table of no rows, and if the command cannot do that and all fields are
 * continuous, a row of zeros.
 *
 * A row's value is the command's affair: that it depends on nothing but the
 * row is up to its author.  Cost: the command's, and about 0.2 us a number to
 * write and read. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/command.h"
#include "table/internal.h"

enum { BATCH = 100000 };        /* rows */

static int
evaluate(const void *state, enum asc_scale scale, const double *x, size_t n,
         double *y, struct asc_error *e)
{
    const struct asci_command *c = state;
    struct asc_error mine;
    size_t i;
    int status;

    (void)scale;                /* there is one only */
    for (i = 0; i < n; i += BATCH) {
        struct asci_batch t = {
            .x = x + i * c->schema->n, .n = n - i < BATCH ? n - i : BATCH,
            .first = i, .y = y + i * c->n_outputs
        };

        status = asci_command_run(c, &t, &mine);
        if (status != ASC_OK) {
            if (e)
                *e = mine;
            return status;
        }
    }
    return ASC_OK;
}

static void
command_free(void *state)
{
    struct asci_command *c = state;

    if (!c)
        return;
    asci_coprocesses_free(c->idle);
    asci_list_free(c->output, c->n_outputs);
    free(c->text);
    free(c);
}

/* ---- fields ---- */

static int
find(char *const *names, size_t n, const char *name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

/* The names of the fields: --fields, or the columns but those that are not. */
static int
name_fields(const char *shown, const struct asc_model_options *o, char ***out,
            size_t *n, struct asc_error *e)
{
    char **name = NULL, **not = NULL;
    size_t n_name = 0, n_not = 0, count, at = 0, length;
    struct asc_text column;
    int status;

    if (o->fields) {
        status = asci_list_split(o->fields, &name, &n_name, e);
        if (status != ASC_OK)
            return status;
    } else if (o->columns) {
        length = strlen(o->columns);
        count = asci_count_fields(o->columns, length);
        name = asci_alloc_zero(count, sizeof *name, e);
        if (!name)
            return ASC_ESYSTEM;
        status = o->not_fields
                 ? asci_list_split(o->not_fields, &not, &n_not, e) : ASC_OK;
        while (status == ASC_OK
               && asci_next_field(o->columns, length, &at, &column)) {
            char *copy = asci_copy_text(column.p, column.n, e);

            if (!copy)
                status = ASC_ESYSTEM;
            else if (find(not, n_not, copy) >= 0)
                free(copy);
            else
                name[n_name++] = copy;
        }
        asci_list_free(not, n_not);
        if (status != ASC_OK)
            goto bad;
    }
    for (at = 1; o->fields && at < n_name; at++)
        if (find(name, at, name[at]) >= 0) {
            status = asc_fail(e, ASC_EUSAGE, "%s: field \"%s\" is named "
                              "twice", shown, name[at]);
            goto bad;
        }
    if (n_name == 0 || find(name, n_name, "") >= 0) {
        status = asc_fail(e, ASC_EUSAGE, n_name == 0
                          ? "%s: which columns are its fields? (see --fields)"
                          : "%s: one of its fields has no name", shown);
        goto bad;
    }
    *out = name;
    *n = n_name;
    return ASC_OK;
bad:
    asci_list_free(name, n_name);
    return status;
}

/* Takes over the n names. */
static int
make_fields(struct asc_schema *s, char **name, size_t n, struct asc_error *e)
{
    size_t j;

    s->field = asci_alloc_zero(n, sizeof *s->field, e);
    if (!s->field) {
        asci_list_free(name, n);
        return ASC_ESYSTEM;
    }
    s->n = n;
    for (j = 0; j < n; j++) {
        s->field[j].name = name[j];
        s->field[j].kind = ASC_CONTINUOUS;
        s->field[j].invalid = ASC_INVALID_AS_IS;
        s->field[j].replacement = NAN;
        s->field[j].low = -INFINITY;
        s->field[j].high = INFINITY;
    }
    free(name);
    return ASC_OK;
}

static void
make_categorical(struct asc_field *f)
{
    f->kind = ASC_CATEGORICAL;
    f->text_type = ASC_TEXT;
    f->open = 1;
}

static int
name_categorical(const char *shown, struct asc_schema *s, const char *list,
                 struct asc_error *e)
{
    const char **known = NULL, *near;
    char **name = NULL;
    size_t n = 0, i, j;
    int status = asci_list_split(list, &name, &n, e), at;

    if (status != ASC_OK)
        return status;
    for (i = 0; i < n && status == ASC_OK; i++) {
        at = asc_schema_find(s, name[i]);
        if (at >= 0) {
            make_categorical(&s->field[at]);
            continue;
        }
        known = asci_alloc(s->n, sizeof *known, e);
        if (!known) {
            status = ASC_ESYSTEM;
            break;
        }
        for (j = 0; j < s->n; j++)
            known[j] = s->field[j].name;
        near = asc_nearest(name[i], known, s->n);
        if (near)
            status = asc_fail(e, ASC_EUSAGE, "%s: \"%s\" is to be categorical "
                              "and is not one of its fields; did you mean "
                              "\"%s\"?", shown, name[i], near);
        else
            status = asc_fail(e, ASC_EUSAGE, "%s: \"%s\" is to be categorical "
                              "and is not one of its fields", shown, name[i]);
        free(known);
    }
    asci_list_free(name, n);
    return status;
}

/* Fields with any value in the background that is no number are
 * categorical. */
static int
look_through(struct asc_schema *s, const char *path, struct asc_error *e)
{
    asc_reader *r = asc_reader_open(path, NULL, e);
    struct asc_text t;
    size_t *column = NULL, j;
    double v;
    int got = 0, status = ASC_ESYSTEM;

    if (!r)
        return e->status;
    column = asci_alloc(s->n, sizeof *column, e);
    if (!column)
        goto out;
    for (j = 0; j < s->n; j++) {
        status = asc_reader_require(r, s->field[j].name, &column[j], e);
        if (status != ASC_OK)
            goto out;
    }
    while ((got = asc_reader_next(r, e)) > 0)
        for (j = 0; j < s->n; j++) {
            if (s->field[j].kind == ASC_CATEGORICAL
                || asc_reader_missing(r, column[j]))
                continue;
            t = asc_reader_text(r, column[j]);
            if (!asc_number_parse(t.p, t.n, &v))
                make_categorical(&s->field[j]);
        }
    status = got < 0 ? (int)e->status : ASC_OK;
out:
    free(column);
    asc_reader_close(r);
    return status;
}

/* ---- the outputs ---- */

/* The first row x (d) of the background: 1, or 0: it has none, or -1. */
static int
first_row(struct asc_schema *s, const char *path, double *x,
          struct asc_error *e)
{
    asc_reader *r = asc_reader_open(path, NULL, e);
    struct asc_binding binding;
    int got;

    if (!r)
        return -1;
    if (asc_bind(&binding, s, r, e) != ASC_OK) {
        asc_reader_close(r);
        return -1;
    }
    got = asc_reader_next(r, e);
    if (got > 0 && asc_bind_row(&binding, r, x, e) != ASC_OK)
        got = -1;
    asc_binding_free(&binding);
    asc_reader_close(r);
    return got;
}

/* Evaluates n rows (0 or 1) to learn what the outputs are called. */
static int
learn(struct asci_command *c, const double *x, size_t n, struct asc_error *e)
{
    struct asci_batch t = { .x = x, .n = n };
    int status = asci_command_run(c, &t, e);

    if (status == ASC_OK) {
        c->n_outputs = t.n_outputs;
        c->output = t.output;
    } else {
        asci_list_free(t.output, t.n_outputs);
    }
    return status;
}

static int
learn_outputs(struct asci_command *c, struct asc_schema *s,
              const char *background, struct asc_error *e)
{
    struct asc_error second;
    double *x = asci_alloc_zero(s->n, sizeof *x, e);
    int status = ASC_ESYSTEM, got = 0, zeros = 1;
    size_t j;

    if (!x)
        return status;
    if (background) {
        got = first_row(s, background, x, e);
        if (got < 0) {
            status = (int)e->status;
            goto out;
        }
    }
    status = learn(c, x, (size_t)got, e);
    if (status == ASC_OK || got > 0)
        goto out;
    for (j = 0; j < s->n; j++)
        zeros = zeros && s->field[j].kind == ASC_CONTINUOUS;
    if (zeros && learn(c, x, 1, &second) == ASC_OK) {
        status = ASC_OK;
        goto out;
    }
    status = asc_fail(e, (enum asc_status)status, "%s; it was run without "
                      "rows%s to learn the names of its outputs: with -b it "
                      "gets a row of the background", e->text,
                      zeros ? ", and with a row of zeros," : "");
out:
    free(x);
    return status;
}

/* ---- the model ---- */

/* As messages show it. */
static void
shorten(const char *spec, char out[ASCI_COMMAND_SHOWN + 4])
{
    size_t n = strlen(spec);

    if (n > ASCI_COMMAND_SHOWN) {
        n = ASCI_COMMAND_SHOWN;
        while (n > 0 && ((unsigned char)spec[n] & 0xC0) == 0x80)
            n--;                /* not inside of a character */
        memcpy(out + n, "...", 4);
    } else {
        out[n] = '\0';
    }
    memcpy(out, spec, n);
    asci_make_safe(out);
}

static int
fill(asc_model *m, const char *text, const struct asc_model_options *o,
     struct asc_error *e)
{
    struct asci_command *c = m->u.opaque.state;
    struct stat st;
    char **name = NULL;
    size_t n = 0, k;
    int status;

    c->text = asci_copy_text(text, strlen(text), e);
    if (!c->text)
        return ASC_ESYSTEM;
    if (c->coproc && !(c->idle = asci_coprocesses_new(e)))
        return ASC_ESYSTEM;
    if (text[strspn(text, " \t\n")] == '\0')
        return asc_fail(e, ASC_EUSAGE, "%s: there is no command after the "
                        "colon", m->name);
    if (o->background
        && (strcmp(o->background, "-") == 0
            || (stat(o->background, &st) == 0 && !S_ISREG(st.st_mode))))
        return asc_fail(e, ASC_EUSAGE, "%s: the background of a command is "
                        "read more than once, so it must be a file",
                        strcmp(o->background, "-") == 0 ? "standard input"
                        : o->background);
    if ((status = name_fields(c->shown, o, &name, &n, e))
        || (status = make_fields(&m->schema, name, n, e))
        || (o->categorical
            && (status = name_categorical(c->shown, &m->schema,
                                          o->categorical, e)))
        || (o->background
            && (status = look_through(&m->schema, o->background, e)))
        || (status = learn_outputs(c, &m->schema, o->background, e)))
        return status;
    m->output = asci_alloc_zero(c->n_outputs, sizeof *m->output, e);
    if (!m->output)
        return ASC_ESYSTEM;
    m->n_outputs = m->n_raw = c->n_outputs;
    for (k = 0; k < c->n_outputs; k++) {
        m->output[k].name = asci_copy_text(c->output[k],
                                           strlen(c->output[k]), e);
        if (!m->output[k].name)
            return ASC_ESYSTEM;
        m->output[k].raw = k;
        m->output[k].sign = 1.0;
    }
    m->classifier = c->n_outputs > 1;
    m->has_probabilities = m->classifier && !o->raw;
    m->link = ASCI_LINK_NONE;
    return asci_model_finish(m, e);
}

asc_model *
asci_command_read(const char *spec, const struct asc_model_options *o,
                  struct asc_error *e)
{
    const int coproc = strncmp(spec, "coproc:", 7) == 0;
    struct asc_error mine;
    struct asci_command *c;
    asc_model *m = asci_model_new(spec, &mine);

    if (!m)
        goto bad;
    asc_digest(spec, strlen(spec), m->digest);
    if (asci_model_set_format(m, &mine, "%s",
                              coproc ? "coprocess" : "command"))
        goto bad;
    c = asci_alloc_zero(1, sizeof *c, &mine);
    if (!c)
        goto bad;
    m->form = ASC_FORM_OPAQUE;
    m->u.opaque.state = c;
    m->u.opaque.evaluate = evaluate;
    m->u.opaque.free = command_free;
    c->coproc = coproc;
    c->timeout = o->timeout;
    c->children = o->children;
    c->schema = &m->schema;
    shorten(spec, c->shown);
    if (fill(m, spec + (coproc ? 7 : 4), o, &mine) == ASC_OK)
        return m;
bad:
    if (e)
        *e = mine;
    asc_model_free(m);
    return NULL;
}
