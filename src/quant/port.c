/*
 * port.c: the numbers that graphs hand each other as integers, when only integers are wanted: what a WHILE carries, what goes into and comes out
 * of the branches of an IF. The tensors on both sides of such a port have the same steps, made from the ranges on the side of the graph that
 * is called, for it sees every value that passes.
 *
 *   WHILE   inputs, outputs, inputs of condition and body, outputs of the body: number i of each is one port
 *   IF      inputs of the branches are one, their outputs and those of the IF another
 *
 * A port stays float when a side is no float32, or when no sample went through it. Elsewhere ports are float: what a loop carries would be
 * rounded in each of its steps.
 */
#include "quant/plan.h"

#include <math.h>

static lc_steps *place(const lc_quant_ports *p, int32_t graph, int32_t tensor) { return &p->of[graph][tensor]; }

static bool is_float(const lc_model *m, int32_t graph, int32_t t) { return t >= 0 && m->graphs[graph]->tensors[t].type == LC_FLOAT32; }

typedef struct side {
    int32_t graph, tensor;
    lc_steps *port; /* of a graph that is called: where its input or output has its steps; NULL: an output of the operator that calls */
    bool output;    /* of the graph that is called: another form than it is kept in will do */
} side;

/* The steps that the operator which writes a tensor has by the specification, such as TANH; type FLOAT32: none, or no such operator. */
static lc_steps written_in(const lc_graph *g, int32_t tensor, lc_dtype type) {
    lc_steps s = {.type = LC_FLOAT32};
    for (size_t i = 0; i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        const lc_op_quant_def *r = n->op == LC_NODE_DEAD ? NULL : lc_op_quant(n->op);
        if (!r || r->scales != LC_QUANT_FIXED || n->output_count != 1 || n->outputs[0] != tensor) continue;
        if (lc_op_fixed_scale(n->op, type, &s.scale, &s.zero)) s.type = type;
    }
    return s;
}

/* Whether steps hold a range, but for less than one of them. */
static bool hold(lc_steps s, lc_range r) {
    const lc_range all = lc_quant_range_of(s);
    return s.type != LC_FLOAT32 && all.low <= r.low + s.scale && all.high >= r.high - s.scale;
}

/* Sides that are one port. Those of a graph that is called from two places already have their steps, which then count. */
static void open_port(const lc_quant_job *job, const lc_quant_ports *p, const side *sides, uint32_t n, lc_dtype type) {
    const lc_model *m = job->model;
    lc_range range = {0};
    lc_steps steps = {.type = LC_FLOAT32};
    for (uint32_t i = 0; i < n; i++) {
        if (!is_float(m, sides[i].graph, sides[i].tensor)) return;
        const lc_tensor *t = &m->graphs[sides[i].graph]->tensors[sides[i].tensor];
        if (t->is_variable || (lc_tensor_is_const(t) && !sides[i].output)) return;
        const lc_steps *known = place(p, sides[i].graph, sides[i].tensor);
        if (known->type != LC_FLOAT32 && !sides[i].output) steps = *known;
        const lc_range r = job->ranges->of[sides[i].graph][sides[i].tensor];
        if (!r.seen) continue;
        range = range.seen ? (lc_range){fminf(range.low, r.low), fmaxf(range.high, r.high), true} : r;
    }
    if (!range.seen) return;
    for (uint32_t i = 0; i < n && steps.type == LC_FLOAT32; i++) {
        const lc_steps there = written_in(m->graphs[sides[i].graph], sides[i].tensor, type);
        if (hold(there, range)) steps = there;
    }
    if (steps.type == LC_FLOAT32) steps = lc_steps_over(type, range.low, range.high);
    for (uint32_t i = 0; i < n; i++) {
        if (sides[i].port) *sides[i].port = steps;
        if (!sides[i].output) *place(p, sides[i].graph, sides[i].tensor) = steps;
    }
}

static void open_while(const lc_quant_job *job, const lc_quant_ports *p, int32_t graph, const lc_node *n, const int32_t *called,
                       lc_dtype type) {
    const lc_graph *cond = job->model->graphs[called[0]], *body = job->model->graphs[called[1]];
    for (uint32_t i = 0; i < n->output_count && i < cond->input_count && i < body->input_count && i < body->output_count; i++) {
        const side sides[] = {{called[1], body->inputs[i], &p->in[called[1]][i], false},
                              {called[0], cond->inputs[i], &p->in[called[0]][i], false},
                              {called[1], body->outputs[i], &p->out[called[1]][i], true},
                              {graph, n->outputs[i], NULL, false}};
        open_port(job, p, sides, n->outputs[i] < 0 ? 3 : 4, type);
    }
}

static void open_if(const lc_quant_job *job, const lc_quant_ports *p, int32_t graph, const lc_node *n, const int32_t *called,
                    lc_dtype type) {
    const lc_graph *a = job->model->graphs[called[0]], *b = job->model->graphs[called[1]];
    for (uint32_t i = 0; i < a->input_count && i < b->input_count; i++) {
        const side sides[] = {{called[0], a->inputs[i], &p->in[called[0]][i], false},
                              {called[1], b->inputs[i], &p->in[called[1]][i], false}};
        open_port(job, p, sides, 2, type);
    }
    for (uint32_t i = 0; i < n->output_count && i < a->output_count && i < b->output_count; i++) {
        const side sides[] = {{called[0], a->outputs[i], &p->out[called[0]][i], true},
                              {called[1], b->outputs[i], &p->out[called[1]][i], true},
                              {graph, n->outputs[i], NULL, false}};
        open_port(job, p, sides, n->outputs[i] < 0 ? 2 : 3, type);
    }
}

lc_status lc_quant_ports_find(const lc_quant_job *job, lc_arena *arena, lc_quant_ports *p) {
    const lc_model *m = job->model;
    p->of = lc_arena_array(arena, m->graph_count + 1, sizeof *p->of);
    p->in = lc_arena_array(arena, m->graph_count + 1, sizeof *p->in);
    p->out = lc_arena_array(arena, m->graph_count + 1, sizeof *p->out);
    if (!p->of || !p->in || !p->out) return lc_fail_memory(job->err, "quantisation");
    for (size_t g = 0; g < m->graph_count; g++) {
        p->of[g] = lc_arena_array(arena, m->graphs[g]->tensor_count + 1, sizeof **p->of);
        p->out[g] = lc_arena_array(arena, m->graphs[g]->output_count + 1, sizeof **p->out);
        p->in[g] = lc_arena_array(arena, m->graphs[g]->input_count + 1, sizeof **p->in);
        if (!p->of[g] || !p->out[g] || !p->in[g]) return lc_fail_memory(job->err, "quantisation");
    }
    for (size_t g = 0; job->options->only_integer && job->ranges && g < m->graph_count; g++)
        for (size_t k = 0; k < m->graphs[g]->node_count; k++) {
            const lc_node *n = &m->graphs[g]->nodes[k];
            int32_t called[2];
            if ((n->op != LC_OP_WHILE && n->op != LC_OP_IF) || lc_op_calls(n, called, 2) != 2) continue;
            const lc_scheme scheme = lc_recipe_scheme(job->recipe, m->graphs[g], n, job->options->scheme);
            if (scheme != LC_SCHEME_INT8 && scheme != LC_SCHEME_INT16X8) continue;
            const lc_dtype type = scheme == LC_SCHEME_INT8 ? LC_INT8 : LC_INT16;
            if (n->op == LC_OP_WHILE) open_while(job, p, (int32_t)g, n, called, type);
            else open_if(job, p, (int32_t)g, n, called, type);
        }
    return lc_quant_variables_find(job, arena, p);
}

const lc_quant_variable *lc_quant_port_variable(const lc_quant_ports *p, size_t graph, const lc_node *n) {
    const bool uses = n->op == LC_OP_READ_VARIABLE || n->op == LC_OP_ASSIGN_VARIABLE;
    return uses && p->variable[graph] && n->inputs[0] >= 0 ? p->variable[graph][n->inputs[0]] : NULL;
}

/* By position, for the graph that is called may be written already and its tensors have other numbers. */
lc_steps lc_quant_port_input(const lc_quant_ports *p, size_t graph, const lc_node *n, uint32_t i) {
    const lc_steps as_float = {.type = LC_FLOAT32};
    const lc_quant_variable *v = i == 1 ? lc_quant_port_variable(p, graph, n) : NULL;
    if (v) return v->steps;
    int32_t called[2];
    const uint32_t first = n->op == LC_OP_IF;
    if ((n->op != LC_OP_WHILE && n->op != LC_OP_IF) || lc_op_calls(n, called, 2) != 2 || i < first) return as_float;
    return p->in[called[1]][i - first];
}
