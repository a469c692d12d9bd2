/*
 * call.c: one call of a Keras layer, seen by the function that lowers it: its arguments as Keras serialised them, its outputs beside the
 * first, and the mask that goes on from it.
 *
 * The two generations write arguments in different words (source/keras_config.c):
 *
 *   Keras 2   first argument: tensors ["name", call, tensor] or lists of them; all others by name, tensors again as such triples
 *   Keras 3   args by place, kwargs by name, tensors anywhere in them as {"class_name": "__keras_tensor__"}
 *
 * Which tensor a value stands for is told by where it stands: the reader noted for each input of the call the value it was found in.
 */
#include "lower/lower.h"

#include <string.h>

const lc_json *lc_call_arg(lc_call *c, const char *name) {
    const lc_json *v = c->call ? lc_json_get(c->call->kwargs, name) : NULL;
    return lc_json_is(v, LC_JSON_NULL) ? NULL : v;
}

const lc_json *lc_call_argument(lc_call *c, uint32_t place, const char *name) {
    if (!c->call) return NULL;
    const lc_json *v = c->call->args ? lc_json_at(c->call->args, place) : place == 0 ? c->call->first : NULL;
    if (!v && name) v = lc_json_get(c->call->kwargs, name);
    return lc_json_is(v, LC_JSON_NULL) ? NULL : v;
}

int32_t lc_call_tensor(lc_call *c, const lc_json *value) {
    if (!value || !c->call || !c->call->leaves) return -1;
    for (uint32_t i = 0; i < c->in_count; i++) { /* mostly asked in order */
        const uint32_t at = (c->leaf + i) % c->in_count;
        if (c->call->leaves[at] != value) continue;
        c->leaf = at + 1;
        return c->in[at];
    }
    return -1;
}

int32_t lc_call_given_mask(lc_call *c, uint32_t place) { return lc_call_tensor(c, lc_call_argument(c, place, "mask")); }

bool lc_call_single(lc_call *c, uint32_t place) {
    if (c->in_count > 1 && lc_call_given_mask(c, place) != c->in[1])
        lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with two tensors of which the second is no mask");
    return c->b->status == LC_OK;
}

void lc_call_give(lc_call *c, uint32_t k, int32_t tensor) {
    void *items = c->more;
    if (c->b->status != LC_OK) return;
    if (!k || !lc_arena_grow(&c->lower->scratch, &items, &c->more_capacity, k, sizeof *c->more)) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "outputs"));
        return;
    }
    c->more = items;
    while (c->more_count < k) c->more[c->more_count++] = -1;
    c->more[k - 1] = tensor;
}

void lc_call_give_mask(lc_call *c, int32_t mask) { c->mask = mask; }

bool lc_call_inference(lc_call *c) {
    const lc_json *v = lc_call_arg(c, "training");
    /* The predict() of Keras 3 hands training=False to every layer, whatever its call says; that of Keras 2 only where it says nothing. */
    if (!c->lower->keras2 || !v || (v->kind == LC_JSON_BOOL && !v->boolean) || (v->kind == LC_JSON_INT && v->integer == 0)) return true;
    lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with training=True: it would behave as in training when the model runs");
    lc_build_hint(c->b, "build the model without training=True in this call and save it again");
    return false;
}
