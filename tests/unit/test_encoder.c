/* Encoders: values worked by hand, and columns against single values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "models.h"
#include "seed.h"

/* Through (0, 0), (10, 1), (20, 3). */
static struct asci_factor
line(enum asci_outliers outliers, int power, int single)
{
    static double x[] = { 0.0, 10.0, 20.0 }, y[] = { 0.0, 1.0, 3.0 };
    struct asci_factor f = {
        .kind = ASCI_FACTOR_NUMBER, .n_knots = 3, .knot_x = x, .knot_y = y,
        .outliers = outliers, .power = power, .missing = -7.0,
        .single = single
    };

    return f;
}

static void
piecewise(void **state)
{
    struct asci_factor f = line(ASCI_OUTLIERS_EXTEND, 1, 0);

    (void)state;
    assert_true(asci_factor_value(&f, 0.0) == 0.0);
    assert_true(asci_factor_value(&f, 5.0) == 0.5);
    assert_true(asci_factor_value(&f, 10.0) == 1.0);
    assert_true(asci_factor_value(&f, 15.0) == 2.0);
    assert_true(asci_factor_value(&f, 20.0) == 3.0);
    assert_true(asci_factor_value(&f, -5.0) == -0.5);
    assert_true(asci_factor_value(&f, 25.0) == 4.0);
    assert_true(asci_factor_value(&f, NAN) == -7.0);
    f.outliers = ASCI_OUTLIERS_CLAMP;
    assert_true(asci_factor_value(&f, -5.0) == 0.0);
    assert_true(asci_factor_value(&f, 25.0) == 3.0);
    assert_true(asci_factor_value(&f, -INFINITY) == 0.0);
    f.outliers = ASCI_OUTLIERS_MISSING;
    assert_true(asci_factor_value(&f, -5.0) == -7.0);
    assert_true(asci_factor_value(&f, 25.0) == -7.0);
    assert_true(asci_factor_value(&f, 20.0) == 3.0);
}

static void
powers(void **state)
{
    struct asci_factor f = line(ASCI_OUTLIERS_EXTEND, 2, 0);

    (void)state;
    assert_true(asci_factor_value(&f, 15.0) == 4.0);
    assert_true(asci_factor_value(&f, NAN) == -7.0);
    f.power = 3;
    assert_true(asci_factor_value(&f, 15.0) == 8.0);
    f.power = 5;
    assert_true(asci_factor_value(&f, 15.0) == 32.0);
    f.power = -1;
    assert_true(asci_factor_value(&f, 15.0) == 0.5);
}

/* 0.1 and 1/3 in float, as IEEE 754 has them. */
static void
floats(void **state)
{
    struct asci_factor f = {
        .kind = ASCI_FACTOR_NUMBER, .power = 1, .single = 1, .missing = NAN
    };

    (void)state;
    assert_true(asci_factor_value(&f, 0.1) == 0.100000001490116119384765625);
    assert_true(asci_factor_value(&f, 1.0 / 3.0) ==
                0.3333333432674407958984375);
}

static void
slopes(void **state)
{
    struct asci_factor f = line(ASCI_OUTLIERS_EXTEND, 1, 0);
    struct asci_factor number = {
        .kind = ASCI_FACTOR_NUMBER, .power = 4, .missing = NAN
    };

    (void)state;
    assert_true(asci_factor_slope(&f, 5.0) == 0.1);
    assert_true(asci_factor_slope(&f, 10.0) == 0.2);    /* to the right */
    assert_true(asci_factor_slope(&f, -1.0) == 0.1);
    assert_true(asci_factor_slope(&f, 99.0) == 0.2);
    f.outliers = ASCI_OUTLIERS_CLAMP;
    assert_true(asci_factor_slope(&f, -1.0) == 0.0);
    assert_true(asci_factor_slope(&f, 0.0) == 0.1);
    assert_true(asci_factor_slope(&f, 20.0) == 0.0);
    f.power = 2;
    check_close(asci_factor_slope(&f, 15.0), 2.0 * 2.0 * 0.2, 1e-15);
    assert_true(asci_factor_slope(&number, 2.0) == 32.0);
    f.kind = ASCI_FACTOR_STEP;
    assert_true(asci_factor_slope(&f, 5.0) == 0.0);
}

static void
tables(void **state)
{
    double value[] = { 2.0, 4.0, 8.0, -1.0 };
    struct asci_factor f = {
        .kind = ASCI_FACTOR_TABLE, .n_values = 4, .value = value,
        .missing = 16.0, .power = 1
    };

    (void)state;
    assert_true(asci_factor_value(&f, 0.0) == 2.0);
    assert_true(asci_factor_value(&f, 2.0) == 8.0);
    assert_true(asci_factor_value(&f, 3.0) == -1.0);
    assert_true(asci_factor_value(&f, 1e300) == -1.0);
    assert_true(asci_factor_value(&f, -1.0) == -1.0);
    assert_true(asci_factor_value(&f, NAN) == 16.0);
}

static void
steps(void **state)
{
    struct asci_interval t[] = {
        { -INFINITY, 1.0, 0, 0, 10.0 }, { 1.0, 2.0, 1, 1, 20.0 },
        { 2.0, 3.0, 1, 0, 30.0 }
    };
    struct asci_factor f = {
        .kind = ASCI_FACTOR_STEP, .n_intervals = 3, .interval = t,
        .other = 40.0, .missing = 50.0, .power = 1
    };

    (void)state;
    assert_true(asci_factor_value(&f, -1e300) == 10.0);
    assert_true(asci_factor_value(&f, 1.0) == 20.0);
    assert_true(asci_factor_value(&f, 2.0) == 20.0);    /* the first wins */
    assert_true(asci_factor_value(&f, 2.5) == 30.0);
    assert_true(asci_factor_value(&f, 3.0) == 40.0);
    assert_true(asci_factor_value(&f, NAN) == 50.0);
}

static void
products(void **state)
{
    asc_model *m = random_schema("x3");
    struct asci_column c = { .scale = 3.0 };
    double x[] = { 2.0, 1.0, 2.0, 0.0, NAN, 1.0, 2.0, NAN, 5.0, 3.0 };
    double out[5];
    struct asci_factor *f;

    (void)state;
    new_factor(&c, ASCI_FACTOR_NUMBER, 0)->power = 2;
    f = new_factor(&c, ASCI_FACTOR_TABLE, 1);
    f->n_values = 4;
    f->value = need(4, sizeof *f->value);
    f->value[1] = 0.5;
    f->value[3] = 7.0;
    f->missing = 1.0;
    m->encoder.n = 1;
    m->encoder.column = &c;
    asci_encode(&m->encoder, 2, x, 5, out);
    assert_true(out[0] == 3.0 * 4.0 * 0.5);
    assert_true(out[1] == 0.0);
    assert_true(isnan(out[2]));
    assert_true(out[3] == 3.0 * 4.0 * 1.0);
    assert_true(out[4] == 3.0 * 25.0 * 7.0);
    c.n_factors = 0;
    asci_encode(&m->encoder, 2, x, 2, out);
    assert_true(out[0] == 3.0 && out[1] == 3.0);
    free(c.factor[1].value);
    free(c.factor);
    m->encoder.n = 0;
    m->encoder.column = NULL;
    asc_model_free(m);
}

static void
ready_made(void **state)
{
    asc_model *m = random_schema("x3");
    struct asci_encoder en = { 0 };
    double x[] = { 2.5, 1.0, NAN, NAN, -1.0, 3.0 }, out[6];

    (void)state;
    en.n = 2;
    en.column = need(2, sizeof *en.column);
    assert_int_equal(asci_column_identity(&en.column[0], 0, NULL), ASC_OK);
    assert_int_equal(asci_column_indicator(&en.column[1], &m->schema, 1, 1,
                                           0.25, NULL), ASC_OK);
    asci_encode(&en, 2, x, 3, out);
    assert_true(out[0] == 2.5 && out[1] == 1.0);
    assert_true(isnan(out[2]) && out[3] == 0.25);
    assert_true(out[4] == -1.0 && out[5] == 0.0);
    assert_false(asci_encoder_identity(&en, 2));
    asci_encoder_free(&en);
    en.n = 2;
    en.column = need(2, sizeof *en.column);
    assert_int_equal(asci_column_identity(&en.column[0], 0, NULL), ASC_OK);
    assert_int_equal(asci_column_identity(&en.column[1], 1, NULL), ASC_OK);
    assert_true(asci_encoder_identity(&en, 2));
    en.column[1].factor[0].field = 0;
    assert_false(asci_encoder_identity(&en, 2));
    asci_encoder_free(&en);
    asc_model_free(m);
}

/* Columns in bulk are what single values are. */
static void
in_bulk(void **state)
{
    enum { ROWS = 100 };
    struct asc_stream s;
    asc_model *m = random_schema("x3x2xx1");
    double *x, *out;
    size_t i, j, d = 7;

    (void)state;
    asc_stream_start(&s, test_seed(1), "encoder", NULL, 0);
    random_encoder(&s, m, COLUMNS_ANY);
    x = random_rows(&s, m, ROWS, 0.1);
    out = need(ROWS * m->encoder.n, sizeof *out);
    asci_encode(&m->encoder, d, x, ROWS, out);
    for (i = 0; i < ROWS; i++)
        for (j = 0; j < m->encoder.n; j++) {
            const struct asci_factor *f = &m->encoder.column[j].factor[0];

            assert_true(same_bits(out[i * m->encoder.n + j],
                                  asci_factor_value(f, x[i * d +
                                                         f->field])));
        }
    free(out);
    free(x);
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(piecewise), cmocka_unit_test(powers),
        cmocka_unit_test(floats), cmocka_unit_test(slopes),
        cmocka_unit_test(tables), cmocka_unit_test(steps),
        cmocka_unit_test(products), cmocka_unit_test(ready_made),
        cmocka_unit_test(in_bulk)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
