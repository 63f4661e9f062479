/* tests/unit/boosters.h -- a model of the reference data with the rows that it
 * is compared on.  To be included behind attribution.h. */
#ifndef ASCRIBE_TESTS_BOOSTERS_H
#define ASCRIBE_TESTS_BOOSTERS_H

#include "attribution.h"

struct table { double *x; size_t n, d; };

static inline asc_model *
read_shared(const char *name, const char *input, struct table *t)
{
    struct asc_error e = { ASC_OK, "" };
    struct asc_binding b = { 0 };
    char path[4096];
    asc_reader *r;
    asc_model *m;
    int more;

    assert_true(shared_path(name, path, sizeof path));
    m = asc_model_read(path, NULL, &e);
    if (!m)
        fail_msg("%s", e.text);
    assert_true(shared_path(input, path, sizeof path));
    r = asc_reader_open(path, NULL, &e);
    if (!r || asc_bind(&b, asc_model_open_schema(m), r, &e))
        fail_msg("%s", e.text);
    memset(t, 0, sizeof *t);
    t->d = asc_model_schema(m)->n;
    for (;;) {
        t->x = realloc(t->x, (t->n + 1) * t->d * sizeof *t->x);
        more = asc_reader_next(r, &e);
        if (more != 1)
            break;
        if (asc_bind_row(&b, r, t->x + t->n++ * t->d, &e))
            fail_msg("%s", e.text);
    }
    assert_int_equal(more, 0);
    asc_binding_free(&b);
    asc_reader_close(r);
    return m;
}

#endif
