/* tests/unit/pmml.h -- small PMML documents as text, for the tests of the
 * reader. */
#ifndef ASCRIBE_TESTS_PMML_H
#define ASCRIBE_TESTS_PMML_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/form.h"

/* Fields x, z numbers, c one of red, green, blue; targets y a number, k one
 * of a, b, k3 one of p, q, r. */
#define FIELDS \
    "<DataField name='x' optype='continuous' dataType='double'/>" \
    "<DataField name='z' optype='continuous' dataType='double'/>" \
    "<DataField name='c' optype='categorical' dataType='string'>" \
    "<Value value='red'/><Value value='green'/><Value value='blue'/>" \
    "</DataField>" \
    "<DataField name='y' optype='continuous' dataType='double'/>" \
    "<DataField name='k' optype='categorical' dataType='string'>" \
    "<Value value='a'/><Value value='b'/></DataField>" \
    "<DataField name='k3' optype='categorical' dataType='string'>" \
    "<Value value='p'/><Value value='q'/><Value value='r'/></DataField>"
#define DOCUMENT_OF(fields, model) \
    "<PMML version='4.4'><DataDictionary>" fields "</DataDictionary>" model \
    "</PMML>"
#define DOCUMENT(model) DOCUMENT_OF(FIELDS, model)
#define SCHEMA(target) \
    "<MiningSchema><MiningField name='x'/><MiningField name='z'/>" \
    "<MiningField name='c'/><MiningField name='" target "' " \
    "usageType='target'/></MiningSchema>"

static inline asc_model *
read_text(const char *text)
{
    struct asc_error e = { ASC_OK, "" };
    asc_model *m = asci_pmml_read("m.pmml", text, strlen(text), &e);

    if (!m)
        fail_msg("%s", e.text);
    return m;
}

/* Output k of the row "value<TAB>value..." of the model's fields. */
static inline double
output(asc_model *m, enum asc_scale scale, const char *row, size_t k)
{
    struct asc_error e = { ASC_OK, "" };
    struct asc_schema *s = asc_model_open_schema(m);
    double x[64], y[64];
    size_t j;

    assert_true(s->n <= 64 && asc_model_n_outputs(m) <= 64);
    for (j = 0; j < s->n; j++) {
        const struct asc_text t = { row, strcspn(row, "\t") };

        if (t.n == 0)           /* a table's reader does this before */
            x[j] = s->field[j].replacement;
        else if (asc_field_value(&s->field[j], t, "row", &x[j], &e))
            fail_msg("%s", e.text);
        row += t.n + (row[t.n] == '\t');
    }
    if (asc_model_evaluate(m, scale, x, 1, y, &e))
        fail_msg("%s", e.text);
    return y[k];
}

static inline void
assert_close(double have, double want)
{
    if (isnan(want) ? !isnan(have)
                    : !(fabs(have - want) <= 1e-12 * fmax(1.0, fabs(want))))
        fail_msg("%.17g is not %.17g", have, want);
}

/* response of output k */
static inline void
assert_output(asc_model *m, const char *row, size_t k, double want)
{
    assert_close(output(m, ASC_RESPONSE, row, k), want);
}

static inline void
assert_text_output(const char *text, const char *row, double want)
{
    asc_model *m = read_text(text);

    assert_output(m, row, 0, want);
    asc_model_free(m);
}

#endif
