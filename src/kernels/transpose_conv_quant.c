/*
 * transpose_conv_quant.c: TRANSPOSE_CONV with integer weights, by the engine of int_conv.c: int8, uint8 (with a zero point in the
 * weights), int16 with an int64 or int32 bias, and float32 with int8 weights (each image is quantised asymmetrically).
 */
#include "kernels/int_conv.h"

static lc_int_conv geometry(const lc_kernel_ctx *ctx) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(ctx->node, TransposeConvOptions);
    const int32_t *f = ctx->in[1]->shape.dims, *i = ctx->in[2]->shape.dims, *out = ctx->out[0]->shape.dims;
    lc_int_conv c = {.batch = i[0],
                     .in_h = i[1],
                     .in_w = i[2],
                     .in_c = i[3],
                     .out_h = out[1],
                     .out_w = out[2],
                     .out_c = f[0],
                     .kernel_h = f[1],
                     .kernel_w = f[2],
                     .stride_h = o->stride_h,
                     .stride_w = o->stride_w,
                     .dilation_h = 1,
                     .dilation_w = 1,
                     .groups = 1,
                     .transposed = true,
                     .asymmetric = true,
                     .in = 2,
                     .filter = 1,
                     .filter_type = ctx->in[1]->type};
    int32_t unused;
    lc_op_window(out[1], f[1], o->stride_h, 1, o->padding, &unused, &c.pad_h);
    lc_op_window(out[2], f[2], o->stride_w, 1, o->padding, &unused, &c.pad_w);
    return c;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(ctx->node, TransposeConvOptions);
    const lc_dtype in = ctx->in[2]->type;
    lc_int_conv c = geometry(ctx);
    const lc_int_spec spec = {.in = 2,
                              .filter = 1,
                              .bias = 3,
                              .axis = 0,
                              .channels = c.out_c,
                              .activation = o->fused_activation_function,
                              .sum_type = (lc_dtype)o->quantized_bias_type,
                              .use_filter_zero = in == LC_UINT8,
                              .float_product = in == LC_UINT8};
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32) | LC_T(INT64)));
    LC_TRY(in == LC_FLOAT32 ? lc_int_hybrid_prepare(ctx, &spec, &c.output) : lc_int_output_prepare(ctx, &spec, &c.output));
    return lc_int_conv_prepare(ctx, &c);
}

static lc_status run(lc_kernel_ctx *ctx) {
    LC_TRY(lc_transpose_conv_same(ctx));
    return lc_int_conv_run(ctx);
}

const lc_kernel lc_transpose_conv_quant = {.prepare = prepare, .run = run};
