/*
 * op.c: the operator table as constant data, made from ops.def, and the questions that need nothing but a node: its name, its
 * options, its fused activation, the graphs it calls.
 *
 * The table is indexed by builtin code; the schema has no gaps, which the assertion at the end proves.
 */
#include "ops/infer.h"
#include "ops/select.h"
#include <string.h>

/* The words ops.def uses in its columns. */
enum {
    ANY = -1,
    ELEMENTWISE = LC_OPF_ELEMENTWISE,
    INPLACE = LC_OPF_INPLACE,
    COMMUTES = LC_OPF_COMMUTES,
    FUSED_ACT = LC_OPF_FUSED_ACT,
    VIEW = LC_OPF_VIEW,
    SIDE_EFFECT = LC_OPF_SIDE_EFFECT,
    CALLS = LC_OPF_CALLS,
    ALONE = LC_OPF_ALONE,
};
#define INFER_yes(ID) lc_infer_##ID
#define INFER_no(ID) NULL

/* Names, one behind the other, found by their place: no pointers, which would be relocated at every start of a program. */
static const struct names {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) char ID[sizeof #ID];
#include "ops/ops.def"
#define LC_CUSTOM(ID, code, family, in_min, in_max, out_min, out_max, absent) char custom_##ID[sizeof #code];
#include "ops/custom.def"
} names = {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) #ID,
#include "ops/ops.def"
#define LC_CUSTOM(ID, code, family, in_min, in_max, out_min, out_max, absent) #code,
#include "ops/custom.def"
};
_Static_assert(sizeof names <= UINT16_MAX, "names are found by 16 bits");

static const lc_op_def table[LC_OP_COUNT] = {
#define LC_OP(ID, code, family_, options_, version, in_min_, in_max_, out_min_, out_max_, absent_, infer_, kernel, fast, flags_) \
    [code] = {.name = offsetof(struct names, ID), \
              .options = LC_TABLE_##options_, \
              .max_version = version, \
              .in_min = in_min_, \
              .in_max = in_max_, \
              .out_min = out_min_, \
              .out_max = out_max_, \
              .absent = (uint32_t)(absent_), \
              .flags = (uint16_t)(flags_), \
              .infer = LC_WITH(ID, INFER_##infer_(ID))},
#include "ops/ops.def"
};
_Static_assert(LC_OP_COUNT == 210, "a new builtin operator: check ops.def, version.c and lc_op_calls");

const lc_op_def *lc_op_get(int32_t op) { return op >= 0 && op < LC_OP_COUNT ? &table[op] : NULL; }

static const lc_op_def custom[] = {
#define LC_CUSTOM(ID, code, family_, in_min_, in_max_, out_min_, out_max_, absent_) \
    {.name = offsetof(struct names, custom_##ID), \
     .options = LC_TABLE_NONE, \
     .max_version = 1, \
     .in_min = in_min_, \
     .in_max = in_max_, \
     .out_min = out_min_, \
     .out_max = out_max_, \
     .absent = (uint32_t)(absent_), \
     .infer = LC_WITH(CUSTOM_##code, lc_infer_custom_##ID)},
#include "ops/custom.def"
};

const char *lc_op_def_name(const lc_op_def *def) { return (const char *)&names + def->name; }

const char *lc_op_family(int32_t op) {
    static const char *const families[LC_OP_COUNT] = {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) [code] = #family,
#include "ops/ops.def"
    };
    return op >= 0 && op < LC_OP_COUNT ? families[op] : "";
}

const lc_op_def *lc_op_of(const lc_node *node) {
    if (node->own) return &node->own->def;
    if (node->op == LC_OP_CUSTOM)
        for (size_t i = 0; i < sizeof custom / sizeof *custom; i++)
            if (lc_str_is(node->custom_code, lc_op_def_name(&custom[i]))) return &custom[i];
    return lc_op_get(node->op);
}

const char *lc_op_left_out(void) {
    return LC_WITH_ALL
               ? "the model can be read, inspected and written; this operator cannot be run yet"
               : "this build has only the operators it was made for: add the model to those that `litec ops` is given, and build again";
}

const char *lc_op_name(int32_t op) { return op >= 0 && op < LC_OP_COUNT ? lc_op_def_name(&table[op]) : "UNKNOWN"; }

const void *lc_op_attrs(const lc_node *node, lc_table_id id) {
    /* Larger than any options struct: a file may leave the options of an operator out, and then every field is zero, also those
     * whose schema default is not (LiteRT reads it so). */
    static const union {
        max_align_t align;
        unsigned char bytes[512];
    } none;
    _Static_assert(sizeof(lc_Conv3DOptions) <= sizeof none && sizeof(lc_StablehloGatherOptions) <= sizeof none &&
                       sizeof(lc_StablehloConvolutionOptions) <= sizeof none && sizeof(lc_StridedSliceOptions) <= sizeof none,
                   "options struct larger than the block of zeros");
    return node->attrs && node->attrs_table == id ? node->attrs : (const void *)&none;
}

/* A field of the node's options by its name; NULL: it has no such field, or no options. */
static void *option(const lc_node *node, const char *name) {
    if (!node->attrs || node->attrs_table < 0) return NULL;
    for (LC_EACH_FIELD(f, node->attrs_table))
        if (!strcmp(lc_field_name(f), name)) return (char *)node->attrs + f->offset;
    return NULL;
}

int8_t *lc_op_fused_act(const lc_node *node) {
    const lc_op_def *def = lc_op_get(node->op);
    return def && (def->flags & LC_OPF_FUSED_ACT) ? option(node, "fused_activation_function") : NULL;
}

bool *lc_op_asymmetric_inputs(const lc_node *node) { return option(node, "asymmetric_quantize_inputs"); }

/* Where the node's options name graphs: up to two fields, or a list. */
static uint32_t call_slots(const lc_node *node, const int32_t **fields, lc_vec_i32 const **list) {
    uint32_t n = 0;
    *list = NULL;
    switch (node->op) {
    case LC_OP_CALL: fields[n++] = (const int32_t *)&LC_OP_ATTRS(node, CallOptions)->subgraph; break;
    case LC_OP_IF:
        fields[n++] = &LC_OP_ATTRS(node, IfOptions)->then_subgraph_index;
        fields[n++] = &LC_OP_ATTRS(node, IfOptions)->else_subgraph_index;
        break;
    case LC_OP_WHILE:
        fields[n++] = &LC_OP_ATTRS(node, WhileOptions)->cond_subgraph_index;
        fields[n++] = &LC_OP_ATTRS(node, WhileOptions)->body_subgraph_index;
        break;
    case LC_OP_CALL_ONCE: fields[n++] = &LC_OP_ATTRS(node, CallOnceOptions)->init_subgraph_index; break;
    case LC_OP_STABLEHLO_WHILE:
        fields[n++] = &LC_OP_ATTRS(node, StablehloWhileOptions)->cond_subgraph_index;
        fields[n++] = &LC_OP_ATTRS(node, StablehloWhileOptions)->body_subgraph_index;
        break;
    case LC_OP_STABLEHLO_REDUCE: fields[n++] = &LC_OP_ATTRS(node, StablehloReduceOptions)->body_subgraph_index; break;
    case LC_OP_STABLEHLO_REDUCE_WINDOW: fields[n++] = &LC_OP_ATTRS(node, StablehloReduceWindowOptions)->body_subgraph_index; break;
    case LC_OP_STABLEHLO_SORT: fields[n++] = &LC_OP_ATTRS(node, StablehloSortOptions)->comparator_subgraph_index; break;
    case LC_OP_STABLEHLO_SCATTER: fields[n++] = &LC_OP_ATTRS(node, StablehloScatterOptions)->update_computation_subgraph_index; break;
    case LC_OP_STABLEHLO_COMPOSITE: fields[n++] = &LC_OP_ATTRS(node, StableHLOCompositeOptions)->decomposition_subgraph_index; break;
    case LC_OP_STABLEHLO_CUSTOM_CALL: *list = &LC_OP_ATTRS(node, StablehloCustomCallOptions)->called_computations; break;
    case LC_OP_STABLEHLO_CASE: *list = &LC_OP_ATTRS(node, StablehloCaseOptions)->branch_subgraph_indices; break;
    default: break;
    }
    return n;
}

uint32_t lc_op_calls(const lc_node *node, int32_t *graphs, uint32_t max) {
    const int32_t *fields[2];
    const lc_vec_i32 *list;
    uint32_t n = call_slots(node, fields, &list);
    for (uint32_t i = 0; i < n && i < max; i++) graphs[i] = *fields[i];
    if (!list) return n;
    n = list->n;
    for (uint32_t i = 0; i < n && i < max; i++) graphs[i] = list->data[i];
    return n;
}

bool lc_op_renumber_calls(lc_node *node, const int32_t *map, lc_arena *arena) {
    const int32_t *fields[2];
    const lc_vec_i32 *list;
    const uint32_t n = node->attrs ? call_slots(node, fields, &list) : 0;
    for (uint32_t i = 0; i < n; i++) *(int32_t *)(uintptr_t)fields[i] = map[*fields[i]];
    if (!node->attrs || !list || list->n == 0) return true;
    int32_t *copy = lc_arena_array(arena, list->n, sizeof *copy); /* the list may lie in the source file */
    if (!copy) return false;
    for (uint32_t i = 0; i < list->n; i++) copy[i] = map[list->data[i]];
    ((lc_vec_i32 *)(uintptr_t)list)->data = copy;
    return true;
}
