/* base/version.c -- the version of the library. */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include <ascribe/base.h>

const char *
asc_version(void)
{
    return PACKAGE_VERSION;
}
