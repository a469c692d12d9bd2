/*
 * test_quant_state.c: what goes on from run to run, and from step to step, as integers: variables (one type and one scale for all that read or
 * assign one, in every graph), and simple recurrent layers as loops of integer operators.
 */
#include "ir/ir.h"
#include "litec/litec.h"
#include "ops/build.h"
#include "ops/op.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 16, WIDE = 6, TIME = 5 };

static lc_error err;

static float noise(uint32_t *state) { return (float)((*state = *state * 1664525u + 1013904223u) >> 8) / 8388608.0f - 1; }

static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *e) {
    const lc_tensor_view in = lc_session_input(session, 0);
    uint32_t state = (uint32_t)index * 7919u + 1;
    (void)user;
    (void)e;
    *end = index >= SAMPLES;
    for (size_t i = 0; !*end && i < in.size / sizeof(float); i++) ((float *)in.data)[i] = noise(&state);
    return LC_OK;
}

/* report: its text; freed by the caller. */
static lc_model *quantised(lc_model *m, lc_quantize_options how, lc_quantize_report **report) {
    lc_data *data;
    lc_model *q;
    assert_int_equal(lc_data_from(fill, NULL, &data, &err), LC_OK);
    how.data = &data;
    how.data_count = 1;
    how.report = report;
    const lc_status status = lc_model_quantize(m, &how, &q, &err);
    lc_data_close(data);
    if (status) fail_msg("%s: %s", err.message, err.hint);
    assert_int_equal(lc_model_check(q, &err), LC_OK);
    return q;
}

/* Signal to noise of both, run one sample after the other. */
static double decibels(lc_model *a, lc_model *b) {
    lc_model *models[] = {a, b};
    lc_session *s[2];
    double signal = 0, error = 0;
    bool end;
    for (int k = 0; k < 2; k++)
        if (lc_session_create(models[k], NULL, &s[k], &err)) fail_msg("%s", err.message);
    for (uint64_t sample = 0; sample < SAMPLES; sample++) {
        for (int k = 0; k < 2; k++) {
            fill(NULL, sample, s[k], &end, &err);
            if (lc_session_run(s[k], &err)) fail_msg("%s", err.message);
        }
        const lc_tensor_view x = lc_session_output(s[0], 0), y = lc_session_output(s[1], 0);
        assert_true(x.type == LC_FLOAT32 && y.type == LC_FLOAT32 && x.size == y.size);
        for (size_t i = 0; i < x.size / sizeof(float); i++) {
            const double v = (double)((const float *)x.data)[i], d = v - (double)((const float *)y.data)[i];
            signal += v * v;
            error += d * d;
        }
    }
    for (int k = 0; k < 2; k++) lc_session_destroy(s[k]);
    return 10 * log10(signal / error);
}

/* ---- variables -------------------------------------------------------------------------------------------------------------- */

static int32_t handle(lc_builder *b, const char *name) {
    const lc_VarHandleOptions o = {.container = LC_STR(""), .shared_name = lc_str_of(name)};
    const lc_build_output like = {LC_RESOURCE, 0, {0}};
    int32_t out = -1;
    lc_build_op_declared(b, LC_OP_VAR_HANDLE, LC_TABLE_VarHandleOptions, &o, NULL, 0, &like, &out, 1);
    return out;
}

static int32_t read_variable(lc_builder *b, int32_t of) {
    const lc_build_output like = {LC_FLOAT32, 2, {1, WIDE}};
    int32_t out = -1;
    lc_build_op_declared(b, LC_OP_READ_VARIABLE, LC_TABLE_ReadVariableOptions, NULL, &of, 1, &like, &out, 1);
    return out;
}

static void assign(lc_builder *b, int32_t to, int32_t value) {
    lc_node *n;
    const int32_t in[] = {to, value};
    if (b->status == LC_OK)
        lc_build_check(
            b, lc_graph_add_node(b->graph, LC_OP_ASSIGN_VARIABLE, LC_TABLE_AssignVariableOptions, NULL, in, 2, NULL, 0, &n, b->err));
}

static int32_t half(lc_builder *b, int32_t x) {
    return lc_build_binary(b, LC_OP_MUL, x, lc_build_scalar(b, "half", 0.5f), LC_ActivationFunctionType_NONE);
}

static lc_graph *another(lc_builder *b, lc_model *m, lc_str name) {
    lc_graph *g = lc_model_add_graph(m, name);
    assert_non_null(g);
    lc_builder_init(b, m, g, &err);
    return g;
}

/* Keeps v = v / 2 + x, from a constant on; twice = 2 v, in a graph that gets the handle and is run by a loop of one round. */
static lc_model *make_variable(void) {
    lc_builder b, once, cond, body;
    lc_model *m;
    static const float start[WIDE] = {1, -1, 0.5f, 0, 2, -2};
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    another(&once, m, LC_STR("initialise"));
    another(&cond, m, LC_STR("again"));
    another(&body, m, LC_STR("round"));
    const int32_t first = handle(&once, "v");
    assign(&once, first, lc_build_const(&once, "start", LC_FLOAT32, (int32_t[]){1, WIDE}, 2, start, sizeof start, false));
    lc_builder *const loops[] = {&cond, &body};
    int32_t i[2], h[2];
    for (int k = 0; k < 2; k++) {
        i[k] = lc_build_placeholder(loops[k], "i", LC_INT32, (int32_t[]){1}, 1);
        h[k] = lc_build_placeholder(loops[k], "h", LC_RESOURCE, NULL, 0);
        assert_int_equal(lc_graph_add_input(loops[k]->graph, i[k], &err) | lc_graph_add_input(loops[k]->graph, h[k], &err), LC_OK);
    }
    const int32_t one = lc_build_ints(&cond, "one", (int32_t[]){1}, 1);
    const int32_t less = lc_build_op(&cond, LC_OP_LESS, LC_TABLE_NONE, NULL, (int32_t[]){i[0], one}, 2);
    assert_int_equal(lc_graph_add_output(cond.graph, less, &err), LC_OK);
    const int32_t v = read_variable(&body, h[1]);
    assign(&body, h[1], lc_build_binary(&body, LC_OP_ADD, v, v, LC_ActivationFunctionType_NONE));
    const int32_t more =
        lc_build_binary(&body, LC_OP_ADD, i[1], lc_build_ints(&body, "one", (int32_t[]){1}, 1), LC_ActivationFunctionType_NONE);
    assert_int_equal(lc_graph_add_output(body.graph, more, &err) | lc_graph_add_output(body.graph, h[1], &err), LC_OK);

    lc_node *n;
    assert_int_equal(lc_graph_add_node(b.graph, LC_OP_CALL_ONCE, LC_TABLE_CallOnceOptions, &(lc_CallOnceOptions){.init_subgraph_index = 1},
                                       NULL, 0, NULL, 0, &n, &err),
                     LC_OK);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){1, WIDE}, 2), own = handle(&b, "v");
    assign(&b, own, lc_build_binary(&b, LC_OP_ADD, half(&b, half(&b, read_variable(&b, own))), x, LC_ActivationFunctionType_NONE));
    const int32_t in[] = {lc_build_ints(&b, "zero", (int32_t[]){0}, 1), own};
    const int32_t out[] = {lc_build_placeholder(&b, "count", LC_INT32, (int32_t[]){1}, 1),
                           lc_build_placeholder(&b, "same", LC_RESOURCE, NULL, 0)};
    assert_int_equal(lc_graph_add_node(b.graph, LC_OP_WHILE, LC_TABLE_WhileOptions,
                                       &(lc_WhileOptions){.cond_subgraph_index = 2, .body_subgraph_index = 3}, in, 2, out, 2, &n, &err),
                     LC_OK);
    const int32_t y = half(&b, read_variable(&b, out[1]));
    if (b.status | once.status | cond.status | body.status) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err) | lc_graph_add_output(b.graph, y, &err), LC_OK);
    return m;
}

/* How many operators read and assign variables of this type; their scale is *scale, and the same. */
static int count_values(const lc_model *m, lc_dtype type, float *scale) {
    int count = 0;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t i = 0; i < m->graphs[g]->node_count; i++) {
            const lc_node *n = &m->graphs[g]->nodes[i];
            if (n->op != LC_OP_READ_VARIABLE && n->op != LC_OP_ASSIGN_VARIABLE) continue;
            const lc_tensor *t = &m->graphs[g]->tensors[n->op == LC_OP_READ_VARIABLE ? n->outputs[0] : n->inputs[1]];
            float here;
            int64_t zero;
            lc_tensor_scale(t, &here, &zero);
            if (t->type != type) continue;
            if (count++ && type != LC_FLOAT32) assert_true(here == *scale);
            *scale = here;
        }
    return count;
}

static void test_variable(void **unused) {
    (void)unused;
    float scale = 0;
    lc_model *m = make_variable();
    for (int wide = 0; wide < 2; wide++)
        for (int only = 0; only < 2; only++) {
            lc_quantize_report *report;
            const lc_quantize_options how = {.scheme = wide ? LC_SCHEME_INT16X8 : LC_SCHEME_INT8, .only_integer = only};
            lc_model *q = quantised(m, how, &report);
            assert_int_equal(count_values(q, wide ? LC_INT16 : LC_INT8, &scale), 6);
            assert_null(strstr(lc_quantize_report_text(report), "stayed float"));
            const double db = decibels(m, q);
            if (db < (wide ? 70 : 30)) fail_msg("%.1f dB", db);
            lc_quantize_report_destroy(report);
            lc_model_destroy(q);
        }
    lc_model_destroy(m);
}

static void test_variable_stays(void **unused) {
    (void)unused;
    float scale = 0;
    lc_model *m = make_variable();
    lc_quantize_report *report;
    lc_model *q = quantised(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .recipe = "op:READ_VARIABLE=float"}, &report);
    assert_int_equal(count_values(q, LC_FLOAT32, &scale), 6);
    assert_non_null(strstr(lc_quantize_report_text(report), "another type"));
    assert_true(decibels(m, q) > 30);
    lc_quantize_report_destroy(report);
    lc_model_destroy(q);
    lc_model_destroy(m);
}

/* ---- simple recurrent layers ------------------------------------------------------------------------------------------------- */

static int32_t weights(lc_builder *b, const char *name, int32_t rows, int32_t columns, float reach) {
    const size_t n = (size_t)rows * (size_t)(columns ? columns : 1);
    uint32_t state = (uint32_t)name[0];
    float *data = lc_build_data(b, n * sizeof *data);
    for (size_t i = 0; data && i < n; i++) data[i] = reach * noise(&state);
    return data ? lc_build_const(b, name, LC_FLOAT32, (int32_t[]){rows, columns}, columns ? 2 : 1, data, n * sizeof *data, true) : -1;
}

/* open: batch and length are. written: the state begins with zeros at each run. */
static lc_model *make_rnn(int8_t activation, bool time_major, bool open, bool written) {
    lc_builder b;
    lc_model *m;
    enum { UNITS = 40 };
    const int32_t any = open ? -1 : 0;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t dims[] = {any ? -1 : time_major ? TIME : 1, any ? -1 : time_major ? 1 : TIME, WIDE};
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, dims, 3);
    int32_t state = lc_build_placeholder(&b, "state", LC_FLOAT32, (int32_t[]){1, UNITS}, 2);
    if (written) {
        const int32_t sum = lc_build_reduce(&b, LC_OP_SUM, x, (int32_t[]){time_major ? 0 : 1, 2}, 2, false);
        const int32_t zero = lc_build_binary(&b, LC_OP_SUB, sum, sum, LC_ActivationFunctionType_NONE);
        const int32_t column = lc_build_reshape(&b, zero, (int32_t[]){-1, 1}, 2);
        state =
            lc_build_binary(&b, LC_OP_ADD, column, lc_build_floats(&b, "zeros", (float[UNITS]){0}, UNITS), LC_ActivationFunctionType_NONE);
    }
    if (b.status == LC_OK) b.graph->tensors[state].is_variable = true;
    const int32_t in[] = {x, weights(&b, "w", UNITS, WIDE, 0.6f), weights(&b, "r", UNITS, UNITS, 0.2f), weights(&b, "b", UNITS, 0, 0.3f),
                          state};
    const lc_SequenceRNNOptions o = {.time_major = time_major, .fused_activation_function = activation};
    const int32_t y = lc_build_op(&b, LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN, LC_TABLE_SequenceRNNOptions, &o, in, 5);
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err) | lc_graph_add_output(b.graph, y, &err), LC_OK);
    return m;
}

static int count_ops(const lc_model *m, lc_op_id op) {
    int count = 0;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t i = 0; i < m->graphs[g]->node_count; i++) count += m->graphs[g]->nodes[i].op == (int32_t)op;
    return count;
}

/* A loop of integers where nothing else is wanted; else int8 weights in the operator itself, and the report says so. */
static void test_rnn(void **unused) {
    (void)unused;
    const int8_t acts[] = {LC_ActivationFunctionType_TANH, LC_ActivationFunctionType_RELU, LC_ActivationFunctionType_NONE};
    for (int k = 0; k < 6; k++) {
        lc_model *m = make_rnn(acts[k % 3], k % 2, k == 2 || k == 3, true);
        lc_quantize_report *report;
        lc_model *q = quantised(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8, .only_integer = true}, &report);
        assert_int_equal(count_ops(q, LC_OP_WHILE), 1);
        assert_int_equal(count_ops(q, LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN), 0);
        double db = decibels(m, q);
        if (db < 26) fail_msg("case %d: %.1f dB", k, db);
        lc_quantize_report_destroy(report);
        lc_model_destroy(q);
        q = quantised(m, (lc_quantize_options){.scheme = LC_SCHEME_INT8}, &report);
        assert_int_equal(count_ops(q, LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN), 1);
        if (!strstr(lc_quantize_report_text(report), "only the weights of these are integers"))
            fail_msg("%s", lc_quantize_report_text(report));
        db = decibels(m, q);
        if (db < 34) fail_msg("case %d: %.1f dB", k, db);
        lc_quantize_report_destroy(report);
        lc_model_destroy(q);
        lc_model_destroy(m);
    }
}

/* A state that goes on from run to run has no place in such a loop. */
static void test_rnn_stays(void **unused) {
    (void)unused;
    lc_model *m = make_rnn(LC_ActivationFunctionType_TANH, false, false, false), *q;
    lc_data *data;
    assert_int_equal(lc_data_from(fill, NULL, &data, &err), LC_OK);
    const lc_quantize_options how = {.scheme = LC_SCHEME_INT8, .only_integer = true, .data = &data, .data_count = 1};
    const lc_status status = lc_model_quantize(m, &how, &q, &err);
    if (status != LC_ARGUMENT) fail_msg("status %d: %s", (int)status, err.message);
    assert_non_null(strstr(err.message, "UNIDIRECTIONAL_SEQUENCE_RNN"));
    lc_data_close(data);
    lc_model_destroy(m);
}

/* ---- without memory ---------------------------------------------------------------------------------------------------------- */

static lc_status work(void *arg, lc_error *e) {
    lc_data *data = NULL;
    lc_model *q = NULL;
    LC_TRY(lc_data_from(fill, NULL, &data, e));
    const lc_quantize_options how = {.scheme = LC_SCHEME_INT8, .only_integer = true, .data = &data, .data_count = 1, .threads = 1};
    const lc_status status = lc_model_quantize(arg, &how, &q, e);
    lc_model_destroy(q);
    lc_data_close(data);
    return status;
}

static void test_memory(void **unused) {
    (void)unused;
    lc_model *models[] = {make_variable(), make_rnn(LC_ActivationFunctionType_TANH, false, true, true)};
    for (int i = 0; i < 2; i++) {
        fault_check(work, models[i], NULL);
        lc_model_destroy(models[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variable),  cmocka_unit_test(test_variable_stays), cmocka_unit_test(test_rnn),
        cmocka_unit_test(test_rnn_stays), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
