/*
 * layout.c: filters stay as Keras has them. The lowering turns a variable into TFLite's layout with a TRANSPOSE, and its gradient is turned
 * back by another: in every step twice the memory traffic of all weights. Where the operators on the way can read and write Keras's layout
 * (conv_own.h; matrix products, of either side) they do so here, in the graph of a step, after its gradients are appended:
 *
 *     CONV_2D, FULLY_CONNECTED (x, turned W)     ->  CONV (x, W)
 *     CONV_INPUT_GRAD (dy, turned W)             ->  CONV_INPUT_GRAD (dy, W)
 *     BATCH_MATMUL (dy, turned W)                ->  BATCH_MATMUL (dy, W as it lies)
 *     turned CONV_FILTER_GRAD, BATCH_MATMUL      ->  the same, written the other way round
 *
 * A TRANSPOSE or RESHAPE that nobody reads any more goes. All of it is exchange of what computes the same numbers: a case that is not
 * recognised is only slower.
 */
#include "grad/grad.h"
#include "kernels/kernel.h"

#include <string.h>

typedef struct layout {
    lc_graph *graph;
    lc_arena *arena;
    int32_t *producer; /* [tensors] node, -1 */
    uint32_t *uses;    /* [tensors] readers; outputs of the graph and bound memory count */
} layout;

static const lc_tensor *tensor(const layout *l, int32_t t) { return &l->graph->tensors[t]; }

static lc_node *made_by(const layout *l, int32_t t, int32_t op) {
    if (t < 0 || l->producer[t] < 0) return NULL;
    lc_node *n = &l->graph->nodes[l->producer[t]];
    return n->op == op && !n->own ? n : NULL;
}

/* Whether the TRANSPOSE brings the last dimension to the front (by 1), or the first to the end (by rank - 1): dimension i comes from i - by. */
static bool turns(const layout *l, const lc_node *n, bool to_front) {
    const lc_tensor *perm = tensor(l, n->inputs[1]);
    const int32_t rank = tensor(l, n->outputs[0])->rank;
    if (!perm->data || perm->type != LC_INT32 || rank < 2 || rank > 4 || perm->size != (size_t)rank * sizeof(int32_t)) return false;
    for (int32_t i = 0; i < rank; i++) {
        int32_t from;
        memcpy(&from, (const uint8_t *)perm->data + (size_t)i * sizeof from, sizeof from);
        if (from != (i + (to_front ? rank - 1 : 1)) % rank) return false;
    }
    return true;
}

/* The variable that t is, turned from [..., in, out] to [out, ..., in]; -1: it is none. */
static int32_t unturned(const layout *l, int32_t t) {
    const lc_node *reshape = made_by(l, t, LC_OP_RESHAPE);
    if (reshape && tensor(l, reshape->inputs[0])->dims[0] == tensor(l, t)->dims[0]) t = reshape->inputs[0];
    const lc_node *turn = made_by(l, t, LC_OP_TRANSPOSE);
    return turn && turns(l, turn, true) ? turn->inputs[0] : -1;
}

static void read_instead(const layout *l, lc_node *n, uint32_t i, int32_t t) {
    l->uses[n->inputs[i]]--;
    l->uses[t]++;
    n->inputs[i] = t;
}

static bool set_options(const layout *l, lc_node *n, const void *options, size_t size) {
    void *copy = lc_arena_data(l->arena, size);
    if (!copy) return false;
    memcpy(copy, options, size);
    n->custom_options = (lc_vec_u8){copy, (uint32_t)size};
    return true;
}

/* ---- forward -------------------------------------------------------------------------------------------------------- */

static void declare(lc_window_options *w, const lc_tensor *t) {
    w->rank = t->rank;
    for (int32_t i = 0; i < t->rank; i++) w->dims[i] = t->dims[i];
}

static bool options_of_conv(const layout *l, const lc_node *n, lc_conv_options *o) {
    const lc_Conv2DOptions *c = LC_OP_ATTRS(n, Conv2DOptions);
    const lc_tensor *x = tensor(l, n->inputs[0]), *w = tensor(l, n->inputs[1]);
    *o = (lc_conv_options){.act = c->fused_activation_function};
    o->window = (lc_window_options){.stride_h = c->stride_h,
                                    .stride_w = c->stride_w,
                                    .dilation_h = c->dilation_h_factor,
                                    .dilation_w = c->dilation_w_factor,
                                    .filter_h = w->dims[1],
                                    .filter_w = w->dims[2],
                                    .padding = c->padding,
                                    .keras = true};
    if (x->rank != 4 || w->rank != 4) return false;
    for (int32_t i = 0; i < 4; i++) o->images[i] = x->dims[i];
    return true;
}

static bool options_of_dense(const layout *l, const lc_node *n, lc_conv_options *o) {
    const lc_FullyConnectedOptions *f = LC_OP_ATTRS(n, FullyConnectedOptions);
    const lc_tensor *x = tensor(l, n->inputs[0]), *w = tensor(l, n->inputs[1]);
    int64_t rows = 1;
    for (int32_t i = 0; i < x->rank; i++) rows *= x->dims[i];
    if (w->rank != 2 || w->dims[1] < 1 || rows / w->dims[1] > INT32_MAX || n->output_count != 1) return false;
    *o = (lc_conv_options){.images = {(int32_t)(rows / w->dims[1]), 1, 1, w->dims[1]}, .act = f->fused_activation_function};
    o->window = (lc_window_options){.stride_h = 1,
                                    .stride_w = 1,
                                    .dilation_h = 1,
                                    .dilation_w = 1,
                                    .filter_h = 1,
                                    .filter_w = 1,
                                    .padding = LC_Padding_VALID,
                                    .keras = true};
    return true;
}

static bool forward(const layout *l, lc_node *n) {
    const int32_t w = n->input_count > 1 && n->inputs[1] >= 0 ? unturned(l, n->inputs[1]) : -1;
    lc_conv_options o;
    float low, high;
    if (w < 0 || !(n->op == LC_OP_CONV_2D ? options_of_conv(l, n, &o) : options_of_dense(l, n, &o))) return true;
    if (!lc_activation_range(o.act, &low, &high)) return true;
    declare(&o.window, tensor(l, n->outputs[0]));
    int32_t *in = lc_arena_array(l->arena, 3, sizeof *in);
    if (!in || !set_options(l, n, &o, sizeof o)) return false;
    read_instead(l, n, 1, w);
    in[0] = n->inputs[0], in[1] = w, in[2] = n->input_count > 2 ? n->inputs[2] : LC_ABSENT;
    n->inputs = in;
    n->input_count = 3;
    n->op = LC_OP_CUSTOM;
    n->own = &lc_own_CONV;
    n->custom_code = lc_str_of(lc_own_CONV.name);
    n->attrs_table = LC_TABLE_NONE;
    n->attrs = NULL;
    return true;
}

/* ---- backward ------------------------------------------------------------------------------------------------------- */

static bool input_grad(const layout *l, lc_node *n) {
    const int32_t w = unturned(l, n->inputs[1]);
    if (w < 0) return true;
    lc_window_options o = *LC_OWN_OPTIONS(n, lc_window_options);
    o.keras = true;
    if (!set_options(l, n, &o, sizeof o)) return false;
    read_instead(l, n, 1, w);
    return true;
}

/* z = X Y, Y turned. */
static bool product(const layout *l, lc_node *n) {
    const lc_node *turn = made_by(l, n->inputs[1], LC_OP_TRANSPOSE);
    if (!turn || tensor(l, n->inputs[1])->rank != 2 || !turns(l, turn, true)) return true;
    lc_BatchMatMulOptions *o = lc_arena_array(l->arena, 1, sizeof *o);
    if (!o) return false;
    *o = *LC_OP_ATTRS(n, BatchMatMulOptions);
    o->adj_y = !o->adj_y;
    n->attrs = o;
    read_instead(l, n, 1, turn->inputs[0]);
    return true;
}

/* The TRANSPOSE `turn` of what one operator alone makes for it: that operator writes turn's output. */
static bool written_turned(const layout *l, lc_node *turn) {
    int32_t t = turn->inputs[0];
    if (!turns(l, turn, false) || l->uses[t] != 1) return true;
    const lc_node *reshape = made_by(l, t, LC_OP_RESHAPE);
    if (reshape && tensor(l, reshape->inputs[0])->dims[0] == tensor(l, t)->dims[0] && l->uses[reshape->inputs[0]] == 1)
        t = reshape->inputs[0];
    lc_node *n = l->producer[t] < 0 ? NULL : &l->graph->nodes[l->producer[t]];
    if (n && n->own == &lc_own_CONV_FILTER_GRAD) {
        lc_window_options o = *LC_OWN_OPTIONS(n, lc_window_options);
        o.keras = true;
        declare(&o, tensor(l, turn->outputs[0]));
        if (!set_options(l, n, &o, sizeof o)) return false;
    } else if (n && n == made_by(l, turn->inputs[0], LC_OP_BATCH_MATMUL) && tensor(l, t)->rank == 2) {
        const lc_BatchMatMulOptions *was = LC_OP_ATTRS(n, BatchMatMulOptions);
        lc_BatchMatMulOptions *o = lc_arena_array(l->arena, 1, sizeof *o);
        if (!o) return false;
        *o = *was;
        o->adj_x = !was->adj_y, o->adj_y = !was->adj_x;
        n->attrs = o;
        const int32_t x = n->inputs[0];
        n->inputs[0] = n->inputs[1], n->inputs[1] = x;
    } else {
        return true;
    }
    const int32_t spare = n->outputs[0]; /* the operator and what turned its result change outputs: that of the latter is read by none */
    n->outputs[0] = turn->outputs[0];
    turn->outputs[0] = spare;
    l->producer[n->outputs[0]] = l->producer[spare];
    l->producer[spare] = -1;
    l->uses[turn->inputs[0]] = 0;
    if (spare != turn->inputs[0]) l->uses[spare] = 0;
    return true;
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

static bool each(const layout *l, lc_node *n) {
    if (n->own == &lc_own_CONV_INPUT_GRAD) return input_grad(l, n);
    if (n->own) return true;
    if (n->op == LC_OP_CONV_2D || n->op == LC_OP_FULLY_CONNECTED) return forward(l, n);
    if (n->op == LC_OP_BATCH_MATMUL) return product(l, n);
    return n->op == LC_OP_TRANSPOSE ? written_turned(l, n) : true;
}

static void remove_unread(const layout *l) {
    lc_graph *g = l->graph;
    size_t kept = g->node_count;
    for (size_t k = g->node_count; k-- > 0;) { /* from the end, so that chains go; what stays gathers there */
        const lc_node *n = &g->nodes[k];
        if (!n->own && (n->op == LC_OP_TRANSPOSE || n->op == LC_OP_RESHAPE) && !l->uses[n->outputs[0]])
            for (uint32_t i = 0; i < n->input_count; i++) {
                if (n->inputs[i] >= 0 && l->uses[n->inputs[i]]) l->uses[n->inputs[i]]--;
            }
        else g->nodes[--kept] = *n;
    }
    memmove(g->nodes, g->nodes + kept, (g->node_count - kept) * sizeof *g->nodes);
    g->node_count -= kept;
}

lc_status lc_grad_keep_layout(lc_graph *graph, lc_error *err) {
    lc_arena temporary = {0};
    layout l = {.graph = graph, .arena = &graph->model->arena};
    l.producer = lc_arena_array(&temporary, graph->tensor_count + 1, sizeof *l.producer);
    l.uses = lc_arena_array(&temporary, graph->tensor_count + 1, sizeof *l.uses);
    bool ok = l.producer && l.uses;
    if (ok) {
        lc_graph_producers(graph, l.producer);
        for (size_t i = 0; i < graph->output_count; i++) l.uses[graph->outputs[i]]++;
        for (size_t t = 0; t < graph->tensor_count; t++) l.uses[t] += graph->tensors[t].bound != NULL;
        for (size_t k = 0; k < graph->node_count; k++)
            for (uint32_t i = 0; i < graph->nodes[k].input_count; i++)
                if (graph->nodes[k].inputs[i] >= 0) l.uses[graph->nodes[k].inputs[i]]++;
        for (size_t k = 0; ok && k < graph->node_count; k++) ok = each(&l, &graph->nodes[k]);
        if (ok) remove_unread(&l);
    }
    lc_arena_deinit(&temporary);
    return ok ? LC_OK : lc_fail_memory(err, "a training step");
}
