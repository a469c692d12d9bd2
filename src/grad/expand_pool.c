/*
 * expand_pool.c: gradients of pools in builtin operators.
 *
 *   average   dy by its share of the window, and for each pixel the sum over the windows that it is in
 *   maximum   tap by tap: a window's gradient goes to the first tap that saw its largest pixel. The taps of a window that fall on pixels of one
 *             phase (their place modulo the strides) are added up as small images, and the phases are put together like the teeth of combs
 */
#include "grad/expand.h"

#include <float.h>

static const lc_window_options *window(const lc_expansion *e) { return LC_OWN_OPTIONS(e->node, lc_window_options); }

/* Filter size times the share of a window in each of its pixels: 1, and more at the edges, where it has fewer. [1, h, w, 1] */
static int32_t shares(lc_expansion *e, const lc_window_options *o, const lc_shape *ds) {
    const int32_t h = ds->dims[1], w = ds->dims[2], dims[4] = {1, h, w, 1};
    int32_t places, top, left;
    lc_op_window(o->dims[1], o->filter_h, o->stride_h, 1, o->padding, &places, &top);
    lc_op_window(o->dims[2], o->filter_w, o->stride_w, 1, o->padding, &places, &left);
    const size_t n = (size_t)h * (size_t)w;
    float *v = lc_build_data(e->b, n * sizeof *v);
    if (!v) return -1;
    for (int32_t i = 0; i < h * w; i++) {
        const int32_t y = i / w * o->stride_h - top, x = i % w * o->stride_w - left;
        const int32_t bottom = y + o->filter_h < o->dims[1] ? y + o->filter_h : o->dims[1],
                      right = x + o->filter_w < o->dims[2] ? x + o->filter_w : o->dims[2];
        const int32_t rows = bottom - (y > 0 ? y : 0), columns = right - (x > 0 ? x : 0);
        v[i] = (float)(o->filter_h * o->filter_w) / (float)(rows * columns);
    }
    return lc_build_const(e->b, "shares", LC_FLOAT32, dims, 4, v, n * sizeof *v, true);
}

void lc_expand_average_pool(lc_expansion *e) {
    const lc_window_options *o = window(e);
    lc_shape ds;
    int32_t dy = e->node->inputs[0];
    if (!lc_build_shape(e->b, dy, &ds)) return;
    if (o->padding == LC_Padding_SAME) dy = lc_expand_binary(e, LC_OP_MUL, dy, shares(e, o, &ds));
    const lc_Pool2DOptions p = {
        .padding = LC_Padding_VALID, .stride_h = 1, .stride_w = 1, .filter_height = o->filter_h, .filter_width = o->filter_w};
    const int32_t before = lc_expand_before(e, dy, o);
    e->out[0] = lc_build_op(e->b, LC_OP_AVERAGE_POOL_2D, LC_TABLE_Pool2DOptions, &p, &before, 1);
}

/* Images that are each n-th row (column) of one: parts[i] has rows i, i + n, ... */
static int32_t combed(lc_expansion *e, const int32_t *parts, int32_t n, int32_t axis) {
    lc_shape s;
    if (n == 1 || !lc_build_shape(e->b, parts[0], &s)) return parts[0];
    const lc_PackOptions p = {.axis = axis + 1, .values_count = n};
    const int32_t all = lc_build_op(e->b, LC_OP_PACK, LC_TABLE_PackOptions, &p, parts, (uint32_t)n);
    s.dims[axis] *= n;
    return lc_build_reshape(e->b, all, s.dims, 4);
}

/* x with its margins, which are never the largest. */
static int32_t framed(lc_expansion *e, int32_t x, const int32_t *top, const int32_t *left) {
    const int32_t low = lc_build_scalar(e->b, "lowest", -FLT_MAX);
    const int32_t pads[8] = {0, 0, top[0], top[1] > 0 ? top[1] : 0, left[0], left[1] > 0 ? left[1] : 0, 0, 0};
    if (!pads[2] && !pads[3] && !pads[4] && !pads[5]) return x;
    const int32_t in[3] = {x, lc_build_int_matrix(e->b, "paddings", pads, 4, 2), low};
    return lc_build_op(e->b, LC_OP_PADV2, LC_TABLE_PadV2Options, NULL, in, 3);
}

typedef struct max_pool {
    const lc_window_options *o;
    int32_t x, y, dy, taken; /* taken: 1 where a tap before was the largest */
    lc_shape xs, ds;
    int32_t more_h, more_w; /* rows and columns that a phase has beside dy's */
} max_pool;

/* The part of dy that goes to what tap (ky, kx) saw. */
static int32_t to_tap(lc_expansion *e, max_pool *m, int32_t ky, int32_t kx) {
    const int32_t seen = lc_expand_tap(e, m->x, &m->xs, &m->ds, m->o, ky, kx);
    int32_t mask = lc_expand_mask(e, LC_OP_EQUAL, seen, m->y);
    if (m->taken >= 0) {
        const int32_t fresh =
            lc_expand_binary(e, LC_OP_MUL, mask, lc_expand_binary(e, LC_OP_SUB, lc_build_scalar(e->b, "one", 1), m->taken));
        m->taken = lc_expand_binary(e, LC_OP_ADD, m->taken, fresh);
        mask = fresh;
    } else m->taken = mask;
    return lc_expand_binary(e, LC_OP_MUL, mask, m->dy);
}

void lc_expand_max_pool(lc_expansion *e) {
    const lc_window_options *o = window(e);
    const int32_t phases = o->stride_h * o->stride_w;
    max_pool m = {.o = o, .y = e->node->inputs[2], .dy = e->node->inputs[0], .taken = -1};
    int32_t top[2], left[2];
    if (!lc_build_shape(e->b, e->node->inputs[1], &m.xs) || !lc_build_shape(e->b, m.dy, &m.ds)) return;
    lc_expand_margins(o, &m.xs, &m.ds, top, left);
    m.x = framed(e, e->node->inputs[1], top, left);
    m.more_h = (o->filter_h - 1) / o->stride_h;
    m.more_w = (o->filter_w - 1) / o->stride_w;
    int32_t *sums = lc_arena_array(&e->b->model->arena, (size_t)phases + (size_t)o->stride_h, sizeof *sums);
    if (!sums) {
        lc_build_check(e->b, lc_fail_memory(e->b->err, "gradients"));
        return;
    }
    for (int32_t i = 0; i < phases; i++) sums[i] = -1;
    for (int32_t ky = 0; ky < o->filter_h; ky++)
        for (int32_t kx = 0; kx < o->filter_w; kx++) {
            const int32_t down = ky / o->stride_h, right = kx / o->stride_w;
            const int32_t pads[8] = {0, 0, down, m.more_h - down, right, m.more_w - right, 0, 0};
            const int32_t placed = lc_expand_pad(e, to_tap(e, &m, ky, kx), pads, 4);
            int32_t *sum = &sums[ky % o->stride_h * o->stride_w + kx % o->stride_w];
            *sum = *sum < 0 ? placed : lc_expand_binary(e, LC_OP_ADD, *sum, placed);
        }
    int32_t zeros = -1; /* of pixels that no window sees: strides over the filter's size */
    for (int32_t i = 0; i < phases; i++)
        if (sums[i] < 0) sums[i] = zeros = zeros >= 0 ? zeros : lc_build_with_scalar(e->b, LC_OP_MUL, sums[0], "zero", 0);
    int32_t *rows = sums + phases;
    for (int32_t i = 0; i < o->stride_h; i++) rows[i] = combed(e, sums + i * o->stride_w, o->stride_w, 2);
    const int32_t whole = combed(e, rows, o->stride_h, 1);
    /* without the margins, and as long as x */
    const int32_t high = (m.ds.dims[1] + m.more_h) * o->stride_h, wide = (m.ds.dims[2] + m.more_w) * o->stride_w;
    const int32_t below = o->dims[1] + top[0] - high, beside = o->dims[2] + left[0] - wide;
    const int32_t pads[8] = {0, 0, 0, below > 0 ? below : 0, 0, beside > 0 ? beside : 0, 0, 0}, begin[4] = {0, top[0], left[0], 0};
    e->out[0] = lc_expand_slice(e, lc_expand_pad(e, whole, pads, 4), begin, o->dims, 4);
}
