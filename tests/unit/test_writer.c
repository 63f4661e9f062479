/* Writing: what is there, when, under which name, and what goes wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <ascribe/table.h>

#include "temporary.h"

static int
put(asc_writer *w, const char *text, size_t n, struct asc_error *e)
{
    struct asc_buffer b = { NULL, 0, 0, 0 };
    int status;

    asc_buffer_add(&b, text, n);
    status = asc_writer_put(w, &b, e);
    assert_int_equal(b.n, 0);
    asc_buffer_free(&b);
    return status;
}

static size_t
files(void)
{
    DIR *d = opendir(temporary_dir);
    size_t n = 0;

    while (d && readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void
assert_content(const char *path, const char *want)
{
    size_t n;
    char *p = temporary_content(path, &n);

    assert_string_equal(p, want);
    free(p);
}

static asc_writer *
open_writer(const char *path)
{
    struct asc_error e = { ASC_OK, "" };
    asc_writer *w = asc_writer_open(path, &e);

    if (!w)
        fail_msg("%s", e.text);
    return w;
}

static void
test_complete(void **state)
{
    const char *path = temporary_path("out");
    struct asc_error e = { ASC_OK, "" };
    const mode_t mask = umask(027);
    asc_writer *w = open_writer(path);
    struct stat st;

    (void)state;
    assert_int_equal(put(w, "one\n", 4, &e), ASC_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(put(w, "two\n", 4, &e), ASC_OK);
    assert_int_equal(asc_writer_close(w, &e), ASC_OK);
    assert_content(path, "one\ntwo\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(files(), 1);

    /* the old content stays until the new is complete, permissions for good */
    assert_int_equal(chmod(path, 0604), 0);
    w = open_writer(path);
    assert_int_equal(put(w, "new\n", 4, &e), ASC_OK);
    assert_content(path, "one\ntwo\n");
    assert_int_equal(asc_writer_close(w, &e), ASC_OK);
    assert_content(path, "new\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0604);

    /* dropped */
    w = open_writer(path);
    assert_int_equal(put(w, "bad\n", 4, &e), ASC_OK);
    asc_writer_abandon(w);
    assert_content(path, "new\n");
    assert_int_equal(files(), 1);
    w = open_writer(temporary_path("never"));
    asc_writer_abandon(w);
    assert_int_equal(files(), 1);
    asc_writer_abandon(NULL);

    /* nothing put: an empty file */
    w = open_writer(path);
    assert_int_equal(asc_writer_close(w, &e), ASC_OK);
    assert_content(path, "");
    unlink(path);
    umask(mask);
}

static void
test_link(void **state)
{
    const char *path = temporary_path("real"), *name = temporary_path("link");
    struct asc_error e = { ASC_OK, "" };
    struct stat st;
    asc_writer *w;

    (void)state;
    temporary_file("real", "old");
    assert_int_equal(symlink(path, name), 0);
    w = open_writer(name);
    assert_int_equal(put(w, "new", 3, &e), ASC_OK);
    assert_int_equal(asc_writer_close(w, &e), ASC_OK);
    assert_int_equal(lstat(name, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_content(path, "new");
    unlink(name);
    unlink(path);
}

/* Pieces of many sizes come out whole and in order. */
static void
test_pieces(void **state)
{
    const char *path = temporary_path("pieces");
    struct asc_buffer all = { NULL, 0, 0, 0 };
    struct asc_error e = { ASC_OK, "" };
    asc_writer *w = open_writer(path);
    uint64_t seed = 5;
    size_t i, n;
    char *piece = malloc(300000), *got;

    (void)state;
    assert_non_null(piece);
    for (i = 0; i < 200; i++) {
        const size_t length = draw_below(&seed, i % 10 ? 3000 : 300000);

        for (n = 0; n < length; n++)
            piece[n] = (char)('a' + draw_below(&seed, 26));
        asc_buffer_add(&all, piece, length);
        assert_int_equal(put(w, piece, length, &e), ASC_OK);
    }
    assert_int_equal(asc_writer_close(w, &e), ASC_OK);
    got = temporary_content(path, &n);
    assert_int_equal(n, all.n);
    assert_memory_equal(got, all.p, n);
    free(got);
    free(piece);
    asc_buffer_free(&all);
    unlink(path);
}

static void
test_failures(void **state)
{
    struct asc_buffer failed = { NULL, 0, 0, 1 };
    struct asc_error e = { ASC_OK, "" };
    char path[300], want[400];
    asc_writer *w;

    (void)state;
    snprintf(path, sizeof path, "%s/x/out", temporary_path("absent"));
    assert_null(asc_writer_open(path, &e));
    assert_int_equal(e.status, ASC_ESYSTEM);
    snprintf(want, sizeof want, "%s: cannot be written: No such file or "
             "directory", path);
    assert_string_equal(e.text, want);
    assert_null(asc_writer_open("/tmp", &e));
    assert_string_equal(e.text, "/tmp: cannot be written: Is a directory");

    /* text that did not fit into memory never becomes a file */
    snprintf(path, sizeof path, "%s", temporary_path("out"));
    w = open_writer(path);
    assert_int_equal(put(w, "one\n", 4, &e), ASC_OK);
    assert_int_equal(asc_writer_put(w, &failed, &e), ASC_ESYSTEM);
    snprintf(want, sizeof want, "%s: Cannot allocate memory", path);
    assert_string_equal(e.text, want);
    assert_int_equal(asc_writer_close(w, &e), ASC_ESYSTEM);
    assert_int_equal(files(), 0);
    assert_int_equal(asc_writer_broken_pipe(&e), 0);
}

static void
test_full(void **state)
{
    struct asc_error e = { ASC_OK, "" };
    char *large = calloc(1, 1 << 18);
    asc_writer *w;

    (void)state;
    assert_non_null(large);
    if (access("/dev/full", W_OK)) {
        print_message("# /dev/full is not there: skipped\n");
        free(large);
        skip();
    }
    w = open_writer("/dev/full");
    assert_int_equal(put(w, "one\n", 4, &e), ASC_OK);
    assert_int_equal(asc_writer_close(w, &e), ASC_ESYSTEM);
    assert_string_equal(e.text, "/dev/full: No space left on device");
    w = open_writer("/dev/full");
    assert_int_equal(put(w, large, 1 << 18, &e), ASC_ESYSTEM);
    /* and ever after */
    assert_int_equal(put(w, "x", 1, &e), ASC_ESYSTEM);
    assert_string_equal(e.text, "/dev/full: No space left on device");
    assert_int_equal(asc_writer_broken_pipe(&e), 0);
    asc_writer_abandon(w);
    assert_int_equal(access("/dev/full", W_OK), 0);
    free(large);
}

static void
test_broken_pipe(void **state)
{
    const char *path = temporary_path("pipe");
    struct asc_error e = { ASC_OK, "" };
    asc_writer *w;
    int reader;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(mkfifo(path, 0600), 0);
    reader = open(path, O_RDONLY | O_NONBLOCK);
    w = open_writer(path);
    assert_int_equal(put(w, "one\n", 4, &e), ASC_OK);
    close(reader);
    assert_int_equal(asc_writer_close(w, &e), ASC_ESYSTEM);
    assert_int_equal(asc_writer_broken_pipe(&e), 1);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    signal(SIGPIPE, SIG_DFL);
}

/* Reads from the other end of a pipe, slowly at first. */
static void *
drain(void *p)
{
    static char got[1 << 20];
    const int fd = *(int *)p;
    ssize_t n;
    size_t all = 0;

    usleep(20000);
    while ((n = read(fd, got + all, sizeof got - all)) > 0)
        all += (size_t)n;
    got[all] = '\0';
    return got;
}

/* Standard output, being a pipe that does not block; it stays open. */
static void
test_standard(void **state)
{
    struct asc_error e = { ASC_OK, "" };
    int ends[2], saved, status = 0;
    char *large = malloc(500000);
    size_t i, wrong = 0;
    pthread_t thread;
    asc_writer *w;
    void *got;

    (void)state;
    assert_non_null(large);
    for (i = 0; i < 500000; i++)
        large[i] = (char)('a' + i % 23);
    fflush(stdout);
    assert_int_equal(pipe(ends), 0);
    saved = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    pthread_create(&thread, NULL, drain, &ends[0]);
    w = asc_writer_open(NULL, &e);
    status |= put(w, large, 300000, &e);
    status |= asc_writer_close(w, &e);
    w = asc_writer_open("-", &e);
    status |= put(w, large + 300000, 200000, &e);
    status |= asc_writer_close(w, &e);
    dup2(saved, STDOUT_FILENO);
    pthread_join(thread, &got);
    /* closed altogether */
    close(STDOUT_FILENO);
    w = asc_writer_open(NULL, &e);
    wrong += put(w, "x", 1, &e) != ASC_OK;
    wrong += asc_writer_close(w, &e) != ASC_ESYSTEM;
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[0]);
    assert_int_equal(status, ASC_OK);
    assert_int_equal(wrong, 0);
    assert_string_equal(e.text, "standard output: Bad file descriptor");
    assert_int_equal(strlen(got), 500000);
    assert_memory_equal(got, large, 500000);
    free(large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_broken_pipe),
        cmocka_unit_test(test_standard)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
