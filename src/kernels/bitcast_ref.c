/*
 * bitcast_ref.c: BITCAST: the bytes stay as they are. The planner usually lets output and input share memory; then there is nothing to do.
 */
#include "kernels/ref.h"
#include <string.h>

static lc_status run(lc_kernel_ctx *ctx) {
    const size_t size = (size_t)lc_ref_elements(ctx->in[0]) * lc_ref_width(ctx->in[0]);
    if (size) memmove(ctx->out[0]->data, ctx->in[0]->data, size);
    return LC_OK;
}

const lc_kernel lc_kernel_BITCAST = {.prepare = lc_ref_prepare_whole, .run = run};
