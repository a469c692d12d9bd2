/*
 * pool_fast.c: MAX_POOL_2D and AVERAGE_POOL_2D in float32: each output pixel over the input pixels of its window that lie in
 * the image, vectors along the channels. Outputs of a line whose windows lie inside it are one call of the micro-kernel. Padding does not
 * count, neither as a value nor in the mean's divisor.
 */
#include "kernels/fast.h"

typedef void (*pool_fn)(const lc_pool_tile *t);

typedef struct plan {
    pool_fn fn;
    int32_t batch, in_h, in_w, out_h, out_w, channels, filter_h, filter_w, stride_h, stride_w, pad_h, pad_w;
    float low, high;
    size_t thread_scratch;
} plan;

static lc_status prepare(lc_kernel_ctx *ctx, pool_fn fn) {
    const lc_Pool2DOptions *o = LC_OP_ATTRS(ctx->node, Pool2DOptions);
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    float low, high;
    if (!lc_fast_is_float(in) || !lc_activation_range(o->fused_activation_function, &low, &high)) return LC_UNSUPPORTED;
    if (lc_fast_elements(&in->shape) == 0 || lc_fast_elements(&out->shape) == 0) return LC_UNSUPPORTED;
    plan *p = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    const int32_t *i = in->shape.dims;
    *p = (plan){.fn = fn,
                .batch = i[0],
                .in_h = i[1],
                .in_w = i[2],
                .channels = i[3],
                .filter_h = o->filter_height,
                .filter_w = o->filter_width,
                .stride_h = o->stride_h,
                .stride_w = o->stride_w,
                .low = low,
                .high = high};
    lc_op_window(i[1], o->filter_height, o->stride_h, 1, o->padding, &p->out_h, &p->pad_h);
    lc_op_window(i[2], o->filter_width, o->stride_w, 1, o->padding, &p->out_w, &p->pad_w);
    if (p->out_h != out->shape.dims[1] || p->out_w != out->shape.dims[2]) return LC_UNSUPPORTED;
    /* A window cannot have more pixels than the image, whatever size the file gives it. */
    const size_t h = (size_t)(p->filter_h < p->in_h ? p->filter_h : p->in_h), w = (size_t)(p->filter_w < p->in_w ? p->filter_w : p->in_w);
    p->thread_scratch = lc_fast_align(h * w * sizeof(float *));
    ctx->scratch_size = p->thread_scratch * (size_t)lc_pool_threads(ctx->pool);
    ctx->label = "pool";
    return LC_OK;
}

typedef struct job {
    const plan *p;
    const float *in;
    float *out;
    unsigned char *scratch;
} job;

/* Part [*from, *to) of a window of `filter` cells at `start` that lies in [0, size). */
static void inside(int64_t start, int32_t filter, int32_t size, int64_t *from, int64_t *to) {
    *from = start < 0 ? 0 : start;
    *to = start + filter < size ? start + filter : size;
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const plan *p = j->p;
    const size_t channels = (size_t)p->channels, line = (size_t)p->in_w * channels, image = (size_t)p->in_h * line;
    const float **rows = (const float **)(void *)(j->scratch + (size_t)thread * p->thread_scratch);
    lc_pool_tile t = {.rows = rows, .channels = channels, .in_step = (size_t)p->stride_w * channels, .low = p->low, .high = p->high};
    for (int64_t i = begin; i < end; i++) {
        const float *in = j->in + (size_t)(i / p->out_h) * image;
        int64_t y0, y1, x0, x1;
        inside(i % p->out_h * p->stride_h - p->pad_h, p->filter_h, p->in_h, &y0, &y1);
        t.out = j->out + (size_t)i * (size_t)p->out_w * channels;
        for (int32_t ox = 0; ox < p->out_w; ox += (int32_t)t.pixels, t.out += t.pixels * channels) {
            const int64_t x = (int64_t)ox * p->stride_w - p->pad_w, last = (int64_t)p->in_w - p->filter_w;
            inside(x, p->filter_w, p->in_w, &x0, &x1);
            t.taps = 0;
            for (int64_t y = y0; y < y1; y++)
                for (int64_t xx = x0; xx < x1; xx++) rows[t.taps++] = in + (size_t)y * line + (size_t)xx * channels;
            t.scale = 1.0f / (float)t.taps;
            t.pixels = 1;
            if (x >= 0 && x <= last) { /* the windows to the right have the same taps until one leaves the image */
                const int64_t more = (last - x) / p->stride_w;
                t.pixels += (size_t)(more < p->out_w - 1 - ox ? more : p->out_w - 1 - ox);
            }
            p->fn(&t);
        }
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const plan *p = ctx->state;
    job j = {p, ctx->in[0]->data, ctx->out[0]->data, ctx->scratch};
    lc_pool_run(ctx->pool, (int64_t)p->batch * p->out_h, 1, work, &j);
    return LC_OK;
}

static lc_status prepare_max(lc_kernel_ctx *ctx) { return prepare(ctx, ctx->simd->maxpool); }
static lc_status prepare_average(lc_kernel_ctx *ctx) { return prepare(ctx, ctx->simd->avgpool); }

const lc_kernel lc_fast_MAX_POOL_2D = {.prepare = prepare_max, .run = run};
const lc_kernel lc_fast_AVERAGE_POOL_2D = {.prepare = prepare_average, .run = run};
