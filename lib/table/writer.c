/*
 * writer -- standard output, or a file that appears only when it is complete.
 *
 * A file is written under another name in the same directory and renamed at
 * the end; if it existed, its permissions stay, and a symbolic link to it stays
 * a link.  What exists and is no regular file (a device, a named pipe) is
 * written to directly.  Small pieces are gathered in one block.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table/internal.h"

enum { BLOCK = 1 << 16, TRIES = 1000 };

struct asc_writer {
    char *name;                 /* for messages */
    char *target;               /* the name that the file will get, or NULL */
    char *temporary;            /* the name that it has, or NULL */
    int fd;                     /* -1: closed */
    int standard;
    int error;                  /* errno of the first failure */
    struct asc_buffer block;
};

static const char gone[] = "nobody reads the output any more";

int
asc_writer_broken_pipe(const struct asc_error *e)
{
    const size_t n = strlen(e->text), m = sizeof gone - 1;

    return e->status == ASC_ESYSTEM && n >= m
        && strcmp(e->text + n - m, gone) == 0;
}

static int
complain(const struct asc_writer *w, struct asc_error *e)
{
    return asc_fail(e, ASC_ESYSTEM, "%s: %s", w->name,
                    w->error == EPIPE ? gone : strerror(w->error));
}

/* Creates a file beside the target that did not exist. */
static int
create(struct asc_writer *w)
{
    struct asc_buffer name = { NULL, 0, 0, 0 };
    unsigned i;

    for (i = 0; i < TRIES; i++) {
        name.n = 0;
        asc_buffer_print(&name, "%s.%ld.%u", w->target, (long)getpid(), i);
        asc_buffer_char(&name, '\0');
        if (name.failed) {
            asc_buffer_free(&name);
            return ENOMEM;
        }
        w->fd = open(name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w->fd >= 0) {
            w->temporary = name.p;
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    asc_buffer_free(&name);
    return errno;
}

static int
open_file(struct asc_writer *w, const char *path)
{
    struct stat st;
    int error;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        w->fd = open(path, O_WRONLY | O_CLOEXEC);
        return w->fd < 0 ? errno : 0;
    }
    w->target = realpath(path, NULL);
    if (w->target) {
        if (access(w->target, W_OK))
            return errno;
        error = create(w);
        if (!error && fchmod(w->fd, st.st_mode & 07777))
            error = errno;
        return error;
    }
    if (errno != ENOENT)
        return errno;
    w->target = strdup(path);
    return w->target ? create(w) : ENOMEM;
}

asc_writer *
asc_writer_open(const char *path, struct asc_error *e)
{
    asc_writer *w = asci_alloc_zero(1, sizeof *w, e);

    if (!w)
        return NULL;
    w->fd = -1;
    w->standard = !path || strcmp(path, "-") == 0;
    w->name = w->standard ? asci_copy_text("standard output", 15, e)
                          : asci_copy_text(path, strlen(path), e);
    if (!w->name)
        goto bad;
    if (w->standard) {
        w->fd = STDOUT_FILENO;
    } else if ((w->error = open_file(w, path))) {
        asc_fail(e, ASC_ESYSTEM, "%s: cannot be written: %s", w->name,
                 strerror(w->error));
        goto bad;
    }
    return w;
bad:
    asc_writer_abandon(w);
    return NULL;
}

static int
write_all(struct asc_writer *w, const char *p, size_t n)
{
    while (n && !w->error) {
        const ssize_t put = write(w->fd, p, n);

        if (put >= 0) {
            p += put;
            n -= (size_t)put;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd wait = { w->fd, POLLOUT, 0 };

            if (poll(&wait, 1, -1) < 0 && errno != EINTR)
                w->error = errno;
        } else if (errno != EINTR) {
            w->error = errno;
        }
    }
    return w->error;
}

static int
flush(struct asc_writer *w)
{
    write_all(w, w->block.p, w->block.n);
    w->block.n = 0;
    return w->error;
}

int
asc_writer_put(asc_writer *w, struct asc_buffer *b, struct asc_error *e)
{
    if (!w->error && (b->failed || w->block.failed))
        w->error = ENOMEM;
    if (!w->error && w->block.n + b->n > BLOCK)
        flush(w);
    if (!w->error && b->n >= BLOCK)
        write_all(w, b->p, b->n);
    else if (!w->error)
        asc_buffer_add(&w->block, b->p, b->n);
    if (!w->error && w->block.failed)
        w->error = ENOMEM;
    b->n = 0;
    return w->error ? complain(w, e) : ASC_OK;
}

int
asc_writer_close(asc_writer *w, struct asc_error *e)
{
    int status = ASC_OK, fd;

    if (!w->error)
        flush(w);
    /* some file systems report a full disk at close only; the host's standard
     * output itself stays open */
    fd = w->standard ? dup(w->fd) : w->fd;
    if (!w->standard)
        w->fd = -1;
    if ((fd < 0 || close(fd)) && !w->error && errno != EINTR)
        w->error = errno;
    if (!w->error && w->temporary) {
        if (rename(w->temporary, w->target)) {
            w->error = errno;
        } else {
            free(w->temporary);
            w->temporary = NULL;
        }
    }
    if (w->error)
        status = complain(w, e);
    asc_writer_abandon(w);
    return status;
}

const char *
asc_writer_temporary(const asc_writer *w)
{
    return w->temporary;
}

void
asc_writer_abandon(asc_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0 && !w->standard)
        close(w->fd);
    if (w->temporary)
        unlink(w->temporary);
    free(w->temporary);
    free(w->target);
    free(w->name);
    asc_buffer_free(&w->block);
    free(w);
}
