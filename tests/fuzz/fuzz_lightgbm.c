/* Any bytes as a LightGBM model, refused or a model that answers. */
#include "model/booster/booster.h"
#include "tests/fuzz/model.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct asc_error e = { ASC_OK, "" };

    check_model(asci_lightgbm_read("f", (const char *)bytes, n, &e), &e);
    return 0;
}
