/*
 * test_api.c: the public calls that join layers: convert, save, verify, inspect. The reports are read back with a JSON parser and
 * compared with the model; every allocation in them may fail; names with hostile bytes come out safe.
 */
#include "api/api.h"
#include "ops/build.h"
#include "support/fault.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TFLITE(name) LC_TEST_DIR "/data/tflite/" name ".tflite"
#define KERAS_H5 LC_TEST_DIR "/data/bad/good.h5"
#define KERAS_ZIP LC_TEST_DIR "/data/bad/good.keras"

static lc_model *converted(const char *path, lc_convert_stats *stats) {
    lc_model *model;
    lc_error err;
    if (lc_convert(path, LC_CONVERT(.stats = stats), &model, &err)) fail_msg("%s", err.message);
    return model;
}

/* ---- convert ------------------------------------------------------------------------------------------------------ */

static void convert_tells_what_it_read(void **state) {
    (void)state;
    static const struct { const char *path, *format; } files[] = {{KERAS_H5, "keras-h5"}, {KERAS_ZIP, "keras-zip"}};
    for (size_t i = 0; i < 2; i++) {
        lc_convert_stats stats;
        lc_model *model = converted(files[i].path, &stats);
        assert_string_equal(stats.format, files[i].format);
        assert_int_equal(stats.layers, 2);
        assert_int_equal(stats.operators, 1);
        assert_int_equal(stats.parameters, 4 * 3 + 3);
        assert_int_equal(lc_model_input_count(model), 1);
        const lc_tensor_view in = lc_model_input(model, 0);
        assert_int_equal(in.rank, 2);
        assert_int_equal(in.signature[0], -1);
        assert_int_equal(in.signature[1], 4);
        lc_model_destroy(model);
    }
}

static void convert_computes_what_keras_would(void **state) {
    (void)state;
    /* kernel[i][j] = (3 i + j) / 7, bias[j] = j / 7: the weights of tests/oracle/make_bad.py */
    static const float x[2][4] = {{1, 2, 3, 4}, {-1, 0.5f, 0, 2}};
    for (size_t f = 0; f < 2; f++) {
        lc_model *model = converted(f ? KERAS_ZIP : KERAS_H5, NULL);
        lc_session *s;
        lc_error err;
        assert_int_equal(lc_session_create(model, NULL, &s, &err), LC_OK);
        assert_int_equal(lc_session_resize_input(s, 0, (int32_t[]){2, 4}, 2, &err), LC_OK);
        memcpy(lc_session_input(s, 0).data, x, sizeof x);
        assert_int_equal(lc_session_run(s, &err), LC_OK);
        const float *y = lc_session_output(s, 0).data;
        for (int b = 0; b < 2; b++)
            for (int j = 0; j < 3; j++) {
                double want = j / 7.0;
                for (int i = 0; i < 4; i++) want += (double)x[b][i] * (3 * i + j) / 7.0;
                assert_true(y[b * 3 + j] > want - 1e-5 && y[b * 3 + j] < want + 1e-5);
            }
        lc_session_destroy(s);
        lc_model_destroy(model);
    }
}

static void convert_refuses(void **state) {
    (void)state;
    lc_model *model = (lc_model *)&model;
    lc_error err;
    assert_int_equal(lc_convert(NULL, NULL, &model, &err), LC_ARGUMENT);
    assert_null(model);
    assert_int_equal(lc_convert("x", NULL, NULL, NULL), LC_ARGUMENT);
    assert_int_equal(lc_convert("/nonexistent/model.h5", NULL, &model, &err), LC_IO == err.status ? LC_IO : LC_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/model.h5"));
    assert_true(err.hint[0] != 0);
    assert_int_not_equal(lc_convert(LC_TEST_DIR, NULL, &model, &err), LC_OK);
    assert_int_equal(lc_convert(LC_TEST_DIR "/data/bad/lambda.h5", NULL, &model, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "lambda.h5: "));
    assert_null(strstr(strstr(err.message, "lambda.h5") + 1, "lambda.h5")); /* the file is named once */
    assert_int_equal(lc_convert(KERAS_H5, LC_CONVERT(.limits = {.max_memory = 16}), &model, &err), LC_LIMIT);
}

/* ---- save ---------------------------------------------------------------------------------------------------------- */

static void saved_and_in_memory_are_the_same(void **state) {
    (void)state;
    char path[] = "/tmp/litec-test-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    lc_model *model = converted(KERAS_H5, NULL), *again;
    lc_error err;
    void *data;
    size_t size;
    uint64_t written;
    assert_int_equal(lc_model_to_memory(model, &data, &size, &err), LC_OK);
    assert_int_equal(lc_model_save(model, path, &written, &err), LC_OK);
    assert_int_equal(written, size);
    lc_map map;
    assert_int_equal(lc_map_open(&map, path, NULL, &err), LC_OK);
    assert_int_equal(map.size, size);
    assert_memory_equal(map.data, data, size);
    lc_map_close(&map);
    assert_int_equal(lc_model_from_memory(data, size, NULL, &again, &err), LC_OK);
    void *data2;
    size_t size2;
    assert_int_equal(lc_model_to_memory(again, &data2, &size2, &err), LC_OK);
    assert_int_equal(size2, size);
    assert_memory_equal(data2, data, size);
    lc_model_destroy(again); /* it borrows from data */
    lc_model_destroy(model);
    lc_free(data);
    lc_free(data2);

    /* the file a model lies in is not written over, by no name */
    char other[64];
    snprintf(other, sizeof other, "%s-link", path);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(lc_model_open(path, NULL, &model, &err), LC_OK);
    assert_int_equal(lc_model_save(model, path, NULL, &err), LC_ARGUMENT);
    assert_int_equal(lc_model_save(model, other, NULL, &err), LC_ARGUMENT);
    assert_true(err.hint[0] != 0);
    lc_model_destroy(model);
    assert_int_equal(lc_model_open(path, NULL, &model, &err), LC_OK);
    lc_model_destroy(model);
    unlink(other);
    unlink(path);
}

/* ---- verify -------------------------------------------------------------------------------------------------------- */

static void verify_says_one_line(void **state) {
    (void)state;
    static const char *const files[] = {KERAS_H5,          KERAS_ZIP, TFLITE("conv_float"), TFLITE("conv_int8"), TFLITE("custom_op"),
                                        TFLITE("if_while")};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *line;
        lc_error err;
        if (lc_verify_file(files[i], NULL, &line, &err)) fail_msg("%s", err.message);
        assert_true(strlen(line) > 8);
        assert_null(strchr(line, '\n'));
        lc_free(line);
        assert_int_equal(lc_verify_file(files[i], NULL, NULL, NULL), LC_OK);
    }
    lc_error err;
    char *line = (char *)&line;
    assert_int_not_equal(lc_verify_file(LC_TEST_DIR "/data/bad/wrong_crc.keras", NULL, &line, &err), LC_OK);
    assert_null(line);
    assert_non_null(strstr(err.message, "wrong_crc.keras: "));
}

/* ---- inspect ------------------------------------------------------------------------------------------------------- */

static json_t *report(const lc_model *model, uint32_t parts) {
    char *text;
    lc_error err;
    json_error_t where;
    if (lc_model_inspect(model, LC_REPORT_JSON, parts, &text, &err)) fail_msg("%s", err.message);
    json_t *root = json_loads(text, 0, &where);
    if (!root) fail_msg("line %d column %d: %s in %s", where.line, where.column, where.text, text);
    lc_free(text);
    return root;
}

static json_int_t number(const json_t *object, const char *key) {
    const json_t *v = json_object_get(object, key);
    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

static void check_graph(const json_t *graph, const lc_graph *want) {
    const json_t *ops = json_object_get(graph, "operators"), *tensors = json_object_get(graph, "tensors");
    assert_int_equal(json_array_size(ops), want->node_count);
    assert_int_equal(json_array_size(tensors), want->tensor_count);
    assert_int_equal(json_array_size(json_object_get(graph, "inputs")), want->input_count);
    for (size_t i = 0; i < want->node_count; i++) {
        const json_t *op = json_array_get(ops, i);
        const lc_node *n = &want->nodes[i];
        assert_string_equal(json_string_value(json_object_get(op, "op")), lc_op_name(n->op));
        assert_int_equal(json_array_size(json_object_get(op, "inputs")), n->input_count);
        for (uint32_t k = 0; k < n->input_count; k++) {
            const json_t *in = json_array_get(json_object_get(op, "inputs"), k);
            if (n->inputs[k] < 0) assert_true(json_is_null(in));
            else assert_int_equal(number(in, "tensor"), n->inputs[k]);
        }
        assert_int_equal(json_object_get(op, "options") != NULL, n->attrs != NULL && n->attrs_table != LC_TABLE_NONE);
        assert_int_equal(number(op, "macs"), lc_op_macs(want, n));
    }
    for (size_t i = 0; i < want->tensor_count; i++) {
        const json_t *t = json_array_get(tensors, i), *shape = json_object_get(t, "shape");
        assert_int_equal(json_array_size(shape), want->tensors[i].rank);
        for (int32_t d = 0; d < want->tensors[i].rank; d++)
            assert_int_equal(json_integer_value(json_array_get(shape, (size_t)d)), lc_tensor_dim(&want->tensors[i], d));
        if (want->tensors[i].data) assert_int_equal(number(t, "constant_bytes"), want->tensors[i].size);
    }
}

static void json_is_the_model(void **state) {
    (void)state;
    static const char *const files[] = {KERAS_H5,
                                        TFLITE("conv_float"),
                                        TFLITE("conv_int8"),
                                        TFLITE("custom_op"),
                                        TFLITE("if_while"),
                                        TFLITE("strings"),
                                        TFLITE("variables_two_signatures"),
                                        TFLITE("conv_buffers_behind")};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        lc_model *model = converted(files[f], NULL);
        json_t *root = report(model, LC_REPORT_SUMMARY | LC_REPORT_OPS | LC_REPORT_TENSORS | LC_REPORT_MEMORY);
        const json_t *graphs = json_object_get(root, "graphs"), *memory = json_object_get(root, "memory");
        assert_int_equal(json_array_size(graphs), model->graph_count);
        for (size_t g = 0; g < model->graph_count; g++) check_graph(json_array_get(graphs, g), model->graphs[g]);
        assert_int_equal(json_array_size(json_object_get(root, "signatures")), model->signature_count);
        /* either a plan with its blocks, or the reason why there is none */
        if (json_object_get(memory, "not_planned")) assert_true(strlen(json_string_value(json_object_get(memory, "not_planned"))) > 4);
        else
            assert_true(number(memory, "arena_bytes") >= number(memory, "arena_bound_bytes") &&
                        json_is_array(json_object_get(memory, "blocks")));
        json_decref(root);
        lc_model_destroy(model);
    }
}

static void totals_are_right(void **state) {
    (void)state;
    lc_model *model = converted(KERAS_H5, NULL);
    json_t *root = report(model, LC_REPORT_SUMMARY);
    assert_int_equal(number(root, "parameters"), 15);
    assert_int_equal(number(root, "constant_bytes"), 60);
    assert_int_equal(number(root, "macs"), 12);
    assert_int_equal(number(root, "operators"), 1);
    assert_null(json_object_get(json_array_get(json_object_get(root, "graphs"), 0), "operators"));
    json_decref(root);
    lc_model_destroy(model);
}

static void text_has_each_part(void **state) {
    (void)state;
    static const struct {
        uint32_t part;
        const char *has;
    } parts[] = {
        {LC_REPORT_SUMMARY, "signature \"serving_default\""},
        {LC_REPORT_OPS, "tensors  name  options"},
        {LC_REPORT_TENSORS, "float32[3,4]"},
        {LC_REPORT_MEMORY, " blocks, 1 step"},
    };
    lc_model *model = converted(KERAS_H5, NULL);
    for (size_t i = 0; i < 4; i++) {
        char *text;
        lc_error err;
        assert_int_equal(lc_model_inspect(model, LC_REPORT_TEXT, parts[i].part, &text, &err), LC_OK);
        for (size_t k = 0; k < 4; k++) assert_int_equal(strstr(text, parts[k].has) != NULL, i == k);
        lc_free(text);
    }
    char *text = (char *)&text;
    lc_error err;
    assert_int_equal(lc_model_inspect(model, LC_REPORT_TEXT, 16, &text, &err), LC_ARGUMENT);
    assert_null(text);
    assert_int_equal(lc_model_inspect(NULL, LC_REPORT_TEXT, 0, &text, &err), LC_ARGUMENT);
    lc_model_destroy(model);
}

/* Names from a file may hold anything. */
static void hostile_names_are_safe(void **state) {
    (void)state;
    static const char name[] = "a\n\033]0;x\007\"\\\xff\xc0\x80\xed\xa0\x80\xc2\x9b\xc3\xa9\xf4\x90\x80\x80z";
    lc_error err;
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder b;
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, name, LC_FLOAT32, (int32_t[]){-1, 4}, 2);
    const int32_t y = lc_build_op(&b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &(lc_SoftmaxOptions){.beta = 1}, &x, 1);
    assert_int_equal(b.status, LC_OK);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    const uint32_t all = LC_REPORT_SUMMARY | LC_REPORT_OPS | LC_REPORT_TENSORS | LC_REPORT_MEMORY;
    json_decref(report(model, all)); /* jansson refuses invalid UTF-8 and raw control bytes */
    char *text;
    assert_int_equal(lc_model_inspect(model, LC_REPORT_TEXT, all, &text, &err), LC_OK);
    for (const char *p = text; *p; p++) assert_true((unsigned char)*p >= 0x20 || *p == '\n');
    assert_null(strstr(text, "\xff"));
    assert_null(strstr(text, "\xc2\x9b")); /* one byte of it is an escape to some terminals */
    assert_non_null(strstr(text, "\\x1b]0;x\\x07"));
    assert_non_null(strstr(text, "\xc3\xa9"));
    lc_free(text);
    lc_model_destroy(model);
}

/* ---- every allocation may fail -------------------------------------------------------------------------------------- */

static lc_status whole_life(void *arg, lc_error *err) {
    lc_model *model;
    char *text = NULL;
    void *data = NULL;
    size_t size;
    LC_TRY(lc_convert(arg, NULL, &model, err));
    lc_status status = lc_model_inspect(model, LC_REPORT_TEXT, 15, &text, err);
    lc_free(text);
    text = NULL;
    if (!status) status = lc_model_inspect(model, LC_REPORT_JSON, 15, &text, err);
    lc_free(text);
    if (!status) status = lc_model_to_memory(model, &data, &size, err);
    lc_free(data);
    lc_model_destroy(model);
    text = NULL;
    if (!status) status = lc_verify_file(arg, NULL, &text, err);
    lc_free(text);
    return status;
}

static void allocations_may_fail(void **state) {
    (void)state;
    assert_true(fault_check(whole_life, TFLITE("conv_float"), NULL) > 10);
    assert_true(fault_check(whole_life, TFLITE("if_while"), NULL) > 10);
    assert_true(fault_check(whole_life, KERAS_H5, NULL) > 10);
    assert_true(fault_check(whole_life, KERAS_ZIP, NULL) > 10);
}

static void shared_constants_count_once(void **state) {
    (void)state;
    static const float values[4] = {1, 2, 3, 4};
    lc_model *model;
    lc_error err;
    char *text;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder b;
    lc_builder_init(&b, model, model->graphs[0], &err);
    int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, 4}, 2);
    lc_graph_add_input(b.graph, x, &err);
    for (int i = 0; i < 2; i++) /* two tensors, one place in memory */
        x = lc_build_binary(&b, LC_OP_ADD, x, lc_build_const(&b, "c", LC_FLOAT32, (int32_t[]){4}, 1, values, sizeof values, false), 0);
    assert_int_equal(b.status, LC_OK);
    lc_graph_add_output(b.graph, x, &err);
    assert_int_equal(lc_model_inspect(model, LC_REPORT_JSON, LC_REPORT_SUMMARY, &text, &err), LC_OK);
    assert_non_null(strstr(text, "\"parameters\":4,\"constant_bytes\":16,"));
    lc_free(text);
    lc_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convert_tells_what_it_read),
        cmocka_unit_test(shared_constants_count_once),
        cmocka_unit_test(convert_computes_what_keras_would),
        cmocka_unit_test(convert_refuses),
        cmocka_unit_test(saved_and_in_memory_are_the_same),
        cmocka_unit_test(verify_says_one_line),
        cmocka_unit_test(json_is_the_model),
        cmocka_unit_test(totals_are_right),
        cmocka_unit_test(text_has_each_part),
        cmocka_unit_test(hostile_names_are_safe),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
