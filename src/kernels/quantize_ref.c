/*
 * quantize_ref.c: QUANTIZE of floats, DEQUANTIZE, FAKE_QUANT. q = round(x / scale) + zero point, halves away from zero, clamped to the
 * type; x = scale (q - zero point). One scale and zero point, or one of each for every entry of a dimension. A tensor is
 * [outer][channels][inner] then; with one scale it is [1][1][all]. QUANTIZE from one integer type to another is in quantize_quant.c. 4- and
 * 2-bit numbers are packed, the first in the lowest bits.
 */
#include "kernels/elementwise.h"
#include "kernels/fake_quant.h"
#include <math.h>

typedef struct state {
    const float *scales;
    const int64_t *zeros; /* NULL: all 0 */
    int64_t channels, inner, zero_step;
} state;

/* Reads the quantisation of v, the integer side. */
static lc_status read_quant(lc_kernel_ctx *ctx, const lc_value *v, const char *what, state *s) {
    int32_t channels, low, high;
    const lc_QuantizationParameters *q = v->def ? v->def->quant : NULL;
    LC_TRY(lc_quant_channels(ctx, v, what, q ? q->quantized_dimension : 0, false, &s->scales, &channels));
    lc_int_limits(v->type, &low, &high);
    s->channels = channels;
    s->inner = channels == 1 ? lc_ref_elements(v) : 1;
    for (int32_t d = q->quantized_dimension + 1; channels > 1 && d < v->shape.rank; d++) s->inner *= v->shape.dims[d];
    s->zeros = q->zero_point.n ? q->zero_point.data : NULL;
    s->zero_step = q->zero_point.n > 1;
    for (uint32_t i = 0; i < q->zero_point.n; i++)
        if (s->zeros[i] < low || s->zeros[i] > high) {
            lc_fail(ctx->err, LC_INVALID, "%s has a zero point outside its type %s", what, lc_dtype_name(v->type));
            lc_error_hint(ctx->err, "the model's quantisation is damaged: convert it again");
            return LC_INVALID;
        }
    return LC_OK;
}
static inline int32_t zero_of(const state *s, int64_t channel) { return s->zeros ? (int32_t)s->zeros[channel * s->zero_step] : 0; }

/* ---- QUANTIZE ----------------------------------------------------------------------------------------------------- */

#define QUANTIZED (LC_T(INT8) | LC_T(UINT8) | LC_T(INT16) | LC_T(INT4) | LC_T(UINT4))

static lc_status prepare_quantize(lc_kernel_ctx *ctx) {
    const lc_value *out = ctx->out[0];
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    state *s = lc_kernel_state(ctx, sizeof *s);
    return s ? read_quant(ctx, out, "output 0", s) : LC_NO_MEMORY;
}

static inline int32_t quantised(float x, float scale, int32_t zero, int32_t low, int32_t high) {
    const float q = roundf(x / scale);
    return !(q > -1e9f) ? low : q > 1e9f ? high : lc_clamp_i32((int32_t)q + zero, low, high); /* NaN: low */
}

#define STORE(T) \
    for (int64_t i = 0; i < n; i++) ((T *)out)[i] = (T)quantised(in[i], scale, zero, low, high); \
    break
static void quantize_run(void *out_, lc_dtype type, int64_t at, const float *in, int64_t n, float scale, int32_t zero) {
    char *out = (char *)out_ + (lc_dtype_bits(type) >= 8 ? at * (int64_t)(lc_dtype_bits(type) / 8) : 0);
    int32_t low, high;
    lc_int_limits(type, &low, &high);
    switch (type) {
    case LC_INT8: STORE(int8_t);
    case LC_UINT8: STORE(uint8_t);
    case LC_INT16: STORE(int16_t);
    default: /* 4 bits: the other half of the byte stays */
        for (int64_t i = 0; i < n; i++) {
            uint8_t *byte = (uint8_t *)out_ + (at + i) / 2;
            const int shift = (int)((at + i) % 2) * 4;
            *byte = (uint8_t)((*byte & (0xf0 >> shift)) | (quantised(in[i], scale, zero, low, high) & 15) << shift);
        }
    }
}

static lc_status run_quantize(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const float *in = ctx->in[0]->data;
    const int64_t n = lc_ref_elements(ctx->in[0]);
    if (lc_dtype_bits(ctx->out[0]->type) < 8 && n) ((uint8_t *)ctx->out[0]->data)[(n - 1) / 2] = 0;
    for (int64_t at = 0, channel = 0; at < n; at += s->inner, channel = (channel + 1) % s->channels)
        quantize_run(ctx->out[0]->data, ctx->out[0]->type, at, in + at, s->inner, s->scales[channel], zero_of(s, channel));
    return LC_OK;
}

static const lc_kernel from_float = {.prepare = prepare_quantize, .run = run_quantize};

static const lc_kernel *choose_quantize(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type, out = ctx->out[0]->type;
    if (out < 0 || out >= LC_DTYPE_COUNT) return NULL;
    if (in == LC_FLOAT32) return QUANTIZED >> out & 1 ? &from_float : NULL;
    if (in == LC_INT8 || in == LC_UINT8) return out == LC_INT8 || out == LC_UINT8 || out == LC_INT16 ? &lc_quantize_again : NULL;
    if (in == LC_INT16) return out == LC_INT8 || out == LC_INT16 || out == LC_INT32 ? &lc_quantize_again : NULL;
    if (in == LC_INT32) return out == LC_INT8 || out == LC_INT16 ? &lc_quantize_again : NULL;
    return NULL;
}
const lc_kernel lc_kernel_QUANTIZE = {.choose = choose_quantize};

/* ---- DEQUANTIZE ---------------------------------------------------------------------------------------------------- */

#define INTEGERS (LC_T(INT8) | LC_T(UINT8) | LC_T(INT16) | LC_T(INT4) | LC_T(UINT4) | LC_T(INT2))

static lc_status prepare_dequantize(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, INTEGERS));
    state *s = lc_kernel_state(ctx, sizeof *s);
    return s ? read_quant(ctx, ctx->in[0], "input 0", s) : LC_NO_MEMORY;
}

/* The difference is exact in float32, so there is one rounding: LiteRT's way by float64 gives the same. */
#define LOAD(T) \
    for (int64_t i = 0; i < n; i++) out[i] = scale * (float)((int32_t)((const T *)in)[at + i] - zero); \
    break
static void dequantize_run(float *out, const void *in, lc_dtype type, int64_t at, int64_t n, float scale, int32_t zero) {
    switch (type) {
    case LC_INT8: LOAD(int8_t);
    case LC_UINT8: LOAD(uint8_t);
    case LC_INT16: LOAD(int16_t);
    default:
        for (int64_t i = 0; i < n; i++) out[i] = scale * (float)(lc_int_at(in, type, at + i) - zero);
    }
}

static lc_status run_dequantize(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0];
    const int64_t n = lc_ref_elements(in);
    for (int64_t at = 0, channel = 0; at < n; at += s->inner, channel = (channel + 1) % s->channels)
        dequantize_run((float *)ctx->out[0]->data + at, in->data, in->type, at, s->inner, s->scales[channel], zero_of(s, channel));
    return LC_OK;
}

static lc_status prepare_half(lc_kernel_ctx *ctx) { return lc_ref_input(ctx, 0, LC_T(FLOAT16) | LC_T(BFLOAT16)); }
static lc_status run_half(lc_kernel_ctx *ctx) {
    lc_real_load(ctx->in[0]->data, ctx->in[0]->type, 0, 1, lc_ref_elements(ctx->in[0]), ctx->out[0]->data);
    return LC_OK;
}

static const lc_kernel from_integer = {.prepare = prepare_dequantize, .run = run_dequantize};
static const lc_kernel from_half = {.prepare = prepare_half, .run = run_half};

static const lc_kernel *choose_dequantize(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type;
    if (ctx->out[0]->type != LC_FLOAT32 || in < 0 || in >= LC_DTYPE_COUNT) return NULL;
    return INTEGERS >> in & 1 ? &from_integer : in == LC_FLOAT16 || in == LC_BFLOAT16 ? &from_half : NULL;
}
const lc_kernel lc_kernel_DEQUANTIZE = {.choose = choose_dequantize};

/* ---- FAKE_QUANT ----------------------------------------------------------------------------------------------------- */

/* Every number goes to the nearest step. */
static lc_status run_fake(lc_kernel_ctx *ctx) {
    const lc_FakeQuantOptions *o = LC_OP_ATTRS(ctx->node, FakeQuantOptions);
    const lc_fake_grid grid = lc_fake_grid_of(o->min, o->max, o->num_bits);
    const float *in = ctx->in[0]->data, inverse = 1 / grid.scale;
    float *out = ctx->out[0]->data;
    const int64_t n = lc_ref_elements(ctx->in[0]);
    for (int64_t i = 0; i < n; i++) out[i] = lc_fake_grid_round(&grid, inverse, in[i]);
    return LC_OK;
}
const lc_kernel lc_kernel_FAKE_QUANT = {.prepare = lc_ref_prepare_float, .run = run_fake};
