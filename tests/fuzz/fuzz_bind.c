/* A schema and a table, an empty line between them; the table's rows as
 * values of the schema's fields, and looked up by their ids.
 *
 * A field is a line: a byte of options (from '0' on: 1 categorical, 2 clamp,
 * 4 invalid is an error, 8 invalid is kept, 16 open, 32 a replacement), its
 * name, and `;TEXT` for each category or, of a number, for what is missing.
 * Values are of their fields, the same by id in any order, and come back from
 * their text. */
#include <math.h>
#include <string.h>

#include <ascribe/table.h>

#include "table/internal.h"
#include "tests/fuzz/fuzz.h"

enum { MOST_ROWS = 64 };

static void
add_text(char ***v, size_t *n, const char *p, size_t length)
{
    *v = realloc(*v, (*n + 1) * sizeof **v);
    check(*v != NULL);
    (*v)[*n] = strndup(p, length);
    check((*v)[(*n)++] != NULL);
}

static void
add_field(struct asc_schema *s, const char *p, size_t n)
{
    const unsigned options = (unsigned char)p[0] - '0';
    struct asc_field *f;
    size_t length;

    s->field = realloc(s->field, (s->n + 1) * sizeof *s->field);
    check(s->field != NULL);
    f = memset(&s->field[s->n++], 0, sizeof *f);
    f->kind = options & 1 ? ASC_CATEGORICAL : ASC_CONTINUOUS;
    f->text_type = (enum asc_text_type)(n % 4);
    f->clamp = options >> 1 & 1;
    f->invalid = options & 4 ? ASC_INVALID_ERROR
                 : options & 8 ? ASC_INVALID_AS_IS : ASC_INVALID_MISSING;
    f->open = f->kind == ASC_CATEGORICAL && options & 16;
    f->replacement = options & 32 && f->kind == ASC_CONTINUOUS ? 1.5 : NAN;
    f->low = options & 2 ? -1e3 : -INFINITY;
    f->high = options & 2 ? 1e3 : INFINITY;
    for (p++, n--;; p += length + 1, n -= length + 1) {
        const char *end = memchr(p, ';', n);

        length = end ? (size_t)(end - p) : n;
        if (!f->name)
            check((f->name = strndup(p, length)) != NULL);
        else if (f->kind == ASC_CATEGORICAL)
            add_text(&f->categories, &f->n_categories, p, length);
        else
            add_text(&f->missing, &f->n_missing, p, length);
        if (length == n)
            break;
    }
    if (options & 32 && f->n_categories > 0)
        f->replacement = 0.0;
}

/* Up to the empty line; where the table begins. */
static size_t
make_schema(struct asc_schema *s, const char *p, size_t n)
{
    size_t at = 0;

    while (at < n) {
        const char *end = memchr(p + at, '\n', n - at);
        const size_t length = end ? (size_t)(end - p) - at : n - at;

        if (length > 0)
            add_field(s, p + at, length);
        at += length + (end != NULL);
        if (length == 0)
            break;
    }
    return at;
}

static void
check_value(struct asc_field *f, double v)
{
    struct asc_buffer text = { NULL, 0, 0, 0 };
    struct asc_text t;
    struct asc_error e;
    double w;

    if (f->kind == ASC_CATEGORICAL)
        check(isnan(v) || (v >= 0.0 && v == floor(v)
                           && v <= (double)f->n_categories));
    else
        check(isnan(v) || (isfinite(v) && (!f->clamp || v == f->replacement
                                           || fabs(v) <= 1e3)));
    asc_field_text(f, v, 0, &text);
    t.p = text.p ? text.p : "";
    t.n = text.n;
    /* Declared texts may be those of others, and be changed to fit into a
     * table. */
    if (f->kind == ASC_CONTINUOUS && f->n_missing == 0
        && !asc_field_value(f, t, "x", &w, &e))
        check(isnan(v) ? isnan(w) || w == f->replacement : v == w);
    asc_buffer_free(&text);
}

static int
same(const double *a, const double *b, size_t n)
{
    size_t j;

    for (j = 0; j < n; j++)
        if (!(a[j] == b[j] || (isnan(a[j]) && isnan(b[j]))))
            return 0;
    return 1;
}

/* Every row by its id: in step, the first one again, backwards. */
static void
look_up(const struct asc_rows *rows, struct asc_schema *s, asc_reader *r)
{
    struct asc_binding b;
    struct asc_error e;
    asc_join *join;
    double *x = malloc((s->n + 1) * sizeof *x);
    size_t i, k;

    check(x != NULL);
    check(!asc_bind(&b, s, r, &e));
    join = asc_join_new(r, &b, NULL, 0, &e);
    check(join != NULL);
    for (k = 0; k < 2 * rows->n; k++) {
        i = k < rows->n ? k : 2 * rows->n - 1 - k;
        check(!asc_join_find(join, asc_rows_id(rows, i), x, NULL, &e));
        check(same(x, rows->x + i * s->n, s->n));
    }
    check(asc_join_find(join, (struct asc_text){ "no such id", 10 }, x, NULL,
                        &e) || rows->n > 0);
    asc_join_free(join);
    asc_binding_free(&b);
    free(x);
}

static void
bind(struct asc_schema *s, const char *p, size_t n)
{
    struct asc_error e = { ASC_OK, "" };
    asc_reader *r = asci_reader_open_bytes("f", p, n, NULL, &e);
    struct asc_ids *ids = asc_ids_new(&e);
    struct asc_background background;
    struct asc_binding b;
    struct asc_rows rows;
    size_t i, j;

    check(ids != NULL);
    if (!r || asc_bind(&b, s, r, &e)) {
        check(e.status != ASC_OK && strncmp(e.text, "f:", 2) == 0
              && !strchr(e.text, '\n'));
        goto out;
    }
    check(!asc_rows_init(&rows, MOST_ROWS, s->n, 0, &e));
    if (asc_rows_read(&rows, r, &b, NULL, ids, &e) > 0) {
        for (i = 0; i < rows.n; i++)
            for (j = 0; j < s->n; j++)
                check_value(&s->field[j], rows.x[i * s->n + j]);
        if (rows.n < MOST_ROWS) {
            check(!asc_background_make(s, rows.x, rows.n, &background, &e));
            asc_background_free(&background);
            asc_reader_close(r);
            r = asci_reader_open_bytes("f", p, n, NULL, &e);
            check(r != NULL);
            look_up(&rows, s, r);
            r = NULL;           /* the join has closed it */
        }
    }
    asc_rows_free(&rows);
    asc_binding_free(&b);
out:
    asc_reader_close(r);
    asc_ids_free(ids);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct asc_schema s = { 0, NULL };
    const size_t at = make_schema(&s, (const char *)bytes, n);

    bind(&s, (const char *)bytes + at, n - at);
    asc_schema_free(&s);
    return 0;
}
