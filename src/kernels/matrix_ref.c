/*
 * matrix_ref.c: MATRIX_DIAG and MATRIX_SET_DIAG: the zeros (the input) first, then the diagonals. Any type of whole bytes.
 */
#include "kernels/ref.h"

#include <string.h>

/* Lays the diagonals, one after the other in `from`, into the output's matrices. */
static lc_status lay(lc_kernel_ctx *ctx, const lc_value *from) {
    const lc_value *out = ctx->out[0];
    const int64_t rows = out->shape.dims[out->shape.rank - 2], columns = out->shape.dims[out->shape.rank - 1],
                  n = rows < columns ? rows : columns;
    const size_t width = lc_ref_width(out);
    if (n == 0) return LC_OK;
    const int64_t matrices = lc_ref_elements(out) / (rows * columns);
    if (lc_ref_elements(from) != matrices * n) return lc_ref_changed(ctx);
    for (int64_t m = 0; m < matrices; m++)
        lc_copy_elements((char *)out->data + (size_t)(m * rows * columns) * width, columns + 1,
                         (const char *)from->data + (size_t)(m * n) * width, 1, n, width);
    return LC_OK;
}

static lc_status run_diag(lc_kernel_ctx *ctx) {
    if (ctx->out[0]->size) memset(ctx->out[0]->data, 0, ctx->out[0]->size);
    return lay(ctx, ctx->in[0]);
}

static lc_status run_set(lc_kernel_ctx *ctx) {
    const lc_value *out = ctx->out[0];
    if (out->size && out->data != ctx->in[0]->data) memcpy(out->data, ctx->in[0]->data, out->size);
    return lay(ctx, ctx->in[1]);
}

const lc_kernel lc_kernel_MATRIX_DIAG = {.prepare = lc_ref_prepare_whole, .run = run_diag};
const lc_kernel lc_kernel_MATRIX_SET_DIAG = {.prepare = lc_ref_prepare_whole, .run = run_set};
