/*
 * arg_ref.c: ARG_MAX, ARG_MIN (of equals, the first) and TOPK_V2 (largest first; of equals, the one that comes first). ARG over bool takes
 * true as larger. To ARG a NaN is never larger or smaller than anything; TOPK puts NaNs last.
 */
#include "kernels/ref.h"

#include <math.h>
#include <string.h>

#define NUMBERS (LC_T(FLOAT32) | LC_T(INT16) | LC_T(INT32) | LC_T(INT64) | LC_T(UINT8) | LC_T(INT8) | LC_T(BOOL))

static bool before(const lc_value *v, int64_t a, int64_t b, bool largest) { /* is element a further out than element b? */
#define CMP(T) (largest ? ((const T *)v->data)[a] > ((const T *)v->data)[b] : ((const T *)v->data)[a] < ((const T *)v->data)[b])
    switch (v->type) {
    case LC_FLOAT32: return CMP(float);
    case LC_INT32: return CMP(int32_t);
    case LC_INT64: return CMP(int64_t);
    case LC_INT16: return CMP(int16_t);
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

/* Does element a of a row come before element b among the largest? Of equals the first; NaNs last. */
static bool leads(const lc_value *v, int64_t row, int32_t a, int32_t b) {
    if (v->type == LC_FLOAT32) {
        const bool an = isnan(((const float *)v->data)[row + a]), bn = isnan(((const float *)v->data)[row + b]);
        if (an || bn) return an == bn ? a < b : bn;
    }
    if (before(v, row + a, row + b, true)) return true;
    return !before(v, row + b, row + a, true) && a < b;
}

/* Lets entry `at` of a heap of n sink: its top is the one that comes last. */
static void sink(const lc_value *v, int64_t row, int32_t *heap, int64_t n, int64_t at) {
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= n) return;
        if (child + 1 < n && leads(v, row, heap[child], heap[child + 1])) child++;
        if (!leads(v, row, heap[at], heap[child])) return;
        const int32_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

/* The k best of a row are kept in a heap with the last of them on top, then taken out from behind: n log k, whatever the numbers. */
static void best_of_row(const lc_value *v, int64_t row, int64_t depth, int32_t *heap, int64_t k) {
    for (int64_t i = 0; i < k; i++) heap[i] = (int32_t)i;
    for (int64_t i = k / 2 - 1; i >= 0; i--) sink(v, row, heap, k, i);
    for (int64_t i = k; i < depth; i++) {
        if (!leads(v, row, (int32_t)i, heap[0])) continue;
        heap[0] = (int32_t)i;
        sink(v, row, heap, k, 0);
    }
    for (int64_t n = k - 1; n > 0; n--) {
        const int32_t last = heap[0];
        heap[0] = heap[n];
        heap[n] = last;
        sink(v, row, heap, n, 0);
    }
}

static lc_status run_topk(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *values = ctx->out[0], *places = ctx->out[1];
    const lc_shape *s = &in->shape;
    const int64_t depth = s->dims[s->rank - 1], k = values->shape.dims[s->rank - 1];
    const size_t width = lc_ref_width(in);
    int64_t asked, rows = 1;
    uint32_t n = 1;
    int32_t *heap = ctx->scratch;
    if (!lc_ref_ints(ctx->in[1], &asked, &n) || asked != k || k > depth) return lc_ref_changed(ctx);
    for (int32_t d = 0; d + 1 < s->rank; d++) rows *= s->dims[d];
    for (int64_t r = 0; r < rows && k > 0; r++) {
        best_of_row(in, r * depth, depth, heap, k);
        for (int64_t i = 0; i < k; i++) {
            memcpy((char *)values->data + (size_t)(r * k + i) * width, (const char *)in->data + (size_t)(r * depth + heap[i]) * width,
                   width);
            if (places->type == LC_INT16) ((int16_t *)places->data)[r * k + i] = (int16_t)heap[i];
            else ((int32_t *)places->data)[r * k + i] = heap[i];
        }
    }
    return LC_OK;
}

static lc_status prepare_topk(lc_kernel_ctx *ctx) {
    const lc_shape *s = &ctx->in[0]->shape;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32) | LC_T(UINT8) | LC_T(INT8) | LC_T(INT16) | LC_T(INT32) | LC_T(INT64)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT16) | LC_T(INT32) | LC_T(INT64)));
    if (ctx->out[1]->type == LC_INT16 && s->dims[s->rank - 1] > INT16_MAX)
        return lc_fail(ctx->err, LC_INVALID, "TOPK_V2: places in a dimension of %d do not fit int16", s->dims[s->rank - 1]);
    ctx->scratch_size = ((size_t)ctx->out[0]->shape.dims[s->rank - 1] + 1) * sizeof(int32_t);
    return LC_OK;
}

const lc_kernel lc_kernel_ARG_MAX = {.prepare = prepare, .run = run_max};
const lc_kernel lc_kernel_ARG_MIN = {.prepare = prepare, .run = run_min};
const lc_kernel lc_kernel_TOPK_V2 = {.prepare = prepare_topk, .run = run_topk};
