/*
 * An unknown layer, kept as a CUSTOM operator (--allow-custom-ops): the class name is its code, the config as JSON text its
 * options, its tensors and then its weights are its inputs. What comes out cannot be known: the output is declared like input
 * 0, and whoever writes the operator resizes it.
 */
#include "lower/lower.h"

#include <string.h>

int32_t lc_lower_stored(lc_call *c, uint32_t i) {
    if (c->b->status != LC_OK) return -1;
    const lc_keras_weight *w = &c->layer->weights[i];
    const char *name = w->name ? w->name : "weight";
    if (w->rank < 0 || w->rank > LC_MAX_RANK)
        return lc_build_fail(c->b, LC_UNSUPPORTED, "its weight \"%.200s\" has %d dimensions", name, w->rank);
    if (i < LC_LOWER_SLOTS && c->slots[i]) return c->slots[i] - 1;
    uint32_t element = lc_dtype_bits(w->type) / 8;
    const void *data = w->data;
    bool copied = !data || !element || (uintptr_t)data % element != 0;
    if (copied) {
        void *copy = lc_build_data(c->b, w->size);
        if (copy && w->size) memcpy(copy, w->data, w->size);
        data = copy;
    }
    const int32_t t = lc_build_const(c->b, name, w->type, w->dims, w->rank, data, w->size, copied);
    if (i < LC_LOWER_SLOTS && c->b->status == LC_OK) c->slots[i] = t + 1;
    return t;
}

int32_t lc_lower_custom(lc_call *c) {
    uint32_t n = c->in_count + c->layer->weight_count;
    if (!c->in_count) return lc_build_fail(c->b, LC_UNSUPPORTED, "a CUSTOM operator needs an input");
    int32_t *in = lc_arena_array(&c->lower->scratch, n, sizeof *in);
    lc_text json = {0};
    lc_json_write(c->config, &json);
    if (!in || json.failed || !json.data) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "a custom operator"));
        lc_text_deinit(&json);
        return -1;
    }
    lc_build_check(c->b, lc_budget_memory(&c->lower->budget, json.size, "custom options", c->b->err)); /* a copy for each call */
    memcpy(in, c->in, c->in_count * sizeof *in);
    for (uint32_t i = 0; i < c->layer->weight_count; i++) in[c->in_count + i] = lc_lower_stored(c, i);
    const char *code = c->layer->class_name ? c->layer->class_name : "Unknown";
    int32_t out = json.size > UINT32_MAX ? lc_build_fail(c->b, LC_LIMIT, "its config is over 4 GiB")
                                         : lc_build_custom(c->b, code, json.data, (uint32_t)json.size, in, n, c->in[0]);
    lc_text_deinit(&json);
    return out;
}
