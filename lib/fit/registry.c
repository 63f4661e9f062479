/* fit/registry.c -- the list of trainers.
 *
 * trainers.def holds one line a trainer; adding one is its file and that
 * line. */
#include "fit/internal.h"

#define ASC_ENTRY(name) extern const struct asc_trainer asci_trainer_##name;
#include "fit/trainers.def"
#undef ASC_ENTRY

static const struct asc_trainer *const trainers[] = {
#define ASC_ENTRY(name) &asci_trainer_##name,
#include "fit/trainers.def"
#undef ASC_ENTRY
};

static const struct asc_entry *const entries[] = {
#define ASC_ENTRY(name) &asci_trainer_##name.entry,
#include "fit/trainers.def"
#undef ASC_ENTRY
};

const struct asc_trainer *const *
asc_trainers(size_t *n)
{
    *n = sizeof trainers / sizeof *trainers;
    return trainers;
}

const struct asc_entry *const *
asc_trainer_entries(size_t *n)
{
    *n = sizeof entries / sizeof *entries;
    return entries;
}
