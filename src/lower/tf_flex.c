/*
 * tf_flex.c: an operator that has no builtin form, kept as it is where the options allow that:
 *
 *   CUSTOM "MyOp"    the user gave its OpDef, or allows custom operators: options are its attributes as a FlexBuffer map
 *   CUSTOM "FlexOp"  the Flex delegate has it: options are its name and its NodeDef, a FlexBuffer vector of two strings
 *
 * both as the official converter writes them (tensorflow.org/lite/guide/ops_select, ops_custom): attributes at their defaults are there,
 * inputs of the NodeDef are nameless, a type among custom options is TFLite's number of it. What types the outputs have, the operator's
 * fact tells (tf_facts.h); a shape only where it is certain, else it is of unknown rank, and the runtime learns it in the run.
 *
 * Builtin operators behind it that must know a rank fail to be lowered: those fall back here as well, with what they had begun taken away.
 * Refused: operators that call functions, and those that work on variables, tables or lists, which are no tensors here.
 */
#include "lower/tf_facts.h"
#include "lower/tf_impl.h"

#include "schema/flex.h"

#include <stdlib.h>
#include <string.h>

typedef enum form { NONE, CUSTOM, FLEX } form;

static form form_of(const lc_tf_call *c, const lc_tf_fact *fact) {
    const lc_lower_options *o = c->lower->options;
    if (c->lower->filling) return NONE;
    if (fact && fact->def) return CUSTOM;
    if (o->select_tf_ops && fact && fact->flex) return FLEX;
    return o->allow_custom_ops ? CUSTOM : NONE;
}

static bool calls_functions(const lc_pb_NodeDef *node) {
    for (uint32_t i = 0; i < node->attr.n; i++) {
        const lc_pb_AttrValue *a = node->attr.data[i].value;
        if (a && (a->func || (a->list && a->list->func.n))) return true;
    }
    return false;
}

/* ---- options ------------------------------------------------------------------------------------------------------ */

/* TFLite's number of a type. */
static bool type_number(int32_t data_type, int64_t *number) {
    const lc_dtype type = lc_tf_dtype(data_type);
    *number = (int64_t)type;
    return type != LC_DTYPE_COUNT;
}

/* False: the official converter leaves such an attribute out. */
static bool custom_option(const lc_pb_AttrValue *a, lc_flex_value *v) {
    if (lc_pb_has(a, AttrValue, s)) v->kind = LC_FLEX_KIND_STRING, v->s = a->s;
    else if (lc_pb_has(a, AttrValue, type)) return v->kind = LC_FLEX_KIND_INT, type_number(a->type, &v->i);
    else if (lc_pb_has(a, AttrValue, i)) v->kind = LC_FLEX_KIND_INT, v->i = a->i;
    else if (lc_pb_has(a, AttrValue, f)) v->kind = LC_FLEX_KIND_FLOAT, v->f = a->f;
    else if (lc_pb_has(a, AttrValue, b)) v->kind = LC_FLEX_KIND_BOOL, v->i = a->b;
    else if (a->list && a->list->s.n) v->kind = LC_FLEX_KIND_STRINGS, v->strings = a->list->s.data, v->n = a->list->s.n;
    else if (a->list && a->list->i.n) v->kind = LC_FLEX_KIND_INTS, v->ints = a->list->i.data, v->n = a->list->i.n;
    else if (a->list && a->list->f.n) v->kind = LC_FLEX_KIND_FLOATS, v->floats = a->list->f.data, v->n = a->list->f.n;
    else return false;
    return true;
}

static void custom_options(lc_tf_call *c, const lc_tf_attrs *attrs, lc_text *out) {
    lc_flex_value *values = lc_arena_array(&c->lower->scratch, (size_t)attrs->n + 1, sizeof *values);
    uint32_t n = 0;
    out->failed = out->failed || !values;
    for (uint32_t i = 0; values && i < attrs->n; i++) {
        values[n] = (lc_flex_value){.key = attrs->data[i].key};
        if (custom_option(attrs->data[i].value, &values[n])) n++;
    }
    if (values) lc_flex_write_map(out, values, n, &c->lower->scratch);
}

static void flex_options(lc_tf_call *c, const lc_tf_attrs *attrs, uint32_t inputs, lc_text *out) {
    lc_arena *arena = &c->lower->scratch;
    lc_text wire = {0};
    lc_str name = c->node->name;
    lc_pb_NodeDef_ExperimentalDebugInfo from = {.original_node_names = {&name, 1}};
    lc_pb_NodeDef def = {.op = c->node->op, .attr = {attrs->data, attrs->n}, .experimental_debug_info = &from};
    def.input = (lc_pb_strings){lc_arena_array(arena, (size_t)inputs + 1, sizeof *def.input.data), inputs};
    for (uint32_t i = 0; def.input.data && i < inputs; i++) def.input.data[i] = LC_STR("");
    lc_pb_set(&def, NodeDef, op);
    if (def.input.data) lc_pb_write(LC_PB_NodeDef, &def, &wire);
    const lc_str both[2] = {c->node->op, {wire.data, wire.size}};
    lc_flex_write_strings(out, both);
    out->failed = out->failed || wire.failed || !wire.data;
    lc_text_deinit(&wire);
}

/* ---- outputs -------------------------------------------------------------------------------------------------------- */

typedef struct made {
    lc_dtype *types;
    lc_tf_known *known;
    int32_t *tensors;
    uint32_t n;
} made;

/* The next word of a list. */
static lc_str next_word(const char **list) {
    while (**list == ' ') ++*list;
    const lc_str word = {*list, strcspn(*list, " ")};
    *list += word.size;
    return word;
}

/* The DataType of element k of an output that `word` describes. */
static int32_t type_by(const lc_tf_attrs *attrs, lc_str word, uint32_t k) {
    if (!word.size || word.data[0] != '$') return word.size ? (int32_t)strtol(word.data, NULL, 10) : LC_DT_INVALID;
    const lc_pb_AttrValue *a = lc_tf_attr_of(attrs, (lc_str){word.data + 1, word.size - 1});
    if (!a) return LC_DT_INVALID;
    if (a->list) return k < a->list->type.n ? a->list->type.data[k] : LC_DT_INVALID;
    return a->type;
}

/* How many tensors the word "name:N" of the outputs stands for. */
static uint32_t length_by(const lc_tf_attrs *attrs, lc_str word) {
    const char *colon = memchr(word.data, ':', word.size);
    if (!colon) return 1;
    const lc_pb_AttrValue *a = lc_tf_attr_of(attrs, (lc_str){colon + 1, word.size - (size_t)(colon + 1 - word.data)});
    return !a ? 0 : a->list ? a->list->type.n : a->i > 0 && a->i < 1 << 20 ? (uint32_t)a->i : 0;
}

/* What an operator gives of which nothing is known: a type attribute under one of the usual names, else the type of its first input. */
static lc_dtype guess_type(lc_tf_call *c, const lc_tf_attrs *attrs, uint32_t k, const int32_t *in, uint32_t n) {
    static const char *const names[] = {"Tout", "output_types", "dtype", "out_type", "output_type", "Tdst", "DstT", "T"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const lc_pb_AttrValue *a = lc_tf_attr_of(attrs, lc_str_of(names[i]));
        const int32_t type = !a ? LC_DT_INVALID : a->list ? (k < a->list->type.n ? a->list->type.data[k] : LC_DT_INVALID) : a->type;
        if (lc_tf_dtype(type) != LC_DTYPE_COUNT) return lc_tf_dtype(type);
    }
    return n ? lc_tf_type(c, in[0]) : LC_FLOAT32;
}

static lc_tf_known unknown(void) { return (lc_tf_known){.set = true, .shape = {{.rank = LC_RANK_UNKNOWN}, {.rank = LC_RANK_UNKNOWN}}}; }

static lc_tf_known open_shape(lc_tf_call *c, const lc_shape *shape) {
    lc_tf_known k = {.set = true, .shape = {*shape, *shape}};
    for (int32_t d = 0; d < shape->rank; d++) {
        int32_t size[2] = {shape->dims[d], shape->dims[d]};
        if (shape->dims[d] < 0) lc_tf_symbol(c->lower, d > 0, size);
        for (int w = 0; w < 2; w++) k.shape[w].dims[d] = size[w];
    }
    return k;
}

/* Both broadcast, in one world. False: they do not fit. */
static bool broadcast(const lc_shape *a, const lc_shape *b, lc_shape *out) {
    if (a->rank == LC_RANK_UNKNOWN || b->rank == LC_RANK_UNKNOWN) return false;
    out->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int32_t d = 0; d < out->rank; d++) {
        const int32_t i = d - (out->rank - a->rank), j = d - (out->rank - b->rank);
        const int32_t x = i < 0 ? 1 : a->dims[i], y = j < 0 ? 1 : b->dims[j];
        if (x != y && x != 1 && y != 1) return false;
        out->dims[d] = x == 1 ? y : x;
    }
    return true;
}

/* "=", "^", "[?,2]", "*". */
static lc_tf_known shape_by(lc_tf_call *c, lc_str rule, const int32_t *in, uint32_t n) {
    lc_tf_known k = unknown();
    if (lc_str_is(rule, "=") && n > 0) {
        const lc_tf_known *x = lc_tf_known_of(c->b, in[0]);
        for (int w = 0; w < 2; w++) k.shape[w] = x->shape[w];
    } else if (lc_str_is(rule, "^") && n > 1) {
        const lc_tf_known x = *lc_tf_known_of(c->b, in[0]), y = *lc_tf_known_of(c->b, in[1]);
        for (int w = 0; w < 2; w++)
            if (!broadcast(&x.shape[w], &y.shape[w], &k.shape[w])) return unknown();
    } else if (rule.size > 1 && rule.data[0] == '[') {
        lc_shape s = {.rank = 0};
        for (const char *p = rule.data + 1; *p != ']' && s.rank < LC_MAX_RANK; p += *p == ',') {
            char *end = NULL;
            s.dims[s.rank++] = *p == '?' ? -1 : (int32_t)strtol(p, &end, 10);
            p = end ? end : p + 1;
        }
        k = open_shape(c, &s);
    }
    return k;
}

/* The shape that TensorFlow noted when the graph was written. */
static lc_tf_known noted_shape(lc_tf_call *c, uint32_t k) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, "_output_shapes");
    const lc_shape s =
        a && a->list && k < a->list->shape.n ? lc_tf_shape_proto(&a->list->shape.data[k]) : (lc_shape){.rank = LC_RANK_UNKNOWN};
    return s.rank == LC_RANK_UNKNOWN ? unknown() : open_shape(c, &s);
}

/* Types and shapes of all outputs. False: a type that TFLite lacks (*why), or the builder failed. */
static bool outputs_of(lc_tf_call *c, const lc_tf_fact *fact, const lc_tf_attrs *attrs, const int32_t *in, uint32_t in_count, made *m,
                       const char **why) {
    lc_arena *arena = &c->lower->scratch;
    const char *names = fact ? fact->outputs : "", *types = fact ? fact->types : "", *shapes = fact ? fact->shapes : "*";
    uint32_t n = fact ? 0 : c->out_count;
    for (const char *p = names; *p;) n += length_by(attrs, next_word(&p));
    if (!lc_build_check(c->b, lc_budget_tables(&c->lower->budget, n, "outputs of a custom operator", c->lower->err))) return false;
    *m = (made){lc_arena_array(arena, (size_t)n + 1, sizeof *m->types), lc_arena_array(arena, (size_t)n + 1, sizeof *m->known),
                lc_arena_array(arena, (size_t)n + 1, sizeof *m->tensors), n};
    if (!m->types || !m->known || !m->tensors) return lc_build_check(c->b, lc_fail_memory(c->lower->err, "custom operator"));
    for (uint32_t k = 0; !fact && k < n; k++) m->types[k] = guess_type(c, attrs, k, in, in_count);
    for (uint32_t k = 0; fact && k < n;) {
        const lc_str name = next_word(&names), type = next_word(&types);
        for (uint32_t i = length_by(attrs, name), at = 0; at < i; at++) m->types[k++] = lc_tf_dtype(type_by(attrs, type, at));
    }
    for (uint32_t k = 0; k < n; k++) {
        const lc_str rule = lc_str_is(lc_str_of(shapes), "*") ? LC_STR("*") : next_word(&shapes);
        m->known[k] = shape_by(c, rule, in, in_count);
        if (m->known[k].shape[0].rank == LC_RANK_UNKNOWN) m->known[k] = noted_shape(c, k);
        if (m->types[k] == LC_DTYPE_COUNT) return *why = "TFLite lacks the type of one of its outputs", false;
    }
    return lc_tf_ok(c);
}

/* ---- the operator ----------------------------------------------------------------------------------------------------- */

/* *why: it cannot be kept. */
static const int32_t *inputs_of(lc_tf_call *c, const char **why) {
    int32_t *in = lc_arena_array(&c->lower->scratch, (size_t)c->in_count + 1, sizeof *in);
    if (!in) lc_build_check(c->b, lc_fail_memory(c->lower->err, "custom operator"));
    for (uint32_t i = 0; in && i < c->in_count && !*why; i++) {
        const lc_tf_value v = c->in[i];
        if (v.kind == LC_TF_LIST) *why = "it works on a list of tensors, which is no tensor in TFLite";
        else if (v.kind == LC_TF_TABLE) *why = "it works on a hash table, which an operator that is kept as it is cannot reach";
        else if (v.kind == LC_TF_VARIABLE && !lc_tf_is_ref(c, v))
            *why = "it works on a variable itself, which an operator that is kept as it is cannot reach";
        else in[i] = lc_tf_in(c, i);
    }
    return in;
}

static bool keep(lc_tf_call *c, form f, const lc_tf_fact *fact, const char **why) {
    const int32_t *in = inputs_of(c, why);
    if (!in || *why || !lc_tf_ok(c)) return false;
    const lc_tf_attrs attrs = lc_tf_all_attrs(c, fact);
    made m;
    if (!lc_tf_ok(c) || !outputs_of(c, fact, &attrs, in, c->in_count, &m, why)) return false;
    lc_text options = {0};
    if (f == FLEX) flex_options(c, &attrs, c->in_count, &options);
    else custom_options(c, &attrs, &options);
    char *code = lc_arena_printf(&c->lower->model->arena, "%s%.*s", f == FLEX ? "Flex" : "", LC_TF_NAME(c->node->op));
    char *bytes = options.failed ? NULL : lc_arena_strndup(&c->lower->model->arena, options.data, options.size);
    const uint64_t size = options.size;
    lc_text_deinit(&options);
    if (!code || !bytes) return lc_build_check(c->b, lc_fail_memory(c->lower->err, "custom operator"));
    if (!lc_build_check(c->b, lc_budget_memory(&c->lower->budget, size, "custom options", c->lower->err))) return false;
    if (!lc_tf_emit(c->b, LC_OP_CUSTOM, LC_TABLE_NONE, NULL, in, c->in_count, m.types, m.known, m.tensors, m.n)) return false;
    lc_node *node = &c->b->graph->nodes[c->b->graph->node_count - 1];
    node->custom_code = lc_str_of(code);
    node->custom_options = (lc_vec_u8){(const uint8_t *)bytes, (size_t)size};
    for (uint32_t k = 0; k < c->out_count; k++) c->out[k] = (lc_tf_value){LC_TF_NOTHING, -1, 0};
    for (uint32_t k = 0; k < m.n; k++) lc_tf_give(c, k, m.tensors[k]);
    return true;
}

/* Takes away what the lowering had begun. Handles stay: the graph remembers them. */
static void undo(lc_builder *b, size_t nodes, size_t graphs) {
    lc_graph *g = b->graph;
    size_t kept = nodes;
    for (size_t i = nodes; i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        if (n->output_count == 1 && g->tensors[n->outputs[0]].type == LC_RESOURCE) g->nodes[kept++] = *n;
    }
    g->node_count = kept;
    b->model->graph_count = graphs;
}

/* The failure is one that an operator which is kept as it is does not have: something that TFLite would have to know. */
static bool may_recover(lc_tf_call *c) {
    if (c->b->status == LC_UNSUPPORTED) return true;
    if (c->b->status != LC_INVALID) return false;
    for (uint32_t i = 0; i < c->in_count; i++) /* shape rules take a tensor of unknown rank for a scalar */
        if (c->in[i].kind == LC_TF_TENSOR && !c->b->graph->tensors[c->in[i].tensor].has_rank) return true;
    return false;
}

bool lc_tf_keep(lc_tf_call *c, const char **why, size_t nodes, size_t graphs) {
    const lc_tf_fact *fact = lc_tf_fact_of(c->lower, c->node->op);
    const form f = form_of(c, fact);
    if (f == NONE || calls_functions(c->node)) return false;
    if (!lc_tf_ok(c)) {
        if (!may_recover(c)) return false;
        if (!*why) *why = lc_arena_printf(&c->lower->scratch, "%s", c->lower->err->message);
        if (!*why) {
            c->b->status = lc_fail_memory(c->lower->err, "reason");
            return false;
        }
        c->b->status = LC_OK;
        lc_error_clear(c->lower->err);
    }
    undo(c->b, nodes, graphs);
    const char *cannot = NULL;
    if (keep(c, f, fact, &cannot)) return true;
    if (cannot) *why = cannot;
    return false;
}
