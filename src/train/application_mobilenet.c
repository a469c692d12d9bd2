/*
 * application_mobilenet.c: MobileNet (Howard et al. 2017), depthwise separable convolutions, and MobileNetV2 (Sandler et al. 2018), inverted
 * residuals with linear bottlenecks. alpha makes them wider or narrower.
 */
#include "train/application.h"

#include <stdio.h>

/* "mobilenet_1.00_224": the width and the height of the pictures. */
static void name_model(lc_app *a, const char *base) {
    const int32_t rows = a->o->input_shape[0];
    if (rows < 0) lc_app_name(a, "%s_%.2f_None", base, a->o->alpha);
    else lc_app_name(a, "%s_%.2f_%d", base, a->o->alpha, rows);
}

/* ---- the first form ----------------------------------------------------------------------------------------------- */

static void normalise(lc_app *a, const char *layer, int block) {
    lc_app_put(a, LC_BATCH_NORMALIZATION(.name = lc_app_name(a, "%s_%d_bn", layer, block)));
    lc_app_put(a, LC_RELU(6, .name = lc_app_name(a, "%s_%d_relu", layer, block)));
}

static void separable(lc_app *a, int32_t filters, int32_t stride, int block) {
    if (stride > 1) lc_app_put(a, LC_ZERO_PADDING2D({{0, 1}, {0, 1}}, .name = lc_app_name(a, "conv_pad_%d", block)));
    lc_app_put(a, LC_DEPTHWISE_CONV2D({3, 3}, {stride}, .padding = stride > 1 ? "valid" : "same", .no_bias = true,
                                      .depth_multiplier = a->o->depth_multiplier, .name = lc_app_name(a, "conv_dw_%d", block)));
    normalise(a, "conv_dw", block);
    lc_app_put(a, LC_CONV2D((int32_t)(filters * a->o->alpha), {1}, .padding = "same", .no_bias = true,
                            .name = lc_app_name(a, "conv_pw_%d", block)));
    normalise(a, "conv_pw", block);
}

void lc_app_mobilenet(lc_app *a) {
    static const struct {
        int32_t filters, stride;
    } blocks[13] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                    {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    lc_app_put(a, LC_CONV2D((int32_t)(32 * a->o->alpha), {3}, {2}, "same", .no_bias = true, .name = "conv1"));
    lc_app_put(a, LC_BATCH_NORMALIZATION(.name = "conv1_bn"));
    lc_app_put(a, LC_RELU(6, .name = "conv1_relu"));
    for (int i = 0; i < 13; i++) separable(a, blocks[i].filters, blocks[i].stride, i + 1);
    if (a->o->no_top) {
        lc_app_pool(a, NULL, NULL);
    } else {
        lc_app_put(a, LC_GLOBAL_AVERAGE_POOLING2D(.keepdims = true));
        lc_app_put(a, LC_DROPOUT(a->o->dropout, .name = "dropout"));
        lc_app_put(a, LC_CONV2D(a->o->classes, {1}, .padding = "same", .name = "conv_preds"));
        lc_app_put(a, LC_RESHAPE({a->o->classes}, .name = "reshape_2"));
        lc_app_put(a, LC_ACTIVATION(a->o->classifier_activation, .name = "predictions"));
    }
    name_model(a, "mobilenet");
}

/* ---- the second form ---------------------------------------------------------------------------------------------- */

static void normalise_v2(lc_app *a, const char *name) { lc_app_put(a, LC_BATCH_NORMALIZATION(.momentum = 0.999, .name = name)); }

static void inverted(lc_app *a, int32_t filters, int32_t stride, int block) {
    const lc_symbol in = a->x;
    const int32_t channels = a->channels, narrow = lc_app_by_eight((int32_t)(filters * a->o->alpha));
    char prefix[32] = "expanded_conv_";
    if (block) {
        snprintf(prefix, sizeof prefix, "block_%d_", block);
        lc_app_put(a, LC_CONV2D(6 * channels, {1}, .padding = "same", .no_bias = true, .name = lc_app_name(a, "%sexpand", prefix)));
        normalise_v2(a, lc_app_name(a, "%sexpand_BN", prefix));
        lc_app_put(a, LC_RELU(6, .name = lc_app_name(a, "%sexpand_relu", prefix)));
    }
    if (stride == 2) {
        const lc_app_margin m = lc_app_margin_of(a, 3);
        lc_app_put(a, LC_ZERO_PADDING2D({{m.top, m.bottom}, {m.left, m.right}}, .name = lc_app_name(a, "%spad", prefix)));
        lc_app_halve(a);
    }
    lc_app_put(a, LC_DEPTHWISE_CONV2D({3}, {stride}, .padding = stride == 1 ? "same" : "valid", .no_bias = true,
                                      .name = lc_app_name(a, "%sdepthwise", prefix)));
    normalise_v2(a, lc_app_name(a, "%sdepthwise_BN", prefix));
    lc_app_put(a, LC_RELU(6, .name = lc_app_name(a, "%sdepthwise_relu", prefix)));
    lc_app_put(a, LC_CONV2D(narrow, {1}, .padding = "same", .no_bias = true, .name = lc_app_name(a, "%sproject", prefix)));
    normalise_v2(a, lc_app_name(a, "%sproject_BN", prefix));
    a->channels = narrow;
    if (channels == narrow && stride == 1) lc_app_join(a, LC_ADD(.name = lc_app_name(a, "%sadd", prefix)), in, a->x);
}

void lc_app_mobilenet_v2(lc_app *a) {
    static const struct {
        int32_t filters, repeats, stride;
    } stages[7] = {{16, 1, 1}, {24, 2, 2}, {32, 3, 2}, {64, 4, 2}, {96, 3, 1}, {160, 3, 2}, {320, 1, 1}};
    a->channels = lc_app_by_eight(32 * a->o->alpha);
    lc_app_put(a, LC_CONV2D(a->channels, {3}, {2}, "same", .no_bias = true, .name = "Conv1"));
    lc_app_halve(a);
    normalise_v2(a, "bn_Conv1");
    lc_app_put(a, LC_RELU(6, .name = "Conv1_relu"));
    for (int stage = 0, block = 0; stage < 7; stage++)
        for (int i = 0; i < stages[stage].repeats; i++) inverted(a, stages[stage].filters, i ? 1 : stages[stage].stride, block++);
    lc_app_put(a, LC_CONV2D(a->o->alpha > 1 ? lc_app_by_eight(1280 * a->o->alpha) : 1280, {1}, .no_bias = true, .name = "Conv_1"));
    normalise_v2(a, "Conv_1_bn");
    lc_app_put(a, LC_RELU(6, .name = "out_relu"));
    if (a->o->no_top) {
        lc_app_pool(a, NULL, NULL);
    } else {
        lc_app_put(a, LC_GLOBAL_AVERAGE_POOLING2D());
        lc_app_put(a, LC_DENSE(a->o->classes, .activation = a->o->classifier_activation, .name = "predictions"));
    }
    name_model(a, "mobilenetv2");
}
