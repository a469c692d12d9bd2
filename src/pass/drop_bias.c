/*
 * drop_bias.c: a dense layer's bias of nothing but zeros goes; what is left in its place is an input that is absent, which every runtime takes.
 * Convolutions keep theirs: kernels of other runtimes ask for one.
 */
#include "pass/rewrite.h"

enum { BIAS = 2 };

static bool is_zeros(const lc_tensor *t) {
    uint64_t n;
    if (t->type != LC_FLOAT32 || !t->data || t->is_variable || !lc_tensor_elements(t, &n)) return false;
    for (uint64_t i = 0; i < n; i++)
        if (((const float *)t->data)[i] != 0) return false;
    return true;
}

lc_status lc_pass_drop_bias(lc_rewrite *rw) {
    for (size_t i = 0; i < rw->graph->node_count; i++) {
        lc_node *n = &rw->graph->nodes[i];
        if (n->op != LC_OP_FULLY_CONNECTED || n->input_count <= BIAS || n->inputs[BIAS] == LC_ABSENT) continue;
        if (is_zeros(lc_rewrite_tensor(rw, n->inputs[BIAS]))) lc_rewrite_set_input(rw, n, BIAS, LC_ABSENT);
    }
    return LC_OK;
}
