/*
 * gather_own.c: GATHER_GRAD: dy's slices added up where they were gathered from. Indices are those that GATHER has run with: they are in range.
 */
#include "grad/own.h"

#include "kernels/ref.h"
#include <string.h>

lc_status lc_own_infer_GATHER_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_GATHER_GRAD(lc_infer_ctx *ctx) {
    const lc_gather_grad_options *o = LC_OWN_OPTIONS(ctx->node, lc_gather_grad_options);
    LC_TRY(lc_own_floats(ctx, 0, 1));
    if (ctx->in[1].type != LC_INT32 && ctx->in[1].type != LC_INT64)
        return LC_OP_FAIL(ctx, "its indices are %s", lc_dtype_name(ctx->in[1].type));
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape.rank = o->rank;
    for (int32_t i = 0; i < o->rank; i++) ctx->out[0].shape.dims[i] = o->dims[i];
    return LC_OK;
}

/* table [batch][outer][rows][inner], indices [batch][n], dy [batch][outer][n][inner] */
static lc_status run(lc_kernel_ctx *ctx) {
    const lc_gather_grad_options *o = LC_OWN_OPTIONS(ctx->node, lc_gather_grad_options);
    const lc_value *indices = ctx->in[1];
    int64_t batch = 1, outer = 1, inner = 1;
    for (int32_t i = 0; i < o->rank; i++) {
        if (i < o->batch_dims) batch *= o->dims[i];
        else if (i < o->axis) outer *= o->dims[i];
        else if (i > o->axis) inner *= o->dims[i];
    }
    const int64_t rows = o->dims[o->axis], n = lc_ref_elements(indices) / (batch ? batch : 1);
    const float *dy = ctx->in[0]->data;
    float *table = ctx->out[0]->data;
    memset(table, 0, ctx->out[0]->size);
    for (int64_t b = 0; b < batch; b++)
        for (int64_t k = 0; k < outer; k++, table += rows * inner)
            for (int64_t i = 0; i < n; i++, dy += inner) {
                int64_t row =
                    indices->type == LC_INT64 ? ((const int64_t *)indices->data)[b * n + i] : ((const int32_t *)indices->data)[b * n + i];
                if (row < 0) row += rows;
                if (row < 0 || row >= rows) continue;
                float *to = table + row * inner;
                for (int64_t c = 0; c < inner; c++) to[c] += dy[c];
            }
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_GATHER_GRAD;
const lc_kernel lc_own_kernel_GATHER_GRAD = {.run = run};
