/*
 * tf_choose.c: what to make of a graph, as the caller says it: which tensors are inputs and outputs, which placeholders are constants, what
 * shapes inputs have. What is not said is guessed (tf_guess.c) and told.
 *
 * After this the outputs need no placeholder that is neither an input nor fixed: is_training and keep_prob get what inference wants, any
 * other is an error here that names it. A name that does not exist is an error with the nearest one that does.
 */
#include "source/shape_list.h"
#include "source/tf_read.h"

#include "ir/strings.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

lc_status lc_tf_split_list(const char *text, char separator, lc_arena *arena, lc_str **items, uint32_t *count, lc_error *err) {
    return lc_list_split(lc_str_of(text), separator, arena, items, count, err);
}

bool lc_tf_suggest(const lc_tf_graph_index *x, lc_str name, lc_error *err) {
    char near[200];
    const char *found = name.data ? lc_names_nearest(&x->names, name, near, sizeof near) : NULL;
    if (found) lc_error_hint(err, "did you mean \"%s\"? `litec inspect` lists likely inputs and outputs", found);
    else lc_error_hint(err, "`litec inspect` lists likely inputs and outputs");
    return found != NULL;
}

/* ---- fixes ---- */

static lc_status add_fix(lc_tf_reading *r, const lc_tf_fix *fix) {
    void *items = r->fixes;
    if (!lc_arena_grow(r->arena, &items, &r->fix_capacity, r->fix_count + 1, sizeof *r->fixes)) return lc_fail_memory(r->err, "fixes");
    r->fixes = items;
    r->fixes[r->fix_count++] = *fix;
    r->tf.fixes = r->fixes;
    r->tf.fix_count = (uint32_t)r->fix_count;
    return LC_OK;
}

static bool is_fixed(const lc_tf_reading *r, lc_str node) {
    for (size_t i = 0; i < r->fix_count; i++)
        if (lc_str_eq(r->fixes[i].node, node)) return true;
    return false;
}

/* Writes a number as an element of `type`; false for a type that has none, or a number it cannot hold. */
static bool put_number(lc_dtype type, double v, void *out) {
#define PUT(T, least, most) \
    do { \
        if (!(v >= (double)(least) && v <= (double)(most)) || v != floor(v)) return false; \
        const T x = (T)v; \
        memcpy(out, &x, sizeof x); \
        return true; \
    } while (0)
    const float f = (float)v;
    switch (type) {
    case LC_FLOAT32: memcpy(out, &f, sizeof f); return true;
    case LC_FLOAT64: memcpy(out, &v, sizeof v); return true;
    case LC_BOOL: PUT(uint8_t, 0, 1);
    case LC_INT8: PUT(int8_t, INT8_MIN, INT8_MAX);
    case LC_UINT8: PUT(uint8_t, 0, UINT8_MAX);
    case LC_INT16: PUT(int16_t, INT16_MIN, INT16_MAX);
    case LC_UINT16: PUT(uint16_t, 0, UINT16_MAX);
    case LC_INT32: PUT(int32_t, INT32_MIN, INT32_MAX);
    case LC_UINT32: PUT(uint32_t, 0, UINT32_MAX);
    case LC_INT64: PUT(int64_t, -9007199254740992.0, 9007199254740992.0);
    case LC_UINT64: PUT(uint64_t, 0, 9007199254740992.0);
    default: return false;
    }
#undef PUT
}

static bool parse_number(lc_str s, double *v) {
    char text[64], *end;
    if (lc_str_is(s, "true") || lc_str_is(s, "True")) *v = 1;
    else if (lc_str_is(s, "false") || lc_str_is(s, "False")) *v = 0;
    else {
        if (!s.size || s.size >= sizeof text) return false;
        memcpy(text, s.data, s.size);
        text[s.size] = 0;
        *v = strtod(text, &end);
        return *end == 0 && !isnan(*v);
    }
    return true;
}

static lc_status __attribute__((format(printf, 2, 3))) misfixed(lc_tf_reading *r, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lc_fail(r->err, LC_ARGUMENT, "%s", text);
    lc_error_hint(r->err, "give what it can hold: --fix NAME=VALUE, with commas between the numbers of a vector");
    return LC_ARGUMENT;
}

/* A placeholder as a constant of these numbers: one is a scalar, or fills the shape when that is known. */
static lc_status fix_numbers(lc_tf_reading *r, const lc_pb_NodeDef *node, const double *v, size_t n) {
    lc_tf_fix fix = {.node = node->name, .value = {.type = lc_tf_output_type(node, 0)}};
    lc_shape shape;
    uint64_t elements = 1;
    const uint32_t size = fix.value.type == LC_DTYPE_COUNT ? 0 : lc_dtype_bits(fix.value.type) / 8;
    LC_TRY(lc_tf_output_shape(node, 0, &shape, r->err));
    const bool scalar = shape.rank == 0;
    bool known = shape.rank > 0;
    for (int32_t d = 0; d < shape.rank; d++) known &= shape.dims[d] >= 0 && lc_mul_u64(elements, (uint64_t)shape.dims[d], &elements);
    if (!known) {
        shape = (lc_shape){.rank = n != 1 || shape.rank == 1, .dims = {(int32_t)n}};
        elements = n;
    }
    if (!size || (n != 1 && n != elements) || (n != 1 && scalar))
        return misfixed(r, "placeholder \"%.*s\" cannot be fixed to %zu number%s", LC_NAMED(node->name), n, n == 1 ? "" : "s");
    LC_TRY(lc_budget_memory(r->budget, elements > UINT64_MAX / 8 ? UINT64_MAX : elements * size, "a fixed placeholder", r->err));
    uint8_t *data = lc_arena_array(r->data, (size_t)elements + 1, size);
    if (!data) return lc_fail_memory(r->err, "fixes");
    for (uint64_t i = 0; i < elements; i++)
        if (!put_number(fix.value.type, v[n == 1 ? 0 : i], data + i * size))
            return misfixed(r, "placeholder \"%.*s\" is %s and cannot hold %g", LC_NAMED(node->name), lc_dtype_name(fix.value.type),
                            v[n == 1 ? 0 : i]);
    fix.value.rank = shape.rank;
    memcpy(fix.value.dims, shape.dims, sizeof shape.dims);
    fix.value.data = data;
    fix.value.size = (size_t)(elements * size);
    return add_fix(r, &fix);
}

static lc_status fix_string(lc_tf_reading *r, const lc_pb_NodeDef *node, lc_str text) {
    lc_tf_fix fix = {.node = node->name, .value = {.type = LC_STRING}};
    size_t size;
    if (!lc_strings_size(&text, 1, &size)) return lc_fail(r->err, LC_LIMIT, "a fixed string is too long");
    void *data = lc_arena_alloc(r->data, size);
    if (!data) return lc_fail_memory(r->err, "fixes");
    lc_strings_write(&text, 1, data);
    fix.value.data = data;
    fix.value.size = size;
    return add_fix(r, &fix);
}

/* What is fixed is a placeholder for the lowering, whatever it was. */
static void become_placeholder(lc_pb_NodeDef *node) {
    node->op = LC_STR("Placeholder");
    node->input.n = 0;
}

static lc_status fix_one(lc_tf_reading *r, lc_str item) {
    lc_str name, value, node_name, *parts;
    int32_t output;
    uint32_t n;
    if (!lc_list_pair(item, &name, &value) || !name.size || !value.size) {
        lc_fail(r->err, LC_ARGUMENT, "--fix %.*s: a placeholder and its value are wanted", LC_NAMED(item));
        lc_error_hint(r->err, "write --fix NAME=VALUE, for example --fix is_training=false");
        return LC_ARGUMENT;
    }
    lc_tf_graph_ref(name, &node_name, &output);
    const int32_t at = lc_tf_graph_find(&r->index, node_name);
    if (at < 0) {
        lc_fail(r->err, LC_NOT_FOUND, "--fix %.*s: the graph has no such node", LC_NAMED(name));
        lc_tf_suggest(&r->index, node_name, r->err);
        return LC_NOT_FOUND;
    }
    lc_pb_NodeDef *node = &r->graph->node.data[at];
    const lc_dtype type = lc_tf_output_type(node, 0);
    if (!lc_tf_is_placeholder(node) && !lc_str_is(node->op, "PlaceholderWithDefault")) {
        lc_fail(r->err, LC_ARGUMENT, "--fix %.*s: the node is a %.*s, not a placeholder", LC_NAMED(name), LC_NAMED(node->op));
        lc_error_hint(r->err,
                      "only values that are given from outside can be fixed; to begin at an inner tensor name it among --input-arrays");
        return LC_ARGUMENT;
    }
    if (type == LC_STRING) {
        LC_TRY(fix_string(r, node, value));
    } else {
        const size_t room = value.size;
        char *text = lc_arena_strndup(r->arena, value.data, value.size);
        double *v = lc_arena_array(r->arena, room, sizeof *v);
        if (!text || !v) return lc_fail_memory(r->err, "fixes");
        LC_TRY(lc_tf_split_list(text, ',', r->arena, &parts, &n, r->err));
        for (uint32_t i = 0; i < n; i++)
            if (!parse_number(parts[i], &v[i]))
                return lc_fail(r->err, LC_ARGUMENT, "--fix %.*s: \"%.*s\" is no number", LC_NAMED(name), LC_NAMED(parts[i]));
        LC_TRY(fix_numbers(r, node, v, n));
    }
    become_placeholder(node);
    return LC_OK;
}

/* The paths of assets are given when a model is loaded: here a file's name, by which lc_tf_asset finds it. */
static lc_status fix_asset(lc_tf_reading *r, const lc_pb_AssetFileDef *asset) {
    lc_str name;
    int32_t output;
    if (!asset->tensor_info) return LC_OK;
    lc_tf_graph_ref(asset->tensor_info->name, &name, &output);
    const int32_t at = lc_tf_graph_find(&r->index, name);
    if (at < 0 || is_fixed(r, name)) return LC_OK;
    LC_TRY(fix_string(r, &r->graph->node.data[at], asset->filename.data ? asset->filename : LC_STR("")));
    become_placeholder(&r->graph->node.data[at]);
    return LC_OK;
}

static lc_status fix_assets(lc_tf_reading *r) {
    if (!r->saved || !r->meta) return LC_OK;
    for (uint32_t i = 0; i < r->meta->asset_file_def.n; i++) LC_TRY(fix_asset(r, &r->meta->asset_file_def.data[i]));
    const lc_pb_MetaGraphDef_CollectionDefEntry *e = lc_pb_find(r->meta->collection_def, LC_STR("saved_model_assets"));
    for (uint32_t i = 0; e && e->value && e->value->any_list && i < e->value->any_list->value.n; i++) {
        const lc_str bytes = e->value->any_list->value.data[i].value;
        void *asset;
        LC_TRY(lc_pb_read(LC_PB_AssetFileDef, bytes.data, bytes.size, r->budget, r->arena, &asset, r->err));
        LC_TRY(fix_asset(r, asset));
    }
    return LC_OK;
}

lc_status lc_tf_set_fixes(lc_tf_reading *r) {
    lc_str *items;
    uint32_t n = 0;
    if (r->options->tf.fix) LC_TRY(lc_tf_split_list(r->options->tf.fix, ';', r->arena, &items, &n, r->err));
    for (uint32_t i = 0; i < n; i++) LC_TRY(fix_one(r, items[i]));
    return fix_assets(r);
}

/* ---- placeholders ---- */

lc_status lc_tf_settle(lc_tf_reading *r, const lc_tf_signature *s) {
    const uint32_t n = r->index.node_count;
    bool *seen = lc_arena_array(r->arena, (size_t)n + 1, sizeof *seen), *given = lc_arena_array(r->arena, (size_t)n + 1, sizeof *given);
    int32_t *stack = lc_arena_array(r->arena, (size_t)n + 1, sizeof *stack), output;
    lc_str name;
    if (!seen || !stack || !given) return lc_fail_memory(r->err, "placeholders");
    for (uint32_t i = 0; i < s->input_count && !s->function.data; i++) {
        lc_tf_graph_ref(s->inputs[i].tensor, &name, &output);
        const int32_t at = lc_tf_graph_find(&r->index, name);
        if (at >= 0) given[at] = seen[at] = true; /* the walk stops there */
    }
    for (uint32_t i = 0; i < (s->function.data ? s->capture_count : s->output_count); i++) {
        lc_tf_graph_ref(s->function.data ? s->captures[i] : s->outputs[i].tensor, &name, &output);
        const int32_t at = lc_tf_graph_find(&r->index, name);
        if (at >= 0) lc_tf_graph_mark(&r->index, at, seen, stack);
    }
    for (uint32_t i = 0; i < n; i++) {
        lc_pb_NodeDef *node = &r->graph->node.data[i];
        double value;
        if (!seen[i] || given[i] || !lc_tf_is_placeholder(node) || is_fixed(r, node->name)) continue;
        if (lc_tf_is_switch(r, (int32_t)i, &value)) {
            LC_TRY(fix_numbers(r, node, &value, 1));
            become_placeholder(node);
            const bool flag = lc_tf_output_type(node, 0) == LC_BOOL;
            lc_tf_note(r, "placeholder \"%.*s\" is fixed to %s, as inference wants it (--fix %.*s=VALUE for another value)",
                       LC_NAMED(node->name),
                       flag         ? value != 0 ? "true" : "false"
                       : value != 0 ? "1"
                                    : "0",
                       LC_NAMED(node->name));
            continue;
        }
        lc_fail(r->err, LC_INVALID, "the outputs need placeholder \"%.*s\", which is not among the inputs", LC_NAMED(node->name));
        lc_error_hint(r->err, "add it to --input-arrays, or give it a value: --fix %.*s=VALUE", LC_NAMED(node->name));
        return LC_INVALID;
    }
    return LC_OK;
}

/* ---- inputs and outputs by name ---- */

/* A tensor's name without ":0". */
static lc_str short_name(lc_str tensor) {
    if (tensor.size > 2 && tensor.data[tensor.size - 2] == ':' && tensor.data[tensor.size - 1] == '0') tensor.size -= 2;
    return tensor;
}

static lc_status port_of(lc_tf_reading *r, lc_str tensor, const char *option, lc_tf_port *p) {
    lc_str name;
    int32_t output;
    lc_tf_graph_ref(tensor, &name, &output);
    const int32_t at = output < 0 ? -1 : lc_tf_graph_find(&r->index, name);
    if (at < 0) {
        lc_fail(r->err, LC_NOT_FOUND, "%s: the graph has no tensor \"%.*s\"", option, LC_NAMED(tensor));
        lc_tf_suggest(&r->index, name, r->err);
        return LC_NOT_FOUND;
    }
    const lc_pb_NodeDef *node = &r->graph->node.data[at];
    *p = (lc_tf_port){.name = short_name(tensor), .tensor = tensor, .type = lc_tf_output_type(node, output)};
    const lc_pb_AttrValue *type = lc_tf_is_placeholder(node) ? lc_tf_attribute(node, "dtype") : NULL;
    if (type && p->type == LC_DTYPE_COUNT) {
        const char *text = lc_pb_data_type_name(type->type);
        lc_fail(r->err, LC_UNSUPPORTED,
                *text == '?' ? "placeholder \"%.*s\" has type %s%d, which is none of TensorFlow's"
                             : "placeholder \"%.*s\" has type %s (%d), which TFLite does not have",
                LC_NAMED(node->name), *text == '?' ? "" : text, type->type);
        lc_error_hint(r->err, "begin behind it: --input-arrays NAME,... names tensors inside the graph");
        return LC_UNSUPPORTED;
    }
    if (lc_tf_output_shape(node, output, &p->shape, r->err)) {
        lc_error_prefix(r->err, "tensor \"%.*s\"", LC_NAMED(tensor));
        return r->err->status;
    }
    return LC_OK;
}

static lc_status named_ports(lc_tf_reading *r, const char *list, const char *option, lc_tf_port **ports, uint32_t *count) {
    lc_str *names;
    LC_TRY(lc_tf_split_list(list, ',', r->arena, &names, count, r->err));
    *ports = lc_arena_array(r->arena, (size_t)*count + 1, sizeof **ports);
    if (!*ports) return lc_fail_memory(r->err, "arrays");
    if (!*count) return lc_fail(r->err, LC_ARGUMENT, "%s names nothing", option);
    for (uint32_t i = 0; i < *count; i++) {
        LC_TRY(port_of(r, names[i], option, &(*ports)[i]));
        for (uint32_t k = 0; k < i && *count <= 1000; k++)
            if (lc_str_eq((*ports)[k].name, (*ports)[i].name))
                return lc_fail(r->err, LC_ARGUMENT, "%s names \"%.*s\" twice", option, LC_NAMED(names[i]));
    }
    return LC_OK;
}

static void list_names(const lc_tf_port *ports, uint32_t n, lc_text *out) {
    for (uint32_t i = 0; i < n && i < 10; i++) lc_text_printf(out, "%s%.*s", i ? ", " : "", LC_NAMED(ports[i].name));
    if (n > 10) lc_text_printf(out, " and %u more", n - 10);
    if (!n) lc_text_add(out, "none");
}

/* Tells what was guessed. */
static void note_guess(const lc_tf_reading *r, const lc_tf_signature *s, bool inputs, bool outputs) {
    lc_text in = {0}, out = {0};
    if (inputs) list_names(s->inputs, s->input_count, &in);
    if (outputs) list_names(s->outputs, s->output_count, &out);
    if (inputs && outputs)
        lc_tf_note(r, "inputs: %s; outputs: %s (others: --input-arrays, --output-arrays)", in.data ? in.data : "",
                   out.data ? out.data : "");
    else if (inputs) lc_tf_note(r, "inputs: %s (others: --input-arrays)", in.data ? in.data : "");
    else lc_tf_note(r, "outputs: %s (others: --output-arrays)", out.data ? out.data : "");
    lc_text_deinit(&in);
    lc_text_deinit(&out);
}

static lc_status guess_outputs(lc_tf_reading *r, lc_tf_signature *s) {
    int32_t *nodes;
    LC_TRY(lc_tf_guess_outputs(r, &nodes, &s->output_count));
    s->outputs = lc_arena_array(r->arena, (size_t)s->output_count + 1, sizeof *s->outputs);
    if (!s->outputs) return lc_fail_memory(r->err, "outputs");
    for (uint32_t i = 0; i < s->output_count; i++) LC_TRY(port_of(r, r->graph->node.data[nodes[i]].name, "outputs", &s->outputs[i]));
    return LC_OK;
}

static lc_status guess_inputs(lc_tf_reading *r, lc_tf_signature *s) {
    lc_tf_edge *edges;
    int32_t *nodes = lc_arena_array(r->arena, (size_t)s->output_count + 1, sizeof *nodes), output;
    lc_str name;
    if (!nodes) return lc_fail_memory(r->err, "inputs");
    for (uint32_t i = 0; i < s->output_count; i++) {
        lc_tf_graph_ref(s->outputs[i].tensor, &name, &output);
        nodes[i] = lc_tf_graph_find(&r->index, name);
    }
    LC_TRY(lc_tf_guess_inputs(r, nodes, s->output_count, &edges, &s->input_count));
    s->inputs = lc_arena_array(r->arena, (size_t)s->input_count + 1, sizeof *s->inputs);
    if (!s->inputs) return lc_fail_memory(r->err, "inputs");
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->input_count; i++) {
        const lc_pb_NodeDef *node = &r->graph->node.data[edges[i].node];
        double ignored;
        if (is_fixed(r, node->name) || lc_tf_is_switch(r, edges[i].node, &ignored)) continue;
        lc_str tensor = node->name;
        if (edges[i].output)
            tensor = lc_str_of(lc_arena_printf(r->arena, "%.*s:%d", (int)node->name.size, node->name.data, edges[i].output));
        if (!tensor.data) return lc_fail_memory(r->err, "inputs");
        LC_TRY(port_of(r, tensor, "inputs", &s->inputs[n++]));
    }
    s->input_count = n;
    return LC_OK;
}

lc_status lc_tf_arrays(lc_tf_reading *r, lc_tf_signature **signatures, uint32_t *count) {
    const lc_tf_choice *c = &r->options->tf;
    lc_tf_signature *s = lc_arena_alloc(r->arena, sizeof *s);
    if (!s) return lc_fail_memory(r->err, "signature");
    *s = (lc_tf_signature){.key = LC_STR("serving_default")};
    if (c->output_arrays) LC_TRY(named_ports(r, c->output_arrays, "--output-arrays", &s->outputs, &s->output_count));
    else LC_TRY(guess_outputs(r, s));
    if (c->input_arrays) LC_TRY(named_ports(r, c->input_arrays, "--input-arrays", &s->inputs, &s->input_count));
    else LC_TRY(guess_inputs(r, s));
    if (!c->input_arrays || !c->output_arrays) note_guess(r, s, !c->input_arrays, !c->output_arrays);
    *signatures = s;
    *count = 1;
    return LC_OK;
}

/* ---- shapes ---- */

static lc_status set_shape(lc_tf_reading *r, const lc_named_shape *asked, lc_tf_signature *signatures, uint32_t count) {
    uint32_t hits = 0, inputs = 0;
    lc_text list = {0};
    lc_status status = LC_OK;
    for (uint32_t s = 0; s < count; s++)
        for (uint32_t i = 0; i < signatures[s].input_count && status == LC_OK; i++) {
            lc_tf_port *p = &signatures[s].inputs[i];
            const lc_str name = asked->name;
            lc_shape merged;
            if (inputs++ < 20) lc_text_printf(&list, "%s%.*s", inputs > 1 ? ", " : "", LC_NAMED(p->name));
            if (name.data && !lc_str_eq(p->name, name) && !(p->tensor.data && lc_str_eq(short_name(p->tensor), short_name(name)))) continue;
            hits++;
            if (lc_shape_merge(&p->shape, &asked->shape, &merged)) p->shape = merged;
            else status = lc_shape_misfit(asked, p->name, &p->shape, r->err);
        }
    if (status == LC_OK && !hits) status = lc_shape_no_input(asked, list.data, r->err);
    else if (status == LC_OK && !asked->name.data && inputs > 1) status = lc_shape_which_input(asked, inputs, list.data, r->err);
    lc_text_deinit(&list);
    return status;
}

/* Inputs whose shape nobody says get what their readers need. */
static void guess_shapes(lc_tf_reading *r, lc_tf_signature *s) {
    for (uint32_t i = 0; i < s->input_count && i < 100 && !s->function.data; i++) {
        lc_tf_port *p = &s->inputs[i];
        lc_str name;
        int32_t output;
        if (p->shape.rank != LC_RANK_UNKNOWN) continue;
        lc_tf_graph_ref(p->tensor, &name, &output);
        const int32_t at = lc_tf_graph_find(&r->index, name);
        if (at < 0 || output < 0) continue;
        p->shape = lc_tf_guess_shape(r, (lc_tf_edge){at, output});
        if (p->shape.rank == LC_RANK_UNKNOWN) continue;
        lc_text t = {0};
        lc_shape_add_dims(&t, &p->shape);
        lc_tf_note(r, "the graph has no shape for input \"%.*s\"; what reads it needs [%s] (another: --input-shape)", LC_NAMED(p->name),
                   t.data ? t.data : "");
        lc_text_deinit(&t);
    }
}

lc_status lc_tf_set_shapes(lc_tf_reading *r, lc_tf_signature *signatures, uint32_t count) {
    lc_named_shape *shapes;
    uint32_t n = 0;
    if (r->options->tf.input_shapes) LC_TRY(lc_shape_list_read(r->options->tf.input_shapes, r->arena, &shapes, &n, r->err));
    for (uint32_t i = 0; i < n; i++) LC_TRY(set_shape(r, &shapes[i], signatures, count));
    for (uint32_t i = 0; i < count; i++) guess_shapes(r, &signatures[i]);
    return LC_OK;
}
