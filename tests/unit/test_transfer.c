/*
 * Transfer learning: a model cut at a layer gives what that layer gave; a trained model as a layer of another keeps its weights; what is frozen
 * stays as it is, bit for bit; a head that is trained on features learns what it learns behind the model itself.
 */
#include "support/fault.h"
#include "support/small_net.h"

#include "base/base.h"

#include <unistd.h>

static lc_net *base_net(void) {
    lc_net *net = lc_functional("base");
    const lc_symbol x = lc_input(net, LC_INPUT({4})), skip = lc_input(net, LC_INPUT({2}));
    const lc_symbol a = lc_call(net, LC_DENSE(5, .activation = "tanh", .name = "a"), x);
    const lc_symbol b = lc_call(net, LC_BATCH_NORMALIZATION(.name = "norm"), a);
    const lc_symbol both[2] = {b, skip}, c = lc_call_many(net, LC_CONCATENATE(.name = "both"), both, 2);
    const lc_symbol d = lc_call(net, LC_DENSE(3, .activation = "softmax", .name = "d"), c);
    lc_outputs(net, &d, 1);
    lc_error err = {0};
    GOES_WELL(lc_net_build(net, &err));
    small_fill(net);
    return net;
}

static lc_array predicted(lc_net *net, lc_pipeline *data) {
    lc_error err = {0};
    lc_array out;
    GOES_WELL(lc_predict(net, data, NULL, &out, 1, &err));
    return out;
}

static void same(const lc_array *a, const lc_array *b) {
    assert_int_equal(a->size, b->size);
    for (size_t i = 0; i < a->size / sizeof(float); i++)
        assert_true(fabs((double)((const float *)a->data)[i] - (double)((const float *)b->data)[i]) < 1e-6);
}

/* tanh(x W + b), by hand. */
static void test_cut(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *net = base_net(), *cut;
    GOES_WELL(lc_net_cut(net, "a", &cut, &err));
    assert_int_equal(lc_net_variable_count(cut), 2);
    const lc_net_variable w = lc_net_variable_find(cut, "a/kernel"), bias = lc_net_variable_find(cut, "a/bias"),
                          of = lc_net_variable_find(net, "a/kernel");
    assert_memory_equal(w.value, of.value, w.count * sizeof *w.value);
    assert_ptr_not_equal(w.value, of.value);
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    lc_array out = predicted(cut, data);
    assert_int_equal(out.dims[0], SAMPLES);
    for (int i = 0; i < SAMPLES; i++)
        for (int k = 0; k < 5; k++) {
            double sum = (double)bias.value[k];
            for (int j = 0; j < 4; j++) sum += (double)small_x[i][j] * (double)w.value[j * 5 + k];
            assert_true(fabs((double)((float *)out.data)[i * 5 + k] - tanh(sum)) < 1e-6);
        }
    lc_array_deinit(&out);
    lc_pipeline_close(data);
    lc_net_destroy(cut);
    assert_int_equal(lc_net_cut(net, "b", &cut, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "no layer \"b\""));
    assert_null(cut);
    lc_net_destroy(net);

    lc_net *plain = small_net(0.5, "sgd"); /* sequential, and cut behind a layer without weights */
    GOES_WELL(lc_net_cut(plain, "dropout", &cut, &err));
    assert_int_equal(lc_net_variable_count(cut), 2);
    lc_net_destroy(cut);
    lc_net_destroy(plain);
}

/* A layer of a model within: by its path; its name alone is told where it is. */
static void test_cut_within(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *inner = small_net(0, "sgd"), *net = lc_sequential("whole"), *whole = lc_sequential("more"), *cut;
    lc_add(net, LC_INPUT({4}));
    lc_add_model(net, inner);
    lc_add(net, LC_DENSE(2, .name = "head"));
    lc_add(whole, LC_INPUT({4}));
    lc_add_model(whole, net); /* only described yet: what it was given goes along */
    assert_int_equal(lc_net_cut(whole, "dense", &cut, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.hint, "whole/small/dense"));
    assert_int_equal(lc_net_cut(whole, "whole/smal/dense", &cut, &err), LC_ARGUMENT);
    assert_int_equal(lc_net_cut(whole, "whole/hed", &cut, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.hint, "\"head\""));
    GOES_WELL(lc_net_cut(whole, "whole/small/dense", &cut, &err));
    assert_int_equal(lc_net_variable_count(cut), 2);
    const lc_net_variable v = lc_net_variable_find(cut, "whole/small/dense/kernel"), of = lc_net_variable_find(inner, "dense/kernel");
    assert_non_null(v.path);
    assert_memory_equal(v.value, of.value, of.count * sizeof *of.value);
    GOES_WELL(lc_net_set_trainable(whole, "whole/small/dense", false, &err));
    assert_false(lc_net_variable_find(whole, "whole/small/dense/kernel").trainable);
    assert_true(lc_net_variable_find(whole, "whole/small/dense_1/kernel").trainable);
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    lc_net *plain;
    GOES_WELL(lc_net_cut(inner, "dense", &plain, &err));
    lc_array a = predicted(cut, data), b = predicted(plain, data);
    same(&a, &b);
    lc_array_deinit(&a);
    lc_array_deinit(&b);
    lc_pipeline_close(data);
    lc_net_destroy(plain);
    lc_net_destroy(cut);
    lc_net_destroy(whole);
    lc_net_destroy(net);
    lc_net_destroy(inner);
}

/* A trained model as a frozen layer, and the same as a function before the head: the heads learn the same. */
static lc_net *trained(void) {
    lc_error err = {0};
    lc_net *net = small_net(0, "sgd");
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    GOES_WELL(lc_fit(net, data, NULL, NULL, &err));
    lc_pipeline_close(data);
    return net;
}

static const lc_compile_options head_options = {.optimizer = {.class_name = "sgd", .config = "{\"learning_rate\": 0.1}"},
                                                .loss = {.class_name = "sparse_categorical_crossentropy"}};

static void fit(lc_net *net, lc_pipeline *data) {
    lc_error err = {0};
    GOES_WELL(lc_fit(net, data, &(lc_fit_options){.epochs = 3}, NULL, &err));
}

static void fill_head(lc_net *net, const char *kernel) {
    const lc_net_variable v = lc_net_variable_find(net, kernel);
    assert_non_null(v.path);
    for (size_t i = 0; i < v.count; i++) v.value[i] = (float)sin((double)i);
}

static void test_layer(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *source = trained(), *base, *net = lc_functional(NULL);
    GOES_WELL(lc_net_cut(source, "dense", &base, &err));
    const lc_symbol x = lc_input(net, LC_INPUT({4}));
    const int32_t layer = lc_layer_make_model(net, base);
    const lc_symbol y = lc_call(net, LC_DENSE(3, .activation = "softmax", .name = "head"), lc_apply(net, layer, &x, 1));
    lc_outputs(net, &y, 1);
    GOES_WELL(lc_net_set_trainable(net, "small", false, &err));
    GOES_WELL(lc_compile(net, &head_options, &err));
    fill_head(net, "head/kernel");
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    fit(net, data);
    const lc_net_variable kept = lc_net_variable_find(net, "small/dense/kernel"), was = lc_net_variable_find(source, "dense/kernel");
    assert_non_null(kept.path);
    assert_false(kept.trainable);
    assert_memory_equal(kept.value, was.value, was.count * sizeof *was.value);

    lc_features *features;
    GOES_WELL(lc_features_of_net(base, data, NULL, &features, &err));
    const lc_pipeline_arrays arrays = lc_features_arrays(features);
    assert_int_equal(arrays.x[0].dims[0], SAMPLES);
    assert_int_equal(arrays.y_count, 1);
    lc_pipeline *cached;
    GOES_WELL(lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = BATCH}, &cached, &err));
    lc_net *head = lc_sequential("head");
    lc_add(head, LC_INPUT({5}));
    lc_add(head, LC_DENSE(3, .activation = "softmax", .name = "head"));
    GOES_WELL(lc_compile(head, &head_options, &err));
    fill_head(head, "head/kernel");
    fit(head, cached);
    lc_array a = predicted(net, data), b = predicted(head, cached);
    same(&a, &b);

    /* thawed, it moves */
    GOES_WELL(lc_net_set_trainable(net, "small", true, &err));
    GOES_WELL(lc_compile(net, &head_options, &err));
    fit(net, data);
    const lc_net_variable moved = lc_net_variable_find(net, "small/dense/kernel");
    assert_true(moved.trainable);
    assert_memory_not_equal(moved.value, was.value, was.count * sizeof *was.value);

    lc_array_deinit(&a);
    lc_array_deinit(&b);
    lc_pipeline_close(cached);
    lc_pipeline_close(data);
    lc_features_destroy(features);
    lc_net_destroy(head);
    lc_net_destroy(net);
    lc_net_destroy(base);
    lc_net_destroy(source);
}

/* The whole is saved and opened again; its layer "small" is cut from it, and goes into a sequential model. */
static void test_file(void **state) {
    (void)state;
    char path[] = "/tmp/litec-transfer-XXXXXX.keras";
    const int fd = mkstemps(path, 6);
    assert_true(fd >= 0);
    close(fd);
    lc_error err = {0};
    lc_net *source = trained(), *opened, *net = lc_sequential("whole");
    GOES_WELL(lc_net_save(source, path, NULL, &err));
    GOES_WELL(lc_net_open(path, NULL, &opened, &err));
    unlink(path);
    lc_add(net, LC_INPUT({4}));
    lc_add_model(net, opened);
    lc_add_model(net, opened); /* which takes 4 numbers, not 3 */
    assert_int_equal(lc_net_build(net, &err), LC_INVALID);
    lc_net_destroy(net);
    net = lc_sequential("whole");
    lc_add(net, LC_INPUT({4}));
    lc_add_model(net, opened);
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    lc_array a = predicted(source, data), b = predicted(net, data);
    same(&a, &b);
    lc_array_deinit(&a);
    lc_array_deinit(&b);
    lc_pipeline_close(data);
    lc_net_destroy(net);
    lc_net_destroy(opened);
    lc_net_destroy(source);
}

/* A file of Keras 2, whose DepthwiseConv2D calls its kernel otherwise: the cut has the same values. */
static void test_keras2(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *net, *cut, *outer = lc_sequential(NULL);
    GOES_WELL(lc_net_open(LC_TEST_DIR "/../examples/models/keras2_cnn.h5", NULL, &net, &err));
    GOES_WELL(lc_net_cut(net, "dense_2", &cut, &err));
    assert_int_equal(lc_net_variable_count(cut) + 2, lc_net_variable_count(net));
    for (size_t i = 0; i < lc_net_variable_count(cut); i++) {
        const lc_net_variable a = lc_net_variable_at(cut, i), b = lc_net_variable_at(net, i);
        assert_int_equal(a.count, b.count);
        assert_memory_equal(a.value, b.value, a.count * sizeof *a.value);
    }
    lc_add(outer, LC_INPUT({28, 28, 1})); /* as a layer of a model of Keras 3 it does what it did */
    lc_add_model(outer, cut);
    GOES_WELL(lc_net_build(outer, &err));
    static float pixels[BATCH * 28 * 28];
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++) pixels[i] = (float)(i * 37 % 101) / 101;
    lc_array x = {.type = LC_FLOAT32, .rank = 4, .dims = {BATCH, 28, 28, 1}, .data = pixels, .size = sizeof pixels};
    const lc_pipeline_arrays arrays = {.x = &x, .x_count = 1};
    lc_pipeline *data;
    GOES_WELL(lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = BATCH}, &data, &err));
    lc_array want = predicted(cut, data), got = predicted(outer, data);
    same(&want, &got);
    lc_array_deinit(&want);
    lc_array_deinit(&got);
    lc_pipeline_close(data);
    assert_int_equal(lc_net_can_save_as(outer, "x.keras", &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "Keras 2"));
    GOES_WELL(lc_net_can_save_as(outer, "x.weights.h5", &err));
    lc_net_destroy(outer);
    lc_net_destroy(cut);
    lc_net_destroy(net);
}

/* Mean and variance of each of the four numbers; behind a layer that doubles them, of the doubles. */
static void check_adapted(lc_net *net, double factor) {
    lc_error err = {0};
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = 7});
    GOES_WELL(lc_net_adapt(net, "normalization", data, &err));
    const lc_net_variable mean = lc_net_variable_find(net, "normalization/mean"), var = lc_net_variable_find(net, "normalization/variance");
    assert_int_equal(mean.count, 4);
    for (int k = 0; k < 4; k++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < SAMPLES; i++) sum += factor * (double)small_x[i][k] / SAMPLES;
        for (int i = 0; i < SAMPLES; i++) squares += pow(factor * (double)small_x[i][k] - sum, 2) / SAMPLES;
        assert_true(fabs((double)mean.value[k] - sum) < 1e-6 && fabs((double)var.value[k] - squares) < 1e-6);
    }
    assert_int_equal(lc_net_adapt(net, "input_layer", data, &err), LC_ARGUMENT);
    lc_pipeline_close(data);
    lc_net_destroy(net);
}

static void test_adapt(void **state) {
    (void)state;
    lc_net *net = lc_sequential(NULL);
    lc_add(net, LC_INPUT({4}));
    lc_add(net, LC_NORMALIZATION());
    lc_add(net, LC_DENSE(2));
    check_adapted(net, 1);
    net = lc_sequential(NULL);
    lc_add(net, LC_INPUT({4}));
    lc_add(net, LC_RESCALING(2));
    lc_add(net, LC_NORMALIZATION());
    check_adapted(net, 2);
}

/* ---- memory runs out --------------------------------------------------------------------------------------------------------- */

static lc_status transfer(void *arg, lc_error *err) {
    lc_net *const *source = arg;
    lc_net *base = NULL, *net = NULL;
    lc_features *features = NULL;
    lc_pipeline *data = NULL;
    lc_array x = {.type = LC_FLOAT32, .rank = 2, .dims = {SAMPLES, 4}, .data = small_x, .size = sizeof small_x};
    const lc_pipeline_arrays arrays = {.x = &x, .x_count = 1};
    lc_status status = lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = SAMPLES, .threads = 1}, &data, err);
    if (!status) status = lc_net_cut(*source, "dense", &base, err);
    if (!status) status = lc_features_of_net(base, data, &(lc_evaluate_options){.threads = 1}, &features, err);
    if (!status) {
        net = lc_sequential("whole");
        lc_add(net, LC_INPUT({4}));
        lc_add_model(net, base);
        lc_add(net, LC_DENSE(2, .kernel_initializer = {.class_name = "orthogonal"}));
        status = net ? lc_net_build(net, err) : lc_fail_memory(err, "a model");
    }
    lc_net_destroy(net);
    lc_net_destroy(base);
    lc_features_destroy(features);
    lc_pipeline_close(data);
    return status;
}

static void test_memory(void **state) {
    (void)state;
    lc_net *source = trained();
    fault_check(transfer, &source, &(fault_options){.step = 7});
    lc_net_destroy(source);
}

int main(void) {
    small_data();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut),   cmocka_unit_test(test_cut_within), cmocka_unit_test(test_layer),
                                       cmocka_unit_test(test_file),  cmocka_unit_test(test_keras2),     cmocka_unit_test(test_adapt),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
