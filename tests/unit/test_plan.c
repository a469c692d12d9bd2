/*
 * test_plan.c: the arena planner. Whatever the items, no two that live together overlap, the arena is at least the bound and not
 * far above it; equal input gives equal output.
 */
#include "runtime/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint32_t state = 1;
static uint32_t next(uint32_t n) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

static void place(lc_plan *plan) {
    lc_arena temporary = {0};
    lc_error err;
    assert_int_equal(lc_plan_place(plan, &temporary, &err), LC_OK);
    lc_arena_deinit(&temporary);
}

static void check(const lc_plan *plan) {
    for (uint32_t i = 0; i < plan->count; i++) {
        const lc_plan_item *a = &plan->items[i];
        assert_true(a->offset + a->size <= plan->size);
        assert_int_equal(a->offset % LC_PLAN_ALIGN, 0);
        for (uint32_t j = i + 1; j < plan->count; j++) {
            const lc_plan_item *b = &plan->items[j];
            if (a->first > b->last || b->first > a->last) continue;
            assert_true(a->offset + a->size <= b->offset || b->offset + b->size <= a->offset);
        }
    }
    assert_true(plan->size >= plan->bound);
}

static void test_empty(void **unused) {
    (void)unused;
    lc_plan plan = {.steps = 0};
    place(&plan);
    assert_int_equal(plan.size, 0);
    assert_int_equal(plan.bound, 0);
}

/* A chain of layers: each output lives until the next step, so the arena is the largest neighbouring pair. */
static void test_chain_meets_bound(void **unused) {
    (void)unused;
    lc_plan_item items[20];
    for (int i = 0; i < 20; i++)
        items[i] = (lc_plan_item){.tensor = i, .node = -1, .first = i, .last = i + 1, .size = 64u * (1 + (uint64_t)(i * 7) % 11)};
    lc_plan plan = {.items = items, .count = 20, .steps = 21};
    place(&plan);
    check(&plan);
    assert_int_equal(plan.size, plan.bound);
}

static void random_plan(lc_plan *plan, lc_plan_item *items, uint32_t count, int32_t steps) {
    for (uint32_t i = 0; i < count; i++) {
        const int32_t first = (int32_t)next((uint32_t)steps);
        int32_t last = first + (int32_t)next(next(8) == 0 ? 40 : 4);
        if (last > steps) last = steps;
        items[i] = (lc_plan_item){.tensor = (int32_t)i, .node = -1, .first = first, .last = last, .size = 64u * (1 + next(200))};
    }
    *plan = (lc_plan){.items = items, .count = count, .steps = steps};
}

static void test_random(void **unused) {
    (void)unused;
    static lc_plan_item items[400], again[400];
    uint64_t sizes = 0, bounds = 0;
    for (int round = 0; round < 60; round++) {
        lc_plan plan, twin;
        random_plan(&plan, items, 1 + next(400), 1 + (int32_t)next(200));
        memcpy(again, items, sizeof items);
        twin = plan;
        twin.items = again;
        place(&plan);
        place(&twin);
        check(&plan);
        assert_memory_equal(items, again, plan.count * sizeof *items);
        sizes += plan.size;
        bounds += plan.bound;
    }
    assert_true(sizes <= bounds + bounds / 200); /* 0.3 %; without improving the orders 1.5 % */
}

/* Past the quadratic limit the sweep takes over: still no overlap (checked on a sample of neighbours by step). */
static void test_many(void **unused) {
    (void)unused;
    enum { N = 40000 };
    lc_plan_item *items = lc_calloc(N, sizeof *items);
    assert_non_null(items);
    lc_plan plan;
    random_plan(&plan, items, N, N);
    place(&plan);
    assert_true(plan.size >= plan.bound);
    for (uint32_t i = 0; i < N; i += 97)
        for (uint32_t j = 0; j < N; j++) {
            const lc_plan_item *a = &items[i], *b = &items[j];
            if (i == j || a->first > b->last || b->first > a->last) continue;
            assert_true(a->offset + a->size <= b->offset || b->offset + b->size <= a->offset);
        }
    lc_free(items);
}

static void test_overflow(void **unused) {
    (void)unused;
    lc_plan_item items[2] = {{.tensor = 0, .node = -1, .first = 0, .last = 1, .size = UINT64_MAX - 63},
                             {.tensor = 1, .node = -1, .first = 0, .last = 1, .size = UINT64_MAX - 63}};
    lc_plan plan = {.items = items, .count = 2, .steps = 2};
    lc_arena temporary = {0};
    lc_error err;
    assert_int_equal(lc_plan_place(&plan, &temporary, &err), LC_LIMIT);
    lc_arena_deinit(&temporary);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty), cmocka_unit_test(test_chain_meets_bound),
                                       cmocka_unit_test(test_random), cmocka_unit_test(test_many), cmocka_unit_test(test_overflow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
