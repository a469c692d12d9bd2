/*
 * check.h: what the files of the .tflite checker share. tflite_check.c runs the parts in an order in which each may rely on
 * what the parts before it proved (tensor checks on buffer indices, graph checks on tensor indices, calls on options ...).
 * Internal to src/runtime.
 */
#ifndef LC_RUNTIME_CHECK_H
#define LC_RUNTIME_CHECK_H

#include "ops/op.h"
#include "runtime/load.h"

typedef enum lc_rule {
#define LC_RULE(ID, advice, must) LC_RULE_##ID,
#include "runtime/rules.def"
    LC_RULE_COUNT
} lc_rule;

/* What is known of a tensor while checking; one byte each in lc_check.marks. */
enum {
    LC_MARK_CONSTANT = 1, /* has data, in the file or in an external one */
    LC_MARK_VARIABLE = 2,
    LC_MARK_INPUT = 4, /* of its subgraph */
    LC_MARK_OUTPUT = 8,
    LC_MARK_WRITTEN = 16,  /* by an operator passed already */
    LC_MARK_PRODUCED = 32, /* by some operator of the subgraph */
};

typedef struct lc_check {
    const lc_Model *model;
    const lc_limits *limits;
    lc_arena *scratch; /* lives as long as the check */
    uint8_t **marks;   /* [subgraph][tensor] */
    uint8_t *strings;  /* [buffer] 1: proved to be strings, so that tensors that share it do not walk it again */
    lc_error *err;
} lc_check;

/* Reports a broken rule: status, id, offset and hint come from the rule and `at`. */
lc_status lc_check_fail(const lc_check *c, lc_rule rule, uint64_t at, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* As above, with "subgraph 0, tensor 5 "name": " before the message; the offset is that of the tensor. */
lc_status lc_check_fail_tensor(const lc_check *c, lc_rule rule, size_t graph, size_t tensor, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* As above, with "subgraph 0, operator 12 CONV_2D: " before the message; the offset is that of the operator. */
lc_status lc_check_fail_op(const lc_check *c, lc_rule rule, size_t graph, size_t op, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Before anything is read: `unfolded` is what lc_fb_verify charged for a file of `size` bytes. */
lc_status lc_check_unfolded(const lc_check *c, uint64_t unfolded, uint64_t size);
/* The parts, in their order. */
lc_status lc_check_model(const lc_check *c);   /* check_model.c: version, op codes, metadata, external buffers, overlaps */
lc_status lc_check_indices(const lc_check *c); /* check_index.c: what names tensors and op codes; sets marks */
lc_status lc_check_tensors(const lc_check *c); /* check_tensor.c: types, shapes, sizes; calls the three below */
lc_status lc_check_quant(const lc_check *c, size_t graph, size_t tensor);                        /* check_quant.c */
lc_status lc_check_string(const lc_check *c, size_t graph, size_t tensor, uint64_t elements);    /* check_string.c */
lc_status lc_check_sparsity(const lc_check *c, size_t graph, size_t tensor, uint64_t *elements); /* check_sparsity.c */
lc_status lc_check_options(const lc_check *c);                                                   /* check_options.c */
lc_status lc_check_order(const lc_check *c);      /* check_graph.c: who writes and reads what, and when */
lc_status lc_check_calls(const lc_check *c);      /* check_calls.c: subgraphs that run subgraphs */
lc_status lc_check_signatures(const lc_check *c); /* check_signature.c */

/* The id users see, "TFL-BUFFER-INDEX" (at most 23 characters), written to id. */
void lc_rule_name(lc_rule rule, char id[24]);
/* Sorts items [0, n) of an index array by `less` (heap sort: in place, n log n at worst, no memory). */
typedef bool (*lc_less)(const void *context, uint32_t a, uint32_t b);
void lc_sort_indices(uint32_t *items, size_t n, lc_less less, const void *context);

/* ---- also used by load.c ------------------------------------------------------------------------------------- */

/* The operator an op code stands for: the larger of its two code fields, as in LiteRT (files older than 2020 have only the
 * deprecated one, newer ones put 127 there when the code is larger). May be a number that no operator has. */
int32_t lc_tflite_op(const lc_OperatorCode *code);
/* The operator's options: table and struct; LC_TABLE_NONE and NULL without. An unknown member gives LC_TABLE_COUNT. */
lc_table_id lc_tflite_options(const lc_Operator *op, void **value);
/* The tensor's buffer, NULL when it has no data (buffer 0 never has). */
const lc_Buffer *lc_tflite_data(const lc_Model *model, const lc_Tensor *tensor);
/* What a file holds besides what the structs say (extent.c). */
typedef struct lc_extent {
    uint64_t tail;       /* offset of the first byte behind everything the tables reach that is not zero; the file's size: none */
    lc_table_id unknown; /* a table with a field that the schema lacks, and the field's id; LC_TABLE_NONE: none has */
    uint16_t unknown_id;
} lc_extent;
lc_extent lc_tflite_extent(const lc_Model *model, const void *data, size_t size);

#endif
