/*
 * pad_grad.c: the middle of the gradient, without its border; or with it, when the border was a mirror image.
 */
#include "grad/grad.h"

static void middle(lc_grad *g) {
    lc_shape s;
    int32_t pads[2 * LC_MAX_RANK], n, begin[LC_MAX_RANK];
    if (!lc_build_shape(g->b, g->in[0], &s) || !lc_grad_ints_max(g, 1, pads, 2 * LC_MAX_RANK, &n)) return;
    for (int32_t i = 0; i < s.rank; i++) begin[i] = pads[2 * i];
    g->d_in[0] = lc_grad_part(g, g->d_out[0], begin, s.dims, s.rank);
}

void lc_grad_PAD(lc_grad *g) { middle(g); }
void lc_grad_PADV2(lc_grad *g) { middle(g); }

/* Numbers that were spread with others between them. */
void lc_grad_DILATE(lc_grad *g) {
    lc_shape s;
    int32_t by[LC_MAX_RANK], n, zeros[LC_MAX_RANK] = {0};
    if (!lc_build_shape(g->b, g->out[0], &s) || !lc_grad_ints(g, 1, by, &n)) return;
    const int32_t in[4] = {g->d_out[0], lc_build_ints(g->b, "begin", zeros, (uint32_t)n), lc_build_ints(g->b, "end", s.dims, (uint32_t)n),
                           lc_build_ints(g->b, "step", by, (uint32_t)n)};
    g->d_in[0] = lc_build_op(g->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, NULL, in, 4);
}

/* `count` numbers of d along the axis from `from` on. */
static int32_t stripe(lc_grad *g, int32_t d, const lc_shape *s, int32_t axis, int32_t from, int32_t count) {
    int32_t begin[LC_MAX_RANK] = {0}, size[LC_MAX_RANK];
    for (int32_t i = 0; i < s->rank; i++) size[i] = s->dims[i];
    begin[axis] = from, size[axis] = count;
    return lc_grad_part(g, d, begin, size, s->rank);
}

/* d with the border of one side folded back onto the middle [.., n, ..], which the border's mirror image lies in from `to` on. */
static int32_t folded(lc_grad *g, int32_t middle, int32_t border, int32_t axis, int32_t to, int32_t count, const lc_shape *s) {
    int32_t pads[2 * LC_MAX_RANK] = {0};
    pads[2 * axis] = to;
    pads[2 * axis + 1] = s->dims[axis] - to - count;
    const int32_t turned = lc_build_op(g->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL,
                                       (const int32_t[]){border, lc_build_ints(g->b, "axis", &axis, 1)}, 2);
    const int32_t in[2] = {turned, lc_build_int_matrix(g->b, "pads", pads, s->rank, 2)};
    return lc_grad_binary(g, LC_OP_ADD, middle, lc_build_op(g->b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, in, 2));
}

/* One dimension after the other: REFLECT leaves out the number at the edge, SYMMETRIC repeats it. */
void lc_grad_MIRROR_PAD(lc_grad *g) {
    const bool reflect = LC_OP_ATTRS(g->node, MirrorPadOptions)->mode == LC_MirrorPadMode_REFLECT;
    lc_shape s, now;
    int32_t pads[2 * LC_MAX_RANK], n, d = g->d_out[0];
    if (!lc_build_shape(g->b, g->in[0], &s) || !lc_build_shape(g->b, d, &now) || !lc_grad_ints_max(g, 1, pads, 2 * LC_MAX_RANK, &n)) return;
    for (int32_t i = 0; i < s.rank; i++) {
        const int32_t size = s.dims[i], before = pads[2 * i], after = pads[2 * i + 1], all = d;
        if (!before && !after) continue;
        lc_shape narrow = now;
        narrow.dims[i] = size;
        d = stripe(g, all, &now, i, before, size);
        if (before) d = folded(g, d, stripe(g, all, &now, i, 0, before), i, reflect, before, &narrow);
        if (after) d = folded(g, d, stripe(g, all, &now, i, before + size, after), i, size - reflect - after, after, &narrow);
        now = narrow;
    }
    g->d_in[0] = d;
}
