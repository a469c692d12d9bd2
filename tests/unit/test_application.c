/*
 * test_application.c: the networks of keras.applications: names, classes and connections of all layers as a checksum, which
 * tests/oracle/check_applications.py holds against Keras together with every option. What is refused; memory that is out.
 */
#include "source/keras_read.h"
#include "support/fault.h"
#include "train/application.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static uint32_t checksum(const lc_keras_model *m) {
    lc_text t = {0};
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        lc_text_printf(&t, "%s %s", l->name, l->class_name);
        for (uint32_t k = 0; l->call_count && k < l->calls[0].input_count; k++)
            lc_text_printf(&t, " %s", m->layers[l->calls[0].inputs[k].layer].name);
        lc_text_add(&t, "\n");
    }
    const uint32_t sum = (uint32_t)crc32(0, (const Bytef *)t.data, (uInt)t.size);
    lc_text_deinit(&t);
    return sum;
}

static void test_networks(void **state) {
    (void)state;
    static const struct {
        const char *name, *model;
        uint32_t layers, sum;
    } networks[] = {
        {"ResNet50", "resnet50", 177, 0x035161f6},
        {"ResNet50V2", "resnet50v2", 192, 0x823417d8},
        {"MobileNet", "mobilenet_1.00_32", 91, 0xd3b76e34},
        {"MobileNetV2", "mobilenetv2_1.00_32", 156, 0xfcda4972},
        {"VGG16", "vgg16", 23, 0xec74f0da},
        {"VGG19", "vgg19", 26, 0x589af61d},
        {"EfficientNetB0", "efficientnetb0", 240, 0xa50d5cb5},
        {"EfficientNetB3", "efficientnetb3", 387, 0x7eacbb86},
    };
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        lc_description d;
        lc_error err;
        lc_budget budget;
        lc_arena arena = {0};
        lc_text text = {0};
        const lc_json *root;
        lc_keras_model *m;
        lc_error_clear(&err);
        lc_budget_init(&budget, NULL);
        assert_int_equal(
            lc_describe_application(networks[i].name, &(lc_application_options){.input_shape = {32, 48, 3}, .classes = 10}, &d, &err),
            LC_OK);
        assert_int_equal(lc_describe_json(&d, NULL, &text, &err), LC_OK);
        assert_int_equal(lc_json_parse(text.data, text.size, &budget, &arena, &root, &err), LC_OK);
        assert_int_equal(lc_keras_config(root, "3.15.0", &budget, &arena, &m, &err), LC_OK);
        if (strcmp(m->name, networks[i].model) != 0 || m->layer_count != networks[i].layers || checksum(m) != networks[i].sum)
            fail_msg("{\"%s\", \"%s\", %u, 0x%08x},", networks[i].name, m->name, m->layer_count, checksum(m));
        lc_describe_end(&d);
        lc_text_deinit(&text);
        lc_arena_deinit(&arena);
    }
}

/* Margins before a stride of 2 depend on whether the size is even; open sizes count as even. */
static void test_sizes(void **state) {
    (void)state;
    static const struct {
        lc_application_options options;
        const char *stem, *name;
    } cases[] = {
        {{.input_shape = {32, 33, 3}}, "[[0, 1], [1, 1]]", "efficientnetb0"},
        {{.input_shape = {33, 32, 3}, .name = "mine"}, "[[1, 1], [0, 1]]", "mine"},
        {{.no_top = true}, "[[0, 1], [0, 1]]", "efficientnetb0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_description d;
        lc_text text = {0};
        lc_error err;
        assert_int_equal(lc_describe_application("efficientnetb0", &cases[i].options, &d, &err), LC_OK);
        assert_string_equal(d.name, cases[i].name);
        assert_int_equal(lc_describe_json(&d, NULL, &text, &err), LC_OK);
        const char *stem = strstr(text.data, "\"stem_conv_pad\"");
        assert_non_null(stem);
        const char *padding = strstr(stem, "\"padding\": ");
        assert_memory_equal(padding + 11, cases[i].stem, strlen(cases[i].stem));
        lc_text_deinit(&text);
        lc_describe_end(&d);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *name;
        lc_application_options options;
        const char *message, *hint;
    } cases[] = {
        {"ResNet50V3", {.classes = 1}, "there is no network \"ResNet50V3\"", "ResNet50V2"},
        {NULL, {.classes = 1}, "there is no network \"\"", ""},
        {"VGG16", {.input_shape = {31, 32, 3}}, "pictures of 31 x 32", "input_shape"},
        {"VGG16", {.input_shape = {32, 0, 3}}, "pictures of 32 x 0", ""},
        {"VGG16", {.input_shape = {32, -1, 3}}, "needs to know the size", "no_top"},
        {"VGG16", {.input_shape = {32, 32, 0}}, "0 channels", ""},
        {"VGG16", {.classes = -1}, "-1 classes", ""},
        {"VGG16", {.no_top = true, .pooling = "mean"}, "no pooling \"mean\"", "avg"},
        {"VGG16", {.alpha = 0.5}, "VGG16 has no alpha", "MobileNet"},
        {"MobileNetV2", {.dropout = 0.5}, "MobileNetV2 has no dropout", ""},
        {"MobileNet", {.alpha = -1}, "alpha is -1", ""},
        {"MobileNet", {.alpha = 1e300}, "alpha is 1e+300", ""},
        {"MobileNet", {.alpha = 0.01}, "has no filters", ""},
        {"MobileNet", {.dropout = 7}, "rate is 7", ""},
        {"MobileNet", {.depth_multiplier = -2}, "depth_multiplier is -2", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_description d;
        lc_error err;
        lc_error_clear(&err);
        assert_int_equal(lc_describe_application(cases[i].name, &cases[i].options, &d, &err), LC_ARGUMENT);
        if (!strstr(err.message, cases[i].message) || !strstr(err.hint, cases[i].hint)) fail_msg("%s / %s", err.message, err.hint);
        lc_describe_end(&d);
    }
}

static lc_status work(void *arg, lc_error *err) {
    lc_description d;
    (void)arg;
    LC_TRY(lc_describe_application("VGG16", NULL, &d, err));
    lc_describe_end(&d);
    return LC_OK;
}

static void test_no_memory(void **state) {
    (void)state;
    fault_check(work, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
