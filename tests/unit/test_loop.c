/* test_loop.c -- the ordered parallel loop: order, failures, bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ascribe/base.h>

enum { NEVER = -1 };

struct block {
    int number;
    int result;
};

struct context {
    int n;                      /* blocks to produce */
    int fail_new, fail_produce, fail_work, fail_consume;        /* at */
    int fail_work_too;          /* a second, later one, that fails sooner */
    int slow;                   /* this block works until others are done */
    int silent;                 /* fail without a word */
    /* seen; not atomic where the loop promises one thread at a time */
    int produced, consumed, made, freed;
    atomic_int producing, consuming, working, in_flight, most_in_flight;
    atomic_int worked, overlaps;
    pthread_t caller;
    atomic_int other_thread;
};

static void
burn(int number)
{
    volatile unsigned sink = 0;
    int i;

    for (i = 0; i < (number * 7919) % 5000; i++)
        sink += (unsigned)i;
    (void)sink;
    if (number % 7 == 0)
        sched_yield();
}

static void *
new_block(void *p, struct asc_error *e)
{
    struct context *c = p;

    if (c->made == c->fail_new) {
        if (!c->silent)
            asc_fail(e, ASC_ESYSTEM, "new %d", c->made);
        return NULL;
    }
    c->made++;
    return calloc(1, sizeof(struct block));
}

static void
free_block(void *p, void *block)
{
    struct context *c = p;

    c->freed++;
    free(block);
}

static int
produce(void *p, void *block, struct asc_error *e)
{
    struct context *c = p;
    struct block *b = block;
    int now;

    if (atomic_fetch_add(&c->producing, 1) > 0)
        atomic_fetch_add(&c->overlaps, 1);
    if (!pthread_equal(pthread_self(), c->caller))
        c->other_thread = 1;
    burn(c->produced);
    b->number = c->produced;
    b->result = 0;
    atomic_fetch_sub(&c->producing, 1);
    if (c->produced == c->fail_produce) {
        if (!c->silent)
            asc_fail(e, ASC_EINPUT, "produce %d", c->produced);
        return -1;
    }
    if (c->produced == c->n)
        return 0;
    c->produced++;
    now = atomic_fetch_add(&c->in_flight, 1) + 1;
    if (now > c->most_in_flight)
        c->most_in_flight = now;
    return 1;
}

static int
work(void *p, void *block, struct asc_error *e)
{
    struct context *c = p;
    struct block *b = block;

    if (!pthread_equal(pthread_self(), c->caller))
        c->other_thread = 1;
    burn(b->number + 1);
    if (b->number == c->slow)
        while (c->worked < 3)
            sched_yield();
    if (b->number == c->fail_work || b->number == c->fail_work_too) {
        if (b->number == c->fail_work)
            usleep(2000);
        if (c->silent)
            return -1;
        return asc_fail(e, ASC_ENUMERIC, "work %d", b->number);
    }
    b->result = b->number * b->number;
    atomic_fetch_add(&c->worked, 1);
    return ASC_OK;
}

static int
consume(void *p, void *block, struct asc_error *e)
{
    struct context *c = p;
    struct block *b = block;

    if (atomic_fetch_add(&c->consuming, 1) > 0)
        atomic_fetch_add(&c->overlaps, 1);
    burn(b->number + 2);
    atomic_fetch_sub(&c->consuming, 1);
    atomic_fetch_sub(&c->in_flight, 1);
    if (b->number == c->fail_consume) {
        if (c->silent)
            return ASC_ESYSTEM;
        return asc_fail(e, ASC_ESYSTEM, "consume %d", b->number);
    }
    if (b->number != c->consumed || b->result != b->number * b->number)
        return asc_fail(e, ASC_EUSAGE, "out of order");
    c->consumed++;
    return ASC_OK;
}

static const struct asc_loop loop = { new_block, free_block, produce, work,
                                      consume };

static void
clear(struct context *c, int n)
{
    memset(c, 0, sizeof *c);
    c->n = n;
    c->fail_new = c->fail_produce = c->fail_work = c->fail_consume = NEVER;
    c->fail_work_too = c->slow = NEVER;
    c->caller = pthread_self();
}

static int
run(struct context *c, unsigned n_threads, struct asc_error *e)
{
    int status = asc_loop_run(&loop, c, n_threads, e);

    assert_int_equal(c->made, c->freed);
    assert_int_equal(c->overlaps, 0);
    if (n_threads > 1)
        assert_true(c->most_in_flight <= (int)(2 * n_threads + 2));
    else
        assert_true(c->most_in_flight <= 1 && !c->other_thread);
    return status;
}

static void
test_order(void **unused)
{
    static const int sizes[] = { 0, 1, 2, 3, 5, 17, 400 };
    struct context c;
    unsigned threads;
    size_t i;

    (void)unused;
    for (threads = 0; threads <= 9; threads++)
        for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            clear(&c, sizes[i]);
            assert_int_equal(run(&c, threads, NULL), ASC_OK);
            assert_int_equal(c.consumed, sizes[i]);
        }
}

static void
test_bounds(void **unused)
{
    struct context c;

    (void)unused;
    /* No more blocks than are needed. */
    clear(&c, 1);
    assert_int_equal(run(&c, 8, NULL), ASC_OK);
    assert_true(c.made <= 2);
    /* While block 0 is not done others go on, but not without end. */
    clear(&c, 300);
    c.slow = 0;
    assert_int_equal(run(&c, 2, NULL), ASC_OK);
    assert_int_equal(c.consumed, 300);
    assert_true(c.made <= 6);
}

static void
expect(struct context *c, unsigned threads, int status, const char *text,
       int consumed)
{
    struct asc_error e = { ASC_OK, "" };

    assert_int_equal(run(c, threads, &e), status);
    assert_int_equal(e.status, status);
    assert_string_equal(e.text, text);
    assert_int_equal(c->consumed, consumed);
}

static void
test_failures(void **unused)
{
    static const int places[] = { 0, 1, 2, 5, 6, 7, 30, 39 };
    struct context c;
    unsigned threads;
    char text[40];
    size_t i;
    int at;

    (void)unused;
    for (threads = 1; threads <= 5; threads++)
        for (i = 0; i < sizeof places / sizeof *places; i++) {
            at = places[i];
            clear(&c, 40);
            c.fail_produce = at;
            snprintf(text, sizeof text, "produce %d", at);
            expect(&c, threads, ASC_EINPUT, text, at);
            clear(&c, 40);
            c.fail_work = at;
            c.fail_work_too = at + 1;
            snprintf(text, sizeof text, "work %d", at);
            expect(&c, threads, ASC_ENUMERIC, text, at);
            clear(&c, 40);
            c.fail_consume = at;
            snprintf(text, sizeof text, "consume %d", at);
            expect(&c, threads, ASC_ESYSTEM, text, at);
            /* Of several the earliest block's. */
            clear(&c, 40);
            c.fail_consume = at;
            c.fail_work = at + 1;
            c.fail_produce = at + 2;
            expect(&c, threads, ASC_ESYSTEM, text, at);
            clear(&c, 40);
            c.fail_work = at;
            c.fail_produce = at + 1;
            snprintf(text, sizeof text, "work %d", at);
            expect(&c, threads, ASC_ENUMERIC, text, at);
        }
    /* Failing to end the input counts as well. */
    clear(&c, 40);
    c.fail_produce = 40;
    expect(&c, 3, ASC_EINPUT, "produce 40", 40);
    clear(&c, 40);
    c.fail_new = 0;
    expect(&c, 1, ASC_ESYSTEM, "new 0", 0);
    clear(&c, 40);
    c.fail_new = 0;
    expect(&c, 3, ASC_ESYSTEM, "new 0", 0);
    clear(&c, 40);
    c.fail_new = 2;
    expect(&c, 2, ASC_ESYSTEM, "new 2", 2);
}

static void
test_silent_failures(void **unused)
{
    static const char text[] = "a step failed and did not say why";
    struct context c;
    unsigned threads;

    (void)unused;
    for (threads = 1; threads <= 3; threads++) {
        clear(&c, 9);
        c.silent = 1;
        c.fail_produce = 4;
        expect(&c, threads, ASC_ESYSTEM, text, 4);
        clear(&c, 9);
        c.silent = 1;
        c.fail_work = 4;
        expect(&c, threads, ASC_ESYSTEM, text, 4);
        clear(&c, 9);
        c.silent = 1;
        c.fail_consume = 4;
        expect(&c, threads, ASC_ESYSTEM, text, 4);
        clear(&c, 9);
        c.silent = 1;
        c.fail_new = 0;
        assert_int_equal(run(&c, threads, NULL), ASC_ESYSTEM);
    }
}

/* Two blocks that each wait until the other is being worked on, and one that
 * is produced while another is worked on and a third consumed. */
struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int produced, working, met;
};

static int
meet_produce(void *p, void *block, struct asc_error *e)
{
    struct meeting *m = p;

    (void)e;
    (void)block;
    return m->produced < 2 ? (m->produced++, 1) : 0;
}

static int
meet_work(void *p, void *block, struct asc_error *e)
{
    struct meeting *m = p;

    (void)e;
    (void)block;
    pthread_mutex_lock(&m->lock);
    m->working++;
    pthread_cond_broadcast(&m->change);
    while (m->working < 2)
        pthread_cond_wait(&m->change, &m->lock);
    pthread_mutex_unlock(&m->lock);
    return ASC_OK;
}

static int
meet_consume(void *p, void *block, struct asc_error *e)
{
    struct meeting *m = p;

    (void)e;
    (void)block;
    m->met++;
    return ASC_OK;
}

static void *
meet_new(void *p, struct asc_error *e)
{
    (void)p;
    (void)e;
    return malloc(1);
}

static void
meet_free(void *p, void *block)
{
    (void)p;
    free(block);
}

static void
test_parallel(void **unused)
{
    static const struct asc_loop meet = { meet_new, meet_free, meet_produce,
                                          meet_work, meet_consume };
    struct meeting m = { .produced = 0 };

    (void)unused;
    alarm(60);
    pthread_mutex_init(&m.lock, NULL);
    pthread_cond_init(&m.change, NULL);
    assert_int_equal(asc_loop_run(&meet, &m, 2, NULL), ASC_OK);
    assert_int_equal(m.met, 2);
    pthread_cond_destroy(&m.change);
    pthread_mutex_destroy(&m.lock);
    alarm(0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_silent_failures),
        cmocka_unit_test(test_parallel)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
