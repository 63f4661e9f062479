/* model/command_run.c -- one batch of rows through a command.
 *
 * Rows are written as the command takes them and its answer is read line by
 * line as it comes, so memory does not grow with the batch, and what is wrong
 * with an answer is found where it goes wrong. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/child.h"
#include "model/command.h"
#include "table/internal.h"

enum {
    PIECE_OF_TEXT = 1 << 16,    /* bytes written at a time, or a row more */
    LONGEST = 1 << 24           /* bytes of a line that is printed */
};

/* Seconds that a coprocess may take to end once its standard input has, and
 * that a process gets to say why its answer is wrong. */
static const double goodbye = 2.0, grace = 0.2;

/* Those that wait for a batch. */
struct asci_coprocesses {
    pthread_mutex_t lock;
    struct asci_child **idle;   /* (n) */
    size_t n, capacity;
};

/* ---- one batch ---- */

static int
say(void *context, struct asc_buffer *b)
{
    struct asci_batch *t = context;
    const struct asc_schema *s = t->c->schema;
    size_t j;

    if (!t->header_said) {
        if (t->c->coproc)
            asc_buffer_print(b, "#%zu\n", t->n);
        for (j = 0; j < s->n; j++) {
            asc_buffer_text(b, s->field[j].name);
            asc_buffer_char(b, j + 1 < s->n ? '\t' : '\n');
        }
        t->header_said = 1;
    }
    for (; t->said < t->n && b->n < PIECE_OF_TEXT && !b->failed; t->said++)
        for (j = 0; j < s->n; j++) {
            asc_field_text(&s->field[j], t->x[t->said * s->n + j], 0, b);
            asc_buffer_char(b, j + 1 < s->n ? '\t' : '\n');
        }
    return t->said < t->n;
}

int
asci_next_field(const char *line, size_t n, size_t *at, struct asc_text *field)
{
    const char *tab;

    if (*at > n)
        return 0;
    field->p = line + *at;
    tab = n > *at ? memchr(field->p, '\t', n - *at) : NULL;
    field->n = tab ? (size_t)(tab - field->p) : n - *at;
    *at += field->n + 1;
    return 1;
}

size_t
asci_count_fields(const char *line, size_t n)
{
    size_t at = 0, count = 0;
    struct asc_text field;

    while (asci_next_field(line, n, &at, &field))
        count++;
    return count;
}

static int
learn_header(struct asci_batch *t, const char *line, size_t n,
             struct asc_error *e)
{
    const size_t count = asci_count_fields(line, n);
    struct asc_text field;
    size_t at = 0, k;

    t->output = asci_alloc_zero(count, sizeof *t->output, e);
    if (!t->output)
        return ASC_ESYSTEM;
    t->n_outputs = count;
    for (k = 0; k < count && asci_next_field(line, n, &at, &field); k++) {
        if (field.n == 0)
            return asc_fail(e, ASC_EINPUT, "%s: output %zu of %zu has no name "
                            "in the first line that it printed", t->c->shown,
                            k + 1, count);
        if (memchr(field.p, '\0', field.n))
            return asc_fail(e, ASC_EINPUT, "%s: there is a NUL byte in the "
                            "first line that it printed", t->c->shown);
        t->output[k] = asci_copy_text(field.p, field.n, e);
        if (!t->output[k])
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

static int
check_header(const struct asci_batch *t, const char *line, size_t n,
             struct asc_error *e)
{
    const struct asci_command *c = t->c;
    char quoted[ASCI_QUOTE_MAX];
    struct asc_text field;
    size_t at = 0, k;

    for (k = 0; k < c->n_outputs && asci_next_field(line, n, &at, &field); k++)
        if (strlen(c->output[k]) != field.n
            || memcmp(c->output[k], field.p, field.n) != 0)
            return asc_fail(e, ASC_EINPUT, "%s: its output %zu was called "
                            "\"%.80s\" and is now called \"%s\"", c->shown,
                            k + 1, c->output[k], asci_quote(field, quoted));
    if (k < c->n_outputs || at <= n)
        return asc_fail(e, ASC_EINPUT, "%s: the number of its outputs was "
                        "%zu and is now %zu", c->shown, c->n_outputs,
                        asci_count_fields(line, n));
    return ASC_OK;
}

static int
take_row(struct asci_batch *t, const char *line, size_t n, struct asc_error *e)
{
    const struct asci_command *c = t->c;
    const size_t n_outputs = c->n_outputs ? c->n_outputs : t->n_outputs;
    char *const *output = c->n_outputs ? c->output : t->output;
    char quoted[ASCI_QUOTE_MAX];
    struct asc_text field;
    size_t at = 0, k;
    double v;

    if (t->heard == t->n)
        return asc_fail(e, ASC_EINPUT, "%s: printed more rows of outputs than "
                        "the %zu that were asked for", c->shown, t->n);
    if (asci_count_fields(line, n) != n_outputs)
        return asc_fail(e, ASC_EINPUT, "%s: row %zu of its outputs has %zu "
                        "values, want %zu as in its header", c->shown,
                        t->first + t->heard + 1, asci_count_fields(line, n),
                        n_outputs);
    for (k = 0; k < n_outputs && asci_next_field(line, n, &at, &field); k++) {
        if (asci_missing_text(NULL, field))
            v = NAN;
        else if (!asc_number_parse(field.p, field.n, &v) || !isfinite(v))
            return asc_fail(e, ASC_EINPUT, "%s: row %zu of its outputs, "
                            "\"%.80s\": \"%s\" is not a finite number",
                            c->shown, t->first + t->heard + 1, output[k],
                            asci_quote(field, quoted));
        if (t->y)
            t->y[t->heard * n_outputs + k] = v;
    }
    t->heard++;
    return ASC_OK;
}

static int
take_line(struct asci_batch *t, const char *line, size_t n, struct asc_error *e)
{
    int status;

    if (n > 0 && line[n - 1] == '\r')
        n--;
    if (t->header_heard)
        return take_row(t, line, n, e);
    if (n >= 2 && memcmp(line, "# ", 2) == 0)
        return ASC_OK;
    status = t->c->n_outputs ? check_header(t, line, n, e)
                             : learn_header(t, line, n, e);
    t->header_heard = 1;
    return status;
}

static int
hear(void *context, const char *p, size_t n, struct asc_error *e)
{
    struct asci_batch *t = context;
    const char *end;
    size_t length;
    int status;

    for (; n > 0; p += length, n -= length) {
        end = memchr(p, '\n', n);
        length = end ? (size_t)(end - p) + 1 : n;
        if (end && t->line.n == 0) {
            status = take_line(t, p, length - 1, e);
        } else {
            asc_buffer_add(&t->line, p, end ? length - 1 : length);
            if (t->line.n > LONGEST)
                status = asc_fail(e, ASC_EINPUT, "%s: printed a line of more "
                                  "than %d bytes", t->c->shown, LONGEST);
            else if (t->line.failed)
                status = asc_fail(e, ASC_ESYSTEM, "out of memory");
            else
                status = end ? take_line(t, t->line.p, t->line.n, e) : ASC_OK;
            if (end)
                t->line.n = 0;
        }
        if (status != ASC_OK)
            return -1;
    }
    return t->header_heard && t->heard == t->n && t->line.n == 0;
}

/* The answer has ended: the last line may have come without its end. */
static int
hear_end(struct asci_batch *t, struct asc_error *e)
{
    const struct asci_command *c = t->c;
    int status;

    if (t->line.n > 0) {
        status = take_line(t, t->line.p, t->line.n, e);
        t->line.n = 0;
        if (status != ASC_OK)
            return status;
    }
    if (!t->header_heard)
        return asc_fail(e, ASC_EINPUT, "%s: printed nothing; want a line that "
                        "names the outputs, then a row of them for each row",
                        c->shown);
    if (t->heard < t->n)
        return asc_fail(e, ASC_EINPUT, "%s: printed outputs for %zu of %zu "
                        "rows%s", c->shown, t->heard, t->n,
                        t->heard + 1 == t->n
                        ? " (the first line that it prints must name the "
                          "outputs)" : "");
    return ASC_OK;
}

/* ---- failures ---- */

/* Adds the last words of the child to a failure that is not all its own: what
 * it prints is often wrong because of what it says there. */
static int
with_words(struct asci_child *child, struct asc_error *e)
{
    char said[ASCI_CHILD_SAID + 1];

    asci_child_said(child, said);
    if (said[0])
        asc_fail(e, e->status, "%s; its standard error: %s", e->text, said);
    return (int)e->status;
}

static int
late(const struct asci_command *c, struct asci_child *child,
     struct asc_error *e)
{
    asc_fail(e, ASC_ESYSTEM, "%s: not done after %g s (see --timeout)",
             c->shown, c->timeout);
    return with_words(child, e);
}

/* It has ended, or closed a pipe, and should not have, or not so. */
static int
died(const struct asci_command *c, const struct asci_batch *t,
     struct asci_child *child, struct asc_error *e)
{
    char said[ASCI_CHILD_SAID + 1], how[120], after[80] = "";

    asci_child_status(child, how, sizeof how);
    asci_child_said(child, said);
    if (t->heard > 0 || c->coproc)
        snprintf(after, sizeof after, " after %zu of %zu rows", t->heard,
                 t->n);
    if (!child->ended)
        return asc_fail(e, ASC_ESYSTEM, "%s: closed its standard %s%s%s%s",
                        c->shown, child->in < 0 && c->coproc ? "input"
                        : "output", after, said[0] ? ": " : "", said);
    return asc_fail(e, ASC_ESYSTEM, "%s: %s%s%s%s", c->shown, how, after,
                    said[0] ? ": " : "", said);
}

static int
succeeded(const struct asci_child *child)
{
    /* -1: somebody else has its status; the answer has to speak for it. */
    return child->ended && (child->status == 0 || child->status == -1);
}

/* Its answer is wrong.  Where it ends by itself in a way that says more, that
 * is the failure. */
static int
wrong(const struct asci_command *c, const struct asci_batch *t,
      struct asci_child *child, struct asc_error *e)
{
    char said[ASCI_CHILD_SAID + 1];

    if (e->status == ASC_EINPUT && asci_child_wait(child, asci_deadline(grace))
        && !succeeded(child)) {
        asci_child_said(child, said);
        if (said[0])
            return died(c, t, child, e);
    }
    return with_words(child, e);
}

static int
run_process(const struct asci_command *c, struct asci_batch *t,
            struct asc_error *e)
{
    const struct asci_talk talk = { t, say, hear, 1,
                                    asci_deadline(c->timeout) };
    struct asci_child child;
    int status;

    if (asci_child_start(&child, c->text, c->children, e) != ASC_OK)
        return (int)e->status;
    switch (asci_child_talk(&child, &talk, e)) {
    case ASCI_TALK_DONE:
    case ASCI_TALK_ENDED:
        if (!asci_child_wait(&child, talk.deadline))
            status = late(c, &child, e);
        else if (!succeeded(&child))
            status = died(c, t, &child, e);
        else if ((status = hear_end(t, e)) != ASC_OK)
            status = with_words(&child, e);
        break;
    case ASCI_TALK_LATE:
        status = late(c, &child, e);
        break;
    default:
        status = wrong(c, t, &child, e);
        break;
    }
    asci_child_end(&child);
    return status;
}

/* ---- coprocesses ---- */

struct asci_coprocesses *
asci_coprocesses_new(struct asc_error *e)
{
    struct asci_coprocesses *p = asci_alloc_zero(1, sizeof *p, e);

    if (p && pthread_mutex_init(&p->lock, NULL) != 0) {
        asc_fail(e, ASC_ESYSTEM, "cannot make a lock");
        free(p);
        p = NULL;
    }
    return p;
}

void
asci_coprocesses_free(struct asci_coprocesses *p)
{
    const double until = asci_deadline(goodbye);
    size_t i;

    if (!p)
        return;
    for (i = 0; i < p->n; i++)
        asci_child_hang_up(p->idle[i]);
    for (i = 0; i < p->n; i++) {
        asci_child_wait(p->idle[i], until);
        asci_child_end(p->idle[i]);
        free(p->idle[i]);
    }
    pthread_mutex_destroy(&p->lock);
    free(p->idle);
    free(p);
}

/* One that waits, or a new one. */
static struct asci_child *
take_idle(const struct asci_command *c, struct asc_error *e)
{
    struct asci_coprocesses *p = c->idle;
    struct asci_child *child = NULL;

    pthread_mutex_lock(&p->lock);
    if (p->n > 0)
        child = p->idle[--p->n];
    pthread_mutex_unlock(&p->lock);
    if (child)
        return child;
    child = asci_alloc(1, sizeof *child, e);
    if (child && asci_child_start(child, c->text, c->children, e) != ASC_OK) {
        free(child);
        child = NULL;
    }
    return child;
}

static int
put_away(struct asci_coprocesses *p, struct asci_child *child,
         struct asc_error *e)
{
    struct asci_child **idle;
    int status = ASC_OK;

    pthread_mutex_lock(&p->lock);
    if (p->n == p->capacity) {
        idle = asci_resize(p->idle, 2 * p->capacity + 4, sizeof *idle, e);
        if (idle) {
            p->idle = idle;
            p->capacity = 2 * p->capacity + 4;
        } else {
            status = ASC_ESYSTEM;
        }
    }
    if (status == ASC_OK)
        p->idle[p->n++] = child;
    pthread_mutex_unlock(&p->lock);
    return status;
}

static int
run_coprocess(const struct asci_command *c, struct asci_batch *t,
              struct asc_error *e)
{
    const struct asci_talk talk = { t, say, hear, 0,
                                    asci_deadline(c->timeout) };
    struct asci_child *child = take_idle(c, e);
    int status;

    if (!child)
        return (int)e->status;
    switch (asci_child_talk(child, &talk, e)) {
    case ASCI_TALK_DONE:
        /* One that takes nothing more is of no further use. */
        status = child->in >= 0 ? put_away(c->idle, child, e) : ASC_OK;
        if (status == ASC_OK && child->in >= 0)
            return ASC_OK;
        break;
    case ASCI_TALK_ENDED:
        asci_child_wait(child, asci_deadline(child->in < 0 ? grace
                                                           : goodbye));
        status = died(c, t, child, e);
        break;
    case ASCI_TALK_LATE:
        status = late(c, child, e);
        break;
    default:
        status = wrong(c, t, child, e);
        break;
    }
    asci_child_end(child);
    free(child);
    return status;
}

int
asci_command_run(const struct asci_command *c, struct asci_batch *t,
                 struct asc_error *e)
{
    int status;

    t->c = c;
    status = c->coproc ? run_coprocess(c, t, e) : run_process(c, t, e);
    asc_buffer_free(&t->line);
    /* What fails in pipes and memory does not know whose they are. */
    if (status != ASC_OK
        && strncmp(e->text, c->shown, strlen(c->shown)) != 0)
        asc_fail(e, (enum asc_status)status, "%s: %s", c->shown, e->text);
    return status;
}
