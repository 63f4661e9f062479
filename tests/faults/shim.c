/* shim.c -- a machine that fails on demand.
 *
 * Preloaded into a tool by faults.pl, it takes the place of the functions of
 * the C library that ask the system for something, counts the calls of one
 * kind that the tool and its libraries make from main() on, and lets the k-th
 * fail.  What the tool starts itself is left alone.
 *
 *     ASCRIBE_FAULT=KIND:HOW:K[+]      K+: that one and all that follow
 *     ASCRIBE_FAULT=trace:N            only writes down which calls there are
 *     ASCRIBE_FAULT_FD=N               where to say so
 *     ASCRIBE_FAULT_STOP=1             and raise SIGTRAP, for a debugger
 *
 * KIND is one of the names below; HOW an error (ENOMEM, EINTR, ...), "short"
 * for a read or write of one byte, or a signal (TERM, INT) that arrives just
 * before the call.  To the descriptor go, of a trace, lines "KIND SITE", SITE
 * being a digest of the N callers that is the same in every run; else one "!" when
 * the fault has struck.
 *
 * It needs the other names that the GNU C library has for its allocator. */
#define _GNU_SOURCE
#include <stdlib.h>

#ifdef __GLIBC__

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind {
    ALLOC, READ, WRITE, OPEN, CLOSE, RENAME, SYNC, MAP, PIPE, SPAWN, POLL,
    THREAD, STAT, SEEK, FILE_CONTROL, WAIT, N_KINDS
};

static const char *const names[N_KINDS] = {
    "alloc", "read", "write", "open", "close", "rename", "sync", "map",
    "pipe", "spawn", "poll", "thread", "stat", "seek", "control", "wait"
};

static const struct { const char *name; int number; } errors[] = {
    { "ENOMEM", ENOMEM }, { "EIO", EIO }, { "EINTR", EINTR },
    { "ENOSPC", ENOSPC }, { "EPIPE", EPIPE }, { "EMFILE", EMFILE },
    { "EAGAIN", EAGAIN }, { "EACCES", EACCES }
};

enum { SHORT = -1, DEPTH = 64 };

static struct {
    int on;                     /* main() runs */
    int stop;                   /* for a debugger */
    int tracing;                /* callers told apart by so many; 0: no */
    int kind, error, signal_number, rest;
    unsigned long at;
    int fd;
} fault = { .kind = N_KINDS, .fd = -1 };
static atomic_ulong calls;
static __thread int within;     /* this thread is busy in here */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);

/* ---- what to do at a call ---- */

static void
tell(const char *p, size_t n)
{
    const int saved = errno;

    if (fault.fd >= 0)
        syscall(SYS_write, fault.fd, p, n);
    errno = saved;
}

static __attribute__((noinline)) void
trace(enum kind kind)
{
    void *stack[DEPTH];
    uint64_t digest = 14695981039346656037u;
    char line[64];
    Dl_info where;
    int n, i;

    /* behind this function, strikes() and what was called */
    n = backtrace(stack, fault.tracing + 3);
    for (i = 3; i < n; i++) {
        uintptr_t at = (uintptr_t)stack[i];

        if (dladdr(stack[i], &where))
            at -= (uintptr_t)where.dli_fbase;
        digest = (digest ^ at) * 1099511628211u;
    }
    n = snprintf(line, sizeof line, "%s %016llx\n", names[kind],
                 (unsigned long long)digest);
    tell(line, (size_t)n);
}

/* 0: the call may be made; else the error, or SHORT. */
static __attribute__((noinline)) int
strikes(enum kind kind)
{
    unsigned long k;

    if (!fault.on || within || (!fault.tracing && (int)kind != fault.kind))
        return 0;
    within = 1;
    if (fault.tracing) {
        trace(kind);
        within = 0;
        return 0;
    }
    k = atomic_fetch_add(&calls, 1) + 1;
    within = 0;
    if (k != fault.at && !(fault.rest && k > fault.at))
        return 0;
    if (k == fault.at)
        tell("!", 1);
    if (k == fault.at && fault.stop)
        raise(SIGTRAP);
    if (fault.signal_number) {
        raise(fault.signal_number);
        return 0;
    }
    if (fault.error != SHORT)
        errno = fault.error;
    return fault.error;
}

/* ---- memory ---- */

void *
malloc(size_t n)
{
    return strikes(ALLOC) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return strikes(ALLOC) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
    return strikes(ALLOC) ? NULL : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
    if (strikes(ALLOC))
        return NULL;
    if (size && n > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(p, n * size);
}

void *
aligned_alloc(size_t alignment, size_t n)
{
    return strikes(ALLOC) ? NULL : __libc_memalign(alignment, n);
}

void *
memalign(size_t alignment, size_t n)
{
    return strikes(ALLOC) ? NULL : __libc_memalign(alignment, n);
}

int
posix_memalign(void **p, size_t alignment, size_t n)
{
    void *got = strikes(ALLOC) ? NULL : __libc_memalign(alignment, n);

    if (!got)
        return ENOMEM;
    *p = got;
    return 0;
}

/* ---- the rest: NAME(ARGUMENTS) or, if the fault strikes, FAILED ---- */

static void *
real(const char *name)
{
    void *p;

    within = 1;
    p = dlsym(RTLD_NEXT, name);
    within = 0;
    if (!p)
        abort();
    return p;
}

#define REAL(function)                                                       \
    static __typeof__(&function) real_##function;                            \
    if (!real_##function)                                                    \
        real_##function = (__typeof__(&function))real(#function)
#define PASS(type, kind, function, parameters, arguments, failed)            \
    type                                                                     \
    function parameters                                                      \
    {                                                                        \
        REAL(function);                                                      \
        return strikes(kind) ? (failed) : real_##function arguments;         \
    }

ssize_t
read(int fd, void *p, size_t n)
{
    int what;
    REAL(read);

    what = strikes(READ);
    return what > 0 ? -1 : real_read(fd, p, what == SHORT && n ? 1 : n);
}

ssize_t
write(int fd, const void *p, size_t n)
{
    int what;
    REAL(write);

    what = strikes(WRITE);
    return what > 0 ? -1 : real_write(fd, p, what == SHORT && n ? 1 : n);
}

#define OPENS(function, parameters, arguments)                               \
    int                                                                      \
    function parameters                                                      \
    {                                                                        \
        mode_t mode = 0;                                                     \
        REAL(function);                                                      \
                                                                             \
        if (flags & (O_CREAT | O_TMPFILE)) {                                 \
            va_list ap;                                                      \
                                                                             \
            va_start(ap, flags);                                             \
            mode = va_arg(ap, mode_t);                                       \
            va_end(ap);                                                      \
        }                                                                    \
        return strikes(OPEN) ? -1 : real_##function arguments;               \
    }

OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int dir, const char *path, int flags, ...),
      (dir, path, flags, mode))
OPENS(openat64, (int dir, const char *path, int flags, ...),
      (dir, path, flags, mode))
PASS(FILE *, OPEN, fopen, (const char *path, const char *mode), (path, mode),
     NULL)
PASS(FILE *, OPEN, fopen64, (const char *path, const char *mode),
     (path, mode), NULL)
PASS(char *, OPEN, mkdtemp, (char *path), (path), NULL)
PASS(int, OPEN, mkstemp, (char *path), (path), -1)

int
close(int fd)
{
    int what, got;
    REAL(close);

    what = strikes(CLOSE);
    got = real_close(fd);
    if (what <= 0)
        return got;
    errno = what;               /* it is closed all the same */
    return -1;
}

PASS(int, RENAME, rename, (const char *from, const char *to), (from, to), -1)
PASS(int, SYNC, fsync, (int fd), (fd), -1)
PASS(int, SYNC, fdatasync, (int fd), (fd), -1)
PASS(void *, MAP, mmap, (void *at, size_t n, int protection, int flags, int fd,
                         off_t offset),
     (at, n, protection, flags, fd, offset), MAP_FAILED)
PASS(int, PIPE, pipe, (int end[2]), (end), -1)
PASS(int, PIPE, pipe2, (int end[2], int flags), (end, flags), -1)
PASS(pid_t, SPAWN, fork, (void), (), -1)
PASS(int, SPAWN, posix_spawn,
     (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[],
      char *const envp[]), (pid, path, actions, attributes, argv, envp),
     fault.error)
PASS(int, SPAWN, posix_spawnp,
     (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[],
      char *const envp[]), (pid, path, actions, attributes, argv, envp),
     fault.error)
PASS(int, POLL, poll, (struct pollfd *fd, nfds_t n, int timeout),
     (fd, n, timeout), -1)
PASS(int, THREAD, pthread_create,
     (pthread_t *thread, const pthread_attr_t *attributes,
      void *(*start)(void *), void *argument),
     (thread, attributes, start, argument), fault.error)
PASS(int, STAT, stat, (const char *path, struct stat *st), (path, st), -1)
PASS(int, STAT, fstat, (int fd, struct stat *st), (fd, st), -1)
PASS(int, STAT, lstat, (const char *path, struct stat *st), (path, st), -1)
PASS(int, STAT, access, (const char *path, int mode), (path, mode), -1)
PASS(char *, STAT, realpath, (const char *path, char *out), (path, out), NULL)
PASS(off_t, SEEK, lseek, (int fd, off_t offset, int whence),
     (fd, offset, whence), -1)
PASS(off64_t, SEEK, lseek64, (int fd, off64_t offset, int whence),
     (fd, offset, whence), -1)
PASS(int, FILE_CONTROL, dup, (int fd), (fd), -1)
PASS(int, FILE_CONTROL, fchmod, (int fd, mode_t mode), (fd, mode), -1)

int
fcntl(int fd, int command, ...)
{
    va_list ap;
    void *argument;
    REAL(fcntl);

    va_start(ap, command);
    argument = va_arg(ap, void *);
    va_end(ap);
    return strikes(FILE_CONTROL) ? -1 : real_fcntl(fd, command, argument);
}

PASS(int, WAIT, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
     (type, id, info, options), -1)
PASS(pid_t, WAIT, waitpid, (pid_t pid, int *status, int options),
     (pid, status, options), -1)

/* ---- the beginning ---- */

static void
understand(const char *text)
{
    char kind[16], how[16], plus[2] = "";
    size_t i;

    if (!strncmp(text, "trace:", 6)) {
        void *stack[2];

        fault.tracing = atoi(text + 6);
        if (fault.tracing < 1 || fault.tracing > DEPTH - 3)
            abort();
        backtrace(stack, 2);    /* loads what it needs */
        return;
    }
    if (sscanf(text, "%15[^:]:%15[^:]:%lu%1[+]", kind, how, &fault.at, plus)
        < 3)
        abort();
    fault.rest = *plus == '+';
    for (i = 0; i < N_KINDS; i++)
        if (!strcmp(kind, names[i]))
            fault.kind = (int)i;
    for (i = 0; i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(how, errors[i].name))
            fault.error = errors[i].number;
    if (!strcmp(how, "short"))
        fault.error = SHORT;
    if (!strcmp(how, "TERM"))
        fault.signal_number = SIGTERM;
    if (!strcmp(how, "INT"))
        fault.signal_number = SIGINT;
    if (fault.kind == N_KINDS || (!fault.error && !fault.signal_number))
        abort();
}

static int (*real_main)(int argc, char **argv, char **envp);

static int
main_under_faults(int argc, char **argv, char **envp)
{
    const char *text = getenv("ASCRIBE_FAULT");
    const char *fd = getenv("ASCRIBE_FAULT_FD");

    if (fd) {
        fault.fd = atoi(fd);
        fcntl(fault.fd, F_SETFD, FD_CLOEXEC);
    }
    if (text)
        understand(text);
    unsetenv("ASCRIBE_FAULT");
    fault.stop = getenv("ASCRIBE_FAULT_STOP") != NULL;
    unsetenv("ASCRIBE_FAULT_FD");
    unsetenv("LD_PRELOAD");
    fault.on = text != NULL;
    return real_main(argc, argv, envp);
}

int __libc_start_main(int (*start)(int, char **, char **), int argc,
                      char **argv, void (*init)(void), void (*fini)(void),
                      void (*ld_fini)(void), void *stack_end);

int
__libc_start_main(int (*start)(int, char **, char **), int argc, char **argv,
                  void (*init)(void), void (*fini)(void),
                  void (*ld_fini)(void), void *stack_end)
{
    REAL(__libc_start_main);

    real_main = start;
    return real___libc_start_main(main_under_faults, argc, argv, init, fini,
                                  ld_fini, stack_end);
}

#endif
