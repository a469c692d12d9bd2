/*
 * graph_rules.h: what a rule that says an operator of TFLite in TensorFlow sees of it. To write one: a row in graph_rules.def, and, when it is not
 * `plain`, a function in graph_rules_*.c that sets e->out.
 */
#ifndef LC_GRAPH_RULES_H
#define LC_GRAPH_RULES_H

#include "emit/graph_build.h"
#include "ops/op.h"

struct lc_gd_emitter;

typedef struct lc_gd_rule {
    struct lc_gd_emitter *emitter;
    lc_gd_body *b;
    const lc_graph *graph;
    const lc_node *node;
    lc_gd_op_id op;      /* last column */
    const lc_gd_ref *in; /* an input that is absent: LC_GD_NONE */
    uint32_t in_count;
    lc_gd_ref *out; /* out[0] has to be set; the others are outputs of its node, unless they are set too. Their types follow. */
    uint32_t out_count;
} lc_gd_rule;

typedef void (*lc_gd_rule_fn)(lc_gd_rule *e);
#define LC_GD_RULE(ID, rule, Name, scalars) void lc_gd_rule_##rule(lc_gd_rule *e);
#include "emit/graph_rules.def"

/* Why this node cannot be said. */
void lc_gd_rule_fail(lc_gd_rule *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Declared tensor of input or output i; i is there. */
const lc_tensor *lc_gd_rule_in(const lc_gd_rule *e, uint32_t i);
const lc_tensor *lc_gd_rule_out(const lc_gd_rule *e, uint32_t i);
/* "SAME", "VALID". */
lc_str lc_gd_padding(int8_t padding);
/* x after the fused activation of the node, if it has one: rules leave it out. */
lc_gd_ref lc_gd_activation(lc_gd_rule *e, lc_gd_ref x);
/* Graph i of the model. */
const lc_graph *lc_gd_graph(const lc_gd_rule *e, int32_t i);
/* The name of the function that a graph of the model becomes. scalar: its outputs have no dimensions, whatever they had. */
lc_str lc_gd_graph_function(lc_gd_rule *e, int32_t graph, bool scalar);

#endif
