/*
 * hadamard_ref.c: aeq.hadamard_rotation by the fast Walsh-Hadamard transform, in float and in the order of LiteRT's: sums and differences
 * at distance 1, 2, 4 ..., then all divided by the square root of the size. Runs lie one behind the other from the first element on; what
 * is left behind the last is copied.
 */
#include "kernels/ref.h"
#include "schema/flex.h"

#include <math.h>
#include <string.h>

static lc_status prepare(lc_kernel_ctx *ctx) {
    lc_flex map;
    int64_t *size = lc_kernel_state(ctx, sizeof *size);
    if (!size) return LC_NO_MEMORY;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    LC_TRY(lc_flex_open(ctx->node->custom_options, &map, ctx->err));
    *size = lc_flex_int(&map, "hadamard_size", 1);
    return LC_OK;
}

static void rotate(float *x, int64_t n) {
    const float norm = (float)(1.0 / sqrt((double)n));
    for (int64_t half = 1; half < n; half *= 2)
        for (int64_t start = 0; start < n; start += 2 * half)
            for (int64_t i = start; i < start + half; i++) {
                const float a = x[i], b = x[i + half];
                x[i] = a + b;
                x[i + half] = a - b;
            }
    for (int64_t i = 0; i < n; i++) x[i] *= norm;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const int64_t size = *(const int64_t *)ctx->state, width = ctx->in[0]->shape.dims[ctx->in[0]->shape.rank - 1];
    float *out = ctx->out[0]->data;
    if (ctx->out[0]->size == 0) return LC_OK;
    memcpy(out, ctx->in[0]->data, ctx->out[0]->size);
    const int64_t runs = lc_ref_elements(ctx->in[0]) / width * (width / size);
    for (int64_t r = 0; r < runs; r++) rotate(out + r * size, size);
    return LC_OK;
}

const lc_kernel lc_kernel_custom_HADAMARD = {.prepare = prepare, .run = run};
