/*
 * pool_ref.c: AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D in float32 (integers: pool_quant.c) over the cells of the window that lie inside the
 * image; their number is what an average divides by. A window without any (VALID never has one, SAME neither) would give 0.
 */
#include "kernels/ref.h"
#include "kernels/variants.h"
#include <math.h>

typedef double (*fold_fn)(double sum, float x);
typedef double (*finish_fn)(double sum, int64_t count);

static double fold_sum(double sum, float x) { return sum + x; }
static double fold_max(double sum, float x) { return x > sum ? x : sum; }
static double fold_squares(double sum, float x) { return sum + (double)x * x; }
static double finish_mean(double sum, int64_t count) { return sum / (double)count; }
static double finish_max(double sum, int64_t count) { return (void)count, sum; }
static double finish_root(double sum, int64_t count) { return sqrt(sum / (double)count); }

static lc_status pool(lc_kernel_ctx *ctx, double start, fold_fn fold, finish_fn finish) {
    const lc_Pool2DOptions *o = LC_OP_ATTRS(ctx->node, Pool2DOptions);
    const int32_t *is = ctx->in[0]->shape.dims, *os = ctx->out[0]->shape.dims;
    const float *in = ctx->in[0]->data;
    float *out = ctx->out[0]->data, *to = out;
    int32_t oh, ow, ph, pw;
    lc_op_window(is[1], o->filter_height, o->stride_h, 1, o->padding, &oh, &ph);
    lc_op_window(is[2], o->filter_width, o->stride_w, 1, o->padding, &ow, &pw);
    for (int64_t n = 0; n < os[0]; n++)
        for (int64_t y = 0; y < os[1]; y++)
            for (int64_t x = 0; x < os[2]; x++) {
                int64_t y0 = y * o->stride_h - ph, x0 = x * o->stride_w - pw;
                int64_t y1 = y0 + o->filter_height < is[1] ? y0 + o->filter_height : is[1];
                int64_t x1 = x0 + o->filter_width < is[2] ? x0 + o->filter_width : is[2];
                if (y0 < 0) y0 = 0;
                if (x0 < 0) x0 = 0;
                int64_t count = y1 > y0 && x1 > x0 ? (y1 - y0) * (x1 - x0) : 0;
                for (int64_t c = 0; c < os[3]; c++, to++) {
                    double sum = start;
                    for (int64_t iy = y0; iy < y1; iy++)
                        for (int64_t ix = x0; ix < x1; ix++) sum = fold(sum, in[((n * is[1] + iy) * is[2] + ix) * is[3] + c]);
                    *to = count ? (float)finish(sum, count) : 0;
                }
            }
    lc_ref_activate(out, to - out, o->fused_activation_function);
    return LC_OK;
}

static lc_status run_average(lc_kernel_ctx *ctx) { return pool(ctx, 0, fold_sum, finish_mean); }
static lc_status run_max(lc_kernel_ctx *ctx) { return pool(ctx, -INFINITY, fold_max, finish_max); }
static lc_status run_l2(lc_kernel_ctx *ctx) { return pool(ctx, 0, fold_squares, finish_root); }

static const lc_kernel average_f32 = {.prepare = lc_ref_prepare_float, .run = run_average};
static const lc_kernel max_f32 = {.prepare = lc_ref_prepare_float, .run = run_max};

static const lc_kernel *choose(const lc_kernel_ctx *ctx, const lc_kernel *f32, const lc_kernel *quant) {
    const lc_dtype type = ctx->in[0]->type;
    return type == LC_FLOAT32 ? f32 : lc_is_quant_type(type) ? quant : NULL;
}
static const lc_kernel *choose_average(const lc_kernel_ctx *ctx) { return choose(ctx, &average_f32, &lc_pool_quant_average); }
static const lc_kernel *choose_max(const lc_kernel_ctx *ctx) { return choose(ctx, &max_f32, &lc_pool_quant_max); }

const lc_kernel lc_kernel_AVERAGE_POOL_2D = {.choose = choose_average};
const lc_kernel lc_kernel_MAX_POOL_2D = {.choose = choose_max};
const lc_kernel lc_kernel_L2_POOL_2D = {.prepare = lc_ref_prepare_float, .run = run_l2};
