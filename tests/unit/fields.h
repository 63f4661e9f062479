/* tests/unit/fields.h -- schemas for tests. */
#ifndef ASCRIBE_TESTS_FIELDS_H
#define ASCRIBE_TESTS_FIELDS_H

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/table.h>

/* A schema with room for n fields, none there yet. */
static inline struct asc_schema
schema_new(size_t n)
{
    struct asc_schema s = { 0, calloc(n, sizeof *s.field) };

    if (!s.field)
        abort();
    return s;
}

static inline struct asc_field *
schema_number(struct asc_schema *s, const char *name)
{
    struct asc_field *f = &s->field[s->n++];

    f->name = strdup(name);
    f->kind = ASC_CONTINUOUS;
    f->low = -INFINITY;
    f->high = INFINITY;
    f->replacement = NAN;
    return f;
}

static inline void
texts_of(const char *list, char ***v, size_t *n)
{
    char *copy = strdup(list), *rest = copy, *piece;

    *n = 0;
    *v = calloc(strlen(list) + 1, sizeof **v);
    while ((piece = strsep(&rest, ",")) != NULL)
        (*v)[(*n)++] = strdup(piece);
    free(copy);
}

/* categories: comma-separated, NULL for none. */
static inline struct asc_field *
schema_category(struct asc_schema *s, const char *name, const char *categories)
{
    struct asc_field *f = schema_number(s, name);

    f->kind = ASC_CATEGORICAL;
    if (categories)
        texts_of(categories, &f->categories, &f->n_categories);
    return f;
}

#endif
