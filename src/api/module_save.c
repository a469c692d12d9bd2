/*
 * module_save.c: the concrete functions of a module as signatures. Each is traced again, into the graph that is written.
 */
#include "api/module.h"
#include "api/variable_file.h"

#include "emit/meta_graph_emit.h"
#include "emit/saved_model_emit.h"
#include "grad/expand.h"

#include <string.h>

typedef struct saving {
    lc_module *module;
    lc_model *model;
    lc_variable_file variables;
    lc_emit_variable *list; /* for TensorFlow's files */
    uint32_t listed;
    bool tflite;
    lc_error *err;
} saving;

/* Inputs and outputs under their names; `inputs` of the graph's are the function's, in front. */
static lc_status sign(saving *s, lc_signature *out, const lc_concrete *c, int32_t graph, const lc_traced *t) {
    const lc_graph *g = s->model->graphs[graph];
    lc_signature_entry *entries = lc_arena_array(&s->model->arena, (size_t)c->input_count + t->output_count + 1, sizeof *entries);
    if (!entries) return lc_fail_memory(s->err, "a signature");
    *out = (lc_signature){.key = lc_str_of(c->name),
                          .graph = graph,
                          .inputs = entries,
                          .input_count = c->input_count,
                          .outputs = entries + c->input_count,
                          .output_count = t->output_count};
    for (uint32_t i = 0; i < c->input_count; i++) entries[i] = (lc_signature_entry){g->tensors[g->inputs[i]].name, g->inputs[i]};
    for (uint32_t i = 0; i < c->input_count; i++) {
        const char *name = lc_arena_printf(&s->model->arena, "x%u", i);
        if (!name) return lc_fail_memory(s->err, "a signature");
        entries[i].name = lc_str_of(name);
    }
    for (uint32_t i = 0; i < t->output_count; i++) out->outputs[i] = (lc_signature_entry){lc_str_of(t->names[i]), t->outputs[i]};
    return LC_OK;
}

/* Variables are read at the front and assigned at the end. */
static lc_status with_operators(saving *s, lc_graph *g, const lc_traced *t) {
    lc_builder b;
    lc_builder_init(&b, s->model, g, s->err);
    LC_TRY(lc_grad_expand(&b));
    for (uint32_t i = 0; i < t->assign_count; i++)
        lc_variables_assign(&b, s->module->variables[t->assigns[i].variable].name, t->assigns[i].tensor);
    const size_t first = g->node_count;
    for (uint32_t i = 0; i < t->read_count; i++) {
        lc_graph_drop_input(g, t->reads[i].tensor);
        lc_variables_read_into(&b, s->module->variables[t->reads[i].variable].name, t->reads[i].tensor);
    }
    return b.status == LC_OK ? lc_graph_to_front(g, first, s->err) : b.status;
}

/* The file's list has a variable once; that of the first graph says where it stands there. */
static lc_status with_list(saving *s, int32_t graph, const lc_traced *t) {
    for (uint32_t i = 0; i < t->read_count; i++) {
        const lc_module_variable_ *v = &s->module->variables[t->reads[i].variable];
        uint32_t at = 0;
        while (at < s->listed && strcmp(s->list[at].name, v->name) != 0) at++;
        if (at == s->listed) {
            s->list[s->listed++] = (lc_emit_variable){.name = v->name,
                                                      .type = LC_FLOAT32,
                                                      .rank = v->rank,
                                                      .dims = v->dims,
                                                      .data = v->value,
                                                      .size = v->count * sizeof(float),
                                                      .tensor = -1,
                                                      .trainable = v->trainable};
        }
        if (graph == 0) s->list[at].tensor = t->reads[i].tensor;
        lc_str *name = &s->model->graphs[graph]->tensors[t->reads[i].tensor].name;
        *name = lc_str_of(v->name);
    }
    return LC_OK;
}

static lc_status build(saving *s) {
    lc_module *m = s->module;
    uint32_t n = 0;
    lc_signature *signatures = lc_arena_array(&s->model->arena, m->concrete_count + 1, sizeof *signatures);
    lc_traced *t = lc_arena_alloc(&s->model->arena, sizeof *t);
    s->list = lc_arena_array(&s->model->arena, m->variable_count + 1, sizeof *s->list);
    if (!signatures || !t || !s->list) return lc_fail_memory(s->err, "signatures");
    for (size_t i = 0; s->tflite && i < m->variable_count; i++)
        LC_TRY(
            lc_variables_declare(&s->variables, m->variables[i].name, m->variables[i].value, m->variables[i].dims, m->variables[i].rank));
    for (size_t i = 0; i < m->concrete_count; i++) {
        const lc_concrete *c = &m->concrete[i];
        if (c->assigns && !s->tflite) continue;
        if (n && !lc_model_add_graph(s->model, lc_str_of(c->name))) return lc_fail_memory(s->err, "a graph");
        lc_graph *g = s->model->graphs[n];
        LC_TRY(lc_module_trace_into(m, c, s->model, g, t, s->err));
        LC_TRY(s->tflite ? with_operators(s, g, t) : with_list(s, (int32_t)n, t));
        LC_TRY(sign(s, &signatures[n], c, (int32_t)n, t));
        n++;
    }
    if (!n) {
        lc_fail(s->err, LC_ARGUMENT, "the module has no concrete function that could be saved");
        lc_error_hint(s->err, "call or trace its functions first (lc_module_trace); what assigns variables goes into a .tflite file only");
        return LC_ARGUMENT;
    }
    s->model->signatures = signatures;
    s->model->signature_count = n;
    if (!s->tflite) return LC_OK;
    if (!lc_model_add_graph(s->model, LC_STR("initialise"))) return lc_fail_memory(s->err, "a graph");
    LC_TRY(lc_variables_initialise(&s->variables, n));
    for (uint32_t i = 0; i < n; i++) LC_TRY(lc_variables_call_once(&s->variables, s->model->graphs[i], (int32_t)n));
    return lc_model_check(s->model, s->err);
}

lc_status lc_module_save(lc_module *m, const char *path, lc_error *err) {
    lc_error local;
    if (!err) err = &local;
    saving s = {.module = m, .err = err, .tflite = lc_path_ends(path, ".tflite"), .variables = {.err = err}};
    LC_TRY(lc_model_new(&m->limits, &s.model, err));
    s.variables.model = s.model;
    lc_status status = build(&s);
    if (status == LC_OK && s.tflite) status = lc_model_save(s.model, path, NULL, err);
    else if (status == LC_OK && lc_path_ends(path, ".ckpt")) status = lc_emit_meta_graph(s.model, path, s.list, s.listed, err);
    else if (status == LC_OK) status = lc_emit_saved_model(s.model, path, s.list, s.listed, err);
    lc_model_destroy(s.model);
    return status;
}
