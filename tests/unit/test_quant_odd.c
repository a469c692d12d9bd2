/*
 * test_quant_odd.c: quantisation at its ends: constants far from the data beside them, operators with several outputs, kernels that take the
 * integer 0 for zero, numbers that are no numbers, too large or all nothing, models with nothing to do, and memory that runs out.
 */
#include "ir/ir.h"
#include "litec/litec.h"

#include "ops/build.h"
#include "ops/op.h"
#include "support/fault.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 8 };

typedef struct graph {
    lc_builder b;
    lc_error err;
    lc_model *model;
    int32_t x;
} graph;

static void begin(graph *g) {
    assert_int_equal(lc_model_new(NULL, &g->model, &g->err), LC_OK);
    lc_builder_init(&g->b, g->model, g->model->graphs[0], &g->err);
    g->x = lc_build_placeholder(&g->b, "x", LC_FLOAT32, (int32_t[]){1, SIZE}, 2);
    assert_int_equal(lc_graph_add_input(g->b.graph, g->x, &g->err), LC_OK);
}

static void output(graph *g, int32_t y) {
    if (g->b.status != LC_OK) fail_msg("%s", g->err.message);
    assert_int_equal(lc_graph_add_output(g->b.graph, y, &g->err), LC_OK);
}

static int32_t matrix(graph *g, const float w[SIZE * SIZE]) {
    float *copy = lc_build_data(&g->b, SIZE * SIZE * sizeof *w);
    assert_non_null(copy);
    memcpy(copy, w, SIZE * SIZE * sizeof *w);
    return lc_build_const(&g->b, "w", LC_FLOAT32, (int32_t[]){SIZE, SIZE}, 2, copy, SIZE * SIZE * sizeof *w, true);
}

/* x times weights of `weight`, and a bias of `bias`, everywhere but for the first of each. */
static int32_t dense(graph *g, float weight, float first, float bias) {
    float w[SIZE * SIZE], b[SIZE];
    for (int i = 0; i < SIZE * SIZE; i++) w[i] = weight;
    for (int i = 0; i < SIZE; i++) b[i] = bias;
    w[0] = first;
    const int32_t in[] = {g->x, matrix(g, w), lc_build_floats(&g->b, "b", b, SIZE)};
    return lc_build_op(&g->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3);
}

/* ---- samples: from -reach to reach ------------------------------------------------------------------------------------------- */

enum { SAMPLES = 4 };

static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    const float reach = *(const float *)user;
    (void)err;
    *end = index >= SAMPLES;
    for (size_t k = 0; !*end && k < lc_session_input_count(session); k++) {
        const lc_tensor_view in = lc_session_input(session, k);
        const size_t n = in.size / sizeof(float);
        for (size_t i = 0; i < n; i++) ((float *)in.data)[i] = n > 1 ? reach * ((float)((i + index) % n) * 2 / (float)(n - 1) - 1) : reach;
    }
    return LC_OK;
}

static bool per_tensor;

static lc_status quantise(lc_model *model, lc_scheme scheme, float reach, bool only, lc_model **q, char **report, lc_error *err) {
    lc_data *data = NULL;
    lc_quantize_report *r = NULL;
    LC_TRY(lc_data_from(fill, &reach, &data, err));
    const lc_quantize_options how = {
        .scheme = scheme, .only_integer = only, .per_tensor = per_tensor, .data = &data, .data_count = 1, .threads = 1, .report = &r};
    const lc_status status = lc_model_quantize(model, &how, q, err);
    lc_data_close(data);
    if (status == LC_OK && report) assert_non_null(*report = strdup(lc_quantize_report_text(r)));
    lc_quantize_report_destroy(r);
    return status;
}

/* Quantises, runs the result, and gives the largest error of the outputs over the samples. */
static double error_of(graph *g, lc_scheme scheme, float reach, lc_model **q) {
    lc_session *s[2];
    double most = 0;
    if (quantise(g->model, scheme, reach, false, q, NULL, &g->err)) fail_msg("%s", g->err.message);
    assert_int_equal(lc_model_check(*q, &g->err), LC_OK);
    assert_int_equal(lc_session_create(g->model, NULL, &s[0], &g->err), LC_OK);
    assert_int_equal(lc_session_create(*q, NULL, &s[1], &g->err), LC_OK);
    for (uint64_t i = 0; i < SAMPLES; i++) {
        bool end;
        for (int k = 0; k < 2; k++) {
            assert_int_equal(fill(&reach, i, s[k], &end, &g->err), LC_OK);
            assert_int_equal(lc_session_run(s[k], &g->err), LC_OK);
        }
        for (size_t o = 0; o < lc_session_output_count(s[0]); o++) {
            const lc_tensor_view a = lc_session_output(s[0], o), b = lc_session_output(s[1], o);
            assert_int_equal(a.size, b.size);
            if (a.type == LC_BOOL) most += memcmp(a.data, b.data, a.size) != 0;
            for (size_t e = 0; a.type == LC_FLOAT32 && e < a.size / sizeof(float); e++)
                most = fmax(most, fabs((double)((const float *)a.data)[e] - (double)((const float *)b.data)[e]));
        }
    }
    lc_session_destroy(s[0]);
    lc_session_destroy(s[1]);
    return most;
}

static void end(graph *g, lc_model *q) {
    lc_model_destroy(q);
    lc_model_destroy(g->model);
}

static const lc_node *node(const lc_model *m, int32_t op) {
    const lc_graph *g = m->graphs[0];
    for (size_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].op == op) return &g->nodes[i];
    fail_msg("no operator %s", lc_op_name(op));
    return NULL;
}

static void steps(const lc_model *m, int32_t tensor, float *scale, int64_t *zero) {
    lc_tensor_scale(&m->graphs[0]->tensors[tensor], scale, zero);
    assert_true(*scale > 0);
}

/* ---- operators ------------------------------------------------------------------------------------------------------------------- */

/* What a constant beside the data adds to the output is in its steps. */
static void test_constant_operand(void **unused) {
    (void)unused;
    float far[SIZE] = {0, 9};
    graph g;
    lc_model *q;
    begin(&g);
    output(&g, lc_build_binary(&g.b, LC_OP_MAXIMUM, g.x, lc_build_floats(&g.b, "far", far, SIZE), 0));
    assert_true(error_of(&g, LC_SCHEME_INT8, 1, &q) < 0.04);
    end(&g, q);
    /* but the lowest float is cut: nothing else would be left */
    begin(&g);
    const int32_t in[] = {g.x, lc_build_int_matrix(&g.b, "p", (int32_t[]){0, 0, 1, 0}, 2, 2), lc_build_scalar(&g.b, "low", -FLT_MAX)};
    const int32_t y = lc_build_op(&g.b, LC_OP_PADV2, LC_TABLE_PadV2Options, NULL, in, 3);
    output(&g, lc_build_reduce(&g.b, LC_OP_REDUCE_MAX, y, (int32_t[]){1}, 1, false));
    assert_true(error_of(&g, LC_SCHEME_INT8, 1, &q) < 0.01);
    end(&g, q);
}

static int count(const lc_model *m, int32_t op) {
    int n = 0;
    for (size_t i = 0; i < m->graphs[0]->node_count; i++) n += m->graphs[0]->nodes[i].op == op;
    return n;
}

/* What has no integer form becomes operators that have one; not where a constant has no reciprocal, nor where a layer is to be a float. */
static void test_parts(void **unused) {
    (void)unused;
    const float by[SIZE] = {1, 2, -4, 0.5f, 8, 10, 0.125f, 3}, zero[SIZE] = {1, 0, 1, 1, 1, 1, 1, 1};
    graph g;
    lc_model *q;
    for (int k = 0; k < 3; k++) { /* int8, int16x8; a constant with a zero */
        begin(&g);
        const int32_t d = lc_build_floats(&g.b, "by", k == 2 ? zero : by, SIZE);
        const int32_t y = lc_build_binary(&g.b, LC_OP_DIV, lc_build_unary(&g.b, LC_OP_TANH, g.x), d, LC_ActivationFunctionType_RELU6);
        output(&g, lc_build_binary(&g.b, LC_OP_MINIMUM, y, lc_build_scalar(&g.b, "most", 8), 0));
        const double error = error_of(&g, k == 1 ? LC_SCHEME_INT16X8 : LC_SCHEME_INT8, 1, &q);
        assert_true(error < (k == 1 ? 0.001 : 0.1));
        assert_int_equal(count(q, LC_OP_DIV), k == 2);
        end(&g, q);
    }
    for (int wide = 0; wide < 2; wide++) {
        begin(&g);
        const int32_t r = lc_build_unary(&g.b, LC_OP_TANH, g.x),
                      t = lc_build_op(&g.b, LC_OP_SQUARED_DIFFERENCE, LC_TABLE_NONE, NULL, (int32_t[]){g.x, r}, 2);
        output(&g, lc_build_binary(&g.b, LC_OP_ADD, t, r, 0));
        assert_true(error_of(&g, wide ? LC_SCHEME_INT16X8 : LC_SCHEME_INT8, 2, &q) < (wide ? 0.001 : 0.05));
        assert_int_equal(count(q, LC_OP_SQUARED_DIFFERENCE), !wide);
        assert_int_equal(count(q, LC_OP_SUB), wide);
        end(&g, q);
    }
}

/* All outputs of SPLIT have the steps of its input, which is kept as a float, also when a reader of one asks for wider ones. */
static void test_split(void **unused) {
    (void)unused;
    graph g;
    lc_model *q;
    int32_t half[2];
    float far[SIZE / 2] = {1.2f};
    begin(&g);
    const int32_t in[] = {lc_build_ints(&g.b, "axis", (int32_t[]){1}, 1), g.x};
    assert_true(lc_build_op_multi(&g.b, LC_OP_SPLIT, LC_TABLE_SplitOptions, &(lc_SplitOptions){.num_splits = 2}, in, 2, half, 2));
    output(&g, lc_build_binary(&g.b, LC_OP_MAXIMUM, half[0], lc_build_floats(&g.b, "far", far, SIZE / 2), 0));
    output(&g, lc_build_binary(&g.b, LC_OP_SUB, half[0], half[1], 0));
    assert_true(error_of(&g, LC_SCHEME_INT8, 1, &q) < 0.04);
    const lc_node *split = node(q, LC_OP_SPLIT);
    float s, t;
    int64_t y, z;
    steps(q, split->inputs[1], &s, &y);
    for (int i = 0; i < 2; i++) {
        steps(q, split->outputs[i], &t, &z);
        assert_true(s == t && y == z);
    }
    end(&g, q);
}

/* SCATTER_ND writes the integer 0 where nothing goes, so 0 must stand for zero. */
static void test_scatter(void **unused) {
    (void)unused;
    graph g;
    lc_model *q;
    float scale;
    int64_t zero;
    begin(&g);
    const int32_t up = lc_build_binary(&g.b, LC_OP_ADD, g.x, lc_build_scalar(&g.b, "two", 2), 0);
    const int32_t in[] = {lc_build_int_matrix(&g.b, "at", (int32_t[]){2}, 1, 1), up, lc_build_ints(&g.b, "shape", (int32_t[]){3, SIZE}, 2)};
    output(&g, lc_build_op(&g.b, LC_OP_SCATTER_ND, LC_TABLE_ScatterNdOptions, NULL, in, 3));
    assert_true(error_of(&g, LC_SCHEME_INT8, 1, &q) < 0.04);
    steps(q, node(q, LC_OP_SCATTER_ND)->outputs[0], &scale, &zero);
    assert_int_equal(zero, 0);
    end(&g, q);
}

/* Steps of 1/32767 are nearly a power of two: int16 sums do not shift by it, which no kernel could with both operands. */
static void test_int16_sums(void **unused) {
    (void)unused;
    static const int32_t ops[] = {LC_OP_ADD, LC_OP_SUB};
    for (size_t i = 0; i < 2; i++) {
        graph g;
        lc_model *q;
        begin(&g);
        const int32_t half = lc_build_binary(&g.b, LC_OP_MUL, g.x, lc_build_scalar(&g.b, "factor", 0.5f), 0);
        output(&g, lc_build_binary(&g.b, ops[i], half, lc_build_scalar(&g.b, "offset", 0.5f), 0));
        assert_true(error_of(&g, LC_SCHEME_INT16X8, 1, &q) < 1e-4);
        end(&g, q);
    }
}

/* What MEAN takes off for the zero point of its input is a whole number of steps, as LiteRT takes it. */
static void test_mean(void **unused) {
    (void)unused;
    graph g;
    lc_model *q;
    float from, to;
    int64_t zero, other;
    begin(&g);
    const int32_t up = lc_build_binary(&g.b, LC_OP_ADD, g.x, lc_build_scalar(&g.b, "up", 0.3f), 0);
    const int32_t y = lc_build_reshape(&g.b, up, (int32_t[]){1, 2, 2, 2}, 4);
    output(&g, lc_build_reduce(&g.b, LC_OP_MEAN, y, (int32_t[]){1, 2}, 2, true));
    assert_true(error_of(&g, LC_SCHEME_INT8, 1, &q) < 0.01);
    const lc_node *mean = node(q, LC_OP_MEAN);
    steps(q, mean->inputs[0], &from, &zero);
    steps(q, mean->outputs[0], &to, &other);
    const double off = (double)zero * (double)from / (double)to;
    assert_true(fabs(off) > 32 && fabs(off - rint(off)) < 1e-3);
    end(&g, q);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------------------ */

/* Weights of nothing, of almost nothing and of far too much, and a bias that no int32 holds at the weights' own steps. */
static void test_numbers(void **unused) {
    (void)unused;
    static const struct {
        float weight, first, bias, reach, error;
    } rows[] = {{0, 0, 0, 1, 1e-6f},      {0, 0, 5, 1, 0.05f},        {1e-41f, 1e-41f, 1e-41f, 1, 1e-30f}, {0.5f, 0.5f, 1e9f, 1, 1e7f},
                {1e20f, 1, 0, 1, 1e20f},  {1, 1e30f, 0, 1, 1e29f},    {1, 0.5f, 0.1f, 1e30f, 1e30f},       {1, 0.5f, 0, 1e-42f, 1e-30f},
                {1e-20f, 1, 0, 1, 0.05f}, {0.5f, -0.5f, 0, 1, 0.05f}, {1e-20f, 1e-20f, 1e9f, 1e-20f, 1e7f}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int wide = 0; wide < 2; wide++) {
            graph g;
            lc_model *q;
            begin(&g);
            output(&g, dense(&g, rows[i].weight, rows[i].first, rows[i].bias));
            const double off = error_of(&g, wide ? LC_SCHEME_INT16X8 : LC_SCHEME_INT8, rows[i].reach, &q);
            if (!(off <= (double)rows[i].error)) fail_msg("row %zu: off by %g", i, off);
            end(&g, q);
        }
}

/* One scale for all channels, and weights of two operators, of which the second has the bias that needs larger scales. */
static void test_large_bias(void **unused) {
    (void)unused;
    float b[SIZE], w[SIZE * SIZE];
    for (int i = 0; i < SIZE; i++) b[i] = i == 3 ? 1e9f : 0;
    for (int i = 0; i < SIZE * SIZE; i++) w[i] = 0.5f;
    graph g;
    lc_model *q;
    begin(&g);
    int32_t in[] = {g.x, matrix(&g, w), lc_build_floats(&g.b, "none", w, SIZE)};
    output(&g, lc_build_op(&g.b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3));
    in[2] = lc_build_floats(&g.b, "large", b, SIZE);
    output(&g, lc_build_op(&g.b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3));
    for (int k = 0; k < 2; k++) {
        per_tensor = k;
        assert_true(error_of(&g, LC_SCHEME_INT8, 1, &q) < 1e7);
        lc_model_destroy(q);
    }
    per_tensor = false;
    lc_model_destroy(g.model);
}

/* Numbers an integer kernel cannot compute with: the operator stays float and the report says why. */
static void test_stays_float(void **unused) {
    (void)unused;
    static const struct {
        int32_t op;
        float constant, reach;
        const char *why;
    } rows[] = {{LC_OP_LESS, 0.001f, 0.004f, "too small for its integer kernel"},
                {LC_OP_GREATER, INFINITY, 1, "a constant holds infinity"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        graph g;
        lc_model *q;
        char *report;
        begin(&g);
        const int32_t c = lc_build_scalar(&g.b, "c", rows[i].constant);
        output(&g, lc_build_op(&g.b, rows[i].op, lc_op_get(rows[i].op)->options, NULL, (int32_t[]){g.x, c}, 2));
        output(&g, lc_build_unary(&g.b, LC_OP_TANH, g.x));
        assert_true(error_of(&g, LC_SCHEME_INT8, rows[i].reach, &q) < 0.02);
        lc_model_destroy(q);
        assert_int_equal(quantise(g.model, LC_SCHEME_INT8, rows[i].reach, false, &q, &report, &g.err), LC_OK);
        if (!strstr(report, rows[i].why)) fail_msg("row %zu: %s", i, report);
        free(report);
        end(&g, q);
    }
}

/* Steps so small that kernels could not count them up to 6, or to the largest logit, are coarser. */
static void test_small(void **unused) {
    (void)unused;
    for (int wide = 0; wide < 2; wide++) {
        graph g;
        lc_model *q;
        float scale;
        int64_t zero;
        begin(&g);
        const int32_t y = lc_build_binary(&g.b, LC_OP_MUL, g.x, g.x, LC_ActivationFunctionType_RELU6);
        output(&g, lc_build_op(&g.b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &(lc_SoftmaxOptions){.beta = 1}, &g.x, 1));
        output(&g, y);
        assert_true(error_of(&g, wide ? LC_SCHEME_INT16X8 : LC_SCHEME_INT8, 1e-9f, &q) < 0.004);
        steps(q, node(q, LC_OP_MUL)->outputs[0], &scale, &zero);
        assert_true(scale > 6 / 2147483648.0f);
        steps(q, node(q, LC_OP_SOFTMAX)->inputs[0], &scale, &zero);
        assert_true(scale > 1 / 67108864.0f);
        end(&g, q);
    }
}

/* ---- nothing to go by ------------------------------------------------------------------------------------------------------------- */

static void test_nothing(void **unused) {
    (void)unused;
    graph g;
    lc_model *q;
    begin(&g);
    output(&g, dense(&g, 1, 1, 0));
    /* an input without a range: its steps would be made up */
    assert_int_equal(quantise(g.model, LC_SCHEME_INT8, 0, false, &q, NULL, &g.err), LC_ARGUMENT);
    assert_non_null(strstr(g.err.message, "0 in all samples"));
    assert_int_equal(quantise(g.model, LC_SCHEME_INT8, NAN, false, &q, NULL, &g.err), LC_INVALID);
    assert_int_equal(quantise(g.model, LC_SCHEME_INT8, FLT_MAX, false, &q, NULL, &g.err), LC_INVALID);
    assert_non_null(strstr(g.err.message, "infinity"));
    lc_model_destroy(g.model);
    begin(&g);
    output(&g, g.x);
    assert_int_equal(quantise(g.model, LC_SCHEME_INT8, 1, false, &q, NULL, &g.err), LC_ARGUMENT);
    assert_non_null(strstr(g.err.message, "no operators"));
    lc_model_destroy(g.model);
}

/* A file that does not say which shapes are known has a scalar where a shape is empty; it stays one. */
static void test_scalar_input(void **unused) {
    (void)unused;
    graph g;
    lc_model *q;
    begin(&g);
    const int32_t k = lc_build_placeholder(&g.b, "k", LC_FLOAT32, NULL, 0);
    assert_int_equal(lc_graph_add_input(g.b.graph, k, &g.err), LC_OK);
    output(&g, lc_build_binary(&g.b, LC_OP_MUL, dense(&g, 0.5f, 1, 0), k, 0));
    for (size_t t = 0; t < g.b.graph->tensor_count; t++) g.b.graph->tensors[t].has_rank = false;
    assert_false(lc_model_input(g.model, 1).any_rank);
    assert_true(error_of(&g, LC_SCHEME_INT8, 1, &q) < 0.05);
    assert_false(lc_model_input(q, 1).any_rank);
    end(&g, q);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

static lc_status whole_life(void *arg, lc_error *err) {
    lc_model *q;
    LC_TRY(quantise(arg, LC_SCHEME_INT8, 1, false, &q, NULL, err));
    lc_model_destroy(q);
    return LC_OK;
}

static void test_memory(void **unused) {
    (void)unused;
    graph g;
    begin(&g);
    const int32_t y = dense(&g, 0.5f, 1, 0.1f), t = lc_build_unary(&g.b, LC_OP_TANH, y);
    output(&g, lc_build_binary(&g.b, LC_OP_MAXIMUM, t, lc_build_unary(&g.b, LC_OP_SIN, y), 0));
    fault_check(whole_life, g.model, &(fault_options){.step = 7});
    lc_model_destroy(g.model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_constant_operand),
                                       cmocka_unit_test(test_split),
                                       cmocka_unit_test(test_parts),
                                       cmocka_unit_test(test_scatter),
                                       cmocka_unit_test(test_int16_sums),
                                       cmocka_unit_test(test_mean),
                                       cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_stays_float),
                                       cmocka_unit_test(test_large_bias),
                                       cmocka_unit_test(test_small),
                                       cmocka_unit_test(test_nothing),
                                       cmocka_unit_test(test_scalar_input),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
