/*
 * fuse_lstm.h: an LSTM found in a loop, between the one who finds it (fuse_lstm.c) and the one who builds it anew (fuse_lstm_build.c).
 */
#ifndef LC_PASS_FUSE_LSTM_H
#define LC_PASS_FUSE_LSTM_H

#include "ops/lstm.h"
#include "pass/loop.h"

#include <string.h>

enum { LC_LSTM_VALUES = 64, LC_LSTM_TERMS = 16 };

/* What a value of the loop is. A SimpleRNN has no cells. */
typedef enum lc_lstm_role {
    LC_LSTM_PASSED,
    LC_LSTM_COUNTER,
    LC_LSTM_LIST_LAST, /* ys[0] = h' */
    LC_LSTM_LIST_EACH, /* ys[t] = h' */
    LC_LSTM_HIDDEN,
    LC_LSTM_CELLS,
} lc_lstm_role;

typedef struct lc_lstm_match {
    lc_rewrite *rw;
    lc_loop loop;
    const int32_t *body, *cond; /* producers */
    lc_lstm_role roles[LC_LSTM_VALUES];
    uint32_t h, c; /* values */
    int32_t x;     /* value; -1: not met yet */
    int32_t z;     /* tensor of the body: what is split */
    const lc_node *split;
    int32_t units, depth;
    bool rnn;                       /* a SimpleRNN: one gate, one state, no cells */
    int8_t fused;                   /* its activation, as the operator's option has it */
    int32_t gates[LC_LSTM_GATES];   /* output of the split */
    float shift[LC_LSTM_GATES];     /* added to it */
    int32_t activation;             /* the operator */
    const lc_node *wx, *wh, *wboth; /* FULLY_CONNECTED */
    bool x_first;                   /* in wboth */
    int32_t biases[LC_LSTM_TERMS];  /* tensors of the body */
    uint32_t bias_count;
    bool rows_first; /* x is [time, batch, depth] of `input`; else [batch, time, depth], which the loop saw transposed */
    int32_t input;
    int32_t each; /* the loop's result with all rows; -1: nobody reads it */
} lc_lstm_match;

static inline const lc_node *lc_lstm_outer_node(const lc_lstm_match *m, int32_t tensor, lc_op_id op) {
    const lc_node *n = lc_loop_producer(m->rw->graph, m->rw->producer, tensor);
    return lc_node_is(n, op) ? n : NULL;
}

static inline bool lc_lstm_ints(const lc_tensor *t, int32_t *values, uint32_t n) {
    if (!t->data || t->type != LC_INT32 || t->size != n * sizeof *values) return false;
    memcpy(values, t->data, t->size);
    return true;
}

static inline const lc_tensor *lc_lstm_body_tensor(const lc_lstm_match *m, int32_t t) { return &m->loop.body->tensors[t]; }
static inline const lc_tensor *lc_lstm_outer(const lc_lstm_match *m, int32_t t) { return lc_rewrite_tensor(m->rw, t); }

/* Replaces the loop, node `at` of the graph, by the operator. *done: it is an operator now, and what the rewrite knows of nodes is out of date; otherwise it
 * begins with something that the operator cannot begin with. */
lc_status lc_lstm_build(lc_lstm_match *m, size_t at, bool *done);

#endif
