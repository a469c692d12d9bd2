/*
 * tflite_model.c: see tflite_model.h.
 *
 *   graph 0   FULLY_CONNECTED(x, w, b) -> y    IF(cond, y) -> z runs graph 1 or 2    VAR_HANDLE -> handle
 *             CUSTOM "Mine"(sparse, strings, blockwise, external, variable, multi-axis, -1, scratch) -> custom_out
 *   graph 1   RELU, graph 2: its output is its input
 *   signatures "serve" (graph 0) and "relu" (graph 1), two metadata, one external file, one unused operator code
 */
#include "support/tflite_model.h"

#include <string.h>

static lc_str str(const char *s) { return (lc_str){s, strlen(s)}; }

static void tensor(tflite_model *f, int i, const char *name, lc_dtype type, uint32_t buffer, uint32_t rank, int32_t d0, int32_t d1) {
    lc_Tensor *t = &f->t[i];
    f->shape[i][0] = f->signature[i][0] = d0;
    f->shape[i][1] = f->signature[i][1] = d1;
    t->name = str(name);
    t->type = (int8_t)type;
    t->buffer = buffer;
    t->has_rank = 1;
    t->shape = (lc_vec_i32){f->shape[i], rank};
}

static void buffer(tflite_model *f, uint32_t i, const void *data, uint32_t n) {
    if (data) memcpy(f->bytes[i], data, n);
    f->buffer[i].data = (lc_vec_u8){f->bytes[i], n};
}

static void quantise(tflite_model *f, int q, int t, uint32_t n, int32_t dim) {
    f->q[q].scale = (lc_vec_f32){f->scale, n};
    f->q[q].zero_point = (lc_vec_i64){f->zero, n};
    f->q[q].quantized_dimension = dim;
    f->t[t].quantization = &f->q[q];
}

static void make_buffers(tflite_model *f) {
    static const uint32_t text[] = {2, 16, 18, 19, 0x636261}; /* "ab", "c" */
    uint8_t counted[64];
    for (unsigned i = 0; i < sizeof counted; i++) counted[i] = (uint8_t)(i + 1);
    buffer(f, 1, counted, 8);     /* w: int8 [2, 4] */
    buffer(f, 2, counted + 8, 8); /* b: int32 [2] */
    buffer(f, 3, text, 19);
    buffer(f, 4, counted, 32); /* sparse: two 2 x 2 blocks of float32 */
    buffer(f, 5, counted, 32); /* blockwise: int4 [2, 32] */
    buffer(f, 6, counted, 8);  /* scales: float32 [2] */
    buffer(f, 7, "1.5.0", 5);  /* metadata */
    buffer(f, 8, counted, 12);
    f->buffer[9].offset = f->buffer[10].offset = 2; /* behind the flatbuffer */
    buffer(f, 9, counted, 24);
    buffer(f, 10, counted + 1, 24);
    f->buffer[9].size = f->buffer[10].size = 24;
}

static void make_tensors(tflite_model *f) {
    tensor(f, TM_X, "x", LC_FLOAT32, 0, 2, 1, 4);
    f->signature[TM_X][0] = -1;
    f->t[TM_X].shape_signature = (lc_vec_i32){f->signature[TM_X], 2};
    tensor(f, TM_W, "w", LC_INT8, 1, 2, 2, 4);
    quantise(f, 0, TM_W, 2, 0);
    tensor(f, TM_B, "b", LC_INT32, 2, 1, 2, 0);
    quantise(f, 1, TM_B, 2, 0);
    tensor(f, TM_Y, "y", LC_FLOAT32, 0, 2, 1, 2);
    tensor(f, TM_STRINGS, "strings", LC_STRING, 3, 1, 2, 0);
    tensor(f, TM_COND, "cond", LC_BOOL, 0, 0, 0, 0);
    tensor(f, TM_Z, "z", LC_FLOAT32, 0, 2, 1, 2);
    tensor(f, TM_VAR, "variable", LC_FLOAT32, 0, 1, 2, 0);
    f->t[TM_VAR].is_variable = 1;
    tensor(f, TM_SPARSE, "sparse", LC_FLOAT32, 4, 2, 4, 4);
    f->t[TM_SPARSE].sparsity = &f->sparsity;
    tensor(f, TM_BLOCKWISE, "blockwise", LC_INT4, 5, 2, 2, 32);
    f->t[TM_BLOCKWISE].quantization = &f->q[2];
    f->q[2].details = (lc_union){LC_QuantizationDetails_BlockwiseQuantization, &f->blockwise};
    f->blockwise = (lc_BlockwiseQuantization){.scales = TM_SCALES, .zero_points = -1, .block_size = 32, .block_shape = {f->block_shape, 2}};
    f->block_shape[0] = 1;
    f->block_shape[1] = 32;
    tensor(f, TM_SCALES, "scales", LC_FLOAT32, 6, 1, 2, 0);
    tensor(f, TM_EXTERNAL, "external", LC_FLOAT32, 0, 1, 2, 0);
    f->t[TM_EXTERNAL].external_buffer = 7;
    tensor(f, TM_HANDLE, "handle", LC_RESOURCE, 0, 0, 0, 0);
    tensor(f, TM_VARIANT, "variant", LC_VARIANT, 0, 0, 0, 0);
    f->t[TM_VARIANT].variant_tensors.data = f->variant;
    f->t[TM_VARIANT].variant_tensors.n = 1;
    f->variant_shape[0] = -1;
    f->variant_shape[1] = 3;
    f->variant[0].shape = (lc_vec_i32){f->variant_shape, 2};
    f->variant[0].has_rank = 1;
    tensor(f, TM_CUSTOM_OUT, "custom_out", LC_FLOAT32, 0, 1, 2, 0);
    tensor(f, TM_BETWEEN, "between", LC_INT16, 0, 0, 0, 0);
    quantise(f, 3, TM_BETWEEN, 1, 0);
    tensor(f, TM_MULTI, "multi", LC_INT8, 1, 2, 2, 4);
    f->t[TM_MULTI].quantization = &f->q[4];
    f->q[4].details = (lc_union){LC_QuantizationDetails_MultiAxisQuantization, &f->multi};
    f->multi = (lc_MultiAxisQuantization){.scales = TM_SCALES, .zero_points = TM_B, .quantized_dimensions = {f->multi_dims, 2}};
    f->multi_dims[1] = 1;
    for (int i = 0; i < 8; i++) f->scale[i] = 0.5f + (float)i;
}

/* 4 x 4 in blocks of 2 x 2: rows of blocks dense, columns of blocks sparse with one block a row, block insides dense. */
static void make_sparsity(tflite_model *f) {
    for (int i = 0; i < 4; i++) f->order[i] = i;
    f->block_map[1] = 1;
    f->sparsity.traversal_order = (lc_vec_i32){f->order, 4};
    f->sparsity.block_map = (lc_vec_i32){f->block_map, 2};
    f->sparsity.dim_metadata.data = f->level;
    f->sparsity.dim_metadata.n = 4;
    for (int i = 0; i < 4; i++) f->level[i].dense_size = 2;
    f->level[1].dense_size = 0;
    f->level[1].format = LC_DimensionType_SPARSE_CSR;
    f->segment[1] = 1;
    f->segment[2] = 2;
    f->index[0] = 1;
    f->segments.values = (lc_vec_i32){f->segment, 3};
    f->indices.values = (lc_vec_u8){f->index, 2};
    f->level[1].array_segments = (lc_union){LC_SparseIndexVector_Int32Vector, &f->segments};
    f->level[1].array_indices = (lc_union){LC_SparseIndexVector_Uint8Vector, &f->indices};
}

static void make_operators(tflite_model *f) {
    static const int32_t ops[TM_CODES] = {LC_OP_FULLY_CONNECTED, LC_OP_IF,   LC_OP_VAR_HANDLE,
                                          LC_OP_CUSTOM,          LC_OP_RELU, LC_OP_STABLEHLO_COMPOSITE};
    for (int i = 0; i < TM_CODES; i++) {
        f->code[i].builtin_code = ops[i];
        f->code[i].deprecated_builtin_code = (int8_t)(ops[i] < 127 ? ops[i] : 127);
    }
    f->code[0].version = 2;
    f->code[3].custom_code = str("Mine");
    memcpy(f->fc_in, (int32_t[]){TM_X, TM_W, TM_B}, sizeof f->fc_in);
    f->fc_out[0] = TM_Y;
    memcpy(f->if_in, (int32_t[]){TM_COND, TM_Y}, sizeof f->if_in);
    f->if_out[0] = TM_Z;
    f->handle_out[0] = TM_HANDLE;
    memcpy(f->custom_in, (int32_t[]){TM_SPARSE, TM_STRINGS, TM_BLOCKWISE, TM_EXTERNAL, TM_VAR, TM_MULTI, -1, TM_VARIANT},
           sizeof f->custom_in);
    f->mutating[4] = 1;
    f->custom_out[0] = TM_CUSTOM_OUT;
    f->between[0] = TM_BETWEEN;
    for (uint32_t i = 0; i < TM_OPS; i++) f->op[i].opcode_index = i;
    f->op[TM_FC].inputs = (lc_vec_i32){f->fc_in, 3};
    f->op[TM_FC].outputs = (lc_vec_i32){f->fc_out, 1};
    f->op[TM_FC].builtin_options = (lc_union){LC_BuiltinOptions_FullyConnectedOptions, &f->fc};
    f->fc.quant_spec = (lc_vec_u8){(const uint8_t *)"spec", 4};
    f->op[TM_IF].inputs = (lc_vec_i32){f->if_in, 2};
    f->op[TM_IF].outputs = (lc_vec_i32){f->if_out, 1};
    f->op[TM_IF].builtin_options = (lc_union){LC_BuiltinOptions_IfOptions, &f->branch};
    f->branch.then_subgraph_index = 1;
    f->branch.else_subgraph_index = 2;
    f->op[TM_VAR_HANDLE].inputs = (lc_vec_i32){f->fc_in, 0};
    f->op[TM_VAR_HANDLE].outputs = (lc_vec_i32){f->handle_out, 1};
    f->op[TM_VAR_HANDLE].builtin_options = (lc_union){LC_BuiltinOptions_VarHandleOptions, &f->handle};
    f->handle.shared_name = str("state");
    f->op[TM_CUSTOM].inputs = (lc_vec_i32){f->custom_in, 8};
    f->op[TM_CUSTOM].outputs = (lc_vec_i32){f->custom_out, 1};
    f->op[TM_CUSTOM].intermediates = (lc_vec_i32){f->between, 1};
    f->op[TM_CUSTOM].mutating_variable_inputs = (lc_vec_bool){f->mutating, 8};
    f->op[TM_CUSTOM].custom_options = (lc_vec_u8){(const uint8_t *)"options", 7};
    f->op[TM_CUSTOM].large_custom_options_offset = 2; /* behind the flatbuffer */
    f->op[TM_CUSTOM].large_custom_options_size = 7;
    f->op[TM_CUSTOM].debug_metadata_index = 3;
    f->relu_out[0] = 1;
    f->op1[0].opcode_index = 4;
    f->op1[0].inputs = (lc_vec_i32){f->relu_in, 1};
    f->op1[0].outputs = (lc_vec_i32){f->relu_out, 1};
}

static void make_graphs(tflite_model *f) {
    f->in[0] = TM_X;
    f->in[1] = TM_COND;
    f->out[0] = TM_Z;
    f->out[1] = TM_CUSTOM_OUT;
    f->out1[0] = 1;
    lc_SubGraph *g = f->graphs;
    g[0].name = str("main");
    g[1].name = str("relu");
    g[2].name = str("same");
    g[0].tensors.data = f->t;
    g[0].tensors.n = TM_TENSORS;
    g[1].tensors.data = f->t1;
    g[1].tensors.n = 2;
    g[2].tensors.data = f->t2;
    g[2].tensors.n = 1;
    g[0].operators.data = f->op;
    g[0].operators.n = TM_OPS;
    g[1].operators.data = f->op1;
    g[1].operators.n = 1;
    g[2].operators.data = f->op1;
    g[2].operators.n = 0;
    g[0].inputs = (lc_vec_i32){f->in, 2};
    g[0].outputs = (lc_vec_i32){f->out, 2};
    g[1].inputs = (lc_vec_i32){f->in1, 1};
    g[1].outputs = (lc_vec_i32){f->out1, 1};
    g[2].inputs = g[2].outputs = (lc_vec_i32){f->in2, 1};
    f->t1[0].shape = f->t1[1].shape = f->t2[0].shape = (lc_vec_i32){f->shape[TM_Y], 2};
    f->t1[0].name = str("a");
    f->t1[1].name = str("r");
}

static lc_TensorMap entry(const char *name, uint32_t tensor_index) {
    return (lc_TensorMap){.name = str(name), .tensor_index = tensor_index};
}

static void make_rest(tflite_model *f) {
    f->metadata[0].name = str("min_runtime_version");
    f->metadata[0].buffer = 7;
    f->metadata[1].name = str("notes");
    f->metadata[1].buffer = 8;
    f->metadata_buffer[0] = 7;
    f->metadata_buffer[1] = 9;
    f->sig_in[0] = entry("image", TM_X);
    f->sig_in[1] = entry("choice", TM_COND);
    f->sig_out[0] = entry("scores", TM_Z);
    f->sig_out[1] = entry("extra", TM_CUSTOM_OUT);
    f->sig1_in[0] = entry("image", 0);
    f->sig1_out[0] = entry("scores", 1);
    lc_SignatureDef *s = f->signature_def;
    s[0].signature_key = str("serve");
    s[1].signature_key = str("relu");
    s[1].deprecated_tag = str("tag");
    s[1].subgraph_index = 1;
    s[0].inputs.data = f->sig_in;
    s[0].inputs.n = 2;
    s[0].outputs.data = f->sig_out;
    s[0].outputs.n = 2;
    s[1].inputs.data = f->sig1_in;
    s[1].inputs.n = 1;
    s[1].outputs.data = f->sig1_out;
    s[1].outputs.n = 1;
    f->group[0].name = str("weights/part-1.bin");
    f->external[0] = (lc_ExternalBuffer){.id = 7, .offset = 16, .length = 8, .packing = str("unpacked")};
    f->external[1] = (lc_ExternalBuffer){.id = 3, .offset = 24, .length = 8};
    lc_Model *m = &f->m;
    m->version = 3;
    m->description = str("one of everything");
    m->operator_codes.data = f->code;
    m->operator_codes.n = TM_CODES;
    m->subgraphs.data = f->graphs;
    m->subgraphs.n = 3;
    m->buffers.data = f->buffer;
    m->buffers.n = TM_BUFFERS;
    m->metadata_buffer = (lc_vec_i32){f->metadata_buffer, 2};
    m->metadata.data = f->metadata;
    m->metadata.n = 2;
    m->signature_defs.data = f->signature_def;
    m->signature_defs.n = 2;
    m->external_buffer_groups.data = f->group;
    m->external_buffer_groups.n = 1;
    m->external_buffers.data = f->external;
    m->external_buffers.n = 2;
}

static void init(lc_table_id table, void *items, size_t n) {
    for (size_t i = 0; i < n; i++) lc_schema_init(table, (uint8_t *)items + i * lc_schema_tables[table].size);
}

void tflite_model_make(tflite_model *f) {
    memset(f, 0, sizeof *f);
    lc_schema_init(LC_TABLE_Model, &f->m);
    init(LC_TABLE_SubGraph, f->graphs, 3);
    init(LC_TABLE_Tensor, f->t, TM_TENSORS);
    init(LC_TABLE_Operator, f->op, TM_OPS);
    init(LC_TABLE_Operator, f->op1, 1);
    init(LC_TABLE_OperatorCode, f->code, TM_CODES);
    make_buffers(f);
    make_tensors(f);
    make_sparsity(f);
    make_operators(f);
    make_graphs(f);
    make_rest(f);
}

lc_status tflite_bytes_write(void *user, const void *data, size_t size, lc_error *err) {
    tflite_bytes *b = user;
    if (b->size + size > b->capacity) {
        size_t capacity = (b->size + size) * 2;
        uint8_t *p = lc_realloc(b->data, capacity);
        if (!p) return lc_fail_memory(err, "test sink");
        b->data = p;
        b->capacity = capacity;
    }
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
    return LC_OK;
}

uint64_t tflite_bytes_field(const tflite_bytes *b, uint64_t at, uint16_t field) {
    int32_t back;
    uint16_t vtable_size, place;
    memcpy(&back, b->data + at, 4);
    const uint8_t *vtable = b->data + ((int64_t)at - back);
    memcpy(&vtable_size, vtable, 2);
    if (4 + 2 * (size_t)field + 2 > vtable_size) return 0;
    memcpy(&place, vtable + 4 + 2 * field, 2);
    return place ? at + place : 0;
}

bool tflite_bytes_patch(tflite_bytes *b, uint64_t at, uint16_t field, const void *value, size_t size) {
    uint64_t place = tflite_bytes_field(b, at, field);
    if (place) memcpy(b->data + place, value, size);
    return place != 0;
}
