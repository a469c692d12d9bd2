/*
 * plan.c: offsets for blocks with lifetimes (dynamic storage allocation), so that the arena is close to its lower bound.
 *
 * The general problem is NP-hard (Garey & Johnson, SR2). Placing blocks one by one, each into the smallest gap left between
 * the blocks it overlaps in time, comes within a few percent; the order decides. So several orders are tried and the smallest
 * arena wins. While that is above the bound, blocks that reach to its top come earlier in the order and all are placed again
 * (squeaky wheel optimisation: Joslin and Clements, JAIR 10, 1999). The search ends as soon as the bound is met. Very large graphs
 * get a single sweep along the steps instead.
 * Everything is integer arithmetic with fixed tie-breaks: the same plan on every machine.
 */
#include "runtime/plan.h"

#include <stdlib.h>
#include <string.h>

/* Quadratic placement is tried up to this many blocks; past it, or when all orders would take too long, the sweep serves. */
#define PLACE_MAX 12000u
#define ALL_ORDERS_MAX 3000u
/* Rounds of improving one order: as many as the work of placing allows, for planning is part of opening a model. */
#define IMPROVE_WORK 8000000u
#define IMPROVE_MOST 200u

typedef enum order { BY_SIZE, BY_AREA, BY_FIRST, BY_LENGTH, ORDER_COUNT } order;

typedef struct key {
    uint64_t major; /* larger first */
    uint64_t minor; /* larger first */
    uint32_t index; /* smaller first */
} key;

static int compare_keys(const void *pa, const void *pb) {
    const key *a = pa, *b = pb;
    if (a->major != b->major) return a->major > b->major ? -1 : 1;
    if (a->minor != b->minor) return a->minor > b->minor ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void make_order(const lc_plan *plan, order kind, key *keys) {
    for (uint32_t i = 0; i < plan->count; i++) {
        const lc_plan_item *it = &plan->items[i];
        uint64_t length = (uint64_t)((int64_t)it->last - it->first + 1), area;
        if (!lc_mul_u64(it->size, length, &area)) area = UINT64_MAX;
        uint64_t late = (uint64_t)(INT32_MAX - (int64_t)it->first);
        switch (kind) {
        case BY_SIZE: keys[i] = (key){it->size, length, i}; break;
        case BY_AREA: keys[i] = (key){area, it->size, i}; break;
        case BY_FIRST: keys[i] = (key){late, it->size, i}; break;
        default: keys[i] = (key){length, it->size, i}; break;
        }
    }
    qsort(keys, plan->count, sizeof *keys, compare_keys);
}

static bool alive_together(const lc_plan_item *a, const lc_plan_item *b) { return a->first <= b->last && b->first <= a->last; }

/* Where item k of the order goes. SMALLEST_GAP fills holes tightly. TWO_ENDS puts what starts at even steps low and at odd steps
 * high under the bound: along a chain of layers each output then faces its input across the arena, which meets the bound. */
typedef enum rule { SMALLEST_GAP, TWO_ENDS, RULE_COUNT } rule;

/* Places in the given order; offsets[i] belongs to item i. `placed` lists item indices by rising offset. Returns the arena's
 * size, UINT64_MAX when it overflows. */
static uint64_t place(const lc_plan *plan, const key *keys, rule how, uint64_t *offsets, uint32_t *placed) {
    uint64_t total = 0;
    for (uint32_t k = 0; k < plan->count; k++) {
        const uint32_t i = keys[k].index;
        const lc_plan_item *it = &plan->items[i];
        const bool high = how == TWO_ENDS && it->first % 2 != 0;
        uint64_t best = UINT64_MAX, best_gap = UINT64_MAX, low = 0;
        for (uint32_t j = 0; j <= k; j++) {
            uint64_t at = plan->bound, end = 0; /* past the last block: the gap up to the bound, when that is wanted */
            if (j < k) {
                const lc_plan_item *other = &plan->items[placed[j]];
                if (!alive_together(it, other)) continue;
                at = offsets[placed[j]];
                end = at + other->size;
            } else if (how == SMALLEST_GAP) {
                break;
            }
            if (at > low && at - low >= it->size) {
                if (high) {
                    best = at - it->size;
                } else if (how == TWO_ENDS) {
                    if (best == UINT64_MAX) best = low;
                } else if (at - low < best_gap) {
                    best = low;
                    best_gap = at - low;
                }
            }
            if (end > low) low = end;
        }
        if (best == UINT64_MAX) best = low;
        uint64_t end;
        if (!lc_add_u64(best, it->size, &end)) return UINT64_MAX;
        offsets[i] = best;
        if (end > total) total = end;
        uint32_t slot = k;
        while (slot > 0 && offsets[placed[slot - 1]] > best) slot--;
        memmove(placed + slot + 1, placed + slot, (k - slot) * sizeof *placed);
        placed[slot] = i;
    }
    return total;
}

/* One pass along the steps: each block goes into the first gap between the blocks alive when it starts. */
static uint64_t sweep(const lc_plan *plan, const key *by_first, uint64_t *offsets, uint32_t *alive) {
    uint64_t total = 0;
    uint32_t alive_count = 0;
    for (uint32_t k = 0; k < plan->count; k++) {
        const uint32_t i = by_first[k].index;
        const lc_plan_item *it = &plan->items[i];
        uint32_t kept = 0, slot = UINT32_MAX;
        uint64_t low = 0, at = 0;
        for (uint32_t j = 0; j < alive_count; j++) {
            const lc_plan_item *other = &plan->items[alive[j]];
            if (other->last < it->first) continue;
            if (slot == UINT32_MAX && offsets[alive[j]] >= low && offsets[alive[j]] - low >= it->size) {
                slot = kept;
                at = low;
            }
            if (offsets[alive[j]] + other->size > low) low = offsets[alive[j]] + other->size;
            alive[kept++] = alive[j];
        }
        if (slot == UINT32_MAX) {
            slot = kept;
            at = low;
        }
        memmove(alive + slot + 1, alive + slot, (kept - slot) * sizeof *alive);
        alive[slot] = i;
        alive_count = kept + 1;
        uint64_t end;
        if (!lc_add_u64(at, it->size, &end)) return UINT64_MAX;
        offsets[i] = at;
        if (end > total) total = end;
    }
    return total;
}

/* Largest sum of sizes alive at one step: +size at first, -size after last, running sum. */
static lc_status lower_bound(lc_plan *plan, lc_arena *temporary, lc_error *err) {
    const size_t steps = (size_t)plan->steps + 3; /* -1 ... steps, and one past */
    uint64_t *begins = lc_arena_array(temporary, steps, sizeof *begins);
    uint64_t *ends = lc_arena_array(temporary, steps, sizeof *ends);
    if (!begins || !ends) return lc_fail_memory(err, "memory plan");
    for (uint32_t i = 0; i < plan->count; i++) {
        const lc_plan_item *it = &plan->items[i];
        uint64_t sum;
        if (!lc_add_u64(begins[it->first + 1], it->size, &sum))
            return lc_fail(err, LC_LIMIT, "the model's activations need more memory than can be addressed");
        begins[it->first + 1] = sum;
        ends[it->last + 2] += it->size;
    }
    uint64_t alive = 0;
    plan->bound = 0;
    for (size_t s = 0; s < steps; s++) {
        alive -= ends[s];
        if (!lc_add_u64(alive, begins[s], &alive))
            return lc_fail(err, LC_LIMIT, "the model's activations need more memory than can be addressed");
        if (alive > plan->bound) plan->bound = alive;
    }
    return LC_OK;
}

/* The blocks that end at `top` move halfway to the front of the order. */
static void promote(const lc_plan *plan, key *keys, const uint64_t *offsets, uint64_t top) {
    for (uint32_t k = 1; k < plan->count; k++) {
        const key moved = keys[k];
        if (offsets[moved.index] + plan->items[moved.index].size != top) continue;
        const uint32_t to = k / 2;
        memmove(keys + to + 1, keys + to, (k - to) * sizeof *keys);
        keys[to] = moved;
    }
}

/* The smallest arena so far, and its offsets in the plan's items. */
static void keep(lc_plan *plan, uint64_t size, const uint64_t *offsets, uint64_t *best) {
    if (size >= *best) return;
    *best = size;
    for (uint32_t i = 0; i < plan->count; i++) plan->items[i].offset = offsets[i];
}

lc_status lc_plan_place(lc_plan *plan, lc_arena *temporary, lc_error *err) {
    const size_t n = plan->count;
    plan->size = 0;
    LC_TRY(lower_bound(plan, temporary, err));
    if (n == 0) return LC_OK;
    key *keys = lc_arena_array(temporary, n, sizeof *keys);
    uint64_t *offsets = lc_arena_array(temporary, n, sizeof *offsets);
    uint32_t *list = lc_arena_array(temporary, n, sizeof *list);
    if (!keys || !offsets || !list) return lc_fail_memory(err, "memory plan");
    uint64_t best = UINT64_MAX;
    for (int kind = 0; kind < ORDER_COUNT; kind++) {
        if (n > ALL_ORDERS_MAX && kind != BY_SIZE && kind != BY_FIRST) continue;
        if (n > PLACE_MAX && kind != BY_FIRST) continue;
        make_order(plan, (order)kind, keys);
        for (int how = 0; how < RULE_COUNT && best != plan->bound; how++) {
            const bool one_pass = kind == BY_FIRST && n > ALL_ORDERS_MAX;
            if (how != SMALLEST_GAP && n > ALL_ORDERS_MAX) break;
            const uint64_t size = one_pass ? sweep(plan, keys, offsets, list) : place(plan, keys, (rule)how, offsets, list);
            keep(plan, size, offsets, &best);
        }
    }
    const uint64_t rounds = IMPROVE_WORK / ((uint64_t)n * n);
    for (int kind = 0; kind < ORDER_COUNT && rounds > 0; kind++) {
        make_order(plan, (order)kind, keys);
        for (uint64_t round = 0; round < rounds && round < IMPROVE_MOST && best != plan->bound; round++) {
            const uint64_t size = place(plan, keys, SMALLEST_GAP, offsets, list);
            keep(plan, size, offsets, &best);
            promote(plan, keys, offsets, size);
        }
    }
    if (best == UINT64_MAX) return lc_fail(err, LC_LIMIT, "the model's activations need more memory than can be addressed");
    plan->size = best;
    return LC_OK;
}
