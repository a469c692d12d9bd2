/*
 * sparsify.c: constants with many zeros stored as what is not zero and where it is: the last dimension compressed (SPARSE_CSR), the others
 * dense. DENSIFY in front of the readers spreads the elements once, when the model is loaded; every kernel then sees a dense tensor. A
 * constant becomes sparse only when its elements, its indices and the operator together take less of the file. Only float32: XNNPACK refuses
 * integers from DENSIFY where a kernel multiplies them, and where DEQUANTIZE follows it reads integers and float16 wrongly.
 */
#include "quant/prune.h"

#include <string.h>

enum { LEAST = 1024, WIDTH = sizeof(float), OVERHEAD = 512 /* bytes, amply: tables, the operator, the tensor it writes */ };

/* A constant as rows of its last dimension. */
typedef struct rows {
    const uint8_t *data;
    size_t count, length, stored; /* rows; elements of one; not zero */
} rows;

/* -0.0 is none: it is kept as what it is. */
static bool is_zero(const uint8_t *p) { return memcmp(p, (uint8_t[WIDTH]){0}, WIDTH) == 0; }

static bool find_rows(const lc_tensor *t, uint64_t least, rows *r) {
    uint64_t n;
    if (t->type != LC_FLOAT32 || !t->data || t->sparsity || t->is_variable || t->rank < 1 || !lc_tensor_elements(t, &n) || n < least ||
        n > INT32_MAX)
        return false;
    *r = (rows){.data = t->data, .length = (size_t)t->dims[t->rank - 1]};
    r->count = (size_t)n / r->length;
    for (size_t i = 0; i < n; i++) r->stored += !is_zero(r->data + i * WIDTH);
    return true;
}

static size_t index_width(size_t most) { return most <= UINT8_MAX ? 1 : most <= UINT16_MAX ? 2 : 4; }

static bool pays(const rows *r) {
    const size_t sparse = r->stored * (WIDTH + index_width(r->length - 1)) + (r->count + 1) * index_width(r->stored) + OVERHEAD;
    return sparse < r->count * r->length * WIDTH;
}

/* n indices up to `most` in the narrowest vector; *put writes into it. */
typedef struct indices {
    lc_union u;
    size_t width;
    void *data;
} indices;

static bool make_indices(lc_arena *arena, size_t n, size_t most, indices *x) {
    x->width = index_width(most);
    x->data = lc_arena_array(arena, n ? n : 1, x->width);
    if (!x->data) return false;
    if (x->width == 1) {
        lc_Uint8Vector *v = lc_arena_alloc(arena, sizeof *v);
        if (v) v->values.data = x->data, v->values.n = (uint32_t)n;
        x->u = (lc_union){.type = LC_SparseIndexVector_Uint8Vector, .value = v};
    } else if (x->width == 2) {
        lc_Uint16Vector *v = lc_arena_alloc(arena, sizeof *v);
        if (v) v->values.data = x->data, v->values.n = (uint32_t)n;
        x->u = (lc_union){.type = LC_SparseIndexVector_Uint16Vector, .value = v};
    } else {
        lc_Int32Vector *v = lc_arena_alloc(arena, sizeof *v);
        if (v) v->values.data = x->data, v->values.n = (uint32_t)n;
        x->u = (lc_union){.type = LC_SparseIndexVector_Int32Vector, .value = v};
    }
    return x->u.value;
}

static void put(indices *x, size_t at, size_t value) {
    if (x->width == 1) ((uint8_t *)x->data)[at] = (uint8_t)value;
    else if (x->width == 2) ((uint16_t *)x->data)[at] = (uint16_t)value;
    else ((int32_t *)x->data)[at] = (int32_t)value;
}

/* The tables and the stored elements of a constant. */
static lc_status compress(lc_graph *graph, lc_tensor *t, const rows *r, lc_error *err) {
    lc_arena *arena = &graph->model->arena;
    lc_SparsityParameters *s = lc_arena_alloc(arena, sizeof *s);
    lc_DimensionMetadata *levels = lc_arena_array(arena, (size_t)t->rank, sizeof *levels);
    int32_t *order = lc_arena_array(arena, (size_t)t->rank, sizeof *order);
    uint8_t *data = lc_arena_data(arena, r->stored * WIDTH + 1);
    indices begins, places;
    if (!s || !levels || !order || !data || !make_indices(arena, r->count + 1, r->stored, &begins) ||
        !make_indices(arena, r->stored, r->length - 1, &places))
        return lc_fail_memory(err, "sparse constant");
    lc_schema_init(LC_TABLE_SparsityParameters, s);
    for (int32_t d = 0; d < t->rank; d++) {
        lc_schema_init(LC_TABLE_DimensionMetadata, &levels[d]);
        levels[d].dense_size = t->dims[d];
        order[d] = d;
    }
    levels[t->rank - 1].format = LC_DimensionType_SPARSE_CSR;
    levels[t->rank - 1].dense_size = 0;
    levels[t->rank - 1].array_segments = begins.u;
    levels[t->rank - 1].array_indices = places.u;
    size_t n = 0;
    for (size_t row = 0; row < r->count; row++) {
        put(&begins, row, n);
        for (size_t i = 0; i < r->length; i++) {
            const uint8_t *from = r->data + (row * r->length + i) * WIDTH;
            if (is_zero(from)) continue;
            put(&places, n, i);
            memcpy(data + n++ * WIDTH, from, WIDTH);
        }
    }
    put(&begins, r->count, n);
    s->traversal_order.data = order;
    s->traversal_order.n = (uint32_t)t->rank;
    s->dim_metadata.data = levels;
    s->dim_metadata.n = (uint32_t)t->rank;
    t->sparsity = s;
    t->data = data;
    t->size = n * WIDTH;
    t->data_at = LC_NO_OFFSET;
    t->data_owned = true;
    t->deferred = NULL;
    return LC_OK;
}

/* Tensor t, a constant, becomes sparse; all its readers read what DENSIFY makes of it. */
static lc_status sparsify(lc_graph *graph, int32_t t, const rows *r, lc_error *err) {
    lc_tensor proto = graph->tensors[t];
    int32_t dense;
    lc_node *node;
    const char *name = lc_arena_printf(&graph->model->arena, "%.*s_dense", (int)(proto.name.size > 4096 ? 4096 : proto.name.size),
                                       proto.name.data ? proto.name.data : "");
    if (!name) return lc_fail_memory(err, "tensors");
    proto.name = lc_str_of(name);
    proto.data = NULL;
    proto.deferred = NULL;
    proto.size = 0;
    proto.data_owned = false;
    LC_TRY(lc_graph_add_tensor(graph, &proto, &dense, err));
    for (size_t i = 0; i < graph->node_count; i++)
        for (uint32_t k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].inputs[k] == t) graph->nodes[i].inputs[k] = dense;
    LC_TRY(lc_graph_add_node(graph, LC_OP_DENSIFY, LC_TABLE_NONE, NULL, &t, 1, &dense, 1, &node, err));
    return compress(graph, &graph->tensors[t], r, err);
}

/* Whether a constant's readers are operators alone: what the graph takes or gives out stays. */
static bool may_densify(const lc_graph *graph, size_t nodes, int32_t t) {
    bool read = false;
    for (size_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i] == t) return false;
    for (size_t i = 0; i < graph->input_count; i++)
        if (graph->inputs[i] == t) return false;
    for (size_t i = 0; i < nodes; i++)
        for (uint32_t k = 0; k < graph->nodes[i].input_count; k++) read |= graph->nodes[i].inputs[k] == t;
    return read;
}

static lc_status sparsify_graph(lc_graph *graph, uint64_t least, uint32_t *count, lc_error *err) {
    const size_t tensors = graph->tensor_count, nodes = graph->node_count;
    for (size_t t = 0; t < tensors; t++) {
        rows r;
        if (!find_rows(&graph->tensors[t], least, &r) || !pays(&r) || !may_densify(graph, nodes, (int32_t)t)) continue;
        LC_TRY(sparsify(graph, (int32_t)t, &r, err));
        ++*count;
    }
    /* the new operators come first */
    const size_t added = graph->node_count - nodes;
    lc_node *all = added ? lc_arena_array(&graph->model->arena, graph->node_count, sizeof *all) : NULL;
    if (!added) return LC_OK;
    if (!all) return lc_fail_memory(err, "operators");
    memcpy(all, graph->nodes + nodes, added * sizeof *all);
    memcpy(all + added, graph->nodes, nodes * sizeof *all);
    graph->nodes = all;
    graph->node_capacity = graph->node_count;
    return LC_OK;
}

lc_status lc_weights_sparsify(lc_model *model, const lc_prune_options *options, uint32_t *count, lc_error *err) {
    for (size_t g = 0; g < model->graph_count; g++)
        LC_TRY(sparsify_graph(model->graphs[g], options->min_weights ? options->min_weights : LEAST, count, err));
    return LC_OK;
}
