/*
 * penalty.c: which outputs have an activity regulariser: ActivityRegularization, and "activity_regularizer" of any layer.
 */
#include "lower/penalty.h"

#include "lower/lower.h"

#include <string.h>

static void add(lc_call *c, lc_penalties *p, lc_penalty one) {
    void *list = p->list;
    if (!lc_arena_grow(&c->b->model->arena, &list, &p->capacity, p->count + 1, sizeof *p->list)) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "regularisers"));
        return;
    }
    p->list = list;
    p->list[p->count++] = one;
}

void lc_penalty_note(lc_call *c, int32_t out) {
    lc_penalties *p = c->lower->options->penalties;
    if (!p || c->b->status != LC_OK) return;
    lc_penalty one = {.regularizer = lc_json_get(c->config, "activity_regularizer")};
    const bool layer = strcmp(c->layer->class_name, "ActivityRegularization") == 0;
    if (layer) one = (lc_penalty){.l1 = (float)lc_opt_num(c, "l1", 0), .l2 = (float)lc_opt_num(c, "l2", 0)};
    else if (!one.regularizer || lc_json_is(one.regularizer, LC_JSON_NULL)) return;
    for (size_t k = 0; k <= c->more_count; k++) {
        one.tensor = k ? c->more[k - 1] : out;
        if (lc_build_type(c->b, one.tensor) == LC_FLOAT32) add(c, p, one);
    }
}
