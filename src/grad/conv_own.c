/*
 * conv_own.c: CONV_INPUT_GRAD(dy, W), and CONV(x, W, b): a convolution or dense layer whose filter lies as Keras has it (conv_own.h).
 *
 * The input's gradient is a convolution of dy with the filter turned by 180 degrees; strides are zeros between dy's pixels. Both are done by the
 * engine of gemm_fast.h, which takes filters as they lie.
 */
#include "grad/conv_own.h"

#include "base/checked.h"
#include "grad/grad.h"
#include "kernels/gemm_fast.h"
#include "kernels/ref.h"
#include "kernels/simd.h"
#include <math.h>
#include <string.h>

lc_status lc_own_infer_CONV(lc_infer_ctx *ctx);
lc_status lc_own_infer_CONV_INPUT_GRAD(lc_infer_ctx *ctx);

bool lc_conv_measure(const lc_window_options *o, const lc_shape *x, const lc_shape *w, lc_conv_sizes *s) {
    int32_t h, wide;
    *s = (lc_conv_sizes){.o = o, .taps = (int64_t)o->filter_h * o->filter_w};
    if (x->rank != 4 || w->rank < 2 || w->rank > 4 || (w->rank < 4 && !o->keras)) return false;
    s->batch = x->dims[0], s->in_h = x->dims[1], s->in_w = x->dims[2], s->in_c = x->dims[3];
    lc_op_window(x->dims[1], o->filter_h, o->stride_h, o->dilation_h, o->padding, &h, &s->pad_h);
    lc_op_window(x->dims[2], o->filter_w, o->stride_w, o->dilation_w, o->padding, &wide, &s->pad_w);
    s->out_h = h, s->out_w = wide;
    s->group_in = w->dims[w->rank - (o->keras ? 2 : 1)];
    s->out_c = w->dims[o->keras ? w->rank - 1 : 0];
    int64_t taps = 1;
    for (int32_t i = !o->keras; i < w->rank - 1 - o->keras; i++) taps *= w->dims[i];
    if (taps != s->taps || s->group_in == 0 || s->in_c % s->group_in != 0 || s->out_c % (s->in_c / s->group_in) != 0) return false;
    s->group_out = s->out_c / (s->in_c / s->group_in);
    s->out_step = o->keras ? 1 : s->taps * s->group_in;
    s->tap_step = o->keras ? s->group_in * s->out_c : s->group_in;
    s->in_step = o->keras ? s->out_c : 1;
    return true;
}

lc_shape lc_conv_declared(const lc_infer_ctx *ctx) {
    const lc_window_options *o = LC_OWN_OPTIONS(ctx->node, lc_window_options);
    lc_shape s = {.rank = o->rank};
    for (int32_t i = 0; i < o->rank; i++) s.dims[i] = o->dims[i];
    return s;
}

lc_status lc_conv_infer(lc_infer_ctx *ctx, const lc_shape *x, const lc_shape *w, const lc_shape *dy) {
    lc_conv_sizes s;
    LC_TRY(lc_own_floats(ctx, 0, 2));
    if (!lc_conv_measure(LC_OWN_OPTIONS(ctx->node, lc_window_options), x, w, &s) || dy->rank != 4 || dy->dims[0] != s.batch ||
        dy->dims[1] != s.out_h || dy->dims[2] != s.out_w || dy->dims[3] != s.out_c)
        return LC_OP_FAIL(ctx, "its inputs do not fit each other");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape = lc_conv_declared(ctx);
    return LC_OK;
}

lc_status lc_own_infer_CONV_INPUT_GRAD(lc_infer_ctx *ctx) {
    const lc_shape x = lc_conv_declared(ctx);
    return lc_conv_infer(ctx, &x, &ctx->in[1].shape, &ctx->in[0].shape);
}

/* The problem of a size of 0, or that the engine does not take, is done by plain loops. */
static lc_status prepare_engine(lc_kernel_ctx *ctx, const lc_gemm_problem *p) {
    const lc_status status = lc_gemm_prepare(ctx, p);
    if (status != LC_UNSUPPORTED) return status;
    ctx->state = NULL;
    ctx->scratch_size = 0;
    ctx->label = NULL;
    return LC_OK;
}

/* ---- input ---------------------------------------------------------------------------------------------------------- */

typedef struct conv_job {
    lc_conv_sizes s;
    const float *in, *w, *bias; /* in: dy, or x */
    float *out, low, high;
} conv_job;

static void input_of_images(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const conv_job *j = arg;
    const lc_conv_sizes *s = &j->s;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        float *dx = j->out + b * s->in_h * s->in_w * s->in_c;
        memset(dx, 0, (size_t)(s->in_h * s->in_w * s->in_c) * sizeof *dx);
        for (int64_t p = 0; p < s->out_h * s->out_w; p++) {
            const float *dy = j->in + (b * s->out_h * s->out_w + p) * s->out_c;
            for (int64_t tap = 0; tap < s->taps; tap++) {
                int64_t at;
                if (!lc_conv_seen(s, p / s->out_w, p % s->out_w, tap / s->o->filter_w, tap % s->o->filter_w, &at)) continue;
                for (int64_t o = 0; o < s->out_c; o++) {
                    const float *w = j->w + o * s->out_step + tap * s->tap_step;
                    float *to = dx + at + o / s->group_out * s->group_in;
                    for (int64_t c = 0; c < s->group_in; c++) to[c] += dy[o] * w[c * s->in_step];
                }
            }
        }
    }
}

/* Strides: dy with zeros between its pixels, [h][w] of them; room 0: dy as it is. `at`: where it lies in scratch. */
typedef struct spread_sizes {
    int64_t h, w;
    size_t room, at;
} spread_sizes;

/* engine: bytes of scratch before. */
static bool spread_of(const lc_conv_sizes *s, size_t engine, spread_sizes *t, size_t *all) {
    const lc_window_options *o = s->o;
    size_t bytes;
    *t = (spread_sizes){.h = (s->out_h - 1) * o->stride_h + 1, .w = (s->out_w - 1) * o->stride_w + 1, .at = (engine + 63) & ~(size_t)63};
    if ((o->stride_h > 1 || o->stride_w > 1) && !lc_mul_size((size_t)(s->batch * t->h), (size_t)(t->w * s->out_c), &t->room)) return false;
    return lc_mul_size(t->room, sizeof(float), &bytes) && lc_add_size(t->at, bytes, all);
}

static lc_conv_sizes input_sizes(const lc_kernel_ctx *ctx) {
    lc_conv_sizes s;
    lc_conv_measure(LC_OWN_OPTIONS(ctx->node, lc_window_options), &ctx->out[0]->shape, &ctx->in[1]->shape, &s);
    return s;
}

static lc_status prepare_input(lc_kernel_ctx *ctx) {
    const lc_conv_sizes s = input_sizes(ctx);
    const lc_window_options *o = s.o;
    const int32_t pad_h = (o->filter_h - 1) * o->dilation_h - s.pad_h, pad_w = (o->filter_w - 1) * o->dilation_w - s.pad_w;
    if (!ctx->simd || pad_h < 0 || pad_w < 0) return LC_OK;
    spread_sizes t;
    size_t all;
    if (!spread_of(&s, 0, &t, &all) || t.h > INT32_MAX || t.w > INT32_MAX) return LC_OK;
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
                               .groups = (int32_t)(s.in_c / s.group_in),
                               .out_step = (size_t)s.in_step,
                               .tap_step = -(ptrdiff_t)s.tap_step, /* from the last tap */
                               .in_step = (size_t)s.out_step,
                               .group_step = (size_t)(s.group_out * s.out_step),
                               .low = -INFINITY,
                               .high = INFINITY};
    LC_TRY(prepare_engine(ctx, &p));
    if (!ctx->state) return LC_OK;
    return spread_of(&s, ctx->scratch_size, &t, &ctx->scratch_size)
               ? LC_OK
               : lc_fail(ctx->err, LC_LIMIT, "the gradient of a convolution needs too much memory");
}

typedef struct spread_job {
    const lc_conv_sizes *s;
    const spread_sizes *t;
    const float *dy;
    float *to;
} spread_job;

static void spread(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const spread_job *j = arg;
    const lc_conv_sizes *s = j->s;
    const spread_sizes *t = j->t;
    const float *dy = j->dy + begin * s->out_h * s->out_w * s->out_c;
    (void)thread;
    memset(j->to + begin * t->h * t->w * s->out_c, 0, (size_t)((end - begin) * t->h * t->w * s->out_c) * sizeof *j->to);
    for (int64_t b = begin; b < end; b++)
        for (int64_t y = 0; y < s->out_h; y++)
            for (int64_t x = 0; x < s->out_w; x++, dy += s->out_c)
                memcpy(j->to + ((b * t->h + y * s->o->stride_h) * t->w + x * s->o->stride_w) * s->out_c, dy, (size_t)s->out_c * sizeof *dy);
}

static lc_status run_input(lc_kernel_ctx *ctx) {
    conv_job j = {.s = input_sizes(ctx), .in = ctx->in[0]->data, .w = ctx->in[1]->data, .out = ctx->out[0]->data};
    if (!ctx->state) {
        lc_pool_run(ctx->pool, j.s.batch, 1, input_of_images, &j);
        return LC_OK;
    }
    spread_sizes t;
    size_t all = 0;
    spread_of(&j.s, 0, &t, &all);
    lc_gemm_use(ctx, j.w + (j.s.taps - 1) * j.s.tap_step, NULL);
    if (t.room) { /* the engine's scratch, rounded up as spread_of does, lies before */
        spread_job sp = {&j.s, &t, j.in, (float *)(void *)((char *)ctx->scratch + (ctx->scratch_size - all))};
        lc_pool_run(ctx->pool, j.s.batch, 1, spread, &sp);
        j.in = sp.to;
    }
    lc_gemm_product(ctx, j.in, j.out);
    return LC_OK;
}

/* ---- forward -------------------------------------------------------------------------------------------------------- */

static lc_shape images_of(const lc_conv_options *o) {
    lc_shape x = {.rank = 4};
    for (int32_t i = 0; i < 4; i++) x.dims[i] = o->images[i];
    return x;
}

lc_status lc_own_infer_CONV(lc_infer_ctx *ctx) {
    const lc_conv_options *o = LC_OWN_OPTIONS(ctx->node, lc_conv_options);
    const lc_shape x = images_of(o), *in = &ctx->in[0].shape;
    lc_conv_sizes s;
    int64_t elements = 1, made = 1, wanted = 1;
    LC_TRY(lc_own_floats(ctx, 0, 3));
    for (int32_t i = 0; i < in->rank; i++) elements *= in->dims[i];
    for (int32_t i = 0; i < 4; i++) wanted *= x.dims[i];
    for (int32_t i = 0; i < o->window.rank; i++) made *= o->window.dims[i];
    const lc_infer_tensor *b = &ctx->in[2];
    if (!lc_conv_measure(&o->window, &x, &ctx->in[1].shape, &s) || elements != wanted || made != s.batch * s.out_h * s.out_w * s.out_c ||
        (b->present && (b->shape.rank != 1 || b->shape.dims[0] != s.out_c)))
        return LC_OP_FAIL(ctx, "its inputs do not fit each other");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape = (lc_shape){.rank = o->window.rank};
    for (int32_t i = 0; i < o->window.rank; i++) ctx->out[0].shape.dims[i] = o->window.dims[i];
    return LC_OK;
}

static conv_job forward_job(const lc_kernel_ctx *ctx) {
    const lc_conv_options *o = LC_OWN_OPTIONS(ctx->node, lc_conv_options);
    const lc_value *bias = ctx->in[2];
    const lc_shape x = images_of(o);
    conv_job j = {.in = ctx->in[0]->data, .w = ctx->in[1]->data, .bias = bias ? bias->data : NULL, .out = ctx->out[0]->data};
    lc_conv_measure(&o->window, &x, &ctx->in[1]->shape, &j.s);
    lc_activation_range(o->act, &j.low, &j.high);
    return j;
}

static lc_status prepare_forward(lc_kernel_ctx *ctx) {
    const conv_job j = forward_job(ctx);
    const lc_conv_sizes *s = &j.s;
    if (!ctx->simd) return LC_OK;
    const lc_gemm_problem p = {.batch = (int32_t)s->batch,
                               .in_h = (int32_t)s->in_h,
                               .in_w = (int32_t)s->in_w,
                               .in_c = (int32_t)s->in_c,
                               .out_h = (int32_t)s->out_h,
                               .out_w = (int32_t)s->out_w,
                               .out_c = (int32_t)s->out_c,
                               .kernel_h = s->o->filter_h,
                               .kernel_w = s->o->filter_w,
                               .stride_h = s->o->stride_h,
                               .stride_w = s->o->stride_w,
                               .dilation_h = s->o->dilation_h,
                               .dilation_w = s->o->dilation_w,
                               .pad_h = s->pad_h,
                               .pad_w = s->pad_w,
                               .groups = (int32_t)(s->in_c / s->group_in),
                               .out_step = (size_t)s->out_step,
                               .tap_step = (ptrdiff_t)s->tap_step,
                               .in_step = (size_t)s->in_step,
                               .low = j.low,
                               .high = j.high};
    return prepare_engine(ctx, &p);
}

/* An image is one thread's work. */
static void forward_of_images(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const conv_job *j = arg;
    const lc_conv_sizes *s = &j->s;
    (void)thread;
    for (int64_t i = begin * s->out_h * s->out_w; i < end * s->out_h * s->out_w; i++) {
        const int64_t x = i % s->out_w, y = i / s->out_w % s->out_h, b = i / s->out_w / s->out_h;
        for (int64_t o = 0; o < s->out_c; o++) {
            const float *in = j->in + b * s->in_h * s->in_w * s->in_c + o / s->group_out * s->group_in, *w = j->w + o * s->out_step;
            float sum = j->bias ? j->bias[o] : 0;
            for (int64_t tap = 0; tap < s->taps; tap++) {
                int64_t at;
                if (!lc_conv_seen(s, y, x, tap / s->o->filter_w, tap % s->o->filter_w, &at)) continue;
                for (int64_t c = 0; c < s->group_in; c++) sum += in[at + c] * w[tap * s->tap_step + c * s->in_step];
            }
            j->out[i * s->out_c + o] = sum < j->low ? j->low : sum > j->high ? j->high : sum;
        }
    }
}

static lc_status run_forward(lc_kernel_ctx *ctx) {
    conv_job j = forward_job(ctx);
    if (ctx->state) {
        lc_gemm_use(ctx, j.w, j.bias);
        lc_gemm_product(ctx, j.in, j.out);
    } else {
        lc_pool_run(ctx->pool, j.s.batch, 1, forward_of_images, &j);
    }
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_CONV, lc_own_kernel_CONV_INPUT_GRAD;
const lc_kernel lc_own_kernel_CONV = {.prepare = prepare_forward, .run = run_forward};
const lc_kernel lc_own_kernel_CONV_INPUT_GRAD = {.prepare = prepare_input, .run = run_input};
