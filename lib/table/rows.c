/*
 * rows -- a block of rows with their ids, lines and kept columns.
 *
 * All texts of a block lie in one buffer that is used again by the next block,
 * so that reading allocates nothing once the buffer is large enough.
 */
#include <stdlib.h>
#include <string.h>

#include "table/internal.h"

int
asc_rows_init(struct asc_rows *b, size_t capacity, size_t d, size_t n_kept,
              struct asc_error *e)
{
    memset(b, 0, sizeof *b);
    if ((d && capacity > SIZE_MAX / d)
        || (n_kept && capacity > SIZE_MAX / n_kept))
        return asc_fail(e, ASC_ESYSTEM, "out of memory: %zu rows of %zu "
                        "fields", capacity, d);
    b->capacity = capacity;
    b->d = d;
    b->n_kept = n_kept;
    b->x = asci_alloc(capacity * d, sizeof *b->x, e);
    b->line = asci_alloc(capacity, sizeof *b->line, e);
    b->id = asci_alloc(capacity, sizeof *b->id, e);
    b->id_length = asci_alloc(capacity, sizeof *b->id_length, e);
    b->kept = asci_alloc(capacity * n_kept, sizeof *b->kept, e);
    b->kept_length = asci_alloc(capacity * n_kept, sizeof *b->kept_length, e);
    if (!b->x || !b->line || !b->id || !b->id_length || !b->kept
        || !b->kept_length) {
        asc_rows_free(b);
        return ASC_ESYSTEM;
    }
    return ASC_OK;
}

void
asc_rows_free(struct asc_rows *b)
{
    free(b->x);
    free(b->line);
    free(b->id);
    free(b->id_length);
    free(b->kept);
    free(b->kept_length);
    asc_buffer_free(&b->text);
    memset(b, 0, sizeof *b);
}

struct asc_text
asc_rows_id(const struct asc_rows *b, size_t i)
{
    struct asc_text t = { b->text.p + b->id[i], b->id_length[i] };

    return t;
}

struct asc_text
asc_rows_kept(const struct asc_rows *b, size_t i, size_t k)
{
    const size_t at = i * b->n_kept + k;
    struct asc_text t = { b->text.p + b->kept[at], b->kept_length[at] };

    return t;
}

static void
store(struct asc_buffer *b, struct asc_text t, size_t *at, size_t *length)
{
    *at = b->n;
    *length = t.n;
    asc_buffer_add(b, t.p, t.n);
}

int
asc_rows_read(struct asc_rows *b, asc_reader *r,
              const struct asc_binding *binding, const size_t *kept,
              struct asc_ids *ids, struct asc_error *e)
{
    b->n = 0;
    b->text.n = 0;
    while (b->n < b->capacity) {
        const size_t i = b->n;
        const int got = asc_reader_next(r, e);
        size_t k;

        if (got < 0)
            return -1;
        if (!got)
            break;
        if (ids && asc_ids_add(ids, asc_reader_id(r), asc_reader_line(r),
                               asc_reader_name(r), "row", e))
            return -1;
        if (binding && asc_bind_row(binding, r, b->x + i * b->d, e))
            return -1;
        b->line[i] = asc_reader_line(r);
        store(&b->text, asc_reader_id(r), &b->id[i], &b->id_length[i]);
        for (k = 0; k < b->n_kept; k++)
            store(&b->text, asc_reader_text(r, kept[k]),
                  &b->kept[i * b->n_kept + k],
                  &b->kept_length[i * b->n_kept + k]);
        b->n++;
    }
    if (b->text.failed) {
        asc_fail(e, ASC_ESYSTEM, "%s:%zu: out of memory", asc_reader_name(r),
                 asc_reader_line(r));
        return -1;
    }
    return b->n > 0;
}
