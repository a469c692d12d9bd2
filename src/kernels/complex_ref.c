/*
 * complex_ref.c: REAL, IMAG, COMPLEX_ABS: one part or the size of each complex number.
 */
#include "kernels/ref.h"
#include <math.h>

/* Numbers [0, n) of pairs (real, imaginary). */
#define PARTS(T, hypotenuse) \
    static void parts_##T(int32_t op, T *out, const T *in, int64_t n) { \
        for (int64_t i = 0; i < n; i++) \
            out[i] = op == LC_OP_REAL ? in[2 * i] : op == LC_OP_IMAG ? in[2 * i + 1] : hypotenuse(in[2 * i], in[2 * i + 1]); \
    }
PARTS(float, hypotf)
PARTS(double, hypot)

static lc_status prepare(lc_kernel_ctx *ctx) { return lc_ref_input(ctx, 0, LC_T(COMPLEX64) | LC_T(COMPLEX128)); }

static lc_status run(lc_kernel_ctx *ctx) {
    const int64_t n = lc_ref_elements(ctx->in[0]);
    if (ctx->in[0]->type == LC_COMPLEX64) parts_float(ctx->node->op, ctx->out[0]->data, ctx->in[0]->data, n);
    else parts_double(ctx->node->op, ctx->out[0]->data, ctx->in[0]->data, n);
    return LC_OK;
}

const lc_kernel lc_kernel_REAL = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_IMAG = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_COMPLEX_ABS = {.prepare = prepare, .run = run};
