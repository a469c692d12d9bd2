/*
 * optimizer_impl.h: what a family of optimizers sees.
 */
#ifndef LC_TRAIN_OPTIMIZER_IMPL_H
#define LC_TRAIN_OPTIMIZER_IMPL_H

#include "base/clones.h"
#include "train/config.h"
#include "train/optimizer.h"
#include "train/schedule.h"

#include <math.h>

#define LC_MOST_STATES 3

struct lc_update; /* optimizer_graph.c */

/* A piece of a variable. */
typedef struct lc_piece {
    float *restrict value;
    const float *restrict grad;
    float *restrict state[LC_MOST_STATES]; /* in the order the setup named them; NULL: it did not */
    size_t n;
} lc_piece;

/* A state that each variable has: its name, how it begins, and whether its arrays follow those of the state before it variable by variable
 * (Keras creates some together and some one after the other, and saves them in that order). */
typedef struct lc_state_kind {
    const char *name; /* NULL: there is none */
    float first;
    bool with_last;
} lc_state_kind;

/* A trainable variable and its state. */
struct lc_member {
    const lc_variable *variable;
    int64_t first_piece;
    float *average, *accumulated, *state[LC_MOST_STATES];
    float scale; /* of the gradient, from clipping */
    bool decays;
};

struct lc_optimizer {
    const char *class_name;
    /* set by the family */
    lc_state_kind states[LC_MOST_STATES];
    float a[6];       /* options in the family's order */
    bool flag;        /* nesterov, amsgrad, centered */
    bool has_product; /* Nadam's product of momenta is saved behind all others */
    void (*update)(const lc_optimizer *o, const lc_piece *piece);
    int32_t (*append)(struct lc_update *u);
    /* of this step */
    float rate, step; /* step: counts from 1 */
    float product;
    /* common */
    float weight_decay, clipnorm, clipvalue, global_clipnorm, loss_scale; /* NaN: none */
    bool use_ema;
    float ema_momentum;
    int64_t ema_overwrite, accumulate; /* 0: none */
    bool has_schedule;
    lc_schedule schedule;
    float learning_rate;
    int64_t iteration;
    uint32_t count;
    struct lc_member *members; /* [count]: the trainable variables */
    int64_t pieces;            /* of all members */
    double *partial;           /* [pieces] */
    lc_slot *slots;
    uint32_t slot_count;
    char *names;
    float *memory; /* of all arrays */
};

#define LC_OPTIMIZER(class, setup, update, append) \
    void setup(lc_optimizer *o, lc_config *c); \
    void update(const lc_optimizer *o, const lc_piece *p); \
    int32_t append(struct lc_update *u);
#include "train/optimizers.def"

/* LC_UPDATE(adam) { ... } is lc_adam_update. What is cloned stays within its file: its other names would be exported. */
#define LC_UPDATE(name) \
    LC_CLONES static void name##_piece(const lc_optimizer *o, const lc_piece *p); \
    void lc_##name##_update(const lc_optimizer *o, const lc_piece *p) { name##_piece(o, p); } \
    LC_CLONES static void name##_piece(const lc_optimizer *o, const lc_piece *p)

#endif
