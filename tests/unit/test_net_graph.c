/*
 * Models that are no files of Keras as nets: they do what they did, learn what the Keras model learns that they come from, are frozen and thawed by
 * the names of their weights, cut, put into others, saved. What cannot be trained on is refused by name.
 */
#include "support/fault.h"
#include "support/small_net.h"

#include "base/base.h"
#include "ops/build.h"

#include <unistd.h>

static const lc_compile_options how = {.optimizer = {.class_name = "sgd", .config = "{\"learning_rate\": 0.1}"},
                                       .loss = {.class_name = "sparse_categorical_crossentropy"}};

static lc_pipeline *samples(void) { return small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH}); }

static lc_array predicted(lc_net *net) {
    lc_error err = {0};
    lc_array out;
    lc_pipeline *data = samples();
    GOES_WELL(lc_predict(net, data, NULL, &out, 1, &err));
    lc_pipeline_close(data);
    return out;
}

/* What both give, at most so far apart. */
static void agree(lc_net *one, lc_net *other, double tolerance) {
    lc_array a = predicted(one), b = predicted(other);
    assert_int_equal(a.size, b.size);
    for (size_t i = 0; i < a.size / sizeof(float); i++)
        assert_true(fabs((double)((const float *)a.data)[i] - (double)((const float *)b.data)[i]) <= tolerance);
    lc_array_deinit(&a);
    lc_array_deinit(&b);
}

static void fit(lc_net *net) {
    lc_error err = {0};
    lc_pipeline *data = samples();
    GOES_WELL(lc_compile(net, &how, &err));
    GOES_WELL(lc_fit(net, data, &(lc_fit_options){.epochs = 3}, NULL, &err));
    lc_pipeline_close(data);
}

/* The net as a model, and as a net again. */
static lc_net *through(lc_net *net, lc_quantize_options *quantize) {
    lc_error err = {0};
    lc_model *model, *small = NULL;
    lc_net *out;
    GOES_WELL(lc_net_convert(net, NULL, &model, &err));
    if (quantize) GOES_WELL(lc_model_quantize(model, quantize, &small, &err));
    GOES_WELL(lc_net_from_model(small ? small : model, NULL, &out, &err));
    lc_model_destroy(model); /* the net has what it needs of it */
    lc_model_destroy(small);
    return out;
}

static void test_learns_the_same(void **state) {
    (void)state;
    lc_net *keras = small_net(0, "sgd"), *graph = through(keras, NULL);
    assert_int_equal(lc_net_variable_count(graph), 4);
    for (size_t i = 0; i < 4; i++) assert_true(lc_net_variable_at(graph, i).trainable);
    agree(keras, graph, 0);
    fit(keras);
    fit(graph);
    agree(keras, graph, 1e-6);
    const lc_net_variable a = lc_net_variable_find(keras, "dense/kernel"), b = lc_net_variable_at(graph, 0);
    for (int i = 0; i < 4; i++) /* [in, out] there, [out, in] here */
        for (int k = 0; k < 5; k++) assert_true(fabs((double)a.value[i * 5 + k] - (double)b.value[k * 4 + i]) < 1e-6);
    lc_net_destroy(keras);
    lc_net_destroy(graph);
}

/* Weights of 16 bits, and of 8 with a scale a channel, are floats again. */
static void test_small_weights(void **state) {
    (void)state;
    const struct {
        lc_quantize_options options;
        double tolerance;
    } kinds[] = {{{.scheme = LC_SCHEME_FLOAT16, .min_weights = 1}, 1e-3}, {{.scheme = LC_SCHEME_DYNAMIC, .min_weights = 1}, 1e-2}};
    for (size_t i = 0; i < 2; i++) {
        lc_quantize_options o = kinds[i].options;
        lc_net *keras = small_net(0, "sgd"), *graph = through(keras, &o);
        assert_int_equal(lc_net_variable_count(graph), 4);
        agree(keras, graph, kinds[i].tolerance);
        fit(graph);
        lc_net_destroy(keras);
        lc_net_destroy(graph);
    }
}

static char folder[] = "/tmp/litec-net-graph-XXXXXX";
static const char *in_folder(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A SavedModel has variables, with names and in Keras's layout; it is trained on, saved in each form and opened again. */
static void test_files(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *keras = small_net(0, "sgd"), *net, *again;
    GOES_WELL(lc_net_save(keras, in_folder("saved"), NULL, &err));
    GOES_WELL(lc_net_open(in_folder("saved"), NULL, &net, &err));
    const lc_net_variable kernel = lc_net_variable_find(net, "dense/kernel"), head = lc_net_variable_find(net, "dense_1/kernel"),
                          was = lc_net_variable_find(keras, "dense/kernel"), head_was = lc_net_variable_find(keras, "dense_1/kernel");
    assert_non_null(kernel.path);
    assert_non_null(head.path);
    assert_int_equal(kernel.dims[0], 4);
    assert_memory_equal(kernel.value, was.value, was.count * sizeof *was.value);
    GOES_WELL(lc_net_set_trainable(net, "dense", false, &err)); /* the scope */
    assert_false(lc_net_variable_find(net, "dense/bias").trainable);
    assert_true(lc_net_variable_find(net, "dense_1/bias").trainable);
    assert_int_equal(lc_net_set_trainable(net, "conv*", false, &err), LC_ARGUMENT);
    fit(net);
    assert_memory_equal(kernel.value, was.value, was.count * sizeof *was.value);
    assert_memory_not_equal(head.value, head_was.value, head_was.count * sizeof *head_was.value);
    GOES_WELL(lc_net_set_trainable(net, "*", true, &err));
    fit(net);
    assert_memory_not_equal(kernel.value, was.value, was.count * sizeof *was.value);

    static const char *const forms[] = {"again", "again.tflite", "again.ckpt"};
    for (size_t i = 0; i < 3; i++) {
        GOES_WELL(lc_net_save(net, in_folder(forms[i]), NULL, &err));
        GOES_WELL(lc_net_open(in_folder(forms[i]), NULL, &again, &err));
        agree(net, again, 1e-6);
        assert_int_equal(lc_net_variable_count(again), 4);
        lc_net_destroy(again);
    }
    GOES_WELL(lc_net_save(net, in_folder("w.weights.h5"), NULL, &err));
    const lc_net_options options = {.weights = in_folder("w.weights.h5")};
    char saved[200];
    snprintf(saved, sizeof saved, "%s/saved", folder);
    GOES_WELL(lc_net_open(saved, &options, &again, &err));
    agree(net, again, 0);
    lc_net_destroy(again);
    assert_int_equal(lc_net_save(net, in_folder("x.keras"), NULL, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "SavedModel"));
    assert_int_equal(lc_net_save(net, in_folder("x.h5"), NULL, &err), LC_UNSUPPORTED);
    GOES_WELL(lc_net_save_trainable(net, in_folder("device.tflite"), 4, &err));
    GOES_WELL(lc_net_quantize_aware(net, NULL, &err)); /* which the graph has no part in: training says so */
    lc_pipeline *data = samples();
    assert_int_equal(lc_fit(net, data, NULL, NULL, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "quantisation-aware"));
    lc_pipeline_close(data);
    lc_net_destroy(net);
    lc_net_destroy(keras);
}

/* Cut in the graph, a layer of another model, frozen, with a head; the same of the Keras model learns the same. */
static lc_net *with_head(lc_net *base) {
    lc_error err = {0};
    lc_net *net = lc_sequential("whole");
    lc_add(net, LC_INPUT({4}));
    lc_add_model(net, base);
    lc_add(net, LC_DENSE(3, .activation = "softmax", .kernel_initializer = {.class_name = "zeros"}, .name = "head"));
    GOES_WELL(lc_net_build(net, &err));
    return net;
}

static void test_transfer(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *keras = small_net(0, "sgd"), *graph, *keras_base, *base, *other;
    GOES_WELL(lc_net_save(keras, in_folder("base"), NULL, &err));
    GOES_WELL(lc_net_open(in_folder("base"), NULL, &graph, &err));
    assert_int_equal(lc_net_cut(graph, "den", &base, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.hint, "did you mean \"dense\""));
    GOES_WELL(lc_net_set_trainable(graph, "dense/bias", false, &err)); /* what does not learn goes along */
    GOES_WELL(lc_net_cut(graph, "dense", &base, &err));
    assert_int_equal(lc_net_variable_count(base), 2);
    assert_false(lc_net_variable_find(base, "dense/bias").trainable);
    assert_true(lc_net_variable_find(base, "dense/kernel").trainable);
    GOES_WELL(lc_net_set_trainable(base, "dense/bias", true, &err));
    GOES_WELL(lc_net_cut(keras, "dense", &keras_base, &err));
    agree(keras_base, base, 1e-7);
    lc_net *a = with_head(keras_base), *b = with_head(base);
    const lc_net_variable kernel = lc_net_variable_find(b, "base/dense/kernel"), was = lc_net_variable_find(base, "dense/kernel");
    assert_non_null(kernel.path);
    GOES_WELL(lc_net_set_trainable(a, "small", false, &err));
    GOES_WELL(lc_net_set_trainable(b, "base", false, &err));
    fit(a);
    fit(b);
    agree(a, b, 1e-6);
    assert_memory_equal(kernel.value, was.value, was.count * sizeof *was.value);
    GOES_WELL(lc_net_set_trainable(a, NULL, true, &err));
    GOES_WELL(lc_net_set_trainable(b, "base/dense/k*", true, &err));
    assert_true(lc_net_variable_find(b, "base/dense/kernel").trainable);
    assert_false(lc_net_variable_find(b, "base/dense/bias").trainable);
    GOES_WELL(lc_net_set_trainable(b, NULL, true, &err));
    fit(a);
    fit(b);
    agree(a, b, 1e-5);
    assert_memory_not_equal(kernel.value, was.value, was.count * sizeof *was.value);
    GOES_WELL(lc_net_cut(b, "base/dense", &other, &err)); /* in the graph of the model within */
    assert_int_equal(lc_net_variable_count(other), 2);
    lc_net_destroy(other);

    lc_features *features;
    lc_pipeline *data = samples();
    GOES_WELL(lc_features_of_net(base, data, NULL, &features, &err));
    assert_int_equal(lc_features_arrays(features).x[0].dims[1], 5);
    lc_features_destroy(features);
    lc_pipeline_close(data);
    lc_net_destroy(base);
    lc_net_destroy(graph); /* those it was put into stay */
    agree(a, b, 1e-5);
    lc_net_destroy(a);
    lc_net_destroy(b);
    lc_net_destroy(keras_base);
    lc_net_destroy(keras);
}

/* ---- made models ---------------------------------------------------------------------------------------------------------------- */

/* x [batch, 2, 2] as [shape...], times a kernel [3, 4] and a bias; in the memory of the model. */
static lc_model *reshaping(int32_t batch, const int32_t *shape, int32_t rank, const float *bias) {
    lc_error err = {0};
    lc_model *m;
    lc_builder b;
    const int32_t dims[3] = {batch, 2, 2}, matrix[2] = {3, 4}, three = 3;
    GOES_WELL(lc_model_new(NULL, &m, &err));
    lc_builder_init(&b, m, m->graphs[0], &err);
    float *kernel = lc_build_data(&b, 12 * sizeof *kernel), *values = lc_build_data(&b, 3 * sizeof *values);
    for (int i = 0; i < 12; i++) kernel[i] = (float)cos(i);
    memcpy(values, bias, 3 * sizeof *values);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, dims, 3);
    const int32_t in[3] = {lc_build_reshape(&b, x, shape, rank), lc_build_const(&b, "kernel", LC_FLOAT32, matrix, 2, kernel, 48, true),
                           lc_build_const(&b, "bias", LC_FLOAT32, &three, 1, values, 12, true)};
    const int32_t y = lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3);
    lc_build_check(&b, lc_graph_add_input(b.graph, x, &err));
    lc_build_check(&b, lc_graph_add_output(b.graph, y, &err));
    GOES_WELL(b.status);
    GOES_WELL(lc_model_check(m, &err));
    return m;
}

static void test_fixed_batch(void **state) {
    (void)state;
    const float bias[3] = {1, 2, 3}, none[3] = {0};
    lc_error err = {0};
    lc_net *net;
    lc_model *m = reshaping(1, (const int32_t[]){1, 4}, 2, bias);
    GOES_WELL(lc_net_from_model(m, NULL, &net, &err));
    lc_model_destroy(m);
    assert_int_equal(lc_net_variable_count(net), 2);
    static float values[6][4];
    for (int i = 0; i < 24; i++) values[i / 4][i % 4] = (float)sin(i);
    lc_array x = {.type = LC_FLOAT32, .rank = 3, .dims = {6, 2, 2}, .data = values, .size = sizeof values}, out;
    lc_pipeline *data;
    GOES_WELL(lc_pipeline_from_arrays(&(lc_pipeline_arrays){.x = &x, .x_count = 1}, &(lc_pipeline_options){.batch = 6}, &data, &err));
    GOES_WELL(lc_predict(net, data, NULL, &out, 1, &err));
    assert_int_equal(out.dims[0], 6);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 3; k++) {
            double sum = k + 1;
            for (int j = 0; j < 4; j++) sum += (double)values[i][j] * (double)(float)cos(k * 4 + j);
            assert_true(fabs(sum - (double)((const float *)out.data)[i * 3 + k]) < 1e-5);
        }
    lc_array_deinit(&out);
    lc_pipeline_close(data);
    lc_net_destroy(net);

    m = reshaping(1, (const int32_t[]){4}, 1, bias); /* samples lose their rows */
    assert_int_equal(lc_net_from_model(m, NULL, &net, &err), LC_INVALID);
    assert_non_null(strstr(err.hint, "fixes its batch at 1"));
    assert_null(net);
    lc_model_destroy(m);
    m = reshaping(-1, (const int32_t[]){-1, 4}, 2, none); /* a bias of zeros is that of a layer without one */
    GOES_WELL(lc_net_from_model(m, NULL, &net, &err));
    assert_int_equal(lc_net_variable_count(net), 1);
    assert_string_equal(lc_net_variable_at(net, 0).path, "kernel");
    lc_net_destroy(net);
    lc_model_destroy(m);
}

static void refused(const char *file, const char *word) {
    lc_error err = {0};
    lc_net *net;
    char path[300];
    snprintf(path, sizeof path, "%s/data/tflite/%s", LC_TEST_DIR, file);
    const lc_status status = lc_net_open(path, NULL, &net, &err);
    if (status != LC_UNSUPPORTED || !strstr(err.message, word) || !err.hint[0]) fail_msg("%s: %s (%s)", file, err.message, err.hint);
    assert_null(net);
}

static void test_refused(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *net;
    refused("conv_int8.tflite", "integer model");
    refused("if_while.tflite", "WHILE");
    refused("custom_op.tflite", "custom");
    refused("variables_two_signatures.tflite", "CALL_ONCE");
    assert_int_equal(lc_net_from_model(NULL, NULL, &net, &err), LC_ARGUMENT);
    /* a configuration that names a graph, from outside */
    static const char json[] =
        "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [{\"class_name\": \"InputLayer\", \"name\": \"x\", "
        "\"config\": {\"name\": \"x\", \"batch_shape\": [null, 4], \"dtype\": \"float32\"}, \"inbound_nodes\": []}, {\"class_name\": \"Graph\", "
        "\"registered_name\": \"litec>Graph\", \"name\": \"g\", \"config\": {\"name\": \"g\", \"graph\": 1, \"learns\": \"1\"}, "
        "\"inbound_nodes\": [[[\"x\", 0, 0, {}]]]}], \"input_layers\": [[\"x\", 0, 0]], \"output_layers\": [[\"g\", 0, 0]]}}";
    assert_int_equal(lc_net_from_json(json, sizeof json - 1, NULL, &net, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "is a graph of"));
}

/* ---- memory runs out ------------------------------------------------------------------------------------------------------------- */

static lc_status life(void *arg, lc_error *err) {
    lc_net *graph = NULL, *base = NULL, *net = NULL;
    lc_status status = lc_net_from_model(arg, &(lc_net_options){.seed = 1}, &graph, err);
    if (!status) status = lc_net_set_trainable(graph, "dense/bias", false, err);
    if (!status) status = lc_net_cut(graph, "dense", &base, err);
    if (!status) {
        net = lc_sequential("whole");
        lc_add(net, LC_INPUT({4}));
        lc_add_model(net, base);
        lc_add(net, LC_DENSE(2, .kernel_initializer = {.class_name = "zeros"}));
        status = net ? lc_net_build(net, err) : lc_fail_memory(err, "a model");
    }
    lc_net_destroy(net);
    lc_net_destroy(base);
    lc_net_destroy(graph);
    return status;
}

static lc_status open_file(void *arg, lc_error *err) {
    lc_net *net;
    LC_TRY(lc_net_open(arg, NULL, &net, err));
    lc_net_destroy(net);
    return LC_OK;
}

static void test_memory(void **state) {
    (void)state;
    lc_error err = {0};
    lc_model *model;
    lc_net *keras = small_net(0, "sgd");
    GOES_WELL(lc_net_convert(keras, NULL, &model, &err));
    GOES_WELL(lc_net_save(keras, in_folder("fault"), NULL, &err));
    lc_net_destroy(keras);
    fault_check(life, model, &(fault_options){.step = 5});
    char path[200];
    snprintf(path, sizeof path, "%s/fault", folder);
    fault_check(open_file, path, &(fault_options){.step = 5});
    lc_model_destroy(model);
}

int main(void) {
    small_data();
    if (!mkdtemp(folder)) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_learns_the_same), cmocka_unit_test(test_small_weights),
                                       cmocka_unit_test(test_files),           cmocka_unit_test(test_transfer),
                                       cmocka_unit_test(test_fixed_batch),     cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_memory)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) || failed;
}
