/*
 * training.h: the same lowering for training. What differs from a conversion:
 *
 *   - an array of a layer that learns is no constant but an input of the graph, in Keras's layout and shape, bound to the memory that the array
 *     lies in (lc_tensor.bound); operators bring it into TFLite's layout, so that gradients come back in Keras's
 *   - the batch has a size, because gradients need shapes (grad/grad.h)
 *   - BatchNormalization, Dropout do what they do in training; recurrent layers are steps, without a loop
 *   - arrays that no file has given are made when a layer asks for them: who asks says the shape, so that no second list does
 *
 * A layer with "trainable": false (of Keras 2: or in a model with it) is lowered as ever: constants, inference.
 */
#ifndef LC_LOWER_TRAINING_H
#define LC_LOWER_TRAINING_H

#include "litec/litec.h"
#include "lower/keras.h"

/* One array as the graph has it. */
typedef struct lc_trained {
    const char *name;      /* "dense/kernel", in the arena of the graph's model */
    const char *what;      /* "kernel": "<what>_initializer", "<what>_regularizer", "<what>_constraint" are in the configuration */
    const lc_json *config; /* of the layer, or the layer in it, that has the array */
    const void *data;      /* lc_keras_weight.data: the array is known by it */
    int32_t tensor;        /* the input of the graph */
    int32_t rank, dims[LC_MAX_RANK];
    int32_t latest; /* what the graph has it become, so far; -1: as it is */
    bool learns;    /* false: moving statistics, which operators of the graph change where they lie */
} lc_trained;

/* An array that is to be made. */
typedef struct lc_made {
    const char *layer, *what; /* "dense", "kernel" */
    const lc_json *config;    /* as in lc_trained */
    int32_t rank;
    const int32_t *dims;
    size_t fan_in; /* how many of its numbers make one output; 0: as its shape says */
} lc_made;

typedef struct lc_training {
    int32_t batch;     /* 0: as the model says */
    const lc_array *x; /* [inputs] whose shapes the inputs have; NULL: as the model says, but for the batch */
    int32_t open;      /* what other open sizes of inputs are then; 0: open */
    bool everything;   /* arrays of layers that do not learn are inputs, too */
    bool inference;    /* layers do what they do in inference */
    /* Gives an array that the layer lacks its memory, of rank and dims, float32; NULL and err filled: it failed. */
    void *(*make)(void *user, const lc_made *array, lc_error *err);
    void *user;

    size_t fan_in; /* of the array that is asked for next (lc_training_fan) */
    /* What the lowering fills in. The list lies in the arena of the graph's model. */
    lc_trained *list;
    uint32_t count, capacity;
    int32_t counter; /* an input int32[2] that random operators read, unbound: seed and step; -1: there are none */
    uint32_t streams;
    bool frozen; /* the layer in hand does not learn */
} lc_training;

struct lc_call;
/* Whether arrays of this call's layer are inputs of the graph. */
bool lc_trains(const struct lc_call *c);
/* Whether the layer does what it does in training, and learns. */
bool lc_training_now(const struct lc_call *c);
/* Whether the layer is lowered for training, whether it learns or not: Dropout. */
bool lc_training_mode(const struct lc_call *c);
/* Fails where a step of training is made: litec does not train this layer. Not where a model is only opened, so that it can be frozen. */
bool lc_training_refused(struct lc_call *c, const char *why);
/* Weight w of the layer, which lc_weight has given, as an input of the graph. */
int32_t lc_training_input(struct lc_call *c, const lc_keras_weight *w, const char *what, bool learns);
/* The counter of random operators, and a number that no other layer has. */
int32_t lc_training_counter(struct lc_call *c, uint32_t *stream);
/* Numbers that are others in each step, uniform in [0, 1) or standard normal. */
int32_t lc_training_random(struct lc_call *c, const int32_t *dims, int32_t rank, bool normal);
/* DROPOUT of x by these numbers, which one stream has all through a step of training; shared: bit d set: one number for all along dimension d. */
int32_t lc_training_dropout(struct lc_call *c, int32_t x, float rate, uint32_t stream, uint32_t shared);
/* The array that the layer asks for next has this fan_in, which its shape does not say. */
void lc_training_fan(const struct lc_call *c, size_t fan_in);
/* Memory for array i of the layer, where it has none yet (keras_place.h: lc_keras_expect). */
void lc_training_make(struct lc_call *c, uint32_t i, const char *what, const int32_t *dims, int32_t rank);
/* What the array of input `to` is after the updates so far: of a layer that is called more than once, each call's follows that before. */
int32_t lc_training_latest(const struct lc_call *c, int32_t to);
/* Writes tensor t into the array that input `to` is bound to, when the graph runs; the updates before are only steps on the way. */
void lc_training_update(struct lc_call *c, int32_t to, int32_t t);

#endif
