/*
 * binary_quant.c: ADD, SUB, MUL, DIV and SQUARED_DIFFERENCE of quantised tensors that broadcast, with a clamp after it.
 *
 *   ADD, SUB             both operands are shifted up (20 bits; 15 for int16) and brought to twice the larger of their scales, added, and
 * brought to the output's SQUARED_DIFFERENCE   the same with a shift of 7, the difference squared MUL                  the product of the
 * two offsets, brought to the output's scale DIV                  times the divisor's reciprocal in fixed point. A divisor that stands for
 * 0 is an error of the run. ADD, SUB of int16 with pot_scale_int16 and scales that are powers of two: one operand is shifted right, the sum
 * saturates (LSTM cells of old models) MUL of int16 into int8 or uint8: the product of two numbers in [-1, 1) as an 8-bit one, scales not
 * looked at
 *
 * Bit for bit as LiteRT's reference kernels; the specification is in quant.h. Factors are float32 where theirs are.
 */
#include "kernels/elementwise.h"
#include "kernels/fixed.h"
#include <math.h>

typedef struct state state;
typedef void (*row_fn)(const state *s, void *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n);

struct state {
    row_fn row;
    lc_nd nd; /* operand 0: out, 1 and 2: inputs */
    lc_multiplier a, b, out;
    int32_t left, zero_a, zero_b, zero_out, low, high;
};

static inline int32_t sum(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static inline int32_t difference(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
static inline int32_t clamp(const state *s, int64_t x) { return (int32_t)(x < s->low ? s->low : x > s->high ? s->high : x); }
static inline int32_t finish(const state *s, int32_t x) { return clamp(s, (int64_t)lc_scale_i32(x, s->out) + s->zero_out); }
static inline int32_t scaled_a(const state *s, int32_t a) { return lc_scale_i32(lc_shift_left_wrap(a - s->zero_a, s->left), s->a); }
static inline int32_t scaled_b(const state *s, int32_t b) { return lc_scale_i32(lc_shift_left_wrap(b - s->zero_b, s->left), s->b); }

static inline int32_t add(const state *s, int32_t a, int32_t b) { return finish(s, sum(scaled_a(s, a), scaled_b(s, b))); }
static inline int32_t sub(const state *s, int32_t a, int32_t b) { return finish(s, difference(scaled_a(s, a), scaled_b(s, b))); }
static inline int32_t mul(const state *s, int32_t a, int32_t b) {
    return finish(s, (int32_t)((uint32_t)(a - s->zero_a) * (uint32_t)(b - s->zero_b)));
}
static inline int32_t squared(const state *s, int32_t a, int32_t b) {
    const uint32_t d = (uint32_t)difference(scaled_a(s, a), scaled_b(s, b));
    return finish(s, (int32_t)(d * d));
}
static inline int32_t quotient(const state *s, int32_t a, int32_t b) {
    int32_t x = a - s->zero_a, y = b - s->zero_b, over, room = 0;
    if (y < 0) x = -x, y = -y;
    const int32_t inverse = lc_fixed_reciprocal(y, 31, &over);
    for (uint32_t u = (uint32_t)(x < 0 ? ~x : x); room < 31 && !(u >> (30 - room) & 1);) room++; /* sign bits that may go */
    const int32_t up = lc_high_mul(lc_shift_left_wrap(x, room), inverse), shift = s->out.shift - over - room;
    /* A shift to the left (a quotient whose steps are finer than the output's) is no case of LiteRT's; it saturates here. */
    const int32_t y_out = shift > 0 ? lc_fixed_shift_left(lc_high_mul(up, s->out.factor), shift)
                                    : lc_shift_right_round(lc_high_mul(up, s->out.factor), -shift);
    return clamp(s, (int64_t)y_out + s->zero_out);
}
/* Powers of two: s->a.shift and s->b.shift are the shifts to the right. */
static inline int32_t add_pot(const state *s, int32_t a, int32_t b) {
    const int32_t x = lc_shift_right_round(a, s->a.shift) + lc_shift_right_round(b, s->b.shift);
    return clamp(s, lc_clamp_i32(x, INT16_MIN, INT16_MAX));
}
static inline int32_t sub_pot(const state *s, int32_t a, int32_t b) {
    return clamp(s, lc_shift_right_round(a, s->a.shift) - lc_shift_right_round(b, s->b.shift));
}
static inline int32_t mul_narrow(const state *s, int32_t a, int32_t b) {
    const int32_t product = a == INT16_MIN && b == INT16_MIN ? INT16_MAX : (a * b + (a * b >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15);
    return clamp(s, (int64_t)lc_shift_right_round(product, 8) + s->zero_out);
}

#define ROW(name, T, OUT) \
    static void name##_##T##_##OUT(const state *s, void *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n) { \
        for (int64_t i = 0; i < n; i++) ((OUT *)out)[i] = (OUT)name(s, ((const T *)a)[i * sa], ((const T *)b)[i * sb]); \
    }
#define ROWS(name) ROW(name, int8_t, int8_t) ROW(name, uint8_t, uint8_t) ROW(name, int16_t, int16_t)
ROWS(add)
ROWS(sub)
ROWS(mul)
ROWS(quotient)
ROW(squared, int8_t, int8_t)
ROW(add_pot, int16_t, int16_t)
ROW(sub_pot, int16_t, int16_t)
ROW(mul_narrow, int16_t, int8_t)
ROW(mul_narrow, int16_t, uint8_t)

static const struct {
    int32_t op;
    lc_dtype in, out;
    row_fn row;
} rows[] = {
#define OP(ID, name) \
    {LC_OP_##ID, LC_INT8, LC_INT8, name##_int8_t_int8_t}, {LC_OP_##ID, LC_UINT8, LC_UINT8, name##_uint8_t_uint8_t}, { \
        LC_OP_##ID, LC_INT16, LC_INT16, name##_int16_t_int16_t \
    }
    OP(ADD, add),
    OP(SUB, sub),
    OP(MUL, mul),
    OP(DIV, quotient),
    {LC_OP_SQUARED_DIFFERENCE, LC_INT8, LC_INT8, squared_int8_t_int8_t},
    {LC_OP_MUL, LC_INT16, LC_INT8, mul_narrow_int16_t_int8_t},
    {LC_OP_MUL, LC_INT16, LC_UINT8, mul_narrow_int16_t_uint8_t},
};

static row_fn find(int32_t op, lc_dtype in, lc_dtype out) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == op && rows[i].in == in && rows[i].out == out) return rows[i].row;
    return NULL;
}
bool lc_binary_quant_has(int32_t op, lc_dtype in, lc_dtype out) { return find(op, in, out) != NULL; }

/* log2 of a scale; false when it is none of a power of two, to a thousandth (LiteRT's measure). */
static bool power_of_two(float scale, int32_t *log2) {
    const float x = logf(scale) * (1.0f / logf(2.0f)), whole = roundf(x);
    *log2 = (int32_t)whole;
    return fabsf(x - whole) < 1e-3f;
}

/* int16 with scales that are powers of two. *mine false: the general way. */
static lc_status prepare_pot(lc_kernel_ctx *ctx, state *s, const float scale[3], bool *mine) {
    const int32_t op = ctx->node->op;
    const bool asked = op == LC_OP_ADD   ? LC_OP_ATTRS(ctx->node, AddOptions)->pot_scale_int16
                       : op == LC_OP_SUB ? LC_OP_ATTRS(ctx->node, SubOptions)->pot_scale_int16
                                         : false;
    int32_t log2[3];
    *mine = asked && ctx->in[0]->type == LC_INT16 && power_of_two(scale[0], &log2[0]) && power_of_two(scale[1], &log2[1]) &&
            power_of_two(scale[2], &log2[2]);
    if (!*mine) return LC_OK;
    s->a.shift = log2[2] - log2[0];
    s->b.shift = log2[2] - log2[1];
    if (s->a.shift < 0 || s->b.shift < 0 || (s->a.shift && s->b.shift))
        return lc_fail(ctx->err, LC_UNSUPPORTED,
                       "int16 with power-of-two scales: one operand must have the output's scale, the other a smaller one");
    if (s->a.shift > 31) s->a.shift = 31;
    if (s->b.shift > 31) s->b.shift = 31;
    s->row = op == LC_OP_ADD ? add_pot_int16_t_int16_t : sub_pot_int16_t_int16_t;
    return LC_OK;
}

static lc_status prepare_scales(lc_kernel_ctx *ctx, state *s, const float scale[3]) {
    const int32_t op = ctx->node->op;
    const double twice = 2 * fmaxf(scale[0], scale[1]);
    bool pot;
    LC_TRY(prepare_pot(ctx, s, scale, &pot));
    if (pot) return LC_OK;
    if (op == LC_OP_MUL || op == LC_OP_DIV) {
        s->out = lc_multiplier_of((double)(op == LC_OP_MUL ? scale[0] * scale[1] / scale[2] : scale[0] / (scale[1] * scale[2])));
        return LC_OK;
    }
    const bool squares = op == LC_OP_SQUARED_DIFFERENCE;
    s->left = squares ? 7 : ctx->in[0]->type == LC_INT16 ? 15 : 20;
    s->out = lc_multiplier_of((squares ? twice * twice : twice) / (double)((float)(1 << s->left * (squares ? 2 : 1)) * scale[2]));
    s->a = lc_multiplier_of(scale[0] / twice);
    s->b = lc_multiplier_of(scale[1] / twice);
    return LC_OK;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *a = ctx->in[0], *b = ctx->in[1], *out = ctx->out[0];
    const int8_t *activation = lc_op_fused_act(ctx->node);
    float scale[3];
    LC_TRY(lc_ref_inputs(ctx, 0, 1u << a->type));
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_quant_of(ctx, a, "input 0", &scale[0], &s->zero_a));
    LC_TRY(lc_quant_of(ctx, b, "input 1", &scale[1], &s->zero_b));
    LC_TRY(lc_quant_of(ctx, out, "output 0", &scale[2], &s->zero_out));
    if (a->type == LC_INT16 && (s->zero_a || s->zero_b || (out->type == LC_INT16 && s->zero_out)))
        return lc_fail(ctx->err, LC_INVALID, "int16 tensors are quantised symmetrically: their zero points must be 0");
    LC_TRY(lc_quant_range(ctx, activation ? *activation : LC_ActivationFunctionType_NONE, out->type, scale[2], s->zero_out, &s->low,
                          &s->high));
    s->row = find(ctx->node->op, a->type, out->type);
    LC_TRY(prepare_scales(ctx, s, scale));
    lc_nd_init(&s->nd, &out->shape);
    lc_nd_operand(&s->nd, 0, &out->shape);
    lc_nd_operand(&s->nd, 1, &a->shape);
    lc_nd_operand(&s->nd, 2, &b->shape);
    lc_nd_simplify(&s->nd);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *a = ctx->in[0], *b = ctx->in[1];
    char *out = ctx->out[0]->data;
    const int64_t width = (int64_t)lc_ref_width(a), out_width = (int64_t)lc_ref_width(ctx->out[0]), n = lc_ref_elements(b);
    for (int64_t i = 0; ctx->node->op == LC_OP_DIV && i < n; i++)
        if (lc_int_at(b->data, b->type, i) == s->zero_b) return lc_fail(ctx->err, LC_INVALID, "DIV by zero (element %lld)", (long long)i);
    for (lc_nd_walk w = lc_nd_begin(&s->nd); !w.done; lc_nd_next(&s->nd, &w))
        s->row(s, out + w.at[0] * out_width, (const char *)a->data + w.at[1] * width, lc_nd_step(&s->nd, 1),
               (const char *)b->data + w.at[2] * width, lc_nd_step(&s->nd, 2), lc_nd_row(&s->nd));
    return LC_OK;
}

const lc_kernel lc_binary_quant = {.prepare = prepare, .run = run};
