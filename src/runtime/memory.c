/*
 * memory.c: which tensors share memory, and for how long each block lives.
 *
 * A group is a set of tensors that are the same bytes: a view with its source, an in-place output with the input it overwrites.
 * Each group becomes one block of the plan. Graph inputs keep their contents over a run (the caller may run again), so
 * their blocks live throughout and are never overwritten; graph outputs live until the end. Scratch lives for its own step. A bound
 * tensor has memory of its own and no place here.
 */
#include "runtime/exec.h"

#include <string.h>

typedef struct group {
    int32_t root;        /* tensor whose group this one belongs to; itself when it owns the block; -1: needs no block */
    int32_t first, last; /* of the group, kept at the root; first is INT32_MAX until something writes it */
    bool input, output;  /* the group holds a graph input / output */
} group;

static int32_t root_of(const group *groups, int32_t t) {
    while (groups[t].root != t) t = groups[t].root;
    return t;
}

/* Last step that reads each tensor, into groups[t].last (before groups form). */
static void find_last_uses(const lc_exec *exec, group *groups) {
    for (uint32_t s = 0; s < exec->step_count; s++) {
        const lc_node *node = exec->steps[s].node;
        for (uint32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] >= 0) groups[node->inputs[i]].last = (int32_t)s;
    }
}

/* The output of step s takes over the group of input tensor `in`. */
static void join(group *groups, int32_t out, int32_t in) {
    const int32_t r = root_of(groups, in);
    groups[out].root = r;
    if (groups[out].last > groups[r].last) groups[r].last = groups[out].last;
    groups[r].output |= groups[out].output;
}

static bool can_view(const group *groups, const lc_exec *exec, int32_t in, int32_t out) {
    if (in < 0 || groups[in].root < 0) return false;
    /* An output must not change when the caller writes the next input, nor what was read of a variable when an operator changes it. */
    return !exec->graph->tensors[root_of(groups, in)].is_variable && !(groups[root_of(groups, in)].input && groups[out].output) &&
           exec->values[in].size == exec->values[out].size;
}

static bool can_overwrite(const group *groups, const lc_exec *exec, int32_t in, int32_t out, int32_t step) {
    if (in < 0 || groups[in].root < 0) return false;
    const group *g = &groups[root_of(groups, in)];
    return !g->input && !g->output && g->last == step && exec->values[in].size == exec->values[out].size;
}

static void form_groups(lc_exec *exec, group *groups) {
    for (uint32_t s = 0; s < exec->step_count; s++) {
        lc_step *step = &exec->steps[s];
        const lc_node *node = step->node;
        const uint32_t flags = lc_op_of(node)->flags;
        for (uint32_t i = 0; i < node->output_count; i++) {
            const int32_t out = node->outputs[i];
            if (out < 0 || groups[out].root < 0 || exec->graph->tensors[out].is_variable) continue;
            groups[out].first = (int32_t)s;
            if (groups[out].last < (int32_t)s) groups[out].last = (int32_t)s;
            if (i > 0 || node->input_count == 0) continue;
            if ((flags & LC_OPF_VIEW) && can_view(groups, exec, node->inputs[0], out)) {
                join(groups, out, node->inputs[0]);
                step->kernel = NULL;
            } else if (flags & LC_OPF_INPLACE) {
                for (uint32_t k = 0; k < node->input_count && k < 2; k++) {
                    if (!can_overwrite(groups, exec, node->inputs[k], out, (int32_t)s)) continue;
                    join(groups, out, node->inputs[k]);
                    break;
                }
            }
        }
    }
}

static void init_groups(const lc_exec *exec, group *groups) {
    const lc_graph *g = exec->graph;
    for (size_t t = 0; t < g->tensor_count; t++) {
        const lc_value *v = &exec->values[t];
        const bool block = !v->constant && !v->dynamic && v->shape.rank >= 0 && !g->tensors[t].bound;
        groups[t] = (group){.root = block ? (int32_t)t : -1, .first = INT32_MAX, .last = -1};
    }
    find_last_uses(exec, groups);
    for (size_t i = 0; i < g->input_count; i++) {
        group *in = &groups[g->inputs[i]];
        in->first = -1;
        in->last = (int32_t)exec->step_count;
        in->input = true;
    }
    for (size_t i = 0; i < g->output_count; i++) {
        groups[g->outputs[i]].last = (int32_t)exec->step_count;
        groups[g->outputs[i]].output = true;
    }
    for (size_t t = 0; t < g->tensor_count; t++)
        if (g->tensors[t].is_variable && groups[t].root >= 0) /* keeps its value from run to run */
            groups[t] = (group){.root = (int32_t)t, .first = -1, .last = (int32_t)exec->step_count, .input = true};
}

static bool item_size(size_t size, uint64_t *out) { return lc_align_u64(size ? size : 1, LC_PLAN_ALIGN, out); }

static lc_status make_items(lc_exec *exec, const group *groups, lc_error *err) {
    const lc_graph *g = exec->graph;
    lc_plan_item *items = lc_arena_array(&exec->arena, g->tensor_count + exec->step_count + 1, sizeof *items);
    if (!items) return lc_fail_memory(err, "memory plan");
    uint32_t n = 0;
    for (size_t t = 0; t < g->tensor_count; t++) {
        if (groups[t].root != (int32_t)t || groups[t].first == INT32_MAX) continue;
        items[n] = (lc_plan_item){.tensor = (int32_t)t, .node = -1, .first = groups[t].first, .last = groups[t].last};
        if (!item_size(exec->values[t].size, &items[n++].size)) return lc_fail(err, LC_LIMIT, "a tensor is too large to address");
    }
    for (uint32_t s = 0; s < exec->step_count; s++) {
        if (!exec->steps[s].ctx.scratch_size) continue;
        items[n] = (lc_plan_item){.tensor = -1, .node = (int32_t)s, .first = (int32_t)s, .last = (int32_t)s};
        if (!item_size(exec->steps[s].ctx.scratch_size, &items[n++].size))
            return lc_fail(err, LC_LIMIT, "a kernel's scratch is too large to address");
    }
    exec->plan = (lc_plan){.items = items, .count = n, .steps = (int32_t)exec->step_count};
    return LC_OK;
}

lc_status lc_exec_place(lc_exec *exec, lc_error *err) {
    const lc_graph *g = exec->graph;
    lc_arena temporary = {0};
    group *groups = lc_arena_array(&temporary, g->tensor_count ? g->tensor_count : 1, sizeof *groups);
    lc_status status = groups ? LC_OK : lc_fail_memory(err, "memory plan");
    if (status == LC_OK) {
        init_groups(exec, groups);
        form_groups(exec, groups);
        status = make_items(exec, groups, err);
    }
    if (status == LC_OK) status = lc_plan_place(&exec->plan, &temporary, err);
    size_t size = 0;
    if (status == LC_OK && (!lc_u64_to_size(exec->plan.size, &size) || !lc_exec_charge(exec, 0, exec->plan.size))) {
        const bool others = exec->options.budget->bytes > 0; /* memory that is in use: of the caller's graph, of weights */
        status = lc_fail(err, LC_LIMIT, "the model's activations need %llu bytes%s, over the limit of %llu",
                         (unsigned long long)exec->plan.size, others ? " more" : "", (unsigned long long)exec->options.max_memory);
        lc_error_hint(err, "use a smaller batch or input, or raise the memory limit");
    }
    if (status == LC_OK) exec->charged += exec->plan.size;
    if (status == LC_OK) {
        /* Inputs and variables start as zeros; everything else is written before it is read. A plan that is only looked at
         * (inspect) costs no memory: nothing is touched here. */
        exec->block = lc_calloc_aligned(size ? size : 1);
        if (!exec->block) status = lc_fail_memory(err, "activations");
    }
    if (status == LC_OK) {
        for (uint32_t i = 0; i < exec->plan.count; i++) {
            const lc_plan_item *it = &exec->plan.items[i];
            uint8_t *at = (uint8_t *)exec->block + it->offset;
            if (it->tensor >= 0) exec->values[it->tensor].data = at;
            else exec->steps[it->node].ctx.scratch = at;
        }
        for (size_t t = 0; t < g->tensor_count; t++)
            if (groups[t].root >= 0) exec->values[t].data = exec->values[root_of(groups, (int32_t)t)].data;
            else if (g->tensors[t].bound) exec->values[t].data = g->tensors[t].bound;
    }
    lc_arena_deinit(&temporary);
    return status;
}
