/* LightGBM models of data/boosters: what LightGBM itself predicts (its
 * versions 2 to 4), which leaves it reaches, and path-dependent Shapley values
 * against the definition. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribution.h"
#include "attribute/internal.h"
#include "boosters.h"
#include "model/ensemble.h"
#include "tree_game.h"

enum { MAX_OUT = 8 };

/* Which output a column of the expected file is, -1 for a label. */
static int
output_of(const asc_model *m, size_t columns, size_t j)
{
    const size_t k = asc_model_n_outputs(m);

    if (columns == 1)
        return (int)k - 1;
    return columns == k ? (int)j : (int)j - 1;
}

/* LightGBM's own numbers, to the bit; those of leaves-lgb_multiclass come from
 * a machine whose exp() rounds some of them the other way. */
static void
compare_case(const char *name, const char *model, const char *input,
             const char *expected)
{
    const double allowed = strcmp(name, "leaves-lgb_multiclass") ? 0.0 : 5e-16;
    char path[3][300];
    double *want, *y, *z, worst = 0.0, own = 0.0;
    struct asc_error e;
    struct table t;
    size_t n, columns, i, j, k;
    asc_model *m;

    snprintf(path[0], sizeof path[0], "data/boosters/%s", model);
    snprintf(path[1], sizeof path[1], "data/boosters/%s", input);
    snprintf(path[2], sizeof path[2], "data/boosters/%s", expected);
    m = read_shared(path[0], path[1], &t);
    k = asc_model_n_outputs(m);
    want = shared_numbers(path[2], &n, &columns);
    assert_non_null(want);
    assert_int_equal(n, t.n);
    y = malloc(n * k * sizeof *y);
    z = malloc(n * k * sizeof *z);
    assert_int_equal(asc_model_predict(m, ASC_RESPONSE, t.x, n, y, &e),
                     ASC_OK);
    assert_int_equal(asc_model_evaluate(m, ASC_RESPONSE, t.x, n, z, &e),
                     ASC_OK);
    for (i = 0; i < n; i++)
        for (j = 0; j < columns; j++) {
            const double a = want[i * columns + j];
            const int output = output_of(m, columns, j);
            size_t at;

            if (output < 0) {
                at = asc_model_winner(m, y + i * k);
                assert_true(a == (double)at);
                continue;
            }
            at = i * k + (size_t)output;
            if (!(fabs(a - y[at]) <= allowed * fabs(a)))
                fail_msg("%s, row %zu, column %zu: %.17g, want %.17g", name,
                         i + 1, j + 1, y[at], a);
            worst = fmax(worst, fabs(a - y[at]) / fabs(a));
            own = fmax(own, fabs(z[at] - y[at]) / fabs(a));
        }
    print_message("# %s: %zu rows, differ by %.2g at most (%.2g in our own "
                  "arithmetic)\n", name, n, worst, own);
    assert_true(own <= 4e-15);
    free(y);
    free(z);
    free(want);
    free(t.x);
    asc_model_free(m);
}

/* Column j is the number of the leaf of tree j. */
static void
compare_leaves(const char *model, const char *input, const char *expected)
{
    char path[3][300];
    struct table t;
    size_t n, columns, i, j;
    double *want;
    asc_model *m;

    snprintf(path[0], sizeof path[0], "data/boosters/%s", model);
    snprintf(path[1], sizeof path[1], "data/boosters/%s", input);
    snprintf(path[2], sizeof path[2], "data/boosters/%s", expected);
    m = read_shared(path[0], path[1], &t);
    want = shared_numbers(path[2], &n, &columns);
    assert_non_null(want);
    assert_int_equal(n, t.n);
    assert_int_equal(columns, m->u.ensemble.n_trees);
    for (i = 0; i < n; i++)
        for (j = 0; j < columns; j++)
            assert_int_equal(asci_find_leaf(&m->u.ensemble,
                                            &m->u.ensemble.tree[j],
                                            t.x + i * t.d)->leaf,
                             want[i * columns + j]);
    print_message("# %s: %zu leaves of %zu rows\n", model, columns, n);
    free(want);
    free(t.x);
    asc_model_free(m);
}

static void
cases_of_lightgbm(void **state)
{
    char path[4096], *line = NULL;
    size_t capacity = 0, n = 0;
    FILE *f;

    (void)state;
    if (!shared_path("data/boosters/cases.tsv", path, sizeof path))
        skip();
    f = fopen(path, "r");
    assert_non_null(f);
    while (getline(&line, &capacity, f) > 0) {
        char *rest = line, *field[7] = { 0 };
        size_t k;

        for (k = 0; k < 7; k++)
            field[k] = strsep(&rest, "\t\n");
        if (strncmp(line, "lgb-", 4) && strncmp(line, "leaves-lgb_", 11))
            continue;
        if (!strncmp(field[6], "leaf_", 5))
            compare_leaves(field[1], field[3], field[4]);
        else
            compare_case(field[0], field[1], field[3], field[4]);
        n++;
    }
    assert_true(n >= 14);
    free(line);
    fclose(f);
}

/* ---- path-dependent Shapley values ---- */

/* A few rows of each model, all outputs.  Values are relative to the largest
 * of a row. */
static void
treeshap_by_definition(void **state)
{
    static const struct { const char *model, *input; } cases[] = {
        { "lgb-ClassificationAudit.txt", "inputs/lgb-Audit.tsv" },
        { "lgb-RFClassificationIris.txt", "inputs/lgb-Iris.tsv" },
        { "lgb-RegressionAutoNA.txt", "inputs/lgb-AutoNA.tsv" },
        { "lgb-RegressionVisit.txt", "inputs/lgb-Visit.tsv" }
    };
    enum { ROWS = 4, MAX_FIELDS = 16 };
    size_t c, i, j, k;

    (void)state;
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        char path[2][300], found[4096];
        double phi[MAX_FIELDS], base, worst = 0.0;
        struct table t;
        asc_model *m;

        snprintf(path[0], sizeof path[0], "data/boosters/%s", cases[c].model);
        snprintf(path[1], sizeof path[1], "data/boosters/%s", cases[c].input);
        if (!shared_path(path[0], found, sizeof found))
            skip();
        m = read_shared(path[0], path[1], &t);
        assert_true(t.n >= ROWS && t.d <= MAX_FIELDS);
        for (k = 0; k < asc_model_n_outputs(m); k++) {
            struct explanation got = explain("tree-shap",
                                             &asci_method_tree_shap, m,
                                             ASC_RAW, NULL, t.x, ROWS, k);
            const double sign = m->output[k].sign;

            for (i = 0; i < ROWS; i++) {
                double size;

                by_definition(m, t.x + i * t.d, m->output[k].raw, phi, &base);
                size = fabs(base);
                for (j = 0; j < t.d; j++)
                    size = fmax(size, fabs(phi[j]));
                worst = fmax(worst, fabs(got.base[i] - sign * base) / size);
                for (j = 0; j < t.d; j++)
                    worst = fmax(worst, fabs(got.phi[i * t.d + j] -
                                             sign * phi[j]) / size);
                assert_true(asc_residual(got.phi + i * t.d, t.d, got.base[i],
                                         got.value[i]) < 1e-12);
            }
            explanation_free(&got);
        }
        print_message("# %s: tree-shap differs by %.2g at most\n",
                      cases[c].model, worst);
        assert_true(worst < 1e-13);
        free(t.x);
        asc_model_free(m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_of_lightgbm),
        cmocka_unit_test(treeshap_by_definition)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
