/*
 * test_simd.c: every SIMD kernel of every instruction set this machine has, against the reference kernel, over shapes drawn at
 * random (fixed seed) from the awkward ones: sizes around the vector widths, strides, dilations, groups, paddings, batches.
 *
 * Inputs, outputs, scratch and packed weights are blocks of exactly the size asked for, so the sanitizer build sees every byte
 * read or written outside; outputs and scratch start as NaN, so whatever is not computed shows. Each case runs with 1 to 4
 * threads and the results must be the same bytes.
 */
#include "kernels/kernel.h"
#include "kernels/simd.h"

#include "base/alloc.h"
#include "base/error.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs the four headers above first */
#include <cmocka.h>

#include "support/fault.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define MAX_THREADS 4

static const char *const isa_names[] = {"avx512", "avx2", "neon", "portable"};
static const lc_simd *isas[COUNT(isa_names)];
static size_t isa_count;
static lc_pool *pools[MAX_THREADS + 1];

/* ---- random numbers ------------------------------------------------------------------------------------------ */

static uint64_t seed = 42;
static uint32_t next(void) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}
static int32_t between(int32_t low, int32_t high) { return low + (int32_t)(next() % (uint32_t)(high - low + 1)); }
static float uniform(void) { return (float)next() / (float)0x7fffffff * 2 - 1; }
static const int32_t channel_counts[] = {1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65, 100};
static int32_t channels(int32_t most) {
    int32_t c;
    do c = channel_counts[next() % COUNT(channel_counts)];
    while (c > most);
    return c;
}

/* ---- one node with its tensors -------------------------------------------------------------------------------- */

#define MAX_BLOCKS 8
#define MAX_INPUTS 4
typedef struct test_case {
    char what[200];
    double scale; /* see compare */
    lc_node node;
    lc_tensor defs[MAX_INPUTS];
    lc_value in[MAX_INPUTS], out;
    lc_value *ins[MAX_INPUTS], *outs[1];
    uint32_t in_count;
    void *blocks[MAX_BLOCKS];
    size_t block_count;
} test_case;

/* Exactly `size` bytes, aligned to 64, of NaN. */
static void *block(test_case *c, size_t size) {
    void *p = NULL;
    assert_int_equal(posix_memalign(&p, 64, size ? size : 1), 0);
    memset(p, 0xff, size);
    assert_true(c->block_count < MAX_BLOCKS);
    c->blocks[c->block_count++] = p;
    return p;
}

static test_case *case_new(int32_t op, const void *attrs, lc_table_id table) {
    test_case *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->node = (lc_node){.op = op, .attrs_table = table, .attrs = (void *)(uintptr_t)attrs};
    c->outs[0] = &c->out;
    c->scale = 1;
    return c;
}

static void case_free(test_case *c) {
    for (size_t i = 0; i < c->block_count; i++) free(c->blocks[i]);
    free(c);
}

static void add_input(test_case *c, lc_dtype type, int32_t rank, const int32_t *dims, bool constant, const void *data) {
    lc_value *v = &c->in[c->in_count];
    lc_tensor *def = &c->defs[c->in_count];
    *v = (lc_value){.type = type, .constant = constant, .def = def};
    v->shape.rank = rank;
    v->size = lc_dtype_bits(type) / 8;
    for (int32_t i = 0; i < rank; i++) v->size *= (size_t)(v->shape.dims[i] = dims[i]);
    v->data = block(c, v->size);
    if (data) memcpy(v->data, data, v->size);
    else
        for (size_t i = 0; i < v->size / 4; i++) ((float *)v->data)[i] = uniform();
    *def = (lc_tensor){.type = type,
                       .rank = rank,
                       .dims = v->shape.dims,
                       .has_rank = true,
                       .data = constant ? v->data : NULL,
                       .size = constant ? v->size : 0};
    c->ins[c->in_count++] = v;
}

static void infer(test_case *c) {
    lc_infer_tensor in[MAX_INPUTS], out = {0};
    lc_error err;
    for (uint32_t i = 0; i < c->in_count; i++)
        in[i] = (lc_infer_tensor){
            .present = true, .type = c->in[i].type, .shape = c->in[i].shape, .data = c->defs[i].data, .size = c->defs[i].size};
    lc_infer_ctx ctx = {.node = &c->node, .in = in, .in_count = c->in_count, .out = &out, .out_count = 1, .err = &err};
    lc_error_clear(&err);
    if (lc_op_infer(&ctx) != LC_OK) fail_msg("%s: %s", c->what, err.message);
    c->out = (lc_value){.type = out.type, .shape = out.shape, .def = &c->defs[0]};
    c->out.size = lc_dtype_bits(out.type) / 8;
    for (int32_t i = 0; i < out.shape.rank; i++) c->out.size *= (size_t)out.shape.dims[i];
}

static lc_packed packed_block;
static lc_status pack_exact(lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                            const lc_packed **packed) {
    assert_int_equal(slot, 0);
    assert_null(packed_block.data);
    assert_int_equal(posix_memalign(&packed_block.data, 64, size), 0);
    memset(packed_block.data, 0xff, size);
    packed_block.size = size;
    fill(ctx, packed_block.data);
    *packed = &packed_block;
    return LC_OK;
}

/* Runs the node with the kernels of `simd` (NULL: reference) into `out`. False: the fast kernel refused the case. */
static bool run(test_case *c, const lc_simd *simd, lc_pool *pool, void *out) {
    lc_arena arena = {0};
    lc_error err;
    lc_error_clear(&err);
    lc_kernel_ctx ctx = {.node = &c->node,
                         .in = c->ins,
                         .in_count = c->in_count,
                         .out = c->outs,
                         .out_count = 1,
                         .pool = pool,
                         .simd = simd,
                         .arena = &arena,
                         .pack = pack_exact,
                         .err = &err};
    const lc_kernel *kernel = lc_kernel_pick(&ctx, simd ? lc_kernel_fast(c->node.op) : lc_kernel_ref(c->node.op));
    assert_non_null(kernel);
    c->out.data = out;
    if (!simd) assert_int_equal(lc_kernel_choose(&ctx, &kernel), LC_OK);
    const lc_status status = kernel->prepare ? kernel->prepare(&ctx) : LC_OK;
    const bool ok = status == LC_OK;
    if (ok) {
        void *scratch = NULL;
        if (ctx.scratch_size) {
            assert_int_equal(posix_memalign(&scratch, 64, ctx.scratch_size), 0);
            memset(scratch, 0xff, ctx.scratch_size);
            ctx.scratch = scratch;
        }
        assert_int_equal(kernel->run(&ctx), LC_OK);
        free(scratch);
    } else if (!simd || status != LC_UNSUPPORTED) {
        fail_msg("%s: %s", c->what, err.message);
    }
    free(packed_block.data);
    packed_block = (lc_packed){0};
    lc_arena_deinit(&arena);
    return ok;
}

/* |got - want| <= 1e-5 (|want| + scale / 10). scale is what the result would be if nothing cancelled, about: a sum of k random
 * terms passes through sqrt(k) before it happens to come out near zero (or is clamped), and k rounding errors of that size. */
static double sum_scale(double k) { return sqrt(k) + 0.04 * k; }
static void compare(const test_case *c, const char *isa, const float *got, const float *want, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (got[i] == want[i] || (isnan(got[i]) && isnan(want[i]))) continue;
        if (!(fabs((double)got[i] - want[i]) <= 1e-5 * (fabs(want[i]) + 0.1 * c->scale)))
            fail_msg("%s on %s: element %zu of %zu is %.9g, the reference says %.9g", c->what, isa, i, n, got[i], want[i]);
    }
}

/* Against the reference on every instruction set and with 1 to 4 threads. Frees the case. */
static void check(test_case *c, bool must_be_fast) {
    infer(c);
    const size_t n = c->out.size / 4;
    float *want = block(c, c->out.size), *got = block(c, c->out.size), *one = block(c, c->out.size);
    run(c, NULL, NULL, want);
    for (size_t i = 0; i < isa_count; i++) {
        memset(one, 0xff, c->out.size);
        if (!run(c, isas[i], NULL, one)) {
            if (must_be_fast) fail_msg("%s on %s: refused", c->what, isas[i]->name);
            break;
        }
        compare(c, isas[i]->name, one, want, n);
        const int32_t threads = between(2, MAX_THREADS);
        memset(got, 0xff, c->out.size);
        assert_true(run(c, isas[i], pools[threads], got));
        if (memcmp(got, one, c->out.size) != 0) fail_msg("%s on %s: %d threads change the result", c->what, isas[i]->name, threads);
    }
    case_free(c);
}

static const int8_t clamps[] = {LC_ActivationFunctionType_NONE, LC_ActivationFunctionType_RELU, LC_ActivationFunctionType_RELU6,
                                LC_ActivationFunctionType_RELU_N1_TO_1};
static int8_t activation(void) { return clamps[next() % COUNT(clamps)]; }

/* ---- products ------------------------------------------------------------------------------------------------- */

static void fully_connected(int32_t batch, int32_t depth, int32_t units, bool bias, bool constant) {
    lc_FullyConnectedOptions o = {.fused_activation_function = activation()};
    test_case *c = case_new(LC_OP_FULLY_CONNECTED, &o, LC_TABLE_FullyConnectedOptions);
    snprintf(c->what, sizeof c->what, "dense [%d,%d] x %d, bias %d, activation %d", batch, depth, units, bias, o.fused_activation_function);
    add_input(c, LC_FLOAT32, 2, (int32_t[]){batch, depth}, false, NULL);
    add_input(c, LC_FLOAT32, 2, (int32_t[]){units, depth}, constant, NULL);
    if (bias) add_input(c, LC_FLOAT32, 1, &units, constant || next() % 2, NULL);
    c->scale = sum_scale(depth);
    check(c, true);
}

static void test_fully_connected(void **state) {
    (void)state;
    for (int i = 0; i < 120; i++)
        fully_connected(next() % 3 ? between(1, 7) : between(8, 60), next() % 4 ? channels(100) : between(1, 1100),
                        next() % 4 ? channels(100) : between(1, 400), next() % 2, i % 4);
    fully_connected(25, 1024, 129, true, true); /* rows 4096 bytes apart: copied */
    fully_connected(1, 2048, 257, true, true);
    fully_connected(130, 1024, 300, true, true); /* weights streamed in blocks */
    fully_connected(130, 1024, 300, true, false);
}

/* Each row of a batch is, bit for bit, what a batch of one gives. */
static void test_batch_does_not_matter(void **state) {
    (void)state;
    const int32_t batch = 13, depth = 70, units = 150;
    lc_FullyConnectedOptions o = {0};
    test_case *c = case_new(LC_OP_FULLY_CONNECTED, &o, LC_TABLE_FullyConnectedOptions);
    add_input(c, LC_FLOAT32, 2, (int32_t[]){batch, depth}, false, NULL);
    add_input(c, LC_FLOAT32, 2, (int32_t[]){units, depth}, true, NULL);
    infer(c);
    float *all = block(c, c->out.size), *one = block(c, (size_t)units * 4);
    for (size_t i = 0; i < isa_count; i++) {
        float *in = c->in[0].data;
        c->in[0].shape.dims[0] = batch;
        c->in[0].data = in;
        assert_true(run(c, isas[i], NULL, all));
        c->in[0].shape.dims[0] = 1;
        for (int32_t b = 0; b < batch; b++) {
            c->in[0].data = in + b * depth;
            assert_true(run(c, isas[i], NULL, one));
            assert_memory_equal(one, all + b * units, (size_t)units * 4);
        }
        c->in[0].data = in;
    }
    case_free(c);
}

typedef struct conv_size {
    int32_t n, h, w, c, kh, kw, sh, sw, dh, dw, out;
} conv_size;

static void conv(conv_size s, int32_t groups, bool bias) {
    lc_Conv2DOptions o = {.padding = (int8_t)between(0, 1),
                          .stride_h = s.sh,
                          .stride_w = s.sw,
                          .dilation_h_factor = s.dh,
                          .dilation_w_factor = s.dw,
                          .fused_activation_function = activation()};
    if ((s.kh - 1) * s.dh >= s.h || (s.kw - 1) * s.dw >= s.w) o.padding = LC_Padding_SAME;
    test_case *c = case_new(LC_OP_CONV_2D, &o, LC_TABLE_Conv2DOptions);
    snprintf(c->what, sizeof c->what,
             "conv [%d,%d,%d,%d] filter %d,%d stride %d,%d dilation %d,%d out %d groups %d padding %d bias %d act %d", s.n, s.h, s.w,
             s.c * groups, s.kh, s.kw, s.sh, s.sw, s.dh, s.dw, s.out * groups, groups, o.padding, bias, o.fused_activation_function);
    const int32_t out = s.out * groups;
    add_input(c, LC_FLOAT32, 4, (int32_t[]){s.n, s.h, s.w, s.c * groups}, false, NULL);
    add_input(c, LC_FLOAT32, 4, (int32_t[]){out, s.kh, s.kw, s.c}, next() % 8, NULL); /* 0: weights that come with the run */
    if (bias) add_input(c, LC_FLOAT32, 1, &out, true, NULL);
    c->scale = sum_scale((double)s.kh * s.kw * s.c);
    check(c, true);
}

static void test_conv(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        conv_size s = {
            between(1, 3), between(1, 14), between(1, 14), channels(100), between(1, 5), between(1, 5), between(1, 3), between(1, 3), 1, 1,
            channels(100)};
        if (next() % 4 == 0) s.dh = between(1, 4), s.dw = between(1, 4);
        if (next() % 3 == 0) s.kw = s.kh = 3;
        if (next() % 5 == 0) s.kw = s.kh = 1;
        int32_t groups = 1;
        if (next() % 5 == 0) {
            groups = between(2, 5);
            s.c = channels(17);
            s.out = channels(33);
        }
        conv(s, groups, next() % 2);
    }
    conv((conv_size){7, 1, 1, 64, 3, 3, 1, 1, 1, 1, 40}, 1, true);     /* all taps but one are padding */
    conv((conv_size){1, 2, 2, 33, 3, 3, 1, 1, 9, 9, 5}, 1, true);      /* dilation leaves the image */
    conv((conv_size){1, 9, 9, 512, 3, 3, 1, 1, 1, 1, 70}, 1, true);    /* blocks of tiles */
    conv((conv_size){2, 5, 5, 1024, 1, 1, 1, 1, 1, 1, 130}, 1, false); /* rows 4096 bytes apart */
    conv((conv_size){1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 1, false);
    conv((conv_size){2, 30, 30, 3, 7, 7, 2, 2, 1, 1, 64}, 1, true);
}

static void depthwise(conv_size s) {
    lc_DepthwiseConv2DOptions o = {.padding = (int8_t)between(0, 1),
                                   .stride_h = s.sh,
                                   .stride_w = s.sw,
                                   .depth_multiplier = s.out,
                                   .dilation_h_factor = s.dh,
                                   .dilation_w_factor = s.dw,
                                   .fused_activation_function = activation()};
    if ((s.kh - 1) * s.dh >= s.h || (s.kw - 1) * s.dw >= s.w) o.padding = LC_Padding_SAME;
    test_case *c = case_new(LC_OP_DEPTHWISE_CONV_2D, &o, LC_TABLE_DepthwiseConv2DOptions);
    snprintf(c->what, sizeof c->what, "depthwise [%d,%d,%d,%d] filter %d,%d stride %d,%d dilation %d,%d multiplier %d padding %d act %d",
             s.n, s.h, s.w, s.c, s.kh, s.kw, s.sh, s.sw, s.dh, s.dw, s.out, o.padding, o.fused_activation_function);
    const int32_t out = s.c * s.out;
    add_input(c, LC_FLOAT32, 4, (int32_t[]){s.n, s.h, s.w, s.c}, false, NULL);
    /* weights that are known only when it runs are packed then */
    add_input(c, LC_FLOAT32, 4, (int32_t[]){1, s.kh, s.kw, out}, next() % 3 > 0, NULL);
    if (next() % 2) add_input(c, LC_FLOAT32, 1, &out, next() % 2, NULL);
    check(c, true);
}

static void test_depthwise(void **state) {
    (void)state;
    /* A stride that leaves one output of several inputs, where it is one and where it is not taken: the images of a batch are apart. */
    for (int32_t k = 1; k <= 2; k++)
        for (int32_t m = 1; m <= 3; m++) {
            depthwise((conv_size){3, 2, 4, 1, k, k, 4, 1, 1, 1, m});
            depthwise((conv_size){3, 4, 2, 1, k, k, 1, 4, 1, 1, m});
            depthwise((conv_size){2, 3, 3, 2, k, k, 5, 5, 1, 1, m});
        }
    for (int i = 0; i < 200; i++) {
        const int32_t k = next() % 2 ? 3 : between(1, 5);
        conv_size s = {between(1, 3),
                       between(1, 13),
                       between(1, 13),
                       channels(100),
                       k,
                       next() % 3 ? k : between(1, 5),
                       between(1, 3),
                       between(1, 3),
                       1,
                       1,
                       1};
        if (next() % 2) s.sw = s.sh = between(1, 2);
        if (next() % 5 == 0) s.dh = between(1, 4), s.dw = between(1, 4);
        if (next() % 4 == 0) s.c = channels(9), s.out = between(2, 9);
        depthwise(s);
    }
}

static void test_batch_matmul(void **state) {
    (void)state;
    for (int i = 0; i < 120; i++) {
        const lc_BatchMatMulOptions o = {.adj_x = (uint8_t)(next() % 2), .adj_y = (uint8_t)(next() % 2)};
        const int32_t m = channels(48), k = channels(65), n = channels(100), lead = between(0, 2);
        int32_t x[4], y[4];
        for (int32_t d = 0; d < lead; d++) {
            x[d] = y[d] = between(1, 4);
            if (next() % 3 == 0) *(next() % 2 ? &x[d] : &y[d]) = 1;
        }
        x[lead] = o.adj_x ? k : m, x[lead + 1] = o.adj_x ? m : k;
        y[lead] = o.adj_y ? n : k, y[lead + 1] = o.adj_y ? k : n;
        const int32_t less = next() % 3 ? 0 : between(0, lead); /* one operand has fewer dimensions */
        const int32_t cut_x = next() % 2 ? less : 0, cut_y = cut_x ? 0 : less;
        test_case *c = case_new(LC_OP_BATCH_MATMUL, &o, LC_TABLE_BatchMatMulOptions);
        snprintf(c->what, sizeof c->what, "matmul %d: [%d,%d] x [%d,%d], %d leading, adj %d %d", i, m, k, k, n, lead, o.adj_x, o.adj_y);
        add_input(c, LC_FLOAT32, lead + 2 - cut_x, x + cut_x, false, NULL);
        add_input(c, LC_FLOAT32, lead + 2 - cut_y, y + cut_y, next() % 2, NULL);
        c->scale = sum_scale(k);
        check(c, true);
    }
}

static void test_transpose_conv(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        const int32_t n = between(1, 3), h = between(1, 7), w = between(1, 7), ci = channels(33), co = channels(33);
        const int32_t kh = between(1, 4), kw = between(1, 4), sh = between(1, 3), sw = between(1, 3);
        const lc_TransposeConvOptions o = {
            .padding = (int8_t)(i % 2), .stride_h = sh, .stride_w = sw, .fused_activation_function = activation()};
        const int32_t shape[] = {n, i % 2 ? (h - 1) * sh + kh : h * sh - between(0, sh - 1),
                                 i % 2 ? (w - 1) * sw + kw : w * sw - between(0, sw - 1), co};
        test_case *c = case_new(LC_OP_TRANSPOSE_CONV, &o, LC_TABLE_TransposeConvOptions);
        snprintf(c->what, sizeof c->what, "transpose conv [%d,%d,%d,%d] filter %d,%d stride %d,%d out %d padding %d act %d", n, h, w, ci,
                 kh, kw, sh, sw, co, o.padding, o.fused_activation_function);
        add_input(c, LC_INT32, 1, (int32_t[]){4}, true, shape);
        add_input(c, LC_FLOAT32, 4, (int32_t[]){co, kh, kw, ci}, true, NULL);
        add_input(c, LC_FLOAT32, 4, (int32_t[]){n, h, w, ci}, false, NULL);
        if (next() % 2) add_input(c, LC_FLOAT32, 1, &co, next() % 2, NULL);
        c->scale = sum_scale((double)kh * kw * ci);
        check(c, true);
    }
}

/* Activations that are no clamp are the reference's. */
static void test_refused(void **state) {
    (void)state;
    const lc_FullyConnectedOptions dense = {.fused_activation_function = LC_ActivationFunctionType_TANH};
    const lc_DepthwiseConv2DOptions dw = {.stride_h = 1,
                                          .stride_w = 1,
                                          .dilation_h_factor = 1,
                                          .dilation_w_factor = 1,
                                          .fused_activation_function = LC_ActivationFunctionType_TANH};
    for (int i = 0; i < 2; i++) {
        test_case *c = i ? case_new(LC_OP_FULLY_CONNECTED, &dense, LC_TABLE_FullyConnectedOptions)
                         : case_new(LC_OP_DEPTHWISE_CONV_2D, &dw, LC_TABLE_DepthwiseConv2DOptions);
        add_input(c, LC_FLOAT32, i ? 2 : 4, i ? (int32_t[]){2, 3} : (int32_t[]){1, 4, 4, 3}, false, NULL);
        add_input(c, LC_FLOAT32, i ? 2 : 4, i ? (int32_t[]){4, 3} : (int32_t[]){1, 2, 2, 3}, true, NULL);
        infer(c);
        float *out = block(c, c->out.size);
        for (size_t k = 0; k < isa_count; k++) assert_false(run(c, isas[k], NULL, out));
        case_free(c);
    }
}

/* Weights computed while planning are packed for the session (ctx->arena), not for the model (ctx->pack). */
static void test_computed_weights(void **state) {
    (void)state;
    lc_FullyConnectedOptions o = {0};
    test_case *c = case_new(LC_OP_FULLY_CONNECTED, &o, LC_TABLE_FullyConnectedOptions);
    snprintf(c->what, sizeof c->what, "dense with computed weights");
    add_input(c, LC_FLOAT32, 2, (int32_t[]){5, 9}, false, NULL);
    add_input(c, LC_FLOAT32, 2, (int32_t[]){21, 9}, true, NULL);
    c->defs[1].data = NULL;
    packed_block.data = c; /* pack_exact would fail */
    lc_arena arena = {0};
    infer(c);
    float *out = block(c, c->out.size), *want = block(c, c->out.size);
    lc_kernel_ctx ctx = {.node = &c->node,
                         .in = c->ins,
                         .in_count = 2,
                         .out = c->outs,
                         .out_count = 1,
                         .simd = isas[0],
                         .arena = &arena,
                         .pack = pack_exact};
    c->out.data = out;
    assert_int_equal(lc_kernel_fast(LC_OP_FULLY_CONNECTED)->prepare(&ctx), LC_OK);
    ctx.scratch = block(c, ctx.scratch_size);
    assert_int_equal(lc_kernel_fast(LC_OP_FULLY_CONNECTED)->run(&ctx), LC_OK);
    packed_block.data = NULL;
    lc_arena_deinit(&arena);
    run(c, NULL, NULL, want);
    compare(c, isas[0]->name, out, want, c->out.size / 4);
    case_free(c);
}

/* ---- pooling, reductions, padding ------------------------------------------------------------------------------ */

static void test_pool(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t h = between(1, 13), w = between(1, 13), fh = between(1, 5), fw = between(1, 5);
        lc_Pool2DOptions o = {.padding = (int8_t)(fh > h || fw > w ? LC_Padding_SAME : between(0, 1)),
                              .stride_h = between(1, 3),
                              .stride_w = between(1, 3),
                              .filter_height = fh,
                              .filter_width = fw,
                              .fused_activation_function = activation()};
        test_case *c = case_new(i % 2 ? LC_OP_MAX_POOL_2D : LC_OP_AVERAGE_POOL_2D, &o, LC_TABLE_Pool2DOptions);
        const int32_t ch = channels(100);
        snprintf(c->what, sizeof c->what, "%s pool [%d,%d,%d] filter %d,%d stride %d,%d padding %d", i % 2 ? "max" : "average", h, w, ch,
                 fh, fw, o.stride_h, o.stride_w, o.padding);
        add_input(c, LC_FLOAT32, 4, (int32_t[]){between(1, 3), h, w, ch}, false, NULL);
        check(c, true);
    }
    lc_Pool2DOptions huge = {.padding = LC_Padding_SAME, .stride_h = 1, .stride_w = 1, .filter_height = 1 << 20, .filter_width = 1 << 20};
    test_case *c = case_new(LC_OP_AVERAGE_POOL_2D, &huge, LC_TABLE_Pool2DOptions);
    snprintf(c->what, sizeof c->what, "a window far larger than the image");
    add_input(c, LC_FLOAT32, 4, (int32_t[]){1, 3, 4, 5}, false, NULL);
    check(c, true);
}

static void reduce(int32_t op, int32_t rank, const int32_t *dims, int32_t axes, const int32_t *axis, bool fast) {
    lc_ReducerOptions o = {.keep_dims = (uint8_t)(next() % 2)};
    test_case *c = case_new(op, &o, LC_TABLE_ReducerOptions);
    snprintf(c->what, sizeof c->what, "%s of %d dimensions over %d, first %d", lc_op_name(op), rank, axes, axis[0]);
    add_input(c, LC_FLOAT32, rank, dims, false, NULL);
    add_input(c, LC_INT32, 1, &axes, true, axis);
    if (op == LC_OP_SUM) c->scale = sum_scale((double)c->in[0].size / 4);
    check(c, fast);
}

static void test_reduce(void **state) {
    (void)state;
    for (int i = 0; i < 120; i++) {
        const int32_t ops[] = {LC_OP_MEAN, LC_OP_SUM, LC_OP_REDUCE_MAX, LC_OP_REDUCE_MIN}, op = ops[i % 4];
        const int32_t dims[4] = {between(1, 4), between(1, 20), between(1, 20), channels(100)};
        reduce(op, 4, dims, 2, (int32_t[]){1, 2}, true);
        reduce(op, 4, dims, 1, (int32_t[]){-1}, true);
        reduce(op, 4, dims, 3, (int32_t[]){0, 1, 2}, true);
        reduce(op, 4, dims, 4, (int32_t[]){0, 1, 2, 3}, true);
        reduce(op, 4, dims, 2, (int32_t[]){0, 2}, false);
    }
    reduce(LC_OP_MEAN, 4, (int32_t[]){1, 40, 40, 130}, 2, (int32_t[]){2, 1}, true);
}

/* The same index on every instruction set, with equal numbers, NaN and infinities in the row. */
static void test_arg(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const lc_ArgMaxOptions largest = {.output_type = i % 4 < 2 ? LC_TensorType_INT32 : LC_TensorType_INT64};
        const lc_ArgMinOptions smallest = {.output_type = largest.output_type};
        const int32_t rows = between(1, 5), depth = next() % 2 ? channels(100) : between(1, 300);
        test_case *c =
            i % 2 ? case_new(LC_OP_ARG_MAX, &largest, LC_TABLE_ArgMaxOptions) : case_new(LC_OP_ARG_MIN, &smallest, LC_TABLE_ArgMinOptions);
        add_input(c, LC_FLOAT32, 2, (int32_t[]){rows, depth}, false, NULL);
        add_input(c, LC_INT32, 0, NULL, true, &(int32_t){next() % 2 ? 1 : -1});
        float *x = c->in[0].data;
        const float odd[] = {NAN, INFINITY, -INFINITY, 0.5f, -0.5f};
        for (int32_t k = 0; k < rows * depth; k++) {
            x[k] = (float)between(-9, 9);
            if (i % 3 == 0 && next() % 4 == 0) x[k] = odd[next() % 5];
            if (i % 5 == 0) x[k] = next() % 8 ? NAN : -INFINITY;
        }
        infer(c);
        void *want = block(c, c->out.size), *got = block(c, c->out.size);
        run(c, NULL, NULL, want);
        for (size_t k = 0; k < isa_count; k++) {
            assert_true(run(c, isas[k], pools[between(1, MAX_THREADS)], got));
            assert_memory_equal(got, want, c->out.size);
        }
        case_free(c);
    }
}

static void test_pad(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        const int32_t rank = between(1, 5), op = i % 2 ? LC_OP_PAD : LC_OP_PADV2;
        int32_t dims[5], pad[10];
        for (int32_t d = 0; d < rank; d++) {
            dims[d] = between(1, 7);
            pad[2 * d] = next() % 2 ? between(0, 3) : 0;
            pad[2 * d + 1] = next() % 2 ? between(0, 3) : 0;
        }
        test_case *c = case_new(op, NULL, LC_TABLE_NONE);
        snprintf(c->what, sizeof c->what, "pad case %d of rank %d", i, rank);
        add_input(c, LC_FLOAT32, rank, dims, false, NULL);
        add_input(c, LC_INT32, 2, (int32_t[]){rank, 2}, true, pad);
        if (op == LC_OP_PADV2) add_input(c, LC_FLOAT32, 0, NULL, false, next() % 2 ? NULL : &(float){0});
        check(c, true);
    }
}

/* ---- element by element ----------------------------------------------------------------------------------------- */

static const struct {
    int32_t op;
    lc_table_id table;
} binary_ops[] = {
    {LC_OP_ADD, LC_TABLE_AddOptions},
    {LC_OP_SUB, LC_TABLE_SubOptions},
    {LC_OP_MUL, LC_TABLE_MulOptions},
    {LC_OP_DIV, LC_TABLE_DivOptions},
    {LC_OP_MAXIMUM, LC_TABLE_MaximumMinimumOptions},
    {LC_OP_MINIMUM, LC_TABLE_MaximumMinimumOptions},
    {LC_OP_SQUARED_DIFFERENCE, LC_TABLE_SquaredDifferenceOptions},
};

static void test_binary(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) {
        const size_t k = next() % COUNT(binary_ops);
        union {
            lc_AddOptions add;
            lc_SubOptions sub;
            lc_MulOptions mul;
            lc_DivOptions div;
        } o = {0};
        test_case *c = case_new(binary_ops[k].op, &o, binary_ops[k].table);
        int8_t *fused = lc_op_fused_act(&c->node);
        if (fused) *fused = activation();
        int32_t dims[2][5], rank[2] = {between(1, 5), 0};
        for (int32_t d = 0; d < 5; d++) dims[0][d] = dims[1][d] = next() % 3 ? between(1, 6) : channels(100);
        if (next() % 2) dims[0][4] = dims[1][4] = channels(100);
        if (next() % 8 == 0) dims[0][0] = dims[1][0] = 300; /* several pieces */
        rank[1] = next() % 2 ? rank[0] : between(0, 5);
        for (int32_t d = 0; d < 5; d++)
            if (next() % 3 == 0) dims[next() % 2][d] = 1;
        if (next() % 4 == 0)
            for (int32_t d = 0; d < 5; d++) dims[1][d] = dims[0][d];
        snprintf(c->what, sizeof c->what, "%s of ranks %d and %d, last [%d,%d] [%d,%d]", lc_op_name(c->node.op), rank[0], rank[1],
                 dims[0][3], dims[0][4], dims[1][3], dims[1][4]);
        for (int v = 0; v < 2; v++) add_input(c, LC_FLOAT32, rank[v], dims[v] + 5 - rank[v], next() % 2, NULL);
        check(c, true);
    }
}

/* out may be the memory of an input of the same size */
static void test_in_place(void **state) {
    (void)state;
    lc_AddOptions o = {0};
    for (size_t i = 0; i < isa_count; i++) {
        for (int which = 0; which < 2; which++) {
            test_case *c = case_new(LC_OP_ADD, &o, LC_TABLE_AddOptions);
            const int32_t n = 101;
            add_input(c, LC_FLOAT32, 3, (int32_t[]){3, 7, n}, false, NULL);
            add_input(c, LC_FLOAT32, which ? 3 : 1, which ? (int32_t[]){3, 7, n} : &n, false, NULL);
            infer(c);
            float *want = block(c, c->out.size);
            run(c, isas[i], NULL, want);
            assert_true(run(c, isas[i], NULL, c->in[which].data));
            assert_memory_equal(c->in[which].data, want, c->out.size);
            case_free(c);
        }
    }
}

/* ---- functions against libm ------------------------------------------------------------------------------------- */

static double exact(lc_simd_unary op, double x) {
    switch (op) {
    case LC_SIMD_UNARY_RELU: return x > 0 ? x : 0;
    case LC_SIMD_UNARY_RELU6: return x > 0 ? (x < 6 ? x : 6) : 0;
    case LC_SIMD_UNARY_RELU_N1_TO_1: return x > -1 ? (x < 1 ? x : 1) : -1;
    case LC_SIMD_UNARY_RELU_0_TO_1: return x > 0 ? (x < 1 ? x : 1) : 0;
    case LC_SIMD_UNARY_LEAKY_RELU: return x > 0 ? x : x * (double)0.3f;
    case LC_SIMD_UNARY_LOGISTIC: return 1 / (1 + exp(-x));
    case LC_SIMD_UNARY_TANH: return tanh(x);
    case LC_SIMD_UNARY_ELU: return x < 0 ? expm1(x) : x;
    case LC_SIMD_UNARY_HARD_SWISH: return x * (x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3) / 6;
    case LC_SIMD_UNARY_GELU: return 0.5 * x * erfc(-x * sqrt(0.5));
    case LC_SIMD_UNARY_GELU_TANH: return x / (1 + exp(-2 * sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case LC_SIMD_UNARY_EXP: return exp(x);
    case LC_SIMD_UNARY_ABS: return fabs(x);
    case LC_SIMD_UNARY_NEG: return -x;
    case LC_SIMD_UNARY_SQUARE: return x * x;
    case LC_SIMD_UNARY_SQRT: return sqrt(x);
    case LC_SIMD_UNARY_RSQRT: return 1 / sqrt(x);
    case LC_SIMD_UNARY_FLOOR: return floor(x);
    case LC_SIMD_UNARY_CEIL: return ceil(x);
    case LC_SIMD_UNARY_ROUND: return rint(x);
    }
    return NAN;
}

/* Relative error where a result is not subnormal. HARD_SWISH cancels in x + 3, GELU_TANH's exponent grows with x^3, GELU is a
 * product of three such functions: looser. */
static double function_error(lc_simd_unary op, double x) {
    if (op == LC_SIMD_UNARY_HARD_SWISH) return 1e-6 + (x < -2 ? 5e-7 / (x + 3 + 1e-7) : 0);
    if (op == LC_SIMD_UNARY_GELU_TANH) return 1e-6 + 3e-7 * fabs(x * (1 + 0.05 * x * x));
    return op == LC_SIMD_UNARY_GELU ? 2.5e-6 : 1e-6;
}

static void test_functions(void **state) {
    (void)state;
    enum { N = 4099 };
    static float in[N], out[N];
    const char *names[] = {
#define NAME(ID, expr) #ID,
        LC_SIMD_UNARY_LIST(NAME)};
    for (size_t k = 0; k < isa_count; k++) {
        for (size_t op = 0; op < COUNT(names); op++) {
            for (int range = 0; range < 6; range++) {
                const double widths[] = {0.001, 1, 12, 90, 120, 2049};
                for (int i = 0; i < N; i++)
                    in[i] = (float)(widths[range] * (2.0 * i / (N - 1) - 1)); /* the last: whole numbers and halves */
                isas[k]->unary((lc_simd_unary)op, out, in, N, 0.3f);
                for (int i = 0; i < N; i++) {
                    const double want = exact((lc_simd_unary)op, in[i]), error = function_error((lc_simd_unary)op, in[i]);
                    if ((float)want == out[i] || (isnan(want) && isnan(out[i]))) continue;
                    if (!(fabs(out[i] - want) <= error * fabs(want) + 3e-38))
                        fail_msg("%s(%.9g) on %s is %.9g, exactly %.9g", names[op], in[i], isas[k]->name, out[i], want);
                }
            }
            const float odd[] = {NAN, INFINITY, -INFINITY, 0.0f, 1e30f, -1e30f, 3e-40f};
            isas[k]->unary((lc_simd_unary)op, out, odd, COUNT(odd), 0.3f);
            assert_true(isnan(out[0]));
            for (size_t i = 1; i < COUNT(odd); i++) {
                if (op == LC_SIMD_UNARY_HARD_SWISH || op == LC_SIMD_UNARY_GELU || op == LC_SIMD_UNARY_GELU_TANH)
                    if (isinf(odd[i]) && odd[i] < 0) continue; /* inf * 0 */
                const double want = exact((lc_simd_unary)op, odd[i]);
                if (!((float)want == out[i] || (isnan(want) && isnan(out[i])) || fabs(out[i] - want) <= 1e-6 * fabs(want) + 3e-38))
                    fail_msg("%s(%g) on %s is %g, exactly %g", names[op], odd[i], isas[k]->name, out[i], want);
            }
        }
    }
}

static void test_activation_ops(void **state) {
    (void)state;
    const int32_t ops[] = {LC_OP_RELU,       LC_OP_RELU6,      LC_OP_RELU_N1_TO_1, LC_OP_RELU_0_TO_1, LC_OP_LOGISTIC, LC_OP_TANH, LC_OP_ELU,
                           LC_OP_HARD_SWISH, LC_OP_LEAKY_RELU, LC_OP_GELU,         LC_OP_GELU,        LC_OP_EXP,      LC_OP_ABS,  LC_OP_NEG,
                           LC_OP_SQUARE,     LC_OP_SQRT,       LC_OP_RSQRT,        LC_OP_FLOOR,       LC_OP_CEIL,     LC_OP_ROUND};
    for (size_t i = 0; i < COUNT(ops); i++) {
        lc_LeakyReluOptions leaky = {.alpha = 0.2f};
        lc_GeluOptions gelu = {.approximate = (uint8_t)(i % 2)};
        const bool is_leaky = ops[i] == LC_OP_LEAKY_RELU, is_gelu = ops[i] == LC_OP_GELU;
        test_case *c = case_new(ops[i],
                                is_leaky  ? (void *)&leaky
                                : is_gelu ? (void *)&gelu
                                          : NULL,
                                is_leaky  ? LC_TABLE_LeakyReluOptions
                                : is_gelu ? LC_TABLE_GeluOptions
                                          : LC_TABLE_NONE);
        snprintf(c->what, sizeof c->what, "%s", lc_op_name(ops[i]));
        add_input(c, LC_FLOAT32, 3, (int32_t[]){3, between(1, 40), 301}, false, NULL);
        check(c, true);
    }
}

static void test_softmax(void **state) {
    (void)state;
    for (int i = 0; i < 60; i++) {
        lc_SoftmaxOptions o = {.beta = next() % 2 ? 1.0f : 2.5f};
        test_case *c = case_new(LC_OP_SOFTMAX, &o, LC_TABLE_SoftmaxOptions);
        const int32_t depth = next() % 2 ? channels(100) : between(1, 1200);
        snprintf(c->what, sizeof c->what, "softmax over %d", depth);
        add_input(c, LC_FLOAT32, 3, (int32_t[]){between(1, 4), between(1, 30), depth}, false, NULL);
        float *x = c->in[0].data;
        for (size_t k = 0; k < c->in[0].size / 4; k++) x[k] *= 20;
        if (i == 0) x[0] = 300;
        check(c, true);
    }
}

/* ---- memory runs out ------------------------------------------------------------------------------------------- */

typedef struct life {
    test_case *c;
    const lc_simd *simd;
} life;

static lc_status run_once(void *arg, lc_error *err) {
    const life *l = arg;
    lc_arena arena = {0};
    const lc_status status = lc_kernel_run_once(&l->c->node, l->c->ins, l->c->in_count, l->c->outs, 1, l->simd, &arena, err);
    lc_arena_deinit(&arena);
    return status;
}

/* State, packed weights (shared or of the session) and scratch: each may fail, and nothing leaks. */
static void test_allocations_fail(void **state) {
    (void)state;
    const lc_Conv2DOptions conv_options = {.stride_h = 1, .stride_w = 1, .dilation_h_factor = 1, .dilation_w_factor = 1};
    const lc_DepthwiseConv2DOptions dw_options = {.stride_h = 1, .stride_w = 1, .dilation_h_factor = 1, .dilation_w_factor = 1};
    for (int i = 0; i < 4; i++) {
        const int32_t op = i < 2 ? LC_OP_CONV_2D : i == 2 ? LC_OP_DEPTHWISE_CONV_2D : LC_OP_ADD;
        const lc_AddOptions add_options = {0};
        test_case *c = case_new(op,
                                i < 2    ? (const void *)&conv_options
                                : i == 2 ? (const void *)&dw_options
                                         : (const void *)&add_options,
                                i < 2    ? LC_TABLE_Conv2DOptions
                                : i == 2 ? LC_TABLE_DepthwiseConv2DOptions
                                         : LC_TABLE_AddOptions);
        add_input(c, LC_FLOAT32, 4, (int32_t[]){1, 30, 30, 24}, false, NULL);
        if (i < 2) add_input(c, LC_FLOAT32, 4, (int32_t[]){40, 3, 3, 24}, true, NULL);
        else if (i == 2) add_input(c, LC_FLOAT32, 4, (int32_t[]){1, 3, 3, 48}, true, NULL);
        else add_input(c, LC_FLOAT32, 1, (int32_t[]){24}, false, NULL);
        infer(c);
        if (i == 1) c->defs[1].data = NULL; /* weights computed while planning */
        c->out.data = block(c, c->out.size);
        for (size_t k = 0; k < isa_count; k++) fault_check(run_once, &(life){c, isas[k]}, NULL);
        case_free(c);
    }
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

static void test_dispatch(void **state) {
    (void)state;
    const lc_simd *simd;
    lc_error err;
    lc_error_clear(&err);
    assert_int_equal(lc_simd_get("ref", &simd, &err), LC_OK);
    assert_null(simd);
    assert_string_equal(lc_simd_name(simd), "ref");
    assert_int_equal(lc_simd_get("portable", &simd, &err), LC_OK);
    assert_string_equal(lc_simd_name(simd), "portable");
    assert_int_equal(lc_simd_get("mmx", &simd, &err), LC_ARGUMENT);
    assert_null(simd);
    assert_non_null(strstr(err.message, "mmx"));
    assert_non_null(strstr(err.hint, "portable"));
    assert_int_equal(setenv("LC_ISA", "portable", 1), 0);
    assert_int_equal(lc_simd_get(NULL, &simd, &err), LC_OK);
    assert_string_equal(lc_simd_name(simd), "portable");
    assert_int_equal(setenv("LC_ISA", "none such", 1), 0);
    assert_int_equal(lc_simd_get(NULL, &simd, &err), LC_ARGUMENT);
    assert_int_equal(unsetenv("LC_ISA"), 0);
    assert_int_equal(lc_simd_get(NULL, &simd, &err), LC_OK);
    assert_ptr_equal(simd, isas[0]); /* the best */
    for (size_t i = 0; i < isa_count; i++) assert_true(isas[i]->mr <= LC_MR_MAX && isas[i]->nr == 2 * isas[i]->vl);
}

static void test_activation_range(void **state) {
    (void)state;
    float low, high;
    assert_true(lc_activation_range(LC_ActivationFunctionType_NONE, &low, &high));
    assert_true(isinf(low) && isinf(high) && low < 0 && high > 0);
    assert_true(lc_activation_range(LC_ActivationFunctionType_RELU6, &low, &high));
    assert_true(low == 0 && high == 6);
    assert_false(lc_activation_range(LC_ActivationFunctionType_TANH, &low, &high));
    assert_false(lc_activation_range(LC_ActivationFunctionType_SIGN_BIT, &low, &high));
    assert_false(lc_activation_range(77, &low, &high));
}

static int setup(void **state) {
    (void)state;
    unsetenv("LC_ISA");
    for (size_t i = 0; i < COUNT(isa_names); i++)
        if (lc_simd_get(isa_names[i], &isas[isa_count], NULL) == LC_OK) isa_count++;
    for (int32_t t = 2; t <= MAX_THREADS; t++)
        if (lc_pool_create(t, &pools[t], NULL) != LC_OK) return -1;
    return isa_count ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    for (int32_t t = 2; t <= MAX_THREADS; t++) lc_pool_destroy(pools[t]);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dispatch),
        cmocka_unit_test(test_activation_range),
        cmocka_unit_test(test_fully_connected),
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_reduce),
        cmocka_unit_test(test_pad),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_activation_ops),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_batch_does_not_matter),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_computed_weights),
        cmocka_unit_test(test_batch_matmul),
        cmocka_unit_test(test_transpose_conv),
        cmocka_unit_test(test_arg),
        cmocka_unit_test(test_allocations_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
