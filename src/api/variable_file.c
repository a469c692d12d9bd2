/*
 * variable_file.c: the operators of variables. The idea is in variable_file.h.
 */
#include "api/variable_file.h"

#include <string.h>

static lc_file_variable *find(const lc_variable_file *f, const char *name) {
    for (uint32_t i = 0; i < f->count; i++)
        if (strcmp(f->list[i].name, name) == 0) return &f->list[i];
    return NULL;
}

lc_status lc_variables_declare(lc_variable_file *f, const char *name, const void *value, const int32_t *dims, int32_t rank) {
    if (find(f, name)) return LC_OK;
    if (f->count == f->capacity) {
        const uint32_t capacity = f->capacity ? 2 * f->capacity : 64;
        lc_file_variable *more = lc_arena_array(&f->model->arena, capacity, sizeof *more);
        if (!more) return lc_fail_memory(f->err, "variables");
        if (f->count) memcpy(more, f->list, f->count * sizeof *more);
        f->list = more, f->capacity = capacity;
    }
    lc_file_variable v = {.name = name, .value = value, .rank = rank, .bytes = sizeof(float)};
    for (int32_t i = 0; i < rank; i++) v.dims[i] = dims[i], v.bytes *= (size_t)dims[i];
    f->list[f->count++] = v;
    return LC_OK;
}

static int32_t handle(lc_builder *b, const char *name) {
    const int32_t t = lc_build_placeholder(b, name, LC_RESOURCE, NULL, 0);
    const lc_VarHandleOptions o = {.container = LC_STR(""), .shared_name = lc_str_of(name)};
    lc_node *node;
    if (b->status != LC_OK) return -1;
    lc_build_check(b, lc_graph_add_node(b->graph, LC_OP_VAR_HANDLE, LC_TABLE_VarHandleOptions, &o, NULL, 0, &t, 1, &node, b->err));
    return t;
}

void lc_variables_assign(lc_builder *b, const char *name, int32_t value) {
    const lc_AssignVariableOptions o = {0};
    const int32_t in[2] = {handle(b, name), value};
    lc_node *node;
    if (b->status != LC_OK) return;
    lc_build_check(b,
                   lc_graph_add_node(b->graph, LC_OP_ASSIGN_VARIABLE, LC_TABLE_AssignVariableOptions, &o, in, 2, NULL, 0, &node, b->err));
}

/* READ_VARIABLE into tensor t. */
void lc_variables_read_into(lc_builder *b, const char *name, int32_t t) {
    const lc_ReadVariableOptions o = {0};
    const int32_t in = handle(b, name);
    lc_node *node;
    if (b->status != LC_OK) return;
    lc_build_check(b, lc_graph_add_node(b->graph, LC_OP_READ_VARIABLE, LC_TABLE_ReadVariableOptions, &o, &in, 1, &t, 1, &node, b->err));
}

int32_t lc_variables_reading(const lc_variable_file *f, lc_builder *b, const char *name) {
    const lc_file_variable *v = find(f, name);
    const int32_t t = lc_build_placeholder(b, name, LC_FLOAT32, v->dims, v->rank);
    if (t >= 0) lc_variables_read_into(b, name, t);
    return t;
}

/* The nodes from `first` on come before all others. */
lc_status lc_graph_to_front(lc_graph *g, size_t first, lc_error *err) {
    lc_arena arena = {0};
    const size_t n = g->node_count - first;
    lc_node *moved = lc_arena_array(&arena, n + 1, sizeof *moved);
    if (moved) {
        memcpy(moved, g->nodes + first, n * sizeof *moved);
        memmove(g->nodes + n, g->nodes, first * sizeof *g->nodes);
        memcpy(g->nodes, moved, n * sizeof *moved);
    }
    lc_arena_deinit(&arena);
    return moved ? LC_OK : lc_fail_memory(err, "a graph");
}

void lc_graph_drop_input(lc_graph *g, int32_t tensor) {
    size_t n = 0;
    for (size_t i = 0; i < g->input_count; i++)
        if (g->inputs[i] != tensor) g->inputs[n++] = g->inputs[i];
    g->input_count = n;
}

lc_status lc_variables_initialise(const lc_variable_file *f, size_t index) {
    lc_builder b;
    lc_builder_init(&b, f->model, f->model->graphs[index], f->err);
    for (uint32_t i = 0; i < f->count && b.status == LC_OK; i++) {
        const lc_file_variable *v = &f->list[i];
        void *data = lc_build_data(&b, v->bytes ? v->bytes : 1); /* arenas are zeroed */
        if (data && v->value) memcpy(data, v->value, v->bytes);
        const int32_t t = data ? lc_build_const(&b, v->name, LC_FLOAT32, v->dims, v->rank, data, v->bytes, true) : -1;
        lc_variables_assign(&b, v->name, t);
    }
    return b.status;
}

lc_status lc_variables_call_once(const lc_variable_file *f, lc_graph *g, int32_t init) {
    const lc_CallOnceOptions o = {.init_subgraph_index = init};
    lc_node *node;
    LC_TRY(lc_graph_add_node(g, LC_OP_CALL_ONCE, LC_TABLE_CallOnceOptions, &o, NULL, 0, NULL, 0, &node, f->err));
    return lc_graph_to_front(g, g->node_count - 1, f->err);
}
