/*
 * compare_quant.c: EQUAL ... GREATER_EQUAL of quantised int8, uint8 and int16 tensors that broadcast: each number's offset, 8 bits up,
 * times its own scale in fixed point; what comes out is compared, so that numbers closer than that precision are equal (as in LiteRT).
 */
#include "kernels/elementwise.h"

typedef struct state {
    lc_nd nd; /* operand 0: out, 1 and 2: inputs */
    lc_multiplier m[2];
    int32_t zero[2];
} state;

static lc_status prepare(lc_kernel_ctx *ctx) {
    float scale;
    LC_TRY(lc_ref_inputs(ctx, 0, 1u << ctx->in[0]->type));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    for (uint32_t i = 0; i < 2; i++) {
        LC_TRY(lc_quant_of(ctx, ctx->in[i], i ? "input 1" : "input 0", &scale, &s->zero[i]));
        s->m[i] = lc_multiplier_of((double)scale);
    }
    lc_nd_init(&s->nd, &ctx->out[0]->shape);
    lc_nd_operand(&s->nd, 0, &ctx->out[0]->shape);
    lc_nd_operand(&s->nd, 1, &ctx->in[0]->shape);
    lc_nd_operand(&s->nd, 2, &ctx->in[1]->shape);
    lc_nd_simplify(&s->nd);
    return LC_OK;
}

static int32_t scaled(const state *s, int k, const lc_value *v, int64_t i) {
    return lc_scale_i32(lc_shift_left_wrap(lc_int_at(v->data, v->type, i) - s->zero[k], 8), s->m[k]);
}

/* What an operator accepts. */
enum { BELOW = 1, SAME = 2, ABOVE = 4 };
static const struct {
    int32_t op;
    int accepts;
} accepted[] = {
    {LC_OP_EQUAL, SAME},    {LC_OP_NOT_EQUAL, BELOW | ABOVE},    {LC_OP_LESS, BELOW}, {LC_OP_LESS_EQUAL, BELOW | SAME},
    {LC_OP_GREATER, ABOVE}, {LC_OP_GREATER_EQUAL, ABOVE | SAME},
};

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    uint8_t *out = ctx->out[0]->data;
    int accepts = 0;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        if (accepted[i].op == ctx->node->op) accepts = accepted[i].accepts;
    for (lc_nd_walk w = lc_nd_begin(&s->nd); !w.done; lc_nd_next(&s->nd, &w))
        for (int64_t i = 0; i < lc_nd_row(&s->nd); i++) {
            const int32_t a = scaled(s, 0, ctx->in[0], w.at[1] + i * lc_nd_step(&s->nd, 1)),
                          b = scaled(s, 1, ctx->in[1], w.at[2] + i * lc_nd_step(&s->nd, 2));
            out[w.at[0] + i] = (accepts & (a < b ? BELOW : a == b ? SAME : ABOVE)) != 0;
        }
    return LC_OK;
}

const lc_kernel lc_compare_quant = {.prepare = prepare, .run = run};
