/*
 * test_trained.c: models of quantisation-aware training, pruning and clustering with tfmot: its wrappers (src/lower/lower_trained.c), what
 * becomes of a real file (tests/oracle/make_trained_case.py), and steps that are in a graph already (src/quant/qat.c).
 */
#include "support/fault.h"
#include "support/keras_fixture.h"

#include "litec/litec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FILE_OF_TFMOT LC_TEST_DIR "/data/keras/qat.keras"

/* ---- a file ------------------------------------------------------------------------------------------------------------------ */

/* The official converter's integer model gave these, in LiteRT. */
static const float wanted[2][3] = {{-0.69184327f, -0.83021194f, -1.24531794f}, {-0.32286021f, 1.93716121f, 1.06082642f}};

/* The output of sample 0 or 1, as real numbers. */
static void run_file(lc_model *m, int sample, float out[3]) {
    lc_session *s;
    lc_error err;
    if (lc_session_create(m, NULL, &s, &err)) fail_msg("%s", err.message);
    const lc_tensor_view in = lc_session_input(s, 0);
    for (int i = 0; i < 32; i++) {
        const float v = (float)(((sample * 32 + i) * 37 + 11) % 64 - 32) / 32;
        if (in.type == LC_INT8) ((int8_t *)in.data)[i] = (int8_t)fmaxf(-128, fminf(127, roundf(v / in.scale) + (float)in.zero_point));
        else ((float *)in.data)[i] = v;
    }
    assert_int_equal(lc_session_run(s, &err), LC_OK);
    const lc_tensor_view y = lc_session_output(s, 0);
    for (int i = 0; i < 3; i++)
        out[i] = y.type == LC_INT8 ? (float)(((const int8_t *)y.data)[i] - y.zero_point) * y.scale : ((const float *)y.data)[i];
    lc_session_destroy(s);
}

static void check_file(lc_model *m, const char *operators) {
    lc_text ops = {0};
    float out[3];
    fixture_ops(m, &ops);
    assert_string_equal(ops.data, operators);
    lc_text_deinit(&ops);
    for (int k = 0; k < 2; k++) {
        run_file(m, k, out);
        for (int i = 0; i < 3; i++)
            if (fabsf(out[i] - wanted[k][i]) > 1e-5f)
                fail_msg("output %d of sample %d is %g, should be %g", i, k, (double)out[i], (double)wanted[k][i]);
    }
}

static void test_file(void **state) {
    (void)state;
    const lc_quantize_options integers = {.scheme = LC_SCHEME_INT8, .input_type = LC_INT8, .output_type = LC_INT8, .only_integer = true};
    lc_model *m, *q;
    lc_error err;
    if (lc_convert(FILE_OF_TFMOT, NULL, &m, &err)) fail_msg("%s", err.message);
    check_file(m, "QUANTIZE CONV_2D RESHAPE FULLY_CONNECTED DEQUANTIZE");
    if (lc_model_quantize(m, &integers, &q, &err)) fail_msg("%s", err.message); /* it says its steps: no samples */
    check_file(q, "CONV_2D RESHAPE FULLY_CONNECTED");
    for (size_t t = 0; t < q->graphs[0]->tensor_count; t++) assert_int_not_equal(q->graphs[0]->tensors[t].type, LC_FLOAT32);
    lc_model_destroy(q);
    assert_int_equal(lc_model_quantize(m, &(lc_quantize_options){.scheme = LC_SCHEME_INT8}, &q, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "nothing to quantise"));
    lc_model_destroy(m);
}

static lc_status convert(void *path, lc_error *err) {
    lc_model *m;
    LC_TRY(lc_convert(path, NULL, &m, err));
    lc_model_destroy(m);
    return LC_OK;
}

static void test_allocation_failures(void **state) {
    (void)state;
    fault_check(convert, (void *)(uintptr_t)FILE_OF_TFMOT, &(fault_options){.step = 11});
}

/* ---- wrappers ------------------------------------------------------------------------------------------------------------------ */

#define DENSE(activation) "{\"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 3, \"activation\": " activation "}}"
#define AWARE(name) "{\"class_name\": \"QuantizeAwareActivation\", \"config\": {\"activation\": \"" name "\"}}"
#define QUANTIZE(class_name, more) \
    "{\"layer\": " DENSE(AWARE("relu")) ", \"quantize_config\": {\"class_name\": \"" class_name "\", \"config\": {" more "}}}"
#define ATTRIBUTES "\"weight_attrs\": [\"kernel\"], \"activation_attrs\": [\"activation\"], \"quantize_output\": false"

/* A layer on x [2, 4] with weights of these names, ended by NULL. */
static int begin(fixture *f, const char *class_name, const char *config, const char *weights, const char *const *names) {
    fixture_begin(f, "2.15.0");
    const int x = fixture_input(f, "x", "[null, 4]"), d = fixture_layer(f, class_name, "w", config, weights, 1, (int[]){x});
    for (uint32_t i = 0; i < f->layers[d].weight_count; i++) f->layers[d].weights[i].name = names[i];
    fixture_output(f, d);
    return d;
}

static void run(const fixture *f, float out[6]) {
    lc_error err;
    size_t n = 6;
    int32_t dims[LC_MAX_RANK], rank;
    lc_model *m = fixture_lower(f, NULL, &err);
    if (!m) fail_msg("%s", err.message);
    fixture_run(m, 1, out, &n, dims, &rank);
    assert_int_equal(n, 6);
    lc_model_destroy(m);
}

/* x kernel + bias, row r, unit i. */
static double dense(const float *kernel, const float *bias, size_t r, size_t i) {
    double y = bias[i];
    for (size_t k = 0; k < 4; k++) y += (double)fixture_value(100, r * 4 + k) * (double)kernel[k * 3 + i];
    return y;
}

static void expect_dense(const float out[6], const float *kernel, const float *bias) {
    for (size_t i = 0; i < 6; i++)
        if (fabs(dense(kernel, bias, i / 3, i % 3) - (double)out[i]) > 1e-5) fail_msg("element %zu is %g", i, (double)out[i]);
}

static const float low[] = {-1.27f}, high[] = {1.27f}, below[] = {-1}, above[] = {4.1f};

static void give_range(fixture *f, int layer, uint32_t first, const float *min, const float *max) {
    f->layers[layer].weights[first].data = min;
    f->layers[layer].weights[first + 1].data = max;
}

/* The kernel in steps of a hundredth, what comes out of RELU in steps of 5.1 / 255. */
static void test_quantize(void **state) {
    (void)state;
    static const char *const old[] = {"d/bias:0",
                                      "w/kernel:0",
                                      "w/optimizer_step:0",
                                      "w/kernel_min:0",
                                      "w/kernel_max:0",
                                      "w/post_activation_min:0",
                                      "w/post_activation_max:0"};
    fixture f;
    float out[6], kernel[12];
    const int d = begin(&f, "QuantizeWrapper", QUANTIZE("Default8BitQuantizeConfig", ATTRIBUTES), "3 4x3 - - - - -", old);
    give_range(&f, d, 3, low, high);
    give_range(&f, d, 5, below, above);
    run(&f, out);
    for (int i = 0; i < 12; i++) kernel[i] = roundf(fixture_weight(&f, d, 1)[i] * 100) / 100;
    for (size_t i = 0; i < 6; i++) {
        const double y = fmax(dense(kernel, fixture_weight(&f, d, 0), i / 3, i % 3), 0), steps = (double)out[i] / 0.02;
        if (fabs(y - (double)out[i]) > 0.01 + 1e-5 || fabs(steps - round(steps)) > 1e-4) fail_msg("%g becomes %g", y, (double)out[i]);
    }
    fixture_end(&f);
}

static void test_others(void **state) {
    (void)state;
    static const char *const pruned[] = {"d/kernel:0", "d/bias:0", "w/mask:0", "w/threshold:0", "w/pruning_step:0"};
    static const char *const clustered[] = {"d/bias:0", "w/cluster_centroids_kernel:0", "w/pulling_indices_kernel:0", "w/kernel:0"};
    static const float centroids[] = {0.5f, -0.5f, 0};
    fixture f;
    float out[6], kernel[12];
    int d = begin(&f, "PruneLowMagnitude", "{\"layer\": " DENSE("null") "}", "4x3 3 4x3 - -", pruned);
    run(&f, out);
    expect_dense(out, fixture_weight(&f, d, 0), fixture_weight(&f, d, 1));
    fixture_end(&f);

    d = begin(&f, "QuantizeAnnotate", "{\"layer\": " DENSE("null") ", \"quantize_config\": null}", "4x3 3", pruned);
    run(&f, out);
    expect_dense(out, fixture_weight(&f, d, 0), fixture_weight(&f, d, 1));
    fixture_end(&f);

    d = begin(&f, "ClusterWeights", "{\"layer\": " DENSE("null") ", \"preserve_sparsity\": false}", "3 3 4x3 4x3", clustered);
    f.layers[d].weights[1].data = centroids;
    f.layers[d].weights[2].type = LC_INT32;
    run(&f, out);
    for (int i = 0; i < 12; i++) kernel[i] = roundf(fixture_weight(&f, d, 3)[i] * 2) / 2;
    for (int i = 0; i < 12; i++) kernel[i] = fmaxf(-0.5f, fminf(0.5f, kernel[i]));
    expect_dense(out, kernel, fixture_weight(&f, d, 0));
    fixture_end(&f);
}

static void refuse(const char *class_name, const char *config, const char *weights, const char *const *names, const float *min,
                   const char *word) {
    fixture f;
    lc_error err;
    const int d = begin(&f, class_name, config, weights, names);
    if (min) give_range(&f, d, 2, min, high);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (m) fail_msg("%s is taken", config);
    if (!strstr(err.message, word)) fail_msg("%s: \"%s\" does not say \"%s\"", config, err.message, word);
    fixture_end(&f);
}

static void test_refused(void **state) {
    (void)state;
    static const char *const names[] = {"d/kernel:0", "d/bias:0",  "w/a_min:0", "w/a_max:0", "w/b_min:0",
                                        "w/b_max:0",  "w/c_min:0", "w/c_max:0", "w/d_min:0", "w/d_max:0"};
    static const char *const clustered[] = {"d/kernel:0", "d/bias:0", "w/cluster_centroids_kernel:0"};
    static const float positive[] = {1};
    refuse("QuantizeWrapperV2", QUANTIZE("OwnConfig", ATTRIBUTES), "4x3 3", names, NULL, "OwnConfig");
    refuse("QuantizeWrapperV2", QUANTIZE("DefaultNBitQuantizeConfig", ATTRIBUTES ", \"num_bits_weight\": 33"), "4x3 3 - -", names, low,
           "num_bits_weight");
    refuse("QuantizeWrapperV2", QUANTIZE("Default8BitQuantizeConfig", ATTRIBUTES), "4x3 3", names, NULL, "no range for its kernel");
    refuse("QuantizeWrapperV2", QUANTIZE("Default8BitQuantizeConfig", ATTRIBUTES), "4x3 3 - -", names, low, "no range for its activation");
    refuse("QuantizeWrapperV2", QUANTIZE("Default8BitQuantizeConfig", ATTRIBUTES), "4x3 3 2 2", names, NULL, "2 ranges and 3 channels");
    refuse("QuantizeWrapperV2", QUANTIZE("Default8BitQuantizeConfig", ATTRIBUTES), "4x3 3 - -", names, positive, "does not hold zero");
    refuse("QuantizeWrapperV2", "{\"quantize_config\": null}", "", names, NULL, "layer");
    refuse("QuantizeLayer", "{\"quantizer\": null}", "", names, NULL, "no range for its input");
    refuse("ClusterWeights", "{\"layer\": " DENSE("null") "}", "4x3 3 3x2", clustered, NULL, "2 dimensions");
    refuse("PruneLowMagnitude", "{}", "", names, NULL, "layer");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_file), cmocka_unit_test(test_allocation_failures),
                                       cmocka_unit_test(test_quantize), cmocka_unit_test(test_others), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
