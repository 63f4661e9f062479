/* test_command.c -- programs as models: right ones, and all ways to fail. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/form.h"
#include "temporary.h"

/* y = 2 a + 3 b, in full precision */
#define LINEAR "awk -F'\\t' 'NR == 1 { print \"y\" } " \
    "NR > 1 { printf \"%.17g\\n\", 2 * $1 + 3 * $2 }'"

/* The same as a coprocess; LINE is what is done for a row. */
#define COPROCESS(LINE) "coproc:while read -r line; do " \
    "n=${line#?}; read -r header; echo y; " \
    "while [ $n -gt 0 ]; do read -r a b; " LINE "; n=$((n - 1)); done; done"

static struct asc_error error;

static asc_model *
open_model(const char *spec, const char *fields, double timeout)
{
    struct asc_model_options o = { .fields = fields, .timeout = timeout };
    asc_model *m = asc_model_read(spec, &o, &error);

    if (!m)
        print_message("# %s\n", error.text);
    return m;
}

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int
count_open(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* ---- commands that are right ---- */

static void
test_linear(void **unused)
{
    static const double x[] = { 1, 2, 0.1, -7, 1e-300, 1e300, -0.0, 5, 3, 3 };
    asc_model *m = open_model("cmd:" LINEAR, "a,b", 0);
    double y[5];
    size_t i;

    (void)unused;
    assert_non_null(m);
    assert_int_equal(asc_model_n_outputs(m), 1);
    assert_string_equal(asc_model_output(m, 0), "y");
    assert_false(asc_model_classifier(m));
    assert_false(asc_model_has_link(m));
    assert_int_equal(asc_model_form(m), ASC_FORM_OPAQUE);
    assert_int_equal(asc_model_views(m), 0);
    assert_int_equal(asc_model_schema(m)->n, 2);
    assert_string_equal(asc_model_name(m), "cmd:" LINEAR);
    assert_int_equal(strlen(asc_model_digest(m)), 64);
    assert_int_equal(asc_model_evaluate(m, ASC_RESPONSE, x, 5, y, &error),
                     ASC_OK);
    for (i = 0; i < 5; i++)
        assert_true(y[i] == 2 * x[2 * i] + 3 * x[2 * i + 1]);
    assert_int_equal(asc_model_predict(m, ASC_RAW, x, 5, y, &error), ASC_OK);
    assert_true(y[0] == 8.0);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, NULL, 0, NULL, &error),
                     ASC_OK);
    asc_model_free(m);
}

/* Numbers arrive to the bit, in several batches, with a pipeline as command. */
static void
test_batches(void **unused)
{
    const size_t n = 250001;
    asc_model *m = open_model("cmd:tee /dev/null | cut -f 2", "a,b", 0);
    double *x = malloc(2 * n * sizeof *x), *y = malloc(n * sizeof *y);
    uint64_t state = 1, bits;
    size_t i;

    (void)unused;
    assert_non_null(m);
    assert_true(x && y);
    assert_string_equal(asc_model_output(m, 0), "b");
    for (i = 0; i < 2 * n; i++) {
        do {
            bits = draw(&state);
            memcpy(&x[i], &bits, sizeof bits);
        } while (!isfinite(x[i]));
    }
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, n, y, &error), ASC_OK);
    for (i = 0; i < n; i++)
        assert_true(y[i] == x[2 * i + 1]);
    free(y);
    free(x);
    asc_model_free(m);
}

static void
test_classes(void **unused)
{
    static const double x[] = { 1, 2, 3 };
    struct asc_model_options o = { .fields = "a" };
    asc_model *m;
    double y[9];

    (void)unused;
    m = asc_model_read("cmd:awk 'NR == 1 { print \"no\\tyes\\tnot sure\" } "
                       "NR > 1 { print $1 / 4 \"\\t\" 1 - $1 / 4 \"\\t0\" }'",
                       &o, &error);
    assert_non_null(m);
    assert_true(asc_model_classifier(m) && asc_model_has_probabilities(m));
    assert_int_equal(asc_model_n_outputs(m), 3);
    assert_string_equal(asc_model_output(m, 2), "not sure");
    assert_int_equal(asc_model_evaluate(m, ASC_RESPONSE, x, 3, y, &error),
                     ASC_OK);
    assert_true(y[0] == 0.25 && y[1] == 0.75 && y[2] == 0.0);
    assert_true(y[6] == 0.75 && y[7] == 0.25 && y[8] == 0.0);
    assert_int_equal(asc_model_winner(m, y), 1);
    asc_model_free(m);
    o.raw = 1;
    m = asc_model_read("cmd:printf 'a\\tb\\n'", &o, &error);
    assert_non_null(m);
    assert_true(asc_model_classifier(m) && !asc_model_has_probabilities(m));
    asc_model_free(m);
}

/* CRLF, comments, no end of the last line; missing values both ways. */
static void
test_text(void **unused)
{
    static const double x[] = { NAN, NAN, 2, NAN, 5, 6 };
    asc_model *m = open_model("cmd:cat > /dev/null; "
                              "printf '# by hand\\r\\ny\\r\\n\\r\\nNA\\r\\n7'",
                              "a", 0);
    double y[3];

    (void)unused;
    assert_null(m);             /* three rows for none, or for zeros */
    m = open_model("cmd:awk 'NR == 1 { printf \"# x\\r\\n# y\\r\\nz\" } "
                   "NR > 1 { printf \"\\r\\n%s\", $1 }'", "a", 0);
    assert_non_null(m);
    assert_string_equal(asc_model_output(m, 0), "z");
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x + 2, 3, y, &error),
                     ASC_OK);
    assert_true(y[0] == 2 && isnan(y[1]) && y[2] == 5);
    asc_model_free(m);
    m = open_model("cmd:awk -F'\\t' 'NR == 1 { print \"z\" } NR > 1 "
                   "{ print ($1 == \"\") + 2 * ($2 == \"\") }'", "a,b", 0);
    assert_non_null(m);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 3, y, &error), ASC_OK);
    assert_true(y[0] == 3 && y[1] == 2 && y[2] == 0);
    asc_model_free(m);
}

static void
test_fields(void **unused)
{
    struct asc_model_options o = {
        .columns = "row\tage\tsex\tjob\ttarget", .not_fields = "row,target,x",
        .categorical = "job"
    };
    const struct asc_schema *s;
    asc_model *m;
    double x[3], y[1];

    (void)unused;
    o.background = temporary_file("background.tsv",
                                  "row\tage\tsex\tjob\ttarget\n"
                                  "1\t10\tf\t1\t0\n"
                                  "2\tNA\t?\t2\t0\n"
                                  "3\t1e3\tm\t\t1\n");
    m = asc_model_read("cmd:awk -F'\\t' 'NR == 1 { print \"y\"; h = $0 } "
                       "NR > 1 { print $1 + ($2 == \"f\") / 2 + "
                       "($3 == \"1\") / 4 + (h == \"age\\tsex\\tjob\") / 8 }'",
                       &o, &error);
    if (!m)
        fail_msg("%s", error.text);
    s = asc_model_schema(m);
    assert_int_equal(s->n, 3);
    assert_string_equal(s->field[0].name, "age");
    assert_int_equal(s->field[0].kind, ASC_CONTINUOUS);
    assert_int_equal(s->field[1].kind, ASC_CATEGORICAL);
    assert_int_equal(s->field[2].kind, ASC_CATEGORICAL);
    assert_true(s->field[1].open && s->field[2].open);
    /* The first row of the background was read: f and 1 are there. */
    x[0] = 20;
    assert_int_equal(asc_field_value(&asc_model_open_schema(m)->field[1],
                                     (struct asc_text){ "f", 1 }, "here",
                                     &x[1], &error), ASC_OK);
    assert_int_equal(asc_field_value(&asc_model_open_schema(m)->field[2],
                                     (struct asc_text){ "1", 1 }, "here",
                                     &x[2], &error), ASC_OK);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, y, &error), ASC_OK);
    assert_true(y[0] == 20.875);
    assert_int_equal(asc_field_value(&asc_model_open_schema(m)->field[1],
                                     (struct asc_text){ "new", 3 }, "here",
                                     &x[1], &error), ASC_OK);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, y, &error), ASC_OK);
    assert_true(y[0] == 20.375);
    asc_model_free(m);
}

/* ---- how the names of the outputs are learnt ---- */

/* Fails on a table of no rows. */
#define PICKY "awk -F'\\t' 'NR == 1 { print \"y\" } NR > 1 { print $1 } " \
    "END { if (NR < 2) { print \"no samples\" > \"/dev/stderr\"; exit 4 } }'"

static void
test_names(void **unused)
{
    struct asc_model_options o = { .fields = "a" };
    double x[] = { 3 }, y[1];
    asc_model *m;

    (void)unused;
    /* A row of zeros will do ... */
    m = asc_model_read("cmd:" PICKY, &o, &error);
    assert_non_null(m);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, y, &error), ASC_OK);
    assert_true(y[0] == 3);
    asc_model_free(m);
    /* ... but there is none for categories. */
    o.categorical = "a";
    assert_null(asc_model_read("cmd:" PICKY, &o, &error));
    assert_int_equal(error.status, ASC_ESYSTEM);
    assert_non_null(strstr(error.text, ": exit status 4: no samples; it was "
                           "run without rows to learn the names of its "
                           "outputs: with -b it gets a row of the "
                           "background"));
    /* A background lends one. */
    o.background = temporary_file("background.tsv", "a\nu\nv\n");
    m = asc_model_read("cmd:" PICKY, &o, &error);
    assert_null(m);             /* "u" is no number */
    assert_non_null(strstr(error.text, "\"u\" is not a finite number"));
    o.background = temporary_file("background.tsv", "a\n5\nv\n");
    m = asc_model_read("cmd:" PICKY, &o, &error);
    assert_non_null(m);
    asc_model_free(m);
    /* An empty one lends none. */
    o.background = temporary_file("background.tsv", "a\n");
    assert_null(asc_model_read("cmd:" PICKY, &o, &error));
    assert_non_null(strstr(error.text, "no samples; it was run without rows"));
}

static void
test_options(void **unused)
{
    static const struct {
        const char *spec;
        struct asc_model_options o;
        const char *want;
    } cases[] = {
        { "cmd:", { .fields = "a" },
          "cmd:: there is no command after the colon" },
        { "coproc: ", { .fields = "a" },
          "coproc: : there is no command after the colon" },
        { "cmd:cat", { .fields = NULL },
          "cmd:cat: which columns are its fields? (see --fields)" },
        { "cmd:cat", { .columns = "a\tb", .not_fields = "b,a" },
          "cmd:cat: which columns are its fields? (see --fields)" },
        { "cmd:cat", { .fields = "a,,b" },
          "cmd:cat: one of its fields has no name" },
        { "cmd:cat", { .fields = "age,sex", .categorical = "sexx" },
          "cmd:cat: \"sexx\" is to be categorical and is not one of its "
          "fields; did you mean \"sex\"?" },
        { "cmd:cat", { .fields = "age", .categorical = "occupation" },
          "cmd:cat: \"occupation\" is to be categorical and is not one of its "
          "fields" },
        { "cmd:cat", { .fields = "a", .background = "/dev/null" },
          "/dev/null: the background of a command is read more than once, so "
          "it must be a file" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(asc_model_read(cases[i].spec, &cases[i].o, &error));
        assert_int_equal(error.status, ASC_EUSAGE);
        assert_string_equal(error.text, cases[i].want);
        assert_null(asc_model_read(cases[i].spec, &cases[i].o, NULL));
    }
    assert_null(asc_model_read("cmd:cat", &(struct asc_model_options){
        .fields = "a", .background = "no/such/file" }, &error));
    assert_non_null(strstr(error.text, "no/such/file"));
    assert_null(asc_model_read("cmd:cat", &(struct asc_model_options){
        .fields = "ab", .background = temporary_file("b.tsv", "aa\n1\n") },
        &error));
    assert_non_null(strstr(error.text, "\"ab\""));
    assert_null(asc_model_read("cmd:cat", &(struct asc_model_options){
        .fields = "a,a" }, &error));
    assert_non_null(strstr(error.text, "\"a\""));
}

/* ---- commands that fail: at three rows, after a good start ---- */

/* The command is sound until a file is there; messages do not show all of
 * it. */
static const char *
later(const char *command)
{
    static char text[2000];

    snprintf(text, sizeof text, "if [ ! -e %s ]; then cat >/dev/null; "
             "echo y; exit; fi; : --------------------------------------------"
             "------------------; %s", temporary_path("now"), command);
    return text;
}

static void
fails(const char *command, double timeout, int status, const char *want)
{
    static const double x[] = { 1, 2, 3 };
    char spec[2100];
    const char *end;
    asc_model *m;
    double y[3];

    unlink(temporary_path("now"));
    snprintf(spec, sizeof spec, "cmd:%s", later(command));
    m = open_model(spec, "a", timeout);
    assert_non_null(m);
    temporary_file("now", "");
    assert_int_not_equal(asc_model_evaluate(m, ASC_RAW, x, 3, y, &error),
                         ASC_OK);
    end = strstr(error.text, "...: ");
    assert_non_null(end);
    if (strcmp(end + 5, want) != 0 || (int)error.status != status)
        fail_msg("%s: got %s, want %s", command, end + 5, want);
    asc_model_free(m);
}

static void
test_failures(void **unused)
{
    const int before = count_open();
    const char *pid = temporary_path("pid");
    char command[500], *text;
    double start;
    size_t n;

    (void)unused;
    fails("exit 3", 0, ASC_ESYSTEM, "exit status 3");
    fails("echo oh >&2; echo 'no such table' >&2; echo >&2; exit 1", 0,
          ASC_ESYSTEM, "exit status 1: oh | no such table");
    fails("printf 'no end of line' >&2; exit 2", 0, ASC_ESYSTEM,
          "exit status 2: no end of line");
    fails("sed s/a/y/; echo broken >&2; exit 1", 0, ASC_ESYSTEM,
          "exit status 1 after 3 of 3 rows: broken");
    fails("sed s/a/y/ | head -n 2; exit 9", 0, ASC_ESYSTEM,
          "exit status 9 after 1 of 3 rows");
    fails("kill -9 $$", 0, ASC_ESYSTEM, "killed by signal 9 (Killed)");
    fails("sh -c 'kill -11 $$' 2> /dev/null; exit $?", 0, ASC_ESYSTEM,
          "exit status 139, as of signal 11 (Segmentation fault)");
    fails("cat > /dev/null", 0, ASC_EINPUT, "printed nothing; want a line "
          "that names the outputs, then a row of them for each row");
    fails("echo y", 0, ASC_EINPUT, "printed outputs for 0 of 3 rows");
    fails("echo y; echo 1", 0, ASC_EINPUT,
          "printed outputs for 1 of 3 rows");
    fails("echo y; echo 1; echo 2", 0, ASC_EINPUT, "printed outputs for 2 "
          "of 3 rows (the first line that it prints must name the outputs)");
    fails("sed 's/a/y/'; echo 1", 0, ASC_EINPUT, "printed more rows of "
          "outputs than the 3 that were asked for");
    fails("yes", 0, ASC_EINPUT,
          "row 1 of its outputs, \"y\": \"y\" is not a finite number");
    fails("echo y; yes 1", 0, ASC_EINPUT, "printed more rows of outputs "
          "than the 3 that were asked for");
    fails("echo y; echo 1; echo 4o", 0, ASC_EINPUT,
          "row 2 of its outputs, \"y\": \"4o\" is not a finite number");
    fails("echo y; echo inf", 0, ASC_EINPUT,
          "row 1 of its outputs, \"y\": \"inf\" is not a finite number");
    fails("echo y; echo 0x10", 0, ASC_EINPUT,
          "row 1 of its outputs, \"y\": \"0x10\" is not a finite number");
    fails("echo y; printf '1\\t2\\n'", 0, ASC_EINPUT,
          "row 1 of its outputs has 2 values, want 1 as in its header");
    fails("echo z; seq 3", 0, ASC_EINPUT,
          "its output 1 was called \"y\" and is now called \"z\"");
    fails("printf 'y\\tz\\n'", 0, ASC_EINPUT,
          "the number of its outputs was 1 and is now 2");
    fails("head -c 100000 /dev/zero", 0, ASC_EINPUT, "its output 1 was called "
          "\"y\" and is now called \"\"");
    fails("head -c 20000000 /dev/zero", 0, ASC_EINPUT,
          "printed a line of more than 16777216 bytes");
    fails("nosuchprogram_ 2>/dev/null", 0, ASC_ESYSTEM,
          "exit status 127");
    /* What it leaves behind holds the pipes: nobody waits for that. */
    start = seconds();
    fails("sleep 100 & exit 3", 0, ASC_ESYSTEM, "exit status 3");
    fails("sed s/a/y/; sleep 100 & kill -9 $$", 0, ASC_ESYSTEM,
          "killed by signal 9 (Killed) after 3 of 3 rows");
    fails("echo y; echo 1; sleep 100 & exit 0", 0, ASC_EINPUT,
          "printed outputs for 1 of 3 rows");
    assert_true(seconds() - start < 10);
    /* It stalls: before it reads, after, with its output closed, and with a
     * child of its own. */
    start = seconds();
    fails("sleep 100", 0.2, ASC_ESYSTEM, "not done after 0.2 s (see "
          "--timeout)");
    fails("cat > /dev/null; sleep 100", 0.2, ASC_ESYSTEM,
          "not done after 0.2 s (see --timeout)");
    fails("sed 's/a/y/'; exec >&-; sleep 100", 0.2, ASC_ESYSTEM,
          "not done after 0.2 s (see --timeout)");
    /* It floods, it ignores a request to end, it stalls in two ways. */
    fails("yes >&2", 0.2, ASC_ESYSTEM, "not done after 0.2 s (see "
          "--timeout); its standard error: y | y | y");
    fails("trap '' TERM HUP INT; sleep 100; sleep 100", 0.2, ASC_ESYSTEM,
          "not done after 0.2 s (see --timeout)");
    fails("sed s/a/y/; sleep 0.3; exec >&-; sleep 100", 0.5, ASC_ESYSTEM,
          "not done after 0.5 s (see --timeout)");
    snprintf(command, sizeof command, "sleep 100 & echo $! > %s; wait", pid);
    fails(command, 0.2, ASC_ESYSTEM, "not done after 0.2 s (see --timeout)");
    assert_true(seconds() - start < 20);
    text = temporary_content(pid, &n);
    assert_true(atoi(text) > 1);
    /* Killed, it may be a zombie until init sees to it. */
    for (n = 0; n < 100 && kill(atoi(text), 0) == 0; n++) {
        char state = 'Z', path[64];
        FILE *f;

        snprintf(path, sizeof path, "/proc/%d/stat", atoi(text));
        f = fopen(path, "r");
        if (!f || fscanf(f, "%*d %*s %c", &state) != 1 || state == 'Z')
            n = 1000;
        if (f)
            fclose(f);
        usleep(20000);
    }
    assert_true(n != 100);
    free(text);
    assert_int_equal(count_open(), before);
    assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* What it says on standard error: the last lines, and safe for a terminal. */
static void
test_words(void **unused)
{
    char want[600], x[241];
    size_t n;

    (void)unused;
    fails("printf 'Error in f(x) : no x\\nCalls: g -> f\\nExecution "
          "halted\\n' >&2; exit 1", 0, ASC_ESYSTEM, "exit status 1: Error in "
          "f(x) : no x | Calls: g -> f | Execution halted");
    fails("printf 'Traceback:\\n  File \"m.py\", line 3\\n    f(x)\\n    "
          "^^^^\\n\\nValueError: no\\n' >&2; exit 1", 0, ASC_ESYSTEM, "exit "
          "status 1: File \"m.py\", line 3 | f(x) | ValueError: no");
    fails("printf '1%%\\r20%%\\r100%%\\r\\ndone\\r\\n' >&2; exit 1", 0,
          ASC_ESYSTEM, "exit status 1: 20% | 100% | done");
    fails("printf '\\033[31mred\\033[0m b\\344r \\302\\233 \\303\\244' >&2; "
          "exit 1", 0, ASC_ESYSTEM, "exit status 1: ?[31mred?[0m b?r ?? "
          "\xc3\xa4");
    /* Long lines are cut; of many, the last that fit are shown. */
    memset(x, 'x', sizeof x);
    x[sizeof x - 1] = '\0';
    snprintf(want, sizeof want, "exit status 1: %s... | %s... | end", x, x);
    fails("for i in 1 2 3 4; do head -c 5000 /dev/zero | tr '\\0' x; echo; "
          "done >&2; echo end >&2; exit 1", 0, ASC_ESYSTEM, want);
    n = strlen("exit status 1: ");
    snprintf(want + n, sizeof want - n, "%s... | %s...", x, x);
    fails("for i in 1 2 3 4; do head -c 5000 /dev/zero | tr '\\0' x; echo; "
          "done >&2; exit 1", 0, ASC_ESYSTEM, want);
    /* Where something else is wrong. */
    fails("echo loading >&2; echo y; echo 4o; sleep 100", 0, ASC_EINPUT,
          "row 1 of its outputs, \"y\": \"4o\" is not a finite number; its "
          "standard error: loading");
    fails("echo y; echo 1; echo oops; echo 'cannot go on' >&2; exit 7", 0,
          ASC_ESYSTEM, "exit status 7 after 1 of 3 rows: cannot go on");
    fails("echo 'only two' >&2; echo y; echo 1; echo 2", 0, ASC_EINPUT,
          "printed outputs for 2 of 3 rows (the first line that it prints "
          "must name the outputs); its standard error: only two");
    fails("echo waiting >&2; sleep 100", 0.2, ASC_ESYSTEM, "not done after "
          "0.2 s (see --timeout); its standard error: waiting");
}

static volatile sig_atomic_t n_signals;

static void
count_signal(int s)
{
    (void)s;
    n_signals++;
}

/* Much data, of which the command takes little; much on standard error, much
 * on standard output before anything is read: no deadlock, no signal, no
 * waiting for what a command leaves behind. */
static void
test_pipes(void **unused)
{
    static const char *const good[] = {
        "cmd:head -n 1; [ ! -e %s ] || yes 5 | head -n 90000",
        "cmd:head -n 1; exec 0<&-; [ ! -e %s ] || yes 5 | head -n 90000",
        "cmd:echo a; [ ! -e %s ] || yes 5 | head -n 90000; cat > /dev/null",
        "cmd:yes | head -c 2000000 >&2; sed '1!s/0/5/' # %s",
        "cmd:sed '1!s/0/5/'; yes | head -c 2000000 >&2 # %s",
        "cmd:sed '1!s/0/5/'; sleep 20 >&2 & # %s",
        "cmd:sed '1!s/0/5/'; sleep 20 & # %s",
        "cmd:{ sed '1!s/0/5/'; } 2>&1; (sleep 20; echo 7) & # %s",
    };
    const size_t n = 90000;
    double *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
    struct sigaction count = { .sa_handler = count_signal }, usual;
    const double start = seconds();
    char spec[300];
    asc_model *m;
    size_t i, k;

    (void)unused;
    assert_true(x && y);
    sigaction(SIGPIPE, &count, &usual);
    for (k = 0; k < sizeof good / sizeof *good; k++) {
        unlink(temporary_path("now"));
        snprintf(spec, sizeof spec, good[k], temporary_path("now"));
        m = open_model(spec, "a", 60);
        assert_non_null(m);
        temporary_file("now", "");
        memset(y, 0, n * sizeof *y);
        if (asc_model_evaluate(m, ASC_RAW, x, n, y, &error) != ASC_OK)
            fail_msg("%s", error.text);
        for (i = 0; i < n; i++)
            assert_true(y[i] == 5);
        asc_model_free(m);
    }
    assert_int_equal(n_signals, 0);
    assert_true(seconds() - start < 15);
    sigaction(SIGPIPE, &usual, NULL);
    free(y);
    free(x);
}

/* The host may have closed its standard files, or ignore its children. */
static void
test_odd_hosts(void **unused)
{
    static const double x[] = { 1, 2 };
    int i, status;
    pid_t child;

    (void)unused;
    for (i = 0; i < 3; i++) {
        fflush(NULL);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct asc_model_options o = { .fields = "a,b", .timeout = 20 };
            double y = 0;
            asc_model *m;

            if (i == 0) {
                close(0);
                close(1);
                close(2);
            } else if (i == 1) {
                signal(SIGCHLD, SIG_IGN);
            } else {
                signal(SIGPIPE, SIG_IGN);
            }
            m = asc_model_read("cmd:" LINEAR, &o, &error);
            if (!m || asc_model_evaluate(m, ASC_RAW, x, 1, &y, &error)
                || y != 8.0)
                _exit(1);
            asc_model_free(m);
            m = asc_model_read(COPROCESS("echo $((2 * a + 3 * b))"), &o,
                               &error);
            if (!m || asc_model_evaluate(m, ASC_RAW, x, 1, &y, &error)
                || y != 8.0)
                _exit(2);
            asc_model_free(m);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

/* ---- coprocesses ---- */

static void
test_coprocess(void **unused)
{
    const int before = count_open();
    double x[2000], y[1000], pid;
    asc_model *m;
    size_t i;

    (void)unused;
    m = open_model(COPROCESS("echo $((2 * a + 3 * b))"), "a,b", 20);
    assert_non_null(m);
    for (i = 0; i < 2000; i++)
        x[i] = (double)(i * i % 101);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1000, y, &error),
                     ASC_OK);
    for (i = 0; i < 1000; i++)
        assert_true(y[i] == 2 * x[2 * i] + 3 * x[2 * i + 1]);
    for (i = 0; i < 100; i++) {
        assert_int_equal(asc_model_evaluate(m, ASC_RAW, x + 2 * i, 1, y,
                                            &error), ASC_OK);
        assert_true(y[0] == 2 * x[2 * i] + 3 * x[2 * i + 1]);
    }
    asc_model_free(m);
    /* One thread, one process. */
    m = open_model(COPROCESS("echo $$"), "a,b", 20);
    assert_non_null(m);
    for (i = 0; i < 10; i++) {
        assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 2, y, &error),
                         ASC_OK);
        if (i == 0)
            pid = y[0];
        assert_true(y[0] == pid && y[1] == pid);
    }
    asc_model_free(m);
    assert_true(kill((pid_t)pid, 0) == -1 && errno == ESRCH);
    assert_int_equal(count_open(), before);
}

static void
coprocess_fails(const char *line, double timeout, const char *want)
{
    static const double x[] = { 7, 1, 8, 1, 9, 1 };
    char spec[1000];
    const char *end;
    asc_model *m;
    double y[3];

    /* Sound until its first field is 8. */
    snprintf(spec, sizeof spec, COPROCESS("if [ $a = 8 ]; then %s; else echo "
                                          "$a; fi"), line);
    m = open_model(spec, "a,b", timeout);
    assert_non_null(m);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, y, &error), ASC_OK);
    assert_true(y[0] == 7);
    assert_true(asc_model_evaluate(m, ASC_RAW, x, 3, y, &error) != ASC_OK);
    end = strstr(error.text, "...: ");
    assert_non_null(end);
    assert_string_equal(end + 5, want);
    /* A new process may do better. */
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 1, y, &error), ASC_OK);
    assert_true(y[0] == 7);
    asc_model_free(m);
}

/* One that takes no more input, whatever is left of a batch, and one whose
 * shell ends while something else holds its pipes. */
static void
test_deaf_coprocess(void **unused)
{
    static const char good[] = "coproc:while read l; do read h; echo y; "
        "n=${l#?}; [ $n = 0 ] && continue; while [ $n -gt 0 ]; do read a b; "
        "echo $$; n=$((n - 1)); done; exec 0<&-; sleep 100; done";
    static const char bad[] = "coproc:while read l; do read h; echo y; "
        "n=${l#?}; [ $n = 0 ] && continue; echo 1; exec 0<&-; sleep 100; "
        "done";
    static const char gone[] = "coproc:while read l; do read h; echo y; "
        "[ $l = '#0' ] && continue; echo 1; sleep 100 & exit 4; done";
    const size_t n = 60000;
    const double start = seconds();
    double *x = calloc(2 * n, sizeof *x), *y = calloc(n, sizeof *y), pid;
    asc_model *m;
    int i, status;

    (void)unused;
    assert_true(x && y);
    /* The first batch is answered; for the second it is deaf. */
    m = open_model(good, "a,b", 0);
    assert_non_null(m);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 10, y, &error),
                     ASC_OK);
    pid = y[0];
    for (i = 0; i < 2; i++) {
        status = asc_model_evaluate(m, ASC_RAW, x, 10, y, &error);
        assert_true(status == ASC_OK ? y[0] != pid
                    : strstr(error.text, "closed its standard input after "
                             "0 of 10 rows") != NULL);
    }
    asc_model_free(m);
    m = open_model(bad, "a,b", 0);
    assert_non_null(m);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, n, y, &error),
                     ASC_ESYSTEM);
    assert_non_null(strstr(error.text, "closed its standard input after 1 of "
                           "60000 rows"));
    asc_model_free(m);
    m = open_model(gone, "a,b", 0);
    assert_non_null(m);
    assert_int_equal(asc_model_evaluate(m, ASC_RAW, x, 3, y, &error),
                     ASC_ESYSTEM);
    assert_non_null(strstr(error.text, "exit status 4 after 1 of 3 rows"));
    asc_model_free(m);
    assert_true(seconds() - start < 30);
    assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    free(y);
    free(x);
}

static void
test_coprocess_failures(void **unused)
{
    const double start = seconds();
    struct asc_model_options o = { .fields = "a", .timeout = 0.2 };

    (void)unused;
    coprocess_fails("echo gone >&2; exit 5", 20,
                    "exit status 5 after 1 of 3 rows: gone");
    coprocess_fails("exit 0", 20, "exit status 0 after 1 of 3 rows");
    coprocess_fails("kill -9 $$", 20,
                    "killed by signal 9 (Killed) after 1 of 3 rows");
    coprocess_fails("sleep 100", 0.2, "not done after 0.2 s (see --timeout)");
    coprocess_fails("echo rubbish", 20, "row 2 of its outputs, \"y\": "
                    "\"rubbish\" is not a finite number");
    coprocess_fails("true", 0.3, "not done after 0.3 s (see --timeout)");
    coprocess_fails("printf '1\\n2\\n3\\n4\\n'", 20, "printed more rows of "
                    "outputs than the 3 that were asked for");
    /* One that ends at once, one that does not end with its input, and one
     * that knows nothing of the protocol. */
    assert_null(asc_model_read("coproc:echo no >&2; exit 6", &o, &error));
    assert_non_null(strstr(error.text, "coproc:echo no >&2; exit 6: exit "
                           "status 6 after 0 of 0 rows: no; it was run "
                           "without rows, and with a row of zeros, to learn "
                           "the names of its outputs: with -b it gets a row "
                           "of the background"));
    o.timeout = 20;
    asc_model_free(asc_model_read("coproc:read l; read h; echo y; sleep 100",
                                  &o, &error));
    o.timeout = 0.2;
    assert_null(asc_model_read("coproc:sort", &o, &error));
    assert_non_null(strstr(error.text, "coproc:sort: not done after 0.2 s"));
    assert_true(seconds() - start < 30);
    assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* ---- threads ---- */

enum { THREADS = 4, TIMES = 12 };

struct job {
    const asc_model *coprocess, *command;
    unsigned number;
    int right;
};

static void *
evaluate(void *p)
{
    struct job *j = p;
    double x[10], y[5];
    int i, k, right = 1;

    for (i = 0; i < TIMES; i++) {
        for (k = 0; k < 10; k++)
            x[k] = (double)(j->number * 100 + (unsigned)(i * 10 + k));
        memset(y, 0, sizeof y);
        right &= asc_model_evaluate(i % 4 ? j->coprocess : j->command,
                                    ASC_RAW, x, 5, y, NULL) == ASC_OK;
        for (k = 0; k < 5; k++)
            right &= y[k] == 2 * x[2 * k] + 3 * x[2 * k + 1];
    }
    j->right = right;
    return NULL;
}

static void
test_threads(void **unused)
{
    asc_model *coprocess, *command;
    pthread_t thread[THREADS];
    struct job job[THREADS];
    unsigned i;

    (void)unused;
    coprocess = open_model(COPROCESS("echo $((2 * a + 3 * b))"), "a,b", 60);
    command = open_model("cmd:" LINEAR, "a,b", 60);
    assert_true(coprocess && command);
    for (i = 0; i < THREADS; i++) {
        job[i] = (struct job){ coprocess, command, i, 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, evaluate, &job[i]),
                         0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(job[i].right, 1);
    }
    asc_model_free(command);
    asc_model_free(coprocess);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_pipes),
        cmocka_unit_test(test_odd_hosts),
        cmocka_unit_test(test_coprocess),
        cmocka_unit_test(test_deaf_coprocess),
        cmocka_unit_test(test_coprocess_failures),
        cmocka_unit_test(test_threads)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
