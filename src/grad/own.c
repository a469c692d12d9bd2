/*
 * own.c: the definitions of own.def, each from its shape rule and its kernel. A promised part that is not written is a link error.
 */
#include "grad/grad.h"

#define LC_OWN(ID, in_min, in_max, out, absent, grad) \
    lc_status lc_own_infer_##ID(lc_infer_ctx *ctx); \
    extern const lc_kernel lc_own_kernel_##ID; \
    void lc_own_grad_##ID(lc_grad *g);
#include "grad/own.def"

#define GRAD_yes(ID) lc_own_grad_##ID
#define GRAD_no(ID) NULL
#define LC_OWN(ID, in_min_, in_max_, out_, absent_, grad_) \
    const lc_op_own lc_own_##ID = { \
        .name = #ID, \
        .def = {.infer = lc_own_infer_##ID, \
                .absent = absent_, \
                .options = LC_TABLE_NONE, \
                .max_version = 1, \
                .in_min = in_min_, \
                .in_max = in_max_, \
                .out_min = out_, \
                .out_max = out_}, \
        .kernel = &lc_own_kernel_##ID, \
        .grad = GRAD_##grad_(ID), \
    };
#include "grad/own.def"

lc_status lc_own_floats(lc_infer_ctx *ctx, uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++)
        if (ctx->in[i].present && ctx->in[i].type != LC_FLOAT32)
            return LC_OP_FAIL(ctx, "input %u is %s, needs float32", i, lc_dtype_name(ctx->in[i].type));
    return LC_OK;
}
