/* tests/unit/attribution.h -- small models built by hand, networks of the
 * reference data, and runs of one method or metric, for the tests of
 * attribution methods and fidelity metrics.  To be included behind cmocka.h.
 */
#ifndef ASCRIBE_TESTS_ATTRIBUTION_H
#define ASCRIBE_TESTS_ATTRIBUTION_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ascribe/ascribe.h>

#include "model/form.h"
#include "shared.h"

#define close_to(a, b, tolerance)                                            \
    is_close((a), (b), (tolerance), __FILE__, __LINE__)

static inline void
is_close(double a, double b, double tolerance, const char *file, int line)
{
    if (fabs(a - b) <= tolerance || (isnan(a) && isnan(b)))
        return;
    print_error("%.17g is not %.17g, off by %g\n", a, b, fabs(a - b));
    _fail(file, line);
}

/* Same bits, NaN included. */
#define same_bits(a, b, n) assert_memory_equal((a), (b), (n) * sizeof *(a))

/* ---- models ---- */

enum { MAX_COLUMNS = 256, MAX_FACTORS = 4 };

/* One letter a field: x is continuous, 2 to 9 categorical with so many
 * categories, a, b, c, ...  Fields are f0, f1, ... */
static inline asc_model *
model_begin(const char *fields)
{
    asc_model *m = asci_model_new("small", NULL);
    size_t j, k, n = strlen(fields);

    assert_non_null(m);
    m->schema.n = n;
    m->schema.field = calloc(n, sizeof *m->schema.field);
    m->encoder.column = calloc(MAX_COLUMNS, sizeof *m->encoder.column);
    assert_non_null(m->schema.field);
    assert_non_null(m->encoder.column);
    for (j = 0; j < n; j++) {
        struct asc_field *f = &m->schema.field[j];
        char name[32];

        snprintf(name, sizeof name, "f%zu", j);
        f->name = strdup(name);
        f->replacement = NAN;
        f->low = -INFINITY;
        f->high = INFINITY;
        if (fields[j] == 'x')
            continue;
        f->kind = ASC_CATEGORICAL;
        f->n_categories = (size_t)(fields[j] - '0');
        f->categories = calloc(f->n_categories, sizeof *f->categories);
        for (k = 0; k < f->n_categories; k++) {
            char text[2] = { (char)('a' + k), '\0' };

            f->categories[k] = strdup(text);
        }
    }
    return m;
}

/* An empty column: a constant, to which factors are added. */
static inline struct asci_column *
add_column(asc_model *m, double scale)
{
    struct asci_column *c = &m->encoder.column[m->encoder.n++];

    assert_true(m->encoder.n <= MAX_COLUMNS);
    c->scale = scale;
    c->factor = calloc(MAX_FACTORS, sizeof *c->factor);
    return c;
}

/* The number of a field itself. */
static inline struct asci_factor *
add_number(struct asci_column *c, size_t field)
{
    struct asci_factor *f = &c->factor[c->n_factors++];

    f->kind = ASCI_FACTOR_NUMBER;
    f->field = field;
    f->power = 1;
    f->missing = NAN;
    return f;
}

/* A function through n points, x and y in turn. */
static inline struct asci_factor *
add_knots(struct asci_column *c, size_t field, enum asci_outliers outliers,
          size_t n, const double *point)
{
    struct asci_factor *f = add_number(c, field);
    size_t i;

    f->n_knots = n;
    f->outliers = outliers;
    f->knot_x = calloc(n, sizeof *f->knot_x);
    f->knot_y = calloc(n, sizeof *f->knot_y);
    for (i = 0; i < n; i++) {
        f->knot_x[i] = point[2 * i];
        f->knot_y[i] = point[2 * i + 1];
    }
    return f;
}

/* A value for each category, 0 for undeclared ones. */
static inline struct asci_factor *
add_table(const asc_model *m, struct asci_column *c, size_t field,
          const double *value)
{
    struct asci_factor *f = add_number(c, field);
    const size_t n = m->schema.field[field].n_categories;

    f->kind = ASCI_FACTOR_TABLE;
    f->n_values = n + 1;
    f->value = calloc(n + 1, sizeof *f->value);
    memcpy(f->value, value, n * sizeof *value);
    return f;
}

/* One column for each continuous field, one for each category of the others;
 * missing is the column's value where the field is missing. */
static inline void
add_plain_columns(asc_model *m, double missing)
{
    size_t j, k;

    for (j = 0; j < m->schema.n; j++) {
        const struct asc_field *f = &m->schema.field[j];

        if (f->kind == ASC_CONTINUOUS)
            add_number(add_column(m, 1.0), j)->missing = missing;
        for (k = 0; k < f->n_categories; k++) {
            double one[9] = { 0 };

            one[k] = 1.0;
            add_table(m, add_column(m, 1.0), j, one)->missing = missing;
        }
    }
}

static inline double *
copy_numbers(const double *v, size_t n)
{
    double *p = malloc((n + 1) * sizeof *p);

    assert_non_null(p);
    memcpy(p, v, n * sizeof *p);
    return p;
}

static inline void
set_linear(asc_model *m, size_t n_raw, const double *w, const double *b)
{
    m->form = ASC_FORM_LINEAR;
    m->n_raw = m->u.linear.n_raw = n_raw;
    m->u.linear.n_columns = m->encoder.n;
    m->u.linear.w = copy_numbers(w, n_raw * m->encoder.n);
    m->u.linear.b = copy_numbers(b, n_raw);
}

static inline void
add_layer(asc_model *m, size_t n_out, const double *w, const double *b,
          enum asci_activation activation)
{
    struct asci_network *f = &m->u.network;
    struct asci_layer *layer;
    size_t n_in;

    if (m->form != ASC_FORM_NETWORK) {
        m->form = ASC_FORM_NETWORK;
        f->n_columns = m->encoder.n;
        f->layer = calloc(8, sizeof *f->layer);
    }
    n_in = f->n_layers ? f->layer[f->n_layers - 1].n_out : f->n_columns;
    layer = &f->layer[f->n_layers++];
    layer->n_in = n_in;
    layer->n_out = m->n_raw = n_out;
    layer->w = copy_numbers(w, n_out * n_in);
    layer->b = copy_numbers(b, n_out);
    layer->activation = activation;
}

/* n outputs c0, c1, ... (two of one raw output if there is one) of a
 * classifier, or one of a regression if n is 1; and the last checks. */
static inline asc_model *
model_end(asc_model *m, size_t n, enum asci_link link)
{
    struct asc_error e;
    size_t k;

    m->classifier = n > 1;
    m->link = link;
    m->n_outputs = n;
    m->output = calloc(n, sizeof *m->output);
    for (k = 0; k < n; k++) {
        char name[32];

        snprintf(name, sizeof name, "c%zu", k);
        m->output[k].name = strdup(name);
        m->output[k].raw = m->n_raw == 1 ? 0 : k;
        m->output[k].sign = 1.0;
        if (n == 2 && m->n_raw == 1 && k == 0) {
            m->output[k].sign = -1.0;
            m->output[k].complement = 1;
        }
    }
    if (asci_model_finish(m, &e) != ASC_OK)
        fail_msg("%s", e.text);
    return m;
}

static inline void
random_numbers(struct asc_stream *s, double *v, size_t n, double size)
{
    size_t i;

    for (i = 0; i < n; i++)
        v[i] = size * asc_stream_normal(s);
}

/* A layer of random weights. */
static inline void
add_random_layer(asc_model *m, struct asc_stream *s, size_t n_out,
                 enum asci_activation activation)
{
    const struct asci_network *f = &m->u.network;
    size_t n_in = m->form == ASC_FORM_NETWORK
                  ? f->layer[f->n_layers - 1].n_out : m->encoder.n;
    double *w = malloc((n_in + 1) * n_out * sizeof *w);

    assert_non_null(w);
    random_numbers(s, w, (n_in + 1) * n_out, 1.0 / sqrt((double)n_in));
    add_layer(m, n_out, w, w + n_in * n_out, activation);
    free(w);
}

/* ---- networks of the reference data ---- */

/* The numbers from p on, through brackets, until `stop` closing ones. */
static inline char *
scan_numbers(char *p, int stop, double *v, size_t *n, size_t *rows)
{
    int depth = 0;

    for (*n = *rows = 0;;) {
        if (*p == '[') {
            depth++;
            p++;
        } else if (*p == ']') {
            *rows += depth == 2;
            depth--;
            p++;
            if (depth == 0 || stop == 0)
                return p;
        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            v[(*n)++] = strtod(p, &p);
        } else {
            p++;
        }
    }
}

/* The network of CASE/model.json of the reference data, NULL if it is not
 * there: `n_outputs` outputs with `link` behind the last layer. */
static inline asc_model *
golden_network(const char *name, size_t n_fields, size_t n_outputs,
               enum asci_link link)
{
    enum { ROOM = 1 << 20 };
    char path[4200], file[64], fields[65] = { 0 };
    static const struct { const char *op; enum asci_activation a; } ops[] = {
        { "relu", ASCI_RELU }, { "tanh", ASCI_TANH },
        { "sigmoid", ASCI_LOGISTIC }
    };
    char *text = malloc(ROOM), *p;
    double *w = malloc(ROOM * sizeof *w), *b = malloc(ROOM * sizeof *b);
    asc_model *m = NULL;
    size_t n, rows, n_b, i;
    FILE *f;

    snprintf(file, sizeof file, "golden/%s/model.json", name);
    if (!shared_path(file, path, sizeof path) || !(f = fopen(path, "r")))
        goto out;
    text[fread(text, 1, ROOM - 1, f)] = '\0';
    fclose(f);
    memset(fields, 'x', n_fields);
    m = model_begin(fields);
    add_plain_columns(m, NAN);
    for (p = strstr(text, "\"op\": \""); p; p = strstr(p, "\"op\": \"")) {
        p += strlen("\"op\": \"");
        if (strncmp(p, "linear", 6) == 0) {
            p = scan_numbers(strstr(p, "\"W\": ") + 5, 1, w, &n, &rows);
            p = scan_numbers(strstr(p, "\"b\": ") + 5, 1, b, &n_b, &i);
            assert_int_equal(rows, n_b);
            add_layer(m, rows, w, b, ASCI_IDENTITY);
        }
        for (i = 0; i < sizeof ops / sizeof *ops; i++)
            if (strncmp(p, ops[i].op, strlen(ops[i].op)) == 0)
                m->u.network.layer[m->u.network.n_layers - 1].activation =
                    ops[i].a;
    }
    model_end(m, n_outputs, link);
out:
    free(b);
    free(w);
    free(text);
    return m;
}

/* The numbers of CASE/FILE.tsv of the reference data, or NULL. */
static inline double *
golden_numbers(const char *name, const char *file, size_t *rows,
               size_t *columns)
{
    char path[128];

    snprintf(path, sizeof path, "golden/%s/%s.tsv", name, file);
    return shared_numbers(path, rows, columns);
}

/* The networks that Captum 0.8.0 explained in float64 (golden/README.tsv). */
static const struct { const char *name; size_t d, k; } golden_nets[] = {
    { "nn_mlp_tanh", 8, 2 }, { "nn_mlp_relu_clf", 12, 3 },
    { "nn_mlp_relu_tiny", 3, 1 }, { "nn_mlp_sigmoid", 6, 1 },
    { "nn_mlp_30_128_128_1", 30, 1 }
};
enum { GOLDEN_NETS = sizeof golden_nets / sizeof *golden_nets };

/* ---- runs ---- */

static inline void
set_spec(struct asc_specs *specs, const char *text,
         const struct asc_entry *entry, const char *what)
{
    struct asc_error e;

    memset(specs, 0, sizeof *specs);
    if (asc_specs_parse(text, &entry, 1, what, specs, &e) != ASC_OK)
        fail_msg("%s", e.text);
}

/* Ids of n rows: first, first + 1, ... */
static inline void
set_ids(struct asc_text *id, char (*text)[24], size_t n, size_t first)
{
    size_t i;

    for (i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], "%zu", first + i);
        id[i].p = text[i];
        id[i].n = strlen(text[i]);
    }
}

struct explanation {
    double *phi, *se;           /* (n, q, d) */
    double *base, *value;       /* (n, q) */
};

static inline void
explanation_free(struct explanation *x)
{
    free(x->phi);
    free(x->se);
    free(x->base);
    free(x->value);
}

/* Explains outputs output (q), the same of each row, of x (n, d), in blocks of
 * `block` rows. */
static inline int
explain_blocks(const char *spec, const struct asc_method *method,
               const asc_model *m, enum asc_scale scale,
               const struct asc_background *background, const double *x,
               size_t n, const size_t *output, size_t q, size_t block,
               struct explanation *out, struct asc_error *e)
{
    const size_t d = asc_model_schema(m)->n;
    struct asc_specs specs;
    struct asc_task task = { m, scale, background, NULL };
    struct asc_text *id = malloc(n * sizeof *id);
    char (*text)[24] = malloc(n * sizeof *text);
    size_t *outputs = malloc(n * q * sizeof *outputs), i;
    asc_explainer *explainer;
    int status = ASC_OK;

    memset(out, 0, sizeof *out);
    set_spec(&specs, spec, &method->entry, "method");
    task.spec = &specs.v[0];
    explainer = asc_explainer_new(&task, e);
    if (!explainer) {
        status = (int)e->status;
        goto out;
    }
    out->phi = calloc(n * q * d, sizeof *out->phi);
    out->se = calloc(n * q * d, sizeof *out->se);
    out->base = calloc(n * q, sizeof *out->base);
    out->value = calloc(n * q, sizeof *out->value);
    set_ids(id, text, n, 1);
    for (i = 0; i < n * q; i++)
        outputs[i] = output[i % q];
    for (i = 0; i < n && status == ASC_OK; i += block) {
        struct asc_explain b = {
            .n = n - i < block ? n - i : block, .d = d, .q = q,
            .x = x + i * d, .id = id + i, .output = outputs + i * q,
            .phi = out->phi + i * q * d, .se = out->se + i * q * d,
            .base = out->base + i * q, .value = out->value + i * q
        };

        status = asc_explainer_run(explainer, &b, e);
    }
out:
    asc_explainer_free(explainer);
    asc_specs_free(&specs);
    free(outputs);
    free(text);
    free(id);
    return status;
}

/* The same for one output, in one block; fails the test if it fails. */
static inline struct explanation
explain(const char *spec, const struct asc_method *method, const asc_model *m,
        enum asc_scale scale, const struct asc_background *background,
        const double *x, size_t n, size_t output)
{
    struct explanation out;
    struct asc_error e;

    if (explain_blocks(spec, method, m, scale, background, x, n, &output, 1,
                       n, &out, &e) != ASC_OK)
        fail_msg("%s", e.text);
    return out;
}

/* Whatever the size of the blocks and the outputs asked for together, the same
 * bits come out. */
static inline void
check_row_contract(const char *spec, const struct asc_method *method,
                   const asc_model *m, enum asc_scale scale,
                   const struct asc_background *background, const double *x,
                   size_t n)
{
    const size_t d = asc_model_schema(m)->n, k = asc_model_n_outputs(m);
    size_t all[8], i, o, b;
    const size_t blocks[] = { 1, 3, 7 };
    struct explanation whole, parts;
    struct asc_error e;

    assert_true(k <= 8);
    for (o = 0; o < k; o++)
        all[o] = o;
    assert_int_equal(explain_blocks(spec, method, m, scale, background, x, n,
                                    all, k, n, &whole, &e), ASC_OK);
    for (b = 0; b < 3; b++) {
        assert_int_equal(explain_blocks(spec, method, m, scale, background, x,
                                        n, all, k, blocks[b], &parts, &e),
                         ASC_OK);
        same_bits(parts.phi, whole.phi, n * k * d);
        same_bits(parts.se, whole.se, n * k * d);
        same_bits(parts.base, whole.base, n * k);
        same_bits(parts.value, whole.value, n * k);
        explanation_free(&parts);
    }
    for (o = 0; o < k; o++) {
        parts = explain(spec, method, m, scale, background, x, n, o);
        for (i = 0; i < n; i++) {
            same_bits(parts.phi + i * d, whole.phi + (i * k + o) * d, d);
            same_bits(parts.base + i, whole.base + i * k + o, 1);
            same_bits(parts.value + i, whole.value + i * k + o, 1);
        }
        explanation_free(&parts);
    }
    explanation_free(&whole);
}

/* FILE.tsv of each network against a method's attributions of the raw output
 * of each row's target; with the case's baseline.tsv, or zeros. */
enum baseline { NO_BASELINE, CASE_BASELINE, ZERO_BASELINE };

static inline void
compare_golden(const char *spec, const struct asc_method *method,
               const char *file, enum baseline baseline, double tolerance)
{
    size_t n, d, n_want, d_want, i, j, net;

    for (net = 0; net < GOLDEN_NETS; net++) {
        const char *name = golden_nets[net].name;
        const size_t k = golden_nets[net].k;
        double *x = golden_numbers(name, "X", &n, &d), *target, *want, *b;
        struct asc_background background;
        asc_model *m;

        if (!x)
            skip();
        b = golden_numbers(name, "baseline", &n_want, &d_want);
        target = golden_numbers(name, "target", &n_want, &d_want);
        want = golden_numbers(name, file, &n_want, &d_want);
        m = golden_network(name, d, k,
                           k > 1 ? ASCI_LINK_SOFTMAX : ASCI_LINK_NONE);
        assert_non_null(m);
        assert_int_equal(d, golden_nets[net].d);
        assert_int_equal(n, n_want);
        assert_int_equal(d, d_want);
        for (j = 0; j < d && baseline == ZERO_BASELINE; j++)
            b[j] = 0.0;
        assert_int_equal(asc_background_make(asc_model_schema(m), b, 1,
                                             &background, NULL), ASC_OK);
        for (i = 0; i < n; i++) {
            struct explanation got = explain(
                spec, method, m, ASC_RAW,
                baseline == NO_BASELINE ? NULL : &background, x + i * d, 1,
                (size_t)target[i]);

            for (j = 0; j < d; j++)
                close_to(got.phi[j], want[i * d + j], tolerance);
            explanation_free(&got);
        }
        asc_background_free(&background);
        asc_model_free(m);
        free(want);
        free(target);
        free(b);
        free(x);
    }
}

static inline void
make_background(const asc_model *m, const double *x, size_t n,
                struct asc_background *b)
{
    struct asc_error e;

    if (asc_background_make(asc_model_schema(m), x, n, b, &e) != ASC_OK)
        fail_msg("%s", e.text);
}

/* The output of one row. */
static inline double
output_at(const asc_model *m, enum asc_scale scale, const double *x,
          size_t output)
{
    double y[8];
    struct asc_error e;

    if (asc_model_evaluate(m, scale, x, 1, y, &e) != ASC_OK)
        fail_msg("%s", e.text);
    return y[output];
}

/* ---- a model that counts what it is asked ---- */

struct counter {
    double (*f)(const double *x, size_t d, size_t output);
    size_t d, k;
    size_t calls, rows;
};

static inline int
counter_evaluate(const void *state, enum asc_scale scale, const double *x,
                 size_t n, double *y, struct asc_error *e)
{
    struct counter *c = (struct counter *)(uintptr_t)state;
    size_t i, o;

    (void)scale;
    (void)e;
    c->calls++;
    c->rows += n;
    for (i = 0; i < n; i++)
        for (o = 0; o < c->k; o++)
            y[i * c->k + o] = c->f(x + i * c->d, c->d, o);
    return ASC_OK;
}

/* An opaque model of k outputs; c must live as long. */
static inline asc_model *
counting_model(const char *fields, size_t k, struct counter *c,
               double (*f)(const double *x, size_t d, size_t output))
{
    asc_model *m = model_begin(fields);

    memset(c, 0, sizeof *c);
    c->f = f;
    c->d = m->schema.n;
    c->k = k;
    m->form = ASC_FORM_OPAQUE;
    m->u.opaque.state = c;
    m->u.opaque.evaluate = counter_evaluate;
    model_end(m, k, ASCI_LINK_NONE);
    c->calls = c->rows = 0;
    return m;
}

#endif
