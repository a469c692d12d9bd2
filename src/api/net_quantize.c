/*
 * net_quantize.c: quantisation-aware training: the net keeps the ranges that the rounding follows (lower/rounding.h), by the names of the tensors.
 */
#include "api/net.h"

#include "lower/rounding.h"

#include <string.h>

typedef struct named {
    struct named *next;
    float range[3];
    char name[];
} named;

struct lc_net_ranges {
    float decay;
    named *list;
};

static float *range_of(void *user, const char *name, lc_error *err) {
    struct lc_net_ranges *r = user;
    for (named *n = r->list; n; n = n->next)
        if (strcmp(n->name, name) == 0) return n->range;
    named *n = lc_calloc(1, sizeof *n + strlen(name) + 1);
    if (!n) {
        lc_fail_memory(err, "a range");
        return NULL;
    }
    memcpy(n->name, name, strlen(name) + 1);
    n->next = r->list;
    r->list = n;
    return n->range;
}

const void *lc_net_range_next(const lc_net *net, const void *last, const char **name, const float **range) {
    const named *n = !net->ranges ? NULL : last ? ((const named *)last)->next : net->ranges->list;
    if (!n) return NULL;
    *name = n->name;
    *range = n->range;
    return n;
}

float *lc_net_range_of(lc_net *net, const char *name, lc_error *err) { return range_of(net->ranges, name, err); }
const float *lc_net_ranges_decay(const lc_net *net) { return net->ranges ? &net->ranges->decay : NULL; }

lc_rounding *lc_net_rounding(lc_net *net, lc_rounding *room) {
    if (!net->ranges) return NULL;
    *room = (lc_rounding){.range = range_of, .user = net->ranges, .bits = 8, .decay = net->ranges->decay};
    return room;
}

void lc_net_ranges_free(lc_net *net) {
    while (net->ranges && net->ranges->list) {
        named *n = net->ranges->list;
        net->ranges->list = n->next;
        lc_free(n);
    }
    lc_free(net->ranges);
    net->ranges = NULL;
}

lc_status lc_net_quantize_aware(lc_net *net, const lc_quantize_aware_options *options, lc_error *err) {
    const double decay = options && options->ema_decay != 0 ? options->ema_decay : 0.999;
    if (!(decay >= 0 && decay < 1)) {
        lc_fail(err, LC_ARGUMENT, "ranges cannot follow the batches with a decay of %g", decay);
        lc_error_hint(err, "0.999 keeps most of what was; it is below 1");
        return LC_ARGUMENT;
    }
    LC_TRY(lc_net_build(net, err));
    struct lc_net_ranges *ranges = lc_calloc(1, sizeof *ranges);
    if (!ranges) return lc_fail_memory(err, "ranges");
    lc_net_steps_forget(net); /* their graphs write into the ranges that were */
    lc_net_ranges_free(net);
    ranges->decay = (float)decay;
    net->ranges = ranges;
    return LC_OK;
}
