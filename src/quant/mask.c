/*
 * mask.c: attention masks. A softmax is kept from looking somewhere by adding -1e9 there, or -10000, or the least float. Steps over such a range
 * would leave nothing of the scores themselves. What a softmax makes of a value that is 8 below all others is nothing (e^-8 is 1/2981, and
 * an int8 probability has steps of 1/256; for int16 it is 12), so its input's range ends there: what lies below is cut, and stays nothing.
 *
 *   scores [-5, 4] ─┐
 *                   ADD ─▶ [-13, 4], not [-1e9, 4] ─▶ SOFTMAX
 *   mask {0, -1e9} ─┘  [-17, 0]: far enough that the largest score falls below -13 with it
 *
 * From each SOFTMAX back through the operators that masks come by, which stop it at the first of another kind: large values that are none
 * keep their range. A mask is at least 5000, the scores beside it at most 100.
 */
#include "quant/observe.h"

#include <math.h>

enum { DEPTH = 16, VISITS = 100000 };
#define GAP 50.0f /* between scores and masks */

typedef struct work {
    const lc_graph *graph;
    const lc_range *ranges, *kept; /* of all values; without those of LC_MASK_LEAST and more */
    lc_range *limits;              /* seen: this much is enough */
    int32_t *producer;             /* node that writes a tensor; -1: none */
    lc_arena temporary;
    uint32_t visits;
} work;

void lc_observe_kept(const float *x, size_t n, lc_range *kept) {
    for (size_t i = 0; i < n; i++) {
        if (fabsf(x[i]) >= LC_MASK_LEAST) continue;
        kept->low = kept->seen ? fminf(kept->low, x[i]) : x[i];
        kept->high = kept->seen ? fmaxf(kept->high, x[i]) : x[i];
        kept->seen = true;
    }
}

static bool is_const(const work *w, int32_t t) { return lc_tensor_is_const(&w->graph->tensors[t]); }

/* All values of a tensor, and those that are no masks. False: nothing is known of it. */
static bool ranges_of(work *w, int32_t t, lc_range *all, lc_range *kept) {
    uint64_t n;
    if (t < 0 || w->graph->tensors[t].type != LC_FLOAT32) return false;
    const lc_tensor *c = &w->graph->tensors[t];
    *all = w->ranges[t];
    *kept = w->kept[t];
    if (is_const(w, t) && !all->seen) {
        const float *x = lc_tensor_elements(c, &n) ? lc_quant_floats(c, &w->temporary) : NULL;
        if (!x || !lc_observe_extremes(x, (size_t)n, all)) return false;
        lc_observe_kept(x, (size_t)n, kept);
    }
    if (!kept->seen) *kept = (lc_range){0, 0, true}; /* nothing but masks */
    return all->seen;
}

static bool is_masked(lc_range all, lc_range kept) {
    const float far = GAP * fmaxf(1, fmaxf(-kept.low, kept.high));
    return (all.low <= -LC_MASK_LEAST || all.high >= LC_MASK_LEAST) && far <= LC_MASK_LEAST;
}

static void limit(work *w, int32_t t, float low, float high, int depth);

/* out = a + sign b: a masked operand must bring the other's farthest value to the end of out's range. */
static void limit_sum(work *w, const lc_node *n, float sign, float low, float high, int depth) {
    for (int k = 0; k < 2 && n->input_count == 2; k++) {
        lc_range all, kept;
        if (!ranges_of(w, n->inputs[1 - k], &all, &kept)) continue;
        const float other = k == 0 ? sign : 1, own = k == 0 ? 1 : sign;
        const float most = fmaxf(0, other > 0 ? kept.high : -kept.low), least = fminf(0, other > 0 ? kept.low : -kept.high);
        const float from = low - most, to = high - least;
        limit(w, n->inputs[k], own > 0 ? from : -to, own > 0 ? to : -from, depth);
    }
}

static float within(float x, lc_range r) { return fminf(fmaxf(x, r.low), r.high); }

/* A masked tensor needs no more than [low, high], and its writer's operands no more than follows from that. Another reader may need more. */
static void limit(work *w, int32_t t, float low, float high, int depth) {
    lc_range all, kept;
    if (t < 0 || depth > DEPTH || w->visits++ > VISITS || !ranges_of(w, t, &all, &kept) || !is_masked(all, kept)) return;
    lc_range *r = &w->limits[t];
    if (r->seen && r->low <= low && r->high >= high) return;
    low = fminf(low, kept.low);
    high = fmaxf(high, kept.high);
    *r = (lc_range){r->seen ? fminf(r->low, low) : low, r->seen ? fmaxf(r->high, high) : high, true};
    const lc_node *n = is_const(w, t) || w->producer[t] < 0 ? NULL : &w->graph->nodes[w->producer[t]];
    const lc_op_quant_def *rule = n ? lc_op_quant(n->op) : NULL;
    if (n && n->op == LC_OP_ADD) limit_sum(w, n, 1, low, high, depth + 1);
    else if (n && n->op == LC_OP_SUB) limit_sum(w, n, -1, low, high, depth + 1);
    else if (n && (n->op == LC_OP_MUL || (rule && rule->scales == LC_QUANT_SAME))) /* a product with 0 or 1; what hands values on */
        for (uint32_t i = 0; i < n->input_count; i++) limit(w, n->inputs[i], low, high, depth + 1);
}

lc_status lc_quant_unmask(const lc_graph *graph, lc_range *ranges, const lc_range *kept, float below, bool *masked, lc_error *err) {
    work w = {.graph = graph, .ranges = ranges, .kept = kept};
    w.limits = lc_arena_array(&w.temporary, graph->tensor_count, sizeof *w.limits);
    w.producer = lc_arena_array(&w.temporary, graph->tensor_count, sizeof *w.producer);
    const bool ok = w.limits && w.producer;
    if (ok) lc_graph_producers(graph, w.producer);
    for (size_t i = 0; ok && i < graph->node_count; i++) {
        const lc_node *n = &graph->nodes[i];
        lc_range all, least;
        if (n->op != LC_OP_SOFTMAX || n->input_count == 0 || !ranges_of(&w, n->inputs[0], &all, &least)) continue;
        const float beta = LC_OP_ATTRS(n, SoftmaxOptions)->beta;
        limit(&w, n->inputs[0], least.low - (beta > 0 ? below / beta : below), least.high, 0);
    }
    for (size_t t = 0; ok && t < graph->tensor_count; t++) {
        lc_range all, unused;
        if (!w.limits[t].seen || !ranges_of(&w, (int32_t)t, &all, &unused)) continue;
        masked[t] = true;
        ranges[t] = (lc_range){within(all.low, w.limits[t]), within(all.high, w.limits[t]), true};
    }
    lc_arena_deinit(&w.temporary);
    return ok ? LC_OK : lc_fail_memory(err, "ranges");
}
