/* Ensembles: values, float sums and covers against a plain walk through the
 * nodes that is written here, for trees of every shape; the copies of the
 * inner loop for different processors against each other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "models.h"
#include "seed.h"

/* For its static functions. */
#include "model/ensemble_run.c"

/* The leaf of a row, and one more in the count of each node on the way. */
static uint32_t
plain_walk(const struct asci_ensemble *f, const struct asci_tree *t,
           const double *columns, double *count)
{
    uint32_t i = 0;

    for (;;) {
        const struct asci_node *p = &t->node[i];
        const double v = columns[p->column];
        int yes = 0;

        if (count)
            count[i]++;
        if (p->test == ASCI_LEAF)
            return p->leaf;
        if (p->test == ASCI_LESS)
            yes = v < p->threshold;
        else if (p->test == ASCI_LESS_EQUAL)
            yes = v <= p->threshold;
        else if (p->test == ASCI_EQUAL)
            yes = v == p->threshold;
        else if (v >= 0.0 && v < (double)p->set_bits)
            yes = (f->sets[p->set + (size_t)v / 64] >>
                   ((size_t)v % 64)) & 1;
        i = isnan(v) ? p->missing : yes ? p->yes : p->no;
    }
}

static void
check_values(const asc_model *m, const double *x, size_t n)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    double *columns = need(n * f->n_columns, sizeof *columns);
    double *r = need(n * f->n_raw, sizeof *r), want;
    double *y = need(n * m->n_outputs, sizeof *y);
    double *z = need(n * m->n_outputs, sizeof *z);
    size_t i, j, k;

    asci_encode(&m->encoder, m->schema.n, x, n, columns);
    assert_int_equal(asci_form_raw(m, columns, n, r, NULL), ASC_OK);
    /* columns encoded beforehand or on the way */
    asci_outputs(m, ASC_RAW, r, n, y);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, n, z, NULL), ASC_OK);
    for (i = 0; i < n * m->n_outputs; i++)
        assert_true(same_bits(y[i], z[i]));
    free(z);
    free(y);
    for (i = 0; i < n; i++)
        for (k = 0; k < f->n_raw; k++) {
            want = 0.0;
            for (j = 0; j < f->n_trees; j++) {
                const struct asci_tree *t = &f->tree[j];
                const size_t leaf = plain_walk(f, t, columns +
                                               i * f->n_columns, NULL);

                if (k >= t->first && k < t->first + t->width)
                    want += t->value[leaf * t->width + k - t->first];
            }
            want = f->base[k] + f->scale * want;
            assert_true(same_bits(r[i * f->n_raw + k], want));
        }
    free(r);
    free(columns);
}

static void
shapes(void **state)
{
    static const struct {
        const char *fields;
        enum random_columns columns;
        size_t n_raw, width;
        struct random_trees o;
    } cases[] = {
        { "xxx", COLUMNS_TREE, 1, 1, { 20, 127, 0.0, 0, 0, 0, 0 } },
        { "xx5x9", COLUMNS_TREE, 1, 1, { 30, 60, 0.2, 1, 0, 0, 0 } },
        { "xx5x9", COLUMNS_TREE, 3, 1, { 31, 40, 0.2, 1, 1, 0, 0 } },
        { "xx5x9", COLUMNS_TREE, 3, 3, { 9, 40, 0.2, 1, 1, 0, 0 } },
        { "xx5x9", COLUMNS_TREE, 3, 3, { 5, 3000, 0.1, 1, 1, 0, 0 } },
        { "xx5x9", COLUMNS_TREE, 1, 1, { 12, 5000, 0.3, 1, 0, 0, 0 } },
        { "xx5x9xxxxx", COLUMNS_ANY, 2, 1, { 40, 300, 0.1, 1, 0, 0, 0 } },
        { "x", COLUMNS_TREE, 1, 1, { 3, 1, 0.0, 0, 0, 0, 0 } },
        { "x9", COLUMNS_TREE, 1, 1, { 0, 1, 0.0, 0, 0, 0, 0 } },
        { "9999", COLUMNS_TREE, 1, 1, { 25, 700, 0.05, 1, 0, 0, 0 } },
    };
    struct asc_stream s;
    size_t i;

    (void)state;
    asc_stream_start(&s, test_seed(1), "shapes", NULL, 0);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        asc_model *m = random_schema(cases[i].fields);
        double *x;

        random_encoder(&s, m, cases[i].columns);
        random_ensemble(&s, m, cases[i].n_raw, cases[i].width, &cases[i].o);
        m->u.ensemble.scale = i % 2 ? 0.125 : 1.0;
        random_end(m, 0, ASCI_LINK_NONE);
        x = random_rows(&s, m, 700, 0.15);
        check_values(m, x, 700);
        check_row_contract(m, &s, x, 700);
        free(x);
        asc_model_free(m);
    }
}

/* Long rows of blocks, where large trees have longer blocks. */
static void
many_rows(void **state)
{
    const struct random_trees o = { 4, 2000, 0.05, 1, 0, 0, 0 };
    struct asc_stream s;
    asc_model *m = random_schema("xx5");
    double *x;

    (void)state;
    asc_stream_start(&s, test_seed(2), "rows", NULL, 0);
    random_encoder(&s, m, COLUMNS_TREE);
    random_ensemble(&s, m, 1, 1, &o);
    random_end(m, 0, ASCI_LINK_NONE);
    x = random_rows(&s, m, 9000, 0.1);
    check_values(m, x, 9000);
    free(x);
    asc_model_free(m);
}

/* One field, one column, one tree with room for some nodes. */
static asc_model *
one_tree(const char *fields, size_t n_nodes)
{
    asc_model *m = random_schema(fields);
    struct asci_ensemble *f = &m->u.ensemble;
    size_t j;

    m->encoder.n = m->schema.n;
    m->encoder.column = need(m->encoder.n, sizeof *m->encoder.column);
    for (j = 0; j < m->encoder.n; j++)
        assert_int_equal(asci_column_identity(&m->encoder.column[j], j,
                                              NULL), ASC_OK);
    m->form = ASC_FORM_ENSEMBLE;
    m->n_raw = f->n_raw = 1;
    f->n_columns = m->encoder.n;
    f->n_trees = 1;
    f->scale = 1.0;
    f->base = need(1, sizeof *f->base);
    f->tree = need(1, sizeof *f->tree);
    f->tree->width = 1;
    f->tree->node = need(n_nodes, sizeof *f->tree->node);
    f->tree->value = need(n_nodes, sizeof *f->tree->value);
    f->tree->n_nodes = n_nodes;
    return m;
}

static void
set_leaf(asc_model *m, size_t i, double v)
{
    struct asci_tree *t = m->u.ensemble.tree;

    t->node[i].test = ASCI_LEAF;
    t->node[i].leaf = (uint32_t)t->n_leaves;
    t->value[t->n_leaves++] = v;
}

static void
set_test(asc_model *m, size_t i, enum asci_test test, double threshold,
         uint32_t yes, uint32_t no, uint32_t missing)
{
    struct asci_node *p = &m->u.ensemble.tree->node[i];

    p->test = test;
    p->threshold = threshold;
    p->yes = yes;
    p->no = no;
    p->missing = missing;
}

/* A test against a set that is in many pieces, wherever missing values go. */
static void
sets_in_pieces(void **state)
{
    static const size_t bits[] = { 3000, 700, 64, 4 };
    struct asc_stream s;
    size_t i, j, k;

    (void)state;
    asc_stream_start(&s, test_seed(9), "sets", NULL, 0);
    for (k = 0; k < 3 * sizeof bits / sizeof *bits; k++) {
        asc_model *m = one_tree("x", 4);
        struct asci_ensemble *f = &m->u.ensemble;
        const size_t n = bits[k / 3], rows = 2 * n + 8;
        double *x = need(rows, sizeof *x);

        f->n_set_words = (n + 63) / 64;
        f->sets = need(f->n_set_words, sizeof *f->sets);
        for (j = 0; j < n; j++)
            if (asc_stream_below(&s, 2))
                f->sets[j / 64] |= (uint64_t)1 << (j % 64);
        set_test(m, 0, ASCI_IN_SET, 0.0, 1, 2, (uint32_t)(1 + k % 3));
        f->tree->node[0].set_bits = (uint32_t)n;
        for (j = 1; j < 4; j++)
            set_leaf(m, j, (double)j);
        random_end(m, 0, ASCI_LINK_NONE);
        for (i = 0; i < rows; i++)
            x[i] = i == 5 ? NAN : 0.5 * (double)i - 1.0;
        check_values(m, x, rows);
        free(x);
        asc_model_free(m);
    }
}

/* More thresholds than ranks of 16 bits can tell apart: a long chain. */
static void
many_thresholds(void **state)
{
    enum { TESTS = 70000 };
    asc_model *m = one_tree("x", 2 * TESTS + 1);
    struct asc_stream s;
    double x[400], *y;
    size_t i;

    (void)state;
    for (i = 0; i < TESTS; i++) {
        set_test(m, 2 * i, ASCI_LESS, 0.5 * (double)i, (uint32_t)(2 * i + 1),
                 (uint32_t)(2 * i + 2), (uint32_t)(2 * i + 1));
        set_leaf(m, 2 * i + 1, (double)i);
    }
    set_leaf(m, 2 * TESTS, -1.0);
    random_end(m, 0, ASCI_LINK_NONE);
    asc_stream_start(&s, test_seed(3), "thresholds", NULL, 0);
    for (i = 0; i < 400; i++)
        x[i] = i == 0 ? NAN : i == 1 ? 1e300
               : uniform_in(&s, -10.0, 0.51 * TESTS);
    y = evaluate_rows(m, ASC_RAW, x, 400);
    for (i = 0; i < 400; i++) {
        double want = isnan(x[i]) || x[i] < 0.0 ? 0.0
                      : floor(2.0 * x[i]) + 1.0;

        assert_true(y[i] == (want < TESTS ? want : -1.0));
    }
    free(y);
    asc_model_free(m);
}

/* Infinities, zeros of both signs, neighbours of the threshold. */
static void
edges(void **state)
{
    static const double thresholds[] = {
        0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX,
        DBL_TRUE_MIN, 0.1
    };
    static const double values[] = {
        NAN, 0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX,
        DBL_TRUE_MIN, -DBL_TRUE_MIN, 0.1, 0.09999999999999999,
        0.10000000000000002, 2.0
    };
    const size_t n = sizeof values / sizeof *values;
    size_t i, test, missing;

    (void)state;
    for (i = 0; i < sizeof thresholds / sizeof *thresholds; i++)
        for (test = ASCI_LESS; test <= ASCI_EQUAL; test++)
            for (missing = 1; missing <= 3; missing++) {
                asc_model *m = one_tree("x", 4);

                set_test(m, 0, (enum asci_test)test, thresholds[i], 1, 2,
                         (uint32_t)missing);
                set_leaf(m, 1, 10.0);
                set_leaf(m, 2, 20.0);
                set_leaf(m, 3, 30.0);
                random_end(m, 0, ASCI_LINK_NONE);
                check_values(m, values, n);
                asc_model_free(m);
            }
}

/* Ends that are one node. */
static void
common_ends(void **state)
{
    static const uint32_t ends[][3] = { { 1, 1, 1 }, { 1, 1, 2 } };
    const double x[] = { NAN, 0.0, 5.0 };
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        asc_model *m = one_tree("x", 3);

        set_test(m, 0, ASCI_LESS, 1.0, ends[i][0], ends[i][1], ends[i][2]);
        set_leaf(m, 1, 1.0);
        set_leaf(m, 2, 2.0);
        random_end(m, 0, ASCI_LINK_NONE);
        check_values(m, x, 3);
        asc_model_free(m);
    }
}

/* Sums in float, one after the other, as the source engine has them. */
static void
float_sums(void **state)
{
    const struct random_trees o = { 200, 31, 0.1, 0, 0, 0, 0 };
    struct asc_stream s;
    asc_model *m = random_schema("xxx");
    struct asci_ensemble *f = &m->u.ensemble;
    double *x, *y, *response;
    size_t i, j;
    int differ = 0;

    (void)state;
    asc_stream_start(&s, test_seed(4), "float", NULL, 0);
    random_encoder(&s, m, COLUMNS_TREE);
    random_ensemble(&s, m, 1, 1, &o);
    f->scale = 0.1;
    random_end(m, 2, ASCI_LINK_LOGIT);
    x = random_rows(&s, m, 500, 0.0);
    y = need(1000, sizeof *y);
    response = need(1000, sizeof *response);
    for (f->single = 0; f->single <= 2; f->single++) {
        double *exact = evaluate_rows(m, ASC_RAW, x, 500);

        assert_int_equal(asc_model_predict(m, ASC_RAW, x, 500, y, NULL),
                         ASC_OK);
        assert_int_equal(asc_model_predict(m, ASC_RESPONSE, x, 500, response,
                                           NULL), ASC_OK);
        for (i = 0; i < 500; i++) {
            float sum = f->single == 2 ? (float)f->base[0] : 0.0f;
            double want = exact[2 * i + 1], size = 0.0;

            for (j = 0; j < f->n_trees; j++) {
                const float v = 0.1f * (float)f->tree[j].value[
                    plain_walk(f, &f->tree[j], x + 3 * i, NULL)];

                sum += v;
                size += fabs(sum) + 3.0 * fabs(v);
            }
            if (f->single == 1)
                sum += (float)f->base[0];
            if (f->single)
                want = (double)sum;
            assert_true(y[2 * i + 1] == want && y[2 * i] == -want);
            /* each sum and addend is off by half a unit of its last place */
            check_close(y[2 * i + 1], exact[2 * i + 1], f->single ? ldexp(
                size + fabs(f->base[0]) + fabs(sum), -24) : 0.0);
            check_close(response[2 * i + 1], 1.0 / (1.0 + exp(-want)),
                        f->single ? 6e-8 : 1e-15);
            differ += y[2 * i + 1] != exact[2 * i + 1];
        }
        free(exact);
    }
    assert_true(differ > 500);
    free(response);
    free(y);
    free(x);
    asc_model_free(m);
}

static void
covers(void **state)
{
    const struct random_trees o = { 15, 60, 0.1, 1, 0, 0, 0 };
    struct asc_stream s;
    asc_model *m = random_schema("xx5x9");
    const struct asci_ensemble *f = &m->u.ensemble;
    double *x, **cover, *count, *columns;
    size_t i, j;

    (void)state;
    asc_stream_start(&s, test_seed(5), "covers", NULL, 0);
    random_encoder(&s, m, COLUMNS_TREE);
    random_ensemble(&s, m, 1, 1, &o);
    random_end(m, 0, ASCI_LINK_NONE);
    assert_false(asci_ensemble_has_covers(f));
    x = random_rows(&s, m, 200, 0.2);
    cover = asci_ensemble_covers(m, x, 200, NULL);
    assert_non_null(cover);
    columns = need(200 * f->n_columns, sizeof *columns);
    asci_encode(&m->encoder, m->schema.n, x, 200, columns);
    for (j = 0; j < f->n_trees; j++) {
        count = need(f->tree[j].n_nodes, sizeof *count);
        for (i = 0; i < 200; i++)
            plain_walk(f, &f->tree[j], columns + i * f->n_columns, count);
        assert_true(count[0] == 200.0);
        for (i = 0; i < f->tree[j].n_nodes; i++)
            assert_true(cover[j][i] == count[i]);
        free(count);
    }
    free(columns);
    free(cover);
    free(x);
    asc_model_free(m);
}

/* Both copies of the inner loop. */
static void
processors(void **state)
{
#if defined(__x86_64__)
    const struct random_trees o = { 8, 200, 0.05, 1, 0, 0, 0 };
    struct asc_stream s;
    asc_model *m;
    const struct compact *c;
    int16_t *rank, *a, *b;
    size_t i, j, size;

    (void)state;
    if (!asci_has_avx2())
        skip();
    m = random_schema("xx5x9");
    asc_stream_start(&s, test_seed(6), "processors", NULL, 0);
    random_encoder(&s, m, COLUMNS_TREE);
    random_ensemble(&s, m, 1, 1, &o);
    random_end(m, 0, ASCI_LINK_NONE);
    c = m->u.ensemble.compact;
    rank = need(c->n_used * c->block, sizeof *rank);
    for (i = 0; i < c->n_used * c->block; i++)
        rank[i] = (int16_t)((int)choose(&s, 20) - 2);
    size = c->n_registers * ASCI_BLOCK;
    a = need(size, sizeof *a);
    b = need(size, sizeof *b);
    for (j = 0; j < 8; j++) {
        const struct packed_tree *t = &c->tree[j];

        assert_int_equal(t->how, SELECTED);
        select_plain(c->selection + t->first, t->n, rank, a, 9 * VECTOR);
        select_avx2(c->selection + t->first, t->n, rank, b, 9 * VECTOR);
        assert_memory_equal(a, b, 9 * VECTOR * sizeof *a);
    }
    free(b);
    free(a);
    free(rank);
    asc_model_free(m);
#else
    (void)state;
    skip();
#endif
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes), cmocka_unit_test(many_rows),
        cmocka_unit_test(sets_in_pieces),
        cmocka_unit_test(many_thresholds), cmocka_unit_test(edges),
        cmocka_unit_test(common_ends),
        cmocka_unit_test(float_sums), cmocka_unit_test(covers),
        cmocka_unit_test(processors)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
