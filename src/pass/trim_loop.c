/*
 * trim_loop.c: the values a WHILE carries. One that nothing needs goes; one that is a constant in every round is a constant of the
 * condition and the body; two that are always equal become one (Keras counts each loop twice: loop_counter and time).
 *
 * A loop goes when nothing reads its results and it has no other effect. A value is needed when the loop's result is read, when the
 * condition reads it, when an operator with an effect reads it in the body, or when the body computes a needed value from it. The graphs
 * must be the loop's alone (loop.h). What is left over in them, remove_dead takes in the next round.
 */
#include "pass/loop.h"

#include <string.h>

/* Readers of tensor `from` read `to`. */
static void replace(lc_graph *g, int32_t from, int32_t to) {
    for (size_t n = 0; n < g->node_count; n++)
        for (uint32_t i = 0; g->nodes[n].op != LC_NODE_DEAD && i < g->nodes[n].input_count; i++)
            if (g->nodes[n].inputs[i] == from) g->nodes[n].inputs[i] = to;
    for (size_t i = 0; i < g->output_count; i++)
        if (g->outputs[i] == from) g->outputs[i] = to;
}

static bool is_read(const lc_graph *g, int32_t tensor, size_t except_output) {
    for (size_t n = 0; n < g->node_count; n++)
        for (uint32_t i = 0; g->nodes[n].op != LC_NODE_DEAD && i < g->nodes[n].input_count; i++)
            if (g->nodes[n].inputs[i] == tensor) return true;
    for (size_t i = 0; i < g->output_count; i++)
        if (g->outputs[i] == tensor && i != except_output) return true;
    return false;
}

/* ---- values that do not change ---------------------------------------------------------------------------------------- */

static lc_status give_constant(lc_rewrite *rw, lc_graph *g, size_t i, lc_tensor *constant, size_t except_output) {
    int32_t t;
    if (!is_read(g, g->inputs[i], except_output)) return LC_OK;
    constant->data_owned = false;
    const lc_tensor copy = *constant;
    LC_TRY(lc_graph_add_tensor(g, &copy, &t, rw->err));
    const int32_t kept = except_output < g->output_count ? g->outputs[except_output] : -1;
    replace(g, g->inputs[i], t);
    if (kept >= 0) g->outputs[except_output] = kept;
    rw->changed = true;
    return LC_OK;
}

/* What the body passes on is outside what went in; a constant is one inside too. */
static lc_status bind(lc_rewrite *rw, const lc_loop *p) {
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->body->outputs[i] != p->body->inputs[i]) continue;
        const int32_t in = p->node->inputs[i], out = p->node->outputs[i];
        lc_tensor *t = lc_rewrite_tensor(rw, in);
        if (rw->uses[out] && !rw->is_output[out] && !t->is_variable) {
            rw->forward[out] = in;
            rw->uses[in] += rw->uses[out];
            rw->uses[out] = 0;
            rw->changed = true;
        }
        if (!lc_tensor_is_const(t)) continue;
        LC_TRY(give_constant(rw, p->cond, i, t, SIZE_MAX));
        LC_TRY(give_constant(rw, p->body, i, t, i));
    }
    return LC_OK;
}

/* ---- values that are equal ------------------------------------------------------------------------------------------------ */

static bool begin_equal(const lc_rewrite *rw, int32_t a, int32_t b) {
    return a == b || lc_loop_same_constant(lc_rewrite_tensor(rw, a), lc_rewrite_tensor(rw, b));
}

/* The body makes of value j what it makes of value i: nothing, or the same operator with the same constant. */
static bool go_on_equal(const lc_graph *g, const int32_t *producer, uint32_t i, uint32_t j) {
    if (g->outputs[i] == g->inputs[i]) return g->outputs[j] == g->inputs[j];
    const lc_node *a = lc_loop_producer(g, producer, g->outputs[i]), *b = lc_loop_producer(g, producer, g->outputs[j]);
    if (!a || !b || !lc_loop_same_options(a, b) || a->input_count != 2 || b->input_count != 2 || a->output_count != 1 ||
        b->output_count != 1 || a->inputs[1] < 0 || b->inputs[1] < 0)
        return false;
    const lc_op_def *def = lc_op_get(a->op);
    if (!def || (def->flags & (LC_OPF_SIDE_EFFECT | LC_OPF_CALLS)) || !(def->flags & LC_OPF_ELEMENTWISE)) return false;
    return a->inputs[0] == g->inputs[i] && b->inputs[0] == g->inputs[j] &&
           lc_loop_same_constant(&g->tensors[a->inputs[1]], &g->tensors[b->inputs[1]]);
}

static lc_status unite(lc_rewrite *rw, const lc_loop *p) {
    const int32_t *producer = lc_loop_producers(rw, p->body);
    if (!producer) return lc_fail_memory(rw->err, "loop");
    for (uint32_t j = 1; j < p->n; j++) {
        for (uint32_t i = 0; i < j; i++) {
            const int32_t a = p->node->outputs[i], b = p->node->outputs[j];
            if (rw->is_output[b] || !begin_equal(rw, p->node->inputs[i], p->node->inputs[j]) || !go_on_equal(p->body, producer, i, j))
                continue;
            const bool passed = p->body->outputs[j] == p->body->inputs[j];
            replace(p->body, p->body->inputs[j], p->body->inputs[i]);
            if (passed) p->body->outputs[j] = p->body->inputs[j];
            replace(p->cond, p->cond->inputs[j], p->cond->inputs[i]);
            rw->forward[b] = a;
            rw->uses[a] += rw->uses[b];
            rw->uses[b] = 0;
            rw->changed = true;
            break;
        }
    }
    return LC_OK;
}

/* ---- values that nobody needs ------------------------------------------------------------------------------------------- */

static bool has_effect(const lc_node *n) {
    const lc_op_def *def = lc_op_get(n->op);
    return !def || (def->flags & (LC_OPF_SIDE_EFFECT | LC_OPF_ALONE)) == LC_OPF_SIDE_EFFECT || n->output_count == 0;
}

/* Marks what the graph's marked tensors and its effects are computed from. */
static void mark(const lc_graph *g, bool *needed) {
    for (size_t n = g->node_count; n-- > 0;) {
        const lc_node *node = &g->nodes[n];
        if (node->op == LC_NODE_DEAD) continue;
        bool used = has_effect(node);
        for (uint32_t i = 0; i < node->output_count; i++) used |= node->outputs[i] >= 0 && needed[node->outputs[i]];
        for (uint32_t i = 0; used && i < node->input_count; i++)
            if (node->inputs[i] >= 0) needed[node->inputs[i]] = true;
    }
}

static bool find_live(const lc_rewrite *rw, const lc_loop *p, bool *live, bool *in_cond, bool *in_body) {
    uint32_t count = 0;
    in_cond[p->cond->outputs[0]] = true;
    mark(p->cond, in_cond);
    for (uint32_t i = 0; i < p->n; i++)
        live[i] = rw->uses[p->node->outputs[i]] || rw->is_output[p->node->outputs[i]] || in_cond[p->cond->inputs[i]];
    for (bool news = true; news;) {
        news = false;
        for (uint32_t i = 0; i < p->n; i++)
            if (live[i]) in_body[p->body->outputs[i]] = true;
        mark(p->body, in_body);
        for (uint32_t i = 0; i < p->n; i++)
            if (!live[i] && in_body[p->body->inputs[i]]) live[i] = news = true;
    }
    for (uint32_t i = 0; i < p->n; i++) count += live[i];
    if (count == 0 && p->n) live[0] = true; /* LiteRT's WHILE has a value */
    return count < p->n && p->n > 1;
}

/* Nothing reads what the loop gives, and it does nothing else. */
static bool is_dead(const lc_rewrite *rw, const lc_loop *p) {
    for (uint32_t i = 0; i < p->n; i++)
        if (rw->uses[p->node->outputs[i]] || rw->is_output[p->node->outputs[i]]) return false;
    for (size_t n = 0; n < p->body->node_count; n++)
        if (has_effect(&p->body->nodes[n])) return false;
    for (size_t n = 0; n < p->cond->node_count; n++)
        if (has_effect(&p->cond->nodes[n])) return false;
    return true;
}

static uint32_t squeeze(int32_t *list, uint32_t n, const bool *live) {
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++)
        if (live[i]) list[k++] = list[i];
    return k;
}

/* Drops the operators that computed only what went, for what they read is no more. */
static lc_status sweep(lc_rewrite *rw, lc_graph *g, const bool *needed) {
    for (size_t n = 0; n < g->node_count; n++) {
        lc_node *node = &g->nodes[n];
        bool used = has_effect(node);
        for (uint32_t i = 0; i < node->output_count; i++) used |= node->outputs[i] >= 0 && needed[node->outputs[i]];
        if (!used) node->op = LC_NODE_DEAD;
    }
    return lc_graph_compact(g, rw->err);
}

static lc_status drop(lc_rewrite *rw, lc_loop *p) {
    bool *live = lc_arena_array(&rw->temporary, p->n ? p->n : 1, sizeof *live);
    bool *in_cond = lc_arena_array(&rw->temporary, p->cond->tensor_count + 1, sizeof *in_cond);
    bool *in_body = lc_arena_array(&rw->temporary, p->body->tensor_count + 1, sizeof *in_body);
    if (!live || !in_cond || !in_body) return lc_fail_memory(rw->err, "loop");
    if (!find_live(rw, p, live, in_cond, in_body)) return LC_OK;
    for (uint32_t i = 0; i < p->n; i++) {
        if (live[i]) continue;
        rw->uses[p->node->inputs[i]]--;
        rw->producer[p->node->outputs[i]] = -1;
    }
    p->node->input_count = squeeze(p->node->inputs, p->n, live);
    p->node->output_count = squeeze(p->node->outputs, p->n, live);
    p->body->input_count = squeeze(p->body->inputs, p->n, live);
    p->body->output_count = squeeze(p->body->outputs, p->n, live);
    p->cond->input_count = squeeze(p->cond->inputs, p->n, live);
    p->n = p->node->input_count;
    rw->changed = true;
    LC_TRY(sweep(rw, p->body, in_body));
    return sweep(rw, p->cond, in_cond);
}

lc_status lc_pass_trim_loop(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *node = &rw->graph->nodes[n];
        lc_loop loop;
        if (node->op != LC_OP_WHILE) continue;
        lc_rewrite_resolve(rw, node);
        if (!lc_loop_of(rw, node, &loop)) continue;
        if (is_dead(rw, &loop)) {
            lc_rewrite_kill(rw, node);
            continue;
        }
        LC_TRY(unite(rw, &loop));
        LC_TRY(bind(rw, &loop));
        LC_TRY(drop(rw, &loop));
    }
    return LC_OK;
}
