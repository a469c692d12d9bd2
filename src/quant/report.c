/*
 * report.c: operators that stayed float or did not become as small as was asked for, and why. Texts are copied, so that the report outlives the models.
 */
#include "quant/quant.h"

#include <string.h>

static const char *op_of(const lc_node *n) {
    return n->op == LC_OP_CUSTOM && n->custom_code.data ? n->custom_code.data : lc_op_name(n->op);
}

static const char *layer_of(const lc_graph *graph, const lc_node *n) {
    const lc_str output = n->output_count && n->outputs[0] >= 0 ? graph->tensors[n->outputs[0]].name : LC_STR("");
    return n->layer ? n->layer : output.data ? output.data : "";
}

lc_status lc_quant_note_add(lc_quant_report *r, lc_quant_notes *notes, const lc_graph *graph, const lc_node *node, const char *reason,
                            lc_error *err) {
    void *items = notes->items;
    const char *layer = layer_of(graph, node), *op = op_of(node);
    if (!lc_arena_grow(&r->arena, &items, &notes->capacity, notes->count + 1, sizeof *notes->items)) return lc_fail_memory(err, "report");
    notes->items = items;
    lc_quant_note *n = &notes->items[notes->count];
    n->op = lc_arena_strndup(&r->arena, op, strlen(op));
    n->layer = lc_arena_strndup(&r->arena, layer, strlen(layer));
    n->reason = lc_arena_strndup(&r->arena, reason, strlen(reason));
    if (!n->op || !n->layer || !n->reason) return lc_fail_memory(err, "report");
    notes->count++;
    return LC_OK;
}

lc_status lc_quant_note_move(lc_quant_report *r, const lc_graph *graph, const lc_node *node, lc_error *err) {
    lc_quant_notes *from = &r->floats;
    for (size_t i = 0; i < from->count; i++) {
        const lc_quant_note n = from->items[i];
        if (strcmp(n.op, op_of(node)) != 0 || strcmp(n.layer, layer_of(graph, node)) != 0) continue;
        LC_TRY(lc_quant_note_add(r, &r->hybrid, graph, node, n.reason, err));
        memmove(&from->items[i], &from->items[i + 1], (--from->count - i) * sizeof n);
        break;
    }
    return LC_OK;
}

static bool alike(const lc_quant_note *a, const lc_quant_note *b) { return strcmp(a->op, b->op) == 0 && strcmp(a->reason, b->reason) == 0; }

void lc_quant_notes_print(const lc_quant_notes *notes, const char *indent, lc_text *out) {
    enum { MOST_NAMES = 3 };
    for (size_t i = 0; i < notes->count; i++) {
        const lc_quant_note *first = &notes->items[i];
        size_t count = 0;
        bool said = false;
        for (size_t k = 0; k < i && !said; k++) said = alike(&notes->items[k], first);
        if (said) continue;
        for (size_t k = i; k < notes->count; k++) count += alike(&notes->items[k], first);
        lc_text_printf(out, "%s%zu %s: %s (", indent, count, first->op, first->reason);
        size_t named = 0;
        for (size_t k = i; k < notes->count && named < MOST_NAMES; k++) {
            if (!alike(&notes->items[k], first)) continue;
            if (named++) lc_text_add(out, ", ");
            lc_text_add_safe(out, notes->items[k].layer, strlen(notes->items[k].layer));
        }
        lc_text_add(out, count > named ? ", ...)\n" : ")\n");
    }
}
