/* base/loop.c -- the ordered parallel loop over blocks.
 *
 * n threads, the caller's own among them, all do the same: take the most
 * urgent thing that can be done now and do it.  Consuming the next block in
 * order comes first, for it frees a block; then producing, as long as fewer
 * blocks wait for work than there are threads; then work.  So no thread is
 * tied to reading or writing, two threads on two processors are both busy, and
 * reading runs ahead of work by a bounded number of blocks: 2 a thread and 2.
 * Blocks are made when they are first needed.
 *
 * Blocks are numbered as they are produced.  `stop` is the number of the first
 * block that failed (or of the first that will never be): only blocks before
 * it are still worked on and consumed, so that the outcome is that of a plain
 * loop whatever the threads do.  One lock guards all; it is taken three times
 * a block. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/internal.h"

struct slot {
    void *block;                /* NULL: not made yet */
    int worked;                 /* done by work(), not yet consumed */
};

struct run {
    const struct asc_loop *loop;
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t change;
    unsigned n_threads;
    size_t n_slots;
    struct slot *slot;          /* (n_slots) block i is in slot i % n_slots */
    uint64_t produced;          /* blocks produced so far */
    uint64_t taken;             /* blocks before it have been taken for work */
    uint64_t consumed;          /* blocks before it are consumed */
    int producing, consuming;
    uint64_t stop;
    int status;
    struct asc_error error;     /* of block `stop` */
};

/* The status of a callback that failed; it may have returned -1, or not have
 * filled its error. */
static int
failure(int returned, struct asc_error *e)
{
    if (e->status == ASC_OK)
        asc_fail(e, returned > 0 ? (enum asc_status)returned : ASC_ESYSTEM,
                 "a step failed and did not say why");
    return (int)e->status;
}

static void
fail(struct run *r, uint64_t number, int status, const struct asc_error *e)
{
    if (number < r->stop) {
        r->stop = number;
        r->status = status;
        r->error = *e;
    }
}

/* Fills the next block: 1, 0 or -1 as asc_loop.produce. */
static int
produce(const struct asc_loop *loop, void *context, struct slot *s,
        struct asc_error *e)
{
    if (!s->block)
        s->block = loop->new_block(context, e);
    return s->block ? loop->produce(context, s->block, e) : -1;
}

static int
can_consume(const struct run *r)
{
    return !r->consuming && r->consumed < r->produced && r->consumed < r->stop
           && r->slot[r->consumed % r->n_slots].worked;
}

static int
can_produce(const struct run *r)
{
    return !r->producing && r->stop == UINT64_MAX
           && r->produced - r->consumed < r->n_slots;
}

static int
can_work(const struct run *r)
{
    return r->taken < r->produced && r->taken < r->stop;
}

/* Nothing is left to be done, by this thread or by another. */
static int
over(const struct run *r)
{
    return r->stop != UINT64_MAX && !r->producing && r->consumed >= r->stop;
}

static void
do_consume(struct run *r)
{
    const uint64_t number = r->consumed;
    struct slot *s = &r->slot[number % r->n_slots];
    struct asc_error e = { ASC_OK, "" };
    int status;

    r->consuming = 1;
    pthread_mutex_unlock(&r->lock);
    status = r->loop->consume(r->context, s->block, &e);
    pthread_mutex_lock(&r->lock);
    r->consuming = 0;
    if (status != ASC_OK) {
        fail(r, number, failure(status, &e), &e);
        return;
    }
    s->worked = 0;
    r->consumed++;
}

static void
do_produce(struct run *r)
{
    const uint64_t number = r->produced;
    struct slot *s = &r->slot[number % r->n_slots];
    struct asc_error e = { ASC_OK, "" };
    int got;

    r->producing = 1;
    pthread_mutex_unlock(&r->lock);
    got = produce(r->loop, r->context, s, &e);
    pthread_mutex_lock(&r->lock);
    r->producing = 0;
    if (got > 0)
        r->produced++;
    else if (got < 0)
        fail(r, number, failure(got, &e), &e);
    else if (number < r->stop)
        r->stop = number;
}

static void
do_work(struct run *r)
{
    const uint64_t number = r->taken;
    struct slot *s = &r->slot[number % r->n_slots];
    struct asc_error e = { ASC_OK, "" };
    int status;

    r->taken++;
    pthread_mutex_unlock(&r->lock);
    status = r->loop->work(r->context, s->block, &e);
    pthread_mutex_lock(&r->lock);
    s->worked = 1;
    if (status != ASC_OK)
        fail(r, number, failure(status, &e), &e);
}

static void *
thread(void *p)
{
    struct run *r = p;

    pthread_mutex_lock(&r->lock);
    while (!over(r)) {
        if (can_consume(r))
            do_consume(r);
        else if (can_produce(r) && r->produced - r->taken < r->n_threads)
            do_produce(r);
        else if (can_work(r))
            do_work(r);
        else {
            pthread_cond_wait(&r->change, &r->lock);
            continue;
        }
        pthread_cond_broadcast(&r->change);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static int
run_alone(const struct asc_loop *loop, void *context, struct asc_error *out)
{
    struct slot s = { NULL, 0 };
    struct asc_error e = { ASC_OK, "" };
    int got, status = ASC_OK;

    while ((got = produce(loop, context, &s, &e)) > 0) {
        status = loop->work(context, s.block, &e);
        if (status == ASC_OK)
            status = loop->consume(context, s.block, &e);
        if (status != ASC_OK)
            break;
    }
    if (got < 0)
        status = got;
    if (status != ASC_OK) {
        status = failure(status, &e);
        if (out)
            *out = e;
    }
    if (s.block)
        loop->free_block(context, s.block);
    return status;
}

/* Threads leave all signals to the host's threads, but those that a thread
 * raises itself. */
static unsigned
start_threads(struct run *r, pthread_t *threads, unsigned n)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPIPE };
    sigset_t blocked, before;
    unsigned i, started = 0;

    sigfillset(&blocked);
    for (i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&blocked, own[i]);
    if (pthread_sigmask(SIG_BLOCK, &blocked, &before) != 0)
        return 0;
    while (started < n
           && pthread_create(&threads[started], NULL, thread, r) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

int
asc_loop_run(const struct asc_loop *loop, void *context, unsigned n_threads,
             struct asc_error *e)
{
    struct run r = {
        .loop = loop, .context = context, .n_threads = n_threads,
        .stop = UINT64_MAX, .error = { ASC_OK, "" }
    };
    pthread_t *threads = NULL;
    unsigned started, i;
    size_t k;

    if (n_threads <= 1)
        return run_alone(loop, context, e);
    r.n_slots = 2 * (size_t)n_threads + 2;
    r.slot = asci_alloc_zero(r.n_slots, sizeof *r.slot, e);
    threads = r.slot ? asci_alloc(n_threads, sizeof *threads, e) : NULL;
    if (!threads) {
        free(r.slot);
        return ASC_ESYSTEM;
    }
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.change, NULL);
    /* Fewer threads than wanted, or none, are slower but do as well. */
    started = start_threads(&r, threads, n_threads - 1);
    thread(&r);
    for (i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&r.change);
    pthread_mutex_destroy(&r.lock);
    for (k = 0; k < r.n_slots; k++)
        if (r.slot[k].block)
            loop->free_block(context, r.slot[k].block);
    free(threads);
    free(r.slot);
    if (r.status != ASC_OK && e)
        *e = r.error;
    return r.status;
}
