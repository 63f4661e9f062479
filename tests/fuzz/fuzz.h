/* tests/fuzz/fuzz.h -- what the fuzz targets share.  A target is one file,
 * fuzz_NAME.c, with its inputs in corpus/NAME: `make fuzz` links it with
 * libFuzzer, `make check` runs the inputs by replay.c. */
#ifndef ASCRIBE_TESTS_FUZZ_H
#define ASCRIBE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static inline void
check(int holds)
{
    if (!holds)
        abort();
}

#endif
