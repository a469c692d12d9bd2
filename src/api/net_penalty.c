/*
 * net_penalty.c: activity regularisers: l1 times the sum of what a layer gives, without its sign, and l2 times that of the squares, both a sample.
 */
#include "api/net.h"

#include "ops/build.h"

/* l1 sum |y| + l2 sum y^2 as a scalar. */
static int32_t value_of(lc_builder *b, int32_t y, const lc_regularizer *r) {
    int32_t axes[LC_MAX_RANK], sums[2];
    lc_shape s;
    if (!lc_build_shape(b, y, &s)) return -1;
    for (int32_t i = 0; i < s.rank; i++) axes[i] = i;
    for (int k = 0; k < 2; k++) {
        const int32_t each = lc_build_unary(b, k ? LC_OP_SQUARE : LC_OP_ABS, y);
        sums[k] = lc_build_with_scalar(b, LC_OP_MUL, lc_build_reduce(b, LC_OP_SUM, each, axes, (uint32_t)s.rank, false), "factor",
                                       k ? r->l2 : r->l1);
    }
    return lc_build_binary(b, LC_OP_ADD, sums[0], sums[1], LC_ActivationFunctionType_NONE);
}

/* l1 sign(y) + 2 l2 y, a sample. */
static int32_t slope_of(lc_builder *b, int32_t y, const lc_regularizer *r, uint32_t rows) {
    const float share = rows ? 1 / (float)rows : 0;
    const int32_t one = lc_build_with_scalar(b, LC_OP_MUL, lc_build_unary(b, LC_OP_SIGN, y), "l1", r->l1 * share);
    const int32_t two = lc_build_with_scalar(b, LC_OP_MUL, y, "l2", 2 * r->l2 * share);
    return lc_build_binary(b, LC_OP_ADD, one, two, LC_ActivationFunctionType_NONE);
}

lc_status lc_net_penalties(lc_builder *b, const lc_penalties *p, uint32_t rows, int32_t *values, lc_grad_seed *seeds) {
    for (uint32_t i = 0; i < p->count; i++) {
        const lc_penalty *one = &p->list[i];
        lc_regularizer r = {.l1 = one->l1, .l2 = one->l2};
        if (one->regularizer && !lc_build_check(b, lc_regularizer_read(one->regularizer, &r, b->err))) return b->status;
        if (r.orthogonal != 0) {
            lc_build_fail(b, LC_UNSUPPORTED, "litec has no orthogonal regulariser of activities");
            return b->status;
        }
        values[i] = value_of(b, one->tensor, &r);
        if (seeds) seeds[i] = (lc_grad_seed){one->tensor, slope_of(b, one->tensor, &r, rows)};
    }
    return b->status;
}
