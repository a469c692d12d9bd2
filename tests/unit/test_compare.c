/*
 * test_compare.c: two models side by side: the figures against ones worked out by hand, tensors that find each other under other names, in
 * another order and behind QUANTIZE and DEQUANTIZE, what is not finite, models that do not fit, loops, weights by channel, the reports, and
 * every allocation failing.
 */
#include "api/compare.h"
#include "ops/build.h"
#include "support/fault.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TFLITE(name) LC_TEST_DIR "/data/tflite/" name ".tflite"
#define NONE LC_ActivationFunctionType_NONE

/* ---- models ----------------------------------------------------------------------------------------------------------- */

static lc_error err;

static lc_model *start(lc_builder *b) {
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(b, model, model->graphs[0], &err);
    return model;
}

static lc_model *finish(lc_builder *b, lc_model *model, int32_t x, int32_t y) {
    if (b->status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b->graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b->graph, y, &err), LC_OK);
    return model;
}

/* y = x w, 4 -> 3 numbers; w[j][i] = (i + j + 1) / 8 (+ change in w[0][0]). */
static lc_model *make_dense(const char *x_name, const char *y_name, float change) {
    lc_builder b;
    lc_model *model = start(&b);
    const int32_t x = lc_build_placeholder(&b, x_name, LC_FLOAT32, (int32_t[]){1, 4}, 2);
    float *w = lc_build_data(&b, 12 * sizeof *w);
    for (int j = 0; w && j < 3; j++)
        for (int i = 0; i < 4; i++) w[j * 4 + i] = (float)(i + j + 1) / 8 + (i + j == 0 ? change : 0);
    const int32_t in[] = {x, lc_build_const(&b, "kernel", LC_FLOAT32, (int32_t[]){3, 4}, 2, w, 12 * sizeof *w, true)};
    const int32_t y = lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 2);
    lc_build_rename(&b, y, y_name);
    return finish(&b, model, x, y);
}

static const lc_QuantizationParameters *steps(lc_model *m, float scale, int64_t zero) {
    lc_QuantizationParameters *q = lc_arena_alloc(&m->arena, sizeof *q);
    float *s = lc_arena_alloc(&m->arena, sizeof *s);
    int64_t *z = lc_arena_alloc(&m->arena, sizeof *z);
    *s = scale;
    *z = zero;
    q->scale.data = s, q->scale.n = 1;
    q->zero_point.data = z, q->zero_point.n = 1;
    return q;
}

/* relu(x) + abs(x), 8 numbers; as int8: QUANTIZE, and DEQUANTIZE behind it. Names and order of the branches differ. */
static lc_model *make_branches(bool integer, float scale) {
    lc_builder b;
    lc_model *model = start(&b);
    const int32_t x = lc_build_placeholder(&b, integer ? "serving_default_x:0" : "x", LC_FLOAT32, (int32_t[]){1, 8}, 2);
    if (!integer) {
        const int32_t relu = lc_build_unary(&b, LC_OP_RELU, x), size = lc_build_unary(&b, LC_OP_ABS, x);
        const int32_t y = lc_build_binary(&b, LC_OP_ADD, relu, size, NONE);
        lc_build_rename(&b, relu, "relu");
        lc_build_rename(&b, size, "size");
        lc_build_rename(&b, y, "total");
        return finish(&b, model, x, y);
    }
    /* declared by hand: builders know no steps */
    int32_t t[6];
    static const char *const names[] = {"tfl.quantize", "model/size/Abs", "model/relu/Relu;model/other", "sum_int8", "PartitionedCall:0"};
    for (int i = 0; i < 5; i++) {
        const lc_tensor proto = {.name = lc_str_of(names[i]),
                                 .type = i == 4 ? LC_FLOAT32 : LC_INT8,
                                 .rank = 2,
                                 .has_rank = true,
                                 .dims = (int32_t[]){1, 8},
                                 .quant = i == 4 ? NULL : steps(model, i == 3 ? 2 * scale : scale, 0)};
        assert_int_equal(lc_graph_add_tensor(b.graph, &proto, &t[i], &err), LC_OK);
    }
    static const struct {
        int32_t op, in[2], n, out;
    } nodes[] = {
        {LC_OP_QUANTIZE, {-1, 0}, 1, 0}, {LC_OP_ABS, {0, 0}, 1, 1},        {LC_OP_RELU, {0, 0}, 1, 2},
        {LC_OP_ADD, {1, 2}, 2, 3},       {LC_OP_DEQUANTIZE, {3, 0}, 1, 4},
    };
    static const lc_AddOptions add = {0};
    for (int i = 0; i < 5; i++) {
        const int32_t in[2] = {nodes[i].in[0] < 0 ? x : t[nodes[i].in[0]], t[nodes[i].in[1]]};
        assert_int_equal(lc_graph_add_node(b.graph, nodes[i].op, i == 3 ? LC_TABLE_AddOptions : LC_TABLE_NONE, i == 3 ? &add : NULL, in,
                                           (uint32_t)nodes[i].n, &t[nodes[i].out], 1, NULL, &err),
                         LC_OK);
    }
    return finish(&b, model, x, t[4]);
}

/* log(x): NaN for what is below zero. */
static lc_model *make_unary(int32_t op) {
    lc_builder b;
    lc_model *model = start(&b);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){1, 64}, 2);
    return finish(&b, model, x, lc_build_unary(&b, op, x));
}

static lc_comparison *compared(lc_model *a, lc_model *b, const lc_compare_options *how) {
    lc_comparison *c;
    if (lc_compare(a, b, NULL, how, &c, &err)) fail_msg("%s", err.message);
    lc_model_destroy(a);
    lc_model_destroy(b);
    return c;
}

static const lc_compared *row(const lc_comparison *c, const char *name_a) {
    for (size_t i = 0; i < c->tensor_count; i++)
        if (strcmp(c->tensors[i].name_a, name_a) == 0) return &c->tensors[i];
    fail_msg("no tensor %s", name_a);
    return NULL;
}

static char *report(const lc_comparison *c, lc_compare_format format) {
    char *text = NULL;
    if (lc_comparison_report(c, format, 0, &text, &err)) fail_msg("%s", err.message);
    return text;
}

/* ---- figures ------------------------------------------------------------------------------------------------------------- */

static void test_sums(void **unused) {
    (void)unused;
    const double a[] = {3, 4, -2, (double)NAN, (double)INFINITY, 1, (double)NAN},
                 b[] = {3, 5, -4, (double)NAN, (double)INFINITY, (double)NAN, 1};
    lc_cmp_sums all = {0}, parts = {0}, one = {0};
    lc_cmp_sums_add(&all, a, b, 7);
    lc_cmp_sums_add(&parts, a, b, 2);
    lc_cmp_sums_add(&one, a + 2, b + 2, 5);
    lc_cmp_sums_join(&parts, &one);
    assert_memory_equal(&all, &parts, sizeof all);
    const lc_difference d = lc_cmp_difference(&all); /* errors 0, 1, -2 */
    assert_int_equal(d.count, 3);
    assert_int_equal(d.bad_a, 3);
    assert_int_equal(d.bad_b, 3);
    assert_int_equal(d.bad_apart, 2);
    assert_float_equal(d.mean_error, -1.0 / 3, 1e-12);
    assert_float_equal(d.mean_abs_error, 1, 1e-12);
    assert_float_equal(d.max_abs_error, 2, 0);
    assert_float_equal(d.mean_squared_error, 5.0 / 3, 1e-12);
    assert_float_equal(d.stddev, sqrt(5.0 / 3 - 1.0 / 9), 1e-12);
    assert_float_equal(d.snr, 10 * log10(29.0 / 5), 1e-12);
    assert_float_equal(d.cosine, (9 + 20 + 8) / sqrt(29.0 * 50), 1e-12);
    assert_float_equal(d.low_a, -2, 0);
    assert_float_equal(d.high_b, 5, 0);
}

static void test_reals(void **unused) {
    (void)unused;
    const uint8_t packed[] = {0x21, 0x8f}; /* 1, 2, -1, -8 */
    const float scales[] = {1, 10};
    const int64_t zeros[] = {0, 1};
    double out[4];
    lc_cmp_reals(LC_INT4, packed, &(lc_cmp_steps){.scale = scales, .zero = zeros, .n = 2, .zero_n = 2, .inner = 1, .channels = 2}, 0, 4,
                 out);
    const double want[] = {1, 10, -1, -90};
    for (int i = 0; i < 4; i++) assert_float_equal(out[i], want[i], 0);
    lc_cmp_reals(LC_INT4, packed, NULL, 3, 1, out);
    assert_float_equal(out[0], -8, 0);
}

/* Every number type takes a number and gives it back, ends saturate. */
static void test_write(void **unused) {
    (void)unused;
    static const lc_dtype types[] = {LC_FLOAT32, LC_FLOAT64, LC_FLOAT16, LC_BFLOAT16, LC_INT8,   LC_UINT8, LC_INT16,
                                     LC_UINT16,  LC_INT32,   LC_UINT32,  LC_INT64,    LC_UINT64, LC_BOOL};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        uint64_t room[2] = {0, 0};
        double back;
        const lc_tensor_view v = {.type = types[i], .data = room};
        assert_true(lc_cmp_write(&v, 1, 1, &(double){1}));
        lc_cmp_reals(types[i], room, NULL, 1, 1, &back);
        assert_float_equal(back, 1, 0);
    }
    int8_t q[4];
    const lc_tensor_view v = {.type = LC_INT8, .data = q, .scale = 0.5f, .zero_point = 10};
    assert_true(lc_cmp_write(&v, 0, 4, (double[]){0.25, 1000, -1000, (double)NAN}));
    assert_int_equal(q[0], 10); /* 10.5: to even */
    assert_int_equal(q[1], 127);
    assert_int_equal(q[2], -128);
    assert_int_equal(q[3], -128);
    assert_false(lc_cmp_write(&(lc_tensor_view){.type = LC_STRING}, 0, 0, NULL));
}

/* ---- what belongs together ------------------------------------------------------------------------------------------------- */

static void test_equal(void **unused) {
    (void)unused;
    const double zero = 0;
    lc_comparison *c =
        compared(make_dense("x", "y", 0), make_dense("serving_x:0", "model/y/MatMul;other", 0), &(lc_compare_options){.tolerance = &zero});
    assert_true(c->agree);
    assert_float_equal(c->apart, 0, 0);
    assert_int_equal(c->samples, 8);
    assert_true(c->random);
    assert_int_equal(c->output_count, 1);
    assert_int_equal(c->outputs[0].rows, 8);
    assert_int_equal(c->outputs[0].same_top, 8);
    assert_int_equal(c->tensor_count, 3);
    assert_int_equal(c->only_a_count + c->only_b_count, 0);
    assert_true(isinf(row(c, "kernel")->total.snr));
    char *text = report(c, LC_COMPARE_TEXT);
    assert_non_null(strstr(text, "the outputs agree within 0: they are equal (8 samples of made-up numbers)"));
    assert_non_null(strstr(text, "weights: 1 of 1 are equal"));
    lc_free(text);
    lc_comparison_destroy(c);
}

/* One weight is 1 too large: y[0] is off by x[0], all else is right. */
static void test_one_weight(void **unused) {
    (void)unused;
    const double tolerance = 1e-3;
    lc_comparison *c =
        compared(make_dense("x", "y", 0), make_dense("x", "y", 1), &(lc_compare_options){.samples = 500, .tolerance = &tolerance});
    const lc_compared *w = row(c, "kernel"), *y = row(c, "y");
    assert_false(c->agree);
    assert_int_equal(c->samples, 500);
    assert_float_equal(w->total.max_abs_error, 1, 1e-6);
    assert_float_equal(w->total.mean_error, 1.0 / 12, 1e-6);
    assert_string_equal(w->input_op, "FULLY_CONNECTED");
    assert_float_equal(y->total.mean_squared_error, 1.0 / 3 / 3, 0.02); /* x is spread evenly from -1 to 1: its mean square is 1/3 */
    assert_true(y->has_local);
    assert_float_equal(y->total.snr, y->local.snr, 1e-9); /* its input is exact, so all error is its own */
    assert_true(isinf(y->snr_in));
    assert_float_equal(y->run_elements, 3, 0);
    assert_float_equal(y->run_mean_squared_error, y->total.mean_squared_error, 1e-9); /* runs of one size */
    char *text = report(c, LC_COMPARE_TEXT);
    assert_non_null(strstr(text, "the outputs do not agree within 0.001"));
    assert_non_null(strstr(text, "The first tensor that differs is y (FULLY_CONNECTED)"));
    lc_free(text);
    lc_comparison_destroy(c);
}

static void test_integer(void **unused) {
    (void)unused;
    lc_comparison *c = compared(make_branches(false, 0), make_branches(true, 1.0f / 127), &(lc_compare_options){.samples = 400});
    const lc_compared *x = row(c, "x"), *relu = row(c, "relu"), *size = row(c, "size"), *y = row(c, "total");
    assert_int_equal(c->tensor_count, 4);
    assert_string_equal(x->name_b, "tfl.quantize");
    assert_string_equal(relu->name_b, "model/relu/Relu;model/other");
    assert_string_equal(size->name_b, "model/size/Abs");
    assert_string_equal(y->name_b, "sum_int8");
    assert_int_equal(y->type_b, LC_INT8);
    assert_int_equal(c->outputs[0].type_b, LC_FLOAT32);
    assert_float_equal(x->rmse_steps, sqrt(1.0 / 12), 0.02);
    assert_float_equal(x->total.max_abs_error, 0.5 / 127, 1e-3);
    assert_float_equal(x->used, 1, 0.03);
    assert_float_equal(relu->used, 0.5, 0.03); /* int8 around 0: the lower half is of no use */
    assert_true(relu->keeps_steps);
    assert_false(y->keeps_steps);
    assert_float_equal(x->cut_low + x->cut_high, 0, 0);
    /* A's input on B's steps, then B's operator: for ABS exactly what B computes by itself. */
    assert_true(size->has_local);
    assert_float_equal(size->local.snr, size->total.snr, 1e-9);
    assert_float_equal(size->local.max_abs_error, size->total.max_abs_error, 0);
    assert_true(y->local.snr > 30);
    uint64_t in_bins = 0;
    for (int i = 0; i < LC_COMPARE_BINS; i++) in_bins += x->bins_b[i];
    assert_int_equal(in_bins, 400 * 8);
    lc_comparison_destroy(c);
}

/* Samples of the caller: index / 8 in [-1, 1). */
static lc_status ramp(void *user, uint64_t index, lc_session *session, bool *end, lc_error *e) {
    (void)user;
    (void)e;
    *end = index >= 16;
    for (int i = 0; i < 8 && !*end; i++) ((float *)lc_session_input(session, 0).data)[i] = (float)((int)(index * 8) + i - 64) / 64;
    return LC_OK;
}

/* Steps that end at 0.5 when values go to 1. */
static void test_cut(void **unused) {
    (void)unused;
    lc_model *a = make_branches(false, 0), *b = make_branches(true, 0.5f / 127);
    lc_data *data;
    lc_comparison *c;
    assert_int_equal(lc_data_from(ramp, NULL, &data, &err), LC_OK);
    if (lc_compare(a, b, data, NULL, &c, &err)) fail_msg("%s", err.message);
    lc_data_close(data);
    assert_int_equal(c->samples, 16);
    assert_false(c->random);
    const lc_compared *x = row(c, "x"), *size = row(c, "size");
    assert_float_equal(x->cut_high, 31.0 / 128, 1e-9); /* 33/64 ... 63/64 */
    assert_float_equal(x->cut_low, 32.0 / 128, 1e-9);  /* -1 ... -33/64 */
    assert_float_equal(x->at_high, 32.0 / 128, 1e-9);  /* and 32/64 */
    assert_float_equal(size->cut_high, 63.0 / 128, 1.5 / 128);
    char *text = report(c, LC_COMPARE_TEXT);
    assert_non_null(strstr(text, "lie beyond its steps"));
    assert_non_null(strstr(text, "same largest"));
    lc_free(text);
    lc_comparison_destroy(c);
    lc_model_destroy(a);
    lc_model_destroy(b);
}

static void test_not_finite(void **unused) {
    (void)unused;
    lc_comparison *c = compared(make_unary(LC_OP_LOG), make_unary(LC_OP_LOG), NULL);
    assert_true(c->agree);
    assert_true(c->outputs[0].total.bad_a > 100); /* of 512 */
    assert_int_equal(c->outputs[0].total.bad_a, c->outputs[0].total.bad_b);
    assert_int_equal(c->outputs[0].total.bad_apart, 0);
    lc_comparison_destroy(c);
    const double tolerance = 1e9;
    c = compared(make_unary(LC_OP_ABS), make_unary(LC_OP_LOG), &(lc_compare_options){.tolerance = &tolerance});
    assert_false(c->agree);
    assert_true(isinf(c->apart));
    char *text = report(c, LC_COMPARE_TEXT);
    assert_non_null(strstr(text, "the outputs differ: NaN or infinite values of one are not in the other"));
    assert_non_null(strstr(text, "NaN or infinite: 0 values in A"));
    lc_free(text);
    lc_comparison_destroy(c);
}

static lc_model *opened(const char *path) {
    lc_model *m;
    if (lc_model_open(path, NULL, &m, &err)) fail_msg("%s", err.message);
    return m;
}

static void test_loop(void **unused) {
    (void)unused;
    lc_comparison *c = compared(opened(TFLITE("if_while")), opened(TFLITE("if_while")), NULL);
    assert_true(row(c, "while/mul")->graph_b > 0);
    assert_true(row(c, "while/mul")->runs > 0);
    assert_float_equal(c->apart, 0, 0);
    lc_comparison_destroy(c);
}

static void test_strings(void **unused) {
    (void)unused;
    lc_comparison *c = compared(opened(TFLITE("strings")), opened(TFLITE("strings")), NULL);
    assert_int_equal(c->outputs[0].type_a, LC_STRING);
    assert_true(c->outputs[0].total.count > 0);
    assert_true(c->agree);
    lc_comparison_destroy(c);
}

static void test_refuses(void **unused) {
    (void)unused;
    lc_model *dense = make_dense("x", "y", 0), *log = make_unary(LC_OP_LOG), *loop = opened(TFLITE("if_while"));
    lc_comparison *c = (lc_comparison *)&c;
    assert_int_equal(lc_compare(dense, NULL, NULL, NULL, &c, &err), LC_ARGUMENT);
    assert_null(c);
    assert_int_equal(lc_compare(dense, log, NULL, NULL, &c, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "input \"x\" float32[1,4] beside \"x\" float32[1,64]"));
    assert_int_equal(lc_compare(dense, loop, NULL, NULL, &c, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "1 input beside 2"));
    assert_int_equal(lc_compare(dense, dense, NULL, &(lc_compare_options){.signature = "no"}, &c, &err), LC_NOT_FOUND);
    assert_int_equal(lc_comparison_report(NULL, LC_COMPARE_TEXT, 0, &(char *){0}, &err), LC_ARGUMENT);
    lc_comparison_destroy(NULL);
    lc_model_destroy(dense);
    lc_model_destroy(log);
    lc_model_destroy(loop);
}

/* A window of 2 over pictures of any size: at the size 1 that open dimensions are saved with it cannot run. */
static void test_open_shapes(void **unused) {
    (void)unused;
    lc_builder b;
    lc_model *m = start(&b);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, -1, -1, 1}, 4);
    const lc_Pool2DOptions pool = {.padding = LC_Padding_VALID, .stride_w = 2, .stride_h = 2, .filter_width = 2, .filter_height = 2};
    finish(&b, m, x, lc_build_op(&b, LC_OP_MAX_POOL_2D, LC_TABLE_Pool2DOptions, &pool, &x, 1));
    lc_comparison *c;
    assert_int_not_equal(lc_compare(m, m, NULL, NULL, &c, &err), LC_OK);
    assert_null(c);
    assert_non_null(strstr(err.hint, "--data"));
    lc_model_destroy(m);

    /* the second one cannot run at the size that the first one can, although its inputs have that size */
    lc_model *pair[2];
    for (int i = 0; i < 2; i++) {
        pair[i] = start(&b);
        const int32_t in = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, 4}, 2);
        finish(&b, pair[i], in, i ? lc_build_reshape(&b, in, (int32_t[]){-1, 8}, 2) : lc_build_unary(&b, LC_OP_RELU, in));
    }
    assert_int_not_equal(lc_compare(pair[0], pair[1], NULL, NULL, &c, &err), LC_OK);
    assert_null(c);
    assert_non_null(strstr(err.message, "RESHAPE"));
    lc_model_destroy(pair[0]);
    lc_model_destroy(pair[1]);
}

/* (x + 1) - |x| and |x| + (x + 1), outputs p and q; `turned`: operators, operands and outputs the other way round, names made longer. */
static lc_model *make_two(bool turned) {
    lc_builder b;
    lc_model *m = start(&b);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){1, 6}, 2);
    const int32_t size = turned ? lc_build_unary(&b, LC_OP_ABS, x) : -1;
    const int32_t more = lc_build_with_scalar(&b, LC_OP_ADD, x, "one", 1);
    const int32_t abs = turned ? size : lc_build_unary(&b, LC_OP_ABS, x);
    const int32_t p = lc_build_binary(&b, LC_OP_SUB, more, abs, NONE);
    const int32_t q = lc_build_binary(&b, LC_OP_ADD, turned ? more : abs, turned ? abs : more, NONE);
    lc_build_rename(&b, more, turned ? "T0" : "more");
    lc_build_rename(&b, abs, turned ? "T1" : "size");
    lc_build_rename(&b, p, "p");
    lc_build_rename(&b, q, "q");
    finish(&b, m, x, turned ? q : p);
    assert_int_equal(lc_graph_add_output(b.graph, turned ? p : q, &err), LC_OK);
    return m;
}

static void test_order(void **unused) {
    (void)unused;
    lc_comparison *c = compared(make_two(false), make_two(true), NULL);
    assert_float_equal(c->apart, 0, 0);
    assert_string_equal(row(c, "more")->name_b, "T0");
    assert_string_equal(row(c, "size")->name_b, "T1");
    assert_true(isinf(row(c, "q")->local.snr));
    lc_comparison_destroy(c);
}

/* ---- reports ------------------------------------------------------------------------------------------------------------------ */

static void test_reports(void **unused) {
    (void)unused;
    lc_model *a = opened(TFLITE("conv_float")), *b = opened(TFLITE("conv_int8"));
    lc_comparison *c = compared(a, b, &(lc_compare_options){.name_a = "a<b>", .name_b = "\"b\"\x01"});
    const lc_compared *w = NULL;
    for (size_t i = 0; i < c->tensor_count; i++)
        if (c->tensors[i].constant && c->tensors[i].channel >= 0) w = &c->tensors[i];
    assert_non_null(w); /* weights with a scale for each channel */
    assert_true(w->channel_snr <= w->total.snr + 1e-9);
    char *json = report(c, LC_COMPARE_JSON), *csv = report(c, LC_COMPARE_CSV), *html = report(c, LC_COMPARE_HTML);
    json_error_t why;
    json_t *root = json_loads(json, 0, &why);
    if (!root) fail_msg("%s", why.text);
    assert_int_equal(json_array_size(json_object_get(root, "tensors")), c->tensor_count);
    assert_float_equal(json_real_value(json_object_get(root, "apart")), c->apart, 1e-6);
    const json_t *first = json_array_get(json_object_get(root, "tensors"), 1);
    assert_float_equal(json_real_value(json_object_get(first, "snr_db")), c->tensors[1].total.snr, 1e-4);
    json_decref(root);
    assert_memory_equal(
        csv, "op_name,tensor_idx,num_elements,stddev,mean_error,max_abs_error,mean_squared_error,scale,zero_point,tensor_name,", 105);
    size_t lines = 0, columns = 1, head = 1;
    for (const char *p = csv; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, c->tensor_count + 1);
    for (const char *p = csv; *p != '\n'; p++) head += *p == ',';
    bool quoted = false;
    const size_t second = strcspn(csv, "\n") + 1;
    for (size_t i = second; csv[i] != '\n'; i++) {
        quoted ^= csv[i] == '"';
        columns += csv[i] == ',' && !quoted;
    }
    assert_int_equal(columns, head);
    assert_non_null(strstr(html, "a&lt;b&gt;"));
    assert_non_null(strstr(html, "&quot;b&quot;\\x01"));
    assert_null(strstr(html, "a<b>"));
    assert_null(strstr(html, "http"));
    assert_null(strstr(html, "nan"));
    lc_free(json);
    lc_free(csv);
    lc_free(html);
    lc_comparison_destroy(c);
}

/* ---- memory --------------------------------------------------------------------------------------------------------------------- */

static lc_status life(void *unused, lc_error *e) {
    (void)unused;
    lc_model *a = NULL, *b = NULL;
    lc_comparison *c = NULL;
    lc_status status = lc_model_open(TFLITE("conv_float"), NULL, &a, e);
    if (status == LC_OK) status = lc_model_open(TFLITE("conv_int8"), NULL, &b, e);
    if (status == LC_OK) status = lc_compare(a, b, NULL, &(lc_compare_options){.samples = 1}, &c, e);
    for (int format = 0; format < 4 && status == LC_OK; format++) {
        char *text = NULL;
        status = lc_comparison_report(c, (lc_compare_format)format, 0, &text, e);
        lc_free(text);
    }
    lc_comparison_destroy(c);
    lc_model_destroy(a);
    lc_model_destroy(b);
    return status;
}

static void test_allocation_failures(void **unused) {
    (void)unused;
    fault_check(life, NULL, &(fault_options){.step = 3});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),    cmocka_unit_test(test_reals),      cmocka_unit_test(test_write),
        cmocka_unit_test(test_equal),   cmocka_unit_test(test_one_weight), cmocka_unit_test(test_integer),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_not_finite), cmocka_unit_test(test_loop),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_refuses),    cmocka_unit_test(test_open_shapes),
        cmocka_unit_test(test_order),   cmocka_unit_test(test_reports),    cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
