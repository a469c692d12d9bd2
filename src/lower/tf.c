/*
 * tf.c: from a TensorFlow graph to graphs of TFLite operators. Each signature becomes a graph of its own: from its outputs back to its
 * inputs the nodes that are needed are found and put in order (tf_body.c), then each is lowered by the function its row of tf.def names,
 * after what it reads. Functions are lowered where they are called (tf_function.c).
 *
 * What stays true: a node is lowered once a scope; values are tensors of the graph being made, or handles and lists that never reach it;
 * inputs and outputs have the signature's names and order. Refused: cycles, references to what does not exist, more nodes than
 * limits.max_nodes (functions that call functions can make billions of a few).
 */
#include "lower/tf_facts.h"
#include "lower/tf_impl.h"

#include <string.h>

static const lc_tf_row rows[] = {
#define LC_TF(name, function, builtin, outputs) {#name, lc_tf_op_##function, LC_OP_##builtin, outputs, false},
#define LC_TF_EFFECT(name, function, builtin, outputs) {#name, lc_tf_op_##function, LC_OP_##builtin, outputs, true},
#include "lower/tf.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

static lc_status index_rows(lc_tf_lower *l) {
    if (!lc_names_init(&l->row_names, &l->scratch, ROWS)) return lc_fail_memory(l->err, "operators");
    for (uint32_t i = 0; i < ROWS; i++) lc_names_add(&l->row_names, lc_str_of(rows[i].name), NULL);
    return LC_OK;
}

/* A function of the library comes before an operator that tf.def lacks. */
const lc_tf_row *lc_tf_find(const lc_tf_lower *l, lc_str op) {
    const lc_tf_row *own = lc_tf_own_row(l, op);
    if (own) return own;
    const int32_t i = lc_names_find(&l->row_names, op);
    if (i >= 0) return &rows[i];
    return lc_names_find(&l->function_names, op) < 0 ? lc_tf_fact_row(l, op) : NULL;
}

/* ---- walking ------------------------------------------------------------------------------------------------------- */

lc_tf_value lc_tf_look(const lc_tf_scope *scope, lc_tf_ref ref) {
    if (ref.node == LC_TF_ARGUMENT) return scope->args[ref.output];
    const lc_tf_value *outs = scope->outs[ref.node];
    return outs ? outs[ref.output] : (lc_tf_value){LC_TF_NOTHING, -1, 0};
}

static void lower_node(lc_tf_lower *l, lc_tf_scope *scope, lc_builder *b, int32_t index) {
    const lc_tf_node *node = &scope->body->nodes[index];
    const uint32_t outs = node->output_count ? node->output_count : 1;
    if (++l->calls > l->budget.limits.max_nodes) {
        b->status = lc_fail(l->err, LC_LIMIT, "the graph with its functions has more than %llu nodes",
                            (unsigned long long)l->budget.limits.max_nodes);
        return;
    }
    lc_tf_value *values = lc_arena_array(&l->scratch, (size_t)node->input_count + outs, sizeof *values);
    const char *name = lc_arena_strndup(&b->model->arena, node->def->name.data, node->def->name.size);
    const char *kind = lc_arena_strndup(&l->scratch, node->def->op.data ? node->def->op.data : "", node->def->op.size);
    if (!values || !name || !kind) {
        lc_build_check(b, lc_fail_memory(l->err, "node"));
        return;
    }
    bool missing = false;
    const char *why = NULL;
    for (uint32_t i = 0; i < node->input_count; i++) {
        values[i] = lc_tf_look(scope, node->inputs[i]);
        missing |= values[i].kind == LC_TF_MISSING;
    }
    lc_tf_call c = {.lower = l,
                    .scope = scope,
                    .b = b,
                    .node = node->def,
                    .row = node->row,
                    .in = values,
                    .in_count = node->input_count,
                    .out = values + node->input_count,
                    .out_count = outs,
                    .why = &why};
    scope->outs[index] = c.out;
    if (missing) { /* what it reads was not made; what follows is not either */
        for (uint32_t k = 0; k < outs; k++) c.out[k] = (lc_tf_value){LC_TF_MISSING, -1, 0};
        return;
    }
    const char *layer = b->layer, *outer_kind = b->kind;
    const size_t nodes = b->graph->node_count, graphs = l->model->graph_count;
    b->layer = name;
    b->kind = kind;
    if (node->row) node->row->lower(&c);
    else if (lc_names_find(&l->function_names, node->def->op) >= 0) lc_tf_op_named_call(&c);
    else lc_tf_op_unknown(&c);
    if (why || b->status != LC_OK) lc_tf_without_builtin(&c, why, nodes, graphs);
    b->layer = layer;
    b->kind = outer_kind;
}

void lc_tf_walk(lc_tf_lower *l, lc_tf_scope *scope, lc_builder *b, const int32_t *order, uint32_t count) {
    for (uint32_t i = 0; i < count && b->status == LC_OK; i++) lower_node(l, scope, b, order[i]);
}

/* ---- signatures -------------------------------------------------------------------------------------------------------- */

static lc_str keep(lc_builder *b, lc_str s) {
    char *copy = lc_arena_strndup(&b->model->arena, s.data ? s.data : "", s.size);
    if (!copy) lc_build_check(b, lc_fail_memory(b->err, "name"));
    return copy ? (lc_str){copy, s.size} : LC_STR("");
}

/* What a port leaves open, the placeholder's own attributes may say. */
static lc_tf_port complete(const lc_tf_port *port, const lc_pb_NodeDef *def) {
    lc_tf_port p = *port;
    const lc_pb_AttrValue *type = def ? lc_tf_node_attr(def, "dtype") : NULL, *shape = def ? lc_tf_node_attr(def, "shape") : NULL;
    if (def && !type) type = lc_tf_node_attr(def, "T");
    if (p.type == LC_DTYPE_COUNT && type) p.type = lc_tf_dtype(type->type);
    if (p.type == LC_DTYPE_COUNT) p.type = LC_FLOAT32;
    if (p.shape.rank == LC_RANK_UNKNOWN && shape && shape->shape) p.shape = lc_tf_shape_proto(shape->shape);
    return p;
}

static int32_t add_input(lc_builder *b, const lc_tf_port *port) {
    const lc_str name = keep(b, port->name);
    const int32_t rank = port->shape.rank == LC_RANK_UNKNOWN ? 0 : port->shape.rank;
    const int32_t t = lc_build_placeholder(b, name.data, port->type, port->shape.dims, rank);
    if (t < 0) return -1;
    if (port->shape.rank == LC_RANK_UNKNOWN) b->graph->tensors[t].has_rank = false;
    lc_build_check(b, lc_graph_add_input(b->graph, t, b->err));
    return t;
}

/* The scope of the main graph with this signature's inputs given. */
static lc_tf_scope *main_scope(lc_tf_lower *l, bool **given) {
    lc_tf_scope *s = lc_arena_alloc(&l->scratch, sizeof *s);
    const uint32_t n = l->main.node_count ? l->main.node_count : 1;
    *given = lc_arena_array(&l->scratch, n, 1);
    if (!s || !*given || !(s->outs = lc_arena_array(&l->scratch, n, sizeof *s->outs))) return NULL;
    s->body = &l->main;
    return s;
}

static lc_status give_input(lc_tf_lower *l, lc_builder *b, const lc_tf_port *port, lc_tf_scope *scope, bool *given) {
    lc_tf_ref ref;
    LC_TRY(lc_tf_reference(l, port->tensor, &ref));
    const lc_tf_node *node = &l->main.nodes[ref.node];
    const lc_tf_port p = complete(port, node->def);
    const int32_t t = add_input(b, &p);
    if (t < 0) return b->status;
    const uint32_t outs = node->output_count > (uint32_t)ref.output ? node->output_count : (uint32_t)ref.output + 1;
    if (!scope->outs[ref.node] && !(scope->outs[ref.node] = lc_arena_array(&l->scratch, outs, sizeof **scope->outs)))
        return lc_fail_memory(l->err, "inputs");
    if ((uint32_t)ref.output >= outs)
        return lc_fail(l->err, LC_INVALID, "\"%.*s\" has no output %d", LC_TF_NAME(node->def->name), ref.output);
    scope->outs[ref.node][ref.output] = (lc_tf_value){LC_TF_TENSOR, t, 0};
    given[ref.node] = true;
    return LC_OK;
}

/* Lowers what `roots` need in the main graph. */
static lc_status walk_main(lc_tf_lower *l, lc_builder *b, lc_tf_scope *scope, const bool *given, const lc_tf_ref *roots, uint32_t count) {
    int32_t *order;
    uint32_t n;
    LC_TRY(lc_tf_order(l, &l->main, roots, count, NULL, 0, given, &order, &n));
    lc_tf_walk(l, scope, b, order, n);
    return b->status;
}

/* The values of a signature's outputs. */
static lc_status from_main(lc_tf_lower *l, lc_builder *b, const lc_tf_signature *s, lc_tf_scope *scope, bool *given, lc_tf_value *values) {
    lc_tf_ref *roots = lc_arena_array(&l->scratch, s->output_count ? s->output_count : 1, sizeof *roots);
    if (!roots) return lc_fail_memory(l->err, "outputs");
    for (uint32_t i = 0; i < s->input_count; i++) LC_TRY(give_input(l, b, &s->inputs[i], scope, given));
    for (uint32_t i = 0; i < s->output_count; i++) {
        LC_TRY(lc_tf_reference(l, s->outputs[i].tensor, &roots[i]));
        if (!l->main.nodes[roots[i].node].row) LC_TRY(lc_tf_reach(l, &l->main.nodes[roots[i].node], roots[i].output));
        if ((uint32_t)roots[i].output >= l->main.nodes[roots[i].node].output_count)
            return lc_fail(l->err, LC_INVALID, "node \"%.*s\" has no output %d", LC_TF_NAME(l->main.nodes[roots[i].node].def->name),
                           roots[i].output);
    }
    LC_TRY(walk_main(l, b, scope, given, roots, s->output_count));
    for (uint32_t i = 0; i < s->output_count; i++) values[i] = lc_tf_look(scope, roots[i]);
    return LC_OK;
}

static lc_status from_function(lc_tf_lower *l, lc_builder *b, const lc_tf_signature *s, lc_tf_scope *scope, bool *given,
                               lc_tf_value *values) {
    const uint32_t n = s->input_count + s->capture_count;
    lc_tf_value *args = lc_arena_array(&l->scratch, n ? n : 1, sizeof *args);
    lc_tf_ref *roots = lc_arena_array(&l->scratch, s->capture_count ? s->capture_count : 1, sizeof *roots);
    if (!args || !roots) return lc_fail_memory(l->err, "function");
    for (uint32_t i = 0; i < s->input_count; i++) {
        const lc_tf_port p = complete(&s->inputs[i], NULL);
        args[i] = (lc_tf_value){LC_TF_TENSOR, add_input(b, &p), 0};
    }
    for (uint32_t i = 0; i < s->capture_count; i++) LC_TRY(lc_tf_reference(l, s->captures[i], &roots[i]));
    LC_TRY(walk_main(l, b, scope, given, roots, s->capture_count));
    for (uint32_t i = 0; i < s->capture_count; i++) args[s->input_count + i] = lc_tf_look(scope, roots[i]);
    lc_tf_run_function(l, NULL, b, NULL, NULL, s->function, args, n, values, s->output_count);
    return b->status;
}

/* An output that is an operator's gets its name; inputs, constants and what is an output already keep theirs. */
static void name_output(lc_builder *b, int32_t tensor, lc_str name, bool *named) {
    if (!named[tensor] && !lc_tensor_is_const(&b->graph->tensors[tensor])) lc_build_rename(b, tensor, name.data);
    named[tensor] = true;
}

static lc_status put_signature(lc_tf_lower *l, lc_builder *b, const lc_tf_signature *s, int32_t graph, lc_tf_value *values) {
    lc_tf_call c = {.lower = l, .b = b, .in = values, .in_count = s->output_count};
    lc_signature *out = &l->model->signatures[l->model->signature_count];
    const uint32_t inputs = (uint32_t)b->graph->input_count;
    lc_signature_entry *entries = lc_arena_array(&l->model->arena, (size_t)inputs + s->output_count + 1, sizeof *entries);
    bool *named =
        lc_arena_array(&l->scratch, b->graph->tensor_count + s->output_count + 1, sizeof *named); /* reading a variable adds a tensor */
    if (!entries || !named) return lc_fail_memory(l->err, "signature");
    *out = (lc_signature){.key = keep(b, s->key),
                          .graph = graph,
                          .inputs = entries,
                          .input_count = inputs,
                          .outputs = entries + inputs,
                          .output_count = s->output_count};
    for (uint32_t i = 0; i < inputs; i++) {
        entries[i] = (lc_signature_entry){keep(b, s->inputs[i].name), b->graph->inputs[i]};
        named[b->graph->inputs[i]] = true;
    }
    for (uint32_t i = 0; i < s->output_count && b->status == LC_OK; i++) {
        if (values[i].kind == LC_TF_MISSING) continue; /* listed at the end */
        const lc_str name = keep(b, s->outputs[i].name);
        if (values[i].kind != LC_TF_TENSOR && values[i].kind != LC_TF_VARIABLE)
            return lc_fail(l->err, LC_UNSUPPORTED, "output \"%.*s\" of signature \"%.*s\" is no tensor", LC_TF_NAME(name),
                           LC_TF_NAME(s->key));
        const int32_t t = lc_tf_in(&c, i);
        if (t < 0) break;
        name_output(b, t, name, named);
        out->outputs[i] = (lc_signature_entry){name, t};
        lc_build_check(b, lc_graph_add_output(b->graph, t, l->err));
    }
    l->model->signature_count++;
    return b->status;
}

/* *uses: it needs what the initialising graph does. */
static lc_status lower_signature(lc_tf_lower *l, const lc_tf_signature *s, uint32_t index, bool *uses) {
    bool *given;
    lc_graph *graph = index == 0 ? l->model->graphs[0] : lc_model_add_graph(l->model, LC_STR(""));
    const int32_t number = index == 0 ? 0 : (int32_t)l->model->graph_count - 1;
    lc_tf_graph *g = graph ? lc_tf_graph_begin(l, graph, NULL) : NULL;
    lc_tf_scope *scope = main_scope(l, &given);
    lc_tf_value *values = lc_arena_array(&l->scratch, s->output_count ? s->output_count : 1, sizeof *values);
    if (!g || !scope || !values) return lc_fail_memory(l->err, "signature");
    l->main_scope = scope;
    for (size_t i = 0; i < l->variable_count; i++) l->variables[i].used = false;
    for (size_t i = 0; i < l->table_count; i++) l->tables[i].used = false;
    if (index) graph->name = keep(&g->b, s->key);
    LC_TRY(s->function.data ? from_function(l, &g->b, s, scope, given, values) : from_main(l, &g->b, s, scope, given, values));
    LC_TRY(put_signature(l, &g->b, s, number, values));
    *uses = lc_tf_variables_used(l) || lc_tf_tables_used(l);
    for (size_t i = 0; i < l->table_count; i++) l->tables[i].needed |= l->tables[i].used;
    return LC_OK;
}

lc_status lc_tf_init_graph(lc_tf_lower *l, int32_t *index) {
    lc_graph *graph = lc_model_add_graph(l->model, LC_STR("initialise"));
    lc_tf_graph *g = graph ? lc_tf_graph_begin(l, graph, NULL) : NULL;
    if (!g) return lc_fail_memory(l->err, "graph");
    lc_tf_variables_init(l, &g->b);
    lc_tf_tables_init(l, &g->b);
    *index = (int32_t)l->model->graph_count - 1;
    return g->b.status;
}

lc_status lc_tf_call_once(lc_graph *user, int32_t index, lc_error *err) {
    const lc_CallOnceOptions o = {.init_subgraph_index = index};
    lc_node *node;
    LC_TRY(lc_graph_add_node(user, LC_OP_CALL_ONCE, LC_TABLE_CallOnceOptions, &o, NULL, 0, NULL, 0, &node, err));
    const lc_node once = *node;
    memmove(user->nodes + 1, user->nodes, (user->node_count - 1) * sizeof *user->nodes);
    user->nodes[0] = once;
    return LC_OK;
}

/* Signatures that use variables or tables begin by giving them their first values. */
static lc_status initialise(lc_tf_lower *l, const bool *uses) {
    bool any = false;
    int32_t index;
    for (uint32_t i = 0; i < l->tf->signature_count; i++) any |= uses[i];
    if (!any) return LC_OK;
    LC_TRY(lc_tf_init_graph(l, &index));
    for (uint32_t i = 0; i < l->tf->signature_count; i++)
        if (uses[i]) LC_TRY(lc_tf_call_once(l->model->graphs[l->model->signatures[i].graph], index, l->err));
    return LC_OK;
}

/* Walks what runs when TensorFlow loads the model, into a graph that is thrown away: what it puts into tables and variables is known then.
 * What cannot be known is said where it is used. */
static lc_status fill_tables(lc_tf_lower *l) {
    bool *given, any = false;
    for (uint32_t i = 0; i < l->main.node_count && !any; i++) any = l->main.nodes[i].row && l->main.nodes[i].row->lower == lc_tf_op_table;
    if (!any) return LC_OK;
    lc_error kept = *l->err, *err = l->err, local;
    lc_tf_graph *g = lc_tf_graph_begin(l, l->model->graphs[0], NULL);
    lc_tf_scope *scope = main_scope(l, &given);
    int32_t *ends = lc_arena_array(&l->scratch, (size_t)l->main.node_count + 1, sizeof *ends), *order;
    uint32_t n = 0, count;
    if (!g || !scope || !ends) return lc_fail_memory(l->err, "tables");
    for (uint32_t i = 0; i < l->main.node_count; i++) {
        const lc_tf_node *node = &l->main.nodes[i];
        const bool init = l->tf->init.data && lc_str_eq(node->def->name, l->tf->init);
        if (init || (node->row && (node->row->lower == lc_tf_op_table_import || node->row->lower == lc_tf_op_table_text_file)))
            ends[n++] = (int32_t)i;
    }
    lc_error_clear(&local);
    l->err = g->b.err = &local;
    l->filling = true;
    lc_status status = lc_tf_order(l, &l->main, NULL, 0, ends, n, given, &order, &count);
    l->main_scope = scope;
    for (uint32_t i = 0; i < count && !status; i++) { /* one that fails does not keep the others from being filled */
        lc_tf_walk(l, scope, &g->b, order + i, 1);
        if (g->b.status == LC_NO_MEMORY) status = LC_NO_MEMORY;
        else if (g->b.status && !scope->outs[order[i]]) break;
        g->b.status = LC_OK;
    }
    l->filling = false;
    l->err = err;
    *err = kept;
    return status == LC_NO_MEMORY ? lc_fail_memory(err, "tables") : LC_OK;
}

static lc_status lower_all(lc_tf_lower *l) {
    const uint32_t n = l->tf->signature_count;
    bool *uses = lc_arena_array(&l->scratch, n, sizeof *uses);
    l->model->signatures = lc_arena_array(&l->model->arena, n, sizeof *l->model->signatures);
    if (!uses || !l->model->signatures) return lc_fail_memory(l->err, "signatures");
    for (uint32_t i = 0; i < n; i++) {
        lc_status status = lower_signature(l, &l->tf->signatures[i], i, &uses[i]);
        if (status && n > 1) lc_error_prefix(l->err, "signature \"%.*s\"", LC_TF_NAME(l->tf->signatures[i].key));
        if (status) return status;
    }
    return l->again ? LC_OK : initialise(l, uses);
}

/* Forgets what was lowered, but not what was learnt of variables. */
static void forget(lc_tf_lower *l) {
    lc_graph *g = l->model->graphs[0];
    l->model->graph_count = 1;
    l->model->signature_count = 0;
    g->tensor_count = g->node_count = g->input_count = g->output_count = 0;
    l->missing_count = l->list_count = l->weight_count = 0;
    l->calls = 0;
    l->symbols = l->growth = 0;
    l->again = false;
}

lc_status lc_tf_begin(lc_tf_lower *l) {
    LC_TRY(index_rows(l));
    LC_TRY(lc_tf_facts(l));
    LC_TRY(lc_tf_structure(l));
    return lc_tf_bodies(l);
}

static lc_status lower(lc_tf_lower *l) {
    LC_TRY(lc_tf_begin(l));
    if (!l->tf->signature_count) return lc_fail(l->err, LC_INVALID, "there is nothing to make: no signature, no outputs");
    LC_TRY(fill_tables(l));
    for (int round = 0; round == 0 || l->again; round++) { /* each time at least one variable more is known to be assigned */
        forget(l);
        for (size_t i = 0; round >= 4 && i < l->variable_count; i++) l->variables[i].assigned = true; /* a long chain: all of them, then */
        LC_TRY(lower_all(l));
    }
    if (l->options->weights && !l->weight_count && !l->weights_are_constants) { /* a frozen graph: its constants are its variables */
        l->weights_are_constants = true;
        forget(l);
        LC_TRY(lower_all(l));
    }
    lc_tf_weights_end(l);
    return lc_tf_missing_report(l);
}

lc_status lc_lower_tf(const lc_tf_model *tf, const lc_lower_options *options, lc_model *model, lc_error *err) {
    static const lc_lower_options defaults = {0};
    lc_error local;
    lc_tf_lower l = {.tf = tf, .options = options ? options : &defaults, .model = model, .err = err ? err : &local};
    lc_error_clear(l.err);
    lc_budget_init(&l.budget, &model->limits);
    const lc_status status = lower(&l);
    lc_arena_deinit(&l.scratch);
    return status;
}
