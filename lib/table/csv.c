/*
 * csv -- records of CSV made lines of a table, and lines of CSV written.
 *
 * RFC 4180, with any one ASCII character for the comma and with LF, too, for
 * CRLF: a field is either plain, without a quote in it, or it stands in quotes,
 * and a quote within it is written twice.  Nothing else is taken: what other
 * readers make of the rest (a"b, "a"b) differs from one to the next.
 *
 * A record becomes a tab-separated line in the buffer where it lies, as that is
 * never the longer one, so that all that is known of lines holds for it.  Lines
 * without a quote are done in passes that a compiler can vectorise, others byte
 * by byte.
 */
#include <stdio.h>
#include <string.h>

#include "table/internal.h"

enum { START, PLAIN, QUOTED, CLOSED };

void
asci_csv_start(struct asci_csv *c, struct asc_text head, int is_header)
{
    c->state = START;
    c->from = c->to = c->column = 0;
    if (head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0)
        c->from = 3;
    /* so numpy.savetxt marks a header, which is none to anybody else */
    if (is_header && head.n >= c->from + 2 && head.p[c->from] == '#'
        && head.p[c->from + 1] == ' ')
        c->from += 2;
}

/* A line in which nothing but the delimiter means anything. */
static int
scan_plain(struct asci_csv *c, char *p, size_t n)
{
    const char d = c->delimiter;
    size_t i;

    if (memchr(p, '"', n) || memchr(p, '\r', n)
        || (d != '\t' && memchr(p, '\t', n)))
        return 0;
    if (d != '\t')
        for (i = 0; i < n; i++)
            p[i] = p[i] == d ? '\t' : p[i];
    c->from = c->to = n;
    return 1;
}

enum asci_csv_end
asci_csv_scan(struct asci_csv *c, char *p, size_t end)
{
    const char d = c->delimiter;
    const size_t n = end - (end > c->from && p[end - 1] == '\r');
    size_t i, k = c->to;
    enum asci_csv_end how = ASCI_CSV_DONE;

    if (c->from == 0 && scan_plain(c, p, n))
        return ASCI_CSV_DONE;
    for (i = c->from; i < n; i++) {
        const char b = p[i];

        if (c->state == QUOTED && b == '"') {
            if (i + 1 < n && p[i + 1] == '"')
                p[k++] = p[i++];
            else
                c->state = CLOSED;
        } else if (c->state != QUOTED && b == d) {
            p[k++] = '\t';
            c->column++;
            c->state = START;
        } else if (c->state == CLOSED) {
            how = ASCI_CSV_AFTER;
            break;
        } else if (b == '"' && c->state == START) {
            c->state = QUOTED;
        } else if (b == '"') {
            how = ASCI_CSV_INSIDE;
            break;
        } else if (b != '\t' && b != '\r') {
            p[k++] = b;
            if (c->state == START)
                c->state = PLAIN;
        } else if (c->replace) {
            p[k++] = c->replace;
            if (c->state == START)
                c->state = PLAIN;
        } else {
            how = b == '\t' ? ASCI_CSV_TAB : ASCI_CSV_RETURN;
            break;
        }
    }
    c->from = i;
    c->to = k;
    return how == ASCI_CSV_DONE && c->state == QUOTED ? ASCI_CSV_OPEN : how;
}

void
asci_csv_resume(struct asci_csv *c, char *p, size_t end)
{
    p[c->to++] = c->replace;
    c->from = end + 1;
}

int
asci_csv_complain(const struct asci_csv *c, enum asci_csv_end how,
                  const char *where, size_t begins, int last,
                  struct asc_text rest, struct asc_error *e)
{
    char quoted[ASCI_QUOTE_MAX], row[64] = "";
    const char *end;

    if (begins)
        snprintf(row, sizeof row, " (the row begins in line %zu)", begins);
    switch (how) {
    case ASCI_CSV_OPEN:
        if (last)
            return asc_fail(e, ASC_EINPUT, "%s: a quote is not closed before "
                            "the end of the file%s", where, row);
        return asc_fail(e, ASC_EINPUT, "%s: the line ends within quotes, and "
                        "a field of a table cannot: --replace ' ' puts a "
                        "space there, if it is not a quote too many", where);
    case ASCI_CSV_TAB:
        return asc_fail(e, ASC_EINPUT, "%s: there is a tab, which a field of "
                        "a table cannot hold: --replace ' ' puts a space "
                        "there%s%s", where, c->state == QUOTED ? "" :
                        ", --delimiter tab takes it for the end of a field",
                        row);
    case ASCI_CSV_RETURN:
        return asc_fail(e, ASC_EINPUT, "%s: there is a carriage return, which "
                        "a field of a table cannot hold: --replace ' ' puts a "
                        "space there%s", where, row);
    case ASCI_CSV_INSIDE:
        return asc_fail(e, ASC_EINPUT, "%s: there is a quote in a field that "
                        "does not begin with one: put the field in quotes, "
                        "and that quote twice%s", where, row);
    case ASCI_CSV_AFTER:
        end = memchr(rest.p, c->delimiter, rest.n);
        if (end)
            rest.n = (size_t)(end - rest.p);
        return asc_fail(e, ASC_EINPUT, "%s: \"%s\" behind the closing quote: "
                        "a quote within quotes is written twice%s", where,
                        asci_quote(rest, quoted), row);
    case ASCI_CSV_DONE:
        break;
    }
    return ASC_OK;
}

/* 1 if the field cannot stand as it is. */
static int
needs_quotes(struct asc_text t, char delimiter, int first, int only)
{
    size_t i;
    int odd = 0;

    /* an only field that is empty would be a blank line, which some skip */
    if (t.n == 0)
        return only;
    if (first && (t.p[0] == '#' || t.p[0] == '\xef'))
        return 1;               /* as a comment or a byte order mark begins */
    for (i = 0; i < t.n; i++)
        odd |= (t.p[i] == delimiter) | (t.p[i] == '"') | (t.p[i] == '\n')
            | (t.p[i] == '\r');
    return odd;
}

void
asc_csv_line(struct asc_buffer *out, const struct asc_text *field, size_t n,
             char delimiter)
{
    size_t i, j;

    for (j = 0; j < n; j++) {
        const struct asc_text t = field[j];

        if (j)
            asc_buffer_char(out, delimiter);
        if (!needs_quotes(t, delimiter, j == 0, n == 1)) {
            asc_buffer_add(out, t.p, t.n);
            continue;
        }
        asc_buffer_char(out, '"');
        for (i = 0; i < t.n; i++) {
            if (t.p[i] == '"')
                asc_buffer_char(out, '"');
            asc_buffer_char(out, t.p[i]);
        }
        asc_buffer_char(out, '"');
    }
    asc_buffer_char(out, '\n');
}
