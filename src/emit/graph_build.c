/*
 * graph_build.c: a graph of TensorFlow while it is made.
 *
 * The idea: whoever puts a node says its operator, its inputs and what is special about it. Attributes that follow from types and the names
 * of outputs come from graph_ops.def. Names are given afterwards, when it is known which node of several bears the result. Nodes that
 * nothing needs are left out, so that a transposition may be undone without looking who else uses it.
 */
#include "emit/graph_build.h"

#include "base/half.h"

#include <string.h>

enum { OWN = -1, OF_0 = -2, OF_1 = -3, OF_2 = -4 }; /* out of graph_ops.def */

static const struct {
    const char *name, *outputs, *types;
    int32_t out;
} ops[] = {
#define LC_GD_OP(Name, outputs, types, out) {#Name, outputs, types, out},
#include "emit/graph_ops.def"
};

void lc_gd_body_init(lc_gd_body *b, lc_arena *arena, bool function, lc_error *err) {
    *b = (lc_gd_body){.arena = arena, .err = err, .function = function};
}

lc_status lc_gd_fail_memory(lc_gd_body *b) {
    if (b->status == LC_OK) b->status = lc_fail_memory(b->err, "graph of TensorFlow");
    return b->status;
}

/* n elements of an array in the arena; NULL after a failure. */
static void *make(lc_gd_body *b, size_t n, size_t size) {
    void *p = b->status == LC_OK ? lc_arena_array(b->arena, n, size) : NULL;
    if (!p) lc_gd_fail_memory(b);
    return p;
}

/* ---- attributes --------------------------------------------------------------------------------------------------------- */

static void add_attr(lc_gd_body *b, lc_gd_node *node, lc_str name, const lc_pb_AttrValue *value) {
    lc_pb_AttrValue *copy = make(b, 1, sizeof *copy);
    if (!copy || !lc_arena_grow(b->arena, (void **)&node->attrs, &node->attr_capacity, node->attr_count + 1, sizeof *node->attrs)) {
        lc_gd_fail_memory(b);
        return;
    }
    *copy = *value;
    /* As TensorFlow's Python sorts them: equal graphs give equal bytes, in whatever order they were said. */
    size_t at = node->attr_count++;
    for (; at && lc_str_compare(node->attrs[at - 1].key, name) > 0; at--) node->attrs[at] = node->attrs[at - 1];
    node->attrs[at] = (lc_pb_NodeDef_AttrEntry){.key = name, .value = copy};
}

void lc_gd_attr(lc_gd_body *b, const char *name, const lc_pb_AttrValue *value) {
    if (b->status == LC_OK && b->count) add_attr(b, b->nodes[b->count - 1], lc_str_of(name), value);
}

/* One member of the oneof, whose bit is set so that zero is written too. */
#define ATTR_VALUE(member, ...) (&(const lc_pb_AttrValue){.has = (uint64_t)1 << LC_PB_ROW_AttrValue_##member, .member = __VA_ARGS__})

void lc_gd_int(lc_gd_body *b, const char *name, int64_t value) { lc_gd_attr(b, name, ATTR_VALUE(i, value)); }
void lc_gd_float(lc_gd_body *b, const char *name, float value) { lc_gd_attr(b, name, ATTR_VALUE(f, value)); }
void lc_gd_bool(lc_gd_body *b, const char *name, bool value) { lc_gd_attr(b, name, ATTR_VALUE(b, value)); }
void lc_gd_type(lc_gd_body *b, const char *name, int32_t type) { lc_gd_attr(b, name, ATTR_VALUE(type, type)); }
void lc_gd_text(lc_gd_body *b, const char *name, lc_str value) { lc_gd_attr(b, name, ATTR_VALUE(s, value)); }

static void put_list(lc_gd_body *b, const char *name, const lc_pb_AttrValue_ListValue *list) {
    lc_pb_AttrValue_ListValue *copy = make(b, 1, sizeof *copy);
    if (!copy) return;
    *copy = *list;
    lc_gd_attr(b, name, ATTR_VALUE(list, copy));
}

void lc_gd_ints(lc_gd_body *b, const char *name, const int64_t *values, uint32_t n) {
    int64_t *copy = make(b, n, sizeof *copy);
    if (!copy) return;
    if (n) memcpy(copy, values, n * sizeof *copy);
    put_list(b, name, &(const lc_pb_AttrValue_ListValue){.i = {copy, n}});
}

void lc_gd_floats(lc_gd_body *b, const char *name, const float *values, uint32_t n) {
    float *copy = make(b, n, sizeof *copy);
    if (!copy) return;
    if (n) memcpy(copy, values, n * sizeof *copy);
    put_list(b, name, &(const lc_pb_AttrValue_ListValue){.f = {copy, n}});
}

void lc_gd_types(lc_gd_body *b, const char *name, const lc_gd_ref *of, uint32_t n) {
    int32_t *types = make(b, n, sizeof *types);
    if (!types) return;
    for (uint32_t i = 0; i < n; i++) types[i] = of[i].type;
    put_list(b, name, &(const lc_pb_AttrValue_ListValue){.type = {types, n}});
}

lc_pb_TensorShapeProto *lc_gd_make_shape(lc_arena *arena, const int32_t *dims, int32_t rank) {
    lc_pb_TensorShapeProto *shape = lc_arena_alloc(arena, sizeof *shape);
    if (!shape) return NULL;
    shape->dim.data = lc_arena_array(arena, (size_t)rank, sizeof *shape->dim.data);
    if (!shape->dim.data) return NULL;
    shape->dim.n = (uint32_t)rank;
    for (int32_t i = 0; i < rank; i++) shape->dim.data[i].size = dims[i];
    return shape;
}

void lc_gd_shape(lc_gd_body *b, const char *name, const int32_t *dims, int32_t rank) {
    lc_pb_TensorShapeProto *shape = lc_gd_make_shape(b->arena, dims, rank);
    if (shape) lc_gd_attr(b, name, ATTR_VALUE(shape, shape));
    else lc_gd_fail_memory(b);
}

void lc_gd_function(lc_gd_body *b, const char *name, lc_str function) {
    lc_pb_NameAttrList *f = make(b, 1, sizeof *f);
    if (!f) return;
    f->name = function;
    lc_gd_attr(b, name, ATTR_VALUE(func, f));
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------- */

/* What the column `types` says. */
static void derive(lc_gd_body *b, lc_gd_node *node) {
    for (const char *p = ops[node->op].types; *p;) {
        const size_t all = strcspn(p, ","), name = strcspn(p, ",=-");
        const lc_str key = {p, name};
        if (p[name] == '=') {
            const bool last = p[name + 1] == 'l';
            const uint32_t k = last ? node->input_count - 1 : (uint32_t)(p[name + 1] - '0');
            add_attr(b, node, key, ATTR_VALUE(type, node->inputs[k].type));
        } else {
            add_attr(b, node, key, ATTR_VALUE(i, node->input_count - (p[name] == '-')));
        }
        p += all + (p[all] == ',');
    }
}

lc_gd_ref lc_gd_put(lc_gd_body *b, lc_gd_op_id op, const lc_gd_ref *inputs, uint32_t n) {
    lc_gd_node *node = make(b, 1, sizeof *node);
    lc_gd_ref *copy = make(b, n, sizeof *copy);
    if (!node || !copy) return LC_GD_NONE;
    if (!lc_arena_grow(b->arena, (void **)&b->nodes, &b->capacity, b->count + 1, sizeof(void *))) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    if (n) memcpy(copy, inputs, n * sizeof *copy);
    *node = (lc_gd_node){.op = op, .inputs = copy, .input_count = n};
    b->nodes[b->count++] = node;
    derive(b, node);
    const int32_t out = ops[op].out;
    const int32_t type = out >= 0 ? out : out == OWN ? LC_DT_INVALID : copy[OF_0 - out].type;
    return (lc_gd_ref){(int32_t)b->count - 1, 0, type};
}

void lc_gd_after(lc_gd_body *b, lc_gd_ref r, const lc_gd_ref *before, uint32_t n) {
    int32_t *controls = make(b, n, sizeof *controls);
    if (!controls) return;
    for (uint32_t i = 0; i < n; i++) controls[i] = before[i].node;
    b->nodes[r.node]->controls = controls;
    b->nodes[r.node]->control_count = n;
}

void lc_gd_keep(lc_gd_body *b, lc_gd_ref r) {
    if (b->status == LC_OK) b->nodes[r.node]->wanted = true;
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

/* The place of a name in the table: where it is, or where it would go. */
static lc_str *place(const lc_gd_body *b, lc_str name) {
    size_t i = (size_t)lc_hash(name.data, name.size, 0) & (b->name_capacity - 1);
    while (b->names[i].data && !lc_str_eq(b->names[i], name)) i = (i + 1) & (b->name_capacity - 1);
    return &b->names[i];
}

static bool reserve_names(lc_gd_body *b) {
    if (b->name_count * 2 < b->name_capacity) return true;
    lc_gd_body old = *b;
    const size_t capacity = b->name_capacity ? b->name_capacity * 2 : 64;
    lc_str *names = make(b, capacity, sizeof *names);
    if (!names) return false;
    b->names = names;
    b->name_capacity = capacity;
    for (size_t i = 0; i < old.name_capacity; i++)
        if (old.names[i].data) *place(b, old.names[i]) = old.names[i];
    return true;
}

/* What TensorFlow takes: [A-Za-z0-9.][A-Za-z0-9_.\\-/>]*; in functions arguments have smaller ones, and nobody sees the others. */
static bool allowed(char c, bool first) {
    if (lc_gd_is_letter(c) || lc_gd_is_digit(c) || c == '.') return true;
    return !first && (c == '_' || c == '-' || c == '/');
}

/* A name that nobody has, of "base" or "base/part". */
static lc_str unique(lc_gd_body *b, lc_str base, const char *part) {
    lc_text text = {0};
    if (!base.size || !allowed(base.data[0], true)) lc_text_add(&text, "n");
    for (size_t i = 0; i < base.size; i++) lc_text_add_n(&text, allowed(base.data[i], false) ? &base.data[i] : "_", 1);
    if (part) lc_text_printf(&text, "/%s", part);
    const size_t stem = text.size;
    lc_str *at = NULL;
    for (uint32_t k = 1; !text.failed && reserve_names(b); k++) {
        at = place(b, (lc_str){text.data, text.size});
        if (!at->data) break;
        at = NULL;
        text.size = stem;
        lc_text_printf(&text, "_%u", k);
    }
    lc_str name = {NULL, 0};
    if (at) name = (lc_str){lc_arena_strndup(b->arena, text.data, text.size), text.size};
    lc_text_deinit(&text);
    if (!name.data) {
        lc_gd_fail_memory(b);
        return name;
    }
    *at = name;
    b->name_count++;
    return name;
}

void lc_gd_name(lc_gd_body *b, lc_str name, lc_gd_ref main) {
    if (b->status == LC_OK && main.node >= 0 && !b->nodes[main.node]->name.data) b->nodes[main.node]->name = unique(b, name, NULL);
    for (; b->status == LC_OK && b->named < b->count; b->named++) {
        lc_gd_node *node = b->nodes[b->named];
        if (!node->name.data) node->name = unique(b, name, ops[node->op].name);
    }
}

lc_str lc_gd_name_of(const lc_gd_body *b, lc_gd_ref r) {
    return b->status == LC_OK && r.node >= 0 ? b->nodes[r.node]->name : (lc_str){"", 0};
}

/* ---- constants ---------------------------------------------------------------------------------------------------------- */

static lc_gd_ref put_tensor(lc_gd_body *b, const lc_pb_TensorProto *proto, const int32_t *dims, int32_t rank) {
    lc_gd_ref r = lc_gd_put(b, LC_GD_Const, NULL, 0);
    lc_pb_TensorProto *tensor = make(b, 1, sizeof *tensor);
    if (!tensor) return LC_GD_NONE;
    *tensor = *proto;
    tensor->tensor_shape = lc_gd_make_shape(b->arena, dims, rank);
    if (!tensor->tensor_shape) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    lc_gd_type(b, "dtype", proto->dtype);
    lc_gd_attr(b, "value", ATTR_VALUE(tensor, tensor));
    r.type = proto->dtype;
    return r;
}

lc_gd_ref lc_gd_const(lc_gd_body *b, int32_t type, const int32_t *dims, int32_t rank, const void *data, size_t size) {
    return put_tensor(b, &(const lc_pb_TensorProto){.dtype = type, .tensor_content = {data, size}}, dims, rank);
}

static lc_gd_ref put_copy(lc_gd_body *b, int32_t type, const int32_t *dims, int32_t rank, const void *data, size_t size) {
    void *copy = make(b, 1, size);
    if (!copy) return LC_GD_NONE;
    if (size) memcpy(copy, data, size);
    return lc_gd_const(b, type, dims, rank, copy, size);
}

lc_gd_ref lc_gd_const_ints(lc_gd_body *b, const int32_t *values, int32_t n) {
    return put_copy(b, LC_DT_INT32, &n, 1, values, (size_t)n * sizeof *values);
}

lc_gd_ref lc_gd_const_int(lc_gd_body *b, int32_t value) { return put_copy(b, LC_DT_INT32, NULL, 0, &value, sizeof value); }

lc_gd_ref lc_gd_const_float(lc_gd_body *b, int32_t type, double value) {
    const float single = (float)value;
    if (type == LC_DT_DOUBLE) return put_copy(b, type, NULL, 0, &value, sizeof value);
    if (type == LC_DT_FLOAT) return put_copy(b, type, NULL, 0, &single, sizeof single);
    lc_gd_ref x = put_copy(b, LC_DT_FLOAT, NULL, 0, &single, sizeof single);
    x = LC_GD(b, Cast, x);
    lc_gd_type(b, "DstT", type);
    x.type = type;
    return x;
}

lc_gd_ref lc_gd_const_strings(lc_gd_body *b, const lc_str *strings, int32_t n) {
    const uint32_t count = n < 0 ? 1 : (uint32_t)n;
    lc_str *copy = make(b, count, sizeof *copy);
    if (!copy) return LC_GD_NONE;
    if (count) memcpy(copy, strings, count * sizeof *copy);
    return put_tensor(b, &(const lc_pb_TensorProto){.dtype = LC_DT_STRING, .string_val = {copy, count}}, &n, n >= 0);
}

/* The values of a constant of int32, NULL when r is none. */
static const int32_t *const_ints(const lc_gd_body *b, lc_gd_ref r, uint32_t *n) {
    const lc_gd_node *node = b->nodes[r.node];
    if (node->op != LC_GD_Const || r.type != LC_DT_INT32) return NULL;
    for (size_t i = 0; i < node->attr_count; i++) {
        const lc_pb_TensorProto *t = node->attrs[i].value->tensor;
        if (!t) continue;
        *n = (uint32_t)(t->tensor_content.size / sizeof(int32_t));
        return (const int32_t *)(const void *)t->tensor_content.data;
    }
    return NULL;
}

/* ---- forms that undo each other ----------------------------------------------------------------------------------------- */

lc_gd_ref lc_gd_transpose(lc_gd_body *b, lc_gd_ref x, const int32_t *perm, int32_t n) {
    if (b->status != LC_OK || n > LC_MAX_RANK) return LC_GD_NONE;
    int32_t both[LC_MAX_RANK], values[LC_MAX_RANK];
    memcpy(both, perm, (size_t)n * sizeof *both);
    const lc_gd_node *before = b->nodes[x.node];
    uint32_t count = 0;
    const int32_t *first = before->op == LC_GD_Transpose ? const_ints(b, before->inputs[1], &count) : NULL;
    if (first && count == (uint32_t)n) {
        memcpy(values, first, (size_t)n * sizeof *values); /* it may lie at any address */
        for (int32_t i = 0; i < n; i++) both[i] = values[perm[i]];
        x = before->inputs[0];
    }
    bool nothing = true;
    for (int32_t i = 0; i < n; i++) nothing = nothing && both[i] == i;
    return nothing ? x : LC_GD(b, Transpose, x, lc_gd_const_ints(b, both, n));
}

/* The shape that a node states to have: a variable that is read, an input, a constant. */
static bool has_shape(const lc_gd_body *b, lc_gd_ref x, const int32_t *dims, int32_t n) {
    const lc_gd_node *node = b->nodes[x.node];
    if (node->op == LC_GD_ReadVariableOp || node->op == LC_GD_Identity) return has_shape(b, node->inputs[0], dims, n);
    const lc_pb_TensorShapeProto *shape = NULL;
    for (size_t i = 0; i < node->attr_count && !shape; i++) {
        const lc_pb_AttrValue *v = node->attrs[i].value;
        shape = v->shape ? v->shape : v->tensor ? v->tensor->tensor_shape : NULL;
    }
    if (!shape || shape->dim.n != (uint32_t)n) return false;
    for (int32_t i = 0; i < n; i++)
        if (shape->dim.data[i].size != dims[i] || dims[i] < 0) return false;
    return true;
}

lc_gd_ref lc_gd_reshape(lc_gd_body *b, lc_gd_ref x, const int32_t *dims, int32_t n) {
    if (b->status != LC_OK) return LC_GD_NONE;
    while (b->nodes[x.node]->op == LC_GD_Reshape) x = b->nodes[x.node]->inputs[0];
    return has_shape(b, x, dims, n) ? x : LC_GD(b, Reshape, x, lc_gd_const_ints(b, dims, n));
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/* Name of output k in functions, and how many outputs before it have the same one. */
static lc_str output_name(lc_gd_op_id op, int32_t k, int32_t *within) {
    const char *p = ops[op].outputs;
    for (; k && strchr(p, ','); k--) p = strchr(p, ',') + 1;
    *within = k;
    return (lc_str){p, strcspn(p, ",")};
}

lc_str lc_gd_spell(const lc_gd_body *b, lc_gd_ref r) {
    if (b->status != LC_OK || r.node < 0) return (lc_str){NULL, 0};
    const lc_gd_node *node = b->nodes[r.node];
    if (node->argument || (!b->function && r.output == 0)) return node->name;
    int32_t within;
    const lc_str out = output_name(node->op, r.output, &within);
    const char *text = b->function ? lc_arena_printf(b->arena, "%s:%.*s:%d", node->name.data, (int)out.size, out.data, within)
                                   : lc_arena_printf(b->arena, "%s:%d", node->name.data, r.output);
    return lc_str_of(text);
}

/* Nodes stand behind those they use but for control inputs, so one walk backwards finds all that is needed. */
static void mark(lc_gd_body *b) {
    for (size_t i = b->count; i-- > 0;) {
        const lc_gd_node *node = b->nodes[i];
        if (!node->wanted) continue;
        for (uint32_t k = 0; k < node->input_count; k++) b->nodes[node->inputs[k].node]->wanted = true;
        for (uint32_t k = 0; k < node->control_count; k++) b->nodes[node->controls[k]]->wanted = true;
    }
}

static void write_node(lc_gd_body *b, const lc_gd_node *node, lc_pb_NodeDef *out) {
    const uint32_t n = node->input_count + node->control_count;
    *out = (lc_pb_NodeDef){.name = node->name, .op = lc_str_of(ops[node->op].name)};
    out->input.data = make(b, n, sizeof *out->input.data);
    out->input.n = n;
    out->attr.data = node->attrs;
    out->attr.n = (uint32_t)node->attr_count;
    for (uint32_t i = 0; i < n && b->status == LC_OK; i++) {
        const bool control = i >= node->input_count;
        lc_str s = control ? b->nodes[node->controls[i - node->input_count]]->name : lc_gd_spell(b, node->inputs[i]);
        if (control) s = lc_str_of(lc_arena_printf(b->arena, "^%s", s.data));
        if (!s.data) lc_gd_fail_memory(b);
        else out->input.data[i] = s;
    }
}

lc_status lc_gd_finish(lc_gd_body *b, const lc_pb_NodeDef **nodes, uint32_t *count) {
    *count = 0;
    if (b->status == LC_OK) mark(b);
    lc_pb_NodeDef *all = make(b, b->count, sizeof *all);
    for (size_t i = 0; i < b->count && b->status == LC_OK; i++)
        if (b->nodes[i]->wanted && !b->nodes[i]->argument) write_node(b, b->nodes[i], &all[(*count)++]);
    *nodes = all;
    return b->status;
}
