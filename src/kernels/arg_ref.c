/*
 * arg_ref.c: ARG_MAX, ARG_MIN (of equals, the first) and TOPK_V2 (largest first; of equals, the one that comes first). ARG over bool takes
 * true as larger. A NaN is never larger or smaller than anything.
 */
#include "kernels/ref.h"

#define NUMBERS (LC_T(FLOAT32) | LC_T(INT32) | LC_T(INT64) | LC_T(UINT8) | LC_T(INT8) | LC_T(BOOL))

static bool before(const lc_value *v, int64_t a, int64_t b, bool largest) { /* is element a further out than element b? */
#define CMP(T) (largest ? ((const T *)v->data)[a] > ((const T *)v->data)[b] : ((const T *)v->data)[a] < ((const T *)v->data)[b])
    switch (v->type) {
    case LC_FLOAT32: return CMP(float);
    case LC_INT32: return CMP(int32_t);
    case LC_INT64: return CMP(int64_t);
    case LC_INT8: return CMP(int8_t);
    default: return CMP(uint8_t);
    }
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, NUMBERS));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static lc_status arg(lc_kernel_ctx *ctx, bool largest) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    int64_t axis, outer = 1, inner = 1;
    uint32_t n = 1;
    if (!lc_ref_ints(ctx->in[1], &axis, &n)) return lc_ref_changed(ctx);
    if (axis < 0) axis += in->shape.rank;
    if (axis < 0 || axis >= in->shape.rank || in->shape.dims[axis] < 1) return lc_ref_changed(ctx);
    for (int32_t d = 0; d < in->shape.rank; d++) {
        if (d < axis) outer *= in->shape.dims[d];
        if (d > axis) inner *= in->shape.dims[d];
    }
    if (outer * inner != lc_ref_elements(out)) return lc_ref_changed(ctx);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            int64_t base = o * in->shape.dims[axis] * inner + i, best = 0;
            for (int64_t k = 1; k < in->shape.dims[axis]; k++)
                if (before(in, base + k * inner, base + best * inner, largest)) best = k;
            if (out->type == LC_INT64) ((int64_t *)out->data)[o * inner + i] = best;
            else ((int32_t *)out->data)[o * inner + i] = (int32_t)best;
        }
    return LC_OK;
}

static lc_status run_max(lc_kernel_ctx *ctx) { return arg(ctx, true); }
static lc_status run_min(lc_kernel_ctx *ctx) { return arg(ctx, false); }

/* Insertion into the k best so far: k is small, and nothing needs memory. */
static lc_status run_topk(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *values = ctx->out[0];
    const lc_shape *s = &in->shape;
    int64_t depth = s->dims[s->rank - 1], k = values->shape.dims[s->rank - 1], asked, rows = 1;
    uint32_t n = 1;
    int32_t *index = ctx->out[1]->data;
    if (!lc_ref_ints(ctx->in[1], &asked, &n) || asked != k || k > depth) return lc_ref_changed(ctx);
    for (int32_t d = 0; d + 1 < s->rank; d++) rows *= s->dims[d];
    for (int64_t r = 0; r < rows && k > 0; r++) {
        int32_t *best = index + r * k;
        int64_t have = 0;
        for (int64_t i = 0; i < depth; i++) {
            int64_t at = have < k ? have : k;
            while (at > 0 && before(in, r * depth + i, r * depth + best[at - 1], true)) at--;
            if (at == k) continue;
            for (int64_t m = (have < k ? have : k - 1); m > at; m--) best[m] = best[m - 1];
            best[at] = (int32_t)i;
            if (have < k) have++;
        }
        size_t width = lc_ref_width(in);
        for (int64_t i = 0; i < k; i++)
            lc_copy_elements((char *)values->data + (size_t)(r * k + i) * width, 1,
                             (const char *)in->data + (size_t)(r * depth + best[i]) * width, 1, 1, width);
    }
    return LC_OK;
}

static lc_status prepare_topk(lc_kernel_ctx *ctx) {
    LC_TRY(prepare(ctx));
    return ctx->out[1]->type == LC_INT32 ? LC_OK : lc_ref_refuse(ctx, ctx->out[1]->type);
}

const lc_kernel lc_kernel_ARG_MAX = {prepare, run_max};
const lc_kernel lc_kernel_ARG_MIN = {prepare, run_min};
const lc_kernel lc_kernel_TOPK_V2 = {prepare_topk, run_topk};
