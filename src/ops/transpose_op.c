/*
 * transpose_op.c: TRANSPOSE: output dimension i is input dimension perm[i]. REVERSE_V2: the named axes run backwards.
 */
#include "ops/infer.h"

lc_status lc_infer_REVERSE_V2(lc_infer_ctx *ctx) {
    int32_t n, axis;
    int64_t axes[LC_MAX_RANK];
    uint32_t count = LC_MAX_RANK;
    bool seen[LC_MAX_RANK] = {false};
    LC_TRY(lc_infer_index_vector(ctx, 1, "axes", &n));
    if (n > ctx->in[0].shape.rank) return LC_OP_FAIL(ctx, "names %d axes of a tensor with %d dimensions", n, ctx->in[0].shape.rank);
    if (lc_infer_ints(&ctx->in[1], axes, &count))
        for (uint32_t i = 0; i < count; i++) {
            LC_TRY(lc_infer_axis(ctx, axes[i], ctx->in[0].shape.rank, &axis));
            if (seen[axis]) return LC_OP_FAIL(ctx, "names axis %d twice", axis);
            seen[axis] = true;
        }
    return lc_infer_same(ctx);
}

lc_status lc_infer_TRANSPOSE(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    int32_t count;
    LC_TRY(lc_infer_index_vector(ctx, 1, "perm", &count));
    if (count >= 0 && count != in->rank) return LC_OP_FAIL(ctx, "perm has %d entries, the input has %d dimensions", count, in->rank);
    int64_t perm[LC_MAX_RANK];
    uint32_t n = LC_MAX_RANK;
    lc_shape out = lc_infer_open(in->rank);
    if (!lc_infer_ints(&ctx->in[1], perm, &n)) return lc_infer_give(ctx, ctx->in[0].type, &out);
    bool seen[LC_MAX_RANK] = {false};
    for (int32_t i = 0; i < in->rank; i++) {
        int32_t axis;
        LC_TRY(lc_infer_axis(ctx, perm[i], in->rank, &axis));
        if (seen[axis]) return LC_OP_FAIL(ctx, "perm names dimension %d twice", axis);
        seen[axis] = true;
        out.dims[i] = in->dims[axis];
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

/* REVERSE_SEQUENCE: input 1 has one length for each entry of batch_dim; that many elements along seq_dim run backwards. */
lc_status lc_infer_REVERSE_SEQUENCE(lc_infer_ctx *ctx) {
    const lc_ReverseSequenceOptions *o = LC_OP_ATTRS(ctx->node, ReverseSequenceOptions);
    const lc_shape *in = &ctx->in[0].shape, *lengths = &ctx->in[1].shape;
    int32_t n;
    LC_TRY(lc_infer_index_vector(ctx, 1, "seq_lengths", &n));
    LC_TRY(lc_infer_rank(ctx, 1, 1, "seq_lengths"));
    if (o->seq_dim < 0 || o->seq_dim >= in->rank || o->batch_dim < 0 || o->batch_dim >= in->rank || o->seq_dim == o->batch_dim)
        return LC_OP_FAIL(ctx, "seq_dim %d and batch_dim %d must be two of the %d dimensions", o->seq_dim, o->batch_dim, in->rank);
    if (lengths->dims[0] >= 0 && in->dims[o->batch_dim] >= 0 && lengths->dims[0] != in->dims[o->batch_dim])
        return LC_OP_FAIL(ctx, "seq_lengths has %d entries, dimension %d has %d", lengths->dims[0], o->batch_dim, in->dims[o->batch_dim]);
    return lc_infer_same(ctx);
}
