/*
 * fast.h: what the <family>_fast.c files share. Private to src/kernels.
 *
 * A fast kernel's prepare looks whether the case is its own. If not it returns LC_UNSUPPORTED without a message and the
 * reference kernel runs; any other failure is real.
 */
#ifndef LC_KERNELS_FAST_H
#define LC_KERNELS_FAST_H

#include "base/error.h"
#include "kernels/kernel_list.h"
#include "kernels/simd.h"

/* Elements of a complete shape (infer has checked that they fit). */
static inline size_t lc_fast_elements(const lc_shape *shape) {
    size_t n = 1;
    for (int32_t i = 0; i < shape->rank; i++) n *= (size_t)shape->dims[i];
    return n;
}

/* float32, dense, with the bytes its shape says. */
static inline bool lc_fast_is_float(const lc_value *v) {
    return v && v->type == LC_FLOAT32 && !(v->def && v->def->sparsity && v->data != v->def->dense) &&
           v->size >= lc_fast_elements(&v->shape) * sizeof(float);
}
/* float32 data that is known while preparing. */
static inline bool lc_fast_is_weights(const lc_value *v) { return lc_fast_is_float(v) && v->constant; }
/* As lc_fast_is_weights; an input that is absent or not given is fine too. *data: its floats or NULL. */
static inline bool lc_fast_optional(const lc_kernel_ctx *ctx, uint32_t i, const float **data) {
    const lc_value *v = i < ctx->in_count ? ctx->in[i] : NULL;
    *data = v ? v->data : NULL;
    return !v || lc_fast_is_weights(v);
}
/* Input 1 and the optional input 2 are floats. *weights and *bias: their data when both are known while preparing, else NULL. */
static inline bool lc_fast_weights(const lc_kernel_ctx *ctx, const float **weights, const float **bias) {
    const lc_value *w = ctx->in[1], *b = ctx->in_count > 2 ? ctx->in[2] : NULL;
    const bool known = lc_fast_is_weights(w) && lc_fast_optional(ctx, 2, bias);
    *weights = known ? w->data : NULL;
    *bias = known && b ? b->data : NULL;
    return lc_fast_is_float(w) && (!b || lc_fast_is_float(b));
}

/* Weights (input 1) and bias (input 2) packed by `fill`. Constants of the file are packed once a model (slot 0); those computed
 * while planning may depend on this session's shapes and are packed for this session alone. */
static inline lc_status lc_fast_pack(lc_kernel_ctx *ctx, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                                     const float **packed) {
    const lc_value *bias = ctx->in_count > 2 ? ctx->in[2] : NULL;
    if (ctx->in[1]->def && ctx->in[1]->def->data && (!bias || !bias->constant || (bias->def && bias->def->data))) {
        const lc_packed *p;
        LC_TRY(lc_kernel_pack(ctx, 0, size, fill, &p));
        *packed = p->data;
        return LC_OK;
    }
    float *own = lc_arena_data(ctx->arena, size);
    if (!own) return lc_fail_memory(ctx->err, "packed weights");
    fill(ctx, own);
    *packed = own;
    return LC_OK;
}

/* Bytes rounded up so that the next piece of scratch starts on its own cache line. */
static inline size_t lc_fast_align(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

#endif
