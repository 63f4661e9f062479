/* undo.c -- what is undone when a signal ends a tool.  See undo.h.
 *
 * Whichever thread a signal comes to (OpenBLAS has some of its own, which block
 * none), one gate lets either the handler through or a part of the program that
 * must not be cut in two.  A handler that finds it shut leaves the signal to
 * whoever opens it; whoever finds a handler inside waits for the end.
 *
 * All is in place before the signal comes: a handler may do little. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/undo.h"

enum { MOST = 8 };

static const int asking[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM,
                              SIGXCPU };
enum { N_ASKING = sizeof asking / sizeof *asking };

static struct {
    volatile sig_atomic_t n;
    char path[MOST][PATH_MAX];
    volatile sig_atomic_t child;        /* pid, or 0 */
    asc_children *children;
} list;

enum { OPEN, SHUT, ENDING };
static atomic_int gate;
static atomic_int waiting;      /* a signal that came while it was shut */

static void
end(int signal_number)
{
    int i;

    asc_children_kill(list.children);
    if (list.child) {
        kill(list.child, SIGKILL);
        waitpid(list.child, NULL, 0);   /* it may be making a file */
    }
    for (i = list.n; i-- > 0;)
        if (unlink(list.path[i]))
            rmdir(list.path[i]);
    signal(signal_number, SIG_DFL);
    raise(signal_number);       /* the same end */
}

static void
try_to_end(int signal_number)
{
    int open = OPEN;

    if (atomic_compare_exchange_strong(&gate, &open, ENDING))
        end(signal_number);
}

static void
interrupted(int signal_number)
{
    const int saved = errno;

    atomic_store(&waiting, signal_number);
    try_to_end(signal_number);
    errno = saved;
}

void
undo_watch(void)
{
    struct sigaction now, old;
    size_t i;

    memset(&now, 0, sizeof now);
    now.sa_handler = interrupted;
    now.sa_flags = SA_NODEFER | SA_RESTART;
    sigemptyset(&now.sa_mask);
    for (i = 0; i < N_ASKING; i++)
        if (!sigaction(asking[i], NULL, &old) && old.sa_handler == SIG_DFL)
            sigaction(asking[i], &now, NULL);
    /* A file over its limit is an error like a full disk. */
    signal(SIGXFSZ, SIG_IGN);
}

void
undo_hold(void)
{
    int open = OPEN;

    while (!atomic_compare_exchange_strong(&gate, &open, SHUT)) {
        pause();                /* for the end */
        open = OPEN;
    }
}

void
undo_release(void)
{
    int signal_number;

    atomic_store(&gate, OPEN);
    signal_number = atomic_load(&waiting);
    if (signal_number)
        try_to_end(signal_number);
}

void
undo_path(const char *path)
{
    /* A longer one could not have been made. */
    if (list.n < MOST && strlen(path) < PATH_MAX) {
        strcpy(list.path[list.n], path);
        list.n++;
    }
}

void
undo_child(pid_t pid)
{
    list.child = pid;
}

void
undo_children(asc_children *children)
{
    list.children = children;
}

void
undo_forget_paths(void)
{
    list.n = 0;
}
