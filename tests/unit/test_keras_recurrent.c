/*
 * test_keras_recurrent.c: recurrent layers, wrappers and masks: values against the cells' maths written out plainly here, states that do
 * not leak from run to run (or do, where the layer is stateful), options and files that are wrong. tests/oracle/keras_recurrent_models.py
 * compares with Keras itself.
 */
#include "ir/ir.h"
#include "ops/op.h"
#include "support/fault.h"
#include "support/keras_fixture.h"

#include "litec/runtime.h"
#include "pass/pass.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 4000, STEPS = 4, DEPTH = 3, UNITS = 2, BATCH = 2 };

/* ---- the maths --------------------------------------------------------------------------------------------------------- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* x W + b (+ h U) of column k. */
static double column(const float *x, int depth, const float *w, int width, int k) {
    double sum = 0;
    for (int i = 0; i < depth; i++) sum += (double)x[i] * w[i * width + k];
    return sum;
}

static void lstm_step(const float *x, const float *const w[3], float *h, float *c) {
    const int width = 4 * UNITS;
    double z[4 * UNITS];
    for (int k = 0; k < width; k++) z[k] = column(x, DEPTH, w[0], width, k) + column(h, UNITS, w[1], width, k) + (double)w[2][k];
    for (int u = 0; u < UNITS; u++) {
        c[u] = (float)(sigmoid(z[UNITS + u]) * c[u] + sigmoid(z[u]) * tanh(z[2 * UNITS + u]));
        h[u] = (float)(sigmoid(z[3 * UNITS + u]) * tanh(c[u]));
    }
}

/* reset_after: the bias has two rows. */
static void gru_step(const float *x, const float *const w[3], float *h) {
    const int width = 3 * UNITS;
    double a[3 * UNITS], b[3 * UNITS];
    for (int k = 0; k < width; k++) {
        a[k] = column(x, DEPTH, w[0], width, k) + (double)w[2][k];
        b[k] = column(h, UNITS, w[1], width, k) + (double)w[2][width + k];
    }
    for (int u = 0; u < UNITS; u++) {
        const double z = sigmoid(a[u] + b[u]), r = sigmoid(a[UNITS + u] + b[UNITS + u]), g = tanh(a[2 * UNITS + u] + r * b[2 * UNITS + u]);
        h[u] = (float)(z * h[u] + (1 - z) * g);
    }
}

static void simple_step(const float *x, const float *const w[3], float *h) {
    double z[UNITS];
    for (int k = 0; k < UNITS; k++) z[k] = tanh(column(x, DEPTH, w[0], UNITS, k) + column(h, UNITS, w[1], UNITS, k) + (double)w[2][k]);
    for (int k = 0; k < UNITS; k++) h[k] = (float)z[k];
}

static void step(const char *kind, const float *x, const float *const w[3], float *h, float *c) {
    if (strcmp(kind, "LSTM") == 0) lstm_step(x, w, h, c);
    else if (strcmp(kind, "GRU") == 0) gru_step(x, w, h);
    else simple_step(x, w, h);
}

static const char *weights_of(const char *kind) {
    return strcmp(kind, "LSTM") == 0 ? "3x8 2x8 8" : strcmp(kind, "GRU") == 0 ? "3x6 2x6 2x6" : "3x2 2x2 2";
}

static const char *const kinds[] = {"LSTM", "GRU", "SimpleRNN"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static lc_model *make(fixture *f, const char *kind, const char *input, const char *config, bool unroll) {
    lc_error err;
    fixture_begin(f, "3.9.0");
    int x = fixture_input(f, "x", input), l = fixture_layer(f, kind, "layer", config, weights_of(kind), 1, &x);
    fixture_output(f, l);
    lc_model *m = fixture_lower(f, &(lc_lower_options){.unroll = unroll}, &err);
    if (!m) fail_msg("%s %s: %s", kind, config, err.message);
    return m;
}

/* All rows of a fresh sequence, or after `before` sequences more. */
static void expect(const fixture *f, const char *kind, bool backwards, int before, const float *got) {
    const float *const w[3] = {fixture_weight(f, 1, 0), fixture_weight(f, 1, 1), fixture_weight(f, 1, 2)};
    for (int b = 0; b < BATCH; b++) {
        float h[UNITS] = {0}, c[UNITS] = {0};
        for (int run = 0; run <= before; run++)
            for (int t = 0; t < STEPS; t++) {
                float x[DEPTH];
                const int row = backwards ? STEPS - 1 - t : t;
                for (int i = 0; i < DEPTH; i++) x[i] = fixture_value(100, (size_t)((b * STEPS + row) * DEPTH + i));
                step(kind, x, w, h, c);
                for (int u = 0; run == before && u < UNITS; u++)
                    if (fabs((double)got[(b * STEPS + t) * UNITS + u] - (double)h[u]) > 1e-5)
                        fail_msg("%s: run %d row %d of %d is %g, wanted %g", kind, before, t, b, (double)got[(b * STEPS + t) * UNITS + u],
                                 (double)h[u]);
            }
    }
}

/* LiteRT lets ADD write where one of its inputs lies, which no variable does, and crashes. */
static void expect_no_sum_in_a_variable(const lc_model *m) {
    const lc_graph *g = m->graphs[0];
    for (size_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].op == LC_OP_ADD) assert_false(g->tensors[g->nodes[i].outputs[0]].is_variable);
}

/* Every kind of loop gives what the maths says: open and fixed sizes, backwards, unrolled, as the operator that the rewrites make of it. */
static void test_values(void **state) {
    (void)state;
    static const char *const inputs[] = {"[null, 4, 3]", "[2, 4, 3]"};
    static float got[MANY];
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < 16; i++) {
            fixture f;
            size_t n = MANY;
            int32_t dims[LC_MAX_RANK], rank;
            char config[200];
            const bool backwards = i / 2 % 2;
            snprintf(config, sizeof config, "{\"units\": 2, \"return_sequences\": true, \"go_backwards\": %s}",
                     backwards ? "true" : "false");
            lc_model *m = make(&f, kinds[k], inputs[i % 2], config, i / 4 % 2);
            lc_error err;
            lc_text ops = {0};
            if (i >= 8 && lc_optimize(m, &err)) fail_msg("%s", err.message);
            expect_no_sum_in_a_variable(m);
            fixture_ops(m, &ops);
            const bool fused = strstr(ops.data, "UNIDIRECTIONAL_SEQUENCE_") != NULL;
            if (fused != (i >= 8 && strcmp(kinds[k], "GRU") != 0)) fail_msg("%s is %s", kinds[k], ops.data);
            lc_text_deinit(&ops);
            fixture_run(m, 1, got, &n, dims, &rank);
            assert_int_equal(n, BATCH * STEPS * UNITS);
            expect(&f, kinds[k], backwards, 0, got);
            lc_model_destroy(m);
            fixture_end(&f);
        }
}

/* A GRU in front, as a loop: its rows have the shape it begins with, so the LSTM behind it is an operator, with an open batch too. Where the
 * GRU's first state comes from an input with a batch of its own, that is not known. */
static void test_behind_a_loop(void **state) {
    (void)state;
    static float want[MANY], got[MANY];
    static const char *const inputs[] = {"[null, 4, 3]", "[null, null, 3]", "[2, 4, 3]"};
    for (int i = 0; i < 4; i++) {
        fixture f;
        lc_error err;
        lc_text ops = {0};
        size_t n = MANY, m = MANY;
        int32_t dims[LC_MAX_RANK], rank;
        fixture_begin(&f, "3.9.0");
        int x[2] = {fixture_input(&f, "x", inputs[i % 3]), 0};
        if (i == 3) x[1] = fixture_input(&f, "h", "[null, 2]");
        int g = fixture_layer(&f, "GRU", "g", "{\"units\": 2, \"return_sequences\": true}", "3x6 2x6 2x6", i == 3 ? 2 : 1, x);
        fixture_output(&f, fixture_layer(&f, "LSTM", "l", "{\"units\": 2, \"return_sequences\": true}", "2x8 2x8 8", 1, &g));
        lc_model *plain = fixture_lower(&f, NULL, &err), *made = plain ? fixture_lower(&f, NULL, &err) : NULL;
        if (!made || lc_optimize(made, &err)) fail_msg("%s", err.message);
        fixture_ops(made, &ops);
        const bool fused = strstr(ops.data, "UNIDIRECTIONAL_SEQUENCE_LSTM") != NULL;
        if (fused == (i == 3) || !strstr(ops.data, "WHILE")) fail_msg("%s is %s", inputs[i % 3], ops.data);
        fixture_run(plain, 1, want, &n, dims, &rank);
        fixture_run(made, 1, got, &m, dims, &rank);
        assert_int_equal(n, m);
        for (size_t k = 0; k < n; k++)
            if (fabsf(want[k] - got[k]) > 1e-6f)
                fail_msg("%s: element %zu is %g, wanted %g", inputs[i % 3], k, (double)got[k], (double)want[k]);
        lc_text_deinit(&ops);
        lc_model_destroy(plain);
        lc_model_destroy(made);
        fixture_end(&f);
    }
}

/* A second run begins anew; of a stateful layer it goes on. The model is as litec convert makes it: LSTM and SimpleRNN are operators with
 * variables. */
static void test_state(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++)
        for (int stateful = 0; stateful < 2; stateful++)
            for (int plain = 0; plain < 2; plain++) { /* without the rewrites */
                fixture f;
                lc_error err;
                lc_model *m = make(&f, kinds[k], "[2, 4, 3]",
                                   stateful ? "{\"units\": 2, \"return_sequences\": true, \"stateful\": true}"
                                            : "{\"units\": 2, \"return_sequences\": true}",
                                   false);
                lc_session *s;
                if (!plain && lc_optimize(m, &err)) fail_msg("%s", err.message);
                if (lc_session_create(m, NULL, &s, &err)) fail_msg("%s: %s", kinds[k], err.message);
                for (int run = 0; run < 3; run++) {
                    float *in = lc_session_input(s, 0).data;
                    for (size_t i = 0; i < BATCH * STEPS * DEPTH; i++) in[i] = fixture_value(100, i);
                    if (lc_session_run(s, &err)) fail_msg("%s: %s", kinds[k], err.message);
                    expect(&f, kinds[k], false, stateful ? run : 0, lc_session_output(s, 0).data);
                }
                lc_session_destroy(s);
                lc_model_destroy(m);
                fixture_end(&f);
            }
}

/* ---- what is refused ------------------------------------------------------------------------------------------------------- */

static void refuse(const char *class_name, const char *input, const char *config, const char *weights, const char *message) {
    fixture f;
    lc_error err = {0};
    fixture_begin(&f, "3.9.0");
    int x = fixture_input(&f, "x", input), l = fixture_layer(&f, class_name, "layer", config, weights, 1, &x);
    fixture_output(&f, l);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (m) fail_msg("%s %s is taken", class_name, config);
    if (!strstr(err.message, message) || !strstr(err.message, "layer"))
        fail_msg("%s %s: \"%s\", wanted \"%s\"", class_name, config, err.message, message);
    fixture_end(&f);
}

#define CELL(name) "{\"class_name\": \"" name "\", \"config\": {\"units\": 2}}"

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *class_name, *input, *config, *weights, *message;
    } cases[] = {
        {"LSTM", "[null, 4, 3]", "{}", "3x8 2x8 8", "units"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 0}", "3x8 2x8 8", "units"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2000000000}", "3x8 2x8 8", "units"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 200000000}", "3x8 2x8 8", "shape"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2}", "3x8 2x8", "holds 2 arrays for it, needs 3"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2, \"use_bias\": false}", "3x8 2x8 8", "holds 3 arrays for it, needs 2"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2}", "3x8 3x8 8", "has shape [3, 8], the config and its input need [2, 8]"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2}", "3x8 2x8 7", "has shape [7]"},
        {"LSTM", "[null, 4, null]", "{\"units\": 2}", "3x8 2x8 8", "not known"},
        {"LSTM", "[null, 3]", "{\"units\": 2}", "3x8 2x8 8", "dimensions"},
        {"LSTM", "[null, 4, 5, 3]", "{\"units\": 2}", "3x8 2x8 8", "dimensions"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2, \"stateful\": true}", "3x8 2x8 8", "fixed batch"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2, \"activation\": \"tahn\"}", "3x8 2x8 8", "activation"},
        {"LSTM", "[null, 4, 3]", "{\"units\": 2, \"return_sequences\": \"yes\"}", "3x8 2x8 8", "return_sequences"},
        {"GRU", "[null, 4, 3]", "{\"units\": 2}", "3x6 2x6 6x2", "has shape [6, 2]"},
        {"GRU", "[null, 4, 3]", "{\"units\": 2, \"reset_after\": false}", "3x6 2x6 2x6", "has shape [2, 6]"},
        {"CuDNNLSTM", "[null, 4, 3]", "{\"units\": 2}", "3x8 2x8 9", "has shape [9]"},
        {"SimpleRNN", "[null, 4, 3]", "{\"units\": 2}", "2x2 2x2 2", "has shape [2, 2], the config and its input need [3, 2]"},
        {"RNN", "[null, 4, 3]", "{}", "3x8 2x8 8", "cell"},
        {"RNN", "[null, 4, 3]", "{\"cell\": " CELL("MyCell") "}", "3x8 2x8 8", "MyCell"},
        {"RNN", "[null, 4, 3]", "{\"cell\": []}", "3x8 2x8 8", "cells"},
        {"RNN", "[null, 4, 3]", "{\"cell\": [" CELL("LSTMCell") ", 5]}", "3x8 2x8 8", "cell"},
        {"RNN", "[null, 4, 3]", "{\"cell\": [" CELL("LSTMCell") ", " CELL("LSTMCell") "]}", "3x8 2x8 8", "its 2 cells need 6"},
        {"RNN", "[null, 4, 3]", "{\"cell\": {\"class_name\": \"LSTMCell\", \"config\": 3}}", "3x8 2x8 8", "no config"},
        {"RNN", "[null, 4, 3]", "{\"cell\": " CELL("LSTMCell") ", \"num_constants\": 1}", "3x8 2x8 8", "constants"},
        {"Bidirectional", "[null, 4, 3]", "{}", "", "layer"},
        {"Bidirectional", "[null, 4, 3]", "{\"layer\": " CELL("LSTM") ", \"merge_mode\": \"max\"}", "3x8 2x8 8 3x8 2x8 8", "merge_mode"},
        {"Bidirectional", "[null, 4, 3]", "{\"layer\": " CELL("LSTM") "}", "3x8 2x8 8", "arrays"},
        {"Bidirectional", "[null, 4, 3]", "{\"layer\": " CELL("LSTM") ", \"backward_layer\": " CELL("LSTM") "}", "3x8 2x8 8 3x8 2x8 8",
         "backward_layer"},
        {"Bidirectional", "[null, 4, 3]", "{\"layer\": {\"class_name\": \"Wrong\", \"config\": {}}}", "3x8 2x8 8", "not Wrong"},
        {"Bidirectional", "[null, 4, 3]", "{\"layer\": " CELL("Bidirectional") "}", "3x8 2x8 8", "not Bidirectional"},
        {"TimeDistributed", "[null, 4, 3]", "{}", "", "layer"},
        {"TimeDistributed", "[null, 4, 3]", "{\"layer\": {\"class_name\": \"Wrong\", \"config\": {}}}", "", "does not know"},
        {"TimeDistributed", "[null, 3]", "{\"layer\": {\"class_name\": \"Flatten\", \"config\": {}}}", "", "dimensions"},
        {"ConvLSTM2D", "[null, 4, 5, 5, 3]", "{\"filters\": 2, \"kernel_size\": 3}", "3x3x3x8 3x3x3x8 8", "has shape [3, 3, 3, 8]"},
        {"ConvLSTM2D", "[null, 4, 5, 5, 3]", "{\"filters\": 2, \"kernel_size\": 7}", "7x7x3x8 7x7x2x8 8", "larger than its input"},
        {"ConvLSTM2D", "[null, 4, null, 5, 3]", "{\"filters\": 2, \"kernel_size\": 3}", "3x3x3x8 3x3x2x8 8", "not known"},
        {"ConvLSTM2D", "[null, 4, 5, 3]", "{\"filters\": 2, \"kernel_size\": 3}", "3x3x3x8 3x3x2x8 8", "dimensions"},
        {"ConvLSTM2D", "[null, 4, 5, 5, 3]", "{\"filters\": 2, \"kernel_size\": 3, \"strides\": 0}", "3x3x3x8 3x3x2x8 8", "strides"},
        {"Embedding", "[null, 4]", "{\"input_dim\": 5, \"output_dim\": 3}", "5x4", "has shape [5, 4]"},
        {"Embedding", "[null, 4]", "{\"input_dim\": 5}", "5x4", "output_dim"},
        {"Masking", "[null]", "{}", "", "dimensions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i].class_name, cases[i].input, cases[i].config, cases[i].weights, cases[i].message);
}

/* ---- no memory --------------------------------------------------------------------------------------------------------------- */

static lc_status lower_once(void *arg, lc_error *err) {
    lc_model *m;
    LC_TRY(lc_model_new(NULL, &m, err));
    const lc_status status = lc_lower_keras(arg, NULL, m, err);
    lc_model_destroy(m);
    return status;
}

/* Whatever allocation fails, the lowering says so and gives everything back. */
static void test_memory(void **state) {
    (void)state;
    fixture f;
    fixture_begin(&f, "3.9.0");
    int x = fixture_input(&f, "x", "[2, 4, 3]");
    int masked = fixture_layer(&f, "Masking", "masking", "{}", "", 1, &x);
    int both = fixture_layer(&f, "Bidirectional", "both",
                             "{\"layer\": {\"class_name\": \"GRU\", \"config\": {\"units\": 2, \"return_sequences\": true}}}",
                             "3x6 2x6 2x6 3x6 2x6 2x6", 1, &masked);
    int cells = fixture_layer(&f, "RNN", "cells",
                              "{\"cell\": [" CELL("LSTMCell") ", " CELL("GRUCell") "], \"stateful\": true, \"return_sequences\": true}",
                              "4x8 2x8 8 2x6 2x6 2x6", 1, &both);
    int each = fixture_layer(&f, "TimeDistributed", "each", "{\"layer\": {\"class_name\": \"Flatten\", \"config\": {}}}", "", 1, &cells);
    int last = fixture_layer(&f, "CuDNNLSTM", "last", "{\"units\": 2, \"unroll\": true}", "2x8 2x8 16", 1, &each);
    fixture_output(&f, last);
    fault_check(lower_once, &f.keras, NULL);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_behind_a_loop), cmocka_unit_test(test_state),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
