/* model/booster/xgboost_category.c -- categories of an XGBoost model: the
 * dictionaries of the file, codes without one, and splits as bit sets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/xgboost.h"

#define MAX_SET_WORDS ((size_t)1 << 27)

/* ---- dictionaries ---- */

/* Bytes values[offsets[i]] to values[offsets[i + 1]] are category i. */
static int
text_categories(struct xgboost *r, struct xgboost_dictionary *d,
                struct asc_error *e)
{
    struct asc_buffer b = { 0 };
    int status = ASC_OK;
    size_t i;
    int32_t k;

    for (i = 0; i + 1 < r->offsets.n && status == ASC_OK; i++) {
        const int32_t from = r->offsets.v[i], to = r->offsets.v[i + 1];

        if (from < 0 || to < from || (size_t)to > r->values.n) {
            status = asci_json_fail(&r->j, e, "category %zu goes from byte %d "
                                    "to %d of %zu", i, from, to, r->values.n);
            break;
        }
        b.n = 0;
        for (k = from; k < to && status == ASC_OK; k++) {
            const double v = r->values.v[k];

            if (!(v >= -128.0 && v <= 255.0) || v != floor(v) || v == 0.0)
                status = asci_json_fail(&r->j, e, "values[%d] is %.17g, not "
                                        "the code of a byte", k, v);
            else
                asc_buffer_char(&b, (char)(unsigned char)(int)v);
        }
        if (status == ASC_OK && b.failed)
            status = asc_fail(e, ASC_ESYSTEM, "out of memory");
        if (status == ASC_OK)
            status = asci_texts_add(&d->text, b.p ? b.p : "", b.n, e);
    }
    asc_buffer_free(&b);
    return status;
}

static int
number_categories(struct xgboost *r, struct xgboost_dictionary *d,
                  struct asc_error *e)
{
    char text[ASC_NUMBER_MAX];
    int status = ASC_OK;
    size_t i;

    d->numbers = 1;
    for (i = 0; i < r->values.n && status == ASC_OK; i++)
        status = asci_texts_add(&d->text, text,
                                asc_number_format(r->values.v[i], text), e);
    return status;
}

static int
read_dictionary(struct xgboost *r, struct xgboost_dictionary *d,
                struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "offsets", asci_read_integers, offsetof(struct xgboost, offsets) },
        { "values", asci_read_doubles, offsetof(struct xgboost, values) }
    };
    int status;

    r->offsets.n = 0;
    r->values.n = 0;
    if ((status = ASCI_READ_MEMBERS(&r->j, r, members, e)))
        return status;
    d->given = r->values.n > 0 || r->offsets.n > 1;
    return r->offsets.n > 0 ? text_categories(r, d, e)
                            : number_categories(r, d, e);
}

static int
read_dictionaries(struct asci_json *j, void *to, struct asc_error *e)
{
    struct xgboost *r = to;
    int more, status = asci_json_enter(j, ASCI_JSON_ARRAY, e);

    if (status)
        return status;
    while ((more = asci_json_more(j, e)) > 0) {
        void *v = r->dictionary;

        status = asci_json_room(&v, &r->dictionary_capacity,
                                r->n_dictionaries, 1, sizeof *r->dictionary,
                                e);
        r->dictionary = v;
        if (status)
            return status;
        memset(&r->dictionary[r->n_dictionaries], 0, sizeof *r->dictionary);
        r->n_dictionaries++;
        status = read_dictionary(r, &r->dictionary[r->n_dictionaries - 1], e);
        if (status)
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

int
asci_xgboost_categories(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "enc", read_dictionaries, 0 }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

/* ---- codes ---- */

static int
compare_codes(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* Codes without a dictionary: the numbers themselves are the categories, all
 * of them if they are small, else those that some split lists (the others go
 * left everywhere, as undeclared ones do). */
static int
name_codes(struct xgboost_dictionary *d, int32_t *code, size_t n,
           struct asc_error *e)
{
    size_t i, k = 0;
    int status = ASC_OK, all;

    qsort(code, n, sizeof *code, compare_codes);
    all = n > 0 && code[n - 1] < SMALL_CODE;
    d->numbers = 1;
    d->code = asci_alloc(all ? (size_t)code[n - 1] + 1 : n, sizeof *d->code,
                         e);
    if (!d->code)
        return ASC_ESYSTEM;
    if (all)
        for (; (int32_t)k <= code[n - 1]; k++)
            d->code[k] = (int32_t)k;
    else
        for (i = 0; i < n; i++)
            if (i == 0 || code[i] != code[i - 1])
                d->code[k++] = code[i];
    for (i = 0; i < k && status == ASC_OK; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", d->code[i]);
        status = asci_texts_add(&d->text, text, strlen(text), e);
    }
    return status;
}

/* Gathers the codes of all features without a dictionary that are split by
 * category. */
int
asci_xgboost_codes(struct xgboost *r, const struct xgboost_use *use,
                   struct asc_error *e)
{
    const struct asci_ensemble *f = &r->trees;
    const size_t d = r->m->schema.n;
    size_t *next = asci_alloc(d + 1, sizeof *next, e), i, j, total = 0;
    int32_t *code = NULL;
    int status = ASC_ESYSTEM;

    if (!next)
        return ASC_ESYSTEM;
    for (j = 0; j < d; j++) {
        next[j] = total;
        if (use[j].categories && !r->dictionary[j].given)
            total += use[j].codes;
    }
    code = asci_alloc(total, sizeof *code, e);
    if (!code)
        goto out;
    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            const struct asci_node *p = &f->tree[j].node[i];

            if (p->test != ASCI_IN_SET || p->set_bits == 0 ||
                r->dictionary[p->column].given)
                continue;
            memcpy(code + next[p->column], r->codes.v + p->set,
                   p->set_bits * sizeof *code);
            next[p->column] += p->set_bits;
        }
    status = ASC_OK;
    for (j = 0; j < d && status == ASC_OK; j++)
        if (use[j].categories && !r->dictionary[j].given)
            status = name_codes(&r->dictionary[j],
                                code + next[j] - use[j].codes, use[j].codes,
                                e);
out:
    free(code);
    free(next);
    return status;
}

/* ---- sets ---- */

/* Index of a code among the categories of its field, or -1. */
static ptrdiff_t
find_code(const struct xgboost_dictionary *d, size_t n, int32_t code)
{
    const int32_t *at;

    if (!d->code)
        return (size_t)code < n ? code : -1;
    at = bsearch(&code, d->code, n, sizeof code, compare_codes);
    return at ? at - d->code : -1;
}

static int
add_set(struct asci_ensemble *f, size_t words, size_t *capacity,
        struct asc_error *e)
{
    if (words == 0)
        return ASC_OK;
    if (f->n_set_words + words > *capacity) {
        size_t room = f->n_set_words + words + *capacity / 2;
        uint64_t *sets = asci_resize(f->sets, room, sizeof *sets, e);

        if (!sets)
            return ASC_ESYSTEM;
        f->sets = sets;
        *capacity = room;
    }
    memset(f->sets + f->n_set_words, 0, words * sizeof *f->sets);
    f->n_set_words += words;
    return ASC_OK;
}

/* The codes of a split as a set of categories. */
static int
make_set(struct xgboost *r, size_t tree, struct asci_node *p, size_t *capacity,
         struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    const size_t n = r->m->schema.field[p->column].n_categories;
    const int32_t *code = p->set_bits ? r->codes.v + p->set : NULL;
    size_t i, first = f->n_set_words, bits = 0;
    int status;

    for (i = 0; i < p->set_bits; i++) {
        const ptrdiff_t c = find_code(&r->dictionary[p->column], n, code[i]);

        if (c < 0)
            return asci_xgboost_fail(r, e, XGBOOST_MODEL ".trees[%zu]: "
                                     "categories: %d of the %zu categories of "
                                     "\"%.80s\"", tree, code[i], n,
                                     r->m->schema.field[p->column].name);
        if ((size_t)c >= bits)
            bits = (size_t)c + 1;
    }
    if (first + (bits + 63) / 64 > MAX_SET_WORDS)
        return asci_xgboost_fail(r, e, "the categorical splits need more than "
                                 "1 GiB");
    if ((status = add_set(f, (bits + 63) / 64, capacity, e)))
        return status;
    for (i = 0; i < p->set_bits; i++) {
        const size_t c = (size_t)find_code(&r->dictionary[p->column], n,
                                           code[i]);

        f->sets[first + c / 64] |= UINT64_C(1) << (c % 64);
    }
    p->set = (uint32_t)first;
    p->set_bits = (uint32_t)bits;
    return ASC_OK;
}

/* A threshold on codes: the set of those below it. */
static int
threshold_set(struct xgboost *r, struct asci_node *p, size_t *capacity,
              struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    const size_t n = r->m->schema.field[p->column].n_categories;
    const size_t first = f->n_set_words;
    size_t c;
    int status;

    if (first + (n + 63) / 64 > MAX_SET_WORDS)
        return asci_xgboost_fail(r, e, "the categorical splits need more than "
                                 "1 GiB");
    if ((status = add_set(f, (n + 63) / 64, capacity, e)))
        return status;
    for (c = 0; c < n; c++)
        if ((double)c < p->threshold)
            f->sets[first + c / 64] |= UINT64_C(1) << (c % 64);
    p->test = ASCI_IN_SET;
    p->threshold = 0.0;
    p->set = (uint32_t)first;
    p->set_bits = (uint32_t)n;
    return ASC_OK;
}

int
asci_xgboost_sets(struct xgboost *r, struct asc_error *e)
{
    struct asci_ensemble *f = &r->trees;
    size_t i, j, capacity = 0;
    int status = ASC_OK;

    for (j = 0; j < f->n_trees && status == ASC_OK; j++)
        for (i = 0; i < f->tree[j].n_nodes && status == ASC_OK; i++) {
            struct asci_node *p = &f->tree[j].node[i];

            if (p->test == ASCI_IN_SET)
                status = make_set(r, j, p, &capacity, e);
            else if (p->test == ASCI_LESS && r->m->schema.field[p->column]
                     .kind == ASC_CATEGORICAL)
                status = threshold_set(r, p, &capacity, e);
        }
    return status;
}
