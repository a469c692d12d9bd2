/*
 * tf_signature.c: what a MetaGraph offers to be made: its signatures, or functions of its object graph by name.
 *
 * A signature's inputs and outputs are maps, which have no order. We give them the order of the function behind the signature (its wrapper
 * hands the inputs on in the order of the function's own arguments: Keras's order of inputs), else that of the names, numbers in them
 * counted as numbers: output_2 comes before output_10. Signatures without outputs are TensorFlow's own business and no user's; `serve` of
 * Keras's export is left out beside the serving_default that says the same, as the official converter does.
 *
 * A function takes behind its inputs what it captured: variables, constants, tables. The object graph says which objects these are, and the
 * calls of the main graph which nodes make them.
 */
#include "source/tf_read.h"

#include <stdlib.h>
#include <string.h>

bool lc_tf_hidden_signature(lc_str key) { return lc_str_has_prefix(key, "__saved_model_"); }

/* ---- order ---- */

/* Digits count as a number: "output_9" before "output_10". */
static int natural(lc_str a, lc_str b) {
    size_t i = 0, k = 0;
    while (i < a.size && k < b.size) {
        size_t m = i, n = k;
        while (m < a.size && a.data[m] == '0') m++; /* zeros in front say nothing */
        while (n < b.size && b.data[n] == '0') n++;
        size_t x = m, y = n;
        while (x < a.size && a.data[x] >= '0' && a.data[x] <= '9') x++;
        while (y < b.size && b.data[y] >= '0' && b.data[y] <= '9') y++;
        if (x > i && y > k) {
            if (x - m != y - n) return x - m < y - n ? -1 : 1;
            const int d = memcmp(a.data + m, b.data + n, x - m);
            if (d) return d;
            i = x, k = y;
            continue;
        }
        if (a.data[i] != b.data[k]) return (unsigned char)a.data[i] < (unsigned char)b.data[k] ? -1 : 1;
        i++, k++;
    }
    return i < a.size ? 1 : k < b.size ? -1 : a.size < b.size ? -1 : a.size > b.size;
}

static int by_natural(const void *pa, const void *pb) {
    const lc_pb_SignatureDef_InputsEntry *const *a = pa, *const *b = pb;
    return natural((*a)->key, (*b)->key);
}

static int by_key(const void *pa, const void *pb) {
    const lc_pb_MetaGraphDef_SignatureDefEntry *const *a = pa, *const *b = pb;
    const bool x = lc_str_is((*a)->key, "serving_default"), y = lc_str_is((*b)->key, "serving_default");
    return x != y ? (x ? -1 : 1) : natural((*a)->key, (*b)->key);
}

/* ---- the function behind a signature ---- */

static bool is_call(const lc_pb_NodeDef *node) {
    return lc_str_is(node->op, "StatefulPartitionedCall") || lc_str_is(node->op, "PartitionedCall");
}

static const lc_pb_FunctionDef *library_find(const lc_tf_reading *r, lc_str name) {
    const lc_pb_FunctionDefLibrary *library = r->graph->library;
    for (uint32_t i = 0; library && i < library->function.n; i++) {
        const lc_pb_FunctionDef *f = &library->function.data[i];
        if (f->signature && lc_str_eq(f->signature->name, name)) return f;
    }
    return NULL;
}

static const lc_pb_FunctionDef *called(const lc_tf_reading *r, const lc_pb_NodeDef *call) {
    const lc_pb_AttrValue *f = is_call(call) ? lc_tf_attribute(call, "f") : NULL;
    return f && f->func ? library_find(r, f->func->name) : NULL;
}

/* Puts the entries into the order in which the wrapper hands them to the function it wraps. */
static void order_as_called(const lc_tf_reading *r, const lc_pb_SignatureDef *def, const lc_pb_SignatureDef_InputsEntry **entries,
                            uint32_t n) {
    if (n < 2 || !def->outputs.n || !def->outputs.data[0].value) return;
    lc_str name;
    int32_t output;
    lc_tf_graph_ref(def->outputs.data[0].value->name, &name, &output);
    const int32_t at = lc_tf_graph_find(&r->index, name);
    const lc_pb_NodeDef *outer = at < 0 ? NULL : &r->graph->node.data[at], *inner = NULL;
    const lc_pb_FunctionDef *wrapper = outer ? called(r, outer) : NULL;
    for (uint32_t i = 0; wrapper && i < wrapper->node_def.n; i++) {
        if (!is_call(&wrapper->node_def.data[i])) continue;
        if (inner) return; /* not a wrapper */
        inner = &wrapper->node_def.data[i];
    }
    if (!inner || !wrapper->signature || n > 1000) return;
    uint32_t done = 0;
    for (uint32_t i = 0; i < inner->input.n && done < n; i++) {
        /* the wrapper's argument, what the main graph gives for it, the entry that names that */
        uint32_t arg = 0;
        while (arg < wrapper->signature->input_arg.n && !lc_str_eq(wrapper->signature->input_arg.data[arg].name, inner->input.data[i]))
            arg++;
        if (arg >= wrapper->signature->input_arg.n || arg >= outer->input.n) continue;
        lc_tf_graph_ref(outer->input.data[arg], &name, &output);
        for (uint32_t k = done; k < n; k++) {
            lc_str node;
            int32_t index;
            if (!entries[k]->value) return;
            lc_tf_graph_ref(entries[k]->value->name, &node, &index);
            if (!lc_str_eq(node, name) || index != output) continue;
            const lc_pb_SignatureDef_InputsEntry *found = entries[k];
            memmove(&entries[done + 1], &entries[done], (k - done) * sizeof(void *));
            entries[done++] = found;
            break;
        }
    }
}

/* Outputs as Keras 2 has them, when it names just these. */
static lc_status order_as_keras(lc_tf_reading *r, const lc_pb_SignatureDef_InputsEntry **entries, uint32_t n) {
    if (n < 2 || n > 1000) return LC_OK;
    LC_TRY(lc_tf_keras_outputs(r));
    const lc_pb_SignatureDef_InputsEntry **ordered = lc_arena_array(r->arena, n, sizeof *ordered);
    if (!ordered) return lc_fail_memory(r->err, "signature");
    if (r->keras_output_count != n) return LC_OK;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (k < n && !lc_str_eq(entries[k]->key, r->keras_outputs[i])) k++;
        if (k == n) return LC_OK;
        ordered[i] = entries[k];
    }
    memcpy(entries, ordered, n * sizeof *ordered);
    return LC_OK;
}

lc_status lc_tf_port_order(lc_tf_reading *r, const lc_pb_SignatureDef *def, bool outputs, const lc_pb_TensorInfo ***infos, lc_str **names,
                           uint32_t *count) {
    /* The entries of both maps are of one form: a key and a TensorInfo. */
    const uint32_t n = outputs ? def->outputs.n : def->inputs.n;
    const lc_pb_SignatureDef_InputsEntry **entries = lc_arena_array(r->arena, (size_t)n + 1, sizeof *entries), *copies;
    *infos = lc_arena_array(r->arena, (size_t)n + 1, sizeof **infos);
    *names = lc_arena_array(r->arena, (size_t)n + 1, sizeof **names);
    lc_pb_SignatureDef_InputsEntry *all = lc_arena_array(r->arena, (size_t)n + 1, sizeof *all);
    if (!entries || !*infos || !*names || !all) return lc_fail_memory(r->err, "signature");
    for (uint32_t i = 0; i < n; i++) {
        if (outputs) all[i] = (lc_pb_SignatureDef_InputsEntry){.key = def->outputs.data[i].key, .value = def->outputs.data[i].value};
        else all[i] = def->inputs.data[i];
        if (!all[i].key.data) all[i].key = LC_STR("");
        entries[i] = &all[i];
    }
    qsort(entries, n, sizeof *entries, by_natural);
    if (!outputs) order_as_called(r, def, entries, n);
    else LC_TRY(order_as_keras(r, entries, n));
    for (uint32_t i = 0; i < n; i++) {
        copies = entries[i];
        (*infos)[i] = copies->value;
        (*names)[i] = copies->key;
    }
    *count = n;
    return LC_OK;
}

/* ---- signatures ---- */

static lc_status make_ports(lc_tf_reading *r, lc_str key, const lc_pb_SignatureDef *def, bool outputs, lc_tf_port **ports,
                            uint32_t *count) {
    const lc_pb_TensorInfo **infos;
    lc_str *names;
    const char *side = outputs ? "output" : "input";
    LC_TRY(lc_tf_port_order(r, def, outputs, &infos, &names, count));
    *ports = lc_arena_array(r->arena, (size_t)*count + 1, sizeof **ports);
    if (!*ports) return lc_fail_memory(r->err, "signature");
    for (uint32_t i = 0; i < *count; i++) {
        lc_tf_port *p = &(*ports)[i];
        lc_str node;
        int32_t output;
        *p = (lc_tf_port){.name = names[i], .type = LC_DTYPE_COUNT, .shape = {.rank = LC_RANK_UNKNOWN}};
        if (infos[i] && (infos[i]->coo_sparse || infos[i]->composite_tensor)) {
            lc_fail(r->err, LC_UNSUPPORTED, "signature \"%.*s\": %s \"%.*s\" is a %s tensor, which TFLite does not have", LC_NAMED(key),
                    side, LC_NAMED(names[i]), infos[i]->coo_sparse ? "sparse" : "ragged or composite");
            lc_error_hint(r->err, "convert another signature, or one whose function makes it dense: tf.sparse.to_dense, to_tensor");
            return LC_UNSUPPORTED;
        }
        if (!infos[i] || !infos[i]->name.size)
            return lc_fail(r->err, LC_INVALID, "signature \"%.*s\": %s \"%.*s\" names no tensor", LC_NAMED(key), side, LC_NAMED(names[i]));
        p->tensor = infos[i]->name;
        if (infos[i]->dtype) p->type = lc_pb_dtype(infos[i]->dtype);
        if (lc_tf_shape_of(infos[i]->tensor_shape, &p->shape, r->err)) {
            lc_error_prefix(r->err, "signature \"%.*s\": %s \"%.*s\"", LC_NAMED(key), side, LC_NAMED(names[i]));
            return r->err->status;
        }
        lc_tf_graph_ref(p->tensor, &node, &output);
        if (lc_tf_graph_find(&r->index, node) < 0) {
            lc_fail(r->err, LC_INVALID, "signature \"%.*s\": %s \"%.*s\" is tensor \"%.*s\", which the graph does not have", LC_NAMED(key),
                    side, LC_NAMED(names[i]), LC_NAMED(p->tensor));
            lc_tf_suggest(&r->index, node, r->err);
            return LC_INVALID;
        }
    }
    return LC_OK;
}

lc_status lc_tf_visible_signatures(const lc_tf_reading *r, const lc_pb_MetaGraphDef_SignatureDefEntry ***list, uint32_t *count) {
    const uint32_t n = r->meta ? r->meta->signature_def.n : 0;
    *count = 0;
    *list = lc_arena_array(r->arena, (size_t)n + 1, sizeof **list);
    if (!*list) return lc_fail_memory(r->err, "signatures");
    for (uint32_t i = 0; i < n; i++) {
        const lc_pb_MetaGraphDef_SignatureDefEntry *e = &r->meta->signature_def.data[i];
        if (e->value && e->value->outputs.n && !lc_tf_hidden_signature(e->key)) (*list)[(*count)++] = e;
    }
    qsort(*list, *count, sizeof **list, by_key);
    return LC_OK;
}

/* The same inputs and outputs by name. */
static bool same_ports(const lc_pb_SignatureDef *a, const lc_pb_SignatureDef *b) {
    if (a->inputs.n != b->inputs.n || a->outputs.n != b->outputs.n) return false;
    for (uint32_t i = 0; i < a->inputs.n; i++)
        if (!lc_pb_find(b->inputs, a->inputs.data[i].key)) return false;
    for (uint32_t i = 0; i < a->outputs.n; i++)
        if (!lc_pb_find(b->outputs, a->outputs.data[i].key)) return false;
    return true;
}

static lc_status no_such_signature(const lc_tf_reading *r, lc_str key, const lc_pb_MetaGraphDef_SignatureDefEntry *const *all, uint32_t n) {
    lc_text names = {0};
    for (uint32_t i = 0; i < n && i < 20; i++) lc_text_printf(&names, "%s\"%.*s\"", i ? ", " : "", LC_NAMED(all[i]->key));
    if (n > 20) lc_text_printf(&names, " and %u more", n - 20);
    lc_fail(r->err, LC_NOT_FOUND, "there is no signature \"%.*s\"", LC_NAMED(key));
    if (n) lc_error_hint(r->err, "signatures are %s", names.data ? names.data : "");
    else lc_error_hint(r->err, "the model has no signatures: choose tensors with --input-arrays and --output-arrays, or a --function");
    lc_text_deinit(&names);
    return LC_NOT_FOUND;
}

static lc_status make_signature(lc_tf_reading *r, const lc_pb_MetaGraphDef_SignatureDefEntry *e, lc_tf_signature *s) {
    *s = (lc_tf_signature){.key = e->key};
    LC_TRY(make_ports(r, e->key, e->value, false, &s->inputs, &s->input_count));
    return make_ports(r, e->key, e->value, true, &s->outputs, &s->output_count);
}

lc_status lc_tf_signatures(lc_tf_reading *r, const char *keys, lc_tf_signature **signatures, uint32_t *count) {
    const lc_pb_MetaGraphDef_SignatureDefEntry **all, **chosen;
    lc_str *wanted = NULL;
    uint32_t n, wanted_count = 0, made = 0;
    *count = 0;
    LC_TRY(lc_tf_visible_signatures(r, &all, &n));
    if (keys) LC_TRY(lc_tf_split_list(keys, ',', r->arena, &wanted, &wanted_count, r->err));
    const uint32_t room = keys ? wanted_count : n;
    chosen = lc_arena_array(r->arena, (size_t)room + 1, sizeof *chosen);
    *signatures = lc_arena_array(r->arena, (size_t)room + 1, sizeof **signatures);
    if (!chosen || !*signatures) return lc_fail_memory(r->err, "signatures");
    for (uint32_t i = 0; i < wanted_count; i++) {
        uint32_t k = 0;
        while (k < n && !lc_str_eq(all[k]->key, wanted[i])) k++;
        if (k == n) return no_such_signature(r, wanted[i], all, n);
        bool twice = false;
        for (uint32_t j = 0; j < made; j++) twice |= chosen[j] == all[k];
        if (!twice) chosen[made++] = all[k];
    }
    for (uint32_t i = 0; !keys && i < n; i++) {
        const bool doubled =
            lc_str_is(all[i]->key, "serve") && lc_str_is(all[0]->key, "serving_default") && same_ports(all[i]->value, all[0]->value);
        if (!doubled) chosen[made++] = all[i];
    }
    for (uint32_t i = 0; i < made; i++) LC_TRY(make_signature(r, chosen[i], &(*signatures)[i]));
    *count = made;
    return LC_OK;
}

lc_str lc_tf_init_node(const lc_tf_reading *r) {
    static const char *const collections[] = {"saved_model_main_op", "legacy_init_op"};
    const lc_str absent = {NULL, 0};
    lc_str name = absent, node;
    int32_t output;
    if (!r->meta) return absent;
    for (uint32_t i = 0; i < r->meta->signature_def.n; i++) {
        const lc_pb_MetaGraphDef_SignatureDefEntry *e = &r->meta->signature_def.data[i];
        if (lc_str_is(e->key, "__saved_model_init_op") && e->value && e->value->outputs.n == 1 && e->value->outputs.data[0].value)
            name = e->value->outputs.data[0].value->name;
    }
    for (size_t i = 0; i < sizeof collections / sizeof *collections && !name.size; i++) {
        const lc_pb_MetaGraphDef_CollectionDefEntry *e = lc_pb_find(r->meta->collection_def, lc_str_of(collections[i]));
        if (e && e->value && e->value->node_list && e->value->node_list->value.n) name = e->value->node_list->value.data[0];
    }
    if (!name.size) return absent;
    lc_tf_graph_ref(name, &node, &output);
    return lc_tf_graph_find(&r->index, node) < 0 ? absent : node;
}

/* ---- functions ---- */

/* The functions of the root object that were traced, "f, g"; of a single one with a single trace its name. Returns how many. */
static uint32_t callables(const lc_tf_reading *r, lc_text *list, lc_str *only) {
    const lc_pb_SavedObjectGraph *objects = r->meta ? r->meta->object_graph_def : NULL;
    uint32_t n = 0;
    *only = (lc_str){NULL, 0};
    for (uint32_t i = 0; objects && objects->nodes.n && i < objects->nodes.data[0].children.n; i++) {
        const int32_t id = objects->nodes.data[0].children.data[i].node_id;
        if (id < 0 || (uint32_t)id >= objects->nodes.n || !objects->nodes.data[id].function) continue;
        const uint32_t traces = objects->nodes.data[id].function->concrete_functions.n;
        if (!traces) continue;
        const lc_str name = objects->nodes.data[0].children.data[i].local_name;
        if (n < 20) lc_text_printf(list, "%s%.*s", n ? ", " : "", LC_NAMED(name));
        *only = n == 0 && traces == 1 ? name : (lc_str){NULL, 0};
        n++;
    }
    return n;
}

lc_status lc_tf_only_function(lc_tf_reading *r, lc_tf_signature **signatures, uint32_t *count) {
    lc_text list = {0};
    lc_str only;
    *count = 0;
    const uint32_t n = callables(r, &list, &only);
    lc_status status = LC_OK;
    if (only.data) {
        const char *name = lc_arena_strndup(r->arena, only.data, only.size);
        status = name ? lc_tf_functions(r, name, signatures, count) : lc_fail_memory(r->err, "functions");
        if (status == LC_OK) lc_tf_note(r, "the SavedModel has no signatures; its function \"%s\" is taken (--function)", name);
    } else if (n) {
        status = lc_fail(r->err, LC_INVALID, "the SavedModel has no signatures");
        lc_error_hint(r->err, "choose from its functions: --function NAME; there are %s", list.data ? list.data : "");
    }
    lc_text_deinit(&list);
    return status;
}

/* The concrete function that `name` means: a name of the library, or of a function of the object graph ("f", "encoder.call"). */
static lc_status resolve(lc_tf_reading *r, lc_str name, lc_str *concrete) {
    const lc_pb_SavedObjectGraph *objects = r->meta ? r->meta->object_graph_def : NULL;
    *concrete = name;
    if (library_find(r, name)) return LC_OK;
    uint32_t at = 0;
    size_t from = 0;
    bool there = objects && objects->nodes.n > 0;
    while (there && from <= name.size) {
        size_t to = from;
        while (to < name.size && name.data[to] != '.') to++;
        const lc_str part = {name.data + from, to - from};
        const lc_pb_SavedObject *o = &objects->nodes.data[at];
        there = false;
        for (uint32_t i = 0; i < o->children.n && !there; i++) {
            const int32_t id = o->children.data[i].node_id;
            if (!lc_str_eq(o->children.data[i].local_name, part) || id < 0 || (uint32_t)id >= objects->nodes.n) continue;
            at = (uint32_t)id;
            there = true;
        }
        from = to + 1;
    }
    const lc_pb_SavedObject *o = there ? &objects->nodes.data[at] : NULL;
    if (o && o->bare_concrete_function) {
        *concrete = o->bare_concrete_function->concrete_function_name;
        return LC_OK;
    }
    if (o && o->function && o->function->concrete_functions.n == 1) {
        *concrete = o->function->concrete_functions.data[0];
        return LC_OK;
    }
    lc_text list = {0};
    if (o && o->function && o->function->concrete_functions.n > 1) {
        for (uint32_t i = 0; i < o->function->concrete_functions.n && i < 10; i++)
            lc_text_printf(&list, "%s%.*s", i ? ", " : "", LC_NAMED(o->function->concrete_functions.data[i]));
        lc_fail(r->err, LC_INVALID, "function \"%.*s\" was traced %u times, each with other arguments", LC_NAMED(name),
                o->function->concrete_functions.n);
        lc_error_hint(r->err, "name one of the traces: %s", list.data ? list.data : "");
    } else {
        lc_str only;
        const uint32_t n = callables(r, &list, &only);
        lc_fail(r->err, LC_NOT_FOUND, "there is no function \"%.*s\"", LC_NAMED(name));
        if (n) lc_error_hint(r->err, "functions are %s; `litec inspect` lists all of the library", list.data ? list.data : "");
        else lc_error_hint(r->err, "`litec inspect` lists the functions of the library");
    }
    lc_text_deinit(&list);
    return r->err->status;
}

/* The tensor specs in a structured value, in the order in which TensorFlow flattens it: lists as they are, dicts by key. */
typedef struct flat {
    const lc_pb_TensorSpecProto **specs;
    lc_str *keys; /* of the dict a spec is in; absent otherwise */
    uint32_t count, most;
} flat;

static int by_field(const void *pa, const void *pb) {
    const lc_pb_DictValue_FieldsEntry *const *a = pa, *const *b = pb;
    const size_t n = (*a)->key.size < (*b)->key.size ? (*a)->key.size : (*b)->key.size;
    const int d = n ? memcmp((*a)->key.data, (*b)->key.data, n) : 0;
    return d ? d : (*a)->key.size < (*b)->key.size ? -1 : (*a)->key.size > (*b)->key.size;
}

static lc_status flatten(lc_tf_reading *r, const lc_pb_StructuredValue *v, lc_str key, flat *f) {
    if (!v || f->count >= f->most) return LC_OK;
    if (v->tensor_spec_value) {
        f->keys[f->count] = key;
        f->specs[f->count++] = v->tensor_spec_value;
    }
    const lc_str none = {NULL, 0};
    for (uint32_t i = 0; v->list_value && i < v->list_value->values.n; i++) LC_TRY(flatten(r, &v->list_value->values.data[i], none, f));
    for (uint32_t i = 0; v->tuple_value && i < v->tuple_value->values.n; i++) LC_TRY(flatten(r, &v->tuple_value->values.data[i], none, f));
    for (uint32_t i = 0; v->named_tuple_value && i < v->named_tuple_value->values.n; i++)
        LC_TRY(flatten(r, v->named_tuple_value->values.data[i].value, v->named_tuple_value->values.data[i].key, f));
    if (v->dict_value && v->dict_value->fields.n) {
        const uint32_t n = v->dict_value->fields.n;
        const lc_pb_DictValue_FieldsEntry **sorted = lc_arena_array(r->arena, n, sizeof *sorted);
        if (!sorted) return lc_fail_memory(r->err, "function");
        for (uint32_t i = 0; i < n; i++) sorted[i] = &v->dict_value->fields.data[i];
        qsort(sorted, n, sizeof *sorted, by_field);
        for (uint32_t i = 0; i < n; i++) LC_TRY(flatten(r, sorted[i]->value, sorted[i]->key, f));
    }
    return LC_OK; /* as deep as the message was read: nesting has a limit there */
}

static lc_status flatten_all(lc_tf_reading *r, const lc_pb_StructuredValue *v, uint32_t most, flat *f) {
    *f = (flat){.most = most + 1};
    f->specs = lc_arena_array(r->arena, (size_t)most + 2, sizeof *f->specs);
    f->keys = lc_arena_array(r->arena, (size_t)most + 2, sizeof *f->keys);
    return f->specs && f->keys ? flatten(r, v, (lc_str){NULL, 0}, f) : lc_fail_memory(r->err, "function");
}

/* The tensor of the main graph that an object is. nodes: of each object, the node that makes it, -1. */
static lc_status capture(lc_tf_reading *r, const int32_t *nodes, int32_t object, lc_str *tensor) {
    const lc_pb_SavedObjectGraph *objects = r->meta->object_graph_def;
    const lc_pb_SavedObject *o = object >= 0 && (uint32_t)object < objects->nodes.n ? &objects->nodes.data[object] : NULL;
    lc_str name = {NULL, 0};
    if (o && nodes[object] >= 0) name = r->graph->node.data[nodes[object]].name;
    else if (o && o->constant) name = o->constant->operation;
    else if (o && o->asset && o->asset->asset_file_def_index >= 0 && (uint32_t)o->asset->asset_file_def_index < r->meta->asset_file_def.n &&
             r->meta->asset_file_def.data[o->asset->asset_file_def_index].tensor_info)
        name = r->meta->asset_file_def.data[o->asset->asset_file_def_index].tensor_info->name;
    if (!name.data && o && o->variable) {
        LC_TRY(lc_budget_tables(r->budget, r->index.node_count, "captured variables", r->err)); /* each looks at all nodes */
        for (uint32_t i = 0; i < r->index.node_count && !name.data; i++) {
            const lc_pb_NodeDef *node = &r->graph->node.data[i];
            const lc_pb_AttrValue *shared = lc_str_is(node->op, "VarHandleOp") ? lc_tf_attribute(node, "shared_name") : NULL;
            if (!shared || !lc_str_eq(shared->s, o->variable->name)) continue;
            name = node->name;
            r->values.objects[i] = object;
        }
    }
    *tensor = name;
    if (name.data) return LC_OK;
    const lc_str variable = o && o->variable && o->variable->name.data ? o->variable->name : LC_STR("not a variable");
    return lc_fail(r->err, LC_UNSUPPORTED, "it captures object %d (%.*s), which no node of the graph makes", object, LC_NAMED(variable));
}

/* For each object of the object graph the node of the main graph that makes it. */
static lc_status makers(lc_tf_reading *r, int32_t **nodes) {
    const lc_pb_SavedObjectGraph *objects = r->meta->object_graph_def;
    LC_TRY(lc_tf_object_map(r));
    *nodes = lc_arena_array(r->arena, (size_t)objects->nodes.n + 1, sizeof **nodes);
    if (!*nodes) return lc_fail_memory(r->err, "objects");
    for (uint32_t i = 0; i < objects->nodes.n; i++) (*nodes)[i] = -1;
    for (uint32_t i = r->index.node_count; i-- > 0;)
        if (r->values.objects[i] >= 0) (*nodes)[r->values.objects[i]] = (int32_t)i;
    return LC_OK;
}

/* The names Python knows the arguments by. */
static const lc_pb_strings *keywords_of(const lc_tf_reading *r, lc_str concrete) {
    const lc_pb_SavedObjectGraph *objects = r->meta ? r->meta->object_graph_def : NULL;
    for (uint32_t i = 0; objects && i < objects->nodes.n; i++) {
        const lc_pb_SavedBareConcreteFunction *f = objects->nodes.data[i].bare_concrete_function;
        if (f && lc_str_eq(f->concrete_function_name, concrete)) return &f->argument_keywords;
    }
    return NULL;
}

static lc_status make_function(lc_tf_reading *r, lc_str name, lc_tf_signature *s) {
    lc_str concrete;
    LC_TRY(resolve(r, name, &concrete));
    const lc_pb_FunctionDef *f = library_find(r, concrete);
    if (!f) return lc_fail(r->err, LC_INVALID, "function \"%.*s\" is not in the library", LC_NAMED(concrete));
    const lc_pb_SavedObjectGraph *objects = r->meta ? r->meta->object_graph_def : NULL;
    const lc_pb_SavedObjectGraph_ConcreteFunctionsEntry *e = objects ? lc_pb_find(objects->concrete_functions, concrete) : NULL;
    const lc_pb_SavedConcreteFunction *info = e ? e->value : NULL;
    const lc_pb_strings *keywords = keywords_of(r, concrete);
    const uint32_t args = f->signature->input_arg.n, rets = f->signature->output_arg.n, captures = info ? info->bound_inputs.n : 0;
    if (captures > args)
        return lc_fail(r->err, LC_INVALID, "function \"%.*s\" has %u arguments but captures %u objects", LC_NAMED(concrete), args,
                       captures);
    *s = (lc_tf_signature){
        .key = name, .function = concrete, .input_count = args - captures, .output_count = rets, .capture_count = captures};
    s->inputs = lc_arena_array(r->arena, (size_t)s->input_count + 1, sizeof *s->inputs);
    s->outputs = lc_arena_array(r->arena, (size_t)rets + 1, sizeof *s->outputs);
    s->captures = lc_arena_array(r->arena, (size_t)captures + 1, sizeof *s->captures);
    if (!s->inputs || !s->outputs || !s->captures) return lc_fail_memory(r->err, "function");
    flat in, out;
    LC_TRY(flatten_all(r, info ? info->canonicalized_input_signature : NULL, s->input_count, &in));
    LC_TRY(flatten_all(r, info ? info->output_signature : NULL, rets, &out));
    for (uint32_t i = 0; i < s->input_count; i++) {
        const lc_pb_OpDef_ArgDef *arg = &f->signature->input_arg.data[i];
        lc_tf_port *p = &s->inputs[i];
        *p = (lc_tf_port){.name = arg->name, .type = lc_pb_dtype(arg->type), .shape = {.rank = LC_RANK_UNKNOWN}};
        if (keywords && keywords->n == s->input_count) p->name = keywords->data[i];
        if (in.count == s->input_count) LC_TRY(lc_tf_shape_of(in.specs[i]->shape, &p->shape, r->err));
    }
    for (uint32_t i = 0; i < rets; i++) {
        lc_tf_port *p = &s->outputs[i];
        *p = (lc_tf_port){.type = lc_pb_dtype(f->signature->output_arg.data[i].type), .shape = {.rank = LC_RANK_UNKNOWN}};
        if (out.count == rets && out.keys[i].data) p->name = out.keys[i];
        else p->name = lc_str_of(lc_arena_printf(r->arena, "output_%u", i));
        if (!p->name.data) return lc_fail_memory(r->err, "function");
    }
    int32_t *nodes = NULL;
    if (captures) LC_TRY(makers(r, &nodes));
    for (uint32_t i = 0; i < captures; i++) {
        if (capture(r, nodes, info->bound_inputs.data[i], &s->captures[i])) {
            lc_error_prefix(r->err, "function \"%.*s\"", LC_NAMED(name));
            return r->err->status;
        }
    }
    return LC_OK;
}

lc_status lc_tf_functions(lc_tf_reading *r, const char *names, lc_tf_signature **signatures, uint32_t *count) {
    lc_str *wanted;
    LC_TRY(lc_tf_split_list(names, ',', r->arena, &wanted, count, r->err));
    *signatures = lc_arena_array(r->arena, (size_t)*count + 1, sizeof **signatures);
    if (!*signatures) return lc_fail_memory(r->err, "functions");
    for (uint32_t i = 0; i < *count; i++) LC_TRY(make_function(r, wanted[i], &(*signatures)[i]));
    return LC_OK;
}
