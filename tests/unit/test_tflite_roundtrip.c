/*
 * Tests of reading and writing .tflite: every file of tests/data/tflite (made by TensorFlow, tests/oracle/make_tflite.py) and
 * the model that has one of everything (support/tflite_model.h) load, are written, and load again equal; what is loaded is what
 * the file says; equal constants are one buffer; the bytes are the same every time; misaligned bytes and constants are copied;
 * and each allocation may fail.
 */
#include "emit/emit.h"
#include "ops/op.h"
#include "runtime/load.h"
#include "source/source.h"
#include "support/fault.h"
#include "support/tflite_model.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static tflite_model f;
static lc_error err;

static void must(lc_status status) {
    if (status != LC_OK) fail_msg("%s %s: %s", lc_status_name(status), err.rule, err.message);
}

static tflite_bytes emit(const lc_model *m) {
    tflite_bytes b = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    uint64_t size;
    must(lc_emit_tflite(m, &sink, &size, &err));
    assert_int_equal(size, b.size);
    return b;
}

static tflite_bytes write_structs(const lc_Model *m) {
    tflite_bytes b = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    must(lc_fb_write(m, &sink, NULL, &err));
    return b;
}

/* Load, write, load: equal. Write again: the same bytes. */
static void round_trip(const void *data, size_t size, const char *name) {
    lc_model *m, *again;
    must(lc_tflite_load(data, size, NULL, &m, &err));
    must(lc_model_check(m, &err));
    tflite_bytes b = emit(m), c = emit(m);
    assert_int_equal(b.size, c.size);
    assert_memory_equal(b.data, c.data, b.size);
    lc_free(c.data);
    must(lc_tflite_load(b.data, b.size, NULL, &again, &err));
    if (!lc_model_equal(m, again, &err)) fail_msg("%s: %s", name, err.message);
    c = emit(again);
    assert_int_equal(b.size, c.size);
    assert_memory_equal(b.data, c.data, b.size);
    lc_free(c.data);
    lc_model_destroy(again);
    lc_model_destroy(m);
    lc_free(b.data);
}

static void test_files(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob(LC_TEST_DIR "/data/tflite/*.tflite", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 7);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        lc_map map;
        must(lc_map_open(&map, found.gl_pathv[i], NULL, &err));
        assert_true(lc_tflite_probe(map.data, map.size));
        round_trip(map.data, map.size, found.gl_pathv[i]);
        lc_map_close(&map);
    }
    globfree(&found);
}

/* ---- one of everything ------------------------------------------------------------------------------------------------ */

static bool is(lc_str s, const char *text) { return lc_str_is(s, text); }

static void check_tensors(const lc_graph *g, const tflite_bytes *b) {
    const lc_tensor *t = g->tensors;
    assert_int_equal(g->tensor_count, TM_TENSORS);
    assert_true(is(t[TM_X].name, "x") && t[TM_X].type == LC_FLOAT32 && t[TM_X].rank == 2 && t[TM_X].has_rank);
    assert_true(t[TM_X].dims[0] == 1 && t[TM_X].dims[1] == 4 && t[TM_X].signature[0] == -1 && t[TM_X].signature[1] == 4);
    assert_null(t[TM_X].data);
    assert_int_equal(t[TM_X].data_at, LC_NO_OFFSET);
    assert_null(t[TM_Y].signature);
    assert_int_equal(t[TM_W].size, 8);
    assert_memory_equal(t[TM_W].data, f.bytes[1], 8);
    assert_memory_equal(b->data + t[TM_W].data_at, f.bytes[1], 8);
    assert_true(t[TM_W].quant->scale.n == 2 && t[TM_W].quant->scale.data[1] == f.scale[1] && t[TM_W].quant->zero_point.n == 2);
    assert_ptr_equal(t[TM_MULTI].data, t[TM_W].data);
    assert_true(t[TM_VAR].is_variable && !t[TM_W].is_variable);
    assert_int_equal(t[TM_SPARSE].sparsity->dim_metadata.n, 4);
    const lc_BlockwiseQuantization *block = t[TM_BLOCKWISE].quant->details.value;
    assert_true(block->scales == TM_SCALES && block->zero_points == -1 && block->block_size == 32);
    assert_int_equal(t[TM_EXTERNAL].external_buffer, 7);
    assert_true(t[TM_VARIANT].variant_count == 1 && t[TM_VARIANT].variants[0].shape.data[0] == -1);
}

static void check_nodes(const lc_graph *g) {
    const lc_node *n = g->nodes;
    assert_int_equal(g->node_count, TM_OPS);
    assert_true(n[TM_FC].op == LC_OP_FULLY_CONNECTED && n[TM_FC].version == 2 && n[TM_FC].input_count == 3 && n[TM_FC].inputs[2] == TM_B);
    assert_true(n[TM_FC].attrs_table == LC_TABLE_FullyConnectedOptions && n[TM_FC].debug_metadata_index == -1);
    const lc_IfOptions *branch = n[TM_IF].attrs;
    assert_true(branch->then_subgraph_index == 1 && branch->else_subgraph_index == 2);
    const lc_node *c = &n[TM_CUSTOM];
    assert_true(c->op == LC_OP_CUSTOM && is(c->custom_code, "Mine") && c->large_custom_options && c->custom_options.n == 7);
    assert_memory_equal(c->custom_options.data, "options", 7);
    assert_true(c->inputs[6] == LC_ABSENT && c->intermediate_count == 1 && c->intermediates[0] == TM_BETWEEN);
    assert_true(c->mutating.n == 8 && c->mutating.data[4] == 1 && c->mutating.data[3] == 0 && c->debug_metadata_index == 3);
    assert_int_equal(c->attrs_table, LC_TABLE_NONE);
    assert_null(c->attrs);
}

static void check_rest(const lc_model *m) {
    assert_true(is(m->description, "one of everything") && m->schema_version == 3);
    assert_int_equal(m->signature_count, 2);
    assert_true(is(m->signatures[0].key, "serve") && m->signatures[0].graph == 0 && m->signatures[1].graph == 1);
    assert_true(is(m->signatures[0].inputs[1].name, "choice") && m->signatures[0].inputs[1].tensor == TM_COND);
    assert_true(is(m->signatures[0].outputs[0].name, "scores") && m->signatures[0].outputs[0].tensor == TM_Z);
    assert_true(is(m->signatures[1].deprecated_tag, "tag") && !m->signatures[0].deprecated_tag.data);
    assert_int_equal(m->metadata_count, 2);
    assert_true(is(m->metadata[0].name, "min_runtime_version") && m->metadata[0].data.n == 5 && m->metadata[1].data.n == 12);
    assert_memory_equal(m->metadata[0].data.data, "1.5.0", 5);
    assert_int_equal(m->metadata_buffer_count, 2);
    assert_int_equal(m->metadata_buffers[1].n, 24);
    assert_int_equal(m->external_group_count, 1);
    assert_true(is(m->external_groups[0].name, "weights/part-1.bin"));
    assert_true(m->external_buffer_count == 2 && m->external_buffers[0].id == 7 && m->external_buffers[0].length == 8);
    assert_true(m->unused_op_code_count == 1 && m->unused_op_codes[0].builtin_code == LC_OP_STABLEHLO_COMPOSITE);
    assert_int_equal(m->graph_count, 3);
    assert_true(is(m->graphs[1]->name, "relu") && is(m->graphs[2]->name, "same"));
    assert_true(m->graphs[1]->input_count == 1 && m->graphs[1]->outputs[0] == 1 && m->graphs[1]->model == m);
}

static void test_everything(void **state) {
    (void)state;
    tflite_model_make(&f);
    tflite_bytes b = write_structs(&f.m);
    lc_model *m;
    must(lc_tflite_load(b.data, b.size, NULL, &m, &err));
    check_tensors(m->graphs[0], &b);
    check_nodes(m->graphs[0]);
    check_rest(m);
    lc_model_destroy(m);
    /* lc_model_check has no word for a custom operator's scratch tensor. */
    f.custom_in[7] = -1;
    b.size = 0;
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    must(lc_fb_write(&f.m, &sink, NULL, &err));
    round_trip(b.data, b.size, "one of everything");
    lc_free(b.data);
}

/* The written file, as structs: what LiteRT and its verifier look at. */
static void test_written(void **state) {
    (void)state;
    tflite_model_make(&f);
    tflite_bytes in = write_structs(&f.m);
    lc_model *m;
    must(lc_tflite_load(in.data, in.size, NULL, &m, &err));
    tflite_bytes b = emit(m);
    lc_arena arena = {0};
    lc_Model *w;
    must(lc_fb_read(b.data, b.size, &arena, &w, &err));
    assert_true(w->buffers.n > 0 && !w->buffers.data[0].data.data && w->buffers.data[0].offset == 0);
    for (size_t i = 1; i < w->buffers.n; i++) {
        const lc_Buffer *x = &w->buffers.data[i];
        assert_non_null(x->data.data);
        assert_int_equal((size_t)(x->data.data - b.data) % 16, 0);
        for (size_t k = 1; k < i; k++) {
            const lc_Buffer *y = &w->buffers.data[k];
            assert_false(lc_buffer_size(x) == lc_buffer_size(y) && memcmp(x->data.data, y->data.data, lc_buffer_size(x)) == 0);
        }
    }
    const lc_Tensor *t = w->subgraphs.data[0].tensors.data;
    assert_int_equal(t[TM_W].buffer, t[TM_MULTI].buffer);
    assert_int_equal(t[TM_W].buffer, 1); /* in order of first use */
    assert_int_equal(t[TM_X].buffer, 0);
    for (size_t i = 0; i < w->operator_codes.n; i++) {
        const lc_OperatorCode *c = &w->operator_codes.data[i];
        assert_int_equal(c->deprecated_builtin_code, c->builtin_code < 127 ? c->builtin_code : 127);
    }
    assert_int_equal(w->operator_codes.n, TM_CODES);
    for (size_t i = 0; i < TM_OPS; i++) {
        const lc_Operator *o = &w->subgraphs.data[0].operators.data[i];
        assert_int_equal(o->opcode_index, i);
        assert_non_null(o->inputs.data); /* LiteRT's verifier wants them also when they are empty */
        assert_non_null(o->outputs.data);
    }
    assert_true(w->subgraphs.data[0].operators.data[TM_CUSTOM].large_custom_options_offset > 1);
    lc_arena_deinit(&arena);
    lc_model_destroy(m);
    lc_free(in.data);
    lc_free(b.data);
}

/* ---- alignment ----------------------------------------------------------------------------------------------------------- */

static void test_odd_address(void **state) {
    (void)state;
    tflite_model_make(&f);
    tflite_bytes b = write_structs(&f.m);
    lc_model *even, *odd;
    must(lc_tflite_load(b.data, b.size, NULL, &even, &err));
    assert_null(even->buffer);
    uint8_t *moved = lc_malloc(b.size + 1);
    assert_non_null(moved);
    memcpy(moved + 1, b.data, b.size);
    must(lc_tflite_load(moved + 1, b.size, NULL, &odd, &err));
    assert_non_null(odd->buffer);
    lc_free(moved); /* the copy is all the model needs */
    if (!lc_model_equal(even, odd, &err)) fail_msg("%s", err.message);
    lc_model_destroy(even);
    lc_model_destroy(odd);
    lc_free(b.data);
}

/* A constant behind the flatbuffer at an odd offset: two tensors share one aligned copy, a tensor of bytes borrows. */
static void test_misaligned_constant(void **state) {
    (void)state;
    tflite_model_make(&f);
    f.t[TM_SCALES].buffer = 9;
    f.shape[TM_SCALES][0] = 6;
    f.t[TM_B].buffer = 9;
    f.t[TM_B].quantization = NULL;
    f.shape[TM_B][0] = 6;
    f.t[TM_BLOCKWISE].buffer = 9;
    f.shape[TM_BLOCKWISE][1] = 24;
    tflite_bytes b = write_structs(&f.m);
    lc_arena arena = {0};
    lc_Model *w;
    must(lc_fb_read(b.data, b.size, &arena, &w, &err));
    uint64_t at = w->buffers.data[9].at, offset = w->buffers.data[9].offset + 1;
    memmove(b.data + offset, b.data + offset - 1, 24);
    assert_true(tflite_bytes_patch(&b, at, 1, &offset, 8));
    lc_arena_deinit(&arena);
    lc_model *m;
    must(lc_tflite_load(b.data, b.size, NULL, &m, &err));
    const lc_tensor *t = m->graphs[0]->tensors;
    assert_int_equal((uintptr_t)t[TM_SCALES].data % 4, 0);
    assert_ptr_equal(t[TM_SCALES].data, t[TM_B].data);
    assert_memory_equal(t[TM_SCALES].data, f.bytes[9], 24);
    assert_int_equal(t[TM_SCALES].data_at, offset);
    assert_ptr_equal(t[TM_BLOCKWISE].data, b.data + offset);
    lc_model_destroy(m);
    lc_free(b.data);
}

/* ---- constants, once ----------------------------------------------------------------------------------------------------- */

/* A model of constants: n tensors of `size` bytes that agree but for byte `differ` of tensor i, which is i % kinds. */
static size_t buffers_of(uint32_t n, uint32_t size, uint32_t differ, uint32_t kinds) {
    lc_model *m;
    must(lc_model_new(NULL, &m, &err));
    int32_t dims[1] = {(int32_t)size}, index;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *data = lc_arena_data(&m->arena, size);
        assert_non_null(data);
        data[differ] = (uint8_t)(i % kinds);
        const lc_tensor t = {.type = LC_UINT8, .rank = 1, .dims = dims, .data = data, .size = size, .data_at = LC_NO_OFFSET};
        must(lc_graph_add_tensor(m->graphs[0], &t, &index, &err));
    }
    tflite_bytes b = emit(m);
    lc_model *again;
    must(lc_tflite_load(b.data, b.size, NULL, &again, &err));
    if (!lc_model_equal(m, again, &err)) fail_msg("%s", err.message);
    lc_arena arena = {0};
    lc_Model *w;
    must(lc_fb_read(b.data, b.size, &arena, &w, &err));
    size_t buffers = w->buffers.n;
    lc_arena_deinit(&arena);
    lc_model_destroy(again);
    lc_model_destroy(m);
    lc_free(b.data);
    return buffers;
}

static void test_equal_constants(void **state) {
    (void)state;
    assert_int_equal(buffers_of(50, 1, 0, 7), 8);
    assert_int_equal(buffers_of(50, 192, 100, 5), 6);
    assert_int_equal(buffers_of(50, 1000, 0, 3), 4);
    assert_int_equal(buffers_of(50, 1000, 500, 3), 4);
    assert_int_equal(buffers_of(50, 1000, 999, 1), 2);
    assert_int_equal(buffers_of(50, 1000, 300, 20), 21);    /* between the samples: found by comparing */
    assert_int_equal(buffers_of(400, 1000, 300, 200), 201); /* ... or by the hash of all bytes */
    assert_int_equal(buffers_of(512, 70000, 40000, 256), 257);
}

/* Nodes that were built, not read: dead ones are left out, versions chosen, codes shared. */
static void test_built(void **state) {
    (void)state;
    lc_model *m, *again;
    must(lc_model_new(NULL, &m, &err));
    lc_graph *g = m->graphs[0];
    int32_t dims[2] = {1, 4}, open[2] = {-1, 4}, index;
    for (int i = 0; i < 4; i++) {
        const lc_tensor t = {.type = LC_FLOAT32, .rank = 2, .dims = dims, .signature = open, .has_rank = true, .data_at = LC_NO_OFFSET};
        must(lc_graph_add_tensor(g, &t, &index, &err));
    }
    for (int32_t i = 0; i < 3; i++) {
        const int32_t in = i, out = i + 1;
        lc_node *n;
        must(lc_graph_add_node(g, i == 1 ? LC_OP_TANH : LC_OP_RELU, LC_TABLE_NONE, NULL, &in, 1, &out, 1, &n, &err));
        n->op = i == 1 ? LC_NODE_DEAD : n->op;
    }
    g->nodes[2].inputs[0] = 1;
    must(lc_graph_add_input(g, 0, &err));
    must(lc_graph_add_output(g, 3, &err));
    tflite_bytes b = emit(m);
    must(lc_tflite_load(b.data, b.size, NULL, &again, &err));
    assert_int_equal(again->graphs[0]->node_count, 2);
    assert_int_equal(again->graphs[0]->nodes[1].op, LC_OP_RELU);
    assert_int_equal(again->graphs[0]->nodes[1].version, 1);
    assert_int_equal(again->graphs[0]->tensors[2].signature[0], -1);
    assert_int_equal(again->unused_op_code_count, 0);
    assert_int_equal(again->metadata_count, 1);
    assert_true(is(again->metadata[0].name, "min_runtime_version") && again->metadata[0].data.n == 16);
    assert_memory_equal(again->metadata[0].data.data, "1.5.0\0\0\0\0\0\0\0\0\0\0\0", 16);
    tflite_bytes c = emit(again); /* what was read gets nothing added */
    assert_int_equal(b.size, c.size);
    assert_memory_equal(b.data, c.data, b.size);
    lc_free(c.data);
    lc_model_destroy(again);
    lc_model_destroy(m);
    lc_free(b.data);
}

/* ---- bytes that no table names ---- */

/* Where a tail that stands at `at` in a file is in what litec writes for it; *size: all that is written. */
static uint64_t tail_moves_to(const tflite_bytes *model, uint64_t at, const char *tail, size_t n, uint64_t *size) {
    tflite_bytes b = {.data = lc_calloc(at + n, 1), .size = at + n};
    assert_non_null(b.data);
    memcpy(b.data, model->data, at < model->size ? at : model->size);
    memcpy(b.data + at, tail, n);
    lc_model *m, *again;
    must(lc_tflite_load(b.data, b.size, NULL, &m, &err));
    tflite_bytes out = emit(m);
    must(lc_tflite_load(out.data, out.size, NULL, &again, &err));
    if (!lc_model_equal(m, again, &err)) fail_msg("%s", err.message);
    uint64_t found = again->tail_at;
    assert_int_equal(again->tail_size, n);
    if (n) assert_memory_equal(out.data + found, tail, n);
    *size = out.size;
    lc_model_destroy(m);
    lc_model_destroy(again);
    lc_free(out.data);
    lc_free(b.data);
    return found;
}

static void test_tail(void **state) {
    (void)state;
    tflite_model_make(&f);
    tflite_bytes structs = write_structs(&f.m);
    lc_model *m;
    must(lc_tflite_load(structs.data, structs.size, NULL, &m, &err));
    tflite_bytes b = emit(m); /* a file that is written as it is read */
    lc_model_destroy(m);
    lc_free(structs.data);
    const uint64_t plain = b.size;
    uint64_t size, end = plain;
    while (b.data[end - 1] == 0) end--;
    assert_int_equal(tail_moves_to(&b, plain, "", 0, &size), plain);
    assert_int_equal(size, plain);
    /* Code that something may find by its place stays there, also far behind. */
    assert_int_equal(tail_moves_to(&b, plain + 5, "code", 4, &size), plain + 5);
    assert_int_equal(tail_moves_to(&b, plain + 70001, "code\0\0", 6, &size), plain + 70001);
    assert_int_equal(size, plain + 70007);
    /* The bytes right behind the structure, where the writer's padding comes: they make room, aligned as they were. */
    uint64_t moved = tail_moves_to(&b, end + 3, "code", 4, &size);
    assert_true(moved > end + 3 && moved < plain + 32 && moved % 16 == (end + 3) % 16);
    /* A zip needs no place and gets no gap. */
    moved = tail_moves_to(&b, plain + 70000, "PK\3\4zip", 7, &size);
    assert_true(moved >= plain && moved < plain + 32 && size == moved + 7);
    lc_free(b.data);
}

/* ---- fields of a schema to come ---- */

/* Gives the table at `at` a vtable behind the file that has one more field, `id`, at the given offset in the table. */
static void lengthen_vtable(tflite_bytes *b, uint64_t at, uint16_t id, uint16_t offset) {
    int32_t back;
    uint16_t vtable[64] = {0};
    memcpy(&back, b->data + at, 4);
    const uint8_t *old = b->data + ((int64_t)at - back);
    memcpy(vtable, old, 2);
    memcpy(vtable, old, vtable[0]);
    const uint16_t bytes = (uint16_t)(4 + 2 * (id + 1));
    assert_true(vtable[0] < bytes && bytes <= sizeof vtable);
    vtable[0] = bytes;
    vtable[2 + id] = offset;
    b->data = lc_realloc(b->data, b->size + bytes);
    assert_non_null(b->data);
    memcpy(b->data + b->size, vtable, bytes);
    back = (int32_t)((int64_t)at - (int64_t)b->size);
    memcpy(b->data + at, &back, 4);
    b->size += bytes;
}

/* Writing such a model would lose the field without a word. One that lies in the vtable but is absent is none. */
static void test_unknown_field(void **state) {
    (void)state;
    static const struct {
        lc_table_id table;
        uint16_t id, offset;
        bool lost;
    } cases[] = {
        {LC_TABLE_SubGraph, 6, 4, true},       {LC_TABLE_SubGraph, 6, 0, false}, {LC_TABLE_SubGraph, 21, 4, true},
        {LC_TABLE_SoftmaxOptions, 1, 4, true}, {LC_TABLE_Model, 10, 4, true},    {LC_TABLE_Model, 12, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tflite_model_make(&f);
        lc_SoftmaxOptions softmax = {.beta = 1};
        f.code[4].builtin_code = f.code[4].deprecated_builtin_code = LC_OP_SOFTMAX;
        f.op1[0].builtin_options = (lc_union){LC_BuiltinOptions_SoftmaxOptions, &softmax};
        tflite_bytes b = write_structs(&f.m), out = {0};
        lc_arena arena = {0};
        lc_Model *m;
        must(lc_fb_read(b.data, b.size, &arena, &m, &err));
        const lc_SubGraph *second = &m->subgraphs.data[1];
        const uint64_t at = cases[i].table == LC_TABLE_Model ? m->at
                            : cases[i].table == LC_TABLE_SubGraph
                                ? second->at
                                : ((const lc_SoftmaxOptions *)second->operators.data[0].builtin_options.value)->at;
        lengthen_vtable(&b, at, cases[i].id, cases[i].offset);
        lc_arena_deinit(&arena);
        lc_model *model;
        must(lc_tflite_load(b.data, b.size, NULL, &model, &err));
        const lc_sink sink = {.write = tflite_bytes_write, .user = &out};
        const lc_status status = lc_emit_tflite(model, &sink, NULL, &err);
        if (!cases[i].lost) {
            must(status);
        } else {
            char wanted[80];
            snprintf(wanted, sizeof wanted, "the model has field %u of %s,", cases[i].id, lc_table_name(cases[i].table));
            assert_int_equal(status, LC_UNSUPPORTED);
            assert_non_null(strstr(err.message, wanted));
            assert_true(err.hint[0] && !out.data);
        }
        lc_model_destroy(model);
        lc_free(out.data);
        lc_free(b.data);
    }
}

/* Options that no operator has are an error of the caller's, not a broken file. */
static void test_wrong_options(void **state) {
    (void)state;
    lc_model *m;
    must(lc_model_new(NULL, &m, &err));
    const int32_t dims[1] = {1}, t0 = 0, t1 = 1;
    int32_t index;
    const lc_tensor t = {.rank = 1, .dims = (int32_t *)dims, .data_at = LC_NO_OFFSET};
    must(lc_graph_add_tensor(m->graphs[0], &t, &index, &err));
    must(lc_graph_add_tensor(m->graphs[0], &t, &index, &err));
    const lc_Buffer wrong = {.at = 0};
    must(lc_graph_add_node(m->graphs[0], LC_OP_RELU, LC_TABLE_Buffer, &wrong, &t0, 1, &t1, 1, NULL, &err));
    tflite_bytes b = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    assert_int_equal(lc_emit_tflite(m, &sink, NULL, &err), LC_ARGUMENT);
    assert_string_equal(err.message, "RELU: Buffer is no table of operator options");
    assert_int_equal(b.size, 0);
    lc_model_destroy(m);
}

/* ---- more than 4 GiB ---- */

typedef struct head {
    uint8_t *data;
    size_t size, kept;
} head;

/* Keeps what comes in small pieces and lets the large one pass. */
static lc_status keep(void *user, const void *data, size_t size, lc_error *e) {
    head *h = user;
    (void)e;
    if (size < 65536) {
        assert_true(h->size + size <= h->kept || h->size > h->kept);
        if (h->size + size <= h->kept) memcpy(h->data + h->size, data, size);
    }
    h->size += size;
    return LC_OK;
}

/* A constant of 5 GiB lies behind the flatbuffer and is never touched: its pages and the file's are promised, not there. */
static void test_five_gigabytes(void **state) {
    (void)state;
    if (sizeof(size_t) < 8) skip();
    const size_t size = (size_t)5 << 30;
    const int32_t dims[2] = {5, 1 << 30};
    void *weights = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *file = mmap(NULL, size + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(weights != MAP_FAILED && file != MAP_FAILED);
    lc_model *m, *again;
    int32_t index;
    must(lc_model_new(NULL, &m, &err));
    const lc_tensor t = {.type = LC_INT8, .rank = 2, .dims = (int32_t *)dims, .data = weights, .size = size, .data_at = LC_NO_OFFSET};
    must(lc_graph_add_tensor(m->graphs[0], &t, &index, &err));
    must(lc_graph_add_tensor(m->graphs[0], &t, &index, &err));
    head h = {file, 0, 65536};
    const lc_sink sink = {.write = keep, .user = &h};
    uint64_t written;
    must(lc_emit_tflite(m, &sink, &written, &err));
    assert_true(written == h.size && written > size && written < size + 65536);
    must(lc_tflite_load(file, written, NULL, &again, &err));
    const lc_tensor *back = again->graphs[0]->tensors;
    assert_true(back[0].size == size && back[0].data == back[1].data && back[0].data_at % 16 == 0 && back[0].data_at < 65536);
    lc_model_destroy(m);
    lc_model_destroy(again);
    munmap(weights, size);
    munmap(file, size + 65536);
}

static void test_runtime_versions(void **state) {
    (void)state;
    assert_int_equal(lc_op_runtime_version(LC_OP_CONV_2D, 1), 10500);
    assert_int_equal(lc_op_runtime_version(LC_OP_STABLEHLO_CASE, 1), 21700);
    assert_int_equal(lc_op_runtime_version(LC_OP_CONV_2D, 0), 0);
    assert_int_equal(lc_op_runtime_version(LC_OP_CONV_2D, 99), 0);
    assert_int_equal(lc_op_runtime_version(LC_OP_CUSTOM, 1), 0);
    assert_int_equal(lc_op_runtime_version(-1, 1), 0);
    assert_int_equal(lc_op_runtime_version(LC_OP_COUNT, 1), 0);
    for (int32_t op = 0; op < LC_OP_COUNT; op++) {
        /* Every version that the op table calls known has a release. */
        if (lc_op_get(op)->max_version > 0) assert_true(lc_op_runtime_version(op, lc_op_get(op)->max_version) >= 10500);
    }
}

/* ---- the source format ------------------------------------------------------------------------------------------------------
 */

extern const lc_source lc_source_tflite;

static void test_source(void **state) {
    (void)state;
    lc_source_input in = {0};
    const char *path = LC_TEST_DIR "/data/tflite/conv_float.tflite";
    must(lc_map_open(&in.map, path, NULL, &err));
    assert_true(lc_source_tflite.probe(&in.map));
    const lc_map png = {.data = (const uint8_t *)"\x89PNG\r\n\x1a\n", .size = 8};
    assert_false(lc_source_tflite.probe(&png));
    char *line, wanted[128];
    must(lc_source_tflite.verify(&in, NULL, &line, &err));
    lc_source_stats stats;
    lc_model *m;
    size_t size = in.map.size;
    assert_true(size > 1000 && size < 1000000);
    must(lc_source_tflite.load(&in, NULL, &stats, &m, &err));
    assert_null(in.map.data);
    assert_non_null(m->map.data);
    snprintf(wanted, sizeof wanted, "valid TFLite v3: 1 graph, %zu operators, %zu tensors, %zu,%03zu bytes", m->graphs[0]->node_count,
             m->graphs[0]->tensor_count, size / 1000, size % 1000);
    assert_string_equal(line, wanted);
    lc_free(line);
    assert_int_equal(stats.layers, m->graphs[0]->node_count);
    assert_true(stats.parameters >= 3 * 3 * 4 + 64 * 3);
    lc_model_destroy(m);
}

/* ---- memory that runs out
 * ---------------------------------------------------------------------------------------------------- */

static lc_status live(void *arg, lc_error *e) {
    const tflite_bytes *in = arg;
    lc_model *m;
    LC_TRY(lc_tflite_load(in->data, in->size, NULL, &m, e));
    tflite_bytes b = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    lc_status status = lc_emit_tflite(m, &sink, NULL, e);
    lc_model_destroy(m);
    lc_free(b.data);
    return status;
}

static lc_status live_source(void *arg, lc_error *e) {
    const tflite_bytes *in = arg;
    lc_source_input input = {.map = {.data = in->data, .size = in->size}};
    char *line;
    LC_TRY(lc_source_tflite.verify(&input, NULL, &line, e));
    lc_free(line);
    lc_source_stats stats;
    lc_model *m;
    LC_TRY(lc_source_tflite.load(&input, NULL, &stats, &m, e));
    m->map = (lc_map){0}; /* the bytes are the test's */
    lc_model_destroy(m);
    return LC_OK;
}

static void test_no_memory(void **state) {
    (void)state;
    tflite_model_make(&f);
    static uint8_t aligned[1 << 16];
    tflite_bytes b = write_structs(&f.m);
    uint8_t *start = aligned + (16 - (uintptr_t)aligned % 16) % 16;
    tflite_bytes in = {.data = start, .size = b.size};
    assert_true(b.size + 16 < sizeof aligned);
    memcpy(start, b.data, b.size);
    lc_free(b.data);
    fault_check(live, &in, NULL);
    fault_check(live_source, &in, NULL);
    memmove(start + 1, start, in.size); /* and with the aligned copy */
    in.data = start + 1;
    fault_check(live, &in, NULL);
}

/* Cut off anywhere, a file is refused, and never by accident. */
static void test_truncated(void **state) {
    (void)state;
    tflite_model_make(&f);
    tflite_bytes b = write_structs(&f.m);
    size_t end = b.size;
    while (end && b.data[end - 1] == 0) end--; /* zeros at the end are padding */
    for (size_t n = 0; n < end; n++) {
        lc_model *m;
        uint8_t *part = lc_malloc(n); /* its own block, so that a sanitizer sees its end */
        assert_non_null(part);
        memcpy(part, b.data, n);
        assert_int_not_equal(lc_tflite_load(part, n, NULL, &m, &err), LC_OK);
        assert_true(err.message[0] && err.rule[0]);
        lc_free(part);
    }
    lc_free(b.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_odd_address),
        cmocka_unit_test(test_misaligned_constant),
        cmocka_unit_test(test_equal_constants),
        cmocka_unit_test(test_built),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_five_gigabytes),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_tail),
        cmocka_unit_test(test_unknown_field),
        cmocka_unit_test(test_runtime_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
