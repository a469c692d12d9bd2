/*
 * pool.c: threads that share one kernel's work.
 *
 * One number, the epoch, tells everything: odd while a job is open, even while none is. A run writes the job, makes the
 * epoch odd, works itself, makes it even again and waits until no worker is inside. A worker enters (`inside` + 1) and
 * only then looks whether the epoch it woke for is still the one; if not, it leaves without touching the job. All of this
 * is sequentially consistent, so either the worker sees the job closed or the caller sees the worker inside: a worker
 * that wakes late costs the caller nothing, which matters when other processes hold the cores.
 *
 * Waiting spins for some microseconds first (the next kernel of a model comes at once) and then sleeps. With more threads
 * than cores nobody spins: it would take the time of the one that is waited for.
 *
 * Stays true: lc_pool_run allocates nothing and cannot fail. One run at a time for a pool (a session belongs to one
 * thread), and work must not start a run on its own pool.
 */
#include "base/pool.h"

#include "base/alloc.h"
#include "base/error.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define MAX_THREADS 1024
#define SPINS 2000

typedef struct worker {
    lc_pool *pool;
    pthread_t thread;
    int32_t index;
} worker;

struct lc_pool {
    /* the job: written by the caller while no worker is inside */
    lc_work work;
    void *arg;
    int64_t count, grain;
    uint64_t pieces;

    _Alignas(64) _Atomic uint64_t next; /* the next piece; its own cache line, as every thread writes it */
    _Alignas(64) _Atomic uint64_t epoch;
    _Atomic int32_t inside;    /* workers that may be reading the job */
    _Atomic int32_t asleep;    /* workers waiting for `wake` */
    _Atomic bool caller_waits; /* the caller waits for `done` */
    _Atomic bool stop;
    pthread_mutex_t lock; /* for the two conditions only */
    pthread_cond_t wake, done;
    int32_t threads, spins;
    worker workers[];
};

static void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Takes pieces until none is left. */
static void take_pieces(lc_pool *pool, int32_t thread) {
    for (;;) {
        uint64_t piece = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (piece >= pool->pieces) return;
        int64_t begin = (int64_t)piece * pool->grain;
        int64_t left = pool->count - begin;
        pool->work(pool->arg, begin, begin + (left < pool->grain ? left : pool->grain), thread);
    }
}

/* The next open epoch after `last`, or 0 when the pool stops. */
static uint64_t wait_for_job(lc_pool *pool, uint64_t last) {
    for (int32_t i = 0;; i++) {
        uint64_t e = atomic_load(&pool->epoch);
        if (atomic_load(&pool->stop)) return 0;
        if ((e & 1) && e != last) return e;
        if (i < pool->spins) {
            pause_cpu();
            continue;
        }
        i = 0;
        pthread_mutex_lock(&pool->lock);
        atomic_fetch_add(&pool->asleep, 1);
        for (;;) { /* looked at again after `asleep` is up: the caller that opens a job now will wake us */
            e = atomic_load(&pool->epoch);
            if (((e & 1) && e != last) || atomic_load(&pool->stop)) break;
            pthread_cond_wait(&pool->wake, &pool->lock);
        }
        atomic_fetch_sub(&pool->asleep, 1);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void *worker_main(void *p) {
    worker *w = p;
    lc_pool *pool = w->pool;
    uint64_t last = 0;
    while ((last = wait_for_job(pool, last)) != 0) {
        atomic_fetch_add(&pool->inside, 1);
        if (atomic_load(&pool->epoch) == last) take_pieces(pool, w->index);
        if (atomic_fetch_sub(&pool->inside, 1) == 1 && atomic_load(&pool->caller_waits)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->done);
            pthread_mutex_unlock(&pool->lock);
        }
    }
    return NULL;
}

static void wait_until_empty(lc_pool *pool) {
    for (int32_t i = 0; i < pool->spins; i++) {
        if (atomic_load(&pool->inside) == 0) return;
        pause_cpu();
    }
    pthread_mutex_lock(&pool->lock);
    /* An exchange, not a store: QEMU lets a load overtake a sequentially consistent store of aarch64, and a worker's signal was lost. */
    atomic_exchange(&pool->caller_waits, true);
    while (atomic_load(&pool->inside) != 0) pthread_cond_wait(&pool->done, &pool->lock);
    atomic_store(&pool->caller_waits, false);
    pthread_mutex_unlock(&pool->lock);
}

void lc_pool_run(lc_pool *pool, int64_t count, int64_t grain, lc_work work, void *arg) {
    if (count <= 0) return;
    if (grain <= 0) grain = 1;
    if (!pool || pool->threads == 1 || count <= grain) {
        for (int64_t begin = 0; begin < count;) {
            int64_t end = count - begin < grain ? count : begin + grain;
            work(arg, begin, end, 0);
            begin = end;
        }
        return;
    }
    pool->work = work;
    pool->arg = arg;
    pool->count = count;
    pool->grain = grain;
    pool->pieces = (uint64_t)((count - 1) / grain) + 1;
    atomic_store(&pool->next, 0);
    atomic_fetch_add(&pool->epoch, 1); /* open */

    int32_t asleep = atomic_load(&pool->asleep);
    if (asleep > 0) {
        pthread_mutex_lock(&pool->lock);
        /* Two pieces need one helper, not all of them. */
        if (pool->pieces - 1 < (uint64_t)asleep)
            for (uint64_t i = 1; i < pool->pieces; i++) pthread_cond_signal(&pool->wake);
        else pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
    }
    take_pieces(pool, 0);
    atomic_fetch_add(&pool->epoch, 1); /* closed: who is not inside by now stays out */
    wait_until_empty(pool);
}

int32_t lc_pool_threads(const lc_pool *pool) { return pool ? pool->threads : 1; }

/* Stops and joins the first `started` workers and frees the pool. */
static void shut_down(lc_pool *pool, int32_t started) {
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->stop, true);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int32_t i = 0; i < started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    lc_free_aligned(pool);
}

int32_t lc_pool_wanted(int32_t asked, int32_t most) {
    const long n = asked > 0 ? asked : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > most ? most : (int32_t)n;
}

lc_status lc_pool_create(int32_t threads, lc_pool **out, lc_error *err) {
    *out = NULL;
    if (threads == 0) threads = 1;
    if (threads < 0 || threads > MAX_THREADS) {
        lc_fail(err, LC_ARGUMENT, "%d threads asked for, between 1 and %d are possible", threads, MAX_THREADS);
        lc_error_hint(err, "give the number of cores this run may use");
        return LC_ARGUMENT;
    }
    size_t size = sizeof(lc_pool) + (size_t)(threads - 1) * sizeof(worker);
    lc_pool *pool = lc_malloc_aligned(size);
    if (!pool) return lc_fail_memory(err, "thread pool");
    pool->work = NULL;
    pool->arg = NULL;
    pool->count = pool->grain = 0;
    pool->pieces = 0;
    atomic_init(&pool->next, 0);
    atomic_init(&pool->epoch, 0);
    atomic_init(&pool->inside, 0);
    atomic_init(&pool->asleep, 0);
    atomic_init(&pool->caller_waits, false);
    atomic_init(&pool->stop, false);
    /* With default attributes these three cannot fail on any system we know; nothing is left to do if they did. */
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->threads = threads;
    pool->spins = threads <= sysconf(_SC_NPROCESSORS_ONLN) ? SPINS : 0;

    /* A program's signal handlers belong to its own threads. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int32_t started = 0, failed = 0;
    for (; started < threads - 1 && !failed; started += !failed) {
        worker *w = &pool->workers[started];
        *w = (worker){.pool = pool, .index = started + 1};
        failed = pthread_create(&w->thread, NULL, worker_main, w);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        shut_down(pool, started);
        lc_fail(err, LC_NO_MEMORY, "the system refused to start thread %d of %d", started + 2, threads);
        lc_error_hint(err, "use fewer threads, or raise the limit on processes (ulimit -u)");
        return LC_NO_MEMORY;
    }
    *out = pool;
    return LC_OK;
}

void lc_pool_destroy(lc_pool *pool) {
    if (pool) shut_down(pool, pool->threads - 1);
}
