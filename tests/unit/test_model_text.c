/*
 * test_model_text.c: the text form of a model says the same as a description in C; each refusal names its line and its word.
 */
#include "base/budget.h"
#include "support/fault.h"
#include "train/model_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads a text that lies in memory of exactly its size, so that a read past the end is seen. */
static lc_status read_text(const char *text, lc_text *json, lc_error *err) {
    const size_t size = strlen(text);
    char *exact = malloc(size ? size : 1);
    lc_budget budget;
    lc_description d;
    memcpy(exact, text, size);
    lc_error_clear(err);
    lc_budget_init(&budget, NULL);
    lc_status status = lc_model_text_read(exact, size, &budget, &d, err);
    free(exact);
    if (status == LC_OK) status = lc_describe_json(&d, NULL, json, err);
    lc_describe_end(&d);
    return status;
}

static void same(const char *text, lc_description *d) {
    lc_text a = {0}, b = {0};
    lc_error err;
    if (read_text(text, &a, &err) != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_describe_json(d, NULL, &b, &err), LC_OK);
    assert_string_equal(a.data, b.data);
    lc_text_deinit(&a);
    lc_text_deinit(&b);
    lc_describe_end(d);
}

static void test_sequential(void **state) {
    (void)state;
    lc_description d;
    lc_describe_begin(&d, true, "digits");
    lc_describe_layer(&d, &LC_INPUT({28, 28}));
    lc_describe_layer(&d, &LC_RESHAPE({28, 28, 1}));
    lc_describe_layer(&d, &LC_CONV2D(16, {3}, {2, 1}, "same", .activation = "relu", .no_bias = true));
    lc_describe_layer(&d, &LC_ZERO_PADDING2D({{1, 2}, {0, 3}}));
    lc_describe_layer(&d, &LC_MAX_POOLING2D());
    lc_describe_layer(&d, &LC_RANDOM_ROTATION({-0.1, 0.2}, .seed = -0.0));
    lc_describe_layer(&d, &LC_FLATTEN());
    lc_describe_layer(&d, &LC_DENSE(128, .activation = "relu", .frozen = true));
    lc_describe_layer(&d, &LC_DENSE(64, .activation_object = LC_LEAKY_RELU(0.2)));
    lc_describe_layer(&d, &LC_LAYER_NORMALIZATION(.axes = {-2, -1}));
    lc_describe_layer(&d, &LC_SOFTMAX(1));
    lc_describe_layer(&d, &LC_DROPOUT(0.2));
    lc_describe_layer(&d, &LC_BATCH_NORMALIZATION(.epsilon = -0.0));
    lc_describe_layer(&d, &LC_DENSE(10, .activation = "softmax", .name = "out", .kernel_regularizer = LC_L2(0.001)));
    same("# a comment\n"
         "name digits\r\n"
         "input 28 28\n"
         "\n"
         "reshape 28 28 1\n"
         "conv2d 16 3 2x1 relu same use_bias=false  # words find their places\n"
         "\tzero_padding2d 1,2,0,3\n"
         "MaxPooling2D\n"
         "random_rotation -0.1,0.2 seed=0\n"
         "flatten\n"
         "dense units=128 activation=relu trainable=false\n"
         "dense 64 activation=leaky_relu(0.2)\n"
         "layernormalization axis=-2,-1\n"
         "softmax axis=1\n"
         "dropout 0.2\n"
         "batch_normalization epsilon=0\n"
         "dense 10 softmax name=out kernel_regularizer=l2(0.001)",
         &d);
}

static void test_functional(void **state) {
    (void)state;
    lc_description d;
    lc_describe_begin(&d, false, NULL);
    const lc_symbol a = lc_describe_input(&d, &LC_INPUT({8}, .dtype = "int32"));
    const lc_symbol e = lc_describe_call(&d, lc_describe_layer(&d, &LC_EMBEDDING(100, 4)), &a, 1);
    const lc_object wrapper = LC_BIDIRECTIONAL(LC_LSTM(3, .return_sequences = true, .kernel_initializer = {"he_normal", NULL, NULL}));
    const int32_t both = lc_describe_layer(&d, &wrapper);
    const lc_symbol x = lc_describe_call(&d, both, &e, 1), dense = lc_describe_call(&d, lc_describe_layer(&d, &LC_DENSE(4)), &x, 1);
    const lc_symbol y = lc_describe_call(&d, both, &dense, 1);
    const lc_symbol z = lc_describe_call(&d, lc_describe_layer(&d, &LC_ADD()), (lc_symbol[]){x, y}, 2);
    lc_describe_outputs(&d, (lc_symbol[]){z, dense}, 2);
    same("a = input 8 int32\n"
         "embedding 100 4\n"
         "x = bidirectional lstm(3,return_sequences=true,kernel_initializer=he_normal)\n"
         "d = dense 4\n"
         "y = call bidirectional d\n"
         "z = add x y\n"
         "output z\n"
         "output d\n",
         &d);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {"", "line 1: there are no layers", "input first"},
        {"# nothing\n", "there are no layers", "input first"},
        {"input 28\ndens 3", "line 2: there is no layer \"dens\"", "Dense"},
        {"input 3\n\n# x\ndense", "line 4: layer 'dense' (Dense) has no units", "units=..."},
        {"dense 3 unit=4", "line 1: Dense has no argument 'unit'", "units"},
        {"dense 3 units=4", "units of Dense is given twice", ""},
        {"dense 3.5", "units is 3.5, needs whole numbers", ""},
        {"dense 1e99", "units is 1e99", ""},
        {"dense 3 4", "Dense has no place for '4'", "argument=4"},
        {"dense 3 relu tanh", "Dense has no place for 'tanh'", ""},
        {"dense units=x", "'x' is not what units takes", ""},
        {"dense 3 =", "needs a name and a value", ""},
        {"dropout nan", "Dropout has no place for 'nan'", ""},
        {"dropout 2", "rate is 2, needs 0 to 1", "correct the line"},
        {"dense 3 use_bias=maybe", "use_bias is 'maybe', needs true or false", ""},
        {"batch_normalization axis=0", "axis cannot be 0", ""},
        {"conv2d 3 3x3x3", "'3x3x3' is not what kernel_size takes", ""},
        {"reshape 1 2 3 4 5 6 7 8 9", "more than 8 numbers", ""},
        {"dense 3 quantization_config=1", "no argument 'quantization_config'", ""},
        {"dense 3 kernel_regularizer=l3", "there is no regularizer \"l3\"", "did you mean \"L1\""},
        {"bidirectional lstm(3", "has no ) at its end", ""},
        {"bidirectional lstm((3)", "is no list of arguments", ""},
        {"bidirectional lstm(3,)", "ends with a comma", ""},
        {"time_distributed time_distributed(time_distributed(time_distributed(time_distributed(time_distributed(time_distributed("
         "time_distributed(time_distributed(time_distributed(dense(1))))))))))",
         "nested deeper than 8", ""},
        {"input 3\ndense 3 name=a\ndense 3 name=a", "line 3: two layers of model", ""},
        {"x = input 3\nx = dense 3", "line 2: 'x' has a value already", ""},
        {"1x = input 3", "'1x' is no name", ""},
        {"x =", "nothing behind 'x ='", ""},
        {"x = input 3\ny = add x z", "line 2: Add has no place for 'z'", ""},
        {"x = input 3\ny = add x", "is given 1 tensors, takes at least 2", ""},
        {"x = dense 3", "layer Dense has nothing before it", "input"},
        {"x = input 3\noutput y", "'y' is no name that was given", ""},
        {"x = input 3\noutput", "output of what", ""},
        {"x = input 3\ncall nix", "there is no layer named 'nix'", ""},
        {"input 3\nname late", "before its layers", ""},
        {"input 28 0 1", "batch_shape has a 0 in it", ""},
        {"dense 3\n\x01", "line 2: character U+0001 is no text", ""},
        {"dense \xff", "byte 0xff is no UTF-8", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_text json = {0};
        lc_error err;
        const lc_status status = read_text(cases[i].text, &json, &err);
        if (status != LC_INVALID || !strstr(err.message, cases[i].message) || !strstr(err.hint, cases[i].hint))
            fail_msg("%s: %d %s / %s", cases[i].text, status, err.message, err.hint);
        lc_text_deinit(&json);
    }
}

static void test_limits(void **state) {
    (void)state;
    lc_text text = {0}, json = {0};
    lc_error err;
    for (int i = 0; i <= 10000; i++) lc_text_add(&text, "relu\n");
    assert_int_equal(read_text(text.data, &json, &err), LC_LIMIT);
    assert_non_null(strstr(err.message, "line 10001: the model has more than 10000 layers and calls"));
    text.size = 0;
    lc_text_add(&text, "reshape");
    for (int i = 0; i < 70; i++) lc_text_add(&text, " 1");
    assert_int_equal(read_text(text.data, &json, &err), LC_LIMIT);
    lc_text_deinit(&text);
    lc_budget budget;
    lc_description d;
    lc_budget_init(&budget, &(lc_limits){.max_memory = 20000});
    assert_int_equal(lc_model_text_read("relu\nrelu\nrelu\nrelu\nrelu\n", 25, &budget, &d, &err), LC_LIMIT);
}

static void test_probe(void **state) {
    (void)state;
    static const char *const yes[] = {"input 3", "# a model\n\n  name x", "x = input 3", "dense", "Conv2D 3 3", "# nothing", "inptu 3"};
    static const char *const no[] = {"", "{\"class_name\": 1}", "PK\x03\x04", "a,b,c", "import keras", "\x89HDF"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(lc_model_text_probe(yes[i], strlen(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(lc_model_text_probe(no[i], strlen(no[i])));
}

static lc_status work(void *arg, lc_error *err) {
    static const char text[] = "a = input 8\nx = dense 3 relu kernel_regularizer=l2(0.1)\ny = call dense x\nadd x y\n";
    lc_budget budget;
    lc_description d;
    lc_text json = {0};
    (void)arg;
    lc_budget_init(&budget, NULL);
    lc_status status = lc_model_text_read(text, sizeof text - 1, &budget, &d, err);
    if (status == LC_OK) status = lc_describe_json(&d, NULL, &json, err);
    lc_describe_end(&d);
    lc_text_deinit(&json);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    fault_check(work, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequential), cmocka_unit_test(test_functional), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_probe),      cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
