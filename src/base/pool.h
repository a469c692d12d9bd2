/*
 * pool.h: a small thread pool for sharing one kernel's work. The caller works too: a pool of n has n - 1 threads.
 * Work is a count of independent items; threads take ranges with an atomic counter. Which thread does which item is not
 * fixed, so items must not depend on each other and results must not depend on the split.
 */
#ifndef LC_BASE_POOL_H
#define LC_BASE_POOL_H

#include "litec/runtime.h"

typedef struct lc_pool lc_pool;

/* How many threads a caller's option asks for: `asked` when it is over 0, else one a processor; at least 1, at most `most`. */
int32_t lc_pool_wanted(int32_t asked, int32_t most);
lc_status lc_pool_create(int32_t threads, lc_pool **pool, lc_error *err);
void lc_pool_destroy(lc_pool *pool);
/* Threads of the pool, 1 for NULL. */
int32_t lc_pool_threads(const lc_pool *pool);
/* Calls work(arg, begin, end) until [0, count) is done; each call has at most `grain` items (0: 1). `thread` is in
 * [0, lc_pool_threads). pool NULL runs all in the caller. Allocates nothing. */
typedef void (*lc_work)(void *arg, int64_t begin, int64_t end, int32_t thread);
void lc_pool_run(lc_pool *pool, int64_t count, int64_t grain, lc_work work, void *arg);

#endif
