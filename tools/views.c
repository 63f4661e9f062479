/* views.c -- what of a model is explained.  See views.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/views.h"

void
tool_views_open(struct tool_views *t, const asc_model *m,
                int (*prepare)(void *, struct tool_view *, struct asc_error *),
                void (*finish)(void *, struct tool_view *), void *context)
{
    memset(t, 0, sizeof *t);
    t->model = m;
    t->prepare = prepare;
    t->finish = finish;
    t->context = context;
    if (pthread_mutex_init(&t->lock, NULL))
        tool_no_memory();
}

static void
drop(struct tool_views *t, struct tool_view *v)
{
    if (t->finish)
        t->finish(t->context, v);
    asc_model_free(v->contrast);
    free(v);
}

void
tool_views_close(struct tool_views *t)
{
    size_t i;

    for (i = 0; i < t->n; i++)
        drop(t, t->v[i]);
    free(t->v);
    pthread_mutex_destroy(&t->lock);
}

/* A view more, with the lock held. */
static struct tool_view *
add(struct tool_views *t, const size_t *of, const size_t *against, size_t n,
    enum asc_scale scale, struct asc_error *e)
{
    struct tool_view *v = calloc(1, sizeof *v), **all;

    all = realloc(t->v, (t->n + 1) * sizeof *all);
    if (all)
        t->v = all;
    if (!v || !all) {
        free(v);
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        return NULL;
    }
    v->scale = scale;
    v->of = n == 1 ? *of : SIZE_MAX;
    v->against = n == 1 ? *against : SIZE_MAX;
    v->model = t->model;
    if (n)
        v->model = v->contrast = asc_model_contrast(t->model, scale, of,
                                                    against, n, e);
    if (!v->model || (t->prepare && t->prepare(t->context, v, e))) {
        drop(t, v);
        return NULL;
    }
    return t->v[t->n++] = v;
}

struct tool_view *
tool_view_whole(struct tool_views *t, struct asc_error *e)
{
    struct tool_view *v = NULL;
    size_t i;

    pthread_mutex_lock(&t->lock);
    for (i = 0; i < t->n && !v; i++)
        if (!t->v[i]->contrast)
            v = t->v[i];
    if (!v)
        v = add(t, NULL, NULL, 0, ASC_RAW, e);
    pthread_mutex_unlock(&t->lock);
    return v;
}

struct tool_view *
tool_view_pair(struct tool_views *t, size_t of, size_t against,
               enum asc_scale scale, struct asc_error *e)
{
    struct tool_view *v = NULL;
    size_t i;

    pthread_mutex_lock(&t->lock);
    for (i = 0; i < t->n && !v; i++)
        if (t->v[i]->contrast && t->v[i]->of == of
            && t->v[i]->against == against && t->v[i]->scale == scale)
            v = t->v[i];
    if (!v)
        v = add(t, &of, &against, 1, scale, e);
    pthread_mutex_unlock(&t->lock);
    return v;
}

struct tool_view *
tool_view_pairs(struct tool_views *t, const size_t *of, const size_t *against,
                size_t n, enum asc_scale scale, struct asc_error *e)
{
    struct tool_view *v;

    pthread_mutex_lock(&t->lock);
    v = add(t, of, against, n, scale, e);
    pthread_mutex_unlock(&t->lock);
    return v;
}

struct tool_view *
tool_view_named(struct tool_views *t, struct asc_text name,
                enum asc_scale scale, const char *where, size_t *output,
                struct asc_error *e)
{
    const size_t n = asc_model_n_outputs(t->model);
    const int shown = name.n < 60 ? (int)name.n : 60;
    size_t of, against, found;

    found = asc_model_find_output(t->model, name, output, &against);
    if (found == 1 && against == SIZE_MAX)
        return tool_view_whole(t, e);
    if (found == 1) {
        of = *output;
        *output = 0;
        return tool_view_pair(t, of, against, scale, e);
    }
    if (found > 1)
        asc_fail(e, ASC_EINPUT, "%s: output \"%.*s\" may be a contrast of "
                 "several pairs of outputs", where, shown, name.p);
    else
        asc_fail(e, ASC_EINPUT, "%s: output \"%.*s\" is none of the model's "
                 "(%s%s%s)", where, shown, name.p,
                 asc_model_output(t->model, 0), n > 1 ? ", " : "",
                 n > 2 ? "..." : n > 1 ? asc_model_output(t->model, 1) : "");
    return NULL;
}

int
tool_views_sort(struct tool_view *const *view, size_t n, size_t *order)
{
    size_t i, k, m = 0;
    int moved = 0;

    for (i = 0; i < n; i++) {
        for (k = 0; k < i && view[k] != view[i]; k++)
            ;
        if (k < i)
            continue;           /* the view has been put in its place */
        for (k = i; k < n; k++)
            if (view[k] == view[i])
                order[m++] = k;
    }
    for (i = 0; i < n; i++)
        moved |= order[i] != i;
    return moved;
}
