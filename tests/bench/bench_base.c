/* Numbers and text against the C library, tables read, matrix products
 * against the plain loop, exact sums against plain ones, random streams and
 * row ids.  One thread.
 *
 * Usage: bench_base
 */
#include "bench.h"

#include "table/internal.h"

enum { NUMBERS = 20000, NAME = 32 };

/* ---- numbers ---- */

struct numbers {
    double v[NUMBERS];
    char text[NUMBERS][NAME];
    size_t n[NUMBERS];
    char out[NAME];
    double sum;
};

static void
format_ours(void *context)
{
    struct numbers *t = context;
    size_t i;

    for (i = 0; i < NUMBERS; i++)
        t->sum += (double)asc_number_format(t->v[i], t->out);
}

/* What asc_number_format promises, by the C library. */
static void
format_plain(void *context)
{
    struct numbers *t = context;
    size_t i;
    int digits;

    for (i = 0; i < NUMBERS; i++)
        for (digits = 15; digits <= 17; digits++) {
            snprintf(t->out, NAME, "%.*g", digits, t->v[i]);
            if (digits == 17 || strtod(t->out, NULL) == t->v[i])
                break;
        }
}

static void
format_once(void *context)
{
    struct numbers *t = context;
    size_t i;

    for (i = 0; i < NUMBERS; i++)
        snprintf(t->out, NAME, "%.17g", t->v[i]);
}

static void
parse_ours(void *context)
{
    struct numbers *t = context;
    double v = 0.0;
    size_t i;

    for (i = 0; i < NUMBERS; i++) {
        asc_number_parse(t->text[i], t->n[i], &v);
        t->sum += v;
    }
}

static void
parse_plain(void *context)
{
    struct numbers *t = context;
    size_t i;

    for (i = 0; i < NUMBERS; i++)
        t->sum += strtod(t->text[i], NULL);
}

static void
bench_numbers(const char *kind, struct numbers *t)
{
    struct timing took;
    char what[200];
    size_t i;

    for (i = 0; i < NUMBERS; i++) {
        t->n[i] = asc_number_format(t->v[i], t->text[i]);
        t->text[i][t->n[i]] = '\0';
    }
    took = measure(format_ours, format_plain, t, 0.05);
    text(what, "format numbers, %s", kind);
    report(what, 1e9 * took.a / NUMBERS, "ns");
    report(what, 1.0 / took.ratio,
           "times as fast as snprintf and strtod, 15 to 17 digits");
    took = measure(format_ours, format_once, t, 0.05);
    report(what, 1.0 / took.ratio, "times as fast as snprintf %.17g");
    took = measure(parse_ours, parse_plain, t, 0.05);
    text(what, "parse numbers, %s", kind);
    report(what, 1e9 * took.a / NUMBERS, "ns");
    report(what, 1.0 / took.ratio, "times as fast as strtod");
}

/* ---- tables ---- */

struct table {
    struct asc_buffer text;
    struct asc_schema schema;
    double sum;
};

static void
read_table(void *context)
{
    struct table *t = context;
    struct asc_binding b;
    struct asc_rows rows;
    struct asc_error e;
    asc_reader *r = asci_reader_open_bytes("bench", t->text.p, t->text.n, NULL,
                                           &e);
    int more;

    if (!r || asc_bind(&b, &t->schema, r, &e)
        || asc_rows_init(&rows, 512, t->schema.n, 0, &e))
        die(e.text);
    while ((more = asc_rows_read(&rows, r, &b, NULL, NULL, &e)) > 0)
        t->sum += rows.x[0];
    if (more < 0)
        die(e.text);
    asc_rows_free(&rows);
    asc_binding_free(&b);
    asc_reader_close(r);
}

/* digits 0: as many as a random number needs; or a category each. */
static void
bench_table(const char *kind, int digits, int categories, double target,
            struct asc_stream *s)
{
    enum { ROWS = 20000 };
    static const char *const category[] = { "Private", "Self-employed",
                                            "Government", "none" };
    asc_model *m = begin();
    struct table t = { .schema = m->schema };
    char what[200];
    double rate;
    size_t i, j, k;

    for (j = 0; j < FIELDS; j++) {
        asc_buffer_text(&t.text, m->schema.field[j].name);
        asc_buffer_char(&t.text, j + 1 < FIELDS ? '\t' : '\n');
        if (!categories)
            continue;
        m->schema.field[j].kind = ASC_CATEGORICAL;
        m->schema.field[j].n_categories = 4;
        m->schema.field[j].categories = room(4, sizeof(char *));
        for (k = 0; k < 4; k++)
            m->schema.field[j].categories[k] = strdup(category[k]);
    }
    for (i = 0; i < ROWS; i++)
        for (j = 0; j < FIELDS; j++) {
            if (categories)
                asc_buffer_text(&t.text, category[asc_stream_below(s, 4)]);
            else
                asc_buffer_number(&t.text, asc_stream_normal(s), digits);
            asc_buffer_char(&t.text, j + 1 < FIELDS ? '\t' : '\n');
        }
    if (t.text.failed)
        die("out of memory");
    rate = 1e-6 * (double)t.text.n / measure(read_table, NULL, &t, 0.1).a;
    text(what, "read a table, %s", kind);
    if (target > 0.0)
        report_at_least(what, rate, "MB/s", target);
    else
        report(what, rate, "MB/s");
    asc_buffer_free(&t.text);
    asc_model_free(m);
}

/* ---- products ---- */

struct product {
    struct asci_weights *w;
    size_t m, n, k;
    double *a, *b, *c, *scratch;
};

static void
product_ours(void *context)
{
    struct product *t = context;

    asci_product(t->w, t->a, t->m, t->c, t->scratch);
}

static void
product_plain(void *context)
{
    struct product *t = context;
    size_t i, j, k;

    for (i = 0; i < t->m; i++)
        for (j = 0; j < t->n; j++) {
            double sum = 0.0;

            for (k = 0; k < t->k; k++)
                sum += t->a[i * t->k + k] * t->b[j * t->k + k];
            t->c[i * t->n + j] = sum;
        }
}

static void
bench_product(size_t m, size_t n, size_t k, struct asc_stream *s)
{
    struct product t = { .m = m, .n = n, .k = k };
    struct timing took;
    struct asc_error e;
    char what[200];
    size_t i;

    t.a = room(m * k, sizeof *t.a);
    t.b = room(n * k, sizeof *t.b);
    t.c = room(m * n, sizeof *t.c);
    for (i = 0; i < m * k; i++)
        t.a[i] = asc_stream_normal(s);
    for (i = 0; i < n * k; i++)
        t.b[i] = asc_stream_normal(s);
    t.w = asci_weights_new(t.b, NULL, n, k, &e);
    if (!t.w)
        die(e.text);
    t.scratch = room(asci_product_scratch(t.w), sizeof *t.scratch);
    took = measure(product_ours, product_plain, &t, 0.05);
    text(what, "product (%zu, %zu) (%zu, %zu)'", m, k, n, k);
    report(what, 2e-9 * (double)(m * n * k) / took.a, "Gflop/s");
    report(what, 1.0 / took.ratio, "times as fast as the plain loop");
    asci_weights_free(t.w);
    free(t.scratch);
    free(t.a);
    free(t.b);
    free(t.c);
}

/* ---- sums, streams, ids ---- */

static void
sum_exact(void *context)
{
    struct numbers *t = context;
    struct asc_sum sum;
    size_t i;

    asc_sum_clear(&sum);
    for (i = 0; i < NUMBERS; i++)
        asc_sum_add(&sum, t->v[i]);
    t->sum = asc_sum_value(&sum);
}

static void
draw_normals(void *context)
{
    struct numbers *t = context;
    struct asc_stream s;
    size_t i;

    asc_stream_start(&s, 1, "bench", "", 0);
    for (i = 0; i < NUMBERS; i++)
        t->sum += asc_stream_normal(&s);
}

static void
start_streams(void *context)
{
    struct numbers *t = context;
    struct asc_stream s;
    size_t i;

    for (i = 0; i < NUMBERS; i++) {
        asc_stream_start(&s, 1, "bench", t->text[i], t->n[i]);
        t->sum += asc_stream_uniform(&s);
    }
}

static void
add_ids(void *context)
{
    struct numbers *t = context;
    struct asc_error e;
    struct asc_ids *ids = asc_ids_new(&e);
    size_t i;

    for (i = 0; ids && i < NUMBERS; i++)
        if (asc_ids_add(ids, (struct asc_text){ t->text[i], t->n[i] }, i + 2,
                        "bench", "row", &e))
            die(e.text);
    asc_ids_free(ids);
}

static void
bench_rate(const char *what, timed *run, struct numbers *t)
{
    report(what, 1e9 * measure(run, NULL, t, 0.05).a / NUMBERS, "ns");
}

int
main(void)
{
    struct numbers *t = room(1, sizeof *t);
    struct asc_stream s;
    size_t i;

    asc_blas_threads(1);
    asc_stream_start(&s, 1, "bench-base", "", 0);
    for (i = 0; i < NUMBERS; i++)
        t->v[i] = (double)asc_stream_below(&s, 100000) / 100.0;
    bench_numbers("2 decimals", t);
    for (i = 0; i < NUMBERS; i++)
        t->v[i] = asc_stream_normal(&s);
    bench_numbers("all digits", t);
    bench_rate("add to an exact sum", sum_exact, t);
    bench_rate("draw a normal", draw_normals, t);
    bench_rate("start a stream and draw", start_streams, t);
    bench_rate("check a row id", add_ids, t);
    bench_table("numbers of 5 digits", 5, 0, 60.0, &s);
    bench_table("numbers of all digits", 0, 0, 60.0, &s);
    bench_table("categories", 0, 1, 0.0, &s);
    bench_product(288, 64, 64, &s);
    bench_product(28800, 14, 64, &s);
    bench_product(96, 512, 512, &s);
    free(t);
    return 0;
}
