/* tests/unit/temporary.h -- files that a test writes, in a directory of its
 * own that goes when it ends; random numbers that are the same each time. */
#ifndef ASCRIBE_TESTS_TEMPORARY_H
#define ASCRIBE_TESTS_TEMPORARY_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

static char temporary_dir[64];

static inline void
temporary_remove(void)
{
    DIR *d = opendir(temporary_dir);
    struct dirent *entry;
    char path[512];

    while (d && (entry = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", temporary_dir, entry->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(temporary_dir);
}

/* Names rotate: eight of them live at once. */
static inline const char *
temporary_path(const char *name)
{
    static char path[8][256];
    static unsigned next;
    char *p = path[next++ % 8];

    if (!temporary_dir[0]) {
        strcpy(temporary_dir, "/tmp/ascribe-test-XXXXXX");
        if (!mkdtemp(temporary_dir))
            abort();
        atexit(temporary_remove);
    }
    snprintf(p, sizeof path[0], "%s/%s", temporary_dir, name);
    return p;
}

static inline const char *
temporary_bytes(const char *name, const void *bytes, size_t n)
{
    const char *path = temporary_path(name);
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
        abort();
    return path;
}

static inline const char *
temporary_file(const char *name, const char *text)
{
    return temporary_bytes(name, text, strlen(text));
}

/* The same, gzipped; mode "wb" for a new file, "ab" for a further member. */
static inline const char *
temporary_gzip(const char *name, const char *bytes, size_t n, const char *mode)
{
    const char *path = temporary_path(name);
    gzFile f = gzopen(path, mode);

    if (!f || (n && gzwrite(f, bytes, (unsigned)n) != (int)n)
        || gzclose(f) != Z_OK)
        abort();
    return path;
}

static inline char *
temporary_content(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *p = malloc(1 << 24);

    if (!f || !p)
        abort();
    *n = fread(p, 1, (1 << 24) - 1, f);
    p[*n] = '\0';
    fclose(f);
    return p;
}

/* splitmix64 (Steele, Lea and Flood 2014): independent of the library. */
static inline uint64_t
draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static inline size_t
draw_below(uint64_t *state, size_t n)
{
    return (size_t)(draw(state) % n);
}

#endif
