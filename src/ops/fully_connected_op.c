/*
 * fully_connected_op.c: FULLY_CONNECTED.
 *
 *   input [..., depth] or any shape of batch * depth elements   filter [units, depth]   bias [units]
 *   output [batch, units], or input's shape with the last dimension replaced (keep_num_dims)
 *
 * Weights may come shuffled for one of LiteRT's kernels; there is a second output then.
 */
#include "ops/infer.h"

lc_status lc_infer_FULLY_CONNECTED(lc_infer_ctx *ctx) {
    const lc_FullyConnectedOptions *o = LC_OP_ATTRS(ctx->node, FullyConnectedOptions);
    LC_TRY(lc_infer_rank(ctx, 1, 2, "filter"));
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    const lc_shape *in = &ctx->in[0].shape;
    int32_t units = ctx->in[1].shape.dims[0], depth = ctx->in[1].shape.dims[1];
    char text[LC_SHAPE_TEXT];
    if (units < 0 || depth < 0) return LC_OP_FAIL(ctx, "filter is %s, its sizes must be known", lc_shape_text(&ctx->in[1].shape, text));
    const bool shuffled = o->weights_format == LC_FullyConnectedOptionsWeightsFormat_SHUFFLED4x16INT8;
    if (!shuffled && o->weights_format != LC_FullyConnectedOptionsWeightsFormat_DEFAULT)
        return LC_OP_FAIL(ctx, "weights_format is %d, needs DEFAULT (0) or SHUFFLED4x16INT8 (1)", o->weights_format);
    if (ctx->out_count != (shuffled ? 2 : 1))
        return LC_OP_FAIL(ctx, "has %u outputs, needs %d with %s weights", ctx->out_count, shuffled ? 2 : 1,
                          shuffled ? "shuffled" : "default");
    if (shuffled) { /* LiteRT's workspace, as large as the input */
        ctx->out[1].type = LC_UINT8;
        ctx->out[1].shape = *in;
    }
    LC_TRY(lc_infer_bias(ctx, 2, units));
    /* An old uint8 form gives int16. */
    lc_dtype type = ctx->in[0].type == LC_UINT8 && ctx->out[0].type == LC_INT16 ? LC_INT16 : ctx->in[0].type;
    lc_shape out;
    int32_t last = in->rank ? in->dims[in->rank - 1] : 1, met;
    if (o->keep_num_dims) {
        if (in->rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, keep_num_dims needs 1 dimension or more");
        if (!lc_infer_meet(last, depth, &met))
            return LC_OP_FAIL(ctx, "input %s ends in %d, the filter takes %d", lc_shape_text(in, text), last, depth);
        out = *in;
        out.dims[out.rank - 1] = units;
        return lc_infer_give(ctx, type, &out);
    }
    /* Batch is all elements over depth; with one open dimension it can be told only to be whole or not. */
    uint64_t known = 1;
    bool open = false, zero = false;
    for (int32_t i = 0; i < in->rank; i++) {
        if (in->dims[i] < 0) open = true;
        else if (in->dims[i] == 0) zero = true;
        else known *= (uint64_t)in->dims[i]; /* at most INT32_MAX: checked before */
    }
    out = (lc_shape){2, {-1, units}};
    if (depth == 0) {
        uint64_t batch = 1;
        for (int32_t i = 0; i + 1 < in->rank; i++) batch = in->dims[i] < 0 ? batch : batch * (uint64_t)in->dims[i];
        if (!open && !zero) return LC_OP_FAIL(ctx, "input %s has elements, the filter takes 0", lc_shape_text(in, text));
        if (!open) {
            if (batch > INT32_MAX) return LC_OP_FAIL(ctx, "input %s is too large", lc_shape_text(in, text));
            out.dims[0] = (int32_t)batch;
        }
    } else if (!open) {
        uint64_t n = zero ? 0 : known;
        if (n % (uint64_t)depth)
            return LC_OP_FAIL(ctx, "input %s has %llu elements, not a multiple of the filter's %d", lc_shape_text(in, text),
                              (unsigned long long)n, depth);
        out.dims[0] = (int32_t)(n / (uint64_t)depth);
    } else if (last >= 0 && in->rank == 2 && last != depth && in->dims[0] < 0) {
        /* [?, k] with k != depth would work for some batches only: no model means that. */
        return LC_OP_FAIL(ctx, "input %s ends in %d, the filter takes %d", lc_shape_text(in, text), last, depth);
    }
    return lc_infer_give(ctx, type, &out);
}
