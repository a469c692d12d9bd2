/*
 * check_signature.c: signatures give names to a subgraph's inputs and outputs. Keys are unique in the model, names are unique
 * among the inputs and among the outputs of a signature, and each stands for an input or output of its subgraph.
 *
 * LiteRT keeps names in a map, so of two equal ones the last wins, and hands out whatever tensor an entry names, also one
 * whose memory another tensor has at that time.
 */
#include "runtime/check.h"
#include <string.h>

static int compare(lc_str a, lc_str b) {
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    return order ? order : a.size < b.size ? -1 : a.size > b.size;
}

static bool less_entry(const void *context, uint32_t a, uint32_t b) {
    const lc_TensorMap *list = context;
    return compare(list[a].name, list[b].name) < 0;
}

static bool less_signature(const void *context, uint32_t a, uint32_t b) {
    const lc_SignatureDef *list = context;
    return compare(list[a].signature_key, list[b].signature_key) < 0;
}

static uint32_t *identity(const lc_check *c, uint32_t n) {
    uint32_t *order = lc_arena_array(c->scratch, n, sizeof *order);
    for (uint32_t i = 0; order && i < n; i++) order[i] = i;
    return order;
}

static lc_status check_entries(const lc_check *c, size_t s, const lc_TensorMap *list, uint32_t n, lc_rule rule, uint8_t mark,
                               const char *what) {
    const lc_SignatureDef *d = &c->model->signature_defs.data[s];
    const lc_SubGraph *g = &c->model->subgraphs.data[d->subgraph_index];
    for (uint32_t i = 0; i < n; i++) {
        const lc_TensorMap *e = &list[i];
        if (!e->name.data) return lc_check_fail(c, LC_RULE_SIGNATURE_NAME, e->at, "signature %zu, %s %u has no name", s, what, i);
        int shown = e->name.size > 80 ? 80 : (int)e->name.size;
        if (e->tensor_index >= g->tensors.n) {
            return lc_check_fail(c, rule, e->at, "signature %zu, %s \"%.*s\": tensor %u of subgraph %u does not exist (there are %u)", s,
                                 what, shown, e->name.data, e->tensor_index, d->subgraph_index, g->tensors.n);
        }
        if (!(c->marks[d->subgraph_index][e->tensor_index] & mark)) {
            return lc_check_fail(c, rule, e->at, "signature %zu, %s \"%.*s\": tensor %u is no %s of subgraph %u", s, what, shown,
                                 e->name.data, e->tensor_index, what, d->subgraph_index);
        }
    }
    uint32_t *order = identity(c, n);
    if (!order) return lc_fail_memory(c->err, "checking signatures");
    lc_sort_indices(order, n, less_entry, list);
    for (uint32_t i = 1; i < n; i++) {
        const lc_TensorMap *e = &list[order[i]];
        if (compare(list[order[i - 1]].name, e->name) == 0) {
            int shown = e->name.size > 80 ? 80 : (int)e->name.size;
            return lc_check_fail(c, LC_RULE_SIGNATURE_NAME, e->at, "signature %zu: two %ss are called \"%.*s\"", s, what, shown,
                                 e->name.data);
        }
    }
    return LC_OK;
}

lc_status lc_check_signatures(const lc_check *c) {
    const lc_Model *m = c->model;
    uint32_t n = m->signature_defs.n;
    for (uint32_t s = 0; s < n; s++) {
        const lc_SignatureDef *d = &m->signature_defs.data[s];
        if (!d->signature_key.data) return lc_check_fail(c, LC_RULE_SIGNATURE_KEY, d->at, "signature %u has no key", s);
        if (d->subgraph_index >= m->subgraphs.n) {
            return lc_check_fail(c, LC_RULE_SIGNATURE_GRAPH, d->at, "signature %u: subgraph %u does not exist (there are %u)", s,
                                 d->subgraph_index, m->subgraphs.n);
        }
        LC_TRY(check_entries(c, s, d->inputs.data, d->inputs.n, LC_RULE_SIGNATURE_INPUT, LC_MARK_INPUT, "input"));
        LC_TRY(check_entries(c, s, d->outputs.data, d->outputs.n, LC_RULE_SIGNATURE_OUTPUT, LC_MARK_OUTPUT, "output"));
    }
    uint32_t *order = identity(c, n);
    if (!order) return lc_fail_memory(c->err, "checking signatures");
    lc_sort_indices(order, n, less_signature, m->signature_defs.data);
    for (uint32_t i = 1; i < n; i++) {
        const lc_SignatureDef *d = &m->signature_defs.data[order[i]];
        if (compare(m->signature_defs.data[order[i - 1]].signature_key, d->signature_key) == 0) {
            int shown = d->signature_key.size > 80 ? 80 : (int)d->signature_key.size;
            return lc_check_fail(c, LC_RULE_SIGNATURE_KEY, d->at, "signatures %u and %u are both called \"%.*s\"", order[i - 1], order[i],
                                 shown, d->signature_key.data);
        }
    }
    return LC_OK;
}
