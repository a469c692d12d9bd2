/*
 * test_keras_operation.c: operations between layers (lower_operation.c, formula*.c), in the words of both generations: what they become and
 * what they compute, that no row of the two tables has a mistake, and calls that nobody meant well.
 */
#include "source/keras_read.h"
#include "support/fault.h"
#include "support/keras_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define T3(name) \
    "{\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": [null, 4], \"dtype\": \"float32\", \"keras_history\": [\"" name \
    "\", 0, 0]}}"

/* A model of one or two inputs and one operation, out of JSON; NULL when it is refused. */
static lc_model *make(const char *version, const char *shape, int inputs, const char *layer, const char *node, lc_error *err) {
    static char text[20000];
    const bool keras3 = version[0] == '3';
    int n = snprintf(text, sizeof text, "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [");
    for (int i = 0; i < inputs; i++)
        n += snprintf(
            text + n, sizeof text - (size_t)n,
            "{\"class_name\": \"InputLayer\", \"name\": \"x%d\", \"config\": {\"name\": \"x%d\", \"%s\": %s, \"dtype\": \"float32\"}, "
            "\"inbound_nodes\": []}, ",
            i, i, keras3 ? "batch_shape" : "batch_input_shape", shape);
    n += snprintf(
        text + n, sizeof text - (size_t)n,
        "{%s, \"name\": \"op\", \"inbound_nodes\": [%s]}], \"input_layers\": [[\"x0\", 0, 0]%s], \"output_layers\": [[\"op\", 0, 0]]}}",
        layer, node, inputs > 1 ? ", [\"x1\", 0, 0]" : "");
    assert_true((size_t)n < sizeof text);
    lc_budget budget;
    lc_arena arena = {0};
    const lc_json *root;
    lc_keras_model *keras;
    lc_model *model = NULL;
    lc_budget_init(&budget, &(lc_limits){.max_memory = 64u << 20});
    lc_error_clear(err);
    if (lc_json_parse(text, (size_t)n, &budget, &arena, &root, err) == LC_OK &&
        lc_keras_config(root, version, &budget, &arena, &keras, err) == LC_OK && lc_model_new(NULL, &model, err) == LC_OK &&
        lc_lower_keras(keras, NULL, model, err) != LC_OK) {
        lc_model_destroy(model);
        model = NULL;
    }
    lc_arena_deinit(&arena);
    return model;
}

static void expect_ops(const char *version, const char *shape, int inputs, const char *layer, const char *node, const char *ops) {
    lc_error err;
    lc_model *m = make(version, shape, inputs, layer, node, &err);
    if (!m) fail_msg("%s: %s", layer, err.message);
    lc_text made = {0};
    fixture_ops(m, &made);
    if (strcmp(made.data, ops) != 0) fail_msg("%s: \"%s\" for \"%s\"", layer, made.data, ops);
    lc_text_deinit(&made);
    lc_model_destroy(m);
}

static void refused(const char *version, const char *layer, const char *node, const char *why) {
    lc_error err;
    lc_model *m = make(version, "[null, 4]", 1, layer, node, &err);
    if (m) fail_msg("%s %s was taken", layer, node);
    if (!strstr(err.message, why)) fail_msg("%s: \"%s\" does not say \"%s\"", layer, err.message, why);
    if (!strstr(err.message, "\"op\"")) fail_msg("%s: \"%s\" does not name the layer", layer, err.message);
}

#define OP3(class, config) "\"module\": \"keras.src.ops.numpy\", \"class_name\": \"" class "\", \"config\": {\"name\": \"op\"" config "}"
#define CALL3(args, kwargs) "{\"args\": [" args "], \"kwargs\": {" kwargs "}}"
#define OP2(name) \
    "\"class_name\": \"TFOpLambda\", \"config\": {\"name\": \"op\", \"trainable\": true, \"dtype\": \"float32\", \"function\": \"" name \
    "\"}"
#define SLICE "\"class_name\": \"SlicingOpLambda\", \"config\": {\"name\": \"op\", \"function\": \"__operators__.getitem\"}"

static void test_keras3(void **state) {
    (void)state;
    const char *v = "3.9.0", *s = "[null, 4]";
    expect_ops(v, s, 1, OP3("Add", ""), CALL3(T3("x0") ", 1", ""), "ADD");
    expect_ops(v, s, 1, OP3("Subtract", ""), CALL3("2.5, " T3("x0"), ""), "SUB");
    expect_ops(v, s, 2, OP3("Maximum", ""), CALL3("", "\"x1\": " T3("x0") ", \"x2\": " T3("x1")), "MAXIMUM");
    expect_ops(v, s, 1, OP3("Sum", ", \"axis\": [-1], \"keepdims\": true"), CALL3(T3("x0"), ""), "SUM");
    expect_ops(v, s, 1, OP3("Where", ""), CALL3(T3("x0") ", 1, 2", ""), "CAST SELECT_V2");
    expect_ops(v, s, 2, OP3("Concatenate", ", \"axis\": 1"), CALL3("[" T3("x0") ", " T3("x1") "]", ""), "CONCATENATION");
    expect_ops(
        v, s, 1, OP3("GetItem", ""),
        CALL3(T3("x0") ", [{\"class_name\": \"__ellipsis__\", \"config\": {}}, {\"class_name\": \"__slice__\", \"config\": {\"start\": 1, "
                       "\"stop\": null, \"step\": null}}]",
              ""),
        "STRIDED_SLICE");
    expect_ops(v, s, 1, OP3("Multiply", ""),
               CALL3(T3("x0") ", {\"class_name\": \"__numpy__\", \"config\": {\"value\": [1, 2, 3, 4], \"dtype\": \"float32\"}}", ""),
               "MUL");
    expect_ops(v, s, 1, OP3("Digitize", ""), CALL3(T3("x0") ", [-1.0, 0.0, 1.5]", ""), "BUCKETIZE");
    expect_ops(v, s, 1, OP3("FullLike", ", \"dtype\": \"int32\""), CALL3(T3("x0") ", 2", ""), "SHAPE FILL");
    expect_ops(v, s, 2, OP3("Arctan2", ""), CALL3(T3("x0") ", " T3("x1"), ""), "ATAN2"); /* one batch */
    const char *image = "[null, 8, 6, 2]";
    expect_ops(v, image, 1, OP3("AdaptiveAveragePool", ", \"output_size\": [4, 3]"), CALL3(T3("x0"), ""), "AVERAGE_POOL_2D");
    expect_ops(v, image, 1, OP3("AdaptiveMaxPool", ", \"output_size\": [3, 6]"), CALL3(T3("x0"), ""),
               "MAX_POOL_2D MAX_POOL_2D CONCATENATION GATHER");
    expect_ops(v, image, 1, OP3("ExtractPatches", ", \"size\": [2, 2], \"strides\": [2, 2]"), CALL3(T3("x0"), ""), "SPACE_TO_DEPTH");
    expect_ops(v, image, 1, OP3("ExtractPatches", ", \"size\": [3, 2], \"strides\": [1, 1], \"padding\": \"same\""), CALL3(T3("x0"), ""),
               "CONV_2D");
    expect_ops(v, image, 1, OP3("SobelEdges", ""), CALL3(T3("x0"), ""),
               "MIRROR_PAD DEPTHWISE_CONV_2D SHAPE CONCATENATION RESHAPE"); /* the shape folds */
    /* an .h5 file leaves the module out: an operation, not the layer of the same name */
    expect_ops(v, s, 1, "\"class_name\": \"Reshape\", \"config\": {\"name\": \"op\", \"newshape\": [-1, 2, 2]}", CALL3(T3("x0"), ""),
               "RESHAPE");
    expect_ops(v, s, 1, "\"class_name\": \"Add\", \"config\": {\"name\": \"op\"}", CALL3(T3("x0") ", 1", ""), "ADD");
}

static void test_keras2(void **state) {
    (void)state;
    const char *v = "2.12.0", *s = "[null, 4]";
    expect_ops(v, s, 1, OP2("math.reduce_mean"), "[[\"x0\", 0, 0, {\"axis\": 1}]]", "MEAN");
    expect_ops(v, s, 1, OP2("tf.math.subtract"), "[[\"_CONSTANT_VALUE\", -1, 1.0, {\"y\": [\"x0\", 0, 0], \"name\": null}]]", "SUB");
    expect_ops(v, s, 2, OP2("__operators__.add"), "[[\"x0\", 0, 0, {\"y\": [\"x1\", 0, 0], \"name\": null}]]", "ADD");
    expect_ops(v, s, 2, OP2("concat"), "[[[\"x0\", 0, 0, {\"axis\": -1}], [\"x1\", 0, 0, {\"axis\": -1}]]]", "CONCATENATION");
    expect_ops(v, s, 1, OP2("compat.v1.transpose"), "[[\"x0\", 0, 0, {\"perm\": [1, 0], \"name\": \"t\", \"conjugate\": false}]]",
               "TRANSPOSE");
    expect_ops(v, s, 1, OP2("nn.leaky_relu"), "[[\"x0\", 0, 0, {\"alpha\": 0.3}]]", "LEAKY_RELU");
    expect_ops(v, s, 1, SLICE,
               "[[\"x0\", 0, 0, {\"slice_spec\": [{\"class_name\": \"__ellipsis__\"}, {\"start\": null, \"stop\": 2, \"step\": null}]}]]",
               "STRIDED_SLICE");
    expect_ops(v, s, 1, SLICE, "[[\"x0\", 0, 0, {\"slice_spec\": [{\"start\": null, \"stop\": null, \"step\": null}, null]}]]", "RESHAPE");
    /* TensorFlow 2.0 to 2.3: a NodeDef */
    expect_ops(
        "2.3.0", s, 1,
        "\"class_name\": \"TensorFlowOpLayer\", \"config\": {\"name\": \"op\", \"node_def\": {\"name\": \"mul\", \"op\": \"Mul\", \"input\": "
        "[\"x\", \"y\"], \"attr\": {\"T\": {\"type\": \"DT_FLOAT\"}}}, \"constants\": {\"1\": 2}}",
        "[[\"x0\", 0, 0, {}]]", "MUL");
    expect_ops(
        "2.3.0", s, 1,
        "\"class_name\": \"TensorFlowOpLayer\", \"config\": {\"name\": \"op\", \"node_def\": {\"name\": \"s\", \"op\": \"Sum\", \"input\": "
        "[\"x\", \"y\"], \"attr\": {\"T\": {\"type\": \"DT_FLOAT\"}, \"Tidx\": {\"type\": \"DT_INT32\"}, \"keep_dims\": {\"b\": true}}}, "
        "\"constants\": {\"1\": [1]}}",
        "[[\"x0\", 0, 0, {}]]", "SUM");
    expect_ops(
        "2.3.0", "[null, 4, 4, 1]", 1,
        "\"class_name\": \"TensorFlowOpLayer\", \"config\": {\"name\": \"op\", \"node_def\": {\"name\": \"p\", \"op\": \"MaxPool\", \"input\": "
        "[\"x\"], \"attr\": {\"T\": {\"type\": \"DT_FLOAT\"}, \"ksize\": {\"list\": {\"i\": [\"1\", \"2\", \"2\", \"1\"]}}, \"strides\": {\"list\": "
        "{\"i\": [\"1\", \"2\", \"2\", \"1\"]}}, \"padding\": {\"s\": \"U0FNRQ==\"}}}, \"constants\": {}}",
        "[[\"x0\", 0, 0, {}]]", "MAX_POOL_2D");
}

static void test_values(void **state) {
    (void)state;
    lc_error err;
    float out[64];
    size_t n = 64;
    int32_t dims[LC_MAX_RANK], rank;
    lc_model *m = make("3.9.0", "[2, 4]", 2, OP3("Hypot", ""), CALL3(T3("x0") ", " T3("x1"), ""), &err);
    assert_non_null(m);
    fixture_run(m, 1, out, &n, dims, &rank);
    assert_int_equal(n, 8);
    for (uint32_t k = 0; k < 8; k++) assert_float_equal(out[k], hypotf(fixture_value(100, k), fixture_value(101, k)), 1e-6);
    lc_model_destroy(m);
    n = 64;
    m = make("3.9.0", "[2, 4]", 1, OP3("Sort", ", \"axis\": -1"), CALL3(T3("x0"), ""), &err);
    assert_non_null(m);
    fixture_run(m, 1, out, &n, dims, &rank);
    for (uint32_t k = 1; k < 4; k++) assert_true(out[k - 1] <= out[k]);
    lc_model_destroy(m);
}

static void test_refused(void **state) {
    (void)state;
    refused("3.9.0", OP3("Map", ""), CALL3(T3("x0"), ""), "does not know this operation");
    refused("3.9.0", OP3("Sum", ", \"axis\": 7"), CALL3(T3("x0"), ""), "axis 7 of a tensor with 2 dimensions");
    refused("3.9.0", OP3("Sum", ", \"axis\": \"x\""), CALL3(T3("x0"), ""), "needs a whole number");
    refused("3.9.0", OP3("Sum", ", \"axis\": 1e300"), CALL3(T3("x0"), ""), "needs a whole number");
    refused("3.9.0", OP3("Add", ""), CALL3(T3("x0"), ""), "an argument is missing");
    refused("3.9.0", OP3("Add", ""), CALL3(T3("x0") ", [[1, 2], [3]]", ""), "neither a tensor nor an array");
    refused("3.9.0", OP3("Add", ""), CALL3(T3("x0") ", {\"a\": 1}", ""), "neither a tensor nor an array");
    refused("3.9.0", OP3("Cast", ", \"dtype\": \"float31\""), CALL3(T3("x0"), ""), "no type of tensors");
    refused("3.9.0", OP3("Tile", ", \"repeats\": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"), CALL3(T3("x0"), ""),
            "has 20 values");
    refused("3.9.0", OP3("Linspace", ", \"num\": 2000000000"), CALL3(T3("x0") ", 1", ""), "needs a whole number from 1 to");
    refused("3.9.0", OP3("GetItem", ""), CALL3(T3("x0") ", [0, 0, 0]", ""), "3 indices for 2 dimensions");
    refused("2.12.0", OP2("strings.format"), "[[\"x0\", 0, 0, {}]]", "does not know the function tf.strings.format");
    refused("2.12.0", OP2("nn.dropout"), "[[\"x0\", 0, 0, {\"rate\": 0.5}]]", "drops values at inference");
    refused(
        "2.12.0",
        "\"class_name\": \"ClassMethod\", \"config\": {\"name\": \"op\", \"cls_symbol\": \"RaggedTensor\", \"method_name\": \"from_row_splits\"}",
        "[[\"x0\", 0, 0, {}]]", "ragged or sparse");
    refused("2.3.0", "\"class_name\": \"TensorFlowOpLayer\", \"config\": {\"name\": \"op\", \"node_def\": {\"op\": 3}}",
            "[[\"x0\", 0, 0, {}]]", "NodeDef");
    refused(
        "2.3.0",
        "\"class_name\": \"TensorFlowOpLayer\", \"config\": {\"name\": \"op\", \"node_def\": {\"name\": \"m\", \"op\": \"Mul\", \"attr\": {}}, "
        "\"constants\": {\"7\": 1}}",
        "[[\"x0\", 0, 0, {}]]", "leave input 1 open");
}

/* Every row is worked out for calls that give it much, little and nothing fitting: it may refuse them, its formula must not be the fault. */
static void test_rows(void **state) {
    (void)state;
    static const char *const operations[] = {
#define LC_OPERATION(name, signature, formula) name,
#include "lower/operation.def"
    };
    static const char *const functions[] = {
#define LC_FUNCTION(name, signature, formula) name,
#include "lower/function.def"
    };
    static const char *const calls3[] = {CALL3(T3("x0"), ""), CALL3(T3("x0") ", " T3("x1"), ""),
                                         CALL3("[" T3("x0") ", " T3("x1") "], 2", ""), CALL3(T3("x0") ", " T3("x1") ", " T3("x1"), "")};
    static const char *const calls2[] = {
        "[[\"x0\", 0, 0, {}]]", "[[[\"x0\", 0, 0, {}], [\"x1\", 0, 0, {}]]]",
        "[[\"_CONSTANT_VALUE\", -1, [2, 3], {\"x\": [\"x0\", 0, 0]}]]",
        "[[\"x0\", 0, 0, {\"axis\": 1, \"y\": [\"x1\", 0, 0], \"b\": [\"x1\", 0, 0], \"shape\": [-1, 2]}]]"};
    static const char *const options[] = {
        "", ", \"axis\": -1, \"keepdims\": true, \"k\": 1, \"dtype\": \"int32\"",
        ", \"axis\": null, \"size\": [2, 2], \"strides\": 1, \"pool_size\": 2, \"shape\": [-1], \"num_segments\": 3, \"data_format\": \"channels_first\"",
        ", \"axis\": [0, 1], \"indices_or_sections\": 2, \"repeats\": 2, \"offset\": 1, \"k\": -1, \"ord\": 3"};
    static const char *const shapes[] = {"[null, 4]", "[2, 4, 4, 3]"};
    char layer[600];
    lc_error err;
    size_t taken = 0;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (size_t k = 0; k < 4; k++)
            for (size_t o = 0; o < 4; o++) {
                snprintf(layer, sizeof layer,
                         "\"module\": \"keras.src.ops.numpy\", \"class_name\": \"%s\", \"config\": {\"name\": \"op\"%s}", operations[i],
                         options[o]);
                lc_model *m = make("3.9.0", shapes[(k + o) & 1], 2, layer, calls3[k], &err);
                if (!m && strstr(err.message, "litec's formula")) fail_msg("%s", err.message);
                taken += m != NULL;
                lc_model_destroy(m);
            }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        for (size_t k = 0; k < 4; k++) {
            snprintf(layer, sizeof layer, "\"class_name\": \"TFOpLambda\", \"config\": {\"name\": \"op\", \"function\": \"%s\"}",
                     functions[i]);
            lc_model *m = make("2.12.0", shapes[k & 1], 2, layer, calls2[k], &err);
            if (!m && strstr(err.message, "litec's formula")) fail_msg("%s", err.message);
            taken += m != NULL;
            lc_model_destroy(m);
        }
    assert_true(taken > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keras3), cmocka_unit_test(test_keras2), cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
