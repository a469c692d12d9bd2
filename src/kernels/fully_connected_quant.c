/*
 * fully_connected_quant.c: FULLY_CONNECTED with integer weights.
 *
 *   quantised   int8 and int16 with int8, int4 or int2 weights, a scale a tensor or a unit; uint8 to uint8 or int16. LiteRT's reference
 *               rounds the sum times the three scales once, in double.
 *   int16       int16 with int16 weights: sums of 64 bits in fixed point
 *   shuffled    uint8 to int16, zero points 128 and 128, weights in blocks of 4 units x 16 inputs with their sign bits flipped; batch 1
 *               or 4. Output 1 is LiteRT's workspace: the input with its sign bits flipped, for batch 4 in blocks of 16 of each row.
 *   hybrid      float32 with int8, int4, int2 or (old files, whose bytes are int8) uint8 weights: each row is quantised
 *   blockwise   float32 with int4 weights that have a float16 scale for each block of inputs
 */
#include "kernels/int_conv.h"

#include <string.h>

static lc_int_conv geometry(const lc_kernel_ctx *ctx) {
    const int32_t units = ctx->in[1]->shape.dims[0], depth = ctx->in[1]->shape.dims[1];
    const int64_t elements = lc_ref_elements(ctx->in[0]);
    return (lc_int_conv){.batch = depth ? (int32_t)(elements / depth) : 0,
                         .in_h = 1,
                         .in_w = 1,
                         .in_c = depth,
                         .out_h = 1,
                         .out_w = 1,
                         .out_c = units,
                         .kernel_h = 1,
                         .kernel_w = 1,
                         .stride_h = 1,
                         .stride_w = 1,
                         .dilation_h = 1,
                         .dilation_w = 1,
                         .groups = 1,
                         .in = 0,
                         .filter = 1,
                         .filter_type = ctx->in[1]->type};
}

static lc_int_spec spec_of(const lc_kernel_ctx *ctx) {
    const lc_FullyConnectedOptions *o = LC_OP_ATTRS(ctx->node, FullyConnectedOptions);
    return (lc_int_spec){.in = 0,
                         .filter = 1,
                         .bias = 2,
                         .axis = 0,
                         .channels = ctx->in[1]->shape.dims[0],
                         .activation = o->fused_activation_function,
                         .sum_type = (lc_dtype)o->quantized_bias_type,
                         .float_product = true};
}

/* Outputs of a filter without inputs are 0. */
static lc_status run(lc_kernel_ctx *ctx) {
    if (ctx->in[1]->shape.dims[1] > 0) return lc_int_conv_run(ctx);
    memset(ctx->out[0]->data, 0, ctx->out[0]->size);
    return LC_OK;
}

static lc_status prepare_quant(lc_kernel_ctx *ctx) {
    const lc_dtype filter = ctx->in[1]->type;
    lc_int_conv c = geometry(ctx);
    lc_int_spec spec = spec_of(ctx);
    spec.real = filter != LC_INT16;
    spec.use_filter_zero = true;
    spec.check_filter_zero = filter == LC_INT4 || filter == LC_INT2;
    LC_TRY(lc_int_output_prepare(ctx, &spec, &c.output));
    /* uint8 to int16: the clamp comes before the zero point, which LiteRT wants to be 0 */
    if (ctx->in[0]->type == LC_UINT8 && ctx->out[0]->type == LC_INT16 && c.output.zero)
        return lc_fail(ctx->err, LC_INVALID, "its int16 output has a zero point, which must be 0");
    return lc_int_conv_prepare(ctx, &c);
}

static lc_status prepare_int16(lc_kernel_ctx *ctx) {
    lc_int_conv c = geometry(ctx);
    lc_int_spec spec = spec_of(ctx);
    spec.use_filter_zero = true;
    LC_TRY(lc_int_output_prepare(ctx, &spec, &c.output));
    c.output.rounding = LC_INT_ROUND_64; /* whatever the bias is */
    return lc_int_conv_prepare(ctx, &c);
}

static lc_status prepare_hybrid(lc_kernel_ctx *ctx) {
    lc_int_conv c = geometry(ctx);
    const lc_int_spec spec = spec_of(ctx);
    LC_TRY(lc_int_hybrid_prepare(ctx, &spec, &c.output));
    if (c.filter_type == LC_UINT8) c.filter_type = LC_INT8;
    c.asymmetric = LC_OP_ATTRS(ctx->node, FullyConnectedOptions)->asymmetric_quantize_inputs;
    return lc_int_conv_prepare(ctx, &c);
}

const lc_kernel lc_fully_connected_quant = {.prepare = prepare_quant, .run = run};
const lc_kernel lc_fully_connected_int16 = {.prepare = prepare_int16, .run = run};
const lc_kernel lc_fully_connected_hybrid = {.prepare = prepare_hybrid, .run = run};

/* ---- shuffled ------------------------------------------------------------------------------------------------------ */

enum { UNITS = 4, INPUTS = 16, FLIP = 0x80 };

static lc_status prepare_shuffled(lc_kernel_ctx *ctx) {
    const int32_t *f = ctx->in[1]->shape.dims;
    const int64_t batch = f[1] ? lc_ref_elements(ctx->in[0]) / f[1] : 0;
    lc_int_spec spec = spec_of(ctx);
    lc_int_output *output = lc_kernel_state(ctx, sizeof *output);
    if (!output) return LC_NO_MEMORY;
    LC_TRY(lc_int_output_prepare(ctx, &spec, output));
    output->zero = 0;
    if (f[0] % UNITS || f[1] % INPUTS || (batch != 1 && batch != 4))
        return lc_fail(ctx->err, LC_INVALID,
                       "shuffled weights need a multiple of 4 units, one of 16 inputs and a batch of 1 or 4; they are %d, %d and %lld",
                       f[0], f[1], (long long)batch);
    return LC_OK;
}

static lc_status run_shuffled(lc_kernel_ctx *ctx) {
    const int64_t units = ctx->in[1]->shape.dims[0], depth = ctx->in[1]->shape.dims[1], batch = lc_ref_elements(ctx->in[0]) / depth;
    const uint8_t *in = ctx->in[0]->data;
    const int8_t *weights = ctx->in[1]->data;
    lc_int_output output = *(const lc_int_output *)ctx->state;
    lc_int_output_begin(ctx, &output);
    for (int64_t b = 0; b < batch; b++)
        for (int64_t u = 0; u < units; u++) {
            uint32_t sum = 0;
            for (int64_t d = 0; d < depth; d++) {
                const int64_t block = (u / UNITS * (depth / INPUTS) + d / INPUTS) * UNITS + u % UNITS;
                sum += (uint32_t)((in[b * depth + d] - FLIP) * weights[block * INPUTS + d % INPUTS]);
            }
            lc_int_store(&output, (int32_t)sum, u, 0, b * units + u);
        }
    uint8_t *workspace = ctx->out_count > 1 && ctx->out[1] ? ctx->out[1]->data : NULL;
    for (int64_t d = 0; workspace && d < depth; d += INPUTS)
        for (int64_t b = 0; b < batch; b++)
            for (int64_t k = 0; k < INPUTS; k++) *workspace++ = in[b * depth + d + k] ^ FLIP;
    return LC_OK;
}

const lc_kernel lc_fully_connected_shuffled = {.prepare = prepare_shuffled, .run = run_shuffled};

/* ---- block-wise ---------------------------------------------------------------------------------------------------- */

typedef struct blocks {
    const lc_tensor *scales; /* float16 [units][depth / size] */
    int64_t size, count;     /* of a block; in a row */
} blocks;

static lc_status prepare_blockwise(lc_kernel_ctx *ctx) {
    const lc_value *filter = ctx->in[1], *bias = ctx->in_count > 2 ? ctx->in[2] : NULL;
    const lc_BlockwiseQuantization *q = filter->def->quant->details.value;
    const int64_t units = filter->shape.dims[0], depth = filter->shape.dims[1];
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT4)));
    if (bias) LC_TRY(lc_ref_input(ctx, 2, LC_T(FLOAT32)));
    blocks *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    s->size = q->block_size;
    if (s->size < 1 || depth % s->size)
        return lc_fail(ctx->err, LC_INVALID, "blocks of %lld do not divide the filter's %lld inputs", (long long)s->size, (long long)depth);
    s->count = depth / s->size;
    s->scales = lc_quant_tensor(ctx, q->scales);
    if (!s->scales || s->scales->type != LC_FLOAT16 || !s->scales->data || s->scales->size / sizeof(uint16_t) < (size_t)(units * s->count))
        return lc_fail(ctx->err, LC_INVALID, "the filter's block scales (tensor %d) are not a float16 constant of %lld elements",
                       (int)q->scales, (long long)(units * s->count));
    ctx->scratch_size = (size_t)depth * 2 * sizeof(int16_t);
    ctx->label = "hybrid";
    return LC_OK;
}

static lc_status run_blockwise(lc_kernel_ctx *ctx) {
    const blocks *s = ctx->state;
    const int64_t units = ctx->in[1]->shape.dims[0], depth = ctx->in[1]->shape.dims[1];
    const uint16_t *scales = s->scales->data;
    const float *in = ctx->in[0]->data, *bias = ctx->in_count > 2 && ctx->in[2] ? ctx->in[2]->data : NULL;
    float *out = ctx->out[0]->data, *to = out;
    int16_t *x = ctx->scratch, *row = x + depth;
    for (int64_t b = 0, batch = lc_ref_elements(ctx->in[0]) / depth; b < batch; b++) {
        const float scale = lc_hybrid_asymmetric(in + b * depth, depth, x);
        for (int64_t u = 0; u < units; u++) {
            double total = 0;
            lc_int_centre(ctx->simd, ctx->in[1]->data, LC_INT4, u * depth, depth, 0, row);
            for (int64_t k = 0; k < s->count; k++) {
                int64_t sum;
                lc_int_dots(ctx->simd, row + k * s->size, x + k * s->size, 0, s->size, 1, 255 * 8, &sum);
                total += (double)sum * (double)lc_half_to_float(scales[u * s->count + k]);
            }
            *to++ = (float)(total * (double)scale + (bias ? (double)bias[u] : 0));
        }
    }
    lc_ref_activate(out, to - out, LC_OP_ATTRS(ctx->node, FullyConnectedOptions)->fused_activation_function);
    return LC_OK;
}

const lc_kernel lc_fully_connected_blockwise = {.prepare = prepare_blockwise, .run = run_blockwise};
