/* The PMML reader on small documents: what each element means, with values
 * worked by hand from the specification (PMML 4.4), and what each mistake
 * says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "pmml.h"

/* ---- RegressionModel ---- */

#define REGRESSION(attributes, content) \
    DOCUMENT("<RegressionModel functionName='regression' " attributes ">" \
             SCHEMA("y") content "</RegressionModel>")
#define CLASSIFICATION(target, attributes, content) \
    DOCUMENT("<RegressionModel functionName='classification' " attributes \
             ">" SCHEMA(target) content "</RegressionModel>")

/* 2 + 3 x^2 - [c = red] + 0.5 x z - 4 [c = green] z^-1 */
static void
test_regression_terms(void **state)
{
    asc_model *m = read_text(REGRESSION(
        "", "<RegressionTable intercept='2'>"
        "<NumericPredictor name='x' exponent='2' coefficient='3'/>"
        "<NumericPredictor name='z' exponent='-1' coefficient='10'/>"
        "<CategoricalPredictor name='c' value='red' coefficient='-1'/>"
        "<PredictorTerm coefficient='0.5'><FieldRef field='x'/>"
        "<FieldRef field='z'/></PredictorTerm></RegressionTable>"));

    (void)state;
    assert_int_equal(asc_model_form(m), ASC_FORM_LINEAR);
    assert_string_equal(asc_model_output(m, 0), "y");
    assert_string_equal(asc_model_target(m), "y");
    assert_int_equal(asc_model_schema(m)->n, 3);
    assert_output(m, "1\t2\tred", 0, 2 + 3 + 5 - 1 + 1);
    assert_output(m, "-2\t4\tblue", 0, 2 + 12 + 2.5 - 4);
    /* a missing category adds nothing, a missing number takes all */
    assert_output(m, "1\t2\t", 0, 2 + 3 + 5 + 1);
    assert_output(m, "1\t\tred", 0, NAN);
    asc_model_free(m);
}

#define X_PLUS(constant) \
    "intercept='" constant "'><NumericPredictor name='x' coefficient='1'/>" \
    "</RegressionTable>"

static void
test_regression_links(void **state)
{
    static const struct {
        const char *text;
        double x1;              /* at x = 1 */
    } cases[] = {
        { REGRESSION("", "<RegressionTable " X_PLUS("0.5")), 1.5 },
        { REGRESSION("normalizationMethod='exp'",
                     "<RegressionTable " X_PLUS("0")), M_E },
        { REGRESSION("normalizationMethod='logit'",
                     "<RegressionTable " X_PLUS("-1")), 0.5 },
        { REGRESSION("normalizationMethod='softmax'",
                     "<RegressionTable " X_PLUS("-1")), 0.5 },
        { REGRESSION("normalizationMethod='probit'",
                     "<RegressionTable " X_PLUS("0")), 0.841344746068542949 },
        { REGRESSION("normalizationMethod='cloglog'",
                     "<RegressionTable " X_PLUS("-1")),
          0.632120558828557678 },       /* 1 - 1/e */
        { REGRESSION("normalizationMethod='loglog'",
                     "<RegressionTable " X_PLUS("-1")),
          0.367879441171442322 },       /* 1/e */
        { REGRESSION("normalizationMethod='cauchit'",
                     "<RegressionTable " X_PLUS("0")), 0.75 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_text_output(cases[i].text, "1\t0\tred", cases[i].x1);
}

/* The class of the first table gets the link, the other one the rest; outputs
 * are in the order of the target's values; raw scores are mirrored. */
static void
test_two_classes(void **state)
{
    asc_model *m = read_text(CLASSIFICATION(
        "k", "normalizationMethod='logit'",
        "<RegressionTable targetCategory='b' " X_PLUS("0")
        "<RegressionTable targetCategory='a' intercept='0'/>"));

    (void)state;
    assert_int_equal(m->n_raw, 1);
    assert_string_equal(asc_model_output(m, 0), "a");
    assert_string_equal(asc_model_output(m, 1), "b");
    assert_output(m, "1\t0\tred", 1, 1 / (1 + exp(-1)));
    assert_output(m, "1\t0\tred", 0, 1 - 1 / (1 + exp(-1)));
    assert_close(output(m, ASC_RAW, "3\t0\tred", 1), 3);
    assert_close(output(m, ASC_RAW, "3\t0\tred", 0), -3);
    asc_model_free(m);

    /* one table is enough; a table without predictors is no first one */
    m = read_text(CLASSIFICATION(
        "k", "normalizationMethod='cloglog'",
        "<RegressionTable targetCategory='a' " X_PLUS("-1")));
    assert_output(m, "1\t0\tred", 0, 1 - exp(-1));
    assert_output(m, "1\t0\tred", 1, exp(-1));
    asc_model_free(m);
    m = read_text(CLASSIFICATION(
        "k", "normalizationMethod='logit'",
        "<RegressionTable targetCategory='a' intercept='0'/>"
        "<RegressionTable targetCategory='b' " X_PLUS("0")));
    assert_output(m, "1\t0\tred", 1, 1 / (1 + exp(-1)));
    asc_model_free(m);

    /* softmax of x + 1 and 3 is logit of x - 2 */
    m = read_text(CLASSIFICATION(
        "k", "normalizationMethod='softmax'",
        "<RegressionTable targetCategory='a' " X_PLUS("1")
        "<RegressionTable targetCategory='b' intercept='3'/>"));
    assert_int_equal(m->n_raw, 1);
    assert_output(m, "2\t0\tred", 0, 0.5);
    assert_output(m, "5\t0\tred", 0, 1 / (1 + exp(-3)));
    asc_model_free(m);

    /* y and 1 - y */
    m = read_text(CLASSIFICATION(
        "k", "", "<RegressionTable targetCategory='a' " X_PLUS("0.25")
        "<RegressionTable targetCategory='b' intercept='0'/>"));
    assert_output(m, "0.5\t0\tred", 0, 0.75);
    assert_output(m, "0.5\t0\tred", 1, 0.25);
    asc_model_free(m);

    /* two tables with predictors each */
    m = read_text(CLASSIFICATION(
        "k", "normalizationMethod='softmax'",
        "<RegressionTable targetCategory='b' " X_PLUS("1")
        "<RegressionTable targetCategory='a' " X_PLUS("0")));
    assert_int_equal(m->n_raw, 2);
    assert_output(m, "7\t0\tred", 1, 1 / (1 + exp(-1)));
    asc_model_free(m);
}

#define THREE_TABLES \
    "<RegressionTable targetCategory='q' " X_PLUS("0") \
    "<RegressionTable targetCategory='r' " X_PLUS("1") \
    "<RegressionTable targetCategory='p' intercept='4'/>"

static void
test_three_classes(void **state)
{
    const double sum = exp(1) + exp(2) + exp(4);
    asc_model *m = read_text(CLASSIFICATION(
        "k3", "normalizationMethod='softmax'", THREE_TABLES));

    (void)state;
    assert_string_equal(asc_model_output(m, 0), "p");
    assert_output(m, "1\t0\tred", 0, exp(4) / sum);
    assert_output(m, "1\t0\tred", 1, exp(1) / sum);
    assert_output(m, "1\t0\tred", 2, exp(2) / sum);
    assert_close(output(m, ASC_RAW, "1\t0\tred", 2), 2);
    asc_model_free(m);
    m = read_text(CLASSIFICATION("k3", "normalizationMethod='simplemax'",
                                 THREE_TABLES));
    assert_output(m, "1\t0\tred", 0, 4.0 / 7.0);
    assert_output(m, "1\t0\tred", 1, 1.0 / 7.0);
    asc_model_free(m);
    /* none: the last table's class gets the rest */
    m = read_text(CLASSIFICATION("k3", "", THREE_TABLES));
    assert_output(m, "-0.25\t0\tred", 1, -0.25);
    assert_output(m, "-0.25\t0\tred", 2, 0.75);
    assert_output(m, "-0.25\t0\tred", 0, 0.5);
    asc_model_free(m);
}

/* ---- derived fields ---- */

#define DERIVED(type, name, expression) \
    "<DerivedField name='" name "' optype='" type "' dataType='double'>" \
    expression "</DerivedField>"
#define NUMBER(name, expression) DERIVED("continuous", name, expression)
#define LINE(field, attributes, x0, y0, x1, y1) \
    "<NormContinuous field='" field "' " attributes "><LinearNorm orig='" x0 \
    "' norm='" y0 "'/><LinearNorm orig='" x1 "' norm='" y1 \
    "'/></NormContinuous>"
#define BIN(value, closure, margins) \
    "<DiscretizeBin binValue='" value "'><Interval closure='" closure "' " \
    margins "/></DiscretizeBin>"
/* y = the derived field d */
#define OF_DERIVED(fields) \
    REGRESSION("", "<LocalTransformations>" fields "</LocalTransformations>" \
               "<RegressionTable><NumericPredictor name='d' " \
               "coefficient='1'/></RegressionTable>")
#define OF_CLASS(fields, value) \
    REGRESSION("", "<LocalTransformations>" fields "</LocalTransformations>" \
               "<RegressionTable><CategoricalPredictor name='d' " \
               "value='" value "' coefficient='1'/></RegressionTable>")

struct point {
    const char *row;
    double want;
};

static void
assert_points(const char *text, const struct point *p)
{
    asc_model *m = read_text(text);

    for (; p->row; p++)
        assert_output(m, p->row, 0, p->want);
    asc_model_free(m);
}

static void
test_norm_continuous(void **state)
{
    static const char three[] =
        "<LinearNorm orig='0' norm='0'/><LinearNorm orig='2' norm='1'/>"
        "<LinearNorm orig='3' norm='5'/></NormContinuous>";
    char text[8192];

    (void)state;
#define THREE(attributes) \
    (snprintf(text, sizeof text, "%s<NormContinuous field='x' %s>%s%s", \
              DOCUMENT_HEAD, attributes, three, DOCUMENT_TAIL), text)
#define DOCUMENT_HEAD \
    "<PMML version='4.4'><DataDictionary>" FIELDS "</DataDictionary>" \
    "<RegressionModel functionName='regression'>" SCHEMA("y") \
    "<LocalTransformations><DerivedField name='d' optype='continuous' " \
    "dataType='double'>"
#define DOCUMENT_TAIL \
    "</DerivedField></LocalTransformations><RegressionTable>" \
    "<NumericPredictor name='d' coefficient='1'/></RegressionTable>" \
    "</RegressionModel></PMML>"
    assert_points(THREE(""), (struct point[]) {
        { "1\t0\tred", 0.5 }, { "2\t0\tred", 1 }, { "2.25\t0\tred", 2 },
        { "-4\t0\tred", -2 }, { "4\t0\tred", 9 }, { "\t0\tred", NAN },
        { NULL, 0 } });
    assert_points(THREE("outliers='asExtremeValues' mapMissingTo='-3'"),
                  (struct point[]) {
        { "1\t0\tred", 0.5 }, { "-4\t0\tred", 0 }, { "4\t0\tred", 5 },
        { "\t0\tred", -3 }, { NULL, 0 } });
    assert_points(THREE("outliers='asMissingValues'"), (struct point[]) {
        { "3\t0\tred", 5 }, { "-4\t0\tred", NAN }, { "3.01\t0\tred", NAN },
        { NULL, 0 } });
}

/* Functions of functions: each against its value by hand. */
static void
test_compositions(void **state)
{
    (void)state;
    /* 10 (x/2 + 1) - 3 */
    assert_points(OF_DERIVED(
        NUMBER("e", LINE("x", "", "0", "1", "2", "2"))
        NUMBER("d", LINE("e", "", "0", "-3", "1", "7"))), (struct point[]) {
        { "0\t0\tred", 7 }, { "-8\t0\tred", -33 }, { "5\t0\tred", 32 },
        { "\t0\tred", NAN }, { NULL, 0 } });
    /* max(0, min(1, (4 - 2x))) and three times that, less one */
    assert_points(OF_DERIVED(
        NUMBER("e", LINE("x", "", "0", "4", "2", "0"))
        NUMBER("f", LINE("e", "outliers='asExtremeValues'", "0", "0", "1",
                         "1"))
        NUMBER("d", LINE("f", "", "0", "-1", "1", "2"))), (struct point[]) {
        { "0\t0\tred", 2 }, { "1.5\t0\tred", 2 }, { "1.75\t0\tred", 0.5 },
        { "2\t0\tred", -1 }, { "9\t0\tred", -1 }, { NULL, 0 } });
    /* a clamp on one side only: |x| has no single slope, but a knot */
    assert_points(OF_DERIVED(
        NUMBER("e", "<NormContinuous field='x'><LinearNorm orig='-1' "
               "norm='1'/><LinearNorm orig='0' norm='0'/><LinearNorm "
               "orig='1' norm='1'/></NormContinuous>")
        NUMBER("d", LINE("e", "outliers='asExtremeValues'", "1", "0", "3",
                         "1"))), (struct point[]) {
        { "0\t0\tred", 0 }, { "0.5\t0\tred", 0 }, { "-2\t0\tred", 0.5 },
        { "2.5\t0\tred", 0.75 }, { "7\t0\tred", 1 }, { "-7\t0\tred", 1 },
        { NULL, 0 } });
    /* missing outside 0 <= 4 - 2x <= 2, that is 1 <= x <= 2 */
    assert_points(OF_DERIVED(
        NUMBER("e", LINE("x", "", "0", "4", "2", "0"))
        NUMBER("d", LINE("e", "outliers='asMissingValues' mapMissingTo='9'",
                         "0", "0", "2", "6"))), (struct point[]) {
        { "1\t0\tred", 6 }, { "1.5\t0\tred", 3 }, { "2\t0\tred", 0 },
        { "0.9\t0\tred", 9 }, { "2.1\t0\tred", 9 }, { "\t0\tred", 9 },
        { NULL, 0 } });
    /* the inner mapMissingTo goes through the outer line */
    assert_points(OF_DERIVED(
        NUMBER("e", LINE("x", "mapMissingTo='3'", "0", "0", "1", "1"))
        NUMBER("d", LINE("e", "", "0", "0", "1", "2"))), (struct point[]) {
        { "1\t0\tred", 2 }, { "\t0\tred", 6 }, { NULL, 0 } });
    /* a line of an indicator */
    assert_points(OF_DERIVED(
        NUMBER("e", "<NormDiscrete field='c' value='green'/>")
        NUMBER("d", LINE("e", "", "0", "-1", "1", "4"))), (struct point[]) {
        { "0\t0\tred", -1 }, { "0\t0\tgreen", 4 }, { "0\t0\t", NAN },
        { NULL, 0 } });
}

static void
test_discrete(void **state)
{
    (void)state;
    assert_points(OF_DERIVED(
        NUMBER("d", "<NormDiscrete field='c' value='blue' "
               "mapMissingTo='0.5'/>")), (struct point[]) {
        { "0\t0\tred", 0 }, { "0\t0\tblue", 1 }, { "0\t0\t", 0.5 },
        { NULL, 0 } });
    /* numbers of labels */
#define LEVELS(attributes) \
    "<Discretize field='x' " attributes ">" \
    BIN("10", "openOpen", "rightMargin='0'") \
    BIN("20", "closedOpen", "leftMargin='0' rightMargin='1'") \
    BIN("30", "closedClosed", "leftMargin='1' rightMargin='2'") \
    "</Discretize>"
    assert_points(OF_DERIVED(NUMBER("d", LEVELS(""))), (struct point[]) {
        { "-1\t0\tred", 10 }, { "0\t0\tred", 20 }, { "0.5\t0\tred", 20 },
        { "1\t0\tred", 30 }, { "2\t0\tred", 30 }, { "2.5\t0\tred", NAN },
        { "\t0\tred", NAN }, { NULL, 0 } });
    assert_points(OF_DERIVED(NUMBER("d", LEVELS(
        "defaultValue='40' mapMissingTo='50'"))), (struct point[]) {
        { "0\t0\tred", 20 }, { "2.5\t0\tred", 40 }, { "\t0\tred", 50 },
        { NULL, 0 } });
    /* an indicator of a bin; two bins may share a value */
#define TWO(field) \
    DERIVED("categorical", "d", "<Discretize field='" field "' " \
            "mapMissingTo='in' dataType='string'>" \
            BIN("in", "closedClosed", "leftMargin='0' rightMargin='1'") \
            BIN("out", "openOpen", "rightMargin='0'") \
            BIN("out", "openOpen", "leftMargin='1'") "</Discretize>")
    assert_points(OF_CLASS(TWO("x"), "out"), (struct point[]) {
        { "0\t0\tred", 0 }, { "1\t0\tred", 0 }, { "-1\t0\tred", 1 },
        { "2\t0\tred", 1 }, { "\t0\tred", 0 }, { NULL, 0 } });
    /* bins of 4 - 2x, which falls: in for 1.5 <= x <= 2 */
    assert_points(OF_CLASS(
        NUMBER("e", LINE("x", "", "0", "4", "2", "0")) TWO("e"), "in"),
        (struct point[]) {
        { "1.5\t0\tred", 1 }, { "2\t0\tred", 1 }, { "1.4\t0\tred", 0 },
        { "2.1\t0\tred", 0 }, { "\t0\tred", 1 }, { NULL, 0 } });
    /* bins of a clamped line: all below 0 are 0, all above 5 are 1 */
    assert_points(OF_CLASS(
        NUMBER("e", LINE("x", "outliers='asExtremeValues'", "0", "0", "5",
                         "1")) TWO("e"), "in"), (struct point[]) {
        { "-3\t0\tred", 1 }, { "9\t0\tred", 1 }, { "2\t0\tred", 1 },
        { NULL, 0 } });
    /* bins of a bin's numbers */
    assert_points(OF_CLASS(
        NUMBER("e", LEVELS("")) DERIVED("categorical", "d",
            "<Discretize field='e' dataType='string'>"
            BIN("low", "openOpen", "rightMargin='25'")
            BIN("high", "closedOpen", "leftMargin='25'") "</Discretize>"),
        "high"), (struct point[]) {
        { "-1\t0\tred", 0 }, { "1\t0\tred", 1 }, { "0\t0\tred", 0 },
        { "3\t0\tred", 0 }, { NULL, 0 } });
    /* the four closures */
#define CLOSURE(closure) \
    OF_CLASS(DERIVED("categorical", "d", "<Discretize field='x' " \
                     "defaultValue='n' dataType='string'>" \
                     BIN("y", closure, "leftMargin='0' rightMargin='1'") \
                     "</Discretize>"), "y")
    assert_points(CLOSURE("openClosed"), (struct point[]) {
        { "0\t0\tred", 0 }, { "1\t0\tred", 1 }, { NULL, 0 } });
    assert_points(CLOSURE("closedOpen"), (struct point[]) {
        { "0\t0\tred", 1 }, { "1\t0\tred", 0 }, { NULL, 0 } });
    assert_points(CLOSURE("openOpen"), (struct point[]) {
        { "0\t0\tred", 0 }, { "1\t0\tred", 0 }, { "0.5\t0\tred", 1 },
        { NULL, 0 } });
    assert_points(CLOSURE("closedClosed"), (struct point[]) {
        { "0\t0\tred", 1 }, { "1\t0\tred", 1 }, { NULL, 0 } });
    /* equality with a number */
    assert_points(OF_DERIVED(
        NUMBER("d", "<NormDiscrete field='x' value='1.50'/>")),
        (struct point[]) {
        { "1.5\t0\tred", 1 }, { "1\t0\tred", 0 }, { NULL, 0 } });
}

static void
test_expressions(void **state)
{
    (void)state;
    assert_points(OF_DERIVED(
        NUMBER("e", "<FieldRef field='x' mapMissingTo='-1'/>")
        NUMBER("d", "<FieldRef field='e'/>")), (struct point[]) {
        { "3\t0\tred", 3 }, { "\t0\tred", -1 }, { NULL, 0 } });
    assert_points(OF_DERIVED(
        NUMBER("d", "<Constant dataType='double'>2.5</Constant>")),
        (struct point[]) { { "3\t0\tred", 2.5 }, { NULL, 0 } });
    /* (x - 3) / 4 and 2 - (x * 5), also of what is missing */
    assert_points(OF_DERIVED(
        NUMBER("d", "<Apply function='/'><Apply function='-'>"
               "<FieldRef field='x'/><Constant>3</Constant></Apply>"
               "<Constant>4</Constant></Apply>")), (struct point[]) {
        { "3\t0\tred", 0 }, { "13\t0\tred", 2.5 }, { "\t0\tred", NAN },
        { NULL, 0 } });
    assert_points(OF_DERIVED(
        NUMBER("d", "<Apply function='-' mapMissingTo='8'><Constant>2"
               "</Constant><Apply function='*'><FieldRef field='x'/>"
               "<Constant>5</Constant></Apply></Apply>")),
        (struct point[]) {
        { "0\t0\tred", 2 }, { "3\t0\tred", -13 }, { "\t0\tred", 8 },
        { NULL, 0 } });
    assert_points(OF_DERIVED(
        NUMBER("d", "<Apply function='+'><Constant>2</Constant>"
               "<FieldRef field='x'/></Apply>")), (struct point[]) {
        { "-2\t0\tred", 0 }, { "5\t0\tred", 7 }, { NULL, 0 } });
    /* labels: a constant one, and one for what is missing */
    assert_points(OF_CLASS(DERIVED("categorical", "d",
        "<Constant dataType='string'>7a</Constant>"), "7a"),
        (struct point[]) { { "0\t0\tred", 1 }, { NULL, 0 } });
    assert_points(OF_CLASS(DERIVED("categorical", "d",
        "<FieldRef field='c' mapMissingTo='green'/>"), "green"),
        (struct point[]) {
        { "0\t0\tgreen", 1 }, { "0\t0\t", 1 }, { "0\t0\tred", 0 },
        { NULL, 0 } });
    assert_points(OF_DERIVED(
        NUMBER("d", "<Apply function='+'><Constant>2</Constant>"
               "<Constant>3</Constant></Apply>")), (struct point[]) {
        { "0\t0\tred", 5 }, { NULL, 0 } });
}

/* Lines that are missing outside their knots, under other functions. */
static void
test_missing_lines(void **state)
{
    (void)state;
#define WITHIN \
    NUMBER("e", LINE("x", "outliers='asMissingValues'", "0", "10", "4", \
                     "2"))
    assert_points(OF_DERIVED(
        WITHIN NUMBER("d", LINE("e", "mapMissingTo='-1'", "0", "0", "2",
                                "1"))), (struct point[]) {
        { "0\t0\tred", 5 }, { "4\t0\tred", 1 }, { "-0.1\t0\tred", -1 },
        { "4.1\t0\tred", -1 }, { "\t0\tred", -1 }, { NULL, 0 } });
    /* both have a range: 0 <= x <= 4 and 10 - 2x >= 5 */
    assert_points(OF_DERIVED(
        WITHIN NUMBER("d", LINE("e", "outliers='asMissingValues'", "5", "0",
                                "20", "15"))), (struct point[]) {
        { "0\t0\tred", 5 }, { "2.5\t0\tred", 0 }, { "2.6\t0\tred", NAN },
        { "-1\t0\tred", NAN }, { NULL, 0 } });
    assert_points(OF_CLASS(WITHIN TWO("e"), "out"), (struct point[]) {
        { "0\t0\tred", 1 }, { "5\t0\tred", 0 }, { "-1\t0\tred", 0 },
        { NULL, 0 } });
    assert_points(OF_CLASS(WITHIN TWO("e"), "in"), (struct point[]) {
        { "0\t0\tred", 0 }, { "5\t0\tred", 1 }, { "-1\t0\tred", 1 },
        { "\t0\tred", 1 }, { NULL, 0 } });
    /* bins of a line that falls in three pieces: e <= 1 from x = 2.5 on */
    assert_points(OF_CLASS(NUMBER("e", "<NormContinuous field='x'>"
        "<LinearNorm orig='0' norm='8'/><LinearNorm orig='1' norm='4'/>"
        "<LinearNorm orig='2' norm='2'/><LinearNorm orig='3' norm='0'/>"
        "</NormContinuous>") TWO("e"), "in"), (struct point[]) {
        { "2.25\t0\tred", 0 }, { "2.5\t0\tred", 1 }, { "3\t0\tred", 1 },
        { "3.25\t0\tred", 0 }, { NULL, 0 } });
}

/* ---- random chains of functions, composed and one after the other ---- */

enum { MAX_PIECES = 5 };

struct function {
    int steps, n, outliers;     /* 0 as is, 1 missing, 2 extreme */
    double x[MAX_PIECES], y[MAX_PIECES], missing, other;
};

static uint64_t random_state;

static int
below(int n)
{
    random_state = random_state * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    return (int)((random_state >> 33) % (uint64_t)n);
}

static struct function
random_function(void)
{
    struct function f = { 0 };
    int i, direction = below(4);

    f.steps = below(3) == 0;
    f.n = 2 + below(MAX_PIECES - 1);
    f.outliers = below(3);
    f.missing = below(2) ? NAN : below(9) - 4;
    f.other = below(2) ? NAN : below(9) - 4;
    for (i = 0; i < f.n; i++) {
        f.x[i] = i == 0 ? below(9) - 6 : f.x[i - 1] + 1 + below(4);
        /* rising, falling, or anything */
        f.y[i] = i == 0 || direction > 1 ? below(13) - 6
                 : f.y[i - 1] + (direction ? 1 : -1) * (1 + below(3));
    }
    return f;
}

/* Steps are of x[i] <= v < x[i + 1], with the value y[i]. */
static double
call(const struct function *f, double v)
{
    int i = 0, last = f->n - 1;

    if (isnan(v))
        return f->missing;
    if (f->steps) {
        for (i = 0; i < last; i++)
            if (f->x[i] <= v && v < f->x[i + 1])
                return f->y[i];
        return f->other;
    }
    if (v < f->x[0] || v > f->x[last]) {
        if (f->outliers == 1)
            return f->missing;
        if (f->outliers == 2)
            return v < f->x[0] ? f->y[0] : f->y[last];
    }
    while (i + 2 < f->n && v > f->x[i + 1])
        i++;
    return f->y[i] + (v - f->x[i]) * (f->y[i + 1] - f->y[i]) /
                     (f->x[i + 1] - f->x[i]);
}

static void
write_function(const struct function *f, const char *name, const char *of,
               struct asc_buffer *b)
{
    static const char *const outliers[] = {
        "asIs", "asMissingValues", "asExtremeValues"
    };
    int i;

    asc_buffer_print(b, "<DerivedField name='%s' optype='continuous' "
                     "dataType='double'><%s field='%s'", name,
                     f->steps ? "Discretize" : "NormContinuous", of);
    if (!isnan(f->missing))
        asc_buffer_print(b, " mapMissingTo='%g'", f->missing);
    if (f->steps && !isnan(f->other))
        asc_buffer_print(b, " defaultValue='%g'", f->other);
    if (!f->steps)
        asc_buffer_print(b, " outliers='%s'", outliers[f->outliers]);
    asc_buffer_text(b, ">");
    for (i = 0; i + f->steps < f->n; i++)
        if (f->steps)
            asc_buffer_print(b, "<DiscretizeBin binValue='%g'><Interval "
                             "closure='closedOpen' leftMargin='%g' "
                             "rightMargin='%g'/></DiscretizeBin>", f->y[i],
                             f->x[i], f->x[i + 1]);
        else
            asc_buffer_print(b, "<LinearNorm orig='%g' norm='%g'/>", f->x[i],
                             f->y[i]);
    asc_buffer_print(b, "</%s></DerivedField>",
                     f->steps ? "Discretize" : "NormContinuous");
}

static void
test_random_functions(void **state)
{
    enum { N_CHAINS = 4000, LENGTH = 3 };
    static const char *const names[] = { "x", "d1", "d2", "d" };
    struct function f[LENGTH];
    struct asc_buffer b = { 0 };
    struct asc_error e;
    int i, j, k, n_read = 0;

    (void)state;
    random_state = 7;
    for (i = 0; i < N_CHAINS; i++) {
        asc_model *m;

        b.n = 0;
        asc_buffer_text(&b, "<PMML version='4.4'><DataDictionary>" FIELDS
                        "</DataDictionary><RegressionModel "
                        "functionName='regression'>" SCHEMA("y")
                        "<LocalTransformations>");
        for (j = 0; j < LENGTH; j++) {
            f[j] = random_function();
            write_function(&f[j], names[j + 1], names[j], &b);
        }
        asc_buffer_text(&b, "</LocalTransformations><RegressionTable>"
                        "<NumericPredictor name='d' coefficient='1'/>"
                        "</RegressionTable></RegressionModel></PMML>");
        if (!(m = asci_pmml_read("m.pmml", b.p, b.n, &e))) {
            if (!strstr(e.text, "is not a function that is supported"))
                fail_msg("%s", e.text);
            continue;
        }
        n_read++;
        for (j = -40; j <= 41; j++) {
            /* away from the points where steps jump */
            double x[3] = { j == 41 ? NAN : j * 0.317 + 1e-4, 0, 0 };
            double y, want = x[0];

            for (k = 0; k < LENGTH; k++)
                want = call(&f[k], want);
            assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, &y, &e),
                             ASC_OK);
            if (!(fabs(y - want) < 1e-9 || (isnan(y) && isnan(want))))
                fail_msg("chain %d at %g: %.17g, not %.17g\n%.*s", i, x[0],
                         y, want, (int)b.n, b.p);
        }
        asc_model_free(m);
    }
    assert_true(n_read > N_CHAINS / 4);
    asc_buffer_free(&b);
}

/* Local names hide outer ones, and may be made from them; the dictionary's
 * derived fields see the raw ones. */
static void
test_scopes(void **state)
{
    (void)state;
    assert_points(
        "<PMML version='4.4'><DataDictionary>" FIELDS "</DataDictionary>"
        "<TransformationDictionary>"
        NUMBER("u", LINE("x", "", "0", "0", "1", "10"))
        NUMBER("v", "<FieldRef field='u'/>")
        "</TransformationDictionary>"
        "<RegressionModel functionName='regression'>" SCHEMA("y")
        "<LocalTransformations>"
        NUMBER("x", LINE("x", "", "0", "1", "1", "2"))
        NUMBER("u", LINE("u", "", "0", "0", "1", "2"))
        "</LocalTransformations><RegressionTable>"
        "<NumericPredictor name='x' coefficient='100'/>"
        "<NumericPredictor name='u' coefficient='1'/>"
        "<NumericPredictor name='v' coefficient='1'/>"
        "</RegressionTable></RegressionModel></PMML>", (struct point[]) {
        { "3\t0\tred", 400 + 60 + 30 }, { NULL, 0 } });
}

/* ---- MiningSchema ---- */

#define X_OF(data, mining) \
    DOCUMENT_OF("<DataField name='x' " data "</DataField>" \
                "<DataField name='y' optype='continuous' " \
                "dataType='double'/>", \
                "<RegressionModel functionName='regression'><MiningSchema>" \
                "<MiningField name='x' " mining "/><MiningField name='y' " \
                "usageType='predicted'/></MiningSchema><RegressionTable>" \
                "<NumericPredictor name='x' coefficient='2'/>" \
                "</RegressionTable></RegressionModel>")
#define RANGE(closure) \
    "optype='continuous' dataType='double'><Interval closure='" closure \
    "' leftMargin='0' rightMargin='4'/>"

static double
value_of(asc_model *m, const char *text, int *status)
{
    struct asc_error e;
    struct asc_text t = { text, strlen(text) };
    double v = NAN;

    *status = asc_field_value(&asc_model_open_schema(m)->field[0], t, "row",
                              &v, &e);
    return v;
}

static void
test_numbers_in(void **state)
{
    asc_model *m = read_text(X_OF(RANGE("closedOpen"), ""));
    int status;

    (void)state;
    /* returnInvalid is the default */
    assert_close(value_of(m, "0", &status), 0);
    assert_int_equal(status, ASC_OK);
    value_of(m, "4", &status);
    assert_int_equal(status, ASC_EINPUT);
    value_of(m, "-0.001", &status);
    assert_int_equal(status, ASC_EINPUT);
    asc_model_free(m);
    m = read_text(X_OF(RANGE("closedClosed"),
                       "invalidValueTreatment='asMissing' "
                       "missingValueReplacement='1.5'"));
    assert_close(value_of(m, "5", &status), 1.5);
    assert_close(value_of(m, "4", &status), 4);
    assert_output(m, "", 0, 3);
    asc_model_free(m);
    m = read_text(X_OF(RANGE("closedClosed"), "invalidValueTreatment='asIs'"));
    assert_close(value_of(m, "5", &status), 5);
    asc_model_free(m);
    /* outliers: nearest end, or missing and replaced */
    m = read_text(X_OF("optype='continuous' dataType='double'>",
                       "outliers='asExtremeValues' lowValue='1' "
                       "highValue='2'"));
    assert_output(m, "0", 0, 2);
    assert_output(m, "9", 0, 4);
    assert_output(m, "1.25", 0, 2.5);
    asc_model_free(m);
    m = read_text(X_OF("optype='continuous' dataType='double'>",
                       "outliers='asMissingValues' lowValue='1' "
                       "highValue='2' missingValueReplacement='7'"));
    assert_output(m, "0", 0, 14);
    assert_output(m, "2", 0, 4);
    asc_model_free(m);
    /* both a valid range and outliers within it */
    m = read_text(X_OF(RANGE("closedClosed"), "outliers='asExtremeValues' "
                       "lowValue='1' highValue='2'"));
    assert_output(m, "3", 0, 4);
    value_of(m, "5", &status);
    assert_int_equal(status, ASC_EINPUT);
    asc_model_free(m);
    /* values that mean missing, and lowValue that means nothing */
    m = read_text(X_OF("optype='continuous' dataType='double'><Value "
                       "value='-99' property='missing'/>",
                       "lowValue='0' highValue='0'"));
    assert_close(value_of(m, "-99.0", &status), NAN);
    assert_close(value_of(m, "-98", &status), -98);
    asc_model_free(m);
}

#define C_OF(data, mining, value) \
    DOCUMENT_OF("<DataField name='x' " data "</DataField>" \
                "<DataField name='y' optype='continuous' " \
                "dataType='double'/>", \
                "<RegressionModel functionName='regression'><MiningSchema>" \
                "<MiningField name='x' " mining "/><MiningField name='y' " \
                "usageType='target'/></MiningSchema><RegressionTable>" \
                "<CategoricalPredictor name='x' value='" value \
                "' coefficient='2'/></RegressionTable></RegressionModel>")
#define TWO_TEXTS \
    "optype='categorical' dataType='string'><Value value='u'/>" \
    "<Value value='  v'/><Value value='bad' property='invalid'/>" \
    "<Value value='?!' property='missing'/>"

static void
test_categories_in(void **state)
{
    asc_model *m = read_text(C_OF(TWO_TEXTS, "", "  v"));
    int status;

    (void)state;
    assert_int_equal(asc_model_schema(m)->field[0].kind, ASC_CATEGORICAL);
    assert_output(m, "  v", 0, 2);      /* blanks count */
    assert_output(m, "u", 0, 0);
    assert_close(value_of(m, "?!", &status), NAN);
    value_of(m, "w", &status);
    assert_int_equal(status, ASC_EINPUT);
    asc_model_free(m);
    m = read_text(C_OF(TWO_TEXTS, "invalidValueTreatment='asMissing' "
                       "missingValueReplacement='u'", "u"));
    assert_output(m, "w", 0, 2);
    assert_output(m, "bad", 0, 2);
    assert_output(m, "  v", 0, 0);
    asc_model_free(m);
    /* as it is: what a predictor names is known, the rest equals nothing */
    m = read_text(C_OF(TWO_TEXTS, "invalidValueTreatment='asIs'", "w"));
    assert_output(m, "w", 0, 2);
    assert_output(m, "anything", 0, 0);
    asc_model_free(m);
    m = read_text(C_OF("optype='categorical' dataType='string'>", "", "w"));
    assert_int_equal(asc_model_schema(m)->field[0].n_categories, 1);
    assert_output(m, "w", 0, 2);
    assert_output(m, "anything", 0, 0);
    asc_model_free(m);
    /* a value that comes up later counts as undeclared before */
    m = read_text(DOCUMENT_OF("<DataField name='x' optype='categorical' "
        "dataType='string'/>", "<RegressionModel functionName='regression'>"
        "<MiningSchema><MiningField name='x'/></MiningSchema>"
        "<RegressionTable><CategoricalPredictor name='x' value='u' "
        "coefficient='1'/><CategoricalPredictor name='x' value='v' "
        "coefficient='10'/></RegressionTable></RegressionModel>"));
    assert_output(m, "u", 0, 1);
    assert_output(m, "v", 0, 10);
    assert_output(m, "w", 0, 0);
    asc_model_free(m);
    /* spellings of numbers and truth values */
    m = read_text(C_OF("optype='categorical' dataType='integer'>"
                       "<Value value='1'/><Value value='2'/>", "", "1.0"));
    assert_output(m, "1.0", 0, 2);
    assert_output(m, "2", 0, 0);
    asc_model_free(m);
    m = read_text(C_OF("optype='categorical' dataType='boolean'>", "",
                       "TRUE"));
    assert_output(m, "true", 0, 2);
    assert_output(m, "1", 0, 2);
    assert_output(m, "False", 0, 0);
    asc_model_free(m);
    /* what comes in as it is may become what is declared nowhere */
    m = read_text(C_OF(TWO_TEXTS, "invalidValueTreatment='asIs' "
                       "missingValueReplacement='w'", "w"));
    assert_output(m, "", 0, 2);
    assert_output(m, "u", 0, 0);
    asc_model_free(m);
    /* the MiningField's optype goes before the DataField's */
    m = read_text(C_OF("optype='continuous' dataType='integer'>",
                       "optype='categorical'", "7"));
    assert_int_equal(asc_model_schema(m)->field[0].kind, ASC_CATEGORICAL);
    assert_output(m, "7", 0, 2);
    asc_model_free(m);
}

/* float fields: 0.1f is above 0.1 */
static void
test_float(void **state)
{
    asc_model *m = read_text(X_OF("optype='continuous' dataType='float'>",
                                  ""));

    (void)state;
    assert_close(output(m, ASC_RESPONSE, "0.1", 0), 2 * (double)0.1f);
    asc_model_free(m);
#define FLOAT(expression) \
    "<DerivedField name='d' optype='continuous' dataType='float'>" \
    expression "</DerivedField>"
    assert_points(OF_DERIVED(FLOAT("<FieldRef field='x'/>")),
                  (struct point[]) { { "0.1\t0\tred", (double)0.1f },
                                     { NULL, 0 } });
    /* only the result is rounded: 0.1 / 10 first */
    assert_points(OF_DERIVED(FLOAT(LINE("x", "", "0", "0", "10", "1"))),
                  (struct point[]) { { "0.1\t0\tred", (double)0.01f },
                                     { NULL, 0 } });
    assert_points(OF_DERIVED(FLOAT("<NormDiscrete field='c' value='red' "
                                   "mapMissingTo='0.1'/>")),
                  (struct point[]) { { "0\t0\tred", 1 }, { NULL, 0 } });
    assert_points(OF_DERIVED(FLOAT("<Constant>0.1</Constant>")),
                  (struct point[]) { { "0\t0\tred", (double)0.1f },
                                     { NULL, 0 } });
}

/* ---- NeuralNetwork ---- */

#define INPUT(id, field) \
    "<NeuralInput id='" id "'><DerivedField optype='continuous' " \
    "dataType='double'><FieldRef field='" field "'/></DerivedField>" \
    "</NeuralInput>"
#define NETWORK(attributes, layers, output) \
    DOCUMENT("<NeuralNetwork functionName='regression' " attributes ">" \
             SCHEMA("y") "<NeuralInputs>" INPUT("0", "x") INPUT("1", "z") \
             "</NeuralInputs>" layers "<NeuralOutputs><NeuralOutput " \
             "outputNeuron='" output "'><DerivedField optype='continuous' " \
             "dataType='double'><FieldRef field='y'/></DerivedField>" \
             "</NeuralOutput></NeuralOutputs></NeuralNetwork>")
#define CON(from, weight) "<Con from='" from "' weight='" weight "'/>"
#define NEURON(id, bias, cons) \
    "<Neuron id='" id "' bias='" bias "'>" cons "</Neuron>"
#define LAYER(attributes, neurons) \
    "<NeuralLayer " attributes ">" neurons "</NeuralLayer>"
#define TARGET(attributes, intercept) \
    REGRESSION("", "<Targets><Target field='y' " attributes "/></Targets>" \
               "<RegressionTable " X_PLUS(intercept))

#define MANY_TARGETS(mining, targets) \
    DOCUMENT("<RegressionModel functionName='regression'><MiningSchema>" \
             "<MiningField name='x'/>" mining "</MiningSchema><Targets>" \
             targets "</Targets><RegressionTable " X_PLUS("0") \
             "</RegressionModel>")

static void
test_targets(void **state)
{
    asc_model *m = read_text(TARGET("rescaleFactor='2' rescaleConstant='-1'",
                                    "0.5"));

    (void)state;
    assert_output(m, "3\t0\tred", 0, 6);
    assert_null(m->rescale);    /* taken into the weights */
    asc_model_free(m);
    assert_text_output(TARGET("castInteger='round'", "0.4"), "1\t0\tred", 1);
    assert_text_output(TARGET("castInteger='ceiling'", "0.4"), "1\t0\tred",
                       2);
    assert_text_output(TARGET("castInteger='floor'", "0.9"), "1\t0\tred", 1);
    /* the last layer of a network */
    assert_text_output(DOCUMENT(
        "<NeuralNetwork functionName='regression' "
        "activationFunction='identity'>" SCHEMA("y")
        "<Targets><Target field='y' rescaleFactor='2' "
        "rescaleConstant='1'/></Targets>"
        "<NeuralInputs>" INPUT("0", "x") "</NeuralInputs>"
        LAYER("", NEURON("1", "3", CON("0", "1")))
        "<NeuralOutputs><NeuralOutput outputNeuron='1'><DerivedField "
        "optype='continuous' dataType='double'><FieldRef field='y'/>"
        "</DerivedField></NeuralOutput></NeuralOutputs></NeuralNetwork>"),
        "4\t0\tred", 15);
    /* min and max come first */
    assert_text_output(TARGET("min='2' rescaleFactor='10'", "0"),
                       "1\t0\tred", 20);
    assert_text_output(TARGET("max='2' rescaleFactor='10'", "0"),
                       "7\t0\tred", 20);
    /* of several targets each has its own; without one, the only one */
    assert_text_output(MANY_TARGETS("<MiningField name='z' "
                                    "usageType='target'/><MiningField "
                                    "name='y' usageType='predicted'/>",
                                    "<Target field='y' rescaleFactor='100'/>"
                                    "<Target field='z' rescaleFactor='2'/>"),
                       "3", 6);
    assert_text_output(MANY_TARGETS("", "<Target field='y' "
                                    "rescaleFactor='2'/>"), "3", 6);
    assert_text_output(MANY_TARGETS("", "<Target rescaleFactor='2'/>"),
                       "3", 6);
}

/* f(0.5 + 2 x - z) */
#define ONE(attributes) \
    NETWORK(attributes, LAYER("", NEURON("2", "0.5", CON("1", "-1") \
                                         CON("0", "2"))), "2")

static void
test_activations(void **state)
{
    static const struct {
        const char *text;
        double want;            /* of 1.5: x = 1, z = 1 */
    } cases[] = {
        { ONE("activationFunction='identity'"), 1.5 },
        { ONE("activationFunction='logistic'"), 0.817574476193643612 },
        { ONE("activationFunction='tanh'"), 0.905148253644866438 },
        { ONE("activationFunction='rectifier'"), 1.5 },
        { ONE("activationFunction='threshold' threshold='1.5'"), 0 },
        { ONE("activationFunction='threshold' threshold='1.4'"), 1 },
        { ONE("activationFunction='exponential'"), 4.48168907033806482 },
        { ONE("activationFunction='reciprocal'"), 2.0 / 3.0 },
        { ONE("activationFunction='square'"), 2.25 },
        { ONE("activationFunction='Gauss'"), 0.105399224561864333 },
        { ONE("activationFunction='sine'"), 0.997494986604054431 },
        { ONE("activationFunction='cosine'"), 0.0707372016677029101 },
        { ONE("activationFunction='Elliott'"), 0.6 },
        /* 2 arctan(1.5) / pi */
        { ONE("activationFunction='arctan'"), 0.625665916378080127 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_text_output(cases[i].text, "1\t1\tred", cases[i].want);
    assert_text_output(ONE("activationFunction='rectifier'"), "-1\t1\tred",
                       0);
    assert_text_output(ONE("activationFunction='identity'"), "\t1\tred",
                       NAN);
}

static void
test_layers(void **state)
{
    (void)state;
    /* a layer's own function; connections in any order */
    assert_text_output(NETWORK("activationFunction='tanh'",
        LAYER("activationFunction='rectifier'",
              NEURON("a", "0", CON("0", "1"))
              NEURON("b", "1", CON("0", "-1")))
        LAYER("activationFunction='identity'",
              NEURON("c", "10", CON("b", "3") CON("a", "2"))), "c"),
        "4\t0\tred", 10 + 2 * 4 + 0);
    /* z skips a rectifier layer, with either sign; so does a, twice */
    assert_text_output(NETWORK("activationFunction='rectifier'",
        LAYER("", NEURON("a", "0", CON("0", "1")))
        LAYER("", NEURON("b", "0", CON("a", "-1")))
        LAYER("activationFunction='identity'",
              NEURON("c", "0", CON("a", "100") CON("b", "10")
                     CON("1", "1"))), "c"),
        "3\t-7\tred", 300 + 0 - 7);
    assert_text_output(NETWORK("activationFunction='identity'",
        LAYER("", NEURON("a", "0", CON("0", "1")))
        LAYER("activationFunction='tanh'",
              NEURON("c", "0", CON("a", "1") CON("1", "1"))), "c"),
        "0.25\t0.25\tred", tanh(0.5));
}

#define DENORMALISED(activation, norms) \
    DOCUMENT("<NeuralNetwork functionName='regression' " \
             "activationFunction='" activation "'>" SCHEMA("y") \
             "<NeuralInputs>" INPUT("0", "x") "</NeuralInputs>" \
             LAYER("", NEURON("1", "0", CON("0", "1"))) \
             "<NeuralOutputs><NeuralOutput outputNeuron='1'><DerivedField " \
             "optype='continuous' dataType='double'><NormContinuous " \
             "field='y'>" norms "</NormContinuous></DerivedField>" \
             "</NeuralOutput></NeuralOutputs></NeuralNetwork>")
#define NORM(orig, norm) \
    "<LinearNorm orig='" orig "' norm='" norm "'/>"

static void
test_denormalised(void **state)
{
    (void)state;
    /* norm 0..1 of 10..30, linear: one layer */
    assert_points(DENORMALISED("identity", NORM("10", "0") NORM("30", "1")),
                  (struct point[]) {
        { "0.25\t0\tred", 15 }, { "2\t0\tred", 50 }, { NULL, 0 } });
    assert_points(DENORMALISED("logistic", NORM("10", "0") NORM("30", "1")),
                  (struct point[]) { { "0\t0\tred", 20 }, { NULL, 0 } });
    /* rising in four knots, and falling in three */
    assert_points(DENORMALISED("identity", NORM("0", "0") NORM("10", "1")
                               NORM("12", "2") NORM("20", "3")),
                  (struct point[]) {
        { "-1\t0\tred", -10 }, { "0.5\t0\tred", 5 }, { "1.5\t0\tred", 11 },
        { "2.5\t0\tred", 16 }, { "4\t0\tred", 28 }, { NULL, 0 } });
    assert_points(DENORMALISED("identity", NORM("0", "1") NORM("10", "0")
                               NORM("40", "-1")), (struct point[]) {
        { "2\t0\tred", -10 }, { "0.5\t0\tred", 5 }, { "-0.5\t0\tred", 25 },
        { NULL, 0 } });
}

#define CLASS_OUTPUT(neuron, value) \
    "<NeuralOutput outputNeuron='" neuron "'><DerivedField " \
    "optype='categorical' dataType='string'><NormDiscrete field='k' " \
    "value='" value "'/></DerivedField></NeuralOutput>"
#define CLASSIFIER(attributes, outputs) \
    DOCUMENT("<NeuralNetwork functionName='classification' " attributes ">" \
             SCHEMA("k") "<NeuralInputs>" INPUT("0", "x") INPUT("1", "z") \
             "</NeuralInputs>" \
             LAYER("", NEURON("2", "0", CON("0", "1")) \
                   NEURON("3", "0", CON("1", "1"))) \
             "<NeuralOutputs>" outputs "</NeuralOutputs></NeuralNetwork>")

static void
test_network_classes(void **state)
{
    asc_model *m = read_text(CLASSIFIER(
        "activationFunction='identity' normalizationMethod='softmax'",
        CLASS_OUTPUT("2", "b") CLASS_OUTPUT("3", "a")));

    (void)state;
    assert_string_equal(asc_model_output(m, 0), "a");
    assert_output(m, "1\t2\tred", 0, exp(2) / (exp(1) + exp(2)));
    assert_close(output(m, ASC_RAW, "1\t2\tred", 0), 2);
    asc_model_free(m);
    m = read_text(CLASSIFIER(
        "activationFunction='identity' normalizationMethod='simplemax'",
        CLASS_OUTPUT("2", "a") CLASS_OUTPUT("3", "b")));
    assert_output(m, "1\t3\tred", 1, 0.75);
    asc_model_free(m);
    /* the logistic function of the last layer is a link */
    m = read_text(CLASSIFIER("activationFunction='logistic'",
                             CLASS_OUTPUT("2", "a") CLASS_OUTPUT("3", "b")));
    assert_output(m, "1\t3\tred", 1, 1 / (1 + exp(-3)));
    assert_close(output(m, ASC_RAW, "1\t3\tred", 1), 3);
    asc_model_free(m);
    /* one neuron of two classes */
    m = read_text(CLASSIFIER("activationFunction='logistic'",
                             CLASS_OUTPUT("2", "b")));
    assert_output(m, "1\t3\tred", 1, 1 / (1 + exp(-1)));
    assert_output(m, "1\t3\tred", 0, 1 - 1 / (1 + exp(-1)));
    asc_model_free(m);
}

/* ---- files ---- */

static void
test_xml(void **state)
{
    static const char latin[] =
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n"
        "<PMML><DataDictionary><DataField name='gr\xf6\xdf" "e' "
        "optype='continuous' dataType='double'/></DataDictionary>"
        "<RegressionModel functionName='regression'><MiningSchema>"
        "<MiningField name='gr\xf6\xdf" "e'/></MiningSchema>"
        "<RegressionTable><NumericPredictor name='gr\xf6\xdf" "e' "
        "coefficient='1E-1'/></RegressionTable></RegressionModel></PMML>";
    asc_model *m = read_text(latin);

    (void)state;
    assert_string_equal(asc_model_schema(m)->field[0].name,
                        "gr\xc3\xb6\xc3\x9f" "e");
    assert_output(m, "5", 0, 0.5);
    asc_model_free(m);
    /* namespaces with and without a prefix, extensions, references */
    m = read_text(
        "<?xml version='1.0'?><p:PMML xmlns:p='http://www.dmg.org/PMML-3_1' "
        "version='3.2'><p:Header><Anything/></p:Header><p:DataDictionary>"
        "<p:Extension><X/></p:Extension><p:DataField name='a&lt;b' "
        "optype='continuous' dataType='double'/></p:DataDictionary>"
        "<p:RegressionModel functionName='regression'><p:MiningSchema>"
        "<p:MiningField name='&#97;&lt;b' usageType='active'/>"
        "</p:MiningSchema><X-Note/><p:RegressionTable intercept='-0.0'>"
        "<p:Extension name='q'/><p:NumericPredictor name='a&#60;b' "
        "coefficient='2'/></p:RegressionTable></p:RegressionModel>"
        "</p:PMML>");
    assert_output(m, "5", 0, 10);
    asc_model_free(m);
}

/* A document of `depth` nested elements inside PMML. */
static char *
nested(size_t depth)
{
    char *text = malloc(16 * depth + 64), *p = text;
    size_t i;

    p += sprintf(p, "<PMML>");
    for (i = 0; i < depth; i++)
        p += sprintf(p, "<a>");
    for (i = 0; i < depth; i++)
        p += sprintf(p, "</a>");
    sprintf(p, "</PMML>");
    return text;
}

static void
test_limits(void **state)
{
    struct asc_error e;
    char *text = nested(1000);
    const size_t blank = 70000;

    (void)state;
    assert_null(asci_pmml_read("m.pmml", text, strlen(text), &e));
    assert_string_equal(e.text, "m.pmml:1: elements nest more than 1000 "
                        "deep");
    free(text);
    text = nested(999);
    assert_null(asci_pmml_read("m.pmml", text, strlen(text), &e));
    assert_string_equal(e.text, "m.pmml:1: PMML: there is no "
                        "DataDictionary");
    free(text);
    /* lines beyond 65,535 */
    text = malloc(blank + 64);
    sprintf(text, "<PMML>");
    memset(text + 6, '\n', blank);
    sprintf(text + 6 + blank, "<DataDictionary/><Foo/></PMML>");
    assert_null(asci_pmml_read("m.pmml", text, strlen(text), &e));
    assert_string_equal(e.text, "m.pmml:70001: element Foo is not supported "
                        "(supported in PMML: RegressionModel, NeuralNetwork, "
                        "TreeModel, MiningModel)");
    free(text);
    /* an error need not be asked for */
    assert_null(asci_pmml_read("m.pmml", "<PMML/>", 7, NULL));
}

/* Nothing is printed, whatever the file holds. */
static void
test_silence(void **state)
{
    static const char *const texts[] = {
        "<PMML", "<PMML>\x01</PMML>", "\xff\xfe<\0", "<PMML a='&foo;'/>",
        "<?xml version='1.0' encoding='klingon'?><PMML/>",
        "<?xml version='1.0' encoding='UTF-8'?><PMML a='\xff'/>",
        "<?xml version='1.0' encoding='EUC-JP'?><PMML a='\xff\xff'/>",
        "<!DOCTYPE PMML SYSTEM 'http://localhost/x.dtd'><PMML/>"
    };
    FILE *file = tmpfile();
    const int saved = dup(STDERR_FILENO);
    struct asc_error e;
    size_t i;
    long n;

    (void)state;
    assert_non_null(file);
    assert_true(saved >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        if (asci_pmml_read("m.pmml", texts[i], strlen(texts[i]), &e))
            break;
    dup2(saved, STDERR_FILENO);
    close(saved);
    n = (long)lseek(fileno(file), 0, SEEK_END);
    fclose(file);
    assert_int_equal(i, sizeof texts / sizeof *texts);
    assert_int_equal(n, 0);
}

/* ---- mistakes ---- */

#define TREE(attributes, nodes) \
    DOCUMENT("\n<TreeModel functionName='regression' " attributes ">" \
             SCHEMA("y") nodes "</TreeModel>")
#define MINING(method, content) \
    DOCUMENT("<MiningModel functionName='regression'>" SCHEMA("y") \
             "<Segmentation multipleModelMethod='" method "'>" content \
             "</Segmentation></MiningModel>")
#define LEAF(score) "<Node score='" score "'><True/></Node>"

static const struct {
    const char *text, *error;
} mistakes[] = {
    { "", "m.pmml: the file is empty, not a model" },
    { "hello", "m.pmml:1: not well-formed XML: Start tag expected, '<' not "
      "found" },
    { "<PMML>\n<a></b></PMML>", "m.pmml:2: not well-formed XML: Opening and "
      "ending tag mismatch: a line 2 and b" },
    { "<PMML a='&foo;'/>", "m.pmml:1: not well-formed XML: Entity 'foo' not "
      "defined" },
    { "<?xml version='1.0'?>\n<!DOCTYPE PMML [<!ENTITY a 'b'>]>\n<PMML/>",
      "m.pmml:2: document type declarations are refused" },
    { "<svg/>", "m.pmml:1: the document is svg, not PMML" },
    { "<PMML version='2.1'><DataDictionary/></PMML>",
      "m.pmml:1: PMML version \"2.1\" is not supported (supported: 3.0 to "
      "4.4)" },
    { "<PMML/>", "m.pmml:1: PMML: there is no DataDictionary" },
    { "<PMML><DataDictionary/></PMML>",
      "m.pmml:1: PMML: there is no model" },
    { "<PMML><DataDictionary/>\n<Scorecard/></PMML>",
      "m.pmml:2: element Scorecard is not supported (supported in PMML: "
      "RegressionModel, NeuralNetwork, TreeModel, MiningModel)" },
    { "<PMML><DataDictionary><DataField/></DataDictionary><TreeModel/>"
      "</PMML>", "m.pmml:1: DataField: attribute name is missing" },
    { "<PMML><DataDictionary><DataField name='x'/>\n<DataField name='x'/>"
      "</DataDictionary><TreeModel/></PMML>",
      "m.pmml:2: DataField: field \"x\" is there twice" },
    { DOCUMENT("<RegressionModel functionName='regression'/>"),
      "m.pmml:1: RegressionModel: there is no MiningSchema" },
    { DOCUMENT("<RegressionModel functionName='regression' "
               "isScorable='false'/>"),
      "m.pmml:1: RegressionModel: the model says that it is not scorable" },
    { DOCUMENT("<RegressionModel>" SCHEMA("y") "</RegressionModel>"),
      "m.pmml:1: RegressionModel: attribute functionName is missing" },
    { DOCUMENT("<RegressionModel functionName='clustering'>" SCHEMA("y")
               "</RegressionModel>"),
      "m.pmml:1: RegressionModel: functionName \"clustering\" is not "
      "supported (supported: regression, classification)" },
    { DOCUMENT("<RegressionModel functionName='regression'><MiningSchema>\n"
               "<MiningField name='w'/></MiningSchema></RegressionModel>"),
      "m.pmml:2: MiningField: field \"w\" is not in the DataDictionary" },
    { DOCUMENT("<RegressionModel functionName='regression'><MiningSchema>\n"
               "<MiningField name='x'/>\n<MiningField name='x'/>"
               "</MiningSchema></RegressionModel>"),
      "m.pmml:3: MiningField: field \"x\" is there twice" },
    { X_OF("optype='continuous' dataType='date'>", ""),
      "m.pmml:1: DataField: dataType \"date\" is not supported (supported: "
      "string, integer, float, double, boolean)" },
    { X_OF("optype='continuous' dataType='double'>",
           "invalidValueTreatment='asValue'"),
      "m.pmml:1: MiningField: invalidValueTreatment \"asValue\" is not "
      "supported (supported: returnInvalid, asIs, asMissing)" },
    { X_OF("optype='continuous' dataType='double'>",
           "missingValueTreatment='returnInvalid'"),
      "m.pmml:1: MiningField: missingValueTreatment \"returnInvalid\" is not "
      "supported (supported: asIs, asMean, asMode, asMedian, asValue)" },
    { X_OF("optype='continuous' dataType='double'>",
           "missingValueReplacement='many'"),
      "m.pmml:1: MiningField: attribute missingValueReplacement: \"many\" is "
      "not a number" },
    { X_OF("optype='continuous' dataType='double'>",
           "outliers='asExtremeValues' lowValue='0'"),
      "m.pmml:1: MiningField: attribute highValue is missing" },
    { X_OF("optype='continuous' dataType='double'>",
           "outliers='asExtremeValues' lowValue='2' highValue='1'"),
      "m.pmml:1: MiningField: lowValue 2 is not below highValue 1" },
    { X_OF("optype='continuous' dataType='double'><Interval "
           "closure='closedClosed' leftMargin='2' rightMargin='1'/>", ""),
      "m.pmml:1: Interval: leftMargin 2 is above rightMargin 1" },
    { X_OF("optype='continuous' dataType='double'><Interval "
           "closure='closedClosed'/>\n<Interval closure='closedClosed'/>",
           ""), "m.pmml:2: DataField \"x\": several Intervals are only "
      "supported with invalidValueTreatment asIs" },
    { C_OF("optype='categorical' dataType='string'><Value value='u' "
           "property='invalid'/>", "", "v"),
      "m.pmml:1: DataField \"x\": invalid values without valid ones are not "
      "supported with invalidValueTreatment returnInvalid" },
    { REGRESSION("", ""),
      "m.pmml:1: RegressionModel: there is no RegressionTable" },
    { REGRESSION("", "<RegressionTable/>\n<RegressionTable/>"),
      "m.pmml:2: RegressionModel: 2 RegressionTable elements in a "
      "regression, want 1" },
    { REGRESSION("normalizationMethod='relu'", "<RegressionTable/>"),
      "m.pmml:1: RegressionModel: normalizationMethod \"relu\" is not "
      "supported (supported: none, softmax, simplemax, logit, probit, "
      "cloglog, loglog, cauchit, exp)" },
    { REGRESSION("normalizationMethod='simplemax'", "<RegressionTable/>"),
      "m.pmml:1: RegressionModel: normalizationMethod \"simplemax\" is of "
      "classifications only" },
    { REGRESSION("", "<RegressionTable intercept='1,5'/>"),
      "m.pmml:1: RegressionTable: attribute intercept: \"1,5\" is not a "
      "number" },
    { REGRESSION("", "<RegressionTable intercept='NaN'/>"),
      "m.pmml:1: RegressionTable: attribute intercept: \"NaN\" is not a "
      "number" },
    { REGRESSION("", "<RegressionTable intercept='INF'/>"),
      "m.pmml:1: RegressionTable: attribute intercept: \"INF\" is not a "
      "finite number" },
    { REGRESSION("", "<RegressionTable>\n<NumericPredictor name='x'/>"
                 "</RegressionTable>"),
      "m.pmml:2: NumericPredictor: attribute coefficient is missing" },
    { REGRESSION("", "<RegressionTable>\n<NumericPredictor name='xx' "
                 "coefficient='1'/></RegressionTable>"),
      "m.pmml:2: NumericPredictor: there is no field \"xx\"; did you mean "
      "\"x\"?" },
    { REGRESSION("", "<RegressionTable><NumericPredictor name='k' "
                 "coefficient='1'/></RegressionTable>"),
      "m.pmml:1: NumericPredictor: field \"k\" is not an active field of the "
      "model's MiningSchema" },
    { REGRESSION("", "<RegressionTable><NumericPredictor name='c' "
                 "coefficient='1'/></RegressionTable>"),
      "m.pmml:1: NumericPredictor: field \"c\" is categorical (\"red\", "
      "...): it cannot be used as a number" },
    { REGRESSION("", "<RegressionTable><NumericPredictor name='x' "
                 "exponent='0.5' coefficient='1'/></RegressionTable>"),
      "m.pmml:1: NumericPredictor: exponent 0.5 is not a whole number from "
      "-1000 to 1000" },
    { REGRESSION("", "<RegressionTable><PredictorTerm coefficient='1'/>"
                 "</RegressionTable>"),
      "m.pmml:1: PredictorTerm: there is no FieldRef" },
    { REGRESSION("", "<RegressionTable><Spline/></RegressionTable>"),
      "m.pmml:1: element Spline is not supported (supported in "
      "RegressionTable: NumericPredictor, CategoricalPredictor, "
      "PredictorTerm)" },
    { MANY_TARGETS("<MiningField name='y' usageType='target'/>",
                   "\n<Target field='z' rescaleFactor='2'/>"),
      "m.pmml:2: Target: field \"z\" is not the model's target \"y\"" },
    { MANY_TARGETS("<MiningField name='y' usageType='target'/>",
                   "<Target field='y'/>\n<Target rescaleFactor='2'/>"),
      "m.pmml:2: Target: target \"y\" is there twice" },
    { MANY_TARGETS("", "<Target field='y'/>\n<Target field='z'/>"),
      "m.pmml:2: Target: there are several, and the model's MiningSchema "
      "names no target" },
    { CLASSIFICATION("k", "", "<Targets>\n<Target field='y'/></Targets>"
                     "<RegressionTable targetCategory='a' " X_PLUS("0")),
      "m.pmml:2: Target: field \"y\" is not the model's target \"k\"" },
    { MANY_TARGETS("\n<MiningField name='z' usageType='Target'/>", ""),
      "m.pmml:2: MiningField: usageType \"Target\" is not supported "
      "(supported: active, predicted, target, supplementary, group, order, "
      "frequencyWeight, analysisWeight)" },
    { MINING("sum", "<Segment><True/><TreeModel "
             "functionName='regression'><MiningSchema>\n<MiningField "
             "name='x' usageType='passive'/></MiningSchema>" LEAF("1")
             "</TreeModel></Segment>"),
      "m.pmml:2: MiningField: usageType \"passive\" is not supported "
      "(supported: active, predicted, target, supplementary, group, order, "
      "frequencyWeight, analysisWeight)" },
    { C_OF(TWO_TEXTS, "missingValueReplacement='w'", "u"),
      "m.pmml:1: MiningField: missingValueReplacement \"w\" is not a value "
      "of field \"x\"" },
    { C_OF(TWO_TEXTS, "invalidValueTreatment='asMissing' "
           "missingValueReplacement='bad'", "u"),
      "m.pmml:1: MiningField: missingValueReplacement \"bad\" is not a "
      "value of field \"x\"" },
    { C_OF(TWO_TEXTS, "", "w"),
      "m.pmml:1: CategoricalPredictor: \"w\" is not a value of field "
      "\"x\"" },
    { CLASSIFICATION("k", "", "<RegressionTable targetCategory='a'/>\n"
                     "<RegressionTable targetCategory='c'/>"),
      "m.pmml:2: RegressionTable: \"c\" is not a class of the target" },
    { DOCUMENT("<TreeModel functionName='classification'>" SCHEMA("k")
               "\n" LEAF("c") "</TreeModel>"),
      "m.pmml:2: Node: score \"c\" is not a class of the target" },
    { DOCUMENT("<TreeModel functionName='classification'>" SCHEMA("k")
               "<Node score='a'><True/>\n<ScoreDistribution value='c' "
               "recordCount='1'/></Node></TreeModel>"),
      "m.pmml:2: ScoreDistribution: \"c\" is not a class of the target" },
    { CLASSIFICATION("k", "", "<RegressionTable/>"),
      "m.pmml:1: RegressionTable: attribute targetCategory is missing" },
    { CLASSIFICATION("k3", "normalizationMethod='logit'",
                     "<RegressionTable targetCategory='p'/>"),
      "m.pmml:1: RegressionModel: one RegressionTable for 3 classes" },
    { CLASSIFICATION("k", "", "<RegressionTable targetCategory='a'/>\n"
                     "<RegressionTable targetCategory='a'/>"),
      "m.pmml:2: RegressionTable: targetCategory \"a\" is there twice" },
    { CLASSIFICATION("k3", "normalizationMethod='logit'", THREE_TABLES),
      "m.pmml:1: RegressionModel: normalizationMethod \"logit\" is not "
      "defined for 3 unordered classes" },
    { OF_DERIVED(NUMBER("d", "\n<MapValues/>")),
      "m.pmml:2: element MapValues is not supported (supported in "
      "DerivedField: Constant, FieldRef, NormContinuous, NormDiscrete, "
      "Discretize, Apply)" },
    { OF_DERIVED(NUMBER("d", "")),
      "m.pmml:1: DerivedField: there is no expression (supported: Constant, "
      "FieldRef, NormContinuous, NormDiscrete, Discretize, Apply)" },
    { OF_DERIVED(NUMBER("d", "<FieldRef field='e'/>") "\n"
                 NUMBER("e", "<FieldRef field='f'/>") "\n"
                 NUMBER("f", "<FieldRef field='d'/>")),
      "m.pmml:1: DerivedField \"d\" is made from itself" },
    { OF_DERIVED(NUMBER("d", "<FieldRef field='d'/>")),
      "m.pmml:1: DerivedField \"d\" is made from itself" },
    { OF_DERIVED(NUMBER("d", "<FieldRef field='x'/>") "\n"
                 NUMBER("d", "<FieldRef field='x'/>")),
      "m.pmml:2: DerivedField: field \"d\" is there twice" },
    { OF_DERIVED(NUMBER("d", "<NormContinuous field='x'><LinearNorm "
                        "orig='1' norm='1'/></NormContinuous>")),
      "m.pmml:1: NormContinuous: 1 LinearNorm elements, want at least 2" },
    { OF_DERIVED(NUMBER("d", LINE("x", "", "1", "0", "1", "1"))),
      "m.pmml:1: LinearNorm: orig 1 does not come after 1" },
    { OF_DERIVED(NUMBER("e", LINE("x", "outliers='asExtremeValues'", "0",
                                  "0", "1", "1"))
                 NUMBER("d", LINE("e", "outliers='asMissingValues'", "0",
                                  "0", "1", "1"))),
      "m.pmml:1: NormContinuous: what this makes of another derived field is "
      "not a function that is supported" },
    { OF_DERIVED(NUMBER("d", "<Apply function='if'/>")),
      "m.pmml:1: Apply: function \"if\" is not supported (supported: +, -, "
      "*, /)" },
    { OF_DERIVED(NUMBER("d", "<Apply function='*'><FieldRef field='x'/>"
                        "<FieldRef field='z'/></Apply>")),
      "m.pmml:1: Apply: function \"*\" is only supported of a field and a "
      "constant" },
    { OF_DERIVED(NUMBER("d", "<Apply function='/'><FieldRef field='x'/>"
                        "<Constant>0</Constant></Apply>")),
      "m.pmml:1: Apply: division by zero" },
    { OF_DERIVED(NUMBER("d", "<Discretize field='x'><DiscretizeBin "
                        "binValue='1'/></Discretize>")),
      "m.pmml:1: DiscretizeBin: there is no Interval" },
    { TARGET("castInteger='truncate'", "0"),
      "m.pmml:1: Target: castInteger \"truncate\" is not supported "
      "(supported: round, ceiling, floor)" },
    { REGRESSION("", "<Targets><Target field='y'><TargetValue "
                 "defaultValue='1'/></Target></Targets><RegressionTable/>"),
      "m.pmml:1: TargetValue: attribute defaultValue is not supported" },
    { OF_DERIVED(NUMBER("d", "<Constant dataType='double'>two</Constant>")),
      "m.pmml:1: Constant: \"two\" is not a number" },
    { OF_DERIVED(NUMBER("d", "<Constant>INF</Constant>")),
      "m.pmml:1: Constant: \"INF\" is not a finite number" },
    { OF_DERIVED(NUMBER("d", "<Apply function='+'><FieldRef field='x'/>"
                        "</Apply>")),
      "m.pmml:1: Apply: function \"+\" takes two arguments" },
    { OF_DERIVED(NUMBER("d", "<Apply function='+' defaultValue='1'>"
                        "<FieldRef field='x'/><Constant>1</Constant>"
                        "</Apply>")),
      "m.pmml:1: Apply: attribute defaultValue is not supported" },
    { OF_DERIVED(NUMBER("d", "<NormDiscrete field='x' value='two'/>")),
      "m.pmml:1: NormDiscrete: \"two\" is not a number" },
    { OF_DERIVED("<Foo/>"), "m.pmml:1: element Foo is not supported "
      "(supported in LocalTransformations: DerivedField)" },
    { C_OF("optype='categorical' dataType='integer'>", "",
           "1' coefficient='1'/><NumericPredictor name='x"),
      "m.pmml:1: NumericPredictor: field \"x\" is categorical without "
      "declared values: it cannot be used as a number" },
    { ONE(""), "m.pmml:1: NeuralLayer: attribute activationFunction is "
      "missing" },
    { ONE("activationFunction='radialBasis'"),
      "m.pmml:1: NeuralNetwork: activationFunction \"radialBasis\" is not "
      "supported (supported: identity, logistic, tanh, rectifier, threshold, "
      "exponential, reciprocal, square, Gauss, sine, cosine, Elliott, "
      "arctan)" },
    { NETWORK("activationFunction='tanh'",
              "\n" LAYER("numberOfNeurons='3'", NEURON("2", "0", "")
                         NEURON("3", "0", "")), "2"),
      "m.pmml:2: NeuralLayer: numberOfNeurons says 3, there are 2" },
    { NETWORK("activationFunction='tanh'",
              LAYER("numberOfNeurons='0'", NEURON("2", "0", "")), "2"),
      "m.pmml:1: NeuralLayer: numberOfNeurons says 0, there is 1" },
    { NETWORK("activationFunction='tanh'",
              LAYER("numberOfNeurons='one'", NEURON("2", "0", "")), "2"),
      "m.pmml:1: NeuralLayer: attribute numberOfNeurons: \"one\" is not a "
      "number" },
    { CLASSIFIER("activationFunction='tanh'", CLASS_OUTPUT("2", "c")),
      "m.pmml:1: NormDiscrete: \"c\" is not a class of the target" },
    { NETWORK("activationFunction='tanh'", "", "2"),
      "m.pmml:1: NeuralNetwork: there is no NeuralLayer" },
    { NETWORK("activationFunction='tanh'",
              LAYER("", NEURON("0", "0", "")), "0"),
      "m.pmml:1: Neuron: id \"0\" is there twice" },
    { NETWORK("activationFunction='tanh'",
              LAYER("", NEURON("2", "0", CON("7", "1"))), "2"),
      "m.pmml:1: Con: there is no neuron \"7\"" },
    { NETWORK("activationFunction='tanh'",
              LAYER("", NEURON("2", "0", "") NEURON("3", "0",
                                                    CON("2", "1"))), "2"),
      "m.pmml:1: Con: neuron \"2\" is not of an earlier layer" },
    { NETWORK("activationFunction='tanh'",
              LAYER("", NEURON("2", "0", CON("0", "x"))), "2"),
      "m.pmml:1: Con: attribute weight: \"x\" is not a number" },
    { NETWORK("activationFunction='tanh'",
              LAYER("", NEURON("2", "0", CON("0", "1")))
              LAYER("", NEURON("3", "0", CON("1", "1"))), "3"),
      "m.pmml:1: NeuralLayer: connections that skip a layer of "
      "activationFunction \"tanh\" are not supported (supported: identity, "
      "rectifier)" },
    { CLASSIFIER("activationFunction='tanh'", CLASS_OUTPUT("2", "a")
                 CLASS_OUTPUT("3", "a")),
      "m.pmml:1: NeuralOutput: class \"a\" is there twice" },
    { CLASSIFIER("activationFunction='tanh' normalizationMethod='softmax'",
                 CLASS_OUTPUT("2", "a")),
      "m.pmml:1: NeuralOutputs: 1 outputs of a normalised layer of 2 "
      "neurons" },
    { TREE("", ""), "m.pmml:2: TreeModel: there is no Node" },
    { TREE("missingValueStrategy='aggregateNodes'", LEAF("1")),
      "m.pmml:2: TreeModel: missingValueStrategy \"aggregateNodes\" is not "
      "supported (supported: none, lastPrediction, nullPrediction, "
      "defaultChild)" },
    { TREE("", "<Node score='1'/>"),
      "m.pmml:2: Node: there is no predicate (supported: SimplePredicate, "
      "SimpleSetPredicate, CompoundPredicate, True, False)" },
    { TREE("", "<Node><True/></Node>"),
      "m.pmml:2: Node: attribute score is missing" },
    { TREE("", "<Node score='many'><True/></Node>"),
      "m.pmml:2: Node: attribute score: \"many\" is not a number" },
    { TREE("", "<Node score='1' recordCount='-1'><True/></Node>"),
      "m.pmml:2: Node: recordCount -1 is negative" },
    { TREE("", "<Node><True/>\n<EmbeddedModel/></Node>"),
      "m.pmml:3: element EmbeddedModel is not supported (supported in Node: "
      "one predicate (SimplePredicate, SimpleSetPredicate, "
      "CompoundPredicate, True, False), ScoreDistribution, Node)" },
    { TREE("", "<Node score='1'><SimplePredicate field='x' "
           "operator='about' value='1'/></Node>"),
      "m.pmml:2: SimplePredicate: operator \"about\" is not supported "
      "(supported: equal, notEqual, lessThan, lessOrEqual, greaterThan, "
      "greaterOrEqual, isMissing, isNotMissing)" },
    { TREE("", "<Node score='1'><SimplePredicate field='x' "
           "operator='lessThan'/></Node>"),
      "m.pmml:2: SimplePredicate: attribute value is missing" },
    { TREE("", "<Node score='1'><SimplePredicate field='x' "
           "operator='lessThan' value='low'/></Node>"),
      "m.pmml:2: SimplePredicate: value \"low\" is not a number, as field "
      "\"x\" is" },
    { TREE("", "<Node score='1'><SimplePredicate field='c' "
           "operator='lessThan' value='red'/></Node>"),
      "m.pmml:2: SimplePredicate: field \"c\" is categorical (\"red\", "
      "...): it cannot be used as a number" },
    { TREE("", "<Node score='1'><SimpleSetPredicate field='c' "
           "booleanOperator='isIn'/></Node>"),
      "m.pmml:2: SimpleSetPredicate: there is no Array" },
    { TREE("", "<Node score='1'><SimpleSetPredicate field='c' "
           "booleanOperator='isIn'><Array n='3' type='string'>red \"green"
           "</Array></SimpleSetPredicate></Node>"),
      "m.pmml:2: Array: a quote is not closed" },
    { TREE("", "<Node score='1'><SimpleSetPredicate field='c' "
           "booleanOperator='isIn'><Array n='3' type='string'>red green"
           "</Array></SimpleSetPredicate></Node>"),
      "m.pmml:2: Array: there are 2 values, n says 3" },
    { TREE("", "<Node score='1'><CompoundPredicate booleanOperator='and'/>"
           "</Node>"), "m.pmml:2: CompoundPredicate: there is no predicate" },
    { TREE("", "<Node score='1'><CompoundPredicate booleanOperator='nand'>"
           "<True/></CompoundPredicate></Node>"),
      "m.pmml:2: CompoundPredicate: booleanOperator \"nand\" is not "
      "supported (supported: and, or, xor, surrogate)" },
    { TREE("missingValueStrategy='defaultChild'",
           "<Node defaultChild='7'><True/><Node id='1' score='1'><True/>"
           "</Node></Node>"),
      "m.pmml:2: Node: defaultChild \"7\" is not the id of one of its "
      "children" },
    { MINING("median", ""),
      "m.pmml:1: Segmentation: multipleModelMethod \"median\" is not "
      "supported (supported: sum, weightedSum, x-weightedSum, average, "
      "weightedAverage, majorityVote, weightedMajorityVote, selectFirst, "
      "modelChain)" },
    { MINING("majorityVote", ""),
      "m.pmml:1: Segmentation: majorityVote is of classifications only" },
    { MINING("sum", ""),
      "m.pmml:1: Segmentation: there is no Segment that can apply" },
    { MINING("sum", "<Segment><True/></Segment>"),
      "m.pmml:1: Segment: there is no model" },
    { MINING("sum", "<Segment><Scorecard/></Segment>"),
      "m.pmml:1: element Scorecard is not supported (supported in Segment: "
      "one predicate, one of RegressionModel, NeuralNetwork, TreeModel, "
      "MiningModel)" },
    { MINING("sum", "<Segment><True/><TreeModel "
             "functionName='classification'><MiningSchema/><Node score='u'>"
             "<True/></Node></TreeModel></Segment>"),
      "m.pmml:1: TreeModel: a classification cannot be a part of a "
      "regression by sum" },
    { MINING("weightedAverage", "<Segment weight='-1'><True/><TreeModel "
             "functionName='regression'><MiningSchema/>" LEAF("1")
             "</TreeModel></Segment>"),
      "m.pmml:1: Segment: weight -1 is negative" },
    { MINING("sum", "<Foo/>"), "m.pmml:1: element Foo is not supported "
      "(supported in Segmentation: Segment)" },
    { MINING("sum", "<Segment><TreeModel functionName='regression'/>"
             "</Segment>"),
      "m.pmml:1: Segment: there is no predicate (supported: "
      "SimplePredicate, SimpleSetPredicate, CompoundPredicate, True, "
      "False)" },
    { MINING("weightedAverage", "<Segment weight='0'><True/><TreeModel "
             "functionName='regression'><MiningSchema/>" LEAF("1")
             "</TreeModel></Segment>"),
      "m.pmml:1: Segmentation: the weights add up to 0" },
    { MINING("average' missingPredictionTreatment='skipSegment' "
             "missingThreshold='0.5", ""),
      "m.pmml:1: Segmentation: attribute missingThreshold is not supported "
      "with skipSegment" },
    { DOCUMENT("<MiningModel functionName='classification'>" SCHEMA("k")
               "<Segmentation multipleModelMethod='sum'/></MiningModel>"),
      "m.pmml:1: Segmentation: sum is of regressions only" },
    { DOCUMENT("<MiningModel functionName='classification'>" SCHEMA("k")
               "<Segmentation multipleModelMethod='modelChain'><Segment>"
               "<True/><TreeModel functionName='regression'><MiningSchema/>"
               LEAF("1") "</TreeModel></Segment></Segmentation>"
               "</MiningModel>"),
      "m.pmml:1: MiningModel: no model of the chain is a classification, as "
      "the whole is" },
    { DOCUMENT("<MiningModel functionName='regression'>" SCHEMA("y")
               "</MiningModel>"),
      "m.pmml:1: MiningModel: there is no Segmentation" },
    { DOCUMENT("<MiningModel functionName='regression'>" SCHEMA("y")
               "<DecisionTree/></MiningModel>"),
      "m.pmml:1: element DecisionTree is not supported (supported in "
      "MiningModel: one Segmentation)" }
};

static void
test_mistakes(void **state)
{
    size_t i, n = sizeof mistakes / sizeof *mistakes;

    (void)state;
    assert_true(n >= 30);
    for (i = 0; i < n; i++) {
        struct asc_error e = { ASC_OK, "" };
        const char *text = mistakes[i].text;
        asc_model *m = asci_pmml_read("m.pmml", text, strlen(text), &e);

        if (m || strcmp(e.text, mistakes[i].error) != 0)
            fail_msg("%s\n# gives\n# %s\n# not\n# %s", text,
                     m ? "a model" : e.text, mistakes[i].error);
        assert_int_equal(e.status, ASC_EINPUT);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regression_terms),
        cmocka_unit_test(test_regression_links),
        cmocka_unit_test(test_two_classes),
        cmocka_unit_test(test_three_classes),
        cmocka_unit_test(test_norm_continuous),
        cmocka_unit_test(test_compositions),
        cmocka_unit_test(test_discrete),
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_missing_lines),
        cmocka_unit_test(test_random_functions),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_numbers_in),
        cmocka_unit_test(test_categories_in),
        cmocka_unit_test(test_float),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_denormalised),
        cmocka_unit_test(test_network_classes),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_mistakes)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
