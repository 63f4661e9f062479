/* tests/unit/shared.h -- reference data that lives beside the project: in
 * $ASCRIBE_SHARED, or ../shared of the source tree.  Tests that find none
 * skip, and say so. */
#ifndef ASCRIBE_TESTS_SHARED_H
#define ASCRIBE_TESTS_SHARED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where `name` is, in out (size); 1 if it can be read. */
static inline int
shared_path(const char *name, char *out, size_t size)
{
    const char *root = getenv("ASCRIBE_SHARED");
    const char *source = getenv("srcdir");
    FILE *f;

    if (root)
        snprintf(out, size, "%s/%s", root, name);
    else
        snprintf(out, size, "%s/../shared/%s", source ? source : ".", name);
    f = fopen(out, "r");
    if (f)
        fclose(f);
    else
        fprintf(stderr, "# %s is not there: skipped\n", out);
    return f != NULL;
}

/* The numbers of a tab-separated file with a header, row by row: *columns of
 * them in each.  "nan" is NaN.  NULL if the file is not there.  Free it. */
static inline double *
shared_numbers(const char *name, size_t *rows, size_t *columns)
{
    char path[4096], *line = NULL, *piece, *rest;
    size_t capacity = 0, n = 0, room = 0;
    double *v = NULL;
    FILE *f;

    *rows = *columns = 0;
    if (!shared_path(name, path, sizeof path) || !(f = fopen(path, "r")))
        return NULL;
    if (getline(&line, &capacity, f) > 0)
        for (*columns = 1, piece = line; *piece; piece++)
            *columns += *piece == '\t';
    while (getline(&line, &capacity, f) > 0) {
        rest = line;
        while ((piece = strsep(&rest, "\t\n")) != NULL) {
            if (!*piece)
                continue;
            if (n == room)
                v = realloc(v, (room = 2 * room + 64) * sizeof *v);
            v[n++] = strtod(piece, NULL);
        }
    }
    *rows = n / *columns;
    free(line);
    fclose(f);
    return v;
}

#endif
