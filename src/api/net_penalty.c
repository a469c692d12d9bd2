/*
 * net_penalty.c: activity regularisers: l1 times the sum of what a layer gives, without its sign, and l2 times that of the squares, both a sample.
 */
#include "api/net.h"

#include "train/graph.h"

lc_status lc_net_penalties(lc_builder *b, const lc_penalties *p, uint32_t rows, int32_t *values, lc_grad_seed *seeds) {
    for (uint32_t i = 0; i < p->count; i++) {
        const lc_penalty *one = &p->list[i];
        lc_regularizer r = {.l1 = one->l1, .l2 = one->l2};
        if (one->regularizer && !lc_build_check(b, lc_regularizer_read(one->regularizer, &r, b->err))) return b->status;
        if (r.orthogonal != 0) {
            lc_build_fail(b, LC_UNSUPPORTED, "litec has no orthogonal regulariser of activities");
            return b->status;
        }
        values[i] = lc_penalty_value(&r, b, one->tensor);
        const float share = rows ? 1 / (float)rows : 0;
        const lc_regularizer each = {.l1 = r.l1 * share, .l2 = r.l2 * share};
        if (seeds) seeds[i] = (lc_grad_seed){one->tensor, lc_penalty_slope(&each, b, one->tensor)};
    }
    return b->status;
}
