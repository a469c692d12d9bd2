/*
 * keras_config.c: the configuration of a Keras model, of both generations, to layers and calls.
 *
 * The idea: a model is a list of layers, each with the calls that were made of it; a call names the tensors it took by
 * (layer, call, tensor). The two generations write the same thing in different words:
 *
 *   Keras 2   "inbound_nodes": [[["conv", 0, 0, {}], ["other", 1, 0, {}]], ...]       or one triple without its list
 *   Keras 3   "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["conv", 0, 0]}}],
 *                                "kwargs": {}}]
 *
 * Tensors in a dict are taken by the name of their key, as Keras flattens it. A Sequential is a list, each layer called once on
 * the one before; an InputLayer is put in front when there is none.
 *
 * Nested models have one call more than they were called: the one that made them, number 0. Which of the two counts a file uses
 * for them depends on generation and place (call_of_nested says how it is told).
 *
 * Stays true: names are unique in their model; every reference names a layer and a call that are there; no call needs its own
 * result; layers keep the order of the file, which names the weights of a .keras file; layers and calls are charged to
 * max_nodes. Models nest no deeper than the JSON text may (max_depth).
 *
 * Refuses: models that are neither Sequential nor Functional (their layers are code, not data), by the name of their class.
 *
 * Facts: keras/src/models/functional.py and sequential.py (Keras 3), keras/engine/functional.py (Keras 2).
 */
#include "source/keras_legacy.h"

#include <stdlib.h>
#include <string.h>

#define BAD(...) LC_SOURCE_FAIL(c->err, LC_INVALID, KERAS_CONFIG, LC_NO_OFFSET, __VA_ARGS__)

typedef struct context {
    lc_budget *budget;
    lc_arena *arena;
    uint64_t nodes; /* layers and calls so far, over all models */
    uint32_t unnamed;
    lc_error *err;
} context;

/* A name and where its layer is; sorted by name. */
typedef struct entry {
    const char *name;
    uint32_t index;
} entry;

/* A reference as the file has it, before call numbers of nested models are settled. */
typedef struct raw_ref {
    lc_keras_ref *ref;
    uint32_t from; /* layer that makes the call; UINT32_MAX: the model's inputs and outputs */
    bool by_list;  /* written the way of Keras 2 */
} raw_ref;

typedef struct building {
    context *c;
    lc_keras_model *m;
    entry *names;
    raw_ref *refs;
    size_t ref_count, ref_capacity;
    bool keras3; /* some call is written the way of Keras 3 */
} building;

static lc_status parse_model(context *c, const lc_json *json, uint32_t depth, lc_keras_model *m);

static lc_status charge(context *c, uint64_t n, const char *model) {
    if (lc_add_u64(c->nodes, n, &c->nodes) && c->nodes <= c->budget->limits.max_nodes) return LC_OK;
    lc_fail(c->err, LC_LIMIT, "model '%s' has more than %u layers and calls", model, c->budget->limits.max_nodes);
    lc_error_hint(c->err, "if the file is what it should be, raise lc_limits.max_nodes");
    return LC_LIMIT;
}

static bool is(const char *a, const char *b) { return a && strcmp(a, b) == 0; }

/* ---- layers ---- */

static bool looks_sequential(const char *class_name, const lc_json *config) {
    return is(class_name, "Sequential") || lc_json_is(config, LC_JSON_ARRAY) ||
           (lc_json_is(lc_json_get(config, "layers"), LC_JSON_ARRAY) && !lc_json_get(config, "input_layers") &&
            lc_json_get(config, "build_input_shape"));
}

/* A class of its own that was made with inputs and outputs has the same configuration as a Functional model. */
static bool looks_functional(const lc_json *config) {
    return lc_json_is(lc_json_get(config, "layers"), LC_JSON_ARRAY) && lc_json_get(config, "input_layers") &&
           lc_json_get(config, "output_layers");
}

static bool is_model(const char *class_name, const lc_json *config) {
    return is(class_name, "Sequential") || is(class_name, "Functional") || is(class_name, "Model") || looks_functional(config);
}

static lc_status parse_layer(context *c, const lc_json *json, uint32_t index, uint32_t depth, lc_keras_model *m, lc_keras_layer *l);

/* The layer in a TimeDistributed, which may be a model. */
static lc_status parse_inner(context *c, uint32_t depth, lc_keras_model *m, lc_keras_layer *l) {
    const lc_json *json = lc_json_get(l->config, "layer");
    if (l->registered_name || !is(l->class_name, "TimeDistributed") || !lc_json_is(json, LC_JSON_OBJECT)) return LC_OK;
    if (depth > c->budget->limits.max_depth)
        return lc_fail(c->err, LC_LIMIT, "layers are nested deeper than %u", c->budget->limits.max_depth);
    LC_TRY(charge(c, 1, m->name));
    l->inner = lc_arena_alloc(c->arena, sizeof *l->inner);
    if (!l->inner) return lc_fail_memory(c->err, "Keras model");
    return parse_layer(c, json, 0, depth + 1, m, l->inner);
}

static lc_status parse_layer(context *c, const lc_json *json, uint32_t index, uint32_t depth, lc_keras_model *m, lc_keras_layer *l) {
    l->entry = json;
    l->config = lc_json_get(json, "config");
    l->class_name = lc_json_str(json, "class_name", NULL);
    l->name = lc_json_str(json, "name", NULL);
    if (!l->name) l->name = lc_json_str(l->config, "name", NULL);
    if (!l->class_name) return BAD("layer %u of model '%s' has no class_name", index, m->name);
    /* A Sequential that old Keras wrote as a list: the name it got is lost. Its place among the layers finds its weights. */
    if (!l->name && is(l->class_name, "Sequential") && lc_json_is(l->config, LC_JSON_ARRAY) &&
        !(l->name = lc_arena_printf(c->arena, "sequential_%u", ++c->unnamed)))
        return lc_fail_memory(c->err, "Keras model");
    if (!l->name || !*l->name) return BAD("layer %u (%s) of model '%s' has no name", index, l->class_name, m->name);
    const char *registered = lc_json_str(json, "registered_name", NULL), *mark = strchr(l->class_name, '>');
    if (registered && strchr(registered, '>')) l->registered_name = registered;
    if (mark) {
        l->registered_name = l->class_name;
        l->class_name = mark + 1;
    }
    if (!is_model(l->class_name, l->config)) {
        if (l->config && !lc_json_is(l->config, LC_JSON_OBJECT))
            return BAD("layer '%s' (%s) has a config that is no object", l->name, l->class_name);
        return parse_inner(c, depth, m, l);
    }
    l->model = lc_arena_alloc(c->arena, sizeof *l->model);
    if (!l->model) return lc_fail_memory(c->err, "Keras model");
    l->model->name = l->name;
    l->model->keras_version = lc_json_str(json, "keras_version", m->keras_version); /* its own: api/net_transfer.c */
    return parse_model(c, json, depth + 1, l->model);
}

static int compare_entries(const void *a, const void *b) { return strcmp(((const entry *)a)->name, ((const entry *)b)->name); }

static lc_status index_names(building *b) {
    context *c = b->c;
    b->names = lc_arena_array(c->arena, b->m->layer_count, sizeof *b->names);
    if (!b->names) return lc_fail_memory(c->err, "Keras model");
    for (uint32_t i = 0; i < b->m->layer_count; i++) b->names[i] = (entry){b->m->layers[i].name, i};
    qsort(b->names, b->m->layer_count, sizeof *b->names, compare_entries);
    for (uint32_t i = 1; i < b->m->layer_count; i++)
        if (strcmp(b->names[i - 1].name, b->names[i].name) == 0)
            return BAD("model '%s' has two layers named '%s'", b->m->name, b->names[i].name);
    return LC_OK;
}

static int32_t find_layer(const building *b, const char *name) {
    entry key = {name, 0};
    const entry *e = b->m->layer_count ? bsearch(&key, b->names, b->m->layer_count, sizeof key, compare_entries) : NULL;
    return e ? (int32_t)e->index : -1;
}

/* ---- references ---- */

/* ["name", 0, 0] or ["name", 0, 0, {...}] */
static bool is_triple(const lc_json *v) {
    return lc_json_is(v, LC_JSON_ARRAY) && (v->count == 3 || v->count == 4) && v->items[0].kind == LC_JSON_STRING &&
           v->items[1].kind == LC_JSON_INT && (v->items[2].kind == LC_JSON_INT || strcmp(v->items[0].string, "_CONSTANT_VALUE") == 0);
}

static bool is_constant(const lc_json *triple) { return strcmp(triple->items[0].string, "_CONSTANT_VALUE") == 0; }

static lc_status set_ref(building *b, const lc_json *triple, lc_keras_ref *ref, const char *who) {
    context *c = b->c;
    const char *name = triple->items[0].string;
    int64_t node = triple->items[1].integer, tensor = triple->items[2].integer;
    int32_t layer = find_layer(b, name);
    if (layer < 0) return BAD("%s of model '%s' takes its input from layer '%s', which is not there", who, b->m->name, name);
    if (node < 0 || node > INT32_MAX || tensor < 0 || tensor > INT32_MAX)
        return BAD("%s of model '%s' takes tensor %lld of call %lld of layer '%s'", who, b->m->name, (long long)tensor, (long long)node,
                   name);
    *ref = (lc_keras_ref){layer, (int32_t)node, (int32_t)tensor};
    return LC_OK;
}

static lc_status note_ref(building *b, lc_keras_ref *ref, uint32_t from, bool by_list) {
    void *items = b->refs;
    if (!lc_arena_grow(b->c->arena, &items, &b->ref_capacity, b->ref_count + 1, sizeof *b->refs))
        return lc_fail_memory(b->c->err, "Keras model");
    b->refs = items;
    b->refs[b->ref_count++] = (raw_ref){ref, from, by_list};
    return LC_OK;
}

/* A growing list of references, of one call or of the model's ends. */
typedef struct ref_list {
    lc_keras_ref *refs;
    const lc_json **leaves; /* where each of them was found */
    size_t count, capacity, leaf_capacity;
} ref_list;

/* leaf: the value that is, or holds, the triple. */
static lc_status add_ref(building *b, ref_list *list, const lc_json *triple, const lc_json *leaf, const char *who) {
    void *items = list->refs, *leaves = list->leaves;
    if (!lc_arena_grow(b->c->arena, &items, &list->capacity, list->count + 1, sizeof *list->refs) ||
        !lc_arena_grow(b->c->arena, &leaves, &list->leaf_capacity, list->count + 1, sizeof *list->leaves))
        return lc_fail_memory(b->c->err, "Keras model");
    list->refs = items;
    list->leaves = leaves;
    list->leaves[list->count] = leaf;
    LC_TRY(charge(b->c, 1, b->m->name));
    return set_ref(b, triple, &list->refs[list->count++], who);
}

/* ---- calls ---- */

static int compare_members(const void *a, const void *b) {
    return strcmp((*(const lc_json *const *)a)->key, (*(const lc_json *const *)b)->key);
}

/* The members of an object by name, which is the order in which Keras flattens a dict of tensors, however it was written. */
static lc_status sort_members(context *c, const lc_json *object, const lc_json ***sorted) {
    const lc_json **list = lc_arena_array(c->arena, object->count, sizeof *list);
    if (!list) return lc_fail_memory(c->err, "Keras model");
    for (uint32_t i = 0; i < object->count; i++) list[i] = &object->items[i];
    if (object->count) qsort(list, object->count, sizeof *list, compare_members);
    *sorted = list;
    return LC_OK;
}

typedef lc_status (*take_fn)(building *b, const lc_json *v, lc_keras_call *call, ref_list *list, const char *who);

/* take() of every item of a list in order, of an object by name; nothing of anything else. */
static lc_status take_each(building *b, const lc_json *v, lc_keras_call *call, ref_list *list, const char *who, take_fn take) {
    const lc_json **sorted = NULL;
    if (lc_json_is(v, LC_JSON_OBJECT)) LC_TRY(sort_members(b->c, v, &sorted));
    if (sorted || lc_json_is(v, LC_JSON_ARRAY))
        for (uint32_t i = 0; i < v->count; i++) LC_TRY(take(b, sorted ? sorted[i] : &v->items[i], call, list, who));
    return LC_OK;
}

/* Tensors among the keyword arguments of Keras 2: triples that name a layer. */
static lc_status take_list_kwargs(building *b, const lc_json *v, lc_keras_call *call, ref_list *list, const char *who) {
    if (is_triple(v) && v->count == 3 && v->items[2].kind == LC_JSON_INT && find_layer(b, v->items[0].string) >= 0)
        return add_ref(b, list, v, v, who);
    return take_each(b, v, call, list, who, take_list_kwargs);
}

/* The call as Keras 2 writes it: a triple, or triples in lists and objects. */
static lc_status take_list(building *b, const lc_json *v, lc_keras_call *call, ref_list *list, const char *who) {
    context *c = b->c;
    if (is_triple(v)) {
        if (!is_constant(v)) LC_TRY(add_ref(b, list, v, v, who));
        if (v->count == 4 && lc_json_is(&v->items[3], LC_JSON_OBJECT) && v->items[3].count && !call->kwargs) call->kwargs = &v->items[3];
        return LC_OK;
    }
    if (!lc_json_is(v, LC_JSON_ARRAY) && !lc_json_is(v, LC_JSON_OBJECT))
        return BAD("%s of model '%s' has a malformed inbound node", who, b->m->name);
    return take_each(b, v, call, list, who, take_list);
}

/* Tensors of Keras 3, wherever they are in an argument. */
static lc_status take_tensors(building *b, const lc_json *v, lc_keras_call *call, ref_list *list, const char *who) {
    context *c = b->c;
    if (!is(lc_json_str(v, "class_name", NULL), "__keras_tensor__")) return take_each(b, v, call, list, who, take_tensors);
    const lc_json *history = lc_json_get(lc_json_get(v, "config"), "keras_history");
    if (!is_triple(history) || history->count != 3 || is_constant(history))
        return BAD("%s of model '%s' has a malformed keras_history", who, b->m->name);
    return add_ref(b, list, history, v, who);
}

/* The first argument of a call. A model whose inputs are a list may be called with a dict of their names. */
static lc_status take_first(building *b, const lc_json *v, const lc_keras_layer *l, lc_keras_call *call, ref_list *list, const char *who,
                            take_fn take) {
    const lc_keras_model *m = l->model;
    bool by_name = m && lc_json_is(v, LC_JSON_OBJECT) && lc_json_get(v, "class_name") == NULL &&
                   !lc_json_is(lc_json_get(l->config, "input_layers"), LC_JSON_OBJECT);
    for (uint32_t i = 0; by_name && i < m->input_count; i++) by_name = lc_json_get(v, m->layers[m->inputs[i].layer].name) != NULL;
    if (!by_name) return take(b, v, call, list, who);
    for (uint32_t i = 0; i < m->input_count; i++) LC_TRY(take(b, lc_json_get(v, m->layers[m->inputs[i].layer].name), call, list, who));
    return LC_OK;
}

static lc_status parse_call(building *b, const lc_json *node, uint32_t layer, lc_keras_call *call) {
    char who[240];
    context *c = b->c;
    snprintf(who, sizeof who, "layer '%.200s'", b->m->layers[layer].name);
    ref_list list = {0};
    const lc_keras_layer *l = &b->m->layers[layer];
    const lc_json *args = lc_json_get(node, "args"), *kwargs = lc_json_get(node, "kwargs");
    /* Keras 2: a list, or a dict of tensors */
    bool by_list = lc_json_is(node, LC_JSON_ARRAY) || (lc_json_is(node, LC_JSON_OBJECT) && node->count && !args && !kwargs);
    if (by_list) {
        call->first = lc_json_is(node, LC_JSON_ARRAY) && node->count == 1 ? &node->items[0] : node;
        LC_TRY(take_first(b, node, l, call, &list, who, take_list));
        LC_TRY(take_list_kwargs(b, call->kwargs, call, &list, who));
    } else if (lc_json_is(node, LC_JSON_OBJECT)) {
        b->keras3 = true;
        if (!lc_json_is(args, LC_JSON_ARRAY)) return BAD("%s of model '%s' has an inbound node without args", who, b->m->name);
        call->args = args;
        if (lc_json_is(kwargs, LC_JSON_OBJECT) && kwargs->count) call->kwargs = kwargs;
        for (uint32_t i = 0; i < args->count; i++)
            LC_TRY(i ? take_tensors(b, &args->items[i], call, &list, who)
                     : take_first(b, &args->items[i], l, call, &list, who, take_tensors));
        for (uint32_t i = 0; call->kwargs && i < call->kwargs->count; i++) /* in the order of the call */
            LC_TRY(take_tensors(b, &call->kwargs->items[i], call, &list, who));
    } else {
        return BAD("%s of model '%s' has a malformed inbound node", who, b->m->name);
    }
    call->inputs = list.refs;
    call->leaves = list.leaves;
    call->input_count = (uint32_t)list.count;
    for (size_t i = 0; i < list.count; i++) LC_TRY(note_ref(b, &list.refs[i], layer, by_list));
    return LC_OK;
}

static lc_status parse_calls(building *b, uint32_t index) {
    context *c = b->c;
    lc_keras_layer *l = &b->m->layers[index];
    const lc_json *nodes = lc_json_get(l->entry, "inbound_nodes");
    if (!nodes || lc_json_is(nodes, LC_JSON_NULL)) return LC_OK;
    if (!lc_json_is(nodes, LC_JSON_ARRAY)) return BAD("layer '%s' of model '%s' has inbound_nodes that are no list", l->name, b->m->name);
    if (is(l->class_name, "InputLayer")) return LC_OK;
    LC_TRY(charge(c, nodes->count, b->m->name));
    l->calls = lc_arena_array(c->arena, nodes->count, sizeof *l->calls);
    if (!l->calls) return lc_fail_memory(c->err, "Keras model");
    l->call_count = nodes->count;
    for (uint32_t i = 0; i < nodes->count; i++) LC_TRY(parse_call(b, &nodes->items[i], index, &l->calls[i]));
    return LC_OK;
}

/* ---- inputs and outputs of the model ---- */

/* Flattens as Keras does: lists in order, objects by name. */
static lc_status take_ends(building *b, const lc_json *v, ref_list *list, const char *what) {
    context *c = b->c;
    if (is_triple(v) && v->count == 3 && v->items[2].kind == LC_JSON_INT) return add_ref(b, list, v, v, what);
    if (lc_json_is(v, LC_JSON_ARRAY)) {
        for (uint32_t i = 0; i < v->count; i++) LC_TRY(take_ends(b, &v->items[i], list, what));
        return LC_OK;
    }
    if (!lc_json_is(v, LC_JSON_OBJECT)) return BAD("%s of model '%s' is malformed", what, b->m->name);
    const lc_json **sorted;
    LC_TRY(sort_members(c, v, &sorted));
    for (uint32_t i = 0; i < v->count; i++) LC_TRY(take_ends(b, sorted[i], list, what));
    return LC_OK;
}

static lc_status parse_ends(building *b, const lc_json *config) {
    context *c = b->c;
    lc_keras_model *m = b->m;
    ref_list in = {0}, out = {0};
    const lc_json *outputs = lc_json_get(config, "output_layers");
    LC_TRY(take_ends(b, lc_json_get(config, "input_layers"), &in, "input_layers"));
    LC_TRY(take_ends(b, outputs, &out, "output_layers"));
    if (!out.count) return BAD("model '%s' has no outputs", m->name);
    m->inputs = in.refs, m->input_count = (uint32_t)in.count;
    m->outputs = out.refs, m->output_count = (uint32_t)out.count;
    for (size_t i = 0; i < in.count; i++) LC_TRY(note_ref(b, &in.refs[i], UINT32_MAX, true));
    for (size_t i = 0; i < out.count; i++) LC_TRY(note_ref(b, &out.refs[i], UINT32_MAX, true));
    if (lc_json_is(outputs, LC_JSON_OBJECT) && outputs->count == out.count) {
        m->output_names = lc_arena_array(c->arena, out.count, sizeof *m->output_names);
        if (!m->output_names) return lc_fail_memory(c->err, "Keras model");
        const lc_json **sorted = lc_arena_array(c->arena, outputs->count, sizeof *sorted);
        if (!sorted) return lc_fail_memory(c->err, "Keras model");
        for (uint32_t i = 0; i < outputs->count; i++) sorted[i] = &outputs->items[i];
        qsort(sorted, outputs->count, sizeof *sorted, compare_members);
        for (uint32_t i = 0; i < outputs->count; i++) m->output_names[i] = sorted[i]->key;
    }
    return LC_OK;
}

/* ---- settling ---- */

/* Nested models: references count from 1 where the call that made the model counts too. Keras 2 does that everywhere, for a
 * Sequential only when it has an InputLayer; Keras 3 only in the model's own outputs, and never for a Sequential. The rule is
 * tried first; when it does not fit all references to this layer the other one is taken, when it does. */
typedef struct usage {
    int32_t least[2], most[2];
    bool rule[2];
} usage;

static void note_usage(usage *u, const lc_keras_ref *ref, int kind) {
    if (ref->node < u->least[kind]) u->least[kind] = ref->node;
    if (ref->node > u->most[kind]) u->most[kind] = ref->node;
}

static bool call_of_nested(const building *b, const lc_keras_layer *l, int kind, bool by_list) {
    bool sequential = is(l->class_name, "Sequential");
    if (b->keras3 || !by_list) return kind == 1 && !sequential;
    if (!sequential) return true;
    /* The InputLayer may have been put in here: then it has no entry of its own, and the first layer's shape says whether Keras
     * had one. */
    const lc_keras_layer *first = l->model->layer_count ? &l->model->layers[0] : NULL,
                         *second = l->model->layer_count > 1 ? &l->model->layers[1] : NULL;
    return first && (first->entry || (second && lc_json_get(second->config, "batch_input_shape")));
}

static lc_status settle(building *b) {
    context *c = b->c;
    lc_keras_model *m = b->m;
    usage *all = lc_arena_array(c->arena, m->layer_count, sizeof *all);
    if (!all) return lc_fail_memory(c->err, "Keras model");
    for (uint32_t i = 0; i < m->layer_count; i++) all[i] = (usage){{INT32_MAX, INT32_MAX}, {-1, -1}, {false, false}};
    for (size_t i = 0; i < b->ref_count; i++) {
        const raw_ref *r = &b->refs[i];
        int kind = r->from == UINT32_MAX;
        note_usage(&all[r->ref->layer], r->ref, kind);
        if (m->layers[r->ref->layer].model && call_of_nested(b, &m->layers[r->ref->layer], kind, r->by_list))
            all[r->ref->layer].rule[kind] = true;
    }
    for (size_t i = 0; i < b->ref_count; i++) {
        lc_keras_ref *ref = b->refs[i].ref;
        const lc_keras_layer *l = &m->layers[ref->layer];
        const char *who = b->refs[i].from == UINT32_MAX ? m->name : m->layers[b->refs[i].from].name;
        int kind = b->refs[i].from == UINT32_MAX;
        const usage *u = &all[ref->layer];
        bool input = is(l->class_name, "InputLayer");
        int32_t calls = (int32_t)l->call_count;
        if (input) ref->node = 0;
        if (l->model) {
            bool counted = u->rule[kind], fits = counted ? u->least[kind] >= 1 && u->most[kind] <= calls : u->most[kind] < calls;
            if (!fits) counted = !counted && u->least[kind] >= 1 && u->most[kind] <= calls;
            if (counted) ref->node--;
            if (ref->tensor >= (int32_t)l->model->output_count)
                return BAD("'%s' takes output %d of '%s', which has %u", who, ref->tensor, l->name, l->model->output_count);
        }
        if (input ? ref->tensor != 0 : ref->node >= calls)
            return BAD("'%s' takes tensor %d of call %d of layer '%s', which was called %u times", who, ref->tensor, ref->node, l->name,
                       l->call_count);
    }
    for (uint32_t i = 0; i < m->input_count; i++)
        if (!is(m->layers[m->inputs[i].layer].class_name, "InputLayer"))
            return BAD("input %u of model '%s' is layer '%s' (%s), an InputLayer is needed", i, m->name, m->layers[m->inputs[i].layer].name,
                       m->layers[m->inputs[i].layer].class_name);
    return LC_OK;
}

/* Every call can be made after the calls it needs: counted down from those that need none. */
static lc_status check_order(building *b) {
    context *c = b->c;
    lc_keras_model *m = b->m;
    size_t calls = 0, edges = 0;
    size_t *first = lc_arena_array(c->arena, (size_t)m->layer_count + 1, sizeof *first); /* a layer's first call among all */
    if (!first) return lc_fail_memory(c->err, "Keras model");
    for (uint32_t i = 0; i < m->layer_count; i++) {
        first[i] = calls;
        for (uint32_t k = 0; k < m->layers[i].call_count; k++) edges += m->layers[i].calls[k].input_count;
        calls += m->layers[i].call_count ? m->layers[i].call_count : 1;
    }
    first[m->layer_count] = calls;
    size_t *waits = lc_arena_array(c->arena, calls, sizeof *waits), *begin = lc_arena_array(c->arena, calls + 1, sizeof *begin);
    size_t *users = lc_arena_array(c->arena, edges, sizeof *users), *ready = lc_arena_array(c->arena, calls, sizeof *ready);
    if (!waits || !begin || !users || !ready) return lc_fail_memory(c->err, "Keras model");
    for (int pass = 0; pass < 2; pass++) { /* count the users of each call, then list them */
        for (uint32_t i = 0; i < m->layer_count; i++)
            for (uint32_t k = 0; k < m->layers[i].call_count; k++)
                for (uint32_t j = 0; j < m->layers[i].calls[k].input_count; j++) {
                    const lc_keras_ref *ref = &m->layers[i].calls[k].inputs[j];
                    size_t source = first[ref->layer] + (size_t)ref->node;
                    if (pass == 0) begin[source + 1]++, waits[first[i] + k]++;
                    else users[begin[source]++] = first[i] + k;
                }
        if (pass == 0)
            for (size_t i = 0; i < calls; i++) begin[i + 1] += begin[i];
    }
    /* Listing moved each begin to its end, which is the next one's begin. */
    size_t count = 0, done = 0;
    for (size_t i = 0; i < calls; i++)
        if (!waits[i]) ready[count++] = i;
    while (done < count) {
        size_t at = ready[done++];
        for (size_t u = at ? begin[at - 1] : 0; u < begin[at]; u++)
            if (--waits[users[u]] == 0) ready[count++] = users[u];
    }
    if (count == calls) return LC_OK;
    char names[400] = "";
    size_t used = 0, named = 0;
    for (uint32_t i = 0; i < m->layer_count && named < 4; i++) {
        bool waiting = false;
        for (size_t k = first[i]; k < first[i + 1]; k++) waiting |= waits[k] != 0;
        if (!waiting) continue;
        int n = snprintf(names + used, sizeof names - used, "%s'%.60s'", named ? ", " : "", m->layers[i].name);
        if (n > 0 && (size_t)n < sizeof names - used) used += (size_t)n;
        named++;
    }
    BAD("the layers of model '%s' lead in a circle: each of %s%s waits for another", m->name, names, named == 4 ? " ..." : "");
    lc_error_hint(c->err, "the configuration was damaged or written by hand: save the model again");
    return LC_INVALID;
}

/* ---- models ---- */

static lc_status alloc_layers(context *c, lc_keras_model *m, uint32_t count) {
    LC_TRY(charge(c, count, m->name));
    m->layers = lc_arena_array(c->arena, count, sizeof *m->layers);
    if (!m->layers) return lc_fail_memory(c->err, "Keras model");
    m->layer_count = count;
    return LC_OK;
}

static lc_status parse_functional(context *c, const lc_json *config, uint32_t depth, lc_keras_model *m) {
    building b = {.c = c, .m = m};
    const lc_json *layers = lc_json_get(config, "layers");
    LC_TRY(alloc_layers(c, m, layers->count));
    for (uint32_t i = 0; i < layers->count; i++) LC_TRY(parse_layer(c, &layers->items[i], i, depth, m, &m->layers[i]));
    LC_TRY(index_names(&b));
    for (uint32_t i = 0; i < m->layer_count; i++) LC_TRY(parse_calls(&b, i));
    LC_TRY(parse_ends(&b, config));
    LC_TRY(settle(&b));
    return check_order(&b);
}

/* The shape of a Sequential's input, wherever a version of Keras wrote it down; NULL when nowhere. */
static const lc_json *input_shape(const lc_json *json, const lc_json *config, const lc_keras_layer *first) {
    const lc_json *places[] = {
        lc_json_get(first->config, "batch_input_shape"),
        lc_json_get(first->config, "batch_shape"),
        lc_json_get(config, "build_input_shape"),
        lc_json_get(config, "batch_input_shape"),
        lc_json_get(lc_json_get(json, "build_config"), "input_shape"),
        lc_json_get(lc_json_get(first->entry, "build_config"), "input_shape"),
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (lc_json_is(places[i], LC_JSON_ARRAY) && places[i]->count && !lc_json_is(&places[i]->items[0], LC_JSON_ARRAY)) return places[i];
    if (!first->model || first->model->input_count != 1) return NULL;
    const lc_json *inside = first->model->layers[first->model->inputs[0].layer].config, *shape = lc_json_get(inside, "batch_shape");
    return shape ? shape : lc_json_get(inside, "batch_input_shape");
}

/* {"name": ..., "batch_shape": shape, "dtype": ...} for a Sequential that begins with another layer. */
static lc_status put_input(context *c, lc_keras_model *m, const lc_json *shape, const lc_keras_layer *next, lc_keras_layer *l) {
    bool keras3 = m->keras_version && m->keras_version[0] >= '3';
    const char *name = keras3 ? "input_layer" : lc_arena_printf(c->arena, "%s_input", next->name),
               *dtype = lc_json_str(next->config, "dtype", "float32");
    lc_json *members = lc_arena_array(c->arena, 3, sizeof *members), *config = lc_arena_alloc(c->arena, sizeof *config);
    if (!name || !members || !config) return lc_fail_memory(c->err, "Keras model");
    members[0] = (lc_json){.kind = LC_JSON_STRING, .key = "name", .string = name};
    members[1] = *shape;
    members[1].key = keras3 ? "batch_shape" : "batch_input_shape";
    members[2] = (lc_json){.kind = LC_JSON_STRING, .key = "dtype", .string = dtype};
    *config = (lc_json){.kind = LC_JSON_OBJECT, .items = members, .count = 3};
    *l = (lc_keras_layer){.name = name, .class_name = "InputLayer", .config = config};
    return LC_OK;
}

static lc_status chain(context *c, lc_keras_model *m) {
    for (uint32_t i = 1; i < m->layer_count; i++) {
        lc_keras_layer *l = &m->layers[i];
        if (is(l->class_name, "InputLayer"))
            return BAD("layer %u of the Sequential model '%s' is an InputLayer, only the first may be", i, m->name);
        l->calls = lc_arena_alloc(c->arena, sizeof *l->calls);
        if (!l->calls || !(l->calls->inputs = lc_arena_alloc(c->arena, sizeof *l->calls->inputs)))
            return lc_fail_memory(c->err, "Keras model");
        l->call_count = l->calls->input_count = 1;
        l->calls->inputs[0] = (lc_keras_ref){(int32_t)i - 1, 0, 0};
    }
    m->inputs = lc_arena_array(c->arena, 2, sizeof *m->inputs);
    if (!m->inputs) return lc_fail_memory(c->err, "Keras model");
    m->outputs = m->inputs + 1;
    m->input_count = m->output_count = 1;
    m->inputs[0] = (lc_keras_ref){0, 0, 0};
    m->outputs[0] = (lc_keras_ref){(int32_t)m->layer_count - 1, 0, 0};
    return LC_OK;
}

static lc_status parse_sequential(context *c, const lc_json *json, const lc_json *config, uint32_t depth, lc_keras_model *m) {
    const lc_json *layers = lc_json_is(config, LC_JSON_ARRAY) ? config : lc_json_get(config, "layers");
    if (!lc_json_is(layers, LC_JSON_ARRAY)) return BAD("Sequential model '%s' has no list of layers", m->name);
    if (!layers->count) {
        BAD("Sequential model '%s' has no layers", m->name);
        lc_error_hint(c->err, "add layers to the model before saving it");
        return LC_INVALID;
    }
    bool missing = !is(lc_json_str(&layers->items[0], "class_name", NULL), "InputLayer");
    uint32_t count;
    if (__builtin_add_overflow(layers->count, missing ? 1u : 0u, &count)) return BAD("model '%s' has too many layers", m->name);
    LC_TRY(alloc_layers(c, m, count));
    for (uint32_t i = 0; i < layers->count; i++)
        LC_TRY(parse_layer(c, &layers->items[i], i, depth, m, &m->layers[count - layers->count + i]));
    if (missing) {
        const lc_json *shape = input_shape(json, config, &m->layers[1]);
        if (!shape) {
            BAD("Sequential model '%s' does not say the shape of its input", m->name);
            lc_error_hint(c->err, "begin it with keras.Input(shape=(...)), or call model.build((None, ...)) before model.save(...)");
            return LC_INVALID;
        }
        LC_TRY(put_input(c, m, shape, &m->layers[1], &m->layers[0]));
    }
    building b = {.c = c, .m = m};
    LC_TRY(index_names(&b));
    return chain(c, m);
}

static lc_status parse_model(context *c, const lc_json *json, uint32_t depth, lc_keras_model *m) {
    const lc_json *config = lc_json_get(json, "config");
    const char *class_name = lc_json_str(json, "class_name", NULL);
    if (depth > c->budget->limits.max_depth)
        return lc_fail(c->err, LC_LIMIT, "models are nested deeper than %u", c->budget->limits.max_depth);
    if (!m->name) m->name = lc_json_str(config, "name", "model");
    if (!class_name) return BAD("the configuration of model '%s' has no class_name", m->name);
    if (!config) return BAD("the configuration of model '%s' has no config", m->name);
    if (looks_sequential(class_name, config)) {
        m->class_name = "Sequential";
        return parse_sequential(c, json, config, depth, m);
    }
    if (looks_functional(config)) {
        m->class_name = "Functional";
        return parse_functional(c, config, depth, m);
    }
    if (is(class_name, "Functional") || is(class_name, "Model")) {
        BAD("model '%s' (%s) has no layers, input_layers and output_layers in its configuration", m->name, class_name);
        lc_error_hint(c->err, "a subclassed model's layers are code: build it with the Functional API, or save it with "
                              "model.export(...) as a SavedModel");
        return LC_INVALID;
    }
    LC_SOURCE_FAIL(c->err, LC_UNSUPPORTED, KERAS_CONFIG, LC_NO_OFFSET,
                   "model '%s' is of class %s, which is neither Sequential nor Functional", m->name, class_name);
    lc_error_hint(c->err, "a subclassed model's layers are code, not data: build it with the Functional API and save it again");
    return LC_UNSUPPORTED;
}

lc_status lc_keras_config(const lc_json *root, const char *version, lc_budget *budget, lc_arena *arena, lc_keras_model **model,
                          lc_error *err) {
    context context_ = {.budget = budget, .arena = arena, .err = err}, *c = &context_;
    *model = NULL;
    if (!lc_json_is(root, LC_JSON_OBJECT)) return BAD("the model's configuration is no JSON object");
    lc_keras_model *m = lc_arena_alloc(arena, sizeof *m);
    if (!m) return lc_fail_memory(err, "Keras model");
    m->keras_version = version;
    if (!version || version[0] < '3') LC_TRY(lc_keras_modernise(root, budget, arena, &root, err));
    LC_TRY(parse_model(c, root, 0, m));
    m->root = root;
    *model = m;
    return LC_OK;
}

static void count(const lc_keras_model *m, lc_source_stats *stats) {
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        while (l->inner) l = l->inner;
        if (l->model) count(l->model, stats);
        else stats->layers++;
        for (uint32_t k = 0; k < l->weight_count; k++) {
            uint32_t bits = lc_dtype_bits(l->weights[k].type);
            uint64_t n = bits ? l->weights[k].size / (bits / 8) : 0;
            if (!lc_add_u64(stats->parameters, n, &stats->parameters)) stats->parameters = UINT64_MAX;
        }
    }
}

lc_source_stats lc_keras_count(const lc_keras_model *model) {
    lc_source_stats stats = {0, 0};
    count(model, &stats);
    return stats;
}
