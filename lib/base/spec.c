/* base/spec.c -- specifications: the one grammar for what to compute.
 *
 *     list  = spec { "," spec }
 *     spec  = NAME { ":" KEY "=" VALUE }
 *
 * In a value `%XX` stands for the byte XX (hexadecimal), which is how the
 * bytes `, : = %` and control bytes get into one. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/internal.h"

static size_t
span(const char *p, size_t n, char end)
{
    const char *q = n > 0 ? memchr(p, end, n) : NULL;

    return q ? (size_t)(q - p) : n;
}

static int
same(const char *p, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(p, name, n) == 0;
}

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* out (n + 1) gets the n bytes at p with their %XX resolved. */
static int
unescape(const char *p, size_t n, char *out, size_t *n_out)
{
    size_t i, k = 0;

    for (i = 0; i < n; i++) {
        char c = p[i];

        if (c == '%') {
            if (n - i < 3 || hex(p[i + 1]) < 0 || hex(p[i + 2]) < 0)
                return 0;
            c = (char)(hex(p[i + 1]) << 4 | hex(p[i + 2]));
            i += 2;
        }
        out[k++] = c;
    }
    out[k] = '\0';
    *n_out = k;
    return 1;
}

static void
escape(const char *p, size_t n, struct asc_buffer *out)
{
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c < 0x20 || c == 0x7F || strchr(",:=%", c))
            asc_buffer_print(out, "%%%02X", c);
        else
            asc_buffer_char(out, p[i]);
    }
}

/* Choice number k of "a|b|c"; NULL beyond the last. */
static const char *
choice(const char *choices, size_t k, size_t *n)
{
    for (;;) {
        *n = strcspn(choices, "|");
        if (k == 0)
            return choices;
        if (choices[*n] == '\0')
            return NULL;
        choices += *n + 1;
        k--;
    }
}

static const struct asc_param *
params_of(const struct asc_entry *entry)
{
    static const struct asc_param none[] = { ASC_PARAMS_END };

    return entry->params ? entry->params : none;
}

/* Which key carries the digest of the background; NULL: none does. */
static const char *
background_key(const struct asc_entry *entry)
{
    const unsigned baseline = ASC_NEEDS_BASELINE | ASC_NEEDS_CATEGORY |
                              ASC_TAKES_BASELINE;

    if (entry->traits & (ASC_NEEDS_BACKGROUND | ASC_NEEDS_COVERS))
        return "background";
    return entry->traits & baseline ? "baseline" : NULL;
}

/* The allowed range in words, "0 to 1" or "at least 1". */
static void
say_range(const struct asc_param *p, struct asc_buffer *out)
{
    const int low = p->min > -DBL_MAX, high = p->max < DBL_MAX;

    asc_buffer_text(out, p->type == ASC_PARAM_INTEGER ? "a whole number"
                                                      : "a number");
    if (low && high) {
        asc_buffer_text(out, " from ");
        asc_buffer_number(out, p->min, 0);
        asc_buffer_text(out, " to ");
        asc_buffer_number(out, p->max, 0);
    } else if (low || high) {
        asc_buffer_text(out, low ? " of at least " : " of at most ");
        asc_buffer_number(out, low ? p->min : p->max, 0);
    }
    asc_buffer_char(out, '\0');
}

struct parser {
    const char *what;           /* "method" */
    const struct asc_entry *entry;
    struct asc_error *e;
};

static int
bad_value(const struct parser *q, const struct asc_param *p, const char *value)
{
    struct asc_buffer range = { NULL, 0, 0, 0 };
    int status;

    say_range(p, &range);
    status = asc_fail(q->e, ASC_EUSAGE, "%s \"%s\": %s=%s: want %s", q->what,
                      q->entry->name, p->name, value,
                      range.failed ? "another value" : range.p);
    asc_buffer_free(&range);
    return status;
}

static int
bad_choice(const struct parser *q, const struct asc_param *p,
           const char *value)
{
    struct asc_buffer list = { NULL, 0, 0, 0 };
    size_t k, n;
    const char *c;
    int status;

    for (k = 0; (c = choice(p->choices, k, &n)) != NULL; k++) {
        if (k > 0)
            asc_buffer_text(&list, choice(p->choices, k + 1, &n) ? ", "
                                                                 : " or ");
        c = choice(p->choices, k, &n);
        asc_buffer_add(&list, c, n);
    }
    asc_buffer_char(&list, '\0');
    status = asc_fail(q->e, ASC_EUSAGE, "%s \"%s\": %s=%s: want %s", q->what,
                      q->entry->name, p->name, value,
                      list.failed ? "another value" : list.p);
    asc_buffer_free(&list);
    return status;
}

/* value (NUL-terminated, n bytes) as that of parameter p. */
static int
set_param(const struct parser *q, const struct asc_param *p,
          const char *value, size_t n, double *out)
{
    const char *c;
    size_t k, length;
    double v;

    if (p->type == ASC_PARAM_CHOICE) {
        for (k = 0; (c = choice(p->choices, k, &length)) != NULL; k++)
            if (length == n && memcmp(c, value, n) == 0) {
                *out = (double)k;
                return ASC_OK;
            }
        return bad_choice(q, p, value);
    }
    if (!asc_number_parse(value, n, &v) || v < p->min || v > p->max
        || (p->type == ASC_PARAM_INTEGER && v != floor(v)))
        return bad_value(q, p, value);
    *out = v == 0.0 ? 0.0 : v;
    return ASC_OK;
}

static int
set_text(struct asc_spec *s, size_t param, const char *value, size_t n,
         struct asc_error *e)
{
    char *text = NULL;

    if (n > 0) {
        text = asci_copy_text(value, n, e);
        if (!text)
            return ASC_ESYSTEM;
    }
    free(s->text[param]);
    s->text[param] = text;
    s->value[param] = n > 0;
    return ASC_OK;
}

int
asc_spec_set_text(struct asc_spec *s, const char *param, const char *text,
                  struct asc_error *e)
{
    const struct asc_param *params = params_of(s->entry);
    size_t i;

    for (i = 0; i < ASC_PARAMS_MAX && params[i].name; i++)
        if (params[i].type == ASC_PARAM_TEXT && !strcmp(params[i].name, param))
            return set_text(s, i, text, strlen(text), e);
    return asc_fail(e, ASC_EUSAGE, "\"%s\" has no text parameter \"%s\"",
                    s->entry->name, param);
}

/* A seed is any number of 64 bits. */
static int
set_seed(const struct parser *q, const char *value, size_t n, uint64_t *out)
{
    uint64_t seed = 0;
    size_t i;

    for (i = 0; i < n; i++)
        if (value[i] < '0' || value[i] > '9'
            || __builtin_mul_overflow(seed, (uint64_t)10, &seed)
            || __builtin_add_overflow(seed, (uint64_t)(value[i] - '0'), &seed))
            break;
    if (n == 0 || i < n)
        return asc_fail(q->e, ASC_EUSAGE, "%s \"%s\": seed=%s: want a whole "
                        "number from 0 to 18446744073709551615", q->what,
                        q->entry->name, value);
    *out = seed;
    return ASC_OK;
}

static int
set_background(const struct parser *q, const char *key, const char *value,
               size_t n, char out[9])
{
    size_t i;

    for (i = 0; i < n && hex(value[i]) >= 0; i++)
        ;
    if (n != 8 || i < n)
        return asc_fail(q->e, ASC_EUSAGE, "%s \"%s\": %s=%s: want the first 8 "
                        "hexadecimal digits of its digest", q->what,
                        q->entry->name, key, value);
    for (i = 0; i < 8; i++)
        out[i] = (char)(value[i] >= 'A' && value[i] <= 'F' ? value[i] + 32
                                                           : value[i]);
    out[8] = '\0';
    return ASC_OK;
}

static int
unknown_key(const struct parser *q, const char *key)
{
    const char *names[ASC_PARAMS_MAX + 2], *near;
    const struct asc_param *p;
    size_t n = 0;

    for (p = params_of(q->entry); p->name && n < ASC_PARAMS_MAX; p++)
        names[n++] = p->name;
    if (q->entry->traits & ASC_RANDOM)
        names[n++] = "seed";
    if (background_key(q->entry))
        names[n++] = background_key(q->entry);
    if (n == 0)
        return asc_fail(q->e, ASC_EUSAGE, "%s \"%s\" has no parameter \"%s\"; "
                        "it takes none", q->what, q->entry->name, key);
    near = asc_nearest(key, names, n);
    if (near)
        return asc_fail(q->e, ASC_EUSAGE, "%s \"%s\" has no parameter \"%s\"; "
                        "did you mean \"%s\"?", q->what, q->entry->name, key,
                        near);
    return asc_fail(q->e, ASC_EUSAGE, "%s \"%s\" has no parameter \"%s\"; "
                    "see --help=%s", q->what, q->entry->name, key,
                    q->entry->name);
}

enum { SEEN_SEED = ASC_PARAMS_MAX, SEEN_BACKGROUND };

/* One KEY=VALUE of n bytes.  seen: a bit for each key that came before. */
static int
parse_pair(const struct parser *q, const char *text, size_t n,
           struct asc_spec *s, unsigned long *seen)
{
    const size_t n_key = span(text, n, '=');
    const struct asc_param *params = params_of(q->entry);
    char *key = NULL, *value = NULL;
    unsigned slot;
    size_t i, n_value;
    int status = ASC_ESYSTEM;

    if (n_key == n)
        return asc_fail(q->e, ASC_EUSAGE, "%s \"%s\": \"%.*s\" is not "
                        "KEY=VALUE", q->what, q->entry->name,
                        (int)(n < 200 ? n : 200), text);
    key = asci_copy_text(text, n_key, q->e);
    value = key ? asci_alloc(n - n_key, 1, q->e) : NULL;
    if (!value)
        goto out;
    if (!unescape(text + n_key + 1, n - n_key - 1, value, &n_value)) {
        status = asc_fail(q->e, ASC_EUSAGE, "%s \"%s\": %.*s: a %% begins two "
                          "hexadecimal digits (%%25 is %% itself)", q->what,
                          q->entry->name, (int)(n < 200 ? n : 200), text);
        goto out;
    }
    for (i = 0; params[i].name && i < ASC_PARAMS_MAX; i++)
        if (same(key, n_key, params[i].name))
            break;
    if (params[i].name && i < ASC_PARAMS_MAX) {
        slot = (unsigned)i;
        status = params[i].type == ASC_PARAM_TEXT
                 ? set_text(s, i, value, n_value, q->e)
                 : set_param(q, &params[i], value, n_value, &s->value[i]);
    } else if (q->entry->traits & ASC_RANDOM && same(key, n_key, "seed")) {
        slot = SEEN_SEED;
        status = set_seed(q, value, n_value, &s->seed);
        s->has_seed = 1;
    } else if (background_key(q->entry)
               && same(key, n_key, background_key(q->entry))) {
        slot = SEEN_BACKGROUND;
        status = set_background(q, key, value, n_value, s->background);
    } else {
        status = unknown_key(q, key);
        goto out;
    }
    if (status == ASC_OK && *seen & 1UL << slot)
        status = asc_fail(q->e, ASC_EUSAGE, "%s \"%s\": %s is given twice",
                          q->what, q->entry->name, key);
    *seen |= 1UL << slot;
out:
    free(value);
    free(key);
    return status;
}

static int
find_entry(const char *name, const struct asc_entry *const *entries, size_t n,
           const char *what, const struct asc_entry **out,
           struct asc_error *e)
{
    const char **names, *near;
    size_t i;
    int status;

    for (i = 0; i < n; i++)
        if (strcmp(name, entries[i]->name) == 0) {
            *out = entries[i];
            return ASC_OK;
        }
    names = asci_alloc(n, sizeof *names, e);
    if (!names)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i++)
        names[i] = entries[i]->name;
    near = asc_nearest(name, names, n);
    if (near)
        status = asc_fail(e, ASC_EUSAGE, "unknown %s \"%s\"; did you mean "
                          "\"%s\"?", what, name, near);
    else
        status = asc_fail(e, ASC_EUSAGE, "unknown %s \"%s\"; see --list", what,
                          name);
    free(names);
    return status;
}

static int
parse_one(const char *text, size_t n, const struct asc_entry *const *entries,
          size_t n_entries, const char *what, struct asc_spec *s,
          struct asc_error *e)
{
    struct parser q = { what, NULL, e };
    size_t i, length = span(text, n, ':');
    unsigned long seen = 0;
    char *name;
    int status;

    if (length == 0)
        return asc_fail(e, ASC_EUSAGE, "empty %s name in a list; see --list",
                        what);
    name = asci_copy_text(text, length, e);
    if (!name)
        return ASC_ESYSTEM;
    status = find_entry(name, entries, n_entries, what, &q.entry, e);
    free(name);
    if (status != ASC_OK)
        return status;
    s->entry = q.entry;
    s->seed = 1;
    for (i = 0; i < ASC_PARAMS_MAX && params_of(q.entry)[i].name; i++)
        s->value[i] = params_of(q.entry)[i].value;
    while (length < n) {
        text += length + 1;
        n -= length + 1;
        length = span(text, n, ':');
        status = parse_pair(&q, text, length, s, &seen);
        if (status != ASC_OK)
            return status;
    }
    return ASC_OK;
}

static void
free_texts(struct asc_spec *v, size_t n)
{
    size_t i, k;

    for (i = 0; i < n; i++)
        for (k = 0; k < ASC_PARAMS_MAX; k++)
            free(v[i].text[k]);
}

int
asc_specs_parse(const char *text, const struct asc_entry *const *entries,
                size_t n, const char *what, struct asc_specs *out,
                struct asc_error *e)
{
    size_t n_specs = out->n, left = strlen(text), length;
    struct asc_spec *v;
    int status;

    for (;;) {
        v = asci_resize(out->v, n_specs + 1, sizeof *v, e);
        if (!v) {
            free_texts(out->v + out->n, n_specs - out->n);
            return ASC_ESYSTEM;
        }
        out->v = v;
        length = span(text, left, ',');
        memset(&v[n_specs], 0, sizeof *v);
        status = parse_one(text, length, entries, n, what, &v[n_specs], e);
        n_specs++;
        if (status != ASC_OK) {
            free_texts(v + out->n, n_specs - out->n);
            return status;
        }
        if (length == left)
            break;
        text += length + 1;
        left -= length + 1;
    }
    out->n = n_specs;
    return ASC_OK;
}

void
asc_specs_free(struct asc_specs *s)
{
    free_texts(s->v, s->n);
    free(s->v);
    s->v = NULL;
    s->n = 0;
}

void
asc_spec_text(const struct asc_spec *s, struct asc_buffer *out)
{
    const struct asc_param *params = params_of(s->entry);
    const char *c;
    size_t i, n;

    asc_buffer_text(out, s->entry->name);
    for (i = 0; i < ASC_PARAMS_MAX && params[i].name; i++) {
        if (params[i].type == ASC_PARAM_TEXT ? !s->text[i]
                                             : s->value[i] == params[i].value)
            continue;
        asc_buffer_char(out, ':');
        asc_buffer_text(out, params[i].name);
        asc_buffer_char(out, '=');
        if (params[i].type == ASC_PARAM_CHOICE) {
            c = choice(params[i].choices, (size_t)s->value[i], &n);
            if (c)
                escape(c, n, out);
        } else if (params[i].type == ASC_PARAM_TEXT) {
            escape(s->text[i], strlen(s->text[i]), out);
        } else {
            asc_buffer_number(out, s->value[i], 0);
        }
    }
    if (s->entry->traits & ASC_RANDOM && s->seed != 1)
        asc_buffer_print(out, ":seed=%llu", (unsigned long long)s->seed);
    if (s->background[0] && background_key(s->entry))
        asc_buffer_print(out, ":%s=%s", background_key(s->entry),
                         s->background);
}
