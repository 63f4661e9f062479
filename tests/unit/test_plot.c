/* What asc-plot computes: text for gnuplot, axes, pages, legends, beeswarms,
 * dates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot.h"

static struct plot_figure
figure(enum plot_type type)
{
    struct plot_figure f = { .type = type, .width = 3.3, .size = 8.0,
                             .font = "Helvetica", .title = "" };

    return f;
}

static void
drop(struct plot_figure *f)
{
    asc_buffer_free(&f->head);
    asc_buffer_free(&f->data);
}

static void
quoted(const char *text, int latex, const char *want)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };

    plot_quote(&b, text, latex);
    asc_buffer_char(&b, '\0');
    assert_string_equal(b.p, want);
    asc_buffer_free(&b);
}

static void
quoting(void **state)
{
    (void)state;
    quoted("age", 0, "'age'");
    quoted("", 0, "''");
    quoted("`rm` \"$(rm)\" @x \\", 0, "'`rm` \"$(rm)\" @x \\'");
    quoted("it's", 0, "'it'.\"\\047\".'s'");
    quoted("''", 0, "''.\"\\047\".''.\"\\047\".''");
    quoted("5 %", 0, "'5 %'");
    quoted("a\nb\tc\x01", 0, "'a?b?c?'");
    quoted("\xCF\x86 \xE2\x88\x92 \xF0\x9F\x8E\xB2", 0,
           "'\xCF\x86 \xE2\x88\x92 \xF0\x9F\x8E\xB2'");
    /* not UTF-8: lone bytes, overlong, a surrogate, cut off */
    quoted("\xFF\x80z\xC0\xAF\xED\xA0\x80\xE2\x88", 0,
           "'?" "?z?" "?" "?" "?" "?" "?" "?'");
    quoted("\\x{_}^~ $1 & 5 % #|<\">'`", 1,
           "'\\textbackslash{}x\\{\\_\\}\\textasciicircum{}"
           "\\textasciitilde{} \\$1 \\& 5 \\% \\#\\textbar{}\\textless{}"
           "\\textquotedbl{}\\textgreater{}\\textquotesingle{}"
           "\\textasciigrave{}'");
}

static void
shortened(const char *text, size_t most, const char *want)
{
    char *got = plot_shorten(text, most);

    assert_string_equal(got, want);
    free(got);
}

static void
shortening(void **state)
{
    (void)state;
    shortened("age", 5, "age");
    shortened("abcdefghij", 10, "abcdefghij");
    shortened("abcdefghijk", 10, "abcdef\xE2\x80\xA6ijk");
    shortened("\xCF\x86\xCF\x86\xCF\x86\xCF\x86\xCF\x86\xCF\x86", 4,
              "\xCF\x86\xCF\x86\xE2\x80\xA6\xCF\x86");
}

static void
plain_labels(void **state)
{
    static const char *const given[] = {
        "tree-shap", "lime:background=7836f85c",
        "kernel-shap:samples=100:background=7836f85c",
        "kernel-shap:samples=200:background=7836f85c",
        "kernel-shap:background=7836f85c", "12:30", ":a=1", "x:=1"
    };
    static const char *const want[] = {
        "tree-shap", "lime", "kernel-shap:samples=100",
        "kernel-shap:samples=200", "kernel-shap", "12:30", ":a=1", "x:=1"
    };
    enum { N = sizeof given / sizeof *given };
    char **text = calloc(N, sizeof *text);
    size_t i;

    (void)state;
    for (i = 0; i < N; i++)
        text[i] = strdup(given[i]);
    assert_int_equal(plot_plain(text, N), 1);
    for (i = 0; i < N; i++)
        assert_string_equal(text[i], want[i]);
    plot_labels_free(text, N);
}

/* What differs is shown; of a single panel, its last key. */
static void
key_labels(void **state)
{
    static char *two[] = {
        (char *)"gbm\tlime:seed=2\tyes", (char *)"mlp\tlime:seed=2\tyes"
    };
    static char *one[] = { (char *)"yes\ttau-b:x=1" };
    struct plot_keys k = { .n = 3, .combination = { 2, 0, two } };
    char **label = plot_keys_labels(&k);

    (void)state;
    assert_string_equal(label[0], "gbm");
    assert_string_equal(label[1], "mlp");
    plot_labels_free(label, 2);
    k = (struct plot_keys){ .n = 2, .combination = { 1, 0, one } };
    label = plot_keys_labels(&k);
    assert_string_equal(label[0], "tau-b");
    plot_labels_free(label, 1);
}

static void
p_values(void **state)
{
    static const struct { double p; const char *text; } want[] = {
        { 0.0002, "<0.001" }, { 0.001, "0.001" }, { 0.0324, "0.032" },
        { 0.25, "0.25" }, { 1.0, "1.00" }, { NAN, "" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof want / sizeof *want; i++) {
        struct asc_buffer b = { NULL, 0, 0, 0 };

        plot_p_value(want[i].p, &b);
        asc_buffer_char(&b, '\0');
        assert_string_equal(b.p, want[i].text);
        asc_buffer_free(&b);
    }
}

static void
names(void **state)
{
    struct plot_names s = { 0, 0, NULL };
    struct asc_text a = { "lime", 4 }, b = { "lime2", 5 }, none = { "", 0 };

    (void)state;
    assert_int_equal(plot_name(&s, a), 0);
    assert_int_equal(plot_name(&s, b), 1);
    assert_int_equal(plot_name(&s, none), 2);
    assert_int_equal(plot_name(&s, b), 1);
    assert_int_equal(plot_name(&s, a), 0);
    assert_int_equal(plot_name(&s, a), 0);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.v[1], "lime2");
    plot_names_free(&s);
}

/* Whatever the range and the length: labels of neighbouring tics do not
 * touch, and a short axis still has one tic inside. */
static void
axes(void **state)
{
    struct plot_figure f = figure(PLOT_PDF);
    struct plot_axis a;
    struct asc_stream s;
    size_t trial;

    (void)state;
    asc_stream_start(&s, 1, "test", "axes", 4);
    for (trial = 0; trial < 2000; trial++) {
        const double size = pow(10, 12 * asc_stream_uniform(&s) - 6);
        const double lo = size * (2 * asc_stream_uniform(&s) - 1);
        const double hi = lo + size * asc_stream_uniform(&s) + 1e-3 * size;
        const double inches = 0.5 + 3 * asc_stream_uniform(&s);
        double k, tic, mantissa;
        char text[64];

        plot_axis(&a, &f, lo, hi, inches);
        assert_true(a.lo == lo && a.hi == hi && a.step > 0);
        mantissa = a.step / pow(10, floor(log10(a.step * (1 + 1e-9))));
        assert_true(fabs(mantissa - 1) < 1e-6 || fabs(mantissa - 2) < 1e-6
                    || fabs(mantissa - 5) < 1e-6);
        for (k = ceil(lo / a.step); k * a.step <= hi; k++) {
            tic = k * a.step;
            if (strcmp(a.format, "%g") == 0)
                snprintf(text, sizeof text, "%g", tic);
            else
                snprintf(text, sizeof text, "%.*f", a.format[2] - '0', tic);
            if (tic + a.step <= hi)
                assert_true(plot_text_width(&f, text)
                            < inches * a.step / (hi - lo));
        }
    }
    plot_axis(&a, &f, 0, 1, 2.2);
    assert_true(fabs(a.step - 0.2) < 1e-12);
    assert_string_equal(a.format, "%.1f");
    /* one tic alone has no scale: less air then */
    plot_axis(&a, &f, -0.4, 0.49, 1.5);
    assert_true(a.step < 0.5);
    plot_axis(&a, &f, 3, 3, 2);
    assert_true(a.lo < 3 && a.hi > 3);
    plot_axis(&a, &f, 0, 0, 2);
    assert_true(a.lo == -1 && a.hi == 1);
}

static const char *
line_of(const struct plot_figure *f, const char *name)
{
    const char *p = strstr(f->head.p, name);

    assert_non_null(p);
    return p;
}

static void
pages(void **state)
{
    struct plot_figure f = figure(PLOT_PDF);
    struct plot_page p = { .n = 5, .left = 1.0, .right = 0.1, .gap = 0.2,
                           .strip = 0.2, .below = 0.2, .foot = 0.2,
                           .inside = 1.0 };
    struct asc_error e;
    double left, right;

    (void)state;
    plot_page_columns(&p, &f, 0.75);
    /* 2.2 inches hold two panels of .75 and a gap; five make 3 rows */
    assert_int_equal(p.columns, 2);
    assert_int_equal(p.rows, 3);
    assert_int_equal(plot_page_set(&p, &f, 0.5, &e), ASC_OK);
    asc_buffer_char(&f.head, '\0');
    /* three rows of 1.4, the foot, and a third of a line at the top */
    assert_true(fabs(f.height - (3 * 1.4 + 0.2 + 0.04)) < 1e-9);
    assert_int_equal(sscanf(line_of(&f, "LEFT"), "LEFT[5] = [%lf, %lf",
                            &left, &right), 2);
    assert_true(fabs(left - 1.0 / 3.3) < 1e-5);
    assert_true(fabs(right - 2.2 / 3.3) < 1e-5);
    drop(&f);

    /* four in three columns would leave one alone */
    f = figure(PLOT_PDF);
    p.n = 4;
    plot_page_columns(&p, &f, 0.5);
    assert_int_equal(p.columns, 2);

    f.height = 1.0;
    assert_int_equal(plot_page_set(&p, &f, 0.5, &e), ASC_EUSAGE);
    assert_string_equal(e.text, "--height: 1in is too low; this figure needs "
                        "2.04in");
    f.height = 4.0;
    assert_int_equal(plot_page_set(&p, &f, 0.5, &e), ASC_OK);
    assert_true(fabs(p.inside - (4.0 - 0.04 - 0.2 - 0.8) / 2) < 1e-9);
    p.left = 3.1;
    p.n = 1;
    plot_page_columns(&p, &f, 0.5);
    assert_int_equal(plot_page_set(&p, &f, 0.5, &e), ASC_EUSAGE);
    drop(&f);
}

static void
legends(void **state)
{
    static char *const name[] = {
        (char *)"tree-shap", (char *)"kernel-shap:samples=2048",
        (char *)"lime", (char *)"occlusion", (char *)"integrated-gradients"
    };
    struct plot_figure f = figure(PLOT_PDF);
    double x[5], y[5], sample, width;
    size_t i, j;

    (void)state;
    f.height = 3.0;
    plot_legend_set(&f, name, 5);
    asc_buffer_char(&f.head, '\0');
    assert_int_equal(sscanf(line_of(&f, "KEYX"),
                            "KEYX[5] = [%lf, %lf, %lf, %lf, %lf]", x, x + 1,
                            x + 2, x + 3, x + 4), 5);
    assert_int_equal(sscanf(line_of(&f, "KEYY"),
                            "KEYY[5] = [%lf, %lf, %lf, %lf, %lf]", y, y + 1,
                            y + 2, y + 3, y + 4), 5);
    assert_int_equal(sscanf(line_of(&f, "KEYSAMPLE"), "KEYSAMPLE = %lf",
                            &sample), 1);
    for (i = 0; i < 5; i++) {
        assert_true(y[i] * f.height < plot_legend_height(&f, name, 5));
        assert_true(x[i] >= 0.0 && y[i] > 0.0);
        for (j = 0; j < 5; j++) {
            if (i == j || y[i] != y[j] || x[i] > x[j])
                continue;
            width = 1.3 * sample + plot_text_width(&f, name[i]) / f.width;
            assert_true(x[i] + width < x[j]);
        }
        width = 1.3 * sample + plot_text_width(&f, name[i]) / f.width;
        assert_true(x[i] + width < 1.0);
    }
    drop(&f);
}

/* ---- beeswarms ---- */

static void
swarm(const double *x, size_t n, double diameter, double *y)
{
    size_t *order = calloc(n + 1, sizeof *order), i, j;
    struct asc_error e;

    for (i = 0; i < n; i++)
        order[i] = i;
    assert_int_equal(plot_swarm(x, order, n, diameter, y, &e), ASC_OK);
    for (i = 0; i < n; i++)
        for (j = 0; j < i; j++)
            if (hypot(x[i] - x[j], y[i] - y[j]) < diameter * (1 - 1e-9))
                fail_msg("discs %zu and %zu overlap", i, j);
    free(order);
}

static int
compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}

static void
swarms_never_overlap(void **state)
{
    enum { N = 400 };
    struct asc_stream s;
    double x[N], y[N];
    size_t trial, i;

    (void)state;
    asc_stream_start(&s, 2, "test", "swarm", 5);
    for (trial = 0; trial < 12; trial++) {
        for (i = 0; i < N; i++)
            x[i] = trial % 3 == 0 ? asc_stream_uniform(&s)
                : trial % 3 == 1 ? 0.1 * asc_stream_normal(&s)
                : 0.02 * (double)asc_stream_below(&s, 7);
        qsort(x, N, sizeof *x, compare);
        swarm(x, N, 0.01 + 0.01 * (double)(trial / 3), y);
    }
}

static void
swarms_by_hand(void **state)
{
    static const double far[] = { 0, 1, 2 }, same[] = { 5, 5, 5, 5 };
    static const double touch[] = { 0, 1 }, near[] = { 0, 0.6 };
    double y[4];

    (void)state;
    swarm(far, 3, 1.0, y);
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0);
    /* a column that grows up and down in turn */
    swarm(same, 4, 1.0, y);
    assert_true(y[0] == 0 && y[1] == 1 && y[2] == -1 && y[3] == 2);
    swarm(touch, 2, 1.0, y);
    assert_true(y[1] == 0);
    swarm(near, 2, 1.0, y);
    assert_true(fabs(fabs(y[1]) - 0.8) < 1e-15);
    swarm(near, 0, 1.0, y);
}

/* Every disc is as near to 0 as those before it let it: moved towards 0 by a
 * little, it would overlap one of them. */
static void
swarms_are_tight(void **state)
{
    enum { N = 300 };
    struct asc_stream s;
    double x[N], y[N];
    size_t i, j;

    (void)state;
    asc_stream_start(&s, 3, "test", "tight", 5);
    for (i = 0; i < N; i++)
        x[i] = asc_stream_normal(&s);
    qsort(x, N, sizeof *x, compare);
    swarm(x, N, 0.05, y);
    for (i = 0; i < N; i++) {
        const double moved = y[i] * (1 - 1e-6);
        int hit = y[i] == 0.0;

        for (j = 0; j < i && !hit; j++)
            hit = hypot(x[i] - x[j], moved - y[j]) < 0.05;
        assert_true(hit);
    }
}

/* ---- dates ---- */

static void
dates(void **state)
{
    static const char pdf[] = "%PDF-1.5\n<< /CreationDate "
        "(D:20261125023522Z)\n/ModDate (D:20261125023522+01'00)\n>> "
        "20261125023522\n";
    static const char pdf_then[] = "%PDF-1.5\n<< /CreationDate "
        "(D:19700102000001Z)\n/ModDate (D:19700102000001+00'00)\n>> "
        "20261125023522\n";
    static const char eps[] = "%!PS-Adobe-3.0\n%%CreationDate: Wed Nov 25 "
        "02:56:53 2026\n%%Pages: 1\n";
    static const char eps_then[] = "%!PS-Adobe-3.0\n%%CreationDate: Fri Jan  2 "
        "00:00:01 1970\n%%Pages: 1\n";
    static const char tikz[] = "\\begin{tikzpicture}\n%% generated with "
        "GNUPLOT 5.4p4 (Lua 5.4; terminal rev.)\n%% Wed Nov 25 02:56:53 2026\n"
        "x\n";
    static const char tikz_then[] = "\\begin{tikzpicture}\n%% generated with "
        "GNUPLOT 5.4p4 (Lua 5.4; terminal rev.)\n%% Fri Jan  2 00:00:01 1970\n"
        "x\n";
    char text[256];

    (void)state;
    memcpy(text, pdf, sizeof pdf);
    plot_set_dates(text, sizeof pdf - 1, 86401);
    assert_string_equal(text, pdf_then);
    memcpy(text, eps, sizeof eps);
    plot_set_dates(text, sizeof eps - 1, 86401);
    assert_string_equal(text, eps_then);
    memcpy(text, tikz, sizeof tikz);
    plot_set_dates(text, sizeof tikz - 1, 86401);
    assert_string_equal(text, tikz_then);
    /* cut short, or nothing at all */
    memcpy(text, pdf, sizeof pdf);
    plot_set_dates(text, 40, 0);
    assert_memory_equal(text, pdf, 40);
    plot_set_dates(text, 0, 0);
    plot_set_dates(NULL, 0, 0);
}

static void
no_gnuplot(void **state)
{
    struct asc_buffer script = { NULL, 0, 0, 0 }, out = { NULL, 0, 0, 0 };
    const char *path = getenv("PATH");
    char *kept = strdup(path ? path : "");
    struct asc_error e;
    int status;

    (void)state;
    asc_buffer_text(&script, "print 1\n");
    setenv("PATH", "/nonexistent", 1);
    status = plot_run(&script, NULL, &out, NULL, &e);
    setenv("PATH", kept, 1);
    assert_int_equal(status, ASC_ESYSTEM);
    assert_string_equal(e.text, "gnuplot is not installed: install "
                        "gnuplot-nox (apt-get install gnuplot-nox), or take "
                        "the script with --script");
    assert_int_equal(out.n, 0);
    asc_buffer_free(&script);
    asc_buffer_free(&out);
    free(kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting),
        cmocka_unit_test(shortening),
        cmocka_unit_test(plain_labels),
        cmocka_unit_test(key_labels),
        cmocka_unit_test(p_values),
        cmocka_unit_test(names),
        cmocka_unit_test(axes),
        cmocka_unit_test(pages),
        cmocka_unit_test(legends),
        cmocka_unit_test(swarms_never_overlap),
        cmocka_unit_test(swarms_by_hand),
        cmocka_unit_test(swarms_are_tight),
        cmocka_unit_test(dates),
        cmocka_unit_test(no_gnuplot)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
