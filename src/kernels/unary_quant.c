/*
 * unary_quant.c: ABS, SQRT, RSQRT, EXP and LOG of quantised int8 and int16, with LiteRT's definition of each, bit for bit.
 *
 * Every int8 function is a table of its 256 answers. An int16 one is computed: EXP, LOG and RSQRT between the points of a table (lut.h),
 * ABS in fixed point, SQRT in float32, its fraction dropped. SQRT and RSQRT of a negative number is an error of the run. Where LOG and
 * RSQRT have no value, at 0 and below, they give the lowest and the highest number of the output.
 */
#include "kernels/elementwise.h"
#include "kernels/fixed.h"
#include "kernels/lut.h"
#include <math.h>

typedef struct state {
    lc_lut_quant q;
    lc_multiplier m;
    int32_t low, high;
    float edge; /* what LOG or RSQRT gives at 0 */
    union {
        int8_t bytes[256];
        int16_t points[LC_LUT16];
    } table;
} state;

static float exponential(float x, const void *more) { return (void)more, expf(x); }
static float logarithm(float x, const void *edge) { return x <= 0 ? *(const float *)edge : logf(x); }
static float inverse_root(float x, const void *edge) { return x <= 0 ? *(const float *)edge : 1.0f / sqrtf(x); }

static int32_t absolute(const state *s, int32_t x) {
    const int32_t v = x < s->q.in_zero ? s->q.in_zero - x : x - s->q.in_zero;
    const int64_t y = (int64_t)(s->q.in_scale == s->q.out_scale ? v : lc_scale_i32(v, s->m)) + s->q.out_zero;
    return (int32_t)(y < s->low ? s->low : y > s->high ? s->high : y);
}
static int32_t root(const state *s, int32_t x) {
    const float y = sqrtf(s->q.in_scale * (float)(x < s->q.in_zero ? 0 : x - s->q.in_zero)) / s->q.out_scale;
    return y > 1e6f ? s->high : lc_clamp_i32((int32_t)y + s->q.out_zero, s->low, s->high);
}
static int32_t inverse_root_8(const state *s, int32_t x) {
    enum { KEEP = 20 }; /* bits behind the point between the two steps */
    if (x <= s->q.in_zero) return s->high;
    lc_multiplier inverse = lc_fixed_inverse_sqrt(x - s->q.in_zero), last = s->m;
    inverse.shift += KEEP;
    last.shift -= KEEP;
    const int64_t y = (int64_t)lc_scale_i32(lc_scale_i32(1, inverse), last) + s->q.out_zero;
    return (int32_t)(y < s->low ? s->low : y > s->high ? s->high : y);
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const int32_t op = ctx->node->op;
    const lc_dtype type = ctx->in[0]->type;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8) | LC_T(INT16)));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_lut_quant_of(ctx, &s->q));
    if (type == LC_INT16 && (s->q.in_zero || s->q.out_zero))
        return lc_fail(ctx->err, LC_INVALID, "int16 tensors are quantised symmetrically: their zero points must be 0");
    lc_int_limits(type, &s->low, &s->high);
    s->m = lc_multiplier_of(op == LC_OP_RSQRT ? 1.0 / (double)(sqrtf(s->q.in_scale) * s->q.out_scale)
                                              : (double)(s->q.in_scale / s->q.out_scale));
    s->edge = op == LC_OP_LOG ? (float)(s->low - s->q.out_zero) * s->q.out_scale : (float)INT16_MAX * s->q.out_scale;
    if (op == LC_OP_EXP || op == LC_OP_LOG || (op == LC_OP_RSQRT && type == LC_INT16)) {
        float (*const f)(float, const void *) = op == LC_OP_EXP ? exponential : op == LC_OP_LOG ? logarithm : inverse_root;
        if (type == LC_INT16) lc_lut16_fill(s->table.points, &s->q, f, &s->edge);
        else lc_lut8_fill((uint8_t *)s->table.bytes, type, &s->q, f, &s->edge);
    } else if (type == LC_INT8) {
        int32_t (*const f)(const state *, int32_t) = op == LC_OP_ABS ? absolute : op == LC_OP_SQRT ? root : inverse_root_8;
        for (int32_t i = 0; i < 256; i++) s->table.bytes[i] = (int8_t)f(s, (int8_t)i);
    }
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0];
    const int32_t op = ctx->node->op;
    const int64_t n = lc_ref_elements(in);
    for (int64_t i = 0; (op == LC_OP_SQRT || op == LC_OP_RSQRT) && i < n; i++)
        if (lc_int_at(in->data, in->type, i) < s->q.in_zero)
            return lc_fail(ctx->err, LC_INVALID, "%s of a negative number (element %lld)", lc_op_name(op), (long long)i);
    if (in->type == LC_INT8) {
        for (int64_t i = 0; i < n; i++) ((int8_t *)ctx->out[0]->data)[i] = s->table.bytes[((const uint8_t *)in->data)[i]];
        return LC_OK;
    }
    const int16_t *from = in->data;
    int16_t *to = ctx->out[0]->data;
    if (op == LC_OP_ABS)
        for (int64_t i = 0; i < n; i++) to[i] = (int16_t)absolute(s, from[i]);
    else if (op == LC_OP_SQRT)
        for (int64_t i = 0; i < n; i++) to[i] = (int16_t)root(s, from[i]);
    else
        for (int64_t i = 0; i < n; i++) to[i] = lc_lut16_at(s->table.points, from[i]);
    return LC_OK;
}

const lc_kernel lc_unary_quant = {.prepare = prepare, .run = run};
