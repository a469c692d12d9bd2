/*
 * activation_quant.c: the activations of quantised int8, uint8 and int16, with LiteRT's definition of each, bit for bit.
 *
 * Every 8-bit function is a table of its 256 answers: LOGISTIC, TANH, ELU and GELU computed in float32 (lut.h), the RELUs and LEAKY_RELU by
 * fixed-point multipliers, HARD_SWISH in 16-bit fixed point. Of int16 the RELUs and LEAKY_RELU are computed, GELU lies between the points
 * of a table, and LOGISTIC and TANH between those of one table of the logistic function at steps of 1/24 (their outputs have a scale of
 * 2^-15).
 */
#include "kernels/elementwise.h"
#include "kernels/lut.h"
#include <math.h>

enum { SIGMOID = 256 };

typedef struct state {
    lc_lut_quant q;
    lc_multiplier m, negative; /* of x >= 0 and of x < 0; m.shift: bits to drop after it, for int16 LOGISTIC and TANH */
    bool flips;                /* the slope is below 0 */
    int32_t low, high;
    union {
        uint8_t bytes[256];
        int16_t points[LC_LUT16];
        uint16_t sigmoid[SIGMOID];
    } table;
} state;

static const struct {
    int32_t op;
    uint32_t types;
} has[] = {
#define BYTES (LC_T(INT8) | LC_T(UINT8))
    {LC_OP_RELU, BYTES | LC_T(INT16)},
    {LC_OP_RELU6, BYTES | LC_T(INT16)},
    {LC_OP_RELU_N1_TO_1, BYTES},
    {LC_OP_RELU_0_TO_1, BYTES},
    {LC_OP_LEAKY_RELU, BYTES | LC_T(INT16)},
    {LC_OP_LOGISTIC, BYTES | LC_T(INT16)},
    {LC_OP_TANH, BYTES | LC_T(INT16)},
    {LC_OP_HARD_SWISH, BYTES},
    {LC_OP_ELU, LC_T(INT8)},
    {LC_OP_GELU, BYTES | LC_T(INT16)},
    {LC_OP_PRELU, BYTES | LC_T(INT16)},
};

bool lc_activation_quant_has(int32_t op, lc_dtype type) {
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        if (has[i].op == op) return type >= 0 && type < LC_DTYPE_COUNT && (has[i].types >> type & 1);
    return false;
}

static int32_t clamp(const state *s, int64_t x) { return (int32_t)(x < s->low ? s->low : x > s->high ? s->high : x); }

/* ---- functions in float32 ------------------------------------------------------------------------------------------- */

static float logistic(float x, const void *more) { return (void)more, 1.0f / (1.0f + expf(-x)); }
static float hyperbolic(float x, const void *more) { return (void)more, tanhf(x); }
static float elu(float x, const void *more) { return (void)more, x < 0 ? expm1f(x) : x; }
static float gelu(float x, const void *more) { return (void)more, 0.5f * x * erfcf(x * -0.70710678118654752f); }
static float gelu_tanh(float x, const void *more) {
    return (void)more, 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
}

/* ---- functions in fixed point --------------------------------------------------------------------------------------- */

/* The RELUs (one slope) and LEAKY_RELU. */
static int32_t slopes(const state *s, int32_t x) {
    const int32_t d = x - s->q.in_zero, y = lc_scale_i32(d, d >= 0 ? s->m : s->negative);
    return clamp(s, (int64_t)s->q.out_zero + (d < 0 && s->flips ? -(int64_t)y : y));
}

static int32_t clip16(int64_t x) { return (int32_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x); }
static int32_t high_mul16(int32_t a, int32_t b) { /* rounding, saturating */
    return clip16((a * b + (a * b >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}
static int32_t factor16(lc_multiplier m) { return m.factor >= INT32_MAX - (1 << 15) ? INT16_MAX : (m.factor + (1 << 15)) >> 16; }

/* x on a scale 128 times finer; times the output's factor; times (x + 3) / 6 in [0, 1], for which s->negative brings x to 3 = 2^15. */
static int32_t hard_swish(const state *s, int32_t x) {
    const int32_t fine = (int16_t)((uint32_t)(x - s->q.in_zero) << 7), product = high_mul16(fine, factor16(s->m)),
                  shift = s->negative.shift;
    int32_t relu = fine;
    if (shift > 0) relu = clip16((int64_t)relu * ((int64_t)1 << (shift - 1 > 31 ? 31 : shift - 1)));
    relu = high_mul16(relu, factor16(s->negative));
    if (shift > 0) relu = clip16((int64_t)relu * 2);
    if (shift < 0) relu = lc_shift_right_round(relu, -shift);
    relu = (relu + (1 << 15)) >> 1;
    const int32_t y = lc_shift_right_round(relu * product / (1 << 15), -s->m.shift);
    return clamp(s, (int16_t)(y + s->q.out_zero));
}

/* ---- LOGISTIC and TANH of int16 -------------------------------------------------------------------------------------- */

/* x on a scale of 1 / (3 * 4096): 2^17 stands for 32/3, where the table ends. */
static int32_t on_table(const state *s, int16_t x) {
    const int64_t y = ((int64_t)x * s->m.factor + (s->m.shift > 0 ? (int64_t)1 << (s->m.shift - 1) : 0)) >> s->m.shift;
    return (int32_t)(y > INT32_MAX ? INT32_MAX : y < -INT32_MAX ? -INT32_MAX : y);
}
static int16_t logistic_16(const state *s, int16_t in) {
    const int32_t x = on_table(s, in);
    const uint32_t size = (uint32_t)(x < 0 ? -x : x), i = size >> 9;
    const uint16_t *t = s->table.sigmoid;
    const uint32_t y = i >= SIGMOID - 1 ? 0x7fffu << 10 : ((uint32_t)t[i] << 9) + (size & 0x1ff) * (uint32_t)(t[i + 1] - t[i]);
    return (int16_t)((x >= 0 ? y + (1 << 9) : (1u << 25) - y + (1 << 9) - 1) >> 10);
}
static int16_t tanh_16(const state *s, int16_t in) { /* 2 logistic(2 x) - 1 */
    const int32_t x = on_table(s, in);
    const uint32_t size = (uint32_t)(x < 0 ? -x : x), i = size >> 8;
    const uint16_t *t = s->table.sigmoid;
    const int32_t y = i >= SIGMOID - 1 ? 0xffff << 8 : ((int32_t)t[i] << 8) + (int32_t)(size & 0xff) * (t[i + 1] - t[i]);
    return (int16_t)((x >= 0 ? y - (1 << 23) + (1 << 7) : -y + (1 << 23) + (1 << 7) - 1) >> 8);
}

/* log2 of a scale, rounded; *exact: it is one, to a thousandth. */
static int32_t log2_of(float scale, bool *exact) {
    const float x = logf(scale) * (1.0f / logf(2.0f)), whole = roundf(x);
    *exact = fabsf(x - whole) < 1e-3f;
    return (int32_t)whole;
}

static double sigmoid_point(double i) { return 65536 / (1 + exp(-i / 24)); }

static lc_status prepare_sigmoid(lc_kernel_ctx *ctx, state *s) {
    bool exact, out_exact;
    const int32_t left = 12 + log2_of(s->q.in_scale, &exact);
    if (log2_of(s->q.out_scale, &out_exact) != -15 || !out_exact)
        return lc_fail(ctx->err, LC_INVALID, "its int16 output must have a scale of 2^-15");
    for (int32_t i = 0; i < SIGMOID - 1; i++) { /* each point moved by half the error of the straight line in the middle of its piece */
        const double y = sigmoid_point(i), error = (sigmoid_point(i + 1) + y) / 2 - sigmoid_point(i + 0.5);
        s->table.sigmoid[i] = (uint16_t)floor(y - error / 2 + 0.5);
    }
    s->table.sigmoid[SIGMOID - 1] = 65535;
    if (exact && (left == 0 || (left == 1 && ctx->node->op == LC_OP_TANH))) {
        s->m = (lc_multiplier){3 << left, 0};
        return LC_OK;
    }
    double factor = (double)s->q.in_scale * 4096.0 * 3.0;
    for (s->m.shift = 0; factor <= 32767.0 / 2.0 && s->m.shift <= 30; s->m.shift++) factor *= 2;
    s->m.factor = factor > 1e9 ? 1000000000 : (int32_t)factor;
    return LC_OK;
}

/* ---- the kernel ------------------------------------------------------------------------------------------------------ */

/* [low, high] of the output: the type's, or what the operator's clamp leaves of it. */
static void limits(const lc_kernel_ctx *ctx, state *s) {
    const int32_t op = ctx->node->op;
    float from = -INFINITY, to = INFINITY;
    lc_int_limits(ctx->out[0]->type, &s->low, &s->high);
    if (op == LC_OP_RELU || op == LC_OP_RELU6 || op == LC_OP_RELU_0_TO_1) from = 0;
    if (op == LC_OP_RELU_N1_TO_1) from = -1;
    if (op == LC_OP_RELU_N1_TO_1 || op == LC_OP_RELU_0_TO_1) to = 1;
    if (op == LC_OP_RELU6) to = 6;
    const float low = roundf(from / s->q.out_scale), high = roundf(to / s->q.out_scale);
    if (low > -1e6f && (int32_t)low + s->q.out_zero > s->low) s->low = (int32_t)low + s->q.out_zero;
    if (high < 1e6f && (int32_t)high + s->q.out_zero < s->high) s->high = (int32_t)high + s->q.out_zero;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const int32_t op = ctx->node->op;
    const lc_dtype type = ctx->in[0]->type;
    LC_TRY(lc_ref_input(ctx, 0, BYTES | LC_T(INT16)));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_lut_quant_of(ctx, &s->q));
    if (type == LC_INT16 && (s->q.in_zero || s->q.out_zero) && op != LC_OP_GELU)
        return lc_fail(ctx->err, LC_INVALID, "int16 tensors are quantised symmetrically: their zero points must be 0");
    limits(ctx, s);
    const float alpha = LC_OP_ATTRS(ctx->node, LeakyReluOptions)->alpha; /* of LEAKY_RELU */
    float (*f)(float, const void *) = NULL;
    int32_t (*g)(const state *, int32_t) = slopes;
    s->m = s->negative = lc_multiplier_of((double)(s->q.in_scale / s->q.out_scale));
    if (op == LC_OP_LOGISTIC) f = logistic;
    if (op == LC_OP_TANH) f = hyperbolic;
    if (op == LC_OP_ELU) f = elu;
    if (op == LC_OP_GELU) f = LC_OP_ATTRS(ctx->node, GeluOptions)->approximate ? gelu_tanh : gelu;
    if (op == LC_OP_LEAKY_RELU) {
        s->flips = alpha < 0;
        s->negative = lc_multiplier_of((double)fabsf(s->q.in_scale * alpha / s->q.out_scale));
    }
    if (op == LC_OP_HARD_SWISH) {
        g = hard_swish;
        s->m = lc_multiplier_of((double)(s->q.in_scale / 128 / s->q.out_scale));
        s->negative = lc_multiplier_of((double)(s->q.in_scale / 128 / (3.0f / 32768.0f)));
        if (s->m.shift > 0)
            return lc_fail(ctx->err, LC_UNSUPPORTED, "its output scale %g is too fine for the input scale %g", (double)s->q.out_scale,
                           (double)s->q.in_scale);
    }
    if (type == LC_INT16 && f && op != LC_OP_GELU) return prepare_sigmoid(ctx, s);
    if (type == LC_INT16 && f) lc_lut16_fill(s->table.points, &s->q, f, NULL);
    else if (f) lc_lut8_fill(s->table.bytes, type, &s->q, f, NULL);
    else if (type != LC_INT16)
        for (int32_t i = 0; i < 256; i++) s->table.bytes[i] = (uint8_t)g(s, type == LC_INT8 ? (int8_t)i : i);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0];
    const int64_t n = lc_ref_elements(in);
    if (in->type != LC_INT16) {
        for (int64_t i = 0; i < n; i++) ((uint8_t *)ctx->out[0]->data)[i] = s->table.bytes[((const uint8_t *)in->data)[i]];
        return LC_OK;
    }
    const int16_t *from = in->data;
    int16_t *to = ctx->out[0]->data;
    if (ctx->node->op == LC_OP_LOGISTIC)
        for (int64_t i = 0; i < n; i++) to[i] = logistic_16(s, from[i]);
    else if (ctx->node->op == LC_OP_TANH)
        for (int64_t i = 0; i < n; i++) to[i] = tanh_16(s, from[i]);
    else if (ctx->node->op == LC_OP_GELU)
        for (int64_t i = 0; i < n; i++) to[i] = lc_lut16_at(s->table.points, from[i]);
    else
        for (int64_t i = 0; i < n; i++) to[i] = (int16_t)slopes(s, from[i]);
    return LC_OK;
}

const lc_kernel lc_activation_quant = {.prepare = prepare, .run = run};

/* ---- PRELU ------------------------------------------------------------------------------------------------------------ */

typedef struct prelu_state {
    state s; /* s.negative: of the product of input and slope */
    int32_t alpha_zero;
    lc_nd nd; /* operand 0: input and output, 1: slopes */
} prelu_state;

static lc_status prepare_prelu(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *alpha = ctx->in[1];
    float alpha_scale;
    LC_TRY(lc_ref_input(ctx, 0, BYTES | LC_T(INT16)));
    LC_TRY(lc_ref_input(ctx, 1, in->type == LC_UINT8 ? LC_T(UINT8) : LC_T(INT8)));
    prelu_state *p = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    LC_TRY(lc_lut_quant_of(ctx, &p->s.q));
    LC_TRY(lc_quant_of(ctx, alpha, "input 1", &alpha_scale, &p->alpha_zero));
    p->s.m = lc_multiplier_of((double)(p->s.q.in_scale / p->s.q.out_scale));
    p->s.negative = lc_multiplier_of((double)(p->s.q.in_scale * alpha_scale / p->s.q.out_scale));
    lc_int_limits(in->type, &p->s.low, &p->s.high);
    lc_nd_init(&p->nd, &in->shape);
    lc_nd_operand(&p->nd, 0, &in->shape);
    lc_nd_operand(&p->nd, 1, &alpha->shape);
    lc_nd_simplify(&p->nd);
    return LC_OK;
}

static lc_status run_prelu(lc_kernel_ctx *ctx) {
    const prelu_state *p = ctx->state;
    const lc_value *in = ctx->in[0], *alpha = ctx->in[1];
    for (lc_nd_walk w = lc_nd_begin(&p->nd); !w.done; lc_nd_next(&p->nd, &w))
        for (int64_t i = 0; i < lc_nd_row(&p->nd); i++) {
            const int32_t x = lc_int_at(in->data, in->type, w.at[0] + i) - p->s.q.in_zero;
            const int32_t a = lc_int_at(alpha->data, alpha->type, w.at[1] + i * lc_nd_step(&p->nd, 1)) - p->alpha_zero;
            const int32_t y = x >= 0 ? lc_scale_i32(x, p->s.m) : lc_scale_i32(x * a, p->s.negative);
            lc_int_put(ctx->out[0]->data, in->type, w.at[0] + i, clamp(&p->s, (int64_t)y + p->s.q.out_zero));
        }
    return LC_OK;
}

const lc_kernel lc_prelu_quant = {.prepare = prepare_prelu, .run = run_prelu};
