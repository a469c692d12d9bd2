/*
 * random_op.c: RANDOM_UNIFORM and RANDOM_STANDARD_NORMAL (shape operand: int32 vector), MULTINOMIAL (logits [batch, classes], number of
 * samples: output [batch, samples] of int32 or int64). A shape that a constant does not say stays open: the kernel gives it, and goes on
 * with its numbers where the last run ended, whatever the shapes were.
 */
#include "ops/infer.h"

/* The operand is a constant of the file. */
static bool is_fixed(const lc_infer_tensor *t) { return t->data && (!t->def || lc_tensor_is_const(t->def)); }

static lc_status infer_shaped(lc_infer_ctx *ctx) {
    const lc_infer_tensor *shape = &ctx->in[0];
    char text[LC_SHAPE_TEXT];
    int32_t n;
    if (shape->type != LC_INT32) return LC_OP_FAIL(ctx, "its shape operand is %s, needs int32", lc_dtype_name(shape->type));
    LC_TRY(lc_infer_rank(ctx, 0, 1, "shape operand"));
    n = shape->shape.dims[0];
    if (n > LC_MAX_RANK) return LC_OP_UNSUPPORTED(ctx, "makes %d dimensions; litec runs up to %d", n, LC_MAX_RANK);
    lc_shape out = n < 0 ? (lc_shape){.rank = LC_RANK_UNKNOWN} : lc_infer_open(n);
    int64_t dims[LC_MAX_RANK];
    uint32_t count = LC_MAX_RANK;
    if (is_fixed(shape) && lc_infer_ints(shape, dims, &count)) {
        uint64_t elements;
        for (uint32_t i = 0; i < count; i++) {
            if (dims[i] < 0) return LC_OP_FAIL(ctx, "dimension %u of its shape is %lld", i, (long long)dims[i]);
            out.dims[i] = (int32_t)dims[i];
        }
        if (!lc_shape_elements(&out, &elements)) return LC_OP_FAIL(ctx, "its shape %s is too large", lc_shape_text(&out, text));
    } else if (n == 0) {
        out.rank = 0;
    }
    return lc_infer_give(ctx, LC_FLOAT32, &out);
}

lc_status lc_infer_RANDOM_UNIFORM(lc_infer_ctx *ctx) { return infer_shaped(ctx); }
lc_status lc_infer_RANDOM_STANDARD_NORMAL(lc_infer_ctx *ctx) { return infer_shaped(ctx); }

lc_status lc_infer_MULTINOMIAL(lc_infer_ctx *ctx) {
    bool known;
    int64_t samples = 0;
    LC_TRY(lc_infer_rank(ctx, 0, 2, "logits"));
    LC_TRY(lc_infer_scalar(ctx, 1, "number of samples", &known, &samples));
    if (ctx->in[1].type != LC_INT32) return LC_OP_FAIL(ctx, "the number of samples is %s, needs int32", lc_dtype_name(ctx->in[1].type));
    if (ctx->in[0].shape.dims[1] == 0) return LC_OP_FAIL(ctx, "logits have no classes");
    if (known && samples < 0) return LC_OP_FAIL(ctx, "the number of samples is %lld", (long long)samples);
    const lc_dtype type = ctx->out[0].type == LC_INT32 ? LC_INT32 : LC_INT64;
    const lc_shape out = {2, {ctx->in[0].shape.dims[0], known && is_fixed(&ctx->in[1]) ? (int32_t)samples : -1}};
    return lc_infer_give(ctx, type, &out);
}
