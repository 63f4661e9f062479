/* model/child.h -- a shell command that is talked to through pipes. */
#ifndef ASCRIBE_MODEL_CHILD_H
#define ASCRIBE_MODEL_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include <ascribe/model.h>

#include "base/internal.h"

enum { ASCI_CHILD_LINE = 400 }; /* bytes kept of a line of standard error */

struct asci_child {
    pid_t pid;
    asc_children *list;         /* where it is noted, or NULL */
    size_t slot;                /* of the list */
    int in, out, err;           /* our ends of the pipes; -1: closed */
    int ended;                  /* reaped; status is that of waitpid, or -1 if
                                   the host had it reaped */
    int status;
    char line[ASCI_CHILD_LINE], last[ASCI_CHILD_LINE];  /* standard error */
    size_t n_line, n_last;
};

/* What is said to a child and heard from it. */
struct asci_talk {
    void *context;
    /* Adds the next piece of text to b; 0: that was all. */
    int (*say)(void *context, struct asc_buffer *b);
    /* Takes n bytes: 0 go on, 1 that was all that is wanted, -1 failed. */
    int (*hear)(void *context, const char *p, size_t n, struct asc_error *e);
    int hang_up;                /* close its standard input when all is said,
                                   and hear it to its end */
    double timeout;             /* seconds for all of it; 0: no limit */
};

enum asci_outcome {
    ASCI_TALK_DONE,             /* all was said, and heard what was wanted */
    ASCI_TALK_ENDED,            /* its standard output ended */
    ASCI_TALK_LATE,             /* the time is over */
    ASCI_TALK_FAILED            /* hear() failed, or the system; see e */
};

/* Runs /bin/sh -c command, in a process group of its own.  It is noted in list
 * (may be NULL) as long as it runs. */
int asci_child_start(struct asci_child *c, const char *command,
                     asc_children *list, struct asc_error *e);
enum asci_outcome asci_child_talk(struct asci_child *c,
                                  const struct asci_talk *t,
                                  struct asc_error *e);
/* Ends its standard input. */
void asci_child_hang_up(struct asci_child *c);
/* Waits until it ends, at most so many seconds (0: no limit): 1 it did. */
int asci_child_wait(struct asci_child *c, double timeout);
/* Kills what is left of it and lets go of it. */
void asci_child_end(struct asci_child *c);
/* How it ended and the last thing it said on standard error: "exit status 3:
 * no such file". */
void asci_child_report(const struct asci_child *c, char *out, size_t size);

#endif
