/*
 * quant.c: see quant.h. The two roundings are those of fixed-point arithmetic with a saturating rounding doubling multiply-high
 * (ARM's SQRDMULH) and a rounding shift (SRSHL with ties away from zero), on which the specification rests.
 */
#include "kernels/quant.h"

#include <limits.h>
#include <math.h>

lc_multiplier lc_multiplier_of(double real) {
    if (!(real > 0) || !isfinite(real)) return (lc_multiplier){0, 0};
    int shift;
    const double mantissa = frexp(real, &shift); /* [0.5, 1) */
    int64_t factor = (int64_t)round(mantissa * 2147483648.0);
    if (factor == (int64_t)1 << 31) {
        factor /= 2;
        shift++;
    }
    if (shift < -31) return (lc_multiplier){0, 0};
    return (lc_multiplier){(int32_t)factor, shift};
}

int32_t lc_high_mul(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    const int64_t product = (int64_t)a * b;
    return (int32_t)((product + (product >= 0 ? (int64_t)1 << 30 : 1 - ((int64_t)1 << 30))) / ((int64_t)1 << 31));
}

int32_t lc_shift_right_round(int32_t x, int32_t n) {
    if (n <= 0) return x;
    if (n > 31) return 0;
    const int32_t mask = (int32_t)(((int64_t)1 << n) - 1), rest = x & mask, half = (mask >> 1) + (x < 0);
    return (x >> n) + (rest > half);
}

int32_t lc_scale_i32(int32_t x, lc_multiplier m) {
    const int32_t left = m.shift > 0 ? m.shift : 0, right = m.shift > 0 ? 0 : -m.shift;
    return lc_shift_right_round(lc_high_mul(lc_shift_left_wrap(x, left > 31 ? 31 : left), m.factor), right);
}

int32_t lc_scale_i64(int64_t x, lc_multiplier m) {
    const int32_t factor = m.factor < 0x7FFF0000 ? (m.factor + (1 << 15)) >> 16 : 0x7FFF;
    const int32_t shift = 15 - m.shift;
    if (shift <= 0 || shift > 62) return 0;
    const uint64_t product = (uint64_t)x * (uint64_t)(int64_t)factor + ((uint64_t)1 << (shift - 1));
    return (int32_t)((int64_t)product >> shift);
}

void lc_int_limits(lc_dtype type, int32_t *low, int32_t *high) {
    const bool is_signed = type == LC_INT8 || type == LC_INT16 || type == LC_INT32 || type == LC_INT4 || type == LC_INT2;
    const uint32_t bits = lc_dtype_bits(type);
    *low = !is_signed ? 0 : bits >= 32 ? INT32_MIN : -(1 << (bits - 1));
    *high = bits >= 32 ? INT32_MAX : is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}

static bool good_scale(float scale) { return isfinite(scale) && scale > 0; }

static lc_status bad(lc_kernel_ctx *ctx, const lc_value *v, const char *what, const char *why) {
    lc_fail(ctx->err, LC_INVALID, "%s (\"%.80s\", %s) %s", what, v->def && v->def->name.data ? v->def->name.data : "",
            lc_dtype_name(v->type), why);
    lc_error_hint(ctx->err, "the model's quantisation is damaged: convert it again");
    return LC_INVALID;
}

/* For a value without a scale of its own. */
static lc_status unscaled(lc_kernel_ctx *ctx, const lc_value *v, const char *what, const lc_QuantizationParameters *q) {
    if (!q || q->details.type != LC_QuantizationDetails_BlockwiseQuantization)
        return bad(ctx, v, what, "is not quantised: it has no scale");
    lc_fail(ctx->err, LC_UNSUPPORTED, "%s (\"%.80s\", %s) is quantised block-wise, which %s does not take", what,
            v->def->name.data ? v->def->name.data : "", lc_dtype_name(v->type), lc_op_name(ctx->node->op));
    lc_error_hint(ctx->err, "FULLY_CONNECTED takes int4 weights in blocks, EMBEDDING_LOOKUP int4 and int2; quantise others per channel");
    return LC_UNSUPPORTED;
}

lc_status lc_quant_of(lc_kernel_ctx *ctx, const lc_value *v, const char *what, float *scale, int32_t *zero) {
    const lc_QuantizationParameters *q = v->def ? v->def->quant : NULL;
    if (!q || q->scale.n == 0) return unscaled(ctx, v, what, q);
    if (q->scale.n != 1) return bad(ctx, v, what, "is quantised per channel, the operator needs one scale");
    if (!good_scale(q->scale.data[0])) return bad(ctx, v, what, "has a scale that is not a positive number");
    const int64_t z = q->zero_point.n ? q->zero_point.data[0] : 0;
    int32_t low, high;
    lc_int_limits(v->type, &low, &high);
    if (q->zero_point.n > 1 || z < low || z > high) return bad(ctx, v, what, "has a zero point outside its type");
    *scale = q->scale.data[0];
    *zero = (int32_t)z;
    return LC_OK;
}

lc_status lc_quant_channels(lc_kernel_ctx *ctx, const lc_value *v, const char *what, int32_t axis, bool symmetric, const float **scales,
                            int32_t *channels) {
    const lc_QuantizationParameters *q = v->def ? v->def->quant : NULL;
    if (!q || q->scale.n == 0) return unscaled(ctx, v, what, q);
    if (q->scale.n > 1 &&
        (q->quantized_dimension != axis || axis < 0 || axis >= v->shape.rank || (int64_t)q->scale.n != v->shape.dims[axis]))
        return bad(ctx, v, what, "has scales for another dimension or number of channels than the operator has");
    for (uint32_t i = 0; i < q->scale.n; i++)
        if (!good_scale(q->scale.data[i])) return bad(ctx, v, what, "has a scale that is not a positive number");
    if (q->zero_point.n > 1 && q->zero_point.n != q->scale.n) return bad(ctx, v, what, "has not as many zero points as scales");
    for (uint32_t i = 0; symmetric && i < q->zero_point.n; i++)
        if (q->zero_point.data[i] != 0) return bad(ctx, v, what, "has a zero point, which must be 0 here");
    *scales = q->scale.data;
    *channels = (int32_t)q->scale.n;
    return LC_OK;
}

const lc_tensor *lc_quant_tensor(const lc_kernel_ctx *ctx, int32_t number) {
    return ctx->graph && number >= 0 && (size_t)number < ctx->graph->tensor_count ? &ctx->graph->tensors[number] : NULL;
}

/* `real` as the nearest q, ties away from zero; far outside the type it is cut. */
static int32_t quantised(float real, float scale, int32_t zero) {
    const float q = roundf(real / scale);
    return q > 1e9f ? INT32_MAX : q < -1e9f ? INT32_MIN : (int32_t)((int64_t)zero + (int64_t)q);
}

lc_status lc_quant_range(lc_kernel_ctx *ctx, int8_t activation, lc_dtype type, float scale, int32_t zero, int32_t *low, int32_t *high) {
    int32_t from, to;
    float real_low, real_high;
    lc_int_limits(type, low, high);
    if (!lc_activation_range(activation, &real_low, &real_high))
        return lc_fail(ctx->err, LC_UNSUPPORTED, "its fused activation cannot be applied to %s", lc_dtype_name(type));
    from = isfinite(real_low) ? quantised(real_low, scale, zero) : *low;
    to = isfinite(real_high) ? quantised(real_high, scale, zero) : *high;
    if (from > *low) *low = from;
    if (to < *high) *high = to;
    return LC_OK;
}
