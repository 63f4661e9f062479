/* fit/prepare.c -- what comes before the numbers: the order of rows, the
 * statistics of fields, and the model around the form that a trainer makes.
 *
 * Statistics are of the rows with a value, by weight: mean sum w x / sum w,
 * standard deviation sqrt(sum w (x - mean)^2 / sum w), and the q-quantile the
 * smallest x up to which at least q sum w has come, or the mean of it and the
 * next if that is met exactly (Hyndman and Fan 1996, definition 2), so that a
 * weight of 2 is the same as the row twice.  Sums are exact, so their order
 * does not show.  n log n a field for the quantiles.
 */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit/internal.h"

/* ---- order ---- */

struct key {
    uint64_t hash;
    const char *id;
    size_t n_id, row;
};

static int
compare_keys(const void *pa, const void *pb)
{
    const struct key *a = pa, *b = pb;
    const size_t n = a->n_id < b->n_id ? a->n_id : b->n_id;
    int c;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    c = n ? memcmp(a->id, b->id, n) : 0;
    if (c)
        return c;
    if (a->n_id != b->n_id)
        return a->n_id < b->n_id ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

int
asci_fit_order(const struct asc_training *t, size_t *order, size_t *n,
               struct asc_error *e)
{
    struct key *key = asci_alloc(t->n, sizeof *key, e);
    size_t i, used = 0;

    if (!key)
        return ASC_ESYSTEM;
    for (i = 0; i < t->n; i++) {
        struct key *k = &key[used];

        if (!(asci_fit_weight(t, i) > 0.0))
            continue;
        k->id = t->ids.p + t->id[i];
        k->n_id = t->id_length[i];
        k->hash = asc_hash(k->id, k->n_id);
        k->row = i;
        used++;
    }
    qsort(key, used, sizeof *key, compare_keys);
    for (i = 0; i < used; i++)
        order[i] = key[i].row;
    *n = used;
    free(key);
    return ASC_OK;
}

struct draw {
    uint64_t bits;
    size_t at, row;
};

static int
compare_draws(const void *pa, const void *pb)
{
    const struct draw *a = pa, *b = pb;

    if (a->bits != b->bits)
        return a->bits < b->bits ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

int
asci_fit_hold_out(const struct asc_training *t, uint64_t seed,
                  const char *purpose, double share, size_t *row, size_t *n,
                  size_t *n_held, struct asc_error *e)
{
    struct draw *draw = asci_alloc(t->n, sizeof *draw, e);
    size_t i;

    if (!draw || asci_fit_order(t, row, n, e)) {
        free(draw);
        return ASC_ESYSTEM;
    }
    for (i = 0; i < *n; i++) {
        struct asc_stream stream;

        asc_stream_start(&stream, seed, purpose, t->ids.p + t->id[row[i]],
                         t->id_length[row[i]]);
        draw[i].bits = asc_stream_bits(&stream);
        draw[i].at = i;
        draw[i].row = row[i];
    }
    qsort(draw, *n, sizeof *draw, compare_draws);
    for (i = 0; i < *n; i++)
        row[i] = draw[i].row;
    free(draw);
    *n_held = (size_t)(share * (double)*n + 0.5);
    if (*n_held == *n)
        *n_held = *n - 1;
    return ASC_OK;
}

/* ---- statistics ---- */

struct weighted {
    double x, w;
};

static int
compare_weighted(const void *pa, const void *pb)
{
    const struct weighted *a = pa, *b = pb;

    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->w < b->w ? -1 : a->w > b->w;
}

/* v (n) sorted, total its weight. */
static double
quantile(const struct weighted *v, size_t n, double total, double q)
{
    const double want = q * total, slack = 1e-12 * total;
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++) {
        sum += v[i].w;
        if (fabs(sum - want) <= slack && i + 1 < n)
            return 0.5 * v[i].x + 0.5 * v[i + 1].x;
        if (sum >= want)
            return v[i].x;
    }
    return v[n - 1].x;
}

/* Mean and standard deviation of v (n), sorted by x, total weight `total`.
 * Very large and very small numbers are scaled, so that their squares neither
 * overflow nor vanish. */
static void
moments(const struct weighted *v, size_t n, double total, double *mean,
        double *sd)
{
    const double first = fabs(v[0].x), last = fabs(v[n - 1].x);
    const double largest = first > last ? first : last;
    const double scale = largest > 0.0 && (largest > 1e100 || largest < 1e-100)
                         ? largest : 1.0;
    struct asc_sum sum;
    double centre;
    size_t i;

    asc_sum_clear(&sum);
    for (i = 0; i < n; i++)
        asc_sum_add(&sum, v[i].w * (v[i].x / scale));
    centre = asc_sum_value(&sum) / total;
    asc_sum_clear(&sum);
    for (i = 0; i < n; i++) {
        const double r = v[i].x / scale - centre;

        asc_sum_add(&sum, v[i].w * r * r);
    }
    *mean = centre * scale;
    *sd = sqrt(asc_sum_value(&sum) / total) * scale;
    /* rounding must not make a constant vary */
    if (v[0].x == v[n - 1].x) {
        *mean = v[0].x;
        *sd = 0.0;
    }
}

/* sorted (t->n) is work space. */
static void
describe_number(const struct asc_training *t, size_t j,
                struct weighted *sorted, struct asci_field_stats *s)
{
    size_t i, n = 0;
    double total = 0.0;

    s->mean = s->sd = s->min = s->max = NAN;
    s->median = s->lower_quartile = s->upper_quartile = NAN;
    for (i = 0; i < t->n; i++) {
        const double x = t->x[i * t->schema.n + j];
        const double w = asci_fit_weight(t, i);

        if (isnan(x) || !(w > 0.0))
            continue;
        sorted[n].x = x;
        sorted[n++].w = w;
    }
    if (n == 0)
        return;
    qsort(sorted, n, sizeof *sorted, compare_weighted);
    for (i = 0; i < n; i++)
        total += sorted[i].w;
    moments(sorted, n, s->n, &s->mean, &s->sd);
    s->min = sorted[0].x;
    s->max = sorted[n - 1].x;
    s->median = quantile(sorted, n, total, 0.5);
    s->lower_quartile = quantile(sorted, n, total, 0.25);
    s->upper_quartile = quantile(sorted, n, total, 0.75);
}

static int
describe_categories(const struct asc_training *t, size_t j,
                    struct asci_field_stats *s, struct asc_error *e)
{
    const size_t k = t->schema.field[j].n_categories;
    struct asc_sum *sum = asci_alloc(k, sizeof *sum, e);
    size_t i, c;

    s->mean = s->sd = s->min = s->max = NAN;
    s->median = s->lower_quartile = s->upper_quartile = NAN;
    s->count = asci_alloc_zero(k, sizeof *s->count, e);
    if (!sum || !s->count) {
        free(sum);
        return ASC_ESYSTEM;
    }
    for (c = 0; c < k; c++)
        asc_sum_clear(&sum[c]);
    for (i = 0; i < t->n; i++) {
        const double x = t->x[i * t->schema.n + j];

        if (x >= 0.0 && x < (double)k)
            asc_sum_add(&sum[(size_t)x], asci_fit_weight(t, i));
    }
    for (c = 0; c < k; c++)
        s->count[c] = asc_sum_value(&sum[c]);
    free(sum);
    return ASC_OK;
}

void
asci_fit_stats_free(struct asci_field_stats *s, size_t n)
{
    size_t j;

    for (j = 0; s && j < n; j++)
        free(s[j].count);
    free(s);
}

struct asci_field_stats *
asci_fit_stats(const struct asc_training *t, struct asc_error *e)
{
    const size_t d = t->schema.n;
    struct asci_field_stats *stats = asci_alloc_zero(d, sizeof *stats, e);
    struct weighted *sorted = asci_alloc(t->n, sizeof *sorted, e);
    size_t i, j;

    if (!stats || !sorted)
        goto bad;
    for (j = 0; j < d; j++) {
        struct asci_field_stats *s = &stats[j];
        struct asc_sum known, missing;

        asc_sum_clear(&known);
        asc_sum_clear(&missing);
        for (i = 0; i < t->n; i++)
            asc_sum_add(isnan(t->x[i * d + j]) ? &missing : &known,
                        asci_fit_weight(t, i));
        s->n = asc_sum_value(&known);
        s->n_missing = asc_sum_value(&missing);
        if (t->schema.field[j].kind == ASC_CONTINUOUS)
            describe_number(t, j, sorted, s);
        else if (describe_categories(t, j, s, e) != ASC_OK)
            goto bad;
    }
    free(sorted);
    return stats;
bad:
    free(sorted);
    asci_fit_stats_free(stats, d);
    return NULL;
}

/* ---- the model around the form ---- */

static int
copy_texts(char ***out, char *const *v, size_t n, struct asc_error *e)
{
    size_t i;

    *out = NULL;
    if (n == 0)
        return ASC_OK;
    *out = asci_alloc_zero(n, sizeof **out, e);
    for (i = 0; *out && i < n; i++)
        if (!((*out)[i] = asci_copy_text(v[i], strlen(v[i]), e)))
            return ASC_ESYSTEM;
    return *out ? ASC_OK : ASC_ESYSTEM;
}

/* *out may be half filled after a failure; asc_schema_free takes it. */
static int
copy_field(struct asc_field *out, const struct asc_field *f,
           struct asc_error *e)
{
    *out = *f;
    out->categories = NULL;
    out->missing = NULL;
    out->n_categories = out->n_missing = 0;
    out->name = asci_copy_text(f->name, strlen(f->name), e);
    if (!out->name ||
        copy_texts(&out->categories, f->categories, f->n_categories, e)) {
        out->n_categories = out->categories ? f->n_categories : 0;
        return ASC_ESYSTEM;
    }
    out->n_categories = f->n_categories;
    if (copy_texts(&out->missing, f->missing, f->n_missing, e)) {
        out->n_missing = out->missing ? f->n_missing : 0;
        return ASC_ESYSTEM;
    }
    out->n_missing = f->n_missing;
    out->open = 0;
    return ASC_OK;
}

static int
copy_schema(asc_model *m, const struct asc_training *t, struct asc_error *e)
{
    size_t j;

    m->schema.field = asci_alloc_zero(t->schema.n, sizeof *m->schema.field, e);
    if (!m->schema.field)
        return ASC_ESYSTEM;
    m->schema.n = t->schema.n;
    for (j = 0; j < t->schema.n; j++)
        if (copy_field(&m->schema.field[j], &t->schema.field[j], e))
            return ASC_ESYSTEM;
    return ASC_OK;
}

static int
make_outputs(asc_model *m, const struct asc_training *t, struct asc_error *e)
{
    const struct asc_field *f = &t->target;
    const int classes = f->kind == ASC_CATEGORICAL;
    const size_t k = classes ? f->n_categories : 1;
    size_t i;

    m->output = asci_alloc_zero(k, sizeof *m->output, e);
    if (!m->output)
        return ASC_ESYSTEM;
    m->n_outputs = k;
    m->n_raw = k == 2 ? 1 : k;
    for (i = 0; i < k; i++) {
        const char *name = classes ? f->categories[i] : f->name;

        m->output[i].raw = k == 2 ? 0 : i;
        m->output[i].sign = 1.0;
        m->output[i].name = asci_copy_text(name, strlen(name), e);
        if (!m->output[i].name)
            return ASC_ESYSTEM;
    }
    if (k == 2) {
        m->output[0].sign = -1.0;
        m->output[0].complement = 1;
    }
    m->classifier = m->has_probabilities = classes;
    m->link = !classes ? ASCI_LINK_NONE
              : k == 2 ? ASCI_LINK_LOGIT : ASCI_LINK_SOFTMAX;
    return ASC_OK;
}

/* Mean, or the commonest category, ties to the first. */
static void
replace_missing(asc_model *m)
{
    size_t j, c;

    for (j = 0; j < m->schema.n; j++) {
        struct asc_field *f = &m->schema.field[j];
        const struct asci_field_stats *s = &m->stats[j];
        size_t mode = 0;

        if (f->kind == ASC_CONTINUOUS) {
            f->replacement = s->mean;
            continue;
        }
        for (c = 1; c < f->n_categories; c++)
            if (s->count[c] > s->count[mode])
                mode = c;
        f->replacement = (double)mode;
    }
}

asc_model *
asci_fit_model(const struct asc_training *t, const struct asc_spec *s,
               int impute, struct asc_error *e)
{
    struct asc_buffer text = { 0 };
    asc_model *m = asci_model_new(s->entry->name, e);

    if (!m)
        return NULL;
    asc_spec_text(s, &text);
    if (text.failed) {
        asc_fail(e, ASC_ESYSTEM, "out of memory");
        goto bad;
    }
    m->description = asci_copy_text(text.p, text.n, e);
    m->target = asci_copy_text(t->target.name, strlen(t->target.name), e);
    m->stats = asci_fit_stats(t, e);
    if (!m->description || !m->target || !m->stats ||
        copy_schema(m, t, e) || make_outputs(m, t, e))
        goto bad;
    if (impute)
        replace_missing(m);
    asc_buffer_free(&text);
    return m;
bad:
    /* statistics are freed by the schema's count of fields */
    if (m->stats && m->schema.n != t->schema.n) {
        asci_fit_stats_free(m->stats, t->schema.n);
        m->stats = NULL;
    }
    asc_buffer_free(&text);
    asc_model_free(m);
    return NULL;
}

static int
is_index(double v, size_t n)
{
    return v >= 0.0 && v < (double)n && v == floor(v);
}

/* Values that no table can give, but a host may: they would be indexes. */
static int
check_values(const struct asc_training *t, const char *name,
             struct asc_error *e)
{
    const struct asc_field *target = &t->target;
    const size_t d = t->schema.n;
    size_t i, j;

    for (i = 0; i < t->n; i++) {
        for (j = 0; j < d; j++) {
            const struct asc_field *f = &t->schema.field[j];
            const double v = t->x[i * d + j];

            if (!isnan(v) && (f->kind == ASC_CATEGORICAL
                              ? !is_index(v, f->n_categories)
                              : !isfinite(v)))
                return asc_fail(e, ASC_EINPUT, "%s: row %zu of the table: "
                                "field \"%s\" has no value %g", name, i + 1,
                                f->name, v);
        }
        if (target->kind == ASC_CATEGORICAL
            ? !is_index(t->y[i], target->n_categories) : !isfinite(t->y[i]))
            return asc_fail(e, ASC_EINPUT, "%s: row %zu of the table: target "
                            "\"%s\" has no value %g", name, i + 1,
                            target->name, t->y[i]);
    }
    return ASC_OK;
}

static int
has_weight(const struct asc_training *t)
{
    size_t i;

    for (i = 0; i < t->n; i++)
        if (asci_fit_weight(t, i) > 0.0)
            return 1;
    return 0;
}

int
asci_fit_check(const struct asc_training *t, const struct asc_spec *s,
               enum asci_fit_wants wants, struct asc_error *e)
{
    const char *name = s->entry->name, *target = t->target.name;
    const int classes = t->target.kind == ASC_CATEGORICAL;

    if (t->n == 0 || t->schema.n == 0)
        return asc_fail(e, ASC_EINPUT, "%s: nothing to learn from: the table "
                        "has %zu rows and %zu fields", name, t->n,
                        t->schema.n);
    if (classes && t->target.n_categories < 2)
        return asc_fail(e, ASC_EINPUT, "%s: target \"%s\" has one class only",
                        name, target);
    if (wants == ASCI_WANTS_NUMBER && classes)
        return asc_fail(e, ASC_EUSAGE, "%s: target \"%s\" has categories; "
                        "logistic, mlp, gbm, tree and forest learn them",
                        name, target);
    if (wants == ASCI_WANTS_CLASS && !classes)
        return asc_fail(e, ASC_EUSAGE, "%s: target \"%s\" is a number; name "
                        "it as categorical if its values are classes", name,
                        target);
    if (!has_weight(t))
        return asc_fail(e, ASC_EINPUT, "%s: no row has a weight above 0",
                        name);
    return check_values(t, name, e);
}

void
asci_fit_say(const struct asc_fitting *how, int detail, const char *format,
             ...)
{
    char line[512];
    va_list ap;

    if (!how || !how->say)
        return;
    va_start(ap, format);
    asci_print(line, sizeof line, format, ap);
    va_end(ap);
    how->say(how->context, detail, line);
}
