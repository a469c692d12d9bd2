/*
 * norm_quant.c: L2_NORMALIZATION of int8 and uint8: each number's offset times 1 / sqrt(sum of the squared offsets of its row), in fixed
 * point, on a scale of 1/128. The input's scale falls out. A row of zeros gives zeros. Bit for bit as LiteRT's.
 */
#include "kernels/elementwise.h"
#include "kernels/fixed.h"

typedef struct state {
    int32_t zero;
} state;

static lc_status prepare(lc_kernel_ctx *ctx) {
    const bool is_signed = ctx->in[0]->type == LC_INT8;
    float scale;
    int32_t out_zero;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8) | LC_T(UINT8)));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_quant_of(ctx, ctx->in[0], "input 0", &scale, &s->zero));
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output 0", &scale, &out_zero));
    if (scale == 1.0f / 128 && out_zero == (is_signed ? 0 : 128)) return LC_OK;
    lc_fail(ctx->err, LC_UNSUPPORTED, "its %s output must have a scale of 1/128 and a zero point of %d", is_signed ? "int8" : "uint8",
            is_signed ? 0 : 128);
    lc_error_hint(ctx->err, "LiteRT refuses it too: the result is in [-1, 1], and has the scale that goes with it");
    return LC_UNSUPPORTED;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    const bool is_signed = in->type == LC_INT8;
    const int64_t depth = in->shape.dims[in->shape.rank - 1], n = lc_ref_elements(in);
    for (int64_t at = 0; at < n; at += depth) {
        int64_t sum = 0;
        for (int64_t i = 0; i < depth; i++) {
            const int32_t x = lc_int_at(in->data, in->type, at + i) - s->zero;
            sum += x * x;
        }
        lc_multiplier inverse = lc_fixed_inverse_sqrt((int32_t)(sum > INT32_MAX ? INT32_MAX : sum));
        if (is_signed) inverse.shift += 7; /* uint8 multiplies by 128 first, which rounds elsewhere */
        for (int64_t i = 0; i < depth; i++) {
            const int32_t x = lc_int_at(in->data, in->type, at + i) - s->zero;
            lc_int_put(out->data, in->type, at + i,
                       is_signed ? lc_clamp_i32(lc_scale_i32(x, inverse), -128, 127)
                                 : lc_clamp_i32(128 + lc_scale_i32(128 * x, inverse), 0, 255));
        }
    }
    return LC_OK;
}

const lc_kernel lc_l2_norm_quant = {.prepare = prepare, .run = run};
