/*
 * test_describe.c: models described in C: names, options, connections and order as Keras has them, read back by the reader of configurations;
 * what is refused; memory that is out. tests/oracle/check_objects.py lets Keras judge the same text.
 */
#include "source/keras_read.h"
#include "support/fault.h"
#include "train/describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct read_back {
    lc_budget budget;
    lc_arena arena;
    lc_text text;
    lc_keras_model *model;
} read_back;

static lc_status finish(lc_description *d, read_back *b, lc_error *err) {
    const lc_json *root;
    *b = (read_back){0};
    lc_budget_init(&b->budget, NULL);
    lc_status status = lc_describe_json(d, NULL, &b->text, err);
    lc_describe_end(d);
    if (status == LC_OK) status = lc_json_parse(b->text.data, b->text.size, &b->budget, &b->arena, &root, err);
    if (status == LC_OK) status = lc_keras_config(root, "3.15.0", &b->budget, &b->arena, &b->model, err);
    return status;
}

static void release(read_back *b) {
    lc_text_deinit(&b->text);
    lc_arena_deinit(&b->arena);
}

static read_back finish_well(lc_description *d) {
    read_back b;
    lc_error err;
    lc_error_clear(&err);
    if (finish(d, &b, &err) != LC_OK) fail_msg("%s", err.message);
    return b;
}

static const lc_json *option(const read_back *b, uint32_t layer, const char *name) {
    return lc_json_get(b->model->layers[layer].config, name);
}

static lc_symbol call(lc_description *d, lc_object layer, lc_symbol in) {
    return lc_describe_call(d, lc_describe_layer(d, &layer), &in, 1);
}

static lc_symbol join(lc_description *d, lc_object layer, lc_symbol a, lc_symbol b) {
    return lc_describe_call(d, lc_describe_layer(d, &layer), (lc_symbol[]){a, b}, 2);
}

/* ---- sequential --------------------------------------------------------------------------------------------------- */

static void test_sequential(void **state) {
    (void)state;
    lc_description d;
    lc_describe_begin(&d, true, "digits");
    lc_describe_layer(&d, &LC_INPUT({28, 28}));
    lc_describe_layer(&d, &LC_FLATTEN());
    lc_describe_layer(&d, &LC_DENSE(128, .activation = "relu"));
    lc_describe_layer(&d, &LC_DROPOUT(0.2));
    lc_describe_layer(&d, &LC_DENSE(10, .frozen = true));
    read_back b = finish_well(&d);
    static const char *const names[] = {"input_layer", "flatten", "dense", "dropout", "dense_1"};
    assert_string_equal(b.model->name, "digits");
    assert_string_equal(b.model->class_name, "Sequential");
    assert_int_equal(b.model->layer_count, 5);
    for (uint32_t i = 0; i < 5; i++) assert_string_equal(b.model->layers[i].name, names[i]);
    assert_int_equal(option(&b, 2, "units")->integer, 128);
    assert_string_equal(option(&b, 2, "activation")->string, "relu");
    assert_true(option(&b, 2, "trainable")->boolean);
    assert_false(option(&b, 4, "trainable")->boolean);
    assert_true(option(&b, 3, "rate")->real == 0.2);
    assert_non_null(strstr(b.text.data, "\"batch_shape\": [null, 28, 28]"));
    release(&b);
}

/* Zero is the default, -0.0 is zero; the text of each kind of option. */
static void test_options(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\"batch_shape\": [null, 32, null, 3]",
        "\"factor\": [-0.1, 0.1]",
        "\"factor\": [0.0, 0.25]",
        "\"padding\": [[0, 1], [2, 3]]",
        "\"kernel_size\": [3, 3]",
        "\"strides\": [2, 1]",
        "\"use_bias\": false",
        "\"momentum\": 0.99, \"epsilon\": 0.0",
        "\"pool_size\": [3, 2], \"strides\": [3, 2]",
        "\"target_shape\": [-1, 4]",
        "\"shared_axes\": [1, 2]",
        "\"max_value\": 6.0",
        "\"kernel_size\": [5]",
        "\"noise_shape\": [null, 1, 4]",
        "\"seed\": 0",
        "{\"name\": \"normalization\", \"mean\": [1, 2], \"variance\": [3, 4]}",
        "{\"name\": \"flatten\" }",
        "\"class_name\": \"L2\", \"config\": {\"l2\": 0.5}",
    };
    lc_description d;
    lc_describe_begin(&d, true, NULL);
    lc_describe_layer(&d, &LC_INPUT({32, -1, 3}));
    lc_describe_layer(&d, &LC_RANDOM_ROTATION({0.1}, .seed = -0.0));
    lc_describe_layer(&d, &LC_RANDOM_CONTRAST({0.25}));
    lc_describe_layer(&d, &LC_ZERO_PADDING2D({{0, 1}, {2, 3}}));
    lc_describe_layer(&d,
                      &LC_CONV2D(8, {3}, {2, 1}, "same", .no_bias = true, .kernel_regularizer = {"l2", &(const lc_l2){.l2 = 0.5}, NULL}));
    lc_describe_layer(&d, &LC_BATCH_NORMALIZATION(.epsilon = -0.0));
    lc_describe_layer(&d, &LC_PRELU(.shared_axes = {1, 2}));
    lc_describe_layer(&d, &LC_RELU(6));
    lc_describe_layer(&d, &LC_MAX_POOLING2D({3, 2}));
    lc_describe_layer(&d, &LC_RESHAPE({-1, 4}));
    lc_describe_layer(&d, &LC_DROPOUT(0.5, .noise_shape = {1, 4}));
    lc_describe_layer(&d, &LC_CONV1D(4, 5));
    lc_describe_layer(&d, &(lc_object){"Normalization", NULL, "{\"mean\": [1, 2], \"variance\": [3, 4]}"});
    lc_describe_layer(&d, &(lc_object){"flatten", NULL, "{ }"});
    read_back b = finish_well(&d);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!strstr(b.text.data, texts[i])) fail_msg("%s is not in %s", texts[i], b.text.data);
    release(&b);
}

/* ---- functional --------------------------------------------------------------------------------------------------- */

/* A shared layer, a layer that leads nowhere, models within, two inputs, two outputs. */
static lc_status describe_graph(lc_description *d) {
    lc_description inner, other;
    lc_describe_begin(d, false, NULL);
    const lc_symbol a = lc_describe_input(d, &LC_INPUT({4}, .name = "a")), b = lc_describe_input(d, &LC_INPUT({4}));
    const int32_t dense = lc_describe_layer(d, &LC_DENSE(3));
    lc_describe_call(d, dense, &a, 1); /* not used: not counted among its calls */
    const lc_symbol p = lc_describe_call(d, dense, &a, 1), q = lc_describe_call(d, dense, &b, 1);
    const lc_symbol x = join(d, LC_ADD(), p, q);
    call(d, LC_DENSE(7), x);
    lc_describe_begin(&inner, true, NULL);
    lc_describe_layer(&inner, &LC_INPUT({3}));
    lc_describe_layer(&inner, &LC_DENSE(2));
    lc_describe_begin(&other, false, NULL);
    const lc_symbol i = lc_describe_input(&other, &LC_INPUT({3}));
    const lc_symbol o = call(&other, LC_DENSE(2), i);
    lc_describe_outputs(&other, &o, 1);
    const lc_symbol out[2] = {lc_describe_call(d, lc_describe_model(d, &inner), &x, 1),
                              lc_describe_call(d, lc_describe_model(d, &other), &x, 1)};
    lc_describe_outputs(d, out, 2);
    lc_describe_end(&inner);
    lc_describe_end(&other);
    return d->status;
}

static void test_functional(void **state) {
    (void)state;
    lc_description d;
    assert_int_equal(describe_graph(&d), LC_OK);
    read_back b = finish_well(&d);
    static const char *const names[] = {"a", "input_layer", "dense", "add", "sequential", "functional"};
    assert_string_equal(b.model->name, "functional");
    assert_int_equal(b.model->layer_count, 6);
    for (uint32_t i = 0; i < 6; i++) assert_string_equal(b.model->layers[i].name, names[i]);
    assert_int_equal(b.model->input_count, 2);
    assert_int_equal(b.model->output_count, 2);
    assert_int_equal(b.model->layers[2].call_count, 2);
    const lc_keras_call *add = &b.model->layers[3].calls[0];
    assert_int_equal(add->input_count, 2);
    assert_int_equal(add->inputs[0].layer, 2);
    assert_int_equal(add->inputs[0].node, 0);
    assert_int_equal(add->inputs[1].node, 1);
    assert_int_equal(b.model->outputs[1].layer, 5);
    assert_int_equal(b.model->layers[4].model->layer_count, 2);
    assert_string_equal(b.model->layers[5].model->layers[1].name, "dense");
    /* Of a functional model within, Keras counts its own call in the outputs of the model around it. */
    assert_non_null(strstr(b.text.data, "\"output_layers\": [[\"sequential\", 0, 0], [\"functional\", 1, 0]]"));
    release(&b);
}

/* By depth from the outputs, then as a walk from the outputs meets them: the shortcut stands beside the last layer of the way around. */
static void test_order(void **state) {
    (void)state;
    lc_description d;
    lc_describe_begin(&d, false, NULL);
    const lc_symbol in = lc_describe_input(&d, &LC_INPUT({4}));
    const lc_symbol shortcut = call(&d, LC_DENSE(4, .name = "short"), in);
    const lc_symbol around = call(&d, LC_DENSE(4, .name = "second"), call(&d, LC_DENSE(4, .name = "first"), in));
    const lc_symbol sum = join(&d, LC_ADD(), shortcut, around);
    lc_describe_outputs(&d, &sum, 1);
    read_back b = finish_well(&d);
    static const char *const names[] = {"input_layer", "first", "short", "second", "add"};
    for (uint32_t i = 0; i < 5; i++) assert_string_equal(b.model->layers[i].name, names[i]);
    release(&b);
}

static void test_recurrent(void **state) {
    (void)state;
    lc_description d;
    lc_describe_begin(&d, false, NULL);
    const lc_symbol in = lc_describe_input(&d, &LC_INPUT({5, 2}));
    const lc_symbol b = call(&d, LC_BIDIRECTIONAL(LC_GRU(3, .return_sequences = true)), in);
    lc_symbol s[3] = {call(&d, LC_LSTM(6, .return_sequences = true, .return_state = true), b)};
    s[1] = s[2] = s[0];
    s[1].tensor = 1, s[2].tensor = 2;
    const lc_symbol last = lc_describe_call(&d, lc_describe_layer(&d, &LC_LSTM(6)), s, 3);
    const lc_symbol out = call(&d, LC_TIME_DISTRIBUTED(LC_DENSE(1)), call(&d, LC_REPEAT_VECTOR(2), last));
    lc_describe_outputs(&d, &out, 1);
    read_back r = finish_well(&d);
    const lc_json *forward = option(&r, 1, "layer"), *backward = option(&r, 1, "backward_layer");
    assert_string_equal(lc_json_str(lc_json_get(forward, "config"), "name", ""), "forward_gru");
    assert_string_equal(lc_json_str(lc_json_get(backward, "config"), "name", ""), "backward_gru");
    assert_false(lc_json_get(lc_json_get(forward, "config"), "go_backwards")->boolean);
    assert_true(lc_json_get(lc_json_get(backward, "config"), "go_backwards")->boolean);
    assert_string_equal(r.model->layers[3].name, "lstm_1");
    assert_int_equal(r.model->layers[3].calls[0].input_count, 3);
    assert_int_equal(r.model->layers[3].calls[0].inputs[2].tensor, 2);
    assert_non_null(lc_json_get(r.model->layers[3].calls[0].kwargs, "initial_state"));
    assert_string_equal(r.model->layers[5].inner->name, "dense");
    release(&r);
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static void refused(lc_description *d, const char *message, const char *hint) {
    lc_error err;
    lc_text text = {0};
    lc_error_clear(&err);
    assert_int_equal(lc_describe_json(d, NULL, &text, &err), LC_ARGUMENT);
    if (!strstr(err.message, message)) fail_msg("'%s' is not in '%s'", message, err.message);
    if (!strstr(err.hint, hint)) fail_msg("'%s' is not in '%s'", hint, err.hint);
    lc_text_deinit(&text);
    lc_describe_end(d);
}

static void test_refused(void **state) {
    (void)state;
    const struct {
        lc_object layer;
        const char *message, *hint;
    } cases[] = {
        {LC_DENSE(), "layer 'dense' (Dense) has no units", ".units"},
        {LC_DENSE(-3), "units is -3, needs at least 1", ""},
        {LC_CONV2D(3), "has no kernel_size", ""},
        {LC_CONV2D(3, {3}, .strides = {2}, .dilation_rate = {1, 2}), "strides of 2 together with a dilation_rate of 2",
         "one of them must be 1"},
        {LC_SEPARABLE_CONV1D(3, 3, .strides = 2, .dilation_rate = 3), "strides of 2 together with a dilation_rate of 3", ""},
        {LC_TIME_DISTRIBUTED(LC_ATTENTION(.use_causal_mask = true)), "without use_causal_mask", ""},
        {LC_LAYER_NORMALIZATION(.axes = {1, 0, 2}), "axis has a 0 in it", ""},
        {LC_DROPOUT(1.5), "rate is 1.5, needs 0 to 1", ""},
        {LC_BIDIRECTIONAL(), "has no layer in it", ""},
        {LC_TIME_DISTRIBUTED(LC_DENSE()), "has no units", ""},
        {{"Dens", NULL, NULL}, "there is no layer \"Dens\"", "Dense"},
        {{"maxpoling2d", NULL, NULL}, "there is no layer \"maxpoling2d\"", "MaxPooling2D"},
        {LC_DENSE(3, .kernel_regularizer = {"l3", NULL, NULL}), "there is no regularizer \"l3\"", ""},
        {LC_DENSE(1, .name = "x"), "named 'x'", ""},
        {LC_DENSE(3, .name = "a/b"), "layer 'a/b': a name cannot have /", ""},
        {LC_RESHAPE({28, 0, 1}), "target_shape has a 0 in it", ""},
        {LC_RESHAPE({28, -2, 1}), "target_shape has -2 in it", ""},
        {LC_BIDIRECTIONAL({"LSTM", NULL, "{\"units\": 3}"}), "not known of options in JSON", "backward_layer"},
        {LC_TIME_DISTRIBUTED({"Dense", NULL, "3"}), "no JSON object", ""},
        {{"Dense", NULL, "[3]"}, "no JSON object", ""},
        {{"Dense", NULL, "{\"name\": \"a\"}"}, "are named", "without a name"},
        {LC_INPUT({3}), "an input in the middle", "lc_functional"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_description d;
        lc_describe_begin(&d, true, NULL);
        lc_describe_layer(&d, &LC_DENSE(1, .name = "x"));
        lc_describe_layer(&d, &cases[i].layer);
        lc_describe_layer(&d, &LC_DENSE()); /* a later error is not told */
        refused(&d, cases[i].message, cases[i].hint);
    }
}

static void test_refused_calls(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) {
        static const char *const messages[] = {"no tensor of model",
                                               "no tensor of model",
                                               "is given 1 tensors, takes at least 2",
                                               "is given 2 tensors, takes 1",
                                               "is given 3 tensors, takes 2",
                                               "has no outputs",
                                               "this is no layer to call",
                                               "the input of model 'functional' is a layer Dense"};
        lc_description d, other;
        lc_describe_begin(&d, false, NULL);
        lc_describe_begin(&other, false, NULL);
        const lc_symbol in = lc_describe_input(&d, &LC_INPUT({3})), strange = lc_describe_input(&other, &LC_INPUT({3}));
        lc_symbol later = in;
        later.call = 1;
        const lc_symbol three[3] = {in, in, in};
        if (i == 0) call(&d, LC_DENSE(3), strange);
        if (i == 1) call(&d, LC_DENSE(3), later);
        if (i == 2) call(&d, LC_ADD(), in);
        if (i == 3) join(&d, LC_DENSE(3), in, in);
        if (i == 4) lc_describe_call(&d, lc_describe_layer(&d, &LC_SUBTRACT()), three, 3);
        if (i == 6) lc_describe_call(&d, 0, &in, 1);
        if (i == 7) lc_describe_input(&d, &LC_DENSE(3));
        if (i != 5) lc_describe_outputs(&d, &in, 1);
        refused(&d, messages[i], "");
        lc_describe_end(&other);
    }
    lc_description d;
    lc_describe_begin(&d, true, NULL);
    refused(&d, "has no layers", "lc_add");
}

static lc_status work(void *arg, lc_error *err) {
    (void)arg;
    lc_description d;
    lc_text text = {0};
    (void)describe_graph(&d); /* what was wrong is told by the next call */
    const lc_status status = lc_describe_json(&d, NULL, &text, err);
    lc_describe_end(&d);
    lc_text_deinit(&text);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    fault_check(work, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequential),    cmocka_unit_test(test_options),   cmocka_unit_test(test_functional),
        cmocka_unit_test(test_order),         cmocka_unit_test(test_recurrent), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_calls), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
