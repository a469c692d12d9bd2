/*
 * reduce_fast.c: MEAN, SUM, REDUCE_MAX and REDUCE_MIN in float32 over constant axes that are neighbours, so that the input is
 * [outer][reduced][inner]: global pooling (H, W of NHWC), the last axis, everything. Other axes: the reference.
 */
#include "kernels/fast.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { PIECE = 16 << 10, CHANNELS = 64 }; /* input floats, and channels of one work item, about */

typedef struct plan {
    size_t outer, reduced, inner, slices, slice; /* inner is cut into slices for threads */
    float scale;
    lc_simd_binary extreme; /* MAXIMUM, MINIMUM; ADD for the sums */
} plan;

/* Which dimensions go; false when the axes are not known or not as infer has checked them. */
static bool read_axes(const lc_value *axes, int32_t rank, bool *gone) {
    if (!axes->constant || (axes->type != LC_INT32 && axes->type != LC_INT64)) return false;
    const size_t n = lc_fast_elements(&axes->shape), width = axes->type == LC_INT32 ? 4 : 8;
    if (axes->size < n * width) return false;
    for (size_t i = 0; i < n; i++) {
        int64_t axis;
        int32_t narrow;
        const char *at = (const char *)axes->data + i * width;
        if (width == 4) {
            memcpy(&narrow, at, 4);
            axis = narrow;
        } else {
            memcpy(&axis, at, 8);
        }
        if (axis < 0) axis += rank;
        if (axis < 0 || axis >= rank) return false;
        gone[axis] = true;
    }
    return true;
}

static lc_status prepare(lc_kernel_ctx *ctx, bool mean, lc_simd_binary extreme) {
    const lc_value *in = ctx->in[0];
    const lc_shape *shape = &in->shape;
    bool gone[LC_MAX_RANK] = {false};
    if (!lc_fast_is_float(in) || !lc_fast_is_float(ctx->out[0]) || lc_fast_elements(shape) == 0) return LC_UNSUPPORTED;
    if (!read_axes(ctx->in[1], shape->rank, gone)) return LC_UNSUPPORTED;
    size_t part[3] = {1, 1, 1}; /* outer, reduced, inner */
    int at = 0;
    for (int32_t i = 0; i < shape->rank; i++) {
        if (shape->dims[i] == 1) continue; /* belongs to any part */
        const int want = gone[i] ? 1 : at == 0 ? 0 : 2;
        if (want < at) return LC_UNSUPPORTED;
        at = want;
        part[at] *= (size_t)shape->dims[i];
    }
    plan *p = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    *p = (plan){.outer = part[0], .reduced = part[1], .inner = part[2], .scale = mean ? 1.0f / (float)part[1] : 1.0f, .extreme = extreme};
    p->slices = p->reduced * p->inner > PIECE ? (p->inner + CHANNELS - 1) / CHANNELS : 1;
    p->slice = p->slices > 1 ? CHANNELS : p->inner;
    ctx->label = "reduce";
    return LC_OK;
}

typedef struct job {
    const plan *p;
    const lc_simd *simd;
    const float *in;
    float *out;
} job;

/* `n` neighbouring outputs of the largest (smallest) of a column each. */
static void extremes(const job *j, float *out, const float *in, size_t n) {
    const plan *p = j->p;
    const bool largest = p->extreme == LC_SIMD_BINARY_MAXIMUM;
    if (p->inner == 1) {
        (largest ? j->simd->rowmax : j->simd->rowmin)(out, in, p->reduced);
        if (*out < -FLT_MAX && largest) *out = -FLT_MAX; /* where the reference starts from */
        if (*out > FLT_MAX && !largest) *out = FLT_MAX;
        return;
    }
    for (size_t i = 0; i < n; i++) out[i] = largest ? -FLT_MAX : FLT_MAX;
    for (size_t r = 0; r < p->reduced; r++, in += p->inner) j->simd->binary(p->extreme, LC_SIMD_VV, out, in, out, n, -INFINITY, INFINITY);
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const plan *p = j->p;
    (void)thread;
    for (size_t i = (size_t)begin; i < (size_t)end; i++) {
        const size_t o = i / p->slices, c = i % p->slices * p->slice, n = p->inner - c < p->slice ? p->inner - c : p->slice;
        const float *in = j->in + o * p->reduced * p->inner + c;
        float *out = j->out + o * p->inner + c;
        if (p->extreme != LC_SIMD_BINARY_ADD) extremes(j, out, in, n);
        else if (p->inner == 1) j->simd->rowsum(out, in, p->reduced, p->scale);
        else j->simd->colsum(out, in, p->reduced, p->inner, n, p->scale);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const plan *p = ctx->state;
    job j = {p, ctx->simd, ctx->in[0]->data, ctx->out[0]->data};
    lc_pool_run(ctx->pool, (int64_t)(p->outer * p->slices), (int64_t)(1 + PIECE / (p->reduced * p->slice)), work, &j);
    return LC_OK;
}

static lc_status prepare_mean(lc_kernel_ctx *ctx) { return prepare(ctx, true, LC_SIMD_BINARY_ADD); }
static lc_status prepare_sum(lc_kernel_ctx *ctx) { return prepare(ctx, false, LC_SIMD_BINARY_ADD); }
static lc_status prepare_max(lc_kernel_ctx *ctx) { return prepare(ctx, false, LC_SIMD_BINARY_MAXIMUM); }
static lc_status prepare_min(lc_kernel_ctx *ctx) { return prepare(ctx, false, LC_SIMD_BINARY_MINIMUM); }

const lc_kernel lc_fast_MEAN = {.prepare = prepare_mean, .run = run};
const lc_kernel lc_fast_SUM = {.prepare = prepare_sum, .run = run};
const lc_kernel lc_fast_REDUCE_MAX = {.prepare = prepare_max, .run = run};
const lc_kernel lc_fast_REDUCE_MIN = {.prepare = prepare_min, .run = run};
