/*
 * reduce_quant.c: MEAN, SUM and REDUCE_PROD of int8, uint8 and int16 tensors, as LiteRT's reference kernels calculate: sums of 32 bits that
 * wrap, then one rescaling from the input's to the output's scale. A mean's division is part of the multiplier, so it rounds once. A
 * product rescales after every factor, so that it stays in range.
 *
 * Over nothing: sum and mean are the number 0 (LiteRT), the product is one.
 */
#include "kernels/quant.h"
#include "kernels/reduce.h"
#include "kernels/variants.h"

#include <math.h>

typedef struct plan {
    lc_multiplier scale;
    int32_t in_zero, out_zero, low, high;
    float out_scale;
} plan;

static lc_status plan_of(lc_kernel_ctx *ctx, plan **out, float *in_scale) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8) | LC_T(UINT8) | LC_T(INT16)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64)));
    plan *p = *out = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    LC_TRY(lc_quant_of(ctx, ctx->in[0], "input 0", in_scale, &p->in_zero));
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output 0", &p->out_scale, &p->out_zero));
    lc_int_limits(ctx->out[0]->type, &p->low, &p->high);
    if (ctx->in[0]->type == LC_INT16 && (p->in_zero || p->out_zero))
        return lc_fail(ctx->err, LC_INVALID, "%s of int16 needs zero points of 0", lc_op_name(ctx->node->op));
    return LC_OK;
}

/* The multiplier of a mean over `count` elements: the sum's, divided. The factor is widened first, as far as the shift allows. */
static lc_multiplier divided(lc_multiplier m, int64_t count) {
    int32_t shift = 0;
    while (shift < 62 && count >> (shift + 1)) shift++;
    if (shift > 32) shift = 32;
    if (shift > 31 + m.shift) shift = 31 + m.shift;
    return shift < 0 ? (lc_multiplier){0, 0} : (lc_multiplier){(int32_t)(((int64_t)m.factor << shift) / count), m.shift - shift};
}

static lc_status prepare_sum(lc_kernel_ctx *ctx) {
    lc_reduction r;
    plan *p;
    float in_scale;
    LC_TRY(plan_of(ctx, &p, &in_scale));
    p->scale = lc_multiplier_of((double)in_scale / (double)p->out_scale);
    LC_TRY(lc_reduction_of(ctx, &r));
    if (ctx->node->op == LC_OP_MEAN && r.count > 0) p->scale = divided(p->scale, r.count);
    return LC_OK;
}

static lc_status prepare_prod(lc_kernel_ctx *ctx) {
    lc_reduction r;
    plan *p;
    float in_scale;
    LC_TRY(plan_of(ctx, &p, &in_scale));
    LC_TRY(lc_reduction_of(ctx, &r));
    p->scale = lc_multiplier_of((double)in_scale / pow((double)p->out_scale, 1.0 / (double)(r.count ? r.count : 1)));
    return LC_OK;
}

static int32_t sum_of(const lc_reduction *r, const plan *p, const void *in, lc_dtype type, int64_t at) {
    uint32_t sum = 0;
    for (lc_nd_walk w = lc_nd_begin(&r->gone); !w.done; lc_nd_next(&r->gone, &w)) {
        const int64_t n = lc_nd_row(&r->gone), step = lc_nd_step(&r->gone, 1), from = at + w.at[1];
        if (type == LC_INT8)
            for (int64_t k = 0; k < n; k++) sum += (uint32_t)(int32_t)((const int8_t *)in)[from + k * step];
        else if (type == LC_UINT8)
            for (int64_t k = 0; k < n; k++) sum += ((const uint8_t *)in)[from + k * step];
        else
            for (int64_t k = 0; k < n; k++) sum += (uint32_t)(int32_t)((const int16_t *)in)[from + k * step];
    }
    if (r->count == 0) return 0;
    return (int32_t)((int64_t)lc_scale_i32((int32_t)(sum - (uint32_t)p->in_zero * (uint32_t)r->count), p->scale) + p->out_zero);
}

static int32_t prod_of(const lc_reduction *r, const plan *p, const void *in, lc_dtype type, int64_t at) {
    int32_t product = 0;
    bool first = true;
    for (lc_nd_walk w = lc_nd_begin(&r->gone); !w.done; lc_nd_next(&r->gone, &w))
        for (int64_t k = 0; k < lc_nd_row(&r->gone); k++) {
            const int32_t x = lc_int_at(in, type, at + w.at[1] + k * lc_nd_step(&r->gone, 1)) - p->in_zero;
            product = first ? x : lc_scale_i64((int64_t)product * x, p->scale);
            first = false;
        }
    const int64_t scaled =
        first ? llround(1.0 / (double)p->out_scale < 65536 ? 1.0 / (double)p->out_scale : 65536) : lc_scale_i64(product, p->scale);
    return (int32_t)(scaled + p->out_zero < INT32_MIN ? INT32_MIN : scaled + p->out_zero > INT32_MAX ? INT32_MAX : scaled + p->out_zero);
}

typedef int32_t (*one_fn)(const lc_reduction *r, const plan *p, const void *in, lc_dtype type, int64_t at);

static lc_status reduce(lc_kernel_ctx *ctx, one_fn one) {
    const plan *p = ctx->state;
    lc_reduction r;
    LC_TRY(lc_reduction_of(ctx, &r));
    const bool empty = ctx->node->op != LC_OP_REDUCE_PROD && r.count == 0;
    for (lc_nd_walk o = lc_nd_begin(&r.stay); !o.done; lc_nd_next(&r.stay, &o))
        for (int64_t i = 0; i < lc_nd_row(&r.stay); i++) {
            const int32_t x = one(&r, p, ctx->in[0]->data, ctx->in[0]->type, o.at[1] + i * lc_nd_step(&r.stay, 1));
            lc_int_put(ctx->out[0]->data, ctx->out[0]->type, o.at[0] + i * lc_nd_step(&r.stay, 0),
                       empty ? 0 : lc_clamp_i32(x, p->low, p->high));
        }
    return LC_OK;
}

static lc_status run_sum(lc_kernel_ctx *ctx) { return reduce(ctx, sum_of); }
static lc_status run_prod(lc_kernel_ctx *ctx) { return reduce(ctx, prod_of); }

const lc_kernel lc_reduce_quant_mean = {.prepare = prepare_sum, .run = run_sum};
const lc_kernel lc_reduce_quant_sum = {.prepare = prepare_sum, .run = run_sum};
const lc_kernel lc_reduce_quant_prod = {.prepare = prepare_prod, .run = run_prod};
