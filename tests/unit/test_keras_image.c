/*
 * test_keras_image.c: convolution, pooling, normalisation and core layers where tests/oracle does not reach: configurations that no Keras
 * writes, files of Keras 1, and quantised layers whose weights do not fit.
 */
#include "support/keras_fixture.h"

#include "lower/lower.h"
#include "source/keras_legacy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- refusals ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *class_name, *config, *input, *weights;
    lc_status status;
    const char *message;
} bad[] = {
    {"Conv1D", "{\"filters\": 2, \"kernel_size\": 3, \"padding\": \"causal\", \"dilation_rate\": 2147483647}", "[null, 5, 1]", "3x1x2 2",
     LC_UNSUPPORTED, "the padding overflows"},
    {"Conv1D", "{\"filters\": 2, \"kernel_size\": 3}", "[null, 5, null]", "3x1x2 2", LC_UNSUPPORTED, "number of channels"},
    {"Conv3D", "{\"filters\": 2, \"kernel_size\": 2}", "[null, 5, 5, 1]", "2x2x2x1x2 2", LC_INVALID, "has 4 dimensions, needs 5"},
    {"Conv3D", "{\"filters\": 3, \"kernel_size\": 2, \"groups\": 2}", "[null, 5, 5, 5, 4]", "2x2x2x2x3 3", LC_UNSUPPORTED,
     "option \"groups\" is 2"},
    {"Conv2DTranspose", "{\"filters\": 2, \"kernel_size\": 3, \"output_padding\": 1}", "[null, 5, 5, 1]", "3x3x2x1 2", LC_UNSUPPORTED,
     "option \"output_padding\" is 1: needs less than strides"},
    {"Conv2DTranspose", "{\"filters\": 2, \"kernel_size\": 3, \"strides\": 2147483647}", "[null, 5, 5, 1]", "3x3x2x1 2", LC_LIMIT,
     "over 2147483647"},
    {"Conv2DTranspose", "{\"filters\": 2, \"kernel_size\": 3}", "[null, 5, 5, 1]", "3x3x1x2 2", LC_INVALID, "need [3, 3, 2, 1]"},
    {"Conv3DTranspose", "{\"filters\": 2, \"kernel_size\": 1}", "[null, 5, 5, 1]", "1x1x1x2x1 2", LC_INVALID, "has 4 dimensions, needs 5"},
    {"SeparableConv1D", "{\"filters\": 2, \"kernel_size\": 3}", "[null, 5, 2]", "3x2x1 1x2x2", LC_INVALID,
     "holds 2 arrays for it, needs 3"},
    {"LocallyConnected1D", "{\"filters\": 2, \"kernel_size\": 7}", "[null, 5, 1]", "1x7x2 1x2", LC_UNSUPPORTED, "is larger than its input"},
    {"LocallyConnected1D", "{\"filters\": 2, \"kernel_size\": 2, \"padding\": \"same\"}", "[null, 5, 1]", "4x2x2 4x2", LC_UNSUPPORTED,
     "option \"padding\" is \"same\""},
    {"LocallyConnected1D", "{\"filters\": 2, \"kernel_size\": 2147483647, \"padding\": \"same\", \"implementation\": 3}",
     "[null, 2147483647, 1]", "4 4x2", LC_UNSUPPORTED, "too many connections"},
    {"LocallyConnected2D", "{\"filters\": 2, \"kernel_size\": 2, \"implementation\": 3}", "[null, 3, 3, 1]", "31 2x2x2", LC_INVALID,
     "has shape [31], the config and its input need [32]"},
    {"LocallyConnected2D", "{\"filters\": 2, \"kernel_size\": 2, \"implementation\": 2}", "[null, 3, 3, 1]", "3x3x1x2x2 2x2x2", LC_INVALID,
     "need [3, 3, 1, 2, 2, 2]"},
    {"LocallyConnected2D", "{\"filters\": 2, \"kernel_size\": 2, \"implementation\": 4}", "[null, 3, 3, 1]", "", LC_INVALID,
     "option \"implementation\" is 4"},
    {"MaxPooling3D", "{\"pool_size\": [2, 2]}", "[null, 4, 4, 4, 1]", "", LC_UNSUPPORTED, "a list of 3"},
    {"AdaptiveMaxPooling2D", "{\"output_size\": 0}", "[null, 4, 4, 1]", "", LC_INVALID, "option \"output_size\" is 0"},
    {"AdaptiveMaxPooling2D", "{\"output_size\": 3}", "[null, null, 4, 1]", "", LC_UNSUPPORTED, "the size to pool"},
    {"AdaptiveAveragePooling1D", "{\"output_size\": 2147483647}", "[null, 4, 1]", "", LC_UNSUPPORTED, "16777216 cells"},
    {"UpSampling2D", "{\"size\": 2147483647}", "[null, 4, 4, 1]", "", LC_UNSUPPORTED, "too large"},
    {"UpSampling1D", "{\"size\": 2147483647}", "[null, 4, 1]", "", LC_UNSUPPORTED, "too large"},
    {"UpSampling2D", "{\"interpolation\": \"cubic\"}", "[null, 4, 4, 1]", "", LC_UNSUPPORTED, "option \"interpolation\" is \"cubic\""},
    {"RepeatVector", "{\"n\": 0}", "[null, 4]", "", LC_INVALID, "option \"n\" is 0"},
    {"RepeatVector", "{\"n\": 2}", "[null, 4, 2]", "", LC_INVALID, "has 3 dimensions, needs 2"},
    {"BatchNormalization", "{\"mode\": 2}", "[null, 4]", "4 4 4 4", LC_UNSUPPORTED, "option \"mode\" is 2"},
    {"BatchNormalization", "{\"axis\": [1, -2]}", "[null, 4, 4]", "4 4 4 4", LC_UNSUPPORTED, "names axis 1 twice"},
    {"GroupNormalization", "{\"groups\": 3}", "[null, 4]", "4 4", LC_UNSUPPORTED, "option \"groups\" is 3: needs a divisor of the 4"},
    {"GroupNormalization", "{\"groups\": 2, \"axis\": 0}", "[4, 4]", "4 4", LC_UNSUPPORTED, "names the batch"},
    {"RMSNormalization", "{}", "[null, 4]", "5", LC_INVALID, "has shape [5]"},
    {"SpectralNormalization", "{}", "[null, 4]", "4", LC_INVALID, "needs a layer"},
    {"Normalization", "{\"axis\": -1, \"mean\": [1, 2], \"variance\": [1, 2, 3]}", "[null, 3]", "", LC_UNSUPPORTED, "needs 3 numbers"},
    {"EinsumDense", "{\"equation\": \"ab,bc\", \"output_shape\": 3}", "[null, 4]", "4x3", LC_UNSUPPORTED, "option \"equation\""},
    {"EinsumDense", "{\"equation\": \"aab,bc->ac\", \"output_shape\": 3}", "[null, 4, 4]", "4x3", LC_UNSUPPORTED, "twice in one tensor"},
    {"EinsumDense", "{\"equation\": \"ab,bc->ad\", \"output_shape\": 3}", "[null, 4]", "4x3", LC_UNSUPPORTED, "that no input has"},
    {"EinsumDense", "{\"equation\": \"abcdefghi,ij->abcdefghj\", \"output_shape\": 3}", "[null, 4]", "4x3", LC_UNSUPPORTED, "dimensions"},
    {"EinsumDense", "{\"equation\": \"ab,bc->ac\", \"output_shape\": null}", "[null, 4]", "4x3", LC_UNSUPPORTED, "option \"output_shape\""},
    {"EinsumDense", "{\"equation\": \"ab,bc->ac\", \"output_shape\": 3, \"bias_axes\": \"b\"}", "[null, 4]", "4x3 4", LC_UNSUPPORTED,
     "option \"bias_axes\" is \"b\""},
    {"EinsumDense", "{\"equation\": \"...a,ab->...b\", \"output_shape\": 2000000000}", "[null, 4]", "4x3", LC_INVALID,
     "need [4, 2000000000]"},
    {"AutoContrast", "{\"value_range\": [1, 1]}", "[null, 4, 4, 3]", "", LC_UNSUPPORTED, "option \"value_range\""},
    {"MaxoutDense", "{\"units\": 3, \"nb_feature\": 2}", "[null, 4]", "2x4x3 3", LC_INVALID, "b \"layer/w1\" has shape [3]"},
    {"Highway", "{}", "[null, 4]", "4x4 4x4", LC_INVALID, "holds 2 arrays for it, needs 4"},
    {"Dense", "{\"units\": 3, \"dtype\": {\"class_name\": \"QuantizedDTypePolicy\", \"config\": {\"mode\": \"int8\"}}}", "[null, 4]",
     "4x3 3 3", LC_INVALID, "holds no kernel for it"},
    {"Dense", "{\"units\": 3, \"dtype\": \"int3_from_float32\"}", "[null, 4]", "4x3 3 3", LC_UNSUPPORTED, "int8, int4 and float8"},
    {"Dense", "{\"units\": 3, \"dtype\": {\"class_name\": \"QuantizedFloat8DTypePolicy\", \"config\": {\"mode\": \"float8\"}}}",
     "[null, 4]", "4x3 3 3", LC_INVALID, "inputs_scale"},
};

static void test_bad(void **state) {
    (void)state;
    int failed = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fixture f;
        lc_error err;
        fixture_begin(&f, "2.9.0");
        const int x = fixture_input(&f, "x", bad[i].input);
        fixture_output(&f, fixture_layer(&f, bad[i].class_name, "layer", bad[i].config, bad[i].weights, 1, &x));
        if (fixture_lower(&f, NULL, &err)) print_error("%s %s: accepted\n", bad[i].class_name, bad[i].config), failed++;
        else if (err.status != bad[i].status || !strstr(err.message, bad[i].message))
            print_error("%s %s: %s: %s\n", bad[i].class_name, bad[i].config, lc_status_name(err.status), err.message), failed++;
        fixture_end(&f);
    }
    assert_int_equal(failed, 0);
}

static void test_dot(void **state) {
    (void)state;
    static const struct {
        const char *axes, *a, *b, *message;
    } cases[] = {{"[0, 1]", "[null, 4]", "[null, 4]", "names the batch"},
                 {"[1, 2]", "[null, 4]", "[null, 4]", "names axis 2"},
                 {"1", "[null, 4]", "[null, 5]", "are 4 and 5"},
                 {"[[1], [1]]", "[null, 4]", "[null, 4]", "needs whole numbers"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        lc_error err;
        char config[64];
        fixture_begin(&f, "3.0.0");
        const int in[2] = {fixture_input(&f, "a", cases[i].a), fixture_input(&f, "b", cases[i].b)};
        snprintf(config, sizeof config, "{\"axes\": %s}", cases[i].axes);
        fixture_output(&f, fixture_layer(&f, "Dot", "dot", config, "", 2, in));
        assert_null(fixture_lower(&f, NULL, &err));
        if (!strstr(err.message, cases[i].message)) fail_msg("%s: %s", cases[i].axes, err.message);
        fixture_end(&f);
    }
}

/* ---- Keras 1 ------------------------------------------------------------------------------------------------------------- */

static void test_old_names(void **state) {
    (void)state;
    static const struct {
        const char *old, *now;
    } cases[] = {
        {"{\"class_name\": \"Convolution2D\", \"config\": {\"nb_filter\": 4, \"nb_row\": 3, \"nb_col\": 2, \"border_mode\": \"same\", "
         "\"subsample\": [2, 1], \"dim_ordering\": \"th\", \"bias\": false, \"init\": \"glorot_uniform\"}}",
         "{\"class_name\": \"Convolution2D\", \"config\": {\"filters\": 4, \"kernel_size\": [3, 2], \"padding\": \"same\", "
         "\"strides\": [2, 1], \"data_format\": \"channels_first\", \"use_bias\": false, \"init\": \"glorot_uniform\"}}"},
        {"{\"class_name\": \"AtrousConvolution1D\", \"config\": {\"filter_length\": 3, \"atrous_rate\": 2, \"subsample_length\": 1}}",
         "{\"class_name\": \"Conv1D\", \"config\": {\"kernel_size\": 3, \"dilation_rate\": 2, \"strides\": 1}}"},
        {"{\"class_name\": \"Convolution3D\", \"config\": {\"kernel_dim1\": 1, \"kernel_dim2\": 2, \"kernel_dim3\": 3}}",
         "{\"class_name\": \"Convolution3D\", \"config\": {\"kernel_size\": [1, 2, 3]}}"},
        {"{\"class_name\": \"MaxPooling1D\", \"config\": {\"pool_length\": 2, \"stride\": 3, \"border_mode\": \"valid\"}}",
         "{\"class_name\": \"MaxPooling1D\", \"config\": {\"pool_size\": 2, \"strides\": 3, \"padding\": \"valid\"}}"},
        {"{\"class_name\": \"ZeroPadding2D\", \"config\": {\"padding\": {\"top_pad\": 1, \"right_pad\": 2}}}",
         "{\"class_name\": \"ZeroPadding2D\", \"config\": {\"padding\": [[1, 0], [0, 2]]}}"},
        {"{\"class_name\": \"ZeroPadding2D\", \"config\": {\"padding\": [1, 2, 3, 4], \"dim_ordering\": \"tf\"}}",
         "{\"class_name\": \"ZeroPadding2D\", \"config\": {\"padding\": [[1, 2], [3, 4]], \"data_format\": \"channels_last\"}}"},
        {"{\"class_name\": \"ZeroPadding1D\", \"config\": {\"padding\": {\"left_pad\": 1, \"right_pad\": 2}}}",
         "{\"class_name\": \"ZeroPadding1D\", \"config\": {\"padding\": [1, 2]}}"},
        {"{\"class_name\": \"Merge\", \"config\": {\"mode\": \"concat\", \"concat_axis\": 1}}",
         "{\"class_name\": \"Concatenate\", \"config\": {\"mode\": \"concat\", \"axis\": 1}}"},
        {"{\"class_name\": \"Merge\", \"config\": {\"mode\": \"cos\", \"dot_axes\": 1}}",
         "{\"class_name\": \"Dot\", \"config\": {\"mode\": \"cos\", \"axes\": 1, \"normalize\": true}}"},
        {"{\"class_name\": \"Bidirectional\", \"config\": {\"layer\": {\"class_name\": \"LSTM\", \"config\": {\"output_dim\": 3, "
         "\"inner_activation\": \"hard_sigmoid\"}}}}",
         "{\"class_name\": \"Bidirectional\", \"config\": {\"layer\": {\"class_name\": \"LSTM\", \"config\": {\"units\": 3, "
         "\"recurrent_activation\": \"hard_sigmoid\"}}}}"},
        {"[{\"class_name\": \"TimeDistributedDense\", \"config\": {\"output_dim\": 3}}]",
         "[{\"class_name\": \"Dense\", \"config\": {\"units\": 3}}]"},
        /* what is no old name, or has its new one beside it, stays */
        {"{\"class_name\": \"Embedding\", \"config\": {\"output_dim\": 3, \"length\": 4}}", NULL},
        {"{\"class_name\": \"Conv2D\", \"config\": {\"filters\": 3, \"nb_filter\": 4}}", NULL},
        {"{\"class_name\": \"Merge\", \"config\": {\"mode\": 7}}", NULL},
        {"{\"class_name\": 3, \"config\": {\"nb_filter\": 4}}", NULL},
        {"{\"class_name\": \"Conv2D\", \"config\": [{\"nb_filter\": 4}]}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        lc_budget budget;
        lc_error err;
        const lc_json *out;
        lc_text got = {0}, want = {0};
        fixture_begin(&f, "1.2.2");
        lc_budget_init(&budget, NULL);
        const lc_json *in = fixture_json(&f, cases[i].old);
        assert_int_equal(lc_keras_modernise(in, &budget, &f.arena, &out, &err), LC_OK);
        if (!cases[i].now) assert_ptr_equal(in, out);
        lc_json_write(out, &got);
        lc_json_write(fixture_json(&f, cases[i].now ? cases[i].now : cases[i].old), &want);
        assert_string_equal(got.data, want.data);
        lc_text_deinit(&got);
        lc_text_deinit(&want);
        fixture_end(&f);
    }
}

/* Element [k...] of a kernel stands where Keras 2 has it. */
static void test_old_weights(void **state) {
    (void)state;
    static const struct {
        const char *class_name, *config, *weights;
        bool old, theano;
        int32_t rank, dims[5];
        int32_t third; /* which of the stored numbers is the result's number 3 */
    } cases[] = {
        {"Conv2D", "{\"data_format\": \"channels_first\"}", "2x3x1x4", true, false, 4, {1, 4, 3, 2}, 16}, /* [0,0,1,1]: [1,1,0,0] */
        {"Conv2D", "{\"data_format\": \"channels_last\"}", "2x3x1x4", true, false, 4, {2, 3, 1, 4}, 3},
        {"Conv2D", "{\"data_format\": \"channels_first\"}", "2x3x1x4", false, false, 4, {2, 3, 1, 4}, 3},
        {"Conv1D", "{\"kernel_size\": [4], \"filters\": 2}", "2x3x4x1", true, false, 3, {4, 3, 2}, 16},
        {"Conv1D", "{\"kernel_size\": 2, \"filters\": 4}", "2x1x3x4", true, false, 3, {2, 3, 4}, 3},
        {"Conv2DTranspose", "{}", "1x2x3x2", true, false, 4, {1, 2, 2, 3}, 1}, /* [0,0,1,0]: [0,0,0,1] */
        {"Conv2D", "{}", "2x3x1x2", false, true, 4, {2, 3, 1, 2}, 9},          /* [0,1,0,1]: [1,1,0,1] */
        {"Dense", "{}", "2x3", true, true, 2, {2, 3}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        lc_budget budget;
        lc_arena data = {0};
        lc_error err;
        fixture_begin(&f, "1.2.2");
        lc_budget_init(&budget, NULL);
        const int x = fixture_input(&f, "x", "[null, 4]"),
                  layer = fixture_layer(&f, cases[i].class_name, "layer", cases[i].config, cases[i].weights, 1, &x);
        lc_keras_weight *w = &f.layers[layer].weights[0];
        float stored;
        memcpy(&stored, (const float *)w->data + cases[i].third, sizeof stored);
        const lc_keras_reading r = {.budget = &budget, .arena = &f.arena, .data = &data};
        assert_int_equal(lc_keras_modernise_weights(&r, &f.keras, cases[i].old, cases[i].theano, &err), LC_OK);
        assert_int_equal(w->rank, cases[i].rank);
        for (int32_t d = 0; d < w->rank; d++) assert_int_equal(w->dims[d], cases[i].dims[d]);
        if (memcmp((const float *)w->data + 3, &stored, sizeof stored) != 0) fail_msg("case %zu: another number 3", i);
        lc_arena_deinit(&data);
        fixture_end(&f);
    }
}

/* ---- old layers: values ---------------------------------------------------------------------------------------------------- */

static void test_maxout(void **state) {
    (void)state;
    fixture f;
    lc_error err;
    float got[64];
    size_t n = 64;
    int32_t dims[8], rank;
    fixture_begin(&f, "1.2.2");
    const int x = fixture_input(&f, "x", "[null, 3]"),
              layer = fixture_layer(&f, "MaxoutDense", "m", "{\"units\": 2, \"nb_feature\": 4}", "4x3x2 4x2", 1, &x);
    fixture_output(&f, layer);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (!m) fail_msg("%s", err.message);
    fixture_run(m, 1, got, &n, dims, &rank);
    assert_int_equal(n, 4);
    const float *w = fixture_weight(&f, layer, 0), *b = fixture_weight(&f, layer, 1);
    for (size_t r = 0; r < 2; r++)
        for (size_t u = 0; u < 2; u++) {
            double best = -1e30;
            for (size_t k = 0; k < 4; k++) {
                double sum = (double)b[k * 2 + u];
                for (size_t i = 0; i < 3; i++) sum += (double)fixture_value(100, r * 3 + i) * (double)w[(k * 3 + i) * 2 + u];
                best = fmax(best, sum);
            }
            assert_true(fabs(best - (double)got[r * 2 + u]) < 1e-5);
        }
    lc_model_destroy(m);
    fixture_end(&f);
}

static void test_highway(void **state) {
    (void)state;
    fixture f;
    lc_error err;
    float got[64];
    size_t n = 64;
    int32_t dims[8], rank;
    fixture_begin(&f, "1.2.2");
    const int x = fixture_input(&f, "x", "[null, 3]"),
              layer = fixture_layer(&f, "Highway", "h", "{\"activation\": \"tanh\"}", "3x3 3x3 3 3", 1, &x);
    fixture_output(&f, layer);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (!m) fail_msg("%s", err.message);
    fixture_run(m, 1, got, &n, dims, &rank);
    assert_int_equal(n, 6);
    const float *w = fixture_weight(&f, layer, 0), *carry = fixture_weight(&f, layer, 1);
    for (size_t r = 0; r < 2; r++)
        for (size_t u = 0; u < 3; u++) {
            double y = (double)fixture_weight(&f, layer, 2)[u], t = (double)fixture_weight(&f, layer, 3)[u],
                   in = (double)fixture_value(100, r * 3 + u);
            for (size_t i = 0; i < 3; i++) {
                y += (double)fixture_value(100, r * 3 + i) * (double)w[i * 3 + u];
                t += (double)fixture_value(100, r * 3 + i) * (double)carry[i * 3 + u];
            }
            t = 1 / (1 + exp(-t));
            assert_true(fabs(t * tanh(y) + (1 - t) * in - (double)got[r * 3 + u]) < 1e-5);
        }
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- quantised ---------------------------------------------------------------------------------------------------------------- */

/* Weights of other types than the fixture makes: g_idx that names a group which is not there, names of .h5 files. */
static void test_quantised(void **state) {
    (void)state;
    static const int8_t packed[2] = {0x21, 0x43}, zero[2] = {0, 0};
    static const float scale[2] = {0.5F, 2}, bias[2] = {1, -1}, groups[2] = {0, 1};
    for (int named = 0; named < 2; named++)
        for (int wrong = 0; wrong < 2; wrong++) {
            fixture f;
            lc_error err;
            fixture_begin(&f, "3.9.0");
            const int x = fixture_input(&f, "x", "[null, 2]"),
                      layer = fixture_layer(&f, "Dense", "d",
                                            "{\"units\": 2, \"dtype\": {\"class_name\": \"Int4DTypePolicy\", \"config\": {\"mode\": "
                                            "\"int4/2\"}}}",
                                            "2x1 2 1x2 1x2 2", 1, &x);
            lc_keras_weight *w = f.layers[layer].weights;
            w[0] = (lc_keras_weight){named ? "d/kernel" : "vars/0", LC_INT8, 2, {2, 1}, packed, sizeof packed};
            w[1] = (lc_keras_weight){named ? "d/bias" : "vars/1", LC_FLOAT32, 1, {2}, bias, sizeof bias};
            w[2] = (lc_keras_weight){named ? "d/kernel_scale" : "vars/2", LC_FLOAT32, 2, {1, 2}, scale, sizeof scale};
            w[3] = (lc_keras_weight){named ? "d/kernel_zero" : "vars/3", LC_INT8, 2, {1, 2}, zero, sizeof zero};
            w[4] = (lc_keras_weight){
                named ? "d/g_idx" : "vars/4", LC_FLOAT32, 1, {2}, wrong ? groups : (const float *)(const void *)"\0\0\0\0\0\0\0", 8};
            if (named) { /* .h5 files have them in another order */
                const lc_keras_weight kernel = w[0];
                w[0] = w[4];
                w[4] = kernel;
            }
            fixture_output(&f, layer);
            lc_model *m = fixture_lower(&f, NULL, &err);
            if (wrong) {
                assert_null(m);
                assert_non_null(strstr(err.message, "names group 1 of 1"));
            } else {
                float got[16];
                size_t n = 16;
                int32_t dims[8], rank;
                if (!m) fail_msg("%s", err.message);
                fixture_run(m, 1, got, &n, dims, &rank);
                const float a = fixture_value(100, 0), b = fixture_value(100, 1); /* kernel [[1, 2], [3, 4]] */
                assert_true(fabsf(got[0] - (0.5F * (a + 3 * b) + 1)) < 1e-5F);
                assert_true(fabsf(got[1] - (2 * (2 * a + 4 * b) - 1)) < 1e-5F);
                lc_model_destroy(m);
            }
            fixture_end(&f);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),    cmocka_unit_test(test_dot),     cmocka_unit_test(test_old_names), cmocka_unit_test(test_old_weights),
        cmocka_unit_test(test_maxout), cmocka_unit_test(test_highway), cmocka_unit_test(test_quantised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
