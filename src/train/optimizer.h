/*
 * optimizer.h: the optimizers of Keras, one step of all variables from their gradients, and their state as the named arrays that Keras saves.
 *
 *   optimizer.c           what all have: clipping, accumulation, weight decay, moving averages, constraints, the state
 *   optimizer_<family>.c  a function that reads options and names the slots, and one that updates a piece of a variable
 *   optimizers.def        the list
 *
 * All arithmetic is float32 in the order Keras has it. Norms are summed in double over fixed pieces, so a step is the same whatever the
 * number of threads.
 */
#ifndef LC_TRAIN_OPTIMIZER_H
#define LC_TRAIN_OPTIMIZER_H

#include "base/pool.h"
#include "train/variable.h"

typedef struct lc_optimizer lc_optimizer;

/* An array of the state. */
typedef struct lc_slot {
    const char *name;            /* "iteration", "learning_rate", "dense_kernel_momentum" */
    const char *state;           /* "momentum": what it is of its variable (state_names.h); NULL: it is of none */
    const lc_variable *variable; /* NULL: it is of none */
    lc_dtype type;               /* INT64: iteration; else FLOAT32 */
    void *data;
    size_t n;
    int32_t rank, dims[LC_MAX_RANK];
} lc_slot;

/* object: JSON of keras.optimizers, or a name. The variables are borrowed and must stay, with their arrays; variables that are not trainable
 * have no state. LC_ARGUMENT: what Keras refuses, too; LC_NO_MEMORY. */
lc_status lc_optimizer_create(const lc_json *object, const lc_variable *variables, uint32_t count, lc_optimizer **optimizer, lc_error *err);
void lc_optimizer_destroy(lc_optimizer *optimizer);
/* One update of all variables. Gradients are used up: clipping and accumulation write into them. */
void lc_optimizer_step(lc_optimizer *optimizer, lc_pool *pool);
/* The first variable (NULL: none) whose gradient has a NaN or an infinity. */
const lc_variable *lc_optimizer_not_finite(const lc_optimizer *optimizer, lc_pool *pool);
/* Variables whose name (the end of the path) contains one of the words keep out of the weight decay. Words are separated by spaces. */
void lc_optimizer_exclude_from_weight_decay(lc_optimizer *optimizer, const char *words);
/* The state in Keras's order. It may be written: that is how it is loaded. */
const lc_slot *lc_optimizer_slots(lc_optimizer *optimizer, uint32_t *count);
/* "Adam" */
const char *lc_optimizer_class(const lc_optimizer *optimizer);
/* Adam and its kin: the betas; false: it has none. */
bool lc_optimizer_betas(const lc_optimizer *optimizer, double betas[2]);
bool lc_optimizer_has_schedule(const lc_optimizer *optimizer);
int64_t lc_optimizer_iteration(const lc_optimizer *optimizer);
/* What the gradients are expected to be multiplied by: loss_scale_factor; 1. */
float lc_optimizer_loss_scale(const lc_optimizer *optimizer);
/* The rate of the next step. */
float lc_optimizer_learning_rate(const lc_optimizer *optimizer);
/* LC_ARGUMENT: there is a schedule. */
lc_status lc_optimizer_set_learning_rate(lc_optimizer *optimizer, float rate, lc_error *err);
/* With use_ema: the variables become their moving averages, as Keras does after the last epoch. */
void lc_optimizer_finalize(lc_optimizer *optimizer);

#endif
