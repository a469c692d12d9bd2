/*
 * test_summary.c: the table of a model's layers, character by character as Keras 3.15 prints it on a terminal of 80 columns.
 */
#include "source/keras_read.h"
#include "litec/train.h"
#include "support/fault.h"
#include "train/describe.h"
#include "train/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Describes a model, writes it, reads it, and prints its summary with these facts. */
static lc_status summarise(lc_description *d, lc_summary s, lc_text *out, lc_error *err) {
    lc_arena arena = {0};
    lc_budget budget;
    lc_text json = {0};
    const lc_json *root;
    lc_keras_model *model;
    lc_budget_init(&budget, NULL);
    lc_status status = lc_describe_json(d, NULL, &json, err);
    lc_describe_end(d);
    if (status == LC_OK) status = lc_json_parse(json.data, json.size, &budget, &arena, &root, err);
    if (status == LC_OK) status = lc_keras_config(root, "3.15.0", &budget, &arena, &model, err);
    if (status == LC_OK) {
        s.model = model;
        status = lc_summary_write(&s, out, err);
    }
    lc_text_deinit(&json);
    lc_arena_deinit(&arena);
    return status;
}

static void check(lc_description *d, lc_summary s, const char *want) {
    lc_text out = {0};
    lc_error err;
    lc_error_clear(&err);
    if (summarise(d, s, &out, &err) != LC_OK) fail_msg("%s", err.message);
    assert_string_equal(out.data, want);
    lc_text_deinit(&out);
}

static void describe_digits(lc_description *d) {
    lc_describe_begin(d, true, "digits");
    lc_describe_layer(d, &LC_INPUT({28, 28}));
    lc_describe_layer(d, &LC_FLATTEN());
    lc_describe_layer(d, &LC_DENSE(128));
    lc_describe_layer(d, &LC_DROPOUT(0.2));
    lc_describe_layer(d, &LC_DENSE(10));
}

/* clang-format off */
#define DIGITS \
          "Model: \"digits\"\n" \
          "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n" \
          "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n" \
          "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n" \
          "│ flatten (Flatten)               │ (None, 784)            │             0 │\n" \
          "├─────────────────────────────────┼────────────────────────┼───────────────┤\n" \
          "│ dense (Dense)                   │ (None, 128)            │       100,480 │\n" \
          "├─────────────────────────────────┼────────────────────────┼───────────────┤\n" \
          "│ dropout (Dropout)               │ (None, 128)            │             0 │\n" \
          "├─────────────────────────────────┼────────────────────────┼───────────────┤\n" \
          "│ dense_1 (Dense)                 │ (None, 10)             │         1,290 │\n" \
          "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
/* clang-format on */

static const lc_summary_layer digits[] = {{"(None, 28, 28)", 0, false},
                                          {"(None, 784)", 0, false},
                                          {"(None, 128)", 100480, false},
                                          {"(None, 128)", 0, false},
                                          {"(None, 10)", 1290, false}};

static void test_chain(void **state) {
    (void)state;
    lc_description d;
    describe_digits(&d);
    check(&d, (lc_summary){.layers = digits, .trainable = {101770, 407080}},
          DIGITS " Total params: 101,770 (397.54 KB)\n"
                 " Trainable params: 101,770 (397.54 KB)\n"
                 " Non-trainable params: 0 (0.00 B)\n");
    describe_digits(&d);
    check(&d, (lc_summary){.layers = digits, .trainable = {101770, 407080}, .optimizer = {203542, 814172}, .has_optimizer = true},
          DIGITS " Total params: 305,312 (1.16 MB)\n"
                 " Trainable params: 101,770 (397.54 KB)\n"
                 " Non-trainable params: 0 (0.00 B)\n"
                 " Optimizer params: 203,542 (795.09 KB)\n");
}

static void test_unbuilt(void **state) {
    (void)state;
    static const lc_summary_layer layers[] = {{NULL, 0, true}, {NULL, 0, true}, {NULL, 0, true}};
    lc_description d;
    lc_describe_begin(&d, true, NULL);
    lc_describe_layer(&d, &LC_INPUT({28, 28}));
    lc_describe_layer(&d, &LC_FLATTEN(.name = "flatten_1"));
    lc_describe_layer(&d, &LC_DENSE(128, .name = "dense_2"));
    check(&d, (lc_summary){.layers = layers},
          "Model: \"sequential\"\n"
          "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
          "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
          "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
          "│ flatten_1 (Flatten)             │ ?                      │   0 (unbuilt) │\n"
          "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
          "│ dense_2 (Dense)                 │ ?                      │   0 (unbuilt) │\n"
          "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
          " Total params: 0 (0.00 B)\n"
          " Trainable params: 0 (0.00 B)\n"
          " Non-trainable params: 0 (0.00 B)\n");
}

static void test_graph(void **state) {
    (void)state;
    /* In the order of the layers in the configuration. */
    static const lc_summary_layer layers[] = {{"(None, 4)", 0, false}, {"(None, 4)", 0, false}, {"(None, 3)", 15, false},
                                              {"(None, 3)", 0, false}, {"(None, 6)", 0, false}, {"(None, 2)", 14, false},
                                              {"(None, 4)", 16, false}};
    lc_description d, inner;
    lc_describe_begin(&d, false, "functional_2");
    const lc_symbol a = lc_describe_input(&d, &LC_INPUT({4}, .name = "a")),
                    b = lc_describe_input(&d, &LC_INPUT({4}, .name = "input_layer_1"));
    const int32_t dense = lc_describe_layer(&d, &LC_DENSE(3, .name = "dense_3"));
    const lc_symbol p = lc_describe_call(&d, dense, &a, 1), q = lc_describe_call(&d, dense, &b, 1), r = lc_describe_call(&d, dense, &a, 1);
    const lc_symbol x = lc_describe_call(&d, lc_describe_layer(&d, &LC_ADD()), (lc_symbol[]){p, q}, 2);
    const lc_symbol z = lc_describe_call(&d, lc_describe_layer(&d, &LC_CONCATENATE()), (lc_symbol[]){x, r}, 2);
    lc_describe_begin(&inner, true, "sequential_1");
    lc_describe_layer(&inner, &LC_INPUT({6}));
    lc_describe_layer(&inner, &LC_DENSE(2));
    const lc_symbol u = lc_describe_call(&d, lc_describe_model(&d, &inner), &z, 1);
    const lc_object named = LC_DENSE(4, .name = "a_very_long_name_of_a_layer_that_goes_on_and_on");
    const lc_symbol v = lc_describe_call(&d, lc_describe_layer(&d, &named), &x, 1);
    lc_describe_end(&inner);
    lc_describe_outputs(&d, (lc_symbol[]){u, v}, 2);
    check(&d, (lc_summary){.layers = layers, .trainable = {45, 180}},
          "Model: \"functional_2\"\n"
          "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓\n"
          "┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃\n"
          "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩\n"
          "│ a (InputLayer)      │ (None, 4)         │          0 │ -                 │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ input_layer_1       │ (None, 4)         │          0 │ -                 │\n"
          "│ (InputLayer)        │                   │            │                   │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ dense_3 (Dense)     │ (None, 3)         │         15 │ a[0][0],          │\n"
          "│                     │                   │            │ input_layer_1[0]… │\n"
          "│                     │                   │            │ a[0][0]           │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ add (Add)           │ (None, 3)         │          0 │ dense_3[0][0],    │\n"
          "│                     │                   │            │ dense_3[1][0]     │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ concatenate         │ (None, 6)         │          0 │ add[0][0],        │\n"
          "│ (Concatenate)       │                   │            │ dense_3[2][0]     │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ sequential_1        │ (None, 2)         │         14 │ concatenate[0][0] │\n"
          "│ (Sequential)        │                   │            │                   │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ a_very_long_name_o… │ (None, 4)         │         16 │ add[0][0]         │\n"
          "│ (Dense)             │                   │            │                   │\n"
          "└─────────────────────┴───────────────────┴────────────┴───────────────────┘\n"
          " Total params: 45 (180.00 B)\n"
          " Trainable params: 45 (180.00 B)\n"
          " Non-trainable params: 0 (0.00 B)\n");
}

static void test_several_outputs(void **state) {
    (void)state;
    static const lc_summary_layer layers[] = {{"(None, 5, 8)", 0, false},
                                              {"[(None, 5, 3), (None, 3), (None, 3)]", 144, false},
                                              {"(None, 6)", 168, false},
                                              {"(None, 9)", 0, false}};
    lc_description d;
    lc_describe_begin(&d, false, "functional_4");
    const lc_symbol in = lc_describe_input(&d, &LC_INPUT({5, 8}, .name = "input_layer_4"));
    lc_symbol o = lc_describe_call(&d, lc_describe_layer(&d, &LC_LSTM(3, .return_state = true, .return_sequences = true)), &in, 1), h = o;
    h.tensor = 1;
    const lc_symbol b = lc_describe_call(&d, lc_describe_layer(&d, &LC_BIDIRECTIONAL(LC_LSTM(3))), &o, 1);
    const lc_symbol c = lc_describe_call(&d, lc_describe_layer(&d, &LC_CONCATENATE(.name = "concatenate_1")), (lc_symbol[]){b, h}, 2);
    lc_describe_outputs(&d, &c, 1);
    check(&d, (lc_summary){.layers = layers, .trainable = {312, 1248}},
          "Model: \"functional_4\"\n"
          "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓\n"
          "┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃\n"
          "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩\n"
          "│ input_layer_4       │ (None, 5, 8)      │          0 │ -                 │\n"
          "│ (InputLayer)        │                   │            │                   │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ lstm (LSTM)         │ [(None, 5, 3),    │        144 │ input_layer_4[0]… │\n"
          "│                     │ (None, 3), (None, │            │                   │\n"
          "│                     │ 3)]               │            │                   │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ bidirectional       │ (None, 6)         │        168 │ lstm[0][0]        │\n"
          "│ (Bidirectional)     │                   │            │                   │\n"
          "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
          "│ concatenate_1       │ (None, 9)         │          0 │ bidirectional[0]… │\n"
          "│ (Concatenate)       │                   │            │ lstm[0][1]        │\n"
          "└─────────────────────┴───────────────────┴────────────┴───────────────────┘\n"
          " Total params: 312 (1.22 KB)\n"
          " Trainable params: 312 (1.22 KB)\n"
          " Non-trainable params: 0 (0.00 B)\n");
}

/* A functional model that is one way from input to output looks like a sequential one, with its input. */
static void test_functional_chain(void **state) {
    (void)state;
    static const lc_summary_layer layers[] = {{"(None, 4)", 0, false}, {"(None, 3)", 15, false}, {"(None, 3)", 12, false}};
    lc_description d;
    lc_describe_begin(&d, false, "functional_3");
    const lc_symbol in = lc_describe_input(&d, &LC_INPUT({4}, .name = "input_layer_3"));
    const lc_symbol x = lc_describe_call(&d, lc_describe_layer(&d, &LC_DENSE(3, .name = "dense_5")), &in, 1);
    const lc_symbol y = lc_describe_call(&d, lc_describe_layer(&d, &LC_BATCH_NORMALIZATION()), &x, 1);
    lc_describe_outputs(&d, &y, 1);
    check(&d, (lc_summary){.layers = layers, .trainable = {6, 24}, .frozen = {21, 84}},
          "Model: \"functional_3\"\n"
          "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
          "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
          "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
          "│ input_layer_3 (InputLayer)      │ (None, 4)              │             0 │\n"
          "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
          "│ dense_5 (Dense)                 │ (None, 3)              │            15 │\n"
          "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
          "│ batch_normalization             │ (None, 3)              │            12 │\n"
          "│ (BatchNormalization)            │                        │               │\n"
          "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
          " Total params: 27 (108.00 B)\n"
          " Trainable params: 6 (24.00 B)\n"
          " Non-trainable params: 21 (84.00 B)\n");
}

static void test_shape(void **state) {
    (void)state;
    lc_text t = {0};
    lc_summary_shape(&t, (const int32_t[]){-1, 28, 1}, 3);
    lc_summary_shape(&t, (const int32_t[]){-1}, 1);
    assert_string_equal(t.data, "(None, 28, 1)(None)");
    lc_text_deinit(&t);
}

/* Of a model that can learn: shapes and parameters are its own; totals as Keras has them for these networks with 1000 classes. */
static void test_net(void **state) {
    (void)state;
    static const char text[] = "input 28 28\nflatten\ndense 128 relu\ndropout 0.2\ndense 10\n";
    static const char *const networks[][2] = {
        {"MobileNetV2", " Total params: 3,538,984 (13.50 MB)\n Trainable params: 3,504,872 (13.37 MB)\n"},
        {"MobileNet", " Total params: 4,253,864 (16.23 MB)\n Trainable params: 4,231,976 (16.14 MB)\n"}};
    lc_net *net;
    char *summary;
    lc_error err;
    assert_int_equal(lc_net_from_text(text, sizeof text - 1, NULL, &net, &err), LC_OK);
    assert_int_equal(lc_net_summary(net, &summary, &err), LC_OK);
    assert_non_null(strstr(summary, "\n│ flatten (Flatten)               │ (None, 784)            │             0 │\n"));
    assert_non_null(strstr(summary, " Total params: 101,770 (397.54 KB)\n"));
    lc_free(summary);
    lc_net_destroy(net);
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        assert_int_equal(lc_application(networks[i][0], NULL, &net, &err), LC_OK);
        assert_int_equal(lc_net_summary(net, &summary, &err), LC_OK);
        if (!strstr(summary, networks[i][1])) fail_msg("%s", strstr(summary, " Total"));
        lc_free(summary);
        lc_net_destroy(net);
    }
    assert_int_equal(lc_net_from_text("dense 3", 7, NULL, &net, &err), LC_OK);
    assert_int_equal(lc_net_summary(net, &summary, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "does not say the shape of its input"));
    assert_non_null(strstr(err.hint, "LC_INPUT"));
    assert_null(summary);
    lc_net_destroy(net);
    assert_int_equal(lc_application("VGG17", NULL, &net, &err), LC_ARGUMENT);
    assert_null(net);
    assert_int_equal(lc_net_from_text("dens 3", 6, NULL, &net, &err), LC_INVALID);
    assert_null(net);
}

static lc_status work(void *arg, lc_error *err) {
    lc_description d;
    lc_text out = {0};
    (void)arg;
    describe_digits(&d);
    const lc_status status = summarise(&d, (lc_summary){.layers = digits}, &out, err);
    lc_text_deinit(&out);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    fault_check(work, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_unbuilt),
        cmocka_unit_test(test_graph),
        cmocka_unit_test(test_several_outputs),
        cmocka_unit_test(test_functional_chain),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_net),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
