/*
 * quant.h: a float graph becomes a smaller one. A map of this folder:
 *
 *   calibrate.c   runs the model over samples and keeps the range of every tensor          -> lc_ranges
 *   observe.c     what is kept of the values: extremes, moving averages, histograms
 *   mask.c        ranges of attention scores without the -1e9 of their masks
 *   plan.c        which operator gets which scheme, and which tensors share steps             -> lc_quant_plan
 *   integer.c     writes the planned graph: integer operators, QUANTIZE and DEQUANTIZE where they meet floats
 *   weights.c     schemes that change weights alone: dynamic, float16, int4
 *   constant.c    constants as integers; widen.c: back to floats
 *   equalize.c    channels scaled alike before; bias.c: what rounded weights do to the mean, off the bias
 *   qat.c         steps that are in the graph already: quantisation-aware training, models that are integer in part
 *   lstm.c        LSTM as an integer operator; svdf.c: SVDF; cell.c: the ranges inside of them
 *   parts.c       operators without an integer form as several that have one; rnn.c: simple recurrent layers as loops
 *   variable.c    variables that hold integers; port.c: what graphs hand each other; index.c: inputs that are indices
 *   recipe.c      which scheme a layer gets, by its name
 *   release.c     which release has an operator in another form
 *   report.c      what was done, what stayed float and why
 *   verify.c      the proof that a model has integers only
 *
 * The order of these is in api/quantize.c.
 *
 * Spec: tensorflow.org/lite "8-bit quantization specification"; which operators, which scales: ops/quant.def.
 */
#ifndef LC_QUANT_QUANT_H
#define LC_QUANT_QUANT_H

#include "litec/litec.h"
#include "ops/op.h"

/* real = (q - zero) scale; type INT8 or INT16, FLOAT32: none. */
typedef struct lc_steps {
    lc_dtype type;
    float scale;
    int32_t zero;
} lc_steps;

static inline bool lc_steps_equal(lc_steps a, lc_steps b) { return a.type == b.type && a.scale == b.scale && a.zero == b.zero; }
/* Steps over [low, high], which zero is always made part of: int8 with any zero point, int16 and what is symmetric with 0. (constant.c) */
lc_steps lc_steps_over(lc_dtype type, float low, float high);

/* ---- ranges ---------------------------------------------------------------------------------------------------- */

typedef struct lc_range {
    float low, high;
    bool seen; /* a value was there; false: nothing is known */
} lc_range;

/* What an integer LSTM keeps inside and no tensor shows: the cell state, what a projection reads, what each gate sums up (of which a layer
 * norm makes its own). Of SVDF: `cell` is what goes into its state. */
typedef struct lc_range_state {
    lc_range cell, hidden, sums[4];
} lc_range_state;

/* The range of every float32 tensor: of[graph][tensor]; of a constant only where it holds masks that count less than they are (mask.c).
 * states[graph][node]: inside of an LSTM that can be an integer one; its cell is not `seen` when no sample reached it. */
typedef struct lc_ranges {
    lc_arena arena;
    const lc_model *model;
    lc_range **of;
    lc_range_state **states;
    struct lc_means **means; /* [graph][tensor] of what meets weights, if correct_bias was asked for */
} lc_ranges;

/* The mean of each channel (last dimension) of a tensor. */
typedef struct lc_means {
    uint32_t channels; /* 0: not known */
    double *of;
} lc_means;

lc_status lc_ranges_init(const lc_model *model, lc_ranges *ranges, lc_error *err);
void lc_ranges_deinit(lc_ranges *ranges);

/* Where samples come from: writes the next batch into the session's inputs; *samples 0: there are no more. rewind: begins again. */
typedef struct lc_feed {
    lc_status (*next)(void *user, lc_session *session, uint32_t *samples, lc_error *err);
    lc_status (*rewind)(void *user, lc_error *err);
    void *user;
    const char *signature; /* that the samples are for; NULL: the model's first graph */
    uint64_t count;        /* how many samples there are, for progress; 0 and UINT64_MAX: not known */
} lc_feed;

/* Runs `model` over all samples of the feeds and widens `ranges`. Of the options the method, its parameters, threads and progress count. The
 * result does not depend on the number of threads. *samples: how many there were. LC_INVALID: no samples, NaN or infinity in a tensor
 * (named, with the sample). */
lc_status lc_calibrate(lc_model *model, const lc_feed *feeds, size_t feed_count, const lc_quantize_options *options, lc_ranges *ranges,
                       uint64_t *samples, lc_error *err);

/* ---- steps that are in the graph (qat.c) ----------------------------------------------------------------------------- */

/* Whether the operator only rounds to steps, *s: FAKE_QUANT of 8 bits; QUANTIZE and DEQUANTIZE between float32 and int8 or int16 with one
 * scale. What computes its input shall write these steps, and its output has them. */
bool lc_quant_rounds(const lc_graph *graph, const lc_node *node, lc_steps *s);
/* What these steps reach from and to; int16 symmetric. */
lc_range lc_quant_range_of(lc_steps s);
/* Whether any operator of the model is of that kind. */
bool lc_quant_has_steps(const lc_model *model);
/* A model of quantisation-aware training becomes an int8 model with float32 inputs and outputs; one without FAKE_QUANT stays. Annotations of
 * weights that stay float32 go. *changed: anything was done; there may be something to optimise again. */
lc_status lc_quant_aware(lc_model *model, bool *changed, lc_error *err);

/* ---- constants (constant.c) ------------------------------------------------------------------------------------- */

/* All make a new tensor of `graph` whose bytes lie in its model's arena; the float one stays. Deferred constants are made in `temporary`. */

/* The tensor gets this type and these steps; its bytes, if it has some, are the caller's. */
lc_status lc_quant_annotate(lc_graph *graph, int32_t tensor, lc_steps steps, lc_error *err);
/* The floats of a constant float32 tensor, borrowed from it or made in `temporary`. NULL when memory is out. */
const float *lc_quant_floats(const lc_tensor *t, lc_arena *temporary);
/* Symmetric weights in [-limit, limit], one scale for each slice of `axis` (-1: one for all): on the steps the tensor is annotated with where
 * it has some, else from the largest value, and at least `least[i]` (NULL: no such bound). type INT8 (limit 127) or INT4 (limit 7). */
lc_status lc_quant_weights(lc_graph *graph, int32_t tensor, lc_dtype type, int32_t axis, const float *least, lc_arena *temporary,
                           int32_t *made, lc_error *err);
/* A bias on the product of the input's and the weights' steps: int32, or int64 beside int16 inputs. */
lc_status lc_quant_bias(lc_graph *graph, int32_t tensor, lc_steps input, int32_t weights, lc_arena *temporary, int32_t *made,
                        lc_error *err);
/* An operand in these steps. */
lc_status lc_quant_operand(lc_graph *graph, int32_t tensor, lc_steps steps, lc_arena *temporary, int32_t *made, lc_error *err);
/* The steps of a constant operand: those the tensor is annotated with, else over its elements. */
lc_steps lc_quant_constant_steps(const lc_tensor *t, lc_dtype type, lc_arena *temporary);
/* The least and the greatest element of a constant; an annotation of the tensor with one scale: its whole range. */
lc_range lc_quant_constant_range(const lc_tensor *t, lc_arena *temporary);

/* ---- better weights ------------------------------------------------------------------------------------------------ */

/* Scales channels between neighbouring layers alike; the model, a fork, computes the same. *pairs: of how many pairs. (equalize.c) */
lc_status lc_quant_equalize(lc_model *model, uint32_t *pairs, lc_error *err);
/* CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, whose bias stands for the mean of their weights' errors. (bias.c) */
bool lc_quant_has_bias(const lc_node *node);
/* What rounding the weights of such a layer does to the mean of its output goes off its bias: *made is a float
 * constant in the place of `bias` (LC_ABSENT: it had none). means: of the channels of its input, `channels` of them. (bias.c) */
lc_status lc_quant_correct_bias(lc_graph *graph, int32_t op, int32_t weights, int32_t integer_weights, const double *means,
                                uint32_t channels, int32_t bias, lc_arena *temporary, int32_t *made, lc_error *err);

/* ---- cells (cell.c, lstm.c, svdf.c) ------------------------------------------------------------------------------- */

/* Why an operator of quant.def's kind CELL stays float, whatever the samples say; NULL: nothing is in its way. */
const char *lc_quant_cell_hindrance(const lc_graph *graph, const lc_node *node);
/* How often operators read the tensor or the graph gives it out. */
uint32_t lc_quant_use_count(const lc_graph *graph, int32_t tensor);
const char *lc_quant_svdf_hindrance(const lc_graph *graph, const lc_node *node);
/* Makes SVDF an integer one in place, as lc_quant_lstm does. */
lc_status lc_quant_svdf(lc_graph *graph, lc_node *node, const lc_range_state *state, lc_arena *temporary, lc_error *err);
const char *lc_quant_lstm_hindrance(const lc_graph *graph, const lc_node *node);
/* Its state variables; LC_ABSENT for one that is none. And their steps, given those of its output. */
enum { LC_LSTM_HIDDEN_STATE, LC_LSTM_CELL_STATE };
void lc_quant_lstm_states(const lc_node *node, int32_t states[2]);
void lc_quant_lstm_state_steps(lc_steps output, const lc_range_state *state, lc_steps steps[2]);
/* The node behind it that reads what is left in the cell state: SELECT_V2 of it and of something the output makes, which puts the one behind
 * the other (pass/fuse_lstm_build.c). SIZE_MAX: none. */
size_t lc_quant_lstm_reader(const lc_graph *graph, const lc_node *node);
/* Variables that an operator in front writes at each run become plain tensors, of which the integer operator's variables are made. */
void lc_quant_lstm_free_states(lc_graph *graph, const lc_node *node);
/* Makes such an operator an integer one in place: `inputs` is the node's own array, its input and output have their int8 steps already. The
 * variables that are its state change their type. */
lc_status lc_quant_lstm(lc_graph *graph, lc_node *node, const lc_range_state *state, lc_arena *temporary, lc_error *err);

/* ---- schemes by name of the layer (recipe.c) ---------------------------------------------------------------------- */

/* A list "PATTERN=SCHEME;...": the last pattern that fits counts. A pattern with * and ? is held against the layer's name, the name of each
 * output, and "op:NAME" of the operator. */
typedef struct lc_recipe lc_recipe;
/* text NULL or "": an empty one. In `arena`. LC_ARGUMENT: a part that is no PATTERN=SCHEME (nearest scheme named). */
lc_status lc_recipe_read(const char *text, lc_arena *arena, lc_recipe **recipe, lc_error *err);
/* The node's scheme: by the recipe, else `otherwise`. Marks the pattern as used. */
lc_scheme lc_recipe_scheme(lc_recipe *recipe, const lc_graph *graph, const lc_node *node, lc_scheme otherwise);
/* Whether a pattern names the node: by its layer, an output, or op:NAME. */
bool lc_recipe_fits(const char *pattern, const lc_graph *graph, const lc_node *node);
/* A pattern that fitted no node; NULL: all did. */
const char *lc_recipe_unused(const lc_recipe *recipe);

/* ---- operators in parts (parts.c, rnn.c) -------------------------------------------------------------------------- */

/* What has no integer form becomes operators that have one; before calibration. */
lc_status lc_quant_parts(lc_model *model, const lc_quantize_options *options, lc_recipe *recipe, lc_error *err);
/* UNIDIRECTIONAL_SEQUENCE_RNN becomes loops. */
lc_status lc_quant_rnn_loops(lc_model *model, lc_error *err);
/* The nodes from `first` on take the place of node `at`. */
lc_status lc_quant_replace_node(lc_graph *graph, size_t at, size_t first, lc_error *err);

/* ---- what was done ------------------------------------------------------------------------------------------------ */

/* One operator that became something else than what was asked for. */
typedef struct lc_quant_note {
    const char *op, *layer, *reason;
} lc_quant_note;

typedef struct lc_quant_notes {
    lc_quant_note *items;
    size_t count, capacity;
} lc_quant_notes;

typedef struct lc_quant_report {
    lc_arena arena;
    uint32_t operators;        /* of the float model that compute with real numbers, all graphs; counted by lc_quant_integer */
    uint32_t ports;            /* inputs and outputs of the model that became integers */
    uint32_t integer, weights; /* of these: integer arithmetic; smaller weights alone. The others stayed as they were */
    lc_quant_notes floats;     /* those that should have changed and did not, why */
    lc_quant_notes hybrid;     /* those that should have become integer ones, and only their weights did, why */
    lc_quant_notes wider;      /* those whose weights are not as small as was asked for, why: int8 for int4 */
} lc_quant_report;
/* `notes`, one of the report's lists, gets another. All of the texts are copied. */
lc_status lc_quant_note_add(lc_quant_report *report, lc_quant_notes *notes, const lc_graph *graph, const lc_node *node, const char *reason,
                            lc_error *err);
/* The node's note goes from `floats` to `hybrid`. */
lc_status lc_quant_note_move(lc_quant_report *report, const lc_graph *graph, const lc_node *node, lc_error *err);
/* "3 SOFTMAX: the format ... (layer a, b, c)": those of one operator and reason together, each line after `indent`. */
void lc_quant_notes_print(const lc_quant_notes *notes, const char *indent, lc_text *out);

/* ---- what a release has (release.c) --------------------------------------------------------------------------------- */

enum { LC_QUANT_FORM_IN = 4, LC_QUANT_FORM_OUT = 2 }; /* tensors that versions of operators depend on */
/* Other types for an operator's first inputs and outputs, where not FLOAT32, and how many scales such an input has (0: one). */
typedef struct lc_quant_form {
    lc_dtype in[LC_QUANT_FORM_IN], out[LC_QUANT_FORM_OUT];
    uint32_t scales[LC_QUANT_FORM_IN];
} lc_quant_form;
/* The first release that has the operator in this form; 0: not known. */
uint32_t lc_quant_release(const lc_graph *graph, const lc_node *node, const lc_quant_form *form);

/* Constants behind DEQUANTIZE become float constants again. (widen.c) */
lc_status lc_quant_widen(lc_model *model, lc_error *err);

/* ---- the two ways to change a graph ------------------------------------------------------------------------------ */

/* What a scheme has to work with. `model` is changed in place: a fork of the caller's. */
typedef struct lc_quant_job {
    lc_model *model;
    const lc_quantize_options *options;
    const lc_ranges *ranges; /* NULL: none; integer operators are then those that the steps in the graph reach */
    lc_recipe *recipe;
    lc_quant_report *report;
    lc_error *err;
} lc_quant_job;

/* Nodes whose scheme is INT8 or INT16X8 become integer operators where ops/quant.def and the ranges allow. (integer.c) */
lc_status lc_quant_integer(lc_quant_job *job);
/* Nodes whose scheme is DYNAMIC, FLOAT16 or INT4 get smaller weights, and so do cells that were to become integer ones and did not.
 * (weights.c) */
lc_status lc_quant_weights_only(lc_quant_job *job);

/* Proof of an integer model: nothing but QUANTIZE and DEQUANTIZE touches a float32 tensor. LC_UNSUPPORTED: the first operator that does.
 * (verify.c) */
lc_status lc_quant_check_integer(const lc_model *model, lc_error *err);

#endif
