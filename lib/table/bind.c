/*
 * bind -- rows of a table as values of a model's fields.
 *
 * Columns are found by name once; LightGBM writes underscores for the blanks of
 * a name, so these may stand for them.  A row costs one number to parse or one
 * hash look-up for each field.
 */
#include <stdlib.h>
#include <string.h>

#include "table/internal.h"

/* 1 if the column's name is this, but for blanks where it has underscores. */
static int
same_but_blanks(const char *column, const char *name)
{
    for (; *column && *name; column++, name++)
        if (*column != *name && !(*column == ' ' && *name == '_'))
            return 0;
    return *column == *name;
}

/* The column of a field. */
static int
find_column(const asc_reader *r, const struct asc_field *f, size_t *column,
            struct asc_error *e)
{
    const size_t n = asc_reader_n_columns(r);
    size_t j, found = n;

    if (!f->underscores || asc_reader_find(r, f->name) >= 0 ||
        !strchr(f->name, '_'))
        return asc_reader_require(r, f->name, column, e);
    for (j = 0; j < n; j++) {
        if (!same_but_blanks(asc_reader_column(r, j), f->name))
            continue;
        if (found < n)
            return asc_fail(e, ASC_EINPUT, "%s: columns \"%s\" and \"%s\" "
                            "could both be field \"%s\"", asc_reader_name(r),
                            asc_reader_column(r, found),
                            asc_reader_column(r, j), f->name);
        found = j;
    }
    *column = found;
    return found < n ? ASC_OK : asc_reader_require(r, f->name, column, e);
}

int
asc_bind(struct asc_binding *b, struct asc_schema *schema, const asc_reader *r,
         struct asc_error *e)
{
    size_t j;
    int status;

    b->schema = schema;
    b->lookup = NULL;
    b->column = asci_alloc(schema->n, sizeof *b->column, e);
    if (!b->column)
        return ASC_ESYSTEM;
    b->lookup = asci_alloc_zero(schema->n, sizeof *b->lookup, e);
    if (!b->lookup) {
        status = ASC_ESYSTEM;
        goto bad;
    }
    for (j = 0; j < schema->n; j++) {
        struct asc_field *f = &schema->field[j];
        struct asci_lookup *look = &b->lookup[j];

        if ((status = find_column(r, f, &b->column[j], e)))
            goto bad;
        if ((int)b->column[j] == asc_reader_id_column(r)) {
            status = asc_fail(e, ASC_EINPUT, "%s: column \"%s\" holds the row "
                              "ids and cannot be a field of the model as "
                              "well", asc_reader_name(r), f->name);
            goto bad;
        }
        look->dictionary.type = f->text_type;
        if (f->open && (status = asci_field_reserve(f, e)))
            goto bad;
        if (f->kind == ASC_CATEGORICAL
            && (status = asci_dictionary_extend(&look->dictionary,
                                                f->categories,
                                                f->n_categories, e)))
            goto bad;
    }
    return ASC_OK;
bad:
    asc_binding_free(b);
    return status;
}

void
asc_binding_free(struct asc_binding *b)
{
    size_t j;

    for (j = 0; b->lookup && j < b->schema->n; j++)
        asci_dictionary_free(&b->lookup[j].dictionary);
    free(b->lookup);
    free(b->column);
    b->lookup = NULL;
    b->column = NULL;
}

int
asc_bind_row(const struct asc_binding *b, const asc_reader *r, double *x,
             struct asc_error *e)
{
    const struct asci_missing *missing = asci_reader_missing_list(r);
    size_t j;

    for (j = 0; j < b->schema->n; j++) {
        const struct asc_text t = asc_reader_text(r, b->column[j]);
        struct asc_field *f = &b->schema->field[j];
        const enum asci_problem problem =
            asci_field_convert(f, &b->lookup[j], missing, t, &x[j]);

        if (problem != ASCI_FINE) {
            struct asc_buffer where = { NULL, 0, 0, 0 };
            int status;

            asc_buffer_print(&where, "%s:%zu", asc_reader_name(r),
                             asc_reader_line(r));
            asc_buffer_char(&where, '\0');
            status = asci_field_complain(f, problem, t,
                                         where.failed ? "?" : where.p, e);
            asc_buffer_free(&where);
            return status;
        }
    }
    return ASC_OK;
}
