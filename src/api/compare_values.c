/*
 * compare_values.c: what a model computes, as a list. QUANTIZE and DEQUANTIZE change how a value is written, not what it is: the tensors on both
 * sides of one are the same value here, and so is a float16 weight beside the float32 one that is made of it. For such a value stands its
 * first integer form, whose steps are what a comparison is about, else its first form.
 */
#include "api/compare.h"

static bool is_stepped(const lc_tensor *t) {
    int64_t first, last;
    return t->quant && t->quant->scale.n > 0 && lc_cmp_step_range(t->type, &first, &last);
}

static lc_status add_value(lc_cmp_side *s, int32_t graph, int32_t tensor, int32_t node, uint32_t output, lc_error *err) {
    void *items = s->values;
    if (s->value_of[graph][tensor] >= 0) return LC_OK;
    if (!lc_arena_grow(&s->arena, &items, &s->capacity, s->count + 1, sizeof *s->values)) return lc_fail_memory(err, "comparison");
    s->values = items;
    s->value_of[graph][tensor] = (int32_t)s->count;
    s->values[s->count++] = (lc_cmp_value){.graph = graph,
                                           .tensor = tensor,
                                           .first = tensor,
                                           .node = node,
                                           .reader = -1,
                                           .output = output,
                                           .constant = lc_tensor_is_const(&s->model->graphs[graph]->tensors[tensor]),
                                           .pair = -1};
    return LC_OK;
}

/* The output is another form of what goes in. */
static void add_form(lc_cmp_side *s, int32_t graph, int32_t from, int32_t to) {
    const lc_graph *g = s->model->graphs[graph];
    const int32_t value = s->value_of[graph][from];
    lc_cmp_value *v = &s->values[value];
    s->value_of[graph][to] = value;
    if (!is_stepped(&g->tensors[v->tensor]) && is_stepped(&g->tensors[to])) v->tensor = to;
}

static lc_status list_graph(lc_cmp_side *s, int32_t graph, lc_error *err);

static lc_status list_node(lc_cmp_side *s, int32_t graph, int32_t index, lc_error *err) {
    const lc_node *n = &s->model->graphs[graph]->nodes[index];
    int32_t called[64];
    const uint32_t calls = lc_op_calls(n, called, 64);
    for (uint32_t i = 0; i < n->input_count; i++) { /* constants, where they are first read */
        if (n->inputs[i] < 0) continue;
        LC_TRY(add_value(s, graph, n->inputs[i], -1, 0, err));
        lc_cmp_value *v = &s->values[s->value_of[graph][n->inputs[i]]];
        if (v->reader < 0 && n->op != LC_OP_DEQUANTIZE) v->reader = index;
    }
    for (uint32_t i = 0; i < calls && i < 64; i++)
        if (called[i] >= 0 && (size_t)called[i] < s->model->graph_count && !s->value_of[called[i]]) LC_TRY(list_graph(s, called[i], err));
    if ((n->op == LC_OP_QUANTIZE || n->op == LC_OP_DEQUANTIZE) && n->input_count == 1 && n->output_count == 1 && n->inputs[0] >= 0 &&
        n->outputs[0] >= 0) {
        add_form(s, graph, n->inputs[0], n->outputs[0]);
        return LC_OK;
    }
    for (uint32_t i = 0; i < n->output_count; i++)
        if (n->outputs[i] >= 0) LC_TRY(add_value(s, graph, n->outputs[i], index, i, err));
    return LC_OK;
}

/* The graphs of a model call each other without cycles (ir.h), so this ends. */
static lc_status list_graph(lc_cmp_side *s, int32_t graph, lc_error *err) {
    const lc_graph *g = s->model->graphs[graph];
    s->value_of[graph] = lc_arena_array(&s->arena, g->tensor_count ? g->tensor_count : 1, sizeof **s->value_of);
    if (!s->value_of[graph]) return lc_fail_memory(err, "comparison");
    for (size_t t = 0; t < g->tensor_count; t++) s->value_of[graph][t] = -1;
    for (size_t i = 0; i < g->input_count; i++) LC_TRY(add_value(s, graph, g->inputs[i], -1, (uint32_t)i, err));
    for (size_t i = 0; i < g->node_count; i++) LC_TRY(list_node(s, graph, (int32_t)i, err));
    for (size_t i = 0; i < g->output_count; i++) LC_TRY(add_value(s, graph, g->outputs[i], -1, 0, err)); /* constants */
    return LC_OK;
}

lc_status lc_cmp_side_init(lc_cmp_side *side, const lc_model *model, int32_t graph, lc_error *err) {
    *side = (lc_cmp_side){.model = model};
    side->value_of = lc_arena_array(&side->arena, model->graph_count, sizeof *side->value_of);
    return side->value_of ? list_graph(side, graph, err) : lc_fail_memory(err, "comparison");
}

void lc_cmp_side_deinit(lc_cmp_side *side) { lc_arena_deinit(&side->arena); }
