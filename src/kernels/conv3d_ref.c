/*
 * conv3d_ref.c: in float32 (LiteRT has no other type)
 *
 *   CONV_3D             out[n][z][y][x][o] = act(bias[o] + sum over taps k and channels c of in[n][z * s - p + k * d, ...][c] *
 * filter[k][c][o]) CONV_3D_TRANSPOSE   out[n][z][y][x][o] = act(bias[o] + sum of in[n][i][c] * filter[k][o][c] over all cells i and taps k
 * with z = i * s - p + k * d, and so for y and x)
 *
 * Both gather from the output's side: a sum for each channel in double, in the order of the taps.
 */
#include "kernels/ref.h"

typedef struct geometry {
    bool transposed;
    int32_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
    int64_t batch, in_c, out_c;
    const float *input, *filter, *bias;
} geometry;

static lc_status prepare(lc_kernel_ctx *ctx) {
    const bool transposed = ctx->node->op == LC_OP_CONV_3D_TRANSPOSE;
    if (transposed) LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32) | LC_T(INT64)));
    LC_TRY(lc_ref_inputs(ctx, transposed ? 1 : 0, LC_T(FLOAT32)));
    ctx->scratch_size = (size_t)ctx->out[0]->shape.dims[4] * sizeof(double);
    return LC_OK;
}

static geometry geometry_of(const lc_kernel_ctx *ctx, bool transposed) {
    const lc_Conv3DOptions *o = LC_OP_ATTRS(ctx->node, Conv3DOptions);
    const lc_value *in = ctx->in[transposed ? 2 : 0], *bias = ctx->in_count > (transposed ? 3 : 2) ? ctx->in[transposed ? 3 : 2] : NULL;
    geometry g = {.transposed = transposed,
                  .stride = {o->stride_d, o->stride_h, o->stride_w},
                  .dilation = {o->dilation_d_factor, o->dilation_h_factor, o->dilation_w_factor},
                  .batch = in->shape.dims[0],
                  .in_c = in->shape.dims[4],
                  .out_c = ctx->out[0]->shape.dims[4],
                  .input = in->data,
                  .filter = ctx->in[1]->data,
                  .bias = bias ? bias->data : NULL};
    for (int i = 0; i < 3; i++) {
        int32_t unused;
        g.in[i] = in->shape.dims[1 + i];
        g.out[i] = ctx->out[0]->shape.dims[1 + i];
        g.kernel[i] = ctx->in[1]->shape.dims[i];
        lc_op_window(transposed ? g.out[i] : g.in[i], g.kernel[i], g.stride[i], g.dilation[i], o->padding, &unused, &g.pad[i]);
    }
    return g;
}

/* The input index under tap k of output index `at` along dimension i, -1 when there is none. */
static int64_t cell(const geometry *g, int i, int64_t at, int64_t k) {
    int64_t p = g->transposed ? at + g->pad[i] - k * g->dilation[i] : at * g->stride[i] - g->pad[i] + k * g->dilation[i];
    if (p < 0) return -1;
    if (g->transposed) {
        if (p % g->stride[i]) return -1;
        p /= g->stride[i];
    }
    return p < g->in[i] ? p : -1;
}

static void add_cell(const geometry *g, const float *in, const float *filter, double *sums) {
    if (g->transposed) {
        for (int64_t o = 0; o < g->out_c; o++)
            for (int64_t c = 0; c < g->in_c; c++) sums[o] += (double)in[c] * filter[o * g->in_c + c];
        return;
    }
    for (int64_t c = 0; c < g->in_c; c++)
        for (int64_t o = 0; o < g->out_c; o++) sums[o] += (double)in[c] * filter[c * g->out_c + o];
}

static void output_cell(const geometry *g, int64_t n, int64_t z, int64_t y, int64_t x, double *sums, float *to) {
    const int64_t taps = g->in_c * g->out_c;
    for (int64_t o = 0; o < g->out_c; o++) sums[o] = g->bias ? (double)g->bias[o] : 0;
    for (int64_t kz = 0; kz < g->kernel[0]; kz++) {
        const int64_t iz = cell(g, 0, z, kz);
        for (int64_t ky = 0; iz >= 0 && ky < g->kernel[1]; ky++) {
            const int64_t iy = cell(g, 1, y, ky);
            for (int64_t kx = 0; iy >= 0 && kx < g->kernel[2]; kx++) {
                const int64_t ix = cell(g, 2, x, kx);
                if (ix >= 0)
                    add_cell(g, g->input + (((n * g->in[0] + iz) * g->in[1] + iy) * g->in[2] + ix) * g->in_c,
                             g->filter + ((kz * g->kernel[1] + ky) * g->kernel[2] + kx) * taps, sums);
            }
        }
    }
    for (int64_t o = 0; o < g->out_c; o++) to[o] = (float)sums[o];
}

static lc_status run(lc_kernel_ctx *ctx) {
    const bool transposed = ctx->node->op == LC_OP_CONV_3D_TRANSPOSE;
    const geometry g = geometry_of(ctx, transposed);
    float *out = ctx->out[0]->data, *to = out;
    int64_t want[5];
    uint32_t count = 5;
    if (transposed) {
        if (!lc_ref_ints(ctx->in[0], want, &count) || count != 5) return lc_ref_changed(ctx);
        for (int i = 0; i < 5; i++)
            if (want[i] != ctx->out[0]->shape.dims[i]) return lc_ref_changed(ctx);
    }
    for (int64_t n = 0; n < g.batch; n++)
        for (int64_t z = 0; z < g.out[0]; z++)
            for (int64_t y = 0; y < g.out[1]; y++)
                for (int64_t x = 0; x < g.out[2]; x++, to += g.out_c) output_cell(&g, n, z, y, x, ctx->scratch, to);
    lc_ref_activate(out, to - out, LC_OP_ATTRS(ctx->node, Conv3DOptions)->fused_activation_function);
    return LC_OK;
}

const lc_kernel lc_kernel_CONV_3D = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_CONV_3D_TRANSPOSE = {.prepare = prepare, .run = run};
