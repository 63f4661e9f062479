/* base/alloc.c -- the one place where sizes are multiplied. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/internal.h"

static int
bytes(size_t n, size_t size, size_t *total, struct asc_error *e)
{
    if (__builtin_mul_overflow(n, size, total) || *total > PTRDIFF_MAX) {
        asc_fail(e, ASC_ESYSTEM, "out of memory: %zu elements of %zu bytes "
                 "are more than there can be", n, size);
        return 0;
    }
    if (*total == 0)
        *total = 1;
    return 1;
}

static void *
checked(void *p, size_t total, struct asc_error *e)
{
    if (!p)
        asc_fail(e, ASC_ESYSTEM, "out of memory: cannot get %zu bytes", total);
    return p;
}

void *
asci_alloc(size_t n, size_t size, struct asc_error *e)
{
    size_t total;

    return bytes(n, size, &total, e) ? checked(malloc(total), total, e) : NULL;
}

void *
asci_alloc_zero(size_t n, size_t size, struct asc_error *e)
{
    size_t total;

    return bytes(n, size, &total, e) ? checked(calloc(1, total), total, e)
                                     : NULL;
}

void *
asci_resize(void *p, size_t n, size_t size, struct asc_error *e)
{
    size_t total;

    return bytes(n, size, &total, e) ? checked(realloc(p, total), total, e)
                                     : NULL;
}

char *
asci_copy_text(const char *p, size_t n, struct asc_error *e)
{
    char *copy;

    if (n == SIZE_MAX) {
        asc_fail(e, ASC_ESYSTEM, "out of memory: cannot get %zu bytes", n);
        return NULL;
    }
    copy = asci_alloc(n + 1, 1, e);
    if (copy) {
        if (n > 0)
            memcpy(copy, p, n);
        copy[n] = '\0';
    }
    return copy;
}
