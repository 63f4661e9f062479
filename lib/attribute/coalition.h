/* attribute/coalition.h -- fields that belong together, as a text. */
#ifndef ASCRIBE_ATTRIBUTE_COALITION_H
#define ASCRIBE_ATTRIBUTE_COALITION_H

#include <stddef.h>

#include <ascribe/table.h>

/* coalition (s->n) of every field, by "NAME=FIELD,FIELD;NAME=FIELD"; fields
 * that none names are alone.  Numbers have no meaning but to be equal. */
int asci_coalitions(const struct asc_schema *s, const char *text,
                    size_t *coalition, struct asc_error *e);

#endif
