/*
 * test_quantize.c: lc_model_quantize on small networks: which operators become integer ones, the rules of their scales (ops/quant.def), inputs
 * and outputs in each type, layers that stay float, results near the float ones, and what is refused.
 */
#include "ir/ir.h"
#include "litec/litec.h"
#include "quant/quant.h"

#include "ops/build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 12 };

static float noise(uint32_t *state) { return (float)((*state = *state * 1664525u + 1013904223u) >> 8) / 8388608.0f - 1; }

static int32_t constant(lc_builder *b, const char *name, const int32_t *dims, int32_t rank, float reach) {
    size_t n = 1;
    uint32_t state = (uint32_t)name[0] * 77u + (uint32_t)rank;
    for (int32_t d = 0; d < rank; d++) n *= (size_t)dims[d];
    float *data = lc_build_data(b, n * sizeof *data);
    for (size_t i = 0; data && i < n; i++) data[i] = reach * noise(&state);
    return data ? lc_build_const(b, name, LC_FLOAT32, dims, rank, data, n * sizeof *data, true) : -1;
}

static int32_t conv(lc_builder *b, int32_t x, const char *name, int32_t in, int32_t out, int8_t act) {
    const lc_Conv2DOptions o = {.padding = LC_Padding_SAME,
                                .stride_w = 1,
                                .stride_h = 1,
                                .dilation_w_factor = 1,
                                .dilation_h_factor = 1,
                                .fused_activation_function = act};
    const int32_t inputs[] = {x, constant(b, "k", (int32_t[]){out, 3, 3, in}, 4, 0.4f), constant(b, "b", &out, 1, 0.3f)};
    const int32_t y = lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, inputs, 3);
    lc_build_rename(b, y, name);
    return y;
}

static int32_t concat(lc_builder *b, int32_t x, int32_t y) {
    const lc_ConcatenationOptions o = {.axis = 3};
    return lc_build_op(b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &o, (int32_t[]){x, y}, 2);
}

static lc_model *finish(lc_builder *b, int32_t x, int32_t y, const lc_error *err) {
    lc_error e;
    if (b->status != LC_OK) fail_msg("%s", err->message);
    assert_int_equal(lc_graph_add_input(b->graph, x, &e), LC_OK);
    assert_int_equal(lc_graph_add_output(b->graph, y, &e), LC_OK);
    return b->graph->model;
}

static int32_t begin(lc_builder *b, lc_error *err) {
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, err), LC_OK);
    lc_builder_init(b, model, model->graphs[0], err);
    return lc_build_placeholder(b, "image", LC_FLOAT32, (int32_t[]){1, 8, 8, 3}, 4);
}

/* image -> conv -> max pool -> concat(., tanh of it) -> conv -> dense -> softmax */
static lc_model *network(void) {
    lc_builder b;
    lc_error err;
    const int32_t x = begin(&b, &err), y = conv(&b, x, "first", 3, 8, LC_ActivationFunctionType_RELU);
    const lc_Pool2DOptions pool = {.padding = LC_Padding_VALID, .stride_w = 2, .stride_h = 2, .filter_width = 2, .filter_height = 2};
    const int32_t p = lc_build_op(&b, LC_OP_MAX_POOL_2D, LC_TABLE_Pool2DOptions, &pool, &y, 1);
    const int32_t t = lc_build_op(&b, LC_OP_TANH, LC_TABLE_NONE, NULL, &p, 1);
    const int32_t c = conv(&b, concat(&b, p, t), "second", 16, 4, LC_ActivationFunctionType_NONE);
    const int32_t flat = lc_build_reshape(&b, c, (int32_t[]){1, 64}, 2);
    const int32_t in[] = {flat, constant(&b, "w", (int32_t[]){5, 64}, 2, 0.3f), constant(&b, "c", (int32_t[]){5}, 1, 0.2f)};
    const int32_t logits = lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3);
    const int32_t scores = lc_build_op(&b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &(lc_SoftmaxOptions){.beta = 1.0f}, &logits, 1);
    lc_build_rename(&b, scores, "scores");
    return finish(&b, x, scores, &err);
}

static float pixel(uint64_t sample, size_t i) {
    uint32_t state = (uint32_t)(sample * 7919u + i * 31u + 1);
    noise(&state);
    return noise(&state);
}

static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    const uint64_t *count = user;
    const lc_tensor_view in = lc_session_input(session, 0);
    (void)err;
    *end = index >= *count;
    for (size_t i = 0; !*end && i < in.size / sizeof(float); i++) ((float *)in.data)[i] = pixel(index, i);
    return LC_OK;
}

/* Quantises with SAMPLES samples. NULL: it failed with this status. */
static lc_model *quantized(lc_model *model, lc_quantize_options how, lc_status want, lc_error *err) {
    uint64_t count = SAMPLES;
    lc_data *data;
    lc_model *q;
    assert_int_equal(lc_data_from(fill, &count, &data, err), LC_OK);
    how.data = &data;
    how.data_count = 1;
    const lc_status status = lc_model_quantize(model, &how, &q, err);
    lc_data_close(data);
    if (status != want) fail_msg("status %d: %s", (int)status, err->message);
    if (status) assert_true(err->hint[0]);
    return q;
}

static const lc_node *node(const lc_model *m, lc_op_id op, int which) {
    const lc_graph *g = m->graphs[0];
    for (size_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].op == (int32_t)op && which-- == 0) return &g->nodes[i];
    return NULL;
}

static const lc_tensor *in(const lc_model *m, const lc_node *n, uint32_t i) { return &m->graphs[0]->tensors[n->inputs[i]]; }
static const lc_tensor *out(const lc_model *m, const lc_node *n) { return &m->graphs[0]->tensors[n->outputs[0]]; }

static void same_steps(const lc_tensor *a, const lc_tensor *b) {
    float s, t;
    int64_t y, z;
    lc_tensor_scale(a, &s, &y);
    lc_tensor_scale(b, &t, &z);
    assert_true(s > 0 && s == t && y == z);
}

/* Largest difference of the outputs over samples, as real numbers. */
static double difference(lc_model *a, lc_model *b) {
    lc_session *s[2];
    lc_error err;
    double most = 0;
    lc_model *m[2] = {a, b};
    for (int k = 0; k < 2; k++)
        if (lc_session_create(m[k], NULL, &s[k], &err)) fail_msg("%s", err.message);
    for (uint64_t sample = 100; sample < 110; sample++) {
        for (int k = 0; k < 2; k++) {
            const lc_tensor_view x = lc_session_input(s[k], 0);
            const size_t n = x.size / (lc_dtype_bits(x.type) / 8);
            for (size_t i = 0; i < n; i++) {
                const float v = pixel(sample, i), q = rintf(v / x.scale) + (float)x.zero_point;
                if (x.type == LC_FLOAT32) ((float *)x.data)[i] = v;
                else if (x.type == LC_INT16) ((int16_t *)x.data)[i] = (int16_t)fminf(fmaxf(q, -32767), 32767);
                else if (x.type == LC_UINT8) ((uint8_t *)x.data)[i] = (uint8_t)fminf(fmaxf(q, 0), 255);
                else ((int8_t *)x.data)[i] = (int8_t)fminf(fmaxf(q, -128), 127);
            }
            if (lc_session_run(s[k], &err)) fail_msg("%s", err.message);
        }
        const lc_tensor_view x = lc_session_output(s[0], 0), y = lc_session_output(s[1], 0);
        for (size_t i = 0; i < x.size / sizeof(float); i++) {
            double v = 0;
            if (y.type == LC_FLOAT32) v = ((const float *)y.data)[i];
            if (y.type == LC_INT8) v = (((const int8_t *)y.data)[i] - (double)y.zero_point) * y.scale;
            if (y.type == LC_UINT8) v = (((const uint8_t *)y.data)[i] - (double)y.zero_point) * y.scale;
            if (y.type == LC_INT16) v = (((const int16_t *)y.data)[i] - (double)y.zero_point) * y.scale;
            most = fmax(most, fabs(v - ((const float *)x.data)[i]));
        }
    }
    lc_session_destroy(s[0]);
    lc_session_destroy(s[1]);
    return most;
}

/* ---- integer models ------------------------------------------------------------------------------------------------------- */

static void test_int8(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *m = network(), *q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .only_integer = true}, LC_OK, &err);
    const lc_node *first = node(q, LC_OP_CONV_2D, 0), *pool = node(q, LC_OP_MAX_POOL_2D, 0), *tanh_ = node(q, LC_OP_TANH, 0);
    assert_non_null(first);
    assert_int_equal(in(q, first, 0)->type, LC_INT8);
    assert_int_equal(in(q, first, 1)->quant->scale.n, 8); /* a scale a channel, symmetric */
    for (uint32_t c = 0; c < 8; c++) {
        assert_int_equal(in(q, first, 1)->quant->zero_point.data[c], 0);
        assert_true(in(q, first, 2)->quant->scale.data[c] == in(q, first, 0)->quant->scale.data[0] * in(q, first, 1)->quant->scale.data[c]);
    }
    assert_int_equal(in(q, first, 2)->type, LC_INT32);
    for (size_t i = 0; i < in(q, first, 1)->size; i++) assert_true(((const int8_t *)in(q, first, 1)->data)[i] != -128);
    same_steps(in(q, pool, 0), out(q, pool));
    float scale;
    int64_t zero;
    lc_tensor_scale(out(q, tanh_), &scale, &zero);
    assert_true(scale == 1.0f / 128 && zero == 0);
    lc_tensor_scale(out(q, node(q, LC_OP_SOFTMAX, 0)), &scale, &zero);
    assert_true(scale == 1.0f / 256 && zero == -128);
    const lc_node *joined = node(q, LC_OP_CONCATENATION, 0);
    for (uint32_t i = 0; i < 2; i++) same_steps(in(q, joined, i), out(q, joined));
    /* inputs and outputs stay float32 and keep their names */
    assert_string_equal(lc_model_input(q, 0).name, "image");
    assert_string_equal(lc_model_output(q, 0).name, "scores");
    assert_int_equal(lc_model_input(q, 0).type, LC_FLOAT32);
    assert_int_equal(lc_model_output(q, 0).type, LC_FLOAT32);
    assert_true(lc_model_check(q, &err) == LC_OK);
    assert_true(difference(m, q) < 0.02);
    lc_model_destroy(m); /* what the quantised one borrows stays */
    lc_session *s;
    assert_int_equal(lc_session_create(q, NULL, &s, &err), LC_OK);
    lc_session_destroy(s);
    lc_model_destroy(q);
}

static void test_types(void **unused) {
    (void)unused;
    static const struct {
        lc_scheme scheme;
        lc_dtype type;
        double error;
    } rows[] = {{LC_SCHEME_INT8, LC_INT8, 0.02},
                {LC_SCHEME_INT8, LC_UINT8, 0.02},
                {LC_SCHEME_INT16X8, LC_INT16, 0.01},
                {LC_SCHEME_INT16X8, LC_FLOAT32, 0.01}};
    lc_error err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lc_model *m = network(),
                 *q =
                     quantized(m,
                               (lc_quantize_options){
                                   .scheme = rows[i].scheme, .input_type = rows[i].type, .output_type = rows[i].type, .only_integer = true},
                               LC_OK, &err);
        assert_int_equal(lc_model_input(q, 0).type, rows[i].type);
        assert_int_equal(lc_model_output(q, 0).type, rows[i].type);
        assert_string_equal(lc_model_input(q, 0).name, "image");
        assert_string_equal(lc_model_output(q, 0).name, "scores");
        if (rows[i].scheme == LC_SCHEME_INT16X8) {
            assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 0), 2)->type, LC_INT64);
            assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 0), 0)->quant->zero_point.data[0], 0);
        }
        assert_true(difference(m, q) < rows[i].error);
        lc_model_destroy(q);
        lc_model_destroy(m);
    }
}

/* One layer stays float: the numbers before and after it are converted. */
static void test_recipe(void **unused) {
    (void)unused;
    lc_error err;
    lc_quantize_report *report;
    lc_model *m = network(),
             *q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .recipe = "sec*=float", .report = &report}, LC_OK, &err);
    assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 0), 0)->type, LC_INT8);
    assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 1), 0)->type, LC_FLOAT32);
    assert_int_equal(in(q, node(q, LC_OP_FULLY_CONNECTED, 0), 0)->type, LC_INT8);
    assert_non_null(strstr(lc_quantize_report_text(report), "quantised 7 of 8 operators"));
    assert_non_null(strstr(lc_quantize_report_json(report), "\"integer\":7"));
    lc_quantize_report_destroy(report);
    assert_true(difference(m, q) < 0.02);
    lc_model_destroy(q);
    /* two types of activations in one model */
    q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .recipe = "first=int16x8;op:SOFTMAX=float"}, LC_OK, &err);
    assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 0), 0)->type, LC_INT16);
    assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 1), 0)->type, LC_INT8);
    assert_true(difference(m, q) < 0.02);
    lc_model_destroy(q);
    lc_model_destroy(m);
}

/* Inputs of a CONCATENATION: what is read elsewhere, too, and would lose its precision is rounded anew; the other is written in the steps of all. */
static void test_join(void **unused) {
    (void)unused;
    lc_builder b;
    lc_error err;
    const int32_t x = begin(&b, &err), small = lc_build_op(&b, LC_OP_LOGISTIC, LC_TABLE_NONE, NULL, &x, 1);
    const int32_t big = lc_build_binary(&b, LC_OP_MUL, x, lc_build_scalar(&b, "hundred", 100), LC_ActivationFunctionType_NONE);
    const int32_t both = lc_build_op(&b, LC_OP_ABS, LC_TABLE_NONE, NULL, (int32_t[]){concat(&b, small, big)}, 1);
    lc_model *m = finish(&b, x, both, &err), *q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8}, LC_OK, &err);
    const lc_node *joined = node(q, LC_OP_CONCATENATION, 0);
    for (uint32_t i = 0; i < 2; i++) same_steps(in(q, joined, i), out(q, joined));
    same_steps(out(q, node(q, LC_OP_MUL, 0)), out(q, joined)); /* no QUANTIZE between */
    float scale;
    int64_t zero;
    lc_tensor_scale(out(q, node(q, LC_OP_LOGISTIC, 0)), &scale, &zero);
    assert_true(scale == 1.0f / 256);
    assert_true(difference(m, q) < 1.0);
    lc_model_destroy(q);
    lc_model_destroy(m);
}

/* ---- graphs that call graphs ------------------------------------------------------------------------------------------------ */

/* image -> WHILE three times: x = tanh(dense(x)) / 2 + x / 4 */
static lc_model *loop(void) {
    lc_builder b, cond, body;
    lc_error err, e;
    const int32_t x = begin(&b, &err);
    lc_model *m = b.graph->model;
    const lc_str names[] = {LC_STR("again"), LC_STR("step")};
    for (int k = 0; k < 2; k++) assert_non_null(lc_model_add_graph(m, names[k]));
    lc_builder_init(&cond, m, m->graphs[1], &err);
    lc_builder_init(&body, m, m->graphs[2], &err);
    const int32_t one[] = {1}, flat[] = {1, 192};
    int32_t i = lc_build_placeholder(&cond, "i", LC_INT32, one, 1), v = lc_build_placeholder(&cond, "v", LC_FLOAT32, flat, 2);
    const int32_t less =
        lc_build_op(&cond, LC_OP_LESS, LC_TABLE_NONE, NULL, (int32_t[]){i, lc_build_ints(&cond, "n", (int32_t[]){3}, 1)}, 2);
    assert_int_equal(
        lc_graph_add_input(cond.graph, i, &e) | lc_graph_add_input(cond.graph, v, &e) | lc_graph_add_output(cond.graph, less, &e), 0);
    i = lc_build_placeholder(&body, "i", LC_INT32, one, 1);
    v = lc_build_placeholder(&body, "v", LC_FLOAT32, flat, 2);
    const int32_t more = lc_build_binary(&body, LC_OP_ADD, i, lc_build_ints(&body, "one", one, 1), LC_ActivationFunctionType_NONE);
    const int32_t in[] = {v, constant(&body, "w", (int32_t[]){192, 192}, 2, 0.1f), constant(&body, "c", (int32_t[]){192}, 1, 0.2f)};
    const int32_t dense = lc_build_op(&body, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3);
    const int32_t t = lc_build_op(&body, LC_OP_TANH, LC_TABLE_NONE, NULL, &dense, 1);
    const int32_t half = lc_build_binary(&body, LC_OP_MUL, t, lc_build_scalar(&body, "half", 0.5f), LC_ActivationFunctionType_NONE);
    const int32_t quarter = lc_build_binary(&body, LC_OP_MUL, v, lc_build_scalar(&body, "quarter", 0.25f), LC_ActivationFunctionType_NONE);
    const int32_t sum = lc_build_binary(&body, LC_OP_ADD, half, quarter, LC_ActivationFunctionType_NONE);
    assert_int_equal(lc_graph_add_input(body.graph, i, &e) | lc_graph_add_input(body.graph, v, &e), 0);
    assert_int_equal(lc_graph_add_output(body.graph, more, &e) | lc_graph_add_output(body.graph, sum, &e), 0);
    const int32_t start[] = {lc_build_ints(&b, "zero", (int32_t[]){0}, 1), lc_build_reshape(&b, x, flat, 2)};
    int32_t end[2];
    for (int k = 0; k < 2; k++)
        end[k] = lc_build_placeholder(&b, k ? "last" : "count", k ? LC_FLOAT32 : LC_INT32, k ? flat : one, k ? 2 : 1);
    lc_node *n;
    assert_int_equal(lc_graph_add_node(b.graph, LC_OP_WHILE, LC_TABLE_WhileOptions,
                                       &(lc_WhileOptions){.cond_subgraph_index = 1, .body_subgraph_index = 2}, start, 2, end, 2, &n, &e),
                     0);
    assert_int_equal(cond.status | body.status, LC_OK);
    return finish(&b, x, end[1], &err);
}

static void test_loop(void **unused) {
    (void)unused;
    lc_error err;
    for (int only = 0; only < 2; only++) {
        lc_model *m = loop(), *q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .only_integer = only}, LC_OK, &err);
        assert_true(lc_model_check(q, &err) == LC_OK);
        const lc_graph *body = q->graphs[2];
        size_t integer = 0;
        for (size_t i = 0; i < body->node_count; i++)
            integer += body->nodes[i].op == LC_OP_FULLY_CONNECTED && body->tensors[body->nodes[i].outputs[0]].type == LC_INT8;
        assert_int_equal(integer, 1);
        /* what the loop carries is rounded in each step only when nothing else is allowed */
        assert_int_equal(body->tensors[body->inputs[1]].type, only ? LC_INT8 : LC_FLOAT32);
        if (only) {
            same_steps(&body->tensors[body->inputs[1]], &body->tensors[body->outputs[1]]);
            same_steps(&body->tensors[body->inputs[1]], &q->graphs[1]->tensors[q->graphs[1]->inputs[1]]);
            same_steps(&body->tensors[body->inputs[1]], in(q, node(q, LC_OP_WHILE, 0), 1));
        }
        assert_true(difference(m, q) < 0.05);
        lc_model_destroy(q);
        lc_model_destroy(m);
    }
}

/* ---- steps that are in the graph --------------------------------------------------------------------------------------------- */

static int32_t rounded(lc_builder *b, int32_t x, float min, float max) {
    const lc_FakeQuantOptions o = {.min = min, .max = max, .num_bits = 8};
    return lc_build_op(b, LC_OP_FAKE_QUANT, LC_TABLE_FakeQuantOptions, &o, &x, 1);
}

/* Those of the graph count, whatever the samples say, and the samples say the rest; also when the part that has steps is integer already. */
static void test_steps(void **unused) {
    (void)unused;
    for (int already = 0; already < 2; already++) {
        lc_builder b;
        lc_error err;
        bool changed = false;
        const int32_t x = begin(&b, &err), y = rounded(&b, conv(&b, rounded(&b, x, -2, 2), "first", 3, 8, 0), -8, 7.9375f);
        lc_model *m = finish(&b, x, conv(&b, y, "second", 8, 4, 0), &err), *q;
        if (already) assert_int_equal(lc_quant_aware(m, &changed, &err), LC_OK);
        assert_int_equal(changed, already);
        q = quantized(m,
                      (lc_quantize_options){.scheme = LC_SCHEME_INT8, .input_type = LC_INT8, .output_type = LC_UINT8, .only_integer = true},
                      LC_OK, &err);
        assert_int_equal(q->graphs[0]->node_count, 3);
        const lc_node *first = node(q, LC_OP_CONV_2D, 0), *second = node(q, LC_OP_CONV_2D, 1);
        float scale;
        int64_t zero;
        lc_tensor_scale(out(q, first), &scale, &zero);
        assert_true(scale == 0.0625f && zero == 0);
        assert_int_equal(first->inputs[0], q->graphs[0]->inputs[0]);
        assert_int_equal(second->inputs[0], first->outputs[0]);
        assert_int_equal(node(q, LC_OP_QUANTIZE, 0)->inputs[0], second->outputs[0]); /* to uint8 */
        lc_model_destroy(q);
        /* int8 where the graph says it, int16 elsewhere */
        q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT16X8}, LC_OK, &err);
        assert_int_equal(out(q, node(q, LC_OP_CONV_2D, 1))->type, LC_INT16);
        assert_true(difference(m, q) < 0.1);
        lc_model_destroy(q);
        /* without samples the second layer stays as it is */
        assert_int_equal(lc_model_quantize(m, &(lc_quantize_options){.scheme = LC_SCHEME_INT8, .input_type = LC_INT8}, &q, &err), LC_OK);
        assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 0), 0)->type, LC_INT8);
        assert_int_equal(in(q, node(q, LC_OP_CONV_2D, 1), 0)->type, LC_FLOAT32);
        lc_model_destroy(q);
        lc_model_destroy(m);
    }
}

/* ---- kernels of others -------------------------------------------------------------------------------------------------------- */

/* x - (x + 1e-6) is next to nothing beside x: LiteRT aborts where an output's steps are that much finer than the inputs'. */
static void test_fine_output(void **unused) {
    (void)unused;
    static const int32_t ops[] = {LC_OP_SUB, LC_OP_SQUARED_DIFFERENCE};
    for (int i = 0; i < 4; i++) {
        lc_builder b;
        lc_error err;
        const int32_t x = begin(&b, &err), near = lc_build_with_scalar(&b, LC_OP_ADD, x, "little", 1e-6f);
        lc_model *m = finish(&b, x, lc_build_binary(&b, ops[i % 2], x, near, LC_ActivationFunctionType_NONE), &err);
        const bool wide = i > 1;
        if (wide && ops[i % 2] == LC_OP_SQUARED_DIFFERENCE) { /* there is none of 16 bits */
            lc_model_destroy(m);
            continue;
        }
        lc_model *q = quantized(m, (lc_quantize_options){.scheme = wide ? LC_SCHEME_INT16X8 : LC_SCHEME_INT8}, LC_OK, &err);
        const lc_node *n = node(q, ops[i % 2], 0);
        float from, to;
        int64_t zero;
        lc_tensor_scale(in(q, n, 0), &from, &zero);
        lc_tensor_scale(out(q, n), &to, &zero);
        const double left =
            ops[i % 2] == LC_OP_SUB ? 2.0 * (double)from * (wide ? 0x1p-15 : 0x1p-20) : 4.0 * (double)from * (double)from * 0x1p-14;
        assert_true(from > 0 && left < (double)to);
        lc_model_destroy(q);
        lc_model_destroy(m);
    }
}

/* Every operator that an old runtime lacks is named, also one whose name ends another's. */
static void test_old_runtime(void **unused) {
    (void)unused;
    lc_builder b;
    lc_error err;
    const lc_DepthwiseConv2DOptions o = {
        .padding = LC_Padding_SAME, .stride_w = 1, .stride_h = 1, .depth_multiplier = 1, .dilation_w_factor = 1, .dilation_h_factor = 1};
    const int32_t x = begin(&b, &err),
                  inputs[] = {x, constant(&b, "d", (int32_t[]){1, 3, 3, 3}, 4, 0.4f), constant(&b, "b", (int32_t[]){3}, 1, 0)};
    const int32_t y = lc_build_op(&b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &o, inputs, 3);
    lc_model *m = finish(&b, x, conv(&b, y, "after", 3, 4, 0), &err);
    lc_model *q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8}, LC_OK, &err);
    assert_int_equal(lc_model_check_runtime(q, 20800, &err), LC_OK);
    assert_int_equal(lc_model_check_runtime(q, 10400, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "DEPTHWISE_CONV_2D version 3"));
    assert_non_null(strstr(err.message, ", CONV_2D version 3"));
    lc_model_destroy(q);
    lc_model_destroy(m);
}

/* The ends of a range may be further apart than a float can say. */
static void test_wide_range(void **unused) {
    (void)unused;
    const lc_steps s = lc_steps_over(LC_INT8, -3e38f, 3e38f), w = lc_steps_over(LC_INT16, -3e38f, 3e38f);
    assert_true(isfinite(s.scale) && s.scale > 2e36f && s.zero >= -1 && s.zero <= 0);
    assert_true(isfinite(w.scale) && w.zero == 0);
}

/* Zero is a step of a symmetric range, and the pixels of a picture in -1 ... 1 are as often rounded up as down. */
static void test_symmetric_range(void **unused) {
    (void)unused;
    for (float most = 0.25f; most < 300; most *= 1.37f) {
        const lc_steps s = lc_steps_over(LC_INT8, -most, most);
        assert_int_equal(s.zero, 0);
        assert_float_equal(s.scale * 127, most, most * 1e-6f);
    }
    const lc_steps s = lc_steps_over(LC_INT8, -1, 1);
    double sum = 0;
    for (int i = 0; i < 256; i++) {
        const double pixel = i / 127.5 - 1, error = pixel - s.scale * fmin(fmax(rint(pixel / s.scale) + s.zero, -128), 127);
        assert_true(fabs(error) <= s.scale * 0.5001);
        sum += error;
    }
    assert_true(fabs(sum / 256) < 0.01 * s.scale);
    assert_int_not_equal(lc_steps_over(LC_INT8, -1, 0.9f).zero, 0); /* all 255 steps otherwise */
}

/* ---- what is refused ------------------------------------------------------------------------------------------------------- */

static void test_refused(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *m = network(), *q;
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .recipe = "thrid=float"}, LC_ARGUMENT, &err));
    assert_non_null(strstr(err.message, "thrid"));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .recipe = "first"}, LC_ARGUMENT, &err));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .recipe = "first=int7"}, LC_NOT_FOUND, &err));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_FLOAT}, LC_ARGUMENT, &err));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .input_type = LC_INT16}, LC_ARGUMENT, &err));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_DYNAMIC, .input_type = LC_INT8}, LC_ARGUMENT, &err));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT4, .block = 33}, LC_ARGUMENT, &err));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .percentile = 20}, LC_ARGUMENT, &err));
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_FLOAT16, .only_integer = true}, LC_ARGUMENT, &err));
    assert_non_null(strstr(err.message, "float16"));
    assert_int_equal(lc_model_quantize(m, &(lc_quantize_options){.scheme = LC_SCHEME_INT8}, &q, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "samples"));
    assert_null(q);
    lc_model_destroy(m);

    lc_builder b;
    const int32_t x = begin(&b, &err), y = lc_build_op(&b, LC_OP_SIN, LC_TABLE_NONE, NULL, (int32_t[]){conv(&b, x, "c", 3, 4, 0)}, 1);
    m = finish(&b, x, y, &err);
    assert_null(quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .only_integer = true}, LC_UNSUPPORTED, &err));
    assert_non_null(strstr(err.message, "SIN"));
    q = quantized(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8}, LC_OK, &err); /* the rest is an integer model */
    assert_int_equal(in(q, node(q, LC_OP_SIN, 0), 0)->type, LC_FLOAT32);
    assert_true(difference(m, q) < 0.1);
    lc_model_destroy(q);
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int8),        cmocka_unit_test(test_types),          cmocka_unit_test(test_recipe),
        cmocka_unit_test(test_join),        cmocka_unit_test(test_loop),           cmocka_unit_test(test_steps),
        cmocka_unit_test(test_fine_output), cmocka_unit_test(test_old_runtime),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_wide_range),  cmocka_unit_test(test_symmetric_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
