/* model/booster/catboost_fields.c -- features_info of a CatBoost model: the
 * fields, their categories, and the tests of the trees on them.
 *
 * CatBoost keeps categories as hashes.  Their texts are in the file if it was
 * saved with the training pool (cat_features_hash).  A field's categories are
 * those that some split asks for: all others are alike to the model.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/catboost.h"

/* ---- reading ---- */

void
asci_catboost_feature_free(struct catboost_feature *f)
{
    asci_texts_free(&f->name);
    asci_texts_free(&f->id);
    asci_texts_free(&f->text);
    free(f->value.v);
}

static int
read_nan(struct asci_json *j, void *to, struct asc_error *e)
{
    enum catboost_nan *nan = to;
    int status = asci_json_want_text(j, e);

    if (status)
        return status;
    if (asci_json_is(j, "AsIs"))
        *nan = CATBOOST_AS_IS;
    else if (asci_json_is(j, "AsFalse"))
        *nan = CATBOOST_AS_FALSE;
    else if (asci_json_is(j, "AsTrue"))
        *nan = CATBOOST_AS_TRUE;
    else
        return asci_json_fail(j, e, "\"%.*s\" is not known, want AsIs, "
                              "AsFalse or AsTrue",
                              (int)(j->text.n < 60 ? j->text.n : 60),
                              j->text.p);
    return ASC_OK;
}

static int
add_hash(struct catboost *c, double hash, const char *text,
         struct asc_error *e)
{
    void *v = c->hash;
    int status;

    if (!(hash >= INT32_MIN && hash <= UINT32_MAX) || hash != floor(hash))
        return asci_json_fail(&c->j, e, "%.17g is not a hash of 32 bits",
                              hash);
    status = asci_json_room(&v, &c->hash_capacity, c->n_hashes, 1,
                            sizeof *c->hash, e);
    c->hash = v;
    if (status)
        return status;
    c->hash[c->n_hashes].hash = (int32_t)(uint32_t)(int64_t)hash;
    c->hash[c->n_hashes].text = asci_copy_text(text, strlen(text), e);
    if (!c->hash[c->n_hashes].text)
        return ASC_ESYSTEM;
    c->n_hashes++;
    return ASC_OK;
}

static int
read_feature(struct catboost *c, struct catboost_feature *f,
             struct asc_error *e)
{
#define TO(member) offsetof(struct catboost_feature, member)
    static const struct asci_member members[] = {
        { "feature_id", asci_read_text, TO(id) },
        { "feature_index", asci_read_whole, TO(index) },
        { "feature_name", asci_read_text, TO(name) },
        { "flat_feature_index", asci_read_whole, TO(flat) },
        { "has_nans", asci_read_flag, TO(has_nans) },
        { "nan_value_treatment", read_nan, TO(nan) },
        { "string_values", asci_read_texts, TO(text) },
        { "values", asci_read_doubles, TO(value) }
    };
#undef TO
    int status = ASCI_READ_MEMBERS(&c->j, f, members, e);
    size_t i;

    if (status)
        return status;
    if (f->index.v < 0 || f->index.v > INT32_MAX || f->flat.v < 0 ||
        f->flat.v > INT32_MAX)
        return asci_json_fail(&c->j, e, "feature_index is %lld, "
                              "flat_feature_index %lld, want 0 or more",
                              (long long)f->index.v, (long long)f->flat.v);
    if (f->text.n > 0 && f->text.n != f->value.n)
        return asci_json_fail(&c->j, e, "string_values has %zu values, "
                              "values %zu", f->text.n, f->value.n);
    for (i = 0; i < f->text.n; i++)
        if ((status = add_hash(c, f->value.v[i], f->text.v[i], e)))
            return status;
    return ASC_OK;
}

static int
read_features(struct catboost *c, int categorical, struct asc_error *e)
{
    int more = asci_json_array(&c->j, e), status;
    int64_t n = 0;

    if (more <= 0)
        return more < 0 ? ASC_EINPUT : ASC_OK;
    for (; (more = asci_json_more(&c->j, e)) > 0; n++) {
        struct catboost_feature *f;
        void *v = c->feature;

        status = asci_json_room(&v, &c->feature_capacity, c->n_features, 1,
                                sizeof *f, e);
        c->feature = v;
        if (status)
            return status;
        f = &c->feature[c->n_features++];
        memset(f, 0, sizeof *f);
        f->categorical = categorical;
        f->index.v = n;
        if ((status = read_feature(c, f, e)))
            return status;
        if (!f->flat.given)
            f->flat.v = f->index.v;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

static int
read_floats(struct asci_json *j, void *to, struct asc_error *e)
{
    (void)j;
    return read_features(to, 0, e);
}

static int
read_categoricals(struct asci_json *j, void *to, struct asc_error *e)
{
    (void)j;
    return read_features(to, 1, e);
}

/* [{"hash": 1234, "value": "red"}, ...] */
static int
read_hashes(struct asci_json *j, void *to, struct asc_error *e)
{
    struct pair { struct asci_texts text; struct asci_whole hash; } p;
    static const struct asci_member members[] = {
        { "hash", asci_read_whole, offsetof(struct pair, hash) },
        { "value", asci_read_text, offsetof(struct pair, text) }
    };
    struct catboost *c = to;
    int more = asci_json_array(j, e), status;

    if (more <= 0)
        return more < 0 ? ASC_EINPUT : ASC_OK;
    while ((more = asci_json_more(j, e)) > 0) {
        memset(&p, 0, sizeof p);
        status = ASCI_READ_MEMBERS(j, &p, members, e);
        if (status == ASC_OK && (!p.hash.given || p.text.n == 0))
            status = asci_json_fail(j, e, "hash or value is missing");
        if (status == ASC_OK)
            status = add_hash(c, (double)p.hash.v, p.text.v[0], e);
        asci_texts_free(&p.text);
        if (status)
            return status;
    }
    return more < 0 ? ASC_EINPUT : ASC_OK;
}

int
asci_catboost_features(struct asci_json *j, void *to, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "cat_features_hash", read_hashes, 0 },
        { "categorical_features", read_categoricals, 0 },
        { "float_features", read_floats, 0 }
    };

    return ASCI_READ_MEMBERS(j, to, members, e);
}

/* ---- fields ---- */

/* By place among all features. */
static int
compare_flat(const void *a, const void *b)
{
    const struct catboost_feature *x = a, *y = b;

    return (x->flat.v > y->flat.v) - (x->flat.v < y->flat.v);
}

/* Where a feature of some kind is among the fields. */
struct place { int categorical; int64_t index; size_t field; };

static int
compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return x->categorical != y->categorical
           ? (x->categorical > y->categorical) -
             (x->categorical < y->categorical)
           : (x->index > y->index) - (x->index < y->index);
}

static int
make_names(struct catboost *c, struct asc_error *e)
{
    struct asc_schema *s = &c->m->schema;
    size_t j;

    qsort(c->feature, c->n_features, sizeof *c->feature, compare_flat);
    s->field = asci_alloc_zero(c->n_features, sizeof *s->field, e);
    if (!s->field)
        return ASC_ESYSTEM;
    s->n = c->n_features;
    for (j = 0; j < s->n; j++) {
        const struct catboost_feature *f = &c->feature[j];
        const struct asci_texts *name =
            f->name.n && f->name.v[0][0] ? &f->name : &f->id;
        struct asc_field *field = &s->field[j];
        char number[32];

        if (j > 0 && f->flat.v == f[-1].flat.v)
            return asci_catboost_fail(c, e, "features_info: two features "
                                      "have the flat_feature_index %lld",
                                      (long long)f->flat.v);
        /* What CatBoost itself calls a feature without a name. */
        snprintf(number, sizeof number, "%lld", (long long)f->flat.v);
        field->name = name->n && name->v[0][0]
                      ? asci_copy_text(name->v[0], strlen(name->v[0]), e)
                      : asci_copy_text(number, strlen(number), e);
        if (!field->name)
            return ASC_ESYSTEM;
        field->replacement = NAN;
        field->low = -INFINITY;
        field->high = INFINITY;
        field->kind = f->categorical ? ASC_CATEGORICAL : ASC_CONTINUOUS;
        field->text_type = ASC_TEXT;
        field->invalid = f->categorical ? ASC_INVALID_AS_IS
                                        : ASC_INVALID_ERROR;
    }
    return ASC_OK;
}

static int
make_places(struct catboost *c, struct place *place, struct asc_error *e)
{
    size_t j;

    for (j = 0; j < c->n_features; j++) {
        place[j].categorical = c->feature[j].categorical;
        place[j].index = c->feature[j].index.v;
        place[j].field = j;
    }
    qsort(place, c->n_features, sizeof *place, compare_places);
    for (j = 1; j < c->n_features; j++)
        if (compare_places(&place[j - 1], &place[j]) == 0)
            return asci_catboost_fail(c, e, "features_info.%s: two features "
                                      "have the feature_index %lld",
                                      place[j].categorical
                                      ? "categorical_features"
                                      : "float_features",
                                      (long long)place[j].index);
    return ASC_OK;
}

static int
find_field(const struct catboost *c, const struct place *place,
           int categorical, uint32_t index, uint32_t *field,
           struct asc_error *e)
{
    const struct place key = { categorical, index, 0 };
    const struct place *at = bsearch(&key, place, c->n_features,
                                     sizeof *place, compare_places);

    if (!at)
        return asci_catboost_fail(c, e, "features_info.%s: the feature with "
                                  "the index %u, which a split asks for, is "
                                  "not there", categorical
                                  ? "categorical_features" : "float_features",
                                  index);
    *field = (uint32_t)at->field;
    return ASC_OK;
}

/* ---- categories ---- */

static int
compare_hashes(const void *a, const void *b)
{
    const struct catboost_hash *x = a, *y = b;

    return (x->hash > y->hash) - (x->hash < y->hash);
}

static int
compare_asked(const void *a, const void *b)
{
    const struct catboost_asked *x = a, *y = b;

    return x->feature != y->feature
           ? (x->feature > y->feature) - (x->feature < y->feature)
           : (x->hash > y->hash) - (x->hash < y->hash);
}

struct named { const char *text; struct catboost_asked *asked; };

static int
compare_named(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->text,
                  ((const struct named *)b)->text);
}

/* The n categories of one field, in the order of their texts. */
static int
make_categories(struct catboost *c, struct catboost_asked *asked, size_t n,
                struct named *named, struct asc_error *e)
{
    struct asc_field *f = &c->m->schema.field[asked->feature];
    size_t i;

    for (i = 0; i < n; i++) {
        const struct catboost_hash key = { asked[i].hash, NULL };
        const struct catboost_hash *at =
            c->n_hashes ? bsearch(&key, c->hash, c->n_hashes, sizeof key,
                                  compare_hashes) : NULL;

        if (!at)
            return asci_catboost_fail(c, e, "features_info.cat_features_hash "
                "does not say which category of \"%.80s\" has the hash %u: "
                "save the model with its training data (save_model("
                "\"model.json\", format=\"json\", pool=train_pool))",
                f->name, (unsigned)asked[i].hash);
        named[i].text = at->text;
        named[i].asked = &asked[i];
    }
    qsort(named, n, sizeof *named, compare_named);
    f->categories = asci_alloc_zero(n, sizeof *f->categories, e);
    if (!f->categories)
        return ASC_ESYSTEM;
    f->n_categories = n;
    for (i = 0; i < n; i++) {
        named[i].asked->category = (uint32_t)i;
        f->categories[i] = asci_copy_text(named[i].text,
                                          strlen(named[i].text), e);
        if (!f->categories[i])
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

/* Sorts what is asked for by field and hash, each once. */
static int
sort_asked(struct catboost *c, const struct place *place,
           struct asc_error *e)
{
    struct catboost_asked *a = c->asked;
    size_t i, n = 0;
    int status;

    for (i = 0; i < c->n_asked; i++)
        if ((status = find_field(c, place, 1, a[i].feature, &a[i].feature,
                                 e)))
            return status;
    if (c->n_asked > 0)
        qsort(a, c->n_asked, sizeof *a, compare_asked);
    for (i = 0; i < c->n_asked; i++)
        if (n == 0 || compare_asked(&a[n - 1], &a[i]) != 0)
            a[n++] = a[i];
    c->n_asked = n;
    if (c->n_hashes > 0)
        qsort(c->hash, c->n_hashes, sizeof *c->hash, compare_hashes);
    for (i = 1; i < c->n_hashes; i++)
        if (c->hash[i - 1].hash == c->hash[i].hash &&
            strcmp(c->hash[i - 1].text, c->hash[i].text))
            return asci_catboost_fail(c, e, "features_info.cat_features_hash: "
                                      "the hash %u is there twice",
                                      (unsigned)c->hash[i].hash);
    return ASC_OK;
}

static int
make_dictionaries(struct catboost *c, const struct place *place,
                  struct asc_error *e)
{
    struct named *named;
    int status = sort_asked(c, place, e);
    size_t i, n;

    if (status)
        return status;
    named = asci_alloc(c->n_asked, sizeof *named, e);
    if (!named)
        return ASC_ESYSTEM;
    for (i = 0; i < c->n_asked && status == ASC_OK; i += n) {
        for (n = 1; i + n < c->n_asked &&
             c->asked[i + n].feature == c->asked[i].feature; n++)
            ;
        status = make_categories(c, c->asked + i, n, named, e);
    }
    free(named);
    return status;
}

/* ---- tests ---- */

/* Columns are fields, thresholds on categories their indexes.  Where missing
 * numbers go, the feature says: CatBoost takes them for infinite, if there
 * were any in training, else compares them, which is false. */
static int
bind_test(const struct catboost *c, const struct place *place,
          struct asci_node *p, struct asc_error *e)
{
    const int categorical = p->test == ASCI_EQUAL;
    const struct catboost_feature *f;
    int status = find_field(c, place, categorical, p->column, &p->column, e);

    if (status)
        return status;
    f = &c->feature[p->column];
    if (categorical) {
        const struct catboost_asked key = { p->column, (int32_t)p->threshold,
                                            0 };
        const struct catboost_asked *at =
            bsearch(&key, c->asked, c->n_asked, sizeof key, compare_asked);

        p->threshold = (double)at->category;
    } else if (f->nan == CATBOOST_AS_TRUE &&
               (!f->has_nans.given || f->has_nans.v) &&
               p->threshold < INFINITY) {
        p->missing = p->no;
    }
    return ASC_OK;
}

int
asci_catboost_fields(struct catboost *c, struct asc_error *e)
{
    struct place *place = asci_alloc(c->n_features, sizeof *place, e);
    struct asci_ensemble *f = &c->trees;
    int status;
    size_t i, j;

    if (!place)
        return ASC_ESYSTEM;
    if ((status = make_names(c, e)) == ASC_OK &&
        (status = make_places(c, place, e)) == ASC_OK)
        status = make_dictionaries(c, place, e);
    for (j = 0; j < f->n_trees && status == ASC_OK; j++)
        for (i = 0; i < f->tree[j].n_nodes && status == ASC_OK; i++)
            if (f->tree[j].node[i].test != ASCI_LEAF)
                status = bind_test(c, place, &f->tree[j].node[i], e);
    free(place);
    return status;
}
