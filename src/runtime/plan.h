/*
 * plan.h: where each tensor lies in the arena. Items have a lifetime in steps (one step an operator); two items may share
 * memory when their lifetimes are disjoint.
 */
#ifndef LC_RUNTIME_PLAN_H
#define LC_RUNTIME_PLAN_H

#include "ir/ir.h"

#define LC_PLAN_ALIGN 64u

/* One block of the arena. */
typedef struct lc_plan_item {
    int32_t tensor;      /* tensor that owns the block (others may alias it: views and in-place outputs); -1: scratch */
    int32_t node;        /* node the scratch belongs to; -1: not scratch */
    int32_t first, last; /* steps at which the block is alive, both included; inputs start at -1, outputs end at steps */
    uint64_t size;       /* bytes, a multiple of LC_PLAN_ALIGN */
    uint64_t offset;     /* in the arena: set by lc_plan_place */
} lc_plan_item;

typedef struct lc_plan {
    lc_plan_item *items;
    uint32_t count;
    int32_t steps;  /* operators that run */
    uint64_t size;  /* bytes of the arena */
    uint64_t bound; /* largest sum of item sizes alive at one step: no placement can be smaller */
} lc_plan;

/* Places the items (sets offset, size, bound). Temporary memory comes from `temporary`. */
lc_status lc_plan_place(lc_plan *plan, lc_arena *temporary, lc_error *err);

#endif
