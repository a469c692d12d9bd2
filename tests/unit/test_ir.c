/*
 * Tests of src/ir: building, using, compacting, checking and comparing models, and their life with many references.
 */
#include "ir/ir.h"
#include "support/fault.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OP_ADD = 0, OP_RELU = 19, OP_WHILE = 119 }; /* builtin codes; ops/op.h is a layer above */

static lc_error err;

static void ok(lc_status s) {
    if (s != LC_OK) fail_msg("%s: %s", lc_status_name(s), err.message);
}

static int32_t tensor(lc_graph *g, const char *name, const float *data) {
    int32_t dims[] = {1, 4}, index;
    lc_tensor t = {.name = lc_str_of(name), .rank = 2, .dims = dims, .data = data, .size = data ? 16 : 0, .data_at = LC_NO_OFFSET};
    ok(lc_graph_add_tensor(g, &t, &index, &err));
    dims[0] = 99; /* the graph has its own copy */
    return index;
}

static lc_node *node(lc_graph *g, int32_t op, int32_t a, int32_t b, int32_t out) {
    int32_t in[] = {a, b};
    lc_node *n;
    lc_AddOptions options = {.fused_activation_function = 1, .pot_scale_int16 = 1};
    ok(lc_graph_add_node(g, op, op == OP_ADD ? LC_TABLE_AddOptions : LC_TABLE_NONE, op == OP_ADD ? &options : NULL, in,
                         op == OP_RELU ? 1 : 2, &out, 1, &n, &err));
    return n;
}

static const float ones[4] = {1, 1, 1, 1};

/* x ─ ADD(ones) ─ y ─ RELU ─ z */
static lc_model *chain(void) {
    lc_model *m;
    ok(lc_model_new(NULL, &m, &err));
    lc_graph *g = m->graphs[0];
    int32_t x = tensor(g, "x", NULL), c = tensor(g, "ones", ones), y = tensor(g, "y", NULL), z = tensor(g, "z", NULL);
    node(g, OP_ADD, x, c, y);
    node(g, OP_RELU, y, LC_ABSENT, z);
    ok(lc_graph_add_input(g, x, &err));
    ok(lc_graph_add_output(g, z, &err));
    m->signatures = (lc_signature *)lc_arena_array(&m->arena, 1, sizeof *m->signatures);
    m->signature_count = 1;
    lc_signature *s = &m->signatures[0];
    s->key = LC_STR("serving_default");
    s->inputs = (lc_signature_entry *)lc_arena_array(&m->arena, 2, sizeof *s->inputs);
    s->outputs = s->inputs + 1;
    s->input_count = s->output_count = 1;
    s->inputs[0] = (lc_signature_entry){LC_STR("in"), x};
    s->outputs[0] = (lc_signature_entry){LC_STR("out"), z};
    m->metadata = (lc_metadata *)lc_arena_array(&m->arena, 1, sizeof *m->metadata);
    m->metadata_count = 1;
    m->metadata[0] = (lc_metadata){LC_STR("min_runtime_version"), {(const uint8_t *)"1.14", 4}};
    m->metadata_buffers = (lc_vec_u8 *)lc_arena_array(&m->arena, 1, sizeof *m->metadata_buffers);
    m->metadata_buffer_count = 1;
    m->metadata_buffers[0] = (lc_vec_u8){(const uint8_t *)"old.", 4};
    static const lc_ExternalBufferGroup group = {.name = {"a", 1}};
    m->external_groups = &group;
    m->external_group_count = 1;
    return m;
}

static void building(void **state) {
    (void)state;
    lc_model *m = chain();
    const lc_graph *g = m->graphs[0];
    assert_int_equal(m->schema_version, 3);
    assert_true(lc_str_is(g->name, "main"));
    assert_int_equal(g->tensor_count, 4);
    assert_int_equal(g->tensors[0].dims[0], 1);
    assert_string_equal(g->tensors[1].name.data, "ones"); /* a NUL follows */
    assert_true(lc_tensor_is_const(&g->tensors[1]) && !lc_tensor_is_const(&g->tensors[0]));
    assert_int_equal(((const lc_AddOptions *)g->nodes[0].attrs)->fused_activation_function, 1);
    assert_int_equal(g->nodes[1].attrs_table, LC_TABLE_NONE);
    assert_null(g->nodes[1].attrs);
    assert_int_equal(g->nodes[1].input_count, 1);
    ok(lc_model_check(m, &err));
    lc_model_destroy(m);
    lc_model_destroy(NULL);
}

static void growing(void **state) {
    (void)state;
    lc_model *m;
    ok(lc_model_new(NULL, &m, &err));
    lc_graph *g = m->graphs[0];
    int32_t last = tensor(g, "t", ones);
    for (int i = 0; i < 3000; i++) { /* a copy of a tensor of the array that grows */
        lc_tensor copy = g->tensors[last];
        copy.data = NULL, copy.size = 0;
        int32_t next;
        ok(lc_graph_add_tensor(g, i % 2 ? &copy : &g->tensors[last], &next, &err));
        g->tensors[next].data = NULL, g->tensors[next].size = 0;
        node(g, OP_RELU, last, LC_ABSENT, next);
        last = next;
    }
    assert_int_equal(g->node_count, 3000);
    for (int i = 0; i < 20; i++) {
        lc_graph *h = lc_model_add_graph(m, LC_STR("body"));
        assert_non_null(h);
        assert_ptr_equal(h->model, m);
    }
    assert_ptr_equal(m->graphs[0], g); /* addresses stay */
    assert_int_equal(m->graph_count, 21);
    ok(lc_model_check(m, &err));
    lc_model_destroy(m);
    lc_limits few = {.max_nodes = 2};
    ok(lc_model_new(&few, &m, &err));
    g = m->graphs[0];
    last = tensor(g, "t", ones);
    node(g, OP_RELU, last, LC_ABSENT, tensor(g, "a", NULL));
    node(g, OP_RELU, last, LC_ABSENT, tensor(g, "b", NULL));
    assert_int_equal(lc_graph_add_node(g, OP_RELU, LC_TABLE_NONE, NULL, &last, 1, NULL, 0, NULL, &err), LC_LIMIT);
    lc_model_destroy(m);
}

static void uses(void **state) {
    (void)state;
    lc_model *m = chain();
    lc_graph *g = m->graphs[0];
    uint32_t counts[4];
    int32_t producer[4];
    lc_graph_count_uses(g, counts);
    assert_true(counts[0] == 1 && counts[1] == 1 && counts[2] == 1 && counts[3] == 1);
    lc_graph_producers(g, producer);
    assert_true(producer[0] == -1 && producer[1] == -1 && producer[2] == 0 && producer[3] == 1);
    g->outputs[0] = m->signatures[0].outputs[0].tensor = 2; /* as when RELU goes away */
    g->nodes[1].op = LC_NODE_DEAD;
    lc_graph_count_uses(g, counts);
    assert_true(counts[2] == 1 && counts[3] == 0); /* dead nodes read nothing */
    lc_graph_producers(g, producer);
    assert_int_equal(producer[3], -1);
    ok(lc_graph_compact(g, &err));
    assert_true(g->node_count == 1 && g->tensor_count == 3);
    ok(lc_model_check(m, &err));
    lc_model_destroy(m);
}

/* Only what is named stays, in its order, and every index follows. */
static void compacting(void **state) {
    (void)state;
    lc_model *m;
    ok(lc_model_new(NULL, &m, &err));
    lc_graph *g = m->graphs[0];
    tensor(g, "unused0", NULL);
    int32_t x = tensor(g, "x", NULL);
    tensor(g, "unused1", ones);
    int32_t y = tensor(g, "y", NULL), mid = tensor(g, "mid", NULL);
    tensor(g, "unused2", NULL);
    int32_t dead = tensor(g, "dead", NULL);
    node(g, OP_RELU, x, LC_ABSENT, dead)->op = LC_NODE_DEAD;
    lc_node *n = node(g, OP_ADD, x, LC_ABSENT, y);
    n->intermediates = &mid;
    n->intermediate_count = 1;
    ok(lc_graph_add_input(g, x, &err));
    ok(lc_graph_add_output(g, y, &err));
    lc_signature s = {.key = LC_STR("k"), .graph = 0};
    lc_signature other = {.key = LC_STR("other graph"), .graph = 1};
    lc_signature_entry in = {LC_STR("in"), x}, out = {LC_STR("out"), y}, away = {LC_STR("in"), 1};
    s.inputs = &in, s.outputs = &out, s.input_count = s.output_count = 1;
    other.inputs = &away, other.input_count = 1;
    lc_signature both[] = {s, other};
    m->signatures = both;
    m->signature_count = 2;
    ok(lc_graph_compact(g, &err));
    assert_int_equal(g->tensor_count, 3);
    assert_string_equal(g->tensors[0].name.data, "x");
    assert_string_equal(g->tensors[1].name.data, "y");
    assert_string_equal(g->tensors[2].name.data, "mid");
    assert_int_equal(g->node_count, 1);
    assert_true(g->nodes[0].inputs[0] == 0 && g->nodes[0].inputs[1] == LC_ABSENT && g->nodes[0].outputs[0] == 1 &&
                g->nodes[0].intermediates[0] == 2);
    assert_true(g->inputs[0] == 0 && g->outputs[0] == 1 && in.tensor == 0 && out.tensor == 1 && away.tensor == 1);
    ok(lc_graph_compact(g, &err)); /* again: nothing to do */
    assert_int_equal(g->tensor_count, 3);
    lc_graph *empty = lc_model_add_graph(m, LC_STR("empty"));
    ok(lc_graph_compact(empty, &err));
    lc_model_destroy(m);
}

/* ---- check: each broken promise, one at a time, in a model that is right otherwise ---- */

static void break_index_in(lc_model *m) { m->graphs[0]->nodes[0].inputs[0] = 99; }
static void break_index_below(lc_model *m) { m->graphs[0]->nodes[0].inputs[0] = -2; }
static void break_index_out(lc_model *m) { m->graphs[0]->nodes[1].outputs[0] = LC_ABSENT; }
static void break_intermediate(lc_model *m) {
    static int32_t far[] = {4};
    m->graphs[0]->nodes[0].intermediates = far, m->graphs[0]->nodes[0].intermediate_count = 1;
}
static void break_order(lc_model *m) { m->graphs[0]->nodes[0].inputs[0] = 2; }
static void break_writers(lc_model *m) { m->graphs[0]->nodes[1].outputs[0] = 2; }
static void break_constant(lc_model *m) { m->graphs[0]->nodes[1].outputs[0] = 1; }
static void break_input_written(lc_model *m) { m->graphs[0]->nodes[1].outputs[0] = 0; }
static void break_variable(lc_model *m) { m->graphs[0]->tensors[1].is_variable = true; }
static void break_size(lc_model *m) { m->graphs[0]->tensors[1].size = 12; }
static void break_shape(lc_model *m) { m->graphs[0]->tensors[0].dims[0] = -4; }
static void break_type(lc_model *m) { m->graphs[0]->tensors[0].type = LC_DTYPE_COUNT; }
static void break_signature_shape(lc_model *m) {
    static int32_t other[] = {2, 2};
    m->graphs[0]->tensors[0].signature = m->graphs[0]->tensors[0].dims, m->graphs[0]->tensors[0].dims = other;
}
static void break_attrs(lc_model *m) { m->graphs[0]->nodes[0].attrs = NULL; }
static void break_graph_input(lc_model *m) { m->graphs[0]->inputs[0] = 4; }
static void break_graph_output(lc_model *m) { m->graphs[0]->outputs[0] = -1; }
static void break_unwritten_output(lc_model *m) { m->graphs[0]->node_count = 1; }
static void break_signature_graph(lc_model *m) { m->signatures[0].graph = 1; }
static void break_signature_in(lc_model *m) { m->signatures[0].inputs[0].tensor = 4; }
static void break_signature_out(lc_model *m) { m->signatures[0].outputs[0].tensor = -1; }
static void break_graphs(lc_model *m) { m->graph_count = 0; }

static void checking(void **state) {
    (void)state;
    static const struct {
        void (*make)(lc_model *);
        const char *words;
    } breaks[] = {
        {break_index_in, "input 0 names tensor 99 of 4"},
        {break_index_below, "input 0 names tensor -2"},
        {break_index_out, "output 0 names tensor -1"},
        {break_intermediate, "intermediate 0 names tensor 4"},
        {break_order, "reads tensor 2 before"},
        {break_writers, "tensor 2 has two writers"},
        {break_constant, "tensor 1, a constant"},
        {break_input_written, "tensor 0 has two writers"},
        {break_variable, "a variable cannot be constant"},
        {break_size, "holds 12 bytes"},
        {break_shape, "negative"},
        {break_type, "type"},
        {break_attrs, "options without a table"},
        {break_graph_input, "input 0 names tensor 4"},
        {break_graph_output, "output 0 names tensor -1"},
        {break_unwritten_output, "which nothing writes"},
        {break_signature_graph, "signature 0: names graph 1"},
        {break_signature_in, "signature 0: input 0 names tensor 4"},
        {break_signature_out, "signature 0: output 0 names tensor -1"},
        {break_graphs, "no graph"},
    };
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        lc_model *m = chain();
        ok(lc_model_check(m, &err));
        breaks[i].make(m);
        if (lc_model_check(m, &err) != LC_INVALID) fail_msg("\"%s\" passes", breaks[i].words);
        if (!strstr(err.message, breaks[i].words)) fail_msg("\"%s\" is not in: %s", breaks[i].words, err.message);
        lc_model_destroy(m);
    }
    lc_model *m = chain();
    break_signature_shape(m);
    assert_int_equal(lc_model_check(m, NULL), LC_INVALID);
    int32_t open[] = {-1, 2};
    m->graphs[0]->tensors[0].signature = open;
    ok(lc_model_check(m, &err)); /* open dimensions are what a signature is for */
    lc_model_destroy(m);
}

/* Graphs that call each other: a tree and a diamond are fine, a circle of any length and a missing graph are not. */
static void caller(lc_graph *g, int32_t cond, int32_t body) {
    lc_WhileOptions options = {.cond_subgraph_index = cond, .body_subgraph_index = body};
    ok(lc_graph_add_node(g, OP_WHILE, LC_TABLE_WhileOptions, &options, NULL, 0, NULL, 0, NULL, &err));
}

static void calls(void **state) {
    (void)state;
    lc_model *m;
    ok(lc_model_new(NULL, &m, &err));
    for (int i = 0; i < 4; i++) assert_non_null(lc_model_add_graph(m, LC_STR("g")));
    caller(m->graphs[0], 1, 2);
    caller(m->graphs[1], 3, 3);
    caller(m->graphs[2], 3, 4);
    ok(lc_model_check(m, &err));
    lc_StablehloCaseOptions branches = {.branch_subgraph_indices = {(const int32_t[]){3, 4}, 2}};
    ok(lc_graph_add_node(m->graphs[2], 207, LC_TABLE_StablehloCaseOptions, &branches, NULL, 0, NULL, 0, NULL, &err));
    ok(lc_model_check(m, &err));
    caller(m->graphs[4], 3, 5);
    assert_int_equal(lc_model_check(m, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "calls graph 5 of 5"));
    lc_WhileOptions *w = (lc_WhileOptions *)m->graphs[4]->nodes[0].attrs;
    w->body_subgraph_index = -1;
    assert_int_equal(lc_model_check(m, &err), LC_INVALID);
    w->body_subgraph_index = 4; /* itself */
    assert_int_equal(lc_model_check(m, &err), LC_INVALID);
    w->body_subgraph_index = 2; /* 2 calls 4 calls 2 */
    assert_int_equal(lc_model_check(m, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "calls it"));
    w->body_subgraph_index = 0;
    assert_int_equal(lc_model_check(m, &err), LC_INVALID);
    m->graphs[4]->nodes[0].op = LC_NODE_DEAD;
    ok(lc_model_check(m, &err));
    lc_model_destroy(m);
}

/* A chain of calls as long as there is memory needs no stack. */
static void deep_calls(void **state) {
    (void)state;
    enum { N = 20000 };
    lc_model *m;
    ok(lc_model_new(NULL, &m, &err));
    for (int i = 1; i < N; i++) assert_non_null(lc_model_add_graph(m, LC_STR("g")));
    for (int i = 0; i + 1 < N; i++) caller(m->graphs[i], i + 1, i + 1);
    ok(lc_model_check(m, &err));
    caller(m->graphs[N - 1], N - 2, N - 1);
    assert_int_equal(lc_model_check(m, &err), LC_INVALID);
    lc_model_destroy(m);
}

/* ---- equal: each difference is seen and said ---- */

static void other_name(lc_model *m) { m->graphs[0]->tensors[0].name = LC_STR("w"); }
static void other_type(lc_model *m) { m->graphs[0]->tensors[0].type = LC_INT32; }
static void other_rank(lc_model *m) { m->graphs[0]->tensors[0].rank = 1; }
static void other_has_rank(lc_model *m) { m->graphs[0]->tensors[0].has_rank = true; }
static void other_dims(lc_model *m) { m->graphs[0]->tensors[0].dims[1] = 5; }
static void other_open(lc_model *m) { m->graphs[0]->tensors[0].signature = m->graphs[0]->tensors[0].dims; }
static void other_data(lc_model *m) {
    static const float twos[4] = {1, 1, 2, 1};
    m->graphs[0]->tensors[1].data = twos;
}
static void other_const(lc_model *m) { m->graphs[0]->tensors[1].data = NULL; }
static void other_size(lc_model *m) { m->graphs[0]->tensors[1].size = 8; }
static void other_variable(lc_model *m) { m->graphs[0]->tensors[0].is_variable = true; }
static void other_quant(lc_model *m) {
    static const lc_QuantizationParameters q;
    m->graphs[0]->tensors[0].quant = &q;
}
static void other_sparsity(lc_model *m) {
    static const lc_SparsityParameters q;
    m->graphs[0]->tensors[0].sparsity = &q;
}
static void other_variants(lc_model *m) {
    static const lc_VariantSubType v;
    m->graphs[0]->tensors[0].variants = &v, m->graphs[0]->tensors[0].variant_count = 1;
}
static void other_external(lc_model *m) { m->graphs[0]->tensors[0].external_buffer = 3; }
static void other_op(lc_model *m) { m->graphs[0]->nodes[1].op = OP_ADD; }
static void other_version(lc_model *m) { m->graphs[0]->nodes[1].version = 2; }
static void other_custom(lc_model *m) { m->graphs[0]->nodes[1].custom_code = LC_STR("X"); }
static void other_inputs(lc_model *m) { m->graphs[0]->nodes[0].inputs[0] = 1; }
static void other_outputs(lc_model *m) { m->graphs[0]->nodes[0].outputs[0] = 1; }
static void other_intermediates(lc_model *m) {
    m->graphs[0]->nodes[0].intermediates = m->graphs[0]->outputs, m->graphs[0]->nodes[0].intermediate_count = 1;
}
static void other_table(lc_model *m) { m->graphs[0]->nodes[0].attrs_table = LC_TABLE_SubOptions; }
static void other_attrs(lc_model *m) { ((lc_AddOptions *)m->graphs[0]->nodes[0].attrs)->pot_scale_int16 = 0; }
static void other_custom_options(lc_model *m) { m->graphs[0]->nodes[0].custom_options = (lc_vec_u8){(const uint8_t *)"a", 1}; }
static void other_mutating(lc_model *m) { m->graphs[0]->nodes[0].mutating = (lc_vec_bool){(const uint8_t *)"\1\0", 2}; }
static void other_debug(lc_model *m) { m->graphs[0]->nodes[0].debug_metadata_index = 4; }
static void other_graph_name(lc_model *m) { m->graphs[0]->name = LC_STR("mein"); }
static void other_graph_debug(lc_model *m) { m->graphs[0]->debug_metadata_index = 0; }
static void other_tensors(lc_model *m) { tensor(m->graphs[0], "more", NULL); }
static void other_nodes(lc_model *m) { m->graphs[0]->node_count = 1; }
static void other_graph_inputs(lc_model *m) { m->graphs[0]->inputs[0] = 1; }
static void other_graph_outputs(lc_model *m) { ok(lc_graph_add_output(m->graphs[0], 2, &err)); }
static void other_graphs(lc_model *m) { assert_non_null(lc_model_add_graph(m, LC_STR("b"))); }
static void other_schema(lc_model *m) { m->schema_version = 4; }
static void other_description(lc_model *m) { m->description = LC_STR(""); }
static void other_signatures(lc_model *m) { m->signature_count = 0; }
static void other_key(lc_model *m) { m->signatures[0].key = LC_STR("k"); }
static void other_signature_in(lc_model *m) { m->signatures[0].inputs[0].name = LC_STR("k"); }
static void other_signature_out(lc_model *m) { m->signatures[0].outputs[0].tensor = 2; }
static void other_metadata(lc_model *m) { m->metadata_count = 0; }
static void other_metadata_data(lc_model *m) { m->metadata[0].data.data = (const uint8_t *)"1.15"; }
static void other_external_groups(lc_model *m) { m->external_group_count = 0; }
static void other_external_buffers(lc_model *m) {
    static const lc_ExternalBuffer b;
    m->external_buffers = &b, m->external_buffer_count = 1;
}
static void other_tag(lc_model *m) { m->signatures[0].deprecated_tag = LC_STR("serve"); }
static void other_old_metadata(lc_model *m) { m->metadata_buffer_count = 0; }
static void other_old_metadata_data(lc_model *m) { m->metadata_buffers[0].data = (const uint8_t *)"old?"; }
static void other_group_name(lc_model *m) {
    static const lc_ExternalBufferGroup g = {.name = {"b", 1}};
    m->external_groups = &g;
}
static void other_codes(lc_model *m) {
    static const lc_OperatorCode c;
    m->unused_op_codes = &c, m->unused_op_code_count = 1;
}

static void comparing(void **state) {
    (void)state;
    static const struct {
        void (*make)(lc_model *);
        const char *words;
    } others[] = {
        {other_name, "name"},
        {other_type, "type"},
        {other_rank, "rank"},
        {other_has_rank, "rank"},
        {other_dims, "shapes"},
        {other_open, "shape signatures"},
        {other_data, "data differ"},
        {other_const, "constant in one"},
        {other_size, "bytes of data"},
        {other_variable, "variable in one"},
        {other_quant, "quantisation"},
        {other_sparsity, "sparsity"},
        {other_variants, "variant types"},
        {other_external, "external buffer"},
        {other_op, "operator"},
        {other_version, "version"},
        {other_custom, "custom codes"},
        {other_inputs, "inputs differ"},
        {other_outputs, "outputs differ"},
        {other_intermediates, "intermediates"},
        {other_table, "options of another kind"},
        {other_attrs, "AddOptions differ"},
        {other_custom_options, "custom options"},
        {other_mutating, "mutating"},
        {other_debug, "node 0: debug metadata"},
        {other_graph_name, "names differ"},
        {other_graph_debug, "graph 0: debug metadata"},
        {other_tensors, "tensors"},
        {other_nodes, "nodes"},
        {other_graph_inputs, "graph 0: inputs"},
        {other_graph_outputs, "graph 0: outputs"},
        {other_graphs, "graphs"},
        {other_schema, "schema version"},
        {other_description, "descriptions"},
        {other_signatures, "signatures"},
        {other_key, "signature 0"},
        {other_signature_in, "signature 0"},
        {other_signature_out, "signature 0"},
        {other_metadata, "metadata entries"},
        {other_metadata_data, "metadata 0"},
        {other_external_groups, "external buffers"},
        {other_external_buffers, "external buffers"},
        {other_group_name, "external buffers"},
        {other_tag, "signature 0"},
        {other_old_metadata, "entries of metadata_buffer"},
        {other_old_metadata_data, "metadata_buffer 0"},
        {other_codes, "operator codes"},
    };
    lc_model *a = chain();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        lc_model *b = chain();
        if (!lc_model_equal(a, b, &err)) fail_msg("%s", err.message);
        others[i].make(b);
        if (lc_model_equal(a, b, &err)) fail_msg("\"%s\" is not seen", others[i].words);
        if (!strstr(err.message, others[i].words)) fail_msg("\"%s\" is not in: %s", others[i].words, err.message);
        assert_false(lc_model_equal(b, a, NULL));
        lc_model_destroy(b);
    }
    lc_model_destroy(a);
}

/* ---- sizes ---- */

static void sizes(void **state) {
    (void)state;
    uint64_t n = 7, bytes = 7;
    int32_t dims[] = {3, 0x7fffffff, 0x7fffffff, 0x7fffffff};
    assert_true(lc_tensor_elements(&(lc_tensor){.rank = 0}, &n) && n == 1);
    assert_true(lc_tensor_elements(&(lc_tensor){.rank = -1}, &n) && n == 1);
    assert_true(lc_tensor_elements(&(lc_tensor){.rank = 2, .dims = dims}, &n) && n == 3ull * 0x7fffffff);
    assert_false(lc_tensor_elements(&(lc_tensor){.rank = 4, .dims = dims}, &n));
    dims[1] = -1;
    assert_false(lc_tensor_elements(&(lc_tensor){.rank = 2, .dims = dims}, &n));
    assert_true(lc_dtype_bytes(LC_FLOAT32, 5, &bytes) && bytes == 20);
    assert_true(lc_dtype_bytes(LC_COMPLEX128, 2, &bytes) && bytes == 32);
    assert_true(lc_dtype_bytes(LC_INT4, 5, &bytes) && bytes == 3);
    assert_true(lc_dtype_bytes(LC_INT2, 5, &bytes) && bytes == 2);
    assert_true(lc_dtype_bytes(LC_INT2, 0, &bytes) && bytes == 0);
    assert_false(lc_dtype_bytes(LC_STRING, 1, &bytes));
    assert_false(lc_dtype_bytes((lc_dtype)77, 1, &bytes));
    assert_false(lc_dtype_bytes(LC_FLOAT32, UINT64_MAX / 2, &bytes));
    assert_false(lc_dtype_bytes(LC_INT4, UINT64_MAX / 2, &bytes));
    lc_tensor open = {.rank = 1, .dims = (int32_t[]){1}, .signature = (int32_t[]){-1}};
    assert_int_equal(lc_tensor_dim(&open, 0), -1);
    open.signature = NULL;
    assert_int_equal(lc_tensor_dim(&open, 0), 1);
}

/* ---- life ---- */

static int runtime_freed;
static void count_freed(void *runtime) {
    assert_ptr_equal(runtime, &runtime_freed);
    runtime_freed++;
}

static void *hold_and_drop(void *model) {
    for (int i = 0; i < 20000; i++) {
        lc_model_retain((lc_model *)model);
        lc_model_destroy((lc_model *)model);
    }
    lc_model_destroy((lc_model *)model);
    return NULL;
}

static void references(void **state) {
    (void)state;
    fault_install();
    lc_model *m = chain();
    m->buffer = lc_malloc_aligned(100);
    m->runtime = &runtime_freed;
    m->runtime_deinit = count_freed;
    ok(lc_map_open(&m->map, LC_TEST_DIR "/unit/test_ir.c", NULL, &err));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        lc_model_retain(m);
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_drop, m), 0);
    }
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_int_equal(runtime_freed, 0);
    lc_model_destroy(m);
    assert_int_equal(runtime_freed, 1);
    assert_int_equal(fault_live(), 0);
    fault_remove();
}

static lc_status build_and_compact(void *arg, lc_error *e) {
    (void)arg;
    lc_model *m;
    LC_TRY(lc_model_new(NULL, &m, e));
    lc_status s = LC_OK;
    for (int i = 0; s == LC_OK && i < 300; i++) {
        lc_graph *g = i % 10 ? m->graphs[m->graph_count - 1] : lc_model_add_graph(m, LC_STR("graph"));
        int32_t dims[] = {1, 2, 3}, t;
        lc_AddOptions add = {0};
        if (!g) s = lc_fail_memory(e, "graph");
        if (s == LC_OK) s = lc_graph_add_tensor(g, &(lc_tensor){.name = LC_STR("name"), .rank = 3, .dims = dims, .signature = dims}, &t, e);
        if (s == LC_OK) s = lc_graph_add_node(g, OP_ADD, LC_TABLE_AddOptions, &add, &t, 1, NULL, 0, NULL, e);
        if (s == LC_OK) s = lc_graph_add_input(g, t, e);
        if (s == LC_OK) s = lc_graph_add_output(g, t, e);
        if (s == LC_OK && i % 50 == 0) s = lc_graph_compact(g, e);
    }
    if (s == LC_OK) s = lc_model_check(m, e);
    lc_model_destroy(m);
    return s;
}

static void allocation_failures(void **state) {
    (void)state;
    assert_true(fault_check(build_and_compact, NULL, NULL) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building),
        cmocka_unit_test(growing),
        cmocka_unit_test(uses),
        cmocka_unit_test(compacting),
        cmocka_unit_test(checking),
        cmocka_unit_test(calls),
        cmocka_unit_test(deep_calls),
        cmocka_unit_test(comparing),
        cmocka_unit_test(sizes),
        cmocka_unit_test(references),
        cmocka_unit_test(allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
