/*
 * tf_variable.c: variables. One that nothing assigns is a constant, with the value the checkpoint has for it; its handle stays out of the
 * graph, and each graph has one tensor for it, however often it is read. One that some signature assigns is a variable of TFLite in all of
 * them: VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE, with its first value given by a graph that CALL_ONCE runs (tf.c).
 *
 * Which variables are assigned shows while lowering: the first assignment to one that was taken for a constant makes the whole model be
 * lowered again. Reads and assignments stand in the graph in the order that data and control edges give them (tf_body.c).
 */
#include "lower/tf_array.h"
#include "lower/tf_impl.h"

#include <string.h>

/* ---- which variable ----------------------------------------------------------------------------------------------------- */

int32_t lc_tf_variable_of(lc_tf_call *c) {
    lc_tf_lower *l = c->lower;
    if (!lc_tf_ok(c)) return -1;
    const bool handle = lc_str_is(c->node->op, "VarHandleOp");
    lc_str name = handle ? lc_tf_attr_str(c, "shared_name", "") : c->node->name;
    if (!name.size) name = c->node->name;
    if (!l->variable_names.slots && !lc_names_init(&l->variable_names, &l->scratch, l->main.node_count)) {
        lc_build_check(c->b, lc_fail_memory(l->err, "variables"));
        return -1;
    }
    const int32_t known = lc_names_find(&l->variable_names, name);
    if (known >= 0) return known;
    void *items = l->variables;
    if (l->variable_names.count >= l->main.node_count) return lc_tf_fail(c, LC_UNSUPPORTED, "a variable is made inside a function");
    if (!lc_arena_grow(&l->scratch, &items, &l->variable_capacity, l->variable_count + 1, sizeof *l->variables)) {
        lc_build_check(c->b, lc_fail_memory(l->err, "variables"));
        return -1;
    }
    l->variables = items;
    lc_tf_variable *v = &l->variables[l->variable_count++];
    *v = (lc_tf_variable){.handle = c->node, .name = name, .ref = !handle, .type = lc_tf_attr_type(c, "dtype")};
    const lc_shape shape = lc_tf_attr_shape(c, "shape");
    bool fixed = shape.rank != LC_RANK_UNKNOWN;
    for (int32_t d = 0; d < shape.rank; d++) fixed = fixed && shape.dims[d] >= 0;
    v->known = (lc_tf_known){.set = true, .shape = {shape, shape}};
    if (!fixed) v->known.shape[0].rank = v->known.shape[1].rank = LC_RANK_UNKNOWN;
    return lc_names_add(&l->variable_names, name, NULL);
}

bool lc_tf_is_ref(const lc_tf_call *c, lc_tf_value v) { return v.kind == LC_TF_VARIABLE && c->lower->variables[v.object].ref; }

static lc_tf_variable *variable_in(lc_tf_call *c, uint32_t i, int32_t *number) {
    if (!lc_tf_ok(c)) return NULL;
    if (i < c->in_count && c->in[i].kind == LC_TF_VARIABLE) {
        *number = c->in[i].object;
        return &c->lower->variables[*number];
    }
    lc_tf_fail(c, LC_UNSUPPORTED, "its input %u is no variable", i);
    return NULL;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

static lc_status fetch(lc_tf_lower *l, lc_tf_variable *v) {
    if (v->read) return LC_OK;
    if (!l->tf->variable) {
        lc_fail(l->err, LC_NOT_FOUND, "the variable \"%.*s\" has no value: the graph is not frozen", LC_TF_NAME(v->name));
        lc_error_hint(l->err, "give its checkpoint: --checkpoint PREFIX, or freeze it: litec freeze");
        return LC_NOT_FOUND;
    }
    LC_TRY(l->tf->variable(l->tf->user, v->handle, &v->value, l->err));
    v->read = true;
    v->type = v->value.type;
    for (int w = 0; w < 2; w++) {
        v->known.shape[w].rank = v->value.rank;
        memcpy(v->known.shape[w].dims, v->value.dims, sizeof v->known.shape[w].dims);
    }
    return LC_OK;
}

/* Where a graph keeps its tensor for a variable; NULL when memory is out. */
static int32_t *place(lc_tf_lower *l, lc_builder *b, int32_t variable) {
    lc_tf_graph *g = lc_tf_graph_of(b);
    if ((size_t)variable >= g->variable_capacity) {
        void *items = g->variable_tensors;
        if (!lc_arena_grow(&l->scratch, &items, &g->variable_capacity, l->variable_count, sizeof *g->variable_tensors)) {
            lc_build_check(b, lc_fail_memory(l->err, "variables"));
            return NULL;
        }
        g->variable_tensors = items;
    }
    return &g->variable_tensors[variable];
}

static lc_str name_of(lc_tf_lower *l, lc_builder *b, const lc_tf_variable *v) {
    const size_t n = v->name.size < 200 ? v->name.size : 200;
    char *name = b->status == LC_OK ? lc_arena_strndup(&l->model->arena, v->name.data, n) : NULL;
    if (!name) lc_build_check(b, lc_fail_memory(l->err, "name"));
    return name ? (lc_str){name, n} : LC_STR("");
}

/* The handle of an assigned variable in this graph. */
static int32_t handle_in(lc_tf_lower *l, lc_builder *b, int32_t variable) {
    int32_t *at = b->status == LC_OK ? place(l, b, variable) : NULL;
    lc_tf_variable *v = &l->variables[variable];
    if (!at) return -1;
    v->used = true;
    if (*at) return *at - 1;
    int32_t out;
    const lc_VarHandleOptions o = {.container = LC_STR(""), .shared_name = name_of(l, b, v)};
    const lc_dtype type = LC_RESOURCE;
    const lc_tf_known scalar = {.set = true};
    if (!lc_tf_emit(b, LC_OP_VAR_HANDLE, LC_TABLE_VarHandleOptions, &o, NULL, 0, &type, &scalar, &out, 1)) return -1;
    *place(l, b, variable) = out + 1;
    return out;
}

int32_t lc_tf_variable_read(lc_tf_call *c, int32_t variable) {
    lc_tf_lower *l = c->lower;
    if (!lc_tf_ok(c) || variable < 0 || (size_t)variable >= l->variable_count) return -1;
    lc_tf_variable *v = &l->variables[variable];
    const lc_status status = fetch(l, v);
    if (status && !(status == LC_NOT_FOUND && v->assigned && v->type != LC_DTYPE_COUNT)) return lc_tf_take(c, status) ? -1 : -1;
    if (v->assigned) {
        const int32_t handle = handle_in(l, c->b, variable);
        int32_t out;
        return lc_tf_emit(c->b, LC_OP_READ_VARIABLE, LC_TABLE_ReadVariableOptions, NULL, &handle, 1, &v->type, &v->known, &out, 1) ? out
                                                                                                                                   : -1;
    }
    int32_t *at = place(l, c->b, variable);
    if (!at) return -1;
    if (*at) return *at - 1;
    const int32_t t = lc_tf_constant(c->b, "value", &v->value);
    if (t < 0) return -1;
    lc_build_rename(c->b, t, name_of(l, c->b, v).data);
    if (!l->weights_are_constants) lc_tf_weight(l, c->b, t);
    *place(l, c->b, variable) = t + 1;
    return t;
}

void lc_tf_variable_assign(lc_tf_call *c, int32_t variable, int32_t value) {
    lc_tf_lower *l = c->lower;
    if (!lc_tf_ok(c)) return;
    lc_tf_variable *v = &l->variables[variable];
    const lc_tensor *t = lc_build_tensor(c->b, value);
    if (l->filling) { /* what runs when the model is loaded: the value it begins with */
        uint64_t n;
        if (!t || !t->data || t->rank > LC_MAX_RANK || !lc_tensor_elements(t, &n)) return;
        v->value = (lc_tf_array){.type = t->type, .rank = t->rank, .data = t->data, .size = t->size};
        for (int32_t d = 0; d < t->rank; d++) v->value.dims[d] = t->dims[d];
        v->read = true;
        return;
    }
    if (!v->assigned) {
        v->assigned = l->again = true;
        return; /* this lowering is thrown away */
    }
    const int32_t in[2] = {handle_in(l, c->b, variable), value};
    lc_tf_emit(c->b, LC_OP_ASSIGN_VARIABLE, LC_TABLE_AssignVariableOptions, NULL, in, 2, NULL, NULL, NULL, 0);
}

bool lc_tf_variables_used(const lc_tf_lower *l) {
    for (size_t i = 0; i < l->variable_count; i++)
        if (l->variables[i].used) return true;
    return false;
}

void lc_tf_variables_init(lc_tf_lower *l, lc_builder *b) {
    for (size_t i = 0; i < l->variable_count && b->status == LC_OK; i++) {
        if (!l->variables[i].assigned) continue;
        const lc_status status = fetch(l, &l->variables[i]);
        if (status == LC_NOT_FOUND) continue; /* without a first value: the model assigns before it reads */
        if (!lc_build_check(b, status)) return;
        const int32_t in[2] = {handle_in(l, b, (int32_t)i),
                               lc_tf_constant(b, l->variables[i].known.set ? "initial" : "", &l->variables[i].value)};
        if (in[0] >= 0 && in[1] >= 0)
            lc_tf_emit(b, LC_OP_ASSIGN_VARIABLE, LC_TABLE_AssignVariableOptions, NULL, in, 2, NULL, NULL, NULL, 0);
    }
}

/* ---- operators ----------------------------------------------------------------------------------------------------------------- */

void lc_tf_op_variable(lc_tf_call *c) {
    const int32_t v = lc_tf_variable_of(c);
    lc_tf_give_value(c, 0, (lc_tf_value){LC_TF_VARIABLE, -1, v});
}

void lc_tf_op_read_variable(lc_tf_call *c) { lc_tf_give(c, 0, lc_tf_in(c, 0)); }

void lc_tf_op_read_variables(lc_tf_call *c) {
    for (uint32_t i = 0; i < c->in_count; i++) lc_tf_give(c, i, lc_tf_in(c, i));
}

void lc_tf_op_is_initialized(lc_tf_call *c) { lc_tf_give(c, 0, lc_tf_scalar(c, 1, LC_BOOL)); }

/* The handle goes on where a reference does: Assign gives what it assigned to. */
static void assigned(lc_tf_call *c, int32_t number, int32_t value) {
    lc_tf_variable_assign(c, number, value);
    lc_tf_give_value(c, 0, (lc_tf_value){LC_TF_VARIABLE, -1, number});
}

/* Assign, AssignVariableOp: [variable, value] */
void lc_tf_op_assign(lc_tf_call *c) {
    int32_t number;
    if (!variable_in(c, 0, &number)) return;
    assigned(c, number, lc_tf_in(c, 1));
}

/* AssignAdd, AssignSubVariableOp ...: the row says which operator joins old and new. */
void lc_tf_op_assign_with(lc_tf_call *c) {
    int32_t number;
    if (!variable_in(c, 0, &number)) return;
    assigned(c, number, lc_tf_binary(c, c->row->op, lc_tf_in(c, 0), lc_tf_in(c, 1)));
}

/* CountUpTo: adds one, gives what was there before. */
void lc_tf_op_count_up(lc_tf_call *c) {
    int32_t number;
    if (!variable_in(c, 0, &number)) return;
    const int32_t before = lc_tf_in(c, 0);
    lc_tf_variable_assign(c, number, lc_tf_with(c, LC_OP_ADD, before, 1));
    lc_tf_give(c, 0, before);
}

/* VariableShape: [variable] */
void lc_tf_op_variable_shape(lc_tf_call *c) {
    const int32_t shape = lc_tf_shape_tensor(c, lc_tf_in(c, 0));
    lc_tf_give(c, 0, lc_build_cast(c->b, shape, lc_tf_attr(c, "out_type") ? lc_tf_attr_type(c, "out_type") : LC_INT32));
}

static lc_tf_fold fold_of(const lc_tf_call *c) {
    return c->row->op == LC_OP_ADD       ? LC_TF_FOLD_ADD
           : c->row->op == LC_OP_MUL     ? LC_TF_FOLD_MUL
           : c->row->op == LC_OP_MAXIMUM ? LC_TF_FOLD_MAX
           : c->row->op == LC_OP_MINIMUM ? LC_TF_FOLD_MIN
                                         : LC_TF_FOLD_UPDATE;
}

/* ScatterUpdate, ResourceScatterAdd ...: [variable, indices, updates], rows of the first dimension. A subtraction adds the negative. */
static void scatter(lc_tf_call *c, bool nd, bool negative) {
    int32_t number;
    if (!variable_in(c, 0, &number)) return;
    int32_t indices = lc_tf_int32(c, lc_tf_in(c, 1)), updates = lc_tf_in(c, 2);
    const int32_t x = lc_tf_in(c, 0);
    if (negative) updates = lc_tf_unary(c, LC_OP_NEG, updates);
    const lc_shape s = lc_tf_ranked(c, indices), u = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    if (!nd) indices = lc_tf_expand(c, indices, s.rank);
    if (!nd && lc_tf_ranked(c, updates).rank == 0 && u.rank > 0) { /* one number for whole rows */
        lc_tf_fail(c, LC_UNSUPPORTED, "its update is a scalar, for rows of a variable");
        return;
    }
    assigned(c, number, lc_tf_scatter(c, fold_of(c), x, indices, updates));
}

void lc_tf_op_scatter_variable(lc_tf_call *c) { scatter(c, false, false); }
void lc_tf_op_scatter_variable_sub(lc_tf_call *c) { scatter(c, false, true); }
void lc_tf_op_scatter_nd_variable(lc_tf_call *c) { scatter(c, true, false); }
void lc_tf_op_scatter_nd_variable_sub(lc_tf_call *c) { scatter(c, true, true); }
