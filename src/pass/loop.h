/*
 * loop.h: a WHILE and the two graphs it calls, for passes that look into them.
 */
#ifndef LC_PASS_LOOP_H
#define LC_PASS_LOOP_H

#include "pass/rewrite.h"

typedef struct lc_loop {
    lc_node *node;
    lc_graph *cond, *body;
    uint32_t n; /* values: inputs and outputs of the node and the body, inputs of the condition */
} lc_loop;

/* False when the node is no WHILE, its graphs do not fit it, or anybody else uses them. */
bool lc_loop_of(const lc_rewrite *rw, lc_node *node, lc_loop *loop);
/* Number of the value that this tensor is at a round's beginning; -1: none. */
int32_t lc_loop_value(const lc_graph *graph, int32_t tensor);
/* The node that writes a tensor, by lc_graph_producers' array; NULL: none. */
const lc_node *lc_loop_producer(const lc_graph *graph, const int32_t *producer, int32_t tensor);
/* An array for lc_graph_producers, filled; NULL when memory is out. */
int32_t *lc_loop_producers(lc_rewrite *rw, const lc_graph *graph);
/* Both constants hold the same bytes in the same shape. */
bool lc_loop_same_constant(const lc_tensor *a, const lc_tensor *b);
/* Two options of operators of one kind are the same. */
bool lc_loop_same_options(const lc_node *a, const lc_node *b);

#endif
