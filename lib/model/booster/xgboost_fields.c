/* model/booster/xgboost_fields.c -- the fields of an XGBoost model: names,
 * kinds, and what the trees ask of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/xgboost.h"

static int
is_type(const struct xgboost *r, size_t j, const char *type)
{
    return j < r->type.n && !strcmp(r->type.v[j], type);
}

static int
make_names(struct xgboost *r, struct asc_error *e)
{
    struct asc_schema *s = &r->m->schema;
    const int64_t n = r->n_feature.v;
    size_t j;

    if (r->name.n > 0 && r->n_feature.given && n != (int64_t)r->name.n)
        return asci_xgboost_fail(r, e, "learner.feature_names has %zu names, "
                                 "num_feature is %lld", r->name.n,
                                 (long long)n);
    if (r->name.n == 0 && (n < 1 || n > MAX_NAMELESS))
        return asci_xgboost_fail(r, e, XGBOOST_PARAM ".num_feature is %lld, "
                                 "want 1 to %d where features have no names",
                                 (long long)n, (int)MAX_NAMELESS);
    if (r->type.n > 0 && r->name.n > 0 && r->type.n != r->name.n)
        return asci_xgboost_fail(r, e, "learner.feature_types has %zu values, "
                                 "feature_names %zu", r->type.n, r->name.n);
    s->n = r->name.n ? r->name.n : (size_t)n;
    s->field = asci_alloc_zero(s->n, sizeof *s->field, e);
    if (!s->field) {
        s->n = 0;
        return ASC_ESYSTEM;
    }
    if (r->n_dictionaries > 0 && r->n_dictionaries != s->n)
        return asci_xgboost_fail(r, e, XGBOOST_MODEL ".cats.enc has %zu "
                                 "values, want one for each of %zu features",
                                 r->n_dictionaries, s->n);
    for (j = 0; j < s->n; j++) {
        struct asc_field *f = &s->field[j];
        char name[32];

        f->replacement = NAN;
        f->low = -INFINITY;
        f->high = INFINITY;
        if (j < r->name.n) {
            f->name = r->name.v[j];
            r->name.v[j] = NULL;
            continue;
        }
        snprintf(name, sizeof name, "f%zu", j);
        f->name = asci_copy_text(name, strlen(name), e);
        if (!f->name)
            return ASC_ESYSTEM;
    }
    return ASC_OK;
}

static int
count_uses(const struct xgboost *r, struct xgboost_use *use,
           struct asc_error *e)
{
    const struct asci_ensemble *f = &r->trees;
    const size_t d = r->m->schema.n;
    size_t i, j;

    for (j = 0; j < f->n_trees; j++)
        for (i = 0; i < f->tree[j].n_nodes; i++) {
            const struct asci_node *p = &f->tree[j].node[i];

            if (p->test == ASCI_LEAF)
                continue;
            if (p->column >= d)
                return asci_xgboost_fail(r, e, XGBOOST_MODEL ".trees[%zu]: "
                                         "split_indices: feature %u of %zu", j,
                                         p->column, d);
            if (p->test == ASCI_IN_SET) {
                use[p->column].categories++;
                use[p->column].codes += p->set_bits;
            } else {
                use[p->column].thresholds++;
            }
        }
    return ASC_OK;
}

static void
make_categorical(struct asc_field *f, struct xgboost_dictionary *d)
{
    f->kind = ASC_CATEGORICAL;
    f->text_type = d->numbers ? ASC_TEXT_NUMBER : ASC_TEXT;
    f->categories = d->text.v;
    f->n_categories = d->text.n;
    /* XGBoost refuses a text that its dictionary lacks; it sends a number that
     * no split lists to the left. */
    f->invalid = d->given ? ASC_INVALID_ERROR : ASC_INVALID_AS_IS;
    memset(&d->text, 0, sizeof d->text);
}

static int
make_indicator(struct asc_field *f, struct asc_error *e)
{
    struct asci_texts t = { 0 };
    int status;

    if ((status = asci_texts_add(&t, "false", 5, e)) ||
        (status = asci_texts_add(&t, "true", 4, e))) {
        asci_texts_free(&t);
        return status;
    }
    f->kind = ASC_CATEGORICAL;
    f->text_type = ASC_TEXT_BOOLEAN;
    f->categories = t.v;
    f->n_categories = t.n;
    return ASC_OK;
}

int
asci_xgboost_fields(struct xgboost *r, struct asc_error *e)
{
    struct asc_schema *s = &r->m->schema;
    struct xgboost_use *use;
    int status;
    size_t j;

    if ((status = make_names(r, e)))
        return status;
    if (r->n_dictionaries == 0) {
        free(r->dictionary);
        r->dictionary = asci_alloc_zero(s->n, sizeof *r->dictionary, e);
        if (!r->dictionary)
            return ASC_ESYSTEM;
        r->n_dictionaries = s->n;
    }
    use = asci_alloc_zero(s->n, sizeof *use, e);
    if (!use)
        return ASC_ESYSTEM;
    if ((status = count_uses(r, use, e)) == ASC_OK)
        status = asci_xgboost_codes(r, use, e);
    for (j = 0; j < s->n && status == ASC_OK; j++) {
        if (use[j].categories && use[j].thresholds)
            status = asci_xgboost_fail(r, e, "feature \"%.80s\" is split by "
                                       "category and by threshold",
                                       s->field[j].name);
        else if (r->dictionary[j].given || use[j].categories)
            make_categorical(&s->field[j], &r->dictionary[j]);
        else if (is_type(r, j, "i"))
            status = make_indicator(&s->field[j], e);
    }
    free(use);
    return status;
}
