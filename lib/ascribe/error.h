/* ascribe/error.h -- how a function says that it failed. */
#ifndef ASCRIBE_ERROR_H
#define ASCRIBE_ERROR_H

/* What a function that can fail returns.  The kinds say who must act. */
enum asc_status {
    ASC_OK = 0,
    ASC_EINPUT,         /* a data or model file: mend the file */
    ASC_EUSAGE,         /* the request: ask for something else */
    ASC_ESYSTEM,        /* memory, disk, a child process: mend the machine */
    ASC_ENUMERIC        /* the arithmetic has no answer on this input */
};

/* One line, without a final newline, that a tool prints as it stands: it names
 * the file, line and column or element, quotes the offender and says what
 * would do.  Untouched by a function that succeeds. */
struct asc_error {
    enum asc_status status;
    char text[1024];
};

/* Fills *e (which may be NULL) and returns status, so that a failure reads
 * `return asc_fail(e, ASC_EINPUT, ...)`.  Control characters in the text, and
 * bytes that are not UTF-8, become '?', and a text that does not fit ends in
 * "...". */
int asc_fail(struct asc_error *e, enum asc_status status,
             const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
