/*
 * A .tflite file that goes on learning (lc_net_save_trainable): its signature `train` makes the steps that lc_train_on_batch makes, `infer` gives
 * what the net gives, `save` and `restore` turn it back. The judge of the same files in LiteRT is tests/oracle/check_device.py.
 */
#include "base/arena.h"
#include "litec/train.h"
#include "support/ckpt_files.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 8, CLASSES = 3, SIDE = 6, STEPS = 6 };

static float x[ROWS][SIDE][SIDE][2];
static int32_t y[ROWS];

static void fill(void) {
    for (size_t i = 0; i < sizeof x / sizeof(float); i++) ((float *)x)[i] = sinf((float)i * 0.7f) + 0.01f * (float)(i % 7);
    for (int i = 0; i < ROWS; i++) y[i] = (i * 5) % CLASSES;
}

static lc_net *make(lc_object optimizer, lc_object norm) {
    lc_error err = {0};
    lc_net *net = lc_sequential("device");
    lc_add(net, LC_INPUT({SIDE, SIDE, 2}));
    lc_add(net, LC_CONV2D(4, {3, 3}, .padding = "same", .activation = "relu"));
    if (norm.class_name) lc_add(net, norm);
    lc_add(net, LC_MAX_POOLING2D());
    lc_add(net, LC_DEPTHWISE_CONV2D({2, 2}, .activation = "tanh"));
    lc_add(net, LC_FLATTEN());
    lc_add(net, LC_DENSE(CLASSES, .activation = "softmax"));
    const lc_compile_options o = {.optimizer = optimizer, .loss = {.class_name = "sparse_categorical_crossentropy"}};
    if (lc_compile(net, &o, &err)) fail_msg("%s", err.message);
    return net;
}

static lc_session *open(lc_model *model, const char *signature, lc_session *share) {
    lc_error err = {0};
    lc_session *s;
    if (lc_session_create(model, &(lc_session_options){.signature = signature, .share = share}, &s, &err))
        fail_msg("%s: %s", signature, err.message);
    return s;
}

static void run(lc_session *s) {
    lc_error err = {0};
    if (lc_session_run(s, &err)) fail_msg("%s", err.message);
}

static void infer(lc_session *s, float out[ROWS][CLASSES]) {
    lc_error err = {0};
    const int32_t dims[4] = {ROWS, SIDE, SIDE, 2};
    assert_int_equal(lc_session_resize_input(s, 0, dims, 4, &err), LC_OK);
    memcpy(lc_session_input(s, 0).data, x, sizeof x);
    run(s);
    memcpy(out, lc_session_output(s, 0).data, sizeof(float) * ROWS * CLASSES);
}

static float apart(const float *a, const float *b, size_t n) {
    float most = 0;
    for (size_t i = 0; i < n; i++) most = fmaxf(most, fabsf(a[i] - b[i]));
    return most;
}

static void steps_are_those_of_the_net(lc_object optimizer, lc_object norm) {
    lc_error err = {0};
    lc_model *model;
    lc_net *net = make(optimizer, norm);
    const char *path = ckpt_folder_path(&ckpt_test_folder, "device.tflite");
    if (lc_net_save_trainable(net, path, ROWS, &err)) fail_msg("%s | %s", err.message, err.hint);
    assert_int_equal(lc_model_open(path, NULL, &model, &err), LC_OK);
    lc_session *train = open(model, "train", NULL), *use = open(model, "infer", train), *save = open(model, "save", train),
               *restore = open(model, "restore", train);
    static float before[ROWS][CLASSES], after[ROWS][CLASSES], back[ROWS][CLASSES];
    infer(use, before);
    run(save);
    assert_int_equal(lc_session_output_count(save), lc_session_input_count(restore));
    for (size_t i = 0; i < lc_session_output_count(save); i++) { /* as it begins */
        const lc_tensor_view from = lc_session_output(save, i);
        const int32_t to = lc_session_find_input(restore, from.name);
        assert_true(to >= 0 || from.name);
        memcpy(lc_session_input(restore, i).data, from.data, from.size);
    }
    const lc_array ax = {.type = LC_FLOAT32, .rank = 4, .dims = {ROWS, SIDE, SIDE, 2}, .data = x, .size = sizeof x},
                   ay = {.type = LC_INT32, .rank = 1, .dims = {ROWS}, .data = y, .size = sizeof y};
    const lc_batch batch = {.rows = ROWS, .x = &ax, .y = &ay};
    double loss, first = 0;
    for (int i = 0; i < STEPS; i++) {
        memcpy(lc_session_input(train, 0).data, x, sizeof x);
        memcpy(lc_session_input(train, 1).data, y, sizeof y);
        run(train);
        assert_int_equal(lc_train_on_batch(net, &batch, &loss, &err), LC_OK);
        const float got = *(const float *)lc_session_output(train, 0).data;
        if (fabs((double)got - loss) > 1e-5) fail_msg("step %d: loss %g, the net says %g", i, (double)got, loss);
        if (i == 0) first = loss;
    }
    assert_true(loss < first);
    infer(use, after);
    assert_true(apart(&before[0][0], &after[0][0], ROWS * CLASSES) > 1e-3f);
    lc_model *now;
    lc_session *judge;
    assert_int_equal(lc_net_convert(net, NULL, &now, &err), LC_OK);
    assert_int_equal(lc_session_create(now, NULL, &judge, &err), LC_OK);
    static float wanted[ROWS][CLASSES];
    infer(judge, wanted);
    assert_true(apart(&wanted[0][0], &after[0][0], ROWS * CLASSES) < 1e-5f);
    run(restore);
    assert_int_equal(*(const int32_t *)lc_session_output(restore, 0).data, (int32_t)lc_session_input_count(restore));
    infer(use, back);
    assert_true(apart(&before[0][0], &back[0][0], ROWS * CLASSES) == 0);
    lc_session_destroy(judge);
    lc_model_destroy(now);
    lc_session_destroy(restore);
    lc_session_destroy(save);
    lc_session_destroy(use);
    lc_session_destroy(train);
    lc_model_destroy(model);
    lc_net_destroy(net);
}

static void with_each_optimizer(void **unused) {
    (void)unused;
    steps_are_those_of_the_net(LC_SGD(0.1), (lc_object){0});
    steps_are_those_of_the_net(LC_SGD(0.1, .momentum = 0.9), LC_BATCH_NORMALIZATION(.momentum = 0.5));
    steps_are_those_of_the_net(LC_SGD(0.1, .momentum = 0.9, .nesterov = true), (lc_object){0});
    steps_are_those_of_the_net(LC_ADAM(0.01), LC_BATCH_NORMALIZATION());
}

static void what_it_cannot_do_is_said(void **unused) {
    (void)unused;
    lc_error err = {0};
    const char *path = ckpt_folder_path(&ckpt_test_folder, "none.tflite");
    lc_net *net = make(LC_RMSPROP(0.1), (lc_object){0});
    assert_int_equal(lc_net_save_trainable(net, path, 4, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "RMSprop"));
    assert_non_null(strstr(err.hint, "Adam"));
    assert_int_equal(lc_compile(net, &(lc_compile_options){.optimizer = {.class_name = "sgd"}, .loss = {.class_name = "hinge"}}, &err),
                     LC_OK);
    assert_int_equal(lc_net_save_trainable(net, path, 4, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "hinge"));
    FILE *file = fopen(path, "rb"); /* nothing half written */
    assert_null(file);
    lc_net_destroy(net);
    net = lc_sequential("pools");
    lc_add(net, LC_INPUT({SIDE, SIDE, 2}));
    lc_add(net, LC_CONV2D(4, {3, 3}));
    lc_add(net, LC_MAX_POOLING2D({3, 3}, .strides = {1, 1}, .name = "overlapping"));
    lc_add(net, LC_FLATTEN());
    lc_add(net, LC_DENSE(CLASSES));
    assert_int_equal(lc_compile(net, &(lc_compile_options){.optimizer = {.class_name = "sgd"}, .loss = {.class_name = "mse"}}, &err),
                     LC_OK);
    assert_int_equal(lc_net_save_trainable(net, path, 4, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "overlapping"));
    lc_net_destroy(net);
    net = lc_sequential("new");
    lc_add(net, LC_INPUT({2}));
    lc_add(net, LC_DENSE(1));
    assert_int_equal(lc_net_save_trainable(net, path, 4, &err), LC_ARGUMENT); /* not compiled */
    lc_net_destroy(net);
}

typedef struct saving {
    lc_net *net;
    const char *path;
} saving;

static lc_status save_it(void *arg, lc_error *err) {
    const saving *s = arg;
    return lc_net_save_trainable(s->net, s->path, 4, err);
}

static void every_allocation_may_fail(void **unused) {
    (void)unused;
    static char path[4096];
    snprintf(path, sizeof path, "%s", ckpt_folder_path(&ckpt_test_folder, "fault.tflite"));
    lc_net *net = make(LC_ADAM(0.01), (lc_object){0});
    saving s = {net, path};
    fault_check(save_it, &s, &(fault_options){0});
    lc_net_destroy(net);
}

int main(void) {
    fill();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_each_optimizer),
        cmocka_unit_test(what_it_cannot_do_is_said),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, ckpt_test_folder_make, ckpt_test_folder_clean);
}
