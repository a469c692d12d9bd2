/*
 * test_pipeline.c: batches for training: what comes in which order, that it is the same however it is made, going on in the middle, and what
 * is refused.
 */
#include "litec/pipeline.h"

#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- sources --------------------------------------------------------------------------------------------------------------- */

#define MOST 200

/* Sample i is x = {i, i + 0.5}, y = i % 10, weight i. */
typedef struct numbers {
    float x[MOST][2], weight[MOST];
    int32_t y[MOST];
    lc_array ax, ay, aw;
    lc_pipeline_arrays arrays;
} numbers;

static numbers *make_numbers(numbers *n, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        n->x[i][0] = (float)i;
        n->x[i][1] = (float)i + 0.5f;
        n->y[i] = i % 10;
        n->weight[i] = (float)i;
    }
    n->ax = (lc_array){.type = LC_FLOAT32, .rank = 2, .dims = {count, 2}, .data = n->x, .size = (size_t)count * 8};
    n->ay = (lc_array){.type = LC_INT32, .rank = 1, .dims = {count}, .data = n->y, .size = (size_t)count * 4};
    n->aw = (lc_array){.type = LC_FLOAT32, .rank = 1, .dims = {count}, .data = n->weight, .size = (size_t)count * 4};
    n->arrays = (lc_pipeline_arrays){.x = &n->ax, .y = &n->ay, .x_count = 1, .y_count = 1, .weights = &n->aw};
    return n;
}

/* The same from a function, in order; `holes`: sample i fails when i % holes is 2. */
typedef struct counter {
    uint64_t count, holes;
} counter;

static lc_status make_sample(void *user, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    const counter *c = user;
    const int32_t two = 2;
    if (index == c->count) {
        *end = true;
        return LC_OK;
    }
    if (c->holes && index % c->holes == 2) {
        if (err) snprintf(err->message, sizeof err->message, "a hole");
        return LC_INVALID;
    }
    float *x = lc_sample_set(s, 0, LC_FLOAT32, &two, 1);
    int32_t *y = lc_sample_set(s, 1, LC_INT32, NULL, 0);
    if (!x || !y) return LC_NO_MEMORY;
    x[0] = (float)index;
    x[1] = (float)index + 0.5f;
    *y = (int32_t)(index % 10);
    return LC_OK;
}

typedef enum source { ARRAYS, FUNCTION, UNKNOWN } source; /* UNKNOWN: a function that does not say how many */

static lc_status open_source(source from, int32_t count, const lc_pipeline_options *o, lc_pipeline **p, lc_error *err) {
    static numbers n; /* lives as long as the pipeline */
    static counter c;
    if (from == ARRAYS) return lc_pipeline_from_arrays(&make_numbers(&n, count)->arrays, o, p, err);
    c = (counter){(uint64_t)count, 0};
    const lc_pipeline_function f = {
        .make = make_sample, .user = &c, .x_count = 1, .y_count = 1, .count = from == FUNCTION ? (uint64_t)count : 0};
    return lc_pipeline_from_function(&f, o, p, err);
}

static lc_pipeline *open_or_fail(source from, int32_t count, lc_pipeline_options o) {
    lc_pipeline *p;
    lc_error err;
    if (open_source(from, count, &o, &p, &err)) fail_msg("%s", err.message);
    return p;
}

/* Samples of the next epoch in their order; each row is looked at. Returns how many; *batches how many batches. */
static uint32_t run_epoch(lc_pipeline *p, uint32_t *order, uint32_t *batches) {
    lc_batch b;
    lc_error err;
    uint32_t n = 0;
    *batches = 0;
    while (true) {
        if (lc_pipeline_next(p, &b, &err)) fail_msg("%s", err.message);
        if (!b.rows) return n;
        ++*batches;
        assert_int_equal(b.x[0].dims[0], b.rows);
        assert_int_equal(b.x[0].size, b.rows * 8);
        for (uint32_t r = 0; r < b.rows; r++) {
            const float *x = (const float *)b.x[0].data + r * 2;
            assert_int_equal((int)x[0], (int)b.of[r]);
            assert_true(x[1] == x[0] + 0.5f);
            assert_int_equal(((const int32_t *)b.y[0].data)[r], (int32_t)(b.of[r] % 10));
            if (b.weight) assert_true(b.weight[r] == (float)b.of[r]);
            assert_true(n < MOST);
            order[n++] = (uint32_t)b.of[r];
        }
    }
}

static bool is_sorted(const uint32_t *order, uint32_t n) {
    for (uint32_t i = 1; i < n; i++)
        if (order[i] <= order[i - 1]) return false;
    return true;
}

/* That each of [first, first + n) is there once. */
static void assert_permutation(const uint32_t *order, uint32_t n, uint32_t first) {
    bool seen[MOST] = {false};
    for (uint32_t i = 0; i < n; i++) {
        assert_in_range(order[i], first, first + n - 1);
        assert_false(seen[order[i] - first]);
        seen[order[i] - first] = true;
    }
}

/* ---- order -------------------------------------------------------------------------------------------------------------------- */

static void test_plain_order(void **state) {
    (void)state;
    for (source from = ARRAYS; from <= UNKNOWN; from++) {
        uint32_t order[MOST], batches;
        lc_pipeline *p = open_or_fail(from, 25, (lc_pipeline_options){.batch = 10});
        assert_int_equal(lc_pipeline_samples(p) == UINT64_MAX, from == UNKNOWN);
        if (from != UNKNOWN) assert_int_equal(lc_pipeline_batches(p), 3);
        assert_int_equal(lc_pipeline_weighted(p), from == ARRAYS);
        assert_int_equal(lc_pipeline_part(p, 0).rank, 2);
        assert_int_equal(lc_pipeline_part(p, 0).dims[0], 10);
        assert_int_equal(lc_pipeline_part(p, 1).rank, 1);
        for (int epoch = 0; epoch < 2; epoch++) {
            assert_int_equal(run_epoch(p, order, &batches), 25);
            assert_int_equal(batches, 3);
            for (uint32_t i = 0; i < 25; i++) assert_int_equal(order[i], i);
        }
        lc_pipeline_close(p);
        p = open_or_fail(from, 25, (lc_pipeline_options){.batch = 10, .drop_remainder = true});
        assert_int_equal(run_epoch(p, order, &batches), 20);
        if (from != UNKNOWN) assert_int_equal(lc_pipeline_batches(p), 2);
        lc_pipeline_close(p);
        p = open_or_fail(from, 3, (lc_pipeline_options){0}); /* one small batch, as in Keras */
        assert_int_equal(run_epoch(p, order, &batches), 3);
        assert_int_equal(batches, 1);
        lc_pipeline_close(p);
    }
}

static void test_shuffled_order(void **state) {
    (void)state;
    uint32_t first[MOST], second[MOST], again[MOST], batches;
    for (source from = ARRAYS; from <= FUNCTION; from++) {
        lc_pipeline *p = open_or_fail(from, 100, (lc_pipeline_options){.shuffle = true, .seed = 3});
        assert_int_equal(run_epoch(p, first, &batches), 100);
        assert_permutation(first, 100, 0);
        assert_false(is_sorted(first, 100));
        assert_int_equal(run_epoch(p, second, &batches), 100);
        assert_permutation(second, 100, 0);
        assert_memory_not_equal(first, second, 400);
        lc_pipeline_close(p);
        p = open_or_fail(from, 100, (lc_pipeline_options){.shuffle = true, .seed = 3, .same_order = true});
        for (int epoch = 0; epoch < 2; epoch++) {
            run_epoch(p, again, &batches);
            assert_memory_equal(first, again, 400);
        }
        lc_pipeline_close(p);
        p = open_or_fail(from, 100, (lc_pipeline_options){.shuffle = true, .seed = 4});
        run_epoch(p, again, &batches);
        assert_memory_not_equal(first, again, 400);
        lc_pipeline_close(p);
    }
}

/* A sample does not come before the buffer has reached it; and it is the same whether all samples are at hand or are read in order. */
static void test_buffer(void **state) {
    (void)state;
    uint32_t of[3][MOST], batches;
    for (source from = ARRAYS; from <= UNKNOWN; from++) {
        lc_pipeline *p = open_or_fail(from, 60, (lc_pipeline_options){.shuffle = true, .buffer = 8, .batch = 7, .seed = 11});
        assert_int_equal(run_epoch(p, of[from], &batches), 60);
        assert_permutation(of[from], 60, 0);
        assert_false(is_sorted(of[from], 60));
        for (uint32_t i = 0; i < 60; i++) assert_true(of[from][i] <= i + 7);
        assert_memory_equal(of[from], of[0], 240);
        lc_pipeline_close(p);
    }
}

/* Every order of three samples comes about equally often. */
static void test_fair(void **state) {
    (void)state;
    uint32_t counts[27] = {0}, order[MOST], batches, kinds = 0;
    lc_pipeline *p = open_or_fail(ARRAYS, 3, (lc_pipeline_options){.shuffle = true, .seed = 1});
    for (int i = 0; i < 6000; i++) {
        run_epoch(p, order, &batches);
        counts[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    for (int i = 0; i < 27; i++) {
        if (!counts[i]) continue;
        kinds++;
        assert_in_range(counts[i], 870, 1130); /* 1,000 expected, 29 is a standard deviation */
    }
    assert_int_equal(kinds, 6);
    lc_pipeline_close(p);
}

/* ---- parts of a source ------------------------------------------------------------------------------------------------------------- */

static void test_split(void **state) {
    (void)state;
    uint32_t train[MOST], test[MOST], batches;
    for (source from = ARRAYS; from <= FUNCTION; from++) {
        lc_pipeline *p =
            open_or_fail(from, 99, (lc_pipeline_options){.split = LC_SPLIT_TRAINING, .validation_split = 0.2, .shuffle = true});
        assert_int_equal(run_epoch(p, train, &batches), 79); /* floor(99 * 0.8), as in Keras */
        assert_permutation(train, 79, 0);
        lc_pipeline_close(p);
        p = open_or_fail(from, 99, (lc_pipeline_options){.split = LC_SPLIT_VALIDATION, .validation_split = 0.2});
        assert_int_equal(run_epoch(p, test, &batches), 20);
        for (uint32_t i = 0; i < 20; i++) assert_int_equal(test[i], 79 + i);
        lc_pipeline_close(p);
        /* Shuffled before: the two parts are still all samples, each once. */
        lc_pipeline_options o = {.split = LC_SPLIT_TRAINING, .validation_split = 0.2, .split_shuffled = true, .seed = 5};
        p = open_or_fail(from, 99, o);
        assert_int_equal(run_epoch(p, train, &batches), 79);
        lc_pipeline_close(p);
        o.split = LC_SPLIT_VALIDATION;
        p = open_or_fail(from, 99, o);
        assert_int_equal(run_epoch(p, train + 79, &batches), 20);
        lc_pipeline_close(p);
        assert_permutation(train, 99, 0);
        assert_false(is_sorted(train, 79));
    }
}

static void test_take_and_shard(void **state) {
    (void)state;
    uint32_t order[MOST], batches;
    for (source from = ARRAYS; from <= UNKNOWN; from++) {
        lc_pipeline *p = open_or_fail(from, 50, (lc_pipeline_options){.skip = 7, .take = 20, .shards = 3, .shard = 1, .batch = 4});
        assert_int_equal(run_epoch(p, order, &batches), 7); /* 8, 11 ... 26 */
        for (uint32_t i = 0; i < 7; i++) assert_int_equal(order[i], 8 + 3 * i);
        lc_pipeline_close(p);
    }
}

/* ---- the same however it is made ------------------------------------------------------------------------------------------------------ */

/* Moves each sample by a random amount: a function of the caller with random numbers. */
static lc_status shift(void *user, lc_sample *s, lc_error *err) {
    (void)user, (void)err;
    const lc_array a = lc_sample_get(s, 0);
    float *x = lc_sample_set(s, 0, LC_FLOAT32, a.dims, a.rank);
    if (!x) return LC_NO_MEMORY;
    const float by = (float)lc_sample_random(s);
    for (int i = 0; i < 2; i++) x[i] = ((const float *)a.data)[i] + by;
    return LC_OK;
}

/* All bytes of `epochs` epochs as one number. */
static uint64_t digest_epochs(lc_pipeline *p, int epochs) {
    uint64_t digest = 1469598103934665603u;
    lc_error err;
    lc_batch b;
    for (int e = 0; e < epochs;) {
        if (lc_pipeline_next(p, &b, &err)) fail_msg("%s", err.message);
        if (!b.rows) {
            e++;
            continue;
        }
        for (size_t i = 0; i < b.x[0].size; i++) digest = (digest ^ ((const uint8_t *)b.x[0].data)[i]) * 1099511628211u;
        for (size_t i = 0; i < b.y[0].size; i++) digest = (digest ^ ((const uint8_t *)b.y[0].data)[i]) * 1099511628211u;
    }
    return digest;
}

static void test_deterministic(void **state) {
    (void)state;
    const lc_transform map[] = {LC_MAP_CALL(shift, NULL), LC_MAP_SCALE(0.5, .offset = 1), LC_MAP_ONE_HOT(10), {0}};
    for (source from = ARRAYS; from <= UNKNOWN; from++) {
        uint64_t want = 0;
        for (int32_t threads = 1; threads <= 4; threads *= 2)
            for (uint32_t prefetch = 0; prefetch <= 3; prefetch += 3)
                for (int cache = 0; cache <= (from != UNKNOWN); cache++) {
                    lc_pipeline *p = open_or_fail(from, 150,
                                                  (lc_pipeline_options){.batch = 16,
                                                                        .shuffle = true,
                                                                        .buffer = 40,
                                                                        .seed = 9,
                                                                        .threads = threads,
                                                                        .prefetch = prefetch,
                                                                        .cache = cache,
                                                                        .map = map});
                    const uint64_t got = digest_epochs(p, 3);
                    if (!want) want = got;
                    assert_true(got == want);
                    lc_pipeline_close(p);
                }
        lc_pipeline *p = open_or_fail(from, 150, (lc_pipeline_options){.batch = 16, .shuffle = true, .buffer = 40, .seed = 10, .map = map});
        assert_true(digest_epochs(p, 3) != want);
        lc_pipeline_close(p);
    }
}

/* Killed between any two batches and gone on with: the same batches as without. */
static void test_resume(void **state) {
    (void)state;
    const lc_transform map[] = {LC_MAP_CALL(shift, NULL), {0}};
    for (source from = ARRAYS; from <= UNKNOWN; from++)
        for (uint32_t prefetch = 0; prefetch <= 2; prefetch += 2) {
            const lc_pipeline_options o = {
                .batch = 8, .shuffle = true, .buffer = 12, .seed = 2, .prefetch = prefetch, .threads = 2, .map = map};
            lc_pipeline *p = open_or_fail(from, 50, o);
            lc_pipeline_state states[24];
            float rows[24][16];
            uint32_t sizes[24];
            lc_batch b;
            lc_error err;
            for (int i = 0; i < 24; i++) { /* three epochs of 7 batches and an end */
                states[i] = lc_pipeline_tell(p);
                assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK);
                sizes[i] = b.rows;
                if (b.rows) memcpy(rows[i], b.x[0].data, b.x[0].size);
            }
            lc_pipeline_close(p);
            assert_int_equal(sizes[7], 0);
            assert_int_equal(states[8].epoch, 1);
            for (int at = 0; at < 24; at += 5) {
                p = open_or_fail(from, 50, o);
                for (int k = 0; k < at % 3; k++) assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK); /* it may stand anywhere */
                if (lc_pipeline_seek(p, &states[at], &err)) fail_msg("%s", err.message);
                for (int i = at; i < 24; i++) {
                    const lc_pipeline_state now = lc_pipeline_tell(p);
                    assert_memory_equal(&now, &states[i], sizeof now);
                    assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK);
                    assert_int_equal(b.rows, sizes[i]);
                    if (b.rows) assert_memory_equal(b.x[0].data, rows[i], b.x[0].size);
                }
                assert_int_equal(lc_pipeline_seek_epoch(p, 1, &err), LC_OK);
                assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK);
                assert_memory_equal(b.x[0].data, rows[8], b.x[0].size);
                lc_pipeline_close(p);
            }
            /* The state of other data is refused. */
            p = open_or_fail(from, 50, (lc_pipeline_options){.batch = 9, .shuffle = true, .buffer = 12, .seed = 2});
            assert_int_equal(lc_pipeline_seek(p, &states[3], &err), LC_ARGUMENT);
            assert_non_null(strstr(err.message, "another pipeline"));
            assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK); /* and nothing has happened */
            lc_pipeline_close(p);
        }
}

/* ---- bad data ---------------------------------------------------------------------------------------------------------------------------- */

static lc_status first_failure(lc_pipeline *p, lc_error *err) {
    lc_batch b;
    for (int i = 0; i < 100; i++) {
        const lc_status status = lc_pipeline_next(p, &b, err);
        if (status) return status;
        if (!b.rows) return LC_OK;
    }
    return LC_OK;
}

static void test_bad_values(void **state) {
    (void)state;
    static numbers n;
    uint32_t batches = 0;
    for (int kind = 0; kind < 4; kind++)
        for (int32_t threads = 1; threads <= 4; threads += 3) {
            make_numbers(&n, 40);
            if (kind == 0) n.x[21][1] = NAN;
            if (kind == 1) n.x[21][1] = INFINITY;
            if (kind == 2) n.y[21] = 10;
            if (kind == 3) n.weight[21] = -1;
            n.y[30] = kind == 2 ? -1 : n.y[30];
            lc_pipeline_options o = {.batch = 8, .classes = 10, .threads = threads, .prefetch = 1};
            lc_pipeline *p;
            lc_error err;
            assert_int_equal(lc_pipeline_from_arrays(&n.arrays, &o, &p, &err), LC_OK);
            assert_int_equal(first_failure(p, &err), LC_INVALID);
            assert_non_null(strstr(err.message, "sample 21"));
            assert_non_null(strstr(err.message, kind < 2    ? "input 0 holds NaN or infinity"
                                                : kind == 2 ? "label 10 is out of range"
                                                            : "weight"));
            lc_error again;
            assert_int_equal(first_failure(p, &again), LC_INVALID); /* and so it stays */
            assert_string_equal(again.message, err.message);
            lc_pipeline_close(p);
            o.skip_corrupt = true;
            assert_int_equal(lc_pipeline_from_arrays(&n.arrays, &o, &p, &err), LC_OK);
            lc_batch b;
            uint32_t rows = 0;
            const char *last;
            batches = 0;
            while (lc_pipeline_next(p, &b, &err) == LC_OK && b.rows) {
                for (uint32_t r = 0; r < b.rows; r++) assert_true(b.of[r] != 21 && ((const float *)b.x[0].data)[r * 2] == (float)b.of[r]);
                rows += b.rows, batches++;
            }
            assert_int_equal(rows, kind == 2 ? 38 : 39);
            assert_int_equal(batches, 5); /* batches are full in spite of it */
            assert_int_equal(lc_pipeline_skipped(p, &last), kind == 2 ? 2 : 1);
            assert_non_null(strstr(last, kind == 2 ? "sample 30" : "sample 21"));
            lc_pipeline_close(p);
        }
}

static void test_holes(void **state) {
    (void)state;
    counter c = {30, 7};
    lc_pipeline *p;
    lc_error err;
    for (int known = 0; known < 2; known++) {
        const lc_pipeline_function f = {.make = make_sample, .user = &c, .x_count = 1, .y_count = 1, .count = known ? c.count : 0};
        lc_pipeline_options o = {.batch = 4};
        assert_int_equal(lc_pipeline_from_function(&f, &o, &p, &err), LC_OK);
        assert_int_equal(first_failure(p, &err), LC_INVALID);
        assert_non_null(strstr(err.message, "sample 2: a hole"));
        lc_pipeline_close(p);
        o.skip_corrupt = true;
        o.shuffle = known;
        uint32_t order[MOST], batches;
        assert_int_equal(lc_pipeline_from_function(&f, &o, &p, &err), LC_OK);
        for (int epoch = 0; epoch < 2; epoch++) {
            assert_int_equal(run_epoch(p, order, &batches), 26); /* without 2, 9, 16, 23 */
            for (int i = 0; i < 26; i++) assert_int_not_equal(order[i] % 7, 2);
        }
        assert_true(lc_pipeline_skipped(p, NULL) >= 4);
        lc_pipeline_close(p);
    }
    c.holes = 1; /* 0 % 1 is not 2: nothing fails */
    c.count = 0;
    const lc_pipeline_function none = {.make = make_sample, .user = &c, .x_count = 1, .y_count = 1};
    assert_int_equal(lc_pipeline_from_function(&none, NULL, &p, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "empty"));
    assert_null(p);
}

static lc_status fail_always(void *user, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    (void)user, (void)index, (void)s, (void)end;
    if (err) snprintf(err->message, sizeof err->message, "never");
    return LC_INVALID;
}

static lc_status grow(void *user, lc_sample *s, lc_error *err) { /* sample 5 has another shape */
    (void)user, (void)err;
    const int32_t n = lc_sample_index(s) == 5 ? 3 : 2;
    float *x = lc_sample_set(s, 0, LC_FLOAT32, &n, 1);
    for (int32_t i = 0; i < n && x; i++) x[i] = 1;
    return x ? LC_OK : LC_NO_MEMORY;
}

static void refuse(source from, int32_t count, lc_pipeline_options o, lc_status want, const char *words) {
    lc_pipeline *p;
    lc_error err;
    const lc_status status = open_source(from, count, &o, &p, &err);
    if (status != want || !strstr(err.message, words)) fail_msg("wanted %s, got %s: %s", words, lc_status_name(status), err.message);
    assert_true(err.hint[0]);
    assert_null(p);
}

static void test_refused(void **state) {
    (void)state;
    lc_pipeline *p;
    lc_error err;
    refuse(ARRAYS, 0, (lc_pipeline_options){0}, LC_INVALID, "empty");
    refuse(ARRAYS, 5, (lc_pipeline_options){.batch = 8, .drop_remainder = true}, LC_INVALID, "5 samples, fewer than the 8");
    refuse(ARRAYS, 5, (lc_pipeline_options){.skip = 5}, LC_INVALID, "no sample is left");
    refuse(ARRAYS, 5, (lc_pipeline_options){.shards = 2, .shard = 2}, LC_ARGUMENT, ".shard");
    refuse(ARRAYS, 5, (lc_pipeline_options){.validation_split = 0.1}, LC_ARGUMENT, "validation_split");
    refuse(ARRAYS, 5, (lc_pipeline_options){.split = LC_SPLIT_TRAINING}, LC_ARGUMENT, "validation_split");
    refuse(ARRAYS, 1, (lc_pipeline_options){.split = LC_SPLIT_TRAINING, .validation_split = 0.5}, LC_INVALID, "none for training");
    refuse(ARRAYS, 5, (lc_pipeline_options){.buffer = 5}, LC_ARGUMENT, "without .shuffle");
    refuse(UNKNOWN, 5, (lc_pipeline_options){.shuffle = true}, LC_ARGUMENT, "not known");
    refuse(UNKNOWN, 5, (lc_pipeline_options){.cache = true}, LC_ARGUMENT, "not known");
    refuse(UNKNOWN, 5, (lc_pipeline_options){.split = LC_SPLIT_TRAINING, .validation_split = 0.5}, LC_ARGUMENT, "not known");
    refuse(ARRAYS, 5, (lc_pipeline_options){.map = (lc_transform[]){LC_MAP_SCALE(NAN), {0}}}, LC_ARGUMENT, "transformation 1 (Rescaling)");
    refuse(ARRAYS, 5, (lc_pipeline_options){.map = (lc_transform[]){LC_MAP_RESIZE(0, 3), {0}}}, LC_ARGUMENT, "below 1");
    refuse(ARRAYS, 5, (lc_pipeline_options){.map = (lc_transform[]){LC_MAP_RESIZE(3, 3), {0}}}, LC_INVALID, "a sample is float32[2]");
    refuse(ARRAYS, 5, (lc_pipeline_options){.map = (lc_transform[]){LC_MAP_SCALE(1, .of = "z"), {0}}}, LC_ARGUMENT, "named z");
    refuse(ARRAYS, 50, (lc_pipeline_options){.map = (lc_transform[]){LC_MAP_ONE_HOT(0), {0}}}, LC_ARGUMENT, "no classes");
    const lc_pipeline_function never = {.make = fail_always, .x_count = 1};
    assert_int_equal(lc_pipeline_from_function(&never, &(lc_pipeline_options){.skip_corrupt = true}, &p, &err), LC_INVALID);
    assert_int_equal(lc_pipeline_from_function(&never, NULL, &p, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "never"));

    numbers n;
    make_numbers(&n, 10);
    n.ay.dims[0] = 9;
    n.ay.size = 36;
    assert_int_equal(lc_pipeline_from_arrays(&n.arrays, NULL, &p, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "target 0 has 9 samples"));
    make_numbers(&n, 10);
    n.ax.size = 8;
    assert_int_equal(lc_pipeline_from_arrays(&n.arrays, NULL, &p, &err), LC_ARGUMENT);

    for (source from = ARRAYS; from <= FUNCTION; from++) {
        p = open_or_fail(from, 100, (lc_pipeline_options){.batch = 1, .cache = true, .limits = {.max_memory = 3000}});
        assert_int_equal(first_failure(p, &err), LC_LIMIT);
        assert_non_null(strstr(err.message, "kept in memory"));
        lc_pipeline_close(p);
    }
    const lc_transform one_hot[] = {LC_MAP_ONE_HOT(7), {0}}, uneven[] = {LC_MAP_CALL(grow, NULL), {0}};
    p = open_or_fail(ARRAYS, 20, (lc_pipeline_options){.map = one_hot});
    assert_int_equal(first_failure(p, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "sample 7: transformation 1 (tf.one_hot): label 7 is none of the 7 classes"));
    lc_pipeline_close(p);
    p = open_or_fail(ARRAYS, 20, (lc_pipeline_options){.map = uneven});
    assert_int_equal(first_failure(p, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "sample 5: input 0 is float32[3], that of the first sample float32[2]"));
    lc_pipeline_close(p);
}

/* ---- memory -------------------------------------------------------------------------------------------------------------------------------- */

typedef struct life {
    source from;
    lc_pipeline_options o;
} life;

static lc_status live(void *arg, lc_error *err) {
    const life *l = arg;
    lc_pipeline *p;
    lc_batch b = {.rows = 1};
    lc_status status = open_source(l->from, 20, &l->o, &p, err);
    if (status) return status;
    for (int i = 0; i < 4 && status == LC_OK; i++) status = lc_pipeline_next(p, &b, err);
    if (status == LC_OK) status = lc_pipeline_seek_epoch(p, 1, err);
    if (status == LC_OK) status = lc_pipeline_next(p, &b, err);
    lc_pipeline_close(p);
    return status;
}

static void test_out_of_memory(void **state) {
    (void)state;
    const lc_transform map[] = {LC_MAP_SCALE(2), LC_MAP_ONE_HOT(10), {0}};
    for (source from = ARRAYS; from <= UNKNOWN; from++)
        for (int cache = 0; cache <= (from != UNKNOWN); cache++) {
            life l = {from, {.batch = 6, .shuffle = true, .buffer = 5, .threads = 1, .cache = cache, .map = map}};
            fault_check(live, &l, NULL);
        }
}

/* Going to where a pipeline stands reads nothing again. */
typedef struct watched {
    counter c;
    uint64_t beginnings;
} watched;

static lc_status make_watched(void *user, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    watched *w = user;
    w->beginnings += index == 0;
    return make_sample(&w->c, index, s, end, err);
}

static void test_seek_in_place(void **state) {
    (void)state;
    watched w = {{10, 0}, 0};
    const lc_pipeline_function f = {.make = make_watched, .user = &w, .x_count = 1, .y_count = 1};
    lc_pipeline *p;
    lc_error err;
    uint32_t order[MOST], batches;
    assert_int_equal(lc_pipeline_from_function(&f, &(lc_pipeline_options){.batch = 4}, &p, &err), LC_OK);
    const uint64_t opened = w.beginnings;
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(lc_pipeline_seek_epoch(p, epoch, &err), LC_OK);
        assert_int_equal(run_epoch(p, order, &batches), 10);
    }
    assert_int_equal(w.beginnings, opened + 3);
    assert_int_equal(lc_pipeline_seek_epoch(p, 0, &err), LC_OK);
    assert_int_equal(run_epoch(p, order, &batches), 10);
    assert_int_equal(w.beginnings, opened + 4);
    lc_pipeline_close(p);
}

/* What is read in order is held no longer than it is needed. */
static void test_memory_held(void **state) {
    (void)state;
    fault_install();
    lc_pipeline *p = open_or_fail(UNKNOWN, 200, (lc_pipeline_options){.batch = 4, .shuffle = true, .buffer = 6, .threads = 1});
    uint32_t order[MOST], batches;
    run_epoch(p, order, &batches);
    const size_t live_blocks = fault_live(), bytes = fault_peak_bytes();
    run_epoch(p, order, &batches);
    assert_int_equal(fault_live(), live_blocks);
    assert_int_equal(fault_peak_bytes(), bytes);
    lc_pipeline_close(p);
    fault_remove();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_order),   cmocka_unit_test(test_shuffled_order), cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_fair),          cmocka_unit_test(test_split),          cmocka_unit_test(test_take_and_shard),
        cmocka_unit_test(test_deterministic), cmocka_unit_test(test_resume),         cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_holes),         cmocka_unit_test(test_refused),        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_memory_held),   cmocka_unit_test(test_seek_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
