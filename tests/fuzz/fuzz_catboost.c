/* Any bytes as a CatBoost model in JSON, refused or a model that answers. */
#include "model/booster/booster.h"
#include "tests/fuzz/model.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct asc_error e = { ASC_OK, "" };

    asci_catboost_looks((const char *)bytes, n);
    check_model(asci_catboost_read("f", (const char *)bytes, n, &e), &e);
    return 0;
}
