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
};
#define INFER_yes(ID) lc_infer_##ID
#define INFER_no(ID) NULL

static const lc_op_def table[LC_OP_COUNT] = {
#define LC_OP(ID, code, family_, options_, version, in_min_, in_max_, out_min_, out_max_, absent_, infer_, kernel, fast, flags_) \
    [code] = {.name = #ID, \
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
    {.name = #code, \
     .options = LC_TABLE_NONE, \
     .max_version = 1, \
     .in_min = in_min_, \
     .in_max = in_max_, \
     .out_min = out_min_, \
     .out_max = out_max_, \
     .absent = (uint32_t)(absent_), \
     .infer = LC_WITH(CUSTOM_##code, lc_infer_custom_##ID)},
#include "ops/custom.def"
    {.name = NULL}};

const char *lc_op_family(int32_t op) {
    static const char *const families[LC_OP_COUNT] = {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) [code] = #family,
#include "ops/ops.def"
    };
    return op >= 0 && op < LC_OP_COUNT ? families[op] : "";
}

const lc_op_def *lc_op_of(const lc_node *node) {
    if (node->op == LC_OP_CUSTOM)
        for (const lc_op_def *d = custom; d->name; d++)
            if (lc_str_is(node->custom_code, d->name)) return d;
    return lc_op_get(node->op);
}

const char *lc_op_left_out(void) {
    return LC_WITH_ALL
               ? "the model can be read, inspected and written; this operator cannot be run yet"
               : "this build has only the operators it was made for: add the model to those that `litec ops` is given, and build again";
}

const char *lc_op_name(int32_t op) { return op >= 0 && op < LC_OP_COUNT ? table[op].name : "UNKNOWN"; }

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

int8_t *lc_op_fused_act(const lc_node *node) {
    const lc_op_def *def = lc_op_get(node->op);
    if (!def || !(def->flags & LC_OPF_FUSED_ACT) || !node->attrs || node->attrs_table < 0) return NULL;
    const lc_table_desc *desc = &lc_schema_tables[node->attrs_table];
    for (uint16_t i = 0; i < desc->field_count; i++)
        if (!strcmp(desc->fields[i].name, "fused_activation_function")) return (int8_t *)node->attrs + desc->fields[i].offset;
    return NULL;
}

uint32_t lc_op_calls(const lc_node *node, int32_t *graphs, uint32_t max) {
    int32_t one[2];
    const int32_t *list = one;
    uint32_t n = 0;
    switch (node->op) {
    case LC_OP_CALL: one[n++] = (int32_t)LC_OP_ATTRS(node, CallOptions)->subgraph; break;
    case LC_OP_IF:
        one[n++] = LC_OP_ATTRS(node, IfOptions)->then_subgraph_index;
        one[n++] = LC_OP_ATTRS(node, IfOptions)->else_subgraph_index;
        break;
    case LC_OP_WHILE:
        one[n++] = LC_OP_ATTRS(node, WhileOptions)->cond_subgraph_index;
        one[n++] = LC_OP_ATTRS(node, WhileOptions)->body_subgraph_index;
        break;
    case LC_OP_CALL_ONCE: one[n++] = LC_OP_ATTRS(node, CallOnceOptions)->init_subgraph_index; break;
    case LC_OP_STABLEHLO_WHILE:
        one[n++] = LC_OP_ATTRS(node, StablehloWhileOptions)->cond_subgraph_index;
        one[n++] = LC_OP_ATTRS(node, StablehloWhileOptions)->body_subgraph_index;
        break;
    case LC_OP_STABLEHLO_REDUCE: one[n++] = LC_OP_ATTRS(node, StablehloReduceOptions)->body_subgraph_index; break;
    case LC_OP_STABLEHLO_REDUCE_WINDOW: one[n++] = LC_OP_ATTRS(node, StablehloReduceWindowOptions)->body_subgraph_index; break;
    case LC_OP_STABLEHLO_SORT: one[n++] = LC_OP_ATTRS(node, StablehloSortOptions)->comparator_subgraph_index; break;
    case LC_OP_STABLEHLO_SCATTER: one[n++] = LC_OP_ATTRS(node, StablehloScatterOptions)->update_computation_subgraph_index; break;
    case LC_OP_STABLEHLO_COMPOSITE: one[n++] = LC_OP_ATTRS(node, StableHLOCompositeOptions)->decomposition_subgraph_index; break;
    case LC_OP_STABLEHLO_CUSTOM_CALL:
        list = LC_OP_ATTRS(node, StablehloCustomCallOptions)->called_computations.data;
        n = LC_OP_ATTRS(node, StablehloCustomCallOptions)->called_computations.n;
        break;
    case LC_OP_STABLEHLO_CASE:
        list = LC_OP_ATTRS(node, StablehloCaseOptions)->branch_subgraph_indices.data;
        n = LC_OP_ATTRS(node, StablehloCaseOptions)->branch_subgraph_indices.n;
        break;
    default: break;
    }
    for (uint32_t i = 0; i < n && i < max; i++) graphs[i] = list[i];
    return n;
}
