/*
 * bench_kernels.c: GFLOP/s of the SIMD kernels, one thread, for each instruction set of this machine, on the layer shapes of
 * ResNet50, MobileNetV2, an MLP and a small CNN; beside each the share of the peak, which is measured first: fused
 * multiply-adds on registers alone. Time is CPU time of the thread, the best of many runs: a busy machine disturbs it little.
 *
 *   bench_kernels [ISA ...]     default: all this machine has
 *
 * A filter tap that falls on padding counts as work though it may be left out: small images can pass the peak.
 */
#include "kernels/kernel.h"
#include "kernels/simd.h"

#include "base/alloc.h"
#include "base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define MAX_ISAS 4

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- peak ------------------------------------------------------------------------------------------------------- */

/* 12 independent chains hide the latency; the empty asm keeps each sum in a register and the loop from being removed. */
#define CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define PEAK(name, target_, type, vl, set, fma, constraint) \
    target_ static double peak_##name(void) { \
        type CHAINS(PEAK_NAME) last; \
        const long steps = 300000; \
        double best = 0; \
        const type x = set(1.0001f), y = set(0.9999f); \
        CHAINS(PEAK_INIT) \
        for (int repeat = 0; repeat < 20; repeat++) { \
            const double start = now(); \
            for (long s = 0; s < steps; s++) { CHAINS(PEAK_STEP_##fma##_##constraint) } \
            const double rate = (double)steps * 12 * 2 * vl / (now() - start) * 1e-9; \
            if (rate > best) best = rate; \
        } \
        last = a0; \
        __asm__ volatile("" : : #constraint(last)); \
        return best; \
    }
#define PEAK_NAME(i) a##i,
#define PEAK_INIT(i) a##i = y;
#define PEAK_STEP_zmm_v(i) \
    a##i = _mm512_fmadd_ps(a##i, x, y); \
    __asm__ volatile("" : "+v"(a##i));
#define PEAK_STEP_ymm_x(i) \
    a##i = _mm256_fmadd_ps(a##i, x, y); \
    __asm__ volatile("" : "+x"(a##i));
#define PEAK_STEP_plain_x(i) \
    a##i = a##i * x + y; \
    __asm__ volatile("" : "+x"(a##i));
#define PEAK_STEP_neon_w(i) \
    a##i = vfmaq_f32(y, a##i, x); \
    __asm__ volatile("" : "+w"(a##i));
#define PEAK_STEP_plain_w(i) \
    a##i = a##i * x + y; \
    __asm__ volatile("" : "+w"(a##i));
typedef float v4 __attribute__((vector_size(16)));
#define V4_SET(v) ((v4){(v), (v), (v), (v)})
#if defined(__x86_64__)
PEAK(avx512, __attribute__((target("avx512f"))), __m512, 16, _mm512_set1_ps, zmm, v)
PEAK(avx2, __attribute__((target("avx2,fma"))), __m256, 8, _mm256_set1_ps, ymm, x)
PEAK(portable, , v4, 4, V4_SET, plain, x)
#elif defined(__aarch64__)
#include <arm_neon.h>
PEAK(neon, , float32x4_t, 4, vdupq_n_f32, neon, w)
PEAK(portable, , v4, 4, V4_SET, plain, w)
#endif

static double peak(const char *isa) {
#if defined(__x86_64__)
    if (!strcmp(isa, "avx512")) return peak_avx512();
    if (!strcmp(isa, "avx2")) return peak_avx2();
    return peak_portable();
#elif defined(__aarch64__)
    return !strcmp(isa, "neon") ? peak_neon() : peak_portable();
#else
    return (void)isa, 0.0;
#endif
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/* n pixels or batch, h, w, input channels, filter, stride, output channels (SAME padding) */
typedef struct layer {
    const char *what;
    int32_t op, n, h, w, c, k, s, out;
} layer;
#define DENSE(n, c, out) \
    { "dense", LC_OP_FULLY_CONNECTED, n, 1, 1, c, 1, 1, out }
#define CONV(h, c, k, s, out) \
    { "conv", LC_OP_CONV_2D, 1, h, h, c, k, s, out }
#define DEPTHWISE(h, c, k, s) \
    { "depthwise", LC_OP_DEPTHWISE_CONV_2D, 1, h, h, c, k, s, c }
static const layer layers[] = {
    /* MLP, and products of several sizes */
    DENSE(1, 784, 128),
    DENSE(1, 2048, 1000),
    DENSE(16, 784, 128),
    DENSE(64, 512, 512),
    DENSE(256, 1024, 1024),
    /* small CNN */
    CONV(28, 1, 3, 1, 32),
    CONV(13, 32, 3, 1, 64),
    /* ResNet50 at 224 */
    CONV(224, 3, 7, 2, 64),
    CONV(56, 64, 1, 1, 64),
    CONV(56, 64, 3, 1, 64),
    CONV(56, 64, 1, 1, 256),
    CONV(28, 128, 3, 1, 128),
    CONV(28, 512, 1, 1, 128),
    CONV(14, 256, 3, 1, 256),
    CONV(14, 1024, 1, 1, 256),
    CONV(7, 512, 3, 1, 512),
    CONV(7, 2048, 1, 1, 512),
    /* the same layers at 32 */
    CONV(8, 64, 3, 1, 64),
    CONV(2, 256, 3, 1, 256),
    CONV(1, 512, 3, 1, 512),
    /* MobileNetV2 */
    CONV(224, 3, 3, 2, 32),
    CONV(112, 32, 1, 1, 16),
    CONV(112, 16, 1, 1, 96),
    CONV(56, 96, 1, 1, 24),
    CONV(56, 24, 1, 1, 144),
    CONV(28, 192, 1, 1, 32),
    CONV(14, 384, 1, 1, 64),
    CONV(14, 576, 1, 1, 96),
    CONV(7, 960, 1, 1, 160),
    CONV(7, 320, 1, 1, 1280),
    DEPTHWISE(112, 32, 3, 1),
    DEPTHWISE(112, 96, 3, 2),
    DEPTHWISE(56, 144, 3, 1),
    DEPTHWISE(28, 192, 3, 1),
    DEPTHWISE(14, 576, 3, 1),
    DEPTHWISE(7, 960, 3, 1),
    DEPTHWISE(28, 120, 5, 1),
    DEPTHWISE(14, 672, 5, 2),
};

static lc_packed packed;
static lc_status pack(lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                      const lc_packed **out) {
    (void)slot;
    packed = (lc_packed){lc_malloc_aligned(size), size};
    if (!packed.data) return LC_NO_MEMORY;
    fill(ctx, packed.data);
    *out = &packed;
    return LC_OK;
}

static lc_value value(int32_t rank, const int32_t *dims, lc_tensor *def) {
    lc_value v = {.type = LC_FLOAT32, .def = def, .constant = true, .size = 4};
    v.shape.rank = rank;
    for (int32_t i = 0; i < rank; i++) v.size *= (size_t)(v.shape.dims[i] = dims[i]);
    v.data = lc_malloc_aligned(v.size);
    if (v.data)
        for (size_t i = 0; i < v.size / 4; i++) ((float *)v.data)[i] = (float)(i * 7919 % 1013) / 1013.0f - 0.5f;
    def->data = v.data;
    return v;
}

/* GFLOP/s; 0 when the kernel refuses or memory is out. */
static double measure(const layer *l, const lc_simd *simd) {
    const lc_Conv2DOptions conv = {.stride_h = l->s, .stride_w = l->s, .dilation_h_factor = 1, .dilation_w_factor = 1};
    const lc_DepthwiseConv2DOptions dw = {.stride_h = l->s, .stride_w = l->s, .dilation_h_factor = 1, .dilation_w_factor = 1};
    const lc_FullyConnectedOptions dense = {0};
    const bool is_dense = l->op == LC_OP_FULLY_CONNECTED, is_dw = l->op == LC_OP_DEPTHWISE_CONV_2D;
    const int32_t oh = (l->h + l->s - 1) / l->s, ow = (l->w + l->s - 1) / l->s;
    const void *options = is_dense ? (const void *)&dense : is_dw ? (const void *)&dw : (const void *)&conv;
    const lc_node node = {.op = l->op,
                          .attrs = (void *)(uintptr_t)options,
                          .attrs_table = is_dense ? LC_TABLE_FullyConnectedOptions
                                         : is_dw  ? LC_TABLE_DepthwiseConv2DOptions
                                                  : LC_TABLE_Conv2DOptions};
    lc_tensor defs[4] = {0};
    lc_value in, filter, bias, out;
    if (is_dense) {
        in = value(2, (int32_t[]){l->n, l->c}, &defs[0]);
        filter = value(2, (int32_t[]){l->out, l->c}, &defs[1]);
        out = value(2, (int32_t[]){l->n, l->out}, &defs[3]);
    } else {
        in = value(4, (int32_t[]){l->n, l->h, l->w, l->c}, &defs[0]);
        filter = value(4, (int32_t[]){is_dw ? 1 : l->out, l->k, l->k, l->c}, &defs[1]);
        out = value(4, (int32_t[]){l->n, oh, ow, l->out}, &defs[3]);
    }
    bias = value(1, &l->out, &defs[2]);
    lc_value *ins[] = {&in, &filter, &bias}, *outs[] = {&out};
    lc_arena arena = {0};
    lc_kernel_ctx ctx = {.node = &node, .in = ins, .in_count = 3, .out = outs, .out_count = 1, .simd = simd, .arena = &arena, .pack = pack};
    const lc_kernel *kernel = lc_kernel_fast(l->op);
    double best = 0;
    if (in.data && filter.data && bias.data && out.data && kernel->prepare(&ctx) == LC_OK) {
        const double flops = 2.0 * l->n * oh * ow * l->out * l->k * l->k * (is_dw ? 1 : l->c);
        const int inner = flops < 2e7 ? (int)(2e7 / flops) + 1 : 1; /* a sample long enough for the clock */
        ctx.scratch = lc_malloc_aligned(ctx.scratch_size);
        const double start = now();
        for (int run = 0; run < 5 || now() - start < 0.1; run++) {
            const double t = now();
            for (int i = 0; i < inner; i++) kernel->run(&ctx);
            const double rate = flops * inner / (now() - t) * 1e-9;
            if (rate > best) best = rate;
        }
        lc_free_aligned(ctx.scratch);
    }
    lc_free_aligned(packed.data);
    packed = (lc_packed){0};
    lc_free_aligned(in.data);
    lc_free_aligned(filter.data);
    lc_free_aligned(bias.data);
    lc_free_aligned(out.data);
    lc_arena_deinit(&arena);
    return best;
}

int main(int argc, char **argv) {
    static const char *const all[] = {"avx512", "avx2", "neon", "portable"};
    const lc_simd *simd[MAX_ISAS];
    double peaks[MAX_ISAS];
    size_t n = 0;
    const size_t asked = argc > 1 ? (size_t)argc - 1 : COUNT(all);
    for (size_t i = 0; i < asked && n < MAX_ISAS; i++)
        if (lc_simd_get(argc > 1 ? argv[i + 1] : all[i], &simd[n], NULL) == LC_OK && simd[n]) n++;
    printf("%-34s", "GFLOP/s (share of peak)");
    for (size_t i = 0; i < n; i++) printf("%16s", simd[i]->name);
    printf("\n%-34s", "peak");
    for (size_t i = 0; i < n; i++) {
        peaks[i] = peak(simd[i]->name);
        printf("%16.1f", peaks[i]);
    }
    printf("\n");
    for (size_t l = 0; l < COUNT(layers); l++) {
        const layer *y = &layers[l];
        char what[64];
        if (y->op == LC_OP_FULLY_CONNECTED) snprintf(what, sizeof what, "dense [%d,%d] x %d", y->n, y->c, y->out);
        else snprintf(what, sizeof what, "%s %dx%dx%d %dx%d/%d -> %d", y->what, y->h, y->w, y->c, y->k, y->k, y->s, y->out);
        printf("%-34s", what);
        for (size_t i = 0; i < n; i++) {
            const double rate = measure(y, simd[i]);
            printf("%10.1f %4.0f%%", rate, peaks[i] > 0 ? 100 * rate / peaks[i] : 0.0);
            fflush(stdout);
        }
        printf("\n");
    }
    return 0;
}
