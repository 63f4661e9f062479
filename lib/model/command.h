/* model/command.h -- what a command model is, and one batch of it. */
#ifndef ASCRIBE_MODEL_COMMAND_H
#define ASCRIBE_MODEL_COMMAND_H

#include "model/form.h"

enum { ASCI_COMMAND_SHOWN = 120 };      /* bytes of the command in messages */

struct asci_coprocesses;

struct asci_command {
    char *text;                 /* for the shell */
    char shown[ASCI_COMMAND_SHOWN + 4]; /* cmd:... for messages */
    int coproc;
    double timeout;
    asc_children *children;     /* the host's, or NULL */
    const struct asc_schema *schema;
    size_t n_outputs;           /* 0: not known yet */
    char **output;              /* (n_outputs) */
    struct asci_coprocesses *idle;      /* NULL unless coproc */
};

struct asci_coprocesses *asci_coprocesses_new(struct asc_error *e);
void asci_coprocesses_free(struct asci_coprocesses *p);

struct asci_batch {
    const double *x;            /* (n, d) */
    size_t n, first;            /* rows, and how many were in batches before */
    double *y;                  /* (n, n_outputs), NULL: not wanted */
    /* as far as it has come */
    const struct asci_command *c;
    size_t said, heard;         /* rows */
    int header_said, header_heard;
    struct asc_buffer line;     /* what has come of a line */
    size_t n_outputs;           /* of the header heard, if c has none yet; */
    char **output;              /* the caller's then */
};

/* e is not NULL.  Several threads may run batches of one command at once. */
int asci_command_run(const struct asci_command *c, struct asci_batch *t,
                     struct asc_error *e);
/* Field k of a line of n bytes, from *at on; 0: there is none.  *at = 0
 * begins. */
int asci_next_field(const char *line, size_t n, size_t *at,
                    struct asc_text *field);
size_t asci_count_fields(const char *line, size_t n);

#endif
