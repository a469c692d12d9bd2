/*
 * test_target_runtime.c: what is made for a TensorFlow release asks for no later one. Models with operators of all ages, under each scheme, for
 * each release: what is written, read again, has operators that the release has and computes what the float model does; or the error names
 * what is lacking. And each operator that becomes others (pass/older.c) keeps its values.
 */
#include "ir/ir.h"
#include "litec/litec.h"
#include "ops/build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNITS = 8, PIXELS = 4 };

static int32_t constant(lc_builder *b, const int32_t *dims, int32_t rank, float reach) {
    size_t n = 1;
    for (int32_t d = 0; d < rank; d++) n *= (size_t)dims[d];
    float *data = lc_build_data(b, n * sizeof *data);
    for (size_t i = 0; data && i < n; i++) data[i] = reach * (float)((int)(i * 37 % 101) - 50) / 50;
    return data ? lc_build_const(b, "w", LC_FLOAT32, dims, rank, data, n * sizeof *data, true) : -1;
}

static int32_t conv(lc_builder *b, int32_t x, int8_t act) {
    const lc_Conv2DOptions o = {
        .stride_w = 1, .stride_h = 1, .dilation_w_factor = 1, .dilation_h_factor = 1, .fused_activation_function = act};
    const int32_t units = UNITS;
    return lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o,
                       (int32_t[]){x, constant(b, (int32_t[]){UNITS, 3, 3, UNITS}, 4, 0.2f), constant(b, &units, 1, 0.1f)}, 3);
}

static int32_t upwards(lc_builder *b, int32_t x, int8_t act) {
    const lc_TransposeConvOptions o = {.stride_w = 1, .stride_h = 1, .fused_activation_function = act};
    const int32_t units = UNITS, size = lc_build_ints(b, "size", (int32_t[]){1, PIXELS, PIXELS, UNITS}, 4);
    const int32_t w = constant(b, (int32_t[]){UNITS, 3, 3, UNITS}, 4, 0.2f);
    return lc_build_op(b, LC_OP_TRANSPOSE_CONV, LC_TABLE_TransposeConvOptions, &o, (int32_t[]){size, w, x, constant(b, &units, 1, 0.5f)},
                       4);
}

static int32_t gelu(lc_builder *b, int32_t x, bool approximate) {
    return lc_build_op(b, LC_OP_GELU, LC_TABLE_GeluOptions, &(lc_GeluOptions){.approximate = approximate}, &x, 1);
}

static int32_t relu_01(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_RELU_0_TO_1, x); }
static int32_t gelu_exact(lc_builder *b, int32_t x) { return gelu(b, x, false); }
static int32_t gelu_tanh(lc_builder *b, int32_t x) { return gelu(b, x, true); }
static int32_t upwards_relu6(lc_builder *b, int32_t x) { return upwards(b, x, LC_ActivationFunctionType_RELU6); }
static int32_t upwards_plain(lc_builder *b, int32_t x) { return upwards(b, x, LC_ActivationFunctionType_NONE); }
static int32_t chosen(lc_builder *b, int32_t x) {
    const int32_t yes = lc_build_with_scalar(b, LC_OP_GREATER, x, "zero", 0);
    return lc_build_op(b, LC_OP_SELECT_V2, LC_TABLE_SelectV2Options, NULL, (int32_t[]){yes, x, lc_build_unary(b, LC_OP_NEG, x)}, 3);
}
static int32_t spread(lc_builder *b, int32_t x) {
    const int32_t row = lc_build_reduce(b, LC_OP_MEAN, x, (int32_t[]){1}, 1, true);
    const int32_t shape = lc_build_ints(b, "shape", (int32_t[]){1, PIXELS, PIXELS, UNITS}, 4);
    return lc_build_op(b, LC_OP_BROADCAST_TO, LC_TABLE_BroadcastToOptions, NULL, (int32_t[]){row, shape}, 2);
}

/* Operators that old releases lack, and the oldest that all of their forms run on. */
static const struct {
    int32_t (*build)(lc_builder *b, int32_t x);
    const char *op;
    uint32_t lacks, has;
} cases[] = {{gelu_exact, "GELU", 20800, 11400},
             {gelu_tanh, "GELU", 20800, 11400},
             {relu_01, "RELU_0_TO_1", 20900, 11400},
             {upwards_relu6, "TRANSPOSE_CONV", 21200, 20300},
             {upwards_relu6, "TRANSPOSE_CONV", 20200, 11400},
             {upwards_plain, "TRANSPOSE_CONV", 20200, 11400},
             {chosen, "SELECT_V2", 20100, 11400},
             {spread, "BROADCAST_TO", 20400, 11400}};

static int32_t all_of_them(lc_builder *b, int32_t x) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) x = lc_build_binary(b, LC_OP_ADD, x, cases[i].build(b, x), 0);
    return x;
}

/* image -> conv -> what `build` makes -> dense -> softmax */
static lc_model *network(int32_t (*build)(lc_builder *b, int32_t x)) {
    lc_model *m;
    lc_error err;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t image = lc_build_placeholder(&b, "image", LC_FLOAT32, (int32_t[]){1, PIXELS, PIXELS, UNITS}, 4);
    const int32_t y = build(&b, conv(&b, image, LC_ActivationFunctionType_RELU6));
    const int32_t flat = lc_build_reshape(&b, y, (int32_t[]){1, PIXELS * PIXELS * UNITS}, 2), units = 12;
    const int32_t w = constant(&b, (int32_t[]){12, PIXELS * PIXELS * UNITS}, 2, 0.1f);
    const int32_t logits =
        lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, (int32_t[]){flat, w, constant(&b, &units, 1, 1)}, 3);
    const int32_t out = lc_build_op(&b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &(lc_SoftmaxOptions){.beta = 1.0f}, &logits, 1);
    if (b.status) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, image, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, out, &err), LC_OK);
    return m;
}

static int32_t nothing(lc_builder *b, int32_t x) {
    (void)b;
    return x;
}

static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    const lc_tensor_view in = lc_session_input(session, 0);
    uint32_t state = (uint32_t)index * 7919u + 1;
    (void)user;
    (void)err;
    *end = index >= 8;
    for (size_t i = 0; !*end && i < in.size / sizeof(float); i++) {
        state = state * 1664525u + 1013904223u;
        ((float *)in.data)[i] = (float)(state >> 8) / 4194304.0f - 2;
    }
    return LC_OK;
}

/* Largest difference of the only outputs over the samples. */
static double difference(lc_model *a, lc_model *b) {
    lc_model *const m[2] = {a, b};
    lc_session *s[2];
    lc_error err;
    double most = 0;
    for (int k = 0; k < 2; k++)
        if (lc_session_create(m[k], NULL, &s[k], &err)) fail_msg("%s", err.message);
    for (uint64_t sample = 0; sample < 8; sample++) {
        for (int k = 0; k < 2; k++) {
            bool end;
            assert_int_equal(fill(NULL, sample, s[k], &end, &err), LC_OK);
            if (lc_session_run(s[k], &err)) fail_msg("%s", err.message);
        }
        const lc_tensor_view x = lc_session_output(s[0], 0), y = lc_session_output(s[1], 0);
        assert_int_equal(x.size, y.size);
        for (size_t i = 0; i < x.size / sizeof(float); i++)
            most = fmax(most, fabs((double)((float *)x.data)[i] - (double)((float *)y.data)[i]));
    }
    for (int k = 0; k < 2; k++) lc_session_destroy(s[k]);
    return most;
}

/* The model as it is written and read again; every operator is one of the release. like: computes alike, within `least`; NULL: it is not run. */
static void check_written(const lc_model *m, uint32_t release, lc_model *like, double least) {
    void *bytes;
    size_t size;
    lc_error err;
    lc_model *read;
    if (lc_model_to_memory(m, &bytes, &size, &err)) fail_msg("%s", err.message);
    if (lc_model_from_memory(bytes, size, NULL, &read, &err)) fail_msg("%s", err.message);
    for (size_t g = 0; g < read->graph_count; g++)
        for (size_t i = 0; i < read->graphs[g]->node_count; i++) {
            const lc_node *n = &read->graphs[g]->nodes[i];
            const uint32_t needs = lc_op_runtime_version(n->op, n->version);
            assert_true(n->version > 0);
            if (!needs || needs > release) fail_msg("%u: %s version %d", (unsigned)release, lc_op_name(n->op), (int)n->version);
        }
    for (size_t i = 0; i < read->metadata_count; i++)
        if (lc_str_is(read->metadata[i].name, "min_runtime_version")) {
            unsigned major, minor;
            assert_int_equal(sscanf((const char *)read->metadata[i].data.data, "%u.%u", &major, &minor), 2);
            assert_true(major * 10000 + minor * 100 <= release);
        }
    const double most = like ? difference(like, read) : 0;
    if (like && !(most < least)) fail_msg("%u: %g", (unsigned)release, most);
    lc_model_destroy(read);
    lc_free(bytes);
}

/* Releases 1.15, 2.1 ... 2.21. */
static uint32_t release_at(uint32_t i) { return i ? 20000 + 100 * i : 11500; }
enum { RELEASES = 22 };

static const lc_quantize_options schemes[] = {{.scheme = LC_SCHEME_FLOAT},
                                              {.scheme = LC_SCHEME_INT8},
                                              {.scheme = LC_SCHEME_INT16X8},
                                              {.scheme = LC_SCHEME_DYNAMIC},
                                              {.scheme = LC_SCHEME_DYNAMIC, .weights_only = true},
                                              {.scheme = LC_SCHEME_FLOAT16},
                                              {.scheme = LC_SCHEME_INT4},
                                              {.scheme = LC_SCHEME_INT4, .block = 32},
                                              {.scheme = LC_SCHEME_INT4, .weights_only = true},
                                              {.scheme = LC_SCHEME_INT8, .input_type = LC_UINT8, .output_type = LC_UINT8}};

/* The model under a scheme, for a release; NULL: the error says why there is none. */
static lc_model *made_for(lc_model *m, lc_quantize_options how, uint32_t release, lc_error *err) {
    lc_model *q = NULL;
    lc_data *data;
    assert_int_equal(lc_data_from(fill, NULL, &data, err), LC_OK);
    how.data = &data;
    how.data_count = how.default_low < how.default_high ? 0 : 1;
    how.target_runtime = release;
    how.min_weights = 64;
    if (how.scheme == LC_SCHEME_FLOAT) {
        assert_int_equal(lc_model_fork(m, &q, err), LC_OK);
    } else {
        const lc_status status = lc_model_quantize(m, &how, &q, err);
        assert_int_equal(status == LC_OK, q != NULL);
        if (status && status != LC_ARGUMENT) fail_msg("%s", err->message);
    }
    lc_data_close(data);
    if (!q) return NULL;
    if (lc_model_fit_runtime(q, release, err) == LC_OK) return q;
    assert_int_equal(err->status, LC_UNSUPPORTED);
    assert_non_null(strstr(err->message, " version "));
    assert_true(err->hint[0]);
    lc_model_destroy(q);
    return NULL;
}

static void test_every_release(void **unused) {
    (void)unused;
    static int32_t (*const builds[])(lc_builder * b, int32_t x) = {nothing, all_of_them};
    for (size_t k = 0; k < 2; k++) {
        lc_model *m = network(builds[k]);
        for (uint32_t r = 0; r < RELEASES; r++)
            for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
                lc_error err;
                lc_model *q = made_for(m, schemes[i], release_at(r), &err);
                if (!q) fail_msg("%u, scheme %zu: %s", (unsigned)release_at(r), i, err.message);
                check_written(q, release_at(r), schemes[i].input_type == LC_FLOAT32 && r % 5 == 0 ? m : NULL,
                              schemes[i].scheme == LC_SCHEME_INT4 ? 0.6 : 0.1);
                lc_model_destroy(q);
            }
        lc_model_destroy(m);
    }
}

/* Files: what there is for a release is of that release; where there is nothing, made_for has looked at the error. */
static void test_files(void **unused) {
    (void)unused;
    static const char *const files[] = {"tests/data/keras/k3_nested.keras",
                                        "tests/data/cli/gru.keras",
                                        "tests/data/tflite/conv_float.tflite",
                                        "tests/data/tflite/conv_int8.tflite",
                                        "tests/data/tflite/if_while.tflite",
                                        "tests/data/keras/qat.keras",
                                        "tests/data/tflite/conv_buffers_behind.tflite"};
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        uint32_t found = 0;
        lc_error err;
        lc_model *m;
        if (lc_convert(files[k], NULL, &m, &err)) fail_msg("%s", err.message);
        for (uint32_t r = 0; r < RELEASES; r += 3)
            for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
                lc_quantize_options how = schemes[i];
                how.default_low = -1;
                how.default_high = 1;
                lc_model *q = made_for(m, how, release_at(r), &err);
                if (!q) continue;
                found++;
                check_written(q, release_at(r), NULL, 0);
                lc_model_destroy(q);
            }
        assert_true(found > 0);
        lc_model_destroy(m);
    }
}

/* Each operator is lacking, is put in other words, and means the same. */
static void test_older_forms(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_error err;
        lc_model *m = network(cases[i].build), *like = network(cases[i].build);
        assert_int_equal(lc_model_check_runtime(m, cases[i].lacks, &err), LC_UNSUPPORTED);
        assert_non_null(strstr(err.message, cases[i].op));
        assert_non_null(strstr(err.hint, "TensorFlow 2."));
        for (uint32_t release = cases[i].lacks;; release = cases[i].has) {
            if (lc_model_fit_runtime(m, release, &err)) fail_msg("%s for %u: %s", cases[i].op, (unsigned)release, err.message);
            check_written(m, release, like, 2e-6);
            if (release <= cases[i].has) break;
        }
        lc_model_destroy(m);
        lc_model_destroy(like);
    }
}

/* What has an integer form only in a later runtime stays float, with the release that has it; only_integer is an error that says so. */
static void test_stays_float(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *m = network(gelu_exact), *q;
    lc_quantize_report *report;
    lc_data *data;
    assert_int_equal(lc_data_from(fill, NULL, &data, &err), LC_OK);
    lc_quantize_options how = {.scheme = LC_SCHEME_INT8, .data = &data, .data_count = 1, .target_runtime = 20800, .report = &report};
    if (lc_model_quantize(m, &how, &q, &err)) fail_msg("%s", err.message);
    assert_non_null(strstr(lc_quantize_report_text(report), "1 GELU: its int8 form needs the runtime of TensorFlow 2.9 ("));
    lc_quantize_report_destroy(report);
    lc_model_destroy(q);
    how.only_integer = true;
    how.report = NULL;
    assert_int_equal(lc_model_quantize(m, &how, &q, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "GELU: its int8 form needs the runtime of TensorFlow 2.9"));
    how.target_runtime = 20900;
    if (lc_model_quantize(m, &how, &q, &err)) fail_msg("%s", err.message);
    lc_model_destroy(q);
    lc_data_close(data);
    lc_model_destroy(m);
}

/* A file that asks for more than its operators need asks for no more; one that an old runtime cannot have is refused with the nearest release. */
static void test_written_versions(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *m = network(nothing);
    m->graphs[0]->nodes[0].version = 8; /* CONV_2D of 2.15 */
    assert_int_equal(lc_model_check_runtime(m, 20800, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "CONV_2D version 8 (2.15)"));
    assert_int_equal(lc_model_fit_runtime(m, 20800, &err), LC_OK);
    check_written(m, 20800, NULL, 0);
    m->graphs[0]->nodes[0].version = 99;
    assert_int_equal(lc_model_check_runtime(m, 20800, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "CONV_2D version 99 (in no release)"));
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_release), cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_older_forms), cmocka_unit_test(test_stays_float),
                                       cmocka_unit_test(test_written_versions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
