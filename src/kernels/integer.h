/*
 * integer.h: what the kernels share that add up products of integers: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED,
 * BATCH_MATMUL, quantised and hybrid.
 *
 *   centre     operands become int16 with their zero point taken off, whatever their type was (int8, uint8, int16, int4, int2): one loop
 *              adds them all up, and what lies outside an image is 0
 *   sum        in 64 bits; where LiteRT sums in 32 the result is cut to 32, which is the same as wrapping at each step
 *   output     bias, rounding, zero point, clamp: lc_int_output
 *   hybrid     float activations are quantised on the fly, a scale (and a zero point) a row, and the output is float
 */
#ifndef LC_KERNELS_INTEGER_H
#define LC_KERNELS_INTEGER_H

#include "kernels/quant.h"
#include "kernels/ref.h"
#include "kernels/simd.h"

#include <math.h>

/* Types of weights and activations that lc_int_centre takes. */
#define LC_INT_WEIGHTS (LC_T(INT8) | LC_T(UINT8) | LC_T(INT4) | LC_T(INT2) | LC_T(INT16))

/* Elements [at, at + n) of an integer tensor, minus zero. The difference fits: 8 bits and less have their zero point in their range,
 * int16 has 0. */
void lc_int_centre(const lc_simd *simd, const void *data, lc_dtype type, int64_t at, int64_t n, int32_t zero, int16_t *out);

/* sums[i] = sum over k < depth of w[k] * x[i * step + k] for i < n. limit bounds |w * x|. */
void lc_int_dots(const lc_simd *simd, const int16_t *w, const int16_t *x, int64_t step, int64_t depth, int64_t n, int64_t limit,
                 int64_t *sums);

/* How a sum becomes an output. */
typedef enum lc_int_rounding {
    LC_INT_ROUND_32,   /* fixed point: lc_scale_i32 */
    LC_INT_ROUND_64,   /* fixed point: lc_scale_i64 */
    LC_INT_ROUND_REAL, /* times a double, to nearest, ties away from zero */
    LC_INT_ROUND_NONE, /* int32 output: the sum itself */
    LC_INT_FLOAT,      /* hybrid */
} lc_int_rounding;

/* What prepare is told. Slots of inputs; bias: LC_ABSENT when there is none. */
typedef struct lc_int_spec {
    int32_t in, filter, bias;
    int32_t axis, channels; /* the filter's dimension of output channels, and its size; axis -1: one scale */
    int8_t activation;
    lc_dtype sum_type;      /* of int16 activations without bias: INT32 or INT64 (quantized_bias_type); another: INT64 */
    bool real;              /* LC_INT_ROUND_REAL: FULLY_CONNECTED, whose reference rounds once, in double */
    bool use_filter_zero;   /* the filter's zero point counts; else it is taken as 0 */
    bool check_filter_zero; /* it must be 0 */
    bool float_product;     /* one scale only: LiteRT multiplies input and filter scale in float */
} lc_int_spec;

typedef struct lc_int_output {
    lc_int_rounding rounding;
    bool cut; /* LC_INT_ROUND_REAL: the sum has 32 bits */
    int32_t in_zero, filter_zero, zero, low, high;
    int32_t bias;     /* slot or LC_ABSENT */
    int32_t channels; /* of the three below: 1 or the output's */
    const lc_multiplier *multiplier;
    const double *real;
    const float *scale; /* hybrid: the filter's */
    bool in_steps;      /* hybrid: sum times filter scale is rounded before it is multiplied by the row's; else their product is */
    int8_t activation;
    lc_dtype type;         /* of the output */
    const void *bias_data; /* set by lc_int_output_begin */
    lc_dtype bias_type;
    void *out;
} lc_int_output;

/* Checks types, quantisation and bias of a quantised (not hybrid) node and computes its factors into the arena. */
lc_status lc_int_output_prepare(lc_kernel_ctx *ctx, const lc_int_spec *spec, lc_int_output *output);
/* Of a hybrid node: float input and output, integer filter. */
lc_status lc_int_hybrid_prepare(lc_kernel_ctx *ctx, const lc_int_spec *spec, lc_int_output *output);
/* Of an output of 8 bits with LC_INT_ROUND_32: its factors, one a channel, for simd->requant. bias is set in run: the output's, or zeros.
 */
typedef struct lc_int_factors {
    int32_t *factor, *left, *right, *zeros; /* [channels] */
} lc_int_factors;
lc_status lc_int_factors_prepare(lc_kernel_ctx *ctx, const lc_int_output *output, int32_t channels, lc_int_factors *factors);
static inline bool lc_int_is_requant(const lc_int_output *o) {
    return o->rounding == LC_INT_ROUND_32 && (o->type == LC_INT8 || o->type == LC_UINT8);
}
/* Those of channels from `first` on. */
static inline lc_int_requant lc_int_requant_at(const lc_int_output *o, const lc_int_factors *f, int64_t first) {
    const int32_t *bias = o->bias_data ? o->bias_data : f->zeros;
    return (lc_int_requant){bias + first, f->factor + first, f->left + first, f->right + first, o->zero, o->low, o->high};
}
/* In run: where bias and output lie now. */
void lc_int_output_begin(const lc_kernel_ctx *ctx, lc_int_output *output);

static inline int64_t lc_int_bias(const lc_int_output *o, int64_t channel) {
    if (!o->bias_data) return 0;
    return o->bias_type == LC_INT64 ? ((const int64_t *)o->bias_data)[channel] : ((const int32_t *)o->bias_data)[channel];
}

/* sum * factor to nearest, ties away from zero; outside of int32: its end. */
static inline int64_t lc_int_round(double sum, double factor) {
    const double scaled = round(sum * factor);
    return scaled >= 2147483647.0 ? INT32_MAX : scaled <= -2147483648.0 ? INT32_MIN : (int64_t)scaled;
}

/* Writes output element `at` of channel `channel`. row_scale: of the activations, hybrid only. */
static inline void lc_int_store(const lc_int_output *o, int64_t sum, int64_t channel, float row_scale, int64_t at) {
    const int64_t k = o->channels > 1 ? channel : 0;
    if (o->rounding == LC_INT_FLOAT) {
        const float bias = o->bias_data ? ((const float *)o->bias_data)[channel] : 0;
        const float exact = (float)(int32_t)sum, scaled = o->in_steps ? exact * o->scale[k] * row_scale : exact * (o->scale[k] * row_scale);
        ((float *)o->out)[at] = scaled + bias;
        return;
    }
    sum = (int64_t)((uint64_t)sum + (uint64_t)lc_int_bias(o, channel));
    int64_t scaled;
    switch (o->rounding) {
    case LC_INT_ROUND_32: scaled = lc_scale_i32((int32_t)sum, o->multiplier[k]); break;
    case LC_INT_ROUND_64: scaled = lc_scale_i64(sum, o->multiplier[k]); break;
    case LC_INT_ROUND_REAL: scaled = lc_int_round(o->cut ? (int32_t)sum : (double)sum, o->real[k]); break;
    default: ((int32_t *)o->out)[at] = (int32_t)sum; return;
    }
    scaled += o->zero;
    lc_int_put(o->out, o->type, at, (int32_t)(scaled < o->low ? o->low : scaled > o->high ? o->high : scaled));
}

/* ---- hybrid ------------------------------------------------------------------------------------------------------- */

/* LiteRT's quantisation of a row of activations to 8 bits, centred: out[i] = q[i] - zero. Returns the scale. Symmetric: q = round(x *
 * 127 / max |x|) and zero is 0. Asymmetric: [min, max] with 0 in it becomes [-128, 127], the zero point that of the end with the smaller
 * error. A NaN becomes 0 and what is infinite the end of the range. */
float lc_hybrid_symmetric(const float *x, int64_t n, int16_t *out);
float lc_hybrid_asymmetric(const float *x, int64_t n, int16_t *out);
static inline float lc_hybrid_row(bool asymmetric, const float *x, int64_t n, int16_t *out) {
    return asymmetric ? lc_hybrid_asymmetric(x, n, out) : lc_hybrid_symmetric(x, n, out);
}

/* The kernels made of these, for the `choose` of their families. */
extern const lc_kernel lc_conv_quant, lc_conv_hybrid, lc_depthwise_quant, lc_depthwise_hybrid, lc_fully_connected_quant,
    lc_fully_connected_int16, lc_fully_connected_shuffled, lc_fully_connected_hybrid, lc_fully_connected_blockwise, lc_transpose_conv_quant,
    lc_batch_matmul_quant, lc_batch_matmul_sum;

/* TRANSPOSE_CONV: its output_shape operand still says what was planned. */
lc_status lc_transpose_conv_same(lc_kernel_ctx *ctx);
/* float32 activations with integer weights. */
static inline bool lc_is_hybrid(const lc_value *activations, const lc_value *weights) {
    return activations->type == LC_FLOAT32 &&
           (weights->type == LC_INT8 || weights->type == LC_UINT8 || weights->type == LC_INT4 || weights->type == LC_INT2);
}

#endif
