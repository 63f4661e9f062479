/* model/booster/booster.c -- what the readers of boosted models have in
 * common: which notation a file is in, columns and outputs of the model. */
#include <math.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/form.h"

const char *
asci_skip_mark(const char *p, size_t *n)
{
    if (*n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
        p += 3;
        *n -= 3;
    }
    return p;
}

enum asci_notation
asci_notation_of(const char *p, size_t n)
{
    p = asci_skip_mark(p, &n);
    if (n > 1 && *p == '{' && p[1] && strchr("iUIlL$#", p[1]))
        return ASCI_UBJSON;
    while (n > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
        n--;
    }
    return n > 0 && *p == '{' ? ASCI_JSON : ASCI_NO_JSON;
}

int
asci_identity_columns(asc_model *m, double missing, struct asc_error *e)
{
    const size_t d = m->schema.n;
    size_t j;

    m->encoder.column = asci_alloc_zero(d, sizeof *m->encoder.column, e);
    if (!m->encoder.column)
        return ASC_ESYSTEM;
    m->encoder.n = d;
    for (j = 0; j < d; j++) {
        struct asci_column *c = &m->encoder.column[j];
        int status = asci_column_identity(c, j, e);

        if (status)
            return status;
        c->factor->missing = missing;
        if (m->schema.field[j].kind == ASC_CONTINUOUS)
            c->factor->single = ASCI_SINGLE_NUMBER;
    }
    return ASC_OK;
}

int
asci_new_outputs(asc_model *m, size_t n_raw, int two, struct asc_error *e)
{
    size_t k;

    m->n_raw = n_raw;
    m->n_outputs = two ? 2 : n_raw;
    m->output = asci_alloc_zero(m->n_outputs, sizeof *m->output, e);
    if (!m->output)
        return ASC_ESYSTEM;
    for (k = 0; k < m->n_outputs; k++) {
        m->output[k].raw = two ? 0 : k;
        m->output[k].sign = 1.0;
    }
    if (two) {
        m->output[0].sign = -1.0;
        m->output[0].complement = 1;
    }
    return ASC_OK;
}

int
asci_name_output(asc_model *m, size_t k, const char *name,
                 struct asc_error *e)
{
    m->output[k].name = asci_copy_text(name, strlen(name), e);
    return m->output[k].name ? ASC_OK : ASC_ESYSTEM;
}
