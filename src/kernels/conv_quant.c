/*
 * conv_quant.c: CONV_2D with integer weights, by the engine of int_conv.c.
 *
 *   quantised   int8 with int8 or int4 weights, a scale a tensor or a channel; uint8 with a zero point in the weights; int16 with int8 or
 *               int4 weights and a bias of int64 or int32
 *   hybrid      float32 with int8, int4 or (old files) uint8 weights, whose bytes are int8 all the same. One scale for all channels:
 *               each image is quantised symmetrically; several, or groups: asymmetrically. So LiteRT does it.
 */
#include "kernels/int_conv.h"

static lc_int_conv geometry(const lc_kernel_ctx *ctx) {
    const lc_Conv2DOptions *o = LC_OP_ATTRS(ctx->node, Conv2DOptions);
    const int32_t *i = ctx->in[0]->shape.dims, *f = ctx->in[1]->shape.dims;
    lc_int_conv c = {.batch = i[0],
                     .in_h = i[1],
                     .in_w = i[2],
                     .in_c = i[3],
                     .out_c = f[0],
                     .kernel_h = f[1],
                     .kernel_w = f[2],
                     .stride_h = o->stride_h,
                     .stride_w = o->stride_w,
                     .dilation_h = o->dilation_h_factor,
                     .dilation_w = o->dilation_w_factor,
                     .groups = i[3] / f[3],
                     .in = 0,
                     .filter = 1,
                     .filter_type = ctx->in[1]->type};
    lc_op_window(i[1], f[1], o->stride_h, o->dilation_h_factor, o->padding, &c.out_h, &c.pad_h);
    lc_op_window(i[2], f[2], o->stride_w, o->dilation_w_factor, o->padding, &c.out_w, &c.pad_w);
    return c;
}

static lc_int_spec spec_of(const lc_kernel_ctx *ctx) {
    const lc_Conv2DOptions *o = LC_OP_ATTRS(ctx->node, Conv2DOptions);
    return (lc_int_spec){.in = 0,
                         .filter = 1,
                         .bias = 2,
                         .axis = 0,
                         .channels = ctx->in[1]->shape.dims[0],
                         .activation = o->fused_activation_function,
                         .sum_type = (lc_dtype)o->quantized_bias_type};
}

static lc_status prepare_quant(lc_kernel_ctx *ctx) {
    const bool old = ctx->in[0]->type == LC_UINT8;
    lc_int_conv c = geometry(ctx);
    lc_int_spec spec = spec_of(ctx);
    spec.use_filter_zero = spec.float_product = old;
    spec.check_filter_zero = !old;
    LC_TRY(lc_int_output_prepare(ctx, &spec, &c.output));
    return lc_int_conv_prepare(ctx, &c);
}

static lc_status prepare_hybrid(lc_kernel_ctx *ctx) {
    lc_int_conv c = geometry(ctx);
    const lc_int_spec spec = spec_of(ctx);
    LC_TRY(lc_int_hybrid_prepare(ctx, &spec, &c.output));
    if (c.filter_type == LC_UINT8) c.filter_type = LC_INT8;
    c.asymmetric = c.groups > 1;
    for (int32_t k = 1; k < c.output.channels; k++) c.asymmetric |= c.output.scale[k] != c.output.scale[0];
    c.output.in_steps = c.asymmetric;
    return lc_int_conv_prepare(ctx, &c);
}

const lc_kernel lc_conv_quant = {.prepare = prepare_quant, .run = lc_int_conv_run};
const lc_kernel lc_conv_hybrid = {.prepare = prepare_hybrid, .run = lc_int_conv_run};
