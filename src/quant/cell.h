/*
 * cell.h: LSTM cells as calibration sees them. What an integer LSTM keeps inside (cell state, sums of the gates, hidden state before a
 * projection) no tensor of the float model shows, so a plain LSTM is run beside it on the inputs that are seen.
 */
#ifndef LC_QUANT_CELL_H
#define LC_QUANT_CELL_H

#include "quant/quant.h"
#include "ops/lstm.h"

/* One LSTM operator with constant weights; or SVDF, of which there are `features` [cells, depth] and nothing else. */
typedef struct lc_cell {
    size_t graph, node;
    int32_t input;     /* tensor */
    int32_t states[2]; /* tensors, as lc_quant_lstm_states; LC_ABSENT: none */
    bool time_major, coupled;
    int32_t depth, cells, units;
    float cell_clip, proj_clip;
    const float *weights[LC_LSTM_GATES], *recurrent[LC_LSTM_GATES], *bias[LC_LSTM_GATES]; /* NULL: absent */
    const float *peephole[LC_LSTM_GATES], *norm[LC_LSTM_GATES], *projection, *projection_bias;
    const float *features; /* NULL: an LSTM */
} lc_cell;

/* One run's worth of an operator: its input, and the state that goes on to the next call in the same run. */
typedef struct lc_cell_run {
    float *x, *hidden, *cell, *gates;
    float *begin[2]; /* what was written into the states in front of it */
    size_t x_room, begin_room[2], begin_count[2];
    int64_t batch, time; /* of x */
    int64_t state_batch; /* that the state is for */
    bool failed;         /* memory was out */
} lc_cell_run;

/* All LSTM and SVDF operators that could be integer ones. Weights that are not made yet are, in `arena`. */
lc_status lc_cells_find(const lc_model *model, lc_arena *arena, lc_cell **cells, size_t *count, lc_error *err);
/* Keeps a copy of the operator's input. */
void lc_cell_take_input(const lc_cell *c, lc_cell_run *run, const lc_tensor_view *x);
/* Keeps a copy of the hidden (0) or cell (1) state that the operator begins with. */
void lc_cell_take_state(lc_cell_run *run, int which, const lc_tensor_view *state);
/* Runs over the input that was taken and widens the ranges. */
void lc_cell_observe(const lc_cell *c, lc_cell_run *run, lc_range_state *ranges);
/* The state becomes zero, as before each sample. */
void lc_cell_reset(const lc_cell *c, lc_cell_run *run);
void lc_cell_deinit(lc_cell_run *run);

#endif
