/*
 * space_ref.c: SPACE_TO_DEPTH, DEPTH_TO_SPACE, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND: elements move, any type of whole bytes. Each is a walk
 * over the finer tensor seen as a grid of blocks, with the strides of where the elements lie in the other.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "kernels/variants.h"
#include <string.h>

/* [n, h/b, b, w/b, b, c] in one is [n, h/b, w/b, b, b, c] in the other. */
static void move_depth(lc_kernel_ctx *ctx, int32_t b, const lc_value *space, bool to_depth) {
    const int32_t *s = space->shape.dims;
    int64_t h = s[1] / b, w = s[2] / b, c = s[3];
    lc_nd nd = {.rank = 6, .dims = {s[0], h, b, w, b, c}};
    int64_t in_space[6] = {s[1] * (int64_t)s[2] * c, b * s[2] * c, s[2] * c, b * c, c, 1};
    int64_t in_depth[6] = {h * w * b * b * c, w * b * b * c, b * c, b * b * c, c, 1};
    memcpy(nd.stride[to_depth ? 1 : 0], in_space, sizeof in_space);
    memcpy(nd.stride[to_depth ? 0 : 1], in_depth, sizeof in_depth);
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, ctx->out[0]->data, ctx->in[0]->data, lc_ref_width(ctx->in[0]));
}

static lc_status run_to_depth(lc_kernel_ctx *ctx) {
    move_depth(ctx, LC_OP_ATTRS(ctx->node, SpaceToDepthOptions)->block_size, ctx->in[0], true);
    return LC_OK;
}

static lc_status run_to_space(lc_kernel_ctx *ctx) {
    move_depth(ctx, LC_OP_ATTRS(ctx->node, DepthToSpaceOptions)->block_size, ctx->out[0], false);
    return LC_OK;
}

/* Cell (i1, i2 ...) of the padded space lies in batch entry ((i1 % b1) * b2 + i2 % b2 ...) * n + batch at i1 / b1, i2 / b2 ... `many` is
 * the tensor with the large batch, `one` the other; margin is what was padded or is cropped. */
static lc_status move_batch(lc_kernel_ctx *ctx, const lc_value *one, const lc_value *many, bool to_batch) {
    int64_t block[LC_MAX_RANK], margin[2 * LC_MAX_RANK], run = 1, blocks = 1;
    uint32_t m = LC_MAX_RANK, nm = 2 * LC_MAX_RANK;
    if (!lc_ref_ints(ctx->in[1], block, &m) || !lc_ref_ints(ctx->in[2], margin, &nm) || nm != 2 * m || (int32_t)m >= one->shape.rank)
        return lc_ref_changed(ctx);
    for (uint32_t i = 0; i < m; i++) {
        int64_t padded = one->shape.dims[i + 1] + margin[2 * i] + margin[2 * i + 1];
        if (block[i] < 1 || margin[2 * i] < 0 || margin[2 * i + 1] < 0 || padded != many->shape.dims[i + 1] * block[i])
            return lc_ref_changed(ctx);
        blocks *= block[i];
    }
    if (many->shape.dims[0] != one->shape.dims[0] * blocks) return lc_ref_changed(ctx);
    for (int32_t d = (int32_t)m + 1; d < one->shape.rank; d++) run *= one->shape.dims[d];
    size_t bytes = (size_t)run * lc_ref_width(one);
    uint8_t zero[16] = {0};
    lc_int_put(zero, one->type, 0, *(const int32_t *)ctx->state);
    if (to_batch) lc_copy_elements(ctx->out[0]->data, 1, zero, 0, lc_ref_elements(ctx->out[0]), lc_ref_width(one));
    int64_t cells = run ? lc_ref_elements(one) / run : 0, index[LC_MAX_RANK];
    for (int64_t i = 0; i < cells; i++) {
        int64_t rest = i, entry = 0, at;
        for (int32_t d = (int32_t)m; d >= 0; d--) {
            index[d] = rest % one->shape.dims[d];
            rest /= one->shape.dims[d];
        }
        for (uint32_t d = 0; d < m; d++) entry = entry * block[d] + (index[d + 1] + margin[2 * d]) % block[d];
        at = entry * one->shape.dims[0] + index[0];
        for (uint32_t d = 0; d < m; d++) at = at * many->shape.dims[d + 1] + (index[d + 1] + margin[2 * d]) / block[d];
        char *to = (char *)ctx->out[0]->data + (size_t)(to_batch ? at : i) * bytes;
        memcpy(to, (const char *)ctx->in[0]->data + (size_t)(to_batch ? i : at) * bytes, bytes);
    }
    return LC_OK;
}

static lc_status run_to_batch(lc_kernel_ctx *ctx) { return move_batch(ctx, ctx->in[0], ctx->out[0], true); }
static lc_status run_from_batch(lc_kernel_ctx *ctx) { return move_batch(ctx, ctx->out[0], ctx->in[0], false); }

/* What is padded with: the zero point of a quantised output, else 0. */
static lc_status prepare_batch(lc_kernel_ctx *ctx) {
    float scale;
    int32_t *fill = lc_kernel_state(ctx, sizeof *fill);
    if (!fill) return LC_NO_MEMORY;
    LC_TRY(lc_ref_prepare_whole(ctx));
    return lc_is_quant_type(ctx->out[0]->type) && lc_quant_has(ctx->out[0]) ? lc_quant_of(ctx, ctx->out[0], "output 0", &scale, fill)
                                                                            : LC_OK;
}

const lc_kernel lc_kernel_SPACE_TO_DEPTH = {.prepare = lc_ref_prepare_whole, .run = run_to_depth};
const lc_kernel lc_kernel_DEPTH_TO_SPACE = {.prepare = lc_ref_prepare_whole, .run = run_to_space};
const lc_kernel lc_kernel_SPACE_TO_BATCH_ND = {.prepare = prepare_batch, .run = run_to_batch};
const lc_kernel lc_kernel_BATCH_TO_SPACE_ND = {.prepare = prepare_batch, .run = run_from_batch};
