/*
 * penalty.h: activity regularisers: what a layer gives adds to the loss. The lowering lists the tensors; who asked for the list makes of them what
 * the loss needs.
 */
#ifndef LC_LOWER_PENALTY_H
#define LC_LOWER_PENALTY_H

#include "base/json.h"

typedef struct lc_penalty {
    int32_t tensor;
    const lc_json *regularizer; /* as Keras serialises it; NULL: l1 and l2 */
    float l1, l2;
} lc_penalty;

typedef struct lc_penalties {
    lc_penalty *list; /* in the arena of the graph's model */
    uint32_t count;
    size_t capacity;
} lc_penalties;

struct lc_call;
/* The call has given `out` and its further outputs. */
void lc_penalty_note(struct lc_call *c, int32_t out);

#endif
