/*
 * sparse_ref.c: DENSIFY. A session makes its sparse constants dense before anything reads them (ir/sparse.h), so what is left is a copy.
 */
#include "kernels/ref.h"

#include <string.h>

static lc_status run(lc_kernel_ctx *ctx) {
    if (ctx->out[0]->size) memcpy(ctx->out[0]->data, ctx->in[0]->data, ctx->out[0]->size);
    return LC_OK;
}

const lc_kernel lc_kernel_DENSIFY = {.prepare = lc_ref_prepare_whole, .run = run};
