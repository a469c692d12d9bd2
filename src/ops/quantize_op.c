/*
 * quantize_op.c: QUANTIZE (the type is that of the output tensor), DEQUANTIZE (float32) and FAKE_QUANT keep the shape. A FAKE_QUANT that
 * quantises to a narrow range is refused, as LiteRT does.
 */
#include "ops/infer.h"
#include <math.h>

lc_status lc_infer_QUANTIZE(lc_infer_ctx *ctx) { return lc_infer_give(ctx, ctx->out[0].type, &ctx->in[0].shape); }

lc_status lc_infer_DEQUANTIZE(lc_infer_ctx *ctx) { return lc_infer_give(ctx, LC_FLOAT32, &ctx->in[0].shape); }

lc_status lc_infer_FAKE_QUANT(lc_infer_ctx *ctx) {
    const lc_FakeQuantOptions *o = LC_OP_ATTRS(ctx->node, FakeQuantOptions);
    if (o->narrow_range) return LC_OP_UNSUPPORTED(ctx, "narrow_range on FAKE_QUANT: no runtime runs that");
    if (o->num_bits < 1 || o->num_bits > 16) return LC_OP_FAIL(ctx, "num_bits is %d, needs 1 to 16", o->num_bits);
    if (!isfinite(o->min) || !isfinite(o->max) || !(o->min < o->max))
        return LC_OP_FAIL(ctx, "the range [%g, %g] is empty or no range", (double)o->min, (double)o->max);
    return lc_infer_same(ctx);
}
