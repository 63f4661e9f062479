/* tests/unit/seed.h -- seeds of random tests.  ASCRIBE_SEED in the environment
 * moves them all, so that `make check-long` meets other models and rows. */
#ifndef ASCRIBE_TESTS_SEED_H
#define ASCRIBE_TESTS_SEED_H

#include <stdint.h>
#include <stdlib.h>

static inline uint64_t
test_seed(uint64_t seed)
{
    const char *moved = getenv("ASCRIBE_SEED");

    return seed + 1000003 * (moved ? strtoull(moved, NULL, 10) : 0);
}

#endif
