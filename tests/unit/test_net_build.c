/*
 * Models that are described in C have the variables that Keras makes: names, shapes, order, what learns, the first values. The lists are
 * those of [w.path for w in model.weights] of Keras 3.15.
 */
#include "litec/train.h"

#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <string.h>

static void done(lc_status status, const lc_error *err) {
    if (status != LC_OK) fail_msg("%s (%s)", err->message, err->hint);
}

/* "dense/kernel 3x4; -batch_normalization/moving_mean 4; ": '-' does not learn. */
static void variables(const lc_net *net, lc_text *out) {
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable v = lc_net_variable_at(net, i);
        lc_text_printf(out, "%s%s ", v.trainable ? "" : "-", v.path);
        for (int32_t k = 0; k < v.rank; k++) lc_text_printf(out, "%s%d", k ? "x" : "", v.dims[k]);
        lc_text_add(out, "; ");
    }
}

/* A model of one layer that is called with `inputs` times its input. */
static lc_net *one(lc_object input, lc_object layer, size_t inputs) {
    lc_net *net = lc_functional(NULL);
    const lc_symbol x = lc_input(net, input), in[2] = {x, x}, y = lc_call_many(net, layer, in, inputs);
    lc_outputs(net, &y, 1);
    return net;
}

/* The file has everything: opened again, it has the same variables with the same values. */
static void check_file(lc_net *net, const lc_text *wanted) {
    char path[] = "/tmp/litec-net-XXXXXX.keras";
    const int fd = mkstemps(path, 6);
    assert_true(fd >= 0);
    close(fd);
    lc_error err = {0};
    lc_net *again;
    lc_text found = {0};
    done(lc_net_save(net, path, NULL, &err), &err);
    done(lc_net_open(path, NULL, &again, &err), &err);
    unlink(path);
    variables(again, &found);
    assert_string_equal(found.data, wanted->data);
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable a = lc_net_variable_at(net, i), b = lc_net_variable_at(again, i);
        assert_memory_equal(a.value, b.value, a.count * sizeof *a.value);
    }
    lc_text_deinit(&found);
    lc_net_destroy(again);
}

static void check(lc_net *net, const char *wanted) {
    lc_error err = {0};
    lc_text text = {0};
    done(lc_net_build(net, &err), &err);
    variables(net, &text);
    assert_string_equal(text.data, wanted);
    check_file(net, &text);
    lc_text_deinit(&text);
    lc_net_destroy(net);
}

#define STEPS LC_INPUT({5, 3})
#define IMAGE LC_INPUT({8, 8, 6})

static void test_recurrent(void **state) {
    (void)state;
    check(one(STEPS, LC_LSTM(4), 1), "lstm/lstm_cell/kernel 3x16; lstm/lstm_cell/recurrent_kernel 4x16; lstm/lstm_cell/bias 16; ");
    check(one(STEPS, LC_GRU(4), 1), "gru/gru_cell/kernel 3x12; gru/gru_cell/recurrent_kernel 4x12; gru/gru_cell/bias 2x12; ");
    check(one(STEPS, LC_SIMPLE_RNN(4, .no_bias = true), 1),
          "simple_rnn/simple_rnn_cell/kernel 3x4; simple_rnn/simple_rnn_cell/recurrent_kernel 4x4; ");
    check(one(STEPS, LC_BIDIRECTIONAL(LC_LSTM(4)), 1),
          "bidirectional/forward_lstm/lstm_cell/kernel 3x16; bidirectional/forward_lstm/lstm_cell/recurrent_kernel 4x16; "
          "bidirectional/forward_lstm/lstm_cell/bias 16; bidirectional/backward_lstm/lstm_cell/kernel 3x16; "
          "bidirectional/backward_lstm/lstm_cell/recurrent_kernel 4x16; bidirectional/backward_lstm/lstm_cell/bias 16; ");
    check(one(LC_INPUT({2, 5, 3}), LC_TIME_DISTRIBUTED(LC_GRU(2)), 1),
          "time_distributed/gru/gru_cell/kernel 3x6; time_distributed/gru/gru_cell/recurrent_kernel 2x6; "
          "time_distributed/gru/gru_cell/bias 2x6; ");
    check(one(STEPS, LC_TIME_DISTRIBUTED(LC_DENSE(4)), 1), "time_distributed/dense/kernel 3x4; time_distributed/dense/bias 4; ");
}

static void test_attention(void **state) {
    (void)state;
    check(one(LC_INPUT({6, 8}), LC_MULTI_HEAD_ATTENTION(2, 4), 2),
          "multi_head_attention/query/kernel 8x2x4; multi_head_attention/query/bias 2x4; multi_head_attention/key/kernel 8x2x4; "
          "multi_head_attention/key/bias 2x4; multi_head_attention/value/kernel 8x2x4; multi_head_attention/value/bias 2x4; "
          "multi_head_attention/attention_output/kernel 2x4x8; multi_head_attention/attention_output/bias 8; ");
    check(one(STEPS, LC_ATTENTION(.use_scale = true, .score_mode = "concat"), 2), "attention/scale ; attention/concat_score_weight ; ");
    check(one(STEPS, LC_ADDITIVE_ATTENTION(), 2), "additive_attention/scale 3; ");
}

/* What a loss of zeros says of one number x that goes through a layer. */
static double square_after(lc_object layer, float x) {
    lc_error err = {0};
    double value;
    const float y = 0;
    lc_net *net = one(LC_INPUT({1}), layer, 1);
    const lc_array xs = {.type = LC_FLOAT32, .rank = 2, .dims = {1, 1}, .data = &x, .size = sizeof x},
                   ys = {.type = LC_FLOAT32, .rank = 2, .dims = {1, 1}, .data = (void *)(uintptr_t)&y, .size = sizeof y};
    done(lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .loss = {"mse", NULL, NULL}}, &err), &err);
    done(lc_train_on_batch(net, &(lc_batch){.rows = 1, .x = &xs, .y = &ys}, &value, &err), &err);
    lc_net_destroy(net);
    return value;
}

static void no_variables(lc_net *net) { /* without variables */
    lc_error err = {0};
    done(lc_net_build(net, &err), &err);
    assert_int_equal(lc_net_variable_count(net), 0);
    lc_net_destroy(net);
}

static void test_several(void **state) {
    (void)state;
    check(one(STEPS, LC_LAYER_NORMALIZATION(.axes = {1, 2}), 1), "layer_normalization/gamma 5x3; layer_normalization/beta 5x3; ");
    no_variables(one(STEPS, LC_SOFTMAX(.axes = {1, 2}), 1));
    no_variables(one(STEPS, LC_DOT(.two_axes = {1, 1}), 2));
    no_variables(one(STEPS, LC_ATTENTION(.use_causal_mask = true), 2));
#define ONES .kernel_initializer = {"ones", NULL, NULL}
    assert_true(fabs(square_after(LC_DENSE(1, ONES, .activation_object = LC_LEAKY_RELU(0.2)), -1) - 0.04) < 1e-6);
    assert_true(fabs(square_after(LC_ACTIVATION(.activation_object = LC_RELU(6)), 7) - 36) < 1e-6);

    /* each step looks at itself alone: the mask is the identity */
    lc_error err = {0};
    lc_net *net = lc_functional(NULL);
    const lc_symbol x = lc_input(net, LC_INPUT({2, 1})), mask = lc_input(net, LC_INPUT({2, 2}));
    const lc_symbol y = lc_call_many(net, LC_MULTI_HEAD_ATTENTION(1, 1, ONES, .attention_mask = true), (lc_symbol[]){x, x, mask}, 3);
    lc_outputs(net, &y, 1);
    float numbers[2] = {3, 5}, looks[4] = {1, 0, 0, 1};
    const lc_array in[2] = {{.type = LC_FLOAT32, .rank = 3, .dims = {1, 2, 1}, .data = numbers, .size = sizeof numbers},
                            {.type = LC_FLOAT32, .rank = 3, .dims = {1, 2, 2}, .data = looks, .size = sizeof looks}},
                   want = {.type = LC_FLOAT32, .rank = 3, .dims = {1, 2, 1}, .data = numbers, .size = sizeof numbers};
    double value;
    done(lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .loss = {"mse", NULL, NULL}}, &err), &err);
    done(lc_train_on_batch(net, &(lc_batch){.rows = 1, .x = in, .y = &want}, &value, &err), &err);
    assert_true(value < 1e-9);
    lc_net_destroy(net);
}

static void test_convolutions(void **state) {
    (void)state;
    check(one(IMAGE, LC_SEPARABLE_CONV2D(9, {3}), 1),
          "separable_conv2d/depthwise_kernel 3x3x6x1; separable_conv2d/pointwise_kernel 1x1x6x9; separable_conv2d/bias 9; ");
    check(one(IMAGE, LC_DEPTHWISE_CONV2D({3}), 1), "depthwise_conv2d/kernel 3x3x6x1; depthwise_conv2d/bias 6; ");
    check(one(IMAGE, LC_CONV2D_TRANSPOSE(4, {3}, .no_bias = true), 1), "conv2d_transpose/kernel 3x3x4x6; ");
    check(one(IMAGE, LC_PRELU(.shared_axes = {1, 2}), 1), "p_re_lu/alpha 1x1x6; ");
}

static void test_normalisation(void **state) {
    (void)state;
    check(one(IMAGE, LC_BATCH_NORMALIZATION(.no_scale = true), 1),
          "batch_normalization/beta 6; -batch_normalization/moving_mean 6; -batch_normalization/moving_variance 6; ");
    check(one(IMAGE, LC_GROUP_NORMALIZATION(2), 1), "group_normalization/gamma 6; group_normalization/beta 6; ");
    check(one(IMAGE, LC_RMS_NORMALIZATION(), 1), "rms_normalization/scale 6; ");
    check(one(IMAGE, LC_NORMALIZATION(), 1), "-normalization/mean 6; -normalization/variance 6; -normalization/count ; ");
}

/* ---- models in models ------------------------------------------------------------------------------------------------------------ */

static void test_models_in_models(void **state) {
    (void)state;
    lc_net *inner = lc_sequential("inner"), *net = lc_functional("outer");
    lc_add(inner, LC_INPUT({3}));
    lc_add(inner, LC_DENSE(4));
    const lc_symbol x = lc_input(net, LC_INPUT({3}));
    const int32_t twin = lc_layer_make_model(net, inner);
    const lc_symbol both[2] = {lc_apply(net, twin, &x, 1), lc_call(net, LC_DENSE(4), x)}, y = lc_call_many(net, LC_ADD(), both, 2);
    lc_outputs(net, &y, 1);
    check(net, "inner/dense/kernel 3x4; inner/dense/bias 4; dense/kernel 3x4; dense/bias 4; ");
    lc_net_destroy(inner);
}

/* ---- first values ------------------------------------------------------------------------------------------------------------------ */

static lc_net *built(lc_net *net) {
    lc_error err = {0};
    done(lc_net_build(net, &err), &err);
    return net;
}

static void all_within(const lc_net *net, const char *path, double limit, double deviation) {
    const lc_net_variable v = lc_net_variable_find(net, path);
    assert_non_null(v.path);
    double sum = 0;
    for (size_t i = 0; i < v.count; i++) {
        assert_true(fabs((double)v.value[i]) <= limit * 1.000001);
        sum += (double)v.value[i] * (double)v.value[i];
    }
    const double found = sqrt(sum / (double)v.count);
    assert_true(fabs(found - deviation) < 0.15 * deviation);
}

/* Shapes that do not fit: the layer, what it is given, no size of a batch that nobody chose, and no talk of files. */
static void test_misfits(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"input 4\nconv2d 3 3", "line 2: layer \"conv2d\" (Conv2D): its input has 2 dimensions, needs 4; its input is [batch, 4]"},
        {"a = input 4\nx = dense 4 a\ny = dense 5 a\nz = add x y",
         "line 4: layer \"add\" (Add) does not fit its inputs [batch, 4] and [batch, 5]: 4 against 5"},
        {"input 8 8 3\nconv2d 4 9\nconv2d 4 3",
         "line 3: layer \"conv2d_1\" (Conv2D) does not fit its input [batch, 0, 0, 4]: a window of 3"},
        {"input 4\nreshape 3", "line 2: layer \"reshape\" (Reshape)"},
        {"input 4\ndense 3 RELU", "line 2: layer \"dense\" (Dense): option \"activation\" is \"RELU\""},
    };
    lc_net *net;
    lc_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        done(lc_net_from_text(cases[i].text, strlen(cases[i].text), NULL, &net, &err), &err);
        const lc_status status = lc_net_build(net, &err);
        if ((status != LC_INVALID && status != LC_UNSUPPORTED) || !strstr(err.message, cases[i].message) || !err.hint[0] ||
            strstr(err.hint, "file") || strstr(err.message, "[2"))
            fail_msg("%s: %d %s (%s)", cases[i].text, status, err.message, err.hint);
        if (strstr(cases[i].text, "RELU")) assert_string_equal(err.hint, "did you mean \"relu\"?");
        lc_net_destroy(net);
    }
    net = lc_sequential(NULL);
    lc_add(net, LC_INPUT({4}));
    lc_add(net, LC_CONV2D(3, {3}));
    assert_int_equal(lc_net_build(net, &err), LC_INVALID);
    assert_string_equal(err.message, "layer \"conv2d\" (Conv2D): its input has 2 dimensions, needs 4; its input is [batch, 4]");
    assert_null(strstr(err.hint, "file"));
    lc_net_destroy(net);
}

static void test_first_values(void **state) {
    (void)state;
    /* glorot of what is multiplied, not of what the shape looks like */
    lc_net *net = built(one(LC_INPUT({6, 32}), LC_MULTI_HEAD_ATTENTION(4, 8), 2));
    double limit = sqrt(6.0 / (32 + 32));
    all_within(net, "multi_head_attention/query/kernel", limit, limit / sqrt(3));
    all_within(net, "multi_head_attention/attention_output/kernel", limit, limit / sqrt(3));
    lc_net_destroy(net);

    net = built(one(IMAGE, LC_DEPTHWISE_CONV2D({3}, .depthwise_initializer = {.class_name = "ones"}), 1));
    all_within(net, "depthwise_conv2d/kernel", 1, 1);
    lc_net_destroy(net);

    net = built(one(LC_INPUT({5, 16}), LC_LSTM(16, .recurrent_initializer = {.class_name = "he_uniform"}), 1));
    limit = sqrt(6.0 / 16);
    all_within(net, "lstm/lstm_cell/recurrent_kernel", limit, limit / sqrt(3));
    const lc_net_variable bias = lc_net_variable_find(net, "lstm/lstm_cell/bias");
    for (size_t i = 0; i < bias.count; i++) assert_true(bias.value[i] == (i / 16 == 1 ? 1.0F : 0.0F));
    lc_net_destroy(net);

    net = built(one(LC_INPUT({5, 16}), LC_ADDITIVE_ATTENTION(), 2));
    limit = sqrt(6.0 / 32);
    all_within(net, "additive_attention/scale", limit, limit / sqrt(3));
    lc_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recurrent),    cmocka_unit_test(test_attention),     cmocka_unit_test(test_several),
        cmocka_unit_test(test_convolutions), cmocka_unit_test(test_normalisation), cmocka_unit_test(test_models_in_models),
        cmocka_unit_test(test_misfits),      cmocka_unit_test(test_first_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
