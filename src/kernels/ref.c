/*
 * ref.c: the shared parts of the reference kernels; see ref.h.
 */
#include "kernels/ref.h"
#include <math.h>
#include <string.h>

int64_t lc_ref_elements(const lc_value *v) {
    int64_t n = 1;
    for (int32_t i = 0; i < v->shape.rank; i++) n *= v->shape.dims[i]; /* at most INT32_MAX: infer has checked */
    return n;
}

lc_status lc_ref_refuse(lc_kernel_ctx *ctx, lc_dtype type) {
    lc_fail(ctx->err, LC_UNSUPPORTED, "litec has no %s kernel for %s", lc_op_name(ctx->node->op), lc_dtype_name(type));
    lc_error_hint(ctx->err, "float32 runs everywhere: convert the model without quantization");
    return LC_UNSUPPORTED;
}

lc_status lc_ref_input(lc_kernel_ctx *ctx, uint32_t i, uint32_t types) {
    const lc_value *v = i < ctx->in_count ? ctx->in[i] : NULL;
    if (!v) return LC_OK;
    if (v->type < 0 || v->type >= LC_DTYPE_COUNT || !(types >> v->type & 1)) return lc_ref_refuse(ctx, v->type);
    if (v->def && v->def->sparsity && v->data != v->def->dense) { /* a session makes them dense (ir/sparse.h) */
        lc_fail(ctx->err, LC_UNSUPPORTED, "litec has no %s kernel for sparse weights (input %u)", lc_op_name(ctx->node->op), i);
        lc_error_hint(ctx->err, "convert the model with dense weights");
        return LC_UNSUPPORTED;
    }
    uint64_t bytes;
    if (!lc_dtype_bytes(v->type, (uint64_t)lc_ref_elements(v), &bytes) || v->size < bytes)
        return lc_fail(ctx->err, LC_INVALID, "input %u has %zu bytes, its type and shape need %llu", i, v->size, (unsigned long long)bytes);
    return LC_OK;
}

lc_status lc_ref_inputs(lc_kernel_ctx *ctx, uint32_t first, uint32_t types) {
    for (uint32_t i = first; i < ctx->in_count; i++) LC_TRY(lc_ref_input(ctx, i, types));
    return LC_OK;
}

lc_status lc_ref_prepare_float(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T(FLOAT32)); }
lc_status lc_ref_prepare_whole(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T_WHOLE); }

bool lc_ref_ints(const lc_value *v, int64_t *values, uint32_t *n) {
    lc_infer_tensor t = {.present = true, .type = v->type, .shape = v->shape, .data = v->data, .size = v->size};
    return lc_infer_ints(&t, values, n);
}

lc_status lc_ref_changed(lc_kernel_ctx *ctx) {
    lc_fail(ctx->err, LC_INVALID, "%s: its shape operands give another output shape than when the run was planned",
            lc_op_name(ctx->node->op));
    lc_error_hint(ctx->err, "the model or its caller contradicts itself: check the operands that hold shapes, axes and indices");
    return LC_INVALID;
}

/* ---- walks ------------------------------------------------------------------------------------------------------- */

void lc_nd_init(lc_nd *nd, const lc_shape *shape) {
    memset(nd, 0, sizeof *nd);
    nd->rank = shape->rank ? shape->rank : 1;
    nd->dims[0] = 1;
    for (int32_t i = 0; i < shape->rank; i++) nd->dims[i] = shape->dims[i];
}

void lc_nd_operand(lc_nd *nd, int k, const lc_shape *s) {
    int64_t stride = 1;
    for (int32_t i = s->rank - 1, d = nd->rank - 1; i >= 0 && d >= 0; i--, d--) {
        nd->stride[k][d] = s->dims[i] == 1 ? 0 : stride;
        stride *= s->dims[i];
    }
}

void lc_nd_simplify(lc_nd *nd) {
    int32_t rank = 0;
    for (int32_t d = 0; d < nd->rank; d++) {
        if (nd->dims[d] == 1) continue;
        bool merges = rank > 0;
        for (int k = 0; merges && k < LC_ND_OPERANDS; k++) merges = nd->stride[k][rank - 1] == nd->stride[k][d] * nd->dims[d];
        if (merges) rank--;
        nd->dims[rank] = merges ? nd->dims[rank] * nd->dims[d] : nd->dims[d];
        for (int k = 0; k < LC_ND_OPERANDS; k++) nd->stride[k][rank] = nd->stride[k][d];
        rank++;
    }
    if (rank == 0) {
        nd->dims[0] = 1;
        for (int k = 0; k < LC_ND_OPERANDS; k++) nd->stride[k][0] = 1;
        rank = 1;
    }
    nd->rank = rank;
}

lc_nd_walk lc_nd_begin(const lc_nd *nd) {
    lc_nd_walk w = {.done = false};
    for (int k = 0; k < LC_ND_OPERANDS; k++) w.at[k] = nd->base[k];
    for (int32_t d = 0; d < nd->rank; d++) w.done |= nd->dims[d] == 0;
    return w;
}

void lc_nd_next(const lc_nd *nd, lc_nd_walk *w) {
    for (int32_t d = nd->rank - 2; d >= 0; d--) {
        for (int k = 0; k < LC_ND_OPERANDS; k++) w->at[k] += nd->stride[k][d];
        if (++w->index[d] < nd->dims[d]) return;
        for (int k = 0; k < LC_ND_OPERANDS; k++) w->at[k] -= nd->stride[k][d] * nd->dims[d];
        w->index[d] = 0;
    }
    w->done = true;
}

#define COPY(T) \
    for (int64_t i = 0; i < n; i++) ((T *)out)[i * out_step] = ((const T *)in)[i * in_step]

typedef struct wide {
    uint64_t a, b;
} wide;

void lc_copy_elements(void *out, int64_t out_step, const void *in, int64_t in_step, int64_t n, size_t width) {
    if (n <= 0) return;
    if (out_step == 1 && in_step == 1) {
        memcpy(out, in, (size_t)n * width);
        return;
    }
    switch (width) {
    case 1: COPY(uint8_t); break;
    case 2: COPY(uint16_t); break;
    case 4: COPY(uint32_t); break;
    case 8: COPY(uint64_t); break;
    default: COPY(wide); break;
    }
}

void lc_nd_copy(const lc_nd *nd, void *out, const void *in, size_t width) {
    for (lc_nd_walk w = lc_nd_begin(nd); !w.done; lc_nd_next(nd, &w))
        lc_copy_elements((char *)out + w.at[0] * (int64_t)width, lc_nd_step(nd, 0), (const char *)in + w.at[1] * (int64_t)width,
                         lc_nd_step(nd, 1), lc_nd_row(nd), width);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

bool lc_activation_range(int8_t activation, float *low, float *high) {
    switch (activation) {
    case LC_ActivationFunctionType_NONE: *low = -INFINITY, *high = INFINITY; return true;
    case LC_ActivationFunctionType_RELU: *low = 0, *high = INFINITY; return true;
    case LC_ActivationFunctionType_RELU_N1_TO_1: *low = -1, *high = 1; return true;
    case LC_ActivationFunctionType_RELU6: *low = 0, *high = 6; return true;
    default: return false;
    }
}

void lc_ref_activate(float *x, int64_t n, int8_t activation) {
    float low, high;
    if (activation == LC_ActivationFunctionType_NONE) return;
    if (activation == LC_ActivationFunctionType_TANH) {
        for (int64_t i = 0; i < n; i++) x[i] = tanhf(x[i]);
    } else if (activation == LC_ActivationFunctionType_SIGN_BIT) {
        for (int64_t i = 0; i < n; i++) x[i] = signbit(x[i]) ? 1.0f : 0.0f;
    } else if (lc_activation_range(activation, &low, &high)) {
        for (int64_t i = 0; i < n; i++) { /* written so that a NaN stays a NaN */
            if (x[i] < low) x[i] = low;
            if (x[i] > high) x[i] = high;
        }
    }
}

void lc_real_load(const void *data, lc_dtype type, int64_t from, int64_t step, int64_t n, float *out) {
    const float *single = (const float *)data + (type == LC_FLOAT32 ? from : 0);
    const uint16_t *half = (const uint16_t *)data + (type == LC_FLOAT32 ? 0 : from);
    if (type == LC_FLOAT32)
        for (int64_t i = 0; i < n; i++) out[i] = single[i * step];
    else if (type == LC_FLOAT16)
        for (int64_t i = 0; i < n; i++) out[i] = lc_half_to_float(half[i * step]);
    else
        for (int64_t i = 0; i < n; i++) out[i] = lc_bfloat_to_float(half[i * step]);
}

void lc_real_store(void *data, lc_dtype type, int64_t from, int64_t n, const float *in) {
    if (type == LC_FLOAT32)
        for (int64_t i = 0; i < n; i++) ((float *)data)[from + i] = in[i];
    else if (type == LC_FLOAT16)
        for (int64_t i = 0; i < n; i++) ((uint16_t *)data)[from + i] = lc_float_to_half(in[i]);
    else
        for (int64_t i = 0; i < n; i++) ((uint16_t *)data)[from + i] = lc_float_to_bfloat(in[i]);
}
