/*
 * softmax_quant.c: SOFTMAX and LOG_SOFTMAX of quantised tensors, bit for bit as LiteRT's reference kernels (its optimised 8-bit ones work
 * in float32 and differ by one here and there).
 *
 * 8 bits: the distances to the row's maximum in Q5.26, exp of each in fixed point, their sum in Q12.19; SOFTMAX multiplies by the sum's
 * reciprocal, LOG_SOFTMAX takes its logarithm off. Distances whose exp is nothing are left out. An 8-bit SOFTMAX may give int16. int16: exp
 * and 1 / (1 + x) by tables of 513 points on [-10, 0] and [0, 1].
 */
#include "kernels/elementwise.h"
#include "kernels/fixed.h"
#include "kernels/lut.h"
#include <math.h>

enum { DIFF_DIGITS = 5, SUM_DIGITS = 12 };

typedef struct state {
    lc_multiplier m, back; /* distance to Q5.26; and back again */
    int32_t diff_min;      /* lowest distance that counts */
    int32_t low, high;     /* of the output */
} state;

/* Distances in steps of `scale` to Q5.26, and the largest that fits. */
static void scale_distances(state *s, double scale) {
    const double most = 2147483647.0, factor = scale * (1 << (31 - DIFF_DIGITS));
    s->m = lc_multiplier_of(factor < most ? factor : most);
    const int32_t left = s->m.shift < 0 ? 0 : s->m.shift;
    s->diff_min = -(int32_t)floor((double)((1 << DIFF_DIGITS) - 1) * (1 << (31 - DIFF_DIGITS)) / (double)((int64_t)1 << left));
}

static lc_status refuse_output(lc_kernel_ctx *ctx, const char *wanted) {
    lc_fail(ctx->err, LC_UNSUPPORTED, "its %s output must have %s", lc_dtype_name(ctx->out[0]->type), wanted);
    lc_error_hint(ctx->err, "LiteRT refuses it too: the result has a fixed range, and the scale and zero point that go with it");
    return LC_UNSUPPORTED;
}

static int32_t row_maximum(const lc_value *in, int64_t at, int64_t depth) {
    int32_t max = lc_int_at(in->data, in->type, at);
    for (int64_t i = 1; i < depth; i++) {
        const int32_t x = lc_int_at(in->data, in->type, at + i);
        if (x > max) max = x;
    }
    return max;
}

static int32_t sum_of_exps(const state *s, const lc_value *in, int64_t at, int64_t depth, int32_t max) {
    int64_t sum = 0;
    for (int64_t i = 0; i < depth; i++) {
        const int32_t diff = lc_int_at(in->data, in->type, at + i) - max;
        if (diff >= s->diff_min) sum += lc_shift_right_round(lc_fixed_exp(lc_scale_i32(diff, s->m)), SUM_DIGITS);
    }
    return (int32_t)(sum > INT32_MAX ? INT32_MAX : sum); /* from 4096 equal numbers on */
}

/* ---- SOFTMAX of 8 bits ------------------------------------------------------------------------------------------------- */

static lc_status prepare(lc_kernel_ctx *ctx) {
    lc_lut_quant q;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8) | LC_T(UINT8)));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_lut_quant_of(ctx, &q));
    if (ctx->out[0]->type == LC_INT8 && (q.out_zero != -128 || fabsf(q.out_scale - 1.0f / 256) > 0.001f / 256))
        return refuse_output(ctx, "a scale of 1/256 and a zero point of -128");
    scale_distances(s, (double)LC_OP_ATTRS(ctx->node, SoftmaxOptions)->beta * (double)q.in_scale);
    lc_int_limits(ctx->out[0]->type, &s->low, &s->high);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    const int64_t depth = in->shape.dims[in->shape.rank - 1], n = lc_ref_elements(in);
    const int32_t bits = (int32_t)lc_dtype_bits(out->type);
    for (int64_t at = 0; at < n; at += depth) {
        int32_t over;
        const int32_t max = row_maximum(in, at, depth),
                      reciprocal = lc_fixed_reciprocal(sum_of_exps(s, in, at, depth, max), SUM_DIGITS, &over);
        for (int64_t i = 0; i < depth; i++) {
            const int32_t diff = lc_int_at(in->data, in->type, at + i) - max;
            int32_t y = s->low;
            if (diff >= s->diff_min)
                y = lc_clamp_i32(lc_shift_right_round(lc_high_mul(reciprocal, lc_fixed_exp(lc_scale_i32(diff, s->m))), over + 31 - bits) +
                                     s->low,
                                 s->low, s->high);
            lc_int_put(out->data, out->type, at + i, y);
        }
    }
    return LC_OK;
}

const lc_kernel lc_softmax_quant = {.prepare = prepare, .run = run};

/* ---- LOG_SOFTMAX ------------------------------------------------------------------------------------------------------- */

static lc_status prepare_log(lc_kernel_ctx *ctx) {
    lc_lut_quant q;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8) | LC_T(UINT8)));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_lut_quant_of(ctx, &q));
    lc_int_limits(ctx->out[0]->type, &s->low, &s->high);
    if (q.out_scale != 1.0f / 16 || q.out_zero != s->high)
        return refuse_output(ctx, "a scale of 1/16 and the highest number as zero point");
    scale_distances(s, (double)q.in_scale);
    if (s->m.factor) s->back = lc_multiplier_of(ldexp(1, 31 - s->m.shift) / (double)s->m.factor);
    return LC_OK;
}

static lc_status run_log(lc_kernel_ctx *ctx) {
    enum { OUT_DIGITS = 4 };
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    const int64_t depth = in->shape.dims[in->shape.rank - 1], n = lc_ref_elements(in);
    for (int64_t at = 0; at < n; at += depth) {
        const int32_t max = row_maximum(in, at, depth), log = lc_fixed_log(sum_of_exps(s, in, at, depth, max));
        const int32_t lowest = lc_scale_i32((int32_t)((uint32_t)log + 0x80000000u), s->back);
        const int32_t diff_min = lowest > s->diff_min - 1 ? lowest : s->diff_min - 1;
        for (int64_t i = 0; i < depth; i++) {
            const int32_t diff = lc_int_at(in->data, in->type, at + i) - max;
            int32_t y = s->low;
            if (diff > diff_min) {
                const int32_t x = (int32_t)((uint32_t)lc_scale_i32(diff, s->m) - (uint32_t)log);
                y = lc_clamp_i32(lc_shift_right_round(x, 31 - DIFF_DIGITS - OUT_DIGITS) + s->high, s->low, s->high);
            }
            lc_int_put(out->data, out->type, at + i, y);
        }
    }
    return LC_OK;
}

const lc_kernel lc_log_softmax_quant = {.prepare = prepare_log, .run = run_log};

/* ---- SOFTMAX of int16 ---------------------------------------------------------------------------------------------------- */

typedef struct state16 {
    lc_multiplier m; /* distance to 65535 steps of [-10, 0] */
    int16_t exps[LC_LUT16], reciprocals[LC_LUT16];
} state16;

static double reciprocal_of_more(double x) { return 1 / (1 + x); }

static lc_status prepare16(lc_kernel_ctx *ctx) {
    const double steps = 65535;
    lc_lut_quant q;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT16)));
    state16 *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_lut_quant_of(ctx, &q));
    if (q.in_zero) return lc_fail(ctx->err, LC_INVALID, "int16 tensors are quantised symmetrically: their zero points must be 0");
    if (q.out_zero || fabsf(q.out_scale - 1.0f / 32768) > 0.001f / 32768)
        return refuse_output(ctx, "a scale of 2^-15 and a zero point of 0");
    s->m = lc_multiplier_of((double)(q.in_scale * LC_OP_ATTRS(ctx->node, SoftmaxOptions)->beta) / (10 / steps));
    lc_lut16_fill_double(s->exps, 10 / steps, INT16_MAX, 2 / steps, 0, exp);
    lc_lut16_fill_double(s->reciprocals, 1 / steps, INT16_MIN, 2 / steps, 0, reciprocal_of_more);
    return LC_OK;
}

static lc_status run16(lc_kernel_ctx *ctx) {
    const state16 *s = ctx->state;
    const lc_value *v = ctx->in[0];
    const int64_t depth = v->shape.dims[v->shape.rank - 1], n = lc_ref_elements(v);
    for (int64_t at = 0; at < n; at += depth) {
        const int16_t *in = (const int16_t *)v->data + at;
        int16_t *out = (int16_t *)ctx->out[0]->data + at; /* holds the exps meanwhile; may be the input's memory */
        const int32_t max = row_maximum(v, at, depth);
        int64_t sum = 0;
        for (int64_t i = 0; i < depth; i++) {
            const int64_t x = (int64_t)lc_scale_i32(in[i] - max, s->m) + INT16_MAX;
            out[i] = lc_lut16_at(s->exps, (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x));
            sum += out[i];
        }
        /* The maximum alone gives 2^15 - 1; the other bound comes from the 32 bits LiteRT adds in. */
        if (sum < 1 << 14) sum = 1 << 14;
        if (sum > INT32_MAX) sum = INT32_MAX;
        int32_t room = 0; /* sum * 2^room is in [2^30, 2^31) */
        while (sum << room < 1 << 30) room++;
        const int64_t x = (((sum << room) + (1 << 13)) >> 14) - ((1 << 15) + (1 << 16));
        const int16_t reciprocal = lc_lut16_at(s->reciprocals, (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x));
        const int32_t right = 30 - room;
        for (int64_t i = 0; i < depth; i++) {
            const int64_t y = ((int64_t)out[i] * reciprocal + ((int64_t)1 << (right - 1))) >> right;
            out[i] = (int16_t)(y < 0 ? 0 : y > INT16_MAX ? INT16_MAX : y);
        }
    }
    return LC_OK;
}

const lc_kernel lc_softmax_quant16 = {.prepare = prepare16, .run = run16};
