/*
 * test_quant_cells.c: LSTM and SVDF as integer operators, in all their forms, against the float ones; what stays float and why. The ranges inside of a
 * cell, which no tensor shows, against a cell that is computed here.
 */
#include "quant/quant.h"

#include "ops/build.h"
#include "ops/lstm.h"
#include "support/fault.h"
#include "support/ranges.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 2, TIME = 7, DEPTH = 5, CELLS = 8, UNITS = 6, SAMPLES = 12 };

static uint32_t noise_state;
static float noise(void) {
    float sum = -1.5f;
    for (int i = 0; i < 3; i++) sum += (float)((noise_state = noise_state * 1664525u + 1013904223u) >> 8) / 16777216.0f;
    return sum;
}

typedef struct form {
    bool coupled, peephole, norm, projection, time_major, one; /* one: LSTM, a single step */
    bool written;                                              /* an operator in front writes the state */
    int8_t activation;
    float wide;  /* of the weights; 0: 1 */
    bool shared; /* the state is read again */
    bool square; /* as many units as cells behind the projection */
    bool reader; /* what is left in the cell state is given out */
} form;

static int32_t weights(lc_builder *b, const char *name, int32_t rows, int32_t columns, float around, float wide) {
    const size_t n = (size_t)rows * (size_t)(columns < 0 ? 1 : columns);
    float *data = lc_build_data(b, n * sizeof *data);
    for (size_t i = 0; data && i < n; i++) data[i] = around + wide * noise();
    return lc_build_const(b, name, LC_FLOAT32, (int32_t[]){rows, columns}, columns < 0 ? 1 : 2, data, n * sizeof *data, true);
}

static int32_t variable(lc_builder *b, int32_t columns) {
    int32_t at = -1, dims[] = {BATCH, columns};
    const lc_tensor t = {.name = lc_str_of("state"), .type = LC_FLOAT32, .rank = 2, .dims = dims, .has_rank = true, .is_variable = true};
    lc_build_check(b, lc_graph_add_tensor(b->graph, &t, &at, b->err));
    return at;
}

static void write_states(lc_builder *b, const int32_t states[2]) {
    static const float zeros[BATCH * 2 * CELLS];
    const lc_SplitOptions o = {.num_splits = 2};
    const int32_t axis = 1;
    const int32_t start = lc_build_const(b, "start", LC_FLOAT32, (int32_t[]){BATCH, 2 * CELLS}, 2, zeros, sizeof zeros, false);
    const int32_t in[] = {lc_build_ints(b, "axis", &axis, 1), start};
    lc_node *node;
    b->graph->tensors[in[0]].rank = 0;
    lc_build_check(b, lc_graph_add_node(b->graph, LC_OP_SPLIT, LC_TABLE_SplitOptions, &o, in, 2, states, 2, &node, b->err));
}

/* As pass/fuse_lstm_build.c does it: SELECT_V2(true, cells, last row of y). */
static void give_cells(lc_builder *b, int32_t y, int32_t cells) {
    static const bool yes = true;
    const int32_t last = lc_build_reduce(b, LC_OP_MEAN, y, (int32_t[]){1}, 1, false);
    const int32_t in[] = {lc_build_const(b, "yes", LC_BOOL, NULL, 0, &yes, sizeof yes, false), cells, last};
    const int32_t out = lc_build_op(b, LC_OP_SELECT_V2, LC_TABLE_SelectV2Options, NULL, in, 3);
    lc_build_rename(b, out, "cells");
    if (b->status == LC_OK) lc_build_check(b, lc_graph_add_output(b->graph, out, b->err));
}

static lc_model *make_model(const form *f) {
    static lc_error err;
    lc_model *model;
    lc_builder b;
    noise_state = 11;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t units = f->projection && !f->square ? UNITS : CELLS;
    const int32_t dims[] = {f->time_major ? TIME : BATCH, f->time_major ? BATCH : TIME, DEPTH}, flat[] = {BATCH, DEPTH};
    const float wide = f->wide > 0 ? f->wide : 1;
    int32_t in[24];
    for (int i = 0; i < 24; i++) in[i] = LC_ABSENT;
    const int32_t states[] = {variable(&b, units), variable(&b, CELLS)};
    if (f->written) write_states(&b, states);
    const lc_lstm_slots s = lc_lstm_slots_of(24);
    in[s.input] = lc_build_placeholder(&b, "x", LC_FLOAT32, f->one ? flat : dims, f->one ? 2 : 3);
    const int32_t x = in[s.input];
    for (int32_t g = f->coupled ? LC_LSTM_FORGET : LC_LSTM_INPUT; g < LC_LSTM_GATES; g++) {
        in[s.weights[g]] = weights(&b, "weights", CELLS, DEPTH, 0, wide);
        in[s.recurrent[g]] = weights(&b, "recurrent", CELLS, units, 0, 0.5f * wide);
        in[s.bias[g]] = weights(&b, "bias", CELLS, -1, g == LC_LSTM_FORGET ? 1 : 0, 0.2f);
        if (f->norm) in[s.norm[g]] = weights(&b, "norm", CELLS, -1, 1, 0.2f);
        if (f->peephole && s.peephole[g] >= 0) in[s.peephole[g]] = weights(&b, "peephole", CELLS, -1, 0, 0.3f);
    }
    if (f->coupled) in[s.peephole[LC_LSTM_INPUT]] = LC_ABSENT;
    if (f->projection) {
        in[s.projection] = weights(&b, "projection", units, CELLS, 0, 1);
        in[s.projection_bias] = weights(&b, "projection_bias", units, -1, 0, 0.3f);
    }
    in[s.hidden] = states[0];
    in[s.cell] = states[1];
    const lc_UnidirectionalSequenceLSTMOptions sequence = {.fused_activation_function = f->activation, .time_major = f->time_major};
    const lc_LSTMOptions step = {.fused_activation_function = f->activation};
    const uint32_t n = f->norm ? 24 : 20;
    const int32_t y =
        f->one ? lc_build_op(&b, LC_OP_LSTM, LC_TABLE_LSTMOptions, &step, in, n)
               : lc_build_op(&b, LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM, LC_TABLE_UnidirectionalSequenceLSTMOptions, &sequence, in, n);
    lc_build_rename(&b, y, "y");
    if (f->reader) give_cells(&b, y, states[1]);
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    if (!f->reader) assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    if (f->shared) assert_int_equal(lc_graph_add_output(b.graph, states[1], &err), LC_OK);
    return model;
}

static void fill(lc_session *session, uint32_t sample) {
    const lc_tensor_view in = lc_session_input(session, 0);
    noise_state = sample;
    noise();
    for (size_t i = 0; i < in.size / sizeof(float); i++) ((float *)in.data)[i] = 2 * noise();
}

/* An integer fork of the model. */
static lc_status quantise(lc_model *model, lc_model **to, lc_ranges *ranges, lc_quant_report *report, lc_error *err) {
    counted source = {fill, SAMPLES, BATCH, 0};
    const lc_quantize_options o = {.scheme = LC_SCHEME_INT8, .threads = 1};
    const lc_feed feed = counted_feed(&source);
    lc_recipe *recipe;
    *to = NULL;
    LC_TRY(lc_ranges_init(model, ranges, err));
    LC_TRY(lc_calibrate(model, &feed, 1, &o, ranges, NULL, err));
    LC_TRY(lc_recipe_read(NULL, &report->arena, &recipe, err));
    LC_TRY(lc_model_fork(model, to, err));
    lc_quant_job job = {.model = *to, .options = &o, .ranges = ranges, .recipe = recipe, .report = report, .err = err};
    return lc_quant_integer(&job);
}

static double decibels(lc_model *a, lc_model *b) {
    lc_session *s[2];
    lc_error err;
    double signal = 0, error = 0;
    lc_model *models[] = {a, b};
    for (int i = 0; i < 2; i++)
        if (lc_session_create(models[i], NULL, &s[i], &err) != LC_OK) fail_msg("%s", err.message);
    for (uint32_t k = 0; k < SAMPLES; k++) {
        for (int i = 0; i < 2; i++) {
            lc_session_reset(s[i]);
            fill(s[i], k);
            if (lc_session_run(s[i], &err) != LC_OK) fail_msg("%s", err.message);
        }
        const lc_tensor_view x = lc_session_output(s[0], 0), y = lc_session_output(s[1], 0);
        for (size_t i = 0; i < x.size / sizeof(float); i++) {
            const double d = (double)((const float *)x.data)[i] - (double)((const float *)y.data)[i];
            signal += (double)((const float *)x.data)[i] * (double)((const float *)x.data)[i];
            error += d * d;
        }
    }
    for (int i = 0; i < 2; i++) lc_session_destroy(s[i]);
    return 10 * log10(signal / error);
}

static void test_forms(void **unused) {
    (void)unused;
    const int8_t act = LC_ActivationFunctionType_TANH;
    const form forms[] = {
        {.activation = act},
        {.activation = act, .coupled = true},
        {.activation = act, .peephole = true, .time_major = true},
        {.activation = act, .norm = true},
        {.activation = act, .norm = true, .coupled = true, .peephole = true},
        {.activation = act, .projection = true},
        {.activation = act, .projection = true, .norm = true, .time_major = true},
        {.activation = act, .one = true},
        {.activation = act, .one = true, .norm = true, .projection = true},
        {.activation = act, .written = true},
        {.activation = act, .written = true, .reader = true},
        {.activation = act, .reader = true},
        {.activation = act, .peephole = true, .projection = true, .square = true},
        {.activation = act, .wide = 0.1f}, /* cells stay under 1/2: their scale is 2^-15 all the same */
        {.activation = act, .wide = 3},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        lc_error err;
        lc_ranges ranges = {0};
        lc_quant_report report = {0};
        lc_model *model = make_model(&forms[i]), *integer;
        if (quantise(model, &integer, &ranges, &report, &err) != LC_OK) fail_msg("form %zu: %s", i, err.message);
        assert_int_equal(report.floats.count, 0);
        const lc_graph *g = integer->graphs[0];
        uint32_t cells = 0;
        for (size_t n = 0; n < g->node_count; n++) {
            const lc_node *node = &g->nodes[n];
            if (node->op != LC_OP_LSTM && node->op != LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM) continue;
            const lc_lstm_slots s = lc_lstm_slots_of(node->input_count);
            const lc_tensor *hidden = &g->tensors[node->inputs[s.hidden]], *cell = &g->tensors[node->inputs[s.cell]];
            const lc_tensor *out = &g->tensors[node->outputs[0]];
            float a, b, c;
            int64_t za, zb, zc;
            cells++;
            assert_int_equal(node->intermediate_count, 5);
            lc_tensor_scale(hidden, &a, &za);
            lc_tensor_scale(out, &b, &zb);
            lc_tensor_scale(cell, &c, &zc);
            assert_true(hidden->is_variable && hidden->type == LC_INT8 && a == b && za == zb);
            assert_true(cell->is_variable && cell->type == LC_INT16 && zc == 0 && c >= 0x1p-15f && c <= 0x1p-9f);
            assert_true(log2f(c) == roundf(log2f(c)));
        }
        assert_int_equal(cells, 1);
        const double db = decibels(model, integer);
        if (db < 34) fail_msg("form %zu: %.1f dB", i, db);
        lc_model_destroy(integer);
        lc_ranges_deinit(&ranges);
        lc_arena_deinit(&report.arena);
        lc_model_destroy(model);
    }
}

static void test_stays_float(void **unused) {
    (void)unused;
    const int8_t act = LC_ActivationFunctionType_TANH;
    const struct {
        form form;
        const char *reason;
    } cases[] = {
        {{.activation = LC_ActivationFunctionType_RELU}, "tanh"},
        {{.activation = act, .peephole = true, .projection = true}, "peephole"},
        {{.activation = act, .shared = true}, "state"},
        {{.activation = act, .shared = true, .written = true}, "state"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_error err;
        lc_ranges ranges = {0};
        lc_quant_report report = {0};
        lc_model *model = make_model(&cases[i].form), *integer;
        if (quantise(model, &integer, &ranges, &report, &err) != LC_OK) fail_msg("case %zu: %s", i, err.message);
        assert_true(report.floats.count > 0);
        bool found = false;
        for (size_t k = 0; k < report.floats.count; k++) found |= strstr(report.floats.items[k].reason, cases[i].reason) != NULL;
        assert_true(found);
        assert_true(decibels(model, integer) > 35);
        lc_model_destroy(integer);
        lc_ranges_deinit(&ranges);
        lc_arena_deinit(&report.arena);
        lc_model_destroy(model);
    }
}

/* x [BATCH,DEPTH] -> SVDF of rank 2 */
static lc_model *make_svdf(int8_t activation, int32_t memory) {
    static lc_error err;
    lc_model *model;
    lc_builder b;
    noise_state = 5;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const lc_SVDFOptions o = {.rank = 2, .fused_activation_function = activation};
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){BATCH, DEPTH}, 2);
    const int32_t in[] = {x, weights(&b, "feature", 2 * UNITS, DEPTH, 0, 1), weights(&b, "time", 2 * UNITS, memory, 0, 1),
                          weights(&b, "bias", UNITS, -1, 0, 0.5f), variable(&b, 2 * UNITS * memory)};
    const int32_t y = lc_build_op(&b, LC_OP_SVDF, LC_TABLE_SVDFOptions, &o, in, 5);
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err) | lc_graph_add_output(b.graph, y, &err), LC_OK);
    return model;
}

/* The types and steps of its integer form; results near the float ones; and why it stays float. */
static void test_svdf(void **unused) {
    (void)unused;
    const int8_t relu = LC_ActivationFunctionType_RELU, none = LC_ActivationFunctionType_NONE;
    const struct {
        int8_t activation;
        int32_t memory, steps; /* most of the time weights; 0: stays float */
    } cases[] = {{relu, 9, 512}, {relu, 1, 512}, {relu, 100, 300}, {none, 9, 0}, {relu, 3000, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_error err;
        lc_ranges ranges = {0};
        lc_quant_report report = {0};
        lc_model *model = make_svdf(cases[i].activation, cases[i].memory), *integer;
        if (quantise(model, &integer, &ranges, &report, &err) != LC_OK) fail_msg("case %zu: %s", i, err.message);
        assert_int_equal(report.integer, cases[i].steps > 0);
        assert_int_equal(report.floats.count, cases[i].steps == 0);
        const lc_graph *g = integer->graphs[0];
        for (size_t n = 0; n < g->node_count && cases[i].steps; n++) {
            const int32_t *in = g->nodes[n].inputs;
            float state, time, bias;
            int64_t zero;
            int most = 0;
            if (g->nodes[n].op != LC_OP_SVDF) continue;
            assert_true(g->tensors[in[0]].type == LC_INT8 && g->tensors[in[1]].type == LC_INT8 && g->tensors[in[2]].type == LC_INT16);
            assert_true(g->tensors[in[3]].type == LC_INT32 && g->tensors[in[4]].type == LC_INT16 && g->tensors[in[4]].is_variable);
            lc_tensor_scale(&g->tensors[in[4]], &state, &zero);
            lc_tensor_scale(&g->tensors[in[2]], &time, &zero);
            lc_tensor_scale(&g->tensors[in[3]], &bias, &zero);
            assert_true(zero == 0 && bias == state * time);
            for (size_t k = 0; k < g->tensors[in[2]].size / 2; k++) {
                const int16_t q = ((const int16_t *)g->tensors[in[2]].data)[k];
                most = abs(q) > most ? abs(q) : most;
            }
            assert_int_equal(most, cases[i].steps);
        }
        const double db = decibels(model, integer);
        if (db < 34) fail_msg("case %zu: %.1f dB", i, db);
        lc_model_destroy(integer);
        lc_ranges_deinit(&ranges);
        lc_arena_deinit(&report.arena);
        lc_model_destroy(model);
    }
}

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }

/* Cells of one batch, computed here, of the plain form. */
static void test_ranges(void **unused) {
    (void)unused;
    const form f = {.activation = LC_ActivationFunctionType_TANH};
    lc_error err;
    lc_ranges ranges = {0};
    lc_quant_report report = {0};
    lc_model *model = make_model(&f), *integer;
    const lc_graph *g = model->graphs[0];
    const lc_lstm_slots s = lc_lstm_slots_of(20);
    lc_session *session;
    float most = 0;
    assert_int_equal(quantise(model, &integer, &ranges, &report, &err), LC_OK);
    assert_int_equal(lc_session_create(model, NULL, &session, &err), LC_OK);
    for (uint32_t sample = 0; sample < SAMPLES; sample++) {
        fill(session, sample);
        const float *x = lc_session_input(session, 0).data;
        for (int b = 0; b < BATCH; b++) {
            float h[CELLS] = {0}, c[CELLS] = {0}, gate[4][CELLS];
            for (int t = 0; t < TIME; t++) {
                for (int k = 0; k < 4; k++)
                    for (int j = 0; j < CELLS; j++) {
                        const int32_t *in = g->nodes[0].inputs;
                        float sum = ((const float *)g->tensors[in[s.bias[k]]].data)[j];
                        for (int i = 0; i < DEPTH; i++)
                            sum += ((const float *)g->tensors[in[s.weights[k]]].data)[j * DEPTH + i] * x[(b * TIME + t) * DEPTH + i];
                        for (int i = 0; i < CELLS; i++) sum += ((const float *)g->tensors[in[s.recurrent[k]]].data)[j * CELLS + i] * h[i];
                        gate[k][j] = k == LC_LSTM_CELL ? tanhf(sum) : sigmoid(sum);
                    }
                for (int j = 0; j < CELLS; j++) {
                    c[j] = gate[LC_LSTM_FORGET][j] * c[j] + gate[LC_LSTM_INPUT][j] * gate[LC_LSTM_CELL][j];
                    h[j] = gate[LC_LSTM_OUTPUT][j] * tanhf(c[j]);
                    most = fmaxf(most, c[j]);
                }
            }
        }
    }
    const lc_range_state *state = &ranges.states[0][0];
    assert_true(state->cell.seen);
    assert_float_equal(state->cell.high, most, 1e-5);
    const lc_range out = ranges.of[0][g->outputs[0]]; /* without a projection what is put out is what is kept */
    assert_float_equal(state->hidden.high, out.high, 1e-5);
    assert_float_equal(state->hidden.low, out.low, 1e-5);
    lc_session_destroy(session);
    lc_model_destroy(integer);
    lc_ranges_deinit(&ranges);
    lc_arena_deinit(&report.arena);
    lc_model_destroy(model);
}

static lc_status work(void *arg, lc_error *err) {
    lc_ranges ranges = {0};
    lc_quant_report report = {0};
    lc_model *integer;
    const lc_status status = quantise(arg, &integer, &ranges, &report, err);
    lc_model_destroy(integer);
    lc_ranges_deinit(&ranges);
    lc_arena_deinit(&report.arena);
    return status;
}

static void test_memory(void **unused) {
    (void)unused;
    const form f = {.activation = LC_ActivationFunctionType_TANH, .norm = true, .projection = true};
    lc_model *model = make_model(&f);
    lc_error err;
    assert_int_equal(work(model, &err), LC_OK);
    fault_check(work, model, NULL);
    lc_model_destroy(model);
    model = make_svdf(LC_ActivationFunctionType_RELU, 9);
    fault_check(work, model, NULL);
    lc_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),  cmocka_unit_test(test_stays_float), cmocka_unit_test(test_svdf),
        cmocka_unit_test(test_ranges), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
