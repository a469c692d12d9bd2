/*
 * reduce_grad.c: what was reduced is spread again over the dimensions it was reduced along.
 *
 *   SUM        dy to each                       MEAN   dy / n to each
 *   MAX, MIN   dy to those that were it, in equal parts when several were (TensorFlow's choice)
 *   PROD       dy times the product of the others
 */
#include "grad/grad.h"

#include <string.h>

/* A tensor of the output's elements, with a 1 where a dimension of the input was reduced. *n: how many numbers make one. */
static int32_t kept(lc_grad *g, int32_t t, lc_shape *in, double *n) {
    int32_t axes[LC_MAX_RANK], count = 0;
    *n = 1;
    if (!lc_build_shape(g->b, g->in[0], in) || !lc_grad_ints(g, 1, axes, &count)) return -1;
    int32_t dims[LC_MAX_RANK];
    memcpy(dims, in->dims, sizeof dims);
    for (int32_t i = 0; i < count; i++) {
        const int32_t axis = axes[i] < 0 ? axes[i] + in->rank : axes[i];
        *n *= dims[axis]; /* an axis named twice is 1 by then */
        dims[axis] = 1;
    }
    return lc_build_reshape(g->b, t, dims, in->rank);
}

/* Over the shape of the input. */
static int32_t spread(lc_grad *g, int32_t t, const lc_shape *in) {
    const int32_t dims = lc_build_ints(g->b, "shape", in->dims, (uint32_t)in->rank);
    return lc_build_op(g->b, LC_OP_BROADCAST_TO, LC_TABLE_BroadcastToOptions, NULL, (const int32_t[]){t, dims}, 2);
}

void lc_grad_SUM(lc_grad *g) {
    lc_shape in;
    double n;
    const int32_t d = kept(g, g->d_out[0], &in, &n);
    if (d >= 0) g->d_in[0] = spread(g, d, &in);
}

void lc_grad_MEAN(lc_grad *g) {
    lc_shape in;
    double n;
    const int32_t d = kept(g, g->d_out[0], &in, &n);
    if (d >= 0) g->d_in[0] = spread(g, lc_build_with_scalar(g->b, LC_OP_MUL, d, "share", (float)(1 / n)), &in);
}

static void extreme(lc_grad *g) {
    lc_shape in;
    double n;
    const int32_t d = kept(g, g->d_out[0], &in, &n), y = kept(g, g->out[0], &in, &n);
    if (d < 0 || y < 0) return;
    int32_t axes[LC_MAX_RANK], count = 0;
    lc_grad_ints(g, 1, axes, &count);
    const int32_t same = lc_build_op(g->b, LC_OP_EQUAL, LC_TABLE_EqualOptions, NULL, (const int32_t[]){g->in[0], y}, 2);
    const int32_t mask = lc_build_cast(g->b, same, LC_FLOAT32);
    const int32_t many = lc_build_reduce(g->b, LC_OP_SUM, mask, axes, (uint32_t)count, true);
    g->d_in[0] = lc_grad_binary(g, LC_OP_MUL, mask, lc_grad_binary(g, LC_OP_DIV, d, many));
}

void lc_grad_REDUCE_MAX(lc_grad *g) { extreme(g); }
void lc_grad_REDUCE_MIN(lc_grad *g) { extreme(g); }

/* The product of the others: y / x, but where there are zeros: of one zero the product of all else, of several nothing. */
void lc_grad_REDUCE_PROD(lc_grad *g) {
    lc_shape in;
    double n;
    int32_t axes[LC_MAX_RANK], count = 0;
    const int32_t x = g->in[0], d = kept(g, g->d_out[0], &in, &n);
    if (d < 0 || !lc_grad_ints(g, 1, axes, &count)) return;
    const int32_t zero = lc_build_scalar(g->b, "zero", 0), one = lc_build_scalar(g->b, "one", 1);
    const int32_t is_zero = lc_build_op(g->b, LC_OP_EQUAL, LC_TABLE_NONE, NULL, (const int32_t[]){x, zero}, 2);
    const int32_t mask = lc_build_cast(g->b, is_zero, LC_FLOAT32), safe = lc_build_select(g->b, is_zero, one, x);
    const int32_t all = lc_build_reduce(g->b, LC_OP_REDUCE_PROD, safe, axes, (uint32_t)count, true);
    const int32_t others = lc_grad_binary(g, LC_OP_SUB, lc_build_reduce(g->b, LC_OP_SUM, mask, axes, (uint32_t)count, true), mask);
    const int32_t none = lc_build_op(g->b, LC_OP_EQUAL, LC_TABLE_NONE, NULL, (const int32_t[]){others, zero}, 2);
    const int32_t slope = lc_build_select(g->b, none, lc_grad_binary(g, LC_OP_DIV, all, safe), zero);
    g->d_in[0] = lc_grad_binary(g, LC_OP_MUL, d, slope);
}
