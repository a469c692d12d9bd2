/*
 * quantize_quant.c: QUANTIZE from one integer type to another: q' = (q - zero) * scale / scale' + zero', by a fixed-point multiplier,
 * clamped to the type. 8-bit inputs have their 256 answers in a table.
 */
#include "kernels/elementwise.h"

typedef struct state {
    lc_multiplier m;
    int32_t in_zero, out_zero, low, high;
    int16_t table[256];
} state;

static inline int32_t again(const state *s, int32_t x) {
    const int64_t y = (int64_t)lc_scale_i32((int32_t)((uint32_t)x - (uint32_t)s->in_zero), s->m) + s->out_zero;
    return (int32_t)(y < s->low ? s->low : y > s->high ? s->high : y);
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type;
    float in_scale, out_scale;
    LC_TRY(lc_ref_input(ctx, 0, 1u << in));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_quant_of(ctx, ctx->in[0], "input 0", &in_scale, &s->in_zero));
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output 0", &out_scale, &s->out_zero));
    s->m = lc_multiplier_of((double)in_scale / (double)out_scale);
    lc_int_limits(ctx->out[0]->type, &s->low, &s->high);
    if (in == LC_INT8 || in == LC_UINT8)
        for (int32_t i = 0; i < 256; i++) s->table[i] = (int16_t)again(s, in == LC_INT8 ? (int8_t)i : i);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    const bool bytes = in->type == LC_INT8 || in->type == LC_UINT8;
    const int64_t n = lc_ref_elements(in);
    for (int64_t i = 0; i < n; i++)
        lc_int_put(out->data, out->type, i, bytes ? s->table[((const uint8_t *)in->data)[i]] : again(s, lc_int_at(in->data, in->type, i)));
    return LC_OK;
}

const lc_kernel lc_quantize_again = {.prepare = prepare, .run = run};
