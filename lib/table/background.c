/*
 * background -- the rows that stand for what is absent, and their baseline.
 *
 * baseline: the row itself if there is one; else of a continuous field the
 * mean of its non-missing rows (summed exactly, rounded once before the
 * division), of a categorical one the most frequent category (ties: declared
 * first; an undeclared one counts as a category behind all others); missing
 * where all rows are.
 *
 * digest: SHA-256 of a line of the field names and one line for each row, as
 * ascribe would write that table, fields in the order of the schema.
 *
 * A pick keeps the n smallest hashes in a heap: n lines in memory, N + n log n
 * work for a table of N rows.  Rows become numbers at the end, in the order
 * of their hashes, so that neither values nor new categories depend on the
 * order of the file.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/internal.h"

void
asc_background_free(struct asc_background *b)
{
    free(b->x);
    free(b->baseline);
    memset(b, 0, sizeof *b);
}

/* ---- baseline and digest ---- */

static double
mean(const double *x, size_t n, size_t d)
{
    struct asc_sum sum;
    size_t i, count = 0;
    double m;

    asc_sum_clear(&sum);
    for (i = 0; i < n; i++)
        if (!isnan(x[i * d])) {
            asc_sum_add(&sum, x[i * d]);
            count++;
        }
    if (!count)
        return NAN;
    m = asc_sum_value(&sum) / (double)count;
    if (isfinite(m))
        return m;
    asc_sum_clear(&sum);        /* the sum is too large, the mean is not */
    for (i = 0; i < n; i++)
        if (!isnan(x[i * d]))
            asc_sum_add(&sum, x[i * d] / (double)count);
    return asc_sum_value(&sum);
}

static int
mode(const double *x, size_t n, size_t d, size_t n_categories, double *out,
     struct asc_error *e)
{
    size_t *count = asci_alloc_zero(n_categories + 1, sizeof *count, e);
    size_t i, best = 0;

    if (!count)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i++)
        if (!isnan(x[i * d])) {
            const size_t c = (size_t)x[i * d];

            count[c < n_categories ? c : n_categories]++;
        }
    for (i = 1; i <= n_categories; i++)
        if (count[i] > count[best])
            best = i;
    *out = count[best] ? (double)best : NAN;
    free(count);
    return ASC_OK;
}

static int
make_digest(const struct asc_schema *schema, struct asc_background *b,
            struct asc_error *e)
{
    struct asc_buffer text = { NULL, 0, 0, 0 };
    size_t i, j;

    for (j = 0; j < b->d; j++) {
        asc_buffer_text(&text, schema->field[j].name);
        asc_buffer_char(&text, j + 1 < b->d ? '\t' : '\n');
    }
    for (i = 0; i < b->n; i++)
        for (j = 0; j < b->d; j++) {
            asc_field_text(&schema->field[j], b->x[i * b->d + j], 0, &text);
            asc_buffer_char(&text, j + 1 < b->d ? '\t' : '\n');
        }
    if (text.failed) {
        asc_buffer_free(&text);
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    }
    asc_digest(text.p, text.n, b->digest);
    asc_buffer_free(&text);
    return ASC_OK;
}

/* Fills in what follows from b->x; frees b if it fails. */
static int
finish(const struct asc_schema *schema, struct asc_background *b,
       struct asc_error *e)
{
    size_t j;
    int status = ASC_OK;

    b->baseline = asci_alloc(b->d, sizeof *b->baseline, e);
    if (!b->baseline)
        status = ASC_ESYSTEM;
    for (j = 0; j < b->d && !status; j++)
        if (b->n == 1)
            b->baseline[j] = b->x[j];
        else if (schema->field[j].kind == ASC_CONTINUOUS)
            b->baseline[j] = mean(b->x + j, b->n, b->d);
        else
            status = mode(b->x + j, b->n, b->d, schema->field[j].n_categories,
                          &b->baseline[j], e);
    if (!status)
        status = make_digest(schema, b, e);
    if (status)
        asc_background_free(b);
    return status;
}

int
asc_background_make(const struct asc_schema *schema, const double *x, size_t n,
                    struct asc_background *b, struct asc_error *e)
{
    memset(b, 0, sizeof *b);
    if (!n)
        return asc_fail(e, ASC_EINPUT, "the background has no rows");
    if (schema->n && n > SIZE_MAX / schema->n)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    b->n = n;
    b->d = schema->n;
    b->x = asci_alloc(n * b->d, sizeof *b->x, e);
    if (!b->x)
        return ASC_ESYSTEM;
    if (b->d)
        memcpy(b->x, x, n * b->d * sizeof *x);
    return finish(schema, b, e);
}

/* ---- all rows of a table ---- */

static int
failed(const struct asc_error *e)
{
    return e ? (int)e->status : ASC_EINPUT;
}

static int
no_rows(const asc_reader *r, struct asc_error *e)
{
    return asc_fail(e, ASC_EINPUT, "%s: the background has no rows",
                    asc_reader_name(r));
}

int
asc_background_read(const char *path, const struct asc_reader_options *options,
                    struct asc_schema *schema, struct asc_background *b,
                    struct asc_error *e)
{
    const size_t d = schema->n;
    struct asc_binding binding = { NULL, NULL, NULL };
    struct asc_rows rows;
    struct asc_ids *ids = NULL;
    struct asc_reader *r;
    size_t capacity = 0;
    int got, status = ASC_OK, have_rows = 0;

    memset(b, 0, sizeof *b);
    b->d = d;
    r = asc_reader_open(path, options, e);
    if (!r)
        return failed(e);
    if (asc_reader_empty(r)) {
        status = no_rows(r, e);
        goto out;
    }
    if (!(ids = asc_ids_new(e))) {
        status = ASC_ESYSTEM;
        goto out;
    }
    if ((status = asc_bind(&binding, schema, r, e))
        || (status = asc_rows_init(&rows, 256, d, 0, e)))
        goto out;
    have_rows = 1;
    while ((got = asc_rows_read(&rows, r, &binding, NULL, ids, e)) > 0) {
        if (capacity - b->n < rows.n) {
            double *larger = NULL;

            capacity = 2 * b->n + rows.n;
            if (!d || capacity <= SIZE_MAX / sizeof *b->x / d)
                larger = asci_resize(b->x, capacity * d, sizeof *b->x, e);
            if (!larger) {
                status = asc_fail(e, ASC_ESYSTEM, "%s: out of memory: the "
                                  "background has over %zu rows",
                                  asc_reader_name(r), b->n);
                goto out;
            }
            b->x = larger;
        }
        if (d)
            memcpy(b->x + b->n * d, rows.x, rows.n * d * sizeof *rows.x);
        b->n += rows.n;
    }
    if (got < 0)
        status = failed(e);
    else if (!b->n)
        status = no_rows(r, e);
out:
    if (have_rows)
        asc_rows_free(&rows);
    asc_binding_free(&binding);
    asc_ids_free(ids);
    asc_reader_close(r);
    if (status) {
        asc_background_free(b);
        return status;
    }
    return finish(schema, b, e);
}

/* ---- some rows of a table ---- */

struct pick {
    uint64_t hash;
    size_t line, n, n_id;
    char *text;                 /* (n + n_id) line and id */
};

/* 1 if a comes after b: by hash and, if two are alike, by id. */
static int
after(const struct pick *a, const struct pick *b)
{
    const size_t n = a->n_id < b->n_id ? a->n_id : b->n_id;
    int c;

    if (a->hash != b->hash)
        return a->hash > b->hash;
    c = memcmp(a->text + a->n, b->text + b->n, n);
    return c ? c > 0 : a->n_id > b->n_id;
}

/* Lets heap[i] sink: the last one in order is at the top. */
static void
sink(struct pick *heap, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        struct pick t;

        if (child >= n)
            return;
        if (child + 1 < n && after(&heap[child + 1], &heap[child]))
            child++;
        if (!after(&heap[child], &heap[i]))
            return;
        t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
        i = child;
    }
}

static void
rise(struct pick *heap, size_t i)
{
    while (i && after(&heap[i], &heap[(i - 1) / 2])) {
        const struct pick t = heap[i];

        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = t;
        i = (i - 1) / 2;
    }
}

static int
copy_row(struct pick *p, const asc_reader *r, uint64_t hash,
         struct asc_error *e)
{
    const struct asc_text whole = asci_reader_whole(r);
    const struct asc_text id = asc_reader_id(r);

    p->hash = hash;
    p->line = asc_reader_line(r);
    p->n = whole.n;
    p->n_id = id.n;
    p->text = asci_alloc(whole.n + id.n, 1, e);
    if (!p->text)
        return ASC_ESYSTEM;
    memcpy(p->text, whole.p, whole.n);
    memcpy(p->text + whole.n, id.p, id.n);
    return ASC_OK;
}

/* The n first of the rows that are left in r, sorted: *n is how many. */
static int
pick_rows(asc_reader *r, uint64_t seed, struct pick **heap, size_t *n,
          struct asc_error *e)
{
    const size_t wanted = *n;
    struct asc_ids *ids = asc_ids_new(e);
    size_t capacity = 0, i;
    int got, status = ASC_OK;

    *n = 0;
    if (!ids)
        return ASC_ESYSTEM;
    while (!status && wanted && (got = asc_reader_next(r, e)) != 0) {
        const struct asc_text id = asc_reader_id(r);
        struct asc_stream stream;
        struct pick p;
        uint64_t hash;

        if (got < 0) {
            status = failed(e);
            break;
        }
        if ((status = asc_ids_add(ids, id, asc_reader_line(r),
                                  asc_reader_name(r), "row", e)))
            break;
        asc_stream_start(&stream, seed, "background", id.p, id.n);
        hash = asc_stream_bits(&stream);
        if (*n == wanted && hash > (*heap)[0].hash)
            continue;
        if ((status = copy_row(&p, r, hash, e)))
            break;
        if (*n == wanted) {
            if (after(&(*heap)[0], &p)) {
                free((*heap)[0].text);
                (*heap)[0] = p;
                sink(*heap, *n, 0);
            } else {
                free(p.text);
            }
            continue;
        }
        if (*n == capacity) {
            struct pick *larger;

            capacity = capacity ? 2 * capacity : 128;
            larger = asci_resize(*heap, capacity, sizeof **heap, e);
            if (!larger) {
                free(p.text);
                status = ASC_ESYSTEM;
                break;
            }
            *heap = larger;
        }
        (*heap)[*n] = p;
        rise(*heap, (*n)++);
    }
    for (i = *n; i > 1; i--) {
        const struct pick last = (*heap)[0];

        (*heap)[0] = (*heap)[i - 1];
        (*heap)[i - 1] = last;
        sink(*heap, i - 1, 0);
    }
    asc_ids_free(ids);
    return status;
}

int
asc_background_pick(const char *path, const struct asc_reader_options *options,
                    struct asc_schema *schema, size_t n, uint64_t seed,
                    struct asc_background *b, struct asc_error *e)
{
    struct asc_binding binding = { NULL, NULL, NULL };
    struct pick *heap = NULL;
    struct asc_reader *r;
    size_t n_picked = n, i;
    int status;

    memset(b, 0, sizeof *b);
    r = asc_reader_open(path, options, e);
    if (!r)
        return failed(e);
    if (asc_reader_empty(r)) {
        n_picked = 0;
        status = no_rows(r, e);
        goto out;
    }
    if ((status = asc_bind(&binding, schema, r, e))) {
        n_picked = 0;
        goto out;
    }
    if ((status = pick_rows(r, seed, &heap, &n_picked, e)))
        goto out;
    if (!n_picked) {
        status = no_rows(r, e);
        goto out;
    }
    b->n = n_picked;
    b->d = schema->n;
    if (!b->d || b->n <= SIZE_MAX / b->d)
        b->x = asci_alloc(b->n * b->d, sizeof *b->x, e);
    if (!b->x) {
        status = asc_fail(e, ASC_ESYSTEM, "out of memory");
        goto out;
    }
    for (i = 0; i < b->n && !status; i++) {
        const struct asc_text whole = { heap[i].text, heap[i].n };
        const struct asc_text id = { heap[i].text + heap[i].n, heap[i].n_id };

        asci_reader_put_back(r, whole, id, heap[i].line);
        status = asc_bind_row(&binding, r, b->x + i * b->d, e);
    }
out:
    for (i = 0; i < n_picked; i++)
        free(heap[i].text);
    free(heap);
    asc_binding_free(&binding);
    asc_reader_close(r);
    if (status) {
        asc_background_free(b);
        return status;
    }
    return finish(schema, b, e);
}
