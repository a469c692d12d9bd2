/*
 * events.h: what a training says of itself, in the files that TensorBoard reads.
 *
 *     lc_events *ev;
 *     lc_events_open("logs/train", NULL, &ev, err)
 *     lc_events_scalar(ev, "epoch_loss", epoch, now, loss, err)
 *     lc_events_close(ev)
 *
 * Every event is in the file when its call returns, so TensorBoard sees a training while it runs.
 */
#ifndef LC_TRAIN_EVENTS_H
#define LC_TRAIN_EVENTS_H

#include "base/base.h"

typedef struct lc_events lc_events;

/* Begins a file in `folder`, which is made when it is not there: "events.out.tfevents.<seconds>.<name>.v2". name NULL: host, process and a
 * number, as TensorFlow names them. TensorBoard reads all such files of a folder as one run. */
lc_status lc_events_open(const char *folder, const char *name, lc_events **events, lc_error *err);
/* wall_time: seconds since 1970. A value may be NaN: TensorBoard marks it. */
lc_status lc_events_scalar(lc_events *events, const char *tag, int64_t step, double wall_time, double value, lc_error *err);
/* How the values lie, in TensorFlow's buckets. LC_INVALID for a value that is not finite. */
lc_status lc_events_histogram(lc_events *events, const char *tag, int64_t step, double wall_time, const float *values, size_t n,
                              lc_error *err);
/* A GraphDef as bytes (emit/graph_emit.h). */
lc_status lc_events_graph(lc_events *events, double wall_time, lc_str graph, lc_error *err);
/* Waits until all is on the disk. */
lc_status lc_events_flush(lc_events *events, lc_error *err);
/* NULL is fine. */
void lc_events_close(lc_events *events);

#endif
