/*
 * lstm.h: where the operands of an LSTM cell lie among a node's inputs. LSTM (kernel type FULL) and UNIDIRECTIONAL_SEQUENCE_LSTM have
 * one cell, BIDIRECTIONAL_SEQUENCE_LSTM two; the rules and the kernels see only cells.
 */
#ifndef LC_OPS_LSTM_H
#define LC_OPS_LSTM_H

#include "ops/op.h"

#include <math.h>

enum { LC_LSTM_INPUT, LC_LSTM_FORGET, LC_LSTM_CELL, LC_LSTM_OUTPUT, LC_LSTM_GATES };

/* Slots, by gate where there is one for each; LC_ABSENT: this operator has no such operand (a slot may still be empty in a node). */
typedef struct lc_lstm_slots {
    int32_t input, aux;
    int32_t weights[LC_LSTM_GATES], recurrent[LC_LSTM_GATES], aux_weights[LC_LSTM_GATES];
    int32_t peephole[LC_LSTM_GATES], bias[LC_LSTM_GATES], norm[LC_LSTM_GATES];
    int32_t projection, projection_bias;
    int32_t hidden, cell; /* the state: what the last step put out, and the cells */
} lc_lstm_slots;

/* Of LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM with `in_count` inputs. */
lc_lstm_slots lc_lstm_slots_of(uint32_t in_count);
/* Of one direction of BIDIRECTIONAL_SEQUENCE_LSTM. The auxiliary input goes with weights of its own into both cells; without weights it is
 * the backward cell's input in place of the first. */
lc_lstm_slots lc_lstm_slots_bidirectional(bool backward, bool aux, bool aux_weights);

/* Bidirectional: the auxiliary input, and the forward forget gate's weights for it, which stand for all of them. */
enum { LC_LSTM_AUX = 39, LC_LSTM_AUX_WEIGHTS = 41 };

/* Layer normalisation of the n sums of a gate, in place: mean 0 and variance 1, times norm, plus bias. For the kernel, and for whoever
 * wants to know what it will see (quant/cell.c). */
static inline void lc_lstm_normalise(float *gate, int32_t n, const float *norm, const float *bias) {
    double sum = 0, squares = 0;
    for (int32_t k = 0; k < n; k++) sum += (double)gate[k];
    const double mean = sum / n;
    for (int32_t k = 0; k < n; k++) squares += ((double)gate[k] - mean) * ((double)gate[k] - mean);
    const double factor = 1 / sqrt(squares / n + 1e-8);
    for (int32_t k = 0; k < n; k++) gate[k] = (float)(((double)gate[k] - mean) * factor) * norm[k] + bias[k];
}

#endif
