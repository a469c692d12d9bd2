/*
 * test_training_recurrent.c: what recurrent layers drop in training, and where: of what is multiplied with their kernels, by one mask a gate, and
 * never of the state that goes from step to step. The weights are chosen such that the mean square of the output is known for each way to drop.
 */
#include "litec/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 64, STEPS = 2, SIDE = 8, MOST = 16 };

static float ones[BATCH * STEPS * SIDE * SIDE], zeros[BATCH * SIDE * SIDE];

/* A step of training of this layer (JSON), which is called "l", on ones [BATCH, steps, ...]: the mean square of its output. slope: by how much the
 * variable's numbers went down together, at a rate of 1. */
static double trained(const char *layer, int32_t steps, bool images, const char *variable, double *slope) {
    char json[2000];
    lc_error err;
    lc_net *net;
    double value, before = 0, after = 0;
    const int n = snprintf(json, sizeof json,
                           "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": [{\"class_name\": \"InputLayer\", "
                           "\"config\": {\"batch_shape\": [null, %d%s, 1], \"name\": \"x\"}}, %s]}}",
                           steps, images ? ", 8, 8" : "", layer);
    if (lc_net_from_json(json, (size_t)n, NULL, &net, &err)) fail_msg("%s", err.message);
    const size_t one = images ? SIDE * SIDE : 1;
    lc_array xs = {.type = LC_FLOAT32, .data = ones, .size = sizeof(float) * BATCH * (size_t)steps * one},
             ys = {.type = LC_FLOAT32, .data = zeros, .size = sizeof(float) * BATCH * one};
    const int32_t dims[] = {BATCH, steps, SIDE, SIDE, 1}, flat[] = {BATCH, steps, 1}, out[] = {BATCH, SIDE, SIDE, 1};
    xs.rank = images ? 5 : 3;
    ys.rank = images ? 4 : 2;
    memcpy(xs.dims, images ? dims : flat, (size_t)xs.rank * sizeof *dims);
    memcpy(ys.dims, images ? out : (const int32_t[]){BATCH, 1}, (size_t)ys.rank * sizeof *dims);
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) ones[i] = 1;
    if (lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(1), .loss = {"mse", NULL, NULL}}, &err)) fail_msg("%s", err.message);
    const lc_net_variable v = variable ? lc_net_variable_find(net, variable) : (lc_net_variable){0};
    if (variable && !v.path) fail_msg("there is no %s", variable);
    for (size_t i = 0; i < v.count; i++) before += (double)v.value[i];
    if (lc_train_on_batch(net, &(lc_batch){.rows = BATCH, .x = &xs, .y = &ys}, &value, &err)) fail_msg("%s: %s", layer, err.message);
    for (size_t i = 0; i < v.count; i++) after += (double)v.value[i];
    if (slope) *slope = before - after;
    lc_net_destroy(net);
    return value;
}
static double sequence(const char *layer, int32_t steps) { return trained(layer, steps, false, NULL, NULL); }

#define INIT(kernel, recurrent, bias) \
    ", \"kernel_initializer\": \"" kernel "\", \"recurrent_initializer\": \"" recurrent "\", \"bias_initializer\": \"" bias \
    "\", \"unit_forget_bias\": false"
#define CELL(class, options) "{\"class_name\": \"" class "\", \"config\": {\"name\": \"l\", \"units\": 1" options "}}"
#define DROPS ", \"recurrent_dropout\": 0.5"
#define STILL INIT("zeros", "zeros", "ones")

static void same(const char *layer, double value) {
    const double got = sequence(layer, MOST);
    if (!(fabs(got - value) < 1e-6)) fail_msg("%s: %g, not %g", layer, got, value);
}

/* Without kernels there is nothing to drop: a GRU mixes its whole state into the next one. */
static void state_is_whole(void **state) {
    (void)state;
    const double after = sequence(CELL("GRU", STILL), MOST), before = sequence(CELL("GRU", STILL ", \"reset_after\": false"), MOST);
    assert_true(after > 0.1 && before > 0.1);
    same(CELL("GRU", STILL DROPS), after);
    same(CELL("GRU", STILL DROPS ", \"reset_after\": false"), before);
    same(CELL("LSTM", STILL DROPS), sequence(CELL("LSTM", STILL), MOST));
    same("{\"class_name\": \"Bidirectional\", \"config\": {\"name\": \"b\", \"merge_mode\": \"ave\", \"layer\": " CELL("GRU",
                                                                                                                       STILL DROPS) "}}",
         after);
    same(
        "{\"class_name\": \"RNN\", \"config\": {\"name\": \"r\", \"cell\": {\"class_name\": \"StackedRNNCells\", \"config\": {\"cells\": [" CELL(
            "GRUCell", STILL) ", " CELL("GRUCell", STILL DROPS) "]}}}}",
        after);
}

static void about(const char *layer, int32_t steps, bool images, double value, double tolerance) {
    const double got = trained(layer, steps, images, NULL, NULL);
    if (!(fabs(got - value) < tolerance)) fail_msg("%s: %g, not %g", layer, got, value);
}

/* After a step of gates 1 (h = 1, c = 1) those of the second are 1 or 3: h = o (f + i g). With masks of their own the mean of h^2 is
 * E[o^2] E[(f + i g)^2] = 5 (5 + 2 * 8 + 25) = 230; with one for all it would be (2^2 + 36^2) / 2 = 650. Of one step's input, h = o i g: 5^3 and
 * (1 + 27^2) / 2. A convolution has 64 numbers a sample, so that more is known of the mean. */
static void a_mask_a_gate(void **state) {
    (void)state;
#define LINEAR ", \"activation\": \"linear\", \"recurrent_activation\": \"linear\""
#define CONV(options) "{\"class_name\": \"ConvLSTM2D\", \"config\": {\"name\": \"l\", \"filters\": 1, \"kernel_size\": [1, 1]" options "}}"
    about(CONV(LINEAR INIT("zeros", "ones", "ones") DROPS), 2, true, 230, 30);
    about(CELL("LSTM", LINEAR INIT("zeros", "ones", "ones") DROPS), 2, false, 230, 140);
    about(CONV(LINEAR INIT("ones", "zeros", "ones") ", \"dropout\": 0.5"), 1, true, 125, 20);
    about(CELL("LSTM", LINEAR INIT("ones", "zeros", "ones") ", \"dropout\": 0.5, \"recurrent_dropout\": 0.1"), 1, false, 125, 75);
    about(CELL("LSTM", LINEAR INIT("ones", "zeros", "ones") ", \"dropout\": 0.5, \"implementation\": 1"), 1, false, 125, 75);
    about(CELL("LSTM", LINEAR INIT("ones", "zeros", "ones") ", \"dropout\": 0.5"), 1, false, 365, 100);
}

/* The slope of a recurrent kernel beside the difference of two losses with the same seed. */
static void slope_of(const char *class, const char *units, bool images, const char *variable) {
    double value[3], slope = 0;
    for (int k = 0; k < 3; k++) {
        char layer[700];
        snprintf(
            layer, sizeof layer,
            "{\"class_name\": \"%s\", \"config\": {\"name\": \"l\", %s, \"dropout\": 0.3, \"recurrent_dropout\": 0.4, \"recurrent_initializer\": "
            "{\"class_name\": \"Constant\", \"config\": {\"value\": %g}}, \"kernel_initializer\": {\"class_name\": \"Constant\", \"config\": "
            "{\"value\": 0.4}}}}",
            class, units, 0.3 + (k - 1) * 1e-2);
        value[k] = trained(layer, images ? STEPS : 5, images, k == 1 ? variable : NULL, k == 1 ? &slope : NULL);
    }
    const double wanted = (value[2] - value[0]) / 2e-2;
    if (!(fabs(wanted) > 1e-4 && fabs(slope - wanted) < 0.01 * fabs(wanted))) fail_msg("%s: a slope of %g, not %g", class, slope, wanted);
}

static void slopes(void **state) {
    (void)state;
    slope_of("GRU", "\"units\": 1", false, "l/gru_cell/recurrent_kernel");
    slope_of("GRU", "\"units\": 1, \"reset_after\": false", false, "l/gru_cell/recurrent_kernel");
    slope_of("LSTM", "\"units\": 1", false, "l/lstm_cell/recurrent_kernel");
    slope_of("SimpleRNN", "\"units\": 1", false, "l/simple_rnn_cell/recurrent_kernel");
    slope_of("ConvLSTM2D", "\"filters\": 1, \"kernel_size\": [2, 2], \"padding\": \"same\"", true, "l/conv_lstm_cell/recurrent_kernel");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(state_is_whole), cmocka_unit_test(a_mask_a_gate), cmocka_unit_test(slopes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
