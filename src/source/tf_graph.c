/*
 * tf_graph.c: see tf_graph.h. What an output's type and shape are is read from the node's own attributes, by the names TensorFlow's
 * operators have for them; nothing is inferred.
 */
#include "source/tf_graph.h"

#include <string.h>

lc_status lc_tf_graph_init(lc_tf_graph_index *x, lc_pb_GraphDef *graph, lc_arena *arena, lc_error *err) {
    const uint32_t n = graph->node.n;
    uint64_t inputs = 0;
    for (uint32_t i = 0; i < n; i++) inputs += graph->node.data[i].input.n; /* sums of what is in memory */
    *x = (lc_tf_graph_index){.graph = graph, .node_count = n};
    x->positions = lc_arena_array(arena, (size_t)n + 1, sizeof *x->positions);
    x->first_edge = lc_arena_array(arena, (size_t)n + 1, sizeof *x->first_edge);
    x->edges = inputs < UINT32_MAX ? lc_arena_array(arena, (size_t)inputs + 1, sizeof *x->edges) : NULL;
    if (!x->positions || !x->first_edge || !x->edges || !lc_names_init(&x->names, arena, n)) return lc_fail_memory(err, "graph");
    for (uint32_t i = 0; i < n; i++) {
        const lc_str name = graph->node.data[i].name;
        const int32_t number = lc_names_add(&x->names, name.data ? name : LC_STR(""), NULL);
        if (number >= 0) x->positions[number] = (int32_t)i;
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const lc_pb_NodeDef *node = &graph->node.data[i];
        x->first_edge[i] = at;
        for (uint32_t k = 0; k < node->input.n; k++) {
            lc_str name;
            lc_tf_edge e;
            lc_tf_graph_ref(node->input.data[k], &name, &e.output);
            if (e.output < 0) continue;
            e.node = lc_tf_graph_find(x, name);
            if (e.node >= 0) x->edges[at++] = e;
        }
    }
    x->first_edge[n] = at;
    return LC_OK;
}

int32_t lc_tf_graph_find(const lc_tf_graph_index *x, lc_str name) {
    const int32_t number = name.data ? lc_names_find(&x->names, name) : -1;
    return number < 0 ? -1 : x->positions[number];
}

void lc_tf_graph_ref(lc_str text, lc_str *node, int32_t *output) {
    *node = text;
    *output = 0;
    if (text.size && text.data[0] == '^') {
        *node = (lc_str){text.data + 1, text.size - 1};
        *output = -1;
        return;
    }
    size_t digits = 0;
    while (digits < 9 && digits < text.size && text.data[text.size - 1 - digits] >= '0' && text.data[text.size - 1 - digits] <= '9')
        digits++;
    if (!digits || digits == text.size || text.data[text.size - 1 - digits] != ':') return;
    node->size = text.size - digits - 1;
    for (size_t i = node->size + 1; i < text.size; i++) *output = *output * 10 + (text.data[i] - '0');
}

void lc_tf_graph_mark(const lc_tf_graph_index *x, int32_t node, bool *seen, int32_t *stack) {
    if (seen[node]) return;
    uint32_t depth = 0;
    seen[node] = true;
    stack[depth++] = node;
    while (depth) {
        const int32_t at = stack[--depth];
        for (uint32_t e = x->first_edge[at]; e < x->first_edge[at + 1]; e++) {
            const int32_t below = x->edges[e].node;
            if (seen[below]) continue;
            seen[below] = true; /* each node is put on the stack once */
            stack[depth++] = below;
        }
    }
}

/* ---- attributes ---- */

const lc_pb_AttrValue *lc_tf_attribute(const lc_pb_NodeDef *node, const char *name) {
    for (uint32_t i = 0; i < node->attr.n; i++)
        if (lc_str_is(node->attr.data[i].key, name)) return node->attr.data[i].value;
    return NULL;
}

static lc_dtype listed_type(const lc_pb_AttrValue *a, int32_t output) {
    if (!a) return LC_DTYPE_COUNT;
    if (lc_pb_has(a, AttrValue, type)) return lc_pb_dtype(a->type);
    if (!a->list || output < 0 || (uint32_t)output >= a->list->type.n) return LC_DTYPE_COUNT;
    return lc_pb_dtype(a->list->type.data[output]);
}

lc_dtype lc_tf_output_type(const lc_pb_NodeDef *node, int32_t output) {
    /* Operators whose output is not of the type the attributes below give, and those whose type is always the same. */
    static const struct {
        const char *op, *attribute;
        int32_t output; /* -1: any */
        lc_dtype fixed; /* without the attribute */
    } special[] = {
        {"Cast", "DstT", -1, LC_DTYPE_COUNT},
        {"ArgMax", "output_type", -1, LC_INT64},
        {"ArgMin", "output_type", -1, LC_INT64},
        {"Shape", "out_type", -1, LC_INT32},
        {"Size", "out_type", -1, LC_INT32},
        {"Rank", NULL, -1, LC_INT32},
        {"Where", NULL, -1, LC_INT64},
        {"TopKV2", "index_type", 1, LC_INT32},
        {"TopK", NULL, 1, LC_INT32},
        {"Equal", NULL, -1, LC_BOOL},
        {"NotEqual", NULL, -1, LC_BOOL},
        {"Less", NULL, -1, LC_BOOL},
        {"LessEqual", NULL, -1, LC_BOOL},
        {"Greater", NULL, -1, LC_BOOL},
        {"GreaterEqual", NULL, -1, LC_BOOL},
        {"LogicalAnd", NULL, -1, LC_BOOL},
        {"LogicalOr", NULL, -1, LC_BOOL},
        {"LogicalNot", NULL, -1, LC_BOOL},
        {"IsNan", NULL, -1, LC_BOOL},
        {"IsInf", NULL, -1, LC_BOOL},
        {"IsFinite", NULL, -1, LC_BOOL},
        {"ResizeBilinear", NULL, -1, LC_FLOAT32},
        {"ResizeBicubic", NULL, -1, LC_FLOAT32},
        {"ResizeArea", NULL, -1, LC_FLOAT32},
        {"CropAndResize", NULL, -1, LC_FLOAT32},
        {"DecodeJpeg", NULL, -1, LC_UINT8},
        {"DecodePng", "dtype", -1, LC_UINT8},
        {"DecodeImage", "dtype", -1, LC_UINT8},
        {"DecodeBmp", NULL, -1, LC_UINT8},
        {"DecodeGif", NULL, -1, LC_UINT8},
        {"DecodeWav", NULL, 0, LC_FLOAT32},
        {"DecodeWav", NULL, 1, LC_INT32},
        {"AudioSpectrogram", NULL, -1, LC_FLOAT32},
        {"Mfcc", NULL, -1, LC_FLOAT32},
        {"Unique", "out_idx", 1, LC_INT32},
    };
    static const char *const names[] = {"T",    "dtype",  "Tparams",     "out_type", "output_types", "component_types",
                                        "Tout", "Tdense", "output_dtype"};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (!lc_str_is(node->op, special[i].op) || (special[i].output >= 0 && special[i].output != output)) continue;
        const lc_pb_AttrValue *a = special[i].attribute ? lc_tf_attribute(node, special[i].attribute) : NULL;
        return a ? lc_pb_dtype(a->type) : special[i].fixed;
    }
    /* A call's outputs have their own list; T of IdentityN and the like is one too. */
    const lc_pb_AttrValue *called = lc_tf_attribute(node, "Tout");
    if (called && called->list) return listed_type(called, output);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const lc_dtype type = listed_type(lc_tf_attribute(node, names[i]), output);
        if (type != LC_DTYPE_COUNT) return type;
    }
    return LC_DTYPE_COUNT;
}

lc_status lc_tf_shape_of(const lc_pb_TensorShapeProto *proto, lc_shape *shape, lc_error *err) {
    *shape = (lc_shape){.rank = LC_RANK_UNKNOWN};
    if (!proto || proto->unknown_rank) return LC_OK;
    if (proto->dim.n > LC_MAX_RANK)
        return lc_fail(err, LC_UNSUPPORTED, "a shape has %u dimensions, at most %d can be run", proto->dim.n, LC_MAX_RANK);
    shape->rank = (int32_t)proto->dim.n;
    for (int32_t d = 0; d < shape->rank; d++) {
        const int64_t size = proto->dim.data[d].size;
        if (size > INT32_MAX) return lc_fail(err, LC_LIMIT, "a shape has a dimension of %lld", (long long)size);
        shape->dims[d] = size < 0 ? -1 : (int32_t)size;
    }
    return LC_OK;
}

lc_status lc_tf_output_shape(const lc_pb_NodeDef *node, int32_t output, lc_shape *shape, lc_error *err) {
    static const char *const lists[] = {"_output_shapes", "output_shapes", "shapes"};
    const lc_pb_AttrValue *one = lc_tf_attribute(node, "shape");
    *shape = (lc_shape){.rank = LC_RANK_UNKNOWN};
    if (one && one->shape && output == 0) LC_TRY(lc_tf_shape_of(one->shape, shape, err));
    for (size_t i = 0; i < sizeof lists / sizeof *lists && shape->rank == LC_RANK_UNKNOWN; i++) {
        const lc_pb_AttrValue *a = lc_tf_attribute(node, lists[i]);
        if (a && a->list && output >= 0 && (uint32_t)output < a->list->shape.n)
            LC_TRY(lc_tf_shape_of(&a->list->shape.data[output], shape, err));
    }
    /* Placeholders of GraphDef versions before 24 have an empty shape for one that is not known. */
    return LC_OK;
}

bool lc_tf_is_placeholder(const lc_pb_NodeDef *node) { return lc_str_is(node->op, "Placeholder") || lc_str_is(node->op, "PlaceholderV2"); }

bool lc_tf_is_feed(const lc_pb_NodeDef *node) {
    static const char *const ops[] = {
        "IteratorGetNext",  "IteratorGetNextSync", "QueueDequeue", "QueueDequeueV2", "QueueDequeueMany", "QueueDequeueManyV2",
        "QueueDequeueUpTo", "QueueDequeueUpToV2",  "ReaderRead",   "ReaderReadV2",   "Unstage",          "OneShotIterator",
        "InfeedDequeue",    "InfeedDequeueTuple",  "_Arg"};
    if (lc_tf_is_placeholder(node)) return true;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (lc_str_is(node->op, ops[i])) return true;
    return false;
}
