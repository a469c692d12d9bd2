/*
 * fold_constants.c: an operator whose inputs are all constant is computed once, with our own reference kernels, and its output
 * becomes a constant. SHAPE of a tensor whose dimensions are all fixed is a constant too. Left alone: operators with side
 * effects, quantised tensors, and what would blow a small constant up into a large one (a TILE or FILL of megabytes).
 */
#include "ir/constant.h"
#include "kernels/kernel.h"
#include "pass/rewrite.h"

#include <string.h>

#define GROWTH_FREE ((uint64_t)64 << 10) /* outputs up to this size may be any multiple of their inputs */

static bool is_closed(const lc_tensor *t) {
    if (t->rank == 0 && !t->has_rank && !lc_tensor_is_const(t)) return false; /* of unknown rank */
    for (int32_t d = 0; d < t->rank; d++)
        if (lc_tensor_dim(t, d) < 0) return false;
    return t->rank <= LC_MAX_RANK;
}

static bool can_fold(const lc_rewrite *rw, const lc_node *node, uint64_t *bytes_in) {
    const lc_op_def *def = lc_op_get(node->op);
    if (!def || (def->flags & (LC_OPF_SIDE_EFFECT | LC_OPF_CALLS)) || node->output_count == 0 || !lc_kernel_ref(node->op)) return false;
    bool any = false;
    *bytes_in = 0;
    for (uint32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0 && lc_rewrite_tensor(rw, node->outputs[i])->is_variable) return false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        const lc_tensor *t = lc_rewrite_tensor(rw, node->inputs[i]);
        if (t->quant || t->is_variable || !is_closed(t) || !(lc_tensor_is_const(t) || node->op == LC_OP_SHAPE)) return false;
        *bytes_in += t->size;
        any = true;
    }
    return any;
}

static void value_of(const lc_tensor *t, lc_value *v) {
    *v = (lc_value){.type = t->type, .data = (void *)(uintptr_t)t->data, .size = t->size, .constant = t->data != NULL, .def = t};
    v->shape.rank = t->rank;
    if (t->rank) memcpy(v->shape.dims, t->dims, (size_t)t->rank * sizeof *t->dims);
}

/* *folded: false when the operator turned out not to be computable here, which is no error: it stays in the graph. */
static lc_status fold(lc_rewrite *rw, size_t index, uint64_t bytes_in, bool *folded) {
    lc_graph *g = rw->graph;
    lc_node *node = &g->nodes[index];
    *folded = false;
    lc_status status = lc_graph_infer_node(g, index, NULL);
    if (status != LC_OK) return status == LC_NO_MEMORY ? lc_fail_memory(rw->err, "constant folding") : LC_OK;
    const size_t n = (size_t)node->input_count + node->output_count;
    lc_value *values = lc_arena_array(&rw->temporary, n, sizeof *values);
    lc_value **io = lc_arena_array(&rw->temporary, n, sizeof *io);
    if (!values || !io) return lc_fail_memory(rw->err, "constant folding");
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        if (node->op != LC_OP_SHAPE) LC_TRY(lc_tensor_make(g->model, lc_rewrite_tensor(rw, node->inputs[i]), rw->err));
        value_of(lc_rewrite_tensor(rw, node->inputs[i]), &values[i]);
        io[i] = &values[i];
    }
    for (uint32_t i = 0; i < node->output_count; i++) {
        const lc_tensor *t = lc_rewrite_tensor(rw, node->outputs[i]);
        lc_value *v = &values[node->input_count + i];
        uint64_t elements, bytes;
        if (!is_closed(t) || !lc_tensor_elements(t, &elements) || !lc_dtype_bytes(t->type, elements, &bytes)) return LC_OK;
        if (bytes > GROWTH_FREE && bytes / 4 > bytes_in) return LC_OK;
        value_of(t, v);
        v->constant = false;
        v->size = (size_t)bytes;
        v->data = lc_arena_data(rw->arena, v->size ? v->size : 1);
        if (!v->data) return lc_fail_memory(rw->err, "constant");
        io[node->input_count + i] = v;
    }
    lc_error why;
    status = lc_kernel_run_once(node, io, node->input_count, io + node->input_count, node->output_count, NULL, &rw->temporary, &why);
    if (status != LC_OK) return status == LC_NO_MEMORY ? lc_fail_memory(rw->err, "constant folding") : LC_OK;
    for (uint32_t i = 0; i < node->output_count; i++) {
        lc_tensor *t = lc_rewrite_tensor(rw, node->outputs[i]);
        t->data = values[node->input_count + i].data;
        t->size = values[node->input_count + i].size;
        t->data_at = LC_NO_OFFSET;
        t->data_owned = true;
    }
    *folded = true;
    return LC_OK;
}

lc_status lc_pass_fold_constants(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *node = &rw->graph->nodes[n];
        uint64_t bytes_in;
        bool folded;
        if (!can_fold(rw, node, &bytes_in)) continue;
        LC_TRY(fold(rw, n, bytes_in, &folded));
        if (folded) lc_rewrite_kill(rw, node);
    }
    return LC_OK;
}
