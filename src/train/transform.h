/*
 * transform.h: what happens to a sample on its way into a batch (lc_transform of litec/pipeline.h).
 */
#ifndef LC_TRAIN_TRANSFORM_H
#define LC_TRAIN_TRANSFORM_H

#include "train/supply.h"

/* A transformation that was checked, and the part of the sample that it is for. */
typedef struct lc_prepared {
    lc_transform how;
    uint32_t part;
    uint32_t number; /* in the list, from 1, for messages */
} lc_prepared;

/* Checks and copies a list into the arena. LC_ARGUMENT. */
lc_status lc_transforms_prepare(const lc_transform *list, const lc_supply *supply, lc_arena *arena, lc_prepared **out, size_t *count,
                                lc_error *err);
/* LC_INVALID: the sample does not fit; LC_NO_MEMORY; what a function of the caller returns. */
lc_status lc_transforms_apply(const lc_prepared *list, size_t count, lc_sample *sample, lc_error *err);

/* The name of Keras and its arguments' struct in messages. */
const char *lc_transform_name(lc_transform_op op);
lc_status lc_transform_misfit(const lc_prepared *p, const lc_array *a, const char *wanted, lc_error *err);

/* Numbers of an array as floats. False for a type without numbers. */
bool lc_array_to_floats(const lc_array *a, float *out);
/* The part as float32 of the same shape, which may be changed; NULL with a failure in *status. */
float *lc_sample_floats(const lc_prepared *p, lc_sample *sample, lc_status *status, lc_error *err);

/* Those of pictures (picture.c). */
lc_status lc_picture_resize(const lc_prepared *p, lc_sample *sample, lc_error *err);
lc_status lc_picture_crop(const lc_prepared *p, lc_sample *sample, lc_error *err);
lc_status lc_picture_flip(const lc_prepared *p, lc_sample *sample, lc_error *err);
lc_status lc_picture_warp(const lc_prepared *p, lc_sample *sample, lc_error *err);

#endif
