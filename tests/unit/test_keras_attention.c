/*
 * test_keras_attention.c: attention, lookups and other preprocessing, and layers of the caller's own: values against the maths written out
 * plainly, options and files that are wrong. tests/oracle/keras_attention_models.py compares with Keras itself.
 */
#include "litec/litec.h"
#include "source/source.h"
#include "support/fault.h"
#include "support/keras_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 4000 };
#define OWN LC_TEST_DIR "/../examples/own_layer.keras"

/* ---- MultiHeadAttention ---------------------------------------------------------------------------------------------------- */

enum { BATCH = 2, PLACES = 3, DEPTH = 4, HEADS = 2, SIZE = 3 };

/* x W + b of head h, feature k. */
static double projected(const fixture *f, int layer, uint32_t part, const float *x, int h, int k) {
    const float *w = fixture_weight(f, layer, part * 2), *b = fixture_weight(f, layer, part * 2 + 1);
    double sum = b[h * SIZE + k];
    for (int i = 0; i < DEPTH; i++) sum += (double)x[i] * w[(i * HEADS + h) * SIZE + k];
    return sum;
}

/* Self-attention of place t of an example, output feature d. */
static double attention(const fixture *f, int layer, const float *x, int t, int d, bool causal) {
    const float *w = fixture_weight(f, layer, 6), *b = fixture_weight(f, layer, 7);
    double y = b[d];
    for (int h = 0; h < HEADS; h++) {
        double share[PLACES], sum = 0;
        const int last = causal ? t : PLACES - 1;
        for (int s = 0; s <= last; s++) {
            double dot = 0;
            for (int k = 0; k < SIZE; k++) dot += projected(f, layer, 0, x + t * DEPTH, h, k) * projected(f, layer, 1, x + s * DEPTH, h, k);
            sum += share[s] = exp(dot / sqrt(SIZE));
        }
        for (int k = 0; k < SIZE; k++) {
            double mixed = 0;
            for (int s = 0; s <= last; s++) mixed += share[s] / sum * projected(f, layer, 2, x + s * DEPTH, h, k);
            y += mixed * w[(h * SIZE + k) * DEPTH + d];
        }
    }
    return y;
}

static void test_heads(void **state) {
    (void)state;
    static const char *const inputs[] = {"[null, 3, 4]", "[2, 3, 4]"};
    for (int i = 0; i < 4; i++) {
        fixture f;
        lc_error err;
        fixture_begin(&f, i & 1 ? "2.15.0" : "3.9.0");
        int x = fixture_input(&f, "x", inputs[i / 2]);
        int l = fixture_layer(&f, "MultiHeadAttention", "layer", "{\"num_heads\": 2, \"key_dim\": 3}",
                              "4x2x3 2x3 4x2x3 2x3 4x2x3 2x3 2x3x4 4", 2, (int[]){x, x});
        f.layers[l].calls[0].kwargs = fixture_json(&f, i & 1 ? "{\"use_causal_mask\": true}" : "{}");
        fixture_output(&f, l);
        lc_model *m = fixture_lower(&f, NULL, &err);
        if (!m) fail_msg("%s", err.message);
        float got[MANY], in[BATCH * PLACES * DEPTH];
        size_t n = MANY;
        int32_t dims[LC_MAX_RANK], rank;
        fixture_run(m, 1, got, &n, dims, &rank);
        assert_int_equal(n, BATCH * PLACES * DEPTH);
        for (size_t k = 0; k < n; k++) in[k] = fixture_value(100, k);
        for (int k = 0; k < BATCH * PLACES * DEPTH; k++) {
            const double want = attention(&f, l, in + k / (PLACES * DEPTH) * PLACES * DEPTH, k / DEPTH % PLACES, k % DEPTH, i & 1);
            if (!(fabs(got[k] - want) < 1e-5)) fail_msg("%d: element %d is %g, wanted %g", i, k, (double)got[k], want);
        }
        lc_model_destroy(m);
        fixture_end(&f);
    }
}

/* The option "causal" that Attention had before Keras 2.10: the first place sees itself only. */
static void test_causal_option(void **state) {
    (void)state;
    fixture f;
    lc_error err;
    fixture_begin(&f, "2.4.0");
    int x = fixture_input(&f, "x", "[null, 3, 4]"), l = fixture_layer(&f, "Attention", "layer", "{\"causal\": true}", "", 2, (int[]){x, x});
    fixture_output(&f, l);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (!m) fail_msg("%s", err.message);
    float got[MANY];
    size_t n = MANY;
    int32_t dims[LC_MAX_RANK], rank;
    fixture_run(m, 1, got, &n, dims, &rank);
    assert_int_equal(n, 24);
    for (size_t k = 0; k < 4; k++) assert_float_equal(got[k], fixture_value(100, k), 1e-6);
    for (size_t k = 12; k < 16; k++) assert_float_equal(got[k], fixture_value(100, k), 1e-6);
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- lookups ------------------------------------------------------------------------------------------------------------------ */

static lc_model *lookup(fixture *f, const char *class_name, const char *dtype, const char *config, const char *file) {
    char input[200];
    lc_error err;
    fixture_begin(f, "3.9.0");
    int x = fixture_input(f, "x", "[null, 4]"), l = fixture_layer(f, class_name, "layer", config, "", 1, &x);
    snprintf(input, sizeof input, "{\"name\": \"x\", \"dtype\": \"%s\", \"batch_shape\": [null, 4]}", dtype);
    f->layers[x].config = fixture_json(f, input);
    if (file) f->layers[l].vocabulary = lc_str_of(file);
    fixture_output(f, l);
    lc_model *m = fixture_lower(f, NULL, &err);
    if (!m) fail_msg("%s %s: %s", class_name, config, err.message);
    return m;
}

/* What int64 indices of [1, 4] become. */
static void looked_up(const char *class_name, const char *config, const char *file, const int64_t in[4], const int64_t want[4]) {
    fixture f;
    lc_session *s;
    lc_error err;
    lc_model *m = lookup(&f, class_name, "int64", config, file);
    if (lc_session_create(m, NULL, &s, &err)) fail_msg("%s", err.message);
    memcpy(lc_session_input(s, 0).data, in, 4 * sizeof *in);
    if (lc_session_run(s, &err)) fail_msg("%s: %s", config, err.message);
    assert_int_equal(lc_session_output(s, 0).type, LC_INT64);
    const int64_t *got = lc_session_output(s, 0).data;
    for (int i = 0; i < 4; i++)
        if (got[i] != want[i]) fail_msg("%s: %d became %d, wanted %d", config, (int)in[i], (int)got[i], (int)want[i]);
    lc_session_destroy(s);
    lc_model_destroy(m);
    fixture_end(&f);
}

static void test_lookups(void **state) {
    (void)state;
    const int64_t in[4] = {7, 3, 0, -9};
    looked_up("IntegerLookup", "{\"vocabulary\": [3, 7]}", NULL, in, (int64_t[]){2, 1, 0, 0});
    looked_up("IntegerLookup", "{\"vocabulary\": [-1, 3, 7]}", NULL, in, (int64_t[]){2, 1, 0, 0}); /* the oov token stood in front */
    looked_up("IntegerLookup", "{\"vocabulary\": [3, 7], \"mask_token\": 0}", NULL, in, (int64_t[]){3, 2, 0, 1});
    looked_up("IntegerLookup", "{\"vocabulary\": null}", "-1\n3\n7\n", in, (int64_t[]){2, 1, 0, 0});
    looked_up("IntegerLookup", "{\"vocabulary\": null}", "-1\r\n3\r\n7\n\n", in, (int64_t[]){2, 1, 0, 0});
    looked_up("IntegerLookup", "{\"vocabulary\": [3, 7], \"num_oov_indices\": 2}", NULL, in, (int64_t[]){3, 2, 0, 1});
    looked_up("IntegerLookup", "{\"vocabulary\": [3, 7], \"invert\": true}", NULL, (int64_t[]){2, 1, 0, 9}, (int64_t[]){7, 3, -1, -1});
    /* a table of TFLite, which a graph of its own fills once */
    fixture f;
    lc_text ops = {0};
    lc_model *m = lookup(&f, "StringLookup", "string", "{\"vocabulary\": [\"a\", \"b\"]}", NULL);
    fixture_ops(m, &ops);
    assert_string_equal(ops.data, "CALL_ONCE HASHTABLE HASHTABLE_FIND");
    assert_int_equal(m->graph_count, 2);
    lc_text_deinit(&ops);
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- what is wrong ---------------------------------------------------------------------------------------------------------------- */

static void refuse(const char *class_name, const char *input, const char *config, const char *weights, uint32_t inputs,
                   const char *message) {
    fixture f;
    lc_error err;
    fixture_begin(&f, "3.9.0");
    int x = fixture_input(&f, "x", input), l = fixture_layer(&f, class_name, "layer", config, weights, inputs, (int[]){x, x, x});
    fixture_output(&f, l);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (m) fail_msg("%s %s was lowered", class_name, config);
    if (!strstr(err.message, message)) fail_msg("%s %s: \"%s\", wanted \"%s\"", class_name, config, err.message, message);
    if (!strstr(err.message, " \"layer\"")) fail_msg("the message does not name the layer: %s", err.message);
    fixture_end(&f);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *class_name, *input, *config, *weights;
        uint32_t inputs;
        const char *message;
    } cases[] = {
        {"MultiHeadAttention", "[null, 3, 4]", "{\"key_dim\": 3}", "", 2, "num_heads"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 0, \"key_dim\": 3}", "", 2, "num_heads"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2000000000, \"key_dim\": 2000000000}", "1 1 1 1 1 1 1 1", 2,
         "too many heads"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3}", "4x2x3", 2, "holds 1 arrays for it, needs 8"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3, \"use_bias\": false}", "4x2x3 4x2x3 4x2x4 2x3x4", 2,
         "[4, 2, 4]"},
        {"MultiHeadAttention", "[null, 3, null]", "{\"num_heads\": 2, \"key_dim\": 3}", "", 2, "features"},
        {"MultiHeadAttention", "[null, 4]", "{\"num_heads\": 2, \"key_dim\": 3}", "", 2, "needs 3"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3}", "", 1, "without value"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3, \"attention_axes\": [2]}", "", 2, "attention_axes"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3, \"attention_axes\": [1, 1]}", "", 2, "attention_axes"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3, \"attention_axes\": [99]}", "", 2, "attention_axes"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3, \"output_shape\": []}", "", 2, "output_shape"},
        {"MultiHeadAttention", "[null, 3, 4]", "{\"num_heads\": 2, \"key_dim\": 3, \"sliding_window\": 0}", "", 2, "sliding_window"},
        {"GroupQueryAttention", "[null, 3, 4]", "{\"head_dim\": 3, \"num_query_heads\": 5, \"num_key_value_heads\": 2}", "", 2, "multiple"},
        {"GroupQueryAttention", "[null, 3, 3, 4]", "{\"head_dim\": 3, \"num_query_heads\": 4, \"num_key_value_heads\": 2}", "", 2,
         "needs 3"},
        {"Attention", "[null, 3, 4]", "{\"score_mode\": \"cosine\"}", "", 2, "score_mode"},
        {"Attention", "[null, 3, 4]", "{\"use_scale\": true}", "", 2, "needs 1"},
        {"Attention", "[null, 3, 4]", "{\"use_scale\": true}", "4", 2, "has shape [4]"},
        {"AdditiveAttention", "[null, 3, 4]", "{}", "3", 2, "has shape [3]"},
        {"Resizing", "[null, 3, 4, 3]", "{\"height\": 3}", "", 1, "width"},
        {"Resizing", "[null, 3, 4, 3]", "{\"height\": -3, \"width\": 1}", "", 1, "height"},
        {"Resizing", "[null, 4, 3, 4, 3]", "{\"height\": 3, \"width\": 1}", "", 1, "5 dimensions"},
        {"Resizing", "[null, 3, 4, 3]", "{\"height\": 3, \"width\": 1, \"interpolation\": \"magic\"}", "", 1, "interpolation"},
        {"Resizing", "[null, 3, 4, 3]", "{\"height\": 3, \"width\": 1, \"crop_to_aspect_ratio\": true, \"pad_to_aspect_ratio\": true}", "",
         1, "pad_to_aspect_ratio"},
        {"CenterCrop", "[null, 3, 4, 3]", "{\"height\": 0, \"width\": 1}", "", 1, "height"},
        {"CategoryEncoding", "[null, 3]", "{\"output_mode\": \"count\"}", "", 1, "num_tokens"},
        {"CategoryEncoding", "[null, 3]", "{\"num_tokens\": 3, \"output_mode\": \"int\"}", "", 1, "output_mode"},
        {"CategoryEncoding", "[null, 3]", "{\"num_tokens\": 3, \"sparse\": true}", "", 1, "sparse"},
        {"Discretization", "[null, 3]", "{}", "", 1, "bin_boundaries"},
        {"Discretization", "[null, 3]", "{\"bin_boundaries\": [3, 1]}", "", 1, "rising"},
        {"Discretization", "[null, 3]", "{\"num_bins\": 4}", "3x5", 1, "shape [3, 5]"},
        {"IntegerLookup", "[null, 3]", "{\"vocabulary\": []}", "", 1, "vocabulary"},
        {"IntegerLookup", "[null, 3]", "{\"vocabulary\": [1, \"b\"]}", "", 1, "entry 1"},
        {"IntegerLookup", "[null, 3]", "{\"vocabulary\": [1, 2, 1]}", "", 1, "twice"},
        {"IntegerLookup", "[null, 3]", "{\"vocabulary\": [1], \"num_oov_indices\": -1}", "", 1, "num_oov_indices"},
        {"IntegerLookup", "[null, 3]", "{\"vocabulary\": [1], \"num_oov_indices\": 2, \"salt\": [1, 2]}", "", 1, "hash"},
        {"IntegerLookup", "[null, 3]", "{\"vocabulary\": [1, 2], \"output_mode\": \"tf_idf\"}", "", 1, "0 idf_weights"},
        {"CategoryEncoding", "[9, 99]", "{\"num_tokens\": 2147483647}", "", 1, "more than 2147483647 elements"},
        {"StringLookup", "[null, 3]", "{\"vocabulary\": [\"a\"], \"num_oov_indices\": 2}", "", 1, "hash"},
        {"StringLookup", "[null, 3]", "{\"vocabulary\": [\"a\"]}", "", 1, "needs string"},
        {"StringLookup", "[null, 3]", "{\"vocabulary\": [\"a\"], \"invert\": true, \"output_mode\": \"count\"}", "", 1, "output_mode"},
        {"Hashing", "[null, 3]", "{\"num_bins\": 3}", "", 1, "hashes"},
        {"HashedCrossing", "[null, 1]", "{\"num_bins\": 3}", "", 2, "hashes"},
        {"TextVectorization", "[null, 1]", "{}", "", 1, "apart"},
        {"TFSMLayer", "[null, 1]", "{}", "", 1, "another framework"},
        {"TorchModuleWrapper", "[null, 1]", "{}", "", 1, "another framework"},
        {"MelSpectrogram", "[null, 100]", "{\"fft_length\": 64, \"sequence_length\": 65}", "", 1, "sequence_length"},
        {"MelSpectrogram", "[null, 20]", "{\"fft_length\": 64}", "", 1, "samples"},
        {"MelSpectrogram", "[null, 100]", "{\"fft_length\": 64, \"window\": [1, 2]}", "", 1, "window"},
        {"MelSpectrogram", "[null, 100]", "{\"fft_length\": 64, \"min_freq\": 9000}", "", 1, "max_freq"},
        {"STFTSpectrogram", "[null, 100, 1]", "{\"mode\": \"loud\"}", "", 1, "mode"},
        {"STFTSpectrogram", "[null, 100, 1]", "{\"frame_length\": 16}", "16x1x9", 1, "needs 2"},
        {"STFTSpectrogram", "[null, 100, 1]", "{\"frame_length\": 16, \"frame_step\": 17}", "", 1, "frame_step"},
        {"Pipeline", "[null, 3]", "{}", "", 1, "layers"},
        {"Pipeline", "[null, 3]", "{\"layers\": [3]}", "", 1, "class_name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i].class_name, cases[i].input, cases[i].config, cases[i].weights, cases[i].inputs, cases[i].message);
}

/* A pipeline in a pipeline in a pipeline ...: the JSON reader's depth is the limit. */
static void test_deep_pipeline(void **state) {
    (void)state;
    char config[4000] = "{\"layers\": []}", next[4000];
    for (int i = 0; i < 12; i++) {
        snprintf(next, sizeof next, "{\"layers\": [{\"class_name\": \"Pipeline\", \"config\": %.3900s}]}", config);
        memcpy(config, next, sizeof config);
    }
    fixture f;
    lc_error err;
    fixture_begin(&f, "3.9.0");
    int x = fixture_input(&f, "x", "[null, 3]"), l = fixture_layer(&f, "Pipeline", "layer", config, "", 1, &x);
    fixture_output(&f, l);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (!m) fail_msg("%s", err.message);
    assert_int_equal(m->graphs[0]->node_count, 0);
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- layers of one's own ------------------------------------------------------------------------------------------------------------ */

typedef struct wish {
    int what;
    bool asked;
} wish;

static lc_status own(void *user, lc_layer_builder *b, const lc_layer *layer) {
    wish *w = user;
    const int32_t x = layer->inputs[0];
    int32_t dims[LC_MAX_RANK], rank, two[2];
    lc_dtype type;
    w->asked = true;
    assert_string_equal(layer->name, "gate");
    assert_string_equal(layer->class_name, "Gate");
    assert_string_equal(layer->registered_name, "mine>Gate");
    assert_non_null(strstr(layer->config, "\"sharpness\":"));
    assert_int_equal(layer->weight_count, 1);
    assert_int_equal(layer->weights[0].rank, 1);
    assert_int_equal(layer->weights[0].dims[0], 4);
    assert_int_equal(layer->weights[0].size, 16);
    switch (w->what) {
    case 0: return LC_UNSUPPORTED;
    case 1: return lc_layer_fail(b, LC_INVALID, "no such luck");
    case 2: return LC_IO;
    case 3: return LC_OK;
    case 4: lc_layer_output(b, 0, lc_layer_op(b, "MULL", NULL, &x, 1)); return LC_OK;
    case 5: lc_layer_output(b, 0, lc_layer_op(b, "MUL", "{\"fused\": 1}", (int32_t[]){x, x}, 2)); return LC_OK;
    case 6: lc_layer_output(b, 0, lc_layer_op(b, "MUL", "{\"fused_activation_function\": \"RELUU\"}", (int32_t[]){x, x}, 2)); return LC_OK;
    case 7: lc_layer_output(b, 0, lc_layer_op(b, "MUL", "{", (int32_t[]){x, x}, 2)); return LC_OK;
    case 8: lc_layer_output(b, 0, lc_layer_op(b, "MUL", NULL, (int32_t[]){x, 99999}, 2)); return LC_OK;
    case 9: lc_layer_output(b, 0, lc_layer_op(b, "WHILE", NULL, &x, 1)); return LC_OK;
    case 10: lc_layer_output(b, 0, lc_layer_weight(b, 7)); return LC_OK;
    case 11: lc_layer_output(b, 0, lc_layer_constant(b, "c", LC_FLOAT32, (int32_t[]){-3}, 1, NULL)); return LC_OK;
    case 12: lc_layer_output(b, 0, -7); return LC_OK;
    case 13:
        lc_layer_output(b, 0, x);
        lc_layer_output(b, 2, x);
        return LC_OK; /* output 1 is missing */
    case 14: /* the wrong number of inputs is found at once */ lc_layer_output(b, 0, lc_layer_op(b, "MUL", NULL, &x, 1)); return LC_OK;
    case 15: lc_layer_output(b, 0, lc_layer_custom(b, "Gate", "abc", 3, (int32_t[]){x, lc_layer_weight(b, 0)}, 2, x)); return LC_OK;
    default:
        assert_int_equal(lc_layer_shape(b, x, &type, dims, &rank), LC_OK);
        assert_int_equal(type, LC_FLOAT32);
        assert_int_equal(rank, 2);
        assert_int_equal(dims[0], -1);
        assert_int_equal(dims[1], 4);
        /* two halves, joined again; RELU as a fused option; a vector among the options */
        const int32_t axis = lc_layer_constant(b, "axis", LC_INT32, NULL, 0, &(int32_t){1});
        assert_int_equal(lc_layer_op_outputs(b, "SPLIT", "{\"num_splits\": 2}", (int32_t[]){axis, x}, 2, two, 2), LC_OK);
        const int32_t y = lc_layer_op(b, "CONCATENATION", "{\"axis\": 1}", two, 2);
        const int32_t zero = lc_layer_constant(b, "zero", LC_FLOAT32, NULL, 0, &(float){0});
        const int32_t positive = lc_layer_op(b, "ADD", "{\"fused_activation_function\": \"RELU\"}", (int32_t[]){y, zero}, 2);
        const int32_t at = lc_layer_constant(b, "at", LC_INT32, NULL, 0, &(int32_t){2});
        const int32_t wide = lc_layer_op(b, "EXPAND_DIMS", NULL, (int32_t[]){positive, at}, 2);
        const int32_t column = lc_layer_op(b, "SQUEEZE", "{\"squeeze_dims\": [2]}", &wide, 1);
        lc_layer_output(b, 0, lc_layer_cast(b, lc_layer_cast(b, column, LC_INT32), LC_FLOAT32));
        return LC_OK;
    }
}

static void test_own_layer(void **state) {
    (void)state;
    static const char *const messages[] = {"is no class of Keras",
                                           "no such luck",
                                           "the program's function for it failed",
                                           "no output 0",
                                           "no operator \"MULL\"",
                                           "no option \"fused\"",
                                           "has a value it does not take",
                                           "",
                                           "99999 is no tensor",
                                           "calls other graphs",
                                           "no weight 7",
                                           "dimension 0",
                                           "no tensor",
                                           "no output 1",
                                           ""};
    for (int i = 0; i < 17; i++) {
        wish w = {.what = i};
        lc_model *m;
        lc_error err;
        const lc_status status = lc_convert(OWN, LC_CONVERT(.layer = own, .layer_user = &w), &m, &err);
        assert_true(w.asked);
        if (i < 15) {
            if (status == LC_OK) fail_msg("wish %d was granted", i);
            if (!strstr(err.message, messages[i])) fail_msg("wish %d: %s", i, err.message);
            if (i != 7 && i != 14 && !strstr(err.message, "layer \"gate\" (Gate)"))
                fail_msg("wish %d: the message does not name the layer: %s", i, err.message);
            if (i == 2) assert_int_equal(status, LC_IO);
            continue;
        }
        if (status) fail_msg("wish %d: %s", i, err.message);
        if (i == 16) {
            lc_session *s;
            const float x[4] = {1.5f, -2, 3.5f, 4};
            if (lc_session_create(m, NULL, &s, &err)) fail_msg("%s", err.message);
            memcpy(lc_session_input(s, 0).data, x, sizeof x);
            if (lc_session_run(s, &err)) fail_msg("%s", err.message);
            const float *y = lc_session_output(s, 0).data; /* 1, 0, 3, 4 by [1 1 1 1], [1 -1 1 -1] */
            assert_float_equal(y[0], 8, 1e-6);
            assert_float_equal(y[1], 0, 1e-6);
            lc_session_destroy(s);
        }
        lc_model_destroy(m);
    }
    /* LC_UNSUPPORTED with --allow-custom-ops: a CUSTOM operator after all */
    wish w = {0};
    lc_model *m;
    lc_error err;
    if (lc_convert(OWN, LC_CONVERT(.layer = own, .layer_user = &w, .allow_custom_ops = true), &m, &err)) fail_msg("%s", err.message);
    lc_model_destroy(m);
}

/* ---- files -------------------------------------------------------------------------------------------------------------------------- */

/* A .keras whose weights begin where HDF5 looks for a signature behind a user block is a .keras all the same. */
static void test_zip_before_hdf5(void **state) {
    (void)state;
    static uint8_t bytes[4096] = {'P', 'K', 3, 4};
    lc_error err;
    memcpy(bytes + 2048, "\x89HDF\r\n\x1a\n", 8);
    const lc_map map = {.data = bytes, .size = sizeof bytes};
    const lc_source *source = lc_source_find(&map, &err);
    assert_non_null(source);
    assert_string_equal(source->name, "keras-zip");
}

/* ---- memory ------------------------------------------------------------------------------------------------------------------------ */

static lc_status lower_once(void *arg, lc_error *err) {
    lc_model *m;
    LC_TRY(lc_model_new(NULL, &m, err));
    lc_status status = lc_lower_keras(arg, NULL, m, err);
    lc_model_destroy(m);
    return status;
}

static lc_status convert_own(void *arg, lc_error *err) {
    lc_model *m;
    LC_TRY(lc_convert(OWN, LC_CONVERT(.layer = own, .layer_user = arg), &m, err));
    lc_model_destroy(m);
    return LC_OK;
}

static void test_faults(void **state) {
    (void)state;
    fixture f;
    wish w = {.what = 15};
    fixture_begin(&f, "3.9.0");
    int x = fixture_input(&f, "x", "[null, null, 4]"), n = fixture_input(&f, "n", "[null, 4]");
    int heads = fixture_layer(&f, "MultiHeadAttention", "heads", "{\"num_heads\": 2, \"key_dim\": 3, \"sliding_window\": 2}",
                              "4x2x3 2x3 4x2x3 2x3 4x2x3 2x3 2x3x4 4", 2, (int[]){x, x});
    fixture_output(&f, fixture_layer(&f, "AdditiveAttention", "pairs", "{}", "4", 2, (int[]){heads, x}));
    fixture_output(&f, fixture_layer(&f, "IntegerLookup", "numbers",
                                     "{\"vocabulary\": [5, 1], \"output_mode\": \"tf_idf\", \"idf_weights\": [1, 2], \"mask_token\": 0}",
                                     "", 1, &n));
    int names = fixture_layer(&f, "StringLookup", "names", "{\"vocabulary\": [\"a\"], \"invert\": true}", "", 1, &n);
    fixture_output(&f, fixture_layer(&f, "StringLookup", "back", "{\"vocabulary\": [\"a\"]}", "", 1, &names));
    fixture_output(&f, fixture_layer(&f, "Pipeline", "steps",
                                     "{\"layers\": [{\"class_name\": \"Discretization\", \"config\": {\"bin_boundaries\": [0, 1]}}]}", "",
                                     1, &n));
    fault_check(lower_once, &f.keras, NULL);
    fault_check(convert_own, &w, NULL);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),           cmocka_unit_test(test_causal_option), cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_deep_pipeline), cmocka_unit_test(test_own_layer),
        cmocka_unit_test(test_zip_before_hdf5), cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
