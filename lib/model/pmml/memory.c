/* model/pmml/memory.c -- what the reader holds while it reads: an arena for
 * small things that live as long as the reader, arrays that double, and maps
 * from texts to numbers (open addressing, at most half full).
 */
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

struct pmml_piece {
    struct pmml_piece *next;
    size_t used, size;
    max_align_t data[];
};

void *
asci_pmml_take(struct pmml_arena *a, size_t n, size_t size,
               struct asc_error *e)
{
    const size_t least = 65536, unit = sizeof(max_align_t);
    struct pmml_piece *piece = a->first;
    size_t bytes;
    void *out;

    if (size && n > (SIZE_MAX / 2) / size) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return NULL;
    }
    bytes = (n * size + unit - 1) / unit * unit;
    if (!piece || piece->size - piece->used < bytes) {
        const size_t room = bytes > least ? bytes : least;

        piece = asci_alloc(1, sizeof *piece + room, e);
        if (!piece)
            return NULL;
        piece->used = 0;
        piece->size = room;
        piece->next = a->first;
        a->first = piece;
    }
    out = (char *)piece->data + piece->used;
    piece->used += bytes;
    memset(out, 0, bytes);
    return out;
}

void
asci_pmml_arena_free(struct pmml_arena *a)
{
    struct pmml_piece *piece, *next;

    for (piece = a->first; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    a->first = NULL;
}

void *
asci_pmml_keep(struct pmml *p, size_t n, size_t size)
{
    return asci_pmml_take(&p->arena, n, size, p->e);
}

int
asci_pmml_spend(struct pmml *p, size_t n)
{
    if (n > p->cells)
        return asc_fail(p->e, ASC_EINPUT, "%s: its categories, classes and "
                        "derived fields make tables of more than 2 GiB",
                        p->path);
    p->cells -= n;
    return ASC_OK;
}

int
asci_pmml_grow(void *v, size_t n, size_t *room, size_t size,
               struct asc_error *e)
{
    void **array = v, *larger;
    size_t wanted;

    if (n < *room)
        return ASC_OK;
    if (n > SIZE_MAX / 4)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    wanted = *room ? 2 * *room : 8;
    larger = asci_resize(*array, wanted, size, e);
    if (!larger)
        return ASC_ESYSTEM;
    *array = larger;
    *room = wanted;
    return ASC_OK;
}

/* ---- maps ---- */

static size_t
map_place(const struct pmml_map *m, const char *key)
{
    size_t i = asc_hash(key, strlen(key)) & (m->size - 1);

    while (m->key[i] && strcmp(m->key[i], key) != 0)
        i = (i + 1) & (m->size - 1);
    return i;
}

int
asci_pmml_map_find(const struct pmml_map *m, const char *key,
                   uint32_t *value)
{
    size_t i;

    if (!m->size)
        return 0;
    i = map_place(m, key);
    if (!m->key[i])
        return 0;
    *value = m->value[i];
    return 1;
}

static int
map_double(struct pmml_map *m, struct asc_error *e)
{
    struct pmml_map larger = { 0 };
    size_t i, j;

    larger.size = m->size ? 2 * m->size : 16;
    larger.key = asci_alloc_zero(larger.size, sizeof *larger.key, e);
    larger.value = asci_alloc(larger.size, sizeof *larger.value, e);
    if (!larger.key || !larger.value) {
        free(larger.key);
        free(larger.value);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < m->size; i++)
        if (m->key[i]) {
            j = map_place(&larger, m->key[i]);
            larger.key[j] = m->key[i];
            larger.value[j] = m->value[i];
        }
    larger.n = m->n;
    free(m->key);
    free(m->value);
    *m = larger;
    return ASC_OK;
}

int
asci_pmml_map_add(struct pmml_map *m, const char *key, uint32_t value,
                  struct asc_error *e)
{
    size_t i;

    if (2 * (m->n + 1) > m->size && map_double(m, e) != ASC_OK)
        return ASC_ESYSTEM;
    i = map_place(m, key);
    if (m->key[i])
        return ASC_OK;
    m->key[i] = key;
    m->value[i] = value;
    m->n++;
    return ASC_OK;
}

void
asci_pmml_map_free(struct pmml_map *m)
{
    free(m->key);
    free(m->value);
    memset(m, 0, sizeof *m);
}

/* ---- everything ---- */

static void
fragment_free(struct pmml_fragment *f)
{
    size_t i;

    free(f->output);
    free(f->class_of);
    free(f->rescale);
    free(f->base);
    free(f->term);
    free(f->input);
    for (i = 0; f->layer && i < f->n_layers; i++) {
        free(f->layer[i].w);
        free(f->layer[i].b);
    }
    free(f->layer);
    for (i = 0; i < f->n_trees; i++)
        asci_pmml_tree_clear(&f->tree[i]);
    free(f->tree);
    free(f->stage);
}

void
asci_pmml_free(struct pmml *p)
{
    struct pmml_symbol *s;
    struct pmml_scope *o;
    struct pmml_classes *c;
    struct pmml_fragment *f;
    size_t i;

    for (s = p->symbols; s; s = s->next)
        asci_pmml_value_clear(&s->value);
    for (o = p->scopes; o; o = o->next) {
        asci_pmml_map_free(&o->map);
        free(o->symbol);
    }
    for (c = p->classes; c; c = c->next) {
        asci_pmml_map_free(&c->map);
        free(c->name);
    }
    for (f = p->fragments; f; f = f->next)
        fragment_free(f);
    for (i = 0; p->field && i < p->schema.n; i++)
        asci_pmml_map_free(&p->field[i].map);
    free(p->field);
    asc_schema_free(&p->schema);
    for (i = 0; i < p->n_columns; i++)
        asci_pmml_column_clear(&p->column[i]);
    free(p->column);
    free(p->shared);
    free(p->column_hash);
    free(p->column_slot);
    free(p->set);
    asci_pmml_map_free(&p->dictionary);
    asci_pmml_document_free(&p->doc);
    asci_pmml_arena_free(&p->arena);
}
