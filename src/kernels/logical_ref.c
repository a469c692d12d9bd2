/*
 * logical_ref.c: AND, OR, NOT of bools. Any byte that is not zero is true; results are 0 or 1.
 */
#include "kernels/ref.h"

static lc_status prepare(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T(BOOL)); }

static lc_status both(lc_kernel_ctx *ctx, bool conjunction) {
    const uint8_t *a = ctx->in[0]->data, *b = ctx->in[1]->data;
    uint8_t *out = ctx->out[0]->data;
    lc_nd nd;
    lc_nd_init(&nd, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 0, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 1, &ctx->in[0]->shape);
    lc_nd_operand(&nd, 2, &ctx->in[1]->shape);
    lc_nd_simplify(&nd);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        for (int64_t i = 0; i < lc_nd_row(&nd); i++) {
            bool x = a[w.at[1] + i * lc_nd_step(&nd, 1)], y = b[w.at[2] + i * lc_nd_step(&nd, 2)];
            out[w.at[0] + i] = conjunction ? x && y : x || y;
        }
    return LC_OK;
}

static lc_status run_and(lc_kernel_ctx *ctx) { return both(ctx, true); }
static lc_status run_or(lc_kernel_ctx *ctx) { return both(ctx, false); }
static lc_status run_not(lc_kernel_ctx *ctx) {
    const uint8_t *in = ctx->in[0]->data;
    uint8_t *out = ctx->out[0]->data;
    int64_t n = lc_ref_elements(ctx->in[0]);
    for (int64_t i = 0; i < n; i++) out[i] = !in[i];
    return LC_OK;
}

const lc_kernel lc_kernel_LOGICAL_AND = {.prepare = prepare, .run = run_and};
const lc_kernel lc_kernel_LOGICAL_OR = {.prepare = prepare, .run = run_or};
const lc_kernel lc_kernel_LOGICAL_NOT = {.prepare = prepare, .run = run_not};
