/*
 * test_quant_weights.c: schemes that change weights alone (quant/weights.c): which integers and scales come out, which form each operator gets,
 * what a target runtime without that form gets instead, what is shared, and what stays float with which note.
 */
#include "quant/quant.h"

#include "ops/build.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct bench {
    lc_model *model;
    lc_builder b;
    lc_error err;
    lc_quant_report report;
    int32_t x;
} bench;

/* A model with the input x, float32 unless told. */
static void begin(bench *t, lc_dtype type, const int32_t *dims, int32_t rank) {
    *t = (bench){0};
    assert_int_equal(lc_model_new(NULL, &t->model, &t->err), LC_OK);
    lc_builder_init(&t->b, t->model, t->model->graphs[0], &t->err);
    t->x = lc_build_placeholder(&t->b, "x", type, dims, rank);
    assert_int_equal(lc_graph_add_input(t->b.graph, t->x, &t->err), LC_OK);
}

static void output(bench *t, int32_t tensor) {
    if (t->b.status) fail_msg("%s", t->err.message);
    assert_int_equal(lc_graph_add_output(t->b.graph, tensor, &t->err), LC_OK);
}

static int32_t constant(bench *t, const char *name, const int32_t *dims, int32_t rank, const float *values) {
    size_t n = 1;
    for (int32_t i = 0; i < rank; i++) n *= (size_t)dims[i];
    float *data = lc_build_data(&t->b, n * sizeof *data);
    memcpy(data, values, n * sizeof *data);
    return lc_build_const(&t->b, name, LC_FLOAT32, dims, rank, data, n * sizeof *data, true);
}

static int32_t dense(bench *t, const char *layer, int32_t x, int32_t w, int8_t activation) {
    const lc_FullyConnectedOptions o = {.fused_activation_function = activation};
    t->b.layer = layer;
    return lc_build_op(&t->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, (int32_t[]){x, w, LC_ABSENT}, 3);
}

static lc_status quantise(bench *t, lc_model *model, lc_quantize_options o, lc_error *err) {
    lc_arena arena = {0};
    lc_quant_job job = {.model = model, .options = &o, .report = &t->report, .err = err};
    lc_status status = lc_recipe_read(o.recipe, &arena, &job.recipe, err);
    if (status == LC_OK) status = lc_quant_weights_only(&job);
    lc_arena_deinit(&arena);
    return status;
}

static lc_graph *done(bench *t, lc_quantize_options o) {
    if (t->b.status) fail_msg("%s", t->err.message);
    if (quantise(t, t->model, o, &t->err)) fail_msg("%s", t->err.message);
    if (lc_model_check(t->model, &t->err)) fail_msg("%s", t->err.message);
    return t->model->graphs[0];
}

static void end(bench *t) {
    lc_arena_deinit(&t->report.arena);
    lc_model_destroy(t->model);
}

static const lc_tensor *in(const lc_graph *g, size_t node, uint32_t k) { return &g->tensors[g->nodes[node].inputs[k]]; }
static const lc_tensor *out(const lc_graph *g, size_t node) { return &g->tensors[g->nodes[node].outputs[0]]; }
static int32_t version(const lc_graph *g, size_t node) { return lc_op_version(g, &g->nodes[node]); }

/* The operators of the graph, "A B C". */
static void has_ops(const lc_graph *g, const char *want) {
    char text[512] = "";
    for (size_t i = 0; i < g->node_count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", lc_op_name(g->nodes[i].op));
    assert_string_equal(text, want);
}

static void has_scales(const lc_tensor *t, uint32_t n, const float *want, int32_t axis) {
    assert_non_null(t->quant);
    assert_int_equal(t->quant->scale.n, n);
    assert_int_equal(t->quant->zero_point.n, n);
    assert_int_equal(t->quant->quantized_dimension, axis);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(t->quant->scale.data[i] == want[i]);
        assert_int_equal(t->quant->zero_point.data[i], 0);
    }
}

static void has_note(const bench *t, const char *op, const char *reason) {
    for (size_t i = 0; i < t->report.floats.count; i++)
        if (strcmp(t->report.floats.items[i].op, op) == 0 && strcmp(t->report.floats.items[i].reason, reason) == 0) return;
    fail_msg("no note that %s: %s", op, reason);
}

/* Rows whose steps are 1/2 and 1/4. */
static const float two_rows[8] = {63.5f, -1, 10, -63.5f, 31.75f, 0.25f, -0.5f, 0};
static const lc_quantize_options dynamic = {.scheme = LC_SCHEME_DYNAMIC, .min_weights = 1};

static void begin_dense(bench *t, int8_t activation) {
    begin(t, LC_FLOAT32, (int32_t[]){-1, 4}, 2);
    output(t, dense(t, "fc", t->x, constant(t, "w", (int32_t[]){2, 4}, 2, two_rows), activation));
}

/* ---- dynamic -------------------------------------------------------------------------------------------------------- */

static void test_kernel(void **unused) {
    (void)unused;
    bench t;
    begin_dense(&t, LC_ActivationFunctionType_RELU);
    lc_graph *g = done(&t, dynamic);
    has_ops(g, "FULLY_CONNECTED");
    assert_int_equal(in(g, 0, 1)->type, LC_INT8);
    has_scales(in(g, 0, 1), 2, (float[]){0.5f, 0.25f}, 0);
    assert_memory_equal(in(g, 0, 1)->data, ((int8_t[]){127, -2, 20, -127, 127, 1, -2, 0}), 8);
    assert_true(*lc_op_asymmetric_inputs(&g->nodes[0]));
    assert_int_equal(version(g, 0), 12);
    assert_int_equal(g->tensor_count, 3); /* the float weights are gone */
    assert_int_equal(t.report.weights, 1);
    assert_int_equal(t.report.floats.count, 0);
    end(&t);
}

/* What a runtime does not know gives way to what it does. */
static void test_target(void **unused) {
    (void)unused;
    static const struct {
        uint32_t target;
        const char *ops;
        int32_t version;
        uint32_t scales;
        bool asymmetric;
    } cases[] = {{21700, "FULLY_CONNECTED", 12, 2, true},
                 {21600, "FULLY_CONNECTED", 9, 1, true},
                 {20200, "FULLY_CONNECTED", 3, 1, false},
                 {11400, "FULLY_CONNECTED", 3, 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench t;
        lc_quantize_options o = dynamic;
        begin_dense(&t, 0);
        o.target_runtime = cases[i].target;
        const lc_graph *g = done(&t, o);
        has_ops(g, cases[i].ops);
        assert_int_equal(version(g, 0), cases[i].version);
        assert_int_equal(in(g, 0, 1)->quant->scale.n, cases[i].scales);
        assert_int_equal(*lc_op_asymmetric_inputs(&g->nodes[0]), cases[i].asymmetric);
        end(&t);
    }
    bench t;
    lc_quantize_options o = dynamic;
    begin_dense(&t, 0);
    o.target_runtime = 11300;
    const lc_graph *g = done(&t, o);
    assert_int_equal(in(g, 0, 1)->type, LC_FLOAT32);
    assert_int_equal(t.report.weights, 0);
    has_note(&t, "FULLY_CONNECTED", "the target runtime does not know int8");
    end(&t);
}

static void test_front(void **unused) {
    (void)unused;
    bench t;
    lc_quantize_options o = dynamic;
    begin_dense(&t, 0);
    o.weights_only = true;
    const lc_graph *g = done(&t, o);
    has_ops(g, "DEQUANTIZE FULLY_CONNECTED");
    has_scales(in(g, 0, 0), 2, (float[]){0.5f, 0.25f}, 0);
    assert_ptr_equal(in(g, 1, 1), out(g, 0));
    assert_int_equal(out(g, 0)->type, LC_FLOAT32);
    assert_int_equal(version(g, 0), 5);
    assert_int_equal(version(g, 1), 1);
    end(&t);

    begin_dense(&t, 0);
    o.target_runtime = 20600; /* no scale a channel in DEQUANTIZE */
    g = done(&t, o);
    has_scales(in(g, 0, 0), 1, (float[]){0.5f}, 0);
    assert_int_equal(version(g, 0), 2);
    end(&t);
}

/* LiteRT's kernel for groups of channels reads a scale a channel also where there is one only. */
static void test_depthwise(void **unused) {
    (void)unused;
    float w[3 * 3 * 2];
    for (int i = 0; i < 18; i++) w[i] = i % 2 ? (float)i : -127;
    for (int whole = 0; whole < 2; whole++) {
        bench t;
        lc_quantize_options o = dynamic;
        begin(&t, LC_FLOAT32, (int32_t[]){1, 5, 5, 2}, 4);
        const lc_DepthwiseConv2DOptions c = {
            .stride_w = 1, .stride_h = 1, .depth_multiplier = 1, .dilation_w_factor = 1, .dilation_h_factor = 1};
        output(&t,
               lc_build_op(
                   &t.b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &c,
                   (int32_t[]){t.x, constant(&t, "w", (int32_t[]){1, 3, 3, 2}, 4, w), lc_build_floats(&t.b, "b", (float[2]){1, 2}, 2)}, 3));
        o.per_tensor = whole;
        o.min_weights = 3; /* the bias is no weight in any case; smaller it is */
        const lc_graph *g = done(&t, o);
        has_ops(g, whole ? "DEQUANTIZE DEPTHWISE_CONV_2D" : "DEPTHWISE_CONV_2D");
        has_scales(in(g, 0, !whole), whole ? 1 : 2, (float[]){1, 17.0f / 127}, whole ? 0 : 3);
        assert_int_equal(in(g, (size_t)whole, 2)->type, LC_FLOAT32);
        end(&t);
    }
}

static void test_gather(void **unused) {
    (void)unused;
    bench t;
    begin(&t, LC_INT32, (int32_t[]){-1, 3}, 2);
    const lc_GatherOptions o = {0};
    const int32_t table = constant(&t, "table", (int32_t[]){2, 4}, 2, two_rows);
    const int32_t y = lc_build_op(&t.b, LC_OP_GATHER, LC_TABLE_GatherOptions, &o, (int32_t[]){table, t.x}, 2);
    lc_build_rename(&t.b, y, "rows");
    output(&t, y);
    const lc_graph *g = done(&t, dynamic);
    has_ops(g, "GATHER DEQUANTIZE");
    assert_int_equal(in(g, 0, 0)->type, LC_INT8);
    assert_int_equal(out(g, 0)->type, LC_INT8);
    has_scales(out(g, 0), 1, (float[]){0.5f}, 0);
    assert_ptr_equal(in(g, 1, 0), out(g, 0));
    assert_string_equal(out(g, 1)->name.data, "rows");
    assert_ptr_equal(&g->tensors[g->outputs[0]], out(g, 1));
    end(&t);
}

/* One constant, three readers: the integers are made once, and the floats stay for who reads them. */
static void test_shared(void **unused) {
    (void)unused;
    bench t;
    begin(&t, LC_FLOAT32, (int32_t[]){-1, 4}, 2);
    const int32_t w = constant(&t, "w", (int32_t[]){2, 4}, 2, two_rows);
    output(&t, dense(&t, "one", t.x, w, 0));
    output(&t, dense(&t, "two", t.x, w, 0));
    output(&t, dense(&t, "keep", t.x, w, 0));
    lc_quantize_options o = dynamic;
    o.recipe = "keep=float";
    const lc_graph *g = done(&t, o);
    assert_ptr_equal(in(g, 0, 1), in(g, 1, 1));
    assert_int_equal(in(g, 0, 1)->type, LC_INT8);
    assert_int_equal(in(g, 2, 1)->type, LC_FLOAT32);
    assert_memory_equal(in(g, 2, 1)->data, two_rows, sizeof two_rows);
    assert_int_equal(t.report.weights, 2);
    end(&t);
}

static void test_left(void **unused) {
    (void)unused;
    bench t;
    float w[8];
    memcpy(w, two_rows, sizeof w);
    w[5] = INFINITY;
    begin(&t, LC_FLOAT32, (int32_t[]){-1, 4}, 2);
    output(&t, dense(&t, "infinite", t.x, constant(&t, "w", (int32_t[]){2, 4}, 2, w), 0));
    output(&t, lc_build_binary(&t.b, LC_OP_LESS, t.x, constant(&t, "limit", (int32_t[]){2, 4}, 2, two_rows), 0));
    const lc_graph *g = done(&t, dynamic);
    has_ops(g, "FULLY_CONNECTED LESS");
    assert_int_equal(in(g, 0, 1)->type, LC_FLOAT32);
    assert_int_equal(in(g, 1, 1)->type, LC_FLOAT32); /* what is compared is not rounded */
    has_note(&t, "FULLY_CONNECTED", "a constant holds infinity or NaN");
    end(&t);

    begin_dense(&t, 0);
    g = done(&t, (lc_quantize_options){.scheme = LC_SCHEME_DYNAMIC});
    assert_int_equal(in(g, 0, 1)->type, LC_FLOAT32);
    has_note(&t, "FULLY_CONNECTED", "it has few weights");
    end(&t);
}

/* What an operator adds or multiplies may be a position: it is no integer of 8 bits. A bias stays beside integer weights. */
static void test_others(void **unused) {
    (void)unused;
    bench t;
    begin(&t, LC_FLOAT32, (int32_t[]){2, 4}, 2);
    const int32_t w = constant(&t, "w", (int32_t[]){2, 4}, 2, two_rows);
    const int32_t y = lc_build_binary(&t.b, LC_OP_ADD, t.x, w, 0);
    const lc_FullyConnectedOptions fc = {0};
    output(&t, lc_build_op(&t.b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &fc,
                           (int32_t[]){y, w, lc_build_floats(&t.b, "bias", two_rows, 2)}, 3));
    const lc_graph *g = done(&t, dynamic);
    has_ops(g, "DEQUANTIZE ADD FULLY_CONNECTED");
    assert_int_equal(in(g, 0, 0)->type, LC_FLOAT16);
    assert_int_equal(in(g, 2, 1)->type, LC_INT8);
    assert_int_equal(in(g, 2, 2)->type, LC_FLOAT32);
    assert_int_equal(t.report.weights, 2);
    end(&t);
}

/* A cell's weights become integers all together, small ones too. */
static void make_lstm(bench *t, bool variable_weights) {
    enum { CELLS = 4, DEPTH = 2 };
    float w[CELLS * CELLS];
    for (int i = 0; i < CELLS * CELLS; i++) w[i] = (float)i - 7;
    begin(t, LC_FLOAT32, (int32_t[]){1, 3, DEPTH}, 3);
    int32_t slots[20];
    for (int i = 0; i < 20; i++) slots[i] = LC_ABSENT;
    slots[0] = t->x;
    for (int i = 1; i <= 4; i++) slots[i] = constant(t, "w", (int32_t[]){CELLS, DEPTH}, 2, w);
    for (int i = 5; i <= 8; i++) slots[i] = constant(t, "r", (int32_t[]){CELLS, CELLS}, 2, w);
    for (int i = 12; i <= 15; i++) slots[i] = lc_build_floats(&t->b, "b", w, CELLS);
    if (variable_weights) {
        slots[3] = lc_build_unary(&t->b, LC_OP_NEG, lc_build_placeholder(&t->b, "more", LC_FLOAT32, (int32_t[]){CELLS, DEPTH}, 2));
        assert_int_equal(lc_graph_add_input(t->b.graph, slots[3] - 1, &t->err), LC_OK);
    }
    for (int i = 18; i <= 19; i++) {
        slots[i] = lc_build_placeholder(&t->b, "state", LC_FLOAT32, (int32_t[]){1, CELLS}, 2);
        t->b.graph->tensors[slots[i]].is_variable = true;
    }
    const lc_UnidirectionalSequenceLSTMOptions o = {.fused_activation_function = LC_ActivationFunctionType_TANH};
    output(t, lc_build_op(&t->b, LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM, LC_TABLE_UnidirectionalSequenceLSTMOptions, &o, slots, 20));
}

static void test_cell(void **unused) {
    (void)unused;
    bench t;
    lc_quantize_options o = {.scheme = LC_SCHEME_DYNAMIC, .min_weights = 96}; /* so many in all */
    make_lstm(&t, false);
    const lc_graph *g = done(&t, o);
    for (uint32_t k = 1; k <= 8; k++) {
        assert_int_equal(in(g, 0, k)->type, LC_INT8);
        has_scales(in(g, 0, k), 1, (float[]){(k <= 4 ? 7.0f : 8.0f) / 127}, 0);
    }
    for (uint32_t k = 12; k <= 15; k++) assert_int_equal(in(g, 0, k)->type, LC_FLOAT32);
    assert_true(*lc_op_asymmetric_inputs(&g->nodes[0]));
    assert_int_equal(version(g, 0), 3);
    end(&t);

    make_lstm(&t, false);
    o.min_weights = 97;
    g = done(&t, o);
    assert_int_equal(in(g, 0, 1)->type, LC_FLOAT32);
    has_note(&t, "UNIDIRECTIONAL_SEQUENCE_LSTM", "it has few weights");
    end(&t);

    make_lstm(&t, true);
    o.min_weights = 1;
    g = done(&t, o);
    for (uint32_t k = 1; k <= 8; k++) assert_int_equal(in(g, 1, k)->type, LC_FLOAT32);
    has_note(&t, "UNIDIRECTIONAL_SEQUENCE_LSTM", "its weights are no constants");
    end(&t);
}

/* ---- float16 ------------------------------------------------------------------------------------------------------- */

static void test_halfs(void **unused) {
    (void)unused;
    bench t;
    enum { N = 64 };
    float w[N], large[N], tiny[N];
    for (int i = 0; i < N; i++) {
        w[i] = (float)i + 1.0f / 4096; /* the last bits do not fit from 2 on */
        large[i] = i == 40 ? 65520.0f : 1;
        tiny[i] = 1e-7f;
    }
    begin(&t, LC_FLOAT32, (int32_t[]){1, N}, 2);
    const int32_t a = constant(&t, "a", (int32_t[]){1, N}, 2, w);
    int32_t y = lc_build_binary(&t.b, LC_OP_ADD, t.x, a, 0);
    y = lc_build_binary(&t.b, LC_OP_MUL, y, a, 0);
    y = lc_build_binary(&t.b, LC_OP_SUB, y, constant(&t, "large", (int32_t[]){1, N}, 2, large), 0);
    y = lc_build_binary(&t.b, LC_OP_DIV, y, constant(&t, "tiny", (int32_t[]){1, N}, 2, tiny), 0);
    y = lc_build_binary(&t.b, LC_OP_MAXIMUM, y, lc_build_scalar(&t.b, "one", 1), 0);
    output(&t, y);
    const lc_graph *g = done(&t, (lc_quantize_options){.scheme = LC_SCHEME_FLOAT16});
    has_ops(g, "DEQUANTIZE ADD MUL SUB DIV MAXIMUM");
    assert_int_equal(in(g, 0, 0)->type, LC_FLOAT16);
    assert_null(in(g, 0, 0)->quant);
    assert_int_equal(in(g, 0, 0)->size, N * 2);
    const uint16_t *h = in(g, 0, 0)->data;
    assert_int_equal(h[0], 0x0c00); /* 2^-12 */
    assert_int_equal(h[1], 0x3c00); /* 1, 1/4096 is a quarter step */
    assert_int_equal(h[63], 0x53e0);
    assert_ptr_equal(in(g, 1, 1), out(g, 0));
    assert_ptr_equal(in(g, 2, 1), out(g, 0));
    assert_int_equal(t.report.weights, 2);
    has_note(&t, "SUB", "a constant is beyond the range of float16");
    has_note(&t, "DIV", "a constant is beyond the range of float16");
    assert_int_equal(t.report.floats.count, 2);
    end(&t);
}

/* ---- int4 ----------------------------------------------------------------------------------------------------------- */

static void test_int4(void **unused) {
    (void)unused;
    bench t;
    begin(&t, LC_FLOAT32, (int32_t[]){-1, 4}, 2);
    const float w[8] = {3.5f, -1, 0.5f, -3.5f, 7, 1, -2, 0};
    output(&t, dense(&t, "fc", t.x, constant(&t, "w", (int32_t[]){2, 4}, 2, w), 0));
    lc_quantize_options o = {.scheme = LC_SCHEME_INT4, .min_weights = 1};
    const lc_graph *g = done(&t, o);
    assert_int_equal(in(g, 0, 1)->type, LC_INT4);
    assert_int_equal(in(g, 0, 1)->size, 4);
    has_scales(in(g, 0, 1), 2, (float[]){0.5f, 1}, 0);
    assert_memory_equal(in(g, 0, 1)->data, ((uint8_t[]){0xe7, 0x91, 0x17, 0x0e}), 4);
    end(&t);

    /* trained for 4 bits, with none on the last step: the largest is 5 and 6 steps from 0, not 7 */
    begin(&t, LC_FLOAT32, (int32_t[]){-1, 4}, 2);
    const float few[8] = {1, 0.2f, -0.4f, 0.6f, -3, 1, 2, 0};
    output(&t, dense(&t, "fc", t.x, constant(&t, "w", (int32_t[]){2, 4}, 2, few), 0));
    g = done(&t, o);
    has_scales(in(g, 0, 1), 2, (float[]){1.0f / 5, 3.0f / 6}, 0);
    assert_memory_equal(in(g, 0, 1)->data, ((uint8_t[]){0x15, 0x3e, 0x2a, 0x04}), 4);
    end(&t);

    /* rows of an odd length: the next begins in the middle of a byte */
    begin(&t, LC_FLOAT32, (int32_t[]){-1, 3}, 2);
    output(&t, dense(&t, "fc", t.x, constant(&t, "w", (int32_t[]){2, 3}, 2, w), 0));
    g = done(&t, o);
    assert_int_equal(in(g, 0, 1)->type, LC_INT4);
    assert_memory_equal(in(g, 0, 1)->data, ((uint8_t[]){0xe7, 0xc1, 0x17}), 3);
    assert_int_equal(t.report.wider.count, 0);
    end(&t);

    begin_dense(&t, 0);
    o.target_runtime = 21700;
    g = done(&t, o);
    assert_int_equal(in(g, 0, 1)->type, LC_INT8);
    assert_int_equal(t.report.wider.count, 1);
    assert_string_equal(t.report.wider.items[0].reason, "int8: the target runtime does not know int4");
    end(&t);

    begin(&t, LC_INT32, (int32_t[]){2}, 1); /* the kernel of tables begins each row at a byte */
    output(&t,
           lc_build_op(&t.b, LC_OP_EMBEDDING_LOOKUP, LC_TABLE_NONE, NULL, (int32_t[]){t.x, constant(&t, "w", (int32_t[]){2, 3}, 2, w)}, 2));
    o.target_runtime = 0;
    g = done(&t, o);
    assert_int_equal(in(g, 0, 1)->type, LC_INT8);
    assert_string_equal(t.report.wider.items[0].reason, "int8: int4 wants rows of an even length");
    end(&t);
}

static void test_blocks(void **unused) {
    (void)unused;
    enum { UNITS = 4, DEPTH = 64, BLOCK = 32 };
    bench t;
    float w[UNITS * DEPTH];
    for (int i = 0; i < UNITS * DEPTH; i++) w[i] = (float)(i % 15 - 7) * (float)(1 << i / BLOCK) * 0.25f;
    begin(&t, LC_FLOAT32, (int32_t[]){-1, DEPTH}, 2);
    const int32_t y = dense(&t, "fc", t.x, constant(&t, "w", (int32_t[]){UNITS, DEPTH}, 2, w), LC_ActivationFunctionType_RELU6);
    lc_build_rename(&t.b, y, "y");
    output(&t, y);
    const lc_graph *g = done(&t, (lc_quantize_options){.scheme = LC_SCHEME_INT4, .min_weights = 1, .block = BLOCK});
    has_ops(g, "FULLY_CONNECTED RELU6"); /* the kernel for blocks leaves a fused one out */
    assert_int_equal(*lc_op_fused_act(&g->nodes[0]), LC_ActivationFunctionType_NONE);
    assert_string_equal(out(g, 1)->name.data, "y");
    const lc_tensor *q = in(g, 0, 1);
    assert_int_equal(q->type, LC_INT4);
    assert_int_equal(q->size, UNITS * DEPTH / 2);
    assert_int_equal(q->quant->scale.n, 0);
    assert_int_equal(q->quant->details.type, LC_QuantizationDetails_BlockwiseQuantization);
    const lc_BlockwiseQuantization *b = q->quant->details.value;
    assert_int_equal(b->block_size, BLOCK);
    const lc_tensor *scales = &g->tensors[b->scales]; /* at its place also now that the float weights are gone */
    assert_int_equal(scales->type, LC_FLOAT16);
    assert_int_equal(scales->dims[0], UNITS);
    assert_int_equal(scales->dims[1], DEPTH / BLOCK);
    const uint16_t *s = scales->data;
    for (int i = 0; i < UNITS * DEPTH / BLOCK; i++) assert_int_equal(s[i], 0x3400 + (i << 10)); /* 0.25, 0.5, 1 ... */
    for (int i = 0; i < UNITS * DEPTH; i++) {
        const int v = ((const uint8_t *)q->data)[i / 2] >> (i % 2 * 4) & 15;
        assert_int_equal(v >= 8 ? v - 16 : v, i % 15 - 7);
    }
    end(&t);
}

/* ---- memory --------------------------------------------------------------------------------------------------------- */

typedef struct work {
    lc_model *model;
    lc_quantize_options how;
} work;

static lc_status quantise_copy(void *arg, lc_error *err) {
    const work *w = arg;
    bench own = {0};
    lc_model *copy;
    LC_TRY(lc_model_fork(w->model, &copy, err));
    const lc_status status = quantise(&own, copy, w->how, err);
    lc_arena_deinit(&own.report.arena);
    lc_model_destroy(copy);
    return status;
}

static void test_memory(void **unused) {
    (void)unused;
    enum { UNITS = 4, DEPTH = 32 };
    float w[UNITS * DEPTH];
    for (int i = 0; i < UNITS * DEPTH; i++) w[i] = (float)(i % 9) - 4;
    static const lc_quantize_options how[] = {{.scheme = LC_SCHEME_DYNAMIC, .min_weights = 1},
                                              {.scheme = LC_SCHEME_INT4, .min_weights = 1, .block = 32, .recipe = "b=float16"}};
    for (size_t k = 0; k < sizeof how / sizeof *how; k++) {
        bench t;
        begin(&t, LC_FLOAT32, (int32_t[]){-1, DEPTH}, 2);
        int32_t y = dense(&t, "a", t.x, constant(&t, "w", (int32_t[]){UNITS, DEPTH}, 2, w), LC_ActivationFunctionType_RELU);
        output(&t, y);
        output(&t, lc_build_binary(&t.b, LC_OP_MUL, y, constant(&t, "m", (int32_t[]){2, UNITS}, 2, w), 0));
        y = dense(&t, "b", t.x, constant(&t, "v", (int32_t[]){UNITS, DEPTH}, 2, w), 0);
        output(&t, y);
        fault_check(quantise_copy, &(work){t.model, how[k]}, NULL);
        has_ops(t.model->graphs[0], "FULLY_CONNECTED MUL FULLY_CONNECTED"); /* the model it came from */
        assert_int_equal(in(t.model->graphs[0], 0, 1)->type, LC_FLOAT32);
        end(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernel),    cmocka_unit_test(test_target), cmocka_unit_test(test_front),
                                       cmocka_unit_test(test_depthwise), cmocka_unit_test(test_gather), cmocka_unit_test(test_shared),
                                       cmocka_unit_test(test_left),      cmocka_unit_test(test_others), cmocka_unit_test(test_cell),
                                       cmocka_unit_test(test_halfs),     cmocka_unit_test(test_int4),   cmocka_unit_test(test_blocks),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
