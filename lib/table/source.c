/*
 * source -- the bytes of a file, of standard input or of memory.
 *
 * Whether they are gzip data is seen from the first two bytes (RFC 1952, 1f
 * 8b), never from the name.  Any number of gzip members may follow each other,
 * zero bytes may follow the last one; an end within a member is an error.
 * Nothing is copied twice but the first block of a plain file.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include <stdlib.h>

#include "table/internal.h"

enum { BLOCK = 1 << 17 };

struct asci_source {
    char *name;
    int fd;                     /* -1: memory */
    int own;                    /* fd is ours to close */
    off_t origin;               /* where it began; -1: cannot go back */
    const unsigned char *bytes; /* memory */
    size_t n_bytes, at;
    unsigned char *block;       /* (BLOCK) raw bytes not handed out yet */
    size_t begin, end;
    int looked;                 /* the first bytes were looked at */
    int zipped, in_member;
    z_stream z;
    int z_open;
};

/* Raw bytes into p: how many, 0 at the end, -1 failed. */
static ssize_t
raw_read(struct asci_source *s, void *p, size_t n, struct asc_error *e)
{
    ssize_t got;

    if (s->fd < 0) {
        if (n > s->n_bytes - s->at)
            n = s->n_bytes - s->at;
        if (n)
            memcpy(p, s->bytes + s->at, n);
        s->at += n;
        return (ssize_t)n;
    }
    do
        got = read(s->fd, p, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        asc_fail(e, ASC_ESYSTEM, "%s: cannot be read: %s", s->name,
                 strerror(errno));
    return got;
}

/* Makes sure that there are bytes in the block: 1, or 0 at the end, or -1. */
static int
fill(struct asci_source *s, struct asc_error *e)
{
    ssize_t got;

    if (s->begin < s->end)
        return 1;
    got = raw_read(s, s->block, BLOCK, e);
    if (got < 0)
        return -1;
    s->begin = 0;
    s->end = (size_t)got;
    return got > 0;
}

static int
look(struct asci_source *s, struct asc_error *e)
{
    ssize_t got = 1;

    s->begin = s->end = 0;
    while (s->end < 2 && got > 0) {
        got = raw_read(s, s->block + s->end, BLOCK - s->end, e);
        if (got < 0)
            return -1;
        s->end += (size_t)got;
    }
    s->zipped = s->end >= 2 && s->block[0] == 0x1f && s->block[1] == 0x8b;
    if (s->zipped && !s->z_open) {
        if (inflateInit2(&s->z, 15 + 16) != Z_OK) {
            asc_fail(e, ASC_ESYSTEM, "out of memory");
            return -1;
        }
        s->z_open = 1;
    } else if (s->zipped && inflateReset(&s->z) != Z_OK) {
        asc_fail(e, ASC_ESYSTEM, "%s: zlib does not start", s->name);
        return -1;
    }
    s->in_member = s->zipped;
    s->looked = 1;
    return 0;
}

/* After a member: 1 if another one begins, 0 at the end, -1 failed. */
static int
next_member(struct asci_source *s, struct asc_error *e)
{
    int some, padded = 0;

    while ((some = fill(s, e)) > 0) {
        while (s->begin < s->end && s->block[s->begin] == 0) {
            s->begin++;
            padded = 1;
        }
        if (s->begin == s->end)
            continue;
        if (!padded && s->block[s->begin] == 0x1f
            && inflateReset(&s->z) == Z_OK)
            return 1;
        asc_fail(e, ASC_EINPUT, "%s: there is something else after the gzip "
                 "data", s->name);
        return -1;
    }
    return some;
}

static ssize_t
unzip(struct asci_source *s, char *p, size_t n, struct asc_error *e)
{
    if (n > 1u << 30)
        n = 1u << 30;
    s->z.next_out = (Bytef *)p;
    s->z.avail_out = (uInt)n;
    while (s->z.avail_out == n) {
        int some, code;

        if (!s->in_member) {
            if ((some = next_member(s, e)) <= 0)
                return some;
            s->in_member = 1;
        }
        if ((some = fill(s, e)) < 0)
            return -1;
        if (!some) {
            asc_fail(e, ASC_EINPUT, "%s: the gzip data end too early: the "
                     "file is cut off", s->name);
            return -1;
        }
        s->z.next_in = s->block + s->begin;
        s->z.avail_in = (uInt)(s->end - s->begin);
        code = inflate(&s->z, Z_NO_FLUSH);
        s->begin = s->end - s->z.avail_in;
        if (code == Z_STREAM_END) {
            s->in_member = 0;
        } else if (code == Z_MEM_ERROR) {
            asc_fail(e, ASC_ESYSTEM, "out of memory");
            return -1;
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            asc_fail(e, ASC_EINPUT, "%s: the gzip data are damaged (%s)",
                     s->name, s->z.msg ? s->z.msg : "unknown");
            return -1;
        }
    }
    return (ssize_t)(n - s->z.avail_out);
}

static struct asci_source *
source_new(const char *name, struct asc_error *e)
{
    struct asci_source *s = asci_alloc_zero(1, sizeof *s, e);

    if (!s)
        return NULL;
    s->fd = -1;
    s->origin = -1;
    s->name = asci_copy_text(name, strlen(name), e);
    s->block = asci_alloc(BLOCK, 1, e);
    if (!s->name || !s->block) {
        asci_source_close(s);
        return NULL;
    }
    return s;
}

struct asci_source *
asci_source_open(const char *path, struct asc_error *e)
{
    const int standard = strcmp(path, "-") == 0;
    struct asci_source *s;
    struct stat st;

    s = source_new(standard ? "standard input" : path, e);
    if (!s)
        return NULL;
    s->fd = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    s->own = !standard;
    if (s->fd < 0) {
        asc_fail(e, ASC_EINPUT, "%s: cannot be opened: %s", s->name,
                 strerror(errno));
        asci_source_close(s);
        return NULL;
    }
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
        s->origin = lseek(s->fd, 0, SEEK_CUR);
    return s;
}

struct asci_source *
asci_source_open_bytes(const char *name, const char *bytes, size_t n,
                       struct asc_error *e)
{
    struct asci_source *s = source_new(name, e);

    if (!s)
        return NULL;
    s->bytes = (const unsigned char *)bytes;
    s->n_bytes = n;
    s->origin = 0;
    return s;
}

void
asci_source_close(struct asci_source *s)
{
    if (!s)
        return;
    if (s->z_open)
        inflateEnd(&s->z);
    if (s->own && s->fd >= 0)
        close(s->fd);
    free(s->block);
    free(s->name);
    free(s);
}

const char *
asci_source_name(const struct asci_source *s)
{
    return s->name;
}

ssize_t
asci_source_read(struct asci_source *s, char *p, size_t n, struct asc_error *e)
{
    if (!s->looked && look(s, e))
        return -1;
    if (s->zipped)
        return unzip(s, p, n, e);
    if (s->begin < s->end) {
        if (n > s->end - s->begin)
            n = s->end - s->begin;
        memcpy(p, s->block + s->begin, n);
        s->begin += n;
        return (ssize_t)n;
    }
    return raw_read(s, p, n, e);
}

int
asci_source_can_rewind(const struct asci_source *s)
{
    return s->origin >= 0;
}

int
asci_source_rewind(struct asci_source *s, struct asc_error *e)
{
    if (s->fd < 0)
        s->at = 0;
    else if (lseek(s->fd, s->origin, SEEK_SET) < 0)
        return asc_fail(e, ASC_ESYSTEM, "%s: cannot be read again: %s",
                        s->name, strerror(errno));
    s->looked = 0;
    return ASC_OK;
}
