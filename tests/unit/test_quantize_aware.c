/*
 * test_quantize_aware.c: a net that is trained with rounding learns, becomes an integer model without samples, and that model computes what the
 * net says it will.
 */

#include "litec/train.h"
#include "ops/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 96, SIDE = 8, PIXELS = SIDE * SIDE * 2, CLASSES = 4 };

static float x[ROWS * PIXELS];
static int32_t y[ROWS];

/* A brighter quarter is the class. */
static lc_pipeline *data(void) {
    lc_error err;
    lc_pipeline *p;
    for (int i = 0; i < ROWS; i++) {
        y[i] = i % CLASSES;
        for (int k = 0; k < PIXELS; k++) {
            const int row = k / 2 / SIDE, column = k / 2 % SIDE;
            x[i * PIXELS + k] = sinf((float)(i * 37 + k * 11)) + (row / 4 * 2 + column / 4 == y[i] ? 2.0f : 0.0f);
        }
    }
    const lc_array xs = {.type = LC_FLOAT32, .rank = 4, .dims = {ROWS, SIDE, SIDE, 2}, .data = x, .size = sizeof x},
                   ys = {.type = LC_INT32, .rank = 1, .dims = {ROWS}, .data = y, .size = sizeof y};
    const lc_pipeline_arrays arrays = {.x = &xs, .x_count = 1, .y = &ys, .y_count = 1};
    if (lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = 16}, &p, &err)) fail_msg("%s", err.message);
    return p;
}

/* What is joined, what only moves numbers, a tensor that two layers read, a depthwise filter. */
static lc_net *make_net(void) {
    lc_error err;
    lc_net *net = lc_sequential("net");
    lc_add(net, LC_INPUT({SIDE, SIDE, 2}));
    lc_add(net, LC_CONV2D(6, {3, 3}));
    lc_add(net, LC_BATCH_NORMALIZATION());
    lc_add(net, LC_RELU());
    lc_add(net, LC_DEPTHWISE_CONV2D({3, 3}, .padding = "same", .activation = "relu"));
    lc_add(net, LC_MAX_POOLING2D());
    lc_add(net, LC_FLATTEN());
    lc_add(net, LC_DENSE(CLASSES, .activation = "softmax"));
    const lc_object metrics[] = {{"accuracy", NULL, NULL}, {NULL, NULL, NULL}};
    const lc_compile_options o = {.optimizer = LC_ADAM(0.01), .loss = {"sparse_categorical_crossentropy", NULL, NULL}, .metrics = metrics};
    if (lc_compile(net, &o, &err)) fail_msg("%s", err.message);
    return net;
}

static double accuracy(lc_net *net, lc_pipeline *p) {
    lc_error err;
    const lc_log *logs;
    size_t n;
    if (lc_evaluate(net, p, NULL, &logs, &n, &err)) fail_msg("%s", err.message);
    for (size_t i = 0; i < n; i++)
        if (strcmp(logs[i].name, "accuracy") == 0) return logs[i].value;
    return -1;
}

static void becomes_an_integer_model(void **state) {
    (void)state;
    lc_error err;
    lc_net *net = make_net();
    lc_pipeline *p = data();
    lc_model *model;
    lc_session *session;
    lc_array predicted;
    if (lc_fit(net, p, &(lc_fit_options){.epochs = 6}, NULL, &err)) fail_msg("%s", err.message);
    assert_int_equal(lc_net_quantize_aware(net, &(lc_quantize_aware_options){.ema_decay = 0.9}, &err), LC_OK);
    assert_int_equal(lc_pipeline_seek_epoch(p, 0, &err), LC_OK);
    if (lc_fit(net, p, &(lc_fit_options){.epochs = 6}, NULL, &err)) fail_msg("%s", err.message);
    assert_true(accuracy(net, p) > 0.9);

    if (lc_predict(net, p, NULL, &predicted, 1, &err)) fail_msg("%s", err.message);
    if (lc_net_convert(net, NULL, &model, &err)) fail_msg("%s", err.message);
    const lc_graph *g = model->graphs[0];
    for (size_t i = 0; i < g->node_count; i++) { /* floats only where they come in and go out */
        const lc_node *n = &g->nodes[i];
        const bool port = n->op == LC_OP_QUANTIZE || n->op == LC_OP_DEQUANTIZE;
        if (!port && g->tensors[n->outputs[0]].type != LC_INT8)
            fail_msg("%s is %s", lc_op_name(n->op), lc_dtype_name(g->tensors[n->outputs[0]].type));
    }
    if (lc_session_create(model, NULL, &session, &err)) fail_msg("%s", err.message);
    const int32_t dims[4] = {ROWS, SIDE, SIDE, 2}, *all[] = {dims}, rank = 4;
    assert_int_equal(lc_session_resize_inputs(session, all, &rank, &err), LC_OK);
    memcpy(lc_session_input(session, 0).data, x, sizeof x);
    assert_int_equal(lc_session_run(session, &err), LC_OK);
    const float *got = lc_session_output(session, 0).data, *wanted = predicted.data;
    double apart = 0;
    for (size_t i = 0; i < ROWS * CLASSES; i++) apart += fabs((double)(got[i] - wanted[i])) / (ROWS * CLASSES);
    if (apart > 0.01) fail_msg("the integer model is %g apart from what the net predicts", apart);
    lc_session_destroy(session);
    lc_model_destroy(model);
    lc_array_deinit(&predicted);
    lc_pipeline_close(p);
    lc_net_destroy(net);
}

static void float_until_it_is_asked_for(void **state) {
    (void)state;
    lc_error err;
    lc_net *net = make_net();
    lc_model *model;
    assert_int_equal(lc_net_quantize_aware(net, &(lc_quantize_aware_options){.ema_decay = 1}, &err), LC_ARGUMENT);
    assert_int_equal(lc_net_quantize_aware(net, NULL, &err), LC_OK); /* no batch was seen: there are no ranges */
    assert_int_equal(lc_net_convert(net, NULL, &model, &err), LC_OK);
    for (size_t i = 0; i < model->graphs[0]->tensor_count; i++) assert_int_not_equal(model->graphs[0]->tensors[i].type, LC_INT8);
    lc_model_destroy(model);
    lc_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(becomes_an_integer_model), cmocka_unit_test(float_until_it_is_asked_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
