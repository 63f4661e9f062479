/* model/pmml/read.c -- PMML 3.0 to 4.4 into a model.
 *
 * Supported are RegressionModel, NeuralNetwork, TreeModel and MiningModel over
 * derived fields that are functions of one field.  Whatever else the file asks
 * for is an error that names the element and its line; nothing that changes a
 * number is passed over.  Cost: about 15 ns a byte, and 3 to 5 times the file in
 * memory while it is read.
 */
#include <stdlib.h>
#include <string.h>

#include "model/pmml/pmml.h"

static const struct {
    enum pmml_name name;
    int (*read)(struct pmml *p, uint32_t element,
                const struct pmml_context *c, struct pmml_fragment *f);
} models[] = {
    { PMML_RegressionModel, asci_pmml_regression },
    { PMML_NeuralNetwork, asci_pmml_neural },
    { PMML_TreeModel, asci_pmml_tree },
    { PMML_MiningModel, asci_pmml_mining }
};
enum { N_MODELS = sizeof models / sizeof *models };

static const char model_list[] =
    "RegressionModel, NeuralNetwork, TreeModel, MiningModel";

int
asci_pmml_is_model(const struct pmml *p, uint32_t element)
{
    size_t i;

    for (i = 0; i < N_MODELS; i++)
        if (p->doc.element[element].name == (uint32_t)models[i].name)
            return 1;
    return 0;
}

int
asci_pmml_is_common(const struct pmml *p, uint32_t element)
{
    switch (p->doc.element[element].name) {
    case PMML_MiningSchema:
    case PMML_Output:
    case PMML_Targets:
    case PMML_LocalTransformations:
        return 1;
    default:
        return 0;
    }
}

int
asci_pmml_classifies(const struct pmml *p, uint32_t element, int *yes)
{
    static const char *const choices[] = {
        "regression", "classification", NULL
    };
    const char *text;
    int status = asci_pmml_required(p, element, PMML_functionName, &text);

    return status ? status : asci_pmml_choice(p, element, PMML_functionName,
                                              choices, 0, yes);
}

int
asci_pmml_model(struct pmml *p, uint32_t element,
                const struct pmml_context *c, struct pmml_fragment **out)
{
    const uint32_t local = asci_pmml_child(p, element,
                                           PMML_LocalTransformations);
    const char *scorable = asci_pmml_attribute(p, element, PMML_isScorable);
    struct pmml_context own = *c;
    size_t i;
    int status;

    if (scorable && (!strcmp(scorable, "false") || !strcmp(scorable, "0")))
        return asci_pmml_fail(p, element, "%s: the model says that it is not "
                              "scorable", asci_pmml_name(p, element));
    if (c->depth >= PMML_MAX_NESTED)
        return asci_pmml_fail(p, element, "models nest more than %d deep",
                              PMML_MAX_NESTED);
    if (!(own.scope = asci_pmml_scope(p, c->scope)) ||
        !(*out = asci_pmml_fragment(p)))
        return ASC_ESYSTEM;
    if (c->depth > 0 &&
        (status = asci_pmml_inner_schema(p, own.scope, element)))
        return status;
    if (local && (status = asci_pmml_declare_derived(p, own.scope, local)))
        return status;
    if (c->depth == 0 &&
        (status = asci_pmml_schema(p, p->global, own.scope, element)))
        return status;
    for (i = 0; i < N_MODELS; i++)
        if (p->doc.element[element].name == (uint32_t)models[i].name) {
            if ((status = models[i].read(p, element, &own, *out)))
                return status;
            return asci_pmml_targets(p, element, *out);
        }
    return asci_pmml_unsupported(p, element, "PMML", model_list);
}

/* The first model of the file is its model. */
static int
find_parts(struct pmml *p, uint32_t root, uint32_t *dictionary,
           uint32_t *transformations)
{
    const char *version = asci_pmml_attribute(p, root, PMML_version);
    uint32_t t;

    *dictionary = *transformations = 0;
    if (version && (version[0] < '3' || version[0] > '4' ||
                    version[1] != '.'))
        return asci_pmml_fail(p, root, "PMML version \"%s\" is not supported "
                              "(supported: 3.0 to 4.4)", version);
    for (t = p->doc.element[root].child; t; t = p->doc.element[t].next)
        switch (p->doc.element[t].name) {
        case PMML_DataDictionary:
            *dictionary = t;
            break;
        case PMML_TransformationDictionary:
            *transformations = t;
            break;
        default:
            if (!p->model)
                p->model = t;
        }
    if (!*dictionary)
        return asci_pmml_fail(p, root, "PMML: there is no DataDictionary");
    if (!p->model)
        return asci_pmml_fail(p, root, "PMML: there is no model");
    if (!asci_pmml_is_model(p, p->model))
        return asci_pmml_unsupported(p, p->model, "PMML", model_list);
    return ASC_OK;
}

static int
read_document(struct pmml *p, struct pmml_fragment **out)
{
    struct pmml_context c = { 0 };
    uint32_t dictionary, transformations;
    int status;

    if (p->doc.n_elements < 2 || p->doc.element[1].name != PMML_PMML)
        return p->doc.n_elements < 2
               ? asc_fail(p->e, ASC_EINPUT, "%s: there is no element",
                          p->path)
               : asci_pmml_fail(p, 1, "the document is %s, not PMML",
                                asci_pmml_name(p, 1));
    if ((status = find_parts(p, 1, &dictionary, &transformations)) ||
        (status = asci_pmml_dictionary(p, dictionary)))
        return status;
    if (!(p->global = asci_pmml_scope(p, NULL)) ||
        !(c.scope = asci_pmml_scope(p, p->global)))
        return ASC_ESYSTEM;
    if (transformations &&
        (status = asci_pmml_declare_derived(p, c.scope, transformations)))
        return status;
    p->budget = 4 * p->doc.n_elements + ((size_t)1 << 20);
    return asci_pmml_model(p, p->model, &c, out);
}

static int
name_model(struct pmml *p, asc_model *m)
{
    const char *target = asci_pmml_target(p, p->model);
    const char *text = asci_pmml_attribute(p, p->model, PMML_algorithmName);
    const char *version = asci_pmml_attribute(p, 1, PMML_version);
    int status;

    status = version ? asci_model_set_format(m, p->e, "PMML %s", version)
                     : asci_model_set_format(m, p->e, "PMML");
    if (status)
        return status;
    if (!text)
        text = asci_pmml_attribute(p, p->model, PMML_modelName);
    if (target && !(m->target = asci_copy_text(target, strlen(target), p->e)))
        return ASC_ESYSTEM;
    if (text && !(m->description = asci_copy_text(text, strlen(text), p->e)))
        return ASC_ESYSTEM;
    return ASC_OK;
}

asc_model *
asci_pmml_read(const char *path, const char *bytes, size_t n,
               struct asc_error *e)
{
    struct asc_error own = { ASC_OK, "" };
    struct pmml p = { .path = path, .e = e ? e : &own,
                      .cells = (size_t)1 << 28 };
    struct pmml_fragment *f = NULL;
    asc_model *m = NULL;

    if (asci_pmml_parse(&p, bytes, n) == ASC_OK &&
        read_document(&p, &f) == ASC_OK)
        m = asci_pmml_model_of(&p, f);
    if (m && name_model(&p, m) != ASC_OK) {
        asc_model_free(m);
        m = NULL;
    }
    asci_pmml_free(&p);
    return m;
}
