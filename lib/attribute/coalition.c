/* attribute/coalition.c -- fields that belong together, as a text. */
#include <stdlib.h>
#include <string.h>

#include "attribute/coalition.h"
#include "base/internal.h"

static int
unknown_field(const struct asc_schema *s, const char *name,
              struct asc_error *e)
{
    const char **names = asci_alloc(s->n, sizeof *names, e), *near;
    size_t j;
    int status;

    if (!names)
        return ASC_ESYSTEM;
    for (j = 0; j < s->n; j++)
        names[j] = s->field[j].name;
    near = asc_nearest(name, names, s->n);
    status = asc_fail(e, ASC_EUSAGE, near
                      ? "coalition: the model has no field \"%s\"; did you "
                      "mean \"%s\"?"
                      : "coalition: the model has no field \"%s\"", name,
                      near);
    free(names);
    return status;
}

static size_t
find_field(const struct asc_schema *s, const char *name)
{
    size_t j;

    for (j = 0; j < s->n && strcmp(s->field[j].name, name); j++)
        ;
    return j;
}

/* Reads NAME=FIELD,FIELD in p, which it cuts up, as coalition number k. */
static int
read_one(const struct asc_schema *s, char *p, size_t k, size_t *coalition,
         struct asc_error *e)
{
    char *field = strchr(p, '='), *next;
    size_t j;

    if (!field || field == p || field[1] == '\0')
        return asc_fail(e, ASC_EUSAGE, "coalition \"%s\": want "
                        "NAME=FIELD,FIELD", p);
    *field++ = '\0';
    for (; field; field = next) {
        next = strchr(field, ',');
        if (next)
            *next++ = '\0';
        j = find_field(s, field);
        if (j == s->n)
            return unknown_field(s, field, e);
        if (coalition[j] >= s->n)
            return asc_fail(e, ASC_EUSAGE, "coalition \"%s\": field \"%s\" is "
                            "in a coalition already", p, field);
        coalition[j] = s->n + k;
    }
    return ASC_OK;
}

int
asci_coalitions(const struct asc_schema *s, const char *text,
                size_t *coalition, struct asc_error *e)
{
    char *copy = asci_copy_text(text, strlen(text), e), *p, *next;
    size_t j, k = 0;
    int status = ASC_OK;

    if (!copy)
        return ASC_ESYSTEM;
    for (j = 0; j < s->n; j++)
        coalition[j] = j;
    for (p = copy; p && status == ASC_OK; p = next) {
        next = strchr(p, ';');
        if (next)
            *next++ = '\0';
        status = read_one(s, p, k++, coalition, e);
    }
    free(copy);
    return status;
}
