/*
 * application_efficientnet.c: EfficientNet (Tan, Le 2019): inverted residuals with squeeze and excitation; B1 to B7 are B0 made wider and
 * deeper by two factors.
 */
#include "train/application.h"

#include <math.h>
#include <stdio.h>

#define CONV_INITIALIZER LC_VARIANCE_SCALING(2, "fan_out", "truncated_normal")
#define DENSE_INITIALIZER LC_VARIANCE_SCALING(1. / 3, "fan_out", "uniform")
#define DROP_CONNECT 0.2

/* One kind of block of B0. */
typedef struct stage {
    int32_t kernel, repeats, in, out, expand, stride;
} stage;

static const stage stages[7] = {
    {3, 1, 32, 16, 1, 1},  {3, 2, 16, 24, 6, 2},   {5, 2, 24, 40, 6, 2},   {3, 3, 40, 80, 6, 2},
    {5, 3, 80, 112, 6, 1}, {5, 4, 112, 192, 6, 2}, {3, 1, 192, 320, 6, 1},
};

static int32_t repeats(const lc_app *a, int i) { return (int32_t)ceil(a->parameters[1] * stages[i].repeats); }
static int32_t filters(const lc_app *a, int32_t n) { return lc_app_by_eight(n * a->parameters[0]); }

/* prefix_bn, prefix_activation */
static void activate(lc_app *a, const char *prefix) {
    lc_app_put(a, LC_BATCH_NORMALIZATION(.axis = 3, .name = lc_app_name(a, "%sbn", prefix)));
    lc_app_put(a, LC_ACTIVATION("silu", .name = lc_app_name(a, "%sactivation", prefix)));
}

/* What the whole picture holds of each channel says how much of the channel goes on. */
static void squeeze(lc_app *a, int32_t wide, int32_t narrow, const char *prefix) {
    const lc_symbol in = a->x;
    lc_app_put(a, LC_GLOBAL_AVERAGE_POOLING2D(.name = lc_app_name(a, "%sse_squeeze", prefix)));
    lc_app_put(a, LC_RESHAPE({1, 1, wide}, .name = lc_app_name(a, "%sse_reshape", prefix)));
    lc_app_put(a, LC_CONV2D(narrow, {1}, .padding = "same", .activation = "silu", .kernel_initializer = CONV_INITIALIZER,
                            .name = lc_app_name(a, "%sse_reduce", prefix)));
    lc_app_put(a, LC_CONV2D(wide, {1}, .padding = "same", .activation = "sigmoid", .kernel_initializer = CONV_INITIALIZER,
                            .name = lc_app_name(a, "%sse_expand", prefix)));
    lc_app_join(a, LC_MULTIPLY(.name = lc_app_name(a, "%sse_excite", prefix)), in, a->x);
}

static void block(lc_app *a, const stage *s, double drop, const char *prefix) {
    const lc_symbol in = a->x;
    const int32_t wide = s->in * s->expand;
    if (s->expand != 1) {
        lc_app_put(a, LC_CONV2D(wide, {1}, .padding = "same", .no_bias = true, .kernel_initializer = CONV_INITIALIZER,
                                .name = lc_app_name(a, "%sexpand_conv", prefix)));
        char expand[48];
        snprintf(expand, sizeof expand, "%sexpand_", prefix);
        activate(a, expand);
    }
    if (s->stride == 2) {
        const lc_app_margin m = lc_app_margin_of(a, s->kernel);
        lc_app_put(a, LC_ZERO_PADDING2D({{m.top, m.bottom}, {m.left, m.right}}, .name = lc_app_name(a, "%sdwconv_pad", prefix)));
        lc_app_halve(a);
    }
    lc_app_put(a, LC_DEPTHWISE_CONV2D({s->kernel}, {s->stride}, .padding = s->stride == 2 ? "valid" : "same", .no_bias = true,
                                      .depthwise_initializer = CONV_INITIALIZER, .name = lc_app_name(a, "%sdwconv", prefix)));
    activate(a, prefix);
    squeeze(a, wide, s->in / 4 > 1 ? s->in / 4 : 1, prefix);
    lc_app_put(a, LC_CONV2D(s->out, {1}, .padding = "same", .no_bias = true, .kernel_initializer = CONV_INITIALIZER,
                            .name = lc_app_name(a, "%sproject_conv", prefix)));
    lc_app_put(a, LC_BATCH_NORMALIZATION(.axis = 3, .name = lc_app_name(a, "%sproject_bn", prefix)));
    if (s->stride != 1 || s->in != s->out) return;
    if (drop > 0) lc_app_put(a, LC_DROPOUT(drop, .noise_shape = {1, 1, 1}, .name = lc_app_name(a, "%sdrop", prefix)));
    lc_app_join(a, LC_ADD(.name = lc_app_name(a, "%sadd", prefix)), a->x, in);
}

void lc_app_efficientnet(lc_app *a) {
    lc_app_put(a, LC_RESCALING(1. / 255));
    lc_app_put(a, LC_NORMALIZATION({3}));
    const lc_app_margin m = lc_app_margin_of(a, 3);
    lc_app_put(a, LC_ZERO_PADDING2D({{m.top, m.bottom}, {m.left, m.right}}, .name = "stem_conv_pad"));
    lc_app_halve(a);
    lc_app_put(a, LC_CONV2D(filters(a, 32), {3}, {2}, .no_bias = true, .kernel_initializer = CONV_INITIALIZER, .name = "stem_conv"));
    activate(a, "stem_");
    int32_t blocks = 0, done = 0;
    for (int i = 0; i < 7; i++) blocks += repeats(a, i);
    for (int i = 0; i < 7; i++) {
        stage s = stages[i];
        s.in = filters(a, s.in);
        s.out = filters(a, s.out);
        for (int32_t k = 0, n = repeats(a, i); k < n; k++) {
            char prefix[32];
            snprintf(prefix, sizeof prefix, "block%d%c_", i + 1, (char)('a' + k));
            block(a, &s, DROP_CONNECT * done++ / blocks, prefix);
            s.stride = 1;
            s.in = s.out;
        }
    }
    lc_app_put(a, LC_CONV2D(filters(a, 1280), {1}, .padding = "same", .no_bias = true, .kernel_initializer = CONV_INITIALIZER,
                            .name = "top_conv"));
    activate(a, "top_");
    if (a->o->no_top) {
        lc_app_pool(a, "avg_pool", "max_pool");
    } else {
        lc_app_put(a, LC_GLOBAL_AVERAGE_POOLING2D(.name = "avg_pool"));
        lc_app_put(a, LC_DROPOUT(a->parameters[2], .name = "top_dropout"));
        lc_app_put(a, LC_DENSE(a->o->classes, .activation = a->o->classifier_activation, .kernel_initializer = DENSE_INITIALIZER,
                               .name = "predictions"));
    }
    lc_app_name(a, "efficientnetb%d", (int)a->parameters[3]);
}
