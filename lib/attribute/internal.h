/* attribute/internal.h -- the registry as its files see it. */
#ifndef ASCRIBE_ATTRIBUTE_INTERNAL_H
#define ASCRIBE_ATTRIBUTE_INTERNAL_H

#include <ascribe/method.h>

/* One definition a method file; methods.def lists them. */
#define ASC_ENTRY(name) extern const struct asc_method asci_method_##name;
#include "attribute/methods.def"
#undef ASC_ENTRY

#endif
