/*
 * inspect_json.c: the report as one JSON object, for programs. Keys are stable and come in a fixed order, numbers are plain
 * numbers, shapes use -1 for an open dimension and are null for an unknown rank, a tensor is named by its index. docs/cli.md lists the keys.
 */
#include "api/inspect.h"

#include <inttypes.h>

/* Comma before every member but the first; nesting follows the caller. */
typedef struct writer {
    const lc_report *report;
    lc_text *out;
    bool first;
} writer;

static void comma(writer *w) {
    if (!w->first) lc_text_add(w->out, ",");
    w->first = false;
}
static void key(writer *w, const char *name) {
    comma(w);
    lc_text_printf(w->out, "\"%s\":", name);
}
static void begin(writer *w, const char *bracket) {
    lc_text_add(w->out, bracket);
    w->first = true;
}
static void end(writer *w, const char *bracket) {
    lc_text_add(w->out, bracket);
    w->first = false;
}
static void put_u64(writer *w, const char *name, uint64_t v) {
    key(w, name);
    lc_text_printf(w->out, "%" PRIu64, v);
}
static void put_str(writer *w, const char *name, lc_str s) {
    key(w, name);
    lc_text_add_json(w->out, s.data ? s.data : "", s.data ? s.size : 0);
}

static void put_shape(writer *w, const lc_tensor *t) {
    key(w, "shape");
    if (lc_tensor_any_rank(t, w->report->states_ranks)) {
        lc_text_add(w->out, "null");
        return;
    }
    begin(w, "[");
    for (int32_t d = 0; d < t->rank; d++) {
        comma(w);
        lc_text_printf(w->out, "%d", (int)lc_tensor_dim(t, d));
    }
    end(w, "]");
}

static void put_tensor_ref(writer *w, const lc_graph *g, int32_t index) {
    comma(w);
    if (index < 0) { /* an optional input that is not given */
        lc_text_add(w->out, "null");
        return;
    }
    const lc_tensor *t = &g->tensors[index];
    begin(w, "{");
    key(w, "tensor");
    lc_text_printf(w->out, "%d", (int)index);
    put_str(w, "name", t->name);
    put_str(w, "type", lc_str_of(lc_dtype_name(t->type)));
    put_shape(w, t);
    end(w, "}");
}

static void put_refs(writer *w, const char *name, const lc_graph *g, const int32_t *list, size_t n) {
    key(w, name);
    begin(w, "[");
    for (size_t i = 0; i < n; i++) put_tensor_ref(w, g, list[i]);
    end(w, "]");
}

static void put_signature_side(writer *w, const char *name, const lc_signature_entry *entries, uint32_t n) {
    key(w, name);
    begin(w, "[");
    for (uint32_t i = 0; i < n; i++) {
        comma(w);
        begin(w, "{");
        put_str(w, "name", entries[i].name);
        key(w, "tensor");
        lc_text_printf(w->out, "%d", (int)entries[i].tensor);
        end(w, "}");
    }
    end(w, "]");
}

static void put_signatures(writer *w, const lc_model *m) {
    key(w, "signatures");
    begin(w, "[");
    for (size_t i = 0; i < m->signature_count; i++) {
        const lc_signature *s = &m->signatures[i];
        comma(w);
        begin(w, "{");
        put_str(w, "key", s->key);
        key(w, "graph");
        lc_text_printf(w->out, "%d", (int)s->graph);
        put_signature_side(w, "inputs", s->inputs, s->input_count);
        put_signature_side(w, "outputs", s->outputs, s->output_count);
        end(w, "}");
    }
    end(w, "]");
}

static void put_node(writer *w, const lc_graph *g, size_t index) {
    const lc_node *n = &g->nodes[index];
    comma(w);
    begin(w, "{");
    put_u64(w, "index", index);
    put_str(w, "op", lc_str_of(lc_op_name(n->op)));
    if (n->op == LC_OP_CUSTOM) put_str(w, "custom_code", n->custom_code);
    put_u64(w, "version", (uint64_t)lc_op_written_version(g, n));
    put_refs(w, "inputs", g, n->inputs, n->input_count);
    put_refs(w, "outputs", g, n->outputs, n->output_count);
    if (n->attrs && n->attrs_table != LC_TABLE_NONE) {
        key(w, "options");
        lc_fb_print_json(n->attrs_table, n->attrs, false, w->out);
    }
    if (n->custom_options.data) put_u64(w, "custom_options_bytes", n->custom_options.n);
    put_u64(w, "macs", lc_op_macs(g, n));
    put_u64(w, "constant_bytes", lc_report_node_constants(g, n));
    end(w, "}");
}

static void put_tensor(writer *w, const lc_graph *g, size_t index) {
    const lc_tensor *t = &g->tensors[index];
    comma(w);
    begin(w, "{");
    put_u64(w, "index", index);
    put_str(w, "name", t->name);
    put_str(w, "type", lc_str_of(lc_dtype_name(t->type)));
    put_shape(w, t);
    if (lc_tensor_is_const(t)) put_u64(w, "constant_bytes", t->size);
    if (t->data && t->data_at != LC_NO_OFFSET) put_u64(w, "file_offset", t->data_at);
    if (t->is_variable) {
        key(w, "variable");
        lc_text_add(w->out, "true");
    }
    if (t->quant) {
        key(w, "quantization");
        lc_fb_print_json(LC_TABLE_QuantizationParameters, t->quant, true, w->out);
    }
    if (t->sparsity) {
        key(w, "sparsity");
        lc_fb_print_json(LC_TABLE_SparsityParameters, t->sparsity, true, w->out);
    }
    end(w, "}");
}

static void put_graphs(writer *w, const lc_report *r) {
    key(w, "graphs");
    begin(w, "[");
    for (size_t i = 0; i < r->model->graph_count; i++) {
        const lc_graph *g = r->model->graphs[i];
        comma(w);
        begin(w, "{");
        put_str(w, "name", g->name);
        put_refs(w, "inputs", g, g->inputs, g->input_count);
        put_refs(w, "outputs", g, g->outputs, g->output_count);
        if (r->parts & LC_REPORT_OPS) {
            key(w, "operators");
            begin(w, "[");
            for (size_t n = 0; n < g->node_count; n++) put_node(w, g, n);
            end(w, "]");
        }
        if (r->parts & LC_REPORT_TENSORS) {
            key(w, "tensors");
            begin(w, "[");
            for (size_t t = 0; t < g->tensor_count; t++) put_tensor(w, g, t);
            end(w, "]");
        }
        end(w, "}");
    }
    end(w, "]");
}

static void put_plan(writer *w, const lc_report *r) {
    const lc_exec *exec = lc_session_exec(r->session);
    key(w, "blocks");
    begin(w, "[");
    for (uint32_t i = 0; i < exec->plan.count; i++) {
        const lc_plan_item *it = &exec->plan.items[i];
        comma(w);
        begin(w, "{");
        key(w, it->tensor >= 0 ? "tensor" : "scratch_of_step");
        lc_text_printf(w->out, "%d", (int)(it->tensor >= 0 ? it->tensor : it->node));
        put_u64(w, "offset", it->offset);
        put_u64(w, "bytes", it->size);
        key(w, "first_step");
        lc_text_printf(w->out, "%d", (int)it->first);
        key(w, "last_step");
        lc_text_printf(w->out, "%d", (int)it->last);
        end(w, "}");
    }
    end(w, "]");
}

static void put_memory(writer *w, const lc_report *r) {
    key(w, "memory");
    begin(w, "{");
    if (!r->session) {
        put_str(w, "not_planned", lc_str_of(r->why.message));
    } else {
        const lc_memory_stats s = lc_session_memory(r->session);
        put_u64(w, "arena_bytes", s.arena);
        put_u64(w, "arena_bound_bytes", s.arena_bound);
        put_u64(w, "packed_bytes", s.packed);
        put_str(w, "isa", lc_str_of(lc_session_isa(r->session)));
        if (r->parts & LC_REPORT_MEMORY) put_plan(w, r);
    }
    end(w, "}");
}

void lc_report_json(const lc_report *r, lc_text *out) {
    const lc_model *m = r->model;
    writer w = {r, out, true};
    begin(&w, "{");
    if (r->parts & LC_REPORT_SUMMARY) {
        put_u64(&w, "schema_version", m->schema_version);
        put_str(&w, "description", m->description);
        put_u64(&w, "operators", r->operators);
        put_u64(&w, "tensors", r->tensors);
        put_u64(&w, "parameters", r->parameters);
        put_u64(&w, "constant_bytes", r->constant_bytes);
        put_u64(&w, "macs", r->macs);
        put_signatures(&w, m);
        key(&w, "metadata");
        begin(&w, "[");
        for (size_t i = 0; i < m->metadata_count; i++) {
            comma(&w);
            begin(&w, "{");
            put_str(&w, "name", m->metadata[i].name);
            put_u64(&w, "bytes", m->metadata[i].data.n);
            end(&w, "}");
        }
        end(&w, "]");
    }
    put_graphs(&w, r);
    if (r->parts & (LC_REPORT_SUMMARY | LC_REPORT_MEMORY)) put_memory(&w, r);
    end(&w, "}");
    lc_text_add(out, "\n");
}
