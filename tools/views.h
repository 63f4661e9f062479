/* views.h -- what of a model is explained: its outputs, or contrasts of two.
 *
 * A view is the model itself, or a model made of it whose outputs are
 * differences.  Tools keep with each view what they prepare for a model; rows
 * of a block that look at different views are put next to each other. */
#ifndef ASCRIBE_TOOL_VIEWS_H
#define ASCRIBE_TOOL_VIEWS_H

#include <pthread.h>

#include "tools/tool.h"

struct tool_view {
    const asc_model *model;
    void *state;                /* the tool's */
    asc_model *contrast;        /* NULL: the model itself */
    size_t of, against;         /* of a contrast of one pair; else SIZE_MAX */
    enum asc_scale scale;
};

struct tool_views {
    const asc_model *model;
    /* Fills v->state, and frees it; context is the tool's. */
    int (*prepare)(void *context, struct tool_view *v, struct asc_error *e);
    void (*finish)(void *context, struct tool_view *v);
    void *context;
    pthread_mutex_t lock;
    size_t n;
    struct tool_view **v;       /* (n) the model itself comes first, once
                                   asked for */
};

/* prepare and finish may be NULL.  The model is borrowed. */
void tool_views_open(struct tool_views *t, const asc_model *m,
                     int (*prepare)(void *, struct tool_view *,
                                    struct asc_error *),
                     void (*finish)(void *, struct tool_view *),
                     void *context);
void tool_views_close(struct tool_views *t);

/* These find a view or make and prepare it, and may be called by several
 * threads at once; NULL if that fails.  The model itself; */
struct tool_view *tool_view_whole(struct tool_views *t, struct asc_error *e);
/* output `of` less output `against`; */
struct tool_view *tool_view_pair(struct tool_views *t, size_t of,
                                 size_t against, enum asc_scale scale,
                                 struct asc_error *e);
/* n contrasts at once, always a new view; */
struct tool_view *tool_view_pairs(struct tool_views *t, const size_t *of,
                                  const size_t *against, size_t n,
                                  enum asc_scale scale, struct asc_error *e);
/* the one that has an output of this name, as tables have it, *output its
 * number there.  where ("file:line") begins the message. */
struct tool_view *tool_view_named(struct tool_views *t, struct asc_text name,
                                  enum asc_scale scale, const char *where,
                                  size_t *output, struct asc_error *e);

/* order (n): the rows 0..n-1, those of equal views together, in the order of
 * their first rows.  Returns 1 if that is not 0, 1, 2, .... */
int tool_views_sort(struct tool_view *const *view, size_t n, size_t *order);

#endif
