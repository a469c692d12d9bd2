/*
 * supply.h: what a pipeline draws samples from, and a sample on its way through it. The pipeline (pipeline.h) knows nothing of files: arrays and
 * functions of the caller are in supply.c, files are joined in src/api/pipeline.c.
 */
#ifndef LC_TRAIN_SUPPLY_H
#define LC_TRAIN_SUPPLY_H

#include "base/base.h"
#include "litec/pipeline.h"

/* ---- random numbers ----------------------------------------------------------------------------------------------- */

/* A sequence that is a function of these four alone: equal on every machine and in every thread. */
typedef struct lc_dice {
    uint64_t seed, index;
    uint32_t epoch, stream;
    uint32_t at; /* numbers that were drawn */
} lc_dice;
uint64_t lc_dice_word(lc_dice *dice);
double lc_dice_real(lc_dice *dice);                 /* in [0, 1) */
double lc_dice_between(lc_dice *dice, double most); /* in [-most, most) */
/* In [0, n), n over 0. As many words are drawn whatever comes. */
uint64_t lc_dice_below(lc_dice *dice, uint64_t n);
/* What streams are for. */
enum { LC_DICE_ORDER, LC_DICE_SPLIT, LC_DICE_MAP };

/* ---- samples ------------------------------------------------------------------------------------------------------- */

/* One input or target of a sample. Its bytes are borrowed, or in one of two blocks of its own, which it uses in turn and keeps. */
typedef struct lc_sample_part {
    lc_array value;
    void *own[2];
    size_t room[2];
    int turn; /* the block that is written next */
} lc_sample_part;

struct lc_sample {
    lc_sample_part *parts; /* [count] */
    uint32_t count, x_count;
    uint64_t index;
    float weight;
    lc_dice dice;
};

/* A sample of no more than these parts; freed with lc_sample_deinit, also when this failed. */
lc_status lc_sample_init(lc_sample *sample, uint32_t x_count, uint32_t y_count, lc_error *err);
void lc_sample_deinit(lc_sample *sample); /* a zeroed one is fine */
/* The part becomes these bytes, which are not copied. */
void lc_sample_lend(lc_sample *sample, uint32_t part, const lc_array *value);
/* Bytes of an array of this type and shape; false when it has no such bytes, or too many. */
bool lc_sample_size(lc_dtype type, const int32_t *dims, int32_t rank, size_t *size);

/* What a function of the caller returned; a failure without a message gets one. err was cleared before. */
lc_status lc_of_caller(lc_status status, const char *what, lc_error *err);

/* "float32[28,28]" */
typedef struct lc_shape_name {
    char text[160];
} lc_shape_name;
lc_shape_name lc_shape_of(const lc_array *a);

/* ---- supplies -------------------------------------------------------------------------------------------------------- */

typedef struct lc_supply {
    void *user;
    uint64_t count; /* samples; UINT64_MAX: not known before the end */
    bool any_order; /* samples can be read in any order, and by several threads at once; else from 0 on, by one, after rewind */
    uint32_t x_count, y_count;
    bool weighted;
    bool changes;             /* another epoch may have other samples */
    const char *const *names; /* [x_count + y_count], each may be NULL; live as long as the supply */
    /* Sets every part of the sample and, when weighted, its weight. What it lends lives until the next read, of any order until close. A
     * failed read has passed its sample by: the next one can be read. *end: there are no more. */
    lc_status (*read)(void *user, uint64_t index, lc_sample *sample, bool *end, lc_error *err);
    lc_status (*rewind)(void *user, lc_error *err); /* NULL when any_order */
    /* Writes where a sample comes from, "cats/3.png", for messages; NULL: nothing but its number is known. */
    void (*where)(void *user, uint64_t index, char *text, size_t size);
    const char *(*class_name)(void *user, int64_t label); /* NULL: classes have no names */
    void (*close)(void *user);
} lc_supply;

/* The pipeline takes the supply, and closes it when this fails. */
lc_status lc_pipeline_open(const lc_supply *supply, const lc_pipeline_options *options, lc_pipeline **pipeline, lc_error *err);

#endif
