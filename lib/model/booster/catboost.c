/* model/booster/catboost.c -- CatBoost models in JSON, 0.13 to 1.2.
 *
 * What save_model(format="json") writes.  The format is written down in
 * CatBoost's own sources only (catboost/libs/model/model_export/
 * json_model_helpers.cpp; how a model is evaluated, in
 * catboost/libs/model/cpu/evaluator_impl.cpp and quantization.h):
 *
 *     raw_k = bias_k + scale * sum over trees of the leaf's value k
 *
 * in double, in the order of the trees.  Of a symmetric tree, which asks the
 * same at every node of a level, the answers are the bits of the leaf's
 * number, the first split's the lowest.  A number goes right (bit 1) if, as a
 * float, it is greater than the border; a category if its hash is the split's.
 *
 * Target statistics (splits of type OnlineCtr) depend on combinations of
 * fields in a way that no form here has; they are refused by name.
 *
 * The file is read as a stream of events, its members in any order.  Cost: one
 * pass; a symmetric tree of depth d becomes 2^(d+1) - 1 nodes, and its file
 * has 2^d values.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/booster/catboost.h"

int
asci_catboost_fail(const struct catboost *c, struct asc_error *e,
                   const char *format, ...)
{
    char message[400];
    va_list ap;

    va_start(ap, format);
    asci_print(message, sizeof message, format, ap);
    va_end(ap);
    return asc_fail(e, ASC_EINPUT, "%s: %s", c->m->name, message);
}

/* ---- the document ---- */

/* [scale, [bias, ...]], from before 1.0 [scale, bias]. */
static int
read_scale_and_bias(struct asci_json *j, void *to, struct asc_error *e)
{
    struct catboost *c = to;
    enum asci_json_kind kind;
    double bias;
    int more, status = asci_json_enter(j, ASCI_JSON_ARRAY, e);

    if (status || (status = asci_read_double(j, &c->scale, e)) ||
        (status = asci_json_next(j, &kind, e)))
        return status;
    if (kind == ASCI_JSON_NUMBER) {
        if ((status = asci_json_double(j, &bias, e)) ||
            (status = asci_doubles_add(&c->bias, bias, e)))
            return status;
    } else if (kind == ASCI_JSON_ARRAY) {
        while ((more = asci_json_more(j, e)) > 0)
            if ((status = asci_read_double(j, &bias, e)) ||
                (status = asci_doubles_add(&c->bias, bias, e)))
                return status;
        if (more < 0)
            return ASC_EINPUT;
    } else if (kind != ASCI_JSON_NULL) {
        return asci_json_wrong_kind(j, kind, "a number or an array", e);
    }
    more = asci_json_more(j, e);
    return more < 0 ? ASC_EINPUT
         : more > 0 ? asci_json_fail(j, e, "want two values") : ASC_OK;
}

static int
read_document(struct catboost *c, struct asc_error *e)
{
    static const struct asci_member members[] = {
        { "features_info", asci_catboost_features, 0 },
        { "model_info", asci_catboost_info, 0 },
        { "oblivious_trees", asci_catboost_symmetric, 0 },
        { "scale_and_bias", read_scale_and_bias, 0 },
        { "trees", asci_catboost_trees, 0 }
    };
    enum asci_json_kind kind;
    int status = ASCI_READ_MEMBERS(&c->j, c, members, e);

    return status ? status : asci_json_next(&c->j, &kind, e);
}

/* ---- the model ---- */

static int
make_base(struct catboost *c, size_t width, struct asc_error *e)
{
    struct asci_ensemble *f = &c->trees;
    size_t k;

    if (!isfinite(c->scale))
        return asci_catboost_fail(c, e, "scale_and_bias[0]: the scale is not "
                                  "a finite number");
    if (c->bias.n != 0 && c->bias.n != width)
        return asci_catboost_fail(c, e, "scale_and_bias[1] has %zu values, "
                                  "leaves have %zu", c->bias.n, width);
    f->base = asci_alloc_zero(width, sizeof *f->base, e);
    if (!f->base)
        return ASC_ESYSTEM;
    for (k = 0; k < c->bias.n; k++) {
        if (!isfinite(c->bias.v[k]))
            return asci_catboost_fail(c, e, "scale_and_bias[1][%zu] is not a "
                                      "finite number", k);
        f->base[k] = c->bias.v[k];
    }
    f->n_raw = width;
    f->scale = c->scale;
    return ASC_OK;
}

static int
make_model(struct catboost *c, struct asc_error *e)
{
    asc_model *m = c->m;
    const size_t width = c->width ? c->width : c->bias.n ? c->bias.n : 1;
    int status;

    if (!c->has_trees)
        return asci_catboost_fail(c, e, "oblivious_trees is not there, nor "
                                  "trees: not a whole CatBoost model");
    if (c->n_features == 0)
        return asci_catboost_fail(c, e, "features_info: there are no "
                                  "features");
    if ((status = asci_catboost_outputs(c, width, e)) ||
        (status = make_base(c, width, e)) ||
        (status = asci_catboost_fields(c, e)) ||
        (status = asci_identity_columns(m, NAN, e)))
        return status;
    c->trees.n_columns = m->encoder.n;
    m->form = ASC_FORM_ENSEMBLE;
    m->u.ensemble = c->trees;
    memset(&c->trees, 0, sizeof c->trees);
    return asci_model_finish(m, e);
}

/* What asc_model_format and asc_model_algorithm tell.  The version is in the
 * name of a tag, somewhere in what was known of the build. */
static int
name_model(struct catboost *c, struct asc_error *e)
{
    static const char tag[] = "tags/v";
    const char *kind = c->symmetric ? "symmetric trees" : "trees";
    const char *loss = c->params_loss.n ? c->params_loss.v[0]
                     : c->loss.n ? c->loss.v[0] : "no loss";
    const char *at = c->version.n ? strstr(c->version.v[0], tag) : NULL;
    struct asc_buffer text = { 0 };
    size_t n = 0;

    asc_buffer_print(&text, "%s, %s", kind, loss);
    c->m->description = text.failed ? NULL
                        : asci_copy_text(text.p, text.n, e);
    asc_buffer_free(&text);
    if (!c->m->description)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    if (at) {
        at += sizeof tag - 1;
        n = strspn(at, "0123456789.");
    }
    return n > 0 && n < 20
           ? asci_model_set_format(c->m, e, "CatBoost JSON %.*s", (int)n, at)
           : asci_model_set_format(c->m, e, "CatBoost JSON");
}

static void
free_classes(struct catboost_classes *k)
{
    asci_texts_free(&k->name);
    free(k->label.v);
}

static void
free_reader(struct catboost *c)
{
    size_t i;

    for (i = 0; i < c->n_features; i++)
        asci_catboost_feature_free(&c->feature[i]);
    for (i = 0; i < c->n_hashes; i++)
        free(c->hash[i].text);
    for (i = 0; i < c->trees.n_trees; i++)
        asci_tree_free(&c->trees.tree[i]);
    free(c->feature);
    free(c->hash);
    free(c->asked);
    free(c->trees.tree);
    free(c->trees.base);
    free(c->leaf.v);
    free(c->weight.v);
    free(c->split);
    free(c->node);
    free(c->bias.v);
    asci_texts_free(&c->loss);
    asci_texts_free(&c->params_loss);
    asci_texts_free(&c->version);
    free_classes(&c->classes);
    free_classes(&c->old_classes);
    free_classes(&c->option_classes);
    asci_json_close(&c->j);
    free(c);
}

/* ---- recognising ---- */

/* A key of the outermost object that only CatBoost writes; they come in
 * alphabetical order, the first within the first few. */
int
asci_catboost_looks(const char *p, size_t n)
{
    static const char *const mark[] = {
        "ctr_data", "features_info", "oblivious_trees", "scale_and_bias"
    };
    struct asci_json j;
    int found = 0;
    size_t i;

    if (asci_notation_of(p, n) != ASCI_JSON)
        return 0;
    p = asci_skip_mark(p, &n);
    asci_json_open(&j, "", p, n, 0);
    if (asci_json_enter(&j, ASCI_JSON_OBJECT, NULL) == ASC_OK)
        while (!found && asci_json_key(&j, NULL) > 0) {
            for (i = 0; i < sizeof mark / sizeof *mark; i++)
                found |= asci_json_is(&j, mark[i]);
            if (!found && asci_json_skip(&j, NULL))
                break;
        }
    asci_json_close(&j);
    return found;
}

int
asci_catboost_refused(const char *bytes, size_t n)
{
    return n >= 4 && !memcmp(bytes, "CBM1", 4);
}

asc_model *
asci_catboost_refuse(const char *path, const char *bytes, size_t n,
                     struct asc_error *e)
{
    (void)bytes;
    (void)n;
    asc_fail(e, ASC_EINPUT, "%s: a CatBoost model in its binary format: save "
             "it as JSON (save_model(\"model.json\", format=\"json\"))",
             path);
    return NULL;
}

asc_model *
asci_catboost_read(const char *path, const char *bytes, size_t n,
                   struct asc_error *e)
{
    struct catboost *c = asci_alloc_zero(1, sizeof *c, e);
    asc_model *m;

    if (!c)
        return NULL;
    m = c->m = asci_model_new(path, e);
    if (!m) {
        free(c);
        return NULL;
    }
    c->scale = 1.0;
    bytes = asci_skip_mark(bytes, &n);
    asci_json_open(&c->j, path, bytes, n, 0);
    if (read_document(c, e) != ASC_OK || make_model(c, e) != ASC_OK ||
        name_model(c, e) != ASC_OK) {
        asc_model_free(m);
        m = NULL;
    }
    free_reader(c);
    return m;
}
