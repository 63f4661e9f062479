/* TreeModel and MiningModel: what the predicates and the missing-value
 * strategies mean, by hand on small trees and against a plain interpreter of
 * the specification on thousands of random ones; how trees are laid out, with
 * which covers; how models of models fold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pmml.h"

#define TREE_OF(function, target, attributes, nodes) \
    "<TreeModel functionName='" function "' " attributes ">" SCHEMA(target) \
    nodes "</TreeModel>"
#define TREE(attributes, nodes) \
    DOCUMENT(TREE_OF("regression", "y", attributes, nodes))
#define NODE(attributes, predicate, rest) \
    "<Node " attributes ">" predicate rest "</Node>"
#define ROOT(attributes, rest) NODE(attributes, "<True/>", rest)
#define TEST(field, operator, value) \
    "<SimplePredicate field='" field "' operator='" operator "' value='" \
    value "'/>"
#define SET(field, operator, array) \
    "<SimpleSetPredicate field='" field "' booleanOperator='" operator \
    "'><Array type='string'>" array "</Array></SimpleSetPredicate>"
#define COMPOUND(operator, operands) \
    "<CompoundPredicate booleanOperator='" operator "'>" operands \
    "</CompoundPredicate>"

static const struct asci_tree *
only_tree(const asc_model *m)
{
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_int_equal(m->u.ensemble.n_trees, 1);
    return &m->u.ensemble.tree[0];
}

/* ---- predicates ---- */

/* 1 if the predicate is true, 2 if false, NaN (no answer) if unknown */
#define PREDICATE(predicate) \
    TREE("missingValueStrategy='nullPrediction'", \
         ROOT("", NODE("score='1'", predicate, "") ROOT("score='2'", "")))

static void
test_predicates(void **state)
{
    static const struct {
        const char *text, *row;
        double want;
    } cases[] = {
        { PREDICATE(TEST("x", "equal", "2.0")), "2\t0\tred", 1 },
        { PREDICATE(TEST("x", "equal", "2.0")), "2.1\t0\tred", 2 },
        { PREDICATE(TEST("x", "equal", "2.0")), "\t0\tred", NAN },
        { PREDICATE(TEST("x", "notEqual", "2")), "2\t0\tred", 2 },
        { PREDICATE(TEST("x", "lessThan", "2")), "2\t0\tred", 2 },
        { PREDICATE(TEST("x", "lessOrEqual", "2")), "2\t0\tred", 1 },
        { PREDICATE(TEST("x", "greaterThan", "2")), "2\t0\tred", 2 },
        { PREDICATE(TEST("x", "greaterOrEqual", "2")), "2\t0\tred", 1 },
        { PREDICATE(TEST("x", "isMissing", "")), "2\t0\tred", 2 },
        { PREDICATE(TEST("x", "isMissing", "")), "\t0\tred", 1 },
        { PREDICATE(TEST("x", "isNotMissing", "")), "\t0\tred", 2 },
        { PREDICATE(TEST("c", "isMissing", "")), "0\t0\t", 1 },
        { PREDICATE(TEST("c", "equal", "red")), "0\t0\tred", 1 },
        { PREDICATE(TEST("c", "notEqual", "red")), "0\t0\tblue", 1 },
        { PREDICATE(TEST("c", "equal", "purple")), "0\t0\tblue", 2 },
        { PREDICATE(SET("c", "isIn", "red\n \"blue\"")), "0\t0\tblue", 1 },
        { PREDICATE(SET("c", "isNotIn", "red blue")), "0\t0\tblue", 2 },
        { PREDICATE(SET("c", "isNotIn", "red blue")), "0\t0\tgreen", 1 },
        { PREDICATE(SET("c", "isNotIn", "red blue")), "0\t0\t", NAN },
        { PREDICATE(SET("x", "isIn", "1 2.5 1e1")), "10\t0\tred", 1 },
        { PREDICATE(SET("x", "isIn", "1 2.5 1e1")), "2\t0\tred", 2 },
        { PREDICATE(SET("x", "isNotIn", "1 2.5 1e1")), "2\t0\tred", 1 },
        { PREDICATE("<True/>"), "\t\t", 1 },
        { PREDICATE("<False/>"), "\t\t", 2 },
        /* and: false wins over unknown, unknown over true */
        { PREDICATE(COMPOUND("and", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2"))), "\t3\tred", 2 },
        { PREDICATE(COMPOUND("and", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2"))), "\t1\tred", NAN },
        { PREDICATE(COMPOUND("or", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2"))), "\t1\tred", 1 },
        { PREDICATE(COMPOUND("or", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2"))), "\t3\tred", NAN },
        { PREDICATE(COMPOUND("xor", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2"))), "1\t1\tred", 2 },
        { PREDICATE(COMPOUND("xor", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2") "<True/>")),
          "1\t1\tred", 1 },
        { PREDICATE(COMPOUND("xor", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2"))), "1\t\tred", NAN },
        /* the first that is known */
        { PREDICATE(COMPOUND("surrogate", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2")
                             SET("c", "isIn", "red"))), "3\t1\tred", 2 },
        { PREDICATE(COMPOUND("surrogate", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2")
                             SET("c", "isIn", "red"))), "\t\tred", 1 },
        { PREDICATE(COMPOUND("surrogate", TEST("x", "lessThan", "2")
                             TEST("z", "lessThan", "2"))), "\t\tred", NAN }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_text_output(cases[i].text, cases[i].row, cases[i].want);
}

/* ---- strategies ---- */

#define SPLIT(attributes) \
    TREE(attributes, ROOT("score='1' defaultChild='b'", \
         NODE("id='a' score='2'", TEST("x", "lessThan", "2"), "") \
         NODE("id='b' score='3'", TEST("x", "lessThan", "4"), \
              NODE("score='5'", TEST("z", "lessThan", "0"), "") \
              NODE("score='6'", TEST("z", "greaterOrEqual", "0"), ""))))

static void
test_strategies(void **state)
{
    static const struct {
        const char *text, *row;
        double want;
    } cases[] = {
        { SPLIT(""), "1\t0\tred", 2 },
        { SPLIT(""), "3\t0\tred", 6 },
        { SPLIT(""), "5\t0\tred", NAN },
        { SPLIT(""), "\t0\tred", NAN },
        { SPLIT("noTrueChildStrategy='returnLastPrediction'"),
          "5\t0\tred", 1 },
        { SPLIT("noTrueChildStrategy='returnLastPrediction'"),
          "\t0\tred", 1 },
        { SPLIT("noTrueChildStrategy='returnLastPrediction'"),
          "3\t\tred", 3 },
        { SPLIT("missingValueStrategy='lastPrediction'"), "\t0\tred", 1 },
        { SPLIT("missingValueStrategy='lastPrediction'"), "3\t\tred", 3 },
        { SPLIT("missingValueStrategy='lastPrediction'"), "5\t0\tred", NAN },
        { SPLIT("missingValueStrategy='nullPrediction' "
                "noTrueChildStrategy='returnLastPrediction'"),
          "\t0\tred", NAN },
        { SPLIT("missingValueStrategy='defaultChild'"), "\t-1\tred", 5 },
        { SPLIT("missingValueStrategy='defaultChild'"), "\t1\tred", 6 },
        /* b has no default child */
        { SPLIT("missingValueStrategy='defaultChild'"), "3\t\tred", NAN }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_text_output(cases[i].text, cases[i].row, cases[i].want);
}

/* ---- layout and covers ---- */

static void
test_layout(void **state)
{
    const struct asci_tree *t;
    asc_model *m;

    (void)state;
    /* complementary predicates: one node a split, one a leaf */
    m = read_text(TREE("missingValueStrategy='defaultChild'",
        ROOT("id='0' recordCount='10' defaultChild='2'",
             NODE("id='1' recordCount='4' score='1'",
                  TEST("x", "lessOrEqual", "3"), "")
             NODE("id='2' recordCount='6' defaultChild='3'",
                  TEST("x", "greaterThan", "3"),
                  NODE("id='3' recordCount='5' score='2'",
                       SET("c", "isIn", "red"), "")
                  NODE("id='4' recordCount='1' score='3'",
                       SET("c", "isIn", "green blue"), "")))));
    t = only_tree(m);
    assert_int_equal(t->n_nodes, 5);
    assert_int_equal(t->node[0].test, ASCI_LESS_EQUAL);
    assert_int_equal(t->node[0].missing, t->node[0].no);
    assert_non_null(t->cover);
    assert_close(t->cover[0], 10);
    assert_close(t->cover[t->node[0].yes], 4);
    assert_close(t->cover[t->node[0].no], 6);
    assert_int_equal(t->node[t->node[0].no].test, ASCI_IN_SET);
    asc_model_free(m);

    /* a node that keeps its own score: its end gets the rest */
    m = read_text(TREE("noTrueChildStrategy='returnLastPrediction'",
        ROOT("recordCount='10' score='7'",
             NODE("recordCount='4' score='1'",
                  TEST("x", "greaterThan", "3"), ""))));
    t = only_tree(m);
    assert_int_equal(t->n_nodes, 3);
    /* what is not above 3 and what is missing stay together */
    assert_int_equal(t->node[0].missing, t->node[0].yes);
    assert_close(t->cover[t->node[0].yes], 6);
    asc_model_free(m);

    /* three branches are a chain; the inner test has the sum of its ends */
    m = read_text(TREE("missingValueStrategy='nullPrediction'",
        ROOT("recordCount='10'",
             NODE("recordCount='5' score='1'", TEST("c", "equal", "red"), "")
             NODE("recordCount='3' score='2'",
                  TEST("c", "equal", "green"), "")
             NODE("recordCount='2' score='3'",
                  TEST("c", "equal", "blue"), ""))));
    t = only_tree(m);
    assert_int_equal(t->n_nodes, 6);    /* 2 tests, 3 leaves, 1 no answer */
    assert_close(t->cover[t->node[0].no], 5);
    assert_close(t->cover[t->node[0].missing], 0);
    asc_model_free(m);

    /* counts of ScoreDistributions will do; 0 for inner nodes is no count */
    m = read_text(DOCUMENT(TREE_OF("classification", "k", "",
        ROOT("recordCount='0'",
             NODE("score='a'", TEST("x", "lessThan", "1"),
                  "<ScoreDistribution value='a' recordCount='3'/>"
                  "<ScoreDistribution value='b' recordCount='1'/>")
             NODE("score='b'", TEST("x", "greaterOrEqual", "1"),
                  "<ScoreDistribution value='b' recordCount='6'/>")))));
    t = only_tree(m);
    assert_close(t->cover[0], 10);
    asc_model_free(m);

    /* no count, no covers */
    m = read_text(TREE("", ROOT("recordCount='4'",
        NODE("score='1'", TEST("x", "lessThan", "1"), "")
        NODE("score='2'", TEST("x", "greaterOrEqual", "1"), ""))));
    assert_null(only_tree(m)->cover);
    asc_model_free(m);

    /* a field that is never missing needs no end for it */
    m = read_text(DOCUMENT("<TreeModel functionName='regression'>"
        "<MiningSchema><MiningField name='x' missingValueReplacement='0'/>"
        "</MiningSchema>" ROOT("",
        NODE("score='1'", TEST("x", "lessThan", "1"), "")
        NODE("score='2'", TEST("x", "greaterOrEqual", "1"), ""))
        "</TreeModel>"));
    assert_int_equal(only_tree(m)->n_nodes, 3);
    assert_output(m, "", 0, 1);
    asc_model_free(m);
}

/* Surrogates copy what follows them; the records of a copy count where the
 * value is there, and the copy weighs next to nothing.  A tree that would
 * explode is refused. */
static void
test_copies(void **state)
{
    enum { DEPTH = 24 };
    static const char head[] =
        "<PMML><DataDictionary>";
    struct asc_error e;
    struct asc_buffer b = { 0 };
    asc_model *m;
    int i, n_whole = 0;

    (void)state;
    m = read_text(TREE("missingValueStrategy='nullPrediction'",
        ROOT("recordCount='4'",
             NODE("recordCount='2' score='1'", COMPOUND("surrogate",
                  TEST("x", "lessThan", "1") TEST("z", "lessThan", "1")), "")
             NODE("recordCount='2' score='2'", COMPOUND("surrogate",
                  TEST("x", "greaterOrEqual", "1")
                  TEST("z", "greaterOrEqual", "1")), ""))));
    assert_int_equal(only_tree(m)->n_nodes, 7);
    assert_non_null(only_tree(m)->cover);
    assert_true(only_tree(m)->cover[0] == 4.0);
    for (i = 0; i < 7; i++) {
        const double cover = only_tree(m)->cover[i];

        if (only_tree(m)->node[i].test != ASCI_LEAF)
            continue;
        assert_true(cover == 2.0 || (cover >= 0.0 && cover < 1e-50));
        n_whole += cover == 2.0;
    }
    assert_int_equal(n_whole, 2);
    asc_model_free(m);

    asc_buffer_text(&b, head);
    for (i = 0; i < 2 * DEPTH; i++)
        asc_buffer_print(&b, "<DataField name='f%d' optype='continuous' "
                         "dataType='double'/>", i);
    asc_buffer_text(&b, "</DataDictionary><TreeModel "
                    "functionName='regression'><MiningSchema>");
    for (i = 0; i < 2 * DEPTH; i++)
        asc_buffer_print(&b, "<MiningField name='f%d'/>", i);
    asc_buffer_text(&b, "</MiningSchema>\n<Node><True/>");
    for (i = 0; i < DEPTH; i++)
        asc_buffer_print(&b, "<Node score='1'><CompoundPredicate "
                         "booleanOperator='surrogate'>" TEST("f%d", "equal",
                         "1") TEST("f%d", "equal", "1")
                         "</CompoundPredicate>", 2 * i, 2 * i + 1);
    for (i = 0; i < DEPTH; i++)
        asc_buffer_text(&b, "</Node>");
    asc_buffer_text(&b, "</Node></TreeModel></PMML>");
    assert_null(asci_pmml_read("m.pmml", b.p, b.n, &e));
    assert_string_equal(e.text, "m.pmml:2: TreeModel: its compound "
                        "predicates make too many decision nodes");
    asc_buffer_free(&b);
}

/* ---- leaves ---- */

static void
test_leaves(void **state)
{
    asc_model *m = read_text(DOCUMENT(TREE_OF("classification", "k3", "",
        ROOT("", NODE("", TEST("x", "lessThan", "1"),
                      "<ScoreDistribution value='q' recordCount='3' "
                      "confidence='0.9'/><ScoreDistribution value='r' "
                      "recordCount='1'/>")
             NODE("score='r'", TEST("x", "lessThan", "2"),
                  "<ScoreDistribution value='p' recordCount='9' "
                  "probability='0.125'/><ScoreDistribution value='r' "
                  "recordCount='1' probability='0.875'/>")))));

    (void)state;
    assert_int_equal(asc_model_n_outputs(m), 3);
    assert_true(asc_model_has_probabilities(m));
    assert_output(m, "0\t0\tred", 0, 0);
    assert_output(m, "0\t0\tred", 1, 0.75);
    assert_output(m, "0\t0\tred", 2, 0.25);
    assert_output(m, "1\t0\tred", 0, 0.125);
    assert_output(m, "3\t0\tred", 0, NAN);
    asc_model_free(m);

    /* labels alone are no probabilities */
    m = read_text(DOCUMENT(TREE_OF("classification", "k3", "",
        ROOT("score='q'", ""))));
    assert_output(m, "0\t0\tred", 1, 1);
    assert_output(m, "0\t0\tred", 0, 0);
    assert_false(asc_model_has_probabilities(m));
    asc_model_free(m);

    /* without a target, classes come in the order of the distribution */
    m = read_text(DOCUMENT("<TreeModel functionName='classification'>"
        "<MiningSchema><MiningField name='x'/></MiningSchema>"
        ROOT("score='v'", "<ScoreDistribution value='u' recordCount='1'/>"
             "<ScoreDistribution value='v' recordCount='3'/>")
        "</TreeModel>"));
    assert_string_equal(asc_model_output(m, 0), "u");
    assert_output(m, "0", 1, 0.75);
    asc_model_free(m);
}

/* Tests of derived fields: of a line, and of the labels of bins. */
static void
test_derived(void **state)
{
    asc_model *m = read_text(DOCUMENT(
        "<TreeModel functionName='regression'>" SCHEMA("y")
        "<LocalTransformations><DerivedField name='d' optype='continuous' "
        "dataType='double'><NormContinuous field='x'><LinearNorm orig='0' "
        "norm='10'/><LinearNorm orig='1' norm='8'/></NormContinuous>"
        "</DerivedField><DerivedField name='e' optype='categorical' "
        "dataType='string'><Discretize field='z'><DiscretizeBin "
        "binValue='low'><Interval closure='openOpen' rightMargin='0'/>"
        "</DiscretizeBin><DiscretizeBin binValue='high'><Interval "
        "closure='closedOpen' leftMargin='0'/></DiscretizeBin></Discretize>"
        "</DerivedField></LocalTransformations>"
        ROOT("", NODE("score='1'", TEST("d", "lessThan", "4"), "")
             NODE("score='2'", TEST("e", "equal", "high"), "")
             NODE("score='3'", SET("e", "isIn", "low mid"), ""))
        "</TreeModel>"));

    (void)state;
    assert_output(m, "3.5\t0\tred", 0, 1);      /* d = 3 */
    assert_output(m, "3\t0\tred", 0, 2);        /* d = 4 */
    assert_output(m, "3\t-1\tred", 0, 3);
    assert_output(m, "3\t\tred", 0, NAN);
    asc_model_free(m);
}

/* A float field meets float thresholds: 0.1f < 0.1 + tiny. */
static void
test_single(void **state)
{
#define STEP_AT(value) \
    DOCUMENT_OF("<DataField name='x' optype='continuous' " \
                "dataType='float'/>", \
                "<TreeModel functionName='regression'><MiningSchema>" \
                "<MiningField name='x'/></MiningSchema>" \
                ROOT("", NODE("score='1'", TEST("x", "lessThan", value), "") \
                     NODE("score='2'", TEST("x", "greaterOrEqual", value), \
                          "")) "</TreeModel>")
    (void)state;
    assert_text_output(STEP_AT("0.1"), "0.09999999999", 2);
    assert_text_output(STEP_AT("0.1"), "0.0999999", 1);
}

/* ---- random trees ---- */

enum answer { NO, YES, UNKNOWN };
enum { MAX_NODES = 64, MAX_PREDICATES = 400, N_VALUES = 7, N_COLOURS = 5 };

struct predicate {
    int kind;                   /* 0 to 7 operators, 8 in, 9 not in, 10 to 13
                                   compounds, 14 true, 15 false */
    int field;                  /* 0 x, 1 z, 2 c */
    int value;
    unsigned set;
    int n, operand[3];
};

struct tree_node {
    int predicate, n, child[3], has_score, fallback;
};

struct random_tree {
    struct predicate predicate[MAX_PREDICATES];
    int n_predicates;
    struct tree_node node[MAX_NODES];
    int n_nodes, strategy, stay;
};

static const char *const colours[] = {
    "red", "green", "blue", "purple", ""
};

static uint64_t random_state;

static int
below(int n)
{
    random_state = random_state * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    return (int)((random_state >> 33) % (uint64_t)n);
}

static int
random_predicate(struct random_tree *t, int depth)
{
    const int index = t->n_predicates++;
    struct predicate *p = &t->predicate[index];
    int i, made;

    assert_true(t->n_predicates < MAX_PREDICATES);
    memset(p, 0, sizeof *p);
    p->kind = below(depth < 2 ? 16 : 10);
    p->field = below(3);
    p->value = below(p->field == 2 ? 4 : 6);
    p->set = (unsigned)below(p->field == 2 ? 16 : 64);
    if (p->field == 2 && p->kind >= 2 && p->kind <= 5)
        p->kind -= 2 * (p->kind / 2);   /* labels have no order */
    if (p->kind >= 10 && p->kind <= 13) {
        const int n = 1 + below(3);

        for (i = 0; i < n; i++) {
            made = random_predicate(t, depth + 1);
            t->predicate[index].operand[i] = made;
        }
        t->predicate[index].n = n;
    }
    return index;
}

static int
random_node(struct random_tree *t, int depth)
{
    const int index = t->n_nodes++;
    int i, made, n = depth < 3 && t->n_nodes < MAX_NODES / 4 ? below(4) : 0;

    memset(&t->node[index], 0, sizeof t->node[index]);
    t->node[index].predicate = depth == 0 && below(4)
                               ? -1 : random_predicate(t, 0);
    for (i = 0; i < n; i++) {
        made = random_node(t, depth + 1);
        t->node[index].child[i] = made;
    }
    t->node[index].n = n;
    t->node[index].has_score = n == 0 || below(3);
    t->node[index].fallback = n ? below(n + 1) - 1 : -1;
    return index;
}

static void
write_predicate(const struct random_tree *t, int index, struct asc_buffer *b)
{
    static const char *const operators[] = {
        "equal", "notEqual", "lessThan", "lessOrEqual", "greaterThan",
        "greaterOrEqual", "isMissing", "isNotMissing", "isIn", "isNotIn",
        "and", "or", "xor", "surrogate"
    };
    static const char *const fields[] = { "x", "z", "c" };
    const struct predicate *p = index < 0 ? NULL : &t->predicate[index];
    int i;

    if (!p || p->kind == 14) {
        asc_buffer_text(b, "<True/>");
    } else if (p->kind == 15) {
        asc_buffer_text(b, "<False/>");
    } else if (p->kind >= 10) {
        asc_buffer_print(b, "<CompoundPredicate booleanOperator='%s'>",
                         operators[p->kind]);
        for (i = 0; i < p->n; i++)
            write_predicate(t, p->operand[i], b);
        asc_buffer_text(b, "</CompoundPredicate>");
    } else if (p->kind >= 8) {
        asc_buffer_print(b, "<SimpleSetPredicate field='%s' "
                         "booleanOperator='%s'><Array type='string'>",
                         fields[p->field], operators[p->kind]);
        for (i = 0; i < (p->field == 2 ? 4 : 6); i++)
            if (p->set >> i & 1) {
                if (p->field == 2)
                    asc_buffer_print(b, "\"%s\" ", colours[i]);
                else
                    asc_buffer_print(b, "%d ", i);
            }
        asc_buffer_text(b, "</Array></SimpleSetPredicate>");
    } else {
        asc_buffer_print(b, "<SimplePredicate field='%s' operator='%s' ",
                         fields[p->field], operators[p->kind]);
        if (p->field == 2)
            asc_buffer_print(b, "value='%s'/>", colours[p->value]);
        else
            asc_buffer_print(b, "value='%d'/>", p->value);
    }
}

static void
write_node(const struct random_tree *t, int index, struct asc_buffer *b)
{
    const struct tree_node *n = &t->node[index];
    int i;

    asc_buffer_print(b, "<Node id='%d'", index);
    if (n->has_score)
        asc_buffer_print(b, " score='%d'", index);
    if (n->fallback >= 0)
        asc_buffer_print(b, " defaultChild='%d'", n->child[n->fallback]);
    asc_buffer_text(b, ">");
    write_predicate(t, n->predicate, b);
    for (i = 0; i < n->n; i++)
        write_node(t, n->child[i], b);
    asc_buffer_text(b, "</Node>");
}

static void
write_tree(const struct random_tree *t, struct asc_buffer *b)
{
    static const char *const strategies[] = {
        "none", "lastPrediction", "nullPrediction", "defaultChild"
    };

    asc_buffer_print(b, "<PMML version='4.4'><DataDictionary>" FIELDS
                     "</DataDictionary><TreeModel "
                     "functionName='regression' missingValueStrategy='%s' "
                     "noTrueChildStrategy='%s'><MiningSchema>"
                     "<MiningField name='x'/><MiningField name='z'/>"
                     "<MiningField name='c' invalidValueTreatment='asIs'/>"
                     "</MiningSchema>", strategies[t->strategy],
                     t->stay ? "returnLastPrediction"
                             : "returnNullPrediction");
    write_node(t, 0, b);
    asc_buffer_text(b, "</TreeModel></PMML>");
}

/* A row: values of x and z, 6 is missing; an index of colours, 4 is missing,
 * 3 undeclared. */
static enum answer
ask(const struct random_tree *t, int index, const int *row)
{
    const struct predicate *p = index < 0 ? NULL : &t->predicate[index];
    int v, missing, i, unknown = 0, parity = 0, result = 0;

    if (!p || p->kind >= 14)
        return !p || p->kind == 14 ? YES : NO;
    if (p->kind >= 10) {
        for (i = 0; i < p->n; i++) {
            const enum answer a = ask(t, p->operand[i], row);

            if (p->kind == 10 && a == NO)
                return NO;
            if (p->kind == 11 && a == YES)
                return YES;
            if (p->kind == 12 && a == UNKNOWN)
                return UNKNOWN;
            if (p->kind == 13 && a != UNKNOWN)
                return a;
            unknown |= a == UNKNOWN;
            parity ^= a == YES;
        }
        if (p->kind == 12)
            return parity ? YES : NO;
        return unknown ? UNKNOWN : p->kind == 10 ? YES : NO;
    }
    v = row[p->field];
    missing = v == (p->field == 2 ? N_COLOURS - 1 : N_VALUES - 1);
    if (p->kind == 6 || p->kind == 7)
        return missing == (p->kind == 6) ? YES : NO;
    if (missing)
        return UNKNOWN;
    switch (p->kind) {
    case 0: case 1: result = v == p->value; break;
    case 2: result = v < p->value; break;
    case 3: result = v <= p->value; break;
    case 4: result = v > p->value; break;
    case 5: result = v >= p->value; break;
    default: result = p->set >> v & 1; break;
    }
    if (p->kind == 1 || p->kind == 9)
        result = !result;
    return result ? YES : NO;
}

static double
score(const struct random_tree *t, int index)
{
    return t->node[index].has_score ? index : NAN;
}

static double
interpret(const struct random_tree *t, int index, const int *row)
{
    const struct tree_node *n = &t->node[index];
    int i;

    for (i = 0; i < n->n; i++)
        switch (ask(t, t->node[n->child[i]].predicate, row)) {
        case YES:
            return interpret(t, n->child[i], row);
        case UNKNOWN:
            if (t->strategy == 1)
                return score(t, index);
            if (t->strategy == 2 || (t->strategy == 3 && n->fallback < 0))
                return NAN;
            if (t->strategy == 3)
                return interpret(t, n->child[n->fallback], row);
            break;
        case NO:
            break;
        }
    return n->n == 0 || t->stay ? score(t, index) : NAN;
}

/* The tree as the reader made it, walked one test at a time: faults of the
 * reader and of the evaluator are told apart. */
static double
walk(const asc_model *m, const double *x)
{
    const struct asci_ensemble *f = &m->u.ensemble;
    const struct asci_node *t = f->tree[0].node;
    double columns[64];

    assert_true(m->encoder.n <= 64);
    asci_encode(&m->encoder, 3, x, 1, columns);
    while (t->test != ASCI_LEAF) {
        const double v = columns[t->column];
        uint32_t next = t->no;

        if (isnan(v))
            next = t->missing;
        else if (t->test == ASCI_LESS ? v < t->threshold
                 : t->test == ASCI_LESS_EQUAL ? v <= t->threshold
                 : t->test == ASCI_EQUAL ? v == t->threshold
                 : v < t->set_bits && (f->sets[t->set + (size_t)v / 64] >>
                                       (size_t)v % 64 & 1))
            next = t->yes;
        t = f->tree[0].node + next;
    }
    return f->base[0] + f->scale * f->tree[0].value[t->leaf];
}

static int
same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void
test_random_trees(void **state)
{
    enum { N_TREES = 3000, N_ROWS = N_VALUES * N_VALUES * N_COLOURS };
    static struct random_tree t;
    static double x[N_ROWS * 3], y[N_ROWS];
    struct asc_error e;
    struct asc_buffer b = { 0 };
    int i, j, row[3];

    (void)state;
    random_state = 1;
    for (i = 0; i < N_TREES; i++) {
        asc_model *m;

        t.n_nodes = t.n_predicates = 0;
        t.strategy = below(4);
        t.stay = below(2);
        random_node(&t, 0);
        b.n = 0;
        write_tree(&t, &b);
        if (!(m = asci_pmml_read("m.pmml", b.p, b.n, &e)))
            fail_msg("%s", e.text);
        for (j = 0; j < N_ROWS; j++) {
            const struct asc_field *c = &asc_model_schema(m)->field[2];
            const int colour = j / N_VALUES / N_VALUES;
            size_t k;

            x[3 * j] = j % N_VALUES == 6 ? NAN : j % N_VALUES;
            x[3 * j + 1] = j / N_VALUES % N_VALUES == 6
                           ? NAN : j / N_VALUES % N_VALUES;
            for (k = 0; k < c->n_categories &&
                        strcmp(c->categories[k], colours[colour]) != 0; k++)
                ;
            x[3 * j + 2] = colour == 4 ? NAN : (double)k;
        }
        assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, N_ROWS, y, &e),
                         ASC_OK);
        for (j = 0; j < N_ROWS; j++) {
            double want = NAN;

            row[0] = j % N_VALUES;
            row[1] = j / N_VALUES % N_VALUES;
            row[2] = j / N_VALUES / N_VALUES;
            if (ask(&t, t.node[0].predicate, row) == YES)
                want = interpret(&t, 0, row);
            if (!same(walk(m, &x[3 * j]), want) || !same(y[j], want))
                fail_msg("tree %d, row x %d z %d c %s: read as %g, evaluated "
                         "as %g, not %g\n%.*s", i, row[0], row[1],
                         colours[row[2]], walk(m, &x[3 * j]), y[j], want,
                         (int)b.n, b.p);
        }
        asc_model_free(m);
    }
    asc_buffer_free(&b);
}

/* ---- MiningModel ---- */

#define SEGMENT(attributes, predicate, model) \
    "<Segment " attributes ">" predicate model "</Segment>"
#define ALWAYS(attributes, model) SEGMENT(attributes, "<True/>", model)
#define MINING_OF(function, target, attributes, inside, segments) \
    "<MiningModel functionName='" function "'>" SCHEMA(target) inside \
    "<Segmentation " attributes ">" segments "</Segmentation></MiningModel>"
#define MINING(method, segments) \
    DOCUMENT(MINING_OF("regression", "y", "multipleModelMethod='" method \
                       "'", "", segments))
#define VOTING(method, segments) \
    DOCUMENT(MINING_OF("classification", "k3", "multipleModelMethod='" \
                       method "'", "", segments))
/* low below x = at, high from there */
#define STUMP(at, low, high) \
    TREE_OF("regression", "y", "", ROOT("", \
        NODE("score='" low "'", TEST("x", "lessThan", at), "") \
        NODE("score='" high "'", TEST("x", "greaterOrEqual", at), "")))
#define CHOICE(at, low, high) \
    TREE_OF("classification", "k3", "", ROOT("", \
        NODE("score='" low "'", TEST("x", "lessThan", at), "") \
        NODE("score='" high "'", TEST("x", "greaterOrEqual", at), "")))
#define LINEAR(intercept, coefficient, field) \
    "<RegressionModel functionName='regression'>" SCHEMA("y") \
    "<RegressionTable intercept='" intercept "'><NumericPredictor " \
    "coefficient='" coefficient "' name='" field "'/></RegressionTable>" \
    "</RegressionModel>"

static void
test_sums(void **state)
{
    asc_model *m;

    (void)state;
#define THREE \
    ALWAYS("weight='1'", STUMP("1", "10", "20")) \
    ALWAYS("weight='2'", STUMP("2", "1", "2")) \
    ALWAYS("weight='5'", STUMP("3", "0.5", "0.25"))
    m = read_text(MINING("sum", THREE));
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_int_equal(m->u.ensemble.n_trees, 3);
    assert_output(m, "0\t0\tred", 0, 11.5);
    assert_output(m, "5\t0\tred", 0, 22.25);
    assert_output(m, "\t0\tred", 0, NAN);
    asc_model_free(m);
    assert_text_output(MINING("average", THREE), "2\t0\tred", 22.5 / 3);
    assert_text_output(MINING("weightedAverage", THREE), "2\t0\tred",
                       (20 + 4 + 2.5) / 8);
    assert_text_output(MINING("weightedSum", THREE), "2\t0\tred", 26.5);
    /* Targets after the sum; a constant model is part of the base */
    m = read_text(DOCUMENT(MINING_OF("regression", "y",
        "multipleModelMethod='sum'", "<Targets><Target field='y' "
        "rescaleFactor='2' rescaleConstant='0.5'/></Targets>",
        ALWAYS("", STUMP("1", "10", "20"))
        ALWAYS("", "<RegressionModel functionName='regression'>" SCHEMA("y")
               "<RegressionTable intercept='3'/></RegressionModel>"))));
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_output(m, "0\t0\tred", 0, 26.5);
    asc_model_free(m);
    /* linear models */
    m = read_text(MINING("average", ALWAYS("", LINEAR("1", "2", "x"))
                         ALWAYS("", LINEAR("0", "6", "z"))));
    assert_int_equal(asc_model_form(m), ASC_FORM_LINEAR);
    assert_output(m, "1\t2\tred", 0, (1 + 2 + 12) / 2.0);
    asc_model_free(m);
    /* a sum in a weighted average: factors go into the leaves */
    assert_text_output(MINING("weightedAverage",
        ALWAYS("weight='3'", MINING_OF("regression", "y",
               "multipleModelMethod='sum'", "",
               ALWAYS("", STUMP("1", "10", "20"))
               ALWAYS("", STUMP("1", "1", "2"))))
        ALWAYS("weight='1'", STUMP("1", "100", "200"))),
        "0\t0\tred", (33 + 100) / 4.0);
    /* False never applies */
    assert_text_output(MINING("average", ALWAYS("", STUMP("1", "10", "20"))
                              SEGMENT("", "<False/>",
                                      STUMP("1", "0", "0"))),
                       "0\t0\tred", 10);
}

/* Trees and linear models together, and segments that apply at times. */
static void
test_mixed(void **state)
{
    asc_model *m = read_text(MINING("average",
        ALWAYS("", STUMP("1", "10", "20"))
        SEGMENT("", TEST("c", "equal", "red"), LINEAR("1", "2", "x"))));

    (void)state;
    assert_int_equal(asc_model_form(m), ASC_FORM_OPAQUE);
    assert_output(m, "0\t0\tred", 0, 5.5);
    assert_output(m, "0\t0\tblue", 0, 10);
    assert_output(m, "0\t0\t", 0, 10);
    asc_model_free(m);
    m = read_text(MINING("sum", ALWAYS("", STUMP("1", "10", "20"))
                         ALWAYS("", LINEAR("1", "2", "z"))));
    assert_output(m, "0\t3\tred", 0, 17);
    assert_output(m, "0\t\tred", 0, NAN);
    asc_model_free(m);
    /* Targets of a composite */
    m = read_text(DOCUMENT(MINING_OF("regression", "y",
        "multipleModelMethod='sum'", "<Targets><Target field='y' "
        "rescaleFactor='10' max='8' castInteger='floor' "
        "rescaleConstant='0.5'/></Targets>",
        ALWAYS("", STUMP("1", "1", "2")) ALWAYS("", LINEAR("0", "1", "z")))));
    assert_int_equal(asc_model_form(m), ASC_FORM_OPAQUE);
    assert_output(m, "0\t3.01\tred", 0, 40);
    assert_output(m, "0\t99\tred", 0, 80);
    assert_close(output(m, ASC_RAW, "0\t99\tred", 0), 100);
    asc_model_free(m);
    /* what has no answer may be left out */
    m = read_text(DOCUMENT(MINING_OF("regression", "y",
        "multipleModelMethod='average' "
        "missingPredictionTreatment='skipSegment'", "",
        ALWAYS("", STUMP("1", "10", "20")) ALWAYS("", TREE_OF("regression",
               "y", "", ROOT("score='4'", ""))))));
    assert_output(m, "0\t0\tred", 0, 7);
    assert_output(m, "\t0\tred", 0, 4);
    asc_model_free(m);
}

static void
test_votes(void **state)
{
    asc_model *m;

    (void)state;
#define JURY \
    ALWAYS("weight='1'", CHOICE("1", "p", "q")) \
    ALWAYS("weight='1'", CHOICE("2", "p", "q")) \
    ALWAYS("weight='5'", CHOICE("3", "q", "r"))
    m = read_text(VOTING("majorityVote", JURY));
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_true(asc_model_has_probabilities(m));
    assert_output(m, "0\t0\tred", 0, 2.0 / 3.0);
    assert_output(m, "2.5\t0\tred", 1, 1);
    asc_model_free(m);
    m = read_text(VOTING("weightedMajorityVote", JURY));
    assert_output(m, "0\t0\tred", 0, 2.0 / 7.0);
    assert_output(m, "0\t0\tred", 1, 5.0 / 7.0);
    asc_model_free(m);
    /* a vote is for the label, an average of the probabilities */
#define UNSURE \
    TREE_OF("classification", "k3", "", ROOT("score='p'", \
        "<ScoreDistribution value='p' recordCount='6'/>" \
        "<ScoreDistribution value='r' recordCount='4'/>"))
    m = read_text(VOTING("majorityVote", ALWAYS("", UNSURE)
                         ALWAYS("", CHOICE("1", "p", "q"))));
    assert_output(m, "0\t0\tred", 0, 1);
    asc_model_free(m);
    m = read_text(VOTING("average", ALWAYS("", UNSURE)
                         ALWAYS("", CHOICE("1", "p", "q"))));
    assert_output(m, "0\t0\tred", 0, 0.8);
    assert_output(m, "0\t0\tred", 2, 0.2);
    asc_model_free(m);
    /* other classifiers vote, too */
    m = read_text(VOTING("majorityVote", ALWAYS("", CHOICE("1", "p", "q"))
        ALWAYS("", "<RegressionModel functionName='classification' "
               "normalizationMethod='softmax'>" SCHEMA("k3")
               "<RegressionTable targetCategory='p' intercept='1'/>"
               "<RegressionTable targetCategory='r' intercept='2'/>"
               "<RegressionTable targetCategory='q' intercept='0'/>"
               "</RegressionModel>")));
    assert_int_equal(asc_model_form(m), ASC_FORM_OPAQUE);
    assert_output(m, "0\t0\tred", 0, 0.5);
    assert_output(m, "0\t0\tred", 1, 0);
    assert_output(m, "0\t0\tred", 2, 0.5);
    asc_model_free(m);
}

static void
test_select_first(void **state)
{
    asc_model *m = read_text(MINING("selectFirst",
        SEGMENT("", TEST("c", "equal", "red"), STUMP("1", "10", "20"))
        SEGMENT("", TEST("x", "lessThan", "5"), LINEAR("1", "2", "z"))));

    (void)state;
    assert_output(m, "0\t3\tred", 0, 10);
    assert_output(m, "0\t3\tblue", 0, 7);
    assert_output(m, "0\t3\t", 0, 7);
    assert_output(m, "9\t3\tblue", 0, NAN);
    asc_model_free(m);
    m = read_text(MINING("selectFirst", ALWAYS("", STUMP("1", "10", "20"))
                         ALWAYS("", LINEAR("1", "2", "z"))));
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_output(m, "0\t3\tred", 0, 10);
    asc_model_free(m);
}

/* ---- chains ---- */

#define OUTPUT(fields) "<Output>" fields "</Output>"
#define SCORED(name, fields, segments) \
    MINING_OF("regression", "y", "multipleModelMethod='sum'", \
              "<Targets><Target field='y' rescaleConstant='0.5'/></Targets>" \
              OUTPUT("<OutputField name='" name "' optype='continuous' " \
                     "dataType='double' feature='predictedValue' " \
                     "isFinalResult='false'/>" fields), segments)
#define BOOSTED(target, method, scores, tables) \
    DOCUMENT(MINING_OF("classification", target, \
        "multipleModelMethod='modelChain'", "", scores ALWAYS("", \
        "<RegressionModel functionName='classification' " \
        "normalizationMethod='" method "'>" SCHEMA(target) tables \
        "</RegressionModel>")))
#define TABLE(category, field) \
    "<RegressionTable targetCategory='" category "' intercept='0'>" \
    "<NumericPredictor name='" field "' coefficient='1'/></RegressionTable>"

static void
test_boosting(void **state)
{
    const double u = 1 / (1 + exp(-11.5));
    asc_model *m = read_text(BOOSTED("k", "logit",
        ALWAYS("", SCORED("s", "", ALWAYS("", STUMP("1", "10", "20"))
                          ALWAYS("", STUMP("2", "1", "2")))),
        TABLE("b", "s") "<RegressionTable targetCategory='a'/>"));
    double sum;

    (void)state;
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_int_equal(m->u.ensemble.n_trees, 2);
    assert_int_equal(asc_model_schema(m)->n, 3);
    assert_close(output(m, ASC_RAW, "0\t0\tred", 1), 11.5);
    assert_close(output(m, ASC_RAW, "0\t0\tred", 0), -11.5);
    assert_output(m, "0\t0\tred", 1, u);
    assert_output(m, "0\t0\tred", 0, 1 - u);
    asc_model_free(m);
    /* through another output field: 2 s - 1 */
    m = read_text(BOOSTED("k", "logit",
        ALWAYS("", SCORED("s", "<OutputField name='t' optype='continuous' "
                          "dataType='double' feature='transformedValue'>"
                          "<Apply function='-'><Apply function='*'>"
                          "<Constant>2</Constant><FieldRef field='s'/>"
                          "</Apply><Constant>1</Constant></Apply>"
                          "</OutputField>",
                          ALWAYS("", STUMP("1", "1", "20")))),
        TABLE("b", "t") "<RegressionTable targetCategory='a'/>"));
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_close(output(m, ASC_RAW, "0\t0\tred", 1), 2);
    asc_model_free(m);
    /* one sum for each of three classes */
    m = read_text(BOOSTED("k3", "softmax",
        ALWAYS("", SCORED("sp", "", ALWAYS("", STUMP("1", "1", "4"))))
        ALWAYS("", SCORED("sq", "", ALWAYS("", STUMP("1", "2", "5"))))
        ALWAYS("", SCORED("sr", "", ALWAYS("", STUMP("1", "3", "6")))),
        TABLE("r", "sr") TABLE("p", "sp") TABLE("q", "sq")));
    sum = exp(1) + exp(2) + exp(3);
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_output(m, "0\t0\tred", 0, exp(1) / sum);
    assert_output(m, "0\t0\tred", 1, exp(2) / sum);
    assert_output(m, "0\t0\tred", 2, exp(3) / sum);
    assert_close(output(m, ASC_RAW, "5\t0\tred", 2), 6.5);
    asc_model_free(m);
}

/* One sum in two classes, with two weights: its trees are copied. */
static void
test_shared_sum(void **state)
{
    asc_model *m = read_text(BOOSTED("k3", "softmax",
        ALWAYS("", MINING_OF("regression", "y", "multipleModelMethod='sum'",
               OUTPUT("<OutputField name='s' optype='continuous' "
                      "dataType='double'/>"),
               ALWAYS("", TREE_OF("regression", "y", "", ROOT(
                   "score='7' recordCount='3'", "")))
               ALWAYS("", STUMP("1", "1", "2")))),
        "<RegressionTable targetCategory='p' intercept='1'>"
        "<NumericPredictor name='s' coefficient='2'/></RegressionTable>"
        "<RegressionTable targetCategory='q' intercept='0'>"
        "<NumericPredictor name='s' coefficient='-1'/></RegressionTable>"
        "<RegressionTable targetCategory='r' intercept='0'/>"));

    (void)state;
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    assert_int_equal(m->u.ensemble.n_trees, 4);
    assert_close(output(m, ASC_RAW, "0\t0\tred", 0), 17);
    assert_close(output(m, ASC_RAW, "0\t0\tred", 1), -8);
    assert_close(output(m, ASC_RAW, "0\t0\tred", 2), 0);
    asc_model_free(m);
}

#define CHAIN(segments) MINING("modelChain", segments)
#define FIELD(name, attributes) \
    "<OutputField name='" name "' optype='continuous' dataType='double' " \
    attributes "/>"
#define CLASSES_OF(fields) \
    "<TreeModel functionName='classification'>" SCHEMA("k3") \
    OUTPUT(fields) ROOT("", \
        NODE("score='p'", TEST("x", "lessThan", "1"), \
             "<ScoreDistribution value='p' recordCount='3'/>" \
             "<ScoreDistribution value='q' recordCount='1'/>") \
        NODE("score='r'", TEST("x", "greaterOrEqual", "1"), \
             "<ScoreDistribution value='r' recordCount='1'/>")) \
    "</TreeModel>"

static void
test_chains(void **state)
{
    asc_model *m;

    (void)state;
    /* a linear model of a linear model is one */
    m = read_text(CHAIN(ALWAYS("", "<RegressionModel "
        "functionName='regression'>" SCHEMA("y") OUTPUT(FIELD("u", ""))
        "<RegressionTable intercept='1'><NumericPredictor name='x' "
        "coefficient='2'/></RegressionTable></RegressionModel>")
        ALWAYS("", "<RegressionModel functionName='regression'>" SCHEMA("y")
        "<RegressionTable intercept='5'><NumericPredictor name='u' "
        "coefficient='3'/><NumericPredictor name='z' coefficient='1'/>"
        "</RegressionTable></RegressionModel>")));
    assert_int_equal(asc_model_form(m), ASC_FORM_LINEAR);
    assert_output(m, "4\t10\tred", 0, 5 + 3 * 9 + 10);
    asc_model_free(m);
    /* of probabilities */
    m = read_text(CHAIN(
        ALWAYS("", CLASSES_OF(FIELD("Pp", "feature='probability' value='p'")
                              FIELD("Pr", "feature='probability' "
                                    "value='r'")))
        ALWAYS("", "<RegressionModel functionName='regression'>" SCHEMA("y")
        "<RegressionTable intercept='1'><NumericPredictor name='Pp' "
        "coefficient='4'/><NumericPredictor name='Pr' coefficient='10'/>"
        "</RegressionTable></RegressionModel>")));
    assert_int_equal(asc_model_form(m), ASC_FORM_OPAQUE);
    assert_output(m, "0\t0\tred", 0, 4);
    assert_output(m, "2\t0\tred", 0, 11);
    assert_output(m, "\t0\tred", 0, NAN);
    asc_model_free(m);
    /* of the label, which also chooses the model */
    m = read_text(CHAIN(
        ALWAYS("", CLASSES_OF("<OutputField name='label' "
                              "optype='categorical' dataType='string' "
                              "feature='predictedValue'/>"))
        SEGMENT("", TEST("label", "equal", "p"), LINEAR("100", "1", "z"))
        SEGMENT("", TEST("label", "equal", "r"), TREE_OF("regression", "y",
                "", ROOT("", NODE("score='7'",
                                  SET("label", "isIn", "q r"), ""))))));
    assert_output(m, "0\t3\tred", 0, 103);
    assert_output(m, "2\t3\tred", 0, 7);
    asc_model_free(m);
    /* an output field may bear a raw field's name; the label is missing
     * where the tree has no answer */
    m = read_text(CHAIN(
        ALWAYS("", CLASSES_OF("<OutputField name='c' optype='categorical' "
                              "dataType='string'/>"))
        ALWAYS("", TREE_OF("regression", "y", "", ROOT("",
               NODE("score='1'", TEST("c", "equal", "p"), "")
               NODE("score='2'", TEST("c", "isMissing", ""), "")
               NODE("score='3'", TEST("c", "notEqual", "p"), ""))))));
    assert_int_equal(asc_model_schema(m)->n, 3);
    assert_output(m, "0\t0\tred", 0, 1);
    assert_output(m, "\t0\tred", 0, 2);
    assert_output(m, "3\t0\tred", 0, 3);
    asc_model_free(m);
    /* the last model reads nothing of the others */
    m = read_text(CHAIN(ALWAYS("", CLASSES_OF(""))
                        ALWAYS("", STUMP("1", "10", "20"))));
    assert_int_equal(asc_model_form(m), ASC_FORM_ENSEMBLE);
    asc_model_free(m);
    /* a logistic model of a tree and a field: opaque, with its raw scale */
    m = read_text(DOCUMENT(MINING_OF("classification", "k",
        "multipleModelMethod='modelChain'", "",
        ALWAYS("", SCORED("s", "", ALWAYS("", STUMP("1", "1", "2"))))
        ALWAYS("", "<RegressionModel functionName='classification' "
        "normalizationMethod='logit'>" SCHEMA("k")
        "<RegressionTable targetCategory='b'><NumericPredictor name='s' "
        "coefficient='1'/><NumericPredictor name='z' coefficient='1'/>"
        "</RegressionTable><RegressionTable targetCategory='a'/>"
        "</RegressionModel>"))));
    assert_int_equal(asc_model_form(m), ASC_FORM_OPAQUE);
    assert_true(asc_model_has_link(m));
    assert_close(output(m, ASC_RAW, "0\t-1\tred", 1), 0.5);
    assert_output(m, "0\t-1.5\tred", 1, 0.5);
    asc_model_free(m);
}

/* An inner model's own replacement and outliers; names of outer models. */
static void
test_inner_schema(void **state)
{
    asc_model *m = read_text(DOCUMENT(
        "<MiningModel functionName='regression'>" SCHEMA("y")
        "<LocalTransformations><DerivedField name='d' optype='continuous' "
        "dataType='double'><NormContinuous field='x'><LinearNorm orig='0' "
        "norm='0'/><LinearNorm orig='1' norm='3'/></NormContinuous>"
        "</DerivedField></LocalTransformations>"
        "<Segmentation multipleModelMethod='sum'>"
        ALWAYS("", "<RegressionModel functionName='regression'>"
        "<MiningSchema><MiningField name='x' missingValueReplacement='5'/>"
        "<MiningField name='z' outliers='asExtremeValues' lowValue='0' "
        "highValue='1'/></MiningSchema><RegressionTable>"
        "<NumericPredictor name='x' coefficient='1'/>"
        "<NumericPredictor name='z' coefficient='100'/></RegressionTable>"
        "</RegressionModel>")
        ALWAYS("", "<RegressionModel functionName='regression'>"
        "<MiningSchema><MiningField name='d' missingValueReplacement='7'/>"
        "</MiningSchema><RegressionTable><NumericPredictor name='d' "
        "coefficient='1'/></RegressionTable></RegressionModel>")
        "</Segmentation></MiningModel>"));

    (void)state;
    assert_output(m, "2\t0.5\tred", 0, 2 + 50 + 6);
    assert_output(m, "\t9\tred", 0, 5 + 100 + 7);
    asc_model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predicates),
        cmocka_unit_test(test_strategies),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_derived),
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_random_trees),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_votes),
        cmocka_unit_test(test_select_first),
        cmocka_unit_test(test_boosting),
        cmocka_unit_test(test_shared_sum),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_inner_schema)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
