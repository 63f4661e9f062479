/* model/child.h -- a shell command that is talked to through pipes. */
#ifndef ASCRIBE_MODEL_CHILD_H
#define ASCRIBE_MODEL_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include <ascribe/model.h>

#include "base/internal.h"

enum {
    ASCI_CHILD_LINE = 240,      /* bytes kept of a line of standard error, ... */
    ASCI_CHILD_LINES = 3,       /* lines that are kept, ... */
    ASCI_CHILD_SAID = 500       /* and bytes of all of them in a message */
};

struct asci_child {
    pid_t pid;
    asc_children *list;         /* where it is noted, or NULL */
    size_t slot;                /* of the list */
    int in, out, err;           /* our ends of the pipes; -1: closed */
    int ended;                  /* reaped; status is that of waitpid, or -1 if
                                   the host had it reaped */
    int status;
    /* of standard error: the line that is coming, of n_line bytes so far, and
     * the last ones that say something, oldest first */
    char line[ASCI_CHILD_LINE];
    size_t n_line, n_last;
    char last[ASCI_CHILD_LINES][ASCI_CHILD_LINE + 4];
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
    double deadline;            /* of asci_deadline */
};

enum asci_outcome {
    ASCI_TALK_DONE,             /* all was said, and heard what was wanted */
    ASCI_TALK_ENDED,            /* its standard output ended, or it closed its
                                   input and seems to have no more to say */
    ASCI_TALK_LATE,             /* the time is over */
    ASCI_TALK_FAILED            /* hear() failed, or the system; see e */
};

/* The time that is so many seconds (0: no limit) from now. */
double asci_deadline(double seconds);

/* Runs /bin/sh -c command, in a process group of its own.  It is noted in list
 * (may be NULL) as long as it runs. */
int asci_child_start(struct asci_child *c, const char *command,
                     asc_children *list, struct asc_error *e);
enum asci_outcome asci_child_talk(struct asci_child *c,
                                  const struct asci_talk *t,
                                  struct asc_error *e);
/* Ends its standard input. */
void asci_child_hang_up(struct asci_child *c);
/* Waits until it ends, until then at most: 1 it did.  What it leaves behind of
 * its process group is killed. */
int asci_child_wait(struct asci_child *c, double deadline);
/* Kills what is left of it and lets go of it. */
void asci_child_end(struct asci_child *c);
/* How it ended: "exit status 3". */
void asci_child_status(const struct asci_child *c, char *out, size_t size);
/* The last lines that it wrote to standard error, as one; "" if none. */
void asci_child_said(struct asci_child *c, char out[ASCI_CHILD_SAID + 1]);

#endif
