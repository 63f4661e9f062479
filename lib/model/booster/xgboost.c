/* model/booster/xgboost.c -- XGBoost models, JSON and UBJSON, 1.0 to 3.x.
 *
 * The file is read as a stream of events into plain arrays; trees are built as
 * their objects end, everything that needs several parts of the file (which
 * may stand in any order) when all of it is there.  What the format means is
 * written down in XGBoost's own sources only (doc/model.schema is partial):
 * src/learner.cc, src/gbm/gbtree_model.cc, src/tree/tree_model.cc,
 * src/tree/multi_target_tree_model.cc, src/gbm/gblinear.cc,
 * src/data/cat_container.cc and src/objective, tags v1.0.0 to v3.4.1.
 *
 *     margin_k = g^-1(base_score_k) + sum over trees of group k of w_t leaf_t
 *
 * in float, in the order of the trees, beginning with the base; w_t are
 * DART's weights, which 3.x also writes under the name gbtree.  A number goes
 * left if it is less than the threshold; a category that a split lists goes
 * right, all others left, undeclared ones too.  Cost: one pass over the file,
 * memory for its largest tree beside the model.
 */
#include <stdlib.h>
#include <string.h>

#include "model/booster/booster.h"
#include "model/booster/xgboost.h"

int
asci_xgboost_fail(const struct xgboost *r, struct asc_error *e,
                  const char *format, ...)
{
    char message[400];
    va_list ap;

    va_start(ap, format);
    asci_print(message, sizeof message, format, ap);
    va_end(ap);
    return asc_fail(e, ASC_EINPUT, "%s: %s", r->m->name, message);
}

static void
free_reader(struct xgboost *r)
{
    size_t k;

    for (k = 0; k < r->n_dictionaries; k++) {
        asci_texts_free(&r->dictionary[k].text);
        free(r->dictionary[k].code);
    }
    free(r->dictionary);
    asci_xgboost_drop_trees(&r->trees, 0);
    free(r->trees.tree);
    free(r->trees.sets);
    free(r->trees.base);
    asci_texts_free(&r->objective);
    asci_texts_free(&r->booster);
    asci_texts_free(&r->name);
    asci_texts_free(&r->type);
    free(r->base_score.v);
    free(r->version.v);
    free(r->codes.v);
    free(r->tree_info.v);
    free(r->iteration.v);
    free(r->weight_drop.v);
    free(r->linear.v);
    free(r->offsets.v);
    free(r->values.v);
    free(r->weight.v);
    free(r->leaf_weight.v);
    free(r->condition.v);
    free(r->hessian.v);
    free(r->left.v);
    free(r->right.v);
    free(r->feature.v);
    free(r->split_type.v);
    free(r->default_left.v);
    free(r->category.v);
    free(r->category_node.v);
    free(r->category_segment.v);
    free(r->category_size.v);
    free(r->order);
    free(r->place);
    asci_json_close(&r->j);
    free(r);
}

/* What asc_model_format and asc_model_algorithm tell. */
static int
name_model(struct xgboost *r, int binary, struct asc_error *e)
{
    const char *kind = binary ? "UBJSON" : "JSON";
    const char *booster = r->booster.n ? r->booster.v[0] : "gbtree";
    const int32_t *v = r->version.v;
    struct asc_buffer text = { 0 };
    int status;

    asc_buffer_print(&text, "%s, %s", booster, r->objective.v[0]);
    r->m->description = text.failed ? NULL
                        : asci_copy_text(text.p, text.n, e);
    asc_buffer_free(&text);
    if (!r->m->description)
        return asc_fail(e, ASC_ESYSTEM, "out of memory");
    status = r->version.n == 3
             ? asci_model_set_format(r->m, e, "XGBoost %s %d.%d.%d", kind,
                                     v[0], v[1], v[2])
             : asci_model_set_format(r->m, e, "XGBoost %s", kind);
    return status;
}

/* ---- recognising ---- */

enum { HEAD = 4096, OLD_HEAD = 400 };   /* bytes that are looked at */

/* 1 if the piece is in the first `limit` bytes. */
static int
holds_bytes(const char *p, size_t n, size_t limit, const char *piece,
            size_t n_piece)
{
    size_t i;

    if (n > limit)
        n = limit;
    for (i = 0; i + n_piece <= n; i++)
        if (!memcmp(p + i, piece, n_piece))
            return 1;
    return 0;
}

static int
holds(const char *p, size_t n, const char *text)
{
    return holds_bytes(p, n, HEAD, text, strlen(text));
}

int
asci_xgboost_looks(const char *p, size_t n)
{
    switch (asci_notation_of(p, n)) {
    case ASCI_JSON:
        return holds(p, n, "\"learner\"") || holds(p, n, "\"Model\"") ||
               holds(p, n, "\"gradient_booster\"");
    case ASCI_UBJSON:
        return holds(p, n, "learner");
    default:
        return 0;
    }
}

/* The old binary format: a block of fixed size that begins with base_score, or
 * with "binf", then the names of objective and booster behind their lengths.
 * bs64: the same in letters. */
static int
old_binary(const char *p, size_t n)
{
    static const char *const booster[] = { "gbtree", "gblinear", "dart" };
    size_t i;

    if (n >= 5 && (!memcmp(p, "binf", 4) || !memcmp(p, "bs64\t", 5)))
        return 1;
    for (i = 0; i < 3; i++) {
        const size_t length = strlen(booster[i]);
        char text[16] = { (char)length };

        memcpy(text + 8, booster[i], length);
        if (holds_bytes(p, n, OLD_HEAD, text, 8 + length))
            return 1;
    }
    return 0;
}

/* What dump_model writes. */
static int
dump(const char *p, size_t n)
{
    if (n >= 11 && (!memcmp(p, "booster[0]:", 11)))
        return 1;
    return n > 0 && *p == '[' && holds(p, n, "\"nodeid\"");
}

int
asci_xgboost_refused(const char *p, size_t n)
{
    return old_binary(p, n) || dump(p, n);
}

asc_model *
asci_xgboost_refuse(const char *path, const char *bytes, size_t n,
                    struct asc_error *e)
{
    if (dump(bytes, n))
        asc_fail(e, ASC_EINPUT, "%s: a dump of XGBoost's trees, which lacks "
                 "the objective and the base score: save the model itself, "
                 "as JSON (save_model(\"model.json\"))", path);
    else
        asc_fail(e, ASC_EINPUT, "%s: an XGBoost model in the old binary "
                 "format: save it as JSON (load it with XGBoost 1.x to 3.0, "
                 "then save_model(\"model.json\"))", path);
    return NULL;
}

asc_model *
asci_xgboost_read(const char *path, const char *bytes, size_t n,
                  struct asc_error *e)
{
    struct xgboost *r = asci_alloc_zero(1, sizeof *r, e);
    asc_model *m;
    int binary;

    if (!r)
        return NULL;
    m = r->m = asci_model_new(path, e);
    if (!m) {
        free(r);
        return NULL;
    }
    bytes = asci_skip_mark(bytes, &n);
    binary = asci_notation_of(bytes, n) == ASCI_UBJSON;
    asci_json_open(&r->j, path, bytes, n, binary);
    if (asci_xgboost_document(r, e) != ASC_OK ||
        asci_xgboost_model(r, e) != ASC_OK ||
        name_model(r, binary, e) != ASC_OK) {
        asc_model_free(m);
        m = NULL;
    }
    free_reader(r);
    return m;
}
