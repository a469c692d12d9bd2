/*
 * test_lower.c: the walk over a Keras model (shared layers, nested models, several inputs and outputs, names, the signature),
 * the layout of weights, CUSTOM operators, every refusal with its message, and every allocation failing.
 */
#include "support/fault.h"
#include "support/keras_fixture.h"

#include "ir/constant.h"
#include "lower/lower.h"
#include "lower/problems.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static lc_model *lower(const fixture *f, const lc_lower_options *options) {
    lc_error err;
    lc_model *m = fixture_lower(f, options, &err);
    if (!m) fail_msg("%s", err.message);
    return m;
}

static void expect_ops(const lc_model *m, const char *want) {
    lc_text text = {0};
    fixture_ops(m, &text);
    assert_string_equal(text.data, want);
    lc_text_deinit(&text);
}

static void expect_signature(const lc_model *m, const char *want) {
    lc_text text = {0};
    assert_int_equal(m->signature_count, 1);
    const lc_signature *s = &m->signatures[0];
    assert_true(lc_str_is(s->key, "serving_default"));
    for (uint32_t i = 0; i < s->input_count; i++) lc_text_printf(&text, "%s ", s->inputs[i].name.data);
    lc_text_add(&text, "->");
    for (uint32_t i = 0; i < s->output_count; i++) lc_text_printf(&text, " %s", s->outputs[i].name.data);
    assert_string_equal(text.data, want);
    for (uint32_t i = 0; i < s->input_count; i++) assert_int_equal(s->inputs[i].tensor, m->graphs[0]->inputs[i]);
    for (uint32_t i = 0; i < s->output_count; i++) assert_int_equal(s->outputs[i].tensor, m->graphs[0]->outputs[i]);
    lc_text_deinit(&text);
}

static uint32_t constants(const lc_model *m, const char *suffix) {
    uint32_t n = 0;
    for (size_t i = 0; i < m->graphs[0]->tensor_count; i++) {
        const lc_tensor *t = &m->graphs[0]->tensors[i];
        size_t k = strlen(suffix);
        n += lc_tensor_is_const(t) && t->name.size >= k && strcmp(t->name.data + t->name.size - k, suffix) == 0;
    }
    return n;
}

/* ---- the walk ------------------------------------------------------------------------------------------------------ */

static void test_inputs_and_outputs(void **state) {
    (void)state;
    fixture f;
    fixture_begin(&f, "3.9.0");
    int b = fixture_input(&f, "b", "[null, 4]"), a = fixture_input(&f, "a", "[3, null, 2]");
    int d = fixture_layer(&f, "Dense", "dense", "{\"units\": 3}", "4x3 3", 1, &b);
    int unused = fixture_layer(&f, "NoSuchThing", "unused", "{}", "", 1, &a);
    (void)unused; /* no output needs it: it is not lowered */
    fixture_output(&f, d);
    fixture_output(&f, a);
    lc_model *m = lower(&f, NULL);
    expect_ops(m, "FULLY_CONNECTED");
    expect_signature(m, "b a -> dense a");
    lc_tensor_view v = lc_model_input(m, 1);
    assert_string_equal(v.name, "a");
    assert_int_equal(v.rank, 3);
    assert_int_equal(v.dims[0], 3);
    assert_int_equal(v.dims[1], 1);
    assert_int_equal(v.signature[1], -1);
    v = lc_model_output(m, 0);
    assert_int_equal(v.signature[0], -1);
    assert_int_equal(v.dims[1], 3);
    lc_model_destroy(m);
    fixture_end(&f);
}

static void test_output_names(void **state) {
    (void)state;
    fixture f;
    fixture_begin(&f, "2.15.0");
    int x = fixture_input(&f, "x", "[null, 4]"), y = fixture_input(&f, "y", "[null, 4]");
    int d = fixture_layer(&f, "Dense", "twin", "{\"units\": 3, \"activation\": \"sigmoid\"}", "4x3 3", 1, &x);
    fixture_call(&f, d, 1, (lc_keras_ref[]){{y, 0, 0}});
    int same = fixture_layer(&f, "Dropout", "drop", "{}", "", 1, &d);
    fixture_output_of(&f, d, 1, 0);
    fixture_output_of(&f, d, 0, 0);
    fixture_output(&f, same); /* the tensor of the second output again */
    lc_model *m = lower(&f, NULL);
    expect_ops(m, "FULLY_CONNECTED LOGISTIC FULLY_CONNECTED LOGISTIC");
    expect_signature(m, "x y -> twin twin_1 drop");
    assert_int_equal(constants(m, "twin/kernel"), 1);
    assert_int_equal(constants(m, "twin/bias"), 1);
    assert_string_equal(lc_model_output(m, 0).name, "twin");
    assert_string_equal(lc_model_output(m, 1).name, "twin_1");
    lc_model_destroy(m);
    static const char *names[] = {"zeta", "alpha", "zeta"};
    f.keras.output_names = names;
    m = lower(&f, NULL);
    expect_signature(m, "x y -> zeta alpha zeta_1");
    lc_model_destroy(m);
    fixture_end(&f);
}

static void test_nested(void **state) {
    (void)state;
    fixture core, middle, f;
    fixture_begin(&core, NULL);
    int ci = fixture_input(&core, "ci", "[null, 4]");
    fixture_output(&core, fixture_layer(&core, "Dense", "d", "{\"units\": 4}", "4x4 4", 1, &ci));
    fixture_begin(&middle, NULL);
    int mi = fixture_input(&middle, "mi", "[null, 4]"), mj = fixture_input(&middle, "mj", "[null, 4]");
    int mc = fixture_nested(&middle, "core", &core, 1, &mi);
    fixture_call(&middle, mc, 1, (lc_keras_ref[]){{mj, 0, 0}});
    fixture_output_of(&middle, mc, 1, 0);
    fixture_output_of(&middle, mc, 0, 0);
    fixture_begin(&f, "3.0.0");
    int x = fixture_input(&f, "x", "[null, 4]"), y = fixture_input(&f, "y", "[null, 4]");
    int n = fixture_nested(&f, "middle", &middle, 2, (int[]){x, y});
    int sub = fixture_layer(&f, "Subtract", "sub", "{}", "", 2, (int[]){n, n});
    f.layers[sub].calls[0].inputs[1].tensor = 1;
    fixture_output(&f, sub);
    fixture_output_of(&f, n, 0, 1);
    lc_model *m = lower(&f, NULL);
    expect_ops(m, "FULLY_CONNECTED FULLY_CONNECTED SUB");
    expect_signature(m, "x y -> sub middle");
    assert_int_equal(constants(m, "middle/core/d/kernel"), 1); /* two calls, one kernel */
    const lc_graph *g = m->graphs[0];
    for (size_t i = 0; i < 2; i++) { /* output 0 of middle is the call on y */
        const lc_node *sub_node = &g->nodes[2], *made = &g->nodes[i];
        int32_t from = made->inputs[0];
        assert_int_equal(sub_node->inputs[from == g->inputs[1] ? 0 : 1], made->outputs[0]);
    }
    assert_string_equal(g->nodes[0].layer, "middle/core/d");
    lc_model_destroy(m);
    fixture_end(&core);
    fixture_end(&middle);
    fixture_end(&f);
}

/* A chain of 100,000 layers needs no deep stack; a model that doubles in each of 40 levels ends at the limit. */
static void test_sizes(void **state) {
    (void)state;
    enum { N = 100000 };
    lc_arena arena = {0};
    lc_keras_layer *layers = lc_arena_array(&arena, N, sizeof *layers);
    lc_keras_call *calls = lc_arena_array(&arena, N, sizeof *calls);
    lc_keras_ref *refs = lc_arena_array(&arena, N, sizeof *refs), out = {N - 1, 0, 0}, in = {0, 0, 0};
    fixture f;
    lc_error err;
    fixture_begin(&f, "3.0.0");
    fixture_input(&f, "x", "[null, 4]");
    layers[0] = f.layers[0];
    for (int i = 1; i < N; i++) {
        refs[i] = (lc_keras_ref){i - 1, 0, 0};
        calls[i] = (lc_keras_call){.inputs = &refs[i], .input_count = 1};
        layers[i] = (lc_keras_layer){.name = "r", .class_name = "ReLU", .calls = &calls[i], .call_count = 1};
    }
    lc_keras_model k = {
        .keras_version = "3.0.0", .layers = layers, .layer_count = N, .inputs = &in, .input_count = 1, .outputs = &out, .output_count = 1};
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    assert_int_equal(lc_lower_keras(&k, NULL, m, &err), LC_OK);
    assert_int_equal(m->graphs[0]->node_count, N - 1);
    lc_model_destroy(m);
    lc_limits limits = {.max_nodes = 1000};
    assert_int_equal(lc_model_new(&limits, &m, &err), LC_OK);
    assert_int_equal(lc_lower_keras(&k, NULL, m, &err), LC_LIMIT);
    lc_model_destroy(m);
    lc_arena_deinit(&arena);
    fixture_end(&f);

    static fixture level[70];
    for (int deep = 0; deep < 2; deep++) {
        int n = deep ? 70 : 40, twice = !deep;
        for (int i = 0; i < n; i++) {
            fixture_begin(&level[i], "3.0.0");
            int x = fixture_input(&level[i], "x", "[null, 2]"), y;
            if (i == 0) y = fixture_layer(&level[i], "ReLU", "r", "{}", "", 1, &x);
            else y = fixture_nested(&level[i], "inner", &level[i - 1], 1, &x);
            if (i && twice) fixture_call(&level[i], y, 1, (lc_keras_ref[]){{y, 0, 0}});
            fixture_output_of(&level[i], y, i && twice ? 1 : 0, 0);
        }
        limits = (lc_limits){.max_nodes = 20000};
        assert_int_equal(lc_model_new(&limits, &m, &err), LC_OK);
        assert_int_equal(lc_lower_keras(&level[n - 1].keras, NULL, m, &err), LC_LIMIT);
        assert_non_null(strstr(err.message, deep ? "nested more than 64 deep" : "more than 20000 calls"));
        lc_model_destroy(m);
        for (int i = 0; i < n; i++) fixture_end(&level[i]);
    }
}

/* ---- weights -------------------------------------------------------------------------------------------------------- */

static void test_transpose(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {1, 200}, {200, 1}, {63, 17}, {64, 16}, {65, 15}, {130, 100}};
    static float src[13000], dst[13000];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t rows = sizes[i][0], cols = sizes[i][1];
        for (size_t k = 0; k < rows * cols; k++) src[k] = (float)k;
        const lc_deferred d = {.type = LC_FLOAT32, .data = src, .rows = rows, .cols = cols};
        lc_deferred_fill(&d, 0, cols, dst);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++) assert_true(dst[c * rows + r] == src[r * cols + c]);
    }
}

/* The same Dense layer from weights of other types, and from data at an odd address, gives the same constant. */
static void test_weight_types(void **state) {
    (void)state;
    static const float values[6] = {1, -2, 0.5f, 0.25f, -0.125f, 3};
    static const uint16_t half[6] = {0x3C00, 0xC000, 0x3800, 0x3400, 0xB000, 0x4200},
                          bfloat[6] = {0x3F80, 0xC000, 0x3F00, 0x3E80, 0xBE00, 0x4040};
    double wide[6];
    uint8_t odd[1 + sizeof values];
    for (int i = 0; i < 6; i++) wide[i] = values[i];
    memcpy(odd + 1, values, sizeof values);
    const struct {
        lc_dtype type;
        const void *data;
        size_t size;
    } forms[] = {{LC_FLOAT32, values, sizeof values},
                 {LC_FLOAT16, half, sizeof half},
                 {LC_BFLOAT16, bfloat, sizeof bfloat},
                 {LC_FLOAT64, wide, sizeof wide},
                 {LC_FLOAT32, odd + 1, sizeof values}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (int depthwise = 0; depthwise < 2; depthwise++) {
            fixture f;
            fixture_begin(&f, "3.0.0");
            int x = fixture_input(&f, "x", depthwise ? "[null, 5, 5, 3]" : "[null, 2]");
            int d = depthwise
                        ? fixture_layer(&f, "DepthwiseConv2D", "d", "{\"kernel_size\": [1, 2], \"use_bias\": false}", "1x2x3x1", 1, &x)
                        : fixture_layer(&f, "Dense", "d", "{\"units\": 3, \"use_bias\": false}", "2x3", 1, &x);
            lc_keras_weight *w = &f.layers[d].weights[0];
            w->type = forms[i].type, w->data = forms[i].data, w->size = forms[i].size;
            fixture_output(&f, d);
            lc_model *m = lower(&f, NULL);
            lc_tensor *t = &m->graphs[0]->tensors[m->graphs[0]->nodes[0].inputs[1]];
            assert_int_equal(t->deferred != NULL, !depthwise);
            assert_int_equal(lc_tensor_make(m, t, NULL), LC_OK);
            assert_int_equal(t->type, LC_FLOAT32);
            assert_int_equal(t->size, sizeof values);
            bool borrowed = depthwise && forms[i].data == values;
            assert_int_equal(t->data == (const void *)values, borrowed);
            assert_int_equal(t->data_owned, !borrowed);
            for (int r = 0; r < 2; r++)
                for (int c = 0; c < 3; c++) assert_true(((const float *)t->data)[depthwise ? r * 3 + c : c * 2 + r] == values[r * 3 + c]);
            lc_model_destroy(m);
            fixture_end(&f);
        }
    /* subnormal, infinite and NaN halves */
    static const uint16_t odd_halves[] = {0x0001, 0x83FF, 0x7C00, 0xFC00, 0x7E01};
    lc_keras_weight w = {.type = LC_FLOAT16, .data = odd_halves, .size = sizeof odd_halves};
    assert_true(lc_weight_at(&w, 0) == 0x1p-24 && lc_weight_at(&w, 1) == -0x3FFp-24);
    assert_true(lc_weight_at(&w, 2) > 1e38 && lc_weight_at(&w, 3) < -1e38 && lc_weight_at(&w, 4) != lc_weight_at(&w, 4));
}

/* ---- inputs that are no float32 --------------------------------------------------------------------------------------------
 */

static void test_input_types(void **state) {
    (void)state;
    static const struct {
        const char *dtype;
        lc_dtype type;
        const char *ops;
    } cases[] = {{"\"uint8\"", LC_UINT8, "CAST MUL"},
                 {"\"int32\"", LC_INT32, "CAST MUL"},
                 {"\"bool\"", LC_BOOL, "CAST MUL"},
                 {"\"float16\"", LC_FLOAT32, "MUL"},
                 {"null", LC_FLOAT32, "MUL"},
                 {"{\"class_name\": \"DTypePolicy\", \"config\": {\"name\": \"mixed_float16\"}}", LC_FLOAT32, "MUL"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        char config[200];
        fixture_begin(&f, "2.3.0");
        int x = fixture_input(&f, "x", "[null, 3]");
        snprintf(config, sizeof config, "{\"batch_input_shape\": [null, 3], \"dtype\": %s, \"sparse\": false}", cases[i].dtype);
        f.layers[x].config = fixture_json(&f, config);
        fixture_output(&f, fixture_layer(&f, "Rescaling", "r", "{\"scale\": 0.5}", "", 1, &x));
        lc_model *m = lower(&f, NULL);
        expect_ops(m, cases[i].ops);
        assert_int_equal(lc_model_input(m, 0).type, cases[i].type);
        lc_model_destroy(m);
        fixture_end(&f);
    }
}

/* ---- CUSTOM
 * ------------------------------------------------------------------------------------------------------------------ */

static void test_custom(void **state) {
    (void)state;
    fixture f;
    fixture_begin(&f, "3.0.0");
    int x = fixture_input(&f, "x", "[null, 4]");
    int a =
        fixture_layer(&f, "MyAttention", "attn", "{\"heads\": 2, \"note\": \"a\\\"b\\n\", \"list\": [1, 2.5, null, true]}", "4x4 4", 1, &x);
    f.layers[a].registered_name = "mine>MyAttention";
    int d = fixture_layer(&f, "Dense", "d", "{\"units\": 3}", "4x3 3", 1, &a);
    f.layers[d].registered_name = "Dense";
    fixture_output(&f, d);
    lc_model *m = lower(&f, &(lc_lower_options){.allow_custom_ops = true});
    expect_ops(m, "CUSTOM FULLY_CONNECTED");
    const lc_node *node = &m->graphs[0]->nodes[0];
    assert_true(lc_str_is(node->custom_code, "MyAttention"));
    assert_int_equal(node->input_count, 3);
    const char *options = "{\"heads\": 2, \"note\": \"a\\\"b\\n\", \"list\": [1, 2.5, null, true]}";
    assert_int_equal(node->custom_options.n, strlen(options));
    assert_memory_equal(node->custom_options.data, options, strlen(options));
    const lc_tensor *w = &m->graphs[0]->tensors[node->inputs[1]], *out = &m->graphs[0]->tensors[node->outputs[0]];
    assert_int_equal(w->rank, 2);
    assert_memory_equal(w->data, fixture_weight(&f, a, 0), 16 * sizeof(float));
    assert_true(lc_str_is(out->name, "attn"));
    assert_int_equal(out->signature[0], -1);
    assert_int_equal(out->dims[1], 4);
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- refusals
 * ------------------------------------------------------------------------------------------------------------------- */

static void refuse(const fixture *f, lc_status status, const char *message, const char *hint) {
    lc_error err;
    lc_model *m = fixture_lower(f, NULL, &err);
    if (m) fail_msg("accepted; wanted: %s", message);
    if (err.status != status || !strstr(err.message, message))
        fail_msg("%s: %s\nwanted: %s", lc_status_name(err.status), err.message, message);
    if (hint && !strstr(err.hint, hint)) fail_msg("hint: %s\nwanted: %s", err.hint, hint);
}

static const struct {
    const char *class_name, *config, *input, *weights;
    lc_status status;
    const char *message, *hint;
} bad_layers[] = {
    {"MyAttention", "{}", "[null, 4]", "", LC_UNSUPPORTED, "layer \"layer\" (MyAttention): litec does not know this layer class",
     "--allow-custom-ops"},
    {"Lambda", "{}", "[null, 4]", "", LC_UNSUPPORTED, "layer \"layer\" (Lambda): a Lambda layer holds Python code", "SavedModel"},
    {"Activation", "{\"activation\": \"rellu\"}", "[null, 4]", "", LC_UNSUPPORTED,
     "option \"activation\" is \"rellu\": Keras has no activation", "did you mean \"relu\""},
    {"Activation", "{\"activation\": \"my_own\"}", "[null, 4]", "", LC_UNSUPPORTED, "\"my_own\"", "SavedModel"},
    {"Activation", "{\"activation\": \"sparsemax\"}", "[null, 4]", "", LC_UNSUPPORTED, "sparsemax", "softmax"},
    {"Activation", "{\"activation\": {\"class_name\": \"Dense\", \"config\": {}}}", "[null, 4]", "", LC_UNSUPPORTED,
     "cannot use a Dense layer as an activation", NULL},
    {"Activation", "{\"activation\": 3}", "[null, 4]", "", LC_UNSUPPORTED, "needs the name of an activation", NULL},
    {"Activation", "{\"activation\": \"glu\"}", "[null, 3]", "", LC_INVALID, "glu halves the last dimension, which is 3", NULL},
    {"Dense", "{}", "[null, 4]", "4x3 3", LC_INVALID, "option \"units\" is missing", NULL},
    {"Dense", "{\"units\": -3}", "[null, 4]", "4x3 3", LC_INVALID, "option \"units\" is -3: needs a whole number from 1", NULL},
    {"Dense", "{\"units\": 0}", "[null, 4]", "4x3 3", LC_INVALID, "option \"units\" is 0", NULL},
    {"Dense", "{\"units\": 99999999999}", "[null, 4]", "4x3 3", LC_INVALID, "option \"units\" is 99999999999", NULL},
    {"Dense", "{\"units\": 2.5}", "[null, 4]", "4x3 3", LC_INVALID, "option \"units\" is 2.5", NULL},
    {"Dense", "{\"units\": \"3\"}", "[null, 4]", "4x3 3", LC_INVALID, "option \"units\" is \"3\"", NULL},
    {"Dense", "{\"units\": 2000000000}", "[null, 4]", "4x3 3", LC_INVALID,
     "has shape [4, 3], the config and its input need [4, 2000000000]", NULL},
    {"Dense", "{\"units\": 3, \"use_bias\": \"no\"}", "[null, 4]", "4x3", LC_INVALID, "option \"use_bias\" is \"no\": needs true or false",
     NULL},
    {"Dense", "{\"units\": 3}", "[null, 4]", "5x3 3", LC_INVALID, "kernel \"layer/w0\" has shape [5, 3]", NULL},
    {"Dense", "{\"units\": 3}", "[null, 4]", "4x3 4", LC_INVALID, "bias \"layer/w1\" has shape [4]", NULL},
    {"Dense", "{\"units\": 3}", "[null, 4]", "4x3", LC_INVALID, "holds 1 arrays for it, needs 2 (kernel, bias)", "model.save()"},
    {"Dense", "{\"units\": 3}", "[null]", "4x3 3", LC_INVALID, "has 1 dimensions, needs at least 2", NULL},
    {"Dense", "{\"units\": 3}", "[null, null]", "4x3 3", LC_UNSUPPORTED, "number of features (dimension 1 of its input) is not known",
     "complete shape"},
    {"Flatten", "{}", "[null, 2000000000, 3]", "", LC_LIMIT, "more than 2147483647", NULL},
    {"Reshape", "{\"target_shape\": [5]}", "[null, 4]", "", LC_UNSUPPORTED, "its input has 4 elements", NULL},
    {"Reshape", "{\"target_shape\": [-1, 3]}", "[null, 4]", "", LC_UNSUPPORTED, "its input has 4 elements", NULL},
    {"Reshape", "{\"target_shape\": [-1, -1]}", "[null, 4]", "", LC_UNSUPPORTED, "-1 at most once", NULL},
    {"Reshape", "{\"target_shape\": [2147483647, 2147483647, 2147483647]}", "[null, 4]", "", LC_UNSUPPORTED, "overflows", NULL},
    {"Permute", "{\"dims\": [1, 1]}", "[null, 4, 4]", "", LC_UNSUPPORTED, "each of 1 to 2 once", NULL},
    {"Permute", "{\"dims\": [3, 1]}", "[null, 4, 4]", "", LC_UNSUPPORTED, "each of 1 to 2 once", NULL},
    {"Rescaling", "{\"scale\": [1, 2]}", "[null, 3]", "", LC_UNSUPPORTED, "has 2 numbers along a dimension where its input has 3", NULL},
    {"Rescaling", "{\"scale\": [[1], [2], [3]]}", "[null, 4, 3]", "", LC_UNSUPPORTED,
     "has 3 numbers along a dimension where its input has 4", NULL},
    {"Rescaling", "{\"scale\": [[1, 2, 3], [4]]}", "[null, 2, 3]", "", LC_UNSUPPORTED, "rows of different length", NULL},
    {"Rescaling", "{\"scale\": \"half\"}", "[null, 3]", "", LC_UNSUPPORTED, "needs a number", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": 3, \"strides\": [0, 1]}", "[null, 5, 5, 1]", "3x3x1x2 2", LC_INVALID,
     "option \"strides\" is [0, 1]", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": -3}", "[null, 5, 5, 1]", "3x3x1x2 2", LC_INVALID, "option \"kernel_size\" is -3", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": [3, 3, 3]}", "[null, 5, 5, 1]", "3x3x1x2 2", LC_UNSUPPORTED, "a list of 2", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": 3, \"padding\": \"causal\"}", "[null, 5, 5, 1]", "3x3x1x2 2", LC_UNSUPPORTED,
     "option \"padding\" is \"causal\": litec knows \"valid\" and \"same\"", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": 3, \"data_format\": \"nchw\"}", "[null, 5, 5, 1]", "3x3x1x2 2", LC_UNSUPPORTED,
     "option \"data_format\"", NULL},
    {"Conv2D", "{\"filters\": 3, \"kernel_size\": 3, \"groups\": 2}", "[null, 5, 5, 4]", "3x3x2x3 3", LC_UNSUPPORTED,
     "option \"groups\" is 2", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": 3}", "[null, 5, 5]", "3x3x1x2 2", LC_INVALID, "has 3 dimensions, needs 4", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": 7}", "[null, 5, 5, 1]", "7x7x1x2 2", LC_INVALID, "layer", NULL},
    {"Conv2D", "{\"filters\": 2, \"kernel_size\": 3}", "[null, 5, 5, null]", "3x3x1x2 2", LC_UNSUPPORTED, "number of channels", NULL},
    {"DepthwiseConv2D", "{\"kernel_size\": 3, \"depth_multiplier\": 2000000000}", "[null, 5, 5, 2]", "3x3x2x1 2", LC_UNSUPPORTED,
     "depth_multiplier", NULL},
    {"BatchNormalization", "{\"axis\": 7}", "[null, 4]", "4 4 4 4", LC_INVALID,
     "option \"axis\" names axis 7 of an input with 2 dimensions", NULL},
    {"BatchNormalization", "{\"axis\": [1, 2]}", "[null, 4, 4]", "4 4 4 4", LC_INVALID, "the config and its input need [1, 4, 4]", NULL},
    {"BatchNormalization", "{}", "[null, 4]", "4 4 4", LC_INVALID, "holds 3 arrays", NULL},
    {"BatchNormalization", "{}", "[null, 4]", "4 4 4 5", LC_INVALID, "moving_variance", NULL},
    {"MaxPooling2D", "{\"pool_size\": 0}", "[null, 4, 4, 1]", "", LC_INVALID, "option \"pool_size\" is 0", NULL},
    {"Softmax", "{\"axis\": [1, -1]}", "[null, 4]", "", LC_UNSUPPORTED, "names axis 1 twice", NULL},
    {"Softmax", "{\"axis\": []}", "[null, 4]", "", LC_UNSUPPORTED, "at least one axis", NULL},
    {"Softmax", "{\"axis\": [0, 1]}", "[null, 4]", "", LC_UNSUPPORTED, "a size of softmax", NULL},
    {"Activation", "{\"activation\": {\"class_name\": \"ReLU\", \"registered_name\": \"mine>ReLU\", \"config\": {}}}", "[null, 4]", "",
     LC_UNSUPPORTED, "no activation \"ReLU\"", NULL},
    {"ReLU", "{\"max_value\": -1}", "[null, 4]", "", LC_UNSUPPORTED, "option \"max_value\" is -1", NULL},
    {"Cropping2D", "{\"cropping\": 2}", "[null, 4, 4, 1]", "", LC_UNSUPPORTED, "takes all of dimension 1", NULL},
    {"ZeroPadding2D", "{\"padding\": [[1, -1], [0, 0]]}", "[null, 4, 4, 1]", "", LC_UNSUPPORTED, "option \"padding\"", NULL},
    {"Concatenate", "{\"axis\": 9}", "[null, 4]", "", LC_OK, "", NULL}, /* one input: nothing to do */
    {"Subtract", "{}", "[null, 4]", "", LC_INVALID, "called with 1 tensors, needs 2", NULL},
    {"InputLayer", "{}", "[null, 4]", "", LC_UNSUPPORTED, "litec does not know this layer class", NULL},
};

static void test_bad_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_layers / sizeof *bad_layers; i++) {
        fixture f;
        fixture_begin(&f, "3.0.0");
        int x = fixture_input(&f, "x", bad_layers[i].input);
        fixture_output(&f, fixture_layer(&f, bad_layers[i].class_name, "layer", bad_layers[i].config, bad_layers[i].weights, 1, &x));
        if (bad_layers[i].status == LC_OK) lc_model_destroy(lower(&f, NULL));
        else refuse(&f, bad_layers[i].status, bad_layers[i].message, bad_layers[i].hint);
        fixture_end(&f);
    }
}

static void test_bad_weights(void **state) {
    (void)state;
    fixture f;
    fixture_begin(&f, "3.0.0");
    int x = fixture_input(&f, "x", "[null, 4]"), d = fixture_layer(&f, "Dense", "d", "{\"units\": 3}", "4x3 3", 1, &x);
    fixture_output(&f, d);
    lc_keras_weight *w = &f.layers[d].weights[0], good = *w;
    w->size -= 4;
    refuse(&f, LC_INVALID, "kernel \"d/w0\" holds 44 bytes, its shape needs 48", NULL);
    *w = good, w->type = LC_STRING;
    refuse(&f, LC_UNSUPPORTED, "is string", NULL);
    *w = good, w->data = NULL;
    refuse(&f, LC_INVALID, "holds", NULL);
    *w = good, w->dims[0] = -4;
    refuse(&f, LC_INVALID, "has shape [-4, 3]", NULL);
    *w = good, w->rank = 100;
    refuse(&f, LC_INVALID, "has shape", NULL);
    fixture_end(&f);
}

static void test_bad_inputs(void **state) {
    (void)state;
    static const struct {
        const char *config;
        lc_status status;
        const char *message;
    } cases[] = {
        {"{\"batch_shape\": [null, -4]}", LC_UNSUPPORTED, "layer \"x\" (InputLayer): option \"batch_shape\" is [null, -4]: dimension 1"},
        {"{\"batch_shape\": [null, 0]}", LC_UNSUPPORTED, "dimension 1"},
        {"{\"batch_shape\": [null, 4294967296]}", LC_UNSUPPORTED, "dimension 1"},
        {"{\"batch_shape\": [null, 1.5]}", LC_UNSUPPORTED, "dimension 1"},
        {"{\"batch_shape\": [1, 1, 1, 1, 1, 1, 1, 1, 1]}", LC_UNSUPPORTED, "8 dimensions"},
        {"{\"batch_shape\": 4}", LC_UNSUPPORTED, "needs a list"},
        {"{}", LC_INVALID, "option \"batch_input_shape\" is missing"},
        {"{\"batch_shape\": [null, 4], \"dtype\": \"complex64\"}", LC_UNSUPPORTED, "option \"dtype\" is \"complex64\""},
        {"{\"batch_shape\": [null, 4], \"sparse\": true}", LC_UNSUPPORTED, "no sparse inputs"},
        {"{\"batch_input_shape\": [null, 4], \"ragged\": true}", LC_UNSUPPORTED, "no ragged inputs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        fixture_begin(&f, "3.0.0");
        int x = fixture_input(&f, "x", "[null, 4]");
        f.layers[x].config = fixture_json(&f, cases[i].config);
        fixture_output(&f, fixture_layer(&f, "ReLU", "r", "{}", "", 1, &x));
        refuse(&f, cases[i].status, cases[i].message, NULL);
        fixture_end(&f);
    }
}

static void test_bad_graphs(void **state) {
    (void)state;
    fixture f;
    fixture_begin(&f, "3.0.0");
    int x = fixture_input(&f, "x", "[null, 4]");
    int a = fixture_layer(&f, "ReLU", "a", "{}", "", 1, &x), b = fixture_layer(&f, "ReLU", "b", "{}", "", 1, &a);
    fixture_output(&f, b);
    lc_keras_ref *in = &f.layers[a].calls[0].inputs[0], good = *in;
    *in = (lc_keras_ref){b, 0, 0};
    refuse(&f, LC_INVALID, "the graph of layers has a cycle", NULL);
    *in = (lc_keras_ref){a, 0, 0};
    refuse(&f, LC_INVALID, "cycle", NULL);
    *in = (lc_keras_ref){99, 0, 0};
    refuse(&f, LC_INVALID, "layer \"a\" (ReLU): an input of it comes from layer 99, but the model has 3 layers", NULL);
    *in = (lc_keras_ref){-1, 0, 0};
    refuse(&f, LC_INVALID, "layer -1", NULL);
    *in = (lc_keras_ref){x, 5, 0};
    refuse(&f, LC_INVALID, "comes from call 5 of layer \"x\"", NULL);
    *in = (lc_keras_ref){x, 0, 3};
    refuse(&f, LC_INVALID, "its input 0 is output 3 of layer \"x\", which has 1", NULL);
    *in = good;
    f.outputs[0].layer = 1000;
    refuse(&f, LC_INVALID, "output 0 of the model comes from layer 1000", NULL);
    f.outputs[0].layer = b;
    f.inputs[0].layer = a;
    refuse(&f, LC_INVALID, "no InputLayer", NULL);
    f.inputs[0].layer = -7;
    refuse(&f, LC_INVALID, "input 0 of the model is layer -7", NULL);
    f.inputs[0].layer = x;
    f.keras.output_count = 0;
    refuse(&f, LC_INVALID, "no outputs", NULL);
    f.keras.output_count = 1;
    f.layers[a].call_count = 0;
    refuse(&f, LC_INVALID, "its output is used, but it is never called", NULL);
    f.layers[a].call_count = 1;
    f.keras.input_count = 0;
    refuse(&f, LC_INVALID, "no inputs", NULL);
    f.keras.input_count = 1;
    f.layers[a].calls[0].kwargs = fixture_json(&f, "{\"training\": true}");
    f.layers[a].class_name = "Dropout";
    lc_model_destroy(lower(&f, NULL)); /* Keras 3: predict() overrides it */
    f.keras.keras_version = "2.15.0";
    refuse(&f, LC_UNSUPPORTED, "training=True", "without training=True");
    fixture_end(&f);

    fixture inner;
    fixture_begin(&inner, "3.0.0");
    int i0 = fixture_input(&inner, "i0", "[null, 4]"), i1 = fixture_input(&inner, "i1", "[null, 4]");
    fixture_output(&inner, fixture_layer(&inner, "Add", "add", "{}", "", 2, (int[]){i0, i1}));
    fixture_begin(&f, "3.0.0");
    x = fixture_input(&f, "x", "[null, 4]");
    fixture_output(&f, fixture_nested(&f, "inner", &inner, 1, &x));
    refuse(&f, LC_INVALID, "called with 1 tensors, but the model in it has 2 inputs", NULL);
    f.layers[1].calls[0].kwargs = fixture_json(&f, "{\"training\": true}");
    f.keras.keras_version = "2.15.0";
    refuse(&f, LC_UNSUPPORTED, "layer \"inner\" (Functional): it is called with training=True", NULL);
    f.keras.keras_version = "3.0.0";
    f.layers[1].calls[0].kwargs = NULL;
    inner.keras.input_count = 1;
    refuse(&f, LC_INVALID, "not among the inputs of its model", NULL);
    fixture_end(&inner);
    fixture_end(&f);
}

/* ---- all that is wrong at once (litec lint) ------------------------------------------------------------------------------- */

/* A chain with two classes nobody knows, one wrong option between them, and layers behind: each is listed, with its hint. */
static void add_problem_layers(fixture *f) {
    fixture_begin(f, "3.0.0");
    int x = fixture_input(f, "x", "[null, 4]");
    int a = fixture_layer(f, "Fancy", "first", "{}", "", 1, &x);
    int b = fixture_layer(f, "ReLU", "behind", "{}", "", 1, &a);
    int c = fixture_layer(f, "Lambda", "second", "{}", "", 1, &b);
    int d = fixture_layer(f, "ELU", "apart", "{\"alpha\": \"no\"}", "", 1, &x);
    fixture_output(f, c);
    fixture_output(f, d);
}

static void test_problems(void **state) {
    (void)state;
    fixture f;
    lc_error err;
    lc_problems problems = {0};
    const lc_lower_options options = {.problems = &problems};
    add_problem_layers(&f);
    assert_null(fixture_lower(&f, &options, &err));
    assert_int_equal(err.status, LC_UNSUPPORTED);
    assert_int_equal(problems.count, 3);
    assert_int_equal(problems.unseen, 1); /* the ReLU, whose input is not there */
    static const char *const where[] = {"first", "second", "apart"}, *const kind[] = {"Fancy", "Lambda", "ELU"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(problems.list[i].where, where[i]);
        assert_string_equal(problems.list[i].kind, kind[i]);
        assert_non_null(strstr(problems.list[i].message, where[i]));
        assert_true(problems.list[i].hint[0] != 0);
    }
    lc_problems_deinit(&problems);
    /* Keras 3 says what shape the tensor between them has: then the layer behind is looked at. */
    const lc_json *leaf =
        fixture_json(&f, "{\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": [null, 4], \"dtype\": \"float32\"}}");
    f.layers[2].calls[0].leaves = &leaf;
    f.layers[2].config = fixture_json(&f, "{\"max_value\": \"much\"}");
    assert_null(fixture_lower(&f, &options, &err));
    assert_int_equal(problems.count, 4);
    assert_int_equal(problems.unseen, 0);
    assert_string_equal(problems.list[1].where, "behind");
    assert_non_null(strstr(problems.list[1].message, "max_value"));
    lc_problems_deinit(&problems);
    fixture_end(&f);
}

static lc_status lower_with_problems(void *arg, lc_error *err) {
    lc_model *m;
    lc_problems problems = {0};
    LC_TRY(lc_model_new(NULL, &m, err));
    lc_status status = lc_lower_keras(arg, &(lc_lower_options){.problems = &problems}, m, err);
    if (status == LC_UNSUPPORTED) status = LC_OK; /* what it should be, once there is memory enough */
    lc_model_destroy(m);
    lc_problems_deinit(&problems);
    return status;
}

static void test_problem_faults(void **state) {
    (void)state;
    fixture f;
    add_problem_layers(&f);
    fault_check(lower_with_problems, &f.keras, NULL);
    fixture_end(&f);
}

/* ---- memory
 * ------------------------------------------------------------------------------------------------------------------------ */

static lc_status lower_once(void *arg, lc_error *err) {
    lc_model *m;
    LC_TRY(lc_model_new(NULL, &m, err));
    lc_status status = lc_lower_keras(arg, &(lc_lower_options){.allow_custom_ops = true}, m, err);
    lc_model_destroy(m);
    return status;
}

static void test_faults(void **state) {
    (void)state;
    fixture f, inner;
    fixture_begin(&inner, NULL);
    int i = fixture_input(&inner, "i", "[null, 5, 5, 2]");
    fixture_output(&inner, fixture_layer(&inner, "SeparableConv2D", "sep", "{\"filters\": 2, \"kernel_size\": 3, \"padding\": \"same\"}",
                                         "3x3x2x1 1x1x2x2 2", 1, &i));
    fixture_begin(&f, "3.0.0");
    int x = fixture_input(&f, "x", "[null, 5, 5, 2]");
    int n = fixture_nested(&f, "inner", &inner, 1, &x);
    int bn = fixture_layer(&f, "BatchNormalization", "bn", "{}", "2 2 2 2", 1, &n);
    int sm = fixture_layer(&f, "Softmax", "sm", "{\"axis\": 1}", "", 1, &bn);
    int add = fixture_layer(&f, "Add", "add", "{}", "", 2, (int[]){sm, x});
    int re = fixture_layer(&f, "Rescaling", "re", "{\"scale\": [1, 2], \"offset\": 3}", "", 1, &add);
    int own = fixture_layer(&f, "Mine", "own", "{\"a\": [1, 2, 3]}", "3", 1, &re);
    int flat = fixture_layer(&f, "Flatten", "flat", "{}", "", 1, &own);
    int d = fixture_layer(&f, "Dense", "d", "{\"units\": 3, \"activation\": \"mish\"}", "50x3 3", 1, &flat);
    fixture_output(&f, d);
    fixture_output(&f, bn);
    fault_check(lower_once, &f.keras, NULL);
    f.layers[own].registered_name = NULL;
    f.layers[d].config = fixture_json(&f, "{\"units\": 4}"); /* a refusal under failing allocations */
    fault_check(lower_once, &f.keras, &(fault_options){.want = LC_INVALID, .may_return_other = true});
    fixture_end(&f);
    fixture_end(&inner);
}

/* A class somebody registered is not Keras's, though Keras has one of that name. */
static void test_own_class(void **state) {
    (void)state;
    fixture f;
    fixture_begin(&f, "3.0.0");
    int x = fixture_input(&f, "x", "[null, 4]"), d = fixture_layer(&f, "Dense", "d", "{\"units\": 3}", "4x3 3", 1, &x);
    f.layers[d].registered_name = "mine>Dense";
    fixture_output(&f, d);
    refuse(&f, LC_UNSUPPORTED, "layer \"d\" (Dense): \"mine>Dense\" is no class of Keras", "--allow-custom-ops");
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_class),    cmocka_unit_test(test_inputs_and_outputs),
        cmocka_unit_test(test_output_names), cmocka_unit_test(test_nested),
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_weight_types), cmocka_unit_test(test_input_types),
        cmocka_unit_test(test_custom),       cmocka_unit_test(test_bad_layers),
        cmocka_unit_test(test_bad_weights),  cmocka_unit_test(test_bad_inputs),
        cmocka_unit_test(test_bad_graphs),   cmocka_unit_test(test_faults),
        cmocka_unit_test(test_problems),     cmocka_unit_test(test_problem_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
