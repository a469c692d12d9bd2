/*
 * report.c: operators that stayed float, and why. Texts are copied, so that the report outlives the models.
 */
#include "quant/quant.h"

#include <string.h>

lc_status lc_quant_note_add(lc_quant_report *r, const lc_graph *graph, const lc_node *node, const char *reason, lc_error *err) {
    void *items = r->notes;
    const lc_str output = node->output_count && node->outputs[0] >= 0 ? graph->tensors[node->outputs[0]].name : LC_STR("");
    const char *layer = node->layer ? node->layer : output.data ? output.data : "";
    const char *op = node->op == LC_OP_CUSTOM && node->custom_code.data ? node->custom_code.data : lc_op_name(node->op);
    if (!lc_arena_grow(&r->arena, &items, &r->note_capacity, r->note_count + 1, sizeof *r->notes)) return lc_fail_memory(err, "report");
    r->notes = items;
    lc_quant_note *n = &r->notes[r->note_count];
    n->op = lc_arena_strndup(&r->arena, op, strlen(op));
    n->layer = lc_arena_strndup(&r->arena, layer, strlen(layer));
    n->reason = lc_arena_strndup(&r->arena, reason, strlen(reason));
    if (!n->op || !n->layer || !n->reason) return lc_fail_memory(err, "report");
    r->note_count++;
    return LC_OK;
}

static bool alike(const lc_quant_note *a, const lc_quant_note *b) { return strcmp(a->op, b->op) == 0 && strcmp(a->reason, b->reason) == 0; }

void lc_quant_notes_print(const lc_quant_report *r, const char *indent, lc_text *out) {
    enum { MOST_NAMES = 3 };
    for (size_t i = 0; i < r->note_count; i++) {
        const lc_quant_note *first = &r->notes[i];
        size_t count = 0;
        bool said = false;
        for (size_t k = 0; k < i && !said; k++) said = alike(&r->notes[k], first);
        if (said) continue;
        for (size_t k = i; k < r->note_count; k++) count += alike(&r->notes[k], first);
        lc_text_printf(out, "%s%zu %s: %s (", indent, count, first->op, first->reason);
        size_t named = 0;
        for (size_t k = i; k < r->note_count && named < MOST_NAMES; k++) {
            if (!alike(&r->notes[k], first)) continue;
            if (named++) lc_text_add(out, ", ");
            lc_text_add_safe(out, r->notes[k].layer, strlen(r->notes[k].layer));
        }
        lc_text_add(out, count > named ? ", ...)\n" : ")\n");
    }
}
