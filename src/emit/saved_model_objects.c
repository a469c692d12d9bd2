/*
 * saved_model_objects.c: the graph of objects in a SavedModel.
 *
 *   root ─┬─ variables, trainable_variables, non_trainable_variables     lists of
 *         │      0, 1, 2 ...                                             the variables
 *         ├─ signatures ── "serving_default" ...                         functions called by names
 *         └─ serve ...                                                   functions called with a tensor, or a list of them
 *
 * The checkpoint has the same graph, object by object, and says under which key the value of each variable is: TensorFlow restores by
 * walking both together.
 *
 * Spec: tensorflow/core/protobuf/saved_object_graph.proto, trackable_object_graph.proto.
 */
#include "emit/saved_model_objects.h"

#include <string.h>

enum { LISTS = 3 };
static const char *const list_names[LISTS] = {"variables", "trainable_variables", "non_trainable_variables"};

typedef struct objects {
    const lc_gd_variables *v;
    const lc_saved_signature *signatures;
    size_t n;
    lc_arena *arena;
    bool failed;
    lc_pb_SavedObject *nodes; /* 0: root; 1: the variables; then lists, signatures, functions */
    uint32_t first_list, map, first_bare, first_function, count;
} objects;

static void *make(objects *o, size_t n, size_t size) {
    void *p = lc_arena_array(o->arena, n, size);
    if (!p) o->failed = true;
    return p;
}

/* ---- structured values -------------------------------------------------------------------------------------------------- */

static lc_pb_StructuredValue *make_value(objects *o) { return make(o, 1, sizeof(lc_pb_StructuredValue)); }

static lc_pb_StructuredValue *none(objects *o) {
    lc_pb_StructuredValue *s = make_value(o);
    if (s) s->none_value = make(o, 1, sizeof *s->none_value);
    return s;
}

lc_pb_TensorShapeProto *lc_saved_shape(lc_arena *arena, const lc_saved_value *value) {
    int32_t dims[LC_MAX_RANK];
    lc_gd_dims(value->tensor, dims);
    lc_pb_TensorShapeProto *shape = lc_gd_make_shape(arena, dims, value->tensor->rank);
    if (shape) shape->unknown_rank = value->output && value->tensor->rank == 0;
    return shape;
}

static lc_pb_StructuredValue *spec(objects *o, const lc_saved_value *value) {
    lc_pb_StructuredValue *s = make_value(o);
    if (!s) return NULL;
    s->tensor_spec_value = make(o, 1, sizeof *s->tensor_spec_value);
    lc_pb_TensorShapeProto *shape = lc_saved_shape(o->arena, value);
    o->failed = o->failed || !shape;
    if (s->tensor_spec_value)
        *s->tensor_spec_value = (lc_pb_TensorSpecProto){.name = value->name, .shape = shape, .dtype = lc_pb_data_type(value->tensor->type)};
    return s;
}

/* An array of values, written by hand: of nodes that were made one by one. */
static lc_pb_StructuredValue *array_of(objects *o, lc_pb_StructuredValue *const *items, uint32_t n) {
    lc_pb_StructuredValue *all = make(o, n, sizeof *all);
    for (uint32_t i = 0; all && i < n; i++)
        if (items[i]) all[i] = *items[i];
    return all;
}

static lc_pb_StructuredValue *tuple(objects *o, lc_pb_StructuredValue *const *items, uint32_t n) {
    lc_pb_StructuredValue *s = make_value(o);
    lc_pb_TupleValue *t = make(o, 1, sizeof *t);
    if (!s || !t) return NULL;
    t->values.data = array_of(o, items, n);
    t->values.n = n;
    s->tuple_value = t;
    return s;
}

static lc_pb_StructuredValue *list(objects *o, lc_pb_StructuredValue *const *items, uint32_t n) {
    lc_pb_StructuredValue *s = make_value(o);
    lc_pb_ListValue *t = make(o, 1, sizeof *t);
    if (!s || !t) return NULL;
    t->values.data = array_of(o, items, n);
    t->values.n = n;
    s->list_value = t;
    return s;
}

static lc_pb_StructuredValue *text(objects *o, lc_str string) {
    lc_pb_StructuredValue *s = make_value(o);
    if (s) s->string_value = string;
    return s;
}

static lc_pb_StructuredValue *dict_of_specs(objects *o, const lc_saved_value *values, uint32_t n) {
    lc_pb_StructuredValue *s = make_value(o);
    lc_pb_DictValue *d = make(o, 1, sizeof *d);
    if (!s || !d) return NULL;
    d->fields.data = make(o, n, sizeof *d->fields.data);
    d->fields.n = n;
    for (uint32_t i = 0; d->fields.data && i < n; i++)
        d->fields.data[i] = (lc_pb_DictValue_FieldsEntry){.key = values[i].name, .value = spec(o, &values[i])};
    s->dict_value = d;
    return s;
}

/* One tensor as it is, several as a list. */
static lc_pb_StructuredValue *one_or_list(objects *o, const lc_saved_value *values, uint32_t n) {
    if (n == 1) return spec(o, &values[0]);
    lc_pb_StructuredValue **specs = make(o, n, sizeof *specs);
    for (uint32_t i = 0; specs && i < n; i++) specs[i] = spec(o, &values[i]);
    return specs ? list(o, specs, n) : NULL;
}

/* Python's signature of a function with these positional arguments and these that have to be named. */
static lc_pb_FunctionSpec *function_spec(objects *o, const lc_str *positional, uint32_t n, const lc_saved_value *named, uint32_t m,
                                         lc_pb_StructuredValue *input_signature) {
    lc_pb_StructuredValue **args = make(o, n, sizeof *args), **kwonly = make(o, m, sizeof *kwonly);
    lc_pb_NamedTupleValue *t = make(o, 1, sizeof *t);
    lc_pb_FunctionSpec *f = make(o, 1, sizeof *f);
    lc_pb_PairValue *pairs = make(o, 7, sizeof *pairs);
    if (!args || !kwonly || !t || !f || !pairs) return NULL;
    for (uint32_t i = 0; i < n; i++) args[i] = text(o, positional[i]);
    for (uint32_t i = 0; i < m; i++) kwonly[i] = text(o, named[i].name);
    pairs[0] = (lc_pb_PairValue){.key = LC_STR("args"), .value = list(o, args, n)};
    pairs[1] = (lc_pb_PairValue){.key = LC_STR("varargs"), .value = none(o)};
    pairs[2] = (lc_pb_PairValue){.key = LC_STR("varkw"), .value = none(o)};
    pairs[3] = (lc_pb_PairValue){.key = LC_STR("defaults"), .value = none(o)};
    pairs[4] = (lc_pb_PairValue){.key = LC_STR("kwonlyargs"), .value = list(o, kwonly, m)};
    pairs[5] = (lc_pb_PairValue){.key = LC_STR("kwonlydefaults"), .value = none(o)};
    pairs[6] = (lc_pb_PairValue){.key = LC_STR("annotations"), .value = dict_of_specs(o, NULL, 0)};
    *t = (lc_pb_NamedTupleValue){.name = LC_STR("FullArgSpec")};
    t->values.data = pairs;
    t->values.n = 7;
    f->fullargspec = make_value(o);
    if (f->fullargspec) f->fullargspec->named_tuple_value = t;
    f->input_signature = input_signature;
    return f;
}

/* ---- objects ------------------------------------------------------------------------------------------------------------ */

typedef lc_pb_TrackableObjectGraph_TrackableObject_ObjectReference child;

static void set_children(objects *o, uint32_t node, child *children, uint32_t n) {
    o->nodes[node].children.data = children;
    o->nodes[node].children.n = n;
}

static void set_user(objects *o, uint32_t node, const char *identifier) {
    lc_pb_SavedUserObject *user = make(o, 1, sizeof *user);
    lc_pb_VersionDef *version = make(o, 1, sizeof *version);
    if (!user || !version) return;
    *version = (lc_pb_VersionDef){.producer = 1, .min_consumer = 1};
    *user = (lc_pb_SavedUserObject){.identifier = lc_str_of(identifier), .version = version};
    o->nodes[node].user_object = user;
}

static bool in_list(const lc_emit_variable *v, int which) { return which == 0 || v->trainable == (which == 1); }

static void make_lists(objects *o) {
    for (int k = 0; k < LISTS; k++) {
        child *children = make(o, o->v->n, sizeof *children);
        uint32_t n = 0;
        for (size_t i = 0; children && i < o->v->n; i++) {
            if (!in_list(&o->v->variables[i], k)) continue;
            const char *name = lc_arena_printf(o->arena, "%u", n);
            o->failed = o->failed || !name;
            children[n++] = (child){.node_id = (int32_t)i + 1, .local_name = lc_str_of(name)};
        }
        set_children(o, o->first_list + (uint32_t)k, children, n);
        set_user(o, o->first_list + (uint32_t)k, "trackable_list_wrapper");
    }
}

static void make_variables(objects *o) {
    for (size_t i = 0; i < o->v->n; i++) {
        const lc_emit_variable *v = &o->v->variables[i];
        lc_pb_SavedVariable *saved = make(o, 1, sizeof *saved);
        if (!saved) return;
        saved->dtype = lc_pb_data_type(v->type);
        saved->shape = lc_gd_make_shape(o->arena, v->dims, v->rank);
        o->failed = o->failed || !saved->shape;
        saved->trainable = v->trainable;
        saved->name = lc_str_of(v->name);
        o->nodes[i + 1].variable = saved;
    }
}

static void make_bare(objects *o, size_t i) {
    const lc_saved_signature *s = &o->signatures[i];
    lc_pb_SavedBareConcreteFunction *f = make(o, 1, sizeof *f);
    lc_str *names = make(o, s->input_count, sizeof *names);
    if (!f || !names) return;
    for (uint32_t k = 0; k < s->input_count; k++) names[k] = s->sorted_inputs[k].name;
    f->concrete_function_name = s->wrapper;
    f->argument_keywords = (lc_pb_strings){names, s->input_count};
    f->allowed_positional_arguments = s->input_count == 1;
    f->function_spec = function_spec(o, NULL, 0, s->sorted_inputs, s->input_count, none(o));
    o->nodes[o->first_bare + i].bare_concrete_function = f;
}

/* What a call of the loaded object's function takes: one argument, a tensor or a list of them. */
static lc_pb_StructuredValue *call_arguments(objects *o, const lc_saved_signature *s) {
    lc_pb_StructuredValue *inputs = one_or_list(o, s->inputs, s->input_count);
    return tuple(o, &inputs, 1);
}

static void make_function(objects *o, size_t i, uint32_t node) {
    const lc_saved_signature *s = &o->signatures[i];
    lc_pb_SavedFunction *f = make(o, 1, sizeof *f);
    lc_str *name = make(o, 1, sizeof *name);
    if (!f || !name) return;
    *name = s->body;
    const lc_str argument = s->input_count == 1 ? s->inputs[0].name : LC_STR("inputs");
    f->concrete_functions = (lc_pb_strings){name, 1};
    f->function_spec = function_spec(o, &argument, 1, NULL, 0, call_arguments(o, s));
    o->nodes[node].function = f;
}

static void make_root(objects *o) {
    child *children = make(o, LISTS + 1 + o->n, sizeof *children), *signatures = make(o, o->n, sizeof *signatures);
    if (!children || !signatures) return;
    uint32_t n = 0, function = o->first_function;
    for (int k = 0; k < LISTS; k++) children[n++] = (child){.node_id = (int32_t)o->first_list + k, .local_name = lc_str_of(list_names[k])};
    children[n++] = (child){.node_id = (int32_t)o->map, .local_name = LC_STR("signatures")};
    for (size_t i = 0; i < o->n; i++) {
        make_bare(o, i);
        signatures[i] = (child){.node_id = (int32_t)(o->first_bare + i), .local_name = o->signatures[i].key};
        if (!o->signatures[i].attribute.data) continue;
        make_function(o, i, function);
        children[n++] = (child){.node_id = (int32_t)function++, .local_name = o->signatures[i].attribute};
    }
    set_children(o, 0, children, n);
    set_user(o, 0, "_generic_user_object");
    set_children(o, o->map, signatures, (uint32_t)o->n);
    set_user(o, o->map, "signature_map");
}

/* ---- concrete functions ------------------------------------------------------------------------------------------------- */

typedef lc_pb_SavedObjectGraph_ConcreteFunctionsEntry function_entry;

static function_entry concrete(objects *o, const lc_saved_signature *s, lc_str name, lc_pb_StructuredValue *args,
                               lc_pb_StructuredValue *kwargs, lc_pb_StructuredValue *outputs) {
    lc_pb_SavedConcreteFunction *f = make(o, 1, sizeof *f);
    int32_t *bound = make(o, s->variable_count, sizeof *bound);
    if (!f || !bound) return (function_entry){0};
    for (uint32_t i = 0; i < s->variable_count; i++) bound[i] = (int32_t)s->variables[i] + 1;
    f->bound_inputs = (lc_pb_int32s){bound, s->variable_count};
    f->canonicalized_input_signature = tuple(o, (lc_pb_StructuredValue *const[]){args, kwargs}, 2);
    f->output_signature = outputs;
    return (function_entry){.key = name, .value = f};
}

static void make_concrete(objects *o, lc_pb_SavedObjectGraph *graph) {
    function_entry *all = make(o, 2 * o->n, sizeof *all);
    if (!all) return;
    uint32_t n = 0;
    for (size_t i = 0; i < o->n; i++) {
        const lc_saved_signature *s = &o->signatures[i];
        all[n++] = concrete(o, s, s->wrapper, tuple(o, NULL, 0), dict_of_specs(o, s->sorted_inputs, s->input_count),
                            dict_of_specs(o, s->sorted_outputs, s->output_count));
        if (s->attribute.data)
            all[n++] =
                concrete(o, s, s->body, call_arguments(o, s), dict_of_specs(o, NULL, 0), one_or_list(o, s->outputs, s->output_count));
    }
    graph->concrete_functions.data = all;
    graph->concrete_functions.n = n;
}

/* ---- the checkpoint's view ---------------------------------------------------------------------------------------------- */

static void make_tracked(objects *o, lc_pb_TrackableObjectGraph *tracked) {
    lc_pb_TrackableObjectGraph_TrackableObject *nodes = make(o, o->count, sizeof *nodes);
    if (!nodes) return;
    for (uint32_t i = 0; i < o->count; i++) {
        nodes[i].children.data = o->nodes[i].children.data;
        nodes[i].children.n = o->nodes[i].children.n;
    }
    for (size_t i = 0; i < o->v->n; i++) {
        lc_pb_TrackableObjectGraph_TrackableObject_SerializedTensor *t = make(o, 1, sizeof *t);
        if (!t) return;
        t->name = LC_STR("VARIABLE_VALUE");
        t->full_name = lc_str_of(o->v->variables[i].name);
        t->checkpoint_key = o->v->keys[i];
        nodes[i + 1].attributes.data = t;
        nodes[i + 1].attributes.n = 1;
    }
    tracked->nodes.data = nodes;
    tracked->nodes.n = o->count;
}

lc_status lc_saved_objects(const lc_gd_variables *v, const lc_saved_signature *signatures, size_t n, lc_arena *arena,
                           lc_pb_SavedObjectGraph *graph, lc_pb_TrackableObjectGraph *tracked, lc_error *err) {
    objects o = {.v = v, .signatures = signatures, .n = n, .arena = arena};
    o.first_list = 1 + (uint32_t)v->n;
    o.map = o.first_list + LISTS;
    o.first_bare = o.map + 1;
    o.first_function = o.first_bare + (uint32_t)n;
    o.count = o.first_function;
    for (size_t i = 0; i < n; i++) o.count += signatures[i].attribute.data != NULL;
    *graph = (lc_pb_SavedObjectGraph){0};
    *tracked = (lc_pb_TrackableObjectGraph){0};
    o.nodes = make(&o, o.count, sizeof *o.nodes);
    if (!o.failed) {
        make_variables(&o);
        make_lists(&o);
        make_root(&o);
        make_concrete(&o, graph);
        make_tracked(&o, tracked);
    }
    graph->nodes.data = o.nodes;
    graph->nodes.n = o.count;
    return o.failed ? lc_fail_memory(err, "objects of a SavedModel") : LC_OK;
}
