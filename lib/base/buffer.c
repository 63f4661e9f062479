/* base/buffer.c -- a buffer that grows, and formatted text in the C locale. */
#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/internal.h"

int
asci_print(char *out, size_t size, const char *format, va_list ap)
{
    /* glibc and musl hand out one constant object for "C", without a lock or
     * an allocation; where this fails the host's locale has to do. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t host = c ? uselocale(c) : (locale_t)0;
    int n = vsnprintf(out, size, format, ap);

    if (c) {
        uselocale(host);
        freelocale(c);
    }
    return n;
}

/* Room for n more bytes. */
static int
reserve(struct asc_buffer *b, size_t n)
{
    size_t capacity = b->capacity;
    char *p;

    if (b->failed)
        return 0;
    if (n <= b->capacity - b->n)
        return 1;
    if (n > SIZE_MAX / 2 - b->n)
        goto bad;
    capacity += capacity / 2;
    if (capacity < b->n + n)
        capacity = b->n + n;
    if (capacity < 64)
        capacity = 64;
    p = realloc(b->p, capacity);
    if (!p)
        goto bad;
    b->p = p;
    b->capacity = capacity;
    return 1;
bad:
    b->failed = 1;
    return 0;
}

void
asc_buffer_free(struct asc_buffer *b)
{
    free(b->p);
    memset(b, 0, sizeof *b);
}

void
asc_buffer_add(struct asc_buffer *b, const char *p, size_t n)
{
    if (n > 0 && reserve(b, n)) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}

void
asc_buffer_text(struct asc_buffer *b, const char *text)
{
    asc_buffer_add(b, text, strlen(text));
}

void
asc_buffer_char(struct asc_buffer *b, char c)
{
    if (reserve(b, 1))
        b->p[b->n++] = c;
}

void
asc_buffer_number(struct asc_buffer *b, double v, int digits)
{
    if (reserve(b, ASC_NUMBER_MAX))
        b->n += digits == 0 ? asc_number_format(v, b->p + b->n)
                            : asc_number_format_digits(v, digits, b->p + b->n);
}

void
asc_buffer_print(struct asc_buffer *b, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = asci_print(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = 1;
        return;
    }
    /* One more byte for the NUL, which is not kept. */
    if (!reserve(b, (size_t)n + 1))
        return;
    va_start(ap, format);
    asci_print(b->p + b->n, (size_t)n + 1, format, ap);
    va_end(ap);
    b->n += (size_t)n;
}
