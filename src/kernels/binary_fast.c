/*
 * binary_fast.c: ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE in float32 with any broadcasting.
 *
 * Neighbouring dimensions that broadcast alike are merged, so that same shapes become one run, a bias over channels becomes
 * [pixels][channels] and a scalar one run against one float. The innermost merged dimension is a run for the micro-kernel
 * (vector with vector, or with one float); the outer ones are counted through.
 *
 * Runs too short for vectors (a bias over 3 channels) are made longer: the small operand is repeated in scratch up to
 * PATTERN floats, and whole patterns are taken at a time.
 */
#include "kernels/fast.h"
#include <string.h>

enum { PATTERN = 1024, SHORT = 128, GRAIN = 16 << 10 };

typedef struct plan {
    lc_simd_binary op;
    lc_simd_form form;
    int32_t rank;                                                       /* outer dimensions */
    size_t dims[LC_MAX_RANK], step_a[LC_MAX_RANK], step_b[LC_MAX_RANK]; /* in floats; 0 where broadcast */
    size_t runs, run;                                                   /* product of dims; floats of a run */
    size_t piece, pieces;                                               /* a run is cut into pieces for threads */
    size_t pattern, small; /* floats of the repeated operand, and of it before repeating; 0: none */
    bool pattern_is_a;
    float low, high;
} plan;

/* Merged dimensions, innermost last: which operand moves along each. */
typedef struct merged {
    size_t size;
    bool a, b;
} merged;

static int32_t merge(const lc_shape *out, const lc_shape *a, const lc_shape *b, merged *m) {
    int32_t n = 0;
    for (int32_t i = 0; i < out->rank; i++) {
        const int32_t ia = i - (out->rank - a->rank), ib = i - (out->rank - b->rank);
        const size_t size = (size_t)out->dims[i];
        if (size == 1) continue;
        const merged d = {size, ia >= 0 && a->dims[ia] != 1, ib >= 0 && b->dims[ib] != 1};
        if (n && m[n - 1].a == d.a && m[n - 1].b == d.b) m[n - 1].size *= size;
        else m[n++] = d;
    }
    if (n == 0) m[n++] = (merged){1, true, true};
    return n;
}

static lc_status prepare(lc_kernel_ctx *ctx, lc_simd_binary op) {
    const lc_value *a = ctx->in[0], *b = ctx->in[1], *out = ctx->out[0];
    const int8_t *activation = lc_op_fused_act(ctx->node);
    float low, high;
    if (!lc_fast_is_float(a) || !lc_fast_is_float(b) || !lc_fast_is_float(out)) return LC_UNSUPPORTED;
    if (!lc_activation_range(activation ? *activation : LC_ActivationFunctionType_NONE, &low, &high)) return LC_UNSUPPORTED;
    if (lc_fast_elements(&out->shape) == 0) return LC_UNSUPPORTED;
    plan *p = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    merged m[LC_MAX_RANK];
    int32_t n = merge(&out->shape, &a->shape, &b->shape, m);
    p->op = op, p->low = low, p->high = high;

    const merged inner = m[n - 1];
    p->run = inner.size;
    p->form = inner.a && inner.b ? LC_SIMD_VV : inner.a ? LC_SIMD_VS : LC_SIMD_SV;
    /* [..., many][few] where one operand has [many][few] and the other [few] */
    if (n > 1 && p->form == LC_SIMD_VV && inner.size < SHORT && m[n - 2].a != m[n - 2].b) {
        const size_t whole = m[n - 2].size * inner.size;
        p->pattern_is_a = !m[n - 2].a;
        p->small = inner.size;
        p->pattern = p->small * (PATTERN / p->small);
        if (p->pattern > whole) p->pattern = whole;
        p->run = whole;
        n--;
    }
    p->rank = n - 1;
    size_t step_a = inner.a ? inner.size : 1, step_b = inner.b ? inner.size : 1;
    if (p->pattern) *(p->pattern_is_a ? &step_b : &step_a) = p->run;
    p->runs = 1;
    for (int32_t i = n - 2; i >= 0; i--) {
        p->dims[i] = m[i].size;
        p->step_a[i] = m[i].a ? step_a : 0;
        p->step_b[i] = m[i].b ? step_b : 0;
        if (m[i].a) step_a *= m[i].size;
        if (m[i].b) step_b *= m[i].size;
        p->runs *= m[i].size;
    }
    p->piece = p->pattern ? p->pattern * (GRAIN / p->pattern) : GRAIN;
    p->pieces = (p->run + p->piece - 1) / p->piece;
    if (p->pattern) ctx->scratch_size = p->pattern * sizeof(float) * (size_t)lc_pool_threads(ctx->pool);
    ctx->label = "elementwise";
    return LC_OK;
}

typedef struct job {
    const plan *p;
    const lc_simd *simd;
    const float *a, *b;
    float *out, *scratch;
} job;

static void repeat(float *pattern, const float *from, size_t n, size_t total) {
    for (size_t at = 0; at < total; at += n) memcpy(pattern + at, from, n * sizeof *pattern);
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const plan *p = j->p;
    const lc_simd *simd = j->simd;
    float *pattern = j->scratch ? j->scratch + (size_t)thread * p->pattern : NULL;
    const float *repeated = NULL;
    for (int64_t i = begin; i < end; i++) {
        const size_t run = (size_t)i / p->pieces, from = (size_t)i % p->pieces * p->piece;
        const size_t n = p->run - from < p->piece ? p->run - from : p->piece;
        const float *a = j->a, *b = j->b;
        size_t rest = run;
        for (int32_t d = p->rank - 1; d >= 0; d--) {
            const size_t at = rest % p->dims[d];
            rest /= p->dims[d];
            a += at * p->step_a[d];
            b += at * p->step_b[d];
        }
        float *out = j->out + run * p->run + from;
        if (!p->pattern) {
            simd->binary(p->op, p->form, out, p->form == LC_SIMD_SV ? a : a + from, p->form == LC_SIMD_VS ? b : b + from, n, p->low,
                         p->high);
            continue;
        }
        const float *small = p->pattern_is_a ? a : b, *large = (p->pattern_is_a ? b : a) + from;
        if (small != repeated) repeat(pattern, small, p->small, p->pattern);
        repeated = small;
        for (size_t at = 0; at < n; at += p->pattern) {
            const size_t left = n - at < p->pattern ? n - at : p->pattern;
            simd->binary(p->op, LC_SIMD_VV, out + at, p->pattern_is_a ? pattern : large + at, p->pattern_is_a ? large + at : pattern, left,
                         p->low, p->high);
        }
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const plan *p = ctx->state;
    job j = {p, ctx->simd, ctx->in[0]->data, ctx->in[1]->data, ctx->out[0]->data, p->pattern ? ctx->scratch : NULL};
    const int64_t items = (int64_t)(p->runs * p->pieces);
    const int64_t grain = (int64_t)(GRAIN / (p->run < GRAIN ? p->run : GRAIN));
    lc_pool_run(ctx->pool, items, grain, work, &j);
    return LC_OK;
}

#define BINARY_FAST(ID) \
    static lc_status prepare_##ID(lc_kernel_ctx *ctx) { return prepare(ctx, LC_SIMD_BINARY_##ID); } \
    const lc_kernel lc_fast_##ID = {.prepare = prepare_##ID, .run = run};
BINARY_FAST(ADD)
BINARY_FAST(SUB)
BINARY_FAST(MUL)
BINARY_FAST(DIV)
BINARY_FAST(MAXIMUM)
BINARY_FAST(MINIMUM)
BINARY_FAST(SQUARED_DIFFERENCE)
