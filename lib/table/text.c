/* text -- texts of a table whose bytes need no second look. */
#include "table/internal.h"

int
asci_plain(struct asc_text t)
{
    unsigned char odd = 0;
    size_t i;

    /* c - 1 has its high bit set for 0 and for bytes over 128, c for 128 */
    for (i = 0; i < t.n; i++)
        odd |= (unsigned char)(t.p[i] - 1) | (unsigned char)t.p[i];
    return !(odd & 0x80);
}
