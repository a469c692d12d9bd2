/*
 * svdf_op.c: SVDF, a dense layer over time as a product of two thin matrices.
 *
 *   input [batch, depth]   feature weights [filters, depth]   time weights [filters, memory]   bias [units], may be absent
 *   state [batch, memory * filters], a variable   output [batch, units]      filters = units * rank
 */
#include "ops/infer.h"

lc_status lc_infer_SVDF(lc_infer_ctx *ctx) {
    const lc_SVDFOptions *o = LC_OP_ATTRS(ctx->node, SVDFOptions);
    char text[LC_SHAPE_TEXT];
    int32_t met;
    if (ctx->out_count != 1) return LC_OP_FAIL(ctx, "has %u outputs, needs 1", ctx->out_count);
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    LC_TRY(lc_infer_rank(ctx, 0, 2, "input"));
    LC_TRY(lc_infer_rank(ctx, 1, 2, "feature weights"));
    LC_TRY(lc_infer_rank(ctx, 2, 2, "time weights"));
    LC_TRY(lc_infer_rank(ctx, 4, 2, "state"));
    const int32_t *in = ctx->in[0].shape.dims, *feature = ctx->in[1].shape.dims, *time = ctx->in[2].shape.dims,
                  *state = ctx->in[4].shape.dims;
    const int32_t filters = feature[0];
    if (filters < 1 || feature[1] < 0 || time[1] < 1)
        return LC_OP_FAIL(ctx, "has %d filters of %d features and %d steps, which must be known and 1 or more", filters, feature[1],
                          time[1]);
    if (o->rank < 1 || filters % o->rank)
        return LC_OP_FAIL(ctx, "rank is %d, must be 1 or more and divide the %d filters", o->rank, filters);
    if (!lc_infer_meet(in[1], feature[1], &met))
        return LC_OP_FAIL(ctx, "input has a depth of %d, the feature weights take %d", in[1], feature[1]);
    if (time[0] != filters) return LC_OP_FAIL(ctx, "time weights have %d rows for %d filters", time[0], filters);
    LC_TRY(lc_infer_bias(ctx, 3, filters / o->rank));
    if ((ctx->in[4].def && !ctx->in[4].def->is_variable) || ctx->in[4].data)
        return LC_OP_FAIL(ctx, "the state (input 4) is no variable tensor");
    if (!lc_infer_meet(state[0], in[0], &met) || state[1] != (int64_t)time[1] * filters) {
        LC_OP_FAIL(ctx, "the state (input 4) is %s, needs [%d,%lld]", lc_shape_text(&ctx->in[4].shape, text), in[0],
                   (long long)time[1] * filters);
        lc_error_hint(ctx->err, "a stateful operator runs with the batch it was converted for");
        return LC_INVALID;
    }
    const lc_shape out = {2, {in[0], filters / o->rank}};
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
