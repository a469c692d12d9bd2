/*
 * net.h: the inside of a model that learns.
 *
 *   net.c           from a description or a file to lc_keras_model and variables
 *   net_compile.c   optimizer, losses, metrics
 *   net_step.c      the graph of one training step, and its session
 *   net_fit.c       epochs, callbacks                 net_print.c   what fit prints        net_history.c   what it followed
 *   net_backup.c    a training into a file, to go on from there             callback.c    those of Keras
 *   net_run.c       evaluate and predict
 *   net_penalty.c   activity regularisers
 *   net_blame.c     the line of a text that an error is about
 *   net_quantize.c  quantisation-aware training
 *   net_state.c     the optimizer's state from a file of any Keras
 *   net_checkpoint.c  ... and from and to a checkpoint of TensorFlow
 *   net_save.c      to files and to an lc_model
 *   net_transfer.c  a model as a layer of another, or cut at a layer        features.c    or as a fixed function
 *   net_graph.c     a SavedModel, a frozen graph, a .tflite file as a net: net_graph.h, a map
 *   net_adapt.c     statistics of data for a Normalization layer
 *
 * The model is its Keras configuration (lc_keras_model and the JSON it was read from) and the arrays of its layers. Arrays of floats are
 * variables: float32, aligned, owned by the net, changed where they lie; lc_keras_weight.data points at them, so that a lowering of the model
 * always sees their present values. A graph is made for each size of a batch and kept as long as nothing but values changes.
 */
#ifndef LC_API_NET_H
#define LC_API_NET_H

#include "base/pool.h"
#include "grad/grad.h"
#include "litec/train.h"
#include "lower/keras.h"
#include "lower/penalty.h"
#include "ops/op.h"
#include "source/keras_read.h"
#include "train/describe.h"
#include "train/loss.h"
#include "train/metric.h"
#include "train/optimizer.h"

/* Most inputs, and most outputs, of a model that trains: what goes by input or output has so much room. */
enum { LC_NET_MOST = 64 };

typedef struct lc_net_step lc_net_step;
typedef struct lc_net_given lc_net_given;
typedef struct lc_net_graph lc_net_graph;

struct lc_net {
    lc_description described; /* until it is built */
    bool is_described;
    lc_limits limits;
    uint64_t seed;
    lc_arena arena;
    lc_budget budget;
    lc_map map;
    lc_keras_maps maps;
    lc_keras_model *keras; /* NULL: not built */
    const lc_json *config; /* the whole configuration */
    lc_variable *variables;
    lc_net_variable *shown; /* the same for the caller */
    uint32_t variable_count, variable_capacity;
    lc_net_given *given;  /* variables of models that are layers here, until it is built */
    lc_net_graph *graphs; /* that layers of its configuration name (net_graph.h) */
    uint32_t made;        /* variables initialised so far: each draws from a stream of its own */

    /* compiled */
    const lc_json *compiled; /* {"optimizer", "loss", "loss_weights", "metrics"} as Keras serialises it; NULL: not compiled */
    lc_optimizer *optimizer;
    lc_loss **losses;    /* [outputs]; NULL: nothing is learned from it */
    uint32_t loss_count; /* that are there */
    float *loss_weights;
    lc_metric **metrics; /* [metric_count], of output metric_output[i] */
    uint32_t *metric_output, metric_count;
    bool *metric_weighted;     /* it counts samples by their weights */
    const char **metric_names; /* as Keras shows them: "out_accuracy", "accuracy_1", "weighted_mae" */
    const char **loss_names;   /* [outputs] "out_loss" */
    lc_error uncompiled;       /* why what the file says of compile() cannot be used; status LC_OK: it says nothing */

    lc_net_step *steps; /* kept graphs, the latest first */
    lc_pool *pool;
    int32_t threads;
    struct lc_net_ranges *ranges; /* of quantisation-aware training (net_quantize.c); NULL: nothing is rounded */
    lc_log *logs;                 /* of the last evaluation */
};

/* The numbers a session of training or inference needs. */
typedef struct lc_net_shapes {
    uint32_t rows;
    const lc_array *x; /* [inputs] their shapes; NULL: those of the model */
} lc_net_shapes;

enum { LC_NET_PENALTY_STEP = 16 }; /* floats from one penalty to the next: tensors begin at 64 bytes */

/* One training step at one size of the batch: forward, loss, backward. */
struct lc_net_step {
    lc_net_step *next;
    lc_model *model;
    lc_session *session;
    uint32_t rows;
    lc_shape *shapes;           /* [inputs] of the model's inputs */
    int32_t *x;                 /* [inputs] which input of the session each is */
    int32_t counter;            /* the session's input for random numbers; -1: none */
    void *ops;                  /* [outputs] the losses (net_step.c) */
    int32_t masks[LC_NET_MOST]; /* of output k: the session's output that is Keras's mask of it; -1: none */
    float *penalties;           /* [penalty_count * LC_NET_PENALTY_STEP] what activity regularisers add, over all rows */
    uint32_t penalty_count;
    float **grads; /* [variables] where each gradient lies, owned; NULL: the loss does not depend on it */
};

/* A batch and which of its arrays goes where. */
typedef struct lc_net_feed {
    const lc_batch *batch;
    const uint32_t *x, *y; /* [inputs], [outputs] */
    const float *weight;   /* [rows]; NULL: 1 */
} lc_net_feed;

/* The step for batches like this one; made when there is none. */
lc_status lc_net_step_get(lc_net *net, const lc_net_feed *feed, uint64_t max_memory, lc_net_step **step, lc_error *err);
/* Forgets all graphs: something other than values has changed. */
void lc_net_steps_forget(lc_net *net);
/* Runs it: gradients are in the variables, *loss is the sum over outputs and regularisers. The optimizer has not moved yet. number: of the step,
 * for random operators. */
lc_status lc_net_step_run(lc_net *net, lc_net_step *step, const lc_net_feed *feed, uint64_t number, double *loss, lc_error *err);
/* Of the last run: what output k was, its loss before it is weighed. */
lc_array lc_net_step_prediction(const lc_net_step *step, uint32_t k);
double lc_net_step_loss(const lc_net_step *step, uint32_t k);
/* Which rows of output k count, as Keras's mask of it says: what a session's output is. */
lc_mask lc_net_mask_of(const lc_session *session, int32_t output);
lc_mask lc_net_step_mask(const lc_net_step *step, uint32_t k);

/* LC_LIMIT: the model has more than LC_NET_MOST inputs or outputs. lc_net_match and lc_net_run_open look, too. */
lc_status lc_net_ports_fit(const lc_net *net, lc_error *err);
/* Which array of the batch each input (target) takes; places[LC_NET_MOST]. By name where the pipeline's parts have names, else in order. */
lc_status lc_net_match(const lc_net *net, const lc_pipeline *data, bool targets, uint32_t *places, lc_error *err);
/* The same memory as an array. */
lc_array lc_net_array_of(const lc_tensor_view *view);
/* Copies numbers of one type into those of another. LC_INVALID: types that do not go together. */
lc_status lc_net_copy(lc_dtype to_type, void *to, lc_dtype from_type, const void *from, size_t n, lc_error *err);
/* "dense_1": the name of output k. */
const char *lc_net_output_name(const lc_net *net, uint32_t k);
/* Means over an epoch: of the losses here, of the metrics in themselves. */
typedef struct lc_net_sums {
    double loss,
        outputs[LC_NET_MOST]; /* loss: times rows; of each output: without its weight in the loss, a batch like any other (as Keras) */
    uint64_t rows, batches;
} lc_net_sums;
void lc_net_sums_reset(lc_net *net, lc_net_sums *sums);
lc_status lc_net_sums_add(lc_net *net, lc_net_sums *sums, const lc_target *targets, uint32_t rows, double loss, const double *losses,
                          lc_error *err);
/* Writes them by the order of their names into logs, which has room for lc_net_log_most. Returns how many. */
size_t lc_net_sums_logs(lc_net *net, const lc_net_sums *sums, lc_log *logs);
size_t lc_net_log_most(const lc_net *net);

/* net_history.c */
struct lc_history {
    size_t epochs, series;
    size_t capacity; /* epochs there is room for */
    char **names;
    double **values;
};
/* Where the series of this name is; made when there is none. */
lc_status lc_history_series(lc_history *history, const char *name, size_t *at, lc_error *err);
/* One more epoch. */
lc_status lc_history_add(lc_history *history, const lc_log *logs, size_t n, lc_error *err);

/* All that changes in a training, but for what the net itself has. */
typedef struct lc_net_course {
    lc_pipeline *data;
    const lc_callback *callbacks;
    size_t callback_count;
    lc_progress *p;
    lc_net_sums *sums;
    lc_history *history;
    bool in_epoch; /* p->step has been done; else the epoch before p->epoch has */
    bool cut;      /* epochs do not end where the data does */
} lc_net_course;
/* Saves a training between two steps: a .keras file that has the rest in a member of its own; whole or not at all. */
lc_status lc_net_backup(lc_net *net, const lc_net_course *course, const char *path, lc_error *err);
/* The same training goes on from there. LC_ARGUMENT: the backup is that of another. */
lc_status lc_net_resume(lc_net *net, lc_net_course *course, const char *path, lc_error *err);

/* lc_net_save with a member of a .keras file that only litec reads; data NULL: none. */
lc_status lc_net_save_more(lc_net *net, const char *path, const lc_net_save_options *options, lc_str more, lc_error *err);

/* What activity regularisers add: values[i] a scalar, the sum over the batch of penalty i; seeds[i] its gradient a sample (NULL: not wanted). */
lc_status lc_net_penalties(lc_builder *b, const lc_penalties *p, uint32_t rows, int32_t *values, lc_grad_seed *seeds);

/* The model as it is now, ready to run. */
typedef struct lc_net_runner {
    lc_model *model;
    lc_session *session;
    int32_t masks[LC_NET_MOST];      /* as lc_net_step.masks */
    uint32_t logits[LC_NET_MOST];    /* of output k: the session's output that its loss reads */
    uint32_t penalty, penalty_count; /* the session's outputs that activity regularisers are */
} lc_net_runner;
lc_status lc_net_run_open(lc_net *net, int32_t threads, uint64_t max_memory, lc_net_runner *r, lc_error *err);
void lc_net_run_close(lc_net_runner *r);
lc_status lc_net_run_batch(lc_net *net, lc_net_runner *r, const lc_batch *batch, const uint32_t *places, lc_error *err);
lc_array lc_net_run_output(const lc_net_runner *r, uint32_t k);
lc_status lc_net_evaluate(lc_net *net, lc_pipeline *data, const lc_evaluate_options *o, lc_net_sums *sums, lc_error *err);
/* A loss that goes by the shapes of targets and outputs ("crossentropy") becomes one that is known. */
void lc_net_decide_loss(lc_net *net, const lc_graph *graph, uint32_t k, const lc_array *y_true);
/* The tensor of the graph that the loss of output k reads: what goes into the activation it would undo, else the output. */
int32_t lc_net_read_by_loss(lc_net *net, const lc_graph *graph, uint32_t k);

/* The rounding that a lowering of the net does, in *room; NULL: none. */
struct lc_rounding *lc_net_rounding(lc_net *net, struct lc_rounding *room);
void lc_net_ranges_free(lc_net *net);
/* The ranges so far, to be saved: the list begins at NULL, which gives the first; *range [3]. NULL: there is no more (or net does not round). And
 * back: the memory of a name's range, made where there is none yet; NULL: err says why. decay: of the moving averages; NULL: nothing is rounded. */
const void *lc_net_range_next(const lc_net *net, const void *last, const char **name, const float **range);
float *lc_net_range_of(lc_net *net, const char *name, lc_error *err);
const float *lc_net_ranges_decay(const lc_net *net);

/* Appends the rows of an array; *room bytes are allocated, and grow by doubling. */
lc_status lc_net_append(lc_array *to, size_t *room, const lc_array *part, lc_error *err);

/* lc_net_from_json of a configuration that may name graphs of this net. */
lc_status lc_net_from_json_with(const char *json, size_t size, const lc_net_options *options, const lc_net *other, lc_net **net,
                                lc_error *err);

/* net_transfer.c: a model as a layer of the description of `net`, which gets its variables when it is built: lc_net_given_take. */
int32_t lc_net_put_model(lc_net *net, lc_description *d, const lc_net *model);
lc_status lc_net_given_take(lc_net *net, lc_error *err);
void lc_net_given_end(lc_net *net);

/* net_blame.c: an error about a model that was written as text bears the line of the layer that it names. Returns status. */
lc_status lc_net_blame(const lc_net *net, lc_status status, lc_error *err);

/* The variable whose values lie at `data`; NULL: there is none. */
lc_variable *lc_net_variable_of(lc_net *net, const void *data);

/* The state of the optimizer as a file has it, of any version of Keras; all of it or nothing: *why says why not (NULL: it was taken, or there is
 * none), in the net's arena. The net is compiled with the file's optimizer. LC_NO_MEMORY. */
struct lc_keras_state;
lc_status lc_net_take_slots(lc_net *net, const struct lc_keras_state *state, const char **why, lc_error *err);
/* Whether the model's configuration is one of Keras 2: it is saved so, too. */
bool lc_net_is_keras2(const lc_net *net);

/* Nadam's product of momenta as it is after the steps that were done: not every file has it. */
void lc_net_settle_product(lc_net *net);

/* net_checkpoint.c: appends the optimizer's state to the variables of a checkpoint; *list is made anew in the arena. LC_UNSUPPORTED: it has no form
 * there. */
struct lc_emit_variable;
lc_status lc_net_list_slots(const lc_net *net, lc_arena *arena, struct lc_emit_variable **list, uint32_t *n, lc_error *err);
/* A prefix of a checkpoint, its .index, a folder. */
bool lc_net_is_checkpoint(const char *path);
/* Its numbers into the variables, and into the optimizer where the net is compiled and the checkpoint has the state of this optimizer. */
lc_status lc_net_load_checkpoint(lc_net *net, const char *path, lc_error *err);

/* What a file that knows variables by their names calls it: its path, with its number behind it where another has the path before it (models
 * within models). In the arena or the net; NULL: memory is out. */
const char *lc_net_unique_path(const lc_net *net, const lc_variable *v, lc_arena *arena);

/* LC_ARGUMENT: it is not. */
lc_status lc_net_is_compiled(const lc_net *net, lc_error *err);
lc_status lc_net_make_compiled(lc_net *net, const lc_json *compiled, lc_error *err);
/* A batch whose inputs have the shapes that the model states; one more or less dimension of 1 at the end is set right. */
typedef struct lc_net_fitted {
    lc_batch batch;
    lc_array x[LC_NET_MOST];
} lc_net_fitted;
lc_status lc_net_fit_inputs(const lc_net *net, const lc_batch *batch, const uint32_t *places, lc_net_fitted *f, lc_error *err);

/* That validation data has what the model needs, and targets as the data it learns from. */
lc_status lc_net_fit_validation(const lc_net *net, const lc_pipeline *data, const lc_pipeline *validation, lc_error *err);

/* Which variables learn, by the layers' configurations. */
lc_status lc_net_roles(lc_net *net, lc_error *err);
void lc_net_compiled_deinit(lc_net *net);
/* A pool of so many threads (0: one a processor), kept by the net. */
lc_status lc_net_pool(lc_net *net, int32_t threads, lc_error *err);

#endif
