/* model/booster/lightgbm_fields.c -- features of a LightGBM model as fields.
 *
 * Trees compute on numbers; a categorical feature is a code 0, 1, 2, ...  What
 * the codes stand for is known where the model was trained on a pandas table:
 * pandas_categorical has a list of categories for each column of type
 * `category`, in the order of the columns and without their names.  As a rule
 * these are the categorical features, which feature_infos tells by a list of
 * codes in place of [min:max], parameters by their numbers, trees by splitting
 * on sets.  Columns of an ordered type are coded but split by thresholds, and
 * other columns may have been declared categorical, so the lists may be more
 * or fewer; then they are given to the features that they fit (no code beyond
 * the list), if that can be done in one way only.  Without a list the codes
 * themselves are the categories.
 *
 * (python-package/lightgbm/basic.py, _data_from_pandas; src/io/bin.cpp.)
 * Cost: linear in the file, and a sort of the codes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/json.h"
#include "model/booster/json_parts.h"
#include "model/booster/lightgbm.h"

#define NONE SIZE_MAX

/* Categories of a column, as pandas had them. */
struct list {
    struct asci_texts text;
    enum asc_text_type type;
};

struct features {
    struct lightgbm *r;
    size_t d;
    struct asc_text *info;      /* (d) of feature_infos */
    unsigned char *categorical; /* (d) */
    uint32_t *bits;             /* (d) codes of its sets are below that */
    size_t *owned;              /* (d) list of a feature, or NONE */
    struct list *list;
    size_t n_lists, room_lists;
    int32_t **code;             /* (d) codes of the categories, rising; NULL:
                                   0, 1, 2, ... */
    uint32_t *extra;            /* (d) column under which 0 is missing */
};

static struct asc_field *
field_of(const struct features *f, size_t j)
{
    return &f->r->m->schema.field[j];
}

/* ---- names, and what each feature is ---- */

static int
make_names(struct features *f, struct asc_error *e)
{
    struct asc_schema *s = &f->r->m->schema;
    struct lightgbm_text text = f->r->header[LIGHTGBM_NAMES];
    struct asc_text piece;
    size_t j;

    s->field = asci_alloc_zero(f->d, sizeof *s->field, e);
    if (!s->field)
        return ASC_ESYSTEM;
    s->n = f->d;
    for (j = 0; asci_lightgbm_piece(&text, &piece); j++) {
        struct asc_field *field = &s->field[j];

        field->replacement = NAN;
        field->low = -INFINITY;
        field->high = INFINITY;
        field->underscores = 1;
        field->name = asci_copy_text(piece.p, piece.n, e);
        if (!field->name)
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

static int
is_range(struct asc_text info)
{
    return info.n > 0 && info.p[0] == '[';
}

static int
is_none(struct asc_text info)
{
    return info.n == 4 && !memcmp(info.p, "none", 4);
}

/* The next code of a list c1:c2:... : 1, 0 at the end, -1 if it is none. */
static int
next_code(struct asc_text *info, int64_t *code)
{
    const char *colon;
    struct asc_text piece = *info;

    if (info->n == 0)
        return 0;
    colon = memchr(info->p, ':', info->n);
    if (colon)
        piece.n = (size_t)(colon - info->p);
    info->p += piece.n + (colon != NULL);
    info->n -= piece.n + (colon != NULL);
    return asci_lightgbm_whole(piece, INT32_MIN, INT32_MAX, code) ? 1 : -1;
}

static int
bad_info(const struct features *f, size_t j, struct asc_error *e)
{
    return asci_lightgbm_fail(f->r, f->r->header[LIGHTGBM_INFOS].line, e,
                              "feature_infos: \"%.*s\" of \"%.80s\": want "
                              "[MIN:MAX], none, or codes with colons",
                              asci_lightgbm_width(f->info[j].n), f->info[j].p,
                              field_of(f, j)->name);
}

/* What parameter categorical_feature says, numbers with commas, of features
 * without a trace in feature_infos: pandas has a list for them. */
static void
mark_categorical(struct features *f)
{
    const char *p = f->r->categorical.p, *end = p + f->r->categorical.n;

    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const struct asc_text t = { p, (size_t)((comma ? comma : end) - p) };
        int64_t j;

        if (asci_lightgbm_whole(t, 0, (int64_t)f->d - 1, &j) &&
            is_none(f->info[j]))
            f->categorical[j] = 1;
        p = comma ? comma + 1 : end;
    }
}

static int
find_kinds(struct features *f, struct asc_error *e)
{
    struct lightgbm_text text = f->r->header[LIGHTGBM_INFOS];
    size_t j;

    for (j = 0; j < f->d; j++) {
        struct asc_text left;
        int64_t code;
        int more;

        asci_lightgbm_piece(&text, &f->info[j]);
        left = f->info[j];
        f->categorical[j] = (f->r->use[j] & LIGHTGBM_BY_CATEGORY) != 0;
        if (is_range(left) || is_none(left))
            continue;
        while ((more = next_code(&left, &code)) > 0)
            ;
        if (more < 0)
            return bad_info(f, j, e);
        f->categorical[j] = 1;
    }
    if (f->r->categorical.p)
        mark_categorical(f);
    for (j = 0; j < f->d; j++)
        if (f->categorical[j] && f->r->use[j] & ~LIGHTGBM_BY_CATEGORY)
            return asci_lightgbm_fail(f->r, f->r->header[LIGHTGBM_NAMES].line,
                                      e, "feature \"%.80s\" is categorical, "
                                      "and a threshold or a linear leaf uses "
                                      "its code as a number",
                                      field_of(f, j)->name);
    return ASC_OK;
}

/* ---- pandas_categorical ---- */

static int
add_category(struct asci_json *j, enum asci_json_kind kind, struct list *to,
             unsigned *kinds, struct asc_error *e)
{
    char text[ASC_NUMBER_MAX];
    double v;
    int status;

    switch (kind) {
    case ASCI_JSON_TEXT:
        *kinds |= 1u << ASC_TEXT;
        return asci_texts_add(&to->text, j->text.p, j->text.n, e);
    case ASCI_JSON_TRUE:
    case ASCI_JSON_FALSE:
        *kinds |= 1u << ASC_TEXT_BOOLEAN;
        return kind == ASCI_JSON_TRUE
               ? asci_texts_add(&to->text, "true", 4, e)
               : asci_texts_add(&to->text, "false", 5, e);
    case ASCI_JSON_NUMBER:
        if ((status = asci_json_double(j, &v, e)))
            return status;
        if (!isfinite(v))
            break;
        /* from 2^53 on doubles are not all whole numbers: compared as texts */
        if (fabs(v) >= 0x1p53) {
            *kinds |= 1u << ASC_TEXT;
            return asci_texts_add(&to->text, (const char *)j->digits,
                                  j->n_digits, e);
        }
        *kinds |= 1u << ASC_TEXT_NUMBER;
        return asci_texts_add(&to->text, text, asc_number_format(v, text), e);
    default:
        break;
    }
    return asci_json_fail(j, e, "want a text, a number, true or false");
}

static int
read_list(struct features *f, struct asci_json *j, struct asc_error *e)
{
    int more, status = asci_json_enter(j, ASCI_JSON_ARRAY, e);
    enum asci_json_kind kind;
    unsigned kinds = 0;
    struct list *to;

    if (status)
        return status;
    if (f->n_lists == f->room_lists) {
        const size_t room = f->room_lists ? 2 * f->room_lists : 8;

        to = asci_resize(f->list, room, sizeof *to, e);
        if (!to)
            return ASC_ESYSTEM;
        f->list = to;
        f->room_lists = room;
    }
    to = &f->list[f->n_lists++];
    memset(to, 0, sizeof *to);
    while ((more = asci_json_more(j, e)) > 0)
        if ((status = asci_json_next(j, &kind, e)) ||
            (status = add_category(j, kind, to, &kinds, e)))
            return status;
    to->type = kinds == 1u << ASC_TEXT_NUMBER ? ASC_TEXT_NUMBER
               : kinds == 1u << ASC_TEXT_BOOLEAN ? ASC_TEXT_BOOLEAN
                                                 : ASC_TEXT;
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

static int
read_json(struct features *f, struct asci_json *j, struct asc_error *e)
{
    enum asci_json_kind kind;
    int more = 0, status = asci_json_next(j, &kind, e);

    if (status == ASC_OK && kind != ASCI_JSON_NULL) {
        if (kind != ASCI_JSON_ARRAY)
            return asci_json_fail(j, e, "want an array of arrays, or null");
        while (status == ASC_OK && (more = asci_json_more(j, e)) > 0)
            status = read_list(f, j, e);
        if (more < 0)
            return ASC_EINPUT;
    }
    return status ? status : asci_json_next(j, &kind, e);
}

static int
read_pandas(struct features *f, struct asc_error *e)
{
    const struct lightgbm_text *text = &f->r->pandas;
    struct asc_buffer file = { 0 };
    struct asci_json *j;
    int status = ASC_ESYSTEM;

    if (!text->line)
        return ASC_OK;
    asc_buffer_print(&file, "%s:%zu: pandas_categorical", f->r->m->name,
                     text->line);
    asc_buffer_char(&file, '\0');
    j = asci_alloc(1, sizeof *j, e);
    if (j && file.failed)
        asc_fail(e, ASC_ESYSTEM, "out of memory");
    else if (j) {
        asci_json_open(j, file.p, text->p, text->n, 0);
        status = read_json(f, j, e);
        asci_json_close(j);
    }
    free(j);
    asc_buffer_free(&file);
    return status;
}

/* ---- which list is whose ---- */

/* Whether all codes of feature j that the file shows are in a list of n. */
static int
fits(const struct features *f, size_t j, size_t n)
{
    struct asc_text left = f->info[j], low;
    const char *colon;
    int64_t code, first;

    if (f->bits[j] > n)
        return 0;
    if (is_none(left))
        return 1;
    if (!is_range(left)) {
        while (next_code(&left, &code) > 0)
            if (code >= (int64_t)n)
                return 0;
        return 1;
    }
    colon = memchr(left.p, ':', left.n);
    if (!colon || left.p[left.n - 1] != ']')
        return 0;
    low = (struct asc_text){ left.p + 1, (size_t)(colon - left.p) - 1 };
    left.n = (size_t)(left.p + left.n - 2 - colon);
    left.p = colon + 1;
    return asci_lightgbm_whole(low, 0, INT32_MAX, &first) &&
           asci_lightgbm_whole(left, first, (int64_t)n - 1, &code);
}

/* The categorical features in their order: 1 if they are as many and all
 * fit. */
static int
assign_categorical(struct features *f, size_t n_categorical)
{
    size_t j, k = 0;

    if (n_categorical != f->n_lists)
        return 0;
    for (j = 0; j < f->d; j++)
        if (f->categorical[j] && !fits(f, j, f->list[k++].text.n))
            return 0;
    for (j = 0, k = 0; j < f->d; j++)
        f->owned[j] = f->categorical[j] ? k++ : NONE;
    return 1;
}

/* Any features in their order: the first that fit and the last that fit are
 * the same where there is one way only.  1 if so. */
static int
assign_fitting(struct features *f)
{
    size_t j, k;

    for (j = 0, k = 0; j < f->d; j++)
        f->owned[j] = k < f->n_lists && fits(f, j, f->list[k].text.n)
                      ? k++ : NONE;
    if (k < f->n_lists)
        return 0;
    for (j = f->d; j-- > 0; )
        if (k > 0 && fits(f, j, f->list[k - 1].text.n) &&
            f->owned[j] != --k)
            return 0;
    return 1;
}

static int
assign_lists(struct features *f, struct asc_error *e)
{
    size_t j, n = 0;

    for (j = 0; j < f->d; j++) {
        n += f->categorical[j];
        f->owned[j] = NONE;
    }
    if (f->n_lists == 0 || assign_categorical(f, n) || assign_fitting(f))
        return ASC_OK;
    return asci_lightgbm_fail(f->r, f->r->pandas.line, e, "pandas_categorical "
                              "has %zu lists, %zu features are categorical, "
                              "and which list is whose cannot be told: "
                              "without this line the fields are the codes "
                              "themselves", f->n_lists, n);
}

/* ---- codes without a list ---- */

static int
compare_codes(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static size_t
sort_codes(int32_t *code, size_t n)
{
    size_t i, k = 0;

    qsort(code, n, sizeof *code, compare_codes);
    for (i = 0; i < n; i++)
        if (k == 0 || code[i] != code[k - 1])
            code[k++] = code[i];
    return k;
}

/* The categories of feature j: codes of feature_infos, and of its sets (bits
 * of `seen`); those below 0 are missing values. */
static int
name_codes(struct features *f, size_t j, const uint64_t *seen,
           struct asc_error *e)
{
    const size_t words = ((size_t)f->bits[j] + 63) / 64;
    struct asc_text left = f->info[j];
    struct asci_texts names = { 0 };
    size_t i, n = 1, k = 0;
    int64_t code;
    int status = ASC_OK;

    for (i = 0; i < left.n; i++)
        n += left.p[i] == ':';
    for (i = 0; i < words; i++)
        n += (size_t)__builtin_popcountll(seen[i]);
    f->code[j] = asci_alloc(n, sizeof *f->code[j], e);
    if (!f->code[j])
        return ASC_ESYSTEM;
    while (!is_none(f->info[j]) && next_code(&left, &code) > 0)
        if (code >= 0)
            f->code[j][k++] = (int32_t)code;
    for (i = 0; i < 64 * words; i++)
        if (seen[i / 64] >> i % 64 & 1)
            f->code[j][k++] = (int32_t)i;
    k = sort_codes(f->code[j], k);
    for (i = 0; i < k && status == ASC_OK; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", f->code[j][i]);
        status = asci_texts_add(&names, text, strlen(text), e);
    }
    field_of(f, j)->categories = names.v;
    field_of(f, j)->n_categories = names.n;
    return status;
}

/* The bits of all sets of each feature that has no list, or NULL. */
static int
gather_bits(struct features *f, uint64_t **seen, struct asc_error *e)
{
    const struct asci_ensemble *en = &f->r->trees;
    size_t i, j, k;

    for (j = 0; j < f->d; j++) {
        if (!f->categorical[j] || f->owned[j] != NONE)
            continue;
        seen[j] = asci_alloc_zero(((size_t)f->bits[j] + 63) / 64,
                                  sizeof **seen, e);
        if (!seen[j])
            return ASC_ESYSTEM;
    }
    for (k = 0; k < en->n_trees; k++)
        for (i = 0; i < en->tree[k].n_nodes; i++) {
            const struct asci_node *p = &en->tree[k].node[i];

            if (p->test != ASCI_IN_SET || !seen[p->column])
                continue;
            for (j = 0; j < ((size_t)p->set_bits + 63) / 64; j++)
                seen[p->column][j] |= en->sets[p->set + j];
        }
    return ASC_OK;
}

static int
gather_codes(struct features *f, struct asc_error *e)
{
    uint64_t **seen = asci_alloc_zero(f->d, sizeof *seen, e);
    int status = seen ? gather_bits(f, seen, e) : ASC_ESYSTEM;
    size_t j;

    for (j = 0; j < f->d && status == ASC_OK; j++)
        if (seen[j])
            status = name_codes(f, j, seen[j], e);
    for (j = 0; seen && j < f->d; j++)
        free(seen[j]);
    free(seen);
    return status;
}

/* The set of a node with a bit for each category in place of each code.  The
 * category of a code is never larger than the code. */
static void
name_set(const struct features *f, struct asci_node *p)
{
    const struct asc_field *field = field_of(f, p->column);
    const int32_t *codes = f->code[p->column], *at = codes;
    const size_t words = ((size_t)p->set_bits + 63) / 64;
    uint64_t *set = f->r->trees.sets ? f->r->trees.sets + p->set : NULL;
    size_t i, k;

    if (!codes) {
        if (p->set_bits > field->n_categories)
            p->set_bits = (uint32_t)field->n_categories;
        return;
    }
    p->set_bits = 0;
    for (i = 0; i < words; i++) {
        uint64_t left = set[i];

        set[i] = 0;
        for (; left; left &= left - 1) {
            const int32_t code = (int32_t)(64 * i) + __builtin_ctzll(left);

            while (*at < code)
                at++;
            k = (size_t)(at - codes);
            set[k / 64] |= UINT64_C(1) << k % 64;
            p->set_bits = (uint32_t)k + 1;
        }
    }
}

/* ---- columns ---- */

/* Column c of feature j as trees see it.  zero_missing: with 0 missing. */
static int
make_column(struct features *f, struct asci_column *c, size_t j,
            int zero_missing, struct asc_error *e)
{
    const struct asc_field *field = field_of(f, j);
    int status;
    size_t k;

    if (field->kind == ASC_CONTINUOUS || f->categorical[j]) {
        status = asci_column_identity(c, j, e);
        if (status == ASC_OK)
            c->factor->zero_missing = zero_missing;
        return status;
    }
    /* an ordered category: its code is a number */
    status = asci_column_indicator(c, &f->r->m->schema, j, 0, NAN, e);
    if (status)
        return status;
    for (k = 0; k < field->n_categories; k++)
        c->factor->value[k] = k == 0 && zero_missing ? NAN : (double)k;
    c->factor->value[k] = NAN;
    return ASC_OK;
}

static int
make_columns(struct features *f, struct asc_error *e)
{
    struct asci_encoder *en = &f->r->m->encoder;
    const int both = LIGHTGBM_BY_NUMBER | LIGHTGBM_BY_NON_ZERO;
    size_t j, n = f->d;
    int status = ASC_OK;

    for (j = 0; j < f->d; j++) {
        f->extra[j] = (uint32_t)j;
        if ((f->r->use[j] & both) == both)
            f->extra[j] = (uint32_t)n++;
    }
    en->column = asci_alloc_zero(n, sizeof *en->column, e);
    if (!en->column)
        return ASC_ESYSTEM;
    en->n = n;
    for (j = 0; j < f->d && status == ASC_OK; j++) {
        status = make_column(f, &en->column[j], j,
                             f->r->use[j] == LIGHTGBM_BY_NON_ZERO, e);
        if (status == ASC_OK && f->extra[j] != j)
            status = make_column(f, &en->column[f->extra[j]], j, 1, e);
    }
    return status;
}

/* ---- together ---- */

static void
measure_sets(struct features *f)
{
    const struct asci_ensemble *en = &f->r->trees;
    size_t i, k;

    for (k = 0; k < en->n_trees; k++)
        for (i = 0; i < en->tree[k].n_nodes; i++) {
            const struct asci_node *p = &en->tree[k].node[i];
            size_t words = ((size_t)p->set_bits + 63) / 64, bits;

            if (p->test != ASCI_IN_SET || words == 0)
                continue;
            /* the last word has a bit */
            bits = 64 * words -
                   (size_t)__builtin_clzll(en->sets[p->set + words - 1]);
            if (bits > f->bits[p->column])
                f->bits[p->column] = (uint32_t)bits;
        }
}

static void
set_categories(struct features *f)
{
    size_t j;

    for (j = 0; j < f->d; j++) {
        struct asc_field *field = field_of(f, j);
        struct list *list;

        if (f->owned[j] == NONE && !f->categorical[j])
            continue;
        field->kind = ASC_CATEGORICAL;
        field->text_type = ASC_TEXT_WHOLE;
        field->invalid = ASC_INVALID_AS_IS;
        if (f->owned[j] == NONE)
            continue;
        list = &f->list[f->owned[j]];
        field->text_type = list->type;
        field->categories = list->text.v;
        field->n_categories = list->text.n;
        field->invalid = ASC_INVALID_MISSING;   /* pandas: code -1, NaN */
        memset(&list->text, 0, sizeof list->text);
    }
}

static void
name_nodes(struct features *f)
{
    struct asci_ensemble *en = &f->r->trees;
    size_t i, k;

    for (k = 0; k < en->n_trees; k++)
        for (i = 0; i < en->tree[k].n_nodes; i++) {
            struct asci_node *p = &en->tree[k].node[i];

            if (p->test == ASCI_IN_SET)
                name_set(f, p);
            else if (p->test != ASCI_LEAF && p->column >= f->d)
                p->column = f->extra[p->column - f->d];
        }
}

static int
make_features(struct features *f, struct asc_error *e)
{
    int status;

    f->info = asci_alloc(f->d, sizeof *f->info, e);
    f->categorical = asci_alloc_zero(f->d, 1, e);
    f->bits = asci_alloc_zero(f->d, sizeof *f->bits, e);
    f->owned = asci_alloc(f->d, sizeof *f->owned, e);
    f->code = asci_alloc_zero(f->d, sizeof *f->code, e);
    f->extra = asci_alloc(f->d, sizeof *f->extra, e);
    if (!f->info || !f->categorical || !f->bits || !f->owned || !f->code ||
        !f->extra)
        return ASC_ESYSTEM;
    measure_sets(f);
    if ((status = make_names(f, e)) || (status = find_kinds(f, e)) ||
        (status = read_pandas(f, e)) || (status = assign_lists(f, e)))
        return status;
    set_categories(f);
    if ((status = gather_codes(f, e)) || (status = make_columns(f, e)))
        return status;
    name_nodes(f);
    return ASC_OK;
}

int
asci_lightgbm_fields(struct lightgbm *r, struct asc_error *e)
{
    struct features f = { .r = r, .d = r->n_features };
    const int status = make_features(&f, e);
    size_t j;

    for (j = 0; f.code && j < f.d; j++)
        free(f.code[j]);
    for (j = 0; j < f.n_lists; j++)
        asci_texts_free(&f.list[j].text);
    free(f.list);
    free(f.extra);
    free(f.code);
    free(f.owned);
    free(f.bits);
    free(f.categorical);
    free(f.info);
    return status;
}
