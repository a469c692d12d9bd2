/*
 * select_ref.c: SELECT_V2 and SELECT: out = condition ? x : y, all three broadcast. Elements are moved, not looked at: any type of whole bytes.
 */
#include "kernels/ref.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(BOOL)));
    return lc_ref_inputs(ctx, 1, LC_T_WHOLE);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const uint8_t *condition = ctx->in[0]->data;
    int64_t width = (int64_t)lc_ref_width(ctx->out[0]);
    lc_nd nd;
    lc_nd_init(&nd, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 0, &ctx->out[0]->shape);
    lc_shape c = ctx->in[0]->shape;
    if (ctx->node->op == LC_OP_SELECT && c.rank == 1) { /* one bool for each entry of the first dimension */
        c.rank = ctx->out[0]->shape.rank;
        for (int32_t d = 1; d < c.rank; d++) c.dims[d] = 1;
    }
    lc_nd_operand(&nd, 1, &c);
    for (int k = 2; k < 4; k++) lc_nd_operand(&nd, k, &ctx->in[k - 1]->shape);
    lc_nd_simplify(&nd);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        for (int64_t i = 0; i < lc_nd_row(&nd); i++) {
            int k = condition[w.at[1] + i * lc_nd_step(&nd, 1)] ? 2 : 3;
            lc_copy_elements((char *)ctx->out[0]->data + (w.at[0] + i) * width, 1,
                             (const char *)ctx->in[k - 1]->data + (w.at[k] + i * lc_nd_step(&nd, k)) * width, 1, 1,
                             (size_t)width);
        }
    return LC_OK;
}

const lc_kernel lc_kernel_SELECT = {prepare, run};
const lc_kernel lc_kernel_SELECT_V2 = {prepare, run};
