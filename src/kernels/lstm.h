/*
 * lstm.h: what the LSTM kernels share: one cell (a direction of BIDIRECTIONAL_SEQUENCE_LSTM, or all there is of LSTM and
 * UNIDIRECTIONAL_SEQUENCE_LSTM) with its sizes and options, whatever operator it came from.
 *
 * The rows of a batch do not see each other: kernels take one row through all its steps, then the next.
 */
#ifndef LC_KERNELS_LSTM_H
#define LC_KERNELS_LSTM_H

#include "kernels/recurrent.h"
#include "ops/lstm.h"

typedef struct lc_lstm_cell {
    lc_lstm_slots slot;
    int32_t batch, time, depth, aux_depth, cells, units;
    bool coupled; /* no input gate: it is 1 - forget gate */
    bool peephole, norm, projected, backward, time_major, asymmetric;
    int8_t activation;
    float cell_clip, proj_clip;   /* 0: none */
    int32_t out, out_at, out_row; /* which output, first column, columns */
} lc_lstm_cell;

/* Sizes and options of the forward or backward cell of a node. infer has checked all of it. */
void lc_lstm_cell_of(const lc_kernel_ctx *ctx, bool backward, lc_lstm_cell *c);

/* An operand; NULL when it is absent. */
static inline lc_value *lc_lstm_value(const lc_kernel_ctx *ctx, int32_t slot) {
    return slot >= 0 && (uint32_t)slot < ctx->in_count ? ctx->in[slot] : NULL;
}
static inline const void *lc_lstm_data(const lc_kernel_ctx *ctx, int32_t slot) {
    const lc_value *v = lc_lstm_value(ctx, slot);
    return v ? v->data : NULL;
}
/* Where step t of row b lies in the sequence, in rows. */
static inline int64_t lc_lstm_row(const lc_lstm_cell *c, int64_t b, int64_t t) {
    if (c->backward) t = c->time - 1 - t;
    return c->time_major ? t * c->batch + b : b * c->time + t;
}
/* The first gate there is. */
static inline int32_t lc_lstm_first(const lc_lstm_cell *c) { return c->coupled ? LC_LSTM_FORGET : LC_LSTM_INPUT; }

/* The kernels by types: float32, float32 with int8 weights, int8 (by the number of intermediate tensors), and kernel type BASIC. */
extern const lc_kernel lc_lstm_float, lc_lstm_hybrid, lc_lstm_int16, lc_lstm_int8, lc_lstm_basic_float, lc_lstm_basic_uint8;

#endif
