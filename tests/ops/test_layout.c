/*
 * Filters that stay as Keras has them (grad/layout.c): the graph of a step without its TRANSPOSEs gives the outputs and gradients that it gave
 * with them, with plain and with SIMD kernels, and the same bits with any number of threads.
 */
#include "grad/grad.h"
#include "litec/runtime.h"
#include "ops/build.h"
#include "ops/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { X, W, B, INPUTS, ROOM = 16384 };

typedef struct sample {
    const char *name;
    int32_t x[4], x_rank, w[4], w_rank; /* w: [h, w, in of a group, out], [w, in, out] or [in, out] */
    int32_t stride, dilation;
    int8_t padding, act;
} sample;

#define SAME LC_Padding_SAME
#define VALID LC_Padding_VALID
#define RELU LC_ActivationFunctionType_RELU
#define NONE LC_ActivationFunctionType_NONE
static const sample samples[] = {
    {"3x3", {2, 9, 7, 3}, 4, {3, 3, 3, 40}, 4, 1, 1, SAME, RELU},
    {"1x1", {3, 4, 5, 37}, 4, {1, 1, 37, 19}, 4, 1, 1, VALID, NONE},
    {"stride", {2, 10, 9, 16}, 4, {3, 3, 16, 20}, 4, 2, 1, SAME, LC_ActivationFunctionType_RELU6},
    {"dilation", {1, 11, 12, 5}, 4, {3, 2, 5, 8}, 4, 1, 2, VALID, NONE},
    {"taps in the padding alone", {4, 1, 2, 30}, 4, {3, 5, 30, 17}, 4, 1, 1, SAME, NONE},
    {"groups", {2, 6, 6, 8}, 4, {3, 3, 4, 6}, 4, 1, 1, SAME, RELU},
    {"one channel", {2, 14, 13, 1}, 4, {3, 3, 1, 32}, 4, 1, 1, VALID, RELU},
    {"a line", {3, 1, 20, 6}, 4, {3, 6, 10}, 3, 1, 1, SAME, NONE},
    {"dense", {6, 50}, 2, {50, 33}, 2, 0, 0, 0, RELU},
    {"dense of rows", {3, 5, 17}, 3, {17, 21}, 2, 0, 0, 0, NONE},
};

static float data[INPUTS][ROOM], gradient[INPUTS][ROOM], output[ROOM];

static int32_t turned(lc_builder *b, int32_t w, const sample *c) {
    static const int32_t perms[3][4] = {{1, 0}, {2, 0, 1}, {3, 0, 1, 2}};
    const int32_t t = lc_build_transpose(b, w, perms[c->w_rank - 2], c->w_rank);
    return c->w_rank == 3 ? lc_build_reshape(b, t, (const int32_t[]){c->w[2], 1, c->w[0], c->w[1]}, 4) : t;
}

static lc_model *graph_of(const sample *c, bool keep, size_t *turns, size_t *outputs, lc_error *err) {
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, err), LC_OK);
    lc_builder b;
    lc_builder_init(&b, model, model->graphs[0], err);
    const int32_t units = c->w[c->w_rank - 1];
    int32_t in[INPUTS] = {lc_build_placeholder(&b, "x", LC_FLOAT32, c->x, c->x_rank),
                          lc_build_placeholder(&b, "w", LC_FLOAT32, c->w, c->w_rank), lc_build_placeholder(&b, "b", LC_FLOAT32, &units, 1)};
    for (int i = 0; i < INPUTS; i++) {
        b.graph->tensors[in[i]].bound = data[i];
        lc_graph_add_input(b.graph, in[i], err);
    }
    const int32_t of[3] = {in[X], turned(&b, in[W], c), in[B]};
    const lc_Conv2DOptions conv = {.padding = c->padding,
                                   .stride_h = c->stride,
                                   .stride_w = c->stride,
                                   .dilation_h_factor = c->dilation,
                                   .dilation_w_factor = c->dilation,
                                   .fused_activation_function = c->act};
    const lc_FullyConnectedOptions dense = {.keep_num_dims = c->x_rank > 2, .fused_activation_function = c->act};
    const int32_t y = c->w_rank == 2 ? lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &dense, of, 3)
                                     : lc_build_op(&b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &conv, of, 3);
    const int32_t square = lc_build_binary(&b, LC_OP_MUL, y, y, NONE); /* L: the sum of the cubes */
    const lc_grad_seed seed = {y, square};
    int32_t d[INPUTS];
    b.graph->tensors[y].bound = output;
    assert_int_equal(lc_grad_append(&b, &seed, 1, in, INPUTS, d), LC_OK);
    for (int i = 0; i < INPUTS; i++) b.graph->tensors[d[i]].bound = gradient[i];
    if (keep) assert_int_equal(lc_grad_keep_layout(b.graph, err), LC_OK);
    *turns = 0;
    for (size_t k = 0; k < b.graph->node_count; k++) *turns += b.graph->nodes[k].op == LC_OP_TRANSPOSE;
    lc_shape s;
    assert_true(lc_build_shape(&b, y, &s));
    *outputs = 1;
    for (int32_t i = 0; i < s.rank; i++) *outputs *= (size_t)s.dims[i];
    assert_true(*outputs <= ROOM);
    lc_graph_add_output(b.graph, y, err);
    if (b.status != LC_OK) fail_msg("%s: %s", c->name, err->message);
    return model;
}

static void run(const sample *c, lc_model *model, const char *isa, int32_t threads) {
    lc_error err = {0};
    lc_session *s;
    if (lc_session_create(model, &(lc_session_options){.isa = isa, .threads = threads}, &s, &err)) fail_msg("%s: %s", c->name, err.message);
    memset(gradient, 0xff, sizeof gradient);
    memset(output, 0xff, sizeof output);
    assert_int_equal(lc_session_run(s, &err), LC_OK);
    lc_session_destroy(s);
}

static void compare(const sample *c, const char *what, const char *isa, const float *got, const float *wanted, size_t n) {
    double most = 1;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)wanted[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)wanted[i]) <= 2e-6 * most))
            fail_msg("%s (%s): %s [%zu] is %.9g, with TFLite's layout %.9g", c->name, isa ? isa : "best", what, i, (double)got[i],
                     (double)wanted[i]);
}

static size_t elements(const int32_t *dims, int32_t rank) {
    size_t n = 1;
    for (int32_t i = 0; i < rank; i++) n *= (size_t)dims[i];
    assert_true(n <= ROOM);
    return n;
}

static void the_same_numbers(void **unused) {
    static const char *const isas[] = {"ref", "portable", NULL};
    static float wanted[INPUTS][ROOM], wanted_output[ROOM], once[INPUTS][ROOM];
    (void)unused;
    uint32_t state = 7;
    for (size_t i = 0; i < INPUTS * ROOM; i++) {
        state = state * 1664525u + 1013904223u;
        data[i / ROOM][i % ROOM] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    for (size_t k = 0; k < sizeof samples / sizeof samples[0]; k++) {
        const sample *c = &samples[k];
        lc_error err = {0};
        size_t turns, n;
        lc_model *with = graph_of(c, false, &turns, &n, &err);
        assert_true(turns >= 2);
        run(c, with, "ref", 1);
        memcpy(wanted, gradient, sizeof wanted);
        memcpy(wanted_output, output, sizeof wanted_output);
        lc_model_destroy(with);
        lc_model *without = graph_of(c, true, &turns, &n, &err);
        if (turns) fail_msg("%s: %zu TRANSPOSE are left", c->name, turns);
        for (size_t i = 0; i < sizeof isas / sizeof isas[0]; i++) {
            for (int32_t threads = 1; threads <= 3; threads++) {
                run(c, without, isas[i], threads);
                if (threads == 1) memcpy(once, gradient, sizeof once);
                else if (memcmp(once, gradient, sizeof once) != 0) fail_msg("%s: other bits with %d threads", c->name, threads);
            }
            compare(c, "the output", isas[i], output, wanted_output, n);
            compare(c, "dx", isas[i], gradient[X], wanted[X], elements(c->x, c->x_rank));
            compare(c, "dW", isas[i], gradient[W], wanted[W], elements(c->w, c->w_rank));
            compare(c, "db", isas[i], gradient[B], wanted[B], (size_t)c->w[c->w_rank - 1]);
        }
        lc_model_destroy(without);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
