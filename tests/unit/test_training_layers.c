/*
 * test_training_layers.c: layers that do something in training only, by what their loss says: a model of one layer, whose targets are chosen such that
 * the mean square error is a statistic that is known. A layer does nothing when the model predicts, and two trainings with one seed are one.
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

enum { BATCH = 64, SIDE = 16, SIZE = SIDE * SIDE };

static float x[BATCH * SIZE], y[BATCH * SIZE];

static lc_net *net_of(lc_object layer, uint64_t seed) {
    lc_error err;
    lc_net *net = lc_sequential("net");
    lc_net_seed(net, seed);
    lc_add(net, LC_INPUT({SIDE, SIDE, 1}));
    lc_add(net, layer);
    if (lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .loss = {"mse", NULL, NULL}}, &err)) fail_msg("%s", err.message);
    return net;
}

/* Mean of (layer(x) - y)^2 in a step of training, of targets [BATCH, side, side, 1]. */
static double loss(lc_object layer, uint64_t seed, int32_t side) {
    lc_error err;
    double value;
    lc_net *net = net_of(layer, seed);
    const lc_array xs = {.type = LC_FLOAT32, .rank = 4, .dims = {BATCH, SIDE, SIDE, 1}, .data = x, .size = sizeof x},
                   ys = {.type = LC_FLOAT32,
                         .rank = 4,
                         .dims = {BATCH, side, side, 1},
                         .data = y,
                         .size = sizeof(float) * BATCH * (size_t)(side * side)};
    const lc_batch batch = {.rows = BATCH, .x = &xs, .y = &ys};
    if (lc_train_on_batch(net, &batch, &value, &err)) fail_msg("%s: %s", layer.class_name, err.message);
    lc_net_destroy(net);
    return value;
}

static void fill(float *to, float value) {
    for (int i = 0; i < BATCH * SIZE; i++) to[i] = value;
}

static void wanted(lc_object layer, double value, double tolerance) {
    const double once = loss(layer, 1, SIDE), other = loss(layer, 2, SIDE);
    if (!(fabs(once - value) <= tolerance)) fail_msg("%s: the mean square is %g, not %g", layer.class_name, once, value);
    assert_true(loss(layer, 1, SIDE) == once);
    assert_true(other != once);
}

/* 16,384 numbers: a mean square is known to about a hundredth of itself. */
static void noise(void **state) {
    (void)state;
    fill(x, 1), fill(y, 0);
    wanted(LC_GAUSSIAN_NOISE(0.5), 1.25, 0.05);
    wanted(LC_GAUSSIAN_DROPOUT(0.2), 1.25, 0.05);
    wanted(LC_DROPOUT(0.25), 1 / 0.75, 0.05);
    fill(y, 1);
    wanted(LC_GAUSSIAN_NOISE(0.5), 0.25, 0.02);
    wanted(LC_GAUSSIAN_DROPOUT(0.5), 1, 0.06);
    for (int i = 0; i < BATCH * SIZE; i++) x[i] = 1.7320508f * (2 * (float)((i * 7919) % 16384) / 16384 - 1); /* mean 0, variance 1 */
    fill(y, 0);
    wanted(LC_ALPHA_DROPOUT(0.3), 1, 0.06); /* keeps both */
    const double square = loss(LC_ALPHA_DROPOUT(0.3), 1, SIDE);
    fill(y, 1);
    assert_true(fabs(loss(LC_ALPHA_DROPOUT(0.3), 1, SIDE) - square - 1) < 0.06);
}

/* A SimpleRNN of one unit that adds up its inputs of 1 over 16 steps; without dropout it gives 16, with one mask a sample of its input 0 or 32, with
 * one of its state (which is then lost or doubled in all steps) 1 or 2^16 - 1. */
static lc_status recurrent(lc_object layer, double *value, lc_error *err) {
    static float ones[BATCH * SIDE], zeros[BATCH];
    lc_net *net = lc_sequential("net");
    for (int i = 0; i < BATCH * SIDE; i++) ones[i] = 1;
    lc_add(net, LC_INPUT({SIDE, 1}));
    lc_add(net, layer);
    const lc_array xs = {.type = LC_FLOAT32, .rank = 3, .dims = {BATCH, SIDE, 1}, .data = ones, .size = sizeof ones},
                   ys = {.type = LC_FLOAT32, .rank = 2, .dims = {BATCH, 1}, .data = zeros, .size = sizeof zeros};
    lc_status status = lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .loss = {"mse", NULL, NULL}}, err);
    if (status == LC_OK) status = lc_train_on_batch(net, &(lc_batch){.rows = BATCH, .x = &xs, .y = &ys}, value, err);
    lc_net_destroy(net);
    return status;
}

static void recurrent_dropout(void **state) {
    (void)state;
    lc_error err;
    double value, kept;
#define SUMS .activation = "linear", .kernel_initializer = {"ones", NULL, NULL}, .recurrent_initializer = { "ones", NULL, NULL }
    if (recurrent(LC_SIMPLE_RNN(1, SUMS), &value, &err)) fail_msg("%s", err.message);
    assert_true(fabs(value - 256) < 1e-3);
    if (recurrent(LC_SIMPLE_RNN(1, SUMS, .dropout = 0.5), &value, &err)) fail_msg("%s", err.message);
    kept = value / 1024 * BATCH;
    assert_true(fabs(kept - round(kept)) < 1e-3 && kept > BATCH / 4 && kept < BATCH * 3 / 4);
    if (recurrent(LC_SIMPLE_RNN(1, SUMS, .recurrent_dropout = 0.5), &value, &err)) fail_msg("%s", err.message);
    kept = value / (65535.0 * 65535.0) * BATCH;
    assert_true(fabs(kept - round(kept)) < 1e-3 && kept > BATCH / 4 && kept < BATCH * 3 / 4);
    assert_int_not_equal(recurrent(LC_SIMPLE_RNN(1, SUMS, .dropout = 1.5), &value, &err), LC_OK);
    assert_non_null(strstr(err.message, "dropout"));
}

/* A layer that looks at its whole batch is run once a step: each has its own mean, which the moving one follows in their order. One in two places
 * follows both, too. */
static void once_a_step(void **state) {
    (void)state;
    lc_error err;
    float steps[BATCH * 2], wanted[BATCH * 2];
    for (int i = 0; i < BATCH; i++) {
        const float around = i % 2 ? 1 : -1;
        steps[2 * i] = 1 + around, steps[2 * i + 1] = 5 + 2 * around; /* mean 1 and 5, variance 1 and 4 */
        wanted[2 * i] = wanted[2 * i + 1] = around;
    }
    lc_net *net = lc_sequential("net");
    lc_add(net, LC_INPUT({2, 1}));
    lc_add(net, LC_TIME_DISTRIBUTED(LC_BATCH_NORMALIZATION(.momentum = 0.9)));
    if (lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .loss = {"mse", NULL, NULL}}, &err)) fail_msg("%s", err.message);
    const lc_array xs = {.type = LC_FLOAT32, .rank = 3, .dims = {BATCH, 2, 1}, .data = steps, .size = sizeof steps},
                   ys = {.type = LC_FLOAT32, .rank = 3, .dims = {BATCH, 2, 1}, .data = wanted, .size = sizeof wanted};
    double value;
    if (lc_train_on_batch(net, &(lc_batch){.rows = BATCH, .x = &xs, .y = &ys}, &value, &err)) fail_msg("%s", err.message);
    assert_true(value < 1e-5);
    int found = 0;
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable v = lc_net_variable_at(net, i);
        const bool mean = strstr(v.path, "moving_mean") != NULL;
        if (!mean && !strstr(v.path, "moving_variance")) continue;
        const double is = mean ? 0.9 * 0.1 + 0.5 : 0.9 * (0.9 + 0.1) + 0.4;
        if (!(fabs((double)v.value[0] - is) < 1e-5)) fail_msg("%s is %g, not %g", v.path, (double)v.value[0], is);
        found++;
    }
    assert_int_equal(found, 2);
    lc_net_destroy(net);

    net = lc_functional("twice");
    lc_symbol in = lc_input(net, LC_INPUT({1}));
    const int32_t norm = lc_layer_make(net, LC_BATCH_NORMALIZATION(.momentum = 0.9, .no_center = true, .no_scale = true));
    const lc_symbol once = lc_apply(net, norm, &in, 1), twice = lc_apply(net, norm, &once, 1);
    lc_outputs(net, &twice, 1);
    if (lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .loss = {"mse", NULL, NULL}}, &err)) fail_msg("%s", err.message);
    for (int i = 0; i < BATCH; i++) steps[i] = i % 2 ? 6 : 4;
    const lc_array x2 = {.type = LC_FLOAT32, .rank = 2, .dims = {BATCH, 1}, .data = steps, .size = BATCH * sizeof(float)},
                   y2 = {.type = LC_FLOAT32, .rank = 2, .dims = {BATCH, 1}, .data = wanted, .size = BATCH * sizeof(float)};
    if (lc_train_on_batch(net, &(lc_batch){.rows = BATCH, .x = &x2, .y = &y2}, &value, &err)) fail_msg("%s", err.message);
    const lc_net_variable mean = lc_net_variable_at(net, 0);
    assert_non_null(strstr(mean.path, "moving_mean"));
    assert_true(fabs((double)mean.value[0] - 0.9 * 0.5) < 1e-5); /* 5, then 0 */
    lc_net_destroy(net);
}

/* Each picture is a ramp along the columns: mirrored it is far from itself, upside down it is not. */
static void flips(void **state) {
    (void)state;
    double apart = 0;
    for (int i = 0; i < BATCH * SIZE; i++) x[i] = y[i] = (float)(i % SIDE);
    for (int k = 0; k < SIDE; k++) apart += (double)(SIDE - 1 - 2 * k) * (SIDE - 1 - 2 * k) / SIDE;
    const double got = loss(LC_RANDOM_FLIP("horizontal"), 1, SIDE) / apart * BATCH; /* how many were mirrored */
    assert_true(fabs(got - round(got)) < 1e-3 && got > BATCH / 4 && got < BATCH * 3 / 4);
    assert_true(loss(LC_RANDOM_FLIP("vertical"), 1, SIDE) == 0);
}

static void brightness_and_contrast(void **state) {
    (void)state;
    fill(x, 100), fill(y, 100);
    const double bright = loss(LC_RANDOM_BRIGHTNESS({0.2}), 1, SIDE); /* 64 numbers of -51 ... 51: variance 867 */
    assert_true(bright > 400 && bright < 1400);
    assert_true(loss(LC_RANDOM_CONTRAST({0.5}), 1, SIDE) < 1e-6); /* all is the mean */
    for (int i = 0; i < BATCH * SIZE; i++) x[i] = y[i] = i % 2 ? 110 : 90;
    const double contrast = loss(LC_RANDOM_CONTRAST({0.5}), 1, SIDE); /* 10 times -0.5 ... 0.5: variance 100 / 12 */
    assert_true(contrast > 4 && contrast < 14);
}

/* A ramp of 1 a column that is moved by d columns is d apart from itself away from the edges; a picture of one value bears everything. */
static void warps(void **state) {
    (void)state;
    fill(x, 7), fill(y, 7);
    assert_true(loss(LC_RANDOM_ROTATION({0.3}), 1, SIDE) < 1e-9);
    assert_true(loss(LC_RANDOM_ZOOM(0.3), 1, SIDE) < 1e-9);
    assert_true(loss(LC_RANDOM_TRANSLATION(0.3, 0.2), 1, SIDE) < 1e-9);
    for (int i = 0; i < BATCH * SIZE; i++) x[i] = y[i] = (float)(i % SIDE);
    assert_true(loss(LC_RANDOM_TRANSLATION(0.3, -0.0), 1, SIDE) < 1e-9); /* down only */
    assert_true(loss(LC_RANDOM_TRANSLATION(-0.0, 0.2), 1, SIDE) > 0.5);
    assert_true(loss(LC_RANDOM_ROTATION({0.1}), 1, SIDE) > 0.5);
    assert_true(loss(LC_RANDOM_ZOOM(0.3), 1, SIDE) > 0.2);
    wanted(LC_RANDOM_ZOOM(0.3), loss(LC_RANDOM_ZOOM(0.3), 1, SIDE), 0);
}

/* Every picture is cut at the same place: columns c, c + 1 ... where 0, 1 ... were. */
static void crops(void **state) {
    (void)state;
    const int32_t side = 12;
    for (int i = 0; i < BATCH * SIZE; i++) x[i] = (float)(i % SIDE);
    for (int i = 0; i < BATCH * side * side; i++) y[i] = (float)(i % side);
    const double begin = sqrt(loss(LC_RANDOM_CROP(12, 12), 3, side));
    assert_true(fabs(begin - round(begin)) < 1e-3 && begin < SIDE - side + 0.5);
}

static void nothing_in_prediction(void **state) {
    (void)state;
    const lc_object layers[] = {LC_GAUSSIAN_NOISE(0.5), LC_ALPHA_DROPOUT(0.3), LC_RANDOM_FLIP("horizontal"), LC_RANDOM_ZOOM(0.3)};
    const lc_array xs = {.type = LC_FLOAT32, .rank = 4, .dims = {BATCH, SIDE, SIDE, 1}, .data = x, .size = sizeof x};
    const lc_pipeline_arrays arrays = {.x = &xs, .x_count = 1};
    for (int i = 0; i < BATCH * SIZE; i++) x[i] = (float)(i % 97);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        lc_error err;
        lc_array out;
        lc_pipeline *p;
        lc_net *net = net_of(layers[i], 1);
        assert_int_equal(lc_pipeline_from_arrays(&arrays, NULL, &p, &err), LC_OK);
        if (lc_predict(net, p, NULL, &out, 1, &err)) fail_msg("%s", err.message);
        assert_memory_equal(out.data, x, sizeof x);
        lc_array_deinit(&out);
        lc_pipeline_close(p);
        lc_net_destroy(net);
    }
}

/* A stateful layer goes on where the batch before it ended: a state that grows by 1/2 a step, three steps a batch. */
static void stateful(void **state) {
    (void)state;
    static const char json[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": ["
        "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [2, 3, 1], \"dtype\": \"float32\", \"name\": \"in\"}},"
        "{\"class_name\": \"SimpleRNN\", \"config\": {\"name\": \"rnn\", \"units\": 1, \"activation\": \"linear\", \"use_bias\": true, "
        "\"stateful\": true, \"kernel_initializer\": \"zeros\", \"recurrent_initializer\": \"ones\", \"bias_initializer\": "
        "{\"class_name\": \"Constant\", \"config\": {\"value\": 0.5}}}}]}}";
    lc_error err = {0};
    lc_net *net;
    float in[6] = {0}, out[2] = {0};
    const lc_array xs = {.type = LC_FLOAT32, .rank = 3, .dims = {2, 3, 1}, .data = in, .size = sizeof in},
                   ys = {.type = LC_FLOAT32, .rank = 2, .dims = {2, 1}, .data = out, .size = sizeof out};
    const lc_batch batch = {.rows = 2, .x = &xs, .y = &ys};
    if (lc_net_from_json(json, sizeof json - 1, NULL, &net, &err)) fail_msg("%s", err.message);
    if (lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(1e-30), .loss = {"mse", NULL, NULL}}, &err)) fail_msg("%s", err.message);
    for (int i = 1; i <= 3; i++) {
        double value;
        if (lc_train_on_batch(net, &batch, &value, &err)) fail_msg("%s", err.message);
        assert_true(fabs(value - 2.25 * i * i) < 1e-6);
    }
    lc_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(noise), cmocka_unit_test(recurrent_dropout),       cmocka_unit_test(once_a_step),
                                       cmocka_unit_test(flips), cmocka_unit_test(brightness_and_contrast), cmocka_unit_test(warps),
                                       cmocka_unit_test(crops), cmocka_unit_test(nothing_in_prediction),   cmocka_unit_test(stateful)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
