/* model/child.c -- a shell command that is talked to through pipes.
 *
 * One poll() waits for all three: standard input is fed as the child takes it,
 * standard output is heard as it comes, standard error is drained and its last
 * lines kept.  So no order of reading and writing on the child's side can block
 * both.  Our ends of the pipes do not block; a child that closes its standard
 * input early is no longer fed, and not to blame for that.
 *
 * A child may end and leave processes of its own behind that hold the pipes
 * open, so every LOOK seconds it is looked whether it is still there.  Once it
 * is not, what is in the pipe is the rest of its answer, and what is left of
 * its process group is killed before its number is given back.
 *
 * SIGPIPE is blocked in the thread that writes, and taken off its list if the
 * write raised it: handlers are the host's.  The child starts with no signal
 * blocked and SIGPIPE and SIGXFSZ as usual, in a process group of its own, so
 * that killing it kills pipelines too.  What ends the host's group (Ctrl-C)
 * does not reach it; hence asc_children, which a signal handler can kill. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE             /* pipe2: no other thread's child may inherit
                                   an end, or it would never see the end */
#endif
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/child.h"

enum {
    PIECE = 1 << 16, CHILDREN_MAX = 1024,
    DRAINED = 16                /* pieces of standard error taken at once */
};
static const double LOOK = 0.05,
    PATIENCE = 2.0;             /* with one that takes no more of a batch */
enum { FREE = 0, TAKEN = -1 };  /* of a slot that holds no process */

struct asc_children {
    atomic_int killed;                  /* none may be started any more */
    atomic_int pid[CHILDREN_MAX];       /* > 0: not reaped yet */
};

extern char **environ;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Milliseconds for poll() until a deadline, rounded up, but no more than
 * at_most (-1: any time). */
static int
milliseconds(double deadline, int at_most)
{
    const double left = ceil(1e3 * (deadline - now()));

    if (isinf(deadline) || (at_most >= 0 && left > at_most))
        return at_most;
    if (left > 1e9)
        return 1000000000;
    return left > 0.0 ? (int)left : 0;
}

double
asci_deadline(double seconds)
{
    return seconds > 0.0 ? now() + seconds : INFINITY;
}

static void
shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- the list of a host ---- */

asc_children *
asc_children_new(struct asc_error *e)
{
    asc_children *c = asci_alloc(1, sizeof *c, e);
    size_t i;

    if (c)
        atomic_init(&c->killed, 0);
    for (i = 0; c && i < CHILDREN_MAX; i++)
        atomic_init(&c->pid[i], FREE);
    return c;
}

void
asc_children_free(asc_children *c)
{
    free(c);
}

void
asc_children_kill(asc_children *c)
{
    const struct timespec moment = { 0, 1000000 };
    size_t i, turn;
    int pid;

    if (c)
        atomic_store(&c->killed, 1);
    for (i = 0; c && i < CHILDREN_MAX; i++) {
        /* Another thread is starting it; ours cannot be. */
        for (turn = 0; turn < 1000; turn++) {
            pid = atomic_load(&c->pid[i]);
            if (pid != TAKEN)
                break;
            nanosleep(&moment, NULL);
        }
        if (pid > 0) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
        }
    }
}

static void
set_slot(struct asci_child *c, int pid)
{
    if (c->list)
        atomic_store(&c->list->pid[c->slot], pid);
}

/* A free slot of the list (if there is one) for c: 0, or an errno. */
static int
take_slot(struct asci_child *c, asc_children *list)
{
    size_t i;

    for (i = 0; list && i < CHILDREN_MAX; i++) {
        int expected = FREE;

        if (!atomic_compare_exchange_strong(&list->pid[i], &expected, TAKEN))
            continue;
        c->list = list;
        c->slot = i;
        if (!atomic_load(&list->killed))
            return 0;
        set_slot(c, FREE);
        return ECANCELED;
    }
    return list ? EAGAIN : 0;
}

/* ---- starting ---- */

/* A pipe whose ends are not 0, 1 or 2, even where the host has closed those:
 * they are what the child's ends become. */
static int
make_pipe(int end[2])
{
    int i, fd;

    if (pipe2(end, O_CLOEXEC) != 0) {
        end[0] = end[1] = -1;
        return 0;
    }
    for (i = 0; i < 2; i++) {
        if (end[i] > 2)
            continue;
        fd = fcntl(end[i], F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
            return 0;
        close(end[i]);
        end[i] = fd;
    }
    return 1;
}

static int
spawn(struct asci_child *c, const char *command, asc_children *list, int in,
      int out, int err)
{
    char *argv[] = { "sh", "-c", (char *)command, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual, all, before;
    int failed;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    sigfillset(&all);
    failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed)
        goto out;
    if (!(failed = posix_spawn_file_actions_adddup2(&actions, in, 0))
        && !(failed = posix_spawn_file_actions_adddup2(&actions, out, 1))
        && !(failed = posix_spawn_file_actions_adddup2(&actions, err, 2))
        && !(failed = posix_spawnattr_setpgroup(&attributes, 0))
        && !(failed = posix_spawnattr_setsigmask(&attributes, &none))
        && !(failed = posix_spawnattr_setsigdefault(&attributes, &usual))
        && !(failed = posix_spawnattr_setflags(&attributes,
                                               POSIX_SPAWN_SETPGROUP
                                               | POSIX_SPAWN_SETSIGMASK
                                               | POSIX_SPAWN_SETSIGDEF))) {
        /* A handler waits for what is being started, but not for its own
         * thread. */
        pthread_sigmask(SIG_BLOCK, &all, &before);
        if (!(failed = take_slot(c, list))) {
            failed = posix_spawn(&c->pid, "/bin/sh", &actions, &attributes,
                                 argv, environ);
            set_slot(c, failed ? FREE : c->pid);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    posix_spawnattr_destroy(&attributes);
out:
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

int
asci_child_start(struct asci_child *c, const char *command,
                 asc_children *list, struct asc_error *e)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
    int failed = 0;

    memset(c, 0, sizeof *c);
    c->in = c->out = c->err = -1;
    if (!make_pipe(in) || !make_pipe(out) || !make_pipe(err)
        || fcntl(in[1], F_SETFL, O_NONBLOCK) < 0
        || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0
        || fcntl(err[0], F_SETFL, O_NONBLOCK) < 0)
        failed = errno;
    else
        failed = spawn(c, command, list, in[0], out[1], err[1]);
    shut(&in[0]);
    shut(&out[1]);
    shut(&err[1]);
    if (failed) {
        shut(&in[1]);
        shut(&out[0]);
        shut(&err[0]);
        return asc_fail(e, ASC_ESYSTEM, "cannot start /bin/sh: %s",
                        strerror(failed));
    }
    c->in = in[1];
    c->out = out[0];
    c->err = err[0];
    return ASC_OK;
}

/* ---- talking ---- */

/* A letter, a digit, or part of a character beyond ASCII. */
static int
says(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
        || (c >= 'a' && c <= 'z') || (c & 0x80);
}

/* The line has ended: it is kept if there is a letter or a digit in it, and
 * its beginning if it is long. */
static void
keep_line(struct asci_child *c)
{
    size_t n = c->n_line < ASCI_CHILD_LINE ? c->n_line : ASCI_CHILD_LINE, i;
    char *to;

    for (i = 0; i < n && !says(c->line[i]); i++)
        ;
    if (i < n) {
        if (c->n_last == ASCI_CHILD_LINES)
            memmove(c->last[0], c->last[1],
                    (ASCI_CHILD_LINES - 1) * sizeof c->last[0]);
        else
            c->n_last++;
        to = c->last[c->n_last - 1];
        memcpy(to, c->line, n);
        if (c->n_line > n)
            memcpy(to + n, "...", 4);
        else
            to[n] = '\0';
    }
    c->n_line = 0;
}

/* Lines without the blanks before them.  A carriage return begins one anew, as
 * those who draw progress do. */
static void
note(struct asci_child *c, const char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (p[i] == '\n' || p[i] == '\r') {
            keep_line(c);
        } else if (c->n_line > 0 || (p[i] != ' ' && p[i] != '\t')) {
            if (c->n_line < ASCI_CHILD_LINE)
                c->line[c->n_line] = p[i];
            c->n_line++;
        }
    }
}

/* Reads what is there now on standard error, but not without end. */
static void
drain(struct asci_child *c)
{
    char piece[4096];
    ssize_t n;
    int k;

    for (k = 0; k < DRAINED && c->err >= 0; k++) {
        n = read(c->err, piece, sizeof piece);
        if (n > 0)
            note(c, piece, (size_t)n);
        else if (n == 0)
            shut(&c->err);
        else if (errno != EINTR)
            return;             /* EAGAIN: no more now */
    }
}

/* Whether it runs (options: WNOHANG, or 0 to wait until it does not). */
enum state { RUNNING, TO_BE_REAPED, GONE };

static enum state
state_of(const struct asci_child *c, int options)
{
    siginfo_t info = { .si_pid = 0 };
    int got;

    do
        got = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT | options);
    while (got < 0 && errno == EINTR);
    return got < 0 ? GONE : info.si_pid != 0 ? TO_BE_REAPED : RUNNING;
}

enum { IN, OUT, ERR };

struct exchange {
    struct asci_child *c;
    const struct asci_talk *t;
    struct asc_error *e;
    struct asc_buffer text;     /* not yet taken: text.p[sent..text.n-1] */
    size_t sent;
    int said, heard;            /* all of it */
    int broken;                 /* a write raised SIGPIPE */
    int deaf;                   /* its standard input is closed, early */
    int over;                   /* the child runs no longer */
    char piece[PIECE];
};

/* Writes what the child takes now.  0: failed. */
static int
feed(struct exchange *x)
{
    ssize_t n;

    if (x->sent == x->text.n && !x->said) {
        x->text.n = x->sent = 0;
        x->said = !x->t->say(x->t->context, &x->text);
        if (x->text.failed) {
            asc_fail(x->e, ASC_ESYSTEM, "out of memory");
            return 0;
        }
    }
    if (x->sent < x->text.n) {
        n = write(x->c->in, x->text.p + x->sent, x->text.n - x->sent);
        if (n >= 0) {
            x->sent += (size_t)n;
        } else if (errno == EPIPE) {
            x->broken = x->deaf = x->said = 1;
            x->sent = x->text.n;
            shut(&x->c->in);
        } else if (errno != EAGAIN && errno != EINTR) {
            asc_fail(x->e, ASC_ESYSTEM, "cannot write to it: %s",
                     strerror(errno));
            return 0;
        }
    }
    if (x->said && x->sent == x->text.n && x->t->hang_up)
        shut(&x->c->in);
    return 1;
}

/* The child reads no more, though it was given all. */
static void
close_deaf(struct exchange *x, short events)
{
    if (x->said && x->sent == x->text.n && events & POLLERR) {
        x->deaf = 1;
        shut(&x->c->in);
    }
}

/* Reads what is there: 1 go on, 0 its end, -1 failed. */
static int
listen_to(struct exchange *x)
{
    const ssize_t n = read(x->c->out, x->piece, sizeof x->piece);
    int got;

    if (n == 0)
        return 0;
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR)
            return 1;
        asc_fail(x->e, ASC_ESYSTEM, "cannot read from it: %s",
                 strerror(errno));
        return -1;
    }
    got = x->t->hear(x->t->context, x->piece, (size_t)n, x->e);
    x->heard |= got > 0;
    return got < 0 ? -1 : 1;
}

/* Waits until a pipe is ready or it is time to look.  0: failed. */
static int
wait_for(struct exchange *x, struct pollfd *fd, double deadline)
{
    const int over = x->over;
    const int more = !x->said || x->sent < x->text.n;
    double until = now() + LOOK;
    int got;

    /* Without events a closed pipe is reported all the same. */
    fd[IN].fd = over ? -1 : x->c->in;
    fd[IN].events = more || x->t->hang_up ? POLLOUT : 0;
    fd[OUT].fd = x->c->out;
    fd[ERR].fd = over ? -1 : x->c->err;
    if (until > deadline)
        until = deadline;
    got = poll(fd, 3, over ? 0 : milliseconds(until, -1));
    if (got < 0 && errno != EINTR) {
        asc_fail(x->e, ASC_ESYSTEM, "cannot wait for it: %s",
                 strerror(errno));
        return 0;
    }
    if (got <= 0)
        fd[IN].revents = fd[OUT].revents = fd[ERR].revents = 0;
    return 1;
}

static enum asci_outcome
exchange(struct exchange *x, double deadline)
{
    struct pollfd fd[3] = { { .events = POLLOUT }, { .events = POLLIN },
                            { .events = POLLIN } };
    double look = now() + LOOK, patience = INFINITY;
    int got;

    while (!x->heard || !x->said || x->sent < x->text.n || x->t->hang_up) {
        if (!wait_for(x, fd, deadline))
            return ASCI_TALK_FAILED;
        if (x->over && !fd[OUT].revents)
            return ASCI_TALK_ENDED;
        if (now() >= deadline)
            return ASCI_TALK_LATE;
        if (fd[ERR].revents)
            drain(x->c);
        if (fd[IN].revents && !feed(x))
            return ASCI_TALK_FAILED;
        close_deaf(x, fd[IN].revents);
        if (x->deaf && !x->t->hang_up && isinf(patience))
            patience = now() + PATIENCE;
        if (now() >= patience)
            return ASCI_TALK_ENDED;
        if (fd[OUT].revents) {
            got = listen_to(x);
            if (got <= 0)
                return got < 0 ? ASCI_TALK_FAILED : ASCI_TALK_ENDED;
        }
        if (now() >= look) {
            x->over = state_of(x->c, WNOHANG) != RUNNING;
            look = now() + LOOK;
        }
    }
    return ASCI_TALK_DONE;
}

enum asci_outcome
asci_child_talk(struct asci_child *c, const struct asci_talk *t,
                struct asc_error *e)
{
    static const struct timespec at_once;
    struct exchange *x = asci_alloc_zero(1, sizeof *x, e);
    sigset_t pipe_signal, before, pending;
    enum asci_outcome outcome;

    if (!x)
        return ASCI_TALK_FAILED;
    x->c = c;
    x->t = t;
    x->e = e;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    outcome = exchange(x, t->deadline);
    if (x->broken && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0
               && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    asc_buffer_free(&x->text);
    free(x);
    return outcome;
}

/* ---- ending ---- */

/* options: 0, or WNOHANG.  Once it is reaped its number is free for others, so
 * its group is killed and it is taken off the list first. */
static int
reap(struct asci_child *c, int options)
{
    enum state state;
    pid_t got;

    if (c->ended)
        return 1;
    state = state_of(c, options);
    if (state == RUNNING)
        return 0;
    if (state == TO_BE_REAPED)
        kill(-c->pid, SIGKILL);
    set_slot(c, FREE);
    do
        got = waitpid(c->pid, &c->status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        c->status = -1;         /* the host ignores SIGCHLD, or took it */
    c->ended = 1;
    return 1;
}

void
asci_child_hang_up(struct asci_child *c)
{
    shut(&c->in);
}

int
asci_child_wait(struct asci_child *c, double deadline)
{
    int pause = 1;

    while (!reap(c, WNOHANG)) {
        /* Standard error ends with the child, as a rule, and must be drained
         * for it to end. */
        struct pollfd fd = { .fd = c->err, .events = POLLIN };

        if (now() >= deadline)
            return 0;
        poll(&fd, 1, milliseconds(deadline, pause));
        drain(c);
        pause = pause < 20 ? 2 * pause : 20;
    }
    drain(c);
    return 1;
}

void
asci_child_end(struct asci_child *c)
{
    if (!c->ended) {
        /* The group first: its number is the child's until that is reaped. */
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
        reap(c, 0);
    }
    shut(&c->in);
    shut(&c->out);
    shut(&c->err);
}

void
asci_child_status(const struct asci_child *c, char *out, size_t size)
{
    int status;

    if (!c->ended) {
        snprintf(out, size, "still running");
    } else if (c->status == -1) {
        snprintf(out, size, "ended with a status that is not known");
    } else if (WIFSIGNALED(c->status)) {
        snprintf(out, size, "killed by signal %d (%s)", WTERMSIG(c->status),
                 strsignal(WTERMSIG(c->status)));
    } else {
        /* The shell's way to say that a signal killed what it ran. */
        status = WEXITSTATUS(c->status);
        if (status > 128 && status < 128 + 65)
            snprintf(out, size, "exit status %d, as of signal %d (%s)",
                     status, status - 128, strsignal(status - 128));
        else
            snprintf(out, size, "exit status %d", status);
    }
}

void
asci_child_said(struct asci_child *c, char out[ASCI_CHILD_SAID + 1])
{
    size_t i, first, n = 0;

    keep_line(c);               /* one without an end */
    out[0] = '\0';
    for (first = c->n_last; first > 0; first--) {
        n += strlen(c->last[first - 1]) + 3;
        if (n > ASCI_CHILD_SAID)
            break;
    }
    for (i = first, n = 0; i < c->n_last; i++)
        n += (size_t)snprintf(out + n, ASCI_CHILD_SAID + 1 - n, "%s%s",
                              i > first ? " | " : "", c->last[i]);
}
