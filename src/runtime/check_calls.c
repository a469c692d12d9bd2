/*
 * check_calls.c: subgraphs that run subgraphs (IF, WHILE, CALL_ONCE, StableHLO regions). The calls form a graph without cycles
 * that is no deeper than max_depth, so whoever follows calls ends, and with a bounded stack; and callers and called agree on
 * the number of inputs and outputs where the operator's meaning fixes them.
 *
 * LiteRT checks counts when it prepares the operator and cycles not at all (CVE-2021-29591 is a WHILE that runs itself).
 *
 * All calls of the model are collected into one list, sorted by caller as they come; cycles and depth by removing subgraphs
 * that nobody calls any more (Kahn 1962), in time linear in subgraphs and calls.
 */
#include "runtime/check.h"

typedef struct call {
    uint32_t caller, callee, op;
} call;

typedef struct calls {
    call *list;
    size_t n, capacity;
} calls;

static lc_status check_callee(const lc_check *c, size_t g, size_t i, const lc_node *node, int32_t callee, uint32_t which) {
    const lc_Model *m = c->model;
    if (callee < 0 || (uint32_t)callee >= m->subgraphs.n) {
        return lc_check_fail_op(c, LC_RULE_CALL_INDEX, g, i, "call %u: subgraph %d does not exist (there are %u)", which, callee,
                                m->subgraphs.n);
    }
    const lc_SubGraph *s = &m->subgraphs.data[callee];
    int64_t inputs, outputs;
    lc_op_call_arity(node, which, &inputs, &outputs);
    if ((inputs >= 0 && inputs != (int64_t)s->inputs.n) || (outputs >= 0 && outputs != (int64_t)s->outputs.n)) {
        return lc_check_fail_op(c, LC_RULE_CALL_COUNT, g, i, "subgraph %d has %u inputs and %u outputs, the call needs %lld and %lld",
                                callee, s->inputs.n, s->outputs.n, (long long)inputs, (long long)outputs);
    }
    return LC_OK;
}

/* Appends the calls of one operator. */
static lc_status collect(const lc_check *c, calls *all, size_t g, size_t i) {
    const lc_Operator *o = &c->model->subgraphs.data[g].operators.data[i];
    int32_t op = lc_tflite_op(&c->model->operator_codes.data[o->opcode_index]);
    if (!(lc_op_get(op)->flags & LC_OPF_CALLS)) return LC_OK;
    lc_node node = {.op = op, .input_count = o->inputs.n, .output_count = o->outputs.n};
    node.attrs_table = lc_tflite_options(o, &node.attrs);
    uint32_t n = lc_op_calls(&node, NULL, 0);
    if (n > 0 && !node.attrs) return lc_check_fail_op(c, LC_RULE_CALL_OPTIONS, g, i, "has no options that name its subgraphs");
    if ((op == LC_OP_WHILE || op == LC_OP_STABLEHLO_WHILE) && o->inputs.n != o->outputs.n) {
        return lc_check_fail_op(c, LC_RULE_CALL_COUNT, g, i, "has %u inputs and %u outputs, which must be as many", o->inputs.n,
                                o->outputs.n);
    }
    int32_t few[4], *callee = few;
    if (n > 4) {
        callee = lc_arena_array(c->scratch, n, sizeof *callee);
        if (!callee) return lc_fail_memory(c->err, "checking calls");
    }
    lc_op_calls(&node, callee, n);
    for (uint32_t k = 0; k < n; k++) {
        LC_TRY(check_callee(c, g, i, &node, callee[k], k));
        void *list = all->list;
        if (!lc_arena_grow(c->scratch, &list, &all->capacity, all->n + 1, sizeof(call))) return lc_fail_memory(c->err, "checking calls");
        all->list = list;
        all->list[all->n++] = (call){(uint32_t)g, (uint32_t)callee[k], (uint32_t)i};
    }
    return LC_OK;
}

/* Some subgraphs call each other in a circle; `left` marks those that were not removed. Names one call of the circle. */
static lc_status refuse_cycle(const lc_check *c, const calls *all, const uint32_t *open) {
    uint32_t n = c->model->subgraphs.n;
    size_t *via = lc_arena_array(c->scratch, n, sizeof *via); /* a call that reaches the subgraph from another one left */
    if (!via) return lc_fail_memory(c->err, "checking calls");
    uint32_t at = 0;
    for (size_t k = 0; k < all->n; k++) {
        if (open[all->list[k].caller] && open[all->list[k].callee]) via[all->list[k].callee] = k;
    }
    while (!open[at]) at++;
    /* Each subgraph left is called by one left: n steps back from any end on the circle. */
    for (uint32_t k = 0; k < n; k++) at = all->list[via[at]].caller;
    const call *found = &all->list[via[at]];
    return lc_check_fail_op(c, LC_RULE_CALL_CYCLE, found->caller, found->op, "runs subgraph %u, which leads back to subgraph %u",
                            found->callee, found->caller);
}

lc_status lc_check_calls(const lc_check *c) {
    const lc_Model *m = c->model;
    uint32_t n = m->subgraphs.n;
    calls all = {0};
    for (size_t g = 0; g < n; g++) {
        for (size_t i = 0; i < m->subgraphs.data[g].operators.n; i++) LC_TRY(collect(c, &all, g, i));
    }
    if (all.n == 0) return LC_OK;
    uint32_t *open = lc_arena_array(c->scratch, n, sizeof *open);   /* calls of it by subgraphs that are not removed yet */
    uint32_t *depth = lc_arena_array(c->scratch, n, sizeof *depth); /* longest chain of calls that ends here */
    uint32_t *queue = lc_arena_array(c->scratch, n, sizeof *queue);
    size_t *first = lc_arena_array(c->scratch, (size_t)n + 1, sizeof *first); /* its calls in all.list */
    if (!open || !depth || !queue || !first) return lc_fail_memory(c->err, "checking calls");
    for (size_t k = 0; k < all.n; k++) {
        open[all.list[k].callee]++;
        first[all.list[k].caller + 1]++;
    }
    for (uint32_t g = 0; g < n; g++) first[g + 1] += first[g];
    uint32_t head = 0, tail = 0;
    for (uint32_t g = 0; g < n; g++) {
        if (open[g] == 0) queue[tail++] = g;
    }
    while (head < tail) {
        uint32_t g = queue[head++];
        for (size_t k = first[g]; k < first[g + 1]; k++) {
            uint32_t callee = all.list[k].callee;
            if (depth[g] + 1 > depth[callee]) depth[callee] = depth[g] + 1;
            if (depth[callee] > c->limits->max_depth) {
                return lc_check_fail_op(c, LC_RULE_CALL_DEPTH, g, all.list[k].op, "runs subgraph %u at depth %u, the limit is %u", callee,
                                        depth[callee], c->limits->max_depth);
            }
            if (--open[callee] == 0) queue[tail++] = callee;
        }
    }
    return tail == n ? LC_OK : refuse_cycle(c, &all, open);
}
