/* attribute/registry.c -- the list of attribution methods.
 *
 * methods.def holds one line a method; adding one is its file, a line there
 * and its file name in local.mk. */
#include "attribute/internal.h"

static const struct asc_method *const methods[] = {
#define ASC_ENTRY(name) &asci_method_##name,
#include "attribute/methods.def"
#undef ASC_ENTRY
};

static const struct asc_entry *const entries[] = {
#define ASC_ENTRY(name) &asci_method_##name.entry,
#include "attribute/methods.def"
#undef ASC_ENTRY
};

const struct asc_method *const *
asc_methods(size_t *n)
{
    *n = sizeof methods / sizeof *methods;
    return methods;
}

const struct asc_entry *const *
asc_method_entries(size_t *n)
{
    *n = sizeof entries / sizeof *entries;
    return entries;
}

unsigned
asc_method_traits(const struct asc_spec *s)
{
    size_t i;

    for (i = 0; i < sizeof methods / sizeof *methods; i++)
        if (&methods[i]->entry == s->entry && methods[i]->traits)
            return methods[i]->traits(s);
    return s->entry->traits;
}
