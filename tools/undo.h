/* undo.h -- what is undone when a signal ends a tool: its children are killed
 * and the files removed that have no final name yet.  A process has one such
 * list. */
#ifndef ASCRIBE_UNDO_H
#define ASCRIBE_UNDO_H

#include <sys/types.h>

#include <ascribe/model.h>

/* Watches the signals that ask a program to end, where they would. */
void undo_watch(void);
/* Holds those signals back while something is made and noted, and lets them
 * come again.  An error in between may end the program. */
void undo_hold(void);
void undo_release(void);

/* A file, or a directory, which is empty once what was noted after it is
 * gone.  Its name is copied. */
void undo_path(const char *path);
/* A child; 0: it is reaped. */
void undo_child(pid_t pid);
/* Processes of models. */
void undo_children(asc_children *children);
/* The paths have got their names, or are gone. */
void undo_forget_paths(void);

#endif
