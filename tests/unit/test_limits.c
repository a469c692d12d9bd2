/*
 * test_limits.c: lc_session_options.max_memory holds for all that a session takes: the blocks of called graphs, what a loop lets grow,
 * packed weights; and however deep in calls a limit is met, the message ends with what it was.
 */
#include "runtime/session.h"

#include "ops/build.h"
#include "ops/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 1000 }; /* elements of a value: 4,000 bytes */
static lc_error err;

static int32_t tensor(lc_graph *g, lc_dtype type, int32_t n) {
    int32_t index = -1, dims[] = {n};
    assert_int_equal(
        lc_graph_add_tensor(g, &(lc_tensor){.name = LC_STR("t"), .type = type, .rank = 1, .dims = dims, .has_rank = true}, &index, &err),
        LC_OK);
    return index;
}

static void node(lc_graph *g, int32_t op, lc_table_id table, const void *attrs, const int32_t *in, uint32_t ins, int32_t out) {
    lc_node *n;
    assert_int_equal(lc_graph_add_node(g, op, table, attrs, in, ins, &out, 1, &n, &err), LC_OK);
}

static int32_t input(lc_graph *g, lc_dtype type, int32_t n) {
    const int32_t t = tensor(g, type, n);
    assert_int_equal(lc_graph_add_input(g, t, &err), LC_OK);
    return t;
}

/* y = op(x) in a graph of its own. */
static void unary(lc_model *m, int32_t op) {
    lc_graph *g = lc_model_add_graph(m, LC_STR("called"));
    assert_non_null(g);
    const int32_t x = input(g, LC_FLOAT32, N), y = tensor(g, LC_FLOAT32, N);
    node(g, op, LC_TABLE_NONE, NULL, &x, 1, y);
    assert_int_equal(lc_graph_add_output(g, y, &err), LC_OK);
}

static lc_status try_run(lc_model *m, uint64_t max_memory) {
    lc_session *s;
    LC_TRY(lc_session_create(m, &(lc_session_options){.max_memory = max_memory}, &s, &err));
    const lc_status status = lc_session_run(s, &err);
    lc_session_destroy(s);
    return status;
}

/* Each of ten calls has a block of its own; none is over the limit, all of them are. */
static void test_called_graphs(void **unused) {
    (void)unused;
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_graph *g = m->graphs[0];
    unary(m, LC_OP_NEG);
    int32_t x = input(g, LC_FLOAT32, N);
    for (int i = 0; i < 10; i++) {
        const int32_t y = tensor(g, LC_FLOAT32, N);
        node(g, LC_OP_CALL, LC_TABLE_CallOptions, &(lc_CallOptions){.subgraph = 1}, &x, 1, y);
        x = y;
    }
    assert_int_equal(lc_graph_add_output(g, x, &err), LC_OK);
    assert_int_equal(try_run(m, 200000), LC_OK);
    assert_int_equal(try_run(m, 40000), LC_LIMIT);
    assert_non_null(strstr(err.message, "activations need"));
    assert_int_equal(try_run(m, 200000), LC_OK);
    lc_model_destroy(m);
}

/* x, x and x, x and x and x and x ... for ever. */
static void test_growing_loop(void **unused) {
    (void)unused;
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_graph *g = m->graphs[0], *c = lc_model_add_graph(m, LC_STR("cond")), *b = lc_model_add_graph(m, LC_STR("body"));
    assert_true(c && b);
    static const uint8_t yes = 1;
    int32_t truth = -1, dims[] = {1};
    input(c, LC_FLOAT32, N);
    assert_int_equal(
        lc_graph_add_tensor(
            c, &(lc_tensor){.name = LC_STR("true"), .type = LC_BOOL, .rank = 1, .dims = dims, .has_rank = true, .data = &yes, .size = 1},
            &truth, &err),
        LC_OK);
    const int32_t both[] = {truth, truth}, go_on = tensor(c, LC_BOOL, 1);
    node(c, LC_OP_LOGICAL_AND, LC_TABLE_NONE, NULL, both, 2, go_on);
    assert_int_equal(lc_graph_add_output(c, go_on, &err), LC_OK);
    const int32_t x = input(b, LC_FLOAT32, N), twice[] = {x, x}, y = tensor(b, LC_FLOAT32, 2 * N);
    node(b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &(lc_ConcatenationOptions){0}, twice, 2, y);
    assert_int_equal(lc_graph_add_output(b, y, &err), LC_OK);
    const int32_t in = input(g, LC_FLOAT32, N), out = tensor(g, LC_FLOAT32, N);
    node(g, LC_OP_WHILE, LC_TABLE_WhileOptions, &(lc_WhileOptions){.cond_subgraph_index = 1, .body_subgraph_index = 2}, &in, 1, out);
    assert_int_equal(lc_graph_add_output(g, out, &err), LC_OK);
    assert_int_equal(try_run(m, 1000000), LC_LIMIT);
    assert_non_null(strstr(err.message, "limit of 1000000"));
    lc_model_destroy(m);
}

/* Forty graphs, each of which calls the next twice: 2^40 to prepare. */
static void test_doubling_calls(void **unused) {
    (void)unused;
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    for (int i = 0; i < 40; i++) {
        lc_graph *g = i ? lc_model_add_graph(m, LC_STR("a graph with a name that takes some room")) : m->graphs[0];
        assert_non_null(g);
        int32_t x = input(g, LC_FLOAT32, N);
        for (int k = 0; k < 2 && i < 39; k++) {
            const int32_t y = tensor(g, LC_FLOAT32, N);
            node(g, LC_OP_CALL, LC_TABLE_CallOptions, &(lc_CallOptions){.subgraph = (uint32_t)i + 1}, &x, 1, y);
            x = y;
        }
        assert_int_equal(lc_graph_add_output(g, x, &err), LC_OK);
    }
    assert_int_equal(try_run(m, 0), LC_LIMIT);
    assert_memory_equal(err.message, "node 0 CALL \"t\": ", 17);
    const char *reason = "graphs would be prepared for one run";
    assert_string_equal(err.message + strlen(err.message) - strlen(reason), reason);
    lc_model_destroy(m);
}

static lc_model *dense(void) {
    static float weights[64 * 64];
    lc_model *m;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){8, 64}, 2);
    const int32_t in[] = {x, lc_build_const(&b, "w", LC_FLOAT32, (int32_t[]){64, 64}, 2, weights, sizeof weights, true), LC_ABSENT};
    const int32_t y = lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3);
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    return m;
}

static void test_packed_weights(void **unused) {
    (void)unused;
    lc_model *m = dense();
    lc_session *s;
    assert_int_equal(lc_session_create(m, NULL, &s, &err), LC_OK);
    const lc_memory_stats stats = lc_session_memory(s);
    const bool packs = strcmp(lc_session_isa(s), "ref") != 0;
    lc_session_destroy(s);
    lc_model_destroy(m);
    assert_int_equal(stats.packed > 0, packs);
    m = dense();
    assert_int_equal(try_run(m, stats.arena + stats.packed), LC_OK);
    lc_model_destroy(m);
    m = dense();
    if (packs) assert_int_equal(try_run(m, stats.packed - 1), LC_LIMIT);
    if (packs) assert_non_null(strstr(err.message, "packed weights"));
    if (packs) assert_int_equal(try_run(m, stats.packed + stats.arena - 1), LC_LIMIT);
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_called_graphs), cmocka_unit_test(test_growing_loop),
                                       cmocka_unit_test(test_doubling_calls), cmocka_unit_test(test_packed_weights)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
