/*
 * Tests of the thread pool: every item is done exactly once, whatever the number of threads and the grain; a run allocates
 * nothing; starting and stopping leave nothing behind. The thread sanitizer build runs this too.
 */
#include "base/alloc.h"
#include "base/pool.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ITEMS = 5000 };

typedef struct job {
    unsigned char done[ITEMS]; /* plain on purpose: two threads on one item would be a race that tsan reports */
    int64_t grain;
    int32_t threads;
    _Atomic int calls, bad;
} job;

static void mark(void *arg, int64_t begin, int64_t end, int32_t thread) {
    job *j = arg;
    if (begin < 0 || begin >= end || end > ITEMS || end - begin > j->grain || thread < 0 || thread >= j->threads) j->bad++;
    j->calls++;
    for (int64_t i = begin; i < end; i++) j->done[i]++;
}

static void run_all(lc_pool *pool, int64_t count, int64_t grain) {
    static job j;
    memset(j.done, 0, sizeof j.done);
    j.grain = grain > 0 ? grain : 1;
    j.threads = lc_pool_threads(pool);
    j.calls = j.bad = 0;
    lc_pool_run(pool, count, grain, mark, &j);
    assert_int_equal(j.bad, 0);
    assert_int_equal(j.calls, count > 0 ? (count - 1) / j.grain + 1 : 0);
    for (int64_t i = 0; i < ITEMS; i++) assert_int_equal(j.done[i], i < count);
}

static void every_item_once(void **state) {
    (void)state;
    static const int64_t counts[] = {0, -1, 1, 2, 3, 7, 64, 1000, ITEMS}, grains[] = {0, 1, 2, 3, 100, ITEMS, INT64_MAX};
    for (int32_t threads = 0; threads <= 9; threads++) {
        lc_pool *pool = NULL;
        if (threads > 0) assert_int_equal(lc_pool_create(threads, &pool, NULL), LC_OK);
        assert_int_equal(lc_pool_threads(pool), threads > 0 ? threads : 1);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) run_all(pool, counts[c], grains[g]);
        lc_pool_destroy(pool);
    }
    lc_pool_destroy(NULL);
}

static void add(void *arg, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    _Atomic int64_t *sum = arg;
    atomic_fetch_add(sum, (end - begin) * 3);
}

static void many_runs_back_to_back(void **state) {
    (void)state;
    lc_pool *pool;
    assert_int_equal(lc_pool_create(4, &pool, NULL), LC_OK);
    for (int i = 0; i < 20000; i++) {
        _Atomic int64_t sum = 0; /* a worker that came late to this run would write into the next one's */
        lc_pool_run(pool, 1 + i % 17, 1 + i % 3, add, &sum);
        assert_int_equal(sum, 3 * (1 + i % 17));
    }
    lc_pool_destroy(pool);
}

static void runs_after_sleep(void **state) {
    (void)state;
    lc_pool *pool;
    assert_int_equal(lc_pool_create(2, &pool, NULL), LC_OK);
    for (int i = 0; i < 50; i++) {
        nanosleep(&(struct timespec){0, i % 2 ? 0 : 2000000}, NULL); /* long enough for the worker to sleep */
        _Atomic int64_t sum = 0;
        lc_pool_run(pool, 100, 1, add, &sum);
        assert_int_equal(sum, 300);
    }
    lc_pool_destroy(pool);
}

typedef struct meeting {
    _Atomic int here;
    _Atomic bool met;
} meeting;

static void meet(void *arg, int64_t begin, int64_t end, int32_t thread) {
    (void)begin, (void)end, (void)thread;
    meeting *m = arg;
    atomic_fetch_add(&m->here, 1);
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do { /* the first to come waits for the second: it must be another thread */
        if (m->here == 2) m->met = true;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (!m->met && now.tv_sec - begun.tv_sec < 20);
}

static void two_threads_really_work(void **state) {
    (void)state;
    lc_pool *pool;
    assert_int_equal(lc_pool_create(2, &pool, NULL), LC_OK);
    meeting m = {0};
    lc_pool_run(pool, 2, 1, meet, &m);
    assert_true(m.met);
    lc_pool_destroy(pool);
}

static void a_run_allocates_nothing(void **state) {
    (void)state;
    fault_install();
    lc_pool *pool;
    assert_int_equal(lc_pool_create(3, &pool, NULL), LC_OK);
    fault_fail_at(1, true);
    _Atomic int64_t sum = 0;
    lc_pool_run(pool, 1000, 7, add, &sum);
    assert_int_equal(sum, 3000);
    assert_int_equal(fault_count(), 0);
    fault_fail_at(0, false);
    lc_pool_destroy(pool);
    assert_int_equal(fault_live(), 0);
    fault_remove();
}

static lc_status life(void *arg, lc_error *err) {
    (void)arg;
    lc_pool *pool;
    lc_status status = lc_pool_create(2, &pool, err);
    lc_pool_destroy(pool);
    return status;
}

static void bad_counts_and_no_memory(void **state) {
    (void)state;
    lc_pool *pool = (lc_pool *)state;
    lc_error err;
    assert_int_equal(lc_pool_create(-1, &pool, &err), LC_ARGUMENT);
    assert_null(pool);
    assert_non_null(strstr(err.message, "-1"));
    assert_int_equal(lc_pool_create(1000000, &pool, &err), LC_ARGUMENT);
    assert_int_equal(lc_pool_create(0, &pool, &err), LC_OK);
    assert_int_equal(lc_pool_threads(pool), 1);
    lc_pool_destroy(pool);
    fault_check(life, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once),         cmocka_unit_test(many_runs_back_to_back),  cmocka_unit_test(runs_after_sleep),
        cmocka_unit_test(two_threads_really_work), cmocka_unit_test(a_run_allocates_nothing), cmocka_unit_test(bad_counts_and_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
