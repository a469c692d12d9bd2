/*
 * tflite_emit.c: a graph to .tflite bytes: lc_model ─▶ lc_Model structs (in an arena, borrowing the model's) ─▶ lc_fb_write.
 *
 * Stays true: the same model gives the same bytes; what lc_tflite_load read comes back equal; constants are never copied, they
 * go from where they lie to the sink. Buffer 0 is empty and stands for "no data". Equal constants are one buffer, in order of
 * first use: tensors, then metadata. Operator codes stand in order of first use, those no operator uses behind them. Vectors
 * that LiteRT's verifier wants (inputs and outputs of operators and subgraphs) are written even when empty.
 *
 * Bytes that followed the structure in the source file follow it again (runtime/extent.c says why).
 *
 * A node of version 0 gets the lowest version that expresses it (ops/version.c), so a file asks for no newer runtime than it
 * needs; a model with such nodes gets the metadata "min_runtime_version" as LiteRT's converter writes it. Refused: options of a
 * table that is in neither of the two option unions.
 */
#include "emit/emit.h"
#include "emit/tflite_stream.h"
#include "emit/tflite_tables.h"
#include "ops/op.h"
#include <stdio.h>
#include <string.h>

typedef struct emitting {
    const lc_model *model;
    lc_arena *arena;
    lc_emit_tables tables;
    uint32_t runtime; /* newest release an operator asks for (lc_op_runtime_version) */
    char runtime_text[16];
    bool built; /* some node has no version yet: the model was made here, not read */
    lc_error *err;
} emitting;

static lc_status no_memory(const emitting *e) { return lc_fail_memory(e->err, "writing the model"); }

/* The structs hold pointers that are not const; writing does not write through them. */
static void *writable(const void *p) {
    union {
        const void *in;
        void *out;
    } u = {p};
    return u.out;
}

static void *structs(emitting *e, lc_table_id table, size_t n) {
    size_t size = lc_schema_tables[table].size;
    uint8_t *p = lc_arena_array(e->arena, n, size);
    for (size_t i = 0; p && i < n; i++) lc_schema_init(table, p + i * size);
    return p;
}

static lc_status count(const emitting *e, size_t n, uint32_t *out, const char *what) {
    if (n > UINT32_MAX) return lc_fail(e->err, LC_LIMIT, "the model has more %s than a .tflite file can number", what);
    *out = (uint32_t)n;
    return LC_OK;
}

/* ---- tensors -------------------------------------------------------------------------------------------------- */

static lc_status emit_tensor(emitting *e, const lc_tensor *t, lc_Tensor *out) {
    if (t->rank > 0) {
        out->shape = (lc_vec_i32){t->dims, (uint32_t)t->rank};
        if (t->signature) out->shape_signature = (lc_vec_i32){t->signature, (uint32_t)t->rank};
    }
    out->type = (int8_t)t->type;
    out->name = t->name;
    out->quantization = writable(t->quant);
    out->is_variable = t->is_variable;
    out->sparsity = writable(t->sparsity);
    out->has_rank = t->has_rank;
    out->external_buffer = t->external_buffer;
    if (t->variant_count) {
        out->variant_tensors.data = writable(t->variants);
        out->variant_tensors.n = t->variant_count;
    }
    return lc_emit_buffer(&e->tables, lc_constant_of(t), &out->buffer, e->err);
}

/* ---- operators ------------------------------------------------------------------------------------------------ */

static lc_status emit_options(emitting *e, const lc_node *n, lc_Operator *out) {
    if (!n->attrs || n->attrs_table == LC_TABLE_NONE) return LC_OK;
    lc_union u = {lc_schema_union_code(LC_UNION_ID_BuiltinOptions, n->attrs_table), n->attrs};
    if (u.type) {
        out->builtin_options = u;
        return LC_OK;
    }
    u.type = lc_schema_union_code(LC_UNION_ID_BuiltinOptions2, n->attrs_table);
    if (!u.type) {
        return lc_fail(e->err, LC_ARGUMENT, "%s: %s is no table of operator options", lc_op_name(n->op), lc_table_name(n->attrs_table));
    }
    out->builtin_options_2 = u;
    return LC_OK;
}

static lc_status emit_node(emitting *e, const lc_graph *g, const lc_node *n, lc_Operator *out) {
    int32_t version = lc_op_written_version(g, n);
    uint32_t runtime = lc_op_runtime_version(n->op, version);
    if (runtime > e->runtime) e->runtime = runtime;
    if (n->version <= 0) e->built = true;
    LC_TRY(lc_emit_code(&e->tables, n->op, version, n->custom_code, &out->opcode_index, e->err));
    out->inputs = (lc_vec_i32){n->inputs, n->input_count};
    out->outputs = (lc_vec_i32){n->outputs, n->output_count};
    if (n->intermediate_count) out->intermediates = (lc_vec_i32){n->intermediates, n->intermediate_count};
    out->mutating_variable_inputs = n->mutating;
    out->debug_metadata_index = n->debug_metadata_index;
    out->custom_options = n->custom_options;
    if (n->large_custom_options && n->custom_options.data) {
        out->large_custom_options_offset = 2; /* behind the flatbuffer (schema.h) */
        out->large_custom_options_size = n->custom_options.n;
    }
    return emit_options(e, n, out);
}

static lc_status emit_graph(emitting *e, const lc_graph *g, lc_SubGraph *out) {
    size_t live = 0;
    for (size_t i = 0; i < g->node_count; i++) live += g->nodes[i].op != LC_NODE_DEAD;
    LC_TRY(count(e, g->tensor_count, &out->tensors.n, "tensors"));
    LC_TRY(count(e, live, &out->operators.n, "operators"));
    LC_TRY(count(e, g->input_count, &out->inputs.n, "inputs"));
    LC_TRY(count(e, g->output_count, &out->outputs.n, "outputs"));
    out->tensors.data = structs(e, LC_TABLE_Tensor, g->tensor_count);
    out->operators.data = structs(e, LC_TABLE_Operator, live);
    if (!out->tensors.data || !out->operators.data) return no_memory(e);
    for (size_t i = 0; i < g->tensor_count; i++) LC_TRY(emit_tensor(e, &g->tensors[i], &out->tensors.data[i]));
    for (size_t i = 0, k = 0; i < g->node_count; i++) {
        if (g->nodes[i].op != LC_NODE_DEAD) LC_TRY(emit_node(e, g, &g->nodes[i], &out->operators.data[k++]));
    }
    static const int32_t nothing = 0;
    out->inputs.data = g->inputs ? g->inputs : &nothing;
    out->outputs.data = g->outputs ? g->outputs : &nothing;
    out->name = g->name;
    out->debug_metadata_index = g->debug_metadata_index;
    return LC_OK;
}

/* ---- the rest of the model ------------------------------------------------------------------------------------ */

static lc_status emit_entries(emitting *e, const lc_signature_entry *in, uint32_t n, lc_TensorMap **out) {
    *out = structs(e, LC_TABLE_TensorMap, n);
    if (!*out) return no_memory(e);
    for (uint32_t i = 0; i < n; i++) {
        (*out)[i].name = in[i].name;
        (*out)[i].tensor_index = (uint32_t)in[i].tensor;
    }
    return LC_OK;
}

static lc_status emit_signatures(emitting *e, lc_Model *out) {
    const lc_model *m = e->model;
    if (m->signature_count == 0) return LC_OK;
    LC_TRY(count(e, m->signature_count, &out->signature_defs.n, "signatures"));
    out->signature_defs.data = structs(e, LC_TABLE_SignatureDef, m->signature_count);
    if (!out->signature_defs.data) return no_memory(e);
    for (size_t i = 0; i < m->signature_count; i++) {
        const lc_signature *s = &m->signatures[i];
        lc_SignatureDef *d = &out->signature_defs.data[i];
        d->signature_key = s->key;
        d->deprecated_tag = s->deprecated_tag;
        d->subgraph_index = (uint32_t)s->graph;
        d->inputs.n = s->input_count;
        d->outputs.n = s->output_count;
        LC_TRY(emit_entries(e, s->inputs, s->input_count, &d->inputs.data));
        LC_TRY(emit_entries(e, s->outputs, s->output_count, &d->outputs.data));
    }
    return LC_OK;
}

/* What LiteRT's converter adds to every file it writes: the release that can run it, in 16 bytes. Not to a model that was read:
 * its own metadata is all it shall have. */
static bool wants_runtime_metadata(emitting *e) {
    for (size_t i = 0; i < e->model->metadata_count; i++) {
        if (lc_str_is(e->model->metadata[i].name, "min_runtime_version")) return false;
    }
    if (!e->built || e->runtime == 0) return false;
    snprintf(e->runtime_text, sizeof e->runtime_text, "%u.%u.%u", e->runtime / 10000 % 100, e->runtime / 100 % 100, e->runtime % 100);
    return true;
}

static lc_constant block(lc_vec_u8 bytes) { return (lc_constant){NULL, bytes.data, bytes.n}; }

static lc_status emit_metadata(emitting *e, lc_Model *out) {
    const lc_model *m = e->model;
    bool runtime = wants_runtime_metadata(e);
    size_t n = m->metadata_count;
    if (n || runtime) {
        LC_TRY(count(e, n + runtime, &out->metadata.n, "metadata"));
        out->metadata.data = structs(e, LC_TABLE_Metadata, out->metadata.n);
        if (!out->metadata.data) return no_memory(e);
    }
    for (size_t i = 0; i < n; i++) {
        out->metadata.data[i].name = m->metadata[i].name;
        LC_TRY(lc_emit_buffer(&e->tables, block(m->metadata[i].data), &out->metadata.data[i].buffer, e->err));
    }
    if (runtime) {
        out->metadata.data[n].name = LC_STR("min_runtime_version");
        LC_TRY(lc_emit_buffer(&e->tables, (lc_constant){NULL, e->runtime_text, sizeof e->runtime_text}, &out->metadata.data[n].buffer,
                              e->err));
    }
    if (m->metadata_buffer_count == 0) return LC_OK;
    int32_t *list = lc_arena_array(e->arena, m->metadata_buffer_count, sizeof *list);
    if (!list) return no_memory(e);
    for (size_t i = 0; i < m->metadata_buffer_count; i++) {
        uint32_t number;
        LC_TRY(lc_emit_buffer(&e->tables, block(m->metadata_buffers[i]), &number, e->err));
        list[i] = (int32_t)number;
    }
    out->metadata_buffer.data = list;
    return count(e, m->metadata_buffer_count, &out->metadata_buffer.n, "metadata buffers");
}

static lc_status emit_model(emitting *e, lc_Model *out) {
    const lc_model *m = e->model;
    size_t constants = 1, nodes = 1;
    for (size_t g = 0; g < m->graph_count; g++) {
        for (size_t i = 0; i < m->graphs[g]->tensor_count; i++) constants += lc_tensor_is_const(&m->graphs[g]->tensors[i]);
        nodes += m->graphs[g]->node_count;
    }
    constants += m->metadata_count + m->metadata_buffer_count + 1;
    LC_TRY(lc_emit_tables_init(&e->tables, e->arena, constants, nodes > 4096 ? 4096 : nodes, e->err));
    lc_schema_init(LC_TABLE_Model, out);
    out->version = m->schema_version ? m->schema_version : 3;
    out->description = m->description;
    LC_TRY(count(e, m->graph_count, &out->subgraphs.n, "graphs"));
    out->subgraphs.data = structs(e, LC_TABLE_SubGraph, m->graph_count);
    if (!out->subgraphs.data) return no_memory(e);
    for (size_t g = 0; g < m->graph_count; g++) LC_TRY(emit_graph(e, m->graphs[g], &out->subgraphs.data[g]));
    LC_TRY(emit_signatures(e, out));
    LC_TRY(emit_metadata(e, out));
    for (uint32_t i = 0; i < m->unused_op_code_count; i++) LC_TRY(lc_emit_code_add(&e->tables, &m->unused_op_codes[i], e->err));
    if (m->external_group_count) {
        out->external_buffer_groups.data = writable(m->external_groups);
        out->external_buffer_groups.n = m->external_group_count;
    }
    if (m->external_buffer_count) {
        out->external_buffers.data = writable(m->external_buffers);
        out->external_buffers.n = m->external_buffer_count;
    }
    static const lc_OperatorCode no_codes = {0};
    out->operator_codes.data = e->tables.codes ? e->tables.codes : writable(&no_codes);
    out->operator_codes.n = (uint32_t)e->tables.code_count;
    out->buffers.data = e->tables.buffers;
    out->buffers.n = (uint32_t)e->tables.buffer_count;
    return LC_OK;
}

/* Bytes that followed the structure of the file that was read. A zip (associated files) may stand anywhere; anything else may
 * be code that an operator finds by its offset and keeps its place when that is free, which it is in practice, as what is
 * written is rarely longer than what was read. Where it is not, they move behind the structure and keep their alignment. */
static lc_status emit_tail(const emitting *e, const lc_sink *sink, uint64_t *size) {
    static const uint8_t zeros[4096];
    const lc_model *m = e->model;
    if (m->tail_size == 0) return LC_OK;
    bool zip = m->tail_size >= 4 && memcmp(m->tail, "PK\3\4", 4) == 0;
    uint64_t at = m->tail_at, gap;
    if ((zip || at < *size) && (!lc_align_u64(*size, 16, &at) || !lc_add_u64(at, m->tail_at % 16, &at))) {
        return lc_fail(e->err, LC_LIMIT, "the file would be larger than 64 bits count");
    }
    for (gap = at - *size; gap > 0;) {
        size_t n = gap < sizeof zeros ? (size_t)gap : sizeof zeros;
        LC_TRY(sink->write(sink->user, zeros, n, e->err));
        gap -= n;
    }
    if (!lc_add_u64(at, m->tail_size, size)) return lc_fail(e->err, LC_LIMIT, "the file would be larger than 64 bits count");
    return sink->write(sink->user, m->tail, m->tail_size, e->err);
}

static lc_status write_model(const emitting *e, const lc_Model *out, const lc_sink *sink, uint64_t *written) {
    lc_emit_stream stream;
    lc_status status = lc_emit_stream_init(&stream, &e->tables, e->model, sink, e->err);
    const lc_sink through = lc_emit_stream_sink(&stream);
    if (status == LC_OK) status = lc_fb_write(out, &through, written, e->err);
    lc_emit_stream_deinit(&stream);
    return status;
}

lc_status lc_emit_tflite(const lc_model *model, const lc_sink *sink, uint64_t *size, lc_error *err) {
    lc_arena arena = {0};
    emitting e = {.model = model, .arena = &arena, .err = err};
    lc_Model out;
    uint64_t written = 0;
    if (size) *size = 0;
    if (model->unknown_table) {
        lc_fail(err, LC_UNSUPPORTED, "the model has field %u of %s, which this litec does not know and would lose", model->unknown_field,
                model->unknown_table);
        lc_error_hint(err, "use a newer litec to write it; this one can run and inspect it");
        return LC_UNSUPPORTED;
    }
    lc_status status = emit_model(&e, &out);
    if (status == LC_OK) status = write_model(&e, &out, sink, &written);
    lc_arena_deinit(&arena);
    if (status == LC_OK) status = emit_tail(&e, sink, &written);
    if (status == LC_OK && size) *size = written;
    return status;
}
