/* base/error.c -- filling an error with its one line of text. */
#include <stdarg.h>
#include <string.h>

#include <ascribe/error.h>
#include "base/internal.h"

/* Cuts text[0..n-1], which fills its room, so that "..." fits and no UTF-8
 * sequence is left in halves. */
static void
cut(char *text, size_t n)
{
    size_t end = n - 3;

    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

int
asc_fail(struct asc_error *e, enum asc_status status, const char *format, ...)
{
    /* Not straight into *e: an argument may be e->text, to be put into a
     * longer sentence. */
    char text[sizeof e->text];
    va_list ap;
    int n;

    if (!e)
        return status;
    va_start(ap, format);
    n = asci_print(text, sizeof text, format, ap);
    va_end(ap);
    if (n < 0)
        memcpy(text, "?", 2);
    else if ((size_t)n >= sizeof text)
        cut(text, sizeof text - 1);
    asci_make_safe(text);
    memcpy(e->text, text, strlen(text) + 1);
    e->status = status;
    return status;
}
