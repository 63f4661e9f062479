/* model/booster/lightgbm_text.c -- LightGBM's text format, line by line.
 *
 *     tree                              (this very line)
 *     key=value ...                     header, to an empty line
 *     Tree=0                            for each tree
 *     key=value ...                     to an empty line
 *     end of trees
 *     feature_importances: ...          names, not read
 *     parameters: ... end of parameters
 *     pandas_categorical:[[...], ...]   by the Python package only
 *
 * Only LightGBM's sources say so: GBDT::SaveModelToString and
 * LoadModelFromString (src/boosting/gbdt_model_text.cpp), Tree::ToString
 * (src/io/tree.cpp), python-package/lightgbm/basic.py.  Before 2.2 there is no
 * "end of trees", before 2.1 no version and no tree_sizes.  Values stay bytes
 * of the file until they become numbers of the model.  Cost: one pass.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/booster/lightgbm.h"

enum { SHOWN = 60 };            /* bytes of the file in a message */

static const char *const headers[LIGHTGBM_N_HEADER] = {
    [LIGHTGBM_VERSION] = "version",
    [LIGHTGBM_NUM_CLASS] = "num_class",
    [LIGHTGBM_TREES_PER_ITERATION] = "num_tree_per_iteration",
    [LIGHTGBM_MAX_FEATURE] = "max_feature_idx",
    [LIGHTGBM_OBJECTIVE] = "objective",
    [LIGHTGBM_AVERAGE] = "average_output",
    [LIGHTGBM_NAMES] = "feature_names",
    [LIGHTGBM_INFOS] = "feature_infos",
    [LIGHTGBM_SIZES] = "tree_sizes"
};

int
asci_lightgbm_fail(const struct lightgbm *r, size_t line, struct asc_error *e,
                   const char *format, ...)
{
    char message[400];
    va_list ap;

    va_start(ap, format);
    asci_print(message, sizeof message, format, ap);
    va_end(ap);
    return asc_fail(e, ASC_EINPUT, "%s:%zu: %s", r->m->name, line, message);
}

/* ---- pieces and numbers ---- */

int
asci_lightgbm_piece(struct lightgbm_text *t, struct asc_text *piece)
{
    const char *p = t->p, *end = t->p + t->n;

    while (p < end && *p == ' ')
        p++;
    piece->p = p;
    while (p < end && *p != ' ')
        p++;
    piece->n = (size_t)(p - piece->p);
    t->n = (size_t)(end - p);
    t->p = p;
    return piece->n > 0;
}

size_t
asci_lightgbm_count(struct lightgbm_text t)
{
    struct asc_text piece;
    size_t n = 0;

    if (t.p)
        while (asci_lightgbm_piece(&t, &piece))
            n++;
    return n;
}

int
asci_lightgbm_width(size_t n)
{
    return n < SHOWN ? (int)n : SHOWN;
}

int
asci_lightgbm_whole(struct asc_text t, int64_t low, int64_t high, int64_t *v)
{
    const int negative = t.n > 0 && t.p[0] == '-';
    int64_t n = 0;
    size_t i = negative || (t.n > 0 && t.p[0] == '+');

    if (i == t.n || t.n - i > 18)
        return 0;
    for (; i < t.n; i++) {
        if (t.p[i] < '0' || t.p[i] > '9')
            return 0;
        n = 10 * n + (t.p[i] - '0');
    }
    *v = negative ? -n : n;
    return *v >= low && *v <= high;
}

int
asci_lightgbm_number(struct asc_text t, double *v)
{
    if (asc_number_parse(t.p, t.n, v))
        return 1;
    *v = NAN;
    return (t.n == 3 && !strncasecmp(t.p, "nan", 3)) ||
           (t.n == 4 && !strncasecmp(t.p, "-nan", 4));
}

/* ---- lines ---- */

/* The next line, without its end: 1, or 0 at the end of the file. */
static int
next_line(struct lightgbm *r, struct asc_text *t)
{
    const char *end;

    if (r->p == r->end)
        return 0;
    end = memchr(r->p, '\n', (size_t)(r->end - r->p));
    r->whole = end != NULL;
    if (!end)
        end = r->end;
    t->p = r->p;
    t->n = (size_t)(end - r->p);
    r->p = end + r->whole;
    if (t->n > 0 && t->p[t->n - 1] == '\r')
        t->n--;
    r->line++;
    return 1;
}

static int
is_text(struct asc_text t, const char *text)
{
    return t.n == strlen(text) && !memcmp(t.p, text, t.n);
}

static int
begins(struct asc_text t, const char *text)
{
    return t.n >= strlen(text) && !memcmp(t.p, text, strlen(text));
}

/* What stands before the first `=`, and behind it. */
static int
split_line(const struct lightgbm *r, struct asc_text t, struct asc_text *key,
           struct lightgbm_text *value)
{
    const char *sign = memchr(t.p, '=', t.n);

    if (!sign)
        return 0;
    *key = (struct asc_text){ t.p, (size_t)(sign - t.p) };
    value->p = sign + 1;
    value->n = (size_t)(t.p + t.n - value->p);
    value->line = r->line;
    return 1;
}

static int
twice(const struct lightgbm *r, const char *name, size_t before,
      struct asc_error *e)
{
    return asci_lightgbm_fail(r, r->line, e, "%s is there twice, in line %zu, "
                              "too", name, before);
}

static int
no_key(const struct lightgbm *r, struct asc_text t, struct asc_error *e)
{
    return asci_lightgbm_fail(r, r->line, e, "\"%.*s\": want a line "
                              "KEY=VALUE%s", asci_lightgbm_width(t.n), t.p,
                              r->whole ? "" : " (cut off?)");
}

/* ---- header ---- */

static int
take_header(struct lightgbm *r, struct asc_text t, struct asc_error *e)
{
    struct lightgbm_text value = { t.p + t.n, 0, r->line };
    struct asc_text key = t;    /* alone where it is a flag */
    size_t i;

    split_line(r, t, &key, &value);
    for (i = 0; i < LIGHTGBM_N_HEADER; i++)
        if (is_text(key, headers[i])) {
            if (r->header[i].line)
                return twice(r, headers[i], r->header[i].line, e);
            r->header[i] = value;
        }
    return ASC_OK;
}

/* A whole number of the header; `absent` where the line is not there. */
static int
header_number(const struct lightgbm *r, enum lightgbm_header h, int64_t low,
              int64_t high, int64_t absent, int64_t *v, struct asc_error *e)
{
    const struct lightgbm_text *t = &r->header[h];
    const struct asc_text text = { t->p, t->n };

    *v = absent;
    if (!t->line || asci_lightgbm_whole(text, low, high, v))
        return ASC_OK;
    return asci_lightgbm_fail(r, t->line, e, "%s is \"%.*s\", want a whole "
                              "number of %lld to %lld", headers[h],
                              asci_lightgbm_width(t->n), t->p, (long long)low,
                              (long long)high);
}

static int
check_version(const struct lightgbm *r, struct asc_error *e)
{
    const struct lightgbm_text *t = &r->header[LIGHTGBM_VERSION];

    if (!t->line || (t->n == 2 && t->p[0] == 'v' && t->p[1] >= '2' &&
                     t->p[1] <= '4'))
        return ASC_OK;
    return asci_lightgbm_fail(r, t->line, e, "version \"%.*s\" of the format "
                              "is not known, want v2, v3 or v4",
                              asci_lightgbm_width(t->n), t->p);
}

static int
check_list(const struct lightgbm *r, enum lightgbm_header h,
           struct asc_error *e)
{
    const size_t n = asci_lightgbm_count(r->header[h]);

    if (n == r->n_features)
        return ASC_OK;
    return asci_lightgbm_fail(r, r->header[h].line, e, "%s has %zu values, "
                              "want %zu (max_feature_idx %zu)", headers[h], n,
                              r->n_features, r->n_features - 1);
}

static int
check_header(struct lightgbm *r, struct asc_error *e)
{
    static const enum lightgbm_header wanted[] = {
        LIGHTGBM_NUM_CLASS, LIGHTGBM_MAX_FEATURE, LIGHTGBM_NAMES,
        LIGHTGBM_INFOS
    };
    int64_t features, classes, each;
    int status;
    size_t i;

    for (i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!r->header[wanted[i]].line)
            return asci_lightgbm_fail(r, r->line, e, "the header has no %s",
                                      headers[wanted[i]]);
    if ((status = check_version(r, e)) ||
        (status = header_number(r, LIGHTGBM_NUM_CLASS, 1, INT32_MAX, 1,
                                &classes, e)) ||
        (status = header_number(r, LIGHTGBM_TREES_PER_ITERATION, 1, INT32_MAX,
                                classes, &each, e)) ||
        (status = header_number(r, LIGHTGBM_MAX_FEATURE, 0, INT32_MAX / 4, 0,
                                &features, e)))
        return status;
    r->n_features = (size_t)features + 1;
    r->per_iteration = (size_t)each;
    if ((status = check_list(r, LIGHTGBM_NAMES, e)) ||
        (status = check_list(r, LIGHTGBM_INFOS, e)))
        return status;
    r->use = asci_alloc_zero(r->n_features, 1, e);
    return r->use ? ASC_OK : ASC_ESYSTEM;
}

/* ---- trees ---- */

/* The lines of a tree, up to an empty one. */
static int
take_tree(struct lightgbm *r, size_t tree, struct asc_error *e)
{
    struct lightgbm_text key[LIGHTGBM_N_KEYS], value;
    const size_t line = r->line;
    struct asc_text t, name;
    size_t i;

    memset(key, 0, sizeof key);
    while (next_line(r, &t) && t.n > 0) {
        if (!split_line(r, t, &name, &value))
            return no_key(r, t, e);
        if (is_text(name, "Tree"))
            return asci_lightgbm_fail(r, r->line, e, "a tree before the "
                                      "empty line that ends Tree=%zu", tree);
        for (i = 0; i < LIGHTGBM_N_KEYS; i++)
            if (is_text(name, asci_lightgbm_keys[i])) {
                if (key[i].line)
                    return twice(r, asci_lightgbm_keys[i], key[i].line, e);
                key[i] = value;
            }
    }
    return asci_lightgbm_tree(r, tree, line, key, e);
}

/* Trees are numbered one by one. */
static int
tree_number(struct lightgbm *r, struct asc_text t, int64_t last, int64_t *v,
            struct asc_error *e)
{
    const struct asc_text number = { t.p + 5, t.n - 5 };

    if (!asci_lightgbm_whole(number, 0, INT32_MAX, v))
        return asci_lightgbm_fail(r, r->line, e, "\"%.*s\": want Tree=NUMBER",
                                  asci_lightgbm_width(t.n), t.p);
    if (last >= 0 && *v != last + 1)
        return asci_lightgbm_fail(r, r->line, e, "Tree=%lld follows Tree=%lld",
                                  (long long)*v, (long long)last);
    return ASC_OK;
}

static int
check_tree_count(const struct lightgbm *r, struct asc_error *e)
{
    const struct lightgbm_text *sizes = &r->header[LIGHTGBM_SIZES];
    const size_t n = r->trees.n_trees, want = asci_lightgbm_count(*sizes);

    if (sizes->line && n != want)
        return asci_lightgbm_fail(r, r->line, e, "the file has %zu trees, "
                                  "tree_sizes (line %zu) tells of %zu%s", n,
                                  sizes->line, want, n < want ? ": cut off?"
                                                              : "");
    if (n % r->per_iteration || (n == 0 && r->per_iteration > 1))
        return asci_lightgbm_fail(r, r->line, e, "the file has %zu trees, "
                                  "which is no whole number of iterations of "
                                  "%zu trees", n, r->per_iteration);
    return ASC_OK;
}

/* ---- what comes behind the trees ---- */

/* Parameters tell which features are categorical. */
static void
take_parameter(struct lightgbm *r, struct asc_text t)
{
    static const char name[] = "[categorical_feature: ";

    if (!begins(t, name) || t.p[t.n - 1] != ']')
        return;
    r->categorical = (struct lightgbm_text){ t.p + sizeof name - 1,
                                             t.n - sizeof name, r->line };
}

static int
take_rest(struct lightgbm *r, struct asc_text t, struct asc_error *e)
{
    static const char pandas[] = "pandas_categorical:";
    size_t parameters = 0, parser = 0;
    int ended = 0;

    do {
        if (parameters && is_text(t, "end of parameters")) {
            parameters = 0;
        } else if (parser && is_text(t, "end of parser")) {
            parser = 0;
        } else if (parameters) {
            take_parameter(r, t);
        } else if (parser) {
            continue;
        } else if (is_text(t, "parameters:")) {
            parameters = r->line;
        } else if (is_text(t, "parser:")) {
            parser = r->line;
        } else if (begins(t, pandas)) {
            r->pandas = (struct lightgbm_text){ t.p + sizeof pandas - 1,
                                                t.n + 1 - sizeof pandas,
                                                r->line };
        } else if (begins(t, "Tree=")) {
            return asci_lightgbm_fail(r, r->line, e, "a tree after the end "
                                      "of trees");
        }
        /* these lines may lack their end, others may have lost more */
        ended = r->whole || r->pandas.line == r->line ||
                is_text(t, "end of trees") || is_text(t, "end of parameters");
    } while (next_line(r, &t));
    if (parameters)
        return asci_lightgbm_fail(r, r->line, e, "the file ends inside the "
                                  "parameters of line %zu: cut off?",
                                  parameters);
    if (parser || !ended)
        return asci_lightgbm_fail(r, r->line, e, "the file ends inside of "
                                  "this line or section: cut off?");
    return ASC_OK;
}

int
asci_lightgbm_parse(struct lightgbm *r, struct asc_error *e)
{
    int64_t number, last = -1;
    struct asc_text t;
    int status, more;

    next_line(r, &t);                   /* "tree" */
    while ((more = next_line(r, &t)) && !begins(t, "Tree=") &&
           !begins(t, "end of trees"))
        if (t.n > 0 && (status = take_header(r, t, e)))
            return status;
    if (!more)
        return asci_lightgbm_fail(r, r->line, e, "the file ends before its "
                                  "trees: cut off?");
    if ((status = check_header(r, e)))
        return status;
    for (; more; more = next_line(r, &t)) {
        if (t.n == 0)
            continue;
        if (!begins(t, "Tree="))
            break;
        if ((status = tree_number(r, t, last, &number, e)) ||
            (status = take_tree(r, (size_t)number, e)))
            return status;
        last = number;
    }
    if ((status = check_tree_count(r, e)))
        return status;
    if (!more)
        return asci_lightgbm_fail(r, r->line, e, "the file ends after "
                                  "Tree=%lld, without \"end of trees\": cut "
                                  "off?", (long long)last);
    return take_rest(r, t, e);
}
