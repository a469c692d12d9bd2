/*
 * slice_grad.c: the gradient of a part is the gradient of the whole, with zeros where nothing was taken.
 */
#include "grad/grad.h"

static void give(lc_grad *g, const lc_slice *slice) {
    lc_slice_grad_options o = {.slice = *slice};
    lc_shape whole;
    if (!lc_build_shape(g->b, g->in[0], &whole)) return;
    for (int32_t i = 0; i < whole.rank; i++) o.dims[i] = whole.dims[i];
    g->d_in[0] = lc_build_own_one(g->b, &lc_own_SLICE_GRAD, &o, sizeof o, &g->d_out[0], 1);
}

/* Operand i as wide numbers. */
static bool operand(lc_grad *g, uint32_t i, int64_t wide[LC_MAX_RANK], int32_t *n) {
    int32_t values[LC_MAX_RANK];
    if (!lc_grad_ints(g, i, values, n)) return false;
    for (int32_t k = 0; k < *n; k++) wide[k] = values[k];
    return true;
}

void lc_grad_SLICE(lc_grad *g) {
    lc_slice slice;
    lc_shape whole;
    int64_t begin[LC_MAX_RANK], size[LC_MAX_RANK];
    int32_t n;
    if (!lc_build_shape(g->b, g->in[0], &whole) || !operand(g, 1, begin, &n) || !operand(g, 2, size, &n)) return;
    if (lc_build_check(g->b, lc_slice_resolve(&whole, begin, size, &slice, g->b->err))) give(g, &slice);
}

void lc_grad_STRIDED_SLICE(lc_grad *g) {
    lc_slice slice;
    lc_shape whole, out;
    int64_t begin[LC_MAX_RANK], end[LC_MAX_RANK], step[LC_MAX_RANK];
    int32_t n;
    if (!lc_build_shape(g->b, g->in[0], &whole) || !operand(g, 1, begin, &n) || !operand(g, 2, end, &n) || !operand(g, 3, step, &n)) return;
    const lc_StridedSliceOptions *o = LC_OP_ATTRS(g->node, StridedSliceOptions);
    if (lc_build_check(g->b, lc_slice_resolve_strided(o, &whole, n, begin, end, step, &slice, &out, g->b->err))) give(g, &slice);
}

/* The part that was overwritten learns from what stands there, the rest from the rest. The kernel keeps the part inside, so the rule does. */
void lc_grad_DYNAMIC_UPDATE_SLICE(lc_grad *g) {
    lc_shape whole, part;
    int32_t most[LC_MAX_RANK];
    if (!lc_build_shape(g->b, g->in[0], &whole) || !lc_build_shape(g->b, g->in[1], &part)) return;
    if (g->wants[0]) {
        const int32_t in[3] = {g->d_out[0], lc_build_unary(g->b, LC_OP_ZEROS_LIKE, g->in[1]), g->in[2]};
        g->d_in[0] = lc_build_op(g->b, LC_OP_DYNAMIC_UPDATE_SLICE, LC_TABLE_DynamicUpdateSliceOptions, NULL, in, 3);
    }
    if (!g->wants[1]) return;
    for (int32_t i = 0; i < whole.rank; i++) most[i] = whole.dims[i] - part.dims[i];
    int32_t begin =
        lc_grad_binary(g, LC_OP_MINIMUM, lc_build_cast(g->b, g->in[2], LC_INT32), lc_build_ints(g->b, "most", most, (uint32_t)whole.rank));
    begin = lc_grad_binary(g, LC_OP_MAXIMUM, begin, lc_build_ints(g->b, "least", (const int32_t[]){0}, 1));
    const int32_t in[3] = {g->d_out[0], begin, lc_build_ints(g->b, "size", part.dims, (uint32_t)part.rank)};
    g->d_in[1] = lc_grad_reshape_like(g, lc_build_op(g->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3), g->in[1]);
}
