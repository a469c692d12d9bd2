/*
 * The builder: nodes and constants with a sticky error. What stays true: a tensor index it returns is valid, its type and shape
 * are inferred, and everything it points at lives in the model's arena (or as long, for borrowed constants). Names are cut at
 * NAME_MAX_BYTES of the layer's name, so that a hostile name of a megabyte is not repeated for every node of its layer.
 */
#include "ops/build.h"

#include "ir/constant.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 200

void lc_builder_init(lc_builder *b, lc_model *model, lc_graph *graph, lc_error *err) {
    memset(b, 0, sizeof *b);
    b->model = model;
    b->graph = graph;
    b->err = err;
}

int32_t lc_build_fail(lc_builder *b, lc_status status, const char *format, ...) {
    if (b->status != LC_OK) return -1;
    b->status = status;
    char text[sizeof b->err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *what = b->what ? b->what : "layer";
    if (!b->layer) lc_fail(b->err, status, "%s", text);
    else if (!b->kind) lc_fail(b->err, status, "%s \"%.*s\": %s", what, NAME_MAX_BYTES, b->layer, text);
    else lc_fail(b->err, status, "%s \"%.*s\" (%.*s): %s", what, NAME_MAX_BYTES, b->layer, NAME_MAX_BYTES, b->kind, text);
    return -1;
}

int32_t lc_build_hint(lc_builder *b, const char *format, ...) {
    char text[sizeof b->err->hint];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (b->err && b->err->hint[0] == 0) lc_error_hint(b->err, "%s", text);
    return -1;
}

bool lc_build_check(lc_builder *b, lc_status status) {
    if (b->status == LC_OK) b->status = status;
    return b->status == LC_OK;
}

static bool out_of_memory(lc_builder *b, const char *what) { return lc_build_check(b, lc_fail_memory(b->err, what)); }

/* "layer/name" in the arena, NULL when the builder failed. */
static const char *full_name(lc_builder *b, const char *name) {
    if (b->status != LC_OK) return NULL;
    const char *full = b->layer ? lc_arena_printf(&b->model->arena, "%.*s/%s", NAME_MAX_BYTES, b->layer, name)
                                : lc_arena_printf(&b->model->arena, "%s", name);
    if (!full) out_of_memory(b, "a tensor's name");
    return full;
}

/* ---- tensors ------------------------------------------------------------------------------------------------ */

static int32_t add_tensor(lc_builder *b, const lc_tensor *proto) {
    int32_t index = -1;
    if (b->status != LC_OK || !lc_build_check(b, lc_graph_add_tensor(b->graph, proto, &index, b->err))) return -1;
    return index;
}

const lc_tensor *lc_build_tensor(lc_builder *b, int32_t index) {
    if (b->status != LC_OK) return NULL;
    if (index < 0 || (size_t)index >= b->graph->tensor_count) {
        lc_build_fail(b, LC_ARGUMENT, "there is no tensor %d", index);
        return NULL;
    }
    return &b->graph->tensors[index];
}

bool lc_build_shape(lc_builder *b, int32_t index, lc_shape *shape) {
    memset(shape, 0, sizeof *shape);
    const lc_tensor *t = lc_build_tensor(b, index);
    if (!t) return false;
    if (t->rank < 0 || t->rank > LC_MAX_RANK) {
        lc_build_fail(b, LC_UNSUPPORTED, "its input has %d dimensions, litec runs up to %d", t->rank, LC_MAX_RANK);
        return false;
    }
    shape->rank = t->rank;
    for (int32_t i = 0; i < t->rank; i++) shape->dims[i] = lc_tensor_dim(t, i);
    return true;
}

lc_dtype lc_build_type(lc_builder *b, int32_t index) {
    const lc_tensor *t = lc_build_tensor(b, index);
    return t ? t->type : LC_FLOAT32;
}

int32_t lc_build_placeholder(lc_builder *b, const char *name, lc_dtype type, const int32_t *dims, int32_t rank) {
    if (b->status != LC_OK) return -1;
    if (rank < 0 || rank > LC_MAX_RANK) return lc_build_fail(b, LC_UNSUPPORTED, "%d dimensions; litec runs up to %d", rank, LC_MAX_RANK);
    int32_t closed[LC_MAX_RANK], open[LC_MAX_RANK];
    bool any = false;
    for (int32_t i = 0; i < rank; i++) {
        closed[i] = dims[i] < 0 ? 1 : dims[i];
        open[i] = dims[i] < 0 ? -1 : dims[i];
        any = any || dims[i] < 0;
    }
    lc_tensor t = {.name = lc_str_of(name),
                   .type = type,
                   .rank = rank,
                   .dims = closed,
                   .signature = any ? open : NULL,
                   .has_rank = true,
                   .data_at = LC_NO_OFFSET};
    return add_tensor(b, &t);
}

/* The constant `t`, which lacks name and shape. */
static int32_t add_constant(lc_builder *b, const char *name, const int32_t *dims, int32_t rank, lc_tensor t) {
    const char *full = full_name(b, name);
    if (!full) return -1;
    int32_t shape[LC_MAX_RANK];
    if (rank < 0 || rank > LC_MAX_RANK) return lc_build_fail(b, LC_UNSUPPORTED, "a constant of %d dimensions", rank);
    for (int32_t i = 0; i < rank; i++) shape[i] = dims[i];
    t.name = lc_str_of(full);
    t.rank = rank;
    t.dims = shape;
    t.has_rank = true;
    t.data_at = LC_NO_OFFSET;
    return add_tensor(b, &t);
}

int32_t lc_build_const(lc_builder *b, const char *name, lc_dtype type, const int32_t *dims, int32_t rank, const void *data, size_t size,
                       bool owned) {
    if (!data) return -1;
    return add_constant(b, name, dims, rank, (lc_tensor){.type = type, .data = data, .size = size, .data_owned = owned});
}

int32_t lc_build_deferred(lc_builder *b, const char *name, const int32_t *dims, int32_t rank, const lc_deferred *made) {
    if (b->status != LC_OK) return -1;
    lc_deferred *copy = lc_arena_alloc(&b->model->arena, sizeof *copy);
    if (!copy) return out_of_memory(b, "constant") ? 0 : -1;
    *copy = *made;
    return add_constant(b, name, dims, rank,
                        (lc_tensor){.type = LC_FLOAT32, .deferred = copy, .size = made->rows * made->cols * sizeof(float)});
}

void *lc_build_data(lc_builder *b, size_t size) {
    if (b->status != LC_OK) return NULL;
    void *p = lc_arena_data(&b->model->arena, size);
    if (!p) out_of_memory(b, "constant data");
    return p;
}

static int32_t const_copy(lc_builder *b, const char *name, lc_dtype type, const int32_t *dims, int32_t rank, const void *values,
                          size_t size) {
    void *data = lc_build_data(b, size);
    if (!data) return -1;
    if (size) memcpy(data, values, size);
    return lc_build_const(b, name, type, dims, rank, data, size, true);
}

int32_t lc_build_floats(lc_builder *b, const char *name, const float *values, uint32_t n) {
    int32_t dim = (int32_t)n;
    return const_copy(b, name, LC_FLOAT32, &dim, 1, values, n * sizeof *values);
}

int32_t lc_build_scalar(lc_builder *b, const char *name, float value) {
    return const_copy(b, name, LC_FLOAT32, NULL, 0, &value, sizeof value);
}

int32_t lc_build_ints(lc_builder *b, const char *name, const int32_t *values, uint32_t n) {
    int32_t dim = (int32_t)n;
    return const_copy(b, name, LC_INT32, &dim, 1, values, n * sizeof *values);
}

int32_t lc_build_int_matrix(lc_builder *b, const char *name, const int32_t *values, int32_t rows, int32_t cols) {
    int32_t dims[2] = {rows, cols};
    return const_copy(b, name, LC_INT32, dims, 2, values, (size_t)rows * (size_t)cols * sizeof *values);
}

void lc_build_rename(lc_builder *b, int32_t index, const char *name) {
    if (lc_build_tensor(b, index)) b->graph->tensors[index].name = lc_str_of(name);
}

/* ---- operators ---------------------------------------------------------------------------------------------- */

/* A struct of the table at the schema's defaults. NULL when memory is out. */
static void *default_attrs(lc_builder *b, lc_table_id table) {
    void *p = lc_arena_alloc(&b->model->arena, lc_schema_tables[table].size);
    if (p) lc_schema_init(table, p);
    else out_of_memory(b, "operator options");
    return p;
}

static lc_node *add_node(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                         const int32_t *outputs, uint32_t n_out) {
    if (b->status != LC_OK) return NULL;
    if (!attrs && table != LC_TABLE_NONE && !(attrs = default_attrs(b, table))) return NULL;
    lc_node *node = NULL;
    if (!lc_build_check(b, lc_graph_add_node(b->graph, op, table, attrs, inputs, n_in, outputs, n_out, &node, b->err))) return NULL;
    node->layer = b->layer;
    return node;
}

/* Gives the inputs of unknown rank this one, all open; 0: takes it away again. False when there is none. */
static bool try_rank(lc_graph *g, const lc_node *node, int32_t rank, bool *open) {
    static int32_t signature[LC_MAX_RANK] = {-1, -1, -1, -1, -1, -1, -1, -1}, dims[LC_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    bool any = false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] == LC_ABSENT) continue;
        lc_tensor *t = &g->tensors[node->inputs[i]];
        if (rank == 1) open[i] = lc_tensor_any_rank(t, true);
        if (!open[i]) continue;
        any = true;
        t->rank = rank;
        t->dims = rank ? dims : NULL;
        t->signature = rank ? signature : NULL;
    }
    return any;
}

/* The rules take a tensor of unknown rank for a scalar. One that takes all but scalars (SOFTMAX) is right for it too: what comes out is of
 * unknown rank, but its type is known. */
static lc_status infer_node(lc_builder *b) {
    const size_t index = b->graph->node_count - 1;
    const lc_node *node = &b->graph->nodes[index];
    lc_status status = lc_graph_infer_node(b->graph, index, b->err);
    if (status == LC_OK || status == LC_NO_MEMORY) return status;
    bool *open = lc_arena_array(&b->model->arena, node->input_count + 1, sizeof *open);
    if (!open) return lc_fail_memory(b->err, "shapes");
    bool fits = true;
    for (int32_t rank = 1; rank <= LC_MAX_RANK && fits; rank++)
        fits = try_rank(b->graph, node, rank, open) && lc_graph_infer_node(b->graph, index, NULL) == LC_OK;
    try_rank(b->graph, node, 0, open);
    if (!fits) return status;
    for (uint32_t i = 0; i < node->output_count; i++) {
        lc_tensor *t = &b->graph->tensors[node->outputs[i]];
        t->rank = 0;
        t->signature = NULL;
        t->has_rank = false;
    }
    lc_error_clear(b->err);
    return LC_OK;
}

/* The operator on outputs that are there. */
static bool finish(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                   const int32_t *outputs, uint32_t n_out) {
    if (!add_node(b, op, table, attrs, inputs, n_in, outputs, n_out)) return false;
    if (!lc_build_check(b, infer_node(b))) return false;
    if (b->built) b->built(b);
    return b->status == LC_OK;
}

static bool make(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *inputs, uint32_t n_in, int32_t *outputs,
                 uint32_t n_out, lc_dtype declared) {
    for (uint32_t i = 0; i < n_out; i++) outputs[i] = -1;
    const char *name = full_name(b, lc_op_name(op));
    for (uint32_t i = 0; i < n_out; i++) {
        outputs[i] = lc_build_placeholder(b, name, declared, NULL, 0);
        if (outputs[i] >= 0) b->graph->tensors[outputs[i]].has_rank = false; /* until the rule says so */
    }
    return finish(b, op, table, attrs, inputs, n_in, outputs, n_out);
}

bool lc_build_op_declared(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                          const lc_build_output *declared, int32_t *outputs, uint32_t n_out) {
    for (uint32_t i = 0; i < n_out; i++) outputs[i] = -1;
    const char *name = full_name(b, lc_op_name(op));
    for (uint32_t i = 0; i < n_out; i++) outputs[i] = lc_build_placeholder(b, name, declared[i].type, declared[i].dims, declared[i].rank);
    return finish(b, op, table, attrs, inputs, n_in, outputs, n_out);
}

bool lc_build_op_multi(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                       int32_t *outputs, uint32_t n_out) {
    return make(b, op, table, attrs, inputs, n_in, outputs, n_out, LC_FLOAT32);
}

int32_t lc_build_typed(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                       lc_dtype type) {
    int32_t out;
    return make(b, op, table, attrs, inputs, n_in, &out, 1, type) ? out : -1;
}

int32_t lc_build_op(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *inputs, uint32_t n_in) {
    int32_t out;
    return lc_build_op_multi(b, op, table, attrs, inputs, n_in, &out, 1) ? out : -1;
}

int32_t lc_build_custom(lc_builder *b, const char *code, const void *options, uint32_t option_bytes, const int32_t *inputs, uint32_t n_in,
                        int32_t like) {
    lc_shape shape;
    if (!lc_build_shape(b, like, &shape)) return -1;
    lc_dtype type = lc_build_type(b, like);
    int32_t out = lc_build_placeholder(b, full_name(b, "CUSTOM"), type, shape.dims, shape.rank);
    lc_node *node = add_node(b, LC_OP_CUSTOM, LC_TABLE_NONE, NULL, inputs, n_in, &out, 1);
    if (!node) return -1;
    const char *name = lc_arena_strndup(&b->model->arena, code, strlen(code));
    char *copy = lc_arena_strndup(&b->model->arena, options, option_bytes);
    if (!name || !copy) return out_of_memory(b, "custom operator") ? 0 : -1;
    node->custom_code = lc_str_of(name);
    node->custom_options = (lc_vec_u8){(const uint8_t *)copy, option_bytes};
    if (b->built) b->built(b);
    return out;
}

bool lc_build_own(lc_builder *b, const lc_op_own *own, const void *options, uint32_t option_bytes, const int32_t *inputs, uint32_t n_in,
                  int32_t *outputs, uint32_t n_out) {
    for (uint32_t i = 0; i < n_out; i++) outputs[i] = -1;
    const char *name = full_name(b, own->name);
    for (uint32_t i = 0; i < n_out; i++) {
        outputs[i] = lc_build_placeholder(b, name, LC_FLOAT32, NULL, 0);
        if (outputs[i] >= 0) b->graph->tensors[outputs[i]].has_rank = false;
    }
    lc_node *node = add_node(b, LC_OP_CUSTOM, LC_TABLE_NONE, NULL, inputs, n_in, outputs, n_out);
    if (!node) return false;
    node->own = own;
    node->custom_code = lc_str_of(own->name);
    void *copy = option_bytes ? lc_arena_data(&b->model->arena, option_bytes) : NULL; /* aligned: it is read as a struct */
    if (option_bytes && !copy) return out_of_memory(b, "an operator's options");
    if (option_bytes) memcpy(copy, options, option_bytes);
    node->custom_options = (lc_vec_u8){copy, option_bytes};
    if (!lc_build_check(b, infer_node(b))) return false;
    if (b->built) b->built(b);
    return b->status == LC_OK;
}

int32_t lc_build_own_one(lc_builder *b, const lc_op_own *own, const void *options, uint32_t option_bytes, const int32_t *inputs,
                         uint32_t n_in) {
    int32_t out;
    return lc_build_own(b, own, options, option_bytes, inputs, n_in, &out, 1) ? out : -1;
}

static lc_table_id table_of(int32_t op) {
    const lc_op_def *def = lc_op_get(op);
    return def ? def->options : LC_TABLE_NONE;
}

int32_t lc_build_unary(lc_builder *b, int32_t op, int32_t x) { return lc_build_op(b, op, table_of(op), NULL, &x, 1); }

int32_t lc_build_binary(lc_builder *b, int32_t op, int32_t x, int32_t y, int8_t fused_activation) {
    const int32_t in[2] = {x, y};
    const lc_table_id table = table_of(op);
    void *attrs = NULL;
    if (fused_activation != LC_ActivationFunctionType_NONE && b->status == LC_OK && table != LC_TABLE_NONE) {
        if (!(attrs = default_attrs(b, table))) return -1;
        int8_t *act = lc_op_fused_act(&(lc_node){.op = op, .attrs_table = table, .attrs = attrs});
        if (!act) return lc_build_fail(b, LC_ARGUMENT, "%s has no fused activation", lc_op_name(op));
        *act = fused_activation;
    }
    return lc_build_op(b, op, table, attrs, in, 2);
}

int32_t lc_build_select(lc_builder *b, int32_t condition, int32_t yes, int32_t no) {
    int32_t in[3] = {condition, yes, no};
    return lc_build_op(b, LC_OP_SELECT_V2, LC_TABLE_SelectV2Options, NULL, in, 3);
}

int32_t lc_build_with_scalar(lc_builder *b, int32_t op, int32_t x, const char *name, float value) {
    return lc_build_binary(b, op, x, lc_build_scalar(b, name, value), LC_ActivationFunctionType_NONE);
}

int32_t lc_build_reshape(lc_builder *b, int32_t x, const int32_t *dims, int32_t rank) {
    int32_t shape = lc_build_ints(b, "shape", dims, (uint32_t)rank);
    const lc_tensor *t = lc_build_tensor(b, shape);
    if (!t) return -1;
    lc_ReshapeOptions o = {.new_shape = {t->data, (uint32_t)rank}};
    int32_t in[2] = {x, shape};
    return lc_build_op(b, LC_OP_RESHAPE, LC_TABLE_ReshapeOptions, &o, in, 2);
}

int32_t lc_build_transpose(lc_builder *b, int32_t x, const int32_t *perm, int32_t rank) {
    int32_t in[2] = {x, lc_build_ints(b, "perm", perm, (uint32_t)rank)};
    return lc_build_op(b, LC_OP_TRANSPOSE, LC_TABLE_TransposeOptions, NULL, in, 2);
}

int32_t lc_build_reduce(lc_builder *b, int32_t op, int32_t x, const int32_t *axes, uint32_t n, bool keep_dims) {
    int32_t in[2] = {x, lc_build_ints(b, "axes", axes, n)};
    lc_ReducerOptions o = {.keep_dims = keep_dims};
    return lc_build_op(b, op, LC_TABLE_ReducerOptions, &o, in, 2);
}

int32_t lc_build_cast(lc_builder *b, int32_t x, lc_dtype type) {
    lc_dtype from = lc_build_type(b, x);
    if (b->status != LC_OK || from == type) return x;
    lc_CastOptions o = {.in_data_type = (int8_t)from, .out_data_type = (int8_t)type};
    return lc_build_typed(b, LC_OP_CAST, LC_TABLE_CastOptions, &o, &x, 1, type);
}
