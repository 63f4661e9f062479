/* Linear models, outputs and links: sums against long double; links against
 * their definitions in long double (Phi(u) = erfc(-u / sqrt 2) / 2). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "models.h"
#include "seed.h"

static void
check_sums(const char *fields)
{
    enum { ROWS = 600, RAW = 3 };
    struct asc_stream s;
    asc_model *m = random_schema(fields);
    const struct asci_linear *f = &m->u.linear;
    double *x, *columns, *r;
    size_t i, j, k;

    asc_stream_start(&s, test_seed(1), "linear", NULL, 0);
    random_encoder(&s, m, COLUMNS_PLAIN);
    random_linear(&s, m, RAW);
    random_end(m, RAW, ASCI_LINK_SOFTMAX);
    x = random_rows(&s, m, ROWS, 0.05);
    columns = need(ROWS * m->encoder.n, sizeof *columns);
    r = need(ROWS * RAW, sizeof *r);
    asci_encode(&m->encoder, m->schema.n, x, ROWS, columns);
    assert_int_equal(asci_form_raw(m, columns, ROWS, r, NULL), ASC_OK);
    for (i = 0; i < ROWS; i++)
        for (k = 0; k < RAW; k++) {
            long double want = f->b[k];

            for (j = 0; j < m->encoder.n; j++)
                want += (long double)f->w[k * m->encoder.n + j] *
                        columns[i * m->encoder.n + j];
            check_close(r[i * RAW + k], (double)want, 1e-14);
        }
    check_row_contract(m, &s, x, ROWS);
    free(r);
    free(columns);
    free(x);
    asc_model_free(m);
}

/* Few columns and many are summed in different ways. */
static void
sums(void **state)
{
    (void)state;
    check_sums("x");
    check_sums("xx4x");
    check_sums("xx4x9");
    check_sums("xx4x9x97xxx8");
}

/* A linear model r = x of one number, with two outputs or one. */
static asc_model *
number_model(size_t classes, enum asci_link link)
{
    asc_model *m = random_schema("x");

    m->encoder.n = 1;
    m->encoder.column = need(1, sizeof *m->encoder.column);
    assert_int_equal(asci_column_identity(m->encoder.column, 0, NULL),
                     ASC_OK);
    m->form = ASC_FORM_LINEAR;
    m->n_raw = m->u.linear.n_raw = m->u.linear.n_columns = 1;
    m->u.linear.w = need(1, sizeof *m->u.linear.w);
    m->u.linear.b = need(1, sizeof *m->u.linear.b);
    m->u.linear.w[0] = 1.0;
    return random_end(m, classes, link);
}

static void
links(void **state)
{
    static const struct {
        enum asci_link link;
        double u, p, rest;      /* g(u), 1 - g(u) */
    } cases[] = {
        { ASCI_LINK_LOGIT, 0.0, 0.5, 0.5 },
        { ASCI_LINK_LOGIT, 2.0, 0.8807970779778823, 0.11920292202211755 },
        { ASCI_LINK_LOGIT, -40.0, 4.248354255291589e-18, 1.0 },
        { ASCI_LINK_LOGIT, 40.0, 1.0, 4.248354255291589e-18 },
        { ASCI_LINK_LOGIT, 1000.0, 1.0, 0.0 },
        { ASCI_LINK_PROBIT, 1.96, 0.9750021048517795, 0.02499789514822043 },
        { ASCI_LINK_PROBIT, -10.0, 7.619853024160527e-24, 1.0 },
        { ASCI_LINK_CAUCHIT, 1.0, 0.75, 0.25 },
        { ASCI_LINK_CAUCHIT, -1e10, 3.183098861837907e-11,
          1.0 - 3.183098861837907e-11 },
        /* 1 - exp(-1), exp(-1) */
        { ASCI_LINK_CLOGLOG, 0.0, 0.6321205588285577, 0.36787944117144233 },
        { ASCI_LINK_CLOGLOG, -50.0, 1.9287498479639178e-22, 1.0 },
        { ASCI_LINK_LOGLOG, 0.0, 0.36787944117144233, 0.6321205588285577 },
        { ASCI_LINK_LOGLOG, 50.0, 1.0, 1.9287498479639178e-22 },
        { ASCI_LINK_NONE, 0.25, 0.25, 0.75 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        asc_model *m = number_model(2, cases[i].link);
        double *y = evaluate_rows(m, ASC_RESPONSE, &cases[i].u, 1);

        /* in relation, except for what is 0 to begin with */
        assert_true(fabs(y[1] - cases[i].p) <= 2e-15 * cases[i].p);
        assert_true(fabs(y[0] - cases[i].rest) <=
                    fmax(2e-15 * cases[i].rest, 1e-300));
        free(y);
        y = evaluate_rows(m, ASC_RAW, &cases[i].u, 1);
        assert_true(y[1] == cases[i].u);
        assert_true(y[0] == (cases[i].link == ASCI_LINK_NONE
                             ? 1.0 - cases[i].u : -cases[i].u));
        assert_int_equal(asc_model_has_link(m),
                         cases[i].link != ASCI_LINK_NONE);
        free(y);
        asc_model_free(m);
    }
}

static void
exponential(void **state)
{
    const double x[] = { 1.0, NAN, -800.0 };
    asc_model *m = number_model(0, ASCI_LINK_EXP);
    double *y = evaluate_rows(m, ASC_RESPONSE, x, 3);

    (void)state;
    check_close(y[0], 2.718281828459045, 1e-15);
    assert_true(isnan(y[1]) && y[2] == 0.0);
    free(y);
    asc_model_free(m);
}

/* Three raw outputs that are the fields themselves. */
static asc_model *
triple(enum asci_link link)
{
    asc_model *m = random_schema("xxx");
    size_t j;

    m->encoder.n = 3;
    m->encoder.column = need(3, sizeof *m->encoder.column);
    m->form = ASC_FORM_LINEAR;
    m->n_raw = m->u.linear.n_raw = m->u.linear.n_columns = 3;
    m->u.linear.w = need(9, sizeof *m->u.linear.w);
    m->u.linear.b = need(3, sizeof *m->u.linear.b);
    for (j = 0; j < 3; j++) {
        assert_int_equal(asci_column_identity(&m->encoder.column[j], j,
                                              NULL), ASC_OK);
        m->u.linear.w[4 * j] = 1.0;
    }
    return random_end(m, 3, link);
}

static void
joint_links(void **state)
{
    const double x[] = {
        0.0, 1.0, 2.0, 1000.0, 1001.0, 1002.0, -1000.0, 0.0, 800.0,
        0.0, NAN, 1.0
    };
    asc_model *m = triple(ASCI_LINK_SOFTMAX);
    /* exp(0), exp(1), exp(2) over their sum */
    const double want[] = {
        0.09003057317038046, 0.24472847105479767, 0.6652409557748219
    };
    double *y = evaluate_rows(m, ASC_RESPONSE, x, 4);
    const double shares[] = { 1.0, 2.0, 5.0 };
    size_t k;

    (void)state;
    for (k = 0; k < 3; k++) {
        check_close(y[k], want[k], 1e-15);
        check_close(y[3 + k], want[k], 1e-15);
        assert_true(isnan(y[9 + k]));
    }
    assert_true(y[6] == 0.0 && y[7] == 0.0 && y[8] == 1.0);
    free(y);
    asc_model_free(m);
    m = triple(ASCI_LINK_SIMPLEMAX);
    y = evaluate_rows(m, ASC_RESPONSE, shares, 1);
    check_close(y[0], 0.125, 1e-16);
    check_close(y[1], 0.25, 1e-16);
    check_close(y[2], 0.625, 1e-16);
    free(y);
    asc_model_free(m);
}

static void
winner(void **state)
{
    asc_model *m = triple(ASCI_LINK_SOFTMAX);
    const double y[][3] = {
        { 1.0, 2.0, 2.0 }, { NAN, 0.5, 0.1 }, { 0.5, NAN, 0.6 },
        { NAN, NAN, NAN }
    };

    (void)state;
    assert_int_equal(asc_model_winner(m, y[0]), 1);
    assert_int_equal(asc_model_winner(m, y[1]), 1);
    assert_int_equal(asc_model_winner(m, y[2]), 2);
    assert_int_equal(asc_model_winner(m, y[3]), 0);
    asc_model_free(m);
}

/* The order that PMML 4.4, Targets, prescribes: min and max, factor, constant,
 * cast. */
static void
rescaling(void **state)
{
    const double x[] = { 8.0, 12.97, -20.0, NAN };
    asc_model *m = number_model(0, ASCI_LINK_NONE);
    double *y;

    (void)state;
    m->rescale = need(1, sizeof *m->rescale);
    *m->rescale = (struct asci_rescale){ 3.14, 10.0, -10.0, 10.5, 1 };
    assert_true(asc_model_has_link(m));
    y = evaluate_rows(m, ASC_RESPONSE, x, 4);
    assert_true(y[0] == 35.0);          /* 35.12 */
    assert_true(y[1] == 43.0);          /* 10.5 * 3.14 + 10 = 42.97 */
    assert_true(y[2] == -21.0);         /* -10 * 3.14 + 10 = -21.4 */
    assert_true(isnan(y[3]));
    free(y);
    m->rescale->cast = 2;
    y = evaluate_rows(m, ASC_RESPONSE, x, 3);
    assert_true(y[0] == 36.0 && y[1] == 43.0 && y[2] == -21.0);
    free(y);
    m->rescale->cast = 3;
    y = evaluate_rows(m, ASC_RESPONSE, x, 3);
    assert_true(y[0] == 35.0 && y[1] == 42.0 && y[2] == -22.0);
    free(y);
    y = evaluate_rows(m, ASC_RAW, x, 2);
    assert_true(y[0] == 8.0 && y[1] == 12.97);
    free(y);
    asc_model_free(m);
}

/* A rescaling that is a line goes into the weights; others stay. */
static void
folding(void **state)
{
    static const size_t hidden[] = { 4 };
    const struct random_trees o = { 5, 20, 0.2, 0, 0, 0, 0 };
    struct asc_stream s;
    size_t form, i;

    (void)state;
    asc_stream_start(&s, test_seed(2), "fold", NULL, 0);
    for (form = 0; form < 3; form++) {
        asc_model *m = random_schema("xx3");
        double *x, *before, *after;

        random_encoder(&s, m, form == 2 ? COLUMNS_TREE : COLUMNS_PLAIN);
        if (form == 0)
            random_linear(&s, m, 1);
        else if (form == 1)
            random_network(&s, m, hidden, 1, 1, ASCI_TANH);
        else
            random_ensemble(&s, m, 1, 1, &o);
        m->rescale = need(1, sizeof *m->rescale);
        *m->rescale = (struct asci_rescale){ 2.5, -1.25, -INFINITY,
                                             INFINITY, 0 };
        random_end(m, 0, ASCI_LINK_NONE);
        x = random_rows(&s, m, 50, 0.0);
        before = evaluate_rows(m, ASC_RESPONSE, x, 50);
        m->rescale->max = 3.0;
        asci_model_fold_rescale(m);
        assert_non_null(m->rescale);
        m->rescale->max = INFINITY;
        asci_model_fold_rescale(m);
        assert_null(m->rescale);
        assert_false(asc_model_has_link(m));
        assert_int_equal(asci_model_finish(m, NULL), ASC_OK);
        after = evaluate_rows(m, ASC_RAW, x, 50);
        for (i = 0; i < 50; i++)
            check_close(after[i], before[i], 1e-13);
        free(after);
        free(before);
        free(x);
        asc_model_free(m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums), cmocka_unit_test(links),
        cmocka_unit_test(exponential), cmocka_unit_test(joint_links),
        cmocka_unit_test(winner), cmocka_unit_test(rescaling),
        cmocka_unit_test(folding)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
