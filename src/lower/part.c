/*
 * part.c: layers inside layers: the cell of an RNN, the two layers of a Bidirectional, the layer in a wrapper. Their configuration
 * is a part of the outer one's, and their weights are some of its weights:
 *
 *   .keras   named by their place: "forward_layer/cell/vars/0"
 *   .h5      in the order in which Keras made them
 */
#include "lower/rnn.h"

#include <string.h>

bool lc_part_by_name(const lc_keras_layer *layer) {
    for (uint32_t i = 0; i < layer->weight_count; i++) {
        const char *name = layer->weights[i].name, *vars = name ? strstr(name, "vars/") : NULL;
        if (!vars || (vars != name && vars[-1] != '/') || !vars[5] || strspn(vars + 5, "0123456789") != strlen(vars + 5)) return false;
    }
    return layer->weight_count > 0;
}

bool lc_part(lc_call *c, const lc_json *json, const char *prefix, uint32_t first, uint32_t count, lc_keras_layer *part) {
    const lc_keras_layer *outer = c->layer;
    const lc_json *config = lc_json_get(json, "config");
    if (c->b->status != LC_OK) return false;
    *part = (lc_keras_layer){.name = lc_json_str(config, "name", outer->name),
                             .class_name = lc_json_str(json, "class_name", NULL),
                             .config = config,
                             .entry = json};
    const char *registered = lc_json_str(json, "registered_name", NULL);
    if (registered && strchr(registered, '>')) part->registered_name = registered;
    if (!part->class_name || !lc_json_is(config, LC_JSON_OBJECT)) {
        lc_build_fail(c->b, LC_INVALID, "a layer inside it has no class_name or no config");
        return false;
    }
    if (!lc_part_by_name(outer)) {
        const uint32_t left = first < outer->weight_count ? outer->weight_count - first : 0;
        part->weights = left ? outer->weights + first : NULL;
        part->weight_count = count < left ? count : left;
        return true;
    }
    const size_t skip = strlen(prefix);
    part->weights = lc_arena_array(&c->lower->scratch, outer->weight_count, sizeof *part->weights);
    part->homes = lc_arena_array(&c->lower->scratch, outer->weight_count, sizeof *part->homes);
    if (!part->weights || !part->homes) return lc_build_check(c->b, lc_fail_memory(c->b->err, "weights"));
    for (uint32_t i = 0; i < outer->weight_count; i++) {
        if (strncmp(outer->weights[i].name, prefix, skip) != 0) continue;
        part->weights[part->weight_count] = outer->weights[i];
        part->homes[part->weight_count] = outer->homes ? outer->homes[i] : &outer->weights[i];
        part->weights[part->weight_count++].name += skip;
    }
    return true;
}

static bool named_among(const lc_json *members, uint32_t n, const char *key) {
    for (uint32_t i = 0; i < n; i++)
        if (key && strcmp(members[i].key, key) == 0) return true;
    return false;
}

const lc_json *lc_part_with(lc_call *c, const lc_json *layer, const lc_json *members, uint32_t n) {
    const lc_json *config = lc_json_get(layer, "config");
    const uint32_t old = config ? config->count : 0;
    lc_arena *arena = &c->b->model->arena; /* a training reads it once the lowering is over (lc_trained.config) */
    lc_json *items = lc_arena_array(arena, (size_t)old + n + 1, sizeof *items), *made = lc_arena_array(arena, 4, sizeof *made);
    if (!items || !made) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "a configuration"));
        return NULL;
    }
    uint32_t count = n;
    memcpy(items, members, n * sizeof *items);
    for (uint32_t i = 0; i < old; i++)
        if (!named_among(members, n, config->items[i].key)) items[count++] = config->items[i];
    const char *registered = lc_json_str(layer, "registered_name", NULL);
    made[0] = (lc_json){.kind = LC_JSON_OBJECT, .items = made + 1, .count = registered ? 3 : 2};
    made[1] = (lc_json){.kind = LC_JSON_STRING, .key = "class_name", .string = lc_json_str(layer, "class_name", "")};
    made[2] = (lc_json){.kind = LC_JSON_OBJECT, .key = "config", .items = items, .count = count};
    if (registered) made[3] = (lc_json){.kind = LC_JSON_STRING, .key = "registered_name", .string = registered};
    return made;
}

int32_t lc_part_call(lc_call *c, const lc_keras_layer *part, const int32_t *in, const int32_t *in_masks, uint32_t n, lc_call *done) {
    int32_t *slots = lc_arena_array(&c->lower->scratch, LC_LOWER_SLOTS, sizeof *slots);
    if (!slots) return lc_build_check(c->b, lc_fail_memory(c->b->err, "layers inside layers")) ? -1 : -1;
    *done = (lc_call){.lower = c->lower,
                      .b = c->b,
                      .layer = part,
                      .config = part->config,
                      .in = in,
                      .in_masks = in_masks,
                      .in_count = n,
                      .slots = slots,
                      .mask = -1};
    return lc_lower_part(done);
}
