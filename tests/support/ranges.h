/*
 * ranges.h: samples for calibration from a function of their number, and the range it found for a tensor of the first graph, by name.
 */
#ifndef TESTS_SUPPORT_RANGES_H
#define TESTS_SUPPORT_RANGES_H

#include "quant/quant.h"

#include <math.h>
#include <string.h>

/* `batches` batches of `samples`; `at` is the next one. */
typedef struct counted {
    void (*fill)(lc_session *session, uint32_t batch);
    uint32_t batches, samples, at;
} counted;

static inline lc_status counted_next(void *user, lc_session *session, uint32_t *samples, lc_error *err) {
    counted *c = user;
    (void)err;
    *samples = c->at < c->batches ? c->samples : 0;
    if (*samples) c->fill(session, c->at++);
    return LC_OK;
}

static inline lc_status counted_rewind(void *user, lc_error *err) {
    (void)err;
    ((counted *)user)->at = 0;
    return LC_OK;
}

static inline lc_feed counted_feed(counted *c) { return (lc_feed){.next = counted_next, .rewind = counted_rewind, .user = c}; }

/* A tensor that is not there gives a range that was not seen, and NaN. */
static inline lc_range range_named(const lc_ranges *r, const char *name) {
    const lc_graph *g = r->model->graphs[0];
    for (size_t t = 0; t < g->tensor_count; t++)
        if (g->tensors[t].name.data && strcmp(g->tensors[t].name.data, name) == 0) return r->of[0][t];
    return (lc_range){(float)NAN, (float)NAN, false};
}

#endif
