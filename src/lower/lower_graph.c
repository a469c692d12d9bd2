/*
 * lower_graph.c: a layer that is a graph (graph_layer.h): its operators are copied into the graph that is being built. Shapes are worked out anew,
 * so that they follow the batch; weights are constants, or inputs where they are trained.
 *
 * A file may fix its batch (1, as a rule). Operators whose shape is a constant then name it, too: it is put right in RESHAPE, SLICE,
 * STRIDED_SLICE, BROADCAST_TO and transposed convolutions where the first dimension of what goes in and of what comes out is that batch. What
 * does not fit after that is refused, by the operator.
 */
#include "lower/graph_layer.h"

#include "ir/constant.h"
#include "lower/eager.h"
#include "lower/tf_array.h"
#include "lower/tf_nn.h"
#include "lower/training.h"

#include <string.h>

typedef struct copying {
    lc_call *c;
    const lc_graph_layer *g;
    int32_t *map;       /* [tensors] here; -1: not made yet */
    const char *around; /* name of the model that the layer is in, with a slash; "" */
    const char *learns; /* [weight_count] '1' or '0'; NULL: all that can */
} copying;

const char *lc_graph_layer_learning(const lc_json *config, uint32_t weight_count) {
    const char *text = lc_json_str(config, "learns", NULL);
    return text && strlen(text) == weight_count ? text : NULL;
}

/* ---- constants and weights ------------------------------------------------------------------------------------------------- */

static const char *keep(lc_call *c, const char *around, lc_str name) {
    const char *text =
        lc_arena_printf(&c->b->model->arena, "%.200s%.*s", around, (int)(name.size < 400 ? name.size : 400), name.data ? name.data : "");
    if (!text) lc_build_check(c->b, lc_fail_memory(c->b->err, "a name"));
    return text ? text : "";
}

static int32_t weight(const copying *k, int32_t index) {
    lc_call *c = k->c;
    const lc_keras_weight *expected = &k->g->weights[index];
    const lc_keras_weight *w = lc_weight(c, (uint32_t)index, expected->name, expected->dims, expected->rank);
    if (!w) return -1;
    const char *name = keep(c, k->around, lc_str_of(expected->name));
    const bool learns = k->g->learns[index] && (!k->learns || k->learns[index] == '1');
    int32_t t;
    if (lc_trains(c) && (learns || c->lower->options->training->everything)) {
        t = lc_training_input(c, w, expected->name, learns);
        lc_training *training = c->lower->options->training;
        for (uint32_t i = 0; t >= 0 && i < training->count; i++)
            if (training->list[i].tensor == t) training->list[i].name = name;
    } else if (w->type == LC_FLOAT32 && (uintptr_t)w->data % sizeof(float) == 0) {
        t = lc_build_const(c->b, expected->name, LC_FLOAT32, w->dims, w->rank, w->data, w->size, false);
    } else { /* of a file of weights that is only looked at */
        const size_t n = expected->size / sizeof(float);
        float *data = lc_build_data(c->b, expected->size);
        if (data) lc_floats_load(w->type, w->data, 0, n, data);
        t = lc_build_const(c->b, expected->name, LC_FLOAT32, w->dims, w->rank, data, expected->size, true);
    }
    if (t >= 0) lc_build_rename(c->b, t, name);
    return t;
}

static int32_t constant(const copying *k, int32_t tensor) {
    lc_call *c = k->c;
    const lc_tensor *t = &k->g->graph->tensors[tensor];
    if (!t->data) /* an input that its signature leaves out */
        return lc_build_fail(c->b, LC_INVALID, "tensor \"%.*s\" has no value", (int)(t->name.size < 200 ? t->name.size : 200),
                             t->name.data);
    const int32_t at = lc_build_const(c->b, "constant", t->type, t->dims, t->rank, t->data, t->size, false);
    lc_build_rename(c->b, at, keep(c, k->around, t->name));
    return at;
}

static int32_t value(const copying *k, int32_t tensor) {
    if (tensor == LC_ABSENT) return LC_ABSENT;
    if (k->map[tensor] < 0) k->map[tensor] = k->g->weight_of[tensor] >= 0 ? weight(k, k->g->weight_of[tensor]) : constant(k, tensor);
    return k->map[tensor];
}

/* ---- options --------------------------------------------------------------------------------------------------------------- */

/* n items of the source's memory in ours. */
static bool own(lc_call *c, const void **data, size_t size) {
    if (!*data) return true;
    void *copy = lc_arena_data(&c->b->model->arena, size ? size : 1);
    if (copy && size) memcpy(copy, *data, size);
    *data = copy;
    return copy || lc_build_check(c->b, lc_fail_memory(c->b->err, "operator options"));
}

/* The operator's options, with all they point at: the model that is built outlives the source. */
static void *options_of(lc_call *c, const lc_node *node) {
    if (!node->attrs || node->attrs_table == LC_TABLE_NONE || c->b->status != LC_OK) return NULL;
    const size_t size = lc_schema_tables[node->attrs_table].size;
    char *attrs = lc_arena_data(&c->b->model->arena, size);
    if (!attrs) return lc_build_check(c->b, lc_fail_memory(c->b->err, "operator options")) ? NULL : NULL;
    memcpy(attrs, node->attrs, size);
    const lc_field *f = lc_table_fields(node->attrs_table), *end = f + lc_schema_tables[node->attrs_table].field_count;
    for (; f < end; f++) {
        size_t item = 0;
        if (f->kind == LC_KIND_vec_bool || f->kind == LC_KIND_vec_u8) item = 1;
        else if (f->kind == LC_KIND_vec_u16) item = 2;
        else if (f->kind == LC_KIND_vec_i32 || f->kind == LC_KIND_vec_f32 || f->kind == LC_KIND_vec_enum_u32) item = 4;
        else if (f->kind == LC_KIND_vec_i64) item = 8;
        lc_vec *vec = (lc_vec *)(void *)(attrs + f->offset);
        lc_str *text = (lc_str *)(void *)(attrs + f->offset);
        if (item && !own(c, &vec->data, vec->n * item)) return NULL;
        if (f->kind == LC_KIND_str && text->data) {
            const void *data = text->data;
            if (!own(c, &data, text->size)) return NULL;
            text->data = data;
        }
        if (f->kind == LC_KIND_table || f->kind == LC_KIND_union || f->kind == LC_KIND_vec_table || f->kind == LC_KIND_vec_u8_a16) {
            lc_build_fail(c->b, LC_UNSUPPORTED, "litec does not train with it");
            return NULL;
        }
    }
    return attrs;
}

/* ---- a batch that the file fixes ---------------------------------------------------------------------------------------------- */

/* Operators whose output's shape is an input: which one, and which one goes in. */
static const struct {
    int32_t op;
    uint32_t shape, from;
} shapes[] = {
    {LC_OP_RESHAPE, 1, 0}, {LC_OP_BROADCAST_TO, 1, 0}, {LC_OP_TRANSPOSE_CONV, 0, 2}, {LC_OP_CONV_3D_TRANSPOSE, 0, 2}, {LC_OP_SLICE, 2, 0}};

static bool has_batch(const copying *k, int32_t tensor) {
    const lc_tensor *t = tensor == LC_ABSENT ? NULL : &k->g->graph->tensors[tensor];
    return t && t->rank > 0 && t->rank <= LC_MAX_RANK && t->dims[0] == k->g->batch && k->g->from_data[tensor];
}

/* Element 0 of a constant int32 vector is this number. */
static bool begins_with(const copying *k, int32_t tensor, int32_t number) {
    const lc_tensor *t = tensor == LC_ABSENT ? NULL : &k->g->graph->tensors[tensor];
    int32_t first;
    if (!t || t->type != LC_INT32 || t->size < sizeof first || !t->data) return false;
    return memcpy(&first, t->data, sizeof first), first == number;
}

/* The shape [open, ...] of this tensor: first is -1, or the size that `x` has there. */
static int32_t batch_shape(const copying *k, int32_t tensor, int32_t x) {
    lc_call *c = k->c;
    const lc_tensor *t = &k->g->graph->tensors[tensor];
    if (x < 0) {
        int32_t dims[LC_MAX_RANK];
        for (int32_t d = 0; d < t->rank; d++) dims[d] = d ? t->dims[d] : -1;
        return lc_build_ints(c->b, "shape", dims, (uint32_t)t->rank);
    }
    lc_tf_call *m = lc_eager_maker(c);
    int32_t parts[2] = {lc_tf_size(m, x, 0), -1};
    if (t->rank == 1) return parts[0];
    parts[1] = lc_build_ints(c->b, "shape", t->dims + 1, (uint32_t)t->rank - 1);
    return lc_tf_concat(m, parts, 2, 0);
}

/* Puts inputs and options right; they are copies. */
static void mend(const copying *k, const lc_node *node, int32_t *in, void *attrs) {
    const int32_t out = node->output_count ? node->outputs[0] : LC_ABSENT;
    if (!k->g->batch || !has_batch(k, out)) return;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const uint32_t at = shapes[i].shape;
        if (node->op != shapes[i].op || shapes[i].from >= node->input_count || !has_batch(k, node->inputs[shapes[i].from])) continue;
        if (at >= node->input_count || node->inputs[at] == LC_ABSENT || !lc_tensor_is_const(&k->g->graph->tensors[node->inputs[at]]))
            continue;
        if (node->op == LC_OP_SLICE && !begins_with(k, node->inputs[1], 0)) continue;
        const bool any = node->op == LC_OP_RESHAPE || node->op == LC_OP_SLICE;
        in[at] = batch_shape(k, out, any ? -1 : in[shapes[i].from]);
    }
    if (node->op == LC_OP_STRIDED_SLICE && attrs && node->input_count == 4 && has_batch(k, node->inputs[0])) {
        lc_StridedSliceOptions *o = attrs;
        const bool plain = !o->ellipsis_mask && !((o->new_axis_mask | o->shrink_axis_mask) & 1);
        if (plain && begins_with(k, node->inputs[3], 1) && ((o->begin_mask & 1) || begins_with(k, node->inputs[1], 0))) o->end_mask |= 1;
    }
    if (node->op == LC_OP_RESHAPE && attrs) ((lc_ReshapeOptions *)attrs)->new_shape = (lc_vec_i32){0};
}

/* ---- operators --------------------------------------------------------------------------------------------------------------- */

static void copy_node(const copying *k, const lc_node *node) {
    lc_call *c = k->c;
    const lc_graph *from = k->g->graph;
    int32_t *in = lc_arena_array(&c->lower->scratch, node->input_count + 2u, sizeof *in),
            *out = lc_arena_array(&c->lower->scratch, node->output_count + 1u, sizeof *out);
    lc_build_output *declared = lc_arena_array(&c->lower->scratch, node->output_count + 1u, sizeof *declared);
    if (!in || !out || !declared) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "an operator"));
        return;
    }
    const lc_tensor *first = node->output_count ? &from->tensors[node->outputs[0]] : NULL;
    c->b->layer = keep(c, k->around, node->layer ? lc_str_of(node->layer) : first ? first->name : (lc_str){0});
    c->b->kind = lc_op_name(node->op);
    for (uint32_t i = 0; i < node->input_count; i++) in[i] = value(k, node->inputs[i]);
    for (uint32_t i = 0; i < node->output_count; i++) declared[i].type = from->tensors[node->outputs[i]].type;
    void *attrs = options_of(c, node);
    if (c->b->status == LC_OK) mend(k, node, in, attrs);
    if (!lc_build_op_declared(c->b, node->op, node->attrs_table, attrs, in, node->input_count, declared, out, node->output_count)) return;
    for (uint32_t i = 0; i < node->output_count; i++) {
        k->map[node->outputs[i]] = out[i];
        lc_build_rename(c->b, out[i], keep(c, k->around, from->tensors[node->outputs[i]].name));
    }
}

/* What is given for input i, which the graph declares so. */
static bool fits(const copying *k, uint32_t i) {
    lc_call *c = k->c;
    const lc_tensor *wanted = &k->g->graph->tensors[k->g->inputs[i]];
    lc_shape given;
    if (!lc_build_shape(c->b, c->in[i], &given)) return false;
    bool same = given.rank == wanted->rank;
    for (int32_t d = 1; same && d < given.rank; d++)
        same = given.dims[d] < 0 || lc_tensor_dim(wanted, d) < 0 || given.dims[d] == lc_tensor_dim(wanted, d);
    if (same && lc_build_type(c->b, c->in[i]) == wanted->type) return true;
    lc_shape all = {.rank = wanted->rank};
    for (int32_t d = 0; d < all.rank; d++) all.dims[d] = d ? lc_tensor_dim(wanted, d) : -1;
    char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
    lc_build_fail(c->b, LC_INVALID, "its input \"%.100s\" is %s %s, the graph takes %s %s", k->g->input_names[i],
                  lc_dtype_name(lc_build_type(c->b, c->in[i])), lc_shape_text(&given, a), lc_dtype_name(wanted->type),
                  lc_shape_text(&all, b));
    return false;
}

/* An output that had the file's batch has the one that is given. */
static void check_batch(const copying *k, int32_t tensor) {
    lc_call *c = k->c;
    lc_shape in, out;
    if (!k->g->batch || !has_batch(k, tensor)) return;
    if (!lc_build_shape(c->b, c->in[0], &in) || !lc_build_shape(c->b, k->map[tensor], &out) || in.dims[0] < 0) return;
    if (out.rank > 0 && (out.dims[0] == in.dims[0] || out.dims[0] < 0)) return;
    const lc_str name = k->g->graph->tensors[tensor].name;
    lc_build_fail(c->b, LC_UNSUPPORTED, "its output \"%.*s\" has no row a sample", (int)(name.size < 100 ? name.size : 100), name.data);
}

static int32_t lower_graph(lc_call *c) {
    const lc_graph_layer *g = c->layer->graph;
    const char *layer = c->b->layer, *kind = c->b->kind, *end = layer ? strrchr(layer, '/') : NULL;
    copying k = {.c = c, .g = g, .learns = lc_graph_layer_learning(c->config, g->weight_count)};
    lc_opt_known(c, "graph learns");
    if (c->lower->options->rounding) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "quantisation-aware training does not reach into a graph that was read from a file");
        return lc_build_hint(c->b, "train it as it is, and quantise what lc_net_convert gives (lc_quantize, litec quantize)");
    }
    if (c->in_count != g->input_count)
        return lc_build_fail(c->b, LC_INVALID, "it is called with %u tensors, the graph has %u inputs", c->in_count, g->input_count);
    c->lower->calls += g->graph->node_count;
    if (c->lower->calls > c->lower->budget.limits.max_nodes)
        return lc_build_fail(c->b, LC_LIMIT, "the model has more than %u operators (limit max_nodes)", c->lower->budget.limits.max_nodes);
    if (!lc_weights(c, g->weight_count, "those of the graph")) return -1;
    k.map = lc_arena_array(&c->lower->scratch, g->graph->tensor_count + 1, sizeof *k.map);
    char *around = lc_arena_strndup(&c->lower->scratch, layer ? layer : "", end ? (size_t)(end - layer) + 1 : 0);
    if (!k.map || !around) return lc_build_check(c->b, lc_fail_memory(c->b->err, "a graph")) ? -1 : -1;
    k.around = around;
    for (size_t i = 0; i < g->graph->tensor_count; i++) k.map[i] = -1;
    for (uint32_t i = 0; i < g->input_count; i++) {
        if (!fits(&k, i)) return -1;
        k.map[g->inputs[i]] = c->in[i];
    }
    for (size_t i = 0; i < g->graph->node_count && c->b->status == LC_OK; i++) copy_node(&k, &g->graph->nodes[i]);
    for (uint32_t i = 0; i < g->output_count && c->b->status == LC_OK; i++) check_batch(&k, g->outputs[i]);
    if (c->b->status != LC_OK && g->batch && c->b->status != LC_NO_MEMORY)
        lc_build_hint(c->b, "the file fixes its batch at %d and cannot be run with another: export it with an open first dimension (None)",
                      g->batch);
    c->b->layer = layer;
    c->b->kind = kind;
    for (uint32_t i = 1; i < g->output_count; i++) lc_call_give(c, i, value(&k, g->outputs[i]));
    return g->output_count ? value(&k, g->outputs[0]) : lc_build_fail(c->b, LC_INVALID, "it has no outputs");
}

const lc_lower_row *lc_lower_graph_row(void) {
    static const lc_lower_row row = {LC_GRAPH_LAYER_NAME, lower_graph, 1, -1, false, LC_MASK_DROP};
    return &row;
}
