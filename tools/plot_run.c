/* plot_run.c -- a gnuplot script through gnuplot, and the dates out of what
 * comes back.
 *
 * gnuplot gets the script on standard input and writes to a file: with no
 * pipe between the two nobody can wait for the other.  It runs in a directory
 * of its own, without the user's start-up file (-d) and the variables that
 * change its output, and in UTC.  A signal that ends the program ends it too,
 * and the directory goes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/plot.h"
#include "tools/undo.h"

extern char **environ;

/* ---- files ---- */

static int
system_failure(struct asc_error *e, const char *what)
{
    return asc_fail(e, ASC_ESYSTEM, "%s: %s", what, strerror(errno));
}

static int
write_file(int fd, const struct asc_buffer *b, struct asc_error *e)
{
    size_t done = 0;
    ssize_t n;

    while (done < b->n) {
        n = write(fd, b->p + done, b->n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_failure(e, "temporary file");
        done += (size_t)n;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return system_failure(e, "temporary file");
    return ASC_OK;
}

static int
read_file(int fd, struct asc_buffer *out, struct asc_error *e)
{
    char block[65536];
    ssize_t n;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return system_failure(e, "temporary file");
    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_failure(e, "temporary file");
        asc_buffer_add(out, block, (size_t)n);
    }
    if (out->failed)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    return ASC_OK;
}

/* The path of a file in dir, to be freed; NULL without memory. */
static char *
path_of(const char *dir, const char *name, const char *suffix)
{
    char *path;

    return asprintf(&path, "%s/%s%s", dir, name, suffix) < 0 ? NULL : path;
}

/* A file in dir that has lost its name, or -1. */
static int
scratch(const char *dir, const char *name)
{
    char *path = path_of(dir, name, "");
    int fd = -1;

    if (path)
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

/* Appends a file that gnuplot made in dir. */
static int
collect(const char *dir, const char *file, const char *suffix,
        struct asc_buffer *out, struct asc_error *e)
{
    char *path = path_of(dir, file, suffix);
    int fd, status;

    if (!path)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    status = fd < 0 ? system_failure(e, path) : read_file(fd, out, e);
    if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

static void
discard(const char *dir, const char *file, const char *suffix)
{
    char *path = path_of(dir, file, suffix);

    if (path)
        unlink(path);
    free(path);
}

/* ---- the child ---- */

static char **
environment(void)
{
    static const char *const drop[] = {
        "GNUTERM=", "GNUPLOT_", "GDFONTPATH=", "TZ=", "LC_ALL=", "LC_"
    };
    char **v;
    size_t n = 0, i, j, k;

    while (environ[n])
        n++;
    v = malloc((n + 3) * sizeof *v);
    if (!v)
        return NULL;
    for (i = 0, k = 0; i < n; i++) {
        for (j = 0; j < sizeof drop / sizeof *drop; j++)
            if (strncmp(environ[i], drop[j], strlen(drop[j])) == 0)
                break;
        if (j == sizeof drop / sizeof *drop)
            v[k++] = environ[i];
    }
    v[k++] = (char *)"TZ=UTC";
    v[k++] = (char *)"LC_ALL=C.UTF-8";
    v[k] = NULL;
    return v;
}

/* The last line of what gnuplot complained of. */
static int
complaint(int fd, struct asc_error *e)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    size_t first, n;
    int status;

    if ((status = read_file(fd, &b, e)) == ASC_OK) {
        for (n = b.n; n > 0 && strchr(" \t\r\n", b.p[n - 1]); n--)
            ;
        for (first = n; first > 0 && b.p[first - 1] != '\n'; first--)
            ;
        if (n > first)
            status = asc_fail(e, ASC_ESYSTEM, "gnuplot failed: %.*s",
                              (int)(n - first), b.p + first);
        else
            status = asc_fail(e, ASC_ESYSTEM, "gnuplot failed without a word");
    }
    asc_buffer_free(&b);
    return status;
}

static int
spawn(const char *dir, int in, int out, int err, pid_t *pid,
      struct asc_error *e)
{
    char *argv[] = { (char *)"gnuplot", (char *)"-d", (char *)"-", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **env = environment();
    sigset_t usual;
    int failed;

    sigemptyset(&usual);
    sigaddset(&usual, SIGXFSZ);
    if (!env || posix_spawn_file_actions_init(&actions) != 0) {
        free(env);
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    }
    posix_spawnattr_init(&attributes);
    failed = posix_spawnattr_setsigdefault(&attributes, &usual)
        || posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF)
        || posix_spawn_file_actions_adddup2(&actions, in, 0)
        || posix_spawn_file_actions_adddup2(&actions, out, 1)
        || posix_spawn_file_actions_adddup2(&actions, err, 2)
        || posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (!failed)
        failed = posix_spawnp(pid, argv[0], &actions, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(env);
    if (failed == ENOENT)
        return asc_fail(e, ASC_ESYSTEM, "gnuplot is not installed: install "
                        "gnuplot-nox (apt-get install gnuplot-nox), or take "
                        "the script with --script");
    if (failed)
        return asc_fail(e, ASC_ESYSTEM, "gnuplot cannot be started: %s",
                        strerror(failed));
    return ASC_OK;
}

/* err: what it wrote on standard error. */
static int
await(pid_t pid, int err, struct asc_error *e)
{
    siginfo_t info;
    int status = 0;

    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
        if (errno != EINTR)
            return system_failure(e, "gnuplot");
    undo_child(0);              /* before its number is free for others */
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return system_failure(e, "gnuplot");
    if (WIFSIGNALED(status))
        return asc_fail(e, ASC_ESYSTEM, "gnuplot was ended by signal %d",
                        WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? ASC_OK : complaint(err, e);
}

/* What gnuplot works with. */
struct workshop {
    char *dir;
    const char *file;           /* base name of what it writes, or NULL */
    int in, answer, trouble;    /* its standard streams, or -1 */
};

static int
open_workshop(struct workshop *w, struct asc_error *e)
{
    const char *root = getenv("TMPDIR");
    char *path;

    w->in = w->answer = w->trouble = -1;
    w->dir = path_of(root && *root ? root : "/tmp", "asc-plot.XXXXXX", "");
    if (!w->dir)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    if (!mkdtemp(w->dir)) {
        system_failure(e, w->dir);
        free(w->dir);
        w->dir = NULL;
        return ASC_ESYSTEM;
    }
    undo_path(w->dir);
    if (w->file) {
        if ((path = path_of(w->dir, w->file, ".tex")))
            undo_path(path);
        free(path);
        if ((path = path_of(w->dir, w->file, ".pdf")))
            undo_path(path);
        free(path);
    }
    if ((w->in = scratch(w->dir, "in")) < 0
        || (w->answer = scratch(w->dir, "out")) < 0
        || (w->trouble = scratch(w->dir, "err")) < 0)
        return system_failure(e, w->dir);
    return ASC_OK;
}

static void
close_workshop(struct workshop *w)
{
    if (!w->dir)
        return;
    if (w->file) {
        discard(w->dir, w->file, ".tex");
        discard(w->dir, w->file, ".pdf");
    }
    if (w->in >= 0)
        close(w->in);
    if (w->answer >= 0)
        close(w->answer);
    if (w->trouble >= 0)
        close(w->trouble);
    rmdir(w->dir);
    free(w->dir);
    undo_forget_paths();
}

int
plot_run(const struct asc_buffer *script, const char *file,
         struct asc_buffer *out, struct asc_buffer *second,
         struct asc_error *e)
{
    struct workshop w = { .file = file };
    pid_t pid = 0;
    int status;

    undo_hold();
    status = open_workshop(&w, e);
    if (status == ASC_OK)
        status = write_file(w.in, script, e);
    if (status == ASC_OK)
        status = spawn(w.dir, w.in, w.answer, w.trouble, &pid, e);
    undo_child(pid);
    undo_release();
    if (status == ASC_OK)
        status = await(pid, w.trouble, e);
    if (status == ASC_OK && file) {
        status = collect(w.dir, file, ".tex", out, e);
        if (status == ASC_OK)
            status = collect(w.dir, file, ".pdf", second, e);
    } else if (status == ASC_OK) {
        status = read_file(w.answer, out, e);
    }
    close_workshop(&w);
    return status;
}

/* ---- dates ---- */

/* Where the n bytes at p have `mark', searched from `from' on, or n. */
static size_t
find(const char *p, size_t n, size_t from, const char *mark)
{
    const char *hit = from < n
        ? memmem(p + from, n - from, mark, strlen(mark)) : NULL;

    return hit ? (size_t)(hit - p) : n;
}

/* PDF: /CreationDate (D:20261125023522Z) or with +01'00 for the Z. */
static void
pdf_dates(char *p, size_t n, const struct tm *t)
{
    static const char *const marks[] = {
        "/CreationDate (D:", "/ModDate (D:"
    };
    char text[16];
    size_t i, k;

    strftime(text, sizeof text, "%Y%m%d%H%M%S", t);
    for (k = 0; k < 2; k++) {
        for (i = find(p, n, 0, marks[k]); i < n; i = find(p, n, i, marks[k])) {
            i += strlen(marks[k]);
            if (n - i < 22)
                break;
            memcpy(p + i, text, 14);
            if (p[i + 14] == '+' || p[i + 14] == '-')
                memcpy(p + i + 14, "+00'00", 6);
        }
    }
}

/* A line that is mark and a date as ctime writes it. */
static void
line_dates(char *p, size_t n, const char *mark, const struct tm *t)
{
    char text[32];
    size_t i;

    strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", t);
    for (i = find(p, n, 0, mark); i < n; i = find(p, n, i, mark)) {
        i += strlen(mark);
        if ((i == strlen(mark) || p[i - strlen(mark) - 1] == '\n')
            && n - i > 24 && p[i + 24] == '\n' && p[i + 3] == ' '
            && p[i + 13] == ':' && p[i + 16] == ':')
            memcpy(p + i, text, 24);
    }
}

void
plot_set_dates(char *p, size_t n, time_t when)
{
    struct tm t;

    gmtime_r(&when, &t);
    if (n > 5 && memcmp(p, "%PDF-", 5) == 0) {
        pdf_dates(p, n, &t);
    } else {
        line_dates(p, n, "%%CreationDate: ", &t);       /* cairo's EPS */
        line_dates(p, n, "%% ", &t);    /* tikz: the second line */
    }
}
