/*
 * concat_quant.c: CONCATENATION of int8 and uint8 tensors: an input with the output's scale and zero point is copied, another is brought to
 * them in float, as LiteRT's uint8 kernel does: round(x * scale + bias) + zero point, kept in the type's range. (LiteRT refuses int8 inputs
 * of other scales; here they are treated alike.)
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "kernels/variants.h"

#include <math.h>
#include <string.h>

typedef struct part {
    bool same;
    float scale, bias;
} part;

typedef struct plan {
    int32_t zero, low, high;
    part parts[]; /* one an input */
} plan;

static lc_status prepare(lc_kernel_ctx *ctx) {
    float out_scale, scale;
    int32_t zero;
    LC_TRY(lc_ref_inputs(ctx, 0, LC_T(INT8) | LC_T(UINT8)));
    plan *p = lc_kernel_state(ctx, sizeof *p + ctx->in_count * sizeof *p->parts);
    if (!p) return LC_NO_MEMORY;
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output 0", &out_scale, &p->zero));
    lc_int_limits(ctx->out[0]->type, &p->low, &p->high);
    for (uint32_t i = 0; i < ctx->in_count; i++) {
        LC_TRY(lc_quant_of(ctx, ctx->in[i], "an input", &scale, &zero));
        const float inverse = 1.0f / out_scale, factor = scale * inverse;
        p->parts[i] = (part){scale == out_scale && zero == p->zero, factor, (float)-zero * factor};
    }
    return LC_OK;
}

static int32_t requantised(float x, const part *s, const plan *p) {
    const float q = roundf(x * s->scale + s->bias) + (float)p->zero;
    return !(q > (float)p->low) ? p->low : q > (float)p->high ? p->high : (int32_t)q; /* a NaN (scales far apart) is the lowest */
}

static void bring(char *to, const char *from, size_t n, lc_dtype type, const part *s, const plan *p) {
    if (s->same) {
        if (n) memcpy(to, from, n);
    } else if (type == LC_INT8) {
        for (size_t k = 0; k < n; k++) ((int8_t *)to)[k] = (int8_t)requantised(((const int8_t *)from)[k], s, p);
    } else {
        for (size_t k = 0; k < n; k++) ((uint8_t *)to)[k] = (uint8_t)requantised(((const uint8_t *)from)[k], s, p);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_value *out = ctx->out[0];
    const plan *p = ctx->state;
    int32_t axis = LC_OP_ATTRS(ctx->node, ConcatenationOptions)->axis;
    int64_t outer = 1;
    char *to = out->data;
    if (axis < 0) axis += out->shape.rank;
    for (int32_t d = 0; d < axis; d++) outer *= out->shape.dims[d];
    for (int64_t o = 0; o < outer; o++)
        for (uint32_t i = 0; i < ctx->in_count; i++) {
            const lc_shape *s = &ctx->in[i]->shape;
            size_t run = 1;
            for (int32_t d = axis; d < s->rank; d++) run *= (size_t)s->dims[d];
            bring(to, (const char *)ctx->in[i]->data + (size_t)o * run, run, out->type, &p->parts[i], p);
            to += run;
        }
    return LC_OK;
}

const lc_kernel lc_concat_quant = {.prepare = prepare, .run = run};
