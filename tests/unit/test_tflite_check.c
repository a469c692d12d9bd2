/*
 * Tests of the .tflite checker: for every rule of runtime/rules.def at least one bad file, the good model of
 * support/tflite_model.h with one thing changed, and a good twin: the same thing changed to something that is allowed. The bad
 * one is refused with the rule's id, an offset inside the file, a message and a hint; the twin loads, is written, loads again
 * equal. A rule without a case fails the test.
 */
#include "emit/emit.h"
#include "runtime/check.h"
#include "support/tflite_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static tflite_model f;
static lc_limits limits;

typedef struct rule_case {
    lc_rule rule;
    const char *what;
    void (*change)(int64_t v);                 /* of f, before it is written */
    void (*patch)(tflite_bytes *b, int64_t v); /* of the bytes, after that; may be NULL */
    int64_t bad, good;
} rule_case;

/* One assignment to the fixture. */
#define SET(name, place) \
    static void name(int64_t v) { place = (__typeof__(place))v; }

/* ---- model ----------------------------------------------------------------------------------------------------- */

SET(set_version, f.m.version)
static void set_subgraphs(int64_t v) {
    f.m.subgraphs.n = (uint32_t)v;
    if (!v) f.m.signature_defs.n = 0;
}
SET(set_max_nodes, limits.max_nodes)
static void set_code(int64_t v) {
    f.code[4].builtin_code = (int32_t)v;
    f.code[4].deprecated_builtin_code = (int8_t)(v < 0 ? -3 : v < 127 ? v : 127);
}
static void set_old_code(int64_t v) { /* as files of before 2020 have it */
    f.code[4].builtin_code = 0;
    f.code[4].deprecated_builtin_code = (int8_t)v;
    if (v < 0) f.code[4].builtin_code = -1;
}
SET(set_op_version, f.code[0].version)
SET(set_custom_size, f.code[3].custom_code.size)
static void set_custom_name(int64_t v) {
    if (v) f.code[3].custom_code = (lc_str){NULL, 0};
}
static void set_metadata_name(int64_t v) {
    if (v) f.metadata[1].name = (lc_str){NULL, 0};
}
SET(set_metadata_buffer, f.metadata[1].buffer)
SET(set_old_metadata, f.metadata_buffer[1])
static void nothing(int64_t v) { (void)v; }

/* Structs of the written file, for their positions. */
static lc_Model *structs_of(const tflite_bytes *b, lc_arena *arena) {
    lc_Model *m;
    lc_error err;
    assert_int_equal(lc_fb_read(b->data, b->size, arena, &m, &err), LC_OK);
    return m;
}

/* Moves buffer 10 to v bytes behind the start of buffer 9. */
static void patch_overlap(tflite_bytes *b, int64_t v) {
    lc_arena arena = {0};
    const lc_Model *m = structs_of(b, &arena);
    uint64_t offset = m->buffers.data[9].offset + (uint64_t)v;
    assert_true(tflite_bytes_patch(b, m->buffers.data[10].at, 1, &offset, 8));
    lc_arena_deinit(&arena);
}
/* A file of more than 4 GiB of which only the front is ever touched: the size is what the mapping has, see run(). */
static uint64_t huge;
static void patch_metadata_size(tflite_bytes *b, int64_t v) {
    lc_arena arena = {0};
    const lc_Model *m = structs_of(b, &arena);
    uint64_t size = (uint64_t)v;
    assert_true(tflite_bytes_patch(b, m->buffers.data[9].at, 2, &size, 8));
    huge = size + m->buffers.data[9].offset;
    lc_arena_deinit(&arena);
}
static void use_late_buffer(int64_t v) {
    (void)v;
    f.metadata[1].buffer = 9;
    f.metadata_buffer[1] = 10;
}
static void patch_options_size(tflite_bytes *b, int64_t v) {
    lc_arena arena = {0};
    const lc_Model *m = structs_of(b, &arena);
    const lc_Operator *o = &m->subgraphs.data[0].operators.data[TM_CUSTOM];
    uint64_t size = (uint64_t)v, offset = v > 7 ? b->size : o->large_custom_options_offset; /* clear of the other ranges */
    assert_true(tflite_bytes_patch(b, o->at, 9, &offset, 8) && tflite_bytes_patch(b, o->at, 10, &size, 8));
    huge = size + offset;
    lc_arena_deinit(&arena);
}

/* ---- tensors --------------------------------------------------------------------------------------------------- */

SET(set_type, f.t1[0].type)
SET(set_dim, f.shape[TM_Y][1])
static void set_two_dims(int64_t v) {
    f.shape[TM_BETWEEN][0] = 65536;
    f.shape[TM_BETWEEN][1] = (int32_t)v;
    f.t[TM_BETWEEN].shape.n = 2;
}
static void set_zero_dim(int64_t v) { /* zero elements excuse nothing */
    set_two_dims(65536);
    f.shape[TM_BETWEEN][2] = 0;
    f.t[TM_BETWEEN].shape.n = v ? 3 : 0;
}
static void set_external_dims(int64_t v) {
    f.shape[TM_EXTERNAL][0] = f.shape[TM_EXTERNAL][1] = INT32_MAX;
    f.shape[TM_EXTERNAL][2] = (int32_t)v;
    f.t[TM_EXTERNAL].shape.n = 3;
}
static void set_constant_bytes(int64_t v) { /* 2^62 and so many elements of 16 bytes */
    f.t[TM_SCALES].type = LC_COMPLEX128;
    f.shape[TM_SCALES][0] = 1 << 30;
    f.shape[TM_SCALES][1] = 1 << 30;
    f.shape[TM_SCALES][2] = (int32_t)v;
    f.t[TM_SCALES].shape.n = 3;
    if (!v) f.buffer[6].data.n = 0;
}
static void set_nameless(int64_t v) {
    f.t[TM_Y].name = (lc_str){NULL, 0};
    f.shape[TM_Y][1] = (int32_t)v;
}
static void set_sparse_levels(int64_t v) { /* dense levels only, 2^64 elements */
    for (int i = 0; i < 3; i++) f.shape[TM_SPARSE][i] = f.level[i].dense_size = 1 << 21;
    f.shape[TM_SPARSE][2] = f.level[2].dense_size = (int32_t)v;
    f.level[1].format = LC_DimensionType_DENSE;
    f.t[TM_SPARSE].shape.n = 3;
    f.t[TM_SPARSE].buffer = 0;
    f.t[TM_SPARSE].external_buffer = 3;
    f.level[1].array_segments = f.level[1].array_indices = (lc_union){0, NULL};
    f.sparsity.traversal_order.n = f.sparsity.dim_metadata.n = 3;
    f.sparsity.block_map.n = 0;
}
SET(set_weight_bytes, f.buffer[1].data.n)
SET(set_signature, f.signature[TM_X][1])
SET(set_signature_rank, f.t[TM_X].shape_signature.n)
SET(set_variable_buffer, f.t[TM_VAR].buffer)
SET(set_variable_type, f.t[TM_VAR].type)
SET(set_handle_buffer, f.t[TM_HANDLE].buffer)
SET(set_variant_type, f.variant[0].type)
SET(set_variant_dim, f.variant_shape[0])
SET(set_buffer, f.t[TM_Y].buffer)

static void set_word(unsigned i, int64_t v) {
    uint32_t w = (uint32_t)v;
    memcpy(f.bytes[3] + 4 * i, &w, 4);
}
static void set_string_count(int64_t v) { set_word(0, v); }
static void set_string_first(int64_t v) { set_word(1, v); }
static void set_string_second(int64_t v) { set_word(2, v); }
static void set_string_last(int64_t v) { set_word(3, v); }
SET(set_string_bytes, f.buffer[3].data.n)
SET(set_string_shape, f.shape[TM_STRINGS][0])

SET(set_zero_points, f.q[0].zero_point.n)
SET(set_quant_dim, f.q[0].quantized_dimension)
SET(set_bias_dim, f.q[1].quantized_dimension)
static void set_scales(int64_t v) { f.q[0].scale.n = f.q[0].zero_point.n = (uint32_t)v; }
static void set_scalar_scales(int64_t v) { f.q[3].scale.n = f.q[3].zero_point.n = (uint32_t)v; }
static void set_scale(int64_t v) {
    static const float values[] = {0.0f, -1.0f, __builtin_nanf(""), __builtin_inff(), 1e-30f};
    f.scale[1] = values[v];
}
static void set_string_scale(int64_t v) { /* nobody reads a scale of strings, whatever it is */
    f.t[v ? TM_W : TM_STRINGS].quantization = &f.q[1];
    f.scale[1] = 0;
    f.q[0].scale.n = f.q[0].zero_point.n = 1;
    f.t[TM_B].quantization = NULL;
}
SET(set_zero_point, f.zero[1])
static void patch_details(tflite_bytes *b, int64_t v) {
    lc_arena arena = {0};
    const lc_Model *m = structs_of(b, &arena);
    uint8_t type = (uint8_t)v;
    assert_true(tflite_bytes_patch(b, m->subgraphs.data[0].tensors.data[TM_BLOCKWISE].quantization->at, 4, &type, 1));
    lc_arena_deinit(&arena);
}
SET(set_block_scales, f.blockwise.scales)
SET(set_block_zero_points, f.blockwise.zero_points)
static void set_block_size(int64_t v) {
    f.blockwise.block_size = (int32_t)v;
    f.blockwise.block_shape = (lc_vec_i32){NULL, 0};
}
static void set_block_shape(int64_t v) {
    f.blockwise.block_size = 0;
    f.blockwise.block_shape.n = (uint32_t)v;
}
SET(set_multi_scales, f.multi.scales)
SET(set_multi_size, f.multi.block_size)
SET(set_multi_dim, f.multi_dims[1])
SET(set_multi_count, f.multi.quantized_dimensions.n)

SET(set_levels, f.sparsity.traversal_order.n)
SET(set_blocks, f.sparsity.block_map.n)
SET(set_order, f.order[1])
static void swap_order(int64_t v) { /* columns before rows; v: what stands second */
    f.order[0] = 1;
    f.order[1] = (int32_t)v;
}
SET(set_block_map, f.block_map[1])
SET(set_block, f.level[3].dense_size)
SET(set_format, f.level[2].format)
static void drop_segments(int64_t v) {
    if (v) f.level[1].array_segments = (lc_union){0, NULL};
}
SET(set_dense, f.level[0].dense_size)
SET(set_first_segment, f.segment[0])
SET(set_segment, f.segment[1])
SET(set_last_segment, f.segment[2])
SET(set_segments, f.segments.values.n)
SET(set_index, f.index[0])
static void set_row(int64_t v) { /* both blocks in the first row */
    f.segment[1] = 2;
    f.index[0] = (uint8_t)v;
    f.index[1] = 1;
}
SET(set_sparse_bytes, f.buffer[4].data.n)

SET(set_id, f.external[1].id)
SET(set_group, f.external[1].group)
static void set_path(int64_t v) {
    static const char *const paths[] = {"",     "/etc/passwd", "..", "../a",  "a/../b", "a\\b",       "C:a",
                                        "a//b", "a/",          ".",  "a/./b", "a/..",   "..a/b..c/d."};
    f.group[0].name = (lc_str){paths[v], strlen(paths[v])};
}
static void set_path_nul(int64_t v) { f.group[0].name = (lc_str){"ab\0c", (size_t)v}; }
static void set_range(int64_t v) {
    f.external[1].offset = UINT64_MAX - 8;
    f.external[1].length = (uint64_t)v;
}
SET(set_tensor_external, f.t[TM_EXTERNAL].external_buffer)
SET(set_external_buffer, f.t[TM_EXTERNAL].buffer)

/* ---- operators --------------------------------------------------------------------------------------------------- */

SET(set_opcode, f.op[TM_FC].opcode_index)
SET(set_input_count, f.op[TM_FC].inputs.n)
SET(set_input, f.fc_in[0])
static void drop_input(int64_t v) { f.fc_in[v] = -1; }
SET(set_output_count, f.op[TM_FC].outputs.n)
SET(set_output, f.fc_out[0])
SET(set_between, f.between[0])
SET(set_mutating, f.op[TM_CUSTOM].mutating_variable_inputs.n)
static void set_options(int64_t v) {
    static lc_Conv2DOptions conv;
    if (v != LC_BuiltinOptions_FullyConnectedOptions) f.op[TM_FC].builtin_options = (lc_union){(uint8_t)v, v ? &conv : NULL};
}
static void set_second_options(int64_t v) {
    static lc_DilateOptions dilate;
    if (v) f.op[TM_FC].builtin_options_2 = (lc_union){LC_BuiltinOptions2_DilateOptions, &dilate};
}
/* 2,000 tensors in the place of two of graph 1, the last of which has v scales of its own; all others name the same. */
static void set_many_scales(int64_t v) {
    enum { N = 2000 };
    static lc_Tensor t[N];
    static lc_QuantizationParameters q[2];
    static float scale[100000];
    static int64_t zero[100000];
    static int32_t shape[1];
    shape[0] = (int32_t)v;
    for (int i = 0; i < v; i++) scale[i] = 1;
    q[0] = q[1] = (lc_QuantizationParameters){.scale = {scale, 1}, .zero_point = {zero, 1}};
    q[1].scale.n = q[1].zero_point.n = (uint32_t)v;
    for (int i = 0; i < N; i++) t[i] = (lc_Tensor){.type = LC_INT8, .shape = {shape, 1}, .quantization = &q[i == N - 1]};
    f.graphs[1].tensors.data = t;
    f.graphs[1].tensors.n = N;
}
static void patch_many_scales(tflite_bytes *b, int64_t v) {
    (void)v;
    lc_arena arena = {0};
    const lc_Model *m = structs_of(b, &arena);
    const lc_SubGraph *g = &m->subgraphs.data[1];
    uint64_t target = g->tensors.data[g->tensors.n - 1].quantization->at;
    for (size_t i = 0; i + 1 < g->tensors.n; i++) {
        uint32_t offset = (uint32_t)(target - tflite_bytes_field(b, g->tensors.data[i].at, 4));
        assert_true(tflite_bytes_patch(b, g->tensors.data[i].at, 4, &offset, 4));
    }
    lc_arena_deinit(&arena);
}
static void patch_options_type(tflite_bytes *b, int64_t v) {
    lc_arena arena = {0};
    const lc_Model *m = structs_of(b, &arena);
    uint8_t type = (uint8_t)v;
    assert_true(tflite_bytes_patch(b, m->subgraphs.data[0].operators.data[TM_FC].at, 3, &type, 1));
    lc_arena_deinit(&arena);
}
SET(set_activation, f.fc.fused_activation_function)
SET(set_custom_format, f.op[TM_CUSTOM].custom_options_format)
/* Operator 0 of graph 1 becomes a StableHLO one with `inputs` inputs and the given options. */
static void set_stablehlo(int32_t op, uint32_t inputs, lc_union options) {
    static int32_t in[5];
    f.code[4].builtin_code = op;
    f.op1[0].inputs = (lc_vec_i32){in, inputs};
    f.op1[0].builtin_options_2 = options;
}
static void set_precision(int64_t v) {
    static lc_StablehloDotGeneralOptions dot;
    static uint32_t precision[2];
    dot = (lc_StablehloDotGeneralOptions){.precision_config = {precision, 2}};
    precision[1] = (uint32_t)v;
    set_stablehlo(LC_OP_STABLEHLO_DOT_GENERAL, 2, (lc_union){LC_BuiltinOptions2_StablehloDotGeneralOptions, &dot});
}
static void set_direction(int64_t v) {
    static lc_StablehloCompareOptions compare;
    compare.comparison_direction = (uint32_t)v;
    set_stablehlo(LC_OP_STABLEHLO_COMPARE, 2, (lc_union){LC_BuiltinOptions2_StablehloCompareOptions, &compare});
}
static void set_reduction(int64_t v) {
    static lc_ReduceWindowOptions reduce;
    reduce.reduce_function = (int32_t)v;
    set_stablehlo(LC_OP_REDUCE_WINDOW, 5, (lc_union){LC_BuiltinOptions2_ReduceWindowOptions, &reduce});
}

/* ---- graphs ------------------------------------------------------------------------------------------------------ */

SET(set_graph_input, f.in[0])
SET(set_graph_output, f.out[1])
SET(set_custom_output, f.custom_out[0])
SET(set_handle_output, f.handle_out[0])
static void read_nothing(int64_t v) { *(v ? &f.fc_in[0] : &f.custom_in[7]) = TM_BETWEEN; }

static void drop_call_options(int64_t v) {
    if (v) f.op[TM_IF].builtin_options = (lc_union){0, NULL};
}
SET(set_then, f.branch.then_subgraph_index)
static void set_called_inputs(int64_t v) {
    static const int32_t same[2];
    f.graphs[1].inputs = (lc_vec_i32){same, (uint32_t)v};
}
/* Graph 1 becomes CALL(graph v). */
static void set_call(int64_t v) {
    static lc_CallOptions call;
    call.subgraph = (uint32_t)v;
    f.code[4] = (lc_OperatorCode){.builtin_code = LC_OP_CALL, .deprecated_builtin_code = LC_OP_CALL, .version = 1};
    f.op1[0].builtin_options = (lc_union){LC_BuiltinOptions_CallOptions, &call};
}
/* As set_call(2); graph 2 calls graph v. */
static void set_call_back(int64_t v) {
    static lc_CallOptions call;
    static lc_Operator back;
    set_call(2);
    call.subgraph = (uint32_t)v;
    back = f.op1[0];
    back.builtin_options.value = &call;
    f.graphs[2].operators.data = &back;
    f.graphs[2].operators.n = v ? 1 : 0;
    f.t2[0] = f.t1[0];
    f.graphs[2].tensors = f.graphs[1].tensors;
    f.graphs[2].inputs = f.graphs[1].inputs;
    f.graphs[2].outputs = v ? f.graphs[1].outputs : f.graphs[1].inputs;
}
/* WHILE with 1 input and v outputs in place of the FULLY_CONNECTED. */
static void set_while(int64_t v) {
    static lc_WhileOptions loop;
    static int32_t out[2];
    loop = (lc_WhileOptions){.cond_subgraph_index = 2, .body_subgraph_index = 1};
    out[0] = TM_Y;
    out[1] = TM_BETWEEN;
    f.code[0] = (lc_OperatorCode){.builtin_code = LC_OP_WHILE, .deprecated_builtin_code = LC_OP_WHILE, .version = 1};
    f.op[TM_FC].inputs.n = 1;
    f.op[TM_FC].outputs = (lc_vec_i32){out, (uint32_t)v};
    f.op[TM_FC].builtin_options = (lc_union){LC_BuiltinOptions_WhileOptions, &loop};
}
/* CASE of five branches in place of the IF. */
static void set_case(int64_t v) {
    static lc_StablehloCaseOptions options;
    static int32_t branches[5];
    memcpy(branches, (int32_t[]){1, 2, 1, 2, (int32_t)v}, sizeof branches);
    options.branch_subgraph_indices = (lc_vec_i32){branches, 5};
    f.code[1].builtin_code = LC_OP_STABLEHLO_CASE;
    f.op[TM_IF].builtin_options = (lc_union){0, NULL};
    f.op[TM_IF].builtin_options_2 = (lc_union){LC_BuiltinOptions2_StablehloCaseOptions, &options};
}
/* A chain of v graphs, each of which calls the next. */
static void set_chain(int64_t v) {
    static lc_SubGraph g[128];
    static lc_Operator op[128];
    static lc_CallOptions call[128];
    set_call(2);
    for (uint32_t i = 0; i < (uint32_t)v; i++) {
        g[i] = f.graphs[1];
        op[i] = f.op1[0];
        call[i].subgraph = i + 1;
        op[i].builtin_options.value = &call[i];
        g[i].operators.data = &op[i];
        if (i + 1 == (uint32_t)v) g[i] = f.graphs[2];
    }
    f.m.subgraphs.data = g;
    f.m.subgraphs.n = (uint32_t)v;
    f.m.signature_defs.n = 0;
}

static void set_key(int64_t v) {
    static const char *const keys[] = {NULL, "serve", "serving"};
    f.signature_def[1].signature_key = lc_str_of(keys[v]);
}
SET(set_signature_graph, f.signature_def[1].subgraph_index)
static void set_name(int64_t v) {
    static const char *const names[] = {NULL, "image", "images"};
    f.sig_in[1].name = lc_str_of(names[v]);
}
static void set_output_name(int64_t v) {
    static const char *const names[] = {NULL, "scores", "image"}; /* an input and an output may have one name */
    f.sig_out[1].name = lc_str_of(names[v]);
}
SET(set_signature_input, f.sig_in[1].tensor_index)
SET(set_signature_output, f.sig_out[1].tensor_index)

#define CASE(RULE, what, change, bad, good) \
    { LC_RULE_##RULE, what, change, NULL, bad, good }
#define PATCH(RULE, what, patch, bad, good) \
    { LC_RULE_##RULE, what, nothing, patch, bad, good }

static const rule_case cases[] = {
    CASE(VERSION, "older schema", set_version, 2, 3),
    CASE(VERSION, "newer schema", set_version, 4, 3),
    CASE(SUBGRAPH_NONE, "no subgraph", set_subgraphs, 0, 3),
    {LC_RULE_UNFOLD, "quantisation shared by many tensors", set_many_scales, patch_many_scales, 100000, 2000},
    CASE(NODES, "more operators than the limit", set_max_nodes, 4, 5),
    CASE(OPCODE, "one past the last operator", set_code, 210, LC_OP_RELU6),
    CASE(OPCODE, "negative operator", set_code, -5, LC_OP_RELU6),
    CASE(OPCODE, "negative operator in the old field", set_old_code, -1, LC_OP_RELU6),
    CASE(OPCODE_VERSION, "version 0", set_op_version, 0, 1),
    CASE(OPCODE_VERSION, "negative version", set_op_version, -1, 99),
    CASE(CUSTOM_NAME, "empty custom name", set_custom_size, 0, 4),
    CASE(CUSTOM_NAME, "no custom name", set_custom_name, 1, 0),
    CASE(METADATA_NAME, "metadata without name", set_metadata_name, 1, 0),
    CASE(METADATA_BUFFER, "metadata buffer out of range", set_metadata_buffer, TM_BUFFERS, TM_BUFFERS - 1),
    CASE(METADATA_BUFFER, "old metadata buffer out of range", set_old_metadata, TM_BUFFERS, TM_BUFFERS - 1),
    CASE(METADATA_BUFFER, "old metadata buffer negative", set_old_metadata, -1, 0),
    PATCH(METADATA_BUFFER, "metadata over 4 GiB", patch_metadata_size, INT64_C(5) << 30, 24),
    {LC_RULE_METADATA_BUFFER, "named metadata over 4 GiB", use_late_buffer, patch_metadata_size, INT64_C(5) << 30, 24},
    PATCH(BUFFER_OVERLAP, "ranges that overlap in part", patch_overlap, 8, 0),
    PATCH(BUFFER_OVERLAP, "ranges that overlap by a byte", patch_overlap, 23, 24),

    CASE(TENSOR_TYPE, "type past the last", set_type, LC_DTYPE_COUNT, LC_FLOAT8_E5M2),
    CASE(TENSOR_TYPE, "negative type", set_type, -1, LC_INT8),
    CASE(TENSOR_DIM, "negative dimension", set_dim, -1, 0),
    CASE(TENSOR_SIZE, "2^32 elements", set_two_dims, 65536, 32767),
    CASE(TENSOR_SIZE, "2^32 elements times zero", set_zero_dim, 1, 0),
    CASE(TENSOR_SIZE, "constant of 2^65 elements", set_external_dims, 8, 2),
    CASE(TENSOR_SIZE, "constant of 2^65 bytes", set_constant_bytes, 2, 0),
    CASE(TENSOR_SIZE, "sparse constant of 2^72 elements", set_sparse_levels, 1 << 30, 4),
    CASE(TENSOR_DIM, "of a tensor without name", set_nameless, -1, 0),
    CASE(TENSOR_BYTES, "constant a byte short", set_weight_bytes, 7, 8),
    CASE(TENSOR_BYTES, "constant a byte long", set_weight_bytes, 9, 8),
    CASE(TENSOR_SIGNATURE, "another dimension", set_signature, 3, 4),
    CASE(TENSOR_SIGNATURE, "negative dimension", set_signature, -2, -1),
    CASE(TENSOR_SIGNATURE, "another rank", set_signature_rank, 1, 0),
    CASE(TENSOR_VARIABLE, "variable with data", set_variable_buffer, 6, 0),
    CASE(TENSOR_VARIABLE, "variable of strings", set_variable_type, LC_STRING, LC_INT8),
    CASE(TENSOR_HANDLE, "resource with data", set_handle_buffer, 6, 0),
    CASE(TENSOR_VARIANT, "variant type", set_variant_type, LC_DTYPE_COUNT, LC_STRING),
    CASE(TENSOR_VARIANT, "variant dimension", set_variant_dim, -2, 0),
    CASE(BUFFER_INDEX, "buffer out of range", set_buffer, TM_BUFFERS, TM_BUFFERS - 1),

    CASE(STRING_HEADER, "count past the buffer", set_string_count, 100, 2),
    CASE(STRING_HEADER, "count that wraps", set_string_count, 0xFFFFFFFE, 2),
    CASE(STRING_HEADER, "no room for a count", set_string_bytes, 3, 19),
    CASE(STRING_OFFSET, "strings before the header's end", set_string_first, 12, 16),
    CASE(STRING_OFFSET, "gap behind the header", set_string_first, 17, 16),
    CASE(STRING_OFFSET, "falling offset", set_string_second, 15, 16),
    CASE(STRING_OFFSET, "offset past the end", set_string_second, 20, 19),
    CASE(STRING_OFFSET, "bytes behind the last string", set_string_last, 18, 19),
    CASE(STRING_COUNT, "fewer strings than elements", set_string_shape, 3, 2),

    CASE(QUANT_COUNT, "a zero point missing", set_zero_points, 1, 2),
    CASE(QUANT_COUNT, "no zero points", set_zero_points, 0, 2),
    CASE(QUANT_DIM, "quantised dimension past the last", set_quant_dim, 2, 0),
    CASE(QUANT_DIM, "negative quantised dimension", set_quant_dim, -1, 0),
    CASE(QUANT_DIM, "negative for a bias, and 3", set_bias_dim, -1, 3),
    CASE(QUANT_SCALES, "a scale too many", set_scales, 3, 1),
    CASE(QUANT_SCALES, "two scales of a scalar", set_scalar_scales, 2, 1),
    CASE(QUANT_SCALE, "scale 0", set_scale, 0, 4),
    CASE(QUANT_SCALE, "negative scale", set_scale, 1, 4),
    CASE(QUANT_SCALE, "scale NaN", set_scale, 2, 4),
    CASE(QUANT_SCALE, "scale infinite", set_scale, 3, 4),
    CASE(QUANT_SCALE, "scale 0 of int8, and of strings", set_string_scale, 1, 0),
    CASE(QUANT_ZERO_POINT, "zero point above int8", set_zero_point, 128, 127),
    CASE(QUANT_ZERO_POINT, "zero point below int8", set_zero_point, -129, -128),
    PATCH(QUANT_DETAILS, "details of an unknown kind", patch_details, 9, LC_QuantizationDetails_BlockwiseQuantization),
    CASE(QUANT_BLOCKWISE, "scales out of range", set_block_scales, TM_TENSORS, TM_SCALES),
    CASE(QUANT_BLOCKWISE, "scales negative", set_block_scales, -1, TM_SCALES),
    CASE(QUANT_BLOCKWISE, "zero points out of range", set_block_zero_points, -2, TM_B),
    CASE(QUANT_BLOCKWISE, "block size 0", set_block_size, 0, 32),
    CASE(QUANT_BLOCKWISE, "negative block size", set_block_size, -1, 1),
    CASE(QUANT_BLOCKWISE, "neither block size nor block shape", set_block_shape, 0, 2),
    CASE(QUANT_MULTI_AXIS, "scales out of range", set_multi_scales, TM_TENSORS, TM_SCALES),
    CASE(QUANT_MULTI_AXIS, "negative block size", set_multi_size, -1, 0),
    CASE(QUANT_MULTI_AXIS, "dimension past the last", set_multi_dim, 2, 1),
    CASE(QUANT_MULTI_AXIS, "dimension twice", set_multi_dim, 0, 1),
    CASE(QUANT_MULTI_AXIS, "no dimension", set_multi_count, 0, 1),

    CASE(SPARSE_LEVELS, "traversal order too short", set_levels, 3, 4),
    CASE(SPARSE_LEVELS, "block map too short", set_blocks, 1, 2),
    CASE(SPARSE_ORDER, "dimension twice", set_order, 0, 1),
    CASE(SPARSE_ORDER, "block among the dimensions", set_order, 2, 1),
    CASE(SPARSE_ORDER, "out of range", set_order, 9, 1),
    CASE(SPARSE_ORDER, "columns first, twice", swap_order, 1, 0),
    CASE(SPARSE_BLOCK, "dimension blocked twice", set_block_map, 0, 1),
    CASE(SPARSE_BLOCK, "block of no dimension", set_block_map, 2, 1),
    CASE(SPARSE_BLOCK, "block that does not divide", set_block, 3, 2),
    CASE(SPARSE_BLOCK, "block of size 0", set_block, 0, 2),
    CASE(SPARSE_FORMAT, "unknown format", set_format, 7, 0),
    CASE(SPARSE_FORMAT, "no segments", drop_segments, 1, 0),
    CASE(SPARSE_DENSE, "another size", set_dense, 3, 2),
    CASE(SPARSE_SEGMENTS, "first segment not 0", set_first_segment, 1, 0),
    CASE(SPARSE_SEGMENTS, "segments fall", set_segment, 3, 1),
    CASE(SPARSE_SEGMENTS, "negative segment", set_segment, -1, 1),
    CASE(SPARSE_SEGMENTS, "last segment before the end", set_last_segment, 1, 2),
    CASE(SPARSE_SEGMENTS, "a segment missing", set_segments, 2, 3),
    CASE(SPARSE_INDICES, "index past the dimension", set_index, 2, 0),
    CASE(SPARSE_INDICES, "index twice in a row", set_row, 1, 0),
    CASE(SPARSE_BYTES, "an element missing", set_sparse_bytes, 28, 32),

    CASE(EXTERNAL_ID, "id twice", set_id, 7, 8),
    CASE(EXTERNAL_ID, "id 0", set_id, 0, 1),
    CASE(EXTERNAL_GROUP, "group out of range", set_group, 1, 0),
    CASE(EXTERNAL_NAME, "empty", set_path, 0, 12),
    CASE(EXTERNAL_NAME, "absolute", set_path, 1, 12),
    CASE(EXTERNAL_NAME, "..", set_path, 2, 12),
    CASE(EXTERNAL_NAME, "../a", set_path, 3, 12),
    CASE(EXTERNAL_NAME, "a/../b", set_path, 4, 12),
    CASE(EXTERNAL_NAME, "backslash", set_path, 5, 12),
    CASE(EXTERNAL_NAME, "drive", set_path, 6, 12),
    CASE(EXTERNAL_NAME, "empty part", set_path, 7, 12),
    CASE(EXTERNAL_NAME, "empty last part", set_path, 8, 12),
    CASE(EXTERNAL_NAME, ".", set_path, 9, 12),
    CASE(EXTERNAL_NAME, "a/./b", set_path, 10, 12),
    CASE(EXTERNAL_NAME, "a/..", set_path, 11, 12),
    CASE(EXTERNAL_NAME, "NUL inside", set_path_nul, 4, 2),
    CASE(EXTERNAL_RANGE, "end past 64 bits", set_range, 9, 8),
    CASE(EXTERNAL_TENSOR, "no such id", set_tensor_external, 9, 3),
    CASE(EXTERNAL_TENSOR, "two kinds of data", set_external_buffer, 6, 0),

    CASE(OPCODE_INDEX, "code out of range", set_opcode, TM_CODES, 0),
    CASE(INPUT_COUNT, "an input missing", set_input_count, 1, 2),
    CASE(INPUT_INDEX, "input out of range", set_input, TM_TENSORS, TM_X),
    CASE(INPUT_INDEX, "input -2", set_input, -2, TM_X),
    CASE(INPUT_ABSENT, "weights absent, and bias absent", drop_input, 1, 2),
    CASE(OUTPUT_COUNT, "no output", set_output_count, 0, 1),
    CASE(OUTPUT_INDEX, "output out of range", set_output, TM_TENSORS, TM_Y),
    CASE(OUTPUT_INDEX, "output absent", set_output, -1, TM_Y),
    CASE(INTERMEDIATE_INDEX, "intermediate out of range", set_between, TM_TENSORS, TM_BETWEEN),
    CASE(INTERMEDIATE_INDEX, "intermediate absent", set_between, -1, TM_BETWEEN),
    CASE(MUTATING, "an entry missing", set_mutating, 7, 8),
    CASE(MUTATING, "an entry only", set_mutating, 1, 0),
    CASE(OPTIONS_TYPE, "another operator's options, and none", set_options, LC_BuiltinOptions_Conv2DOptions, 0),
    PATCH(OPTIONS_TYPE, "options of an unknown type", patch_options_type, 127, LC_BuiltinOptions_FullyConnectedOptions),
    CASE(OPTIONS_BOTH, "both unions", set_second_options, 1, 0),
    CASE(OPTIONS_ENUM, "activation past the last", set_activation, 6, 5),
    CASE(OPTIONS_ENUM, "negative activation", set_activation, -1, 0),
    CASE(OPTIONS_ENUM, "custom options' format", set_custom_format, 1, 0),
    CASE(OPTIONS_ENUM, "in a vector", set_precision, 3, 2),
    CASE(OPTIONS_ENUM, "of 32 bits without sign", set_direction, 0xFFFFFFFF, 5),
    CASE(OPTIONS_ENUM, "of 32 bits", set_reduction, -1, 6),
    PATCH(OPTIONS_SIZE, "custom options over 4 GiB", patch_options_size, INT64_C(5) << 30, 7),

    CASE(GRAPH_INPUT, "out of range", set_graph_input, TM_TENSORS, TM_X),
    CASE(GRAPH_INPUT, "absent", set_graph_input, -1, TM_X),
    CASE(GRAPH_OUTPUT, "out of range", set_graph_output, TM_TENSORS, TM_CUSTOM_OUT),
    CASE(GRAPH_OUTPUT, "absent", set_graph_output, -1, TM_CUSTOM_OUT),
    CASE(ALIAS, "output is its own input", set_custom_output, TM_VAR, TM_CUSTOM_OUT),
    CASE(ALIAS, "input is its own output", set_input, TM_Y, TM_X),
    CASE(WRITE_CONSTANT, "output is constant", set_output, TM_STRINGS, TM_Y),
    CASE(WRITE_CONSTANT, "output is constant in another file", set_output, TM_EXTERNAL, TM_Y),
    CASE(WRITE_INPUT, "output is the subgraph's input", set_output, TM_COND, TM_Y),
    CASE(WRITE_TWICE, "two writers", set_handle_output, TM_Y, TM_HANDLE),
    CASE(READ_EARLY, "read before it is written", set_input, TM_HANDLE, TM_X),
    CASE(READ_NOTHING, "read and never written; a custom operator may", read_nothing, 1, 0),
    CASE(OUTPUT_NOTHING, "output that nobody writes", set_graph_output, TM_BETWEEN, TM_CUSTOM_OUT),

    CASE(CALL_OPTIONS, "IF without options", drop_call_options, 1, 0),
    CASE(CALL_INDEX, "subgraph out of range", set_then, 3, 2),
    CASE(CALL_INDEX, "subgraph negative", set_then, -1, 1),
    CASE(CALL_INDEX, "fifth of five out of range", set_case, 3, 2),
    CASE(CALL_COUNT, "an input too many", set_called_inputs, 2, 1),
    CASE(CALL_COUNT, "the caller itself has others", set_then, 0, 1),
    CASE(CALL_COUNT, "WHILE with more outputs than inputs", set_while, 2, 1),
    CASE(CALL_CYCLE, "subgraph calls itself", set_call, 1, 2),
    CASE(CALL_CYCLE, "two subgraphs call each other", set_call_back, 1, 0),
    CASE(CALL_CYCLE, "a circle that is called from outside", set_call_back, 2, 0),
    CASE(CALL_DEPTH, "66 subgraphs in a chain", set_chain, 66, 65),
    CASE(SIGNATURE_KEY, "key twice", set_key, 1, 2),
    CASE(SIGNATURE_KEY, "no key", set_key, 0, 2),
    CASE(SIGNATURE_GRAPH, "subgraph out of range", set_signature_graph, 3, 1),
    CASE(SIGNATURE_NAME, "input name twice", set_name, 1, 2),
    CASE(SIGNATURE_NAME, "no input name", set_name, 0, 2),
    CASE(SIGNATURE_NAME, "output name twice", set_output_name, 1, 2),
    CASE(SIGNATURE_INPUT, "no input of the subgraph", set_signature_input, TM_Y, TM_COND),
    CASE(SIGNATURE_INPUT, "out of range", set_signature_input, TM_TENSORS, TM_COND),
    CASE(SIGNATURE_OUTPUT, "no output of the subgraph", set_signature_output, TM_Y, TM_CUSTOM_OUT),
    CASE(SIGNATURE_OUTPUT, "out of range", set_signature_output, TM_TENSORS, TM_CUSTOM_OUT),
};

/* ---- running them -------------------------------------------------------------------------------------------------- */

/* Writes the model of case c with value v and loads it; *model NULL and err set when it is refused. */
static lc_status run(const rule_case *c, int64_t v, lc_model **model, tflite_bytes *b, void **mapping, lc_error *err) {
    tflite_model_make(&f);
    limits = (lc_limits){0};
    huge = 0;
    *b = (tflite_bytes){0};
    *mapping = NULL;
    c->change(v);
    const lc_sink sink = {.write = tflite_bytes_write, .user = b};
    assert_int_equal(lc_fb_write(&f.m, &sink, NULL, err), LC_OK);
    if (c->patch) c->patch(b, v);
    if (huge <= b->size) return lc_tflite_load(b->data, b->size, &limits, model, err);
    limits.max_memory = UINT64_MAX;
    *mapping = mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(*mapping, MAP_FAILED);
    memcpy(*mapping, b->data, b->size);
    return lc_tflite_load(*mapping, huge, &limits, model, err);
}

static void finish(lc_model *m, tflite_bytes *b, void *mapping) {
    lc_model_destroy(m);
    lc_free(b->data);
    if (mapping) munmap(mapping, huge);
}

static void try_bad(const rule_case *c, const char *id) {
    lc_model *m;
    tflite_bytes b;
    void *mapping;
    lc_error err;
    lc_status status = run(c, c->bad, &m, &b, &mapping, &err);
    bool limit = c->rule == LC_RULE_NODES || c->rule == LC_RULE_CALL_DEPTH;
    if (status != (limit ? LC_LIMIT : LC_INVALID) || strcmp(err.rule, id) != 0) {
        fail_msg("%s, %s: bad file gave %s %s %s", id, c->what, lc_status_name(status), status ? err.rule : "", status ? err.message : "");
    }
    assert_null(m);
    assert_true(err.message[0] && err.hint[0] && err.offset < b.size && (err.offset >= 8 || c->rule == LC_RULE_UNFOLD));
    finish(m, &b, mapping);
}

static void try_good(const rule_case *c, const char *id) {
    lc_model *m, *again;
    tflite_bytes b, out = {0};
    void *mapping;
    lc_error err;
    if (run(c, c->good, &m, &b, &mapping, &err) != LC_OK) fail_msg("%s, %s: good twin refused: %s %s", id, c->what, err.rule, err.message);
    const lc_sink sink = {.write = tflite_bytes_write, .user = &out};
    assert_int_equal(lc_emit_tflite(m, &sink, NULL, &err), LC_OK);
    if (lc_tflite_load(out.data, out.size, &limits, &again, &err) != LC_OK) {
        fail_msg("%s, %s: good twin does not load again: %s %s", id, c->what, err.rule, err.message);
    }
    if (!lc_model_equal(m, again, &err)) fail_msg("%s, %s: good twin changed: %s", id, c->what, err.message);
    lc_model_destroy(again);
    lc_free(out.data);
    finish(m, &b, mapping);
}

static void test_every_rule(void **state) {
    (void)state;
    bool covered[LC_RULE_COUNT] = {false};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char id[24];
        lc_rule_name(cases[i].rule, id);
        covered[cases[i].rule] = true;
        if (cases[i].bad > 0 && (uint64_t)cases[i].bad > SIZE_MAX) continue; /* no file of that size can be mapped here */
        try_bad(&cases[i], id);
        try_good(&cases[i], id);
    }
    for (int r = 0; r < LC_RULE_COUNT; r++) {
        char id[24];
        lc_rule_name((lc_rule)r, id);
        if (!covered[r]) fail_msg("rule %s has no case", id);
    }
}

/* ids fit into lc_error.rule and are different. */
static void test_ids(void **state) {
    (void)state;
    static const char *const ids[] = {
#define LC_RULE(ID, advice, must) "TFL-" #ID,
#include "runtime/rules.def"
    };
    for (int r = 0; r < LC_RULE_COUNT; r++) {
        char id[24];
        lc_rule_name((lc_rule)r, id);
        assert_int_equal(strlen(id), strlen(ids[r]));
        for (int k = 0; k < r; k++) assert_string_not_equal(ids[r], ids[k]);
    }
}

/* What a user reads. */
static void test_message(void **state) {
    (void)state;
    static const rule_case c = CASE(INPUT_INDEX, "", set_input, 99, 0);
    lc_model *m;
    tflite_bytes b;
    void *mapping;
    lc_error err;
    assert_int_equal(run(&c, c.bad, &m, &b, &mapping, &err), LC_INVALID);
    assert_string_equal(err.message, "subgraph 0, operator 0 FULLY_CONNECTED: input 0: tensor 99 does not exist (there are 17)");
    assert_string_equal(err.rule, "TFL-INPUT-INDEX");
    assert_non_null(strstr(err.hint, "an input names a tensor of its subgraph; "));
    lc_arena arena = {0};
    assert_int_equal(err.offset, structs_of(&b, &arena)->subgraphs.data[0].operators.data[0].at);
    lc_arena_deinit(&arena);
    finish(m, &b, mapping);
}

static void *array(size_t n, size_t size) {
    void *p = calloc(n, size);
    assert_non_null(p);
    return p;
}

/* A zero point may be the ends of its type's range and no more. */
static void test_zero_point_ranges(void **state) {
    (void)state;
    static const struct {
        lc_dtype type;
        int64_t min, max;
    } ranges[] = {
        {LC_INT2, -2, 1},           {LC_INT4, -8, 7},
        {LC_UINT4, 0, 15},          {LC_INT8, -128, 127},
        {LC_UINT8, 0, 255},         {LC_INT16, -32768, 32767},
        {LC_UINT16, 0, 65535},      {LC_INT32, INT32_MIN, INT32_MAX},
        {LC_UINT32, 0, UINT32_MAX}, {LC_INT64, INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        for (int k = 0; k < 4; k++) {
            bool outside = k >= 2;
            if (outside && ranges[i].type == LC_INT64) continue; /* nothing is outside */
            int64_t zero = k == 0 ? ranges[i].min : k == 1 ? ranges[i].max : k == 2 ? ranges[i].min - 1 : ranges[i].max + 1;
            tflite_model_make(&f);
            f.t[TM_BETWEEN].type = (int8_t)ranges[i].type;
            f.q[3].zero_point.data = &zero;
            tflite_bytes b = {0};
            const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
            lc_model *m;
            lc_error err = {0};
            assert_int_equal(lc_fb_write(&f.m, &sink, NULL, &err), LC_OK);
            assert_int_equal(lc_tflite_load(b.data, b.size, NULL, &m, &err), outside ? LC_INVALID : LC_OK);
            assert_string_equal(err.rule, outside ? "TFL-QUANT-ZERO-POINT" : "");
            lc_model_destroy(m);
            lc_free(b.data);
        }
    }
}

/* Inputs and outputs that callers ask of what they call. */
static void test_arity(void **state) {
    (void)state;
    static const struct {
        int32_t op;
        uint32_t call;
        int64_t inputs, outputs;
    } wanted[] = {
        {LC_OP_CALL, 0, 3, 2},
        {LC_OP_CALL_ONCE, 0, 3, 2},
        {LC_OP_STABLEHLO_COMPOSITE, 0, 3, 2},
        {LC_OP_IF, 0, 2, 2},
        {LC_OP_IF, 1, 2, 2},
        {LC_OP_STABLEHLO_CASE, 7, 2, 2},
        {LC_OP_WHILE, 0, 3, 1},
        {LC_OP_WHILE, 1, 3, 2},
        {LC_OP_STABLEHLO_WHILE, 0, 3, 1},
        {LC_OP_STABLEHLO_WHILE, 1, 3, 2},
        {LC_OP_STABLEHLO_REDUCE, 0, -1, -1},
        {LC_OP_STABLEHLO_SORT, 0, -1, -1},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const lc_node n = {.op = wanted[i].op, .input_count = 3, .output_count = 2};
        int64_t inputs, outputs;
        lc_op_call_arity(&n, wanted[i].call, &inputs, &outputs);
        assert_int_equal(inputs, wanted[i].inputs);
        assert_int_equal(outputs, wanted[i].outputs);
    }
}

/* A string buffer that many tensors name is walked once. */
static void test_shared_strings(void **state) {
    (void)state;
    enum { TENSORS = 20000, STRINGS = 50000 };
    lc_Tensor *t = array(TENSORS, sizeof *t);
    uint32_t *text = array(STRINGS + 2, 4);
    text[0] = STRINGS;
    for (uint32_t i = 0; i <= STRINGS; i++) text[i + 1] = 4 * (STRINGS + 2);
    const int32_t dims[1] = {STRINGS};
    for (uint32_t i = 0; i < TENSORS; i++) t[i] = (lc_Tensor){.type = LC_STRING, .buffer = 1, .shape = {dims, 1}};
    lc_Buffer buffers[2] = {{.at = 0}, {.data = {(const uint8_t *)text, 4 * (STRINGS + 2)}}};
    lc_SubGraph g = {.tensors = {t, TENSORS}, .debug_metadata_index = -1};
    const lc_Model m = {.version = 3, .subgraphs = {&g, 1}, .buffers = {buffers, 2}};
    tflite_bytes b = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    lc_model *model;
    lc_error err;
    assert_int_equal(lc_fb_write(&m, &sink, NULL, &err), LC_OK);
    assert_int_equal(lc_tflite_load(b.data, b.size, NULL, &model, &err), LC_OK);
    lc_model_destroy(model);
    lc_free(b.data);
    free(t);
    free(text);
}

/* ---- size: a check that is not linear would take minutes here --------------------------------------------------------- */

typedef struct big {
    lc_Model m;
    lc_SubGraph *graphs;
    lc_Tensor *tensors;
    lc_Operator *ops;
    int32_t *numbers;
    lc_OperatorCode code[1];
    lc_Buffer buffers[1];
} big;

/* One graph of n RELUs in a row. */
static void test_long_chain(void **state) {
    (void)state;
    enum { N = 200000 };
    big g = {0};
    g.tensors = array(N + 1, sizeof *g.tensors);
    g.ops = array(N, sizeof *g.ops);
    g.numbers = array(N + 1, sizeof *g.numbers);
    g.graphs = array(1, sizeof *g.graphs);
    for (int32_t i = 0; i <= N; i++) g.numbers[i] = i;
    for (int32_t i = 0; i < N; i++) {
        lc_schema_init(LC_TABLE_Operator, &g.ops[i]);
        g.ops[i].inputs = (lc_vec_i32){&g.numbers[i], 1};
        g.ops[i].outputs = (lc_vec_i32){&g.numbers[i + 1], 1};
    }
    g.code[0] = (lc_OperatorCode){.builtin_code = LC_OP_RELU, .deprecated_builtin_code = LC_OP_RELU, .version = 1};
    g.graphs[0] = (lc_SubGraph){.tensors = {g.tensors, N + 1},
                                .operators = {g.ops, N},
                                .inputs = {g.numbers, 1},
                                .outputs = {&g.numbers[N], 1},
                                .debug_metadata_index = -1};
    g.m = (lc_Model){.version = 3, .subgraphs = {g.graphs, 1}, .operator_codes = {g.code, 1}, .buffers = {g.buffers, 1}};
    tflite_bytes b = {0}, out = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b}, back = {.write = tflite_bytes_write, .user = &out};
    lc_model *m;
    lc_error err;
    assert_int_equal(lc_fb_write(&g.m, &sink, NULL, &err), LC_OK);
    assert_int_equal(lc_tflite_load(b.data, b.size, NULL, &m, &err), LC_OK);
    assert_int_equal(m->graphs[0]->node_count, N);
    assert_int_equal(lc_emit_tflite(m, &back, NULL, &err), LC_OK);
    lc_model_destroy(m);
    lc_free(out.data);
    /* The last operator reads what the first wrote, and the first what the last writes. */
    g.ops[0].inputs.data = &g.numbers[N];
    b.size = 0;
    assert_int_equal(lc_fb_write(&g.m, &sink, NULL, &err), LC_OK);
    assert_int_equal(lc_tflite_load(b.data, b.size, NULL, &m, &err), LC_INVALID);
    assert_string_equal(err.rule, "TFL-READ-EARLY");
    lc_free(b.data);
    free(g.tensors);
    free(g.ops);
    free(g.numbers);
    free(g.graphs);
}

/* Many signatures with many names on one graph; all names different, all names equal. */
static void test_many_signatures(void **state) {
    (void)state;
    enum { N = 20000 };
    tflite_model_make(&f);
    lc_SignatureDef *s = array(N, sizeof *s);
    lc_TensorMap *e = array(N, sizeof *e);
    char(*names)[16] = array(N, sizeof *names);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i * 7919 % N);
        s[i].signature_key = e[i].name = lc_str_of(names[i]);
    }
    s[0].inputs.data = e;
    s[0].inputs.n = N;
    f.m.signature_defs.data = s;
    f.m.signature_defs.n = N;
    tflite_bytes b = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    lc_model *m;
    lc_error err;
    assert_int_equal(lc_fb_write(&f.m, &sink, NULL, &err), LC_OK);
    assert_int_equal(lc_tflite_load(b.data, b.size, NULL, &m, &err), LC_OK);
    lc_model_destroy(m);
    for (int i = 0; i < N; i++) s[i].signature_key = lc_str_of("same");
    b.size = 0;
    assert_int_equal(lc_fb_write(&f.m, &sink, NULL, &err), LC_OK);
    assert_int_equal(lc_tflite_load(b.data, b.size, NULL, &m, &err), LC_INVALID);
    assert_string_equal(err.rule, "TFL-SIGNATURE-KEY");
    lc_free(b.data);
    free(s);
    free(e);
    free(names);
}

static bool less_value(const void *context, uint32_t a, uint32_t b) {
    return ((const uint32_t *)context)[a] < ((const uint32_t *)context)[b];
}

static void test_sort(void **state) {
    (void)state;
    uint32_t values[97] = {0}, order[97];
    for (uint32_t n = 0; n <= 97; n++) {
        for (uint32_t i = 0; i < n; i++) {
            values[i] = i * 2654435761u % 31;
            order[i] = i;
        }
        lc_sort_indices(order, n, less_value, values);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < n; i++) sum += order[i];
        assert_int_equal(sum, n ? (uint64_t)n * (n - 1) / 2 : 0);
        for (uint32_t i = 1; i < n; i++) assert_true(values[order[i - 1]] <= values[order[i]]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule),      cmocka_unit_test(test_ids),
        cmocka_unit_test(test_message),         cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_many_signatures), cmocka_unit_test(test_sort),
        cmocka_unit_test(test_arity),           cmocka_unit_test(test_zero_point_ranges),
        cmocka_unit_test(test_shared_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
