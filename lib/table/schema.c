/*
 * schema -- fields, and how the text of a table becomes a value of a field.
 *
 * A number of a continuous field passes through: missing or not, range.  A
 * category is looked up first (what is declared is never missing), then it may
 * be missing, then a new one (open fields), then `invalid` decides.  What came
 * out as missing is replaced if the field has a replacement.
 *
 * Texts are compared by the field's type: as numbers (1 = 1.0 = 01), as whole
 * numbers to which others are cut (3 = 3.7), as truth values (true = TRUE = 1)
 * or, and if they are none of these, byte by byte.  A dictionary is a hash
 * table with open addressing: constant time.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table/internal.h"

/* ---- texts for messages ---- */

const char *
asci_quote(struct asc_text t, char out[ASCI_QUOTE_MAX])
{
    size_t n = t.n;

    if (n > ASCI_QUOTE_MAX - 4) {
        n = ASCI_QUOTE_MAX - 4;
        while (n > 0 && ((unsigned char)t.p[n] & 0xc0) == 0x80)
            n--;
        memcpy(out, t.p, n);
        memcpy(out + n, "...", 4);
    } else {
        if (n)
            memcpy(out, t.p, n);
        out[n] = '\0';
    }
    return out;
}

void
asci_list_free(char **v, size_t n)
{
    size_t i;

    for (i = 0; v && i < n; i++)
        free(v[i]);
    free(v);
}

int
asci_list_split(const char *list, char ***v, size_t *n, struct asc_error *e)
{
    size_t count = 1, i;
    const char *p;
    char **out;

    for (p = list; *p; p++)
        count += *p == ',';
    out = asci_alloc_zero(count, sizeof *out, e);
    if (!out)
        return ASC_ESYSTEM;
    for (i = 0, p = list; i < count; i++) {
        const size_t length = strcspn(p, ",");

        out[i] = asci_copy_text(p, length, e);
        if (!out[i]) {
            asci_list_free(out, count);
            return ASC_ESYSTEM;
        }
        p += length + 1;
    }
    *v = out;
    *n = count;
    return ASC_OK;
}

/* ---- comparison by type ---- */

/* 1 and *v if t stands for a number under this type. */
static int
as_number(enum asc_text_type type, struct asc_text t, double *v)
{
    if (type == ASC_TEXT)
        return 0;
    if (type == ASC_TEXT_BOOLEAN) {
        if (t.n == 4 && strncasecmp(t.p, "true", 4) == 0) {
            *v = 1.0;
            return 1;
        }
        if (t.n == 5 && strncasecmp(t.p, "false", 5) == 0) {
            *v = 0.0;
            return 1;
        }
        return asc_number_parse(t.p, t.n, v) && (*v == 0.0 || *v == 1.0);
    }
    if (!asc_number_parse(t.p, t.n, v))
        return 0;
    if (type == ASC_TEXT_WHOLE)
        *v = trunc(*v);
    return 1;
}

static struct asc_text
text_of(const char *s)
{
    struct asc_text t = { s, strlen(s) };

    return t;
}

static int
same_bytes(struct asc_text a, const char *b)
{
    return strlen(b) == a.n && (a.n == 0 || memcmp(a.p, b, a.n) == 0);
}

/* v: the number that a stands for, if is_number. */
static int
same_text(enum asc_text_type type, struct asc_text a, int is_number, double v,
          const char *b)
{
    double w;

    if (is_number)
        return as_number(type, text_of(b), &w) && v == w;
    return same_bytes(a, b);
}

static uint64_t
hash_text(struct asc_text t, int is_number, double v)
{
    if (!is_number)
        return asc_hash(t.p, t.n);
    if (v == 0.0)
        v = 0.0;                /* -0 equals 0 and must hash like it */
    return asc_hash(&v, sizeof v);
}

/* ---- dictionaries ---- */

static void
dictionary_put(struct asci_dictionary *d, const struct asci_entry *new_entry)
{
    size_t i = new_entry->hash & (d->size - 1);

    while (d->slot[i].index)
        i = (i + 1) & (d->size - 1);
    d->slot[i] = *new_entry;
}

static int
dictionary_grow(struct asci_dictionary *d, size_t n, struct asc_error *e)
{
    struct asci_dictionary larger = *d;
    size_t i;

    if (n > SIZE_MAX / 4)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    if (!larger.size)
        larger.size = 16;
    while (larger.size < 2 * n)
        larger.size *= 2;
    if (larger.size == d->size)
        return ASC_OK;
    larger.slot = asci_alloc_zero(larger.size, sizeof *larger.slot, e);
    if (!larger.slot)
        return ASC_ESYSTEM;
    for (i = 0; i < d->size; i++)
        if (d->slot[i].index)
            dictionary_put(&larger, &d->slot[i]);
    free(d->slot);
    *d = larger;
    return ASC_OK;
}

static ptrdiff_t
dictionary_find(const struct asci_dictionary *d, char *const *texts,
                struct asc_text t, int is_number, double v, uint64_t hash)
{
    size_t i;

    if (!d->size)
        return -1;
    for (i = hash & (d->size - 1); d->slot[i].index;
         i = (i + 1) & (d->size - 1)) {
        const struct asci_entry *s = &d->slot[i];
        const char *text = texts[s->index - 1];

        if (s->hash == hash
            && (is_number ? same_text(d->type, t, 1, v, text)
                : s->length == t.n && (t.n == 0
                                       || memcmp(text, t.p, t.n) == 0)))
            return (ptrdiff_t)(s->index - 1);
    }
    return -1;
}

ptrdiff_t
asci_dictionary_find(const struct asci_dictionary *d, char *const *texts,
                     struct asc_text t)
{
    double v = 0.0;
    const int is_number = as_number(d->type, t, &v);

    return dictionary_find(d, texts, t, is_number, v,
                           hash_text(t, is_number, v));
}

int
asci_dictionary_extend(struct asci_dictionary *d, char *const *texts, size_t n,
                       struct asc_error *e)
{
    int status;

    if (n <= d->n)
        return ASC_OK;
    if ((status = dictionary_grow(d, n, e)))
        return status;
    for (; d->n < n; d->n++) {
        const struct asc_text t = text_of(texts[d->n]);
        double v = 0.0;
        const int is_number = as_number(d->type, t, &v);
        const struct asci_entry new_entry = {
            hash_text(t, is_number, v), d->n + 1, t.n
        };

        /* of equal ones the first counts */
        if (dictionary_find(d, texts, t, is_number, v, new_entry.hash) < 0)
            dictionary_put(d, &new_entry);
    }
    return ASC_OK;
}

void
asci_dictionary_free(struct asci_dictionary *d)
{
    free(d->slot);
    d->slot = NULL;
    d->size = d->n = 0;
}

/* ---- missing texts ---- */

int
asci_missing_split(struct asci_missing *m, const char *list,
                   struct asc_error *e)
{
    size_t i;
    int status;

    m->n = 0;
    m->text = NULL;
    m->number = NULL;
    if (!list)
        return ASC_OK;
    if ((status = asci_list_split(list, &m->text, &m->n, e)))
        return status;
    m->number = asci_alloc(m->n, sizeof *m->number, e);
    if (!m->number) {
        asci_missing_free(m);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < m->n; i++)
        if (!asc_number_parse(m->text[i], strlen(m->text[i]), &m->number[i]))
            m->number[i] = NAN;
    return ASC_OK;
}

void
asci_missing_free(struct asci_missing *m)
{
    asci_list_free(m->text, m->n);
    free(m->number);
    m->text = NULL;
    m->number = NULL;
    m->n = 0;
}

int
asci_missing_text(const struct asci_missing *m, struct asc_text t)
{
    size_t i;

    if (t.n == 0 || (t.n == 1 && t.p[0] == '?')
        || (t.n == 2 && strncasecmp(t.p, "na", 2) == 0)
        || (t.n == 3 && strncasecmp(t.p, "nan", 3) == 0))
        return 1;
    for (i = 0; m && i < m->n; i++)
        if (same_bytes(t, m->text[i]))
            return 1;
    return 0;
}

int
asci_missing_number(const struct asci_missing *m, double v)
{
    size_t i;

    for (i = 0; m && i < m->n; i++)
        if (m->number[i] == v)
            return 1;
    return 0;
}

/* ---- schema ---- */

void
asc_schema_free(struct asc_schema *s)
{
    size_t i;

    for (i = 0; s->field && i < s->n; i++) {
        free(s->field[i].name);
        asci_list_free(s->field[i].categories, s->field[i].n_categories);
        asci_list_free(s->field[i].missing, s->field[i].n_missing);
    }
    free(s->field);
    s->field = NULL;
    s->n = 0;
}

int
asc_schema_find(const struct asc_schema *s, const char *name)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        if (strcmp(s->field[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* ---- texts into values ---- */

/* Whether the field itself declares t as missing.  number: t as a number, or
 * NaN. */
static int
own_missing(const struct asc_field *f, struct asc_text t, double number)
{
    size_t i;

    for (i = 0; i < f->n_missing; i++) {
        double w;

        if (same_bytes(t, f->missing[i]))
            return 1;
        if (!isnan(number)
            && asc_number_parse(f->missing[i], strlen(f->missing[i]), &w)
            && w == number)
            return 1;
    }
    return 0;
}

static ptrdiff_t
find_category(const struct asc_field *f, struct asci_lookup *look,
              struct asc_text t)
{
    double v = 0.0;
    size_t i;
    int is_number;

    if (look && !asci_dictionary_extend(&look->dictionary, f->categories,
                                        f->n_categories, NULL))
        return asci_dictionary_find(&look->dictionary, f->categories, t);
    is_number = as_number(f->text_type, t, &v);
    for (i = 0; i < f->n_categories; i++)
        if (same_text(f->text_type, t, is_number, v, f->categories[i]))
            return (ptrdiff_t)i;
    return -1;
}

/* All the categories that an open field may get.  The room for them is asked
 * for at once (the system gives it page by page, as it is used): threads that
 * print rows read the texts of earlier ones while the reading thread adds more,
 * so the array must not move. */
enum { OPEN_CATEGORIES = 1 << 20 };

int
asci_field_reserve(struct asc_field *f, struct asc_error *e)
{
    char **larger = asci_resize(f->categories, OPEN_CATEGORIES,
                                sizeof *larger, e);

    if (!larger)
        return ASC_ESYSTEM;
    f->categories = larger;
    return ASC_OK;
}

static enum asci_problem
add_category(struct asc_field *f, struct asci_lookup *look, struct asc_text t,
             double *v)
{
    char *copy;

    if (f->n_categories >= OPEN_CATEGORIES)
        return ASCI_UNDECLARED;
    if (!look && asci_field_reserve(f, NULL))
        return ASCI_NO_MEMORY;
    copy = asci_copy_text(t.p, t.n, NULL);
    if (!copy)
        return ASCI_NO_MEMORY;
    f->categories[f->n_categories] = copy;
    *v = (double)f->n_categories;
    __atomic_store_n(&f->n_categories, f->n_categories + 1, __ATOMIC_RELEASE);
    return ASCI_FINE;
}

static enum asci_problem
convert_number(const struct asc_field *f, const struct asci_missing *m,
               struct asc_text t, double *v)
{
    if (!asc_number_parse(t.p, t.n, v)) {
        if (!asci_missing_text(m, t) && !own_missing(f, t, NAN))
            return ASCI_NO_NUMBER;
        *v = NAN;
    } else if ((m && m->n && asci_missing_number(m, *v))
               || (f->n_missing && own_missing(f, t, *v))) {
        *v = NAN;
    } else if (!isfinite(*v)) {
        return ASCI_NOT_FINITE;
    } else if (*v < f->low || *v > f->high) {
        if (f->clamp)
            *v = *v < f->low ? f->low : f->high;
        else if (f->invalid == ASC_INVALID_ERROR)
            return ASCI_OUT_OF_RANGE;
        else if (f->invalid == ASC_INVALID_MISSING)
            *v = NAN;
    }
    return ASCI_FINE;
}

static enum asci_problem
convert_category(struct asc_field *f, struct asci_lookup *look,
                 const struct asci_missing *m, struct asc_text t, double *v)
{
    const ptrdiff_t found = find_category(f, look, t);
    double number = NAN;

    if (found >= 0) {
        *v = (double)found;
        return ASCI_FINE;
    }
    if (f->n_missing && !as_number(f->text_type, t, &number))
        number = NAN;
    if (asci_missing_text(m, t) || own_missing(f, t, number)) {
        *v = NAN;
    } else if (f->open) {
        return add_category(f, look, t, v);
    } else if (f->text_type == ASC_TEXT_WHOLE &&
               !asc_number_parse(t.p, t.n, &number)) {
        return ASCI_NO_NUMBER;
    } else if (f->invalid == ASC_INVALID_ERROR) {
        return ASCI_UNDECLARED;
    } else {
        *v = f->invalid == ASC_INVALID_MISSING ? NAN
                                               : (double)f->n_categories;
    }
    return ASCI_FINE;
}

enum asci_problem
asci_field_convert(struct asc_field *f, struct asci_lookup *look,
                   const struct asci_missing *m, struct asc_text t, double *v)
{
    const enum asci_problem problem = f->kind == ASC_CONTINUOUS
        ? convert_number(f, m, t, v) : convert_category(f, look, m, t, v);

    if (problem == ASCI_FINE && isnan(*v))
        *v = f->replacement;
    return problem;
}

int
asci_field_complain(const struct asc_field *f, enum asci_problem problem,
                    struct asc_text t, const char *where, struct asc_error *e)
{
    char quoted[ASCI_QUOTE_MAX], low[ASC_NUMBER_MAX], high[ASC_NUMBER_MAX];
    const char *nearest;

    asci_quote(t, quoted);
    switch (problem) {
    case ASCI_FINE:
        return ASC_OK;
    case ASCI_NO_NUMBER:
        return asc_fail(e, ASC_EINPUT, "%s: field \"%s\": \"%s\" is not a "
                        "number", where, f->name, quoted);
    case ASCI_NOT_FINITE:
        return asc_fail(e, ASC_EINPUT, "%s: field \"%s\": \"%s\" is not a "
                        "finite number", where, f->name, quoted);
    case ASCI_OUT_OF_RANGE:
        low[asc_number_format(f->low, low)] = '\0';
        high[asc_number_format(f->high, high)] = '\0';
        return asc_fail(e, ASC_EINPUT, "%s: field \"%s\": %s is outside the "
                        "range from %s to %s that the model declares", where,
                        f->name, quoted, low, high);
    case ASCI_UNDECLARED:
        nearest = asc_nearest(quoted, (const char *const *)f->categories,
                              f->n_categories);
        if (nearest)
            return asc_fail(e, ASC_EINPUT, "%s: field \"%s\": \"%s\" is not "
                            "among its %zu categories; did you mean \"%s\"?",
                            where, f->name, quoted, f->n_categories, nearest);
        return asc_fail(e, ASC_EINPUT, "%s: field \"%s\": \"%s\" is not among "
                        "its %zu categories%s%s%s", where, f->name, quoted,
                        f->n_categories, f->n_categories ? " (\"" : "",
                        f->n_categories ? f->categories[0] : "",
                        f->n_categories > 1 ? "\", ...)"
                        : f->n_categories ? "\")" : "");
    case ASCI_NO_MEMORY:
        break;
    }
    return asc_fail(e, ASC_ESYSTEM, "out of memory");
}

int
asc_field_value(struct asc_field *f, struct asc_text t, const char *where,
                double *v, struct asc_error *e)
{
    const enum asci_problem problem = asci_field_convert(f, NULL, NULL, t, v);

    return problem == ASCI_FINE ? ASC_OK
                                : asci_field_complain(f, problem, t, where, e);
}

void
asc_field_text(const struct asc_field *f, double v, int digits,
               struct asc_buffer *out)
{
    const char *p;
    size_t n;

    if (isnan(v))
        return;
    if (f->kind == ASC_CONTINUOUS) {
        asc_buffer_number(out, v, digits);
        return;
    }
    /* the reading thread may be adding to an open field */
    n = __atomic_load_n(&f->n_categories, __ATOMIC_ACQUIRE);
    p = v >= 0.0 && v < (double)n ? f->categories[(size_t)v] : "(undeclared)";
    /* a model may declare what a table cannot hold */
    for (; *p; p++)
        asc_buffer_char(out, *p == '\t' || *p == '\n' || *p == '\r' ? ' '
                                                                     : *p);
}
