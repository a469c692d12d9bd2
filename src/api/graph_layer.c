/*
 * graph_layer.c: from a model to a layer that is trained (lower/graph_layer.h). The model's main graph is copied, with its constants borrowed:
 *
 *   1. what a graph may not have is refused by name: control flow, states, operators nobody knows the gradient or the shape of, integer activations
 *   2. DEQUANTIZE, DENSIFY and CAST of constants become constants of float32; so do weights that are quantised by themselves (dynamic range)
 *   3. which constants are weights. In a model that says so (lc_tensor.is_weight: variables of TensorFlow) those; else floats of at least one
 *      dimension that an operator with learnable operands reads: kernels and biases, and what ADD and MUL take beside data; but for vectors of
 *      zeros, which are the biases of layers that have none
 *   4. which weights learn: those that meet data in such an operator. What meets constants alone first (the statistics, scale and offset of a batch
 *      normalisation that the file works out) is a variable, but stays as it is
 */
#include "api/api.h"
#include "api/net_graph.h"

#include "ir/constant.h"
#include "ir/sparse.h"
#include "lower/keras_place.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

typedef struct making {
    lc_graph_layer *g;
    lc_model *m;
    lc_graph *graph;
    bool stated; /* the model says which tensors are weights */
    bool named;  /* and their names are those they have already */
    lc_error *err;
} making;

void lc_graph_layer_drop(lc_graph_layer *g) {
    if (!g || __atomic_sub_fetch(&g->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    lc_model_destroy(g->model);
    lc_free(g);
}

static int name_size(lc_str name) { return (int)(name.size < 200 ? name.size : 200); }
#define NAME(s) name_size(s), (s).data ? (s).data : ""

/* ---- 1: what is refused ---------------------------------------------------------------------------------------------------- */

static lc_status refuse(const making *m, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));
static lc_status refuse(const making *m, const char *hint, const char *format, ...) {
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lc_fail(m->err, LC_UNSUPPORTED, "%s", text);
    lc_error_hint(m->err, "%s", hint);
    return LC_UNSUPPORTED;
}

static const char only_features[] = "it can give features to a head that trains (lc_features_of_model), and be converted";

static lc_status check_node(const making *m, const lc_node *n) {
    const lc_op_def *def = lc_op_get(n->op);
    const lc_str name = n->output_count ? m->graph->tensors[n->outputs[0]].name : (lc_str){0};
    if (n->op == LC_OP_CUSTOM || !def)
        return refuse(m, only_features, "operator %.*s of the file is custom: litec cannot train on with it", NAME(n->custom_code));
    if (def->flags & (LC_OPF_CALLS | LC_OPF_SIDE_EFFECT))
        return refuse(m, only_features, "operator %s \"%.*s\" has %s: litec cannot train on with it", lc_op_name(n->op), NAME(name),
                      def->flags & LC_OPF_CALLS ? "other graphs in it" : "a state or an effect");
    for (uint32_t i = 0; i < n->input_count; i++) {
        const lc_tensor *t = n->inputs[i] == LC_ABSENT ? NULL : &m->graph->tensors[n->inputs[i]];
        if (t && (t->is_variable || t->type == LC_RESOURCE || t->type == LC_VARIANT))
            return refuse(m, only_features, "operator %s \"%.*s\" keeps a state: litec cannot train on with it", lc_op_name(n->op),
                          NAME(name));
    }
    return LC_OK;
}

static bool quantised(const lc_tensor *t) { return t->quant && t->quant->scale.n > 0 && t->type != LC_FLOAT32; }

static lc_status check_graph(const making *m) {
    for (size_t i = 0; i < m->graph->node_count; i++) {
        const lc_node *n = &m->graph->nodes[i];
        if (n->op == LC_NODE_DEAD) continue;
        LC_TRY(check_node(m, n));
        for (uint32_t k = 0; k < n->output_count; k++) {
            const lc_tensor *t = &m->graph->tensors[n->outputs[k]];
            if (quantised(t) && !lc_tensor_is_const(t))
                return refuse(
                    m,
                    "train the float model this one was made from; for an integer model train with lc_net_quantize_aware, or quantise "
                    "what was trained",
                    "it is an integer model: tensor \"%.*s\" is %s", NAME(t->name), lc_dtype_name(t->type));
        }
    }
    return LC_OK;
}

/* ---- 2: constants of float32 --------------------------------------------------------------------------------------------------- */

static bool is_real(lc_dtype type) { return type == LC_FLOAT32 || type == LC_FLOAT16 || type == LC_BFLOAT16 || type == LC_FLOAT64; }

/* The scale of element i of a tensor that is quantised along an axis; the whole numbers before it count from *zero. */
static float step_of(const lc_tensor *t, size_t inner, size_t axis_size, size_t i, int64_t *zero) {
    const lc_QuantizationParameters *q = t->quant;
    const size_t k = q->scale.n == 1 || !inner || !axis_size ? 0 : i / inner % axis_size;
    *zero = k < q->zero_point.n ? q->zero_point.data[k] : q->zero_point.n == 1 ? q->zero_point.data[0] : 0;
    return q->scale.data[k < q->scale.n ? k : 0];
}

/* A block of float32 that has the constant's n numbers. */
static lc_status floats_of(const making *m, lc_tensor *t, uint64_t *n_out, float **block) {
    uint64_t n;
    if (t->sparsity) LC_TRY(lc_tensor_densify(m->m, t, m->err));
    if (!lc_tensor_elements(t, &n) || n > INT32_MAX) return lc_fail(m->err, LC_INVALID, "constant \"%.*s\" is too large", NAME(t->name));
    const void *data = t->sparsity ? t->dense : t->data;
    float *out = *block = lc_arena_data(&m->m->arena, (n ? (size_t)n : 1) * sizeof *out);
    *n_out = n;
    if (!out) return lc_fail_memory(m->err, "weights");
    if (!quantised(t) && is_real(t->type)) return lc_floats_load(t->type, data, 0, (size_t)n, out), LC_OK;
    size_t inner = 1, axis_size = 0;
    const int32_t axis = t->quant ? t->quant->quantized_dimension : 0;
    if (quantised(t) && axis >= 0 && axis < t->rank) {
        axis_size = (size_t)t->dims[axis];
        for (int32_t d = axis + 1; d < t->rank; d++) inner *= (size_t)t->dims[d];
    }
    for (size_t i = 0; i < n; i++) {
        double v;
        int64_t zero = 0;
        if (!quantised(t) || !lc_reals_load(t->type, data, i, 1, &v))
            return lc_fail(m->err, LC_UNSUPPORTED, "constant \"%.*s\" is %s", NAME(t->name), lc_dtype_name(t->type));
        const float step = step_of(t, inner, axis_size, i, &zero);
        out[i] = (float)((v - (double)zero) * (double)step);
    }
    return LC_OK;
}

static lc_status become_floats(const making *m, lc_tensor *from, lc_tensor *to) {
    float *data;
    uint64_t n;
    LC_TRY(floats_of(m, from, &n, &data));
    to->type = LC_FLOAT32;
    to->data = data;
    to->deferred = NULL;
    to->size = (size_t)n * sizeof *data;
    to->quant = NULL;
    to->sparsity = NULL;
    to->dense = NULL;
    to->data_owned = true;
    return LC_OK;
}

/* An operator whose result is the constant it reads, as floats. */
static lc_status fold(const making *m, lc_node *n) {
    static const int32_t folded[] = {LC_OP_DEQUANTIZE, LC_OP_DENSIFY, LC_OP_CAST};
    bool one = false;
    for (size_t i = 0; i < sizeof folded / sizeof *folded; i++) one |= n->op == folded[i];
    if (!one || n->input_count != 1 || n->output_count != 1 || n->inputs[0] == LC_ABSENT) return LC_OK;
    lc_tensor *from = &m->graph->tensors[n->inputs[0]], *to = &m->graph->tensors[n->outputs[0]];
    if (!lc_tensor_is_const(from) || (n->op == LC_OP_CAST && !(is_real(from->type) && to->type == LC_FLOAT32))) return LC_OK;
    if (n->op == LC_OP_DENSIFY && !is_real(from->type) && !quantised(from)) return LC_OK;
    to->dims = from->dims;
    to->rank = from->rank;
    to->signature = NULL;
    to->has_rank = true;
    to->name = from->name;
    to->is_weight = from->is_weight;
    LC_TRY(become_floats(m, from, to));
    n->op = LC_NODE_DEAD;
    return LC_OK;
}

static lc_status make_floats(const making *m) {
    for (size_t i = 0; i < m->graph->tensor_count; i++) {
        lc_tensor *t = &m->graph->tensors[i];
        if (t->deferred) LC_TRY(lc_tensor_make(m->m, t, m->err));
        t->deferred = NULL;
    }
    for (size_t i = 0; i < m->graph->node_count; i++)
        if (m->graph->nodes[i].op != LC_NODE_DEAD) LC_TRY(fold(m, &m->graph->nodes[i]));
    for (size_t i = 0; i < m->graph->tensor_count; i++) {
        lc_tensor *t = &m->graph->tensors[i];
        if (lc_tensor_is_const(t) && (quantised(t) || (t->sparsity && is_real(t->type)))) LC_TRY(become_floats(m, t, t));
        if (!lc_tensor_is_const(t) || !t->sparsity) continue;
        LC_TRY(lc_tensor_densify(m->m, t, m->err));
        uint64_t n, bytes;
        if (!lc_tensor_elements(t, &n) || !lc_dtype_bytes(t->type, n, &bytes))
            return lc_fail(m->err, LC_INVALID, "constant \"%.*s\" is too large", NAME(t->name));
        t->data = t->dense;
        t->size = (size_t)bytes;
        t->sparsity = NULL;
    }
    return LC_OK;
}

/* ---- 3, 4: weights -------------------------------------------------------------------------------------------------------------- */

/* Operators with operands that learn: bit i: input i. */
static const struct {
    int32_t op;
    uint32_t inputs;
} learners[] = {{LC_OP_CONV_2D, 6},
                {LC_OP_DEPTHWISE_CONV_2D, 6},
                {LC_OP_TRANSPOSE_CONV, 10},
                {LC_OP_CONV_3D, 6},
                {LC_OP_CONV_3D_TRANSPOSE, 10},
                {LC_OP_FULLY_CONNECTED, 6},
                {LC_OP_BATCH_MATMUL, 3},
                {LC_OP_GATHER, 1},
                {LC_OP_EMBEDDING_LOOKUP, 2},
                {LC_OP_PRELU, 2},
                {LC_OP_ADD, 3},
                {LC_OP_MUL, 3}};
/* Operators that only bring a weight into another form. */
static const int32_t formers[] = {LC_OP_TRANSPOSE, LC_OP_RESHAPE,    LC_OP_SQUEEZE,       LC_OP_EXPAND_DIMS, LC_OP_SPLIT,
                                  LC_OP_SPLIT_V,   LC_OP_SLICE,      LC_OP_STRIDED_SLICE, LC_OP_PACK,        LC_OP_CONCATENATION,
                                  LC_OP_DILATE,    LC_OP_REVERSE_V2, LC_OP_BROADCAST_TO};

static bool learns_at(const lc_node *n, uint32_t input) {
    for (size_t i = 0; i < sizeof learners / sizeof *learners; i++)
        if (n->op == learners[i].op) return input < 32 && (learners[i].inputs >> input & 1);
    return false;
}

static bool forms(const lc_node *n) {
    for (size_t i = 0; i < sizeof formers / sizeof *formers; i++)
        if (n->op == formers[i]) return true;
    return false;
}

static void find_data(const making *m) {
    lc_graph_layer *g = m->g;
    for (uint32_t i = 0; i < g->input_count; i++) g->from_data[g->inputs[i]] = true;
    for (size_t i = 0; i < m->graph->node_count; i++) {
        const lc_node *n = &m->graph->nodes[i];
        bool any = false;
        if (n->op == LC_NODE_DEAD || n->op == LC_OP_SHAPE || n->op == LC_OP_RANK) continue;
        for (uint32_t k = 0; k < n->input_count; k++) any |= n->inputs[k] != LC_ABSENT && g->from_data[n->inputs[k]];
        for (uint32_t k = 0; any && k < n->output_count; k++) g->from_data[n->outputs[k]] = true;
    }
}

/* use[t]: 2: t meets data where an operator learns; 1: it is read at all. From the end to the start. */
static void find_uses(const making *m, uint8_t *use) {
    const lc_graph_layer *g = m->g;
    for (uint32_t i = 0; i < g->output_count; i++) use[g->outputs[i]] |= 1;
    for (size_t i = m->graph->node_count; i-- > 0;) {
        const lc_node *n = &m->graph->nodes[i];
        uint8_t out = 0;
        bool data = false;
        if (n->op == LC_NODE_DEAD) continue;
        for (uint32_t k = 0; k < n->output_count; k++) {
            out |= use[n->outputs[k]];
            data |= g->from_data[n->outputs[k]];
        }
        for (uint32_t k = 0; out && k < n->input_count; k++) {
            if (n->inputs[k] == LC_ABSENT) continue;
            use[n->inputs[k]] |= 1;
            if ((data && learns_at(n, k)) || (!data && forms(n) && (out & 2))) use[n->inputs[k]] |= 2;
        }
    }
}

/* A vector of zeros: the bias that a converter gives a layer without one; several layers have the same. */
static bool is_no_bias(const lc_tensor *t) {
    bool zero = t->rank == 1;
    for (size_t i = 0; zero && i < t->size / sizeof(float); i++) zero = ((const float *)t->data)[i] == 0;
    return zero;
}

static bool is_weight(const making *m, const lc_tensor *t, uint8_t use) {
    if (!lc_tensor_is_const(t) || t->type != LC_FLOAT32 || t->rank < 1 || t->rank > LC_MAX_RANK || !t->size) return false;
    return m->stated ? t->is_weight && use : (use & 2) && !is_no_bias(t);
}

/* A name that no weight before has, in the arena. */
static lc_status unique(const making *m, lc_keras_names *names, lc_str wanted, const char **out) {
    lc_keras_name *base, *found;
    const size_t most = m->named ? 200 : 150;
    const int size = wanted.data && wanted.size ? (int)(wanted.size < most ? wanted.size : most) : 6;
    const char *first = lc_arena_printf(&m->m->arena, "%.*s", size, wanted.data && wanted.size ? wanted.data : "weight"), *name = first;
    if (!first) return lc_fail_memory(m->err, "a name");
    LC_TRY(lc_keras_names_get(names, first, &base, m->err));
    for (found = base; found->layers; name = lc_arena_printf(&m->m->arena, "%s_%u", first, ++base->number)) {
        if (!name) return lc_fail_memory(m->err, "a name");
        if (name != first) LC_TRY(lc_keras_names_get(names, name, &found, m->err));
        if (!found->layers) break;
    }
    if (!name) return lc_fail_memory(m->err, "a name");
    found->layers = 1; /* taken */
    *out = name;
    return LC_OK;
}

static lc_status find_weights(const making *m) {
    lc_graph_layer *g = m->g;
    const size_t n = m->graph->tensor_count;
    uint8_t *use = lc_arena_array(&m->m->arena, n + 1, 1);
    uint32_t count = 0;
    lc_keras_names names;
    if (!use) return lc_fail_memory(m->err, "weights");
    find_data(m);
    find_uses(m, use);
    for (size_t i = 0; i < n; i++) count += is_weight(m, &m->graph->tensors[i], use[i]);
    g->weights = lc_arena_array(&m->m->arena, (size_t)count + 1, sizeof *g->weights);
    g->learns = lc_arena_array(&m->m->arena, (size_t)count + 1, sizeof *g->learns);
    if (!g->weights || !g->learns) return lc_fail_memory(m->err, "weights");
    LC_TRY(lc_keras_names_init(&names, &m->m->arena, count, m->err));
    for (size_t i = 0; i < n; i++) {
        const lc_tensor *t = &m->graph->tensors[i];
        g->weight_of[i] = -1;
        if (!is_weight(m, t, use[i])) continue;
        lc_keras_weight *w = &g->weights[g->weight_count];
        *w = (lc_keras_weight){.type = LC_FLOAT32, .rank = t->rank, .data = t->data, .size = t->size};
        LC_TRY(unique(m, &names, t->name, &w->name));
        for (int32_t d = 0; d < t->rank; d++) w->dims[d] = t->dims[d];
        g->learns[g->weight_count] = use[i] & 2;
        g->weight_of[i] = (int32_t)g->weight_count++;
    }
    return LC_OK;
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------------ */

/* "serving_default" of "serving_default:0", as a name of a layer: it has no slash. */
static const char *port_name(const making *m, lc_str name) {
    size_t n = name.size < 100 ? name.size : 100;
    if (n > 2 && memcmp(name.data + n - 2, ":0", 2) == 0) n -= 2;
    char *copy = lc_arena_strndup(&m->m->arena, n ? name.data : "x", n ? n : 1);
    for (char *c = copy; c && *c; c++)
        if (*c == '/' || *c == ';') *c = '_';
    return copy;
}

static lc_status find_ends(const making *m) {
    lc_graph_layer *g = m->g;
    const lc_signature *s = NULL;
    for (size_t i = 0; i < m->m->signature_count && !s; i++)
        if (m->m->graphs[m->m->signatures[i].graph] == m->graph) s = &m->m->signatures[i];
    g->input_count = s ? s->input_count : (uint32_t)m->graph->input_count;
    g->output_count = s ? s->output_count : (uint32_t)m->graph->output_count;
    g->inputs = lc_arena_array(&m->m->arena, g->input_count + 1u, sizeof *g->inputs);
    g->outputs = lc_arena_array(&m->m->arena, g->output_count + 1u, sizeof *g->outputs);
    g->input_names = lc_arena_array(&m->m->arena, g->input_count + 1u, sizeof *g->input_names);
    g->output_names = lc_arena_array(&m->m->arena, g->output_count + 1u, sizeof *g->output_names);
    if (!g->inputs || !g->outputs || !g->input_names || !g->output_names) return lc_fail_memory(m->err, "inputs");
    for (uint32_t i = 0; i < g->input_count; i++) {
        g->inputs[i] = s ? s->inputs[i].tensor : m->graph->inputs[i];
        g->input_names[i] = port_name(m, s ? s->inputs[i].name : m->graph->tensors[g->inputs[i]].name);
        if (!g->input_names[i]) return lc_fail_memory(m->err, "inputs");
    }
    for (uint32_t i = 0; i < g->output_count; i++) {
        g->outputs[i] = s ? s->outputs[i].tensor : m->graph->outputs[i];
        g->output_names[i] = port_name(m, s ? s->outputs[i].name : m->graph->tensors[g->outputs[i]].name);
        if (!g->output_names[i]) return lc_fail_memory(m->err, "outputs");
    }
    return LC_OK;
}

/* All inputs have samples along their first dimension, and as many of them. */
static lc_status find_batch(const making *m) {
    static const char hint[] = "export the model with inputs whose first dimension is the batch, open (None) or 1";
    lc_graph_layer *g = m->g;
    if (!g->input_count || !g->output_count) return refuse(m, hint, "the graph has no %s", g->input_count ? "outputs" : "inputs");
    if (g->input_count > LC_NET_MOST || g->output_count > LC_NET_MOST)
        return lc_fail(m->err, LC_LIMIT, "the graph has more than %d inputs or outputs", LC_NET_MOST);
    for (uint32_t i = 0; i < g->input_count; i++) {
        const lc_tensor *t = &m->graph->tensors[g->inputs[i]];
        if (t->rank < 1 || t->rank > LC_MAX_RANK) return refuse(m, hint, "input \"%.100s\" has %d dimensions", g->input_names[i], t->rank);
        const int32_t first = lc_tensor_dim(t, 0) < 0 ? 0 : lc_tensor_dim(t, 0);
        if (i && first != g->batch)
            return refuse(m, hint, "inputs \"%.100s\" and \"%.100s\" have different first dimensions", g->input_names[0],
                          g->input_names[i]);
        g->batch = first;
    }
    return LC_OK;
}

static lc_status fill(making *m) {
    lc_graph_layer *g = m->g;
    const size_t n = m->graph->tensor_count;
    g->weight_of = lc_arena_array(&m->m->arena, n + 1, sizeof *g->weight_of);
    g->from_data = lc_arena_array(&m->m->arena, n + 1, sizeof *g->from_data);
    if (!g->weight_of || !g->from_data) return lc_fail_memory(m->err, "a graph");
    LC_TRY(find_weights(m));
    size_t kept = 0;
    for (size_t k = 0; k < m->graph->node_count; k++)
        if (m->graph->nodes[k].op != LC_NODE_DEAD) m->graph->nodes[kept++] = m->graph->nodes[k];
    m->graph->node_count = kept;
    return LC_OK;
}

static lc_status begin(making *m, lc_model *from, size_t index, lc_error *err) {
    static _Atomic int32_t ids;
    *m = (making){.err = err};
    m->g = lc_calloc(1, sizeof *m->g);
    if (!m->g) return lc_fail_memory(err, "a graph");
    m->g->references = 1;
    m->g->id = atomic_fetch_add(&ids, 1) + 1;
    LC_TRY(lc_model_fork(from, &m->g->model, err));
    m->m = m->g->model;
    m->graph = m->g->graph = m->m->graphs[index];
    for (size_t i = 0; i < m->graph->tensor_count; i++) m->stated |= m->graph->tensors[i].is_weight;
    return LC_OK;
}

static lc_status end(making *m, lc_status status, lc_graph_layer **out) {
    *out = status == LC_OK ? m->g : NULL;
    if (status != LC_OK) lc_graph_layer_drop(m->g);
    return status;
}

lc_status lc_graph_layer_make(lc_model *model, bool stated, lc_graph_layer **out, lc_error *err) {
    making m;
    size_t index = 0;
    for (size_t i = 0; i < model->signature_count; i++)
        if (lc_str_is(model->signatures[i].key, "serving_default")) index = (size_t)model->signatures[i].graph;
    lc_status status = begin(&m, model, index, err);
    m.stated |= stated;
    if (status == LC_OK) status = check_graph(&m);
    if (status == LC_OK) status = find_ends(&m);
    if (status == LC_OK) status = find_batch(&m);
    if (status == LC_OK) status = make_floats(&m);
    if (status == LC_OK) status = fill(&m);
    return end(&m, status, out);
}

/* ---- cutting ------------------------------------------------------------------------------------------------------------------------ */

/* How well a name fits: 3 it is it, 2 one of those that were joined ("a;b"), 1 the scope it is in ("a" of "a/b"); 0 not at all. */
static int fits(lc_str full, lc_str name) {
    if (!full.data || !name.size) return 0;
    if (lc_str_eq(full, name)) return 3;
    for (size_t at = 0; at + name.size <= full.size; at++) {
        const size_t stop = at + name.size;
        const bool whole = (at == 0 || full.data[at - 1] == ';') && (stop == full.size || full.data[stop] == ';' || full.data[stop] == '/');
        if (whole && memcmp(full.data + at, name.data, name.size) == 0) return stop < full.size && full.data[stop] == '/' ? 1 : 2;
    }
    return 0;
}

/* The tensor that a name means: the last of those that fit best. */
static int32_t find(const lc_graph_layer *g, const char *name) {
    int best = 0;
    int32_t found = -1;
    for (size_t i = 0; i < g->graph->node_count; i++) {
        const lc_node *n = &g->graph->nodes[i];
        for (uint32_t k = 0; k < n->output_count; k++) {
            int fit = g->from_data[n->outputs[k]] ? fits(g->graph->tensors[n->outputs[k]].name, lc_str_of(name)) : 0;
            const int of_layer = n->layer && k == 0 && g->from_data[n->outputs[k]] ? fits(lc_str_of(n->layer), lc_str_of(name)) : 0;
            fit = of_layer > fit ? of_layer : fit;
            if (fit && fit >= best) best = fit, found = n->outputs[k];
        }
    }
    return found;
}

/* A name that begins so, behind a slash or at its start: all of it up to the end of that part. False: `full` has none. */
static bool begins(lc_str full, const char *word, lc_str *found) {
    const size_t n = strlen(word);
    size_t start = 0;
    for (size_t at = 0; n && full.data && at + n <= full.size; at++) {
        if (at && full.data[at - 1] == ';') start = at;
        if ((at != start && full.data[at - 1] != '/') || memcmp(full.data + at, word, n) != 0) continue;
        size_t stop = at + n;
        while (stop < full.size && full.data[stop] != '/' && full.data[stop] != ';') stop++;
        *found = (lc_str){full.data + start, stop - start};
        return true;
    }
    return false;
}

static lc_status not_there(const lc_graph_layer *g, const char *name, lc_error *err) {
    const char **names = lc_calloc(2 * g->graph->node_count + 1, sizeof *names);
    size_t n = 0;
    lc_str part = {0};
    if (!names) return lc_fail_memory(err, "names");
    for (size_t i = 0; i < g->graph->node_count; i++) {
        const lc_node *node = &g->graph->nodes[i];
        if (!node->output_count || !g->from_data[node->outputs[0]]) continue;
        names[n++] = g->graph->tensors[node->outputs[0]].name.data;
        if (!part.size) begins(g->graph->tensors[node->outputs[0]].name, name, &part);
        if (node->layer) names[n++] = node->layer;
    }
    const char *near = lc_nearest(name, names);
    lc_fail(err, LC_ARGUMENT, "the graph has no operator or tensor \"%.100s\"", name);
    if (near) lc_error_hint(err, "did you mean \"%.200s\"?", near);
    else if (part.size) lc_error_hint(err, "did you mean \"%.*s\"?", NAME(part));
    else lc_error_hint(err, "litec inspect --ops --no-optimize lists them; the part of a name before a slash stands for all that begin so");
    lc_free(names);
    return LC_ARGUMENT;
}

/* Marks what the tensor needs; the rest is dead. */
static lc_status prune(const making *m, int32_t last) {
    bool *needed = lc_arena_array(&m->m->arena, m->graph->tensor_count + 1, sizeof *needed);
    if (!needed) return lc_fail_memory(m->err, "a graph");
    needed[last] = true;
    for (size_t i = m->graph->node_count; i-- > 0;) {
        lc_node *n = &m->graph->nodes[i];
        bool any = false;
        for (uint32_t k = 0; k < n->output_count; k++) any |= needed[n->outputs[k]];
        if (!any) n->op = LC_NODE_DEAD;
        for (uint32_t k = 0; any && k < n->input_count; k++)
            if (n->inputs[k] != LC_ABSENT) needed[n->inputs[k]] = true;
    }
    return LC_OK;
}

lc_status lc_graph_layer_cut(const lc_graph_layer *from, const char *name, lc_graph_layer **out, lc_error *err) {
    making m;
    size_t index = 0;
    *out = NULL;
    const int32_t last = find(from, name);
    if (last < 0) return not_there(from, name, err);
    while (from->model->graphs[index] != from->graph) index++;
    lc_status status = begin(&m, from->model, index, err);
    if (status != LC_OK) return end(&m, status, out);
    lc_graph_layer *g = m.g;
    m.stated = m.named = true; /* what was a weight is one */
    for (size_t i = 0; i < m.graph->tensor_count; i++) {
        lc_tensor *t = &m.graph->tensors[i];
        t->is_weight = from->weight_of[i] >= 0;
        if (t->is_weight) t->name = lc_str_of(from->weights[from->weight_of[i]].name); /* none of them gets another name */
    }
    g->inputs = from->inputs; /* in the memory of a model that this one refers to */
    g->input_names = from->input_names;
    g->input_count = from->input_count;
    g->batch = from->batch;
    g->outputs = lc_arena_array(&m.m->arena, 1, sizeof *g->outputs);
    g->output_names = lc_arena_array(&m.m->arena, 1, sizeof *g->output_names);
    if (!g->outputs || !g->output_names || !(g->output_names[0] = port_name(&m, m.graph->tensors[last].name)))
        return end(&m, lc_fail_memory(err, "a graph"), out);
    g->outputs[0] = last;
    g->output_count = 1;
    status = prune(&m, last);
    if (status == LC_OK) status = fill(&m);
    return end(&m, status, out);
}
