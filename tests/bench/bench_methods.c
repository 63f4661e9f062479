/* Every entry of the registries: rows per second, and what a row costs as a
 * multiple of the model evaluations that it asks for, done in blocks by
 * themselves.
 *
 * Methods that look at a model through its values alone, and metrics, are
 * counted on a model that counts; below 1 they share work between
 * evaluations.  Methods that look into the model (trees, gradients) are
 * compared with one evaluation of the row.  One thread.
 *
 * Usage: bench_methods [NAME]    only entries of this name
 */
#include "bench.h"

static const char *only;

/* ---- a model that counts its evaluations ---- */

struct counter { asc_model *m; size_t n; };

static int
count_evaluate(const void *state, enum asc_scale scale, const double *x,
               size_t n, double *y, struct asc_error *e)
{
    struct counter *c = (struct counter *)(uintptr_t)state;

    c->n += n;
    return asc_model_evaluate(c->m, scale, x, n, y, e);
}

static void
count_nothing(void *state)
{
    (void)state;
}

static asc_model *
make_counted(struct counter *c)
{
    asc_model *m = begin();

    m->form = ASC_FORM_OPAQUE;
    m->u.opaque.state = c;
    m->u.opaque.evaluate = count_evaluate;
    m->u.opaque.free = count_nothing;
    return finish(m);
}

/* ---- things to time ---- */

struct evaluating {
    const asc_model *m;
    enum asc_scale scale;
    const double *x;
    double *y;
    size_t n;
};

static void
run_evaluating(void *context)
{
    struct evaluating *t = context;
    struct asc_error e;

    if (asc_model_evaluate(t->m, t->scale, t->x, t->n, t->y, &e))
        die(e.text);
}

/* Seconds of one evaluation, in a large block. */
static double
evaluation(const asc_model *m, struct asc_stream *s)
{
    enum { N = 28800 };
    double *x = make_rows(N, s), *y = room(N, sizeof *y);
    struct evaluating t = { m, ASC_RAW, x, y, N };
    const double took = measure(run_evaluating, NULL, &t, 0.05).a / N;

    free(x);
    free(y);
    return took;
}

/* Rows that take about a tenth of a second. */
enum { MOST_ROWS = 4096 };

struct scoring {
    const struct asc_metric *metric;
    struct asc_metric_task task;
    struct asc_specs specs;
    void *state;
    struct asc_score rows;
};

static void
run_scoring(void *context)
{
    struct scoring *t = context;
    struct asc_error e;

    if (t->metric->run(&t->task, t->state, &t->rows, &e))
        die(e.text);
}

static size_t
fitting_rows(timed *run, void *context, size_t *n)
{
    for (*n = 1; *n < MOST_ROWS; *n *= 2) {
        const double start = now();

        run(context);
        if (now() - start > 0.05)
            break;
    }
    return *n;
}

/* ---- methods and metrics ---- */

struct form {
    const char *name;
    asc_model *m;
    double evaluation;          /* seconds of one */
};

static void
report_cost(const char *kind, const char *name, const struct form *f,
            size_t n, double took, double asked)
{
    char what[200], unit[200];

    text(what, "%s %s, %s", kind, name, f->name);
    report(what, (double)n / took, "rows/s");
    report(what, took / (double)n / (asked * f->evaluation),
           text(unit, "of the time of %.0f evaluation%s", asked,
                asked > 1.0 ? "s" : ""));
}

static struct asc_specs
specification(const struct asc_entry *entry)
{
    struct asc_specs specs = { 0, NULL };
    struct asc_error e;

    if (asc_specs_parse(entry->name, &entry, 1, "entry", &specs, &e))
        die(e.text);
    return specs;
}

static void
bench_method(const struct asc_entry *entry, const struct form *f, size_t n_f,
             const double *x, struct asc_stream *s)
{
    const unsigned views = ASC_NEEDS_GRADIENT | ASC_NEEDS_TREES;
    struct counter c = { f[0].m, 0 };
    asc_model *counted = make_counted(&c);
    struct asc_background b = make_background(counted, s);
    struct explaining w;
    double asked = 1.0;
    size_t i, n;

    if (!(entry->traits & views)) {
        w = explaining_new(entry->name, counted, ASC_RAW, &b, x, 1);
        c.n = 0;
        explaining_run(&w);
        asked = fmax(1.0, (double)c.n);
        explaining_free(&w);
    }
    for (i = 0; i < n_f; i++) {
        if (entry->traits & views & ~asc_model_views(f[i].m))
            continue;
        w = explaining_new(entry->name, f[i].m, ASC_RAW, &b, x, MOST_ROWS);
        n = fitting_rows(explaining_run, &w, &w.n);
        report_cost("method", entry->name, &f[i], n,
                    measure(explaining_run, NULL, &w, 0.0).a, asked);
        explaining_free(&w);
    }
    asc_background_free(&b);
    asc_model_free(counted);
}

static void
score_with(struct scoring *t, const asc_model *m)
{
    struct asc_error e;

    t->task.model = m;
    if (t->metric->prepare && t->metric->prepare(&t->task, &t->state, &e))
        die(e.text);
}

static void
score_end(struct scoring *t)
{
    if (t->metric->finish)
        t->metric->finish(t->state);
    t->state = NULL;
}

static void
bench_metric(const struct asc_metric *metric, const struct form *f,
             size_t n_f, const double *x, const struct asc_text *id,
             struct asc_stream *s)
{
    struct counter c = { f[0].m, 0 };
    asc_model *counted = make_counted(&c);
    struct asc_background b = make_background(counted, s);
    struct scoring t = { .metric = metric, .task.background = &b };
    double *value = room(MOST_ROWS, sizeof *value), asked;
    double *zero = room(MOST_ROWS, sizeof *zero);
    double *phi = make_rows(MOST_ROWS, s);
    double *result = room(MOST_ROWS, sizeof *result);
    size_t *output = room(MOST_ROWS, sizeof *output), i, n;
    enum asc_scale *scale = room(MOST_ROWS, sizeof *scale);

    t.specs = specification(&metric->entry);
    t.task.spec = t.specs.v;
    t.rows = (struct asc_score){
        .n = 1, .d = FIELDS, .x = x, .id = id, .phi = phi, .base = zero,
        .value = value, .output = output, .scale = scale, .result = result
    };
    score_with(&t, counted);
    c.n = 0;
    run_scoring(&t);
    asked = fmax(1.0, (double)c.n);
    score_end(&t);
    for (i = 0; i < n_f; i++) {
        struct evaluating all = { f[i].m, ASC_RAW, x, value, MOST_ROWS };

        run_evaluating(&all);
        score_with(&t, f[i].m);
        n = fitting_rows(run_scoring, &t, &t.rows.n);
        report_cost("metric", metric->entry.name, &f[i], n,
                    measure(run_scoring, NULL, &t, 0.0).a, asked);
        score_end(&t);
    }
    asc_specs_free(&t.specs);
    asc_background_free(&b);
    asc_model_free(counted);
    free(value);
    free(zero);
    free(phi);
    free(result);
    free(output);
    free(scale);
}

/* ---- agreement ---- */

struct comparing {
    const struct asc_agreement *measure;
    struct asc_specs specs;
    const double *a, *b;        /* (MOST_ROWS, FIELDS) */
};

static void
run_comparing(void *context)
{
    struct comparing *t = context;
    struct asc_error e;
    double v;
    size_t i;

    for (i = 0; i < MOST_ROWS; i++)
        if (t->measure->measure(t->a + i * FIELDS, t->b + i * FIELDS, FIELDS,
                                t->specs.v, &v, &e))
            die(e.text);
}

static void
bench_agreement(const struct asc_agreement *measured, const double *a,
                const double *b)
{
    struct comparing t = { measured, specification(&measured->entry), a, b };
    char what[200];

    text(what, "agreement %s", measured->entry.name);
    report(what, MOST_ROWS / measure(run_comparing, NULL, &t, 0.02).a,
           "pairs/s");
    asc_specs_free(&t.specs);
}

/* ---- trainers ---- */

struct training {
    const struct asc_trainer *trainer;
    struct asc_specs specs;
    struct asc_training table;
};

static void
run_training(void *context)
{
    struct training *t = context;
    struct asc_error e;
    asc_model *m = t->trainer->fit(&t->table, t->specs.v, NULL, &e);

    if (!m)
        die(e.text);
    asc_model_free(m);
}

/* A table whose target is a number, or one of two classes. */
static void
bench_trainer(const struct asc_trainer *trainer, double *x,
              struct asc_stream *s)
{
    struct training t = { trainer, specification(&trainer->entry), { 0 } };
    asc_model *m = begin();
    double *y = room(MOST_ROWS, sizeof *y);
    char what[200], name[] = "y", no[] = "no", yes[] = "yes";
    char *classes[] = { no, yes };
    size_t i;

    for (i = 0; i < MOST_ROWS; i++)
        y[i] = x[i * FIELDS] + 0.5 * asc_stream_normal(s) > 0.0;
    t.table.n = MOST_ROWS;
    t.table.schema = m->schema;
    t.table.x = x;
    t.table.y = y;
    t.table.target.name = name;
    t.table.target.kind = strcmp(trainer->entry.name, "linear")
                          ? ASC_CATEGORICAL : ASC_CONTINUOUS;
    t.table.target.n_categories = 2;
    t.table.target.categories = classes;
    t.table.id = room(MOST_ROWS, sizeof *t.table.id);
    t.table.id_length = room(MOST_ROWS, sizeof *t.table.id_length);
    for (i = 0; i < MOST_ROWS; i++) {
        t.table.id[i] = t.table.ids.n;
        asc_buffer_print(&t.table.ids, "%zu", i);
        t.table.id_length[i] = t.table.ids.n - t.table.id[i];
    }
    text(what, "trainer %s", trainer->entry.name);
    report(what, MOST_ROWS / measure(run_training, NULL, &t, 0.0).a,
           "rows/s");
    asc_buffer_free(&t.table.ids);
    free(t.table.id);
    free(t.table.id_length);
    asc_specs_free(&t.specs);
    free(y);
    asc_model_free(m);
}

static int
wanted(const struct asc_entry *entry)
{
    return !only || strcmp(only, entry->name) == 0;
}

int
main(int argc, char **argv)
{
    struct form form[3] = {
        { "logistic", NULL, 0.0 }, { "14-64-64-1 network", NULL, 0.0 },
        { "500 trees of depth 6", NULL, 0.0 }
    };
    struct asc_text id[MOST_ROWS];
    struct asc_stream s;
    double *x, *phi[2];
    size_t n, i;

    only = argc > 1 ? argv[1] : NULL;
    asc_blas_threads(1);
    asc_stream_start(&s, 1, "bench-methods", "", 0);
    form[0].m = make_logistic(&s);
    form[1].m = make_network(&s);
    form[2].m = make_ensemble(500, 6, &s);
    x = make_rows(MOST_ROWS, &s);
    phi[0] = make_rows(MOST_ROWS, &s);
    phi[1] = make_rows(MOST_ROWS, &s);
    for (i = 0; i < MOST_ROWS; i++)
        id[i] = (struct asc_text){ (const char *)&x[i * FIELDS], sizeof *x };
    for (i = 0; i < 3; i++) {
        form[i].evaluation = evaluation(form[i].m, &s);
        report(form[i].name, 1.0 / form[i].evaluation, "evaluations/s");
    }
    {
        const struct asc_method *const *all = asc_methods(&n);

        for (i = 0; i < n; i++)
            if (wanted(&all[i]->entry))
                bench_method(&all[i]->entry, form, 3, x, &s);
    }
    {
        const struct asc_metric *const *all = asc_fidelity_metrics(&n);

        for (i = 0; i < n; i++)
            if (wanted(&all[i]->entry))
                bench_metric(all[i], form, 3, x, id, &s);
    }
    {
        const struct asc_agreement *const *all = asc_agreements(&n);

        for (i = 0; i < n; i++)
            if (wanted(&all[i]->entry))
                bench_agreement(all[i], phi[0], phi[1]);
    }
    {
        const struct asc_trainer *const *all = asc_trainers(&n);

        for (i = 0; i < n; i++)
            if (wanted(&all[i]->entry))
                bench_trainer(all[i], x, &s);
    }
    for (i = 0; i < 3; i++)
        asc_model_free(form[i].m);
    free(x);
    free(phi[0]);
    free(phi[1]);
    return 0;
}
