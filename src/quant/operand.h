/*
 * operand.h: which inputs of an operator are its weights, and in which form runtimes take them other than as floats.
 */
#ifndef LC_QUANT_OPERAND_H
#define LC_QUANT_OPERAND_H

#include "ops/op.h"

enum { LC_OPERAND_NO_AXIS = -1, LC_OPERAND_MOST_SLOTS = 64 };

typedef enum lc_operand_way {
    LC_OPERAND_FRONT,  /* only as floats, which DEQUANTIZE makes of them */
    LC_OPERAND_KERNEL, /* a hybrid kernel multiplies integers with activations that it makes integers */
    LC_OPERAND_BEHIND, /* the operator passes integers on, and DEQUANTIZE comes behind it */
} lc_operand_way;

typedef struct lc_operand {
    int16_t op;
    int8_t input;
    int8_t axis;   /* the dimension of the outputs, which may have a scale a slice */
    int8_t inputs; /* the dimension over which products are summed; NO_AXIS: there is none */
    uint8_t way;   /* lc_operand_way */
    bool int4;     /* the kernel takes int4 */
    bool even;     /* of int4: rows of an even length only, for its kernel begins each at a byte */
    bool blocks;   /* of int4: also with a scale a block */
} lc_operand;

/* The row of input k of the node, or (k < 0) of any; NULL: no weights. Not for recurrent cells. */
const lc_operand *lc_operand_of(const lc_node *node, int32_t k);
/* The inputs of a recurrent operator that are matrices of weights, which its hybrid kernel wants as integers all at once. *cell: it is one;
 * it has 0 when no kernel takes integers. */
uint32_t lc_operand_cell(const lc_node *node, int32_t slots[LC_OPERAND_MOST_SLOTS], bool *cell);

#endif
