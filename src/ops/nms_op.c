/*
 * nms_op.c: NON_MAX_SUPPRESSION_V4 and V5: of boxes [n, 4] with scores [n] the best that do not overlap, at most max_output_size of them.
 * The outputs have that length, filled up with zeros; the last says how many count. V5 lowers the score of overlapping boxes by its sigma
 * and gives the scores, too.
 */
#include "ops/infer.h"

static lc_status infer_nms(lc_infer_ctx *ctx) {
    static const char *const names[] = {"boxes", "scores", "max_output_size", "iou_threshold", "score_threshold", "soft_nms_sigma"};
    const lc_shape *boxes = &ctx->in[0].shape, *scores = &ctx->in[1].shape, scalar = {0};
    bool known;
    int64_t most = -1;
    uint64_t one;
    for (uint32_t i = 0; i < ctx->in_count; i++) {
        if (i != 2 && ctx->in[i].type != LC_FLOAT32)
            return LC_OP_FAIL(ctx, "%s is %s, needs float32", names[i], lc_dtype_name(ctx->in[i].type));
        if (i > 2 && lc_shape_elements(&ctx->in[i].shape, &one) && one != 1)
            return LC_OP_FAIL(ctx, "%s has %llu elements, needs 1", names[i], (unsigned long long)one);
    }
    LC_TRY(lc_infer_rank(ctx, 0, 2, "boxes"));
    LC_TRY(lc_infer_rank(ctx, 1, 1, "scores"));
    LC_TRY(lc_infer_scalar(ctx, 2, names[2], &known, &most));
    if (boxes->dims[1] >= 0 && boxes->dims[1] != 4) return LC_OP_FAIL(ctx, "boxes have %d coordinates, need 4", boxes->dims[1]);
    if (boxes->dims[0] >= 0 && scores->dims[0] >= 0 && boxes->dims[0] != scores->dims[0])
        return LC_OP_FAIL(ctx, "%d boxes and %d scores", boxes->dims[0], scores->dims[0]);
    if (known && (most < 0 || most > INT32_MAX)) return LC_OP_FAIL(ctx, "max_output_size is %lld", (long long)most);
    const lc_shape out = {1, {known ? (int32_t)most : -1}};
    const uint32_t last = ctx->out_count - 1;
    for (uint32_t i = 0; i <= last; i++) {
        ctx->out[i].type = i == 1 && last == 2 ? LC_FLOAT32 : LC_INT32;
        ctx->out[i].shape = i == last ? scalar : out;
    }
    return LC_OK;
}

lc_status lc_infer_NON_MAX_SUPPRESSION_V4(lc_infer_ctx *ctx) { return infer_nms(ctx); }
lc_status lc_infer_NON_MAX_SUPPRESSION_V5(lc_infer_ctx *ctx) { return infer_nms(ctx); }
