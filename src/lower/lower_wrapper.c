/*
 * lower_wrapper.c: layers around a layer.
 *
 *   Bidirectional     the forward layer and the backward one over the same sequence, the backward one's rows turned, then merged. Where the
 *                     file has one layer, the backward one is its twin with go_backwards the other way. Masked rows are zeros when sequences
 *                     are returned, as Keras sets it in both.
 *   TimeDistributed   batch and time as one dimension, the layer, and back. A Dense does the same with every dimension in front anyway. In training
 *                     a layer that looks at its whole batch (BatchNormalization: its statistics) is run a step at a time, as Keras runs all.
 *
 * Facts: keras/src/layers/rnn/bidirectional.py, time_distributed.py.
 */
#include "lower/rnn.h"
#include "lower/training.h"

#include <string.h>

/* ---- Bidirectional -------------------------------------------------------------------------------------------------------- */

/* The layer as Keras makes it of its configuration: with these two options, whatever stands there. */
static const lc_json *with_options(lc_call *c, const lc_json *layer, bool backwards, bool zero_masked) {
    const lc_json options[] = {{.kind = LC_JSON_BOOL, .key = "go_backwards", .boolean = backwards},
                               {.kind = LC_JSON_BOOL, .key = "zero_output_for_mask", .boolean = zero_masked}};
    return lc_part_with(c, layer, options, 2);
}

static bool flag(const lc_json *layer, const char *key) {
    const lc_json *v = lc_json_get(lc_json_get(layer, "config"), key);
    return lc_json_is(v, LC_JSON_BOOL) && v->boolean;
}

/* Anything else Keras does not take either; a Bidirectional in a Bidirectional would double the work with each. */
static bool is_recurrent(const lc_json *layer) {
    static const char *const classes[] = {"LSTM",     "GRU",        "SimpleRNN",  "RNN",       "CuDNNLSTM",
                                          "CuDNNGRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"};
    const char *name = lc_json_str(layer, "class_name", "");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i], name) == 0) return true;
    return false;
}

static int32_t merge(lc_call *c, const char *mode, int32_t a, int32_t b) {
    lc_shape s;
    if (!lc_call_shape(c, a, &s)) return -1;
    const int32_t both[2] = {a, b};
    if (strcmp(mode, "concat") == 0) return lc_tf_concat(lc_eager_maker(c), both, 2, s.rank - 1);
    if (strcmp(mode, "mul") == 0) return lc_build_binary(c->b, LC_OP_MUL, a, b, LC_LOWER_ACT(NONE));
    const int32_t sum = lc_build_binary(c->b, LC_OP_ADD, a, b, LC_LOWER_ACT(NONE));
    return strcmp(mode, "ave") == 0 ? lc_build_with_scalar(c->b, LC_OP_MUL, sum, "half", 0.5F) : sum;
}

/* The initial states and masks of one direction behind the sequence. */
static int32_t direction(lc_call *c, const lc_json *json, const char *name, const char *prefix, uint32_t first, uint32_t count, bool second,
                         lc_call *done) {
    lc_keras_layer *part = lc_arena_alloc(&c->lower->scratch, sizeof *part);
    int32_t *in = lc_arena_array(&c->lower->scratch, (size_t)c->in_count * 2, sizeof *in);
    const lc_json *argument = lc_call_argument(c, 2, "mask");
    const int32_t mask = argument ? lc_call_tensor(c, argument) : -1;
    int32_t states[LC_RNN_STATES];
    uint32_t n = 0, at = 1;
    if (!part || !in) return lc_build_check(c->b, lc_fail_memory(c->b->err, "a layer")) ? -1 : -1;
    for (uint32_t i = 1; i < c->in_count; i++) {
        if (mask >= 0 && c->in[i] == mask) continue;
        if (n == LC_RNN_STATES) return lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with more than %d initial states", LC_RNN_STATES);
        states[n++] = c->in[i];
    }
    in[0] = c->in[0];
    for (uint32_t i = second ? n / 2 : 0; i < (second ? n : n / 2); i++) in[at++] = states[i];
    int32_t *masks = in + c->in_count;
    for (uint32_t i = 0; i < at; i++) masks[i] = -1;
    const bool implicit = c->lower->keras2 || !c->call || !n; /* as in lower_rnn.c */
    masks[0] = mask >= 0 ? mask : implicit ? lc_call_mask(c, 0) : -1;
    if (!lc_part(c, json, prefix, first, count, part)) return -1;
    part->name = name; /* of its state, too: both may have the same name in the file */
    return lc_part_call(c, part, in, masks, at, done);
}

int32_t lc_lower_bidirectional(lc_call *c) {
    static const char *const modes[] = {"concat", "sum", "mul", "ave"};
    const lc_json *forward = lc_opt(c, "layer"), *backward = lc_opt(c, "backward_layer"), *mode = lc_opt_given(c, "merge_mode");
    if (!forward) return lc_opt_fail(c, "layer", "needs a recurrent layer");
    if (!is_recurrent(forward) || (backward && !is_recurrent(backward)))
        return lc_opt_fail(c, is_recurrent(forward) ? "backward_layer" : "layer",
                           "litec knows the recurrent layers of Keras in it, not %.100s",
                           lc_json_str(is_recurrent(forward) ? backward : forward, "class_name", "a layer without class"));
    const char *merged = !mode ? "concat" : lc_json_is(mode, LC_JSON_STRING) ? mode->string : NULL;
    bool known = !merged && lc_json_is(mode, LC_JSON_NULL);
    for (size_t i = 0; merged && i < sizeof modes / sizeof *modes; i++) known = known || strcmp(modes[i], merged) == 0;
    if (!known) return lc_opt_fail(c, "merge_mode", "litec knows \"concat\", \"sum\", \"mul\", \"ave\" and null");
    const bool turned = flag(forward, "go_backwards"), sequences = flag(forward, "return_sequences"),
               states = flag(forward, "return_state");
    if (backward && flag(backward, "go_backwards") == turned)
        return lc_opt_fail(c, "backward_layer", "goes the same way as the forward one");
    if (backward && (flag(backward, "return_sequences") != sequences || flag(backward, "return_state") != states))
        return lc_opt_fail(c, "backward_layer", "needs the same return_sequences and return_state as the forward one");
    const uint32_t half = c->layer->weight_count / 2;
    lc_call a, b;
    const lc_json *one = with_options(c, forward, turned, sequences),
                  *two = with_options(c, backward ? backward : forward, !turned, sequences);
    if (!one || !two) return -1;
    int32_t y = direction(c, one, "forward", "forward_layer/", 0, half, false, &a);
    int32_t z = direction(c, two, "backward", "backward_layer/", half, c->layer->weight_count - half, true, &b);
    if (c->b->status != LC_OK) return -1;
    if (a.more_count != b.more_count)
        return lc_build_fail(c->b, LC_INVALID, "its layers have %zu and %zu states", a.more_count, b.more_count);
    if (sequences) z = lc_tf_reverse(lc_eager_maker(c), z, flag(forward, "time_major") ? 0 : 1);
    uint32_t out = 1;
    if (!merged) lc_call_give(c, out++, z);
    for (size_t i = 0; i < a.more_count; i++) lc_call_give(c, out++, a.more[i]);
    for (size_t i = 0; i < b.more_count; i++) lc_call_give(c, out++, b.more[i]);
    if (sequences) lc_call_give_mask(c, a.mask);
    if (!merged) c->masked = 2;
    return merged ? merge(c, merged, y, z) : y;
}

/* ---- TimeDistributed ------------------------------------------------------------------------------------------------------- */

/* Layers that do the same whatever stands in front of the last dimension, or to each element. */
static bool any_rank(const char *class_name) {
    static const char *const classes[] = {"Dense", "Activation", "Dropout",  "ReLU",         "LeakyReLU",
                                          "ELU",   "Rescaling",  "Identity", "GaussianNoise"};
    for (size_t i = 0; class_name && i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i], class_name) == 0) return true;
    return false;
}

/* y [batch * time, ...] as [batch, time, ...], sizes as x has them. */
static int32_t apart(lc_call *c, int32_t y, int32_t x) {
    lc_tf_call *t = lc_eager_maker(c);
    lc_shape s, of;
    if (!lc_call_shape(c, x, &s) || !lc_call_shape(c, y, &of)) return -1;
    int32_t tensors[LC_MAX_RANK], values[LC_MAX_RANK], n = 0, open = 0;
    if (of.rank < 1) return lc_build_fail(c->b, LC_INVALID, "the layer in it gives a single number");
    if (of.rank + 1 > LC_MAX_RANK) return lc_build_fail(c->b, LC_UNSUPPORTED, "its output has more than %d dimensions", LC_MAX_RANK);
    for (int32_t d = 0; d < 2; d++) values[n++] = s.dims[d];
    for (int32_t d = 1; d < of.rank; d++) values[n++] = of.dims[d];
    for (int32_t d = 0; d < n; d++) open += values[d] < 0;
    if (open <= 1) return lc_tf_reshape(t, y, values, n);
    for (int32_t d = 0; d < n; d++) tensors[d] = values[d] >= 0 ? LC_ABSENT : d < 2 ? lc_tf_dim(t, x, d) : lc_tf_dim(t, y, d - 1);
    return lc_tf_reshape_like(t, y, lc_tf_vector_of(t, tensors, values, n));
}

/* Whether there is a layer in it, or in a model or a wrapper in it, that does not treat each sample of a batch by itself in training. The reader has
 * bounded the depth. */
static bool sees_batch(const lc_json *layer) {
    static const char *const classes[] = {"BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization",
                                          "RandomCrop"};
    const char *name = layer->kind == LC_JSON_OBJECT ? lc_json_str(layer, "class_name", "") : "";
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i], name) == 0) return true;
    if (strcmp(name, "Dropout") == 0 && lc_json_is(lc_json_get(lc_json_get(layer, "config"), "noise_shape"), LC_JSON_ARRAY)) return true;
    if (layer->kind != LC_JSON_OBJECT && layer->kind != LC_JSON_ARRAY) return false;
    for (uint32_t i = 0; i < layer->count; i++)
        if (sees_batch(&layer->items[i])) return true;
    return false;
}

static bool rows_of(lc_call *c, int32_t x, int32_t *rows, int32_t n) {
    const lc_UnpackOptions o = {.num = n, .axis = 1};
    return lc_build_op_multi(c->b, LC_OP_UNPACK, LC_TABLE_UnpackOptions, &o, &x, 1, rows, (uint32_t)n);
}

/* The layer once a step, each after the one before. */
static int32_t step_by_step(lc_call *c, const lc_keras_layer *inner, int32_t steps) {
    lc_arena *arena = &c->lower->scratch;
    const int32_t mask = lc_call_mask(c, 0);
    lc_tf_call *t = lc_eager_maker(c);
    size_t outs = 1;
    if (steps < 1 || steps > LC_RNN_UNROLL)
        return lc_build_fail(c->b, LC_LIMIT, "it has %d steps, litec trains 1 to %d", steps, LC_RNN_UNROLL);
    int32_t *x = lc_arena_array(arena, (size_t)steps, sizeof *x), *masks = lc_arena_array(arena, (size_t)steps, sizeof *masks);
    lc_call *done = lc_arena_array(arena, (size_t)steps, sizeof *done);
    int32_t *y = lc_arena_array(arena, (size_t)steps, sizeof *y);
    if (!x || !masks || !done || !y) return lc_build_check(c->b, lc_fail_memory(c->b->err, "steps")) ? -1 : -1;
    for (int32_t i = 0; i < steps; i++) masks[i] = -1;
    if (!rows_of(c, c->in[0], x, steps) || (mask >= 0 && !rows_of(c, mask, masks, steps))) return -1;
    for (int32_t i = 0; i < steps; i++) {
        y[i] = lc_part_call(c, inner, &x[i], &masks[i], 1, &done[i]);
        if (c->b->status != LC_OK) return -1;
        outs = done[i].more_count + 1;
    }
    for (size_t k = 1; k < outs; k++) {
        for (int32_t i = 0; i < steps; i++) x[i] = done[i].more[k - 1];
        lc_call_give(c, (uint32_t)k, lc_tf_pack(t, x, (uint32_t)steps, 1));
    }
    return lc_tf_pack(t, y, (uint32_t)steps, 1);
}

int32_t lc_lower_time_distributed(lc_call *c) {
    const lc_json *json = lc_opt(c, "layer");
    const lc_keras_layer *inner = c->layer->inner;
    lc_keras_layer *part = lc_arena_alloc(&c->lower->scratch, sizeof *part);
    lc_shape s;
    lc_call done;
    if (!json) return lc_opt_fail(c, "layer", "needs a layer");
    /* A mask goes on, but not into the layer: there it would be one number a step. */
    if (!lc_call_single(c, 2)) return -1;
    if (!part) return lc_build_check(c->b, lc_fail_memory(c->b->err, "a layer")) ? -1 : -1;
    if (!lc_call_inference(c) || !lc_call_shape(c, c->in[0], &s)) return -1;
    if (s.rank < 3) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 3", s.rank);
    if (!inner) {
        if (!lc_part(c, json, "layer/", 0, c->layer->weight_count, part)) return -1;
        inner = part;
    }
    const int32_t none = -1;
    if (lc_training_mode(c) && sees_batch(json)) {
        if (s.dims[1] >= 0) return step_by_step(c, inner, s.dims[1]);
        if (lc_training_refused(c, "the number of its steps is open, and the layer in it looks at the whole batch of each")) return -1;
    }
    if (!inner->registered_name && any_rank(inner->class_name)) return lc_part_call(c, inner, c->in, &none, 1, &done);
    const int32_t x = lc_tf_merge_dims(lc_eager_maker(c), c->in[0], 0, 2);
    if (c->b->status != LC_OK) return -1;
    const int32_t y = lc_part_call(c, inner, &x, &none, 1, &done);
    if (c->b->status != LC_OK) return -1;
    for (size_t k = 0; k < done.more_count; k++) lc_call_give(c, (uint32_t)k + 1, apart(c, done.more[k], c->in[0]));
    return apart(c, y, c->in[0]);
}
