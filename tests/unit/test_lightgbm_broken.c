/* LightGBM's text format: models broken in one place each, with what is said of
 * them, and cut off anywhere. */
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
#include "lightgbm.h"
#include "temporary.h"

struct broken {
    const char *from, *to;      /* one replacement in the whole text */
    const char *message;
};

static void
refuse(const struct parts *p, const struct broken *c)
{
    struct asc_buffer b = { 0 }, broken = { 0 };
    struct asc_error e = { ASC_OK, "" };
    const char *text = compose(&b, p), *at = strstr(text, c->from);
    asc_model *m;

    if (!at)
        fail_msg("\"%s\" is not there", c->from);
    asc_buffer_print(&broken, "%.*s%s%s", (int)(at - text), text, c->to,
                     at + strlen(c->from));
    m = read_bytes(broken.p, broken.n, &e);
    if (m)
        fail_msg("\"%s\" for \"%s\" was read", c->to, c->from);
    assert_int_equal(e.status, ASC_EINPUT);
    if (strcmp(e.text, c->message) || strchr(e.text, '\n'))
        fail_msg("\n# %s\n# is not\n# %s", e.text, c->message);
    asc_buffer_free(&broken);
    asc_buffer_free(&b);
}

static void
broken_headers(void **state)
{
    static const struct broken cases[] = {
        { "version=v4", "version=v9", "m:2: version \"v9\" of the format is "
          "not known, want v2, v3 or v4" },
        { "num_class=1\n", "", "m:10: the header has no num_class" },
        { "num_class=1\n", "num_class=0\n", "m:3: num_class is \"0\", want a "
          "whole number of 1 to 2147483647" },
        { "num_class=1\n", "num_class=1\nnum_class=1\n", "m:4: num_class is "
          "there twice, in line 3, too" },
        { "iteration=1\n", "iteration=1000000000\n", "m:30: the file has 1 "
          "trees, which is no whole number of iterations of 1000000000 "
          "trees" },
        { "iteration=1\n", "iteration=-1\n", "m:4: num_tree_per_iteration is "
          "\"-1\", want a whole number of 1 to 2147483647" },
        { "idx=1\n", "idx=1000000000\n", "m:6: max_feature_idx is "
          "\"1000000000\", want a whole number of 0 to 536870911" },
        { "idx=1\n", "idx=100000000\n", "m:8: feature_names has 2 values, "
          "want 100000001 (max_feature_idx 100000000)" },
        { "=a b\n", "=a\n", "m:8: feature_names has 1 values, want 2 "
          "(max_feature_idx 1)" },
        { "=a b\n", "=a a\n", "m: field \"a\" is there twice" },
        { "=[0:1] [0:1]\n", "=[0:1]\n", "m:9: feature_infos has 1 values, "
          "want 2 (max_feature_idx 1)" },
        { "=[0:1] [0:1]\n", "=[0:1] 1:x\n", "m:9: feature_infos: \"1:x\" of "
          "\"b\": want [MIN:MAX], none, or codes with colons" },
        { "=[0:1] [0:1]\n", "=0:1 [0:1]\n", "m:8: feature \"a\" is "
          "categorical, and a threshold or a linear leaf uses its code as a "
          "number" },
        { "[0:1]\n\n", "[0:1]\ntree_sizes=360 360\n\n", "m:31: the file has 1 "
          "trees, tree_sizes (line 10) tells of 2: cut off?" },
        { "objective=regression", "objective=regresion", "m:7: objective "
          "\"regresion\" is not known, nor how its scores become predictions "
          "(nearest: regression)" },
        { "objective=regression", "objective=binary sigmoid:-1", "m:7: "
          "objective: sigmoid is \"-1\", want a number above 0" },
        { "objective=regression", "objective=multiclass num_class:3",
          "m:7: objective: num_class is \"3\", an iteration has 1 trees" }
    };
    const struct parts p = { 0 };
    const struct parts two = {
        .sizes = HEADER("2", "1") "objective=regression\n",
        .trees = LEAF("0", "1") LEAF("1", "1")
    };
    static const struct broken poisson = {
        "objective=regression", "objective=poisson", "m:7: objective poisson "
        "has one output, an iteration has 2 trees"
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(&p, &cases[i]);
    refuse(&two, &poisson);
}

static void
broken_trees(void **state)
{
    static const char three[] =
        "Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nthreshold=1 0\n"
        "decision_type=8 1\nleft_child=1 -1\nright_child=-3 -2\n"
        "leaf_value=10 20 -1\nleaf_count=2 3 5\ninternal_count=10 5\n"
        "cat_boundaries=0 2\ncat_threshold=5 1\n\n";
    static const struct broken cases[] = {
        { "Tree=0", "Tree=x", "m:11: \"Tree=x\": want Tree=NUMBER" },
        { "num_leaves=3\n", "", "m:11: Tree=0 has no num_leaves" },
        { "num_leaves=3", "num_leaves=0", "m:12: num_leaves is \"0\", want a "
          "whole number of 1 to 2147483647" },
        { "num_leaves=3", "num_leaves=-3", "m:12: num_leaves is \"-3\", want "
          "a whole number of 1 to 2147483647" },
        { "num_leaves=3", "num_leaves=1000000000", "m:19: leaf_value has 3 "
          "values, want 1000000000 (num_leaves 1000000000)" },
        { "num_leaves=3", "num_leaves=4", "m:19: leaf_value has 3 values, "
          "want 4 (num_leaves 4)" },
        { "num_cat=1\n", "", "m:11: Tree=0 has no num_cat" },
        { "num_cat=1", "num_cat=1000000000", "m:22: cat_boundaries has 2 "
          "values, want 1000000001 (num_cat 1000000000)" },
        { "split_feature=0 1", "split_feature=0", "m:14: split_feature has 1 "
          "values, want 2 (num_leaves 3)" },
        { "split_feature=0 1", "split_feature=0 1 1", "m:14: split_feature "
          "has 3 values, want 2 (num_leaves 3)" },
        { "split_feature=0 1", "split_feature=0 2", "m:14: split_feature[1] "
          "is \"2\", want a whole number of 0 to 1" },
        { "split_feature=0 1", "split_feature=-1 1", "m:14: split_feature[0] "
          "is \"-1\", want a whole number of 0 to 1" },
        { "threshold=1 0\n", "threshold=nan 0\n", "m:15: threshold[0] is not "
          "a number" },
        { "threshold=1 0\n", "threshold=x 0\n", "m:15: threshold[0] is "
          "\"x\", want a number" },
        { "threshold=1 0\n", "threshold=1 1\n", "m:15: threshold[1] is 1, "
          "want the number of one of 1 sets of categories (num_cat)" },
        { "threshold=1 0\n", "threshold=1 nan\n", "m:15: threshold[1] is nan, "
          "want the number of one of 1 sets of categories (num_cat)" },
        { "decision_type=8 1", "decision_type=8 64", "m:16: decision_type[1] "
          "is \"64\", want a whole number of 0 to 11" },
        { "left_child=1 -1", "left_child=0 -1", "m:17: left_child[0]: node 0 "
          "is reached twice" },
        { "left_child=1 -1", "left_child=1 -3", "m:17: left_child[1]: node "
          "-3 is reached twice" },
        { "left_child=1 -1", "left_child=2 -1", "m:17: left_child[0] is "
          "\"2\", want a whole number of -3 to 1" },
        { "left_child=1 -1", "left_child=-1 1", "m:17: left_child and "
          "right_child reach 3 of 5 nodes" },
        { "right_child=-3 -2", "right_child=-4 -2", "m:18: right_child[0] is "
          "\"-4\", want a whole number of -3 to 1" },
        { "leaf_value=10", "leaf_value=1o", "m:19: leaf_value[0] is \"1o\", "
          "want a number" },
        { "leaf_count=2 3 5", "leaf_count=2 3", "m:20: leaf_count has 2 "
          "values, want 3 (num_leaves 3)" },
        { "leaf_count=2 3 5", "leaf_count=2 -3 5", "m:20: leaf_count[1] is "
          "-3, want a count" },
        { "internal_count=10 5", "internal_count=10 nan", "m:21: "
          "internal_count[1] is nan, want a count" },
        { "cat_boundaries=0 2\n", "", "m:11: Tree=0 has no cat_boundaries" },
        { "cat_boundaries=0 2", "cat_boundaries=0 2000000000", "m:23: "
          "cat_threshold has 2 values, want 2000000000 (cat_boundaries end "
          "at 2000000000)" },
        { "cat_boundaries=0 2", "cat_boundaries=2 1", "m:22: "
          "cat_boundaries[1] is 1, less than the one before" },
        { "cat_boundaries=0 2", "cat_boundaries=0 1", "m:23: cat_threshold "
          "has 2 values, want 1 (cat_boundaries end at 1)" },
        { "cat_threshold=5 1", "cat_threshold=5 -1", "m:23: "
          "cat_threshold[1] is \"-1\", want a whole number of 0 to "
          "4294967295" },
        { "cat_threshold=5 1", "cat_threshold=5 4294967296", "m:23: "
          "cat_threshold[1] is \"4294967296\", want a whole number of 0 to "
          "4294967295" },
        { "leaf_value=10 20 -1\n", "leaf_value\n", "m:19: \"leaf_value\": "
          "want a line KEY=VALUE" },
        { "num_cat=1\n", "num_cat=1\nnum_cat=1\n", "m:14: num_cat is there "
          "twice, in line 13, too" },
        { "\n\nend of", "\nTree=1\nend of", "m:24: a tree before the empty "
          "line that ends Tree=0" },
        { "\n\nend of", "\n\nTree=2\n\nend of", "m:25: Tree=2 follows "
          "Tree=0" },
        { "end of trees\n", "end of trees\nTree=1\n", "m:26: a tree after "
          "the end of trees" },
        { "split_feature=0 1", "split_feature=1 1", "m:8: feature \"b\" is "
          "categorical, and a threshold or a linear leaf uses its code as a "
          "number" }
    };
    const struct parts p = {
        .infos = "feature_infos=[0:1] 0:2:32\n", .trees = three
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(&p, &cases[i]);
}

static void
broken_lines(void **state)
{
    static const struct broken cases[] = {
        { "is_linear=1", "is_linear=x", "m:22: is_linear is \"x\", want a "
          "whole number of 0 to 2147483647" },
        { "leaf_const=1 7 0\n", "", "m:11: Tree=0 has no leaf_const" },
        { "leaf_const=1 7 0", "leaf_const=1 7", "m:23: leaf_const has 2 "
          "values, want 3 (num_leaves 3)" },
        { "num_features=2 0 1", "num_features=2 -1 1", "m:24: "
          "num_features[1] is \"-1\", want a whole number of 0 to 2" },
        { "num_features=2 0 1", "num_features=2 1 1", "m:25: leaf_features "
          "has 3 values, want 4 (num_features 4)" },
        { "leaf_features=0 1   1", "leaf_features=0 2   1", "m:25: "
          "leaf_features[1] is \"2\", want a whole number of 0 to 1" },
        { "leaf_coeff=2 -1", "leaf_coeff=2 -x", "m:26: leaf_coeff[1] is "
          "\"-x\", want a number" },
        { "leaf_coeff=2 -1   0.5", "leaf_coeff=2 -1", "m:26: leaf_coeff has "
          "2 values, want 3 (num_features 3)" }
    };
    static const struct broken category = {
        "[0:1] [0:1]", "[0:1] 0:1", "m:8: feature \"b\" is categorical, and "
        "a threshold or a linear leaf uses its code as a number"
    };
    const struct parts p = { .trees = LINEAR("0") };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(&p, &cases[i]);
    refuse(&p, &category);
}

static void
broken_ends(void **state)
{
    static const struct broken cases[] = {
        { "[[\"u\"", "[[\"u", "m:39: pandas_categorical: [0][0]: 'v' at byte "
          "8, want ',' or ']'" },
        { "[[\"u\"", "[[{}", "m:39: pandas_categorical: [0][0]: want a text, "
          "a number, true or false" },
        { "[[\"u\"", "[[Infinity", "m:39: pandas_categorical: [0][0]: want a "
          "text, a number, true or false" },
        { "[[\"u\"", "[{\"u\"", "m:39: pandas_categorical: [0]: it is an "
          "object, want an array" },
        { "[[\"u\", \"v\", \"w\"]]", "7", "m:39: pandas_categorical: want an "
          "array of arrays, or null" },
        { "[[\"u\", \"v\", \"w\"]]", "[[\"u\", \"v\"]]", "m:39: "
          "pandas_categorical has 1 lists, 1 features are categorical, and "
          "which list is whose cannot be told: without this line the fields "
          "are the codes themselves" },
        { "[[\"u\", \"v\", \"w\"]]", "[[\"u\", \"v\", \"v\"]]", "m: field "
          "\"b\": category \"v\" is there twice" },
        { "[[\"u\", \"v\", \"w\"]]", "[[1, 2, 3], [1, 2]]", "m:39: "
          "pandas_categorical has 2 lists, 1 features are categorical, and "
          "which list is whose cannot be told: without this line the fields "
          "are the codes themselves" },
        { "end of parameters\n\npandas_categorical:[[\"u\", \"v\", \"w\"]]\n",
          "", "m:36: the file ends inside the parameters of line 34: cut "
          "off?" }
    };
    const struct parts p = {
        .infos = "feature_infos=[-1:1] 0:2:1\n", .trees = SPLIT_B,
        .end = "end of trees\n\nparameters:\n[boosting: gbdt]\n\n"
               "end of parameters\n\n"
               "pandas_categorical:[[\"u\", \"v\", \"w\"]]\n"
    };
    /* a list of two fits both features, which are split by thresholds */
    const struct parts two_ways = { .end = END("[[\"u\", \"v\"]]") };
    static const struct broken either = {
        "version=v4", "version=v3", "m:40: pandas_categorical has 1 lists, 0 "
        "features are categorical, and which list is whose cannot be told: "
        "without this line the fields are the codes themselves"
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(&p, &cases[i]);
    refuse(&two_ways, &either);
}

/* Every beginning of a file is refused until its trees have ended; then it
 * may be the whole model already, or says that it was cut off. */
static void
cut_off_anywhere(void **state)
{
    const struct parts p = {
        .sizes = HEADER("1", "1") "objective=regression\n"
                 "tree_sizes=360 460\n",
        .trees = STUMP("0", "0", "0.5", "8", "0\n") LINEAR("1")
    };
    struct asc_buffer b = { 0 };
    const char *end = strstr(compose(&b, &p), "end of trees");
    const double x[2] = { 0.6, 0.0 };
    size_t n;

    (void)state;
    for (n = 0; n + 1 < b.n; n++) {
        struct asc_error e = { ASC_OK, "" };
        asc_model *m = read_bytes(b.p, n, &e);

        if (b.p + n < end + 12)
            assert_null(m);
        if (!m) {
            assert_int_equal(e.status, ASC_EINPUT);
            assert_int_equal(strncmp(e.text, "m:", 2), 0);
            continue;
        }
        close_to(answer(m, ASC_RAW, x), 2.0 + linear_rule(0.6, 0.0), 1e-15);
        asc_model_free(m);
    }
    asc_buffer_free(&b);
}

static void
other_formats(void **state)
{
    static const char dump[] = "{\"name\":\"tree\",\"version\":\"v4\","
        "\"num_class\":1,\"num_tree_per_iteration\":1,\"tree_info\":[]}";
    struct asc_error e;

    (void)state;
    assert_false(asci_lightgbm_looks("trees\n", 6));
    assert_false(asci_lightgbm_looks("tre", 3));
    assert_true(asci_lightgbm_looks("tree", 4));
    assert_true(asci_lightgbm_refused(dump, sizeof dump - 1));
    assert_false(asci_lightgbm_refused("{}", 2));
    assert_null(asc_model_read(temporary_file("dump.json", dump), NULL, &e));
    assert_non_null(strstr(e.text, "dump.json: a dump of a LightGBM model as "
                           "JSON: save the model itself as text "
                           "(save_model(\"model.txt\"))"));
    assert_null(asci_lightgbm_read("m", "tree\nx\0=1\n", 10, &e));
    assert_string_equal(e.text, "m: a NUL byte at byte 7, in a text");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_headers),
        cmocka_unit_test(broken_trees),
        cmocka_unit_test(broken_lines),
        cmocka_unit_test(broken_ends),
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(other_formats)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
