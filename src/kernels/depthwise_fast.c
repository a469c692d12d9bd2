/*
 * depthwise_fast.c: DEPTHWISE_CONV_2D in float32 with constant weights.
 *
 *   multiplier 1   vectors along the channels: tiles of LC_DW_PIXELS outputs for 3x3 and 5x5 with stride 1 or 2 across and no
 *                  dilation; pixel by pixel over the taps inside the image for everything else
 *   multiplier m   of one input channel: a convolution, by the engine of gemm_fast.c; of several: each input channel is repeated
 *                  m times in scratch, which makes it the case above
 *
 * All tiles of a line are gathered first (addresses only), then done for a block of channels after the other.
 * The last tile of a line that is no multiple of LC_DW_PIXELS wide is moved back over the one before: those outputs are
 * computed twice, to the same value, by the same thread.
 */
#include "kernels/gemm_fast.h"

#include "base/checked.h"

typedef void (*tile_fn)(const lc_dw_tile *t);

enum { CHANNELS = 128 }; /* a line's tiles are done for this many channels at a time: their weights stay in L1 */

typedef struct plan {
    int32_t repeat;     /* m when the input is repeated, else 1 */
    size_t repeated_at; /* where in scratch */
    tile_fn tile;       /* NULL: pixel by pixel */
    int32_t batch, in_h, in_w, out_h, out_w, channels;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w;
    int32_t columns; /* input pixels across under one tile */
    float low, high;
    const float *weights, *bias; /* weights before packing: [taps][channels]; NULL: known when it runs, and packed into scratch then */
    size_t packed_at;            /* where in scratch */
    const float *packed;
    const float *zeros; /* [channels] */
    size_t thread_scratch;
} plan;

static void pack(const lc_kernel_ctx *ctx, void *data) {
    const plan *d = ctx->state;
    const size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w, channels = (size_t)d->channels, vl = ctx->simd->vl;
    float *out = data;
    for (size_t c = 0; c < channels; c += vl) {
        const size_t n = channels - c < vl ? channels - c : vl;
        for (size_t j = 0; j < vl; j++) *out++ = j < n && d->bias ? d->bias[c + j] : 0;
        for (size_t t = 0; t < taps; t++)
            for (size_t j = 0; j < vl; j++) *out++ = j < n ? d->weights[t * channels + c + j] : 0;
    }
}

static tile_fn choose_tile(const plan *d, const lc_simd *simd) {
    if (d->dilation_h != 1 || d->dilation_w != 1 || d->kernel_h != d->kernel_w || d->out_w < LC_DW_PIXELS) return NULL;
    const tile_fn tiles[2][2] = {{simd->dw3s1, simd->dw3s2}, {simd->dw5s1, simd->dw5s2}};
    if ((d->kernel_w != 3 && d->kernel_w != 5) || d->stride_w > 2) return NULL;
    return tiles[d->kernel_w == 5][d->stride_w - 1];
}

static lc_status prepare_engine(lc_kernel_ctx *ctx, const plan *d) {
    const int32_t out_c = d->channels;
    const lc_gemm_problem p = {.batch = d->batch,
                               .in_h = d->in_h,
                               .in_w = d->in_w,
                               .in_c = 1,
                               .out_h = d->out_h,
                               .out_w = d->out_w,
                               .out_c = out_c,
                               .kernel_h = d->kernel_h,
                               .kernel_w = d->kernel_w,
                               .stride_h = d->stride_h,
                               .stride_w = d->stride_w,
                               .dilation_h = d->dilation_h,
                               .dilation_w = d->dilation_w,
                               .pad_h = d->pad_h,
                               .pad_w = d->pad_w,
                               .groups = 1,
                               .weights = d->weights,
                               .out_step = 1,
                               .tap_step = out_c,
                               .in_step = 0,
                               .bias = d->bias,
                               .low = d->low,
                               .high = d->high};
    return lc_gemm_prepare(ctx, &p);
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(ctx->node, DepthwiseConv2DOptions);
    const lc_value *in = ctx->in[0], *filter = ctx->in[1], *out = ctx->out[0];
    plan d = {0};
    if (!lc_fast_is_float(in) || !lc_fast_weights(ctx, &d.weights, &d.bias)) return LC_UNSUPPORTED;
    if (!lc_activation_range(o->fused_activation_function, &d.low, &d.high)) return LC_UNSUPPORTED;
    if (lc_fast_elements(&out->shape) == 0 || lc_fast_elements(&in->shape) == 0) return LC_UNSUPPORTED;
    const int32_t *i = in->shape.dims, *f = filter->shape.dims;
    d.batch = i[0], d.in_h = i[1], d.in_w = i[2], d.channels = f[3];
    d.kernel_h = f[1], d.kernel_w = f[2];
    d.stride_h = o->stride_h, d.stride_w = o->stride_w;
    d.dilation_h = o->dilation_h_factor, d.dilation_w = o->dilation_w_factor;
    lc_op_window(d.in_h, d.kernel_h, d.stride_h, d.dilation_h, o->padding, &d.out_h, &d.pad_h);
    lc_op_window(d.in_w, d.kernel_w, d.stride_w, d.dilation_w, o->padding, &d.out_w, &d.pad_w);
    if (d.out_h != out->shape.dims[1] || d.out_w != out->shape.dims[2]) return LC_UNSUPPORTED;
    /* A stride that is never taken may be any number in a file; one that is, is smaller than the input. */
    if (d.out_h == 1) d.stride_h = 1;
    if (d.out_w == 1) d.stride_w = 1;
    if (i[3] == 1 && f[3] > 1) return prepare_engine(ctx, &d);
    d.repeat = f[3] / i[3];

    plan *state = lc_kernel_state(ctx, sizeof d + (size_t)d.channels * sizeof(float));
    if (!state) return LC_NO_MEMORY;
    d.zeros = (const float *)(state + 1);
    d.tile = choose_tile(&d, ctx->simd);
    const size_t taps = (size_t)d.kernel_h * (size_t)d.kernel_w, vl = ctx->simd->vl, blocks = ((size_t)d.channels + vl - 1) / vl;
    d.columns = (LC_DW_PIXELS - 1) * d.stride_w + d.kernel_w;
    const size_t tiles = ((size_t)d.out_w + LC_DW_PIXELS - 1) / LC_DW_PIXELS, pointers = tiles * (size_t)d.kernel_h * (size_t)d.columns;
    d.thread_scratch = d.tile ? lc_fast_align(pointers * sizeof(float *)) : lc_fast_align(taps * (sizeof(float *) + sizeof(uint32_t)));
    ctx->scratch_size = d.repeated_at = d.thread_scratch * (size_t)lc_pool_threads(ctx->pool);
    if (d.repeat > 1) {
        size_t bytes; /* checked: no tensor has bounded it */
        if (!lc_mul_size(lc_fast_elements(&in->shape), (size_t)d.repeat * sizeof(float), &bytes)) return LC_UNSUPPORTED;
        if (!lc_add_size(bytes, d.repeated_at, &ctx->scratch_size)) return LC_UNSUPPORTED;
    }
    const size_t packed_size = blocks * (1 + taps) * vl * sizeof(float);
    if (!d.weights) {
        d.packed_at = lc_fast_align(ctx->scratch_size);
        if (!lc_add_size(d.packed_at, packed_size, &ctx->scratch_size)) return LC_UNSUPPORTED;
    }
    *state = d;
    ctx->label = d.tile ? "depthwise tile" : "depthwise taps";
    return d.weights ? lc_fast_pack(ctx, packed_size, pack, &state->packed) : LC_OK;
}

typedef struct job {
    const plan *d;
    const lc_simd *simd;
    const float *in;
    float *out;
    unsigned char *scratch;
} job;

/* First output of the tile at x: the last one is moved back to end with the line. */
static int32_t tile_at(const plan *d, int32_t x) { return x + LC_DW_PIXELS <= d->out_w ? x : d->out_w - LC_DW_PIXELS; }

static void line_by_tiles(const plan *d, const float *image, int64_t y0, float *out, unsigned char *scratch) {
    const ptrdiff_t channels = d->channels;
    const float **rows = (const float **)(void *)scratch, **row = rows;
    for (int32_t x = 0; x < d->out_w; x += LC_DW_PIXELS) {
        const int64_t x0 = (int64_t)tile_at(d, x) * d->stride_w - d->pad_w;
        const bool inside = x0 >= 0 && x0 + d->columns <= d->in_w;
        for (int32_t ky = 0; ky < d->kernel_h; ky++, row += d->columns) {
            const int64_t y = y0 + ky;
            const ptrdiff_t line = (y * d->in_w + x0) * channels;
            if (y < 0 || y >= d->in_h) {
                for (int32_t c = 0; c < d->columns; c++) row[c] = d->zeros;
            } else if (inside) {
                for (int32_t c = 0; c < d->columns; c++) row[c] = image + (line + c * channels);
            } else {
                for (int32_t c = 0; c < d->columns; c++)
                    row[c] = x0 + c >= 0 && x0 + c < d->in_w ? image + (line + c * channels) : d->zeros;
            }
        }
    }
    lc_dw_tile t = {.weights = d->packed, .out_stride = (size_t)channels, .low = d->low, .high = d->high};
    for (; t.from < (size_t)channels; t.from = t.to) {
        t.to = (size_t)channels - t.from < CHANNELS * 3 / 2 ? (size_t)channels : t.from + CHANNELS;
        t.rows = rows;
        for (int32_t x = 0; x < d->out_w; x += LC_DW_PIXELS, t.rows += d->kernel_h * d->columns) {
            t.out = out + tile_at(d, x) * channels;
            d->tile(&t);
        }
    }
}

static void line_by_taps(const plan *d, const lc_simd *simd, const float *image, int64_t y0, float *out, unsigned char *scratch) {
    const size_t all = (size_t)d->kernel_h * (size_t)d->kernel_w;
    const ptrdiff_t channels = d->channels;
    const float **rows = (const float **)(void *)scratch;
    uint32_t *tap = (uint32_t *)(void *)(scratch + all * sizeof *rows);
    lc_dw_tile t = {
        .rows = rows, .tap = tap, .weights = d->packed, .all_taps = all, .to = (size_t)channels, .low = d->low, .high = d->high};
    for (int32_t ox = 0; ox < d->out_w; ox++) {
        const int64_t x0 = (int64_t)ox * d->stride_w - d->pad_w;
        t.taps = 0;
        for (int32_t ky = 0; ky < d->kernel_h; ky++) {
            const int64_t y = y0 + (int64_t)ky * d->dilation_h;
            if (y < 0 || y >= d->in_h) continue;
            for (int32_t kx = 0; kx < d->kernel_w; kx++) {
                const int64_t x = x0 + (int64_t)kx * d->dilation_w;
                if (x < 0 || x >= d->in_w) continue;
                rows[t.taps] = image + (y * d->in_w + x) * channels;
                tap[t.taps++] = (uint32_t)(ky * d->kernel_w + kx);
            }
        }
        t.out = out + ox * channels;
        simd->dwtaps(&t);
    }
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const plan *d = j->d;
    const size_t image = (size_t)d->in_h * (size_t)d->in_w * (size_t)d->channels, line = (size_t)d->out_w * (size_t)d->channels;
    unsigned char *scratch = j->scratch + (size_t)thread * d->thread_scratch;
    for (int64_t i = begin; i < end; i++) {
        const float *in = j->in + (size_t)(i / d->out_h) * image;
        const int64_t y0 = i % d->out_h * d->stride_h - d->pad_h;
        float *out = j->out + (size_t)i * line;
        if (d->tile) line_by_tiles(d, in, y0, out, scratch);
        else line_by_taps(d, j->simd, in, y0, out, scratch);
    }
}

/* Item: one line of the input. */
static void repeat_channels(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const plan *d = j->d;
    const size_t m = (size_t)d->repeat, line = (size_t)d->in_w * ((size_t)d->channels / m);
    (void)thread;
    float *out = (float *)(void *)(j->scratch + d->repeated_at) + (size_t)begin * line * m;
    const float *in = j->in + (size_t)begin * line, *last = j->in + (size_t)end * line;
    for (; in < last; in++)
        for (size_t k = 0; k < m; k++) *out++ = *in;
}

static lc_status run(lc_kernel_ctx *ctx) {
    if (ctx->in[0]->shape.dims[3] == 1 && ctx->out[0]->shape.dims[3] > 1) return lc_gemm_run(ctx);
    plan *d = ctx->state;
    job j = {d, ctx->simd, ctx->in[0]->data, ctx->out[0]->data, ctx->scratch};
    if (d->packed_at) {
        const lc_value *bias = ctx->in_count > 2 ? ctx->in[2] : NULL;
        float *packed = (float *)(void *)(j.scratch + d->packed_at);
        d->weights = ctx->in[1]->data;
        d->bias = bias ? bias->data : NULL;
        pack(ctx, packed);
        d->packed = packed;
    }
    if (d->repeat > 1) {
        lc_pool_run(ctx->pool, (int64_t)d->batch * d->in_h, 1, repeat_channels, &j);
        j.in = (const float *)(const void *)(j.scratch + d->repeated_at);
    }
    lc_pool_run(ctx->pool, (int64_t)d->batch * d->out_h, 1, work, &j);
    return LC_OK;
}

const lc_kernel lc_fast_DEPTHWISE_CONV_2D = {.prepare = prepare, .run = run};
