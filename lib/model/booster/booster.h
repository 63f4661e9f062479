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

/* LightGBM's text; refused: its dump as JSON. */
int asci_lightgbm_looks(const char *bytes, size_t n);
asc_model *asci_lightgbm_read(const char *path, const char *bytes, size_t n,
                              struct asc_error *e);
int asci_lightgbm_refused(const char *bytes, size_t n);
asc_model *asci_lightgbm_refuse(const char *path, const char *bytes, size_t n,
                                struct asc_error *e);

/* CatBoost's JSON, and its binary format, which is refused. */
int asci_catboost_looks(const char *bytes, size_t n);
asc_model *asci_catboost_read(const char *path, const char *bytes, size_t n,
                              struct asc_error *e);
int asci_catboost_refused(const char *bytes, size_t n);
asc_model *asci_catboost_refuse(const char *path, const char *bytes, size_t n,
                                struct asc_error *e);

/* ---- what the readers share ---- */

enum asci_notation { ASCI_NO_JSON, ASCI_JSON, ASCI_UBJSON };

/* Behind a byte order mark, if there is one. */
const char *asci_skip_mark(const char *p, size_t *n);
/* Whether it is an object, and in which notation. */
enum asci_notation asci_notation_of(const char *p, size_t n);

/* A column for each field of the model, numbers rounded to float, `missing`
 * for what is missing. */
int asci_identity_columns(asc_model *m, double missing, struct asc_error *e);
/* n_raw outputs without names; two: the classes of one raw output. */
int asci_new_outputs(asc_model *m, size_t n_raw, int two,
                     struct asc_error *e);
int asci_name_output(asc_model *m, size_t k, const char *name,
                     struct asc_error *e);

#endif
