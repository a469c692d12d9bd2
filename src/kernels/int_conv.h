/*
 * int_conv.h: the engine behind CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED with integer weights, quantised or hybrid.
 *
 * The activations are centred (integer.h) once a run. Then, for a block of output positions at a time, the cells under each window are
 * gathered into a patch (0 outside the image), and each output channel's filter row is centred and multiplied with all patches of
 * the block. Weights of less than 8 bits are unpacked a row at a time, so they never take more memory than in the file.
 */
#ifndef LC_KERNELS_INT_CONV_H
#define LC_KERNELS_INT_CONV_H

#include "kernels/integer.h"

typedef struct lc_int_conv {
    int32_t batch, in_h, in_w, in_c, out_h, out_w, out_c;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w;
    int32_t groups;
    bool transposed;      /* of a TRANSPOSE_CONV: its strides part the input's cells; dilation and groups are 1 */
    bool asymmetric;      /* hybrid */
    int32_t in, filter;   /* slots; the filter is [out_c][kernel_h][kernel_w][in_c / groups] */
    lc_dtype filter_type; /* as the bytes are to be read */
    lc_int_output output;
} lc_int_conv;

/* Keeps *conv as the node's state and asks for scratch. conv->output is prepared already. */
lc_status lc_int_conv_prepare(lc_kernel_ctx *ctx, const lc_int_conv *conv);
lc_status lc_int_conv_run(lc_kernel_ctx *ctx);

#endif
