/*
 * conv3d_grad.c: convolutions of volumes, with filters W [d, h, w, in, out], as sums of convolutions of images: tap k of the depth sees the
 * slices z stride + k dilation of the volume, and what it makes of them is a convolution of [n slices] images with W[k].
 *
 *   dx   of each tap CONV_INPUT_GRAD of all slices, put back to where they were taken from (SLICE_GRAD), added up
 *   dW   of each tap CONV_FILTER_GRAD
 *
 * CONV_3D_TRANSPOSE, whose filter is [d, h, w, out, in], is the gradient of such a convolution: dx is CONV_3D, and dW has x and dy changed over.
 */
#include "grad/grad.h"

#include <string.h>

typedef struct volumes {
    const lc_Conv3DOptions *o;
    lc_shape x, y, w;   /* of the convolution: what is seen, what comes out, the filter */
    int32_t pad, depth; /* slices of zeros before, and all slices with those after */
} volumes;

static bool measure(lc_grad *g, volumes *v, int32_t x, int32_t y) {
    int32_t out;
    v->o = LC_OP_ATTRS(g->node, Conv3DOptions);
    if (!lc_build_shape(g->b, x, &v->x) || !lc_build_shape(g->b, y, &v->y) || !lc_build_shape(g->b, g->in[1], &v->w)) return false;
    lc_op_window(v->x.dims[1], v->w.dims[0], v->o->stride_d, v->o->dilation_d_factor, v->o->padding, &out, &v->pad);
    const int32_t seen = v->pad + v->x.dims[1], reach = (out - 1) * v->o->stride_d + (v->w.dims[0] - 1) * v->o->dilation_d_factor + 1;
    v->depth = seen > reach ? seen : reach;
    return true;
}

static lc_window_options window(const volumes *v, const int32_t dims[4]) {
    lc_window_options w = {.stride_h = v->o->stride_h,
                           .stride_w = v->o->stride_w,
                           .dilation_h = v->o->dilation_h_factor,
                           .dilation_w = v->o->dilation_w_factor,
                           .filter_h = v->w.dims[1],
                           .filter_w = v->w.dims[2],
                           .padding = v->o->padding,
                           .rank = 4};
    memcpy(w.dims, dims, 4 * sizeof *dims);
    return w;
}

/* The slices of the padded volume that tap k sees. */
static lc_slice slices(const volumes *v, int32_t k) {
    lc_slice s = {.rank = 5};
    for (int32_t i = 0; i < 5; i++) s.step[i] = 1, s.count[i] = v->x.dims[i];
    s.start[1] = k * v->o->dilation_d_factor;
    s.step[1] = v->o->stride_d;
    s.count[1] = v->y.dims[1];
    return s;
}

/* A volume as images: its slices one after the other. */
static int32_t images(lc_grad *g, int32_t x, const lc_shape *s) {
    return lc_build_reshape(g->b, x, (const int32_t[]){-1, s->dims[2], s->dims[3], s->dims[4]}, 4);
}

static int32_t filter_grad(lc_grad *g, const volumes *v, int32_t x, int32_t dy) {
    static const int32_t turn[4] = {1, 2, 3, 0};
    const int32_t after = v->depth - v->pad - v->x.dims[1];
    if (v->pad || after > 0) {
        const int32_t pads[10] = {0, 0, v->pad, after}, in[2] = {x, lc_build_int_matrix(g->b, "pads", pads, 5, 2)};
        x = lc_build_op(g->b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, in, 2);
    }
    int32_t *parts = lc_arena_array(&g->b->model->arena, (size_t)v->w.dims[0], sizeof *parts);
    if (!parts) {
        lc_build_check(g->b, lc_fail_memory(g->b->err, "gradients"));
        return -1;
    }
    const lc_window_options w = window(v, (const int32_t[]){v->y.dims[4], v->w.dims[1], v->w.dims[2], v->x.dims[4]});
    for (int32_t k = 0; k < v->w.dims[0]; k++) {
        const lc_slice s = slices(v, k);
        int32_t end[5], begin[5] = {0, (int32_t)s.start[1]}, step[5] = {1, v->o->stride_d, 1, 1, 1};
        for (int32_t i = 0; i < 5; i++) end[i] = v->x.dims[i];
        end[1] = begin[1] + (v->y.dims[1] - 1) * v->o->stride_d + 1;
        const int32_t in[4] = {x, lc_build_ints(g->b, "begin", begin, 5), lc_build_ints(g->b, "end", end, 5),
                               lc_build_ints(g->b, "step", step, 5)};
        const int32_t seen = lc_build_op(g->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, NULL, in, 4);
        const int32_t of[2] = {images(g, seen, &v->x), images(g, dy, &v->y)};
        parts[k] = lc_build_transpose(g->b, lc_build_own_one(g->b, &lc_own_CONV_FILTER_GRAD, &w, sizeof w, of, 2), turn, 4);
    }
    const lc_PackOptions o = {.axis = 0, .values_count = v->w.dims[0]};
    return lc_build_op(g->b, LC_OP_PACK, LC_TABLE_PackOptions, &o, parts, (uint32_t)v->w.dims[0]);
}

static int32_t input_grad(lc_grad *g, const volumes *v, int32_t dy) {
    static const int32_t turn[4] = {3, 0, 1, 2};
    int32_t sum = -1;
    const lc_window_options w = window(v, (const int32_t[]){v->x.dims[0] * v->y.dims[1], v->x.dims[2], v->x.dims[3], v->x.dims[4]});
    const int32_t slice_dims[5] = {v->x.dims[0], v->y.dims[1], v->x.dims[2], v->x.dims[3], v->x.dims[4]};
    for (int32_t k = 0; k < v->w.dims[0]; k++) {
        const int32_t size[5] = {1, v->w.dims[1], v->w.dims[2], v->w.dims[3], v->w.dims[4]};
        const int32_t begin[5] = {k};
        const int32_t tap = lc_build_reshape(g->b, lc_grad_part(g, g->in[1], begin, size, 5), size + 1, 4);
        const int32_t of[2] = {images(g, dy, &v->y), lc_build_transpose(g->b, tap, turn, 4)};
        const int32_t d = lc_build_own_one(g->b, &lc_own_CONV_INPUT_GRAD, &w, sizeof w, of, 2);
        lc_slice_grad_options o = {.slice = slices(v, k)};
        memcpy(o.dims, v->x.dims, sizeof v->x.dims);
        o.dims[1] = v->depth;
        const int32_t part = lc_build_reshape(g->b, d, slice_dims, 5);
        const int32_t placed = lc_build_own_one(g->b, &lc_own_SLICE_GRAD, &o, sizeof o, &part, 1);
        sum = sum < 0 ? placed : lc_grad_binary(g, LC_OP_ADD, sum, placed);
    }
    if (v->depth == v->x.dims[1]) return sum;
    const int32_t begin[5] = {0, v->pad};
    return lc_grad_part(g, sum, begin, v->x.dims, 5);
}

void lc_grad_CONV_3D(lc_grad *g) {
    volumes v;
    if (!measure(g, &v, g->in[0], g->out[0])) return;
    if (g->wants[0]) g->d_in[0] = input_grad(g, &v, g->d_out[0]);
    if (g->wants[1]) g->d_in[1] = filter_grad(g, &v, g->in[0], g->d_out[0]);
    if (g->in_count > 2 && g->wants[2]) g->d_in[2] = lc_grad_bias(g, g->d_out[0]);
}

void lc_grad_CONV_3D_TRANSPOSE(lc_grad *g) {
    volumes v;
    if (!measure(g, &v, g->out[0], g->in[2])) return;
    if (g->wants[2]) {
        lc_Conv3DOptions o = *v.o;
        o.fused_activation_function = LC_GRAD_NO_ACT;
        const int32_t in[2] = {g->d_out[0], g->in[1]};
        g->d_in[2] = lc_build_op(g->b, LC_OP_CONV_3D, LC_TABLE_Conv3DOptions, &o, in, 2);
    }
    if (g->wants[1]) g->d_in[1] = filter_grad(g, &v, g->d_out[0], g->in[2]);
    if (g->in_count > 3 && g->wants[3]) g->d_in[3] = lc_grad_bias(g, g->d_out[0]);
}
