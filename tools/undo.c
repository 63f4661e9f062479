/* undo.c -- what is undone when a signal ends a tool.  See undo.h.
 *
 * All is in place before the signal comes: a handler may do little. */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
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

/* As asynchronous as it may be, and with the same end. */
static void
interrupted(int signal_number)
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
    raise(signal_number);       /* the handler is off by now */
}

void
undo_watch(void)
{
    struct sigaction now, old;
    size_t i;

    memset(&now, 0, sizeof now);
    now.sa_handler = interrupted;
    now.sa_flags = SA_RESETHAND | SA_NODEFER;
    sigemptyset(&now.sa_mask);
    for (i = 0; i < N_ASKING; i++)
        if (!sigaction(asking[i], NULL, &old) && old.sa_handler == SIG_DFL)
            sigaction(asking[i], &now, NULL);
    /* A file over its limit is an error like a full disk. */
    signal(SIGXFSZ, SIG_IGN);
}

void
undo_hold(sigset_t *before)
{
    sigset_t set;
    size_t i;

    sigemptyset(&set);
    for (i = 0; i < N_ASKING; i++)
        sigaddset(&set, asking[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

void
undo_release(const sigset_t *before)
{
    sigprocmask(SIG_SETMASK, before, NULL);
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
