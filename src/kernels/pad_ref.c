/*
 * pad_ref.c: PAD and PADV2: the output is filled with one value (zero, in a quantised tensor its zero point, or input 2), then the input is
 * laid into it. MIRROR_PAD looks up each cell. DILATE: the value stands between the input's elements. Any type of whole bytes.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "kernels/variants.h"
#include <string.h>

static lc_status prepare(lc_kernel_ctx *ctx) {
    float scale, value_scale;
    int32_t *fill = lc_kernel_state(ctx, sizeof *fill), zero; /* the zero point of the output: 0 where it has none */
    if (!fill) return LC_NO_MEMORY;
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT8) | LC_T(INT16) | LC_T(INT32) | LC_T(INT64)));
    LC_TRY(lc_ref_input(ctx, 2, LC_T_WHOLE));
    if (!lc_is_quant_type(ctx->out[0]->type) || !lc_quant_has(ctx->out[0])) return LC_OK;
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output 0", &scale, fill));
    if (ctx->in_count < 3 || !ctx->in[2]) return LC_OK;
    LC_TRY(lc_quant_of(ctx, ctx->in[2], "the padding value", &value_scale, &zero));
    if (value_scale != scale || zero != *fill)
        return lc_fail(ctx->err, LC_INVALID, "%s: the padding value has another scale or zero point than the output",
                       lc_op_name(ctx->node->op));
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    int64_t pads[2 * LC_MAX_RANK];
    uint32_t n = 2 * LC_MAX_RANK;
    size_t width = lc_ref_width(in);
    uint8_t zero[16] = {0};
    lc_int_put(zero, out->type, 0, *(const int32_t *)ctx->state);
    if (!lc_ref_ints(ctx->in[1], pads, &n) || n != (uint32_t)in->shape.rank * 2) return lc_ref_changed(ctx);
    lc_nd nd;
    lc_nd_init(&nd, &in->shape);
    lc_nd_operand(&nd, 1, &in->shape);
    int64_t stride = 1;
    for (int32_t d = in->shape.rank - 1; d >= 0; d--) {
        if (pads[2 * d] < 0 || pads[2 * d + 1] < 0 || pads[2 * d] > INT32_MAX || pads[2 * d + 1] > INT32_MAX ||
            pads[2 * d] + in->shape.dims[d] + pads[2 * d + 1] != out->shape.dims[d])
            return lc_ref_changed(ctx);
        nd.stride[0][d] = stride;
        nd.base[0] += pads[2 * d] * stride;
        stride *= out->shape.dims[d];
    }
    lc_copy_elements(out->data, 1, ctx->in_count > 2 && ctx->in[2] ? ctx->in[2]->data : (const void *)zero, 0, lc_ref_elements(out), width);
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, out->data, in->data, width);
    return LC_OK;
}

/* Where cell i of the output comes from: `before` cells of mirror, the tensor, mirror again. SYMMETRIC repeats the edge. */
static int64_t mirrored(int64_t i, int64_t before, int64_t size, bool symmetric) {
    int64_t k = i - before;
    if (k < 0) return symmetric ? -k - 1 : -k;
    return k < size ? k : symmetric ? 2 * size - 1 - k : 2 * size - 2 - k;
}

static lc_status run_mirror(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    bool symmetric = LC_OP_ATTRS(ctx->node, MirrorPadOptions)->mode == LC_MirrorPadMode_SYMMETRIC;
    int64_t pads[2 * LC_MAX_RANK], index[LC_MAX_RANK] = {0}, n = lc_ref_elements(out);
    uint32_t count = 2 * LC_MAX_RANK;
    size_t width = lc_ref_width(in);
    if (!lc_ref_ints(ctx->in[1], pads, &count) || count != (uint32_t)in->shape.rank * 2) return lc_ref_changed(ctx);
    for (int32_t d = 0; d < in->shape.rank; d++) {
        int64_t size = in->shape.dims[d], most = symmetric || size == 0 ? size : size - 1;
        if (pads[2 * d] < 0 || pads[2 * d + 1] < 0 || pads[2 * d] > most || pads[2 * d + 1] > most ||
            pads[2 * d] + size + pads[2 * d + 1] != out->shape.dims[d])
            return lc_ref_changed(ctx);
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t at = 0;
        for (int32_t d = 0; d < in->shape.rank; d++)
            at = at * in->shape.dims[d] + mirrored(index[d], pads[2 * d], in->shape.dims[d], symmetric);
        lc_copy_elements((char *)out->data + (size_t)i * width, 1, (const char *)in->data + (size_t)at * width, 1, 1, width);
        for (int32_t d = in->shape.rank - 1; d >= 0 && ++index[d] == out->shape.dims[d]; d--) index[d] = 0;
    }
    return LC_OK;
}

static lc_status prepare_mirror(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static lc_status prepare_dilate(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_inputs(ctx, 0, LC_T_WHOLE));
    return lc_ref_input(ctx, 1, LC_T(INT32));
}

static lc_status run_dilate(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    int64_t by[LC_MAX_RANK], stride = 1;
    uint32_t n = LC_MAX_RANK;
    if (!lc_ref_ints(ctx->in[1], by, &n) || n != (uint32_t)in->shape.rank) return lc_ref_changed(ctx);
    lc_nd nd;
    lc_nd_init(&nd, &in->shape);
    lc_nd_operand(&nd, 1, &in->shape);
    for (int32_t d = in->shape.rank - 1; d >= 0; d--) {
        if (by[d] < 1 || (in->shape.dims[d] > 0 && (in->shape.dims[d] - 1) * by[d] >= out->shape.dims[d])) return lc_ref_changed(ctx);
        nd.stride[0][d] = stride * by[d];
        stride *= out->shape.dims[d];
    }
    lc_copy_elements(out->data, 1, ctx->in[2]->data, 0, lc_ref_elements(out), lc_ref_width(out));
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, out->data, in->data, lc_ref_width(in));
    return LC_OK;
}

const lc_kernel lc_kernel_MIRROR_PAD = {.prepare = prepare_mirror, .run = run_mirror};
const lc_kernel lc_kernel_PAD = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_PADV2 = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_DILATE = {.prepare = prepare_dilate, .run = run_dilate};
