/*
 * compare.h: what the files of lc_compare share.
 *
 *   compare.c          the runs, and the result
 *   compare_values.c   what a model computes, as a list of values: one for a tensor and all forms of it that QUANTIZE and DEQUANTIZE make
 *   compare_pair.c     which value of B is which of A
 *   compare_match.c    which input and output of B is which of A
 *   compare_sums.c     numbers of any type as real ones; the sums over two arrays of them
 *   compare_feed.c     made-up data into both models
 *   compare_local.c    one operator of B as a model of its own, on A's inputs
 *   compare_result.c   what came of it, weights included
 *   compare_text.c, compare_data.c (JSON, CSV), compare_html.c: the reports
 */
#ifndef LC_API_COMPARE_H
#define LC_API_COMPARE_H

#include "api/api.h"
#include "ops/op.h"
#include "runtime/session.h"

/* ---- sums --------------------------------------------------------------------------------------------------------- */

/* Steps of a tensor: real = (q - zero[c]) scale[c], c the element's channel (or block). n 0: none, 1: one for all. */
typedef struct lc_cmp_steps {
    const float *scale;
    const int64_t *zero; /* NULL: 0 */
    uint32_t n, zero_n;
    uint64_t inner, channels; /* c is element / inner % channels */
} lc_cmp_steps;

/* The steps of a tensor; none when it has none. Scales that are not stored as float32 (blocks) are made in `arena`. */
lc_status lc_cmp_steps_of(const lc_graph *graph, const lc_tensor *t, lc_arena *arena, lc_cmp_steps *steps, lc_error *err);
/* Elements as numbers: a complex one is two, and *type becomes that of its parts. 0 for types that are none. */
uint64_t lc_cmp_numbers(lc_dtype *type, uint64_t elements);
/* Elements [first, first + n) of dense data as real numbers. */
void lc_cmp_reals(lc_dtype type, const void *data, const lc_cmp_steps *steps, uint64_t first, size_t n, double *out);
/* Whether the type counts steps when it has a scale: integers of 2 to 16 bits; the first and the last of them. */
bool lc_cmp_step_range(lc_dtype type, int64_t *first, int64_t *last);

typedef struct lc_cmp_sums {
    uint64_t count, bad_a, bad_b, bad_apart;
    double error, abs_error, square, max, aa, bb, ab;
    double low_a, high_a, low_b, high_b; /* of count > 0 */
} lc_cmp_sums;

void lc_cmp_sums_add(lc_cmp_sums *s, const double *a, const double *b, size_t n);
void lc_cmp_sums_join(lc_cmp_sums *s, const lc_cmp_sums *other);
lc_difference lc_cmp_difference(const lc_cmp_sums *s);

/* ---- values ------------------------------------------------------------------------------------------------------ */

typedef struct lc_cmp_value {
    int32_t graph, tensor; /* that stands for it: the first integer one with steps, else the first */
    int32_t first;         /* tensor that was there first */
    int32_t node;          /* of the graph, that made it; -1: an input, or a constant */
    uint32_t output;       /* which of the node's */
    int32_t reader;        /* the first node of the graph that reads it, in whatever form; -1: none */
    bool constant;
    int32_t pair; /* value of the other model, -1: none */
} lc_cmp_value;

/* One side of the comparison. Values come in the order in which the operators run, a called graph's where the call stands. */
typedef struct lc_cmp_side {
    lc_arena arena;
    const lc_model *model;
    int32_t **value_of; /* [graph][tensor]; -1: none. NULL for a graph that is not reached */
    lc_cmp_value *values;
    size_t count, capacity;
} lc_cmp_side;

/* Lists what `graph` and all it calls compute. */
lc_status lc_cmp_side_init(lc_cmp_side *side, const lc_model *model, int32_t graph, lc_error *err);
void lc_cmp_side_deinit(lc_cmp_side *side);
static inline const lc_tensor *lc_cmp_tensor(const lc_cmp_side *s, const lc_cmp_value *v) {
    return &s->model->graphs[v->graph]->tensors[v->tensor];
}
/* The node that made it; NULL: none. */
static inline const lc_node *lc_cmp_node(const lc_cmp_side *s, const lc_cmp_value *v) {
    return v->node < 0 ? NULL : &s->model->graphs[v->graph]->nodes[v->node];
}
/* Value of an input of a node; -1: absent. */
static inline int32_t lc_cmp_input(const lc_cmp_side *s, const lc_cmp_value *v, const lc_node *node, uint32_t i) {
    return node->inputs[i] < 0 ? -1 : s->value_of[v->graph][node->inputs[i]];
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

/* Pairs values of a and b; inputs and outputs: tensors of the two main graphs that belong together. */
typedef struct lc_cmp_ends {
    int32_t graph_a, graph_b;
    const int32_t *inputs_a, *inputs_b; /* [input_count] */
    size_t input_count;
    const int32_t *outputs_a, *outputs_b; /* [output_count] */
    size_t output_count;
} lc_cmp_ends;
lc_status lc_cmp_pair(lc_cmp_side *a, lc_cmp_side *b, const lc_cmp_ends *ends, lc_error *err);

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* Where made-up numbers lie. */
typedef struct lc_cmp_span {
    double low, high;
} lc_cmp_span;
/* Numbers for input i of A and input of_b[i] of B, the same real ones in spans[i], on each side as its type has them; types without steps that
 * are not real get 0 and 1. The sequence is *state's. LC_INVALID: nothing can be made up for a type. */
lc_status lc_cmp_made_up(lc_session *a, lc_session *b, const int32_t *of_b, const lc_cmp_span *spans, uint64_t *state, lc_error *err);

/* Writes real numbers into a tensor's type and steps, rounded to nearest even, ends saturate. False: no numbers go there. */
bool lc_cmp_write(const lc_tensor_view *to, uint64_t first, size_t n, const double *values);

/* ---- one operator ------------------------------------------------------------------------------------------------- */

/* An operator of B as a model of its own. */
typedef struct lc_cmp_local {
    lc_model *model; /* NULL: it cannot stand alone */
    lc_session *session;
} lc_cmp_local;
void lc_cmp_local_deinit(lc_cmp_local *local);

/* ---- a comparison under way ---------------------------------------------------------------------------------------- */

#define LC_CMP_BLOCK 512 /* numbers that are looked at together */

/* What A computed in this batch. */
typedef struct lc_cmp_kept {
    uint8_t *data;
    size_t size, capacity;
    uint64_t elements; /* numbers in it */
    uint32_t times;
    lc_dtype type;
} lc_cmp_kept;

/* What is known of one value of B. */
typedef struct lc_cmp_seen {
    lc_cmp_steps steps_a, steps_b;
    lc_cmp_sums total, run, local;
    uint64_t *bins_a, *bins_b; /* [LC_COMPARE_BINS] */
    double bin_first, bin_width;
    bool binned;
    uint64_t at_low, at_high, cut_low, cut_high;
    uint32_t runs, local_runs;
    double run_elements, run_stddev, run_mean, run_max, run_square; /* sums over runs */
    uint64_t met;                                                   /* numbers of A's that met theirs in this batch */
    lc_shape shape;
    lc_cmp_local alone;
} lc_cmp_seen;

typedef struct lc_comparing {
    const lc_compare_options *o;
    lc_session *sa, *sb;
    lc_cmp_side a, b;
    lc_cmp_kept *kept; /* [a.count] */
    lc_cmp_seen *seen; /* [b.count] */
    uint64_t kept_bytes, most_bytes;
    int32_t *input_of_b, *output_of_b; /* B's for each of A's */
    lc_cmp_span *spans;                /* of inputs */
    lc_cmp_sums *outputs;
    uint64_t *rows, *same;
    uint64_t samples;
    lc_arena arena;
    lc_status status; /* first failure inside a run */
    lc_error *err;
} lc_comparing;

/* Elements of a tensor that is there; 0 for one without data. */
uint64_t lc_cmp_elements(const lc_tensor_view *v);

typedef lc_tensor_view (*lc_cmp_end_fn)(const lc_session *s, size_t i);
/* For each input (output) of A one of B: that of its name, else by order and shape. LC_INVALID: they do not fit. */
lc_status lc_cmp_match(lc_comparing *c, lc_cmp_end_fn end, int32_t (*find)(const lc_session *, const char *), size_t count_a,
                       size_t count_b, const char *what, int32_t *of_b);
/* Where made-up numbers for input i lie: on the steps of either model, B first. */
lc_cmp_span lc_cmp_span_of(const lc_comparing *c, size_t i);
int32_t lc_cmp_graph_index(const lc_model *m, const lc_graph *g);

/* Makes a model of each operator of B that can stand alone; runs them on A's inputs of this batch. */
lc_status lc_cmp_locals_make(lc_comparing *c);
lc_status lc_cmp_locals_run(lc_comparing *c);

/* What came of it. Copies all it needs. */
lc_status lc_cmp_result(const lc_comparing *c, bool random, lc_comparison **result, lc_error *err);

/* ---- reports ------------------------------------------------------------------------------------------------------ */

lc_status lc_compare_text(const lc_comparison *c, uint32_t most, lc_text *out, lc_error *err);
void lc_compare_json(const lc_comparison *c, lc_text *out);
void lc_compare_csv(const lc_comparison *c, lc_text *out);
lc_status lc_compare_html(const lc_comparison *c, lc_text *out, lc_error *err);

/* The tensors that ran, worst first (by their SNR, then in their order): indices into c->tensors, *count of them; constants instead
 * when asked. NULL when memory is out. Freed with lc_free. */
uint32_t *lc_compare_order(const lc_comparison *c, bool constants, size_t *count);
/* What to do about it, a few sentences: the layers that add most. */
void lc_compare_advice(const lc_comparison *c, lc_text *out);
/* The first line: how far the outputs are apart. */
void lc_compare_verdict(const lc_comparison *c, lc_text *out);
/* "31.4 dB", "exact", "-". */
void lc_compare_add_snr(const lc_difference *d, lc_text *out);

#endif
