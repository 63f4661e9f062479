/*
 * join -- rows of a table by id, read in step where that can be.
 *
 * In step only the current row is in memory, and rows that are passed over are
 * forgotten.  An id that is not ahead was passed, or is not there at all, so
 * the file is read once more from its beginning: in step again if it is the
 * first id that is asked for (which makes method-major tables, whose ids come
 * round once a method, run in constant memory), else with every row kept.
 * Rows are kept as the bytes of their lines, found by a hash of the id, and
 * read no further than need be; only a row that is asked for is turned into
 * numbers, so that kept and stepped rows meet the same errors.  What cannot be
 * read twice is kept from the first row on.
 *
 * Going back to the first id pays only if much of the table was used; after
 * FREE_RESTARTS it has to.  So a table is read at most FREE_RESTARTS + 2 times
 * without profit, whatever the order of the ids.
 */
#include <stdlib.h>
#include <string.h>

#include "table/internal.h"

enum { CHUNK = 1 << 20, FREE_RESTARTS = 16 };

struct record {
    size_t line;
    size_t n;                   /* bytes of the line */
    size_t id, id_length;       /* the id is text[id..] */
    char text[];
};

struct chunk {
    struct chunk *next;
    size_t used, size;
    /* records follow, aligned */
};

struct slot { uint64_t hash; struct record *record; };

struct asc_join {
    asc_reader *reader;
    const struct asc_binding *binding;
    size_t *kept, n_kept;
    double *x;                  /* (d) of the current row */
    int have_x;
    int has_row;                /* the reader holds a row */
    /* in step */
    struct asc_ids *ids;        /* of the rows read so far */
    size_t checked;             /* the last line in ids */
    struct asc_buffer first;    /* first id */
    size_t n_read, n_found;     /* rows in this pass */
    size_t restarts;
    /* keeping */
    int keeping;
    struct chunk *chunk;
    struct slot *slot;          /* (size) */
    size_t size, n;
};

static int
same(struct asc_text a, struct asc_text b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* ---- kept rows ---- */

static struct record *
new_record(struct asc_join *j, size_t n, struct asc_error *e)
{
    const size_t align = _Alignof(struct record);
    struct chunk *c = j->chunk;
    struct record *r;
    size_t size;

    if (n > SIZE_MAX / 2) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return NULL;
    }
    size = (sizeof *r + n + align - 1) / align * align;
    if (!c || c->size - c->used < size) {
        const size_t room = size > CHUNK ? size : CHUNK;

        c = asci_alloc(sizeof *c + room, 1, e);
        if (!c)
            return NULL;
        c->next = j->chunk;
        c->used = 0;
        c->size = room;
        j->chunk = c;
    }
    r = (struct record *)((char *)(c + 1) + c->used);
    c->used += size;
    return r;
}

static struct asc_text
record_id(const struct record *r)
{
    struct asc_text t = { r->text + r->id, r->id_length };

    return t;
}

/* The slot of an id: its record, or the free one where it would go. */
static struct slot *
find_slot(const struct asc_join *j, struct asc_text id, uint64_t hash)
{
    size_t i = hash & (j->size - 1);

    while (j->slot[i].record
           && (j->slot[i].hash != hash
               || !same(record_id(j->slot[i].record), id)))
        i = (i + 1) & (j->size - 1);
    return &j->slot[i];
}

static int
grow(struct asc_join *j, struct asc_error *e)
{
    const size_t size = j->size ? 2 * j->size : 1024;
    struct slot *slot, *old = j->slot;
    size_t i, old_size = j->size;

    slot = j->size > SIZE_MAX / 4 ? NULL
        : asci_alloc_zero(size, sizeof *slot, e);
    if (!slot)
        return asc_fail(e, ASC_ESYSTEM, "%s: out of memory: %zu rows to join",
                        asc_reader_name(j->reader), j->n);
    j->slot = slot;
    j->size = size;
    for (i = 0; i < old_size; i++)
        if (old[i].record) {
            size_t k = old[i].hash & (size - 1);

            while (slot[k].record)
                k = (k + 1) & (size - 1);
            slot[k] = old[i];
        }
    free(old);
    return ASC_OK;
}

/* Keeps the reader's row. */
static int
keep_row(struct asc_join *j, struct asc_error *e)
{
    const struct asc_text whole = asci_reader_whole(j->reader);
    const struct asc_text id = asc_reader_id(j->reader);
    const int column = asc_reader_id_column(j->reader);
    const uint64_t hash = asc_hash(id.p, id.n);
    struct slot *s;
    struct record *r;
    int status;

    if (j->n >= j->size / 3 * 2 && (status = grow(j, e)))
        return status;
    s = find_slot(j, id, hash);
    if (s->record) {
        char quoted[ASCI_QUOTE_MAX];

        return asc_fail(e, ASC_EINPUT, "%s:%zu: row \"%s\" is there twice, "
                        "first on line %zu", asc_reader_name(j->reader),
                        asc_reader_line(j->reader), asci_quote(id, quoted),
                        s->record->line);
    }
    r = new_record(j, whole.n + (column < 0 ? id.n : 0), e);
    if (!r)
        return ASC_ESYSTEM;
    r->line = asc_reader_line(j->reader);
    r->n = whole.n;
    memcpy(r->text, whole.p, whole.n);
    r->id_length = id.n;
    if (column < 0) {
        r->id = whole.n;
        memcpy(r->text + r->id, id.p, id.n);
    } else {
        r->id = (size_t)(id.p - whole.p);
    }
    s->hash = hash;
    s->record = r;
    j->n++;
    return ASC_OK;
}

/* ---- looking for a row ---- */

static int
not_there(const struct asc_join *j, struct asc_text id, struct asc_error *e)
{
    char quoted[ASCI_QUOTE_MAX];

    asci_quote(id, quoted);
    if (asc_reader_id_column(j->reader) < 0)
        return asc_fail(e, ASC_EINPUT, "%s: there is no row \"%s\": its %zu "
                        "rows are counted, as there is no column of ids",
                        asc_reader_name(j->reader), quoted, j->n);
    return asc_fail(e, ASC_EINPUT, "%s: there is no row \"%s\" among its %zu",
                    asc_reader_name(j->reader), quoted, j->n);
}

static int
failed(const struct asc_error *e)
{
    return e ? (int)e->status : ASC_EINPUT;
}

/* Makes the row of id the reader's, among those kept or still to come. */
static int
find_kept(struct asc_join *j, struct asc_text id, struct asc_error *e)
{
    int got, status;

    if (j->size) {
        const struct slot *s = find_slot(j, id, asc_hash(id.p, id.n));

        if (s->record) {
            const struct record *r = s->record;
            const struct asc_text whole = { r->text, r->n };

            asci_reader_put_back(j->reader, whole, record_id(r), r->line);
            return ASC_OK;
        }
    }
    while ((got = asc_reader_next(j->reader, e)) > 0) {
        if ((status = keep_row(j, e)))
            return status;
        if (same(asc_reader_id(j->reader), id))
            return ASC_OK;
    }
    return got < 0 ? failed(e) : not_there(j, id, e);
}

/* The same in step: 1 found, 0 not ahead, -1 failed. */
static int
find_ahead(struct asc_join *j, struct asc_text id, struct asc_error *e)
{
    int got;

    while ((got = asc_reader_next(j->reader, e)) > 0) {
        const struct asc_text here = asc_reader_id(j->reader);
        const size_t line = asc_reader_line(j->reader);

        if (line > j->checked) {
            if (asc_ids_add(j->ids, here, line, asc_reader_name(j->reader),
                            "row", e))
                return -1;
            if (!j->checked)
                asc_buffer_add(&j->first, here.p, here.n);
            j->checked = line;
        }
        j->n_read++;
        if (same(here, id)) {
            j->n_found++;
            return 1;
        }
    }
    return got;
}

static int
restart(struct asc_join *j, struct asc_error *e)
{
    j->n_read = j->n_found = 0;
    return asci_reader_rewind(j->reader, e);
}

static int
find_row(struct asc_join *j, struct asc_text id, struct asc_error *e)
{
    const struct asc_text first = { j->first.p, j->first.n };
    int got, status;

    if (j->keeping)
        return find_kept(j, id, e);
    if (first.n && !j->first.failed && same(id, first)) {
        const int pays = j->n_found >= 64 && j->n_read / 16 <= j->n_found;

        if (pays || j->restarts < FREE_RESTARTS) {
            if (!pays)
                j->restarts++;
            if ((status = restart(j, e)))
                return status;
        }
    }
    if ((got = find_ahead(j, id, e)) != 0)
        return got > 0 ? ASC_OK : failed(e);
    if ((status = restart(j, e)))
        return status;
    j->keeping = 1;
    return find_kept(j, id, e);
}

/* ---- the interface ---- */

asc_join *
asc_join_new(asc_reader *r, const struct asc_binding *binding,
             const size_t *kept, size_t n_kept, struct asc_error *e)
{
    asc_join *j = asci_alloc_zero(1, sizeof *j, e);

    if (!j)
        return NULL;
    j->binding = binding;
    j->n_kept = n_kept;
    j->kept = asci_alloc(n_kept, sizeof *j->kept, e);
    j->x = asci_alloc(binding ? binding->schema->n : 0, sizeof *j->x, e);
    j->ids = asc_ids_new(e);
    if (!j->kept || !j->x || !j->ids) {
        asc_join_free(j);
        return NULL;
    }
    if (n_kept)
        memcpy(j->kept, kept, n_kept * sizeof *kept);
    j->keeping = !asci_reader_can_rewind(r);
    j->reader = r;
    return j;
}

void
asc_join_free(asc_join *j)
{
    if (!j)
        return;
    while (j->chunk) {
        struct chunk *next = j->chunk->next;

        free(j->chunk);
        j->chunk = next;
    }
    free(j->slot);
    asc_buffer_free(&j->first);
    asc_ids_free(j->ids);
    free(j->x);
    free(j->kept);
    asc_reader_close(j->reader);
    free(j);
}

int
asc_join_find(asc_join *j, struct asc_text id, double *x,
              struct asc_text *kept, struct asc_error *e)
{
    size_t k;
    int status;

    if (!j->has_row || !same(asc_reader_id(j->reader), id)) {
        j->has_row = j->have_x = 0;
        if ((status = find_row(j, id, e)))
            return status;
        j->has_row = 1;
    }
    if (x && j->binding) {
        if (!j->have_x
            && (status = asc_bind_row(j->binding, j->reader, j->x, e)))
            return status;
        j->have_x = 1;
        memcpy(x, j->x, j->binding->schema->n * sizeof *x);
    }
    for (k = 0; kept && k < j->n_kept; k++)
        kept[k] = asc_reader_text(j->reader, j->kept[k]);
    return ASC_OK;
}

int
asc_join_indexed(const asc_join *j)
{
    return j->keeping;
}
