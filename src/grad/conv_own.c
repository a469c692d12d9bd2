/*
 * conv_own.c: CONV_FILTER_GRAD(x, dy) and CONV_INPUT_GRAD(dy, W), W [out, h, w, in of one group].
 *
 * The filter's gradient is a matrix product over all pixels of all images: dW [out, taps in] = dyᵀ [out, pixels] seen [pixels, taps in]. It is
 * worked off in panels of columns (what some taps see of some channels), each of which walks over the pixels in chunks:
 *
 *     chunk of seen, packed       [pixels of the chunk][columns of the panel]
 *     chunk of dy, turned once    [out][pixels of the chunk]                         times by the micro-kernel `gemm`, added to dW
 *
 * Every element of dW is summed in the order of the pixels, whoever computes it.
 */
#include "grad/own.h"

#include "base/checked.h"
#include "kernels/gemm_fast.h"
#include "kernels/ref.h"
#include "kernels/simd.h"
#include <math.h>
#include <string.h>

lc_status lc_own_infer_CONV_FILTER_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_CONV_INPUT_GRAD(lc_infer_ctx *ctx);

static lc_status infer(lc_infer_ctx *ctx, const lc_shape *x, const lc_shape *w, const lc_shape *dy) {
    const lc_window_options *o = LC_OWN_OPTIONS(ctx->node, lc_window_options);
    LC_TRY(lc_own_floats(ctx, 0, 2));
    if (x->rank != 4 || w->rank != 4 || dy->rank != 4) return LC_OP_FAIL(ctx, "needs images and a filter of 4 dimensions");
    int32_t h, wide, pad;
    lc_op_window(x->dims[1], o->filter_h, o->stride_h, o->dilation_h, o->padding, &h, &pad);
    lc_op_window(x->dims[2], o->filter_w, o->stride_w, o->dilation_w, o->padding, &wide, &pad);
    if (dy->dims[0] != x->dims[0] || dy->dims[1] != h || dy->dims[2] != wide || dy->dims[3] != w->dims[0] || w->dims[1] != o->filter_h ||
        w->dims[2] != o->filter_w || w->dims[3] == 0 || x->dims[3] % w->dims[3] != 0 || w->dims[0] % (x->dims[3] / w->dims[3]) != 0)
        return LC_OP_FAIL(ctx, "its inputs do not fit each other");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape.rank = 4;
    for (int32_t i = 0; i < 4; i++) ctx->out[0].shape.dims[i] = o->dims[i];
    return LC_OK;
}

static lc_shape declared(const lc_infer_ctx *ctx) {
    const lc_window_options *o = LC_OWN_OPTIONS(ctx->node, lc_window_options);
    lc_shape s = {.rank = o->rank};
    for (int32_t i = 0; i < o->rank; i++) s.dims[i] = o->dims[i];
    return s;
}

lc_status lc_own_infer_CONV_INPUT_GRAD(lc_infer_ctx *ctx) {
    const lc_shape x = declared(ctx);
    return infer(ctx, &x, &ctx->in[1].shape, &ctx->in[0].shape);
}
lc_status lc_own_infer_CONV_FILTER_GRAD(lc_infer_ctx *ctx) {
    const lc_shape w = declared(ctx);
    return infer(ctx, &ctx->in[0].shape, &w, &ctx->in[1].shape);
}

/* ---- input ---------------------------------------------------------------------------------------------------------- */

typedef struct sizes {
    const lc_window_options *o;
    int64_t batch, in_h, in_w, in_c, out_h, out_w, out_c, group_in, group_out;
    int32_t pad_h, pad_w;
} sizes;

static sizes measure(const lc_kernel_ctx *ctx, const lc_shape *x, const lc_shape *w) {
    sizes s = {.o = LC_OWN_OPTIONS(ctx->node, lc_window_options)};
    int32_t out_h, out_w;
    s.batch = x->dims[0], s.in_h = x->dims[1], s.in_w = x->dims[2], s.in_c = x->dims[3], s.out_c = w->dims[0], s.group_in = w->dims[3];
    s.group_out = s.out_c / (s.in_c / s.group_in);
    lc_op_window(x->dims[1], s.o->filter_h, s.o->stride_h, s.o->dilation_h, s.o->padding, &out_h, &s.pad_h);
    lc_op_window(x->dims[2], s.o->filter_w, s.o->stride_w, s.o->dilation_w, s.o->padding, &out_w, &s.pad_w);
    s.out_h = out_h, s.out_w = out_w;
    return s;
}

/* Where tap (ky, kx) of output pixel (y, x) looks; false when that is padding. */
static inline bool seen(const sizes *s, int64_t y, int64_t x, int64_t ky, int64_t kx, int64_t *at) {
    const int64_t iy = y * s->o->stride_h - s->pad_h + ky * s->o->dilation_h, ix = x * s->o->stride_w - s->pad_w + kx * s->o->dilation_w;
    if (iy < 0 || iy >= s->in_h || ix < 0 || ix >= s->in_w) return false;
    *at = (iy * s->in_w + ix) * s->in_c;
    return true;
}

typedef struct input_job {
    sizes s;
    const float *dy, *w;
    float *dx;
} input_job;

static void input_of_images(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const input_job *j = arg;
    const sizes *s = &j->s;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        float *dx = j->dx + b * s->in_h * s->in_w * s->in_c;
        memset(dx, 0, (size_t)(s->in_h * s->in_w * s->in_c) * sizeof *dx);
        for (int64_t y = 0; y < s->out_h; y++)
            for (int64_t x = 0; x < s->out_w; x++) {
                const float *dy = j->dy + ((b * s->out_h + y) * s->out_w + x) * s->out_c;
                for (int64_t ky = 0, tap = 0; ky < s->o->filter_h; ky++)
                    for (int64_t kx = 0; kx < s->o->filter_w; kx++, tap++) {
                        int64_t at;
                        if (!seen(s, y, x, ky, kx, &at)) continue;
                        for (int64_t o = 0; o < s->out_c; o++) {
                            const float *w = j->w + ((o * s->o->filter_h * s->o->filter_w) + tap) * s->group_in;
                            float *to = dx + at + o / s->group_out * s->group_in;
                            for (int64_t c = 0; c < s->group_in; c++) to[c] += dy[o] * w[c];
                        }
                    }
            }
    }
}

/* As a convolution of dy with the filter turned by 180 degrees, by the engine of gemm_fast.h. Strides are zeros between dy's pixels. */
typedef struct turned_sizes {
    size_t filter, spread, at_filter, at_spread; /* floats; where they lie in scratch, in bytes. spread 0: dy as it is */
    int64_t h, w;                                /* of dy with the zeros */
} turned_sizes;

/* engine: bytes of scratch before. */
static bool turned_of(const sizes *s, size_t engine, turned_sizes *t, size_t *all) {
    const lc_window_options *o = s->o;
    t->h = (s->out_h - 1) * o->stride_h + 1, t->w = (s->out_w - 1) * o->stride_w + 1;
    t->filter = (size_t)(s->out_c * s->group_in) * (size_t)o->filter_h * (size_t)o->filter_w;
    t->spread = 0;
    size_t bytes;
    if ((o->stride_h > 1 || o->stride_w > 1) && !lc_mul_size((size_t)(s->batch * t->h), (size_t)(t->w * s->out_c), &t->spread))
        return false;
    t->at_filter = (engine + 63) & ~(size_t)63;
    t->at_spread = (t->at_filter + t->filter * sizeof(float) + 63) & ~(size_t)63;
    return lc_mul_size(t->spread, sizeof(float), &bytes) && lc_add_size(t->at_spread, bytes, all);
}

static lc_status prepare_input(lc_kernel_ctx *ctx) {
    const sizes s = measure(ctx, &ctx->out[0]->shape, &ctx->in[1]->shape);
    const lc_window_options *o = s.o;
    const int64_t groups = s.in_c / s.group_in;
    const int32_t pad_h = (o->filter_h - 1) * o->dilation_h - s.pad_h, pad_w = (o->filter_w - 1) * o->dilation_w - s.pad_w;
    if (!ctx->simd || pad_h < 0 || pad_w < 0) return LC_OK;
    turned_sizes t;
    size_t all;
    if (!turned_of(&s, 0, &t, &all) || t.h > INT32_MAX || t.w > INT32_MAX) return LC_OK;
    const lc_gemm_problem p = {.batch = (int32_t)s.batch,
                               .in_h = (int32_t)t.h,
                               .in_w = (int32_t)t.w,
                               .in_c = (int32_t)s.out_c,
                               .out_h = (int32_t)s.in_h,
                               .out_w = (int32_t)s.in_w,
                               .out_c = (int32_t)s.in_c,
                               .kernel_h = o->filter_h,
                               .kernel_w = o->filter_w,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = o->dilation_h,
                               .dilation_w = o->dilation_w,
                               .pad_h = pad_h,
                               .pad_w = pad_w,
                               .groups = (int32_t)groups,
                               .out_step = (size_t)(o->filter_h * o->filter_w) * (size_t)s.group_out,
                               .tap_step = (size_t)s.group_out,
                               .in_step = 1,
                               .low = -INFINITY,
                               .high = INFINITY};
    const lc_status status = lc_gemm_prepare(ctx, &p);
    if (status == LC_UNSUPPORTED) { /* a size of 0 */
        ctx->state = NULL;
        ctx->scratch_size = 0;
        ctx->label = NULL;
        return LC_OK;
    }
    if (status != LC_OK) return status;
    return turned_of(&s, ctx->scratch_size, &t, &ctx->scratch_size)
               ? LC_OK
               : lc_fail(ctx->err, LC_LIMIT, "the gradient of a convolution needs too much memory");
}

/* [in channel][tap, from the last][out channel of its group] */
static void turn_filter(const sizes *s, const float *w, float *to) {
    const int64_t taps = (int64_t)s->o->filter_h * s->o->filter_w;
    for (int64_t o = 0; o < s->out_c; o++) {
        const int64_t group = o / s->group_out, c = o % s->group_out;
        for (int64_t tap = 0; tap < taps; tap++, w += s->group_in)
            for (int64_t i = 0; i < s->group_in; i++) to[((group * s->group_in + i) * taps + taps - 1 - tap) * s->group_out + c] = w[i];
    }
}

static void spread(const sizes *s, const turned_sizes *t, const float *dy, float *to) {
    memset(to, 0, t->spread * sizeof *to);
    for (int64_t b = 0; b < s->batch; b++)
        for (int64_t y = 0; y < s->out_h; y++)
            for (int64_t x = 0; x < s->out_w; x++, dy += s->out_c)
                memcpy(to + ((b * t->h + y * s->o->stride_h) * t->w + x * s->o->stride_w) * s->out_c, dy, (size_t)s->out_c * sizeof *dy);
}

static lc_status run_input(lc_kernel_ctx *ctx) {
    input_job j = {.s = measure(ctx, &ctx->out[0]->shape, &ctx->in[1]->shape)};
    j.dy = ctx->in[0]->data, j.w = ctx->in[1]->data, j.dx = ctx->out[0]->data;
    if (!ctx->state) {
        lc_pool_run(ctx->pool, j.s.batch, 1, input_of_images, &j);
        return LC_OK;
    }
    turned_sizes t;
    size_t all;
    turned_of(&j.s, 0, &t, &all);
    const size_t behind = ctx->scratch_size - all; /* of the engine, rounded up as turned_of does */
    float *filter = (float *)(void *)((char *)ctx->scratch + behind + t.at_filter),
          *wide = (float *)(void *)((char *)ctx->scratch + behind + t.at_spread);
    turn_filter(&j.s, j.w, filter);
    lc_gemm_use(ctx, filter, NULL);
    if (t.spread) spread(&j.s, &t, j.dy, wide);
    lc_gemm_product(ctx, t.spread ? wide : j.dy, j.dx);
    return LC_OK;
}

/* ---- filter --------------------------------------------------------------------------------------------------------- */

enum { CHUNK = 256, TURN = 16 };

typedef struct filter_job {
    sizes s;
    const lc_simd *simd; /* NULL: plain loops */
    const float *x, *dy;
    float *dw, *turned; /* turned: [chunks][out][CHUNK] */
    int64_t pixels, chunks, columns, panels, blocks, block_rows;
    unsigned char *scratch; /* of a thread: panel, tile */
    size_t thread_scratch;
} filter_job;

static filter_job filter_of(const lc_kernel_ctx *ctx) {
    filter_job j = {.s = measure(ctx, &ctx->in[0]->shape, &ctx->out[0]->shape)};
    const sizes *s = &j.s;
    j.pixels = s->batch * s->out_h * s->out_w;
    j.chunks = (j.pixels + CHUNK - 1) / CHUNK;
    j.columns = (int64_t)s->o->filter_h * s->o->filter_w * s->group_in;
    if (!ctx->simd || s->group_in != s->in_c) return j;
    j.simd = ctx->simd;
    const int64_t nr = (int64_t)j.simd->nr, tiles = (s->out_c + (int64_t)j.simd->mr - 1) / (int64_t)j.simd->mr;
    j.panels = (j.columns + nr - 1) / nr;
    j.blocks = j.panels >= 8 ? 1 : (8 + j.panels - 1) / j.panels; /* few columns: the rows are shared out as well */
    if (j.blocks > tiles) j.blocks = tiles ? tiles : 1;
    j.block_rows = (tiles + j.blocks - 1) / j.blocks * (int64_t)j.simd->mr;
    j.thread_scratch = ((size_t)(CHUNK + 1) * j.simd->nr + j.simd->mr * j.simd->nr) * sizeof(float) + 64;
    j.thread_scratch = (j.thread_scratch + 63) & ~(size_t)63;
    return j;
}

static lc_status prepare_filter(lc_kernel_ctx *ctx) {
    const filter_job j = filter_of(ctx);
    if (!j.simd) return LC_OK;
    size_t turned, threads;
    if (!lc_mul_size((size_t)j.chunks, (size_t)j.s.out_c * CHUNK * sizeof(float), &turned) ||
        !lc_mul_size(j.thread_scratch, (size_t)lc_pool_threads(ctx->pool), &threads) || !lc_add_size(turned, threads, &ctx->scratch_size))
        return lc_fail(ctx->err, LC_LIMIT, "the gradient of a filter needs too much memory");
    ctx->label = "gemm";
    return LC_OK;
}

static void turn(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const filter_job *j = arg;
    const int64_t out_c = j->s.out_c;
    (void)thread;
    for (int64_t k = begin; k < end; k++) {
        const int64_t first = k * CHUNK, n = j->pixels - first < CHUNK ? j->pixels - first : CHUNK;
        const float *from = j->dy + first * out_c;
        float *to = j->turned + k * out_c * CHUNK;
        for (int64_t o = 0; o < out_c; o += TURN) {
            const int64_t last = o + TURN < out_c ? o + TURN : out_c;
            for (int64_t p = 0; p < n; p++)
                for (int64_t c = o; c < last; c++) to[c * CHUNK + p] = from[p * out_c + c];
        }
    }
}

/* What the columns [first, first + width) see of pixels [from, from + n), a row a pixel. */
static void pack(const filter_job *j, int64_t first, int64_t width, int64_t from, int64_t n, float *to, int64_t stride) {
    const sizes *s = &j->s;
    int64_t x = from % s->out_w, y = from / s->out_w % s->out_h, b = from / s->out_w / s->out_h;
    const int64_t tap0 = first / s->in_c, c0 = first % s->in_c;
    for (int64_t p = 0; p < n; p++, to += stride) {
        const float *image = j->x + b * s->in_h * s->in_w * s->in_c;
        for (int64_t tap = tap0, c = c0, done = 0; done < width; tap++, c = 0) {
            const int64_t left = s->in_c - c, count = left < width - done ? left : width - done;
            int64_t at;
            if (seen(s, y, x, tap / s->o->filter_w, tap % s->o->filter_w, &at))
                for (int64_t i = 0; i < count; i++) to[done + i] = image[at + c + i];
            else
                for (int64_t i = 0; i < count; i++) to[done + i] = 0;
            done += count;
        }
        for (int64_t i = width; i < stride; i++) to[i] = 0;
        if (++x < s->out_w) continue;
        x = 0;
        if (++y < s->out_h) continue;
        y = 0;
        b++;
    }
}

static void panels(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const filter_job *j = arg;
    const int64_t nr = (int64_t)j->simd->nr, mr = (int64_t)j->simd->mr, out_c = j->s.out_c;
    float *panel = (float *)(void *)(j->scratch + (size_t)thread * j->thread_scratch), *tile = panel + (CHUNK + 1) * nr;
    const float *rows[LC_MR_MAX];
    const uint32_t no_tap = 0;
    for (int64_t item = begin; item < end; item++) {
        const int64_t first = item / j->blocks * nr, width = j->columns - first < nr ? j->columns - first : nr;
        const int64_t row0 = item % j->blocks * j->block_rows, row1 = row0 + j->block_rows < out_c ? row0 + j->block_rows : out_c;
        const int64_t stride = width > (int64_t)j->simd->vl ? nr : (int64_t)j->simd->vl;
        memset(panel, 0, (size_t)stride * sizeof *panel); /* no bias */
        for (int64_t r = row0; r < row1; r++) memset(j->dw + r * j->columns + first, 0, (size_t)width * sizeof *j->dw);
        for (int64_t k = 0; k < j->chunks; k++) {
            const int64_t from = k * CHUNK, n = j->pixels - from < CHUNK ? j->pixels - from : CHUNK;
            pack(j, first, width, from, n, panel + stride, stride);
            for (int64_t r = row0; r < row1; r += mr) {
                const int64_t m = row1 - r < mr ? row1 - r : mr;
                for (int64_t i = 0; i < m; i++) rows[i] = j->turned + (k * out_c + r + i) * CHUNK;
                const lc_gemm_tile t = {.rows = rows,
                                        .tap = &no_tap,
                                        .taps = 1,
                                        .k = (size_t)n,
                                        .mr = (size_t)m,
                                        .panel = panel,
                                        .out = tile,
                                        .out_stride = (size_t)nr,
                                        .n = (size_t)width,
                                        .low = -INFINITY,
                                        .high = INFINITY};
                j->simd->gemm(&t);
                for (int64_t i = 0; i < m; i++) {
                    float *dw = j->dw + (r + i) * j->columns + first;
                    for (int64_t c = 0; c < width; c++) dw[c] += tile[i * nr + c];
                }
            }
        }
    }
}

/* Plain truth, and groups: a filter's row is one thread's work. */
static void filter_rows(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const filter_job *j = arg;
    const sizes *s = &j->s;
    (void)thread;
    for (int64_t o = begin; o < end; o++) {
        float *dw = j->dw + o * j->columns;
        const int64_t c0 = o / s->group_out * s->group_in;
        memset(dw, 0, (size_t)j->columns * sizeof *dw);
        for (int64_t b = 0; b < s->batch; b++)
            for (int64_t y = 0; y < s->out_h; y++)
                for (int64_t x = 0; x < s->out_w; x++) {
                    const float d = j->dy[((b * s->out_h + y) * s->out_w + x) * s->out_c + o];
                    for (int64_t ky = 0, tap = 0; ky < s->o->filter_h; ky++)
                        for (int64_t kx = 0; kx < s->o->filter_w; kx++, tap++) {
                            int64_t at;
                            if (!seen(s, y, x, ky, kx, &at)) continue;
                            const float *in = j->x + b * s->in_h * s->in_w * s->in_c + at + c0;
                            for (int64_t c = 0; c < s->group_in; c++) dw[tap * s->group_in + c] += d * in[c];
                        }
                }
    }
}

static lc_status run_filter(lc_kernel_ctx *ctx) {
    filter_job j = filter_of(ctx);
    j.x = ctx->in[0]->data, j.dy = ctx->in[1]->data, j.dw = ctx->out[0]->data;
    if (!j.simd) {
        lc_pool_run(ctx->pool, j.s.out_c, 1, filter_rows, &j);
        return LC_OK;
    }
    j.turned = ctx->scratch;
    j.scratch = (unsigned char *)(j.turned + j.chunks * j.s.out_c * CHUNK);
    lc_pool_run(ctx->pool, j.chunks, 1, turn, &j);
    lc_pool_run(ctx->pool, j.panels * j.blocks, 1, panels, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_CONV_FILTER_GRAD, lc_own_kernel_CONV_INPUT_GRAD;
const lc_kernel lc_own_kernel_CONV_FILTER_GRAD = {.prepare = prepare_filter, .run = run_filter};
const lc_kernel lc_own_kernel_CONV_INPUT_GRAD = {.prepare = prepare_input, .run = run_input};
