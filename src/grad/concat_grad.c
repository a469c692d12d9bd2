/*
 * concat_grad.c: what was put together is taken apart.
 */
#include "grad/grad.h"

/* The part of `x` that begins at `from` along the axis and has the shape of input i. */
static int32_t part(lc_grad *g, int32_t x, int32_t axis, int32_t from, const lc_shape *shape) {
    int32_t begin[LC_MAX_RANK] = {0};
    begin[axis] = from;
    return lc_grad_part(g, x, begin, shape->dims, shape->rank);
}

void lc_grad_CONCATENATION(lc_grad *g) {
    int32_t axis = LC_OP_ATTRS(g->node, ConcatenationOptions)->axis, from = 0;
    for (uint32_t i = 0; i < g->in_count; i++) {
        lc_shape s;
        if (!lc_build_shape(g->b, g->in[i], &s)) return;
        if (axis < 0) axis += s.rank;
        if (g->wants[i]) g->d_in[i] = part(g, g->d_out[0], axis, from, &s);
        from += s.dims[axis];
    }
}

void lc_grad_PACK(lc_grad *g) {
    int32_t axis = LC_OP_ATTRS(g->node, PackOptions)->axis;
    lc_shape s;
    if (!lc_build_shape(g->b, g->out[0], &s)) return;
    if (axis < 0) axis += s.rank;
    s.dims[axis] = 1;
    for (uint32_t i = 0; i < g->in_count; i++)
        if (g->wants[i]) g->d_in[i] = lc_grad_reshape_like(g, part(g, g->d_out[0], axis, (int32_t)i, &s), g->in[i]);
}
