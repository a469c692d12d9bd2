/*
 * schedule.h: learning rate schedules of keras.optimizers.schedules: the rate as a function of the step, which counts batches from 0.
 */
#ifndef LC_TRAIN_SCHEDULE_H
#define LC_TRAIN_SCHEDULE_H

#include "base/json.h"
#include "litec/train.h"

#define LC_SCHEDULE_VALUES 64

struct lc_builder;
typedef struct lc_schedule lc_schedule;
struct lc_schedule {
    float (*rate)(const lc_schedule *s, int64_t step);
    int32_t (*append)(const lc_schedule *s, struct lc_builder *b, int32_t step); /* the same as operators */
    float initial, steps, decay, end, power, alpha, target, warmup;              /* what of these the schedule has */
    bool staircase, cycle;
    uint32_t count; /* of values: one more than boundaries */
    double boundaries[LC_SCHEDULE_VALUES], values[LC_SCHEDULE_VALUES];
};

/* LC_ARGUMENT: an argument is missing or out of its range. */
lc_status lc_schedule_read(const lc_json *object, lc_schedule *schedule, lc_error *err);
float lc_schedule_rate(const lc_schedule *schedule, int64_t step);

#endif
