/*
 * concat_op.c: CONCATENATION joins along an axis, PACK along a new one; ADD_N adds any number of tensors.
 *
 * A dimension open in one input and known in another is the known one. LiteRT refuses a fused activation on CONCATENATION, and
 * so does litec, although the schema has the field.
 */
#include "ops/infer.h"

lc_status lc_infer_CONCATENATION(lc_infer_ctx *ctx) {
    const lc_ConcatenationOptions *o = LC_OP_ATTRS(ctx->node, ConcatenationOptions);
    if (o->fused_activation_function != LC_ActivationFunctionType_NONE)
        return LC_OP_UNSUPPORTED(ctx, "fused activation %d on CONCATENATION: no runtime runs that", o->fused_activation_function);
    lc_shape out = ctx->in[0].shape;
    int32_t axis;
    if (out.rank < 1) return LC_OP_FAIL(ctx, "inputs are scalars, which have no axis to join");
    LC_TRY(lc_infer_axis(ctx, o->axis, out.rank, &axis));
    for (uint32_t i = 1; i < ctx->in_count; i++) {
        const lc_shape *s = &ctx->in[i].shape;
        char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
        LC_TRY(lc_infer_same_type(ctx, 0, i));
        if (s->rank != out.rank)
            return LC_OP_FAIL(ctx, "input 0 is %s and input %u is %s: different numbers of dimensions", lc_shape_text(&out, ta), i,
                              lc_shape_text(s, tb));
        for (int32_t d = 0; d < out.rank; d++) {
            if (d == axis) LC_TRY(lc_infer_dim_add(ctx, out.dims[d], s->dims[d], &out.dims[d]));
            else if (!lc_infer_meet(out.dims[d], s->dims[d], &out.dims[d]))
                return LC_OP_FAIL(ctx, "input %u is %s: dimension %d differs from %d of the inputs before", i, lc_shape_text(s, tb), d,
                                  out.dims[d]);
        }
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_ADD_N(lc_infer_ctx *ctx) {
    lc_shape out = ctx->in[0].shape;
    for (uint32_t i = 1; i < ctx->in_count; i++) {
        const lc_shape *s = &ctx->in[i].shape;
        bool fits = s->rank == out.rank;
        LC_TRY(lc_infer_same_type(ctx, 0, i));
        for (int32_t d = 0; fits && d < out.rank; d++) fits = lc_infer_meet(out.dims[d], s->dims[d], &out.dims[d]);
        if (!fits) return LC_OP_FAIL(ctx, "input %u has another shape than the inputs before", i);
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_PACK(lc_infer_ctx *ctx) {
    const lc_PackOptions *o = LC_OP_ATTRS(ctx->node, PackOptions);
    lc_shape each = ctx->in[0].shape;
    int32_t axis;
    if (o->values_count != (int32_t)ctx->in_count)
        return LC_OP_FAIL(ctx, "values_count is %d, there are %u inputs", o->values_count, ctx->in_count);
    if (each.rank == LC_MAX_RANK)
        return LC_OP_UNSUPPORTED(ctx, "would have %d dimensions, litec runs at most %d", each.rank + 1, LC_MAX_RANK);
    LC_TRY(lc_infer_axis(ctx, o->axis, each.rank + 1, &axis));
    for (uint32_t i = 1; i < ctx->in_count; i++) {
        const lc_shape *s = &ctx->in[i].shape;
        bool fits = s->rank == each.rank;
        LC_TRY(lc_infer_same_type(ctx, 0, i));
        for (int32_t d = 0; fits && d < each.rank; d++) fits = lc_infer_meet(each.dims[d], s->dims[d], &each.dims[d]);
        if (!fits) {
            char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
            return LC_OP_FAIL(ctx, "input 0 is %s and input %u is %s, they must be of one shape", lc_shape_text(&ctx->in[0].shape, ta), i,
                              lc_shape_text(s, tb));
        }
    }
    lc_shape out = {.rank = each.rank + 1};
    for (int32_t d = 0; d < out.rank; d++) out.dims[d] = d < axis ? each.dims[d] : d == axis ? (int32_t)ctx->in_count : each.dims[d - 1];
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
