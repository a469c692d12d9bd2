/*
 * model.c: the life of a model: made empty, filled, shared by sessions, freed at once.
 *
 * Everything a model consists of lies in its arena; destroying the last reference frees the arena, the private copy of the
 * source bytes and the file mappings, in that order. References are counted atomically because sessions in other threads
 * keep the model alive; nothing else in a model is written by more than one thread.
 */
#include "ir/ir.h"

#include <string.h>

/* A name with a NUL behind it, of the arena. An absent name stays absent. */
static bool copy_str(lc_arena *arena, lc_str s, lc_str *out) {
    *out = (lc_str){NULL, 0};
    if (!s.data) return true;
    char *copy = lc_arena_strndup(arena, s.data, s.size);
    if (!copy) return false;
    *out = (lc_str){copy, s.size};
    return true;
}

lc_status lc_model_new(const lc_limits *limits, lc_model **model, lc_error *err) {
    *model = NULL;
    lc_model *m = lc_calloc(1, sizeof *m);
    if (!m) return lc_fail_memory(err, "model");
    lc_budget budget;
    lc_budget_init(&budget, limits); /* fills in the defaults */
    m->limits = budget.limits;
    m->schema_version = 3;
    m->references = 1;
    if (!lc_model_add_graph(m, LC_STR("main"))) {
        lc_model_destroy(m);
        return lc_fail_memory(err, "model");
    }
    *model = m;
    return LC_OK;
}

void lc_model_retain(lc_model *model) { __atomic_add_fetch(&model->references, 1, __ATOMIC_RELAXED); }

void lc_model_destroy(lc_model *model) {
    /* Acquire and release: what other threads did with the model happens before it is freed here. */
    if (!model || __atomic_sub_fetch(&model->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    if (model->runtime_deinit) model->runtime_deinit(model->runtime);
    lc_arena_deinit(&model->arena);
    lc_free_aligned(model->buffer);
    lc_map_close(&model->map);
    for (size_t i = 0; i < model->side_map_count; i++) lc_map_close(&model->side_maps[i]);
    lc_free(model->side_maps);
    lc_model *origin = model->origin;
    lc_free(model);
    lc_model_destroy(origin);
}

lc_status lc_model_take_maps(lc_model *model, lc_map *maps, size_t count, lc_error *err) {
    size_t all = 0, bytes = 0;
    lc_map *list = NULL;
    if (lc_add_size(model->side_map_count, count, &all) && lc_mul_size(all, sizeof *list, &bytes))
        list = lc_realloc(model->side_maps, bytes ? bytes : sizeof *list);
    for (size_t i = 0; i < count; i++) {
        if (list) list[model->side_map_count + i] = maps[i];
        else lc_map_close(&maps[i]);
        maps[i] = (lc_map){0};
    }
    if (!list) return lc_fail_memory(err, "mapped files");
    model->side_maps = list;
    model->side_map_count = all;
    return LC_OK;
}

void lc_model_release(const lc_model *model, const void *data, size_t size) {
    for (; model; model = model->origin) {
        lc_map_release(&model->map, data, size); /* those that do not hold the bytes do nothing */
        for (size_t i = 0; i < model->side_map_count; i++) lc_map_release(&model->side_maps[i], data, size);
    }
}

bool lc_model_reads(const lc_model *model, const char *path) {
    for (; model; model = model->origin) {
        if (lc_map_is(&model->map, path)) return true;
        for (size_t i = 0; i < model->side_map_count; i++)
            if (lc_map_is(&model->side_maps[i], path)) return true;
    }
    return false;
}

lc_graph *lc_model_add_graph(lc_model *model, lc_str name) {
    void *graphs = model->graphs;
    if (!lc_arena_grow(&model->arena, &graphs, &model->graph_capacity, model->graph_count + 1, sizeof model->graphs[0])) return NULL;
    model->graphs = graphs;
    lc_graph *g = lc_arena_alloc(&model->arena, sizeof *g);
    if (!g || !copy_str(&model->arena, name, &g->name)) return NULL;
    g->model = model;
    g->debug_metadata_index = -1;
    model->graphs[model->graph_count++] = g;
    return g;
}

/* n indices copied into the arena. An empty list is a valid pointer, so that NULL never has to be asked for. */
static bool copy_ints(lc_arena *arena, const int32_t *values, size_t n, int32_t **out) {
    *out = lc_arena_array(arena, n, sizeof **out);
    if (!*out) return false;
    if (n) memcpy(*out, values, n * sizeof **out);
    return true;
}

lc_status lc_graph_add_tensor(lc_graph *graph, const lc_tensor *proto, int32_t *index, lc_error *err) {
    lc_arena *arena = &graph->model->arena;
    *index = LC_ABSENT;
    if (graph->tensor_count >= INT32_MAX) return lc_fail(err, LC_LIMIT, "a graph cannot have more than %d tensors", INT32_MAX);
    void *items = graph->tensors;
    if (!lc_arena_grow(arena, &items, &graph->tensor_capacity, graph->tensor_count + 1, sizeof graph->tensors[0]))
        return lc_fail_memory(err, "tensor");
    graph->tensors = items;
    lc_tensor t = *proto;
    size_t rank = t.rank > 0 ? (size_t)t.rank : 0;
    if (!copy_str(arena, proto->name, &t.name) || !copy_ints(arena, proto->dims, rank, &t.dims) ||
        (proto->signature && !copy_ints(arena, proto->signature, rank, &t.signature)))
        return lc_fail_memory(err, "tensor");
    graph->tensors[graph->tensor_count] = t;
    *index = (int32_t)graph->tensor_count++;
    return LC_OK;
}

lc_status lc_graph_add_node(lc_graph *graph, int32_t op, lc_table_id attrs_table, const void *attrs, const int32_t *inputs,
                            uint32_t input_count, const int32_t *outputs, uint32_t output_count, lc_node **node, lc_error *err) {
    lc_arena *arena = &graph->model->arena;
    if (node) *node = NULL;
    if (graph->node_count >= graph->model->limits.max_nodes)
        return lc_fail(err, LC_LIMIT, "the graph has more operators than the limit of %u", graph->model->limits.max_nodes);
    void *items = graph->nodes;
    if (!lc_arena_grow(arena, &items, &graph->node_capacity, graph->node_count + 1, sizeof graph->nodes[0]))
        return lc_fail_memory(err, "node");
    graph->nodes = items;
    lc_node n = {.op = op,
                 .attrs_table = attrs && attrs_table >= 0 ? attrs_table : LC_TABLE_NONE,
                 .input_count = input_count,
                 .output_count = output_count,
                 .debug_metadata_index = -1};
    if (!copy_ints(arena, inputs, input_count, &n.inputs) || !copy_ints(arena, outputs, output_count, &n.outputs) ||
        !copy_ints(arena, NULL, 0, &n.intermediates))
        return lc_fail_memory(err, "node");
    if (n.attrs_table != LC_TABLE_NONE) {
        size_t size = lc_schema_tables[n.attrs_table].size;
        n.attrs = lc_arena_alloc(arena, size);
        if (!n.attrs) return lc_fail_memory(err, "node");
        memcpy(n.attrs, attrs, size);
    }
    graph->nodes[graph->node_count] = n;
    if (node) *node = &graph->nodes[graph->node_count];
    graph->node_count++;
    return LC_OK;
}

static lc_status add_port(lc_graph *graph, int32_t **ports, size_t *count, size_t *capacity, int32_t tensor, lc_error *err) {
    void *items = *ports;
    if (!lc_arena_grow(&graph->model->arena, &items, capacity, *count + 1, sizeof **ports)) return lc_fail_memory(err, "graph");
    *ports = items;
    (*ports)[(*count)++] = tensor;
    return LC_OK;
}

lc_status lc_graph_add_input(lc_graph *graph, int32_t tensor, lc_error *err) {
    return add_port(graph, &graph->inputs, &graph->input_count, &graph->input_capacity, tensor, err);
}

lc_status lc_graph_add_output(lc_graph *graph, int32_t tensor, lc_error *err) {
    return add_port(graph, &graph->outputs, &graph->output_count, &graph->output_capacity, tensor, err);
}

/* ---- asking ------------------------------------------------------------------------------------------------- */

bool lc_tensor_elements(const lc_tensor *t, uint64_t *n) {
    uint64_t product = 1;
    for (int32_t i = 0; i < t->rank; i++) {
        if (t->dims[i] < 0 || !lc_mul_u64(product, (uint64_t)t->dims[i], &product)) return false;
    }
    *n = product;
    return true;
}

bool lc_dtype_bytes(lc_dtype type, uint64_t elements, uint64_t *bytes) {
    uint32_t bits = lc_dtype_bits(type);
    uint64_t all;
    if (bits == 0) return false;
    if (bits % 8 == 0) return lc_mul_u64(elements, bits / 8, bytes);
    /* 4- and 2-bit elements are packed, the last byte may be part empty. */
    if (!lc_mul_u64(elements, bits, &all) || !lc_add_u64(all, 7, &all)) return false;
    *bytes = all / 8;
    return true;
}

bool lc_model_states_ranks(const lc_model *model) {
    bool dims = false;
    for (size_t g = 0; g < model->graph_count; g++)
        for (size_t t = 0; t < model->graphs[g]->tensor_count; t++) {
            if (model->graphs[g]->tensors[t].has_rank) return true;
            dims |= model->graphs[g]->tensors[t].rank > 0;
        }
    return !dims;
}
