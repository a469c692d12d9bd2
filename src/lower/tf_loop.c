/*
 * tf_loop.c: see tf_loop.h. The loop's values are the counter, the number of steps where it is not a constant, and the caller's. The shapes
 * at a step's beginning are those at its end, so what is known of them outside is known inside.
 */
#include "lower/tf_loop.h"
#include "lower/tf_impl.h"

#include <string.h>

#define MOST (LC_TF_LOOP_VALUES + 2)

typedef struct loop {
    lc_tf_call *c;
    int32_t outer[MOST]; /* counter, caller's values, number of steps unless constant */
    uint32_t n;
    int64_t fixed; /* number of steps; -1: the last value */
} loop;

/* A graph with the values as inputs; *inner is a call that builds into it. */
static lc_tf_graph *begin(loop *p, const char *name, lc_tf_call *inner, int32_t *values) {
    lc_tf_call *c = p->c;
    lc_tf_graph *g = lc_tf_enter(c->lower, c->b, lc_str_of(name));
    if (!g) return NULL;
    for (uint32_t i = 0; i < p->n; i++) {
        lc_tf_known known = *lc_tf_known_of(c->b, p->outer[i]);
        memset(known.value, 0, sizeof known.value); /* true of the first step only */
        values[i] = lc_build_placeholder(&g->b, i ? "value" : "step", lc_build_type(c->b, p->outer[i]), NULL, 0);
        if (values[i] < 0) break;
        lc_tf_know(&g->b, values[i], &known);
        lc_build_check(&g->b, lc_graph_add_input(g->b.graph, values[i], g->b.err));
    }
    *inner = *c;
    inner->b = &g->b;
    return g;
}

static bool finish(lc_tf_call *c, lc_tf_graph *g, const int32_t *outs, uint32_t n) {
    for (uint32_t i = 0; i < n && g->b.status == LC_OK; i++) lc_build_check(&g->b, lc_graph_add_output(g->b.graph, outs[i], g->b.err));
    if (g->b.status != LC_OK && c->b->status == LC_OK) c->b->status = g->b.status;
    return lc_tf_ok(c);
}

static int32_t number_of(const lc_model *m, const lc_graph *g) {
    for (size_t i = 0; i < m->graph_count; i++)
        if (m->graphs[i] == g) return (int32_t)i;
    return -1;
}

static bool add_while(loop *p, const lc_tf_graph *cond, const lc_tf_graph *body, int32_t *outs) {
    lc_builder *b = p->c->b;
    const lc_WhileOptions o = {.cond_subgraph_index = number_of(b->model, cond->b.graph),
                               .body_subgraph_index = number_of(b->model, body->b.graph)};
    const char *name = lc_arena_printf(&b->model->arena, "%.200s/WHILE", b->layer ? b->layer : "loop");
    if (!name) return lc_build_check(b, lc_fail_memory(b->err, "name"));
    for (uint32_t i = 0; i < p->n; i++) {
        lc_tf_known known = *lc_tf_known_of(b, p->outer[i]);
        memset(known.value, 0, sizeof known.value);
        outs[i] = lc_build_placeholder(b, name, lc_build_type(b, p->outer[i]), NULL, 0);
        if (outs[i] < 0) return false;
        lc_tf_know(b, outs[i], &known);
    }
    lc_node *node = NULL;
    if (!lc_tf_ok(p->c) ||
        !lc_build_check(b, lc_graph_add_node(b->graph, LC_OP_WHILE, LC_TABLE_WhileOptions, &o, p->outer, p->n, outs, p->n, &node, b->err)))
        return false;
    node->layer = b->layer;
    return true;
}

bool lc_tf_loop(lc_tf_call *c, int32_t steps, int32_t *values, uint32_t n, lc_tf_step step, void *user) {
    loop p = {.c = c, .n = n + 1, .fixed = -1};
    int32_t in[MOST], next[MOST], outs[MOST];
    lc_tf_call inner;
    uint32_t one;
    if (!lc_tf_ok(c)) return false;
    if (lc_tf_ints(c, steps, &p.fixed, 1, &one) && p.fixed <= 0) return true;
    p.outer[0] = lc_tf_scalar(c, 0, LC_INT32);
    for (uint32_t i = 0; i < n; i++) p.outer[i + 1] = values[i];
    if (p.fixed < 0) p.outer[p.n++] = steps;
    if (!lc_tf_ok(c)) return false;

    lc_tf_graph *body = begin(&p, "step", &inner, in);
    if (!body) return false;
    memcpy(next, in, sizeof next);
    step(&inner, in[0], next + 1, user);
    next[0] = lc_tf_with(&inner, LC_OP_ADD, in[0], 1);
    if (!finish(c, body, next, p.n)) return false;

    lc_tf_graph *cond = begin(&p, "more", &inner, in);
    if (!cond) return false;
    const int32_t end = p.fixed >= 0 ? lc_tf_scalar(&inner, (double)p.fixed, LC_INT32) : in[p.n - 1];
    const int32_t more = lc_tf_binary(&inner, LC_OP_LESS, in[0], end);
    if (!finish(c, cond, &more, 1) || !add_while(&p, cond, body, outs)) return false;
    memcpy(values, outs + 1, n * sizeof *values);
    return true;
}
