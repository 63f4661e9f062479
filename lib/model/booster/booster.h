/* model/booster/booster.h -- readers of boosted models, by content. */
#ifndef ASCRIBE_MODEL_BOOSTER_BOOSTER_H
#define ASCRIBE_MODEL_BOOSTER_BOOSTER_H

#include <stddef.h>

#include <ascribe/model.h>

/* XGBoost's JSON and UBJSON. */
int asci_xgboost_looks(const char *bytes, size_t n);
asc_model *asci_xgboost_read(const char *path, const char *bytes, size_t n,
                             struct asc_error *e);
/* What XGBoost writes but cannot be read (or not be read rightly): the old
 * binary format, dumps.  Always fails, and says what would do. */
int asci_xgboost_refused(const char *bytes, size_t n);
asc_model *asci_xgboost_refuse(const char *path, const char *bytes, size_t n,
                               struct asc_error *e);

#endif
