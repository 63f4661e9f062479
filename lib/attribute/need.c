/* attribute/need.c -- whether a background is to be found for a method or
 * metric, so that what it computes does not depend on which others run beside
 * it. */
#include <ascribe/method.h>

#include "model/form.h"

enum asc_background_use
asc_background_use(const struct asc_entry *entry, const asc_model *model)
{
    const struct asc_schema *s;
    size_t j;

    if (entry->traits & (ASC_NEEDS_BACKGROUND | ASC_NEEDS_BASELINE))
        return ASC_BACKGROUND_NEEDED;
    if (entry->traits & ASC_NEEDS_COVERS
        && asc_model_form(model) == ASC_FORM_ENSEMBLE
        && !asci_ensemble_has_covers(&model->u.ensemble))
        return ASC_BACKGROUND_NEEDED;
    if (entry->traits & ASC_NEEDS_CATEGORY) {
        s = asc_model_schema(model);
        for (j = 0; j < s->n; j++)
            if (s->field[j].kind == ASC_CATEGORICAL)
                return ASC_BACKGROUND_NEEDED;
        return ASC_BACKGROUND_OPTIONAL;
    }
    return entry->traits & ASC_TAKES_BASELINE ? ASC_BACKGROUND_OPTIONAL
                                              : ASC_BACKGROUND_UNUSED;
}
