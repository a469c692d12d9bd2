/*
 * inspect_text.c: the report for people: columns that line up, sizes in units, names made safe for a terminal. In shapes
 * "?" is an open dimension and "..." an unknown rank. The memory picture shows one line a step: the arena from left to right, each block a letter
 * over its place for as long as it is alive, "." where nothing is.
 */
#include "api/inspect.h"

#include <inttypes.h>
#include <string.h>

static void add_name(lc_text *out, lc_str s) {
    lc_text_add(out, "\"");
    if (s.data) lc_text_add_safe(out, s.data, s.size);
    lc_text_add(out, "\"");
}

/* Names that MLIR joins from many layers run to hundreds of bytes: where a name only helps to recognise, its start does. */
#define NAME_SHORT 44
static void add_short_name(lc_text *out, lc_str s) {
    if (!s.data || s.size <= NAME_SHORT) {
        add_name(out, s);
        return;
    }
    size_t n = NAME_SHORT - 3;
    while (n > 0 && ((unsigned char)s.data[n] & 0xc0) == 0x80) n--; /* not inside a UTF-8 character */
    lc_text_add(out, "\"");
    lc_text_add_safe(out, s.data, n);
    lc_text_add(out, "...\"");
}

/* "float32[?,28,28]"; of an unknown rank "float32[...]" */
static void add_type(lc_text *out, const lc_report *r, const lc_tensor *t) {
    lc_text_printf(out, "%s[", lc_dtype_name(t->type));
    if (lc_tensor_any_rank(t, r->states_ranks)) lc_text_add(out, "...");
    for (int32_t d = 0; d < t->rank; d++) {
        const int32_t dim = lc_tensor_dim(t, d);
        if (dim < 0) lc_text_add(out, d ? ",?" : "?");
        else lc_text_printf(out, d ? ",%d" : "%d", (int)dim);
    }
    lc_text_add(out, "]");
}

/* Adds spaces until the line that began at `start` is `width` wide, at least two. */
static void pad_to(lc_text *out, size_t start, size_t width) {
    lc_text_add(out, "  ");
    while (!out->failed && out->size < start + width + 2) lc_text_add(out, " ");
}

static size_t type_width(const lc_report *r, const lc_tensor *t) {
    size_t n = strlen(lc_dtype_name(t->type)) + 2 + (t->rank > 1 ? (size_t)t->rank - 1 : 0);
    if (lc_tensor_any_rank(t, r->states_ranks)) n += strlen("...");
    for (int32_t d = 0; d < t->rank; d++) {
        const int32_t dim = lc_tensor_dim(t, d);
        char buffer[16];
        n += dim < 0 ? 1 : (size_t)snprintf(buffer, sizeof buffer, "%d", (int)dim);
    }
    return n;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* ---- summary ------------------------------------------------------------------------------------------------- */

static void add_quant(lc_text *out, const lc_QuantizationParameters *q) {
    if (!q || q->scale.n == 0) return;
    if (q->scale.n == 1)
        lc_text_printf(out, "  scale %.6g zero point %" PRId64, (double)q->scale.data[0],
                       q->zero_point.n ? q->zero_point.data[0] : (int64_t)0);
    else lc_text_printf(out, "  %" PRIu32 " scales along dimension %d", q->scale.n, (int)q->quantized_dimension);
}

static void add_io(lc_text *out, const lc_report *r, const char *title, const lc_graph *g, const int32_t *list, size_t n) {
    size_t width = 0;
    for (size_t i = 0; i < n; i++) width = larger(width, type_width(r, &g->tensors[list[i]]));
    for (size_t i = 0; i < n; i++) {
        const lc_tensor *t = &g->tensors[list[i]];
        lc_text_printf(out, "  %-7s %2zu  ", i ? "" : title, i);
        const size_t start = out->size;
        add_type(out, r, t);
        pad_to(out, start, width);
        add_name(out, t->name);
        add_quant(out, t->quant);
        lc_text_add(out, "\n");
    }
}

static void add_signature(lc_text *out, const lc_model *m, const lc_signature *s) {
    lc_text_add(out, "signature ");
    add_name(out, s->key);
    if (m->graph_count > 1) lc_text_printf(out, " (graph %d)", (int)s->graph);
    lc_text_add(out, ":");
    for (uint32_t i = 0; i < s->input_count; i++) {
        lc_text_add(out, i ? ", " : " ");
        add_name(out, s->inputs[i].name);
    }
    lc_text_add(out, " ->");
    for (uint32_t i = 0; i < s->output_count; i++) {
        lc_text_add(out, i ? ", " : " ");
        add_name(out, s->outputs[i].name);
    }
    lc_text_add(out, "\n");
}

static void add_summary(lc_text *out, const lc_report *r) {
    const lc_model *m = r->model;
    char a[32], b[32];
    for (size_t g = 0; g < m->graph_count; g++) {
        const lc_graph *graph = m->graphs[g];
        lc_text_printf(out, "graph %zu ", g);
        add_name(out, graph->name);
        lc_text_printf(out, ": %zu operator%s, %zu tensor%s\n", graph->node_count, graph->node_count == 1 ? "" : "s", graph->tensor_count,
                       graph->tensor_count == 1 ? "" : "s");
        add_io(out, r, "inputs", graph, graph->inputs, graph->input_count);
        add_io(out, r, "outputs", graph, graph->outputs, graph->output_count);
    }
    for (size_t i = 0; i < m->signature_count; i++) add_signature(out, m, &m->signatures[i]);
    if (m->description.size) {
        lc_text_add(out, "description ");
        add_name(out, m->description);
        lc_text_add(out, "\n");
    }
    for (size_t i = 0; i < m->metadata_count; i++) {
        lc_text_add(out, "metadata ");
        add_name(out, m->metadata[i].name);
        lc_text_printf(out, ": %s\n", lc_sized(m->metadata[i].data.n, a));
    }
    lc_text_printf(out, "parameters %s in %s", lc_grouped(r->parameters, a), lc_sized(r->constant_bytes, b));
    if (r->macs) lc_text_printf(out, "; one run %s multiply-accumulates", lc_grouped(r->macs, a));
    lc_text_add(out, "\n");
    if (r->session) {
        const lc_memory_stats s = lc_session_memory(r->session);
        lc_text_printf(out, "memory: arena %s (no plan can be under %s)", lc_sized(s.arena, a), lc_sized(s.arena_bound, b));
        lc_text_printf(out, ", packed weights %s for %s\n", lc_sized(s.packed, a), lc_session_isa(r->session));
    } else {
        lc_text_add(out, "memory: not planned: ");
        lc_text_add_safe(out, r->why.message, strlen(r->why.message));
        lc_text_add(out, "\n");
    }
}

/* ---- operators and tensors ------------------------------------------------------------------------------------ */

static const lc_tensor *first_output(const lc_graph *g, const lc_node *n) {
    for (uint32_t i = 0; i < n->output_count; i++)
        if (n->outputs[i] >= 0) return &g->tensors[n->outputs[i]];
    return NULL;
}

static void add_operands(lc_text *out, const lc_node *n) {
    for (uint32_t i = 0; i < n->input_count; i++) {
        lc_text_add(out, i ? "," : "");
        if (n->inputs[i] < 0) lc_text_add(out, "_"); /* not given */
        else lc_text_printf(out, "%d", (int)n->inputs[i]);
    }
    lc_text_add(out, "->");
    for (uint32_t i = 0; i < n->output_count; i++) lc_text_printf(out, i ? ",%d" : "%d", (int)n->outputs[i]);
}

static void add_operators(lc_text *out, const lc_report *r, const lc_graph *g) {
    size_t op_width = 8, type_columns = 6;
    for (size_t i = 0; i < g->node_count; i++) {
        const lc_tensor *t = first_output(g, &g->nodes[i]);
        op_width = larger(op_width, smaller(lc_report_op_name(&g->nodes[i]).size, 32));
        if (t) type_columns = larger(type_columns, smaller(type_width(r, t), 40));
    }
    lc_text_printf(out, "   #  %-*s  %-*s  %9s  %13s  %s\n", (int)op_width, "operator", (int)type_columns, "output", "weights", "MACs",
                   "tensors  name  options");
    for (size_t i = 0; i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        const lc_str op = lc_report_op_name(n);
        const lc_tensor *t = first_output(g, n);
        char a[32], b[32];
        lc_text_printf(out, "%4zu  ", i);
        size_t start = out->size;
        if (op.data) lc_text_add_safe(out, op.data, op.size);
        pad_to(out, start, op_width);
        start = out->size;
        if (t) add_type(out, r, t);
        pad_to(out, start, type_columns);
        const uint64_t weights = lc_report_node_constants(g, n), macs = lc_op_macs(g, n);
        lc_text_printf(out, "%9s  %13s  ", weights ? lc_sized(weights, a) : "-", macs ? lc_grouped(macs, b) : "-");
        add_operands(out, n);
        if (t && t->name.size) {
            lc_text_add(out, "  ");
            add_short_name(out, t->name);
        }
        if (n->attrs && n->attrs_table != LC_TABLE_NONE) {
            lc_text_add(out, "  ");
            lc_fb_print_text(n->attrs_table, n->attrs, out);
        }
        if (n->custom_options.data) lc_text_printf(out, "  custom options: %" PRIu32 " bytes", n->custom_options.n);
        lc_text_add(out, "\n");
    }
}

static void add_tensors(lc_text *out, const lc_report *r, const lc_graph *g) {
    size_t width = 4;
    for (size_t i = 0; i < g->tensor_count; i++) width = larger(width, smaller(type_width(r, &g->tensors[i]), 40));
    lc_text_printf(out, "   #  %-*s  %10s  %s\n", (int)width, "tensor", "constant", "name");
    for (size_t i = 0; i < g->tensor_count; i++) {
        const lc_tensor *t = &g->tensors[i];
        char a[32];
        lc_text_printf(out, "%4zu  ", i);
        const size_t start = out->size;
        add_type(out, r, t);
        pad_to(out, start, width);
        lc_text_printf(out, "%10s  ", lc_tensor_is_const(t) ? lc_sized(t->size, a) : t->is_variable ? "variable" : "-");
        add_name(out, t->name);
        add_quant(out, t->quant);
        if (t->sparsity) lc_text_add(out, "  sparse");
        lc_text_add(out, "\n");
    }
}

/* ---- memory -------------------------------------------------------------------------------------------------- */

#define PICTURE 64 /* columns of the picture */

static char letter_of(uint32_t item) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return letters[item % (sizeof letters - 1)];
}

/* One line of the picture: what lies where while `step` runs. Returns the bytes alive. */
static uint64_t draw(const lc_plan *plan, int32_t step, char line[PICTURE + 1]) {
    uint64_t alive = 0;
    memset(line, '.', PICTURE);
    line[PICTURE] = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        const lc_plan_item *it = &plan->items[i];
        if (step < it->first || step > it->last) continue;
        alive += it->size;
        const double scale = PICTURE / (double)(plan->size ? plan->size : 1);
        size_t from = (size_t)((double)it->offset * scale), to = (size_t)((double)(it->offset + it->size) * scale + 0.5);
        if (from >= PICTURE) from = PICTURE - 1;
        if (to <= from) to = from + 1; /* a small block still shows */
        if (to > PICTURE) to = PICTURE;
        memset(line + from, letter_of(i), to - from);
    }
    return alive;
}

static void add_memory(lc_text *out, const lc_report *r) {
    if (!r->session) {
        if (r->parts & LC_REPORT_SUMMARY) return; /* it says so */
        lc_text_add(out, "memory: not planned: ");
        lc_text_add_safe(out, r->why.message, strlen(r->why.message));
        lc_text_add(out, "\n");
        return;
    }
    const lc_exec *exec = lc_session_exec(r->session);
    const lc_graph *g = exec->graph;
    const lc_plan *plan = &exec->plan;
    char a[32], b[32], line[PICTURE + 1];
    lc_text_printf(out, "arena %s, %.3f of its lower bound; %" PRIu32 " blocks, %d step%s\n", lc_sized(plan->size, a),
                   plan->bound ? (double)plan->size / (double)plan->bound : 1.0, plan->count, (int)plan->steps,
                   plan->steps == 1 ? "" : "s");
    lc_text_printf(out, "%4s  %-20s  %10s  0%*s\n", "step", "operator", "alive", PICTURE, lc_sized(plan->size, b));
    for (int32_t s = -1; s < plan->steps; s++) {
        const uint64_t alive = draw(plan, s, line);
        if (s < 0) lc_text_printf(out, "%4s  %-20s", "-", "inputs");
        else lc_text_printf(out, "%4d  %-20.20s", (int)s, lc_op_name(exec->steps[s].node->op));
        lc_text_printf(out, "  %10s  |%s|%s\n", lc_sized(alive, a), line, alive == plan->bound ? " most" : "");
    }
    lc_text_printf(out, "%3s  %10s  %10s  %11s  %s\n", "", "offset", "size", "steps", "block");
    for (uint32_t i = 0; i < plan->count; i++) {
        const lc_plan_item *it = &plan->items[i];
        char first[16] = "-", steps[40];
        if (it->first >= 0) snprintf(first, sizeof first, "%d", (int)it->first);
        if (it->last >= plan->steps) snprintf(steps, sizeof steps, "%s to end", first);
        else snprintf(steps, sizeof steps, "%s to %d", first, (int)it->last);
        lc_text_printf(out, "%3c  %10" PRIu64 "  %10s  %11s  ", letter_of(i), it->offset, lc_sized(it->size, a), steps);
        if (it->tensor < 0) {
            lc_text_printf(out, "scratch of step %d\n", (int)it->node);
            continue;
        }
        lc_text_printf(out, "tensor %d ", (int)it->tensor);
        add_short_name(out, g->tensors[it->tensor].name);
        lc_text_add(out, "\n");
    }
}

/* ---- all ----------------------------------------------------------------------------------------------------- */

static void section(lc_text *out, const lc_report *r, const char *title, size_t graph) {
    if (out->size) lc_text_add(out, "\n");
    if (r->model->graph_count > 1) lc_text_printf(out, "%s of graph %zu\n", title, graph);
}

void lc_report_text(const lc_report *r, lc_text *out) {
    const lc_model *m = r->model;
    if (r->parts & LC_REPORT_SUMMARY) add_summary(out, r);
    for (size_t g = 0; g < m->graph_count && (r->parts & LC_REPORT_OPS); g++) {
        section(out, r, "operators", g);
        add_operators(out, r, m->graphs[g]);
    }
    for (size_t g = 0; g < m->graph_count && (r->parts & LC_REPORT_TENSORS); g++) {
        section(out, r, "tensors", g);
        add_tensors(out, r, m->graphs[g]);
    }
    if (r->parts & LC_REPORT_MEMORY) {
        if (out->size) lc_text_add(out, "\n");
        add_memory(out, r);
    }
}
