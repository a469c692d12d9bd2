/*
 * inspect.c: looks inside a model: counts what a report states once, then one of the two writers prints it. Nothing here
 * changes the model. The memory plan is that of a real session on this machine's kernels; a model that litec cannot run
 * yet (an operator without a kernel, open shapes, too little memory) is described all the same, with the reason in place of the plan.
 */
#include "api/inspect.h"

#include <stdlib.h>
#include <string.h>

lc_str lc_report_op_name(const lc_node *node) {
    if (node->op == LC_OP_CUSTOM && node->custom_code.size) return node->custom_code;
    return lc_str_of(lc_op_name(node->op));
}

uint64_t lc_report_node_constants(const lc_graph *graph, const lc_node *node) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const int32_t t = node->inputs[i];
        bool seen = t < 0 || !lc_tensor_is_const(&graph->tensors[t]);
        for (uint32_t j = 0; j < i && !seen && node->input_count <= 64; j++) seen = node->inputs[j] == t;
        if (!seen) bytes += graph->tensors[t].size;
    }
    return bytes;
}

/* Weights, not shapes, axes and indices: those are plain integers without a scale. */
static bool is_parameter(const lc_tensor *t) {
    const bool plain_integer = t->type == LC_INT32 || t->type == LC_INT64 || t->type == LC_UINT32 || t->type == LC_UINT64;
    if (t->type == LC_STRING || t->type == LC_BOOL || lc_dtype_bits(t->type) == 0) return false;
    return !plain_integer || (t->quant && t->quant->scale.n > 0);
}

/* What tensors that share a constant have in common: the address of its bytes, or of what they are made from. */
static const void *origin(const lc_tensor *t) { return t->deferred ? (const void *)t->deferred : t->data; }

static int by_data(const void *pa, const void *pb) {
    const lc_tensor *a = *(const lc_tensor *const *)pa, *b = *(const lc_tensor *const *)pb;
    const uintptr_t x = (uintptr_t)origin(a), y = (uintptr_t)origin(b);
    if (x != y) return x < y ? -1 : 1;
    return a->size > b->size ? -1 : a->size < b->size;
}

/* Constants that several tensors share lie at one address: sorted by address they stand together and count once. */
static lc_status count_constants(lc_report *r, lc_error *err) {
    const lc_tensor **list = lc_calloc(r->tensors ? r->tensors : 1, sizeof *list);
    if (!list) return lc_fail_memory(err, "report");
    size_t n = 0;
    for (size_t g = 0; g < r->model->graph_count; g++) {
        const lc_graph *graph = r->model->graphs[g];
        for (size_t t = 0; t < graph->tensor_count; t++)
            if (lc_tensor_is_const(&graph->tensors[t]) && graph->tensors[t].size) list[n++] = &graph->tensors[t];
    }
    qsort(list, n, sizeof *list, by_data);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && origin(list[i]) == origin(list[i - 1])) continue;
        uint64_t elements = 0;
        r->constant_bytes += list[i]->size;
        if (is_parameter(list[i]) && lc_tensor_elements(list[i], &elements)) r->parameters += elements;
    }
    lc_free(list);
    return LC_OK;
}

static void count_graphs(lc_report *r) {
    for (size_t g = 0; g < r->model->graph_count; g++) {
        const lc_graph *graph = r->model->graphs[g];
        r->operators += graph->node_count;
        r->tensors += graph->tensor_count;
        for (size_t i = 0; i < graph->node_count; i++)
            if (!lc_add_u64(r->macs, lc_op_macs(graph, &graph->nodes[i]), &r->macs)) r->macs = UINT64_MAX;
    }
}

lc_status lc_report_begin(lc_report *r, lc_error *err) {
    r->states_ranks = lc_model_states_ranks(r->model);
    count_graphs(r);
    LC_TRY(count_constants(r, err));
    if (!(r->parts & (LC_REPORT_SUMMARY | LC_REPORT_MEMORY))) return LC_OK;
    /* A session holds a reference, for which it needs the model unqualified; it changes nothing that can be seen. */
    const lc_session_options how = {.max_memory = r->model->limits.max_memory};
    if (lc_session_create((lc_model *)(uintptr_t)r->model, &how, &r->session, &r->why)) r->session = NULL;
    if (r->session && !lc_session_exec(r->session)) { /* it needs its inputs resized first */
        r->why = r->session->unplanned;
        lc_report_end(r);
    }
    return LC_OK;
}

void lc_report_end(lc_report *r) {
    lc_session_destroy(r->session);
    r->session = NULL;
}

lc_status lc_model_inspect(const lc_model *model, lc_report_format format, uint32_t parts, char **text, lc_error *err) {
    const uint32_t all = LC_REPORT_SUMMARY | LC_REPORT_OPS | LC_REPORT_TENSORS | LC_REPORT_MEMORY;
    lc_error_clear(err);
    if (!text) return lc_fail(err, LC_ARGUMENT, "lc_model_inspect needs a place for the text");
    *text = NULL;
    if (!model || (parts & ~all) || (format != LC_REPORT_TEXT && format != LC_REPORT_JSON))
        return lc_fail(err, LC_ARGUMENT, "lc_model_inspect: %s", model ? "unknown format or part" : "no model");
    lc_report r = {.model = model, .parts = parts ? parts : all & ~LC_REPORT_MEMORY};
    const lc_status status = lc_report_begin(&r, err);
    if (status) {
        lc_report_end(&r);
        return status;
    }
    lc_text out = {0};
    if (format == LC_REPORT_JSON) lc_report_json(&r, &out);
    else lc_report_text(&r, &out);
    lc_report_end(&r);
    *text = lc_text_take(&out);
    return *text ? LC_OK : lc_fail_memory(err, "report");
}
