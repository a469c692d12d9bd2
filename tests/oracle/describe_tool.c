/*
 * describe_tool.c: what litec writes as JSON, for the scripts that hold it against Keras.
 *
 *   describe_tool classes       each class with its defaults: kind, name and configuration, a line each
 *   describe_tool model NAME    a model described in C, one of those below
 *   describe_tool application NAME HEIGHT WIDTH CHANNELS CLASSES POOLING ALPHA      CLASSES 0: no top; "-" and 0: the default
 *   describe_tool text          the model in a text (model_text.h) on standard input
 */
#include "base/budget.h"
#include "train/application.h"
#include "train/model_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print(lc_status status, lc_text *text, const lc_error *err) {
    if (status == LC_OK) puts(text->data);
    else fprintf(stderr, "%s\n%s\n", err->message, err->hint);
    lc_text_deinit(text);
    return status != LC_OK;
}

static int classes(void) {
    static const char *const kinds[] = {
#define LC_CLASS_KIND(NAME, text, module) module,
        LC_CLASS_KINDS(LC_CLASS_KIND)
#undef LC_CLASS_KIND
    };
    lc_class class;
    for (uint32_t i = 0; lc_class_at(i, &class); i++) {
        lc_text text = {0};
        lc_error err;
        lc_error_clear(&err);
        lc_text_printf(&text, "%s %s ", kinds[class.kind], class.name);
        if (print(lc_object_write_config(&class, NULL, NULL, &text, &err), &text, &err)) return 1;
    }
    return 0;
}

static void sequential(lc_description *d) {
    lc_describe_begin(d, true, "digits");
    lc_describe_layer(d, &LC_INPUT({28, 28}));
    lc_describe_layer(d, &LC_FLATTEN());
    lc_describe_layer(d, &LC_DENSE(128, .activation = "relu"));
    lc_describe_layer(d, &LC_DROPOUT(0.2));
    lc_describe_layer(d, &LC_DENSE(10));
}

static lc_symbol call(lc_description *d, lc_object layer, lc_symbol in) {
    return lc_describe_call(d, lc_describe_layer(d, &layer), &in, 1);
}

static lc_symbol merge(lc_description *d, lc_object layer, lc_symbol a, lc_symbol b) {
    return lc_describe_call(d, lc_describe_layer(d, &layer), (lc_symbol[]){a, b}, 2);
}

/* Two inputs, two outputs, a shared layer, models within. */
static void functional(lc_description *d) {
    lc_description inner, other;
    lc_describe_begin(d, false, NULL);
    const lc_symbol a = lc_describe_input(d, &LC_INPUT({4}, .name = "a")), b = lc_describe_input(d, &LC_INPUT({4}));
    const int32_t dense = lc_describe_layer(d, &LC_DENSE(3));
    const lc_symbol x = merge(d, LC_ADD(), lc_describe_call(d, dense, &a, 1), lc_describe_call(d, dense, &b, 1));
    const lc_symbol y = merge(d, LC_MULTIPLY(), x, lc_describe_call(d, dense, &a, 1));
    call(d, LC_DENSE(7), x); /* leads nowhere */
    lc_describe_begin(&inner, true, NULL);
    lc_describe_layer(&inner, &LC_INPUT({6}));
    lc_describe_layer(&inner, &LC_DENSE(2));
    lc_describe_begin(&other, false, NULL);
    const lc_symbol q = lc_describe_input(&other, &LC_INPUT({3}));
    const lc_symbol r = call(&other, LC_DENSE(2), q);
    lc_describe_outputs(&other, &r, 1);
    const lc_symbol z = merge(d, LC_CONCATENATE(), x, y);
    const lc_symbol out[2] = {lc_describe_call(d, lc_describe_model(d, &inner), &z, 1),
                              lc_describe_call(d, lc_describe_model(d, &other), &x, 1)};
    lc_describe_outputs(d, out, 2);
    lc_describe_end(&inner);
    lc_describe_end(&other);
}

static void attention(lc_description *d) {
    lc_describe_begin(d, false, NULL);
    const lc_symbol a = lc_describe_input(d, &LC_INPUT({5}, .dtype = "int32"));
    const lc_symbol e = call(d, LC_EMBEDDING(10, 8, .mask_zero = false), a);
    const lc_symbol h = merge(d, LC_MULTI_HEAD_ATTENTION(2, 4), e, e);
    const lc_symbol m = merge(d, LC_ATTENTION(), h, e);
    const lc_symbol t = call(d, LC_TIME_DISTRIBUTED(LC_DENSE(3)), call(d, LC_LAYER_NORMALIZATION(), m));
    const lc_symbol b = call(d, LC_BIDIRECTIONAL(LC_GRU(3, .return_sequences = true)), t);
    lc_symbol s[3] = {call(d, LC_LSTM(6, .return_sequences = true, .return_state = true), b)};
    s[1] = s[2] = s[0];
    s[1].tensor = 1, s[2].tensor = 2;
    const lc_symbol last = lc_describe_call(d, lc_describe_layer(d, &LC_LSTM(6)), s, 3);
    lc_describe_outputs(d, &last, 1);
}

/* Several axes, activations with arguments, arguments of calls. */
static void several(lc_description *d) {
    lc_describe_begin(d, false, "several");
    const lc_symbol a = lc_describe_input(d, &LC_INPUT({5, 8})), mask = lc_describe_input(d, &LC_INPUT({5, 5}));
    lc_symbol x = call(d, LC_LAYER_NORMALIZATION(.axes = {1, 2}), a);
    x = call(d, LC_DENSE(8, .activation_object = LC_LEAKY_RELU(0.2)), x);
    x = call(d, LC_CONV1D(8, 3, .padding = "same", .activation_object = LC_RELU(6)), x);
    x = call(d, LC_ACTIVATION(.activation_object = LC_ELU(0.5)), x);
    x = merge(d, LC_MULTI_HEAD_ATTENTION(2, 4, .use_causal_mask = true), x, x);
    const int32_t masked = lc_describe_layer(d, &LC_MULTI_HEAD_ATTENTION(2, 4, .attention_mask = true));
    x = lc_describe_call(d, masked, (lc_symbol[]){x, a, mask}, 3);
    x = merge(d, LC_ATTENTION(.use_causal_mask = true), x, x);
    x = merge(d, LC_DOT(.two_axes = {2, 1}), mask, x);
    x = call(d, LC_SOFTMAX(.axes = {-2, -1}), x);
    lc_describe_outputs(d, &x, 1);
}

/* A value other than the default in every kind of option. */
static void options(lc_description *d) {
    lc_describe_begin(d, true, "options");
    lc_describe_layer(d, &LC_INPUT({32, -1, 3}));
    lc_describe_layer(d, &LC_RESCALING(1. / 255, .offset = -1));
    lc_describe_layer(d, &LC_RANDOM_ROTATION({0.1}));
    lc_describe_layer(d, &LC_RANDOM_ZOOM(0.2, -0.5));
    lc_describe_layer(d, &LC_RANDOM_CONTRAST({0.25}));
    lc_describe_layer(d, &LC_RESIZING(24, 24, .interpolation = "nearest"));
    lc_describe_layer(d, &LC_ZERO_PADDING2D({{0, 1}, {2, 3}}));
    lc_describe_layer(d, &LC_CONV2D(8, {3}, {2, 1}, "same", .no_bias = true, .frozen = true));
    lc_describe_layer(d, &LC_BATCH_NORMALIZATION(.momentum = 0.9, .epsilon = -0.0, .no_scale = true, .name = "bn"));
    lc_describe_layer(d, &LC_RELU(6));
    lc_describe_layer(d, &LC_PRELU(.shared_axes = {1, 2}));
    lc_describe_layer(d, &LC_DEPTHWISE_CONV2D({3, 3}, .depth_multiplier = 2));
    lc_describe_layer(d, &LC_MAX_POOLING2D({3, 2}));
    lc_describe_layer(d, &LC_AVERAGE_POOLING2D(.strides = {1}, .padding = "same"));
    lc_describe_layer(d, &LC_CROPPING2D({{1, 0}, {0, 1}}));
    lc_describe_layer(d, &LC_UP_SAMPLING2D({2, 3}));
    lc_describe_layer(d, &LC_PERMUTE({2, 1, 3}));
    lc_describe_layer(d, &LC_RESHAPE({-1, 4}));
    lc_describe_layer(d, &LC_LEAKY_RELU(0.1));
    lc_describe_layer(d, &LC_SPATIAL_DROPOUT1D(0.5, .seed = 7));
    lc_describe_layer(d, &LC_SEPARABLE_CONV1D(4, 3, .dilation_rate = 2));
    lc_describe_layer(d, &LC_GLOBAL_AVERAGE_POOLING1D());
    lc_describe_layer(d, &LC_DENSE(2, .activation = "softmax"));
}

static int application(char **argv) {
    const lc_application_options o = {.input_shape = {atoi(argv[1]), atoi(argv[2]), atoi(argv[3])},
                                      .classes = atoi(argv[4]),
                                      .no_top = atoi(argv[4]) == 0,
                                      .pooling = strcmp(argv[5], "-") == 0 ? NULL : argv[5],
                                      .alpha = atof(argv[6])};
    lc_description d;
    lc_text text = {0};
    lc_error err;
    lc_error_clear(&err);
    lc_status status = lc_describe_application(argv[0], &o, &d, &err);
    if (status == LC_OK) status = lc_describe_json(&d, NULL, &text, &err);
    lc_describe_end(&d);
    return print(status, &text, &err);
}

static int text_model(void) {
    static char in[1 << 22];
    const size_t size = fread(in, 1, sizeof in, stdin);
    lc_description d;
    lc_budget budget;
    lc_text text = {0};
    lc_error err;
    lc_error_clear(&err);
    lc_budget_init(&budget, NULL);
    lc_status status = lc_model_text_read(in, size, &budget, &d, &err);
    if (status == LC_OK) status = lc_describe_json(&d, NULL, &text, &err);
    lc_describe_end(&d);
    return print(status, &text, &err);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*make)(lc_description *d);
    } models[] = {
        {"sequential", sequential}, {"functional", functional}, {"attention", attention}, {"options", options}, {"several", several}};
    if (argc == 2 && strcmp(argv[1], "classes") == 0) return classes();
    if (argc == 2 && strcmp(argv[1], "text") == 0) return text_model();
    if (argc == 9 && strcmp(argv[1], "application") == 0) return application(argv + 2);
    for (size_t i = 0; argc == 3 && i < sizeof models / sizeof models[0]; i++)
        if (strcmp(argv[2], models[i].name) == 0) {
            lc_description d;
            lc_text text = {0};
            lc_error err;
            lc_error_clear(&err);
            models[i].make(&d);
            const lc_status status = lc_describe_json(&d, NULL, &text, &err);
            lc_describe_end(&d);
            return print(status, &text, &err);
        }
    fprintf(stderr, "describe_tool classes | text | model NAME | application NAME HEIGHT WIDTH CHANNELS CLASSES POOLING ALPHA\n");
    return 2;
}
