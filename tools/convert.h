/* convert.h -- what asc-convert is made of: one file for tables as they stand,
 * and the formats that it knows. */
#ifndef ASCRIBE_TOOL_CONVERT_H
#define ASCRIBE_TOOL_CONVERT_H

#include "tools/tool.h"

/* What a format holds, which says who reads and writes it. */
enum convert_kind {
    CONVERT_CSV, CONVERT_TSV    /* any table */
};

struct convert_format {
    struct asc_entry entry;     /* name, title, source */
    enum convert_kind kind;
    const char *other;          /* the other end, if only this one is named */
};

/* A table at path (NULL: standard input), field by field as it stands. */
void convert_table(const struct tool_options *o, const char *path,
                   const struct convert_format *from,
                   const struct convert_format *to);

#endif
