/*
 * matrix_op.c: MATRIX_DIAG makes square matrices with the last dimension as their diagonals; MATRIX_SET_DIAG replaces the diagonals of
 * matrices.
 */
#include "ops/infer.h"

lc_status lc_infer_MATRIX_DIAG(lc_infer_ctx *ctx) {
    lc_shape out = ctx->in[0].shape;
    if (out.rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    if (out.rank == LC_MAX_RANK)
        return LC_OP_UNSUPPORTED(ctx, "would have %d dimensions, litec runs at most %d", out.rank + 1, LC_MAX_RANK);
    out.dims[out.rank] = out.dims[out.rank - 1];
    out.rank++;
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_MATRIX_SET_DIAG(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape, *diagonal = &ctx->in[1].shape;
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    if (in->rank < 2) return LC_OP_FAIL(ctx, "input has %d dimensions, needs 2 or more", in->rank);
    bool fits = diagonal->rank == in->rank - 1;
    for (int32_t d = 0; fits && d < diagonal->rank; d++) {
        int32_t wanted = in->dims[d], columns = in->dims[in->rank - 1];
        if (d == diagonal->rank - 1 && (columns < 0 || wanted < 0)) wanted = -1;
        else if (d == diagonal->rank - 1 && columns < wanted) wanted = columns;
        fits = wanted < 0 || diagonal->dims[d] < 0 || wanted == diagonal->dims[d];
    }
    if (!fits) {
        char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
        return LC_OP_FAIL(ctx, "%s is no diagonal of matrices %s", lc_shape_text(diagonal, ta), lc_shape_text(in, tb));
    }
    return lc_infer_same(ctx);
}
