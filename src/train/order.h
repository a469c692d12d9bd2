/*
 * order.h: which sample comes next.
 *
 * A view of the source (split, skip, take, shard) has positions 0, 1, 2 ...; shuffling holds some of them and gives a random one out, whose place
 * the next position takes: with room for all of them every order is equally likely, with room for one they come as they are. Only the seed, the
 * epoch and how many were given out count, so that a place in an epoch is found again by drawing up to there.
 */
#ifndef LC_TRAIN_ORDER_H
#define LC_TRAIN_ORDER_H

#include "train/supply.h"

/* Which samples of a source there are: (mixed order of) begin + shard + k * step. */
typedef struct lc_view {
    uint64_t begin, end; /* in the source; end UINT64_MAX: not known */
    uint64_t step, shard;
    uint64_t count;  /* positions; UINT64_MAX: not known */
    uint64_t *mixed; /* [samples of the source] where they are shuffled before they are split; NULL: they are not; owned */
} lc_view;

lc_status lc_view_init(lc_view *view, uint64_t samples, const lc_pipeline_options *options, lc_error *err);
void lc_view_deinit(lc_view *view);
/* The sample of the source at a position. */
uint64_t lc_view_at(const lc_view *view, uint64_t position);

typedef struct lc_order {
    uint64_t seed, room; /* at least 1 */
    uint64_t picks;      /* given out */
    uint64_t filled, next;
    uint64_t *held; /* [room] positions; owned; NULL: room is 1, or the caller holds them himself */
    uint32_t epoch;
} lc_order;

/* `own`: the positions are held here. */
lc_status lc_order_init(lc_order *order, uint64_t seed, uint64_t room, bool own, lc_error *err);
void lc_order_deinit(lc_order *order);
void lc_order_begin(lc_order *order, uint32_t epoch);
/* Which of the `filled` ones is given out next. */
uint64_t lc_order_draw(lc_order *order);
/* The next position of `count`; false: there are no more. */
bool lc_order_next(lc_order *order, uint64_t count, uint64_t *position);

#endif
