/*
 * equalize.c: scales the channels between neighbouring layers alike (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
 * Correction", 2019), so that one scale fits all channels of a tensor better. The model computes the same as before.
 *
 *   A ─▶ (RELU, PAD, pools) ─▶ B     A's channel i is divided by s, what B makes of it is multiplied by s
 *                                    s = sqrt(largest weight of A's channel / largest weight of B that meets it)
 *
 * A and B are CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED with weights of their own; what lies between passes positive factors through:
 * no RELU6, which clips at 6 whatever the scale is. A layer stands in two pairs, so the pairs are gone through until nothing moves.
 */
#include "quant/quant.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 30 };

/* Weights by channel: element e belongs to channel e / inner % count. */
typedef struct channels {
    float *weights;
    size_t size, inner, count;
} channels;

typedef struct pair {
    channels a, b;
    float *bias; /* of A; NULL: none */
} pair;

typedef struct work {
    lc_graph *graph;
    uint32_t *uses;
    bool *given; /* inputs and outputs of the graph, whose values are seen from outside */
    lc_arena *temporary;
    lc_error *err;
} work;

/* ---- pairs ------------------------------------------------------------------------------------------------------ */

static bool is_layer(const lc_node *n) {
    return n->op == LC_OP_CONV_2D || n->op == LC_OP_DEPTHWISE_CONV_2D || n->op == LC_OP_FULLY_CONNECTED;
}

/* A constant that only this node uses, with nothing but plain floats. */
static bool own_constant(const work *w, int32_t t) {
    const lc_tensor *c = t >= 0 ? &w->graph->tensors[t] : NULL;
    return c && c->type == LC_FLOAT32 && lc_tensor_is_const(c) && !c->sparsity && !c->quant && w->uses[t] == 1 && !w->given[t];
}

static bool weights_fit(const work *w, const lc_node *n) {
    if (!is_layer(n) || n->output_count != 1 || n->outputs[0] < 0 || n->input_count < 2 || n->input_count > 3 || n->inputs[0] < 0 ||
        !own_constant(w, n->inputs[1]))
        return false;
    if (n->input_count == 3 && n->inputs[2] >= 0 && !own_constant(w, n->inputs[2])) return false;
    return w->graph->tensors[n->inputs[1]].rank == (n->op == LC_OP_FULLY_CONNECTED ? 2 : 4);
}

static bool is_homogeneous(const lc_node *n) {
    const int8_t *act = lc_op_fused_act(n);
    return !act || *act == LC_ActivationFunctionType_NONE || *act == LC_ActivationFunctionType_RELU;
}

/* Channels go through such an operator one by one, and so do positive factors. */
static bool passes(const work *w, const lc_node *n) {
    if (n->output_count != 1 || n->outputs[0] < 0) return false;
    if (n->op == LC_OP_RELU) return true;
    if (n->op == LC_OP_MAX_POOL_2D || n->op == LC_OP_AVERAGE_POOL_2D) return is_homogeneous(n);
    if (n->op != LC_OP_PAD) return false;
    const lc_tensor *x = &w->graph->tensors[n->inputs[0]], *y = &w->graph->tensors[n->outputs[0]];
    return x->rank == 4 && y->rank == 4 && lc_tensor_dim(x, 3) == lc_tensor_dim(y, 3);
}

/* The only reader of tensor t, which must take it as its data; NULL: none such. */
static const lc_node *sole_reader(const work *w, int32_t t) {
    if (t < 0 || w->uses[t] != 1 || w->given[t]) return NULL;
    for (size_t i = 0; i < w->graph->node_count; i++)
        for (uint32_t k = 0; k < w->graph->nodes[i].input_count; k++)
            if (w->graph->nodes[i].inputs[k] == t) return k == 0 ? &w->graph->nodes[i] : NULL;
    return NULL;
}

/* The layer that reads what `a` puts out; NULL: none, or not it alone. */
static const lc_node *next_layer(const work *w, const lc_node *a) {
    const lc_node *n = sole_reader(w, a->outputs[0]);
    for (int i = 0; n && i < 8 && passes(w, n); i++) n = sole_reader(w, n->outputs[0]);
    return n && n != a && weights_fit(w, n) ? n : NULL;
}

/* The tensor's floats, to be written. */
static float *writable(const work *w, int32_t t, size_t *n) {
    lc_tensor *c = &w->graph->tensors[t];
    uint64_t count;
    if (!lc_tensor_elements(c, &count)) return NULL;
    *n = (size_t)count;
    if (c->data_owned) return (float *)(uintptr_t)c->data;
    const float *from = lc_quant_floats(c, w->temporary);
    float *to = lc_arena_data(&w->graph->model->arena, *n * sizeof *to);
    if (!from || !to) return NULL;
    if (*n) memcpy(to, from, *n * sizeof *to);
    c->data = to;
    c->deferred = NULL;
    c->dense = NULL;
    c->size = *n * sizeof *to;
    c->data_at = LC_NO_OFFSET;
    c->external_buffer = 0;
    c->data_owned = true;
    return to;
}

/* By output channels, or by input channels. */
static bool channels_of(const work *w, const lc_node *n, bool input, channels *c) {
    const lc_tensor *t = &w->graph->tensors[n->inputs[1]];
    const bool last = n->op == LC_OP_DEPTHWISE_CONV_2D || input;
    c->count = (size_t)t->dims[last ? t->rank - 1 : 0];
    c->inner = 1;
    for (int32_t d = 1; !last && d < t->rank; d++) c->inner *= (size_t)t->dims[d];
    c->weights = writable(w, n->inputs[1], &c->size);
    return c->weights;
}

/* Which channel of what it reads a layer's weights meet is known from their shape, but for a depthwise layer that makes several of one,
 * and a dense layer over more than channels. */
static bool join(const work *w, const lc_node *a, const lc_node *b, pair *p, lc_status *status) {
    const lc_tensor *wa = &w->graph->tensors[a->inputs[1]], *wb = &w->graph->tensors[b->inputs[1]];
    const int32_t out = wa->dims[a->op == LC_OP_DEPTHWISE_CONV_2D ? 3 : 0], in = wb->dims[wb->rank - 1];
    size_t n = 0;
    if (out != in || out < 1 || w->graph->tensors[b->inputs[0]].rank != w->graph->tensors[a->outputs[0]].rank) return false;
    const lc_tensor *x = &w->graph->tensors[b->inputs[0]];
    if (x->rank < 1 || lc_tensor_dim(x, x->rank - 1) != in) return false;
    *p = (pair){0};
    const int32_t bias = a->input_count == 3 ? a->inputs[2] : LC_ABSENT;
    if (bias >= 0) p->bias = writable(w, bias, &n);
    if (!channels_of(w, a, false, &p->a) || !channels_of(w, b, true, &p->b) || (bias >= 0 && !p->bias)) {
        *status = lc_fail_memory(w->err, "equalised weights");
        return false;
    }
    return bias < 0 || n == p->a.count;
}

static lc_status find_pairs(const work *w, pair **pairs, size_t *count) {
    size_t capacity = 0;
    void *items = NULL;
    lc_status status = LC_OK;
    *count = 0;
    for (size_t i = 0; status == LC_OK && i < w->graph->node_count; i++) {
        const lc_node *a = &w->graph->nodes[i], *b;
        pair p;
        if (!weights_fit(w, a) || !is_homogeneous(a) || !(b = next_layer(w, a)) || !join(w, a, b, &p, &status)) continue;
        if (!lc_arena_grow(w->temporary, &items, &capacity, *count + 1, sizeof p)) return lc_fail_memory(w->err, "equalised weights");
        ((pair *)items)[(*count)++] = p;
    }
    *pairs = items;
    return status;
}

/* ---- scales ----------------------------------------------------------------------------------------------------- */

static void largest(const channels *c, float *most) {
    memset(most, 0, c->count * sizeof *most);
    for (size_t e = 0; e < c->size; e++) {
        float *m = &most[e / c->inner % c->count];
        *m = fmaxf(*m, fabsf(c->weights[e]));
    }
}

static void multiply(channels *c, const float *by) {
    for (size_t e = 0; e < c->size; e++) c->weights[e] *= by[e / c->inner % c->count];
}

/* Returns how far the farthest channel moved, as a factor. room: three floats a channel. */
static float equalise(pair *p, float *room) {
    const size_t n = p->a.count;
    float *a = room, *b = room + n, *s = room + 2 * n, moved = 1;
    largest(&p->a, a);
    largest(&p->b, b);
    for (size_t i = 0; i < n; i++) {
        s[i] = a[i] > 0 && b[i] > 0 ? sqrtf(b[i] / a[i]) : 1;
        s[i] = fminf(fmaxf(s[i], 1e-4f), 1e4f); /* a channel that does nothing would take all there is */
        moved = fmaxf(moved, fmaxf(s[i], 1 / s[i]));
    }
    multiply(&p->a, s);
    for (size_t i = 0; p->bias && i < n; i++) p->bias[i] *= s[i];
    for (size_t i = 0; i < n; i++) s[i] = 1 / s[i];
    multiply(&p->b, s);
    return moved;
}

static lc_status equalise_graph(lc_graph *g, lc_arena *temporary, uint32_t *changed, lc_error *err) {
    work w = {.graph = g, .temporary = temporary, .err = err};
    pair *pairs = NULL;
    size_t count, widest = 0;
    w.uses = lc_arena_array(temporary, g->tensor_count + 1, sizeof *w.uses);
    w.given = lc_arena_array(temporary, g->tensor_count + 1, sizeof *w.given);
    if (!w.uses || !w.given) return lc_fail_memory(err, "equalised weights");
    lc_graph_count_uses(g, w.uses);
    for (size_t i = 0; i < g->input_count; i++) w.given[g->inputs[i]] = true;
    for (size_t i = 0; i < g->output_count; i++) w.given[g->outputs[i]] = true;
    LC_TRY(find_pairs(&w, &pairs, &count));
    for (size_t i = 0; i < count; i++) widest = pairs[i].a.count > widest ? pairs[i].a.count : widest;
    float *room = lc_arena_array(temporary, 3 * widest + 1, sizeof *room);
    if (!room) return lc_fail_memory(err, "equalised weights");
    float moved = 2;
    for (int round = 0; round < ROUNDS && moved > 1.01f; round++) {
        moved = 1;
        for (size_t i = 0; i < count; i++) moved = fmaxf(moved, equalise(&pairs[i], room));
    }
    *changed += (uint32_t)count;
    return LC_OK;
}

lc_status lc_quant_equalize(lc_model *model, uint32_t *pairs, lc_error *err) {
    lc_status status = LC_OK;
    *pairs = 0;
    for (size_t g = 0; status == LC_OK && g < model->graph_count; g++) {
        lc_arena temporary = {0};
        status = equalise_graph(model->graphs[g], &temporary, pairs, err);
        lc_arena_deinit(&temporary);
    }
    return status;
}
