/*
 * application_resnet.c: residual networks (He et al. 2015) and their second form (2016), in which normalisation and activation come before
 * the convolution. Four stacks of bottleneck blocks.
 */
#include "train/application.h"

#include <stdio.h>

#define EPSILON 1.001e-5

static void normalise(lc_app *a, const char *block, const char *layer) {
    lc_app_put(a, LC_BATCH_NORMALIZATION(.axis = 3, .epsilon = EPSILON, .name = lc_app_name(a, "%s_%s", block, layer)));
}

static void rectify(lc_app *a, const char *block, const char *layer) {
    lc_app_put(a, LC_ACTIVATION("relu", .name = lc_app_name(a, "%s_%s", block, layer)));
}

static void block_v1(lc_app *a, int32_t filters, int32_t stride, bool widens, const char *block) {
    const lc_symbol in = a->x;
    lc_symbol shortcut = in;
    if (widens) {
        lc_app_put(a, LC_CONV2D(4 * filters, {1}, {stride}, .name = lc_app_name(a, "%s_0_conv", block)));
        normalise(a, block, "0_bn");
        shortcut = a->x;
        a->x = in;
    }
    lc_app_put(a, LC_CONV2D(filters, {1}, {stride}, .name = lc_app_name(a, "%s_1_conv", block)));
    normalise(a, block, "1_bn");
    rectify(a, block, "1_relu");
    lc_app_put(a, LC_CONV2D(filters, {3}, .padding = "same", .name = lc_app_name(a, "%s_2_conv", block)));
    normalise(a, block, "2_bn");
    rectify(a, block, "2_relu");
    lc_app_put(a, LC_CONV2D(4 * filters, {1}, .name = lc_app_name(a, "%s_3_conv", block)));
    normalise(a, block, "3_bn");
    lc_app_join(a, LC_ADD(.name = lc_app_name(a, "%s_add", block)), shortcut, a->x);
    rectify(a, block, "out");
}

static void block_v2(lc_app *a, int32_t filters, int32_t stride, bool widens, const char *block) {
    const lc_symbol in = a->x;
    normalise(a, block, "preact_bn");
    rectify(a, block, "preact_relu");
    const lc_symbol active = a->x;
    lc_symbol shortcut = in;
    if (widens) {
        lc_app_put(a, LC_CONV2D(4 * filters, {1}, {stride}, .name = lc_app_name(a, "%s_0_conv", block)));
        shortcut = a->x;
    } else if (stride > 1) {
        a->x = in;
        lc_app_put(a, LC_MAX_POOLING2D({1}, {stride}));
        shortcut = a->x;
    }
    a->x = active;
    lc_app_put(a, LC_CONV2D(filters, {1}, .no_bias = true, .name = lc_app_name(a, "%s_1_conv", block)));
    normalise(a, block, "1_bn");
    rectify(a, block, "1_relu");
    lc_app_put(a, LC_ZERO_PADDING2D({{1, 1}, {1, 1}}, .name = lc_app_name(a, "%s_2_pad", block)));
    lc_app_put(a, LC_CONV2D(filters, {3}, {stride}, .no_bias = true, .name = lc_app_name(a, "%s_2_conv", block)));
    normalise(a, block, "2_bn");
    rectify(a, block, "2_relu");
    lc_app_put(a, LC_CONV2D(4 * filters, {1}, .name = lc_app_name(a, "%s_3_conv", block)));
    lc_app_join(a, LC_ADD(.name = lc_app_name(a, "%s_out", block)), shortcut, a->x);
}

static void stacks(lc_app *a, bool second) {
    for (int stack = 0; stack < 4; stack++) {
        const int blocks = (int)a->parameters[stack];
        for (int i = 1; i <= blocks; i++) {
            char name[32];
            snprintf(name, sizeof name, "conv%d_block%d", stack + 2, i);
            const int32_t filters = 64 << stack;
            /* The first form makes the picture smaller at the beginning of a stack, the second at its end. */
            if (second) block_v2(a, filters, i == blocks && stack < 3 ? 2 : 1, i == 1, name);
            else block_v1(a, filters, i == 1 && stack > 0 ? 2 : 1, i == 1, name);
        }
    }
}

static void resnet(lc_app *a, bool second) {
    lc_app_put(a, LC_ZERO_PADDING2D({{3, 3}, {3, 3}}, .name = "conv1_pad"));
    lc_app_put(a, LC_CONV2D(64, {7}, {2}, .name = "conv1_conv"));
    if (!second) {
        normalise(a, "conv1", "bn");
        rectify(a, "conv1", "relu");
    }
    lc_app_put(a, LC_ZERO_PADDING2D({{1, 1}, {1, 1}}, .name = "pool1_pad"));
    lc_app_put(a, LC_MAX_POOLING2D({3}, {2}, .name = "pool1_pool"));
    stacks(a, second);
    if (second) {
        normalise(a, "post", "bn");
        rectify(a, "post", "relu");
    }
    if (a->o->no_top) {
        lc_app_pool(a, "avg_pool", "max_pool");
    } else {
        lc_app_put(a, LC_GLOBAL_AVERAGE_POOLING2D(.name = "avg_pool"));
        lc_app_put(a, LC_DENSE(a->o->classes, .activation = a->o->classifier_activation, .name = "predictions"));
    }
    lc_app_name(a, "resnet%d%s", (int)a->parameters[4], second ? "v2" : "");
}

void lc_app_resnet(lc_app *a) { resnet(a, false); }
void lc_app_resnet_v2(lc_app *a) { resnet(a, true); }
