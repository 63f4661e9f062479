/* attribute/designs.h -- what rows that have as many players share: which
 * coalitions are evaluated, and how their values are put together. */
#ifndef ASCRIBE_ATTRIBUTE_DESIGNS_H
#define ASCRIBE_ATTRIBUTE_DESIGNS_H

#include <pthread.h>

#include "attribute/game.h"

struct asci_designs;

/* A design for n_players players; level 0 is the first, higher levels are
 * finer. */
typedef void *asci_make_design(size_t n_players, size_t level,
                               const struct asc_spec *spec,
                               struct asc_error *e);

struct asci_design_kind {
    size_t levels;
    asci_make_design *make;
    void (*drop)(void *design);
};

struct asci_designs *asci_designs_new(const struct asci_design_kind *kind,
                                      const struct asc_spec *spec, size_t d,
                                      struct asc_error *e);
void asci_designs_free(struct asci_designs *s);

/* Made when it is first asked for, by whatever thread; NULL: failed. */
const void *asci_designs_get(const struct asci_designs *s, size_t n_players,
                             size_t level, struct asc_error *e);

#endif
