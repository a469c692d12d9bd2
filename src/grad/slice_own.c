/*
 * slice_own.c: SLICE_GRAD: the elements of dy where the slice took them from, zeros elsewhere.
 */
#include "grad/own.h"

#include "kernels/ref.h"
#include <string.h>

lc_status lc_own_infer_SLICE_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_SLICE_GRAD(lc_infer_ctx *ctx) {
    const lc_slice_grad_options *o = LC_OWN_OPTIONS(ctx->node, lc_slice_grad_options);
    uint64_t taken = 1, given;
    LC_TRY(lc_own_floats(ctx, 0, 1));
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape.rank = o->slice.rank;
    for (int32_t i = 0; i < o->slice.rank; i++) {
        ctx->out[0].shape.dims[i] = o->dims[i];
        taken *= (uint64_t)o->slice.count[i];
    }
    if (!lc_shape_elements(&ctx->in[0].shape, &given) || given != taken) return LC_OP_FAIL(ctx, "its input is not what the slice took");
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_slice_grad_options *o = LC_OWN_OPTIONS(ctx->node, lc_slice_grad_options);
    const lc_slice *s = &o->slice;
    const float *dy = ctx->in[0]->data;
    float *dx = ctx->out[0]->data;
    memset(dx, 0, ctx->out[0]->size);
    int64_t step[LC_MAX_RANK], index[LC_MAX_RANK] = {0}, at = 0, elements = 1;
    for (int32_t i = s->rank - 1, n = 1; i >= 0; n *= o->dims[i], i--) {
        step[i] = (int64_t)n * s->step[i];
        at += (int64_t)n * s->start[i];
        elements *= s->count[i];
    }
    for (int64_t k = 0; k < elements; k++) {
        dx[at] = dy[k];
        for (int32_t i = s->rank - 1; i >= 0; i--) {
            at += step[i];
            if (++index[i] < s->count[i]) break;
            at -= step[i] * s->count[i];
            index[i] = 0;
        }
    }
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_SLICE_GRAD;
const lc_kernel lc_own_kernel_SLICE_GRAD = {.run = run};
