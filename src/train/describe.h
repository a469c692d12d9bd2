/*
 * describe.h: a model while it is written down in C: layers, the calls made of them, inputs, outputs. What comes of it is the JSON
 * configuration that Keras writes (model.to_json()): source/keras_config.c reads it, Keras loads it.
 *
 *     lc_description d;
 *     lc_describe_begin(&d, false, "two");                   functional; true: sequential
 *     lc_symbol x = lc_describe_input(&d, &LC_INPUT({28, 28}));
 *     x = lc_describe_call(&d, lc_describe_layer(&d, &LC_DENSE(3)), &x, 1);
 *     lc_describe_outputs(&d, &x, 1);
 *     status = lc_describe_json(&d, NULL, &text, &err);
 *     lc_describe_end(&d);
 *
 * Layers that are not named get Keras's names: dense, dense_1, conv2d. Keras counts over the whole program, a description by itself.
 *
 * Errors are sticky: after the first each call does nothing, and lc_describe_json tells it. Layers appear in Keras's order, by depth
 * and then by the way from the outputs, because names of weights in files follow it; layers that lead to no output are left out.
 */
#ifndef LC_TRAIN_DESCRIBE_H
#define LC_TRAIN_DESCRIBE_H

#include "base/arena.h"
#include "base/json.h"
#include "train/object.h"

/* A layer as it was put down: its configuration is text already, so that nothing of the caller is kept. */
typedef struct lc_described_layer {
    const char *name, *class_name, *config;
    const char *call_keywords;                   /* arguments of its calls as members of JSON; NULL: none */
    bool masked;                                 /* its last tensor is the argument attention_mask */
    bool is_input, is_sequential, is_functional; /* the last two: a model within */
    uint32_t call_count;                         /* InputLayer: 1 */
    uint32_t line;                               /* of the text it was read from, counted from 1; 0: of none */
} lc_described_layer;

typedef struct lc_described_call {
    int32_t layer, number; /* its number among the calls of that layer */
    const lc_symbol *inputs;
    uint32_t input_count;
} lc_described_call;

typedef struct lc_description {
    lc_arena arena;
    bool sequential;
    const char *name;
    lc_described_layer *layers;
    size_t layer_count, layer_capacity;
    lc_described_call *calls; /* in the order they were made: each takes what calls before it gave */
    size_t call_count, call_capacity;
    lc_symbol *inputs;
    size_t input_count, input_capacity;
    const lc_symbol *outputs;
    size_t output_count;
    struct lc_name_count *counts; /* of automatic names */
    size_t count_count, count_capacity;
    lc_status status; /* the first error */
    lc_error error;
} lc_description;

/* name NULL: "sequential" or "functional". Nothing can fail before lc_describe_json. */
void lc_describe_begin(lc_description *d, bool sequential, const char *name);
void lc_describe_end(lc_description *d);
/* An error of the one who describes; LC_OK when none was before. */
lc_status lc_describe_fail(lc_description *d, lc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts a layer down and returns its number, -1 after an error. In a sequential description that is all it needs. */
int32_t lc_describe_layer(lc_description *d, const lc_object *layer);
/* The same with a model as a layer, copied as it is now; it takes its own name if that is free. */
int32_t lc_describe_model(lc_description *d, const lc_description *model);
/* The same with a model as Keras serialises it: {"class_name", "config"}; keras_version: of the one that did, when it was not Keras 3. */
int32_t lc_describe_config(lc_description *d, const lc_json *model, const char *keras_version);
/* Functional only, as the next three: an input of the model. */
lc_symbol lc_describe_input(lc_description *d, const lc_object *layer);
/* Calls a layer, again if need be (its weights are shared). Several tensors are what the class makes of them: what is added or concatenated;
 * query, value, key; a sequence and initial states; the inputs of a model. A layer with several outputs gives its first; the others are the
 * symbol with another `tensor`. */
lc_symbol lc_describe_call(lc_description *d, int32_t layer, const lc_symbol *inputs, size_t count);
void lc_describe_outputs(lc_description *d, const lc_symbol *outputs, size_t count);

/* The number of the layer of this name, -1: there is none. */
int32_t lc_described_find(const lc_description *d, const char *name);
/* Appends {"module": ..., "class_name": "Sequential", "config": {...}, ...}; name NULL: its own. Tells the first error of the description. */
lc_status lc_describe_json(const lc_description *d, const char *name, lc_text *out, lc_error *err);

#endif
