/*
 * verify_ref.c: NumericVerify: out = dequantised input - reference. When the model asks for it (log_if_failed, tolerance of 0.1 or more) a
 * difference of more than tolerance quantisation steps ends the run with an error; else nobody is told, as a library does not print.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "schema/flex.h"

#include <math.h>

typedef struct verify {
    float scale, most; /* most: difference that is no error; infinite when none is */
    int32_t zero;
} verify;

static lc_status prepare(lc_kernel_ctx *ctx) {
    lc_flex map;
    verify *v = lc_kernel_state(ctx, sizeof *v);
    if (!v) return LC_NO_MEMORY;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(UINT8) | LC_T(INT8) | LC_T(INT16) | LC_T(FLOAT16)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(FLOAT32)));
    if (ctx->in[0]->type != LC_FLOAT16) LC_TRY(lc_quant_of(ctx, ctx->in[0], "input", &v->scale, &v->zero));
    LC_TRY(lc_flex_open(ctx->node->custom_options, &map, ctx->err));
    const float tolerance = (float)lc_flex_float(&map, "tolerance", 0);
    v->most = lc_flex_bool(&map, "log_if_failed", false) && (double)tolerance >= 0.1 ? tolerance * v->scale : INFINITY;
    return lc_flex_check(&map, ctx->err);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const verify *v = ctx->state;
    const lc_value *in = ctx->in[0];
    const float *reference = ctx->in[1]->data;
    float *out = ctx->out[0]->data;
    const int64_t n = lc_ref_elements(in);
    for (int64_t i = 0; i < n; i++) {
        const float x = in->type == LC_FLOAT16 ? lc_half_to_float(((const uint16_t *)in->data)[i])
                                               : (float)((double)v->scale * (double)(lc_int_at(in->data, in->type, i) - v->zero));
        out[i] = x - reference[i];
        if (fabsf(out[i]) > v->most)
            return lc_fail(ctx->err, LC_INVALID, "element %lld is %g quantised and %g in float: more than %g apart", (long long)i,
                           (double)x, (double)reference[i], (double)v->most);
    }
    return LC_OK;
}

const lc_kernel lc_kernel_custom_VERIFY = {.prepare = prepare, .run = run};
