/* model/model.c -- one interface over all forms: reading by content, schema
 * and outputs, evaluation in blocks.
 *
 * Values of a block of rows: encode, form, outputs.  Each of the three works
 * on a row alone, so blocks and threads never show.  Scratch belongs to the
 * call; a model is never written after asci_model_finish.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "model/booster/booster.h"
#include "model/core.h"

/* ---- a model and its parts ---- */

asc_model *
asci_model_new(const char *name, struct asc_error *e)
{
    asc_model *m = asci_alloc_zero(1, sizeof *m, e);

    if (!m)
        return NULL;
    m->name = asci_copy_text(name, strlen(name), e);
    if (!m->name) {
        free(m);
        return NULL;
    }
    m->form = ASC_FORM_OPAQUE;
    m->link_factor = 1.0;
    m->has_probabilities = 1;
    return m;
}

static void
free_network(struct asci_network *f)
{
    size_t l;

    for (l = 0; f->layer && l < f->n_layers; l++) {
        free(f->layer[l].w);
        free(f->layer[l].b);
        asci_weights_free(f->layer[l].packed);
    }
    free(f->layer);
}

static void
free_ensemble(struct asci_ensemble *f)
{
    size_t j;

    for (j = 0; f->tree && j < f->n_trees; j++)
        asci_tree_free(&f->tree[j]);
    free(f->tree);
    free(f->sets);
    free(f->base);
    asci_ensemble_unpack(f);
}

void
asc_model_free(asc_model *m)
{
    size_t k;

    if (!m)
        return;
    if (m->whole) {
        asci_contrast_free(m);
        return;
    }
    switch (m->form) {
    case ASC_FORM_LINEAR:
        free(m->u.linear.w);
        free(m->u.linear.b);
        break;
    case ASC_FORM_NETWORK:
        free_network(&m->u.network);
        break;
    case ASC_FORM_ENSEMBLE:
        free_ensemble(&m->u.ensemble);
        break;
    case ASC_FORM_OPAQUE:
        if (m->u.opaque.free)
            m->u.opaque.free(m->u.opaque.state);
        break;
    }
    asci_encoder_free(&m->encoder);
    for (k = 0; m->output && k < m->n_outputs; k++)
        free(m->output[k].name);
    free(m->output);
    for (k = 0; m->stats && k < m->schema.n; k++)
        free(m->stats[k].count);
    free(m->stats);
    asc_schema_free(&m->schema);
    free(m->rescale);
    free(m->target);
    free(m->description);
    free(m->format);
    free(m->name);
    free(m);
}

static void
scale_all(double *v, size_t n, double factor, double constant)
{
    size_t i;

    for (i = 0; i < n; i++)
        v[i] = factor * v[i] + constant;
}

void
asci_model_fold_rescale(asc_model *m)
{
    const struct asci_rescale *t = m->rescale;
    struct asci_layer *last;

    if (!t || m->link != ASCI_LINK_NONE || t->cast || t->min != -INFINITY ||
        t->max != INFINITY)
        return;
    if (t->factor != 1.0 || t->constant != 0.0)
        switch (m->form) {
        case ASC_FORM_LINEAR:
            scale_all(m->u.linear.w,
                      m->u.linear.n_raw * m->u.linear.n_columns, t->factor,
                      0.0);
            scale_all(m->u.linear.b, m->u.linear.n_raw, t->factor,
                      t->constant);
            break;
        case ASC_FORM_NETWORK:
            if (m->u.network.n_layers == 0)
                return;
            last = &m->u.network.layer[m->u.network.n_layers - 1];
            if (last->activation != ASCI_IDENTITY)
                return;
            scale_all(last->w, last->n_out * last->n_in, t->factor, 0.0);
            scale_all(last->b, last->n_out, t->factor, t->constant);
            break;
        case ASC_FORM_ENSEMBLE:
            m->u.ensemble.scale *= t->factor;
            scale_all(m->u.ensemble.base, m->u.ensemble.n_raw, t->factor,
                      t->constant);
            break;
        case ASC_FORM_OPAQUE:
            return;
        }
    free(m->rescale);
    m->rescale = NULL;
}

/* ---- what it is ---- */

const char *
asc_model_name(const asc_model *m)
{
    return m->name;
}

const char *
asc_model_digest(const asc_model *m)
{
    return m->digest;
}

const struct asc_schema *
asc_model_schema(const asc_model *m)
{
    return &m->schema;
}

struct asc_schema *
asc_model_open_schema(asc_model *m)
{
    return &m->schema;
}

const char *
asc_model_target(const asc_model *m)
{
    return m->target;
}

size_t
asc_model_n_outputs(const asc_model *m)
{
    return m->n_outputs;
}

const char *
asc_model_output(const asc_model *m, size_t k)
{
    return k < m->n_outputs ? m->output[k].name : NULL;
}

int
asc_model_classifier(const asc_model *m)
{
    return m->classifier;
}

int
asc_model_has_probabilities(const asc_model *m)
{
    return m->classifier && m->has_probabilities;
}

int
asc_model_has_link(const asc_model *m)
{
    return m->link != ASCI_LINK_NONE || m->rescale;
}

enum asc_scale
asc_model_default_scale(const asc_model *m)
{
    const struct asci_rescale *s = m->rescale;

    return s && (s->cast || s->min > -INFINITY || s->max < INFINITY)
        ? ASC_RESPONSE : ASC_RAW;
}

enum asc_form
asc_model_form(const asc_model *m)
{
    return m->form;
}

unsigned
asc_model_views(const asc_model *m)
{
    switch (m->form) {
    case ASC_FORM_LINEAR:
        return ASC_NEEDS_GRADIENT | ASC_NEEDS_LINEAR;
    case ASC_FORM_NETWORK:
        return ASC_NEEDS_GRADIENT;
    case ASC_FORM_ENSEMBLE:
        return m->u.ensemble.has_lines ? 0 : ASC_NEEDS_TREES;
    default:
        return 0;
    }
}

size_t
asc_model_winner(const asc_model *m, const double *y)
{
    size_t k, best = 0;

    for (k = 1; k < m->n_outputs; k++)
        if (y[k] > y[best] || (isnan(y[best]) && !isnan(y[k])))
            best = k;
    return best;
}

size_t
asc_model_rival(const asc_model *m, const double *y, size_t of)
{
    size_t k, next = m->n_outputs;

    for (k = 0; k < m->n_outputs; k++)
        if (k != of && (next == m->n_outputs || y[k] > y[next] ||
                        (isnan(y[next]) && !isnan(y[k]))))
            next = k;
    return next;
}

/* ---- values ---- */

size_t
asci_raw_scratch(const asc_model *m, size_t rows)
{
    switch (m->form) {
    case ASC_FORM_NETWORK:
        return asci_network_scratch(&m->u.network, rows);
    case ASC_FORM_ENSEMBLE:
        return m->u.ensemble.has_lines
               ? 0 : asci_ensemble_scratch(&m->u.ensemble);
    default:
        return 0;
    }
}

/* Leaves that are lines want encoded columns. */
static void
ensemble_raw(const struct asci_ensemble *f, const struct asci_cells *in,
             size_t n, double *r, double *scratch, int source)
{
    struct asci_ensemble sum = *f;
    size_t i;

    if (source && f->average)
        sum.scale = 1.0;
    if (f->has_lines)
        asci_lines_raw(&sum, in->x, n, r);
    else
        asci_ensemble_raw(&sum, in, n, r, scratch, source);
    for (i = 0; source && f->average && i < n * f->n_raw; i++)
        r[i] /= (double)f->average;
}

void
asci_raw_block(const asc_model *m, const double *columns, size_t n, double *r,
               double *scratch, int source)
{
    const struct asci_cells cells = { columns, m->encoder.n, NULL };

    switch (m->form) {
    case ASC_FORM_LINEAR:
        (source && m->u.linear.single ? asci_linear_single
                                      : asci_linear_raw)(&m->u.linear,
                                                         columns, n, r);
        break;
    case ASC_FORM_NETWORK:
        asci_network_raw(&m->u.network, columns, n, r, NULL, scratch);
        break;
    case ASC_FORM_ENSEMBLE:
        ensemble_raw(&m->u.ensemble, &cells, n, r, scratch, source);
        break;
    case ASC_FORM_OPAQUE:
        break;
    }
}

size_t
asci_raw_rows(const asc_model *m)
{
    return m->form == ASC_FORM_ENSEMBLE && !m->u.ensemble.has_lines
           ? asci_ensemble_block(&m->u.ensemble) : ASCI_BLOCK;
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

int
asci_form_raw(const asc_model *m, const double *columns, size_t n, double *r,
              struct asc_error *e)
{
    double *scratch;
    size_t i, now, rows;

    if (m->form == ASC_FORM_OPAQUE)
        return asc_fail(e, ASC_EUSAGE, "%s: the model has values only, no "
                        "columns", m->name);
    rows = smaller(n, asci_raw_rows(m));
    scratch = asci_alloc(asci_raw_scratch(m, rows), sizeof *scratch, e);
    if (!scratch)
        return ASC_ESYSTEM;
    for (i = 0; i < n; i += now) {
        now = smaller(n - i, rows);
        asci_raw_block(m, columns + i * m->encoder.n, now, r + i * m->n_raw,
                       scratch, 0);
    }
    free(scratch);
    return ASC_OK;
}

/* The source engine adds in float. */
static int
is_single(const asc_model *m)
{
    return (m->form == ASC_FORM_ENSEMBLE && m->u.ensemble.single) ||
           (m->form == ASC_FORM_LINEAR && m->u.linear.single);
}

/* Trees with constant leaves take the fields as they are and encode on the
 * way. */
static int
takes_fields(const asc_model *m)
{
    return m->identity || (m->form == ASC_FORM_ENSEMBLE &&
                           !m->u.ensemble.has_lines);
}

/* r (n, n_raw) of rows x (n, d); columns (n, encoder.n) is room, unused where
 * the form needs none. */
static void
raw_of_rows(const asc_model *m, const double *x, size_t n, double *columns,
            double *r, double *scratch, int source)
{
    const struct asci_cells cells = {
        x, m->schema.n, m->identity ? NULL : &m->encoder
    };

    if (m->form == ASC_FORM_ENSEMBLE && takes_fields(m)) {
        ensemble_raw(&m->u.ensemble, &cells, n, r, scratch, source);
    } else if (m->identity) {
        asci_raw_block(m, x, n, r, scratch, source);
    } else {
        asci_encode(&m->encoder, m->schema.n, x, n, columns);
        asci_raw_block(m, columns, n, r, scratch, source);
    }
}

/* source: the source engine's own arithmetic, where it is another. */
static int
values(const asc_model *m, enum asc_scale scale, const double *x, size_t n,
       double *y, int source, struct asc_error *e)
{
    const size_t d = m->schema.n, c = m->encoder.n;
    double *scratch = NULL, *columns = NULL, *r = NULL;
    int status = ASC_ESYSTEM;
    const int encoded = !takes_fields(m);
    size_t i, now, rows;

    if (m->form == ASC_FORM_OPAQUE)
        return m->u.opaque.evaluate(m->u.opaque.state, scale, x, n, y, e);
    rows = smaller(n, asci_raw_rows(m));
    scratch = asci_alloc(asci_raw_scratch(m, rows), sizeof *scratch, e);
    columns = asci_alloc(encoded ? rows * c : 0, sizeof *columns, e);
    r = asci_alloc(rows * m->n_raw, sizeof *r, e);
    if (!scratch || !columns || !r)
        goto out;
    for (i = 0; i < n; i += now) {
        now = smaller(n - i, rows);
        raw_of_rows(m, x + i * d, now, columns, r, scratch, source);
        (source ? asci_outputs_source : asci_outputs)(m, scale, r, now,
                                                      y + i * m->n_outputs);
    }
    if (source && is_single(m))
        for (i = 0; i < n * m->n_outputs; i++)
            y[i] = (double)(float)y[i];
    status = ASC_OK;
out:
    free(r);
    free(columns);
    free(scratch);
    return status;
}

int
asc_model_evaluate(const asc_model *m, enum asc_scale scale, const double *x,
                   size_t n, double *y, struct asc_error *e)
{
    return values(m, scale, x, n, y, 0, e);
}

int
asc_model_predict(const asc_model *m, enum asc_scale scale, const double *x,
                  size_t n, double *y, struct asc_error *e)
{
    return values(m, scale, x, n, y, 1, e);
}

/* ---- reading, by content ---- */

/* Optional byte order mark and blanks, then '<'; UTF-16 by its mark. */
static int
looks_like_xml(const char *p, size_t n)
{
    if (n >= 4 && ((!memcmp(p, "\xff\xfe", 2) && p[2] == '<') ||
                   (!memcmp(p, "\xfe\xff", 2) && p[3] == '<')))
        return 1;
    if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
        p += 3;
        n -= 3;
    }
    while (n > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
        n--;
    }
    return n > 0 && *p == '<';
}

static const struct {
    const char *what;           /* NULL: known, and always refused */
    int (*looks)(const char *bytes, size_t n);
    asc_model *(*read)(const char *path, const char *bytes, size_t n,
                       struct asc_error *e);
} format[] = {
    { "PMML 3.0 to 4.4", looks_like_xml, asci_pmml_read },
    { "XGBoost JSON or UBJSON", asci_xgboost_looks, asci_xgboost_read },
    { NULL, asci_xgboost_refused, asci_xgboost_refuse },
    { "LightGBM text", asci_lightgbm_looks, asci_lightgbm_read },
    { NULL, asci_lightgbm_refused, asci_lightgbm_refuse },
    { "CatBoost JSON", asci_catboost_looks, asci_catboost_read },
    { NULL, asci_catboost_refused, asci_catboost_refuse }
};

static asc_model *
read_format(const char *path, const struct asc_buffer *b, struct asc_error *e)
{
    char known[256] = "";
    size_t i, n = sizeof format / sizeof *format;

    if (b->n == 0) {
        asc_fail(e, ASC_EINPUT, "%s: the file is empty, not a model", path);
        return NULL;
    }
    for (i = 0; i < n; i++)
        if (format[i].looks(b->p, b->n))
            return format[i].read(path, b->p, b->n, e);
    for (i = 0; i < n; i++) {
        if (!format[i].what)
            continue;
        if (known[0])
            strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, format[i].what, sizeof known - strlen(known) - 1);
    }
    asc_fail(e, ASC_EINPUT, "%s: not a model that can be read: want %s, or "
             "cmd:COMMAND or coproc:COMMAND for a program", path, known);
    return NULL;
}

static int
too_large(const char *path, size_t limit, struct asc_error *e)
{
    return asc_fail(e, ASC_EINPUT, "%s: the model is larger than %zu bytes "
                    "(see --max-memory)", path, limit);
}

static int
read_all(const char *path, size_t limit, struct asc_buffer *b,
         struct asc_error *e)
{
    char piece[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = ASC_OK;
    ssize_t got;

    if (fd < 0)
        return asc_fail(e, ASC_EINPUT, "%s: cannot open the model: %s", path,
                        strerror(errno));
    while (status == ASC_OK && (got = read(fd, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = asc_fail(e, ASC_EINPUT, "%s: cannot read the model: %s",
                              path, strerror(errno));
        else if ((size_t)got > limit - b->n)
            status = too_large(path, limit, e);
        else
            asc_buffer_add(b, piece, (size_t)got);
        if (status == ASC_OK && b->failed)
            status = asc_fail(e, ASC_ESYSTEM, "out of memory: cannot hold "
                              "the model %s", path);
    }
    close(fd);
    return status;
}

/* Expands gzip members, one after the other. */
static int
expand(const char *path, const struct asc_buffer *in, size_t limit,
       struct asc_buffer *out, struct asc_error *e)
{
    enum { PIECE = 65536 };
    z_stream z = { 0 };
    Bytef piece[PIECE];
    size_t used = 0;
    int status = ASC_OK, got = Z_OK;

    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return asc_fail(e, ASC_ESYSTEM, "out of memory: cannot expand %s",
                        path);
    while (status == ASC_OK && !(got == Z_STREAM_END && used == in->n)) {
        size_t give = in->n - used, made;

        if (got == Z_STREAM_END)
            inflateReset(&z);
        if (give > (size_t)1 << 30)
            give = (size_t)1 << 30;
        z.next_in = (Bytef *)in->p + used;
        z.avail_in = (uInt)give;
        z.next_out = piece;
        z.avail_out = PIECE;
        got = inflate(&z, Z_NO_FLUSH);
        used += give - z.avail_in;
        made = PIECE - z.avail_out;
        if (got != Z_OK && got != Z_STREAM_END)
            status = asc_fail(e, ASC_EINPUT, "%s: the compressed model is "
                              "damaged or cut off at byte %zu", path, used);
        else if (made > limit - out->n)
            status = too_large(path, limit, e);
        else
            asc_buffer_add(out, (char *)piece, made);
        if (status == ASC_OK && out->failed)
            status = asc_fail(e, ASC_ESYSTEM, "out of memory: cannot hold "
                              "the model %s", path);
    }
    inflateEnd(&z);
    return status;
}

static asc_model *
read_file(const char *path, size_t limit, struct asc_error *e)
{
    struct asc_buffer raw = { 0 }, text = { 0 };
    asc_model *m = NULL;
    char digest[ASC_DIGEST_MAX];

    if (read_all(path, limit, &raw, e) != ASC_OK)
        goto out;
    asc_digest(raw.p, raw.n, digest);
    if (raw.n >= 2 && !memcmp(raw.p, "\x1f\x8b", 2)) {
        if (expand(path, &raw, limit, &text, e) != ASC_OK)
            goto out;
        asc_buffer_free(&raw);
        raw = text;
        memset(&text, 0, sizeof text);
    }
    m = read_format(path, &raw, e);
    if (m)
        memcpy(m->digest, digest, sizeof digest);
out:
    asc_buffer_free(&text);
    asc_buffer_free(&raw);
    return m;
}

asc_model *
asc_model_read(const char *path, const struct asc_model_options *options,
               struct asc_error *e)
{
    static const struct asc_model_options defaults;
    const size_t two_gib = (size_t)2 << 30;

    if (!options)
        options = &defaults;
    if (!strncmp(path, "cmd:", 4) || !strncmp(path, "coproc:", 7))
        return asci_command_read(path, options, e);
    return read_file(path, options->max_memory ? options->max_memory
                                               : two_gib, e);
}
