/*
 * litec/net.h: a model that learns. It is described in C (litec/train.h: lc_sequential, lc_functional, lc_application) or opened from a file of
 * Keras, compiled, fitted, saved. The names are those of Keras.
 */
#ifndef LITEC_NET_H
#define LITEC_NET_H

#include "litec/learning.h"
#include "litec/pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A model with its variables, and once it is compiled an optimizer, losses and metrics. It belongs to one thread at a time. */
typedef struct lc_net lc_net;

typedef struct lc_net_options {
    lc_limits limits;
    const char *weights; /* a file of weights for an architecture in .json, or in place of those of the file (lc_convert_options.weights) */
    uint64_t seed;       /* of the initialisers and of what is random in training; 0: 1 */
} lc_net_options;

/* Opens a .keras, .h5 or .json file, or a model in litec's short text form (docs/training.md), to train on: architecture, weights, and where the
 * file has them the optimizer's state, losses and metrics (then it is compiled). A SavedModel, frozen graph, checkpoint with its graph or float
 * .tflite file is opened as lc_net_from_model does; of the former, variables are weights, in TensorFlow's layout. Caller owns *net. Errors: as
 * lc_convert. */
LC_API lc_status lc_net_open(const char *path, const lc_net_options *options, lc_net **net, lc_error *err);
/* The same from the text of a configuration (model.to_json()), with new weights. */
LC_API lc_status lc_net_from_json(const char *json, size_t size, const lc_net_options *options, lc_net **net, lc_error *err);
/* A net that does what the model's main graph does ("serving_default", else the first one), on floats: to be trained on, frozen in part, put
 * into others. Its variables are the model's weights under the names they have there: floats of at least one dimension that convolutions, matrix
 * products, tables, PRELU, ADD and MUL read, but for vectors of zeros (biases of layers without one); weights that are float16, int8 or sparse are float32 here. Batch normalisation is what the file
 * computes; where its arrays are in the file, they are variables that do not learn. A batch that is fixed in the file is open here. The model is
 * not changed, and may be destroyed before the net. lc_net_open does this with files. options->weights is a .weights.h5 of such a net. Caller
 * owns *net. Errors: LC_UNSUPPORTED, by name: control flow, states (LSTM), custom operators, integer activations, a fixed batch that cannot be
 * open. */
LC_API lc_status lc_net_from_model(lc_model *model, const lc_net_options *options, lc_net **net, lc_error *err);
LC_API void lc_net_destroy(lc_net *net); /* NULL is fine */

/* Of a model that is described: random numbers from here on; before the first call that builds it. 0: 1. */
LC_API void lc_net_seed(lc_net *net, uint64_t seed);
/* Makes the variables, which every call below does when it needs them. Errors: what was wrong in the description, with the layer. */
LC_API lc_status lc_net_build(lc_net *net, lc_error *err);

/* A variable, in the order of Keras's model.weights. */
typedef struct lc_net_variable {
    const char
        *path; /* "dense/kernel"; of a model within "inner/dense/kernel": the names of all layers around it, but not that of the net itself.
                       * (Keras puts the name of a Sequential before it, and leaves out that of a functional model within.) NULL: there is
                       * no such variable */
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
    float *value; /* row-major; may be written between calls */
    size_t count; /* numbers in it */
    bool trainable;
} lc_net_variable;
LC_API size_t lc_net_variable_count(const lc_net *net);
LC_API lc_net_variable lc_net_variable_at(const lc_net *net, size_t index);
/* By its path; NULL in .path when there is none. */
LC_API lc_net_variable lc_net_variable_find(const lc_net *net, const char *path);

/* Type and shape of input i, -1 where the model takes any size; no data. rank 0: there is no such input, or the model is not built. */
LC_API lc_array lc_net_input_shape(const lc_net *net, uint32_t i);

/* Layers whose name fits the pattern (* and ?; NULL: all) learn or do not, from here on, those of models within, too; "base/conv*" are those of
 * the model "base". As in Keras, compile after it. Weights of a graph
 * (lc_net_from_model) are chosen by their names or by a scope they are in: "conv1" is "conv1/kernel", too. LC_ARGUMENT: nothing fits. */
LC_API lc_status lc_net_set_trainable(lc_net *net, const char *pattern, bool trainable, lc_error *err);

/* Gives a Normalization layer the mean and the variance of what it is given of this data (Keras's adapt), before training. LC_ARGUMENT: no such
 * layer, or one of another class. */
LC_API lc_status lc_net_adapt(lc_net *net, const char *layer, lc_pipeline *data, lc_error *err);

/* ---- compile -------------------------------------------------------------------------------------------------------- */

typedef struct lc_compile_options {
    lc_object optimizer;                    /* {"adam"}, LC_SGD(0.1); {0}: RMSprop, as in Keras */
    lc_object loss;                         /* {"mse"}, LC_HUBER(); of every output */
    const lc_object *losses;                /* one an output instead, {0}: nothing is learned from it, it needs no target; NULL: `loss` */
    const double *loss_weights;             /* one an output; NULL: 1 */
    const lc_object *metrics;               /* ends with {0}; of every output; {"accuracy"} chooses by the shapes; NULL: none */
    const lc_object *const *output_metrics; /* a list like it for each output (NULL: none), behind those of every output; NULL: nothing */
    const lc_object *weighted_metrics;      /* as metrics, but samples count by their weights; NULL: none */
    bool keep; /* what is not given is what the model is compiled with, e.g. by the file it was opened from: the optimizer
                                 * with its state, the losses with their weights, the metrics. LC_ARGUMENT: it is not compiled, and no loss is
                                 * given */
} lc_compile_options;
/* Says how the model learns; begins a new optimizer. Errors: LC_ARGUMENT: an unknown class (with the nearest name), a loss that does not fit the
 * output. */
LC_API lc_status lc_compile(lc_net *net, const lc_compile_options *options, lc_error *err);

/* ---- fit, evaluate, predict --------------------------------------------------------------------------------------------- */

/* A number that is followed: "loss", "accuracy", "val_loss" ... */
typedef struct lc_log {
    const char *name;
    double value;
} lc_log;

/* How training stands, for callbacks. */
typedef struct lc_progress {
    lc_net *net;
    uint32_t epoch, epochs; /* from 0 */
    uint64_t step, steps;   /* of the epoch, from 0; steps 0: not known yet */
    const lc_log *logs;     /* means of the epoch so far; at its end with those of the validation */
    size_t log_count;
    double seconds; /* since the epoch began */
    double learning_rate;
    void (*print)(void *user, const char *text); /* lc_fit_options.print */
    void *print_user;
    bool stop;               /* set it: training ends after this call */
    bool show_learning_rate; /* set it when training begins: the logs of each epoch end with "learning_rate" */
    const char *resume;      /* set it when training begins: it goes on from this backup, if there is such a file */
    const char *backup;      /* set it: once all callbacks have been called, everything that training goes on from is saved there */
} lc_progress;

/* Hooks of training; each may be NULL. What they return other than LC_OK ends fit with that error. */
typedef struct lc_callback {
    lc_status (*on_train_begin)(void *user, lc_progress *p, lc_error *err);
    lc_status (*on_epoch_begin)(void *user, lc_progress *p, lc_error *err);
    lc_status (*on_batch_end)(void *user, lc_progress *p, lc_error *err);
    lc_status (*on_epoch_end)(void *user, lc_progress *p, lc_error *err);
    lc_status (*on_train_end)(void *user, lc_progress *p, lc_error *err);
    /* What it has seen, in one piece without pointers: *size bytes that a backup saves, and writes back when training goes on from it, after
     * on_train_begin. NULL: nothing. */
    void *(*memory)(void *user, size_t *size);
    void *user;
} lc_callback;

typedef struct lc_fit_options {
    uint32_t epochs;            /* 0: 1 */
    uint32_t initial_epoch;     /* epochs that are done already */
    uint64_t steps_per_epoch;   /* 0: all batches of the data */
    lc_pipeline *validation;    /* evaluated after each epoch; NULL: none */
    uint64_t validation_steps;  /* 0: all */
    uint32_t validation_freq;   /* every so many epochs; 0: 1 */
    const double *class_weight; /* of class i, for class_count classes; multiplies the weights of samples. NULL: 1 */
    uint32_t class_count;
    const lc_callback *callbacks; /* callback_count of them, called in their order */
    size_t callback_count;
    int32_t threads;                             /* 0: one a processor */
    uint64_t max_memory;                         /* of a step; 0: 8 GiB */
    void (*print)(void *user, const char *text); /* hears the progress that Keras prints, as it comes; NULL: nobody */
    void *print_user;
    int32_t verbose; /* of what is printed. 0: as 1; 1: a bar that moves; 2: a line an epoch */
    bool color;      /* the bar has the colours of Keras, as a terminal understands them */
} lc_fit_options;

/* What fit followed: series k has one value an epoch (NaN where it was not measured). Caller frees it with lc_history_destroy. */
typedef struct lc_history lc_history;
LC_API size_t lc_history_count(const lc_history *history);
LC_API const char *lc_history_name(const lc_history *history, size_t series);
/* Values of a series by name; *epochs: how many. NULL: there is none. */
LC_API const double *lc_history_get(const lc_history *history, const char *name, size_t *epochs);
LC_API void lc_history_destroy(lc_history *history); /* NULL is fine */

/* Trains on the batches of the pipeline: its x are the inputs, its y the targets, by name where they have names. history may be NULL. Errors:
 * LC_ARGUMENT: not compiled; LC_INVALID: data that does not fit the model (layer and both shapes), a loss that became NaN (the step and the layer
 * whose variable had it first); those of lc_pipeline_next. After an error the variables are those of the last good step. */
LC_API lc_status lc_fit(lc_net *net, lc_pipeline *data, const lc_fit_options *options, lc_history **history, lc_error *err);

/* How many steps the optimizer has made, those of the file it was read from too; 0: not compiled. */
LC_API uint64_t lc_net_step_count(const lc_net *net);
/* One step of one batch: *loss is its loss before the step. */
LC_API lc_status lc_train_on_batch(lc_net *net, const lc_batch *batch, double *loss, lc_error *err);

typedef struct lc_evaluate_options {
    uint64_t steps;  /* 0: all */
    int32_t threads; /* 0: one a processor */
    uint64_t max_memory;
} lc_evaluate_options;
/* The loss and the metrics over the data, in the order of names: *count numbers at *logs, which the net keeps until the next call. */
LC_API lc_status lc_evaluate(lc_net *net, lc_pipeline *data, const lc_evaluate_options *options, const lc_log **logs, size_t *count,
                             lc_error *err);
/* Outputs for all samples of the data (targets are not looked at): outputs[k] has their number as first dimension. Caller frees each with
 * lc_array_deinit. room: how many arrays there are; needs one for each output. */
LC_API lc_status lc_predict(lc_net *net, lc_pipeline *data, const lc_evaluate_options *options, lc_array *outputs, size_t room,
                            lc_error *err);

/* The rate of the next step, and another. LC_ARGUMENT: not compiled, or there is a schedule. */
LC_API double lc_net_learning_rate(const lc_net *net);
LC_API lc_status lc_net_set_learning_rate(lc_net *net, double rate, lc_error *err);

/* ---- transfer learning -------------------------------------------------------------------------------------------------- */

/* A model of its own that ends at this layer of `net`, with copies of its weights: lc_net_cut(net, "avg_pool", &base, &err), which goes into
 * another by lc_layer_make_model. "base/conv": a layer of a model within. In a graph (lc_net_from_model): the name of a tensor or operator, or a
 * scope, whose last operator is meant. Caller owns *base. LC_ARGUMENT: there is no such layer; the hint has the nearest name. */
LC_API lc_status lc_net_cut(lc_net *net, const char *layer, lc_net **base, lc_error *err);

/* What a model that does not learn gives for all samples of the data, worked out once: inputs of a head that then trains without the model
 * before it. Of any model that lc_convert reads, or of a net as it is now. */
typedef struct lc_features lc_features;
LC_API lc_status lc_features_of_net(lc_net *base, lc_pipeline *data, const lc_evaluate_options *options, lc_features **features,
                                    lc_error *err);
LC_API lc_status lc_features_of_model(lc_model *base, lc_pipeline *data, const lc_evaluate_options *options, lc_features **features,
                                      lc_error *err);
/* For lc_pipeline_from_arrays: x are the outputs of the model, y and weights those of the data. Borrowed of the features. */
LC_API lc_pipeline_arrays lc_features_arrays(const lc_features *features);
LC_API void lc_features_destroy(lc_features *features); /* NULL is fine */

/* ---- save ----------------------------------------------------------------------------------------------------------- */

typedef struct lc_net_save_options {
    bool no_optimizer; /* without the optimizer's state */
} lc_net_save_options;
/* By the name's end, in letters of either case: .keras, .h5, .hdf5 (whole models with the optimizer's state), .weights.h5 (weights alone), .tflite;
 * NAME or NAME/: a SavedModel; .ckpt: a checkpoint of TensorFlow 1 with its graph beside it (NAME.ckpt.meta, .index, .data-...), with the optimizer's
 * state as tf.train has it: dense/kernel/Adam, beta1_power, global_step. A model of Keras 2 is saved as Keras 2 (tf_keras) writes it, in .keras, .h5
 * and .weights.h5. Whole or not at all. Errors: LC_ARGUMENT: another end; those of writing. */
LC_API lc_status lc_net_save(lc_net *net, const char *path, const lc_net_save_options *options, lc_error *err);
/* Whether lc_net_save knows the format: to be asked before a long training. LC_ARGUMENT: it does not. */
LC_API lc_status lc_net_can_save(const char *path, lc_error *err);
/* Whether this model can be saved so, too: one with a graph of a TensorFlow or .tflite file in it (lc_net_from_model) is no .keras or .h5 file.
 * LC_UNSUPPORTED: it cannot. */
LC_API lc_status lc_net_can_save_as(lc_net *net, const char *path, lc_error *err);
/* A .tflite file that a device goes on training with, in builtin operators and variables alone. Signatures: train (the inputs by name and y, of
 * `batch` samples, 0: 1; gives loss), infer (any batch), save (gives all variables), restore (takes them). The optimizer and loss are those the
 * model is compiled with: SGD or Adam; cross entropies or mean squared error. Errors: LC_UNSUPPORTED: what has no such form, with the layer. path NULL: nothing
 * is written, to be asked before a long training. */
LC_API lc_status lc_net_save_trainable(lc_net *net, const char *path, uint32_t batch, lc_error *err);
/* Weights of a file into the variables: .weights.h5, .h5 or .keras of the same architecture; a checkpoint of TensorFlow (its prefix) or a SavedModel,
 * where variables are found by their names, and of TensorFlow 1's the optimizer's state is taken, too, if the net is compiled and all of it is
 * there. A file that does not fit changes nothing. */
LC_API lc_status lc_net_load_weights(lc_net *net, const char *path, lc_error *err);
typedef struct lc_quantize_aware_options {
    double ema_decay; /* of the moving averages that the ranges of activations are; 0: 0.999 */
} lc_quantize_aware_options;
/* From here on training computes as the int8 model will (quantisation-aware training; the defaults of tfmot): kernels of Dense and convolutions are
 * rounded to symmetric steps of each channel, activations to 256 steps of ranges that follow the batches; these also in evaluation and prediction. Train for an
 * epoch or more after it; what lc_net_convert makes is then an integer model, without samples, and so is a .tflite file. Recurrent layers and
 * attention are rounded at their inputs only, and stay float inside. Called again, the ranges begin anew. .keras files do not keep the ranges.
 * options may be NULL. Errors: LC_ARGUMENT: a decay of 1 or more; those of lc_net_build. */
LC_API lc_status lc_net_quantize_aware(lc_net *net, const lc_quantize_aware_options *options, lc_error *err);
/* The model as it is now for running: what lc_convert makes of the saved file. Caller owns *model; it does not change with the net. */
LC_API lc_status lc_net_convert(lc_net *net, const lc_convert_options *options, lc_model **model, lc_error *err);

#ifdef __cplusplus
}
#endif
#endif
