/*
 * lower.h: what the lower_<x>.c files share. A layer is lowered by one function of this shape, named in keras.def:
 *
 *     int32_t lc_lower_re_lu(lc_call *c);     reads c->config, makes nodes with c->b, returns the output tensor
 *
 * It sees one call: the layer, its config and the input tensors. Everything below is sticky like the builder (ops/build.h):
 * after a failure getters return their default and makers return -1, so a function checks nothing and its caller checks once.
 */
#ifndef LC_LOWER_LOWER_H
#define LC_LOWER_LOWER_H

#include "lower/keras.h"
#include "ops/build.h"

#define LC_LOWER_SLOTS 16                                   /* constants one layer keeps for its further calls */
#define LC_LOWER_ACT(name) LC_ActivationFunctionType_##name /* RELU, RELU6, NONE */

typedef struct lc_lower {
    lc_builder *b;          /* of graphs[0]; what is known of its tensors is worked out as for TensorFlow's operators (tf_known.c) */
    struct lc_tf_lower *tf; /* behind eager.h */
    const lc_lower_options *options;
    lc_budget budget;
    lc_arena scratch;               /* freed when the lowering ends */
    bool keras2;                    /* the file was written by Keras 2 (or 1): some defaults differ from Keras 3 */
    uint64_t calls;                 /* charged against limits.max_nodes */
    uint32_t depth;                 /* nested models */
    struct lc_rnn_variable *states; /* of stateful layers (rnn_state.c) */
    size_t state_count, state_capacity;
    struct lc_asked *asked, *told; /* arguments that were asked for, and notes (argument.c) */
    size_t asked_count, asked_capacity, told_count, told_capacity;
} lc_lower;

typedef struct lc_call {
    lc_lower *lower;
    lc_builder *b;
    const lc_keras_layer *layer;
    const lc_json *config;
    const lc_keras_call *call; /* NULL for an activation given as a layer inside another layer */
    const int32_t *in;
    const int32_t *in_masks; /* [in_count] Keras's mask that travels with each input, a bool tensor; -1: none */
    uint32_t in_count;
    int32_t *slots; /* [LC_LOWER_SLOTS] tensor index + 1, or 0; shared by all calls of the layer */
    int32_t *more;  /* outputs 1, 2 ... (lc_call_give); output 0 is what the function returns */
    size_t more_count, more_capacity;
    int32_t mask;             /* of output 0, given by lc_call_give_mask; -1: none */
    uint32_t masked;          /* that many outputs have it; 0 is 1 */
    uint32_t leaf;            /* where lc_call_tensor looks first */
    struct lc_tf_call *maker; /* lc_eager_maker */
} lc_call;

/* What becomes of the mask that comes with input 0 (Keras's compute_mask). */
typedef enum lc_lower_mask {
    LC_MASK_DROP = 0, /* it ends here */
    LC_MASK_PASS,     /* output 0 has it, too */
    LC_MASK_OWN,      /* the function says, with lc_call_give_mask */
} lc_lower_mask;

typedef int32_t (*lc_lower_fn)(lc_call *c);
typedef struct lc_lower_row {
    const char *class_name;
    lc_lower_fn lower;
    int32_t in_min, in_max; /* tensors the layer takes; in_max -1: any number */
    bool activation;        /* may stand where Keras wants an activation: one input, no weights */
    lc_lower_mask mask;
} lc_lower_row;

/* NULL when keras.def has no such class. */
const lc_lower_row *lc_lower_find(const char *class_name);

/* The row of an operation of Keras 3 (lc_keras_is_operation); NULL when operation.def has none. (lower_operation.c) */
const lc_lower_row *lc_lower_find_operation(const char *class_name);
/* Fails for an operation that has no row, with the reason where there is one to tell. (lower_operation.c) */
int32_t lc_lower_no_operation(lc_call *c);

#define LC_LAYER(class_name, function, in_min, in_max, activation, mask) int32_t lc_lower_##function(lc_call *c);
#include "lower/keras.def"

/* One call of a layer inside a layer: c as lc_part_call (rnn.h) fills it. Outputs and mask as of any call. (keras.c) */
int32_t lc_lower_part(lc_call *c);

/* An unknown layer as a CUSTOM operator (custom.c). */
int32_t lc_lower_custom(lc_call *c);
/* Weight i as a constant of the type and shape it is stored with. (custom.c) */
int32_t lc_lower_stored(lc_call *c, uint32_t i);

/* ---- options of the config (option.c) ------------------------------------------------------------------------- */

/* Fails with 'option "strides" is [0, 1]: <message>'. Returns -1. */
int32_t lc_opt_fail(lc_call *c, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The member as it is, NULL when missing. Whoever reads c->config does it by this or lc_opt, so that what nobody reads is known. (argument.c) */
const lc_json *lc_opt_given(lc_call *c, const char *key);
/* These arguments, a list of words, are known, whether they are read or not. (argument.c) */
void lc_opt_known(lc_call *c, const char *words);
/* `word` is one of those in a list; "a*x" there is whatever begins and ends so. (argument.c) */
bool lc_word_among(const char *words, const char *word);
/* Notes for arguments that nobody asked for since there were `from` asked ones; they are forgotten then. (argument.c) */
void lc_arguments_end(lc_call *c, size_t from);
/* The member, NULL when missing or null. */
const lc_json *lc_opt(lc_call *c, const char *key);
bool lc_opt_bool(lc_call *c, const char *key, bool otherwise);
/* The string, `otherwise` when it is missing or of another kind. */
const char *lc_opt_str(lc_call *c, const char *key, const char *otherwise);
double lc_opt_num(lc_call *c, const char *key, double otherwise);
/* A whole number in [low, high] (12.0 counts); failed when missing and `otherwise` is out of that range. */
int32_t lc_opt_int(lc_call *c, const char *key, int32_t low, int32_t high, int32_t otherwise);
/* A size of at least 1 that must be there: units, filters. */
int32_t lc_opt_size(lc_call *c, const char *key);
/* n sizes of at least `low` from a number (repeated) or a list of n; otherwise 0: must be there. */
void lc_opt_sizes(lc_call *c, const char *key, int32_t low, int32_t otherwise, int32_t *out, uint32_t n);
/* Index of a string in a NULL-terminated list; missing: 0. */
int32_t lc_opt_choice(lc_call *c, const char *key, const char *const *choices);
/* True for data_format "channels_first". */
bool lc_opt_channels_first(lc_call *c);
/* Numbers from a number, a (nested) list, or a serialised array, flattened. *values lies in the scratch arena. Failed when
 * there is none. */
uint32_t lc_opt_floats(lc_call *c, const char *key, const double **values);
/* Rank and dims[LC_MAX_RANK] of that list, told by the first item of each level; 0 of a number. */
int32_t lc_opt_list_rank(lc_call *c, const char *key, int32_t *dims);
/* Call arguments: the named argument of this call, NULL when not given. */
const lc_json *lc_call_arg(lc_call *c, const char *name);
/* The argument by its place or else its name, as Python's call takes it; NULL when not given or None. Keras 2 writes the first one as
 * its tensor or list of tensors, all others by name. */
const lc_json *lc_call_argument(lc_call *c, uint32_t place, const char *name);
/* The tensor that a value among the call's arguments stands for; -1 (nothing failed): it is no tensor. */
int32_t lc_call_tensor(lc_call *c, const lc_json *value);
/* The mask among the call's arguments, at this place or by name; -1: none. Keras 3 writes the mask of the input there, too. */
int32_t lc_call_given_mask(lc_call *c, uint32_t place);
/* Refuses a second tensor that is not that mask. */
bool lc_call_single(lc_call *c, uint32_t place);
/* Refuses training=True in this call of Keras 2: what the layer does then is not inference. */
bool lc_call_inference(lc_call *c);

/* ---- several outputs, masks (call.c) --------------------------------------------------------------------------- */

/* Output k (from 1) of the call. */
void lc_call_give(lc_call *c, uint32_t k, int32_t tensor);
/* The mask [batch, steps] that output 0 has from here on; only for rows with LC_MASK_OWN. */
void lc_call_give_mask(lc_call *c, int32_t mask);
/* The mask that comes with input i; -1: none. */
static inline int32_t lc_call_mask(const lc_call *c, uint32_t i) { return c->in_masks && i < c->in_count ? c->in_masks[i] : -1; }

/* Gives the mask of a merging layer, from those of its inputs: of one that works element by element, of Concatenate. (lower_mask.c) */
void lc_mask_of_merge(lc_call *c);
void lc_mask_of_concat(lc_call *c, int32_t axis, int32_t rank);

/* ---- inputs --------------------------------------------------------------------------------------------------- */

/* Input i as float32 (integers and booleans are cast, as Keras does). */
int32_t lc_call_float(lc_call *c, uint32_t i);
/* Shape of a tensor; false when failed. */
bool lc_call_shape(lc_call *c, int32_t x, lc_shape *shape);
/* Input i as float32 with exactly `rank` dimensions. */
int32_t lc_call_ranked(lc_call *c, uint32_t i, int32_t rank, lc_shape *shape);
/* The dimension, which must be known. */
int32_t lc_call_known(lc_call *c, const lc_shape *shape, int32_t axis, const char *what);
/* Axis in [-rank, rank) to [0, rank); key names the option for the message. */
int32_t lc_call_axis(lc_call *c, const char *key, int64_t axis, int32_t rank);
/* [n, c, spatial...] to [n, spatial..., c] and back; x itself when channels_first is false. */
int32_t lc_call_channels_last(lc_call *c, int32_t x, bool channels_first);
int32_t lc_call_channels_back(lc_call *c, int32_t x, bool channels_first);

/* ---- weights (weight.c) ---------------------------------------------------------------------------------------- */

/* The layer holds exactly n arrays (`names`: what they should be, for the message). */
bool lc_weights(lc_call *c, uint32_t n, const char *names);
/* Weight i, whose shape must be dims[rank]; NULL when failed. */
const lc_keras_weight *lc_weight(lc_call *c, uint32_t i, const char *name, const int32_t *dims, int32_t rank);
/* Element k of a weight. */
double lc_weight_at(const lc_keras_weight *w, size_t k);
/* Makers of constants: each is made at the layer's first call and kept in `slot`. All give float32. */
/* Weight i as it is stored, under the shape out[out_rank] of equally many elements. */
int32_t lc_weight_const(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank, const int32_t *out,
                        int32_t out_rank);
/* Weight i seen as a matrix [rows, cols] with cols its last dimension, transposed to [cols, rows], under the shape out. */
int32_t lc_weight_transposed(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank, const int32_t *out,
                             int32_t out_rank);
/* A tensor under another shape of as many elements; a matrix turned. For weights that are no constants (training.h). */
int32_t lc_weight_shaped(lc_call *c, int32_t t, const int32_t *dims, int32_t rank);
int32_t lc_weight_slice(lc_call *c, int32_t t, const int32_t *begin, const int32_t *size, int32_t rank);
int32_t lc_weight_turned(lc_call *c, int32_t t, int32_t rows, int32_t cols);
/* Weight i as a vector [n]; zeros when `given` is false. */
int32_t lc_weight_bias(lc_call *c, uint32_t slot, uint32_t i, int32_t n, bool given);

/* ---- activations (lower_activation.c) -------------------------------------------------------------------------- */

/* Applies an activation as Keras serialises it: null, a name, or an object. `key` is the option it stands in. */
int32_t lc_lower_activation(lc_call *c, const char *key, const lc_json *value, int32_t x);
/* The fused activation for it, when TFLite has it (RELU, RELU6, NONE for linear); false when it needs operators of its own. */
bool lc_lower_fusable(const lc_json *value, int8_t *fused);
/* One by name; -1 and failed when Keras has no such name. */
int32_t lc_lower_activation_name(lc_call *c, const char *key, const char *name, int32_t x);
/* softmax or log_softmax over an axis. */
int32_t lc_lower_softmax(lc_call *c, int32_t op, int32_t x, int32_t axis);
int32_t lc_lower_elu_alpha(lc_call *c, int32_t x, double alpha);
int32_t lc_lower_leaky(lc_call *c, int32_t x, double slope);

#endif
