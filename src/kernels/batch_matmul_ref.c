/*
 * batch_matmul_ref.c: BATCH_MATMUL: out[b][i][j] = sum over k of x[b][i][k] * y[b][k][j], the batch dimensions broadcast.
 */
#include "kernels/integer.h"

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    lc_shape x = ctx->in[0]->shape, y = ctx->in[1]->shape, out = ctx->out[0]->shape;
    const float *a = ctx->in[0]->data, *b = ctx->in[1]->data;
    float *to = ctx->out[0]->data;
    int64_t m = out.dims[out.rank - 2], n = out.dims[out.rank - 1], depth = x.dims[x.rank - (o->adj_x ? 2 : 1)];
    x.rank -= 2;
    y.rank -= 2;
    out.rank -= 2;
    lc_nd nd; /* over batches: strides count matrices */
    lc_nd_init(&nd, &out);
    lc_nd_operand(&nd, 0, &out);
    lc_nd_operand(&nd, 1, &x);
    lc_nd_operand(&nd, 2, &y);
    /* x[i][k] is at i * xi + k * xk, y[k][j] at k * yk + j * yj */
    int64_t xi = o->adj_x ? 1 : depth, xk = o->adj_x ? m : 1, yk = o->adj_y ? 1 : n, yj = o->adj_y ? depth : 1;
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        for (int64_t r = 0; r < lc_nd_row(&nd); r++) {
            const float *p = a + (w.at[1] + r * lc_nd_step(&nd, 1)) * m * depth, *q = b + (w.at[2] + r * lc_nd_step(&nd, 2)) * depth * n;
            for (int64_t i = 0; i < m; i++)
                for (int64_t j = 0; j < n; j++) {
                    double sum = 0;
                    for (int64_t k = 0; k < depth; k++) sum += (double)p[i * xi + k * xk] * q[k * yk + j * yj];
                    to[((w.at[0] + r * lc_nd_step(&nd, 0)) * m + i) * n + j] = (float)sum;
                }
        }
    return LC_OK;
}

static const lc_kernel f32 = {.prepare = lc_ref_prepare_float, .run = run};

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype x = ctx->in[0]->type, y = ctx->in[1]->type, out = ctx->out[0]->type;
    if (x == LC_FLOAT32) return y == LC_FLOAT32 ? &f32 : y == LC_INT8 ? &lc_batch_matmul_quant : NULL;
    if (x == LC_INT8 && y == LC_INT8) return out == LC_INT32 ? &lc_batch_matmul_sum : &lc_batch_matmul_quant;
    return x == LC_INT16 && (y == LC_INT16 || y == LC_INT8) ? &lc_batch_matmul_quant : NULL;
}

const lc_kernel lc_kernel_BATCH_MATMUL = {.choose = choose};
