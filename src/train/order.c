/*
 * order.c: the order of samples (order.h).
 */
#include "train/order.h"

#include <math.h>

/* ---- views --------------------------------------------------------------------------------------------------------- */

static lc_status bad_option(const char *what, const char *hint, lc_error *err) {
    lc_fail(err, LC_ARGUMENT, "pipeline: %s", what);
    lc_error_hint(err, "%s", hint);
    return LC_ARGUMENT;
}

static lc_status split(lc_view *v, uint64_t samples, const lc_pipeline_options *o, lc_error *err) {
    if (o->split == LC_SPLIT_ALL) {
        if (o->validation_split != 0)
            return bad_option("validation_split without .split", "say LC_SPLIT_TRAINING or LC_SPLIT_VALIDATION", err);
        return LC_OK;
    }
    if (!(o->validation_split > 0 && o->validation_split < 1) || o->split > LC_SPLIT_VALIDATION)
        return bad_option("validation_split is not between 0 and 1", "0.2 keeps the last fifth for validation", err);
    if (samples == UINT64_MAX) return bad_option("the number of samples is not known, so they cannot be split", "give their count", err);
    const uint64_t at = (uint64_t)floor((double)samples * (1 - o->validation_split)); /* as Keras's fit rounds */
    if (o->split == LC_SPLIT_TRAINING) v->end = at;
    else v->begin = at;
    if (v->begin < v->end) return LC_OK;
    lc_fail(err, LC_INVALID, "of %llu samples a validation split of %g leaves none for %s", (unsigned long long)samples,
            o->validation_split, o->split == LC_SPLIT_TRAINING ? "training" : "validation");
    lc_error_hint(err, "give more samples, or another fraction");
    return LC_INVALID;
}

static lc_status mix(lc_view *v, uint64_t samples, uint64_t seed, lc_error *err) {
    size_t bytes;
    if (samples == UINT64_MAX)
        return bad_option("the number of samples is not known, so they cannot be shuffled first", "give their count", err);
    if (!lc_u64_to_size(samples, &bytes) || !lc_mul_size(bytes, sizeof *v->mixed, &bytes) || !(v->mixed = lc_malloc(bytes)))
        return lc_fail_memory(err, "order of the samples");
    for (uint64_t i = 0; i < samples; i++) v->mixed[i] = i;
    for (uint64_t i = 0; i + 1 < samples; i++) {
        lc_dice dice = {.seed = seed, .index = i, .stream = LC_DICE_SPLIT};
        const uint64_t k = i + lc_dice_below(&dice, samples - i), t = v->mixed[i];
        v->mixed[i] = v->mixed[k];
        v->mixed[k] = t;
    }
    return LC_OK;
}

lc_status lc_view_init(lc_view *v, uint64_t samples, const lc_pipeline_options *o, lc_error *err) {
    *v = (lc_view){.end = samples, .step = o->shards ? o->shards : 1, .shard = o->shard};
    if (v->shard >= v->step) return bad_option(".shard is not below .shards", "shards are counted from 0", err);
    LC_TRY(split(v, samples, o, err));
    if (v->end == UINT64_MAX) v->begin = o->skip;
    else v->begin = o->skip < v->end - v->begin ? v->begin + o->skip : v->end;
    if (o->take && v->end - v->begin > o->take) v->end = v->begin + o->take;
    const uint64_t left = v->end - v->begin;
    v->count = v->end == UINT64_MAX ? UINT64_MAX : left > v->shard ? (left - v->shard - 1) / v->step + 1 : 0;
    if (v->count == 0) {
        lc_fail(err, LC_INVALID, samples ? "no sample is left: the source has %llu" : "the data set is empty", (unsigned long long)samples);
        lc_error_hint(err, samples ? "skip fewer, or use fewer shards" : "give at least one sample");
        return LC_INVALID;
    }
    return o->split_shuffled ? mix(v, samples, o->seed, err) : LC_OK;
}

void lc_view_deinit(lc_view *v) {
    lc_free(v->mixed);
    v->mixed = NULL;
}

uint64_t lc_view_at(const lc_view *v, uint64_t position) {
    const uint64_t i = v->begin + v->shard + position * v->step;
    return v->mixed ? v->mixed[i] : i;
}

/* ---- shuffling ------------------------------------------------------------------------------------------------------- */

lc_status lc_order_init(lc_order *o, uint64_t seed, uint64_t room, bool own, lc_error *err) {
    size_t bytes;
    *o = (lc_order){.seed = seed, .room = room};
    if (!own || room == 1) return LC_OK;
    if (!lc_u64_to_size(room, &bytes) || !lc_mul_size(bytes, sizeof *o->held, &bytes) || !(o->held = lc_malloc(bytes)))
        return lc_fail_memory(err, "order of the samples");
    return LC_OK;
}

void lc_order_deinit(lc_order *o) {
    lc_free(o->held);
    o->held = NULL;
}

void lc_order_begin(lc_order *o, uint32_t epoch) {
    o->epoch = epoch;
    o->picks = o->filled = o->next = 0;
}

uint64_t lc_order_draw(lc_order *o) {
    lc_dice dice = {.seed = o->seed, .index = o->picks++, .epoch = o->epoch, .stream = LC_DICE_ORDER};
    return o->filled > 1 ? lc_dice_below(&dice, o->filled) : 0;
}

bool lc_order_next(lc_order *o, uint64_t count, uint64_t *position) {
    if (!o->held) { /* one at a time: as they come */
        if (o->picks == count) return false;
        *position = o->picks++;
        return true;
    }
    while (o->filled < o->room && o->next < count) o->held[o->filled++] = o->next++;
    if (!o->filled) return false;
    const uint64_t k = lc_order_draw(o);
    *position = o->held[k];
    o->held[k] = o->held[--o->filled]; /* the next position comes behind it */
    return true;
}
