/* metrics/registry.c -- the list of metrics of asc-fidelity.
 *
 * fidelity.def holds one line a metric; adding one is its file (or its entry
 * in a family's file), that line, and the file's name in local.mk. */
#include "metrics/fidelity.h"

static const struct asc_metric *const metrics[] = {
#define ASC_ENTRY(name) &asci_metric_##name,
#include "metrics/fidelity.def"
#undef ASC_ENTRY
};

static const struct asc_entry *const entries[] = {
#define ASC_ENTRY(name) &asci_metric_##name.entry,
#include "metrics/fidelity.def"
#undef ASC_ENTRY
};

const struct asc_metric *const *
asc_fidelity_metrics(size_t *n)
{
    *n = sizeof metrics / sizeof *metrics;
    return metrics;
}

const struct asc_entry *const *
asc_fidelity_entries(size_t *n)
{
    *n = sizeof entries / sizeof *entries;
    return entries;
}
