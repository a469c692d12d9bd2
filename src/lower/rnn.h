/*
 * rnn.h: what the recurrent layers share.
 *
 *   lower_rnn.c         LSTM, GRU, SimpleRNN, ConvLSTM, RNN: rows of keras.def; reads the layer, gives outputs, states and mask
 *   rnn_run.c           a stack of cells over a sequence: a loop, unrolled, or one operator
 *   rnn_state.c         the state of a stateful layer, which lasts from run to run
 *   cell.c, cell_conv.c one step of each kind of cell
 *   cell_weights.c      weights of Keras 1 and of CuDNN layers, as the cells of today have them
 */
#ifndef LC_LOWER_RNN_H
#define LC_LOWER_RNN_H

#include "lower/eager.h"
#include "lower/tf_loop.h"

enum {
    LC_CELL_STATES = 2,
    LC_CELL_GATES = 4,                     /* at most */
    LC_RNN_STATES = LC_TF_LOOP_VALUES - 4, /* of all cells of a stack */
    LC_RNN_UNROLL = 2000,                  /* steps that are unrolled at most */
};

typedef struct lc_cell lc_cell;

/* Functions get a call whose config and weights are the cell's and whose builder may be that of a loop's body. */
typedef struct lc_cell_kind {
    const char *class_name; /* of the cell */
    const char *snake;      /* as .keras files name its weights; NULL: no layer of its own */
    uint32_t states;
    /* Reads options and checks weights for steps like x [batch, features ...]; sets state_dims. */
    void (*read)(lc_call *c, lc_cell *cell, const lc_shape *x);
    int32_t gates;
    /* What a step's input adds to the gates, for inputs with any number of dimensions in front of the features (a convolution: one). Of all
     * gates, or to gate 0, 1 ... alone. */
    int32_t (*project)(lc_call *c, const lc_cell *cell, int32_t x, int32_t gate);
    /* One step: projected input and states to the next states, of which the first is the output. */
    void (*step)(lc_call *c, const lc_cell *cell, int32_t x, int32_t *states);
} lc_cell_kind;

struct lc_cell {
    const lc_cell_kind *kind;
    lc_keras_layer layer; /* name, config, weights */
    lc_call call;         /* into the graph of the layer */
    int32_t slots[LC_LOWER_SLOTS];
    int32_t units, depth;
    bool use_bias, reset_after;
    int32_t bias_rows; /* GRU with reset_after: 2 */
    /* The shape of a state without the batch. */
    int32_t state_rank, state_dims[LC_MAX_RANK];
    /* convolution, of `rank` spatial dimensions */
    int32_t rank, kernel[3], stride[3], dilation[3];
    bool same, channels_first;
    /* In training: parts that are dropped of what a step's input and its first state are multiplied with, the same ones in all steps; 0: none.
     * masks: how many there are of each, 1 or one a gate, with streams that follow each other. */
    float dropout, recurrent_dropout;
    uint32_t dropout_stream, recurrent_stream;
    int32_t masks;
};

/* NULL and nothing failed when there is no such cell. (cell.c) */
const lc_cell_kind *lc_cell_find(const char *class_name);
/* For the layer of rank 1, 2 or 3. (cell_conv.c) */
extern const lc_cell_kind lc_cell_conv_lstm;
/* TFLite has an operator for it, which the pass fuse_lstm makes of a loop. */
bool lc_cell_fuses(const lc_cell *cell);
/* option or, when the file does not have it, its default; null is linear. */
int32_t lc_cell_activation(lc_call *c, const char *key, const char *otherwise, int32_t x);
/* Option `key`, or as Keras 1 called it. */
const char *lc_cell_key(lc_call *c, const char *key, const char *before);
/* Columns [from, to) of weight i, a matrix [rows, cols], transposed: [to - from, rows]; a part of a vector likewise. Kept in `slot`. */
int32_t lc_cell_columns(lc_call *c, uint32_t slot, uint32_t i, const char *name, int32_t rows, int32_t cols, int32_t from, int32_t to);
int32_t lc_cell_part(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank, int32_t from, int32_t to);
#define LC_ALL_GATES (-1)
/* The first state as gate g multiplies it: a part of it dropped, where the cell drops in training. */
int32_t lc_cell_dropped(lc_call *c, const lc_cell *cell, int32_t h, int32_t gate);
/* What each gate gives, beside each other in the last dimension. */
int32_t lc_cell_join(lc_call *c, const int32_t *gates, int32_t n);
/* SPLIT of the last dimension in n equal parts. */
bool lc_cell_split(lc_call *c, int32_t x, int32_t n, int32_t *parts);
/* Weights as another age stored them become those of the cell. (cell_weights.c) */
void lc_cell_modernise(lc_call *c, lc_keras_layer *layer, const lc_cell_kind *kind, int32_t units, int32_t depth, bool cudnn);

/* A recurrent layer being lowered. */
typedef struct lc_rnn {
    lc_cell *cells;
    uint32_t cell_count, state_count;
    bool sequences, give_state, backwards, stateful, unroll, time_major, zero_masked;
    int32_t mask;                  /* [batch, time], -1: none */
    int32_t given[LC_RNN_STATES];  /* states given to the call */
    uint32_t given_count;          /* 0 or state_count */
    int32_t states[LC_RNN_STATES]; /* the last ones */
} lc_rnn;

/* x [batch, time, ...] (float32) to the output. (rnn_run.c) */
int32_t lc_rnn_run(lc_call *c, lc_rnn *r, int32_t x);
/* One operator with variables of its own, for a stateful layer whose one cell lc_cell_fuses. x: backwards already turned; a fixed batch.
 * (rnn_state.c) */
int32_t lc_rnn_stateful(lc_call *c, const lc_rnn *r, int32_t x);
/* Reads state k of a stateful layer, as it was at the end of the last run; its next value is written by lc_rnn_write. */
int32_t lc_rnn_read(lc_call *c, uint32_t k, const int32_t *dims, int32_t rank);
void lc_rnn_write(lc_call *c, uint32_t k, int32_t value);
/* The graph that runs once and gives all these variables their zeros. (rnn_state.c) */
lc_status lc_rnn_finish(lc_lower *lower, lc_error *err);

/* ---- parts of layers (part.c) ---------------------------------------------------------------------------------------- */

/* The layer inside a layer that `json` describes, with those of c's weights that are its own: in .keras files those below `prefix`, in .h5
 * files `count` from number `first` on. False after a failure. */
bool lc_part(lc_call *c, const lc_json *json, const char *prefix, uint32_t first, uint32_t count, lc_keras_layer *part);
/* The layer as serialised, with these n members of its configuration, whatever stands there. NULL after a failure. */
const lc_json *lc_part_with(lc_call *c, const lc_json *layer, const lc_json *members, uint32_t n);
/* Whether weights are named by their place (.keras). */
bool lc_part_by_name(const lc_keras_layer *layer);
/* Lowers a call of a part: inputs with their masks to its first output; the others go to *more as lc_call has them. mask: of output 0. */
int32_t lc_part_call(lc_call *c, const lc_keras_layer *part, const int32_t *in, const int32_t *in_masks, uint32_t n, lc_call *done);

#endif
