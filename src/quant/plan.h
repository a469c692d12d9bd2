/*
 * plan.h: what integer.c is to write: which operators become integer ones, and the steps of every tensor.
 *
 * Tensors that must have the same steps are one set (union-find). An operator reads a tensor in the form it needs: the tensor as it is kept,
 * or another one that QUANTIZE or DEQUANTIZE makes of it.
 */
#ifndef LC_QUANT_PLAN_H
#define LC_QUANT_PLAN_H

#include "quant/quant.h"

typedef struct lc_quant_set {
    int32_t parent; /* tensor of the same graph that stands for the set; itself: this one */
    lc_range range;
    lc_steps fixed;   /* type FLOAT32: free */
    uint32_t members; /* of the set, where this stands for it */
    lc_dtype kept;    /* how this tensor is written by its operator: FLOAT32, INT8, INT16 */
    uint32_t uses;
    bool rounded; /* FAKE_QUANT or DEQUANTIZE makes it: integers, which are what their input becomes in its steps */
    int32_t from; /* that input */
} lc_quant_set;

typedef struct lc_quant_choice {
    const lc_op_quant_def *rule; /* NULL: stays as it is */
    lc_dtype type;               /* INT8 or INT16 */
    lc_steps zero;               /* of one whose scales are ZERO: those of all that it reads and writes */
    lc_steps rounds;             /* of an operator that only rounds; type FLOAT32: of none */
} lc_quant_choice;

typedef struct lc_quant_plan {
    const lc_graph *graph;
    lc_quant_set *of;        /* [tensor_count] */
    lc_quant_choice *choice; /* [node_count] */
} lc_quant_plan;

/* What a variable holds. */
typedef struct lc_quant_variable {
    lc_steps steps;  /* type FLOAT32: floats */
    const char *why; /* these; NULL: it holds integers */
    bool seen;       /* a sample went through it */
} lc_quant_variable;

/* Integers that graphs hand each other (port.c), directly or in variables (variable.c). */
typedef struct lc_quant_ports {
    lc_steps **of; /* [graph][tensor] that is kept in these steps because it crosses between graphs; type FLOAT32: none */
    lc_steps **in; /* [graph][input], **out [graph][output] of graphs that others call */
    lc_steps **out;
    const lc_quant_variable ***variable; /* [graph][handle that READ_VARIABLE or ASSIGN_VARIABLE takes]; [graph] NULL: none */
} lc_quant_ports;
lc_status lc_quant_ports_find(const lc_quant_job *job, lc_arena *arena, lc_quant_ports *ports);
lc_status lc_quant_variables_find(const lc_quant_job *job, lc_arena *arena, lc_quant_ports *ports);
/* The variable that a node of the graph reads or assigns; NULL: none, or no ranges are known. */
const lc_quant_variable *lc_quant_port_variable(const lc_quant_ports *ports, size_t graph, const lc_node *node);
/* Integer inputs of a graph whose values are indices have the scale 1. LC_ARGUMENT: their type has too few values. (index.c) */
lc_status lc_quant_fix_indices(const lc_quant_job *job, lc_quant_plan *plan, lc_arena *temporary);
/* What input i of an operator that calls graphs or assigns a variable shall be; type FLOAT32: a float. */
lc_steps lc_quant_port_input(const lc_quant_ports *ports, size_t graph, const lc_node *node, uint32_t i);

/* Decides for one graph; arrays lie in `temporary`. entry: it is run from outside, so its inputs have the types that were asked for. Notes
 * operators that stay float in the job's report. */
lc_status lc_quant_plan_graph(const lc_quant_job *job, const lc_quant_ports *ports, size_t graph, bool entry, lc_arena *temporary,
                              lc_quant_plan *plan);
/* The steps of a tensor in an integer type: those of its set when it has that type, else steps over the same range. Type FLOAT32: no range
 * is known. */
lc_steps lc_quant_plan_steps(const lc_quant_plan *plan, int32_t tensor, lc_dtype type);
/* Whether the operator computes with real numbers, so that one may ask for its integer form. */
bool lc_quant_is_real(const lc_graph *graph, const lc_node *node);

#endif
