/*
 * rnn.h: where the operands of a simple recurrent cell lie among a node's inputs, and what state is. RNN and UNIDIRECTIONAL_SEQUENCE_RNN
 * have one cell, BIDIRECTIONAL_SEQUENCE_RNN two.
 */
#ifndef LC_OPS_RNN_H
#define LC_OPS_RNN_H

#include "ops/op.h"

typedef struct lc_rnn_slots {
    int32_t input, aux, weights, aux_weights, recurrent, bias, hidden; /* LC_ABSENT: none */
} lc_rnn_slots;

/* BIDIRECTIONAL_SEQUENCE_RNN: the auxiliary input, and the forward weights for it. */
enum { LC_RNN_AUX = 9, LC_RNN_AUX_WEIGHTS = 10 };

/* Of the forward or backward cell of a node that has, or has not, the two above. */
lc_rnn_slots lc_rnn_slots_of(const lc_node *node, bool backward, bool aux, bool aux_weights);

#endif
