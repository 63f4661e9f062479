/* attribute/designs.c -- designs by number of players, made on demand.
 *
 * A design depends on the specification and the number of players, not on the
 * row that asks for it first, so what is there already never shows. */
#include <stdlib.h>

#include "attribute/designs.h"

struct asci_designs {
    const struct asci_design_kind *kind;
    const struct asc_spec *spec;
    size_t n;
    pthread_mutex_t lock;
    void **design;              /* (n) number of players, level */
};

struct asci_designs *
asci_designs_new(const struct asci_design_kind *kind,
                 const struct asc_spec *spec, size_t d, struct asc_error *e)
{
    struct asci_designs *s = asci_alloc_zero(1, sizeof *s, e);

    if (!s)
        return NULL;
    s->kind = kind;
    s->spec = spec;
    s->n = (d + 1) * kind->levels;
    s->design = asci_alloc_zero(s->n, sizeof *s->design, e);
    if (s->design && !pthread_mutex_init(&s->lock, NULL))
        return s;
    if (s->design)
        asc_fail(e, ASC_ESYSTEM, "out of memory: cannot prepare %s",
                 spec->entry->name);
    free(s->design);
    free(s);
    return NULL;
}

void
asci_designs_free(struct asci_designs *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < s->n; i++)
        if (s->design[i])
            s->kind->drop(s->design[i]);
    pthread_mutex_destroy(&s->lock);
    free(s->design);
    free(s);
}

const void *
asci_designs_get(const struct asci_designs *s, size_t n_players, size_t level,
                 struct asc_error *e)
{
    void **design = &s->design[n_players * s->kind->levels + level];
    /* Only the making of designs changes anything. */
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&s->lock;
    const void *found;

    pthread_mutex_lock(lock);
    if (!*design)
        *design = s->kind->make(n_players, level, s->spec, e);
    found = *design;
    pthread_mutex_unlock(lock);
    return found;
}
