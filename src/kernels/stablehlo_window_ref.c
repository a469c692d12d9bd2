/*
 * stablehlo_window_ref.c: StableHLO REDUCE_WINDOW: each output is the initial value combined with the elements under a window, in their
 * order. The input is first spread by base_dilations and padded (negative: cropped), both with the initial value, which takes part like any
 * element: the padded tensor is made in scratch, so that a window larger than memory cannot be asked for. The region must be one operator.
 */
#include "kernels/stablehlo.h"

#include <string.h>

typedef struct window {
    lc_hlo_loop loop;
    bool padded;
    lc_shape wide; /* of the padded input */
    int64_t low[LC_MAX_RANK], base_step[LC_MAX_RANK];
    int64_t size[LC_MAX_RANK], step[LC_MAX_RANK], dilation[LC_MAX_RANK];
} window;

static lc_status region_function(lc_kernel_ctx *ctx, lc_hlo_function *f) {
    static const struct {
        int32_t op;
        lc_hlo_function function;
    } known[] = {
        {LC_OP_ADD, LC_HLO_ADD},          {LC_OP_STABLEHLO_ADD, LC_HLO_ADD},
        {LC_OP_MUL, LC_HLO_MULTIPLY},     {LC_OP_STABLEHLO_MULTIPLY, LC_HLO_MULTIPLY},
        {LC_OP_MAXIMUM, LC_HLO_LARGEST},  {LC_OP_STABLEHLO_MAXIMUM, LC_HLO_LARGEST},
        {LC_OP_MINIMUM, LC_HLO_SMALLEST}, {LC_OP_STABLEHLO_MINIMUM, LC_HLO_SMALLEST},
        {LC_OP_LOGICAL_AND, LC_HLO_ALL},  {LC_OP_STABLEHLO_AND, LC_HLO_ALL},
        {LC_OP_LOGICAL_OR, LC_HLO_ANY},   {LC_OP_STABLEHLO_OR, LC_HLO_ANY},
    };
    const lc_graph *g;
    LC_TRY(lc_hlo_region(ctx, LC_OP_ATTRS(ctx->node, StablehloReduceWindowOptions)->body_subgraph_index, &g));
    for (size_t i = 0; g->node_count == 1 && i < sizeof known / sizeof *known; i++)
        if (g->nodes[0].op == known[i].op) return *f = known[i].function, LC_OK;
    return lc_fail(ctx->err, LC_UNSUPPORTED,
                   "its region is %zu operators, first %s; it must be one that adds, multiplies, compares, ands or ors", g->node_count,
                   g->node_count ? lc_op_name(g->nodes[0].op) : "none");
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_StablehloReduceWindowOptions *o = LC_OP_ATTRS(ctx->node, StablehloReduceWindowOptions);
    const lc_value *in = ctx->in[0];
    lc_hlo_function f = LC_HLO_SECOND;
    uint64_t n, bytes;
    window *w = lc_kernel_state(ctx, sizeof *w);
    if (!w) return LC_NO_MEMORY;
    LC_TRY(lc_ref_inputs(ctx, 0,
                         LC_T(BOOL) | LC_T(INT8) | LC_T(INT16) | LC_T(INT32) | LC_T(INT64) | LC_T(UINT8) | LC_T(FLOAT32) | LC_T(FLOAT64)));
    LC_TRY(region_function(ctx, &f));
    w->loop = lc_hlo_loop_of(f, in->type);
    if (!w->loop) return lc_ref_refuse(ctx, in->type);
    w->wide.rank = in->shape.rank;
    for (int32_t d = 0; d < in->shape.rank; d++) {
        w->low[d] = o->padding.n ? o->padding.data[2 * d] : 0;
        w->base_step[d] = o->base_dilations.n ? o->base_dilations.data[d] : 1;
        w->size[d] = o->window_dimensions.data[d];
        w->step[d] = o->window_strides.n ? o->window_strides.data[d] : 1;
        w->dilation[d] = o->window_dilations.n ? o->window_dilations.data[d] : 1;
        const int64_t spread = in->shape.dims[d] ? (in->shape.dims[d] - 1) * w->base_step[d] + 1 : 0;
        w->wide.dims[d] = (int32_t)(spread + w->low[d] + (o->padding.n ? o->padding.data[2 * d + 1] : 0)); /* infer: fits */
        w->padded |= w->low[d] != 0 || w->wide.dims[d] != in->shape.dims[d];
    }
    if (!lc_shape_elements(&w->wide, &n) || !lc_dtype_bytes(in->type, n, &bytes) ||
        (w->padded && !lc_u64_to_size(bytes, &ctx->scratch_size)))
        return lc_fail(ctx->err, LC_LIMIT, "its padded input is too large to run");
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const window *w = ctx->state;
    const lc_value *in = ctx->in[0], *init = ctx->in[1], *out = ctx->out[0];
    const size_t width = lc_ref_width(in);
    const char *from = in->data;
    int64_t stride = 1;
    if (lc_ref_elements(out) == 0) return LC_OK;
    if (w->padded) {
        lc_nd copy;
        uint64_t n = 0;
        if (!lc_shape_elements(&w->wide, &n)) return lc_ref_changed(ctx);
        lc_copy_elements(ctx->scratch, 1, init->data, 0, (int64_t)n, width);
        lc_hlo_pad_walk(&in->shape, w->low, w->base_step, &w->wide, &copy);
        lc_nd_copy(&copy, ctx->scratch, in->data, width);
        from = ctx->scratch;
    }
    lc_nd positions, under; /* operand 0: the output; operand 1: the padded input */
    lc_nd_init(&positions, &out->shape);
    lc_nd_operand(&positions, 0, &out->shape);
    lc_nd_init(&under, &w->wide);
    for (int32_t d = w->wide.rank - 1; d >= 0; d--) {
        positions.stride[1][d] = w->step[d] * stride;
        under.dims[d] = w->size[d];
        under.stride[1][d] = w->dilation[d] * stride;
        stride *= w->wide.dims[d];
    }
    for (lc_nd_walk p = lc_nd_begin(&positions); !p.done; lc_nd_next(&positions, &p))
        for (int64_t i = 0; i < lc_nd_row(&positions); i++) {
            char *sum = (char *)out->data + (p.at[0] + i * lc_nd_step(&positions, 0)) * (int64_t)width;
            const char *first = from + (p.at[1] + i * lc_nd_step(&positions, 1)) * (int64_t)width;
            memcpy(sum, init->data, width);
            for (lc_nd_walk u = lc_nd_begin(&under); !u.done; lc_nd_next(&under, &u))
                w->loop(sum, 0, sum, 0, first + u.at[1] * (int64_t)width, lc_nd_step(&under, 1), lc_nd_row(&under));
        }
    return LC_OK;
}

const lc_kernel lc_kernel_STABLEHLO_REDUCE_WINDOW = {.prepare = prepare, .run = run};
