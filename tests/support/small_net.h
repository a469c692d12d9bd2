/*
 * small_net.h: a small model and data by formula, which tests/oracle/make_fit.py has, too: what Keras made of them is in keras_fit.inc.
 */
#ifndef TEST_SMALL_NET_H
#define TEST_SMALL_NET_H

#include "litec/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 40, BATCH = 8 };

static float small_x[SAMPLES][4], small_numbers[SAMPLES][2], small_weights[SAMPLES];
static int32_t small_classes[SAMPLES];

static inline void small_data(void) {
    for (int i = 0; i < SAMPLES; i++) {
        for (int j = 0; j < 4; j++) small_x[i][j] = (float)sin(0.37 * (i * 4 + j));
        for (int j = 0; j < 2; j++) small_numbers[i][j] = (float)cos(0.21 * (i * 2 + j));
        small_classes[i] = i * i * 7 % 11 % 3;
        small_weights[i] = 0.25f * (float)(1 + i % 5);
    }
}

/* Keras's message, where something should have gone well. */
#define GOES_WELL(call) \
    do { \
        const lc_status status_ = (call); \
        if (status_ != LC_OK) fail_msg("%s: %s (%s)", #call, err.message, err.hint); \
    } while (0)

static inline void small_fill(lc_net *net) {
    int k = 0;
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable v = lc_net_variable_at(net, i);
        for (size_t j = 0; v.trainable && j < v.count; j++) v.value[j] = (float)(0.5 * cos(1.3 * (double)j + k));
        k += v.trainable;
    }
}

/* Classes from four numbers; `dropout`: between the layers. */
static inline lc_net *small_net(double dropout, const char *optimizer) {
    lc_error err = {0};
    lc_net *net = lc_sequential("small");
    lc_add(net, LC_INPUT({4}));
    lc_add(net, LC_DENSE(5, .activation = "tanh"));
    if (dropout > 0) lc_add(net, LC_DROPOUT(dropout));
    lc_add(net, LC_DENSE(3, .activation = "softmax"));
    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    const lc_compile_options o = {.optimizer = {.class_name = optimizer, .config = "{\"learning_rate\": 0.1}"},
                                  .loss = {.class_name = "sparse_categorical_crossentropy"},
                                  .metrics = metrics};
    GOES_WELL(lc_compile(net, &o, &err));
    small_fill(net);
    return net;
}

/* The first `count` samples from `begin` on. numbers: a target before the classes; weighted: with weights of the samples. */
static inline lc_pipeline *small_pipeline(uint32_t begin, uint32_t count, bool numbers, bool weighted, lc_pipeline_options o) {
    lc_error err = {0};
    lc_pipeline *p;
    const int32_t n = (int32_t)count;
    lc_array x = {.type = LC_FLOAT32, .rank = 2, .dims = {n, 4}, .data = small_x[begin], .size = count * sizeof small_x[0]};
    lc_array w = {.type = LC_FLOAT32, .rank = 1, .dims = {n}, .data = &small_weights[begin], .size = count * sizeof small_weights[0]};
    lc_array y[2] = {{.type = LC_FLOAT32, .rank = 2, .dims = {n, 2}, .data = small_numbers[begin], .size = count * sizeof small_numbers[0]},
                     {.type = LC_INT32, .rank = 1, .dims = {n}, .data = &small_classes[begin], .size = count * sizeof small_classes[0]}};
    const lc_pipeline_arrays arrays = {
        .x = &x, .y = numbers ? y : y + 1, .x_count = 1, .y_count = numbers ? 2 : 1, .weights = weighted ? &w : NULL};
    GOES_WELL(lc_pipeline_from_arrays(&arrays, &o, &p, &err));
    return p;
}

#endif
