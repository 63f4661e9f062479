/* Path-dependent tree-shap: the paper's game by brute force on random forests
 * over fields of all kinds, a worked example, other programs' values, and the
 * properties of Shapley values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribute/internal.h"
#include "attribution.h"
#include "forests.h"
#include "peers.h"
#include "seed.h"
#include "tree_game.h"

#define METHOD (&asci_method_tree_shap)

/* ---- the game by its definition: tree_game.h ---- */

/* All outputs of n random rows against the definition. */
static void
compare_by_definition(asc_model *m, size_t n_outputs, double missing,
                      struct asc_stream *s)
{
    enum { ROWS = 9 };
    const size_t d = m->schema.n;
    double *x = random_rows(m, ROWS, missing, s);
    double phi[16], base;
    size_t i, j, k, undefined = 0;

    model_end(m, n_outputs, ASCI_LINK_NONE);
    for (k = 0; k < n_outputs; k++) {
        struct explanation got = explain("tree-shap", METHOD, m, ASC_RAW,
                                         NULL, x, ROWS, k);
        const int minus = m->output[k].complement;

        for (i = 0; i < ROWS; i++) {
            by_definition(m, x + i * d, m->output[k].raw, phi, &base);
            close_to(got.base[i], minus ? 1.0 - base : base, 1e-12);
            for (j = 0; j < d; j++)
                undefined += isnan(phi[j]);
            if (undefined) {
                for (j = 0; j < d; j++)
                    assert_true(isnan(got.phi[i * d + j]));
                undefined = 0;
                continue;
            }
            for (j = 0; j < d; j++)
                close_to(got.phi[i * d + j], minus ? -phi[j] : phi[j], 1e-12);
            assert_true(asc_residual(got.phi + i * d, d, got.base[i],
                                     got.value[i]) < 1e-12);
            close_to(got.value[i], output_at(m, ASC_RAW, x + i * d, k), 0.0);
        }
        explanation_free(&got);
    }
    check_row_contract("tree-shap", METHOD, m, ASC_RAW, NULL, x, ROWS);
    free(x);
    asc_model_free(m);
}

static void
forests_of_all_kinds(void **state)
{
    static const struct {
        const char *fields;
        struct forest_plan plan;
        size_t n_outputs;
        double missing;
    } cases[] = {
        { "xxx", { 1, 3, 1, 1, .plain = 1, .full = 1 }, 1, 0.0 },
        { "xxxxx", { 5, 4, 1, 1, .plain = 1 }, 1, 0.2 },
        { "xxxxxx", { 4, 6, 1, 1, .plain = 1, .full = 1 }, 2, 0.1 },
        { "x3x5x", { 6, 5, 1, 1, .sets = 1 }, 1, 0.2 },
        { "x3x5x", { 6, 5, 1, 1, .three_ends = 1, .sets = 1 }, 1, 0.3 },
        { "x4xx", { 5, 6, 3, 3, .three_ends = 1 }, 3, 0.2 },
        { "x4xx", { 7, 4, 3, 1, .zero_covers = 1, .sets = 1 }, 3, 0.2 },
        { "xx2x3x", { 8, 5, 2, 2, .three_ends = 1, .zero_covers = 1,
                      .sets = 1 }, 2, 0.3 },
        { "xxxx", { 6, 5, 1, 1, .three_ends = 1, .no_answer = 1,
                    .plain = 1 }, 1, 0.3 },
        { "x2", { 3, 9, 1, 1, .sets = 1 }, 1, 0.1 },
        { "x", { 3, 5, 1, 1, .sets = 0 }, 1, 0.1 },
        { "xxx", { 2, 0, 1, 1, .sets = 0 }, 1, 0.1 },
        /* more different fields on a path than tables take */
        { "xxxxxxxxxxx", { 2, 11, 1, 1, .plain = 1, .full = 1 }, 1, 0.1 },
        { "xxxxx3xxxxx", { 2, 10, 2, 2, .three_ends = 1, .sets = 1,
                           .zero_covers = 1 }, 2, 0.2 },
        { "xxxxxxxxxxx", { 2, 11, 1, 1, .three_ends = 1, .no_answer = 1,
                           .plain = 1 }, 1, 0.2 }
    };
    struct asc_stream s;
    size_t i, again;

    (void)state;
    asc_stream_start(&s, test_seed(1), "tree-shap", "", 0);
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        for (again = 0; again < (cases[i].plan.depth < 10 ? 8 : 2); again++)
            compare_by_definition(random_forest(cases[i].fields,
                                                &cases[i].plan, &s),
                                  cases[i].n_outputs, cases[i].missing, &s);
}

/* The worked example: base 9.4, phi = (-241, 59, -61) / 45. */
static void
worked_example(void **state)
{
    const double x[3] = { 0.3, 0.9, 0.2 };
    asc_model *m = model_end(plant_tree_b(1), 1, ASCI_LINK_NONE);
    struct explanation got = explain("tree-shap", METHOD, m, ASC_RAW, NULL, x,
                                     1, 0);

    (void)state;
    close_to(got.base[0], 9.4, 1e-14);
    close_to(got.value[0], 4.0, 0.0);
    close_to(got.phi[0], -241.0 / 45.0, 1e-14);
    close_to(got.phi[1], 59.0 / 45.0, 1e-14);
    close_to(got.phi[2], -61.0 / 45.0, 1e-14);
    assert_true(isnan(got.se[0]));
    explanation_free(&got);
    asc_model_free(m);
}

/* ---- deep trees ---- */

/* phi of all leaves under node i of a tree over plain fields, by the product
 * game of each leaf: with k fields on the path, the coefficients e_s of
 * prod_{j != i} (h_j y + c_j) weighted by s! (k - s - 1)! / k!. */
struct oracle {
    const asc_model *m;
    const double *x;
    double *phi;
    size_t k;                   /* fields on the path */
    size_t field[128];
    long double c[128];
    int h[128];
};

static void
oracle_leaf(struct oracle *o, double value)
{
    size_t i, j, s;

    for (i = 0; i < o->k; i++) {
        long double e[128] = { 1.0L }, sum = 0.0L, weight = 1.0L / o->k;
        size_t n = 0;

        for (j = 0; j < o->k; j++) {
            if (j == i)
                continue;
            e[++n] = 0.0L;
            for (s = n; s > 0; s--)
                e[s] = e[s] * o->c[j] + e[s - 1] * o->h[j];
            e[0] *= o->c[j];
        }
        for (s = 0; s < o->k; s++) {
            sum += weight * e[s];
            weight *= (long double)(s + 1) / (long double)(o->k - s - 1);
        }
        o->phi[o->field[i]] += (double)(value * (o->h[i] - o->c[i]) * sum);
    }
}

static void
oracle_walk(struct oracle *o, uint32_t at)
{
    const struct asci_tree *t = &o->m->u.ensemble.tree[0];
    const struct asci_node *p = &t->node[at];
    const uint32_t child[2] = { p->yes, p->no };
    size_t i, k, j = p->column;

    if (p->test == ASCI_LEAF) {
        oracle_leaf(o, t->value[p->leaf]);
        return;
    }
    for (i = 0; i < o->k && o->field[i] != j; i++)
        ;
    for (k = 0; k < 2; k++) {
        const struct oracle kept = *o;

        if (i == o->k) {
            o->k++;
            o->field[i] = j;
            o->c[i] = 1.0L;
            o->h[i] = 1;
        }
        o->c[i] *= (long double)(t->cover[child[k]] / t->cover[at]);
        o->h[i] &= follow(&o->m->u.ensemble, p, o->x[j]) == child[k];
        oracle_walk(o, child[k]);
        *o = kept;
    }
}

/* A spine of n tests, field i % d each, with leaves along it. */
static void
spines(void **state)
{
    static const struct { size_t n, d; } cases[] = {
        { 70, 70 }, { 100, 9 }, { 100, 40 }, { 64, 3 }, { 18, 18 }
    };
    struct asc_stream s;
    size_t c, i, j;

    (void)state;
    asc_stream_start(&s, test_seed(11), "tree-shap", "", 0);
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        const size_t n = cases[c].n, d = cases[c].d;
        struct planted node[2 * 100 + 1];
        double cover = 1e6, *x, phi[128];
        char fields[128] = { 0 };
        struct explanation got;
        asc_model *m;

        memset(fields, 'x', d);
        for (i = 0; i < n; i++) {
            const double share =
                i % 7 == 3 ? 1.0 : 0.8 + 0.2 * asc_stream_uniform(&s);

            node[2 * i] = (struct planted){
                (int)(i % d), asc_stream_normal(&s) - 1.0,
                (uint32_t)(2 * i + 1), (uint32_t)(2 * i + 2), cover
            };
            node[2 * i + 1] = (struct planted){
                -1, asc_stream_normal(&s), 0, 0, cover * (1.0 - share)
            };
            cover *= share;
        }
        node[2 * n] = (struct planted){ -1, 3.0, 0, 0, cover };
        m = model_end(plant_tree(fields, node, 2 * n + 1, 1), 1,
                      ASCI_LINK_NONE);
        x = random_rows(m, 70, 0.05, &s);
        got = explain("tree-shap", METHOD, m, ASC_RAW, NULL, x, 70, 0);
        for (i = 0; i < 70; i += 6) {
            struct oracle o = { .m = m, .x = x + i * d, .phi = phi };

            memset(phi, 0, sizeof phi);
            oracle_walk(&o, 0);
            for (j = 0; j < d; j++)
                close_to(got.phi[i * d + j], phi[j], 1e-12);
            assert_true(asc_residual(got.phi + i * d, d, got.base[i],
                                     got.value[i]) < 1e-12);
        }
        check_row_contract("tree-shap", METHOD, m, ASC_RAW, NULL, x, 70);
        explanation_free(&got);
        free(x);
        asc_model_free(m);
    }
}

/* Every test twice changes nothing; a field that no tree looks at gets 0. */
static void
repeated_tests(void **state)
{
    static const struct planted once[] = {
        { 0, 0.5, 1, 2, 9 }, { -1, 1, 0, 0, 4 },
        { 2, 0.25, 3, 4, 5 }, { -1, -2, 0, 0, 2 }, { -1, 7, 0, 0, 3 }
    };
    static const struct planted twice[] = {
        { 0, 0.5, 1, 4, 9 }, { 0, 0.5, 2, 3, 4 }, { -1, 1, 0, 0, 4 },
        { -1, 99, 0, 0, 0 },
        { 2, 0.25, 5, 8, 5 }, { 2, 0.25, 6, 7, 2 }, { -1, -2, 0, 0, 2 },
        { -1, 99, 0, 0, 0 }, { 2, 0.25, 9, 10, 3 }, { -1, 99, 0, 0, 0 },
        { -1, 7, 0, 0, 3 }
    };
    const double x[6] = { 0.4, 1.0, 0.3, 0.6, NAN, NAN };
    asc_model *a = model_end(plant_tree("xxx", once, 5, 1), 1,
                             ASCI_LINK_NONE);
    asc_model *b = model_end(plant_tree("xxx", twice, 11, 1), 1,
                             ASCI_LINK_NONE);
    struct explanation p = explain("tree-shap", METHOD, a, ASC_RAW, NULL, x, 2,
                                   0);
    struct explanation q = explain("tree-shap", METHOD, b, ASC_RAW, NULL, x, 2,
                                   0);
    size_t i;

    (void)state;
    for (i = 0; i < 6; i++)
        close_to(p.phi[i], q.phi[i], 1e-15);
    assert_true(p.phi[1] == 0.0 && p.phi[4] == 0.0);
    explanation_free(&p);
    explanation_free(&q);
    asc_model_free(a);
    asc_model_free(b);
}

/* ---- record counts and refusals ---- */

static void
refuse(const asc_model *m, enum asc_scale scale,
       const struct asc_background *b, enum asc_status status,
       const char *text)
{
    const double x[16] = { 0 };
    const size_t output = 0;
    struct explanation got;
    struct asc_error e;

    assert_int_equal(explain_blocks("tree-shap", METHOD, m, scale, b, x, 1,
                                    &output, 1, 1, &got, &e), status);
    assert_string_equal(e.text, text);
}

/* Counts of the ten rows that tree B was made from, taken from them. */
static void
counts_from_background(void **state)
{
    static const double z[30] = {
        0.1, 0.1, 0.9,  0.2, 0.5, 0.1,
        0.1, 0.6, 0.1,  0.5, 0.7, 0.5,  0.3, 0.9, 0.2,  0.2, 0.8, 0.9,
        0.6, 0.5, 0.5,  0.9, 0.1, 0.1,  0.9, 0.2, 0.3,  1.5, 0.4, 0.4
    };
    const double x[3] = { 0.3, 0.9, 0.2 };
    asc_model *m = model_end(plant_tree_b(0), 1, ASCI_LINK_NONE);
    struct asc_background b;
    struct explanation got;

    (void)state;
    refuse(m, ASC_RAW, NULL, ASC_EUSAGE, "small has no record counts, which "
           "tree-shap weighs branches by: give background rows with -b");
    make_background(m, z, 10, &b);
    got = explain("tree-shap", METHOD, m, ASC_RAW, &b, x, 1, 0);
    close_to(got.phi[0], -241.0 / 45.0, 1e-14);
    close_to(got.phi[1], 59.0 / 45.0, 1e-14);
    close_to(got.phi[2], -61.0 / 45.0, 1e-14);
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
}

static void
refusals(void **state)
{
    const double x[3] = { 0.3, 0.9, 0.2 };
    asc_model *m = model_end(plant_tree_b(1), 2, ASCI_LINK_LOGIT);
    struct explanation got;

    (void)state;
    refuse(m, ASC_RESPONSE, NULL, ASC_EUSAGE, "small: tree-shap explains sums "
           "over trees, and the response has a link after them: explain the "
           "raw scale; what works: exact-shapley, kernel-shap, "
           "permutation-shap and others");
    /* the first of two classes has the opposite values */
    got = explain("tree-shap", METHOD, m, ASC_RAW, NULL, x, 1, 0);
    close_to(got.phi[1], -59.0 / 45.0, 1e-14);
    close_to(got.base[0], -9.4, 1e-14);
    explanation_free(&got);
    asc_model_free(m);

    m = plant_tree_b(1);
    m->encoder.column[2].factor = realloc(m->encoder.column[2].factor,
                                          2 * sizeof(struct asci_factor));
    m->encoder.column[2].factor[1] = m->encoder.column[1].factor[0];
    m->encoder.column[2].n_factors = 2;
    m->encoder.column[2].name = strdup("age_by_income");
    model_end(m, 1, ASCI_LINK_NONE);
    refuse(m, ASC_RAW, NULL, ASC_EUSAGE, "small: tree-shap cannot tell apart "
           "the fields that derived field \"age_by_income\" depends on; what "
           "works: exact-shapley, kernel-shap, permutation-shap and others");
    asc_model_free(m);

    m = plant_tree_b(1);
    m->u.ensemble.tree[0].cover[0] = 0.0;
    model_end(m, 1, ASCI_LINK_NONE);
    refuse(m, ASC_RAW, NULL, ASC_EINPUT, "small: tree 1 has a record count of "
           "0");
    asc_model_free(m);

    m = plant_tree_b(1);
    m->u.ensemble.tree[0].value[1] = NAN;
    model_end(m, 1, ASCI_LINK_NONE);
    refuse(m, ASC_RAW, NULL, ASC_EUSAGE, "small: tree 1 has no answer in a "
           "leaf that records reach, so there is no mean for tree-shap to "
           "start from");
    asc_model_free(m);

    m = model_begin("xx");
    add_plain_columns(m, NAN);
    set_linear(m, 1, x, x);
    model_end(m, 1, ASCI_LINK_NONE);
    refuse(m, ASC_RAW, NULL, ASC_EUSAGE, "small: tree-shap needs trees, which "
           "this model has not; what works: exact-shapley, kernel-shap, "
           "permutation-shap and others");
    asc_model_free(m);
}

/* More rows than go through together, of which some are asked for one output
 * and some for another. */
static void
many_rows(void **state)
{
    enum { N = 1300 };
    const struct forest_plan plan = { 9, 5, 3, 1, .sets = 1 };
    struct asc_stream s;
    asc_model *m;
    double *x;
    size_t d, i, *output = malloc(N * sizeof *output);
    struct explanation all[3];
    struct asc_text *id = malloc(N * sizeof *id);
    double *phi, base[N], value[N];
    struct asc_specs specs;
    struct asc_explain b = { .n = N, .q = 1 };
    struct asc_task task = { NULL, ASC_RAW, NULL, NULL };
    asc_explainer *x_;

    (void)state;
    asc_stream_start(&s, test_seed(12), "tree-shap", "", 0);
    m = model_end(random_forest("x3x4", &plan, &s), 3, ASCI_LINK_SOFTMAX);
    d = m->schema.n;
    x = random_rows(m, N, 0.1, &s);
    phi = calloc(N * d, sizeof *phi);
    for (i = 0; i < N; i++) {
        output[i] = asc_stream_below(&s, 3);
        id[i] = (struct asc_text){ "1", 1 };
    }
    for (i = 0; i < 3; i++)
        all[i] = explain("tree-shap", METHOD, m, ASC_RAW, NULL, x, N, i);
    set_spec(&specs, "tree-shap", &METHOD->entry, "method");
    task.model = m;
    task.spec = specs.v;
    x_ = asc_explainer_new(&task, NULL);
    assert_non_null(x_);
    b.d = d;
    b.x = x;
    b.id = id;
    b.output = output;
    b.phi = phi;
    b.base = base;
    b.value = value;
    assert_int_equal(asc_explainer_run(x_, &b, NULL), ASC_OK);
    for (i = 0; i < N; i++) {
        same_bits(phi + i * d, all[output[i]].phi + i * d, d);
        same_bits(base + i, all[output[i]].base + i, 1);
        same_bits(value + i, all[output[i]].value + i, 1);
    }
    asc_explainer_free(x_);
    asc_specs_free(&specs);
    for (i = 0; i < 3; i++)
        explanation_free(&all[i]);
    free(phi);
    free(id);
    free(output);
    free(x);
    asc_model_free(m);
}

/* The C extension of shap 0.51.0, in double. */
static void
other_programs(void **state)
{
    static const char *const cases[] = {
        "tree_sk_tree_tiny", "tree_sk_forest_reg", "tree_sk_extratrees_reg",
        "tree_sk_gbm_binary", "tree_xgb_tiny", "tree_xgb_reg_deep",
        "tree_xgb_binary_nan"
    };

    (void)state;
    compare_peers(cases, sizeof cases / sizeof *cases, "shap_path_dependent",
                  "tree-shap", METHOD, ASC_RAW, 1e-9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example),
        cmocka_unit_test(forests_of_all_kinds),
        cmocka_unit_test(spines),
        cmocka_unit_test(repeated_tests),
        cmocka_unit_test(counts_from_background),
        cmocka_unit_test(refusals),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(other_programs)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
