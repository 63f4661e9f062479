/* base/nearest.c -- which name did the user mean?
 *
 * Edit distance with swaps of neighbours (optimal string alignment; Damerau
 * 1964, doi:10.1145/363958.363994), a difference of case counting a quarter
 * of an edit.  A third of the name may be wrong.  Where nothing is that near,
 * the first name that begins with what was given will do. */
#include <limits.h>
#include <string.h>

#include <ascribe/base.h>

enum {
    EDIT = 4,                   /* cost of an insertion, deletion, change */
    CASE = 1,                   /* cost of a wrong case */
    LONGEST = 255               /* bytes; longer names are not compared */
};

static unsigned char
lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

static int
change(unsigned char a, unsigned char b)
{
    return a == b ? 0 : lower(a) == lower(b) ? CASE : EDIT;
}

static int
least(int a, int b)
{
    return a < b ? a : b;
}

static int
distance(const unsigned char *a, size_t n, const unsigned char *b, size_t m)
{
    int rows[3][LONGEST + 1];
    int *before = rows[0], *last = rows[1], *now = rows[2], *t;
    size_t i, j;

    for (j = 0; j <= m; j++)
        last[j] = (int)j * EDIT;
    for (i = 1; i <= n; i++) {
        now[0] = (int)i * EDIT;
        for (j = 1; j <= m; j++) {
            now[j] = least(last[j - 1] + change(a[i - 1], b[j - 1]),
                           least(last[j], now[j - 1]) + EDIT);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + EDIT);
        }
        t = before;
        before = last;
        last = now;
        now = t;
    }
    return last[m];
}

const char *
asc_nearest(const char *name, const char *const *names, size_t n)
{
    const size_t length = strlen(name);
    const char *best = NULL;
    int at_most, d, best_d = INT_MAX;
    size_t i, m;

    if (length == 0 || length > LONGEST)
        return NULL;
    at_most = EDIT * (int)(length < 3 ? 1 : (length + 1) / 3);
    for (i = 0; i < n; i++) {
        m = strlen(names[i]);
        if (m > LONGEST || EDIT * (m > length ? m - length : length - m)
                           > (size_t)at_most)
            continue;
        d = distance((const unsigned char *)name, length,
                     (const unsigned char *)names[i], m);
        /* One letter for another is no likeness in names of one letter. */
        if (d < best_d && d <= at_most && (length > 1 || d < EDIT)) {
            best_d = d;
            best = names[i];
        }
    }
    for (i = 0; i < n && !best && length >= 2; i++)
        if (strncmp(name, names[i], length) == 0)
            best = names[i];
    return best;
}
