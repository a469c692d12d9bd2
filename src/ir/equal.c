/*
 * equal.c: whether two models say the same, and where they first differ.
 *
 * Compared by value: structure, names, types, shapes, constants byte for byte, quantisation, sparsity, options, signatures,
 * metadata. Not compared: where bytes lie (mapped file, arena, behind a flatbuffer), capacities, source offsets, limits.
 */
#include "ir/constant.h"

#include <string.h>

#define DIFFER(...) return lc_fail(err, LC_INVALID, __VA_ARGS__), false

static bool same_bytes(const void *a, const void *b, size_t n) { return n == 0 || memcmp(a, b, n) == 0; }

static bool same_ints(const int32_t *a, size_t an, const int32_t *b, size_t bn) { return an == bn && same_bytes(a, b, an * sizeof *a); }

/* NULL equals NULL only. */
static bool same_table(lc_table_id table, const void *a, const void *b) { return a && b ? lc_fb_equal(table, a, b) : a == b; }

/* Arrays of structs of one table. */
static bool same_tables(lc_table_id table, const void *a, uint32_t an, const void *b, uint32_t bn) {
    size_t size = lc_schema_tables[table].size;
    if (an != bn) return false;
    for (uint32_t i = 0; i < an; i++)
        if (!lc_fb_equal(table, (const uint8_t *)a + i * size, (const uint8_t *)b + i * size)) return false;
    return true;
}

static bool same_tensor(const lc_tensor *a, const lc_tensor *b, size_t i, lc_error *err) {
    size_t rank = a->rank > 0 ? (size_t)a->rank : 0;
    if (!lc_str_eq(a->name, b->name))
        DIFFER("tensor %zu: name \"%.*s\" and \"%.*s\"", i, (int)a->name.size, a->name.data ? a->name.data : "", (int)b->name.size,
               b->name.data ? b->name.data : "");
    if (a->type != b->type) DIFFER("tensor %zu: type %s and %s", i, lc_dtype_name(a->type), lc_dtype_name(b->type));
    if (a->rank != b->rank || a->has_rank != b->has_rank) DIFFER("tensor %zu: rank %d and %d", i, a->rank, b->rank);
    if (!same_bytes(a->dims, b->dims, rank * sizeof *a->dims)) DIFFER("tensor %zu: shapes differ", i);
    if ((a->signature == NULL) != (b->signature == NULL) ||
        (a->signature && !same_bytes(a->signature, b->signature, rank * sizeof *a->dims)))
        DIFFER("tensor %zu: shape signatures differ", i);
    if (lc_tensor_is_const(a) != lc_tensor_is_const(b)) DIFFER("tensor %zu: constant in one model only", i);
    if (a->size != b->size) DIFFER("tensor %zu: %zu and %zu bytes of data", i, a->size, b->size);
    if (lc_tensor_is_const(a) && !lc_constant_equal(lc_constant_of(a), lc_constant_of(b))) DIFFER("tensor %zu: data differ", i);
    if (a->is_variable != b->is_variable) DIFFER("tensor %zu: variable in one model only", i);
    if (!same_table(LC_TABLE_QuantizationParameters, a->quant, b->quant)) DIFFER("tensor %zu: quantisation parameters differ", i);
    if (!same_table(LC_TABLE_SparsityParameters, a->sparsity, b->sparsity)) DIFFER("tensor %zu: sparsity parameters differ", i);
    if (!same_tables(LC_TABLE_VariantSubType, a->variants, a->variant_count, b->variants, b->variant_count))
        DIFFER("tensor %zu: variant types differ", i);
    if (a->external_buffer != b->external_buffer)
        DIFFER("tensor %zu: external buffer %u and %u", i, a->external_buffer, b->external_buffer);
    return true;
}

static bool same_node(const lc_node *a, const lc_node *b, size_t i, lc_error *err) {
    if (a->op != b->op) DIFFER("node %zu: operator %d and %d", i, a->op, b->op);
    if (a->version != b->version) DIFFER("node %zu: version %d and %d", i, a->version, b->version);
    if (!lc_str_eq(a->custom_code, b->custom_code)) DIFFER("node %zu: custom codes differ", i);
    if (!same_ints(a->inputs, a->input_count, b->inputs, b->input_count)) DIFFER("node %zu: inputs differ", i);
    if (!same_ints(a->outputs, a->output_count, b->outputs, b->output_count)) DIFFER("node %zu: outputs differ", i);
    if (!same_ints(a->intermediates, a->intermediate_count, b->intermediates, b->intermediate_count))
        DIFFER("node %zu: intermediates differ", i);
    if (a->attrs_table != b->attrs_table) DIFFER("node %zu: options of another kind", i);
    if (a->attrs_table != LC_TABLE_NONE && !same_table(a->attrs_table, a->attrs, b->attrs))
        DIFFER("node %zu: %s differ", i, lc_table_name(a->attrs_table));
    if ((a->custom_options.data == NULL) != (b->custom_options.data == NULL) || a->custom_options.n != b->custom_options.n ||
        !same_bytes(a->custom_options.data, b->custom_options.data, a->custom_options.n))
        DIFFER("node %zu: custom options differ", i);
    if (a->mutating.n != b->mutating.n || !same_bytes(a->mutating.data, b->mutating.data, a->mutating.n))
        DIFFER("node %zu: mutating inputs differ", i);
    if (a->debug_metadata_index != b->debug_metadata_index)
        DIFFER("node %zu: debug metadata %d and %d", i, a->debug_metadata_index, b->debug_metadata_index);
    return true;
}

static bool same_graph(const lc_graph *a, const lc_graph *b, lc_error *err) {
    if (!lc_str_eq(a->name, b->name)) DIFFER("names differ");
    if (a->tensor_count != b->tensor_count) DIFFER("%zu and %zu tensors", a->tensor_count, b->tensor_count);
    if (a->node_count != b->node_count) DIFFER("%zu and %zu nodes", a->node_count, b->node_count);
    for (size_t i = 0; i < a->tensor_count; i++)
        if (!same_tensor(&a->tensors[i], &b->tensors[i], i, err)) return false;
    for (size_t i = 0; i < a->node_count; i++)
        if (!same_node(&a->nodes[i], &b->nodes[i], i, err)) return false;
    if (!same_ints(a->inputs, a->input_count, b->inputs, b->input_count)) DIFFER("inputs differ");
    if (!same_ints(a->outputs, a->output_count, b->outputs, b->output_count)) DIFFER("outputs differ");
    if (a->debug_metadata_index != b->debug_metadata_index)
        DIFFER("debug metadata %d and %d", a->debug_metadata_index, b->debug_metadata_index);
    return true;
}

static bool same_entries(const lc_signature_entry *a, uint32_t an, const lc_signature_entry *b, uint32_t bn) {
    if (an != bn) return false;
    for (uint32_t i = 0; i < an; i++)
        if (!lc_str_eq(a[i].name, b[i].name) || a[i].tensor != b[i].tensor) return false;
    return true;
}

bool lc_model_equal(const lc_model *a, const lc_model *b, lc_error *err) {
    if (a->schema_version != b->schema_version) DIFFER("schema version %u and %u", a->schema_version, b->schema_version);
    if (!lc_str_eq(a->description, b->description)) DIFFER("descriptions differ");
    if (a->graph_count != b->graph_count) DIFFER("%zu and %zu graphs", a->graph_count, b->graph_count);
    for (size_t i = 0; i < a->graph_count; i++)
        if (!same_graph(a->graphs[i], b->graphs[i], err)) return lc_error_prefix(err, "graph %zu", i), false;
    if (a->signature_count != b->signature_count) DIFFER("%zu and %zu signatures", a->signature_count, b->signature_count);
    for (size_t i = 0; i < a->signature_count; i++) {
        const lc_signature *x = &a->signatures[i], *y = &b->signatures[i];
        if (!lc_str_eq(x->key, y->key) || x->graph != y->graph || !same_entries(x->inputs, x->input_count, y->inputs, y->input_count) ||
            !same_entries(x->outputs, x->output_count, y->outputs, y->output_count) || !lc_str_eq(x->deprecated_tag, y->deprecated_tag))
            DIFFER("signature %zu differs", i);
    }
    if (a->metadata_count != b->metadata_count) DIFFER("%zu and %zu metadata entries", a->metadata_count, b->metadata_count);
    for (size_t i = 0; i < a->metadata_count; i++) {
        const lc_metadata *x = &a->metadata[i], *y = &b->metadata[i];
        if (!lc_str_eq(x->name, y->name) || x->data.n != y->data.n || !same_bytes(x->data.data, y->data.data, x->data.n))
            DIFFER("metadata %zu differs", i);
    }
    if (a->metadata_buffer_count != b->metadata_buffer_count)
        DIFFER("%zu and %zu entries of metadata_buffer", a->metadata_buffer_count, b->metadata_buffer_count);
    for (size_t i = 0; i < a->metadata_buffer_count; i++) {
        lc_vec_u8 x = a->metadata_buffers[i], y = b->metadata_buffers[i];
        if (x.n != y.n || !same_bytes(x.data, y.data, x.n)) DIFFER("metadata_buffer %zu differs", i);
    }
    if (!same_tables(LC_TABLE_ExternalBufferGroup, a->external_groups, a->external_group_count, b->external_groups,
                     b->external_group_count) ||
        !same_tables(LC_TABLE_ExternalBuffer, a->external_buffers, a->external_buffer_count, b->external_buffers, b->external_buffer_count))
        DIFFER("external buffers differ");
    if (!same_tables(LC_TABLE_OperatorCode, a->unused_op_codes, a->unused_op_code_count, b->unused_op_codes, b->unused_op_code_count))
        DIFFER("unused operator codes differ");
    if (a->tail_size != b->tail_size || !same_bytes(a->tail, b->tail, a->tail_size)) DIFFER("the bytes behind the structure differ");
    return true;
}
