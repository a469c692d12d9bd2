/*
 * load.c: .tflite bytes to a graph, the only door by which a file comes in.
 *
 *   lc_fb_verify ─▶ lc_fb_read ─▶ lc_tflite_check ─▶ build
 *   structure       structs in    meaning            lc_model: small things copied into its arena,
 *                   a temporary                      names, constants, custom options and what lies behind the
 *                   arena                            structure (extent.c) borrowed from the bytes
 *
 * Nothing of the format is lost: lc_emit_tflite of the model and this again give an equal model. What a file can say in two
 * ways is kept in one: which buffers are shared, where the bytes of a buffer lie, a shape_signature that is empty. A field of a
 * newer schema is remembered: such a model runs, but lc_emit_tflite refuses to write it without that field.
 *
 * A constant that does not lie on a multiple of its element size (LiteRT aligns to 16, others do not) is copied once and
 * charged to the budget. So are bytes that start at an odd address, whole: only a caller of lc_model_from_memory can do that.
 */
#include "runtime/check.h"
#include <string.h>

typedef struct build {
    const lc_Model *in;
    const uint8_t *data;
    size_t size;
    lc_budget *budget;
    lc_arena *scratch;   /* lives until the model is built */
    const void **copies; /* [buffer] aligned copy, NULL: none was needed yet */
    lc_model *model;
    lc_error *err;
} build;

static lc_status no_memory(const build *b) { return lc_fail_memory(b->err, "the model"); }

/* n elements of `size` bytes in the model's arena; *out is NULL for an absent vector. */
static lc_status copy_vector(const build *b, const void *data, uint32_t n, size_t size, void *out) {
    void *p = NULL;
    if (data || n) {
        p = lc_arena_array(&b->model->arena, n, size);
        if (!p) return no_memory(b);
        if (n) memcpy(p, data, n * size); /* the product was checked by lc_arena_array */
    }
    memcpy(out, &p, sizeof p);
    return LC_OK;
}

/* As copy_vector for lists of tensor indices, which are never NULL. */
static lc_status copy_ints(const build *b, const lc_vec_i32 *v, int32_t **out) {
    *out = lc_arena_array(&b->model->arena, v->n, sizeof **out);
    if (!*out) return no_memory(b);
    if (v->n) memcpy(*out, v->data, v->n * sizeof **out);
    return LC_OK;
}

static lc_status clone_table(const build *b, lc_table_id table, const void *in, void *out) {
    void *p = NULL;
    if (in) {
        p = lc_fb_clone(table, in, &b->model->arena);
        if (!p) return no_memory(b);
    }
    memcpy(out, &p, sizeof p);
    return LC_OK;
}

/* Array of n structs of a table, cloned one by one into one block; *out is NULL when n is 0. */
static lc_status clone_tables(const build *b, lc_table_id table, const void *in, uint32_t n, void *out) {
    size_t size = lc_schema_tables[table].size;
    uint8_t *p = NULL;
    if (n) {
        p = lc_arena_array(&b->model->arena, n, size);
        if (!p) return no_memory(b);
        for (size_t i = 0; i < n; i++) {
            const void *one = lc_fb_clone(table, (const uint8_t *)in + i * size, &b->model->arena);
            if (!one) return no_memory(b);
            memcpy(p + i * size, one, size);
        }
    }
    memcpy(out, &p, sizeof p);
    return LC_OK;
}

/* ---- tensors ------------------------------------------------------------------------------------------------- */

/* Bytes on whose multiples an element must start; complex numbers are pairs. */
static uintptr_t element_align(lc_dtype type) {
    switch (type) {
    case LC_FLOAT64:
    case LC_INT64:
    case LC_UINT64:
    case LC_COMPLEX128: return 8;
    case LC_FLOAT32:
    case LC_INT32:
    case LC_UINT32:
    case LC_COMPLEX64:
    case LC_STRING: return 4;
    case LC_FLOAT16:
    case LC_BFLOAT16:
    case LC_INT16:
    case LC_UINT16: return 2;
    default: return 1;
    }
}

static lc_status take_data(build *b, const lc_Tensor *in, lc_tensor *t) {
    t->data_at = LC_NO_OFFSET;
    const lc_Buffer *buffer = lc_tflite_data(b->in, in);
    if (!buffer) return LC_OK;
    size_t size;
    if (!lc_u64_to_size(lc_buffer_size(buffer), &size)) return no_memory(b);
    const uint8_t *p = buffer->data.data;
    uintptr_t from = (uintptr_t)p, start = (uintptr_t)b->data;
    if (from >= start && lc_range_ok(from - start, size, b->size)) t->data_at = from - start;
    t->size = size;
    t->data = p;
    if (from % element_align(t->type) == 0) return LC_OK;
    if (!b->copies[in->buffer]) {
        LC_TRY(lc_budget_memory(b->budget, size, "a copy of a misaligned constant", b->err));
        void *copy = lc_arena_data(&b->model->arena, size);
        if (!copy) return no_memory(b);
        if (size) memcpy(copy, p, size);
        b->copies[in->buffer] = copy;
    }
    t->data = b->copies[in->buffer];
    return LC_OK;
}

static lc_status build_tensor(build *b, const lc_Tensor *in, lc_tensor *t) {
    t->name = in->name;
    t->type = (lc_dtype)in->type;
    t->rank = (int32_t)in->shape.n;
    LC_TRY(copy_ints(b, &in->shape, &t->dims));
    if (in->shape_signature.n && in->shape_signature.n == in->shape.n) LC_TRY(copy_ints(b, &in->shape_signature, &t->signature));
    t->is_variable = in->is_variable;
    t->has_rank = in->has_rank;
    t->external_buffer = in->external_buffer;
    LC_TRY(clone_table(b, LC_TABLE_QuantizationParameters, in->quantization, &t->quant));
    LC_TRY(clone_table(b, LC_TABLE_SparsityParameters, in->sparsity, &t->sparsity));
    t->variant_count = in->variant_tensors.n;
    LC_TRY(clone_tables(b, LC_TABLE_VariantSubType, in->variant_tensors.data, in->variant_tensors.n, &t->variants));
    return take_data(b, in, t);
}

/* ---- operators ----------------------------------------------------------------------------------------------- */

static lc_status build_node(build *b, const lc_Operator *in, lc_node *n) {
    const lc_OperatorCode *code = &b->in->operator_codes.data[in->opcode_index];
    n->op = lc_tflite_op(code);
    n->version = code->version;
    n->custom_code = code->custom_code;
    n->input_count = in->inputs.n;
    n->output_count = in->outputs.n;
    n->intermediate_count = in->intermediates.n;
    LC_TRY(copy_ints(b, &in->inputs, &n->inputs));
    LC_TRY(copy_ints(b, &in->outputs, &n->outputs));
    LC_TRY(copy_ints(b, &in->intermediates, &n->intermediates));
    void *options;
    n->attrs_table = lc_tflite_options(in, &options);
    if (n->attrs_table != LC_TABLE_NONE) LC_TRY(clone_table(b, n->attrs_table, options, &n->attrs));
    n->custom_options.data = in->custom_options.data;
    n->custom_options.n = (uint32_t)lc_custom_options_size(in); /* at most UINT32_MAX: TFL-OPTIONS-SIZE */
    n->large_custom_options = in->custom_options.data && in->large_custom_options_offset > 1;
    n->mutating.n = in->mutating_variable_inputs.n;
    LC_TRY(copy_vector(b, in->mutating_variable_inputs.data, n->mutating.n, 1, &n->mutating.data));
    n->debug_metadata_index = in->debug_metadata_index;
    return LC_OK;
}

static lc_status build_graph(build *b, const lc_SubGraph *in, lc_graph *g) {
    lc_arena *arena = &b->model->arena;
    g->name = in->name;
    g->debug_metadata_index = in->debug_metadata_index;
    g->tensors = lc_arena_array(arena, in->tensors.n, sizeof *g->tensors);
    g->nodes = lc_arena_array(arena, in->operators.n, sizeof *g->nodes);
    if (!g->tensors || !g->nodes) return no_memory(b);
    g->tensor_count = g->tensor_capacity = in->tensors.n;
    g->node_count = g->node_capacity = in->operators.n;
    for (size_t i = 0; i < in->tensors.n; i++) LC_TRY(build_tensor(b, &in->tensors.data[i], &g->tensors[i]));
    for (size_t i = 0; i < in->operators.n; i++) LC_TRY(build_node(b, &in->operators.data[i], &g->nodes[i]));
    LC_TRY(copy_ints(b, &in->inputs, &g->inputs));
    LC_TRY(copy_ints(b, &in->outputs, &g->outputs));
    g->input_count = g->input_capacity = in->inputs.n;
    g->output_count = g->output_capacity = in->outputs.n;
    return LC_OK;
}

/* ---- the rest of the model ----------------------------------------------------------------------------------- */

static lc_status build_entries(build *b, const lc_TensorMap *in, uint32_t n, lc_signature_entry **out) {
    *out = lc_arena_array(&b->model->arena, n, sizeof **out);
    if (!*out) return no_memory(b);
    for (uint32_t i = 0; i < n; i++) (*out)[i] = (lc_signature_entry){in[i].name, (int32_t)in[i].tensor_index};
    return LC_OK;
}

static lc_status build_signatures(build *b) {
    const lc_Model *in = b->in;
    lc_model *m = b->model;
    m->signatures = lc_arena_array(&m->arena, in->signature_defs.n, sizeof *m->signatures);
    if (!m->signatures) return no_memory(b);
    m->signature_count = in->signature_defs.n;
    for (size_t i = 0; i < in->signature_defs.n; i++) {
        const lc_SignatureDef *d = &in->signature_defs.data[i];
        lc_signature *s = &m->signatures[i];
        *s = (lc_signature){.key = d->signature_key,
                            .graph = (int32_t)d->subgraph_index,
                            .input_count = d->inputs.n,
                            .output_count = d->outputs.n,
                            .deprecated_tag = d->deprecated_tag};
        LC_TRY(build_entries(b, d->inputs.data, d->inputs.n, &s->inputs));
        LC_TRY(build_entries(b, d->outputs.data, d->outputs.n, &s->outputs));
    }
    return LC_OK;
}

static lc_vec_u8 buffer_bytes(const lc_Buffer *b) {
    return (lc_vec_u8){b->data.data, (uint32_t)lc_buffer_size(b)}; /* at most UINT32_MAX: TFL-METADATA-BUFFER */
}

static lc_status build_metadata(build *b) {
    const lc_Model *in = b->in;
    lc_model *m = b->model;
    m->metadata = lc_arena_array(&m->arena, in->metadata.n, sizeof *m->metadata);
    m->metadata_buffers = lc_arena_array(&m->arena, in->metadata_buffer.n, sizeof *m->metadata_buffers);
    if (!m->metadata || !m->metadata_buffers) return no_memory(b);
    m->metadata_count = in->metadata.n;
    m->metadata_buffer_count = in->metadata_buffer.n;
    for (size_t i = 0; i < in->metadata.n; i++) {
        const lc_Metadata *d = &in->metadata.data[i];
        m->metadata[i] = (lc_metadata){d->name, buffer_bytes(&in->buffers.data[d->buffer])};
    }
    for (size_t i = 0; i < in->metadata_buffer.n; i++)
        m->metadata_buffers[i] = buffer_bytes(&in->buffers.data[in->metadata_buffer.data[i]]);
    return LC_OK;
}

/* Codes that no operator uses: kept, for a tool may look for them. */
static lc_status build_unused(build *b) {
    const lc_Model *in = b->in;
    uint8_t *used = lc_arena_array(b->scratch, in->operator_codes.n, 1);
    if (!used) return no_memory(b);
    uint32_t n = in->operator_codes.n;
    for (size_t g = 0; g < in->subgraphs.n; g++) {
        for (size_t i = 0; i < in->subgraphs.data[g].operators.n; i++) {
            uint32_t code = in->subgraphs.data[g].operators.data[i].opcode_index;
            n -= !used[code];
            used[code] = 1;
        }
    }
    lc_OperatorCode *list = lc_arena_array(b->scratch, n, sizeof *list);
    if (!list) return no_memory(b);
    uint32_t count = 0;
    for (size_t i = 0; i < in->operator_codes.n; i++) {
        if (!used[i]) list[count++] = in->operator_codes.data[i];
    }
    b->model->unused_op_code_count = count;
    return clone_tables(b, LC_TABLE_OperatorCode, list, count, &b->model->unused_op_codes);
}

static lc_status build_model(build *b) {
    const lc_Model *in = b->in;
    lc_model *m = b->model;
    m->schema_version = in->version;
    m->description = in->description;
    b->copies = lc_arena_array(b->scratch, in->buffers.n, sizeof *b->copies);
    if (!b->copies) return no_memory(b);
    for (size_t g = 0; g < in->subgraphs.n; g++) {
        lc_graph *graph = g == 0 ? m->graphs[0] : lc_model_add_graph(m, (lc_str){NULL, 0});
        if (!graph) return no_memory(b);
        LC_TRY(build_graph(b, &in->subgraphs.data[g], graph));
    }
    LC_TRY(build_signatures(b));
    LC_TRY(build_metadata(b));
    LC_TRY(build_unused(b));
    const lc_extent extent = lc_tflite_extent(in, b->data, b->size);
    if (extent.unknown != LC_TABLE_NONE) {
        m->unknown_table = lc_table_name(extent.unknown);
        m->unknown_field = extent.unknown_id;
    }
    m->tail_at = extent.tail;
    m->tail = b->data + m->tail_at;
    m->tail_size = (size_t)(b->size - m->tail_at);
    m->external_group_count = in->external_buffer_groups.n;
    m->external_buffer_count = in->external_buffers.n;
    LC_TRY(clone_tables(b, LC_TABLE_ExternalBufferGroup, in->external_buffer_groups.data, m->external_group_count, &m->external_groups));
    return clone_tables(b, LC_TABLE_ExternalBuffer, in->external_buffers.data, m->external_buffer_count, &m->external_buffers);
}

/* ---- doors --------------------------------------------------------------------------------------------------- */

bool lc_tflite_probe(const void *data, size_t size) { return size >= 8 && memcmp((const char *)data + 4, "TFL3", 4) == 0; }

lc_status lc_tflite_read(const void *data, size_t size, lc_budget *budget, lc_arena *arena, lc_Model **model, lc_error *err) {
    const lc_check c = {.limits = &budget->limits, .err = err};
    uint64_t before = budget->memory;
    LC_TRY(lc_fb_verify(data, size, budget, err));
    LC_TRY(lc_check_unfolded(&c, budget->memory - before, size));
    LC_TRY(lc_fb_read(data, size, arena, model, err));
    return lc_tflite_check(*model, data, size, budget, err);
}

static lc_status load(const void *data, size_t size, lc_model *model, lc_arena *scratch, lc_error *err) {
    lc_budget budget;
    lc_budget_init(&budget, &model->limits);
    if ((uintptr_t)data % 8 != 0) {
        LC_TRY(lc_budget_memory(&budget, size, "an aligned copy of the file", err));
        model->buffer = lc_malloc_aligned(size);
        if (!model->buffer) return lc_fail_memory(err, "an aligned copy of the file");
        if (size) memcpy(model->buffer, data, size);
        data = model->buffer;
    }
    lc_Model *in;
    LC_TRY(lc_tflite_read(data, size, &budget, scratch, &in, err));
    build b = {.in = in, .data = data, .size = size, .budget = &budget, .scratch = scratch, .model = model, .err = err};
    return build_model(&b);
}

lc_status lc_tflite_load(const void *data, size_t size, const lc_limits *limits, lc_model **model, lc_error *err) {
    *model = NULL;
    lc_model *m;
    LC_TRY(lc_model_new(limits, &m, err));
    lc_arena scratch = {0};
    lc_status status = load(data, size, m, &scratch, err);
    lc_arena_deinit(&scratch);
    if (status != LC_OK) {
        lc_model_destroy(m);
        return status;
    }
    *model = m;
    return LC_OK;
}
