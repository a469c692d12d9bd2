/*
 * tf_quant.c: the operators of quantisation-aware training, and quantised numbers of TensorFlow 1.
 *
 * A fake-quantised activation is FAKE_QUANT, which a runtime takes as it is; quant/qat.c makes integer operators of it where every
 * input and output has a range. Fake-quantised weights are rounded here, and the tensor says with what scale: a float32 constant with
 * quantisation parameters is such an annotation, which conv and matmul hand on to the weights they make. What FAKE_QUANT cannot say
 * (a range a channel, a range that only the run knows) is arithmetic.
 */
#include "lower/fake_quant.h"
#include "lower/tf_nn.h"

#include "ir/constant.h"

#include <math.h>
#include <string.h>

/* ---- constants ----------------------------------------------------------------------------------------------------------- */

void lc_tf_annotate(lc_tf_call *c, int32_t tensor, const float *scale, const int64_t *zero, uint32_t n, int32_t axis) {
    if (!lc_tf_ok(c)) return;
    const lc_QuantizationParameters *q = lc_tensor_steps(&c->b->model->arena, scale, zero, n, axis);
    if (!q) lc_build_check(c->b, lc_fail_memory(c->b->err, "quantisation"));
    if (!q) return;
    c->b->graph->tensors[tensor].quant = q;
}

void lc_tf_same_steps(lc_tf_call *c, int32_t from, int32_t to, int32_t from_axis, int32_t to_axis, uint32_t repeat) {
    const lc_tensor *t = lc_build_tensor(c->b, from);
    if (!t || !t->quant || from == to) return;
    const lc_QuantizationParameters *q = t->quant;
    const uint32_t n = q->scale.n;
    if (n == 1) {
        lc_tf_annotate(c, to, q->scale.data, q->zero_point.data, 1, 0);
        return;
    }
    if (q->quantized_dimension != from_axis) return;
    float *scale = lc_build_data(c->b, (size_t)n * repeat * sizeof *scale);
    int64_t *zero = lc_build_data(c->b, (size_t)n * repeat * sizeof *zero);
    for (uint32_t i = 0; scale && zero && i < n * repeat; i++) {
        scale[i] = q->scale.data[i % n];
        zero[i] = q->zero_point.data[i % n];
    }
    if (scale && zero) lc_tf_annotate(c, to, scale, zero, n * repeat, to_axis);
}

/* The constant x rounded to the steps of each channel (of the last dimension) or to one for all: a new constant with its steps. */
static int32_t rounded(lc_tf_call *c, int32_t x, const lc_fake_steps *s, uint32_t n, int32_t bits) {
    const lc_shape shape = lc_tf_fixed(c, x, "constant");
    uint64_t elements;
    uint32_t have = 0;
    if (!lc_tf_ok(c)) return -1;
    if (!lc_shape_elements(&shape, &elements)) return lc_tf_fail(c, LC_LIMIT, "its input is too large");
    float *data = lc_build_data(c->b, (size_t)elements * sizeof *data + 1);
    if (!data || !lc_tf_floats(c, x, data, (uint32_t)elements, &have)) return -1;
    for (uint64_t i = 0; i < elements; i++) data[i] = lc_fake_round(&s[i % n], data[i]);
    const int32_t y = lc_build_const(c->b, "weights", LC_FLOAT32, shape.dims, shape.rank, data, (size_t)elements * sizeof *data, true);
    if (bits <= 8 && lc_tf_ok(c)) lc_fake_annotate(c->b, y, s, n, n > 1 ? shape.rank - 1 : 0, bits);
    return y;
}

/* ---- activations ------------------------------------------------------------------------------------------------------------ */

/* clamp, floor(. + 1/2): with min, max and scale as tensors. */
static int32_t by_arithmetic(lc_tf_call *c, int32_t x, int32_t min, int32_t max, int32_t scale) {
    x = lc_tf_binary(c, LC_OP_MINIMUM, x, max);
    x = lc_tf_binary(c, LC_OP_SUB, lc_tf_binary(c, LC_OP_MAXIMUM, x, min), min);
    x = lc_tf_unary(c, LC_OP_FLOOR, lc_tf_with(c, LC_OP_ADD, lc_tf_binary(c, LC_OP_DIV, x, scale), 0.5));
    return lc_tf_binary(c, LC_OP_ADD, lc_tf_binary(c, LC_OP_MUL, x, scale), min);
}

/* The same steps worked out at run time: min and max are tensors. */
static int32_t by_range(lc_tf_call *c, int32_t x, int32_t min, int32_t max, int32_t bits, bool narrow) {
    const double low = narrow ? 1 : 0, high = (double)((1 << bits) - 1);
    const int32_t scale = lc_tf_with(c, LC_OP_DIV, lc_tf_binary(c, LC_OP_SUB, max, min), high - low);
    const int32_t from = lc_tf_binary(c, LC_OP_DIV, min, scale);
    int32_t zero = lc_tf_with(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_NEG, from), low);
    zero = lc_tf_with(c, LC_OP_MINIMUM, lc_tf_with(c, LC_OP_MAXIMUM, zero, low), high);
    zero = lc_tf_unary(c, LC_OP_FLOOR, lc_tf_with(c, LC_OP_ADD, zero, 0.5));
    const int32_t less = lc_tf_with(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_NEG, zero), low),
                  nudged_min = lc_tf_binary(c, LC_OP_MUL, less, scale);
    const int32_t more = lc_tf_with(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_NEG, zero), high),
                  nudged_max = lc_tf_binary(c, LC_OP_MUL, more, scale);
    return by_arithmetic(c, x, nudged_min, nudged_max, scale);
}

static int32_t vector(lc_tf_call *c, const lc_fake_steps *s, uint32_t n, size_t field) {
    float *v = lc_build_data(c->b, n * sizeof *v);
    const int32_t dim = (int32_t)n;
    for (uint32_t i = 0; v && i < n; i++) memcpy(&v[i], (const char *)&s[i] + field, sizeof *v);
    return lc_build_const(c->b, "range", LC_FLOAT32, &dim, 1, v, n * sizeof *v, true);
}

static bool bits_of(lc_tf_call *c, int64_t bits) {
    if (lc_tf_ok(c) && (bits < 2 || bits > 16)) lc_tf_fail(c, LC_INVALID, "its num_bits is %lld, needs 2 to 16", (long long)bits);
    return lc_tf_ok(c);
}

void lc_tf_op_fake_quant_args(lc_tf_call *c) {
    const float min = lc_tf_attr_float(c, "min", -6), max = lc_tf_attr_float(c, "max", 6);
    const int64_t bits = lc_tf_attr_int(c, "num_bits", 8);
    const bool narrow = lc_tf_attr_bool(c, "narrow_range", false);
    const int32_t x = lc_tf_in(c, 0);
    if (!bits_of(c, bits)) return;
    if (!lc_fake_usable(min, max)) {
        lc_tf_fail(c, LC_INVALID, "its range [%g, %g] does not hold zero", (double)min, (double)max);
        return;
    }
    const lc_fake_steps s = lc_fake_steps_of(min, max, (int32_t)bits, narrow);
    lc_tf_give(c, 0, lc_tf_is_const(c, x) ? rounded(c, x, &s, 1, (int32_t)bits) : lc_fake_quant(c->b, x, &s, (int32_t)bits, narrow));
}

/* min and max are tensors: scalars, or vectors for the channels of the last dimension. */
void lc_tf_op_fake_quant_vars(lc_tf_call *c) {
    enum { MOST = 1 << 16 };
    const int64_t bits = lc_tf_attr_int(c, "num_bits", 8);
    const bool narrow = lc_tf_attr_bool(c, "narrow_range", false);
    const int32_t x = lc_tf_in(c, 0), min = lc_tf_in(c, 1), max = lc_tf_in(c, 2);
    if (!bits_of(c, bits)) return;
    lc_arena temporary = {0};
    float *lows = lc_arena_array(&temporary, MOST, sizeof *lows), *highs = lc_arena_array(&temporary, MOST, sizeof *highs);
    lc_fake_steps *s = lc_arena_array(&temporary, MOST, sizeof *s);
    uint32_t n = 0, m = 0;
    bool known = lows && highs && s && lc_tf_floats(c, min, lows, MOST, &n) && lc_tf_floats(c, max, highs, MOST, &m) && n == m && n > 0;
    if (!lows || !highs || !s) lc_build_check(c->b, lc_fail_memory(c->b->err, "quantisation"));
    for (uint32_t i = 0; known && i < n; i++) {
        known = lc_fake_usable(lows[i], highs[i]);
        if (known) s[i] = lc_fake_steps_of(lows[i], highs[i], (int32_t)bits, narrow);
    }
    int32_t y = -1;
    const lc_shape shape = lc_tf_shape(c, x);
    const bool fits = n == 1 || (shape.rank > 0 && shape.dims[shape.rank - 1] == (int32_t)n);
    if (!lc_tf_ok(c) || (known && !fits)) {
        if (lc_tf_ok(c)) lc_tf_fail(c, LC_INVALID, "it has %u ranges, its input other channels", n);
    } else if (known && lc_tf_is_const(c, x)) {
        y = rounded(c, x, s, n, (int32_t)bits);
    } else if (known && n == 1) {
        y = lc_fake_quant(c->b, x, s, (int32_t)bits, narrow);
    } else if (known) {
        const int32_t lowest = vector(c, s, n, offsetof(lc_fake_steps, min)), highest = vector(c, s, n, offsetof(lc_fake_steps, max));
        y = by_arithmetic(c, x, lowest, highest, vector(c, s, n, offsetof(lc_fake_steps, scale)));
    } else {
        y = by_range(c, x, min, max, (int32_t)bits, narrow);
    }
    lc_arena_deinit(&temporary);
    lc_tf_give(c, 0, y);
}

/* ---- quantize_and_dequantize ------------------------------------------------------------------------------------------------- */

/* Symmetric steps: the larger side of the range fills its side of the integers. y = round(clamp(x) / step) step, half to even. */
static int32_t symmetric(lc_tf_call *c, int32_t x, int32_t min, int32_t max, double low, double high, bool half_up) {
    const int32_t by_max = lc_tf_with(c, LC_OP_DIV, max, high);
    const int32_t step = low < 0 ? lc_tf_binary(c, LC_OP_MAXIMUM, by_max, lc_tf_with(c, LC_OP_DIV, min, low)) : by_max;
    const int32_t safe = lc_tf_with(c, LC_OP_MAXIMUM, step, 1e-37);
    int32_t q = lc_tf_binary(c, LC_OP_DIV, x, safe);
    q = lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_with(c, LC_OP_MINIMUM, q, high), low);
    q = half_up ? lc_tf_unary(c, LC_OP_FLOOR, lc_tf_with(c, LC_OP_ADD, q, 0.5)) : lc_tf_unary(c, LC_OP_ROUND, q);
    return lc_tf_binary(c, LC_OP_MUL, q, step);
}

/* A vector for dimension `axis` of x. */
static int32_t along(lc_tf_call *c, int32_t v, int32_t x, int64_t axis) {
    const lc_shape s = lc_tf_ranked(c, x), n = lc_tf_shape(c, v);
    int32_t dims[LC_MAX_RANK];
    if (!lc_tf_ok(c) || axis < 0 || n.rank != 1) return v;
    if (axis >= s.rank) return lc_tf_fail(c, LC_INVALID, "its axis is %lld, its input has %d dimensions", (long long)axis, s.rank);
    for (int32_t i = 0; i < s.rank; i++) dims[i] = i == axis ? -1 : 1;
    return lc_tf_reshape(c, v, dims, s.rank);
}

/* The least and the largest of x, of each slice along `axis` when that is not negative. */
static void extent(lc_tf_call *c, int32_t x, int64_t axis, int32_t *min, int32_t *max) {
    const lc_shape s = lc_tf_ranked(c, x);
    int32_t axes[LC_MAX_RANK];
    uint32_t n = 0;
    for (int32_t i = 0; i < s.rank; i++)
        if (i != axis) axes[n++] = i;
    *min = lc_tf_with(c, LC_OP_MINIMUM, lc_build_reduce(c->b, LC_OP_REDUCE_MIN, x, axes, n, axis >= 0), 0);
    *max = lc_tf_with(c, LC_OP_MAXIMUM, lc_build_reduce(c->b, LC_OP_REDUCE_MAX, x, axes, n, axis >= 0), 0);
}

/* QuantizeAndDequantize (range in attributes), V2 and V4 (range in tensors), V3 (bits too). */
void lc_tf_op_quantize_and_dequantize(lc_tf_call *c) {
    const char version = c->node->op.data[c->node->op.size - 1];
    const bool v1 = version == 'e', v3 = version == '3';
    const bool is_signed = lc_tf_attr_bool(c, "signed_input", true), given = lc_tf_attr_bool(c, "range_given", v3);
    const bool narrow = lc_tf_attr_bool(c, "narrow_range", false), half_up = lc_tf_attr_is(c, "round_mode", "HALF_TO_EVEN", "HALF_UP");
    const int64_t axis = lc_tf_attr_int(c, "axis", -1),
                  bits = v3 ? lc_tf_need_int(c, lc_tf_in(c, 3), "num_bits") : lc_tf_attr_int(c, "num_bits", 8);
    const int32_t input = lc_tf_in(c, 0), x = lc_tf_float32(c, input);
    int32_t min = -1, max = -1;
    if (lc_tf_ok(c) && (bits < 1 || bits > 24)) lc_tf_missing(c, "float32 does not hold %lld bits", (long long)bits);
    if (!lc_tf_ok(c) || bits < 1 || bits > 24) return;
    const double high = is_signed ? (double)((1 << (bits - 1)) - 1) : (double)((1 << bits) - 1);
    const double low = is_signed ? -(double)(1 << (bits - 1)) + narrow : 0;
    if (!given) {
        extent(c, x, axis, &min, &max);
    } else if (v1) {
        min = lc_tf_scalar(c, lc_tf_attr_float(c, "input_min", 0), LC_FLOAT32);
        max = lc_tf_scalar(c, lc_tf_attr_float(c, "input_max", 0), LC_FLOAT32);
    } else {
        min = along(c, lc_tf_float32(c, lc_tf_in(c, 1)), x, axis);
        max = along(c, lc_tf_float32(c, lc_tf_in(c, 2)), x, axis);
    }
    float a, b;
    uint32_t n, m;
    int32_t y = -1;
    if (given && bits >= 2 && bits <= 16 && lc_tf_floats(c, min, &a, 1, &n) && lc_tf_floats(c, max, &b, 1, &m) && lc_fake_usable(a, b)) {
        const double by_max = b / high, by_min = low < 0 ? a / low : 0, step = by_max > by_min ? by_max : by_min;
        const lc_fake_steps s = {
            .scale = (float)step, .min = (float)(low * step), .max = (float)(high * step), .zero = is_signed ? 1 << (bits - 1) : 0};
        y = lc_tf_is_const(c, x) ? rounded(c, x, &s, 1, (int32_t)bits) : lc_fake_quant(c->b, x, &s, (int32_t)bits, narrow && is_signed);
    } else {
        y = symmetric(c, x, min, max, low, high, half_up);
    }
    lc_tf_give(c, 0, lc_tf_back(c, y, lc_tf_type(c, input)));
}

/* ---- quantised numbers ----------------------------------------------------------------------------------------------------------- */

typedef struct integers {
    double low, high;
    bool is_signed;
} integers;

static bool integers_of(lc_tf_call *c, lc_dtype t, integers *k) {
    switch (t) {
    case LC_INT8: *k = (integers){INT8_MIN, INT8_MAX, true}; return true;
    case LC_UINT8: *k = (integers){0, UINT8_MAX, false}; return true;
    case LC_INT16: *k = (integers){INT16_MIN, INT16_MAX, true}; return true;
    case LC_UINT16: *k = (integers){0, UINT16_MAX, false}; return true;
    case LC_INT32: *k = (integers){INT32_MIN, INT32_MAX, true}; return true;
    default: lc_tf_missing(c, "%s is no quantised type", lc_dtype_name(t)); return false;
    }
}

/* What SCALED multiplies with: the larger side of the range fills its side of the integers. */
static int32_t scaled_step(lc_tf_call *c, const integers *k, int32_t min, int32_t max, bool narrow) {
    const int32_t by_max = lc_tf_with(c, LC_OP_DIV, max, k->high);
    if (!k->is_signed) return by_max;
    return lc_tf_binary(c, LC_OP_MAXIMUM, by_max, lc_tf_with(c, LC_OP_DIV, min, k->low + narrow));
}

/* The number of a quantised one: MIN_COMBINED and MIN_FIRST count steps from min, SCALED from zero. */
void lc_tf_op_dequantize(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), min = lc_tf_float32(c, lc_tf_in(c, 1)), max = lc_tf_float32(c, lc_tf_in(c, 2));
    const int64_t axis = lc_tf_attr_int(c, "axis", -1);
    const lc_dtype out = lc_tf_attr_type(c, "dtype");
    integers k;
    if (!lc_tf_ok(c) || !integers_of(c, lc_tf_type(c, x), &k)) return;
    const int32_t f = lc_build_cast(c->b, x, LC_FLOAT32), lows = along(c, min, x, axis), highs = along(c, max, x, axis);
    int32_t y;
    if (lc_tf_attr_is(c, "mode", "MIN_COMBINED", "SCALED")) {
        y = lc_tf_binary(c, LC_OP_MUL, f, scaled_step(c, &k, lows, highs, lc_tf_attr_bool(c, "narrow_range", false)));
    } else {
        const int32_t step = lc_tf_with(c, LC_OP_DIV, lc_tf_binary(c, LC_OP_SUB, highs, lows), k.high - k.low);
        y = lc_tf_binary(c, LC_OP_ADD, lc_tf_binary(c, LC_OP_MUL, lc_tf_with(c, LC_OP_SUB, f, k.low), step), lows);
    }
    lc_tf_give(c, 0, out == LC_BFLOAT16 ? lc_build_cast(c->b, y, out) : y);
}

/* output, output_min, output_max. The range is at least ensure_minimum_range wide. */
void lc_tf_op_quantize_v2(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const int64_t axis = lc_tf_attr_int(c, "axis", -1);
    const lc_dtype type = lc_tf_attr_type(c, "T");
    const bool scaled = lc_tf_attr_is(c, "mode", "MIN_COMBINED", "SCALED"), narrow = lc_tf_attr_bool(c, "narrow_range", false);
    const bool even = lc_tf_attr_is(c, "round_mode", "HALF_AWAY_FROM_ZERO", "HALF_TO_EVEN");
    const bool first = lc_tf_attr_is(c, "mode", "MIN_COMBINED", "MIN_FIRST");
    integers k;
    if (!lc_tf_ok(c) || !integers_of(c, type, &k)) return;
    int32_t min = lc_tf_with(c, LC_OP_MINIMUM, lc_tf_in(c, 1), 0), max = lc_tf_in(c, 2);
    const int32_t left = lc_tf_unary(c, LC_OP_ABS, min), size = lc_tf_binary(c, LC_OP_MAXIMUM, left, lc_tf_unary(c, LC_OP_ABS, max));
    const double least = lc_tf_attr_float(c, "ensure_minimum_range", 0.01f);
    const int32_t wide = lc_tf_with(c, LC_OP_MUL, lc_tf_with(c, LC_OP_MAXIMUM, size, 1), least);
    max = lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_binary(c, LC_OP_MAXIMUM, max, lc_tf_binary(c, LC_OP_ADD, min, wide)), 0);
    int32_t lows = along(c, min, x, axis), highs = along(c, max, x, axis), q;
    if (scaled) {
        const int32_t step = scaled_step(c, &k, min, max, narrow), s = along(c, step, x, axis);
        q = lc_tf_binary(c, LC_OP_DIV, x, s);
        min = lc_tf_with(c, LC_OP_MUL, step, k.low + (narrow && k.is_signed));
        max = lc_tf_with(c, LC_OP_MUL, step, k.high);
    } else {
        const int32_t step = lc_tf_with(c, LC_OP_DIV, lc_tf_binary(c, LC_OP_SUB, highs, lows), k.high - k.low);
        q = lc_tf_binary(c, LC_OP_MINIMUM, lc_tf_binary(c, LC_OP_MAXIMUM, x, lows), highs);
        if (first) { /* both are counted in steps, each rounded */
            const int32_t steps_x = lc_tf_unary(c, LC_OP_ROUND, lc_tf_binary(c, LC_OP_DIV, q, step));
            q = lc_tf_binary(c, LC_OP_SUB, steps_x, lc_tf_unary(c, LC_OP_ROUND, lc_tf_binary(c, LC_OP_DIV, lows, step)));
        } else {
            q = lc_tf_binary(c, LC_OP_DIV, lc_tf_binary(c, LC_OP_SUB, q, lows), step);
        }
        q = lc_tf_with(c, LC_OP_ADD, q, k.low);
    }
    if (even) {
        q = lc_tf_unary(c, LC_OP_ROUND, q);
    } else { /* half away from zero */
        const int32_t away = lc_tf_unary(c, LC_OP_FLOOR, lc_tf_with(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_ABS, q), 0.5));
        q = lc_tf_binary(c, LC_OP_MUL, lc_tf_unary(c, LC_OP_SIGN, q), away);
    }
    q = lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_with(c, LC_OP_MINIMUM, q, k.high), scaled ? k.low + (narrow && k.is_signed) : k.low);
    lc_tf_give(c, 0, lc_build_cast(c->b, q, type));
    lc_tf_give(c, 1, min);
    lc_tf_give(c, 2, max);
}
