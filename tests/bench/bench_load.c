/* How fast a large model of LightGBM's is read from its text, and what memory
 * that takes.  A plain reader's cost to compare with: strtod() on every number
 * of the lines that make up the model.
 *
 * Usage: bench_load
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { TREES = 600, LEAVES = 500 };

/* A line of n numbers as LightGBM writes them: 17 digits, 6 digits, whole. */
static void
numbers(struct asc_buffer *b, const char *key, size_t n, const char *format,
        double size, struct asc_stream *s)
{
    size_t i;

    asc_buffer_text(b, key);
    for (i = 0; i < n; i++) {
        asc_buffer_text(b, i ? " " : "=");
        asc_buffer_print(b, format, size * (asc_stream_uniform(s) - 0.5));
    }
    asc_buffer_char(b, '\n');
}

static void
whole(struct asc_buffer *b, const char *key, size_t n, const long *v)
{
    size_t i;

    asc_buffer_text(b, key);
    for (i = 0; i < n; i++)
        asc_buffer_print(b, "%s%ld", i ? " " : "=", v[i]);
    asc_buffer_char(b, '\n');
}

/* Leaves split at random, as LightGBM numbers them: leaf k becomes node n with
 * leaves k and n + 1. */
static void
write_tree(struct asc_buffer *b, size_t tree, struct asc_stream *s)
{
    static long left[LEAVES], right[LEAVES], feature[LEAVES], kind[LEAVES];
    static long count[LEAVES], *at[LEAVES];
    size_t n, k;

    for (n = 0; n + 1 < LEAVES; n++) {
        k = (size_t)(asc_stream_uniform(s) * (double)(n + 1));
        if (n > 0)
            *at[k] = (long)n;
        left[n] = -1 - (long)k;
        right[n] = -2 - (long)n;
        at[k] = &left[n];
        at[n + 1] = &right[n];
        feature[n] = (long)(asc_stream_uniform(s) * FIELDS);
        kind[n] = asc_stream_uniform(s) < 0.5 ? 8 : 10;
        count[n] = 20 + (long)(asc_stream_uniform(s) * 9000.0);
    }
    count[n] = 20;
    asc_buffer_print(b, "Tree=%zu\nnum_leaves=%d\nnum_cat=0\n", tree,
                     (int)LEAVES);
    whole(b, "split_feature", LEAVES - 1, feature);
    numbers(b, "split_gain", LEAVES - 1, "%.6g", 100.0, s);
    numbers(b, "threshold", LEAVES - 1, "%.17g", 10.0, s);
    whole(b, "decision_type", LEAVES - 1, kind);
    whole(b, "left_child", LEAVES - 1, left);
    whole(b, "right_child", LEAVES - 1, right);
    numbers(b, "leaf_value", LEAVES, "%.17g", 1.0, s);
    numbers(b, "leaf_weight", LEAVES, "%.17g", 100.0, s);
    whole(b, "leaf_count", LEAVES, count);
    numbers(b, "internal_value", LEAVES - 1, "%.6g", 1.0, s);
    numbers(b, "internal_weight", LEAVES - 1, "%.6g", 100.0, s);
    whole(b, "internal_count", LEAVES - 1, count);
    asc_buffer_text(b, "is_linear=0\nshrinkage=0.1\n\n\n");
}

static void
write_model(const char *path)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    struct asc_stream s;
    FILE *f = fopen(path, "w");
    size_t i;

    asc_stream_start(&s, 1, "bench-load", "", 0);
    asc_buffer_print(&b, "tree\nversion=v4\nnum_class=1\n"
                     "num_tree_per_iteration=1\nlabel_index=0\n"
                     "max_feature_idx=%d\nobjective=regression\n"
                     "feature_names=", FIELDS - 1);
    for (i = 0; i < FIELDS; i++)
        asc_buffer_print(&b, "f%zu%s", i, i + 1 < FIELDS ? " " : "\n");
    asc_buffer_text(&b, "feature_infos=");
    for (i = 0; i < FIELDS; i++)
        asc_buffer_print(&b, "[-5:5]%s", i + 1 < FIELDS ? " " : "\n\n");
    for (i = 0; i < TREES && f; i++) {
        write_tree(&b, i, &s);
        if (fwrite(b.p, 1, b.n, f) != b.n)
            die("cannot write the model");
        b.n = 0;
    }
    if (!f || fputs("end of trees\n", f) < 0 || fclose(f))
        die("cannot write the model");
    asc_buffer_free(&b);
}

static void
load(void *context)
{
    struct asc_error e;
    asc_model *m = asc_model_read(context, NULL, &e);

    if (!m)
        die(e.text);
    asc_model_free(m);
}

static int
is_needed(const char *line)
{
    static const char *const key[] = {
        "split_feature=", "threshold=", "decision_type=", "left_child=",
        "right_child=", "leaf_value=", "leaf_count=", "internal_count="
    };
    size_t i;

    for (i = 0; i < sizeof key / sizeof *key; i++)
        if (!strncmp(line, key[i], strlen(key[i])))
            return 1;
    return 0;
}

/* The numbers of these lines, one after the other. */
static void
plain(void *context)
{
    char *line = NULL, *p, *end;
    volatile double last = 0.0;
    size_t capacity = 0;
    FILE *f = fopen(context, "r");

    if (!f)
        die("cannot read the model");
    while (getline(&line, &capacity, f) > 0) {
        if (!is_needed(line))
            continue;
        for (p = strchr(line, '=') + 1;; p = end) {
            const double v = strtod(p, &end);

            if (end == p)
                break;
            last = v;
        }
    }
    (void)last;
    free(line);
    fclose(f);
}

/* Runs in a process of its own; the most memory that it had, in bytes. */
static double
apart(void (*run)(void *), void *context)
{
    struct rusage usage;
    int status;
    pid_t child = fork();

    if (child == 0) {
        run(context);
        _exit(0);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child ||
        status != 0)
        die("a child failed");
    return 1024.0 * (double)usage.ru_maxrss;
}

static void
write_apart(void *context)
{
    write_model(context);
}

static void
nothing(void *context)
{
    (void)context;
}

int
main(void)
{
    char path[] = "/tmp/ascribe-bench-XXXXXX", what[200];
    const int fd = mkstemp(path);
    double size, memory;
    struct timing t;

    if (fd < 0)
        die("cannot make a file");
    apart(write_apart, path);
    size = (double)lseek(fd, 0, SEEK_END);
    close(fd);
    memory = apart(load, path) - apart(nothing, path);
    t = measure(load, plain, path, 0.2);
    unlink(path);
    text(what, "LightGBM text of %.0f MB", 1e-6 * size);
    report_at_least(what, 1e-6 * size / t.a, "MB/s", 50.0);
    report(what, t.ratio, "of strtod() on its numbers");
    report_at_most(what, memory / size, "bytes of memory for each of the file",
                   3.0);
    return 0;
}
