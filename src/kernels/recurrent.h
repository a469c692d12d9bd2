/*
 * recurrent.h: what the float and hybrid kernels of LSTM, RNN and SVDF share: vectors that change at every step, multiplied with
 * matrices that do not, which are float32 or (hybrid) int8. A vector is quantised once for all matrices it meets.
 */
#ifndef LC_KERNELS_RECURRENT_H
#define LC_KERNELS_RECURRENT_H

#include "base/checked.h"
#include "kernels/integer.h"

typedef struct lc_vector {
    const float *real;
    int64_t n;
    const int16_t *q; /* hybrid: as integers, real = scale * q */
    float scale;
} lc_vector;

/* q: room for n integers; NULL when all matrices are float32. */
static inline lc_vector lc_vector_of(const float *x, int64_t n, int16_t *q, bool asymmetric) {
    return (lc_vector){.real = x, .n = n, .q = q, .scale = q ? lc_hybrid_row(asymmetric, x, n, q) : 0};
}

/* Row k of a matrix (its scale is `scale`) times a vector. uint8 is int8 of old files. */
static inline double lc_vector_product(const lc_value *matrix, float scale, int64_t k, const lc_vector *x) {
    if (matrix->type == LC_FLOAT32) {
        const float *row = (const float *)matrix->data + k * x->n;
        double sum = 0;
        for (int64_t i = 0; i < x->n; i++) sum += (double)row[i] * (double)x->real[i];
        return sum;
    }
    const int8_t *row = (const int8_t *)matrix->data + k * x->n;
    int64_t sum = 0;
    for (int64_t i = 0; i < x->n; i++) sum += row[i] * x->q[i];
    return (double)((float)(int32_t)sum * (scale * x->scale));
}

/* Input `slot` (absent is fine), of `types`; *scale is that of an integer one. */
static inline lc_status lc_recurrent_operand(lc_kernel_ctx *ctx, int32_t slot, uint32_t types, const char *what, float *scale) {
    const lc_value *v = slot >= 0 && (uint32_t)slot < ctx->in_count ? ctx->in[slot] : NULL;
    int32_t zero;
    if (!v) return LC_OK;
    LC_TRY(lc_ref_input(ctx, (uint32_t)slot, types));
    return v->type == LC_FLOAT32 ? LC_OK : lc_quant_of(ctx, v, what, scale, &zero);
}

/* A state is memory that may be written. */
static inline lc_status lc_recurrent_state(lc_kernel_ctx *ctx, int32_t slot, lc_dtype type) {
    LC_TRY(lc_ref_input(ctx, (uint32_t)slot, 1u << type));
    return ctx->in[slot]->constant ? lc_fail(ctx->err, LC_INVALID, "its state (input %d) is a constant", slot) : LC_OK;
}

/* Room for n elements at the end of scratch, aligned; *at is where it begins. */
static inline bool lc_recurrent_reserve(size_t *total, size_t *at, int64_t n, size_t width) {
    size_t bytes;
    *at = *total;
    return (uint64_t)n <= SIZE_MAX / width && lc_add_size((size_t)n * width, 63, &bytes) && lc_add_size(*total, bytes & ~(size_t)63, total);
}

#endif
