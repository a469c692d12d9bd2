/*
 * ranges.h: the range that calibration found for a tensor of the first graph, by name.
 */
#ifndef TESTS_SUPPORT_RANGES_H
#define TESTS_SUPPORT_RANGES_H

#include "quant/quant.h"

#include <math.h>
#include <string.h>

/* A tensor that is not there gives a range that was not seen, and NaN. */
static inline lc_range range_named(const lc_ranges *r, const char *name) {
    const lc_graph *g = r->model->graphs[0];
    for (size_t t = 0; t < g->tensor_count; t++)
        if (g->tensors[t].name.data && strcmp(g->tensors[t].name.data, name) == 0) return r->of[0][t];
    return (lc_range){(float)NAN, (float)NAN, false};
}

#endif
