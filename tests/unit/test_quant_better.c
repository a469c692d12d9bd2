/*
 * test_quant_better.c: equalised channels and corrected biases on a network whose channels are as unequal as folded batch normalisation leaves
 * them: both bring its integer form nearer to the float one, and an equalised model computes the same as before.
 */
#include "quant/quant.h"

#include "ops/build.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 12, SAMPLES = 8, WIDTH = 16 };
#define RELU LC_ActivationFunctionType_RELU

static uint32_t noise_state;
static float noise(void) { return (float)((noise_state = noise_state * 1664525u + 1013904223u) >> 8) / 16777216.0f; }

/* Weights that take what the channels before are scaled by away again and scale their own. */
static int32_t weights(lc_builder *b, const int32_t dims[4], const float *before, const float *after, bool depthwise) {
    const size_t n = (size_t)dims[0] * (size_t)dims[1] * (size_t)dims[2] * (size_t)dims[3];
    const float reach = 2 / sqrtf((float)(dims[1] * dims[2] * (depthwise ? 1 : dims[3])));
    float *data = lc_build_data(b, n * sizeof *data);
    for (size_t e = 0; data && e < n; e++) {
        const size_t in = e % (size_t)dims[3], out = depthwise ? in : e / (n / (size_t)dims[0]);
        data[e] = reach * (2 * noise() - 1) * after[out] / before[in];
    }
    return lc_build_const(b, depthwise ? "dw" : "w", LC_FLOAT32, dims, 4, data, n * sizeof *data, true);
}

static int32_t bias(lc_builder *b, const float *after) {
    float values[WIDTH];
    for (int i = 0; i < WIDTH; i++) values[i] = 0.2f * (2 * noise() - 1) * after[i];
    return lc_build_floats(b, "bias", values, WIDTH);
}

static int32_t conv(lc_builder *b, int32_t x, int32_t size, int32_t in, const float *before, const float *after, int8_t act, bool biased) {
    const lc_Conv2DOptions o = {.padding = LC_Padding_SAME,
                                .stride_w = 1,
                                .stride_h = 1,
                                .dilation_w_factor = 1,
                                .dilation_h_factor = 1,
                                .fused_activation_function = act};
    int32_t inputs[3] = {x, weights(b, (int32_t[]){WIDTH, size, size, in}, before, after, false), -1};
    if (biased) inputs[2] = bias(b, after);
    return lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, inputs, biased ? 3 : 2);
}

static int32_t depthwise(lc_builder *b, int32_t x, const float *before, const float *after) {
    const lc_DepthwiseConv2DOptions o = {.padding = LC_Padding_SAME,
                                         .stride_w = 1,
                                         .stride_h = 1,
                                         .depth_multiplier = 1,
                                         .dilation_w_factor = 1,
                                         .dilation_h_factor = 1,
                                         .fused_activation_function = RELU};
    const int32_t inputs[] = {x, weights(b, (int32_t[]){1, 3, 3, WIDTH}, before, after, true), bias(b, after)};
    return lc_build_op(b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &o, inputs, 3);
}

static lc_model *make_model(int8_t act) {
    static lc_error err;
    lc_model *model;
    lc_builder b;
    float scale[4][WIDTH], one[WIDTH];
    noise_state = 5;
    for (int i = 0; i < WIDTH; i++) {
        one[i] = 1;
        for (int k = 0; k < 4; k++) scale[k][i] = expf(4 * noise() - 2);
    }
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){1, SIDE, SIDE, 3}, 4);
    int32_t y = conv(&b, x, 3, 3, one, scale[0], act, true);
    y = depthwise(&b, y, scale[0], scale[1]);
    const lc_Pool2DOptions pool = {.padding = LC_Padding_VALID, .stride_w = 2, .stride_h = 2, .filter_width = 2, .filter_height = 2};
    y = lc_build_op(&b, LC_OP_MAX_POOL_2D, LC_TABLE_Pool2DOptions, &pool, &y, 1);
    y = conv(&b, y, 1, WIDTH, scale[1], scale[2], LC_ActivationFunctionType_NONE, false);
    y = lc_build_unary(&b, LC_OP_RELU, y);
    y = depthwise(&b, y, scale[2], scale[3]);
    y = conv(&b, y, 1, WIDTH, scale[3], one, LC_ActivationFunctionType_NONE, true);
    lc_build_rename(&b, y, "y");
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    return model;
}

static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    (void)user;
    (void)err;
    *end = index >= SAMPLES;
    const lc_tensor_view in = lc_session_input(session, 0);
    noise_state = (uint32_t)index;
    noise();
    for (size_t i = 0; !*end && i < in.size / sizeof(float); i++) ((float *)in.data)[i] = noise();
    return LC_OK;
}

static double decibels(lc_model *model, bool per_tensor, bool equalize, bool correct_bias) {
    lc_error err;
    lc_data *data;
    lc_quantize_report *report;
    lc_model *to;
    assert_int_equal(lc_data_from(fill, NULL, &data, &err), LC_OK);
    const lc_quantize_options o = {.scheme = LC_SCHEME_INT8,
                                   .data = &data,
                                   .data_count = 1,
                                   .per_tensor = per_tensor,
                                   .equalize = equalize,
                                   .correct_bias = correct_bias,
                                   .report = &report};
    if (lc_model_quantize(model, &o, &to, &err) != LC_OK) fail_msg("%s", err.message);
    const char *at = strstr(lc_quantize_report_json(report), "\"snr_db\":");
    assert_non_null(at);
    const double db = atof(at + strlen("\"snr_db\":"));
    assert_int_equal(strstr(lc_quantize_report_text(report), "equalised 4 pairs") != NULL, equalize);
    lc_quantize_report_destroy(report);
    lc_model_destroy(to);
    lc_data_close(data);
    return db;
}

static void test_gain(void **unused) {
    (void)unused;
    lc_model *model = make_model(RELU);
    for (int per_tensor = 0; per_tensor < 2; per_tensor++) {
        const double plain = decibels(model, per_tensor, false, false), equal = decibels(model, per_tensor, true, false);
        const double corrected = decibels(model, per_tensor, false, true), both = decibels(model, per_tensor, true, true);
        if (!(equal > plain + 1 && corrected > plain && both > plain + 2))
            fail_msg("%.1f dB, equalised %.1f, corrected %.1f, both %.1f", plain, equal, corrected, both);
    }
    lc_model_destroy(model);
}

static void run(lc_model *model, float *out, size_t n) {
    lc_session *s;
    lc_error err;
    bool end;
    if (lc_session_create(model, NULL, &s, &err) != LC_OK) fail_msg("%s", err.message);
    fill(NULL, 1, s, &end, &err);
    if (lc_session_run(s, &err) != LC_OK) fail_msg("%s", err.message);
    const lc_tensor_view v = lc_session_output(s, 0);
    assert_int_equal(v.size, n * sizeof *out);
    memcpy(out, v.data, v.size);
    lc_session_destroy(s);
}

static void test_same_function(void **unused) {
    (void)unused;
    enum { N = SIDE / 2 * SIDE / 2 * WIDTH };
    static float before[N], after[N];
    lc_model *model = make_model(RELU), *fork;
    lc_error err;
    uint32_t pairs;
    run(model, before, N);
    assert_int_equal(lc_model_fork(model, &fork, &err), LC_OK);
    assert_int_equal(lc_quant_equalize(fork, &pairs, &err), LC_OK);
    assert_int_equal(pairs, 4);
    run(fork, after, N);
    for (int i = 0; i < N; i++) assert_float_equal(after[i], before[i], 2e-5);
    run(model, after, N); /* whose constants the fork had borrowed */
    assert_memory_equal(after, before, sizeof before);
    lc_model_destroy(fork);
    lc_model_destroy(model);
    model = make_model(LC_ActivationFunctionType_RELU6); /* clips at 6, whatever the scale */
    assert_int_equal(lc_model_fork(model, &fork, &err), LC_OK);
    assert_int_equal(lc_quant_equalize(fork, &pairs, &err), LC_OK);
    assert_int_equal(pairs, 3);
    lc_model_destroy(fork);
    lc_model_destroy(model);
}

static lc_status work(void *arg, lc_error *err) {
    lc_data *data;
    lc_model *to;
    LC_TRY(lc_data_from(fill, NULL, &data, err));
    const lc_quantize_options o = {
        .scheme = LC_SCHEME_INT8, .data = &data, .data_count = 1, .threads = 1, .equalize = true, .correct_bias = true};
    const lc_status status = lc_model_quantize(arg, &o, &to, err);
    lc_model_destroy(to);
    lc_data_close(data);
    return status;
}

static void test_memory(void **unused) {
    (void)unused;
    lc_model *model = make_model(RELU);
    fault_check(work, model, &(fault_options){.step = 7});
    lc_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gain),
        cmocka_unit_test(test_same_function),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
