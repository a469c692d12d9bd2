/*
 * pipeline.h: inside a pipeline.
 *
 *   supply.c     where samples come from: arrays, functions; random numbers        order.c      which sample comes next
 *   stored.c     samples that are kept: the cache, the buffer of the shuffling      transform.c, picture.c   what is done to one
 *   produce.c    batches, one after the other                                      pipeline.c   the calls, and the thread that makes batches ahead
 *
 * Everything but the slots belongs to who makes batches: the thread, when there is one, else the caller. A slot goes from one to the other under
 * the lock.
 */
#ifndef LC_TRAIN_PIPELINE_H
#define LC_TRAIN_PIPELINE_H

#include "base/pool.h"
#include "train/order.h"
#include "train/transform.h"

#include <pthread.h>
#include <stdatomic.h>

/* A sample that is kept, in one block. */
typedef struct lc_stored {
    uint64_t index;
    size_t size; /* of the block */
    float weight;
    lc_array values[]; /* of each part */
} lc_stored;

/* A batch that is made, or why it could not be. */
typedef struct lc_slot {
    lc_array *parts; /* [parts] memory for a full batch; dims[0] and size are those of the rows */
    float *weight;
    uint64_t *of;
    uint32_t rows;           /* 0 and no failure: the epoch is over */
    lc_pipeline_state after; /* where the pipeline stands once the caller has it */
    uint64_t skipped;        /* since the pipeline was opened */
    char last[300];          /* what was wrong with the last of them */
    lc_status status;
    lc_error err;
} lc_slot;

struct lc_pipeline {
    lc_supply supply;
    lc_pipeline_options o; /* with the defaults filled in */
    lc_arena arena;
    lc_prepared *map;
    size_t map_count;
    uint32_t parts;
    lc_array *shape; /* [parts] of a sample in a batch */
    size_t row_bytes;
    lc_view view;
    lc_order order;
    lc_pool *pool;
    int32_t threads;
    lc_sample *scratch; /* [threads] */
    lc_budget budget;   /* its limits */
    _Atomic uint64_t kept;

    bool any_order;     /* positions can be read as they are drawn: from the supply or from the cache */
    bool load, loaded;  /* all samples go into the cache before the first batch */
    lc_stored **cache;  /* [supply.count]; NULL: none */
    lc_stored **held;   /* [order.room] read in order, to be drawn from; NULL: any_order */
    lc_stored **taken;  /* [batch] drawn from these, for the batch that is made */
    uint64_t reading;   /* the sample that the supply gives next */
    bool ended;         /* it has no more */
    uint64_t *position; /* [batch] samples of the batch that is made */
    bool *bad;          /* [batch] */
    bool checked;       /* an epoch was looked through for NaN and labels: the next ones have the same samples */
    bool from_start;    /* the epoch that is made began at its beginning */
    uint64_t epoch, batches, skipped;
    uint64_t print; /* lc_pipeline_state.print */
    char last[300];

    lc_slot *slots; /* [slot_count] */
    uint32_t slot_count;
    lc_pipeline_state now; /* of the caller */
    lc_slot *with_caller;  /* the slot of the last batch; NULL: none */
    uint64_t seen;         /* skipped, of that slot */
    char seen_last[300];
    bool failed;
    lc_error why;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool running, stop;
    uint64_t made, given; /* slots, since the thread began; given back by the caller */
};

/* ---- stored.c ------------------------------------------------------------------------------------------------------- */

/* A copy of the sample as it is; LC_LIMIT when too much is kept. */
lc_status lc_stored_make(lc_pipeline *p, const lc_sample *sample, lc_stored **out, lc_error *err);
void lc_stored_free(lc_pipeline *p, lc_stored *stored); /* NULL is fine */
void lc_stored_lend(const lc_stored *stored, lc_sample *sample);
/* Reads all samples of a supply in order into the cache. */
lc_status lc_cache_load(lc_pipeline *p, lc_error *err);
/* The next sample of an epoch that is read in order; NULL: there are no more. */
lc_status lc_held_take(lc_pipeline *p, lc_stored **out, lc_error *err);
lc_status lc_held_rewind(lc_pipeline *p, lc_error *err);
/* Reads the next samples of the view until one can be read; NULL: there are no more. */
lc_status lc_read_next(lc_pipeline *p, lc_stored **out, lc_error *err);

/* ---- produce.c -------------------------------------------------------------------------------------------------------- */

/* Reads a sample from the supply. */
lc_status lc_read_sample(lc_pipeline *p, uint64_t index, lc_sample *sample, bool *end, lc_error *err);
/* Whether a failed sample may be left out: it is the sample's fault. */
bool lc_is_corrupt(const lc_pipeline *p, lc_status status);
/* Counts a sample that is left out. */
void lc_skip(lc_pipeline *p, const lc_error *err);
/* Finds type and shape of the parts by the first sample. */
lc_status lc_probe(lc_pipeline *p, lc_error *err);
/* Stands at this place of an epoch. */
lc_status lc_produce_from(lc_pipeline *p, const lc_pipeline_state *state, lc_error *err);
/* Makes the next batch; its failure is in the slot. */
void lc_produce(lc_pipeline *p, lc_slot *slot);

#endif
